"""One trial from day to day: the steps of `escalate.trial.conduct`, in their order, on whole numbers.

``p`` is the `Protocol`, ``w`` the trial's `Bench`, ``t`` the `Tables` on it. What happens to candidates stands in
`candidates`, to patients in `patients`, what is decided in `cohorts`.
"""

from __future__ import annotations

from ..nature.streams import NEVER
from ..results.outcomes import COHORTS_TIMED
from ..words.records import NO_LEVEL, Action
from .bench import Bench, Numbers, Protocol, Row, Seats, Tables
from .books import close_books, wait
from .candidates import (
    candidates_come,
    count_screening,
    draws_more,
    next_eligible_day,
    patience_ends,
    somebody_consented_after,
    those_without_patience_leave,
    those_without_place_leave,
)
from .codes import FULL, NO_SEAT, NOT_KNOWN, Ask, Phase, Run, Stage, Wait
from .cohorts import cut_data, finish, look_at_outcomes, meet, open_cohort
from .drawn import draw_candidates
from .one_by_one import (
    all_come,
    count_who_is_here,
    let_consent,
    may_ask_at_consent,
    new_ones_wait_or_go,
    next_day_of_candidates,
    next_to_come,
    referred_wait_or_go,
)
from .patients import fill_places, infusions, may_ask_for_candidate, outcomes
from .places import by_unit, can_give_place
from .questions import write_known_alone


def run_many(
    p: Protocol,
    first: int,
    seats: Seats,
    t: Tables,
    candidates: Row[Numbers],
    ways: Row[Row[Numbers]],
    words: Row[Row[Row[int]]],
    batch_fails: Row[Row[int]],
    seat_of: Numbers,
    todo: Row[int],
    codes: Numbers,
    questions: Row[Numbers],
    rows: Row[Numbers],
    paths: Row[Numbers],
) -> None:
    """Run some trials of a chunk, and write down how each ended: with its books, or with its question.

    Parameters
    ----------
    first : int
        Number of the chunk's first trial.
    candidates, ways, words, batch_fails
        Of every trial of the chunk, as in `Tables`; a trial that needed candidates goes on with those on new pages.
    seat_of : sequence of int
        The seat of every trial of the chunk, `NO_SEAT` for all, or for none of those that are to be run; one that has
        not ended keeps its seat.
    rows, paths
        Of every trial of the chunk, what `close_books` writes.
    todo : sequence of int
        Positions of the trials to be run.
    codes, questions
        How each of those ended, and its question.
    """
    free = 0
    for place in range(len(todo)):
        trial = todo[place]
        is_new = seat_of[trial] == NO_SEAT
        seat = free if is_new else seat_of[trial]
        w = seats.benches[seat]
        t = Tables(
            seats.candidates[seat] if p.draws_candidates else candidates[trial],
            seats.ways[seat] if p.draws_candidates else ways[trial],
            seats.clocks[seat],
            t.screening_days,
            t.consent_opens,
            t.results_open,
            seats.here[seat],
            words[trial],
            t.patient_key,
            t.candidate_key,
            t.gap_days,
            t.rests,
            t.screening_until,
            t.what_if,
            t.probability,
            t.onset_until,
            t.drop_out_until,
            t.dlt_probability,
            t.open_days,
            t.infusion_days,
            t.release_days,
            batch_fails[trial],
            seats.people[seat],
            seats.queues[seat],
            seats.seen[seat],
            t.question,
            t.alike,
            t.asked,
            t.answers,
        )
        if is_new:
            begin(p, w, t, first + trial)
        code = codes[place] = run_trial(p, w, t)
        if code in (Run.ENDED, Run.LEAVES_QUESTION):
            close_books(p, w, t, rows[trial], paths[trial])
        elif is_new:
            seat_of[trial] = seat
            free += 1
        if code == Run.ASKS:
            copy(t.question, questions[place])
        elif code == Run.LEAVES_QUESTION:  # nothing else reads any more what was seen
            t.seen[0], t.seen[1], t.seen[2] = w.left_to_ask, 0, w.reason
            copy(t.seen, questions[place])


def copy(numbers: Row[int], onto: Numbers) -> None:
    """Write numbers onto others."""
    for position in range(len(numbers)):
        onto[position] = numbers[position]


def run_trial(p: Protocol, w: Bench, t: Tables) -> int:
    """Run one trial on from where it is; return how the run ended, with the trial or its question on the bench."""
    if w.code == Run.NEEDS_CANDIDATES:
        w.candidate = 0
    w.code = Run.GOES_ON
    run_days(p, w, t)
    if FULL and p.one_by_one:
        if w.code == Run.GOES_ON:
            count_who_is_here(w, t)
    else:
        while w.code == Run.GOES_ON and somebody_consented_after(w, t):
            if not draws_more(p, w, t):
                w.code = Run.NEEDS_CANDIDATES
        if w.code in (Run.GOES_ON, Run.NEEDS_CANDIDATES):
            count_screening(p, w, t)
    if w.code == Run.GOES_ON:
        if w.left_to_ask == Ask.DECISION and w.reason == p.time_is_up:
            w.left_to_ask = Ask.TIME_UP
            write_known_alone(p, w, t)
        w.code = Run.ENDED if w.left_to_ask == Ask.DECISION else Run.LEAVES_QUESTION
    return w.code


def run_days(p: Protocol, w: Bench, t: Tables) -> None:
    """Let day after day pass, until nothing more happens or something is missing."""
    if w.next_eligible == NOT_KNOWN:
        w.next_eligible = next_to_come(p, w, t) if FULL and p.one_by_one else next_eligible_day(p, w, t)
    while w.code == Run.GOES_ON:
        if w.stage != Stage.NIGHT:
            one_day(p, w, t)
            if w.code != Run.GOES_ON:
                return
        following = next_day(p, w, t)
        if w.code != Run.GOES_ON:
            return
        if following > p.max_days:
            if w.outcome_day <= p.max_days:
                outcomes(p, w, t, p.max_days, Phase.MORNING)
            return
        wait(p, w, following - w.today)
        w.today, w.stage = following, Stage.DAYBREAK


def begin(p: Protocol, w: Bench, t: Tables, replicate: int) -> None:
    """Clear the bench for a trial, and open the first cohort."""
    w.replicate = replicate
    w.today = w.last_day = 0
    w.code, w.stage, w.next_eligible = Run.GOES_ON, Stage.DAYBREAK, NOT_KNOWN
    w.candidate = w.ready = w.newcomers = w.queue_first = w.queue_end = 0
    w.screen_failures = w.in_screening = w.withdrew = w.no_place = w.turned_away = 0
    w.not_consented = w.no_product = w.making = w.here = w.reserved = w.kept_back = 0
    w.evaluable_patients = w.enrolled = w.arrived = w.infused = w.on_the_way = w.windows = w.oldest_window = 0
    w.placeless = 0
    w.cohorts = w.open = w.held = w.expansion = w.rolling = 0
    w.calm, w.bad_news, w.evaluable_at_cut, w.left_to_ask = 0, 0, 0, Ask.DECISION
    w.news = w.since_outcomes = w.since_dlts = w.cut_forced = w.cut_outstanding = w.concluding = w.closed = 0
    w.check_day = w.meeting_day = w.wake_day = w.resume_day = w.infusion_day = w.outcome_day = w.turn_day = NEVER
    w.last_settle_day = 0
    w.dlt_known = w.last_outcome_day = w.ended_day = w.expansion_closed_day = w.closed_day = -1
    w.permitted, w.recommended, w.reason = p.start_level, NO_LEVEL, p.time_is_up
    w.standing_since = 0
    w.open_levels, w.expands_at, w.calls, w.assigns = p.levels, NO_LEVEL, 0, 0
    w.last_consent_day = p.max_days
    w.wake_gate = Wait.STAGGER
    for level in range(p.levels):
        w.evaluable[level] = w.dlts[level] = w.pending[level] = w.lymphodepleted[level] = 0
        w.to_be_infused[level] = w.replaced[level] = 0
        w.opened_day[level] = -1
    for position in range(Wait.KINDS):
        w.waits[position] = w.if_stops[position] = w.if_goes_on[position] = 0
    for cohort in range(COHORTS_TIMED):
        w.cohort_days[cohort] = -1
    if p.draws_candidates:
        t.clock[0], w.passed_candidates = 0.0, -len(t.candidates)
        draw_candidates(p, w, t)
    if p.first_action == Action.STOP:
        finish(p, w, t, p.first_level, p.first_reason, 0)
    else:
        open_cohort(p, w, p.first_level, p.first_patients, 0)


def one_day(p: Protocol, w: Bench, t: Tables) -> None:
    """Let today's phases pass, in their order, from the one on in which the trial was left."""
    if w.stage == Stage.DAYBREAK:
        if w.outcome_day <= w.today:
            outcomes(p, w, t, w.today, Phase.MORNING)
        if w.resume_day == w.today:
            w.news = 1
        if w.check_day <= w.today:
            if w.open:
                look_at_outcomes(p, w, t)
                if w.code != Run.GOES_ON:
                    return
            w.check_day = NEVER
        if committee_is_due(w):
            meet(p, w, t, 0)
            if w.code != Run.GOES_ON:
                return
        if w.queue_first < w.queue_end:
            those_without_patience_leave(p, w, t)
        w.stage = Stage.DAY
    if w.stage == Stage.DAY and not w.closed:
        if FULL and p.one_by_one:
            all_come(p, w, t)
        elif w.next_eligible == w.today:
            candidates_come(p, w, t)
        if w.code != Run.GOES_ON:
            return
        w.stage = Stage.CONSENTS
    if FULL and p.one_by_one and w.stage == Stage.CONSENTS:
        give_consents(p, w, t)
        if w.code != Run.GOES_ON:
            return
    w.stage = Stage.PLACES
    if w.infusion_day == w.today:
        infusions(p, w, t)
    if w.ready:
        give_places(p, w, t)
        if w.code != Run.GOES_ON:
            return
    if w.outcome_day == w.today:
        outcomes(p, w, t, w.today, Phase.EVENING)
    w.stage = Stage.NIGHT


def committee_is_due(w: Bench) -> bool:
    """Return whether the committee meets today, is to be called, or has an expansion to open."""
    return w.meeting_day == w.today or w.calls == 1 or w.expands_at != NO_LEVEL


def give_consents(p: Protocol, w: Bench, t: Tables) -> None:
    """Let consent who has come and waits for that; ask a rolling rule for somebody for whom no place is free."""
    looks = p.screening_waits == 1
    while looks:
        if committee_is_due(w):
            meet(p, w, t, 0)
            if w.code != Run.GOES_ON:
                return
        let_consent(p, w, t)
        if w.code != Run.GOES_ON:
            return
        looks = may_ask_at_consent(p, w, t)
        if looks:
            cut_data(p, w, t, 0, 0, 0)
    referred_wait_or_go(p, w, t)


def give_places(p: Protocol, w: Bench, t: Tables) -> None:
    """Give places to those who wait, in their order; ask a rolling rule for whoever is ready and has none."""
    looks = True
    while looks:
        w.wake_day = fill_places(p, w, t)
        if w.code != Run.GOES_ON:
            return
        looks = w.infusion_day == w.today and infusions(p, w, t)
        if w.wake_day == NEVER and may_ask_for_candidate(p, w):
            if by_unit(p, w, t) == w.today:
                cut_data(p, w, t, 0, 0, 1)
                w.wake_day = w.today + 1 if FULL and w.kept_back else NEVER
            else:
                w.wake_day = w.today + 1
        if committee_is_due(w):
            meet(p, w, t, 1)
            if w.code != Run.GOES_ON:
                return
            looks = True
        looks = looks and w.ready > 0
        if not looks and FULL and p.one_by_one:
            looks = new_ones_wait_or_go(p, w, t)
    if not (FULL and p.one_by_one):
        those_without_place_leave(p, w, t)


def next_day(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the next day on which something happens that a decision can depend on."""
    day = w.meeting_day
    if w.check_day < day:
        day = w.check_day
    if w.today < w.resume_day < day:
        day = w.resume_day
    if w.infusion_day < day:
        day = w.infusion_day
    due = outcomes_are_due(p, w)
    if due < day:
        day = due
    if w.closed:
        return day
    if w.ready and w.wake_day < day:
        day = w.wake_day
    if FULL and p.one_by_one:
        of_candidates = next_day_of_candidates(p, w, t)
    else:
        of_candidates = next_day_of_queue(p, w, t)
        if of_candidates < day and nobody_gets_place(p, w):
            of_candidates = let_pass(p, w, t, day)
    return of_candidates if of_candidates < day else day


def outcomes_are_due(p: Protocol, w: Bench) -> int:
    """Return the next day on which an outcome can change anything but the counts.

    While no decision can be forced, a patient without a DLT can but complete the cohort, and is then the last one.
    """
    can_be_forced = p.early_decision and w.open and not w.calm
    each_counts = w.held or w.expansion or (FULL and p.withholds_later)
    if w.windows == 0 or w.windows > w.cohort_pending or can_be_forced or each_counts:
        return w.outcome_day
    return w.turn_day if w.turn_day < w.last_settle_day else w.last_settle_day


def nobody_gets_place(p: Protocol, w: Bench) -> bool:
    """Return whether whoever becomes eligible finds no place, and is no reason to ask for one, as things stand."""
    if not w.open:
        return True
    return w.rolling == 0 and not can_give_place(p, w)


def let_pass(p: Protocol, w: Bench, t: Tables, until: int) -> int:
    """Let join the queue, or go, who comes before a day, since nobody is given a place before it; return the next day.

    Where the pages run out on a day, the trial is left on it as one that has stopped there.
    """
    since, day = w.today, next_day_of_queue(p, w, t)
    while day < until and day <= p.max_days:
        w.today, w.wake_day = day, NEVER
        those_without_patience_leave(p, w, t)
        candidates_come(p, w, t)
        if w.code != Run.GOES_ON:
            wait(p, w, day - since)
            w.stage = Stage.DAY
            return NEVER
        if w.ready:
            those_without_place_leave(p, w, t)
        day = next_day_of_queue(p, w, t)
    w.today = since
    return day


def next_day_of_queue(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the next day on which a candidate becomes eligible, or the patience of somebody who waits ends."""
    day = w.next_eligible
    if w.ready and patience_ends(p, w, t) < day:
        day = patience_ends(p, w, t)
    return day
