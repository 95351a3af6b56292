"""The clock of one trial: SimPy's, counting the phases of days."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy
from simpy.events import EventPriority

from .calendar import PHASES

_USUAL, _AFTER_ALL = EventPriority(1), EventPriority(9)
"""SimPy's priorities: of a timeout, and of what comes last at its time; those of its own events are 0 and 1."""

Steps = Generator[simpy.Event, Any, None]
"""What an actor does, step by step; each step is an event that it waits for."""


class Clock(simpy.Environment):
    """SimPy's environment, counting the phases of days."""

    time = 0
    """Phases since the start: 7 day + phase."""
    today = 0
    """Days since the start."""
    _pause: simpy.Event | None = None

    def next_day_with(self, phase: int) -> int:
        """Return the first day on which a phase is not over."""
        return (self.time - phase - 1) // PHASES + 1

    def at(self, day: int, phase: int, priority: EventPriority = _USUAL) -> simpy.Event:
        """Wait for a phase of a day; if it is over already, for nothing: a timeout of SimPy's, in half the time."""
        event = simpy.Event(self)
        event._ok, event._value = True, None
        self.schedule(event, priority, max(day * PHASES + phase - self.time, 0))
        return event

    def last_at(self, day: int, phase: int) -> simpy.Event:
        """Wait for a phase of a day, as `at` does, and for all else that happens in it, what follows from it, too."""
        return self.at(day, phase, _AFTER_ALL)

    def pauses_before(self, event: simpy.Event) -> simpy.Event:
        """Let the next pause be before what happens at an event; return the event."""
        self._pause = event
        return event

    def comes_to_a_pause(self, until: int) -> bool:
        """Let everything happen up to the next pause, or else before a time; return whether it is a pause."""
        while self._queue:
            time, _, _, event = self._queue[0]
            if time >= until:
                break
            if time != self.time:
                self.time = int(time)
                self.today = self.time // PHASES
            if event is self._pause:
                self._pause = None
                return True
            self.step()
        self.time, self.today = until, until // PHASES
        return False
