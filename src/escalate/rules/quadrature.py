"""Integrals over a bell-shaped density from its values on a grid of equal steps.

The trapezoidal sum of a smooth function that vanishes at both ends of the grid converges faster than any power of
the step; so does the integral up to any point between the nodes, if the function is read as the band-limited one
through its values. That integral is a weighted sum too, with weights from the sine integral (`below`). Both are
deterministic, and one matrix product serves any number of data sets.

References
----------
Trefethen LN, Weideman JAC. SIAM Rev 2014;56:385-458, doi:10.1137/130932132 (trapezoidal rule).
Stenger F. Numerical Methods Based on Sinc and Analytic Functions, Springer 1993 (indefinite integration).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..words.records import FloatArray

REACH = 8.6
"""How far a grid reaches, in standard deviations of the prior; outside lies 1e-17 of it."""

CLOSE, MOST_STEPS = 1e-12, 60
"""A quantile is found when the probability below it is so close to what was asked, or after so many steps."""


@dataclass(frozen=True)
class Grid:
    """The prior and the curve of a CRM at the nodes of a quadrature.

    Parameters
    ----------
    nodes : float array, shape (G,)
        Values of a, in equal steps.
    log_prior : float array, shape (G,)
        Logarithm of the prior, up to a constant.
    log_curve : float array, shape (2 K, G)
        log p and then log (1 - p) of every level.
    """

    nodes: FloatArray
    log_prior: FloatArray
    log_curve: FloatArray

    @cached_property
    def p(self) -> FloatArray:
        """P(DLT) of every level, shape (K, G)."""
        return np.exp(self.log_curve[: len(self.log_curve) // 2])


def below(points: FloatArray, nodes: FloatArray) -> FloatArray:
    """Return the weights of the integral up to each point.

    Parameters
    ----------
    points : float array, shape (...)
        Upper ends; infinite ones are allowed.
    nodes : float array, shape (G,)
        The grid, in equal steps.

    Returns
    -------
    float array, shape (..., G)
        Weights of the function's values, in units of the step: all 1 for the whole integral.
    """
    from scipy.special import sici

    step = nodes[1] - nodes[0]
    sine, _ = sici(math.pi * (points[..., np.newaxis] - nodes) / step)
    return np.asarray(0.5 + sine / math.pi)


def normalised(log_density: FloatArray) -> FloatArray:
    """Return densities that add up to 1 along the last axis, from logarithms known up to a constant."""
    density = np.exp(log_density - log_density.max(axis=-1, keepdims=True))
    return np.asarray(density / density.sum(axis=-1, keepdims=True))


def quantiles(density: FloatArray, nodes: FloatArray, q: Sequence[float]) -> FloatArray:
    """Return quantiles of each density, shape (B, Q).

    By false position with the Illinois weights between two nodes that a running sum finds; where these do not enclose
    one, between the ends of the grid.

    Parameters
    ----------
    density : float array, shape (B, G)
        Densities at the nodes, each adding up to 1.
    nodes : float array, shape (G,)
        The grid, in equal steps.
    q : sequence of float, length Q
        Each in (0, 1).
    """
    wanted, each = np.array(q), density[:, np.newaxis]

    def missing(points: FloatArray) -> FloatArray:
        return np.asarray((each * below(points, nodes)).sum(axis=-1) - wanted)

    place = (np.cumsum(each, axis=-1) < wanted[:, np.newaxis]).sum(axis=-1)
    low, high = (nodes[np.clip(place + shift, 0, len(nodes) - 1)] for shift in (-2, 2))
    at_low, at_high = missing(low), missing(high)
    lost = (at_low >= 0) | (at_high <= 0)
    low, high = np.where(lost, nodes[0], low), np.where(lost, nodes[-1], high)
    at_low, at_high = np.where(lost, -wanted, at_low), np.where(lost, 1 - wanted, at_high)
    stayed = np.zeros(place.shape)
    for _ in range(MOST_STEPS):
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        found = missing(middle)
        if np.abs(found).max(initial=0.0) < CLOSE:
            return np.asarray(middle)
        rises = found < 0
        # An end that stays for the second time counts half, so that it cannot stay for ever.
        at_low = np.where(rises, found, np.where(stayed < 0, at_low / 2, at_low))
        at_high = np.where(rises, np.where(stayed > 0, at_high / 2, at_high), found)
        low, high, stayed = np.where(rises, middle, low), np.where(rises, high, middle), np.where(rises, 1, -1)
    return np.asarray((low + high) / 2)
