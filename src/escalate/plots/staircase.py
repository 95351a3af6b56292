"""The staircase: patient by patient, at which dose level, and what became of it.

Everything is read from the records of a trial; nothing is simulated, and nothing is computed beyond arranging.
"""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ..words.records import Trial
from . import sheet
from .sheet import Asked, Sheet, Size
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
    points_tall,
    quiet,
    small_print,
    verdict,
)
from .texts import widest, wrapped

Row = dict[str, Any]

NO_DLT = Mark("no DLT", "o", BLUE, PAPER, 11, 1.0)
NON_EVALUABLE = Mark("non-evaluable", "s", PAPER, GREY, 9, 1.8)
PENDING = Mark("pending: window open at the end", "o", BLUE, BLUE, 10, 1.4, fill="left")
DASH = Mark("enrolled, not infused", "_", SOFT, SOFT, 9, 1.8, zorder=3)
LATE_INSIDE = Mark(LATE.label, LATE.marker, LATE.face, LATE.edge, 6.5, 1.8, zorder=8)
MARKS = {"no DLT": NO_DLT, "DLT": DLT, "non-evaluable": NON_EVALUABLE, "pending": PENDING, None: DASH}
"""Marks by outcome; the dash is for those who received no cells."""

LEGEND = tuple(mark.label for mark in (NO_DLT, DLT, LATE_INSIDE, NON_EVALUABLE, PENDING, DASH))
LEVEL, LINE = 38.0, 11.5
"""Heights of a dose level in a figure of its own, at least, and of a line of its label [points]."""

SHARE = 0.55
"""The patients have this share of the width, at least: the rest is for words beside them."""

LEAST_COHORT = 14.0
"""A cohort is so wide at least that its number fits above it [points]."""


@sheet.figure(Trial)
def plot_staircase(
    trial: Trial, *, ax: Axes | None = None, size: Size | None = None, title: bool = True, legend: bool = True
) -> Axes:
    """Draw the dose level and the outcome of every patient of one trial, from its records.

    Patients stand in order of enrolment, above their enrolment numbers; one who was enrolled and received no cells
    has a dash. Cohorts are separated, and the committee's decision stands where a cohort ends.

    Parameters
    ----------
    trial : Trial
        The trial.
    ax : Axes, optional
        Where to draw; a new figure of a suitable size where it is left out.
    size : {"a4", "slide", "screen"}, optional
        What a figure of its own is for, which decides its width; for a screen unless `figures_for` says else.
    title, legend : bool
        Whether heading and small print, and whether the legend are drawn.

    Returns
    -------
    Axes
        What was drawn on; ``ax.figure`` is its figure, and `escalate.plots.style.save` writes it. The x axis counts
        patients in order of enrolment, the y axis dose levels, both from 1.
    """
    patients = sorted((row for row in trial.patients if row["patient"] is not None), key=lambda row: row["patient"])
    cohorts = _cohorts(trial, patients)
    least = LEAST_COHORT * len(patients) / (72 * SHARE * _narrowest(cohorts))
    page = Sheet(Asked(ax, size, title, legend), min(max(4.2 + 0.28 * len(patients), 8.5), 15.0), least)
    ax = page.ax
    ax.set_xlim(0.4, max(len(patients), 3) + 0.6)
    labels = [
        wrapped(f"level {level} · {dose}", min(0.3 * page.wide, 170.0), 9) for level, dose in enumerate(trial.doses, 1)
    ]
    beside = (
        widest([line for label in labels for line in label], 9) + widest(_recommended(page, trial), 10, "bold") + 24
    )
    each = (page.wide - beside) / (max(len(patients), 3) + 0.2)
    upright = _narrowest(cohorts) * each < 62
    head = _head_points(trial, cohorts, upright)
    levels = len(trial.doses)
    quiet(ax)
    tall = _label_axes(ax, labels, len(patients), each)
    _draw_recommendation(page, trial)
    _draw_cohorts(ax, cohorts)
    _draw_patients(ax, trial, patients, min(each / 13, 1.0))
    _write_decisions(ax, trial, cohorts, upright)
    ax.set_ylim(0.5, levels + 0.5 + head / tall)
    page.finish(verdict(trial), small_print(trial), levels * tall + head, list(map(trial.scenario.say, LEGEND)))
    ax.set_ylim(0.5, levels + 0.5 + head * levels / max(points_tall(ax) - head, 0.2 * points_tall(ax)))
    return ax


def _cohorts(trial: Trial, patients: list[Row]) -> list[tuple[Row, int, int]]:
    """Return every cohort with patients, and its first and its last patient."""
    found = []
    for cohort in trial.cohorts:
        numbers = [row["patient"] for row in patients if row["cohort"] == cohort["cohort"]]
        if numbers:
            found.append((cohort, min(numbers), max(numbers)))
    return found


def _narrowest(cohorts: list[tuple[Row, int, int]]) -> int:
    """Return the patients of the smallest cohort."""
    return min((last - first + 1 for _, first, last in cohorts), default=3)


def _head_points(trial: Trial, cohorts: list[tuple[Row, int, int]], upright: bool) -> float:
    """Return the height of the rows above the highest level, which hold cohorts and decisions [points]."""
    if not cohorts:
        return 0.0
    if not len(trial.decisions):
        return 18.0
    return 82.0 if upright else 36.0


def _label_axes(ax: Axes, labels: list[list[str]], patients: int, each: float) -> float:
    """Write what stands at the axes, where a patient is `each` points wide; return the height of a level [points]."""
    if patients > 40 or each < 14:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        ax.set_xticks(range(1, patients + 1))
    ax.set_xlabel("patient, in order of enrolment", color=SOFT, fontsize=9)
    levels = range(1, len(labels) + 1)
    ax.set_yticks(levels, labels=["\n".join(label) for label in labels])
    for level in levels:
        ax.axhline(level, color=FAINT, linewidth=0.6, zorder=0)
    if not patients:
        ax.text(2, (len(labels) + 1) / 2, "nobody was enrolled", ha="center", va="center", fontsize=10, color=SOFT)
    return max(LEVEL, *(LINE * len(label) + 8 for label in labels))


def _recommended(page: Sheet, trial: Trial) -> list[str]:
    """Return the lines that stand beside the recommended level, or why there is none."""
    if trial.recommended is not None:
        return ["◀ recommended"]
    return wrapped(f"no dose recommended: {trial.stop_reason}", min(0.2 * page.wide, 130.0), 10, "bold")


def _draw_recommendation(page: Sheet, trial: Trial) -> None:
    ax = page.ax
    if trial.recommended is None:
        y, colour = (len(trial.doses) + 1) / 2, INK
    else:
        y, colour = float(trial.recommended), GREEN
        ax.axhspan(y - 0.5, y + 0.5, facecolor=GREEN, alpha=0.16, edgecolor="none", zorder=-0.5, gid="recommended")
    ax.annotate(
        "\n".join(_recommended(page, trial)),
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


def _draw_cohorts(ax: Axes, cohorts: list[tuple[Row, int, int]]) -> None:
    for position, (cohort, first, last) in enumerate(cohorts):
        colour = PAPER if position % 2 else BAND
        name = f"cohort {cohort['cohort']}"
        ax.axvspan(first - 0.5, last + 0.5, facecolor=colour, edgecolor="none", zorder=-1, gid=name)
        ax.axvline(last + 0.5, color=FAINT, linewidth=0.8, zorder=0)


def _draw_patients(ax: Axes, trial: Trial, patients: list[Row], scale: float) -> None:
    """Draw the patients, with marks that are smaller where there are many."""
    numbers, levels = [row["patient"] for row in patients], [row["level"] for row in patients]
    if patients:
        ax.step(numbers, levels, where="mid", color=GREY, linewidth=1.4, zorder=1, label="_staircase")
    for outcome, mark in MARKS.items():
        here = [row for row in patients if row["outcome"] == outcome]
        mark.said(trial.scenario.say).draw(ax, [row["patient"] for row in here], [row["level"] for row in here], scale)
    late = [row for row in patients if row["dlt_day"] is not None and row["outcome"] != "DLT"]
    LATE_INSIDE.draw(ax, [row["patient"] for row in late], [row["level"] for row in late], scale)


def _write_decisions(ax: Axes, trial: Trial, cohorts: list[tuple[Row, int, int]], upright: bool) -> None:
    """Write the number of every cohort above it, and the decision above its end."""
    if not cohorts:
        return
    decisions = {row["cohort"]: row["action"] for row in trial.decisions}
    rows: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 9, "annotation_clip": False}
    above = ax.get_xaxis_transform()
    for cohort, first, last in cohorts:
        name = "expansion" if cohort["purpose"] == "expansion" and not upright else str(cohort["cohort"])
        at = ((first + last) / 2, 1)
        ax.annotate(name, at, (0, -4), xycoords=above, va="top", color=INK, fontweight="bold", **rows)
        if cohort["cohort"] in decisions:
            style: dict[str, Any] = {"xycoords": above, "va": "top", "color": INK, "rotation": 90 if upright else 0}
            behind = {"facecolor": PAPER, "edgecolor": FAINT, "linewidth": 0.6, "boxstyle": "round,pad=0.2"}
            text = decisions[cohort["cohort"]]
            ax.annotate(text, (last + 0.5, 1), (0, -20), bbox=behind, zorder=6, **style, **rows)
    rows |= {"xycoords": ax.transAxes, "ha": "right", "va": "top", "color": SOFT}
    ax.annotate("cohort", (0, 1), (-7, -4), **rows)
    if decisions:
        ax.annotate("decision", (0, 1), (-7, -20), **rows)
