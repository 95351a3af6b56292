"""Exact values beside simulated ones: only where both are of the same, and loud where they do not agree.

That a scenario has a control is a claim: its simulated trials recommend with the probabilities that `exact` enumerates.
The claim is held against 200,000 trials of scenarios in which each condition matters, with every probability within 5
standard errors, by the tail of its own binomial: chance takes less than one in a million further. Where a scenario has
no control although `exact` covers it, its trials are shown to differ.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings
from scipy.stats import binom, norm

import escalate as esc
from conftest import ROOT
from escalate import Scenario, characteristics, exact, simulate, simulate_trial, summary
from escalate.cautions import cautions
from escalate.cli import main
from escalate.errors import EscalateError
from escalate.exactly.any_calendar import recommends_as_whole_cohorts
from escalate.export.simulation import _summary_of
from escalate.pages import run_page
from escalate.results.chance import exact_in_percent
from escalate.results.estimates import Characteristics, Estimate
from escalate.studies import control
from escalate.studies.control import FARTHEST, MOST_ERRORS, cut_off, known_exactly, standard_errors
from small import lymphodepletion, small
from strategies import scenarios

MANY = 200_000
QUICK: dict[str, Any] = {"accrual": {"kind": "poisson", "consents_per_month": 12.0, "without_place": "lost"}}
"""Candidates come quickly, and nobody waits: trials are soon simulated."""
BOIN = {"name": "BOIN", "target": 0.3}


def of(**changes: Any) -> Scenario:
    """Return a scenario whose outcomes are open."""
    plain = {"toxicity__dlt_probability": [0.2, 0.35], "trial__max_days": 30_000}
    return small(**plain, **{key.replace(".", "__"): value for key, value in QUICK.items()}).replace(
        {key.replace("__", "."): value for key, value in changes.items()}
    )


COVERED: dict[str, dict[str, Any]] = {
    "whole cohorts, some replaced": {
        "rule": BOIN,
        "attrition": {"not_infused_probability": 0.2, "partial_dose_probability": 0.15, "drop_out_per_year": 0.9},
        "safety__sentinel_stagger_days": 5,
        "safety__after_sentinel_dlt": "review",
        "safety__dlt_after_lymphodepletion": "withhold",
        "treatment__lymphodepletion": lymphodepletion(3),
        "safety__when_rule_finished": "expand",
        "stopping": {"expansion_too_toxic_probability": 0.9},
        "treatment__infusion_days": [0, 7, 14],
        "safety__later_infusions_at_closed_level": "withhold",
        "trial__planned_patients": 15,
    },
    "early decisions under a cap that binds": {
        "rule__variant": "C",
        "safety__stagger_days": 9,
        "safety__review_delay_days": 4,
        "safety__dlt_after_lymphodepletion": "withhold_if_closed",
        "treatment__lymphodepletion": lymphodepletion(3),
        "attrition": {"drop_out_per_year": 0.9},
        "trial__planned_patients": 9,
        "safety__start_level": 2,
    },
    "a cap on infused patients, a last cohort in part": {
        "rule": {"name": "i3+3", "target": 0.3},
        "attrition__not_infused_probability": 0.3,
        "trial__cap_counts": "infused",
        "trial__last_cohort": "partial",
        "trial__planned_patients": 11,
        "safety__early_decision": False,
        "titration": {},
    },
}
"""Scenarios that are said to be covered, with what could part their trials from exact values."""


def agrees(scenario: Scenario, trials: int) -> Characteristics:
    """Hold trials of a scenario that has a control against it."""
    found = characteristics(simulate(scenario, trials=trials, seed=20_300))
    assert cut_off(found.tally) == 0
    held = [one for one in found.estimates if one.exact is not None]
    assert {(one.measure, one.level) for one in held} >= {("recommended", 1), ("recommended", "no dose")}
    for one in held:
        assert one.exact_z is not None and abs(one.exact_z) <= MOST_ERRORS, one
    return found


@pytest.mark.parametrize("changes", COVERED.values(), ids=COVERED)
def test_trials_of_what_is_covered_agree(changes: dict[str, Any]) -> None:
    found = agrees(of(**changes), MANY)
    shares = [one.exact for one in found.estimates if one.measure == "recommended"]
    assert sum(0.02 < (q or 0) < 0.98 for q in shares) >= 2, "a control of what is certain shows nothing"


@pytest.mark.long
@settings(max_examples=1500, deadline=None, phases=[Phase.generate], derandomize=True, database=None,
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(scenarios(everything=True, reviews=True))
def test_trials_of_whatever_is_covered_agree(scenario: Scenario) -> None:
    """Every switch of the protocol in every position, with candidates who come quickly; about one in ten is covered."""
    try:
        scenario = scenario.replace({"accrual": QUICK["accrual"], "trial.max_days": 2500, "what_if": []})
    except EscalateError:
        reject()
    values = known_exactly(scenario)
    if values is None or max(*values.recommended, values.no_dose) > 0.995:
        return
    found = characteristics(simulate(scenario, trials=20_000, seed=7))
    for one in found.estimates:
        assert one.exact_z is None or abs(one.exact_z) <= MOST_ERRORS, one


# What is not covered


NOT_COVERED: dict[str, dict[str, Any]] = {
    "early decisions make room under the cap": {
        "dose_levels": [{"label": str(level)} for level in range(4)],
        "toxicity__dlt_probability": [0.15, 0.3, 0.45, 0.6],
        "rule__variant": "C",
        "safety__start_level": 4,
        "safety__stagger_days": 28,
        "trial__planned_patients": 15,
    },
    "a rule that recommends from counts decides early": {
        "rule": BOIN,
        "safety__early_decision": True,
        "safety__stagger_days": 28,
        "trial__planned_patients": 12,
        "toxicity__dlt_probability": [0.3, 0.5],
    },
}
"""Scenarios that `exact` covers with whole cohorts, whose trials are others."""


@pytest.mark.parametrize("changes", NOT_COVERED.values(), ids=NOT_COVERED)
def test_trials_of_what_is_not_covered_differ(changes: dict[str, Any]) -> None:
    """So that a control would be off, and is none: nothing of it is printed."""
    scenario = of(**changes)
    assert known_exactly(scenario) is None
    found = characteristics(simulate(scenario, trials=MANY, seed=20_300))
    assert {one.exact for one in found.estimates} == {None}
    assert "control" not in summary(found)
    often = found.get("recommended", "no dose").estimate, found.get("recommended", 1).estimate
    truth = exact(scenario)
    values = truth.no_dose, truth.recommended[0]
    away = [standard_errors(round(p * MANY), MANY, q) for p, q in zip(often, values, strict=True)]
    assert max(map(abs, away)) > MOST_ERRORS, away


def test_early_decisions_that_change_nothing_are_told_from_those_that_do(base: Scenario) -> None:
    """3+3 with two levels under any cap; with six, only where the cap binds for nobody, or for everybody alike."""
    six = esc.load(ROOT / "scenarios" / "six-dose-oncology.toml").replace({"safety.early_decision": True})
    assert recommends_as_whole_cohorts(base, MANY)
    same = {
        cap: recommends_as_whole_cohorts(six.replace({"trial.planned_patients": cap}), MANY) for cap in (12, 24, 36)
    }
    assert same == {12: True, 24: False, 36: True}
    assert not recommends_as_whole_cohorts(six, 1000), "that is not known after so few"


def test_a_trial_cut_off_before_its_last_decision_leaves_no_control() -> None:
    scenario = of(trial__max_days=120, rule__variant="C")
    found = characteristics(simulate(scenario, trials=2000, seed=1))
    many = cut_off(found.tally)
    assert 0 < many < 2000
    assert {one.exact for one in found.estimates} == {None}
    assert f"  no control: trial.max_days ended {many:,} of the trials before their last" in summary(found)
    late = scenario.replace({"trial.max_days": 20_000, "follow_up.days": 19_900})
    followed = characteristics(simulate(late, trials=500, seed=1))
    assert followed.get("trial ended: reached").estimate < 1, "cut off in their follow-up"
    assert followed.get("recommended", 1).exact is not None, "and that changes no recommendation"


def test_what_takes_long_is_told_by_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    six = esc.load(ROOT / "scenarios" / "six-dose-oncology.toml")
    crm = {"name": "CRM", "target": 0.25, "prior_mtd_level": 3}
    assert known_exactly(six) is not None
    for rule, cap, is_known in ((BOIN, 36, True), (BOIN, 48, False), (crm, 24, True), (crm, 36, False)):
        assert (known_exactly(six.replace({"rule": rule, "trial.planned_patients": cap})) is not None) == is_known
    large = of(rule=BOIN, safety__cohort_size=40, trial__planned_patients=240)
    assert exact(large).states < 40_000
    assert known_exactly(large) is None, "few data cuts, made of many"
    monkeypatch.setattr(control, "_REMEMBERED", {})
    monkeypatch.setattr(control, "SECONDS", 0.001)
    assert known_exactly(six) is None


def test_a_rule_without_an_answer_to_what_may_come_has_no_control() -> None:
    """Here to what hardly ever comes: the run goes on without exact values."""

    @esc.rule
    def surprised(known: Any) -> Any:
        if known.y >= 3:
            raise ValueError("three DLTs")
        return ("stop", known.level) if known.y < 2 and known.n >= 6 else "stay"

    scenario = of(rule={"python": "surprised"}, toxicity__dlt_probability=[1e-9, 1e-9])
    found = characteristics(simulate(scenario, trials=50, seed=1))
    assert found.get("recommended", 1).estimate == 1
    assert {one.exact for one in found.estimates} == {None}


# How far off


@pytest.mark.parametrize(("happened", "trials", "p"), [(8730, 10_000, 0.8687), (3, 10_000, 1e-4), (0, 200, 0.03),
                                                       (1, 10_000, 1e-7), (9990, 10_000, 0.9999)])  # fmt: skip
def test_standard_errors_have_the_tail_of_the_binomial(happened: int, trials: int, p: float) -> None:
    found = standard_errors(happened, trials, p)
    above = happened > trials * p
    tail = binom.sf(happened - 1, trials, p) if above else binom.cdf(happened, trials, p)
    assert found == pytest.approx((1 if above else -1) * max(norm.isf(tail), 0), rel=1e-9)


@pytest.mark.parametrize("z", [-6, -4.9, 1.3, 5.1])
def test_with_many_trials_they_are_the_difference_over_its_error(z: float) -> None:
    """With a million trials the tail is that of a normal, to a step of one trial, a 400th of the error, and skew."""
    trials, p = 1_000_000, 0.2
    se = math.sqrt(p * (1 - p) / trials)
    happened = round(trials * (p + z * se))
    skew = (1 - 2 * p) / (6 * math.sqrt(trials * p * (1 - p))) * (z**2 + 1)
    assert standard_errors(happened, trials, p) == pytest.approx(z, abs=skew + 1 / (trials * se))


def test_where_chance_has_no_part_any_difference_is_off() -> None:
    assert [standard_errors(k, 100, p) for k, p in ((0, 0.0), (100, 1.0), (100, 1 - 2e-16), (100, 1 + 2e-16))] == [
        0
    ] * 4
    assert standard_errors(1, 100, 0.0) == FARTHEST
    assert standard_errors(99, 100, 1.0) == -FARTHEST


# What is printed


def test_a_control_stands_beside_what_is_simulated(base: Scenario) -> None:
    found, truth = characteristics(simulate(base, trials=500, seed=1)), exact(base)
    assert found.get("recommended", 2).exact == truth.recommended[1]
    assert found.get("recommended", "no dose").exact == truth.no_dose
    assert found.get("no dose: too toxic", "no dose").exact == truth.why_no_dose["too toxic"]
    rows = {" ".join(line.split()[:2]): line.split() for line in summary(found).splitlines()}
    assert rows["Which dose"][-3:] == ["exact", "assumed", "P(DLT)"]
    assert rows["level 2:"][-2:] == [f"{truth.recommended[1]:.2%}", "6.0%"]
    assert rows["no dose"][-1] == f"{truth.no_dose:.2%}"
    held = [one for one in found.estimates if one.exact]
    most = max(abs(one.exact_z or 0) for one in held)
    said = f"control: {len(held)} compared with exact, the farthest {most:.1f} standard errors off"
    assert f"\n  {said}\n" in summary(found)
    page = run_page(found, simulate_trial(base), {})
    assert f"<td>{truth.recommended[1]:.2%}</td>" in page
    assert said in page
    assert f">{truth.no_dose:.2%}<" in found._repr_html_()
    row = next(row for row in found.table if (row["measure"], row["level"]) == ("recommended", 2))
    assert (row["exact"], row["exact_z"]) == (truth.recommended[1], found.get("recommended", 2).exact_z)


def test_exact_values_are_said_with_the_digits_that_trials_tell() -> None:
    def said(exact: float | None, trials: int = 10_000) -> str:
        return exact_in_percent(replace(ONE, exact=exact, trials=trials))

    assert [said(q) for q in (None, 0.0, 1.0, 0.8687471, 0.00004)] == ["", "0%", "100%", "86.87%", "0.004%"]
    assert [said(q) for q in (1e-9, 1 - 1e-9)] == ["1e-07%", "99.9999999%"]
    assert said(0.8687471, 10**8) == "86.8747%"


ONE = Estimate(
    group="", measure="", level=None, estimate=0.5, mc_se=None, low=None, high=None, unit="probability", trials=1
)


@pytest.mark.filterwarnings("always:THESE RESULTS")
def test_a_control_that_is_off_is_loud(
    base: Scenario, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the summary, on the page, in summary.json and on stderr; nothing else fails, so that the exit status is 0."""
    wrong = exact(base.replace({"toxicity.dlt_probability": [0.09, 0.12]}))
    monkeypatch.setattr(control, "_REMEMBERED", {})
    monkeypatch.setattr(control, "_enumerated", lambda _: wrong)
    assert main(["run", str(ROOT / "scenarios" / "nct06337474.toml"), "--trials", "2000", "--no-files"]) == 0
    out, err = capsys.readouterr()
    assert "! THESE RESULTS ARE WRONG, or the exact values are" in out
    assert err.startswith("escalate: caution: THESE RESULTS ARE WRONG")
    assert "please report it" in " ".join(err.split())
    found = characteristics(simulate(base, trials=2000, seed=1))
    assert "THESE RESULTS ARE WRONG" in run_page(found, simulate_trial(base), {})
    assert "THESE RESULTS ARE WRONG" in found._repr_html_()
    first, *others = _summary_of(found, {})["cautions"]
    assert first["key"] == "control"
    assert others == [one.to_json() for one in cautions(base)]
    axes = esc.plot_selection(found)
    assert any("RESULTS ARE WRONG" in text.get_text() for text in axes.figure.texts + axes.texts)


def test_a_control_within_its_error_is_quiet(base: Scenario, capsys: pytest.CaptureFixture[str]) -> None:
    near = characteristics(simulate(base, trials=500, seed=1))
    edge = replace(near, estimates=tuple(replace(one, exact_z=5.0) if one.exact else one for one in near.estimates))
    assert "Cautions" not in summary(edge)
    assert "the farthest 5.0 standard errors off" in summary(edge)
    beyond = replace(near, estimates=tuple(replace(one, exact_z=-5.01) if one.exact else one for one in near.estimates))
    assert "Cautions: 1" in summary(beyond)
