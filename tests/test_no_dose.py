"""No dose is three different things: which of them it is, and that every output says it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

import escalate as esc
from conftest import ROOT
from escalate.committee.committee import CAP_REACHED
from escalate.committee.protocol import ENDS
from escalate.results.no_dose import LIMITS, WHY_NO_DOSE, no_dose_measure, why_no_dose
from escalate.words.records import CAP_INCONCLUSIVE, NO_LEVEL
from small import small

WAIT_FOR_EVER: dict[str, Any] = {"accrual__consent_days": [0] * 40}
TREATED = dict(WAIT_FOR_EVER, toxicity__dlt_probability=[0.3, 0.6])


def test_limits_are_the_committees() -> None:
    """The same words in two rooms, of which one may not come into the other."""
    assert set(LIMITS) == {CAP_REACHED, *ENDS}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (dict(WAIT_FOR_EVER, toxicity__dlt_probability=[1.0, 1.0]), "too toxic"),
        (dict(WAIT_FOR_EVER, trial__planned_patients=3), "cap reached, inconclusive"),
        (dict(WAIT_FOR_EVER, stopping__most_patients=3), "another limit reached, inconclusive"),
        (dict(WAIT_FOR_EVER, limits__most_per_level=3, rule__variant="C"), "another limit reached, inconclusive"),
        ({"trial__max_days": 200}, "time up"),
        (
            dict(WAIT_FOR_EVER, toxicity__dlt_probability=[1.0, 1.0], rule={"name": "BOIN", "target": 0.25}),
            "too toxic",
        ),
    ],
)
def test_by_hand(changes: dict[str, Any], why: str) -> None:
    found = esc.characteristics(esc.simulate(small(**changes), trials=3))
    shares = {each: found.get(no_dose_measure(each), "no dose").estimate for each in WHY_NO_DOSE}
    assert shares == {each: float(each == why) for each in WHY_NO_DOSE}
    assert f"    of it, {why} " in esc.summary(found)


def test_bounded_mtd_at_the_cap_is_a_verdict() -> None:
    """BOIN with `bound_mtd` finds at the cap that no dose is below its boundary: that is no want of patients."""
    boin = {"name": "BOIN", "target": 0.25, "bound_mtd": True}
    scenario = small(rule=boin, trial__planned_patients=6, toxicity__dlt_probability=[0.5, 0.5], **WAIT_FOR_EVER)
    trials = esc.simulate(scenario, trials=200)
    at_cap = [r == CAP_REACHED and d == NO_LEVEL for r, d in zip(trials.stop_reasons, trials.recommended, strict=True)]
    assert any(at_cap)
    found = esc.characteristics(trials)
    assert found.get("no dose: too toxic", "no dose").estimate == found.get("recommended", "no dose").estimate


@pytest.mark.parametrize("evaluable", [0, 9])
def test_without_anybody_evaluable_nothing_is_too_toxic(evaluable: int) -> None:
    rule = small(rule={"name": "BOIN", "target": 0.25}).rule
    assert why_no_dose(CAP_REACHED, rule, evaluable) == (WHY_NO_DOSE[0] if evaluable else WHY_NO_DOSE[2])


@pytest.mark.parametrize("rule", [{"name": "3+3"}, {"name": "BOIN", "target": 0.25, "bound_mtd": True}])
def test_shares_add_up_and_agree_with_exact(rule: dict[str, Any]) -> None:
    """|z| <= 5 with 2,000 trials: a shift of 0.112 in a probability of a half is seen for sure."""
    scenario = small(rule=rule, trial__planned_patients=8, safety__early_decision=False, **TREATED)
    truth, found = esc.exact(scenario), esc.characteristics(esc.simulate(scenario, trials=2000, seed=4))
    assert sum(truth.why_no_dose.values()) == pytest.approx(truth.no_dose, abs=1e-12)
    if rule["name"] == "3+3":
        assert truth.why_no_dose[CAP_INCONCLUSIVE] == pytest.approx(truth.reasons[CAP_INCONCLUSIVE], abs=1e-12)
    for why, q in truth.why_no_dose.items():
        estimate = found.get(no_dose_measure(why), "no dose").estimate
        assert abs(estimate - q) <= 5 * (q * (1 - q) / 2000) ** 0.5 + 5 / 2000


def test_every_output_says_it(tmp_path: Path) -> None:
    scenario = esc.load(ROOT / "scenarios" / "nct06337474.toml")
    found = esc.run(scenario, tmp_path / "run", trials=300)
    measures = {no_dose_measure(why) for why in WHY_NO_DOSE}
    written = json.loads((tmp_path / "run" / "summary.json").read_text())["estimates"]
    assert measures <= {row["measure"] for row in written}
    with (tmp_path / "run" / "characteristics.csv").open(newline="") as file:
        assert measures <= {row["measure"] for row in csv.DictReader(file)}
    for text in (esc.summary(found), esc.summary(esc.exact(scenario))):
        block = text.split("Why did")[0]
        assert "    of it, too toxic " in block and "    of it, cap reached, inconclusive " in block
    compared = esc.summary(esc.compare(scenario, ["3+3 variant=A"], [[0.3, 0.4]], trials=100))
    assert "of no dose, too toxic, %: 3+3, variant A" in compared


@pytest.mark.parametrize(("target", "meant"), [(None, "another limit reached, inconclusive"), (0.25, None)])
def test_a_rule_without_a_target_is_inconclusive_where_a_limit_ends_it(target: float | None, meant: str | None) -> None:
    """It has said of no dose that it is too toxic; with a target it recommends from the data that there are."""
    esc.rule(name="stays", target=target)(lambda known: "stay")
    limited = small(rule={"python": "stays"}, limits__most_per_level=6, **TREATED)
    found = esc.characteristics(esc.simulate(limited, trials=20))
    shares = {why: found.get(no_dose_measure(why), "no dose").estimate for why in WHY_NO_DOSE}
    assert shares == {why: float(why == meant) for why in WHY_NO_DOSE}
    exact = esc.exact(limited).why_no_dose
    assert exact == pytest.approx({why: float(why == meant) for why in exact})
