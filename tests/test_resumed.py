"""A trial goes on from its log as if it had not been stopped; what the log says stands, whatever the protocol says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from escalate.committee.remembered import committee_of
from escalate.errors import LogContradictsError
from escalate.nature.draws import Nature
from escalate.nature.given import Given
from escalate.scenario.model import Scenario
from escalate.tracking.cut import log_of
from escalate.trial.conduct import Conduct
from escalate.trial.resumed import UNLIKE_THE_RULE, Resumed
from escalate.trial.standing import standing_at
from escalate.words.log import Log, LoggedMeeting, LoggedPatient
from escalate.words.records import Action, Trial
from escalate.words.standing import LevelCounts, StandingCandidate, StandingCohort, StandingPatient
from small import START, lymphodepletion, small
from strategies import any_rule, cohorts_awaited, plain_scenarios, scenarios

DRAWN = {
    "every key": scenarios(everything=True, reviews=True),
    "every rule": any_rule(reviews=True),
    "sites": scenarios(everything=True, reviews=True, sites=True),
    "plain": plain_scenarios(),
    "awaited": cohorts_awaited(),
}
ATTEMPTS = ("manufacture failed", "out of specification")
"""What an attempt came to that gave no product: a log does not say which."""

UNKNOWN = ("body_surface_area_m2", "fludarabine_mg", "cyclophosphamide_mg")
"""What a log does not say of its patients."""


def whole(scenario: Scenario, replicate: int) -> Trial:
    return Conduct(scenario, committee_of(scenario), Nature(scenario, 1, replicate, 1), replicate).run()


def resumed(scenario: Scenario, log: Log, replicate: int = 0) -> Trial:
    return Resumed(committee_of(scenario), Given(scenario, 1, replicate, 1, log), replicate).run()


def records(trial: Trial) -> dict[str, list[Any]]:
    """Return all records of a trial, but for what a log does not say of its patients."""
    tables = (trial.events, trial.patients, trial.cohorts, trial.decisions)
    found = {f"{table.name}, {name}": table[name] for table in tables for name in table.names if name not in UNKNOWN}
    return found | {"path": [trial.dose_path], "end": [trial.recommended, trial.stop_reason, trial.duration_days]}


def events_up_to(trial: Trial, day: int) -> list[tuple[Any, ...]]:
    return [
        tuple("an attempt failed" if cell in ATTEMPTS else cell for cell in row)
        for row in trial.events.rows
        if row[0] <= day
    ]


def draws_what_no_log_says(scenario: Scenario) -> bool:
    """Return whether another trial with the same log can differ: how many attempts a day had, which batches failed."""
    store, own = scenario.store, scenario.autologous
    return (store is not None and store.batch_failure_probability > 0) or (
        own is not None and own.manufacture_days == 0
    )


def compare(kind: str, examples: int, number: int, trials: int = 2) -> None:
    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(DRAWN[kind], st.data())
    def goes_on(scenario: Scenario, data: st.DataObject) -> None:
        for replicate in range(trials):
            truth = whole(scenario, replicate)
            day = data.draw(st.integers(0, truth.duration_days))
            log = log_of(truth, day)
            found, expected = records(resumed(scenario, log, replicate)), records(truth)
            assert found.keys() == expected.keys()
            assert not {name: (found[name], expected[name]) for name in found if found[name] != expected[name]}
            if draws_what_no_log_says(scenario):
                continue
            other = Resumed(committee_of(scenario), Given(scenario, 1, replicate + 7, 1, log), replicate + 7)
            stopped = Conduct(scenario, committee_of(scenario), Nature(scenario, 1, replicate, 1), replicate)
            assert standing_at(other, day) == standing_at(stopped, day)
            assert events_up_to(other.run(), day) == events_up_to(truth, day)
            assert records(stopped.run()) == expected

    goes_on()


@pytest.mark.parametrize("kind", DRAWN)
def test_a_trial_goes_on_as_if_it_had_not_been_stopped(kind: str) -> None:
    compare(kind, 25, 1)


@pytest.mark.long
@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("number", range(10, 14))
def test_a_trial_goes_on_as_if_it_had_not_been_stopped_long(kind: str, number: int) -> None:
    compare(kind, 500, number)


def test_an_empty_log_is_no_past() -> None:
    scenario = small(accrual={"kind": "poisson", "consents_per_month": 3.0}, toxicity__dlt_probability=[0.2, 0.4])
    log = Log(start_date=START, as_of_day=-1)
    for replicate in range(3):
        assert resumed(scenario, log, replicate).events.rows == whole(scenario, replicate).events.rows


# What the protocol did not want: facts are taken as they are

SCENARIO: dict[str, Any] = {
    "treatment__lymphodepletion": lymphodepletion(3),
    "safety__sentinel_stagger_days": 7,
    "safety__review_delay_days": 7,
    "accrual": {"kind": "poisson", "consents_per_month": 10.0, "patience_days": 30},
    "trial__max_days": 900,
}


def patient(number: int, start_day: int, **more: Any) -> LoggedPatient:
    """Return a patient who was eligible and started treatment on one day, and was infused three days later."""
    given = {"candidate": number, "patient": number, "level": 0, "start_day": start_day, "ready_day": start_day}
    known = {"consent_day": start_day, "screening_end_day": start_day, "infusion_days": (start_day + 3,)}
    return LoggedPatient(**(given | known | more))


def goes_on_from(as_of_day: int, patients: list[LoggedPatient], *meetings: LoggedMeeting, **changes: Any) -> Trial:
    log = Log(start_date=START, as_of_day=as_of_day, patients=tuple(patients), meetings=meetings)
    return resumed(small(**(SCENARIO | changes)), log)


def days_of(trial: Trial, event: str) -> list[int]:
    return [day for day, said in zip(trial.events["day"], trial.events["event"], strict=True) if said == event]


def test_a_stagger_that_was_not_kept_moves_no_date() -> None:
    trial = goes_on_from(20, [patient(1, 5), patient(2, 6)])
    assert trial.patients["infusion_day"][:2] == [8, 9]
    assert trial.patients["treatment_start_day"][:2] == [5, 6]


def test_an_infusion_that_was_late_is_on_its_day() -> None:
    trial = goes_on_from(20, [patient(1, 5, infusion_days=(11,))])
    assert (trial.patients["infusion_day"][0], trial.patients["window_end_day"][0]) == (11, 39)


def test_results_of_screening_are_given_when_the_log_says() -> None:
    """After 14 days by the protocol; one was early, one late, and one is late still."""
    known = [
        LoggedPatient(candidate=1, consent_day=1, screening_end_day=9, ready_day=9),
        LoggedPatient(candidate=2, consent_day=2, screening_end_day=20, ready_day=20),
        LoggedPatient(candidate=3, consent_day=3),
    ]
    trial = goes_on_from(30, known, screening__days=14)
    assert trial.patients["screening_end_day"][:3] == [9, 20, 31]


def test_who_was_infused_although_the_protocol_would_not_was() -> None:
    """The first one's DLT, on day 20, became known after the second one's lymphodepletion."""
    known = [patient(1, 5, dlt="yes", dlt_day=20), patient(2, 19)]
    assert goes_on_from(25, known, safety__dlt_after_lymphodepletion="withhold").patients["infusion_day"][1] == 22
    on_the_way = [known[0], patient(2, 19, infusion_days=())]
    trial = goes_on_from(21, on_the_way, safety__dlt_after_lymphodepletion="withhold")
    assert trial.patients["infusion_day"][1] is None


def test_a_meeting_that_was_early_was_early() -> None:
    """Seven days after the data cut by the protocol."""
    everybody = [patient(number, 10 * number) for number in range(1, 4)]
    decided = LoggedMeeting(data_cut_day=61, committee_day=63, level=0, action=Action.ESCALATE, next_level=1)
    assert goes_on_from(90, everybody, decided).decisions["committee_day"][0] == 63


def test_an_infusion_that_is_overdue_is_to_come() -> None:
    trial = goes_on_from(20, [patient(1, 5, infusion_days=())])
    assert trial.patients["infusion_day"][0] == 21


def test_more_patients_than_places_are_all_treated() -> None:
    """3+3 wants three; four were treated, and the fourth counts."""
    everybody = [patient(number, 10 * number) for number in range(1, 5)]
    cut = LoggedMeeting(data_cut_day=75, level=0)
    trial = goes_on_from(80, everybody, cut)
    assert trial.patients["level"][:4] == [1, 1, 1, 1]
    assert trial.decisions["evaluable"][0] == 4
    assert trial.decisions["committee_day"][0] == 82


def test_a_data_cut_and_a_meeting_are_on_their_own_days() -> None:
    """The third window ends on day 61: the protocol cuts the data then, and meets on day 68."""
    everybody = [patient(number, 10 * number) for number in range(1, 4)]
    decided = LoggedMeeting(data_cut_day=65, committee_day=80, level=0, action=Action.ESCALATE, next_level=1)
    trial = goes_on_from(90, everybody, decided)
    assert (trial.decisions["data_cut_day"][0], trial.decisions["committee_day"][0]) == (65, 80)
    assert trial.decisions["reason"][0] == whole_decision()
    assert trial.cohorts["opened_day"][:2] == [0, 80]


def whole_decision() -> str:
    """Return what the rule says of three patients without a DLT."""
    trial = goes_on_from(
        62, [patient(number, 10 * number) for number in range(1, 4)], LoggedMeeting(data_cut_day=61, level=0)
    )
    assert trial.decisions["action"][0] == "escalate"
    return str(trial.decisions["reason"][0])


def test_a_decision_unlike_the_rule_stands() -> None:
    """Nobody had a DLT, and the committee stays: of its own accord, with two places more."""
    everybody = [patient(number, 10 * number) for number in range(1, 4)]
    stays = LoggedMeeting(data_cut_day=61, committee_day=68, level=0, action=Action.STAY, next_level=0, next_patients=2)
    trial = goes_on_from(70, everybody, stays)
    assert trial.decisions["action"][0] == "stay" and trial.decisions["reason"][0] == UNLIKE_THE_RULE
    assert (trial.cohorts["level"][1], trial.cohorts["places"][1]) == (1, 2)
    named = goes_on_from(70, everybody, replace(stays, reason="cytokines were high"))
    assert named.decisions["reason"][0] == "cytokines were high"


def test_a_meeting_that_is_overdue_is_the_day_after() -> None:
    everybody = [patient(number, 10 * number) for number in range(1, 4)]
    trial = goes_on_from(100, everybody, LoggedMeeting(data_cut_day=61, level=0))
    assert trial.decisions["committee_day"][0] == 101


def test_a_data_cut_that_nobody_made_is_made_the_day_after() -> None:
    trial = goes_on_from(100, [patient(number, 10 * number) for number in range(1, 4)])
    assert (trial.decisions["data_cut_day"][0], trial.decisions["committee_day"][0]) == (101, 108)


def test_nobody_starts_in_the_past_but_who_has() -> None:
    """Two have waited for a free place since day 10; one of them withdrew on day 15, before patience would end."""
    waiting = [
        LoggedPatient(candidate=1, consent_day=10, screening_end_day=10, ready_day=10),
        LoggedPatient(
            candidate=2, consent_day=10, screening_end_day=10, ready_day=10, left_day=15, left_reason="withdrew waiting"
        ),
    ]
    trial = goes_on_from(20, waiting)
    assert (trial.patients["treatment_start_day"][0], trial.patients["state"][1]) == (21, "withdrew waiting")
    assert trial.patients["left_day"][1] == 15


def test_patience_that_should_have_ended_ends_the_day_after_where_no_place_is_free() -> None:
    everybody = [patient(number, 10 * number) for number in range(1, 4)]
    waits = LoggedPatient(candidate=4, consent_day=31, screening_end_day=31, ready_day=31)
    trial = goes_on_from(65, [*everybody, waits], LoggedMeeting(data_cut_day=61, level=0))
    assert (trial.patients["state"][3], trial.patients["left_day"][3]) == ("withdrew waiting", 66)


def test_a_level_that_no_decision_opened_is_told() -> None:
    with pytest.raises(
        LogContradictsError, match=r"candidate 2, 2025-01-21: is treated at level 2, which no decision has"
    ):
        goes_on_from(30, [patient(1, 10), patient(2, 20, level=1)])


def test_who_starts_and_is_not_eligible_is_told() -> None:
    with pytest.raises(
        LogContradictsError, match=r"candidate 1, 2025-01-11: starts treatment and is not eligible by then"
    ):
        goes_on_from(30, [patient(1, 10, consent_day=8, screening_end_day=12)])


def test_who_left_has_left_whatever_the_reason() -> None:
    """On day 20, inside the window: not evaluable, if nobody says why, too."""
    for reason in (None, "dropped out", "moved away"):
        trial = goes_on_from(60, [patient(1, 5, left_day=20, left_reason=reason)])
        assert (trial.patients["outcome"][0], trial.patients["left_day"][0]) == ("non-evaluable", 20)


def test_no_dlt_is_none_although_the_last_visit_was_before_the_end() -> None:
    known = [patient(1, 5, dlt="no", last_seen_day=15)]
    for seed_of in range(20):
        log = Log(start_date=START, as_of_day=60, patients=tuple(known))
        trial = resumed(small(**(SCENARIO | {"toxicity__dlt_probability": [0.9, 0.9]})), log, seed_of)
        assert trial.patients["outcome"][0] == "no DLT"


def test_a_decision_without_a_level_is_that_of_its_action() -> None:
    """The rule would escalate after three without a DLT; the committee stays, and names no level."""
    everybody = [patient(number, 10 * number) for number in range(1, 4)]
    decided = LoggedMeeting(data_cut_day=61, committee_day=68, level=0, action=Action.STAY)
    trial = goes_on_from(70, everybody, decided)
    assert trial.decisions["next_level"][0] == 1 and trial.cohorts["level"][1] == 1


TWICE = LoggedMeeting(data_cut_day=61, level=0)
AT_ODDS: dict[str, tuple[list[LoggedMeeting], dict[str, Any], str]] = {
    "stays one level up": (
        [replace(TWICE, committee_day=68, action=Action.STAY, next_level=1)], {}, "the decision is to stay at level 1",
    ),
    "down from the lowest": (
        [replace(TWICE, committee_day=68, action=Action.DE_ESCALATE)], {}, "the next level is 0",
    ),
    "of another level": ([replace(TWICE, level=1)], {}, "is about level 2, and the cohort at level 1 is open"),
    "two cuts, no decision": (
        [TWICE, replace(TWICE, data_cut_day=70)], {}, "no cohort was open for the data cut of 2025-03-12",
    ),
    "after the end": (
        [replace(TWICE, committee_day=68, action=Action.STOP, next_level=0)],
        {"candidate": 4, "patient": 4, "start_day": 75}, "candidate 4 starts treatment when enrolment has closed",
    ),
    "an override": ([], {"evaluable_override": False}, "evaluable_override"),
    "under adjudication": ([], {"dlt": "under adjudication"}, "a DLT under adjudication"),
}  # fmt: skip


@pytest.mark.parametrize("what", AT_ODDS)
def test_a_log_at_odds_with_itself_is_told(what: str) -> None:
    meetings, more, words = AT_ODDS[what]
    everybody = [patient(number, 10 * number) for number in range(1, 4)]
    if "start_day" in more:
        everybody.append(patient(more["candidate"], more["start_day"]))
    elif more:
        everybody[0] = replace(everybody[0], **more)
    with pytest.raises(LogContradictsError, match=words):
        goes_on_from(90, everybody, *meetings)


# Where a trial stands


def test_where_a_trial_stands_by_hand() -> None:
    """Day 40: one evaluable with a DLT, one seen for 17 days of 28, one on the way, two candidates; nothing is due."""
    known = [
        patient(1, 5, dlt="yes", dlt_day=20),
        patient(2, 20, full_dose=False),
        patient(3, 38, infusion_days=()),
        LoggedPatient(candidate=4, consent_day=33, screening_end_day=33, ready_day=33),
        LoggedPatient(candidate=5, consent_day=39),
    ]
    log = Log(start_date=START, as_of_day=40, patients=tuple(known))
    scenario = small(**(SCENARIO | {"screening__days": 14}))
    found = standing_at(Resumed(committee_of(scenario), Given(scenario, 1, 0, 1, log), 0), 40)
    assert found.as_of.isoformat() == "2025-02-10"
    assert found.levels == (
        LevelCounts(infused=2, evaluable=1, dlts=1, pending=1, non_evaluable=0, on_the_way=1, not_infused=0),
        LevelCounts(infused=0, evaluable=0, dlts=0, pending=0, non_evaluable=0, on_the_way=0, not_infused=0),
    )
    assert found.patients == (
        StandingPatient(
            candidate=2, patient=2, level=0, start_day=20, infusion_day=23, is_infused=True, seen_days=17,
            window_end_day=51, full_dose=False,
        ),
        StandingPatient(
            candidate=3, patient=3, level=0, start_day=38, infusion_day=41, is_infused=False, seen_days=0,
            window_end_day=69, full_dose=True,
        ),
    )  # fmt: skip
    assert found.candidates == (
        StandingCandidate(
            candidate=4, site=0, consent_day=33, ready_day=33, patience_ends_day=63, has_reserved=False
        ),
        StandingCandidate(
            candidate=5, site=0, consent_day=39, ready_day=None, patience_ends_day=None, has_reserved=False
        ),
    )  # fmt: skip
    assert found.cohort == StandingCohort(
        number=1, level=0, purpose="escalation", places=3, free_places=0, is_held=False, data_cut_day=None,
        is_forced=False, decision_day=None,
    )  # fmt: skip
    assert (found.permitted_level, found.open_levels, found.is_closed) == (0, 2, False)


def test_a_decision_that_is_outstanding_stands_with_its_day() -> None:
    """Two DLTs force the decision of day 22: the level is left."""
    known = [patient(1, 5, dlt="yes", dlt_day=20), patient(2, 12, dlt="yes", dlt_day=22)]
    log = Log(
        start_date=START, as_of_day=25, patients=tuple(known), meetings=(LoggedMeeting(data_cut_day=22, level=0),)
    )
    scenario = small(**SCENARIO)
    assert scenario.early_decision
    cohort = standing_at(Resumed(committee_of(scenario), Given(scenario, 1, 0, 1, log), 0), 25).cohort
    assert cohort == StandingCohort(
        number=1, level=0, purpose="escalation", places=3, free_places=0, is_held=False, data_cut_day=22,
        is_forced=True, decision_day=29,
    )  # fmt: skip
