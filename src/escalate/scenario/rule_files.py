"""Files that a scenario's rule names: a decision table in CSV, and Python code, which runs only if it is asked for."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from ..errors import CallError
from ..files import read_bytes
from .own_rules import CODE, REGISTERED, raised_where, registered_name, why_unknown
from .rolling_tables import (
    SEPARATORS,
    differing,
    has_pending,
    is_rolling_csv,
    read_rolling_csv,
    rolling_faults,
    written_lines,
)
from .rules import MOST_IN_TABLE, Cell, is_count, table_faults

Complaint = tuple[tuple[str, ...], str, str]
"""Where, the value that was got, and what is wrong with it."""

MOST_TOLD = 5
"""So many differing cells of a table are told one by one."""


def read_rule_files(data: dict[str, Any], folder: Path, allow_python: bool) -> Iterator[Complaint]:
    """Put what a scenario's rule needs from files into its data, and yield what is wrong with them.

    Parameters
    ----------
    data : dict
        The scenario as read; its rule is filled in.
    folder : path
        Where relative names begin: the scenario file's folder.
    allow_python : bool
        Whether a Python file may be run.

    Raises
    ------
    CallError
        If that is neither ``True`` nor ``False``: the word "no" must not let code run.
    """
    if not isinstance(allow_python, bool):
        raise CallError(f"allow_python must be True or False, got {allow_python!r:.60}")
    rule = data.get("rule")
    if not isinstance(rule, dict):
        return
    if rule.get("name") == "table" and isinstance(rule.get("file"), str):
        data["rule"] = rule = dict(rule)
        yield from _table(rule, folder / rule["file"])
    elif isinstance(rule.get("python"), str) and ".py:" in rule["python"]:
        data["rule"] = rule = dict(rule)
        yield from _python(rule, folder, allow_python)


def read_missing_table(data: dict[str, Any]) -> list[Complaint]:
    """Fill in the decisions of a table that has only named its file so far; return what is wrong with the file."""
    rule = data.get("rule")
    lacks = isinstance(rule, dict) and rule.get("name") == "table" and not rule.get("decisions")
    return list(read_rule_files(data, Path(), False)) if lacks else []


def unknown_function(data: dict[str, Any]) -> Iterator[Complaint]:
    """Yield that a rule names a function which this session does not have; one of a file is read from there."""
    rule = data.get("rule")
    python = rule.get("python") if isinstance(rule, dict) else None
    if not isinstance(python, str) or not python or ":" in python or python.endswith(".py"):
        return
    if python not in REGISTERED:
        yield ("rule", "python"), python, why_unknown(python)


Cells = dict[Cell, str]
"""Letters by evaluable patients and DLTs."""

LineFault = tuple[int, str]
"""On which line of a file, 0 for the whole, and what is wrong there."""


def _table(rule: dict[str, Any], path: Path) -> Iterator[Complaint]:
    """Fill in the decisions from a table's file; those of a resolved scenario stand without it, but not against it."""
    where, given = ("rule", "file"), rule.get("decisions")
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except OSError as error:
        if not given:
            yield where, rule["file"], f"cannot be read: {error.strerror}"
        return
    except UnicodeDecodeError:
        yield where, rule["file"], "cannot be read: it is not UTF-8 text"
        return
    if is_rolling_csv(text):
        yield from ((where, rule["file"], fault) for fault in _rolling(rule, text, path.name))
        return
    cells: Cells = {}
    lines: dict[Cell, int] = {}
    faults = list(_read_cells(text, cells, lines)) or list(_differences(cells, given))
    if not faults and not given:
        numbers = sorted({n for n, _ in cells})
        rule["decisions"] = {str(n): " ".join(cells[n, y] for y in range(n + 1)) for n in numbers}
        found = table_faults(rule["decisions"])
        faults = [(lines.get(cell, 0) if cell else 0, fault) for cell, fault in found]
    for line, fault in faults:
        yield where, rule["file"], f"{path.name}:{line}: {fault}" if line else fault


def _rolling(rule: dict[str, Any], text: str, name: str) -> Iterator[str]:
    """Fill in the decisions from a file with patients pending, and yield what is wrong with it, with its lines."""
    decisions, faults = read_rolling_csv(text)
    yield from (f"{name}:{line}: {fault}" if line else fault for line, fault in faults)
    given = rule.get("decisions")
    if faults:
        return
    if not given:
        rule["decisions"] = decisions
    elif not has_pending(given) or not all(isinstance(part, str) for part in given.values()):
        yield "has patients pending, and rule.decisions has none. Leave out file or decisions"
    elif not any(rolling_faults(given)) and (differ := differing(decisions, given)):
        yield f"says something else than rule.decisions: {'; '.join(differ)}. Leave out file or decisions"


COLUMNS = ("evaluable", "dlts", "decision")
"""Columns of a table's file."""

BY_ITSELF = "rule_by_itself"
"""Column of the decision in a file of `escalate table`: there `decision` is the committee's, part by part."""


def _read_cells(text: str, cells: Cells, lines: dict[Cell, int]) -> Iterator[LineFault]:
    """Read a table with columns evaluable, dlts, decision, and yield its faults."""
    separator, written = written_lines(text)
    if not written:
        yield 0, "is empty: a header with evaluable, dlts, decision is needed, and a line for each number of DLTs"
        return
    (first, names), *rows = written
    missing = set(COLUMNS) - set(names)
    if missing:
        yield (
            first,
            f"has no column {', '.join(sorted(missing))}; evaluable, dlts, decision are needed, and its first line, "
            f"read with {SEPARATORS[separator]} between cells, has {', '.join(names)}",
        )
        return
    if not rows:
        yield 0, "has no line"
    places = [names.index(BY_ITSELF if name == "decision" and BY_ITSELF in names else name) for name in COLUMNS]
    for number, row in rows:
        n, y, letter = (row[place] if place < len(row) else "" for place in places)
        if not (is_count(n) and is_count(y)):
            yield number, f"evaluable {n[:40]!r} and dlts {y[:40]!r} must be whole numbers, at most {MOST_IN_TABLE}"
            return
        cell = int(n), int(y)
        lines.setdefault(cell, number)
        if cells.setdefault(cell, letter) != letter:
            yield number, _contradiction(names, f"{y} DLTs in {n} are {cells[cell]} and {letter}")
            return
    yield from ((lines[n, y], f"has {y} DLTs among {n} patients") for n, y in sorted(cells) if y > n)
    holes = [f"{y} in {n}" for n in sorted({n for n, _ in cells}) for y in range(n + 1) if (n, y) not in cells]
    if holes:
        more = f" and {len(holes) - MOST_TOLD:,} more" if len(holes) > MOST_TOLD else ""
        yield 0, f"has holes: there is no decision for DLTs {', '.join(holes[:MOST_TOLD])}{more}"


def _contradiction(heads: list[str], words: str) -> str:
    parts = (
        "; its parts differ from level to level, and a table as a rule is the same at all" if "levels" in heads else ""
    )
    return f"contradicts itself: {words}{parts}"


def _differences(cells: Cells, given: Any) -> Iterator[LineFault]:
    """Yield in which cells a file differs from the decisions beside it, if there are any and they are a table."""
    if not given or not isinstance(given, dict) or not all(isinstance(part, str) for part in chain(*given.items())):
        return
    if any(table_faults(given)):
        return
    written = {(int(n), y): letter for n, text in given.items() for y, letter in enumerate(text.split())}
    differ = [cell for cell in sorted({*cells, *written}) if cells.get(cell) != written.get(cell)]
    told = [
        f"{y} DLTs in {n} are {cells.get((n, y), 'missing')} there and {written.get((n, y), 'missing')} here"
        for n, y in differ[:MOST_TOLD]
    ]
    if differ:
        more = f"; {len(differ) - MOST_TOLD} more cells differ" if len(differ) > MOST_TOLD else ""
        yield 0, f"says something else than rule.decisions: {'; '.join(told)}{more}. Leave out file or decisions"


def _python(rule: dict[str, Any], folder: Path, allow_python: bool) -> Iterator[Complaint]:
    """Run a Python file, and find the function of its rule among those that it registers."""
    where, (name, _, function) = ("rule", "python"), rule["python"].rpartition(":")
    path = folder / name
    if not allow_python:
        if rule.get("sha256") is not None and registered_name(rule["python"], rule["sha256"]) in REGISTERED:
            return  # its code ran in this session, and the scenario is one of those made from it
        yield (
            where,
            rule["python"],
            (
                "a scenario file must be safe to open, so that its code runs only when you ask for it: "
                "give --allow-python (in Python: load(path, allow_python=True))"
            ),
        )
        return
    try:
        code = read_bytes(path)
    except OSError as error:
        yield where, rule["python"], f"{name} cannot be read: {error.strerror}"
        return
    made = hashlib.sha256(code).hexdigest()
    if rule.get("sha256") not in (None, made):
        yield ("rule", "sha256"), str(rule["sha256"]), f"{name} has changed since these results were made"
        return
    before = dict(REGISTERED)
    try:
        _run(path, code)
    except (Exception, SystemExit) as error:
        yield where, rule["python"], f"{name} cannot be run: {type(error).__name__}: {error}{raised_where(error)}"
        return
    new = {own.function.__name__: own for key, own in REGISTERED.items() if before.get(key) is not own}
    if function not in new:
        named = ", ".join(new)
        yield (
            where,
            rule["python"],
            (f"{name} registers no function {function!r} with @escalate.rule; it registers: {named or 'none'}"),
        )
        return
    asked = new[function]
    REGISTERED.clear()
    REGISTERED.update(before)  # the file's names are its own
    REGISTERED[registered_name(rule["python"], made)] = asked
    CODE[made] = code
    rule["sha256"] = made


def _run(path: Path, code: bytes) -> None:
    """Run the code that was read, whatever stands in the file by now."""
    spec = importlib.util.spec_from_file_location(f"escalate_rule_{path.stem}", path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        exec(compile(code, str(path), "exec"), module.__dict__)
    finally:
        sys.dont_write_bytecode = written
