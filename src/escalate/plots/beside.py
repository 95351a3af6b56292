"""Words beside a place in a figure, and room for them; the line of the planned completion."""

from __future__ import annotations

from datetime import timedelta
from weakref import WeakKeyDictionary

from matplotlib.axes import Axes

from ..scenario.model import Scenario
from .style import PAPER, PURPLE, day_number, points_wide
from .texts import widest

TEXT = 9.0
"""Size of the letters [points]."""


_CLAIMS: WeakKeyDictionary[Axes, list[tuple[float, float, float]]] = WeakKeyDictionary()
"""For which places on an Axes room was made already."""


def make_room(ax: Axes, x: float, right: float, left: float = 0.0) -> None:
    """Widen the x axis so that so much fits beside a place on it.

    Parameters
    ----------
    ax : Axes
        Whose axis; with its final width.
    x : float
        The place.
    right, left : float
        What must fit to the right and to the left of it [points]; no more than the Axes are wide.
    """
    claims = _CLAIMS.setdefault(ax, [])
    claims.append((x, right, left))
    for _ in range(len(claims)):  # room for one takes from the others
        for claim in claims:
            _widen(ax, *claim)


def _widen(ax: Axes, x: float, right: float, left: float) -> None:
    wide = points_wide(ax)
    low, high = ax.get_xlim()
    if right < wide:
        high = max(high, low + (x - low) * wide / (wide - right))
    if left < wide:
        low = min(low, high - (high - x) * wide / (wide - left))
    ax.set_xlim(low, high)


def write_beside(
    ax: Axes, at: tuple[float, float], lines: list[str], colour: str, *, va: str, up: float = 0.0, left: bool = False
) -> None:
    """Write lines beside a place, on a ground that hides what passes below, and make room for them.

    Parameters
    ----------
    ax : Axes
        Where; with its final width.
    at : tuple of float
        The place, in data coordinates.
    lines : list of str
        The words.
    colour : str
        Of the letters.
    va : {"top", "center", "bottom"}
        What of the words is as high as the place.
    up : float
        How much higher they stand than it [points].
    left : bool
        Whether they stand to the left of it.
    """
    wide = widest(lines, TEXT) + 16
    make_room(ax, at[0], *((0.0, wide) if left else (wide, 0.0)))
    ax.annotate(
        "\n".join(lines), at, (-8 if left else 8, up), textcoords="offset points", ha="right" if left else "left",
        va=va, fontsize=TEXT, color=colour, linespacing=1.25, zorder=4,
        bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
    )  # fmt: skip


def is_beside(ax: Axes, x: float, lines: list[str], other: float) -> bool:
    """Return whether another place lies where lines would stand to the right of a place, as the axis is now."""
    low, high = ax.get_xlim()
    return x <= other <= x + (widest(lines, TEXT) + 16) * (high - low) / points_wide(ax)


def mark_planned(ax: Axes, scenario: Scenario, more: str, high: bool) -> None:
    """Draw the planned completion of a scenario that has one, with words where a rising curve leaves room for them.

    Parameters
    ----------
    ax : Axes
        Where; its x axis counts days as Matplotlib's dates do.
    scenario : Scenario
        Gives the date.
    more : str
        What is said about it.
    high : bool
        Whether the curve is in its upper half there.
    """
    if scenario.planned_days is None:
        return
    x = day_number(scenario.trial.start_date + timedelta(days=scenario.planned_days))
    ax.axvline(x, color=PURPLE, linewidth=1.6, linestyle="--", zorder=2.5, gid="planned completion")
    date_and_day = f"{scenario.trial.planned_completion_date}, day {scenario.planned_days}"
    bottom, top = ax.get_ylim()
    at = (x, bottom + 0.02 * (top - bottom) if high else top)
    lines = ["planned completion", date_and_day, more]
    write_beside(ax, at, lines, PURPLE, va="bottom" if high else "top", left=not high)
