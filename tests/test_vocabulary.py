"""An oral drug is given, not infused: `treatment.words` changes the vocabulary of every output, and nothing else.

Every verb writes all it can of one scenario whose words are "dose", and whose own texts speak of infusions: in what
is written no other infusion is left, but in names that programs read.
"""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import escalate as esc
from escalate.cli import main
from escalate.nature.sameness import not_the_same
from escalate.plots.axis_words import key_words
from escalate.scenario.sources import ledger
from escalate.words.vocabulary import said_of
from test_plots_rules import legend_words

OWN = re.compile(r"\w+\(infus(?:ion|ed)\)")
"""What the user of these tests wrote: a word, and an infusion in brackets."""

NAME = re.compile(r"\w*_infus\w*|\w*infus\w*_\w*|\S+\.(?:png|svg)")
"""Keys, columns and files."""

MANY = ["--trials", "8"]

SCENARIO = """
schema_version = 1
[trial]
title = "drug(infusion) by mouth"
start_date = 2026-01-05
planned_completion_date = 2027-06-30
planned_patients = 12
cap_counts = "infused"
[[dose_levels]]
label = "5mg(infused)"
[[dose_levels]]
label = "10mg(infused)"
[treatment]
words = "dose"
infusion_days = [0, 7]
[safety]
dlt_window_days = 21
sentinel_stagger_days = 7
[rule]
name = "TITE-CRM"
target = 0.25
skeleton = [0.15, 0.3]
min_followup_share = 0.0
[follow_up]
days = 28
[accrual]
kind = "poisson"
consents_per_month = 6.0
patience_days = 30
[screening]
days = 7
[screening.failure_probability]
"reaction(infusion)" = 0.2
[toxicity]
dlt_probability = [0.2, 0.5]
[attrition]
not_infused_probability = 0.3
partial_dose_probability = 0.1
[sources]
"attrition" = "assumption: chart(infusion)"
[ranges]
"attrition.not_infused_probability" = [0.0, 0.6]
"""

STUDY = """
scenario = "drug.toml"
trials = 4
[grid]
"attrition.not_infused_probability" = [0.0, 0.5]
"""

VERBS: dict[str, list[str]] = {
    "run": ["drug.toml", *MANY],
    "trial": ["drug.toml"],
    "table": ["drug.toml", "--after", "1NNN 2TPP"],
    "table of counts": ["cohorts.toml"],
    "compare": ["drug.toml", *MANY],
    "compare scenarios": ["drug.toml", "--variant", "slow: accrual.consents_per_month=2", *MANY],
    "accrual": ["drug.toml", *MANY],
    "accrual of the enrolled": ["drug.toml", "--counted", "enrolled", *MANY],
    "sweep": ["study.toml"],
    "sweep of a milestone": ["study.toml", "--measure", "first infusion: 50% quantile"],
    "sensitivity": ["drug.toml", *MANY],
    "exact": ["cohorts.toml"],
}
"""What each verb is asked, with all its files."""


def left(text: str) -> list[str]:
    """Return where a text speaks of infusions, but for names and what the user wrote; or where that was changed."""
    plain = NAME.sub("", OWN.sub("", html.unescape(text).replace("\u200b", "")))
    return [plain[max(found.start() - 60, 0) : found.end() + 20] for found in re.finditer(r"(?i)infus|\w\(dos", plain)]


def texts_of(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield what people read of a folder of results: texts, pages, figures, and the words in its records."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".txt", ".html", ".md"):
            yield path.name, path.read_text(encoding="utf-8")
        elif path.suffix == ".svg":
            yield path.name, "\n".join(re.findall(r"<text[^>]*>(.*?)</text>", path.read_text(encoding="utf-8")))
        elif path.suffix == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as rows:
                cells = [row[key] for row in csv.DictReader(rows) for key in row if key in SENTENCES]
            yield path.name, "\n".join(filter(None, cells))


SENTENCES = ("detail", "reason", "not_infused_reason", "non_evaluable_reason")
"""Columns whose cells are sentences; those of others are names."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the verbs are given."""
    monkeypatch.chdir(tmp_path)
    plain = SCENARIO.replace("TITE-CRM", "BOIN")
    cohorts = re.sub(r".*(?:skeleton|min_follow|cap_counts|_infused_prob).*\n", "", plain)
    for name, text in {"drug.toml": SCENARIO, "cohorts.toml": cohorts, "study.toml": STUDY}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("asked", VERBS)
def test_no_output_speaks_of_infusions(asked: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([asked.split()[0], *VERBS[asked], "--out", "out"]) == 0
    printed = capsys.readouterr()
    outputs = {"printed": printed.out, **dict(texts_of(here / "out"))}
    assert {name: found for name, text in outputs.items() if (found := left(text))} == {}
    assert OWN.search(outputs["printed"])


def test_what_is_shown_in_python_speaks_of_dosing(here: Path) -> None:
    """Every result by its `repr` and as a notebook shows it."""
    scenario, cohorts = esc.load("drug.toml"), esc.load("cohorts.toml")
    trials = esc.simulate(scenario, trials=8, progress=False)
    nobody = esc.simulate_trial(scenario.replace({"accrual": {"kind": "fixed", "consent_days": []}}))
    shown: dict[str, Any] = {
        "scenario": scenario,
        "trial": esc.simulate_trial(scenario),
        "nobody": nobody,
        "trials": trials,
        "characteristics": esc.characteristics(trials),
        "comparison": esc.compare(scenario, rules=["3+3", "BOIN"], trials=8, progress=False),
        "variants": esc.compare({"base": scenario, "slow": scenario.replace({"screening.days": 20})}, trials=8),
        "exact": esc.exact(cohorts),
        "accrual": esc.accrual(scenario, trials=8, progress=False),
        "sensitivity": esc.sensitivity(scenario, trials=8, progress=False),
        "table": esc.decision_table(scenario),
        "counts": esc.decision_table(cohorts),
    }
    said = {name: repr(one) + one._repr_html_() for name, one in shown.items()}
    assert {name: found for name, text in said.items() if (found := left(text))} == {}
    assert "nobody dosed" in said["nobody"]
    assert "patients dosed, mean" in said["characteristics"]


def test_legends_speak_of_dosing(here: Path) -> None:
    trial = esc.simulate_trial(esc.load("drug.toml"), seed=3)
    assert {"dosing", "not dosed"} <= set(legend_words(esc.plot_timeline(trial)))
    assert "enrolled, not dosed" in legend_words(esc.plot_staircase(trial))


def test_nothing_else_changes(here: Path) -> None:
    """The same trials, day by day; records differ in their sentences alone, and both have the same nature."""
    dose = esc.load("drug.toml")
    infusion = dose.replace({"treatment.words": "infusion"})
    assert not not_the_same(dose, infusion)
    ours, theirs = (esc.simulate(one, trials=40, progress=False) for one in (dose, infusion))
    assert ours.to_pandas().equals(theirs.to_pandas())
    mine, other = (esc.simulate_trial(one, seed=3) for one in (dose, infusion))
    assert mine.dose_path == other.dose_path and mine.stop_reason == other.stop_reason
    for name in ("events", "patients", "cohorts", "decisions"):
        one, two = getattr(mine, name), getattr(other, name)
        assert one.names == two.names
        assert all(one[column] == two[column] for column in one.names if column not in SENTENCES)
    assert "no infusion was possible" in other.patients["not_infused_reason"]
    assert "no dosing was possible" in mine.patients["not_infused_reason"]


def test_words_are_no_assumption() -> None:
    """A section's source is of its numbers; how it is called needs none."""
    assert not [entry.key for entry in ledger(esc.load("six-dose-oncology")) if entry.key == "treatment.words"]


def test_each_form_has_its_word() -> None:
    """Cells are infused, as ever; names of keys and columns are no words."""
    own = "is infused again; infusions: first infusion, not_infused, infusion_days, infuse"
    assert said_of("infusion", own) == own
    assert said_of("dose", own) == "is dosed again; dosings: first dosing, not_infused, infusion_days, dose"
    say = esc.load("six-dose-oncology").say
    assert key_words("attrition.not_infused_probability", say) == "not dosed [probability]"
    assert key_words("screening.failure_probability.infusion reaction", say) == "failure probability infusion reaction"


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("safety.dlt_window_days", 5, "must end after the last dosing, which is on day 7"),
        ("trial.max_days", 21, "the DLT window ends 21 days after the first dosing"),
        ("what_if", [{"patient": 1, "infused": False, "dlt": True}], "a patient who is not dosed has none"),
    ],
)
def test_errors_speak_of_dosing(here: Path, key: str, value: Any, says: str) -> None:
    with pytest.raises(esc.ScenarioError, match=says):
        esc.load("drug.toml").replace({key: value})


def test_exact_says_whom_the_cap_counts(here: Path) -> None:
    changes = {"trial.cap_counts": "infused", "attrition.drop_out_per_year": 0.1}
    with pytest.raises(esc.EscalateError, match=r'the cap counts dosed patients \(trial.cap_counts = "infused"\)'):
        esc.exact(esc.load("cohorts.toml").replace(changes))
