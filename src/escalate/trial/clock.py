"""The clock of one trial: SimPy's, counting the phases of days."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from .calendar import PHASES

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
        delay = day * PHASES + phase - self._now
        return self.timeout(delay if delay > 0 else 0)
