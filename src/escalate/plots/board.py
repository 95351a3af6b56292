"""A board to lay tables and trees on: an Axes that is measured in points, from its top left corner.

What is laid out in points has its place for each text before anything is drawn, so that nothing overlaps. A board
that is given less room than it needs is drawn smaller, letters and all; more room than it needs stays empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path

from .style import INK, PAPER, points_tall, points_wide

TITLE, SMALL = 12.0, 9.0
"""Sizes of the title and of a legend's letters [points]."""

MARGIN, BELOW_TITLE = 12.0, 8.0
"""Empty space around a figure of its own, and between its title and the board [points]."""

LEGEND_LINE = 14.5
"""Height of a line of a legend [points]."""

HALF_CAPITAL = 0.365
"""Half the height of a capital letter, as a share of the size of the letters."""

HINTED = 1.025
"""How much wider letters can become that are fitted to the dots of a picture."""

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
    """

    ax: Axes
    scale: float

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
        if not handles:
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


def new_board(ax: Axes | None, width: float, height: float, title: str) -> Board:
    """Return a board of some size [points], on a new figure as large as it must be, or on a given Axes.

    Parameters
    ----------
    ax : Axes or None
        Where to draw, if it is given.
    width, height : float
        What the layout needs [points].
    title : str
        Stands above, broken into lines.
    """
    if ax is None:
        text = "\n".join(balanced(title, width, TITLE, "bold"))
        top = MARGIN + BELOW_TITLE + 1.25 * TITLE * (text.count("\n") + 1)
        wide, tall = width + 2 * MARGIN, height + top + MARGIN
        figure = Figure(figsize=(wide / 72, tall / 72), facecolor=PAPER)
        FigureCanvasAgg(figure)
        ax = figure.add_axes((MARGIN / wide, MARGIN / tall, width / wide, height / tall), facecolor=PAPER)
        scale, size = 1.0, TITLE
    else:
        scale = scale_in(ax, width, height)
        size = TITLE * max(scale, LEAST_SCALE)
        text = "\n".join(balanced(title, points_wide(ax), size, "bold"))
    ax.set(xlim=(0, points_wide(ax) / scale), ylim=(points_tall(ax) / scale, 0), xticks=[], yticks=[])
    for side in ax.spines.values():
        side.set_visible(False)
    ax.set_title(text, loc="left", fontsize=size, fontweight="bold", color=INK, pad=BELOW_TITLE)
    return Board(ax, scale)


def scale_in(ax: Axes, width: float, height: float) -> float:
    """Return how large a board of some size [points] is drawn in an Axes: 1, or less where there is no room."""
    return min(points_wide(ax) / width, points_tall(ax) / height, 1.0)


@lru_cache(maxsize=10_000)
def measure(text: str, size: float, weight: str = "normal", family: str = "sans-serif") -> float:
    """Return the width of a line of text, as it is drawn at most [points]."""
    font = FontProperties(size=size, weight=weight, family=family)
    return HINTED * float(text_to_path.get_text_width_height_descent(text, font, False)[0])


def widest(texts: Sequence[str], size: float, weight: str = "normal", family: str = "sans-serif") -> float:
    """Return the width of the widest of some lines of text [points]; 0 if there is none."""
    return max((measure(text, size, weight, family) for text in texts), default=0.0)


def wrapped(text: str, width: float, size: float, weight: str = "normal") -> list[str]:
    """Break a text between words into lines of at most some width [points]; a longer word has a line of its own."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and measure(longer, size, weight) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def balanced(text: str, width: float, size: float, weight: str = "normal") -> list[str]:
    """Break a text as `wrapped` does, into as many lines, but of about the same width."""
    lines, narrower = wrapped(text, width, size, weight), measure(text, size, weight)
    narrower /= len(lines)
    while narrower < width and len(wrapped(text, narrower, size, weight)) > len(lines):
        narrower *= 1.04
    return wrapped(text, min(narrower, width), size, weight)


def legend_columns(labels: Sequence[str], width: float) -> tuple[int, float]:
    """Return in how many columns a legend fits into a width [points], and its height [points]."""
    each = widest(labels, SMALL) + 4.2 * SMALL
    columns = max(min(int((width + 2 * SMALL) / each), len(labels)), 1)
    return columns, LEGEND_LINE * -(-len(labels) // columns)


def ink_on(colour: str) -> str:
    """Return the colour of letters that can be read on a ground: white on a dark one, else ink."""
    red, green, blue = to_rgb(colour)
    return PAPER if 0.299 * red + 0.587 * green + 0.114 * blue < 0.56 else INK
