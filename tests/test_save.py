"""Results save themselves: in the same bytes as the command line, and by the same rules."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import escalate
from conftest import ROOT
from escalate import Scenario
from escalate.cli import main
from escalate.errors import OutputError
from escalate.files import MANIFEST, MARK, Saves, seal, write_result
from escalate.studies.study import read_study
from small import small

BASE = ROOT / "scenarios" / "nct06337474.toml"
STUDY = """
scenario = "nct06337474.toml"
trials = 20

[grid]
"follow_up.days" = [60, 90]
"""
COMPARED = ["--rule", "3+3 variant=A", "--rule", "BOIN", "--truth", "0.03 0.06", "--target", "0.25"]
VERBS = {
    "run": ["run", str(BASE), "--trials", "20"],
    "trial": ["trial", str(BASE), "--replicate", "3"],
    "exact": ["exact", str(BASE)],
    "compare": ["compare", str(BASE), "--trials", "20", *COMPARED],
    "sensitivity": ["sensitivity", str(BASE), "--trials", "20"],
    "sweep": ["sweep", "study.toml"],
    "table": ["table", str(BASE)],
}
ONLY_OF_THE_COMMAND = {"run": {BASE.name, "trials.npz"}, "compare": {BASE.name}}
ONLY_OF_PYTHON = {"sweep": {MANIFEST}}
"""Files that a result does not hold: copies of what the command was given, and the trials, which save themselves;
and what the command's folder does not hold: a sweep may go on there, so that it is no list of all its files."""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / BASE.name).symlink_to(BASE)
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def found(verb: str, base: Scenario) -> Saves:
    """Return what a verb writes, as Python has it."""
    match verb:
        case "run":
            return escalate.characteristics(escalate.simulate(base, trials=20))
        case "trial":
            return escalate.simulate_trial(base, seed=1, replicate=3)
        case "exact":
            return escalate.exact(base)
        case "compare":
            rules: list[Any] = [{"name": "3+3", "variant": "A"}, {"name": "BOIN"}]
            return escalate.compare(base, rules, [{"dlt_probability": [0.03, 0.06]}], target=0.25, trials=20)
        case "sensitivity":
            return escalate.sensitivity(base, trials=20)
        case "sweep":
            return escalate.sweep(read_study("study.toml"))
    return escalate.decision_table(base)


def files(folder: str | Path) -> dict[str, bytes]:
    """Return every file of a folder; chunks of a sweep aside, which are work half done."""
    every = [path for path in Path(folder).rglob("*") if path.is_file() and path.parent.name != "chunks"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in every}


def test_figures_are_written_as_the_command_writes_them(base: Scenario) -> None:
    assert main([*VERBS["trial"], "--out", "command"]) == 0
    found("trial", base).save("python")
    assert files("python") == files("command")


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the text of a figure instead of the figure, since drawing takes a second each."""
    for place in ("escalate.plots.style.image", "escalate.export.figures.image"):
        monkeypatch.setattr(place, lambda axes, kind: f"{kind}: {[text.get_text() for text in axes.texts]}".encode())


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("verb", VERBS)
def test_a_result_writes_what_the_command_writes(verb: str, base: Scenario) -> None:
    assert main([*VERBS[verb], "--out", "command"]) == 0
    found(verb, base).save("python")
    command, python = files("command"), files("python")
    assert command.keys() - python.keys() == ONLY_OF_THE_COMMAND.get(verb, set())
    assert python.keys() - command.keys() == ONLY_OF_PYTHON.get(verb, set())
    assert [name for name in python if name != MANIFEST and python[name] != command[name]] == []


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_overwritten_unless_asked(verb: str, base: Scenario) -> None:
    result = found(verb, base)
    Path("thesis").mkdir()
    Path("thesis/chapter.txt").write_text("years of work")
    Path("here").mkdir()
    Path("here", MARK).write_text("an earlier result")
    seal(Path("here"))
    earlier = files("here")
    with pytest.raises(OutputError, match=r"here: exists already; .* \(in Python: overwrite=True\)"):
        result.save("here")
    assert files("here") == earlier
    with pytest.raises(OutputError, match="is not a folder of results"):
        result.save("thesis", overwrite=True)
    assert files("thesis") == {"chapter.txt": b"years of work"}
    result.save("here", overwrite=True)
    assert len(files("here")) > 1
    assert files("here")[MARK] != b"an earlier result"


@pytest.mark.usefixtures("undrawn")
def test_trials_that_begin_later_tell_their_own_median(base: Scenario) -> None:
    trials = escalate.simulate(base, trials=3, first=5)
    escalate.characteristics(trials).save("later")
    middle = 5 + int(trials.duration_days.argsort(kind="stable")[1])
    told = escalate.simulate_trial(base, seed=1, replicate=middle)
    replace(told, chosen="of 3 trials the one of median duration").save("one")
    for name in ("story.txt", "patients.csv"):
        assert Path("later/median-trial", name).read_bytes() == Path("one", name).read_bytes()


@pytest.mark.usefixtures("undrawn")
def test_trials_save_themselves(base: Scenario) -> None:
    assert main([*VERBS["run"], "--out", "command"]) == 0
    trials = escalate.simulate(base, trials=20)
    trials.save("trials.npz")
    assert Path("trials.npz").read_bytes() == Path("command/trials.npz").read_bytes()
    with pytest.raises(OutputError, match=r"trials\.npz: exists already"):
        trials.save("trials.npz")
    with pytest.raises(OutputError, match=r"trials\.csv: must end in \.npz"):
        trials.save("trials.csv")


@pytest.mark.usefixtures("undrawn")
def test_records_save_themselves(base: Scenario) -> None:
    assert main([*VERBS["trial"], "--out", "command"]) == 0
    trial = escalate.simulate_trial(base, seed=1, replicate=3)
    for table in (trial.events, trial.patients, trial.cohorts, trial.decisions):
        table.save(f"{table.name}.csv")
        assert Path(f"{table.name}.csv").read_bytes() == Path(f"command/{table.name}.csv").read_bytes()
    with pytest.raises(OutputError, match=r"events\.csv: exists already"):
        trial.events.save("events.csv")
    trial.patients.save("events.csv", overwrite=True)
    assert Path("events.csv").read_bytes() == Path("patients.csv").read_bytes()
    with pytest.raises(OutputError, match=r"events: must end in \.csv"):
        trial.events.save("events")


RULES: list[dict[str, Any]] = [
    {"name": "3+3"},
    {"name": "TITE-BOIN", "target": 0.25},
    {"name": "CRM", "target": 0.25, "prior_mtd_level": 2},
]
"""A rule for each kind of table."""


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["name"])
def test_a_decision_table_saves_itself_as_a_folder_or_as_one_file(rule: dict[str, Any]) -> None:
    table = escalate.decision_table(small(rule=rule))
    table.save("table")
    for name, data in files("table").items():
        if name not in (MARK, MANIFEST, "boundaries.csv"):
            table.save(name)
            assert Path(name).read_bytes() == data
    assert len(files("table")) == 8 + ("boundaries.csv" in files("table"))
    with pytest.raises(OutputError, match=r"table\.docx: must end in \.txt or \.csv or \.md or"):
        table.save("table.docx")


def test_a_result_of_no_known_kind_is_said() -> None:
    with pytest.raises(TypeError, match=r"escalate\.export registers nothing that writes a Saves"):
        Saves().save("nothing")
    assert write_result.registry.keys() > {object}


def test_results_know_how_to_save_before_anything_was_exported() -> None:
    """Simulating loads no figures; saving loads what it needs by itself."""
    code = (
        "import sys, escalate as esc\n"
        f"trial = esc.simulate_trial(esc.load({str(BASE)!r}), seed=1)\n"
        "assert 'matplotlib' not in sys.modules and 'escalate.export' not in sys.modules\n"
        "trial.save('one')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert Path("one/story.txt").is_file()
