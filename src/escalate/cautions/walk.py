"""A trial in which every cohort has so many DLTs: what the committee says, asked of the committee itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..committee.committee import Committee
from ..scenario.model import Scenario
from ..words.data_cut import Counts
from ..words.records import Action, Decision

Outcomes = Callable[[int], tuple[int, ...]]
"""From the size of a cohort to the numbers of DLTs that it may have."""


@dataclass(frozen=True, slots=True)
class Step:
    """One decision of such a trial.

    Parameters
    ----------
    path : str
        The trial so far, as in ``1NNN 2NNT``; empty before the first cohort.
    counts : Counts
        Its data cut.
    last : tuple of (int, int)
        Patients and DLTs of the last cohort.
    decision : Decision
        The committee's.
    """

    path: str
    counts: Counts
    last: tuple[int, int]
    decision: Decision


def none(_: int) -> tuple[int, ...]:
    """Nobody has a DLT."""
    return (0,)


def everybody(size: int) -> tuple[int, ...]:
    """Everybody has a DLT."""
    return (size,)


def walk(scenario: Scenario, committee: Committee, outcomes: Outcomes, most: int | None = None) -> Iterator[Step]:
    """Yield every decision of trials whose cohorts have such outcomes, each path before those that go on from it.

    Parameters
    ----------
    scenario : Scenario
        The protocol.
    committee : Committee
        That of the scenario.
    outcomes : callable
        How many DLTs a cohort may have.
    most : int, optional
        Cohorts looked ahead; to the end of the trial where it is not given.
    """
    nobody = (0,) * scenario.levels
    start = Counts(scenario.safety.start_level - 1, nobody, nobody, nobody)
    yield from _from(scenario, committee, outcomes, most, "", start)


def _from(
    scenario: Scenario, committee: Committee, outcomes: Outcomes, most: int | None, path: str, counts: Counts,
    last: tuple[int, int] = (0, 0),
) -> Iterator[Step]:  # fmt: skip
    seen = counts._replace(last=last if committee.rule.reads_last else (0, 0))
    decision = committee.decide(seen, scenario.trial.planned_patients - sum(counts.evaluable))
    yield Step(path, seen, last, decision)
    if decision.action in (Action.STOP, Action.SUSPEND) or most == 0:
        return
    size, ahead = decision.patients, None if most is None else most - 1
    for dlts in outcomes(size):
        cohort = f"{decision.level + 1}{'N' * (size - dlts)}{'T' * dlts}"
        after = counts._replace(level=decision.level).completed(size, dlts)
        yield from _from(scenario, committee, outcomes, ahead, f"{path} {cohort}".strip(), after, (size, dlts))
