"""What every escalation rule offers."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from ..scenario.policies import Coherence
from ..words.data_cut import DataCut, at_level
from ..words.records import NO_LEVEL, BoolArray, Decisions, FloatArray, IntArray

TOLERANCE = 1e-9
"""Within this two rates, masses or probabilities count as equal."""

MANY = 1_000_000
"""Patients wanted by a rule that leaves the size of the next cohort to the protocol."""


class Rule(ABC):
    """A pure decision: from a batch of data cuts to which dose comes next, with no clock and no randomness.

    A rule that eliminates levels reads in the data cut how many are still open, and says in its decisions how many are
    open after them: never more. Other rules leave that as it is.

    What a rule believes about P(DLT) at a level (`exceedance`, `interval`) is, unless it has a model (`ModelRule`), the
    posterior of that level's counts alone, with a uniform prior.
    """

    name: str
    """Name of the rule, as scenario files write it."""
    target: float | None
    """Target DLT probability, if the rule has one."""
    has_answer_at_cap: bool = True
    """Whether the rule recommends a dose from whatever data there are when the cap is reached."""
    rolling: bool = False
    """Whether the rule is asked when a candidate is ready, with outcomes pending, and not when a cohort is complete."""
    eliminates: bool = False
    """Whether the rule closes levels that are never to be given again."""
    reads_followup: bool = False
    """Whether the rule reads how far the pending patients are in their windows."""
    reads_level_followup: bool = False
    """Whether it reads of that nothing but the sum at the level of the data cut, and, as the sum grows, comes to each
    of its answers in one stretch: the answers are then known from where they turn."""
    followup_to_resume: float = 0.0
    """A rule that suspends accrual until the level's pending patients have been observed for this share of the window
    is asked again on the day on which they have; with 0 it waits for outcomes alone."""
    coherence: Coherence = "off"
    """What keeps the dose from rising after DLTs where the scenario does not say: see `Limits.coherence`."""
    reads_dlt_days: bool = False
    """Whether it reads on which days of their windows DLTs came."""
    cuts_a_second: int = 150_000
    """How many distinct data cuts of many it decides in a second, roughly."""
    intervals_a_second: int = 75_000
    """Of how many it says, beside that, the interval of P(DLT) at a level."""
    monotone: bool = False
    """Whether a level that the rule chooses on somebody's data, or does not leave downwards, is not left either when
    time passes and outcomes without a DLT come."""

    @abstractmethod
    def decide(self, cut: DataCut) -> Decisions:
        """Say what follows from each data cut of a batch."""

    @abstractmethod
    def recommend(self, cut: DataCut) -> IntArray:
        """Return the recommended level (from 0) of each data cut, or `NO_LEVEL`, shape (...)."""

    def elsewhere(self, n: IntArray, y: IntArray) -> tuple[IntArray | BoolArray, ...] | None:
        """Return what decisions read of a level other than the data cut's, from its patients and their DLTs.

        Counts of which all of it is the same are alike to the rule, and what it decides on one of them it decides on
        all. It may read nothing else there; what it recommends may.

        Parameters
        ----------
        n, y : int array, shape (...)
            Evaluable patients, for a rolling rule with the pending ones, and DLTs among them.

        Returns
        -------
        tuple of array or None
            Each of shape (...). ``None`` where the rule reads the counts as they are, or single patients.
        """
        return None

    def constants(self) -> dict[str, float]:
        """Return the numbers that decisions compare with, by what they are in a protocol."""
        return {}

    def exceedance(self, cut: DataCut, level: IntArray, above: float) -> FloatArray:
        """Return the posterior probability that P(DLT) at a level of each data cut exceeds a value, shape (...).

        It is 0 where nobody is evaluable: the prior alone says nothing against a level.
        """
        n, y = at_level(cut.evaluable, level), at_level(cut.dlts, level)
        return np.where(n > 0, too_toxic_probability(n, y, above), 0.0)

    def weigh(self, cut: DataCut) -> FloatArray:
        """Return what each patient of `DataCut.partial` counts, between 0 and 1, shape (..., P): the share observed."""
        return np.zeros((*cut.level.shape, 0)) if cut.partial is None else cut.partial.share

    def grounds(self, cut: DataCut) -> list[str]:
        """Return what the decision on one data cut compares with what, line by line, shape (1,); nothing by default."""
        return []

    def interval(self, cut: DataCut, level: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the 95% posterior interval of P(DLT) at a level of each data cut, shape (...)."""
        from scipy.special import betaincinv

        n, y = at_level(cut.evaluable, level), at_level(cut.dlts, level)
        return np.asarray(betaincinv(1 + y, 1 + n - y, 0.025)), np.asarray(betaincinv(1 + y, 1 + n - y, 0.975))


class ModelRule(Rule):
    """A rule with a model of all doses, which says how large P(DLT) is at each of them."""

    intervals_a_second = 2_500

    @abstractmethod
    def assumed(self) -> list[str]:
        """Return what the model assumes before any data, line by line."""

    @abstractmethod
    def beliefs(self, cut: DataCut) -> dict[str, FloatArray]:
        """Return what the rule chooses a level by, of each level, by what it is, each of shape (..., K)."""

    @abstractmethod
    def p_dlt(self, cut: DataCut) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return P(DLT) at each level, and the ends of its 95% posterior interval, each of shape (..., K)."""

    @abstractmethod
    def exceedance(self, cut: DataCut, level: IntArray, above: float) -> FloatArray:
        """Return the model's posterior probability that P(DLT) at a level of each data cut exceeds a value."""

    @abstractmethod
    def intervals(self, cut: DataCut) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the 95% posterior interval of P(DLT) at each level, each of shape (..., K)."""

    def interval(self, cut: DataCut, level: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the model's 95% posterior interval of P(DLT) at a level of each data cut, shape (...)."""
        low, high = (at_level(end, level) for end in self.intervals(cut))
        return low, high


def too_toxic_probability(n: IntArray, y: IntArray, target: float) -> FloatArray:
    """Return Pr(p > target) for y DLTs among n, with a uniform prior: Beta(1 + y, 1 + n - y)."""
    from scipy.special import betaincc

    return np.asarray(betaincc(1 + y, 1 + n - y, target))


def highest_allowed(allowed: BoolArray) -> IntArray:
    """Return the highest level that is allowed, or `NO_LEVEL`, shape (...) for allowed of shape (..., K)."""
    found: IntArray = np.where(allowed, np.arange(allowed.shape[-1]), NO_LEVEL).max(axis=-1)
    return found
