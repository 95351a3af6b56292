"""Where candidates come from: each site with all that holds there, or the accrual of a scenario that names none.

Nature draws, and results of screening are given, by what stands here; nobody else asks whether there are sites.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from .calendar import Closure
from .intensity import Intensity
from .nature import Arrivals, FixedAccrual, Pause, PoissonAccrual, Screening, Site, SiteAccrual
from .open_days import OpenDays
from .values import FrozenTable

Spans = list[tuple[int, int]]
"""First day of each span, and first day after it [days since the start date]."""


@dataclass(frozen=True)
class RecruitingSite:
    """One place where candidates consent and are screened.

    Parameters
    ----------
    name : str
        Its name; empty where the scenario names no site.
    start_date : date
        Day 0 of the trial.
    opens_day : int
        First day on which somebody may consent [days since the start date].
    arrivals : Arrivals or None
        How candidates come at random; ``None`` where they come on fixed days.
    consent_days : tuple of int
        Fixed days of consent [days since the start date].
    screening_days : int
        From consent to the screening result [days].
    failure_probability : dict of str to float
        Probability of failing screening, by criterion.
    closed : tuple of Closure
        When the site rests, beside the closures of all.
    open_days : OpenDays
        On which days people may consent, and results are given.
    """

    name: str
    start_date: date
    opens_day: int
    arrivals: Arrivals | None
    consent_days: tuple[int, ...]
    screening_days: int
    failure_probability: FrozenTable[str, float]
    closed: tuple[Closure, ...]
    open_days: OpenDays

    @property
    def opens_date(self) -> date:
        """First date on which somebody may consent."""
        return date.fromordinal(self.start_date.toordinal() + self.opens_day)

    @cached_property
    def changes(self) -> tuple[tuple[int, float], ...]:
        """Day of each change of the rate [days since the start date], and consents a month from then on."""
        rates = self.arrivals.rates if self.arrivals else ()
        return tuple((self._day(rate.from_date), rate.consents_per_month) for rate in rates)

    @cached_property
    def rests(self) -> Spans:
        """When nobody consents: before the opening, in pauses and closures; merged and in order."""
        pauses = self.arrivals.pauses if self.arrivals else ()
        spans = [self._span(pause) for pause in pauses] + self.open_days.pauses()
        spans += [(0, self.opens_day)] if self.opens_day else []
        return _merged(spans)

    @cached_property
    def intensity(self) -> Intensity:
        """The rate at which candidates come, where it is not for each trial to draw."""
        return self._intensity(self.rests)

    def expected_at_most(self, days: int) -> float:
        """Return how many candidates are expected before a day, if nothing rests."""
        return self._intensity([]).expected(days) if self.arrivals else float(len(self.consent_days))

    def expected(self, days: int) -> float:
        """Return how many candidates are expected before a day."""
        if self.arrivals is None:
            return float(sum(day < days for day in self.consent_days))
        return self.intensity.expected(days)

    def _intensity(self, rests: Spans) -> Intensity:
        arrivals = self.arrivals
        assert arrivals is not None
        per_month = arrivals.consents_per_month or 0.0
        return Intensity(per_month, self.changes, self.opens_day, arrivals.ramp_up_days, rests)

    def _day(self, day: date) -> int:
        return (day - self.start_date).days

    def _span(self, pause: Pause) -> tuple[int, int]:
        return max(self._day(pause.first_day), 0), self._day(pause.last_day) + 1


def recruiting_sites(
    start_date: date,
    accrual: PoissonAccrual | FixedAccrual | SiteAccrual,
    sites: Sequence[Site],
    screening: Screening,
    open_days: Callable[[tuple[Closure, ...]], OpenDays],
) -> Iterator[RecruitingSite]:
    """Yield the sites of a scenario; one without a name, with its accrual and screening, where it names none.

    Parameters
    ----------
    start_date : date
        Day 0 of the trial.
    accrual, sites, screening
        The sections of the scenario.
    open_days : callable
        From closures of a site to the days that it works on.
    """
    if not isinstance(accrual, SiteAccrual):
        at_random = None if isinstance(accrual, FixedAccrual) else accrual
        fixed = accrual.consent_days if isinstance(accrual, FixedAccrual) else ()
        failures = screening.failure_probability
        yield RecruitingSite("", start_date, 0, at_random, fixed, screening.days, failures, (), open_days(()))
        return
    for site in sites:
        own_days, own_failures = site.screening_days, site.failure_probability
        yield RecruitingSite(
            name=site.name,
            start_date=start_date,
            opens_day=0 if site.opens is None else (site.opens - start_date).days,
            arrivals=site if site.consent_days is None else None,
            consent_days=site.consent_days or (),
            screening_days=screening.days if own_days is None else own_days,
            failure_probability=screening.failure_probability if own_failures is None else own_failures,
            closed=site.closed,
            open_days=open_days(site.closed),
        )


def _merged(spans: Spans) -> Spans:
    merged: Spans = []
    for first, after in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], after))
        elif after > 0:
            merged.append((first, after))
    return merged
