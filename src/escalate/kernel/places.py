"""Places of a cohort, room under the cap, and the days on which treatment may start: what the kernel's gates read."""

from __future__ import annotations

from ..nature.streams import NEVER
from .bench import Bench, Person, Protocol, Tables
from .codes import FULL, Open, Outcome, Wait, Way


def given(w: Bench) -> int:
    """Return how many places of the cohort are taken, or reserved."""
    return w.taken + w.reserved if FULL else w.taken


def has_free_place(w: Bench) -> bool:
    """Return whether the cohort has a place that nobody has taken, and that may be given."""
    return w.held == 0 and given(w) < w.places


def room(p: Protocol, w: Bench, level: int) -> int:
    """Return what the cap leaves if nothing above a level is given any more; reserved places are not counted."""
    used = w.infused if p.cap_counts_infused else w.evaluable_patients + w.windows - w.placeless
    if w.on_the_way:
        for at in range(level + 1):
            used += w.to_be_infused[at]
    return p.cap - used


def room_now(p: Protocol, w: Bench) -> int:
    """Return what the cap leaves as levels stand now, beside the reserved places."""
    left = room(p, w, w.permitted)
    return left - w.reserved if FULL else left


def can_give_place(p: Protocol, w: Bench) -> bool:
    """Return whether somebody who is ready can have a place of the open cohort, gates aside."""
    return w.open == 1 and has_free_place(w) and room_now(p, w) > 0


def outcomes_to_come(w: Bench) -> int:
    """Return how many outcomes are outstanding: the cohort's, and with a rolling rule the level's."""
    free, kept = w.places - given(w), given(w) - w.taken
    if not w.rolling:
        free = free if free > 0 else 0
        return free + kept + w.cohort_pending - w.cohort_placeless + w.cohort_lymphodepleted
    free = free if has_free_place(w) else 0
    return free + kept + w.pending[w.level] + w.lymphodepleted[w.level]


def beyond_places(w: Bench, outstanding: int) -> int:
    """Return how many are more than the cohort has places, of so many outstanding: nobody would replace them."""
    beyond = 0 if w.rolling or given(w) < w.places else given(w) - w.places
    return beyond if beyond < outstanding else outstanding


def is_complete(p: Protocol, w: Bench) -> bool:
    """Return whether every outcome is known that the decision waits for, and no place can be filled any more."""
    if FULL and w.reserved and not (w.rolling and w.news):
        return False
    if w.rolling or (w.concluding and not w.expansion):
        if w.on_the_way or w.windows:
            return False
    elif w.cohort_lymphodepleted or w.cohort_pending:
        return False
    return not has_free_place(w) or room_now(p, w) <= 0


def stop_infusions(p: Protocol, w: Bench, t: Tables, person: Person, until: int) -> None:
    """Write down the first infusion that was withheld since levels have stood as they do, up to a day."""
    called = w.cut_forced == 1 and w.meeting_day != NEVER and person.cohort == w.cohorts
    if person.stopped_day != NEVER or not (person.level > w.permitted or called):
        return
    for number in range(1, p.infusions[person.level]):
        day = person.infusion_day + t.infusion_days[person.level][number]
        if w.standing_since <= day < until:
            person.stopped_day = day
            return


def levels_change(p: Protocol, w: Bench, t: Tables, late: int) -> None:
    """Write down whose later infusions were withheld, before levels stand otherwise; today's too, if it is late."""
    if FULL and p.withholds_later:
        for patient in range(w.oldest_window, w.enrolled):
            if t.people[patient].outcome == Outcome.PENDING:
                stop_infusions(p, w, t, t.people[patient], w.today + late)
        w.standing_since = w.today + late


def open_day(t: Tables, what: int, day: int) -> int:
    """Return the first day, from a day on, that is open for something."""
    return t.open_days[what][day] if day < len(t.open_days[what]) else day


def meeting_day(p: Protocol, w: Bench, t: Tables, is_urgent: int) -> int:
    """Return the day on which the committee meets for what became known today."""
    if is_urgent and p.urgent_review_days >= 0:
        return open_day(t, Open.URGENT, w.today + p.urgent_review_days)
    return meeting_day_of_cut(p, t, w.today)


def meeting_day_of_cut(p: Protocol, t: Tables, cut_day: int) -> int:
    """Return the day of the meeting that decides on a data cut."""
    return open_day(t, Open.COMMITTEE, cut_day + p.review_delay_days)


def by_calendar(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the first day, from today on, on which the calendar lets a treatment begin that is shut by it today."""
    before = p.schedule_row[w.level]
    day = open_day(t, Open.BY_CLOSURE + before, w.today)
    if day > w.today:
        w.wake_gate = Wait.CLOSURE
        return day
    day = open_day(t, Open.BY_WEEKDAY + before, w.today)
    if day > w.today:
        w.wake_gate = Wait.WEEKDAY
    return day


def shut_until(p: Protocol, w: Bench, t: Tables) -> int:
    """Return when the first gate opens that keeps a place shut today, and note which it is; today, if none does.

    The gates are those of `trial.gates`, in their order.
    """
    day = stagger_until(p, w, t) - p.stagger_lead_days[w.level]
    if day > w.today:
        w.wake_gate = Wait.STAGGER
        return day
    if FULL and w.reviewed_day > w.today:
        w.wake_gate = Wait.REVIEW
        return w.reviewed_day
    if FULL and p.notice_days:
        day = notice_until(p, w, t)
        if day > w.today:
            w.wake_gate = Wait.NOTICE
            return day
    return by_unit(p, w, t)


def notice_until(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the first day on which whose turn it is has been told for long enough."""
    place = whose_turn(w, t, -1, -1)
    return t.here[place].noticed_day + p.notice_days if place >= 0 and t.here[place].noticed_day >= 0 else 0


def whose_turn(w: Bench, t: Tables, after_day: int, after_place: int) -> int:
    """Return the place of the next in line behind somebody; -1 for nobody. By the day since when, then of coming."""
    found = -1
    for place in range(w.here):
        candidate = t.here[place]
        if candidate.way != Way.WAITS:
            continue
        day = candidate.ready_day
        behind = day > after_day or (day == after_day and place > after_place)
        if behind and (found < 0 or day < t.here[found].ready_day):
            found = place
    return found


def by_unit(p: Protocol, w: Bench, t: Tables) -> int:
    """Return when the first gate of the unit opens that is shut today, and note which it is; today, if none is."""
    if FULL and p.has_resources:
        day = with_resources(p, w, t)
        if day > w.today:
            return day
    return by_calendar(p, w, t)


def with_resources(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the first day, from today on, on which there is a dose, or the unit has room, where it is short of one."""
    day = with_dose(p, w, t)
    if day > w.today:
        w.wake_gate = Wait.PRODUCT
        return day
    day = with_capacity(p, w, t)
    if day > w.today:
        w.wake_gate = Wait.CAPACITY
    return day


def with_capacity(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the first day, from today on, on which the unit can begin another treatment."""
    day = w.today
    if p.patients_at_once == 0 and p.infusions_per_week == 0:
        return day
    while day <= p.max_days and not (has_bed(p, w, t, day) and weeks_have_room(p, w, t, day)):
        day += 1
    return day


def has_bed(p: Protocol, w: Bench, t: Tables, day: int) -> bool:
    """Return whether a bed is free on a day, on which nobody else begins."""
    occupied = 0
    for patient in range(w.enrolled):
        person = t.people[patient]
        if person.outcome != Outcome.NOT_INFUSED and person.infusion_day + p.discharge_days > day:
            occupied += 1
    return p.patients_at_once == 0 or occupied < p.patients_at_once


def weeks_have_room(p: Protocol, w: Bench, t: Tables, day: int) -> bool:
    """Return whether the weeks of all infusions of a treatment that begins on a day have room for them."""
    if p.infusions_per_week == 0:
        return True
    infusion_day = day + p.lead_days[w.level]
    for number in range(p.infusions[w.level]):
        week = week_of(p, infusion_day + t.infusion_days[w.level][number])
        booked = infusions_in(p, t, w.level, infusion_day, week)
        for patient in range(w.enrolled):
            person = t.people[patient]
            if person.outcome != Outcome.NOT_INFUSED:
                booked += infusions_in(p, t, person.level, person.infusion_day, week)
        if booked > p.infusions_per_week:
            return False
    return True


def infusions_in(p: Protocol, t: Tables, level: int, infusion_day: int, week: int) -> int:
    """Return how many infusions of a patient at a level fall into a week."""
    count = 0
    for number in range(p.infusions[level]):
        if week_of(p, infusion_day + t.infusion_days[level][number]) == week:
            count += 1
    return count


def week_of(p: Protocol, day: int) -> int:
    """Return the number of a day's calendar week."""
    return (p.first_weekday + day) // 7


def with_dose(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the first day, from today on, on which there is a dose, if no batch to come fails."""
    if not p.has_product:
        return w.today
    left, day = p.doses_at_start, w.today
    for patient in range(w.enrolled):
        if t.people[patient].outcome != Outcome.NOT_INFUSED:
            left -= 1
    for batch in range(len(t.release_days)):
        if left > 0:
            return day
        if t.release_days[batch] > w.today or not t.batch_fails[batch]:
            left += p.doses_per_batch
            if left > 0 and t.release_days[batch] > day:
                day = t.release_days[batch]
    return day if left > 0 else p.max_days + 1


def stagger_until(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the first day on which the cohort's next patient may be infused.

    Until somebody has been infused, everybody who may turn out to be the first is staggered as a sentinel, too.
    """
    earliest, treated, somebody_infused = 0, 0, False
    for patient in range(w.first_patient, w.enrolled):
        person = t.people[patient]
        if person.outcome == Outcome.NOT_INFUSED:
            continue
        stagger = p.stagger_days if treated or not w.has_sentinel else 0
        if w.has_sentinel and not somebody_infused and p.sentinel_stagger_days > stagger:
            stagger = p.sentinel_stagger_days
        if person.infusion_day + stagger > earliest:
            earliest = person.infusion_day + stagger
        treated += 1
        if person.outcome != Outcome.NOT_YET:
            somebody_infused = True
    return earliest
