"""When patients come as a folder: summary, numbers by dates as CSV, and the fan of all trials."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from ..files import Out, write_folder
from ..plots import plot_accrual_fan
from ..report.accrual import accrual_summary
from ..studies.accruals import Accrual
from ..studies.simulation import provenance
from ..words.csv_text import csv_bytes
from .figures import figure
from .parts import Tell, write_json, write_resolved
from .sheets import also_workbook, saves


def write_accrual(
    found: Accrual,
    out: Out,
    *,
    counted: str = "infused",
    by: Sequence[date | str] = (),
    overwrite: bool = False,
    xlsx: bool = False,
    tell: Tell | None = None,
) -> None:
    """Write when patients come as a folder: summary, numbers by dates as CSV, and the fan of all trials.

    Parameters
    ----------
    found : Accrual
        As `escalate.accrual` returns it.
    out : path or Place
        Folder to write.
    counted : str
        Whom to count: one of `escalate.studies.accruals.COUNTED`.
    by : sequence of date or str
        Dates by which the number is told; of each month, in the CSV alone, where none is given.
    overwrite : bool
        Whether an earlier folder of results may be replaced.
    xlsx : bool
        Whether a workbook is written, too (extra `excel`).
    tell : callable, optional
        Says what was found, before any figure is drawn.

    Raises
    ------
    OutputError
        If the folder exists, or cannot be written; nothing is left half-written.
    IncompleteError
        If the figure could not be drawn; everything else is written.
    """

    def write(folder: Path) -> None:
        (folder / "summary.txt").write_text(accrual_summary(found, counted, by) + "\n", encoding="utf-8")
        table = found.by_date(*by, counted=counted)
        (folder / f"{table.name}.csv").write_bytes(csv_bytes(table.to_csv()))
        write_resolved(folder, found.scenario)
        made = provenance(found.scenario, seed=found.seed, first=0, trials=found.trials)
        write_json(folder / "provenance.json", {**made, "counted": counted, "by": list(map(str, by))})

    figures = {"accrual": figure(lambda: plot_accrual_fan(found, counted=counted))}
    write_folder(out, write, overwrite, figures | also_workbook(found, xlsx), tell=tell)


@saves(Accrual)
def _save_accrual(found: Accrual, out: Path, overwrite: bool) -> None:
    write_accrual(found, out, overwrite=overwrite)
