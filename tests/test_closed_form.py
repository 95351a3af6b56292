"""The calendar against closed forms.

One cohort after another, arrivals lost while enrolment is closed, every outcome known on the last day of the window:
each cohort takes the time of three arrivals, then the window W, then the committee's delay S. Arrivals have no
memory, so that the days until the third is the rounded-down sum of three exponential gaps, whatever the day on which
the cohort opened, and E[T] = E[cohorts] (E[floor(G)] + W + S) holds exactly, with G gamma distributed. Without
rounding this is the familiar E[N]/3 (3/rate + W + S).
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import gamma

from escalate import simulate
from escalate.scenario.nature import DAYS_PER_MONTH
from small import small
from test_golden_three_plus_three import exact

WINDOW, REVIEW, TRIALS = 28, 7, 2500


@pytest.mark.parametrize(("per_month", "p"), [(0.5, (0.1, 0.25)), (4.0, (0.2, 0.4)), (30.0, (0.05, 0.1))])
def test_expected_duration(per_month: float, p: tuple[float, ...]) -> None:
    scenario = small(
        toxicity__dlt_probability=list(p),
        toxicity__onset={"kind": "list", "days": [WINDOW]},
        safety__review_delay_days=REVIEW,
        safety__early_decision=False,
        accrual={"kind": "poisson", "consents_per_month": per_month, "without_place": "lost"},
        trial__max_days=100_000,
    )
    days = simulate(scenario, trials=TRIALS, seed=7).duration_days
    rate = per_month / DAYS_PER_MONTH
    sums = np.arange(1, int(gamma.isf(1e-15, 3, scale=1 / rate)) + 2)
    until_third = float(gamma.sf(sums, 3, scale=1 / rate).sum())  # E[floor(G)] = sum over j >= 1 of P(G >= j)
    patients = sum(mean for mean, _ in exact("A", p).evaluable)
    expected = patients / 3 * (until_third + WINDOW + REVIEW)
    z = (days.mean() - expected) / (days.std(ddof=1) / math.sqrt(TRIALS))
    assert abs(z) <= 5, (days.mean(), expected, z)
    unrounded = patients / 3 * (3 / rate + WINDOW + REVIEW)
    assert patients / 3 * -1 <= expected - unrounded <= 0, "rounding down costs at most a day for each cohort"


def test_time_to_first_infusion() -> None:
    """Screening and lead are added to the first consent of an eligible candidate: a thinned Poisson process."""
    fails, screening = 0.4, 10
    scenario = small(
        accrual={"kind": "poisson", "consents_per_month": 2.0},
        screening={"days": screening, "failure_probability": {"a": 0.1, "b": 0.3}},
        trial__max_days=100_000,
    )
    first = simulate(scenario, trials=TRIALS, seed=11).milestone_days["first infusion"] - screening
    rate = 2.0 * (1 - fails) / DAYS_PER_MONTH
    expected = math.exp(-rate) / (1 - math.exp(-rate))  # E[floor(exponential)]
    z = (first.mean() - expected) / (first.std(ddof=1) / math.sqrt(TRIALS))
    assert abs(z) <= 5, (first.mean(), expected, z)


ROWS = {
    0.25: (9, 6, 3, 0),
    0.4: (48, 36, 21, 2),
    0.6: (88, 80, 63, 16),
    0.8: (99, 97, 89, 42),
    1.0: (100, 100, 98, 67),
    1.8: (100, 100, 100, 99),
}
"""P(last patient finishes follow-up within 699 days) in percent for follow-up of 28, 90, 180, 365 days, by eligible
patients a month: an earlier Monte Carlo calculation by other hands, of unstated size, printed in whole percent."""


@pytest.mark.parametrize(("per_month", "percents"), ROWS.items(), ids=[f"{rate} a month" for rate in ROWS])
def test_finished_within_699_days(every_day, per_month: float, percents: tuple[int, ...]) -> None:  # type: ignore[no-untyped-def]
    """The table's assumptions: no DLT (3 + 3 + 3), sentinel 14 days in the first cohort at each level only, 14 days of
    screening, all eligible, patience 30 days, no lymphodepletion lead, no attrition. Its size is not stated; we allow
    that it had as few as 1,000 trials, and for its rounding to whole percent."""
    trials = 1500
    scenario = every_day.replace(
        {
            "accrual.consents_per_month": per_month,
            "accrual.patience_days": 30,
            "screening.failure_probability": {},
            "safety.sentinel": "new_level",
            "treatment.lymphodepletion": [],
            "toxicity.dlt_probability": [0.0, 0.0],
            "attrition": {},
        }
    )
    last = simulate(scenario, trials=trials, seed=5).milestone_days["last infusion"]
    for follow_up, percent in zip((28, 90, 180, 365), percents, strict=True):
        found = float(np.mean(last + follow_up <= 699))
        p = min(max(percent / 100, 0.005), 0.995)
        error = math.sqrt(p * (1 - p) * (1 / trials + 1 / 1000))
        assert abs(found - percent / 100) <= 0.005 + 4 * error, (follow_up, found, percent)
