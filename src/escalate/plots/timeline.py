"""The cohort timeline: who was where, on which date, and what the committee decided.

Everything is read from the records of a trial; nothing is simulated, and nothing is computed beyond arranging. A day
is as wide as a day: day d lies between d and d + 1 on the axis, so that bars end where their last day ends, and what
happens on a day is marked at its noon.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.patches import Rectangle

from ..records import Trial
from .style import (
    BAND,
    DLT,
    FAINT,
    INK,
    LATE,
    NOT_INFUSED,
    ORANGE,
    PALE_SKY,
    PAPER,
    PURPLE,
    SKY,
    SOFT,
    VERMILLION,
    Mark,
    calendar_axis,
    heading,
    legend_below,
    new_axes,
    points_wide,
    quiet,
)

Row = dict[str, Any]
Span = tuple[float, float, float]
"""Lane, first day, day after the last one [days since the start date]."""

NOON = 0.5
HEAD, FOOT, STRIP = 0.9, 0.72, 0.66
"""Heights of the head, of a cohort's line for its decision, and of a strip below [lanes]."""


@dataclass(frozen=True, slots=True)
class Bar:
    """How something that lasts is drawn: its words in the legend, colours, height [lanes] and hatch."""

    label: str
    face: str
    height: float
    edge: str = "none"
    hatch: str | None = None
    dashed: bool = False
    zorder: float = 2.0


SCREENING = Bar("screening", FAINT, 0.34)
WAITING = Bar("waiting for a place", SOFT, 0.10)
LYMPHODEPLETION = Bar("lymphodepletion", ORANGE, 0.62, zorder=3)
WINDOW = Bar("DLT window", SKY, 0.62)
NON_EVALUABLE = Bar("DLT window, non-evaluable", PAPER, 0.62, edge=SOFT, hatch="/////")
UNSEEN = Bar("DLT window, not observed", PAPER, 0.62, edge=SOFT, dashed=True, zorder=1.5)
FOLLOW_UP = Bar("follow-up", PALE_SKY, 0.24)

INFUSION = Mark("infusion", "|", INK, INK, 14, 1.5, zorder=4)
DROP_OUT = Mark("drop-out", "s", INK, PAPER, 7.5, 1.0, zorder=7)
STILL_HERE = Mark("still in the trial when time was up", ">", INK, PAPER, 8.5, 1.0, zorder=7)
NEVER_ENROLLED = Mark("_never enrolled", "|", SOFT, SOFT, 7, 1.1, zorder=3)

WAIT_LABEL, DECISION_LABEL, PLANNED_LABEL = "data cut to decision", "committee's decision", "planned completion"
LEGEND = (
    *(bar.label for bar in (SCREENING, WAITING, LYMPHODEPLETION)),
    *(mark.label for mark in (INFUSION, NOT_INFUSED)),
    *(bar.label for bar in (WINDOW, NON_EVALUABLE, UNSEEN, FOLLOW_UP)),
    *(mark.label for mark in (DLT, LATE, DROP_OUT, STILL_HERE)),
    WAIT_LABEL,
    DECISION_LABEL,
)

STRIPS = {
    "screen failure": "screen failures",
    "withdrew waiting": "gave up waiting",
    "no place": "found no place",
    "turned away": "turned away at the end",
    "cut off": "not yet enrolled",
}
"""States of candidates who were never enrolled, in the words of the strips."""


@dataclass(frozen=True, slots=True)
class Band:
    """Where a cohort stands.

    Parameters
    ----------
    cohort : dict
        Its row of the cohorts table.
    decision : dict or None
        The committee's decision about it.
    top, bottom : float
        Where its band begins and ends [lanes from the top].
    patients : int
        Lanes with a patient.
    """

    cohort: Row
    decision: Row | None
    top: float
    bottom: float
    patients: int

    @property
    def foot(self) -> float:
        """Middle of the line that holds the decision [lanes from the top]."""
        return self.bottom - FOOT / 2


@dataclass(frozen=True, slots=True)
class Layout:
    """Which lane everything has.

    Parameters
    ----------
    lanes : list of (dict, float)
        Every enrolled patient's row with the middle of the lane [lanes from the top], in order of enrolment.
    bands : list of Band
        The cohorts.
    strips : list of (str, float, list of int)
        State of candidates who were never enrolled, middle of the strip, days on which they left.
    first_strip, bottom : float
        Where the strips begin and where everything ends [lanes from the top].
    """

    lanes: list[tuple[Row, float]]
    bands: list[Band]
    strips: list[tuple[str, float, list[int]]]
    first_strip: float
    bottom: float


def plot_timeline(trial: Trial, *, ax: Axes | None = None) -> Axes:
    """Draw the cohort timeline of one trial, from its records.

    One lane for each enrolled patient, in order of enrolment and grouped by cohort: screening, waiting for a place,
    lymphodepletion, infusions, DLT window, follow-up, with DLTs, drop-outs and the outcome of each patient. The
    committee's decisions stand below their cohorts, at their dates; candidates who were never enrolled stand in thin
    strips at the bottom.

    Parameters
    ----------
    trial : Trial
        The trial.
    ax : Axes, optional
        Where to draw; a new figure that is tall enough for all lanes where it is left out.

    Returns
    -------
    Axes
        What was drawn on; ``ax.figure`` is its figure, and `escalate.plots.style.save` writes it. The x axis counts
        days as Matplotlib's dates do, the y axis lanes from the top.
    """
    layout = arrange(trial)
    if ax is None:
        ax = new_axes(*figure_size(layout, trial))
    zero = float(date2num(trial.start_date))
    first, last = days_shown(trial, layout)
    ax.set_xlim(zero + first, zero + last)
    ax.set_ylim(layout.bottom, 0)
    quiet(ax)
    calendar_axis(ax)
    _draw_bands(ax, layout)
    _draw_bars(ax, layout, zero)
    _draw_marks(ax, layout, trial, zero)
    _draw_decisions(ax, layout, zero)
    _draw_strips(ax, layout, zero)
    _draw_planned_completion(ax, layout, trial, zero)
    _label_lanes(ax, layout)
    heading(ax, trial)
    legend_below(ax, LEGEND)
    return ax


# Arranging


def arrange(trial: Trial) -> Layout:
    """Give every enrolled patient a lane, every cohort a band, and every other state a strip."""
    people = list(trial.patients)
    enrolled = sorted((row for row in people if row["patient"] is not None), key=lambda row: row["patient"])
    decisions = {row["cohort"]: row for row in trial.decisions}
    lanes: list[tuple[Row, float]] = []
    bands: list[Band] = []
    y = HEAD
    for cohort in trial.cohorts:
        members = [row for row in enrolled if row["cohort"] == cohort["cohort"]]
        lanes += [(row, y + place + 0.5) for place, row in enumerate(members)]
        decision = decisions.get(cohort["cohort"])
        bottom = y + max(len(members), 1) + (FOOT if decision else 0.12)
        bands.append(Band(cohort, decision, y, bottom, len(members)))
        y = bottom
    first_strip = y = y if bands else y + 2
    strips = []
    for state in STRIPS:
        left = [row["left_day"] for row in people if row["patient"] is None and row["state"] == state]
        if left:
            strips.append((state, y + STRIP / 2 + 0.1, left))
            y += STRIP
    return Layout(lanes, bands, strips, first_strip, y + (0.2 if strips else 0))


def figure_size(layout: Layout, trial: Trial) -> tuple[float, float]:
    """Return width and height of a figure [inches] in which every lane can be read."""
    lane = min(max(0.36 - 0.005 * len(layout.lanes), 0.215), 0.32)
    lines = len(trial.dose_path) // 90
    return 11.5, layout.bottom * lane + 2.1 + 0.16 * lines


def days_shown(trial: Trial, layout: Layout) -> tuple[float, float]:
    """Return the first and the last day of the x axis [days since the start date]."""
    ends = [row["window_end_day"] + 1 for row, _ in layout.lanes if row["window_end_day"] is not None]
    last = max([trial.duration_days + 1, 14, *ends])
    planned = _planned_day(trial)
    if planned is not None and last <= planned <= 1.12 * last:
        last = planned + 1
    return -0.012 * last, 1.012 * last


def _planned_day(trial: Trial) -> int | None:
    planned = trial.planned_completion_date
    return None if planned is None else (planned - trial.start_date).days


def spans(row: Row) -> Iterator[tuple[Bar, int, int]]:
    """Yield what lasts in the way of one enrolled patient: bar, first day, day after the last one.

    Parameters
    ----------
    row : dict
        The patient's row of the patients table.
    """
    screened, start, infusion, left = (
        row[f"{name}_day"] for name in ("screening_end", "treatment_start", "infusion", "left")
    )
    yield SCREENING, row["consent_day"], screened
    yield WAITING, screened, start
    if infusion is None:
        yield LYMPHODEPLETION, start, left + (row["state"] == "cut off")
        return
    yield LYMPHODEPLETION, start, infusion
    window_end = row["window_end_day"]
    seen = min(window_end, left) + 1
    yield NON_EVALUABLE if row["outcome"] == "non-evaluable" else WINDOW, infusion, seen
    yield UNSEEN, seen, window_end + 1
    yield FOLLOW_UP, window_end + 1, left + 1


# Drawing


def _draw_bands(ax: Axes, layout: Layout) -> None:
    for position, band in enumerate(layout.bands):
        colour = BAND if position % 2 == 0 else PAPER
        ax.axhspan(
            band.top, band.bottom, facecolor=colour, edgecolor="none", zorder=-1, gid=f"cohort {band.cohort['cohort']}"
        )
        ax.axhline(band.top, color=FAINT, linewidth=0.8, zorder=0)
    ax.axhline(layout.first_strip, color=FAINT, linewidth=0.8, zorder=0)


def _draw_bars(ax: Axes, layout: Layout, zero: float) -> None:
    found: dict[Bar, list[Span]] = {}
    for row, y in layout.lanes:
        for bar, first, after in spans(row):
            if after > first:
                found.setdefault(bar, []).append((y, zero + first, zero + after))
    for bar, drawn in found.items():
        ax.barh(
            [y for y, _, _ in drawn],
            [after - first for _, first, after in drawn],
            left=[first for _, first, _ in drawn],
            height=bar.height,
            facecolor=bar.face,
            edgecolor=bar.edge,
            linewidth=0.0 if bar.edge == "none" else 0.8,
            linestyle=(0, (3, 2)) if bar.dashed else "-",
            hatch=bar.hatch,
            label=bar.label,
            zorder=bar.zorder,
        )


def _draw_marks(ax: Axes, layout: Layout, trial: Trial, zero: float) -> None:
    lane = {row["patient"]: y for row, y in layout.lanes}
    infused = [(row["day"], lane[row["patient"]]) for row in trial.events if row["event"] == "infusion"]
    _draw(ax, INFUSION, infused, zero)
    rows = layout.lanes
    _draw(ax, NOT_INFUSED, [(row["left_day"], y) for row, y in rows if row["state"] == "not infused"], zero)
    _draw(ax, DROP_OUT, [(row["left_day"], y) for row, y in rows if row["state"] == "dropped out"], zero)
    _draw(ax, STILL_HERE, [(row["left_day"], y) for row, y in rows if row["state"] == "cut off"], zero)
    toxic = [(row, y) for row, y in rows if row["dlt_day"] is not None]
    _draw(ax, LATE, [(row["dlt_day"], y) for row, y in toxic if row["outcome"] != "DLT"], zero)
    _draw(ax, DLT, [(row["dlt_day"], y) for row, y in toxic if row["outcome"] == "DLT"], zero)


def _draw(ax: Axes, mark: Mark, found: Sequence[tuple[int, float]], zero: float) -> None:
    mark.draw(ax, [zero + day + NOON for day, _ in found], [y for _, y in found])


def _draw_decisions(ax: Axes, layout: Layout, zero: float) -> None:
    for position, band in enumerate(band for band in layout.bands if band.decision):
        row = band.decision
        assert row is not None
        cut, day = zero + row["data_cut_day"] + NOON, zero + row["committee_day"] + NOON
        hidden = "_" if position else ""
        if day > cut:
            wait = Rectangle((cut, band.top), day - cut, band.bottom - band.top, label=hidden + WAIT_LABEL)
            wait.set(facecolor=FAINT, edgecolor="none", alpha=0.6, zorder=0.5)
            ax.add_patch(wait)
        ax.plot(
            [day, day], [band.top, band.bottom], color=INK, linewidth=1.8, zorder=3.5, label=hidden + DECISION_LABEL
        )
        _write_beside(ax, day, band.foot, decision_words(row))


def decision_words(row: Row) -> str:
    """Return a decision as it is written into the timeline.

    Parameters
    ----------
    row : dict
        Its row of the decisions table.
    """
    action = row["action"]
    if action == "stop":
        level = row["recommended_level"]
        action += ": no dose" if level is None else f": level {level} = RP2D"
    early = " (early)" if row["forced"] == "yes" else ""
    seen = f"DLT in {row['dlts']} of {row['evaluable']} at this dose"
    return f"{action}{early} · {seen} · {row['committee_date']}"


def _write_beside(ax: Axes, x: float, y: float, text: str) -> None:
    """Write a text to the right of x, or to the left where there is no room."""
    low, high = ax.get_xlim()
    share = (x - low) / (high - low)
    room = (1 - share) * points_wide(ax)
    right = room > 0.56 * 8.5 * len(text) or share < 0.5
    ax.annotate(
        text,
        (x, y),
        (4 if right else -4, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center",
        fontsize=8.5,
        color=INK,
        zorder=6,
    )


def _draw_strips(ax: Axes, layout: Layout, zero: float) -> None:
    for state, y, left in layout.strips:
        _draw(ax, NEVER_ENROLLED, [(day, y) for day in left], zero)
        _write_left(ax, y, f"{STRIPS[state]} ({len(left)})", 6, fontsize=8.5, color=SOFT)


def _draw_planned_completion(ax: Axes, layout: Layout, trial: Trial, zero: float) -> None:
    day = _planned_day(trial)
    if day is None:
        return
    x, (low, high) = zero + day + NOON, ax.get_xlim()
    if not low <= x <= high:
        return
    ax.plot(
        [x, x], [0, layout.bottom], color=PURPLE, linewidth=1.5, linestyle="--", zorder=1, label="_" + PLANNED_LABEL
    )
    right = x < (low + high) / 2
    ax.annotate(
        f"{PLANNED_LABEL} {trial.planned_completion_date}",
        (x, HEAD / 2),
        (4 if right else -4, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center",
        fontsize=8.5,
        color=PURPLE,
    )


# Words beside the lanes


def _label_lanes(ax: Axes, layout: Layout) -> None:
    ax.set_yticks([y for _, y in layout.lanes], labels=[str(row["patient"]) for row, _ in layout.lanes])
    for row, y in layout.lanes:
        bad = row["outcome"] == "DLT"
        _write_right(
            ax, y, outcome_words(row), color=VERMILLION if bad else INK, fontweight="bold" if bad else "normal"
        )
    if layout.lanes:
        _write_left(ax, HEAD / 2, "patient", 6, fontsize=8.5, color=SOFT)
        _write_right(ax, HEAD / 2, "outcome", color=SOFT)
    for band in layout.bands:
        _label_band(ax, band)
    if not layout.bands:
        ax.text(
            0.5,
            1 + HEAD / 2,
            "nobody was enrolled",
            transform=ax.get_yaxis_transform(),
            ha="center",
            va="center",
            fontsize=11,
            color=SOFT,
        )


def _label_band(ax: Axes, band: Band) -> None:
    cohort, middle = band.cohort, (band.top + band.bottom) / 2
    name = f"Cohort {cohort['cohort']}" + (" (expansion)" if cohort["purpose"] == "expansion" else "")
    _write_left(ax, middle, name + "\n", 50, fontsize=9, color=INK, fontweight="bold", linespacing=1.25)
    _write_left(ax, middle, "\n" + cohort["dose"], 50, fontsize=9, color=INK, linespacing=1.25)
    if not band.patients:
        ax.text(
            0.01,
            band.top + 0.5,
            f"open from {cohort['opened_date']}: nobody was enrolled",
            transform=ax.get_yaxis_transform(),
            ha="left",
            va="center",
            fontsize=8.5,
            color=SOFT,
            style="italic",
        )


def outcome_words(row: Row) -> str:
    """Return what an enrolled patient counts as, in words.

    Parameters
    ----------
    row : dict
        The patient's row of the patients table.
    """
    if row["infusion_day"] is None:
        return "not infused" if row["state"] == "not infused" else "not yet infused"
    words: str = row["outcome"]
    if row["dlt_day"] is None:
        return words
    day = row["dlt_day"] - row["infusion_day"]
    return f"{words}, day {day}" if words == "DLT" else f"{words}; late toxicity, day {day}"


def _write_left(ax: Axes, y: float, text: str, points: float, **style: Any) -> None:
    where = ax.get_yaxis_transform()
    ax.annotate(
        text,
        (0, y),
        (-points, 0),
        xycoords=where,
        textcoords="offset points",
        ha="right",
        va="center",
        annotation_clip=False,
        **style,
    )


def _write_right(ax: Axes, y: float, text: str, **style: Any) -> None:
    where = ax.get_yaxis_transform()
    ax.annotate(
        text,
        (1, y),
        (8, 0),
        xycoords=where,
        textcoords="offset points",
        ha="left",
        va="center",
        annotation_clip=False,
        fontsize=8.5,
        **style,
    )
