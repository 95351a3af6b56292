"""Records as single files: one trial's tables as CSV, the columns of many trials as ``.npz``."""

from __future__ import annotations

import io
from pathlib import Path

from ..files import write_file
from ..results.outcomes import Trials
from ..results.stored import write_columns
from ..words.csv_text import csv_bytes
from ..words.tables import Table
from .parts import check_ending
from .sheets import saves


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
