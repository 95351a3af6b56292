"""The staircase: patient by patient, at which dose level, and what became of it.

Everything is read from the records of a trial; nothing is simulated, and nothing is computed beyond arranging.
"""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ..words.records import Trial
from . import style
from .style import (
    BAND,
    BLUE,
    DLT,
    FAINT,
    GREEN,
    GREY,
    INK,
    LATE,
    PAPER,
    SOFT,
    Mark,
    break_lines,
    fit,
    heading,
    legend_below,
    new_axes,
    points_tall,
    points_wide,
    quiet,
)

Row = dict[str, Any]

NO_DLT = Mark("no DLT", "o", BLUE, PAPER, 11, 1.0)
NON_EVALUABLE = Mark("non-evaluable", "s", PAPER, GREY, 9, 1.8)
PENDING = Mark("pending: window open at the end", "o", BLUE, BLUE, 10, 1.4, fill="left")
DASH = Mark("enrolled, not infused", "_", SOFT, SOFT, 9, 1.8, zorder=3)
LATE_INSIDE = Mark(LATE.label, LATE.marker, LATE.face, LATE.edge, 6.5, 1.8, zorder=8)
MARKS = {"no DLT": NO_DLT, "DLT": DLT, "non-evaluable": NON_EVALUABLE, "pending": PENDING, None: DASH}
"""Marks by outcome; the dash is for those who received no cells."""

LEGEND = tuple(mark.label for mark in (NO_DLT, DLT, LATE_INSIDE, NON_EVALUABLE, PENDING, DASH))
LEVEL_POINTS = 38
"""Height of a dose level in a figure of its own [points]."""


@style.figure
def plot_staircase(trial: Trial, *, ax: Axes | None = None) -> Axes:
    """Draw the dose level and the outcome of every patient of one trial, from its records.

    Patients stand in order of enrolment, above their enrolment numbers; one who was enrolled and received no cells
    has a dash. Cohorts are separated, and the committee's decision stands where a cohort ends.

    Parameters
    ----------
    trial : Trial
        The trial.
    ax : Axes, optional
        Where to draw; a new figure of a suitable size where it is left out.

    Returns
    -------
    Axes
        What was drawn on; ``ax.figure`` is its figure, and `escalate.plots.style.save` writes it. The x axis counts
        patients in order of enrolment, the y axis dose levels, both from 1.
    """
    patients = sorted((row for row in trial.patients if row["patient"] is not None), key=lambda row: row["patient"])
    own = ax is None
    ax = new_axes(min(max(4.2 + 0.28 * len(patients), 8.5), 15.0), 5.0) if ax is None else ax
    ax.set_xlim(0.4, max(len(patients), 3) + 0.6)
    cohorts = _cohorts(trial, patients)
    head = _head_points(ax, trial, cohorts)
    levels = len(trial.doses)
    per_level = LEVEL_POINTS if own else max(points_tall(ax) - head, 0.4 * points_tall(ax)) / levels
    ax.set_ylim(0.5, levels + 0.5 + head / per_level)
    quiet(ax)
    _label_axes(ax, trial, len(patients))
    _draw_recommendation(ax, trial)
    _draw_cohorts(ax, cohorts, levels)
    _draw_patients(ax, patients)
    _write_decisions(ax, trial, cohorts, levels)
    around = heading(ax, trial) + legend_below(ax, LEGEND, inches=0.58)
    if own:
        fit(ax, (levels * per_level + head) / 72, around)
    return ax


def _cohorts(trial: Trial, patients: list[Row]) -> list[tuple[Row, int, int]]:
    """Return every cohort with patients, and its first and its last patient."""
    found = []
    for cohort in trial.cohorts:
        numbers = [row["patient"] for row in patients if row["cohort"] == cohort["cohort"]]
        if numbers:
            found.append((cohort, min(numbers), max(numbers)))
    return found


def _crowded(ax: Axes, cohorts: list[tuple[Row, int, int]]) -> bool:
    """Return whether decisions must be written upright, since cohorts are too narrow for the words."""
    low, high = ax.get_xlim()
    narrowest = min((last - first + 1 for _, first, last in cohorts), default=3)
    return narrowest * points_wide(ax) / (high - low) < 62


def _head_points(ax: Axes, trial: Trial, cohorts: list[tuple[Row, int, int]]) -> float:
    """Return the height of the rows above the highest level, which hold cohorts and decisions [points]."""
    if not cohorts:
        return 0.0
    if not len(trial.decisions):
        return 18.0
    return 78.0 if _crowded(ax, cohorts) else 36.0


def _label_axes(ax: Axes, trial: Trial, patients: int) -> None:
    if patients > 40:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        ax.set_xticks(range(1, patients + 1))
    ax.set_xlabel("patient, in order of enrolment", color=SOFT, fontsize=9)
    levels = range(1, len(trial.doses) + 1)
    labels = [break_lines(f"level {level} · {dose}", 30) for level, dose in zip(levels, trial.doses, strict=True)]
    ax.set_yticks(levels, labels=labels)
    for level in levels:
        ax.axhline(level, color=FAINT, linewidth=0.6, zorder=0)
    if not patients:
        ax.text(2, (len(trial.doses) + 1) / 2, "nobody was enrolled", ha="center", va="center", fontsize=10, color=SOFT)


def _draw_recommendation(ax: Axes, trial: Trial) -> None:
    if trial.recommended is None:
        y, text, colour = (len(trial.doses) + 1) / 2, f"no dose recommended: {trial.stop_reason}", INK
    else:
        y, text, colour = float(trial.recommended), "◀ recommended", GREEN
        ax.axhspan(y - 0.5, y + 0.5, facecolor=GREEN, alpha=0.16, edgecolor="none", zorder=-0.5, gid="recommended")
    ax.annotate(
        break_lines(text, 22),
        (1, y),
        (8, 0),
        xycoords=ax.get_yaxis_transform(),
        textcoords="offset points",
        va="center",
        fontsize=10,
        fontweight="bold",
        color=colour,
        annotation_clip=False,
    )


def _draw_cohorts(ax: Axes, cohorts: list[tuple[Row, int, int]], levels: int) -> None:
    for position, (cohort, first, last) in enumerate(cohorts):
        colour = PAPER if position % 2 else BAND
        name = f"cohort {cohort['cohort']}"
        ax.axvspan(first - 0.5, last + 0.5, facecolor=colour, edgecolor="none", zorder=-1, gid=name)
        ax.axvline(last + 0.5, color=FAINT, linewidth=0.8, zorder=0)


def _draw_patients(ax: Axes, patients: list[Row]) -> None:
    numbers, levels = [row["patient"] for row in patients], [row["level"] for row in patients]
    if patients:
        ax.step(numbers, levels, where="mid", color=GREY, linewidth=1.4, zorder=1, label="_staircase")
    for outcome, mark in MARKS.items():
        here = [row for row in patients if row["outcome"] == outcome]
        mark.draw(ax, [row["patient"] for row in here], [row["level"] for row in here])
    late = [row for row in patients if row["dlt_day"] is not None and row["outcome"] != "DLT"]
    LATE_INSIDE.draw(ax, [row["patient"] for row in late], [row["level"] for row in late])


def _write_decisions(ax: Axes, trial: Trial, cohorts: list[tuple[Row, int, int]], levels: int) -> None:
    """Write the number of every cohort above it, and the decision above its end."""
    if not cohorts:
        return
    top, upright = ax.get_ylim()[1], _crowded(ax, cohorts)
    decisions = {row["cohort"]: row["action"] for row in trial.decisions}
    rows: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 9, "annotation_clip": False}
    for cohort, first, last in cohorts:
        name = "expansion" if cohort["purpose"] == "expansion" and not upright else str(cohort["cohort"])
        ax.annotate(name, ((first + last) / 2, top), (0, -4), va="top", color=INK, fontweight="bold", **rows)
        if cohort["cohort"] in decisions:
            where, turned = (last + 0.5, top), 90 if upright else 0
            behind = {"facecolor": PAPER, "edgecolor": FAINT, "linewidth": 0.6, "boxstyle": "round,pad=0.2"}
            text = decisions[cohort["cohort"]]
            ax.annotate(text, where, (0, -20), va="top", color=INK, rotation=turned, bbox=behind, zorder=6, **rows)
    rows |= {"xycoords": ax.transAxes, "ha": "right", "va": "top", "color": SOFT}
    ax.annotate("cohort", (0, 1), (-7, -4), **rows)
    if decisions:
        ax.annotate("decision", (0, 1), (-7, -20), **rows)
