"""A rule written as a list of rows, of which the first that holds decides: as a protocol writes it, for any batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..words.records import Action, BoolArray, Decisions, IntArray

Row = tuple[BoolArray, Action, IntArray | int, IntArray | int, str]
"""Condition, action, level, patients wanted, reason: arrays of the batch's shape, or one number for all of it."""


def first_match(rows: Sequence[Row], open_levels: IntArray) -> Decisions:
    """Return, for each data cut, the decision of the first row whose condition holds; the last row is for all others.

    Parameters
    ----------
    rows : sequence of Row
        What decides, in order.
    open_levels : int array, shape (...)
        How many levels, from the lowest up, are open after the decisions.
    """
    first = np.full(open_levels.shape, len(rows) - 1, dtype=np.int8)
    for number in reversed(range(len(rows) - 1)):
        np.copyto(first, number, where=rows[number][0])
    which = first.astype(np.intp)
    reasons = tuple(dict.fromkeys(row[4] for row in rows))
    return Decisions(
        action=_column(which, [int(row[1]) for row in rows]),
        level=_column(which, [row[2] for row in rows]),
        patients=_column(which, [row[3] for row in rows]),
        reason=_column(which, [reasons.index(row[4]) for row in rows]),
        open_levels=open_levels,
        reasons=reasons,
    )


def _column(which: NDArray[np.intp], values: Sequence[IntArray | int]) -> IntArray:
    """Return the value of each data cut's row; plain numbers are looked up, which takes a tenth of the time."""
    if all(isinstance(value, int) for value in values):
        return np.asarray(np.array(values)[which])
    return np.asarray(np.choose(which, [np.asarray(value) for value in values]))
