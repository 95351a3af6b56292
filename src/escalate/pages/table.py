"""The decision table of a page: where paper is too narrow for it, its letters are smaller, or it says less."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from markupsafe import Markup

from ..errors import EscalateError, RuleError
from ..protocol_tables import NextDoseTable, ProtocolTable, decision_table
from ..scenario.model import Scenario

PAPER_WIDE = 180 / 25.4 * 72
"""Width of A4 inside the margins [points]."""

LARGE, SMALL = (5.8, 8.0), (4.2, 3.4)
"""Widths of a letter, and of what is around a cell, in tables with large and with small letters [points]."""

WORDS = 16
"""So many more letters has a column of words than its longest word, or it is no pleasure to read."""

LEFT_OUT = "What the model believes of each level has no room here: escalate table resolved.json tells it."


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTable:
    """A decision table as a page shows it.

    Parameters
    ----------
    html : str
        The table, escaped; empty if there is none.
    is_wide : bool
        Whether its letters have to be small on paper.
    remark : str
        What is left out, or why there is no table; empty if nothing is to be said.
    """

    html: str = ""
    is_wide: bool = False
    remark: str = ""


def table_of(scenario: Scenario) -> PageTable:
    """Return the table for the protocol; next doses if the rule cannot be asked otherwise, or why there is none."""
    try:
        try:
            table = decision_table(scenario)
        except RuleError:
            table = decision_table(scenario, cohorts=1)
    except EscalateError as error:
        return PageTable(remark=f"There is none: {error}")
    html = _fragment(table)
    if isinstance(table, NextDoseTable) and _width(html, *SMALL) > PAPER_WIDE:
        rows = tuple(replace(row, beliefs={}) for row in table.rows)
        return PageTable(html=_fragment(replace(table, rows=rows)), is_wide=True, remark=LEFT_OUT)
    return PageTable(html=html, is_wide=_width(html, *LARGE) > PAPER_WIDE)


def _fragment(table: ProtocolTable) -> Markup:
    """Return a table as HTML, in which it has escaped every word itself."""
    return Markup(table.to_html() if isinstance(table, NextDoseTable) else table.sheet().fragment(heading=3))


def _width(html: str, letter: float, around: float) -> float:
    """Return about how wide the widest table of a fragment is at least [points]."""
    tables = [list(_words(table)) for table in re.findall("<table.*?</table>", html, re.DOTALL)]
    return max(letter * (sum(longest) + WORDS) + around * len(longest) for longest in tables)


def _words(table: str) -> Iterator[int]:
    """Yield for each column of a table how long its longest word is [letters]."""
    rows = [re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall("<tr>.*?</tr>", table, re.DOTALL)]
    columns = max(map(len, rows))
    for cells in zip(*(row for row in rows if len(row) == columns), strict=True):
        yield max(len(word) for cell in cells for word in Markup(cell).unescape().split() or [""])
