"""What must hold in every trial of every scenario and rule (Hypothesis, over the scenarios of `strategies`)."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from escalate import Scenario, Trial, simulate_trial, waits
from escalate.committee import protocol
from escalate.committee.committee import CAP_REACHED
from escalate.rules import blrm, counts, crm, rule_for, three_plus_three
from escalate.words.data_cut import DataCut
from escalate.words.records import CAP_INCONCLUSIVE, NO_LEVEL, TIME_IS_UP
from escalate.words.tables import EVENT_WORDS, OUTCOMES, STATES
from schedules import schedule_at, schedules_of
from strategies import any_rule

EXAMPLES = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
WITH_DOSE = {three_plus_three.MTD_BELOW, three_plus_three.TOP_TOLERATED}
WITHOUT_DOSE = {
    CAP_INCONCLUSIVE,
    three_plus_three.TOO_TOXIC,
    protocol.TOO_TOXIC,
    blrm.NONE_ALLOWED,
    crm.TOO_TOXIC,
}
REASONS = WITH_DOSE | WITHOUT_DOSE | {CAP_REACHED, TIME_IS_UP, *protocol.ENDS}


def run(scenario: Scenario, seed: int) -> Trial:
    return simulate_trial(scenario, seed=seed, replicate=seed % 7)


def patients(trial: Trial) -> list[dict[str, object]]:
    rows = [row for row in trial.patients if row["patient"] is not None]
    return sorted(rows, key=lambda row: row["patient"])


@EXAMPLES
@given(any_rule(), st.integers(0, 1000))
def test_calendar(scenario: Scenario, seed: int) -> None:
    """Lead and stagger are kept; nobody starts while a decision is outstanding or after enrolment has closed."""
    trial = run(scenario, seed)
    safety, at = scenario.safety, schedules_of(scenario)
    by_cohort = defaultdict(list)
    for row in patients(trial):
        by_cohort[row["cohort"]].append(row)
        cohort = next(c for c in trial.cohorts if c["cohort"] == row["cohort"])
        assert cohort["opened_day"] <= row["treatment_start_day"]
        if cohort["data_cut_day"] is not None:
            same_day = at[row["level"] - 1].window == 0 or trial.rolling
            assert row["treatment_start_day"] < cohort["data_cut_day"] + same_day
        if row["infusion_day"] is not None:
            assert row["infusion_day"] == row["treatment_start_day"] + at[row["level"] - 1].lead
            assert_open(scenario, trial, row)
    seen_levels = set()
    for cohort in trial.cohorts:
        new_level = cohort["level"] not in seen_levels
        seen_levels.add(cohort["level"])
        infusions = [row["infusion_day"] for row in by_cohort[cohort["cohort"]] if row["infusion_day"] is not None]
        sentinel = safety.sentinel == "every_cohort" or new_level
        for position, (earlier, later) in enumerate(pairwise(infusions)):
            stagger = safety.sentinel_stagger_days if position == 0 and sentinel else safety.stagger_days
            assert later - earlier >= stagger
    for cohort, following in pairwise(trial.cohorts):
        assert cohort["data_cut_day"] <= following["opened_day"]
    for decision in trial.decisions:
        earliest = decision["data_cut_day"] + safety.review_delay_days
        days = range(earliest, decision["committee_day"] + 1)
        assert [day for day in days if meets(scenario, trial.date_of(day))] == [decision["committee_day"]]


def assert_open(scenario: Scenario, trial: Trial, row: dict[str, Any]) -> None:
    """Nothing of a patient's treatment, as it was planned, falls on a closed day or on a weekday that does not suit."""
    treatment, infused = scenario.treatment, trial.date_of(row["infusion_day"])
    schedule = schedule_at(scenario, row["level"] - 1)
    assert f"{infused:%a}" in treatment.weekdays
    begins = trial.date_of(row["treatment_start_day"])
    assert not schedule.lead or f"{begins:%a}" in treatment.lymphodepletion_weekdays
    for day in schedule.infusion_days:
        when = infused + timedelta(days=day)
        assert not rests(scenario, "infusion", when)
        assert day == 0 or f"{when:%a}" in treatment.later_infusion_weekdays
    for day in {day for agent in schedule.agents for day in agent.days}:
        assert not rests(scenario, "lymphodepletion", infused + timedelta(days=day))


def rests(scenario: Scenario, what: str, when: date) -> bool:
    """Whether something is closed on a date."""
    for item in scenario.calendar.closed:
        length = item.last_day - item.first_day
        for year in range(when.year - 1, when.year + 1) if item.every_year else [item.first_day.year]:
            leap_day = (item.first_day.month, item.first_day.day) == (2, 29) and year % 4
            first = date(year, 2, 28) if leap_day else item.first_day.replace(year=year)
            if what in item.what and first <= when <= first + length:
                return True
    return False


def meets(scenario: Scenario, when: date) -> bool:
    """Whether the committee meets on a date."""
    safety = scenario.safety
    if rests(scenario, "committee", when):
        return False
    if safety.meeting_dates:
        return when in safety.meeting_dates
    month = range(1, monthrange(when.year, when.month)[1] + 1)
    like_it = [day for day in month if when.replace(day=day).weekday() == when.weekday()]
    weeks = {like_it.index(when.day) + 1} | ({-1} if like_it[-1] == when.day else set())
    suits = not safety.meeting_weeks or bool(weeks & set(safety.meeting_weeks))
    return suits and f"{when:%a}" in safety.meeting_weekdays


@EXAMPLES
@given(any_rule(), st.integers(0, 1000))
def test_levels_and_cap(scenario: Scenario, seed: int) -> None:
    """Nobody is infused above the permitted level or beyond the cap, and levels move as far as the limits let them."""
    trial = run(scenario, seed)
    limits = scenario.limits
    permitted = [(-1, scenario.safety.start_level)]
    for decision in trial.decisions:
        level, following = decision["level"], decision["next_level"]
        permitted.append((decision["committee_day"], following or decision["recommended_level"] or 0))
        infused = [row for row in patients(trial) if row["infusion_day"] is not None]
        given = [row["level"] for row in infused if row["infusion_day"] <= decision["committee_day"]]
        highest = level if limits.no_skipping == "last_given" else max(given, default=level)
        if following is not None:
            assert following <= highest + 1 or limits.no_skipping == "off"
            assert following >= level - 1 or not limits.no_skipping_down
    for row in patients(trial):
        if row["infusion_day"] is not None:
            assert row["level"] <= [level for day, level in permitted if day <= row["infusion_day"]][-1]
    outcomes = Counter(row["outcome"] for row in patients(trial))
    cap = scenario.trial.planned_patients
    if scenario.trial.cap_counts == "infused":
        assert sum(outcomes.values()) - outcomes[None] <= cap
    freed_at_once = [row for row in patients(trial) if row["place_free_day"] == row["infusion_day"]]
    beyond = sum(row["outcome"] in ("DLT", "pending") for row in freed_at_once)
    assert outcomes["DLT"] + outcomes["no DLT"] + outcomes["pending"] <= cap + beyond


@EXAMPLES
@given(any_rule(), st.integers(0, 1000))
def test_places(scenario: Scenario, seed: int) -> None:
    """A partial dose frees its place as the protocol says, nobody starts without one, and windows are waited for."""
    trial = run(scenario, seed)
    at_once = scenario.safety.replace_partial_dose == "at_once"
    for cohort in trial.cohorts:
        rolling = trial.rolling and cohort["purpose"] == "escalation"
        here = [row for row in patients(trial) if row["cohort"] == cohort["cohort"]]
        for row in here:
            less = row["non_evaluable_reason"] == "less than the full dose"
            if less and scenario.safety.replace_non_evaluable:
                free = row["infusion_day"] if at_once and not rolling else row["outcome_day"]
                assert row["place_free_day"] == free
            if row["outcome"] in ("DLT", "pending") and row["place_free_day"] is not None:
                assert at_once
                assert not rolling
                assert row["place_free_day"] == row["infusion_day"]
            if not rolling:
                taken = sum(has_place(other, row["treatment_start_day"]) for other in here if other is not row)
                assert taken < cohort["places"]
        if cohort["data_cut_day"] is not None and cohort["purpose"] == "escalation":
            forced = [row["forced"] for row in trial.decisions if row["cohort"] == cohort["cohort"]]
            if not rolling and "yes" not in forced and trial.decisions["action"][-1:] != ["stop"]:
                assert all((row["outcome_day"] or 0) <= cohort["data_cut_day"] for row in here)


def has_place(row: dict[str, object], day: int) -> bool:
    """Return whether a patient who started by a day, enrolled or not on that very day, surely has a place on it."""
    if not row["treatment_start_day"] < day:
        return False
    free, dlt = row["place_free_day"], row["outcome"] == "DLT" and row["outcome_day"] < day
    return free is None or free > day or dlt


@EXAMPLES
@given(any_rule(), st.integers(0, 1000))
def test_who_gets_the_full_dose_frees_no_place_at_once(scenario: Scenario, seed: int) -> None:
    """Without partial doses, and wherever a rolling rule gives the places, the two protocols are one."""
    gives_places_itself = rule_for(scenario).rolling and scenario.safety.when_rule_finished == "stop"
    full = {} if gives_places_itself else {"attrition.partial_dose_probability": 0.0, "what_if": []}
    plain = scenario.replace({"safety.replace_non_evaluable": True, **full})
    one, other = (
        run(plain.replace({"safety.replace_partial_dose": when}), seed) for when in ("after_window", "at_once")
    )
    for name in ("events", "patients", "cohorts", "decisions"):
        assert list(getattr(one, name)) == list(getattr(other, name))


@EXAMPLES
@given(any_rule(), st.integers(0, 1000))
def test_everybody_is_accounted_for(scenario: Scenario, seed: int) -> None:
    """Treated = evaluable + non-evaluable + pending at every event; every candidate ends in one state."""
    trial = run(scenario, seed)
    assert set(trial.patients["state"]) <= set(STATES)
    assert set(trial.patients["outcome"]) <= {*OUTCOMES, None}
    assert set(trial.events["event"]) <= set(EVENT_WORDS)
    treated: set[int] = set()
    settled: dict[int, str] = {}
    gone: set[int] = set()
    for row in trial.events:
        who, event = row["patient"], row["event"]
        assert who is None or who not in gone
        if event == "infusion":
            treated.add(who)
        elif event in ("DLT", "window completed") or (event == "drop-out" and who not in settled):
            assert who in treated
            assert who not in settled
            settled[who] = event
        if event in ("drop-out", "follow-up completed", "not infused"):
            gone.add(who)
    for row in patients(trial):
        who = row["patient"]
        assert (who in treated) == (row["outcome"] is not None)
        assert (row["outcome"] == "DLT") == (settled.get(who) == "DLT")
        assert (row["outcome"] == "pending") == (who in treated and who not in settled)
        assert (row["outcome"] == "no DLT") <= (settled.get(who) == "window completed")
    assert len(patients(trial)) == sum(trial.cohorts["enrolled"])
    for cohort in trial.cohorts:
        assert cohort["infused"] == cohort["evaluable"] + cohort["non_evaluable"] + cohort["pending"]
        assert cohort["enrolled"] - cohort["infused"] >= cohort["not_infused"]
    letters = "".join(c for c in trial.dose_path if c in "NTXP")
    counts = Counter(row["outcome"] for row in patients(trial))
    names = {"N": "no DLT", "T": "DLT", "X": "non-evaluable", "P": "pending"}
    assert Counter(letters) == Counter({letter: counts[name] for letter, name in names.items() if counts[name]})


@EXAMPLES
@given(any_rule(), st.integers(0, 1000))
def test_every_trial_ends_with_a_reason(scenario: Scenario, seed: int) -> None:
    """The reason is known, waits add up to the duration, and dates follow from days."""
    trial = run(scenario, seed)
    assert trial.stop_reason in REASONS
    if trial.stop_reason in WITH_DOSE:
        assert trial.recommended is not None or trial.rolling
    no_answer = trial.stop_reason == TIME_IS_UP and not rule_for(scenario).has_answer_at_cap
    if trial.stop_reason in WITHOUT_DOSE or no_answer:
        assert trial.recommended is None
    if trial.recommended is not None:
        assert trial.recommended in trial.cohorts["level"] or "T" in trial.dose_path
    assert 0 <= trial.duration_days <= scenario.trial.max_days
    parts = waits(trial)
    assert sum(parts.values()) == trial.duration_days
    assert min(parts.values()) >= 0
    days = trial.events["day"]
    assert days == sorted(days)
    assert days[-1] == trial.duration_days
    for row in trial.events:
        assert row["date"] == trial.date_of(row["day"]).isoformat()
    for table in (trial.events, trial.patients, trial.cohorts, trial.decisions):
        for column in table.columns:
            if column.empty == "never":
                assert None not in table[column.name], column.name


@EXAMPLES
@given(any_rule(), st.integers(0, 1000))
def test_what_ends_without_the_rule_recommends_on_complete_data(scenario: Scenario, seed: int) -> None:
    """Whatever was outstanding at the stop, the recommendation is the one that the final counts give.

    When the time is up, pending patients count for nothing. Whatever levels decisions have announced as eliminated
    stay so; and a stopping rule allows no dose.
    """
    trial = run(scenario, seed)
    rule = rule_for(scenario)
    if trial.stop_reason not in {CAP_REACHED, TIME_IS_UP, *protocol.ENDS} or not rule.has_answer_at_cap:
        return
    treated_to_escalate = [
        row for row in patients(trial) if trial.cohorts["purpose"][row["cohort"] - 1] == "escalation"
    ]
    if scenario.rule.name == "TITE-CRM" and any(row["outcome"] == "non-evaluable" for row in treated_to_escalate):
        return  # the lost may keep a weight
    n, y = [0] * scenario.levels, [0] * scenario.levels
    for row in treated_to_escalate:
        assert row["outcome"] != "pending" or trial.stop_reason == TIME_IS_UP
        n[row["level"] - 1] += row["outcome"] in {"no DLT", "DLT"}
        y[row["level"] - 1] += row["outcome"] == "DLT"
    announced = min(trial.decisions["open_levels"], default=scenario.levels) if rule.eliminates else scenario.levels
    final = DataCut.of(0, n, y, open_levels=announced)
    best = int(rule.recommend(final)[()])
    if trial.stop_reason == TIME_IS_UP and protocol.ProtocolRule(scenario).is_too_toxic(final):
        best = NO_LEVEL
    assert (NO_LEVEL if trial.recommended is None else trial.recommended - 1) == best


def eager(scenario: Scenario) -> Scenario:
    """Return the scenario with decisions as early, and levels eliminated as soon, as can be."""
    rule = {"rule.elimination_cutoff": 0.8, "rule.target": 0.2} if hasattr(scenario.rule, "elimination_cutoff") else {}
    return scenario.replace({"safety.early_decision": True, **rule})


@settings(EXAMPLES, max_examples=400)
@given(any_rule().filter(lambda scenario: rule_for(scenario).eliminates).map(eager), st.integers(0, 1000))
def test_what_is_eliminated_is_never_given_again(scenario: Scenario, seed: int) -> None:
    """Once a decision says so: no later decision opens it, no later cohort, no later patient, and no recommendation."""
    trial = run(scenario, seed)
    left = trial.decisions["open_levels"]
    assert list(left) == sorted(left, reverse=True)
    for decision in trial.decisions:
        if decision["reason"] == counts.ELIMINATED:
            assert decision["open_levels"] == decision["next_level"]
        highest, day = decision["open_levels"], decision["committee_day"]
        assert all(c["level"] <= highest for c in trial.cohorts if c["cohort"] > decision["cohort"])
        after = [row for row in patients(trial) if (row["infusion_day"] or 0) > day]
        assert all(row["level"] <= highest for row in after)
        assert (trial.recommended or 0) <= highest


def patient_world(scenario: Scenario) -> Scenario:
    """Return the scenario with whole cohorts and expansions observed, nobody lost to waiting, and no trial cut off.

    Nor are the committee's dates listed, which end some day, nor is a place free at once: whether a DLT comes before
    somebody else has it depends on the calendar.
    """
    expands = scenario.safety.when_rule_finished == "expand"
    return scenario.replace(
        {
            "accrual": {"kind": "poisson", "consents_per_month": 20.0},
            "safety.early_decision": False,
            "stopping.expansion_too_toxic_probability": 1.0 if expands else None,
            "safety.dlt_after_lymphodepletion": "infuse",
            "screening": {},
            "trial.max_days": 90_000,
            "attrition.not_infused_probability": min(scenario.attrition.not_infused_probability, 0.5),
            "attrition.partial_dose_probability": min(scenario.attrition.partial_dose_probability, 0.5),
            "attrition.drop_out_per_year": min(scenario.attrition.drop_out_per_year, 0.5),
            "what_if": [],
            "safety.replace_partial_dose": "after_window",
            "safety.meeting_dates": [],
        }
    )


@settings(EXAMPLES, max_examples=60)
@given(any_rule(rolling=False), st.integers(0, 1000), st.floats(1.2, 10.0))
def test_slower_accrual_leaves_the_dose_path_and_never_shortens(scenario: Scenario, seed: int, slower: float) -> None:
    plain = patient_world(scenario)
    fast, slow = run(plain, seed), run(plain.replace({"accrual.consents_per_month": 20.0 / slower}), seed)
    assert fast.dose_path == slow.dose_path
    assert fast.stop_reason == slow.stop_reason
    assert fast.duration_days <= slow.duration_days


@settings(EXAMPLES, max_examples=60)
@given(any_rule(rolling=False), st.integers(0, 1000), st.integers(0, 30), st.integers(0, 30))
def test_stagger_and_review_leave_the_dose_path(scenario: Scenario, seed: int, stagger: int, review: int) -> None:
    plain = patient_world(scenario)
    changes = {"safety.sentinel_stagger_days": stagger, "safety.stagger_days": 0, "safety.review_delay_days": review}
    other = plain.replace(changes)
    assert run(plain, seed).dose_path == run(other, seed).dose_path
    for k in range(2):
        later = other.replace({"safety.review_delay_days": review + k})
        assert run(later, seed).stop_reason == run(plain, seed).stop_reason


# Extremes


def extreme(base: Scenario, **changes: object) -> Trial:
    return simulate_trial(base.replace({key.replace("__", "."): value for key, value in changes.items()}), seed=1)


CERTAIN = {"attrition": {}, "screening.failure_probability": {}}


def test_no_toxicity_recommends_the_top_dose(base: Scenario) -> None:
    trial = extreme(base.replace(CERTAIN), toxicity__dlt_probability=[0.0, 0.0])
    assert (trial.dose_path, trial.recommended) == ("1NNN 2NNN 2NNN", 2)


def test_certain_toxicity_recommends_no_dose_after_one_cohort(base: Scenario) -> None:
    trial = extreme(base.replace(CERTAIN), toxicity__dlt_probability=[1.0, 1.0], safety__early_decision=False)
    assert (trial.dose_path, trial.recommended, trial.stop_reason) == ("1TTT", None, three_plus_three.TOO_TOXIC)


@pytest.mark.parametrize(
    "changes",
    [
        {"accrual__consents_per_month": 0.0},
        {"accrual": {"kind": "fixed", "consent_days": []}},
        {"screening__failure_probability": {"everybody": 1.0}},
        {"attrition__not_infused_probability": 1.0},
        {"attrition__drop_out_per_year": 1.0},
        {"attrition__partial_dose_probability": 1.0},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_trial_that_cannot_end_is_ended(base: Scenario, changes: dict[str, object]) -> None:
    trial = extreme(base, toxicity__dlt_probability=[0.0, 0.0], **changes)
    assert (trial.stop_reason, trial.duration_days, trial.recommended) == (TIME_IS_UP, 3650, None)


def test_cohorts_of_one(base: Scenario) -> None:
    trial = extreme(base.replace(CERTAIN), safety__cohort_size=1, toxicity__dlt_probability=[0.0, 0.0])
    assert trial.dose_path == "1N 1N 1N 2N 2N 2N 2N 2N 2N"
    assert trial.recommended == 2


def test_everybody_at_once(every_day: Scenario) -> None:
    """Consents so fast that nobody is ever waited for: the time is stagger, lead, windows, committee, follow-up."""
    trial = extreme(
        every_day.replace(CERTAIN),
        accrual__consents_per_month=3000.0,
        accrual__patience_days=None,
        screening__days=0,
        toxicity__dlt_probability=[0.0, 0.0],
    )
    assert waits(trial) == {
        "patients": 0,
        "stagger": 3 * 14,
        "lymphodepletion": 3 * 3,
        "DLT windows": 3 * 28,
        "committee": 3 * 7,
        "follow-up": 180 - 28 - 7,
    }
