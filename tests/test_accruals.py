"""Candidates and patients by each date, held against the records of the same trials.

The bugs with which they were seen to fail stand in `planted_bugs.py`.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

import escalate as esc
from conftest import ROOT
from escalate.cli import main
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
