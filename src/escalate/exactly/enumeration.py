"""Exact operating characteristics of rules that wait for complete data, by enumeration instead of simulation.

With complete cohorts and everybody evaluable a trial is a walk over data cuts: from each one the committee's decision
follows, and the next cohort's DLTs are binomial. Data cuts with the same counts are merged, so that six levels and
36 patients are no tree of paths but some ten thousand states. Nothing is shared with the simulation but the committee
and its rule, so that the two must agree as independent computations.

What it assumes: whole cohorts are treated and observed (``early_decision = false``; with early decisions fewer patients
are treated at a level that must be left, and the recommendation can differ). Where non-evaluable patients are replaced
and the cap counts evaluable ones, attrition enters through the DLT rate among evaluable patients alone, which is larger
than P(DLT): `escalate.nature.patients.dlt_probability_if_evaluable`. Otherwise `exact` says that it does not cover the
scenario. Nor does it cover rolling rules, whose decisions depend on when
outcomes become known. The calendar plays no part, nor does an expansion.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import comb
from typing import Any

import numpy as np

from ..committee.committee import Committee
from ..errors import NotCoveredError, TooManyError
from ..files import Saves
from ..nature.patients import dlt_probability_if_evaluable, evaluable_probability
from ..results.no_dose import WHY_NO_DOSE, no_dose_codes
from ..scenario.model import Scenario
from ..scenario.rules import RuleOptions
from ..words.asked import asks
from ..words.data_cut import DataCut, at_level
from ..words.distinct import distinct
from ..words.frames import pandas
from ..words.records import NO_DOSE, NO_LEVEL, Action, BoolArray, Decisions, FloatArray, IntArray
from ..words.shown import Shows

HEAD = 4
"""Numbers of a state before the counts of each level."""

MOST_STATES = 3_000_000
"""A walk over more data cuts than this, at one step, is refused."""

MOST_BYTES, COPIES = 1_200_000_000, 6
"""Memory that data cuts may take at one level while equal ones are merged [bytes], and in how many copies they are."""

INSTEAD = "simulate instead, or take fewer dose levels, fewer patients or larger cohorts"
"""What to do where data cuts are too many."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Exact(Shows, Saves):
    """Exact operating characteristics.

    Parameters
    ----------
    scenario : Scenario
        What they are of.
    dlt_probability : tuple of float, length K
        Probability of a DLT of an evaluable patient at each level; P(DLT) where there is no attrition.
    recommended : tuple of float, length K
        Probability that each dose level is recommended, lowest first.
    no_dose : float
        Probability that none is.
    why_no_dose : dict of str to float
        Of that, each of what it can mean: see `escalate.results.no_dose`.
    reasons : dict of str to float
        Probability of each reason for stopping, most frequent first.
    total : dict of int to float
        Probability of each number of evaluable patients in all.
    evaluable, dlts : tuple of float, length K
        Mean numbers of evaluable patients, and of patients with a DLT, at each level.
    evaluable_at_level, dlts_at_level : tuple of dict of int to float, length K
        Probability of each number of evaluable patients, and of patients with a DLT, at each level.
    evidence : dict of (int, int, int) to float
        Probability of each recommended level (from 0) with DLTs and evaluable patients there.
    states : int
        Distinct data cuts that were visited.
    paths : float
        Number of dose paths that are possible, the order of a cohort's DLTs aside.
    """

    scenario: Scenario
    dlt_probability: tuple[float, ...]
    recommended: tuple[float, ...]
    no_dose: float
    why_no_dose: dict[str, float]
    reasons: dict[str, float]
    total: dict[int, float]
    evaluable: tuple[float, ...]
    dlts: tuple[float, ...]
    evaluable_at_level: tuple[dict[int, float], ...]
    dlts_at_level: tuple[dict[int, float], ...]
    evidence: dict[tuple[int, int, int], float]
    states: int
    paths: float

    @property
    def infused(self) -> tuple[float, ...]:
        """Mean numbers of patients infused at each level: who is not evaluable is replaced, until the cohort is whole.

        By Wald's identity the mean number of evaluable patients, divided by the probability to be one.
        """
        pairs = zip(self.evaluable, evaluable_probability(self.scenario), strict=True)
        return tuple(mean / q if mean else 0.0 for mean, q in pairs)

    def __repr__(self) -> str:
        shares = ", ".join(f"level {k} {q:.2%}" for k, q in enumerate(self.recommended[:6], 1))
        more = " ..." if len(self.recommended) > 6 else ""
        return f"<Exact: recommended {shares}{more}, no dose {self.no_dose:.2%}; {self.paths:,.0f} dose paths>"

    def to_pandas(self) -> Any:
        """Return one row for each dose level, lowest first, and one for no dose, as a pandas ``DataFrame``.

        P(DLT) stands there as the scenario assumes it, and as an evaluable patient has it. It needs pandas, which the
        extra ``notebooks`` installs.
        """
        pd = pandas()

        levels = [*range(1, self.scenario.levels + 1), NO_DOSE]
        columns = {
            "level": levels,
            "dose": [*(level.label for level in self.scenario.dose_levels), NO_DOSE],
            "dlt_probability": [*self.scenario.toxicity.dlt_probability, None],
            "dlt_probability_if_evaluable": [*self.dlt_probability, None],
            "recommended": [*self.recommended, self.no_dose],
            "evaluable": [*self.evaluable, None],
            "dlts": [*self.dlts, None],
        }
        return pd.DataFrame(columns)


@dataclass(frozen=True, slots=True)
class _States:
    """Data cuts with their probabilities.

    Rows of `table` hold the level, the last cohort's evaluable patients and DLTs (0 where no decision depends on
    them), how many levels are open, and evaluable patients and DLTs of each level.
    """

    table: IntArray
    probability: FloatArray
    paths: FloatArray
    """Dose paths that lead here, the order of a cohort's DLTs aside."""

    @property
    def levels(self) -> int:
        return int(self.table.shape[1] - HEAD) // 2

    @property
    def n(self) -> IntArray:
        return self.table[:, HEAD : HEAD + self.levels]

    @property
    def y(self) -> IntArray:
        return self.table[:, HEAD + self.levels :]

    def cut(self) -> DataCut:
        return DataCut(
            level=self.table[:, 0],
            evaluable=self.n,
            dlts=self.y,
            pending=np.zeros_like(self.n),
            followup=np.zeros(self.n.shape),
            last_evaluable=self.table[:, 1],
            last_dlts=self.table[:, 2],
            open_levels=self.table[:, 3],
        )


@dataclass(slots=True)
class _Ends:
    """What has come of the trials that have ended."""

    levels: int
    most: int
    rule: RuleOptions
    recommended: FloatArray = field(init=False)
    total: FloatArray = field(init=False)
    at_level: FloatArray = field(init=False)
    reasons: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    why_no_dose: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    evidence: dict[tuple[int, int, int], float] = field(default_factory=lambda: defaultdict(float))
    paths: float = 0.0

    def __post_init__(self) -> None:
        self.recommended = np.zeros(self.levels + 1)
        self.total = np.zeros(self.most + 1)
        self.at_level = np.zeros((2, self.levels, self.most + 1))

    def add(self, states: _States, decided: Decisions, ends: BoolArray) -> None:
        """Add the trials that end with these decisions."""
        weight, n, y = states.probability[ends], states.n[ends], states.y[ends]
        self.paths += float(states.paths[ends].sum())
        self.recommended += np.bincount(decided.level[ends] % (self.levels + 1), weight, self.levels + 1)
        self.total += np.bincount(n.sum(axis=1), weight, self.most + 1)
        for k in range(self.levels):
            self.at_level[0, k] += np.bincount(n[:, k], weight, self.most + 1)
            self.at_level[1, k] += np.bincount(y[:, k], weight, self.most + 1)
        level, reason = decided.level[ends], decided.reason[ends]
        for code in np.unique(reason).tolist():
            self.reasons[decided.reasons[code]] += float(weight[reason == code].sum())
        codes = no_dose_codes(level, reason, decided.reasons, n.sum(axis=1), self.rule)
        for code in np.unique(codes[codes >= 0]).tolist():
            self.why_no_dose[WHY_NO_DOSE[code]] += float(weight[codes == code].sum())
        at = np.maximum(level, 0)
        rows, position = distinct(np.stack([level, at_level(y, at), at_level(n, at)], axis=1))
        for (chosen, *counts), q in zip(rows.tolist(), np.bincount(position, weight).tolist(), strict=True):
            if chosen != NO_LEVEL:
                self.evidence[chosen, counts[0], counts[1]] += q


@asks(Scenario)
def exact(
    scenario: Scenario,
    most_states: int | None = None,
    most_in_all: int | None = None,
    most_rows: int | None = None,
) -> Exact:
    """Compute the exact operating characteristics of a scenario.

    Parameters
    ----------
    scenario : Scenario
        Protocol and P(DLT) at each level; accrual, windows and follow-up play no part.
    most_states : int, optional
        A walk over more data cuts than this, at one step, is refused; 3,000,000 where it is not given.
    most_in_all : int, optional
        A walk over more data cuts than this, at all steps together, is refused; any number where it is not given.

    most_rows : int, optional
        A walk that makes more data cuts than this, at all steps together and before equal ones are merged, is refused;
        any number where it is not given. Large cohorts make many.

    Returns
    -------
    Exact
        Probabilities exact to rounding.

    Raises
    ------
    NotCoveredError
        If the rule is a rolling one, non-evaluable patients would matter, patients are fixed by ``[[what_if]]``, or
        there are too many data cuts; the message says how to mend it.
    """
    check_covered(scenario)
    committee, levels, most = Committee(scenario), scenario.levels, scenario.trial.planned_patients
    table = np.zeros((1, HEAD + 2 * levels), dtype=np.int64)
    table[0, 0] = scenario.safety.start_level - 1
    table[0, 3] = levels
    p = dlt_probability_if_evaluable(scenario)
    states, ended = _States(table, np.ones(1), np.ones(1)), _Ends(levels, most, scenario.rule)
    visited = rows = 0
    while len(states.table):
        visited += len(states.table)
        if most_in_all is not None and visited > most_in_all:
            raise TooManyError(f"more than {most_in_all:,} data cuts are possible: {INSTEAD}")
        decided = committee.decide_many(states.cut(), most - states.n.sum(axis=1))
        ends = decided.action == Action.STOP
        rows += int((decided.patients[~ends] + 1).sum())
        if most_rows is not None and rows > most_rows:
            raise TooManyError(f"more than {most_rows:,} data cuts are made before equal ones are merged: {INSTEAD}")
        ended.add(states, decided, ends)
        keeps_last = committee.rule.reads_last
        states = _next(states, ~ends, decided, p, keeps_last, most_states or MOST_STATES)
    numbers = np.arange(most + 1)
    evaluable, dlts = ended.at_level
    return Exact(
        scenario=scenario,
        dlt_probability=tuple(p),
        recommended=tuple(ended.recommended[:levels].tolist()),
        no_dose=float(ended.recommended[levels]),
        why_no_dose={why: ended.why_no_dose[why] for why in WHY_NO_DOSE},
        reasons=dict(sorted(ended.reasons.items(), key=lambda item: -item[1])),
        total=_possible(ended.total),
        evaluable=tuple((evaluable @ numbers).tolist()),
        dlts=tuple((dlts @ numbers).tolist()),
        evaluable_at_level=tuple(map(_possible, evaluable)),
        dlts_at_level=tuple(map(_possible, dlts)),
        evidence=dict(ended.evidence),
        states=visited,
        paths=ended.paths,
    )


def _possible(probability: FloatArray) -> dict[int, float]:
    return {number: float(q) for number, q in enumerate(probability) if q > 0}


def _next(
    states: _States, goes_on: BoolArray, decided: Decisions, p: list[float], keeps_last: bool, most_states: int
) -> _States:
    """Return the data cuts after the next cohort of each trial that goes on, equal ones merged."""
    level, patients = decided.level, decided.patients
    merged: list[_States] = []
    for target in np.unique(level[goes_on]).tolist():  # data cuts at different levels are never equal
        parts: list[_States] = []
        of_target = goes_on & (level == target)
        sizes = np.unique(patients[of_target]).tolist()
        _check_rows(sum((size + 1) * int((of_target & (patients == size)).sum()) for size in sizes), states)
        for size in sizes:
            here = of_target & (patients == size)
            parts += _after_cohort(
                states, here, decided.open_levels[here], target, binomial(size, p[target]), keeps_last
            )
        merged.append(_merged(parts))
        if (many := sum(len(part.table) for part in merged)) > most_states:
            raise NotCoveredError(f"more than {most_states:,} data cuts ({many:,}) are possible at one step: {INSTEAD}")
    return _joined(merged) if merged else _States(states.table[:0], states.probability[:0], states.paths[:0])


def _after_cohort(
    states: _States, here: BoolArray, open_levels: IntArray, target: int, chances: list[float], keeps_last: bool
) -> Iterator[_States]:
    """Yield the data cuts after a cohort of one size at one level, by its DLTs, as far as they are possible."""
    size = len(chances) - 1
    for count, chance in enumerate(chances):
        if chance > 0:
            rows = states.table[here]
            rows[:, :3] = target, size * keeps_last, count * keeps_last
            rows[:, 3] = open_levels
            rows[:, HEAD + target] += size
            rows[:, HEAD + states.levels + target] += count
            yield _States(rows, states.probability[here] * chance, states.paths[here])


def _joined(parts: list[_States]) -> _States:
    return _States(*(np.concatenate([getattr(part, name) for part in parts]) for name in _States.__slots__))


def _merged(parts: list[_States]) -> _States:
    """Return data cuts, equal ones as one."""
    joined = _joined(parts)
    parts.clear()
    unique, position = distinct(joined.table)
    weights = (joined.probability, joined.paths)
    return _States(unique, *(np.bincount(position, weight).astype(np.float64) for weight in weights))


def _check_rows(rows: int, states: _States) -> None:
    """Raise `NotCoveredError` if so many data cuts, before equal ones are merged, would take too much memory."""
    most = MOST_BYTES // (COPIES * 8 * states.table.shape[1])
    if rows > most:
        raise NotCoveredError(
            f"{rows:,} data cuts are possible after one step, and more than {most:,} of {states.levels} dose levels "
            f"would take too much memory: {INSTEAD}"
        )


def binomial(size: int, p: float) -> list[float]:
    """Return the probabilities of 0 to `size` events among `size`, each with probability p."""
    return [comb(size, k) * p**k * (1 - p) ** (size - k) for k in range(size + 1)]


def check_covered(scenario: Scenario) -> None:
    """Raise `NotCoveredError` if a scenario has no exact results."""
    attrition, trial, safety = scenario.attrition, scenario.trial, scenario.safety
    leaves = attrition.partial_dose_probability > 0 or attrition.drop_out_per_year > 0
    if Committee(scenario).rule.rolling:
        raise NotCoveredError(
            f"the rule {scenario.rule.name} decides with outcomes pending, so that its results depend on the calendar: "
            "simulate it with `escalate run`"
        )
    if any(math.isnan(p) for p in dlt_probability_if_evaluable(scenario)):
        raise NotCoveredError("with this attrition nobody is ever evaluable: there is nothing to enumerate")
    if scenario.what_if:
        raise NotCoveredError("[[what_if]] fixes the fate of patients: take it out for exact results")
    if leaves and not safety.replace_non_evaluable:
        raise NotCoveredError(
            "non-evaluable patients are not replaced (safety.replace_non_evaluable = false), so they matter: "
            "simulate, or take attrition out"
        )
    if attrition.partial_dose_probability > 0 and safety.replace_partial_dose == "at_once":
        raise NotCoveredError(
            'a partial dose frees its place at once (safety.replace_partial_dose = "at_once"), and a DLT after it can '
            'be one more than the cohort\'s places, as the calendar has it: simulate, or take "after_window"'
        )
    if leaves and trial.cap_counts == "infused":
        raise NotCoveredError(
            scenario.say("the cap counts infused patients")
            + ' (trial.cap_counts = "infused"), non-evaluable ones included: simulate, or take attrition out'
        )
