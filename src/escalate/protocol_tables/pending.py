"""The decision table of a rolling rule: what follows with patients pending, and from how much follow-up.

The committee is asked at every level, as for `escalate.protocol_tables.counts`. Where the answer depends on how far
the pending patients are, the cut-offs of their follow-up are found by halving: shares of the DLT window added up over
the pending patients, from 0 (all just infused) to their number (all about to complete).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RuleError
from ..words.csv_text import csv_text
from ..words.records import FloatArray, IntArray
from .asked import Asked, Beside, Cells, Place
from .layout import OfScenario
from .letters import DE_ESCALATE, ESCALATE, SUSPEND, key, meaning, parts
from .parts import merged, name_of
from .sheet import Grid, Notes, Sheet

HALVINGS = 40

CHECKS = 24
"""Every cell is compared with the committee at so many steps of follow-up."""

NEAR = 1e-6
"""So near to a cut-off either side of it may be right [windows]."""

FOLLOW_UP = "Follow-up: shares of the DLT window seen by the pending patients, added up."

COUNTED = (
    "Treated: patients at the current level who are evaluable (a DLT in the window, or the window completed with the "
    "full dose) or pending (an open window and no DLT so far). Each row: what the committee decides, for the next "
    "patients."
)


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


@dataclass(frozen=True, kw_only=True)
class PendingPart:
    """What follows from each count with patients pending, at the levels where it is the same.

    Parameters
    ----------
    name : str
        Which levels, in words.
    places : tuple of Place
        The levels, each with what stands beside it.
    cells : tuple of PendingCell
        In order of patients treated, DLTs and patients pending.
    """

    name: str
    places: tuple[Place, ...]
    cells: tuple[PendingCell, ...]

    def rows(self) -> list[tuple[str, ...]]:
        """Return rows of treated, DLTs, pending and decision; neighbours with the same decision share one."""
        found: list[tuple[str, ...]] = []
        for (n, told), rows in groupby(self._by_dlts(), key=lambda row: (row[0], row[2])):
            dlts = _range([y for _, y, _ in rows])
            found += [(str(n), dlts, pending, words) for pending, words in told]
        return found

    def _by_dlts(self) -> Iterator[tuple[int, int, tuple[tuple[str, str], ...]]]:
        """Yield patients treated, DLTs, and what follows by the patients pending; "any" where they do not matter."""
        for (n, y), cells in groupby(self.cells, key=lambda cell: (cell.treated, cell.dlts)):
            same = [(words, [cell.pending for cell in some])
                    for words, some in groupby(cells, key=lambda cell: cell.words)]  # fmt: skip
            some = [("any" if len(same) == 1 else _range(pending), words) for words, pending in same]
            yield n, y, tuple(some)


def _range(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


@dataclass(frozen=True, kw_only=True)
class PendingTable(OfScenario):
    """What a rolling rule does with each count, at every level.

    Parameters
    ----------
    title : str
        The trial's title.
    rule : str
        The rule with its options, in words.
    constants : tuple of str
        The numbers that the rule compares with, line by line.
    parts : tuple of PendingPart
        Levels at which every cell is the same are one part.
    assumed, conditions : tuple of str
        What stands at other levels; what goes before the cells, line by line.
    """

    title: str
    rule: str
    constants: tuple[str, ...]
    parts: tuple[PendingPart, ...]
    assumed: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()

    def part(self, level: int, *, exceeded_above: bool = False, titration: bool = False) -> PendingPart:
        """Return the part of a level, from 1, as `CountTable.part`."""
        beside = Beside.EXCEEDED if exceeded_above else Beside.TITRATION if titration else Beside.USUAL
        found = {place: part for part in self.parts for place in part.places}
        place = Place(level - 1, beside)
        return found[place] if place in found or beside is Beside.TITRATION else found[Place(level - 1)]

    @property
    def said(self) -> set[str]:
        """The letters that occur."""
        return {letter for part in self.parts for cell in part.cells for letter in cell.letters}

    @property
    def heading(self) -> str:
        """The title of the table, with the rule in words."""
        return f"Decision table of {self.rule}, with patients pending at the current level"

    @property
    def is_split(self) -> bool:
        """Whether follow-up decides anywhere."""
        return any(len(cell.letters) > 1 for part in self.parts for cell in part.cells)

    def notes(self) -> list[Notes]:
        """Return what stands below the grids: legend, constants, assumptions, conditions."""
        legend = [line.strip().replace("  ", ": ", 1) for line in key(self.said)]
        blocks = (
            ("Letters", [*legend, *([FOLLOW_UP] if self.is_split else [])]),
            ("Constants of the rule", self.constants),
            ("What the cells assume", self.assumed),
            ("What goes before the cells", self.conditions),
        )
        return [Notes(heading=heading, lines=tuple(lines)) for heading, lines in blocks if lines]

    def sheet(self) -> Sheet:
        """Return the table as a sheet."""
        top = Notes(heading=f"Trial: {self.title}", lines=(COUNTED,))
        return Sheet(title=self.heading, blocks=(top, *map(_grid, self.parts), *self.notes()))

    def to_text(self) -> str:
        """Return the table as text for a terminal: grids, letters, constants, conditions."""
        return self.sheet().to_text()

    def to_csv(self) -> str:
        """Return the table as CSV: a line for each part, number of patients treated, DLTs and patients pending."""
        heads = ("levels", "treated", "dlts", "pending", "decision", "escalate_if_followup_from",
                 "suspend_if_followup_from", "de_escalate_if_followup_to", "meaning")  # fmt: skip
        rows = [
            (
                part.name,
                cell.treated,
                cell.dlts,
                cell.pending,
                " or ".join(cell.letters),
                *("" if at is None else f"{at:.6f}" for at in cell.ends),
                " / ".join(map(meaning, cell.letters)),
            )
            for part in self.parts
            for cell in part.cells
        ]  # fmt: skip
        about = [self.heading, f"Trial: {self.title}", COUNTED]
        about += [f"{notes.heading}: {line}" for notes in self.notes() for line in notes.lines]
        return csv_text(heads, rows, about)

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        return self.sheet().to_markdown()

    def to_html(self) -> str:
        """Return the table as a whole HTML document; each decision has its first letter as its class."""
        return self.sheet().to_html()

    def _repr_html_(self) -> str:
        return self.sheet().fragment()


def _grid(part: PendingPart) -> Grid:
    rows = part.rows()
    return Grid(
        heading=part.name[0].upper() + part.name[1:],
        heads=("treated", "DLTs", "pending", "decision"),
        rows=tuple(rows),
        letters=tuple(("", "", row[3].split(" ")[0]) for row in rows),
        words=True,
    )


def pending_table(
    asked: Asked, treated: Sequence[int], *, title: str = "", words: str = "", conditions: Sequence[str] = (),
    assumed: Sequence[str] = (),
) -> PendingTable:  # fmt: skip
    """Ask a committee whose rule is a rolling one about every count at every level, and for the cut-offs of follow-up.

    Parameters
    ----------
    asked : Asked
        The committee.
    treated : sequence of int
        Numbers of patients treated, from 1.
    title, words, conditions, assumed
        As for `count_table`.

    Raises
    ------
    RuleError
        If the answers do not change with follow-up as a cell can say it: from de-escalation over another answer to
        escalation, or to waiting for an outcome before it.
    """
    said: list[tuple[Place, tuple[PendingCell, ...]]] = []
    for place in asked.places:
        numbers = [1] if place.beside is Beside.TITRATION else treated
        known = [cells for _, cells in merged(said) if {cell.treated for cell in cells} == set(numbers)]
        said.append((place, cells_at(asked, place, numbers, known)))
    return PendingTable(
        title=title,
        rule=words or asked.rule.name,
        constants=tuple(f"{name}: {value:.4g}" for name, value in asked.rule.constants().items()),
        parts=tuple(
            PendingPart(name=name_of(places, asked.levels), places=places, cells=cells)
            for places, cells in merged(said)
        ),
        conditions=tuple(conditions),
        assumed=tuple(assumed),
    )


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
