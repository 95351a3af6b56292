"""3+3 against exact values computed with other software, and the simulated trial against exact distributions.

``data/threeplusthree_exact.json`` holds values from simFastBOIN's closed form, dose paths of the R package
escalation, and precautionary's enumeration; its ``source`` and each case's ``sources`` say which.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dose_paths import Exact, final_distribution, summarise
from escalate import simulate
from escalate.rules import ThreePlusThreeRule
from escalate.words.data_cut import DataCut
from escalate.words.records import Action
from small import small

CASES = json.loads((Path(__file__).parent / "data" / "threeplusthree_exact.json").read_text())["cases"]
VARIANTS = {
    "no_deescalation_mtd_previous": "A",
    "escalation_allow_deescalate": "B",
    "no_reescalation_mtd_expand_to_6": "C",
    "precautionary_deescalation_6_at_mtd": "C",
}
NAMES = [case["id"] for case in CASES]
Z = 5.0
SHORT, LONG = 600, 20_000
"""Trials of each case. With 600, a shift of a probability of 0.5 by 0.10 (5 standard errors of 0.020) is seen for
sure, by 0.14 in nearly every run; with 20,000, by 0.018 and 0.025."""


@cache
def exact(variant: str, p: tuple[float, ...]) -> Exact:
    rule = ThreePlusThreeRule(variant)

    @cache
    def decide(level: int, n: tuple[int, ...], y: tuple[int, ...]) -> tuple[str, int, int]:
        decision = rule.decide(DataCut.of(level, n, y)).one()
        return decision.action.words, decision.level, decision.patients

    return summarise(final_distribution(decide, list(p)))


def exact_of(case: dict[str, Any]) -> Exact:
    return exact(VARIANTS[case["variant"]], tuple(case["p_true"]))


def test_the_cases_are_all_there() -> None:
    assert len(CASES) == 47
    assert {case["variant"] for case in CASES} == set(VARIANTS)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_golden_exact_values(case: dict[str, Any]) -> None:
    """Every probability and mean of the file, to 1e-12."""
    found, close = exact_of(case), {"rel": 0, "abs": 1e-12}
    assert [*found.recommended.values()] == pytest.approx([case["prob_no_mtd"], *case["selection_prob"]], **close)
    assert [mean for mean, _ in found.evaluable] == pytest.approx(case["mean_n"], **close)
    assert [mean for mean, _ in found.dlts] == pytest.approx(case["mean_dlt"], **close)
    if "total_n_prob" in case:
        assert found.total == pytest.approx(
            dict(zip(case["total_n_support"], case["total_n_prob"], strict=True)), **close
        )


@pytest.mark.parametrize(
    ("p", "variant", "none", "first", "second", "patients", "cap_binds"),
    [
        ((0.10, 0.25), "A", 0.0939, 0.3626, 0.5436, 7.594, 0.0747),
        ((0.10, 0.25), "B", 0.1020, 0.3544, 0.5436, 8.469, 0.2525),
        ((0.10, 0.25), "C", 0.1034, 0.4128, 0.4838, 9.760, 0.3753),
        ((0.05, 0.10), "A", 0.0266, 0.0914, 0.8821, 7.036, 0.0282),
        ((0.05, 0.10), "B", 0.0271, 0.0908, 0.8821, 7.277, 0.0847),
        ((0.05, 0.10), "C", 0.0273, 0.1105, 0.8622, 9.459, 0.1868),
        ((0.20, 0.40), "A", 0.2914, 0.4894, 0.2192, 7.196, 0.0849),
        ((0.20, 0.40), "B", 0.3282, 0.4526, 0.2192, 8.257, 0.2583),
        ((0.20, 0.40), "C", 0.3322, 0.5025, 0.1653, 8.833, 0.3397),
        ((0.25, 0.50), "A", 0.4001, 0.4968, 0.1031, 6.740, 0.0667),
        ((0.25, 0.50), "B", 0.4547, 0.4422, 0.1031, 7.788, 0.2052),
        ((0.25, 0.50), "C", 0.4589, 0.4755, 0.0656, 8.092, 0.2538),
        ((0.01, 0.05), "A", 0.0012, 0.0265, 0.9723, 6.490, 0.0039),
        ((0.01, 0.05), "B", 0.0012, 0.0265, 0.9723, 6.568, 0.0226),
        ((0.01, 0.05), "C", 0.0012, 0.0327, 0.9661, 9.155, 0.0531),
    ],
)
def test_two_dose_table(p: tuple[float, ...], variant: str, none: float, first: float, second: float,
                        patients: float, cap_binds: float) -> None:  # fmt: skip
    """The hand-made table for two doses, to its four decimals; a cap of nine binds when a tenth patient is needed."""
    found = exact(variant, p)
    assert [*found.recommended.values()] == pytest.approx([none, first, second], abs=5.1e-5)
    assert sum(mean for mean, _ in found.evaluable) == pytest.approx(patients, abs=5.1e-4)
    assert sum(q for total, q in found.total.items() if total > 9) == pytest.approx(cap_binds, abs=5.1e-5)


def test_golden_five_doses() -> None:
    p = (0.12, 0.27, 0.44, 0.53, 0.57)
    for variant, values, patients, digits in (
        ("A", [0.12854, 0.38611, 0.36483, 0.10361, 0.01514, 0.00177], 10.1933, 5.1e-5),
        ("C", [0.14209, 0.42227, 0.34707, 0.07810, 0.00952, 0.00096], 12.32, 5.1e-3),
    ):
        found = exact(variant, p)
        assert [*found.recommended.values()] == pytest.approx(values, abs=5.1e-6)
        assert sum(mean for mean, _ in found.evaluable) == pytest.approx(patients, abs=digits)


def simulated_agrees(case: dict[str, Any], trials: int) -> None:
    """Compare recommendation, total patients, patients and DLTs per level, over their whole distributions."""
    p, variant = case["p_true"], VARIANTS[case["variant"]]
    scenario = small(
        dose_levels=[{"label": str(level)} for level in range(len(p))],
        toxicity__dlt_probability=p,
        rule__variant=variant,
        trial__planned_patients=1000,
        safety__early_decision=False,
        safety__dlt_window_days=1,
        follow_up__days=1,
        accrual={"kind": "poisson", "consents_per_month": 90.0, "without_place": "lost"},
    )
    found, truth = simulate(scenario, trials=trials, seed=20240830), exact_of(case)
    for level, chance in truth.recommended.items():
        agrees(int((found.recommended == level).sum()), trials, chance)
    totals = Counter(found.patients["evaluable"].sum(axis=1).tolist())
    assert set(totals) <= set(truth.total)
    for total, chance in truth.total.items():
        agrees(totals[total], trials, chance)
    for name, moments in (("evaluable", truth.evaluable), ("dlts", truth.dlts)):
        for level, (expected, variance) in enumerate(moments):
            z = (np.mean(found.patients[name][:, level]) - expected) / math.sqrt(variance / trials)
            assert abs(z) <= Z, (name, level, z)


def agrees(count: int, trials: int, chance: float) -> None:
    """Compare a count with its exact probability: z with the exact standard error, or the exact tail if it is rare."""
    from scipy.stats import binom

    if min(chance, 1 - chance) * trials >= 20:
        z = (count - trials * chance) / math.sqrt(trials * chance * (1 - chance))
        assert abs(z) <= Z, (count, trials, chance, z)
    else:
        tail = min(binom.cdf(count, trials, chance), binom.sf(count - 1, trials, chance))
        assert tail >= 2.9e-7, (count, trials, chance, tail)  # the tail of a normal beyond 5


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_simulated_agrees_with_golden(case: dict[str, Any]) -> None:
    simulated_agrees(case, SHORT)


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_simulated_agrees_with_golden_long(case: dict[str, Any]) -> None:
    simulated_agrees(case, int(os.environ.get("ESCALATE_LONG_TRIALS", LONG)))


def test_outcome_paths_counted() -> None:
    """Paths told apart cohort by cohort: the numbers that precautionary and others report for variants A, B and C."""
    counts = {"A": [19, 43, 91], "B": [34, 118, 346], "C": [46, 154, 442]}
    assert {variant: [paths(variant, levels) for levels in (2, 3, 4)] for variant in counts} == counts


def paths(variant: str, levels: int) -> int:
    rule = ThreePlusThreeRule(variant)

    def below(level: int, n: tuple[int, ...], y: tuple[int, ...]) -> int:
        decision = rule.decide(DataCut.of(level, n, y)).one()
        if decision.action is Action.STOP:
            return 1
        k, size = decision.level, decision.patients
        return sum(
            below(k, (*n[:k], n[k] + size, *n[k + 1 :]), (*y[:k], y[k] + dlts, *y[k + 1 :])) for dlts in range(size + 1)
        )

    return below(0, (0,) * levels, (0,) * levels)
