"""What is printed and written is harmless: on any terminal, in figures and documents, in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import escalate
from conftest import ROOT
from escalate import ScenarioError
from escalate.cli import main
from escalate.cli.terminal import OBEYED, shown
from escalate.words.csv_text import csv_text
from small import small

BASE = str(ROOT / "scenarios" / "nct06337474.toml")
VERBS = (
    ("--help",),
    ("run", BASE, "--trials", "40", "--no-files"),
    ("trial", BASE, "--no-files"),
    ("exact", BASE),
    ("table", BASE),
    ("check", BASE),
    ("keys",),
    ("rules", "CRM"),
    ("compare", BASE, "--trials", "5", "--rule", "3+3", "--rule", "rolling six", "--no-files"),
    ("init", str(ROOT / "seeds" / "NCT06337474.json")),
)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_every_verb_prints_on_any_terminal(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for verb in VERBS:
        written = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding, errors="strict"))
        try:
            assert main(verb) == 0, verb
        except SystemExit as end:
            assert end.code == 0
        sys.stdout.flush()
        text = written.getvalue().decode(encoding)
        assert text and "?" not in text.replace("?\n", "").replace("? ", ""), verb
        assert ("+/-" in text) == (encoding == "ascii" and verb[0] in ("run", "compare")) or "±" in text


RECORD = str(ROOT / "seeds" / "NCT06337474.json")
TOLD = (
    *(verb for verb in VERBS if verb[0] in ("run", "trial", "exact", "check")),
    ("init", RECORD, "--out", "draft.toml"),
    ("check", "there-is-no.toml"),
    ("compare", BASE, "--rule", "\u201c3+3\u201d", "--no-files"),
    ("run", BASE, "--trials", "many"),
)
EACH = """
import json, sys
from escalate.cli import main

statuses = []
for verb in json.loads(sys.argv[1]):
    try:
        statuses.append(main(verb))
    except SystemExit as end:
        statuses.append(end.code)
print(statuses, file=sys.stderr)
"""
PLAIN = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "40"}
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def told(folder: Path, encoding: str, more: dict[str, str]) -> tuple[str, str]:
    """Return what a process of its own prints into a file, and as errors, in an environment."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONIO", "PYTHONUTF8", "LC_"))}
    folder.mkdir()
    with (folder / "out.txt").open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-c", EACH, json.dumps(TOLD)], cwd=folder, stdout=out, stderr=subprocess.PIPE,
            env={**ours, **PLAIN, **more}, check=True,
        )  # fmt: skip
    return (folder / "out.txt").read_bytes().decode(encoding), done.stderr.decode(encoding)


def test_a_process_prints_the_same_on_any_terminal(tmp_path: Path) -> None:
    """Redirected to a file: nothing else than `shown` says, no escape sequence, exit status 0 or 2; files are UTF-8."""
    out, err = told(tmp_path / "utf-8", "utf-8", {"PYTHONIOENCODING": "utf-8"})
    assert "±" in out and "Traceback" not in err and not OBEYED.search(out + err)
    assert err.splitlines()[-1] == str([0] * (len(TOLD) - 3) + [2] * 3)
    for name, encoding, more in (
        ("locale", "ascii", C_LOCALE),
        ("ascii", "ascii", {"PYTHONIOENCODING": "ascii"}),
        ("cp1252", "cp1252", {"PYTHONIOENCODING": "cp1252"}),
    ):
        assert told(tmp_path / name, encoding, more) == (shown(out, encoding), shown(err, encoding)), name
        assert (tmp_path / name / "draft.toml").read_bytes() == (tmp_path / "utf-8" / "draft.toml").read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="pipes end otherwise there")
def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    """As ``escalate keys | head -1``; then nobody reads what the other verbs print."""
    verbs = json.dumps([["keys"], *TOLD[:4], TOLD[0]])
    with subprocess.Popen(
        [sys.executable, "-c", EACH, verbs], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith("Every key of a scenario file")
        process.stdout.close()
        assert process.stderr.read() == "[0, 0, 0, 0, 0, 0]\n"
        assert process.wait() == 0


@given(st.text(), st.sampled_from(["ascii", "cp1252", "utf-8", "no-such", None]))
def test_nothing_is_obeyed(text: str, encoding: str | None) -> None:
    printed = shown(text, encoding)
    assert not OBEYED.search(printed)
    printed.encode(encoding if encoding in ("ascii", "cp1252") else "utf-8")
    if text.isprintable() and text.isascii():
        assert printed == text


def test_signs_become_others_that_say_the_same() -> None:
    assert shown("62.7% ± 0.3, ≥ 2 × 10⁹ █ é", "ascii") == "62.7% +/- 0.3, >= 2 x 109 # e"
    assert shown("± ≥ é", "cp1252") == "± >= é"
    assert shown("\x1b[31mred\x9b\u202e\r\n\t\ud800", "utf-8") == "\\x1b[31mred\\x9b\\u202e\\r\n\t\\ud800"


def test_an_error_names_a_file_harmlessly(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "\x1b[31m.toml"]) == 2
    assert "\x1b" not in (printed := capsys.readouterr().err) and "\\x1b[31m.toml" in printed


@pytest.mark.parametrize("sign", ["\x1b", "\x07", "\x00", "\x7f", "\x9b", "\u202e", "\u2028", "\ud800"])
def test_no_text_of_a_scenario_holds_control_characters(sign: str) -> None:
    scenario = small()
    plain = json.loads(json.dumps(scenario.resolved()))
    wrong = {
        "trial": {**plain["trial"], "title": f"a{sign}b"},
        "dose_levels": [{"label": f"a{sign}b"}, {"label": "high"}],
        "screening": {**plain["screening"], "failure_probability": {f"a{sign}b": 0.1}},
        "sources": {"trial.planned_patients": f"registry: a{sign}b"},
    }
    for section, values in wrong.items():
        with pytest.raises(ScenarioError, match="control character"):
            escalate.load({**plain, section: values})
    with pytest.raises(ScenarioError, match="control character"):
        scenario.replace({"trial.title": f"a{sign}b"})
    with pytest.raises(ScenarioError, match="control character"):
        escalate.compare(scenario, [{"name": "3+3", "variant": "A", "label": f"a{sign}b"}], trials=1)
    with pytest.raises(ScenarioError, match="control character"):
        escalate.compare(scenario, None, {f"a{sign}b": [0.1, 0.2]}, trials=1)


def test_a_record_with_control_characters_makes_a_draft_without(tmp_path: Path) -> None:
    record = json.loads((ROOT / "seeds" / "NCT06337474.json").read_text(encoding="utf-8"))
    text = json.dumps(record).replace("CAR", "C\\u001b[31m\\u009b\\u202eAR")
    (tmp_path / "record.json").write_text(text, encoding="utf-8")
    draft = escalate.draft_scenario(tmp_path / "record.json")
    assert "C [31m  AR" in draft and not OBEYED.search(draft)


FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", " =1", "\n=1", "＝1", "-a", "=", "+")
NUMBERS = ("-0.5", "+1", "-1e-05", "-", "-3", "1", "")


def test_a_cell_of_a_spreadsheet_is_no_formula() -> None:
    rows = list(
        csv.reader(io.StringIO(csv_text(["=head"], [[cell] for cell in FORMULAS], ["a, =1+1;@b -5"]), newline=""))
    )
    assert rows[0][1].lstrip()[0] == "'" and rows[1] == ["'=head"]
    assert [row[0] for row in rows[2:]] == [f"'{cell}".replace("\r", "\n") for cell in FORMULAS]
    kept = list(csv.reader(io.StringIO(csv_text(["n", "v"], [[0, cell] for cell in (*NUMBERS, -0.5, None)]))))
    assert [row[1] for row in kept[1:]] == [*NUMBERS, "-0.5", ""]
    assert csv_text([], [], ["days -5, -4, -3"]).startswith("# days -5, -4, -3\n")


def test_a_cell_of_a_spreadsheet_is_no_day() -> None:
    days = ["3-4", "12/6/2025", "1.2.25", "3 Mar", "Mar-25", "may 2025"]
    plain = ["2025-03-04", "0/3 1/6", "1.5", "9e9 cells", "level 3", "1NNN 2NT", "3+3", "mark 3", "10 mg"]
    rows = list(csv.reader(io.StringIO(csv_text(["v"], [[v] for v in ("1/6", "0/3", *days, *plain)]))))
    assert [row[0] for row in rows[1:]] == ["1 of 6", "0 of 3", *(f"'{day}" for day in days), *plain]


def cells(text: str) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(text)) for cell in row]


def test_every_csv_that_is_written_is_harmless(tmp_path: Path) -> None:
    evil = "=HYPERLINK(A1)"
    scenario = escalate.load(BASE).replace({"dose_levels.0.label": evil, "trial.title": f"a, {evil}", "ranges": {}})
    escalate.simulate_trial(scenario, seed=1).save(tmp_path / "trial")
    escalate.characteristics(escalate.simulate(scenario, trials=5)).save(tmp_path / "run")
    escalate.exact(scenario).save(tmp_path / "exact")
    for after in ("", "1NNN"):
        escalate.decision_table(scenario, after=after).save(tmp_path / f"table{len(after)}")
    rules = {evil: "3+3", "other": "rolling six"}
    escalate.compare(scenario, rules, trials=5).save(tmp_path / "compared")
    files = list(tmp_path.rglob("*.csv"))
    texts = {file: file.read_text(encoding="utf-8-sig") for file in files}
    assert len(files) >= 10 and sum(evil in text for text in texts.values()) >= 4
    for file, text in texts.items():
        assert not [cell for cell in cells(text) if cell.strip().startswith("=")], file


def test_markdown_keeps_its_cells_and_has_no_tags() -> None:
    scenario = escalate.load(BASE).replace({"dose_levels.0.label": "a|b<script>", "ranges": {}})
    text = escalate.decision_table(scenario, after="1NNN").to_markdown()
    assert "<script" not in text
    lines = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1
