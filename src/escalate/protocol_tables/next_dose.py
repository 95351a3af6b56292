"""The next dose after every data cut that can be reached, for rules with a model of all doses together.

What such a rule says of one level depends on all of them, so that there is no table of n and y for it. Instead: from
the trial so far, every outcome of the next cohorts, with what the model then believes and the dose that follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..committee import Committee
from ..data_cut import Counts, DataCut
from ..errors import EscalateError
from ..protocol import NOT_THE_RULE
from ..records import NO_DOSE, NO_LEVEL, Action, Decision
from ..rules import rule_for
from ..scenario.model import Scenario
from .layout import csv_text, html_table, markdown, text

MOST_ROWS = 2000
"""A table is refused that would have more rows."""

FINE = 10_000
"""Parts of the DLT window between which the turns of a decision are found."""

PATH = re.compile(r"([1-9][0-9]*)([NT]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class NextDose:
    """What follows from one data cut.

    Parameters
    ----------
    path : str
        The dose path that leads there; DLTs (T) and, for a rolling rule, pending patients (P) of each new cohort are
        written last.
    counts : tuple of (int, int)
        DLTs and evaluable patients of each level, lowest first.
    beliefs : dict of str to tuple of float
        What the rule's model believes of each level, by what it is; of pending patients just infused.
    decision : Decision
        The committee's; if somebody is pending, while they have just been infused.
    turns : tuple of (float, Decision)
        From which share of the window on, observed of every pending patient, the decision is another one.
    """

    path: str
    counts: tuple[tuple[int, int], ...]
    beliefs: dict[str, tuple[float, ...]]
    decision: Decision
    turns: tuple[tuple[float, Decision], ...] = ()

    @property
    def words(self) -> str:
        """The decision, and what it turns to, in words."""
        later = (f"; {_said(decision)} once {share:.0%} of each window is seen" for share, decision in self.turns)
        return _said(self.decision) + "".join(later)


def _said(decision: Decision) -> str:
    if decision.action is Action.STOP:
        dose = NO_DOSE if decision.level == NO_LEVEL else f"recommend level {decision.level + 1}"
        return f"stop, {dose}: {decision.reason}"
    if decision.action is Action.SUSPEND:
        return "suspend"
    why = f" ({decision.reason})" if decision.reason in NOT_THE_RULE else ""
    return f"{decision.action.words}: {decision.patients} at level {decision.level + 1}{why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextDoseTable:
    """What follows from each data cut of the next cohorts.

    Parameters
    ----------
    rule : str
        The rule with its options, in words.
    doses : tuple of str
        Labels of the dose levels.
    rows : tuple of NextDose
        Cohort by cohort, few DLTs first.
    """

    rule: str
    doses: tuple[str, ...]
    rows: tuple[NextDose, ...]

    def _plain(self) -> tuple[list[str], list[list[str]]]:
        names = list(self.rows[0].beliefs) if self.rows else []
        columns = [f"{name} {k}" for name in ("level", *names) for k in range(1, len(self.doses) + 1)]
        rows = [
            [
                row.path,
                *(f"{y}/{n}" for y, n in row.counts),
                *(f"{value:.3f}" for name in names for value in row.beliefs[name]),
                row.words,
            ]
            for row in self.rows
        ]
        return ["after", *columns, "decision"], rows

    def to_text(self) -> str:
        """Return the table as text for a terminal."""
        notes = [f"level {k}: {dose}" for k, dose in enumerate(self.doses, 1)]
        return text(f"Next dose by {self.rule}, DLTs/evaluable at each level", *self._plain(), notes)

    def to_csv(self) -> str:
        """Return the table as CSV."""
        heads, rows = self._plain()
        return csv_text([head.replace(" ", "_") for head in heads], rows)

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        return markdown(*self._plain())

    def to_html(self) -> str:
        """Return the table as an HTML fragment; each decision has its action as its class."""
        heads, rows = self._plain()
        classes = [[""] * (len(heads) - 2) + [row.decision.action.words] for row in self.rows]
        return html_table(self.rule, heads, rows, classes)

    def _repr_html_(self) -> str:
        return self.to_html()


def next_dose_table(
    scenario: Scenario, *, after: str = "", cohorts: int = 2, words: str | None = None
) -> NextDoseTable:
    """Ask the committee about every data cut of the next cohorts.

    Parameters
    ----------
    scenario : Scenario
        Rule, limits, stopping rules, cohort size and cap.
    after : str
        Dose path of the trial so far, as in ``1NNN 2NNT``; nobody treated where it is empty.
    cohorts : int
        How many cohorts ahead, at least 1.
    words : str, optional
        The rule with its options in words; its name where it is not given.

    Raises
    ------
    EscalateError
        If the dose path cannot be read, or there are more than `MOST_ROWS` data cuts.
    """
    asked = _Asked(scenario)
    rows: list[NextDose] = []
    front = [(after, _counts_after(scenario, after))]
    for ahead in range(cohorts + 1):
        following: list[tuple[str, Counts]] = []
        for path, counts in front:
            row = asked.row(path, counts)
            if path:
                rows.append(row)
            if row.decision.action not in (Action.STOP, Action.SUSPEND) and not any(counts.pending):
                following.extend(asked.outcomes(path, counts, row.decision))
        if len(rows) + len(following) * (ahead < cohorts) > MOST_ROWS:
            raise EscalateError(f"the table would have more than {MOST_ROWS:,} rows: ask for fewer cohorts ahead")
        front = following
    labels = tuple(level.label for level in scenario.dose_levels)
    return NextDoseTable(rule=words or scenario.rule.name, doses=labels, rows=tuple(rows))


class _Asked:
    """The committee of a scenario, asked about any data cut."""

    def __init__(self, scenario: Scenario) -> None:
        self.committee, self.rule = Committee(scenario), rule_for(scenario)
        self.most = scenario.trial.planned_patients

    def row(self, path: str, counts: Counts) -> NextDose:
        """Return what follows from a data cut."""
        beliefs = self.rule.beliefs(DataCut.gather([counts]))
        return NextDose(
            path=path,
            counts=tuple(zip(counts.dlts, counts.evaluable, strict=True)),
            beliefs={name: tuple(values[0].tolist()) for name, values in beliefs.items()},
            decision=self.decide(counts, 0),
            turns=tuple(self.turns(counts)),
        )

    def decide(self, counts: Counts, seen: int) -> Decision:
        """Return the decision when so much of every pending patient's window has been observed."""
        observed = tuple((level, seen) for level, c in enumerate(counts.pending) for _ in range(c))
        counts = counts._replace(seen=observed if self.rule.reads_followup else (), window_days=FINE)
        return self.committee.decide(counts, self.most - sum(counts.evaluable) - sum(counts.pending))

    def turns(self, counts: Counts) -> Iterator[tuple[float, Decision]]:
        """Yield from which shares of the window on the decision is another one, by halving."""
        start, end = 0, FINE
        while any(counts.pending) and not _same(self.decide(counts, start), self.decide(counts, end)):
            before, low, high = self.decide(counts, start), start, end
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _same(self.decide(counts, middle), before) else (low, middle)
            yield high / FINE, self.decide(counts, high)
            start = high

    def outcomes(self, path: str, counts: Counts, decision: Decision) -> Iterator[tuple[str, Counts]]:
        """Yield every outcome of the next cohort; for a rolling rule, with every number of patients pending."""
        size, level = decision.patients, decision.level
        for pending in range(size * self.rule.rolling + 1):
            for dlts in range(size - pending + 1):
                told = f"{path} {level + 1}{'N' * (size - dlts - pending)}{'T' * dlts}{'P' * pending}".strip()
                done = counts._replace(level=level, last=(size - pending, dlts)).completed(size - pending, dlts)
                waiting = (*(0,) * level, pending, *(0,) * (len(done.pending) - level - 1))
                yield told, done._replace(pending=waiting)


def _same(one: Decision, other: Decision) -> bool:
    return (one.action, one.level) == (other.action, other.level)


def _counts_after(scenario: Scenario, path: str) -> Counts:
    """Return the counts after a dose path in which everybody has an outcome."""
    nobody = (0,) * scenario.levels
    counts = Counts(scenario.safety.start_level - 1, nobody, nobody, nobody)
    for part in path.split():
        found = PATH.fullmatch(part)
        if found is None or int(found[1]) > scenario.levels:
            raise EscalateError(
                f"dose path {path!r}: {part!r} is not a level from 1 to {scenario.levels} followed by N (no DLT) and "
                "T (DLT), as in 1NNN 2NNT"
            )
        size, dlts = len(found[2]), found[2].count("T")
        counts = counts._replace(level=int(found[1]) - 1, last=(size, dlts)).completed(size, dlts)
    return counts
