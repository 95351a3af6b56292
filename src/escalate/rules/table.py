"""A decision table as a rule: for so many evaluable patients and DLTs at the level, the protocol's own letters.

The letters are E (escalate), S (stay), D (de-escalate) and DU (de-escalate, and never this level again); moves
between levels are those of every rule that reads the current level's counts (`escalate.rules.counts`). A table is
refused in which more DLTs make the decision bolder, or more patients with as many DLTs make it more cautious.

A table may say what follows with outcomes pending, by evaluable patients and pending ones, and by whether the level
above is open. It is a rolling rule then, which has two letters more: SUS (suspend: wait for the next outcome) and R
(stop, and recommend this level). `escalate rules "IQ rolling six"` tells how it moves between levels, and is one. In a
CSV file its lines have the columns evaluable, dlts, pending, decision, and, where that matters, above: open, closed, or
empty for both. Each number of patients from 1 to the largest is needed, with each number of them pending. Refused are
also E or D before anybody has an answer, a wait for nobody, and what would give a level to more than the table has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import RuleError
from ..words.data_cut import DataCut
from ..words.records import IntArray
from .counts import CountRule, Tables

MOVES = {"E": 1, "S": 0, "D": -1, "DU": -1}

NO_LINE = 9
"""Code of a move that the table does not say."""


@dataclass(frozen=True, kw_only=True)
class TableOfDecisions(CountRule):
    """Decide by a table.

    Parameters
    ----------
    letters : dict of int to list of str
        For each number of evaluable patients, the letters for 0, 1, 2 ... DLTs.
    """

    letters: dict[int, list[str]]

    def fill(self, size: int) -> Tables:
        """Return what the table says of each n and y below a size."""
        moves, toxic = np.full((size, size), NO_LINE), np.zeros((size, size), dtype=np.bool_)
        for n, row in self.letters.items():
            if n < size:
                moves[n, : n + 1] = [MOVES[letter] for letter in row]
                toxic[n, : n + 1] = [letter == "DU" for letter in row]
        return moves, toxic, toxic

    def move(self, cut: DataCut, n: IntArray, y: IntArray) -> IntArray:
        """Return the move that the table says for n and y at the current level, shape (...).

        Raises
        ------
        RuleError
            If the table has no line for a number of patients.
        """
        moves = super().move(cut, n, y)
        unknown = n[(moves == NO_LINE) & (n > 0)]
        if unknown.size:
            raise RuleError(
                f"the decision table has no line for {unknown.min()} evaluable patients at a level; "
                f"it has lines for {', '.join(map(str, sorted(self.letters)))}"
            )
        return moves
