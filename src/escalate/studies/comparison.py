"""Several rules and truths on the same patients: what each rule does, and how that differs from the first one.

Under each truth every rule meets the same candidates and patients, trial by trial, so that the difference of two rules
has a smaller standard error than two separate simulations would give. Differences are whole numbers of each trial and
are counted, so that nothing is rounded before the end, whatever the chunks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..committee.committee import Committee
from ..errors import EscalateError, NotCoveredError, Problem, RuleError, ScenarioError
from ..exactly.enumeration import Exact, exact
from ..files import Saves
from ..kernel import compiled
from ..results.estimates import NO_ERROR, NO_INTERVAL, Estimate, difference, mean, probability
from ..results.no_dose import WHY_NO_DOSE, no_dose_codes, no_dose_measure
from ..results.outcomes import NOT_REACHED, Trials
from ..results.tally import count_values
from ..scenario.compared import AsRule, AsTruth, Truth, compared
from ..scenario.model import Scenario
from ..words.records import NO_DOSE, NO_LEVEL, IntArray
from ..words.tables import Column, Layout, Table
from . import workers
from .simulation import KERNEL_CHUNK, Chunk, check_can_travel, check_trials, chunks_of, run_chunk

MOST_COMPARED = 1000
"""Most scenarios that are compared at once, each rule under each truth."""

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
        Column("low", "Lower end of its 95 % Monte Carlo interval, exact of probabilities", "see `unit`", NO_INTERVAL),
        Column("high", "Upper end of its 95 % Monte Carlo interval, exact of probabilities", "see `unit`", NO_INTERVAL),
        Column("difference", "This rule less the first one, on the same patients", "see `unit`", _IF_FIRST),
        Column("difference_se", "Monte Carlo standard error of the paired difference", "see `unit`", _NO_CHANGE),
        Column("difference_low", "Lower end of its 95 % Monte Carlo interval", "see `unit`", _NO_ENDS),
        Column("difference_high", "Upper end of its 95 % Monte Carlo interval", "see `unit`", _NO_ENDS),
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

MEASURES = {
    "recommended": "P(a dose level, or no dose, is recommended)",
    **{no_dose_measure(why): f"P(no dose is recommended, and what that means: {why})" for why in WHY_NO_DOSE},
    "right choice": "P(the MTD of the truth is recommended, or no dose where it has none); only where that is known",
    "too toxic a dose": "P(a level is recommended whose P(DLT) is above `overdose_above`); only where that is known",
    "dlts": "mean patients with a DLT in the window, at all levels",
    "infused": "mean patients infused, at each level and at all",
    "overdosed": "mean patients infused at levels whose P(DLT) is above `overdose_above`; only where that is known",
    "evaluable": "mean evaluable patients, at all levels",
    "duration": "mean days from the start date to the trial's last event",
    "finished by planned completion date": "P(the last follow-up ends by that date); only where one is planned",
    "cut off": "P(the trial is ended by `trial.max_days`): its duration stops there",
}
"""What is compared."""


class Measure(NamedTuple):
    """One thing that is compared: see `MEASURES`, and the columns of `COMPARED`."""

    name: str
    level: int | str | None = None
    unit: str = "probability"


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
class Comparison(Saves):
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
            One of `MEASURES`.
        level : int or str, optional
            Dose level from 1, ``"no dose"``, ``"all"``; nothing where levels do not matter.
        rule, truth : str
            Their labels.

        Raises
        ------
        KeyError
            If there is none; the message lists what there is.
        """
        if (truth, rule, measure, level) not in self._found:
            truths, rules = [one.label for one in self.truths], list(self.rules)
            there = ", ".join(dict.fromkeys(f"{row.measure!r} at {row.level!r}" for row in self.rows))
            raise KeyError(
                f"no {measure!r} at level {level!r} of {rule!r} under {truth!r}; "
                f"there are rules {rules}, truths {truths}, and {there}"
            )
        return self._found[truth, rule, measure, level]

    @property
    def table(self) -> Table:
        """Everything as a table, one row for each measure of each rule under each truth."""
        start = self.scenario.trial.start_date
        return Table(COMPARED, tuple(tuple(getattr(row, name) for name in COMPARED.names) for row in self.rows), start)

    def to_pandas(self) -> Any:
        """Return everything as a pandas ``DataFrame`` (needs the extra ``notebooks``)."""
        return self.table.to_pandas()

    def __repr__(self) -> str:
        return f"<Comparison: {len(self.rules)} rules, {len(self.truths)} truths, {self.trials} trials of each>"

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


def compare(
    scenario: Scenario,
    rules: Iterable[AsRule] | Mapping[str, AsRule] | None = None,
    truths: Iterable[AsTruth] | Mapping[str, AsTruth] | None = None,
    *,
    target: float | None = None,
    trials: int = 10_000,
    seed: int = 1,
    enumerate_exactly: bool = True,
    progress: bool = False,
    executor: Executor | None = None,
) -> Comparison:
    """Compare several rules under several truths, on the same candidates and patients.

    Parameters
    ----------
    scenario : Scenario
        Everything but the rules and the truths.
    rules : sequence, or dict with labels as keys, optional
        Each a name (``"BOIN"``), a line (``"CRM prior_mtd_level=2 limits.coherence=last_cohort"``), a dictionary of the
        same, with a ``label`` if you like, or a whole scenario, which may differ in anything but the dose levels.
        Differences are to the first one. The scenario's own rule where it is not given.
    truths : sequence, or dict with labels as keys, optional
        P(DLT) at each level, lowest first, each; or a dictionary with ``dlt_probability``, and ``label`` and
        ``mtd_level`` (0 for none) if you like. The scenario's own where it is not given.
    target : float, optional
        Target DLT probability of every rule that needs one and names none; that of the scenario's own rule, if it has
        one, where it is not given. Unless the scenario has `toxicity.overdose_above`, it is also that, for all rules:
        the P(DLT) above which a patient is overdosed. The MTD of a truth is the highest level whose P(DLT) is not above
        it, unless the truth says ``mtd_level``; the right choice is to recommend it, or no dose where there is none.
    trials : int
        Trials of each rule under each truth, at least 1.
    seed : int
        Seed of all, at least 0.
    enumerate_exactly : bool
        Whether exact values are computed, where `escalate.exact` covers the rule.
    progress : bool
        Whether to show progress on stderr, if that is a terminal.
    executor : concurrent.futures.Executor, optional
        Who runs the trials, in chunks, as in `workers`; this process where it is not given. The results are
        the same.

    Returns
    -------
    Comparison
        Estimates, and paired differences to the first rule, with their Monte Carlo errors; exact values where they
        exist. Those are of whole cohorts: where the scenario decides early, they say so.

    Raises
    ------
    ScenarioError
        If a rule lacks a number or does not go with the scenario, or a truth has not one probability for each level;
        all problems at once, before anything is run.
    ValueError
        If `trials` is below 1, or `seed` is negative.
    WorkersError
        If there is an executor, and a rule is Python code, which workers do not have.
    """
    check_trials(trials, seed, 0)
    designs, known = compared(scenario, rules, truths, target)
    if len(designs) * len(known) > MOST_COMPARED:
        raise EscalateError(
            f"{len(designs)} rules under {len(known)} truths are {len(designs) * len(known):,} scenarios, and at most "
            f"{MOST_COMPARED:,} are compared at once: leave some out"
        )
    _check_committees(designs)
    scenarios = {
        (truth.label, label): design.replace({f"toxicity.{key}": value for key, value in truth.toxicity.items()})
        for truth in known
        for label, design in designs.items()
    }
    if executor is not None:
        for cell in scenarios.values():
            check_can_travel(cell)
    counted = {truth.label: _Pairs(truth, list(designs)) for truth in known}
    with workers.progress(trials * len(scenarios), "trials", progress) as bar:
        parts = ((same, same) for same in _same_patients(known, scenarios, trials, seed))
        for same, pairs in workers.completed(count_pairs, parts, executor):
            counted[same.truth.label].add(pairs)
            bar.update(sum(chunk.count for chunk in same.chunks.values()))
    rows, not_exact = _rows(scenarios, counted, enumerate_exactly)
    return Comparison(
        scenario=scenario,
        overdose_above=known[0].overdose_above,
        seed=seed,
        trials=trials,
        truths=tuple(known),
        scenarios=scenarios,
        not_exact=not_exact,
        rows=tuple(rows),
    )


def _rows(
    scenarios: Mapping[tuple[str, str], Scenario], counted: Mapping[str, _Pairs], enumerate_exactly: bool
) -> tuple[list[Compared], dict[tuple[str, str], str]]:
    """Return everything that was estimated, with exact values; and, where there are none, why."""
    rows, not_exact = list[Compared](), {}
    for (under, label), cell in scenarios.items():
        pairs = counted[under]
        values, why_not = _enumerated(cell, pairs.truth) if enumerate_exactly else ({}, "")
        if why_not:
            not_exact[under, label] = why_not
        of = WHOLE_COHORTS if cell.early_decision else THIS
        rows += [_row(pairs.truth, label, *parts, values.get(parts[0]), of) for parts in pairs.estimates(label)]
    return rows, not_exact


def _check_committees(designs: Mapping[str, Scenario]) -> None:
    """Raise what shows only when a rule is made: whether a Python rule is there, and has what goes around it."""
    problems = []
    for label, design in designs.items():
        try:
            Committee(design)
        except RuleError as error:
            problems.append(Problem(key=f"rule {label}", message=str(error)))
    if problems:
        raise ScenarioError(problems)


@dataclass(frozen=True, slots=True)
class Same:
    """The same trials of every rule, under one truth.

    Parameters
    ----------
    truth : Truth
        The truth.
    chunks : dict of str to Chunk
        By the labels of the rules; the same candidates and patients in each.
    """

    truth: Truth
    chunks: Mapping[str, Chunk]

    def __str__(self) -> str:
        return f"truth {self.truth.label}, {next(iter(self.chunks.values()))}"


def _same_patients(
    truths: Iterable[Truth], scenarios: Mapping[tuple[str, str], Scenario], trials: int, seed: int
) -> Iterator[Same]:
    compiles = compiled.is_worth(trials * len(scenarios))
    for truth in truths:
        cells = {label: cell for (under, label), cell in scenarios.items() if under == truth.label}
        chunks = [chunks_of(cell, trials, seed, 0, KERNEL_CHUNK, compiles) for cell in cells.values()]
        for same in zip(*chunks, strict=True):
            yield Same(truth, dict(zip(cells, same, strict=True)))


def count_pairs(same: Same) -> _Pairs:
    """Run the same trials of every rule, and count what came of them, in whichever process this is called."""
    pairs = _Pairs(same.truth, list(same.chunks))
    pairs.count({label: run_chunk(chunk) for label, chunk in same.chunks.items()})
    return pairs


class _Pairs:
    """Counts, under one truth, the values of every rule, and of its difference to the first rule in the same trial."""

    def __init__(self, truth: Truth, rules: list[str]) -> None:
        self.truth, self.first = truth, rules[0]
        self.values: dict[str, dict[Measure, Counter[int]]] = {rule: {} for rule in rules}
        self.differences: dict[str, dict[Measure, Counter[int]]] = {rule: {} for rule in rules[1:]}

    def count(self, found: Mapping[str, Trials]) -> None:
        """Count the same trials of each rule, of which there are no counts yet."""
        columns = {rule: dict(_columns(trials, self.truth)) for rule, trials in found.items()}
        first = columns[self.first]
        for rule in self.values:
            self.values[rule] = _counted(columns[rule])
        for rule in self.differences:
            shared = columns[rule].keys() & first.keys()
            self.differences[rule] = _counted({what: columns[rule][what] - first[what] for what in shared})

    def add(self, others: _Pairs) -> None:
        """Add what was counted of other trials."""
        for mine, theirs in ((self.values, others.values), (self.differences, others.differences)):
            for rule, counted in mine.items():
                for what, often in theirs[rule].items():
                    counted[what] = counted.get(what, Counter()) + often

    def estimates(self, rule: str) -> Iterator[tuple[Measure, Estimate, Estimate | None]]:
        """Yield everything that is estimated of a rule, with its difference to the first rule."""
        for what, often in self.values[rule].items():
            change = self.differences.get(rule, {}).get(what)
            yield what, _estimate(what, often), None if change is None else _change(what, change)


def _counted(columns: Mapping[Measure, IntArray]) -> dict[Measure, Counter[int]]:
    return {what: count_values(column) for what, column in columns.items()}


def _columns(trials: Trials, truth: Truth) -> Iterator[tuple[Measure, IntArray]]:
    """Yield what is compared, and one whole number for each trial."""
    levels, infused = range(1, trials.scenario.levels + 1), trials.patients["infused"]
    for level in levels:
        yield Measure("recommended", level), _where(trials.recommended == level - 1)
    yield Measure("recommended", NO_DOSE), _where(trials.recommended == NO_LEVEL)
    evaluable = trials.patients["evaluable"].sum(axis=1)
    codes = no_dose_codes(trials.recommended, trials.reason, trials.reasons, evaluable, trials.scenario.rule)
    for code, why in enumerate(WHY_NO_DOSE):
        yield Measure(no_dose_measure(why), NO_DOSE), _where(codes == code)
    if truth.mtd is not None:
        right = NO_LEVEL if truth.mtd == NO_DOSE else int(truth.mtd) - 1
        yield Measure("right choice"), _where(trials.recommended == right)
    if truth.overdose_above is not None:
        toxic = [level - 1 for level in truth.too_toxic]
        yield Measure("too toxic a dose"), _where(np.isin(trials.recommended, toxic))
        yield Measure("overdosed", "all", "patients"), infused[:, toxic].sum(axis=1)
    for level in levels:
        yield Measure("infused", level, "patients"), infused[:, level - 1]
    for name in ("infused", "evaluable", "dlts"):
        yield Measure(name, "all", "patients"), trials.patients[name].sum(axis=1)
    yield Measure("duration", None, "days"), trials.duration_days
    if trials.scenario.planned_days is not None:
        yield Measure("finished by planned completion date"), _where(trials.finished_in_time)
    yield Measure("cut off"), _where(trials.milestone_days["trial ended"] == NOT_REACHED)


def _where(happened: Any) -> IntArray:
    return np.asarray(happened, dtype=np.int64)


def _enumerated(cell: Scenario, truth: Truth) -> tuple[dict[Measure, float], str]:
    """Return what is known exactly of a rule under a truth, and, where that is nothing, why."""
    try:
        return dict(_exact_values(exact(cell), truth)), ""
    except NotCoveredError as error:
        return {}, str(error)


def _exact_values(found: Exact, truth: Truth) -> Iterator[tuple[Measure, float]]:
    """Yield what is known exactly; patients only without an expansion, which `exact` leaves out."""
    by_level = dict(enumerate(found.recommended, 1)) | {NO_DOSE: found.no_dose}
    for level, q in by_level.items():
        yield Measure("recommended", level), q
    for why, q in found.why_no_dose.items():
        yield Measure(no_dose_measure(why), NO_DOSE), q
    if truth.mtd is not None:
        yield Measure("right choice"), by_level[truth.mtd]
    if truth.overdose_above is not None:
        yield Measure("too toxic a dose"), sum(by_level[level] for level in truth.too_toxic)
    if found.scenario.safety.when_rule_finished == "stop":
        yield Measure("evaluable", "all", "patients"), sum(found.evaluable)
        yield Measure("dlts", "all", "patients"), sum(found.dlts)


def _estimate(what: Measure, often: Counter[int]) -> Estimate:
    if what.unit == "probability":
        return probability("", what.name, what.level, often[1], often.total())
    return mean("", what.name, what.level, often, what.unit)


def _change(what: Measure, often: Counter[int]) -> Estimate:
    return difference("", what.name, what.level, often, what.unit)


def _row(
    truth: Truth, rule: str, what: Measure, found: Estimate, change: Estimate | None, value: float | None, of: str
) -> Compared:
    return Compared(
        truth=truth.label,
        rule=rule,
        measure=what.name,
        level=what.level,
        estimate=found.estimate,
        mc_se=found.mc_se,
        low=found.low,
        high=found.high,
        difference=change.estimate if change else None,
        difference_se=change.mc_se if change else None,
        difference_low=change.low if change else None,
        difference_high=change.high if change else None,
        exact=value,
        exact_of=None if value is None else of,
        unit=what.unit,
        trials=found.trials,
    )
