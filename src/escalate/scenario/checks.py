"""Checks that need more than one section of a scenario.

Each check names the sections that it reads and yields its complaints; it is run whenever those sections are valid by
themselves, so that a person sees all problems of a file at once.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .calendar import Calendar, Closure
from .nature import (
    Accrual,
    Arrivals,
    FixedAccrual,
    ListOnset,
    PoissonAccrual,
    Screening,
    Site,
    SiteAccrual,
    Toxicity,
    WhatIf,
)
from .open_days import OpenDays
from .policies import Limits, Stopping, Titration
from .protocol import EVERY_DAY, DoseLevel, FollowUp, Safety, Treatment, TrialSection, schedule_of
from .resources import Autologous, Capacity, Product, Store
from .rolling_tables import Cell, dlts, leads_out, most_patients, place_words
from .rules import (
    Blrm,
    Crm,
    IqRollingSix,
    PythonRule,
    RuleOptions,
    TableRule,
    ThreePlusThree,
    TiteBoin,
    TiteCrm,
    decides_early,
    finishes_first,
    gives_places_one_by_one,
)
from .schedule import Schedule
from .section import Section
from .sites import RecruitingSite, recruiting_sites
from .skeleton import getprior

Path = tuple[str | int, ...]
Complaint = tuple[Path, Any, str]
"""Where, the value that was got, and what is wrong with it."""

MOST_CANDIDATES = 1_000_000
"""Most candidates that are expected in a trial: a hundred for each patient of the largest one."""

_CHECKS: list[tuple[tuple[str, ...], Callable[..., Iterator[Complaint]]]] = []


def _check(
    *sections: str,
) -> Callable[[Callable[..., Iterator[Complaint]]], Callable[..., Iterator[Complaint]]]:
    def register(function: Callable[..., Iterator[Complaint]]) -> Callable[..., Iterator[Complaint]]:
        _CHECKS.append((sections, function))
        return function

    return register


def complaints(valid: dict[str, Section | tuple[Any, ...]]) -> Iterator[Complaint]:
    """Yield what is wrong between sections.

    Parameters
    ----------
    valid : dict
        The sections that are valid by themselves, by name.
    """
    for sections, check in _CHECKS:
        if all(name in valid for name in sections):
            yield from check(*(valid[name] for name in sections))


class _Treated(NamedTuple):
    """A way in which patients are treated, and at which level; of levels that are treated alike, the lowest."""

    schedule: Schedule
    level: int
    here: str
    """Words that name the level; empty where all are treated alike."""


def _treated(dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety) -> list[_Treated]:
    """Return each way in which patients are treated."""
    schedules = [schedule_of(own, treatment, safety) for own in dose_levels]
    ways = {schedule: schedules.index(schedule) for schedule in schedules}
    return [_Treated(one, at, f" at level {at + 1}" if len(ways) > 1 else "") for one, at in ways.items()]


@_check("dose_levels", "treatment")
def _one_share_per_infusion(dose_levels: tuple[DoseLevel, ...], treatment: Treatment) -> Iterator[Complaint]:
    for position, own in enumerate(dose_levels):
        days = own.infusion_days or treatment.infusion_days
        shares = own.infusion_shares or treatment.infusion_shares or days
        if own.infusion_shares and len(shares) != len(days):
            told = f"has {len(shares)} values, and the level has the {len(days)} infusion_days of [treatment]"
            yield ("dose_levels", position, "infusion_shares"), own.infusion_shares, f"{told}: give it its own"
        elif len(shares) != len(days):
            told = f"has {len(days)} days for the {len(shares)} infusion_shares of [treatment]"
            yield ("dose_levels", position, "infusion_days"), days, f"{told}: give the level its own infusion_shares"


@_check("dose_levels", "toxicity")
def _one_probability_per_level(dose_levels: tuple[DoseLevel, ...], toxicity: Toxicity) -> Iterator[Complaint]:
    got, wanted = len(toxicity.dlt_probability), len(dose_levels)
    if got != wanted:
        yield (
            ("toxicity", "dlt_probability"),
            toxicity.dlt_probability,
            f"has {got} values, and there are {wanted} dose levels: one probability for each level is needed",
        )


@_check("dose_levels", "toxicity")
def _mtd_is_a_level(dose_levels: tuple[DoseLevel, ...], toxicity: Toxicity) -> Iterator[Complaint]:
    if toxicity.mtd_level is not None and toxicity.mtd_level > len(dose_levels):
        yield (
            ("toxicity", "mtd_level"),
            toxicity.mtd_level,
            f"there are {len(dose_levels)} dose levels: allowed are 0 (no dose) to {len(dose_levels)}",
        )


@_check("dose_levels")
def _doses_ascend(dose_levels: tuple[DoseLevel, ...]) -> Iterator[Complaint]:
    labels = [level.label for level in dose_levels]
    for position, label in enumerate(labels):
        if label in labels[:position]:
            yield (
                ("dose_levels", position, "label"),
                label,
                "another dose level has this label; make it unique",
            )
    cells = [level.cells for level in dose_levels]
    if any(value is None for value in cells) and any(value is not None for value in cells):
        position = cells.index(None)
        yield (
            ("dose_levels", position),
            None,
            "has no `cells`, and other levels do: give cells to all or to none",
        )
        return
    for position, (lower, upper) in enumerate(itertools.pairwise(dose_levels), 1):
        if lower.cells is None or upper.cells is None or upper.cells > lower.cells:
            continue
        if upper.cells < lower.cells:
            told = "dose levels are written lowest first, and must increase"
        elif _own_schedule(lower) == _own_schedule(upper):
            told = "dose levels are written lowest first, and must increase, in cells or by schedules of their own"
        else:
            continue
        yield ("dose_levels", position, "cells"), upper.cells, told


def _own_schedule(level: DoseLevel) -> tuple[Any, ...]:
    return level.infusion_days, level.infusion_shares, level.lymphodepletion


@_check("dose_levels", "safety")
def _start_level_exists(dose_levels: tuple[DoseLevel, ...], safety: Safety) -> Iterator[Complaint]:
    if safety.start_level > len(dose_levels):
        yield (
            ("safety", "start_level"),
            safety.start_level,
            f"there are {len(dose_levels)} dose levels: allowed are 1 to {len(dose_levels)}",
        )


@_check("trial", "safety", "rule", "titration")
def _first_cohort_fits(
    trial: TrialSection, safety: Safety, rule: RuleOptions, titration: Titration | None
) -> Iterator[Complaint]:
    rolls = gives_places_one_by_one(rule) or isinstance(rule, (TiteBoin, TiteCrm))
    may_be_partial = rolls or trial.last_cohort == "partial"
    first = 1 if may_be_partial else _first_cohort(safety, rule, titration)
    if trial.planned_patients < first:
        yield (
            ("trial", "planned_patients"),
            trial.planned_patients,
            f"leaves no room for the first cohort of {first}; at least {first} is needed",
        )


def _first_cohort(safety: Safety, rule: RuleOptions, titration: Titration | None) -> int:
    """Return how many patients the first cohort wants."""
    if gives_places_one_by_one(rule) or titration is not None:
        return 1
    return min(safety.cohort_size, 3) if isinstance(rule, ThreePlusThree) else safety.cohort_size


@_check("safety", "rule", "titration", "stopping")
def _stopping_lets_the_trial_begin(
    safety: Safety, rule: RuleOptions, titration: Titration | None, stopping: Stopping
) -> Iterator[Complaint]:
    first = _first_cohort(safety, rule, titration)
    if stopping.most_patients is not None and stopping.most_patients < first:
        yield (
            ("stopping", "most_patients"),
            stopping.most_patients,
            f"stops the trial before the first cohort of {first}; at least {first} is needed",
        )
    if stopping.interval_width is not None and finishes_first(rule):
        yield (
            ("stopping", "interval_width"),
            stopping.interval_width,
            f"has no effect: {rule.name} has no dose to recommend before it has finished; leave it out",
        )


@_check("safety", "stopping")
def _expansion_can_be_closed(safety: Safety, stopping: Stopping) -> Iterator[Complaint]:
    where, closes = ("stopping", "expansion_too_toxic_probability"), stopping.expansion_too_toxic_probability
    if safety.when_rule_finished == "expand" and closes is None:
        yield (
            where,
            None,
            'is missing: with when_rule_finished = "expand", say when an expansion is closed for toxicity, as in 0.9; '
            "1 leaves it open whatever comes",
        )
    elif safety.when_rule_finished == "stop" and closes is not None:
        yield where, closes, 'has no effect without safety.when_rule_finished = "expand"; leave it out'


@_check("trial", "screening")
def _everybody_can_be_screened_in_time(trial: TrialSection, screening: Screening) -> Iterator[Complaint]:
    if screening.days >= trial.max_days:
        yield ("screening", "days"), screening.days, f"{_less_than(trial)}: nobody would be screened"


@_check("trial", "dose_levels", "treatment", "safety")
def _everybody_can_come_in_time(
    trial: TrialSection, dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety
) -> Iterator[Complaint]:
    for each in _treated(dose_levels, treatment, safety):
        lead = each.schedule.lead_days
        if lead >= trial.max_days:
            told = f"{_less_than(trial)}: {treatment.say('nobody would be infused')}"
            own = dose_levels[each.level].lymphodepletion is not None
            path: Path = ("dose_levels", each.level) if own else ("treatment",)
            yield (*path, "lymphodepletion"), -lead, told


def _less_than(trial: TrialSection) -> str:
    return f"must be less than trial.max_days, which is {trial.max_days} days"


@_check("accrual", "sites")
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


@_check("sites")
def _sites_differ(sites: tuple[Site, ...]) -> Iterator[Complaint]:
    names = [site.name for site in sites]
    for position, name in enumerate(names):
        if name in names[:position]:
            yield ("sites", position, "name"), name, "another site has this name; make it unique"


@_check("trial", "sites")
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


@_check("accrual", "sites")
def _somebody_comes(accrual: Accrual, sites: tuple[Site, ...]) -> Iterator[Complaint]:
    told: dict[Path, Section] = {("accrual",): accrual} | {("sites", k): site for k, site in enumerate(sites)}
    for path, each in told.items():
        rates = [rate.consents_per_month for rate in each.rates] if isinstance(each, Arrivals) else []
        if rates and not any((getattr(each, "consents_per_month", None), *rates)):
            yield (*path, "rates"), rates, "nobody would ever come: every rate is 0; leave them out, or correct one"


@_check("trial", "screening", "sites")
def _everybody_is_screened_in_time(
    trial: TrialSection, screening: Screening, sites: tuple[Site, ...]
) -> Iterator[Complaint]:
    for position, site in enumerate(sites):
        if site.screening_days is not None and site.screening_days >= trial.max_days:
            told = f"must be less than trial.max_days, which is {trial.max_days} days: nobody would be screened"
            yield ("sites", position, "screening_days"), site.screening_days, told


@_check("trial", "dose_levels", "treatment", "safety", "calendar", "accrual", "screening", "sites")
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


@_check("trial", "dose_levels", "treatment", "safety")
def _days_are_possible(
    trial: TrialSection, dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety
) -> Iterator[Complaint]:
    for key in ("sentinel_stagger_days", "stagger_days", "review_delay_days"):
        value = getattr(safety, key)
        if value >= trial.max_days:
            yield ("safety", key), value, f"must be less than trial.max_days, which is {trial.max_days}"
    last = _last_window(dose_levels, treatment, safety)
    end = last.schedule.window_end
    if end >= trial.max_days:
        yield (
            ("safety", "dlt_window_days"),
            safety.dlt_window_days,
            f"the DLT window ends {end} days after the {treatment.say('first infusion')}"
            f"{last.here}, and must end before trial.max_days, which is {trial.max_days}",
        )


def _last_window(dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety) -> _Treated:
    """Return the way of treatment whose DLT window ends last."""
    return max(_treated(dose_levels, treatment, safety), key=lambda each: each.schedule.window_end)


@_check("dose_levels", "treatment", "safety")
def _infusions_inside_window(
    dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety
) -> Iterator[Complaint]:
    latest = max(_treated(dose_levels, treatment, safety), key=lambda each: each.schedule.last_infusion_day)
    last = latest.schedule.last_infusion_day
    if last > 0 and last >= latest.schedule.window_end:
        yield (
            ("safety", "dlt_window_days"),
            safety.dlt_window_days,
            f"the DLT window must end after the {treatment.say('last infusion')}, which is on day {last}"
            f"{latest.here}: make it longer, or let it count from there with dlt_window_anchor = "
            '"last_infusion"',
        )


@_check("dose_levels", "treatment", "safety", "follow_up")
def _window_inside_follow_up(
    dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety, follow_up: FollowUp
) -> Iterator[Complaint]:
    last = _last_window(dose_levels, treatment, safety)
    end = last.schedule.window_end
    if follow_up.days < end:
        yield (
            ("follow_up", "days"),
            follow_up.days,
            f"follow-up must last at least until the DLT window ends, day {end}{last.here}",
        )


@_check("dose_levels", "treatment", "safety", "toxicity")
def _onset_inside_window(
    dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety, toxicity: Toxicity
) -> Iterator[Complaint]:
    first = min(_treated(dose_levels, treatment, safety), key=lambda each: each.schedule.window_end)
    end = first.schedule.window_end
    if isinstance(toxicity.onset, ListOnset):
        for position, day in enumerate(toxicity.onset.days):
            if day > end:
                yield (
                    ("toxicity", "onset", "days", position),
                    day,
                    f"the DLT window ends on day {end}{first.here}: allowed are 0 to {end}",
                )


@_check("accrual")
def _waiting_has_a_use(accrual: Accrual) -> Iterator[Complaint]:
    if accrual.without_place == "lost":
        for key in ("patience_days", "most_waiting"):
            value = getattr(accrual, key)
            if value is not None:
                where = ("accrual", key)
                yield where, value, 'has no effect where without_place = "lost"; leave it out, or let candidates "wait"'


@_check("safety")
def _partial_doses_are_replaced(safety: Safety) -> Iterator[Complaint]:
    if safety.replace_partial_dose == "at_once" and not safety.replace_non_evaluable:
        yield (
            ("safety", "replace_partial_dose"),
            safety.replace_partial_dose,
            "has no effect where replace_non_evaluable = false, since nobody is replaced; leave it out, or replace",
        )


@_check("what_if", "follow_up")
def _what_if_is_possible(what_if: tuple[WhatIf, ...], follow_up: FollowUp) -> Iterator[Complaint]:
    seen: set[int] = set()
    for position, item in enumerate(what_if):
        if item.patient in seen:
            yield (
                ("what_if", position, "patient"),
                item.patient,
                "this patient is in another [[what_if]] already",
            )
        seen.add(item.patient)
        for key in ("dlt_day", "drop_out_day"):
            day = getattr(item, key)
            if day is not None and day > follow_up.days:
                yield ("what_if", position, key), day, f"follow-up ends on day {follow_up.days}"


NOT_TREATED = ("dlt_day", "drop_out_day", "full_dose")
"""What cannot be said of a patient who receives no cells."""


@_check("what_if", "treatment")
def _what_if_agrees_with_itself(what_if: tuple[WhatIf, ...], treatment: Treatment) -> Iterator[Complaint]:
    for position, item in enumerate(what_if):
        said = item.model_dump(exclude_none=True)
        if said.get("infused") is False:
            happens = [key for key in NOT_TREATED if key in said] + (["dlt"] if said.get("dlt") else [])
            yield from _both(position, said, "infused", happens, treatment.say("a patient who is not infused has none"))
        leaves, dlt = said.get("drop_out_day"), said.get("dlt_day")
        if leaves is not None and dlt is not None and leaves < dlt:
            yield from _both(position, said, "drop_out_day", ["dlt_day"], "the patient has left before the DLT")


def _both(position: int, said: dict[str, Any], key: str, others: list[str], why: str) -> Iterator[Complaint]:
    """Complain of two lines that contradict each other, at both."""
    for other in others:
        for one, two in ((key, other), (other, key)):
            against = f"contradicts {two} = {str(said[two]).lower()} of the same patient, since {why}: leave one out"
            yield ("what_if", position, one), said[one], against


@_check("dose_levels", "rule")
def _model_has_every_level(dose_levels: tuple[DoseLevel, ...], rule: RuleOptions) -> Iterator[Complaint]:
    levels = len(dose_levels)
    for key in ("skeleton", "doses"):
        given = getattr(rule, key, None)
        if given is not None and len(given) != levels:
            yield ("rule", key), given, f"has {len(given)} values, and there are {levels} dose levels"
    if isinstance(rule, Crm) and rule.prior_mtd_level is not None and rule.prior_mtd_level > levels:
        yield (
            ("rule", "prior_mtd_level"),
            rule.prior_mtd_level,
            f"there are {levels} dose levels: allowed are 1 to {levels}",
        )
    elif isinstance(rule, Crm) and rule.prior_mtd_level is not None:
        try:
            getprior(rule.halfwidth, rule.target, rule.prior_mtd_level, levels, rule.model, rule.intercept)
        except ValueError as error:
            yield ("rule", "halfwidth"), rule.halfwidth, str(error)
    if isinstance(rule, Blrm) and rule.doses is None and any(level.cells is None for level in dose_levels):
        yield ("rule", "doses"), None, "is missing, and the dose levels have no `cells` to take instead"
    elif isinstance(rule, Blrm) and rule.doses is None and len({level.cells for level in dose_levels}) < levels:
        told = "is missing: levels with the same cells differ by schedule, and the rule is to be told how much"
        yield ("rule", "doses"), None, told


@_check("dose_levels", "titration")
def _titration_ends_at_a_level(dose_levels: tuple[DoseLevel, ...], titration: Titration | None) -> Iterator[Complaint]:
    levels = len(dose_levels)
    if titration is not None and (titration.last_level or 1) > levels:
        yield (
            ("titration", "last_level"),
            titration.last_level,
            f"there are {levels} dose levels: allowed are 1 to {levels}",
        )


@_check("rule", "limits", "stopping")
def _target_is_known(rule: RuleOptions, limits: Limits, stopping: Stopping) -> Iterator[Complaint]:
    if isinstance(rule, (Blrm, PythonRule)) or getattr(rule, "target", None) is not None:
        return
    if limits.coherence in ("last_cohort", "last_level"):
        yield (
            ("limits", "coherence"),
            limits.coherence,
            f'compares with a target DLT probability, and {rule.name} has none: take "after_dlt" or "off"',
        )
    asks = stopping.too_toxic_probability is not None or (stopping.expansion_too_toxic_probability or 1) < 1
    if asks and stopping.too_toxic_above is None:
        yield (
            ("stopping", "too_toxic_above"),
            None,
            f"is missing: {rule.name} has no target, so that what is too toxic must be said",
        )


@_check("rule")
def _table_recommends(rule: RuleOptions) -> Iterator[Complaint]:
    if isinstance(rule, TableRule) and rule.target is None and not rule.declares:
        yield (
            ("rule", "target"),
            None,
            "is missing: a table recommends the tried level whose DLT rate is closest to it. Only a table with "
            "patients pending that says R somewhere, stop and recommend this level, goes without",
        )


@_check("trial", "safety", "rule", "limits", "titration")
def _no_more_than_a_rolling_table(
    trial: TrialSection, safety: Safety, rule: RuleOptions, limits: Limits, titration: Titration | None
) -> Iterator[Complaint]:
    """Yield that a level can come to more patients than a table with patients pending has lines for."""
    if not (isinstance(rule, IqRollingSix) or (isinstance(rule, TableRule) and rule.is_rolling)):
        return
    most, largest = (
        min(trial.planned_patients, limits.most_per_level or trial.planned_patients),
        most_patients(rule.lines),
    )
    fewer = "or keep levels smaller with limits.most_per_level"
    if titration is not None and min(safety.cohort_size, most) > largest:
        yield (
            ("safety", "cohort_size"),
            safety.cohort_size,
            f"the titration fills a level up to so many patients, and the table has lines for {largest}: take fewer, "
            f"{fewer}",
        )
    if most <= largest:
        return
    for where, value, cells, take in _leading_out(rule, limits):
        for n, c, closed, y in cells[:1]:
            after = f"after {dlts(y)} with {place_words(n, c, closed)}, and there is no line for {largest + 1} patients"
            yield where, value, f"can give a level to patient {largest + 1} {after}: {take}, {fewer}"


def _leading_out(
    rule: IqRollingSix | TableRule, limits: Limits
) -> Iterator[tuple[tuple[str, str], str, list[Cell], str]]:
    """Yield what can lead beyond a table's lines: key, value, the cells where, and what to do instead."""
    lines = rule.lines
    own = leads_out(lines)
    kept = [cell for cell in leads_out(lines, held_back=True) if cell not in own]
    letter = lines[own[0][:3]][own[0][3]] if own else ""
    yield ("rule", "decisions"), letter, own, "say SUS, R or DU there, add the lines"
    if limits.coherence not in ("off", "by_rule"):
        yield ("limits", "coherence"), limits.coherence, kept, 'take "off"'
    if limits.no_skipping == "last_given" and any("D" in letters for letters in lines.values()):
        # from a level that D led down to, E leads up again: beyond the next level, if that says E as well
        yield ("limits", "no_skipping"), limits.no_skipping, kept, 'take "highest_given"'


@_check("trial", "safety", "rule", "limits", "titration")
def _table_has_every_line(
    trial: TrialSection, safety: Safety, rule: RuleOptions, limits: Limits, titration: Titration | None
) -> Iterator[Complaint]:
    if not isinstance(rule, TableRule) or rule.is_rolling:
        return
    most = min(trial.planned_patients, limits.most_per_level or trial.planned_patients)
    whole = safety.fills_every_place and trial.last_cohort == "whole" and titration is None
    step = safety.cohort_size if whole and (limits.most_per_level or 0) % safety.cohort_size == 0 else 1
    missing = [n for n in range(step, most + 1, step) if n not in rule.cells]
    if missing:
        few = ", ".join(map(str, missing[:10])) + (" ..." if len(missing) > 10 else "")
        yield (
            ("rule", "decisions"),
            ", ".join(map(str, rule.cells)),
            f"has no line for {few} evaluable patients, which a level can come to: add them, or keep levels "
            "smaller with limits.most_per_level",
        )


@_check("dose_levels", "treatment", "safety")
def _later_infusions_exist(
    dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety
) -> Iterator[Complaint]:
    withholds = safety.later_infusions_at_closed_level == "withhold"
    if withholds and not any(each.schedule.last_infusion_day for each in _treated(dose_levels, treatment, safety)):
        told = f"has no effect: {treatment.say('there is one infusion')}; leave it out"
        yield ("safety", "later_infusions_at_closed_level"), "withhold", told


@_check("dose_levels", "treatment", "safety")
def _weekdays_have_a_use(
    dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety
) -> Iterator[Complaint]:
    schedules = [each.schedule for each in _treated(dose_levels, treatment, safety)]
    what = {
        "lymphodepletion_weekdays": (any(each.lead_days for each in schedules), "there is no lymphodepletion"),
        "later_infusion_weekdays": (any(each.last_infusion_day for each in schedules), "there is one infusion"),
    }
    for key, (is_used, why) in what.items():
        if not is_used and getattr(treatment, key) != EVERY_DAY:
            yield (
                ("treatment", key),
                list(getattr(treatment, key)),
                f"has no effect: {treatment.say(why)}; leave it out",
            )


@_check("safety", "rule")
def _reviews_have_a_use(safety: Safety, rule: RuleOptions) -> Iterator[Complaint]:
    early = decides_early(rule) if safety.early_decision is None else safety.early_decision
    if safety.urgent_review_days is not None and not early and safety.after_sentinel_dlt == "go_on":
        yield (
            ("safety", "urgent_review_days"),
            safety.urgent_review_days,
            "has no effect: no data cut comes early, and no sentinel's DLT is looked at; set early_decision = true or "
            'after_sentinel_dlt = "review", or leave it out',
        )


@_check("dose_levels", "treatment", "safety")
def _lead_has_a_use(dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety) -> Iterator[Complaint]:
    lymphodepletes = any(each.schedule.lead_days for each in _treated(dose_levels, treatment, safety))
    if not safety.lymphodepletion_in_stagger and not lymphodepletes:
        told = "has no effect: there is no lymphodepletion; leave it out"
        yield ("safety", "lymphodepletion_in_stagger"), False, told


@_check("safety")
def _meeting_weeks_have_a_use(safety: Safety) -> Iterator[Complaint]:
    if safety.meeting_dates and (safety.meeting_weeks or safety.meeting_weekdays != EVERY_DAY):
        key = "meeting_weeks" if safety.meeting_weeks else "meeting_weekdays"
        told = "the committee meets on meeting_dates alone; leave one of the two out"
        yield ("safety", key), list(getattr(safety, key)), f"has no effect: {told}"


@_check("trial", "dose_levels", "treatment", "safety", "calendar")
def _days_are_open(
    trial: TrialSection,
    dose_levels: tuple[DoseLevel, ...],
    treatment: Treatment,
    safety: Safety,
    calendar: Calendar,
) -> Iterator[Complaint]:
    """Refuse calendars on which nothing could ever happen."""
    schedules = [schedule_of(own, treatment, safety) for own in dose_levels]
    days = OpenDays(trial, treatment, safety, calendar, schedules)
    in_time = f"in the {trial.max_days:,} days of trial.max_days"
    closed, reasons = ("calendar", "closed"), [closure.reason for closure in calendar.closed]
    for each in _treated(dose_levels, treatment, safety):
        if days.by_weekday[each.level][0] == days.limit:
            yield (
                ("treatment", "weekdays"),
                list(treatment.weekdays),
                f"no treatment can begin{each.here}: its days that are bound to weekdays, "
                f"{days.visits_words(each.level)}, never fall on lymphodepletion_weekdays, weekdays and "
                "later_infusion_weekdays at once",
            )
        elif _first_together(days, each.level) == days.limit:
            no_treatment = treatment.say("no treatment can begin")
            told = treatment.say("lymphodepletion or an infusion would fall on a closed day")
            yield closed, reasons, f"{no_treatment}{each.here}: {told}, whenever it began {in_time}"
    if days.committee[0] == days.limit:
        by_weeks = "meeting_weeks" if safety.meeting_weeks else "meeting_weekdays"
        key = "meeting_dates" if safety.meeting_dates else by_weeks
        told = f"the committee never meets on an open day {in_time}"
        yield ("safety", key), [str(each) for each in getattr(safety, key)], told
    for what, opens in (("consent", days.consent), ("screening", days.screening)):
        if opens[0] == days.limit:
            told = f"{what} is closed on all days {in_time}: nobody would ever be treated"
            yield closed, reasons, told


def _first_together(days: OpenDays, level: int) -> int:
    """Return the first day on which a treatment at a level may begin, by weekdays and closures."""
    day, before = 0, -1
    while day != before and day < days.limit:
        before = day
        day = int(days.by_weekday[level][day])
        day = int(days.by_closure[level][day]) if day < days.limit else day
    return day


@_check("dose_levels", "treatment", "safety", "capacity")
def _a_week_has_room(
    dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety, capacity: Capacity | None
) -> Iterator[Complaint]:
    """Refuse a unit that cannot treat one patient alone."""
    if capacity is None or capacity.infusions_per_week is None:
        return
    for each in _treated(dose_levels, treatment, safety):
        weeks = ([(first + day) // 7 for day in each.schedule.infusion_days] for first in range(7))
        most = min(max(Counter(of_a_patient).values()) for of_a_patient in weeks)
        if most > capacity.infusions_per_week:
            who = f"one patient{each.here}"
            told = f"{who} has {most} infusions in a week, from whatever weekday on: nobody could be treated"
            yield ("capacity", "infusions_per_week"), capacity.infusions_per_week, treatment.say(told)


@_check("trial", "product")
def _there_are_doses(trial: TrialSection, product: Product | None) -> Iterator[Complaint]:
    """Refuse a product of which nobody would ever have a dose."""
    if not isinstance(product, Store) or product.doses_at_start:
        return
    if not product.release_days(trial.start_date, trial.max_days):
        key = "batch_dates" if product.batch_dates else "batches_every_days"
        told = (
            f"no batch is released in the {trial.max_days:,} days of trial.max_days, and there is no dose at the start"
        )
        yield ("product", key), getattr(product, key), told
    elif product.batch_failure_probability == 1:
        told = "every batch fails, and there is no dose at the start: nobody could be treated"
        yield ("product", "batch_failure_probability"), 1, told


@_check("screening")
def _screening_waits(screening: Screening) -> Iterator[Complaint]:
    told = 'has no effect where while_closed = "goes_on"; leave it out, or let screening wait'
    for key, unset in (("opens_days_ahead", 0), ("candidates_per_place", None)):
        if not screening.waits and getattr(screening, key) != unset:
            yield ("screening", key), getattr(screening, key), told


@_check("screening", "accrual", "treatment", "product")
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


@_check("treatment", "accrual")
def _notice_can_be_waited_for(treatment: Treatment, accrual: Accrual) -> Iterator[Complaint]:
    """Refuse a notice that nobody waits for."""
    patience = 0 if accrual.without_place == "lost" else accrual.patience_days
    if patience is not None and 0 < treatment.notice_days >= patience:
        key = "without_place" if accrual.without_place == "lost" else "patience_days"
        told = f"a notice takes {treatment.notice_days} days, and nobody waits longer: nobody would be treated"
        yield ("accrual", key), getattr(accrual, key), f"{told}; let candidates wait, or give no notice"


@_check("product")
def _products_can_be_made(product: Product | None) -> Iterator[Complaint]:
    """Refuse own products that are never made."""
    if isinstance(product, Autologous) and product.failure_probability + product.out_of_specification_probability >= 1:
        key = "failure_probability" if product.failure_probability else "out_of_specification_probability"
        yield ("product", key), getattr(product, key), "no product is ever made: nobody could be treated"
