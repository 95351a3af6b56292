"""The tornado: what each assumption changes, one at a time, the largest effect on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from ..errors import EscalateError
from ..results.estimates import Estimate
from ..scenario.drivers import drivers
from ..studies.sensitivities import Sensitivity, Swing, measure_words
from ..words.vocabulary import Say
from . import sheet
from .axis_words import amount, key_words
from .beside import make_room
from .sheet import EDGE, Asked, Sheet, Size
from .style import BLUE, DATES, FAINT, GREY, INK, ORANGE, PAPER, SOFT, caution_words, quiet
from .texts import measure as width_of
from .texts import wrapped

HALF = 0.36
"""Height of a bar; the row of an assumption is 1 high."""

ROW, TEXT, VALUE = 33.0, 9.0, 8.0
"""Height of a row at least, and sizes of its label and of the values at the ends [points]."""

ENDS = {"low": (ORANGE, "", -0.19), "high": (BLUE, "////", 0.19)}
"""Colour, hatch and place in its row of the bar of each end."""


@sheet.figure(Sensitivity)
def plot_tornado(
    found: Sensitivity,
    *,
    measure: str = "duration",
    ax: Axes | None = None,
    size: Size | None = None,
    title: bool = True,
    legend: bool = True,
) -> Axes:
    """Draw what each assumption changes between both ends of its range, the one with the largest effect on top.

    A bar goes from the base case to what the measure is at one end of the range; the end's value stands beside it, and
    a thin line covers the 95% Monte Carlo interval of the difference.

    Parameters
    ----------
    found : Sensitivity
        As `escalate.sensitivity` returns it.
    measure : str
        ``"recommended"``, ``"duration"`` or ``"finished by planned completion date"``.
    ax : Axes, optional
        Where to draw; a new figure of a suitable size where it is left out.
    size : {"a4", "slide", "screen"}, optional
        What a figure of its own is for, which decides its width; for a screen unless `figures_for` says else.
    title, legend : bool
        Whether heading and small print, and whether the legend are drawn.

    Returns
    -------
    Axes
        What was drawn on. The x axis has the change [days, or points of a probability in percent].

    Raises
    ------
    EscalateError
        If there is no such measure; the message lists them.
    """
    measures = [base.measure for base in found.base]
    if measure not in measures:
        raise EscalateError(f"there is no measure {measure!r} here; there are: {', '.join(measures)}")
    base, swings = found.base[measures.index(measure)], found.swings[measures.index(measure)]
    page = Sheet(Asked(ax, size, title, legend), 9.0)
    ax = page.ax
    scale, say = 1 if base.unit == "days" else 100, found.scenario.say
    for row, swing in enumerate(swings):
        _bar(ax, row, "low", swing.at_low, scale)
        _bar(ax, row, "high", swing.at_high, scale)
    ax.axvline(0, color=INK, linewidth=1.0, zorder=4)
    ax.set_ylim(len(swings) - 0.4, -0.6)
    labels = ["\n".join(wrapped(key_words(swing.key, say), min(0.3 * page.wide, 180.0), TEXT)) for swing in swings]
    ax.set_yticks(range(len(swings)), labels)
    quiet(ax)
    ax.grid(visible=True, axis="x", color=FAINT, linewidth=0.5, zorder=0)
    ax.set_xlabel(
        f"change of {_name(base)} [{'days' if base.unit == 'days' else 'percentage points'}]", color=SOFT, fontsize=9
    )
    about = found.scenario.trial
    small: tuple[str, ...] = (
        about.title_and_id,
        f"One assumption at a time, from the base case to both ends of its range · {found.trials:,} trials at "
        f"each end, of the same patients, seed {found.seed} · thin lines: 95% Monte Carlo intervals",
        f"Base case: {drivers(found.scenario)}",
        *caution_words(found.cautions, None if base.level is not None else DATES),
    )
    handles = {
        f"{end} end": Patch(facecolor=face, hatch=hatch, edgecolor=PAPER) for end, (face, hatch, _) in ENDS.items()
    }
    tall = max(ROW, *(11.5 * (label.count("\n") + 1) + 6 for label in labels))
    small = (measure_words(found, base), *small)
    page.finish(_finding(base, swings, say), small, tall * len(swings), list(handles), handles, edge=EDGE)
    _write_values(ax, swings, scale, 0.3 * page.wide)
    return ax


def _name(base: Estimate) -> str:
    """Return a measure in the words of an axis."""
    return (
        "the mean duration" if base.unit == "days" else f"P({base.measure}{f': level {base.level}' * bool(base.level)})"
    )


def _finding(base: Estimate, swings: Sequence[Swing], say: Say) -> str:
    """Return which assumption matters most and how much; none, where what it does may be Monte Carlo error."""
    most, name = swings[0], _name(base)
    if not most.effect or not any(map(_is_sure, (most.across, most.at_low, most.at_high))):
        return f"No assumption changes {name} by more than its Monte Carlo error"
    ends = [replace(base, estimate=base.estimate + change.estimate) for change in (most.at_low, most.at_high)]
    words = " to ".join(amount(end) for end in ends)
    key = key_words(most.key, say)
    return f"{key[0].upper()}{key[1:]} matters most for {name}: {words}"


def _is_sure(change: Estimate) -> bool:
    """Return whether a change is beyond its Monte Carlo error; one that is the same in every trial is."""
    if change.low is None or change.high is None:
        return change.estimate != 0 and change.trials > 1
    return not change.low <= 0 <= change.high


def _bar(ax: Axes, row: int, end: str, change: Estimate, scale: float) -> None:
    """Draw what an end of a range changes."""
    colour, hatch, offset = ENDS[end]
    x, y = scale * change.estimate, row + offset
    ax.barh(y, x, height=HALF, color=colour, hatch=hatch, edgecolor=PAPER, linewidth=0, zorder=3, gid=f"{row} {end}",
            label=f"{end} end")  # fmt: skip
    ends = _reach(change, scale)
    if len(ends) > 1:
        ax.plot([min(ends), max(ends)], [y, y], color=INK, linewidth=1.0, zorder=5)


def _reach(change: Estimate, scale: float) -> list[float]:
    """Return the end of a bar, with those of its interval where it has one."""
    ends = [] if change.low is None or change.high is None else [scale * change.low, scale * change.high]
    return [scale * change.estimate, *ends]


def _write_values(ax: Axes, swings: Sequence[Swing], scale: float, most: float) -> None:
    """Write the value of each end beside its bar, and make room for it."""
    notes = []
    for row, swing in enumerate(swings):
        for end, change, value in (("low", swing.at_low, swing.low), ("high", swing.at_high, swing.high)):
            other = swing.at_high if end == "low" else swing.at_low
            right = change.estimate > 0 or (change.estimate == 0 and (other.estimate < 0 or end == "high"))
            reach = [*_reach(change, scale), 0.0]
            moves = bool(change.mc_se or change.estimate)
            lines = wrapped(value if moves else f"{value}: no change", most, VALUE)
            words = " ".join([lines[0], *["..."] * (len(lines) > 1)])
            notes.append((max(reach) if right else min(reach), row + ENDS[end][2], words, right, moves))
    for x, _, text, right, _ in notes:
        make_room(ax, x, *((width_of(text, VALUE) + 10, 0.0) if right else (0.0, width_of(text, VALUE) + 10)))
    for x, y, text, right, moves in notes:
        ax.annotate(
            text, (x, y), (4 if right else -4, 0), textcoords="offset points", ha="left" if right else "right",
            va="center_baseline", fontsize=VALUE, color=INK if moves else GREY,
        )  # fmt: skip
