"""The sections of a scenario that say what the protocol is: the trial, its doses, treatment, safety, follow-up.

One class per section, one field per key, with its unit in its name and its meaning in its description (which the JSON
Schema and the error messages repeat). Checks that need one section alone stand here; checks that need several are in
`checks`. The escalation rule is in `rules`, what goes around it in `policies`.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from ..words.records import FIRST_START, LAST_START, MOST_PATIENTS, NO_DOSE
from ..words.vocabulary import Given, said_of
from .schedule import Agents, InfusionDays, InfusionShares, Schedule, check_schedule
from .section import MOST_DAYS, Days, Name, Section, TenYears
from .values import AS_TUPLE

Weekday = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
Weekdays = Annotated[tuple[Weekday, ...], Field(min_length=1), AS_TUPLE]
EVERY_DAY: tuple[Weekday, ...] = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

MOST_IN_COHORT = 100
"""Most patients of a cohort: phase I cohorts have 1 to 12, dose expansions some dozens."""


class TrialSection(Section):
    """What the trial is: title, dates, size."""

    title: Annotated[str, Field(min_length=1, max_length=1000)]
    """Title of the trial; at most 1,000 letters: registries take 600."""
    registry_id: Annotated[str, Field(max_length=200)] = ""
    """Identifier in a trial registry."""
    description: Annotated[str, Field(max_length=40_000)] = ""
    """What this scenario is for, in a sentence or two."""
    start_date: date
    """Day 0: from this date on candidates may consent; from 1950, as no phase I trial is older, to 2150."""
    planned_completion_date: date | None = None
    """Registered completion date; the chance to finish by it is reported."""
    planned_patients: Annotated[int, Field(ge=1, le=MOST_PATIENTS)]
    """The cap: most patients, counted as `cap_counts` says; at most 10,000."""
    cap_counts: Literal["evaluable", "infused"] = "evaluable"
    """Whom the cap counts: evaluable patients (non-evaluable ones are extra) or everybody infused."""
    last_cohort: Literal["whole", "partial"] = "whole"
    """Whether a cohort that the cap leaves room for only in part is not started, or treated in part."""
    max_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 3650
    """A trial still going on after this many days is ended with that reason; at most 100,000, which is 274 years
    [days]."""

    @model_validator(mode="after")
    def _dates_exist(self) -> TrialSection:
        if date.max - self.start_date < timedelta(days=self.max_days):
            raise ValueError("start_date is so late that the calendar ends before max_days")
        if not FIRST_START <= self.start_date <= LAST_START:
            raise ValueError(f"start_date must be from {FIRST_START} to {LAST_START}: the year has four digits")
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

    label: Name
    """What people call the dose, with its unit; at most 500 letters, and not "no dose", which results call none."""
    cells: Annotated[float, Field(ge=1, le=1e14)] | None = None
    """Cells of the full dose, over all infusions, from 1 to 1e14, as a body has 4e13 [cells]; left out for a drug."""
    infusion_days: InfusionDays | None = None
    """Days of this level's infusions, as in `[treatment]`; those of `[treatment]` where it is left out [days]."""
    infusion_shares: InfusionShares | None = None
    """Share of the dose given by each of this level's infusions, as in `[treatment]`; those of `[treatment]` where it
    is left out."""
    lymphodepletion: Agents | None = None
    """This level's agents, as in `[treatment]`, and `[]` for none; those of `[treatment]` where it is left out."""

    @field_validator("label")
    @classmethod
    def _is_a_dose(cls, label: str) -> str:
        words = " ".join(label.split()).casefold()
        if not words or words == NO_DOSE:
            raise ValueError(f'"{NO_DOSE}" and blanks are no label of a dose: results use them for none')
        return label

    @model_validator(mode="after")
    def _schedule(self) -> DoseLevel:
        check_schedule(self.infusion_days, self.infusion_shares, self.lymphodepletion)
        return self


class BodySurfaceArea(Section):
    """Body surface area of patients: normal, truncated to a range."""

    mean_m2: Annotated[float, Field(ge=0.1, le=5)]
    """Mean before truncation, from 0.1 to 5: preterm infants have 0.1, and hardly anybody above 3 [m2]."""
    sd_m2: Annotated[float, Field(ge=0, le=1)]
    """Standard deviation before truncation, from 0 to 1: that of adults is 0.2 [m2]."""
    min_m2: Annotated[float, Field(ge=0.1, le=5)]
    """Smallest, from 0.1 to 5 [m2]."""
    max_m2: Annotated[float, Field(ge=0.1, le=5)]
    """Largest, from 0.1 to 5 [m2]."""

    @model_validator(mode="after")
    def _ordered(self) -> BodySurfaceArea:
        if not self.min_m2 <= self.mean_m2 <= self.max_m2:
            raise ValueError("min_m2 <= mean_m2 <= max_m2 is needed")
        return self


class Treatment(Section):
    """How a patient is treated."""

    words: Given = "infusion"
    """How texts and figures call the treatment: cells are infused, and of a drug patients are dosed. Nothing else
    changes by it; names in files (columns, events, measures) stay as they are."""
    infusion_days: InfusionDays = (0,)
    """Days of the infusions, relative to the first one, which is day 0; at most 366, which is one a day for a year."""
    infusion_shares: InfusionShares | None = None
    """Share of the dose given by each infusion, from 0.0001, a test dose; adds up to 1; equal shares where it is left
    out."""
    weekdays: Weekdays = EVERY_DAY
    """Weekdays on which a first infusion is possible."""
    lymphodepletion_weekdays: Weekdays = EVERY_DAY
    """Weekdays on which lymphodepletion may start."""
    later_infusion_weekdays: Weekdays = EVERY_DAY
    """Weekdays on which the infusions after the first one are possible."""
    notice_days: TenYears = 0
    """From the day on which a candidate is told of a free place to the start of treatment, at least: to arrange beds,
    travel, cells; at most ten years [days]."""
    place_reserved: Literal["at_start", "at_consent"] = "at_start"
    """When somebody is given a place: at the start of treatment; or at consent, with screening.while_closed = "waits"
    or "list". Then one candidate consents for each free place, which stays reserved through screening and manufacture,
    while accrual is suspended, and while a decision is due. A rolling rule reads reserved places as pending patients,
    and is asked before somebody consents for whom none is free. Nobody starts in one on a day on which the rule would
    leave the level downwards, and a level that is left lets go of them. Patience ends for who has one, too;
    accrual.without_place and most_waiting are about the others."""
    lymphodepletion: Agents = ()
    """Agents given before the first infusion, at most 20; none for a drug without conditioning."""
    body_surface_area: BodySurfaceArea | None = None
    """Needed for amounts of lymphodepletion agents in mg."""

    @model_validator(mode="after")
    def _schedule(self) -> Treatment:
        check_schedule(self.infusion_days, self.infusion_shares, self.lymphodepletion)
        return self

    @property
    def reserves(self) -> bool:
        """Whether places are reserved at consent."""
        return self.place_reserved == "at_consent"

    def say(self, own: str) -> str:
        """Return words of the program, with nothing of a user's in them, as `words` has them."""
        return said_of(self.words, own)


class Safety(Section):
    """How patients are protected: window, cohorts, stagger, committee."""

    dlt_window_days: TenYears
    """Length of the DLT window; it runs from its anchor to anchor + this many days, both included; at most ten years,
    the longest follow-up of late toxicity that a decision could wait for [days]."""
    dlt_window_anchor: Literal["first_infusion", "last_infusion"] = "first_infusion"
    """Infusion from which the window's days count; observation always begins with the first infusion."""
    start_level: Annotated[int, Field(ge=1, le=99)] = 1
    """Dose level of the first cohort, from 1."""
    cohort_size: Annotated[int, Field(ge=1, le=MOST_IN_COHORT)] = 3
    """Most evaluable patients treated at one level between two decisions; at most 100: more are no cohort of a phase I
    trial."""
    sentinel_stagger_days: TenYears = 0
    """From the sentinel's first infusion to the next patient's; at most ten years [days]."""
    sentinel: Literal["every_cohort", "new_level"] = "every_cohort"
    """Which cohorts begin with a sentinel: all, or only the first one at each level."""
    stagger_days: TenYears = 0
    """Between the first infusions of later patients of a cohort; at most ten years [days]."""
    lymphodepletion_in_stagger: bool = True
    """Whether lymphodepletion may start before the stagger is over, such that the infusion falls on its end; otherwise
    it starts when the stagger is over, and nobody is conditioned for an infusion that a sentinel's DLT forbids."""
    after_sentinel_dlt: Literal["review", "go_on"] = "go_on"
    """After the DLT of a sentinel: the committee looks before anybody else of the cohort starts treatment, or the
    cohort goes on. What the committee decides is the rule's, at the cohort's data cut."""
    review_delay_days: TenYears = 0
    """From the data cut to the committee's meeting, or to the next meeting weekday after it; at most ten years
    [days]."""
    urgent_review_days: TenYears | None = None
    """From a data cut that comes early, or the DLT of a sentinel that the committee looks at, to an urgent meeting, on
    whatever day is not closed for it; at most ten years; as for any other meeting where it is left out [days]."""
    assignment_delay_days: TenYears | None = None
    """From the data cut to the next places, where a rolling rule stays at its level: that takes no meeting; at most ten
    years; as for any other decision where it is left out [days]."""
    meeting_weekdays: Weekdays = EVERY_DAY
    """Weekdays on which the committee meets."""
    meeting_weeks: Annotated[tuple[Literal[1, 2, 3, 4, 5, -1], ...], AS_TUPLE] = ()
    """In which weeks of a month: with 1 on the first of such a weekday, with -1 on the last one; in every week where
    it is left out."""
    meeting_dates: Annotated[tuple[date, ...], Field(max_length=10_000), AS_TUPLE] = ()
    """Dates on which the committee meets, and on no others; by weekdays where it is left out."""
    early_decision: bool | None = None
    """Whether the data cut comes early when nothing still pending can change the decision. Places are left empty then,
    which makes rules that recommend from counts look worse; where it is left out, true for 3+3, both rolling sixes and
    tables that declare the MTD, and false for all others."""
    replace_non_evaluable: bool = True
    """Whether non-evaluable patients are replaced within the cohort."""
    replace_partial_dose: Literal["at_once", "after_window"] = "after_window"
    """When the place of a patient who got less than the full dose is free: when the window has ended without a DLT, or
    at once, from the infusion on. Either way the cohort's data cut waits for that window, and a DLT in it counts; at
    once it can be one more than the cohort's size, and than the cap. A rolling rule gives places itself, and is not
    touched by this."""
    dlt_after_lymphodepletion: Literal["withhold_if_closed", "withhold", "infuse"] = "infuse"
    """What happens to a patient between lymphodepletion and infusion when another patient's DLT becomes known: the
    infusion is withheld if the level is closed, or a decision that must leave it downwards is due (which a protocol
    without early decisions never knows before the decision); it is withheld after any DLT; or it is given as long as no
    decision has closed the level."""
    later_infusions_at_closed_level: Literal["withhold", "give"] = "give"
    """What happens to the infusions after the first one of a patient whose level has been closed, or must be left while
    the committee is called: they are given, or withheld from the first such day on. Who has less than the full dose and
    no DLT is non-evaluable."""
    when_rule_finished: Literal["stop", "expand"] = "stop"
    """What happens to places left under the cap: nothing, or patients at the recommended dose."""

    @property
    def fills_every_place(self) -> bool:
        """Whether a complete cohort has as many evaluable patients as places, neither fewer nor more."""
        return self.replace_non_evaluable and self.replace_partial_dose == "after_window"


def schedule_of(level: DoseLevel, treatment: Treatment, safety: Safety) -> Schedule:
    """Return the schedule of a dose level: what it leaves out is that of the treatment of all levels."""
    days = level.infusion_days or treatment.infusion_days
    late = days[-1] if safety.dlt_window_anchor == "last_infusion" else 0
    return Schedule(
        infusion_days=days,
        shares=level.infusion_shares or treatment.infusion_shares or (1 / len(days),) * len(days),
        lymphodepletion=treatment.lymphodepletion if level.lymphodepletion is None else level.lymphodepletion,
        window_end=safety.dlt_window_days + late,
    )


class FollowUp(Section):
    """How long patients are followed."""

    days: Days
    """From the first infusion to the last day of follow-up; at most 100,000 [days]."""
