"""The calendar's own arithmetic: the order of one day, and what lies ahead of an infused patient."""

from __future__ import annotations

from enum import IntEnum
from operator import itemgetter

from ..nature.patients import Fate
from ..scenario.schedule import Schedule


class Phase(IntEnum):
    """The order of one day: what each phase is for stands in the table of `escalate.trial.conduct`."""

    OUTCOMES = 0
    DATA_CUT = 1
    COMMITTEE = 2
    CANDIDATES = 3
    INFUSIONS = 4
    LYMPHODEPLETION = 5
    EVENING = 6


PHASES = len(Phase)
"""Phases of a day."""

OUTCOMES, DATA_CUT, COMMITTEE, CANDIDATES, INFUSIONS, LYMPHODEPLETION, EVENING = map(int, Phase)


_DAY_AND_PHASE = itemgetter(0, 1)


def stopped_on(fate: Fate) -> int:
    """Return the day from which a patient is given no more infusions [days after the first infusion]."""
    return min(fate.dlt_day, fate.drop_out_day)


def agenda(schedule: Schedule, follow_up_days: int, infusion_day: int, fate: Fate) -> list[tuple[int, int, str]]:
    """Return what will happen to an infused patient after the first infusion, in order.

    Parameters
    ----------
    schedule : Schedule
        Infusion days and window of the patient's level.
    follow_up_days : int
        From the first infusion to the last day of follow-up [days].
    infusion_day : int
        Day of the first infusion [days since the start date].
    fate : Fate
        What nature has drawn for the patient at this dose.

    Returns
    -------
    list of (int, int, str)
        Day [days since the start date], phase of the day, event.
    """
    window_end, last = schedule.window_end, min(fate.drop_out_day, follow_up_days)
    given = [day for day in schedule.infusion_days[1:] if day < stopped_on(fate)]
    visits = [(day, INFUSIONS, "infusion") for day in given]
    if fate.dlt_day <= last:
        visits.append((fate.dlt_day, OUTCOMES, "DLT" if fate.dlt_day <= window_end else "late toxicity"))
    if window_end <= last and not fate.dlt_day <= window_end:
        visits.append((window_end, OUTCOMES, "window completed"))
    visits.append((last, OUTCOMES, "drop-out" if fate.drop_out_day < follow_up_days else "follow-up completed"))
    visits.sort(key=_DAY_AND_PHASE)
    return [(infusion_day + day, EVENING if day == 0 else phase, event) for day, phase, event in visits]
