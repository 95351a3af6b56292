"""A workbook, or a folder of CSV files, taken apart into raw cells that know where they stand."""

from __future__ import annotations

import csv
import errno
import io
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import LogError, LogProblem, needs
from ..files import read_bytes
from ..words.csv_text import cell as written_cell
from .mapping import LogMapping, plain

MOST_BYTES, MOST_UNPACKED, MOST_ROWS, MOST_COLUMNS = 20_000_000, 200_000_000, 50_000, 1_000
"""Of a log that people write: bytes of a file, bytes of a workbook unpacked, rows and columns of a sheet."""


@dataclass(frozen=True, slots=True)
class RawSheet:
    """One sheet as it stands there.

    Parameters
    ----------
    name : str
        Its name.
    rows : sequence of (int, sequence)
        Every row that is not empty: its number as a spreadsheet counts, from 1, and its cells.
    has_letters : bool
        Whether its columns have letters: of a workbook.
    """

    name: str
    rows: Sequence[tuple[int, Sequence[Any]]]
    has_letters: bool


class Uncomputed:
    """A cell that has no value to read: an error of the spreadsheet, or a formula whose result was not saved.

    Parameters
    ----------
    shown : str
        What stands there.
    why : str
        Why there is no value, and how to mend it.
    """

    def __init__(self, shown: str, why: str) -> None:
        self.shown, self.why = shown, why

    def __repr__(self) -> str:
        return self.shown


def read_sheets(path: Path, mapping: LogMapping) -> list[RawSheet]:
    """Return the sheets of a workbook, or of a folder of CSV files.

    Raises
    ------
    LogError
        If it cannot be read; says why, and what can.
    """
    try:
        if path.is_dir():
            return list(_folder(path, mapping))
        if path.suffix.lower() == ".csv":
            raise _unreadable(path, "one CSV file is one sheet: name the folder that holds patients.csv")
        data = read_bytes(path, MOST_BYTES)
    except LogError:  # a ValueError, too
        raise
    except FileNotFoundError:
        raise _unreadable(path, "there is no such file; a log is a workbook (.xlsx) or a folder of CSVs") from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, _why(error)) from None
    return _workbook(path, data)


def letters_of(column: int) -> str:
    """Return the spreadsheet's letters of a column, by position from 0: A, B, ..., Z, AA."""
    letters = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _unreadable(path: Path, message: str) -> LogError:
    return LogError([LogProblem(message=f"{path}: {message}")])


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        if error.errno == errno.EFBIG:
            return f"is longer than {MOST_BYTES:,} bytes, and no log is"
        return f"cannot be read: {error.strerror or error}"
    return "is no name of a file"


# A folder of CSV files


def _folder(path: Path, mapping: LogMapping) -> Iterator[RawSheet]:
    files = sorted(one for one in path.iterdir() if one.suffix.lower() == ".csv" and not one.name.startswith("."))
    if not files:
        raise _unreadable(path, "holds no CSV file; a log has patients.csv, and meetings.csv once there are any")
    problems: list[LogProblem] = []
    for file in files:
        try:
            yield _csv_sheet(file, read_bytes(file, MOST_BYTES), mapping)
        except LogError as error:
            problems += [one for one in error.problems if isinstance(one, LogProblem)]
        except OSError as error:
            problems.append(LogProblem(message=f"{file}: {_why(error)}"))
    if problems:
        raise LogError(problems)


def _csv_sheet(file: Path, data: bytes, mapping: LogMapping) -> RawSheet:
    name = file.stem
    try:
        text = data.decode(mapping.encoding)
    except (UnicodeDecodeError, LookupError, ValueError):
        said = (
            f'is not {mapping.encoding.removesuffix("-sig")} text; save it as "CSV UTF-8", or say its encoding in the '
            'mapping file, as encoding = "gb18030"'
        )
        raise _unreadable(file, said) from None
    rows: list[tuple[int, Sequence[Any]]] = []
    try:
        for number, cells in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=mapping.delimiter, strict=True), 1
        ):
            _check_size(file, number, len(cells))
            if (rows or not "".join(cells).startswith("#")) and any(one.strip() for one in cells):
                rows.append((number, [_unescaped(one) for one in cells]))
    except csv.Error as error:
        raise _unreadable(file, f"cannot be read as CSV: {error}") from None
    if rows and len(rows[0][1]) == 1 and mapping.delimiter == "," and ";" in str(rows[0][1][0]):
        said = 'has semicolons between its cells; say so in the mapping file: delimiter = ";"'
        raise _unreadable(file, said)
    return RawSheet(name, rows, has_letters=False)


def _unescaped(text: str) -> str:
    """Return a cell as it was before an apostrophe kept spreadsheets from computing it."""
    return text[1:] if text.startswith("'") and written_cell(text[1:]) != text[1:] else text


def _check_size(file: Path, row: int, columns: int, sheet: str = "") -> None:
    if row > MOST_ROWS or columns > MOST_COLUMNS:
        of = f"the sheet {sheet!r} " if sheet else ""
        raise _unreadable(file, f"{of}has more than {MOST_ROWS:,} rows or {MOST_COLUMNS:,} columns, and no log has")


# A workbook


def _workbook(path: Path, data: bytes) -> list[RawSheet]:
    try:
        import openpyxl
    except ImportError:
        raise _unreadable(path, needs("a workbook", "openpyxl", "excel") + "; a folder of CSVs needs nothing") from None
    if data[:4] == b"\xd0\xcf\x11\xe0":
        raise _unreadable(path, "is a workbook of the old kind (.xls), or has a password; save it as .xlsx without one")
    _check_unpacked(path, data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of drop-downs and styles that openpyxl does not keep
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
            saved: Mapping[str, Mapping[tuple[int, int], Any]] | None = None
            sheets = []
            for page in book.worksheets:
                cells, computed = _cells(path, page)
                if computed and saved is None:
                    saved = _saved_values(
                        path, openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
                    )
                sheets.append(RawSheet(page.title, _rows(cells, (saved or {}).get(page.title, {})), has_letters=True))
            return sheets
    except LogError:
        raise
    except Exception:  # whatever a damaged workbook makes of its reader
        raise _unreadable(
            path, "cannot be read as a workbook (.xlsx); open it in a spreadsheet and save it again"
        ) from None


def _check_unpacked(path: Path, data: bytes) -> None:
    """Refuse what is no workbook, or unpacks without an end."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            size = sum(part.file_size for part in packed.infolist())
    except Exception:  # a damaged archive raises many kinds
        raise _unreadable(path, "is no workbook (.xlsx); a log is one, or a folder of CSVs") from None
    if size > MOST_UNPACKED:
        raise _unreadable(path, f"unpacks to more than {MOST_UNPACKED:,} bytes, and no log does")


_Cells = list[tuple[int, dict[int, Any]]]


def _cells(path: Path, page: Any) -> tuple[_Cells, bool]:
    """Return the cells of a page by row and column, and whether some are computed."""
    found: _Cells = []
    computed = False
    page.reset_dimensions()
    for number, row in enumerate(page.iter_rows(), 1):
        cells = {}
        for column, cell in enumerate(row):
            value = cell.value
            if value is None or (isinstance(value, str) and not value.strip()):
                continue
            if cell.data_type == "f":
                computed = True
                value = Uncomputed("a formula", "its result was not saved: open it in a spreadsheet and save it again")
            elif cell.data_type == "e":
                value = Uncomputed(str(value), "is an error of the spreadsheet, and no value; mend it there")
            cells[column] = value
        if cells:
            _check_size(path, len(found) + 1, max(cells) + 1, page.title)
            found.append((number, cells))
    return found, computed


def _saved_values(path: Path, book: Any) -> dict[str, dict[tuple[int, int], Any]]:
    """Return the results of formulas, as they were saved."""
    return {
        page.title: {(row, column): value for row, cells in _cells(path, page)[0] for column, value in cells.items()}
        for page in book.worksheets
    }


def _rows(cells: _Cells, saved: Mapping[tuple[int, int], Any]) -> list[tuple[int, Sequence[Any]]]:
    rows: list[tuple[int, Sequence[Any]]] = []
    for number, row in cells:
        values: list[Any] = [None] * (max(row) + 1)
        for column, value in row.items():
            values[column] = saved.get((number, column), value) if isinstance(value, Uncomputed) else value
        rows.append((number, values))
    return rows


def is_named(sheet: RawSheet, names: Sequence[str]) -> bool:
    """Return whether a sheet has one of some names."""
    return plain(sheet.name) in map(plain, names)
