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
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.dates import DAILY, MONTHLY, YEARLY, AutoDateLocator, date2num, num2date
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import Formatter

from ..cautions import Caution, caution_brief, cautions
from ..errors import OutputError
from ..scenario.designs import rule_of
from ..scenario.drivers import drivers
from ..scenario.model import Scenario
from ..words.dose_path import LETTERS
from ..words.records import Trial
from ..words.vocabulary import Say
from .texts import plain_texts

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
PNG_DPI = 320
"""Dots of a picture in a file, to the inch."""


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

    def said(self, say: Say) -> Mark:
        """Return the mark with its label in a vocabulary."""
        return replace(self, label=say(self.label))

    def draw(self, ax: Axes, x: Sequence[float], y: Sequence[float], scale: float = 1.0) -> None:
        """Draw the mark at every point, so much smaller, as one artist; nothing if there is no point."""
        if not x:
            return
        ax.plot(
            x,
            y,
            label=self.label,
            linestyle="none",
            marker=self.marker,
            markersize=scale * self.size,
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


def calendar_axis(ax: Axes, start_date: date | None = None) -> None:
    """Write real dates below the x axis, with days since the start date if that is given; and thin lines above."""
    most = min(max(int(points_wide(ax) / (40 if start_date is None else 52)), 2), 13)
    least = max(min(4, most // 2), 1) if start_date is None else most // 2
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


def verdict(trial: Trial) -> str:
    """Return what the trial recommends, in words; where it recommends nothing, also why."""
    if trial.recommended is None:
        return f"No dose recommended: {trial.stop_reason}"
    return f"Recommended: {trial.recommended_dose} (level {trial.recommended})"


def small_print(trial: Trial) -> list[str]:
    """Return the lines below the verdict: dose path with the meaning of its letters, title, dates, seed."""
    found = [f"{letter} = {words}".replace(" ", NBSP) for letter, words in LETTERS.items() if letter in trial.dose_path]
    path = f"Dose path {trial.dose_path}   (dose level, then {', '.join(found)})"
    end = trial.date_of(trial.duration_days)
    dates = f"{trial.start_date} to {end} ({trial.duration_days} days)"
    why = [] if trial.recommended is None else [f"Escalation ended: {trial.stop_reason}"]
    which = f"rule {rule_of(trial)} · {dates} · simulated trial: {trial.which}"
    driven = [drivers(trial.scenario)] if isinstance(trial.scenario, Scenario) else []
    return [path if found else trial.scenario.say("Nobody was infused"), *why, trial.title, *driven, which]


DATES = ("sources",)
"""Keys whose cautions bear on figures of dates: the others are about doses."""


def caution_words(of: Scenario | Mapping[Caution, str], about: Collection[str] | None = None) -> list[str]:
    """Return cautions as one line of small print; none where there is nothing to say.

    Parameters
    ----------
    of : Scenario, or dict of Caution to str
        What is drawn; or its cautions, with what each is of.
    about : collection of str, optional
        Keys whose cautions bear on the figure; all where it is not given.
    """
    found = dict.fromkeys(cautions(of), "") if isinstance(of, Scenario) else of
    return caution_brief({one: whose for one, whose in found.items() if about is None or one.key in about})


KINDS = ("svg", "png", "pdf")
"""Formats of files."""


def image(drawn: Axes | Figure | SubFigure, kind: str) -> bytes:
    """Return a figure as the contents of a file; the same trial gives the same bytes, always.

    Parameters
    ----------
    drawn : Axes or Figure
        What a plot function returned, or its figure.
    kind : {"svg", "png", "pdf"}
        Format of the file. Texts stay texts in SVG and PDF.

    Raises
    ------
    OutputError
        If `kind` is another one.
    """
    if kind not in KINDS:
        raise OutputError(f"figures are written as svg, png or pdf, not as {kind!r}")
    figure = drawn.get_figure(root=True) if isinstance(drawn, Axes | SubFigure) else drawn
    assert figure is not None
    contents = io.BytesIO()
    with plain_texts(), matplotlib.rc_context({"svg.hashsalt": "escalate"}):
        figure.savefig(contents, format=kind, dpi=PNG_DPI, metadata=_NOTHING[kind])
    return contents.getvalue()


_NOTHING: dict[str, Any] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""What a file says of its making: nothing, so that it is the same whenever it is made."""


def document(drawn: Sequence[Axes]) -> bytes:
    """Return figures as the contents of one PDF, each a page; the same figures give the same bytes, always.

    Parameters
    ----------
    drawn : sequence of Axes
        What plot functions returned, in the order of the pages.
    """
    from matplotlib.backends.backend_pdf import PdfPages

    contents = io.BytesIO()
    with plain_texts(), PdfPages(contents, metadata=_NOTHING["pdf"]) as file:
        for ax in drawn:
            file.savefig(ax.get_figure(root=True))
    return contents.getvalue()


def save(drawn: Axes | Figure | SubFigure, path: Path | str) -> None:
    """Write a figure to a file; the same trial gives the same bytes, always.

    Parameters
    ----------
    drawn : Axes or Figure
        What a plot function returned, or its figure.
    path : path or str
        Name of the file; its ending, ``.svg``, ``.png`` or ``.pdf``, is the format.

    Raises
    ------
    OutputError
        If the name ends in something else.
    """
    Path(path).write_bytes(image(drawn, Path(path).suffix.lower().lstrip(".")))
