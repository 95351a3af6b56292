"""Records as single files: one trial's tables as CSV, the columns of many trials as ``.npz``."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

from ..files import write_file
from ..results.outcomes import Trials
from ..words.csv_text import csv_bytes
from ..words.tables import Table
from .parts import check_ending
from .sheets import saves


def write_columns(path: Path | io.BytesIO, trials: Trials) -> None:
    """Write the columns as ``.npz``; without the time of writing in it, so that equal results are equal bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in trials.each_column():
            data = io.BytesIO()
            np.save(data, values, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), data.getvalue(), zipfile.ZIP_DEFLATED)


@saves(Table)
def _save_records(table: Table, out: Path, overwrite: bool) -> None:
    check_ending(out, (".csv",))
    write_file(out, csv_bytes(table.to_csv()), overwrite)


@saves(Trials)
def _save_trials(trials: Trials, out: Path, overwrite: bool) -> None:
    check_ending(out, (".npz",))
    contents = io.BytesIO()
    write_columns(contents, trials)
    write_file(out, contents.getvalue(), overwrite)
