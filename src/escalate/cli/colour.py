"""Colour on a terminal: headings are bold, cautions yellow, faults red. Nothing is said by colour alone.

It is added by termcolor (the extra `cli`), a small library that only colours, and none where NO_COLOR is set or TERM
is dumb; without it nothing is coloured. It comes last, so that the escapes in a text are its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

MOST = 80
"""Columns of a line of prose, at most."""

CONSOLES = ("WT_SESSION", "ANSICON", "ConEmuANSI", "TERM")
"""What the environment has where a console of Windows knows colours."""

BOLD: dict[str, Any] = {"attrs": ["bold"]}
YELLOW: dict[str, Any] = {"color": "yellow"}
RED: dict[str, Any] = {"color": "red"}

_NO_HEADING = re.compile(r"day +\d|usage: ")
_CAUTION = re.compile(r"Cautions: \d|  ! |escalate: caution: ")


def painted(text: str, columns: int, *, faulty: bool = False) -> str:
    """Return a text with colours, where a library and the environment give them.

    Parameters
    ----------
    text : str
        Harmless, in the lines in which it is read on a terminal.
    columns : int
        Of the terminal.
    faulty : bool
        Whether it may say what is wrong: then its first line is red.
    """
    if os.name == "nt" and not any(os.environ.get(name) for name in CONSOLES):
        return text
    try:
        from termcolor import colored
    except ImportError:
        return text
    lines = text.split("\n")
    looks = _looks(lines, min(columns, MOST), faulty)
    return "\n".join(colored(line, **look) if look else line for line, look in zip(lines, looks, strict=True))


def _looks(lines: Sequence[str], columns: int, faulty: bool) -> Iterator[dict[str, Any]]:
    """Yield how each line looks; nothing for most."""
    look: dict[str, Any] = {}
    for place, line in enumerate(lines):
        before = lines[place - 1] if place else ""
        if not line:
            look = {}
        elif _CAUTION.match(line):
            look = YELLOW
        elif faulty and not place and line.startswith("escalate"):
            look = RED
        elif not before and _is_heading(lines[place : place + 3]):
            look = BOLD
        elif not (look and line.startswith("  ") and (look is YELLOW or _goes_on(before, line, columns))):
            look = {}
        yield look


def _is_heading(lines: Sequence[str]) -> bool:
    """Return whether something indented stands below the first line, which is not."""
    below = next((line for line in lines[1:] if line), "")
    return not lines[0].startswith(" ") and below.startswith(" ") and not _NO_HEADING.match(lines[0])


def _goes_on(line: str, after: str, columns: int) -> bool:
    """Return whether a line was broken because the first word of the one after it had no room."""
    return "  " not in line.strip() and len(line) + 1 + len(after.split(None, 1)[0]) > columns
