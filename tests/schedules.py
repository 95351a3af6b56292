"""How a level is treated, by the words of the keys: what a dose level leaves out is that of `[treatment]`."""

from __future__ import annotations

from typing import Any, NamedTuple

from escalate.scenario import Scenario


class Schedule(NamedTuple):
    """Days of infusions, shares of the dose, agents, days from their beginning to day 0, last day of the window."""

    infusion_days: tuple[int, ...]
    shares: tuple[float, ...]
    agents: tuple[Any, ...]
    lead: int
    window: int


def schedule_at(scenario: Scenario, level: int) -> Schedule:
    """Return the schedule of a level, from 0."""
    own, common, safety = scenario.dose_levels[level], scenario.treatment, scenario.safety
    days = common.infusion_days if own.infusion_days is None else own.infusion_days
    shares = common.infusion_shares if own.infusion_shares is None else own.infusion_shares
    agents = common.lymphodepletion if own.lymphodepletion is None else own.lymphodepletion
    lead = -min((day for agent in agents for day in agent.days), default=0)
    window = safety.dlt_window_days
    if safety.dlt_window_anchor == "last_infusion":
        window += days[-1]
    return Schedule(days, shares or (1 / len(days),) * len(days), agents, lead, window)


def schedules_of(scenario: Scenario) -> list[Schedule]:
    """Return the schedules of all levels."""
    return [schedule_at(scenario, level) for level in range(len(scenario.dose_levels))]
