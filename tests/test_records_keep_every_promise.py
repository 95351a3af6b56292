"""Every trial keeps every promise of its protocol: its records alone are held against them (`promises`).

Random scenarios of `strategies`, trials of this file in which much happens at once, and small ones at the awkward
instants. What the kernel keeps of a trial is a recount of the same records. So far 4,000 random scenarios, 6,000 busy
trials and, in both engines, 1,200 more were looked at; with closures, capacity, product and reviews 5,000 random
scenarios, 1,100 busy trials and 2,200 in both engines.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import promises
from escalate import Scenario, Trial, simulate, simulate_trial
from escalate.words.tables import Table
from promises import PROMISES, broken
from recount import recount
from replay_gates import WEEKDAYS
from small import lymphodepletion, small
from strategies import any_rule, scenarios

EVERY_DAY = list(WEEKDAYS)
ALL_WORK = ("consent", "screening", "lymphodepletion", "infusion", "committee")
APART = [
    promises.an_expansion_is_closed_as_soon_as_it_is_too_toxic,
    promises.data_cuts_come_when_they_can,
    promises.what_is_recommended_rests_on_complete_data,
    promises.a_forced_decision_leads_down,
]
"""Promises with random tests of their own below."""
TOGETHER = [one for one in PROMISES if one not in APART]


def random_scenarios(examples: int, number: int, check: Callable[[Scenario, int], None], sites: bool = False) -> None:
    drawn = any_rule(reviews=True)
    if sites or number % 2 == 0:
        drawn = scenarios(everything=True, reviews=True, sites=sites)

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )
    @given(drawn, st.integers(0, 1000))
    def every(scenario: Scenario, number: int) -> None:
        check(scenario, number)

    every()


def keeps(these: list[promises.Promise]) -> Callable[[Scenario, int], None]:
    def check(scenario: Scenario, number: int) -> None:
        assert broken(simulate_trial(scenario, seed=number, replicate=number % 7), these) == []

    return check


@pytest.mark.parametrize("number", range(2))
def test_random_scenarios(number: int) -> None:
    random_scenarios(80, number, keeps(TOGETHER))


def test_random_sites() -> None:
    """Sites that open late, rest, and screen in a time of their own; rates that change."""
    random_scenarios(50, 2, keeps(TOGETHER), sites=True)


@pytest.mark.long
@pytest.mark.parametrize("number", range(10, 20))
def test_random_scenarios_long(number: int) -> None:
    random_scenarios(3000, number, keeps(PROMISES), sites=number < 12)


def busy(number: int) -> Scenario:
    """Return a scenario in which much happens at once: many come, doses are missed, decisions come early."""
    rng = random.Random(number)
    some = rng.choice
    levels, target, size, lead = some([2, 3, 3]), some([0.2, 0.25, 0.3]), some([1, 2, 3, 3, 4]), some([0, 2, 5])
    model = {"target": target, "skeleton": [0.1, 0.25, 0.4][:levels]}
    rule = some(
        [
            {"name": "3+3", "variant": some("ABC")},
            {"name": "rolling six", "six_at_mtd": some([True, False])},
            {"name": "BOIN", "target": target},
            {"name": "TITE-BOIN", "target": target},
            {"name": some(["mTPI", "mTPI-2", "Keyboard", "i3+3"]), "target": target},
            {"name": "CRM", **model},
            {"name": "TITE-CRM", **model, "min_followup_share": some([0.0, 0.5])},
        ]
    )
    expands, partial_dose = some([True, False]), some([0.0, 0.0, 0.3])
    stopping: dict[str, Any] = {}
    if expands:
        stopping = {"expansion_too_toxic_probability": some([0.5, 0.7, 0.9]), "too_toxic_above": 0.3}
    if some([True, False, False, False]):
        stopping |= {"enough_at_level": some([3, 4, 6]), "enough_when": "any_move"}
    without_place = some(
        [{}, {}, {"without_place": "lost"}, {"patience_days": some([0, 3, 10])}, {"most_waiting": some([1, 3])}]
    )
    own = random.Random(f"schedules of {number}")
    return small(
        trial__start_date=f"2024-01-0{rng.randint(1, 7)}",
        trial__cap_counts=some(["infused", "evaluable"]),
        trial__max_days=some([300, 900]),
        trial__planned_patients=max(size, 3) + rng.randint(0, 9),
        trial__last_cohort=some(["whole", "partial"]),
        dose_levels=[
            {"label": f"dose {level}", "cells": level * 1e9} | _own_schedule(own) for level in range(1, levels + 1)
        ],
        toxicity={"dlt_probability": sorted(some([0.1, 0.3, 0.6]) for _ in range(levels))},
        rule=rule,
        stopping=stopping,
        titration=some([None, None, None, {}]),
        treatment={
            "lymphodepletion": lymphodepletion(lead) if lead else [],
            "infusion_days": some([[0], [0], [0, 4]]),
            "weekdays": some([EVERY_DAY, EVERY_DAY[:5], ["Mon", "Thu"]]),
        },
        safety={
            "dlt_window_days": some([7, 14, 28]),
            "start_level": rng.randint(1, levels),
            "cohort_size": size,
            "sentinel_stagger_days": some([0, 3, 14]),
            "sentinel": some(["every_cohort", "new_level"]),
            "stagger_days": some([0, 1, 3]),
            "review_delay_days": some([0, 0, 3, 7]),
            "meeting_weekdays": some([EVERY_DAY, ["Wed"]]),
            "early_decision": some([True, False]),
            "replace_non_evaluable": partial_dose > 0 or some([True, False]),
            "replace_partial_dose": "at_once" if partial_dose else "after_window",
            "dlt_after_lymphodepletion": some(["infuse", "withhold"]),
            "when_rule_finished": "expand" if expands else "stop",
        },
        follow_up={"days": some([28, 40])},
        accrual={"kind": "poisson", "consents_per_month": some([8.0, 30.0, 30.0]), **without_place},
        screening={"days": some([0, 5]), "failure_probability": {"organ function": 0.2}},
        attrition={
            "partial_dose_probability": partial_dose,
            "drop_out_per_year": some([0.0, 0.9]),
            "not_infused_probability": some([0.0, 0.2, 0.4]),
        },
    )


def gated(number: int) -> Scenario:
    """Return a busy scenario in which much keeps a place shut: closures, a small unit, few doses, reviews."""
    rng, scenario = random.Random(-number - 1), busy(number)
    some, start = rng.choice, scenario.trial.start_date
    changes: dict[str, Any] = {
        "calendar.closed": [_closure(rng, start) for _ in range(some([0, 1, 2, 3]))],
        "safety.after_sentinel_dlt": some(["review", "review", "go_on"]),
        "safety.dlt_after_lymphodepletion": some(["withhold_if_closed", "withhold_if_closed", "withhold", "infuse"]),
        "safety.assignment_delay_days": some([None, 0, 1, 4]),
        "safety.meeting_weeks": some([[], [], [1, 3], [-1]]),
    }
    if scenario.safety.early_decision or changes["safety.after_sentinel_dlt"] == "review":
        changes["safety.urgent_review_days"] = some([None, 0, 2, 5])
    if some([True, False, False]):
        changes |= {"safety.meeting_weeks": [], "safety.meeting_weekdays": EVERY_DAY}
        changes["safety.meeting_dates"] = [start + timedelta(days=15 * number) for number in range(60)]
    if scenario.lymphodepletes:
        changes["treatment.lymphodepletion_weekdays"] = some([EVERY_DAY, EVERY_DAY[:6]])
        changes["safety.lymphodepletion_in_stagger"] = some([True, False])
    if any(schedule.last_infusion_day for schedule in scenario.schedules):
        changes["treatment.later_infusion_weekdays"] = some([EVERY_DAY, EVERY_DAY[:5]])
    weeks, beds = (
        {"infusions_per_week": some([2, 3])},
        {"patients_at_once": some([1, 2]), "discharge_days": some([1, 9])},
    )
    if capacity := some([None, weeks, beds, weeks | beds]):
        changes["capacity"] = capacity
    days = sorted(rng.sample(range(-5, 200), 5))
    released = some(
        [{"batches_every_days": some([10, 25])}, {"batch_dates": [start + timedelta(days=d) for d in days]}]
    )
    if some([True, False]):
        changes["product"] = released | {
            "kind": "off_the_shelf",
            "doses_at_start": some([1, 3, 8]),
            "doses_per_batch": some([1, 2, 4]),
            "batch_failure_probability": some([0.0, 0.4]),
        }
    return scenario.replace(changes)


def asked(number: int) -> Scenario:
    """Return a gated scenario in which much happens to candidates before they have a place."""
    rng, scenario = random.Random(f"candidates of {number}"), gated(number)
    some = rng.choice
    changes: dict[str, Any] = {
        "screening.while_closed": some(["goes_on", "list", "list", "waits"]),
        "screening.days": some([0, 1, 5]),
        "screening.failure_probability": some([{}, {"organ function": 0.3}]),
        "screening.valid_days": some([None, 0, 3, 10]),
        "treatment.notice_days": some([0, 0, 1, 5]),
    }
    if changes["screening.while_closed"] != "goes_on":
        changes["screening.candidates_per_place"] = some([None, 1, 1, 2])
        changes["screening.opens_days_ahead"] = some([0, 3, 14])
        if some([True, False]):
            changes |= {"treatment.place_reserved": "at_consent", "screening.candidates_per_place": None}
    if scenario.accrual.without_place == "wait":
        changes |= {"accrual.patience_days": some([None, 0, 5, 20]), "accrual.most_waiting": some([None, None, 1, 3])}
    else:
        changes["screening.valid_days"] = None
    if changes["screening.valid_days"] is not None:  # else whoever is told is screened again before the notice ends
        changes["treatment.notice_days"] = min(changes["treatment.notice_days"], changes["screening.valid_days"])
    patience = changes.get("accrual.patience_days", 0 if scenario.accrual.without_place == "lost" else None)
    if patience is not None:  # else nobody is treated
        changes["treatment.notice_days"] = min(changes["treatment.notice_days"], max(patience - 1, 0))
    if changes.get("treatment.place_reserved") == "at_consent":
        changes["treatment.notice_days"] = 0
    if some([True, False]):
        changes["product"] = {
            "kind": "autologous",
            "manufacture_days": some([0, 5, 14]),
            "failure_probability": some([0.0, 0.3]),
            "out_of_specification_probability": some([0.0, 0.2]),
            "most_attempts": some([1, 2, 3]),
        }
    return scenario.replace(changes)


def _own_schedule(rng: random.Random) -> dict[str, Any]:
    """Return what a level has of its own: mostly nothing."""
    twice = {"infusion_days": rng.choice([[0, 1], [0, 4]]), "infusion_shares": [0.25, 0.75]}
    lead = rng.choice([0, 1, 4])
    agents = [{"agent": rng.choice(["fludarabine", "bendamustine"]), "mg_per_m2": 30, "days": [-lead]}] if lead else []
    return rng.choice([{}, {}, {}, twice, {"lymphodepletion": agents}, twice | {"lymphodepletion": agents}])


def _closure(rng: random.Random, start: date) -> dict[str, Any]:
    first = start + timedelta(days=rng.randint(-10, 120))
    what = rng.choice([ALL_WORK, rng.sample(ALL_WORK, 1), rng.sample(ALL_WORK, 2)])
    return {
        "first_day": first,
        "last_day": first + timedelta(days=rng.choice([0, 2, 13])),
        "what": list(what),
        "every_year": rng.choice([True, False]),
        "reason": rng.choice(["the unit moves", "holidays"]),
    }


Made = Callable[[int], Scenario]


def made_trials(make: Made, numbers: range, these: list[promises.Promise]) -> None:
    found = {}
    for number in numbers:
        if told := broken(simulate_trial(make(number), seed=number), these):
            found[number] = told
    assert not found, found


def test_busy_trials() -> None:
    made_trials(busy, range(120), TOGETHER)


def test_gated_trials() -> None:
    made_trials(gated, range(120), TOGETHER)


def test_trials_of_who_asks_for_places() -> None:
    made_trials(asked, range(120), TOGETHER)


@pytest.mark.long
@pytest.mark.parametrize("make", [busy, gated, asked])
@pytest.mark.parametrize("part", range(4))
def test_busy_trials_long(part: int, make: Made) -> None:
    made_trials(make, range(1000 + part * 3000, 4000 + part * 3000), PROMISES)


def same_in_both_engines(make: Made, numbers: range, trials: int) -> None:
    for number in numbers:
        scenario = make(number)
        kept = simulate(scenario, trials=trials, seed=number, progress=False).columns()
        for k in range(trials):
            for name, value in recount(simulate_trial(scenario, seed=number, replicate=k)).items():
                one = kept[name][k]
                assert one == value or (one != one and value != value), (number, k, name, one, value)


def test_what_the_kernel_keeps_is_a_recount_of_the_records() -> None:
    same_in_both_engines(busy, range(200, 220), 2)


def test_what_the_kernel_keeps_of_gates_is_a_recount_of_the_records() -> None:
    same_in_both_engines(gated, range(200, 230), 2)


def test_what_the_kernel_keeps_of_who_asks_for_places_is_a_recount_of_the_records() -> None:
    same_in_both_engines(asked, range(200, 230), 2)


@pytest.mark.long
@pytest.mark.parametrize("make", [busy, gated, asked])
@pytest.mark.parametrize("part", range(2))
def test_what_the_kernel_keeps_is_a_recount_of_the_records_long(part: int, make: Made) -> None:
    same_in_both_engines(make, range(1000 + part * 1000, 2000 + part * 1000), 3)


# The awkward instants: small trials, by whom they are told


def told(scenario: Scenario, wanted: str, *events: tuple[int, str, int | None]) -> Trial:
    """Run a trial that keeps every promise, and has come to the instant that it is for."""
    trial = simulate_trial(scenario)
    assert broken(trial) == []
    assert trial.dose_path == wanted
    happened = set(zip(trial.events["day"], trial.events["event"], trial.events["patient"], strict=True))
    assert set(events) <= happened, happened
    return trial


def on_days(*days: int, **more: Any) -> dict[str, Any]:
    return {"kind": "fixed", "consent_days": list(days), **more}


def fates(**of: dict[str, Any]) -> list[dict[str, Any]]:
    """Fates by patient: ``fates(p1={"dlt_day": 28})``; nobody else has anything."""
    return [{"patient": int(patient[1:]), **fate} for patient, fate in of.items()]


def test_the_first_patient_gets_no_cells_and_the_stagger_is_shorter_than_the_lead() -> None:
    told(
        small(
            accrual=on_days(0, 0, 0, 0),
            treatment__lymphodepletion=lymphodepletion(5),
            safety__sentinel_stagger_days=3,
            safety__stagger_days=1,
            trial__planned_patients=3,
            what_if=fates(p1={"infused": False}),
        ),
        "1NNN",
        (5, "not infused", 1),
        (8, "infusion", 2),
        (11, "infusion", 3),
        (13, "infusion", 4),
    )


def test_the_stagger_is_shorter_once_the_sentinel_is_known() -> None:
    """Patient 2 may be the sentinel up to day 5, so that patient 3 could be infused on day 11; then it is day 10."""
    told(
        small(
            accrual=on_days(0, 0, 0),
            treatment__lymphodepletion=lymphodepletion(5),
            safety__sentinel_stagger_days=3,
            safety__stagger_days=1,
            trial__planned_patients=3,
        ),
        "1NNN",
        (3, "lymphodepletion", 2),
        (5, "lymphodepletion", 3),
        (10, "infusion", 3),
    )


def test_dlts_on_the_last_day_of_the_window_and_the_day_after() -> None:
    told(
        small(
            accrual=on_days(0, 0, 0),
            follow_up__days=40,
            trial__planned_patients=3,
            what_if=fates(p1={"dlt_day": 28}, p2={"dlt_day": 29}, p3={"drop_out_day": 28}),
        ),
        "1TNN",
        (28, "DLT", 1),
        (29, "late toxicity", 2),
        (28, "drop-out", 3),
        (28, "cohort complete", None),
    )


def test_who_leaves_a_day_before_the_windows_end_is_replaced_within_the_cap() -> None:
    told(
        small(
            accrual=on_days(0, 0, 0, 10, 10),
            trial__planned_patients=3,
            what_if=fates(p1={"drop_out_day": 27}),
        ),
        "1XNNN",
        (27, "infusion", 4),
        (55, "cohort complete", None),
    )


def test_nobody_is_replaced_beyond_a_cap_of_the_infused() -> None:
    told(
        small(
            accrual=on_days(0, 0, 0, 10, 10),
            trial__planned_patients=3,
            trial__cap_counts="infused",
            what_if=fates(p1={"drop_out_day": 20}),
        ),
        "1XNN",
        (28, "cohort complete", None),
    )


@pytest.mark.parametrize(
    ("who", "day", "path", "is_withheld"),
    [
        ("p1", 1, "1TN", False),
        ("p2", 0, "1NT", True),
        ("p1", 2, "1TN", True),
        ("p1", 4, "1TN", True),
        ("p1", 5, "1TNN", False),
    ],
)
def test_a_dlt_between_lymphodepletion_and_infusion(who: str, day: int, path: str, is_withheld: bool) -> None:
    """Patient 3 starts on day 4, after the outcomes of its morning, and is infused on day 7, after those of its."""
    told(
        small(
            accrual=on_days(0, 1, 4),
            treatment__lymphodepletion=lymphodepletion(3),
            safety__dlt_after_lymphodepletion="withhold",
            what_if=fates(**{who: {"dlt_day": day}}),
            trial__max_days=60,
        ),
        path,
        (4, "lymphodepletion", 3),
        (7, "not infused" if is_withheld else "infusion", 3),
    )


def test_a_review_that_ends_on_a_day_without_a_meeting() -> None:
    """Day 28 is a Wednesday, and so is day 35; a candidate of that day is treated in the next cohort."""
    told(
        small(
            accrual=on_days(0, 0, 0, 30, 35, 35),
            safety__review_delay_days=2,
            safety__meeting_weekdays=["Wed"],
            treatment__weekdays=["Wed", "Fri"],
            trial__planned_patients=6,
        ),
        "1NNN 2NNN",
        (35, "decision", None),
        (35, "infusion", 4),
        (35, "infusion", 6),
    )


def test_patience_ends_on_the_day_on_which_a_place_opens() -> None:
    told(
        small(accrual=on_days(0, 0, 0, 8, 9, patience_days=20), trial__max_days=40),
        "1NNN 2P",
        (28, "withdrew", None),
        (28, "infusion", 4),
    )


def test_a_few_wait_and_the_rest_are_lost() -> None:
    trial = told(
        small(accrual=on_days(0, 0, 0, 8, 9, 9, most_waiting=2), trial__max_days=40),
        "1NNN 2PP",
        (9, "no place", None),
    )
    assert trial.patients["candidate"][-1] == 6


def test_a_dlt_of_one_who_gave_the_place_back_is_beyond_the_places() -> None:
    told(
        small(
            accrual=on_days(0, 0, 0, 1),
            safety__replace_partial_dose="at_once",
            what_if=fates(p3={"full_dose": False, "dlt_day": 20}),
            trial__max_days=60,
        ),
        "1NNTN",
        (1, "infusion", 4),
        (29, "cohort complete", None),
    )


def test_time_is_up_between_the_data_cut_and_its_meeting() -> None:
    told(
        small(accrual=on_days(0, 0, 0), safety__review_delay_days=7, trial__max_days=34),
        "1NNN",
        (28, "cohort complete", None),
        (34, "trial ended", None),
    )


def test_a_rolling_rule_is_asked_when_somebody_is_ready() -> None:
    told(
        small(
            rule={"name": "rolling six"},
            accrual=on_days(0, 0, 0, 5, 6, 7, 8),
            treatment__lymphodepletion=lymphodepletion(2),
            what_if=fates(p2={"infused": False}, p3={"dlt_day": 6}, p4={"dlt_day": 1}),
            trial__max_days=50,
        ),
        "1NTT",
        (0, "candidate ready", None),
        (2, "not infused", 2),
    )


def closure(first: str, last: str, *what: str, every_year: bool = True) -> dict[str, Any]:
    dates = {"first_day": first, "last_day": last, "every_year": every_year}
    return dates | {"what": list(what or ALL_WORK), "reason": "closed"}


def test_the_committee_looks_at_a_sentinels_dlt() -> None:
    """It could meet on day 5, which is closed for it; the stagger is long over."""
    told(
        small(
            accrual=on_days(0, 3, 3),
            calendar__closed=[closure("2025-01-06", "2025-01-06", "committee")],
            safety__sentinel_stagger_days=1,
            safety__after_sentinel_dlt="review",
            safety__urgent_review_days=3,
            trial__max_days=60,
            what_if=fates(p1={"dlt_day": 2}),
        ),
        "1TNN",
        (3, "review", None),
        (6, "infusion", 2),
    )


def test_who_is_on_the_way_to_a_level_that_must_be_left() -> None:
    """Two DLTs on day 9 force the decision of day 16, and patient 3 is due on day 11."""
    told(
        small(
            accrual=on_days(0, 0, 8),
            treatment__lymphodepletion=lymphodepletion(3),
            safety__dlt_after_lymphodepletion="withhold_if_closed",
            safety__review_delay_days=7,
            what_if=fates(p1={"dlt_day": 6}, p2={"dlt_day": 6}),
        ),
        "1TT",
        (9, "decision forced", None),
        (11, "not infused", 3),
        (16, "decision", None),
    )


def test_every_batch_fails() -> None:
    """There is one dose, and whoever gets no infusion gives it back; a batch that fails is known on its day alone."""
    told(
        small(
            accrual=on_days(0, 0, 0),
            treatment__lymphodepletion=lymphodepletion(3),
            product={
                "kind": "off_the_shelf",
                "doses_at_start": 1,
                "doses_per_batch": 1,
                "batches_every_days": 2,
                "batch_failure_probability": 1.0,
            },
            trial__max_days=40,
            what_if=fates(p1={"infused": False}),
        ),
        "1N",
        (0, "product", None),
        (3, "lymphodepletion", 2),
    )


def test_a_rolling_rule_stays_without_a_meeting() -> None:
    """Places come a day after the data cut; that it rises takes the meeting."""
    told(
        small(
            rule={"name": "rolling six"},
            accrual=on_days(0, 1, 2),
            safety__review_delay_days=7,
            safety__assignment_delay_days=1,
            trial__max_days=45,
        ),
        "1NNN",
        (2, "infusion", 2),
        (3, "infusion", 3),
        (38, "decision", None),
    )


def test_closures_of_every_year() -> None:
    """No infusion on 28 February or 1 March, and the committee meets after the turn of the year, on day 311."""
    told(
        small(
            accrual=on_days(0, 0, 0),
            calendar__closed=[
                closure("2024-02-29", "2024-03-01", "infusion"),
                closure("2024-12-30", "2025-01-02", "committee"),
            ],
            treatment__infusion_days=[0, 2],
            safety__review_delay_days=278,
            trial__start_date="2023-02-26",
            trial__max_days=320,
        ),
        "1NNN",
        (0, "closure", None),
        (4, "infusion", 3),
        (311, "decision", None),
    )


def test_consents_are_put_off_to_the_next_open_day() -> None:
    """Consent is closed from day 2 to day 5, and screening on day 6, on which results of that day would come."""
    told(
        small(
            accrual=on_days(0, 2, 3),
            calendar__closed=[
                closure("2025-01-03", "2025-01-06", "consent"),
                closure("2025-01-07", "2025-01-07", "screening"),
            ],
            trial__max_days=40,
        ),
        "1NNN",
        (6, "consent", None),
        (7, "eligible", None),
        (7, "infusion", 3),
    )


def test_a_week_and_a_bed_for_one() -> None:
    """The next week begins on day 5; patient 2, who gets no infusion, leaves week and bed to the last."""
    told(
        small(
            accrual=on_days(0, 0, 0),
            treatment__lymphodepletion=lymphodepletion(2),
            capacity={"infusions_per_week": 1, "patients_at_once": 1, "discharge_days": 1},
            trial__max_days=30,
            what_if=fates(p2={"infused": False}),
        ),
        "1NP",
        (0, "capacity", None),
        (3, "lymphodepletion", 2),
        (5, "lymphodepletion", 3),
        (7, "infusion", 3),
    )


TOO_TOXIC = {
    "safety__when_rule_finished": "expand",
    "trial__planned_patients": 12,
    "dose_levels": [{"label": "one"}],
    "toxicity__dlt_probability": [0.0],
    "rule": {"name": "3+3", "variant": "A"},
}
THREE_ON_THE_LAST_DAY = fates(p4={"dlt_day": 28}, p5={"dlt_day": 28}, p6={"dlt_day": 28})
EXPANSIONS: dict[str, tuple[list[dict[str, Any]], float, str, tuple[int, str, None]]] = {
    "not opened": (fates(p1={"dlt_day": 5}), 0.1, "1TNN 1NNN", (56, "expansion closed", None)),
    "closed at once": (fates(p4={"dlt_day": 5}), 0.6, "1NNN 1TNN", (33, "expansion closed", None)),
    "closed in the end": (THREE_ON_THE_LAST_DAY, 0.5, "1NNN 1TTTNNNNNN", (56, "expansion closed", None)),
    "complete": (THREE_ON_THE_LAST_DAY, 0.7, "1NNN 1TTTNNNNNN", (56, "cohort complete", None)),
}
"""By fate, probability to be exceeded, dose path, last data cut."""


@pytest.mark.parametrize("case", EXPANSIONS)
def test_expansions_that_are_too_toxic(case: str) -> None:
    what_if, probability, path, event = EXPANSIONS[case]
    changes = dict(TOO_TOXIC, stopping={"expansion_too_toxic_probability": probability, "too_toxic_above": 0.25})
    days = [0] * 3 + [28] * 3 + [36 if case == "closed at once" else 28] * 6
    told(small(accrual=on_days(*days), what_if=what_if, **changes), path, event)


def test_an_expansion_is_closed_as_soon_as_it_is_too_toxic() -> None:
    """At random, where it is likely."""
    expands = {
        "safety.when_rule_finished": "expand",
        "safety.early_decision": True,
        "trial.planned_patients": 18,
        "stopping": {"expansion_too_toxic_probability": 0.5, "too_toxic_above": 0.3},
    }
    closed = set()
    for number in range(100):
        trial = simulate_trial(busy(number).replace(expands), seed=number)
        assert broken(trial, APART[:1]) == [], number
        closed.update(event["cohort"] is None for event in trial.events if event["event"] == "expansion closed")
    assert closed == {True, False}


@pytest.mark.parametrize("policy", ["withhold", "infuse"])
def test_a_cohort_that_is_complete_is_cut(policy: str) -> None:
    """The last one on the way gets no cells, and a DLT of one who gave the place back has made the cohort full."""
    late = {} if policy == "withhold" else {"p4": {"infused": False}}
    told(
        small(
            accrual=on_days(0, 0, 29, 33),
            treatment__lymphodepletion=lymphodepletion(3),
            safety__replace_partial_dose="at_once",
            safety__dlt_after_lymphodepletion=policy,
            trial__max_days=100,
            what_if=fates(p3={"full_dose": False, "dlt_day": 3}, **late),
        ),
        "1NNT",
        (36, "not infused", 4),
        (37, "cohort complete", None),
    )


def test_data_cuts_come_when_they_can() -> None:
    """At random, where places are given back at once."""
    gives_back = {
        "safety.replace_non_evaluable": True,
        "safety.replace_partial_dose": "at_once",
        "attrition.partial_dose_probability": 0.4,
    }
    for number in range(80):
        trial = simulate_trial(busy(number).replace(gives_back), seed=number)
        assert broken(trial, APART[1:2]) == [], number


STOPS_EARLY = {
    "rule": {"name": "BOIN", "target": 0.25},
    "safety__early_decision": True,
    "safety__start_level": 2,
    "follow_up__days": 40,
}


def test_what_came_between_the_last_data_cut_and_its_meeting_counts() -> None:
    """Three DLTs in three patients, two of them while the committee is awaited: no dose."""
    trial = told(
        small(
            accrual=on_days(0, 0, 0),
            safety__review_delay_days=3,
            trial__planned_patients=4,
            what_if=fates(p1={"dlt_day": 5}, p2={"dlt_day": 6}, p3={"dlt_day": 7}),
            **STOPS_EARLY,
        ),
        "2TTT",
    )
    assert trial.recommended is None


def test_the_last_decision_waits_for_every_cohort() -> None:
    """Patient 3, of the first cohort, is observed up to day 28; the last cohort's outcomes are known on day 9."""
    trial = told(
        small(
            accrual=on_days(0, 0, 0, 6, 6, 6),
            safety__replace_non_evaluable=False,
            trial__planned_patients=6,
            what_if=fates(
                p1={"dlt_day": 5}, p2={"dlt_day": 5}, p4={"dlt_day": 1}, p5={"drop_out_day": 2}, p6={"drop_out_day": 3}
            ),
            **STOPS_EARLY,
        ),
        "2TTN 1TXX",
    )
    assert trial.decisions["committee_day"][-1] >= 28


def test_what_is_recommended_rests_on_complete_data() -> None:
    """At random, where decisions come early."""
    for number in range(100):
        trial = simulate_trial(busy(number).replace({"safety.early_decision": True}), seed=number)
        assert broken(trial, APART[2:3]) == [], number


def test_a_decision_that_a_loss_can_change_is_not_forced() -> None:
    """A rolling rule replaces nobody by itself: patient 4 leaves, and with three patients the rule goes on."""
    told(
        small(
            rule={"name": "rolling six"},
            safety__early_decision=True,
            safety__review_delay_days=2,
            safety__dlt_window_days=14,
            stopping={"enough_at_level": 4, "enough_when": "any_move"},
            accrual=on_days(0, 5, 6, 9),
            what_if=fates(p1={"dlt_day": 1}, p4={"drop_out_day": 9}),
            trial__max_days=80,
        ),
        "1TNNX",
    )


def test_a_forced_decision_leads_down() -> None:
    """At random, where decisions come early."""
    for number in range(40):
        trial = simulate_trial(busy(number).replace({"safety.early_decision": True}), seed=number)
        assert broken(trial, APART[3:]) == [], number


def test_who_was_to_get_no_cells_is_not_beyond_the_cap() -> None:
    """Patients 6 and 7 are on the way to a level that is closed, so that 8 and 9 have their places under the cap."""
    trial = simulate_trial(
        small(
            rule={"name": "TITE-BOIN", "target": 0.25},
            safety__start_level=2,
            safety__cohort_size=2,
            trial__planned_patients=6,
            trial__cap_counts="infused",
            treatment__lymphodepletion=lymphodepletion(3),
            accrual=on_days(0, 0, 20, 20, 20, 80, 80, 80, 80, 80),
            what_if=fates(p1={"dlt_day": 8}, p2={"infused": False}),
        )
    )
    assert broken(trial) == []


# The checker itself


TABLES = ("events", "patients", "cohorts", "decisions")
UNREAD = {"body_surface_area_m2", "open_levels"}
OF_A_MODEL = ("p_dlt", "followup")
"""What the records do not say twice: what a rule finds, and what nature draws."""


def changed(trial: Trial, table: str, row: int, column: str) -> Trial:
    """Return the trial with another value in one cell of one table."""
    old: Table = getattr(trial, table)
    position = old.layout.positions[column][0]
    cells = [list(cell) for cell in old.cells]
    value = cells[row][position]
    cells[row][position] = value + 1 if isinstance(value, (int, float)) else 1 if value is None else f"{value} x"
    return replace(trial, **{table: replace(old, cells=tuple(map(tuple, cells)))})


def notices(trial: Trial) -> bool:
    """Whether anything is broken, be it so that the records cannot be replayed."""
    try:
        return bool(broken(trial))
    except (KeyError, IndexError, ValueError, StopIteration, AttributeError, TypeError):
        return True


def test_every_changed_cell_is_noticed() -> None:
    """Any number or word of any table, one at a time: nothing in the records is taken on trust."""
    rng, missed = random.Random(1), set()
    for make, number in ((busy, 3), (gated, 5), (busy, 8), (gated, 21)):
        trial = simulate_trial(make(number), seed=number)
        for name in TABLES:
            table: Table = getattr(trial, name)
            columns = [
                c.name
                for c in table.columns
                if not c.date_of and c.name not in UNREAD and not c.name.startswith(OF_A_MODEL)
            ]
            for column in columns:
                for row in rng.sample(range(len(table)), min(len(table), 3)):
                    if not notices(changed(trial, name, row, column)):
                        missed.add((make.__name__, number, name, column, row, table[column][row]))
    assert not missed, missed
