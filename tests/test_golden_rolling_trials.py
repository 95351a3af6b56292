"""Whole trials with patients pending against other software: TITE-BOIN and TITE-CRM.

Twice. First the rules alone, asked by a loop over continuous time that does what the other program does (one patient
after the other; a suspended one waits for the next outcome at the dose, and the next gap begins when he is enrolled;
nobody is lost). Then, in the long run, the simulated calendar, where a window is 2,000 days, so that whole days are
fine, consents are a Poisson process, and at most one candidate waits: that is the same trial.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from escalate.rules.crm import CrmRule
from escalate.scenario.nature import DAYS_PER_MONTH
from escalate.studies.simulation import simulate
from escalate.words.data_cut import DataCut, Partial
from escalate.words.records import NO_LEVEL, Action
from golden import TRIALS, assert_within_error, cases
from small import small
from test_golden_rolling import tite_boin


class TiteTrial:
    """One trial of `tite_boin_simulate`, in windows; the dose is decided when a cohort's first patient arrives."""

    def __init__(self, case: dict[str, Any], rule: Any, generator: np.random.Generator) -> None:
        self.case, self.rule, self.generator = case, rule, generator
        self.levels = len(case["p_true"])
        self.level: list[int] = []
        self.start: list[float] = []
        self.known: list[float] = []  # when each outcome is known
        self.dlt: list[bool] = []

    def gap(self) -> float:
        rate, kind = self.case["accrual_rate"] * self.case["window"], self.case["accrual"]
        if kind == "fixed":
            return 1 / rate
        return self.generator.uniform(0, 2 / rate) if kind == "uniform" else self.generator.exponential(1 / rate)

    def onset(self, p: float) -> float:
        if self.case["dlt_time"] == "uniform":
            return float(self.generator.random())
        p = min(max(p, 1e-12), 0.999)
        whole, half = -math.log1p(-p), -math.log1p(-p * (1 - self.case["late_fraction"]))
        return (-math.log1p(-self.generator.random() * p) / whole) ** (1 / math.log2(whole / half))

    def enrol(self, level: int, now: float) -> None:
        p = self.case["p_true"][level]
        has_dlt = bool(self.generator.random() < p)
        self.level.append(level)
        self.start.append(now)
        self.dlt.append(has_dlt)
        self.known.append(now + (self.onset(p) if has_dlt else 1.0))

    def cut(self, level: int, now: float) -> DataCut:
        n, y, c, seen = ([0] * self.levels for _ in range(4))
        for k, start, known, dlt in zip(self.level, self.start, self.known, self.dlt, strict=True):
            if known <= now:
                n[k] += 1
                y[k] += dlt
            else:
                c[k] += 1
                seen[k] += now - start
        return DataCut.of(level, n, y, c, [min(s, k) for s, k in zip(seen, c, strict=True)])

    def run(self) -> tuple[int, float]:
        """Return the recommended level and the duration."""
        now, level, cohort = 0.0, 0, 0
        while cohort < self.case["n_cohort"]:
            decision = None if cohort == 0 else self.rule.decide(self.cut(level, now)).one()
            if decision is not None:
                if decision.action is Action.STOP:
                    break
                treated = sum(k == level for k in self.level)
                if treated >= self.case["n_earlystop"] and decision.action is Action.STAY:
                    break
                if decision.action is Action.SUSPEND:
                    now = min(t for t, k in zip(self.known, self.level, strict=True) if t > now and k == level)
                    continue
                level = decision.level
            for _ in range(self.case["cohort_size"]):
                self.enrol(level, now)
                now += self.gap()
            cohort += 1
        end = max(self.known)
        return int(self.rule.recommend(self.cut(level, end))), end


@pytest.mark.parametrize("case", cases("titeboin_oc_montecarlo"))
def test_tite_boin_alone(case: dict[str, Any]) -> None:
    trials, generator, rule = 400, np.random.default_rng(7), tite_boin(case)
    found = [TiteTrial(case, rule, generator) for _ in range(trials)]
    ends = [trial.run() for trial in found]
    recommended, durations = np.array([e[0] for e in ends]), np.array([e[1] for e in ends])
    compare(recommended, trials, case, case["n_trials"])
    n = np.array([[trial.level.count(k) for k in range(trial.levels)] for trial in found])
    check_means(n, case["mean_n"])
    check_means(durations[:, np.newaxis] * case["window"], [case["mean_duration"]])


def compare(recommended: np.ndarray, trials: int, case: dict[str, Any], their_trials: int) -> None:
    for level, q in enumerate(case["selection_prob"]):
        assert_within_error(float(np.mean(recommended == level)), trials, q, their_trials)
    q = case.get("prob_no_selection", 0.0)
    assert_within_error(float(np.mean(recommended == NO_LEVEL)), trials, q, their_trials)


def check_means(values: np.ndarray, expected: list[float], their_trials: float = np.inf) -> None:
    """Compare means; a floor of a hundredth of the largest value stands for rare values that no trial had."""
    trials = len(values)
    error = values.std(axis=0, ddof=1) * np.sqrt(1 / trials + 1 / their_trials)
    floor = 5 * values.max(axis=0) / min(trials, their_trials)
    assert np.all(np.abs(values.mean(axis=0) - expected) <= 5 * error + floor), (values.mean(axis=0), expected)


def tite_crm_trials(case: dict[str, Any], trials: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return level of each patient and recommended level of trials of `titesim`, all trials at once."""
    rule = CrmRule(
        name="TITE-CRM", target=case["target"], skeleton=tuple(case["prior"]), prior_sd=case["scale"], rolling=True,
        recommend_untried=True,
    )  # fmt: skip
    size, p = case["n"], np.array(case["p_true"])
    gaps = np.full((trials, size), 1 / case["rate"])
    if case["accrual"] == "poisson":
        gaps = generator.exponential(1 / case["rate"], (trials, size))
    start = np.cumsum(gaps, axis=1)
    level = np.zeros((trials, size), dtype=np.int64)
    u, onset = generator.random((trials, size)), generator.random((trials, size))
    known = np.zeros((trials, size))
    dlt = np.zeros((trials, size), dtype=np.bool_)
    for patient in range(size + 1):
        if patient > 0:
            now = start[:, [patient]] if patient < size else np.full((trials, 1), np.inf)
            so_far = slice(0, patient)
            cut = _cut(level[:, so_far], start[:, so_far], known[:, so_far], dlt[:, so_far], now, len(p))
            best = rule.best_level(cut)
            if patient == size:
                return level, best
            level[:, patient] = np.minimum(best, level[:, patient - 1] + 1)
        dlt[:, patient] = u[:, patient] < p[level[:, patient]]
        known[:, patient] = start[:, patient] + np.where(dlt[:, patient], onset[:, patient], 1.0)
    raise AssertionError


def _cut(level: Any, start: Any, known: Any, dlt: Any, now: Any, levels: int) -> DataCut:
    done = known <= now
    hot = level[..., np.newaxis] == np.arange(levels)
    n, y = (hot & done[..., np.newaxis]).sum(axis=1), (hot & (done & dlt)[..., np.newaxis]).sum(axis=1)
    pending = (hot & ~done[..., np.newaxis]).sum(axis=1)
    share = np.where(done, 0.0, np.minimum(now - start, 1.0))
    partial = Partial(
        level=np.where(done, NO_LEVEL, level),
        share=share,
        lost=np.zeros_like(done),
        dlt_share=np.full((len(level), 0), np.nan),
    )
    return DataCut.of(level[:, -1], n, y, pending, partial=partial)


@pytest.mark.parametrize("case", cases("titecrm_oc_montecarlo"))
def test_tite_crm_alone(case: dict[str, Any]) -> None:
    trials = TRIALS // 4
    level, recommended = tite_crm_trials(case, trials, np.random.default_rng(11))
    compare(recommended, trials, case, case["nsim"])
    n = (level[..., np.newaxis] == np.arange(len(case["p_true"]))).sum(axis=1)
    check_means(n, case["mean_n"], case["nsim"])


WINDOW = 2000
"""Days of a window on the calendar: the error of whole days is then a two-thousandth of it."""


def on_the_calendar(case: dict[str, Any]) -> Any:
    method = "imputation" if case["method"] == "imputation" else "effective_sample_size"
    onset = {"kind": "uniform"}
    if case["dlt_time"] == "weibull":
        onset = {"kind": "weibull", "second_half_share": case["late_fraction"]}
    return small(
        dose_levels=[{"label": str(k)} for k in range(len(case["p_true"]))],
        toxicity={"dlt_probability": case["p_true"], "onset": onset},
        rule={
            "name": "TITE-BOIN", "target": case["target"], "method": method,
            "most_pending_share": float(case["max_pending_ratio"]), "min_completed": case["min_completed"],
        },
        stopping={} if case["n_earlystop"] >= 100 else {"enough_at_level": case["n_earlystop"]},
        safety__dlt_window_days=WINDOW,
        safety__cohort_size=case["cohort_size"],
        safety__early_decision=False,
        follow_up__days=WINDOW,
        trial__planned_patients=case["n_cohort"] * case["cohort_size"],
        trial__max_days=100_000,
        accrual={
            "kind": "poisson", "most_waiting": 1,
            "consents_per_month": DAYS_PER_MONTH * case["accrual_rate"] * case["window"] / WINDOW,
        },
    )  # fmt: skip


EXPONENTIAL = [case for case in cases("titeboin_oc_montecarlo") if case.values[0]["accrual"] == "exponential"]


def check_calendar(case: dict[str, Any], trials: int) -> None:
    found = simulate(on_the_calendar(case), trials=trials, seed=5)
    compare(found.recommended, trials, case, case["n_trials"])
    check_means(found.patients["infused"], case["mean_n"])
    # There the first patient arrives at time 0, and the last outcome ends the trial.
    days = found.milestone_days["last outcome"] - found.milestone_days["first infusion"]
    check_means(days[:, np.newaxis] / WINDOW * case["window"], [case["mean_duration"]])


@pytest.mark.parametrize("case", EXPONENTIAL)
def test_tite_boin_on_the_calendar(case: dict[str, Any]) -> None:
    check_calendar(case, TRIALS)


def tite_crm_on_the_calendar(case: dict[str, Any]) -> Any:
    """`titesim`: each patient is treated on arrival, at most one level above the last one, and all are observed."""
    gap = WINDOW / case["rate"]
    accrual: dict[str, Any] = {"kind": "poisson", "consents_per_month": DAYS_PER_MONTH / gap}
    if case["accrual"] == "fixed":
        accrual = {"kind": "fixed", "consent_days": [round(gap * (k + 1)) for k in range(case["n"])]}
    return small(
        dose_levels=[{"label": str(k)} for k in range(len(case["p_true"]))],
        toxicity={"dlt_probability": case["p_true"], "onset": {"kind": "uniform"}},
        rule={
            "name": "TITE-CRM", "target": case["target"], "skeleton": case["prior"], "prior_sd": case["scale"],
            "recommend_untried": True, "too_toxic_probability": 1.0,
        },
        limits={"no_skipping": "last_given", "coherence": "off"},
        safety__start_level=case["x0"],
        safety__dlt_window_days=WINDOW,
        safety__cohort_size=1,
        safety__early_decision=False,
        follow_up__days=WINDOW,
        trial__planned_patients=case["n"],
        trial__max_days=100_000,
        accrual=accrual,
    )  # fmt: skip


def check_tite_crm(case: dict[str, Any], trials: int) -> None:
    found = simulate(tite_crm_on_the_calendar(case), trials=trials, seed=6)
    compare(found.recommended, trials, case, case["nsim"])
    check_means(found.patients["infused"], case["mean_n"], case["nsim"])
    check_means(found.patients["dlts"], case["mean_dlt"], case["nsim"])
    days = (found.milestone_days["last infusion"] + WINDOW) / WINDOW  # theirs ends a window after the last arrival
    assert_mean(days, case["mean_duration"], case["mean_duration_se"])


def assert_mean(values: np.ndarray, expected: float, their_error: float) -> None:
    """Compare a mean, within the rounding to whole days."""
    error = np.hypot(values.std(ddof=1) / np.sqrt(len(values)), their_error)
    assert abs(values.mean() - expected) <= 5 * error + 1 / WINDOW, (values.mean(), expected)


@pytest.mark.parametrize("case", cases("titecrm_oc_montecarlo"))
def test_tite_crm_on_the_calendar(case: dict[str, Any]) -> None:
    check_tite_crm(case, TRIALS // 4)  # nearly every data cut has a posterior of its own


@pytest.mark.long
@pytest.mark.parametrize("case", cases("titecrm_oc_montecarlo"))
def test_tite_crm_on_the_calendar_for_long(case: dict[str, Any]) -> None:
    check_tite_crm(case, 20_000)
