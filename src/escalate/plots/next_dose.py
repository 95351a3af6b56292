"""The next dose after every data cut, as a figure: for rules with a model of all doses."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from ..protocol_tables.next_dose import NextDose, NextDoseTable
from ..words.dose_path import LETTERS
from ..words.records import NO_LEVEL, Action, Decision
from .board import LEAST_SCALE, SMALL, Board, fill_cell, ink_on, legend_columns, new_board
from .leaves import ELSEWHERE, leaf_of, limits, pages_of
from .letters import ACTION_COLOURS
from .sheet import Asked
from .style import BAND, BLUE, FAINT, INK, PAPER, SOFT, points_tall
from .texts import balanced, measure, room_for, widest, wrapped

MOST_ROWS = 60
"""A figure shows so many data cuts at most."""

FEWEST_ROWS = 6
"""A figure shows so many data cuts even where there is no room for them."""

TEXT, PATH = 8.5, 8.5
"""Sizes of numbers and words, and of a dose path [points]."""

AROUND = 130.0
"""Height of head, legend and notes around the rows [points]."""

ROW, LINE, HEAD_LINE = 16.0, 10.5, 11.5
"""Heights of a row, of one more line in it, and of a line of the head [points]."""

MOST_WORDS, MOST_WIDE = 250.0, 1400.0
"""Words of a decision that are wider are broken into lines; of a wider table they are half as wide [points]."""

WORDS_PARTS = (1.0, 2.0, 2.8, 3.5)
"""By how much words may be narrower: by the first two in a figure of its own, by all on a page."""

GAP = 14.0
"""Empty space between groups of columns [points]."""

NEXT_LABEL = "level given next, or recommended"
BAR_LABEL = "what the model believes, from 0 to 1"


@dataclass(frozen=True, slots=True)
class Group:
    """Some columns below one heading.

    Parameters
    ----------
    heading : list of str
        Its lines.
    columns : int
        How many.
    each : float
        Width of a column [points].
    """

    heading: list[str]
    columns: int
    each: float

    @property
    def width(self) -> float:
        """Width of all columns [points]."""
        return self.columns * self.each


@dataclass(frozen=True, slots=True)
class Layout:
    """What is drawn, and where [points].

    Parameters
    ----------
    rows : list of NextDose
        Those that are drawn.
    paths : list of list of str
        By row: the lines of the dose paths that lead there.
    words : list of list of list of str
        By row: for the decision and for each one that it turns to, its lines.
    path, counts : Group
        The dose path; DLTs and evaluable patients.
    beliefs : dict of str to Group
        What the model believes.
    decisions : list of Group
        The decision, and those that it turns to.
    """

    rows: list[NextDose]
    paths: list[list[str]]
    words: list[list[list[str]]]
    path: Group
    counts: Group
    beliefs: dict[str, Group]
    decisions: list[Group]

    @property
    def groups(self) -> list[Group]:
        """All groups from left to right."""
        return [self.path, self.counts, *self.beliefs.values(), *self.decisions]

    @property
    def lefts(self) -> list[float]:
        """Where each group begins."""
        return list(accumulate([0.0, *(group.width + GAP for group in self.groups[:-1])]))

    @property
    def width(self) -> float:
        """Width of everything."""
        return self.lefts[-1] + self.groups[-1].width

    @property
    def head(self) -> float:
        """Height of the head."""
        return HEAD_LINE * (1 + max(len(group.heading) for group in self.groups)) + 5

    def of_rows(self, rows: range) -> Layout:
        """Return the layout of some rows, with columns as wide as those of all."""
        here = slice(rows.start, rows.stop)
        return replace(self, rows=self.rows[here], paths=self.paths[here], words=self.words[here])

    def heights(self) -> list[float]:
        """Return the height of each row."""
        lines = [max(map(len, [paths, *words])) for paths, words in zip(self.paths, self.words, strict=True)]
        return [ROW + LINE * (most - 1) for most in lines]


def draw_next_dose_table(table: NextDoseTable, asked: Asked) -> Axes:
    """Draw the table of a rule with a model, as `escalate.plots.plot_decision_table` describes it."""
    ax, words = asked.ax, _words(table)
    fill_cell(asked, words)
    most = MOST_ROWS if ax is None else min(max(int(points_tall(ax) / (ROW * LEAST_SCALE)) - 6, FEWEST_ROWS), MOST_ROWS)
    layout = arrange(table, most)
    while ax is not None and most > FEWEST_ROWS and sum(layout.heights()) > points_tall(ax) / LEAST_SCALE - AROUND:
        most -= 1
        layout = arrange(table, most)
    spreads = [_spread(table, asked, most, limit) for limit in limits(asked, MOST_WIDE, ())]
    spread = min(spreads, key=lambda one: (one.layout.width > one.limit, len(one.leaves)))
    leaf = leaf_of(asked, spread.leaves)
    layout, width = spread.layout.of_rows(leaf.blocks), spread.width
    notes = spread.notes if leaf.is_last else [ELSEWHERE]
    heights = layout.heights()
    body = layout.head + sum(heights)
    left_out = _left_out(table, len(spread.layout.rows)) if leaf.is_last else ""
    below = body + (16 if left_out else 0) + 10
    tall = below + spread.tall + 4 + 12.5 * len(notes)
    board = new_board(asked, width, tall, leaf.titled(words))
    _draw_head(board, layout, len(table.doses))
    _draw_grounds(board, layout, heights)
    for number, (top, height) in enumerate(zip(accumulate([layout.head, *heights]), heights, strict=False)):
        _draw_row(board, layout, number, top, height)
    if left_out:
        board.write(0, body + 10, left_out, fontweight="bold")
    board.legend(below, spread.handles, spread.columns)
    for k, note in enumerate(notes):
        board.write(0, below + spread.tall + 4 + 12.5 * (k + 0.5), note, color=SOFT)
    return leaf.tell(board.ax)


@dataclass(frozen=True, slots=True)
class Spread:
    """A table laid out for some width.

    Parameters
    ----------
    layout : Layout
        All of it.
    limit, width : float
        How wide it should be at most, and how wide it is with what stands around it [points].
    handles : list of Artist
        Of the legend.
    columns : int
        Of the legend.
    tall : float
        Height of the legend [points].
    notes : list of str
        Lines of small print.
    leaves : list of range
        Which rows stand on which page.
    """

    layout: Layout
    limit: float
    width: float
    handles: list[Artist]
    columns: int
    tall: float
    notes: list[str]
    leaves: list[range]


def _spread(table: NextDoseTable, asked: Asked, most: int, limit: float) -> Spread:
    wide = (arrange(table, most, MOST_WORDS / part) for part in WORDS_PARTS[: None if asked.leaf else 2])
    layout = next((one for one in wide if one.width <= limit), None) or arrange(
        table, most, MOST_WORDS / WORDS_PARTS[1]
    )
    handles = _handles(layout.rows) if asked.legend else []
    width = max(layout.width, 330.0)
    columns, tall = legend_columns(handles, width)
    notes = [line for note in _notes(table, layout.rows) for line in wrapped(note, 0.94 * width, SMALL)]
    around = layout.head + 10 + tall + 4 + 12.5
    left_out = 16 * bool(_left_out(table, len(layout.rows)))
    below = left_out + 12.5 * (len(notes) - 1)
    leaves = pages_of(asked, _words(table), width, layout.heights(), apart=0.0, legend=around, notes=below)
    return Spread(layout, limit, width, handles, columns, tall, notes, leaves)


def _words(table: NextDoseTable) -> str:
    return f"Next dose by {table.rule}"


# Arranging


def arrange(table: NextDoseTable, most: int, words_wide: float = MOST_WORDS) -> Layout:
    """Give every column its place, and every decision its lines.

    Parameters
    ----------
    table : NextDoseTable
        The table.
    most : int
        How many rows are drawn at most.
    words_wide : float
        Words of a decision that are wider are broken into lines [points].
    """
    rows, levels = list(table.rows[:most]), len(table.doses)
    said = [[said_of(row, row.decision), *(turn_words(row, *turn) for turn in row.turns)] for row in rows]
    turns = max((len(row.turns) for row in rows), default=0)
    decisions = []
    for k in range(turns + 1):
        here = [texts[k] for texts in said if len(texts) > k]
        width = room_for([line for text in here for line in balanced(text, words_wide, TEXT)], TEXT) + 20
        head = "decision" if not k else "other decision, once so much of every open window is seen"
        decisions.append(Group(balanced(head, width, SMALL, "bold"), 1, max(width, measure("decision", SMALL, "bold"))))
    words = [
        [wrapped(text, group.width - 14, TEXT) for text, group in zip(texts, decisions, strict=False)] for texts in said
    ]
    paths = [row.ways.short.replace(" or ", "\nor ").split("\n") for row in rows]
    written = [line for lines in paths for line in lines]
    path = max(widest(written, PATH, family="monospace"), measure("after", SMALL, "bold"))
    told = [f"{y}/{n}" for row in rows for y, n in row.counts]
    names = list(rows[0].beliefs) if rows else []
    return Layout(
        rows,
        paths,
        words,
        Group(["after"], 1, path + 4),
        _levels("DLTs / evaluable at level", levels, max(widest(told, TEXT) + 7, 24.0)),
        {name: _levels(f"{name} at level", levels, 32.0) for name in names},
        decisions,
    )


def _levels(heading: str, levels: int, least: float) -> Group:
    """Return one column for each level, wide enough for the longest word of the heading."""
    each = max(least, room_for(heading.split(), SMALL, "bold") / levels)
    return Group(wrapped(heading, levels * each, SMALL, "bold"), levels, each)


def said_of(row: NextDose, decision: Decision) -> str:
    """Return one decision of a row in the words of the table.

    Parameters
    ----------
    row : NextDose
        The row.
    decision : Decision
        Its own, or one that it turns to.
    """
    return replace(row, decision=decision, turns=()).words


def turn_words(row: NextDose, share: float, decision: Decision) -> str:
    """Return what a decision turns to from a share of the window on, in words.

    Parameters
    ----------
    row : NextDose
        The row.
    share : float
        Of every pending patient's window.
    decision : Decision
        What follows then.
    """
    return f"from {share:.0%}: {said_of(row, decision)}"


def _left_out(table: NextDoseTable, drawn: int) -> str:
    """Return what is said of rows that are not drawn."""
    rest = len(table.rows) - drawn
    if not rest:
        return ""
    rows = f"rows {drawn + 1} to {len(table.rows)}" if rest > 1 else f"row {drawn + 1}"
    return f"Not drawn: {rows} ({rest} of {len(table.rows)} data cuts); the table as text or CSV has them all"


def _notes(table: NextDoseTable, rows: Sequence[NextDose]) -> list[str]:
    """Return the lines below the legend: the doses, the remarks, and the letters of a dose path."""
    doses = " · ".join(f"level {k}: {dose}" for k, dose in enumerate(table.doses, 1))
    found = [f"{letter} {words}" for letter, words in LETTERS.items() if any(letter in row.path for row in rows)]
    notes = [doses, *table.remarks, f"Dose path: for each cohort its level, then {', '.join(found)}"]
    if any(re.search(r"P(?![0-9])", row.path) for row in rows):
        words = "P (pending) without days has just been infused, and the model's belief is of that day"
        notes.append(words if table.scenario is None else table.scenario.say(words))
    if table.answer is None:
        return notes
    return [f"Caution: {words}" for words in table.answer.cautions] + [table.answer.told] + notes


def _handles(rows: Sequence[NextDose]) -> list[Artist]:
    said = {decision.action for row in rows for decision in (row.decision, *(turn for _, turn in row.turns))}
    handles: list[Artist] = [
        Patch(facecolor=ACTION_COLOURS[action], label=action.words) for action in Action if action in said
    ]
    if any(row.beliefs for row in rows):
        handles.append(Patch(facecolor=BLUE, label=BAR_LABEL))
    if any(_outlined(row) for row in rows):
        handles.append(Patch(facecolor=PAPER, edgecolor=INK, linewidth=1.4, label=NEXT_LABEL))
    return handles


# Drawing


def _draw_head(board: Board, layout: Layout, levels: int) -> None:
    for group, left in zip(layout.groups, layout.lefts, strict=True):
        of_levels = group is layout.counts or group in layout.beliefs.values()
        lines = len(group.heading) + of_levels
        top = layout.head - 5 - HEAD_LINE * lines
        middle = left + group.width / 2 if of_levels else left
        for k, line in enumerate(group.heading):
            y = top + HEAD_LINE * (k + 0.5)
            board.write(middle, y, line, fontweight="bold", ha="center" if of_levels else "left")
        for level in range(levels * of_levels):
            x, y = left + (level + 0.5) * group.each, layout.head - 5 - HEAD_LINE / 2
            board.write(x, y, str(level + 1), ha="center", color=SOFT)
        board.line([left, left + group.width], [layout.head - 2] * 2, 1.0, color=SOFT)


def _draw_grounds(board: Board, layout: Layout, heights: Sequence[float]) -> None:
    """Give rows that go on from the same data cut the same ground."""
    before: Callable[[tuple[NextDose, float, float]], str] = lambda part: part[0].path.rpartition(" ")[0]  # noqa: E731
    parts = zip(layout.rows, accumulate([layout.head, *heights]), heights, strict=False)
    for k, (_, group) in enumerate(groupby(parts, before)):
        found = list(group)
        (_, top, _), (_, last, height) = found[0], found[-1]
        colour = PAPER if k % 2 else BAND
        board.rectangle(0, top, layout.width, last + height - top, facecolor=colour, zorder=-1)
        board.line([0, layout.width], [last + height] * 2, 0.6, color=FAINT, zorder=0)


def _draw_row(board: Board, layout: Layout, number: int, top: float, height: float) -> None:
    row, lefts, y = layout.rows[number], layout.lefts, top + height / 2
    _write_lines(board, 2, y, layout.paths[number], INK, PATH, family="monospace")
    for level, (dlts, evaluable) in enumerate(row.counts):
        colour = INK if evaluable else SOFT
        x = lefts[1] + (level + 0.5) * layout.counts.each
        board.write(x, y, f"{dlts}/{evaluable}", TEXT, ha="center", color=colour)
    for (name, group), left in zip(layout.beliefs.items(), lefts[2:], strict=False):
        for level, value in enumerate(row.beliefs[name]):
            _draw_belief(board, value, left + level * group.each, top, group.each, height)
        if _outlined(row):
            x, style = left + row.decision.level * group.each, {"facecolor": "none", "edgecolor": INK}
            board.rectangle(x + 1, top + 1, group.each - 2, height - 2, linewidth=1.3, zorder=4, **style)
    decisions = [row.decision, *(decision for _, decision in row.turns)]
    places = zip(layout.decisions, lefts[-len(layout.decisions) :], strict=True)
    for decision, lines, (group, left) in zip(decisions, layout.words[number], places, strict=False):
        colour = ACTION_COLOURS[decision.action]
        board.rectangle(left, top, group.width, height, facecolor=colour, edgecolor=PAPER, linewidth=1.2)
        _write_lines(board, left + 6, y, lines, ink_on(colour), TEXT)


def _write_lines(
    board: Board, x: float, y: float, lines: Sequence[str], colour: str, size: float, **style: str
) -> None:
    """Write lines below each other, around a height."""
    for k, line in enumerate(lines):
        board.write(x, y + (k - (len(lines) - 1) / 2) * LINE, line, size, color=colour, **style)


def _draw_belief(board: Board, value: float, x: float, top: float, width: float, height: float) -> None:
    """Draw a number, and below it a bar as long as what is believed."""
    full, low = width - 8, top + height / 2 + 3.8
    board.rectangle(x + 4, low, full, 2.2, facecolor=FAINT)
    board.rectangle(x + 4, low, min(max(value, 0.0), 1.0) * full, 2.2, facecolor=BLUE)
    board.write(x + width / 2, top + height / 2 - 1.8, f"{value:z.2f}", TEXT, ha="center")


def _outlined(row: NextDose) -> bool:
    """Return whether a level is outlined among what the model believes."""
    return bool(row.beliefs) and row.decision.level != NO_LEVEL
