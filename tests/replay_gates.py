"""What keeps a free place shut on a day, by the words of the protocol's keys, and as far as is known at an event.

`Days` knows the calendar: what rests, when the committee meets, on what a treatment falls. `Gates` adds what follows
from the patients of one trial. Of `escalate` the scenario's keys are read, and which batches fail, which is nature's.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from escalate.nature.draws import Nature
from schedules import Schedule, schedules_of

if TYPE_CHECKING:
    from replay import Person, Story

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
GATES = ("stagger", "review", "notice", "product", "capacity", "closure", "weekday")
"""In the order in which they are waited for."""
OF_UNIT = GATES[-4:]
"""Those that say on which days a rolling rule is asked for whoever is ready."""


class Days:
    """The days of a scenario, counted from its start; `limit` is the first one that no longer matters."""

    def __init__(self, scenario: Any) -> None:
        self.s, self.limit = scenario, scenario.trial.max_days + 1
        self._schedules = schedules_of(scenario)
        self._last = (date.max - scenario.trial.start_date).days
        self.resting = cache(self._resting)
        self.suits = cache(self._suits)

    def date(self, day: int) -> date:
        return self.s.trial.start_date + timedelta(days=min(day, self._last))

    def weekday(self, day: int) -> str:
        return WEEKDAYS[(self.s.trial.start_date.weekday() + day) % 7]

    def first(self, day: int, holds: Callable[[int], bool]) -> int:
        """The first day, from one on, of which something holds; `limit`, or the day itself, where none comes."""
        return next((each for each in range(day, self.limit) if holds(each)), max(day, self.limit))

    def schedule(self, level: int) -> Schedule:
        """How a level, from 1, is treated."""
        return self._schedules[level - 1]

    # What rests

    def _resting(self, what: str, day: int) -> tuple[int, ...]:
        """The closures, by number, for which a kind of work rests on a day."""
        on = self.date(day)
        closed = enumerate(self.s.calendar.closed)
        return tuple(number for number, closure in closed if what in closure.what and rests(closure, on))

    def opens(self, what: str, day: int) -> int:
        """The first day, from one on, on which a kind of work does not rest."""
        return self.first(day, lambda each: not self.resting(what, each))

    def rests_at(self, site: str | None, what: str, day: int) -> bool:
        """Whether a kind of work rests on a day at a site, or everywhere; without sites its name is none."""
        own = next((each.closed for each in self.s.sites if each.name == site), ())
        on = self.date(day)
        here = any(what in closure.what and rests(closure, on) for closure in own)
        return here or bool(self.resting(what, day))

    def opens_at(self, site: str | None, what: str, day: int) -> int:
        """The first day, from one on, on which a kind of work does not rest at a site."""
        return self.first(day, lambda each: not self.rests_at(site, what, each))

    def visits(self, day: int, level: int) -> list[tuple[str, int]]:
        """The days of lymphodepletion and of infusions of a treatment at a level that begins on a day."""
        schedule = self.schedule(level)
        zero = day + schedule.lead
        given = {offset for agent in schedule.agents for offset in agent.days}
        return [("lymphodepletion", zero + offset) for offset in sorted(given)] + [
            ("infusion", zero + offset) for offset in schedule.infusion_days
        ]

    def reasons(self, day: int, level: int) -> list[str]:
        """Why a treatment cannot begin on a day: the reasons of the closures that it would fall on."""
        hit = {number for what, on in self.visits(day, level) for number in self.resting(what, on)}
        return list(dict.fromkeys(self.s.calendar.closed[number].reason for number in sorted(hit)))

    def _suits(self, day: int, level: int) -> bool:
        """Whether start of lymphodepletion, first and later infusions of a treatment fall on weekdays of theirs."""
        treatment, schedule = self.s.treatment, self.schedule(level)
        zero = day + schedule.lead
        later = (self.weekday(zero + offset) in treatment.later_infusion_weekdays for offset in
                 schedule.infusion_days[1:])  # fmt: skip
        starts = not schedule.lead or self.weekday(day) in treatment.lymphodepletion_weekdays
        return starts and self.weekday(zero) in treatment.weekdays and all(later)

    # The committee

    def meets(self, day: int) -> bool:
        safety, on = self.s.safety, self.date(day)
        if self.resting("committee", day):
            return False
        if safety.meeting_dates:
            return on in safety.meeting_dates
        same = [each for each in range(1, monthrange(on.year, on.month)[1] + 1) if (each - on.day) % 7 == 0]
        week = same.index(on.day) + 1
        in_week = week in safety.meeting_weeks or (-1 in safety.meeting_weeks and week == len(same))
        return self.weekday(day) in safety.meeting_weekdays and (in_week or not safety.meeting_weeks)

    def meeting(self, day: int, is_urgent: bool = False) -> int:
        """The day on which the committee decides on what was cut, or is looked at, on a day."""
        safety = self.s.safety
        if is_urgent and safety.urgent_review_days is not None:
            return self.opens("committee", day + safety.urgent_review_days)
        return self.first(day + safety.review_delay_days, self.meets)


def rests(closure: Any, on: date) -> bool:
    """Whether a closure comes on a date; a leap day of every year is the last of February."""
    first, last = closure.first_day, closure.last_day
    if not closure.every_year:
        return bool(first <= on <= last)
    begins, ends = ((each.month, min(each.day, monthrange(on.year, each.month)[1])) for each in (first, last))
    here = on.month, on.day
    return begins <= here <= ends if first.year == last.year else here >= begins or here <= ends


class Gates:
    """The gates of one trial: each says whether it lets a treatment begin on a day, as known just before an event."""

    def __init__(self, story: Story) -> None:
        self.story, self.s, self.days = story, story.s, story.calendar
        self._open: dict[str, Callable[[int, int, int, int], bool]] = {
            "stagger": lambda day, cohort, k, _: day >= self.stagger_day(cohort, k),
            "review": lambda day, cohort, k, _: day >= self.review_day(cohort, k),
            "notice": lambda day, _, k, today: day >= self.notice_day(k, today),
            "product": lambda day, _, k, today: self.doses(day, k, today) > 0,
            "capacity": lambda day, cohort, k, _: (
                self.has_bed(day, k) and self.weeks_have_room(day, self.level(cohort), k)
            ),
            "closure": lambda day, cohort, *_: (
                not any(self.days.resting(what, on) for what, on in self.days.visits(day, self.level(cohort)))
            ),
            "weekday": lambda day, cohort, *_: self.days.suits(day, self.level(cohort)),
        }

    def level(self, cohort: int) -> int:
        """The level of a cohort, from 1."""
        return int(self.story.cohorts[cohort]["level"])

    def shut(self, today: int, cohort: int, k: int, gates: tuple[str, ...] = GATES) -> str | None:
        """The first gate that keeps a place of a cohort shut today, if one does."""
        return next((gate for gate in gates if not self._open[gate](today, cohort, k, today)), None)

    def lets_from(self, gate: str, today: int, cohort: int, k: int) -> int:
        """The first day on which a gate alone lets a treatment begin, as far as is known today."""
        if gate == "stagger":
            return max(today, self.stagger_day(cohort, k))
        if gate == "review":
            return max(today, self.review_day(cohort, k))
        if gate == "notice":
            return max(today, self.notice_day(k, today))
        if gate == "product":
            return next((day for day in self._release_days(today) if self.doses(day, k, today) > 0), self.days.limit)
        return self.days.first(today, lambda day: self._open[gate](day, cohort, k, today))

    def opens_on(self, today: int, cohort: int, k: int) -> int:
        """The first day on which all gates let a treatment begin, as far as is known today."""
        since = max(self.lets_from(gate, today, cohort, k) for gate in GATES[:4])
        return self.days.first(since, lambda day: all(self._open[gate](day, cohort, k, today) for gate in GATES[4:]))

    # What the patients leave

    def stagger_day(self, cohort: int, k: int) -> int:
        """The first day on which the next of a cohort may start treatment, as the stagger goes."""
        until = self.story.stagger_until(cohort, k)
        lead = self.days.schedule(self.level(cohort)).lead
        return until - lead if self.s.safety.lymphodepletion_in_stagger else until

    def review_day(self, cohort: int, k: int) -> int:
        """The day on which the committee looks at the DLT of a cohort's sentinel; 0 where it has none to look at."""
        if self.s.safety.after_sentinel_dlt == "go_on" or not self.story.has_sentinel(cohort):
            return 0
        infused = [p for p in self.story.by_cohort[cohort] if p.infused < k]
        sentinel = min(infused, key=lambda p: p.infused, default=None)
        if sentinel is None or not sentinel.has(k, "DLT"):
            return 0
        return self.days.meeting(self.story.events[sentinel.settled].day, is_urgent=True)

    def notice_day(self, k: int, today: int) -> int:
        """The day on which the notice of whose turn it is ends; one who has not been told can still be told today."""
        days, line = self.s.treatment.notice_days, self.story.line(k)
        if not days or not line:
            return 0
        told = self.story.noticed_on(line[0], k)
        return (today if told is None else told) + days

    def treated(self, k: int) -> list[Person]:
        """Those who have a place, but for those of whom it is known that they get no infusion."""
        return [p for p in self.story.patients if p.start < k <= p.refused]

    @cached_property
    def _batches(self) -> list[tuple[int, bool]]:
        """Day on which each batch is released, or fails, and whether it does."""
        trial, product = self.story.trial, self.s.product
        if product.batches_every_days is not None:
            days = list(range(product.batches_every_days, self.days.limit, product.batches_every_days))
        else:
            days = [max((each - self.s.trial.start_date).days, 0) for each in product.batch_dates]
            days = [day for day in days if day < self.days.limit]
        fails = Nature(self.s, trial.seed, trial.replicate, 1).batch_fails[0].tolist()
        return list(zip(days, fails, strict=True))

    def _release_days(self, today: int) -> list[int]:
        """Today, and the days after it on which a batch is to be released."""
        batches = self._batches if self.has_store else []
        return [today, *(day for day, _ in batches if day > today)]

    def released(self, day: int, today: int) -> int:
        """Doses that there are up to a day, used or not; batches to come are not yet known to fail."""
        batches = sum(released <= day and (released > today or not fails) for released, fails in self._batches)
        return int(self.s.product.doses_at_start + batches * self.s.product.doses_per_batch)

    @property
    def has_store(self) -> bool:
        """Whether doses come from a store."""
        return self.s.product is not None and self.s.product.kind == "off_the_shelf"

    def doses(self, day: int, k: int, today: int) -> int:
        """Doses in store on a day; one where there is no product to wait for."""
        return 1 if not self.has_store else self.released(day, today) - len(self.treated(k))

    def in_beds(self, day: int, k: int) -> int:
        """Patients between the start of treatment and discharge on a day."""
        stay = self.s.capacity.discharge_days
        return sum(self.story.events[p.start].day <= day < p.planned_day + stay for p in self.treated(k))

    def has_bed(self, day: int, k: int) -> bool:
        capacity = self.s.capacity
        return capacity is None or capacity.patients_at_once is None or self.in_beds(day, k) < capacity.patients_at_once

    def week(self, day: int) -> int:
        """The calendar week of a day, Monday to Sunday."""
        return (self.s.trial.start_date.weekday() + day) // 7

    def weeks_of(self, people: Iterable[Person]) -> Counter[int]:
        """How many infusions of some patients fall into each week, as they are booked."""
        days = (p.planned_day + offset for p in people for offset in self.days.schedule(p.level).infusion_days)
        return Counter(map(self.week, days))

    def weeks_have_room(self, day: int, level: int, k: int) -> bool:
        capacity, schedule = self.s.capacity, self.days.schedule(level)
        if capacity is None or capacity.infusions_per_week is None:
            return True
        booked = self.weeks_of(self.treated(k))
        wanted = Counter(self.week(day + schedule.lead + offset) for offset in schedule.infusion_days)
        return all(booked[week] + count <= capacity.infusions_per_week for week, count in wanted.items())
