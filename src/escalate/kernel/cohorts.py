"""From cohort to cohort: data cuts, what the committee decides, and how the escalation ends."""

from __future__ import annotations

from ..nature.streams import NEVER
from ..results.outcomes import COHORTS_TIMED
from ..words.records import NO_LEVEL, Action
from .bench import Bench, Protocol, Row, Tables
from .books import no_doubt
from .candidates import close_enrolment
from .codes import FULL, Answer, Ask, Followup, Outcome, Run, Wait
from .one_by_one import let_go_of_places, notice_is_void
from .places import beyond_places, given, is_complete, levels_change, meeting_day, outcomes_to_come, room, room_now
from .questions import answer, ask, write_counts


def open_cohort(p: Protocol, w: Bench, level: int, places: int, expansion: int) -> None:
    """Let the first place of a cohort be filled from now on."""
    w.has_sentinel = 1 if p.sentinel_every_cohort or w.opened_day[level] < 0 else 0
    if w.opened_day[level] < 0:
        w.opened_day[level] = w.today
    w.cohorts += 1
    w.open, w.held, w.level, w.places, w.expansion = 1, 0, level, places, expansion
    w.wake_gate = Wait.STAGGER
    w.rolling = 1 if p.rolling and not expansion else 0
    w.first_patient = w.enrolled
    w.sentinel, w.reviewed_day = -1, 0
    w.cohort_lymphodepleted = w.cohort_pending = w.cohort_evaluable = w.cohort_dlts = 0
    w.taken = w.cohort_placeless = w.vacant = 0
    w.cohort_opened = w.today
    w.last_day = w.today


def hold(w: Bench) -> None:
    """Let a cohort go on without free places: accrual is suspended, or the rule has finished."""
    w.open, w.held, w.check_day = 1, 1, w.today + 1
    undecided(w)


def wait_for_followup(p: Protocol, w: Bench, t: Tables) -> None:
    """Note when the level's pending patients will have been observed for as long as a suspended rule asks."""
    if p.days_to_resume[w.level] == 0:
        return
    if FULL and w.reserved:
        w.resume_day = w.today + p.days_to_resume[w.level]
    for patient in range(w.oldest_window, w.enrolled):
        person = t.people[patient]
        if person.level == w.level and person.outcome in (Outcome.NOT_YET, Outcome.PENDING):
            day = person.infusion_day + p.days_to_resume[w.level]
            if day > w.today and (w.resume_day == NEVER or day > w.resume_day):
                w.resume_day = day


def undecided(w: Bench) -> None:
    """Note that the last decision on the cohort is still to come."""
    if w.cohorts <= COHORTS_TIMED:
        w.cohort_days[w.cohorts - 1] = -1


def look_at_outcomes(p: Protocol, w: Bench, t: Tables) -> None:
    """Make the data cut, if the cohort is complete or its decision is forced."""
    forced, outstanding = 0, 0
    if w.expansion and w.news:
        found = ask(p, w, t, Ask.EXPANSION, 0)
        if found < 0:
            return
        if t.answers[found][Answer.SAYS]:
            is_too_toxic(p, w, t, 0)
            cut_data(p, w, t, 0, 0, 0)
            return
    is_ready = is_complete(p, w)
    if not w.expansion and not is_ready and w.news and p.early_decision and not w.concluding and not w.calm:
        outstanding = outcomes_to_come(w)
        if outstanding and is_forced(p, w, t, outstanding):
            forced, is_ready = 1, True
    if is_ready:
        cut_data(p, w, t, forced, outstanding, 0)


def is_too_toxic(p: Protocol, w: Bench, t: Tables, late: int) -> None:
    """Write down that the expansion is closed, or is not opened at all: nobody is infused at its level from now on."""
    levels_change(p, w, t, late)
    w.expansion_closed_day = w.today
    permit(w, t, w.level - 1)


def permit(w: Bench, t: Tables, level: int) -> None:
    """Let nobody be infused above a level; who is on the way to one gets no cells, whatever is decided later."""
    w.permitted = level
    for patient in range(w.arrived, w.enrolled):
        person = t.people[patient]
        if person.level > level and person.outcome == Outcome.NOT_YET and not person.withheld:
            person.withheld = 1
            w.to_be_infused[person.level] -= 1


def is_forced(p: Protocol, w: Bench, t: Tables, outstanding: int) -> bool:
    """Return whether the level must be left, whatever is still outstanding.

    Where it is kept if no more DLT comes, that is not asked again before there is bad news: what the committee would
    see then is still the same, or the rule is monotone.
    """
    found = ask(p, w, t, Ask.MAY_BE_FORCED, outstanding)
    if found < 0:
        return False
    if t.answers[found][Answer.SAYS]:
        found = answer(p, w, t, Ask.FORCED, outstanding, beyond_places(w, outstanding))
        return found >= 0 and t.answers[found][Answer.SAYS] == 1
    elsewhere = w.windows + w.on_the_way - w.pending[w.level] - w.lymphodepleted[w.level]
    same = p.reads_followup != Followup.OF_EACH or elsewhere == 0
    if not p.reads_last and w.evaluable_patients + outstanding > 0 and (same or p.monotone):
        w.calm = 1
    return False


def stays_calm(p: Protocol, w: Bench) -> bool:
    """Return whether a decision to go on is one that only bad news can turn: of a monotone rule, on somebody's data."""
    if not p.monotone or p.reads_last:
        return False
    return w.evaluable_at_cut > 0 and w.cut_forced == 0 and w.bad_news == 0


def cut_data(p: Protocol, w: Bench, t: Tables, forced: int, outstanding: int, late: int) -> None:
    """Freeze what the committee will see; nobody is enrolled until it has decided.

    `late` is 1 if today's infusions have been given already.
    """
    levels_change(p, w, t, late)
    w.last_day = w.today
    w.open = w.news = 0
    w.resume_day = NEVER
    if FULL and p.notice_days:
        notice_is_void(w, t)
    if w.expansion:
        close_enrolment(p, w, t, 0)
        return
    w.cut_forced, w.cut_outstanding, w.bad_news, w.evaluable_at_cut = forced, outstanding, 0, w.evaluable_patients
    write_counts(p, w, t)
    if w.rolling and p.assignment_delay_days >= 0 and not forced and not w.concluding:
        w.calls = 1
    else:
        w.meeting_day = meeting_day(p, w, t, forced)


def meet(p: Protocol, w: Bench, t: Tables, late: int) -> None:
    """Let the committee decide, if it meets today; `late` is 1 if today's candidates have come already.

    The expansion that may follow is opened in a step by itself: a question on which the trial waits leaves nothing half
    done.
    """
    if w.calls:
        call_committee(p, w, t)
    if w.meeting_day == w.today and w.assigns:
        check_assignment(p, w, t)
    if w.meeting_day == w.today and w.code == Run.GOES_ON:
        decide(p, w, t, late)
    if w.code == Run.GOES_ON and w.expands_at != NO_LEVEL:
        open_expansion(p, w, t, late)


def call_committee(p: Protocol, w: Bench, t: Tables) -> None:
    """Set the day of the decision on today's data: a meeting's, or soon, where a rolling rule gives places or none."""
    found = decision(p, w, t)
    if found >= 0:
        w.calls, w.assigns = 0, stays(w, t.answers[found])
        w.meeting_day = w.today + p.assignment_delay_days if w.assigns else meeting_day(p, w, t, 0)


def check_assignment(p: Protocol, w: Bench, t: Tables) -> None:
    """See whether a rolling rule still stays on the day on which places are to be given; a move goes to a meeting."""
    write_counts(p, w, t)
    found = decision(p, w, t)
    if found >= 0:
        w.assigns = 0
        if not stays(w, t.answers[found]):
            w.meeting_day = meeting_day(p, w, t, 0)


def stays(w: Bench, decided: Row[int]) -> int:
    """Return whether a decision leaves a rolling rule at its level, or suspends accrual."""
    action = decided[Answer.SAYS]
    if action == Action.SUSPEND or (action != Action.STOP and decided[Answer.TO_LEVEL] == w.level):
        return 1
    return 0


def decide(p: Protocol, w: Bench, t: Tables, late: int) -> None:
    """Let the committee decide on the cohort's data cut."""
    if w.rolling:
        write_counts(p, w, t)
        w.news = w.bad_news = 0
        w.evaluable_at_cut = w.evaluable_patients
        if w.cut_forced:
            w.cut_outstanding = outcomes_to_come(w)
    kind, reason = Ask.CONCLUSION, w.stop_reason
    if not w.concluding:
        found = decision(p, w, t)
        if found < 0:
            return
        w.open_levels = t.seen[6] = t.answers[found][Answer.OPEN_LEVELS]
        if not is_left_to_recommend(w, t.answers[found]):
            follow(p, w, t, t.answers[found], late)
            return
        kind, reason = Ask.RECOMMENDATION, t.answers[found][Answer.WHY]
    recommend(p, w, t, kind, reason, late)


def decision(p: Protocol, w: Bench, t: Tables) -> int:
    """Ask for the decision; while somebody is on the way, what the cap leaves depends on the decision itself."""
    depends = w.on_the_way > 0 or given(w) > w.taken
    found, asks = 0, 2 if depends else 1
    places = p.cohort_size if depends else room(p, w, NO_LEVEL)
    while asks and found >= 0:
        found = decision_with(p, w, t, places if places > 0 else 0)
        asks -= 1
        if asks and found >= 0:
            level = t.answers[found][Answer.TO_LEVEL]
            places = room(p, w, level) - (given(w) - w.taken if level == w.level else 0)
    return found


def decision_with(p: Protocol, w: Bench, t: Tables, places: int) -> int:
    """Ask for the decision, with so many patients left under the cap; more than a cohort is as good as a cohort."""
    found = answer(p, w, t, Ask.DECISION, w.cut_outstanding, places if places < p.cohort_size else p.cohort_size)
    if found >= 0 and p.reads_followup == Followup.AT_LEVEL:
        seen = days_seen(p, w, t)
        while t.answers[found][Answer.TURNS_AT] <= seen:
            found = t.answers[found][Answer.TURNS_TO]
    return found


def days_seen(p: Protocol, w: Bench, t: Tables) -> int:
    """Return how many days of their windows the pending patients of the level have been observed, added up."""
    total, window_end = 0, p.window_end[w.level]
    for patient in range(w.oldest_window, w.enrolled):
        person = t.people[patient]
        if person.outcome == Outcome.PENDING and person.level == w.level:
            seen = w.today - person.infusion_day
            total += seen if seen < window_end else window_end
    return total


def is_provisional(w: Bench, decided: Row[int]) -> bool:
    """Return whether the trial stops with a recommendation that other outcomes than those before it can change."""
    return decided[Answer.RESTS_ON_DATA] == 1 and (w.on_the_way > 0 or w.windows > 0 or w.news > 0)


def is_left_to_recommend(w: Bench, decided: Row[int]) -> bool:
    """Return whether the trial stops for another reason than the rule's, with the data that the rule recommends on."""
    return decided[Answer.LEAVES_LEVEL] == 1 and not is_provisional(w, decided)


def follow(p: Protocol, w: Bench, t: Tables, decided: Row[int], late: int) -> None:
    """Do what the committee has decided."""
    action, level = decided[Answer.SAYS], decided[Answer.TO_LEVEL]
    provisional = is_provisional(w, decided)
    levels_change(p, w, t, late)
    the_committee_has_met(w, action)
    if action == Action.STOP or level < w.level or (action != Action.SUSPEND and level > w.level):
        let_go_of_places(w, t)
    permit(w, t, decided[Answer.RULE_ALONE] if provisional else level)
    if action != Action.SUSPEND and stays_calm(p, w):
        w.calm = 1
    if provisional:
        w.concluding, w.stop_reason = 1, decided[Answer.WHY]
        if not p.expands:
            close_enrolment(p, w, t, late)
        hold(w)
    elif action == Action.STOP:
        finish(p, w, t, level, decided[Answer.WHY], late)
    elif action == Action.SUSPEND:
        hold(w)
        wait_for_followup(p, w, t)
    elif w.rolling and level == w.level:
        w.open, w.held, w.vacant, w.places = 1, 0, 0, given(w) + decided[Answer.SO_MANY]
        undecided(w)
    else:
        open_cohort(p, w, level, decided[Answer.SO_MANY], 0)


def the_committee_has_met(w: Bench, action: int) -> None:
    """Write down that there is a decision."""
    w.last_day = w.today
    w.meeting_day = NEVER
    w.calm = 0
    if w.cohorts <= COHORTS_TIMED:
        w.cohort_days[w.cohorts - 1] = w.today - w.cohort_opened
    if action != Action.SUSPEND:
        no_doubt(w, action == Action.STOP)
        w.since_outcomes = w.since_dlts = 0


def recommend(p: Protocol, w: Bench, t: Tables, kind: int, reason: int, late: int) -> None:
    """End the escalation with what the rule recommends: at once for an expansion, otherwise the question is left."""
    level = NO_LEVEL
    if p.expands:
        found = answer(p, w, t, kind, 0, reason)
        if found < 0:
            return
        level, reason = t.answers[found][Answer.TO_LEVEL], t.answers[found][Answer.WHY]
    else:
        w.left_to_ask = kind
    levels_change(p, w, t, late)
    the_committee_has_met(w, Action.STOP)
    let_go_of_places(w, t)
    permit(w, t, level)
    finish(p, w, t, level, reason, late)


def finish(p: Protocol, w: Bench, t: Tables, level: int, reason: int, late: int) -> None:
    """End the escalation: expand at the recommended level, or close enrolment."""
    w.recommended, w.reason = level, reason
    if w.cohorts:
        w.ended_day = w.today
    if p.expands and level != NO_LEVEL and room_now(p, w) > 0:
        w.expands_at = level
    else:
        close_enrolment(p, w, t, late)


def open_expansion(p: Protocol, w: Bench, t: Tables, late: int) -> None:
    """Open the expansion at the recommended level, unless it would be closed at once."""
    w.level = w.expands_at
    found = ask(p, w, t, Ask.EXPANSION, 0)
    if found < 0:
        return
    w.expands_at = NO_LEVEL
    if t.answers[found][Answer.SAYS]:
        is_too_toxic(p, w, t, late)
        close_enrolment(p, w, t, late)
    else:
        open_cohort(p, w, w.level, room_now(p, w), 1)
