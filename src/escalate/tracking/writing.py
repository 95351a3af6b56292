"""A log as rows of its sheets, and the example of its template; `escalate.export.log` puts them into files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ..scenario.model import Scenario
from ..words.log import Amendment, Log, LoggedMeeting, LoggedPatient, Pause
from ..words.records import NO_LEVEL
from .columns import EXAMPLE, NO_DOSE_WORD, LogColumn, LogSheet, log_sheets
from .levels import level_word

Cells = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class WrittenSheet:
    """One sheet of a log, as it is written.

    Parameters
    ----------
    sheet : LogSheet
        Name and columns.
    rows : sequence of tuple
        A cell for each of `sheet.written`: a number, text, a date, or ``None``.
    choices : mapping of str to tuple
        By column: what its cells may be, where that is a list.
    """

    sheet: LogSheet
    rows: Sequence[Cells]
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name."""
        return self.sheet.name

    @property
    def columns(self) -> tuple[LogColumn, ...]:
        """The columns that are written."""
        return self.sheet.written

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)


def written_log(log: Log, scenario: Scenario) -> tuple[WrittenSheet, ...]:
    """Return the sheets of a log; reading them gives the log again.

    Parameters
    ----------
    log : Log
        The log.
    scenario : Scenario
        Its levels and sites.
    """
    planned = max(len(schedule.infusion_days) for schedule in scenario.schedules)
    most = max((len(patient.infusion_days) for patient in log.patients), default=0)
    noted = {"note": log.note or None}
    named = (
        {"patients": [_of_patient(log, scenario, one) | noted for one in log.patients]}
        | {"meetings": [_of_meeting(log, scenario, one) | noted for one in log.meetings]}
        | {"amendments": [_of_amendment(log, one) for one in log.amendments]}
        | {"pauses": [_of_pause(log, one) for one in log.pauses]}
    )
    return tuple(
        WrittenSheet(
            sheet,
            [tuple(row.get(column.name) for column in sheet.written) for row in named[sheet.name]],
            _choices(sheet, scenario),
        )
        for sheet in log_sheets(max(planned, most))
    )


def written_template(scenario: Scenario) -> tuple[WrittenSheet, ...]:
    """Return the sheets of an empty log, each with a row that is an example and is not read."""
    planned = max(len(schedule.infusion_days) for schedule in scenario.schedules)
    return tuple(
        WrittenSheet(sheet, [_example(sheet, scenario)], _choices(sheet, scenario)) for sheet in log_sheets(planned)
    )


def _example(sheet: LogSheet, scenario: Scenario) -> Cells:
    """Return a row that shows how cells are written; its first cell says that it is none."""
    cells = []
    for column in sheet.written:
        text: Any = column.example or None
        if column.kind == "site" and scenario.sites:
            text = scenario.sites[0].name
        elif column.kind in ("level", "next level") and text is not None:
            text = level_word(min(int(text), scenario.levels) - 1, scenario)
        elif column.kind == "date" and text is not None:
            text = date.fromisoformat(text)
        elif column.kind in ("number", "count") and text is not None:
            text = int(text)
        cells.append(text)
    return (EXAMPLE, *cells[1:])


def _choices(sheet: LogSheet, scenario: Scenario) -> dict[str, tuple[str, ...]]:
    """Return what the cells of a column may be, where that is a list."""
    levels = tuple(str(level_word(level, scenario)) for level in range(scenario.levels))
    choices = {}
    for column in sheet.written:
        if column.words:
            choices[column.name] = column.words
        elif column.kind == "level":
            choices[column.name] = levels
        elif column.kind == "next level":
            choices[column.name] = (*levels, NO_DOSE_WORD)
        elif column.kind == "site" and scenario.sites:
            choices[column.name] = tuple(site.name for site in scenario.sites)
    return choices


def _day(log: Log) -> Callable[[int | None], date | None]:
    return lambda day: None if day is None else log.date_of(day)


def _word(whether: bool | None) -> str | None:
    return None if whether is None else "yes" if whether else "no"


def _of_patient(log: Log, scenario: Scenario, one: LoggedPatient) -> dict[str, Any]:
    day = _day(log)
    infusions = {
        "infusion_date" if number == 1 else f"infusion_{number}_date": day(on)
        for number, on in enumerate(one.infusion_days, 1)
    }
    return infusions | {
        "candidate": one.candidate,
        "patient": one.patient,
        "site": scenario.sites[one.site].name if scenario.sites else None,
        "referred_date": day(one.referred_day),
        "consent_date": day(one.consent_day),
        "screening_end_date": day(one.screening_end_day),
        "failed_criterion": one.failed_criterion,
        "product_date": day(one.product_day),
        "ready_date": day(one.ready_day),
        "level_assigned": _level(one.level, scenario),
        "level_received": _level(one.level_received, scenario),
        "treatment_start_date": day(one.start_day),
        "cells_given": one.cells_given,
        "full_dose": _word(one.full_dose),
        "not_infused_reason": one.not_infused_reason,
        "dlt": one.dlt,
        "dlt_date": day(one.dlt_day),
        "dlt_term": one.dlt_term,
        "last_seen_date": day(one.last_seen_day),
        "left_date": day(one.left_day),
        "left_reason": one.left_reason,
        "evaluable_override": _word(one.evaluable_override),
        "override_by": one.override_by,
        "override_why": one.override_why,
    }


def _level(level: int | None, scenario: Scenario) -> int | str | None:
    if level is None:
        return None
    return NO_DOSE_WORD if level == NO_LEVEL else level_word(level, scenario)


def _of_meeting(log: Log, scenario: Scenario, one: LoggedMeeting) -> dict[str, Any]:
    day = _day(log)
    return {
        "data_cut_date": day(one.data_cut_day),
        "committee_date": day(one.committee_day),
        "level": _level(one.level, scenario),
        "treated": one.treated,
        "evaluable": one.evaluable,
        "dlts": one.dlts,
        "pending": one.pending,
        "decision": None if one.action is None else one.action.words,
        "next_level": _level(one.next_level, scenario),
        "next_patients": one.next_patients,
        "reason": one.reason,
    }


def _of_amendment(log: Log, one: Amendment) -> dict[str, Any]:
    return {"date": log.date_of(one.day), "key": one.key, "old": one.old, "new": one.new}


def _of_pause(log: Log, one: Pause) -> dict[str, Any]:
    return {"from": log.date_of(one.first_day), "to": log.date_of(one.last_day), "what": one.what}
