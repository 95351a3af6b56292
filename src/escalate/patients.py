"""What nature draws: who comes and when, and what would happen to each patient at each dose.

Patients exist before doses. Every purpose has a random stream of its own, so that a new feature shifts no other
draw. Draws about candidates are indexed by candidate, draws about outcomes by enrolment number: the same patients
meet every design, and slower accrual leaves every dose path as it was.

**The scheme, which can't be changed without changing every result.** The key of a stream is
``SeedSequence(seed, spawn_key=(stream,))``, two 64-bit words for Philox4x64. A trial's numbers come in pages of 16
uniforms: page p of trial k is the 4 counter blocks from ``4 k`` on, with p in the counter's third word. Candidate (or
patient) i, from 0, uses number ``i % 16`` of page ``i // 16``. Trial k is therefore the same alone, in any chunk, on
any number of machines.
"""

from __future__ import annotations

import math
from datetime import date
from enum import IntEnum
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .records import BoolArray, FloatArray, IntArray
from .scenario.model import FixedAccrual, ListOnset, Pause, PoissonAccrual, Scenario, WeibullOnset, WhatIf

PAGE = 16
"""Uniforms of one trial on one page of one stream."""

NEVER = 2**40
"""Day of what never happens [days]; larger than any day of any trial."""

DAYS_PER_MONTH = 365.25 / 12
"""Mean length of a month [days]."""


class Stream(IntEnum):
    """One random stream for each purpose; a number, once given, is never given again."""

    ACCRUAL = 0
    SCREENING = 1
    BODY = 2
    NOT_INFUSED = 3
    PARTIAL_DOSE = 4
    DLT = 5
    ONSET = 6
    DROP_OUT = 7


class Candidate(NamedTuple):
    """Somebody who consents.

    Parameters
    ----------
    consent_day : int
        Day of consent [days since the start date].
    failed_criterion : str or None
        The screening criterion that the candidate does not meet.
    body_surface_area_m2 : float or None
        Body surface area [m2]; ``None`` if the scenario gives none.
    """

    consent_day: int
    failed_criterion: str | None
    body_surface_area_m2: float | None


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


def uniforms(seed: int, stream: Stream, page: int, first: int, count: int) -> FloatArray:
    """Draw one page of one stream for consecutive trials.

    Parameters
    ----------
    seed : int
        Seed of the simulation, at least 0.
    stream : Stream
        What the numbers are for.
    page : int
        Page, from 0.
    first, count : int
        Trials ``first`` to ``first + count - 1``.

    Returns
    -------
    float array, shape (count, 16)
        Uniforms in [0, 1), one row for each trial.
    """
    counter = np.array([first * (PAGE // 4), 0, page, 0], dtype=np.uint64)
    generator = np.random.Generator(np.random.Philox(counter=counter, key=_key(seed, stream)))
    return generator.random((count, PAGE))


@cache
def _key(seed: int, stream: int) -> NDArray[np.uint64]:
    words = np.random.SeedSequence(seed, spawn_key=(stream,)).generate_state(2, np.uint64).astype(np.uint64)
    words.flags.writeable = False
    return words


class Nature:
    """What nature draws for a chunk of consecutive trials.

    Parameters
    ----------
    scenario : Scenario
        What is assumed about nature.
    seed : int
        Seed of the simulation, at least 0.
    first, count : int
        Trials ``first`` to ``first + count - 1``.
    """

    def __init__(self, scenario: Scenario, seed: int, first: int, count: int) -> None:
        self.scenario, self.seed, self.first, self.count = scenario, seed, first, count
        self.criteria = tuple(scenario.screening.failure_probability)
        self._clock = np.zeros(count)
        self._consent_days: list[IntArray] = []
        self._fixed = {item.patient - 1: item for item in scenario.what_if}
        self._candidates: list[list[list[tuple[int, int, float]]]] = []
        self._fates: dict[tuple[int, int], list[list[tuple[bool, bool, int, int]]]] = {}

    def candidate(self, trial: int, number: int) -> Candidate | None:
        """Return candidate `number` (from 0) of a trial (from `first`), or ``None`` if nobody comes any more."""
        page, position = divmod(number, PAGE)
        while len(self._candidates) <= page:
            new = len(self._candidates)
            self._candidates.append(_together(self.consent_days(new), self.criterion(new), self.body(new)))
        day, criterion, area = self._candidates[page][trial - self.first][position]
        if day >= NEVER:
            return None
        return Candidate(day, self.criteria[criterion] if criterion >= 0 else None, None if math.isnan(area) else area)

    def fate(self, trial: int, number: int, level: int) -> Fate:
        """Return what happens to patient `number` (enrolment number, from 0) of a trial at a level (from 0)."""
        page, position = divmod(number, PAGE)
        if (page, level) not in self._fates:
            drawn = self.infused(page), self.full_dose(page), self.dlt_day(page, level), self.drop_out_day(page)
            self._fates[page, level] = _together(*drawn)
        return Fate(*self._fates[page, level][trial - self.first][position])

    def consent_days(self, page: int) -> IntArray:
        """Return the consent days of 16 candidates of every trial, shape (count, 16) [days]; `NEVER` if none comes.

        Gaps are added up in continuous time, in which pauses do not exist, and rounded down to a day once. Each page
        goes on where the one before ended, so that they are kept.
        """
        while len(self._consent_days) <= page:
            self._consent_days.append(self._following_consent_days(len(self._consent_days)))
        return self._consent_days[page]

    def _following_consent_days(self, page: int) -> IntArray:
        accrual = self.scenario.accrual
        if isinstance(accrual, FixedAccrual):
            days = np.full(PAGE, NEVER)
            part = accrual.consent_days[page * PAGE : (page + 1) * PAGE]
            days[: len(part)] = part
            return np.broadcast_to(days, (self.count, PAGE))
        if accrual.consents_per_month == 0:
            return np.full((self.count, PAGE), NEVER)
        times = self._draw(Stream.ACCRUAL, page)
        np.log1p(np.negative(times, out=times), out=times)
        times *= -DAYS_PER_MONTH / accrual.consents_per_month
        times[:, 0] += self._clock
        np.cumsum(times, axis=1, out=times)
        self._clock = times[:, -1].copy()
        calendar = with_pauses(times, _pauses(accrual, self.scenario.trial.start_date))
        return np.minimum(calendar, NEVER, out=calendar).astype(np.int64)

    def criterion(self, page: int) -> IntArray:
        """Return the criterion that 16 candidates fail, as a position in `criteria`, shape (count, 16); -1 if none."""
        if not self.criteria:
            return np.full((self.count, PAGE), -1)
        parts = np.cumsum(list(self.scenario.screening.failure_probability.values()))
        position = np.searchsorted(parts, self._draw(Stream.SCREENING, page), side="right")
        return np.where(position < len(parts), position, -1)

    def fails_screening(self, page: int) -> BoolArray:
        """Return whether 16 candidates fail screening, shape (count, 16): whether `criterion` names one."""
        if not self.criteria:
            return np.zeros((self.count, PAGE), dtype=np.bool_)
        parts = np.cumsum(list(self.scenario.screening.failure_probability.values()))
        return np.asarray(self._draw(Stream.SCREENING, page) < parts[-1])

    def body(self, page: int) -> FloatArray:
        """Return the body surface area of 16 candidates, shape (count, 16) [m2, to 0.001]; NaN if none is given."""
        from scipy.special import ndtr, ndtri

        area = self.scenario.treatment.body_surface_area
        if area is None or area.sd_m2 == 0:
            return np.full((self.count, PAGE), area.mean_m2 if area else math.nan)
        low, high = ((limit - area.mean_m2) / area.sd_m2 for limit in (area.min_m2, area.max_m2))
        u = ndtr(low) + self._draw(Stream.BODY, page) * (ndtr(high) - ndtr(low))
        return np.asarray(np.round(area.mean_m2 + area.sd_m2 * ndtri(u), 3))

    def infused(self, page: int) -> BoolArray:
        """Return whether 16 lymphodepleted patients receive cells, shape (count, 16)."""
        p = self.scenario.attrition.not_infused_probability
        drawn = self._draw(Stream.NOT_INFUSED, page) >= p if p else np.ones((self.count, PAGE), dtype=np.bool_)
        for position, fixed in self._fixed_on(page):
            if fixed.infused is not None:
                drawn[:, position] = fixed.infused
        return drawn

    def full_dose(self, page: int) -> BoolArray:
        """Return whether 16 infused patients receive the full dose, shape (count, 16)."""
        p = self.scenario.attrition.partial_dose_probability
        drawn = self._draw(Stream.PARTIAL_DOSE, page) >= p if p else np.ones((self.count, PAGE), dtype=np.bool_)
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
        drawn = self._draw(Stream.DLT, page)
        for position, fixed in self._fixed_on(page):
            if fixed.dlt is not None or fixed.dlt_day is not None:
                drawn[:, position] = 1.0 if fixed.dlt is False else -1.0
        return drawn

    @property
    def onset_depends_on_level(self) -> bool:
        """Whether the day on which a DLT comes depends on the dose level."""
        return isinstance(self.scenario.toxicity.onset, WeibullOnset)

    def onset_day(self, page: int, level: int) -> IntArray:
        """Return the day on which a DLT of 16 patients would come, shape (count, 16) [days after infusion]."""
        onset, days = self.scenario.toxicity.onset, self.scenario.window_end_offset + 1
        u = self._draw(Stream.ONSET, page)
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
            days = self._draw(Stream.DROP_OUT, page)
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

    def _draw(self, stream: Stream, page: int) -> FloatArray:
        return uniforms(self.seed, stream, page, self.first, self.count)


def _together(*columns: NDArray[Any]) -> list[list[Any]]:
    """Return, for each trial, one tuple of plain values for each of the 16 people of a page."""
    return [list(zip(*rows, strict=True)) for rows in zip(*(column.tolist() for column in columns), strict=True)]


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


def onset_probability(scenario: Scenario, level: int) -> FloatArray:
    """Return the probability of each day of onset, given a DLT, shape (window_end_offset + 1,).

    Parameters
    ----------
    scenario : Scenario
        Window and onset.
    level : int
        Dose level, from 0.
    """
    onset, days = scenario.toxicity.onset, scenario.window_end_offset + 1
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
    attrition, end = scenario.attrition, scenario.window_end_offset
    stays = (1 - attrition.drop_out_per_year) ** (np.arange(end + 1) / 365.25)  # up to each day of the window
    found = []
    for level, p in enumerate(scenario.toxicity.dlt_probability):
        with_dlt = p * float(onset_probability(scenario, level) @ stays)
        without = (1 - p) * float(stays[end]) * (1 - attrition.partial_dose_probability)
        found.append(with_dlt / (with_dlt + without) if with_dlt + without > 0 else math.nan)
    return found


def with_pauses(times: FloatArray, pauses: list[tuple[int, int]]) -> FloatArray:
    """Return calendar times of times that do not count pauses.

    Parameters
    ----------
    times : float array
        Time spent outside pauses since the start date [days].
    pauses : list of (int, int)
        First day of each pause and first day after it [days since the start date], merged and in order.
    """
    for first, after in pauses:
        times = times + np.where(times >= first, after - first, 0)
    return times


def _pauses(accrual: PoissonAccrual, start: date) -> list[tuple[int, int]]:
    """Return pauses as days since the start date, overlapping ones merged, those before the start cut off."""
    merged: list[tuple[int, int]] = []
    for pause in sorted(accrual.pauses, key=lambda item: item.first_day):
        first, after = _span(pause, start)
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], after))
        elif after > 0:
            merged.append((first, after))
    return merged


def _span(pause: Pause, start: date) -> tuple[int, int]:
    return max((pause.first_day - start).days, 0), (pause.last_day - start).days + 1
