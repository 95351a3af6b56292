"""How many candidates are expected by each time, where the rate changes: the intensity of a Poisson process."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .nature import DAYS_PER_MONTH

Times = NDArray[np.float64]


class Intensity:
    """The rate at which candidates consent, piece by piece: constant, or rising in a straight line.

    Parameters
    ----------
    per_month : float
        Consents a month until the first change.
    changes : sequence of (int, float)
        Day of each change [days since the start date], ascending, and consents a month from then on.
    opens_day : int
        Day on which the site opens [days since the start date].
    ramp_up_days : int
        Days from there on over which the rate grows from 0 to all of it [days].
    rests : sequence of (int, int)
        First day of each time without consents, and first day after it; merged and in order.
    """

    def __init__(
        self,
        per_month: float,
        changes: Sequence[tuple[int, float]],
        opens_day: int,
        ramp_up_days: int,
        rests: Sequence[tuple[int, int]],
    ) -> None:
        full_from = opens_day + ramp_up_days
        days = [day for day, _ in changes]
        bounds = {0, opens_day, full_from, *days, *(day for span in rests for day in span)}
        starts = np.array(sorted(day for day in bounds if day >= 0), dtype=np.float64)
        values = np.array([per_month, *(rate for _, rate in changes)])
        full = values[np.searchsorted(days, starts, side="right")] / DAYS_PER_MONTH
        full[(starts < opens_day) | _inside(starts, rests)] = 0.0
        grows = starts < full_from
        self._starts, self._lasts = starts, np.append(np.nextafter(starts[1:], -np.inf), np.inf)
        self._slope = np.where(grows, full / max(ramp_up_days, 1), 0.0)
        self._rate = np.where(grows, self._slope * (starts - opens_day), full)
        long = np.diff(starts)
        self._before = np.append(0.0, np.cumsum(long * (self._rate[:-1] + self._slope[:-1] * long / 2)))

    def expected(self, until: float) -> float:
        """Return how many are expected to consent before a time, at least 0 [days since the start date]."""
        piece = int(np.searchsorted(self._starts, until, side="right")) - 1
        since = until - self._starts[piece]
        return float(self._before[piece] + since * (self._rate[piece] + self._slope[piece] * since / 2))

    def times(self, expected: Times) -> Times:
        """Return by when so many are expected, each at least 0 [days since the start date]; infinite if never.

        It is the inverse of `expected`. Where a number is reached as a rest begins, the time is its end: nobody
        consents in it.
        """
        piece = np.searchsorted(self._before, expected, side="right") - 1
        rate, slope, more = self._rate[piece], self._slope[piece], expected - self._before[piece]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            since = 2 * more / (rate + np.sqrt(rate * rate + 2 * slope * more))  # a root that loses no digits
        since = np.where((rate == 0) & (slope == 0), np.inf, np.nan_to_num(since, nan=0.0, posinf=np.inf))
        return np.asarray(np.minimum(self._starts[piece] + since, self._lasts[piece]))


def _inside(days: Times, spans: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """Return which days lie inside any of some spans."""
    found = np.zeros(len(days), dtype=np.bool_)
    for first, after in spans:
        found |= (days >= first) & (days < after)
    return found
