"""When the trial has finished: with which probability, date by date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from matplotlib.axes import Axes

from ..results.chance import in_percent, quantile_in_words
from ..results.estimates import Characteristics, Estimate, finished_by, otherwise
from ..results.outcomes import NOT_REACHED
from ..scenario.drivers import drivers
from . import sheet
from .beside import is_beside, mark_planned, write_beside
from .sheet import EDGE, Asked, Sheet, Size
from .style import (
    BLUE,
    DATES,
    FAINT,
    INK,
    PALE_SKY,
    PAPER,
    calendar_axis,
    caution_words,
    day_number,
    percent_axis,
    quiet,
    trials_words,
)

CURVE, BAND = "trials that have finished", "95% Monte Carlo interval"

BODY = 245.0
"""Height of the Axes [points]."""

MARKED = {"median": (0.5, "50%"), "90% of the trials": (0.9, "90%")}
"""Quantiles that are marked: the share of the trials, and how the estimates name it."""


@sheet.figure(Characteristics)
def plot_durations(
    found: Characteristics, *, ax: Axes | None = None, size: Size | None = None, title: bool = True, legend: bool = True
) -> Axes:
    """Draw P(finished by the date), date by date, from many simulated trials.

    A trial has finished when its last patient has been followed to the end. The curve counts all trials; those that
    ``trial.max_days`` cut off never finish, so that it stays below 100% if there are any. Median and 90% quantile
    are marked, and the planned completion date with P(finished by it).

    Parameters
    ----------
    found : Characteristics
        As `escalate.characteristics` returns them.
    ax : Axes, optional
        Where to draw; a new figure of a suitable size where it is left out.
    size : {"a4", "slide", "screen"}, optional
        What a figure of its own is for, which decides its width; for a screen unless `figures_for` says else.
    title, legend : bool
        Whether heading and small print, and whether the legend are drawn.

    Returns
    -------
    Axes
        What was drawn on. The x axis counts days as Matplotlib's dates do, the y axis has probabilities; the curve's
        value at a date includes that day.
    """
    page = Sheet(Asked(ax, size, title, legend), 9.5)
    ax = page.ax
    scenario = found.tally.scenario
    zero, curve = day_number(found.tally.start_date), finished_by(found.tally)
    last = max([day for day, _ in curve] + [scenario.planned_days or 0] + [scenario.trial.max_days] * _is_cut(found))
    ax.set_xlim(zero, zero + max(1.02 * last, 1))
    ax.set_ylim(0, 1.12 if _is_cut(found) else 1.02)
    quiet(ax)
    calendar_axis(ax, found.tally.start_date)
    percent_axis(ax.yaxis, "P(finished by the date)")
    ax.grid(visible=True, axis="y", color=FAINT, linewidth=0.5, zorder=0)
    _draw_curve(ax, zero, curve, scenario.trial.max_days if _is_cut(found) else 100 * last)
    page.finish(_finding(found), _small_print(found), BODY, (CURVE, BAND), edge=EDGE)
    calendar_axis(ax, found.tally.start_date)
    _mark_planned(ax, found)
    _mark_quantiles(ax, found, zero)
    _mark_cut_off(ax, found, zero)
    return ax


def _is_cut(found: Characteristics) -> bool:
    return found.get("trial ended: reached").estimate < 1


def _draw_curve(ax: Axes, zero: float, curve: Sequence[tuple[int, Estimate]], end: int) -> None:
    """Draw the curve with its interval as steps, up to a day; a step goes up at the date that it includes."""
    ends = [e for _, e in curve]
    days = [0, *(day for day, _ in curve), end]
    rows = ([e.estimate for e in ends], [e.low or 0.0 for e in ends], [e.high or 0.0 for e in ends])
    middle, low, high = ([0.0, *row, row[-1] if row else 0.0] for row in rows)
    x = [zero + day for day in days]
    ax.fill_between(x, low, high, step="post", facecolor=PALE_SKY, edgecolor="none", zorder=2, label=BAND)
    ax.step(x, middle, where="post", color=BLUE, linewidth=1.6, zorder=3, label=CURVE)


def _finding(found: Characteristics) -> str:
    scenario = found.tally.scenario
    if scenario.planned_days is not None:
        share = in_percent(found.get("finished by planned completion date"))
        return f"Finished by the planned completion date, {scenario.trial.planned_completion_date}: {share}"
    if found.get("trial ended: reached").estimate < 0.5:
        return "When does the trial end? More than half of the trials are not finished"
    day = found.get("duration: 50% quantile").estimate
    return f"When does the trial end? Half of the trials by {_date(found, day)}"


def _small_print(found: Characteristics) -> list[str]:
    counted, about = found.tally, found.tally.scenario.trial
    lines = [
        about.title_and_id,
        f"{trials_words(counted.trials, counted.seed)} · start {about.start_date}",
        drivers(counted.scenario),
    ]
    cut = counted.values["milestone: trial ended"][NOT_REACHED]
    if cut:
        missing = [words for words, (share, _) in MARKED.items() if not _is_known(found, share)]
        unknown = f"; not known: {', '.join(missing)}" if missing else ""
        were = "trial was" if cut == 1 else "trials were"
        lines.append(f"{cut:,} {were} cut off on day {about.max_days} (trial.max_days), not finished{unknown}")
    return lines + caution_words(counted.scenario, DATES)


def _is_known(found: Characteristics, share: float) -> bool:
    """Return whether so many of all trials ended that the quantile lies among them."""
    return found.get("trial ended: reached").estimate >= share


def _date(found: Characteristics, day: float) -> str:
    return (found.tally.start_date + timedelta(days=round(day))).isoformat()


# Marks: once the Axes have their width


def _mark_planned(ax: Axes, found: Characteristics) -> None:
    if found.tally.scenario.planned_days is not None:
        share = found.get("finished by planned completion date")
        mark_planned(ax, found.tally.scenario, f"finished: {in_percent(share)}", high=share.estimate >= 0.5)


def _mark_quantiles(ax: Axes, found: Characteristics, zero: float) -> None:
    planned = found.tally.scenario.planned_days
    for words, (share, name) in MARKED.items():
        if not _is_known(found, share):
            continue
        quantile = found.get(f"duration: {name} quantile")
        at = (zero + quantile.estimate, share)
        ax.plot(*at, marker="o", markersize=7, color=BLUE, markeredgecolor=PAPER, zorder=5, gid=words)
        day = f"day {quantile_in_words(quantile)}"
        lines = [words, f"{_date(found, quantile.estimate)}, {day}"]
        if planned is not None and is_beside(ax, at[0], lines, zero + planned):  # above the curve, off the line
            write_beside(ax, at, lines, INK, va="bottom", up=5, left=True)
        else:
            write_beside(ax, at, lines, INK, va="top", up=-5)


def _mark_cut_off(ax: Axes, found: Characteristics, zero: float) -> None:
    """Write at the end of the curve how many trials never ended."""
    if not _is_cut(found):
        return
    ended, scenario = found.get("trial ended: reached"), found.tally.scenario
    text = f"not finished: {in_percent(otherwise(ended))}"
    write_beside(ax, (zero + scenario.trial.max_days, ended.estimate), [text], INK, va="bottom", up=5, left=True)
