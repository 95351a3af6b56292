"""What is drawn about the candidates of one site, in the order of their consent there, page by page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from ..scenario.model import Scenario
from ..scenario.nature import DAYS_PER_MONTH
from ..scenario.sites import RecruitingSite
from ..words.records import BoolArray, FloatArray, IntArray
from .gaps import exponential
from .products import ProductDraws
from .streams import GAP, NEVER, PAGE, SCREENING, Stream

MOST_SCREENINGS = 1000
"""Screenings of one candidate that can be told apart."""


class SiteDraws(ProductDraws):
    """What is drawn about the candidates of one site.

    Parameters
    ----------
    scenario, seed, first, count
        As of `Draws`.
    number : int
        Position of the site among `Scenario.recruiting_sites`.
    criteria : tuple of str
        Criteria of screening of all sites.
    """

    def __init__(
        self, scenario: Scenario, seed: int, first: int, count: int, number: int, criteria: tuple[str, ...]
    ) -> None:
        super().__init__(scenario, seed, first, count, number)
        self._number, self._site = number, scenario.recruiting_sites[number]
        self._positions = np.array([*map(criteria.index, self._site.failure_probability), -1])
        self._clock, self._next_page = np.zeros(count), 0
        self._last_days: IntArray = np.zeros((count, 0), dtype=np.int64)

    def consent_days(self, page: int) -> IntArray:
        """Return the consent days of 16 candidates of every trial, shape (count, 16) [days]; `NEVER` if none comes.

        Gaps are added up in continuous time, in which rests do not exist, and rounded down to a day once. Each page
        goes on where the one before ended. Only the last one is kept: to ask for one before it is to begin again.
        """
        if page < self._next_page - 1:
            self._clock, self._next_page = np.zeros(self.count), 0
        while self._next_page <= page:
            self._last_days = self._following_consent_days(self._next_page)
            self._next_page += 1
        return self._last_days

    def _following_consent_days(self, page: int) -> IntArray:
        arrivals = self._site.arrivals
        if arrivals is None:
            days = np.full(PAGE, NEVER)
            part = self._on_open_days(self._site.consent_days[page * PAGE : (page + 1) * PAGE])
            days[: len(part)] = part
            return np.broadcast_to(days, (self.count, PAGE))
        gap = gap_days(self._site)
        if not arrivals.is_steady:
            times = self._site.intensity.times(self._added_up(page, 1.0) / self._multiplier)
        elif gap is None:
            return np.full((self.count, PAGE), NEVER)
        else:
            times = with_pauses(self._added_up(page, gap), self._site.rests)
        return np.minimum(times, NEVER, out=times).astype(np.int64)

    def _added_up(self, page: int, mean: float) -> FloatArray:
        """Return exponential gaps of a mean, added up from the beginning, for 16 candidates of every trial."""
        times = exponential(self.words(Stream.CANDIDATE, page)[:, :, GAP])
        times *= mean
        times[:, 0] += self._clock
        np.cumsum(times, axis=1, out=times)
        self._clock = times[:, -1].copy()
        return times

    @cached_property
    def _multiplier(self) -> FloatArray:
        """What each trial's rate is multiplied with, shape (count, 1): Gamma with mean 1; no smaller than can be."""
        from scipy.special import gammaincinv

        arrivals = self._site.arrivals
        if arrivals is None or arrivals.rate_cv == 0:
            return np.ones((self.count, 1))
        shape = arrivals.rate_cv**-2
        drawn = gammaincinv(shape, self.draw(Stream.RATE, 0)[:, :1]) / shape
        return np.asarray(np.maximum(drawn, np.finfo(np.float64).tiny))

    def site(self, page: int) -> IntArray:
        """Return the position of the site, shape (count, 16)."""
        return np.full((self.count, PAGE), self._number)

    def criterion(self, page: int) -> IntArray:
        """Return the criterion that 16 candidates fail, as a position among those of all sites; -1 if none.

        Where screening is repeated, everybody fails one in the end: the number that decides the first screening is,
        beyond its failure, uniform again, and so decides all.
        """
        if not self._site.failure_probability:
            return np.full((self.count, PAGE), -1)
        parts = np.cumsum(list(self._site.failure_probability.values()))
        uniform = self.draw(Stream.CANDIDATE, page, SCREENING)
        if is_repeated(self.scenario, self._number):
            passed = self.screenings_passed(page)
            left = (1 - uniform) / (1 - parts[-1]) ** np.minimum(passed, MOST_SCREENINGS)
            uniform = np.where(passed < NEVER, np.clip(1 - left, 0, np.nextafter(parts[-1], 0)), 1.0)
        return self._positions[np.searchsorted(parts, uniform, side="right")]

    def screenings_passed(self, page: int) -> IntArray:
        """Return how many screenings 16 candidates pass before one fails, shape (count, 16); `NEVER` if none does."""
        until = screening_until(self.scenario, self._number)
        passed = np.searchsorted(until, self.draw(Stream.CANDIDATE, page, SCREENING), side="right")
        return np.where(passed < len(until), passed, NEVER)

    def fails_screening(self, page: int) -> BoolArray:
        """Return whether 16 candidates fail screening, shape (count, 16): whether `criterion` names one."""
        if not self._site.failure_probability:
            return np.zeros((self.count, PAGE), dtype=np.bool_)
        parts = np.cumsum(list(self._site.failure_probability.values()))
        return np.asarray(self.draw(Stream.CANDIDATE, page, SCREENING) < parts[-1])

    def body(self, page: int) -> FloatArray:
        """Return the body surface area of 16 candidates, shape (count, 16) [m2, to 0.001]; NaN if none is given."""
        from scipy.special import ndtr, ndtri

        area = self.scenario.treatment.body_surface_area
        if area is None or area.sd_m2 == 0:
            return np.full((self.count, PAGE), area.mean_m2 if area else math.nan)
        low, high = ((limit - area.mean_m2) / area.sd_m2 for limit in (area.min_m2, area.max_m2))
        u = ndtr(low) + self.draw(Stream.BODY, page) * (ndtr(high) - ndtr(low))
        return np.asarray(np.round(area.mean_m2 + area.sd_m2 * ndtri(u), 3))

    def _on_open_days(self, days: Sequence[int]) -> list[int]:
        """Return days of consent; those on a day that is closed for it are put off to the next one that is not."""
        opens = self._site.open_days.consent
        return [int(opens[day]) if day < len(opens) else day for day in days]


def gap_days(site: RecruitingSite) -> float | None:
    """Return the mean gap between candidates of a site whose rate is steady [days]; ``None`` where it is not, or 0."""
    arrivals = site.arrivals
    if arrivals is None or not arrivals.is_steady or not arrivals.consents_per_month:
        return None
    return DAYS_PER_MONTH / arrivals.consents_per_month


def is_repeated(scenario: Scenario, site: int) -> bool:
    """Return whether at a site a screening that was passed can be followed by one that is not."""
    p = sum(scenario.recruiting_sites[site].failure_probability.values())
    return scenario.screening.valid_days is not None and 0 < p < 1


def screening_until(scenario: Scenario, site: int) -> FloatArray:
    """Return how probable it is to fail one of the screenings up to each, the first of them included.

    One where screening is not repeated, none where nobody fails. There is an end to them: who would pass all of
    `MOST_SCREENINGS` passes any number.

    Parameters
    ----------
    scenario : Scenario
        Screening.
    site : int
        Position of the site among `Scenario.recruiting_sites`.
    """
    parts = np.cumsum(list(scenario.recruiting_sites[site].failure_probability.values()))
    if not len(parts):
        return np.zeros(0)
    until = [float(parts[-1])]
    while is_repeated(scenario, site) and len(until) < MOST_SCREENINGS and until[-1] < 1:
        until.append(until[-1] + (1 - until[-1]) * until[0])
    return np.array(until)


def with_pauses(times: FloatArray, pauses: Sequence[tuple[int, int]]) -> FloatArray:
    """Return calendar times of times that do not count pauses.

    Parameters
    ----------
    times : float array
        Time spent outside pauses since the start date [days].
    pauses : sequence of (int, int)
        First day of each pause and first day after it [days since the start date], merged and in order.
    """
    for first, after in pauses:
        times = times + np.where(times >= first, after - first, 0)
    return times
