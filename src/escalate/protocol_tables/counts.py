"""The decision table of a rule: what follows from n evaluable patients and y DLTs at a dose.

The rule itself is asked, about a level in the middle of three: the one below has been tolerated, the one above is
untried. A cell that leads down is "never this level again" if from the level below, whatever number of patients
without a DLT it has, the rule would neither give the level nor recommend it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..rules import Rule
from ..words.data_cut import DataCut
from ..words.records import NO_LEVEL, Action, BoolArray, FloatArray, IntArray
from .layout import (
    DE_ESCALATE,
    ESCALATE,
    LETTERS,
    STAY,
    STOP_ABOVE,
    STOP_BELOW,
    STOP_HERE,
    STOP_NO_DOSE,
    SUSPEND,
    TOO_TOXIC,
    OfScenario,
    csv_text,
    html_table,
    key,
    markdown,
)

CLEAN = 6
"""Evaluable patients without a DLT at the level below."""

BELOW, MIDDLE, ABOVE = range(3)
"""The levels of the trial that a rule is asked about."""

MOVES = {Action.ESCALATE: ESCALATE, Action.STAY: STAY, Action.DE_ESCALATE: DE_ESCALATE, Action.SUSPEND: SUSPEND}
RECOMMENDED = {MIDDLE: STOP_HERE, BELOW: STOP_BELOW, ABOVE: STOP_ABOVE, NO_LEVEL: STOP_NO_DOSE}


@dataclass(frozen=True, slots=True, kw_only=True)
class CountTable(OfScenario):
    """What a rule does with each count at one level.

    Parameters
    ----------
    rule : str
        The rule with its options, in words.
    patients : tuple of int
        Numbers of evaluable patients: the columns.
    letters : dict of (int, int) to str
        By evaluable patients and DLTs, one of `escalate.protocol_tables.LETTERS`.
    """

    rule: str
    patients: tuple[int, ...]
    letters: dict[tuple[int, int], str]

    def rows(self) -> list[tuple[int, list[str]]]:
        """Return, for each number of DLTs, the letters over the columns; empty where DLTs outnumber patients."""
        most = max(self.patients)
        return [(y, [self.letters.get((n, y), "") for n in self.patients]) for y in range(most + 1)]

    def _plain(self) -> tuple[list[str], list[list[str]]]:
        return ["DLTs", *map(str, self.patients)], [[str(y), *letters] for y, letters in self.rows()]

    def to_text(self) -> str:
        """Return the table as text for a terminal, with the meaning of its letters."""
        heads, rows = self._plain()
        body = [f"{cells[0]:>6}" + "".join(f"{letter:>4}" for letter in cells[1:]) for cells in (heads, *rows)]
        title = f"Decision table of {self.rule}: DLTs among evaluable patients at the current level"
        return "\n".join([title, "", *body, "", *key(sorted(set(self.letters.values())))])

    def to_csv(self) -> str:
        """Return the table as CSV: one line for each number of patients and DLTs; `rule.file` reads it back."""
        rows = [(n, y, letter, LETTERS[letter]) for (n, y), letter in self.letters.items()]
        return csv_text(("evaluable", "dlts", "decision", "meaning"), rows)

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        return markdown(*self._plain())

    def to_html(self) -> str:
        """Return the table as an HTML fragment; each cell has the decision's letter as its class."""
        heads, rows = self._plain()
        return html_table(self.rule, heads, rows, [row[1:] for row in rows])

    def _repr_html_(self) -> str:
        return self.to_html()


def count_table(rule: Rule, patients: Sequence[int], *, most: int = CLEAN, words: str | None = None) -> CountTable:
    """Ask a rule about every number of DLTs among some numbers of patients at one level.

    Parameters
    ----------
    rule : Rule
        Any rule that decides on counts.
    patients : sequence of int
        Numbers of evaluable patients, from 1.
    most : int
        Evaluable patients that a level can come to, if that is more than the table has.
    words : str, optional
        The rule with its options in words; its name where it is not given.
    """
    cells = [(n, y) for n in patients for y in range(n + 1)]
    n, y = (np.array(part) for part in zip(*cells, strict=True))
    letters = letters_of(rule, n, y, np.zeros_like(n), np.zeros(len(n)), most=max(most, *patients))
    return CountTable(rule=words or rule.name, patients=tuple(patients), letters=dict(zip(cells, letters, strict=True)))


def letters_of(
    rule: Rule, n: IntArray, y: IntArray, pending: IntArray, followup: FloatArray, *, most: int = CLEAN
) -> list[str]:
    """Return a rule's letter for each of some counts at a level in the middle.

    Parameters
    ----------
    rule : Rule
        Any rule that decides on counts.
    n, y, pending : int arrays, shape (B,)
        Evaluable patients, DLTs, and patients pending at the level.
    followup : float array, shape (B,)
        Shares of the window seen by the pending, added up.
    most : int
        Evaluable patients that the level below can come to.
    """
    decided = rule.decide(_cut(MIDDLE, CLEAN, n, y, pending, followup))
    letters = list(map(_letter, decided.action.tolist(), decided.level.tolist()))
    down = np.flatnonzero([letter in (DE_ESCALATE, STOP_BELOW) for letter in letters])
    # At best nobody who is pending has a DLT.
    again = _comes_back(rule, n[down] + pending[down], y[down], most)
    for position in down[~again].tolist():
        letters[position] = TOO_TOXIC
    return letters


def _letter(action: int, level: int) -> str:
    """Return the letter of an answer by itself."""
    if action == Action.STOP:
        return RECOMMENDED[level]
    return DE_ESCALATE if level < MIDDLE else MOVES[Action(action)]  # suspending at the level below is down, too


def _comes_back(rule: Rule, n: IntArray, y: IntArray, most: int) -> BoolArray:
    """Return whether the rule gives or recommends the level again, for any clean number below, shape (B,)."""
    clean, n, y = np.broadcast_arrays(np.arange(1, most + 1)[:, np.newaxis], n, y)
    nobody = np.zeros_like(n)
    decided = rule.decide(_cut(BELOW, clean, n, y, nobody, nobody.astype(float)))
    return np.asarray((decided.level >= MIDDLE).any(axis=0))


def _cut(
    level: int, clean: int | IntArray, n: IntArray, y: IntArray, pending: IntArray, followup: FloatArray
) -> DataCut:
    """Return data cuts of three levels: so many patients without a DLT below, counts in the middle, nobody above."""
    zero = np.zeros_like(n)
    return DataCut.of(
        np.full_like(n, level),
        np.stack([np.full_like(n, clean), n, zero], axis=-1),
        np.stack([zero, y, zero], axis=-1),
        np.stack([zero, pending, zero], axis=-1),
        np.stack([zero, followup, zero], axis=-1),
    )
