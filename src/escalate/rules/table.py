"""A decision table as a rule: for so many evaluable patients and DLTs at the level, the protocol's own letters.

The letters are E (escalate), S (stay), D (de-escalate) and DU (de-escalate, and never this level again); moves
between levels are those of every rule that reads the current level's counts (`escalate.rules.counts`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..errors import RuleError
from ..records import BoolArray, IntArray
from .counts import CountRule

MOVES = {"E": 1, "S": 0, "D": -1, "DU": -1}


def _none(n: IntArray, _: IntArray) -> IntArray:
    return np.zeros_like(n)


@dataclass(frozen=True)
class TableOfDecisions(CountRule):
    """Decide by a table.

    Parameters
    ----------
    letters : dict of int to list of str
        For each number of evaluable patients, the letters for 0, 1, 2 ... DLTs.
    """

    moves: object = field(default=_none, repr=False)  # type: ignore[assignment]
    letters: dict[int, list[str]] = field(default_factory=dict)

    def tables(self, patients: int) -> tuple[IntArray, BoolArray, BoolArray]:
        """Return move, too toxic, and too toxic for the lowest level, as `CountRule.tables` does."""
        size = max(patients, *self.letters) + 1
        if size not in self._tables:
            moves, toxic = np.zeros((size, size), dtype=np.int64), np.zeros((size, size), dtype=np.bool_)
            for n, row in self.letters.items():
                moves[n, : n + 1] = [MOVES[letter] for letter in row]
                toxic[n, : n + 1] = [letter == "DU" for letter in row]
            self._tables[size] = moves, toxic, toxic
        return self._tables[size]

    def move(self, cut: object, n: IntArray, y: IntArray) -> IntArray:
        """Return the move that the table says for n and y at the current level, shape (...).

        Raises
        ------
        RuleError
            If the table has no line for a number of patients.
        """
        unknown = sorted(set(np.unique(n).tolist()) - {0, *self.letters})
        if unknown:
            raise RuleError(
                f"the decision table has no line for {unknown[0]} evaluable patients at a level; "
                f"it has lines for {', '.join(map(str, sorted(self.letters)))}"
            )
        return self.tables(int(n.max(initial=0)))[0][n, y]
