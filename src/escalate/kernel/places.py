"""Places of a cohort, room under the cap, and the days on which treatment may start: what the kernel's gates read."""

from __future__ import annotations

from .bench import Bench, Protocol, Tables
from .codes import Open, Outcome, Wait


def has_free_place(w: Bench) -> bool:
    """Return whether the cohort has a place that nobody has taken, and that may be given."""
    return w.held == 0 and w.taken < w.places


def room(p: Protocol, w: Bench, level: int) -> int:
    """Return what the cap leaves if nothing above a level is given any more."""
    used = w.infused if p.cap_counts_infused else w.evaluable_patients + w.windows - w.placeless
    if w.on_the_way:
        for at in range(level + 1):
            used += w.lymphodepleted[at]
    return p.cap - used


def outcomes_to_come(w: Bench) -> int:
    """Return how many outcomes are outstanding: the cohort's, and with a rolling rule the level's."""
    if not w.rolling:
        free = w.places - w.taken if w.taken < w.places else 0
        return free + w.cohort_pending - w.cohort_placeless + w.cohort_lymphodepleted
    free = w.places - w.taken if has_free_place(w) else 0
    return free + w.pending[w.level] + w.lymphodepleted[w.level]


def beyond_places(w: Bench, outstanding: int) -> int:
    """Return how many are more than the cohort has places, of so many outstanding: nobody would replace them."""
    beyond = 0 if w.rolling or w.taken < w.places else w.taken - w.places
    return beyond if beyond < outstanding else outstanding


def is_complete(p: Protocol, w: Bench) -> bool:
    """Return whether every outcome is known that the decision waits for, and no place can be filled any more."""
    if w.rolling:
        if w.on_the_way or w.windows:
            return False
    elif w.cohort_lymphodepleted or w.cohort_pending:
        return False
    return not has_free_place(w) or room(p, w, w.permitted) <= 0


def open_day(t: Tables, what: int, day: int) -> int:
    """Return the first day, from a day on, that is open for something."""
    return t.open_days[what][day] if day < len(t.open_days[what]) else day


def meeting_day(p: Protocol, w: Bench, t: Tables, is_urgent: int) -> int:
    """Return the day on which the committee meets for what became known today."""
    if is_urgent and p.urgent_review_days >= 0:
        return open_day(t, Open.URGENT, w.today + p.urgent_review_days)
    return open_day(t, Open.COMMITTEE, w.today + p.review_delay_days)


def by_calendar(t: Tables, day: int) -> int:
    """Return the first day, from a day on, on which a treatment may begin as weekdays and closures go."""
    before = -1
    while day != before:
        before = day
        day = open_day(t, Open.BY_CLOSURE, open_day(t, Open.BY_WEEKDAY, day))
    return day


def opening(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the first day, from today on, on which every gate lets a place of the cohort open: see `trial.gates`."""
    after_stagger = stagger_until(p, w, t) - p.stagger_lead_days
    day = after_stagger if after_stagger > w.today else w.today
    day = by_calendar(t, w.reviewed_day if w.reviewed_day > day else day)
    if day > w.today:
        if after_stagger >= day:
            w.wake_gate = Wait.STAGGER
        elif w.reviewed_day >= day:
            w.wake_gate = Wait.REVIEW
        else:
            w.wake_gate = gate_of_calendar(t, day)
    return day


def gate_of_calendar(t: Tables, day: int) -> int:
    """Return which gate of the calendar lets a place open last, on a day."""
    return Wait.WEEKDAY if open_day(t, Open.BY_WEEKDAY, day - 1) >= day else Wait.CLOSURE


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
