"""Exponential gaps between candidates, made of words by sums and products alone.

Each of these is rounded in the one way that IEEE 754 allows, so that the gaps are the same to the last bit on every
machine and in every engine; logarithms of libraries differ in it.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np

from ..words.records import FloatArray
from .streams import Words

PIECES = 128
"""Pieces of [1/2, 1), in whose middles the logarithm is known; a power of two."""

HALF = 1022
"""The exponent of numbers in [1/2, 1), as IEEE 754 writes it."""

MIDDLES = (np.arange(PIECES) + PIECES + 0.5) / (2 * PIECES)
"""The middle of each piece, shape (`PIECES`,); exact."""

ONE_BY_MIDDLE = 1 / MIDDLES


def _logarithm(number: float) -> float:
    """Return the logarithm of a number, correctly rounded."""
    with localcontext() as context:
        context.prec = 40
        return float(Decimal(number).ln())


LOG_OF_MIDDLE = np.array([_logarithm(middle) for middle in MIDDLES.tolist()])
LOG_2 = _logarithm(2.0)


def exponential(drawn: Words) -> FloatArray:
    """Return exponential numbers of mean 1 from words: minus the logarithm of a uniform on (0, 1).

    The uniform is the middle of one of 2^52 pieces, told by the upper 52 bits. It is m 2^e with m in [1/2, 1); with c
    the middle of the piece of m, log m = log c + log(1 + r), r = (m - c) / c, and that by its series up to the sixth
    power, since r is below 1/256: what is left out is below 1e-17, and the error below 1e-14.

    Parameters
    ----------
    drawn : uint64 array
        Words, of any shape.

    Returns
    -------
    float array
        Numbers from 0 to 37.
    """
    bits = np.ascontiguousarray((drawn >> np.uint64(12)) + 0.5).view(np.int64)  # 11 of e, then 52 of m
    piece = (bits >> 45) & (PIECES - 1)
    m = ((bits & (2**52 - 1)) | (HALF << 52)).view(np.float64)
    r = (m - MIDDLES[piece]) * ONE_BY_MIDDLE[piece]
    series = r * (1 / 6)
    for power in (5, 4, 3, 2):
        np.multiply(np.subtract(1 / power, series, out=series), r, out=series)
    np.multiply(np.subtract(1.0, series, out=series), r, out=series)
    found = (52 + HALF - (bits >> 52)) * LOG_2
    found -= np.add(LOG_OF_MIDDLE[piece], series, out=series)
    return np.asarray(np.maximum(found, 0.0, out=found))
