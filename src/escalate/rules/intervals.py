"""mTPI, mTPI-2, Keyboard and i3+3: rules that compare the DLT rate with an interval around the target.

mTPI gives each of three intervals (below, around, above the target) its unit probability mass: posterior probability
over width, with a uniform prior; the largest decides. mTPI-2 cuts all of [0, 1] into keys as wide as the interval
around the target, the ones at the edges shorter, and goes in the direction of the key with the largest unit
probability mass. Keyboard is the same with the short keys at the edges left out. i3+3 compares the DLT rate itself
with the interval; above it, it stays if one DLT less would fall below.

The dose recommended in the end rests on smoothed DLT rates with a prior of its own, Beta(`selection_prior`,
`selection_prior`), whatever the moves rest on. Keyboard, mTPI-2 and i3+3 have 0.05, as in the programs that were
published with them: `select.mtd.kb` of the R package Keyboard, and `select_mtd` of the R package FIND, which serves
mTPI-2 and i3+3. mTPI has 0.005, as in its authors' own R program (M. D. Anderson Cancer Center, 2009); the smaller
prior gives a level without a DLT more weight.

References
----------
Ji Y and others. Clin Trials 2010;7:653-663, doi:10.1177/1740774510382799 (mTPI).
Guo W and others. Contemp Clin Trials 2017;58:23-33, doi:10.1016/j.cct.2017.04.006 (mTPI-2).
Yan F, Mandrekar SJ, Yuan Y. Clin Cancer Res 2017;23:3994-4003, doi:10.1158/1078-0432.CCR-17-0220 (Keyboard).
Liu M, Wang SJ, Ji Y. J Biopharm Stat 2020;30:294-304, doi:10.1080/10543406.2019.1636811 (i3+3).
"""

from __future__ import annotations

import numpy as np

from ..scenario.rules import I3Plus3, IntervalOptions, Keyboard, Mtpi, Mtpi2
from ..words.records import FloatArray, IntArray
from .base import TOLERANCE
from .counts import IntervalRule, Moves


def mtpi(options: Mtpi) -> IntervalRule:
    """Return the rule mTPI with its options; of equal masses the higher interval decides, as in escalation (R)."""
    edges = np.array([0.0, options.lower, options.upper, 1.0])
    return _by_strongest_key(options, edges, np.array([1, 0, -1]), ties_to_highest=True)


def mtpi2(options: Mtpi2) -> IntervalRule:
    """Return the rule mTPI-2 with its options; of equal masses the lowest key decides."""
    edges = keys(options.lower, options.upper)
    return _by_strongest_key(options, edges, _directions(edges, options), ties_to_highest=False)


def keyboard(options: Keyboard) -> IntervalRule:
    """Return the rule Keyboard with its options; of equal masses the highest key decides."""
    edges = keys(options.lower, options.upper)
    if options.partial_keys == "drop":
        width = options.upper - options.lower
        first = int(edges[1] - edges[0] < width - TOLERANCE)
        last = len(edges) - int(edges[-1] - edges[-2] < width - TOLERANCE)
        edges = edges[first:last]
    return _by_strongest_key(options, edges, _directions(edges, options), ties_to_highest=True)


def i3plus3(options: I3Plus3) -> IntervalRule:
    """Return the rule i3+3 with its options."""

    def moves(n: IntArray, y: IntArray) -> IntArray:
        rate, one_less = y / n, (y - 1) / n
        below, above = rate < options.lower - TOLERANCE, rate > options.upper + TOLERANCE
        return np.select([below, ~above, one_less < options.lower - TOLERANCE], [1, 0, 0], -1)

    return _rule(options, moves)


def keys(lower: float, upper: float) -> FloatArray:
    """Return the edges of the keys: [0, 1] cut outward from the interval [lower, upper] in steps of its width."""
    width = upper - lower
    below = [lower - width * k for k in range(int(lower / width + TOLERANCE), 0, -1)]
    above = [upper + width * k for k in range(1, int((1 - upper) / width + TOLERANCE) + 1)]
    inner = [edge for edge in (*below, lower, upper, *above) if TOLERANCE < edge < 1 - TOLERANCE]
    return np.array([0.0, *inner, 1.0])


def _directions(edges: FloatArray, options: IntervalOptions) -> IntArray:
    """Return where each key points: up below the interval, down above it."""
    middle = (edges[:-1] + edges[1:]) / 2
    return np.select([middle < options.lower, middle > options.upper], [1, -1], 0)


def _by_strongest_key(
    options: IntervalOptions, edges: FloatArray, directions: IntArray, ties_to_highest: bool
) -> IntervalRule:
    def moves(n: IntArray, y: IntArray) -> IntArray:
        from scipy.special import betainc

        reached = betainc((1 + y)[..., np.newaxis], (1 + n - y)[..., np.newaxis], edges)
        mass = np.diff(reached, axis=-1) / np.diff(edges)
        strongest = mass >= mass.max(axis=-1, keepdims=True) * (1 - TOLERANCE)
        if ties_to_highest:
            strongest = np.flip(strongest, axis=-1)
        found = np.argmax(strongest, axis=-1)
        return np.asarray(directions[len(directions) - 1 - found if ties_to_highest else found])

    return _rule(options, moves)


def _rule(options: IntervalOptions, moves: Moves) -> IntervalRule:
    return IntervalRule(
        name=options.name,
        target=options.target,
        moves=moves,
        cutoff=options.elimination_cutoff,
        eliminate_from=options.eliminate_from,
        prior=options.selection_prior,
        compared={"target interval from": options.lower, "target interval to": options.upper},
    )
