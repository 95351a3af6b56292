"""What becomes of the products that are made of a patient's own cells."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..scenario.resources import Autologous
from ..words.records import FloatArray, IntArray
from .streams import PAGE, Draws, Stream

READY, FAILED, OUT_OF_SPECIFICATION = "product ready", "manufacture failed", "out of specification"
"""What an attempt comes to, as events call it."""


def attempts(own: Autologous, uniform: float) -> Iterator[str]:
    """Yield what the attempts to make a patient's product come to, up to the first success or the last attempt.

    One number decides all of them: what it says beyond one attempt's failure is uniform again.

    Parameters
    ----------
    own : Autologous
        How often an attempt fails, and how many there are.
    uniform : float
        In [0, 1).
    """
    fails = own.failure_probability + own.out_of_specification_probability
    for _ in range(own.most_attempts):
        if uniform >= fails:
            yield READY
            return
        yield FAILED if uniform < own.failure_probability else OUT_OF_SPECIFICATION
        uniform /= fails


class ProductDraws(Draws):
    """What is drawn about the products of candidates; parameters as `Draws`."""

    def product_uniforms(self, page: int) -> FloatArray:
        """Return what decides the attempts at the product of each of 16 candidates, shape (count, 16), in [0, 1).

        0 where no product is made of their own cells.
        """
        if self.scenario.autologous is None:
            return np.zeros((self.count, PAGE))
        return self.draw(Stream.PRODUCT, page)

    def failed_attempts(self, page: int) -> IntArray:
        """Return how many attempts of 16 candidates come to nothing before one succeeds, shape (count, 16).

        As many as there are attempts for those who get no product.
        """
        own = self.scenario.autologous
        if own is None:
            return np.zeros((self.count, PAGE), dtype=np.int64)
        fails = own.failure_probability + own.out_of_specification_probability
        uniform = self.product_uniforms(page)
        failed, failing = np.zeros(uniform.shape, dtype=np.int64), np.ones(uniform.shape, dtype=np.bool_)
        for _ in range(own.most_attempts if fails else 0):
            failing &= uniform < fails
            failed += failing
            uniform = uniform / fails
        return failed
