"""A small log, written by hand, for the tests of logs: whatever a test changes in it stands alone."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from escalate import Scenario
from escalate.tracking import read_log
from escalate.tracking.columns import patients_sheet
from escalate.words.csv_text import csv_text
from escalate.words.log import Log
from small import lymphodepletion, small

AS_OF = date(2025, 4, 10)

Cells = dict[str, Any]
Sheets = dict[str, list[Cells]]


@cache
def two_sites() -> Scenario:
    """Two sites, two levels in cells, two infusions a week apart, a window of 28 days, from 2025-01-01."""
    return small(
        dose_levels=[{"label": "low", "cells": 9e9}, {"label": "high", "cells": 13.5e9}],
        treatment={"infusion_days": [0, 7], "lymphodepletion": lymphodepletion(3)},
        accrual={"kind": "by_site"},
        sites=[{"name": "Beijing", "consents_per_month": 2}, {"name": "Wuhan", "consents_per_month": 1}],
    )


def by_hand() -> Sheets:
    """A DLT, a screening failure, a clean window, somebody in screening; one decision; an amendment; a pause."""
    blank: Cells = dict.fromkeys(column.name for column in patients_sheet(2).written if column.name != "note")
    return {
        "patients": [
            blank | {
                "candidate": 1, "patient": 1, "site": "Beijing", "consent_date": "2025-01-06",
                "screening_end_date": "2025-01-14", "ready_date": "2025-01-14", "level_assigned": 1,
                "treatment_start_date": "2025-01-19", "infusion_date": "2025-01-22", "infusion_2_date": "2025-01-29",
                "cells_given": 9e9, "full_dose": "yes", "dlt": "yes", "dlt_date": "2025-02-03",
                "dlt_term": "cytokine release syndrome", "last_seen_date": "2025-04-01",
            },
            blank | {
                "candidate": 2, "site": "Beijing", "consent_date": "2025-01-07", "screening_end_date": "2025-01-15",
                "failed_criterion": "viral load", "left_date": "2025-01-15", "left_reason": "screen failure",
            },
            blank | {
                "candidate": 3, "patient": 2, "site": "Wuhan", "consent_date": "2025-02-10",
                "screening_end_date": "2025-02-17", "ready_date": "2025-02-17", "level_assigned": "low",
                "treatment_start_date": "2025-02-17", "infusion_date": "2025-02-20", "infusion_2_date": "2025-02-27",
                "dlt": "no",
            },
            blank | {"candidate": 4, "site": "Wuhan", "consent_date": "2025-03-28"},
        ],
        "meetings": [
            {
                "data_cut_date": "2025-03-25", "committee_date": "2025-04-01", "level": 1, "treated": 2, "evaluable": 2,
                "dlts": 1, "pending": 0, "decision": "stay", "next_level": 1, "next_patients": 3, "reason": "1 of 2",
            },
        ],
        "amendments": [{"date": "2025-04-02", "key": "safety.stagger_days", "old": "0", "new": "7"}],
        "pauses": [{"from": "2025-04-05", "to": "2025-05-01", "what": "infusions"}],
    }  # fmt: skip


def as_folder(sheets: Mapping[str, Sequence[Mapping[str, Any]]], folder: Path) -> Path:
    """Write sheets as CSV files; the names of columns are those of the first row."""
    folder.mkdir(exist_ok=True)
    for name, rows in sheets.items():
        heads = list(rows[0])
        text = csv_text(heads, [[row[head] for head in heads] for row in rows])
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def as_workbook(
    sheets: Mapping[str, Sequence[Mapping[str, Any]]], path: Path, change: Callable[[Any], object] = lambda book: None
) -> Path:
    """Write sheets as a workbook, as they are: text is text, and dates are dates."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        page.append(list(rows[0]))
        for row in rows:
            page.append(list(row.values()))
    change(book)
    data = io.BytesIO()
    book.save(data)
    path.write_bytes(data.getvalue())
    return path


def with_dates(sheets: Sheets) -> Sheets:
    """Return sheets whose ISO dates are dates, as a spreadsheet has them."""

    def dated(value: Any) -> Any:
        return date.fromisoformat(value) if isinstance(value, str) and value[:4] == "2025" else value

    return {name: [{k: dated(v) for k, v in row.items()} for row in rows] for name, rows in sheets.items()}


def read(path: Path, mapping: Any = None, scenario: Scenario | None = None) -> Log:
    """Read it as of the day."""
    return read_log(path, scenario or two_sites(), mapping, as_of=AS_OF)
