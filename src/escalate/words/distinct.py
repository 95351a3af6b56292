"""The distinct rows of a table: what is decided once for every data cut, and not for every trial."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", np.int64, np.float64)

_MULTIPLIERS = np.random.Generator(np.random.Philox(20240830)).integers(1, 2**62, 1024) * 2 + 1


def distinct(rows: NDArray[Number]) -> tuple[NDArray[Number], NDArray[np.intp]]:
    """Return the distinct rows of a table, and for each of its rows which of them it is.

    Rows are sorted by a hash, which takes a tenth of the time of sorting the rows themselves; if two different rows
    ever have the same hash, the rows are sorted after all.

    Parameters
    ----------
    rows : array, shape (B, W)
        Whole numbers or floats.

    Returns
    -------
    rows : array, shape (U, W)
        Each distinct row once.
    position : int array, shape (B,)
        ``rows[position]`` is the table.
    """
    width = rows.shape[1]
    if len(rows) <= 1 or width == 0:
        return rows[:1], np.zeros(len(rows), dtype=np.intp)
    if width > len(_MULTIPLIERS):
        return _sorted(rows)
    plain = np.ascontiguousarray(rows) + 0  # no negative zeros
    words = plain.view(np.int64)
    words = words ^ (words >> 29)
    key = (words * _MULTIPLIERS[:width]).sum(axis=1)
    _, first, position = np.unique(key, return_index=True, return_inverse=True)
    found = plain[first]
    return (found, position.ravel()) if np.array_equal(found[position.ravel()], plain) else _sorted(rows)


def _sorted(rows: NDArray[Number]) -> tuple[NDArray[Number], NDArray[np.intp]]:
    found, position = np.unique(rows, axis=0, return_inverse=True)
    return found, position.ravel()
