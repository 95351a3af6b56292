"""Numbers of patients that a level can have when the committee decides: the columns of a table.

They are reached as the trial reaches them: a level is entered, stayed at, and after another level entered again, each
time with as many patients as the committee asks for, until nobody comes to it any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from ..words.data_cut import DataCut
from ..words.records import Action, BoolArray, Decisions, IntArray
from .asked import ROOM, Asked

Counts = tuple[int, int]
"""Patients at a level, and DLTs among them."""

MOST_COUNTS = 700
"""Where more different counts than that can occur, every number of patients up to the largest has a column."""


def most_at_a_level(asked: Asked) -> int:
    """Return the most patients that limits and cap leave a level."""
    planned = asked.scenario.trial.planned_patients
    return min(planned, asked.scenario.limits.most_per_level or planned)


def numbers_of_patients(asked: Asked, most: int) -> tuple[int, ...]:
    """Return every number of patients, up to `most`, on which the committee can have to decide about a level.

    All numbers up to the largest where patients who are not evaluable are not replaced.
    """
    reached: set[tuple[Counts, bool]] = set()
    front = {((0, 0), True)}  # counts, and whether the level is stayed at, or has been left before all had come
    early = asked.scenario.early_decision and not asked.rule.rolling
    while front and len(reached) <= MOST_COUNTS:
        following: set[tuple[Counts, bool]] = set()
        for (n, y), size in _entered(asked, sorted(front)):
            whole = [(n + size, y + z) for z in range(size + 1)]
            part = [(n + k, y + z, size - k) for k in range(1, size * early) for z in range(k + 1)]
            following |= {(counts, True) for counts in whole if counts[0] <= most}
            following |= {(counts, False) for counts in _left_early(asked, [some for some in part if some[0] <= most])}
        reached |= front
        front = following - reached
    found = sorted({n for (n, _), whole in reached if whole} - {0}) or [min(asked.scenario.safety.cohort_size, most)]
    if front:
        return tuple(range(1, most + 1))
    return tuple(found if asked.scenario.safety.fills_every_place else range(1, found[-1] + 1))


def _entered(asked: Asked, front: list[tuple[Counts, bool]]) -> Iterable[tuple[Counts, int]]:
    """Yield with how many patients a level with some counts is stayed at, or given again after another one."""
    n, y = np.array([counts for counts, _ in front]).T
    stayed_at = np.array([whole for _, whole in front])
    nobody = ((0, 0), True)
    found = {((0, 0), asked.committee.first(ROOM).patients)} if nobody in front else set()
    for level in sorted({0, min(1, asked.levels - 1), asked.levels - 1}):
        up, down = (n == 0), (n == 0) | ~stayed_at
        for cut in _of_the_level(asked, level, n, y) if n.any() else ():
            decided = asked.decide(cut)
            goes_on = decided.action != Action.STOP
            up |= goes_on & (decided.level > level)
            down |= goes_on & (decided.level < level)
            found |= _given(decided, level, stayed_at, front)
        for cut in _of_the_level_above(asked, level, n, y):
            found |= _given(asked.decide(cut), level, up, front)
        for cut in _of_the_level_below(asked, level, n, y):
            found |= _given(asked.decide(cut), level, down, front)
    return sorted(found)


def _given(
    decided: Decisions, level: int, where: BoolArray, front: list[tuple[Counts, bool]]
) -> set[tuple[Counts, int]]:
    """Return the counts of a level that is given next, and with how many patients."""
    here = where & (decided.action != Action.STOP) & (decided.level == level) & (decided.patients > 0)
    return {(front[row][0], int(decided.patients[row])) for row in np.flatnonzero(here).tolist()}


def _of_the_level(asked: Asked, level: int, n: IntArray, y: IntArray) -> Iterator[DataCut]:
    """Yield data cuts of a level with some counts, with all that can stand beside it."""
    for clean in _clean(asked):
        for above in sorted({0, asked.exceeded.get(level + 1, 0)}):
            yield _cut(asked, level, level, n, y, clean, above, above)


def _of_the_level_above(asked: Asked, level: int, n: IntArray, y: IntArray) -> Iterator[DataCut]:
    """Yield data cuts of the level above, which may be left for a level with some counts."""
    if level + 1 < asked.levels:
        exceeded = asked.exceeded.get(level + 1)
        some = [(m, 1) for m in asked.tried[:6]] + ([] if exceeded is None else [(exceeded, exceeded)])
        for m, dlts in some:
            yield _cut(asked, level + 1, level, n, y, asked.clean, m, dlts)


def _of_the_level_below(asked: Asked, level: int, n: IntArray, y: IntArray) -> Iterator[DataCut]:
    """Yield data cuts of the level below, which may be left for a level with some counts."""
    if level > 0:
        for clean in _clean(asked):
            yield _cut(asked, level - 1, level, n, y, clean, 0, 0)


def _clean(asked: Asked) -> list[int]:
    return [asked.clean] if asked.scenario.titration is None else [1, asked.clean]


def _cut(
    asked: Asked, at: int, level: int, n: IntArray, y: IntArray, clean: int, above: int, dlts_above: int
) -> DataCut:
    """Return data cuts taken at one level, with some counts at another, clean ones below it, and some above it."""
    index = np.arange(asked.levels)
    beneath, over = clean * (index < level), index == level + 1
    here = index == level
    return DataCut.of(
        np.full_like(n, at), np.outer(n, here) + beneath + above * over, np.outer(y, here) + dlts_above * over
    )


def _left_early(asked: Asked, counts: list[tuple[int, int, int]]) -> Iterable[Counts]:
    """Yield the counts on which a level is left although patients are still to come."""
    if not counts:
        return
    n, y, to_come = np.array(counts).T
    level = min(1, asked.levels - 1)
    cut = _cut(asked, level, level, n, y, asked.clean, 0, 0)
    may = np.flatnonzero(asked.committee.may_be_forced(cut, to_come))
    if may.size:
        forced = asked.committee.forced_many(cut.take(may), to_come[may])
        yield from ((int(n[row]), int(y[row])) for row in may[forced].tolist())
