"""A trial's log as a workbook or as a folder of CSVs, and the empty workbook in which one is begun."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from ..files import Out, write_file, write_folder
from ..scenario.model import Scenario
from ..tracking.writing import WrittenSheet, written_log, written_template
from ..words.csv_text import COUNTS, csv_bytes, csv_text
from ..words.log import Log
from .parts import write_resolved
from .workbook import Sheet, workbook


def log_workbook(log: Log, scenario: Scenario) -> bytes:
    """Return a log as a workbook (``.xlsx``), with drop-downs to go on with it; equal logs are equal bytes.

    Raises
    ------
    OutputError
        If openpyxl is not installed (extra `excel`).
    """
    return workbook(_sheets(written_log(log, scenario)))


def template_workbook(scenario: Scenario) -> bytes:
    """Return an empty log as a workbook: drop-downs for words, levels and sites, examples, and what columns mean.

    The example in each sheet's first row is not read.

    Raises
    ------
    OutputError
        If openpyxl is not installed (extra `excel`).
    """
    return workbook(_sheets(written_template(scenario)))


def log_files(log: Log, scenario: Scenario) -> dict[str, bytes]:
    """Return a log as CSV files, by their names."""
    return {
        f"{sheet.name}.csv": csv_bytes(csv_text(sheet.heads, [list(map(_in_csv, row)) for row in sheet.rows]))
        for sheet in written_log(log, scenario)
    }


def write_log(log: Log, scenario: Scenario, out: Out, *, overwrite: bool = False) -> None:
    """Write a log: as a workbook where the name ends in ``.xlsx``, and as a folder of CSV files otherwise.

    Parameters
    ----------
    log : Log
        The log.
    scenario : Scenario
        Of its trial; the folder holds it, too.
    out : path or Place
        Where.
    overwrite : bool
        Whether an earlier log may be replaced.

    Raises
    ------
    OutputError
        If it exists already, or cannot be written; nothing is left half-written.
    """
    if isinstance(out, str | Path) and Path(out).suffix.lower() == ".xlsx":
        write_file(Path(out), log_workbook(log, scenario), overwrite)
        return

    def write(folder: Path) -> None:
        for name, data in log_files(log, scenario).items():
            (folder / name).write_bytes(data)
        write_resolved(folder, scenario)

    write_folder(out, write, overwrite)


def _sheets(written: Sequence[WrittenSheet]) -> Iterator[Sheet]:
    for one in written:
        yield Sheet(
            name=one.name,
            heads=one.heads,
            rows=one.rows,
            columns=tuple(column.column for column in one.columns),
            choices=one.choices,
            dates=frozenset(column.name for column in one.columns if column.kind == "date"),
        )


def _in_csv(cell: Any) -> Any:
    """Return a cell so that it is read as it was: dates as ISO dates, and counts in words of a person as they are."""
    if isinstance(cell, str) and COUNTS.fullmatch(cell):
        return f"'{cell}"
    return cell.isoformat() if isinstance(cell, date) else cell
