"""What of nature is the same in two scenarios, number by number, when they have the same seed.

Random numbers never depend on a scenario: candidate i and patient k of a trial have theirs, whatever is simulated.
What is drawn from them is the same as long as the values are that it is drawn with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..scenario.model import Scenario
from ..scenario.nature import WeibullOnset
from ..scenario.sites import RecruitingSite

Drawn = Callable[[Scenario], Any]

CONSENT, SCREENING, SIZE = "when candidates consent", "who fails screening", "how large they are"
INFUSED, DOSE, DLT = "who is infused", "who receives the full dose", "who has a DLT at which level"
ONSET, LEAVES = "when a DLT comes", "who leaves, and when"
BATCHES, PRODUCTS = "which batches fail", "whose own product fails"


def _fixed(scenario: Scenario, *names: str) -> list[tuple[Any, ...]]:
    """Return what is fixed of some patients, of those of whom anything of it is."""
    told = ((one.patient, *(getattr(one, name) for name in names)) for one in scenario.what_if)
    return [each for each in told if any(value is not None for value in each[1:])]


def _consent(scenario: Scenario) -> Any:
    return [_consent_at(site) for site in scenario.recruiting_sites]


def _consent_at(site: RecruitingSite) -> Any:
    if site.arrivals is None:
        return site.consent_days, site.open_days.pauses()
    rate = site.arrivals
    return site.opens_day, rate.consents_per_month, site.changes, rate.ramp_up_days, rate.rate_cv, site.rests


def _order(scenario: Scenario) -> Any:
    """Return what decides who is candidate i: nothing with one site, whose candidates are counted by themselves."""
    return _consent(scenario) if len(scenario.recruiting_sites) > 1 else None


def _screening(scenario: Scenario) -> Any:
    failures = [list(site.failure_probability.items()) for site in scenario.recruiting_sites]
    again = scenario.screening.valid_days is not None
    return failures, again, _order(scenario) if any(failures) else None


def _size(scenario: Scenario) -> Any:
    area = scenario.treatment.body_surface_area
    return area, _order(scenario) if area else None


def _onset(scenario: Scenario) -> Any:
    onset = scenario.toxicity.onset
    with_p = scenario.toxicity.dlt_probability if isinstance(onset, WeibullOnset) else None
    windows = scenario.windows if len(set(scenario.windows)) > 1 else scenario.windows[:1]
    return onset, windows, with_p, _fixed(scenario, "dlt_day")


def _products(scenario: Scenario) -> Any:
    own = scenario.autologous
    made = own and (own.failure_probability, own.out_of_specification_probability, own.most_attempts)
    return made, _order(scenario) if own else None


def _leaves(scenario: Scenario) -> Any:
    yearly = scenario.attrition.drop_out_per_year
    return yearly, scenario.follow_up.days if yearly else None, _fixed(scenario, "drop_out", "drop_out_day")


DRAWN: dict[str, Drawn] = {
    CONSENT: _consent,
    SCREENING: _screening,
    SIZE: _size,
    INFUSED: lambda scenario: (scenario.attrition.not_infused_probability, _fixed(scenario, "infused")),
    DOSE: lambda scenario: (scenario.attrition.partial_dose_probability, _fixed(scenario, "full_dose")),
    DLT: lambda scenario: (scenario.toxicity.dlt_probability, _fixed(scenario, "dlt", "dlt_day")),
    ONSET: _onset,
    LEAVES: _leaves,
    BATCHES: lambda scenario: (scenario.store and scenario.store.batch_failure_probability, scenario.release_days),
    PRODUCTS: _products,
}
"""What is drawn, and the values of a scenario that it is drawn with, beside random numbers."""


def drawn_in(scenario: Scenario) -> list[str]:
    """Return those of `DRAWN` that there are in a scenario."""
    there_is = {BATCHES: scenario.store is not None, PRODUCTS: scenario.autologous is not None}
    return [what for what in DRAWN if there_is.get(what, True)]


def not_the_same(first: Scenario, other: Scenario) -> list[str]:
    """Return which of `DRAWN` may differ between two scenarios in the same trial; the others never do."""
    return [what for what, drawn_with in DRAWN.items() if drawn_with(first) != drawn_with(other)]
