"""Operating characteristics of whole trials against other software: BOIN, Keyboard, and the dose paths of escalation.

Our side is exact wherever the number of data cuts allows, so that a comparison with simulated values has their error
alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from escalate import Scenario, exact
from escalate.committee.committee import Committee
from escalate.errors import NotCoveredError
from escalate.exactly.enumeration import binomial
from escalate.rules.counts import isotonic, smoothed_rates
from escalate.words.data_cut import Counts, DataCut
from escalate.words.records import NO_LEVEL, Action
from golden import assert_within_error, cases, golden
from small import small


def boin(case: dict[str, Any]) -> Scenario:
    """Return the scenario of `BOIN::get.oc`: the last cohort is cut to the planned size, titration fills up once."""
    return small(
        dose_levels=[{"label": str(k)} for k in range(len(case["p_true"]))],
        toxicity__dlt_probability=case["p_true"],
        rule={
            "name": "BOIN", "target": case["target"], "p_saf": case["p_saf"], "p_tox": case["p_tox"],
            "extrasafe": case["extrasafe"], "offset": case["offset"], "elimination_cutoff": case["cutoff_eli"],
            "bound_mtd": case["boundMTD"], "strict_upper_boundary": True,
        },
        titration={} if case.get("titration") else None,
        stopping={} if case["n_earlystop"] >= 100 else {"enough_at_level": case["n_earlystop"]},
        safety__cohort_size=case["cohortsize"],
        safety__start_level=case["startdose"],
        trial__planned_patients=case["ncohort"] * case["cohortsize"],
        trial__last_cohort="partial",
    )  # fmt: skip


EXACT: dict[str, Any] = {}
"""Exact results, by their scenarios: simulated trials are compared with them too."""


def exactly(scenario: Scenario) -> Any:
    """Return the exact results of a scenario, computed once."""
    key = scenario.fingerprint()
    if key not in EXACT:
        EXACT[key] = exact(scenario)
    return EXACT[key]


def compare(scenario: Scenario, case: dict[str, Any]) -> None:
    """Compare selection, patients and DLTs per level with simulated ones."""
    found, trials = exactly(scenario), case["ntrial"]
    for q, estimate in zip(found.recommended, case["selection_prob"], strict=True):
        assert_within_error(estimate, trials, q)
    assert_within_error(case["prob_no_selection"], trials, found.no_dose)
    for means, at_level, name in (
        (found.evaluable, found.evaluable_at_level, "mean_n"),
        (found.dlts, found.dlts_at_level, "mean_dlt"),
    ):
        for mean, distribution, estimate in zip(means, at_level, case[name], strict=True):
            variance = sum(q * (number - mean) ** 2 for number, q in distribution.items())
            floor = 5 * max(distribution) / trials
            assert abs(estimate - mean) <= 5 * np.sqrt(variance / trials) + floor, name


SINGLE_PATIENTS = {case["id"] for case in golden("boin_oc_1e6") if case["cohortsize"] == 1}


@pytest.mark.parametrize("case", [c for c in cases("boin_oc_1e6") if c.id not in SINGLE_PATIENTS])
def test_boin_million_trials(case: dict[str, Any]) -> None:
    compare(boin(case), case)


@pytest.mark.parametrize("case", [c for c in cases("boin_oc_montecarlo") if c.values[0]["cohortsize"] > 1])
def test_boin(case: dict[str, Any]) -> None:
    compare(boin(case), case)


DEFAULTS = {"extrasafe": False, "boundMTD": False, "cutoff_eli": 0.95, "startdose": 1}
"""The package's defaults, beside its boundaries and neither titration nor an early stop: ours, too."""


def is_at_defaults(case: dict[str, Any]) -> bool:
    boundaries = (case["p_saf"], case["p_tox"]) == (None, None) or (
        abs(case["p_saf"] - 0.6 * case["target"]) < 1e-9 and abs(case["p_tox"] - 1.4 * case["target"]) < 1e-9
    )
    plain = not case.get("titration") and case["n_earlystop"] >= 100
    return plain and boundaries and all(case[name] == value for name, value in DEFAULTS.items())


AT_DEFAULTS = [
    pytest.param(case.values[0], id=f"{name}-{case.id}")
    for name in ("boin_oc_1e6", "boin_oc_montecarlo")
    for case in cases(name)
    if is_at_defaults(case.values[0]) and case.values[0]["cohortsize"] > 1
]


@pytest.mark.parametrize("case", AT_DEFAULTS)
def test_boin_at_its_defaults(case: dict[str, Any]) -> None:
    """The rule with nothing but its target, against the package with nothing but its target."""
    compare(
        boin(case).replace({"rule": {"name": "BOIN", "target": case["target"]}, "trial.last_cohort": "whole"}), case
    )


def test_there_are_goldens_at_defaults() -> None:
    assert len(AT_DEFAULTS) >= 5


def keyboard(case: dict[str, Any]) -> Scenario:
    """Return the scenario of `Keyboard::get.oc.kb`."""
    rule = {
        "name": "Keyboard", "target": case["target"], "epsilon1": case["marginL"], "epsilon2": case["marginR"],
        "elimination_cutoff": case["cutoff_eli"], "eliminate_from": 1, "partial_keys": "rescale",
    }  # fmt: skip
    levels = [{"label": str(k)} for k in range(len(case["p_true"]))]
    return small(
        dose_levels=levels,
        toxicity__dlt_probability=case["p_true"],
        rule=rule,
        safety__cohort_size=case["cohortsize"],
        trial__planned_patients=case["ncohort"] * case["cohortsize"],
    )


@pytest.mark.parametrize("case", cases("keyboard_oc_montecarlo"))
def test_keyboard(case: dict[str, Any]) -> None:
    compare(keyboard(case), case)


@pytest.mark.parametrize("case", cases("pava_weighted"))
def test_smoothing_is_weighted_isotonic_regression(case: dict[str, Any]) -> None:
    """Against Iso's `pava`: rates and weights of any kind, and where there are counts, those that follow from them."""
    close, x, w = {"rel": 0, "abs": 1e-12}, np.array(case["x"]), np.array(case["w"], dtype=float)
    assert isotonic(x, w) == pytest.approx(case["fit"], **close)
    assert -isotonic(-x, w) == pytest.approx(case["fit_decreasing"], **close)
    assert isotonic(np.stack([x, -x]), np.stack([w, w]))[0] == pytest.approx(case["fit"], **close)
    if case["n"] is not None:
        n, y = np.array(case["n"]), np.array(case["y"])
        assert smoothed_rates(n, y, n > 0, 0.05) == pytest.approx(case["fit"], **close)


# The dose paths of the R package escalation

RULES = {
    "boin": lambda case: {"name": "BOIN", "target": case["target"]},
    "boin_select_mtd": lambda case: {"name": "BOIN", "target": case["target"]},
    "boin_stop9_select_mtd": lambda case: {"name": "BOIN", "target": case["target"]},
    "three_plus_three": lambda case: {"name": "3+3", "variant": "B" if case["allow_deescalate"] else "A"},
    "mtpi": lambda case: {"name": "mTPI", "target": case["target"], "eliminate_from": 2},
    "mtpi2": lambda case: {"name": "mTPI-2", "target": case["target"], "eliminate_from": 2},
    "crm_empiric": lambda case: _crm(case),
    "crm_empiric_noskip": lambda case: _crm(case),
    "crm_empiric_noskip_stoptoxic": lambda case: _crm(case),
}


def _crm(case: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "CRM", "target": case["target"], "skeleton": case["skeleton"], "prior_sd": case["scale"],
        "recommend_untried": True, "too_toxic_probability": 1.0,
    }  # fmt: skip


def of_escalation(case: dict[str, Any]) -> Scenario:
    stopping = {}
    if "stop_when_too_toxic" in case:
        said = case["stop_when_too_toxic"]
        assert said["dose"] == 1
        stopping = {"too_toxic_probability": said["confidence"], "too_toxic_above": said["tox_threshold"]}
    return small(
        dose_levels=[{"label": str(k)} for k in range(len(case["p_true"]))],
        toxicity__dlt_probability=case["p_true"],
        rule=RULES[case["design"]](case),
        limits={"no_skipping": "off" if case["design"] == "crm_empiric" else "last_given", "coherence": "off"},
        stopping=stopping,
        trial__planned_patients=sum(case["cohort_sizes"]),
    )


@pytest.mark.parametrize("case", cases("dose_paths_exact"))
def test_every_node_of_the_tree(case: dict[str, Any]) -> None:
    """After every sequence of outcomes the package names the next dose, or none; its leaves add up to the truth."""
    committee, levels = Committee(of_escalation(case)), len(case["p_true"])
    nobody = (0,) * levels
    start = Counts(0, nobody, nobody, nobody)
    reached: dict[int | None, tuple[Counts, int, float]] = {None: (start, 0, 1.0)}  # counts, next level, probability
    told, mean_n = np.zeros(levels + 1), np.zeros(levels)
    for node in case["paths"]:
        here, level, probability = reached[node["parent"]]
        if node["outcomes"]:
            size, dlts = len(node["outcomes"]), node["outcomes"].count("T")
            probability *= binomial(size, case["p_true"][level])[dlts]
            here = here._replace(level=level, last=(size, dlts)).completed(size, dlts)
        decision = committee.decide(here, 1000)
        following = decision.level
        if case["design"] == "boin_stop9_select_mtd" and sum(here.evaluable) == 9 and node["next_dose"] is not None:
            following = int(committee.rule.recommend(DataCut.gather([here]))[0])  # this design stops there
        assert (None if following == NO_LEVEL else following + 1) == node["next_dose"], node
        if case["design"] == "three_plus_three":
            assert (decision.action is Action.STOP) == (not node["continue"])
        reached[node["node"]] = (here, following, probability)
        if node["depth"] == len(case["cohort_sizes"]) or not node["continue"]:
            told[following] += probability
            mean_n += probability * np.array(here.evaluable)
    close = {"rel": 0, "abs": 1e-12}
    assert told.tolist() == pytest.approx([*case["final_recommend_prob"], case["final_recommend_none"]], **close)
    assert mean_n.tolist() == pytest.approx(case["mean_n"], **close)


@pytest.mark.parametrize("case", [c for c in cases("dose_paths_exact") if len(set(c.values[0]["cohort_sizes"])) == 1])
def test_exact_gives_the_sums_of_the_tree(case: dict[str, Any]) -> None:
    """Patients and DLTs; and recommendations, where the package's last decision is one of the trial's end."""
    found, close = exact(of_escalation(case)), {"rel": 0, "abs": 1e-12}
    assert found.evaluable == pytest.approx(case["mean_n"], **close)
    assert found.dlts == pytest.approx(case["mean_dlt"], **close)
    if case["design"] in ("boin_stop9_select_mtd", "crm_empiric"):
        assert found.recommended == pytest.approx(case["final_recommend_prob"], **close)
        assert found.no_dose == pytest.approx(case["final_recommend_none"], **close)


def test_single_patients_are_too_many_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty-six cohorts of one at six levels are refused, with the count."""
    monkeypatch.setattr("escalate.exactly.enumeration.MOST_STATES", 20_000)
    (case,) = [c for c in golden("boin_oc_1e6") if c["id"] in SINGLE_PATIENTS]
    with pytest.raises(NotCoveredError, match=r"more than 20,000 data cuts \(\d\d,\d\d\d\)"):
        exact(boin(case))


@pytest.mark.parametrize("case", [c for c in cases("boin_oc_1e6") if c.id in SINGLE_PATIENTS])
def test_single_patients(case: dict[str, Any]) -> None:
    """Simulated, the committee deciding for 100,000 trials at once."""
    trials, generator = 100_000, np.random.default_rng(36)
    committee, levels = Committee(boin(case)), len(case["p_true"])
    n, y = np.zeros((trials, levels), dtype=np.int64), np.zeros((trials, levels), dtype=np.int64)
    level, alive = np.zeros(trials, dtype=np.int64), np.arange(trials)
    recommended = np.full(trials, NO_LEVEL)
    while alive.size:
        cut = DataCut.of(level[alive], n[alive], y[alive])
        decided = committee.decide_many(cut, case["ncohort"] - n[alive].sum(axis=1))
        ends = decided.action == Action.STOP
        recommended[alive[ends]] = decided.level[ends]
        alive = alive[~ends]
        level[alive] = decided.level[~ends]
        n[alive, level[alive]] += 1
        y[alive, level[alive]] += generator.random(alive.size) < np.array(case["p_true"])[level[alive]]
    for k, q in enumerate(case["selection_prob"]):
        assert_within_error(float(np.mean(recommended == k)), trials, q, case["ntrial"])
    assert_within_error(float(np.mean(recommended == NO_LEVEL)), trials, case["prob_no_selection"], case["ntrial"])
    for means, found in ((case["mean_n"], n), (case["mean_dlt"], y)):
        error = found.std(axis=0) * np.sqrt(1 / trials + 1 / case["ntrial"])
        assert np.all(np.abs(found.mean(axis=0) - means) <= 5 * error)
