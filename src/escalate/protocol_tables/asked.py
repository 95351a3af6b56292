"""The committee of a scenario, asked about counts at every level: what the letters of a table rest on.

A table is about the counts of one level, and a decision may read the others, too. So each question names what stands
beside the level: the levels below have been passed without a DLT, and nobody was treated above; or the level above is
never given again; or nobody has had more than one patient yet, as in a titration. What is left to totals, as the cap,
is not asked: it stands below the table, in words.

A cell that leads down is "never this level again" if the decision itself eliminates the level, or if from the level
below, whatever number of patients without a DLT it has, the rule would neither give the level nor recommend it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

import numpy as np

from ..committee.committee import Committee
from ..committee.protocol import ENDS
from ..rules import Rule
from ..rules.rolling_table import RollingTable
from ..rules.table import TableOfDecisions
from ..scenario.model import Scenario
from ..scenario.rules import RollingSix, ThreePlusThree
from ..words.data_cut import DataCut
from ..words.records import NO_LEVEL, Action, Decisions, FloatArray, IntArray
from .letters import (
    DE_ESCALATE,
    ESCALATE,
    STAY,
    STOP_ABOVE,
    STOP_BELOW,
    STOP_HERE,
    STOP_NO_DOSE,
    STOP_OPEN,
    SUSPEND,
    TOO_TOXIC,
    ordered,
    unless,
)

DOWN = (DE_ESCALATE, STOP_BELOW)
"""The letters that lead down, where the level may be given again."""

ROOM = 10**9
"""Patients that the cap leaves: as many as anybody could ask for."""

MOST_CLEAN = 60
"""Most patients without a DLT that a level below is tried with."""


class Beside(Enum):
    """What stands beside the level that is asked about."""

    TITRATION = "titration"
    USUAL = "usual"
    EXCEEDED = "exceeded"


@dataclass(frozen=True, slots=True)
class Place:
    """A level, from 0, and what stands beside it."""

    level: int
    beside: Beside = Beside.USUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Counts at a level, each of shape (B,).

    Parameters
    ----------
    n, y, pending : int arrays
        Evaluable patients, DLTs among them, and patients pending.
    followup : float array
        Shares of the window seen by the pending, added up.
    """

    n: IntArray
    y: IntArray
    pending: IntArray
    followup: FloatArray

    @classmethod
    def of(cls, n: IntArray, y: IntArray) -> Cells:
        """Return counts with nobody pending."""
        return cls(n=n, y=y, pending=np.zeros_like(n), followup=np.zeros(len(n)))

    def repeated(self, times: int) -> Cells:
        """Return the counts so many times, one after the other."""
        return Cells(**{name: np.tile(getattr(self, name), times) for name in Cells.__slots__})

    def take(self, rows: IntArray) -> Cells:
        """Return some of the counts, by their positions."""
        return Cells(**{name: getattr(self, name)[rows] for name in Cells.__slots__})

    def __len__(self) -> int:
        return len(self.n)


class Asked:
    """The committee of a scenario, with room under the cap, and without a limit to all patients together.

    Parameters
    ----------
    scenario : Scenario
        Rule, titration, limits, stopping rules and cohort size.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        stopping = scenario.stopping.model_copy(update={"most_patients": None})
        self.committee = Committee(scenario.model_copy(update={"stopping": stopping}))
        self.rule: Rule = self.committee.rule.rule
        self.levels = scenario.levels
        self._gone: dict[tuple[int, int | None], dict[tuple[int, int], bool]] = {}

    # What stands beside a level

    @cached_property
    def tried(self) -> list[int]:
        """Numbers of patients that a level beside is tried with."""
        if isinstance(self.rule, TableOfDecisions):
            return sorted(self.rule.letters)
        most = self.rule.most if isinstance(self.rule, RollingTable) else MOST_CLEAN
        return list(range(1, min(self.scenario.trial.planned_patients, most) + 1))

    @cached_property
    def clean(self) -> int:
        """Evaluable patients without a DLT at each level below: as many as it takes to go up from the lowest level."""
        size, most = self.scenario.safety.cohort_size, self.scenario.limits.most_per_level or ROOM
        n = np.array([n for n in self.tried if n >= size] or [self.tried[-1]])
        letters = self._letters(self.rule.decide(self._cut(0 * n, 0, Cells.of(n, 0 * n))), 0 * n)
        found = next((n for n, letter in zip(n.tolist(), letters, strict=True) if letter == ESCALATE), size)
        return int(min(found, most))

    @property
    def gone_words(self) -> str:
        """What the rule calls a level that is never given again: it exceeded the MTD, or it was eliminated."""
        declares_the_mtd = isinstance(self.scenario.rule, (ThreePlusThree, RollingSix))
        return "exceeded the MTD" if declares_the_mtd else "was eliminated"

    @cached_property
    def exceeded(self) -> dict[int, int]:
        """By level, fewest patients, all with a DLT, that end it for good; levels that never do are missing."""
        n, found = np.array(self.tried), {}
        cells = Cells.of(n, n)
        for level in range(1, self.levels):
            at = np.full(len(n), level)
            letters = self._letters(self.rule.decide(self._cut(at, self.clean, cells)), at)
            gone = [m for m, letter in zip(self.tried, self._with_never(letters, level, cells), strict=True)
                    if letter == TOO_TOXIC]  # fmt: skip
            if gone:
                found[level] = gone[0]
        return found

    @cached_property
    def places(self) -> list[Place]:
        """Every level with everything that can stand beside it, in the order of a table."""
        titration = self.scenario.titration
        last = 0 if titration is None else min(titration.last_level or self.levels, self.levels)
        return [
            *(Place(level, Beside.TITRATION) for level in range(last)),
            *(Place(level) for level in range(self.levels)),
            *(Place(level - 1, Beside.EXCEEDED) for level in sorted(self.exceeded)),
        ]

    # Questions

    def letters(self, place: Place, cells: Cells) -> list[str]:
        """Return the committee's letter for each of some counts at a place."""
        at = np.full(len(cells), place.level)
        below = 1 if place.beside is Beside.TITRATION else self.clean
        above = self.exceeded[place.level + 1] if place.beside is Beside.EXCEEDED else 0
        if not self.committee.rule.reads_last:
            return self._said(self._cut(at, below, cells, above), at, cells)
        rows, last = self._last_cohorts(cells)
        cut = self._cut(at[rows], below, cells.take(rows), above, last)
        said: list[set[str]] = [set() for _ in range(len(cells))]
        for row, letter in zip(rows.tolist(), self._said(cut, at[rows], cells.take(rows)), strict=True):
            said[row].add(letter)
        return [unless(*ordered(some)) if len(some) > 1 else next(iter(some)) for some in said]

    def rule_alone(self, cells: Cells) -> list[str]:
        """Return the letters of the rule by itself at the second of three levels, without what goes around it."""
        at = np.ones(len(cells), dtype=np.int64)
        letters = self._letters(self.rule.decide(self._cut(at, self.clean, cells, levels=3)), at)
        return self._with_never(letters, 1, cells, levels=3)

    def moves(self, place: Place, cells: Cells) -> IntArray:
        """Return by how many levels the committee moves from a place, 0 where it does not, shape (B,)."""
        at = np.full(len(cells), place.level)
        above = self.exceeded[place.level + 1] if place.beside is Beside.EXCEEDED else 0
        below = 1 if place.beside is Beside.TITRATION else self.clean
        decided = self.decide(self._cut(at, below, cells, above))
        return np.asarray(np.where(decided.action == Action.STOP, 0, decided.level - at))

    def decide(self, cut: DataCut) -> Decisions:
        """Return the committee's decisions, with room under the cap."""
        return self.committee.decide_many(cut, np.full(cut.level.shape, ROOM))

    def _said(self, cut: DataCut, at: IntArray, cells: Cells) -> list[str]:
        return self._with_never(self._letters(self.decide(cut), at), int(at[0]), cells)

    def _with_never(self, letters: list[str], level: int, cells: Cells, levels: int | None = None) -> list[str]:
        """Return the letters, with "never this level again" for those that lead down from it for good."""
        # At best nobody who is pending has a DLT.
        counts = list(zip((cells.n + cells.pending).tolist(), cells.y.tolist(), strict=True))
        down = [letter in DOWN for letter in letters]
        gone = self._never(level, {count for count, goes in zip(counts, down, strict=True) if goes}, levels)
        return [TOO_TOXIC if goes and gone[count] else letter
                for letter, goes, count in zip(letters, down, counts, strict=True)]  # fmt: skip

    def _never(
        self, level: int, counts: set[tuple[int, int]], levels: int | None = None
    ) -> dict[tuple[int, int], bool]:
        """Return whether the rule never gives or recommends a level again, by its evaluable patients and DLTs."""
        known = self._gone.setdefault((level, levels), {})
        new = sorted(counts - known.keys())
        if new:
            n, y = (np.repeat(part, len(self.tried)) for part in np.array(new).T)
            cut = self._cut(np.full_like(n, level), np.tile(self.tried, len(new)), Cells.of(n, y), levels=levels)
            from_below = DataCut.of(cut.level - 1, cut.evaluable, cut.dlts)
            decided = self.rule.decide(from_below)
            comes_back = decided.level >= level
            if self.rule.has_answer_at_cap:
                open_levels = decided.open_levels
                comes_back |= self.rule.recommend(replace(from_below, open_levels=open_levels)) >= level
            back = np.asarray(comes_back.reshape(len(new), -1).any(axis=1))
            known.update(zip(new, np.logical_not(back).tolist(), strict=True))
        return known

    def _letters(self, decided: Decisions, at: IntArray) -> list[str]:
        """Return the letters of decisions by themselves; a stop that is not the rule's leaves the dose open."""
        ends = [reason in ENDS and self.rule.has_answer_at_cap for reason in decided.reasons]
        steps, closes = (decided.level - at).tolist(), (decided.open_levels <= at).tolist()
        codes = zip(decided.action.tolist(), steps, decided.level.tolist(), decided.reason.tolist(), strict=True)
        letters = [_letter(Action(action), step, level, ends[reason]) for action, step, level, reason in codes]
        return [TOO_TOXIC if closed and letter in DOWN else letter
                for letter, closed in zip(letters, closes, strict=True)]  # fmt: skip

    def _last_cohorts(self, cells: Cells) -> tuple[IntArray, tuple[IntArray, IntArray]]:
        """Return every last cohort that counts can have: positions in the cells, and its patients and DLTs."""
        size, rolling = self.scenario.safety.cohort_size, self.rule.rolling
        found = []
        for row, (n, y) in enumerate(zip(cells.n.tolist(), cells.y.tolist(), strict=True)):
            whole = not rolling and n > 0 and n % size == 0 and self.scenario.safety.fills_every_place
            most = n if rolling or self.scenario.safety.replace_partial_dose == "at_once" else min(n, size)
            sizes = [size] if whole else range(0 if rolling else 1, most + 1)
            found += [(row, s, z) for s in sizes or [0] for z in range(max(0, y - (n - s)), min(s, y) + 1)]
        rows, patients, dlts = np.array(found).T
        return rows, (patients, dlts)

    def _cut(
        self, at: IntArray, below: int | IntArray, cells: Cells, above: int = 0,
        last: tuple[IntArray, IntArray] | None = None, levels: int | None = None,
    ) -> DataCut:  # fmt: skip
        """Return data cuts: so many clean patients at each level below, so many with a DLT at the one above."""
        index, here = np.arange(levels or self.levels), at[:, np.newaxis]
        beneath, upon, over = index < here, index == here, index == here + 1
        clean = np.broadcast_to(np.asarray(below), at.shape)[:, np.newaxis]
        n, y, pending, followup = (getattr(cells, name)[:, np.newaxis] for name in Cells.__slots__)
        return DataCut.of(
            at,
            beneath * clean + upon * n + over * above,
            upon * y + over * above,
            upon * pending,
            upon * followup,
            last_evaluable=None if last is None else last[0],
            last_dlts=None if last is None else last[1],
        )


def _letter(action: Action, step: int, level: int, ends: bool) -> str:
    if action is Action.STOP:
        if ends:
            return STOP_OPEN
        return STOP_NO_DOSE if level == NO_LEVEL else (STOP_HERE, STOP_ABOVE, STOP_BELOW)[(step > 0) - (step < 0)]
    if step < 0:
        return DE_ESCALATE  # suspending at a level below is down, too
    return SUSPEND if action is Action.SUSPEND else ESCALATE if step > 0 else STAY
