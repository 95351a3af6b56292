"""Pages of something that is drawn, read by number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..words.records import IntArray
from .streams import PAGE


class Shelf:
    """Pages of something that is drawn, side by side: from the first one that may still be asked for on.

    Parameters
    ----------
    draw : callable
        From a page to what is on it, shape (count, 16).
    """

    def __init__(self, draw: Callable[[int], NDArray[Any]]) -> None:
        self._draw, self._first, self._after = draw, 0, 0
        self._sheet: NDArray[Any] | None = None

    def at(self, numbers: IntArray, least: int) -> NDArray[Any]:
        """Return what is drawn about candidates of every trial, by number, shape (count, k).

        No candidate below a number, `least`, is asked for any more; it never falls.
        """
        first, last = least // PAGE, int(numbers.max()) // PAGE
        if first >= self._after:
            self._first = self._after = first
        while self._after <= last:
            self._put(self._draw(self._after), first)
        assert self._sheet is not None
        return np.take_along_axis(self._sheet, numbers - PAGE * self._first, axis=1)

    def _put(self, page: NDArray[Any], first: int) -> None:
        """Put the next page on the sheet; where it is full, on a larger one, without the pages before the first."""
        if self._sheet is None:
            self._sheet = np.empty((len(page), 4 * PAGE), dtype=page.dtype)
        end = PAGE * (self._after - self._first)
        if end == self._sheet.shape[1]:
            kept = self._sheet[:, PAGE * (first - self._first) :]
            self._sheet = np.empty((len(page), 2 * kept.shape[1] + 4 * PAGE), dtype=page.dtype)
            self._sheet[:, : kept.shape[1]] = kept
            self._first, end = first, kept.shape[1]
        self._sheet[:, end : end + PAGE] = page
        self._after += 1
