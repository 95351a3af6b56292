"""`--set KEY=VALUE`: every verb that takes a scenario changes it, says so, and refuses what it cannot be."""

from __future__ import annotations

import json
import shlex
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import escalate
from conftest import ROOT
from escalate import Scenario, ScenarioError
from escalate.cautions import cautions
from escalate.cli import VERBS, _parser, main
from escalate.scenario.command_line import settings, with_settings

SET = ("--set", "follow_up.days=100")
BASE = str(ROOT / "scenarios" / "nct06337474.toml")
CHANGED = "Changed on the command line: follow_up.days from 180 to 100"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def base() -> Scenario:
    return escalate.load(BASE)


# What each verb that takes a scenario is given, and where the changed value shows.
SHOWN = {
    "run": ("BASE --trials 5 --no-files", CHANGED),
    "sensitivity": ("BASE --trials 5 --no-files", CHANGED),
    "trial": ("BASE --no-files", CHANGED),
    "cut": ("BASE --on 2024-09-01 --out cut", ""),
    "accrual": ("BASE --trials 5 --no-files", CHANGED),
    "compare": ("BASE --trials 5 --no-files --no-exact", CHANGED),
    "exact": ("BASE", CHANGED),
    "table": ("BASE --out table", ""),
    "check": ("BASE", "follow_up.days = 100   (range 90 to 365)\n      changed on the command line from 180"),
    "sweep": ("study.toml --out swept", CHANGED),
}


def test_every_verb_is_shown() -> None:
    """A new verb that takes a scenario takes --set, and has its line here."""
    parsers = next(action.choices for action in _parser()._actions if action.dest == "verb")
    taking = {
        name for name, parser in parsers.items() if {"scenario", "study"} & {action.dest for action in parser._actions}
    }
    assert taking == set(SHOWN) and len(parsers) >= len(VERBS)


@pytest.mark.parametrize("verb", SHOWN)
def test_every_verb_changes_the_scenario(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("study.toml").write_text(f'scenario = {json.dumps(BASE)}\ntrials = 2\n[grid]\n"screening.days" = [5, 9]\n')
    words, shown = SHOWN[verb]
    assert main([verb, *shlex.split(words.replace("BASE", BASE)), *SET]) == 0
    printed = capsys.readouterr().out
    if verb in ("table", "cut"):
        printed = json.dumps(json.loads(Path(f"{verb}/resolved.json").read_text())["follow_up"])
        shown = '{"days": 100}'
    assert shown in printed


def test_results_remember_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The resolved scenario has the value and says where it came from, and so does what is made from it."""
    assert main(["run", BASE, "--trials", "3", "--out", "first", *SET]) == 0
    resolved = json.loads(Path("first/resolved.json").read_text(encoding="utf-8"))
    assert resolved["follow_up"]["days"] == 100
    assert resolved["sources"]["follow_up.days"] == "assumption: changed on the command line from 180 to 100"
    assert main(["run", "first/resolved.json", "--trials", "3", "--out", "again"]) == 0
    assert Path("again/summary.txt").read_bytes() == Path("first/summary.txt").read_bytes()
    assert CHANGED in Path("again/summary.txt").read_text(encoding="utf-8")


def test_values_are_toml_and_words(base: Scenario) -> None:
    lines = {
        "rule.target=0.25": None,
        "rule=BOIN": None,
        "trial.start_date=2025-02-03": None,
        "trial.planned_completion_date=none": None,
        "toxicity.dlt_probability[2]=0.3": None,
        "dose_levels.0.label=low, as before": None,
        'accrual={kind = "fixed", consent_days = [0, 7]}': None,
        "titration.last_level=1": None,
    }
    made = with_settings(base, list(lines))
    assert (made.rule.name, made.rule.target) == ("BOIN", 0.25)  # type: ignore[union-attr]
    assert (made.trial.start_date, made.trial.planned_completion_date) == (date(2025, 2, 3), None)
    assert made.toxicity.dlt_probability == (0.03, 0.3)
    assert made.dose_levels[0].label == "low, as before"
    assert made.accrual.kind == "fixed"
    assert made.titration is not None and made.titration.last_level == 1
    assert with_settings(base, []) is base
    again = Scenario.model_validate_json(made.model_dump_json())
    assert again == made and list(settings(again)) == list(settings(made))


def test_a_value_inside_its_range_keeps_it_and_one_outside_is_a_caution(base: Scenario) -> None:
    inside = with_settings(base, ["follow_up.days=365", "toxicity.dlt_probability=[0.05, 0.05]"])
    assert inside.ranges == base.ranges
    assert cautions(inside) == cautions(base)
    outside = with_settings(base, ["follow_up.days=366", "toxicity.dlt_probability[2]=0.21"])
    assert base.ranges.keys() - outside.ranges.keys() == {"follow_up.days", "toxicity.dlt_probability"}
    told = {one.key: one.matter for one in cautions(outside)}
    assert (
        "from 180 to 366 on the command line: outside the range that the scenario gives it, 90 to 365"
        in (told["follow_up.days"])
    )
    assert "[0.01, 0.02] to [0.1, 0.2]" in told["toxicity.dlt_probability"]


# What a person mistypes, and all that is said.
WRONG = {
    ("follow_up.days",): ['"follow_up.days": write KEY=VALUE, as in follow_up.days=90; `escalate keys` lists the keys'],
    ("=3",): ['"=3": write KEY=VALUE, as in follow_up.days=90; `escalate keys` lists the keys'],
    ("follow_up.dais=90",): ["follow_up.dais: there is no `dais` here. Did you mean `days`?"],
    ("titration.to=1",): ["titration.to: there is no `to` here. Allowed here: last_level"],
    ("rule.target=0.25",): ["rule.target = 0.25: does not belong to the kind that is chosen here"],
    ("rule=BOINN",): ['rule.name = "BOINN": must be one of'],
    ("follow_up.days=many",): ['follow_up.days = "many": must be a whole number'],
    ("toxicity.dlt_probability[3]=0.1", "dose_levels.label=low"): [
        "toxicity.dlt_probability[3]: there is no `[3]` here: `toxicity.dlt_probability` has 2, counted from [1]",
        "dose_levels.label: there is no `label` here: `dose_levels` is a list, and its first is dose_levels[1]",
    ],
    ("accrual.pauses[1].first_day=2025-07-01",): [
        "accrual.pauses[1].first_day: `accrual.pauses` is empty so far: set the whole list; `escalate keys",
    ],
    ("accrual.pauses=[{first_day=2025-06-01, last_day=2025-06-31}]", "trial.start_date=2024-13-01"): [
        'accrual.pauses = "[{first_day=2025-06-01, last_day=2025-06-31}]": 2025-06-31 is a date that does not exist',
        'trial.start_date = "2024-13-01": 2024-13-01 is a date that does not exist',
    ],
    ("accrual.pauses=[{first_day=2025-06-01 last_day=2025-06-30}]",): [
        'accrual.pauses = "[{first_day=2025-06-01 last_day=2025-06-30}]": is not TOML: unclosed inline table',
    ],
    ("follow_up.days=100", "follow_up.days=90"): ["follow_up.days: is given twice; leave one out"],
    ("x", "follow_up.dais=9", "safety.cohort_size=0", "screening.days=-1"): [
        '"x": write KEY=VALUE',
        "follow_up.dais: there is no `dais` here",
        "safety.cohort_size = 0: must be at least 1",
        "screening.days = -1: must be at least 0",
    ],
}


@pytest.mark.parametrize("lines", WRONG, ids=" ".join)
def test_all_faults_are_told_at_once(lines: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", BASE, *(word for line in lines for word in ("--set", line))]) == 2
    printed = capsys.readouterr()
    said = printed.err.splitlines()
    assert not printed.out and not Path("results").exists()
    assert len(said) == len(WRONG[lines])
    for words in WRONG[lines]:
        assert any(line.startswith(f"escalate: --set: {words}") for line in said), words


def test_python_tells_all_faults_at_once_too(base: Scenario) -> None:
    with pytest.raises(ScenarioError) as caught:
        base.replace({"follow_up.dais": 9, "safety.cohort_size": 0})
    assert [problem.key for problem in caught.value.problems] == ["follow_up.dais", "safety.cohort_size"]


def test_a_rule_of_ones_own_is_set_where_its_code_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text("import escalate as esc\n\n\n@esc.rule\ndef steady(known):\n    return 'stay'\n")
    setting = 'rule={python="mine.py:steady"}'
    assert main(["table", "nct06337474", "--set", setting]) == 2
    assert "give --allow-python" in capsys.readouterr().err
    assert main(["table", "nct06337474", "--set", setting, "--allow-python"]) == 0
    assert "steady" in capsys.readouterr().out


@pytest.mark.parametrize("said", ["no", "False", 1, None])
def test_code_runs_only_by_a_plain_yes(said: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text("raise SystemExit('this code has run')\n")
    change = {"rule": {"python": "mine.py:steady"}}
    for call in (lambda: escalate.load(BASE, allow_python=said),
                 lambda: escalate.load(BASE).replace(change, allow_python=said)):  # fmt: skip
        with pytest.raises(escalate.EscalateError, match="allow_python must be True or False, got"):
            call()
