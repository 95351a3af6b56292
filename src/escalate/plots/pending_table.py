"""The decision table of a rolling rule as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from matplotlib.axes import Axes

from ..protocol_tables.followup import PendingCell
from ..protocol_tables.letters import colour
from ..protocol_tables.pending import PendingPart, PendingTable
from .board import SMALL, Board, fill_cell, ink_on, new_board, scale_in
from .leaves import leaf_of, limits, pages_of
from .letters import Foot, below, draw_below, draw_frame
from .sheet import Asked
from .style import FAINT, INK, PAPER, SOFT
from .texts import measure, widest, wrapped

LETTER, CUT_OFF = 10.0, 8.2
"""Sizes of a letter alone and of one with its cut-off [points]."""

CELL = 26.0
"""Least width and height of a cell [points]."""

PART = 13.0
"""Height of one of a split cell's parts [points]."""

HEAD, GAP, BETWEEN = 32.0, 13.0, 18.0
"""Height of a band's head; empty space between blocks and between bands [points]."""

MOST_WIDE, NARROWER = 900.0, (750.0, 600.0, 480.0, 360.0, 240.0)
"""Blocks that are wider together stand below each other; in a given Axes they may have to be narrower [points]."""

NAME_LINE = 14.0
"""Height of a line of a part's name [points]."""

SPLIT = (
    "In split cells the follow-up decides: shares of the DLT window seen by the pending patients, added up. E≥x: "
    "escalate if it is x or more (SUS≥x: then wait for an outcome first). D≤x: de-escalate if it is x or less. "
    "Otherwise what stands without a number."
)


@dataclass(frozen=True, slots=True)
class Block:
    """The cells of one number of patients treated."""

    treated: int
    cells: tuple[PendingCell, ...]

    @property
    def columns(self) -> int:
        """How many numbers of pending patients there are."""
        return 1 + max(cell.pending for cell in self.cells)

    def row(self, dlts: int) -> list[PendingCell]:
        """Return the cells of a number of DLTs, in order of the patients pending."""
        return sorted((cell for cell in self.cells if cell.dlts == dlts), key=lambda cell: cell.pending)


@dataclass(frozen=True, slots=True)
class Band:
    """Blocks that stand side by side.

    Parameters
    ----------
    blocks : tuple of Block
        From left to right.
    heights : tuple of float
        Heights of their rows [points].
    merged : bool
        Whether the last row is that of so many DLTs or more, since nothing changes any more.
    """

    blocks: tuple[Block, ...]
    heights: tuple[float, ...]
    merged: bool

    @property
    def height(self) -> float:
        """Height with the head [points]."""
        return HEAD + sum(self.heights)

    def label(self, row: int) -> str:
        """Return the words beside a row."""
        more = "≥" if self.merged and row == len(self.heights) - 1 else ""
        return f"{more}{row} DLT{'' if row == 1 and not more else 's'}"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands [points]: the bands, the width of a cell, where cells begin."""

    bands: tuple[Band, ...]
    cell: float
    left: float

    @property
    def height(self) -> float:
        """Height of all bands."""
        return sum(band.height for band in self.bands) + (len(self.bands) - 1) * BETWEEN

    def width(self, blocks: Sequence[Block]) -> float:
        """Return the width of a band with its labels."""
        return self.left + sum(block.columns for block in blocks) * self.cell + (len(blocks) - 1) * GAP


def draw_pending_table(table: PendingTable, asked: Asked) -> Axes:
    """Draw the table of a rolling rule, as `escalate.plots.plot_decision_table` describes it."""
    words, ax = f"Decisions of {table.rule}, with patients pending", asked.ax
    fill_cell(asked, words)
    pages = [_page(table, limit, asked) for limit in limits(asked, MOST_WIDE, NARROWER)]
    if ax:
        whole = max(pages, key=lambda page: scale_in(ax, page.width, page.height))
    else:
        whole = min(pages, key=lambda page: len(_leaves(asked, words, page)))
    leaf = leaf_of(asked, _leaves(asked, words, whole))
    page = Page(whole.of_blocks(leaf.blocks), whole.width, whole.foot.on(leaf))
    board = new_board(asked, page.width, page.height, leaf.titled(words))
    top = 0.0
    for name, layout in page.parts:
        for k, line in enumerate(name):
            board.write(0, top + NAME_LINE * (k + 0.5), line, fontweight="bold")
        top += NAME_LINE * len(name) + 4
        for band in layout.bands:
            _draw_band(board, layout, band, top)
            top += band.height + BETWEEN
        top += BETWEEN
    draw_below(board, page.foot, page.parts_height)
    return leaf.tell(board.ax)


@dataclass(frozen=True, slots=True)
class Page:
    """Parts below each other, each with the lines of its name and its layout, and what stands below them all."""

    parts: tuple[tuple[tuple[str, ...], Layout], ...]
    width: float
    foot: Foot

    @property
    def parts_height(self) -> float:
        """Height of the parts [points]."""
        heights = (NAME_LINE * len(name) + 4 + layout.height for name, layout in self.parts)
        return sum(heights) + 2 * BETWEEN * max(len(self.parts) - 1, 0)

    @property
    def height(self) -> float:
        """Height of everything [points]."""
        return self.parts_height + self.foot.height

    def of_blocks(self, blocks: range) -> tuple[tuple[tuple[str, ...], Layout], ...]:
        """Return some of the bands of all parts, counted through, each below the name of its part."""
        first, found = 0, []
        for name, layout in self.parts:
            here = tuple(band for k, band in enumerate(layout.bands, first) if k in blocks)
            first += len(layout.bands)
            if here:
                found.append((name, replace(layout, bands=here)))
        return tuple(found)


def _leaves(asked: Asked, words: str, page: Page) -> list[range]:
    """Return which bands stand on which page: each has room for the name of its part, which may begin a page."""
    heights = [
        NAME_LINE * len(name) + 4 + band.height + BETWEEN for name, layout in page.parts for band in layout.bands
    ]
    foot = page.foot
    return pages_of(asked, words, page.width, heights, apart=BETWEEN, legend=foot.least, notes=foot.notes)


def _page(table: PendingTable, limit: float, asked: Asked) -> Page:
    cell = max(map(cell_width, table.parts))
    layouts = [arrange(part, limit, cell) for part in table.parts]
    width = max(*(layout.width(band.blocks) for layout in layouts for band in layout.bands), 330.0)
    names = (part.name[0].upper() + part.name[1:] for part in table.parts)
    parts = ((tuple(wrapped(name, width, SMALL, "bold")), layout) for name, layout in zip(names, layouts, strict=True))
    notes = [*([SPLIT] if table.is_split else []), *([*table.assumed, *table.conditions] if asked.ax is None else [])]
    return Page(tuple(parts), width, below(table.said if asked.legend else (), notes, width))


# Arranging


def cell_width(part: PendingPart) -> float:
    """Return how wide a cell must be for all that is written in one [points]."""
    return max(CELL, widest([text for cell in part.cells for _, text in parts_of(cell)], CUT_OFF) + 6)


def arrange(table: PendingPart, limit: float = MOST_WIDE, width: float | None = None) -> Layout:
    """Give the cells their size and the blocks their bands.

    Parameters
    ----------
    table : PendingPart
        A part of the table.
    limit : float
        Width of a band at most, if its blocks can be parted [points].
    width : float, optional
        Width of a cell [points]; as much as is needed where it is not given.
    """
    width = width or cell_width(table)
    blocks = [
        Block(n, tuple(cell for cell in table.cells if cell.treated == n))
        for n in sorted({cell.treated for cell in table.cells})
    ]
    left = measure("≥12 DLTs", SMALL) + 8
    together = _side_by_side(Layout((), width, left), blocks, limit)
    return Layout(tuple(_band(some) for some in together), width, left)


def parts_of(cell: PendingCell) -> list[tuple[str, str]]:
    """Return the letters of a cell, the boldest first, each with what is written for it.

    Parameters
    ----------
    cell : PendingCell
        A cell; the letters of one that is not split stand alone.
    """
    signs = {">=": "≥", "<=": "≤"}
    cut_offs = {letter: f"{signs[sign]}{at:.2f}" for letter, (sign, at) in cell.cut_offs.items()}
    return [(letter, letter + cut_offs.get(letter, "")) for letter in cell.letters]


def _band(blocks: Sequence[Block]) -> Band:
    """Return blocks side by side; rows from which on nothing changes any more are one."""
    most = max(cell.dlts for block in blocks for cell in block.cells)
    merged_from = most
    while merged_from > 0 and all(_unchanged(block, merged_from - 1) for block in blocks):
        merged_from -= 1
    rows = [[cell for block in blocks for cell in block.row(dlts)] for dlts in range(merged_from + 1)]
    heights = tuple(max([CELL, *(PART * len(cell.letters) for cell in row)]) for row in rows)
    return Band(tuple(blocks), heights, merged_from < most)


def _unchanged(block: Block, dlts: int) -> bool:
    """Return whether a row, and all those below it, say the same of every number of pending patients."""
    said: dict[int, set[tuple[str, ...]]] = {}
    for cell in block.cells:
        if cell.dlts >= dlts:
            said.setdefault(cell.pending, set()).add(cell.letters)
    return all(len(letters) == 1 and len(next(iter(letters))) == 1 for letters in said.values())


def _side_by_side(layout: Layout, blocks: Sequence[Block], limit: float) -> list[list[Block]]:
    """Distribute blocks over as few bands as the width allows, as evenly as that number allows."""
    best = _filled(layout, blocks, limit)
    ends = range(1, len(blocks) + 1)
    for width in sorted(layout.width(blocks[start:end]) for end in ends for start in range(end)):
        found = _filled(layout, blocks, width)
        if len(found) == len(best) and all(layout.width(band) <= width for band in found):
            return found
    return best


def _filled(layout: Layout, blocks: Sequence[Block], limit: float) -> list[list[Block]]:
    bands: list[list[Block]] = []
    for block in blocks:
        if bands and layout.width([*bands[-1], block]) <= limit:
            bands[-1].append(block)
        else:
            bands.append([block])
    return bands


# Drawing


def _draw_band(board: Board, layout: Layout, band: Band, top: float) -> None:
    numbers = top + HEAD - 9
    tops = list(accumulate([top + HEAD, *band.heights]))
    board.write(layout.left - 8, numbers, "pending", 8.5, ha="right", color=SOFT)
    for row, height in enumerate(band.heights):
        board.write(layout.left - 8, tops[row] + height / 2, band.label(row), ha="right")
    steps = [layout.left, *(block.columns * layout.cell + GAP for block in band.blocks)]
    for block, left in zip(band.blocks, accumulate(steps), strict=False):
        right = left + block.columns * layout.cell
        board.write(left + 1, top + 7, f"{block.treated} treated", fontweight="bold")
        board.line([left, right], [top + 15, top + 15], 0.8, color=FAINT)
        for pending in range(block.columns):
            x = left + (pending + 0.5) * layout.cell
            board.write(x, numbers, str(pending), 8.5, ha="center")
        for row, height in enumerate(band.heights):
            for cell in block.row(row):
                _draw_cell(board, cell, left + cell.pending * layout.cell, tops[row], layout.cell, height)


def _draw_cell(board: Board, cell: PendingCell, x: float, y: float, width: float, height: float) -> None:
    """Draw a cell in the colour of its letter, or in those of its letters below each other."""
    parts = parts_of(cell)
    each, alone = height / len(parts), len(parts) == 1
    size = LETTER if alone and measure(parts[0][1], LETTER, "bold") < width - 3 else CUT_OFF
    for k, (letter, text) in enumerate(parts):
        ground, weight = colour(letter), "bold" if text == letter else "normal"
        board.rectangle(x, y + k * each, width, each, facecolor=ground)
        draw_frame(board, letter, x, y + k * each, width, each)
        middle = y + (k + 0.5) * each
        board.write(x + width / 2, middle, text, size, ha="center", color=ink_on(ground), fontweight=weight)
    board.rectangle(x, y, width, height, facecolor="none", edgecolor=PAPER, linewidth=1.2)
    if not alone:
        style = {"facecolor": "none", "edgecolor": INK, "linewidth": 0.8}
        board.rectangle(x + 1, y + 1, width - 2, height - 2, **style)
