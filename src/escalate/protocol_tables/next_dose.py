"""The next dose after every data cut that can be reached, for rules with a model of all doses together.

What such a rule says of one level depends on all of them, so that there is no table of n and y for it. Instead: from
the trial so far, every outcome of the next cohorts, with what the model then believes and the dose that follows. Dose
paths that lead to the same data share a row.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..committee.walk import Reached, said
from ..errors import EscalateError
from ..scenario.model import Scenario
from ..words.csv_text import csv_text
from ..words.data_cut import Counts
from ..words.dose_path import read_path, write_path
from ..words.records import NO_LEVEL, Action, Decision
from .answer import Answer, answer_after
from .asking import NOBODY, Asked, is_adaptive
from .layout import OfScenario, frame, html_table, markdown, text

MOST_ROWS = 2000
"""A table is refused that would have more rows."""

NO_DATA = "no data"
"""What stands in the place of a dose path before anybody was treated."""

MOST_PATHS = 100
"""A row lists at most so many of the dose paths that lead there."""

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
        if self.listed == ("",):
            return NO_DATA
        return " or ".join(self.listed) if others < 2 else f"{self.listed[0]} or {others} others"

    @property
    def long(self) -> str:
        """All that are listed, and how many more there are."""
        if self.listed == ("",):
            return NO_DATA
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
        What the rule's model believes of each level, by what it is; pending patients of whom the path tells no days
        have just been infused.
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
        later = (f"; {said(decision)} once {share:.0%} of each window is seen" for share, decision in self.turns)
        first = said(self.decision)
        if self.ways.listed == ("",):
            first = first.replace("stay: ", "start: ", 1)  # nobody has been treated who could stay
        return first + "".join(later)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
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
        What the rule's model assumes, how far ahead the table goes, and what it leaves out, line by line.
    answer : Answer or None
        What holds after the dose path that the table goes on from; ``None`` where it begins with nobody treated.
    """

    rule: str
    doses: tuple[str, ...]
    rows: tuple[NextDose, ...]
    assumed: tuple[str, ...] = ()
    answer: Answer | None = None

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
        title = f"Next dose by {self.rule}, DLTs/evaluable at each level"
        above = [*self._answer(), ""] if self.answer else []
        return "\n".join([*above, text(title, *self._plain(), self._notes())])

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
        above = [f"- {line}" if line[0] != " " else f"  - {line.strip()}" for line in self._answer()]
        return "\n".join([*above, *([""] if above else []), markdown(*self._plain(), self._notes())])

    def to_html(self) -> str:
        """Return the table as an HTML fragment; each decision has its action as its class."""
        heads, rows = self._plain()
        classes = [[""] * (len(heads) - 2) + [row.decision.action.words] for row in self.rows]
        above = "".join(f"<li>{html.escape(line.strip())}</li>" for line in self._answer())
        table = html_table(self.rule, heads, rows, classes, self._notes())
        return f"<ul>{above}</ul>{table}" if above else table

    def _answer(self) -> list[str]:
        return self.answer.lines(self.doses) if self.answer else []

    def to_pandas(self) -> Any:
        """Return the rows as a pandas ``DataFrame`` (needs pandas, which the extra ``notebooks`` installs)."""
        return frame(self.to_csv())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.rule}: {len(self.rows)} data cuts>"

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
    scenario: Scenario, *, after: str = "", cohorts: int | None = None, words: str | None = None
) -> NextDoseTable:
    """Ask the committee about every data cut of the next cohorts.

    Parameters
    ----------
    scenario : Scenario
        Rule, limits, stopping rules, cohort size and cap.
    after : str
        Dose path of the trial so far, as in ``1NNN 2NTP17`` (`escalate.words.dose_path`); nobody treated where it is
        empty.
    cohorts : int, optional
        How many cohorts ahead, at least 1; outcomes that are missing in the path are the first. Where it is not given,
        1 with such outcomes, 2 without.
    words : str, optional
        The rule with its options in words; its name where it is not given.

    Raises
    ------
    PathError
        If the dose path cannot be read.
    EscalateError
        If there are more than `MOST_ROWS` data cuts.
    """
    asked = Asked(scenario)
    reached = asked.walk(read_path(after, scenario.levels, scenario.windows))
    path, start, due = write_path(reached.cohorts), asked.distinct(reached.counts), asked.due(reached)
    rows = [_row(asked, start, Ways((path,)), due)] if due and (path or asked.model) else []
    missing = reached.waits or (asked.rule.rolling and any(start.pending))
    known: dict[Counts, Ways] = {}
    front = _first(asked, reached, Ways((path,)), due)
    ahead = cohorts or (1 if missing else 2)
    for _ in range(ahead):
        _add(known, front.items())
        if len(known) > MOST_ROWS:
            raise EscalateError(f"the table would have more than {MOST_ROWS:,} rows: ask for fewer cohorts ahead")
        following: dict[Counts, Ways] = {}
        for cut, ways in front.items():
            _add(following, ((reaches, ways.then(told)) for told, reaches in asked.outcomes(cut)))
        front = following
    return NextDoseTable(
        rule=words or scenario.rule.name,
        doses=tuple(level.label for level in scenario.dose_levels),
        rows=(*rows, *(_row(asked, cut, ways) for cut, ways in known.items())),
        assumed=(
            *(asked.model.assumed() if asked.model else ()),
            *((LINEAR,) if is_adaptive(scenario) else ()),
            *((_how_far(ahead),) if front else ()),
        ),
        answer=answer_after(asked, reached) if path else None,
    )


def _how_far(ahead: int) -> str:
    """Return that trials go on after the last rows, and how a table that goes further is asked for."""
    so_far = "1 cohort" if ahead == 1 else f"{ahead} cohorts"
    return f"The table goes {so_far} ahead; the trial goes on: --cohorts {ahead + 1} (in Python: cohorts) goes further"


def _first(asked: Asked, reached: Reached, ways: Ways, due: Decision | None) -> dict[Counts, Ways]:
    """Return the data cuts that come next: when the missing outcomes are known, or after the next cohort."""
    found: dict[Counts, Ways] = {}
    if reached.ended is not None:
        return found
    if due is None or (asked.rule.rolling and any(reached.counts.pending)):
        _add(found, ((cut, Ways((path,))) for _, path, cut in asked.completions(reached)))
    else:
        start = asked.distinct(reached.counts)
        _add(found, ((cut, ways.then(told)) for told, cut in asked.outcomes(start, due)))
    return found


def _add(reached: dict[Counts, Ways], ways: Iterable[tuple[Counts, Ways]]) -> None:
    """Add the ways to some data cuts to those that are known."""
    for cut, more in ways:
        reached[cut] = reached.get(cut, Ways()).plus(more)


def _row(asked: Asked, counts: Counts, ways: Ways, due: Decision | None = None) -> NextDose:
    """Return what follows from a data cut: the decision that is due on it, or that on the data cut by itself."""
    return NextDose(
        ways=ways,
        cut=counts,
        beliefs=asked.beliefs(counts),
        decision=due or asked.decide(counts, 0),
        turns=tuple(asked.turns(counts)),
    )
