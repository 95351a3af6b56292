"""Exact distribution of what a 3+3 trial comes to, by enumeration of its data cuts: an oracle for simulations.

Complete cohorts, everybody evaluable, no cap: from each state (level, evaluable, DLTs) the next cohort's DLTs are
binomial, and states with the same counts are merged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from math import comb

import numpy as np

State = tuple[int, tuple[int, ...], tuple[int, ...]]
Answer = tuple[str, int, int]
"""Action in words, level from 0 (-1 for no dose), patients wanted."""
End = tuple[int, tuple[int, ...], tuple[int, ...]]
"""Recommended level from 0 (-1 for no dose), evaluable and DLTs at each level."""


def final_distribution(decide: Callable[[int, tuple[int, ...], tuple[int, ...]], Answer], p: list[float],
                       cohort_size: int = 3, start: int = 0) -> dict[End, float]:  # fmt: skip
    """Return the probability of every end of the trial."""
    nobody = (0,) * len(p)
    waiting: dict[State, float] = {(start, nobody, nobody): 1.0}
    ends: dict[End, float] = defaultdict(float)
    while waiting:
        following: dict[State, float] = defaultdict(float)
        for (level, n, y), probability in waiting.items():
            action, target, patients = decide(level, n, y)
            if action == "stop":
                ends[target, n, y] += probability
                continue
            size = min(patients, cohort_size)
            for dlts in range(size + 1):
                q = comb(size, dlts) * p[target] ** dlts * (1 - p[target]) ** (size - dlts)
                following[target, _plus(n, target, size), _plus(y, target, dlts)] += probability * q
        waiting = following
    return dict(ends)


def _plus(counts: tuple[int, ...], level: int, more: int) -> tuple[int, ...]:
    return (*counts[:level], counts[level] + more, *counts[level + 1 :])


@dataclass(frozen=True)
class Exact:
    """What a distribution of ends says: probabilities, means and variances."""

    recommended: dict[int, float]
    """Probability of each recommended level from 0; -1 for no dose."""
    total: dict[int, float]
    """Probability of each number of evaluable patients in all."""
    evaluable: list[tuple[float, float]]
    """Mean and variance of the evaluable patients at each level."""
    dlts: list[tuple[float, float]]
    """Mean and variance of the DLTs at each level."""


def summarise(ends: dict[End, float]) -> Exact:
    """Return what a distribution of ends says."""
    q = np.array(list(ends.values()))
    recommended, n, y = (np.array(part) for part in zip(*ends, strict=True))
    return Exact(
        recommended={level: float(q[recommended == level].sum()) for level in range(-1, n.shape[1])},
        total={int(total): float(q[n.sum(axis=1) == total].sum()) for total in np.unique(n.sum(axis=1))},
        evaluable=[_moments(q, n[:, level]) for level in range(n.shape[1])],
        dlts=[_moments(q, y[:, level]) for level in range(n.shape[1])],
    )


def _moments(q: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    mean = float(q @ values)
    return mean, float(q @ (values - mean) ** 2)
