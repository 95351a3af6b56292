"""What a committee remembers, is told of before, or answers to many trials at once is what it answers anew to each."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings

from escalate import Scenario, load, simulate_trial
from escalate.committee import memory, remembered
from escalate.committee.committee import Ask, Committee
from escalate.committee.memory import Memory
from escalate.committee.remembered import COMMITTEES, committee_of
from escalate.errors import RuleError
from escalate.nature.draws import Nature
from escalate.scenario.own_rules import Known, rule
from escalate.studies import simulation
from escalate.studies.simulation import traced_trials
from escalate.trial.conduct import Conduct
from escalate.trial.together import run_together
from escalate.words.data_cut import DataCut
from escalate.words.later import Later
from escalate.words.records import Action, Decision, Trial
from small import small
from strategies import any_rule

SKELETON = {"skeleton": [0.05, 0.1, 0.2, 0.3, 0.5, 0.7]}
RULES: dict[str, dict[str, Any]] = {
    "3+3": {"variant": "B"},
    "BOIN": {"target": 0.25},
    "TITE-BOIN": {"target": 0.25},
    "CRM": {"target": 0.25} | SKELETON,
    "TITE-CRM": {"target": 0.25} | SKELETON,
    "rolling six": {},
}
FOREVER = {"kind": "poisson", "consents_per_month": 5.0}


def six_levels(name: str) -> Scenario:
    return load("scenarios/six-dose-oncology.toml").replace({"rule": {"name": name} | RULES[name]})


def conducts(scenario: Scenario, trials: int, committee: Committee | None = None, number: int = 1) -> list[Conduct]:
    nature = Nature(scenario, number, 0, trials)
    return [Conduct(scenario, committee or Committee(scenario), nature, k) for k in range(trials)]


def records(trial: Trial) -> tuple[Any, ...]:
    tables = (trial.events, trial.patients, trial.cohorts, trial.decisions)
    return *(table.rows for table in tables), trial.dose_path, trial.recommended, trial.stop_reason, trial.duration_days


def all_memories(committee: Committee) -> dict[str, Memory[Any, Any]]:
    return {name: value for name, value in vars(committee).items() if isinstance(value, Memory)}


def assert_answers_are_those_of_a_fresh_one(committee: Committee, scenario: Scenario) -> int:
    """Each question is put to one that was asked nothing before, by itself and with all others; return how many."""
    asked, one_by_one, together = 0, all_memories(Committee(scenario)), all_memories(Committee(scenario))
    for name, answered in all_memories(committee).items():
        together[name].learn(answered._known)
        for question, answer in answered._known.items():
            assert one_by_one[name][question] == answer == together[name][question], (name, question)
            asked += 1
    return asked


@seed(31)
@settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(any_rule(reviews=True))
def test_trials_side_by_side_are_the_trials_one_by_one(scenario: Scenario) -> None:
    """With one committee for all of them, and with one that nobody asked before for each; so are its answers."""
    shared = Committee(scenario)
    together = run_together(conducts(scenario, 5, shared))
    alone = [Conduct(scenario, Committee(scenario), Nature(scenario, 1, k, 1), k).run() for k in range(5)]
    assert [records(trial) for trial in together] == [records(trial) for trial in alone]
    assert_answers_are_those_of_a_fresh_one(shared, scenario)


@pytest.mark.parametrize("name", RULES)
def test_what_is_remembered_is_what_a_fresh_committee_says(name: str) -> None:
    """Of two scenarios that assume something else about nature, and share the committee; and under any cap."""
    scenario = six_levels(name).replace({"safety.early_decision": True, "trial.planned_patients": 12})
    other = scenario.replace({"toxicity.dlt_probability": [0.3, 0.4, 0.5, 0.6, 0.7, 0.8], "accrual": FOREVER})
    COMMITTEES.forget_all()
    for each in (scenario, other):
        list(traced_trials(each, trials=3))
    shared = committee_of(other)
    assert shared is committee_of(scenario)
    assert assert_answers_are_those_of_a_fresh_one(shared, scenario) > 10
    fresh = Committee(scenario)
    for counts, _, outstanding in list(shared.decisions._known)[:10]:
        for room in range(-2, scenario.safety.cohort_size + 3):
            told = shared.decide(counts, room, outstanding)
            cut = DataCut.gather([counts])
            truth = fresh.decide_many(cut, np.array([room]), np.array([outstanding])).one(0)
            assert shown(told) == shown(truth), (counts, room, outstanding)
    # The cap, and what stopped the trial, are each question's own.
    every, stops = list(shared.decisions._known), [replace(truth, action=Action.STOP, reason=why) for why in "ab"]
    for room in range(scenario.safety.cohort_size):
        shared.decisions.learn([ask._replace(room=room) for ask in every])
    shared.conclusions.learn([(ask.counts, stop) for ask in every for stop in stops])
    assert_answers_are_those_of_a_fresh_one(shared, scenario)


def shown(decision: Decision) -> tuple[Any, ...]:
    return decision.action, decision.level, decision.patients, decision.reason, decision.open_levels


@pytest.mark.parametrize("name", RULES)
def test_a_decision_asks_nothing_that_was_not_foreseen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else every trial would wait for an answer of its own, which takes most of its time."""
    learn, decide = Memory.learn, Conduct.decide
    deciding, learnt = [0], [0]

    def watched(self: Memory[Any, Any], questions: Sequence[Any]) -> None:
        assert not deciding[0]
        learnt[0] += 1
        learn(self, questions)

    def decides(self: Conduct, *rest: Any) -> Decision:
        deciding[0] += 1
        try:
            return decide(self, *rest)
        finally:
            deciding[0] -= 1

    monkeypatch.setattr(Memory, "learn", watched)
    monkeypatch.setattr(Conduct, "decide", decides)
    run_together(conducts(six_levels(name), 12, Committee(six_levels(name))))
    assert 0 < learnt[0] < 12 * 12


def test_committees_are_shared_by_protocols(monkeypatch: pytest.MonkeyPatch) -> None:
    COMMITTEES.forget_all()
    scenario = small(rule={"name": "BOIN", "target": 0.25})
    simulate_trial(scenario)
    (kept,) = COMMITTEES.kept.values()
    assert len(kept.decisions) and committee_of(scenario.replace({"accrual": FOREVER, "screening.days": 3})) is kept
    assert committee_of(scenario.replace({"trial.planned_patients": 18})) is not kept
    assert committee_of(scenario.replace({"safety.review_delay_days": 9})) is not kept  # more than need be, never less
    own = small(rule={"python": "by_rate"})
    assert committee_of(own) is not committee_of(own)
    simulate_trial(scenario.replace({"trial.planned_patients": 18}))
    monkeypatch.setattr(remembered, "MOST_REMEMBERED", 0)
    assert committee_of(scenario) is kept and kept in COMMITTEES.kept.values()
    assert sum(each.numbers for each in COMMITTEES.kept.values()) == kept.numbers


def test_a_memory_forgets_what_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_REMEMBERED", 4)
    asked: list[list[int]] = []

    def squares(numbers: Sequence[int]) -> list[int]:
        asked.append(list(numbers))
        return [number**2 for number in numbers]

    squared = Memory(squares)
    squared.learn([3, 1, 3])
    assert [squared[number] for number in (1, 3, 2, 1)] == [1, 9, 4, 1] and asked == [[3, 1], [2]]
    squared.learn([1, 5, 6])
    assert len(squared) == 2 and squared[1] == 1 and asked[2:] == [[5, 6], [1]]


@pytest.mark.parametrize("beside", [1, 400])
def test_the_first_trial_that_fails_is_told_after_those_before_it(beside: int, monkeypatch: pytest.MonkeyPatch) -> None:
    @rule
    def fails_at_two(known: Known) -> str:
        if known.y == 2:
            raise ZeroDivisionError("two")
        return "stay" if known.n < 6 else "stop"

    scenario = small(rule={"python": "fails_at_two"}, toxicity__dlt_probability=[0.1, 0.1], accrual=FOREVER)
    told: list[int] = []
    with pytest.raises(RuleError) as truth:
        for each in conducts(scenario, 40, number=6):
            each.run()
    monkeypatch.setattr(simulation, "MOST_PEOPLE", beside)
    with pytest.raises(RuleError) as error:
        for trial in traced_trials(scenario, trials=40, seed=6):
            told.append(trial.replicate)  # those before the error, too
    assert str(error.value) == str(truth.value)
    assert len(told) > 3 and str(error.value).startswith(f"trial {len(told)} of seed 6, ")
    assert told == list(range(len(told)))


def test_what_a_decision_rests_on_is_found_out_if_somebody_looks() -> None:
    scenario = six_levels("TITE-CRM")
    committee = Committee(scenario)
    (trial,) = run_together(conducts(scenario, 1, committee))
    assert isinstance(trial.decisions.cells, Later) and len(trial.patients) and not len(committee._estimates)
    travelled, copied = pickle.loads(pickle.dumps(trial.decisions.cells)), copy.deepcopy(trial.decisions.cells)
    assert len(committee._estimates) and travelled == copied == tuple(trial.decisions.cells)
    assert trial.decisions.cells == Later(lambda: travelled) and len({trial.decisions.cells, travelled}) == 1
    assert trial.decisions.cells[0] == travelled[0] and repr(trial.decisions.cells) == repr(travelled)
    assert ends(trial) and all(0 <= low <= p <= high <= 1 for low, p, high in ends(trial))


def test_rows_for_later_are_made_once() -> None:
    made: list[int] = []

    def make() -> list[tuple[int, ...]]:
        made.append(1)
        return [(7,)]

    rows = Later(make)
    assert made == [] and list(rows) == [rows[0]] == [(7,)] and len(rows) == 1 and made == [1]


def ends(trial: Trial) -> list[tuple[float, float, float]]:
    levels = range(1, len(trial.doses) + 1)
    return [
        (row[f"p_dlt_low_{k}"], row[f"p_dlt_{k}"], row[f"p_dlt_high_{k}"]) for row in trial.decisions for k in levels
    ]


def test_no_question_is_answered_for_another() -> None:
    """Room and outstanding outcomes are part of it."""
    counts = next(iter(committee_with_decisions().decisions._known)).counts
    assert len({Ask(counts, 3), Ask(counts, 2), Ask(counts, 3, 1), Ask(counts, 3)}) == 3


def committee_with_decisions() -> Committee:
    scenario = six_levels("BOIN")
    committee = Committee(scenario)
    run_together(conducts(scenario, 1, committee))
    return committee
