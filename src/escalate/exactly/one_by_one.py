"""What early decisions do to a recommendation, exactly: patients who come one at a time, against whole cohorts.

With early decisions a level is left as soon as it must be, and places of its cohort stay empty: all that can where each
patient's outcome is known before the next one is treated (the slowest accrual), none in whole cohorts, and something
between where patients come faster. Both ends are enumerated, so that what lies between them needs no simulation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..committee.committee import Committee
from ..errors import NotCoveredError
from ..nature.patients import dlt_probability_if_evaluable
from ..rules import ModelRule
from ..scenario.model import Scenario
from ..words.data_cut import DataCut
from ..words.distinct import distinct
from ..words.records import Action, BoolArray, Decisions, FloatArray, IntArray
from .enumeration import Exact, check_covered, exact

MOST_STATES = 40_000
"""A walk over more data cuts than this, at one step, is given up: it would take longer than simulating."""

_LEVEL, _LEFT, _LAST, _LAST_DLTS, _COUNTS = range(5)
"""Columns of the table of data cuts: level, open places of the cohort, its outcomes, its DLTs, then all counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Early:
    """Probabilities of each recommendation, of the slowest accrual and of whole cohorts.

    Parameters
    ----------
    one_by_one : tuple of float, length K + 1
        Where patients come one at a time and decisions come early: each dose level, lowest first, then no dose.
    whole_cohorts : tuple of float, length K + 1
        The same where whole cohorts are treated and observed.
    """

    one_by_one: tuple[float, ...]
    whole_cohorts: tuple[float, ...]


def early(scenario: Scenario) -> Early | None:
    """Compute what early decisions do to the recommendation of a scenario, at the most.

    Parameters
    ----------
    scenario : Scenario
        Whether its own decisions come early does not matter.

    Returns
    -------
    Early or None
        Exact to rounding; ``None`` where `escalate.exact` does not cover the scenario, or there are too many data cuts.
    """
    try:
        check_covered(scenario)
        whole = exact(scenario, MOST_STATES)
        found = _walk(scenario)
    except NotCoveredError:
        return None
    return Early(one_by_one=tuple(found.tolist()), whole_cohorts=(*whole.recommended, whole.no_dose))


def whole_cohorts(scenario: Scenario) -> Exact | None:
    """Return the exact values of a scenario with whole cohorts; ``None`` where there are none, or not in a second."""
    if isinstance(Committee(scenario).rule.rule, ModelRule):
        return None
    try:
        return exact(scenario, MOST_STATES)
    except NotCoveredError:
        return None


def _walk(scenario: Scenario) -> FloatArray:
    """Return the probability of each recommendation, no dose last, with each outcome known before the next patient."""
    committee, levels, most = Committee(scenario), scenario.levels, scenario.trial.planned_patients
    dlt_probability = np.array(dlt_probability_if_evaluable(scenario))
    table, chance = np.zeros((1, _COUNTS + 2 * levels), dtype=np.int64), np.ones(1)
    table[0, _LEVEL] = scenario.safety.start_level - 1
    found = np.zeros(levels + 1)
    while len(table):
        left = table[:, _LEFT].copy()
        cut = _cut(table, committee.rule.reads_last)
        decides = left == 0
        asked = np.flatnonzero(~decides & (table[:, _LAST] > 0))
        decides[asked] = is_forced(committee, cut.take(asked), left[asked])
        goes_on = np.ones(len(table), dtype=np.bool_)
        if decides.any():
            who = np.flatnonzero(decides)
            room = most - cut.evaluable.sum(axis=1)
            decided = committee.decide_many(cut.take(who), room[who], left[who])
            ends = decided.action == Action.STOP
            found += np.bincount(decided.level[ends] % (levels + 1), chance[who[ends]], levels + 1)
            _open(table, who, decided)
            goes_on[who[ends]] = False
        table, chance = _treat_one(table[goes_on], chance[goes_on], dlt_probability)
    return found


def _cut(table: IntArray, reads_last: bool) -> DataCut:
    levels = (table.shape[1] - _COUNTS) // 2
    n, y = table[:, _COUNTS : _COUNTS + levels], table[:, _COUNTS + levels :]
    last = [table[:, column] * reads_last for column in (_LAST, _LAST_DLTS)]
    return DataCut.of(table[:, _LEVEL], n, y, last_evaluable=last[0], last_dlts=last[1])


def is_forced(committee: Committee, cut: DataCut, outstanding: IntArray) -> BoolArray:
    """Return whether each level must be left, whatever is outstanding: `Committee.is_forced` for a batch."""
    forced = np.zeros(len(outstanding), dtype=np.bool_)
    if len(outstanding):
        may_be = np.flatnonzero(committee.may_be_forced(cut, outstanding))
        forced[may_be] = committee.forced_many(cut.take(may_be), outstanding[may_be])
    return forced


def _open(table: IntArray, who: IntArray, decided: Decisions) -> None:
    """Open the cohorts that were decided."""
    table[who, _LEVEL], table[who, _LEFT] = decided.level, decided.patients
    table[who, _LAST], table[who, _LAST_DLTS] = 0, 0


def _treat_one(table: IntArray, chance: FloatArray, dlt_probability: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the data cuts after the outcome of one more patient of each, equal ones merged."""
    levels, rows = len(dlt_probability), np.arange(len(table))
    p = dlt_probability[table[:, _LEVEL]]
    parts = []
    for dlt, weight in ((0, chance * (1 - p)), (1, chance * p)):
        after = table.copy()
        after[:, _LEFT] -= 1
        after[:, _LAST] += 1
        after[:, _LAST_DLTS] += dlt
        after[rows, _COUNTS + after[:, _LEVEL]] += 1
        after[rows, _COUNTS + levels + after[:, _LEVEL]] += dlt
        parts.append((after[weight > 0], weight[weight > 0]))
    unique, position = distinct(np.concatenate([part[0] for part in parts]))
    if len(unique) > MOST_STATES:
        raise NotCoveredError(f"more than {MOST_STATES:,} data cuts are possible at one step")
    return unique, np.bincount(position, np.concatenate([part[1] for part in parts]), len(unique)).astype(np.float64)
