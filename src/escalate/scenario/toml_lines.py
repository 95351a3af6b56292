"""On which line of a TOML file a key stands, so that an error can say where to look.

`tomllib` keeps no positions. In a valid file a statement ends with the first line that leaves no string, bracket or
brace open; what opens and closes them is found in one pass, whatever strings and comments contain.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Any

Path = tuple[str | int, ...]


def key_lines(text: str) -> dict[Path, int]:
    """Return the line of every key and table header of a valid TOML text.

    Parameters
    ----------
    text : str
        A text that `tomllib.loads` accepts.

    Returns
    -------
    dict
        Path of keys, and of positions in arrays of tables (from 0), to the line (from 1).
    """
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for first, statement in _statements(text):
        value = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            table = _table_path(value, counts)
            lines.setdefault(table, first)
        else:
            for path in _paths(value):
                lines.setdefault(table + path, first)
    return lines


class KeyLines(Mapping[Path, int]):
    """What `key_lines` returns, found when somebody asks: only what is wrong is told with its line.

    Parameters
    ----------
    text : str
        A text that `tomllib.loads` accepts.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _lines(self) -> dict[Path, int]:
        return key_lines(self._text)

    def __getitem__(self, path: Path) -> int:
        return self._lines[path]

    def __iter__(self) -> Iterator[Path]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def why_no_toml(text: str, error: tomllib.TOMLDecodeError) -> tuple[str, int]:
    """Return why a text is no TOML, and on which line; a date that does not exist is told as that."""
    message, _, position = str(error).rpartition(" (at ")
    numbers = [int(digits) for digits in re.findall(r"\d+", position)]
    if len(numbers) != 2:
        return f"is not TOML: {(message or str(error)).lower()}", text.count("\n") + 1
    line, column = numbers
    words = _DATE.finditer(text.split("\n")[line - 1])
    wrong = next((fault for word in words if word.start() < column <= word.end() and (fault := no_date(word[0]))), "")
    return wrong or f"is not TOML: {message.lower()}", line


_DATE = re.compile(r"(?<![\w-])\d{4}-\d{1,2}-\d{1,2}(?![\w-])")


def no_date(text: str) -> str:
    """Return what is wrong with a text that is written as a date is; nothing where it is none, or there is one."""
    if not _DATE.fullmatch(text):
        return ""
    if len(text) < len("2024-08-30"):
        return f"{text} is no date as TOML writes it: two digits for month and day, as in 2024-08-30"
    try:
        date.fromisoformat(text)
    except ValueError:
        return f"{text} is a date that does not exist"
    return ""


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of a path, or of the closest thing around it that stands in the file; 0 if there is none."""
    for end in range(len(path), 0, -1):
        for place in (path[:end], (*path[:end], 0)):  # a section may have been written as a list of tables
            if place in lines:
                return lines[place]
    return 0


_MARKS = re.compile(
    r"""
    \"{3} (?: \\. | [^\\] )*? \"{3,5}      # texts of several lines: up to two quotes before the three that end them
    | \'{3} .*? \'{3,5}
    | \" (?: \\. | [^"\\\n] )* \"
    | \' [^'\n]* \'
    | \# [^\n]*
    | [\[\]{}\n]
    """,
    re.DOTALL | re.VERBOSE,
)
"""What matters for where a statement ends."""


def _statements(text: str) -> list[tuple[int, str]]:
    """Return every statement with its first line, from 1."""
    found: list[tuple[int, str]] = []
    begin, first, line, depth = 0, 1, 1, 0
    for mark in _MARKS.finditer(text + "\n"):
        what = mark[0]
        line += what.count("\n")
        depth += (what in ("[", "{")) - (what in ("]", "}"))
        if what == "\n" and depth == 0:
            statement = text[begin : mark.start()]
            if statement.strip() and not statement.lstrip().startswith("#"):
                found.append((first, statement))
            begin, first = mark.end(), line
    return found


def _table_path(header: dict[str, Any], counts: dict[Path, int]) -> Path:
    """Return the path of a ``[table]`` or ``[[table]]`` header, with the positions of the arrays it stands in."""
    path: Path = ()
    node: Any = header
    while isinstance(node, dict) and node:
        key, node = next(iter(node.items()))
        path += (key,)
        if isinstance(node, list):
            counts[path] = counts.get(path, -1) + 1
            path += (counts[path],)
            break
        if path in counts:
            path += (counts[path],)
    return path


def _paths(value: Any) -> list[Path]:
    """Return the paths to everything inside a parsed statement."""
    if isinstance(value, dict):
        inner = [(key, item) for key, item in value.items()]
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        return []
    return [path for key, item in inner for path in ((key,), *((key, *rest) for rest in _paths(item)))]
