"""The clock of one trial: SimPy's, counting the phases of days."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy
from simpy.events import EventPriority

from .calendar import PHASES

_AFTER_ALL = EventPriority(9)
"""SimPy's priority of what comes last at its time; those of its own events are 0 and 1."""

Steps = Generator[simpy.Event, Any, None]
"""What an actor does, step by step; each step is an event that it waits for."""


class Clock(simpy.Environment):
    """SimPy's environment, counting the phases of days."""

    @property
    def time(self) -> int:
        """Phases since the start: 7 day + phase."""
        return self._now  # type: ignore[return-value]

    @property
    def today(self) -> int:
        """Days since the start date."""
        return self._now // PHASES  # type: ignore[return-value]

    def next_day_with(self, phase: int) -> int:
        """Return the first day on which a phase is not over."""
        return (self.time - phase - 1) // PHASES + 1

    def at(self, day: int, phase: int) -> simpy.Event:
        """Wait for a phase of a day; if it is over already, for nothing."""
        return self.timeout(self._delay(day, phase))

    def last_at(self, day: int, phase: int) -> simpy.Event:
        """Wait for a phase of a day, as `at` does, and for all else that happens in it, what follows from it, too."""
        event = simpy.Event(self)
        event._ok, event._value = True, None
        self.schedule(event, priority=_AFTER_ALL, delay=self._delay(day, phase))
        return event

    def _delay(self, day: int, phase: int) -> int:
        return max(day * PHASES + phase - self.time, 0)
