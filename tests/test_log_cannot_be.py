"""What cannot be in a log: each with a place and a reason, and beside each its twin, which can be."""

# ruff: noqa: E501

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from escalate.errors import LogError
from escalate.tracking import read_log
from logs import AS_OF, as_folder, by_hand, read, two_sites
from small import small

CLEAN = dict.fromkeys(("dlt", "dlt_date", "dlt_term"))
NOT_INFUSED = CLEAN | dict.fromkeys(("infusion_date", "infusion_2_date", "cells_given", "full_dose"))
NO_DECISION = dict.fromkeys(("committee_date", "decision", "next_level", "next_patients"))
P, M, A, S = "patients", "meetings", "amendments", "pauses"

# What: sheet, row from 0, cells that cannot be, cells that can, column that is named, words of the reason.
CASES: dict[str, tuple[str, int, dict[str, Any], dict[str, Any], str, str]] = {
    "no such day": (P, 0, {"consent_date": "2025-02-30"}, {"consent_date": "2025-01-05"}, "consent_date", "no such day"),
    "no date": (P, 3, {"consent_date": "spring"}, {}, "consent_date", "is no ISO date"),
    "a number is no date": (P, 3, {"consent_date": 45744}, {}, "consent_date", "is no ISO date"),
    "before 1950": (P, 3, {"consent_date": "1925-03-28"}, {}, "consent_date", "is the year right?"),
    "in the far future": (S, 0, {"to": "2925-05-01"}, {"to": "2026-05-01"}, "to", "is the year right?"),
    "before the trial": (P, 0, {"consent_date": "2024-12-30"}, {"consent_date": "2025-01-01"}, "consent_date", "move trial.start_date"),
    "after the data cut": (P, 3, {"consent_date": "2025-04-11"}, {"consent_date": "2025-04-10"}, "consent_date", "is after the data cut, 2025-04-10"),
    "a meeting after the data cut": (M, 0, {"committee_date": "2025-04-11"}, {"committee_date": "2025-04-10"}, "committee_date", "leave it blank while the decision is outstanding"),
    "an amendment after the data cut": (A, 0, {"date": "2025-05-01"}, {"date": "2025-04-10"}, "date", "is after the data cut"),
    "screening ends before consent": (P, 0, {"screening_end_date": "2025-01-05"}, {"screening_end_date": "2025-01-06"}, "screening_end_date", "is before consent, 2025-01-06"),
    "ready before screening ends": (P, 0, {"ready_date": "2025-01-13"}, {"ready_date": "2025-01-15"}, "ready_date", "is before the end of screening"),
    "treated before screening ends": (P, 0, {"ready_date": None, "treatment_start_date": "2025-01-13"}, {"ready_date": None, "treatment_start_date": "2025-01-14"}, "treatment_start_date", "is before the end of screening"),
    "infused before treatment": (P, 0, {"infusion_date": "2025-01-18"}, {"infusion_date": "2025-01-19"}, "infusion_date", "is before the start of treatment"),
    "infusions not in order": (P, 0, {"infusion_2_date": "2025-01-22"}, {"infusion_2_date": "2025-01-23"}, "infusion_2_date", "must be after the infusion before"),
    "consent before referral": (P, 3, {"referred_date": "2025-03-29"}, {"referred_date": "2025-03-28"}, "consent_date", "is before the referral"),
    "left before the infusion": (P, 2, {"left_date": "2025-02-26", "left_reason": "dropped out"}, {"left_date": "2025-02-27", "left_reason": "dropped out"}, "infusion_2_date", "is after the last day in the trial"),
    "left before the DLT": (P, 0, {"last_seen_date": None, "left_date": "2025-02-02", "left_reason": "dropped out"}, {"last_seen_date": None, "left_date": "2025-02-03", "left_reason": "dropped out"}, "dlt_date", "is after the last day in the trial"),
    "seen after leaving": (P, 0, {"left_date": "2025-03-31", "left_reason": "dropped out"}, {"left_date": "2025-04-01", "left_reason": "dropped out"}, "last_seen_date", "is after the last day in the trial"),
    "seen before consent": (P, 3, {"last_seen_date": "2025-03-27"}, {"last_seen_date": "2025-03-28"}, "last_seen_date", "is before consent"),
    "no consent": (P, 0, {"consent_date": None}, {}, "consent_date", "is missing, and screening_end_date is given"),
    "nothing at all": (P, 3, {"consent_date": None}, {"consent_date": None, "referred_date": "2025-03-28"}, "consent_date", "of referral before it"),
    "unknown level": (P, 0, {"level_assigned": 3}, {"level_assigned": "HIGH"}, "level_assigned", "it has: 1 (low), 2 (high)"),
    "no level": (P, 2, {"level_assigned": None}, {}, "level_assigned", "who starts treatment has a dose level"),
    "unknown site": (P, 0, {"site": "Bejing"}, {"site": "beijing"}, "site", "it has: Beijing, Wuhan"),
    "no site": (P, 0, {"site": None}, {}, "site", "every candidate is from a site"),
    "a candidate twice": (P, 1, {"candidate": 1}, {"candidate": 9}, "candidate", "is that of row 2, too"),
    "a candidate without a number": (P, 1, {"candidate": None}, {}, "candidate", "every candidate has a number"),
    "candidate 1.5": (P, 1, {"candidate": 1.5}, {}, "candidate", "whole number from 1 to 1,000,000"),
    "a patient twice": (P, 2, {"patient": 1}, {"patient": 9}, "patient", "is that of row 2, too"),
    "a patient without treatment": (P, 3, {"patient": 3}, {}, "patient", "leave it blank until then"),
    "treated without a number": (P, 2, {"patient": None}, {}, "patient", "has an enrolment number"),
    "infused without treatment": (P, 2, {"treatment_start_date": None}, {}, "treatment_start_date", "is missing, and infusion_date is given"),
    "failed and infused": (P, 2, {"failed_criterion": "viral load"}, {}, "infusion_date", "who failed screening"),
    "failed and treated": (P, 2, NOT_INFUSED | {"failed_criterion": "age"}, NOT_INFUSED, "treatment_start_date", "who failed screening"),
    "cells without an infusion": (P, 2, NOT_INFUSED | {"cells_given": 9e9}, NOT_INFUSED | {"not_infused_reason": "fever"}, "cells_given", "says what was infused"),
    "half of no infusion": (P, 3, {"full_dose": "no"}, {}, "full_dose", "says what was infused"),
    "a second infusion alone": (P, 2, {"dlt": None, "infusion_date": None}, NOT_INFUSED, "infusion_2_date", "infusion_date, the first one, is missing"),
    "infused and not infused": (P, 2, {"not_infused_reason": "fever"}, {}, "not_infused_reason", "one of them is wrong"),
    "not infused, never treated": (P, 3, {"not_infused_reason": "fever"}, {}, "not_infused_reason", "treatment_start_date is missing"),
    "negative cells": (P, 0, {"cells_given": -1}, {"cells_given": 0}, "cells_given", "a number, at least 0"),
    "text for cells": (P, 0, {"cells_given": "many"}, {"cells_given": "4.5e9"}, "cells_given", "a number, at least 0"),
    "a DLT without a date": (P, 0, {"dlt_date": None}, {"dlt": "under adjudication", "dlt_date": None}, "dlt_date", "give the day of its onset"),
    "a date without a DLT": (P, 0, {"dlt": "no"}, {"dlt": "under adjudication"}, "dlt_date", "dlt is no"),
    "a date and nothing said": (P, 0, {"dlt": None}, {}, "dlt_date", "dlt is blank"),
    "a DLT before the infusion": (P, 0, {"dlt_date": "2025-01-21"}, {"dlt_date": "2025-01-22"}, "dlt_date", "is before the first infusion, 2025-01-22"),
    "a DLT of who was not infused": (P, 3, {"dlt": "no"}, {}, "dlt", "is of who was infused"),
    "unknown DLT word": (P, 0, {"dlt": "maybe"}, {"dlt": "YES"}, "dlt", "allowed are: yes, no, under adjudication"),
    "left without a reason": (P, 1, {"left_reason": None}, {}, "left_reason", "one of: not consented, screen failure"),
    "a reason without a day": (P, 1, {"left_date": None}, {}, "left_date", "give the last day in the trial"),
    "left in no known way": (P, 1, {"left_reason": "moved"}, {"left_reason": "withdrew waiting"}, "left_reason", "allowed are: "),
    "a screening failure who was treated": (P, 2, {"left_date": "2025-04-01", "left_reason": "screen failure"}, {"left_date": "2025-04-01", "left_reason": "completed"}, "left_reason", "never started treatment"),
    "completed without treatment": (P, 1, {"left_reason": "completed"}, {}, "left_reason", "is of who started treatment"),
    "completed without an infusion": (P, 2, NOT_INFUSED | {"left_date": "2025-04-01", "left_reason": "completed"}, NOT_INFUSED | {"left_date": "2025-04-01", "left_reason": "not infused"}, "left_reason", "is of who was infused"),
    "not infused, and infused": (P, 2, {"left_date": "2025-04-01", "left_reason": "not infused"}, {}, "left_reason", "one of them is wrong"),
    "consented and not": (P, 1, {"left_reason": "not consented"}, {}, "left_reason", "and a consent_date"),
    "overridden by nobody": (P, 2, {"evaluable_override": "no", "override_why": "steroids"}, {"evaluable_override": "no", "override_by": "SRC", "override_why": "steroids"}, "override_by", "who took it, and why"),
    "a control character": (P, 1, {"failed_criterion": "bell\x07"}, {"failed_criterion": "=bell"}, "failed_criterion", "control character"),
    "met before the cut": (M, 0, {"committee_date": "2025-03-24"}, {"committee_date": "2025-03-25"}, "committee_date", "is before its data cut"),
    "no data cut": (M, 0, {"data_cut_date": None}, {}, "data_cut_date", "has the day of its data cut"),
    "unknown decision": (M, 0, {"decision": "go on"}, {"decision": "Stay"}, "decision", "allowed are: escalate, stay"),
    "a decision without a day": (M, 0, {"committee_date": None}, NO_DECISION, "committee_date", "leave both blank"),
    "a day without a decision": (M, 0, NO_DECISION | {"committee_date": "2025-04-01"}, NO_DECISION, "committee_date", "decision is missing"),
    "unknown next level": (M, 0, {"next_level": 7}, {}, "next_level", "no such dose level"),
    "no next level": (M, 0, {"next_level": None}, {"decision": "suspend", "next_level": None}, "next_level", "give the level of the next cohort"),
    "a stop that says nothing": (M, 0, {"decision": "stop", "next_level": None}, {"decision": "stop", "next_level": "no dose"}, "next_level", "or 'no dose'"),
    "no dose goes on": (M, 0, {"next_level": "no dose"}, {"decision": "stop", "next_level": "No dose"}, "next_level", "is of a stop"),
    "an escalation to the same": (M, 0, {"decision": "escalate"}, {"decision": "escalate", "next_level": "high"}, "next_level", "is a higher one"),
    "a de-escalation to the same": (M, 0, {"decision": "de-escalate"}, {}, "next_level", "is a lower one"),
    "staying elsewhere": (M, 0, {"next_level": 2}, {}, "next_level", "is the same"),
    "more DLTs than patients": (M, 0, {"evaluable": 0}, {"evaluable": 1}, "dlts", "are more than the evaluable patients"),
    "counts that do not add up": (M, 0, {"treated": 1}, {"evaluable": 1, "treated": 1}, "treated", "are fewer than"),
    "more treated than there were": (M, 0, {"treated": 3}, {"treated": 2}, "treated", "at level 1 on 2025-03-25 the log has at most 2"),
    "a window that was open": (M, 0, {"data_cut_date": "2025-03-19"}, {"data_cut_date": "2025-03-20"}, "evaluable", "on 2025-03-19 the log has at most 1"),
    "a DLT that was not there": (M, 0, {"data_cut_date": "2025-02-02", "treated": None, "evaluable": None}, {"data_cut_date": "2025-02-03", "treated": None, "evaluable": None}, "dlts", "at most 0"),
    "pending, and all are known": (M, 0, {"treated": None, "pending": 1}, {"data_cut_date": "2025-03-20", "treated": None, "pending": 1}, "pending", "at most 0"),
    "half a patient": (M, 0, {"treated": 2.5}, {}, "treated", "whole number from 0"),
    "no such key": (A, 0, {"key": "safety.stager_days"}, {"key": "trial.planned_patients"}, "key", "`escalate keys` lists them"),
    "an amendment to nothing": (A, 0, {"new": None}, {}, "new", "both values"),
    "a pause that ends before it begins": (S, 0, {"to": "2025-04-04"}, {"to": "2025-04-05"}, "to", "is before the pause begins"),
    "a pause of nothing": (S, 0, {"what": None}, {}, "what", "what stopped"),
}  # fmt: skip


def changed(sheet: str, row: int, cells: dict[str, Any], folder: Path) -> Path:
    sheets = by_hand()
    assert cells.keys() <= sheets[sheet][row].keys()
    sheets[sheet][row] |= cells
    if sheet == P:  # the counts of the meeting are another matter
        sheets[M][0] |= dict.fromkeys(("treated", "evaluable", "dlts", "pending"))
    return as_folder(sheets, folder)


def test_the_log_itself_is_one(tmp_path: Path) -> None:
    log = read(as_folder(by_hand(), tmp_path))
    assert [one.left_reason for one in log.patients] == [None, "screen failure", None, None]
    assert log.patients[0].infusion_days == (21, 28) and log.patients[2].level == 0 and log.patients[2].site == 1


@pytest.mark.parametrize("what", CASES)
def test_what_cannot_be_is_refused_and_its_twin_is_not(what: str, tmp_path: Path) -> None:
    sheet, row, bad, good, column, words = CASES[what]
    read(changed(sheet, row, good, tmp_path / "good"))
    with pytest.raises(LogError) as refused:
        read(changed(sheet, row, bad, tmp_path / "bad"))
    found = [one for one in refused.value.problems if (one.sheet, one.row, one.column) == (sheet, row + 2, column)]
    assert any(words in one.message for one in found), str(refused.value)
    assert len(refused.value.problems) <= 2, str(refused.value)
    assert str(refused.value.problems[0]).startswith(f"{sheet} row {row + 2}, ")


def test_all_at_once_and_in_the_order_of_the_log(tmp_path: Path) -> None:
    sheets = by_hand()
    sheets["patients"][0]["dlt"] = "maybe"
    sheets["patients"][2]["level_assigned"] = 9
    sheets["pauses"][0]["to"] = "2025-04-04"
    with pytest.raises(LogError) as refused:
        read(as_folder(sheets, tmp_path))
    assert [(one.sheet, one.row) for one in refused.value.problems] == [("patients", 2), ("patients", 4), ("pauses", 2)]
    assert "got 'maybe'" in str(refused.value)


def test_a_decision_is_outstanding_once_and_a_cut_is_decided_once(tmp_path: Path) -> None:
    for change, words in (({}, "a cut has one decision"), (NO_DECISION, "a second decision is outstanding")):
        sheets = by_hand()
        sheets["meetings"][0] |= change
        sheets["meetings"].append(dict(sheets["meetings"][0]))
        with pytest.raises(LogError, match=words):
            read(as_folder(sheets, tmp_path))


def test_what_is_under_adjudication_without_a_date_may_have_been_shown(tmp_path: Path) -> None:
    sheets = by_hand()
    sheets["patients"][0] |= {"dlt": "under adjudication", "dlt_date": None}
    assert read(as_folder(sheets, tmp_path)).meetings[0].dlts == 1


def test_an_amended_window_may_have_been_shorter(tmp_path: Path) -> None:
    sheets = by_hand()
    sheets["meetings"][0]["data_cut_date"] = "2025-03-19"
    sheets["amendments"][0] |= {"key": "safety.dlt_window_days", "old": "21", "new": "28"}
    assert read(as_folder(sheets, tmp_path)).meetings[0].evaluable == 2


def test_a_label_that_is_the_number_of_another_level(tmp_path: Path) -> None:
    scenario = small(dose_levels=[{"label": "2"}, {"label": "4"}])
    sheets = {"patients": [row | {"infusion_2_date": None} for row in by_hand()["patients"][:1]]}
    for level, fine in (("1", True), ("4", True), ("level 2", True), ("2", False)):
        sheets["patients"][0]["level_assigned"] = level
        folder = as_folder(sheets, tmp_path)
        if fine:
            assert read(folder, scenario=scenario).patients[0].level == (1 if level in ("4", "level 2") else 0)
        else:
            with pytest.raises(LogError, match="may be the level of this label, which is number 1, or level number 2"):
                read(folder, scenario=scenario)


def test_without_lymphodepletion_treatment_starts_with_the_infusion(tmp_path: Path) -> None:
    row = by_hand()["patients"][0] | {"infusion_2_date": None, "treatment_start_date": None}
    assert read(as_folder({"patients": [row]}, tmp_path), scenario=small()).patients[0].start_day == 21


@pytest.mark.parametrize(
    ("as_of", "words"),
    [("10/04/2025", "is an ISO date"), ("2024-12-31", "is before the trial's start date"), (99, "got int")],
)
def test_the_day_of_the_log_is_said(as_of: Any, words: str, tmp_path: Path) -> None:
    folder = as_folder(by_hand(), tmp_path)
    assert read_log(folder, two_sites(), as_of=AS_OF.isoformat()) == read(folder)
    with pytest.raises(LogError, match=words):
        read_log(folder, two_sites(), as_of=as_of)
