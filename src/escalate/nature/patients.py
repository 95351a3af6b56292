"""What happens to those who are enrolled: cells, dose, DLT, drop-out. Indexed by enrolment number, from 0."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..scenario.model import Scenario
from ..scenario.nature import ListOnset, WeibullOnset, WhatIf
from ..words.records import BoolArray, FloatArray, IntArray
from .streams import (
    ATTRITION,
    LEAVING,
    NEVER,
    ONSET,
    PAGE,
    TOLERANCE,
    Draws,
    Stream,
    Words,
    lower_halves,
    together,
    upper_halves,
)


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
        drawn = upper_halves(self._attrition(page)) >= p if p else np.ones((self.count, PAGE), dtype=np.bool_)
        for position, fixed in self._fixed_on(page):
            if fixed.infused is not None:
                drawn[:, position] = fixed.infused
        return drawn

    def full_dose(self, page: int) -> BoolArray:
        """Return whether 16 infused patients receive the full dose, shape (count, 16)."""
        p = self.scenario.attrition.partial_dose_probability
        drawn = lower_halves(self._attrition(page)) >= p if p else np.ones((self.count, PAGE), dtype=np.bool_)
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
        drawn = self.draw(Stream.PATIENT, page, TOLERANCE)
        for position, fixed in self._fixed_on(page):
            if fixed.dlt is not None or fixed.dlt_day is not None:
                drawn[:, position] = 1.0 if fixed.dlt is False else -1.0
        return drawn

    def onset_day(self, page: int, level: int) -> IntArray:
        """Return the day on which a DLT of 16 patients would come, shape (count, 16) [days after infusion]."""
        drawn = days_of(self._onset_until[level], self.draw(Stream.PATIENT, page, ONSET))
        for position, fixed in self._fixed_on(page):
            if fixed.dlt_day is not None:
                drawn[:, position] = fixed.dlt_day
        return drawn

    def drop_out_day(self, page: int) -> IntArray:
        """Return the last day observed of 16 patients, shape (count, 16) [days after infusion]; `NEVER` if they stay.

        Drop-out has a constant hazard; one that would come on the last day of follow-up or later never happens.
        """
        until = drop_out_until(self.scenario)
        drawn = np.full((self.count, PAGE), NEVER)
        if len(until):
            day = days_of(until, self.draw(Stream.PATIENT, page, LEAVING))
            drawn = np.where(day < len(until), day, NEVER)
        for position, fixed in self._fixed_on(page):
            if fixed.drop_out is False or fixed.drop_out_day is not None:
                drawn[:, position] = NEVER if fixed.drop_out_day is None else fixed.drop_out_day
        return drawn

    def _attrition(self, page: int) -> Words:
        return self.words(Stream.PATIENT, page)[:, :, ATTRITION]

    @cached_property
    def _onset_until(self) -> list[FloatArray]:
        return [onset_until(self.scenario, level) for level in range(self.scenario.levels)]

    def _fixed_on(self, page: int) -> list[tuple[int, WhatIf]]:
        """Return the patients of a page whose fate is fixed, with their positions on it."""
        return [(number % PAGE, item) for number, item in self._fixed.items() if number // PAGE == page]


def days_of(until: FloatArray, u: FloatArray) -> IntArray:
    """Return days that come with given probabilities, from uniforms.

    Parameters
    ----------
    until : float array, shape (days,)
        Probability of each day or one before it, ascending.
    u : float array
        Uniforms in [0, 1).

    Returns
    -------
    int array
        The first day whose probability is above the uniform; the number of days where none is.
    """
    return np.asarray(np.searchsorted(until, u, side="right"))


def onset_until(scenario: Scenario, level: int) -> FloatArray:
    """Return the probability that a DLT comes up to each day but the last one, given that it comes.

    Parameters
    ----------
    scenario : Scenario
        Window and onset.
    level : int
        Dose level, from 0.

    Returns
    -------
    float array, shape (days of the level's window,)
        Day 0 is that of the first infusion; after none of them it comes on the last day.
    """
    return np.asarray(np.cumsum(onset_probability(scenario, level))[:-1])


def drop_out_until(scenario: Scenario) -> FloatArray:
    """Return the probability to leave up to each day before the end of follow-up; no days if nobody leaves.

    The hazard is constant; who would leave on the last day of follow-up or later never does.

    Parameters
    ----------
    scenario : Scenario
        Attrition and follow-up.
    """
    yearly = scenario.attrition.drop_out_per_year
    if yearly == 0:
        return np.zeros(0)
    return np.asarray(1 - (1 - yearly) ** (np.arange(1, scenario.follow_up.days + 1) / 365.25))


def onset_probability(scenario: Scenario, level: int) -> FloatArray:
    """Return the probability of each day of onset, given a DLT, shape (days of the level's window + 1,).

    A Weibull time to a DLT has P(T <= W) = P(DLT) and P(T <= W/2) = (1 - second_half_share) P(DLT), and is cut at W,
    the days of the window with both ends; its shape for P(DLT) above 0.999 is that for 0.999. So are times generated in
    simulations of time-to-event designs.

    Parameters
    ----------
    scenario : Scenario
        Window and onset.
    level : int
        Dose level, from 0.

    References
    ----------
    Yuan Y and others. Clin Cancer Res 2018;24:4921-4930, doi:10.1158/1078-0432.CCR-18-0246.
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
