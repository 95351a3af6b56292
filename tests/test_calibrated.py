"""Forecasts hold as often as they say: what really comes next is one of many that could, and no particular one.

A trial is cut on a random day, and many others go on from its log. Given the log it is one draw like each of theirs, so
that its rank among them is uniform, whatever is measured: no tolerance, no approximation. A rank is drawn among equals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chisquare, norm

from escalate.scenario.model import Scenario
from escalate.studies.simulation import traced_trials
from escalate.tracking.cut import log_of
from escalate.words.records import Trial
from small import lymphodepletion, small

FUTURES = 9
"""Trials that go on from each log; ten ranks."""

LAST_CUT_DAY = 250
"""Before this day trials are cut."""

P_VALUE = 1e-3 / 16
"""Below which ranks are not uniform: two tests of eight measures, one in a thousand for all; seeds are fixed."""


def next_day(event: str) -> Callable[[Trial, int], float]:
    """Return what says on which day after another one something happens next; the last of all where it never does."""

    def found(trial: Trial, after: int) -> float:
        days = zip(trial.events["day"], trial.events["event"], strict=True)
        return min((day for day, said in days if said == event and day > after), default=10**6)

    return found


MEASURES: dict[str, Callable[[Trial, int], float]] = {
    "next treatment": next_day("lymphodepletion"),
    "next data cut": next_day("cohort complete"),
    "next decision": next_day("decision"),
    "next DLT": next_day("DLT"),
    "next to leave": next_day("drop-out"),
    "enrolment closes": next_day("enrolment closed"),
    "end": lambda trial, _: trial.duration_days,
    "DLTs": lambda trial, _: sum(trial.cohorts["dlts"]),
}


def scenario_of_many_risks() -> Scenario:
    return small(
        accrual={"kind": "poisson", "consents_per_month": 2.5, "patience_days": 40},
        screening={"days": 10, "failure_probability": {"age": 0.3}},
        treatment__lymphodepletion=lymphodepletion(3),
        safety__review_delay_days=28,
        attrition={"drop_out_per_year": 0.7, "not_infused_probability": 0.1, "partial_dose_probability": 0.1},
        toxicity={"dlt_probability": [0.3, 0.5], "onset": {"kind": "weibull", "second_half_share": 0.7}},
        follow_up__days=60,
        trial__planned_patients=6,
    )


def cut_trials(number: int) -> Iterator[tuple[Trial, int, list[Trial]]]:
    """Yield trials, each with the day on which it is cut, and others that go on from there.

    The day does not depend on the trial, but for that who has ended by then is left out: a day somewhere between a
    trial's own first and last would tell how long it is going to be.
    """
    scenario, random = scenario_of_many_risks(), np.random.default_rng(5)
    for k, truth in enumerate(traced_trials(scenario, trials=number, seed=1)):
        day = int(random.integers(0, LAST_CUT_DAY))
        if truth.duration_days <= day:
            continue
        futures = traced_trials(scenario, trials=FUTURES, seed=2, first=FUTURES * k, log=log_of(truth, day))
        yield truth, day, list(futures)


def check_ranks(number: int) -> None:
    random, ranks = np.random.default_rng(6), {name: np.zeros(FUTURES + 1) for name in MEASURES}
    for truth, day, futures in cut_trials(number):
        for name, measure in MEASURES.items():
            value, others = measure(truth, day), np.array([measure(future, day) for future in futures])
            below, same = int((others < value).sum()), int((others == value).sum())
            ranks[name][below + random.integers(0, same + 1)] += 1
    found = {name: min(chisquare(met).pvalue, too_early_or_late(met)) for name, met in ranks.items()}
    assert not {name: (p, ranks[name].tolist()) for name, p in found.items() if p < P_VALUE}


def too_early_or_late(met: NDArray[np.float64]) -> float:
    """Return the P value of the mean rank, which tells forecasts that are all too early or too late best."""
    variance = ((FUTURES + 1) ** 2 - 1) / 12
    z = (np.average(np.arange(FUTURES + 1), weights=met) - FUTURES / 2) / np.sqrt(variance / met.sum())
    return float(2 * norm.sf(abs(z)))


def test_forecasts_hold_as_often_as_they_say() -> None:
    check_ranks(600)


@pytest.mark.long
def test_forecasts_hold_as_often_as_they_say_long() -> None:
    check_ranks(10_000)
