"""Who comes, and when; who fails screening, and why; how large they are. Indexed by candidate, from 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from ..scenario.checks import DAYS_PER_MONTH
from ..scenario.model import Scenario
from ..scenario.nature import FixedAccrual, Pause, PoissonAccrual
from ..words.records import BoolArray, FloatArray, IntArray
from .products import ProductDraws
from .streams import NEVER, PAGE, Stream, together

_Drawn = tuple[int, int, float, int, float]
"""Day of consent, criterion that fails, body surface area, screenings passed, what decides the product."""

MOST_TOGETHER = 64
"""Pages of candidates that are kept for all trials of a chunk; what lies beyond is drawn for the trial that asks."""


class Candidate(NamedTuple):
    """Somebody who consents.

    Parameters
    ----------
    consent_day : int
        Day of consent, or of coming where screening waits [days since the start date].
    failed_criterion : str or None
        The screening criterion that the candidate does not meet, at the first screening or at a later one.
    body_surface_area_m2 : float or None
        Body surface area [m2]; ``None`` if the scenario gives none.
    screenings_passed : int
        Screenings that the candidate passes before one fails; `NEVER` if none does.
    product_uniform : float
        What decides what becomes of the candidate's own product, in [0, 1); 0 where there is none.
    """

    consent_day: int
    failed_criterion: str | None
    body_surface_area_m2: float | None
    screenings_passed: int = NEVER
    product_uniform: float = 0.0


class CandidateDraws(ProductDraws):
    """What is drawn about candidates; parameters as `Draws`."""

    def __init__(self, scenario: Scenario, seed: int, first: int, count: int) -> None:
        super().__init__(scenario, seed, first, count)
        self.criteria = tuple(scenario.screening.failure_probability)
        self._clock, self._next_page = np.zeros(count), 0
        self._last_days: IntArray = np.zeros((count, 0), dtype=np.int64)
        self._together: list[list[list[_Drawn]]] = []
        self._alone: _Alone | None = None

    def candidate(self, trial: int, number: int) -> Candidate | None:
        """Return candidate `number` (from 0) of a trial (from `first`), or ``None`` if nobody comes any more."""
        page, position = divmod(number, PAGE)
        if page < MOST_TOGETHER:
            while len(self._together) <= page:
                self._together.append(self._people(len(self._together)))
            person = self._together[page][trial - self.first][position]
        else:
            if self._alone is None or self._alone.draws.first != trial:
                self._alone = _Alone(CandidateDraws(self.scenario, self.seed, trial, 1))
            person = self._alone.people(page)[position]
        day, criterion, area, passed, uniform = person
        if day >= NEVER:
            return None
        fails = self.criteria[criterion] if criterion >= 0 else None
        return Candidate(day, fails, None if math.isnan(area) else area, passed, uniform)

    def _people(self, page: int) -> list[list[_Drawn]]:
        """Return what is drawn about 16 candidates, for every trial."""
        no_product = self.scenario.autologous is None
        uniforms = np.zeros((self.count, PAGE)) if no_product else self.product_uniforms(page)
        passed = self.screenings_passed(page)
        return together(self.consent_days(page), self.criterion(page), self.body(page), passed, uniforms)

    def consent_days(self, page: int) -> IntArray:
        """Return the consent days of 16 candidates of every trial, shape (count, 16) [days]; `NEVER` if none comes.

        Gaps are added up in continuous time, in which pauses do not exist, and rounded down to a day once. Each page
        goes on where the one before ended. Only the last one is kept: to ask for one before it is to begin again.
        """
        if page < self._next_page - 1:
            self._clock, self._next_page = np.zeros(self.count), 0
        while self._next_page <= page:
            self._last_days = self._following_consent_days(self._next_page)
            self._next_page += 1
        return self._last_days

    def _following_consent_days(self, page: int) -> IntArray:
        accrual = self.scenario.accrual
        if isinstance(accrual, FixedAccrual):
            days = np.full(PAGE, NEVER)
            part = _on_open_days(self.scenario, accrual.consent_days[page * PAGE : (page + 1) * PAGE])
            days[: len(part)] = part
            return np.broadcast_to(days, (self.count, PAGE))
        if accrual.consents_per_month == 0:
            return np.full((self.count, PAGE), NEVER)
        times = self.draw(Stream.ACCRUAL, page)
        np.log1p(np.negative(times, out=times), out=times)
        times *= -DAYS_PER_MONTH / accrual.consents_per_month
        times[:, 0] += self._clock
        np.cumsum(times, axis=1, out=times)
        self._clock = times[:, -1].copy()
        calendar = with_pauses(times, _pauses(self.scenario, accrual))
        return np.minimum(calendar, NEVER, out=calendar).astype(np.int64)

    def criterion(self, page: int) -> IntArray:
        """Return the criterion that 16 candidates fail, as a position in `criteria`, shape (count, 16); -1 if none.

        Where screening is repeated, everybody fails one in the end: the number that decides the first screening is,
        beyond its failure, uniform again, and so decides all.
        """
        if not self.criteria:
            return np.full((self.count, PAGE), -1)
        parts = np.cumsum(list(self.scenario.screening.failure_probability.values()))
        uniform = self.draw(Stream.SCREENING, page)
        if self._screens_again:
            left = (1 - uniform) / (1 - parts[-1]) ** self.screenings_passed(page)
            uniform = np.clip(1 - left, 0, np.nextafter(parts[-1], 0))
        position = np.searchsorted(parts, uniform, side="right")
        return np.where(position < len(parts), position, -1)

    @property
    def _screens_again(self) -> bool:
        """Whether a screening that was passed can be followed by one that is not."""
        p = sum(self.scenario.screening.failure_probability.values())
        return self.scenario.screening.valid_days is not None and 0 < p < 1

    def screenings_passed(self, page: int) -> IntArray:
        """Return how many screenings 16 candidates pass before one fails, shape (count, 16); `NEVER` if none does."""
        fails = self.fails_screening(page)
        if not self._screens_again:
            return np.where(fails, 0, NEVER)
        p = np.cumsum(list(self.scenario.screening.failure_probability.values()))[-1]
        passed = np.log1p(-self.draw(Stream.SCREENING, page)) / np.log1p(-p)
        return np.where(fails, 0, np.maximum(passed.astype(np.int64), 1))

    def fails_screening(self, page: int) -> BoolArray:
        """Return whether 16 candidates fail screening, shape (count, 16): whether `criterion` names one."""
        if not self.criteria:
            return np.zeros((self.count, PAGE), dtype=np.bool_)
        parts = np.cumsum(list(self.scenario.screening.failure_probability.values()))
        return np.asarray(self.draw(Stream.SCREENING, page) < parts[-1])

    def body(self, page: int) -> FloatArray:
        """Return the body surface area of 16 candidates, shape (count, 16) [m2, to 0.001]; NaN if none is given."""
        from scipy.special import ndtr, ndtri

        area = self.scenario.treatment.body_surface_area
        if area is None or area.sd_m2 == 0:
            return np.full((self.count, PAGE), area.mean_m2 if area else math.nan)
        low, high = ((limit - area.mean_m2) / area.sd_m2 for limit in (area.min_m2, area.max_m2))
        u = ndtr(low) + self.draw(Stream.BODY, page) * (ndtr(high) - ndtr(low))
        return np.asarray(np.round(area.mean_m2 + area.sd_m2 * ndtri(u), 3))


class _Alone:
    """The candidates of one trial, of whom only one page is kept.

    Parameters
    ----------
    draws : CandidateDraws
        What is drawn for this trial alone.
    """

    def __init__(self, draws: CandidateDraws) -> None:
        self.draws, self._page = draws, -1
        self._kept: list[_Drawn] = []

    def people(self, page: int) -> list[_Drawn]:
        """Return what is drawn about 16 candidates."""
        if page != self._page:
            self._page, self._kept = page, self.draws._people(page)[0]
        return self._kept


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


def _on_open_days(scenario: Scenario, days: Sequence[int]) -> list[int]:
    """Return days of consent; those on a day that is closed for it are put off to the next one that is not."""
    opens = scenario.open_days.consent
    return [int(opens[day]) if day < len(opens) else day for day in days]


def _pauses(scenario: Scenario, accrual: PoissonAccrual) -> list[tuple[int, int]]:
    """Return when nobody consents, in days since the start date: pauses and closures, overlapping ones merged."""
    spans = [_span(pause, scenario.trial.start_date) for pause in accrual.pauses] + scenario.open_days.pauses()
    merged: list[tuple[int, int]] = []
    for first, after in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], after))
        elif after > 0:
            merged.append((first, after))
    return merged


def _span(pause: Pause, start: date) -> tuple[int, int]:
    return max((pause.first_day - start).days, 0), (pause.last_day - start).days + 1
