"""The sections of a scenario that say what the protocol is: the trial, its doses, treatment, safety, follow-up.

One class per section, one field per key, with its unit in its name and its meaning in its description (which the JSON
Schema and the error messages repeat). Checks that need one section alone stand here; checks that need several are in
`checks`. The escalation rule is in `rules`, what goes around it in `policies`.
"""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..words.records import MOST_PATIENTS
from .section import Days, Section
from .values import AS_TUPLE

Weekday = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
Weekdays = Annotated[tuple[Weekday, ...], Field(min_length=1), AS_TUPLE]
EVERY_DAY: tuple[Weekday, ...] = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class TrialSection(Section):
    """What the trial is: title, dates, size."""

    title: Annotated[str, Field(min_length=1)]
    """Title of the trial."""
    registry_id: str = ""
    """Identifier in a trial registry."""
    description: str = ""
    """What this scenario is for, in a sentence or two."""
    start_date: date
    """Day 0: from this date on candidates may consent."""
    planned_completion_date: date | None = None
    """Registered completion date; the chance to finish by it is reported."""
    planned_patients: Annotated[int, Field(ge=1, le=MOST_PATIENTS)]
    """The cap: most patients, counted as `cap_counts` says; at most 10,000."""
    cap_counts: Literal["evaluable", "infused"] = "evaluable"
    """Whom the cap counts: evaluable patients (non-evaluable ones are extra) or everybody infused."""
    last_cohort: Literal["whole", "partial"] = "whole"
    """Whether a cohort that the cap leaves room for only in part is not started, or treated in part."""
    max_days: Annotated[int, Field(ge=1, le=100_000)] = 3650
    """A trial still going on after this many days is ended with that reason [days]."""

    @model_validator(mode="after")
    def _dates_exist(self) -> TrialSection:
        if date.max - self.start_date < timedelta(days=self.max_days):
            raise ValueError("start_date is so late that the calendar ends before max_days")
        return self

    @model_validator(mode="after")
    def _completion_after_start(self) -> TrialSection:
        if self.planned_completion_date is not None and self.planned_completion_date <= self.start_date:
            raise ValueError("planned_completion_date must be later than start_date")
        return self

    @property
    def title_and_id(self) -> str:
        """The title, with the identifier in brackets if there is one."""
        return self.title + (f" ({self.registry_id})" if self.registry_id else "")


class DoseLevel(Section):
    """One dose level; levels are written lowest first."""

    label: Annotated[str, Field(min_length=1)]
    """What people call the dose, with its unit."""
    cells: Annotated[float, Field(gt=0)] | None = None
    """Cells of the full dose, over all infusions [cells]; left out for a drug."""


class Lymphodepletion(Section):
    """One lymphodepletion agent."""

    agent: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    """Name of the agent: small letters, digits and _."""
    mg_per_m2: Annotated[float, Field(gt=0)]
    """Dose a day [mg per m2 of body surface area]."""
    days: Annotated[tuple[Annotated[int, Field(lt=0)], ...], Field(min_length=1), AS_TUPLE]
    """Days of the agent, relative to the first infusion (day 0): negative."""


class BodySurfaceArea(Section):
    """Body surface area of patients: normal, truncated to a range."""

    mean_m2: Annotated[float, Field(gt=0)]
    """Mean before truncation [m2]."""
    sd_m2: Annotated[float, Field(ge=0)]
    """Standard deviation before truncation [m2]."""
    min_m2: Annotated[float, Field(gt=0)]
    """Smallest [m2]."""
    max_m2: Annotated[float, Field(gt=0)]
    """Largest [m2]."""

    @model_validator(mode="after")
    def _ordered(self) -> BodySurfaceArea:
        if not self.min_m2 <= self.mean_m2 <= self.max_m2:
            raise ValueError("min_m2 <= mean_m2 <= max_m2 is needed")
        return self


class Treatment(Section):
    """How a patient is treated."""

    infusion_days: Annotated[tuple[Days, ...], Field(min_length=1), AS_TUPLE] = (0,)
    """Days of the infusions, relative to the first one, which is day 0."""
    infusion_shares: Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], AS_TUPLE] | None = None
    """Share of the dose given by each infusion; adds up to 1; equal shares where it is left out."""
    weekdays: Weekdays = EVERY_DAY
    """Weekdays on which a first infusion is possible."""
    lymphodepletion: Annotated[tuple[Lymphodepletion, ...], AS_TUPLE] = ()
    """Agents given before the first infusion; none for a drug without conditioning."""
    body_surface_area: BodySurfaceArea | None = None
    """Needed for amounts of lymphodepletion agents in mg."""

    @model_validator(mode="after")
    def _infusions(self) -> Treatment:
        days, shares = self.infusion_days, self.infusion_shares
        if days[0] != 0 or any(b <= a for a, b in itertools.pairwise(days)):
            raise ValueError("infusion_days must begin with 0 and increase")
        if shares is not None and len(shares) != len(days):
            raise ValueError(f"infusion_shares has {len(shares)} values for {len(days)} infusion_days")
        if shares is not None and abs(sum(shares) - 1) > 1e-9:
            raise ValueError(f"infusion_shares must add up to 1, got {sum(shares):g}")
        agents = [item.agent for item in self.lymphodepletion]
        if len(set(agents)) < len(agents):
            raise ValueError("each lymphodepletion agent is written once, with all its days")
        return self


class Safety(Section):
    """How patients are protected: window, cohorts, stagger, committee."""

    dlt_window_days: Days
    """Length of the DLT window; it runs from its anchor to anchor + this many days, both included [days]."""
    dlt_window_anchor: Literal["first_infusion", "last_infusion"] = "first_infusion"
    """Infusion from which the window's days count; observation always begins with the first infusion."""
    start_level: Annotated[int, Field(ge=1)] = 1
    """Dose level of the first cohort, from 1."""
    cohort_size: Annotated[int, Field(ge=1, le=MOST_PATIENTS)] = 3
    """Most evaluable patients treated at one level between two decisions."""
    sentinel_stagger_days: Days = 0
    """From the sentinel's first infusion to the next patient's [days]."""
    sentinel: Literal["every_cohort", "new_level"] = "every_cohort"
    """Which cohorts begin with a sentinel: all, or only the first one at each level."""
    stagger_days: Days = 0
    """Between the first infusions of later patients of a cohort [days]."""
    review_delay_days: Days = 0
    """From the data cut to the committee's meeting, or to the next meeting weekday after it [days]."""
    meeting_weekdays: Weekdays = EVERY_DAY
    """Weekdays on which the committee meets."""
    early_decision: bool | None = None
    """Whether the data cut comes early when nothing still pending can change the decision. Places are left empty then,
    which makes rules that recommend from counts look worse; where it is left out, true for 3+3 and rolling six, and
    false for all others."""
    replace_non_evaluable: bool = True
    """Whether non-evaluable patients are replaced within the cohort."""
    dlt_after_lymphodepletion: Literal["infuse", "withhold"] = "infuse"
    """What happens to a patient between lymphodepletion and infusion when another patient's DLT becomes known."""
    when_rule_finished: Literal["stop", "expand"] = "stop"
    """What happens to places left under the cap: nothing, or patients at the recommended dose."""


def window_end_offset(treatment: Treatment, safety: Safety) -> int:
    """Return the last day of the DLT window, itself included, counted from the first infusion [days]."""
    late = treatment.infusion_days[-1] if safety.dlt_window_anchor == "last_infusion" else 0
    return safety.dlt_window_days + late


class FollowUp(Section):
    """How long patients are followed."""

    days: Annotated[int, Field(ge=0)]
    """From the first infusion to the last day of follow-up [days]."""
