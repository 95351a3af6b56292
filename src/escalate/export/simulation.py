"""Many trials, simulated and written as a folder: operating characteristics, every trial, and one of them told."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from ..files import FileRead, Out, Place, Write, claimed, place_for
from ..pages import run_page
from ..plots import plot_durations, plot_selection, plot_where_time_goes
from ..report import summary
from ..results.estimates import Characteristics
from ..results.outcomes import Trials, join
from ..results.stored import write_columns
from ..results.tally import PATHS_OF, Tally, tally, total
from ..scenario.model import Scenario
from ..studies.control import cautions_of, characteristics, warn_if_off
from ..studies.crew import Crew
from ..studies.representative import representative
from ..studies.simulation import check_kept, provenance, simulated_parts
from ..words.asked import asks
from ..words.csv_text import csv_bytes
from ..words.defaults import TRIALS
from ..words.records import Trial
from .figures import drawn_before, figure
from .parts import keep_rule, write_json, write_resolved
from .sheets import also_workbook, saves, told_of
from .trial import figures_of_trial, write_records

MEDIAN_TRIAL = "median-trial"
"""Folder of the one trial that is told of many."""

PAGE = "report.html"
"""The page of a run: all of it in one file."""


@asks(Scenario, numbers=("trials", "seed"))
def run(
    scenario: Scenario,
    out: Out | None = None,
    *,
    trials: int = TRIALS,
    seed: int = 1,
    overwrite: bool = False,
    xlsx: bool = False,
    progress: bool | None = None,
    executor: Crew = None,
    parts: Iterable[Trials] | None = None,
    source: str | os.PathLike[str] | FileRead | None = None,
    tell: Callable[[Characteristics], object] | None = None,
) -> Characteristics:
    """Simulate a scenario, estimate its operating characteristics, and write a folder of results.

    Parameters
    ----------
    scenario : Scenario
        Protocol and assumptions.
    out : path, optional
        Folder to write, or the place that was claimed for it; nothing is written where it is not given.
    trials : int
        How many trials, at least 1.
    seed : int
        Seed, at least 0.
    overwrite : bool
        Whether an earlier folder of results may be replaced.
    xlsx : bool
        Whether a workbook is written, too (extra `excel`).
    progress : bool
        Whether to show how far it is; where a person watches, in a terminal or a notebook, if it is not given.
    executor : concurrent.futures.Executor or int, optional
        Who runs the trials, as in `simulate`.
    parts : iterable of Trials, optional
        The trials, where they were run before, in parts: by shards, as `escalate.studies.parts.merged` returns them.
    source : path or FileRead, optional
        The scenario's file, read now, or as it was read, to be kept beside the results.
    tell : callable, optional
        Is given what was found, before any figure is drawn.

    Returns
    -------
    Characteristics
        With the counts that they rest on in ``.tally``.

    Raises
    ------
    OutputError
        If the folder exists, or cannot be written; nothing is left half-written.
    IncompleteError
        If a figure could not be drawn; everything else is written.
    """
    place_or_none: AbstractContextManager[Place | None] = nullcontext() if out is None else place_for(out, overwrite)
    with place_or_none as place:
        if place is not None:
            check_kept(scenario, trials)
        inputs = _inputs(source)
        if parts is None:
            parts = simulated_parts(scenario, trials=trials, seed=seed, progress=progress, executor=executor)
        found, simulated = _estimated(parts, keep=place is not None)
        warn_if_off(found)
        if place is not None:
            told = representative(_first_of(simulated))
            write = partial(_write_run, found=found, told=told, simulated=simulated, keeps_rule=bool(inputs))
            place.write(
                write,
                _figures_of(found, told) | also_workbook(found, xlsx, told),
                inputs,
                None if tell is None else lambda: tell(found),
            )
        elif tell is not None:
            tell(found)
    return found


def _inputs(source: str | os.PathLike[str] | FileRead | None) -> list[FileRead]:
    """Return what is kept beside the results, read now if it was not yet."""
    if isinstance(source, (str, os.PathLike)):
        source = FileRead(Path(source), Path(source).read_bytes())
    return [] if source is None else [source]


def _estimated(parts: Iterable[Trials], keep: bool) -> tuple[Characteristics, list[Trials]]:
    """Return what trials say that come in parts, in whatever order, and the parts in theirs if they are kept."""
    kept: list[Trials] = []
    counted: list[Tally] = []
    for part in parts:
        counted.append(tally(part, paths_until=PATHS_OF))
        if keep:
            kept.append(part)
    found = characteristics(total(sorted(counted, key=lambda part: part.first)))
    return found, sorted(kept, key=lambda part: part.first)


def _first_of(parts: list[Trials]) -> Trials:
    """Return the parts of the first trials, among which one is chosen, as one."""
    ends = itertools.accumulate(len(part) for part in parts)
    return join([part for part, end in zip(parts, ends, strict=True) if end - len(part) < PATHS_OF])


def _write_run(folder: Path, found: Characteristics, told: Trial, simulated: list[Trials], keeps_rule: bool) -> None:
    """Write what many trials say, one of them, all of them, and the rule's Python file beside the scenario's."""
    _write_characteristics(folder, found, told)
    write_columns(folder / "trials.npz", simulated)
    if keeps_rule:
        keep_rule(simulated[0].scenario, folder)


def _write_characteristics(folder: Path, found: Characteristics, told: Trial) -> None:
    """Write what many trials say, and one of them."""
    counted = found.tally
    made = provenance(counted.scenario, seed=counted.seed, first=counted.first, trials=counted.trials)
    (folder / "summary.txt").write_text(summary(found) + "\n", encoding="utf-8")
    write_json(folder / "summary.json", _summary_of(found, made))
    (folder / "characteristics.csv").write_bytes(csv_bytes(found.table.to_csv()))
    write_resolved(folder, counted.scenario)
    one = folder / MEDIAN_TRIAL
    one.mkdir()
    write_records(one, told)


def _figures_of(found: Characteristics, told: Trial) -> dict[str, Write]:
    """Return the figures of many trials, and of one of them, and the page that holds them all."""
    figures = {
        "durations": figure(lambda: plot_durations(found)),
        "where-time-goes": figure(lambda: plot_where_time_goes(found)),
        "selection": figure(lambda: plot_selection(found)),
        **{f"{MEDIAN_TRIAL}/{name}": write for name, write in figures_of_trial(told).items()},
    }

    def write_page(path: Path) -> None:
        path.write_bytes(run_page(found, told, drawn_before(path.parent, figures)).encode())

    return figures | {PAGE: write_page}  # after the figures, which it holds


def _summary_of(found: Characteristics, made: dict[str, Any]) -> dict[str, Any]:
    """Return what ``summary.json`` says: how to make it again, what to beware of, every estimate."""
    beware = [caution.to_json() for caution in cautions_of(found)]
    return {"provenance": made, "cautions": beware, "estimates": list(found.table)}


@saves(Characteristics)
def _save_characteristics(found: Characteristics, out: Path, overwrite: bool) -> None:
    """Write what `run` writes, but for the trials themselves: `simulate` has them, and they save themselves."""
    with claimed(out, overwrite) as place:
        counted = found.tally
        told = told_of(counted)
        place.write(lambda folder: _write_characteristics(folder, found, told), _figures_of(found, told))
