"""What a scenario says: the protocol, and what is assumed about nature.

One class per section of the file, one field per key, with its unit in its name and its meaning in its description
(which the JSON Schema and the error messages repeat). Checks that need one section alone stand here; checks that
need several are in `checks`.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from ..words.records import MOST_PATIENTS
from .policies import Limits, Stopping, Titration
from .rules import RuleOptions, decides_early
from .section import Section

Probability = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(ge=0, le=1_000_000)]
Weekday = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
Weekdays = Annotated[list[Weekday], Field(min_length=1)]
EVERY_DAY: list[Weekday] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


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
    days: Annotated[list[Annotated[int, Field(lt=0)]], Field(min_length=1)]
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

    infusion_days: Annotated[list[Days], Field(min_length=1)] = [0]
    """Days of the infusions, relative to the first one, which is day 0."""
    infusion_shares: list[Annotated[float, Field(gt=0, le=1)]] | None = None
    """Share of the dose given by each infusion; adds up to 1; equal shares where it is left out."""
    weekdays: Weekdays = EVERY_DAY
    """Weekdays on which a first infusion is possible."""
    lymphodepletion: list[Lymphodepletion] = []
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


class Pause(Section):
    """A time in which nobody consents (a holiday, a clinical hold)."""

    first_day: date
    """First date without consents."""
    last_day: date
    """Last date without consents."""

    @model_validator(mode="after")
    def _ordered(self) -> Pause:
        if self.last_day < self.first_day:
            raise ValueError("last_day must not be before first_day")
        return self


class Accrual(Section):
    """How candidates come, whatever the arrival process."""

    without_place: Literal["wait", "lost"] = "wait"
    """What an eligible candidate does who finds no open place: wait, or be lost to the trial."""
    patience_days: Days | None = None
    """Days that a candidate waits for a place before giving up; for ever where it is left out [days]."""
    most_waiting: Annotated[int, Field(ge=1)] | None = None
    """Most candidates who wait at one time; whoever comes then is lost; any number where it is left out."""


class PoissonAccrual(Accrual):
    """Candidates consent at random, at a constant rate."""

    kind: Literal["poisson"]
    """Arrival process."""
    consents_per_month: Annotated[float, Field(ge=0, le=10_000)]
    """Mean number of consents a month of 30.4375 days, screen failures included; at most 10,000."""
    pauses: list[Pause] = []
    """Times in which nobody consents."""


class FixedAccrual(Accrual):
    """Candidates consent on given days."""

    kind: Literal["fixed"]
    """Arrival process."""
    consent_days: list[Days]
    """Days of consent since the start date, in order; several on one day are written several times [days]."""

    @field_validator("consent_days")
    @classmethod
    def _in_order(cls, days: list[int]) -> list[int]:
        if days != sorted(days):
            raise ValueError("consent_days must be in order")
        return days


class Screening(Section):
    """Screening of candidates."""

    days: Days = 0
    """From consent to the screening result [days]."""
    failure_probability: dict[str, Probability] = {}
    """Probability of failing, by criterion: the first criterion that is not met; adds up to at most 1."""

    @field_validator("failure_probability")
    @classmethod
    def _at_most_one(cls, parts: dict[str, float]) -> dict[str, float]:
        if sum(parts.values()) > 1 + 1e-9:
            raise ValueError(f"the probabilities add up to {sum(parts.values()):g}, more than 1")
        return parts


class UniformOnset(Section):
    """A DLT comes on any day of the window with the same probability."""

    kind: Literal["uniform"]
    """Shape of the onset."""


class WeibullOnset(Section):
    """The time to a DLT is Weibull, such that a given share of the window's DLTs comes in its second half."""

    kind: Literal["weibull"]
    """Shape of the onset."""
    second_half_share: Annotated[float, Field(gt=0, lt=1)]
    """Share of the DLTs in the window that come in its second half."""


class ListOnset(Section):
    """A DLT comes on one of the listed days, each as likely as its place in the list (repeat a day to weigh it)."""

    kind: Literal["list"]
    """Shape of the onset."""
    days: Annotated[list[Days], Field(min_length=1)]
    """Days after the first infusion [days]."""


class Toxicity(Section):
    """What nature does at each dose."""

    dlt_probability: Annotated[list[Probability], Field(min_length=1)]
    """Probability of a DLT inside the window at each dose level, lowest first."""
    overdose_above: Annotated[float, Field(gt=0, lt=1)] | None = None
    """P(DLT) above which a patient counts as overdosed and a recommended dose as too toxic; the rule's target where it
    is left out (for the BLRM, where overdose begins). It changes no trial."""
    mtd_level: Annotated[int, Field(ge=0)] | None = None
    """Dose level that counts as the right one to recommend, 0 for no dose; where it is left out, the highest one whose
    P(DLT) is not above `overdose_above`. It changes no trial."""
    onset: Annotated[UniformOnset | WeibullOnset | ListOnset, Field(discriminator="kind")] = UniformOnset(
        kind="uniform"
    )
    """When in the window a DLT comes."""


class Attrition(Section):
    """How patients are lost after they have a place."""

    not_infused_probability: Probability = 0.0
    """Probability that a lymphodepleted patient receives no cells (infection, product failure, withdrawal)."""
    partial_dose_probability: Probability = 0.0
    """Probability that an infused patient receives less than the full dose."""
    partial_dose_share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Share of the dose that such a patient receives."""
    drop_out_per_year: Probability = 0.0
    """Probability that an infused patient leaves within 365.25 days, at a constant hazard."""


class WhatIf(Section):
    """Fixes what happens to one patient, to tell or to test a story; whatever is left out stays random."""

    patient: Annotated[int, Field(ge=1)]
    """Enrolment number, from 1."""
    dlt: bool | None = None
    """Whether the patient has a DLT; `dlt_day = ...` says yes and when."""
    dlt_day: Days | None = None
    """Day of the DLT after the first infusion; beyond the window it is recorded and not counted [days]."""
    drop_out: bool | None = None
    """Whether the patient leaves; `drop_out_day = ...` says yes and when."""
    drop_out_day: Days | None = None
    """Last day observed, after the first infusion [days]."""
    infused: bool | None = None
    """Whether the patient receives cells after lymphodepletion."""
    full_dose: bool | None = None
    """Whether the infused patient receives the full dose."""

    @model_validator(mode="after")
    def _consistent(self) -> WhatIf:
        if self.dlt is False and self.dlt_day is not None:
            raise ValueError("dlt = false and a dlt_day contradict each other")
        if self.drop_out is False and self.drop_out_day is not None:
            raise ValueError("drop_out = false and a drop_out_day contradict each other")
        if self.drop_out is True and self.drop_out_day is None:
            raise ValueError("drop_out = true needs a drop_out_day")
        return self


class Scenario(Section):
    """A whole scenario: the protocol, and what is assumed about nature.

    Read one with `escalate.load`, change one with `replace`. A scenario is a frozen value: it is valid, and stays so.
    """

    schema_version: Literal[1]
    """Version of this layout: 1."""
    trial: TrialSection
    """What the trial is: title, dates, size."""
    dose_levels: Annotated[list[DoseLevel], Field(min_length=1, max_length=99)]
    """The dose levels, lowest first, at most 99: `[[dose_levels]]`."""
    treatment: Treatment = Treatment()
    """How a patient is treated."""
    safety: Safety
    """How patients are protected: window, cohorts, stagger, committee."""
    rule: RuleOptions
    """Which dose next: name and options of the escalation rule."""
    titration: Titration | None = None
    """Accelerated titration in front of the rule; none where the section is left out."""
    limits: Limits = Limits()
    """Limits to the rule's moves."""
    stopping: Stopping = Stopping()
    """Reasons to stop that go before the rule's."""
    follow_up: FollowUp
    """How long patients are followed."""
    accrual: Annotated[PoissonAccrual | FixedAccrual, Field(discriminator="kind")]
    """How candidates come."""
    screening: Screening = Screening()
    """Screening of candidates."""
    toxicity: Toxicity
    """What nature does at each dose."""
    attrition: Attrition = Attrition()
    """How patients are lost after they have a place."""
    what_if: list[WhatIf] = []
    """Patients whose fate is fixed: `[[what_if]]`."""
    sources: dict[str, Annotated[str, Field(pattern=r"^(registry|literature|assumption): \S")]] = {}
    """Where each number comes from: dotted key = "registry: ...", "literature: ..." or "assumption: ..."."""

    ranges: dict[str, Annotated[list[Any], Field(min_length=2, max_length=2)]] = {}
    """Between which values an assumption lies: dotted key = [low, high]; `escalate sensitivity` goes through them."""

    @cached_property
    def levels(self) -> int:
        """Number of dose levels."""
        return len(self.dose_levels)

    @cached_property
    def lead_days(self) -> int:
        """From the start of lymphodepletion to the first infusion [days]; 0 without lymphodepletion."""
        return max((-day for item in self.treatment.lymphodepletion for day in item.days), default=0)

    @cached_property
    def window_end_offset(self) -> int:
        """From the first infusion to the last day of the DLT window, itself included [days]."""
        return window_end_offset(self.treatment, self.safety)

    @property
    def early_decision(self) -> bool:
        """Whether a decision comes early when nothing pending can change it; by default, as suits the rule."""
        said = self.safety.early_decision
        return decides_early(self.rule) if said is None else said

    @cached_property
    def shares(self) -> list[float]:
        """Share of the full dose given by each infusion."""
        count = len(self.treatment.infusion_days)
        return self.treatment.infusion_shares or [1 / count] * count

    @cached_property
    def planned_days(self) -> int | None:
        """Days from the start date to the planned completion date; ``None`` if none is planned."""
        planned = self.trial.planned_completion_date
        return None if planned is None else (planned - self.trial.start_date).days

    @cached_property
    def overdose_above(self) -> float | None:
        """P(DLT) above which a patient is overdosed; ``None`` if neither the scenario nor its rule says."""
        of_rule = getattr(self.rule, "target", getattr(self.rule, "overdose_from", None))
        return self.toxicity.overdose_above or of_rule

    @cached_property
    def mtd_level(self) -> int | None:
        """Level that is the right one to recommend, from 1, and 0 for no dose; ``None`` if nothing says."""
        if self.toxicity.mtd_level is not None or self.overdose_above is None:
            return self.toxicity.mtd_level
        allowed = [level for level, p in enumerate(self.toxicity.dlt_probability, 1) if p <= self.overdose_above]
        return max(allowed, default=0)

    def resolved(self) -> dict[str, Any]:
        """Return the complete scenario, defaults filled in, as plain JSON values."""
        return self.filled("json")

    def filled(self, mode: Literal["json", "python"]) -> dict[str, Any]:
        """Return every value by section, those filled in that depend on the rule."""
        values: dict[str, Any] = self.model_dump(mode=mode)
        values["safety"]["early_decision"] = self.early_decision
        return values

    def fingerprint(self) -> str:
        """Return the SHA-256 of the resolved scenario: equal scenarios, equal fingerprints."""
        text = json.dumps(self.resolved(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def replace(self, changes: Mapping[str, Any]) -> Scenario:
        """Return a scenario with some values changed, checked like a scenario file.

        Parameters
        ----------
        changes : mapping of str to value
            Dotted keys and their new values, as in
            ``scenario.replace({"toxicity.dlt_probability": [0.1, 0.25], "accrual.consents_per_month": 2.0})``.
            A section can be replaced whole by a dictionary; an item of a list is named by its position from 0, as in
            ``dose_levels.0.cells``. Files are named relative to the folder of the session. A table's new file brings
            its own decisions, and new decisions have no file.

        Raises
        ------
        ScenarioError
            If a key does not exist or a value is not allowed; all problems at once.
        """
        from .load import changed

        return changed(self, changes)
