"""When each of several scenarios has finished: P(finished by the date), one curve over the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from matplotlib.axes import Axes

from ..results.chance import in_percent
from ..results.estimates import finished_by
from ..scenario.differences import changes_words
from ..scenario.drivers import drivers
from ..studies.medians import MEDIAN
from ..studies.variants import Variants
from . import sheet
from .beside import write_beside
from .sheet import EDGE, Asked, Sheet, Size
from .style import (
    BLUE,
    DATES,
    FAINT,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PAPER,
    PURPLE,
    SKY,
    VERMILLION,
    calendar_axis,
    caution_words,
    day_number,
    percent_axis,
    quiet,
    trials_words,
)

BODY = 260.0
"""Height of the Axes [points]."""

COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, SKY, GREY)
STROKES = ("--", "-.", ":", (0, (6, 1.5, 1, 1.5, 1, 1.5)))
"""Whoever sees no colours tells the curves by their strokes: no two of 24 have both in common."""

MOST_TOLD = 5
"""So many scenarios have a line of small print."""

FEW, LONG = 3, 30
"""So many scenarios are told in the title one by one, and so many letters of a label."""

PLANNED = "finished by planned completion date"


@sheet.figure(Variants)
def plot_finish(
    found: Variants, *, ax: Axes | None = None, size: Size | None = None, title: bool = True, legend: bool = True
) -> Axes:
    """Draw P(finished by the date), date by date, of several scenarios over each other.

    Parameters
    ----------
    found : Variants
        As `escalate.compare` returns them.
    ax : Axes, optional
        Where to draw; a new figure of a suitable size where it is left out.
    size : {"a4", "slide", "screen"}, optional
        What a figure of its own is for, which decides its width; for a screen unless `figures_for` says else.
    title, legend : bool
        Whether heading and small print, and whether the legend are drawn.

    Returns
    -------
    Axes
        What was drawn on. A curve's value at a date includes that day, and counts all trials: those that
        ``trial.max_days`` cut off never finish. A dot is the median, a shade the 95% Monte Carlo interval.
    """
    page = Sheet(Asked(ax, size, title, legend), 9.5)
    ax = page.ax
    starts = [one.trial.start_date for one in found.scenarios.values()]
    zero, last = day_number(min(starts)), max(_last_day(found, label) for label in found.labels)
    ax.set_xlim(zero, max(zero + 1.02 * (last - zero), zero + 1))
    ax.set_ylim(0, 1.02)
    quiet(ax)
    calendar_axis(ax, starts[0] if len(set(starts)) == 1 else None)
    percent_axis(ax.yaxis, "P(finished by the date)")
    ax.grid(visible=True, axis="y", color=FAINT, linewidth=0.5, zorder=0)
    names = [_draw_curve(ax, found, label, number, last) for number, label in enumerate(found.labels)]
    page.finish(_finding(found), _small_print(found), BODY, names, edge=EDGE)
    calendar_axis(ax, starts[0] if len(set(starts)) == 1 else None)
    _mark_planned(ax, found)
    return ax


def _last_day(found: Variants, label: str) -> float:
    """Return up to which day the curve of a scenario tells something, as Matplotlib counts days."""
    about = found.scenarios[label].trial
    days = [day for day, _ in finished_by(found.tallies[label])]
    if found.characteristics[label].get("trial ended: reached").estimate < 1:
        days.append(about.max_days)
    ends = [about.start_date + timedelta(days=max(days))]
    return max(day_number(end) for end in (*ends, about.planned_completion_date) if end is not None)


def _draw_curve(ax: Axes, found: Variants, label: str, number: int, last: float) -> str:
    """Draw the curve of a scenario, to the end of the axis; return its name in the legend."""
    start, curve = found.scenarios[label].trial.start_date, finished_by(found.tallies[label])
    zero = day_number(start)
    x = [zero, *(zero + day for day, _ in curve), last + 0.02 * (last - zero)]
    middle, low, high = (
        [0.0, *row, row[-1] if row else 0.0]
        for row in zip(*((e.estimate, e.low or 0.0, e.high or 0.0) for _, e in curve), strict=True)
    ) if curve else ([0.0, 0.0],) * 3  # fmt: skip
    colour = INK if number == 0 else COLOURS[(number - 1) % len(COLOURS)]
    stroke = "-" if number == 0 else STROKES[(number - 1 + (number - 1) // 12) % len(STROKES)]
    name = _name(found, label)
    ax.fill_between(x, low, high, step="post", facecolor=colour, edgecolor="none", alpha=0.15, zorder=2)
    line: dict[str, Any] = {"color": colour, "linestyle": stroke, "linewidth": 1.7, "zorder": 3}
    ax.step(x, middle, where="post", label=name, gid=f"curve|{label}", **line)
    if any(row.measure == MEDIAN.name for row in found.rows if row.rule == label):
        day = found.get(MEDIAN.name, scenario=label).estimate
        dot: dict[str, Any] = {"marker": "o", "markersize": 6, "markeredgecolor": PAPER, "zorder": 5}
        ax.plot(zero + day, 0.5, color=colour, gid=f"median|{label}", **dot)
    return name


def _name(found: Variants, label: str) -> str:
    """Return what a curve is called in the legend: its label, and P(finished) by the date that is planned."""
    planned = found.scenarios[label].trial.planned_completion_date
    words = label if planned is None else f"{label}: {in_percent(found.get(PLANNED, scenario=label))} by {planned}"
    return f" {words}" if words.startswith("_") else words  # Matplotlib leaves such names out of a legend


def _finding(found: Variants) -> str:
    """Return what the curves say: P(finished) as planned where all have one date, otherwise the medians."""
    dates = {one.trial.planned_completion_date for one in found.scenarios.values()}
    if len(dates) == 1 and None not in dates:
        shares = {label: found.get(PLANNED, scenario=label) for label in found.labels}
        words = {label: in_percent(share) for label, share in shares.items()}
        order = sorted(shares, key=lambda label: shares[label].estimate)
        return f"Finished by the planned completion date, {next(iter(dates))}: {_each(words, order)}"
    halves = {label: _half(found, label) for label in found.labels}
    known = {label: day for label, day in halves.items() if day is not None}
    if not known:
        return "When does the trial end? More than half of the trials are not finished"
    words = {label: f"{day}" for label, day in known.items()}
    order = sorted(known, key=lambda label: known[label])
    return f"When does the trial end? Half of the trials by: {_each(words, order)}"


def _each(words: Mapping[str, str], order: Sequence[str]) -> str:
    """Return what is said of each scenario, or, of many, of the first and the last in an order."""
    named = {label: label if len(label) <= LONG else f"{label[: LONG - 3]}..." for label in words}
    if len(words) > FEW:
        first, last = order[0], order[-1]
        return f"from {words[first]} ({named[first]}) to {words[last]} ({named[last]})"
    return ", ".join(f"{named[label]} {told}" for label, told in words.items())


def _half(found: Variants, label: str) -> date | None:
    rows = [row for row in found.rows if (row.rule, row.measure) == (label, MEDIAN.name)]
    start = found.scenarios[label].trial.start_date
    return start + timedelta(days=round(rows[0].estimate)) if rows else None


def _small_print(found: Variants) -> list[str]:
    first = found.labels[0]
    lines = [found.scenario.trial.title_and_id, drivers(found.scenario, first)]
    lines += [f"{label}: {changes_words(found.changes[label], first)}" for label in found.labels[1 : MOST_TOLD + 1]]
    more = len(found.labels) - 1 - MOST_TOLD
    lines += [f"and {more} more scenario{'s' * (more > 1)}"] if more > 0 else []
    many = trials_words(found.trials, found.seed, of_each=True)
    lines.append(f"{many}; dots: medians; shades: 95% Monte Carlo intervals")
    return lines + caution_words(found.cautions, DATES)


def _mark_planned(ax: Axes, found: Variants) -> None:
    """Draw each date that is planned once, with its words; the legend says whose it is."""
    planned = {one.trial.planned_completion_date for one in found.scenarios.values()} - {None}
    for number, day in enumerate(sorted(day for day in planned if day is not None)):
        x = day_number(day)
        ax.axvline(x, color=PURPLE, linewidth=1.4, linestyle=(0, (4, 2)), zorder=2.5, gid="planned completion")
        low, high = ax.get_xlim()
        at = (x, 0.02 + 0.14 * (number % 6))
        write_beside(ax, at, ["planned completion", str(day)], PURPLE, va="bottom", left=x > (low + high) / 2)
