"""CSV: the one writer of every table, whose cells a spreadsheet shows and never computes.

A cell of text that begins with ``=``, ``+``, ``-`` or ``@``, a tab or a line break would be a formula, which can send
what stands beside it anywhere; an apostrophe in front makes it text. Numbers stay numbers, negative ones too. Counts
as ``1/6`` would be a day in January: they are written ``1 of 6``, and other text that would be taken for a day has the
apostrophe. Dates are ISO dates.
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

COUNTS = re.compile(r"(\d+)/(\d+)")
"""So many of so many."""

_MONTH = (
    "(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sep(t(ember)?)?|oct(ober)?|nov(ember)?"
    "|dec(ember)?)"
)
DAY = re.compile(
    r"\d{1,2}\s*[-/.]\s*\d{1,2}(\s*[-/.]\s*\d{1,4})?"
    rf"|\d{{1,4}}\s*[-/. ]?\s*{_MONTH}([-/. ]\s*\d{{1,4}})?|{_MONTH}\s*[-/. ]?\s*\d{{1,4}}",
    re.IGNORECASE,
)
"""Text that a spreadsheet takes for a day."""

_WITHIN_A_COMMENT = re.compile(r"([,;\t]\s*)(?=[=@＝＋－＠]|[+\-](?!\d))")


def cell(value: Any) -> Any:
    """Return a cell as it is written: text that a spreadsheet would compute or date has an apostrophe in front."""
    if isinstance(value, str) and (counts := COUNTS.fullmatch(value)):
        return f"{counts[1]} of {counts[2]}"
    if isinstance(value, str) and "\r" in value:
        value = value.replace("\r\n", "\n").replace("\r", "\n")  # the writer quotes no cell for this line end alone
    if isinstance(value, str) and not NUMBER.fullmatch(value) and (FORMULA.match(value) or DAY.fullmatch(value)):
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
