"""A site's own names, codes and dates: a small TOML file that says, for each word of the log, what stands in its place.

Everywhere it says *ours = theirs*::

    date_format = "%d/%m/%Y"        # or "excel" (serial numbers); a table gives each column its own
    not_yet = ["ongoing", "NK"]     # what stands for an empty cell
    ids = "in order"                # candidates and patients have names: they are numbered in order of coming

    [sheets]
    patients = "Screening log"
    ignore = ["Contacts"]

    [patients]
    header_row = 2
    consent_date = "ICF signed"
    ignore = ["Initials"]

    [values.dlt]
    yes = ["Y", "1"]

    [levels]
    1 = "low"

    [sites]
    Beijing = "01"
"""

from __future__ import annotations

import codecs
import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from ..errors import LogError, Problem, near
from ..files import FileRead
from ..scenario.model import Scenario
from ..scenario.texts import read_toml
from .columns import LogSheet, log_sheets

EXCEL, EXCEL_1904 = "excel", "excel 1904"
"""Date formats of serial numbers: a spreadsheet's days since 1899-12-30, and since 1904-01-01."""

IN_ORDER = "in order"
"""What `ids` says where candidates and patients have names, and are numbered in order."""

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetMapping:
    """How one sheet is written.

    Parameters
    ----------
    name : str
        What it is called; empty for its own name.
    header_row : int
        The row with the names of its columns; 0 for the first that is not empty.
    columns : mapping of str to str
        Our column by their name, both as `plain` has them.
    ignore : frozenset of str
        Their columns that are not read.
    """

    name: str = ""
    header_row: int = 0
    columns: Texts = field(default_factory=dict)
    ignore: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogMapping:
    """How a site writes its log.

    Parameters
    ----------
    date_format : str
        A format of `datetime.strptime`, `EXCEL` or `EXCEL_1904`; empty for ISO dates.
    date_formats : mapping of str to str
        The same for single columns, by our names.
    not_yet : frozenset of str
        Words for an empty cell.
    encoding, delimiter : str
        Of CSV files.
    numbers_in_order : bool
        Whether candidates and patients have names, and are numbered in order.
    sheets : mapping of str to SheetMapping
        By our names.
    ignore_sheets : frozenset of str
        Their sheets that are not read.
    values : mapping of str to mapping
        By our column: our word by theirs.
    levels, sites : mapping of str to str
        Our level or site by theirs.
    """

    date_format: str = ""
    date_formats: Texts = field(default_factory=dict)
    not_yet: frozenset[str] = frozenset()
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    numbers_in_order: bool = False
    sheets: Mapping[str, SheetMapping] = field(default_factory=dict)
    ignore_sheets: frozenset[str] = frozenset()
    values: Mapping[str, Texts] = field(default_factory=dict)
    levels: Texts = field(default_factory=dict)
    sites: Texts = field(default_factory=dict)

    def sheet(self, name: str) -> SheetMapping:
        """Return how a sheet is written."""
        return self.sheets.get(name) or SheetMapping()

    def format_of(self, column: str) -> str:
        """Return the date format of a column; empty for ISO dates."""
        return self.date_formats.get(column, self.date_format)


def plain(text: str) -> str:
    """Return a word as it is compared: case, width of letters and blanks do not matter."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def read_mapping(
    mapping: str | os.PathLike[str] | FileRead | Mapping[str, Any] | None, scenario: Scenario
) -> LogMapping:
    """Return how a site writes its log.

    Parameters
    ----------
    mapping : path, mapping or None
        A file in TOML, or what it would hold; ``None`` where the log is written in our own words.
    scenario : Scenario
        Its levels and sites.

    Raises
    ------
    LogError
        If it is not valid; names file, line and key, for all problems at once.
    ScenarioError
        If it cannot be read, or is not TOML.
    """
    if mapping is None:
        return LogMapping()
    lines: Mapping[Any, int] = {}
    data: Any = mapping
    file = ""
    if not isinstance(mapping, Mapping):
        read = mapping if isinstance(mapping, FileRead) else Path(mapping)
        data, lines = read_toml(read)
        file = str(read.path if isinstance(read, FileRead) else read)
    reader = _Reader(scenario, file, lines)
    found = reader.read(data)
    if reader.problems:
        raise LogError(reader.problems)
    return found


class _Reader:
    """Reads a mapping, and keeps what is wrong with it."""

    def __init__(self, scenario: Scenario, file: str, lines: Mapping[Any, int]) -> None:
        self._scenario, self._file, self._lines = scenario, file, lines
        most = max(len(schedule.infusion_days) for schedule in scenario.schedules)
        self._sheets = {sheet.name: sheet for sheet in log_sheets(max(most, 9))}
        self._columns = {name: column for sheet in self._sheets.values() for name, column in sheet.by_name.items()}
        self.problems: list[Problem] = []

    def read(self, data: Mapping[str, Any]) -> LogMapping:
        """Return the mapping; `problems` holds what is wrong with it."""
        known = ("date_format", "not_yet", "encoding", "delimiter", "ids", "sheets", "values", "levels", "sites")
        self._known(data, (*known, *self._sheets), ())
        formats = data.get("date_format", "")
        by_column = formats if isinstance(formats, Mapping) else {"default": formats}
        names = self._table(data, "sheets", self._sheets)
        dates = [name for name, column in self._columns.items() if column.kind == "date"]
        self._known(by_column, ("default", *dates), ("date_format",))
        date_formats = {
            str(name): self._format(text, ("date_format", name) if by_column is formats else ("date_format",))
            for name, text in by_column.items()
        }
        return LogMapping(
            date_format=date_formats.pop("default", ""),
            date_formats=date_formats,
            not_yet=frozenset(map(plain, self._texts(data.get("not_yet", []), ("not_yet",)))),
            encoding=self._encoding(data.get("encoding", "utf-8-sig")),
            delimiter=self._one_of(data, "delimiter", (",", ";", "\t", "|")),
            numbers_in_order=self._one_of(data, "ids", ("numbers", IN_ORDER)) == IN_ORDER,
            sheets={name: self._sheet(data, sheet, names.get(name, "")) for name, sheet in self._sheets.items()},
            ignore_sheets=self._ignored(self._raw(data, "sheets"), "sheets"),
            values=self._values(data),
            levels=self._theirs(self._raw(data, "levels"), ("levels",), self._is_level),
            sites=self._theirs(self._raw(data, "sites"), ("sites",), self._is_site),
        )

    def _complain(self, path: tuple[Any, ...], message: str, value: object = "") -> None:
        shown = "" if value == "" else repr(value)[:80]
        key = ".".join(map(str, path))
        line = self._lines.get(path, 0)
        self.problems.append(Problem(key=key, message=message, value=shown, file=self._file, line=line))

    def _known(self, table: Mapping[Any, Any], known: Sequence[str], path: tuple[str, ...]) -> None:
        for name in table:
            if name not in known:
                close = near(str(name), known)
                hint = f"did you mean `{close[0]}`?" if close else f"allowed are: {', '.join(known)}"
                self._complain((*path, name), f"there is no such key here; {hint}")

    def _raw(self, data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        table = data.get(name, {})
        if isinstance(table, Mapping):
            return table
        self._complain((name,), f"must be a table, as [{name}]", table)
        return {}

    def _table(self, data: Mapping[str, Any], name: str, known: Mapping[str, object]) -> dict[str, str]:
        """Return the texts of a table, whose keys are known; beside them it may `ignore` some."""
        table = self._raw(data, name)
        self._known(table, (*known, "ignore"), (name,))
        texts = {}
        for key, value in table.items():
            if key in known and (found := self._text(value, (name, key))):
                texts[key] = found
        return texts

    def _ignored(self, table: Mapping[str, Any], name: str) -> frozenset[str]:
        return frozenset(map(plain, self._texts(table.get("ignore", []), (name, "ignore"))))

    def _text(self, value: Any, path: tuple[Any, ...]) -> str:
        if isinstance(value, str) and value.strip():
            return value
        self._complain(path, 'must be text, as "..."', value)
        return ""

    def _texts(self, value: Any, path: tuple[Any, ...]) -> list[str]:
        values = value if isinstance(value, list | tuple) else [value]
        if not all(isinstance(text, str | int) and not isinstance(text, bool) for text in values):
            self._complain(path, 'must be text, or a list of texts, as ["...", "..."]', value)
            return []
        return [str(text) for text in values]

    def _one_of(self, data: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
        value = data.get(name, allowed[0])
        if value in allowed:
            return str(value)
        self._complain((name,), f"allowed are: {', '.join(map(repr, allowed))}", value)
        return allowed[0]

    def _encoding(self, name: Any) -> str:
        try:
            if not codecs.lookup(name)._is_text_encoding:
                raise LookupError
        except (LookupError, TypeError, ValueError):
            self._complain(("encoding",), 'is no encoding of text; as "utf-8", "gb18030" or "cp1252"', name)
            return "utf-8-sig"
        return "utf-8-sig" if codecs.lookup(name).name == "utf-8" else str(name)

    def _format(self, text: Any, path: tuple[Any, ...]) -> str:
        if isinstance(text, str) and (text in ("", EXCEL, EXCEL_1904) or _is_of_a_day(text)):
            return text
        said = (
            f'must be a format with year, month and day, as "%d/%m/%Y" or "%Y年%m月%d日", or "{EXCEL}" for its serial'
        )
        self._complain(path, f"{said} numbers", text)
        return ""

    def _sheet(self, data: Mapping[str, Any], sheet: LogSheet, name: str) -> SheetMapping:
        table = self._raw(data, sheet.name)
        row = table.get("header_row", 0)
        if not isinstance(row, int) or isinstance(row, bool) or not 0 <= row <= 1000:
            self._complain((sheet.name, "header_row"), "must be the number of a row, from 1 to 1,000", row)
            row = 0
        others = {key: value for key, value in table.items() if key != "header_row"}
        columns = self._table({sheet.name: others}, sheet.name, sheet.by_name)
        theirs: dict[str, str] = {}
        for ours, their in columns.items():
            if plain(their) in theirs:
                both = f"{theirs[plain(their)]} and {ours}"
                self._complain((sheet.name, ours), f"one column cannot be two: {both}; leave one out", their)
            theirs[plain(their)] = ours
        return SheetMapping(name=name, header_row=row, columns=theirs, ignore=self._ignored(table, sheet.name))

    def _values(self, data: Mapping[str, Any]) -> dict[str, Texts]:
        tables, worded = self._raw(data, "values"), {n: c for n, c in self._columns.items() if c.words}
        self._known(tables, tuple(worded), ("values",))
        values: dict[str, Texts] = {}
        for name, column in worded.items():
            if name in tables:
                values[name] = self._theirs(self._raw(tables, name), ("values", name), _no_word(name, column.words))
        return values

    def _theirs(self, table: Mapping[str, Any], path: tuple[str, ...], why_not: Callable[[str], str]) -> dict[str, str]:
        """Return our word by each of theirs."""
        found: dict[str, str] = {}
        for ours, value in table.items():
            why = why_not(ours)
            if why:
                self._complain((*path, ours), why)
            for their in self._texts(value, (*path, ours)):
                if found.get(plain(their), ours) != ours:
                    both = f"{found[plain(their)]!r} and {ours!r}"
                    self._complain((*path, ours), f"one word cannot mean two: {both}; leave one out", their)
                found[plain(their)] = ours
        return found

    def _is_level(self, ours: str) -> str:
        labels = [plain(level.label) for level in self._scenario.dose_levels]
        if plain(ours) in labels or (ours.isdecimal() and 1 <= int(ours[:9]) <= len(labels)):
            return ""
        told = ", ".join(f"{number} ({level.label})" for number, level in enumerate(self._scenario.dose_levels, 1))
        return f"the scenario has no such dose level; it has: {told}"

    def _is_site(self, ours: str) -> str:
        names = [site.name for site in self._scenario.sites]
        told = f"it has: {', '.join(names)}" if names else "it has none"
        return "" if plain(ours) in map(plain, names) else f"the scenario has no such site; {told}"


def _no_word(name: str, words: Sequence[str]) -> Callable[[str], str]:
    """Return what says why a word is none of a column's; empty if it is one."""
    known = {plain(word) for word in words}
    allowed = f"there is no such word for {name}; ours are: {', '.join(words)}"
    return lambda ours: "" if plain(ours) in known else allowed


def _is_of_a_day(text: str) -> bool:
    """Return whether a format tells every day from every other, and reads what it writes."""
    days = (date(2001, 2, 3), date(2012, 2, 3), date(2001, 12, 3), date(2001, 2, 13))
    try:
        texts = [day.strftime(text) for day in days]
        if len(set(texts)) < len(days):
            return False
        return all(datetime.strptime(one, text).date() == day for one, day in zip(texts, days, strict=True))
    except (ValueError, KeyError, IndexError, OverflowError, UnicodeError):
        return False


def read_day(text: str, how: str) -> date | None:
    """Return the date of a text by a format of `datetime.strptime`; ``None`` if it is none."""
    try:
        return datetime.strptime(text, how).date()
    except (ValueError, KeyError, IndexError, OverflowError):
        return None


def serial_day(number: float, how: str) -> date | None:
    """Return the date of a spreadsheet's serial number; ``None`` if it is none."""
    if not 61 <= number <= 2_958_465:
        return None
    first = date(1904, 1, 1) if how == EXCEL_1904 else date(1899, 12, 30)
    return first + timedelta(days=int(number)) if int(number) < 2_900_000 else None


def names_of(sheets: Sequence[LogSheet], mapping: LogMapping) -> Iterator[tuple[LogSheet, tuple[str, ...]]]:
    """Yield each sheet of a log with the names under which it may stand."""
    for sheet in sheets:
        name = mapping.sheet(sheet.name).name
        yield sheet, (name,) if name else (sheet.name, *sheet.aliases)
