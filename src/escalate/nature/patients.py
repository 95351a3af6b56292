"""What happens to those who are enrolled: cells, dose, DLT, drop-out. Indexed by enrolment number, from 0."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..scenario.model import Scenario
from ..scenario.nature import ListOnset, WeibullOnset, WhatIf
from ..words.records import BoolArray, FloatArray, IntArray
from .streams import NEVER, PAGE, Draws, Stream, together


class Fate(NamedTuple):
    """What happens to one patient at one dose level, in days after the first infusion.

    Parameters
    ----------
    infused : bool
        Whether the patient receives cells after lymphodepletion.
    full_dose : bool
        Whether the infused patient receives the full dose.
    dlt_day : int
        Day of the first DLT [days after the first infusion]; `NEVER` if there is none.
    drop_out_day : int
        Last day observed before the patient leaves [days after the first infusion]; `NEVER` if the patient stays.
    """

    infused: bool
    full_dose: bool
    dlt_day: int
    drop_out_day: int


class PatientDraws(Draws):
    """What is drawn about patients; parameters as `Draws`."""

    def __init__(self, scenario: Scenario, seed: int, first: int, count: int) -> None:
        super().__init__(scenario, seed, first, count)
        self._fixed = {item.patient - 1: item for item in scenario.what_if}
        self._fates: dict[tuple[int, int], list[list[tuple[bool, bool, int, int]]]] = {}

    def fate(self, trial: int, number: int, level: int) -> Fate:
        """Return what happens to patient `number` (enrolment number, from 0) of a trial at a level (from 0)."""
        page, position = divmod(number, PAGE)
        if (page, level) not in self._fates:
            drawn = self.infused(page), self.full_dose(page), self.dlt_day(page, level), self.drop_out_day(page)
            self._fates[page, level] = together(*drawn)
        return Fate(*self._fates[page, level][trial - self.first][position])

    def infused(self, page: int) -> BoolArray:
        """Return whether 16 lymphodepleted patients receive cells, shape (count, 16)."""
        p = self.scenario.attrition.not_infused_probability
        drawn = self.draw(Stream.NOT_INFUSED, page) >= p if p else np.ones((self.count, PAGE), dtype=np.bool_)
        for position, fixed in self._fixed_on(page):
            if fixed.infused is not None:
                drawn[:, position] = fixed.infused
        return drawn

    def full_dose(self, page: int) -> BoolArray:
        """Return whether 16 infused patients receive the full dose, shape (count, 16)."""
        p = self.scenario.attrition.partial_dose_probability
        drawn = self.draw(Stream.PARTIAL_DOSE, page) >= p if p else np.ones((self.count, PAGE), dtype=np.bool_)
        for position, fixed in self._fixed_on(page):
            if fixed.full_dose is not None:
                drawn[:, position] = fixed.full_dose
        return drawn

    def dlt_day(self, page: int, level: int) -> IntArray:
        """Return the day of the DLT of 16 patients at a level, shape (count, 16) [days after infusion]; or `NEVER`."""
        has_dlt = self.tolerance(page) < self.scenario.toxicity.dlt_probability[level]
        return np.where(has_dlt, self.onset_day(page, level), NEVER)

    def tolerance(self, page: int) -> FloatArray:
        """Return for 16 patients the P(DLT) above which they have a DLT, shape (count, 16); fixed ones are at the ends.

        The same patient has a DLT at every dose whose P(DLT) is larger: -1 for one who has it at any dose, 1 at none.
        """
        drawn = self.draw(Stream.DLT, page)
        for position, fixed in self._fixed_on(page):
            if fixed.dlt is not None or fixed.dlt_day is not None:
                drawn[:, position] = 1.0 if fixed.dlt is False else -1.0
        return drawn

    @property
    def onset_depends_on_level(self) -> bool:
        """Whether the day on which a DLT comes depends on the dose level."""
        return onset_depends_on_level(self.scenario)

    def onset_day(self, page: int, level: int) -> IntArray:
        """Return the day on which a DLT of 16 patients would come, shape (count, 16) [days after infusion]."""
        onset, days = self.scenario.toxicity.onset, self.scenario.windows[level] + 1
        u = self.draw(Stream.ONSET, page)
        if isinstance(onset, ListOnset):
            drawn = np.asarray(onset.days)[(u * len(onset.days)).astype(np.int64)]
        elif isinstance(onset, WeibullOnset):
            p = self.scenario.toxicity.dlt_probability[level]
            drawn = np.minimum(weibull_onset(u, p, onset.second_half_share, days).astype(np.int64), days - 1)
        else:
            drawn = (u * days).astype(np.int64)
        for position, fixed in self._fixed_on(page):
            if fixed.dlt_day is not None:
                drawn[:, position] = fixed.dlt_day
        return drawn

    def drop_out_day(self, page: int) -> IntArray:
        """Return the last day observed of 16 patients, shape (count, 16) [days after infusion]; `NEVER` if they stay.

        Drop-out has a constant hazard; one that would come on the last day of follow-up or later never happens.
        """
        yearly = self.scenario.attrition.drop_out_per_year
        if yearly == 0:
            days = np.full((self.count, PAGE), float(NEVER))
        elif yearly == 1:
            days = np.zeros((self.count, PAGE))
        else:
            hazard = -math.log1p(-yearly) / 365.25
            days = self.draw(Stream.DROP_OUT, page)
            np.log1p(np.negative(days, out=days), out=days)
            np.floor(np.divide(days, -hazard, out=days), out=days)
        drawn = np.where(days < self.scenario.follow_up.days, days, NEVER).astype(np.int64)
        for position, fixed in self._fixed_on(page):
            if fixed.drop_out is False or fixed.drop_out_day is not None:
                drawn[:, position] = NEVER if fixed.drop_out_day is None else fixed.drop_out_day
        return drawn

    def _fixed_on(self, page: int) -> list[tuple[int, WhatIf]]:
        """Return the patients of a page whose fate is fixed, with their positions on it."""
        return [(number % PAGE, item) for number, item in self._fixed.items() if number // PAGE == page]


def weibull_onset(u: FloatArray, p: float, second_half_share: float, days: int) -> FloatArray:
    """Return when a DLT comes, given that it comes inside the window, from uniforms.

    The time to a DLT is Weibull with P(T <= W) = p and P(T <= W/2) = (1 - second_half_share) p, cut at W; how it is
    generated in simulations of time-to-event designs.

    Parameters
    ----------
    u : float array
        Uniforms in [0, 1).
    p : float
        Probability of a DLT in the window, in (0, 1]; the shape for p above 0.999 is that for 0.999.
    second_half_share : float
        Share of the window's DLTs in its second half, in (0, 1).
    days : int
        Days of the window, both ends included: W.

    Returns
    -------
    float array
        Times in [0, days) [days after the first infusion].

    References
    ----------
    Yuan Y and others. Clin Cancer Res 2018;24:4921-4930, doi:10.1158/1078-0432.CCR-18-0246.
    """
    p = min(max(p, 1e-12), 0.999)
    whole, half = -math.log1p(-p), -math.log1p(-p * (1 - second_half_share))
    shape = math.log2(whole / half)
    return days * (-np.log1p(-u * p) / whole) ** (1 / shape)


def onset_depends_on_level(scenario: Scenario) -> bool:
    """Return whether the day on which a DLT comes depends on the dose level: with its P(DLT), or with its window."""
    onset = scenario.toxicity.onset
    own_windows = len(set(scenario.windows)) > 1
    return isinstance(onset, WeibullOnset) or (own_windows and not isinstance(onset, ListOnset))


def onset_probability(scenario: Scenario, level: int) -> FloatArray:
    """Return the probability of each day of onset, given a DLT, shape (days of the level's window + 1,).

    Parameters
    ----------
    scenario : Scenario
        Window and onset.
    level : int
        Dose level, from 0.
    """
    onset, days = scenario.toxicity.onset, scenario.windows[level] + 1
    if isinstance(onset, ListOnset):
        return np.bincount(onset.days, minlength=days) / len(onset.days)
    if isinstance(onset, WeibullOnset):
        p = min(max(scenario.toxicity.dlt_probability[level], 1e-12), 0.999)
        whole, half = -math.log1p(-p), -math.log1p(-p * (1 - onset.second_half_share))
        ends = np.arange(days + 1) / days
        return np.diff(-np.expm1(-whole * ends ** math.log2(whole / half)) / p)
    return np.full(days, 1 / days)


def dlt_probability_if_evaluable(scenario: Scenario) -> list[float]:
    """Return, for each level, the probability of a DLT of a patient who turns out evaluable.

    Who has a DLT is evaluable, whatever comes after it, and even after less than the full dose; who has none must stay
    to the end of the window with the full dose. So with attrition the DLT rate among evaluable patients is larger than
    P(DLT): this much.

    Parameters
    ----------
    scenario : Scenario
        Toxicity, onset and attrition.

    Returns
    -------
    list of float
        NaN at a level where nobody can be evaluable.
    """
    return [
        with_dlt / (with_dlt + without) if with_dlt + without > 0 else math.nan
        for with_dlt, without in _counted(scenario)
    ]


def evaluable_probability(scenario: Scenario) -> list[float]:
    """Return, for each level, the probability that a patient who is infused there turns out evaluable.

    Parameters
    ----------
    scenario : Scenario
        Toxicity, onset and attrition.
    """
    return [with_dlt + without for with_dlt, without in _counted(scenario)]


def _counted(scenario: Scenario) -> Iterator[tuple[float, float]]:
    """Yield, for each level, the probabilities to be evaluable with a DLT, and without one."""
    attrition = scenario.attrition
    for level, (p, end) in enumerate(zip(scenario.toxicity.dlt_probability, scenario.windows, strict=True)):
        stays = (1 - attrition.drop_out_per_year) ** (np.arange(end + 1) / 365.25)  # up to each day of the window
        with_dlt = p * float(onset_probability(scenario, level) @ stays)
        without = (1 - p) * float(stays[end]) * (1 - attrition.partial_dose_probability)
        yield with_dlt, without
