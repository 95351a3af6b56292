"""What nature draws for a trial of which a part is known: facts stand, and the rest is distributed as they leave it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chisquare

from escalate.nature.draws import Nature
from escalate.nature.given import Given
from escalate.nature.patients import drop_out_until, onset_probability
from escalate.nature.streams import NEVER
from escalate.scenario.model import Scenario
from escalate.words.log import Log, LoggedPatient
from small import small

TRIALS = 20_000
P_VALUE = 1e-6
"""Below which a test says that a distribution is another one: seeds are fixed, and there are some ten such tests."""


def log_of(scenario: Scenario, as_of_day: int, *patients: dict[str, Any]) -> Log:
    start = scenario.trial.start_date
    return Log(start_date=start, as_of_day=as_of_day, patients=tuple(LoggedPatient(**one) for one in patients))


PENDING = {"candidate": 1, "consent_day": 0, "patient": 1, "level": 0, "start_day": 10, "infusion_days": (13,)}


def scenario_with(**changes: Any) -> Scenario:
    return small(toxicity__dlt_probability=[0.4, 0.6], attrition={"drop_out_per_year": 0.9}, **changes)


def goodness_of_fit(days: NDArray[np.int64], expected: NDArray[np.float64]) -> float:
    """Return the P value of days, `NEVER` among them, against probabilities of each day and, last, of none."""
    met = np.bincount(np.minimum(days, len(expected) - 1), minlength=len(expected))
    assert not met[expected == 0].any()
    return float(chisquare(met[expected > 0], TRIALS * expected[expected > 0]).pvalue)


@pytest.mark.parametrize("seen_days", [0, 5, 17])
def test_a_dlt_of_a_pending_patient_comes_after_the_days_seen(seen_days: int) -> None:
    scenario = scenario_with(toxicity__onset={"kind": "weibull", "second_half_share": 0.7})
    found = Given(scenario, 4, 0, TRIALS, log_of(scenario, 13 + seen_days, PENDING)).dlt_day(0, 0)[:, 0]
    days = 0.4 * onset_probability(scenario, 0)
    law = np.append(np.where(np.arange(len(days)) > seen_days, days, 0), 1 - days.sum())
    assert goodness_of_fit(found, law / law.sum()) > P_VALUE


def test_where_someone_was_seen_last_counts_and_not_the_day_of_the_log() -> None:
    scenario = scenario_with()
    log = log_of(scenario, 30, PENDING | {"last_seen_day": 16})
    found = Given(scenario, 4, 0, TRIALS, log).dlt_day(0, 0)[:, 0]
    assert set(np.unique(found)) == {*range(4, scenario.windows[0] + 1), NEVER}


def test_a_pending_patient_leaves_after_the_day_of_the_log() -> None:
    scenario = scenario_with()
    found = Given(scenario, 4, 0, TRIALS, log_of(scenario, 30, PENDING)).drop_out_day(0)[:, 0]
    until = drop_out_until(scenario)
    days = np.diff(until, prepend=0)
    law = np.append(np.where(np.arange(len(days)) > 17, days, 0), 1 - until[-1])
    assert goodness_of_fit(found, law / law.sum()) > P_VALUE


def test_facts_stand_in_every_trial() -> None:
    scenario = scenario_with()
    with_dlt = PENDING | {"dlt": "yes", "dlt_day": 20, "full_dose": False}
    left = PENDING | {"candidate": 2, "patient": 2, "left_day": 25, "left_reason": "dropped out"}
    empty = {"candidate": 3, "consent_day": 2, "patient": 3, "level": 0, "start_day": 20}
    not_infused = empty | {"not_infused_reason": "no product", "left_day": 23, "left_reason": "not infused"}
    given = Given(scenario, 4, 0, 300, log_of(scenario, 30, with_dlt, left, not_infused))
    assert (given.dlt_day(0, 0)[:, 0] == 7).all()
    assert not given.full_dose(0)[:, 0].any()
    assert given.full_dose(0)[:, 1].all()
    assert (given.drop_out_day(0)[:, 1] == 12).all()
    assert given.infused(0)[:, :2].all()
    assert not given.infused(0)[:, 2].any()
    assert (given.consent_days(0)[:, :3] == [0, 0, 2]).all()
    assert math.isnan(given.body(0)[0, 0])


def test_own_draws_are_kept_where_they_agree() -> None:
    scenario = scenario_with()
    own, given = Nature(scenario, 4, 0, 500), Given(scenario, 4, 0, 500, log_of(scenario, 18, PENDING))
    for found, drawn in ((given.dlt_day(0, 0), own.dlt_day(0, 0)), (given.drop_out_day(0), own.drop_out_day(0))):
        agrees = drawn[:, 0] > 5
        assert (found[agrees, 0] == drawn[agrees, 0]).all()
        assert not agrees.all()
        assert (found[:, 1:] == drawn[:, 1:]).all()


def test_who_comes_after_the_log_is_who_was_drawn_for_those_days() -> None:
    scenario = small(accrual={"kind": "poisson", "consents_per_month": 6.0})
    day, count = 40, 400
    own, given = Nature(scenario, 4, 0, count), Given(scenario, 4, 0, count, log_of(scenario, day, PENDING, PENDING))
    drawn = np.concatenate([own.consent_days(page) for page in range(4)], axis=1)
    found = np.concatenate([given.consent_days(page) for page in range(2)], axis=1)
    for k in range(count):
        later = drawn[k][drawn[k] > day]
        assert (found[k, 2:] == later[:30]).all()
    assert (found[:, :2] == 0).all()


def test_who_is_in_screening_has_draws_that_nobody_else_has() -> None:
    """At a rate so low that most trials have drawn fewer candidates by then than the log has."""
    scenario = small(
        accrual={"kind": "poisson", "consents_per_month": 1.0},
        screening={"days": 14, "failure_probability": {"a": 0.3}},
    )
    people = [{"candidate": number, "consent_day": 20} for number in range(1, 5)]
    given = Given(scenario, 4, 0, TRIALS, log_of(scenario, 30, *people))
    fails = given.fails_screening(0)[:, :9].astype(float)
    assert np.allclose(fails.mean(axis=0), 0.3, atol=5 * math.sqrt(0.21 / TRIALS))
    among = np.corrcoef(fails.T)[np.triu_indices(9, 1)]
    assert np.abs(among).max() < 5 / math.sqrt(TRIALS)


def test_a_trial_is_the_same_alone() -> None:
    scenario = scenario_with()
    log = log_of(scenario, 30, PENDING)
    many, alone = Given(scenario, 4, 0, 8, log), Given(scenario, 4, 5, 1, log)
    for number in (0, 1, 20):
        assert many.candidate(5, number) == alone.candidate(5, number)
        assert many.fate(5, number, 1) == alone.fate(5, number, 1)
