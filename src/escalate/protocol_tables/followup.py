"""From how much follow-up of the pending patients on a committee says something else.

Where its answer depends on how far they are, the cut-offs of their follow-up are found by halving: shares of the DLT
window added up over the pending patients, from 0 (all just infused) to their number (all about to complete).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RuleError
from ..words.records import FloatArray, IntArray
from .asked import Asked, Cells, Place
from .letters import DE_ESCALATE, ESCALATE, SUSPEND, parts

HALVINGS = 40


CHECKS = 24
"""Every cell is compared with the committee at so many steps of follow-up."""

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
        What the committee says, the boldest first: one of `escalate.protocol_tables.LETTERS`, or several, where the
        follow-up of the pending decides.
    escalate_from : float or None
        Follow-up from which the dose rises, where that depends on it [windows].
    suspend_from : float or None
        Follow-up from which it would rise but waits for an outcome first, where that depends on it [windows].
    de_escalate_to : float or None
        Follow-up up to which the dose falls, where that depends on it [windows].
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
        told = [f"{letter} if follow-up {sign}" for letter, sign in signs.items()]
        rest = [f"otherwise {letter}" for letter in self.letters if letter not in signs]
        return ", ".join([*told, *rest])

    @property
    def ends(self) -> tuple[float | None, ...]:
        """The cut-offs for rising, for waiting and for falling [windows]."""
        return self.escalate_from, self.suspend_from, self.de_escalate_to

    @property
    def cut_offs(self) -> dict[str, tuple[str, float]]:
        """The letters that follow-up decides on: the direction of the cut-off, and the cut-off [windows]."""
        rises = next((letter for letter in self.letters if parts(letter)[0] == ESCALATE), ESCALATE)
        found = {
            rises: (">=", self.escalate_from),
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


def cells_at(
    asked: Asked, place: Place, treated: Sequence[int], known: Sequence[tuple[PendingCell, ...]] = ()
) -> tuple[PendingCell, ...]:
    """Return the cells of one place; those of another place that are `known`, if they are right here, too."""
    counts = [(n, y, c) for n in treated for y in range(n + 1) for c in range(n - y + 1)]
    n, y, c = (np.array(part) for part in zip(*counts, strict=True))
    ask = _Followed(asked, place, Cells(n=n - c, y=y, pending=c, followup=np.zeros(len(n))))
    steps = np.repeat(np.arange(len(n)), CHECKS + 1)
    seen = c[steps] * np.tile(np.arange(CHECKS + 1) / CHECKS, len(n))
    letters = ask(steps, seen)
    for cells in known:
        if _is_right(cells, steps, seen, letters) and _turns_there(ask, cells):
            return cells
    cells = _asked_for(ask, counts, letters.reshape(len(n), -1))
    if not _is_right(cells, steps, seen, letters):
        raise RuleError(_refused(cells, steps, seen, letters, asked.rule.name))
    return cells


def _asked_for(
    ask: _Followed, counts: Sequence[tuple[int, int, int]], letters: NDArray[np.str_]
) -> tuple[PendingCell, ...]:
    """Return cells from the letters at the beginning and the end of all windows, and the cut-offs between them."""
    cells = [PendingCell(treated=n, dlts=y, pending=c, letters=(letter,))
             for (n, y, c), letter in zip(counts, letters[:, 0].tolist(), strict=True)]  # fmt: skip
    turning = np.flatnonzero(letters[:, 0] != letters[:, -1])
    if turning.size:
        end, most = letters[turning, -1], np.array([counts[row][2] for row in turning.tolist()])
        rises_at = _first(lambda seen: ask(turning, seen) == end, most)
        falls_to = _first(lambda seen: ask(turning, seen) != DE_ESCALATE, most)
        between = ask(turning, (rises_at + falls_to) / 2)
        for k, row in enumerate(turning.tolist()):
            told = (str(letters[row, 0]), str(between[k]), str(end[k]))
            cells[row] = _turning(cells[row], told, float(falls_to[k]), float(rises_at[k]))
    return tuple(cells)


def _turning(cell: PendingCell, letters: tuple[str, str, str], falls_to: float, rises_at: float) -> PendingCell:
    """Return a cell whose letter at the end of all windows is another one than at their beginning."""
    start, between, end = letters
    rises, falls = parts(end)[0] in (ESCALATE, SUSPEND), start == DE_ESCALATE
    said = (end, between, start) if rises and falls and rises_at > falls_to + NEAR else (end, start)
    return replace(
        cell,
        letters=tuple(dict.fromkeys(said)),
        escalate_from=rises_at if rises and end != SUSPEND else None,
        suspend_from=rises_at if rises and end == SUSPEND else None,
        de_escalate_to=falls_to if falls else None,
    )


class _Followed:
    """The committee's letters for fixed counts at one place, by follow-up."""

    def __init__(self, asked: Asked, place: Place, cells: Cells) -> None:
        self.asked, self.place, self.cells = asked, place, cells

    def __call__(self, rows: IntArray, followup: FloatArray) -> NDArray[np.str_]:
        """Return the letters of some of the counts, each with its follow-up."""
        cells = replace(self.cells.take(rows), followup=followup)
        return np.array(self.asked.letters(self.place, cells), dtype=np.str_)


def _is_right(cells: Sequence[PendingCell], rows: IntArray, seen: FloatArray, letters: NDArray[np.str_]) -> bool:
    """Return whether cells say what the committee does, at some steps of follow-up."""
    return not _wrong(cells, rows, seen, letters)


def _wrong(
    cells: Sequence[PendingCell], rows: IntArray, seen: FloatArray, letters: NDArray[np.str_]
) -> list[tuple[PendingCell, float, str]]:
    """Return the cells that say something else than the committee does, with the follow-up and its letter."""
    asked = zip((cells[row] for row in rows.tolist()), seen.tolist(), letters.tolist(), strict=True)
    return [
        (cell, at, letter)
        for cell, at, letter in asked
        if (
            cell.letters[0] != letter
            if len(cell.letters) == 1
            else letter not in (cell.at(at - NEAR), cell.at(at + NEAR))
        )
    ]


def _turns_there(ask: _Followed, cells: Sequence[PendingCell]) -> bool:
    """Return whether the committee turns where the cut-offs of cells say."""
    at = [(row, cut_off + side * NEAR) for row, cell in enumerate(cells) for _, cut_off in cell.cut_offs.values()
          for side in (-1, 1) if 0 <= cut_off + side * NEAR <= cell.pending]  # fmt: skip
    if not at:
        return True
    rows, seen = np.array([row for row, _ in at]), np.array([cut_off for _, cut_off in at])
    says = [cells[row].at(cut_off) for row, cut_off in at]
    return bool(ask(rows, seen).tolist() == says)


def _refused(
    cells: Sequence[PendingCell], rows: IntArray, seen: FloatArray, letters: NDArray[np.str_], name: str
) -> str:
    cell, at, letter = _wrong(cells, rows, seen, letters)[0]
    return (
        f"the rule {name} says {letter} with {cell.treated} treated, {cell.dlts} with a DLT, {cell.pending} pending "
        f"and a follow-up of {at:.2f} windows, which no cut-off between {cell.letters[-1]} and {cell.letters[0]} can "
        "say"
    )


def _first(holds: Callable[[FloatArray], Any], most: IntArray) -> FloatArray:
    """Return the follow-up from which something holds, by halving between 0 and the most that can be seen."""
    low, high = np.zeros(len(most)), most.astype(float)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        there = holds(middle)
        low, high = np.where(there, low, middle), np.where(there, middle, high)
    return high
