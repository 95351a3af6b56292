"""What the READMEs say is so: printed output, Python, shell, TOML, links, verbs, rooms."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import escalate
from conftest import ROOT, SCENARIOS
from escalate.cli import _parser
from escalate.scenario import ledger
from escalate.studies.study import read_study
from readmes import END, READMES, blocks, kept_figure, printed_again, relative, shown_trial, shows
from test_layers import LAYERS

README = (ROOT / "README.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "src" / "escalate"
EACH = pytest.mark.parametrize("page", READMES, ids=relative)
TOPS = ("src", "tests", "scenarios", "notebooks", "seeds")
WRITTEN = {
    *{
        "results/nct06337474/",
        "median-trial/",
        "summary.json",
        "characteristics.csv",
        "trials.npz",
        "resolved.json",
    },
    *{"events.csv", "patients.csv", "cohorts.csv", "decisions.csv", "sweep.csv", "study.json", "provenance.json"},
}
"""Files and folders that pages name because commands write them."""
SUFFIXES = "py|md|toml|csv|ipynb|json"


def test_every_page_is_there() -> None:
    assert {"README.md", "scenarios/README.md", "notebooks/README.md", "tests/README.md", "src/escalate/README.md"} <= {
        relative(page) for page in READMES
    }


@EACH
def test_printed_output(page: Path) -> None:
    """What a page prints is what the command prints: `python tests/write_readmes.py` writes it anew."""
    text = page.read_text(encoding="utf-8")
    assert text.count("<!-- printed by: ") == text.count(END)
    for command, stands, now in printed_again(text):
        assert stands == now, f"{command}: {relative(page)} is not in step: run python tests/write_readmes.py"


def test_what_is_printed() -> None:
    """The front page and the list of keys are checked, and not nothing."""
    commands = [command for page in READMES for command, _, _ in printed_again(page.read_text(encoding="utf-8"))]
    assert sorted(commands) == ["keys --markdown", "run scenarios/nct06337474.toml --no-files"]


@EACH
def test_python_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    for code in blocks(page.read_text(encoding="utf-8"), "python"):
        exec(compile(ast.parse(code), relative(page), "exec"), {})
    if page == ROOT / "README.md":
        assert (tmp_path / "timeline.png").read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / "results" / "harder" / "summary.txt").is_file()


@EACH
def test_commands_can_be_read(page: Path) -> None:
    """Every `escalate ...` in a shell block has arguments that the command line takes."""
    lines = [line for code in blocks(page.read_text(encoding="utf-8"), "sh") for line in re.split(r"(?<!\\)\n", code)]
    for line in lines:
        words = shlex.split(line.replace("\\\n", " "), comments=True)
        if words and words[0].split("/")[-1] == "escalate":
            _parser().parse_args(words[1:])


def test_the_study_is_one(tmp_path: Path) -> None:
    [text] = [block for block in blocks(README, "toml") if block.startswith("scenario = ")]
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    (tmp_path / "study.toml").write_text(text)
    assert len(read_study(tmp_path / "study.toml").points) == 3 * 4 * 2


def test_the_scenario_that_a_page_writes_is_one(tmp_path: Path) -> None:
    """The short scenario loads, alone and with everything that the page adds to it."""
    written = blocks((ROOT / "scenarios" / "README.md").read_text(encoding="utf-8"), "toml")
    short, *more = [block for block in written if not block.startswith("target")]
    [sites] = [block for block in more if "[accrual]" in block]  # instead of that of the short one
    more = [block for block in more if "[rule]" not in block and block != sites]
    assert len(more) == 3
    before, after = short.split('[accrual]\nkind = "poisson"\nconsents_per_month = 2\n')
    for text in (short, short + "\n".join(more), before + sites + after):
        (tmp_path / "scenario.toml").write_text(text)
        assert escalate.load(tmp_path / "scenario.toml").trial.planned_patients == 12


@EACH
def test_files_that_it_names_exist(page: Path) -> None:
    """Links are relative to the page; other paths to the project, to the page, or to the package."""
    text = re.sub(r"```.+?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for path in re.findall(r"\]\(([^)#]+)\)", text):
        assert (page.parent / path).exists(), path
    for path in set(re.findall(rf"`((?:[\w.*-]+/)+[\w.*-]*|[\w*-]+\.(?:{SUFFIXES}))`", text)):
        bare = "/" not in path and any(list((ROOT / top).rglob(path)) for top in TOPS)
        found = bare or any(list(home.glob(path)) for home in (ROOT, page.parent, PACKAGE))
        assert found or path in WRITTEN, f"{relative(page)} names {path}"


def test_every_verb_is_listed() -> None:
    verbs = next(action.choices for action in _parser()._actions if action.dest == "verb")
    assert re.findall(r"\| `escalate (\w+)", README) == list(verbs)


def test_the_rooms_are_the_floors() -> None:
    """The table of rooms is the list of floors that `test_layers` holds the code to."""
    text = (PACKAGE / "README.md").read_text(encoding="utf-8")
    rows = [(int(floor), room) for floor, room in re.findall(r"^\| (\d+) \| `(\w+)` \|", text, re.MULTILINE)]
    floors = {len(LAYERS) - number: rooms for number, rooms in enumerate(LAYERS)}
    assert {floor: {room for at, room in rows if at == floor} for floor, _ in rows} == floors
    assert [floor for floor, _ in rows] == sorted((floor for floor, _ in rows), reverse=True)


def test_every_room_says_what_lives_there() -> None:
    """A room's paragraph: a first line, and more than that."""
    for room in sorted({path.parent for path in PACKAGE.glob("*/*.py")}):
        words = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8")))
        assert words is not None and len(words.split("\n\n")) >= 2, room.name
        assert len(words) > 250, room.name


def test_nothing_outside_is_named() -> None:
    for page in READMES:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"(?<![\w.])(/home|/tmp|/work|/root|/Users|\.\./\.\./\.\.)", text), relative(page)


def test_the_front_pages_figure_shows_what_is_simulated_today() -> None:
    assert kept_figure() == shows(shown_trial())


def test_what_a_planner_asks_is_answered_as_in_its_notebook() -> None:
    page, said = " ".join(README.split()), " ".join("".join(outputs("03_timelines_and_accrual")).split())
    for asked, words in PLANNED.items():
        found = re.search(asked, said)
        assert found is not None, asked
        assert words.format(f"{float(found[1]):.0f}") in page, asked


PLANNED = {
    r"\*\*(\S+)% ± \S+\*\* are": "chance to finish in time, {}%,",
    r"second site .* raises .* most, to (\S+)%": "becomes {}% with a second site from month 6",
    r"-(\S+) ± \S+ points: closed in August": "it falls by {} points with stops in August and at New Year",
    r"-(\S+) ± \S+ points: committee on first": "by {} with a committee on first Mondays",
    r"-(\S+) ± \S+ points: screening of 28": "by {} with screening of 28 days",
}
"""What the front page tells a planner, by how its notebook says it."""


def outputs(notebook: str) -> Iterator[str]:
    """Yield the texts of a notebook's outputs, as they are kept."""
    book = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))
    for cell in book["cells"]:
        for output in cell.get("outputs", ()):
            yield from output.get("data", {}).get("text/markdown", ())


def test_the_front_page_is_short() -> None:
    assert len(README.encode()) < 18_000


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


def test_nothing_of_the_package_is_ignored() -> None:
    """What git ignores, the wheel and the linter pass over: no room may have the name of an ignored folder."""
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "src", "tests", "scenarios"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git checkout")
    sources = [path for path in listed.stdout.splitlines() if path.endswith((".py", ".toml", ".csv", ".md", ".gz"))]
    assert [path for path in sources if not path.startswith("tests/.")] == []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_shipped_scenarios_run(scenario: Path) -> None:
    loaded = escalate.load(scenario)
    assert loaded.trial.description
    assert [entry.key for entry in ledger(loaded) if entry.kind == "unsourced"] == []
    trials = escalate.simulate(loaded, trials=30)
    assert len(trials) == 30
    again = escalate.Scenario.model_validate_json(escalate.load(scenario).model_dump_json())
    assert again.fingerprint() == loaded.fingerprint()
