"""Rules that read the current level's counts from a table: what they share.

For every number n of evaluable patients and y of DLTs such a rule says escalate, stay or de-escalate, and whether the
level is too toxic to be given ever again. The moves between levels are then the same for all of them:

- a level found too toxic is eliminated with every level above it; the current one is left at once for the highest
  that is not eliminated; if none is left the trial stops and recommends no dose;
- what a decision has eliminated stays so, even if later the counts alone would not say it: a decision forced early
  counts the patients still to come as if they came without a DLT, a rolling one the pending patients, and some of them
  may never have an outcome;
- a step up into an eliminated level, above the highest or below the lowest is no step: the level is given again.

When the trial ends, the recommended dose is the level, among those tried and not eliminated, whose DLT rate, smoothed
to rise with the dose (isotonic regression), is closest to the target.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..words.data_cut import DataCut, at_level
from ..words.records import NO_LEVEL, Action, BoolArray, Decisions, FloatArray, IntArray
from .base import MANY, Rule, too_toxic_probability
from .first_match import Row, first_match

TOO_TOXIC = "lowest dose level too toxic"
ELIMINATED = "this level is too toxic and is eliminated"
NOBODY = "nobody evaluable at this level so far"
UP, SAME, DOWN = (
    "the DLT rate is below the target interval",
    "the DLT rate is in the target interval",
    ("the DLT rate is above the target interval"),
)
HIGHEST = "the DLT rate is low, and this is the highest level that may be given"
LOWEST = "the DLT rate is high, and this is the lowest level"
TOO_MANY_PENDING = "too many patients at this level are pending"

SUSPEND = 2
"""Code of a move: nobody is enrolled until more outcomes are known."""


Moves = Callable[[IntArray, IntArray], IntArray]
"""From n and y, with 0 <= y <= n and n >= 1, to -1 (de-escalate), 0 (stay) or 1 (escalate)."""

Tables = tuple[IntArray, BoolArray, BoolArray]
"""Move, too toxic, and too toxic for the lowest level, each indexed by n and y; cells with y > n mean nothing."""


@dataclass(frozen=True, kw_only=True)
class CountRule(Rule):
    """A rule that reads the current level's counts.

    Parameters
    ----------
    name : str
        As scenario files write it.
    target : float
        Target DLT probability, in (0, 1).
    prior : float
        Added to DLTs, and to patients without one, before rates are smoothed for the recommendation.
    highest_rate : float
        No level with a larger smoothed rate is recommended.
    """

    name: str
    target: float
    prior: float = 0.05
    highest_rate: float = 1.0
    has_answer_at_cap: bool = True
    eliminates = True
    _tables: dict[int, Tables] = field(default_factory=dict, compare=False, repr=False)

    @abstractmethod
    def fill(self, size: int) -> Tables:
        """Return what the rule says of each n and y below a size."""

    def tables(self, patients: int) -> Tables:
        """Return what the rule says of each n and y up to so many patients; filled once for each power of two."""
        size = max(16, 1 << max(patients, 1).bit_length())
        if size not in self._tables:
            self._tables[size] = self.fill(size)
        return self._tables[size]

    def counted(self, cut: DataCut) -> IntArray:
        """Return the patients per level on whom moves and elimination rest, shape (..., K)."""
        return cut.evaluable

    def move(self, cut: DataCut, n: IntArray, y: IntArray) -> IntArray:
        """Return the move that n and y at the current level call for: -1, 0, 1 or `SUSPEND`, shape (...)."""
        moves, _, _ = self.tables(int(n.max(initial=0)))
        return moves[n, y]

    def decide(self, cut: DataCut) -> Decisions:
        """Say what follows from a data cut; a pure function of its counts."""
        level = cut.level
        n, y = at_level(self.counted(cut), level), at_level(cut.dlts, level)
        left = self.levels_left(cut)
        highest = left - 1
        move = np.where(n > 0, self.move(cut, n, y), 0)
        up, down = (move == 1) & (level < highest), (move < 0) & (level > 0)
        rows: list[Row] = [
            (highest < 0, Action.STOP, NO_LEVEL, 0, TOO_TOXIC),
            (level > highest, Action.DE_ESCALATE, highest, MANY, ELIMINATED),
            (n == 0, Action.STAY, level, MANY, NOBODY),
            (move == SUSPEND, Action.SUSPEND, level, 0, TOO_MANY_PENDING),
            (up, Action.ESCALATE, level + 1, MANY, UP),
            (down, Action.DE_ESCALATE, level - 1, MANY, DOWN),
            (move == 0, Action.STAY, level, MANY, SAME),
            (move > 0, Action.STAY, level, MANY, HIGHEST),
            (move < 0, Action.STAY, level, MANY, LOWEST),
        ]
        return first_match(rows, left)

    def levels_left(self, cut: DataCut) -> IntArray:
        """Return how many levels, from the lowest up, are open: by the counts, and by every decision so far, (...)."""
        n = self.counted(cut)
        _, toxic, lowest = self.tables(int(n.max(initial=0)))
        gone = toxic[n, cut.dlts]
        gone[..., 0] = lowest[n[..., 0], cut.dlts[..., 0]]
        gone = np.logical_or.accumulate(gone, axis=-1)
        return np.asarray(np.minimum((~gone).sum(axis=-1), cut.open_levels))

    def elsewhere(self, n: IntArray, y: IntArray) -> tuple[IntArray | BoolArray, ...]:
        """Return whether another level is eliminated, as the lowest or as any other: all that decisions read of it."""
        _, toxic, lowest = self.tables(int(n.max(initial=0)))
        return toxic[n, y], lowest[n, y]

    def recommend(self, cut: DataCut) -> IntArray:
        """Return the level whose smoothed DLT rate is closest to the target, or `NO_LEVEL`, shape (...)."""
        not_gone = np.arange(cut.evaluable.shape[-1]) < self.levels_left(cut)[..., np.newaxis]
        return closest_to_target(cut, not_gone, self.target, self.prior, self.highest_rate)


@dataclass(frozen=True, kw_only=True)
class IntervalRule(CountRule):
    """A rule whose moves compare the DLT rate with an interval, and which eliminates by a posterior probability.

    Parameters
    ----------
    moves : callable
        See `Moves`.
    cutoff : float
        A level is too toxic if Pr(p > target) exceeds this, in (0, 1).
    eliminate_from : int
        Fewest evaluable patients on which a level is called too toxic; without a DLT it never is.
    lowest_cutoff : float or None
        A smaller cutoff for the lowest level alone, if there is one.
    compared : dict of str to float
        What the DLT rate is compared with, by what it is.
    """

    moves: Moves
    cutoff: float = 0.95
    eliminate_from: int = 3
    lowest_cutoff: float | None = None
    compared: dict[str, float] = field(default_factory=dict, compare=False)

    def constants(self) -> dict[str, float]:
        """Return what the DLT rate is compared with, and when a level is eliminated."""
        elimination = {
            "elimination: Pr(P(DLT) > target) above": self.cutoff,
            "elimination: from so many evaluable patients on": float(self.eliminate_from),
        }
        if self.lowest_cutoff is not None:
            elimination["stop at the lowest level: Pr(P(DLT) > target) above"] = self.lowest_cutoff
        return {"target P(DLT)": self.target, **self.compared, **elimination}

    def fill(self, size: int) -> Tables:
        """Return what the rule says of each n and y below a size."""
        n, y = np.indices((size, size))
        y = np.minimum(y, n)
        moves = self.moves(np.maximum(n, 1), y)
        probability = too_toxic_probability(n, y, self.target)
        toxic = (n >= self.eliminate_from) & (y > 0) & (probability > self.cutoff)
        lowest = toxic
        if self.lowest_cutoff is not None:
            exists = toxic.any(axis=1, keepdims=True)
            sooner = (n >= self.eliminate_from) & (y > 0) & (probability > self.lowest_cutoff)
            lowest = toxic | (exists & sooner)
        return moves, toxic, lowest


def closest_to_target(
    cut: DataCut, allowed: BoolArray, target: float, prior: float = 0.05, highest_rate: float = 1.0
) -> IntArray:
    """Return the tried and allowed level whose smoothed DLT rate is closest to the target, or `NO_LEVEL`, shape (...).

    A tie goes to the higher level if the rate is below the target, to the lower one if it is above: a ten billionth is
    added to each admissible level's rate for every admissible level up to it.

    Parameters
    ----------
    cut : DataCut
        The data.
    allowed : bool array, shape (..., K)
        Levels that may be recommended, if anybody evaluable was treated there.
    target : float
        Target DLT probability.
    prior : float
        Added to DLTs, and to patients without one, before rates are smoothed.
    highest_rate : float
        No level with a larger smoothed rate is recommended.
    """
    admissible = (cut.evaluable > 0) & allowed
    rates = smoothed_rates(cut.evaluable, cut.dlts, admissible, prior) + 1e-10 * np.cumsum(admissible, axis=-1)
    distance = np.where(admissible & (rates <= highest_rate), np.abs(rates - target), np.inf)
    best = np.argmin(distance, axis=-1)
    return np.where(np.isfinite(distance).any(axis=-1), best, NO_LEVEL)


def smoothed_rates(n: IntArray, y: IntArray, admissible: BoolArray, prior: float) -> FloatArray:
    """Return DLT rates smoothed to rise with the dose, over the admissible levels, shape (..., K).

    Isotonic regression of (y + prior) / (n + 2 prior), weights one over the variance of the matching beta distribution;
    other levels get NaN.
    """
    total = n + 2 * prior
    weight = np.where(admissible, total**2 * (total + 1) / ((y + prior) * (n - y + prior)), 0.0)
    return isotonic((y + prior) / total, weight)


def isotonic(values: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the weighted isotonic regression of values along the last axis, by its min-max formula, shape (..., K).

    Parameters
    ----------
    values : float array, shape (..., K)
        What is to rise.
    weight : float array, shape (..., K)
        At least 0; values without weight are left out, and get NaN.

    References
    ----------
    Robertson T, Wright FT, Dykstra RL. Order Restricted Statistical Inference, Wiley 1988, section 1.4.
    """
    zero = np.zeros((*values.shape[:-1], 1))
    weights = np.concatenate([zero, np.cumsum(weight, axis=-1)], axis=-1)
    sums = np.concatenate([zero, np.cumsum(weight * values, axis=-1)], axis=-1)
    smoothed = np.full(values.shape, np.nan)
    for k in range(values.shape[-1]):
        best = np.full(values.shape[:-1], -np.inf)
        for i in range(k + 1):
            blocks = weights[..., k + 1 :] - weights[..., i, np.newaxis]
            with np.errstate(divide="ignore", invalid="ignore"):
                means = (sums[..., k + 1 :] - sums[..., i, np.newaxis]) / blocks
            best = np.fmax(best, np.fmin.reduce(np.where(blocks > 0, means, np.inf), axis=-1))
        smoothed[..., k] = np.where(weight[..., k] > 0, best, np.nan)
    return smoothed
