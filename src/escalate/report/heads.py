"""How the head of a summary says what it is about, and what drives it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import wrap

from ..scenario.drivers import drivers, settings_words
from ..scenario.model import Scenario

WIDTH = 80
"""Width of running text [characters]."""

UNBROKEN = "\N{NO-BREAK SPACE}"
"""A space at which `told` breaks no line."""

_AFTER_A_WEEKDAY = re.compile(r"(?<=\b[A-Z][a-z]{2}) (?=\d{4}-\d{2}-\d{2})")


def told(text: str, indent: str = "", first: str = "") -> list[str]:
    """Return running text as lines, each after an indent, the first one's its own; a date stays with its weekday."""
    kept = _AFTER_A_WEEKDAY.sub(UNBROKEN, text)
    lines = wrap(
        kept, WIDTH, initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace(UNBROKEN, " ") for line in lines]


def driver_lines(scenario: Scenario, where: str = "") -> Iterator[str]:
    """Yield what drives a result, after where it does if not everywhere, and what the command line changed of it."""
    yield from told(f"{where}{drivers(scenario)}", "  ")
    yield from told(settings_words(scenario), "  ")


def plural(many: float) -> str:
    """Return the ending of a word for so many."""
    return "" if many == 1 else "s"
