"""Many trials as an ``.npz`` file: written piece by piece, so that it takes no memory however many they are."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .outcomes import Trials

ROWS = 65_536
"""Rows of a column that are made and written at one time: words of 1,000 letters take 260 MB then."""


def write_npz(file: Path | io.BytesIO, parts: Sequence[Trials]) -> None:
    """Write the columns of trials; without the time of writing in it, so that equal results are equal bytes.

    Parameters
    ----------
    file : Path or BytesIO
        Where to.
    parts : sequence of Trials
        At least one, of the same scenario and seed, each following the one before it.
    """
    each = [part.column_makers() for part in parts]
    with zipfile.ZipFile(file, "w") as archive:
        for name in each[0]:
            dtype = np.result_type(*(makers[name](slice(0)).dtype for makers in each))
            head = _header(dtype, sum(map(len, parts)))
            told = zipfile.ZipInfo(f"{name}.npy")
            told.compress_type, told.file_size = zipfile.ZIP_DEFLATED, len(head) + sum(map(len, parts)) * dtype.itemsize
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
