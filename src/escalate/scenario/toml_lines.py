"""On which line of a TOML file a key stands, so that an error can say where to look.

`tomllib` keeps no positions. A statement begins on some line and is complete as soon as `tomllib` accepts the lines
from there on; that finds every statement of a valid file, whatever its strings and arrays contain.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
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


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of a path, or of the closest thing around it that stands in the file; 0 if there is none."""
    for end in range(len(path), 0, -1):
        for place in (path[:end], (*path[:end], 0)):  # a section may have been written as a list of tables
            if place in lines:
                return lines[place]
    return 0


def _statements(text: str) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    pending: list[str] = []
    start = 0
    for number, line in enumerate(text.split("\n"), 1):
        if not pending:
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            start = number
        pending.append(line)
        try:
            tomllib.loads("\n".join(pending))
        except tomllib.TOMLDecodeError:
            continue
        found.append((start, "\n".join(pending)))
        pending = []
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
