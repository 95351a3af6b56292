"""A comparison as a folder, with every scenario that was simulated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..files import FileRead, Out, write_folder
from ..plots import plot_comparison
from ..studies.compared import Comparison
from .figures import pages
from .parts import Tell, keep_rule, save_sheet, write_json, write_studied
from .sheets import also_workbook, saves


def write_comparison(
    found: Comparison,
    out: Out,
    *,
    overwrite: bool = False,
    xlsx: bool = False,
    inputs: Sequence[FileRead] = (),
    tell: Tell | None = None,
) -> None:
    """Write a comparison as a folder: summary, tables as CSV, HTML and Markdown, figure, every scenario simulated.

    Parameters
    ----------
    found : Comparison
        As `compare` returns it.
    out : path
        Folder to write.
    overwrite : bool
        Whether an earlier folder of results may be replaced.
    xlsx : bool
        Whether a workbook is written, too (extra `excel`).
    inputs : sequence of FileRead
        What the scenario, the rules and the truths were read from, to be kept beside the results.
    tell : callable, optional
        Says what was found, before any figure is drawn.

    Raises
    ------
    OutputError
        If the folder exists, or cannot be written; nothing is left half-written.
    """

    def write(folder: Path) -> None:
        compared = list(_write_scenarios(folder, found))
        write_studied(folder, found, overdose_above=found.overdose_above, compared=compared)

    figures = {"comparison": pages(lambda page: plot_comparison(found, page=page))}
    write_folder(out, write, overwrite, figures | also_workbook(found, xlsx), inputs, tell)


def _write_scenarios(folder: Path, found: Comparison) -> Iterator[dict[str, str]]:
    """Write each scenario that was simulated, which `escalate run` makes again, and yield which it is."""
    truths = [truth.label for truth in found.truths]
    for (truth, rule), scenario in found.scenarios.items():
        number = found.rules.index(rule) + 1
        place = "scenarios"
        (folder / place).mkdir(exist_ok=True)
        if not keep_rule(scenario, folder / place):  # another rule's file of this name is there
            place = f"scenarios/rule-{number}"
            (folder / place).mkdir(exist_ok=True)
            keep_rule(scenario, folder / place)
        name = f"{place}/truth-{truths.index(truth) + 1}-rule-{number}.json"
        write_json(folder / name, scenario.resolved())
        yield {"truth": truth, "rule": rule, "file": name, "scenario_sha256": scenario.fingerprint()}


@saves(Comparison)
def _save_comparison(found: Comparison, out: Path, overwrite: bool) -> None:
    if not save_sheet(found, out, overwrite):
        write_comparison(found, out, overwrite=overwrite)
