"""One trial from day to day: the steps of `escalate.trial.conduct`, in their order, on whole numbers.

``p`` is the `Protocol`, ``w`` the trial's `Bench`, ``t`` the `Tables` on it. What happens to candidates and patients
stands in `patients`, what is decided in `cohorts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .bench import (
    ASKS,
    COHORTS_TIMED,
    DAY,
    DAYBREAK,
    DECISION,
    ENDED,
    EVENING,
    LEAVES_QUESTION,
    MORNING,
    NEEDS_CANDIDATES,
    NEVER,
    NIGHT,
    NO_LEVEL,
    NO_SEAT,
    NOT_KNOWN,
    RUNNING,
    STOP,
    WAITS,
    Bench,
    Protocol,
    Seats,
    Tables,
)
from .books import close_books, wait
from .cohorts import cut_data, decide, finish, look_at_outcomes, open_cohort
from .patients import (
    candidates_come,
    fill_places,
    infusions,
    may_ask_for_candidate,
    next_eligible_day,
    outcomes,
    those_without_patience_leave,
    those_without_place_leave,
)
from .places import treatment_day


def run_many(
    p: Protocol,
    seats: Seats,
    t: Tables,
    candidates: Sequence[Any],
    fates: Sequence[Any],
    tolerance: Sequence[Any],
    seat_of: list[int],
    todo: Sequence[int],
    codes: list[int],
    questions: list[list[int]],
    rows: list[list[int]],
    paths: list[list[int]],
    infusion_days: Sequence[int],
) -> None:
    """Run some trials of a chunk, and write down how each ended: with its books, or with its question.

    Parameters
    ----------
    candidates, fates, tolerance
        Of every trial of the chunk, as in `Tables`.
    seat_of : list of int
        The seat of every trial of the chunk, `NO_SEAT` for all, or for none of those that are to be run; one that has
        not ended keeps its seat.
    rows, paths
        Of every trial of the chunk, what `close_books` writes.
    todo : sequence of int
        Positions of the trials to be run.
    codes, questions
        How each of those ended, and its question.
    infusion_days : sequence of int
        Days of the infusions after the first one.
    """
    free = 0
    for place in range(len(todo)):
        trial = todo[place]
        is_new = seat_of[trial] == NO_SEAT
        seat = free if is_new else seat_of[trial]
        w = seats.benches[seat]
        t = Tables(
            candidates[trial],
            fates[trial],
            tolerance[trial],
            t.dlt_probability,
            seats.people[seat],
            seats.queues[seat],
            seats.seen[seat],
            t.question,
            t.alike,
            t.index,
            t.answers,
        )
        if is_new:
            begin(p, w)
        code = codes[place] = run_trial(p, w, t)
        if code in (ENDED, LEAVES_QUESTION):
            close_books(p, w, t, rows[trial], paths[trial], infusion_days)
        elif is_new:
            seat_of[trial] = seat
            free += 1
        if code == ASKS:
            copy(t.question, questions[place])
        elif code == LEAVES_QUESTION:  # nothing else reads any more what was seen
            t.seen[0], t.seen[1], t.seen[2] = w.left_to_ask, 0, w.reason
            copy(t.seen, questions[place])


def copy(numbers: Sequence[int], onto: list[int]) -> None:
    """Write numbers onto others."""
    for position in range(len(numbers)):
        onto[position] = numbers[position]


def run_trial(p: Protocol, w: Bench, t: Tables) -> int:
    """Run one trial on from where it is; return how the run ended, with the trial or its question on the bench."""
    w.code = RUNNING
    if w.next_eligible == NOT_KNOWN:
        w.next_eligible = next_eligible_day(p, w, t)
        if w.code != RUNNING:
            return w.code
    while True:
        if w.stage != NIGHT:
            one_day(p, w, t)
            if w.code != RUNNING:
                return w.code
        following = next_day(p, w, t)
        if following > p.max_days:
            break
        wait(p, w, following)
        w.today, w.stage = following, DAYBREAK
    last = t.candidates[len(t.candidates) - 1]
    if (last if last >= 0 else -1 - last) <= w.last_consent_day:
        w.code = NEEDS_CANDIDATES
    else:
        w.code = ENDED if w.left_to_ask == DECISION else LEAVES_QUESTION
    return w.code


def begin(p: Protocol, w: Bench) -> None:
    """Clear the bench, and open the first cohort."""
    w.today = w.last_day = 0
    w.stage, w.next_eligible = DAYBREAK, NOT_KNOWN
    w.candidate = w.queue_first = w.queue_end = w.withdrew = w.no_place = w.turned_away = 0
    w.evaluable_patients = w.enrolled = w.arrived = w.infused = w.on_the_way = w.windows = w.oldest_window = 0
    w.cohorts = w.open = w.held = w.expansion = w.rolling = 0
    w.calm, w.bad_news, w.evaluable_at_cut, w.left_to_ask = 0, 0, 0, DECISION
    w.news = w.since_outcomes = w.since_dlts = w.cut_forced = w.cut_outstanding = w.concluding = w.closed = 0
    w.check_day = w.meeting_day = w.wake_day = w.resume_day = w.outcome_day = NEVER
    w.dlt_known = w.last_outcome_day = w.ended_day = w.expansion_closed_day = w.closed_day = -1
    w.permitted, w.recommended, w.reason = p.start_level, NO_LEVEL, p.time_is_up
    w.last_consent_day = p.max_days
    for level in range(p.levels):
        w.evaluable[level] = w.dlts[level] = w.pending[level] = w.lymphodepleted[level] = w.replaced[level] = 0
        w.opened_day[level] = -1
    for position in range(WAITS):
        w.waits[position] = w.if_stops[position] = w.if_goes_on[position] = 0
    for cohort in range(COHORTS_TIMED):
        w.cohort_days[cohort] = -1
    if p.first_action == STOP:
        finish(p, w, p.first_level, p.first_reason, 0)
    else:
        open_cohort(p, w, p.first_level, p.first_patients, 0)


def one_day(p: Protocol, w: Bench, t: Tables) -> None:
    """Let today's phases pass, in their order, from the one on in which the trial was left."""
    if w.stage == DAYBREAK:
        if w.outcome_day == w.today:
            outcomes(p, w, t, MORNING)
        if w.resume_day == w.today:
            w.news = 1
        if w.check_day <= w.today:
            if w.open:
                look_at_outcomes(p, w, t)
                if w.code != RUNNING:
                    return
            w.check_day = NEVER
        if w.meeting_day == w.today:
            decide(p, w, t, 0)
            if w.code != RUNNING:
                return
        if not w.closed:
            those_without_patience_leave(p, w, t)
        w.stage = DAY
    if not w.closed:
        candidates_come(p, w, t)
        if w.code != RUNNING:
            return
    infusions(p, w, t)
    if w.queue_first < w.queue_end:
        give_places(p, w, t)
        if w.code != RUNNING:
            return
    if w.outcome_day == w.today:
        outcomes(p, w, t, EVENING)
    w.stage = NIGHT


def give_places(p: Protocol, w: Bench, t: Tables) -> None:
    """Give places to those who wait, in their order; ask a rolling rule for whoever is ready and has none."""
    looks = True
    while looks:
        w.wake_day = fill_places(p, w, t)
        if w.code != RUNNING:
            return
        looks = infusions(p, w, t)
        if w.wake_day == NEVER and may_ask_for_candidate(p, w):
            w.wake_day = treatment_day(p, w.today)
            if w.wake_day == w.today:
                cut_data(p, w, t, 0, 0)
                w.wake_day = NEVER
        if w.meeting_day == w.today:
            decide(p, w, t, 1)
            if w.code != RUNNING:
                return
            looks = True
        looks = looks and w.queue_first < w.queue_end
    those_without_place_leave(p, w, t)


def next_day(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the next day on which something happens that a decision can depend on."""
    day = w.meeting_day
    if w.check_day < day:
        day = w.check_day
    if w.today < w.resume_day < day:
        day = w.resume_day
    if w.arrived < w.enrolled and t.people[w.arrived].infusion_day < day:
        day = t.people[w.arrived].infusion_day
    if w.outcome_day < day:
        day = w.outcome_day
    if not w.closed:
        if w.next_eligible < day:
            day = w.next_eligible
        if w.queue_first < w.queue_end:
            if w.wake_day < day:
                day = w.wake_day
            if t.queue[w.queue_first] + p.patience_days < day:
                day = t.queue[w.queue_first] + p.patience_days
    return day
