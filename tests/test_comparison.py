"""Rules compared on the same patients: paired differences against brute force, exact values, errors, table, files."""

# ruff: noqa: E501

from __future__ import annotations

import json
import math
import re
import shlex
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest
from scipy.stats import t as student

import escalate as esc
from conftest import ROOT
from escalate import Scenario, ScenarioError
from escalate.cli import main
from escalate.errors import WorkersError
from escalate.report import summary
from escalate.results.chance import change_in_words, tight
from escalate.results.no_dose import WHY_NO_DOSE
from escalate.results.outcomes import Trials
from escalate.scenario.command_line import with_settings
from escalate.scenario.compared import rule_of_text, truth_words
from escalate.scenario.comparison_file import read_asked
from escalate.studies import comparison, simulation
from escalate.studies.comparison import COMPARED, MEASURES, THIS, WHOLE_COHORTS, Comparison, compare
from escalate.studies.workers import Processes
from escalate.words.records import NO_LEVEL
from small import small
from test_workers import LastFirst

BASE = str(ROOT / "scenarios" / "nct06337474.toml")
RULES = ["3+3 variant=A", "rolling six", "BOIN", "CRM prior_mtd_level=2"]
LABELS = ["3+3, variant A", "rolling six", "BOIN", "CRM, prior mtd level 2"]
TRUTHS = {"mild": [0.1, 0.25], "toxic": [0.4, 0.6]}
TRIALS = 250


@cache
def found() -> Comparison:
    """Return a comparison, made once for all tests that only look."""
    return compare(esc.load(BASE), RULES, TRUTHS, target=0.25, trials=TRIALS, seed=3)


@cache
def trials_of(truth: str, rule: str) -> Trials:
    """Return the trials of a cell, simulated by themselves."""
    return esc.simulate(found().scenarios[truth, rule], trials=TRIALS, seed=3)


def no_dose_of(trials: Trials) -> list[str]:
    """Return what no dose means in each trial, by its reason alone; empty where a dose is recommended."""
    words = {"cap reached, inconclusive": "cap reached, inconclusive", "max_days reached": "time up"}
    pairs = zip(trials.recommended, trials.stop_reasons, strict=True)
    return ["" if level != NO_LEVEL else words.get(reason, "too toxic") for level, reason in pairs]


def columns(trials: Trials, mtd: int) -> dict[tuple[str, Any], np.ndarray]:
    """Return one number for each trial, written from the words of each measure; the MTD from 1, 0 for none."""
    infused, day = trials.patients["infused"], trials.milestone_days["trial ended"]
    chosen = [[level + 1 if level != NO_LEVEL else "no dose" for level in trials.recommended]]
    is_chosen = {level: np.array([float(one == level) for one in chosen[0]]) for level in (1, 2, "no dose")}
    return {
        **{("recommended", level): values for level, values in is_chosen.items()},
        **{
            (f"no dose: {why}", "no dose"): np.array([float(kind == why) for kind in no_dose_of(trials)])
            for why in WHY_NO_DOSE
        },
        ("right choice", None): is_chosen[mtd or "no dose"],
        ("too toxic a dose", None): sum((is_chosen[level] for level in (1, 2) if level > mtd), np.zeros(len(trials))),
        ("overdosed", "all"): np.array([float(sum(row[mtd:])) for row in infused.tolist()]),
        ("infused", 1): infused[:, 0].astype(float),
        ("infused", 2): infused[:, 1].astype(float),
        ("infused", "all"): infused.sum(axis=1).astype(float),
        ("evaluable", "all"): trials.patients["evaluable"].sum(axis=1).astype(float),
        ("dlts", "all"): trials.patients["dlts"].sum(axis=1).astype(float),
        ("duration", None): trials.duration_days.astype(float),
        ("finished by planned completion date", None): (day <= 699).astype(float),
        ("cut off", None): (day < 0).astype(float),
    }


CELLS = [(truth, rule) for truth in TRUTHS for rule in LABELS]
MTD = {"mild": 2, "toxic": 0}


@pytest.mark.parametrize(("truth", "rule"), CELLS)
def test_paired_differences_by_brute_force(truth: str, rule: str) -> None:
    first, other = (columns(trials_of(truth, label), MTD[truth]) for label in (LABELS[0], rule))
    rows = {(row.measure, row.level): row for row in found().rows if (row.truth, row.rule) == (truth, rule)}
    assert set(rows) == set(other)
    for what, row in rows.items():
        assert row.estimate == pytest.approx(other[what].mean(), abs=1e-12)
        d = other[what] - first[what]
        if rule == LABELS[0]:
            assert row.difference is row.difference_se is row.difference_low is row.difference_high is None
            continue
        se = d.std(ddof=1) / math.sqrt(TRIALS)
        assert row.difference == pytest.approx(d.mean(), abs=1e-12)
        assert row.difference_se == (pytest.approx(se, abs=1e-12) if se else None)
        counts = [int((d == value).sum()) for value in (1, -1, 0)]
        if row.unit == "probability" and TRIALS - max(counts) < 10:
            gain, loss = (binomtest(k, TRIALS).proportion_ci(0.975, "exact") for k in counts[:2])
            limits = gain.low - loss.high, gain.high - loss.low
        elif not se:
            assert row.difference_low is row.difference_high is None
            continue
        else:
            limits = student.interval(0.95, TRIALS - 1, d.mean(), se)
        assert (row.difference_low, row.difference_high) == pytest.approx(limits, abs=1e-9)


def test_differences_are_those_of_the_estimates() -> None:
    for row in found().rows:
        if row.rule != LABELS[0]:
            first = found().get(row.measure, row.level, rule=LABELS[0], truth=row.truth)
            assert row.difference == pytest.approx(row.estimate - first.estimate, abs=1e-12)


@pytest.mark.parametrize(("truth", "rule"), CELLS)
def test_estimates_are_those_of_run(truth: str, rule: str) -> None:
    alone = esc.characteristics(trials_of(truth, rule))
    for measure, level in [
        *(("recommended", level) for level in (1, 2, "no dose")),
        *((name, "all") for name in ("infused", "evaluable", "dlts")),
        ("infused", 2),
        ("right choice", None),
        ("too toxic a dose", None),
        ("overdosed", "all"),
        ("duration", None),
        ("finished by planned completion date", None),
    ]:
        row, one = found().get(measure, level, rule=rule, truth=truth), alone.get(measure, level)
        assert (row.estimate, row.mc_se, row.low, row.high) == (one.estimate, one.mc_se, one.low, one.high)
        assert (row.unit, row.trials) == (one.unit, one.trials)


def test_pairs_are_closer_than_strangers() -> None:
    """Of 3+3, A and C differ only where the cap or the top level comes in: far less than two simulations would."""
    pair = compare(esc.load(BASE), ["3+3 variant=A", "3+3 variant=B"], trials=TRIALS)
    for measure in ("duration", "finished by planned completion date"):
        first, other = (pair.get(measure, rule=rule, truth="3% 6%") for rule in pair.rules)
        assert first.mc_se is not None and other.mc_se is not None
        assert (other.difference_se or 0.0) < 0.3 * math.hypot(first.mc_se, other.mc_se)


def test_a_rule_compared_with_itself_does_not_differ() -> None:
    twice = compare(esc.load(BASE), {"one": "BOIN", "two": "BOIN"}, TRUTHS, target=0.25, trials=40)
    differences = [row for row in twice.rows if row.rule == "two"]
    assert len(differences) == 2 * len(columns(trials_of("mild", LABELS[0]), 2))
    most = 1 - 0.0125 ** (1 / 40)  # what none of 40 trials still allow, with 97.5% to either side
    for row in differences:
        assert (row.difference, row.difference_se, row.is_same) == (0, None, True)
        ends = (-most, most) if row.unit == "probability" else (None, None)
        assert (row.difference_low, row.difference_high) == pytest.approx(ends)
    assert "same" in esc.summary(twice)


@pytest.mark.parametrize("who", ["this process", "the last part first", "two processes"])
def test_neither_chunks_nor_workers_change_a_byte(who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found().trials < simulation.KERNEL_CHUNK, "one chunk"
    monkeypatch.setattr("escalate.studies.pairs.KERNEL_CHUNK", 7)
    executors = {"this process": None, "the last part first": LastFirst(), "two processes": Processes(2)}
    in_sevens = compare(esc.load(BASE), RULES, TRUTHS, target=0.25, trials=TRIALS, seed=3, executor=executors[who])
    executors["two processes"].shutdown()  # type: ignore[union-attr]
    assert in_sevens.table.to_csv() == found().table.to_csv()
    assert esc.summary(in_sevens) == esc.summary(found())


def test_workers_have_no_code_of_ones_own() -> None:
    @esc.rule
    def stays(known: Any) -> str:
        return "stay"

    with pytest.raises(WorkersError, match="the code of a rule of your own is in this process alone"):
        compare(small(), [{"python": "stays"}], trials=2, executor=LastFirst())


def test_one_trial_has_no_standard_error() -> None:
    one = compare(esc.load(BASE), RULES[:2], target=0.25, trials=1)
    assert {(row.mc_se is None) for row in one.rows if row.unit != "probability"} == {True}
    assert {row.difference_se for row in one.rows} == {None}
    assert "±?" in esc.summary(one)


def test_who_ends_on_the_planned_date_is_in_time() -> None:
    """Three infusions on day 1, the first level too toxic on day 2, windows to day 29: the trial ends on day 29."""
    for planned, chance in ((30, 1.0), (29, 0.0)):
        fates = [{"patient": k, "dlt_day": 1} for k in (1, 2)]
        scenario = small(
            accrual__consent_days=[1, 1, 1], what_if=fates, trial__planned_completion_date=date(2025, 1, planned)
        )
        one = compare(scenario, trials=2)
        assert one.get("finished by planned completion date", rule="3+3, variant A", truth="0% 0%").estimate == chance
        assert "[[what_if]] fixes the fate of patients" in one.not_exact["0% 0%", "3+3, variant A"]


# The MTD of a truth


@pytest.mark.parametrize(
    ("truth", "target", "mtd"),
    [
        ([0.05, 0.25], 0.25, 2),
        ([0.05, 0.2500001], 0.25, 1),
        ([0.3, 0.4], 0.25, "no dose"),
        ([0.0, 0.0], 0.25, 2),
        ([0.3, 0.4], 0.35, 1),
        ([0.3, 0.1], 0.25, 2),
        ([0.05, 0.25], None, None),
    ],
)
def test_the_mtd_is_the_highest_level_at_most_at_the_target(truth: list[float], target: float, mtd: Any) -> None:
    one = compare(small(), ["3+3 variant=A"], [truth], target=target, trials=1)
    assert one.truths[0].mtd == mtd
    for measure in ("right choice", "too toxic a dose", "overdosed"):
        assert (measure in {row.measure for row in one.rows}) == (mtd is not None)


def test_a_truth_may_name_its_mtd_and_the_scenario_its_limit() -> None:
    scenario = small(toxicity__overdose_above=0.3, toxicity__mtd_level=1)
    truths: list[Any] = [
        {"dlt_probability": [0.1, 0.28], "mtd_level": 1},
        [0.1, 0.29],
        {"dlt_probability": [0.2, 0.2], "mtd_level": 0},
    ]
    one = compare(scenario, ["3+3", "BOIN"], truths, target=0.25, trials=1)
    assert ([truth.mtd for truth in one.truths], one.overdose_above) == ([1, 2, "no dose"], 0.3)
    assert {(cell.overdose_above, cell.mtd_level) for cell in one.scenarios.values()} == {(0.3, 1), (0.3, 2), (0.3, 0)}
    assert compare(scenario, trials=1).truths[0].mtd == 1
    with pytest.raises(ScenarioError, match=r"truth 1: toxicity.mtd_level = 3"):
        compare(scenario, truths=[{"dlt_probability": [0.1, 0.2], "mtd_level": 3}])


def test_the_target_is_that_of_the_scenarios_own_rule() -> None:
    own = small(rule={"name": "BOIN", "target": 0.3}, trial__max_days=40)
    one = compare(own, [own, "mTPI-2", "Keyboard target=0.2"], trials=1)
    assert one.overdose_above == 0.3
    assert list(one.rules) == ["BOIN", "mTPI-2", "Keyboard, target 0.2"]
    assert [one.scenarios["0% 0%", rule].rule.target for rule in one.rules] == [0.3, 0.3, 0.2]


# Exact values


def test_exact_values_that_take_long_are_left_to_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """A BLRM is slow: its walk ends before many data cuts, once for all truths; other rules have theirs."""
    scenario, truths = small(trial__planned_patients=24), [[0.1, 0.2], [0.2, 0.4], [0.0, 0.0]]
    blrm: dict[str, Any] = {"name": "BLRM", "doses": [1.0, 2.0], "label": "slow"}
    asked = []
    exactly = comparison.exact

    def counted(cell: esc.Scenario, most_in_all: int) -> esc.Exact:
        asked.append((cell.rule.name, most_in_all))
        return exactly(cell, most_in_all=most_in_all)

    monkeypatch.setattr(comparison, "exact", counted)
    monkeypatch.setattr(comparison, "EXACT_SECONDS", 0.2)
    one = compare(scenario, [blrm, "3+3 variant=C"], truths, trials=1)
    why = "more than 15 data cuts are possible, which take long (`escalate exact` computes them)"
    assert one.not_exact == {("10% 20%", "slow"): why, ("20% 40%", "slow"): why}
    assert {row.rule for row in one.rows if row.exact is not None and row.truth == "10% 20%"} == {"3+3, variant C"}
    assert [name for name, _ in asked] == ["BLRM", "3+3", "3+3", "BLRM", "3+3"]
    assert dict(asked) == {"BLRM": 15, "3+3": 30_000}
    said = " ".join(summary(one).split())
    assert "No exact values of slow: more than 15 data cuts are possible, which take long (`escalate exact`" in said


def test_exact_values_are_those_of_exact() -> None:
    for truth, rule in CELLS:
        if rule == "rolling six":
            assert "decides with outcomes pending" in found().not_exact[truth, rule]
            assert {row.exact for row in found().rows if row.rule == rule} == {None}
            continue
        exact = esc.exact(found().scenarios[truth, rule])
        got = {
            (row.measure, row.level): row.exact
            for row in found().rows
            if (row.truth, row.rule) == (truth, rule) and row.exact is not None
        }
        assert got == {
            ("recommended", 1): exact.recommended[0],
            ("recommended", 2): exact.recommended[1],
            ("recommended", "no dose"): exact.no_dose,
            **{(f"no dose: {why}", "no dose"): exact.why_no_dose[why] for why in WHY_NO_DOSE},
            ("right choice", None): exact.recommended[1] if truth == "mild" else exact.no_dose,
            ("too toxic a dose", None): 0.0 if truth == "mild" else sum(exact.recommended),
            **{("infused", level): exact.infused[level - 1] for level in (1, 2)},
            ("infused", "all"): sum(exact.infused),
            ("overdosed", "all"): 0.0 if truth == "mild" else sum(exact.infused),
            ("evaluable", "all"): sum(exact.evaluable),
            ("dlts", "all"): sum(exact.dlts),
        }


def test_exact_values_say_what_they_are_of() -> None:
    assert {row.exact_of for row in found().rows if row.exact is not None} == {WHOLE_COHORTS}
    assert "exact*" in esc.summary(found()) and "early_decision = false" in esc.summary(found())
    whole = compare(esc.load(BASE).replace({"safety.early_decision": False}), ["3+3 variant=A"], trials=2)
    assert {row.exact_of for row in whole.rows if row.exact is not None} == {THIS}
    assert "exact*" not in esc.summary(whole) and "  exact" in esc.summary(whole)


def test_simulated_values_agree_with_exact_ones_of_the_same_trial() -> None:
    """Detectable: 5 standard errors, at most 8 points of a probability, with 1,000 trials.

    Where no trial differs from the others, the error is the largest that a number between 0 and the most can have with
    this mean: sqrt(mean * (most - mean)), of Bhatia and Davis (doi:10.2307/2589180).
    """
    whole = esc.load(BASE).replace({"safety.early_decision": False})
    compared = compare(whole, ["3+3 variant=A", "BOIN"], TRUTHS, target=0.25, trials=1000, seed=8)
    rows = [row for row in compared.rows if row.exact is not None]
    assert len(rows) == 2 * 2 * 15
    for row in rows:
        most = 1 if row.unit == "probability" else whole.trial.planned_patients
        largest = math.sqrt(max(row.exact * (most - row.exact), 0.0) / row.trials)
        se = largest if row.unit == "probability" else row.mc_se or largest
        assert abs(row.estimate - row.exact) <= 5 * se + 1e-12


def test_patients_of_an_expansion_have_no_exact_value() -> None:
    expands = esc.load(BASE).replace(
        {"safety.when_rule_finished": "expand", "stopping.expansion_too_toxic_probability": 1.0}
    )
    one = compare(expands, ["3+3 variant=A"], trials=2)
    why = {f"no dose: {why}" for why in WHY_NO_DOSE}
    assert {row.measure for row in one.rows if row.exact is not None} == {"recommended"} | why


def test_exact_values_can_be_left_out() -> None:
    one = compare(esc.load(BASE), ["3+3 variant=A"], trials=2, enumerate_exactly=False)
    assert {row.exact for row in one.rows} == {None}
    assert one.not_exact == {}


# What is compared


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("BOIN", {"name": "BOIN"}),
        (" rolling six ", {"name": "rolling six"}),
        ("rolling six six_at_mtd=false", {"name": "rolling six", "six_at_mtd": False}),
        ("3+3 variant=A", {"name": "3+3", "variant": "A"}),
        ("CRM skeleton=[0.1, 0.25] prior_sd=1.0", {"name": "CRM", "skeleton": [0.1, 0.25], "prior_sd": 1.0}),
        ("3+3 limits.coherence=after_dlt", {"name": "3+3", "limits": {"coherence": "after_dlt"}}),
        ("python=mine", {"python": "mine"}),
    ],
)
def test_a_rule_on_one_line(text: str, rule: dict[str, Any]) -> None:
    assert rule_of_text(text) == rule


def test_a_rule_may_change_other_sections_or_be_a_scenario(base: Scenario) -> None:
    slower = base.replace({"accrual.consents_per_month": 0.5})
    rules = ["3+3", "3+3 safety.cohort_size=2", {"name": "BOIN", "titration": {}, "label": "titrated"}, slower]
    with pytest.raises(ScenarioError, match="2 have this label"):
        compare(base, rules, target=0.25, trials=2)
    one = compare(base, dict(zip("abcd", rules, strict=True)), [[0.1, 0.2]], target=0.25, trials=5)
    made = [one.scenarios["10% 20%", rule] for rule in one.rules]
    assert [scenario.safety.cohort_size for scenario in made] == [3, 2, 3, 3]
    assert made[2].titration is not None and made[0].titration is None
    assert made[3].accrual.consents_per_month == 0.5
    assert {tuple(scenario.toxicity.dlt_probability) for scenario in made} == {(0.1, 0.2)}
    assert compare(base, rules[1:3], target=0.25, trials=1).rules == (
        "3+3, variant C, safety.cohort_size 2",
        "titrated",
    )


def test_defaults_are_the_scenarios_own(base: Scenario) -> None:
    one = compare(base, trials=2)
    assert (one.rules, one.truths[0].label, one.overdose_above) == (("3+3, variant C",), "3% 6%", None)
    assert [row.difference for row in one.rows if row.difference is not None] == []
    assert "difference" not in esc.summary(one)


def test_numbers_of_a_truth_are_told_exactly() -> None:
    assert truth_words([0.0, 0.125, 0.3333]) == "0% 12.5% 33.33%"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no target": ({"rules": ["BOIN", "3+3", "mTPI-2"]}, "target: is missing, and needed by rule 1 (BOIN), rule 3 (mTPI-2): give one for all that need it, as target=0.25 (--target 0.25)"),
    "no skeleton": ({"rules": ["3+3", "CRM"]}, "rule 2 (CRM): rule: skeleton is needed, or prior_mtd_level to compute one, and not both"),
    "target of 1": ({"rules": ["BOIN"], "target": 1.0}, "target = 1: must be greater than 0 and less than 1"),
    "unknown rule": ({"rules": ["BION"]}, 'rule 1 (BION): rule.name = "BION": must be one of'),
    "unknown option": ({"rules": ["3+3 varian=A"]}, 'rule 1 (3+3): rule.varian = "A": unknown key. Did you mean `variant`?'),
    "limits that the rule refuses": ({"rules": ["3+3 limits.coherence=last_cohort"]}, 'rule 1 (3+3): limits.coherence = "last_cohort": compares with a target DLT probability'),
    "unknown key of a section": ({"rules": ["3+3 limits.coherenc=off"]}, "there is no `coherenc` here. Did you mean `coherence`?"),
    "no rule at all": ({"rules": []}, "rules: there are none: give at least one"),
    "no truth at all": ({"truths": []}, "truths: there are none: give at least one"),
    "not a rule": ({"rules": [3]}, "rule 1 = 3: must be a name, a dictionary of options, or a scenario"),
    "not a truth": ({"truths": [0.1, 0.2]}, "truth 1 = 0.1: must be a list of P(DLT), one for each dose level"),
    "too few levels": ({"truths": {"odd": [0.1]}}, "truth 1 (odd): toxicity.dlt_probability = [0.1]: has 1 values, and there are 2 dose levels"),
    "not a probability": ({"truths": [[0.1, 1.2]]}, "truth 1: toxicity.dlt_probability[2] = 1.2: must be at most 1"),
    "two with one label": ({"rules": ["3+3 variant=A", "3+3 variant=A"]}, 'rules = "3+3, variant A": 2 have this label; give each a label of its own'),
    "two truths with one label": ({"truths": [[0.1, 0.2], [0.1, 0.2]]}, 'truths = "10% 20%": 2 have this label'),
    "a truth as a rule's option": ({"rules": ["3+3 toxicity.dlt_probability=[0.1,0.2]"]}, "rule 1 (3+3): toxicity.dlt_probability: what nature does is a truth, not a rule's option"),
    "other doses": ({"rules": [small(dose_levels=[{"label": "low"}, {"label": "middle"}])]}, 'rule 1 (3+3): dose_levels = ["low", "middle"]: must be those of the scenario: low, high'),
    "a Python rule that is not there": ({"rules": [{"python": "nobody"}]}, "rule 1 (nobody): rule.python = nobody: no such rule is loaded"),
    "a target that is mistyped": ({"rules": ["BOIN tagret=0.25"]}, "rule 1 (BOIN): rule.tagret = 0.25: unknown key. Did you mean `target`?"),
    "a Python file": ({"rules": [{"python": "rules.py:mine"}]}, "a scenario file must be safe to open"),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "says"), BAD.values(), ids=BAD)
def test_messages(asked: dict[str, Any], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("escalate.studies.pairs.run_chunk", lambda *_, **__: pytest.fail("something was run"))
    with pytest.raises(ScenarioError) as caught:
        compare(small(), **asked)
    assert any(says in str(problem) for problem in caught.value.problems), str(caught.value)


def test_all_problems_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        compare(small(), ["BOIN", "CRM", "BION"], [[0.1], [0.1, 0.2], [0.1, 2.0]])
    assert len(caught.value.problems) == 5


def test_what_is_missing_because_it_is_mistyped_is_told_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        compare(small(), ["BOIN tagret=0.25"])
    assert len(caught.value.problems) == 1


def test_no_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="trials must be at least 1, got 0"):
        compare(small(), trials=0)


def test_get_names_what_there_is() -> None:
    with pytest.raises(KeyError, match=r"no estimate of 'dlts' at level 1 of 'BOIN' under 'mild'; it has 'all'"):
        found().get("dlts", 1, rule="BOIN", truth="mild")


# Table and summary


def test_every_column_and_measure_is_documented() -> None:
    assert all(column.meaning for column in COMPARED.columns)
    assert {row.measure for row in found().rows} == set(MEASURES)
    table = found().table
    assert len(table) == len(found().rows) == 8 * len(MEASURES) + 8 * 4
    assert table.to_csv().splitlines()[0] == ",".join(COMPARED.names)
    assert "<table>" in found()._repr_html_()
    assert repr(found()) == "<Comparison: 4 rules, 2 truths, 250 trials of each>"


def test_to_pandas() -> None:
    pytest.importorskip("pandas", reason="needs the extra `notebooks`")
    assert list(found().to_pandas().columns) == list(COMPARED.names)


def test_the_summary_is_one_table_that_fits() -> None:
    lines = esc.summary(found()).splitlines()
    assert max(map(len, lines)) <= 120
    assert all(line == line.rstrip() for line in lines)
    start = next(number for number, line in enumerate(lines) if line.startswith('Truth "mild"'))
    assert lines[start] == 'Truth "mild": P(DLT) 10% 25%; MTD: level 2'
    block = lines[start + 3 : lines.index("", start)]
    names = [line[:22].strip() for line in block]
    assert names[:9] == [
        *("3+3, variant A", "exact*", "rolling six", "difference", "BOIN", "difference", "exact*"),
        *("CRM, prior mtd level 2", "difference"),
    ]
    row = found().get("recommended", 2, rule="rolling six", truth="mild")
    assert row.mc_se is not None and row.difference is not None and row.difference_se is not None
    assert f" {100 * row.estimate:.1f}±{100 * row.mc_se:.1f} " in block[2]
    assert f" {tight(change_in_words(row.change, 'same'))} " in block[3]
    exact = found().get("recommended", 2, rule="BOIN", truth="mild").exact
    assert exact is not None and f" {100 * exact:.2f} " in block[6]
    said = " ".join(" ".join(lines).split())
    assert "No exact values of rolling six: the rule rolling six decides with outcomes pending" in said


def test_what_no_trial_came_to_has_a_bound() -> None:
    """Of 20 trials: 1 - 0.025 ** (1 / 20), 16.84%, rounded outward."""
    twenty = compare(esc.load(BASE), ["3+3 variant=A"], trials=20)
    row = twenty.get("recommended", "no dose", rule="3+3, variant A", truth="3% 6%")
    assert (row.estimate, row.mc_se, row.low, row.high) == (0, None, 0, pytest.approx(1 - 0.025 ** (1 / 20)))
    assert " 0[0,17] " in esc.summary(twenty)


def test_many_levels_and_long_labels_fit_too() -> None:
    six = [{"label": f"{k} mg"} for k in range(1, 7)]
    many = small(dose_levels=six, toxicity__dlt_probability=[0.0] * 6, trial__max_days=40)
    long = "a rule with quite a long label"
    one = compare(many, {"a": "3+3", long: "BOIN", f"{long}, {long}, {long}": "BOIN"}, target=0.25, trials=3)
    text = esc.summary(one)
    assert max(map(len, text.splitlines())) <= 80
    assert f"\n{long}\n" in text and f"\n{long}, {long}, a rule with\n  quite a long label\n" in text
    assert "Exact values know no end by trial.max_days." in text
    assert "cut off: ended by trial.max_days" in text
    tables = text[text.index("Truth 1: ") :]
    assert tables.count(" level 6 ") == 2 and tables.count(" overdosed\n") == 1, "recommended, and infused"


def test_documents_say_what_the_summary_says(tmp_path: Path) -> None:
    """Every cell of the tables is printed, too; patients at each level and exact values among them."""
    named = compare(esc.load(BASE), {"<b> | c": "3+3", "BOIN": "BOIN"}, TRUTHS, target=0.25, trials=30)
    for ending in (".html", ".md"):
        named.save(tmp_path / f"it{ending}")
    page, marked = ((tmp_path / f"it{ending}").read_text() for ending in (".html", ".md"))
    printed = " ".join(esc.summary(named).split())
    cells = re.findall(r"<td>([^<]*)</td>", page)
    assert len(cells) == 2 * (5 * 7 + 5 * 4), "of each truth: two rules, a difference, exact values of both"
    assert all(f" {cell} " in f"{printed} " for cell in cells if cell)
    assert "&lt;b&gt; | c</th>" in page and "| &lt;b> \\| c |" in marked
    row = named.get("infused", 2, rule="BOIN", truth="toxic")
    assert row.exact is not None and f"<td>{row.exact:.3f}</td>" in page and f"| {row.exact:.3f} |" in marked
    assert page.count("<caption>") == marked.count("\n|---|") == 4
    for note in ("difference: to ", "exact*: computed", "overdosed: infused", "± is the Monte Carlo"):
        assert note in page and note in marked and note in printed


def test_it_is_said_that_errors_of_rules_go_together(tmp_path: Path) -> None:
    """In the summary, the notebook and documents; of exact values where there are some; not of one rule."""
    for asked, together, sides in ((RULES[:3], True, True), (RULES[1:2] * 2, True, False), (RULES[:1], False, False)):
        one = compare(esc.load(BASE), {str(k): rule for k, rule in enumerate(asked)}, target=0.25, trials=5)
        one.save(tmp_path / f"{len(asked)}.md")
        for text in (esc.summary(one), one._repr_html_(), (tmp_path / f"{len(asked)}.md").read_text()):
            said = " ".join(text.split())
            assert ("Errors of the rules go together, because the same patients" in said) == together
            assert ("same side of their exact values are one chance" in said) == sides


def test_no_dose_for_want_of_patients_is_told() -> None:
    row = found().get("no dose: cap reached, inconclusive", "no dose", rule="rolling six", truth="mild")
    assert row.mc_se is not None and row.estimate > 0
    assert f"rolling six {100 * row.estimate:.1f}±{100 * row.mc_se:.1f}" in " ".join(esc.summary(found()).split())


# Files and the command line


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


FILE = """
target = 0.25

[[rules]]
name = "3+3"
variant = "A"

[[rules]]
label = "coherent"
name = "CRM"
prior_mtd_level = 2
limits.coherence = "last_cohort"

[[truths]]
label = "steep"
dlt_probability = [0.05, 0.5]
"""


def test_a_file_of_rules_and_truths(elsewhere: Path) -> None:
    Path("rules.toml").write_text(FILE)
    asked = read_asked(["BOIN"], [".1, .2"], "rules.toml")
    assert asked.rules == [
        {"name": "BOIN"},
        {"name": "3+3", "variant": "A"},
        {"label": "coherent", "name": "CRM", "prior_mtd_level": 2, "limits": {"coherence": "last_cohort"}},
    ]
    assert asked.truths == [{"dlt_probability": [0.1, 0.2]}, {"label": "steep", "dlt_probability": [0.05, 0.5]}]
    assert (asked.target, read_asked(file="rules.toml", target=0.3).target) == (0.25, 0.3)
    one = compare(small(), asked.rules, asked.truths, target=asked.target, trials=1)
    assert one.rules == ("BOIN", "3+3, variant A", "coherent")
    assert [truth.label for truth in one.truths] == ["10% 20%", "steep"]


def test_the_example_of_the_readme(elsewhere: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    scenarios = (ROOT / "scenarios" / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(target.+?)```", scenarios, re.DOTALL)
    Path("rules.toml").write_text(blocks[0])
    lines = re.findall(r"```sh\n(escalate compare .+?)```", text, re.DOTALL)
    arguments = shlex.split(lines[0].replace("\\\n", " "))[1:]
    arguments[1] = BASE
    assert main([*arguments, "--rules", "rules.toml", "--trials", "3", "--no-files"]) == 0


def test_rules_of_a_file_name_files_beside_it(elsewhere: Path) -> None:
    Path("there").mkdir()
    Path("there/mine.py").write_text(
        'import escalate as esc\n\n@esc.rule(target=0.25)\ndef mine(known):\n    return "stay" if known.y else "escalate"\n'
    )
    Path("there/rules.toml").write_text('[[rules]]\npython = "mine.py:mine"\n')
    with pytest.raises(
        ScenarioError, match=r"there/rules.toml:2: rules\[1\].python = mine.py:mine: a scenario file must"
    ):
        read_asked(file="there/rules.toml")
    assert main(["compare", BASE, "--rules", "there/rules.toml", "--trials", "2", "--allow-python", "--out", "o"]) == 0
    cell = Path("o/scenarios/truth-1-rule-1.json")
    assert main(["run", str(cell), "--trials", "2", "--allow-python", "--no-files"]) == 0


BAD_FILES = {
    "unknown key": ("targt = 0.2\n", r"bad.toml:1: targt = 0.2: unknown key. Did you mean `target`?"),
    "target": ("target = 2.0\n", "bad.toml:1: target = 2.0: must be less than 1. It means: Target DLT probability"),
    "truth": ('[[truths]]\ndlt_probability = [0.1, "x"]\n', 'bad.toml:2: truths[1].dlt_probability[2] = "x": must be a number'),
    "truth without numbers": ('[[truths]]\nlabel = "a"\n', "bad.toml:1: truths[1].dlt_probability: is missing. It means: P(DLT) at each dose level"),
    "not TOML": ("target = \n", "bad.toml:1: is not TOML"),
    "a table that is not there": ('[[rules]]\nname = "table"\nfile = "none.csv"\n', "bad.toml:3: rules[1].file = none.csv: cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "says"), BAD_FILES.values(), ids=BAD_FILES)
def test_messages_about_files(text: str, says: str, elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.toml").write_text(text)
    assert main(["compare", BASE, "--rules", "bad.toml", "--no-files"]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and f"escalate: {says}" in captured.err


ARGUMENTS = ["compare", BASE, "--rule", "3+3 variant=A", "--rule", "BOIN", "--target", "0.25", "--trials", "20"]


def test_compare_writes_a_folder(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ARGUMENTS, "--truth", ".03 .06", "--truth", ".2 .4", "--seed", "5"]) == 0
    out, printed = elsewhere / "results" / "nct06337474-compared", capsys.readouterr().out
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert names == {
        *{"summary.txt", "comparison.csv", "comparison.html", "comparison.md", "comparison.png", "comparison.svg"},
        *{"provenance.json", "resolved.json"},
        *{f"scenarios/truth-{i}-rule-{j}.json" for i in (1, 2) for j in (1, 2)},
        "nct06337474.toml",
        "SHA256SUMS",
    }
    assert printed.startswith((out / "summary.txt").read_text().rstrip("\n"))
    assert (out / "comparison.png").read_bytes().startswith(b"\x89PNG")
    made = json.loads((out / "provenance.json").read_text())
    assert (made["seed"], made["trials"], made["overdose_above"]) == (5, 20, 0.25)
    for cell in made["compared"]:
        assert esc.load(out / cell["file"]).fingerprint() == cell["scenario_sha256"]
    again = esc.simulate(esc.load(out / "scenarios" / "truth-2-rule-2.json"), trials=20, seed=5)
    row = next(
        line for line in (out / "comparison.csv").read_text().splitlines() if line.startswith("20% 40%,BOIN,duration,")
    )
    assert float(row.split(",")[4]) == again.duration_days.mean()


def test_nothing_is_overwritten_unless_asked(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ARGUMENTS, "--out", "here"]) == 0
    assert main([*ARGUMENTS, "--out", "here"]) == 2
    assert "here: exists already" in capsys.readouterr().err
    assert main([*ARGUMENTS, "--out", "here", "--overwrite", "--no-exact"]) == 0
    assert "exact" not in Path("here/summary.txt").read_text()


def test_mistakes_write_nothing(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", BASE, "--rule", "BOIN", "--truth", "0.1"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "escalate: target: is missing, and needed by rule 1 (BOIN): give one for all that need it, as target=0.25 (--target 0.25)",
        "escalate: truth 1: toxicity.dlt_probability = [0.1]: has 1 values, and there are 2 dose levels: one probability for each level is needed",
    ]
    assert main(["compare", BASE, "--truth", "a few"]) == 2
    assert "escalate: --truth = 'a few': must be P(DLT) at each dose level" in capsys.readouterr().err
    assert main(["compare", BASE, "--rule", "python=mine.py:mine"]) == 2
    assert "escalate: --rule 1: python = mine.py:mine: a scenario file must be safe to open" in capsys.readouterr().err
    assert list(elsewhere.iterdir()) == []


def test_a_comparison_says_what_is_compared() -> None:
    """What goes with every rule once; of each rule what is its own, a computed skeleton and other sections included."""
    base = esc.load(ROOT / "scenarios" / "nct06337474.toml").replace({"limits.no_skipping": "highest_given"})
    rules = {
        "model": {"name": "CRM", "target": 0.25, "prior_mtd_level": 2, "limits.most_per_level": 6},
        "counts": {"name": "BOIN", "target": 0.25, "limits": {"most_per_level": 6}, "safety.cohort_size": 2},
    }
    found = compare(base, rules, trials=20)
    said = " ".join(esc.summary(found).split())
    assert "Every rule: at most 9 evaluable patients, others on top; limits.no_skipping highest_given; " in said
    assert "limits.most_per_level 6 model: CRM, target 0.25, prior mtd level 2, skeleton " in said
    skeleton = " ".join(f"{p:.3f}" for p in esc.getprior(0.05, 0.25, 2, 2))
    assert f"skeleton {skeleton}; cohorts of 3 counts: BOIN, target 0.25; cohorts of 2 ± is" in said


def test_exact_values_as_a_frame_have_both_probabilities() -> None:
    pytest.importorskip("pandas", reason="needs the extra `notebooks`")
    base = esc.load(ROOT / "scenarios" / "nct06337474.toml")
    frame = esc.exact(base).to_pandas()
    assert frame["dlt_probability"].tolist()[:2] == list(base.toxicity.dlt_probability)
    assert all(frame["dlt_probability_if_evaluable"][:2] > frame["dlt_probability"][:2]), "drop-outs without a DLT go"


def test_the_name_of_the_scenarios_own_rule_takes_its_settings() -> None:
    """Alone, in every form and verb; with options it is another rule; a target that is given goes before its own."""
    base = esc.load(BASE).replace({"rule.variant": "B"})
    one = compare(base, ["3+3", {"label": "C", "name": "3+3", "variant": "C"}, "BOIN"], target=0.25, trials=5)
    variants = [getattr(one.scenarios["3% 6%", rule].rule, "variant", None) for rule in one.rules]
    assert (one.rules, variants) == (("3+3, variant B", "C", "BOIN"), ["B", "C", None])
    said = esc.summary(one)
    assert "3+3, variant B: the rule of the scenario, as it is set there\nC: 3+3, variant C\nBOIN: BOIN, " in said
    own = base.replace({"rule": {"name": "BOIN", "target": 0.25, "p_saf": 0.1}})
    two = compare(own, ["BOIN limits.most_per_level=6", "BOIN target=0.2"], target=0.3, trials=5)
    told = [(one.rule.target, one.rule.p_saf) for one in two.scenarios.values()]  # type: ignore[union-attr]
    assert told == [(0.3, 0.1), (0.2, None)]
    assert "the rule of the scenario, but for the target" in " ".join(esc.summary(two).split())
    assert base.replace({"rule": "3+3"}) == base
    again = with_settings(base, ["rule=3+3"])
    assert again.rule == base.rule and again.sources == base.sources
