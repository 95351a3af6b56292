"""How the patients of one dose level are treated: infusions, their shares of the dose, lymphodepletion.

A dose level is a dose with its schedule. Most protocols have one schedule for all levels, which `[treatment]` gives;
one that escalates the interval between infusions has one for each.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from pydantic import Field

from .section import Section, TenYears
from .values import AS_TUPLE


class Lymphodepletion(Section):
    """One lymphodepletion agent."""

    agent: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]
    """Name of the agent: small letters, digits and _."""
    mg_per_m2: Annotated[float, Field(ge=0.001, le=20_000)]
    """Dose a day, from 0.001 to 20,000: the largest in use, of methotrexate, is 12,000 [mg per m2 of body surface
    area]."""
    days: Annotated[tuple[Annotated[int, Field(lt=0, ge=-365)], ...], Field(min_length=1, max_length=365), AS_TUPLE]
    """Days of the agent, relative to the first infusion (day 0): negative; at most a year before, as lymphocytes are
    back by then."""


InfusionDays = Annotated[tuple[TenYears, ...], Field(min_length=1, max_length=366), AS_TUPLE]
InfusionShares = Annotated[tuple[Annotated[float, Field(ge=0.0001, le=1)], ...], AS_TUPLE]
Agents = Annotated[tuple[Lymphodepletion, ...], Field(max_length=20), AS_TUPLE]


@dataclass(frozen=True)
class Schedule:
    """The schedule of one dose level; levels that are treated alike have equal ones.

    Parameters
    ----------
    infusion_days : tuple of int
        Days of the infusions, from the first one, which is day 0 [days].
    shares : tuple of float
        Share of the full dose given by each infusion, in (0, 1].
    lymphodepletion : tuple of Lymphodepletion
        Agents given before the first infusion.
    window_end : int
        From the first infusion to the last day of the DLT window, itself included [days].
    """

    infusion_days: tuple[int, ...]
    shares: tuple[float, ...]
    lymphodepletion: tuple[Lymphodepletion, ...]
    window_end: int

    @cached_property
    def lead_days(self) -> int:
        """From the start of lymphodepletion to the first infusion [days]; 0 without lymphodepletion."""
        return max((-day for item in self.lymphodepletion for day in item.days), default=0)

    @cached_property
    def last_infusion_day(self) -> int:
        """From the first infusion to the last one [days]; 0 where there is one."""
        return self.infusion_days[-1]

    @cached_property
    def agent_days(self) -> tuple[int, ...]:
        """Days on which some agent is given, from the first infusion: negative, in order [days]."""
        return tuple(sorted({day for item in self.lymphodepletion for day in item.days}))


def check_schedule(
    days: tuple[int, ...] | None, shares: tuple[float, ...] | None, agents: tuple[Lymphodepletion, ...] | None
) -> None:
    """Refuse a schedule that contradicts itself; what is left out contradicts nothing.

    Raises
    ------
    ValueError
        With what is wrong.
    """
    if days is not None and (days[0] != 0 or any(b <= a for a, b in itertools.pairwise(days))):
        raise ValueError("infusion_days must begin with 0 and increase")
    if days is not None and shares is not None and len(shares) != len(days):
        raise ValueError(f"infusion_shares has {len(shares)} values for {len(days)} infusion_days")
    if shares is not None and abs(sum(shares) - 1) > 1e-9:
        raise ValueError(f"infusion_shares must add up to 1, got {sum(shares):g}")
    names = [item.agent for item in agents or ()]
    if len(set(names)) < len(names):
        raise ValueError("each lymphodepletion agent is written once, with all its days")
