"""The decision table of a rolling rule: what follows with patients pending, and from how much follow-up.

The rule itself is asked, about a level in the middle as for `escalate.protocol_tables.counts`. Where the answer
depends on how far the pending patients are, the cut-offs of their follow-up are found by halving: shares of the DLT
window added up over the pending patients, from 0 (all just infused) to their number (all about to complete).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RuleError
from ..rules import Rule
from ..words.records import FloatArray, IntArray
from .counts import CLEAN, letters_of
from .layout import DE_ESCALATE, ESCALATE, LETTERS, STAY, SUSPEND, OfScenario, csv_text, html_table, key, markdown, text

HALVINGS = 40

CHECKS = 24
"""Every cell is compared with the rule at so many steps of follow-up."""

NEAR = 1e-6
"""So near to a cut-off either side of it may be right [windows]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingCell:
    """What follows from one count with patients pending.

    Parameters
    ----------
    treated, dlts, pending : int
        Patients treated at the level; those with a DLT; those with an open window and none.
    letters : tuple of str
        What the rule says, the boldest first: one of `escalate.protocol_tables.LETTERS`, or several, where the
        follow-up of the pending decides.
    escalate_from : float or None
        Follow-up from which the rule escalates, where that depends on it [windows].
    suspend_from : float or None
        Follow-up from which it would escalate but waits for an outcome first, where that depends on it [windows].
    de_escalate_to : float or None
        Follow-up up to which it de-escalates, where that depends on it [windows].
    """

    treated: int
    dlts: int
    pending: int
    letters: tuple[str, ...]
    escalate_from: float | None = None
    suspend_from: float | None = None
    de_escalate_to: float | None = None

    @property
    def words(self) -> str:
        """The decision with its cut-offs, as a protocol writes it."""
        if len(self.letters) == 1:
            return self.letters[0]
        signs = {letter: f"{sign} {at:.2f}" for letter, (sign, at) in self.cut_offs.items()}
        parts = [f"{letter} if follow-up {sign}" for letter, sign in signs.items()]
        rest = [f"otherwise {letter}" for letter in self.letters if letter not in signs]
        return ", ".join([*parts, *rest])

    @property
    def cut_offs(self) -> dict[str, tuple[str, float]]:
        """The letters that follow-up decides on: the direction of the cut-off, and the cut-off [windows]."""
        found = {
            ESCALATE: (">=", self.escalate_from),
            SUSPEND: (">=", self.suspend_from),
            DE_ESCALATE: ("<=", self.de_escalate_to),
        }
        return {letter: (sign, at) for letter, (sign, at) in found.items() if at is not None}

    def at(self, followup: float) -> str:
        """Return the letter that the cell says for a follow-up of the pending patients [windows]."""
        for letter, (sign, cut_off) in self.cut_offs.items():
            if followup >= cut_off if sign == ">=" else followup <= cut_off:
                return letter
        return next((letter for letter in self.letters if letter not in self.cut_offs), self.letters[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingTable(OfScenario):
    """What a rolling rule does with each count at one level.

    Parameters
    ----------
    rule : str
        The rule with its options, in words.
    cells : tuple of PendingCell
        In order of patients treated, DLTs and patients pending.
    """

    rule: str
    cells: tuple[PendingCell, ...]

    def _plain(self) -> tuple[list[str], list[list[str]]]:
        """Return heads and rows; neighbouring numbers of pending patients with the same decision share a row."""
        rows = []
        for (n, y, words), group in groupby(self.cells, key=lambda cell: (cell.treated, cell.dlts, cell.words)):
            pending = [cell.pending for cell in group]
            some = str(pending[0]) if len(pending) == 1 else f"{pending[0]} to {pending[-1]}"
            rows.append([str(n), str(y), some, words])
        return ["treated", "DLTs", "pending", "decision"], rows

    def to_text(self) -> str:
        """Return the table as text for a terminal, with the meaning of its letters."""
        said = {letter for cell in self.cells for letter in cell.letters}
        notes = [*key(sorted(said)), *([FOLLOW_UP] if any(len(cell.letters) > 1 for cell in self.cells) else [])]
        return text(f"Decision table of {self.rule}, with patients pending at the current level", *self._plain(), notes)

    def to_csv(self) -> str:
        """Return the table as CSV: one line for each number of patients treated, DLTs and patients pending."""
        heads = ("treated", "dlts", "pending", "decision", "escalate_if_followup_from", "suspend_if_followup_from",
                 "de_escalate_if_followup_to", "meaning")  # fmt: skip
        rows = [
            (
                cell.treated,
                cell.dlts,
                cell.pending,
                "/".join(cell.letters),
                *(
                    "" if at is None else f"{at:.6f}"
                    for at in (cell.escalate_from, cell.suspend_from, cell.de_escalate_to)
                ),
                " / ".join(LETTERS[letter] for letter in cell.letters),
            )
            for cell in self.cells
        ]
        return csv_text(heads, rows)

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        return markdown(*self._plain())

    def to_html(self) -> str:
        """Return the table as an HTML fragment; each decision has its first letter as its class."""
        heads, rows = self._plain()
        return html_table(self.rule, heads, rows, [["", "", row[3].split(" ")[0]] for row in rows])

    def _repr_html_(self) -> str:
        return self.to_html()


FOLLOW_UP = "follow-up: shares of the DLT window seen by the pending patients, added up"


def pending_table(rule: Rule, treated: Sequence[int], *, most: int = CLEAN, words: str | None = None) -> PendingTable:
    """Ask a rolling rule about every count at one level, and for the cut-offs of follow-up.

    Parameters
    ----------
    rule : Rule
        A rolling rule that decides on counts and summed follow-up.
    treated : sequence of int
        Numbers of patients treated, from 1.
    most : int
        Evaluable patients that a level can come to, if that is more than the table has.
    words : str, optional
        The rule with its options in words; its name where it is not given.

    Raises
    ------
    RuleError
        If the answers do not change with follow-up as a cell can say it: from de-escalation over staying to
        escalation, or to waiting for an outcome before it.
    """
    counts = [(n, y, c) for n in treated for y in range(n + 1) for c in range(n - y + 1)]
    n, y, c = (np.array(part) for part in zip(*counts, strict=True))
    ask = _Asked(rule, n - c, y, c, max(most, *treated))
    at_start, at_end = ask(np.zeros(len(n))), ask(c.astype(float))
    rises_at = _first(ask, lambda letters: (letters == at_end) & np.isin(letters, (ESCALATE, SUSPEND)), c)
    falls_to = _first(ask, lambda letters: letters != DE_ESCALATE, c)
    cells = []
    for k, (start, end) in enumerate(zip(at_start.tolist(), at_end.tolist(), strict=True)):
        rises, falls = start != end and end in (ESCALATE, SUSPEND), start == DE_ESCALATE != end
        letters = [end, STAY, start] if rises and falls and rises_at[k] > falls_to[k] + 1e-6 else [end, start]
        cells.append(
            PendingCell(
                treated=int(n[k]),
                dlts=int(y[k]),
                pending=int(c[k]),
                letters=tuple(dict.fromkeys(letters)),
                escalate_from=float(rises_at[k]) if rises and end == ESCALATE else None,
                suspend_from=float(rises_at[k]) if rises and end == SUSPEND else None,
                de_escalate_to=float(falls_to[k]) if falls else None,
            )
        )
    _compare(ask, cells, rule.name)
    return PendingTable(rule=words or rule.name, cells=tuple(cells))


class _Asked:
    """The rule's letters for fixed counts, by follow-up."""

    def __init__(self, rule: Rule, n: IntArray, y: IntArray, c: IntArray, most: int) -> None:
        self.rule, self.counts, self.most = rule, (n, y, c), most

    def __call__(self, followup: FloatArray) -> NDArray[np.str_]:
        return np.array(letters_of(self.rule, *self.counts, followup, most=self.most), dtype=np.str_)


def _compare(ask: _Asked, cells: Sequence[PendingCell], name: str) -> None:
    """Raise if a cell says something else than the rule does, at any of some steps of follow-up."""
    pending = np.array([cell.pending for cell in cells])
    for seen in (pending * step / CHECKS for step in range(CHECKS + 1)):
        for cell, at, letter in zip(cells, seen.tolist(), ask(seen).tolist(), strict=True):
            if letter not in (cell.at(at - NEAR), cell.at(at + NEAR)):
                raise RuleError(
                    f"the rule {name} says {letter} with {cell.treated} treated, {cell.dlts} with a DLT, "
                    f"{cell.pending} pending and a follow-up of {at:.2f} windows, which no cut-off between "
                    f"{cell.letters[-1]} and {cell.letters[0]} can say"
                )


def _first(ask: _Asked, holds: Callable[[NDArray[np.str_]], Any], c: IntArray) -> FloatArray:
    """Return the follow-up from which something holds of the rule's letter, by halving."""
    low, high = np.zeros(len(c)), c.astype(float)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        there = holds(ask(middle))
        low, high = np.where(there, low, middle), np.where(there, middle, high)
    return high
