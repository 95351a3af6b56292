"""How chance is said: an estimate with its Monte Carlo error or its interval, in one spelling for every output.

Digits follow the error: two where it begins with 100 to 354, one up to 949, as the Particle Data Group rounds. Where
few trials tell an estimate's error (see `FEW`), its interval stands in place of the error: ``0.03% [0.006, 0.09]``.
Ends of intervals are rounded outward, so that what is printed is never more certain than what was computed.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Protocol

from ..words.asked import asks

CONFIDENCE = 0.95
"""Coverage of the Monte Carlo intervals."""

FEW = 10
"""With fewer trials in which something happened, or fewer in which it did not, a standard error says too little."""

HOW_SAID = (
    "± is the Monte Carlo standard error: the error of simulating, not of the\n"
    "assumptions. [ , ] is a 95% interval: Clopper-Pearson's, where fewer than\n"
    f"{FEW} trials came to something, or all but so few; of medians, by rank."
)
"""What `±` and brackets mean, for the heads of summaries."""

_IN_ALL = re.compile(r"\d( days)? in all\b")


class Said(Protocol):
    """What is said of an estimate: see `escalate.results.estimates.ESTIMATES` for the fields."""

    @property
    def estimate(self) -> float: ...  # noqa: D102
    @property
    def mc_se(self) -> float | None: ...  # noqa: D102
    @property
    def low(self) -> float | None: ...  # noqa: D102
    @property
    def high(self) -> float | None: ...  # noqa: D102
    @property
    def unit(self) -> str: ...  # noqa: D102
    @property
    def trials(self) -> int: ...  # noqa: D102


class SaidExactly(Protocol):
    """What is said of an exact value beside an estimate."""

    @property
    def trials(self) -> int: ...  # noqa: D102
    @property
    def exact(self) -> float | None: ...  # noqa: D102


@asks()
def binomial_interval(k: float, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the exact (Clopper-Pearson) interval of a probability after k of n.

    Parameters
    ----------
    k : float
        How often it happened, from 0 to n: patients with a DLT, or trials that came to something.
    n : int
        Of how many, at least 1.
    confidence : float
        Coverage, above 0 and below 1; 0.95 where it is not given.

    Returns
    -------
    tuple of two floats
        Lower and upper end.

    References
    ----------
    Clopper CJ, Pearson ES. Biometrika 1934;26:404-413, doi:10.1093/biomet/26.4.404.
    """
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = float(betaincinv(k, n - k + 1, tail)) if k > 0 else 0.0
    high = float(betaincinv(k + 1, n - k, 1 - tail)) if k < n else 1.0
    return low, high


def in_all_means(text: str, trials: int) -> str:
    """Return what ``in all`` means and does not, if a text says it; nothing otherwise."""
    if not _IN_ALL.search(text):
        return ""
    return (
        "in all: the same in all trials that have it, which tells nothing of the spread:\n"
        f"after none of {trials:,}, another value can still come in {up_to(trials)} of trials\n(95% interval)."
    )


def up_to(trials: int) -> str:
    """Return how often something can happen that happened in none of so many trials, in words."""
    most = 100 * binomial_interval(0, trials)[1]
    return f"up to {_end(most, decimals_of(most / 4), ROUND_CEILING)}%"


def few_tell(*counts: int) -> bool:
    """Return whether fewer than `FEW` trials differ from the rest; counts are of trials, for each thing that can be."""
    return sum(counts) - max(counts) < FEW


def in_percent(said: Said) -> str:
    """Return a probability in words: ``87.3% ± 0.3``, or ``100% [83, 100]`` where few trials tell its error."""
    happened = round(said.estimate * said.trials)
    return _words(said, few_tell(happened, said.trials - happened), percent="%")


def exact_in_percent(said: SaidExactly) -> str:
    """Return the exact value of a probability in words, with two decimals, or as many as its trials tell; or nothing.

    ``0%`` and ``100%`` are said only of what is so.
    """
    q = said.exact
    if q is None:
        return ""
    q = min(max(q, 0.0), 1.0)
    if q in (0, 1):
        return f"{q:.0%}"
    decimals = max(2, decimals_of(100 * math.sqrt(q * (1 - q) / said.trials)))
    if round(100 * q, decimals) == 0:
        return f"{100 * q:.1g}%"
    return f"{100 * q:.{max(decimals, math.ceil(-math.log10(100 * (1 - q)) - 1e-6))}f}%"


def in_units(said: Said, unit: str = "") -> str:
    """Return a mean in words: ``9.31 ± 0.04``, ``6 in all`` where no two trials differ, ``6 ± ?`` of one alone."""
    words, named = _words(said, few=False), f" {unit}" if unit else ""
    return words.replace(" in all", f"{named} in all") if words.endswith(" in all") else words + named


def quantile_in_words(said: Said) -> str:
    """Return a quantile of days in words, with its interval: ``52 [51, 54]``, ``52 ± ?`` where trials are too few."""
    none = said.low is None or said.high is None
    return f"{said.estimate:,.0f} {'± ?' if none else f'[{said.low:,.0f}, {said.high:,.0f}]'}"


def in_words(said: Said) -> str:
    """Return an estimate in words, in percent if it is a probability."""
    return in_percent(said) if said.unit == "probability" else in_units(said)


def value_alone(said: Said) -> str:
    """Return an estimate with the digits that its error allows, where the error is drawn or stands elsewhere."""
    return in_words(said).partition(" ")[0]


def change_in_words(said: Said, nothing: str) -> str:
    """Return a paired difference in words, of a probability in points: ``-1.3 ± 0.3``, ``+0.3 [-0.8, +2.1]``.

    Parameters
    ----------
    said : Said
        The difference.
    nothing : str
        What is said where no trial differs.
    """
    if said.trials > 1 and said.estimate == 0 and said.mc_se is None:
        return nothing
    return _words(said, said.unit == "probability" and few_tell(*plus_minus_same(said)), sign="+")


def tight(words: str) -> str:
    """Return words without spaces and percent signs, for narrow tables whose heads have the unit."""
    return words if words.endswith(" in all") else words.replace(" ", "").replace("%", "")


def plus_minus_same(said: Said) -> tuple[int, int, int]:
    """Return in how many trials a paired difference of probabilities was +1, -1 and 0, from its mean and error."""
    n, total = said.trials, round(said.estimate * said.trials)
    squares = round(n * ((n - 1) * (said.mc_se or 0.0) ** 2 + said.estimate**2))
    return (squares + total) // 2, (squares - total) // 2, n - squares


def _words(said: Said, few: bool, percent: str = "", sign: str = "") -> str:
    scale = 100 if said.unit == "probability" else 1
    value, se, low, high = (None if x is None else scale * x for x in (said.estimate, said.mc_se, said.low, said.high))
    assert value is not None
    if low is not None and high is not None and (few or se is None):
        decimals = decimals_of((high - low) / 4)
        shown = 0 if value in (0, scale) and not sign else decimals
        ends = ", ".join(_end(x, decimals, how, sign) for x, how in ((low, ROUND_FLOOR), (high, ROUND_CEILING)))
        return f"{value:{sign},.{shown}f}{percent} [{ends}]"
    if se is None:
        return f"{value:{sign},.0f}{percent} {'± ?' if said.trials == 1 else 'in all'}"
    decimals = decimals_of(se)
    return f"{value:{sign},.{decimals}f}{percent} ± {se:.{decimals}f}"


def decimals_of(error: float) -> int:
    """Return how many digits after the point an error is worth, at least 0."""
    if error <= 0:
        return 0
    size = math.floor(math.log10(error))
    leading = error / 10.0**size
    return max(0, (0 if 3.55 <= leading < 9.5 else 1) - size - (leading >= 9.5))


def _end(x: float, decimals: int, outward: str, sign: str = "") -> str:
    """Return an end of an interval in percent, rounded outward; 0 or all is said only of an end that is."""
    if x == 0 or abs(x) == 100:
        return f"{x:{sign if x else ''}.0f}"
    while True:
        rounded = Decimal(x).quantize(Decimal(1).scaleb(-decimals), outward)
        if rounded != 0 and abs(rounded) < 100:
            return f"{rounded:{sign}f}"
        decimals += 1
