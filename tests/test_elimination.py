"""A level that a decision has eliminated is never given or recommended again, whatever the counts say later.

Counts can say less later than the decision read: a decision forced early reads the patients still to come as if they
came without a DLT, a rolling rule those who are pending, and some of them never have an outcome.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pytest

from escalate import Scenario, decision_table, dose_paths, exact, simulate_trial
from escalate.committee.committee import CAP_REACHED, Committee
from escalate.committee.protocol import NO_SKIPPING, TOO_TOXIC
from escalate.rules import rule_for
from escalate.rules.counts import ELIMINATED, IntervalRule
from escalate.words.data_cut import Counts, DataCut
from escalate.words.records import NO_LEVEL, TIME_IS_UP, Action, IntArray
from reference_trial import reference_trial
from small import small
from test_engines_agree import COMPILES, assert_same, by_kernel, by_simpy

TABLE = {
    "name": "table",
    "target": 0.2,
    "decisions": {
        "3": "E S DU DU",
        "6": "E E S DU DU DU DU",
        "9": "E E S DU" + " DU" * 6,
        **{str(n): "E E E S DU" + " DU" * (n - 4) for n in (12, 15, 18)},
    },
}
"""No line for 2 patients, so that 2 of 2 say nothing."""
ELIMINATE: dict[str, dict[str, Any]] = {
    **{name: {"name": name, "target": 0.2} for name in ("BOIN", "mTPI", "mTPI-2", "Keyboard", "i3+3", "TITE-BOIN")},
    "table": TABLE,
}
CONSENTS = [0, 1, 2, 50, 51, 60, 61, 62, 100, 101, 102]


def early(name: str, **changes: Any) -> Scenario:
    """Return a trial of two levels in which 2 of 2 at level 2 are read as 2 of 3, and no third has an outcome."""
    rolling = name == "TITE-BOIN"
    what_if: list[dict[str, Any]] = [{"patient": 4, "dlt_day": 5}, {"patient": 5, "dlt_day": 4}]
    return small(
        **{
            "rule": ELIMINATE[name],
            "safety__early_decision": True,
            "trial__planned_patients": 15 if rolling else 12,
            "trial__max_days": 400,
            "accrual__consent_days": sorted([*CONSENTS, *([52] if rolling else []), 140, 141, 142]),
            "what_if": what_if + ([{"patient": 6, "drop_out_day": 10}] if rolling else []),
        }
        | changes
    )


@pytest.mark.parametrize("name", ELIMINATE)
def test_an_eliminated_level_is_not_given_again(name: str) -> None:
    scenario = early(name)
    trial = simulate_trial(scenario)
    reasons = trial.decisions["reason"]
    assert ELIMINATED in reasons
    told = trial.dose_path.split()
    assert told[:2] == ["1NNN", "2TTX" if name == "TITE-BOIN" else "2TT"]
    assert len(told) > 2
    assert {part[0] for part in told[2:]} == {"1"}
    assert trial.recommended == 1
    assert_same(by_kernel(scenario, 1), by_simpy(scenario, 1))
    if name in ("BOIN", "TITE-BOIN"):
        found = reference_trial(scenario, 1, 0)
        assert (found["dose_path"], found["recommended"]) == (trial.dose_path, 1)


def three_of_five(**changes: Any) -> Scenario:
    """Return a trial in which level 2 is left with 3 DLTs in 5, read as 3 in 6, and its rate is the closest to .32.

    On fewer than 6 patients nothing is eliminated. Level 1 has 0 in 6: rates of .008 and .598 lie .312 and .278 away.
    """
    start = {
        "rule": {"name": "BOIN", "target": 0.32, "eliminate_from": 6, "elimination_cutoff": 0.8},
        "safety__cohort_size": 6,
        "safety__early_decision": True,
        "trial__planned_patients": 12,
        "trial__max_days": 400,
        "accrual__consent_days": [*[0] * 6, 30, 30, 60, 60, 60, *[100] * 6],
        "what_if": [{"patient": patient, "dlt_day": 5} for patient in (9, 10, 11)],
    }
    return small(**start | changes)


SIXTH = [*[0] * 6, 30, 30, *[60] * 4]
LEAVES = [
    *({"patient": patient, "dlt_day": 5} for patient in (9, 10, 11)),
    {"patient": 12, "drop_out_day": 10},
]
RECOMMENDED: dict[str, tuple[dict[str, Any], str, str]] = {
    "at the cap, by the decision that eliminates": ({}, "1NNNNNN 2NNTTT", CAP_REACHED),
    "at the cap, by a later decision": ({"trial__planned_patients": 17}, "1NNNNNN 2NNTTT 1NNNNNN", CAP_REACHED),
    "when the last outcome is known": (
        {"accrual__consent_days": SIXTH, "what_if": LEAVES}, "1NNNNNN 2NNTTTX", CAP_REACHED,
    ),
    "when the time is up": (
        {"trial__planned_patients": 18, "trial__max_days": 110}, "1NNNNNN 2NNTTT 1PPPPPP", TIME_IS_UP,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RECOMMENDED)
@pytest.mark.parametrize("compiles", COMPILES)
def test_an_eliminated_level_is_not_recommended(case: str, compiles: bool) -> None:
    changes, path, reason = RECOMMENDED[case]
    scenario = three_of_five(**changes)
    trial = simulate_trial(scenario)
    assert (trial.dose_path, trial.stop_reason, trial.recommended) == (path, reason, 1)
    assert_same(by_kernel(scenario, 1, compiles=compiles), by_simpy(scenario, 1))
    counts = DataCut.of(0, [6, 5], [0, 3])
    forgotten, remembered = (rule_for(scenario).recommend(replace(counts, open_levels=np.array(k))) for k in (2, 1))
    assert (int(forgotten), int(remembered)) == (1, 0)


# The time is up


MODELS: dict[str, dict[str, Any]] = {
    "CRM": {"name": "CRM", "target": 0.2, "skeleton": [0.1, 0.2]},
    "TITE-CRM": {"name": "TITE-CRM", "target": 0.2, "skeleton": [0.1, 0.2]},
    "BLRM": {"name": "BLRM", "doses": [1.0, 2.0], "sd_log_alpha": 1.0, "sd_log_beta": 0.7},
}
WITHOUT_TARGET = {"3+3": {"name": "3+3"}, "rolling six": {"name": "rolling six"}}


@pytest.mark.parametrize("name", [*ELIMINATE, *MODELS, *WITHOUT_TARGET])
@pytest.mark.parametrize("max_days", [30, 45, 65])
def test_what_is_recommended_when_the_time_is_up(name: str, max_days: int) -> None:
    """Nobody evaluable on day 30; level 1 without a DLT on day 45, and on day 65 level 2 with one more pending.

    Rules with a target recommend what their data say, as at the cap; the others have no answer before they finish.
    """
    options = (ELIMINATE | MODELS | WITHOUT_TARGET)[name]
    scenario = small(
        rule=options,
        accrual__consent_days=[5, 5, 5, 35, 35, 35, 64],
        trial__planned_patients=18,
        trial__max_days=max_days,
    )
    trial = simulate_trial(scenario)
    assert (trial.stop_reason, trial.duration_days, trial.is_complete) == (TIME_IS_UP, max_days, False)
    n = [sum(row["outcome"] in ("DLT", "no DLT") for row in trial.patients if row["level"] == k) for k in (1, 2)]
    assert (sum(n) > 0) == (max_days > 30)
    best = int(rule_for(scenario).recommend(DataCut.of(0, n, [0, 0]))[()])
    expected = None if best == NO_LEVEL or name in WITHOUT_TARGET else best + 1
    assert trial.recommended == expected
    assert (expected is not None) == (max_days > 30 and name not in WITHOUT_TARGET)
    assert_same(by_kernel(scenario, 1), by_simpy(scenario, 1))


@pytest.mark.parametrize("compiles", COMPILES)
def test_time_is_up_while_patients_are_pending(compiles: bool) -> None:
    """In random trials, of rules that read windows, too: the pending count for nothing."""
    for name, max_days in (("BOIN", 100), ("TITE-BOIN", 100), ("TITE-CRM", 60)):
        scenario = small(
            rule=(ELIMINATE | MODELS)[name],
            accrual={"kind": "poisson", "consents_per_month": 6.0},
            attrition={"drop_out_per_year": 0.6},
            toxicity__dlt_probability=[0.2, 0.5],
            stopping={"too_toxic_probability": 0.9},
            trial__planned_patients=18,
            trial__max_days=max_days,
        )
        found = by_kernel(scenario, 40, compiles=compiles)
        assert_same(found, by_simpy(scenario, 40))
        up = found.reason == found.reasons.index(TIME_IS_UP)
        assert len(set(found.recommended[up].tolist())) > 1


def test_no_answer_before_the_committee_has_met() -> None:
    """3 of 3 without a DLT at the highest level are known on day 63; the committee would meet on day 73."""
    scenario = small(
        safety__start_level=2,
        safety__review_delay_days=10,
        accrual__consent_days=[35, 35, 35],
        trial__max_days=70,
    )
    found = [simulate_trial(scenario.replace({"trial.max_days": days})) for days in (70, 75)]
    assert [(trial.dose_path, trial.recommended) for trial in found] == [("2NNN", None), ("2NNN", 2)]
    assert_same(by_kernel(scenario, 1), by_simpy(scenario, 1))


def test_no_dose_when_the_time_is_up_and_the_lowest_level_is_too_toxic() -> None:
    """2 DLTs in 2 while the third is pending: the rule would recommend the level, the stopping rule does not let it."""
    changes: dict[str, Any] = {
        "rule": {"name": "BOIN", "target": 0.2},
        "accrual__consent_days": [5, 5, 5],
        "what_if": [{"patient": 1, "dlt_day": 5}, {"patient": 2, "dlt_day": 6}],
        "safety__early_decision": False,
        "trial__max_days": 30,
    }
    plain, stops = small(**changes), small(**changes, stopping={"too_toxic_probability": 0.95})
    found = [simulate_trial(scenario) for scenario in (plain, stops)]
    assert [(trial.recommended, trial.stop_reason) for trial in found] == [(1, TIME_IS_UP), (None, TIME_IS_UP)]
    for scenario in (plain, stops):
        assert_same(by_kernel(scenario, 1), by_simpy(scenario, 1))
        assert reference_trial(scenario, 1, 0)["recommended"] == simulate_trial(scenario).recommended


# A rule that finds nothing by itself


@dataclass(frozen=True, kw_only=True)
class Forgetful(IntervalRule):
    """BOIN that finds by itself only the level at hand too toxic: it has to be told what was closed before."""

    def levels_left(self, cut: DataCut) -> IntArray:
        here = np.arange(cut.evaluable.shape[-1]) == cut.level[..., np.newaxis]
        return super().levels_left(replace(cut, evaluable=cut.evaluable * here, dlts=cut.dlts * here))


def forgetful(scenario: Scenario) -> Forgetful:
    told = rule_for(scenario)
    return Forgetful(**{item.name: getattr(told, item.name) for item in fields(told) if item.name != "_tables"})


def toxic_at_three() -> Scenario:
    return small(
        dose_levels=[{"label": str(level)} for level in range(3)],
        rule={"name": "BOIN", "target": 0.25},
        toxicity__dlt_probability=[0.15, 0.3, 0.7],
        safety__early_decision=False,
        trial__planned_patients=15,
        accrual={"kind": "poisson", "consents_per_month": 10.0},
    )


@pytest.mark.parametrize("compiles", COMPILES)
def test_everything_carries_what_a_decision_has_closed(compiles: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With whole cohorts the forgetful rule is BOIN, if it is told: every state, path and trial is the same."""
    scenario = toxic_at_three()
    truth = exact(scenario), dose_paths(scenario), by_kernel(scenario, 100, compiles=compiles), by_simpy(scenario, 50)
    monkeypatch.setattr("escalate.committee.protocol.rule_for", forgetful)
    found, listed = exact(scenario), dose_paths(scenario)
    assert (found.recommended, found.reasons, found.evidence) == (
        truth[0].recommended, truth[0].reasons, truth[0].evidence,
    )  # fmt: skip
    assert listed == truth[1]
    assert_same(by_kernel(scenario, 100, compiles=compiles), truth[2])
    assert_same(by_simpy(scenario, 50), truth[3])


# What is put around a rule


def three(rule: dict[str, Any], **changes: Any) -> Committee:
    levels = [{"label": str(level)} for level in range(3)]
    return Committee(small(rule=rule, dose_levels=levels, toxicity__dlt_probability=[0.0] * 3, **changes))


def test_the_limit_of_steps_down_skips_what_is_eliminated() -> None:
    """DLTs of patients who were pending at level 2 close it, while a rolling rule has come to level 3."""
    step_by_step: dict[str, Any] = {"limits": {"no_skipping_down": True}}
    known = Counts(2, (3, 4, 1), (0, 3, 1), (0, 0, 2))
    decided = three({"name": "TITE-BOIN", "target": 0.2}, **step_by_step).decide(known, 12)
    assert (decided.action, decided.level, decided.open_levels) == (Action.DE_ESCALATE, 0, 1)
    steep = {"name": "CRM", "target": 0.2, "skeleton": [0.2, 0.4, 0.6]}
    decided = three(steep, **step_by_step).decide(Counts(2, (3, 3, 3), (1, 2, 3), (0, 0, 0)), 12)
    assert (decided.level, decided.reason, decided.open_levels) == (1, NO_SKIPPING, 3)


ONE_IS_ENOUGH = {"name": "BOIN", "target": 0.2, "eliminate_from": 1, "elimination_cutoff": 0.9}


def test_titration_eliminates_nothing_and_is_over_once_something_is() -> None:
    """1 DLT in 1 is too toxic for the rule; the titration fills the cohort up, and only then is the rule heard."""
    committee = three(ONE_IS_ENOUGH, titration={})
    single = Counts(1, (1, 1, 0), (0, 1, 0), (0, 0, 0))
    filled = committee.decide(single, 12)
    assert (filled.level, filled.patients, filled.open_levels) == (1, 2, 3)
    heard = committee.decide(single._replace(open_levels=1), 12)
    assert (heard.level, heard.reason, heard.open_levels) == (0, ELIMINATED, 1)
    assert three(ONE_IS_ENOUGH).decide(single, 12) == replace(heard, patients=3)


def test_a_stop_for_toxicity_stays_a_stop() -> None:
    """2 of 3 at the lowest level stop the trial; 2 of 9 would not, but by then it has been announced."""
    committee = three(
        {"name": "CRM", "target": 0.2, "skeleton": [0.2, 0.3, 0.4]}, stopping={"too_toxic_probability": 0.9}
    )
    stopped = committee.decide(Counts(0, (3, 0, 0), (2, 0, 0), (0, 0, 0)), 12)
    assert (stopped.reason, stopped.open_levels) == (TOO_TOXIC, 0)
    later = Counts(0, (9, 0, 0), (2, 0, 0), (0, 0, 0))
    assert committee.decide(later, 12).action is not Action.STOP
    assert committee.when_time_is_up(later) == 0
    told = later._replace(open_levels=stopped.open_levels)
    assert (committee.decide(told, 12).reason, committee.when_time_is_up(told)) == (TOO_TOXIC, NO_LEVEL)


COHORTS = [name for name in ELIMINATE if name != "TITE-BOIN"]


@pytest.mark.parametrize(
    ("name", "decides_early"),
    [*((name, True) for name in COHORTS), *((name, False) for name in COHORTS if name != "table")],
)
def test_a_dose_path_closes_what_its_decisions_closed(name: str, decides_early: bool) -> None:
    """2 of 2 were read as 2 of 3 where decisions come early; where cohorts are whole, nobody is missing for good."""
    scenario = early(name, safety__early_decision=decides_early, trial__planned_patients=18)
    first, *_ = decision_table(scenario, after="1NNN 2TT 1NNN", cohorts=1).rows
    assert (first.decision.level, first.cut.open_levels) == ((0, 1) if decides_early else (1, 2))
    given = [
        row.decision.level for row in decision_table(scenario, after="1NNN", cohorts=2).rows if row.cut.open_levels == 1
    ]
    assert given
    assert set(given) <= {0, NO_LEVEL}


@pytest.mark.parametrize("name", ELIMINATE)
def test_a_dose_path_that_goes_on_at_an_eliminated_level_opens_nothing(name: str) -> None:
    """A real trial may deviate: 3 of 3 closed level 2, and 3 of 12 are as good as the target."""
    scenario = early(name, trial__planned_patients=18)
    alone, *_ = decision_table(scenario, after="1NNN 2TTT 2NNN 2NNN 2NNN", cohorts=1).rows
    assert (alone.decision.level, alone.cut.open_levels) == (0, 1)
