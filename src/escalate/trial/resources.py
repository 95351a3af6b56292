"""What a treatment needs besides a place: room in the unit, and a dose of the product."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..scenario.model import Scenario
from .logbook import Person

WEEK = 7
"""Days of a week."""


class Resources:
    """The beds, weeks and doses of one trial.

    Parameters
    ----------
    scenario : Scenario
        Capacity and product.
    people : sequence of Person
        Everybody who has come, as they come.
    batch_fails : sequence of bool
        What becomes of each batch; read when the day of its release has come.
    """

    def __init__(self, scenario: Scenario, people: Sequence[Person], batch_fails: Sequence[bool]) -> None:
        self._capacity, self._product = scenario.capacity, scenario.store
        self._schedules = scenario.schedules
        self._batches = list(zip(scenario.release_days, batch_fails, strict=True))
        self._first_weekday, self._limit = scenario.trial.start_date.weekday(), scenario.open_days.limit
        self._people = people
        self.today = 0

    @property
    def _treated(self) -> Iterator[Person]:
        """Those who have a place, but for those of whom it is known that they are not infused."""
        return (one for one in self._people if one.patient is not None and one.not_infused_reason is None)

    def with_capacity(self, day: int, level: int) -> int:
        """Return the first day, from a day on, on which the unit can begin another treatment at a level."""
        while self._capacity is not None and day < self._limit and not self._can_begin(day, level):
            day += 1
        return day

    def _can_begin(self, day: int, level: int) -> bool:
        return self._has_bed(day) and self._weeks_have_room(day, level)

    def _has_bed(self, day: int) -> bool:
        capacity = self._capacity
        if capacity is None or capacity.patients_at_once is None or capacity.discharge_days is None:
            return True
        occupied = sum(one.planned_infusion_day + capacity.discharge_days > day for one in self._treated)
        return occupied < capacity.patients_at_once

    def _weeks_have_room(self, day: int, level: int) -> bool:
        if self._capacity is None or self._capacity.infusions_per_week is None:
            return True
        wanted = list(self._weeks(day + self._schedules[level].lead_days, level))
        booked = [
            week
            for one in self._treated
            if one.cohort is not None
            for week in self._weeks(one.planned_infusion_day, one.cohort.level)
        ]
        return all(wanted.count(week) + booked.count(week) <= self._capacity.infusions_per_week for week in wanted)

    def _weeks(self, infusion_day: int, level: int) -> Iterator[int]:
        """Yield the week of each infusion of a patient at a level."""
        days = self._schedules[level].infusion_days
        return ((self._first_weekday + infusion_day + day) // WEEK for day in days)

    def with_dose(self, day: int) -> int:
        """Return the first day, from a day on, on which there is a dose, if no batch to come fails."""
        if self._product is None:
            return day
        left = self._product.doses_at_start - sum(1 for _ in self._treated)
        for released, fails in self._batches:
            if left > 0:
                break
            if released > self.today or not fails:
                left += self._product.doses_per_batch
                day = max(day, released) if left > 0 else day
        return day if left > 0 else max(day, self._limit)
