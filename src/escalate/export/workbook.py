"""A result as one workbook: each of its tables as a sheet that a spreadsheet opens as it is meant (extra `excel`).

Numbers are numbers and dates are dates; text stays text, whatever it begins with. Names of columns are frozen at the
top, and the last sheet says what each of them means.
"""

from __future__ import annotations

import io
import itertools
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from ..errors import OutputError, needs
from ..words.tables import Column

NEEDS = needs("a workbook", "openpyxl", "excel")

MOST_ROWS, MOST_LETTERS = 1_048_575, 32_767
"""Rows below the head that a sheet has room for, and letters that a cell has; what is more stays in the CSV files."""

_UNSHOWN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")
_WIDEST = 60
_MADE = datetime(2000, 1, 1)
"""When every workbook says that it was made, so that equal results are equal bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet.

    Parameters
    ----------
    name : str
        What stands on its tab.
    heads : tuple of str
        Names of the columns; none for a sheet of lines.
    rows : sequence of sequence
        One cell for each column: a number, text, a date, or ``None`` for an empty one.
    columns : tuple of Column
        What the columns mean, where that is known.
    choices : mapping of str to tuple of str
        What cells of a column may be, for columns that a person fills in from a list.
    dates : frozenset of str
        Columns that a person fills in with dates.
    """

    name: str
    heads: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    columns: tuple[Column, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dates: frozenset[str] = frozenset()


def check_workbooks() -> None:
    """Raise `OutputError` where no workbook can be written, before any work is done for it."""
    try:
        import openpyxl  # noqa: F401
    except ImportError:
        raise OutputError(NEEDS) from None


def workbook(sheets: Iterable[Sheet]) -> bytes:
    """Return sheets as a workbook (``.xlsx``); equal sheets are equal bytes.

    Raises
    ------
    OutputError
        If openpyxl is not installed, or a sheet has more rows than a workbook has room for.
    """
    check_workbooks()
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    book.properties.created = _MADE
    book.properties.creator = "escalate"
    written = list(sheets)
    lists = _lists(written)
    for sheet in (*written, *_meanings(written), *_lists_sheet(lists)):
        page = book.create_sheet(_tab(sheet.name, book.sheetnames))
        _fill(page, sheet)
        _offer(page, sheet, lists)
    data = io.BytesIO()
    book.save(data)
    return _without_time(data)


def _meanings(sheets: Sequence[Sheet]) -> Iterator[Sheet]:
    """Yield the sheet that says what the columns of the others mean."""
    rows = [(sheet.name, c.name, c.meaning, c.unit, c.empty) for sheet in sheets for c in sheet.columns]
    if rows:
        yield Sheet(name="columns", heads=("sheet", "column", "meaning", "unit", "empty"), rows=rows)


LISTS = "lists"
"""The sheet that holds what drop-downs offer."""

_TO_FILL_IN = 1_000
"""Rows of a sheet that a person fills in."""


def _lists(sheets: Sequence[Sheet]) -> list[tuple[str, ...]]:
    """Return all that drop-downs offer, each list once."""
    return list(dict.fromkeys(words for sheet in sheets for words in sheet.choices.values()))


def _lists_sheet(lists: Sequence[tuple[str, ...]]) -> Iterator[Sheet]:
    """Yield the sheet of lists, a list in each column: a drop-down has no room for long ones, or for commas."""
    if lists:
        rows = list(itertools.zip_longest(*lists))
        yield Sheet(name=LISTS, heads=tuple(f"list {number}" for number in range(1, len(lists) + 1)), rows=rows)


def _offer(page: Any, sheet: Sheet, lists: Sequence[tuple[str, ...]]) -> None:
    """Offer the words of each list in a drop-down, and take dates alone where dates belong."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    for column, head in enumerate(sheet.heads, 1):
        letter = get_column_letter(column)
        if head in sheet.choices:
            words = sheet.choices[head]
            of = get_column_letter(lists.index(words) + 1)
            rule = DataValidation(type="list", formula1=f"{LISTS}!${of}$2:${of}${len(words) + 1}", allow_blank=True)
        elif head in sheet.dates:
            rule = DataValidation(type="date", operator="greaterThanOrEqual", formula1="18264", allow_blank=True)
            page.column_dimensions[letter].number_format = "yyyy-mm-dd"
        else:
            continue
        rule.showErrorMessage, rule.errorTitle, rule.error = True, head, f"{head}: {_allowed(sheet, head)}"[:255]
        rule.add(f"{letter}2:{letter}{_TO_FILL_IN + 1}")
        page.add_data_validation(rule)


def _allowed(sheet: Sheet, head: str) -> str:
    return "a date, as 2025-03-04" if head in sheet.dates else f"one of {', '.join(sheet.choices[head])}"


def _fill(page: Any, sheet: Sheet) -> None:
    """Write a sheet: names of the columns in bold and frozen, with a filter; a sheet of lines as it is printed."""
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    if len(sheet.rows) > MOST_ROWS:
        raise OutputError(f"the sheet {sheet.name} would have {len(sheet.rows):,} rows, and has room for {MOST_ROWS:,}")
    for number, row in enumerate([sheet.heads, *sheet.rows] if sheet.heads else sheet.rows, 1):
        for column, value in enumerate(row, 1):
            _write(page.cell(number, column), value)
    if not sheet.heads:
        for (cell,) in page.iter_rows(max_col=1):
            cell.font = Font(name="Courier New")
        return
    for cell in page[1]:
        cell.font, cell.alignment = Font(bold=True), Alignment(vertical="top", wrap_text=True)
    page.freeze_panes = "A2"
    page.auto_filter.ref = page.dimensions
    for column, head in enumerate(sheet.heads):
        longest = max((len(str(row[column])) for row in sheet.rows if row[column] is not None), default=0)
        page.column_dimensions[get_column_letter(column + 1)].width = min(max(longest, len(head), 6) + 2, _WIDEST)


def _write(cell: Any, value: Any) -> None:
    """Write one cell; text is text, even if it begins as a formula does."""
    if isinstance(value, (bool, list, tuple, dict)):
        value = str(value).lower() if isinstance(value, bool) else str(value)
    if not isinstance(value, str):
        cell.value = value
        if isinstance(value, date):
            cell.number_format = "yyyy-mm-dd"
        return
    cell.value = _UNSHOWN.sub("\N{REPLACEMENT CHARACTER}", value)[:MOST_LETTERS]
    cell.data_type = "s"
    cell.quotePrefix = value[:1] in tuple("=+-@")


def _tab(name: str, taken: Sequence[str]) -> str:
    """Return what stands on a tab: at most 31 letters, and no two the same."""
    short = _NOT_IN_NAMES.sub(" ", name)[:31]
    return short if short not in taken else f"{short[:27]} {len(taken)}"


def _without_time(data: io.BytesIO) -> bytes:
    """Return a workbook that does not say when it was written."""
    again = io.BytesIO()
    with zipfile.ZipFile(data) as old, zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "docProps/core.xml":
                part = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2000-01-01T00:00:00Z", part)
            new.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
    return again.getvalue()
