"""What the tables for the protocol share: letters and their meaning, and the formats."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..files import Saves
from ..scenario.model import Scenario

ESCALATE, STAY, DE_ESCALATE, TOO_TOXIC, SUSPEND = "E", "S", "D", "DU", "SUS"
STOP_HERE, STOP_BELOW, STOP_ABOVE, STOP_NO_DOSE = STOPS = "R", "RL", "RH", "ND"
LETTERS: dict[str, str] = {
    ESCALATE: "escalate",
    STAY: "stay: more patients at this level",
    DE_ESCALATE: "de-escalate, the level may be given again",
    TOO_TOXIC: "de-escalate or stop, and never this level again",
    SUSPEND: "suspend: wait for more outcomes",
    STOP_HERE: "stop: this level is recommended",
    STOP_BELOW: "stop: a lower level is recommended",
    STOP_ABOVE: "stop: a higher level is recommended",
    STOP_NO_DOSE: "stop: no dose is recommended",
}
"""What the letters of a table mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfScenario(Saves):
    """What every table for the protocol knows.

    Parameters
    ----------
    scenario : Scenario or None
        Whose rule was asked; ``None`` for a rule by itself.
    """

    scenario: Scenario | None = field(default=None, repr=False, compare=False)


Rows = Sequence[Sequence[str]]


def text(title: str, heads: Sequence[str], rows: Rows, notes: Sequence[str]) -> str:
    """Return a table as text for a terminal: columns right-aligned, the last one left-aligned, with notes below."""
    widths = [max(len(line[k]) for line in (heads, *rows)) for k in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        inner = [f"{cell:>{width}}" for cell, width in zip(cells[:-1], widths[:-1], strict=True)]
        return "  ".join(["", *inner, cells[-1]]).rstrip()

    return "\n".join([title, "", line(heads), *map(line, rows), "", *notes])


def csv_text(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return out.getvalue()


def markdown(heads: Sequence[str], rows: Rows, notes: Sequence[str] = ()) -> str:
    """Return rows as a Markdown table, with notes below as a list."""
    lines = [f"| {' | '.join(cells)} |" for cells in (heads, *rows)]
    below = ["", *(f"- {note}" for note in notes)] if notes else []
    return "\n".join([lines[0], "|" + "---|" * len(heads), *lines[1:], *below]) + "\n"


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


def key(letters: Sequence[str]) -> list[str]:
    """Return the meaning of some letters, one line each."""
    return [f"{letter:>5}  {LETTERS[letter]}" for letter in LETTERS if letter in letters]
