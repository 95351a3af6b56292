"""How a printed text is laid out anew where a terminal is narrower than it.

Prose is wrapped at the terminal's width. Tables are told by two spaces or more between columns: first these shrink,
then bars do, then every row is broken at the same columns and goes on in an indented line. What fits stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise, product

NARROWEST = 40
"""Columns that every text has at least; what is narrower breaks lines itself."""

GAP, HANG = 2, 4
"""Spaces between columns that were squeezed; by how much a row's next lines are indented."""

DEEP = 12
"""A line that begins so far to the right belongs to a table."""

MADE = (80, 110)
"""Widths at which texts are wrapped when they are made."""

SLACK = 6
"""Columns by which a line within a sentence may be shorter than it could be."""

_TABLE = re.compile(rf"\S {{2}}|^ {{{DEEP},}}\S")
_ITEM = re.compile(r"\s*(?:[!*-] |[\w\[\]]+\.[\w.\[\]]+ .*= |\S+: )")
_COMPACT = re.compile(r"\d(?:±|\+/-)\d")
_INTERVAL = re.compile(r"(?<!\S)[-+.,%\d]{1,12} \[\S{1,12}, \S{1,12}\]")
"""A number with its interval, which is one cell whatever its spaces."""

_WORD = re.compile(r"( *)((?<!\S)[-+.,%\d]{1,12} (?:±|\+/-) \S{1,12}|(?<!\S)\[\S{1,12}, \S{1,12}\]\S?|\S+)")
_BAR = re.compile("█+[▌▏]?|▌")

Cells = list[str]


def fitted(text: str, columns: int) -> str:
    """Return a text in lines of so many columns.

    Parameters
    ----------
    text : str
        Whatever is printed; lines end with a line feed.
    columns : int
        Of the terminal; fewer than `NARROWEST` count as that.

    Returns
    -------
    str
        The same words in the same order, bars of blocks aside, which shrink or go. No line is longer but for a word
        that is. A part that fits is as it was.
    """
    columns = max(columns, NARROWEST)
    lines = (line.rstrip() if len(line) > columns else line for line in text.split("\n"))
    parts = ((kind, list(part)) for kind, part in groupby(lines, _is_of_table))
    return "\n".join(line for is_table, part in parts for line in _part(is_table, part, columns))


def _is_of_table(line: str) -> bool:
    return bool(_TABLE.search(line))


def _part(is_table: bool, lines: Cells, columns: int) -> Iterator[str]:
    if is_table:
        yield from lines if _fits(lines, columns) else _table(lines, columns)
        return
    for paragraph in _paragraphs(lines):
        yield from paragraph if _fits(paragraph, columns) else _wrapped_paragraph(paragraph, columns)


def _fits(lines: Sequence[str], columns: int) -> bool:
    return max(map(len, lines)) <= columns


# Prose


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _goes_on(line: str, after: str) -> bool:
    """Return whether a line was broken because the first word of the one after it had no room."""
    if not line.strip() or not after.strip() or _ITEM.match(after):
        return False
    word, width = after.split(None, 1)[0], MADE[len(line) > MADE[0]]
    within = line.rstrip()[-1] not in ".:;" and not word[0].isupper()  # a sentence, surely: some lines end early
    return width * 0.7 < len(line) and width <= len(line) + len(word) + SLACK * within


def _paragraphs(lines: Cells) -> Iterator[Cells]:
    """Yield lines that were wrapped from one, together."""
    paragraph = [lines[0]]
    for line in lines[1:]:
        deeper = _indent(line) - _indent(paragraph[-1])
        if _goes_on(paragraph[-1], line) and (deeper == 0 or (len(paragraph) == 1 and 0 < deeper <= HANG)):
            paragraph.append(line)
        else:
            yield paragraph
            paragraph = [line]
    yield paragraph


def _wrapped_paragraph(lines: Cells, columns: int) -> Iterator[str]:
    first = min(_indent(lines[0]), columns // 4)
    hang = _indent(lines[1]) - _indent(lines[0]) if len(lines) > 1 else HANG // 2
    yield from _wrapped(" ".join(map(str.strip, lines)), columns, first, first + hang)


def _wrapped(text: str, columns: int, first: int, later: int) -> Iterator[str]:
    """Yield the words of a text in lines; one that is too long has a line of its own, as far left as it needs."""
    line, indent = "", first
    for gap, word in _WORD.findall(text):
        between = " " * min(len(gap), GAP)
        if line and indent + len(line) + len(between) + len(word) > columns:
            yield " " * min(indent, max(0, columns - len(line))) + line
            line, indent = word, later
        else:
            line += between + word if line else word
    yield " " * min(indent, max(0, columns - len(line))) + line


# Tables


def _table(lines: Cells, columns: int) -> Iterator[str]:
    spans = _spans(lines)
    rows, indent = _rows(lines, spans), min(HANG, min(map(_indent, lines)))
    gaps = [0, *(min(GAP, after[0] - before[1]) for before, after in pairwise(spans))]
    if _too_wide(rows, gaps, columns - indent):
        rows = _with_less_bars(rows, gaps, columns - indent)
    if _too_wide(rows, gaps, columns - indent) and _is_headed(rows):
        yield from _wrapped(rows[0][0], columns, indent, indent + HANG // 2)
        rows = [["", *rows[0][1:]], *rows[1:]]
    widths = _widths(rows)
    groups = _groups(widths, gaps, columns - indent)
    for row, (number, group) in product(rows, enumerate(groups)):
        yield from _row(row, group, widths, gaps, indent + HANG * (number > 0), columns)


def _spans(lines: Cells) -> list[tuple[int, int]]:
    """Return where the columns begin and end: between them every line has two spaces, or one in compact tables.

    A number and its interval are never parted.
    """
    within = {place for line in lines for found in _INTERVAL.finditer(line) for place in range(*found.span())}
    every = range(max(map(len, lines)))
    taken = [place in within or any(line[place : place + 1].strip() for line in lines) for place in every]
    one_column = "x+" if any(map(_COMPACT.search, lines)) else "x(?: ?x)*"
    return [found.span() for found in re.finditer(one_column, "".join(" x"[is_taken] for is_taken in taken))]


def _rows(lines: Cells, spans: list[tuple[int, int]]) -> list[Cells]:
    """Return the cells of each line, left of which spaces align them; lines that continue a cell are put into it."""
    rows = list[Cells]()
    for before, line in zip(["", *lines], lines, strict=False):
        cells = [line[start:end].rstrip() for start, end in spans]
        filled = [place for place, cell in enumerate(cells) if cell]
        ended = max((place for place, cell in enumerate(rows[-1]) if cell), default=0) if rows else 0
        if filled == [ended] and ended and _goes_on(before, line):
            rows[-1][ended] += " " + cells[ended].lstrip()
        else:
            rows.append(cells)
    return rows


def _widths(rows: list[Cells]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _too_wide(rows: list[Cells], gaps: list[int], room: int) -> bool:
    return sum(_widths(rows)) + sum(gaps) > room


def _with_less_bars(rows: list[Cells], gaps: list[int], room: int) -> list[Cells]:
    """Return rows whose bars, at the end of their last cells, have room there, or on a line of their own."""
    bars = [_BAR.search(row[-1]) for row in rows]
    longest = max((len(bar[0]) for bar in bars if bar), default=0)
    before = max((bar.start() for bar in bars if bar), default=0)
    beside = room - sum(_widths(rows)[:-1]) - sum(gaps) - before
    most = max(0, min(longest, beside if beside >= HANG else room - HANG - before))
    return [
        [*row[:-1], f"{row[-1][: bar.start()]}{'█' * round(len(bar[0]) * most / longest)}".rstrip()] if bar else row
        for row, bar in zip(rows, bars, strict=True)
    ]


def _is_headed(rows: list[Cells]) -> bool:
    """Return whether the first line has a heading, longer than everything below it."""
    return len(rows[0][0]) > max((len(row[0]) for row in rows[1:]), default=0) > 0


def _groups(widths: list[int], gaps: list[int], room: int) -> list[list[int]]:
    """Return which columns stand beside one another."""
    groups, used = [[0]], widths[0]
    for place, (width, gap) in enumerate(zip(widths[1:], gaps[1:], strict=True), 1):
        if used + gap + width <= room:
            groups[-1].append(place)
            used += gap + width
        else:
            groups.append([place])
            used = HANG + width
    return groups


def _row(row: Cells, group: list[int], widths: list[int], gaps: list[int], indent: int, columns: int) -> Iterator[str]:
    """Yield a row's cells in a group of columns; nothing where there are none."""
    if not any(row[place] for place in group):
        return
    cells = "".join(" " * gaps[place] + row[place].ljust(widths[place]) for place in group)
    line = (" " * indent + cells[gaps[group[0]] :]).rstrip()
    if len(line) <= columns:
        yield line
        return
    first = indent + min(_indent(row[group[0]]), HANG)
    for number, words in enumerate(re.split(" {2,}", line.strip())):
        yield from _wrapped(words, columns, first + GAP * (number > 0), first + GAP)
