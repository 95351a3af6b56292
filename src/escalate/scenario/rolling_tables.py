"""Decision tables with patients pending: how they are written, in a scenario and in CSV, and what is wrong with one.

A line says what follows for the candidate who is ready, by the level's evaluable patients, those pending, and whether
the level above is open; its letters are for 0, 1, 2 ... DLTs among the evaluable. In a scenario `"3+1 closed"` names
the line of three evaluable patients and one pending where the level above is closed; without a word it is for both. In
CSV each cell has a line of its own, and an empty cell of `above` means both.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

LETTERS = ("E", "S", "SUS", "R", "D", "DU")
"""Decisions of a table with patients pending: escalate, stay, suspend accrual, stop and recommend this level,
de-escalate, de-escalate and never this level again."""

BOLDNESS = {"E": 0, "S": 1, "SUS": 1, "R": 1, "D": 2, "DU": 3}
"""How bold a decision is, 0 the boldest: up, neither, down, down for good."""

ABOVE = {"open": (False,), "closed": (True,), "": (False, True)}
"""What a line can say of the level above, and for which of open (False) and closed (True) it is."""

MOST_AT_A_LEVEL = 60
"""Most patients at a level in such a table, the pending ones among them: beyond it, it has more than 70,000 cells."""

MOST_TOLD = 5
"""So many cells of one fault are told one by one."""

Place = tuple[int, int, bool]
"""A line: evaluable patients, patients pending, and whether the level above is closed."""

Cell = tuple[int, int, bool, int]
"""A line, and DLTs among the evaluable."""

Fault = tuple[Cell | None, str]
"""Where, if that is one cell, and what is wrong."""

Lines = dict[Place, list[str]]
"""The letters of each line."""

_KEY = re.compile(r"\s*(\d{1,3})\s*(?:\+\s*(\d{1,3})\s*)?(open|closed|)\s*", re.IGNORECASE)
HOW = 'is not evaluable patients + patients pending, as "3+1" or "3+1 closed"'


@cache
def iq_rolling_six() -> Lines:
    """Return the lines of IQ rolling six, which come with escalate."""
    text = (files("escalate.scenario") / "iq_rolling_six.csv").read_text(encoding="utf-8")
    decisions, faults = read_rolling_csv(text)
    assert not faults, faults
    return lines_of(decisions)


def has_pending(decisions: Any) -> bool:
    """Return whether decisions, as a scenario writes them, are those of a table with patients pending."""
    return isinstance(decisions, Mapping) and any("+" in str(key) for key in decisions)


def lines_of(decisions: Mapping[str, str]) -> Lines:
    """Return the letters of each line of a table in which nothing is wrong."""
    found: Lines = {}
    for key, text in decisions.items():
        evaluable, pending, above = _read_key(key)
        found |= {(evaluable, pending, closed): text.split() for closed in ABOVE[above]}
    return found


def most_patients(lines: Lines) -> int:
    """Return the largest number of patients at a level that a table has lines for."""
    return max(evaluable + pending for evaluable, pending, _ in lines)


def leads_out(lines: Lines, held_back: bool = False) -> list[Cell]:
    """Return the cells of the largest number of patients that give one more patient the level.

    Parameters
    ----------
    lines : dict
        The letters of each line.
    held_back : bool
        Whether a limit may keep the candidate at the level where a cell says E.
    """
    most = most_patients(lines)
    return [
        (n, c, closed, y)
        for (n, c, closed), letters in sorted(lines.items())
        for y, letter in enumerate(letters)
        if n + c == most and (letter in ("S", "D") or (letter == "E" and (closed or held_back)))
    ]


def rolling_faults(decisions: Mapping[str, str]) -> Iterator[Fault]:
    """Yield where and what is wrong with a table: unknown letters, holes, what cannot be meant."""
    lines: Lines = {}
    unreadable = [fault for key, text in decisions.items() for fault in _line_faults(key, text, lines)]
    yield from unreadable
    if unreadable or not lines:
        return
    yield from _holes(lines)
    told = set()
    for where, fault in (*_not_meant(decisions, lines), *_out_of_order(lines)):
        if fault not in told:  # a line for both, open and closed, is told once
            yield where, fault
        told.add(fault)


def declares(decisions: Mapping[str, str]) -> bool:
    """Return whether a table says anywhere that the trial stops and recommends the level."""
    return any("R" in text.split() for text in decisions.values())


def place_words(evaluable: int, pending: int, closed: bool | None = None) -> str:
    """Return a line as a message names it."""
    above = "" if closed is None else f", the level above {'closed' if closed else 'open'}"
    return f"{evaluable} evaluable and {pending} pending{above}"


def dlts(number: int) -> str:
    """Return a number of DLTs as a message names it."""
    return f"{number} DLT" if number == 1 else f"{number} DLTs"


def _read_key(key: str) -> tuple[int, int, str]:
    match = _KEY.fullmatch(key)
    assert match is not None
    return int(match[1]), int(match[2] or 0), match[3].lower()


def _line_faults(key: str, text: str, lines: Lines) -> Iterator[Fault]:
    """Yield what is wrong with one line, and write it down if that is nothing."""
    if _KEY.fullmatch(key) is None:
        yield None, f"`{key[:40]}` {HOW}"
        return
    (evaluable, pending, above), letters = _read_key(key), text.split()
    strange = next((y for y, letter in enumerate(letters) if letter not in LETTERS), None)
    if not 1 <= evaluable + pending <= MOST_AT_A_LEVEL:
        yield None, f"`{key}` is not a number of patients at a level, from 1 to {MOST_AT_A_LEVEL} with the pending ones"
    elif strange is not None:
        where = (evaluable, pending, ABOVE[above][0], strange)
        yield where, f"{key} = {text!r}: {letters[strange]} is none of the letters {', '.join(LETTERS)}"
    elif len(letters) != evaluable + 1:
        wanted = f"{evaluable + 1} are needed, for 0 to {evaluable} DLTs"
        yield None, f"{key} = {text!r} has {len(letters)} decisions; {wanted}"
    else:
        for closed in ABOVE[above]:
            if (evaluable, pending, closed) in lines:
                yield None, f"`{key}` is said twice: {place_words(evaluable, pending, closed)}"
            lines[evaluable, pending, closed] = letters


def _holes(lines: Lines) -> Iterator[Fault]:
    """Yield that lines are missing: patients come one by one, so that every number of them occurs."""
    most = most_patients(lines)
    missing = [
        place_words(total - c, c, closed)
        for total in range(1, most + 1)
        for c in range(total + 1)
        for closed in (False, True)
        if (total - c, c, closed) not in lines
    ]
    if missing:
        more = f" and {len(missing) - MOST_TOLD:,} more" if len(missing) > MOST_TOLD else ""
        yield None, f"has no line for {'; '.join(missing[:MOST_TOLD])}{more}: up to {most} patients each is needed"


def _not_meant(decisions: Mapping[str, str], lines: Lines) -> Iterator[Fault]:
    """Yield decisions that cannot be followed where they stand."""
    for (n, c, closed), letters in sorted(lines.items()):
        if c == 0 and "SUS" in letters:
            y = letters.index("SUS")
            told = f"SUS with {n} evaluable, {dlts(y)} and nobody pending: no outcome could end that wait"
            yield (n, c, closed, y), told
        if n == 0 and letters[0] not in ("S", "SUS"):
            told = f"{letters[0]} with {c} pending and nobody evaluable: no answer is known; say S or SUS"
            yield (n, c, closed, 0), told
    for key, text in decisions.items():
        match = _KEY.fullmatch(key)
        if match is not None and match[3].lower() == "closed" and "E" in text.split():
            n, c, _ = _read_key(key)
            yield (n, c, True, text.split().index("E")), f"`{key}` says E, and the level above is closed"


def _out_of_order(lines: Lines) -> Iterator[Fault]:
    """Yield decisions that more DLTs, or more patients without an answer, make bolder."""
    for (n, c, closed), letters in sorted(lines.items()):
        for y, (fewer, more) in enumerate(itertools.pairwise(letters)):
            if _boldness(more, closed) < _boldness(fewer, closed):
                told = f"with {place_words(n, c)}, {dlts(y + 1)} ({more}) is bolder than {y} ({fewer})"
                yield (n, c, closed, y + 1), told
        for y, (less, more) in enumerate(zip(letters, lines.get((n, c + 1, closed), []), strict=False)):
            if more != "SUS" and _boldness(more, closed) < _boldness(less, closed):
                told = f"with {n} evaluable and {dlts(y)}, {c + 1} pending ({more}) is bolder than {c} ({less})"
                yield (n, c + 1, closed, y), told


def _boldness(letter: str, closed: bool) -> int:
    """Return how bold a decision is; up into a closed level is no step."""
    return max(BOLDNESS[letter], int(closed))


# From CSV

COUNTS = ("dlts", "pending")
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
"""What stands between the cells of a table's file, the most usual first."""


def written_lines(text: str) -> tuple[str, list[tuple[int, list[str]]]]:
    """Return what stands between the cells of a CSV text, and its lines by number, the heads first, in lower case.

    Cells stand between commas, semicolons or tabs, whichever the header has; blanks around them mean nothing, and
    lines with # are comments.
    """
    written = [
        (number, line)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip('"').startswith("#")
    ]
    separator = max(SEPARATORS, key=written[0][1].count) if written else ","
    reader = csv.reader((line for _, line in written), delimiter=separator, skipinitialspace=True)
    rows = [(written[reader.line_num - 1][0], [cell.strip() for cell in row]) for row in reader]
    return separator, [(number, [cell.lower() for cell in row]) for number, row in rows[:1]] + rows[1:]


def is_rolling_csv(text: str) -> bool:
    """Return whether a CSV text is a table with patients pending."""
    _, lines = written_lines(text)
    return bool(lines) and "pending" in lines[0][1]


def read_rolling_csv(text: str) -> tuple[dict[str, str], list[tuple[int, str]]]:
    """Read a table with the columns evaluable (or treated, with the pending), dlts, pending, decision, and above.

    Returns
    -------
    dict of str to str
        The decisions as a scenario writes them; nothing where something is wrong.
    list of (int, str)
        What is wrong, each with its line, 0 for the whole file.
    """
    _, ((_, heads), *rows) = written_lines(text)
    missing = [name for name in (*COUNTS, "decision") if name not in heads]
    if not {"evaluable", "treated"} & set(heads):
        missing.insert(0, "evaluable")
    if missing:
        return {}, [(0, f"has no column {', '.join(missing)}: evaluable, dlts, pending, decision are needed")]
    cells: dict[Cell, tuple[str, int]] = {}
    faults: list[tuple[int, str]] = []
    for number, row in rows:
        named = dict(itertools.zip_longest(heads, row[: len(heads)], fillvalue=""))
        faults += [(number, fault) for fault in _read_row(named, number, cells)]
    if faults:
        more = f"and {len(faults) - MOST_TOLD:,} more lines are wrong" if len(faults) > MOST_TOLD else ""
        return {}, faults[:MOST_TOLD] + ([(0, more)] if more else [])
    decisions, holes = _decisions(cells)
    if holes:
        return {}, [(0, hole) for hole in holes]
    at = sorted((cells[cell][1] if cell in cells else 0, fault) for cell, fault in rolling_faults(decisions))
    return ({} if at else decisions), at


def _read_row(row: Mapping[str, str], number: int, cells: dict[Cell, tuple[str, int]]) -> Iterator[str]:
    """Write down the cell of one line of a file, or yield what is wrong with it."""
    counted = "evaluable" if "evaluable" in row else "treated"
    wrong = [name for name in (counted, *COUNTS) if not re.fullmatch(r"[0-9]{1,3}", row[name])]
    if wrong:
        named = " and ".join(f"{name} {row[name][:40]!r}" for name in wrong)
        yield f"{named} must be whole numbers, at most {MOST_AT_A_LEVEL}"
        return
    if row.get("above", "").lower() not in ABOVE:
        yield f"above {row['above'][:40]!r} must be open, closed, or empty for both"
        return
    if row["decision"] not in LETTERS or (row["decision"] == "E" and row.get("above", "").lower() == "closed"):
        why = "the level above is closed" if row["decision"] == "E" else f"letters are {', '.join(LETTERS)}"
        yield f"decision {row['decision'][:40]!r}: {why}"
        return
    y, c = int(row["dlts"]), int(row["pending"])
    n = int(row[counted]) - (c if counted == "treated" else 0)
    if y > n:
        yield f"has {dlts(y)} among {max(n, 0)} evaluable patients"
        return
    for closed in ABOVE[row.get("above", "").lower()]:
        letter, before = cells.setdefault((n, c, closed, y), (row["decision"], number))
        if letter != row["decision"]:
            levels = ", whose parts differ from level to level" if "levels" in row else ""
            yield f"says {row['decision']} of {dlts(y)} with {place_words(n, c)}, and line {before} {letter}{levels}"
            return


def _decisions(cells: Mapping[Cell, tuple[str, int]]) -> tuple[dict[str, str], list[str]]:
    """Return decisions as a scenario writes them, and which cells are missing in lines that there are."""
    places = sorted({cell[:3] for cell in cells})
    holes = [
        f"has no decision for {dlts(y)} with {place_words(n, c, closed)}"
        for n, c, closed in places
        for y in range(n + 1)
        if (n, c, closed, y) not in cells
    ]
    if holes:
        return {}, holes[:MOST_TOLD]
    texts = {(n, c, closed): " ".join(cells[n, c, closed, y][0] for y in range(n + 1)) for n, c, closed in places}
    found: dict[str, str] = {}
    for (n, c, closed), text in texts.items():
        same = texts.get((n, c, not closed)) == text
        if not (same and closed):
            found[f"{n}+{c}" if same else f"{n}+{c} {'closed' if closed else 'open'}"] = text
    return found, []


def differing(decisions: Mapping[str, str], written: Mapping[str, str]) -> list[str]:
    """Return in which cells a file's decisions differ from those beside it, some of them, in words."""
    there, here = lines_of(decisions), lines_of(written)
    differ = [
        f"{dlts(y)} with {place_words(*place)} are {first or 'missing'} there and {second or 'missing'} here"
        for place in sorted({*there, *here})
        for y, (first, second) in enumerate(
            itertools.zip_longest(there.get(place, []), here.get(place, []), fillvalue="")
        )
        if first != second
    ]
    more = [f"{len(differ) - MOST_TOLD:,} more cells differ"] if len(differ) > MOST_TOLD else []
    return differ[:MOST_TOLD] + more
