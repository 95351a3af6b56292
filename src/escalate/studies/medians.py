"""The difference of two medians in the same trials, with its Monte Carlo error."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..results.estimates import Estimate, quantile
from ..results.tally import count_values
from ..words.records import BoolArray
from .measures import Measure

Days = NDArray[np.int32]

MEDIAN = Measure("median duration", None, "days")
"""Days by which half of the trials have ended."""

ROUNDING = 2 / 12
"""Variance of what rounding to whole days adds to a difference [days²]."""

_Z = 1.959963984540054


def median(days: Days) -> Estimate:
    """Return the median of days, with its interval by rank."""
    return quantile("", MEDIAN.name, count_values(days.astype(np.int64)), 0.5)


def difference_of_medians(first: Days, other: Days) -> Estimate:
    """Return by how much the median of other days is later, in the same trials.

    The two medians have their own standard errors s and t, of their intervals by rank, and are correlated as the two
    events are that a trial ends by the median of its own: the variance of the difference is s² + t² - 2 r s t, by
    Bahadur's representation of a quantile. Medians are whole days, so that an error is never below that of rounding two
    of them, the square root of 1/12 + 1/12 days.

    Parameters
    ----------
    first, other : int array, shape (n,)
        Days of the same trials.

    References
    ----------
    Bahadur RR. Ann Math Stat 1966;37:577-580, doi:10.1214/aoms/1177699450.
    """
    one, two = median(first), median(other)
    change = other.astype(np.int64) - first.astype(np.int64)
    se = None
    if change.min() != change.max() and one.mc_se is not None and two.mc_se is not None:
        r = _correlation(first <= one.estimate, other <= two.estimate)
        square = one.mc_se**2 + two.mc_se**2 - 2 * r * one.mc_se * two.mc_se
        se = math.sqrt(max(square, ROUNDING))
    centre = two.estimate - one.estimate
    ends = (None, None) if se is None else (centre - _Z * se, centre + _Z * se)
    return Estimate(
        group="", measure=MEDIAN.name, level=None, estimate=centre, mc_se=se, low=ends[0], high=ends[1], unit="days",
        trials=len(change),
    )  # fmt: skip


def _correlation(first: BoolArray, other: BoolArray) -> float:
    """Return the correlation of two events; 0 where one of them always happens."""
    p, q, both = float(first.mean()), float(other.mean()), float((first & other).mean())
    spread = math.sqrt(p * (1 - p) * q * (1 - q))
    return (both - p * q) / spread if spread else 0.0
