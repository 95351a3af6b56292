"""CRM and TITE-CRM against the R package dfcrm, and against the same posteriors by its author's finer quadrature.

The package integrates the prior from -10 to 10, which matters for its wide priors alone: ``prior_cut = 10``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from escalate import exact
from escalate.rules import getprior, make_rule
from escalate.rules.crm import STEPS_FOR_PROBABILITY, CrmRule, adaptive
from escalate.scenario.rules import Crm
from escalate.words.data_cut import DataCut, Partial
from golden import assert_within_error, cases, counts
from small import small

CLOSE = {"rel": 0, "abs": 1e-8}


def crm(case: dict[str, Any], **more: Any) -> CrmRule:
    rule = CrmRule(
        name="CRM",
        target=case["target"],
        skeleton=tuple(case["prior"]),
        model=case["model"],
        prior_sd=case.get("scale", 1.0),
        prior_cut=10.0,
        intercept=case["intcpt"],
        **more,
    )
    return rule


@pytest.mark.parametrize("case", cases("crm_getprior"))
def test_skeleton(case: dict[str, Any]) -> None:
    found = getprior(case["halfwidth"], case["target"], case["nu"], case["nlevel"], case["model"], case["intcpt"])
    assert found == pytest.approx(case["skeleton"], rel=0, abs=1e-12)


def check(rule: CrmRule, cut: DataCut, case: dict[str, Any]) -> None:
    rows, _ = rule.table(cut)
    (estimate,) = rule.parameter(rows)
    at = rule.grid(int(rule.patients(rows)[0]), STEPS_FOR_PROBABILITY)
    density = rule.posterior(rows, at)[0]
    fine = case["high_precision"]
    assert estimate == pytest.approx(fine["estimate"], **CLOSE)
    assert density @ at.nodes**2 - estimate**2 == pytest.approx(fine["post_var"], **CLOSE)
    assert rule.estimates(cut).tolist() == pytest.approx(fine["ptox"], **CLOSE)
    assert (density @ rule.curve(at.nodes)).tolist() == pytest.approx(fine["posterior_mean_ptox"], **CLOSE)
    error = case["max_abs_ptox_diff"] + 1e-8
    assert rule.estimates(cut).tolist() == pytest.approx(case["dfcrm"]["ptox"], rel=0, abs=error)
    assert int(rule.best_level(cut)) + 1 == fine["mtd"] == case["dfcrm"]["mtd"]


@pytest.mark.parametrize("case", cases("crm_bayes_posterior"))
def test_posterior(case: dict[str, Any]) -> None:
    check(crm(case), DataCut.of(0, *counts(len(case["prior"]), case["level"], case["tox"])), case)


@pytest.mark.parametrize("case", cases("crm_mle"))
def test_maximum_likelihood(case: dict[str, Any]) -> None:
    """The package's own estimate is good to 1e-4; the finer one to 1e-7."""
    rule = crm(case, estimate="maximum_likelihood")
    cut = DataCut.of(0, *counts(len(case["prior"]), case["level"], case["tox"]))
    (estimate,) = rule.parameter(rule.table(cut)[0])
    assert estimate == pytest.approx(case["high_precision"]["estimate"], rel=0, abs=1e-6)
    assert estimate == pytest.approx(case["dfcrm"]["estimate"], rel=0, abs=2e-4)
    assert int(rule.best_level(cut)) + 1 == case["dfcrm"]["mtd"]


def partly_observed(case: dict[str, Any]) -> tuple[DataCut, list[float]]:
    """Return the data cut of a TITE case, and the shares of the window of the patients without a DLT."""
    levels, window = len(case["prior"]), case["obswin"]
    followup = case["followup"]
    if case["entry"] is not None:
        followup = [b - a for a, b in zip(case["entry"], case["exit"], strict=True)]
    shares = case["weights_in"] if followup is None else [min(u / window, 1.0) for u in followup]
    people = list(zip(case["level"], case["tox"], shares, strict=True))
    n, y = counts(levels, [k for k, dlt, _ in people if dlt], [1] * sum(case["tox"]))
    waiting = [(k - 1, share) for k, dlt, share in people if not dlt]
    pending = [sum(k == level for k, _ in waiting) for level in range(levels)]
    partial = Partial(
        level=np.array([k for k, _ in waiting], dtype=np.int64),
        share=np.array([share for _, share in waiting]),
        lost=np.zeros(len(waiting), dtype=np.bool_),
        dlt_share=np.array([share for _, dlt, share in people if dlt]),
    )
    return DataCut.of(0, n, y, pending, partial=partial), [share for _, share in waiting]


@pytest.mark.parametrize("case", cases("titecrm_bayes_posterior"))
def test_posterior_with_patients_pending(case: dict[str, Any]) -> None:
    scheme = "adaptive" if "adaptive" in case["mode"] else "linear"
    cut, shares = partly_observed(case)
    assert cut.partial is not None
    weights = adaptive(np.array([shares]), cut.partial.dlt_share[np.newaxis])[0] if scheme == "adaptive" else shares
    used = [w for w, dlt in zip(case["weights_used"], case["tox"], strict=True) if not dlt]
    assert list(weights) == pytest.approx(used, rel=0, abs=1e-12)
    check(crm(case, rolling=True, weights=scheme), cut, case)


def simulated_by_dfcrm(case: dict[str, Any], size: int) -> Any:
    """Return the scenario of `crmsim`: no stopping, and any level; its default, ``restrict``, is that of our limits."""
    limits = {} if case["restrict"] else {"no_skipping": "off", "coherence": "off"}
    return small(
        dose_levels=[{"label": str(k)} for k in range(len(case["p_true"]))],
        toxicity__dlt_probability=case["p_true"],
        rule={
            "name": "CRM", "target": case["target"], "skeleton": case["prior"], "model": case["model"],
            "prior_sd": case["scale"], "recommend_untried": True, "too_toxic_probability": 1.0,
        },
        limits=limits,
        safety__cohort_size=case["mcohort"],
        safety__start_level=case["x0"],
        trial__planned_patients=size,
    )  # fmt: skip


@pytest.mark.parametrize("case", cases("crm_oc_exact"))
def test_exact_characteristics(case: dict[str, Any]) -> None:
    found = exact(simulated_by_dfcrm(case, case["ncohort"] * case["mcohort"]))
    close = {"rel": 0, "abs": 1e-12}
    assert found.recommended == pytest.approx(case["selection_prob"], **close)
    assert found.evaluable == pytest.approx(case["mean_n"], **close)
    assert found.dlts == pytest.approx(case["mean_dlt"], **close)
    assert found.no_dose == 0


@pytest.mark.parametrize("case", cases("crm_oc_montecarlo"))
def test_simulated_characteristics(case: dict[str, Any]) -> None:
    found = exact(simulated_by_dfcrm(case, case["n"]))
    for q, estimate in zip(found.recommended, case["selection_prob"], strict=True):
        assert_within_error(estimate, case["nsim"], q)


def test_a_computed_skeleton_is_used() -> None:
    given = make_rule(Crm(name="CRM", target=0.25, skeleton=getprior(0.05, 0.25, 2, 4)), 4)
    assert make_rule(Crm(name="CRM", target=0.25, prior_mtd_level=2), 4) == given
