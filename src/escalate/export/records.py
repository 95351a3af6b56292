"""Records as single files: one trial's tables as CSV, the columns of many trials as ``.npz``."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..files import write_file
from ..results.outcomes import Trials
from ..words.csv_text import csv_bytes
from ..words.tables import Table
from .parts import check_ending
from .sheets import saves

ROWS = 65_536
"""Rows of a column that are made and written at one time: words of 1,000 letters take 260 MB then."""


def write_columns(file: Path | io.BytesIO, parts: Sequence[Trials]) -> None:
    """Write the columns of trials as ``.npz``, piece by piece; without the time of writing in it.

    Equal results are equal bytes, however they are cut.

    Parameters
    ----------
    file : Path or BytesIO
        Where to.
    parts : sequence of Trials
        At least one, of the same scenario and seed, each following the one before it.
    """
    each, count = [part.column_makers() for part in parts], sum(map(len, parts))
    with zipfile.ZipFile(file, "w") as archive:
        for name in each[0]:
            dtype = np.result_type(*(makers[name](slice(0)).dtype for makers in each))
            head = _header(dtype, count)
            told = zipfile.ZipInfo(f"{name}.npy")
            told.compress_type, told.file_size = zipfile.ZIP_DEFLATED, len(head) + count * dtype.itemsize
            with archive.open(told, "w") as column:
                column.write(head)
                for part, makers in zip(parts, each, strict=True):
                    for rows in _pieces(len(part)):
                        column.write(makers[name](rows).astype(dtype, copy=False).tobytes())


def _header(dtype: np.dtype[Any], count: int) -> bytes:
    """Return how a column of so many values begins."""
    head, described = io.BytesIO(), np.lib.format.dtype_to_descr(dtype)
    np.lib.format.write_array_header_1_0(head, {"descr": described, "fortran_order": False, "shape": (count,)})
    return head.getvalue()


def _pieces(count: int) -> Iterator[slice]:
    for start in range(0, count, ROWS):
        yield slice(start, min(start + ROWS, count))


@saves(Table)
def _save_records(table: Table, out: Path, overwrite: bool) -> None:
    check_ending(out, (".csv",))
    write_file(out, csv_bytes(table.to_csv()), overwrite)


@saves(Trials)
def _save_trials(trials: Trials, out: Path, overwrite: bool) -> None:
    check_ending(out, (".npz",))
    contents = io.BytesIO()
    write_columns(contents, [trials])
    write_file(out, contents.getvalue(), overwrite)
