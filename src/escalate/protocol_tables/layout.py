"""The formats of one table: text, CSV, Markdown, an HTML fragment; and a whole HTML document around any fragment."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..files import Saves
from ..scenario.model import Scenario
from ..words.frames import pandas


@dataclass(frozen=True, slots=True, kw_only=True)
class OfScenario(Saves):
    """What every table for the protocol knows.

    Parameters
    ----------
    scenario : Scenario or None
        Whose rule was asked; ``None`` for a rule by itself.
    """

    scenario: Scenario | None = field(default=None, repr=False, compare=False)


def frame(text: str) -> Any:
    """Return a table written as CSV as a pandas ``DataFrame``, without the lines that tell about it."""
    pd = pandas()

    heads, *rows = cells_of(text)
    return pd.DataFrame(rows, columns=heads).convert_dtypes()


def cells_of(text: str) -> list[list[Any]]:
    """Return the cells of a table written as CSV, names of the columns first: whole numbers as such, ``None`` empty."""
    rows = csv.reader(line for line in io.StringIO(text) if not line.startswith("#"))
    return [[int(cell) if cell.isdecimal() else cell or None for cell in row] for row in rows]


Rows = Sequence[Sequence[str]]


def text(title: str, heads: Sequence[str], rows: Rows, notes: Sequence[str]) -> str:
    """Return a table as text for a terminal: columns right-aligned, the last one left-aligned, with notes below."""
    widths = [max(len(line[k]) for line in (heads, *rows)) for k in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        inner = [f"{cell:>{width}}" for cell, width in zip(cells[:-1], widths[:-1], strict=True)]
        return "  ".join(["", *inner, cells[-1]]).rstrip()

    return "\n".join([title, "", line(heads), *map(line, rows), "", *notes])


def markdown(heads: Sequence[str], rows: Rows, notes: Sequence[str] = ()) -> str:
    """Return rows as a Markdown table, with notes below as a list."""
    lines = [f"| {' | '.join(map(_inline, cells))} |" for cells in (heads, *rows)]
    below = ["", *(f"- {markup(note)}" for note in notes)] if notes else []
    return "\n".join([lines[0], "|" + "---|" * len(heads), *lines[1:], *below]) + "\n"


def markup(text: str) -> str:
    """Return a text so that Markdown shows what looks like a tag of HTML, and does not make it one."""
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)


def _inline(text: str) -> str:
    """Return a text as one cell of a Markdown table: on one line, without an end of the cell in it."""
    return markup(" ".join(text.splitlines())).replace("|", r"\|")


def html_table(
    caption: str,
    heads: Sequence[str],
    rows: Rows,
    classes: Sequence[Sequence[str]] | None = None,
    notes: Sequence[str] = (),
) -> str:
    """Return rows as an HTML fragment; the first cell of each row is its head, `classes` style the others.

    Notes are the table's foot.
    """
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in heads)
    body = []
    for number, (first, *cells) in enumerate(rows):
        styles = classes[number] if classes else [""] * len(cells)
        inner = "".join(
            f'<td class="{style}">{html.escape(cell)}</td>' if style else f"<td>{html.escape(cell)}</td>"
            for cell, style in zip(cells, styles, strict=True)
        )
        body.append(f"<tr><th>{html.escape(first)}</th>{inner}</tr>")
    foot = "".join(f'<tr><td colspan="{len(heads)}">{html.escape(note)}</td></tr>' for note in notes)
    return (
        f"<table><caption>{html.escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody>"
        f"{f'<tfoot>{foot}</tfoot>' if foot else ''}</table>"
    )


STYLE = """
body { font: 10.5pt Calibri, Arial, sans-serif; color: #24292F; margin: 1.5em; max-width: 60em; }
h1 { font-size: 14pt; } h2 { font-size: 11.5pt; margin: 1.2em 0 0.3em; }
table { border-collapse: collapse; margin: 0.4em 0 0.8em; }
caption { text-align: left; font-weight: bold; padding: 0.2em 0; }
th, td { border: 1px solid #57606A; padding: 0.15em 0.55em; text-align: center; }
td.words, th.words { text-align: left; }
@media print { td, th { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def document(title: str, fragment: str) -> str:
    """Return a whole HTML document: with its character set, borders, and colours that print."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{fragment}\n</body>\n</html>\n"
    )


def whole(title: str, text: str) -> str:
    """Return HTML as a whole document, if it is a fragment."""
    return text if text.startswith("<!DOCTYPE") else document(title, text)
