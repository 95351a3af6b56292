"""What a person reads first: what drives a result, dates with their weekday, lines that fit a terminal."""

from __future__ import annotations

import math
import re
from datetime import date, timedelta

import pytest
from matplotlib.text import Text

import escalate
from conftest import ROOT
from escalate import Scenario
from escalate.cli import main
from escalate.results.chance import HOW_SAID
from escalate.results.estimates import day_by_which
from escalate.results.tally import tally
from escalate.scenario.drivers import drivers
from escalate.studies.study import make_study
from small import small

BASE = str(ROOT / "scenarios" / "nct06337474.toml")
DRIVES = "0.857 consents a month; 30% fail screening; 22 closures; P(DLT) assumed 3%, 6%"


@pytest.fixture(scope="module")
def base() -> Scenario:
    return escalate.load(BASE)


def test_what_drives_a_result(base: Scenario) -> None:
    assert drivers(base) == DRIVES
    assert drivers(base, "holiday") == f"holiday; {DRIVES}"
    one = small(accrual__consent_days=[3], toxicity__dlt_probability=[0.125, 0.3])
    assert drivers(one) == "1 consent on fixed days; nobody fails screening; P(DLT) assumed 12.5%, 30%"
    pause = {"first_day": date(2025, 1, 20), "last_day": date(2025, 2, 3)}
    paused = base.replace({"accrual.consents_per_month": 1.0, "accrual.pauses": [pause]})
    assert drivers(paused).startswith("1 consent a month, 1 pause; ")


def test_every_figure_says_it(base: Scenario) -> None:
    """In the texts below its title, whole, however their lines are broken."""
    found = escalate.characteristics(escalate.simulate(base, trials=30))
    trial = escalate.simulate_trial(base)
    figures = {
        "durations": escalate.plot_durations(found),
        "selection": escalate.plot_selection(found),
        "where time goes": escalate.plot_where_time_goes(found),
        "timeline": escalate.plot_timeline(trial),
        "staircase": escalate.plot_staircase(trial),
        "accrual": escalate.plot_accrual_fan(escalate.accrual(base, trials=20)),
        "tornado": escalate.plot_tornado(escalate.sensitivity(base, trials=5)),
    }
    for name, axes in figures.items():
        said = " ".join(text.get_text() for text in axes.figure.findobj(Text))
        assert DRIVES in " ".join(said.replace("\u00a0", " ").split()), name


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["run", BASE, "--trials", "12", "--no-files"], DRIVES),
        (["trial", BASE, "--no-files"], DRIVES),
        (["exact", BASE], DRIVES),
        (["sensitivity", BASE, "--trials", "4", "--no-files"], DRIVES),
        (["accrual", BASE, "--trials", "4", "--no-files"], DRIVES),
        (
            ["compare", BASE, "--trials", "4", "--no-files", "--no-exact"],
            f"{DRIVES.rpartition('; ')[0]}\n",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_every_head_says_it(arguments: list[str], shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    head = capsys.readouterr().out.split("\n\n")[0]
    assert shown in f"{head}\n"
    assert max(map(len, head.splitlines())) <= 80


@pytest.mark.parametrize("verb", ["run", "accrual", "compare"])
def test_a_summary_fits_a_terminal(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, BASE, "--trials", "300", "--no-files"]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("trials", ["40", "1000"])
def test_no_number_touches_its_label(trials: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Few trials have wide intervals, many levels long counts: there is a space before each probability."""
    for scenario in (BASE, str(ROOT / "scenarios" / "six-dose-oncology.toml")):
        assert main(["run", scenario, "--trials", trials, "--no-files", "--set", "trial.planned_patients=60"]) == 0
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if re.search(r"[^\s\d.(\[<>~]\d+(\.\d+)?%|in \d+\.\d+%", line)] == []


def test_a_table_of_many_levels_goes_on_below(capsys: pytest.CaptureFixture[str]) -> None:
    """Six levels stand in blocks that fit; no level and no count is missing."""
    scenario = ROOT / "scenarios" / "six-dose-oncology.toml"
    assert main(["run", str(scenario), "--trials", "40", "--no-files"]) == 0
    part = next(text for text in capsys.readouterr().out.split("\n\n") if text.startswith("Patients in a trial"))
    assert max(map(len, part.splitlines())) <= 80
    heads = re.findall(r"level \d| {3}all$", part, re.MULTILINE)
    assert [head.strip() for head in heads] == [*(f"level {k}" for k in range(1, 7)), "all"]
    assert part.count("  dosed ") == part.count("  with a DLT ") > 1


def test_weekdays_are_those_of_the_dates(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trial", BASE, "--no-files"]) == 0
    assert main(["run", BASE, "--trials", "40", "--no-files"]) == 0
    told = re.findall(r"\b([A-Z][a-z]{2}) (\d{4}-\d\d-\d\d)", capsys.readouterr().out)
    assert len(told) > 60
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    assert [weekday for weekday, _ in told] == [names[date.fromisoformat(day).weekday()] for _, day in told]


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95, 1.0])
def test_the_day_by_which_nine_of_ten_have_ended(base: Scenario, share: float) -> None:
    """Against sorted durations; trials that are cut off never end."""
    trials = escalate.simulate(base, trials=90)
    days = sorted(trials.duration_days.tolist())
    assert day_by_which(tally(trials), share) == days[math.ceil(share * 90) - 1]
    cut = escalate.simulate(base.replace({"trial.max_days": days[80]}), trials=90)
    ended = sorted(cut.milestone_days["trial ended"].tolist()).count(-1)
    assert 0 < ended < 18
    by = day_by_which(tally(cut), share)
    assert by == (days[math.ceil(share * 90) - 1] if share * 90 <= 90 - ended else None)


def test_the_summary_says_it(base: Scenario) -> None:
    found = escalate.characteristics(escalate.simulate(base, trials=90))
    day = day_by_which(found.tally, 0.9)
    assert day is not None
    by = base.trial.start_date + timedelta(days=day)
    text = escalate.summary(found)
    assert f"90% of the trials have ended by {by:%a %F}, day {day}" in text
    spans = next(part for part in text.split("\n\n") if part.startswith("How long?"))
    for name in ("first infusion to recommendation", "cohort 1", "cohort 3"):
        middle = found.get(f"{name}: 50% quantile").estimate
        assert re.search(rf"^  {name} .* {middle:.0f} \[", spans, re.MULTILINE)
    assert "need not add up" in " ".join(spans.split())


def test_one_of_a_thing_has_no_plural() -> None:
    one = small(accrual__consent_days=[0, 1, 2], safety__dlt_window_days=1, trial__planned_patients=3)
    text = escalate.summary(escalate.characteristics(escalate.simulate(one, trials=1)))
    assert text.splitlines()[1].startswith("1 simulated trial, seed 1;")
    assert "DLT window 1 day, sentinel 0 days" in text


def test_waits_are_not_told_as_savings(capsys: pytest.CaptureFixture[str]) -> None:
    """A review of no days ends the base case one day earlier, though three weeks are waited for the committee."""
    assert main(["run", BASE, "--trials", "60", "--no-files"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "This is not what can be saved: a shorter wait makes another one longer" in said
    assert re.search(r"P\(finished by the planned completion date.*\): \S+% ± \S+, with a dose or without one", said)


def test_a_skeleton_that_is_computed_is_said_and_read_again(base: Scenario) -> None:
    """Where the head names the rule; `resolved.json` keeps how it was found, so that it makes the same results."""
    rule = {"name": "CRM", "target": 0.25, "prior_mtd_level": 2}
    scenario = base.replace({"rule": rule, "safety.early_decision": False})
    words = "rule CRM, target 0.25, prior mtd level 2, skeleton " + " ".join(
        f"{p:.3f}" for p in escalate.getprior(0.05, 0.25, 2, 2)
    )
    found = escalate.characteristics(escalate.simulate(scenario, trials=3))
    exact = escalate.exact(scenario)
    trial = escalate.simulate_trial(scenario)
    for text in (escalate.summary(found), escalate.summary(exact), escalate.story(trial)):
        assert words in " ".join(text.split())
    said = " ".join(text.get_text() for text in escalate.plot_staircase(trial).figure.findobj(Text))
    assert words in " ".join(said.replace("\u00a0", " ").split())
    for shown in (found, exact, scenario, trial):
        assert words in shown._repr_html_()
    again = Scenario.from_dict(scenario.resolved())
    assert escalate.summary(escalate.exact(again)) == escalate.summary(exact)


def test_exact_results_fit_a_terminal(base: Scenario) -> None:
    """Of 2 and of 9 levels, with a label that has no room; every mean and every probability is told once."""
    nine = {f"dose_levels.{k}.label": "x" for k in range(2)}
    label = "a dose whose name is longer than any column of numbers would leave room for, by far"
    for scenario in (base, base.replace(nine | {"dose_levels.1.label": label})):
        text = escalate.summary(escalate.exact(scenario))
        assert max(map(len, text.splitlines())) <= 80
    many = small(
        dose_levels=[{"label": f"{k} mg"} for k in range(9)], toxicity__dlt_probability=[0.1] * 9,
        trial__planned_patients=30,
    )  # fmt: skip
    found = escalate.exact(many)
    text = escalate.summary(found)
    assert max(map(len, text.splitlines())) <= 80
    told = text[text.index("How many evaluable patients?") : text.index("There are")]
    numbers = [q for share in (*found.evaluable_at_level, found.total, *found.dlts_at_level) for q in share.values()]
    assert sorted(re.findall(r"\d\.\d{6}", told)) == sorted(f"{q:.6f}" for q in numbers)
    for level in range(9):
        assert re.search(
            rf"level {level + 1}: {level} mg +{found.evaluable[level]:.4f} +{found.dlts[level]:.4f} ", text
        )


def test_what_keeps_places_shut_is_said(base: Scenario) -> None:
    gates = {
        "calendar.closed": [{"first_day": "2024-10-01", "last_day": "2024-10-07", "reason": "National Day"}],
        "capacity": {"infusions_per_week": 1, "patients_at_once": 2, "discharge_days": 14},
        "product": {
            "kind": "off_the_shelf",
            "batches_every_days": 42,
            "doses_per_batch": 2,
            "batch_failure_probability": 0.1,
        },
    }
    told = "1 closure; at most 1 infusion a week; at most 2 patients at once; a batch every 42 days, 10% fail"
    assert told in drivers(base.replace(gates))


@pytest.mark.parametrize("by", [[], ["--by", "2025-06-30"]], ids=["no date", "a date"])
def test_who_reads_an_error_is_told_what_it_is(by: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accrual", BASE, "--trials", "30", "--no-files", *by]) == 0
    said = capsys.readouterr().out
    assert "% [" in said and said.count(HOW_SAID) == 1


def test_the_head_of_a_sweep_does_not_say_what_its_grid_changes(base: Scenario) -> None:
    found = escalate.sweep(make_study(base, {"accrual.consents_per_month": [0.4, 0.8]}, trials=20))
    assert f"Where the grid says nothing else: {DRIVES}" in " ".join(escalate.summary(found).split())
