"""Dose paths: every course that a trial can take, with its exact probability; for small trials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..committee.committee import Committee
from ..errors import NotCoveredError
from ..nature.patients import dlt_probability_if_evaluable
from ..scenario.model import Scenario
from ..words.asked import asks
from ..words.data_cut import Counts
from ..words.dose_path import cohort_text
from ..words.records import NO_DOSE, NO_LEVEL, Action, Decision
from .enumeration import binomial, exact

MOST_PATHS = 200_000
"""More dose paths than this are not listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DosePath:
    """One course that a trial can take.

    Parameters
    ----------
    path : str
        As `Trial.dose_path`, with the DLTs of a cohort written last: their order plays no part.
    probability : float
        Of all orders of DLTs together.
    recommended : str
        Label of the recommended dose, or "no dose".
    reason : str
        Why the escalation ended.
    """

    path: str
    probability: float
    recommended: str
    reason: str


@asks(Scenario)
def dose_paths(scenario: Scenario) -> list[DosePath]:
    """List every dose path with its probability, most probable first.

    Parameters
    ----------
    scenario : Scenario
        As for `exact`.

    Raises
    ------
    NotCoveredError
        As for `exact`, and if there are more than `MOST_PATHS` paths.
    """
    many = exact(scenario).paths
    if many > MOST_PATHS:
        raise NotCoveredError(
            f"there are {many:,.0f} dose paths, and at most {MOST_PATHS:,} are listed; their sums are still exact: use "
            "`exact`"
        )
    nobody = (0,) * scenario.levels
    start = Counts(scenario.safety.start_level - 1, nobody, nobody, nobody)
    found = _walk(scenario, dlt_probability_if_evaluable(scenario), Committee(scenario), start, "", 1.0)
    return sorted(found, key=lambda path: (-path.probability, path.path))


def _walk(
    scenario: Scenario, dlt_probability: list[float], committee: Committee, counts: Counts, told: str, chance: float
) -> Iterator[DosePath]:
    room = scenario.trial.planned_patients - sum(counts.evaluable)
    decision = committee.decide(counts, room)
    if decision.action is Action.STOP:
        dose = NO_DOSE if decision.level == NO_LEVEL else scenario.dose_levels[decision.level].label
        yield DosePath(path=told.strip(), probability=chance, recommended=dose, reason=decision.reason)
        return
    p = dlt_probability[decision.level]
    for dlts, q in enumerate(binomial(decision.patients, p)):
        if q > 0:
            more = f"{told} {cohort_text(decision.level, 'N' * (decision.patients - dlts) + 'T' * dlts)}"
            following = _after(counts, decision, dlts, committee)
            yield from _walk(scenario, dlt_probability, committee, following, more, chance * q)


def _after(counts: Counts, decision: Decision, dlts: int, committee: Committee) -> Counts:
    """Return the counts after the cohort that was decided, with so many DLTs."""
    last = (decision.patients, dlts) if committee.rule.reads_last else (0, 0)
    following = counts._replace(level=decision.level, last=last, open_levels=decision.open_levels)
    return following.completed(decision.patients, dlts)


def listed_paths(scenario: Scenario) -> list[DosePath]:
    """Return every dose path of a scenario with its probability; none where there are too many, or none are exact."""
    try:
        return dose_paths(scenario)
    except NotCoveredError:
        return []
