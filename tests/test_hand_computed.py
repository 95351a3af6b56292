"""Trials computed by hand: fixed arrivals and DLT days, the whole event log asserted.

Every expected log below was written down from the protocol, before the program was run on it. A line is
``day event who``: c3 is candidate 3, p2 is patient 2, k1 is cohort 1 (with its level after @).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from escalate import Trial, simulate_trial
from escalate.nature.draws import Nature
from escalate.report.narrative import story
from escalate.results.timeline import milestones, waits
from small import START, lymphodepletion, small


def log_of(trial: Trial) -> list[str]:
    lines = []
    for row in trial.events:
        who = f" p{row['patient']}" if row["patient"] else f" c{row['candidate']}" if row["candidate"] else ""
        if not who and row["cohort"]:
            who = f" k{row['cohort']}@{row['level']}" if row["level"] else f" k{row['cohort']}@none"
        lines.append(f"{row['day']} {row['event']}{who}")
    return lines


def expected(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def closed(first: int, last: int, *what: str) -> dict[str, Any]:
    """Return a closure between two days of the trial, both included; of all work where nothing is named."""
    days = {"first_day": START + timedelta(days=first), "last_day": START + timedelta(days=last)}
    return days | ({"what": list(what)} if what else {}) | {"reason": "the unit moves"}


def test_sentinel_stagger_lead_and_review() -> None:
    """One cohort and a half: sentinel 14 days, then 2; lymphodepletion 3 days before; review 7 days."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 5, 60],
            screening__days=10,
            treatment__lymphodepletion=lymphodepletion(3),
            safety__sentinel_stagger_days=14,
            safety__stagger_days=2,
            safety__review_delay_days=7,
            follow_up__days=30,
            trial__max_days=110,
        )
    )
    # p1 infused day 13, so p2 not before 27 (lymphodepletion 24), p3 not before 29 (26); windows end 28 days later.
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 consent c2
        5 consent c3
        10 eligible c1
        10 eligible c2
        10 lymphodepletion p1
        10 waits c2
        13 infusion p1
        15 eligible c3
        15 waits c3
        24 lymphodepletion p2
        26 lymphodepletion p3
        27 infusion p2
        29 infusion p3
        41 window completed p1
        43 follow-up completed p1
        55 window completed p2
        57 follow-up completed p2
        57 window completed p3
        57 cohort complete k1@1
        59 follow-up completed p3
        60 consent c4
        64 decision k1@2
        64 cohort opened k2@2
        70 eligible c4
        70 lymphodepletion p4
        73 infusion p4
        101 window completed p4
        103 follow-up completed p4
        110 trial ended
    """)
    assert trial.stop_reason == "max_days reached"
    assert trial.recommended is None
    assert trial.dose_path == "1NNN 2N"
    assert trial.patients["waiting_days"] == [0, 14, 11, 0]
    assert trial.patients["sentinel"] == ["yes", "no", "no", "yes"]


def test_whoever_turns_out_to_be_the_sentinel_is_followed_at_the_stagger() -> None:
    """A stagger of 2 days, shorter than the lead of 3: patient 1 gets no cells, and patient 2 becomes the sentinel."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0, 0],
            treatment__lymphodepletion=lymphodepletion(3),
            safety__sentinel_stagger_days=2,
            what_if=[{"patient": 1, "infused": False}],
            follow_up__days=30,
            trial__max_days=32,
        )
    )
    # p2 not before 3 + 2; p3 not before 5 + 2, as p2 may be the sentinel, and is; p4 not before day 5 is over, on which
    # p2 is known to be it: before, p3 might have been.
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 consent c2
        0 eligible c2
        0 consent c3
        0 eligible c3
        0 consent c4
        0 eligible c4
        0 lymphodepletion p1
        0 waits c2
        0 waits c3
        0 waits c4
        2 lymphodepletion p2
        3 not infused p1
        4 lymphodepletion p3
        5 infusion p2
        5 lymphodepletion p4
        7 infusion p3
        8 infusion p4
        32 trial ended
    """)
    assert trial.patients["sentinel"] == [None, "yes", "no", "no"]


def test_the_stagger_is_shorter_as_soon_as_the_sentinel_is_known() -> None:
    """The same with cells for patient 1: patient 3 follows patient 2 once patient 1 is known to be the sentinel."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0],
            treatment__lymphodepletion=lymphodepletion(3),
            safety__sentinel_stagger_days=2,
            follow_up__days=30,
            trial__max_days=32,
        )
    )
    assert trial.patients["infusion_day"] == [3, 5, 6]


def test_dlt_on_the_last_day_of_the_window_counts_and_one_day_later_does_not() -> None:
    story = [{"patient": 1, "dlt_day": 28}, {"patient": 2, "dlt_day": 29}]
    trial = simulate_trial(
        small(accrual__consent_days=[0, 0, 0], what_if=story, follow_up__days=40, trial__max_days=60)
    )
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 consent c2
        0 eligible c2
        0 consent c3
        0 eligible c3
        0 infusion p1
        0 infusion p2
        0 infusion p3
        28 DLT p1
        28 window completed p2
        28 window completed p3
        28 cohort complete k1@1
        28 decision k1@1
        28 cohort opened k2@1
        29 late toxicity p2
        40 follow-up completed p1
        40 follow-up completed p2
        40 follow-up completed p3
        60 trial ended
    """)
    assert trial.dose_path == "1TNN"
    assert trial.patients["dlt_day"] == [28, 29, None]
    assert trial.patients["outcome"] == ["DLT", "no DLT", "no DLT"]


def test_drop_out_on_the_last_day_of_the_window_is_evaluable_and_one_day_earlier_is_replaced() -> None:
    story = [{"patient": 1, "drop_out_day": 28}, {"patient": 2, "drop_out_day": 27}]
    trial = simulate_trial(
        small(accrual__consent_days=[0, 0, 0, 1], what_if=story, follow_up__days=40, trial__max_days=60)
    )
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 consent c2
        0 eligible c2
        0 consent c3
        0 eligible c3
        0 infusion p1
        0 infusion p2
        0 infusion p3
        1 consent c4
        1 eligible c4
        1 waits c4
        27 drop-out p2
        27 infusion p4
        28 window completed p1
        28 drop-out p1
        28 window completed p3
        40 follow-up completed p3
        55 window completed p4
        55 cohort complete k1@1
        55 decision k1@2
        55 cohort opened k2@2
        60 trial ended
    """)
    assert trial.dose_path == "1NXNN"
    assert trial.patients["state"] == ["dropped out", "dropped out", "completed", "cut off"]
    assert trial.patients["non_evaluable_reason"][1] == "left before the end of the DLT window"


def test_arrival_on_the_decision_day_finds_the_new_cohort_open() -> None:
    """The committee decides before candidates come on the same day."""
    trial = simulate_trial(small(accrual__consent_days=[0, 0, 0, 35], safety__review_delay_days=7, trial__max_days=70))
    tail = log_of(trial)[log_of(trial).index("35 decision k1@2") :]
    assert tail == expected("""
        35 decision k1@2
        35 cohort opened k2@2
        35 consent c4
        35 eligible c4
        35 infusion p4
        63 window completed p4
        63 follow-up completed p4
        70 trial ended
    """)


def test_arrival_one_day_before_the_decision_waits() -> None:
    trial = simulate_trial(small(accrual__consent_days=[0, 0, 0, 34], safety__review_delay_days=7, trial__max_days=36))
    tail = log_of(trial)[log_of(trial).index("34 consent c4") :]
    assert tail == expected("""
        34 consent c4
        34 eligible c4
        34 waits c4
        35 decision k1@2
        35 cohort opened k2@2
        35 infusion p4
        36 trial ended
    """)
    assert trial.events["detail"][log_of(trial).index("34 waits c4")] == "a decision is outstanding"


def test_dlt_in_the_sentinel_during_the_stagger_with_infusions_withheld() -> None:
    """The DLT of day 16 comes after the second patient's lymphodepletion (day 14): no infusion on day 17."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0],
            treatment__lymphodepletion=lymphodepletion(3),
            safety__sentinel_stagger_days=14,
            safety__dlt_after_lymphodepletion="withhold",
            what_if=[{"patient": 1, "dlt_day": 13}],
            trial__max_days=40,
        )
    )
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 consent c2
        0 eligible c2
        0 lymphodepletion p1
        0 waits c2
        3 infusion p1
        14 lymphodepletion p2
        16 DLT p1
        17 not infused p2
        31 follow-up completed p1
        40 trial ended
    """)
    assert trial.patients["not_infused_reason"][1] == "withheld: a DLT became known after lymphodepletion"
    assert trial.dose_path == "1T"


def test_dlt_in_the_sentinel_during_the_stagger_with_infusions_given() -> None:
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0],
            treatment__lymphodepletion=lymphodepletion(3),
            safety__sentinel_stagger_days=14,
            what_if=[{"patient": 1, "dlt_day": 13}],
            trial__max_days=40,
        )
    )
    assert "17 infusion p2" in log_of(trial)
    assert trial.dose_path == "1TP"


def test_a_dlt_known_on_the_day_of_lymphodepletion_is_known_before_it() -> None:
    """Outcomes come first: the DLT of day 14 precedes the lymphodepletion of day 14, so nothing is withheld."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0],
            treatment__lymphodepletion=lymphodepletion(3),
            safety__sentinel_stagger_days=14,
            safety__dlt_after_lymphodepletion="withhold",
            what_if=[{"patient": 1, "dlt_day": 11}],
            trial__max_days=40,
        )
    )
    assert [line for line in log_of(trial) if line.startswith(("14", "17"))] == expected("""
        14 DLT p1
        14 lymphodepletion p2
        17 infusion p2
    """)


def test_two_dlts_force_the_decision_while_a_patient_is_past_lymphodepletion() -> None:
    """Level 1 is closed on day 12; the patient lymphodepleted on day 11 is infused before the committee meets (19)."""
    changes = {
        "accrual__consent_days": [0, 0, 11, 15],
        "treatment__lymphodepletion": lymphodepletion(3),
        "safety__review_delay_days": 7,
        "what_if": [{"patient": 1, "dlt_day": 9}, {"patient": 2, "dlt_day": 9}],
    }
    trial = simulate_trial(small(**changes))
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 consent c2
        0 eligible c2
        0 lymphodepletion p1
        0 lymphodepletion p2
        3 infusion p1
        3 infusion p2
        11 consent c3
        11 eligible c3
        11 lymphodepletion p3
        12 DLT p1
        12 DLT p2
        12 decision forced k1@1
        14 infusion p3
        15 consent c4
        15 eligible c4
        15 waits c4
        19 decision k1@none
        19 enrolment closed
        19 turned away c4
        31 follow-up completed p1
        31 follow-up completed p2
        42 window completed p3
        42 follow-up completed p3
        42 trial ended
    """)
    assert trial.dose_path == "1TTN"
    assert trial.recommended is None
    assert trial.stop_reason == "lowest dose level too toxic"
    assert trial.patients["state"] == ["completed", "completed", "completed", "turned away"]
    assert trial.decisions["forced"] == ["yes"]


def test_a_decision_that_closes_the_level_stops_a_lymphodepleted_patient() -> None:
    """As above, but the committee meets at once: the patient lymphodepleted on day 11 gets no cells on day 14."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 11],
            treatment__lymphodepletion=lymphodepletion(3),
            what_if=[{"patient": 1, "dlt_day": 9}, {"patient": 2, "dlt_day": 9}],
        )
    )
    assert [line for line in log_of(trial) if line.startswith(("12", "14"))] == expected("""
        12 DLT p1
        12 DLT p2
        12 decision forced k1@1
        12 decision k1@none
        12 enrolment closed
        14 not infused p3
    """)
    assert trial.patients["not_infused_reason"][2] == "withheld: the committee has closed this dose level"
    assert trial.dose_path == "1TT"


def test_without_early_decisions_the_cohort_is_filled_and_observed() -> None:
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 11],
            safety__early_decision=False,
            what_if=[{"patient": 1, "dlt_day": 9}, {"patient": 2, "dlt_day": 9}],
        )
    )
    assert trial.dose_path == "1TTN"
    assert trial.decisions["data_cut_day"] == [39]
    assert trial.decisions["forced"] == ["no"]


def test_committee_and_treatment_weekdays() -> None:
    """Day 0 is a Wednesday. Infusions on Mondays (5, 12, ...); data cut on day 33, a Monday; committee Thursdays."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0],
            treatment__weekdays=["Mon"],
            treatment__lymphodepletion=lymphodepletion(3),
            safety__review_delay_days=1,
            safety__meeting_weekdays=["Thu"],
            trial__max_days=40,
        )
    )
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 consent c2
        0 eligible c2
        0 consent c3
        0 eligible c3
        0 weekday k1@1
        0 waits c1
        0 waits c2
        0 waits c3
        2 lymphodepletion p1
        2 lymphodepletion p2
        2 lymphodepletion p3
        5 infusion p1
        5 infusion p2
        5 infusion p3
        33 window completed p1
        33 follow-up completed p1
        33 window completed p2
        33 follow-up completed p2
        33 window completed p3
        33 follow-up completed p3
        33 cohort complete k1@1
        36 decision k1@2
        36 cohort opened k2@2
        40 trial ended
    """)


def test_patience_ends_before_places_are_given_on_the_same_day() -> None:
    """c4 is eligible on day 8 and has 20 days of patience; the next cohort opens on day 28, too late by a phase."""
    trial = simulate_trial(small(accrual__consent_days=[0, 0, 0, 8], accrual__patience_days=20, trial__max_days=29))
    assert log_of(trial)[-4:] == ["28 decision k1@2", "28 cohort opened k2@2", "28 withdrew c4", "29 trial ended"]
    patient = simulate_trial(small(accrual__consent_days=[0, 0, 0, 8], accrual__patience_days=21, trial__max_days=29))
    assert "28 infusion p4" in log_of(patient)


def test_candidates_who_do_not_wait_are_lost() -> None:
    trial = simulate_trial(
        small(accrual__consent_days=[0, 0, 0, 8, 28], accrual__without_place="lost", trial__max_days=29)
    )
    assert "8 no place c4" in log_of(trial)
    assert "28 infusion p4" in log_of(trial)
    assert trial.patients["state"][3] == "no place"


def test_three_infusions_stop_at_a_dlt() -> None:
    """Infusions on days 0, 3 and 6; the DLT of day 3 is known before the infusion of day 3."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0],
            treatment__infusion_days=[0, 3, 6],
            treatment__infusion_shares=[0.5, 0.25, 0.25],
            dose_levels=[{"label": "low", "cells": 8.0}, {"label": "high", "cells": 16.0}],
            safety__dlt_window_anchor="last_infusion",
            what_if=[{"patient": 1, "dlt_day": 3}],
            follow_up__days=34,
            trial__max_days=40,
        )
    )
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 consent c2
        0 eligible c2
        0 infusion p1
        0 infusion p2
        3 DLT p1
        3 infusion p2
        6 infusion p2
        34 follow-up completed p1
        34 window completed p2
        34 follow-up completed p2
        40 trial ended
    """)
    assert trial.patients["cells_given"] == [4.0, 8.0]
    assert trial.patients["infusions"] == [1, 3]


def test_levels_with_schedules_of_their_own() -> None:
    """Level 1 as `[treatment]`: infusions on days 0 and 7, three days after lymphodepletion. Level 2: on days 0 and 3,
    a quarter and the rest, one day after another agent. The window is ten days from the last infusion."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0, 30, 30],
            treatment__infusion_days=[0, 7],
            treatment__lymphodepletion=lymphodepletion(3),
            treatment__body_surface_area={"mean_m2": 2, "sd_m2": 0, "min_m2": 2, "max_m2": 2},
            dose_levels=[
                {"label": "low", "cells": 8.0},
                {
                    "label": "high",
                    "cells": 16.0,
                    "infusion_days": [0, 3],
                    "infusion_shares": [0.25, 0.75],
                    "lymphodepletion": [{"agent": "bendamustine", "mg_per_m2": 30, "days": [-1]}],
                },
            ],
            safety__dlt_window_days=10,
            safety__dlt_window_anchor="last_infusion",
            safety__sentinel_stagger_days=5,
            what_if=[{"patient": 5, "dlt_day": 3}],
            follow_up__days=17,
            trial__max_days=60,
        )
    )
    # Level 1: p1 infused day 3, so the others on day 8 (lymphodepletion 5); windows end 7 + 10 days later. Level 2: p4
    # infused day 31, so p5 on day 36 (lymphodepletion 35); windows end 3 + 10 days later, follow-up 17.
    assert log_of(trial) == expected(f"""{THREE_AT_ONCE}
        0 lymphodepletion p1
        0 waits c2
        0 waits c3
        3 infusion p1
        5 lymphodepletion p2
        5 lymphodepletion p3
        8 infusion p2
        8 infusion p3
        10 infusion p1
        15 infusion p2
        15 infusion p3
        20 window completed p1
        20 follow-up completed p1
        25 window completed p2
        25 follow-up completed p2
        25 window completed p3
        25 follow-up completed p3
        25 cohort complete k1@1
        25 decision k1@2
        25 cohort opened k2@2
        30 consent c4
        30 eligible c4
        30 consent c5
        30 eligible c5
        30 lymphodepletion p4
        30 waits c5
        31 infusion p4
        34 infusion p4
        35 lymphodepletion p5
        36 infusion p5
        39 DLT p5
        44 window completed p4
        48 follow-up completed p4
        53 follow-up completed p5
        60 trial ended
    """)
    assert trial.patients["cells_given"] == [8.0, 8.0, 8.0, 16.0, 4.0]
    assert trial.patients["fludarabine_mg"] == [50.0, 50.0, 50.0, 0.0, 0.0]
    assert trial.patients["bendamustine_mg"] == [0.0, 0.0, 0.0, 60.0, 60.0]
    days = {row["candidate"]: row["detail"] for row in trial.events if row["event"] == "waits"}
    assert days[5] == f"the next infusion is possible on {START + timedelta(days=36)}"


def test_who_is_enrolled_later_at_another_level_is_infused_earlier() -> None:
    """The lead is 10 days at level 2, and 1 at level 1: two DLTs on day 11 close level 2 for p3, who is on the way."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 5, 11],
            rule={"name": "3+3", "variant": "B"},
            dose_levels=[{"label": "low", "lymphodepletion": lymphodepletion(1)}, {"label": "high"}],
            treatment__lymphodepletion=lymphodepletion(10),
            safety__start_level=2,
            what_if=[{"patient": 1, "dlt_day": 1}, {"patient": 2, "dlt_day": 1}],
            trial__max_days=50,
        )
    )
    assert log_of(trial) == expected("""
        0 cohort opened k1@2
        0 consent c1
        0 eligible c1
        0 consent c2
        0 eligible c2
        0 lymphodepletion p1
        0 lymphodepletion p2
        5 consent c3
        5 eligible c3
        5 lymphodepletion p3
        10 infusion p1
        10 infusion p2
        11 DLT p1
        11 DLT p2
        11 decision forced k1@2
        11 decision k1@1
        11 cohort opened k2@1
        11 consent c4
        11 eligible c4
        11 lymphodepletion p4
        12 infusion p4
        15 not infused p3
        38 follow-up completed p1
        38 follow-up completed p2
        40 window completed p4
        40 follow-up completed p4
        50 trial ended
    """)
    assert trial.dose_path == "2TT 1N"


def test_a_closure_and_a_weekday_of_one_level_alone() -> None:
    """Day 0 is a Wednesday. Level 2 has an infusion on day 2, too: not on Fridays, and not on a day that is closed.

    Level 1 begins on day 0. Of level 2 a treatment begins neither on day 28, a Wednesday, since that would be on the
    Friday, nor on the Thursday, since the Saturday after it, day 31, is closed: on the Friday.
    """
    weekdays = ["Mon", "Tue", "Wed", "Thu", "Sat", "Sun"]
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0, 28],
            treatment__later_infusion_weekdays=weekdays,
            dose_levels=[{"label": "low"}, {"label": "high", "infusion_days": [0, 2]}],
            calendar__closed=[closed(31, 31, "infusion")],
            trial__max_days=35,
        )
    )
    infused = [(row["day"], row["patient"]) for row in trial.events if row["event"] == "infusion"]
    assert infused == [(0, 1), (0, 2), (0, 3), (30, 4), (32, 4)]
    assert [line for line in log_of(trial) if line in ("28 weekday k2@2", "29 closure k2@2")] == [
        "28 weekday k2@2",
        "29 closure k2@2",
    ]


def test_cells_given_are_those_infused() -> None:
    """Leaving on day 4 costs the third infusion; a reduced dose halves each; a DLT on day 6 comes before the third."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0, 0, 0],
            treatment__infusion_days=[0, 3, 6],
            treatment__infusion_shares=[0.5, 0.25, 0.25],
            dose_levels=[{"label": "low", "cells": 8.0}, {"label": "high", "cells": 16.0}],
            what_if=[
                {"patient": 1, "drop_out_day": 4},
                {"patient": 2, "full_dose": False},
                {"patient": 3, "dlt_day": 6},
            ],
            trial__max_days=70,
        )
    )
    assert trial.patients["cells_given"] == [6.0, 4.0, 6.0, 8.0, 8.0]
    assert trial.patients["infusions"] == [2, 3, 2, 3, 3]
    assert trial.patients["outcome"] == ["non-evaluable", "non-evaluable", "DLT", "no DLT", "no DLT"]


def test_a_reduced_dose_is_the_share_that_the_scenario_says() -> None:
    trial = simulate_trial(
        small(
            accrual__consent_days=[0],
            dose_levels=[{"label": "low", "cells": 8.0}, {"label": "high", "cells": 16.0}],
            attrition__partial_dose_share=0.25,
            what_if=[{"patient": 1, "full_dose": False}],
            trial__max_days=40,
        )
    )
    assert trial.patients["cells_given"] == [2.0]


def test_the_sentinel_is_the_first_infused_and_nobody_gets_a_free_place_without_replacement() -> None:
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0, 0],
            treatment__lymphodepletion=lymphodepletion(3),
            safety__replace_non_evaluable=False,
            what_if=[{"patient": 1, "infused": False}, {"patient": 2, "drop_out_day": 5}],
            trial__max_days=40,
        )
    )
    assert trial.patients["sentinel"] == [None, "yes", "no", "no"]
    assert trial.patients["place_free_day"] == [3, None, None, None]


def test_outcomes_of_the_infusion_day_come_in_the_evening() -> None:
    """Two DLTs on the very day: the data cut, and the committee, are on the next day."""
    story = [{"patient": 1, "dlt_day": 0}, {"patient": 2, "dlt_day": 0}]
    trial = simulate_trial(small(accrual__consent_days=[0, 0, 0], what_if=story))
    assert log_of(trial)[7:13] == expected("""
        0 infusion p1
        0 infusion p2
        0 infusion p3
        0 DLT p1
        0 DLT p2
        1 decision forced k1@1
    """)


def test_a_window_of_no_days_ends_on_the_day_of_infusion() -> None:
    trial = simulate_trial(small(accrual__consent_days=[0, 0, 0], safety__dlt_window_days=0, follow_up__days=0,
                                 trial__max_days=5))  # fmt: skip
    assert log_of(trial)[10:] == expected("""
        0 window completed p1
        0 follow-up completed p1
        0 window completed p2
        0 follow-up completed p2
        0 window completed p3
        0 follow-up completed p3
        1 cohort complete k1@1
        1 decision k1@2
        1 cohort opened k2@2
        5 trial ended
    """)


def test_partial_dose_without_dlt_is_not_evaluable_and_its_place_is_free_when_the_window_ends() -> None:
    story = [{"patient": 1, "full_dose": False}, {"patient": 2, "full_dose": False, "dlt_day": 28}]
    trial = simulate_trial(small(accrual__consent_days=[0, 0, 0, 0], what_if=story, trial__max_days=60))
    assert trial.dose_path == "1XTNN"
    assert trial.patients["infusion_day"] == [0, 0, 0, 28]
    assert trial.patients["place_free_day"] == [28, None, None, None]


AT_ONCE = {"safety__replace_partial_dose": "at_once"}


def test_a_partial_dose_frees_its_place_at_once() -> None:
    """Patient 1 gets less than the full dose on 4 January, and patient 4 the place; the DLT on the 24th counts, too.

    The sentinel's stagger counts from patient 1. The three others are there, so that the cohort has four evaluable
    patients, and the rule asks for two more.
    """
    trial = simulate_trial(
        small(
            **AT_ONCE,
            accrual__consent_days=[0, 0, 0, 6],
            treatment__lymphodepletion=lymphodepletion(3),
            safety__sentinel_stagger_days=7,
            safety__stagger_days=2,
            safety__review_delay_days=5,
            what_if=[{"patient": 1, "full_dose": False, "dlt_day": 20}],
            trial__max_days=60,
        )
    )
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 consent c2
        0 eligible c2
        0 consent c3
        0 eligible c3
        0 lymphodepletion p1
        0 waits c2
        0 waits c3
        3 infusion p1
        6 consent c4
        6 eligible c4
        6 waits c4
        7 lymphodepletion p2
        9 lymphodepletion p3
        10 infusion p2
        11 lymphodepletion p4
        12 infusion p3
        14 infusion p4
        23 DLT p1
        31 follow-up completed p1
        38 window completed p2
        38 follow-up completed p2
        40 window completed p3
        40 follow-up completed p3
        42 window completed p4
        42 follow-up completed p4
        42 cohort complete k1@1
        47 decision k1@1
        47 cohort opened k2@1
        60 trial ended
    """)
    assert trial.dose_path == "1TNNN"
    assert trial.patients["place_free_day"] == [3, None, None, None]
    assert trial.patients["place_free_date"][0] == "2025-01-04"
    assert trial.patients["dlt_date"][0] == "2025-01-24"
    infusion = next(row for row in trial.events if row["event"] == "infusion")
    assert infusion["detail"] == "50% of low: the place is free"
    assert (trial.decisions["evaluable"], trial.decisions["dlts"]) == ([4], [1])
    assert trial.cohorts["places"] == [3, 2]
    assert trial.cohorts["replaced"] == [1, 0]


def test_a_dlt_after_a_partial_dose_fills_a_place_that_nobody_has() -> None:
    """Nobody is there to take patient 1's place, which is open for ten days; then the DLT fills it, for good."""
    trial = simulate_trial(
        small(
            **AT_ONCE,
            accrual__consent_days=[0, 0, 0, 15],
            what_if=[{"patient": 1, "full_dose": False, "dlt_day": 10}],
            trial__planned_patients=3,
        )
    )
    assert trial.dose_path == "1TNN"
    assert trial.cohorts["data_cut_day"] == [28]
    assert trial.cohorts["replaced"] == [0]
    assert {name: days for name, days in waits(trial).items() if days} == {"patients": 10, "DLT windows": 18}


def test_who_comes_after_a_dlt_has_filled_the_place_replaces_nobody() -> None:
    story = [{"patient": 1, "full_dose": False, "dlt_day": 10}]
    trial = simulate_trial(small(**AT_ONCE, accrual__consent_days=[0, 15, 15, 15], what_if=story, trial__max_days=40))
    assert trial.dose_path == "1TPP"
    assert trial.cohorts["replaced"] == [0]


def test_the_data_cut_waits_for_the_window_of_a_partial_dose() -> None:
    """Two partial doses, one free place left: the second patient's DLT, on day 28, fills it. Or the window is last."""
    story = [{"patient": 1, "full_dose": False}, {"patient": 2, "full_dose": False, "dlt_day": 28}]
    trial = simulate_trial(small(**AT_ONCE, accrual__consent_days=[0, 0, 0, 0], what_if=story, trial__max_days=60))
    assert trial.dose_path == "1XTNN"
    assert trial.patients["infusion_day"] == [0, 0, 0, 0]
    assert trial.patients["place_free_day"] == [0, 0, None, None]
    assert trial.cohorts["data_cut_day"][0] == 28
    story = [{"patient": n, "dlt_day": 2} for n in (3, 4, 5)] + [{"patient": 2, "full_dose": False}]
    trial = simulate_trial(
        small(
            **AT_ONCE,
            accrual__consent_days=[0, 1, 1, 1],
            safety__cohort_size=3,
            safety__early_decision=False,
            rule={"name": "BOIN", "target": 0.3},
            what_if=story,
            trial__max_days=60,
        )
    )
    assert trial.dose_path == "1NXTT"  # the others' outcomes are known on day 28, patient 2's window ends on day 29
    assert trial.cohorts["data_cut_day"][0] == 29


def test_the_cap_has_room_for_who_takes_the_place_of_a_partial_dose() -> None:
    """Of three planned patients one gets less: evaluable ones are still three, infused ones are no more than three."""
    story = [{"patient": 2, "full_dose": False}]
    changes = {"accrual__consent_days": [0] * 4, "what_if": story, "trial__planned_patients": 3}
    trial = simulate_trial(small(**AT_ONCE, **changes))
    assert (trial.dose_path, trial.patients["infusion_day"]) == ("1NXNN", [0, 0, 0, 0])
    trial = simulate_trial(small(**AT_ONCE, **changes, trial__cap_counts="infused"))
    assert (trial.dose_path, trial.cohorts["data_cut_day"]) == ("1NXN", [28])


def test_a_decision_is_forced_by_a_dlt_beyond_the_places() -> None:
    """Patient 1's place has been taken; with patient 2's DLT there are two, whoever of the others is evaluable."""
    story = [{"patient": 1, "full_dose": False, "dlt_day": 5}, {"patient": 2, "dlt_day": 10}]
    trial = simulate_trial(small(**AT_ONCE, accrual__consent_days=[0] * 4, what_if=story, trial__max_days=60))
    assert trial.dose_path == "1TTNN"
    assert trial.cohorts["data_cut_day"] == [10]
    assert trial.decisions["forced"] == ["yes"]


def test_nobody_is_replaced_beyond_the_places() -> None:
    """Four have places or a DLT, of three places: the drop-out of one of them leaves the cohort full."""
    story = [{"patient": 1, "full_dose": False, "dlt_day": 5}, {"patient": 2, "drop_out_day": 10}]
    trial = simulate_trial(small(**AT_ONCE, accrual__consent_days=[0] * 5, what_if=story, trial__max_days=40))
    assert trial.dose_path == "1TXNN 1P"  # the fifth waits for the next cohort
    assert trial.cohorts["data_cut_day"] == [28, None]


def test_without_replacement_the_cohort_is_read_as_it_is() -> None:
    """Two evaluable patients of three: the rule asks for one more, after the committee's delay."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0, 0],
            safety__replace_non_evaluable=False,
            safety__review_delay_days=7,
            what_if=[{"patient": 2, "drop_out_day": 5}],
            trial__max_days=70,
        )
    )
    assert trial.dose_path == "1NXN 1N"
    assert trial.decisions["evaluable"] == [2, 3]
    assert trial.decisions["action"] == ["stay", "escalate"]
    assert trial.decisions["next_patients"] == [1, 3]
    assert trial.cohorts["opened_day"] == [0, 35, 70]


def test_the_cap_ends_the_trial_when_the_next_cohort_does_not_fit() -> None:
    """One DLT at each level: 6 patients at level 1, 3 at level 2, and no room for three more."""
    story = [{"patient": 1, "dlt_day": 1}, {"patient": 7, "dlt_day": 1}]
    changes = {"accrual__consent_days": [0] * 12, "what_if": story}
    nine = simulate_trial(small(trial__planned_patients=9, **changes))
    assert nine.dose_path == "1TNN 1NNN 2TNN"
    assert (nine.recommended, nine.stop_reason) == (None, "cap reached, inconclusive")
    assert nine.decisions["detail"][-1] == "the rule asks for 3 more at level 2, the cap leaves 0"
    eleven = simulate_trial(small(trial__planned_patients=11, **changes))
    assert eleven.dose_path == "1TNN 1NNN 2TNN"
    twelve = simulate_trial(small(trial__planned_patients=12, **changes))
    assert twelve.dose_path == "1TNN 1NNN 2TNN 2NNN"
    assert twelve.recommended == 2


def test_who_is_on_the_way_to_a_closed_level_takes_no_room_under_the_cap() -> None:
    """On day 49 level 2 is closed; patient 6, lymphodepleted on day 48, gets no cells, so three of eight are left."""
    trial = simulate_trial(
        small(
            rule__variant="B",
            accrual__consent_days=[0, 0, 0, 40, 40, 48, 60, 60, 60],
            treatment__lymphodepletion=lymphodepletion(3),
            trial__planned_patients=8,
            what_if=[{"patient": 4, "dlt_day": 6}, {"patient": 5, "dlt_day": 6}],
        )
    )
    assert trial.decisions["committee_day"] == [31, 49, 91]
    assert trial.patients["not_infused_reason"][5] == "withheld: the committee has closed this dose level"
    assert (trial.dose_path, trial.recommended) == ("1NNN 2TT 1NNN", 1)


def test_a_cap_on_infused_patients_leaves_no_replacement() -> None:
    changes = {
        "accrual__consent_days": [0] * 12,
        "trial__planned_patients": 6,
        "what_if": [{"patient": 5, "drop_out_day": 5}],
    }
    by_infused = simulate_trial(small(trial__cap_counts="infused", **changes))
    assert by_infused.dose_path == "1NNN 2NXN"
    assert by_infused.stop_reason == "cap reached, inconclusive"
    by_evaluable = simulate_trial(small(**changes))
    assert by_evaluable.dose_path == "1NNN 2NXNN"
    assert by_evaluable.recommended == 2


def test_places_left_under_the_cap_are_filled_at_the_recommended_dose() -> None:
    """Level 2 is closed; the MTD is level 1, and four of nine places are left for it."""
    story = [{"patient": 4, "dlt_day": 1}, {"patient": 5, "dlt_day": 1}]
    changes = {
        "accrual__consent_days": [0, 0, 0, 30, 30, 40, 40, 40, 40, 40],
        "trial__planned_patients": 9,
        "what_if": story,
    }
    stopped = simulate_trial(small(**changes))
    assert (stopped.dose_path, stopped.recommended) == ("1NNN 2TT", 1)
    expands = {"safety__when_rule_finished": "expand", "stopping__expansion_too_toxic_probability": 1.0}
    expanded = simulate_trial(small(**expands, **changes))
    assert (expanded.dose_path, expanded.recommended) == ("1NNN 2TT 1NNNN", 1)
    assert expanded.cohorts["purpose"] == ["escalation", "escalation", "expansion"]
    assert expanded.stop_reason == "MTD declared: the next dose level exceeds it"


def test_an_expansion_is_closed_for_toxicity_at_once() -> None:
    """Two DLTs of the expansion make 2 in 5 at level 1; two lymphodepleted patients then get no cells.

    Beta(3, 4) is above .25 with probability .831; after one DLT in 4, Beta(2, 4) would be with .633.
    """
    trial = simulate_trial(
        small(
            safety__when_rule_finished="expand",
            stopping__expansion_too_toxic_probability=0.8,
            stopping__too_toxic_above=0.25,
            trial__planned_patients=9,
            accrual__consent_days=[0, 0, 0, 30, 30, 40, 40, 41, 41],
            treatment__lymphodepletion=lymphodepletion(3),
            what_if=[{"patient": k, "dlt_day": 1} for k in (4, 5, 6, 7)],
        )
    )
    assert (trial.dose_path, trial.recommended) == ("1NNN 2TT 1TT", 1)
    closed = [row for row in trial.events if row["event"] in ("expansion closed", "enrolment closed")]
    assert [(row["day"], row["cohort"]) for row in closed] == [(44, 3), (44, None)]
    withheld = trial.patients["not_infused_reason"]
    assert [reason for reason in withheld if reason] == ["withheld: the committee has closed this dose level"] * 2
    assert trial.cohorts["data_cut_day"][-1] == closed[0]["day"] and trial.cohorts["decision_day"][-1] is None
    assert milestones(trial)["expansion closed"] == closed[0]["day"]
    assert sum(waits(trial).values()) == trial.duration_days


def test_an_expansion_that_would_be_closed_at_once_is_not_opened() -> None:
    """1 DLT in 6 at level 1: Beta(2, 6) is above .25 with probability .445, and one place of ten is left."""
    dlts = [{"patient": k, "dlt_day": 1} for k in (1, 7, 8)]
    changes = {
        "safety__when_rule_finished": "expand",
        "stopping__too_toxic_above": 0.25,
        "trial__planned_patients": 10,
        "accrual__consent_days": [0] * 12,
        "what_if": dlts,
    }
    trial = simulate_trial(small(stopping__expansion_too_toxic_probability=0.4, **changes))
    assert (trial.dose_path, trial.recommended) == ("1TNN 1NNN 2TTN", 1)
    decided, end = [row for row in trial.events if row["event"] in ("decision", "expansion closed")][-2:]
    assert (end["event"], end["day"], end["level"], end["cohort"]) == ("expansion closed", decided["day"], 1, None)
    assert milestones(trial)["expansion closed"] == milestones(trial)["enrolment closed"] == decided["day"]
    assert "is NOT OPENED, too toxic: 1 DLT in 6 patients at this level" in " ".join(story(trial).split())
    opened = simulate_trial(small(stopping__expansion_too_toxic_probability=0.5, **changes))
    assert opened.dose_path == "1TNN 1NNN 2TTN 1N"


def test_an_expansion_whose_last_outcomes_are_too_toxic_is_closed_and_not_complete() -> None:
    """As many DLTs, and the expansion has no place left: that it is over does not make it harmless."""
    trial = simulate_trial(
        small(
            safety__when_rule_finished="expand",
            stopping__expansion_too_toxic_probability=0.8,
            stopping__too_toxic_above=0.25,
            trial__planned_patients=7,
            accrual__consent_days=[0, 0, 0, 30, 30, 40, 40],
            what_if=[{"patient": k, "dlt_day": 1} for k in (4, 5, 6, 7)],
        )
    )
    assert trial.dose_path == "1NNN 2TT 1TT"
    ends = ("cohort complete", "expansion closed")
    assert [row["event"] for row in trial.events if row["cohort"] == 3 and row["event"] in ends] == ["expansion closed"]


def test_a_trial_without_room_under_the_cap_waits_for_outcomes_and_not_for_patients() -> None:
    """Four infused are all that the cap allows; one leaves on day 5, and a rolling rule has a place that nobody takes.

    At the last data cut but one the fourth patient is not enrolled yet, and three are on the way to their infusion.
    """
    trial = simulate_trial(
        small(
            rule={"name": "rolling six"},
            trial={**small().trial.model_dump(), "planned_patients": 4, "cap_counts": "infused"},
            accrual__consent_days=[0] * 5,
            treatment__lymphodepletion=lymphodepletion(3),
            what_if=[{"patient": 2, "drop_out_day": 5}],
        )
    )
    assert trial.dose_path == "1NXNN"
    assert waits(trial) == dict.fromkeys(waits(trial), 0) | {"lymphodepletion": 3, "DLT windows": 28}
    assert trial.decisions["lymphodepleted"] == [1, 2, 3, 0]
    assert trial.decisions["pending"] == [0, 0, 0, 0]


def test_a_closure_over_the_end_of_the_sentinel_stagger() -> None:
    """The stagger ends with an infusion on day 14, and days 14 and 15 are closed: no agent before day 16."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0],
            treatment__lymphodepletion=lymphodepletion(1),
            safety__sentinel_stagger_days=13,
            calendar__closed=[closed(14, 15)],
            trial__max_days=50,
        )
    )
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 consent c2
        0 eligible c2
        0 consent c3
        0 eligible c3
        0 lymphodepletion p1
        0 waits c2
        0 waits c3
        1 infusion p1
        13 closure k1@1
        16 lymphodepletion p2
        16 lymphodepletion p3
        17 infusion p2
        17 infusion p3
        29 window completed p1
        29 follow-up completed p1
        45 window completed p2
        45 follow-up completed p2
        45 window completed p3
        45 follow-up completed p3
        45 cohort complete k1@1
        45 decision k1@2
        45 cohort opened k2@2
        50 trial ended
    """)
    assert trial.events["detail"][log_of(trial).index("13 closure k1@1")] == "until 2025-01-17: the unit moves"


@pytest.mark.parametrize(("weeks", "day"), [([], 40), ([1], 61)], ids=["every Monday", "first Monday of the month"])
def test_a_meeting_day_is_a_holiday(weeks: list[int], day: int) -> None:
    """Cut on Wednesday 29 January; Monday 3 February is a holiday: 10 February, or 3 March, the next first Monday."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0],
            safety__meeting_weekdays=["Mon"],
            safety__meeting_weeks=weeks,
            calendar__closed=[closed(33, 33, "committee")],
            trial__max_days=70,
        )
    )
    assert log_of(trial) == expected(f"""
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 consent c2
        0 eligible c2
        0 consent c3
        0 eligible c3
        0 infusion p1
        0 infusion p2
        0 infusion p3
        28 window completed p1
        28 follow-up completed p1
        28 window completed p2
        28 follow-up completed p2
        28 window completed p3
        28 follow-up completed p3
        28 cohort complete k1@1
        {day} decision k1@2
        {day} cohort opened k2@2
        70 trial ended
    """)


def test_a_closure_over_lymphodepletion_and_not_over_infusion() -> None:
    """Agents on days -3 and -1, and none on days 2 and 4: not from day 0, as 2 is closed, nor from 2; from 1 and 3.

    Two infusions fall on day 4, which is closed for lymphodepletion alone.
    """
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 1, 2],
            treatment__lymphodepletion=[{"agent": "fludarabine", "mg_per_m2": 25, "days": [-3, -1]}],
            calendar__closed=[closed(2, 2, "lymphodepletion"), closed(4, 4, "lymphodepletion")],
            trial__max_days=40,
        )
    )
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 closure k1@1
        0 waits c1
        1 consent c2
        1 eligible c2
        1 lymphodepletion p1
        1 lymphodepletion p2
        2 consent c3
        2 eligible c3
        2 waits c3
        3 lymphodepletion p3
        4 infusion p1
        4 infusion p2
        6 infusion p3
        32 window completed p1
        32 follow-up completed p1
        32 window completed p2
        32 follow-up completed p2
        34 window completed p3
        34 follow-up completed p3
        34 cohort complete k1@1
        34 decision k1@2
        34 cohort opened k2@2
        40 trial ended
    """)


def test_a_later_infusion_that_would_fall_into_a_closure() -> None:
    """Infusions on days 0 and 7 of a patient, and none on day 7 of the trial: nobody begins on day 0, nor on day 7."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 1, 7],
            treatment__infusion_days=[0, 7],
            calendar__closed=[closed(7, 7, "infusion")],
            trial__max_days=40,
        )
    )
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 closure k1@1
        0 waits c1
        1 consent c2
        1 eligible c2
        1 infusion p1
        1 infusion p2
        7 consent c3
        7 eligible c3
        7 waits c3
        8 infusion p1
        8 infusion p2
        8 infusion p3
        15 infusion p3
        29 window completed p1
        29 follow-up completed p1
        29 window completed p2
        29 follow-up completed p2
        36 window completed p3
        36 follow-up completed p3
        36 cohort complete k1@1
        36 decision k1@2
        36 cohort opened k2@2
        40 trial ended
    """)


def test_consent_is_closed_on_fixed_consent_days() -> None:
    """Consents of days 1 and 2 are put off to day 4, as days 1 to 3 are closed for it; treatment goes on."""
    trial = simulate_trial(
        small(accrual__consent_days=[0, 1, 2, 5], calendar__closed=[closed(1, 3, "consent")], trial__max_days=35)
    )
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 infusion p1
        4 consent c2
        4 eligible c2
        4 consent c3
        4 eligible c3
        4 infusion p2
        4 infusion p3
        5 consent c4
        5 eligible c4
        5 waits c4
        28 window completed p1
        28 follow-up completed p1
        32 window completed p2
        32 follow-up completed p2
        32 window completed p3
        32 follow-up completed p3
        32 cohort complete k1@1
        32 decision k1@2
        32 cohort opened k2@2
        32 infusion p4
        35 trial ended
    """)


def test_screening_is_closed_on_the_day_of_the_result() -> None:
    """Screening takes 10 days; no result is given on days 10 and 11, so two come on day 12, and one on its day, 13."""
    changes: dict[str, Any] = {
        "accrual__consent_days": [0, 1, 3],
        "screening__days": 10,
        "calendar__closed": [closed(10, 11, "screening")],
        "trial__max_days": 45,
    }
    trial = simulate_trial(small(**changes))
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        1 consent c2
        3 consent c3
        12 eligible c1
        12 eligible c2
        12 infusion p1
        12 infusion p2
        13 eligible c3
        13 infusion p3
        40 window completed p1
        40 follow-up completed p1
        40 window completed p2
        40 follow-up completed p2
        41 window completed p3
        41 follow-up completed p3
        41 cohort complete k1@1
        41 decision k1@2
        41 cohort opened k2@2
        45 trial ended
    """)
    failed = simulate_trial(small(screening__failure_probability={"organ function": 1.0}, **changes))
    assert log_of(failed)[4:-1] == ["12 screen failure c1", "12 screen failure c2", "13 screen failure c3"]


def test_nobody_waits_for_a_gate_that_who_gets_no_cells_leaves_open_the_same_day() -> None:
    """Patient 1 gets no cells, so patient 2 is the sentinel on the same day; patient 3 would follow on a closed day."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 5],
            safety__sentinel_stagger_days=14,
            what_if=[{"patient": 1, "infused": False}],
            calendar__closed=[closed(14, 15, "infusion")],
            trial__max_days=30,
        )
    )
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 consent c2
        0 eligible c2
        0 not infused p1
        0 infusion p2
        5 consent c3
        5 eligible c3
        5 waits c3
        14 closure k1@1
        16 infusion p3
        28 window completed p2
        28 follow-up completed p2
        30 trial ended
    """)


MONDAY = date(2025, 1, 6)
THREE_AT_ONCE = """
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 consent c2
        0 eligible c2
        0 consent c3
        0 eligible c3"""


def test_a_batch_fails_while_a_patient_is_lymphodepleted() -> None:
    """One dose in store; the batch of day 5 fails, so that two wait for that of day 10; patient 1 has his dose."""
    scenario = small(
        accrual__consent_days=[0, 0, 0],
        treatment__lymphodepletion=lymphodepletion(7),
        product={
            "kind": "off_the_shelf",
            "doses_at_start": 1,
            "batch_dates": [START + timedelta(days=5), START + timedelta(days=10)],
            "doses_per_batch": 2,
            "batch_failure_probability": 0.5,
        },
        trial__max_days=40,
    )
    fails = Nature(scenario, 1, 0, 100).batch_fails.tolist()
    trial = simulate_trial(scenario, seed=1, replicate=fails.index([True, False]))
    assert log_of(trial) == expected(f"""{THREE_AT_ONCE}
        0 lymphodepletion p1
        0 product k1@1
        0 waits c2
        0 waits c3
        7 infusion p1
        10 lymphodepletion p2
        10 lymphodepletion p3
        17 infusion p2
        17 infusion p3
        35 window completed p1
        35 follow-up completed p1
        40 trial ended
    """)
    assert trial.events["detail"][log_of(trial).index("0 product k1@1")] == "until 2025-01-06"
    none_fails = simulate_trial(scenario, seed=1, replicate=fails.index([False, False]))
    assert none_fails.patients["treatment_start_day"] == [0, 5, 5]


def test_who_gets_no_cells_gives_dose_bed_and_week_back() -> None:
    """One dose, one bed, one infusion a week, and patient 1 gets no cells on day 3: patient 2 begins on that day.

    The third trial begins on a Monday, so that the infusions, on Thursday and on Sunday, are in one week.
    """
    for limits in (
        {"product": {"kind": "off_the_shelf", "doses_at_start": 1, "batches_every_days": 20, "doses_per_batch": 1}},
        {"capacity": {"patients_at_once": 1, "discharge_days": 10}},
        {"capacity": {"infusions_per_week": 1}, "trial__start_date": MONDAY},
    ):
        trial = simulate_trial(
            small(
                accrual__consent_days=[0, 0],
                treatment__lymphodepletion=lymphodepletion(3),
                what_if=[{"patient": 1, "infused": False}],
                **limits,
            )
        )
        assert trial.patients["treatment_start_day"] == [0, 3]


@pytest.mark.parametrize(
    ("infusion_days", "log"),
    [
        (
            [0],
            """
        0 infusion p1
        0 capacity k1@1
        0 waits c2
        0 waits c3
        5 infusion p2
        12 infusion p3
        28 window completed p1
        28 follow-up completed p1""",
        ),
        (
            [0, 4],
            """
        0 capacity k1@1
        0 waits c1
        0 waits c2
        0 waits c3
        1 infusion p1
        5 infusion p1
        15 infusion p2
        19 infusion p2
        29 window completed p1
        29 follow-up completed p1
        29 infusion p3""",
        ),
    ],
    ids=["one infusion", "two infusions"],
)
def test_one_infusion_a_week(infusion_days: list[int], log: str) -> None:
    """Day 0 is a Wednesday, so weeks begin on days 5, 12, 19, 26; two infusions, four days apart, begin on a Thursday.

    Earlier in the week both would be in one week; and who begins on Thursday takes the week after it, too.
    """
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0],
            treatment__infusion_days=infusion_days,
            capacity={"infusions_per_week": 1},
            trial__max_days=30,
        )
    )
    assert log_of(trial) == expected(f"{THREE_AT_ONCE}{log}\n        30 trial ended")


def test_a_bed_is_free_on_the_day_of_discharge() -> None:
    """Two beds, from lymphodepletion on day 0 to discharge on day 13, ten days after the infusion."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0],
            treatment__lymphodepletion=lymphodepletion(3),
            capacity={"patients_at_once": 2, "discharge_days": 10},
            trial__max_days=30,
        )
    )
    assert log_of(trial) == expected(f"""{THREE_AT_ONCE}
        0 lymphodepletion p1
        0 lymphodepletion p2
        0 capacity k1@1
        0 waits c3
        3 infusion p1
        3 infusion p2
        13 lymphodepletion p3
        16 infusion p3
        30 trial ended
    """)


def test_lymphodepletion_after_the_stagger() -> None:
    """The sentinel's stagger is over on day 3 + 14: lymphodepletion begins then, and not three days before."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0],
            treatment__lymphodepletion=lymphodepletion(3),
            safety__sentinel_stagger_days=14,
            safety__lymphodepletion_in_stagger=False,
            trial__max_days=30,
        )
    )
    assert log_of(trial) == expected(f"""{THREE_AT_ONCE}
        0 lymphodepletion p1
        0 waits c2
        0 waits c3
        3 infusion p1
        17 lymphodepletion p2
        20 infusion p2
        20 lymphodepletion p3
        23 infusion p3
        30 trial ended
    """)


@pytest.mark.parametrize(("urgent", "day"), [(2, 8), (None, 19)], ids=["urgent", "ordinary"])
def test_the_committee_looks_at_the_dlt_of_a_sentinel(urgent: int | None, day: int) -> None:
    """DLT on day 6, stagger to day 7. Urgent: two days on. Ordinary: 13 is a Tuesday, the Monday after it is day 19."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0],
            safety__sentinel_stagger_days=7,
            safety__after_sentinel_dlt="review",
            safety__urgent_review_days=urgent,
            safety__review_delay_days=7,
            safety__meeting_weekdays=["Mon"],
            what_if=[{"patient": 1, "dlt_day": 6}],
            trial__max_days=30,
        )
    )
    assert log_of(trial) == expected(f"""{THREE_AT_ONCE}
        0 infusion p1
        0 waits c2
        0 waits c3
        6 DLT p1
        7 review k1@1
        {day} infusion p2
        {day} infusion p3
        28 follow-up completed p1
        30 trial ended
    """)


def test_an_urgent_meeting_falls_on_a_holiday_of_the_committee() -> None:
    """Forced on Saturday, day 3: two days on is Monday, day 5, a holiday like Tuesday; it is Wednesday, day 7."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0],
            safety__review_delay_days=7,
            safety__urgent_review_days=2,
            safety__meeting_weekdays=["Mon"],
            safety__meeting_weeks=[1],
            calendar__closed=[closed(5, 6, "committee")],
            what_if=[{"patient": 1, "dlt_day": 3}, {"patient": 2, "dlt_day": 3}],
        )
    )
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 consent c2
        0 eligible c2
        0 infusion p1
        0 infusion p2
        3 DLT p1
        3 DLT p2
        3 decision forced k1@1
        7 decision k1@none
        7 enrolment closed
        28 follow-up completed p1
        28 follow-up completed p2
        28 trial ended
    """)


def test_a_rolling_rule_stays_without_a_meeting() -> None:
    """Places come two days after the data cut, though the committee does not meet before day 20.

    On day 33 the rule would stay, with one of three pending; on day 35 none is, and it would escalate: that takes a
    meeting, seven days later.
    """
    trial = simulate_trial(
        small(
            rule={"name": "rolling six"},
            accrual__consent_days=[0, 1, 4, 33],
            safety__review_delay_days=7,
            safety__assignment_delay_days=2,
            calendar__closed=[closed(0, 20, "committee")],
            trial__max_days=45,
        )
    )
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 infusion p1
        1 consent c2
        1 eligible c2
        1 candidate ready k1@1
        1 waits c2
        3 decision k1@1
        3 infusion p2
        4 consent c3
        4 eligible c3
        4 candidate ready k1@1
        4 waits c3
        6 decision k1@1
        6 infusion p3
        28 window completed p1
        28 follow-up completed p1
        31 window completed p2
        31 follow-up completed p2
        33 consent c4
        33 eligible c4
        33 candidate ready k1@1
        33 waits c4
        34 window completed p3
        34 follow-up completed p3
        42 decision k1@2
        42 cohort opened k2@2
        42 infusion p4
        45 trial ended
    """)
    assert trial.decisions["data_cut_day"] == [1, 4, 33]


@pytest.mark.parametrize(
    ("policy", "after_two_dlts", "after_one"),
    [
        ("infuse", "infusion", "infusion"),
        ("withhold", "not infused", "not infused"),
        ("withhold_if_closed", "not infused", "infusion"),
    ],
)
def test_a_patient_is_lymphodepleted_when_the_decision_is_forced(
    policy: str, after_two_dlts: str, after_one: str
) -> None:
    """Patient 3 is due on day 6; on day 5 two DLTs force the decision of day 15, or one does not."""
    changes: dict[str, Any] = {
        "accrual__consent_days": [0, 0, 3],
        "treatment__lymphodepletion": lymphodepletion(3),
        "safety__review_delay_days": 10,
        "safety__dlt_after_lymphodepletion": policy,
        "trial__max_days": 30,
    }
    log = """
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 consent c2
        0 eligible c2
        0 lymphodepletion p1
        0 lymphodepletion p2
        3 consent c3
        3 eligible c3
        3 infusion p1
        3 infusion p2
        3 lymphodepletion p3
        5 DLT p1"""
    two = [{"patient": 1, "dlt_day": 2}, {"patient": 2, "dlt_day": 2}]
    assert log_of(simulate_trial(small(what_if=two, **changes))) == expected(f"""{log}
        5 DLT p2
        5 decision forced k1@1
        6 {after_two_dlts} p3
        15 decision k1@none
        15 enrolment closed
        30 trial ended
    """)
    assert log_of(simulate_trial(small(what_if=two[:1], **changes))) == expected(f"""{log}
        6 {after_one} p3
        30 trial ended
    """)


@pytest.mark.parametrize(("policy", "evaluable"), [("withhold", 2), ("give", 3)])
def test_a_later_infusion_at_a_level_that_must_be_left(policy: str, evaluable: int) -> None:
    """Two DLTs on day 5 force a decision that is taken on day 9; patient 3 is due to a second infusion on day 7."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0],
            treatment__infusion_days=[0, 7],
            safety__review_delay_days=4,
            safety__early_decision=True,
            safety__later_infusions_at_closed_level=policy,
            what_if=[{"patient": 1, "dlt_day": 5}, {"patient": 2, "dlt_day": 5}],
        )
    )
    told = log_of(trial)
    assert ("7 infusion withheld p3" in told, "7 infusion p3" in told) == (policy == "withhold", policy == "give")
    assert "5 decision forced k1@1" in told and "9 decision k1@none" in told
    assert sum(outcome in ("DLT", "no DLT") for outcome in trial.patients["outcome"]) == evaluable
    assert trial.patients["last_infusion_day"] == [0, 0, 0 if policy == "withhold" else 7]


def details(trial: Trial, event: str) -> dict[int, str | None]:
    """What one kind of event told each candidate, at last."""
    return {row["candidate"]: row["detail"] for row in trial.events if row["event"] == event}


def test_a_closure_of_consents_ends_on_the_last_day_of_patience() -> None:
    """One candidate a place; c4 and c5 stand on the list when level 2 opens on day 9, and nobody consents before 10."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0, 1, 2, 10],
            accrual__patience_days=9,
            screening__days=2,
            screening__while_closed="list",
            screening__candidates_per_place=1,
            calendar__closed=[closed(8, 9, "consent")],
            safety__dlt_window_days=7,
            follow_up__days=7,
            trial__max_days=15,
        )
    )
    # c4 has waited for 9 days on day 10, before anybody consents; c5 for 8; c6 comes, and is screened the same day.
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 referred c1
        0 consent c1
        0 referred c2
        0 consent c2
        0 referred c3
        0 consent c3
        1 referred c4
        1 waits c4
        2 eligible c1
        2 eligible c2
        2 eligible c3
        2 referred c5
        2 waits c5
        2 infusion p1
        2 infusion p2
        2 infusion p3
        9 window completed p1
        9 follow-up completed p1
        9 window completed p2
        9 follow-up completed p2
        9 window completed p3
        9 follow-up completed p3
        9 cohort complete k1@1
        9 decision k1@2
        9 cohort opened k2@2
        10 withdrew c4
        10 consent c5
        10 referred c6
        10 consent c6
        12 eligible c5
        12 eligible c6
        12 infusion p4
        12 infusion p5
        15 trial ended
    """)
    assert trial.patients["waiting_days"] == [0, 0, 0, 9, 8, 0]
    assert trial.patients["consent_day"] == [0, 0, 0, None, 10, 10]
    assert trial.patients["state"][3] == "not consented"


def test_results_expire_on_the_day_on_which_a_place_opens() -> None:
    """They hold for 5 days: those of c4, of day 3, through day 8, and a place opens on day 9; c5 has a day more."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0, 1, 2],
            screening__days=2,
            screening__valid_days=5,
            safety__dlt_window_days=7,
            follow_up__days=7,
            trial__max_days=12,
        )
    )
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 consent c2
        0 consent c3
        1 consent c4
        2 eligible c1
        2 eligible c2
        2 eligible c3
        2 consent c5
        2 infusion p1
        2 infusion p2
        2 infusion p3
        3 eligible c4
        3 waits c4
        4 eligible c5
        4 waits c5
        9 window completed p1
        9 follow-up completed p1
        9 window completed p2
        9 follow-up completed p2
        9 window completed p3
        9 follow-up completed p3
        9 cohort complete k1@1
        9 decision k1@2
        9 cohort opened k2@2
        9 screened again c4
        9 infusion p4
        11 eligible c4
        11 infusion p5
        12 trial ended
    """)
    assert trial.patients["waiting_days"] == [0, 0, 0, 6, 5]
    assert trial.patients["screening_end_day"] == [2, 2, 2, 11, 4]


def test_patience_ends_before_results_expire_on_the_same_day() -> None:
    """c4 waits from day 3 on, with results that hold through day 8, and patience ends on day 9; a place opens then."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0, 1],
            accrual__patience_days=6,
            screening__days=2,
            screening__valid_days=5,
            safety__dlt_window_days=7,
            follow_up__days=7,
            trial__max_days=12,
        )
    )
    assert [line for line in log_of(trial) if line.endswith("c4")] == expected("""
        1 consent c4
        3 eligible c4
        3 waits c4
        9 withdrew c4
    """)


def test_who_is_screened_again_goes_to_the_end_of_the_line() -> None:
    """Screening takes no days: on day 3, with one place, c2, who came first, is behind c3, who asked on day 2."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 2],
            screening__valid_days=2,
            safety__cohort_size=1,
            safety__dlt_window_days=3,
            rule={"name": "BOIN", "target": 0.3},
            follow_up__days=3,
            trial__max_days=6,
        )
    )
    assert [line for line in log_of(trial) if not line.startswith("0 ")] == expected("""
        2 consent c3
        2 eligible c3
        2 waits c3
        3 window completed p1
        3 follow-up completed p1
        3 cohort complete k1@1
        3 decision k1@2
        3 cohort opened k2@2
        3 screened again c2
        3 eligible c2
        3 infusion p2
        3 waits c2
        6 window completed p2
        6 follow-up completed p2
        6 cohort complete k2@2
        6 decision k2@2
        6 cohort opened k3@2
        6 screened again c2
        6 eligible c2
        6 infusion p3
        6 trial ended
    """)
    assert trial.patients["waiting_days"] == [0, 6, 1]
    assert trial.patients["patient"] == [1, 3, 2]


def test_a_data_cut_makes_a_notice_void() -> None:
    """Five days of notice. c3 is told on day 4; two DLTs close the level on day 6: told again when level 1 opens."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 4],
            treatment__notice_days=5,
            rule={"name": "3+3", "variant": "B"},
            safety__start_level=2,
            safety__review_delay_days=2,
            safety__dlt_window_days=7,
            what_if=[{"patient": 1, "dlt_day": 1}, {"patient": 2, "dlt_day": 1}],
            trial__max_days=19,
        )
    )
    assert log_of(trial) == expected("""
        0 cohort opened k1@2
        0 consent c1
        0 eligible c1
        0 consent c2
        0 eligible c2
        0 notice given c1
        0 notice given c2
        0 notice k1@2
        0 waits c1
        0 waits c2
        4 consent c3
        4 eligible c3
        4 notice given c3
        4 waits c3
        5 infusion p1
        5 infusion p2
        6 DLT p1
        6 DLT p2
        6 decision forced k1@2
        8 decision k1@1
        8 cohort opened k2@1
        8 notice given c3
        8 notice k2@1
        13 infusion p3
        19 trial ended
    """)
    assert trial.patients["waiting_days"] == [5, 5, 9]
    assert details(trial, "waits")[3] == f"the next infusion is possible on {START + timedelta(days=5)}"


def test_who_is_lost_is_told_of_the_notice() -> None:
    """One may wait, and notice is a day: the other one is lost, and told when an infusion is possible."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0],
            accrual__most_waiting=1,
            treatment__notice_days=1,
            safety__cohort_size=1,
            safety__dlt_window_days=1,
            rule={"name": "BOIN", "target": 0.3},
            trial__max_days=2,
        )
    )
    assert details(trial, "no place") == {2: f"the next infusion is possible on {START + timedelta(1)}"}


def test_a_second_attempt_at_a_product_that_is_ready_when_the_results_have_expired() -> None:
    """Ten days each: the first attempt fails on day 12, the second is there on day 22; results hold through day 17."""
    scenario = small(
        accrual__consent_days=[0],
        screening__days=2,
        screening__valid_days=15,
        product={"kind": "autologous", "manufacture_days": 10, "failure_probability": 0.5, "most_attempts": 2},
        trial__max_days=30,
    )
    drawn = {replicate: Nature(scenario, 1, replicate, 1).candidate(replicate, 0) for replicate in range(30)}
    one = next(number for number, who in drawn.items() if who is not None and 0.25 <= who.product_uniform < 0.5)
    trial = simulate_trial(scenario, seed=1, replicate=one)
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        2 eligible c1
        2 apheresis c1
        12 manufacture failed c1
        12 apheresis c1
        22 product ready c1
        22 screened again c1
        24 eligible c1
        24 infusion p1
        30 trial ended
    """)
    assert [row["detail"] for row in trial.events if row["event"] == "apheresis"] == [None, "attempt 2"]
    assert trial.patients["waiting_days"] == [0]
    assert trial.patients["screening_end_day"] == [24]


def test_no_attempt_at_a_product_is_left() -> None:
    """Three days each; both attempts fail, and the candidate never asks for a place."""
    scenario = small(
        accrual__consent_days=[0],
        product={
            "kind": "autologous",
            "manufacture_days": 3,
            "out_of_specification_probability": 0.9,
            "most_attempts": 2,
        },
        safety__dlt_window_days=7,
        trial__max_days=10,
    )
    drawn = {replicate: Nature(scenario, 1, replicate, 1).candidate(replicate, 0) for replicate in range(30)}
    one = next(number for number, who in drawn.items() if who is not None and who.product_uniform < 0.81)
    trial = simulate_trial(scenario, seed=1, replicate=one)
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 consent c1
        0 eligible c1
        0 apheresis c1
        3 out of specification c1
        3 apheresis c1
        6 out of specification c1
        6 no product c1
        10 trial ended
    """)
    assert (trial.patients["state"], trial.patients["waiting_days"]) == (["no product"], [None])


def test_candidates_come_for_a_meeting_that_a_closure_puts_off() -> None:
    """The cut is on day 7, the meeting three days later, which is closed, up to day 12: on day 13. Consents come four
    days ahead: not on day 8, but on day 9."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0, 6, 8, 9],
            screening__while_closed="waits",
            screening__opens_days_ahead=4,
            calendar__closed=[closed(10, 12, "committee")],
            safety__dlt_window_days=7,
            safety__review_delay_days=3,
            follow_up__days=7,
            trial__max_days=15,
        )
    )
    assert log_of(trial) == expected("""
        0 cohort opened k1@1
        0 referred c1
        0 consent c1
        0 eligible c1
        0 referred c2
        0 consent c2
        0 eligible c2
        0 referred c3
        0 consent c3
        0 eligible c3
        0 infusion p1
        0 infusion p2
        0 infusion p3
        6 referred c4
        6 no place c4
        7 window completed p1
        7 follow-up completed p1
        7 window completed p2
        7 follow-up completed p2
        7 window completed p3
        7 follow-up completed p3
        7 cohort complete k1@1
        8 referred c5
        8 no place c5
        9 referred c6
        9 consent c6
        9 eligible c6
        9 waits c6
        13 decision k1@2
        13 cohort opened k2@2
        13 infusion p4
        15 trial ended
    """)
    assert trial.patients["waiting_days"] == [0, 0, 0, None, None, 4]
    assert trial.patients["state"][3] == "not consented"


@pytest.mark.parametrize("lead", [3, 0])
def test_the_cap_is_filled_on_the_day_of_an_infusion(lead: int) -> None:
    """c4 is in screening then, and c5 has come the same day: both are turned away, after the infusions of that day."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0, 5, 10 + lead, 11 + lead],
            screening__days=10,
            treatment__lymphodepletion=lymphodepletion(lead) if lead else [],
            safety__dlt_window_days=7,
            follow_up__days=7,
            trial__planned_patients=3,
            trial__cap_counts="infused",
        )
    )
    zero, end = 10 + lead, 17 + lead
    starts = "".join(f"10 lymphodepletion p{patient}\n" for patient in (1, 2, 3)) if lead else ""
    assert log_of(trial) == expected(f"""
        0 cohort opened k1@1
        0 consent c1
        0 consent c2
        0 consent c3
        5 consent c4
        10 eligible c1
        10 eligible c2
        10 eligible c3
        {starts}{zero} consent c5
        {zero} infusion p1
        {zero} infusion p2
        {zero} infusion p3
        {zero} enrolment closed
        {zero} turned away c4
        {zero} turned away c5
        {end} window completed p1
        {end} follow-up completed p1
        {end} window completed p2
        {end} follow-up completed p2
        {end} window completed p3
        {end} follow-up completed p3
        {end} cohort complete k1@1
        {end} decision k1@none
        {end} trial ended
    """)
    assert trial.stop_reason == "cap reached, inconclusive"
    assert [row["detail"] for row in trial.events if row["event"] == "enrolment closed"] == [
        "the cap is filled: no place can open any more"
    ]
