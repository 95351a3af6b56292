"""The Bayesian logistic regression model (BLRM) with escalation with overdose control.

    logit p(d) = log alpha + beta log(d / reference dose)

with a bivariate normal prior of (log alpha, log beta). A dose is allowed if the posterior probability that its P(DLT)
lies in the overdose interval is at most the feasibility bound. Among the allowed doses the next one is that whose
P(DLT) most probably lies in the target interval (``choose = "most_probable_target"``), or the highest one
(``choose = "highest_allowed"``: a different rule). If no dose is allowed the trial stops and recommends none.

The posterior is a sum over a grid in the standardised prior, by the trapezoidal rule; the probability of an interval
follows line by line from where the curve crosses its ends (`quadrature.below`). Each posterior is looked at whether its
grid is fine and wide enough, and computed on a larger one until it is: no probability is off by more than 1e-8,
whatever the prior and the data; where that would take too much, the rule refuses. It is deterministic: the same counts
always get the same answer, which sampling cannot promise near the feasibility bound.

References
----------
Neuenschwander B, Branson M, Gsponer T. Stat Med 2008;27:2420-2439, doi:10.1002/sim.3230.
Babb J, Rogatko A, Zacks S. Stat Med 1998;17:1103-1120 (escalation with overdose control).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import RuleError
from ..words.data_cut import DataCut, at_level
from ..words.distinct import distinct
from ..words.records import NO_LEVEL, Action, BoolArray, Decisions, FloatArray, IntArray
from .base import MANY, TOLERANCE, ModelRule, highest_allowed
from .first_match import Row, first_match
from .quadrature import REACH, below, normalised

NOBODY = "nobody evaluable so far"
UP = "by the model, the next level is the best of those that are allowed"
SAME = "by the model, this level is the best of those that are allowed"
DOWN = "by the model, a lower level is the best of those that are allowed"
NONE_ALLOWED = "by the model, every level is too likely an overdose"

MOST_LOGIT = 40.0
"""Logits of P(DLT) between minus this and this."""

MOST_VALUES = 8_000_000
"""Values of posteriors held at once."""

ROUGH_ALONG, ROUGH_ACROSS, CUT_OFF = 4e-7, 4e-9, 1e-10
"""A posterior with a larger part near the highest frequency that the nodes can show is computed on more of them, and
one with a larger part on the edges of the grid on a wider one: no probability is then off by more than 1e-8."""

FEWEST_NODES, MOST_NODES = 81, 1201
"""In each direction; a posterior that needs more is refused."""

MOST_GRIDS = 8
"""Grids that are remembered, each some tens of megabytes; a rule's questions need four."""

NODES_A_STEP, BEYOND = 5.0, 8
"""The crossing of a logit moves by at most so many nodes in a step; so many nodes beyond the grid it is as if far
away."""

FINER, HALVINGS = 8, 26
"""Parts of a step of the grid between which probabilities are interpolated for the ends of intervals; how often the
range of log alpha on the grid is halved to find them."""


class _Size(NamedTuple):
    """How many nodes a grid has in each direction, and how far it reaches in standard deviations of the prior."""

    nodes: int
    reach: float = REACH

    def finer(self) -> _Size:
        """Return the size with half as many steps again; the largest one comes before those that are refused."""
        nodes = 1 + math.ceil(1.5 * (self.nodes - 1))
        return _Size(MOST_NODES if self.nodes < MOST_NODES < nodes else nodes, self.reach)

    def wider(self) -> _Size:
        """Return the size that reaches half as far again, in the same steps."""
        nodes = self.finer().nodes
        return _Size(nodes, self.reach * (nodes - 1) / (self.nodes - 1))


class _Sums(NamedTuple):
    """Posterior sums, and how far they can be trusted."""

    values: FloatArray
    """Of those that can be trusted, shape (number of them, W)."""
    rough: BoolArray
    """Which posteriors the nodes are too few for, shape (B,)."""
    cut_off: BoolArray
    """Which posteriors do not lie within the grid, shape (B,)."""


class _Grid:
    """The prior on a grid, for one rule; rows of the grid differ in beta."""

    def __init__(self, rule: BlrmRule, size: _Size) -> None:
        self.rule, self.z = rule, np.linspace(-size.reach, size.reach, size.nodes)
        self.free = math.sqrt(1 - rule.correlation**2)
        self.log_dose = np.log(np.array(rule.doses) / rule.reference_dose)
        along, across = self.z[:, np.newaxis], self.z[np.newaxis, :]
        log_alpha = rule.mean[0] + rule.sd[0] * (rule.correlation * along + self.free * across)
        self.beta = np.exp(rule.mean[1] + rule.sd[1] * along)
        self.log_prior = (-0.5 * (along**2 + across**2)).ravel()
        logit = np.stack([log_alpha + self.beta * x for x in self.log_dose]).reshape(len(rule.doses), -1)
        self.log_curve = np.concatenate([-np.logaddexp(0, -logit), -np.logaddexp(0, logit)])

    def sums(self, rows: FloatArray, weights: Callable[[_Grid], FloatArray]) -> _Sums:
        """Return posterior sums for rows of DLTs and others of each level with some weights of shape (G * G, W)."""
        chunk = max(1, MOST_VALUES // len(self.log_prior))
        parts = [self._part(rows[start : start + chunk], weights) for start in range(0, len(rows), chunk)]
        values, rough, cut_off = zip(*parts, strict=True)
        trusted = [found for found in values if len(found)]
        return _Sums(np.concatenate(trusted or values[:1]), np.concatenate(rough), np.concatenate(cut_off))

    def _part(self, rows: FloatArray, weights: Callable[[_Grid], FloatArray]) -> _Sums:
        density = normalised(self.log_prior + rows @ self.log_curve)
        square = density.reshape(-1, len(self.z), len(self.z))
        turn = 0.9 * math.pi * np.arange(len(self.z))  # nearly the highest frequency that the nodes show
        fastest = np.stack([np.cos(turn), np.sin(turn)])
        along = np.hypot(*np.moveaxis(fastest @ square, 1, 0)).sum(axis=1)
        across = np.hypot(*np.moveaxis(square @ fastest.T, 2, 0)).sum(axis=1)
        edges = square[:, [0, -1]].sum(axis=(1, 2)) + square[:, :, [0, -1]].sum(axis=(1, 2))
        rough, cut_off = (along > ROUGH_ALONG) | (across > ROUGH_ACROSS), edges > CUT_OFF
        trusted = ~(rough | cut_off)
        # Weights cost more than posteriors: none are made for a grid that serves nobody.
        values = density[trusted] @ weights(self) if trusted.any() else np.empty((0, 0))
        return _Sums(values, rough, cut_off)

    def reached(self, p: Sequence[float]) -> FloatArray:
        """Return the weights of P(DLT) at most p at each level, shape (G * G, K * len(p)), levels outermost."""
        logits = np.log(np.array(p) / (1 - np.array(p)))
        found = [self._up_to(logit, x) for x in self.log_dose for logit in logits]
        return np.ascontiguousarray(np.stack([weights.ravel() for weights in found], axis=1))

    def _up_to(self, logit: float, log_dose: float) -> FloatArray:
        """Return the weights of the region in which the curve is at most at a logit at a dose, shape (G, G).

        In each row it ends where the curve crosses the logit (`_crossing`). Where that place moves by many nodes from
        a row to the next, rows between them are looked at too; the density there follows from that of all rows, since
        it is smooth, so that each of the rows gets its share of their weights.
        """
        steps = self._steps_between_rows(logit, log_dose)
        nodes, step = len(self.z), self.z[1] - self.z[0]
        last = (nodes - 1) * steps
        crossing = self._crossing(np.linspace(self.z[0], self.z[-1], last + 1), logit, log_dose)
        ends_inside = np.abs(crossing) < self.z[-1] + BEYOND * step
        if steps == 1:
            found = np.repeat((crossing[:, np.newaxis] > 0).astype(float), nodes, axis=1)
            found[ends_inside] = below(crossing[ends_inside], self.z)
            return found
        share = np.sinc(np.arange(-last, last + 1) / steps) / steps
        first = last - steps * np.arange(nodes)[:, np.newaxis]  # in `share`, of the lowest place seen from each row
        found = np.repeat(_sums_over(~ends_inside & (crossing > 0), share, first), nodes, axis=1)
        here = np.flatnonzero(ends_inside)
        for part in np.array_split(here, 1 + len(here) * nodes // MOST_VALUES):
            found += share[first + part] @ below(crossing[part], self.z)
        return found

    def _crossing(self, along: FloatArray, logit: float, log_dose: float) -> FloatArray:
        """Return where in a row the curve crosses a logit at a dose; it is below it before."""
        rule, beta = self.rule, np.exp(self.rule.mean[1] + self.rule.sd[1] * along)
        standardised = (logit - log_dose * beta - rule.mean[0]) / rule.sd[0]
        return np.asarray((standardised - rule.correlation * along) / self.free)

    def _steps_between_rows(self, logit: float, log_dose: float) -> int:
        """Return how many steps a row's distance is divided into, so that the crossing moves by few nodes in each."""
        rule, crossing = self.rule, self._crossing(self.z, logit, log_dose)
        beta = np.exp(rule.mean[1] + rule.sd[1] * self.z)
        slope = np.abs(log_dose * beta * rule.sd[1] / rule.sd[0] + rule.correlation) / self.free
        side = np.sign(np.where(np.abs(crossing) < self.z[-1], 0.0, crossing))
        passes = side == 0
        turns = side[1:] * side[:-1] < 0
        passes[1:] |= turns
        passes[:-1] |= turns
        return max(1, math.ceil(float(slope[passes].max(initial=0.0)) / NODES_A_STEP))

    @cached_property
    def p(self) -> FloatArray:
        """P(DLT) of each level, as weights of its posterior mean, shape (G * G, K)."""
        return np.asarray(np.exp(self.log_curve[: len(self.log_dose)]).T)

    @cached_property
    def finer(self) -> FloatArray:
        """The weights of integrals across a row of the grid up to each of many points, shape (G, FINER (G - 1) + 1)."""
        return below(np.linspace(self.z[0], self.z[-1], FINER * (len(self.z) - 1) + 1), self.z).T

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


@lru_cache(maxsize=MOST_GRIDS)
def _grid(rule: BlrmRule, size: _Size) -> _Grid:
    """Return the grid of one size for a rule; equal rules share it, so that one question does not make it again."""
    return _Grid(rule, size)


def _sums_over(chosen: BoolArray, share: FloatArray, first: IntArray) -> FloatArray:
    """Return the sums of the shares over the places that are chosen, seen from each row, shape (G, 1)."""
    up_to = np.concatenate([[0.0], np.cumsum(share)])
    turns = np.flatnonzero(np.diff(np.concatenate([[0], chosen.astype(np.int64), [0]])))
    begins, ends = turns[::2], turns[1::2]
    return np.asarray((up_to[first + ends] - up_to[first + begins]).sum(axis=1, keepdims=True))


def nodes_for(patients: int, sd: tuple[float, float]) -> int:
    """Return the nodes, in each direction, that a posterior is first looked at with.

    Measured: with so many few posteriors need more. The error falls faster than any power of the nodes, and what is
    needed grows with the standard deviations and with the root of the number of patients. Each is one of a few sizes,
    so that the data of a question share their grids.
    """
    scale: float = max(sd[0] / 2, sd[1], 0.7) ** 0.9
    size = _Size(FEWEST_NODES)
    while size.nodes < (70 + 24 * math.sqrt(patients)) * scale:
        size = size.finer()
    return size.nodes


@dataclass(frozen=True)
class BlrmRule(ModelRule):
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
    cuts_a_second = 75

    @property
    def target(self) -> float:  # type: ignore[override]
        """The overdose interval's lower end: what a level that is too toxic exceeds."""
        return self.overdose_from

    # The posterior

    def _sums(self, cut: DataCut, weights: Callable[[_Grid], FloatArray]) -> FloatArray:
        """Return posterior sums with some weights, shape (..., W); each data cut on the grid that it needs.

        Raises
        ------
        RuleError
            If a posterior is so narrow, or so far from the prior, that its probabilities cannot be promised.
        """
        rows, position = self._table(cut)
        found, _ = self._solved(rows, weights)
        return np.asarray(found[position].reshape(*cut.level.shape, -1))

    def _solved(self, rows: FloatArray, weights: Callable[[_Grid], FloatArray]) -> tuple[FloatArray, list[_Size]]:
        """Return posterior sums for each row of `_table`, shape (B, W), and the size of the grid that each needs."""
        nodes = np.array([nodes_for(int(total), self.sd) for total in rows.sum(axis=1)])
        todo = [(_Size(size), np.flatnonzero(nodes == size)) for size in np.unique(nodes).tolist()]
        found: FloatArray | None = None
        sizes = [_Size(0)] * len(rows)
        while todo:
            size, here = todo.pop()
            if size.nodes > MOST_NODES:
                raise RuleError(self._refusal(rows[here[0]]))
            sums = _grid(self, size).sums(rows[here], weights)
            if len(sums.values):
                found = np.empty((len(rows), sums.values.shape[1])) if found is None else found
                found[here[~(sums.rough | sums.cut_off)]] = sums.values
            for row in here.tolist():
                sizes[row] = size
            again = (size.wider(), sums.cut_off), (size.finer(), sums.rough & ~sums.cut_off)
            todo += [(other, here[which]) for other, which in again if which.any()]
        assert found is not None
        return found, sizes

    def _refusal(self, row: FloatArray) -> str:
        levels = len(self.doses)
        dlts, others = row[:levels].astype(int), row[levels:].astype(int)
        seen = ", ".join(f"{y}/{y + n}" for y, n in zip(dlts, others, strict=True))
        return (
            f"the BLRM's posterior after {seen} DLTs of the patients at the levels cannot be computed to 1e-8: with "
            f"sd_log_alpha = {self.sd[0]:g}, sd_log_beta = {self.sd[1]:g}, mean_log_alpha = {self.mean[0]:g}, "
            f"mean_log_beta = {self.mean[1]:g} and correlation = {self.correlation:g} the data lie too far from the "
            "prior, or the posterior is too narrow for it; take a prior that expects such data, with standard "
            "deviations nearer to the usual 2 and 1"
        )

    def _table(self, cut: DataCut) -> tuple[FloatArray, NDArray[np.intp]]:
        """Return the distinct data of a batch, DLTs and others of each level, and which of them each data cut is."""
        levels = len(self.doses)
        y, n = cut.dlts.reshape(-1, levels).astype(float), cut.evaluable.reshape(-1, levels).astype(float)
        return distinct(np.hstack([y, n - y]))

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
        return first_match(rows, cut.open_levels)

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
            self._before_any_data(),
        ]

    def _before_any_data(self) -> str:
        """Return what the prior alone says of each level, and which of them it would allow."""
        _, target, over = self.probabilities(DataCut.of(0, [0] * len(self.doses), [0] * len(self.doses)))
        levels = [f"{p:.3f} and {q:.3f} at level {k}" for k, (p, q) in enumerate(zip(target, over, strict=True), 1)]
        allowed = [str(k) for k, q in enumerate(over, 1) if q <= self.feasibility + TOLERANCE]
        allows = "no level" if not allowed else f"level{'s' if len(allowed) > 1 else ''} {', '.join(allowed)}"
        return f"before any data P(target) and P(over) are {', '.join(levels)}: the prior alone allows {allows}"

    def beliefs(self, cut: DataCut) -> dict[str, FloatArray]:
        """Return the probabilities of the target and the overdose interval at each level, shape (..., K)."""
        _, target, over = self.probabilities(cut)
        return {"P(target)": target, "P(over)": over}

    def exceedance(self, cut: DataCut, level: IntArray, above: float) -> FloatArray:
        """Return the posterior probability that P(DLT) at a level of each data cut exceeds a value, shape (...)."""
        reached = self._sums(cut, lambda at: at.reached([above]))
        return np.asarray(np.clip(1 - at_level(reached, level), 0, 1))

    def p_dlt(self, cut: DataCut) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the posterior mean of P(DLT) at each level and the ends of its 95% interval, each (..., K)."""
        low, high = self.intervals(cut)
        return self._sums(cut, lambda at: at.p), low, high

    def intervals(self, cut: DataCut) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the 95% posterior interval of P(DLT) at each level, each of shape (..., K)."""
        rows, position = self._table(cut)
        _, sizes = self._solved(rows, lambda grid: np.ones((len(grid.log_prior), 1)))
        ends = np.array(
            [_grid(self, size).quantiles(row, (0.025, 0.975)) for row, size in zip(rows, sizes, strict=True)]
        )
        low, high = (ends[position, :, k].reshape(cut.evaluable.shape) for k in (0, 1))
        return low, high
