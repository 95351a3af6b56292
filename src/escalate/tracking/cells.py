"""From a raw cell to a value: a date by the declared format and by no other, a number, a level, a site, a word."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from ..scenario.model import Scenario
from ..scenario.texts import CONTROL
from ..words.records import FIRST_START, MOST_PATIENTS, NO_LEVEL
from .columns import NO_DOSE_WORD, LogColumn
from .levels import level_of
from .mapping import EXCEL, EXCEL_1904, LogMapping, plain, read_day, serial_day
from .sheets import Uncomputed

LAST_DATE = date(2200, 1, 1)
"""A later date is a slip."""

MOST_NUMBER, MOST_AMOUNT, MOST_LETTERS = 1_000_000, 1e16, 10_000
"""Largest number of a candidate, amount of cells, and length of a text."""

_NUMBER = re.compile(r"[+-]?(\d{1,30}\.?\d{0,30}|\.\d{1,30})(e[+-]?\d{1,3})?")
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})([T ]00:00(:00(\.0+)?)?)?")
_NUMBERS_ALONE = re.compile(r"\d{1,2}\s*[-/. ]\s*\d{1,2}\s*[-/. ]\s*\d{2,4}")
"""A date of which the text does not say what is the day and what the month."""


class NoValueError(ValueError):
    """A cell holds none of what it may; the message says what is allowed."""


def shown(raw: Any) -> str:
    """Return a cell as it is quoted in a complaint."""
    if isinstance(raw, datetime) and raw.time() == time():
        raw = raw.date()
    text = repr(CONTROL.sub("\N{REPLACEMENT CHARACTER}", raw)) if isinstance(raw, str) else str(raw)
    return text if len(text) <= 60 else text[:59] + "…"


def is_ambiguous(raw: Any) -> bool:
    """Return whether a text is a date that does not say what is the day and what the month."""
    return isinstance(raw, str) and bool(_NUMBERS_ALONE.fullmatch(raw.strip()))


def why_no_dates(column: LogColumn, cells: Iterable[Any], mapping: LogMapping) -> str:
    """Return why the dates of a whole column cannot be read; empty if they can."""
    cells = list(cells)
    unsure = [raw for raw in cells if is_ambiguous(raw)]
    how = mapping.format_of(column.name)
    if not unsure or how in (EXCEL, EXCEL_1904):
        return ""
    many = f"{len(unsure)} of its dates do" if len(unsure) > 1 else "it does"
    if not how:
        return (
            f"{many} not say which number is the day and which the month; declare it in a mapping file, as "
            'date_format = "%d/%m/%Y", or write ISO dates, as 2025-03-04'
        )
    if any(isinstance(raw, date) and raw.day <= 12 for raw in cells):
        return (
            "some of its dates are text and some are dates of the spreadsheet, which may have taken day and month of "
            "these for each other; make all of them one kind, and look at each"
        )
    return ""


class CellReader:
    """Reads the cells of one log.

    Parameters
    ----------
    scenario : Scenario
        Its levels and sites.
    mapping : LogMapping
        The site's words.
    """

    def __init__(self, scenario: Scenario, mapping: LogMapping) -> None:
        self._scenario, self._mapping = scenario, mapping
        self._sites = {plain(site.name): number for number, site in enumerate(scenario.sites)}

    def is_empty(self, raw: Any) -> bool:
        """Return whether a cell says nothing: it is blank, or holds a word that stands for "not yet"."""
        return raw is None or (isinstance(raw, str) and (not raw.strip() or plain(raw) in self._mapping.not_yet))

    def value(self, column: LogColumn, raw: Any) -> Any:
        """Return the value of a cell; ``None`` if it says nothing.

        Raises
        ------
        NoValueError
            If it cannot be read as its column's cells are; says what is allowed.
        """
        if isinstance(raw, Uncomputed):
            raise NoValueError(raw.why)
        if self.is_empty(raw):
            return None
        if isinstance(raw, str) and CONTROL.search(raw):
            raise NoValueError("holds a control character, which is no text; leave it out")
        match column.kind:
            case "date":
                return self._date(column, raw)
            case "number":
                return _whole(raw, 1, MOST_NUMBER)
            case "count":
                return _whole(raw, 0, MOST_PATIENTS)
            case "amount":
                return _amount(raw)
            case "level":
                return self._level(raw)
            case "next level":
                return NO_LEVEL if plain(_text(raw)) == plain(NO_DOSE_WORD) else self._level(raw)
            case "site":
                return self._site(raw)
            case "words":
                return self._word(column, raw)
        text = _text(raw)
        if len(text) > MOST_LETTERS:
            raise NoValueError(f"is longer than {MOST_LETTERS:,} letters")
        return text

    def _date(self, column: LogColumn, raw: Any) -> date:
        how = self._mapping.format_of(column.name)
        found = raw.date() if isinstance(raw, datetime) else raw if isinstance(raw, date) else self._day(raw, how)
        if found < FIRST_START:
            raise NoValueError(f"is {found}, before {FIRST_START}; is the year right?")
        if found > LAST_DATE:
            raise NoValueError(f"is {found}, after {LAST_DATE}; is the year right?")
        return found

    def _day(self, raw: Any, how: str) -> date:
        if isinstance(raw, bool | time | timedelta):
            raise NoValueError("is no date")
        number = _number(raw)
        if how in (EXCEL, EXCEL_1904):
            found = None if number is None else serial_day(number, how)
            if found is None:
                raise NoValueError("is no serial number of a date, as the mapping file says that they are")
            return found
        if isinstance(raw, int | float):
            raise NoValueError(
                "a number is no date; if it is a spreadsheet's serial number, say so in a mapping file: "
                f'date_format = "{EXCEL}"'
            )
        text = str(raw).strip()
        if how:
            found = read_day(text, how)
            if found is None:
                raise NoValueError(f"is no date of the format {how}, which the mapping file declares{self._hint()}")
            return found
        iso = _ISO.fullmatch(text)
        if iso is None:
            raise NoValueError(
                "is no ISO date, as 2025-03-04; another format is declared in a mapping file, as date_format = "
                f'"%d %b %Y"{self._hint()}'
            )
        try:
            return date.fromisoformat(iso[1])
        except ValueError:
            raise NoValueError("there is no such day") from None

    def _hint(self) -> str:
        return ', and a word for "not yet" as not_yet = ["ongoing"]'

    def _level(self, raw: Any) -> int:
        text = _text(raw)
        try:
            return level_of(self._mapping.levels.get(plain(text), text), self._scenario)
        except ValueError as error:
            raise NoValueError(str(error)) from None

    def _site(self, raw: Any) -> int:
        if not self._sites:
            return 0
        text = _text(raw)
        found = self._sites.get(plain(self._mapping.sites.get(plain(text), text)))
        if found is None:
            told = ", ".join(site.name for site in self._scenario.sites)
            raise NoValueError(f"the scenario has no such site; it has: {told}; other names stand in a mapping file")
        return found

    def _word(self, column: LogColumn, raw: Any) -> str:
        text = plain("yes" if raw is True else "no" if raw is False else _text(raw))
        said = plain(self._mapping.values.get(column.name, {}).get(text, text))
        for word in column.words:
            if plain(word) == said:
                return word
        raise NoValueError(
            f"allowed are: {', '.join(column.words)}; other words stand in a mapping file, in [values.{column.name}]"
        )


def _number(raw: Any) -> float | None:
    if isinstance(raw, bool | date | time | timedelta):
        return None
    if isinstance(raw, str):
        text = plain(raw)
        raw = float(text) if _NUMBER.fullmatch(text) else math.nan
    try:
        number = float(raw)
    except (OverflowError, TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _whole(raw: Any, least: int, most: int) -> int:
    number = _number(raw)
    if number is None or number != int(number) or not least <= number <= most:
        raise NoValueError(f"must be a whole number from {least} to {most:,}")
    return int(number)


def _amount(raw: Any) -> float:
    number = _number(raw)
    if number is None or not 0 <= number <= MOST_AMOUNT:
        raise NoValueError("must be a number, at least 0, as 9e9")
    return number


def _text(raw: Any) -> str:
    """Return a cell as text: whole numbers without a point, days as ISO dates."""
    if isinstance(raw, datetime) and raw.time() == time():
        return raw.date().isoformat()
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < 1e15:
        return str(int(raw))
    return " ".join(str(raw).split())
