"""BOIN: the Bayesian optimal interval design.

The DLT rate at the current level is compared with two boundaries that minimise the chance of a wrong move: at or
below the lower one the dose rises, at or above the upper one it falls. A level whose DLT probability exceeds the
target with more than 95% posterior probability, on at least three patients, is eliminated.

References
----------
Liu S, Yuan Y. J R Stat Soc C 2015;64:507-523, doi:10.1111/rssc.12089; correction doi:10.1111/rssc.12541.
Yan F and others. J Stat Softw 2020;94(13), doi:10.18637/jss.v094.i13 (the R package BOIN).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..scenario.rules import Boin, TiteBoin
from ..words.records import IntArray
from .base import TOLERANCE
from .counts import IntervalRule
from .tite_boin import TiteBoinRule


def boundaries(target: float, p_saf: float, p_tox: float) -> tuple[float, float]:
    """Return the DLT rates at or below which the dose rises, and at or above which it falls.

    Parameters
    ----------
    target, p_saf, p_tox : float
        Target DLT probability, the highest one called too low, and the lowest one called too high;
        0 < p_saf < target < p_tox < 1.
    """
    rise = math.log((1 - p_saf) / (1 - target)) / math.log(target * (1 - p_saf) / (p_saf * (1 - target)))
    fall = math.log((1 - target) / (1 - p_tox)) / math.log(p_tox * (1 - target) / (target * (1 - p_tox)))
    return rise, fall


def boin(options: Boin) -> IntervalRule:
    """Return the rule with its options."""
    return IntervalRule(**_shared(options))


def tite_boin(options: TiteBoin) -> TiteBoinRule:
    """Return TITE-BOIN with its options; with nobody pending it is BOIN with the same options."""
    rise, fall = boundaries(options.target, options.lower_probability, options.upper_probability)
    return TiteBoinRule(
        method=options.method,
        rise=rise,
        fall=fall,
        most_pending_share=options.most_pending_share,
        min_completed=options.min_completed,
        **_shared(options),
    )


def _shared(options: Boin) -> dict[str, Any]:
    """Return what BOIN and TITE-BOIN have in common, by the parameters of `IntervalRule`."""
    rise, fall = boundaries(options.target, options.lower_probability, options.upper_probability)

    def moves(n: IntArray, y: IntArray) -> IntArray:
        rate = y / n
        falls = rate > fall + TOLERANCE if options.strict_upper_boundary else rate >= fall - TOLERANCE
        move = np.select([rate <= rise + TOLERANCE, falls], [1, -1], 0)
        return np.where((n == 3) & (y == 1), 0, move) if options.stay_on_1_of_3 else move

    return {
        "name": options.name,
        "target": options.target,
        "moves": moves,
        "cutoff": options.elimination_cutoff,
        "eliminate_from": options.eliminate_from,
        "lowest_cutoff": options.elimination_cutoff - options.offset if options.extrasafe else None,
        "highest_rate": fall if options.bound_mtd else 1.0,
        "compared": {
            "lambda_e: escalate at or below this DLT rate": rise,
            f"lambda_d: de-escalate {'above' if options.strict_upper_boundary else 'at or above'} this DLT rate": fall,
        },
    }
