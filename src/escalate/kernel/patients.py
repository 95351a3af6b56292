"""Patients: who gets a place and is infused, and what becomes known of them."""

from __future__ import annotations

from ..nature.streams import NEVER
from .bench import Bench, Person, Protocol, Tables
from .candidates import close_enrolment, first_in_line_goes
from .codes import FULL, Answer, Fate, Outcome, Phase, Run, Wait
from .cohorts import decision
from .fates import meets_fate, words_of
from .one_by_one import give_notice, is_enrolled
from .places import (
    can_give_place,
    given,
    has_free_place,
    meeting_day,
    room,
    room_now,
    shut_until,
    stop_infusions,
    whose_turn,
)
from .questions import write_counts


def fill_places(p: Protocol, w: Bench, t: Tables) -> int:
    """Enrol those who wait while a slot is open today; return when to look again, `NEVER` if there is no place."""
    if FULL and p.notice_days:
        give_notice(p, w, t)
    while w.ready:
        place, expected = -1, w.enrolled
        if FULL and p.one_by_one:
            w.kept_back = 0
            place = next_with_place(p, w, t)
            if place < 0:
                return NEVER
        elif not can_give_place(p, w):
            return NEVER
        until = shut_until(p, w, t)
        if until > w.today:
            return until if w.wake_gate <= Wait.REVIEW else w.today + 1
        if FULL and place >= 0:
            if w.rolling and t.here[place].has_reserved and is_kept_back(p, w, t):
                return NEVER if w.open else w.today + 1
            expected += w.reserved - t.here[place].has_reserved
        if expected >= len(t.people):
            w.code = Run.NEEDS_PATIENTS
            return NEVER
        person = t.people[w.enrolled]
        if FULL and place >= 0:
            person.site = t.here[place].site
            is_enrolled(w, t, t.here[place])
        else:
            first_in_line_goes(w, t)
        enrol(p, w, person)
    return NEVER


def next_with_place(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the place in the list of the first in line who has a place to be treated in; -1 for nobody.

    A reserved place is there while accrual is suspended, too, and while the committee is called, unless the level is
    left in any case.
    """
    place = whose_turn(w, t, -1, -1)
    if can_give_place(p, w):
        return place
    must_be_left = w.cut_forced == 1 and w.meeting_day != NEVER
    if w.reserved == 0 or must_be_left or room(p, w, w.permitted) <= 0:
        return -1
    while place >= 0 and not t.here[place].has_reserved:
        place = whose_turn(w, t, t.here[place].ready_day, place)
    return place


def is_kept_back(p: Protocol, w: Bench, t: Tables) -> bool:
    """Return whether nobody starts in a reserved place: a rolling rule would leave the level, or is asked."""
    w.cut_outstanding = 0
    write_counts(p, w, t)
    found = decision(p, w, t)
    w.kept_back = 0 if found < 0 else t.answers[found][Answer.KEEPS_BACK]
    return found < 0 or w.kept_back == 1


def may_ask_for_candidate(p: Protocol, w: Bench) -> bool:
    """Return whether a rolling rule is to be asked, since a candidate is ready and every place is taken."""
    if w.ready == 0 or not w.open or not w.rolling or w.concluding:
        return False
    if FULL and w.kept_back:
        return True
    if has_free_place(w) or room_now(p, w) <= 0:
        return False
    return w.news == 1 or w.held == 0


def enrol(p: Protocol, w: Bench, person: Person) -> None:
    """Give a candidate a place in the open cohort; lymphodepletion starts."""
    w.enrolled += 1
    person.cohort, person.level, person.outcome = w.cohorts, w.level, Outcome.NOT_YET
    person.start_day, person.infusion_day = w.today, w.today + p.lead_days[w.level]
    if person.infusion_day < w.infusion_day:
        w.infusion_day = person.infusion_day
    w.taken += 1
    w.on_the_way += 1
    w.cohort_lymphodepleted += 1
    w.lymphodepleted[w.level] += 1
    w.to_be_infused[w.level] += 1
    person.withheld, person.stopped_day = 0, NEVER
    if w.vacant:
        w.vacant -= 1
        w.replaced[w.level] += 1
    w.last_day = w.today


def infusions(p: Protocol, w: Bench, t: Tables) -> bool:
    """Infuse those who are due today, unless something speaks against it; return whether a place was given back."""
    given_back = False
    w.infusion_day = NEVER
    for patient in range(w.arrived, w.enrolled):
        person = t.people[patient]
        if person.outcome == Outcome.NOT_YET and person.infusion_day == w.today:
            if arrives(p, w, t, patient):
                given_back = True
        elif person.outcome == Outcome.NOT_YET and person.infusion_day < w.infusion_day:
            w.infusion_day = person.infusion_day
    while w.arrived < w.enrolled and t.people[w.arrived].outcome != Outcome.NOT_YET:
        w.arrived += 1
    return given_back


def arrives(p: Protocol, w: Bench, t: Tables, patient: int) -> bool:
    """Infuse a patient, unless something speaks against it; return whether a place was given back."""
    person = t.people[patient]
    w.on_the_way -= 1
    w.lymphodepleted[person.level] -= 1
    w.to_be_infused[person.level] -= 1 - person.withheld
    if person.cohort == w.cohorts:
        w.cohort_lymphodepleted -= 1
    w.last_day = w.today
    withheld = p.withholds and w.dlt_known > Phase.OF_A_DAY * person.start_day + Phase.INFUSIONS_END
    if p.withholds_if_closed and w.cut_forced and w.meeting_day != NEVER and person.cohort == w.cohorts:
        withheld = True
    meets_fate(t, person, patient, words_of(w, t, patient))
    if person.withheld or withheld or person.gets == Fate.NOTHING:
        is_not_infused(p, w, person)
        return True
    begins_window(p, w, t, person, patient)
    plan_outcome(p, w, person)
    if p.frees_at_once and person.gets == Fate.LESS and not has_rolling_cohort(p, w, person):
        frees_place_at_once(w, person)
        return True
    return False


def has_rolling_cohort(p: Protocol, w: Bench, person: Person) -> bool:
    """Return whether a rolling rule decides on a patient's cohort: on all but an expansion, which is the last one."""
    return p.rolling == 1 and not (person.cohort == w.cohorts and w.expansion)


def is_not_infused(p: Protocol, w: Bench, person: Person) -> None:
    """Write down that a lymphodepleted patient is not infused."""
    person.outcome = Outcome.NOT_INFUSED
    w.calm, w.bad_news = 0, 1
    if person.cohort == w.cohorts:
        vacates(w)
    if has_rolling_cohort(p, w, person) or w.concluding:
        w.news = 1
    if w.today + 1 < w.check_day:
        w.check_day = w.today + 1


def vacates(w: Bench) -> None:
    """Write down that a place of the cohort is given back; unless a DLT beyond its places fills it, it is vacant."""
    w.taken -= 1
    if w.rolling or given(w) < w.places:
        w.vacant += 1


def frees_place_at_once(w: Bench, person: Person) -> None:
    """Write down that the place of a patient who has just got less than the full dose is free; the window is open.

    Where the cohort has no place too few, nobody replaces the patient, and one outcome less is to come.
    """
    person.placeless = 1
    w.calm, w.bad_news = 0, 1
    w.placeless += 1
    if person.cohort == w.cohorts:
        w.cohort_placeless += 1
        vacates(w)


def begins_window(p: Protocol, w: Bench, t: Tables, person: Person, patient: int) -> None:
    """Write down a patient's first infusion."""
    person.outcome, person.placeless = Outcome.PENDING, 0
    w.windows += 1
    w.infused += 1
    w.pending[person.level] += 1
    if person.cohort == w.cohorts:
        w.cohort_pending += 1
        if w.sentinel < 0:
            w.sentinel = patient
    if p.cap_counts_infused and w.infused >= p.cap:
        close_enrolment(p, w, t, 1)


def plan_outcome(p: Protocol, w: Bench, person: Person) -> None:
    """Write down when the outcome of a patient who is infused today becomes known, and what it will be."""
    dlt_day, drop_out_day = person.dlt_day, person.drop_out_day
    last = drop_out_day if drop_out_day < p.follow_up_days else p.follow_up_days
    window_end, last_infusion = p.window_end[person.level], p.last_infusion[person.level]
    if dlt_day <= window_end and dlt_day <= last:
        person.settle_day, person.comes = w.today + dlt_day, Outcome.DLT
    elif window_end <= last:
        stopped = dlt_day if dlt_day < drop_out_day else drop_out_day
        full = person.gets == Fate.FULL_DOSE and (last_infusion == 0 or last_infusion < stopped)
        person.settle_day, person.comes = w.today + window_end, Outcome.NO_DLT if full else Outcome.NON_EVALUABLE
    else:
        person.settle_day, person.comes = w.today + last, Outcome.LEFT_IN_WINDOW
    outcome_is_expected(w, person)


def outcome_is_expected(w: Bench, person: Person) -> None:
    """Note when an outcome becomes known that is not known yet."""
    if person.settle_day < w.outcome_day:
        w.outcome_day = person.settle_day
    if person.settle_day < w.turn_day and person.comes != Outcome.NO_DLT:
        w.turn_day = person.settle_day
    if person.settle_day > w.last_settle_day:
        w.last_settle_day = person.settle_day


def outcomes(p: Protocol, w: Bench, t: Tables, until: int, phase: int) -> None:
    """Let outcomes up to a day become known: in its morning of patients infused before, in the evening of the day's.

    Those of days before it have changed nothing but the counts until then: see `days.outcomes_are_due`.
    """
    w.outcome_day = w.turn_day = NEVER
    w.last_settle_day = 0
    for patient in range(w.oldest_window, w.enrolled):
        person = t.people[patient]
        if person.outcome == Outcome.PENDING:
            if person.settle_day <= until:
                if FULL and p.withholds_later:
                    stop_infusions(p, w, t, person, person.settle_day)
                    if person.comes == Outcome.NO_DLT and person.stopped_day != NEVER:
                        person.comes = Outcome.NON_EVALUABLE
                is_sentinel = w.has_sentinel and patient == w.sentinel
                if FULL and p.reviews_sentinel and is_sentinel and person.comes == Outcome.DLT:
                    w.reviewed_day = meeting_day(p, w, t, 1)
                settle(p, w, t, person, phase)
            else:
                outcome_is_expected(w, person)
    while w.oldest_window < w.arrived and t.people[w.oldest_window].outcome != Outcome.PENDING:
        w.oldest_window += 1


def settle(p: Protocol, w: Bench, t: Tables, person: Person, phase: int) -> None:
    """Turn a pending patient into an evaluable or a non-evaluable one."""
    outcome, level, here, placeless = person.comes, person.level, person.cohort == w.cohorts, person.placeless
    person.outcome = outcome
    if outcome != Outcome.NO_DLT:
        w.calm, w.bad_news = 0, 1
    elif not p.monotone and (level != w.level or not (here or w.rolling)):
        w.calm = 0
    w.windows -= 1
    w.pending[level] -= 1
    w.placeless -= placeless
    if here:
        w.cohort_pending -= 1
        w.cohort_placeless -= placeless
    if outcome in (Outcome.DLT, Outcome.NO_DLT):
        dlt = 1 if outcome == Outcome.DLT else 0
        w.evaluable[level] += 1
        w.evaluable_patients += 1
        w.dlts[level] += dlt
        if not p.cap_counts_infused and w.evaluable_patients >= p.cap:
            close_enrolment(p, w, t, phase != Phase.MORNING)
        w.since_outcomes += 1
        w.since_dlts += dlt
        if here:
            w.cohort_evaluable += 1
            w.cohort_dlts += dlt
            w.taken += placeless
            if placeless and w.vacant:
                w.vacant -= 1
        if dlt:
            w.dlt_known = Phase.OF_A_DAY * w.today + phase
    elif here and p.replaces and not placeless and not w.rolling:
        vacates(w)
    w.news = 1
    if person.settle_day > w.last_outcome_day:
        w.last_outcome_day = person.settle_day
    check = w.today if phase == Phase.MORNING else w.today + 1
    if check < w.check_day:
        w.check_day = check
    if person.settle_day > w.last_day:
        w.last_day = person.settle_day
