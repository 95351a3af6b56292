"""What the figures have in common: colours, marks, headings, legends, the calendar axis, and files.

The colours follow those of Okabe and Ito, which colour-blind readers can tell apart; whatever has a colour also has a
shape, a hatch or a height of its own, so that a black-and-white copy says the same.

References
----------
Okabe M, Ito K. Color universal design: how to make figures and presentations that are friendly to colorblind people.
2008. https://jfly.uni-koeln.de/color/
"""

from __future__ import annotations

import io
import itertools
import math
import re
import textwrap
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from typing import Any, Literal, ParamSpec

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import DAILY, MONTHLY, YEARLY, AutoDateLocator, date2num, num2date
from matplotlib.figure import Figure, SubFigure
from matplotlib.text import Text
from matplotlib.ticker import Formatter
from matplotlib.transforms import ScaledTranslation

from ..cautions import cautions
from ..errors import OutputError
from ..scenario.model import Scenario
from ..words.dose_path import LETTERS
from ..words.records import Trial

INK = "#1F2328"
GREY = "#8C959F"
SOFT = "#59636E"
FAINT = "#C3CAD1"
BAND = "#F3F4F6"
PAPER = "#FFFFFF"
SKY = "#3D96D2"
PALE_SKY = "#BFDDF3"
BLUE = "#0072B2"
ORANGE = "#F2B233"
GREEN = "#009E73"
VERMILLION = "#C84A00"
PURPLE = "#A3507F"

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NBSP = "\N{NO-BREAK SPACE}"
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
    fill: Literal["full", "left"] = "full"

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


DLT = Mark("DLT", "X", VERMILLION, PAPER, 14, 1.2, zorder=9)
LATE = Mark("late toxicity (not counted)", "D", PAPER, VERMILLION, 7.5, 2.0, zorder=8)
NOT_INFUSED = Mark("not infused", "o", PAPER, INK, 7, 1.6, zorder=6)


class Dates(Formatter):
    """Concise dates on an axis: days, months or years as the ticks need, the year where it begins or changes."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the date of one position."""
        return _date(x).isoformat()

    def format_ticks(self, values: Any) -> list[str]:
        """Return one label for each tick."""
        dates = [_date(value) for value in values]
        gap = min(((b - a).days for a, b in itertools.pairwise(dates)), default=1)
        if gap > 360:
            return [str(day.year) for day in dates]
        labels = []
        for position, day in enumerate(dates):
            text = MONTHS[day.month - 1] if gap > 27 else f"{day.day} {MONTHS[day.month - 1]}"
            new_year = position == 0 or day.year != dates[position - 1].year
            labels.append(f"{text}\n{day.year if new_year else ' '}")
        return labels


class DatesAndDays(Dates):
    """Concise dates on an axis, and below each how many days it is after the trial's start date.

    Parameters
    ----------
    start_date : date
        Day 0.
    """

    def __init__(self, start_date: date) -> None:
        self._start_date = start_date

    def format_ticks(self, values: Any) -> list[str]:
        """Return one label for each tick."""
        days = [(_date(value) - self._start_date).days for value in values]
        labels = zip(super().format_ticks(values), days, strict=True)
        return [f"{text}\nday {day}" if day >= 0 else "" for text, day in labels]


def day_number(day: date) -> float:
    """Return a date as Matplotlib's axes count days."""
    return float(date2num(day))  # type: ignore[no-untyped-call]


def _date(number: float) -> date:
    moment: datetime = num2date(number)  # type: ignore[no-untyped-call]
    return moment.date()


P = ParamSpec("P")
PLAIN: Any = {"text.parse_math": False, "text.usetex": False}
"""Texts are people's own: a dollar is a dollar, and nothing in them is a formula."""


@contextmanager
def letters_without_a_font() -> Iterator[None]:
    """Say in one line which letters no font here can draw, instead of in a library's warning for each."""
    with warnings.catch_warnings(record=True) as found:
        warnings.filterwarnings("always", message="Glyph ")
        yield
    letters = set()
    for told in found:
        number = re.match(r"Glyph (\d+) ", str(told.message))
        if number:
            letters.add(chr(int(number[1])))
        else:
            warnings.warn_explicit(told.message, told.category, told.filename, told.lineno)
    if letters - UNDRAWN:
        UNDRAWN.update(letters)
        shown = " ".join(sorted(letters)[:MOST_LETTERS]) + " ..." * (len(letters) > MOST_LETTERS)
        warnings.warn(
            f"the figures' font lacks {shown}: a box stands for each; texts and tables have them", stacklevel=4
        )


UNDRAWN: set[str] = set()
"""Letters of which it was said already."""

MOST_LETTERS = 20
"""So many of them are shown."""


def figure(plot: Callable[P, Axes]) -> Callable[P, Axes]:
    """Make a function one that draws a figure (a decorator): every text in it stands as it was written."""

    @wraps(plot)
    def drawn(*given: P.args, **options: P.kwargs) -> Axes:
        with matplotlib.rc_context(PLAIN), letters_without_a_font():
            ax = plot(*given, **options)
        for text in ax.findobj(Text):  # of an Axes that was given some are older
            assert isinstance(text, Text)
            text.set_parse_math(False)
        return ax

    return drawn


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


def fit(ax: Axes, body: float, around: float) -> None:
    """Give a figure of its own the height that its parts need, and lay it out for good.

    Parameters
    ----------
    ax : Axes
        The figure's only Axes.
    body : float
        Height of the Axes [inches].
    around : float
        Height of heading and legend [points], as `heading` and `legend_below` return them.
    """
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.set_size_inches(figure.get_figwidth(), body + around / 72)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    figure.set_layout_engine("none")


def calendar_axis(ax: Axes, start_date: date | None = None) -> None:
    """Write real dates below the x axis, with days since the start date if that is given; and thin lines above."""
    most = 13 if start_date is None else min(max(int(points_wide(ax) / 52), 3), 13)
    least = 4 if start_date is None else most // 2
    locator = AutoDateLocator(minticks=least, maxticks=most)  # type: ignore[no-untyped-call]
    locator.intervald |= {YEARLY: [1, 2, 5, 10, 20, 50], MONTHLY: [1, 2, 3, 6, 12, 24], DAILY: [1, 2, 3, 7, 14, 28]}
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(Dates() if start_date is None else DatesAndDays(start_date))
    ax.grid(visible=True, axis="x", color=FAINT, linewidth=0.5, linestyle="-", zorder=0)


def trials_words(trials: int, seed: int, of_each: bool = False) -> str:
    """Return how many trials a figure rests on, in words; `of_each` scenario, where there are several."""
    return f"{trials:,} simulated trial{'s' * (trials > 1)}{' of each' * of_each}, seed {seed}"


def percent_axis(axis: Axis, label: str) -> None:
    """Write an axis of probabilities in percent, from 0 to 100."""
    axis.set_ticks([0, 0.25, 0.5, 0.75, 1], labels=["0%", "25%", "50%", "75%", "100%"])
    axis.set_label_text(label, color=SOFT, fontsize=9)


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


def points_tall(ax: Axes) -> float:
    """Return the height of an Axes [points]."""
    return float(ax.bbox.height) * 72 / ax.figure.dpi


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
    return break_lines(text, max(int(points_wide(ax) / (0.58 * size)), 20))


def break_lines(text: str, letters: int) -> str:
    """Break a text between words into lines of at most so many letters; a longer word has a line of its own."""
    return textwrap.fill(text, letters, break_long_words=False, break_on_hyphens=False)


def verdict(trial: Trial) -> str:
    """Return what the trial recommends, in words; where it recommends nothing, also why."""
    if trial.recommended is None:
        return f"No dose recommended: {trial.stop_reason}"
    return f"Recommended: {trial.recommended_dose} (level {trial.recommended})"


def small_print(trial: Trial) -> list[str]:
    """Return the lines below the verdict: dose path with the meaning of its letters, title, dates, seed."""
    found = [f"{letter} = {words}".replace(" ", NBSP) for letter, words in LETTERS.items() if letter in trial.dose_path]
    path = f"Dose path {trial.dose_path}   (dose level, then {', '.join(found)})" if found else "Nobody was infused"
    end = trial.date_of(trial.duration_days)
    dates = f"{trial.start_date} to {end} ({trial.duration_days} days)"
    why = [] if trial.recommended is None else [f"Escalation ended: {trial.stop_reason}"]
    which = f"{trial.rule} rule · {dates} · simulated trial: {trial.which}"
    return [path, *why, trial.title, which]


def heading(ax: Axes, trial: Trial, *more: str) -> float:
    """Write above an Axes what the trial came to (large) and which trial it is (small).

    Parameters
    ----------
    ax : Axes
        Where.
    trial : Trial
        Gives the words.
    *more : str
        More lines of small print.

    Returns
    -------
    float
        Height of what was written [points].
    """
    return headline(ax, verdict(trial), (*small_print(trial), *more))


DATES = ("sources",)
"""Keys whose cautions bear on figures of dates: the others are about doses."""


def caution_words(scenario: Scenario, about: Collection[str] | None = None) -> list[str]:
    """Return the cautions of a scenario as one line of small print; none where there is nothing to say.

    Parameters
    ----------
    scenario : Scenario
        What is drawn.
    about : collection of str, optional
        Keys whose cautions bear on the figure; all where it is not given.
    """
    told = [caution.brief for caution in cautions(scenario) if about is None or caution.key in about]
    return [f"Caution: {'; '.join(told)}"] if told else []


def headline(ax: Axes, words: str, small: Sequence[str]) -> float:
    """Write above an Axes a line of large letters, and lines of small print below it; return their height [points]."""
    large, small_text = wrap(ax, words, 13), "\n".join(wrap(ax, part, 9) for part in small)
    written = ax.annotate(
        small_text,
        (0, 1),
        (0, 8),
        xycoords="axes fraction",
        textcoords="offset points",
        va="bottom",
        fontsize=9,
        color=SOFT,
        linespacing=1.3,
        annotation_clip=False,
    )
    figure = ax.get_figure(root=True)
    assert figure is not None
    small_height = 8 + written.get_window_extent().height * 72 / figure.dpi
    ax.set_title(large, loc="left", fontsize=13, fontweight="bold", color=INK, pad=small_height + 6)
    return small_height + 6 + 16 * (large.count("\n") + 1)


def legend_below(
    ax: Axes,
    order: Sequence[str],
    handles: Mapping[str, Artist] | None = None,
    inches: float = 0.48,
    wide: float = 150.0,
) -> float:
    """Put the legend below an Axes: what was drawn, and nothing else.

    Parameters
    ----------
    ax : Axes
        Where.
    order : sequence of str
        Labels in the order in which they are listed; whatever has another label is left out.
    handles : mapping of str to Artist, optional
        What stands beside a label, where it is not what was drawn.
    inches : float
        Space for the labels of the x axis [inches].
    wide : float
        Width of the widest label, with its handle and the space before the next [points].

    Returns
    -------
    float
        Height of legend and x axis [points].
    """
    found = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    labels = [label for label in order if label in found]
    if not labels:
        return inches * 72
    figure = ax.get_figure(root=True)
    assert figure is not None
    rows = math.ceil(len(labels) / max(int(points_wide(ax) / wide), 1))
    ax.legend(
        [(handles or {}).get(label, found[label]) for label in labels],
        labels,
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=ax.transAxes + ScaledTranslation(0, -inches, figure.dpi_scale_trans),
        ncols=math.ceil(len(labels) / rows),
        fontsize=9,
        labelcolor=INK,
        frameon=False,
        borderaxespad=0,
        borderpad=0,
        handlelength=2.0,
        handleheight=1.0,
        columnspacing=2.0,
        labelspacing=0.55,
    )
    return inches * 72 + 15.5 * rows


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
    with matplotlib.rc_context({"svg.hashsalt": "escalate", "svg.fonttype": "path", **PLAIN}), letters_without_a_font():
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
