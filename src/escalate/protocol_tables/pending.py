"""The decision table of a rolling rule: what follows with patients pending, and from how much follow-up.

The committee is asked at every level, as for `escalate.protocol_tables.counts`; `followup` finds the cut-offs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ..words.csv_text import csv_text
from .asked import Asked, Beside, Place
from .followup import PendingCell, cells_at
from .letters import meaning
from .levels import LevelTable, Part, constants_of
from .parts import merged, name_of
from .sheet import Grid

FOLLOW_UP = "Follow-up: shares of the DLT window seen by the pending patients, added up."


COUNTED = (
    "Treated: patients at the current level who are evaluable (a DLT in the window, or the window completed with the "
    "full dose) or pending (an open window and no DLT so far). Each row: what the committee decides, for the next "
    "patients."
)


@dataclass(frozen=True, kw_only=True)
class PendingPart(Part):
    """What follows from each count with patients pending, at the levels where it is the same.

    Parameters
    ----------
    name, places
        As in `Part`.
    cells : tuple of PendingCell
        In order of patients treated, DLTs and patients pending.
    """

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


@dataclass(frozen=True, kw_only=True, repr=False)
class PendingTable(LevelTable[PendingPart]):
    """What a rolling rule does with each count, at every level.

    Parameters
    ----------
    title, rule, constants, parts, assumed, conditions
        As in `LevelTable`.
    """

    reading = (COUNTED,)

    @property
    def said(self) -> set[str]:
        """The letters that occur."""
        return {letter for part in self.parts for cell in part.cells for letter in cell.letters}

    @property
    def heading(self) -> str:
        """The title of the table, with the rule in words."""
        return f"{super().heading}, with patients pending at the current level"

    @property
    def is_split(self) -> bool:
        """Whether follow-up decides anywhere."""
        return any(len(cell.letters) > 1 for part in self.parts for cell in part.cells)

    def legend(self) -> list[str]:
        """Return what the letters mean, line by line, and what follow-up is where it decides."""
        return [*super().legend(), *([FOLLOW_UP] if self.is_split else [])]

    def grids(self) -> Iterator[Grid]:
        """Return a grid for each part."""
        return map(_grid, self.parts)

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
        return csv_text(heads, rows, self.about())


def _grid(part: PendingPart) -> Grid:
    rows = part.rows()
    return Grid(
        heading=part.heading,
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
        constants=constants_of(asked.rule),
        parts=tuple(
            PendingPart(name=name_of(places, asked.levels, asked.gone_words), places=places, cells=cells)
            for places, cells in merged(said)
        ),
        conditions=tuple(conditions),
        assumed=tuple(assumed),
    )
