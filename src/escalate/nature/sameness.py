"""What of nature is the same in two scenarios, number by number, when they have the same seed.

Random numbers never depend on a scenario: candidate i and patient k of a trial have theirs, whatever is simulated.
What is drawn from them is the same as long as the values are that it is drawn with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..scenario.model import Scenario
from ..scenario.nature import FixedAccrual, WeibullOnset

Drawn = Callable[[Scenario], Any]

CONSENT, SCREENING, SIZE = "when candidates consent", "who fails screening", "how large they are"
INFUSED, DOSE, DLT = "who is infused", "who receives the full dose", "who has a DLT at which level"
ONSET, LEAVES = "when a DLT comes", "who leaves, and when"
BATCHES = "which batches fail"


def _fixed(scenario: Scenario, *names: str) -> list[tuple[Any, ...]]:
    """Return what is fixed of some patients, of those of whom anything of it is."""
    told = ((one.patient, *(getattr(one, name) for name in names)) for one in scenario.what_if)
    return [each for each in told if any(value is not None for value in each[1:])]


def _consent(scenario: Scenario) -> Any:
    accrual = scenario.accrual
    if isinstance(accrual, FixedAccrual):
        return accrual.consent_days, scenario.open_days.pauses()
    start = scenario.trial.start_date
    pauses = {((p.first_day - start).days, (p.last_day - start).days) for p in accrual.pauses}
    return accrual.consents_per_month, frozenset(pauses), scenario.open_days.pauses()


def _onset(scenario: Scenario) -> Any:
    onset = scenario.toxicity.onset
    with_p = scenario.toxicity.dlt_probability if isinstance(onset, WeibullOnset) else None
    windows = scenario.windows if len(set(scenario.windows)) > 1 else scenario.windows[:1]
    return onset, windows, with_p, _fixed(scenario, "dlt_day")


def _leaves(scenario: Scenario) -> Any:
    yearly = scenario.attrition.drop_out_per_year
    return yearly, scenario.follow_up.days if yearly else None, _fixed(scenario, "drop_out", "drop_out_day")


DRAWN: dict[str, Drawn] = {
    CONSENT: _consent,
    SCREENING: lambda scenario: list(scenario.screening.failure_probability.items()),
    SIZE: lambda scenario: scenario.treatment.body_surface_area,
    INFUSED: lambda scenario: (scenario.attrition.not_infused_probability, _fixed(scenario, "infused")),
    DOSE: lambda scenario: (scenario.attrition.partial_dose_probability, _fixed(scenario, "full_dose")),
    DLT: lambda scenario: (scenario.toxicity.dlt_probability, _fixed(scenario, "dlt", "dlt_day")),
    ONSET: _onset,
    LEAVES: _leaves,
    BATCHES: lambda scenario: (scenario.product and scenario.product.batch_failure_probability, scenario.release_days),
}
"""What is drawn, and the values of a scenario that it is drawn with, beside random numbers."""


def not_the_same(first: Scenario, other: Scenario) -> list[str]:
    """Return which of `DRAWN` may differ between two scenarios in the same trial; the others never do."""
    return [what for what, drawn_with in DRAWN.items() if drawn_with(first) != drawn_with(other)]
