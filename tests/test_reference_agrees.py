"""The engine against the naive reference, trial by trial and date by date, over random scenarios.

Everything that both say is compared, events in their order too, but for ties: of different people within one phase of
one day, the order is free in these phases, and nowhere else:

- outcomes and evening: what is observed of one patient does not depend on what is observed of another that day, and
  the data cut looks at all of it together, in a later phase;
- candidates: what happens to one is written down without what happens to another; who joins the line in which order
  shows in who is enrolled;
- infusions: whether one patient is infused depends on decisions and DLTs of earlier phases alone.

Where lymphodepletion starts the order counts, but for notices: that a place is free which a patient without
lymphodepletion has just given back can be told before or after the next one is infused.

In all of them events of patients stand first, then the closing of enrolment, then events of candidates.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from escalate.scenario import Scenario, load
from escalate.trial.conduct import simulate_trial
from escalate.words.records import Trial
from escalate.words.tables import EVENT_WORDS, STATES, Table
from escalate.words.tables import OUTCOMES as OUTCOME_WORDS
from reference_trial import (
    CANDIDATES,
    ENOUGH,
    EVENING,
    INFUSIONS,
    LEVEL_IS_FULL,
    MOST_PATIENTS,
    OUTCOMES,
    PRECISE,
    TOO_TOXIC_FOR_THE_PROTOCOL,
    reference_trial,
)
from strategies import scenarios

SCENARIOS = Path(__file__).parent.parent / "scenarios"
HEADLINE = ("dose_path", "recommended", "stop_reason", "duration_days")
EVENT_COLUMNS = ("day", "event", "candidate", "patient", "cohort", "level", "site")
CANDIDATE_COLUMNS = (
    "candidate",
    "site",
    "patient",
    "state",
    "consent_day",
    "screening_end_day",
    "waiting_days",
    "cohort",
    "level",
    "treatment_start_day",
    "infusion_day",
    "last_infusion_day",
    "infusions",
    "outcome",
    "outcome_day",
    "left_day",
)
DECISION_COLUMNS = (
    "cohort",
    "level",
    "data_cut_day",
    "committee_day",
    "forced",
    "evaluable",
    "dlts",
    "action",
    "next_level",
    "next_patients",
    "recommended_level",
)
FREE_ORDER = (OUTCOMES, CANDIDATES, INFUSIONS, EVENING)
ACTIONS = ("escalate", "stay", "de-escalate", "suspend", "stop")
ASKED = ("candidate ready", "candidate to consent", "decision")
OF_ATTEMPTS = ("apheresis", "manufacture failed", "out of specification")
Event = tuple[Any, ...]
TOO_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


def records(trial: Trial) -> dict[str, Any]:
    """Return what the engine says in the shape in which the reference says it."""
    told: dict[str, Any] = {name: getattr(trial, name) for name in HEADLINE}
    told["events"] = list(zip(*(cells(trial.events, name) for name in EVENT_COLUMNS), strict=True))
    told["candidates"] = rows(trial.patients, CANDIDATE_COLUMNS)
    told["decisions"] = rows(trial.decisions, DECISION_COLUMNS)
    for row, reason in zip(told["candidates"], trial.patients["not_infused_reason"], strict=True):
        row["not_infused"] = reason is not None
    return told


def rows(table: Table, names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in zip(*(cells(table, name) for name in names), strict=True)]


def cells(table: Table, name: str) -> list[Any]:
    """Return a column; a table of a scenario without sites has none that names them."""
    assert name in table.names or name == "site"
    return table[name] if name in table.names else [None] * len(table)


def assert_agrees(scenario: Scenario, seed: int, replicate: int, seen: set[str]) -> None:
    expected = reference_trial(scenario, seed, replicate)
    got = records(simulate_trial(scenario, seed=seed, replicate=replicate))
    assert got["decisions"] == expected["decisions"]
    assert got["candidates"] == expected["candidates"]
    assert {name: got[name] for name in HEADLINE} == {name: expected[name] for name in HEADLINE}
    assert sorted(got["events"], key=repr) == sorted(expected["events"], key=repr)
    assert_in_order(got["events"], expected["events"], expected["phases"])
    seen.update(event for _, event, *_ in expected["events"])
    seen.update(str(row["state"]) for row in expected["candidates"])
    seen.update(str(row["outcome"]) for row in expected["candidates"])
    seen.update(row["action"] for row in expected["decisions"])
    seen.add(expected["stop_reason"])


def assert_in_order(got: list[Event], expected: list[Event], phases: list[int]) -> None:
    """Compare the order of equal sets of events; see the top of this file for the ties that are free."""
    got, expected = numbered(got), numbered(expected)
    phase_of = dict(zip(expected, phases, strict=True))
    got, expected = ([event for event in events if event[1] != "notice given"] for events in (got, expected))

    def time(event: Event) -> tuple[int, int, int]:
        day, _, candidate, patient, *_ = event
        whose = 0 if patient is not None else 1 if candidate is None else 2
        return day, phase_of[event], whose if phase_of[event] in FREE_ORDER else 0

    def time_and_person(event: Event) -> tuple[int, int, int, int]:
        return *time(event), event[2] or 0 if phase_of[event] in FREE_ORDER else 0

    assert got == sorted(got, key=time)
    assert sorted(got, key=time_and_person) == sorted(expected, key=time_and_person)


def numbered(events: list[Event]) -> list[Event]:
    """Tell equal events apart: a rolling rule can be asked several times on a day, and give the same level.

    A product that is made within a day can fail several times on it.
    """
    count: Counter[Event] = Counter()
    found = []
    for event in events:
        count[event] += 1
        found.append((*event, count[event]))
    assert all(event[1] in (*ASKED, *OF_ATTEMPTS) or event[-1] == 1 for event in found), "an event happened twice"
    return found


def compare(examples: int) -> None:
    seen: set[str] = set()

    @settings(max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=TOO_SLOW)
    @given(scenarios(everything=True, reviews=True, sites=True), st.integers(0, 2**32), st.integers(0, 10_000))
    def agrees(scenario: Scenario, seed: int, replicate: int) -> None:
        assert_agrees(scenario, seed, replicate, seen)

    agrees()
    wanted = {*EVENT_WORDS, *STATES, *OUTCOME_WORDS, "cap reached, inconclusive", "max_days reached"}
    wanted |= {"lowest dose level too toxic", "highest dose level tolerated"}
    wanted |= {"MTD declared: the next dose level exceeds it", "cap reached", LEVEL_IS_FULL, ENOUGH, PRECISE}
    wanted |= {MOST_PATIENTS, TOO_TOXIC_FOR_THE_PROTOCOL, *ACTIONS}
    assert not wanted - seen, "the random scenarios never came to this, so nothing was compared"


def test_engine_agrees_with_the_reference() -> None:
    compare(1_000)


@pytest.mark.long
def test_engine_agrees_with_the_reference_in_many_scenarios() -> None:
    compare(20_000)


EXPANDS = {"safety.when_rule_finished": "expand", "stopping.expansion_too_toxic_probability": 1.0}
THREE_DAYS_BEFORE = {"treatment.lymphodepletion": [{"agent": "fludarabine", "mg_per_m2": 25.0, "days": [-3]}]}
ONE_PATIENT = {"trial.planned_patients": 1, "safety.cohort_size": 1}
TWO_ON_ONE_DAY = {"accrual.consent_days": [0, 0]}
NOT_INFUSED = {"what_if": [{"patient": 1, "infused": False}]}
GONE_IN_THE_EVENING = {"what_if": [{"patient": 1, "drop_out_day": 0}]}
NO_PATIENCE = {"accrual.patience_days": 0}
LOST = {"accrual.without_place": "lost"}
NO_WORK = {"reason": "closed", "what": ["infusion"]}
SECOND_YEAR = {"trial.max_days": 900, "accrual.consent_days": [50, 69, 420, 434, 435]}


def closed(first: str, last: str, **how: Any) -> dict[str, Any]:
    """Return the days of a closure."""
    return {"first_day": date.fromisoformat(first), "last_day": date.fromisoformat(last)} | how


NONE_EARLY = {"safety.early_decision": False}
REVIEWS = {"safety.after_sentinel_dlt": "review", "safety.review_delay_days": 4}

CORNERS: dict[str, tuple[dict[str, Any], ...]] = {
    "a place that is free in the evening is given the next day": (
        ONE_PATIENT,
        THREE_DAYS_BEFORE,
        {"accrual.consent_days": [0, 1]},
        GONE_IN_THE_EVENING,
    ),
    "as before, without lymphodepletion": (ONE_PATIENT, TWO_ON_ONE_DAY, GONE_IN_THE_EVENING),
    "a place refused is given to the next on the same day, before anybody is lost": (
        ONE_PATIENT,
        TWO_ON_ONE_DAY,
        NOT_INFUSED,
        LOST,
    ),
    "as before, before anybody gives up": (ONE_PATIENT, TWO_ON_ONE_DAY, NOT_INFUSED, NO_PATIENCE),
    "as before, and only those wait who got no place": (
        ONE_PATIENT,
        {"accrual.consent_days": [0, 0, 0]},
        NOT_INFUSED,
    ),
    "who was not infused is no sentinel": (
        TWO_ON_ONE_DAY,
        {"safety.sentinel_stagger_days": 7},
        NOT_INFUSED,
        LOST,
    ),
    "several refused in a row, and only then somebody is lost": (
        ONE_PATIENT,
        {"accrual.consent_days": [0, 0, 0, 0, 0]},
        {"what_if": [{"patient": patient, "infused": False} for patient in (1, 2, 3)]},
        LOST,
    ),
    "a place refused after lymphodepletion is free on the same day": (
        ONE_PATIENT,
        THREE_DAYS_BEFORE,
        {"accrual.consent_days": [0, 3]},
        NOT_INFUSED,
        LOST,
    ),
    "every year over the end of February, from a leap year": (
        SECOND_YEAR,
        {"calendar.closed": [NO_WORK | closed("2024-02-20", "2024-03-10", every_year=True)]},
    ),
    "every year over the end of February, to a leap year": (
        {"trial.start_date": date(2023, 1, 1), "trial.max_days": 900, "accrual.consent_days": [50, 433, 434, 435]},
        {"calendar.closed": [NO_WORK | closed("2023-02-20", "2023-03-10", every_year=True)]},
    ),
    "every year to a leap day, which is 28 February": (
        SECOND_YEAR,
        {"calendar.closed": [NO_WORK | closed("2024-02-24", "2024-02-29", every_year=True)]},
        {"accrual.consent_days": [54, 59, 420, 424, 425]},
    ),
    "every year over the turn of the year": (
        {"trial.max_days": 900, "accrual.consent_days": [0, 5, 6, 350, 360, 370, 375]},
        {"calendar.closed": [NO_WORK | closed("2023-12-20", "2024-01-06", every_year=True)]},
    ),
    "closures on each other's heels, and weekdays between them": (
        {"accrual.consent_days": [0, 1, 8, 10], "treatment.weekdays": ["Mon"], "safety.sentinel_stagger_days": 5},
        {
            "calendar.closed": [
                NO_WORK | closed("2024-01-08", "2024-01-09"),
                NO_WORK | closed("2024-01-15", "2024-01-15"),
            ]
        },
    ),
    "weekdays of lymphodepletion, and of later infusions": (
        THREE_DAYS_BEFORE,
        {"treatment.weekdays": ["Mon", "Tue", "Wed"], "treatment.infusion_days": [0, 2]},
        {"treatment.lymphodepletion_weekdays": ["Sat", "Sun"], "treatment.later_infusion_weekdays": ["Wed", "Thu"]},
        {"accrual.consent_days": [0, 6, 7]},
    ),
    "the last Monday of a month with five": (
        {"safety.meeting_weekdays": ["Mon"], "safety.meeting_weeks": [-1], "accrual.consent_days": [0, 0, 0, 8]},
    ),
    "the committee has no date any more": (
        {"safety.meeting_dates": [date(2024, 1, 8), date(2024, 1, 15)], "safety.review_delay_days": 2},
        {"calendar.closed": [closed("2024-01-15", "2024-01-15") | {"what": ["committee"], "reason": "closed"}]},
        {"accrual.consent_days": [0, 0, 0, 8]},
    ),
    "the evening of the last day comes before the end": ({"accrual.consent_days": [60]}, GONE_IN_THE_EVENING),
    "the cap counts those who are on the way to their infusion": (
        THREE_DAYS_BEFORE,
        {"trial.planned_patients": 3, "trial.cap_counts": "infused", "accrual.consent_days": [0, 10, 10, 10]},
        GONE_IN_THE_EVENING,
    ),
    "an expansion is not closed early": (
        {"safety.start_level": 2, "rule.variant": "B"} | EXPANDS,
        {"accrual.consent_days": [0] * 20},
        {"what_if": [{"patient": patient, "dlt_day": 1} for patient in (4, 5)]},
    ),
    "DLT on the last day of the window, and the day after it": (
        {"follow_up.days": 9, "accrual.consent_days": [0, 0, 0]},
        {"what_if": [{"patient": 1, "dlt_day": 7}, {"patient": 2, "dlt_day": 8}]},
    ),
    "drop-out on the last day of the window, and the day before it": (
        {"follow_up.days": 9, "accrual.consent_days": [0, 0, 0]},
        {"what_if": [{"patient": 1, "drop_out_day": 7}, {"patient": 2, "drop_out_day": 6}]},
    ),
    "drop-out on the day of the last infusion": (
        {"treatment.infusion_days": [0, 6], "follow_up.days": 9, "accrual.consent_days": [0, 0]},
        {"what_if": [{"patient": 1, "drop_out_day": 6}]},
    ),
    "the last infusion on the last day of follow-up that is needed": (
        {"treatment.infusion_days": [0, 6], "accrual.consent_days": [0, 0]},
        {"what_if": [{"patient": 1, "dlt_day": 6}]},
    ),
    "two DLTs, with the third patient lymphodepleted": (
        THREE_DAYS_BEFORE,
        {"accrual.consent_days": [0, 0, 4], "safety.review_delay_days": 1},
        {"what_if": [{"patient": patient, "dlt_day": 2} for patient in (1, 2)]},
    ),
    "one DLT, with the third patient lymphodepleted": (
        THREE_DAYS_BEFORE,
        {"accrual.consent_days": [0, 4, 6], "safety.dlt_after_lymphodepletion": "withhold"},
        {"what_if": [{"patient": 1, "dlt_day": 2}]},
    ),
    "a place comes free on the last day of patience, and the day after it": (
        {"accrual.consent_days": [0, 0, 0, 1, 2], "accrual.patience_days": 5},
        {"what_if": [{"patient": 1, "drop_out_day": 6}]},
    ),
    "lymphodepleted when time is up": (THREE_DAYS_BEFORE, {"accrual.consent_days": [58]}),
    "everything on the last day": (ONE_PATIENT, {"accrual.consent_days": [53]}),
    "the window outlasts the trial by a day": (ONE_PATIENT, {"accrual.consent_days": [54]}),
    "the DLT of a sentinel on the evening of its infusion": (
        REVIEWS,
        {"accrual.consent_days": [0, 0, 0], "safety.sentinel_stagger_days": 1, "safety.urgent_review_days": 2},
        {"what_if": [{"patient": 1, "dlt_day": 0}]},
    ),
    "the DLT of a sentinel, and the committee has no date any more": (
        REVIEWS,
        {"accrual.consent_days": [0, 0, 0], "safety.sentinel_stagger_days": 3},
        {"safety.meeting_dates": [date(2024, 1, 2)], "what_if": [{"patient": 1, "dlt_day": 2}]},
    ),
    "the DLT of a second patient, and of the first one of a cohort without a sentinel": (
        REVIEWS,
        NONE_EARLY,
        {"safety.sentinel": "new_level", "safety.stagger_days": 2, "safety.review_delay_days": 5},
        {"accrual.consent_days": [0] * 6},
        {"what_if": [{"patient": 2, "dlt_day": 1}, {"patient": 4, "dlt_day": 1}]},
    ),
    "the infusion is due on the day on which the committee meets on a forced decision": (
        THREE_DAYS_BEFORE,
        {"safety.start_level": 2, "rule.variant": "B", "safety.dlt_after_lymphodepletion": "withhold_if_closed"},
        {"accrual.consent_days": [0, 0, 4, 20], "safety.review_delay_days": 2},
        {"what_if": [{"patient": patient, "dlt_day": 2} for patient in (1, 2)]},
    ),
    "a week from Monday to Sunday, and infusions of one patient in two of them": (
        {"treatment.infusion_days": [0, 3], "accrual.consent_days": [1, 1, 1, 1]},
        {"capacity": {"infusions_per_week": 3}},
    ),
}

ROLLING_SIX = {"rule": {"name": "rolling six"}, "trial.planned_patients": 20}
TITE_BOIN = {"rule": {"name": "TITE-BOIN", "target": 0.25}, "trial.planned_patients": 20}
A_DAY_BEFORE = {"treatment.lymphodepletion": [{"agent": "fludarabine", "mg_per_m2": 25.0, "days": [-1]}]}
SIX_BELOW_AND_ONE_OF_THEM_PENDING = {"accrual.consent_days": [0] * 5 + [4, 8, 8, 9] + [10] * 5}
ASSIGNED_AT_ONCE = {"safety.assignment_delay_days": 0, "safety.review_delay_days": 1}
SIX_BELOW_AND_A_LATE_ONE = {"accrual.consent_days": [0] * 5 + [7, 8, 8, 9] + [10] * 5}
TWO_DLTS_ABOVE = {"what_if": [{"patient": 7, "dlt_day": 0}, {"patient": 8, "dlt_day": 0}]}
THREE_LEVELS = {
    "dose_levels": [{"label": "low"}, {"label": "middle"}, {"label": "high"}],
    "toxicity.dlt_probability": [0.0, 0.0, 0.0],
    "safety.start_level": 2,
}
TWO_DLTS_BELOW = {
    "rule.table": "package",
    "accrual.consent_days": [0, 0, 0, 4, 4, 7, 12],
    "what_if": [{"patient": 4, "dlt_day": 5}, {"patient": 5, "dlt_day": 5}],
}
"""Two of five at the middle level are pending, without a DLT so far, as the next one is treated at the highest."""
ENOUGH_AT_ONCE = {"safety.cohort_size": 1, "stopping": {"enough_at_level": 1, "enough_when": "any_move"}}
AFTER_DLT = {"limits.coherence": "after_dlt"}

ROLLING_CORNERS: dict[str, tuple[dict[str, Any], ...]] = {
    "a candidate is ready on the day of a DLT, and on the evening of one": (
        ROLLING_SIX,
        {"accrual.consent_days": [0, 0, 3, 3, 4]},
        {"what_if": [{"patient": 1, "dlt_day": 3}, {"patient": 3, "dlt_day": 0}]},
    ),
    "places without a meeting at once, and moves with one": (
        ROLLING_SIX,
        ASSIGNED_AT_ONCE,
        {"accrual.consent_days": [0, 1, 2, 3, 12, 13, 14]},
    ),
    "the rule suspends without a meeting, and moves on the day of the decision, which takes one": (
        TITE_BOIN,
        {"safety.start_level": 2, "safety.assignment_delay_days": 3, "safety.review_delay_days": 4},
        {"accrual.consent_days": [0, 0, 0, 1], "what_if": [{"patient": patient, "dlt_day": 4} for patient in (1, 2)]},
    ),
    "a candidate is ready on the day on which a window ends": (TITE_BOIN, {"accrual.consent_days": [0, 0, 1, 7, 8]}),
    "the pending count for the part of their window that was seen: enough to escalate": (
        TITE_BOIN,
        {"accrual.consent_days": [0, 0, 0, 7, 7, 7, 13]},
        {"what_if": [{"patient": 1, "dlt_day": 1}]},
    ),
    "as before, a day earlier: not enough": (
        TITE_BOIN,
        {"accrual.consent_days": [0, 0, 0, 7, 7, 7, 12]},
        {"what_if": [{"patient": 1, "dlt_day": 1}]},
    ),
    "two DLTs with a free place": (
        TITE_BOIN,
        {"safety.start_level": 2, "accrual.consent_days": [0, 0, 3, 3]},
        {"what_if": [{"patient": 1, "dlt_day": 1}, {"patient": 2, "dlt_day": 1}]},
    ),
    "two DLTs with a free place, which may stay free": (
        TITE_BOIN,
        {"safety.start_level": 2, "trial.cap_counts": "infused", "accrual.consent_days": [0, 0, 3, 3]},
        {"what_if": [{"patient": 1, "dlt_day": 1}, {"patient": 2, "dlt_day": 1}]},
    ),
    "two DLTs, with others pending, lymphodepleted and waiting": (
        ROLLING_SIX,
        THREE_DAYS_BEFORE,
        {"safety.start_level": 2, "safety.review_delay_days": 1, "accrual.consent_days": [0, 1, 2, 3, 4, 5, 6]},
        {"what_if": [{"patient": 1, "dlt_day": 2}, {"patient": 2, "dlt_day": 1}]},
    ),
    "suspended on the day on which a window ends": (
        TITE_BOIN,
        {"safety.review_delay_days": 6, "accrual.consent_days": [0, 0, 0, 1, 1]},
    ),
    "suspended on the day before a window ends": (
        TITE_BOIN,
        {"safety.review_delay_days": 5, "accrual.consent_days": [0, 0, 0, 1, 1]},
    ),
    "suspended at once, and a DLT on the same evening": (
        TITE_BOIN,
        {"accrual.consent_days": [0, 0, 0, 0, 0, 1]},
        {"what_if": [{"patient": 2, "dlt_day": 0}]},
    ),
    "suspended at once, and no outcome before candidates come again": (
        TITE_BOIN,
        {"accrual.consent_days": [0, 0, 0, 0, 3, 3, 30]},
    ),
    "outcomes while the committee takes its time": (
        ROLLING_SIX,
        {"safety.review_delay_days": 10, "accrual.consent_days": [0, 1, 2, 3, 4, 30]},
        {"what_if": [{"patient": 1, "dlt_day": 7}]},
    ),
    "several ready on one day, with lymphodepletion": (
        ROLLING_SIX,
        THREE_DAYS_BEFORE,
        {"accrual.consent_days": [0] * 9},
    ),
    "several ready on one day, without lymphodepletion": (ROLLING_SIX, {"accrual.consent_days": [0] * 9}),
    "several ready on one day, and the committee meets on Thursdays": (
        ROLLING_SIX,
        THREE_DAYS_BEFORE,
        {"safety.meeting_weekdays": ["Thu"], "accrual.consent_days": [0] * 5 + [3] * 3},
    ),
    "who finds the committee deciding is lost": (
        ROLLING_SIX,
        LOST,
        {"safety.review_delay_days": 2, "accrual.consent_days": [0, 0, 1, 2, 2, 3]},
    ),
    "who finds a committee that decides at once is not lost, but for the stagger": (
        ROLLING_SIX,
        LOST,
        {"safety.stagger_days": 2, "accrual.consent_days": [0, 0, 1, 2, 2, 3]},
    ),
    "nobody's patience lasts, or there is no room to wait": (
        ROLLING_SIX,
        {"safety.review_delay_days": 2, "accrual.consent_days": [0, 0, 0, 0, 1, 2], "accrual.most_waiting": 2},
        {"accrual.patience_days": 2},
    ),
    "rolling six comes to the cap with windows open": (
        ROLLING_SIX,
        {"trial.planned_patients": 4, "accrual.consent_days": [0, 1, 2, 3, 4, 5]},
    ),
    "TITE-BOIN comes to the cap with windows open, and its last cohort is cut": (
        TITE_BOIN,
        {"trial.planned_patients": 4, "rule.most_pending_share": 1.0, "accrual.consent_days": [0, 1, 2, 3, 4, 5]},
    ),
    "a place comes free at the cap": (
        TITE_BOIN,
        {"trial.planned_patients": 4, "rule.most_pending_share": 1.0, "accrual.consent_days": [0, 1, 2, 3, 4, 5]},
        {"what_if": [{"patient": 2, "drop_out_day": 4}]},
    ),
    "3+3 with its last cohort cut": (
        {"trial.planned_patients": 4, "trial.last_cohort": "partial", "accrual.consent_days": [0] * 8},
    ),
    "candidates are ready on closed days": (
        ROLLING_SIX,
        A_DAY_BEFORE,
        {"calendar.closed": [closed("2024-01-03", "2024-01-05") | {"what": ["lymphodepletion"], "reason": "closed"}]},
        {"treatment.weekdays": ["Tue", "Thu", "Sun"], "accrual.consent_days": [0, 1, 1, 2, 3, 4]},
    ),
    "candidates are ready on days without treatment": (
        ROLLING_SIX,
        A_DAY_BEFORE,
        {"treatment.weekdays": ["Mon", "Wed"], "accrual.consent_days": [0, 1, 1, 2, 3, 4]},
    ),
    "patience ends before a day of treatment": (
        ROLLING_SIX,
        {"treatment.weekdays": ["Mon"], "accrual.consent_days": [0, 1, 2], "accrual.patience_days": 6},
    ),
    "a rolling cohort does not replace who is non-evaluable": (
        TITE_BOIN,
        {"accrual.consent_days": [0, 0, 0, 4, 4, 4, 4]},
        {"what_if": [{"patient": 1, "drop_out_day": 3}, {"patient": 2, "full_dose": False}]},
    ),
    "everybody of a rolling cohort is non-evaluable": (
        TITE_BOIN,
        {"accrual.consent_days": [0, 0, 0, 8, 8]},
        {"what_if": [{"patient": patient, "full_dose": False} for patient in (1, 2, 3)]},
    ),
    "an expansion replaces who is non-evaluable": (
        ROLLING_SIX,
        {"trial.planned_patients": 9, "accrual.consent_days": [0] * 30} | EXPANDS,
        {"what_if": [{"patient": patient, "dlt_day": 1} for patient in (7, 8)] + [{"patient": 10, "drop_out_day": 3}]},
    ),
    "an expansion is closed with patients on the way, and for toxicity alone": (
        THREE_DAYS_BEFORE,
        {"trial.planned_patients": 12, "accrual.consent_days": [0] * 6 + [20] * 3 + [22] * 10} | EXPANDS,
        {"stopping.expansion_too_toxic_probability": 0.6, "stopping.too_toxic_above": 0.3},
        {"what_if": [{"patient": patient, "dlt_day": 1} for patient in (4, 5, 6, 7)]},
    ),
    "who is not infused gives the place back before the rule is asked": (
        ROLLING_SIX,
        {"accrual.consent_days": [0, 0, 1]},
        NOT_INFUSED,
    ),
    "as before, and who is not infused after lymphodepletion": (
        ROLLING_SIX,
        THREE_DAYS_BEFORE,
        {"safety.review_delay_days": 3, "accrual.consent_days": [0, 3, 3]},
        NOT_INFUSED,
    ),
    "the rule stops while somebody is lymphodepleted": (
        ROLLING_SIX,
        THREE_DAYS_BEFORE,
        NONE_EARLY,
        {"safety.review_delay_days": 1, "accrual.consent_days": [0, 0, 0, 0, 5, 5, 5]},
        {"what_if": [{"patient": 1, "dlt_day": 2}, {"patient": 2, "dlt_day": 1}]},
    ),
    "the trial stops as soon as the last place is given": (
        ROLLING_SIX,
        THREE_DAYS_BEFORE,
        {"limits.most_per_level": 2, "accrual.consent_days": [0, 0, 0]},
    ),
    "the same, without lymphodepletion": (
        ROLLING_SIX,
        {"limits.most_per_level": 2, "accrual.consent_days": [0, 0, 0]},
    ),
    "a level with two DLTs above a full one with somebody pending": (
        ROLLING_SIX,
        A_DAY_BEFORE,
        NONE_EARLY,
        SIX_BELOW_AND_ONE_OF_THEM_PENDING,
        TWO_DLTS_ABOVE,
    ),
    "as before, with somebody on the way to the closed level while others wait": (
        ROLLING_SIX,
        A_DAY_BEFORE,
        SIX_BELOW_AND_ONE_OF_THEM_PENDING,
        TWO_DLTS_ABOVE,
    ),
    "accrual is suspended until there is room below: after a forced data cut at a meeting": (
        ROLLING_SIX,
        A_DAY_BEFORE,
        ASSIGNED_AT_ONCE,
        SIX_BELOW_AND_A_LATE_ONE,
        TWO_DLTS_ABOVE,
    ),
    "as before, after any other data cut without one": (
        ROLLING_SIX,
        A_DAY_BEFORE,
        NONE_EARLY,
        ASSIGNED_AT_ONCE,
        SIX_BELOW_AND_A_LATE_ONE,
        TWO_DLTS_ABOVE,
    ),
    "as before, with nobody outstanding at the closed level": (
        ROLLING_SIX,
        A_DAY_BEFORE,
        {"accrual.consent_days": [0] * 5 + [4, 8, 8]},
        TWO_DLTS_ABOVE,
    ),
    "as before, and down to a level with room": (
        ROLLING_SIX,
        A_DAY_BEFORE,
        {"accrual.consent_days": [0, 0, 0, 8, 8, 9, 10, 10, 10, 10]},
        {"what_if": [{"patient": 4, "dlt_day": 0}, {"patient": 5, "dlt_day": 0}]},
    ),
    "suspended for one patient, who is not infused then": (
        ROLLING_SIX,
        THREE_DAYS_BEFORE,
        {"titration": {}, "accrual.consent_days": [0, 0, 0]},
        NOT_INFUSED,
    ),
    "as before, while the committee takes its time": (
        ROLLING_SIX,
        THREE_DAYS_BEFORE,
        {"titration": {}, "safety.review_delay_days": 5, "accrual.consent_days": [0, 0, 0]},
        NOT_INFUSED,
    ),
    "titration ends with a DLT": (
        TITE_BOIN,
        {"titration": {}, "accrual.consent_days": [0, 1, 8, 9, 10, 10, 10, 10, 10]},
        {"what_if": [{"patient": 2, "dlt_day": 2}]},
    ),
    "titration ends with its last level": ({"titration": {"last_level": 1}, "accrual.consent_days": [0] * 9},),
    "titration in cohorts of one": (
        TITE_BOIN,
        {"titration": {}, "safety.cohort_size": 1, "accrual.consent_days": [0, 1, 8, 9, 16, 17, 18]},
    ),
    "the first cohort has more patients than one level may have": (
        {"limits.most_per_level": 2, "accrual.consent_days": [0] * 9},
    ),
    "a level is full with somebody pending": (
        TITE_BOIN,
        {"limits.most_per_level": 4, "rule.most_pending_share": 1.0, "accrual.consent_days": [0, 0, 0, 6, 6, 6]},
        {"what_if": [{"patient": 1, "dlt_day": 5}]},
    ),
    "enough patients at a level, one of them pending": (
        TITE_BOIN,
        {"stopping.enough_at_level": 4, "rule.most_pending_share": 1.0, "accrual.consent_days": [0, 0, 0, 6, 6, 6, 6]},
        {"what_if": [{"patient": 1, "dlt_day": 5}]},
    ),
    "enough patients at a level, one of them on the way, who is infused all the same": (
        TITE_BOIN,
        THREE_DAYS_BEFORE,
        {"stopping.enough_at_level": 3, "stopping.enough_when": "any_move", "accrual.consent_days": [0, 0, 1, 2]},
    ),
    "enough patients at a level to stop on the way down, one of them pending": (
        TITE_BOIN,
        NONE_EARLY,
        {"rule.target": 0.2, "stopping.enough_at_level": 3, "stopping.enough_when": "any_move"},
        {"safety.start_level": 2, "accrual.consent_days": [0, 0, 0, 3]},
        {"what_if": [{"patient": 1, "dlt_day": 1}, {"patient": 2, "dlt_day": 2}]},
    ),
    "as before at the highest level; one leaves after the stop, and the last decision takes a meeting all the same": (
        TITE_BOIN,
        ASSIGNED_AT_ONCE,
        {"stopping.enough_at_level": 3, "stopping.enough_when": "any_move", "safety.start_level": 2},
        {"accrual.consent_days": [0, 0, 0, 1], "what_if": [{"patient": 3, "drop_out_day": 4}]},
    ),
    "enough patients at a level to stop with any move, as accrual would be suspended": (
        TITE_BOIN,
        {"stopping.enough_at_level": 3, "stopping.enough_when": "any_move", "accrual.consent_days": [0, 0, 0, 1]},
    ),
    "two reasons to stop at once: enough patients while staying, and the most patients": (
        {"rule": {"name": "3+3", "variant": "A"}, "accrual.consent_days": [0] * 9},
        {"stopping.enough_at_level": 3, "stopping.most_patients": 4},
    ),
    "two reasons to stop at once: the most patients, and enough if the next cohort stayed, which it does not": (
        {"rule": {"name": "BOIN", "target": 0.25}, "accrual.consent_days": [0] * 9},
        {"stopping.enough_at_level": 3, "stopping.most_patients": 4},
    ),
    "two reasons to stop at once: enough patients, and P(DLT) known precisely": (
        {"rule": {"name": "BOIN", "target": 0.25}, "accrual.consent_days": [0] * 9},
        {"stopping.enough_at_level": 3, "stopping.enough_when": "any_move", "stopping.interval_width": 0.6},
    ),
    "the last outcome comes, and time is up before the committee meets on it": (
        TITE_BOIN,
        ENOUGH_AT_ONCE,
        {"safety.review_delay_days": 5, "accrual.consent_days": [49, 50]},
    ),
    "as before, a day earlier": (
        TITE_BOIN,
        ENOUGH_AT_ONCE,
        {"safety.review_delay_days": 5, "accrual.consent_days": [48, 49]},
    ),
    "the lowest level turns out to be too toxic after the stop": (
        TITE_BOIN,
        {"stopping": {"enough_at_level": 3, "enough_when": "any_move", "too_toxic_probability": 0.8}},
        {"accrual.consent_days": [0, 0, 0, 1, 2]},
        {"what_if": [{"patient": patient, "dlt_day": 5} for patient in (1, 2, 3)]},
    ),
    "a forced stop recommends on what is known, as if nobody were pending": (
        TITE_BOIN,
        THREE_LEVELS,
        {"rule.target": 0.3, "rule.most_pending_share": 1.0, "limits.most_per_level": 1},
        {"safety.start_level": 1, "safety.review_delay_days": 2, "accrual.consent_days": [0, 0, 0]},
        {"what_if": [{"patient": 2, "dlt_day": 3}]},
    ),
    "the level below turns out to be too toxic after an escalation: down by two levels": (
        ROLLING_SIX,
        THREE_LEVELS,
        TWO_DLTS_BELOW,
    ),
    "as before, down by one level at most": (
        ROLLING_SIX,
        THREE_LEVELS,
        TWO_DLTS_BELOW,
        {"limits.no_skipping_down": True},
    ),
    "no escalation after a DLT since the last decision": (
        TITE_BOIN,
        AFTER_DLT,
        {"safety.cohort_size": 6, "accrual.consent_days": [0] * 6 + [20, 21]},
        {"what_if": [{"patient": 3, "dlt_day": 2}]},
    ),
    "as before, with a decision to suspend between the DLT and the last window": (
        TITE_BOIN,
        AFTER_DLT,
        {"safety.cohort_size": 6, "accrual.consent_days": [0] * 6 + [4, 20]},
        {"what_if": [{"patient": 3, "dlt_day": 2}]},
    ),
    "as before, with a decision to stay between the DLT and the last window": (
        TITE_BOIN,
        AFTER_DLT,
        {"rule.most_pending_share": 1.0, "rule.min_completed": 6, "accrual.consent_days": [0] * 3 + [4] * 3 + [20]},
        {"what_if": [{"patient": 3, "dlt_day": 2}]},
    ),
    "no escalation with the target reached in the last cohort, though it is not at the level": (
        NONE_EARLY,
        {"rule": {"name": "BOIN", "target": 0.25}, "safety.cohort_size": 4, "accrual.consent_days": [0] * 20},
        {"trial.planned_patients": 20, "limits.coherence": "last_cohort"},
        {"what_if": [{"patient": patient, "dlt_day": 2} for patient in (5, 6, 9)]},
    ),
    "no escalation above the target at the level, as long as those without a DLT are pending": (
        TITE_BOIN,
        {"limits.coherence": "last_level", "accrual.consent_days": [0, 0, 0, 7, 7, 7, 13, 14]},
        {"what_if": [{"patient": 1, "dlt_day": 1}]},
    ),
}


@pytest.mark.parametrize("changes", [*CORNERS.values(), *ROLLING_CORNERS.values()], ids=[*CORNERS, *ROLLING_CORNERS])
def test_engine_agrees_with_the_reference_in_corners(changes: tuple[dict[str, Any], ...]) -> None:
    scenario = Scenario.model_validate(
        {
            "schema_version": 1,
            "trial": {"title": "corner", "start_date": date(2024, 1, 1), "planned_patients": 9, "max_days": 60},
            "dose_levels": [{"label": "low"}, {"label": "high"}],
            "safety": {"dlt_window_days": 7},
            "rule": {"name": "3+3"},
            "follow_up": {"days": 7},
            "accrual": {"kind": "fixed", "consent_days": []},
            "toxicity": {"dlt_probability": [0.0, 0.0]},
        }
    )
    for change in changes:
        scenario = scenario.replace(change)
    assert_agrees(scenario, seed=0, replicate=0, seen=set())


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_engine_agrees_with_the_reference_in_shipped_scenarios(path: Path) -> None:
    scenario = load(path)
    for replicate in range(20):
        assert_agrees(scenario, seed=1, replicate=replicate, seen=set())
