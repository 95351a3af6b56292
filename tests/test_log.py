"""Logs: read from workbooks and CSVs of any layout, written and read again, cut from simulated trials, and mutated."""

# ruff: noqa: E501

from __future__ import annotations

import csv
import io
import random
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import escalate
from conftest import ROOT
from escalate import Scenario
from escalate.cli import main
from escalate.errors import EscalateError, LogError
from escalate.export.log import log_files, log_workbook, template_workbook, write_log
from escalate.tracking import log_of, read_log
from escalate.tracking.sheets import letters_of
from escalate.tracking.writing import written_log
from escalate.words.csv_text import csv_bytes
from escalate.words.log import Amendment, Log, LoggedMeeting, LoggedPatient, Pause
from escalate.words.records import NO_LEVEL, Action
from logs import AS_OF, as_folder, as_workbook, by_hand, read, two_sites, with_dates
from small import lymphodepletion, small
from strategies import scenarios

openpyxl = pytest.importorskip("openpyxl")
BASE = str(ROOT / "scenarios" / "nct06337474.toml")


# A simulated trial, cut, written, read


def check_round_trip(scenario: Scenario, replicate: int, part: float) -> None:
    trial = escalate.simulate_trial(scenario, replicate=replicate)
    log = log_of(trial, round(part * trial.duration_days))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_log(log, scenario, folder / "log")
        assert read_log(folder / "log", scenario, as_of=log.as_of) == log
        (folder / "log.xlsx").write_bytes(log_workbook(log, scenario))
        assert read_log(folder / "log.xlsx", scenario, as_of=log.as_of) == log
        for table in (trial.events, trial.patients, trial.cohorts, trial.decisions):
            (folder / f"{table.name}.csv").write_bytes(csv_bytes(table.to_csv()))
        own = read_log(folder, scenario, as_of=trial.date_of(trial.duration_days))
    end = log_of(trial, trial.duration_days)
    assert own.meetings == tuple(one for one in end.meetings if one.action is not None)
    assert list(map(as_in_tables, own.patients)) == list(map(as_in_tables, end.patients))


def as_in_tables(one: LoggedPatient) -> LoggedPatient:
    """Return of a patient what the simulator's own table says, too; who came last may have been left waiting."""
    gone = {"left_day": None, "left_reason": None} if one.consent_day is None else {}
    cells = None if one.cells_given is None else float(f"{one.cells_given:.12g}")
    return replace(one, product_day=None, ready_day=None, referred_day=None, full_dose=None, cells_given=cells, **gone)


ROUND_TRIP = given(scenarios(everything=True, reviews=True, sites=True), st.integers(0, 50), st.floats(0, 1))
RANDOM = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@settings(RANDOM, max_examples=10)
@ROUND_TRIP
def test_a_cut_trial_is_written_and_read(scenario: Scenario, replicate: int, part: float) -> None:
    check_round_trip(scenario, replicate, part)


@pytest.mark.long
@settings(RANDOM, max_examples=2_000)
@ROUND_TRIP
def test_many_cut_trials_are_written_and_read(scenario: Scenario, replicate: int, part: float) -> None:
    check_round_trip(scenario, replicate, part)


def two_infusions(**changes: Any) -> Scenario:
    """Three come; the first has a DLT ten days after an infusion that is given a week before the second."""
    return small(
        dose_levels=[{"label": "low", "cells": 9e9}, {"label": "high", "cells": 13.5e9}],
        treatment={"infusion_days": [0, 7], "lymphodepletion": lymphodepletion(3)},
        accrual={"kind": "fixed", "consent_days": [0, 1, 40]},
        screening={"days": 5},
        safety={"dlt_window_days": 28, "review_delay_days": 9, "cohort_size": 2},
        what_if=[{"patient": 1, "dlt": True, "dlt_day": 10}],
        **changes,
    )  # fmt: skip


def test_what_is_known_on_each_day_by_hand() -> None:
    trial = escalate.simulate_trial(two_infusions())
    first = {day: log_of(trial, day).patients[0] for day in (4, 5, 8, 14, 15, 17, 18)}
    assert (first[4].consent_day, first[4].screening_end_day, first[4].start_day, first[4].patient) == (
        0,
        None,
        None,
        None,
    )
    assert (first[5].screening_end_day, first[5].ready_day, first[5].start_day, first[5].patient) == (5, 5, 5, 1)
    assert (first[5].level, first[5].infusion_days, first[5].full_dose) == (0, (), None)
    assert first[8].infusion_days == (8,) and first[8].full_dose is True and first[8].cells_given == 4.5e9
    assert first[14].infusion_days == (8,) and first[15].infusion_days == (8, 15) and first[15].cells_given == 9e9
    assert (first[17].dlt, first[17].dlt_day) == (None, None) and (first[18].dlt, first[18].dlt_day) == ("yes", 18)
    second = {day: log_of(trial, day).patients[1] for day in (36, 37)}  # infused on day 9, seen to day 37
    assert second[36].dlt is None and second[37].dlt == "no" and second[37].left_reason == "completed"
    assert log_of(trial, 0).patients[0].referred_day is None and len(log_of(trial, 0).patients) == 1
    assert [len(log_of(trial, day).patients) for day in (1, 39, 40)] == [2, 2, 3]
    cut, decided = log_of(trial, 45), log_of(trial, 46)
    assert log_of(trial, 36).meetings == () and cut.meetings == (LoggedMeeting(data_cut_day=37, level=0),)
    assert decided.meetings[0].committee_day == 46 and decided.meetings[0].dlts == 1


def test_every_row_of_a_simulated_log_says_that_it_is_simulated() -> None:
    """Nobody takes its patients for real ones, whichever sheet or file they are copied from."""
    log = log_of(escalate.simulate_trial(two_infusions(), seed=3, replicate=2), 40)
    for sheet in written_log(log, two_infusions())[:2]:
        rows = [dict(zip(sheet.heads, row, strict=True)) for row in sheet.rows]
        assert sheet.name == "meetings" or rows
        assert {row["note"] for row in rows} <= {"simulated: seed 3, replicate 2"}


def test_an_infusion_that_was_not_given_is_no_reduced_dose() -> None:
    harmed = two_infusions().replace({"what_if": [{"patient": 1, "dlt": True, "dlt_day": 5}]})
    trial = escalate.simulate_trial(harmed)
    assert {log_of(trial, day).patients[0].full_dose for day in (8, 13, 14, 15, 16)} == {True}
    partly = two_infusions().replace({"what_if": [{"patient": 2, "full_dose": False}]})
    second = log_of(escalate.simulate_trial(partly), 9).patients[1]
    assert second.full_dose is False and second.cells_given == 2.25e9


@pytest.mark.parametrize("replicate", range(6))
def test_nothing_of_later_days_is_known_and_no_fact_is_forgotten(base: Scenario, replicate: int) -> None:
    trial = escalate.simulate_trial(base, replicate=replicate)
    may_change = {"screening_end_day", "ready_day", "cells_given", "full_dose", "infusion_days", "dlt"}
    before: Log | None = None
    for day in range(0, trial.duration_days + 1, 17):
        log = log_of(trial, day)
        for one in (*log.patients, *log.meetings):
            values = {field.name: getattr(one, field.name) for field in fields(one)}
            days = [value for name, value in values.items() if name.endswith("_day") and value is not None]
            assert max([*days, *values.get("infusion_days", ())]) <= day
        assert sum(len(one.infusion_days) for one in log.patients) == sum(
            event["event"] == "infusion" and event["day"] <= day for event in trial.events
        )
        if before is not None:
            for old, new in zip(before.patients, log.patients, strict=False):
                for field in fields(old):
                    known = getattr(old, field.name)
                    assert known in (None, ()) or field.name in may_change or known == getattr(new, field.name)
            assert len(log.meetings) >= len(before.meetings)
        before = log


@pytest.mark.parametrize("on", [-1, 100_000, date(2020, 1, 1), "2025-01-01", True])
def test_a_day_that_is_not_in_the_trial(base: Scenario, on: Any) -> None:
    with pytest.raises(EscalateError, match=r"the trial goes from 2024-08-30|on must be a date"):
        log_of(escalate.simulate_trial(base), on)


# What is written


def everything() -> Log:
    """Return a log with a value in every field."""
    one = LoggedPatient(
        candidate=1, site=1, patient=1, referred_day=0, consent_day=1, screening_end_day=2, ready_day=3, level=0,
        level_received=1, start_day=4, infusion_days=(7, 14, 20), cells_given=1.25e9, full_dose=False, dlt="yes",
        dlt_day=8, dlt_term="=HYPERLINK(A1)", last_seen_day=30, left_day=31, left_reason="dropped out",
        evaluable_override=False, override_by="+SRC", override_why="-steroids",
    )  # fmt: skip
    two = LoggedPatient(candidate=2, consent_day=5, failed_criterion="@age", left_day=9, left_reason="screen failure")
    three = LoggedPatient(candidate=3, patient=2, consent_day=9, level=1, start_day=12, not_infused_reason="发热")
    stop = LoggedMeeting(
        data_cut_day=40, committee_day=41, level=0, treated=1, evaluable=1, dlts=1, pending=0, action=Action.STOP,
        next_level=NO_LEVEL, reason="1/6",
    )  # fmt: skip
    suspended = LoggedMeeting(data_cut_day=20, committee_day=21, level=1, action=Action.SUSPEND)
    return Log(
        start_date=date(2025, 1, 1), as_of_day=99, patients=(one, two, three), meetings=(suspended, stop),
        amendments=(Amendment(day=3, key="safety.stagger_days", old="0", new="7"),),
        pauses=(Pause(first_day=5, last_day=200, what="=infusions"),),
    )  # fmt: skip


def test_every_field_is_written_and_read(tmp_path: Path) -> None:
    log, scenario = everything(), two_sites()
    write_log(log, scenario, tmp_path / "log")
    write_log(log, scenario, tmp_path / "log.xlsx")
    for path in (tmp_path / "log", tmp_path / "log.xlsx"):
        assert read_log(path, scenario, as_of=log.as_of) == log


def test_what_is_written_never_runs_in_a_spreadsheet_and_is_the_same_bytes() -> None:
    log, scenario = everything(), two_sites()
    files = log_files(log, scenario)
    cells = [
        cell for data in files.values() for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) for cell in row
    ]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@"))] and "'=HYPERLINK(A1)" in cells
    data = log_workbook(log, scenario)
    assert data == log_workbook(log, scenario) and files == log_files(log, scenario)
    for page in openpyxl.load_workbook(io.BytesIO(data)):
        assert all(cell.data_type != "f" for row in page.iter_rows() for cell in row)


def test_the_template_is_an_empty_log_with_drop_downs(tmp_path: Path) -> None:
    scenario = two_sites()
    path = tmp_path / "template.xlsx"
    path.write_bytes(template_workbook(scenario))
    assert template_workbook(scenario) == path.read_bytes()
    assert read(path) == Log(start_date=date(2025, 1, 1), as_of_day=99)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["patients", "meetings", "amendments", "pauses", "columns", "lists"]
    page, lists = book["patients"], book["lists"]
    heads = [cell.value for cell in page[1]]
    assert page["A2"].value == "example" and "infusion_2_date" in heads and "infusion_3_date" not in heads
    offered = {}
    for rule in page.data_validations.dataValidation:
        head = heads[openpyxl.utils.column_index_from_string(str(rule.sqref).partition("2:")[0]) - 1]
        if rule.type == "list":
            of = lists[rule.formula1.partition("!")[2].replace("$", "")]
            offered[head] = [cell.value for (cell,) in of]
        else:
            assert rule.type == "date" and head.endswith("_date")
    assert offered["site"] == ["Beijing", "Wuhan"] and offered["level_assigned"] == ["1", "2"]
    assert offered["dlt"] == ["yes", "no", "under adjudication"] and "dropped out" in offered["left_reason"]
    meant = {(row[0], row[1]) for row in book["columns"].iter_rows(min_row=2, values_only=True)}
    assert {("patients", head) for head in heads} <= meant


def test_the_example_of_the_template_is_right(tmp_path: Path) -> None:
    """What the example shows is read once it is no example any more."""
    book = openpyxl.load_workbook(io.BytesIO(template_workbook(two_sites())))
    book["patients"]["A2"] = 1
    book["meetings"]["A2"] = date(2025, 3, 3)
    for column in "DEFG":
        book["meetings"][f"{column}2"] = None
    book.save(tmp_path / "log.xlsx")
    assert len(read(tmp_path / "log.xlsx").meetings) == 1


# Workbooks and folders as people make them


def test_a_workbook_says_the_same_as_its_csv_files(tmp_path: Path) -> None:
    log = read(as_folder(by_hand(), tmp_path / "log"))
    assert read(as_workbook(with_dates(by_hand()), tmp_path / "dates.xlsx")) == log
    assert read(as_workbook(by_hand(), tmp_path / "text.xlsx")) == log


Change = Callable[[Any], object]


def put(cell: str, value: Any, sheet: str = "patients") -> Change:
    def change(book: Any) -> None:
        book[sheet][cell] = value

    return change


def serial(book: Any) -> None:
    book["patients"]["E5"] = 45_744
    book["patients"]["E5"].number_format = "General"


def mixed(book: Any) -> None:
    for row, value in enumerate(("13/01/2025", date(2025, 7, 1)), 2):
        book["patients"][f"E{row}"] = value


OF_A_WORKBOOK: dict[str, tuple[Change, Any, str]] = {
    "the cell": (put("E3", "2025-02-30"), None, "patients row 3, consent_date (cell E3): got '2025-02-30': there is no such day"),
    "an ambiguous date": (put("E3", "03/04/2025"), None, "not say which number is the day"),
    "a mixed column": (mixed, {"date_format": {"consent_date": "%d/%m/%Y"}}, "day and month of these for each other"),
    "a serial number": (serial, None, 'say so in a mapping file: date_format = "excel"'),
    "a time": (put("E3", time(3, 4)), None, "is no date"),
    "a formula without a result": (put("E3", "=E2+1"), None, "its result was not saved"),
    "an error of the spreadsheet": (put("E3", "#REF!"), None, "is an error of the spreadsheet"),
    "true is no number": (put("A3", True), None, "whole number from 1"),
    "a column without a name": (put("AZ3", "note"), None, "its column has no name in row 1"),
    "an unknown column": (put("E1", "consent_dat"), None, "did you mean consent_date?"),
    "a missing column": (put("R1", None), None, "there is no column dlt: "),
    "a column twice": (put("X1", "dlt"), None, "there is a second column for dlt"),
    "an unknown sheet": (lambda book: book.create_sheet("meeting").append(["a"]), None, "did you mean 'meetings'?"),
    "no patients": (lambda book: book.remove(book["patients"]), None, "there is no sheet 'patients'"),
}  # fmt: skip


@pytest.mark.parametrize("what", OF_A_WORKBOOK)
def test_a_workbook_that_cannot_be_read(what: str, tmp_path: Path) -> None:
    change, mapping, words = OF_A_WORKBOOK[what]
    path = as_workbook(with_dates(by_hand()), tmp_path / "log.xlsx", change)
    with pytest.raises(LogError) as refused:
        read(path, mapping)
    assert words in str(refused.value)


def test_a_formula_whose_result_was_saved_is_its_result(tmp_path: Path) -> None:
    path = as_workbook(with_dates(by_hand()), tmp_path / "log.xlsx", put("A5", "=A4+1"))
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    assert sheet.count(b"<v></v>") + sheet.count(b"<v />") + sheet.count(b"<v/>") == 1
    for empty in (b"<v></v>", b"<v />", b"<v/>"):
        sheet = sheet.replace(empty, b"<v>4</v>")
    with zipfile.ZipFile(path, "w") as new:
        for name, part in (parts | {"xl/worksheets/sheet1.xml": sheet}).items():
            new.writestr(name, part)
    assert read(path).patients[3].candidate == 4


def test_letters_of_columns() -> None:
    assert [letters_of(column) for column in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


OF_A_FOLDER: dict[str, tuple[str, bytes, Any, str]] = {
    "another encoding": ("patients.csv", "candidate,consent_date\n1,2025年\n".encode("gb18030"), None, 'encoding = "gb18030"'),
    "semicolons": ("patients.csv", b"candidate;patient\n1;2\n", None, 'delimiter = ";"'),
    "quotes without an end": ("patients.csv", b'candidate\n"1', None, "cannot be read as CSV"),
    "nothing in it": ("patients.csv", b"", None, "has no row with names of columns"),
    "an unknown file": ("doses.csv", b"a,b\n1,2\n", None, 'sheets.ignore = ["doses"]'),
    "many columns": ("patients.csv", b"," * 2_000 + b"\n", None, "and no log has"),
}  # fmt: skip


@pytest.mark.parametrize("what", OF_A_FOLDER)
def test_a_folder_that_cannot_be_read(what: str, tmp_path: Path) -> None:
    name, data, mapping, words = OF_A_FOLDER[what]
    folder = as_folder(by_hand(), tmp_path)
    (folder / name).write_bytes(data)
    with pytest.raises(LogError) as refused:
        read(folder, mapping)
    assert words in str(refused.value)


def test_no_log_at_all(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "log.xlsx").write_bytes(b"PK but no workbook")
    (tmp_path / "log.csv").write_text("candidate\n1\n")
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(100))
    said = {
        "nowhere": "there is no such file", "empty": "holds no CSV file", "log.xlsx": "is no workbook",
        "log.csv": "one CSV file is one sheet", "old.xls": "save it as .xlsx", "a\0b": "no file can have this name",
    }  # fmt: skip
    for name, words in said.items():
        with pytest.raises(LogError, match=words):
            read(tmp_path / name)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "log.xlsx", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", bytes(201_000_000))
    with pytest.raises(LogError, match="unpacks to more than"):
        read(tmp_path / "log.xlsx")


def test_openpyxl_is_needed_for_workbooks_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, book = as_folder(by_hand(), tmp_path / "log"), as_workbook(by_hand(), tmp_path / "log.xlsx")
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    read(folder)
    with pytest.raises(LogError, match=r"a workbook needs openpyxl.*a folder of CSVs needs nothing"):
        read(book)


# A site's own words


CHINESE = """
date_format = {default = "%Y年%m月%d日", left_date = "excel"}
not_yet = ["进行中", "未知"]
ids = "in order"

[sheets]
patients = "受试者"
meetings = "安全审查委员会"
ignore = ["封面"]

[patients]
header_row = 3
candidate = "筛选号"
patient = "入组号"
site = "中心"
consent_date = "知情同意日期"
screening_end_date = "筛选结束日期"
failed_criterion = "筛选失败原因"
level_assigned = "剂量组"
treatment_start_date = "清淋开始日期"
infusion_date = "第一次输注日期"
infusion_2_date = "第二次输注日期"
dlt = "是否发生DLT"
dlt_date = "DLT日期"
left_date = "出组日期"
left_reason = "出组原因"
ignore = ["备注", "姓名缩写"]

[meetings]
data_cut_date = "数据截止日期"
committee_date = "会议日期"
level = "剂量组"
evaluable = "可评估例数"
dlts = "DLT例数"
decision = "决定"
next_level = "下一剂量组"

[values.dlt]
yes = ["是", "1"]
no = "否"

[values.left_reason]
"screen failure" = "筛选失败"

[values.decision]
stay = "继续"

[levels]
low = "低剂量"
2 = "高剂量"

[sites]
Beijing = "北京"
Wuhan = "武汉"
"""


def in_chinese(path: Path) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "封面"
    book.active.append(["某临床研究"])
    page = book.create_sheet("受试者")
    heads = [
        "筛选号",
        "姓名缩写",
        "入组号",
        "中心",
        "知情同意日期",
        "筛选结束日期",
        "筛选失败原因",
        "剂量组",
        "清淋开始日期",
        "第一次输注日期",
        "第二次输注日期",
        "是否发生DLT",
        "DLT日期",
        "出组日期",
        "出组原因",
        "备注",
    ]
    rows: list[list[Any]] = [
        ["受试者一览"], [], heads,
        ["S-003", "LW", "K-02", "武汉", "2025年2月10日", "2025年02月17日", None, "低剂量", "2025年2月17日",
         "2025年2月20日", "2025年2月27日", "否", None, "进行中", None, "顺利"],
        ["S-001", "ZS", "K-01", "北京", "2025年1月6日", "2025年1月14日", None, "低剂量", "2025年1月19日",
         datetime(2025, 1, 22), "2025年1月29日", 1, "2025年2月3日", None, None, None],
        ["S-002", "WJ", None, "北京", "2025年1月7日", "2025年1月15日", "年龄", None, None,
         None, None, "未知", None, 45672, "筛选失败", None],
    ]  # fmt: skip
    for row in rows:
        page.append(row)
    page = book.create_sheet("安全审查委员会")
    page.append(["数据截止日期", "会议日期", "剂量组", "可评估例数", "DLT例数", "决定", "下一剂量组"])
    page.append(["2025年3月25日", "2025年4月1日", "低剂量", 2, 1, "继续", "低剂量"])
    book.save(path)
    return path


def test_a_chinese_workbook_of_another_layout(tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(CHINESE, encoding="utf-8")
    log = read(in_chinese(tmp_path / "日志.xlsx"), tmp_path / "mapping.toml")
    hand = read(as_folder(by_hand(), tmp_path / "log"))
    bare = {"ready_day": None, "cells_given": None, "full_dose": None, "dlt_term": None, "last_seen_day": None}
    first, second, third, _ = (replace(one, **bare) for one in hand.patients)
    assert log.patients == (first, replace(second, failed_criterion="年龄"), third)
    expected = replace(hand.meetings[0], treated=None, pending=None, next_patients=None, reason=None)
    assert log.meetings == (expected,)


def test_a_complaint_names_what_stands_in_a_chinese_workbook(tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(CHINESE.replace('"excel"', '"%d.%m.%Y"'), encoding="utf-8")
    with pytest.raises(LogError) as refused:
        read(in_chinese(tmp_path / "日志.xlsx"), tmp_path / "mapping.toml")
    assert str(refused.value).startswith("受试者 row 6, 出组日期 (cell N6): got 45672: ")


OF_A_MAPPING: dict[str, str] = {
    'date_formt = "%d/%m/%Y"': "1: date_formt: there is no such key here; did you mean `date_format`?",
    'date_format = "%d/%m"': "must be a format with year, month and day",
    'date_format = "%H"': "must be a format with year, month and day",
    'date_format = {dlt_dat = "excel"}': "there is no such key here; did you mean `dlt_date`?",
    "date_format = 3": "must be a format with year, month and day",
    'encoding = "base64"': "is no encoding of text",
    'encoding = "utf-9"': "is no encoding of text",
    'delimiter = "::"': "allowed are: ','",
    'ids = "names"': "allowed are: 'numbers', 'in order'",
    "not_yet = [1.5]": "must be text, or a list of texts",
    "sheets = 3": "must be a table, as [sheets]",
    '[sheets]\npatient = "x"': "2: sheets.patient: there is no such key here; did you mean `patients`?",
    "[patients]\nconsent_date = 3": "must be text",
    "[patients]\nheader_row = 0.5": "must be the number of a row",
    '[patients]\ndlt = "x"\ndlt_date = "X"': "one column cannot be two: dlt and dlt_date",
    '[values.dlt]\nja = "x"': "there is no such word for dlt; ours are: yes, no, under adjudication",
    '[values.consent_date]\nyes = "x"': "there is no such key here",
    '[values.dlt]\nyes = "x"\nno = "x"': "one word cannot mean two: 'yes' and 'no'",
    '[levels]\n3 = "x"': "the scenario has no such dose level; it has: 1 (low), 2 (high)",
    '[sites]\nRome = "x"': "the scenario has no such site; it has: Beijing, Wuhan",
    'not_yet = "NK': "mapping.toml:1: ",
}


@pytest.mark.parametrize("text", OF_A_MAPPING)
def test_a_mapping_that_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(text, encoding="utf-8")
    with pytest.raises(EscalateError) as refused:
        read(as_folder(by_hand(), tmp_path / "log"), tmp_path / "mapping.toml")
    assert OF_A_MAPPING[text] in str(refused.value) and str(tmp_path / "mapping.toml") in str(refused.value)


@pytest.mark.parametrize(
    ("how", "text"),
    [("%d/%m/%Y", "28/03/2025"), ("%m/%d/%Y", "03/28/2025"), ("%d-%b-%Y", "28-Mar-2025"), ("excel", "45744"), ("excel 1904", "44282")],
)  # fmt: skip
def test_dates_are_read_by_the_declared_format(how: str, text: str, tmp_path: Path) -> None:
    sheets = {"patients": [row for row in by_hand()["patients"] if row["candidate"] == 4]}
    sheets["patients"][0]["consent_date"] = text
    folder = as_folder(sheets, tmp_path)
    if text[0] == "2" and "b" in how:  # a spreadsheet would take it for a day: the writer kept it from that
        assert "'28-Mar-2025" in (folder / "patients.csv").read_text()
    assert read(folder, {"date_format": how}).date_of(86) == date(2025, 3, 28)
    assert read(folder, {"date_format": how}).patients[0].consent_day == 86
    with pytest.raises(LogError):
        read(folder)


def test_a_sheet_that_is_mapped_must_be_there(tmp_path: Path) -> None:
    folder = as_folder(by_hand(), tmp_path)
    with pytest.raises(LogError, match="there is no sheet 'SRC'"):
        read(folder, {"sheets": {"meetings": "SRC", "ignore": ["meetings"]}})
    with pytest.raises(LogError, match=r"no column dlt_date \(the mapping file calls it 'onset'\)"):
        read(folder, {"patients": {"dlt_date": "Onset", "ignore": ["dlt_date"]}})


def test_names_are_numbered_in_order_and_are_not_given_twice(tmp_path: Path) -> None:
    sheets = by_hand()
    for row, name in zip(sheets["patients"], ("S-9", "S-2", "S-7", "S-1"), strict=True):
        row["candidate"] = name
    log = read(as_folder(sheets, tmp_path), {"ids": "in order"})
    assert log == read(as_folder(by_hand(), tmp_path))
    sheets["patients"][3]["candidate"] = "s-9"
    with pytest.raises(LogError, match="row 5, candidate: got 's-9': stands in row 2, too"):
        read(as_folder(sheets, tmp_path), {"ids": "in order"})


# The verb


def test_the_verb_writes_what_the_function_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], base: Scenario
) -> None:
    log = log_of(escalate.simulate_trial(base, seed=3, replicate=2), date(2025, 2, 1))
    words = ["cut", BASE, "--seed", "3", "--replicate", "2", "--on", "2025-02-01", "--out"]
    for out in (tmp_path / "log", tmp_path / "log.xlsx"):
        assert main([*words, str(out)]) == 0
        assert f"Written to {out}." in capsys.readouterr().out
        assert read_log(out, base, as_of="2025-02-01") == log
        assert main([*words, str(out)]) == 2
        assert "exists already" in capsys.readouterr().err
        assert main([*words, str(out), "--overwrite"]) == 0
    assert {path.name for path in (tmp_path / "log").iterdir()} == {
        "patients.csv", "meetings.csv", "amendments.csv", "pauses.csv", "resolved.json", "SHA256SUMS",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("on", "words"),
    [("2035-01-01", "the trial goes from 2024-08-30 to 2026-02-24"), ("2025-02-30", "there is no day"), ("1/2/2025", "is no ISO date")],
)  # fmt: skip
def test_a_day_that_the_verb_cannot_cut_on(
    on: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["cut", BASE, "--on", on, "--out", str(tmp_path / "log")])
    except SystemExit as stopped:
        status = int(stopped.code or 0)
    assert status == 2 and words in capsys.readouterr().err and not list(tmp_path.iterdir())


# Mutants


GARBAGE: tuple[Any, ...] = (
    "", " ", "x", "ongoing", "NK", "2025-02-30", "03/04/2025", "0000-00-00", "99999-01-01", "1e400", "-1", "1e308", "nan", "inf",
    "9" * 400, "=1+1", "+SUM(A1)", "@x", "-2", "\x07", "\u202e", "'", '"', "é", "是", "👩‍🔬", "x" * 40_000, "a\nb", "\t",
    "level 0", "level 9", "0", "1", "2", "yes", "no", "stop", "example", "None", "TRUE", "#N/A", "1/6", "²", "١", "٣", "1_000",
)  # fmt: skip
TYPED: tuple[Any, ...] = (
    0, 1, 2, -1, 1.5, 10**15, 1e300, True, False, date(1901, 1, 1), date(2025, 3, 1), date(9999, 12, 31),
    datetime(2025, 1, 1, 13, 5), time(1, 2), timedelta(days=3), "=A1", "#REF!",
)  # fmt: skip


def mutant(chance: random.Random, folder: Path, as_book: bool) -> Path:
    """Write a log in which a few things went wrong."""
    sheets = by_hand() if chance.random() < 0.7 else with_dates(by_hand())
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        rows = sheets[chance.choice(("patients", "patients", "patients", "meetings", "amendments", "pauses"))]
        row, other = chance.choice(rows), chance.choice(rows)
        head, another = chance.choice(list(row)), chance.choice(list(row))
        match chance.randrange(9 if as_book else 8):
            case 0 | 1 | 2:
                row[head] = chance.choice(GARBAGE)
            case 3:
                row[head], row[another] = row.get(another), row.get(head)
            case 4:
                row[head], other[head] = other.get(head), row.get(head)
            case 5:
                rows.insert(chance.randrange(len(rows)), dict(row))
            case 6:
                for each in rows:
                    each.pop(head, None)
                if not rows[0]:
                    rows[0]["x"] = None
            case 7:
                name = str(chance.choice(GARBAGE))[:50] or "y"
                for each in rows:
                    each[name if name.isprintable() else "z"] = each.pop(head, None)
            case 8:
                row[head] = chance.choice(TYPED)
    sheets = {name: [{head: row.get(head) for head in rows[0]} for row in rows] for name, rows in sheets.items()}
    if as_book:
        path = folder / "log.xlsx"
        try:
            as_workbook(sheets, path)
        except (ValueError, TypeError, OverflowError, openpyxl.utils.exceptions.IllegalCharacterError):
            as_workbook(by_hand(), path)
        damaged = path
    else:
        path = as_folder(sheets, folder)
        damaged = chance.choice(sorted(path.glob("*.csv")))
    if chance.random() < 0.25:
        data = bytearray(damaged.read_bytes())
        if chance.random() < 0.4:
            del data[chance.randrange(len(data)) :]
        for _ in range(chance.choice((1, 3, 30))):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        damaged.write_bytes(bytes(data))
    elif not as_book and chance.random() < 0.1:
        encoding = chance.choice(("utf-16", "gb18030", "utf-32"))
        damaged.write_bytes(damaged.read_text(encoding="utf-8").encode(encoding, "replace"))
    return path


def judge(seed: int, folder: Path) -> str:
    """Return what became of a mutant; whatever was accepted is a log that is written and read as itself."""
    chance, scenario = random.Random(seed), two_sites()
    path = mutant(chance, folder, as_book=seed % 3 == 0)
    mapping = chance.choice(
        (None, None, {"not_yet": ["ongoing", "NK"], "date_format": "%d/%m/%Y"}, {"ids": "in order"})
    )
    try:
        log = read(path, mapping, scenario)
    except EscalateError as error:
        assert str(error).strip() and len(str(error)) < 60_000
        return "refused"
    again = folder / "again"
    again.mkdir()
    for name, data in log_files(log, scenario).items():
        (again / name).write_bytes(data)
    assert read(again, None, scenario) == log
    for one in (*log.patients, *log.meetings):
        days = [getattr(one, field.name) for field in fields(one) if field.name.endswith("_day")]
        assert all(0 <= day <= log.as_of_day for day in days if day is not None)
    return "accepted"


def judge_many(seeds: range) -> None:
    counts = {"accepted": 0, "refused": 0}
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            counts[judge(seed, Path(folder))] += 1
    assert counts["refused"] > len(seeds) / 3 and counts["accepted"] > len(seeds) / 20, counts


def test_mutants() -> None:
    judge_many(range(200))


@pytest.mark.long
def test_many_mutants() -> None:
    judge_many(range(1_000, 11_000))


def test_as_of_is_the_day_of_the_tests() -> None:
    assert two_sites().trial.start_date + timedelta(days=99) == AS_OF
