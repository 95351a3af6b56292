"""The sections of a scenario that say what is assumed about nature: who comes, who fails, what a dose does, who leaves.

Written as those of `protocol` are.
"""

from __future__ import annotations

import itertools
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ..words.records import MOST_PATIENTS
from .calendar import Closure
from .section import Days, Name, Probability, Section, TenYears
from .values import AS_TUPLE, FrozenTable

DAYS_PER_MONTH = 365.25 / 12
"""Mean length of a month [days]."""

SMALLEST_CV, LARGEST_CV = 0.01, 3.0
"""Between which coefficients of variation a rate may be unknown: less is none, and more is no knowledge at all."""


def _in_order(days: tuple[int, ...]) -> tuple[int, ...]:
    if list(days) != sorted(days):
        raise ValueError("consent_days must be in order")
    return days


def _at_most_one(parts: FrozenTable[str, float]) -> FrozenTable[str, float]:
    if sum(parts.values()) > 1 + 1e-9:
        raise ValueError(f"the probabilities add up to {sum(parts.values()):g}, more than 1")
    return parts


def _none_or_some(cv: float) -> float:
    if 0 < cv < SMALLEST_CV:
        raise ValueError(f"rate_cv is 0, where the rate is known, or from {SMALLEST_CV:g} to {LARGEST_CV:g}")
    return cv


def _ascending(rates: tuple[Rate, ...]) -> tuple[Rate, ...]:
    dates = [rate.from_date for rate in rates]
    if any(later <= earlier for earlier, later in itertools.pairwise(dates)):
        raise ValueError("rates are written in the order of from_date, each date once")
    return rates


PerMonth = Annotated[float, Field(ge=0, le=10_000)]
ConsentDays = Annotated[tuple[Days, ...], Field(max_length=100_000), AS_TUPLE, AfterValidator(_in_order)]
Failures = Annotated[FrozenTable[Name, Probability], Field(max_length=500), AfterValidator(_at_most_one)]


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
    most_waiting: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Most candidates who wait at one time, at most 100,000, ten for each patient of the largest trial; whoever comes
    then is lost; any number where it is left out."""


class Rate(Section):
    """The rate of consents from a date on, until that of the next one."""

    from_date: date
    """First date with this rate."""
    consents_per_month: PerMonth
    """Mean number of consents a month of 30.4375 days from this date on; 0 where nobody comes any more; at most
    10,000."""


class Arrivals(Section):
    """Candidates who consent at random, at a rate that may change, grow, and be unknown."""

    consents_per_month: PerMonth | None = None
    """Mean number of consents a month of 30.4375 days, screen failures included; at most 10,000, and such that at most
    1,000,000 are expected of all sites until trial.max_days."""
    rates: Annotated[tuple[Rate, ...], Field(max_length=1000), AS_TUPLE, AfterValidator(_ascending)] = ()
    """The rate from certain dates on: `consents_per_month` holds before the first of them."""
    ramp_up_days: TenYears = 0
    """Days from the opening over which the rate grows from 0, in a straight line, to all of it; at most ten years
    [days]."""
    rate_cv: Annotated[float, Field(ge=0, le=LARGEST_CV), AfterValidator(_none_or_some)] = 0.0
    """How little the rate is known: the coefficient of variation of a multiplier that each trial draws for itself, from
    a Gamma distribution with mean 1 (the Poisson-gamma model of Anisimov and Fedorov 2007, doi:10.1002/sim.2956); 0
    where it is known, or from 0.01 to 3."""
    pauses: Annotated[tuple[Pause, ...], Field(max_length=1000), AS_TUPLE] = ()
    """Times in which nobody consents."""

    @property
    def is_steady(self) -> bool:
        """Whether the rate is known, and the same on all days on which anybody consents."""
        return not (self.rates or self.ramp_up_days or self.rate_cv)


class PoissonAccrual(Arrivals, Accrual):
    """Candidates consent at random."""

    kind: Literal["poisson"]
    """Arrival process."""
    consents_per_month: PerMonth
    """Mean number of consents a month of 30.4375 days, screen failures included; at most 10,000, and such that at most
    1,000,000 are expected until trial.max_days."""


class FixedAccrual(Accrual):
    """Candidates consent on given days."""

    kind: Literal["fixed"]
    """Arrival process."""
    consent_days: ConsentDays
    """Days of consent since the start date, in order; several on one day are written several times [days]."""


class SiteAccrual(Accrual):
    """Candidates consent at several sites: `[[sites]]` says how, at each of them."""

    kind: Literal["by_site"]
    """Arrival process."""


class Screening(Section):
    """Screening of candidates."""

    days: TenYears = 0
    """From consent to the screening result; at most ten years [days]."""
    while_closed: Literal["goes_on", "waits", "list"] = "goes_on"
    """What happens to who comes while no place is free: consents and is screened; or, where recruitment waits, is lost
    to the trial; or stands on a list, and consents when a place is free. With a rolling rule a place is free as long as
    accrual is not suspended, or something has become known since; with treatment.place_reserved = "at_consent" the rule
    is asked for each."""
    candidates_per_place: Annotated[int, Field(ge=1, le=1000)] | None = None
    """With while_closed = "waits" or "list": most candidates who are in screening, or wait screened, for each free
    place; any number where it is left out."""
    opens_days_ahead: TenYears = 0
    """With while_closed = "waits" or "list": also for places that open within so many days, if nobody pending has a DLT
    or leaves and the committee then goes on; at most ten years [days]."""
    valid_days: TenYears | None = None
    """How long the results of screening hold: who still waits for a place after so many days is screened again, at the
    end of the line; for ever where it is left out; at most ten years [days]."""
    failure_probability: Failures = FrozenTable()
    """Probability of failing, by criterion: the first criterion that is not met; adds up to at most 1; at most 500."""

    @property
    def waits(self) -> bool:
        """Whether nobody consents while no place is free."""
        return self.while_closed != "goes_on"


SiteWork = Literal["consent", "screening"]


class SiteClosure(Closure):
    """Days on which a site rests; treatment and the committee are the same for all sites: `[[calendar.closed]]`."""

    what: Annotated[tuple[SiteWork, ...], Field(min_length=1), AS_TUPLE] = ("consent", "screening")
    """What rests at the site: consent (nobody consents there), screening (no result is given: it comes on the next
    open day); both where it is left out. Treatment and the committee rest for all sites, in `[[calendar.closed]]`."""
    reason: Name
    """Why, as people call it; at most 500 letters: it is told in the story of a trial."""


class SiteHead(Section):
    """Which site it is, and from when on it is open."""

    name: Name
    """Name of the site, as tables and stories tell it; each has its own; at most 500 letters."""
    opens: date | None = None
    """First date on which somebody may consent there; trial.start_date where it is left out."""


class Site(Arrivals, SiteHead):
    """A site that sends candidates to the one unit that treats them.

    Either candidates come at random, with `consents_per_month`, or on `consent_days`.
    """

    consent_days: ConsentDays | None = None
    """In place of `consents_per_month` and what goes with it: days of consent since trial.start_date, in order; several
    on one day are written several times [days]."""
    screening_days: TenYears | None = None
    """From consent to the screening result at this site; `screening.days` where it is left out [days]."""
    failure_probability: Failures | None = None
    """Probability of failing at this site, by criterion; `screening.failure_probability` where it is left out."""
    closed: Annotated[tuple[SiteClosure, ...], Field(max_length=1000), AS_TUPLE] = ()
    """Days on which the site rests, beside those of `[[calendar.closed]]`."""

    @model_validator(mode="after")
    def _one_way(self) -> Site:
        if self.consent_days is None and self.consents_per_month is None:
            raise ValueError("says nothing of who comes: give consents_per_month, or consent_days")
        if self.consent_days is not None:
            for key, field in Arrivals.model_fields.items():
                if getattr(self, key) != field.default:
                    raise ValueError(f"{key} has no effect beside consent_days; leave one of the two out")
        return self


class UniformOnset(Section):
    """A DLT comes on any day of the window with the same probability."""

    kind: Literal["uniform"]
    """Shape of the onset."""


class WeibullOnset(Section):
    """The time to a DLT is Weibull, such that a given share of the window's DLTs comes in its second half."""

    kind: Literal["weibull"]
    """Shape of the onset."""
    second_half_share: Annotated[float, Field(ge=0.001, le=0.999)]
    """Share of the DLTs in the window that come in its second half, from 0.001 to 0.999: beyond that all come on the
    first day or on the last."""


class ListOnset(Section):
    """A DLT comes on one of the listed days, each as likely as its place in the list (repeat a day to weigh it)."""

    kind: Literal["list"]
    """Shape of the onset."""
    days: Annotated[tuple[Days, ...], Field(min_length=1, max_length=10_000), AS_TUPLE]
    """Days after the first infusion, at most 10,000 of them [days]."""


class Toxicity(Section):
    """What nature does at each dose."""

    dlt_probability: Annotated[tuple[Probability, ...], Field(min_length=1), AS_TUPLE]
    """Probability of a DLT inside the window at each dose level, lowest first."""
    overdose_above: Annotated[float, Field(gt=0, lt=1)] | None = None
    """P(DLT) above which a patient counts as overdosed and a recommended dose as too toxic; the rule's target where it
    is left out (for the BLRM, where overdose begins). It changes no trial."""
    mtd_level: Annotated[int, Field(ge=0, le=99)] | None = None
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
    partial_dose_share: Annotated[float, Field(ge=0.001, le=0.999)] = 0.5
    """Share of the dose that such a patient receives, from 0.001 to 0.999: beyond that it is none, or all."""
    drop_out_per_year: Probability = 0.0
    """Probability that an infused patient leaves within 365.25 days, at a constant hazard."""


class WhatIf(Section):
    """Fixes what happens to one patient, to tell or to test a story; whatever is left out stays random."""

    patient: Annotated[int, Field(ge=1, le=10 * MOST_PATIENTS)]
    """Enrolment number, from 1 to 100,000: ten for each patient of the largest trial, as some are replaced."""
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
