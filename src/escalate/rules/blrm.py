"""The Bayesian logistic regression model (BLRM) with escalation with overdose control.

    logit p(d) = log alpha + beta log(d / reference dose)

with a bivariate normal prior of (log alpha, log beta). A dose is allowed if the posterior probability that its P(DLT)
lies in the overdose interval is at most the feasibility bound. Among the allowed doses the next one is that whose
P(DLT) most probably lies in the target interval (``choose = "most_probable_target"``), or the highest one
(``choose = "highest_allowed"``: a different rule). If no dose is allowed the trial stops and recommends none.

The posterior is a sum over a grid in the standardised prior, by the trapezoidal rule; the probability of an interval
follows line by line from where the curve crosses its ends (`quadrature.below`). It is deterministic: the same counts
always get the same answer, which sampling cannot promise near the feasibility bound.

References
----------
Neuenschwander B, Branson M, Gsponer T. Stat Med 2008;27:2420-2439, doi:10.1002/sim.3230.
Babb J, Rogatko A, Zacks S. Stat Med 1998;17:1103-1120 (escalation with overdose control).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..words.data_cut import DataCut, at_level
from ..words.distinct import distinct
from ..words.records import NO_LEVEL, Action, BoolArray, Decisions, FloatArray, IntArray
from .base import MANY, TOLERANCE, Rule, highest_allowed
from .first_match import Row, first_match
from .quadrature import below, grid, normalised

NOBODY = "nobody evaluable so far"
UP = "by the model, the next level is the best of those that are allowed"
SAME = "by the model, this level is the best of those that are allowed"
DOWN = "by the model, a lower level is the best of those that are allowed"
NONE_ALLOWED = "by the model, every level is too likely an overdose"

MOST_LOGIT = 40.0
"""Logits of P(DLT) between minus this and this."""

MOST_VALUES = 8_000_000
"""Values of posteriors held at once."""

FINER, HALVINGS = 8, 26
"""Parts of a step of the grid between which probabilities are interpolated for the ends of intervals; how often the
range of log alpha on the grid is halved to find them."""


class _Grid:
    """The prior on a grid of so many nodes in each direction, for one rule; rows of the grid differ in beta."""

    def __init__(self, rule: BlrmRule, nodes: int) -> None:
        self.rule, self.z = rule, grid(nodes)
        self.free = math.sqrt(1 - rule.correlation**2)
        self.log_dose = np.log(np.array(rule.doses) / rule.reference_dose)
        along, across = self.z[:, np.newaxis], self.z[np.newaxis, :]
        log_alpha = rule.mean[0] + rule.sd[0] * (rule.correlation * along + self.free * across)
        self.beta = np.exp(rule.mean[1] + rule.sd[1] * along)
        self.log_prior = (-0.5 * (along**2 + across**2)).ravel()
        logit = np.stack([log_alpha + self.beta * x for x in self.log_dose]).reshape(len(rule.doses), -1)
        self.log_curve = np.concatenate([-np.logaddexp(0, -logit), -np.logaddexp(0, logit)])

    def sums(self, rows: FloatArray, weights: FloatArray) -> FloatArray:
        """Return posterior sums, shape (B, W), for rows of DLTs and others of each level and weights (G * G, W)."""
        chunk = max(1, MOST_VALUES // len(self.log_prior))
        parts = (rows[start : start + chunk] for start in range(0, len(rows), chunk))
        return np.concatenate([normalised(self.log_prior + part @ self.log_curve) @ weights for part in parts])

    def reached(self, p: Sequence[float]) -> FloatArray:
        """Return the weights of P(DLT) at most p at each level, shape (G * G, K * len(p)), levels outermost."""
        logit = np.log(np.array(p) / (1 - np.array(p)))
        log_alpha = logit[np.newaxis, :, np.newaxis] - self.log_dose[:, np.newaxis, np.newaxis] * self.beta[:, 0]
        standardised = (log_alpha - self.rule.mean[0]) / self.rule.sd[0]
        across = (standardised - self.rule.correlation * self.z) / self.free
        return np.ascontiguousarray(below(across, self.z).reshape(len(self.log_dose) * len(p), -1).T)

    @cached_property
    def p(self) -> FloatArray:
        """P(DLT) of each level, as weights of its posterior mean, shape (G * G, K)."""
        return np.asarray(np.exp(self.log_curve[: len(self.log_dose)]).T)

    @cached_property
    def finer(self) -> FloatArray:
        """The weights of integrals across a row of the grid up to each of many points, shape (G, FINER (G - 1) + 1)."""
        return below(grid(FINER * (len(self.z) - 1) + 1), self.z).T

    def quantiles(self, row: FloatArray, q: Sequence[float]) -> FloatArray:
        """Return quantiles of P(DLT) at each level for one row of DLTs and others of each level, shape (K, len(q)).

        The probability that logit p is at most x is added up over the rows of the grid, in each of which log alpha is
        then at most x - beta log(dose / reference dose); good to four digits of probability.
        """
        density = normalised(self.log_prior + row @ self.log_curve).reshape(len(self.z), -1)
        rows = density.max(axis=1) > 1e-12 * density.max()
        reached, lines = density[rows] @ self.finer, np.arange(rows.sum())
        shift = self.log_dose[:, np.newaxis, np.newaxis] * self.beta[rows, 0]
        fixed = self.rule.mean[0] + self.rule.sd[0] * self.rule.correlation * self.z[rows]
        spread, step = self.rule.sd[0] * self.free, (self.z[1] - self.z[0]) / FINER
        last, wanted = reached.shape[1] - 1, np.array(q)
        low, high = (np.full((len(self.log_dose), len(q)), end) for end in (-MOST_LOGIT, MOST_LOGIT))
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            across = (middle[..., np.newaxis] - shift - fixed) / spread
            place = np.clip((across - self.z[0]) / step, 0, last)
            left = np.minimum(place.astype(np.int64), last - 1)
            part, before, after = place - left, reached[lines, left], reached[lines, left + 1]
            short = (before + part * (after - before)).sum(axis=-1) < wanted
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        return np.asarray(1 / (1 + np.exp(-(low + high) / 2)))

    @cached_property
    def interval_ends(self) -> FloatArray:
        """The weights of P(DLT) at most the ends of the target interval."""
        return self.reached([self.rule.target_from, self.rule.overdose_from])


def nodes_for(patients: int, sd: tuple[float, float]) -> int:
    """Return the nodes, in each direction, with which no probability is off by more than 1e-7.

    Measured (1e-8 unless the prior is extreme): the error falls faster than any power of the nodes, and what is needed
    grows with the standard deviations and with the root of the number of patients.
    """
    scale: float = max(sd[0] / 2, sd[1], 0.7) ** 0.9
    return 20 * math.ceil((50 + 24 * math.sqrt(patients)) * scale / 20) + 1


@dataclass(frozen=True)
class BlrmRule(Rule):
    """Decide by the BLRM with escalation with overdose control.

    Parameters
    ----------
    doses : tuple of float
        The dose at each level, increasing, in any unit.
    reference_dose : float
        The dose at which logit p is log alpha, in the same unit.
    mean, sd : tuple of two floats
        Prior means and standard deviations of log alpha and log beta.
    correlation : float
        Their prior correlation, in (-1, 1).
    target_from, overdose_from : float
        P(DLT) at which the target interval begins and ends; above it lies the overdose interval.
    feasibility : float
        Largest allowed posterior probability of the overdose interval.
    choose : {"most_probable_target", "highest_allowed"}
        Which of the allowed doses is next.
    most_increase : float or None
        Largest allowed rise of the dose, as a share of the last dose: 1.0 lets it double.
    recommend_untried : bool
        Whether a level that nobody was treated at can be recommended.
    """

    doses: tuple[float, ...]
    reference_dose: float
    mean: tuple[float, float]
    sd: tuple[float, float]
    correlation: float
    target_from: float = 0.16
    overdose_from: float = 0.33
    feasibility: float = 0.25
    choose: Literal["most_probable_target", "highest_allowed"] = "most_probable_target"
    most_increase: float | None = None
    recommend_untried: bool = False

    name = "BLRM"
    has_model = True

    @property
    def target(self) -> float:  # type: ignore[override]
        """The overdose interval's lower end: what a level that is too toxic exceeds."""
        return self.overdose_from

    _grids: dict[int, _Grid] = field(default_factory=dict, compare=False, repr=False)

    # The posterior

    def _sums(self, cut: DataCut, weights: Callable[[_Grid], FloatArray]) -> FloatArray:
        """Return posterior sums with some weights, shape (..., W); each data cut on the grid that its size needs."""
        rows, position = self._table(cut)
        nodes = np.array([self._nodes(row) for row in rows])
        found: FloatArray | None = None
        for size in np.unique(nodes).tolist():
            sums = self._grid(size).sums(rows[nodes == size], weights(self._grid(size)))
            found = np.empty((len(rows), sums.shape[1])) if found is None else found
            found[nodes == size] = sums
        assert found is not None
        return np.asarray(found[position].reshape(*cut.level.shape, -1))

    def _table(self, cut: DataCut) -> tuple[FloatArray, NDArray[np.intp]]:
        """Return the distinct data of a batch, DLTs and others of each level, and which of them each data cut is."""
        levels = len(self.doses)
        y, n = cut.dlts.reshape(-1, levels).astype(float), cut.evaluable.reshape(-1, levels).astype(float)
        return distinct(np.hstack([y, n - y]))

    def _nodes(self, row: FloatArray) -> int:
        return nodes_for(int(row.sum()), self.sd)

    def _grid(self, nodes: int) -> _Grid:
        if nodes not in self._grids:
            self._grids[nodes] = _Grid(self, nodes)
        return self._grids[nodes]

    def probabilities(self, cut: DataCut) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the posterior probabilities of under-dosing, target and overdose at each level, each (..., K)."""
        sums = self._sums(cut, lambda at: at.interval_ends)
        reached = np.clip(sums.reshape(*cut.level.shape, len(self.doses), 2), 0, 1)
        return reached[..., 0], reached[..., 1] - reached[..., 0], 1 - reached[..., 1]

    # Decisions

    def best_level(self, cut: DataCut, reachable: BoolArray) -> IntArray:
        """Return the best allowed level among the reachable ones, or `NO_LEVEL`, shape (...)."""
        _, target, over = self.probabilities(cut)
        allowed = (over <= self.feasibility + TOLERANCE) & reachable
        if self.choose == "highest_allowed":
            return highest_allowed(allowed)
        target = np.where(allowed, target, -1.0)
        best = np.argmax(target >= target.max(axis=-1, keepdims=True) - TOLERANCE, axis=-1)
        return np.where(allowed.any(axis=-1), best, NO_LEVEL)

    def decide(self, cut: DataCut) -> Decisions:
        """Say what follows from each data cut of a batch."""
        level = cut.level
        best = self.best_level(cut, self._within_increase(level))
        rows: list[Row] = [
            (cut.evaluable.sum(axis=-1) == 0, Action.STAY, level, MANY, NOBODY),
            (best == NO_LEVEL, Action.STOP, NO_LEVEL, 0, NONE_ALLOWED),
            (best > level, Action.ESCALATE, best, MANY, UP),
            (best < level, Action.DE_ESCALATE, best, MANY, DOWN),
            (best == level, Action.STAY, level, MANY, SAME),
        ]
        return first_match(rows, level.shape)

    def _within_increase(self, level: IntArray) -> BoolArray:
        """Return which levels the dose may rise to from the last one, shape (..., K)."""
        doses = np.array(self.doses)
        if self.most_increase is None:
            return np.ones((*level.shape, len(doses)), dtype=np.bool_)
        return np.asarray(doses <= doses[level][..., np.newaxis] * (1 + self.most_increase) * (1 + 1e-12))

    def recommend(self, cut: DataCut) -> IntArray:
        """Return the best allowed level, among those tried unless others are allowed, or `NO_LEVEL`, shape (...)."""
        tried = cut.evaluable > 0
        return self.best_level(cut, tried | self.recommend_untried)

    # What the model believes

    def assumed(self) -> list[str]:
        """Return the curve with its doses, the prior and the intervals, line by line."""
        doses = ", ".join(f"{dose:.6g} at level {k}" for k, dose in enumerate(self.doses, 1))
        alpha, beta = (f"mean {m:.6g} and standard deviation {s:.6g}" for m, s in zip(self.mean, self.sd, strict=True))
        best = {"most_probable_target": "the one with the largest P(target)", "highest_allowed": "the highest"}
        return [
            f"doses: {doses}; logit P(DLT) is log alpha + beta log(dose / {self.reference_dose:.6g})",
            f"prior: log alpha normal with {alpha}, log beta with {beta}, correlation {self.correlation:.6g}",
            f"P(target): P(DLT) from {self.target_from:.6g} to {self.overdose_from:.6g}; P(over): above; "
            f"of the doses with P(over) at most {self.feasibility:.6g}, {best[self.choose]} is the best",
        ]

    def beliefs(self, cut: DataCut) -> dict[str, FloatArray]:
        """Return the probabilities of the target and the overdose interval at each level, shape (..., K)."""
        _, target, over = self.probabilities(cut)
        return {"P(target)": target, "P(over)": over}

    def exceedance(self, cut: DataCut, level: IntArray, above: float) -> FloatArray:
        """Return the posterior probability that P(DLT) at a level of each data cut exceeds a value, shape (...)."""
        reached = self._sums(cut, lambda at: at.reached([above]))
        return np.asarray(np.clip(1 - at_level(reached, level), 0, 1))

    def p_dlt(self, cut: DataCut) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the posterior mean of P(DLT) at each level and the ends of its 95 % interval, each (..., K)."""
        low, high = self._intervals(cut)
        return self._sums(cut, lambda at: at.p), low, high

    def interval(self, cut: DataCut, level: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the 95 % posterior interval of P(DLT) at a level of each data cut, shape (...)."""
        low, high = (at_level(end, level) for end in self._intervals(cut))
        return low, high

    def _intervals(self, cut: DataCut) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the 95 % posterior interval of P(DLT) at each level, each of shape (..., K)."""
        rows, position = self._table(cut)
        ends = np.array([self._grid(self._nodes(row)).quantiles(row, (0.025, 0.975)) for row in rows])
        low, high = (ends[position, :, k].reshape(cut.evaluable.shape) for k in (0, 1))
        return low, high
