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
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..words.records import FloatArray

REACH = 8.6
"""How far a grid reaches, in standard deviations of the prior; outside lies 1e-17 of it."""


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
