"""The decision table of a rule: what follows from n evaluable patients and y DLTs at a level, for every level.

The committee is asked (`escalate.protocol_tables.asked`) at every level and with everything that can stand beside it;
places at which every cell says the same are one part of the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import RuleError
from ..rules.table import TableOfDecisions
from ..words.csv_text import csv_text
from .asked import Asked, Beside, Cells, Place
from .boundaries import Boundaries
from .letters import DE_ESCALATE, ESCALATE, STAY, TOO_TOXIC, meaning
from .levels import LevelTable, Part, constants_of
from .parts import merged, name_of
from .sheet import Grid

COUNTED = (
    "Columns: evaluable patients at the current level, who had a DLT in the window or completed it with the full dose. "
    "Rows: those with a DLT. Each cell: what the committee decides, for the next patients."
)

READING = (
    "Boundaries say the same: read rows with >= first, from the bottom up, then rows with <=, from the top down; the "
    "first one that holds decides. To eliminate is to de-escalate or stop, and never to give the level again. "
    "A dash: no number of DLTs leads there."
)

BY_ITSELF = "rule_by_itself"
"""Column of the CSV that a rule of the name `table` is read from."""

Letters = dict[tuple[int, int], str]
"""By evaluable patients and DLTs."""


@dataclass(frozen=True, kw_only=True)
class CountPart(Part):
    """What follows from each count, at the levels where it is the same.

    Parameters
    ----------
    name, places
        As in `Part`.
    patients : tuple of int
        Numbers of evaluable patients: the columns.
    letters : dict of (int, int) to str
        By evaluable patients and DLTs, a letter of `escalate.protocol_tables.LETTERS`; or two as in ``E(S)``.
    """

    patients: tuple[int, ...]
    letters: Letters

    @cached_property
    def boundaries(self) -> Boundaries:
        """The part in boundary form."""
        return Boundaries.of(self.patients, self.letters)

    def rows(self) -> list[tuple[int, list[str]]]:
        """Return, for each number of DLTs, the letters over the columns; empty where DLTs outnumber patients."""
        most = max(self.patients)
        return [(y, [self.letters.get((n, y), "") for n in self.patients]) for y in range(most + 1)]

    @property
    def unchanged_from(self) -> int:
        """The number of DLTs from which on no column changes any more: its rows are one."""
        rows = self.rows()
        last = len(rows) - 1
        while last > 0 and _goes_on(rows[last - 1][1], rows[last][1]):
            last -= 1
        return last

    def grid_rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the grid, the last one for all numbers of DLTs from which on nothing changes."""
        last = self.unchanged_from
        rows = [(str(y), *letters) for y, letters in self.rows()[: last + 1]]
        if last < max(self.patients):
            rows[-1] = (f"{last} or more" if last else "any", *rows[-1][1:])
        return rows


def _goes_on(above: Sequence[str], below: Sequence[str]) -> bool:
    """Return whether a row says what the one above it does, wherever it says anything."""
    return all(not letter or letter == before for before, letter in zip(above, below, strict=True))


@dataclass(frozen=True, kw_only=True, repr=False)
class CountTable(LevelTable[CountPart]):
    """What the committee does with each count, at every level.

    Parameters
    ----------
    title, rule, constants, parts, assumed, conditions
        As in `LevelTable`.
    patients : tuple of int
        Numbers of evaluable patients: the columns.
    by_itself : dict of (int, int) to str
        The letters of the rule alone, at a level with others above and below, where it can be read as a table.
    """

    patients: tuple[int, ...]
    by_itself: Letters | None = None

    reading = (COUNTED, READING)

    @property
    def said(self) -> set[str]:
        """The letters that occur."""
        return {letter for part in self.parts for letter in part.letters.values()}

    def grids(self) -> Iterator[Grid]:
        """Yield of each part the grid, and its boundaries."""
        for part in self.parts:
            yield from _grids(part)

    def to_csv(self) -> str:
        """Return the table as CSV: a line for each part, number of patients and DLTs; lines with # tell the rest.

        `rule.file` reads it back where the rule has a column of its own, `rule_by_itself`.
        """
        alone = self.by_itself
        rows = [
            [part.name, n, y, letter, meaning(letter), *([] if alone is None else [alone.get((n, y), "")])]
            for part in self.parts
            for (n, y), letter in part.letters.items()
        ]
        heads = ["levels", "evaluable", "dlts", "decision", "meaning", *([] if alone is None else [BY_ITSELF])]
        return csv_text(heads, rows, self.about())

    def boundaries_csv(self) -> str:
        """Return the boundary form as CSV: a line for each part and boundary, a column for each number of patients."""
        rows = []
        for part in self.parts:
            for words, *cells in part.boundaries.rows():
                said = dict(zip(part.patients, cells, strict=True))
                rows.append([part.name, words, *(said.get(n, "") for n in self.patients)])
        return csv_text(["levels", "boundary", *map(str, self.patients)], rows, [self.heading, READING])


def _grids(part: CountPart) -> list[Grid]:
    rows = part.grid_rows()
    grid = Grid(
        heading=f"{part.heading}: decisions",
        heads=("DLTs", *map(str, part.patients)),
        rows=tuple(rows),
        letters=tuple(row[1:] for row in rows),
    )
    form = part.boundaries
    bounds = Grid(heading=f"{part.heading}: boundaries", heads=form.heads(), rows=tuple(form.rows()), words=True)
    return [grid, bounds]


def count_table(
    asked: Asked, patients: Sequence[int], *, title: str = "", words: str = "", conditions: Sequence[str] = (),
    assumed: Sequence[str] = (),
) -> CountTable:  # fmt: skip
    """Ask a committee about every number of DLTs among some numbers of patients, at every level.

    Parameters
    ----------
    asked : Asked
        The committee.
    patients : sequence of int
        Numbers of evaluable patients, from 1.
    title : str
        The trial's title.
    words : str
        The rule with its options in words; its name where it is not given.
    conditions, assumed : sequence of str
        What stands below the table.
    """
    said = ((place, _letters_at(asked, place, patients)) for place in asked.places)
    parts = [
        CountPart(
            name=name_of(places, asked.levels, asked.gone_words),
            places=places,
            patients=tuple(dict.fromkeys(n for (n, _), _ in letters)),
            letters=dict(letters),
        )
        for places, letters in merged(said)
    ]
    return CountTable(
        title=title,
        rule=words or asked.rule.name,
        constants=constants_of(asked.rule),
        patients=tuple(sorted({n for part in parts for n in part.patients})),
        parts=tuple(parts),
        assumed=tuple(assumed),
        conditions=tuple(conditions),
        by_itself=_by_itself(asked, sorted({n for part in parts for n in part.patients})),
    )


def _letters_at(asked: Asked, place: Place, patients: Sequence[int]) -> tuple[tuple[tuple[int, int], str], ...]:
    counts = counts_of([1] if place.beside is Beside.TITRATION else patients)
    return tuple(zip(counts, asked.letters(place, _cells(counts)), strict=True))


def counts_of(patients: Sequence[int]) -> list[tuple[int, int]]:
    """Return every number of DLTs among each number of patients."""
    return [(n, y) for n in patients for y in range(n + 1)]


def _cells(counts: Sequence[tuple[int, int]]) -> Cells:
    n, y = np.array(counts).T
    return Cells.of(n, y)


def _by_itself(asked: Asked, patients: Sequence[int]) -> Letters | None:
    """Return the letters of the rule alone, if they are those of a table that is a rule; ``None`` if not."""
    if isinstance(asked.rule, TableOfDecisions):
        return {(n, y): letter for n, row in asked.rule.letters.items() for y, letter in enumerate(row)}
    counts = counts_of(patients)
    try:
        letters = asked.rule_alone(_cells(counts))
    except RuleError:
        return None  # a function of one's own that cannot answer about three levels
    tellable = set(letters) <= {ESCALATE, STAY, DE_ESCALATE, TOO_TOXIC}
    return dict(zip(counts, letters, strict=True)) if tellable else None
