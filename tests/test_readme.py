"""What the README says is so: its printed output, its Python, its links, its words."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import escalate
from conftest import ROOT, SCENARIOS
from escalate.cli import main
from escalate.scenario import ledger
from escalate.studies.study import read_study

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_printed_output(capsys: pytest.CaptureFixture[str]) -> None:
    printed = re.search(r"<!-- printed by: escalate (.+?) -->\n```text\n(.+?)```", README, re.DOTALL)
    assert printed is not None
    assert main([str(ROOT / part) if part.endswith(".toml") else part for part in printed[1].split()]) == 0
    assert capsys.readouterr().out == printed[2]


def test_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.search(r"```python\n(.+?)```", README, re.DOTALL)
    assert code is not None
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    exec(compile(ast.parse(code[1]), "README.md", "exec"), {})
    assert (tmp_path / "timeline.png").read_bytes().startswith(b"\x89PNG")


def test_the_study_is_one(tmp_path: Path) -> None:
    text = re.search(r"```toml\n(scenario = .+?)```", README, re.DOTALL)
    assert text is not None
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    (tmp_path / "study.toml").write_text(text[1])
    assert len(read_study(tmp_path / "study.toml").points) == 3 * 4 * 2


def test_files_that_it_names_exist() -> None:
    for path in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"`((?:src|tests|seeds|scenarios|notebooks)/[\w./-]*)`", README):
        assert (ROOT / path).exists(), path
    for module in re.findall(r"`(\w+)/?`", README.split("| module |")[1].split("An arrow only")[0]):
        package = ROOT / "src" / "escalate"
        assert (package / f"{module}.py").exists() or (package / module).is_dir(), module


def test_every_verb_is_listed() -> None:
    from escalate.cli import _parser

    verbs = next(action.choices for action in _parser()._actions if action.dest == "verb")
    assert re.findall(r"\| `escalate (\w+)", README) == list(verbs)


def test_one_command_runs_and_one_tests() -> None:
    commands = [line for line in README.splitlines() if line.startswith("python3 -m venv")]
    assert [command.split(" && ")[-1] for command in commands] == [
        ".venv/bin/escalate run scenarios/nct06337474.toml",
        ".venv/bin/python -m pytest -q",
    ]


def test_version_stands_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == escalate.__version__


def test_top_level() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    tops = {line.split("/")[0] for line in listed.stdout.splitlines()}
    assert {top for top in tops if not top.startswith(".")} == {
        *{"pyproject.toml", "README.md", "LICENSE", "seeds", "src", "scenarios", "notebooks", "tests"},
    }


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_shipped_scenarios_run(scenario: Path) -> None:
    loaded = escalate.load(scenario)
    assert loaded.trial.description
    assert [entry.key for entry in ledger(loaded) if entry.kind == "unsourced"] == []
    trials = escalate.simulate(loaded, trials=30)
    assert len(trials) == 30
    again = escalate.Scenario.model_validate_json(escalate.load(scenario).model_dump_json())
    assert again.fingerprint() == loaded.fingerprint()
