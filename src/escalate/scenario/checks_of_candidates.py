"""Checks of who comes, from where, and what happens before there is a place."""

from __future__ import annotations

from collections.abc import Iterator

from .calendar import Calendar, Closure
from .checking import Checks, Complaint, Path, less_than
from .nature import (
    Accrual,
    Arrivals,
    FixedAccrual,
    PoissonAccrual,
    Screening,
    Site,
    SiteAccrual,
)
from .open_days import OpenDays
from .protocol import DoseLevel, Safety, Treatment, TrialSection, schedule_of
from .resources import Autologous, Product
from .section import Section
from .sites import RecruitingSite, recruiting_sites

check = Checks()

MOST_CANDIDATES = 1_000_000
"""Most candidates that are expected in a trial: a hundred for each patient of the largest one."""


@check("trial", "screening")
def _everybody_can_be_screened_in_time(trial: TrialSection, screening: Screening) -> Iterator[Complaint]:
    if screening.days >= trial.max_days:
        yield ("screening", "days"), screening.days, f"{less_than(trial)}: nobody would be screened"


@check("accrual", "sites")
def _sites_are_told_by_site(accrual: Accrual, sites: tuple[Site, ...]) -> Iterator[Complaint]:
    if sites and not isinstance(accrual, SiteAccrual):
        yield (
            ("accrual", "kind"),
            getattr(accrual, "kind", None),
            'says who comes to one place, and there are [[sites]]: write kind = "by_site", and the rates or days of '
            "consent at each site; or leave the sites out",
        )
    elif isinstance(accrual, SiteAccrual) and not sites:
        yield (
            ("accrual", "kind"),
            "by_site",
            'needs [[sites]], each with a name and consents_per_month or consent_days; or take "poisson" or "fixed"',
        )


@check("sites")
def _sites_differ(sites: tuple[Site, ...]) -> Iterator[Complaint]:
    names = [site.name for site in sites]
    for position, name in enumerate(names):
        if name in names[:position]:
            yield ("sites", position, "name"), name, "another site has this name; make it unique"


@check("trial", "sites")
def _sites_open_in_time(trial: TrialSection, sites: tuple[Site, ...]) -> Iterator[Complaint]:
    for position, site in enumerate(sites):
        opens = 0 if site.opens is None else (site.opens - trial.start_date).days
        where = ("sites", position, "opens")
        if opens < 0:
            yield where, site.opens, f"is before trial.start_date, {trial.start_date}: nobody consents before that"
        elif opens > trial.max_days:
            told = f"is after the last of the {trial.max_days:,} days of trial.max_days: nobody would ever come from it"
            yield where, site.opens, told
        elif site.consent_days and site.consent_days[0] < opens:
            yield (
                ("sites", position, "consent_days", 0),
                site.consent_days[0],
                f"the site opens on day {opens}: nobody consents there before",
            )


@check("accrual", "sites")
def _somebody_comes(accrual: Accrual, sites: tuple[Site, ...]) -> Iterator[Complaint]:
    told: dict[Path, Section] = {("accrual",): accrual} | {("sites", k): site for k, site in enumerate(sites)}
    for path, each in told.items():
        rates = [rate.consents_per_month for rate in each.rates] if isinstance(each, Arrivals) else []
        if rates and not any((getattr(each, "consents_per_month", None), *rates)):
            yield (*path, "rates"), rates, "nobody would ever come: every rate is 0; leave them out, or correct one"


@check("trial", "screening", "sites")
def _everybody_is_screened_in_time(
    trial: TrialSection, screening: Screening, sites: tuple[Site, ...]
) -> Iterator[Complaint]:
    for position, site in enumerate(sites):
        if site.screening_days is not None and site.screening_days >= trial.max_days:
            told = f"must be less than trial.max_days, which is {trial.max_days} days: nobody would be screened"
            yield ("sites", position, "screening_days"), site.screening_days, told


@check("trial", "dose_levels", "treatment", "safety", "calendar", "accrual", "screening", "sites")
def _candidates_can_be_counted(
    trial: TrialSection,
    dose_levels: tuple[DoseLevel, ...],
    treatment: Treatment,
    safety: Safety,
    calendar: Calendar,
    accrual: PoissonAccrual | FixedAccrual | SiteAccrual,
    screening: Screening,
    sites: tuple[Site, ...],
) -> Iterator[Complaint]:
    def open_days(of_site: tuple[Closure, ...]) -> OpenDays:
        schedules = [schedule_of(own, treatment, safety) for own in dose_levels]
        return OpenDays(trial, treatment, safety, calendar, schedules, of_site)

    recruiting = list(recruiting_sites(trial.start_date, accrual, sites, screening, open_days))
    expected = sum(site.expected_at_most(trial.max_days) for site in recruiting if site.arrivals)
    if expected > MOST_CANDIDATES:
        by_site = isinstance(accrual, SiteAccrual)
        path: Path = ("sites",) if by_site else ("accrual", "consents_per_month")
        rates = [site.consents_per_month for site in sites] if by_site else getattr(accrual, "consents_per_month", None)
        yield (
            path,
            rates,
            f"brings {expected:,.0f} candidates in the {trial.max_days:,} days of trial.max_days, and at most "
            f"{MOST_CANDIDATES:,} can be followed: lower one of the two",
        )
    if isinstance(accrual, SiteAccrual):
        yield from _sites_are_open(recruiting)


def _sites_are_open(recruiting: list[RecruitingSite]) -> Iterator[Complaint]:
    """Yield which sites rest on all days, with their own closures."""
    for position, site in enumerate(recruiting):
        days = site.open_days
        for what, opens in (("consent", days.consent), ("screening", days.screening)):
            if site.closed and site.opens_day < days.limit and opens[max(site.opens_day, 0)] == days.limit:
                reasons = [closure.reason for closure in site.closed]
                told = f"{what} is closed at this site on all days from its opening on: nobody would come from it"
                yield ("sites", position, "closed"), reasons, told


@check("accrual")
def _waiting_has_a_use(accrual: Accrual) -> Iterator[Complaint]:
    if accrual.without_place == "lost":
        for key in ("patience_days", "most_waiting"):
            value = getattr(accrual, key)
            if value is not None:
                where = ("accrual", key)
                yield where, value, 'has no effect where without_place = "lost"; leave it out, or let candidates "wait"'


@check("screening")
def _screening_waits(screening: Screening) -> Iterator[Complaint]:
    told = 'has no effect where while_closed = "goes_on"; leave it out, or let screening wait'
    for key, unset in (("opens_days_ahead", 0), ("candidates_per_place", None)):
        if not screening.waits and getattr(screening, key) != unset:
            yield ("screening", key), getattr(screening, key), told


@check("screening", "accrual", "treatment", "product")
def _results_hold(
    screening: Screening, accrual: Accrual, treatment: Treatment, product: Product | None
) -> Iterator[Complaint]:
    """Refuse results of screening that nobody waits long enough to lose, and those that hold for nobody."""
    where, days = ("screening", "valid_days"), screening.valid_days
    if days is None:
        return
    if accrual.without_place == "lost" and not isinstance(product, Autologous):
        yield where, days, 'has no effect where without_place = "lost", since nobody waits; leave it out'
    elif days < treatment.notice_days:
        told = f"a notice takes {treatment.notice_days} days: whoever has to wait for it is screened again for ever"
        yield where, days, f"{told}; allowed is {treatment.notice_days} or more, or leave it out"


@check("treatment", "accrual")
def _notice_can_be_waited_for(treatment: Treatment, accrual: Accrual) -> Iterator[Complaint]:
    """Refuse a notice that nobody waits for."""
    patience = 0 if accrual.without_place == "lost" else accrual.patience_days
    if patience is not None and 0 < treatment.notice_days >= patience:
        key = "without_place" if accrual.without_place == "lost" else "patience_days"
        told = f"a notice takes {treatment.notice_days} days, and nobody waits longer: nobody would be treated"
        yield ("accrual", key), getattr(accrual, key), f"{told}; let candidates wait, or give no notice"


@check("treatment", "screening")
def _places_can_be_reserved(treatment: Treatment, screening: Screening) -> Iterator[Complaint]:
    """Refuse places reserved at consent where consent does not wait for them, or something else is told of them."""
    if not treatment.reserves:
        return
    if not screening.waits:
        told = 'needs candidates who consent for a place: write screening.while_closed = "list" or "waits"'
        yield ("treatment", "place_reserved"), treatment.place_reserved, f"{told}; or let places be given at the start"
    if screening.candidates_per_place is not None:
        told = 'has no effect where treatment.place_reserved = "at_consent": each place has one candidate; leave it out'
        yield ("screening", "candidates_per_place"), screening.candidates_per_place, told
    if treatment.notice_days:
        told = 'has no use where treatment.place_reserved = "at_consent": the place is known from consent on'
        yield ("treatment", "notice_days"), treatment.notice_days, f"{told}; leave one of the two out"


@check("product")
def _products_can_be_made(product: Product | None) -> Iterator[Complaint]:
    """Refuse own products that are never made."""
    if isinstance(product, Autologous) and product.failure_probability + product.out_of_specification_probability >= 1:
        key = "failure_probability" if product.failure_probability else "out_of_specification_probability"
        yield ("product", key), getattr(product, key), "no product is ever made: nobody could be treated"
