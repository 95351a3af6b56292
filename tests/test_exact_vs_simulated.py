"""Exact results against the values of other software, against listed paths, and against the simulated calendar."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import ROOT, SCENARIOS
from escalate import Scenario, dose_paths, exact, load, simulate
from escalate.cli import main
from escalate.errors import NotCoveredError
from escalate.nature.draws import Nature
from escalate.nature.patients import dlt_probability_if_evaluable
from escalate.scenario.own_rules import rule as register
from small import small
from test_golden_three_plus_three import CASES, NAMES, VARIANTS

RULES: dict[str, dict[str, Any]] = {
    "3+3 A": {"name": "3+3", "variant": "A"},
    "3+3 B": {"name": "3+3", "variant": "B"},
    "3+3 C": {"name": "3+3", "variant": "C"},
    "BOIN": {"name": "BOIN", "target": 0.25},
    "BOIN, all options": {"name": "BOIN", "target": 0.3, "extrasafe": True, "bound_mtd": True, "stay_on_1_of_3": True},
    "mTPI": {"name": "mTPI", "target": 0.3},
    "mTPI-2": {"name": "mTPI-2", "target": 0.25},
    "Keyboard": {"name": "Keyboard", "target": 0.3},
    "i3+3": {"name": "i3+3", "target": 0.25},
    "CRM": {"name": "CRM", "target": 0.25, "prior_mtd_level": 2},
    "CRM, logistic": {
        "name": "CRM",
        "target": 0.3,
        "skeleton": [0.1, 0.3],
        "model": "logistic",
        "recommend_untried": True,
    },
    "CRM, most likely": {"name": "CRM", "target": 0.25, "skeleton": [0.15, 0.3], "estimate": "maximum_likelihood"},
    "BLRM": {"name": "BLRM"},
    "BLRM, highest": {"name": "BLRM", "choose": "highest_allowed", "most_increase": 1.0, "mean_log_alpha": -1.5},
    "table": {
        "name": "table",
        "target": 0.3,
        "decisions": {"3": "E S D DU", "6": "E S S D DU DU DU", "9": "E E S S D DU DU DU DU DU"},
    },
    "python": {"python": "up_or_stay"},
}
AROUND: dict[str, dict[str, Any]] = {
    "titration": {"titration": {}},
    "titration to the first level": {"titration": {"last_level": 1}, "trial.last_cohort": "partial"},
    "coherence": {"limits": {"coherence": "after_dlt"}},
    "most per level": {"limits": {"most_per_level": 5}},
    "enough": {"stopping": {"enough_at_level": 6}},
    "enough, whatever comes": {"stopping": {"enough_at_level": 3, "enough_when": "any_move"}},
    "toxicity": {"stopping": {"too_toxic_probability": 0.7, "too_toxic_above": 0.3}},
    "precision": {"stopping": {"interval_width": 0.5}},
    "most patients": {"stopping": {"most_patients": 6}},
}
"""What goes with any rule."""
BOIN_CASES = json.loads((Path(__file__).parent / "data" / "boin_oc_exact.json").read_text())["cases"]
CLOSE = {"rel": 0, "abs": 1e-12}


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_golden_three_plus_three(case: dict[str, Any]) -> None:
    levels = [{"label": str(k)} for k in range(len(case["p_true"]))]
    found = exact(
        small(
            dose_levels=levels,
            toxicity__dlt_probability=case["p_true"],
            rule__variant=VARIANTS[case["variant"]],
            trial__planned_patients=6 * len(levels),
        )
    )
    assert [found.no_dose, *found.recommended] == pytest.approx([case["prob_no_mtd"], *case["selection_prob"]], **CLOSE)
    assert found.evaluable == pytest.approx(case["mean_n"], **CLOSE)
    assert found.dlts == pytest.approx(case["mean_dlt"], **CLOSE)


@pytest.mark.parametrize("case", BOIN_CASES, ids=lambda case: case["id"])
def test_golden_boin(case: dict[str, Any]) -> None:
    rule = {
        "name": "BOIN", "target": case["target"], "p_saf": case["p_saf"], "p_tox": case["p_tox"],
        "extrasafe": case["extrasafe"], "offset": case["offset"], "elimination_cutoff": case["cutoff_eli"],
        "bound_mtd": case["boundMTD"], "strict_upper_boundary": True,
    }  # fmt: skip
    levels = [{"label": str(k)} for k in range(len(case["p_true"]))]
    found = exact(
        small(
            dose_levels=levels,
            toxicity__dlt_probability=case["p_true"],
            rule=rule,
            stopping={} if case["n_earlystop"] >= 100 else {"enough_at_level": case["n_earlystop"]},
            safety__cohort_size=case["cohortsize"],
            safety__start_level=case["startdose"],
            trial__planned_patients=case["ncohort"] * case["cohortsize"],
        )
    )
    assert [found.no_dose, *found.recommended] == pytest.approx(
        [case["prob_no_selection"], *case["selection_prob"]], **CLOSE
    )
    assert found.evaluable == pytest.approx(case["mean_n"], **CLOSE)
    assert found.dlts == pytest.approx(case["mean_dlt"], **CLOSE)
    totals = zip(case["total_n_support"], case["total_n_prob"], strict=True)
    assert found.total == pytest.approx({total: q for total, q in totals if q}, **CLOSE)


@register(target=0.3)
def up_or_stay(known: Any) -> str:
    """Up after no DLT, down after two."""
    return "escalate" if known.y == 0 else ("de-escalate" if known.y > 1 else "stay")


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_simulation_agrees(base: Scenario, rule: dict[str, Any]) -> None:
    """Recommendation, reasons, totals and patients per level; |z| <= 5 with exact standard errors.

    With 1,500 trials a shift of 0.065 in a probability of a half is seen for sure.
    """
    agrees(base, {"rule": rule})


PAIRS = [(rule, name) for rule in ("3+3 C", "BOIN", "CRM") for name in AROUND if (rule, name) != ("3+3 C", "precision")]
"""Every pair but the one that a scenario may not have: 3+3 recommends nothing that could be known precisely."""


@pytest.mark.parametrize(("rule", "around"), PAIRS)
def test_simulation_agrees_with_what_goes_around_a_rule(base: Scenario, rule: str, around: str) -> None:
    agrees(base, {"rule": RULES[rule], **AROUND[around]}, 600)


@register(target=0.3)
def bold(known: Any) -> int:
    """Two levels up without a DLT, one with few, three down with many."""
    step = 2 if known.y == 0 else (1 if 3 * known.y <= known.n else -3)
    return min(max(known.level + step, 1), known.levels)


FOUR_LEVELS: dict[str, Any] = {
    "dose_levels": [{"label": f"dose {level}"} for level in range(1, 5)],
    "toxicity.dlt_probability": [0.1, 0.2, 0.35, 0.5],
    "trial.planned_patients": 17,
}
FOUR_LEVELS_CRM = {"name": "CRM", "target": 0.3, "skeleton": [0.04, 0.07, 0.15, 0.4]}
COMBINED: dict[str, dict[str, Any]] = {
    "3+3": {
        "rule": RULES["3+3 B"],
        "titration": {},
        "limits": {"coherence": "after_dlt", "most_per_level": 5},
        "stopping": {"too_toxic_probability": 0.8, "too_toxic_above": 0.3, "most_patients": 10},
    },
    "BOIN": {
        "rule": RULES["BOIN"],
        "titration": {"last_level": 3},
        "limits": {"coherence": "last_cohort", "most_per_level": 7},
        "stopping": {"enough_at_level": 6, "interval_width": 0.45, "most_patients": 15},
    },
    "i3+3, in part": {
        "rule": RULES["i3+3"] | {"eliminate_from": 1, "elimination_cutoff": 0.9},
        "titration": {},
        "trial.last_cohort": "partial",
        "trial.planned_patients": 11,
        "limits": {"no_skipping": "highest_given", "coherence": "after_dlt"},
        "stopping": {"enough_at_level": 4, "too_toxic_probability": 0.8},
    },
    "CRM": {
        "rule": FOUR_LEVELS_CRM,
        "titration": {"last_level": 2},
        "limits": {"no_skipping": "highest_given", "coherence": "last_level", "no_skipping_down": True},
        "stopping": {"too_toxic_probability": 0.3, "interval_width": 0.35, "most_patients": 13},
    },
    "CRM, free upwards": {
        "rule": FOUR_LEVELS_CRM,
        "limits": {"no_skipping": "off", "coherence": "last_cohort", "most_per_level": 7},
        "stopping": {"enough_at_level": 6, "most_patients": 12, "too_toxic_probability": 0.25},
        "safety.cohort_size": 2,
    },
    "a bold rule": {
        "rule": {"python": "bold"},
        "titration": {},
        "limits": {"no_skipping": "off", "coherence": "after_dlt"},
        "stopping": {"interval_width": 0.5, "too_toxic_probability": 0.8, "most_patients": 14},
    },
    "a bold rule, down by one level": {
        "rule": {"python": "bold"},
        "limits": {"no_skipping": "highest_given", "no_skipping_down": True, "most_per_level": 4},
        "stopping": {"enough_at_level": 4, "enough_when": "any_move", "too_toxic_probability": 0.8},
        "trial.last_cohort": "partial",
        "trial.planned_patients": 8,
        "safety.start_level": 3,
    },
}
"""Limits, stopping rules and titration at once; each has three ends that are not rare."""


@pytest.mark.parametrize("around", COMBINED.values(), ids=COMBINED)
def test_simulation_agrees_with_all_of_it_at_once(base: Scenario, around: dict[str, Any]) -> None:
    """With 600 trials what may differ is 0.11 in a probability of a half, so that a shift of 0.2 is seen for sure."""
    agrees(base, FOUR_LEVELS | around, 600)
    reasons = exact(base.replace(FOUR_LEVELS | around | {"safety.early_decision": False})).reasons
    assert sum(q > 0.02 for q in reasons.values()) >= 3, reasons


ATTRITION: dict[str, dict[str, Any]] = {
    "partial doses": {"attrition.partial_dose_probability": 0.4},
    "drop-outs": {"attrition.drop_out_per_year": 0.99},
    "both, late DLTs": {
        "attrition.partial_dose_probability": 0.3,
        "attrition.drop_out_per_year": 0.95,
        "toxicity.onset": {"kind": "weibull", "second_half_share": 0.8},
    },
    "both, listed days": {
        "attrition.partial_dose_probability": 0.2,
        "attrition.drop_out_per_year": 0.99,
        "toxicity.onset": {"kind": "list", "days": [0, 7, 28, 28]},
    },
    "both, and windows of their own": {
        "attrition.partial_dose_probability": 0.2,
        "attrition.drop_out_per_year": 0.99,
        "safety.dlt_window_anchor": "last_infusion",
        "dose_levels[2].infusion_days": [0, 90],
    },
}


@pytest.mark.parametrize("attrition", ATTRITION.values(), ids=ATTRITION)
def test_simulation_agrees_with_much_attrition(base: Scenario, attrition: dict[str, Any]) -> None:
    """Who has a DLT is evaluable, who has none must complete: the rate among evaluable patients is above P(DLT)."""
    agrees(base, {"rule": RULES["BOIN"], "toxicity.dlt_probability": [0.15, 0.35], **attrition}, 4000)


@pytest.mark.parametrize("attrition", ATTRITION.values(), ids=ATTRITION)
def test_dlt_rate_among_evaluable_patients(base: Scenario, attrition: dict[str, Any]) -> None:
    """Against 20,000 patients drawn one by one; |z| <= 5."""
    scenario = base.replace({"toxicity.dlt_probability": [0.15, 0.35], **attrition})
    nature = Nature(scenario, 3, 0, 1250)
    last = [level.infusion_days or (0,) for level in scenario.dose_levels]
    for level, expected in enumerate(dlt_probability_if_evaluable(scenario)):
        end = 28 + last[level][-1]
        fates = [nature.fate(trial, patient, level) for trial in range(1250) for patient in range(16)]
        dlts = sum(fate.dlt_day <= min(end, fate.drop_out_day) for fate in fates)
        others = sum(fate.dlt_day > end and fate.full_dose and fate.drop_out_day >= end for fate in fates)
        error = math.sqrt(expected * (1 - expected) / (dlts + others))
        assert abs(dlts / (dlts + others) - expected) <= 5 * error
        assert expected > scenario.toxicity.dlt_probability[level] + 5 * error


def test_nobody_is_ever_evaluable() -> None:
    with pytest.raises(NotCoveredError, match="nobody is ever evaluable"):
        exact(small(attrition__partial_dose_probability=1.0))


def agrees(base: Scenario, changes: dict[str, Any], trials: int = 1500) -> None:
    scenario = base.replace(
        {
            "toxicity.dlt_probability": [0.15, 0.35],
            "safety.early_decision": False,
            "accrual.consents_per_month": 8.0,
            "attrition.drop_out_per_year": 0.4,
            **changes,
        }
    )
    truth, found = exact(scenario), simulate(scenario, trials=trials, seed=99)
    pairs = [(np.mean(found.recommended == level), q) for level, q in enumerate(truth.recommended)]
    pairs.append((np.mean(found.recommended == -1), truth.no_dose))
    assert set(found.stop_reasons) <= set(truth.reasons)
    pairs += [(np.mean(np.array(found.stop_reasons) == reason), q) for reason, q in truth.reasons.items()]
    totals = found.patients["evaluable"].sum(axis=1)
    assert set(totals.tolist()) <= set(truth.total)
    pairs += [(np.mean(totals == patients), q) for patients, q in truth.total.items()]
    for name, at_level in (("evaluable", truth.evaluable_at_level), ("dlts", truth.dlts_at_level)):
        for level, distribution in enumerate(at_level):
            values = found.patients[name][:, level]
            assert set(values.tolist()) <= set(distribution)
            pairs += [(np.mean(values == number), q) for number, q in distribution.items()]
    for estimate, q in pairs:
        assert abs(estimate - q) <= 5 * math.sqrt(max(0.0, q * (1 - q)) / trials) + 5 / trials, (estimate, q)
    for name, means in (("evaluable", truth.evaluable), ("dlts", truth.dlts)):
        for level, expected in enumerate(means):
            values = found.patients[name][:, level]
            error = 5 * values.std(ddof=1) / math.sqrt(trials) + 1e-9
            assert abs(values.mean() - expected) <= error, (name, level)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_paths_add_up_to_the_same(base: Scenario, rule: dict[str, Any]) -> None:
    scenario = base.replace({"rule": rule, "toxicity.dlt_probability": [0.2, 0.4]})
    truth, paths = exact(scenario), dose_paths(scenario)
    assert truth.paths == len(paths)
    assert sum(path.probability for path in paths) == pytest.approx(1, **CLOSE)
    for level, dose in enumerate(scenario.dose_levels):
        assert sum(p.probability for p in paths if p.recommended == dose.label) == pytest.approx(
            truth.recommended[level], **CLOSE
        )
    for reason, q in truth.reasons.items():
        assert sum(p.probability for p in paths if p.reason == reason) == pytest.approx(q, **CLOSE)
    assert len({path.path for path in paths}) == len(paths)


def test_by_hand() -> None:
    """One level, 3+3 without de-escalation: recommended after none of three, or one of three and none of three."""
    p = 0.3
    found = exact(small(dose_levels=[{"label": "only"}], toxicity__dlt_probability=[p]))
    none, one = (1 - p) ** 3, 3 * p * (1 - p) ** 2
    assert found.recommended == pytest.approx((none + one * none,), **CLOSE)
    assert found.total == pytest.approx({3: 1 - one, 6: one}, **CLOSE)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"attrition__drop_out_per_year": 0.1, "safety__replace_non_evaluable": False}, "are not replaced"),
        ({"attrition__partial_dose_probability": 0.1, "trial__cap_counts": "infused"}, "the cap counts infused"),
        (
            {"attrition__partial_dose_probability": 0.1, "safety__replace_partial_dose": "at_once"},
            "frees its place at once",
        ),
        ({"what_if": [{"patient": 1, "dlt_day": 3}]}, "what_if"),
    ],
)
def test_what_is_not_covered_is_said(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(NotCoveredError, match=says):
        exact(small(**changes))


def test_too_many_states_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("escalate.exactly.enumeration.MOST_STATES", 3)
    with pytest.raises(NotCoveredError, match="more than 3 data cuts"):
        exact(small(toxicity__dlt_probability=[0.2, 0.4]))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_exact_command(scenario: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    if scenario.stem == "iq-rolling-six":  # asked with windows open, so that its paths depend on the calendar
        assert main(["exact", str(scenario)]) == 2
        return
    assert main(["exact", str(scenario)]) == 0
    printed = capsys.readouterr().out
    assert f"{exact(load(scenario)).no_dose:.6f}" in printed
    assert "no dose" in printed


def test_exact_command_writes_paths(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "paths.csv"
    arguments = ["exact", str(ROOT / "scenarios" / "nct06337474.toml"), "--csv", str(out)]
    assert main(arguments) == 0
    rows = out.read_text().splitlines()
    assert rows[0] == "path,probability,recommended,reason"
    assert sum(float(row.split(",")[1]) for row in rows[1:]) == pytest.approx(1, **CLOSE)
    assert main(arguments) == 2
    assert "exists already" in capsys.readouterr().err
