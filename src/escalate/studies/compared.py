"""A comparison's results: every estimate of every rule under every truth, and its difference to the first rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..cautions import Caution, cautions
from ..results.estimates import NO_ERROR, NO_INTERVAL, Estimate
from ..scenario.compared import Truth
from ..scenario.model import Scenario
from ..words.asked import nothing_named
from ..words.tables import Column, Layout, Measured, Table

THIS, WHOLE_COHORTS = "this trial", "early_decision = false"
"""What an exact value is of: the trial that was simulated, or the one with whole cohorts."""

_IF_FIRST = "for the first rule"


_NO_CHANGE = f"{_IF_FIRST}; {NO_ERROR}"


_NO_ENDS = f"{_IF_FIRST}; {NO_INTERVAL}"


COMPARED = Layout(
    "comparison",
    (
        Column("truth", "Label of the truth: P(DLT) at each level"),
        Column("rule", "Label of the rule; differences are to the first one"),
        Column("measure", "What is estimated; see `MEASURES`"),
        Column("level", "Dose level from 1, `no dose`, or `all`", "", "where levels do not matter"),
        Column("estimate", "The estimate", "see `unit`"),
        Column("mc_se", "Its Monte Carlo standard error", "see `unit`", NO_ERROR),
        Column("low", "Lower end of its 95% Monte Carlo interval, exact of probabilities", "see `unit`", NO_INTERVAL),
        Column("high", "Upper end of its 95% Monte Carlo interval, exact of probabilities", "see `unit`", NO_INTERVAL),
        Column("difference", "This rule less the first one, on the same patients", "see `unit`", _IF_FIRST),
        Column("difference_se", "Monte Carlo standard error of the paired difference", "see `unit`", _NO_CHANGE),
        Column("difference_low", "Lower end of its 95% Monte Carlo interval", "see `unit`", _NO_ENDS),
        Column("difference_high", "Upper end of its 95% Monte Carlo interval", "see `unit`", _NO_ENDS),
        Column("exact", "The exact value, by enumeration", "see `unit`", "where there is none"),
        Column(
            "exact_of",
            f"Of which trial that is: `{THIS}`, or the same with `{WHOLE_COHORTS}`, in which no decision comes early",
            "",
            "where there is none",
        ),
        Column("unit", "`probability`, `patients` or `days`"),
        Column("trials", "Trials that the estimate rests on", "count"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One measure of one rule under one truth: see `COMPARED` for the fields."""

    truth: str
    rule: str
    measure: str
    level: int | str | None
    estimate: float
    mc_se: float | None
    low: float | None
    high: float | None
    difference: float | None
    difference_se: float | None
    difference_low: float | None
    difference_high: float | None
    exact: float | None
    exact_of: str | None
    unit: str
    trials: int

    @property
    def change(self) -> Estimate | None:
        """The paired difference to the first rule; nothing for that itself."""
        if self.difference is None:
            return None
        return Estimate(
            group="difference",
            measure=self.measure,
            level=self.level,
            estimate=self.difference,
            mc_se=self.difference_se,
            low=self.difference_low,
            high=self.difference_high,
            unit=self.unit,
            trials=self.trials,
        )

    @property
    def is_same(self) -> bool:
        """Whether no trial of this rule differs from the same trial of the first one."""
        return self.trials > 1 and self.difference == 0 and self.difference_se is None


@dataclass(frozen=True, repr=False)
class Comparison(Measured):
    """Several rules under several truths, on the same patients.

    Parameters
    ----------
    scenario : Scenario
        Everything but the rules and the truths.
    overdose_above : float or None
        P(DLT) above which a patient is overdosed and a recommended dose too toxic, under every truth.
    seed, trials : int
        Seed, and number of trials of each rule under each truth; they are replicates 0 to ``trials - 1``.
    truths : tuple of Truth
        In the order given.
    scenarios : dict of (str, str) to Scenario
        What was simulated, by the labels of truth and rule, in the order given.
    not_exact : dict of (str, str) to str
        By the same, why there are no exact values, where there are none.
    rows : tuple of Compared
        Everything that was estimated, truth by truth and rule by rule.
    """

    scenario: Scenario
    overdose_above: float | None
    seed: int
    trials: int
    truths: tuple[Truth, ...]
    scenarios: Mapping[tuple[str, str], Scenario]
    not_exact: Mapping[tuple[str, str], str]
    rows: tuple[Compared, ...]

    @cached_property
    def rules(self) -> tuple[str, ...]:
        """Labels of the rules; differences are to the first one."""
        return tuple(dict.fromkeys(rule for _, rule in self.scenarios))

    @cached_property
    def _found(self) -> dict[tuple[str, str, str, int | str | None], Compared]:
        return {(row.truth, row.rule, row.measure, row.level): row for row in self.rows}

    def get(self, measure: str, level: int | str | None = None, *, rule: str, truth: str) -> Compared:
        """Return one measure of one rule under one truth.

        Parameters
        ----------
        measure : str
            One of `measures.MEASURES`.
        level : int or str, optional
            Dose level from 1, ``"no dose"``, ``"all"``; nothing where levels do not matter.
        rule, truth : str
            Their labels.

        Raises
        ------
        KeyError
            If there is none; the message lists the labels, or the levels that the measure has, or near names.
        """
        if (truth, rule, measure, level) not in self._found:
            raise KeyError(self._why_not(measure, level, rule, truth))
        return self._found[truth, rule, measure, level]

    def _why_not(self, measure: str, level: int | str | None, rule: str, truth: str) -> str:
        labels = (("rule", rule, list(self.rules)), ("truth", truth, [one.label for one in self.truths]))
        wrong = [f"no {kind} {label!r}; there are {there}" for kind, label, there in labels if label not in there]
        here = [(row.measure, row.level) for row in self.rows if (row.rule, row.truth) == (rule, truth)]
        return "; ".join(wrong) or nothing_named(measure, level, here, f" of {rule!r} under {truth!r}")

    @cached_property
    def cautions(self) -> dict[Caution, str]:
        """The cautions of all that is compared, each once, with the rules or the truth that it is about."""
        cells: dict[Caution, list[tuple[str, str]]] = {}
        for cell, scenario in self.scenarios.items():
            for caution in cautions(scenario):
                cells.setdefault(caution, []).append(cell)
        return {caution: self._whose(about) for caution, about in cells.items()}

    def _whose(self, cells: Sequence[tuple[str, str]]) -> str:
        """Say under which truths, with which rules: nothing of those that are all."""
        truths, rules = (dict.fromkeys(part) for part in zip(*cells, strict=True))
        parts = ["; ".join(rules)] if len(rules) < len(self.rules) else []
        parts += [f"truth {'; '.join(truths)}"] if len(truths) < len(self.truths) else []
        return ", ".join(parts)

    @property
    def table(self) -> Table:
        """Everything as a table, one row for each measure of each rule under each truth."""
        start = self.scenario.trial.start_date
        return Table(COMPARED, tuple(tuple(getattr(row, name) for name in COMPARED.names) for row in self.rows), start)

    def __repr__(self) -> str:
        return f"<Comparison: {len(self.rules)} rules, {len(self.truths)} truths, {self.trials} trials of each>"
