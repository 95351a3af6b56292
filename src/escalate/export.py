"""Results as files: a folder appears whole or not at all, and nothing is overwritten unless asked.

The command line calls the functions here; results that save themselves come in by `escalate.files.write_result`, for
which the last functions are registered.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .cautions import caution_lines, cautions
from .errors import EscalateError, IncompleteError, NotCoveredError, OutputError
from .exactly.enumeration import Exact
from .exactly.paths import DosePath, dose_paths
from .files import (
    MARK,
    FileRead,
    Place,
    Write,
    brief,
    claimed,
    write_file,
    write_folder,
    write_result,
    write_text,
    write_whole,
)
from .plots import (
    plot_accrual_fan,
    plot_comparison,
    plot_decision_table,
    plot_dose_paths,
    plot_durations,
    plot_selection,
    plot_staircase,
    plot_sweep,
    plot_timeline,
    plot_tornado,
    plot_where_time_goes,
)
from .plots.style import image
from .protocol_tables import CountTable, ProtocolTable
from .protocol_tables.layout import OfScenario, whole
from .report import exact_csv, exact_summary, paths_csv, summary
from .report.accrual import accrual_summary
from .report.narrative import story
from .results.estimates import Characteristics, characteristics
from .results.outcomes import Trials, join
from .results.tally import PATHS_OF, Tally, tally, total
from .scenario.model import Scenario
from .scenario.own_rules import CODE
from .scenario.rules import PythonRule
from .studies.accruals import Accrual
from .studies.comparison import Comparison
from .studies.representative import representative, representative_trial
from .studies.sensitivities import Sensitivity
from .studies.simulation import provenance, simulated_parts
from .studies.sweeps import Sweep, write_sweep
from .words.records import ScenarioLike, Trial
from .words.tables import Table

Out = str | os.PathLike[str] | Place
"""A folder to write, or the place that was claimed for it."""

MEDIAN_TRIAL = "median-trial"
"""Folder of the one trial that is told of many."""

Tell = Callable[[], object]
"""Says what was found: asked when numbers are written, and figures are not drawn yet."""


def run(
    scenario: Scenario,
    out: str | os.PathLike[str] | Place | None = None,
    *,
    trials: int = 10_000,
    seed: int = 1,
    overwrite: bool = False,
    progress: bool = False,
    executor: Executor | None = None,
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
    progress : bool
        Whether to show progress on stderr.
    executor : concurrent.futures.Executor, optional
        Who runs the trials, as in `simulate`.
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
    if out is not None and not isinstance(out, Place):
        with claimed(Path(out), overwrite) as place:
            return run(scenario, place, trials=trials, seed=seed, progress=progress, executor=executor,
                       source=source, tell=tell)  # fmt: skip
    source = FileRead(Path(source), Path(source).read_bytes()) if isinstance(source, (str, os.PathLike)) else source
    kept: list[Trials] = []
    counted: list[Tally] = []
    for part in simulated_parts(scenario, trials=trials, seed=seed, progress=progress, executor=executor):
        counted.append(tally(part, paths_until=PATHS_OF))
        if out is not None:
            kept.append(part)
    found = characteristics(total(sorted(counted, key=lambda part: part.first)))
    if out is not None:
        simulated = join(sorted(kept, key=lambda part: part.first))
        told = representative(simulated)
        kept.clear()  # what is joined need not lie in memory twice

        def write(folder: Path) -> None:
            _write_characteristics(folder, found, told)
            _write_trials(folder / "trials.npz", simulated)
            if source is not None:
                _keep_rule(scenario, folder)

        inputs = [] if source is None else [source]
        out.write(write, _figures_of(found, told), inputs, None if tell is None else lambda: tell(found))
    elif tell is not None:
        tell(found)
    return found


def write_trial(
    trial: Trial, scenario: Scenario, out: Out, *, overwrite: bool = False, tell: Tell | None = None
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
        _write_one(folder, trial)
        _write_cautions(folder, scenario)
        _write_resolved(folder, scenario)
        made = provenance(scenario, seed=trial.seed, first=trial.replicate, trials=1)
        _write_json(folder / "provenance.json", made)

    write_folder(_place(out), write, overwrite, _figures_of_one(trial), tell=tell)


def _place(out: Out) -> Path | Place:
    return out if isinstance(out, Place) else Path(out)


def _figure(plot: Callable[[], Any]) -> Write:
    """Return what draws a figure and writes it in both formats; neither, if one cannot be written."""

    def write(path: Path) -> None:
        axes = plot()
        images = {kind: image(axes, kind) for kind in ("png", "svg")}
        for kind, data in images.items():
            path.with_name(f"{path.name}.{kind}").write_bytes(data)

    return write


def write_table(
    table: ProtocolTable, scenario: Scenario, out: Out, *, overwrite: bool = False, tell: Tell | None = None
) -> None:
    """Write a decision table as a folder: text, CSV, Markdown, HTML and a figure, with the resolved scenario.

    Each file stands alone: the HTML is a whole document; a CSV begins with the mark by which spreadsheets know UTF-8,
    if there is a letter beyond ASCII in it. A table of counts has its boundaries as a CSV of their own, too.

    Raises
    ------
    OutputError
        If the folder exists, or cannot be written; nothing is left half-written.
    """

    def write(folder: Path) -> None:
        texts = {f"table{ending}": text(table) for ending, text in TABLE_TEXTS.items()}
        if isinstance(table, CountTable):
            texts["boundaries.csv"] = table.boundaries_csv()
        for name, text in texts.items():
            (folder / name).write_bytes(_table_bytes(text, Path(name).suffix))
        _write_cautions(folder, scenario)
        _write_resolved(folder, scenario)

    write_folder(_place(out), write, overwrite, {"table": _figure(lambda: plot_decision_table(table))}, tell=tell)


TABLE_TEXTS: dict[str, Callable[[ProtocolTable], str]] = {
    ".txt": lambda table: table.to_text() + "\n",
    ".csv": lambda table: table.to_csv(),
    ".md": lambda table: table.to_markdown(),
    ".html": lambda table: whole(f"Decision table of {table.rule}", table.to_html()),
}
"""How a decision table is written as text, by the ending of the file."""


def _table_bytes(text: str, ending: str) -> bytes:
    """Return a text as it is written: a spreadsheet reads a CSV with a mark as UTF-8."""
    return text.encode("utf-8-sig" if ending == ".csv" and not text.isascii() else "utf-8")


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
        _write_resolved(folder, found.scenario)

    doses = [level.label for level in found.scenario.dose_levels]
    figures = {"paths": _figure(lambda: plot_dose_paths(paths, doses=doses))} if paths else {}
    write_folder(_place(out), write, overwrite, figures, tell=tell)


def listed_paths(scenario: Scenario) -> list[DosePath]:
    """Return every dose path of a scenario with its probability; none where there are too many, or none are exact."""
    try:
        return dose_paths(scenario)
    except NotCoveredError:
        return []


def write_comparison(
    found: Comparison, out: Out, *, overwrite: bool = False, inputs: Sequence[FileRead] = (), tell: Tell | None = None
) -> None:
    """Write a comparison as a folder: summary, table as CSV, figure, and every scenario that was simulated.

    Parameters
    ----------
    found : Comparison
        As `compare` returns it.
    out : path
        Folder to write.
    overwrite : bool
        Whether an earlier folder of results may be replaced.
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
        (folder / "summary.txt").write_text(summary(found) + "\n", encoding="utf-8")
        (folder / "comparison.csv").write_text(found.table.to_csv(), encoding="utf-8")
        _write_resolved(folder, found.scenario)
        made = provenance(found.scenario, seed=found.seed, first=0, trials=found.trials)
        compared = list(_write_scenarios(folder, found))
        _write_json(folder / "provenance.json", {**made, "overdose_above": found.overdose_above, "compared": compared})

    figures = {"comparison": _figure(lambda: plot_comparison(found))}
    write_folder(_place(out), write, overwrite, figures, inputs, tell)


def _write_scenarios(folder: Path, found: Comparison) -> Iterator[dict[str, str]]:
    """Write each scenario that was simulated, which `escalate run` makes again, and yield which it is."""
    truths = [truth.label for truth in found.truths]
    for (truth, rule), scenario in found.scenarios.items():
        number = found.rules.index(rule) + 1
        place = "scenarios"
        (folder / place).mkdir(exist_ok=True)
        if not _keep_rule(scenario, folder / place):  # another rule's file of this name is there
            place = f"scenarios/rule-{number}"
            (folder / place).mkdir(exist_ok=True)
            _keep_rule(scenario, folder / place)
        name = f"{place}/truth-{truths.index(truth) + 1}-rule-{number}.json"
        _write_json(folder / name, scenario.resolved())
        yield {"truth": truth, "rule": rule, "file": name, "scenario_sha256": scenario.fingerprint()}


def write_sensitivity(found: Sensitivity, out: Out, *, overwrite: bool = False, tell: Tell | None = None) -> None:
    """Write what each assumption does as a folder: summary, CSV, and a tornado for each measure.

    Raises
    ------
    OutputError
        If the folder exists, or cannot be written; nothing is left half-written.
    """

    def write(folder: Path) -> None:
        (folder / "summary.txt").write_text(summary(found) + "\n", encoding="utf-8")
        (folder / "sensitivity.csv").write_text(found.table.to_csv(), encoding="utf-8")
        _write_resolved(folder, found.scenario)
        made = provenance(found.scenario, seed=found.seed, first=0, trials=found.trials)
        _write_json(folder / "provenance.json", made)

    figures = {
        f"tornado-{base.measure.split()[0]}": _figure(partial(plot_tornado, found, measure=base.measure))
        for base in found.base
    }
    write_folder(_place(out), write, overwrite, figures, tell=tell)


def write_accrual(
    found: Accrual, out: Out, *, counted: str = "infused", overwrite: bool = False, tell: Tell | None = None
) -> None:
    """Write when patients come as a folder: summary, and the fan of all trials; see `accrual_summary`."""

    def write(folder: Path) -> None:
        (folder / "summary.txt").write_text(accrual_summary(found, counted) + "\n", encoding="utf-8")
        _write_resolved(folder, found.scenario)
        made = provenance(found.scenario, seed=found.seed, first=0, trials=found.trials)
        _write_json(folder / "provenance.json", {**made, "counted": counted})

    figures = {"accrual": _figure(lambda: plot_accrual_fan(found, counted=counted))}
    write_folder(_place(out), write, overwrite, figures, tell=tell)


def write_sweep_figure(found: Sweep, out: str | os.PathLike[str], name: str = "sweep", **what: Any) -> None:
    """Draw a sweep as ``sweep.png`` and ``sweep.svg``, or of another name, in its folder; `what` as in `plot_sweep`.

    Raises
    ------
    EscalateError
        If there is no such axis or measure.
    OutputError
        If the files cannot be written.
    IncompleteError
        If it cannot be drawn.
    """
    try:
        axes = plot_sweep(found, **what)
        images = {kind: image(axes, kind) for kind in ("png", "svg")}
    except EscalateError:
        raise
    except Exception as error:
        raise IncompleteError(f"{name} could not be drawn ({brief(error)}); everything else is in {out}") from error
    for kind, data in images.items():
        write_whole(Path(out) / f"{name}.{kind}", data)


def _write_characteristics(folder: Path, found: Characteristics, told: Trial) -> None:
    """Write what many trials say, and one of them."""
    counted = found.tally
    made = provenance(counted.scenario, seed=counted.seed, first=counted.first, trials=counted.trials)
    (folder / "summary.txt").write_text(summary(found) + "\n", encoding="utf-8")
    _write_json(folder / "summary.json", _summary_of(found, made))
    (folder / "characteristics.csv").write_text(found.table.to_csv(), encoding="utf-8")
    _write_resolved(folder, counted.scenario)
    one = folder / MEDIAN_TRIAL
    one.mkdir()
    _write_one(one, told)


def _figures_of(found: Characteristics, told: Trial) -> dict[str, Write]:
    """Return the figures of many trials, and of one of them."""
    return {
        "durations": _figure(lambda: plot_durations(found)),
        "where-time-goes": _figure(lambda: plot_where_time_goes(found)),
        "selection": _figure(lambda: plot_selection(found)),
        **{f"{MEDIAN_TRIAL}/{name}": write for name, write in _figures_of_one(told).items()},
    }


def _figures_of_one(trial: Trial) -> dict[str, Write]:
    return {
        "timeline": _figure(lambda: plot_timeline(trial)),
        "staircase": _figure(lambda: plot_staircase(trial)),
    }


def _summary_of(found: Characteristics, made: dict[str, Any]) -> dict[str, Any]:
    """Return what ``summary.json`` says: how to make it again, what to beware of, every estimate."""
    beware = [caution.to_json() for caution in cautions(found.tally.scenario)]
    return {"provenance": made, "cautions": beware, "estimates": list(found.table)}


def _keep_rule(scenario: Scenario, folder: Path) -> bool:
    """Write the Python file of a rule beside the resolved scenario, which names it, as it was when its code ran.

    Returns whether none of its name with other contents is there.
    """
    rule = scenario.rule
    code = CODE.get(rule.sha256 or "") if isinstance(rule, PythonRule) else None
    if code is None:
        return True
    assert isinstance(rule, PythonRule)
    name = Path(rule.python.rpartition(":")[0])
    if not name.is_absolute() and ".." not in name.parts:
        if (folder / name).exists():
            return (folder / name).read_bytes() == code
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(code)
    return True


def _write_one(folder: Path, trial: Trial) -> None:
    (folder / "story.txt").write_text(story(trial) + "\n", encoding="utf-8")
    for table in (trial.events, trial.patients, trial.cohorts, trial.decisions):
        (folder / f"{table.name}.csv").write_text(table.to_csv(), encoding="utf-8")


def _write_cautions(folder: Path, scenario: Scenario) -> None:
    """Write what to beware of beside texts that do not say it themselves; no file where there is nothing."""
    lines = caution_lines(cautions(scenario))
    if lines:
        (folder / "cautions.txt").write_text("\n".join([*lines, ""]), encoding="utf-8")


def _write_resolved(folder: Path, scenario: ScenarioLike) -> None:
    _write_json(folder / MARK, scenario.resolved())


def _write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_trials(path: Path | io.BytesIO, trials: Trials) -> None:
    """Write the columns as ``.npz``; without the time of writing in it, so that equal results are equal bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in trials.each_column():
            data = io.BytesIO()
            np.save(data, values, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), data.getvalue(), zipfile.ZIP_DEFLATED)


@write_result.register(Characteristics)
def _save_characteristics(found: Characteristics, out: Path, overwrite: bool) -> None:
    """Write what `run` writes, but for the trials themselves: `simulate` has them, and they save themselves."""
    with claimed(out, overwrite) as place:
        counted = found.tally
        many = min(counted.trials, PATHS_OF)
        told = representative_trial(counted.scenario, trials=many, seed=counted.seed, first=counted.first)
        place.write(lambda folder: _write_characteristics(folder, found, told), _figures_of(found, told))


@write_result.register(Trial)
def _save_trial(trial: Trial, out: Path, overwrite: bool) -> None:
    assert isinstance(trial.scenario, Scenario)
    write_trial(trial, trial.scenario, out, overwrite=overwrite)


@write_result.register(Exact)
def _save_exact(found: Exact, out: Path, overwrite: bool) -> None:
    with claimed(out, overwrite) as place:
        write_exact(found, listed_paths(found.scenario), place)


@write_result.register(Comparison)
def _save_comparison(found: Comparison, out: Path, overwrite: bool) -> None:
    write_comparison(found, out, overwrite=overwrite)


@write_result.register(Sensitivity)
def _save_sensitivity(found: Sensitivity, out: Path, overwrite: bool) -> None:
    write_sensitivity(found, out, overwrite=overwrite)


@write_result.register(Sweep)
def _save_sweep(found: Sweep, out: Path, overwrite: bool) -> None:
    write_folder(
        out, lambda folder: write_sweep(folder, found), overwrite, {"sweep": _figure(lambda: plot_sweep(found))}
    )


@write_result.register(Table)
def _save_records(table: Table, out: Path, overwrite: bool) -> None:
    _check_ending(out, (".csv",))
    write_text(out, table.to_csv(), overwrite)


@write_result.register(Trials)
def _save_trials(trials: Trials, out: Path, overwrite: bool) -> None:
    _check_ending(out, (".npz",))
    contents = io.BytesIO()
    _write_trials(contents, trials)
    write_file(out, contents.getvalue(), overwrite)


@write_result.register(OfScenario)
def _save_table(table: ProtocolTable, out: Path, overwrite: bool) -> None:
    """Write a decision table as one file, by its ending, or as a folder of all of them."""
    if out.suffix:
        _check_ending(out, (*TABLE_TEXTS, ".png", ".svg"))
        text, kind = TABLE_TEXTS.get(out.suffix.lower()), out.suffix.lower().lstrip(".")
        data = _table_bytes(text(table), f".{kind}") if text is not None else image(plot_decision_table(table), kind)
        write_file(out, data, overwrite)
    elif table.scenario is None:
        raise OutputError(f"{out}: a folder holds the scenario, and this table is of a rule by itself; name a file")
    else:
        write_table(table, table.scenario, out, overwrite=overwrite)


def _check_ending(out: Path, endings: Sequence[str]) -> None:
    if out.suffix.lower() not in endings:
        raise OutputError(f"{out}: must end in {' or '.join(endings)}, which says what is written")
