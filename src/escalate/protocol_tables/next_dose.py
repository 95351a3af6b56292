"""The next dose after every data cut that can be reached, for rules with a model of all doses together.

What such a rule says of one level depends on all of them, so that there is no table of n and y for it. Instead: from
the trial so far, every outcome of the next cohorts, with what the model then believes and the dose that follows. Dose
paths that lead to the same data share a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..committee.committee import Committee
from ..committee.protocol import NOT_THE_RULE
from ..errors import EscalateError, RuleError
from ..rules import rule_for
from ..scenario.model import Scenario
from ..scenario.rules import TiteCrm
from ..words.data_cut import Counts, DataCut
from ..words.records import NO_DOSE, NO_LEVEL, Action, Decision
from .layout import OfScenario, csv_text, html_table, markdown, text

MOST_ROWS = 2000
"""A table is refused that would have more rows."""

FINE = 10_000
"""Parts of the DLT window between which the turns of a decision are found."""

COARSE = 400
"""At steps of so many parts it is seen whether the decision turns at all."""

NOBODY = (0, 0)
"""A last cohort of which nothing is known."""

MOST_PATHS = 100
"""A row lists at most so many of the dose paths that lead there."""

Told = tuple[int, int, int]
"""A cohort of a dose path: level (from 0), patients, DLTs."""

PATH = re.compile(r"([1-9][0-9]*)([NT]+)")

LINEAR = (
    "Adaptive weights need the days on which DLTs came, which a dose path does not tell: pending patients are weighed "
    "linearly here"
)


@dataclass(frozen=True, slots=True)
class Ways:
    """The dose paths that lead to one data cut.

    Parameters
    ----------
    listed : tuple of str
        At most `MOST_PATHS` of them; DLTs (T) and, for a rolling rule, pending patients (P) of each new cohort are
        written last.
    more : int
        How many more there are.
    """

    listed: tuple[str, ...] = ()
    more: int = 0

    @property
    def short(self) -> str:
        """One or two paths; of more, the first and how many others there are."""
        others = len(self.listed) + self.more - 1
        return " or ".join(self.listed) if others < 2 else f"{self.listed[0]} or {others} others"

    @property
    def long(self) -> str:
        """All that are listed, and how many more there are."""
        return " or ".join([*self.listed, *([f"{self.more} others"] if self.more else [])])

    def then(self, cohort: str) -> Ways:
        """Return the same paths with one cohort more."""
        return Ways(tuple(f"{path} {cohort}".strip() for path in self.listed), self.more)

    def plus(self, others: Ways) -> Ways:
        """Return these paths and others."""
        listed = self.listed + others.listed
        return Ways(listed[:MOST_PATHS], self.more + others.more + len(listed[MOST_PATHS:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class NextDose:
    """What follows from one data cut.

    Parameters
    ----------
    ways : Ways
        The dose paths that lead there.
    cut : Counts
        The data cut; its last cohort is left out where no decision depends on it.
    beliefs : dict of str to tuple of float
        What the rule's model believes of each level, by what it is; of pending patients just infused.
    decision : Decision
        The committee's; if somebody is pending, while they have just been infused.
    turns : tuple of (float, Decision)
        From which share of the window on, observed of every pending patient, the decision is another one.
    """

    ways: Ways
    cut: Counts
    beliefs: dict[str, tuple[float, ...]]
    decision: Decision
    turns: tuple[tuple[float, Decision], ...] = ()

    @property
    def path(self) -> str:
        """The first dose path that leads there."""
        return self.ways.listed[0]

    @property
    def counts(self) -> tuple[tuple[int, int], ...]:
        """DLTs and evaluable patients of each level, lowest first."""
        return tuple(zip(self.cut.dlts, self.cut.evaluable, strict=True))

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
class NextDoseTable(OfScenario):
    """What follows from each data cut of the next cohorts.

    Parameters
    ----------
    rule : str
        The rule with its options, in words.
    doses : tuple of str
        Labels of the dose levels.
    rows : tuple of NextDose
        Cohort by cohort, few DLTs first; dose paths that lead to the same data cut share a row.
    assumed : tuple of str
        What the rule's model assumes, and what the table leaves out, line by line.
    """

    rule: str
    doses: tuple[str, ...]
    rows: tuple[NextDose, ...]
    assumed: tuple[str, ...] = ()

    @property
    def remarks(self) -> list[str]:
        """What the model assumes, and how a row is found that several dose paths share."""
        if not any(row.ways.listed[1:] for row in self.rows):
            return list(self.assumed)
        keys = ["DLTs/evaluable of every level", "the level of the last cohort"]
        keys += ["its outcomes"] if any(row.cut.last != NOBODY for row in self.rows) else []
        keys += ["who is pending"] if any(any(row.cut.pending) for row in self.rows) else []
        found = f"{', '.join(keys[:-1])} and {keys[-1]}"
        return [*self.assumed, f"Dose paths that lead to the same data share a row: yours is found by {found}"]

    def _plain(self) -> tuple[list[str], list[list[str]]]:
        names = list(self.rows[0].beliefs) if self.rows else []
        columns = [f"{name} {k}" for name in ("level", *names) for k in range(1, len(self.doses) + 1)]
        rows = [
            [
                row.ways.short,
                *(f"{y}/{n}" for y, n in row.counts),
                *(f"{value:z.3f}" for name in names for value in row.beliefs[name]),
                row.words,
            ]
            for row in self.rows
        ]
        return ["after", *columns, "decision"], rows

    def _notes(self) -> list[str]:
        return [*(f"level {k}: {dose}" for k, dose in enumerate(self.doses, 1)), *self.remarks]

    def to_text(self) -> str:
        """Return the table as text for a terminal, with the doses and remarks below."""
        return text(f"Next dose by {self.rule}, DLTs/evaluable at each level", *self._plain(), self._notes())

    def to_csv(self) -> str:
        """Return the table as CSV: one line for each data cut and, with patients pending, each decision on it.

        Columns: the dose paths that lead there; the last cohort's level, and where decisions depend on it its evaluable
        patients and DLTs; at each level evaluable patients, DLTs, pending patients, and what the model believes; the
        share of every pending patient's window from which the decision holds; and the decision, in the columns of
        `Trial.decisions`, with the number of the next patients.
        """
        lines = [line for row in self.rows for line in _lines(row)]
        return csv_text(list(lines[0]) if lines else [], [list(line.values()) for line in lines])

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        return markdown(*self._plain(), self._notes())

    def to_html(self) -> str:
        """Return the table as an HTML fragment; each decision has its action as its class."""
        heads, rows = self._plain()
        classes = [[""] * (len(heads) - 2) + [row.decision.action.words] for row in self.rows]
        return html_table(self.rule, heads, rows, classes, self._notes())

    def _repr_html_(self) -> str:
        return self.to_html()


def _lines(row: NextDose) -> Iterator[dict[str, object]]:
    """Yield the lines of a row in the CSV, by column."""
    cut, last = row.cut, row.cut.last if row.cut.last != NOBODY else ("", "")
    known: dict[str, object] = {"after": row.ways.long, "level": cut.level + 1}
    known |= dict(zip(("last_evaluable", "last_dlts"), last, strict=True))
    for name, numbers in (("evaluable", cut.evaluable), ("dlts", cut.dlts), ("pending", cut.pending)):
        known |= _by_level(name, numbers)
    for name, values in row.beliefs.items():
        known |= _by_level(name, [f"{value:z.6f}" for value in values])
    for share, decision in ((0.0, row.decision), *row.turns):
        yield {**known, "window_share_from": f"{share:.4f}", **_columns(decision)}


def _by_level(name: str, values: Iterable[object]) -> dict[str, object]:
    return {f"{name}_{level}": value for level, value in enumerate(values, 1)}


def _columns(decision: Decision) -> dict[str, object]:
    """Return a decision by the columns of the CSV."""
    level = "" if decision.level == NO_LEVEL else decision.level + 1
    stops = decision.action is Action.STOP
    return {
        "action": decision.action.words,
        "next_level": "" if stops else level,
        "patients": "" if stops else decision.patients,
        "recommended_level": level if stops else "",
        "reason": decision.reason,
    }


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
    reached: dict[Counts, Ways] = {}
    front = {asked.distinct(asked.after(_cohorts_of(scenario, after))): Ways((after,))}
    for _ in range(cohorts + 1):
        _add(reached, front.items())
        if len(reached) > MOST_ROWS:
            raise EscalateError(f"the table would have more than {MOST_ROWS:,} rows: ask for fewer cohorts ahead")
        following: dict[Counts, Ways] = {}
        for cut, ways in front.items():
            _add(following, ((reaches, ways.then(told)) for told, reaches in asked.outcomes(cut)))
        front = following
    return NextDoseTable(
        rule=words or scenario.rule.name,
        doses=tuple(level.label for level in scenario.dose_levels),
        rows=tuple(asked.row(cut, ways) for cut, ways in reached.items() if ways.listed != ("",)),
        assumed=tuple(asked.rule.assumed()) + ((LINEAR,) if _is_adaptive(scenario) else ()),
    )


def _add(reached: dict[Counts, Ways], ways: Iterable[tuple[Counts, Ways]]) -> None:
    """Add the ways to some data cuts to those that are known."""
    for cut, more in ways:
        reached[cut] = reached.get(cut, Ways()).plus(more)


def _is_adaptive(scenario: Scenario) -> bool:
    return isinstance(scenario.rule, TiteCrm) and scenario.rule.weights == "adaptive"


class _Asked:
    """The committee of a scenario, asked about any data cut."""

    def __init__(self, scenario: Scenario) -> None:
        self.committee, self.rule = Committee(scenario), rule_for(scenario)
        self.most, self.safety, self.levels = scenario.trial.planned_patients, scenario.safety, scenario.levels

    def after(self, cohorts: Iterable[Told]) -> Counts:
        """Return the counts after a trial's cohorts, and what the decisions on them have closed for good.

        On the last cohort the committee has not decided yet, unless it was cut short: by a decision, then.
        """
        nobody, missing = (0,) * self.levels, 0
        counts = Counts(self.safety.start_level - 1, nobody, nobody, nobody, open_levels=self.levels)
        decision = self._closing(counts, 0)
        for level, patients, dlts in cohorts:
            missing = (
                decision.patients if decision and decision.level == level else self.safety.cohort_size
            ) - patients
            counts = _closed(counts, decision)._replace(level=level, last=(patients, dlts)).completed(patients, dlts)
            decision = self._closing(counts, missing)
        return _closed(counts, decision) if missing > 0 else counts

    def _closing(self, counts: Counts, missing: int) -> Decision | None:
        """Return the decision on a cohort, forced if patients are missing and it can be; ``None`` if it closes nothing.

        A rule that has no answer closes nothing.
        """
        if not self.committee.rule.eliminates:
            return None
        early = missing > 0 and self.safety.early_decision and not self.rule.rolling
        try:
            forced = early and self.committee.is_forced(counts, missing)
            return self.committee.decide(counts, self._room(counts), missing if forced else 0)
        except RuleError:
            return None

    def distinct(self, counts: Counts) -> Counts:
        """Return a data cut without its last cohort, unless a decision can depend on it."""
        return counts if self.committee.rule.reads_last else counts._replace(last=NOBODY)

    def row(self, counts: Counts, ways: Ways) -> NextDose:
        """Return what follows from a data cut."""
        beliefs = self.rule.beliefs(DataCut.gather([counts]))
        return NextDose(
            ways=ways,
            cut=counts,
            beliefs={name: tuple(values[0].tolist()) for name, values in beliefs.items()},
            decision=self.decide(counts, 0),
            turns=tuple(self.turns(counts)),
        )

    def decide(self, counts: Counts, seen: int) -> Decision:
        """Return the decision when so much of every pending patient's window has been observed."""
        return self.committee.decide(self._observed(counts, seen), self._room(counts))

    def _observed(self, counts: Counts, seen: int) -> Counts:
        observed = tuple((level, seen) for level, c in enumerate(counts.pending) for _ in range(c))
        return counts._replace(seen=observed if self.rule.reads_followup else (), window_days=FINE)

    def _room(self, counts: Counts) -> int:
        return self.most - sum(counts.evaluable) - sum(counts.pending)

    def turns(self, counts: Counts) -> Iterator[tuple[float, Decision]]:
        """Yield from which shares of the window on the decision is another one: between coarse steps, by halving."""
        if not any(counts.pending):
            return
        steps = range(0, FINE + 1, COARSE)
        cut = DataCut.gather([self._observed(counts, seen) for seen in steps])
        decided = self.committee.decide_many(cut, np.full(len(steps), self._room(counts)))
        moves = zip(steps, decided.action.tolist(), decided.level.tolist(), strict=True)
        for (start, *before), (end, *after) in pairwise(moves):
            if before != after:
                yield from self._turns_between(counts, start, end)

    def _turns_between(self, counts: Counts, start: int, end: int) -> Iterator[tuple[float, Decision]]:
        while not _same(self.decide(counts, start), self.decide(counts, end)):
            before, low, high = self.decide(counts, start), start, end
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _same(self.decide(counts, middle), before) else (low, middle)
            yield high / FINE, self.decide(counts, high)
            start = high

    def outcomes(self, counts: Counts) -> Iterator[tuple[str, Counts]]:
        """Yield every outcome of the cohort that follows; for a rolling rule, with every number of patients pending.

        Nothing follows from a stop or a wait, nor where patients are pending.
        """
        decision = self.decide(counts, 0)
        if decision.action in (Action.STOP, Action.SUSPEND) or any(counts.pending):
            return
        size, level = decision.patients, decision.level
        for pending in range(size * self.rule.rolling + 1):
            for dlts in range(size - pending + 1):
                told = f"{level + 1}{'N' * (size - dlts - pending)}{'T' * dlts}{'P' * pending}"
                done = counts._replace(level=level, last=(size - pending, dlts), open_levels=decision.open_levels)
                done = done.completed(size - pending, dlts)
                waiting = (*(0,) * level, pending, *(0,) * (len(done.pending) - level - 1))
                yield told, self.distinct(done._replace(pending=waiting))


def _same(one: Decision, other: Decision) -> bool:
    return (one.action, one.level) == (other.action, other.level)


def _closed(counts: Counts, decision: Decision | None) -> Counts:
    """Return the counts without the levels that a decision, if there is one, has closed."""
    return counts if decision is None else counts._replace(open_levels=decision.open_levels)


def _cohorts_of(scenario: Scenario, path: str) -> Iterator[Told]:
    """Yield the cohorts of a dose path in which everybody has an outcome."""
    for part in path.split():
        found = PATH.fullmatch(part)
        if found is None or int(found[1]) > scenario.levels:
            raise EscalateError(
                f"dose path {path!r}: {part!r} is not a level from 1 to {scenario.levels} followed by N (no DLT) and "
                "T (DLT), as in 1NNN 2NNT"
            )
        yield int(found[1]) - 1, len(found[2]), found[2].count("T")
