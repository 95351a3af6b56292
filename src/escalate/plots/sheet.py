"""The sheet that a figure is drawn on: how large, where everything has its place, and how it is seen.

A figure of its own is as large as its parts need, for a page, a slide or a screen. In a cell of somebody's grid the
parts share what the cell has, and whatever would overlap or be cut is refused, with the size that it needs. A figure
shows itself in a notebook, once.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from typing import Any, Literal, ParamSpec

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox, BboxBase, ScaledTranslation

from ..errors import CallError, EscalateError
from ..words.asked import asks, described
from .picture import Drawn, new_picture, offer
from .style import INK, PAPER, SOFT, points_tall, points_wide
from .texts import balanced, families_for, plain_texts, silence, tell_undrawn, undrawn, widest, wrapped

Size = Literal["a4", "slide", "screen"]

WIDTHS: dict[str, float | None] = {"a4": 6.3, "slide": 10.0, "screen": None}
"""Widths of figures for a page with margins, for a slide, and as wide as suits each [inches]."""

PAGES = {"a4": ("an A4 page", 6.3, 9.7), "slide": ("a slide", 12.3, 6.5)}
"""What holds a figure, with its width and height inside the margins [inches]."""

LARGE, SMALL = 13.0, 9.0
"""Sizes of a heading and of the small print [points]."""

PAD, GAP, EDGE = 9.0, 8.0, 16.0
"""Empty space around a figure, and between its parts; room for half a date at the end of an axis [points]."""

AT_FIRST = (0.02, 0.1, 0.96, 0.8)
"""Where the Axes are before the labels around them are known: as wide as ever, so that they have no fewer lines."""

LEAST = 60.0
"""What is drawn on is so wide and so high at least [points]."""

LEGIBLE = 6.0
"""Letters on somebody's Axes are not smaller [points]."""

_SIZE: ContextVar[str] = ContextVar("size", default="screen")


@contextmanager
def figures_for(size: str) -> Iterator[None]:
    """Draw figures for a page, a slide or a screen, unless one is asked for another: a key of `WIDTHS`."""
    token = _SIZE.set(_checked(size))
    try:
        yield
    finally:
        _SIZE.reset(token)


def kinds() -> tuple[str, ...]:
    """Return the formats in which a figure is written: for a page and a slide a PDF, too."""
    return ("png", "svg") if _SIZE.get() == "screen" else ("png", "svg", "pdf")


def _checked(size: str) -> str:
    if size not in WIDTHS:
        raise EscalateError(f"size: a figure is for {', '.join(WIDTHS)}, not for {size!r}")
    return size


# What was asked for


@dataclass(frozen=True, slots=True)
class Asked:
    """How a figure is wanted.

    Parameters
    ----------
    ax : Axes or None
        Where to draw; a figure of its own where it is not given.
    size : {"a4", "slide", "screen"} or None
        For what; as `figures_for` says where it is not given.
    title, legend : bool
        Whether heading and small print, and whether the legend are wanted.
    leaf : int or None
        Which page of a figure that no page holds, from 1; the whole figure where it is not given.
    """

    ax: Axes | None
    size: str | None
    title: bool
    legend: bool
    leaf: int | None = None

    @property
    def page(self) -> str:
        """For what the figure is."""
        return _SIZE.get() if self.size is None else _checked(self.size)

    def inches(self, on_screen: float) -> float:
        """Return the width of a figure of its own, which is so wide on a screen [inches]."""
        return WIDTHS[self.page] or on_screen


P = ParamSpec("P")


class NoRoomError(Exception):
    """Somebody's Axes are too small."""


def figure(*kinds: type) -> Callable[[Callable[P, Axes]], Callable[P, Axes]]:
    """Return what makes a function of a result of some kinds one that draws a figure (a decorator).

    It is drawn with the fonts that its letters need, and nothing cut; what is no such result is refused.
    """
    return lambda plot: asks(*kinds)(_figure(plot))


def _figure(plot: Callable[P, Axes]) -> Callable[P, Axes]:
    has_pages = "page" in signature(plot).parameters

    @wraps(plot)
    def drawn(*given: P.args, **options: P.kwargs) -> Axes:
        ax = options.get("ax")
        draw: Callable[..., Axes] = plot
        if not isinstance(ax, Axes | None):
            raise CallError(f"ax is one Axes of Matplotlib, as plt.subplots() makes it, got {described(ax)}")
        if isinstance(ax, Axes):
            return _on_given(draw, given, options, ax)
        with plain_texts():
            done = _with_fonts(lambda: draw(*given, **options))
        own = done.get_figure(root=True)
        assert own is not None
        what, size = plot.__name__.removeprefix("plot_").replace("_", " "), str(options.get("size") or _SIZE.get())
        _say_if_too_large(own, size, what, has_pages, isinstance(options.get("page"), int))
        offer(own)
        return done

    return drawn


def _with_fonts(draw: Callable[[], Axes], wipe: Callable[[], None] = lambda: None) -> Axes:
    """Draw; and again with more fonts, if letters are missing that another one has."""
    ax = draw()
    missing = undrawn(seen(ax))
    families = families_for(missing) if missing else ()
    if families:
        wipe()
        with plain_texts(families):
            for text in (ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label):  # type: ignore[attr-defined]
                text.set_fontfamily([*text.get_fontfamily(), *families])
            for axis in ("x", "y"):
                ax.tick_params(axis=axis, labelfontfamily=[*ax.title.get_fontfamily()])
            ax = draw()
        missing = undrawn(seen(ax))
    if missing:
        tell_undrawn(missing)
    _without_formulas(ax)
    return ax


def _without_formulas(ax: Axes) -> None:
    for text in ax.findobj(Text):
        assert isinstance(text, Text)
        text.set_parse_math(False)


def _on_given(draw: Callable[..., Axes], given: Any, options: Any, ax: Axes) -> Axes:
    """Draw on somebody's Axes, or raise what size they must have."""
    before = set(ax.get_children())
    _without_formulas(ax)  # its title and labels are older than what is written

    def wipe() -> None:
        for child in set(ax.get_children()) - before:
            child.remove()
        ax.set_title("", loc="left")

    try:
        with plain_texts():
            done = _with_fonts(lambda: draw(*given, **options), wipe)
            wrong = faults(done)
    except NoRoomError:
        wrong = ["there is no room for what is drawn"]
    silence()  # the figure is somebody else's, and is drawn later
    if wrong:
        wipe()
        raise EscalateError(_too_small(draw, given, options, ax, wrong[0]))
    return done


def _too_small(draw: Callable[..., Axes], given: Any, options: Any, ax: Axes, why: str) -> str:
    with plain_texts():
        own = draw(*given, **{**options, "ax": None}).get_figure(root=True)
    assert own is not None
    wide, tall = own.get_size_inches()
    cell = cell_of(ax) or ax.get_window_extent()
    here = f"{cell.width / ax.figure.dpi:.1f} x {cell.height / ax.figure.dpi:.1f}"
    return (
        f"ax: the figure does not fit into {here} inches ({why}); in {wide:.1f} x {tall:.1f} inches there is room: "
        "make the figure of the grid larger (figsize), or draw with title=False, legend=False, or without ax"
    )


def _say_if_too_large(own: Figure, size: str, what: str, has_pages: bool, is_page: bool) -> None:
    if size not in PAGES:
        return
    name, wide, tall = PAGES[size]
    width, height = own.get_size_inches()
    if is_page and width > 1.01 * wide:
        wide, tall = max(wide, tall), min(wide, tall)  # a page may lie on its side
    if width > 1.01 * wide or height > 1.01 * tall:
        share = min(wide / width, tall / height)
        warnings.warn(
            f"the figure ({what}) is {width:.1f} x {height:.1f} inches, and {name} holds {wide} x {tall}: printed to "
            f"fit, its type is {8 * share:.1f} points at the least"
            + "; page=1 draws the first of its pages"
            * (has_pages and not is_page),
            stacklevel=3,
        )


# What is seen


def seen(ax: Axes) -> list[Text]:
    """Return every text of an Axes that is seen: words, labels, titles, legend."""
    legend = ax.get_legend()
    found: list[Text] = [*ax.texts, ax.xaxis.label, ax.yaxis.label]
    found += [ax.title, ax._left_title, ax._right_title]  # type: ignore[attr-defined]
    found += [] if legend is None else [*legend.get_texts(), legend.get_title()]
    for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        labels = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=False)
        found += [label for place, label in labels if min(low, high) <= place <= max(low, high)]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def faults(ax: Axes) -> list[str]:
    """Return what a reader would stumble over: texts that overlap, are cut or too small to read; none at best."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # a legend has no place before
    dot = figure.dpi / 72
    boxes = [(one is ax, text, text.get_window_extent()) for one in figure.axes for text in seen(one)]
    boxes += [(False, text, text.get_window_extent()) for text in figure.texts if text.get_text().strip()]
    room, wrong = figure.bbox.padded(dot), []
    for number, (ours, text, box) in enumerate(boxes):
        name = " ".join(text.get_text().split())[:40]
        whole = box.x0 >= room.x0 and box.x1 <= room.x1 and box.y0 >= room.y0 and box.y1 <= room.y1
        if ours and not whole:
            wrong.append(f"{name!r} is cut")
        points = float(text.get_fontsize())
        if ours and points < LEGIBLE:
            wrong.append(f"{name!r} is {points:.1f} points high")
        inner = box.padded(-0.5 * dot)
        for of_ours, other, second in boxes[:number]:
            if (ours or of_ours) and inner.overlaps(second.padded(-0.5 * dot)):
                wrong.append(f"{name!r} overlaps {' '.join(other.get_text().split())[:40]!r}")
    return wrong


# The sheet


def cell_of(ax: Axes) -> Bbox | None:
    """Return the part of a figure's grid that an Axes may fill, up to half way to its neighbours [dots].

    None where somebody gave the Axes their place.
    """
    spec = ax.get_subplotspec()
    if spec is None:
        return None
    grid, room = spec.get_gridspec(), ax.figure.bbox
    bottoms, tops, lefts, rights = grid.get_grid_positions(ax.figure)  # type: ignore[arg-type]
    whole = spec.get_topmost_subplotspec() is spec  # a grid in a cell of another one has no margins of its own
    x_ends, y_ends = ((0.0, 1.0), (1.0, 0.0)) if whole else ((lefts[0], rights[-1]), (tops[0], bottoms[-1]))
    across = [x_ends[0], *((a + b) / 2 for a, b in zip(rights[:-1], lefts[1:], strict=True)), x_ends[1]]
    down = [y_ends[0], *((a + b) / 2 for a, b in zip(bottoms[:-1], tops[1:], strict=True)), y_ends[1]]
    x0, x1 = across[spec.colspan.start], across[spec.colspan.stop]
    y0, y1 = down[spec.rowspan.stop], down[spec.rowspan.start]
    return Bbox.from_extents(
        room.x0 + x0 * room.width, room.y0 + y0 * room.height, room.x0 + x1 * room.width, room.y0 + y1 * room.height
    )


class Sheet:
    """Where a figure with axes is drawn: open it, draw, `finish` it, and write what needs the final width.

    Parameters
    ----------
    asked : Asked
        How the figure is wanted.
    width : float
        Of a figure of its own, on a screen [inches].
    least : float
        Width that it must have for its words [inches], even where the page is narrower.
    """

    def __init__(self, asked: Asked, width: float, least: float = 0.0) -> None:
        self.asked = asked
        self.own = asked.ax is None
        if asked.ax is None:
            figure = new_picture(max(asked.inches(width), least), 6.0)
            self.ax: Axes = figure.add_axes(AT_FIRST, axes_class=Drawn, facecolor=PAPER)
            self.cell: BboxBase | None = figure.bbox
        else:
            self.ax, self.cell = asked.ax, cell_of(asked.ax)
            if self.cell is not None:
                self._place(self.cell.padded(-PAD * self._root.dpi / 72))

    @property
    def wide(self) -> float:
        """Width of everything, labels and all [points]."""
        if self.cell is None:
            return points_wide(self.ax)
        return float(self.cell.width) * 72 / self.ax.figure.dpi - 2 * PAD

    @property
    def tall(self) -> float:
        """Height of everything, on somebody's Axes [points]."""
        if self.cell is None:
            return points_tall(self.ax)
        return float(self.cell.height) * 72 / self.ax.figure.dpi - 2 * PAD

    def finish(
        self,
        words: str,
        small: Sequence[str],
        body: float,
        order: Sequence[str] = (),
        handles: Mapping[str, Artist] | None = None,
        notes: Sequence[str] = (),
        title: str = "",
        edge: float = 0.0,
    ) -> None:
        """Write heading, legend and notes around what was drawn, and give everything its place for good.

        Parameters
        ----------
        words : str
            What was found: the heading.
        small : sequence of str
            The small print below it.
        body : float
            Height of what is drawn on, in a figure of its own [points].
        order : sequence of str
            What stands in the legend, in this order, as far as it was drawn.
        handles : mapping of str to Artist, optional
            What stands beside a label, where it is not what was drawn.
        notes : sequence of str
            What stands below, before the legend.
        title : str
            Of the legend.
        edge : float
            Room at the right for half a label of the x axis, at least [points].
        """
        left, bottom, right, top = self._overhang()
        right, top = max(right, edge), max(top, 0.7 * SMALL)
        heading, above, below = None, top, bottom
        if self.asked.title:
            heading, above = self._heading(words, small, left, top)
        if notes:
            text = "\n".join(line for note in notes for line in wrapped(note, self.wide, SMALL))
            below += GAP + _tall(self._note(text, (-left, -below - GAP), "top"))
        if self.asked.legend:
            below += self._legend(order, handles, title, left, below)
        self._settle(left, below, right, above, body)
        if heading is not None:
            heading.set_x(-left / points_wide(self.ax))

    def _overhang(self) -> tuple[float, float, float, float]:
        """Return how far the labels stand out on each side: left, bottom, right, top [points]."""
        outer, inner, dot = self.ax.get_tightbbox(), self.ax.bbox, self.ax.figure.dpi / 72
        assert outer is not None
        sides = (inner.x0 - outer.x0, inner.y0 - outer.y0, outer.x1 - inner.x1, outer.y1 - inner.y1)
        left, bottom, right, top = (max(side / dot, 0.0) for side in sides)
        return left, bottom, right, top

    def _heading(self, words: str, small: Sequence[str], left: float, top: float) -> tuple[Text, float]:
        """Write the heading and the small print; return the heading, whose place is a share of the width, and the
        height of all that stands above [points]."""
        text = "\n".join(line for part in small for line in wrapped(part, self.wide, SMALL))
        above = top + GAP
        if text:
            above += _tall(self._note(text, (-left, above), "bottom", top=True)) + 6
        large = "\n".join(balanced(words, self.wide, LARGE, "bold"))
        title = self.ax.set_title(large, loc="left", fontsize=LARGE, fontweight="bold", color=INK, pad=above)
        return title, above + _tall(title)

    def _note(self, text: str, offset: tuple[float, float], va: str, top: bool = False) -> Annotation:
        return self.ax.annotate(
            text, (0, 1 if top else 0), offset, xycoords="axes fraction", textcoords="offset points", va=va,
            fontsize=SMALL, color=SOFT, linespacing=1.3, annotation_clip=False,
        )  # fmt: skip

    def _legend(
        self, order: Sequence[str], handles: Mapping[str, Artist] | None, title: str, left: float, below: float
    ) -> float:
        """Put the legend below: what was drawn, and nothing else; return its height with the space above."""
        found = dict(zip(*reversed(self.ax.get_legend_handles_labels()), strict=True))
        shown = {label: (handles or {}).get(label, found[label]) for label in order if label in found}
        if not shown:
            return 0.0
        labels = ["\n".join(wrapped(label, self.wide - 40, SMALL)) for label in shown]
        each = widest([line for label in labels for line in label.split("\n")], SMALL) + 44
        rows = math.ceil(len(labels) / max(int((self.wide + 18) / each), 1))
        across = -left / 72, -(below + GAP) / 72
        legend = self.ax.legend(
            list(shown.values()), labels, title=title or None, title_fontsize=SMALL, alignment="left", loc="upper left",
            bbox_to_anchor=(0, 0), ncols=math.ceil(len(labels) / rows), fontsize=SMALL, labelcolor=INK, frameon=False,
            bbox_transform=self.ax.transAxes + ScaledTranslation(*across, self._root.dpi_scale_trans),
            borderaxespad=0, borderpad=0, handlelength=2.0, handleheight=1.0, columnspacing=2.0, labelspacing=0.55,
        )  # fmt: skip
        return GAP + float(legend.get_window_extent().height) * 72 / self._root.dpi

    @property
    def _root(self) -> Figure:
        figure = self.ax.get_figure(root=True)
        assert figure is not None
        return figure

    def _settle(self, left: float, below: float, right: float, above: float, body: float) -> None:
        """Give the figure of its own its height, and the Axes their place in the figure or in their cell."""
        if self.cell is None:
            return
        figure, dot = self._root, self._root.dpi / 72
        if self.own:
            figure.set_figheight((body + below + above + 2 * PAD) / 72)
        cell = self.cell.padded(-PAD * dot)
        x0, y0, x1, y1 = cell.x0 + left * dot, cell.y0 + below * dot, cell.x1 - right * dot, cell.y1 - above * dot
        if not self.own and min(x1 - x0, y1 - y0) < LEAST * dot:
            raise NoRoomError
        self._place(Bbox.from_extents(x0, y0, x1, y1))

    def _place(self, inner: BboxBase) -> None:
        """Put the Axes where they are to be [dots]."""
        room = self.ax.figure.bbox  # a part of a figure counts from its own corner
        corner = (inner.x0 - room.x0) / room.width, (inner.y0 - room.y0) / room.height
        self.ax.set_position((*corner, inner.width / room.width, inner.height / room.height))


def _tall(text: Text) -> float:
    """Return the height of a text [points]."""
    figure = text.get_figure(root=True)
    assert figure is not None
    return float(text.get_window_extent().height) * 72 / figure.dpi
