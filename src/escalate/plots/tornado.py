"""The tornado: what each assumption changes, one at a time, the largest effect on top."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from ..errors import EscalateError
from ..results.estimates import Estimate
from ..studies.sensitivities import Sensitivity, measure_words
from . import style
from .style import BLUE, DATES, FAINT, GREY, INK, ORANGE, PAPER, SOFT, caution_words, headline, new_axes, quiet

HALF = 0.36
"""Height of a bar; the row of an assumption is 1 high."""

ENDS = {"low": (ORANGE, "", -0.19), "high": (BLUE, "////", 0.19)}
"""Colour, hatch and place in its row of the bar of each end."""


@style.figure
def plot_tornado(found: Sensitivity, *, measure: str = "duration", ax: Axes | None = None) -> Axes:
    """Draw what each assumption changes between both ends of its range, the one with the largest effect on top.

    A bar goes from the base case to what the measure is at one end of the range; the end's value stands beside it, and
    a thin line covers the 95 % Monte Carlo interval of the difference.

    Parameters
    ----------
    found : Sensitivity
        As `escalate.sensitivity` returns it.
    measure : str
        ``"recommended"``, ``"duration"`` or ``"finished by planned completion date"``.
    ax : Axes, optional
        Where to draw; a new figure of a suitable size where it is left out.

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
    ax = new_axes(9.0, 1.9 + 0.46 * len(swings)) if ax is None else ax
    scale = 1 if base.unit == "days" else 100
    for row, swing in enumerate(swings):
        _bar(ax, row, "low", swing.at_low, swing.low, scale)
        _bar(ax, row, "high", swing.at_high, swing.high, scale)
    ax.axvline(0, color=INK, linewidth=1.0, zorder=4)
    ax.set_ylim(len(swings) - 0.4, -0.6)
    ax.set_yticks(range(len(swings)), [swing.key for swing in swings])
    ax.margins(x=0.14)
    quiet(ax)
    ax.grid(visible=True, axis="x", color=FAINT, linewidth=0.5, zorder=0)
    ax.set_xlabel("change [days]" if base.unit == "days" else "change [percentage points]", color=SOFT, fontsize=9)
    handles = [Patch(facecolor=ENDS[end][0], hatch=ENDS[end][1], edgecolor=PAPER, label=f"{end} end") for end in ENDS]
    ax.legend(
        handles=handles,
        loc="upper right",
        bbox_to_anchor=(1, -0.02),
        ncols=2,
        fontsize=9,
        labelcolor=INK,
        frameon=False,
    )
    about = found.scenario.trial
    small = (
        about.title_and_id,
        f"One assumption at a time, from the base case to both ends of its range · {found.trials:,} trials at "
        f"each end, of the same patients, seed {found.seed} · thin lines: 95 % Monte Carlo intervals",
        *caution_words(found.cautions, None if base.level is not None else DATES),
    )
    headline(ax, measure_words(found, base), small)
    return ax


def _bar(ax: Axes, row: int, end: str, change: Estimate, value: str, scale: float) -> None:
    """Draw what an end of a range changes, with the end's value beside it."""
    colour, hatch, offset = ENDS[end]
    x, y = scale * change.estimate, row + offset
    ax.barh(y, x, height=HALF, color=colour, hatch=hatch, edgecolor=PAPER, linewidth=0, zorder=3, gid=f"{row} {end}")
    ends = [x] if change.low is None or change.high is None else [scale * change.low, scale * change.high, x]
    if len(ends) > 1:
        ax.plot([min(ends), max(ends)], [y, y], color=INK, linewidth=1.0, zorder=5)
    right = x > 0 or (x == 0 and end == "high")
    ax.annotate(
        value if change.mc_se or x else f"{value}: none",
        (max(*ends, 0) if right else min(*ends, 0), y),
        (4 if right else -4, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center_baseline",
        fontsize=7.5,
        color=INK if change.mc_se or x else GREY,
        annotation_clip=False,
    )
