"""Results that save themselves, though what reports and draws them stands far above them.

They ask `write_result`, where `escalate.export` registers how each kind of result is written.
"""

from __future__ import annotations

import os
from functools import singledispatch
from importlib import import_module
from pathlib import Path

WRITERS = "escalate.export"
"""The module that registers how each kind of result is written; loaded when something is saved for the first time."""


@singledispatch
def write_result(result: object, out: Path, overwrite: bool) -> None:
    """Write a result; `WRITERS` registers a function for each kind.

    Raises
    ------
    TypeError
        If none is registered for this kind.
    """
    raise TypeError(f"{WRITERS} registers nothing that writes a {type(result).__name__}")


class Saves:
    """A result that can be written as the command line writes it."""

    __slots__ = ()

    def save(self, out: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the result, in the same bytes as the command line.

        Parameters
        ----------
        out : path
            A folder of results; for a table of records a ``.csv`` file, for many trials an ``.npz`` file; for a
            decision table a folder, or a file that ends in ``.txt``, ``.csv``, ``.md``, ``.html``, ``.png``,
            ``.svg`` or ``.pdf``; for a comparison one that ends in ``.html`` or ``.md``; for any result but many
            trials a workbook that ends in ``.xlsx``. It appears whole or not at all.
        overwrite : bool
            Whether an earlier file, or an earlier folder of results, may be replaced.

        Raises
        ------
        OutputError
            If it exists already, has another ending, or cannot be written; nothing is left half-written.
        """
        import_module(WRITERS)
        write_result(self, Path(out), overwrite)
