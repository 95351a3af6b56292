"""Exact results as a folder, with every dose path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import NotCoveredError
from ..exactly.enumeration import Exact
from ..exactly.paths import DosePath, dose_paths
from ..files import Out, claimed, write_folder, write_result
from ..plots import plot_dose_paths
from ..report import exact_csv, exact_summary, paths_csv
from ..scenario.model import Scenario
from .figures import figure
from .parts import Tell, write_resolved


def write_exact(
    found: Exact, paths: Sequence[DosePath], out: Out, *, overwrite: bool = False, tell: Tell | None = None
) -> None:
    """Write exact results as a folder: summary, characteristics and dose paths as CSV, and the tree of dose paths.

    Raises
    ------
    OutputError
        If the folder exists, or cannot be written; nothing is left half-written.
    """

    def write(folder: Path) -> None:
        (folder / "summary.txt").write_text(exact_summary(found, paths) + "\n", encoding="utf-8")
        (folder / "characteristics.csv").write_text(exact_csv(found), encoding="utf-8")
        if paths:
            (folder / "paths.csv").write_text(paths_csv(paths), encoding="utf-8")
        write_resolved(folder, found.scenario)

    doses = [level.label for level in found.scenario.dose_levels]
    figures = {"paths": figure(lambda: plot_dose_paths(paths, doses=doses))} if paths else {}
    write_folder(out, write, overwrite, figures, tell=tell)


def listed_paths(scenario: Scenario) -> list[DosePath]:
    """Return every dose path of a scenario with its probability; none where there are too many, or none are exact."""
    try:
        return dose_paths(scenario)
    except NotCoveredError:
        return []


@write_result.register(Exact)
def _save_exact(found: Exact, out: Path, overwrite: bool) -> None:
    with claimed(out, overwrite) as place:
        write_exact(found, listed_paths(found.scenario), place)
