"""Whether early decisions change what is recommended, whatever the calendar.

Exact results are of whole cohorts. A decision that comes early finds places of its cohort empty, or their outcomes
still to come, and these leave room under the cap: what follows may be another trial. Here both trials are walked side
by side, the one with whole cohorts and the same patients with decisions as early as any calendar can make them: each
number of outcomes may be known when the level must be left, and the missing ones may count for the cap or not. One that
becomes known later is as if it had been known then: a level that must be left must be left with more known, too. Where
every pair decides alike, the recommendation is that of whole cohorts in each trial by itself, and its probabilities are
those of `exact`.
"""

from __future__ import annotations

import numpy as np

from ..committee.committee import Committee
from ..nature.patients import dlt_probability_if_evaluable
from ..results.no_dose import no_dose_codes
from ..scenario.model import Scenario
from ..words.data_cut import DataCut
from ..words.distinct import distinct
from ..words.records import Action, Decisions, IntArray
from .one_by_one import is_forced

_LEVEL, _PLACES, _OPEN, _COUNTS = range(4)
"""Columns of a table of pairs: level, places of the open cohort, open levels; then evaluable patients and DLTs of each
level in the trial with whole cohorts, and the same as known in the other one."""


def recommends_as_whole_cohorts(scenario: Scenario, most_rows: int) -> bool:
    """Return whether each trial of a scenario recommends what it would with whole cohorts, whenever decisions come.

    Parameters
    ----------
    scenario : Scenario
        Whose decisions come early, and which `exact` covers.
    most_rows : int
        Outcomes of a cohort that may be gone through, of all pairs together.

    Returns
    -------
    bool
        False also where that is not known: after so many of them; with a rule that recommends from whatever data there
        are, or reads the last cohort by itself.
    """
    committee = Committee(scenario)
    if committee.rule.has_answer_at_cap or committee.rule.reads_last:
        return False
    walk = _Walk(scenario, committee)
    pairs, left = walk.begin(), np.zeros(1, dtype=np.int64)
    while len(pairs):
        following = walk.decided(pairs, left)
        if following is None:
            return False
        most_rows -= _rows(following)
        if most_rows < 0:
            return False
        pairs, left = walk.treated(following)
    return True


def _rows(pairs: IntArray) -> int:
    """Return how many outcomes of the open cohorts are gone through: what is known of them, and what can come."""
    places = pairs[:, _PLACES]
    return int(((places + 1) * (places + 2) * (places + 3) // 6).sum())


class _Walk:
    """One step of all pairs."""

    def __init__(self, scenario: Scenario, committee: Committee) -> None:
        self.scenario, self.committee, self.levels = scenario, committee, scenario.levels
        p = np.array(dlt_probability_if_evaluable(scenario))
        self.always, self.never = p == 1, p == 0

    def begin(self) -> IntArray:
        """Return the pair before anybody is treated."""
        pair = np.zeros((1, _COUNTS + 4 * self.levels), dtype=np.int64)
        pair[0, _LEVEL], pair[0, _OPEN] = self.scenario.safety.start_level - 1, self.levels
        return pair

    def decided(self, pairs: IntArray, left: IntArray) -> IntArray | None:
        """Return the pairs that go on, with the cohort that was decided; ``None`` if one does not decide alike.

        Parameters
        ----------
        pairs : int array
            One for each row.
        left : int array
            Outcomes of the cohort that are not known where the decision comes early.
        """
        whole, known = self._cut(pairs, 0), self._cut(pairs, 1)
        cap = self.scenario.trial.planned_patients
        least, most = cap - whole.evaluable.sum(axis=1), cap - known.evaluable.sum(axis=1)
        asked = DataCut.of(
            np.tile(pairs[:, _LEVEL], 3),
            np.concatenate([whole.evaluable, known.evaluable, known.evaluable]),
            np.concatenate([whole.dlts, known.dlts, known.dlts]),
            open_levels=np.tile(pairs[:, _OPEN], 3),
        )
        found = self.committee.decide_many(
            asked, np.concatenate([least, least, most]), np.concatenate([np.zeros_like(left), left, left])
        )
        if not self._are_alike(found, asked):
            return None
        goes_on = found.action[: len(pairs)] != Action.STOP
        following = pairs[goes_on].copy()
        for column, values in ((_LEVEL, found.level), (_PLACES, found.patients), (_OPEN, found.open_levels)):
            following[:, column] = values[: len(pairs)][goes_on]
        return distinct(following)[0]

    def _are_alike(self, found: Decisions, asked: DataCut) -> bool:
        """Return whether the decisions on both of each pair are the same, however much room the cap leaves."""
        stops = found.action == Action.STOP
        level = np.where(stops, found.level, 0)
        why = no_dose_codes(level, found.reason, found.reasons, asked.evaluable.sum(axis=1), self.scenario.rule)
        places = np.where(stops, 0, found.patients)
        open_levels = np.where(stops, 0, found.open_levels)
        said = np.stack([found.action, found.level, places, open_levels, why], axis=1).reshape(3, -1, 5)
        return bool((said == said[0]).all())

    def treated(self, pairs: IntArray) -> tuple[IntArray, IntArray]:
        """Return the pairs after the open cohort of each, by what is known of it, and how many outcomes are not."""
        parts, left = [pairs[:0]], [np.zeros(0, dtype=np.int64)]
        for level, places in np.unique(pairs[:, [_LEVEL, _PLACES]], axis=0).tolist():
            here = pairs[(pairs[:, _LEVEL] == level) & (pairs[:, _PLACES] == places)]
            for known in range(places + 1):
                for dlts in range(known + 1):
                    for after in self._after(here, level, places, known, dlts):
                        parts.append(after)
                        left.append(np.full(len(after), places - known))
        rows, first = np.concatenate(parts), np.concatenate(left)
        unique = distinct(np.column_stack([rows, first]))[0]
        return unique[:, :-1], unique[:, -1]

    def _after(self, pairs: IntArray, level: int, places: int, known: int, dlts: int) -> list[IntArray]:
        """Return the pairs in which so much is known of a cohort when it is decided on, by all of its DLTs."""
        one = self._with_outcomes(pairs, 1, level, known, dlts)
        if known < places:
            missing = np.full(len(one), places - known)
            one = one[is_forced(self.committee, self._cut(one, 1), missing)]
        each = range(dlts, dlts + places - known + 1)
        return [self._with_outcomes(one, 0, level, places, y) for y in each if self._can_be(level, places, y)]

    def _can_be(self, level: int, places: int, dlts: int) -> bool:
        return (dlts == 0 or not self.never[level]) and (dlts == places or not self.always[level])

    def _with_outcomes(self, pairs: IntArray, which: int, level: int, patients: int, dlts: int) -> IntArray:
        after = pairs.copy()
        after[:, self._column(which, level)] += patients
        after[:, self._column(which, level) + self.levels] += dlts
        return after

    def _column(self, which: int, level: int) -> int:
        """Return where the patients of a level stand: of whole cohorts (0), or as known (1)."""
        return _COUNTS + 2 * which * self.levels + level

    def _cut(self, pairs: IntArray, which: int) -> DataCut:
        first = self._column(which, 0)
        n, y = (pairs[:, first + k * self.levels : first + (k + 1) * self.levels] for k in (0, 1))
        return DataCut.of(pairs[:, _LEVEL], n, y, open_levels=pairs[:, _OPEN])
