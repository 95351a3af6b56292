"""From a workbook or a folder of CSVs to a `Log`, or to every reason why it is none."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ..errors import LogError, LogProblem, near
from ..files import FileRead
from ..scenario.model import Scenario
from ..words.log import Amendment, Log, LoggedMeeting, LoggedPatient, Pause
from ..words.records import Action
from .cells import CellReader, NoValueError, why_no_dates
from .checks import cannot_be
from .columns import (
    ACTIONS,
    EXAMPLE,
    MOST_INFUSIONS,
    NOT_OF_THE_LOG,
    LogColumn,
    LogSheet,
    log_sheets,
)
from .mapping import LogMapping, names_of, plain, read_mapping
from .rows import Row
from .sheets import RawSheet, is_named, letters_of, read_sheets
from .simulated import read_as_meeting, read_as_patient, without_cut_off

_OF_THE_SIMULATOR = re.compile(r".+_mg|p_dlt(_low|_high)?_\d+|followup_\d+")


def read_log(
    path: str | os.PathLike[str],
    scenario: Scenario,
    mapping: str | os.PathLike[str] | FileRead | Mapping[str, Any] | None = None,
    *,
    as_of: date | str,
) -> Log:
    """Read the log of a real trial, and check it.

    Nothing is taken that cannot be: a date is read by the declared format and never by guess, and what contradicts
    itself is refused. A disagreement with the protocol is a fact, and is kept.

    Parameters
    ----------
    path : path
        A workbook (``.xlsx``; extra `excel`) or a folder of CSV files, with the sheets patients, meetings, amendments
        and pauses; only patients must be there. A simulated trial's own tables are a log, too.
    scenario : Scenario
        The trial's protocol: its dose levels, sites and start date.
    mapping : path or mapping, optional
        The site's own names, codes and date formats: see `escalate.tracking.mapping`.
    as_of : date or str
        The day at whose end the log is what is known; a date after it is a mistake.

    Returns
    -------
    Log
        Facts, with days counted from the scenario's start date.

    Raises
    ------
    LogError
        If it cannot be read, or holds what cannot be; names sheet, row, column, what was got and what is allowed, for
        everything at once.
    ScenarioError
        If the mapping file cannot be read.
    """
    day = _as_of(as_of, scenario)
    read = read_mapping(mapping, scenario)
    reader = _LogReader(scenario, read)
    rows = reader.rows(read_sheets(Path(path), read))
    problems = [*reader.problems, *cannot_be(rows, scenario, day)]
    if problems:
        raise LogError(_in_order(problems, rows))
    return _log(rows, scenario, day)


def _in_order(problems: Sequence[LogProblem], rows: Mapping[str, Sequence[Row]]) -> list[LogProblem]:
    """Return what is wrong in the order of the log, sheet by sheet and row by row."""
    names = dict.fromkeys(row.sheet for sheet in rows.values() for row in sheet)
    places = {name: place for place, name in enumerate(names)}
    return sorted(problems, key=lambda one: (places.get(one.sheet, -1), one.row))


def _as_of(as_of: date | str, scenario: Scenario) -> date:
    if isinstance(as_of, datetime):
        as_of = as_of.date()
    if isinstance(as_of, str):
        try:
            as_of = date.fromisoformat(as_of.strip())
        except ValueError:
            said = "is no date; the day of the log is an ISO date, as 2025-04-10"
            raise LogError([LogProblem(message=f"as_of = {as_of!r}: {said}")]) from None
    if not isinstance(as_of, date):
        said = f"as_of is a date or an ISO text, as 2025-04-10, got {type(as_of).__name__}"
        raise LogError([LogProblem(message=said)])
    if as_of < (start := scenario.trial.start_date):
        said = f"as_of = {as_of}: is before the trial's start date, {start} (trial.start_date of the scenario)"
        raise LogError([LogProblem(message=said)])
    return as_of


class _LogReader:
    """Reads sheets into rows, and keeps what is wrong with them."""

    def __init__(self, scenario: Scenario, mapping: LogMapping) -> None:
        self._scenario, self._mapping = scenario, mapping
        self._planned = max(len(schedule.infusion_days) for schedule in scenario.schedules)
        self._sheets = log_sheets(max(self._planned, MOST_INFUSIONS))
        self._cells = CellReader(scenario, mapping)
        self.problems: list[LogProblem] = []

    def rows(self, raw: Sequence[RawSheet]) -> dict[str, list[Row]]:
        """Return the rows of each sheet, by our names."""
        found: dict[str, list[Row]] = {}
        known: list[str] = []
        for sheet, names in names_of(self._sheets, self._mapping):
            standing = [one for one in raw if is_named(one, names)]
            known += [*map(plain, names)]
            if len(standing) > 1:
                self._complain(f"is here twice: {' and '.join(repr(one.name) for one in standing)}", sheet.name)
            if standing:
                found[sheet.name] = self._read(sheet, standing[0])
            elif sheet.name == "patients" or self._mapping.sheet(sheet.name).name:
                here = ", ".join(repr(one.name) for one in raw)
                self._complain(
                    f"there is no sheet {names[0]!r}; there are: {here}; the mapping file says which is which"
                )
        others = {*known, *map(plain, NOT_OF_THE_LOG), *self._mapping.ignore_sheets}
        for one in raw:
            if plain(one.name) not in others and one.rows:
                close = near(plain(one.name), known)
                hint = (
                    f"did you mean {close[0]!r}?" if close else f"a log has: {', '.join(s.name for s in self._sheets)};"
                )
                said = (
                    f'{hint} say in the mapping file what it is, or that it is not read: sheets.ignore = ["{one.name}"]'
                )
                self._complain(f"is no sheet of a log; {said}", one.name)
        return found

    def _complain(self, message: str, sheet: str = "", row: int = 0, column: str = "", letter: str = "") -> None:
        self.problems.append(LogProblem(message=message, sheet=sheet, row=row, column=column, letter=letter))

    def _read(self, sheet: LogSheet, raw: RawSheet) -> list[Row]:
        """Return the rows of a sheet below its head."""
        header_row = self._mapping.sheet(sheet.name).header_row
        heads = [row for row in raw.rows if not header_row or row[0] == header_row][:1]
        if not heads:
            if header_row or sheet.name == "patients":
                self._complain(
                    "has no row with names of columns" + f" in row {header_row}" * bool(header_row), raw.name
                )
            return []
        number, names = heads[0]
        below = [row for row in raw.rows if row[0] > number]
        positions = self._columns(sheet, raw, number, names)
        self._look_beside(raw, names, below, number)
        shown_heads = {
            column: (str(names[position]).strip(), letters_of(position) if raw.has_letters else "")
            for column, position in positions.items()
        }
        rows = []
        for row_number, cells in below:
            own = {column: cells[at] if at < len(cells) else None for column, at in positions.items()}
            first = next(iter(own.values()), None)
            if isinstance(first, str) and plain(first) == EXAMPLE:
                continue
            if any(not self._cells.is_empty(value) for value in own.values()):
                rows.append(Row(raw.name, row_number, shown_heads, own))
        self._read_cells(sheet, rows)
        return rows

    # Columns

    def _columns(self, sheet: LogSheet, raw: RawSheet, row: int, names: Sequence[Any]) -> dict[str, int]:
        """Return where each of our columns stands, in our order."""
        mapped = self._mapping.sheet(sheet.name)
        aliases = {alias: column.name for column in sheet.columns for alias in column.aliases}
        keys = [_key(name) for name in names]
        found: dict[str, int] = {}
        for position, (name, key) in enumerate(zip(names, keys, strict=True)):
            said = plain(str(name)) if name is not None else ""
            if not said or said in mapped.ignore:
                continue
            ours = mapped.columns.get(said)
            if ours is None and key in aliases:
                ours = aliases[key]
            elif ours is None and key == "decision" and "action" in keys:
                continue  # of the simulator's decisions, it is their number
            elif ours is None and key in sheet.by_name:
                ours = key
            if ours is None:
                if not self._is_passed_over(sheet, key, keys):
                    self._unknown(sheet, raw, row, position, str(name))
            elif ours in found:
                at = letters_of(position) if raw.has_letters else ""
                self._complain(f"there is a second column for {ours}; leave one out", raw.name, row, str(name), at)
            else:
                found[ours] = position
        for missing in self._missing(sheet, found):
            their = next((their for their, ours in mapped.columns.items() if ours == missing.name), "")
            why = f" (the mapping file calls it {their!r})" if their else ""
            self._complain(
                f"there is no column {missing.name}{why}: {missing.column.meaning}; add it, or say in the mapping file "
                f'what it is called: [{sheet.name}] {missing.name} = "..."',
                raw.name, row,
            )  # fmt: skip
        return {column.name: found[column.name] for column in sheet.columns if column.name in found}

    def _is_passed_over(self, sheet: LogSheet, key: str, keys: Sequence[str]) -> bool:
        """Return whether a column is one of the simulator's that are not read."""
        if key in sheet.ignored or _OF_THE_SIMULATOR.fullmatch(key):
            return True
        return key.endswith("_day") and f"{key.removesuffix('_day')}_date" in keys

    def _unknown(self, sheet: LogSheet, raw: RawSheet, row: int, position: int, name: str) -> None:
        close = near(_key(name), [column.name for column in sheet.written])
        hint = f"did you mean {close[0]}? If not, " if close else ""
        said = (
            f"is no column of a log; {hint}say in the mapping file what it is, or that it is not read: "
            f'[{sheet.name}] ignore = ["{name.strip()[:60]}"]'
        )
        self._complain(said, raw.name, row, name.strip()[:60], letters_of(position) if raw.has_letters else "")

    def _missing(self, sheet: LogSheet, found: Mapping[str, int]) -> Iterator[LogColumn]:
        """Yield the columns that a sheet must have, and has not."""
        needed = {column.name for column in sheet.columns if column.needed}
        if sheet.name == "patients":
            needed |= {"site"} if self._scenario.sites else set()
            needed |= {"treatment_start_date"} if self._scenario.lymphodepletes else set()
            if "infusions" not in found:
                needed |= {f"infusion_{number}_date" for number in range(2, self._planned + 1)}
            if "outcome" in found:
                needed.discard("dlt")
        return (column for column in sheet.columns if column.name in needed - found.keys())

    def _look_beside(self, raw: RawSheet, names: Sequence[Any], below: Sequence[Any], row: int) -> None:
        """Complain of cells in columns without a name: somebody wrote them for some reason."""
        named = {position for position, name in enumerate(names) if name is not None and str(name).strip()}
        for number, cells in below:
            for position, value in enumerate(cells):
                if position not in named and not self._cells.is_empty(value):
                    said = f"its column has no name in row {row}; name the column, or move what stands here"
                    at = letters_of(position)
                    self._complain(said, raw.name, number, f"column {at}", at if raw.has_letters else "")
                    return

    # Cells

    def _read_cells(self, sheet: LogSheet, rows: Sequence[Row]) -> None:
        for row in rows:
            without_cut_off(row.raw)
        for column in sheet.columns:
            if not rows or column.name not in rows[0].heads:
                continue
            if column.kind == "date" and (
                why := why_no_dates(column, [row.raw[column.name] for row in rows], self._mapping)
            ):
                first = next(
                    row for row in rows if isinstance(row.raw[column.name], str) and row.raw[column.name].strip()
                )
                self.problems.append(first.problem(column.name, why))
                for row in rows:
                    row.unread.add(column.name)
                continue
            for row in rows:
                self._read_cell(column, row)
        if sheet.name == "patients":
            self._number(rows)
        for row in rows:
            if sheet.name == "patients":
                self.problems += read_as_patient(row, self._scenario)
                self._start_of_infusion(row)
            elif sheet.name == "meetings":
                read_as_meeting(row)

    def _read_cell(self, column: LogColumn, row: Row) -> None:
        if column.kind == "number" and self._mapping.numbers_in_order:
            return
        try:
            row.values[column.name] = self._cells.value(column, row.raw[column.name])
        except NoValueError as error:
            row.unread.add(column.name)
            self.problems.append(row.problem(column.name, str(error)))

    def _start_of_infusion(self, row: Row) -> None:
        """Without lymphodepletion, treatment starts with the first infusion: one cell may say both."""
        level = row["level_assigned"]
        starts_so = level is not None and self._scenario.schedules[level].lead_days == 0
        if starts_so and row["treatment_start_date"] is None and row.is_read("treatment_start_date"):
            row.values["treatment_start_date"] = row["infusion_date"]

    def _number(self, rows: Sequence[Row]) -> None:
        """Number candidates and patients who have names, in order of coming and of the start of treatment."""
        if not self._mapping.numbers_in_order:
            return
        came = ("referred_date", "consent_date", "screening_end_date")
        began = ("treatment_start_date", "infusion_date")
        for column, dates in (("candidate", came), ("patient", began)):
            named: dict[str, Row] = {}
            for row in rows:
                raw = row.raw.get(column)
                if self._cells.is_empty(raw):
                    continue
                name = plain(str(raw))
                if name in named:
                    row.unread.add(column)
                    self.problems.append(
                        row.problem(column, f"stands in row {named[name].number}, too: each has its own")
                    )
                else:
                    named[name] = row
            in_order = sorted(named.values(), key=lambda row: min((row[d] for d in dates if row[d]), default=date.max))
            for number, row in enumerate(in_order, 1):
                row.values[column] = number


def _key(name: Any) -> str:
    """Return the name of a column as ours are written."""
    return re.sub(r"[\s-]+", "_", plain(str(name))) if name is not None else ""


# From rows to the log


def _log(rows: Mapping[str, Sequence[Row]], scenario: Scenario, as_of: date) -> Log:
    """Return the log, now that nothing is wrong with it."""
    start = scenario.trial.start_date

    def day(row: Row, column: str) -> int | None:
        found = row[column]
        return None if found is None else (found - start).days

    patients = [_patient(row, day) for row in rows.get("patients", ())]
    meetings = [_meeting(row, day) for row in rows.get("meetings", ())]
    amendments = [
        Amendment(day=_sure(day(row, "date")), key=row["key"], old=row["old"], new=row["new"])
        for row in rows.get("amendments", ())
    ]
    pauses = [
        Pause(first_day=_sure(day(row, "from")), last_day=_sure(day(row, "to")), what=row["what"])
        for row in rows.get("pauses", ())
    ]
    as_of_day = (as_of - start).days
    return Log(
        start_date=start,
        as_of_day=as_of_day,
        patients=tuple(sorted(patients, key=lambda one: one.candidate)),
        meetings=tuple(sorted(meetings, key=lambda one: (one.data_cut_day, _or_never(one.committee_day)))),
        amendments=tuple(sorted(amendments, key=lambda one: one.day)),
        pauses=tuple(sorted(pauses, key=lambda one: (one.first_day, one.last_day))),
    )


def _sure(day: int | None) -> int:
    assert day is not None
    return day


def _or_never(day: int | None) -> float:
    return float("inf") if day is None else day


def _whether(word: str | None) -> bool | None:
    return None if word is None else word == "yes"


def _patient(row: Row, day: Any) -> LoggedPatient:
    infusions = [name for name in row.values if re.fullmatch(r"infusion(_\d+)?_date", name)]
    return LoggedPatient(
        candidate=row["candidate"],
        site=row["site"] or 0,
        patient=row["patient"],
        referred_day=day(row, "referred_date"),
        consent_day=day(row, "consent_date"),
        screening_end_day=day(row, "screening_end_date"),
        failed_criterion=row["failed_criterion"],
        product_day=day(row, "product_date"),
        ready_day=day(row, "ready_date"),
        level=row["level_assigned"],
        level_received=row["level_received"],
        start_day=day(row, "treatment_start_date"),
        infusion_days=tuple(day(row, name) for name in infusions if row[name] is not None),
        cells_given=row["cells_given"],
        full_dose=_whether(row["full_dose"]),
        not_infused_reason=row["not_infused_reason"],
        dlt=row["dlt"],
        dlt_day=day(row, "dlt_date"),
        dlt_term=row["dlt_term"],
        last_seen_day=day(row, "last_seen_date"),
        left_day=day(row, "left_date"),
        left_reason=row["left_reason"],
        evaluable_override=_whether(row["evaluable_override"]),
        override_by=row["override_by"],
        override_why=row["override_why"],
    )


def _meeting(row: Row, day: Any) -> LoggedMeeting:
    action = row["decision"]
    return LoggedMeeting(
        data_cut_day=_sure(day(row, "data_cut_date")),
        committee_day=day(row, "committee_date"),
        level=row["level"],
        treated=row["treated"],
        evaluable=row["evaluable"],
        dlts=row["dlts"],
        pending=row["pending"],
        action=None if action is None else Action(ACTIONS.index(action)),
        next_level=row["next_level"],
        next_patients=row["next_patients"],
        reason=row["reason"],
    )
