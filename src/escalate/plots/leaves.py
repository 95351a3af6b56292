"""Figures that no page holds, on several: which blocks of a board stand on which page.

A board is a stack of blocks. On a page stand as many as it holds, below the title, above the legend; the notes stand on
the last one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes

from ..errors import EscalateError
from .board import BELOW_TITLE, MARGIN, TITLE, room_on
from .picture import Picture
from .sheet import PAGES, WIDTHS, Asked
from .texts import balanced

ELSEWHERE = "What it rests on, and how it is read, stands on the last page."
"""What stands in the place of the notes."""


class Shape(NamedTuple):
    """Room for a board on a page, title included [points]."""

    width: float
    height: float


class Leaf(NamedTuple):
    """A page of a figure.

    Parameters
    ----------
    blocks : range
        Which of its blocks stand there.
    number, of : int
        Its number, from 1, and how many there are.
    """

    blocks: range
    number: int
    of: int

    @property
    def is_last(self) -> bool:
        """Whether the notes stand there."""
        return self.number == self.of

    def titled(self, title: str) -> str:
        """Return a title that says which page it is, if there are several."""
        return title if self.of == 1 else f"{title} (page {self.number} of {self.of})"

    def tell(self, ax: Axes) -> Axes:
        """Let the figure know how many pages there are, and return its Axes."""
        own = ax.get_figure(root=True)
        if isinstance(own, Picture):
            own.pages = self.of
        return ax


def shapes(asked: Asked) -> list[Shape]:
    """Return what a page can be, the usual one first: upright, or on its side; none where a figure is drawn whole."""
    if asked.ax is not None or asked.leaf is None or asked.page not in PAGES:
        return []
    _, wide, tall = PAGES[asked.page]
    usual = WIDTHS[asked.page] or wide
    both = [(usual, tall), (max(wide, tall), min(wide, tall))]
    return [Shape(72 * width - 2 * MARGIN, 72 * height - 2 * MARGIN) for width, height in both]


def shape_for(asked: Asked, width: float) -> Shape | None:
    """Return the page that holds a board of some width [points]; nothing where a figure is drawn whole."""
    there = shapes(asked)
    return next((shape for shape in there if width <= shape.width), there[-1]) if there else None


def limits(asked: Asked, most: float, narrower: Sequence[float]) -> list[float]:
    """Return how wide what stands side by side may be [points].

    Parameters
    ----------
    asked : Asked
        How the figure is wanted: for pages as wide as each of them, for a figure of its own as there is room.
    most : float
        In a figure of its own [points].
    narrower : sequence of float
        What it may have to be on somebody's Axes, too [points].
    """
    if on_pages := shapes(asked):
        return [min(most, shape.width) for shape in on_pages]
    return [room_on(asked, most), *(narrower if asked.ax else ())]


def pages_of(
    asked: Asked, title: str, width: float, heights: Sequence[float], *, apart: float, legend: float, notes: float
) -> list[range]:
    """Return which blocks of a board stand on which page; all on one, where a figure is drawn whole.

    Parameters
    ----------
    asked : Asked
        How the figure is wanted.
    title : str
        Its title.
    width : float
        Of the board [points].
    heights : sequence of float
        Of its blocks [points].
    apart : float
        Between them [points].
    legend, notes : float
        Heights of what stands below on every page, and on the last one, too [points].
    """
    shape = shape_for(asked, width)
    if shape is None:
        return [range(len(heights))]
    room = shape.height - head_height(title, width) - legend
    return shared_out(heights, apart, room, notes)


def head_height(title: str, width: float) -> float:
    """Return how high a title is that says which page it is, above a board of some width [points]."""
    return BELOW_TITLE + 1.25 * TITLE * len(balanced(f"{title} (page 10 of 10)", width, TITLE, "bold"))


def leaf_of(asked: Asked, pages: Sequence[range]) -> Leaf:
    """Return the page that is asked for, of some; raise `EscalateError` if there is none of its number."""
    number = 1 if asked.leaf is None else asked.leaf
    if not 1 <= number <= len(pages):
        there = f"the figure has {len(pages)} page{'s' * (len(pages) > 1)}"
        raise EscalateError(f"page: {there}, and there is no page {number}")
    return Leaf(pages[number - 1], number, len(pages))


def shared_out(heights: Sequence[float], apart: float, room: float, notes: float) -> list[range]:
    """Return which blocks stand on which page: as few pages as can be, each about as full as the others.

    Parameters
    ----------
    heights : sequence of float
        Of the blocks [points]; one that is higher than a page has one for itself.
    apart : float
        Between them [points].
    room : float
        For blocks on a page [points].
    notes : float
        Height of what stands below the last of them [points]; on a page without blocks, if it must be.
    """
    fewest = _filled(heights, apart, room, notes)
    for share in range(1, 20):
        lower = max(room * share / 20, max(heights, default=0.0))
        if lower < room and len(found := _filled(heights, apart, lower, max(0.0, notes - room + lower))) == len(fewest):
            return found
    return fewest


def _filled(heights: Sequence[float], apart: float, room: float, notes: float) -> list[range]:
    pages, used = [range(0)], -math.inf
    for block, height in enumerate(heights):
        if len(pages[-1]) and used + apart + height > room:
            pages.append(range(block, block))
        used = used + apart + height if len(pages[-1]) else height
        pages[-1] = range(pages[-1].start, block + 1)
    if len(pages[-1]) and used + notes > room:
        pages.append(range(len(heights), len(heights)))
    return pages
