"""A row of a log's sheet, whose cells were read, and which knows where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import LogProblem
from .cells import shown


@dataclass(slots=True, eq=False)
class Row:
    """One row.

    Parameters
    ----------
    sheet : str
        Name of the sheet as it stands there.
    number : int
        Row as a spreadsheet counts, from 1.
    heads : mapping of str to (str, str)
        By our column: its name as it stands there, and its letters; empty where they are not known.
    raw : dict
        By our column: what stands there.
    values : dict
        By our column: what was read; ``None`` for an empty cell, or one that could not be read.
    unread : set of str
        Columns that could not be read; nothing is concluded from these.
    """

    sheet: str
    number: int
    heads: Mapping[str, tuple[str, str]]
    raw: dict[str, Any]
    values: dict[str, Any] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)

    def __getitem__(self, column: str) -> Any:
        return self.values.get(column)

    def is_read(self, *columns: str) -> bool:
        """Return whether all of some columns could be read."""
        return not self.unread.intersection(columns)

    def problem(self, column: str, message: str) -> LogProblem:
        """Return what is wrong with a cell of the row; with the whole row if no column is named."""
        head, letter = self.heads.get(column, (column, ""))
        raw = self.raw.get(column)
        got = "" if raw is None or raw == "" else shown(raw)
        return LogProblem(message=message, sheet=self.sheet, row=self.number, column=head, letter=letter, got=got)
