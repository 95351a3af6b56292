"""A board to lay tables and trees on: an Axes that is measured in points, from its top left corner.

What is laid out in points has its place for each text before anything is drawn, so that nothing overlaps. A board
that is given less room than it needs is drawn smaller, letters and all; more room than it needs stays empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from .picture import Drawn, new_picture
from .sheet import Asked, NoRoomError, cell_of
from .style import INK, PAPER, points_tall, points_wide
from .texts import balanced, widest, wrapped

TITLE, SMALL = 12.0, 9.0
"""Sizes of the title and of a legend's letters [points]."""

MARGIN, BELOW_TITLE = 12.0, 8.0
"""Empty space around a figure of its own, and between its title and the board [points]."""

LEGEND_LINE = 14.5
"""Height of a line of a legend [points]."""

HALF_CAPITAL = 0.365
"""Half the height of a capital letter, as a share of the size of the letters."""

LEAST_SCALE = 0.72
"""A board that shows less of what there is to show can be drawn down to this share of its size."""


@dataclass(frozen=True, slots=True)
class Board:
    """An Axes whose data are points, x from the left and y from the top.

    Parameters
    ----------
    ax : Axes
        Where.
    scale : float
        How large letters and strokes are drawn; 1 where there is room.
    has_legend : bool
        Whether a legend is wanted.
    """

    ax: Axes
    scale: float
    has_legend: bool = True

    def rectangle(self, x: float, y: float, width: float, height: float, **style: Any) -> Rectangle:
        """Draw a rectangle, by its top left corner; without an outline unless the style has one."""
        line = self.scale * style.pop("linewidth", 0.0)
        patch = Rectangle((x, y), width, height, **{"linewidth": line, "edgecolor": "none", **style})
        self.ax.add_patch(patch)
        return patch

    def line(self, x: Sequence[float], y: Sequence[float], width: float, **style: Any) -> None:
        """Draw a line of some width [points]."""
        self.ax.plot(x, y, linewidth=width * self.scale, **style)

    def write(self, x: float, y: float, text: str, size: float = SMALL, **style: Any) -> None:
        """Write a line whose capitals are centred upon the height y; it begins at x unless the style says else."""
        look = {"color": INK, "fontsize": size * self.scale, **style}
        self.ax.text(x, y + HALF_CAPITAL * size, text, **look)

    def legend(self, y: float, handles: Sequence[Artist], columns: int) -> None:
        """Put a legend at the left, with its top at y."""
        if not handles or not self.has_legend:
            return
        self.ax.legend(
            handles=list(handles),
            loc="upper left",
            bbox_to_anchor=(0, y),
            bbox_transform=self.ax.transData,
            ncols=columns,
            fontsize=SMALL * self.scale,
            labelcolor=INK,
            frameon=False,
            borderaxespad=0,
            borderpad=0,
            handlelength=1.6,
            handleheight=0.9,
            handletextpad=0.6,
            columnspacing=1.8,
            labelspacing=0.5,
        )


def room_on(asked: Asked, most: float) -> float:
    """Return the width that a board may have [points]: `most`, or less where the page is narrower."""
    return min(most, 72 * asked.inches(1000.0) - 2 * MARGIN)


def new_board(asked: Asked, width: float, height: float, title: str) -> Board:
    """Return a board of some size [points], on a new figure as large as it must be, or on a given Axes.

    Parameters
    ----------
    asked : Asked
        How the figure is wanted.
    width, height : float
        What the layout needs [points].
    title : str
        Stands above, broken into lines.
    """
    if asked.ax is None:
        lines = balanced(title, width, TITLE, "bold") if asked.title else []
        top = MARGIN + (BELOW_TITLE + 1.25 * TITLE * len(lines)) * bool(lines)
        wide, tall = width + 2 * MARGIN, height + top + MARGIN
        figure, place = new_picture(wide / 72, tall / 72), (MARGIN / wide, MARGIN / tall, width / wide, height / tall)
        ax: Axes = figure.add_axes(place, axes_class=Drawn, facecolor=PAPER)
        scale, size = 1.0, TITLE
    else:
        ax = asked.ax
        scale = scale_in(ax, width, height)
        size = TITLE * max(scale, LEAST_SCALE)
        lines = balanced(title, points_wide(ax), size, "bold") if asked.title else []
    ax.set(xlim=(0, points_wide(ax) / scale), ylim=(points_tall(ax) / scale, 0), xticks=[], yticks=[])
    for side in ax.spines.values():
        side.set_visible(False)
    ax.set_title("\n".join(lines), loc="left", fontsize=size, fontweight="bold", color=INK, pad=BELOW_TITLE)
    return Board(ax, scale, asked.legend)


def fill_cell(asked: Asked, title: str) -> None:
    """Give an Axes in a grid the whole of its cell, but for the title; `NoRoomError` if there is none."""
    ax = asked.ax
    cell = None if ax is None else cell_of(ax)
    if ax is None or cell is None:
        return
    dot, room = ax.figure.dpi / 72, ax.figure.bbox
    inner = cell.padded(-MARGIN * dot)
    lines = balanced(title, max(inner.width / dot, TITLE), TITLE, "bold") if asked.title else []
    tall = inner.height - (BELOW_TITLE + 1.25 * TITLE * len(lines)) * dot * bool(lines)
    if min(inner.width, tall) < 60 * dot:
        raise NoRoomError
    corner = (inner.x0 - room.x0) / room.width, (inner.y0 - room.y0) / room.height
    ax.set_position((*corner, inner.width / room.width, tall / room.height))


def scale_in(ax: Axes, width: float, height: float) -> float:
    """Return how large a board of some size [points] is drawn in an Axes: 1, or less where there is no room."""
    return min(points_wide(ax) / width, points_tall(ax) / height, 1.0)


def legend_columns(handles: Sequence[Artist], width: float) -> tuple[int, float]:
    """Break the labels of a legend to fit into a width [points]; return its columns, and its height [points]."""
    for handle in handles:
        handle.set_label("\n".join(wrapped(str(handle.get_label()), width - 3 * SMALL, SMALL)))
    labels = [str(handle.get_label()) for handle in handles]
    each = widest([line for label in labels for line in label.split("\n")], SMALL) + 4.2 * SMALL
    columns = max(min(int((width + 2 * SMALL) / each), len(labels)), 1)
    lines = max((label.count("\n") + 1 for label in labels), default=0)
    return columns, (LEGEND_LINE + 1.2 * SMALL * (lines - 1)) * -(-len(labels) // columns)


def ink_on(colour: str) -> str:
    """Return the colour of letters that can be read on a ground: white on a dark one, else ink."""
    red, green, blue = to_rgb(colour)
    return PAPER if 0.299 * red + 0.587 * green + 0.114 * blue < 0.56 else INK
