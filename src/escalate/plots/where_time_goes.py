"""Where the time of a trial goes: mean days for each thing it waits for, which add up to its mean duration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from ..errors import CallError, EscalateError
from ..results.answer import longest_wait
from ..results.chance import in_units
from ..results.estimates import Characteristics, Estimate
from ..results.outcomes import NOT_REACHED
from ..results.timeline import WAITS, waits_of
from ..scenario.drivers import drivers
from ..words.asked import described
from ..words.tables import GATES
from . import sheet
from .beside import TEXT, make_room
from .sheet import EDGE, Asked, Sheet, Size
from .style import (
    DATES,
    FAINT,
    GREY,
    INK,
    ORANGE,
    PALE_SKY,
    PAPER,
    PURPLE,
    SKY,
    SOFT,
    caution_words,
    quiet,
    trials_words,
)
from .texts import widest, wrapped

MEAN = "mean duration"

COLOURS = {
    MEAN: FAINT,
    "patients": GREY,
    **dict.fromkeys(GATES, SOFT),
    "lymphodepletion": ORANGE,
    "DLT windows": SKY,
    "committee": PURPLE,
    "follow-up": PALE_SKY,
}
"""As in the timeline of one trial, where it shows them."""

ROW = 19.0
"""Height of a row [points]."""

BAR, BETWEEN = 0.72, 0.7
"""Height of a bar, and of the empty space between scenarios [rows]."""


@sheet.figure(Characteristics, Mapping)
def plot_where_time_goes(
    found: Characteristics | Mapping[str, Characteristics],
    *,
    ax: Axes | None = None,
    size: Size | None = None,
    title: bool = True,
    legend: bool = True,
) -> Axes:
    """Draw what a trial waits for, in mean days, from many simulated trials.

    Each bar begins where the one above it ends, so that together they are as long as the mean duration, the first bar.
    Beside each stand its days with their Monte Carlo standard error and its share of the duration.

    Parameters
    ----------
    found : Characteristics, or mapping of str to Characteristics
        As `escalate.characteristics` returns them; several, with a label each, are drawn below each other.
    ax : Axes, optional
        Where to draw; a new figure that is tall enough where it is left out.
    size : {"a4", "slide", "screen"}, optional
        What a figure of its own is for, which decides its width; for a screen unless `figures_for` says else.
    title, legend : bool
        Whether heading and small print, and whether the legend are drawn.

    Returns
    -------
    Axes
        What was drawn on. The x axis has days, the y axis rows from the top.

    Raises
    ------
    EscalateError
        If the mapping is empty.
    """
    several = {"": found} if isinstance(found, Characteristics) else dict(found)
    for label, one in several.items():
        if not isinstance(one, Characteristics):
            said = f"plot_where_time_goes takes Characteristics by their labels, got {described(one)} as {label!r}"
            raise CallError(said)
    if not several:
        raise EscalateError('nothing to draw: give characteristics, or a label for each of them: {"base case": ...}')
    page = Sheet(Asked(ax, size, title, legend), 9.5)
    ax = page.ax
    quiet(ax)
    ax.grid(visible=True, axis="x", color=FAINT, linewidth=0.5, zorder=0)
    ax.set_xlabel("mean days: each bar begins where the one above it ends", color=SOFT, fontsize=9)
    y, numbers, labels = 0.0, [], {}
    for label, one in several.items():
        if label:
            lines = wrapped(label, 0.5 * page.wide, TEXT, "bold")
            y += _write_head(ax, y, lines)
        for name, start, estimate in _bars(one):
            numbers.append(_draw_bar(ax, y, f"{label}|{name}", name, start, estimate, one.get("duration")))
            labels[y] = name
            y += 1
        y += BETWEEN
    rows = y - BETWEEN
    ax.set_ylim(rows - 0.4, -0.6)
    ax.set_yticks(list(labels), list(labels.values()))
    notes = _meanings(several) if legend else []
    page.finish(_finding(several), _small_print(several), ROW * rows, notes=notes, edge=EDGE)
    _write_numbers(ax, numbers)
    return ax


def _bars(found: Characteristics) -> list[tuple[str, float, Estimate]]:
    """Return name, beginning and estimate of each bar: the mean duration, then what it consists of."""
    bars, start = [(MEAN, 0.0, found.get("duration"))], 0.0
    for name in waits_of(found.tally.scenario):
        if name == "lymphodepletion" and not found.tally.scenario.lymphodepletes:
            continue
        bars.append((name, start, found.get(name)))
        start += found.get(name).estimate
    return bars


def _write_head(ax: Axes, y: float, lines: list[str]) -> float:
    """Write the label of a scenario above its bars; return how many rows it takes."""
    rows = 1 + 0.65 * (len(lines) - 1)
    middle = y + (rows - 1) / 2
    style: dict[str, Any] = {"va": "center_baseline", "fontsize": TEXT, "fontweight": "bold", "color": INK}
    at = (0, middle)
    text = "\n".join(lines)
    ax.annotate(text, at, (0, -2), xycoords=ax.get_yaxis_transform(), textcoords="offset points", **style)
    return rows


def _draw_bar(
    ax: Axes, y: float, gid: str, name: str, start: float, estimate: Estimate, duration: Estimate
) -> tuple[float, float, str]:
    """Draw a bar with its interval; return where its numbers belong, and the numbers."""
    look: dict[str, Any] = {"color": COLOURS[name], "edgecolor": INK, "linewidth": 0.4}
    ax.barh(y, estimate.estimate, left=start, height=BAR, zorder=2, gid=gid, **look)
    end = start + estimate.estimate
    if estimate.low is not None and estimate.high is not None and estimate.mc_se:
        ends = [start + estimate.low, start + estimate.high]
        ax.plot(ends, [y, y], color=INK, linewidth=1.4, solid_capstyle="butt", zorder=4, gid=f"interval|{gid}")
        end = max(ends)
    share = estimate.estimate / duration.estimate if duration.estimate else 0.0
    return end, y, in_units(estimate, "days") + ("" if name == MEAN else f" · {share:.0%}")


def _write_numbers(ax: Axes, notes: list[tuple[float, float, str]]) -> None:
    ax.set_xlim(0, max([1.0, *(x for x, _, _ in notes)]))
    for x, _, text in notes:
        make_room(ax, x, widest([text], TEXT) + 10)
    for x, y, text in notes:
        style: dict[str, Any] = {"va": "center_baseline", "fontsize": TEXT, "color": INK, "zorder": 5}
        ground = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.8}
        ax.annotate(text, (x, y), (5, 0), textcoords="offset points", bbox=ground, **style)


def _finding(several: Mapping[str, Characteristics]) -> str:
    if len(several) > 1:
        return f"Where the time goes, in {len(several)} scenarios"
    return f"Where the time goes: most of all {longest_wait(next(iter(several.values())))}"


def _small_print(several: Mapping[str, Characteristics]) -> list[str]:
    tallies = {label: found.tally for label, found in several.items()}
    titles = dict.fromkeys(counted.scenario.trial.title_and_id for counted in tallies.values())
    made = dict.fromkeys(trials_words(t.trials, t.seed, of_each=len(several) > 1) for t in tallies.values())
    lines = [*titles, f"{' / '.join(made)} · ± Monte Carlo standard error, thin lines 95% intervals"]
    for label, counted in tallies.items():
        lines.append(drivers(counted.scenario, label))
        cut = counted.values["milestone: trial ended"][NOT_REACHED]
        if cut:
            words = f"{cut:,} trials were" if cut > 1 else "1 trial was"
            of = f"{label}: " if label else ""
            lines.append(f"{of}{words} cut off on day {counted.scenario.trial.max_days} (trial.max_days)")
        lines += [f"{f'{label}: ' if label else ''}{words}" for words in caution_words(counted.scenario, DATES)]
    return lines


def _meanings(several: Mapping[str, Characteristics]) -> list[str]:
    """Return what each wait means."""
    names = {name for found in several.values() for name, _, _ in _bars(found)}
    say = next(iter(several.values())).tally.scenario.say
    return [f"{name}: {say(meaning)}" for name, meaning in WAITS.items() if name in names]
