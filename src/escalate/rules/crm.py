"""The continual reassessment method (CRM), and with patients pending its time-to-event form (TITE-CRM).

A curve with one parameter says how P(DLT) rises with the dose; what was observed updates the parameter, and the next
patients get the dose whose P(DLT) then lies closest to the target.

empiric
    p(k) = skeleton(k) ** exp(a)
logistic
    logit p(k) = intercept + exp(a) x(k), with x(k) = logit skeleton(k) - intercept

The prior of a is normal with mean 0. The estimate is the curve at the posterior mean of a (Bayes), or at the most
likely a (maximum likelihood, within -10 to 10). The posterior mean is a trapezoidal sum over 8.6 prior standard
deviations to either side; it is computed once for every distinct data cut of a batch, never for every trial.

If every level's P(DLT) is at most the target the highest is chosen, if every one is at least the target the lowest,
otherwise the closest, the lower one on a tie. Where that is the lowest, and its P(DLT) exceeds the target with more
than 95% posterior probability (`too_toxic_probability`), the trial stops without a dose: with that certainty the rules
that eliminate a level stop at the lowest one. Moves are otherwise free: what keeps them from skipping levels, or from
rising after DLTs, are the scenario's ``[limits]``. Unless it says otherwise no level is skipped, and the dose does not
rise after a cohort with a DLT rate at or above the target, as in dfcrm's simulations of trials (``restrict = TRUE``).

TITE-CRM weighs a patient without a DLT by w, the share of the window observed: the likelihood is the product of
p ** y (1 - w p) ** (1 - y). Patients with a DLT and those with a complete window have w = 1. Adaptive weights move
with the days on which DLTs came instead. Patients who left inside the window keep the weight that they had then, or
count for nothing. With `min_followup_share` the dose does not rise while a pending patient of the level has been
observed for a smaller share of the window: accrual is suspended, and goes on on the day on which all have been
(`below_min_followup = "stay"` treats the next patients at the same level instead).

References
----------
O'Quigley J, Pepe M, Fisher L. Biometrics 1990;46:33-48, doi:10.2307/2531628.
Cheung YK, Chappell R. Biometrics 2000;56:1177-1182, doi:10.1111/j.0006-341X.2000.01177.x (TITE-CRM).
Cheung YK. Biometrika 2005;92:863-873, doi:10.1093/biomet/92.4.863 (coherence).
Liu S, Yuan Y. J R Stat Soc C 2015;64:507-523, doi:10.1111/rssc.12089 (the posterior probability of 95%).
Cheung YK. Dose Finding by the Continual Reassessment Method, Chapman & Hall 2011 (and its R package dfcrm).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..scenario.skeleton import Model
from ..words.data_cut import DataCut, Partial, at_level
from ..words.distinct import distinct
from ..words.records import NO_LEVEL, Action, BoolArray, Decisions, FloatArray, IntArray
from .base import MANY, TOLERANCE, ModelRule, highest_allowed
from .first_match import Row, first_match
from .quadrature import REACH, Grid, below, normalised, quantiles
from .weights import adaptive

NOBODY = "nobody observed so far"
UP = "by the model, P(DLT) at the next level is closest to the target"
SAME = "by the model, P(DLT) at this level is closest to the target"
DOWN = "by the model, P(DLT) at a lower level is closest to the target"
TOO_TOXIC = "by the model, the lowest dose level is too toxic"
UNOBSERVED = "the pending patients have not been observed for long enough to escalate"

STEPS_FOR_MEAN, STEPS_FOR_PROBABILITY = 1.5, 3.0
"""Steps of the quadrature in a standard deviation of the posterior that so many patients are expected to leave: more
change no estimate of P(DLT) by more than 1e-12, and no probability by more than 1e-8; where the prior is cut, 1e-6."""

FINER, MOST_STEPS = 1e-6, 50
"""A mean of a that leaving out every second node changes by more than this is computed on twice as many, up to so many
steps. The sum converges so fast that halving a step takes the error at least to its square."""

MOST_VALUES = 50_000
"""Values of posteriors computed at once: few enough for a processor's cache."""

PULL, FARTHEST = 10.0, 12.0
"""What a patient adds at most to the square of the reach, in standard deviations of the prior: the likelihood of one
outcome rises by less than exp(PULL / 2) on the way out. At this a, or minus this, the curve has come to its ends."""

MOST, PLACES = 10.0, 801
"""The most likely a is looked for between minus this and this, first at so many places."""

NODES_A_SECOND, PATIENTS_OF_SPEED, MOST_LIKELY_A_SECOND = 7_500_000, 32, 500
"""Of how many data cuts, times the nodes of a grid for so many patients, the posterior is computed in a second,
roughly; and of how many the most likely a is found."""


@dataclass(frozen=True)
class CrmRule(ModelRule):
    """Decide by the continual reassessment method.

    Parameters
    ----------
    name : str
        As scenario files write it.
    target : float
        Target DLT probability, in (0, 1).
    skeleton : tuple of float
        First guesses of P(DLT), increasing, one for each level.
    model : {"empiric", "logistic"}
        The curve; see the module's text.
    prior_sd : float
        Standard deviation of a.
    prior_cut : float or None
        The prior of a ends at plus and minus this, if anywhere.
    intercept : float
        Intercept of the logistic curve.
    estimate : {"bayes", "maximum_likelihood"}
        Which a the curve is read at.
    recommend_untried : bool
        Whether a level that nobody was treated at can be recommended.
    rolling : bool
        Whether patients may be pending: TITE-CRM.
    weights : {"linear", "adaptive"}
        How follow-up becomes a weight.
    count_lost : bool
        Whether patients who left inside the window keep their weight, or count for nothing.
    min_followup_share : float
        No escalation while a pending patient of the level has been observed for a smaller share of the window.
    suspends : bool
        Whether accrual is suspended until then, rather than go on at the level.
    too_toxic_probability : float
        The trial stops where the model chooses the lowest level, and P(DLT) there exceeds the target with more than
        this posterior probability; with 1, never.
    """

    name: str
    target: float
    skeleton: tuple[float, ...]
    model: Model = "empiric"
    prior_sd: float = math.sqrt(1.34)
    prior_cut: float | None = None
    intercept: float = 3.0
    estimate: Literal["bayes", "maximum_likelihood"] = "bayes"
    recommend_untried: bool = False
    rolling: bool = False
    weights: Literal["linear", "adaptive"] = "linear"
    count_lost: bool = True
    min_followup_share: float = 0.0
    suspends: bool = True
    too_toxic_probability: float = 1.0

    coherence = "last_cohort"

    @property
    def followup_to_resume(self) -> float:  # type: ignore[override]
        """Share of the window from which on the pending patients of a level no longer suspend accrual."""
        return self.min_followup_share if self.suspends else 0.0

    @property
    def reads_followup(self) -> bool:  # type: ignore[override]
        """Whether the rule reads how far the pending patients are in their windows: TITE-CRM does."""
        return self.rolling

    @property
    def reads_dlt_days(self) -> bool:  # type: ignore[override]
        """Whether the rule reads on which days of their windows DLTs came: for adaptive weights it does."""
        return self.rolling and self.weights == "adaptive"

    @property
    def cuts_a_second(self) -> int:  # type: ignore[override]
        """How many distinct data cuts of many it decides in a second, roughly: the finer the grid, the fewer."""
        if self.estimate == "maximum_likelihood":
            return MOST_LIKELY_A_SECOND
        return NODES_A_SECOND // len(self.grid(PATIENTS_OF_SPEED, STEPS_FOR_MEAN).nodes)

    monotone = True  # without another DLT the likelihood shifts towards lower P(DLT), whatever the weights

    # The curve and the posterior

    def grid(self, patients: int, steps: float) -> Grid:
        """Return the grid for so many patients; the same one for up to twice as many.

        Parameters
        ----------
        patients : int
            Most patients that a posterior rests on.
        steps : float
            See `STEPS_FOR_MEAN`.
        """
        size = 1 << max(patients - 1, 15).bit_length()
        if (size, steps) not in self._grids:
            narrowest = (self._information * size + self.prior_sd**-2) ** -0.5
            step, reach = min(narrowest, 0.15 * self._farthest_pole) / steps, REACH * self.prior_sd
            # Data at odds with a narrow prior pull the posterior out of it.
            pulled = self.prior_sd * math.sqrt(REACH**2 + PULL * size)
            self._grids[size, steps] = self._new_grid(step, max(reach, min(pulled, FARTHEST)))
        return self._grids[size, steps]

    @cached_property
    def _grids(self) -> dict[tuple[int, float], Grid]:
        return {}

    def _new_grid(self, step: float, reach: float) -> Grid:
        half = math.ceil(reach / step)
        if self.prior_cut is not None and self.prior_cut < reach:
            # Where the prior is cut the sum converges slowly, with the square of the step.
            reach, half = self.prior_cut, max(4000, math.ceil(self.prior_cut / step))
        nodes = np.linspace(-reach, reach, 2 * half + 1)
        log_prior = -0.5 * (nodes / self.prior_sd) ** 2
        log_prior[[0, -1]] -= math.log(2)  # the ends of a trapezoidal sum count half
        return Grid(nodes, log_prior, np.concatenate(self.log_curve(nodes)))

    @cached_property
    def _information(self) -> float:
        """The most that one patient is expected to tell about a, in units of 1 / a^2: Fisher's, at the best P(DLT)."""
        if self.model == "empiric":
            p = np.linspace(0.001, 0.999, 999)
            return float((p * np.log(p) ** 2 / (1 - p)).max())
        logit = np.minimum(np.linspace(-40.0, 40.0, 4001), self.intercept)
        return float((np.exp(-np.logaddexp(0, -logit) - np.logaddexp(0, logit)) * (logit - self.intercept) ** 2).max())

    @property
    def _farthest_pole(self) -> float:
        """How far from the real axis log (1 - p) is smooth in a: in a tenth of it the sum has converged."""
        return math.pi / 2 if self.model == "empiric" else math.atan2(math.pi, self.intercept)

    def log_curve(self, a: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return log p and log (1 - p) at each level, shape (K, ...) for a of shape (...)."""
        skeleton = np.array(self.skeleton).reshape(-1, *(1,) * a.ndim)
        if self.model == "empiric":
            log_p = np.exp(a) * np.log(skeleton)
            with np.errstate(divide="ignore"):
                return log_p, np.log(-np.expm1(log_p))
        x = np.log(skeleton / (1 - skeleton)) - self.intercept
        logit = self.intercept + np.exp(a) * x
        return -np.logaddexp(0, -logit), -np.logaddexp(0, logit)

    def curve(self, a: FloatArray) -> FloatArray:
        """Return P(DLT) at each level, shape (..., K) for a of shape (...)."""
        return np.moveaxis(np.exp(self.log_curve(a)[0]), 0, -1)

    def log_likelihood(self, rows: FloatArray, log_curve: FloatArray, p: FloatArray) -> FloatArray:
        """Return the logarithm of the likelihood of each row of `table` at each a, shape (B, G)."""
        counts, people = np.split(rows, [2 * len(self.skeleton)], axis=1)
        found: FloatArray = counts @ log_curve
        if not people.size:
            return found
        met, which = distinct(people.reshape(-1, 2))
        factors = 1 - met[:, 1:] * p[met[:, 0].astype(np.int64)]
        first, *others = which.reshape(len(rows), -1).T
        no_dlt = factors[first]
        for person in others:
            no_dlt *= factors[person]
        with np.errstate(divide="ignore"):  # where P(DLT) is 1
            return found + np.log(no_dlt)

    def table(self, cut: DataCut) -> tuple[FloatArray, NDArray[np.intp]]:
        """Return the distinct data of a batch: DLTs and others of each level, then level and weight of each partial."""
        levels = len(self.skeleton)
        y = cut.dlts.reshape(-1, levels).astype(float)
        n = cut.evaluable.reshape(-1, levels).astype(float)
        parts = [y, n - y]
        if self.rolling and cut.partial is not None and cut.partial.level.shape[-1] > 0:
            parts.append(self._weighted(cut.partial))
        return distinct(np.hstack(parts))

    def _weighted(self, partial: Partial) -> FloatArray:
        """Return level and weight of each partly observed patient side by side, in a fixed order, shape (B, 2 P)."""
        weight = self._weight(partial)
        level = np.where(weight > 0, partial.level.reshape(weight.shape), 0)
        order = np.lexsort((weight, level), axis=-1)
        pairs = (np.take_along_axis(part, order, axis=-1) for part in (level.astype(float), weight))
        return np.stack(list(pairs), axis=-1).reshape(len(weight), -1)

    def _weight(self, partial: Partial) -> FloatArray:
        """Return the weight of each partly observed patient, 0 of whom counts for nothing, shape (B, P)."""
        many = partial.level.shape[-1]
        level = partial.level.reshape(-1, many)
        share = partial.share.reshape(-1, many)
        weight = adaptive(share, partial.dlt_share.reshape(len(share), -1)) if self.weights == "adaptive" else share
        counts = (level != NO_LEVEL) & (self.count_lost | ~partial.lost.reshape(-1, many))
        return np.where(counts, weight, 0.0)

    def posterior(self, rows: FloatArray, at: Grid) -> FloatArray:
        """Return the posterior of a at the nodes for each row of `table`, adding up to 1, shape (B, G)."""
        return normalised(at.log_prior + self.log_likelihood(rows, at.log_curve, at.p))

    def patients(self, rows: FloatArray) -> IntArray:
        """Return how many patients each row of `table` rests on, shape (B,)."""
        counted = 2 * len(self.skeleton)
        whole = rows[:, :counted].sum(axis=1)
        return np.asarray(whole + (rows[:, counted + 1 :: 2] > 0).sum(axis=1), dtype=np.int64)

    def _posteriors(self, rows: FloatArray, steps: float) -> Iterator[tuple[IntArray, FloatArray, Grid]]:
        """Yield posteriors part by part: which rows of `table` they belong to, values, and at which nodes.

        The grid of a row is the same whatever stands in the other rows.
        """
        size = 1 << np.ceil(np.log2(np.maximum(self.patients(rows), 1))).astype(np.int64)
        for patients in np.unique(size).tolist():
            at, here = self.grid(patients, steps), np.flatnonzero(size == patients)
            for part in np.array_split(here, 1 + len(here) * len(at.nodes) // MOST_VALUES):
                yield part, self.posterior(rows[part], at), at

    def parameter(self, rows: FloatArray) -> FloatArray:
        """Return the estimate of a for each row of `table`, shape (B,)."""
        if self.estimate == "maximum_likelihood":
            return self._most_likely(rows)
        found, steps, todo = np.empty(len(rows)), STEPS_FOR_MEAN, np.arange(len(rows))
        while len(todo) and steps <= MOST_STEPS:
            coarse = np.empty(len(todo))
            for part, density, at in self._posteriors(rows[todo], steps):
                found[todo[part]] = density @ at.nodes
                coarse[part] = density[:, ::2] @ at.nodes[::2] / density[:, ::2].sum(axis=1)
            todo, steps = todo[np.abs(coarse - found[todo]) > FINER], 2 * steps
        return found

    def _most_likely(self, rows: FloatArray) -> FloatArray:
        """Return the a of the largest likelihood in [-MOST, MOST]: on a grid, then by golden sections around it.

        Without a DLT, or with nothing but DLTs, the likelihood rises to an end; the grid cannot see it there.
        """
        coarse = np.linspace(-MOST, MOST, PLACES)
        curve = np.concatenate(self.log_curve(coarse))
        parts = np.array_split(rows, 1 + len(rows) * PLACES // MOST_VALUES)
        best = np.concatenate(
            [np.argmax(self.log_likelihood(part, curve, self.curve(coarse).T), axis=-1) for part in parts]
        )
        low, high = coarse[np.maximum(best - 1, 0)], coarse[np.minimum(best + 1, PLACES - 1)]
        golden = (math.sqrt(5) - 1) / 2
        for _ in range(60):
            left, right = high - golden * (high - low), low + golden * (high - low)
            worse = self._at(rows, left) < self._at(rows, right)
            low, high = np.where(worse, left, low), np.where(worse, high, right)
        levels = len(self.skeleton)
        others = rows[:, levels : 2 * levels].sum(axis=1) + rows[:, 2 * levels + 1 :: 2].sum(axis=1)
        no_dlt, no_other = rows[:, :levels].sum(axis=1) == 0, others == 0
        return np.select([no_dlt & no_other, no_dlt, no_other], [0.0, MOST, -MOST], (low + high) / 2)

    def _at(self, rows: FloatArray, a: FloatArray) -> FloatArray:
        """Return the log-likelihood of each row at an a of its own, shape (B,)."""
        curve, p = np.concatenate(self.log_curve(a)), self.curve(a).T
        return np.array([self.log_likelihood(rows[[k]], curve[:, [k]], p[:, [k]])[0, 0] for k in range(len(rows))])

    def estimates(self, cut: DataCut) -> FloatArray:
        """Return the estimated P(DLT) at each level, shape (..., K)."""
        rows, position = self.table(cut)
        return self.curve(self.parameter(rows))[position].reshape(cut.evaluable.shape)

    # Decisions

    def best_level(self, cut: DataCut) -> IntArray:
        """Return the level whose estimated P(DLT) is closest to the target, shape (...)."""
        rows, position = self.table(cut)
        p = self.curve(self.parameter(rows))
        levels, distance = p.shape[-1], np.abs(p - self.target)
        closest = np.argmax(distance <= distance.min(axis=-1, keepdims=True) + TOLERANCE, axis=-1)
        conditions = [(p <= self.target + TOLERANCE).all(axis=-1), (p >= self.target - TOLERANCE).all(axis=-1)]
        best = np.select(conditions, [np.full_like(closest, levels - 1), np.zeros_like(closest)], closest)
        return np.asarray(best[position].reshape(cut.level.shape))

    def decide(self, cut: DataCut) -> Decisions:
        """Say what follows from each data cut of a batch."""
        level, best = cut.level, self.best_level(cut)
        nobody = (cut.evaluable + cut.pending).sum(axis=-1) == 0
        unobserved = (best > level) & self._has_unobserved(cut)
        waits = (Action.SUSPEND, level, 0) if self.suspends else (Action.STAY, level, MANY)
        rows: list[Row] = [
            (nobody, Action.STAY, level, MANY, NOBODY),
            (self._too_toxic(cut, best), Action.STOP, NO_LEVEL, 0, TOO_TOXIC),
            (unobserved, *waits, UNOBSERVED),
            (best > level, Action.ESCALATE, best, MANY, UP),
            (best < level, Action.DE_ESCALATE, best, MANY, DOWN),
            (best == level, Action.STAY, level, MANY, SAME),
        ]
        return first_match(rows, cut.open_levels)

    def _too_toxic(self, cut: DataCut, best: IntArray) -> BoolArray:
        """Return whether the model chooses the lowest level, and finds it too toxic."""
        found: BoolArray = best == 0
        if self.too_toxic_probability == 1 or not found.any():
            return np.zeros_like(found)
        asked = cut.take(np.flatnonzero(found)) if found.ndim == 1 else cut
        above = self.exceedance(asked, np.zeros_like(asked.level), self.target) > self.too_toxic_probability
        if found.ndim != 1:
            return np.asarray(found & above)
        return np.asarray(np.bincount(np.flatnonzero(found)[above], minlength=len(found)) > 0)

    def _has_unobserved(self, cut: DataCut) -> BoolArray:
        """Return whether a pending patient of the level has been observed for too short a time to escalate."""
        if self.min_followup_share == 0 or cut.partial is None:
            return np.zeros(cut.level.shape, dtype=np.bool_)
        partial = cut.partial
        here = (partial.level == cut.level[..., np.newaxis]) & ~partial.lost
        return np.asarray((here & (partial.share < self.min_followup_share)).any(axis=-1))

    def recommend(self, cut: DataCut) -> IntArray:
        """Return the level that the model chooses, or the highest tried one below it, shape (...)."""
        best = self.best_level(cut)
        tried = cut.evaluable + cut.pending > 0
        found = highest_allowed(tried & (np.arange(tried.shape[-1]) <= best[..., np.newaxis]))
        if self.recommend_untried:
            found = np.where(tried.any(axis=-1), best, NO_LEVEL)
        return np.where(self._too_toxic(cut, best), NO_LEVEL, found)

    # What the model believes

    def assumed(self) -> list[str]:
        """Return the skeleton, the curve and the prior, line by line."""
        skeleton = ", ".join(f"{p:.6g} at level {k}" for k, p in enumerate(self.skeleton, 1))
        curve = {
            "empiric": "P(DLT) is skeleton ** exp(a)",
            "logistic": f"logit P(DLT) is {self.intercept:.6g} + exp(a) (logit skeleton - {self.intercept:.6g})",
        }
        cut = "" if self.prior_cut is None else f", cut at -{self.prior_cut:.6g} and {self.prior_cut:.6g}"
        prior = f"normal with mean 0 and standard deviation {self.prior_sd:.6g}{cut}"
        a = prior if self.estimate == "bayes" else f"the most likely one from -{MOST:g} to {MOST:g}"
        lines = [f"skeleton: {skeleton}", f"{curve[self.model]}; a is {a}"]
        if self.too_toxic_probability < 1:
            lines.append(
                "the trial stops without a dose where the model chooses the lowest level, and P(DLT) there exceeds "
                f"{self.target:.6g} with a probability of more than {self.too_toxic_probability:.6g}"
            )
        return lines

    def beliefs(self, cut: DataCut) -> dict[str, FloatArray]:
        """Return the estimated P(DLT) of each level, shape (..., K)."""
        return {"P(DLT)": self.estimates(cut)}

    def p_dlt(self, cut: DataCut) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the estimated P(DLT) of each level and the ends of its 95% posterior interval, each (..., K)."""
        rows, position = self.table(cut)
        return self.curve(self.parameter(rows))[position].reshape(cut.evaluable.shape), *self.intervals(cut)

    def weigh(self, cut: DataCut) -> FloatArray:
        """Return the weight of each patient whose window was not observed whole, shape (..., P)."""
        if cut.partial is None or not self.rolling or not cut.partial.level.shape[-1]:
            return super().weigh(cut)
        return self._weight(cut.partial).reshape(cut.partial.share.shape)

    def exceedance(self, cut: DataCut, level: IntArray, above: float) -> FloatArray:
        """Return the posterior probability that P(DLT) at a level of each data cut exceeds a value, shape (...)."""
        rows, position = self.table(cut)
        points, found = self._parameter_at(np.array([above])), np.empty((len(rows), len(self.skeleton)))
        for part, density, at in self._posteriors(rows, STEPS_FOR_PROBABILITY):
            found[part] = density @ below(points, at.nodes)[:, 0].T
        return np.asarray(np.clip(at_level(found[position].reshape(cut.evaluable.shape), level), 0, 1))

    def intervals(self, cut: DataCut) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the 95% posterior interval of P(DLT) at each level, each of shape (..., K)."""
        rows, position = self.table(cut)
        # P(DLT) falls as a rises, so that its lower end is the curve at the upper end of a.
        ends = self._quantiles(rows, (0.975, 0.025)).T
        low, high = (self.curve(a)[position].reshape(cut.evaluable.shape) for a in ends)
        return low, high

    def _parameter_at(self, p: FloatArray) -> FloatArray:
        """Return the a at which each level's P(DLT) is p, shape (K, ...): P(DLT) is above p for every smaller a."""
        skeleton = np.array(self.skeleton).reshape(-1, *(1,) * p.ndim)
        if self.model == "empiric":
            return np.asarray(np.log(np.log(p) / np.log(skeleton)))
        x = np.log(skeleton / (1 - skeleton)) - self.intercept
        ratio = (np.log(p / (1 - p)) - self.intercept) / x
        # Above the highest P(DLT) that the curve can reach, no a is small enough.
        return np.where(ratio > 0, np.log(np.maximum(ratio, 1e-300)), -np.inf)

    def _quantiles(self, rows: FloatArray, q: Sequence[float]) -> FloatArray:
        """Return quantiles of a for each row of `table`, shape (B, len(q))."""
        found = np.empty((len(rows), len(q)))
        for part, density, at in self._posteriors(rows, STEPS_FOR_PROBABILITY):
            found[part] = quantiles(density, at.nodes, q)
        return found
