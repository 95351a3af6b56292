"""A sheet for the protocol: a title, and below it lists and grids; as text, Markdown and HTML it says the same.

What a table says is put on a sheet once; each format only writes it down.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .layout import document, markdown, markup
from .letters import colour, ink, is_framed

WIDTH = 110
"""Longest line of a text, where words and columns can be parted [characters]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """Lines of text below a heading."""

    heading: str
    lines: tuple[str, ...]

    def text(self) -> Iterator[str]:
        """Yield the lines of a text; those that begin with blanks stand in columns."""
        yield self.heading
        for line in self.lines:
            yield from textwrap.wrap(line, WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False)

    def markdown(self) -> str:
        """Return Markdown."""
        lines = "\n".join(f"- {markup(line)}" for line in self.lines)
        return f"**{markup(self.heading)}**\n\n{lines}\n"

    def html(self, heading: int = 2) -> str:
        """Return an HTML fragment, under a heading of some level."""
        items = "".join(f"<li>{html.escape(line)}</li>" for line in self.lines)
        return f"<h{heading}>{html.escape(self.heading)}</h{heading}><ul>{items}</ul>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Rows below heads, with a heading above.

    Parameters
    ----------
    heading : str
        What the grid is for.
    heads : tuple of str
        Of the columns.
    rows : tuple of tuple of str
        The first cell of a row is its head.
    letters : tuple of tuple of str, optional
        For each cell but the first of a row, the letter whose colour it has; empty for none.
    words : bool
        Whether the first and the last column are words, which stand at the left.
    """

    heading: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    letters: tuple[tuple[str, ...], ...] = ()
    words: bool = False

    def text(self) -> Iterator[str]:
        """Yield the lines of a text; columns that do not fit stand below, with the heads of the rows again."""
        yield self.heading
        lines = [self.heads, *self.rows]
        widths = [max(len(line[k]) for line in lines) for k in range(len(self.heads))]
        for number, columns in enumerate(_fitting(widths)):
            if number:
                yield ""
            for line in lines:
                cells = [line[k].ljust(widths[k]) if self._at_left(k) else line[k].rjust(widths[k]) for k in columns]
                yield ("  " + "  ".join(cells)).rstrip()

    def _at_left(self, column: int) -> bool:
        return self.words and column in (0, len(self.heads) - 1)

    def markdown(self) -> str:
        """Return Markdown."""
        return f"**{markup(self.heading)}**\n\n" + markdown(self.heads, self.rows)

    def html(self, heading: int = 2) -> str:
        """Return an HTML fragment: a table whose cells have their letter as class, and its colour.

        Its heading is the table's caption, on pages with headings of any level.
        """
        heads = "".join(f'<th scope="col">{html.escape(head)}</th>' for head in self.heads)
        rows = "".join(self._html_row(number, row) for number, row in enumerate(self.rows))
        return (
            f'<table border="1" cellspacing="0"><caption>{html.escape(self.heading)}</caption>'
            f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        )

    def _html_row(self, number: int, row: Sequence[str]) -> str:
        letters = self.letters[number] if self.letters else ("",) * (len(row) - 1)
        cells = "".join(_html_cell(cell, letter) for cell, letter in zip(row[1:], letters, strict=True))
        return f'<tr><th scope="row"{" class=words" if self.words else ""}>{html.escape(row[0])}</th>{cells}</tr>'


def _html_cell(cell: str, letter: str) -> str:
    if not letter:
        return f"<td>{html.escape(cell)}</td>"
    frame = ";border:2px solid" if is_framed(letter) else ""
    look = f'bgcolor="{colour(letter)}" style="background:{colour(letter)};color:{ink(letter)}{frame}"'
    return f'<td class="{html.escape(letter)}" {look}>{html.escape(cell)}</td>'


def _fitting(widths: Sequence[int]) -> Iterator[list[int]]:
    """Yield columns that fit beside each other, the first one always among them."""
    columns, used = [0], widths[0] + 2
    for column in range(1, len(widths)):
        if used + widths[column] + 2 > WIDTH and len(columns) > 1:
            yield columns
            columns, used = [0], widths[0] + 2
        columns.append(column)
        used += widths[column] + 2
    yield columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A title with blocks below it."""

    title: str
    blocks: tuple[Notes | Grid, ...]

    def to_text(self) -> str:
        """Return the sheet as text for a terminal."""
        blocks = ["\n".join(block.text()) for block in self.blocks]
        return "\n\n".join([textwrap.fill(self.title, WIDTH, break_long_words=False), *blocks])

    def to_markdown(self) -> str:
        """Return the sheet as Markdown."""
        return "\n".join([f"# {markup(self.title)}\n", *(block.markdown() for block in self.blocks)])

    def to_html(self) -> str:
        """Return the sheet as a whole HTML document."""
        return document(self.title, self.fragment())

    def fragment(self, heading: int = 1) -> str:
        """Return the sheet as an HTML fragment, with a title that is a heading of some level."""
        title = f"<h{heading}>{html.escape(self.title)}</h{heading}>"
        return "\n".join([title, *(block.html(heading + 1) for block in self.blocks)])
