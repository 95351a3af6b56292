"""CSV: the one writer of every table, whose cells a spreadsheet shows and never computes.

A cell of text that begins with ``=``, ``+``, ``-`` or ``@``, a tab or a line break would be a formula, which can send
what stands beside it anywhere; an apostrophe in front makes it text. Numbers stay numbers, negative ones too.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

FORMULA = re.compile(r"\s*[=+\-@＝＋－＠\t\r\n]")
"""How a cell begins that a spreadsheet may compute."""

NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|-")
"""A number, or a stroke that stands for nothing: no formula."""

_WITHIN_A_COMMENT = re.compile(r"([,;\t]\s*)(?=[=@＝＋－＠]|[+\-](?!\d))")


def cell(value: Any) -> Any:
    """Return a cell as it is written: text that a spreadsheet would compute has an apostrophe in front."""
    if isinstance(value, str) and "\r" in value:
        value = value.replace("\r\n", "\n").replace("\r", "\n")  # the writer quotes no cell for this line end alone
    if isinstance(value, str) and FORMULA.match(value) and not NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def csv_text(heads: Sequence[str], rows: Iterable[Sequence[Any]], about: Sequence[str] = ()) -> str:
    """Return rows as CSV text.

    Parameters
    ----------
    heads : sequence of str
        Names of the columns.
    rows : iterable of sequence
        One cell for each column; ``None`` is empty.
    about : sequence of str
        What the rows are about: lines above, which begin with #.
    """
    text = io.StringIO()
    text.writelines(f"# {_WITHIN_A_COMMENT.sub(_apart, ' '.join(line.split()))}\n" for line in about)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(cell, heads))
    writer.writerows(map(cell, row) for row in rows)
    return text.getvalue()


def _apart(found: re.Match[str]) -> str:
    """A spreadsheet begins a new cell at a comma of a comment, too."""
    return f"{found[1]}'"
