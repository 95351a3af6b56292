"""Early decisions: where they come by default, that they change nothing there, and what they change elsewhere."""

from __future__ import annotations

import math
from collections import defaultdict
from functools import cache
from typing import Any

import numpy as np
import pytest

import escalate as esc
from conftest import ROOT, SCENARIOS
from escalate import Scenario
from escalate.committee.committee import Committee
from escalate.exactly import one_by_one
from escalate.exactly.one_by_one import early, whole_cohorts
from escalate.words.data_cut import Counts
from escalate.words.records import Action, Decision
from small import small

RULES: dict[str, dict[str, Any]] = {
    "3+3": {"name": "3+3"},
    "rolling six": {"name": "rolling six"},
    "BOIN": {"name": "BOIN", "target": 0.25},
    "TITE-BOIN": {"name": "TITE-BOIN", "target": 0.25},
    "mTPI": {"name": "mTPI", "target": 0.25},
    "mTPI-2": {"name": "mTPI-2", "target": 0.25},
    "Keyboard": {"name": "Keyboard", "target": 0.25},
    "i3+3": {"name": "i3+3", "target": 0.25},
    "CRM": {"name": "CRM", "target": 0.25, "prior_mtd_level": 2},
    "TITE-CRM": {"name": "TITE-CRM", "target": 0.25, "prior_mtd_level": 2},
    "BLRM": {"name": "BLRM", "doses": [1.0, 2.0]},
    "table": {"name": "table", "target": 0.3, "decisions": {"3": "E S D DU"}},
}
HARMLESS = {"3+3", "rolling six"}


# Where decisions come early


@pytest.mark.parametrize("name", RULES)
def test_the_default_follows_the_rule(name: str) -> None:
    scenario = small(rule=RULES[name], trial__planned_patients=3)
    assert scenario.safety.early_decision is None
    assert scenario.early_decision == (name in HARMLESS)
    assert scenario.resolved()["safety"]["early_decision"] == (name in HARMLESS)


@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize("name", ["3+3", "BOIN"])
def test_what_is_said_stays(name: str, said: bool) -> None:
    assert small(rule=RULES[name], safety__early_decision=said).early_decision is said
    assert small(safety__early_decision=said).replace({"rule": RULES[name]}).early_decision is said


def test_another_rule_has_its_own_default() -> None:
    assert not small().replace({"rule": RULES["BOIN"]}).early_decision
    assert small(rule=RULES["BOIN"]).replace({"rule": RULES["3+3"]}).early_decision


def test_a_default_that_is_resolved_is_the_same_scenario() -> None:
    scenario = small(rule=RULES["BOIN"])
    said = scenario.replace({"safety.early_decision": False}).replace({"sources": {}})
    assert scenario.replace({"sources": {}}).fingerprint() == said.fingerprint()


def test_compared_rules_have_their_own_defaults_and_keep_what_the_protocol_says() -> None:
    rules = ["3+3", "BOIN"]
    for said, wanted in ((None, [True, False]), (True, [True, True]), (False, [False, False])):
        found = esc.compare(small(safety__early_decision=said), rules, target=0.25, trials=2, enumerate_exactly=False)
        assert [cell.early_decision for cell in found.scenarios.values()] == wanted


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_shipped_scenarios_say_it(path: Any) -> None:
    assert esc.load(path).safety.early_decision is not None


def test_both_engines_do_as_is_said() -> None:
    """A DLT in each of two patients closes level 2 on day 9; whoever comes on day 11 is the third there, or below."""
    story = [{"patient": 1, "dlt_day": 9}, {"patient": 2, "dlt_day": 9}]
    for said, path in ((None, "2TTN"), (False, "2TTN"), (True, "2TT 1N")):
        scenario = small(
            rule=RULES["BOIN"],
            safety__early_decision=said,
            safety__start_level=2,
            accrual__consent_days=[0, 0, 11],
            what_if=story,
        )
        assert esc.simulate_trial(scenario).dose_path == path
        assert set(esc.simulate(scenario, trials=3).dose_paths) == {path}


# What they change: one patient at a time against whole cohorts


def by_recursion(scenario: Scenario) -> list[float]:
    """Return the probability of each recommendation, no dose last, patient by patient: asks for one trial at a time."""
    committee, p = Committee(scenario), scenario.toxicity.dlt_probability
    nobody = (0,) * scenario.levels

    def seen(counts: Counts, last: tuple[int, int]) -> Counts:
        return counts._replace(last=last) if committee.rule.reads_last else counts

    @cache
    def treated(counts: Counts, left: int, last: tuple[int, int]) -> dict[int, float]:
        room = scenario.trial.planned_patients - sum(counts.evaluable)
        if left == 0:
            return follows(counts, committee.decide(seen(counts, last), room))
        if last[0] and committee.is_forced(seen(counts, last), left):
            return follows(counts, committee.decide(seen(counts, last), room, left))
        found: dict[int, float] = defaultdict(float)
        for dlt, q in ((0, 1 - p[counts.level]), (1, p[counts.level])):
            for level, chance in treated(counts.completed(1, dlt), left - 1, (last[0] + 1, last[1] + dlt)).items():
                found[level] += q * chance
        return found

    def follows(counts: Counts, decision: Decision) -> dict[int, float]:
        if decision.action is Action.STOP:
            return {decision.level: 1.0}
        return treated(counts._replace(level=decision.level), decision.patients, (0, 0))

    found = treated(Counts(scenario.safety.start_level - 1, nobody, nobody, nobody), 0, (0, 0))
    return [found.get(level, 0.0) for level in (*range(scenario.levels), -1)]


def three(levels: int = 2, **changes: Any) -> Scenario:
    labels = [{"label": str(level)} for level in range(levels)]
    return small(
        dose_levels=labels, **{"toxicity__dlt_probability": [0.2, 0.3, 0.4, 0.45, 0.5, 0.55][:levels], **changes}
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"rule__variant": "B", "trial__planned_patients": 11},
        {"rule__variant": "C", "trial__planned_patients": 8},
        {"rule": RULES["BOIN"]},
        {"rule": RULES["BOIN"], "limits__coherence": "last_cohort", "trial__planned_patients": 15},
        {"rule": RULES["CRM"], "limits__coherence": "after_dlt", "trial__planned_patients": 9},
        {"rule": RULES["i3+3"], "safety__cohort_size": 2, "safety__start_level": 2},
    ],
    ids=str,
)
def test_one_by_one_against_a_recursion(changes: dict[str, Any]) -> None:
    found = early(three(**changes))
    assert found is not None
    assert found.one_by_one == pytest.approx(by_recursion(three(**changes)), rel=0, abs=1e-12)
    assert found.one_by_one != pytest.approx(found.whole_cohorts, rel=0, abs=1e-3)


@pytest.mark.parametrize("levels", [1, 2, 3])
@pytest.mark.parametrize("variant", ["A", "B", "C"])
def test_with_three_plus_three_early_decisions_change_no_recommendation(variant: str, levels: int) -> None:
    """Exactly, where the cap has room for six patients at each level; variant A, which never comes down, at any cap."""
    caps = range(3, 6 * levels + 1) if variant == "A" else [6 * levels]
    for cap in caps:
        found = early(three(levels, rule__variant=variant, trial__planned_patients=cap))
        assert found is not None
        assert found.one_by_one == pytest.approx(found.whole_cohorts, rel=0, abs=1e-12)


def test_under_a_cap_that_binds_they_do() -> None:
    """After 1NNN 2NNT 2TT eight of eleven patients are used: three more fit at level 1, as they do not after nine."""
    found = early(three(rule__variant="C", trial__planned_patients=11))
    assert found is not None
    assert found.one_by_one[0] - found.whole_cohorts[0] > 0.1


TRIALS = 1000


def z_scores(scenario: Scenario, q: tuple[float, ...], seed: int) -> list[float]:
    recommended = esc.simulate(scenario, trials=TRIALS, seed=seed).recommended
    shares = [float(np.mean(recommended == level)) for level in (*range(scenario.levels), -1)]
    return [(p - e) / math.sqrt(e * (1 - e) / TRIALS) for p, e in zip(shares, q, strict=True)]


@pytest.mark.parametrize("a_month", [0.5, 1.0, 8.0])
@pytest.mark.parametrize("variant", ["A", "B", "C"])
def test_simulated_early_decisions_of_three_plus_three_agree_with_whole_cohorts(variant: str, a_month: float) -> None:
    """Whatever the accrual; |z| <= 5 with exact errors: a shift of 0.16 in a probability of a half is seen for sure."""
    accrual = {"kind": "poisson", "consents_per_month": a_month}
    scenario = three(3, rule__variant=variant, accrual=accrual, trial__planned_patients=18, trial__max_days=36_500)
    assert scenario.early_decision
    exact = esc.exact(scenario)
    assert max(map(abs, z_scores(scenario, (*exact.recommended, exact.no_dose), seed=11))) <= 5


@pytest.mark.parametrize("a_month", [0.5, 1.0, 8.0])
@pytest.mark.parametrize("delays", [False, True])
def test_early_decisions_of_rolling_six_change_no_recommendation(base: Scenario, delays: bool, a_month: float) -> None:
    """The same 300 trials with and without: a rolling rule gives each place when it is asked: none stays empty.

    Without delays every dose path is the same; with lead, stagger and review somebody may be on the way when a level
    is closed, and what differs in one direction and in the other must balance, |z| <= 5. What changes is the day on
    which the escalation ends.
    """
    scenario = (base if delays else three()).replace(
        {
            "rule": RULES["rolling six"],
            "toxicity.dlt_probability": [0.2, 0.3],
            "trial.planned_patients": 12,
            "trial.max_days": 36_500,
            "accrual": {"kind": "poisson", "consents_per_month": a_month},
        }
    )
    found = [esc.simulate(scenario.replace({"safety.early_decision": s}), trials=300, seed=12) for s in (True, False)]
    assert delays or found[0].dose_paths == found[1].dose_paths
    for level in (-1, 0, 1):
        here, there = (trials.recommended == level for trials in found)
        only = int(np.sum(here & ~there)), int(np.sum(there & ~here))
        assert abs(only[0] - only[1]) <= 5 * math.sqrt(sum(only))
    ended = [trials.milestone_days["escalation ended"] for trials in found]
    assert (ended[0] < ended[1]).any()


@pytest.mark.parametrize("days_apart", [40, 0])
def test_simulated_boin_lies_at_the_ends_that_are_enumerated(days_apart: int) -> None:
    """One patient every 40 days, with a window of 28: one by one. All at once, with the DLT days of the window's end:
    whole cohorts. |z| <= 5: a shift of 0.16 in a probability of a half is seen for sure."""
    days = [days_apart * number for number in range(30)]
    scenario = three(
        rule=RULES["BOIN"],
        safety__early_decision=True,
        accrual={"kind": "fixed", "consent_days": days},
        toxicity__onset={"kind": "list", "days": [28]},
    )
    found = early(scenario)
    assert found is not None
    q = found.one_by_one if days_apart else found.whole_cohorts
    assert max(map(abs, z_scores(scenario, q, seed=13))) <= 5


def test_whole_cohorts_of_six_levels_are_enumerated() -> None:
    six = esc.load(ROOT / "scenarios" / "six-dose-oncology.toml").replace(
        {"attrition": {}, "rule": RULES["BOIN"], "toxicity.dlt_probability": [0.05, 0.1, 0.25, 0.4, 0.5, 0.6]}
    )
    whole = whole_cohorts(six)
    assert whole is not None
    assert whole.recommended == esc.exact(six).recommended


def test_what_takes_long_or_is_not_covered_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert early(three(rule=RULES["rolling six"])) is None
    assert whole_cohorts(three(rule=RULES["TITE-BOIN"])) is None
    assert whole_cohorts(three(rule=RULES["BLRM"])) is None
    monkeypatch.setattr(one_by_one, "MOST_STATES", 3)
    assert early(three(rule=RULES["BOIN"])) is None
    assert whole_cohorts(three(rule=RULES["BOIN"])) is None


def test_run_says_the_direction_and_the_size() -> None:
    scenario = three(rule=RULES["BOIN"], safety__early_decision=True, accrual__consent_days=[0] * 12)
    found = esc.simulate(scenario, trials=20)
    text, exact = esc.summary(esc.characteristics(found)), esc.exact(scenario)
    assert "looks worse than with whole cohorts" in " ".join(text.split())
    block = text.split("Which dose")[1].split("Why did")[0]
    assert "exact, with whole cohorts" in block
    for share in (*exact.recommended, exact.no_dose):
        assert f"{share:.2%}" in block
    for other in ({"safety.early_decision": False}, {"rule": RULES["3+3"]}):
        calm = esc.summary(esc.characteristics(esc.simulate(scenario.replace(other), trials=20)))
        assert "whole cohorts" not in calm


def test_the_ledger_says_the_default_too() -> None:
    sources = {"safety": "assumption: usual"}
    for name, said in (("3+3", "true"), ("BOIN", "false")):
        assert f"safety.early_decision = {said}" in esc.assumptions(small(rule=RULES[name], sources=sources))
