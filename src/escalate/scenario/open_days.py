"""Which days the trial works on: what weekdays, meetings and closures together leave, day by day from the start date.

Both engines look their days up here. What follows from the patients of a trial (stagger, places) is theirs.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .calendar import Calendar, Closure, Work
from .protocol import EVERY_DAY, Safety, Treatment, TrialSection
from .schedule import Schedule

LAST_OF_MONTH = -1
"""How the last such weekday of a month is called among `safety.meeting_weeks`."""

Days = NDArray[np.int64]
Open = NDArray[np.bool_]


class OpenDays:
    """The days of one scenario.

    Days count from the start date; ``limit`` is the first one that no longer matters, and stands for "never".

    Parameters
    ----------
    trial : TrialSection
        Start, and how long a trial may last.
    treatment : Treatment
        Weekdays.
    safety : Safety
        When the committee meets.
    calendar : Calendar
        Closures.
    schedules : sequence of Schedule
        For each dose level, the days of lymphodepletion and infusions.
    of_site : sequence of Closure
        Closures of one site beside them.
    """

    def __init__(
        self,
        trial: TrialSection,
        treatment: Treatment,
        safety: Safety,
        calendar: Calendar,
        schedules: Sequence[Schedule],
        of_site: Sequence[Closure] = (),
    ) -> None:
        self._start, self._treatment, self._safety = trial.start_date, treatment, safety
        self._closures, self._schedules = (*calendar.closed, *of_site), schedules
        self.limit = trial.max_days + 1
        longest = self.limit + max(schedule.lead_days + schedule.last_infusion_day for schedule in schedules)
        self._length = min(longest, (date.max - self._start).days)

    # What the engines ask

    @cached_property
    def by_weekday(self) -> tuple[Days, ...]:
        """At each level, for each day the first one, from it on, with which a treatment may begin as its weekdays go.

        The weekdays are those of the first infusion, of the start of lymphodepletion, and of later infusions.
        """
        return self._at_each_level(self._by_weekday)

    @cached_property
    def by_closure(self) -> tuple[Days, ...]:
        """At each level, the same for closures: no lymphodepletion or infusion falls on a closed day."""
        return self._at_each_level(self._by_closure)

    @cached_property
    def committee(self) -> Days:
        """For each day the first one, from it on, on which the committee meets."""
        return self._first_of(self._meets)

    @cached_property
    def urgent(self) -> Days:
        """For each day the first one, from it on, on which the committee can meet urgently."""
        return self._first_of(~self._closed("committee"))

    @cached_property
    def screening(self) -> Days:
        """For each day the first one, from it on, on which results of screening are given."""
        return self._first_of(~self._closed("screening"))

    @cached_property
    def consent(self) -> Days:
        """For each day the first one, from it on, on which somebody may consent."""
        return self._first_of(~self._closed("consent"))

    def pauses(self) -> list[tuple[int, int]]:
        """Return when nobody consents, as first day and first day after it, merged and in order."""
        closed = np.flatnonzero(self._closed("consent"))
        runs = groupby(enumerate(closed.tolist()), lambda pair: pair[1] - pair[0])
        spans = [[day for _, day in run] for _, run in runs]
        return [(days[0], days[-1] + 1) for days in spans]

    def closures(self) -> Iterator[tuple[int, int, Closure]]:
        """Yield every time that something is closed, in order: first day, first day after it, and the closure."""
        found = [(first, after, item) for item in self._closures for first, after in self._spans(item)]
        yield from sorted(found, key=lambda each: each[:2])

    def reasons(self, day: int, level: int) -> list[str]:
        """Return the reasons of the closures on which a treatment at a level that begins on a day would fall."""
        return list(dict.fromkeys(item.reason for item in self._in_the_way(day, self._schedules[level])))

    def visits_words(self, level: int) -> str:
        """Return the days of a treatment that are bound to weekdays, from the first infusion: ``-3, 0 and 7``."""
        schedule = self._schedules[level]
        days = sorted({day - schedule.lead_days for day, _ in self._visits(schedule)})
        *others, last = map(str, days)
        return f"{', '.join(others)} and {last}" if others else last

    # How it follows

    def _first_of(self, is_open: Open) -> Days:
        """Return for each day the first open one from it on; `limit` where none comes."""
        days = np.where(is_open[: self.limit], np.arange(self.limit), self.limit)
        return np.minimum.accumulate(days[::-1])[::-1].copy()

    def _at_each_level(self, first_days: Callable[[Schedule], Days]) -> tuple[Days, ...]:
        """Return the first open days of each level; levels that are treated alike have the same."""
        found = {schedule: first_days(schedule) for schedule in dict.fromkeys(self._schedules)}
        return tuple(found[schedule] for schedule in self._schedules)

    def _by_weekday(self, schedule: Schedule) -> Days:
        found = np.ones(self.limit, dtype=np.bool_)
        for offset, weekdays in self._visits(schedule):
            found &= self._falls_on(weekdays, offset)
        return self._first_of(found)

    def _by_closure(self, schedule: Schedule) -> Days:
        found = np.ones(self.limit, dtype=np.bool_)
        lead = schedule.lead_days
        given, infused = self._closed("lymphodepletion"), self._closed("infusion")
        for offset in schedule.agent_days:
            found &= ~self._later(given, lead + offset)
        for offset in schedule.infusion_days:
            found &= ~self._later(infused, lead + offset)
        return self._first_of(found)

    def _visits(self, schedule: Schedule) -> Iterator[tuple[int, Sequence[str]]]:
        """Yield the days of a treatment that are bound to weekdays, from its beginning, with those weekdays."""
        lead, treatment = schedule.lead_days, self._treatment
        yield lead, treatment.weekdays
        if lead:
            yield 0, treatment.lymphodepletion_weekdays
        for day in schedule.infusion_days[1:]:
            yield lead + day, treatment.later_infusion_weekdays

    def _falls_on(self, weekdays: Sequence[str], offset: int) -> Open:
        allowed = np.array([name in weekdays for name in EVERY_DAY])
        return np.asarray(allowed[(self._start.weekday() + offset + np.arange(self.limit)) % 7])

    def _later(self, closed: Open, offset: int) -> Open:
        """Return what is closed so many days after each day; what is later than all that is known is open."""
        part = closed[offset : offset + self.limit]
        return np.concatenate([part, np.zeros(self.limit - len(part), dtype=np.bool_)])

    @property
    def _meets(self) -> Open:
        safety = self._safety
        found = np.zeros(self._length, dtype=np.bool_)
        if safety.meeting_dates:
            days = np.array([(day - self._start).days for day in safety.meeting_dates])
            found[days[(days >= 0) & (days < self._length)]] = True
        else:
            found[: self.limit] = self._falls_on(safety.meeting_weekdays, 0)
            if safety.meeting_weeks:
                found[: self.limit] &= self._in_weeks(safety.meeting_weeks)
        return np.asarray(found & ~self._closed("committee"))

    def _in_weeks(self, weeks: Sequence[int]) -> Open:
        """Return whether each day is the first, second, ... such weekday of its month."""
        found = np.zeros(self.limit, dtype=np.bool_)
        for day in range(self.limit):
            when = self._start + timedelta(days=day)
            is_last = when.day + 7 > monthrange(when.year, when.month)[1]
            found[day] = (when.day + 6) // 7 in weeks or (is_last and LAST_OF_MONTH in weeks)
        return found

    def _closed(self, what: Work) -> Open:
        """Return whether each day is closed for something, shape (length,)."""
        found = np.zeros(self._length, dtype=np.bool_)
        for closure in self._closures:
            if what in closure.what:
                for first, after in self._spans(closure):
                    found[first:after] = True
        return found

    def _spans(self, closure: Closure) -> Iterator[tuple[int, int]]:
        """Yield the days of a closure, first and first one after it."""
        end = self._start + timedelta(days=self._length - 1)
        for first, last in closure.spans(self._start, end):
            days = max((first - self._start).days, 0), min((last - self._start).days + 1, self._length)
            if days[0] < days[1]:
                yield days

    @cached_property
    def _closed_days(self) -> list[tuple[Closure, list[tuple[int, int]]]]:
        """Each closure with its days."""
        return [(closure, list(self._spans(closure))) for closure in self._closures]

    def _in_the_way(self, day: int, schedule: Schedule) -> Iterator[Closure]:
        """Yield the closures on which a treatment that begins on a day would fall."""
        lead = schedule.lead_days
        needed: dict[str, set[int]] = {
            "lymphodepletion": {day + lead + offset for offset in schedule.agent_days},
            "infusion": {day + lead + offset for offset in schedule.infusion_days},
        }
        for closure, spans in self._closed_days:
            hit: Any = set().union(*(days for what, days in needed.items() if what in closure.what))
            if any(first <= each < after for first, after in spans for each in hit):
                yield closure
