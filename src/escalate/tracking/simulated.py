"""What the simulator's own tables say in other columns than a log: so that a simulated trial is a valid log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from ..errors import LogProblem
from ..scenario.model import Scenario
from ..words.records import NO_LEVEL, Action
from .columns import CUT_OFF
from .mapping import plain
from .rows import Row

LESS_THAN_FULL = "less than the full dose"
"""Why the simulator's patients are non-evaluable who completed their window."""


def without_cut_off(raw: dict[str, Any]) -> None:
    """Take who was still in the trial when its time was up as who still is."""
    state = raw.get("left_reason")
    if isinstance(state, str) and plain(state) == CUT_OFF:
        raw["left_reason"] = raw["left_date"] = None


def read_as_patient(row: Row, scenario: Scenario) -> Iterator[LogProblem]:
    """Fill in what follows from the simulator's columns; yield what contradicts."""
    if "dlt" not in row.heads and "outcome" in row.heads:
        less = row["non_evaluable_reason"] == LESS_THAN_FULL
        outcome = row["outcome"]
        row.values["dlt"] = "yes" if row["dlt_date"] is not None else "no" if outcome == "no DLT" or less else None
        is_all = row["infusions"] == _planned(row, scenario)
        full = "no" if less and is_all else "yes" if outcome == "no DLT" else None
        row.values.setdefault("full_dose", full)
    given = row["infusions"]
    if given == 0 and row["cells_given"] == 0:
        row.values["cells_given"] = None
    first, level, last = row["infusion_date"], row["level_assigned"], row["last_infusion_date"]
    if given and given > 1 and "infusion_2_date" not in row.heads and first is not None and level is not None:
        days = scenario.schedules[level].infusion_days[:given]
        dates = [first + timedelta(days=day) for day in days]
        if len(dates) < given or (last is not None and dates[-1] != last):
            said = "the infusions do not follow the schedule of the level; give each its column: infusion_2_date, ..."
            yield row.problem("infusions", said)
        for number, date in enumerate(dates[1:], 2):
            row.values[f"infusion_{number}_date"] = date


def read_as_meeting(row: Row) -> None:
    """Take the recommended level of a stop as the next one, where it has a column of its own."""
    if "recommended_level" in row.heads and row["decision"] == Action.STOP.words:
        recommended = row["recommended_level"]
        row.values["next_level"] = NO_LEVEL if recommended is None else recommended


def _planned(row: Row, scenario: Scenario) -> int | None:
    """Return how many infusions the protocol plans for a patient; ``None`` where no level is assigned."""
    level = row["level_assigned"]
    return None if level is None else len(scenario.schedules[level].infusion_days)
