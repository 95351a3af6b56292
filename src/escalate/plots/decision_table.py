"""The decision table as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from matplotlib.axes import Axes

from ..protocol_tables import CountPart, CountTable, NextDoseTable, PendingTable, ProtocolTable
from ..protocol_tables.layout import OfScenario
from ..protocol_tables.letters import colour
from . import sheet
from .board import SMALL, Board, fill_cell, ink_on, new_board, scale_in
from .leaves import head_height, leaf_of, limits, pages_of, shapes
from .letters import Foot, below, draw_below, draw_frame
from .next_dose import draw_next_dose_table
from .pending_table import draw_pending_table
from .sheet import Asked, Size
from .style import PAPER, SOFT
from .texts import balanced, measure, widest

CELL, SMALLEST_CELL = 26.0, 20.0
"""Width and height of a cell, and what it is where there are many columns [points]."""

LETTER = 10.0
"""Size of a cell's letter, where there is room [points]."""

HEADING, NUMBERS = 13.5, 26.0
"""Height of a line of a part's name, and of the numbers of patients below it [points]."""

LEAST_WIDE = 190.0
"""Width of a part at least, so that its name has room [points]."""

BESIDE, BELOW = 30.0, 22.0
"""Empty space between parts beside and below each other [points]."""

MOST_WIDE, NARROWER = 900.0, (700.0, 460.0, 240.0)
"""Parts that are wider together stand below each other; in a given Axes they may have to be narrower [points]."""


@sheet.figure(OfScenario)
def plot_decision_table(
    table: ProtocolTable,
    *,
    ax: Axes | None = None,
    size: Size | None = None,
    title: bool = True,
    legend: bool = True,
    page: int | None = None,
) -> Axes:
    """Draw the decision table of a rule, as `escalate.decision_table` returns it.

    A table of counts has a panel for each part: evaluable patients across, DLTs down, one coloured letter for each
    decision. That of a rolling rule has, in each part, a block for each number of patients treated, in it the patients
    pending; a cell in which their follow-up decides is split among the colours of its letters, with the cut-offs. That
    of a rule with a model has a row for each data cut: the dose path, DLTs and evaluable patients, what the model
    believes of each level, and the decision. A figure of its own says below what the cells assume, and what goes
    before them.

    Parameters
    ----------
    table : CountTable, PendingTable or NextDoseTable
        The table.
    ax : Axes, optional
        Where to draw; a figure of a fitting size is made where it is not given.
    size : {"a4", "slide", "screen"}, optional
        What a figure of its own is for, which decides its width; for a screen unless `figures_for` says else.
    title, legend : bool
        Whether heading and small print, and whether the legend are drawn.
    page : int, optional
        Of a table that one A4 page or slide does not hold, the page that is drawn, from 1; ``figure.pages`` says how
        many there are. All of it where it is not given.

    Returns
    -------
    Axes
        The one drawn in.
    """
    asked = Asked(ax, size, title, legend, page)
    if isinstance(table, PendingTable):
        return draw_pending_table(table, asked)
    if isinstance(table, NextDoseTable):
        return draw_next_dose_table(table, asked)
    return _draw_count_table(table, asked)


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the table, or some of its rows, with its measures [points].

    Parameters
    ----------
    part : CountPart
        The part.
    rows : tuple of tuple of str
        Those that stand here.
    name : tuple of str
        The lines of its name.
    cell, left : float
        Width and height of a cell, and where the cells begin.
    """

    part: CountPart
    rows: tuple[tuple[str, ...], ...]
    name: tuple[str, ...]
    cell: float
    left: float

    @classmethod
    def of(cls, part: CountPart) -> Panel:
        """Return a part with cells as large as its number of columns allows."""
        rows, columns = tuple(_rows(part)), len(part.patients)
        cell = max(SMALLEST_CELL, min(CELL, CELL - 0.3 * (columns - 12)))
        left = max(widest([row[0] for row in rows], SMALL), measure("DLTs", 8.0)) + 8
        panel = cls(part, rows, (), cell, left)
        return replace(panel, name=panel.named(part.name))

    def named(self, name: str) -> tuple[str, ...]:
        """Return the lines of a name."""
        return tuple(balanced(name[0].upper() + name[1:], self.width, SMALL, "bold"))

    def pieces(self, room: float) -> list[Panel]:
        """Return it in so many pieces that each fits into some height [points]; with smaller cells, if one does."""
        small = replace(self, cell=SMALLEST_CELL)
        if self.height <= room or small.height <= room:
            return [self if self.height <= room else replace(small, name=small.named(self.part.name))]
        most = max(int((room - small.head - HEADING) / small.cell), 1)
        many = -(-len(self.rows) // most)
        ends = [round(k * len(self.rows) / many) for k in range(many + 1)]
        parts = [replace(small, rows=self.rows[first:end]) for first, end in pairwise(ends)]
        return [replace(one, name=one.named(f"{self.part.name}: {one.dlts}")) for one in parts]

    @property
    def dlts(self) -> str:
        """How many DLTs its rows are of, in words."""
        first, last = self.rows[0][0], self.rows[-1][0]
        return f"{first} to {last} DLTs" if last.isdecimal() else f"{first} DLTs or more"

    @property
    def width(self) -> float:
        """Width of the panel."""
        return max(self.left + self.cell * len(self.part.patients), LEAST_WIDE)

    @property
    def head(self) -> float:
        """Height of what stands above the cells."""
        return HEADING * len(self.name) + NUMBERS

    @property
    def height(self) -> float:
        """Height of the panel."""
        return self.head + self.cell * len(self.rows)


def _rows(part: CountPart) -> list[tuple[str, ...]]:
    """Return the rows of a part, the last one for so many DLTs or more."""
    rows = part.grid_rows()
    return [(f"≥{row[0].split()[0]}" if "more" in row[0] else row[0], *row[1:]) for row in rows]


@dataclass(frozen=True, slots=True)
class Page:
    """Panels in bands, with what stands below them."""

    bands: tuple[tuple[Panel, ...], ...]
    width: float
    foot: Foot

    @property
    def panels_height(self) -> float:
        """Height of the bands."""
        return sum(map(_tall, self.bands)) + BELOW * max(len(self.bands) - 1, 0)

    @property
    def height(self) -> float:
        """Height of everything."""
        return self.panels_height + self.foot.height


def _tall(band: Sequence[Panel]) -> float:
    return max(panel.height for panel in band)


def _panels(table: CountTable, limit: float, asked: Asked) -> list[Panel]:
    """Return the parts; on pages, in pieces that each have room there."""
    panels = [Panel.of(part) for part in table.parts]
    shape = next((shape for shape in shapes(asked) if shape.width >= limit), None)
    if shape is None:
        return panels
    return [piece for panel in panels for piece in panel.pieces(shape.height - _around(table, panel, asked))]


def _around(table: CountTable, panel: Panel, asked: Asked) -> float:
    """Return how high what stands above and below a panel on a page is, which stands there alone [points]."""
    width = max(panel.width, 330.0)
    return head_height(_words(table), width) + below(table.said if asked.legend else (), (), width).least


def _words(table: CountTable) -> str:
    return f"Decisions of {table.rule}"


def _page(table: CountTable, limit: float, asked: Asked) -> Page:
    bands: list[list[Panel]] = []
    for panel in _panels(table, limit, asked):
        if bands and sum(p.width + BESIDE for p in bands[-1]) + panel.width <= limit:
            bands[-1].append(panel)
        else:
            bands.append([panel])
    width = max(330.0, *(sum(p.width + BESIDE for p in band) - BESIDE for band in bands))
    notes = [*table.assumed, *table.conditions] if asked.ax is None else []
    return Page(tuple(map(tuple, bands)), width, below(table.said if asked.legend else (), notes, width))


def _draw_count_table(table: CountTable, asked: Asked) -> Axes:
    words, ax = _words(table), asked.ax
    fill_cell(asked, words)
    pages = [_page(table, limit, asked) for limit in limits(asked, MOST_WIDE, NARROWER)]
    if ax:
        whole = max(pages, key=lambda page: scale_in(ax, page.width, page.height))
    else:
        whole = min(pages, key=lambda page: len(_leaves(asked, words, page)))
    leaf = leaf_of(asked, _leaves(asked, words, whole))
    page = Page(tuple(whole.bands[k] for k in leaf.blocks), whole.width, whole.foot.on(leaf))
    board = new_board(asked, page.width, page.height, leaf.titled(words))
    top = 0.0
    for band in page.bands:
        left = 0.0
        for panel in band:
            _draw_panel(board, panel, left, top)
            left += panel.width + BESIDE
        top += _tall(band) + BELOW
    draw_below(board, page.foot, page.panels_height)
    return leaf.tell(board.ax)


def _leaves(asked: Asked, words: str, page: Page) -> list[range]:
    heights, foot = list(map(_tall, page.bands)), page.foot
    return pages_of(asked, words, page.width, heights, apart=BELOW, legend=foot.least, notes=foot.notes)


def _draw_panel(board: Board, panel: Panel, left: float, top: float) -> None:
    for k, line in enumerate(panel.name):
        board.write(left, top + HEADING * (k + 0.5), line, fontweight="bold")
    middle = top + HEADING * len(panel.name) + 0.5 * NUMBERS
    board.write(left + panel.left, middle - 6, "evaluable patients", 8.0, color=SOFT)
    board.write(left + panel.left - 6, middle + 6, "DLTs", 8.0, ha="right", color=SOFT)
    size = min(SMALL, 0.5 * panel.cell)
    for column, n in enumerate(panel.part.patients):
        board.write(left + panel.left + (column + 0.5) * panel.cell, middle + 6, str(n), size, ha="center")
    for number, row in enumerate(panel.rows):
        y = top + panel.head + number * panel.cell
        board.write(left + panel.left - 6, y + panel.cell / 2, row[0], ha="right")
        _draw_row(board, panel, row[1:], left + panel.left, y)


def _draw_row(board: Board, panel: Panel, letters: Sequence[str], left: float, y: float) -> None:
    for column, letter in enumerate(letters):
        if letter:
            x, ground = left + column * panel.cell, colour(letter)
            board.rectangle(x, y, panel.cell, panel.cell, facecolor=ground, edgecolor=PAPER, linewidth=1.0)
            draw_frame(board, letter, x, y, panel.cell, panel.cell)
            wide = measure(letter, LETTER, "bold")
            size = min(LETTER, 0.42 * panel.cell, LETTER * (panel.cell - 2) / wide)
            middle = x + panel.cell / 2, y + panel.cell / 2
            board.write(*middle, letter, size, ha="center", fontweight="bold", color=ink_on(ground))
