"""How many there are by each date: a fan of quantiles over many simulated trials."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ..scenario.drivers import drivers
from ..studies.accruals import COUNTED, MOST_TRIALS, TAILS, Accrual
from ..words.records import IntArray
from . import sheet
from .beside import mark_planned
from .sheet import EDGE, Asked, Sheet, Size
from .style import (
    BLUE,
    FAINT,
    INK,
    PALE_SKY,
    SKY,
    SOFT,
    calendar_axis,
    day_number,
    quiet,
    trials_words,
)

SHARES = (TAILS[0], 0.25, 0.50, 0.75, TAILS[1])
"""Quantiles that are drawn: of the two bands, and of the line between them."""

BODY = 245.0
"""Height of the Axes [points]."""

HALF, MEDIAN = "half of the trials", "median"


@sheet.figure(Accrual)
def plot_accrual_fan(
    found: Accrual,
    *,
    counted: str = "infused",
    ax: Axes | None = None,
    size: Size | None = None,
    title: bool = True,
    legend: bool = True,
) -> Axes:
    """Draw how many patients have been infused by each date, over many simulated trials.

    Bands hold the numbers of 80% and of half of the trials, a line their median; after a trial's end its number
    stays. The planned completion date is marked, and the planned patients, unless candidates are counted; where the cap
    counts evaluable patients, those who are replaced come on top of it.

    Parameters
    ----------
    found : Accrual
        As `escalate.accrual` returns it.
    counted : {"consented", "enrolled", "infused", "evaluable"}
        Who is counted: see `escalate.studies.accruals.COUNTED`.
    ax : Axes, optional
        Where to draw; a new figure of a suitable size where it is left out.
    size : {"a4", "slide", "screen"}, optional
        What a figure of its own is for, which decides its width; for a screen unless `figures_for` says else.
    title, legend : bool
        Whether heading and small print, and whether the legend are drawn.

    Returns
    -------
    Axes
        What was drawn on. The x axis counts days as Matplotlib's dates do, the y axis people by the end of the day.

    Raises
    ------
    EscalateError
        If nobody is counted like that; the message lists who is.
    """
    scenario = found.scenario
    until = max(found.last_day(counted), scenario.planned_days or 0) + 1
    fan = found.quantiles(SHARES, counted, until)
    last = max(_last_change(fan), scenario.planned_days or 0)
    page = Sheet(Asked(ax, size, title, legend), 9.5)
    ax = page.ax
    zero = day_number(scenario.trial.start_date)
    ax.set_xlim(zero, zero + max(1.04 * last, 1))
    ax.set_ylim(0, 1.25 * max(int(fan[-1, -1]), scenario.trial.planned_patients * (counted != "consented"), 1))
    quiet(ax)
    calendar_axis(ax, scenario.trial.start_date)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_ylabel(_counted(found, counted).partition(":")[0], color=SOFT, fontsize=9)
    ax.grid(visible=True, axis="y", color=FAINT, linewidth=0.5, zorder=0)
    _draw_fan(ax, zero, fan)
    if counted != "consented":
        _draw_planned_patients(ax, found)
    small = _small_print(found, counted)
    page.finish(_finding(found, counted, fan), small, BODY, (MEDIAN, HALF, MOST_TRIALS), edge=EDGE)
    calendar_axis(ax, scenario.trial.start_date)
    if scenario.planned_days is not None:
        low, _, middle, _, high = fan[:, scenario.planned_days].tolist()
        words = f"median {middle}, {MOST_TRIALS} {low} to {high}"
        mark_planned(ax, scenario, words, high=low >= 0.4 * ax.get_ylim()[1])
    return ax


def _last_change(fan: IntArray) -> int:
    """Return the last day on which any quantile rises; 0 if none ever does."""
    rises = np.flatnonzero((np.diff(fan, axis=1) > 0).any(axis=0))
    return int(rises[-1]) + 1 if len(rises) else 0


def _draw_fan(ax: Axes, zero: float, fan: IntArray) -> None:
    """Draw the bands and the median as steps, on and on at the level of the last day."""
    x = [*(zero + day for day in range(fan.shape[1])), zero + 100 * fan.shape[1]]
    low, lower, middle, upper, high = ([*row, row[-1]] for row in fan.tolist())
    style: dict[str, Any] = {"step": "post", "edgecolor": "none"}
    ax.fill_between(x, low, high, facecolor=PALE_SKY, zorder=2, label=MOST_TRIALS, **style)
    ax.fill_between(x, lower, upper, facecolor=SKY, zorder=2.1, label=HALF, **style)
    ax.step(x, middle, where="post", color=BLUE, linewidth=2.0, zorder=3, label=MEDIAN)


def _draw_planned_patients(ax: Axes, found: Accrual) -> None:
    about = found.scenario.trial
    ax.axhline(about.planned_patients, color=INK, linewidth=1.0, linestyle=(0, (1, 1.5)), zorder=3.5, gid="planned")
    text = f"planned: {about.planned_patients} {found.scenario.say(about.cap_counts)} patients"
    style: dict[str, Any] = {"va": "bottom", "fontsize": 9, "color": INK, "zorder": 4}
    at = (0, about.planned_patients)
    ax.annotate(text, at, (6, 3), xycoords=ax.get_yaxis_transform(), textcoords="offset points", **style)


def _finding(found: Accrual, counted: str, fan: IntArray) -> str:
    whom, planned = _counted(found, counted).partition(":")[0], found.scenario.planned_days
    if planned is None:
        return f"How many {whom}, by each date?"
    low, _, middle, _, high = fan[:, planned].tolist()
    date = found.scenario.trial.planned_completion_date
    return f"By {date}: {middle} {whom} ({MOST_TRIALS}: {low} to {high})"


def _small_print(found: Accrual, counted: str) -> list[str]:
    about = found.scenario.trial
    made = f"{trials_words(found.trials, found.seed)} · start {about.start_date}"
    lines = [about.title_and_id, made, drivers(found.scenario)]
    return lines + ([_counted(found, counted)] if ":" in COUNTED[counted] else [])


def _counted(found: Accrual, counted: str) -> str:
    """Return who is counted, in words."""
    return found.scenario.say(COUNTED[counted])
