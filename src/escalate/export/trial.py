"""One trial as a folder: records, story, timeline and staircase."""

from __future__ import annotations

from pathlib import Path

from ..files import Out, Write, write_folder
from ..plots import plot_staircase, plot_timeline
from ..report.narrative import story
from ..scenario.model import Scenario
from ..studies.simulation import provenance
from ..words.asked import asks
from ..words.csv_text import csv_bytes
from ..words.records import Trial
from .figures import figure
from .parts import Tell, write_cautions, write_json, write_resolved
from .sheets import also_workbook, saves


@asks(Trial)
def write_trial(
    trial: Trial, scenario: Scenario, out: Out, *, overwrite: bool = False, xlsx: bool = False, tell: Tell | None = None
) -> None:
    """Write one trial as a folder: records, story, figures and what is needed to make it again.

    Parameters
    ----------
    trial : Trial
        A finished trial.
    scenario : Scenario
        The scenario that it is a trial of.
    out : path or Place
        Folder to write.
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
        If a figure could not be drawn; everything else is written.
    """

    def write(folder: Path) -> None:
        write_records(folder, trial)
        write_cautions(folder, scenario)
        write_resolved(folder, scenario)
        made = provenance(scenario, seed=trial.seed, first=trial.replicate, trials=1)
        write_json(folder / "provenance.json", made)

    write_folder(out, write, overwrite, figures_of_trial(trial) | also_workbook(trial, xlsx), tell=tell)


def write_records(folder: Path, trial: Trial) -> None:
    """Write the story of one trial, and its four tables as CSV."""
    (folder / "story.txt").write_text(story(trial) + "\n", encoding="utf-8")
    for table in (trial.events, trial.patients, trial.cohorts, trial.decisions):
        (folder / f"{table.name}.csv").write_bytes(csv_bytes(table.to_csv()))


def figures_of_trial(trial: Trial) -> dict[str, Write]:
    """Return the figures of one trial, by their names."""
    return {
        "timeline": figure(lambda: plot_timeline(trial)),
        "staircase": figure(lambda: plot_staircase(trial)),
    }


@saves(Trial)
def _save_trial(trial: Trial, out: Path, overwrite: bool) -> None:
    assert isinstance(trial.scenario, Scenario)
    write_trial(trial, trial.scenario, out, overwrite=overwrite)
