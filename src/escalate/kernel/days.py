"""One trial from day to day: the steps of `escalate.trial`, in their order, on whole numbers.

``p`` is the `Protocol`, ``w`` the trial's `Bench`, ``t`` the `Tables` on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .bench import (
    ASKS,
    COHORTS_TIMED,
    CONCLUSION,
    DECISION,
    DLT,
    DROP_OUT_DAY,
    EACH_FOLLOWUP,
    ENDED,
    EVENING,
    EXPANSION,
    FORCED,
    FULL_DOSE,
    GETS,
    INFUSIONS_END,
    LEAVES_LEVEL,
    LEAVES_QUESTION,
    LEFT_IN_WINDOW,
    LEVEL_FOLLOWUP,
    MAY_BE_FORCED,
    MORNING,
    MOST_ASKS,
    NEEDS_CANDIDATES,
    NEEDS_PATIENTS,
    NEVER,
    NO_DLT,
    NO_LEVEL,
    NO_OUTCOME,
    NON_EVALUABLE,
    NOT_INFUSED,
    NOTHING,
    PENDING,
    PHASES,
    RECOMMENDATION,
    RESTS_ON_DATA,
    RULE_ALONE,
    RUNNING,
    SAYS,
    SO_MANY,
    STOP,
    SUSPEND,
    TO_LEVEL,
    TURNS_AT,
    TURNS_TO,
    WAITS,
    WHY,
    Bench,
    Person,
    Protocol,
    Tables,
    day_of_dlt,
)
from .books import (
    close_books,
    no_doubt,
    wait,
)
from .places import (
    has_free_place,
    is_complete,
    outcomes_to_come,
    room,
    stagger_until,
    treatment_day,
)
from .questions import (
    answer,
    ask,
    is_on_trail,
    write_counts,
)

# The trial


def run_many(
    p: Protocol,
    w: Bench,
    t: Tables,
    candidates: Sequence[Any],
    fates: Sequence[Any],
    tolerance: Sequence[Any],
    trails: Sequence[Any],
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
    candidates, fates, tolerance, trails
        Of every trial of the chunk, as in `Tables`.
    rows, paths
        Of every trial of the chunk, what `close_books` writes.
    todo : sequence of int
        Positions of the trials to be run.
    codes, questions
        How each of those ended, and its question.
    infusion_days : sequence of int
        Days of the infusions after the first one.
    """
    for place in range(len(todo)):
        trial = todo[place]
        t = Tables(
            candidates[trial],
            fates[trial],
            tolerance[trial],
            t.dlt_probability,
            t.people,
            t.queue,
            t.seen,
            t.question,
            t.alike,
            t.index,
            t.answers,
            trails[trial],
        )
        codes[place] = run_trial(p, w, t)
        if codes[place] == ENDED or codes[place] == LEAVES_QUESTION:
            close_books(p, w, t, rows[trial], paths[trial], infusion_days)
        if codes[place] == LEAVES_QUESTION:  # nothing else reads any more what was seen
            t.seen[0], t.seen[1], t.seen[2] = w.left_to_ask, 0, w.reason
            copy(t.seen, questions[place])
        elif codes[place] == ASKS:
            copy(t.question, questions[place])


def copy(numbers: Sequence[int], onto: list[int]) -> None:
    """Write numbers onto others."""
    for position in range(len(numbers)):
        onto[position] = numbers[position]


def run_trial(p: Protocol, w: Bench, t: Tables) -> int:
    """Run one trial; return how the run ended, with the trial or its question on the bench."""
    begin(p, w)
    w.next_eligible = next_eligible_day(p, w, t)
    while True:
        one_day(p, w, t)
        following = next_day(p, w, t)
        if w.code != RUNNING:
            return w.code
        if following > p.max_days:
            break
        wait(p, w, following)
        w.today = following
    last = t.candidates[len(t.candidates) - 1]
    if (last if last >= 0 else -1 - last) <= w.last_consent_day:
        w.code = NEEDS_CANDIDATES
    else:
        w.code = ENDED if w.left_to_ask == DECISION else LEAVES_QUESTION
    return w.code


def begin(p: Protocol, w: Bench) -> None:
    """Clear the bench, and open the first cohort."""
    w.today = w.last_day = 0
    w.code = RUNNING
    w.asked = 0
    w.candidate = w.queue_first = w.queue_end = w.withdrew = w.no_place = w.turned_away = 0
    w.evaluable_patients = w.enrolled = w.arrived = w.infused = w.on_the_way = w.windows = w.oldest_window = 0
    w.cohorts = w.open = w.held = w.expansion = w.rolling = 0
    w.calm, w.bad_news, w.evaluable_at_cut, w.left_to_ask = 0, 0, 0, DECISION
    w.news = w.since_outcomes = w.since_dlts = w.cut_forced = w.cut_outstanding = w.concluding = w.closed = 0
    w.check_day = w.meeting_day = w.wake_day = NEVER
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
    """Let today's phases pass, in their order; a question to the committee ends them."""
    if w.windows:
        outcomes(p, w, t, MORNING)
    if w.check_day <= w.today:
        w.check_day = NEVER
        if w.open:
            look_at_outcomes(p, w, t)
    if w.code == RUNNING and w.meeting_day == w.today:
        decide(p, w, t, 0)
    if w.code != RUNNING:
        return
    if not w.closed:
        candidates_come_and_go(p, w, t)
    infusions(p, w, t)
    if w.queue_first < w.queue_end:
        give_places(p, w, t)
    if w.code == RUNNING and w.windows:
        outcomes(p, w, t, EVENING)


def next_day(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the next day on which something happens that a decision can depend on."""
    day = w.meeting_day
    if w.check_day < day:
        day = w.check_day
    if w.arrived < w.enrolled and t.people[w.arrived].infusion_day < day:
        day = t.people[w.arrived].infusion_day
    for patient in range(w.oldest_window, w.arrived):
        if t.people[patient].outcome == PENDING and t.people[patient].settle_day < day:
            day = t.people[patient].settle_day
    if not w.closed:
        if w.next_eligible < day:
            day = w.next_eligible
        if w.queue_first < w.queue_end:
            if w.wake_day < day:
                day = w.wake_day
            if t.queue[w.queue_first] + p.patience_days < day:
                day = t.queue[w.queue_first] + p.patience_days
    return day


# From cohort to cohort


def open_cohort(p: Protocol, w: Bench, level: int, places: int, expansion: int) -> None:
    """Let the first place of a cohort be filled from now on."""
    w.has_sentinel = 1 if p.sentinel_every_cohort or w.opened_day[level] < 0 else 0
    if w.opened_day[level] < 0:
        w.opened_day[level] = w.today
    w.cohorts += 1
    w.open, w.held, w.level, w.places, w.expansion = 1, 0, level, places, expansion
    w.rolling = 1 if p.rolling and not expansion else 0
    w.first_patient = w.enrolled
    w.cohort_lymphodepleted = w.cohort_pending = w.cohort_evaluable = w.cohort_dlts = 0
    w.taken = w.cohort_freed = w.vacant = 0
    w.cohort_opened = w.today
    w.last_day = w.today


def hold(w: Bench) -> None:
    """Let a cohort go on without free places: accrual is suspended, or the rule has finished."""
    w.open, w.held, w.check_day = 1, 1, w.today + 1
    undecided(w)


def undecided(w: Bench) -> None:
    """Note that the last decision on the cohort is still to come."""
    if w.cohorts <= COHORTS_TIMED:
        w.cohort_days[w.cohorts - 1] = -1


def look_at_outcomes(p: Protocol, w: Bench, t: Tables) -> None:
    """Make the data cut, if the cohort is complete or its decision is forced."""
    forced, outstanding = 0, 0
    is_ready = is_complete(p, w)
    if not is_ready and w.news and w.expansion:
        found = ask(p, w, t, EXPANSION, 0)
        if found >= 0 and t.answers[found][SAYS]:
            w.expansion_closed_day, w.permitted = w.today, w.level - 1
            is_ready = True
    elif not is_ready and w.news and p.early_decision and not w.concluding and not w.calm:
        outstanding = outcomes_to_come(w)
        if is_forced(p, w, t, outstanding):
            forced, is_ready = 1, True
    if is_ready:
        cut_data(p, w, t, forced, outstanding)


def is_forced(p: Protocol, w: Bench, t: Tables, outstanding: int) -> bool:
    """Return whether the level must be left, whatever is still outstanding.

    Where it is kept if no more DLT comes, that is not asked again before there is bad news: what the committee would
    see then is still the same, or the rule is monotone.
    """
    found = ask(p, w, t, MAY_BE_FORCED, outstanding)
    if found < 0:
        return False
    if t.answers[found][SAYS]:
        found = answer(p, w, t, FORCED, outstanding, 0)
        return found >= 0 and t.answers[found][SAYS] == 1
    elsewhere = w.windows + w.on_the_way - w.pending[w.level] - w.lymphodepleted[w.level]
    same = p.reads_followup != EACH_FOLLOWUP or elsewhere == 0
    if not p.reads_last and w.evaluable_patients + outstanding > 0 and (same or p.monotone):
        w.calm = 1
    return False


def stays_calm(p: Protocol, w: Bench) -> bool:
    """Return whether a decision to go on is one that only bad news can turn: of a monotone rule, on somebody's data."""
    if not p.monotone or p.reads_last:
        return False
    return w.evaluable_at_cut > 0 and w.cut_forced == 0 and w.bad_news == 0


def cut_data(p: Protocol, w: Bench, t: Tables, forced: int, outstanding: int) -> None:
    """Freeze what the committee will see; nobody is enrolled until it has decided."""
    w.last_day = w.today
    w.open = w.news = 0
    if w.expansion:
        close_enrolment(w, 0)
        return
    w.cut_forced, w.cut_outstanding, w.bad_news, w.evaluable_at_cut = forced, outstanding, 0, w.evaluable_patients
    day = w.today + p.review_delay_days
    w.meeting_day = day + p.meeting_wait[day % 7]
    if not is_on_trail(w, t, MOST_ASKS):
        write_counts(p, w, t)


def decide(p: Protocol, w: Bench, t: Tables, late: int) -> None:
    """Let the committee decide on the cohort's data cut; `late` is 1 if today's candidates have come already."""
    if w.rolling:
        if not is_on_trail(w, t, MOST_ASKS):
            write_counts(p, w, t)
        w.news = w.bad_news = 0
        w.evaluable_at_cut = w.evaluable_patients
        if w.cut_forced:
            w.cut_outstanding = outcomes_to_come(w)
    kind, reason = CONCLUSION, w.stop_reason
    if not w.concluding:
        found = decision(p, w, t)
        if found < 0:
            return
        if not is_left_to_recommend(w, t.answers[found]):
            follow(p, w, t.answers[found], late)
            return
        kind, reason = RECOMMENDATION, t.answers[found][WHY]
    recommend(p, w, t, kind, reason, late)


def decision(p: Protocol, w: Bench, t: Tables) -> int:
    """Ask for the decision; while somebody is on the way, what the cap leaves depends on the decision itself."""
    found, asks = 0, 2 if w.on_the_way else 1
    places = p.cohort_size if w.on_the_way else room(p, w, NO_LEVEL)
    while asks and found >= 0:
        found = decision_with(p, w, t, places if places > 0 else 0)
        asks -= 1
        if asks and found >= 0:
            places = room(p, w, t.answers[found][TO_LEVEL])
    return found


def decision_with(p: Protocol, w: Bench, t: Tables, places: int) -> int:
    """Ask for the decision, with so many patients left under the cap; more than a cohort is as good as a cohort."""
    found = answer(p, w, t, DECISION, w.cut_outstanding, places if places < p.cohort_size else p.cohort_size)
    if found >= 0 and p.reads_followup == LEVEL_FOLLOWUP:
        seen = days_seen(p, w, t)
        while t.answers[found][TURNS_AT] <= seen:
            found = t.answers[found][TURNS_TO]
    return found


def days_seen(p: Protocol, w: Bench, t: Tables) -> int:
    """Return how many days of their windows the pending patients of the level have been observed, added up."""
    total = 0
    for patient in range(w.oldest_window, w.arrived):
        person = t.people[patient]
        if person.outcome == PENDING and person.level == w.level:
            seen = w.today - person.infusion_day
            total += seen if seen < p.window_end else p.window_end
    return total


def is_provisional(w: Bench, decided: Sequence[int]) -> bool:
    """Return whether the trial stops with a recommendation that outcomes still to come can change."""
    return decided[RESTS_ON_DATA] == 1 and (w.on_the_way > 0 or w.windows > 0)


def is_left_to_recommend(w: Bench, decided: Sequence[int]) -> bool:
    """Return whether the trial stops for another reason than the rule's, with the data that the rule recommends on."""
    return decided[LEAVES_LEVEL] == 1 and not is_provisional(w, decided)


def follow(p: Protocol, w: Bench, decided: Sequence[int], late: int) -> None:
    """Do what the committee has decided."""
    action, level = decided[SAYS], decided[TO_LEVEL]
    provisional = is_provisional(w, decided)
    the_committee_has_met(w, action)
    w.permitted = decided[RULE_ALONE] if provisional else level
    if action != SUSPEND and stays_calm(p, w):
        w.calm = 1
    if provisional:
        w.concluding, w.stop_reason = 1, decided[WHY]
        if not p.expands:
            close_enrolment(w, late)
        hold(w)
    elif action == STOP:
        finish(p, w, level, decided[WHY], late)
    elif action == SUSPEND:
        hold(w)
    elif w.rolling and level == w.level:
        w.open, w.held, w.vacant, w.places = 1, 0, 0, w.taken + decided[SO_MANY]
        undecided(w)
    else:
        open_cohort(p, w, level, decided[SO_MANY], 0)


def the_committee_has_met(w: Bench, action: int) -> None:
    """Write down that there is a decision."""
    w.last_day = w.today
    w.meeting_day = NEVER
    w.calm = 0
    if w.cohorts <= COHORTS_TIMED:
        w.cohort_days[w.cohorts - 1] = w.today - w.cohort_opened
    if action != SUSPEND:
        no_doubt(w, action == STOP)
        w.since_outcomes = w.since_dlts = 0


def recommend(p: Protocol, w: Bench, t: Tables, kind: int, reason: int, late: int) -> None:
    """End the escalation with what the rule recommends: at once for an expansion, otherwise the question is left."""
    level = NO_LEVEL
    if p.expands:
        found = answer(p, w, t, kind, 0, reason)
        if found < 0:
            return
        level, reason = t.answers[found][TO_LEVEL], t.answers[found][WHY]
    else:
        w.left_to_ask = kind
    the_committee_has_met(w, STOP)
    w.permitted = level
    finish(p, w, level, reason, late)


def finish(p: Protocol, w: Bench, level: int, reason: int, late: int) -> None:
    """End the escalation: expand at the recommended level, or close enrolment."""
    w.recommended, w.reason = level, reason
    if w.cohorts:
        w.ended_day = w.today
    places = room(p, w, w.permitted)
    if p.expands and level != NO_LEVEL and places > 0:
        open_cohort(p, w, level, places, 1)
    elif not w.closed:
        close_enrolment(w, late)


def close_enrolment(w: Bench, late: int) -> None:
    """Enrol nobody from now on; whoever waits is turned away, and so is whoever is in screening."""
    w.last_day = w.today
    w.closed, w.closed_day, w.open = 1, w.today, 0
    w.last_consent_day = w.today if late else w.today - 1
    w.turned_away += w.queue_end - w.queue_first
    w.queue_first = w.queue_end = 0


# Candidates


def next_eligible_day(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the day on which the next candidate becomes eligible."""
    while w.candidate < len(t.candidates):
        consent_day = t.candidates[w.candidate]
        if consent_day >= 0:
            return consent_day + p.screening_days
        if -1 - consent_day > p.max_days:
            return NEVER
        w.candidate += 1
    w.code = NEEDS_CANDIDATES
    return NEVER


def candidates_come_and_go(p: Protocol, w: Bench, t: Tables) -> None:
    """Let those go whose patience is over, and today's eligible candidates ask for a place."""
    while w.queue_first < w.queue_end and t.queue[w.queue_first] + p.patience_days <= w.today:
        w.queue_first += 1
        w.withdrew += 1
    if w.queue_first == w.queue_end:
        w.queue_first = w.queue_end = 0
    while w.next_eligible == w.today:
        t.queue[w.queue_end] = w.today
        w.queue_end += 1
        w.candidate += 1
        w.next_eligible = next_eligible_day(p, w, t)


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


def fill_places(p: Protocol, w: Bench, t: Tables) -> int:
    """Enrol those who wait while a slot is open today; return when the next one opens, `NEVER` if there is none."""
    while w.queue_first < w.queue_end:
        if not w.open or not has_free_place(w) or room(p, w, w.permitted) <= 0:
            return NEVER
        earliest = stagger_until(p, w, t) - p.lead_days
        start = treatment_day(p, earliest if earliest > w.today else w.today)
        if start > w.today:
            return start
        if w.enrolled == len(t.people):
            w.code = NEEDS_PATIENTS
            return NEVER
        enrol(p, w, t.people[w.enrolled])
    return NEVER


def may_ask_for_candidate(p: Protocol, w: Bench) -> bool:
    """Return whether a rolling rule is to be asked, since a candidate is ready and every place is taken."""
    if w.queue_first == w.queue_end or not w.open or not w.rolling or w.concluding:
        return False
    if has_free_place(w) or room(p, w, w.permitted) <= 0:
        return False
    return w.news == 1 or w.held == 0


def those_without_place_leave(p: Protocol, w: Bench, t: Tables) -> None:
    """Let those who became eligible today wait, or go, where too many wait already or nobody does."""
    while w.queue_first < w.queue_end and t.queue[w.queue_end - 1] == w.today:
        if p.most_waiting and p.patience_days == 0:
            w.withdrew += 1
        elif w.queue_end - w.queue_first <= p.most_waiting:
            return
        else:
            w.no_place += 1
        w.queue_end -= 1


# Patients


def enrol(p: Protocol, w: Bench, person: Person) -> None:
    """Give the first of those who wait a place in the open cohort; lymphodepletion starts."""
    w.queue_first += 1
    w.enrolled += 1
    person.cohort, person.level, person.outcome = w.cohorts, w.level, NO_OUTCOME
    person.start_day, person.infusion_day = w.today, w.today + p.lead_days
    w.taken += 1
    w.on_the_way += 1
    w.cohort_lymphodepleted += 1
    w.lymphodepleted[w.level] += 1
    if w.vacant:
        w.vacant -= 1
        w.replaced[w.level] += 1
    w.last_day = w.today


def infusions(p: Protocol, w: Bench, t: Tables) -> bool:
    """Infuse those who are due today, unless something speaks against it; return whether somebody was not infused."""
    somebody_not = False
    while w.arrived < w.enrolled and t.people[w.arrived].infusion_day == w.today:
        patient, person = w.arrived, t.people[w.arrived]
        w.arrived += 1
        w.on_the_way -= 1
        w.lymphodepleted[person.level] -= 1
        if person.cohort == w.cohorts:
            w.cohort_lymphodepleted -= 1
        w.last_day = w.today
        withheld = p.withholds and w.dlt_known > PHASES * person.start_day + INFUSIONS_END
        if person.level > w.permitted or withheld or t.fates[GETS][patient] == NOTHING:
            gives_place_back(p, w, person)
            somebody_not = True
        else:
            begins_window(p, w, person)
            plan_outcome(p, w, t, patient)
    return somebody_not


def gives_place_back(p: Protocol, w: Bench, person: Person) -> None:
    """Write down that a lymphodepleted patient is not infused."""
    person.outcome = NOT_INFUSED
    w.calm, w.bad_news = 0, 1
    here = person.cohort == w.cohorts
    if here:
        w.taken -= 1
        w.cohort_freed += 1
        w.vacant += 1
    if (p.rolling and not (here and w.expansion)) or w.concluding:
        w.news = 1
        if w.today + 1 < w.check_day:
            w.check_day = w.today + 1


def begins_window(p: Protocol, w: Bench, person: Person) -> None:
    """Write down a patient's first infusion."""
    person.outcome = PENDING
    w.windows += 1
    w.infused += 1
    w.pending[person.level] += 1
    if person.cohort == w.cohorts:
        w.cohort_pending += 1


def plan_outcome(p: Protocol, w: Bench, t: Tables, patient: int) -> None:
    """Write down when the outcome of a patient who is infused today becomes known, and what it will be."""
    person = t.people[patient]
    dlt_day, drop_out_day = day_of_dlt(p, t, patient), t.fates[DROP_OUT_DAY][patient]
    last = drop_out_day if drop_out_day < p.follow_up_days else p.follow_up_days
    if dlt_day <= p.window_end and dlt_day <= last:
        person.settle_day, person.comes = w.today + dlt_day, DLT
    elif p.window_end <= last:
        stopped = dlt_day if dlt_day < drop_out_day else drop_out_day
        full = t.fates[GETS][patient] == FULL_DOSE and (p.last_infusion == 0 or p.last_infusion < stopped)
        person.settle_day, person.comes = w.today + p.window_end, NO_DLT if full else NON_EVALUABLE
    else:
        person.settle_day, person.comes = w.today + last, LEFT_IN_WINDOW


def outcomes(p: Protocol, w: Bench, t: Tables, phase: int) -> None:
    """Let today's outcomes become known: in the morning of patients infused before, in the evening of today's."""
    for patient in range(w.oldest_window, w.arrived):
        person = t.people[patient]
        if person.outcome == PENDING and person.settle_day == w.today:
            settle(p, w, person, phase)
    while w.oldest_window < w.arrived and t.people[w.oldest_window].outcome != PENDING:
        w.oldest_window += 1


def settle(p: Protocol, w: Bench, person: Person, phase: int) -> None:
    """Turn a pending patient into an evaluable or a non-evaluable one."""
    outcome, level, here = person.comes, person.level, person.cohort == w.cohorts
    person.outcome = outcome
    if outcome != NO_DLT:
        w.calm, w.bad_news = 0, 1
    elif not p.monotone and (level != w.level or not (here or w.rolling)):
        w.calm = 0
    w.windows -= 1
    w.pending[level] -= 1
    if here:
        w.cohort_pending -= 1
    if outcome in (DLT, NO_DLT):
        dlt = 1 if outcome == DLT else 0
        w.evaluable[level] += 1
        w.evaluable_patients += 1
        w.dlts[level] += dlt
        w.since_outcomes += 1
        w.since_dlts += dlt
        if here:
            w.cohort_evaluable += 1
            w.cohort_dlts += dlt
        if dlt:
            w.dlt_known = PHASES * w.today + phase
    elif here and p.replaces:
        w.cohort_freed += 1
        if not w.rolling:
            w.taken -= 1
            w.vacant += 1
    w.news = 1
    w.last_outcome_day = w.today
    check = w.today if phase == MORNING else w.today + 1
    if check < w.check_day:
        w.check_day = check
    w.last_day = w.today
