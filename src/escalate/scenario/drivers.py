"""What drives a result, in one line: how many candidates come, how many fail screening, how toxic the doses are taken.

Heads of summaries and subtitles of figures say it with these words, and no others.
"""

from __future__ import annotations

from .command_line import settings
from .model import Scenario
from .nature import PoissonAccrual


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
    return [consents_words(scenario), screening_words(scenario), *gate_words(scenario)]


def gate_words(scenario: Scenario) -> list[str]:
    """Return what keeps places shut beside the cohorts, where something does: closures, the unit, the product."""
    told = []
    closures, capacity, product = len(scenario.calendar.closed), scenario.capacity, scenario.store
    if closures:
        told.append(f"{closures} {_plural(closures, 'closure')}")
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
    """Return how many candidates consent."""
    accrual = scenario.accrual
    if isinstance(accrual, PoissonAccrual):
        pauses = len(accrual.pauses)
        told = f", {pauses} pause{'s' if pauses > 1 else ''}" if pauses else ""
        return f"{accrual.consents_per_month:.4g} {_plural(accrual.consents_per_month, 'consent')} a month{told}"
    many = len(accrual.consent_days)
    return f"{many:,} {_plural(many, 'consent')} on fixed days"


def screening_words(scenario: Scenario) -> str:
    """Return how many candidates fail screening."""
    failing = sum(scenario.screening.failure_probability.values())
    waits = ", which waits for places" if scenario.screening.waits else ""
    return (f"{100 * failing:.3g}% fail screening" if failing else "nobody fails screening") + waits


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
