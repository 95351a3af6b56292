"""Candidates and patients by each date, held against the records of the same trials.

The bugs with which they were seen to fail stand in `planted_bugs.py`.
"""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

import escalate as esc
from conftest import ROOT
from escalate.cli import main
from escalate.results.chance import binomial_interval
from escalate.results.outcomes import NOT_REACHED
from escalate.studies.accruals import COUNTED, Accrual
from escalate.studies.simulation import traced_trials
from small import lymphodepletion, small

BASE = str(ROOT / "scenarios" / "nct06337474.toml")


@pytest.fixture(scope="module")
def found() -> Accrual:
    scenario = small(
        accrual__consent_days=[0, 1, 20, 30, 90, 91, 92, 200],
        treatment__lymphodepletion=lymphodepletion(3),
        attrition__partial_dose_probability=0.3,
        toxicity__dlt_probability=[0.3, 0.5],
    )
    return esc.accrual(scenario, trials=12, seed=4)


@pytest.mark.parametrize("counted", COUNTED)
def test_numbers_are_those_of_the_records_on_every_day(found: Accrual, counted: str) -> None:
    until = found.last_day(counted) + 5
    numbers = found.numbers(counted, until)
    assert numbers.shape == (12, until + 1)
    for row, trial in zip(numbers, traced_trials(found.scenario, trials=12, seed=4), strict=True):
        people = list(trial.patients)
        for day in range(until + 1):
            expected = {
                "consented": [p for p in people if p["consent_day"] <= day],
                "enrolled": [p for p in people if p["patient"] is not None and p["treatment_start_day"] <= day],
                "infused": [p for p in people if p["infusion_day"] is not None and p["infusion_day"] <= day],
                "evaluable": [p for p in people if p["outcome"] in ("DLT", "no DLT") and p["outcome_day"] <= day],
            }
            assert row[day] == len(expected[counted]), (trial, day)


def test_the_last_numbers_are_those_of_the_same_trials_simulated(base: esc.Scenario) -> None:
    found, trials = esc.accrual(base, trials=40, seed=3), esc.simulate(base, trials=40, seed=3)
    assert found.trials == 40
    assert found.numbers("infused")[:, -1].tolist() == trials.patients["infused"].sum(axis=1).tolist()
    assert found.numbers("evaluable")[:, -1].tolist() == trials.patients["evaluable"].sum(axis=1).tolist()
    last = [days[-1] if len(days) else NOT_REACHED for days in found.days["infused"]]
    assert last == trials.milestone_days["last infusion"].tolist()


def test_quantiles_are_the_smallest_number_that_the_share_does_not_exceed(found: Accrual) -> None:
    shares = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0)
    numbers, quantiles = found.numbers(), found.quantiles(shares)
    for share, row in zip(shares, quantiles, strict=True):
        for day, value in enumerate(row.tolist()):
            assert np.mean(numbers[:, day] <= value) >= share > np.mean(numbers[:, day] < value)


def test_nobody_comes() -> None:
    found = esc.accrual(small(), trials=2)
    assert found.last_day() == 0
    assert found.numbers(until=3).tolist() == [[0] * 4] * 2


def test_who_is_not_counted_is_said(found: Accrual) -> None:
    with pytest.raises(esc.EscalateError, match="no 'treated'; there are: consented, enrolled, infused, evaluable"):
        found.numbers("treated")


def test_repr_says_how_many(found: Accrual) -> None:
    assert repr(found) == "<Accrual: 12 trials of 'small', seed 4>"


def test_the_verb_tells_by_when_patients_come(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Dates against a plain count over the records of the same trials."""
    scenario = esc.load(BASE)
    assert main(["accrual", BASE, "--trials", "21", "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith((tmp_path / "out" / "summary.txt").read_text(encoding="utf-8").rstrip("\n"))
    assert (tmp_path / "out" / "accrual.png").read_bytes().startswith(b"\x89PNG")
    trials = [esc.simulate_trial(scenario, replicate=k) for k in range(21)]
    third = sorted(sorted(day for day in trial.patients["infusion_day"] if day is not None)[2] for trial in trials)
    middle, low, high = (scenario.trial.start_date + timedelta(days=third[k]) for k in (10, 2, 18))
    (line,) = [line for line in printed.splitlines() if line.startswith("3 ")]
    assert line.split("]")[1].split() == f"{middle:%a %F} {low:%a %F} to {high:%a %F}".split()


def test_the_verb_says_who_can_be_counted(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["accrual", BASE, "--counted", "infusd"])
    assert caught.value.code == 2 and "did you mean infused?" in capsys.readouterr().err


def test_numbers_by_a_date_are_those_of_the_records() -> None:
    """The day itself counts; a quantile is the smallest number that the share of the trials does not exceed."""
    scenario = esc.load(BASE)
    found = esc.accrual(scenario, trials=21)
    infused = [
        sorted(day for day in esc.simulate_trial(scenario, replicate=k).patients["infusion_day"] if day is not None)
        for k in range(21)
    ]
    day = infused[0][3]
    on = scenario.trial.start_date + timedelta(days=day)
    numbers = sorted(sum(one <= day for one in days) for days in infused)
    rows = {row["measure"]: row for row in found.by_date(on.isoformat())}
    assert [rows[f"{q} quantile"]["estimate"] for q in ("10%", "50%", "90%")] == [numbers[k] for k in (2, 10, 18)]
    late = found.by_date(on, date(2033, 1, 1))
    assert late["date"][-1] == "2033-01-01" and len(late) == 8
    reached = sum(len(days) >= 9 for days in infused)
    last = list(late)[-1]
    assert (last["measure"], last["estimate"]) == ("planned number or more", reached / 21)
    assert (last["low"], last["high"]) == binomial_interval(reached, 21)


def test_without_a_date_each_month_is_told_until_nobody_else_comes(found: Accrual) -> None:
    """The start is 2025-01-01; candidates, who are not planned, have quantiles alone."""
    table = found.by_date(counted="consented")
    assert [*dict.fromkeys(table["date"])] == [f"2025-0{month}-01" for month in range(2, 9)]
    assert found.last_day("consented") <= table["day"][-1] < found.last_day("consented") + 31
    assert {*table["measure"]} == {"10% quantile", "50% quantile", "90% quantile"}
    assert {*table["unit"]} == {"candidates"}


def test_the_verb_tells_numbers_by_dates_and_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    asked = ["--by", "2026-07-30,2025-06-30", "--by", "2025-06-30"]
    assert main(["accrual", BASE, "--trials", "21", "--out", str(out), *asked]) == 0
    printed = capsys.readouterr().out.splitlines()
    written = list(csv.DictReader(io.StringIO((out / "accrual.csv").read_text(encoding="utf-8-sig"))))
    assert [*dict.fromkeys(row["date"] for row in written)] == ["2025-06-30", "2026-07-30"]
    low, middle, high, reached = (float(row["estimate"]) for row in written[4:])
    (line,) = [line for line in printed if line.startswith("Thu 2026-07-30 ")]
    assert line.split()[2] == f"{middle:.0f}" and line.split()[3].startswith("[")
    assert f" {low:.0f} to {high:.0f} " in line and f" {100 * reached:.0f}" in line
    assert any(line.startswith("the end of the trial ") for line in printed)
    assert any("80% of the trials" in line and "P(9 or more)" in line for line in printed)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("2025-06-31", "the text '2025-06-31' is no date that exists; write it as in 2025-08-30"),
        ("2024-08-29", "2024-08-29 is outside the trial: the trial starts on 2024-08-30, and is over by 2034-08-28"),
    ],
)
def test_a_date_that_is_none_is_told_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str, said: str
) -> None:
    assert main(["accrual", BASE, "--by", f"{given} x", "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert said in told and "'x' is no date" in told
    assert not (tmp_path / "out").exists()
