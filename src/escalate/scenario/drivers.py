"""What drives a result, in one line: how many candidates come, how many fail screening, how toxic the doses are taken.

Heads of summaries and subtitles of figures say it with these words, and no others.
"""

from __future__ import annotations

from ..words.dates import day_words
from .command_line import settings
from .model import Scenario
from .sites import RecruitingSite

MOST_SITES_TOLD = 8
"""Sites that are told one by one."""

MOST_RATES_TOLD = 3
"""Changes of a rate that are told one by one."""


def drivers(scenario: Scenario, label: str = "") -> str:
    """Return what drives the results of a scenario: consents a month, screening failures and P(DLT) assumed.

    Parameters
    ----------
    scenario : Scenario
        Any scenario.
    label : str
        What the scenario is called, where several are compared.

    Returns
    -------
    str
        As in ``0.857 consents a month; 30% fail screening; P(DLT) assumed 3%, 6%``.
    """
    return "; ".join([*_label(label), *accrual_drivers(scenario), f"P(DLT) assumed {p_dlt_words(scenario)}"])


def accrual_drivers(scenario: Scenario) -> list[str]:
    """Return what drives the calendar alone: consents a month, who fails screening, and what keeps places shut."""
    return [consents_words(scenario), screening_words(scenario), *gate_words(scenario), *schedule_words(scenario)]


def schedule_words(scenario: Scenario) -> list[str]:
    """Return what of a treatment differs between levels, the lowest first; nothing where all are treated alike."""
    days = [", ".join(map(str, schedule.infusion_days)) for schedule in scenario.schedules]
    leads = [f"{schedule.lead_days} days before" for schedule in scenario.schedules]
    windows = [f"day {window}" for window in scenario.windows]
    told = {"infusions by level on days": days, "lymphodepletion by level": leads, "DLT window by level to": windows}
    return [scenario.say(f"{what} ") + " | ".join(each) for what, each in told.items() if len(set(each)) > 1]


def gate_words(scenario: Scenario) -> list[str]:
    """Return what keeps places shut beside the cohorts, where something does: closures, the unit, the product."""
    told = []
    closures, capacity, product = len(scenario.calendar.closed), scenario.capacity, scenario.store
    of_sites = sum(len(site.closed) for site in scenario.sites)
    if closures:
        told.append(f"{closures} {_plural(closures, 'closure')}")
    if of_sites:
        told.append(f"{of_sites} {_plural(of_sites, 'closure')} of sites")
    if capacity is not None and capacity.infusions_per_week is not None:
        many = capacity.infusions_per_week
        told.append(scenario.say(f"at most {many} {_plural(many, 'infusion')} a week"))
    if capacity is not None and capacity.patients_at_once is not None:
        many = capacity.patients_at_once
        told.append(f"at most {many} {_plural(many, 'patient')} at once")
    if product is not None:
        often = f"every {product.batches_every_days} days" if product.batches_every_days else "on listed dates"
        failing = product.batch_failure_probability
        told.append(f"a batch {often}" + (f", {100 * failing:.3g}% fail" if failing else ""))
    own = scenario.autologous
    if own is not None:
        failing = own.failure_probability + own.out_of_specification_probability
        told.append(f"own product in {own.manufacture_days} days" + (f", {100 * failing:.3g}% fail" if failing else ""))
    return told


def consents_words(scenario: Scenario) -> str:
    """Return how many candidates consent; where there are sites, at each of a few, with the dates of their opening."""
    sites = scenario.recruiting_sites
    if not scenario.sites:
        return _consents(sites[0])
    if len(sites) > MOST_SITES_TOLD:
        first, last = (pick(site.opens_date for site in sites) for pick in (min, max))
        return f"{len(sites)} sites, which open {day_words(first)} to {day_words(last)}"
    told = ", ".join(f"{site.name} (from {day_words(site.opens_date)}: {_consents(site)})" for site in sites)
    return f"{len(sites)} {_plural(len(sites), 'site')}: {told}"


def _consents(site: RecruitingSite) -> str:
    arrivals = site.arrivals
    if arrivals is None:
        many = len(site.consent_days)
        return f"{many:,} {_plural(many, 'consent')} on fixed days"
    rate = arrivals.consents_per_month or 0.0
    told = [f"{rate:.4g} {_plural(rate, 'consent')} a month"]
    told += [f"{each.consents_per_month:.4g} from {each.from_date}" for each in arrivals.rates[:MOST_RATES_TOLD]]
    more, pauses = len(arrivals.rates) - MOST_RATES_TOLD, len(arrivals.pauses)
    told += [f"{more} more {_plural(more, 'change')}"] if more > 0 else []
    told += [f"growing over {arrivals.ramp_up_days} days"] if arrivals.ramp_up_days else []
    told += [f"CV of the rate {100 * arrivals.rate_cv:.3g}%"] if arrivals.rate_cv else []
    told += [f"{pauses} {_plural(pauses, 'pause')}"] if pauses else []
    return ", ".join(told)


def screening_words(scenario: Scenario) -> str:
    """Return how many candidates fail screening; where sites differ, of those with the fewest and the most."""
    waits = ", which waits for places" if scenario.screening.waits else ""
    waits += " and reserves them" if scenario.treatment.reserves else ""
    failing = sorted({sum(site.failure_probability.values()) for site in scenario.recruiting_sites})
    if len(failing) > 1:
        return f"{100 * failing[0]:.3g}% to {100 * failing[-1]:.3g}% fail screening, by site{waits}"
    return (f"{100 * failing[0]:.3g}% fail screening" if failing[0] else "nobody fails screening") + waits


def p_dlt_words(scenario: Scenario) -> str:
    """Return P(DLT) at each level, lowest first."""
    return ", ".join(f"{100 * p:.4g}%" for p in scenario.toxicity.dlt_probability)


def settings_words(scenario: Scenario) -> str:
    """Return what was changed on the command line; empty where nothing was."""
    told = "; ".join(map(str, settings(scenario)))
    return f"Changed on the command line: {told}" if told else ""


def _label(label: str) -> list[str]:
    return [label] if label else []


def _plural(many: float, word: str) -> str:
    return word if many == 1 else f"{word}s"
