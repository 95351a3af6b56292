"""Skeletons of the continual reassessment method: first guesses of P(DLT) at each level.

References
----------
Lee SM, Cheung YK. Clin Trials 2009;6:227-238, doi:10.1177/1740774509105076 (the function `getprior` of dfcrm).
"""

from __future__ import annotations

import itertools
import math
from typing import Literal

from ..words.asked import asks

Model = Literal["empiric", "logistic"]


@asks()
def getprior(
    halfwidth: float, target: float, mtd_level: int, levels: int, model: Model = "empiric", intercept: float = 3.0
) -> list[float]:
    """Return the skeleton for which the method cannot tell doses apart whose P(DLT) is near the target.

    Parameters
    ----------
    halfwidth : float
        Half the width of the indifference interval around the target, in (0, min(target, 1 - target)).
    target : float
        Target DLT probability, in (0, 1).
    mtd_level : int
        Prior guess of the level of the maximum tolerated dose, from 1; its P(DLT) is the target.
    levels : int
        Number of dose levels.
    model : {"empiric", "logistic"}
        Dose-toxicity curve: see `escalate.rules.crm`.
    intercept : float
        Intercept of the logistic model.

    Returns
    -------
    list of float
        P(DLT) at each level, increasing.

    Raises
    ------
    ValueError
        If a parameter is outside its range, or the skeleton would run to 0 or 1.
    """
    if not 0 < target - halfwidth < target < target + halfwidth < 1:
        raise ValueError(f"0 < target - halfwidth < target + halfwidth < 1 is needed, got {target:g} and {halfwidth:g}")
    if not 1 <= mtd_level <= levels:
        raise ValueError(f"mtd_level must be 1 to {levels}, got {mtd_level}")

    # On this scale the curve is exp(a) times the dose, so that the ends of the interval are a constant ratio apart.
    def scale(p: float) -> float:
        return math.log(p) if model == "empiric" else math.log(p / (1 - p)) - intercept

    def probability(x: float) -> float:
        return math.exp(x) if model == "empiric" else 1 / (1 + math.exp(-intercept - x))

    step = scale(target - halfwidth) / scale(target + halfwidth)
    middle = scale(target)
    found = [probability(middle * step ** (mtd_level - level)) for level in range(1, levels + 1)]
    if not all(0 < p < 1 for p in found) or any(b <= a for a, b in itertools.pairwise(found)):
        raise ValueError(
            f"the skeleton computed for {levels} levels runs to 0 or 1, or two levels are the same: "
            "take a smaller halfwidth, or give the skeleton"
        )
    return found
