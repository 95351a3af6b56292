"""What each day was waited for, and what is kept of a trial that has ended."""

from __future__ import annotations

from ..nature.streams import NEVER
from .bench import Bench, Numbers, Person, Protocol, Tables
from .codes import FULL, Outcome, State, Wait
from .places import room, stop_infusions


def wait(p: Protocol, w: Bench, days: int) -> None:
    """Write down what the trial waits for on so many days, as it stands; a reserved place is waited for like any."""
    if not w.open:
        w.waits[Wait.COMMITTEE if w.meeting_day != NEVER else Wait.FOLLOW_UP] += days
        return
    nobody = Wait.MANUFACTURE if FULL and w.making else Wait.PATIENTS
    for_place = w.wake_gate if w.ready else nobody
    for_outcome = Wait.LYMPHODEPLETION if w.cohort_lymphodepleted else Wait.WINDOWS
    if FULL and p.reserves and not w.on_the_way and not w.windows and (w.expansion or not w.concluding):
        for_outcome = for_place
    are_taken = w.taken >= w.places
    if w.held or (are_taken and not w.rolling) or room(p, w, w.permitted) <= 0:
        w.waits[for_outcome] += days
    elif are_taken:
        w.if_stops[for_outcome] += days
        w.if_goes_on[for_place] += days
    else:
        w.waits[for_place] += days


def no_doubt(w: Bench, stops: bool) -> None:
    """Add the days on which it was not known yet what the trial was waiting for."""
    for position in range(Wait.KINDS):
        w.waits[position] += w.if_stops[position] if stops else w.if_goes_on[position]
        w.if_stops[position] = w.if_goes_on[position] = 0


WAIT_COLUMN = 3
MILESTONE_COLUMN = WAIT_COLUMN + Wait.KINDS
MILESTONES_BESIDE_LEVELS = 7
"""First columns of what is kept of a trial; how many milestones there are, those of the levels aside."""

LETTERS = tuple(b"\0PNTXX\0")
"""The dose path's letter for each outcome."""

SPACE, ZERO = b" 0"


def close_books(p: Protocol, w: Bench, t: Tables, row: Numbers, path: Numbers) -> None:
    """Write what is kept of a trial that has ended.

    Parameters
    ----------
    row : sequence of int
        Recommended level, position of the reason, duration, `escalate.results.timeline.WAITS`, milestones, states, for
        each of `escalate.results.outcomes.PER_LEVEL` the levels, and days of the first cohorts.
    path : sequence of int
        Bytes of the dose path, 0 where it has ended.
    """
    for position in range(len(row)):
        row[position] = 0
    first = MILESTONE_COLUMN + p.levels + MILESTONES_BESIDE_LEVELS
    for patient in range(w.enrolled):
        row[first + patient_state(p, w, t.people[patient])] += 1
        count_patient(p, t.people[patient], row, first + State.KINDS)
    count_candidates(w, row, first)
    is_complete_trial = w.closed and w.reason != p.time_is_up and row[first + State.CUT_OFF] == 0
    end = w.last_day if is_complete_trial else p.max_days
    wait(p, w, end - w.today)
    no_doubt(w, False)
    for level in range(p.levels):
        row[first + State.KINDS + 5 * p.levels + level] = w.replaced[level]
    behind = first + State.KINDS + 6 * p.levels
    if FULL and p.sites:
        for patient in range(w.enrolled):
            row[behind + t.people[patient].site] += 1
        behind += p.sites
    for position in range(behind, len(row)):
        row[position] = w.cohort_days[position - behind]
    row[0], row[1], row[2] = w.recommended, w.reason, end
    for position in range(Wait.KINDS):
        row[WAIT_COLUMN + position] = w.waits[position]
    milestones(p, w, t, row, end if is_complete_trial else -1)
    write_path(w, t, path)


def patient_state(p: Protocol, w: Bench, person: Person) -> int:
    """Return the state in which a patient ends."""
    if person.outcome == Outcome.NOT_YET:
        return State.CUT_OFF
    if person.outcome == Outcome.NOT_INFUSED:
        return State.NOT_INFUSED
    drops_out = person.drop_out_day < p.follow_up_days
    left = person.infusion_day + (person.drop_out_day if drops_out else p.follow_up_days)
    if left > p.max_days:
        return State.CUT_OFF
    if left > w.last_day:
        w.last_day = left
    return State.DROPPED_OUT if drops_out else State.COMPLETED


def count_patient(p: Protocol, person: Person, row: Numbers, first: int) -> None:
    """Count a patient at the level: infused, evaluable, with a DLT, non-evaluable, not infused."""
    outcome, column = person.outcome, first + person.level
    if outcome == Outcome.NOT_INFUSED:
        row[column + 4 * p.levels] += 1
    elif outcome != Outcome.NOT_YET:
        row[column] += 1
        if outcome in (Outcome.DLT, Outcome.NO_DLT):
            row[column + p.levels] += 1
        if outcome == Outcome.DLT:
            row[column + 2 * p.levels] += 1
        if outcome in (Outcome.NON_EVALUABLE, Outcome.LEFT_IN_WINDOW):
            row[column + 3 * p.levels] += 1


def count_candidates(w: Bench, row: Numbers, first: int) -> None:
    """Count the states of those who were never enrolled."""
    row[first + State.NOT_CONSENTED] += w.not_consented
    row[first + State.NO_PRODUCT] += w.no_product
    row[first + State.WITHDREW] += w.withdrew
    row[first + State.NO_PLACE] += w.no_place
    row[first + State.TURNED_AWAY] += w.turned_away
    row[first + State.CUT_OFF] += w.ready
    row[first + (State.TURNED_AWAY if w.closed else State.CUT_OFF)] += w.in_screening
    row[first + State.SCREEN_FAILURE] += w.screen_failures


def milestones(p: Protocol, w: Bench, t: Tables, row: Numbers, ended: int) -> None:
    """Write the days of the milestones, -1 for what never came."""
    first_infusion, last_infusion = -1, -1
    for patient in range(w.enrolled):
        person = t.people[patient]
        if person.outcome in (Outcome.NOT_YET, Outcome.NOT_INFUSED):
            continue
        if first_infusion < 0 or person.infusion_day < first_infusion:
            first_infusion = person.infusion_day
        stopped = person.dlt_day if person.dlt_day < person.drop_out_day else person.drop_out_day
        if FULL and p.withholds_later:
            if person.outcome == Outcome.PENDING:
                stop_infusions(p, w, t, person, p.max_days + 1)
            if person.stopped_day - person.infusion_day < stopped:
                stopped = person.stopped_day - person.infusion_day
        if person.infusion_day > last_infusion:
            last_infusion = person.infusion_day
        for number in range(1, p.infusions[person.level]):
            after = t.infusion_days[person.level][number]
            day = person.infusion_day + after
            if after < stopped and day <= p.max_days and day > last_infusion:
                last_infusion = day
    row[MILESTONE_COLUMN] = first_infusion
    for level in range(p.levels):
        row[MILESTONE_COLUMN + 1 + level] = w.opened_day[level]
    last = MILESTONE_COLUMN + p.levels + 1
    row[last], row[last + 1], row[last + 2] = last_infusion, w.last_outcome_day, w.ended_day
    row[last + 3], row[last + 4], row[last + 5] = w.expansion_closed_day, w.closed_day, ended


def write_path(w: Bench, t: Tables, path: Numbers) -> None:
    """Write the dose path as bytes: for each cohort with infused patients its level, then a letter for each."""
    position, cohort = 0, 0
    for patient in range(w.enrolled):
        person = t.people[patient]
        letter = LETTERS[person.outcome]
        if not letter:
            continue
        if person.cohort != cohort:
            cohort, level = person.cohort, person.level + 1
            if position:
                path[position] = SPACE
                position += 1
            if level > 9:
                path[position] = ZERO + level // 10
                position += 1
            path[position] = ZERO + level % 10
            position += 1
        path[position] = letter
        position += 1
    for rest in range(position, len(path)):
        path[rest] = 0
