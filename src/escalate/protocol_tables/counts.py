"""The decision table of a rule: what follows from n evaluable patients and y DLTs at a dose.

The rule itself is asked, about a level in the middle: the one below has been tolerated, the one above is untried. A
cell is "too toxic" if the rule would never give the level again, however clean the level below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..data_cut import DataCut
from ..records import Action, FloatArray, IntArray
from ..rules import Rule
from .layout import CODES, DE_ESCALATE, LETTERS, TOO_TOXIC, csv_text, html_table, key, markdown

CLEAN = 6
"""Evaluable patients without a DLT at the level below: enough for any rule to want to go up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountTable:
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


def count_table(rule: Rule, patients: Sequence[int], *, words: str | None = None) -> CountTable:
    """Ask a rule about every number of DLTs among some numbers of patients at one level.

    Parameters
    ----------
    rule : Rule
        Any rule that decides on counts.
    patients : sequence of int
        Numbers of evaluable patients, from 1.
    words : str, optional
        The rule with its options in words; its name where it is not given.
    """
    cells = [(n, y) for n in patients for y in range(n + 1)]
    n, y = (np.array(part) for part in zip(*cells, strict=True))
    letters = letters_of(rule, n, y, np.zeros_like(n), np.zeros(len(n)))
    return CountTable(rule=words or rule.name, patients=tuple(patients), letters=dict(zip(cells, letters, strict=True)))


def letters_of(rule: Rule, n: IntArray, y: IntArray, pending: IntArray, followup: FloatArray) -> list[str]:
    """Return a rule's letter for each of some counts at a level in the middle."""
    zero, clean = np.zeros_like(n), np.full_like(n, CLEAN)
    parts = (
        np.stack([clean, n, zero], axis=1),
        np.stack([zero, y, zero], axis=1),
        np.stack([zero, pending, zero], axis=1),
        np.stack([zero, followup, zero], axis=1),
    )
    here = rule.decide(DataCut.of(np.ones_like(n), *parts))
    below = rule.decide(DataCut.of(zero, *parts))
    letters = []
    for action, level, again in zip(here.action.tolist(), here.level.tolist(), below.action.tolist(), strict=True):
        # Suspending at the level below is on the way down, too.
        letter = DE_ESCALATE if level < 1 else CODES[action]
        letters.append(TOO_TOXIC if letter == DE_ESCALATE and again != Action.ESCALATE else letter)
    return letters
