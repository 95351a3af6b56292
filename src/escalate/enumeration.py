"""Exact operating characteristics: every dose path with its probability, with no Monte Carlo error.

For a rule that waits for complete data the trial is a walk over data cuts: from each one the committee's decision
follows, and the next cohort's DLTs are binomial. Data cuts with the same counts are merged, so that six levels and
36 patients are no tree of paths but some ten thousand states. Nothing is shared with the simulation but the committee
and its rule, so that the two must agree as independent computations.

What it assumes: whole cohorts are treated and observed (``early_decision = false``), and everybody counts in the end.
Non-evaluable patients are irrelevant where they are replaced and the cap counts evaluable patients; otherwise
`exact` says that it does not cover the scenario. The calendar plays no part, nor does an expansion.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

import numpy as np

from .committee import Committee, Counts
from .errors import NotCoveredError
from .records import NO_DOSE, NO_LEVEL, Action, DataCut, FloatArray, IntArray
from .rules.counts import BoolArray
from .scenario.model import Scenario

MOST_STATES = 3_000_000
"""A walk over more data cuts than this, at one step, is refused."""

MOST_PATHS = 200_000
"""More dose paths than this are not listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exact:
    """Exact operating characteristics.

    Parameters
    ----------
    scenario : Scenario
        What they are of.
    recommended : tuple of float, length K
        Probability that each dose level is recommended, lowest first.
    no_dose : float
        Probability that none is.
    reasons : dict of str to float
        Probability of each reason for stopping, most frequent first.
    total : dict of int to float
        Probability of each number of evaluable patients in all.
    evaluable, dlts : tuple of float, length K
        Mean numbers of evaluable patients, and of patients with a DLT, at each level.
    states : int
        Distinct data cuts that were visited.
    """

    scenario: Scenario
    recommended: tuple[float, ...]
    no_dose: float
    reasons: dict[str, float]
    total: dict[int, float]
    evaluable: tuple[float, ...]
    dlts: tuple[float, ...]
    states: int


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


@dataclass(frozen=True, slots=True)
class _States:
    """Data cuts with their probabilities: level (m,), evaluable and DLTs (m, K), probability (m,)."""

    level: IntArray
    n: IntArray
    y: IntArray
    probability: FloatArray

    def cut(self) -> DataCut:
        return DataCut(level=self.level, evaluable=self.n, dlts=self.y, pending=np.zeros_like(self.n))


def exact(scenario: Scenario) -> Exact:
    """Compute the exact operating characteristics of a scenario.

    Parameters
    ----------
    scenario : Scenario
        Protocol and P(DLT) at each level; accrual, windows and follow-up play no part.

    Returns
    -------
    Exact
        Probabilities exact to rounding.

    Raises
    ------
    NotCoveredError
        If non-evaluable patients would matter, patients are fixed by ``[[what_if]]``, or there are too many data
        cuts; the message says how to mend it.
    """
    _check_covered(scenario)
    committee, levels = Committee(scenario), scenario.levels
    recommended, total = np.zeros(levels + 1), np.zeros(scenario.trial.planned_patients + 1)
    evaluable, dlts = np.zeros(levels), np.zeros(levels)
    reasons: dict[str, float] = defaultdict(float)
    visited = 0
    nobody = np.zeros((1, levels), dtype=np.int64)
    states = _States(np.array([scenario.safety.start_level - 1]), nobody, nobody, np.ones(1))
    while len(states.level):
        visited += len(states.level)
        decided = committee.decide_many(states.cut(), scenario.trial.planned_patients - states.n.sum(axis=1))
        ends = decided.action == Action.STOP
        weight = states.probability[ends]
        recommended += np.bincount(decided.level[ends] % (levels + 1), weight, levels + 1)
        total += np.bincount(states.n[ends].sum(axis=1), weight, len(total))
        evaluable += weight @ states.n[ends]
        dlts += weight @ states.y[ends]
        for code in np.unique(decided.reason[ends]):
            reasons[decided.reasons[code]] += float(weight[decided.reason[ends] == code].sum())
        states = _next(states, ~ends, decided.level, decided.patients, scenario.toxicity.dlt_probability)
    return Exact(
        scenario=scenario,
        recommended=tuple(recommended[:levels].tolist()),
        no_dose=float(recommended[levels]),
        reasons=dict(sorted(reasons.items(), key=lambda item: -item[1])),
        total={patients: float(q) for patients, q in enumerate(total) if q > 0},
        evaluable=tuple(evaluable.tolist()),
        dlts=tuple(dlts.tolist()),
        states=visited,
    )


def _next(states: _States, goes_on: BoolArray, level: IntArray, patients: IntArray, p: list[float]) -> _States:
    """Return the data cuts after the next cohort of each trial that goes on, equal ones merged."""
    parts: list[tuple[IntArray, FloatArray]] = []
    for target, size in sorted(set(zip(level[goes_on].tolist(), patients[goes_on].tolist(), strict=True))):
        here = goes_on & (level == target) & (patients == size)
        for count, chance in enumerate(binomial(size, p[target])):
            if chance > 0:
                n, y = states.n[here].copy(), states.y[here].copy()
                n[:, target] += size
                y[:, target] += count
                rows = np.hstack([np.full((len(n), 1), target), n, y])
                parts.append((rows, states.probability[here] * chance))
    if not parts:
        nobody = states.n[:0]
        return _States(states.level[:0], nobody, nobody, states.probability[:0])
    rows = np.vstack([part[0] for part in parts])
    unique, position = np.unique(rows, axis=0, return_inverse=True)
    if len(unique) > MOST_STATES:
        raise NotCoveredError(
            f"more than {MOST_STATES:,} data cuts ({len(unique):,}) are possible at one step: "
            "simulate instead, or take fewer dose levels, fewer patients or larger cohorts"
        )
    probability = np.bincount(position.ravel(), np.concatenate([part[1] for part in parts])).astype(float)
    levels = states.n.shape[1]
    return _States(unique[:, 0], unique[:, 1 : levels + 1], unique[:, levels + 1 :], probability)


def binomial(size: int, p: float) -> list[float]:
    """Return the probabilities of 0 to `size` events among `size`, each with probability p."""
    return [comb(size, k) * p**k * (1 - p) ** (size - k) for k in range(size + 1)]


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
    _check_covered(scenario)
    nobody = (0,) * scenario.levels
    found: list[DosePath] = []
    for path in _walk(scenario, Committee(scenario), scenario.safety.start_level - 1, nobody, nobody, "", 1.0):
        found.append(path)
        if len(found) > MOST_PATHS:
            raise NotCoveredError(
                f"there are more than {MOST_PATHS:,} dose paths; their sums are still exact: use `exact`"
            )
    return sorted(found, key=lambda path: (-path.probability, path.path))


def _walk(
    scenario: Scenario,
    committee: Committee,
    level: int,
    n: tuple[int, ...],
    y: tuple[int, ...],
    told: str,
    chance: float,
) -> Iterator[DosePath]:
    room = scenario.trial.planned_patients - sum(n)
    decision = committee.decide(Counts(level, n, y, (0,) * len(n)), room)
    if decision.action is Action.STOP:
        dose = NO_DOSE if decision.level == NO_LEVEL else scenario.dose_levels[decision.level].label
        yield DosePath(path=told.strip(), probability=chance, recommended=dose, reason=decision.reason)
        return
    k, size = decision.level, decision.patients
    for count, q in enumerate(binomial(size, scenario.toxicity.dlt_probability[k])):
        if q > 0:
            more = f"{told} {k + 1}{'N' * (size - count)}{'T' * count}"
            yield from _walk(scenario, committee, k, _plus(n, k, size), _plus(y, k, count), more, chance * q)


def _plus(counts: tuple[int, ...], level: int, more: int) -> tuple[int, ...]:
    return (*counts[:level], counts[level] + more, *counts[level + 1 :])


def _check_covered(scenario: Scenario) -> None:
    attrition, trial, safety = scenario.attrition, scenario.trial, scenario.safety
    leaves = attrition.partial_dose_probability > 0 or attrition.drop_out_per_year > 0
    if scenario.what_if:
        raise NotCoveredError("[[what_if]] fixes the fate of patients: take it out for exact results")
    if leaves and not safety.replace_non_evaluable:
        raise NotCoveredError(
            "non-evaluable patients are not replaced (safety.replace_non_evaluable = false), so they matter: "
            "simulate, or take attrition out"
        )
    if leaves and trial.cap_counts == "infused":
        raise NotCoveredError(
            'the cap counts infused patients (trial.cap_counts = "infused"), non-evaluable ones included: '
            "simulate, or take attrition out"
        )
