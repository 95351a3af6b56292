"""A rule written as a list of rows, of which the first that holds decides: as a protocol writes it, for any batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..records import Action, BoolArray, Decisions, IntArray

Row = tuple[BoolArray, Action, IntArray | int, IntArray | int, str]
"""Condition, action, level, patients wanted, reason: arrays of the batch's shape, or one number for all of it."""


def first_match(rows: Sequence[Row], shape: tuple[int, ...]) -> Decisions:
    """Return, for each data cut, the decision of the first row whose condition holds; the last row is for all others.

    Parameters
    ----------
    rows : sequence of Row
        What decides, in order.
    shape : tuple of int
        Shape of the batch.
    """
    which = np.full(shape, len(rows) - 1, dtype=np.int8)
    for number in reversed(range(len(rows) - 1)):
        np.copyto(which, number, where=rows[number][0])
    reasons = tuple(dict.fromkeys(row[4] for row in rows))
    return Decisions(
        action=np.array([int(row[1]) for row in rows])[which],
        level=_column(which, [row[2] for row in rows]),
        patients=_column(which, [row[3] for row in rows]),
        reason=np.array([reasons.index(row[4]) for row in rows])[which],
        reasons=reasons,
    )


def _column(which: NDArray[np.int8], values: Sequence[IntArray | int]) -> IntArray:
    """Return the value of each data cut's row."""
    found: IntArray = np.array([value if isinstance(value, int) else 0 for value in values])[which]
    found = np.asarray(found)
    for value in {id(value): value for value in values if not isinstance(value, int)}.values():
        numbers = [number for number, other in enumerate(values) if other is value]
        for number in numbers:
            np.copyto(found, value, where=which == number)
    return found
