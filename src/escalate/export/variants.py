"""Scenarios that were compared as a folder, with each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..files import FileRead, Out, write_folder
from ..plots.finish import plot_finish
from ..studies.stored import FolderDifference
from ..studies.variants import Variants
from .figures import figure
from .parts import Tell, keep_rule, save_sheet, write_json, write_studied
from .sheets import also_workbook, saves


def write_variants(
    found: Variants,
    out: Out,
    *,
    overwrite: bool = False,
    xlsx: bool = False,
    inputs: Sequence[FileRead] = (),
    tell: Tell | None = None,
) -> None:
    """Write scenarios that were compared as a folder: summary, tables as CSV, HTML and Markdown, curves, scenarios.

    Parameters
    ----------
    found : Variants
        As `compare` returns them.
    out : path
        Folder to write.
    overwrite : bool
        Whether an earlier folder of results may be replaced.
    xlsx : bool
        Whether a workbook is written, too (extra `excel`).
    inputs : sequence of FileRead
        What the scenarios were read from, to be kept beside the results.
    tell : callable, optional
        Says what was found, before any figure is drawn.

    Raises
    ------
    OutputError
        If the folder exists, or cannot be written; nothing is left half-written.
    """

    def write(folder: Path) -> None:
        write_studied(folder, found, scenarios=list(_write_scenarios(folder, found)))

    figures = {"finish": figure(lambda: plot_finish(found))}
    write_folder(out, write, overwrite, figures | also_workbook(found, xlsx), inputs, tell)


def _write_scenarios(folder: Path, found: Variants) -> Iterator[dict[str, object]]:
    """Write each scenario, which `escalate run` makes again, and yield which it is and in what it differs."""
    for number, (label, scenario) in enumerate(found.scenarios.items(), 1):
        place = f"scenarios/{number}"
        (folder / place).mkdir(parents=True)
        keep_rule(scenario, folder / place)
        write_json(folder / place / "resolved.json", scenario.resolved())
        changes = {one.key: [one.first, one.other] for one in found.changes[label]}
        yield {
            "scenario": label,
            "file": f"{place}/resolved.json",
            "scenario_sha256": scenario.fingerprint(),
            "differs_from_the_first": changes,
        }


@saves(FolderDifference)
def _save_difference(found: FolderDifference, out: Path, overwrite: bool) -> None:
    found.table.save(out, overwrite=overwrite)


@saves(Variants)
def _save_variants(found: Variants, out: Path, overwrite: bool) -> None:
    if not save_sheet(found, out, overwrite):
        write_variants(found, out, overwrite=overwrite)
