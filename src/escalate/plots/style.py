"""What the figures have in common: colours, marks, headings, legends, the calendar axis, and files.

The colours are those of Okabe and Ito, which colour-blind readers can tell apart; whatever has a colour also has a
shape, a hatch or a height of its own, so that a black-and-white copy says the same.

References
----------
Okabe M, Ito K. Color universal design: how to make figures and presentations that are friendly to colorblind people.
2008. https://jfly.uni-koeln.de/color/
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, num2date
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import Formatter
from matplotlib.transforms import ScaledTranslation

from ..errors import OutputError
from ..records import Trial

INK = "#1F2328"
SOFT = "#59636E"
FAINT = "#C3CAD1"
BAND = "#F3F4F6"
PAPER = "#FFFFFF"
SKY = "#56B4E9"
PALE_SKY = "#BFE0F5"
BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
VERMILLION = "#D55E00"
PURPLE = "#A3507F"

LETTERS = {"N": "no DLT", "T": "DLT", "X": "non-evaluable", "P": "pending"}
"""What the letters of a dose path mean."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PNG_DPI = 160


@dataclass(frozen=True, slots=True)
class Mark:
    """How something that happens on one day is drawn.

    Parameters
    ----------
    label : str
        Its words in the legend.
    marker : str
        Matplotlib's marker.
    face, edge : str
        Colours.
    size : float
        Size of the marker [points].
    edge_width : float
        Width of its outline [points].
    zorder : float
        Higher is drawn later, on top.
    fill : str
        Matplotlib's fill style.
    """

    label: str
    marker: str
    face: str
    edge: str
    size: float
    edge_width: float = 1.0
    zorder: float = 5.0
    fill: Any = "full"

    def draw(self, ax: Axes, x: Sequence[float], y: Sequence[float]) -> None:
        """Draw the mark at every point, as one artist; nothing if there is no point."""
        if not x:
            return
        ax.plot(
            x,
            y,
            label=self.label,
            linestyle="none",
            marker=self.marker,
            markersize=self.size,
            markerfacecolor=self.face,
            markerfacecoloralt=PAPER,
            markeredgecolor=self.edge,
            markeredgewidth=self.edge_width,
            fillstyle=self.fill,
            zorder=self.zorder,
        )


DLT = Mark("DLT", "X", VERMILLION, PAPER, 15, 1.3, zorder=9)
LATE = Mark("late toxicity (not counted)", "D", PAPER, VERMILLION, 7.5, 2.0, zorder=8)
NOT_INFUSED = Mark("not infused", "o", PAPER, INK, 7, 1.6, zorder=6)


class Dates(Formatter):
    """Concise dates on an axis: days, months or years as the ticks need, the year where it begins or changes."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return num2date(x).date().isoformat()

    def format_ticks(self, values: Any) -> list[str]:
        """Return one label for each tick."""
        dates = [num2date(value).date() for value in values]
        gap = min((float(b) - float(a) for a, b in zip(values[:-1], values[1:], strict=True)), default=1.0)
        if gap > 360:
            return [str(day.year) for day in dates]
        labels = []
        for position, day in enumerate(dates):
            text = MONTHS[day.month - 1] if gap > 27 else f"{day.day} {MONTHS[day.month - 1]}"
            new_year = position == 0 or day.year != dates[position - 1].year
            labels.append(f"{text}\n{day.year}" if new_year else text)
        return labels


def new_axes(width: float, height: float) -> Axes:
    """Return the Axes of a new figure of its own.

    Parameters
    ----------
    width, height : float
        Size of the figure [inches].
    """
    figure = Figure(figsize=(width, height), layout="constrained", facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure.add_subplot(facecolor=PAPER)


def calendar_axis(ax: Axes) -> None:
    """Write real dates below the x axis, and thin lines above them."""
    ax.xaxis.set_major_locator(AutoDateLocator(minticks=4, maxticks=13))
    ax.xaxis.set_major_formatter(Dates())
    ax.grid(visible=True, axis="x", color=FAINT, linewidth=0.5, linestyle="-", zorder=0)


def quiet(ax: Axes) -> None:
    """Take away what carries no information: the frame, the ticks' strokes, the y axis' line."""
    ax.set_axisbelow(True)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(SOFT)
    ax.tick_params(axis="x", length=3, color=SOFT, labelcolor=INK, labelsize=9)
    ax.tick_params(axis="y", length=0, labelcolor=INK, labelsize=9)


def points_wide(ax: Axes) -> float:
    """Return the width of an Axes [points]."""
    return float(ax.bbox.width) * 72 / ax.figure.dpi


def wrap(ax: Axes, text: str, size: float) -> str:
    """Break a text into lines that fit above an Axes.

    Parameters
    ----------
    ax : Axes
        Gives the width.
    text : str
        Words, separated by spaces.
    size : float
        Size of the letters [points].
    """
    return "\n".join(textwrap.wrap(text, max(int(points_wide(ax) / (0.58 * size)), 20), break_long_words=False))


def verdict(trial: Trial) -> str:
    """Return what the trial recommends, and why it ended, in words."""
    if trial.recommended is None:
        return f"No dose recommended: {trial.stop_reason}"
    return f"Recommended: {trial.recommended_dose} (level {trial.recommended}); {trial.stop_reason}"


def path_words(trial: Trial) -> str:
    """Return the dose path with the meaning of its letters, or that nobody was infused."""
    if not trial.dose_path:
        return "Nobody was infused"
    found = [f"{letter} = {words}" for letter, words in LETTERS.items() if letter in trial.dose_path]
    return f"Dose path {trial.dose_path}   (dose level, then {', '.join(found)})"


def heading(ax: Axes, trial: Trial, more: str = "") -> None:
    """Write above an Axes what the trial came to (large) and which trial it is (small).

    Parameters
    ----------
    ax : Axes
        Where.
    trial : Trial
        Gives the words.
    more : str
        More for the small print.
    """
    end = trial.date_of(trial.duration_days)
    which = f"{trial.rule} rule · {trial.start_date} to {end} ({trial.duration_days} days) · "
    which += f"simulated trial: seed {trial.seed}, replicate {trial.replicate}"
    small = "\n".join(wrap(ax, part, 9) for part in (path_words(trial), trial.title, which, more) if part)
    ax.annotate(
        small,
        (0, 1),
        (0, 8),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="left",
        va="bottom",
        fontsize=9,
        color=SOFT,
        linespacing=1.3,
        annotation_clip=False,
    )
    lines = small.count("\n") + 1
    ax.set_title(
        wrap(ax, verdict(trial), 13),
        loc="left",
        fontsize=13,
        fontweight="bold",
        color=INK,
        pad=8 + lines * 9 * 1.3 * 1.17 + 3,
    )


def legend_below(ax: Axes, order: Sequence[str], inches: float = 0.48) -> None:
    """Put the legend below an Axes: what was drawn, and nothing else.

    Parameters
    ----------
    ax : Axes
        Where.
    order : sequence of str
        Labels in the order in which they are listed; whatever has another label is left out.
    inches : float
        Space for the labels of the x axis [inches].
    """
    found = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    labels = [label for label in order if label in found]
    if not labels:
        return
    figure = ax.get_figure(root=True)
    assert figure is not None
    below = ax.transAxes + ScaledTranslation(0, -inches, figure.dpi_scale_trans)
    rows = math.ceil(len(labels) / max(int(points_wide(ax) / 150), 1))
    ax.legend(
        [found[label] for label in labels],
        labels,
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=below,
        ncols=math.ceil(len(labels) / rows),
        fontsize=9,
        labelcolor=INK,
        frameon=False,
        borderaxespad=0,
        borderpad=0,
        handlelength=1.8,
        handleheight=1.1,
        columnspacing=1.8,
    )


def image(drawn: Axes | Figure | SubFigure, kind: str) -> bytes:
    """Return a figure as the contents of a file; the same trial gives the same bytes, always.

    Parameters
    ----------
    drawn : Axes or Figure
        What a plot function returned, or its figure.
    kind : {"svg", "png"}
        Format of the file.

    Raises
    ------
    OutputError
        If `kind` is another one.
    """
    if kind not in ("svg", "png"):
        raise OutputError(f"figures are written as svg or png, not as {kind!r}")
    figure = drawn.get_figure(root=True) if isinstance(drawn, Axes | SubFigure) else drawn
    assert figure is not None
    nothing: dict[str, Any] = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
    contents = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "escalate", "svg.fonttype": "path"}):
        figure.savefig(contents, format=kind, dpi=PNG_DPI, bbox_inches="tight", metadata=nothing[kind])
    return contents.getvalue()


def save(drawn: Axes | Figure | SubFigure, path: Path | str) -> None:
    """Write a figure to a file; the same trial gives the same bytes, always.

    Parameters
    ----------
    drawn : Axes or Figure
        What a plot function returned, or its figure.
    path : path or str
        Name of the file; its ending, ``.svg`` or ``.png``, is the format.

    Raises
    ------
    OutputError
        If the name ends in something else.
    """
    Path(path).write_bytes(image(drawn, Path(path).suffix.lower().lstrip(".")))
