"""Mistakes that people make: exit status 2 and lines that say where, never a failure of the program."""

# ruff: noqa: E501

from __future__ import annotations

import json
from pathlib import Path

import pytest

import escalate
from conftest import ROOT
from escalate.cautions import cautions
from escalate.cli import main

FILE = ROOT / "scenarios" / "nct06337474.toml"
BASE = FILE.read_text(encoding="utf-8").partition("\n[ranges]")[0] + "\n"
DIGITS = "9" * 5000


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what is said when something is refused."""
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert all(line.startswith("escalate: ") for line in printed.err.splitlines())
    return printed.err


# What a person writes into a scenario instead of what, and what is said.
SCENARIO = {
    "below a number": ("\n[sources]", '\n[ranges]\n"follow_up.days.x" = [1, 2]\n[sources]', "`follow_up.days` is one value, and nothing stands below it"),
    "below a number in a list": ("\n[sources]", '\n[ranges]\n"toxicity.dlt_probability.0.1" = [0, 1]\n[sources]', "`toxicity.dlt_probability[1]` is one value"),
    "no such position": ("\n[sources]", '\n[ranges]\n"toxicity.dlt_probability.²" = [0, 1]\n[sources]', "there is no `²` here"),
    "range of another shape": ("\n[sources]", '\n[ranges]\n"toxicity.dlt_probability" = [0.01, 0.1]\n[sources]', "as many numbers as the value has"),
    "range of another kind": ("\n[sources]", '\n[ranges]\n"rule.target" = [0.2, 0.3]\n[sources]', "there is no such value: it does not belong to the kind"),
    "two brackets": ("\n[safety]", "\n[[safety]]", "write [safety], with one bracket on each side"),
    "two brackets at a table": ("\n[sources]", "\n[[sources]]", "write [sources], with one bracket on each side"),
    "digits": ("days = 180", f"days = {DIGITS}", "a number has too many digits"),
    "deep": ("days = 180", f"days = {'[' * 100_000}", "it is nested too deeply"),
    "deep table": ("\n[sources]", f"\n[x{'.x' * 3000}]\na = 1\n[sources]", "more than 100 parts"),
    "source of no rule's option": ("\n[sources]", '\n[sources]\n"rule.varaint" = "assumption: x"', "there is no such key"),
}  # fmt: skip


@pytest.mark.parametrize("name", SCENARIO)
def test_in_a_scenario(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, words = SCENARIO[name]
    assert BASE.count(old) == 1
    Path("s.toml").write_text(BASE.replace(old, new), encoding="utf-8")
    assert words in said(capsys, "check", "s.toml")


def test_a_section_with_two_brackets_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("s.toml").write_text(BASE.replace("\n[safety]", "\n[[safety]]"), encoding="utf-8")
    line = BASE.splitlines().index("[safety]") + 1
    assert said(capsys, "check", "s.toml").startswith(f"escalate: s.toml:{line}: safety")


# Axes of a study on its fourth line, and what is said.
STUDY = {
    '"follow_up.days" = {start = 90, stop = 180}': "follow_up.days: a range has from, to and steps",
    '"follow_up.days.x" = [1]': "`follow_up.days` is one value",
    '"toxicity.dlt_probability.0.1" = [1]': "`toxicity.dlt_probability[1]` is one value",
    f'"follow_up.days" = {{from = 1, to = {"9" * 400}, steps = 3}}': "from and to of a range must be numbers",
    '"follow_up.days" = {from = -1e308, to = 1e308, steps = 3}': "from and to of a range must be numbers",
    '"follow_up.days" = [90, 5]': "point 2 (follow_up.days = 5): follow_up.days = 5",
    "follow_up.days = [90, 5]": "point 2 (follow_up.days = 5): follow_up.days = 5",
    'rule = ["BOIN"]': "point 1 (rule = BOIN): rule.target: is missing",
}


@pytest.mark.parametrize("axis", STUDY, ids=[axis[:30] for axis in STUDY])
def test_in_a_study_with_file_and_line(axis: str, capsys: pytest.CaptureFixture[str]) -> None:
    scenario = f"scenario = {json.dumps(str(FILE))}"
    Path("study.toml").write_text(f"{scenario}\ntrials = 2\n[grid]\n{axis}\n", encoding="utf-8")
    printed = said(capsys, "sweep", "study.toml")
    assert printed.startswith("escalate: study.toml:4: ")
    assert STUDY[axis] in printed
    assert not Path("results").exists()


RULE = {
    "BOIN target=0.25 target=0.3": "target: is given twice",
    "BOIN target=0.25 target.x=0.3": "target.x: is given twice",
    "BOIN target=0.25 limits=3 limits.x=4": "limits.x: is given twice",
    "BOIN label=a label=b target=0.25": "label: is given twice",
    f"BOIN target={DIGITS}": "must be a number",
    f"BOIN target={'[' * 5000}": "must be a number",
}


@pytest.mark.parametrize("rule", RULE, ids=[rule[:30] for rule in RULE])
def test_in_a_rule_on_one_line(rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    printed = said(capsys, "compare", str(FILE), "--rule", rule, "--no-files")
    assert RULE[rule] in printed
    assert len(printed) < 400


# The last line of a file of rules is wrong; what is said of it.
RULES = {
    '[[rules]]\nname = "3+3"\nvariant = "Z"': "rule 1 (3+3): rule.variant",
    '[[rules]]\nname = "3+3"\n[[rules]]\nname = "BOIN"\ntarget = 7': "rule 2 (BOIN): rule.target = 7",
    '[[rules]]\nname = "3+3"\nlimits.coherence = "x"': "rule 1 (3+3): limits.coherence",
    '[[rules]]\nname = "3+3"\nsafety = 3': "rule 1 (3+3): safety = 3",
    '[[truths]]\nlabel = "steep"\ndlt_probability = [0.1, 2.0]': "truths[1].dlt_probability[2] = 2.0",
    '[[truths]]\nlabel = "short"\ndlt_probability = [0.1]': "truth 1 (short): toxicity.dlt_probability = [0.1]",
    "[[truths]]\ndlt_probability = [0.1, 0.2]\nmtd_level = 9": "truth 1: toxicity.mtd_level = 9",
}


@pytest.mark.parametrize("text", RULES)
def test_in_a_file_of_rules_with_file_and_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("rules.toml").write_text(text, encoding="utf-8")
    line = text.count("\n") + 1
    assert f"escalate: rules.toml:{line}: {RULES[text]}" in said(
        capsys, "compare", str(FILE), "--rules", "rules.toml", "--no-files"
    )


JSON = {
    "twice": ('{"schema_version": 1, "schema_version": 1}', "'schema_version' is written twice"),
    "twice within": ('{"trial": {"title": "a", "title": "b"}}', "'title' is written twice"),
    "digits": (f'{{"schema_version": {DIGITS}}}', "a number has too many digits"),
    "deep": ("[" * 200_000, "it is nested too deeply"),
    "nothing": ("null", "is not a resolved scenario"),
}


@pytest.mark.parametrize("name", JSON)
def test_in_a_resolved_scenario(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text, words = JSON[name]
    Path("s.json").write_text(text, encoding="utf-8")
    assert words in said(capsys, "check", "s.json")


def test_nothing_instead_of_a_value_is_refused_or_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    resolved = json.loads(json.dumps(escalate.load(FILE).resolved()))
    for name, section in resolved.items():
        keys = [None, *(section if isinstance(section, dict) and name not in ("sources", "ranges") else ())]
        for key in keys:
            changed = {**resolved, name: None if key is None else {**section, key: None}}
            Path("s.json").write_text(json.dumps({**changed, "sources": changed["sources"] and {}}), encoding="utf-8")
            status, printed = main(["check", "s.json"]), capsys.readouterr()
            assert status in (0, 2), (name, key, printed.err)
            assert bool(printed.err) == (status == 2)


def test_a_source_of_another_rules_option_is_a_caution() -> None:
    text = BASE.replace('name = "3+3"\nvariant = "C"', 'name = "BOIN"\ntarget = 0.25')
    assert '"rule.variant" = "' in text
    Path("s.toml").write_text(text, encoding="utf-8")
    assert "rule.variant" in next(one.matter for one in cautions(escalate.load("s.toml")) if one.key == "sources")
    assert not [one for one in cautions(escalate.load(FILE)) if one.key == "sources"]


def test_a_name_that_is_too_long(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["check", "x" * 5000], ["run", str(FILE), "--trials", "1", "--out", "x" * 500]):
        assert "name too long" in said(capsys, *arguments)
