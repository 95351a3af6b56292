"""Bad scenarios: one test per message, with file, line, key, value and what is allowed."""

# ruff: noqa: E501

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import ROOT
from escalate import EscalateError, Scenario, ScenarioError, load

BASE = (ROOT / "tests" / "data" / "open-every-day.toml").read_text(encoding="utf-8")


def line_of(text: str, start: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(start))


def problems_of(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "scenario.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(file)
    return [str(problem).removeprefix(str(tmp_path) + os.sep) for problem in caught.value.problems]


def edited(old: str, new: str) -> str:
    assert BASE.count(old) == 1, old
    return BASE.replace(old, new)


# What is edited in the base case, the start of the line that must be named, and what the message must say.
EDITS = {
    "unknown key": ("cohort_size = 3", "cohort_siz = 3", "cohort_siz", "safety.cohort_siz = 3: unknown key. Did you mean `cohort_size`?"),
    "unknown section": ("[follow_up]\ndays = 180", "[follow_up]\ndays = 180\n[folow_up]\nx = 1", "[folow_up]", 'folow_up = {"x": 1}: unknown key. Did you mean `follow_up`?'),
    "wrong type: text": ("cohort_size = 3", 'cohort_size = "3"', "cohort_size", 'safety.cohort_size = "3": must be a whole number'),
    "wrong type: true": ("cohort_size = 3", "cohort_size = true", "cohort_size", "safety.cohort_size = true: must be a whole number"),
    "wrong type: fraction": ("cohort_size = 3", "cohort_size = 2.5", "cohort_size", "safety.cohort_size = 2.5: must be a whole number"),
    "wrong type: list": ("infusion_days = [0]", "infusion_days = 0", "infusion_days", "treatment.infusion_days = 0: must be a list in square brackets"),
    "wrong type: date": ("start_date = 2024-08-30", 'start_date = "2024-08-30"', "start_date", "must be a date as TOML writes it, without quotes"),
    "a date with a time": ("start_date = 2024-08-30", "start_date = 2024-08-30T10:00:00", "start_date", "trial.start_date"),
    "missing key": ("consents_per_month = 0.857        # 0.6 eligible a month / (1 - 0.30 screen failures)\n", "", "[accrual]", "accrual.consents_per_month: is missing. It means: Mean number of consents a month"),
    "negative days": ("review_delay_days = 7", "review_delay_days = -1", "review_delay_days", "safety.review_delay_days = -1: must be at least 0. It means: From the data cut"),
    "infinite": ("consents_per_month = 0.857", "consents_per_month = inf", "consents_per_month", "accrual.consents_per_month = Infinity: must be a finite number"),
    "not a number": ("consents_per_month = 0.857", "consents_per_month = nan", "consents_per_month", "accrual.consents_per_month = NaN: must be a finite number"),
    "probability above one": ("dlt_probability = [0.03, 0.06]", "dlt_probability = [0.03, 1.2]", "dlt_probability", "toxicity.dlt_probability[2] = 1.2: must be at most 1. It means: Probability of a DLT"),
    "probability below zero": ("drop_out_per_year = 0.08", "drop_out_per_year = -0.1", "drop_out_per_year", "attrition.drop_out_per_year = -0.1: must be at least 0"),
    "too few probabilities": ("dlt_probability = [0.03, 0.06]", "dlt_probability = [0.03]", "dlt_probability", "toxicity.dlt_probability = [0.03]: has 1 values, and there are 2 dose levels"),
    "screening adds up to more than one": ('"inclusion 9: ECOG above 1" = 0.01\n', '"inclusion 9: ECOG above 1" = 0.9\n', "[screening.failure_probability]", "add up to 1.19, more than 1"),
    "completion before start": ("planned_completion_date = 2026-07-30", "planned_completion_date = 2024-08-30", "planned_completion_date", "planned_completion_date must be later than start_date"),
    "sentinel stagger impossible": ("sentinel_stagger_days = 14", "sentinel_stagger_days = 3650", "sentinel_stagger_days", "safety.sentinel_stagger_days = 3650: must be less than trial.max_days, which is 3650"),
    "window impossible": (
        "max_days = 3650",
        "max_days = 20",
        "dlt_window_days",
        "safety.dlt_window_days = 28: the DLT window ends 28 days after the first infusion, and must end before trial.max_days, which is 20",
    ),
    "window ends before the last infusion": ("infusion_days = [0]", "infusion_days = [0, 30]", "dlt_window_days", "the DLT window must end after the last infusion, which is on day 30"),
    "follow-up ends before the window": ("days = 180", "days = 27", "days = 27", "follow_up.days = 27: follow-up must last at least until the DLT window ends, day 28"),
    "first infusion not on day 0": ("infusion_days = [0]", "infusion_days = [1]", "infusion_days", "infusion_days must begin with 0 and increase"),
    "lymphodepletion after infusion": ('agent = "fludarabine"\nmg_per_m2 = 25\ndays = [-3]', 'agent = "fludarabine"\nmg_per_m2 = 25\ndays = [3]', "days = [3]", "treatment.lymphodepletion[1].days[1] = 3: must be less than 0"),
    "an agent twice": ('agent = "cyclophosphamide"', 'agent = "fludarabine"', "[treatment]", "each lymphodepletion agent is written once"),
    "start level": ("cohort_size = 3", "cohort_size = 3\nstart_level = 3", "start_level", "safety.start_level = 3: there are 2 dose levels: allowed are 1 to 2"),
    "dose levels not ascending": ("cells = 13.5e9", "cells = 8e9", "cells = 8e9", "dose_levels[2].cells = 8000000000.0: dose levels are written lowest first"),
    "a label twice": ('label = "13.5e9 cells"', 'label = "9e9 cells"', 'label = "9e9 cells"', "another dose level has this label"),
    "cells for one level alone": ("cells = 13.5e9\n", "", "[[dose_levels]]", "has no `cells`, and other levels do"),
    "cap too small": ("planned_patients = 9 ", "planned_patients = 2 ", "planned_patients", "trial.planned_patients = 2: leaves no room for the first cohort of 3"),
    "rule unknown": ('name = "3+3"', 'name = "4+4"', "name", "rule.name = \"4+4\": must be one of '3+3', 'rolling six', 'IQ rolling six', 'BOIN'"),
    "variant unknown": ('variant = "C"', 'variant = "D"', "variant", "rule.variant = \"D\": must be 'A', 'B' or 'C'"),
    "arrival process unknown": ('kind = "poisson"', 'kind = "weekly"', "kind", "accrual.kind = \"weekly\": must be one of 'poisson', 'fixed'"),
    "partial doses are not replaced": ("replace_non_evaluable = true", 'replace_non_evaluable = false\nreplace_partial_dose = "at_once"', "replace_partial_dose", 'safety.replace_partial_dose = "at_once": has no effect'),
    "a waiting list without waiting": ('without_place = "wait"\npatience_days = 60', 'without_place = "lost"\nmost_waiting = 3', "most_waiting", "accrual.most_waiting = 3: has no effect"),
    "patience without waiting": ('without_place = "wait"', 'without_place = "lost"', "patience_days", "accrual.patience_days = 60: has no effect"),
    "weekdays that no treatment suits": ("infusion_days = [0]", 'infusion_days = [0]\nweekdays = ["Mon"]\nlymphodepletion_weekdays = ["Mon"]', "weekdays", 'treatment.weekdays = ["Mon"]: no treatment can begin: its days that are bound to weekdays, -3 and 0, never fall on'),
    "weekdays of no later infusion": ("infusion_days = [0]", 'infusion_days = [0]\nlater_infusion_weekdays = ["Mon"]', "later_infusion_weekdays", "has no effect: there is one infusion; leave it out"),
    "closed from the end": ("[toxicity]\n", '[[calendar.closed]]\nfirst_day = 2024-10-07\nlast_day = 2024-10-01\nreason = "holiday"\n[toxicity]\n', "last_day", "calendar.closed[1].last_day = 2024-10-01: last_day must not be before first_day"),
    "closed for a year every year": ("[toxicity]\n", '[[calendar.closed]]\nfirst_day = 2024-01-01\nlast_day = 2024-12-31\nevery_year = true\nreason = "holiday"\n[toxicity]\n', "[[calendar.closed]]", "a closure of every year must be shorter than a year"),
    "infusions on no day at all": ("[toxicity]\n", '[[calendar.closed]]\nfirst_day = 2024-01-01\nlast_day = 2050-12-31\nwhat = ["infusion"]\nreason = "for good"\n[toxicity]\n', "", 'calendar.closed = ["for good"]: no treatment can begin: lymphodepletion or an infusion would fall on a closed day'),
    "screening on no day at all": ("[toxicity]\n", '[[calendar.closed]]\nfirst_day = 2024-01-01\nlast_day = 2050-12-31\nwhat = ["screening"]\nreason = "for good"\n[toxicity]\n', "", 'calendar.closed = ["for good"]: screening is closed on all days'),
    "no meeting": ("review_delay_days = 7", "review_delay_days = 7\nmeeting_dates = [2020-01-01]", "meeting_dates", 'safety.meeting_dates = ["2020-01-01"]: the committee never meets on an open day in the'),
    "meetings by dates and by weeks": ("review_delay_days = 7", "review_delay_days = 7\nmeeting_weeks = [1]\nmeeting_dates = [2025-01-06, 2034-01-02]", "meeting_weeks", "has no effect: the committee meets on meeting_dates alone; leave one of the two out"),
    "places foreseen while screening goes on": ("[screening]\n", "[screening]\nopens_days_ahead = 14\n", "opens_days_ahead", 'screening.opens_days_ahead = 14: has no effect where while_closed = "goes_on"'),
    "candidates for places while screening goes on": ("[screening]\n", "[screening]\ncandidates_per_place = 2\n", "candidates_per_place", 'screening.candidates_per_place = 2: has no effect where while_closed = "goes_on"'),
    "results that hold where nobody waits": ('without_place = "wait"\npatience_days = 60\n\n[screening]\n', 'without_place = "lost"\n\n[screening]\nvalid_days = 28\n', "valid_days", 'screening.valid_days = 28: has no effect where without_place = "lost"'),
    "notice that nobody waits for": ("infusion_days = [0]\n", "infusion_days = [0]\nnotice_days = 60\n", "patience_days", "accrual.patience_days = 60: a notice takes 60 days, and nobody waits longer"),
    "products that are never made": ("[toxicity]\n", '[product]\nkind = "autologous"\nmanufacture_days = 21\nfailure_probability = 1\n[toxicity]\n', "failure_probability", "product.failure_probability = 1.0: no product is ever made: nobody could be treated"),
    "products that fail more than always": ("[toxicity]\n", '[product]\nkind = "autologous"\nmanufacture_days = 21\nfailure_probability = 0.7\nout_of_specification_probability = 0.7\n[toxicity]\n', "", "failure_probability and out_of_specification_probability add up to 1.4, above 1"),
    "an urgent review of nothing": ("early_decision = true", "early_decision = false\nurgent_review_days = 1", "urgent_review_days", "has no effect: no data cut comes early, and no sentinel's DLT is looked at"),
    "beds without a discharge": ("[toxicity]\n", "[capacity]\npatients_at_once = 2\n[toxicity]\n", "patients_at_once = 2", "patients_at_once and discharge_days go together: give both, or none"),
    "a week too small for a patient": ("infusion_days = [0]", "infusion_days = [0, 1, 2]\n[capacity]\ninfusions_per_week = 1", "infusions_per_week", "one patient has 2 infusions in a week, from whatever weekday on"),
    "no batch in time": ("[toxicity]\n", '[product]\nkind = "off_the_shelf"\nbatch_dates = [2060-01-01]\ndoses_per_batch = 2\n[toxicity]\n', "batch_dates", "no batch is released in the 3,650 days of trial.max_days, and there is no dose at the start"),
    "batches that all fail": ("[toxicity]\n", '[product]\nkind = "off_the_shelf"\nbatches_every_days = 30\ndoses_per_batch = 2\nbatch_failure_probability = 1.0\n[toxicity]\n', "batch_failure_probability", "every batch fails, and there is no dose at the start"),
    "batches in two ways": ("[toxicity]\n", '[product]\nkind = "off_the_shelf"\nbatches_every_days = 30\nbatch_dates = [2025-01-01]\ndoses_per_batch = 2\n[toxicity]\n', "batches_every_days", "give one of them"),
    "weekday unknown": ("review_delay_days = 7", 'review_delay_days = 7\nmeeting_weekdays = ["Monday"]', "meeting_weekdays", "must be 'Mon', 'Tue'"),
    "no weekday": ("review_delay_days = 7", "review_delay_days = 7\nmeeting_weekdays = []", "meeting_weekdays", "needs at least 1 value"),
    "shares do not add up": ("infusion_days = [0]", "infusion_days = [0, 3]\ninfusion_shares = [0.5, 0.4]", "infusion_shares", "infusion_shares must add up to 1, got 0.9"),
    "shares of another length": ("infusion_days = [0]", "infusion_days = [0, 3]\ninfusion_shares = [1.0]", "infusion_shares", "infusion_shares has 1 values for 2 infusion_days"),
    "a level's infusions do not begin on day 0": ("cells = 13.5e9", "cells = 13.5e9\ninfusion_days = [1]", "infusion_days", "dose_levels[2].infusion_days = [1]: infusion_days must begin with 0 and increase"),
    "a level's shares for other infusions": ("cells = 13.5e9", "cells = 13.5e9\ninfusion_shares = [0.5, 0.5]", "infusion_shares", "dose_levels[2].infusion_shares = [0.5, 0.5]: has 2 values, and the level has the 1 infusion_days of [treatment]"),
    "a level's window ends before its last infusion": ("cells = 13.5e9", "cells = 13.5e9\ninfusion_days = [0, 30]", "dlt_window_days", "the DLT window must end after the last infusion, which is on day 30 at level 2: make it longer"),
    "weekdays that no treatment at a level suits": ("infusion_days = [0]", 'infusion_days = [0]\nweekdays = ["Thu"]\nlymphodepletion_weekdays = ["Mon"]\n[[dose_levels.lymphodepletion]]\nagent = "fludarabine"\nmg_per_m2 = 25\ndays = [-1]', "weekdays", 'treatment.weekdays = ["Thu"]: no treatment can begin at level 2: its days that are bound to weekdays, -1 and 0, never fall on'),
    "a week too small for a patient at a level": ("cells = 13.5e9", "cells = 13.5e9\ninfusion_days = [0, 1, 2]\n[capacity]\ninfusions_per_week = 1", "infusions_per_week", "one patient at level 2 has 2 infusions in a week, from whatever weekday on"),
    "onset outside the window": ('[toxicity.onset]\nkind = "uniform"', '[toxicity.onset]\nkind = "list"\ndays = [3, 29]', "days = [3, 29]", "toxicity.onset.days[2] = 29: the DLT window ends on day 28: allowed are 0 to 28"),
    "what if after follow-up": ("[toxicity]\n", "[[what_if]]\npatient = 1\ndlt_day = 200\n[toxicity]\n", "dlt_day", "what_if[1].dlt_day = 200: follow-up ends on day 180"),
    "what if twice": ("[toxicity]\n", "[[what_if]]\npatient = 1\n[[what_if]]\npatient = 1\n[toxicity]\n", "patient = 1", "this patient is in another [[what_if]] already"),
    "what if contradicts itself": ("[toxicity]\n", "[[what_if]]\npatient = 1\ndlt = false\ndlt_day = 3\n[toxicity]\n", "dlt = false", "dlt = false and a dlt_day contradict each other"),
    "a source for a key that does not exist": ('"follow_up.days" = "assumption', '"follow_up.dayss" = "assumption', '"follow_up.dayss"', "there is no such key. Did you mean `follow_up.days`?"),
    "a source of no kind": ('"trial.start_date" = "registry: ', '"trial.start_date" = "the ', '"trial.start_date"', 'a source begins with "registry: ", "literature: " or "assumption: "'),
    "another schema version": ("schema_version = 1", "schema_version = 2", "schema_version", "schema_version = 2: must be 1"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "says"), EDITS.values(), ids=EDITS)
def test_message(tmp_path: Path, old: str, new: str, line: str, says: str) -> None:
    text = edited(old, new)
    found = problems_of(tmp_path, text)
    assert any(says in problem for problem in found), found
    chosen = next(problem for problem in found if says in problem)
    named = int(chosen.split(":")[1])
    assert text.splitlines()[named - 1].startswith(line), (chosen, text.splitlines()[named - 1])
    assert len(found) == 1, found


AGENT = {"agent": "fludarabine", "mg_per_m2": 25.0}
FROM_LAST = {"safety.dlt_window_anchor": "last_infusion"}
NO_CONDITIONING = {
    "first_day": "2024-01-01",
    "last_day": "2050-12-31",
    "what": ["lymphodepletion"],
    "reason": "for good",
}
BLRM = {"sd_log_alpha": 1.0, "sd_log_beta": 0.7}
OWN_SCHEDULES = {
    "infusions for the shares of the treatment": (
        {"treatment.infusion_shares": [1.0], "dose_levels[2].infusion_days": [0, 7]},
        "dose_levels[2].infusion_days = [0, 7]: has 2 days for the 1 infusion_shares of [treatment]: give the level its "
        "own infusion_shares",
    ),
    "lymphodepletion longer than the trial": (
        {"trial.max_days": 200, "dose_levels[1].lymphodepletion": [AGENT | {"days": [-200]}]},
        "dose_levels[1].lymphodepletion = -200: must be less than trial.max_days, which is 200 days: nobody would be "
        "infused",
    ),
    "a window longer than the trial": (
        FROM_LAST | {"trial.max_days": 200, "dose_levels[1].infusion_days": [0, 180], "follow_up.days": 250},
        "safety.dlt_window_days = 28: the DLT window ends 208 days after the first infusion at level 1, and must end "
        "before trial.max_days, which is 200",
    ),
    "a window longer than follow-up": (
        FROM_LAST | {"dose_levels[2].infusion_days": [0, 170]},
        "follow_up.days = 180: follow-up must last at least until the DLT window ends, day 198 at level 2",
    ),
    "an onset after the window": (
        FROM_LAST | {"dose_levels[2].infusion_days": [0, 9], "toxicity.onset": {"kind": "list", "days": [3, 30]}},
        "toxicity.onset.days[2] = 30: the DLT window ends on day 28 at level 1: allowed are 0 to 28",
    ),
    "closures that leave no day": (
        {"dose_levels[1].lymphodepletion": [], "calendar.closed": [NO_CONDITIONING]},
        'calendar.closed = ["for good"]: no treatment can begin at level 2: lymphodepletion or an infusion would fall on '
        "a closed day, whenever it began in the 3,650 days of trial.max_days",
    ),
    "the same cells in the same way": (
        {"dose_levels[2].cells": 9e9},
        "dose_levels[2].cells = 9000000000.0: dose levels are written lowest first, and must increase, in cells or by "
        "schedules of their own",
    ),
    "the same cells in a model of doses": (
        {"dose_levels[2].cells": 9e9, "dose_levels[2].infusion_days": [0, 3], "rule": {"name": "BLRM"} | BLRM},
        "rule.doses: is missing: levels with the same cells differ by schedule, and the rule is to be told how much",
    ),
    "an agent of none": (
        {"dose_levels[2].lymphodepletion[1].days": [-2]},
        "dose_levels[2].lymphodepletion[1].days: `dose_levels[2].lymphodepletion` is empty so far: set the whole list; "
        "`escalate keys dose_levels[2].lymphodepletion` shows how",
    ),
}


@pytest.mark.parametrize(("changes", "says"), OWN_SCHEDULES.values(), ids=OWN_SCHEDULES)
def test_a_level_with_a_schedule_of_its_own(changes: dict[str, Any], says: str) -> None:
    base = load(ROOT / "scenarios" / "nct06337474.toml").replace({"ranges": {}})
    with pytest.raises(ScenarioError) as caught:
        base.replace(changes)
    assert [str(problem) for problem in caught.value.problems] == [says]


def test_levels_may_differ_by_schedule_alone() -> None:
    """The interval between infusions is escalated at one dose."""
    weeks = {"dose_levels[1].infusion_days": [0, 7, 14], "dose_levels[2].infusion_days": [0, 3, 6]}
    assert load(ROOT / "scenarios" / "nct06337474.toml").replace({"dose_levels[2].cells": 9e9, **weeks}).windows == (
        28,
        28,
    )


WITH_A_USE = {
    "lymphodepletion_weekdays": ({"lymphodepletion": [AGENT | {"days": [-1]}]}, ["Mon"]),
    "later_infusion_weekdays": ({"infusion_days": [0, 1]}, ["Mon"]),
}


@pytest.mark.parametrize(("key", "own", "weekdays"), [(key, *each) for key, each in WITH_A_USE.items()])
def test_what_one_level_has_has_a_use(key: str, own: dict[str, Any], weekdays: list[str]) -> None:
    """Weekdays of lymphodepletion, and of later infusions, where one level alone has any."""
    base = load(ROOT / "tests" / "data" / "open-every-day.toml")
    base = base.replace({"treatment.lymphodepletion": [], "sources": {}, "ranges": {}})
    with pytest.raises(ScenarioError, match=f"treatment.{key} = .*has no effect"):
        base.replace({f"treatment.{key}": weekdays})
    base.replace({f"treatment.{key}": weekdays, **{f"dose_levels[2].{name}": value for name, value in own.items()}})


def test_results_of_screening_hold_as_long_as_a_notice(base: Scenario) -> None:
    with pytest.raises(ScenarioError, match=r"valid_days = 3: a notice takes 7 days.*; allowed is 7 or more"):
        base.replace({"screening.valid_days": 3, "treatment.notice_days": 7})
    base.replace({"screening.valid_days": 7, "treatment.notice_days": 7})


def test_results_of_screening_are_lost_while_a_product_is_made(base: Scenario) -> None:
    """Where nobody waits they are lost in no other way."""
    lost = {"accrual": {"kind": "poisson", "consents_per_month": 1.0, "without_place": "lost"}, "ranges": {}}
    with pytest.raises(ScenarioError, match="valid_days = 28: has no effect"):
        base.replace(lost | {"screening.valid_days": 28})
    base.replace(lost | {"product": {"kind": "autologous", "manufacture_days": 30}})


def test_a_missing_section_is_named(tmp_path: Path) -> None:
    text = edited("[follow_up]\ndays = 180\n", "").replace('"follow_up.days" = ', '# "follow_up.days" = ')
    assert problems_of(tmp_path, text) == [
        "scenario.toml: follow_up: is missing. It means: How long patients are followed."
    ]


def test_all_problems_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        edited("cohort_size = 3", "cohort_siz = 3").replace("[0.03, 0.06]", "[0.03, 1.2, 0.5]").replace("= 180", "= 1")
    )
    found = problems_of(tmp_path, text)
    assert [problem.split(": ")[1].split(" = ")[0] for problem in found] == [
        "safety.cohort_siz",
        "toxicity.dlt_probability[2]",
    ]
    lines = [int(problem.split(":")[1]) for problem in found]
    assert lines == sorted(lines)


def test_checks_between_sections_are_made_although_another_section_is_wrong(tmp_path: Path) -> None:
    text = edited("cohort_size = 3", "cohort_siz = 3").replace("[0.03, 0.06]", "[0.03]")
    assert len(problems_of(tmp_path, text)) == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty; `escalate init` writes a draft"),
        (b" \n\n", "is empty"),
        (b"schema_version = \n", "scenario.toml:1: is not TOML"),
        (b"a = 1\nb = [1,\n", "scenario.toml:3: is not TOML"),
        (b"a = 1\nb = 2024-13-30 # 2024-14-01\n", "scenario.toml:2: 2024-13-30 is a date that does not exist"),
        (b"a = 1\nb = [2024-01-31,\n 2024-02-30]\n", "scenario.toml:3: 2024-02-30 is a date that does not exist"),
        (b"a = 2024-1-31\n", "scenario.toml:1: 2024-1-31 is no date as TOML writes it: two digits"),
        (b"b = 1 1 # 2024-13-30\n", "scenario.toml:1: is not TOML"),
        (b"a = 1\nb = '\xff'\n", "scenario.toml:2: is not UTF-8"),
    ],
)
def test_files_that_are_no_scenario(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "scenario.toml"
    file.write_bytes(content)
    with pytest.raises(ScenarioError, match="scenario") as caught:
        load(file)
    assert says in str(caught.value)


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="is a folder; name a scenario file"):
        load(tmp_path)
    with pytest.raises(ScenarioError, match="there is no such file"):
        load(tmp_path / "none.toml")


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ScenarioError, match="cannot be read: Permission denied"):
        load(tmp_path / "scenario.toml")


def test_windows_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    file.write_bytes(b"\xef\xbb\xbf" + BASE.replace("\n", "\r\n").encode())
    assert load(file).fingerprint() == load(ROOT / "tests" / "data" / "open-every-day.toml").fingerprint()


def test_replace_changes_and_checks(base: Scenario) -> None:
    changed = base.replace({"toxicity.dlt_probability": [0.1, 0.25], "dose_levels.1.cells": 2e10})
    assert changed == base.replace({"toxicity.dlt_probability": [0.1, 0.25], "dose_levels[2].cells": 2e10})
    assert changed.toxicity.dlt_probability == (0.1, 0.25)
    assert changed.dose_levels[1].cells == 2e10
    assert base.toxicity.dlt_probability == (0.03, 0.06)
    assert changed.sources["toxicity.dlt_probability"] == "assumption: changed by a person, with no source given"


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("toxicity.dlt_probabilty", [0.1, 0.2], "there is no `dlt_probabilty` here. Did you mean `dlt_probability`?"),
        ("toxicity.dlt_probability", [0.1], "has 1 values, and there are 2 dose levels"),
        ("dose_levels.2.cells", 1.0, "dose_levels[3].cells: there is no `[3]` here: `dose_levels` has 2"),
        ("safety.cohort_size", 0, "safety.cohort_size = 0: must be at least 1"),
        ("trial", 3, "trial = 3: must be a table"),
    ],
)
def test_replace_refuses(base: Scenario, key: str, value: object, says: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        base.replace({key: value})
    assert says in str(caught.value)


def test_what_is_mistyped_is_not_missing_too(tmp_path: Path) -> None:
    (said,) = problems_of(tmp_path, edited("planned_patients = 9", "planed_patients = 9"))
    assert "trial.planed_patients = 9: unknown key. Did you mean `planned_patients`?" in said


def test_a_key_of_another_kind_is_said(tmp_path: Path) -> None:
    text = edited('kind = "poisson"', 'kind = "fixed"\nconsent_days = [1]')
    assert problems_of(tmp_path, text)[0].endswith("does not belong to the kind that is chosen here")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("cohort_size = 3", "cohort_size = " + "9" * 5000, "cannot be read as TOML"),
        ("infusion_days = [0]", "infusion_days = " + "[" * 4000 + "]" * 4000, "cannot be read as TOML"),
        ("start_date = 2024-08-30", "start_date = 9999-01-01", "the calendar ends before max_days"),
        ("days = 14", "days = 99999999999999999999", "must be at most 3650"),
    ],
)
def test_numbers_beyond_all_measure(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = BASE.replace("planned_completion_date = 2026-07-30\n", "").replace(
        '"trial.planned_completion_date" = ', '# "trial.planned_completion_date" = '
    )
    assert text.count(old) >= 1
    assert any(says in problem for problem in problems_of(tmp_path, text.replace(old, new, 1)))


def test_replace_takes_tuples_and_numpy(base: Scenario) -> None:
    changed = base.replace(
        {
            "toxicity.dlt_probability": (np.float64(0.1), 0.2),
            "safety.cohort_size": np.int64(2),
            "treatment.infusion_days": np.array([0]),
        }
    )
    assert changed.toxicity.dlt_probability == (0.1, 0.2)
    assert changed.safety.cohort_size == 2


@pytest.mark.parametrize("key", ["sources", "schema_version", "sources.trial.start_date"])
def test_a_source_of_no_number_is_refused(tmp_path: Path, key: str) -> None:
    text = BASE.replace("[sources]\n", f'[sources]\n"{key}" = "assumption: none"\n')
    assert any("there is no such key" in problem for problem in problems_of(tmp_path, text))


RANGED = {
    "a number for a table": ("screening.failure_probability", [0.1, 0.2]),
    "a text for a table": ("screening.failure_probability", ["low", "high"]),
    "other criteria": ("screening.failure_probability", [{"a": 0.1}, {"a": 0.2}]),
    "a number for a list": ("toxicity.dlt_probability", [0.01, 0.1]),
    "a table for a list": ("toxicity.dlt_probability", [{"a": 0.1}, {"a": 0.2}]),
    "a list for a number": ("follow_up.days", [[90], [365]]),
    "a list too short": ("toxicity.dlt_probability", [[0.01], [0.1]]),
    "true and false": ("safety.early_decision", [False, True]),
}


@pytest.mark.parametrize(("key", "ends"), RANGED.values(), ids=RANGED)
def test_a_range_of_another_shape(base: Scenario, key: str, ends: list[object]) -> None:
    with pytest.raises(ScenarioError) as caught:
        base.replace({"ranges": {key: ends}})
    assert "a range has two ends, low then high, each a number or as many numbers as the value has" in str(caught.value)


def test_a_scenario_is_frozen(base: Scenario) -> None:
    with pytest.raises(ValueError, match="a scenario does not change"):
        base.safety.cohort_size = 4  # type: ignore[misc]


def test_every_error_is_a_value_error() -> None:
    assert issubclass(ScenarioError, EscalateError)
    assert issubclass(EscalateError, ValueError)
