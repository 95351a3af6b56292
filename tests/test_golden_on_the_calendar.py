"""Other software's operating characteristics against simulated trials: the kernel, on a calendar with arrivals.

The same files are met exactly elsewhere; here the trials are run, with whole cohorts and as many candidates as are
needed, and every estimate must lie within its Monte Carlo error. 3+3 and the rules with patients pending have files of
their own (`test_golden_three_plus_three.py`, `test_golden_rolling_trials.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from escalate import Scenario, simulate
from escalate.words.records import NO_LEVEL
from golden import assert_within_error, cases
from test_golden_characteristics import boin, keyboard
from test_golden_crm import simulated_by_dfcrm


def of_crmsim(case: dict[str, Any]) -> Scenario:
    return simulated_by_dfcrm(case, case["n"] if "n" in case else case["ncohort"] * case["mcohort"])


FILES: dict[str, Any] = {
    "boin_oc_exact": boin,
    "boin_oc_1e6": boin,
    "boin_oc_montecarlo": boin,
    "keyboard_oc_montecarlo": keyboard,
    "crm_oc_exact": of_crmsim,
    "crm_oc_montecarlo": of_crmsim,
}
CASES = [pytest.param(name, case.values[0], id=f"{name}-{case.id}") for name in FILES for case in cases(name)]


def check(name: str, case: dict[str, Any], trials: int) -> None:
    """Compare P(recommend each, none) and mean patients and DLTs per level; theirs are exact, or from trials too."""
    scenario = FILES[name](case).replace(
        {
            "safety.early_decision": False,
            "accrual": {"kind": "poisson", "consents_per_month": 5.0},
            "trial.max_days": 100_000,
        }
    )
    found = simulate(scenario, trials=trials, seed=8)
    theirs = case.get("ntrial", case.get("nsim", np.inf))
    for level, q in enumerate(case["selection_prob"]):
        assert_within_error(float(np.mean(found.recommended == level)), trials, q, theirs)
    none = case.get("prob_no_selection", 0.0)
    assert_within_error(float(np.mean(found.recommended == NO_LEVEL)), trials, none, theirs)
    for column, key in (("evaluable", "mean_n"), ("dlts", "mean_dlt")):
        values = found.patients[column]
        error = values.std(axis=0, ddof=1) * np.sqrt(1 / trials + 1 / theirs)
        rare = 5 * np.maximum(values.max(axis=0), scenario.safety.cohort_size) / min(trials, theirs)  # five cohorts
        assert np.all(np.abs(values.mean(axis=0) - case[key]) <= 5 * error + rare), (column, values.mean(axis=0))


@pytest.mark.parametrize(("name", "case"), CASES)
def test_trials_agree(name: str, case: dict[str, Any]) -> None:
    check(name, case, 400)


@pytest.mark.long
@pytest.mark.parametrize(("name", "case"), CASES)
def test_trials_agree_for_long(name: str, case: dict[str, Any]) -> None:
    check(name, case, 20_000)
