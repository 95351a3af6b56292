"""How often each value of each measure came, over many trials: all that operating characteristics need.

Everything that is kept of a trial is a whole number, so that a tally holds counts of values and nothing is rounded:
tallies of parts of the trials add up to the tally of all, in any order, on any number of machines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Any

import numpy as np

from ..scenario.model import Scenario
from ..words.records import NO_LEVEL, IntArray
from ..words.tables import NOT_CONSENTED
from .no_dose import no_dose_codes
from .outcomes import NOT_REACHED, PER_LEVEL, Trials

PATHS_OF = 10_000
"""Trials, the first of all, whose dose paths are counted: six dose levels have too many to keep them all."""

EVIDENCE_BASE = 1000
"""The counts that a recommendation rests on are written as one number: ((level * base) + DLTs) * base + evaluable."""


AT_ONCE = 32
"""Tallies that are added at once, and lie in memory together."""

SPARSE = 20_000
"""Values that lie further apart than this are sorted to be counted, not counted in a row of all values between."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Tally:
    """Counts of the values of every measure.

    Parameters
    ----------
    scenario : Scenario
        What was simulated.
    seed : int
        Seed of all trials.
    first : int
        Replicate number of the first trial.
    trials : int
        How many there are.
    values : dict of str to Counter
        For each measure, how often each value came: see `measures`.
    reasons : Counter
        How often each escalation ended for each reason.
    paths : Counter
        How often each dose path came among the first `PATHS_OF` trials.
    """

    scenario: Scenario
    seed: int
    first: int
    trials: int
    values: Mapping[str, Counter[int]]
    reasons: Counter[str]
    paths: Counter[str]

    def __repr__(self) -> str:
        return f"<Tally of {self.trials} trials of {self.scenario.trial.title!r}, seed {self.seed}>"

    @property
    def start_date(self) -> date:
        """Day 0."""
        return self.scenario.trial.start_date

    @property
    def milestones(self) -> list[str]:
        """Names of the milestones, in order."""
        return [name.removeprefix("milestone: ") for name in self.values if name.startswith("milestone: ")]

    def evidence(self) -> dict[tuple[int, int, int], float]:
        """Return the share of trials in which a level (from 0) is recommended with so many DLTs in so many there."""
        found = {}
        for code, count in self.values["evidence"].items():
            if code >= 0:
                rest, n = divmod(code, EVIDENCE_BASE)
                level, y = divmod(rest, EVIDENCE_BASE)
                found[level, y, n] = count / self.trials
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the counts as plain JSON values, scenario aside; `from_json` reads them."""
        return {
            "seed": self.seed,
            "first": self.first,
            "trials": self.trials,
            "values": {name: lists(counts) for name, counts in self.values.items()},
            "reasons": lists(self.reasons),
            "paths": lists(self.paths),
        }

    @classmethod
    def from_json(cls, scenario: Scenario, data: Mapping[str, Any]) -> Tally:
        """Return what `to_json` has written."""
        return cls(
            scenario=scenario,
            seed=data["seed"],
            first=data["first"],
            trials=data["trials"],
            values={name: counter(lists) for name, lists in data["values"].items()},
            reasons=counter(data["reasons"]),
            paths=counter(data["paths"]),
        )


def lists(counts: Counter[Any]) -> list[list[Any]]:
    """Return a counter as plain JSON values: the values, in order, and how often each came.

    Two long lists are read in half the time of many pairs.
    """
    return [sorted(counts), [counts[value] for value in sorted(counts)]]


def counter(counts: Sequence[Any]) -> Counter[Any]:
    """Return the counter that `lists` has written."""
    return Counter(dict(zip(*counts, strict=True)))


def total(tallies: Iterable[Tally]) -> Tally:
    """Return the tally of all trials of some tallies.

    Parameters
    ----------
    tallies : iterable of Tally
        At least one, of the same scenario and seed, each of the trials that follow those of the one before it.

    Raises
    ------
    ValueError
        If they are not.
    """
    rest = iter(tallies)
    found = next(rest, None)
    if found is None:
        raise ValueError("at least one tally is needed")
    while parts := list(islice(rest, AT_ONCE)):
        found = _total([found, *parts])
    return found


def _total(parts: Sequence[Tally]) -> Tally:
    first, trials = parts[0], 0
    reasons: Counter[str] = Counter()
    paths: Counter[str] = Counter()
    for part in parts:
        if (part.scenario, part.seed, part.first) != (first.scenario, first.seed, first.first + trials):
            raise ValueError("tallies add up if one's trials follow the other's, of the same scenario and seed")
        reasons.update(part.reasons)
        paths.update(part.paths)
        trials += part.trials
    values = {name: _added([part.values[name] for part in parts]) for name in first.values}
    return replace(first, trials=trials, values=values, reasons=reasons, paths=paths)


def _added(counters: Sequence[Counter[int]]) -> Counter[int]:
    """Return how often each value came in any of several counters."""
    values = np.concatenate([np.fromiter(counts.keys(), np.int64, len(counts)) for counts in counters])
    often = np.concatenate([np.fromiter(counts.values(), np.int64, len(counts)) for counts in counters])
    met, place = np.unique(values, return_inverse=True)
    sums = np.bincount(place, often).astype(np.int64)  # sums of whole numbers far below 2 ** 53 are exact
    return Counter(dict(zip(met.tolist(), sums.tolist(), strict=True)))


def tally(trials: Trials, *, paths_until: int | None = None) -> Tally:
    """Count the values of every measure over some trials.

    Parameters
    ----------
    trials : Trials
        One row each.
    paths_until : int, optional
        Replicate number from which on dose paths are not counted; `PATHS_OF` trials where it is not given.
    """
    until = trials.first + PATHS_OF if paths_until is None else paths_until
    often = np.bincount(trials.reason, minlength=len(trials.reasons)).tolist()
    paths, counts = np.unique(trials.paths[: max(until - trials.first, 0)], return_counts=True)
    return Tally(
        scenario=trials.scenario,
        seed=trials.seed,
        first=trials.first,
        trials=len(trials),
        values={name: count_values(column) for name, column in measures(trials)},
        reasons=Counter({reason: count for reason, count in zip(trials.reasons, often, strict=True) if count}),
        paths=Counter(dict(zip(paths.astype(str).tolist(), counts.tolist(), strict=True))),
    )


def measures(trials: Trials) -> Iterable[tuple[str, IntArray]]:
    """Yield what is counted of each trial: name, and one whole number for each trial, shape (n,)."""
    yield "recommended", trials.recommended
    yield (
        "no dose",
        no_dose_codes(
            trials.recommended,
            trials.reason,
            trials.reasons,
            trials.patients["evaluable"].sum(axis=1),
            trials.scenario.rule,
        ),
    )
    at = np.maximum(trials.recommended, 0)
    rows = np.arange(len(trials))
    y, n = (trials.patients[name][rows, at] for name in ("dlts", "evaluable"))
    code = (at * EVIDENCE_BASE + y) * EVIDENCE_BASE + n
    yield "evidence", np.where(trials.recommended == NO_LEVEL, NO_LEVEL, code)
    for name in PER_LEVEL:
        counts = trials.patients[name]
        for level in range(trials.scenario.levels):
            yield f"{name}: {level + 1}", counts[:, level]
        yield f"{name}: all", counts.sum(axis=1)
    limit = trials.scenario.overdose_above
    if limit is not None:
        toxic = [level for level, p in enumerate(trials.scenario.toxicity.dlt_probability) if p > limit]
        yield "overdosed", trials.patients["infused"][:, toxic].sum(axis=1)
    yield "any DLT", (trials.patients["dlts"].sum(axis=1) > 0).astype(np.int64)
    consented = [counts for state, counts in trials.candidates.items() if state != NOT_CONSENTED]
    yield "consented", np.sum(consented, axis=0)
    for state, counts in trials.candidates.items():
        yield f"state: {state}", counts
    for name, counts in trials.enrolled_from.items():
        yield f"enrolled from {name}", counts
    yield "duration", trials.duration_days
    yield "finished in time", trials.finished_in_time.astype(np.int64)
    for name, days in trials.milestone_days.items():
        yield f"milestone: {name}", days
    first, ended = (trials.milestone_days[name] for name in ("first infusion", "escalation ended"))
    both = (first != NOT_REACHED) & (ended != NOT_REACHED)
    yield "first infusion to recommendation", np.where(both, ended - first, NOT_REACHED)
    for cohort in range(trials.cohort_days.shape[1]):
        yield f"cohort {cohort + 1}", trials.cohort_days[:, cohort]
    for name, days in trials.waits.items():
        yield f"waits: {name}", days


def count_values(column: IntArray) -> Counter[int]:
    """Return how often each value stands in a column of at least one whole number."""
    low, high = int(column.min()), int(column.max())
    if high - low > SPARSE:
        met, often = np.unique(column, return_counts=True)
    else:
        counts = np.bincount(np.subtract(column, low, dtype=np.intp))
        met = np.flatnonzero(counts)
        met, often = met + low, counts[met]
    return Counter(dict(zip(met.tolist(), often.tolist(), strict=True)))
