"""How checks are written that need more than one section of a scenario, and how they are run.

Each check names the sections that it reads and yields its complaints; it is run whenever those sections are valid by
themselves, so that a person sees all problems of a file at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .protocol import DoseLevel, Safety, Treatment, TrialSection, schedule_of
from .schedule import Schedule

Path = tuple[str | int, ...]
Complaint = tuple[Path, Any, str]
"""Where, the value that was got, and what is wrong with it."""
Check = Callable[..., Iterator[Complaint]]


class Checks:
    """The checks of one module, in their order; called with the sections that a check reads, it takes the check up."""

    def __init__(self) -> None:
        self.found: list[tuple[tuple[str, ...], Check]] = []
        """Each check, and the sections that it reads, by name."""

    def __call__(self, *sections: str) -> Callable[[Check], Check]:
        """Return what takes up a check of some sections."""

        def take_up(check: Check) -> Check:
            self.found.append((sections, check))
            return check

        return take_up


class Treated(NamedTuple):
    """A way in which patients are treated, and at which level; of levels that are treated alike, the lowest."""

    schedule: Schedule
    level: int
    here: str
    """Words that name the level; empty where all are treated alike."""


def treated(dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety) -> list[Treated]:
    """Return each way in which patients are treated."""
    schedules = [schedule_of(own, treatment, safety) for own in dose_levels]
    ways = {schedule: schedules.index(schedule) for schedule in schedules}
    return [Treated(one, at, f" at level {at + 1}" if len(ways) > 1 else "") for one, at in ways.items()]


def less_than(trial: TrialSection) -> str:
    """Say what a number of days must be."""
    return f"must be less than trial.max_days, which is {trial.max_days} days"


def last_window(dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety) -> Treated:
    """Return the way of treatment whose DLT window ends last."""
    return max(treated(dose_levels, treatment, safety), key=lambda each: each.schedule.window_end)
