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
from golden import TRIALS, assert_mean_within_error, assert_within_error, cases
from test_golden_characteristics import boin, exactly, keyboard
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


@pytest.mark.parametrize(("name", "case"), CASES)
def test_trials_agree(name: str, case: dict[str, Any]) -> None:
    """P(recommend each, none), and patients and DLTs per level: theirs, and ours exactly."""
    scenario = FILES[name](case)
    on_the_calendar = scenario.replace(
        {
            "safety.early_decision": False,
            "accrual": {"kind": "poisson", "consents_per_month": 5.0},
            "trial.max_days": 100_000,
        }
    )
    found = simulate(on_the_calendar, trials=TRIALS, seed=8)
    theirs = case.get("ntrial", case.get("nsim", np.inf))
    shares = [float(np.mean(found.recommended == level)) for level in (*range(scenario.levels), NO_LEVEL)]
    for share, q in zip(shares, [*case["selection_prob"], case.get("prob_no_selection", 0.0)], strict=True):
        assert_within_error(share, TRIALS, q, theirs)
    if case.get("cohortsize") == 1:  # too many data cuts for exact results
        for column, key in (("evaluable", "mean_n"), ("dlts", "mean_dlt")):
            values = found.patients[column]
            error = values.std(axis=0, ddof=1) * np.sqrt(1 / TRIALS + 1 / theirs)
            assert np.all(np.abs(values.mean(axis=0) - case[key]) <= 5 * error), (column, values.mean(axis=0))
        return
    truth = exactly(scenario)
    for share, q in zip(shares, [*truth.recommended, truth.no_dose], strict=True):
        assert_within_error(share, TRIALS, q)
    for column, distributions in (("evaluable", truth.evaluable_at_level), ("dlts", truth.dlts_at_level)):
        for values, distribution in zip(found.patients[column].T, distributions, strict=True):
            assert_mean_within_error(values, distribution)
