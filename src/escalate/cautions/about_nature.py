"""Cautions about what is assumed of nature, and about numbers that nobody has written yet."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from ..committee.committee import Committee
from ..nature.patients import dlt_probability_if_evaluable
from ..registry.draft import ASSUMED
from ..scenario.command_line import settings
from ..scenario.model import Scenario
from ..scenario.nature import Arrivals, FixedAccrual
from ..scenario.sources import ledger
from .caution import Caution

A_POINT = 0.01
"""By how much a DLT rate may differ from P(DLT) before it is said [probability]."""


def placeholders(scenario: Scenario, _: Committee) -> Iterator[Caution]:
    """Values that `escalate init` made up, and that still have its source."""
    values = ledger(scenario)
    made_up = sum(f"{value.kind}: {value.source}" == ASSUMED for value in values)
    if made_up:
        yield Caution(
            key="sources",
            matter=f"{made_up} of {len(values)} values are placeholders of `escalate init`, and no facts of this "
            "trial: results say nothing about it yet.",
            advice=f'Replace each value and its source; they are those with the source "{ASSUMED}".',
            brief=f"a draft: {made_up} of {len(values)} values are placeholders",
        )


def outside_ranges(scenario: Scenario, _: Committee) -> Iterator[Caution]:
    """Values of the command line that lie outside what the scenario takes to be possible."""
    for setting in settings(scenario):
        if setting.outside:
            yield Caution(
                key=setting.key,
                matter=f"{setting} on the command line: outside the range that the scenario gives it, "
                f"{setting.outside}.",
                advice="Check the value; `escalate sensitivity` does not vary it now. If it is meant, widen the range "
                "in the file.",
                brief=f"{setting.key} lies outside its range",
            )


def falling_toxicity(scenario: Scenario, _: Committee) -> Iterator[Caution]:
    """P(DLT) that falls as the dose rises."""
    p = scenario.toxicity.dlt_probability
    falls = [level for level, (lower, higher) in enumerate(pairwise(p), 2) if higher < lower]
    if falls:
        told = ", ".join(f"{p[level - 1]:.4g} at level {level} after {p[level - 2]:.4g}" for level in falls)
        yield Caution(
            key="toxicity.dlt_probability",
            matter=f"P(DLT) falls as the dose rises ({told}), while every rule takes a higher dose to be at least as "
            "toxic.",
            advice="Check the order of the values; if it is meant, read the right choice and overdoses with care.",
            brief="the assumed P(DLT) falls as the dose rises",
        )


def beyond_the_end(scenario: Scenario, _: Committee) -> Iterator[Caution]:
    """Days that lie after the last one that a trial can have."""
    most, accrual = scenario.trial.max_days, scenario.accrual
    closed = {f"calendar.closed[{number}]": item for number, item in enumerate(scenario.calendar.closed, 1)}

    def is_beyond(day: date) -> bool:
        return (day - scenario.trial.start_date).days > most

    late = {key: not item.every_year and is_beyond(item.first_day) for key, item in closed.items()} | {
        "follow_up.days": scenario.follow_up.days > most,
        "trial.planned_completion_date": (scenario.planned_days or 0) > most,
        "accrual.consent_days": isinstance(accrual, FixedAccrual) and any(day > most for day in accrual.consent_days),
    }
    arrivals = {"accrual": accrual} | {f"sites[{number}]": site for number, site in enumerate(scenario.sites, 1)}
    for key, each in arrivals.items():
        if isinstance(each, Arrivals):
            dates = {"pauses": [pause.first_day for pause in each.pauses]}
            dates["rates"] = [rate.from_date for rate in each.rates]
            late |= {f"{key}.{name}": any(map(is_beyond, found)) for name, found in dates.items()}
    for number, site in enumerate(scenario.sites, 1):
        late[f"sites[{number}].consent_days"] = any(day > most for day in site.consent_days or ())
        late[f"sites[{number}].closed"] = any(not c.every_year and is_beyond(c.first_day) for c in site.closed)
    for key, is_late in late.items():
        if is_late:
            yield Caution(
                key=key,
                matter=f"Every trial is ended after {most:,} days (trial.max_days), and {key} lies beyond that.",
                advice="Raise trial.max_days, or check the date for a slip.",
                brief=f"{key} lies beyond trial.max_days",
            )


def nobody_comes(scenario: Scenario, _: Committee) -> Iterator[Caution]:
    """Sites from which nobody comes while a trial can last; the accrual itself, where its rate changes."""
    most = scenario.trial.max_days
    for number, site in enumerate(scenario.recruiting_sites, 1):
        told = bool(site.name) or (site.arrivals is not None and not site.arrivals.is_steady)
        if told and site.expected(most + 1) == 0:
            key, where = (f"sites[{number}]", f" at {site.name}") if site.name else ("accrual", "")
            yield Caution(
                key=key,
                matter=f"Nobody consents{where} in the {most:,} days that a trial can last (trial.max_days).",
                advice="Check the rates, the days, and the pauses; if it is meant, nothing need be done.",
                brief=f"{key} brings nobody",
            )


def before_the_start(scenario: Scenario, _: Committee) -> Iterator[Caution]:
    """Closures that are over before the trial begins."""
    of_sites = {f"sites[{number}]": site.closed for number, site in enumerate(scenario.sites, 1)}
    lists = {"calendar": scenario.calendar.closed} | of_sites
    closed = [(f"{where}.closed[{k}]", item) for where, found in lists.items() for k, item in enumerate(found, 1)]
    for key, item in closed:
        if not item.every_year and item.last_day < scenario.trial.start_date:
            yield Caution(
                key=key,
                matter=f"The closure to {item.last_day} ({item.reason}) is over when the trial begins, on "
                f"{scenario.trial.start_date}, and has no effect.",
                advice="Leave it out, check its dates, or let it come back with every_year = true.",
                brief=f"{key} is over when the trial begins",
            )


def meetings_end(scenario: Scenario, _: Committee) -> Iterator[Caution]:
    """Meetings whose list ends before a trial must have ended."""
    dates, most = scenario.safety.meeting_dates, scenario.trial.max_days
    if dates and (max(dates) - scenario.trial.start_date).days < most:
        yield Caution(
            key="safety.meeting_dates",
            matter=f"The committee meets for the last time on {max(dates)}: a trial that needs it later waits in vain, "
            f"and is ended after {most:,} days (trial.max_days).",
            advice="List the meetings up to the latest end that is thought of, or say weekdays instead.",
            brief="the list of meetings ends before the trial must have",
        )


def rate_among_evaluable(scenario: Scenario, _: Committee) -> Iterator[Caution]:
    """A DLT rate among evaluable patients that is unlike P(DLT)."""
    p, seen = scenario.toxicity.dlt_probability, dlt_probability_if_evaluable(scenario)
    if any(math.isnan(rate) for rate in seen):
        yield Caution(
            key="attrition",
            matter="With this attrition nobody without a DLT is ever evaluable at some level.",
            advice="Lower attrition.partial_dose_probability or attrition.drop_out_per_year.",
            brief="nobody can be evaluable",
        )
    elif differs_among_evaluable(scenario):
        level = max(range(scenario.levels), key=lambda k: abs(seen[k] - p[k]))
        yield Caution(
            key="attrition",
            matter=f"The rule sees a DLT rate of {seen[level]:.1%} at level {level + 1}, where P(DLT) is "
            f"{p[level]:.1%}: who drops out or has part of the dose counts only with a DLT.",
            advice="Judge the rule by the rate among evaluable patients, which is shown beside P(DLT).",
            brief="the DLT rate among evaluable patients is above P(DLT)",
        )


def differs_among_evaluable(scenario: Scenario) -> bool:
    """Return whether the DLT rate among evaluable patients differs from P(DLT) by more than a point at any level."""
    pairs = zip(scenario.toxicity.dlt_probability, dlt_probability_if_evaluable(scenario), strict=True)
    return any(abs(p - rate) > A_POINT for p, rate in pairs)


def doses_run_out(scenario: Scenario, _: Committee) -> Iterator[Caution]:
    """Fewer doses of a product than planned patients."""
    product, planned, most = scenario.store, scenario.trial.planned_patients, scenario.trial.max_days
    if product is None:
        return
    doses = product.doses_at_start + len(scenario.release_days) * product.doses_per_batch
    if doses < planned:
        yield Caution(
            key="product",
            matter=f"If no batch fails, there are {doses} doses in the {most:,} days that a trial can last "
            f"(trial.max_days), and {planned} planned patients: the others wait in vain.",
            advice="Add batches, or doses to them, or plan fewer patients.",
            brief="fewer doses than planned patients",
        )


def small_batches(scenario: Scenario, _: Committee) -> Iterator[Caution]:
    """Batches of a product that do not serve a cohort."""
    product, size = scenario.store, scenario.safety.cohort_size
    if product is None or product.doses_at_start >= scenario.trial.planned_patients:
        return
    if product.doses_per_batch < size:
        yield Caution(
            key="product.doses_per_batch",
            matter=f"A batch has doses for {product.doses_per_batch} of the {size} patients of a cohort: once the "
            "store is empty, each cohort waits for several batches.",
            advice="Check the doses of a batch; if that is meant, `escalate run` tells how long they are waited for.",
            brief="a batch does not serve a cohort",
        )
