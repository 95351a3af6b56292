"""The command line, in process and once by subprocess: what is printed, exit status, files whole or not at all."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import escalate
from conftest import ROOT, SCENARIOS
from escalate.cli import main
from escalate.errors import OutputError
from escalate.files import MARK, write_folder

BASE = str(ROOT / "scenarios" / "nct06337474.toml")
LOADED_LATE = ("simpy", "matplotlib", "scipy", "pydantic", "numpy", "tqdm")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run every test in an empty folder, so that default folders of results go there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def modules_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "code",
    ["import escalate", "from escalate.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"],
)
def test_help_and_import_load_nothing_heavy(code: str) -> None:
    assert modules_after(code) & set(LOADED_LATE) == set()


def test_simulating_loads_neither_matplotlib_nor_scipy_stats() -> None:
    code = f"import escalate as esc\nesc.characteristics(esc.simulate(esc.load({BASE!r}), trials=2))"
    assert modules_after(code) & {"matplotlib", "scipy.stats", "pandas"} == set()


def test_run_writes_a_folder_of_results(capsys: pytest.CaptureFixture[str], elsewhere: Path) -> None:
    assert main(["run", BASE, "--trials", "50"]) == 0
    printed = capsys.readouterr().out
    for words in ("50 simulated trials", "Which dose would be recommended?", "no dose", "P(finished by the planned"):
        assert words in printed
    out = elsewhere / "results" / "nct06337474"
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    one = {"story.txt", "events.csv", "patients.csv", "cohorts.csv", "decisions.csv"}
    figures = {f"{name}.{kind}" for name in ("timeline", "staircase") for kind in ("png", "svg")}
    assert names == {
        *{
            "SHA256SUMS",
            "report.html",
            "summary.txt",
            "summary.json",
            "characteristics.csv",
            "trials.npz",
            "resolved.json",
            "nct06337474.toml",
        },
        *{f"median-trial/{name}" for name in one | figures},
        *{f"{name}.{kind}" for name in ("durations", "where-time-goes", "selection") for kind in ("png", "svg")},
    }
    assert (out / "nct06337474.toml").read_text() == Path(BASE).read_text()
    assert printed.startswith((out / "summary.txt").read_text().rstrip("\n"))
    summary = json.loads((out / "summary.json").read_text())
    assert summary["provenance"]["scenario_sha256"] == escalate.load(BASE).fingerprint()
    with np.load(out / "trials.npz") as columns:
        assert columns["replicate"].tolist() == list(range(50))
        assert set(columns["recommended"]) <= {"9e9 cells", "13.5e9 cells", "no dose"}
    assert not [path for path in (elsewhere / "results").iterdir() if path.name.startswith(".")]


def test_a_second_run_overwrites_nothing(elsewhere: Path) -> None:
    for _ in range(3):
        assert main(["run", BASE, "--trials", "2"]) == 0
    assert {path.name for path in (elsewhere / "results").iterdir()} == {
        "nct06337474",
        "nct06337474-2",
        "nct06337474-3",
    }


def test_a_resolved_scenario_makes_the_same_bytes(elsewhere: Path) -> None:
    assert main(["run", BASE, "--trials", "20", "--out", "first"]) == 0
    assert main(["run", "first/resolved.json", "--trials", "20", "--out", "second"]) == 0
    files = [path.relative_to("first") for path in Path("first").rglob("*") if path.is_file()]
    for file in files:
        if file.name not in ("nct06337474.toml", "SHA256SUMS"):
            assert (Path("second") / file).read_bytes() == (Path("first") / file).read_bytes(), file


def test_out_that_exists_is_refused_and_replaced_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", BASE, "--trials", "2", "--out", "here"]) == 0
    assert main(["run", BASE, "--trials", "2", "--out", "here"]) == 2
    assert "here: exists already; choose another --out, or replace it with --overwrite" in capsys.readouterr().err
    assert main(["run", BASE, "--trials", "3", "--out", "here", "--overwrite"]) == 0
    assert json.loads(Path("here/summary.json").read_text())["provenance"]["trials"] == 3


def test_a_folder_that_is_not_ours_is_never_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    Path("thesis").mkdir()
    Path("thesis/chapter.txt").write_text("years of work")
    assert main(["run", BASE, "--trials", "2", "--out", "thesis", "--overwrite"]) == 2
    assert "is not a folder of results" in capsys.readouterr().err
    assert Path("thesis/chapter.txt").read_text() == "years of work"


def test_a_full_disk_leaves_nothing_and_loses_nothing(monkeypatch: pytest.MonkeyPatch, elsewhere: Path,
                                                       capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    assert main(["run", BASE, "--trials", "2", "--out", "here"]) == 0
    before = Path("here/summary.json").read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("escalate.export.simulation.write_columns", full)
    capsys.readouterr()
    for arguments in (["--out", "there"], ["--out", "here", "--overwrite"]):
        assert main(["run", BASE, "--trials", "3", *arguments]) == 2
        assert "the disk is full" in capsys.readouterr().err
    assert [path.name for path in elsewhere.iterdir()] == ["here"]
    assert Path("here/summary.json").read_bytes() == before


def test_a_failed_rename_brings_the_old_folder_back(monkeypatch: pytest.MonkeyPatch, elsewhere: Path) -> None:
    def write(folder: Path, text: str) -> None:
        (folder / MARK).write_text(text)

    out = elsewhere / "here"
    write_folder(out, lambda folder: write(folder, "old"))
    rename = Path.rename

    def fail_for_new(path: Path, target: Path) -> Path:
        if path.name == "new":
            raise OSError(errno.EIO, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_for_new)
    with pytest.raises(OutputError, match="Input/output error"):
        write_folder(out, lambda folder: write(folder, "new"), overwrite=True)
    assert (out / MARK).read_text() == "old"
    assert [path.name for path in elsewhere.iterdir()] == ["here"]


def test_trial_tells_a_story(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trial", BASE, "--replicate", "3", "--out", "one"]) == 0
    printed = capsys.readouterr().out
    trial = escalate.simulate_trial(escalate.load(BASE), seed=1, replicate=3)
    assert trial.dose_path in printed
    assert escalate.story(trial) in printed
    assert Path("one/timeline.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(Path("one/provenance.json").read_text())["first_replicate"] == 3


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_check_lists_assumptions(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(scenario)]) == 0
    printed = capsys.readouterr().out
    assert "a valid scenario" in printed
    assert "unsourced: 0" in printed


def test_check_says_what_is_wrong_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.toml").write_text(Path(BASE).read_text().replace("cohort_size = 3", "cohort_siz = 3"))
    assert main(["check", "bad.toml"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("escalate: bad.toml:")
    assert "Did you mean `cohort_size`?" in captured.err


def test_init_writes_a_draft_that_checks(capsys: pytest.CaptureFixture[str]) -> None:
    record = str(ROOT / "seeds" / "NCT06337474.json")
    assert main(["init", record, "--out", "draft.toml"]) == 0
    assert main(["check", "draft.toml"]) == 0
    assert main(["init", record, "--out", "draft.toml"]) == 2
    assert "replace it with --overwrite" in capsys.readouterr().err
    assert main(["init", record]) == 0
    assert capsys.readouterr().out == Path("draft.toml").read_text()


def test_schema_describes_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    undocumented = [
        f"{name}.{key}"
        for name, section in {**schema["$defs"], "Scenario": schema}.items()
        for key, field in section.get("properties", {}).items()
        if not {"description", "$ref"} & set(field)
    ]
    assert undocumented == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run"], "scenario"),
        (["run", BASE, "--trials", "0"], "0 is less than 1"),
        (["run", BASE, "--seed", "-1"], "-1 is less than 0"),
        (["run", BASE, "--trials", "many"], "'many' is not a whole number"),
        (["walk"], "there is no verb walk"),
    ],
)
def test_bad_arguments_exit_with_2(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert says in capsys.readouterr().err


def test_what_fails_inside_is_one_line_and_1(monkeypatch: pytest.MonkeyPatch,
                                             capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr("escalate.trial.conduct.simulate_trial", broken)
    assert main(["trial", BASE, "--no-files"]) == 1
    assert capsys.readouterr().err == "escalate: failed: RuntimeError: out of order (--debug shows where)\n"
    with pytest.raises(RuntimeError):
        main(["--debug", "trial", BASE, "--no-files"])


def test_the_installed_command(elsewhere: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "escalate", "run", BASE, "--trials", "20", "--no-files"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Which dose would be recommended?" in done.stdout
    assert list(elsewhere.iterdir()) == []
    done = subprocess.run([sys.executable, "-m", "escalate", "run", "none.toml"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "escalate: none.toml: there is no such file\n"
