"""Places that candidates hold from consent on: logs written down by hand, and what holding a place must not change."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

import escalate as esc
from escalate import Scenario, ScenarioError, simulate_trial, story
from escalate.words.records import Trial
from small import small
from strategies import scenarios
from test_hand_computed import details, expected, log_of

HELD: dict[str, Any] = {
    "treatment__place_reserved": "at_consent",
    "screening__while_closed": "list",
    "screening__days": 2,
    "safety__dlt_window_days": 7,
    "follow_up__days": 7,
}


def rolling(name: str = "rolling six", **changes: Any) -> Scenario:
    """Return a small scenario of a rolling rule in which places are reserved at consent."""
    return small(rule={"name": name}, **(HELD | changes))


def told(trial: Trial) -> list[tuple[Any, ...]]:
    """What the rule was told at each data cut, and what it said."""
    names = ("data_cut_day", "evaluable", "pending", "lymphodepleted", "places_reserved", "action")
    return list(zip(*(trial.decisions[name] for name in names), strict=True))


THREE_CONSENT = """
    0 cohort opened k1@{level}
    0 referred c1
    0 referred c2
    0 referred c3
    0 consent c1
    0 candidate to consent k1@{level}
    0 decision k1@{level}
    0 consent c2
    0 candidate to consent k1@{level}
    0 decision k1@{level}
    0 consent c3
    2 eligible c1
    2 eligible c2
    2 eligible c3"""


def test_a_level_that_is_left_lets_go_of_its_places() -> None:
    """The table says: 3 of 4 known, no DLT: escalate. Candidate 4, in screening, is treated at the new level.

    Candidate 5 cannot consent before 4, who has no reserved place any more, has taken the one place of the new cohort.
    """
    trial = simulate_trial(rolling("IQ rolling six", accrual__consent_days=[0, 0, 0, 8, 9], trial__max_days=14))
    assert log_of(trial) == expected(f"""{THREE_CONSENT.format(level=1)}
        2 infusion p1
        2 infusion p2
        2 infusion p3
        8 referred c4
        8 candidate to consent k1@1
        8 decision k1@1
        8 consent c4
        9 window completed p1
        9 follow-up completed p1
        9 window completed p2
        9 follow-up completed p2
        9 window completed p3
        9 follow-up completed p3
        9 nothing outstanding k1@1
        9 decision k1@2
        9 cohort opened k2@2
        9 referred c5
        9 waits c5
        10 eligible c4
        10 infusion p4
        11 candidate to consent k2@2
        11 decision k2@2
        11 consent c5
        13 eligible c5
        13 infusion p5
        14 trial ended
    """)
    assert told(trial) == [
        (0, 0, 0, 0, 1, "stay"),
        (0, 0, 0, 0, 2, "stay"),
        (8, 0, 3, 0, 0, "stay"),
        (9, 3, 0, 0, 1, "escalate"),
        (11, 0, 1, 0, 0, "stay"),
    ]
    words = " ".join(story(trial).split())
    assert "Candidate 4 consents; a place of cohort 1 is reserved, and screening begins." in words
    assert "0 DLT in 3 patients at this level, 0 pending, 1 place reserved" in words


def test_a_screen_failure_gives_back_the_place_while_accrual_is_suspended() -> None:
    """Six hold places on day 0; for a seventh rolling six suspends. Candidate 6 fails on day 2: 7 consents.

    On day 2 five start, though accrual was suspended until then, and the rule is told of five places reserved.
    """
    sites = [
        {"name": "a", "consent_days": [0, 0, 0, 0, 0, 1]},
        {"name": "b", "consent_days": [0], "failure_probability": {"blood": 1.0}},
    ]
    accrual = {"kind": "by_site", "without_place": "wait"}
    trial = simulate_trial(rolling(accrual=accrual, sites=sites, trial__max_days=9))
    log = log_of(trial)
    assert [line for line in log if line.startswith("1 ")] == expected("""
        1 referred c7
        1 candidate to consent k1@1
        1 decision k1@1
        1 waits c7
    """)
    assert [line for line in log if line.startswith(("2 ", "4 "))] == expected("""
        2 eligible c1
        2 eligible c2
        2 eligible c3
        2 eligible c4
        2 eligible c5
        2 screen failure c6
        2 candidate to consent k1@1
        2 decision k1@1
        2 consent c7
        2 infusion p1
        2 infusion p2
        2 infusion p3
        2 infusion p4
        2 infusion p5
        4 eligible c7
        4 infusion p6
    """)
    assert told(trial)[-2:] == [(1, 0, 0, 0, 6, "suspend"), (2, 0, 0, 0, 5, "stay")]


def test_who_holds_a_place_starts_while_accrual_is_suspended() -> None:
    """Seven come on day 0, and the sixth place is the last one; all six start on day 2, and 7 consents at the move."""
    trial = simulate_trial(rolling(accrual__consent_days=[0] * 7, trial__max_days=9))
    assert told(trial)[5:] == [(0, 0, 0, 0, 6, "suspend"), (9, 6, 0, 0, 0, "escalate")]
    assert trial.patients["treatment_start_day"] == [2, 2, 2, 2, 2, 2, None]
    assert trial.patients["consent_day"] == [0, 0, 0, 0, 0, 0, 9]


def test_who_holds_a_place_starts_while_the_committee_is_called() -> None:
    """The rule is asked for candidate 2 on day 1, and decides on day 6; candidate 1 starts on day 2."""
    changes: dict[str, Any] = {"accrual__consent_days": [0, 1], "safety__review_delay_days": 5, "trial__max_days": 9}
    assert log_of(simulate_trial(rolling(**changes))) == expected("""
        0 cohort opened k1@1
        0 referred c1
        0 consent c1
        1 referred c2
        1 candidate to consent k1@1
        1 waits c2
        2 eligible c1
        2 infusion p1
        6 decision k1@1
        6 consent c2
        8 eligible c2
        8 infusion p2
        9 window completed p1
        9 follow-up completed p1
        9 trial ended
    """)


def test_nobody_starts_at_a_level_that_must_be_left() -> None:
    """Two DLTs on day 3 force the decision of day 8; candidate 4 has a reserved place, is ready on day 4, and waits.

    The level is left, and the place with it; on day 8 there is one at level 1.
    """
    trial = simulate_trial(
        rolling(
            accrual__consent_days=[0, 0, 0, 2],
            safety__start_level=2,
            safety__early_decision=True,
            safety__review_delay_days=5,
            safety__assignment_delay_days=0,
            what_if=[{"patient": 1, "dlt_day": 1}, {"patient": 2, "dlt_day": 1}],
            trial__max_days=12,
        )
    )
    assert log_of(trial) == expected(f"""{THREE_CONSENT.format(level=2)}
        2 referred c4
        2 candidate to consent k1@2
        2 decision k1@2
        2 consent c4
        2 infusion p1
        2 infusion p2
        2 infusion p3
        3 DLT p1
        3 DLT p2
        3 decision forced k1@2
        4 eligible c4
        4 waits c4
        8 decision k1@1
        8 cohort opened k2@1
        8 infusion p4
        9 follow-up completed p1
        9 follow-up completed p2
        9 window completed p3
        9 follow-up completed p3
        12 trial ended
    """)
    assert told(trial)[2:] == [(2, 0, 0, 0, 3, "stay"), (3, 2, 1, 0, 1, "de-escalate")]


def test_nobody_starts_at_a_level_that_a_cohort_rule_must_leave() -> None:
    """Which nobody asks again: two DLTs in a 3+3 cohort force the decision, while the third has a reserved place."""
    two_dlts = [{"patient": 1, "dlt_day": 1}, {"patient": 2, "dlt_day": 1}]
    scenario = small(**(HELD | {"safety__review_delay_days": 5}), accrual__consent_days=[0, 0, 2], what_if=two_dlts)
    assert log_of(simulate_trial(scenario)) == expected("""
        0 cohort opened k1@1
        0 referred c1
        0 referred c2
        0 consent c1
        0 consent c2
        2 eligible c1
        2 eligible c2
        2 referred c3
        2 consent c3
        2 infusion p1
        2 infusion p2
        3 DLT p1
        3 DLT p2
        3 decision forced k1@1
        4 eligible c3
        4 waits c3
        8 decision k1@none
        8 enrolment closed
        8 turned away c3
        9 follow-up completed p1
        9 follow-up completed p2
        9 trial ended
    """)


TWO_DLTS_AT_LEVEL_2: dict[str, Any] = {
    "safety__start_level": 2,
    "safety__early_decision": False,
    "what_if": [{"patient": 1, "dlt_day": 1}, {"patient": 2, "dlt_day": 1}],
    "trial__max_days": 12,
}


def on_days(trial: Trial, *days: int) -> list[str]:
    """The log of some days."""
    return [line for line in log_of(trial) if int(line.split()[0]) in days]


def test_a_rule_that_would_leave_the_level_is_asked_before_somebody_starts() -> None:
    """No decision comes early. On day 3 there are two DLTs; on day 4 candidate 4 is ready, and treated at level 1."""
    trial = simulate_trial(rolling(accrual__consent_days=[0, 0, 0, 2], **TWO_DLTS_AT_LEVEL_2))
    assert on_days(trial, 3, 4) == expected("""
        3 DLT p1
        3 DLT p2
        4 eligible c4
        4 candidate ready k1@2
        4 decision k1@1
        4 cohort opened k2@1
        4 infusion p4
    """)
    assert told(trial)[3] == (4, 2, 1, 0, 1, "de-escalate")
    assert [row["detail"] for row in trial.events if "let go" in (row["detail"] or "")] == [
        "de-escalate: at least 2 DLTs: this level exceeds the MTD; 1 reserved place let go"
    ]


def test_nobody_starts_at_a_level_that_the_rule_would_leave_while_the_committee_is_called() -> None:
    """It is called on day 3, for candidate 5, and goes down on day 8; candidate 4 is ready on day 4, and waits."""
    trial = simulate_trial(
        rolling(
            accrual__consent_days=[0, 0, 0, 2, 3],
            safety__review_delay_days=5,
            safety__assignment_delay_days=0,
            **TWO_DLTS_AT_LEVEL_2,
        )
    )
    assert on_days(trial, 3, 4, 8, 9) == expected("""
        3 DLT p1
        3 DLT p2
        3 referred c5
        3 candidate to consent k1@2
        3 waits c5
        4 eligible c4
        4 waits c4
        8 decision k1@1
        8 cohort opened k2@1
        8 infusion p4
        9 follow-up completed p1
        9 follow-up completed p2
        9 window completed p3
        9 follow-up completed p3
        9 candidate to consent k2@1
        9 decision k2@1
        9 consent c5
    """)
    assert details(trial, "waits")[4] == "a decision is outstanding"


def test_a_suspension_that_closes_the_level_lets_go_of_its_places() -> None:
    """Two DLTs at level 2, where candidate 9 has a reserved place; one of six at level 1 is pending: back, and wait.

    Candidate 9 is ready the day after, and starts nowhere; on day 14 level 1 is the MTD.
    """
    trial = simulate_trial(
        rolling(
            accrual__consent_days=[0, 0, 0, 0, 0, 5, 9, 9, 11],
            safety__early_decision=True,
            what_if=[{"patient": 7, "dlt_day": 1}, {"patient": 8, "dlt_day": 1}],
            trial__max_days=20,
        )
    )
    assert on_days(trial, 11, 12, 13, 14) == expected("""
        11 eligible c7
        11 eligible c8
        11 referred c9
        11 candidate to consent k2@2
        11 decision k2@2
        11 consent c9
        11 infusion p7
        11 infusion p8
        12 DLT p7
        12 DLT p8
        12 decision forced k2@2
        12 decision k2@1
        13 eligible c9
        13 waits c9
        14 window completed p6
        14 follow-up completed p6
        14 nothing outstanding k2@2
        14 decision k2@1
        14 enrolment closed
        14 turned away c9
    """)
    assert told(trial)[-2:] == [(12, 2, 0, 0, 1, "suspend"), (14, 2, 0, 0, 0, "stop")]


def test_a_place_that_is_held_waits_for_its_gate_where_nobody_waits() -> None:
    """Whoever finds no place is lost; but who has one, and is ready in the stagger, is not."""
    trial = simulate_trial(
        small(
            **HELD | {"screening__while_closed": "waits"},
            accrual__consent_days=[0, 0, 0, 0],
            accrual__without_place="lost",
            safety__sentinel_stagger_days=5,
            trial__max_days=13,
        )
    )
    assert trial.patients["state"] == ["completed", "cut off", "cut off", "not consented"]
    assert trial.patients["treatment_start_day"] == [2, 7, 7, None]


@settings(max_examples=20, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(scenarios(everything=True, reviews=True, sites=True))
def test_with_a_cohort_rule_a_reserved_place_is_one_candidate_for_each_place(scenario: Scenario) -> None:
    """The cohort stays as long as a place is reserved, so that to have it is to be the only one screened for it.

    Not where a partial dose frees a place at once: a DLT later on may take it back, from somebody in screening.
    """
    assume(scenario.rule.name in ("3+3", "BOIN"))
    held = scenario.replace(
        {
            "treatment.place_reserved": "at_consent",
            "treatment.notice_days": 0,
            "screening.while_closed": "list",
            "screening.candidates_per_place": None,
            "accrual.without_place": "wait",
            "accrual.most_waiting": None,
            "accrual.patience_days": 30,
            "safety.replace_partial_dose": "after_window",
        }
    )
    alone = held.replace({"treatment.place_reserved": "at_start", "screening.candidates_per_place": 1})
    for replicate in range(2):
        assert what_happened(held, replicate) == what_happened(alone, replicate)


def what_happened(scenario: Scenario, replicate: int) -> list[tuple[Any, ...]]:
    """Return the events of each day, in an order of their own."""
    names = "day", "event", "candidate", "patient", "cohort", "level"
    trial = simulate_trial(scenario, replicate=replicate)
    return sorted(tuple(-1 if row[name] is None else row[name] for name in names) for row in trial.events)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"screening__while_closed": "goes_on"}, "needs candidates who consent for a place"),
        ({"screening__candidates_per_place": 1}, "each place has one candidate; leave it out"),
        ({"treatment__notice_days": 3}, "the place is known from consent on; leave one of the two out"),
    ],
)
def test_what_goes_with_it(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ScenarioError, match=says) as found:
        rolling(accrual__consent_days=[0], **changes)
    assert len(found.value.problems) == 1


def test_both_engines_tell_of_places_reserved() -> None:
    """The kernel's days and states are those of the records, where the same candidates come to both settings."""
    scenario = rolling(
        "IQ rolling six",
        accrual={"kind": "poisson", "consents_per_month": 6.0},
        screening__days=14,
        screening__failure_probability={"blood": 0.3},
    )
    found = esc.simulate(scenario, trials=20)
    ends = [simulate_trial(scenario, replicate=k).duration_days for k in range(20)]
    assert found.duration_days.tolist() == ends
