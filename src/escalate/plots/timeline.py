"""The cohort timeline: who was where, on which date, and what the committee decided.

Everything is read from the records of a trial; nothing is simulated, and nothing is computed beyond arranging. A day
is as wide as a day: day d lies between d and d + 1 on the axis, so that bars end where their last day ends, and what
happens on a day is marked at its noon.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from ..results.timeline import stages_before
from ..scenario.calendar import Closure
from ..scenario.model import Scenario
from ..words.records import Trial
from ..words.tables import still_to_come
from . import sheet
from .sheet import EDGE, Asked, Sheet, Size
from .style import (
    BAND,
    DLT,
    FAINT,
    GREY,
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
    day_number,
    points_wide,
    quiet,
    small_print,
    verdict,
)
from .texts import measure, widest, wrapped

Row = dict[str, Any]
Lane = tuple[Row, float]
"""A patient's row of the patients table, and the middle of the lane [lanes from the top]."""

HEAD, FOOT, STRIP = 0.95, 0.8, 0.74
"""Heights of the head, of a cohort's line for its decision, and of a strip below [lanes]."""

LINE, LEAST_LANE = 11.5, 11.5
"""Heights of a line beside a cohort, and of a lane at least [points]."""

MANY = 12
"""So many cohorts need not all say their dose."""

SITE, LEAST_LABEL = 66.0, 80.0
"""Most width of the name of a site beside a lane, and least of what is written beside a cohort then [points]."""

AROUND, A4 = 170.0, 430.0
"""Height of what stands around the lanes, and of all lanes on a page [points]."""


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

    @property
    def style(self) -> dict[str, Any]:
        """Matplotlib's words for it."""
        return {
            "facecolor": self.face,
            "edgecolor": self.edge,
            "linewidth": 0.0 if self.edge == "none" else 0.8,
            "linestyle": (0, (3, 2)) if self.dashed else "-",
            "hatch": self.hatch,
        }

    def handle(self) -> Artist:
        """Return what stands in the legend: as high as it is among the lanes."""
        if self.edge != "none":
            return Patch(**self.style)
        return Line2D([], [], color=self.face, linewidth=self.height * 17, solid_capstyle="butt")


SCREENING = Bar("screening", FAINT, 0.34)
WAITING = Bar("waiting for a place", SOFT, 0.10)
MANUFACTURE = Bar("manufacture", PURPLE, 0.34)
LYMPHODEPLETION = Bar("lymphodepletion", ORANGE, 0.62, zorder=3)
WINDOW = Bar("DLT window", SKY, 0.62)
NON_EVALUABLE = Bar("DLT window, non-evaluable", PAPER, 0.62, edge=GREY, hatch="/////")
UNSEEN = Bar("DLT window, not observed", PAPER, 0.62, edge=SOFT, dashed=True, zorder=1.5)
FOLLOW_UP = Bar("follow-up", PALE_SKY, 0.24)

DROP_OUT = Mark("drop-out", "s", INK, PAPER, 7.5, 1.0, zorder=7)
STILL_HERE = Mark("still in the trial when time was up", ">", INK, PAPER, 8.5, 1.0, zorder=7)
NEVER_ENROLLED = Mark("_never enrolled", "|", SOFT, SOFT, 7, 1.1, zorder=3)

INFUSION_LABEL, WAIT_LABEL, DECISION_LABEL = "infusion", "data cut to decision", "committee's decision"
PLANNED_LABEL, CLOSED_LABEL = "planned completion", "closed"
BARS = (SCREENING, MANUFACTURE, WAITING, LYMPHODEPLETION, WINDOW, NON_EVALUABLE, UNSEEN, FOLLOW_UP)
LEGEND = (
    *(bar.label for bar in (SCREENING, MANUFACTURE, WAITING, LYMPHODEPLETION)),
    INFUSION_LABEL,
    NOT_INFUSED.label,
    *(bar.label for bar in (WINDOW, NON_EVALUABLE, UNSEEN, FOLLOW_UP)),
    *(mark.label for mark in (DLT, LATE, DROP_OUT, STILL_HERE)),
    WAIT_LABEL,
    DECISION_LABEL,
)

EDGE_OF_CLOSED = "#C9CED4"
"""Colour of the hatching of days that are closed."""

BAR_OF = {"list": WAITING, "screening": SCREENING, "manufacture": MANUFACTURE, "waiting": WAITING}
"""The bar of each stage before there is a place."""

STRIPS = {
    "not consented": "left before consent",
    "screen failure": "screen failures",
    "no product": "got no product",
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
    colour : str
        Its colour.
    """

    cohort: Row
    decision: Row | None
    top: float
    bottom: float
    patients: int
    colour: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands.

    Parameters
    ----------
    trial : Trial
        Whose records they are.
    zero : float
        The trial's start date, as Matplotlib counts days.
    lanes : list of (dict, float)
        Every enrolled patient's row with the middle of the lane [lanes from the top], in order of enrolment.
    bands : list of Band
        The cohorts.
    strips : list of (str, float, list of int)
        State of candidates who were never enrolled, middle of the strip, days on which they left.
    first_strip, bottom : float
        Where the strips begin and where everything ends [lanes from the top].
    last_day : int
        Last day on the x axis [days since the start date].
    planned_day : int or None
        Planned completion, if it is on the x axis [days since the start date].
    lane, label : float
        Height of a lane, and width of what is written beside a cohort [points].
    """

    trial: Trial
    zero: float
    lanes: list[Lane]
    bands: list[Band]
    strips: list[tuple[str, float, list[int]]]
    first_strip: float
    bottom: float
    last_day: int
    planned_day: int | None
    lane: float
    label: float

    @property
    def decided(self) -> list[tuple[Band, Row]]:
        """The cohorts about which the committee has decided, with the decisions."""
        return [(band, band.decision) for band in self.bands if band.decision is not None]

    def noon(self, day: int) -> float:
        """Return where on the x axis something stands that happens on a day [days since the start date]."""
        return self.zero + day + 0.5


@sheet.figure(Trial)
def plot_timeline(
    trial: Trial, *, ax: Axes | None = None, size: Size | None = None, title: bool = True, legend: bool = True
) -> Axes:
    """Draw the cohort timeline of one trial, from its records.

    One lane for each enrolled patient, in order of enrolment and grouped by cohort: screening, waiting for a place,
    lymphodepletion, infusions, DLT window, follow-up, with DLTs, drop-outs and the outcome of each patient. The
    committee's decisions stand at the foot of their cohorts, at their dates; candidates who were never enrolled stand
    in thin strips at the bottom.

    Parameters
    ----------
    trial : Trial
        The trial.
    ax : Axes, optional
        Where to draw; a new figure that is tall enough for all lanes where it is left out.
    size : {"a4", "slide", "screen"}, optional
        What a figure of its own is for, which decides its width; for a screen unless `figures_for` says else.
    title, legend : bool
        Whether heading and small print, and whether the legend are drawn.

    Returns
    -------
    Axes
        What was drawn on; ``ax.figure`` is its figure, and `escalate.plots.style.save` writes it. The x axis counts
        days as Matplotlib's dates do, the y axis lanes from the top.
    """
    page = Sheet(Asked(ax, size, title, legend), 11.5)
    beside = min(0.25 * page.wide, 170.0) - _site_width(trial)
    ax, layout = page.ax, arrange(trial, _lane(page, trial), max(beside, LEAST_LABEL))
    margin = 0.012 * layout.last_day
    ax.set_xlim(layout.zero - margin, layout.zero + layout.last_day + 1 + margin)
    ax.set_ylim(layout.bottom, 0)
    quiet(ax)
    calendar_axis(ax)
    for draw in _PARTS:
        draw(ax, layout)
    small = [*small_print(trial), *_closed_words(layout), *_not_shown(layout)]
    say = trial.scenario.say
    handles = {say(label): handle for label, handle in _handles().items()}
    page.finish(verdict(trial), small, layout.bottom * layout.lane, list(map(say, LEGEND)), handles, edge=EDGE)
    calendar_axis(ax)
    _write_decisions(ax, layout)
    return ax


# Arranging


def arrange(trial: Trial, lane: float, label: float) -> Layout:
    """Give every enrolled patient a lane, every cohort a band, and every other state a strip.

    Parameters
    ----------
    trial : Trial
        The trial.
    lane : float
        Height of a lane [points].
    label : float
        Width of what is written beside a cohort [points].
    """
    people = list(trial.patients)
    enrolled = sorted((row for row in people if row["patient"] is not None), key=lambda row: row["patient"])
    lanes, bands = _lanes_and_bands(trial, enrolled, lane, label)
    y = first_strip = bands[-1].bottom if bands else HEAD + 1.6
    strip = max(STRIP, LINE / lane)
    strips: list[tuple[str, float, list[int]]] = []
    for state in STRIPS:
        left = [row["left_day"] for row in people if row["patient"] is None and row["state"] == state]
        if left:
            strips.append((state, y + strip / 2 + 0.1, left))
            y += strip
    last_day, planned_day = _days_shown(trial, enrolled)
    bottom = y + (0.2 if strips else 0)
    zero = day_number(trial.start_date)
    return Layout(trial, zero, lanes, bands, strips, first_strip, bottom, last_day, planned_day, lane, label)


def _lanes_and_bands(trial: Trial, enrolled: list[Row], lane: float, label: float) -> tuple[list[Lane], list[Band]]:
    """Return lanes and bands; a band is high enough for the words beside it."""
    decisions = {row["cohort"]: row for row in trial.decisions}
    lanes: list[Lane] = []
    bands: list[Band] = []
    y = HEAD
    for cohort in trial.cohorts:
        members = [row for row in enrolled if row["cohort"] == cohort["cohort"]]
        lanes += [(row, y + place + 0.5) for place, row in enumerate(members)]
        decision = decisions.get(cohort["cohort"])
        foot = FOOT if decision or len(members) <= 1 else 0.12
        words = (LINE * (1 + len(dose_words(trial, cohort, label))) + 6) / lane
        bottom = y + max(max(len(members), 1) + foot, words)
        bands.append(Band(cohort, decision, y, bottom, len(members), PAPER if len(bands) % 2 else BAND))
        y = bottom
    return lanes, bands


def _days_shown(trial: Trial, enrolled: list[Row]) -> tuple[int, int | None]:
    """Return the last day of the x axis, and the planned completion if it lies on the axis or near its end."""
    ends = [row["window_end_day"] for row in enrolled if row["window_end_day"] is not None]
    last = max([trial.duration_days, 14, *ends])
    if trial.planned_completion_date is None:
        return last, None
    planned = (trial.planned_completion_date - trial.start_date).days
    if planned > 1.12 * last:
        return last, None
    return max(last, planned), planned


def _closures(layout: Layout) -> Iterator[tuple[int, int, Closure]]:
    """Yield the closures in the days shown: first day, first day after it, and what rests why."""
    for first, after, closure in cast(Scenario, layout.trial.scenario).open_days.closures():
        if first <= layout.last_day:
            yield first, min(after, layout.last_day + 1), closure


def _closed_words(layout: Layout) -> list[str]:
    """Return what the shaded days are: what rests, with the reasons why, each once."""
    told: dict[str, list[str]] = {}
    for _, _, closure in _closures(layout):
        reasons = told.setdefault(closure.words, [])
        if closure.reason not in reasons:
            reasons.append(closure.reason)
    words = "; ".join(f"{', '.join(reasons)} ({what})" for what, reasons in told.items())
    return [f"Hatched: closed for {words}"] if told else []


def _not_shown(layout: Layout) -> list[str]:
    planned = layout.trial.planned_completion_date
    if planned is None or layout.planned_day is not None:
        return []
    return [f"{PLANNED_LABEL} {planned}, later than the dates shown"]


def _lane(page: Sheet, trial: Trial) -> float:
    """Return the height of a lane [points]: smaller where there are many, or where the height is given."""
    lanes = sum(row["patient"] is not None for row in trial.patients)
    on_screen = 72 * min(max(0.36 - 0.005 * lanes, 0.22), 0.32)
    if not page.own:
        return max(min((page.tall - AROUND) / (1.3 * max(lanes, 1)), on_screen), LEAST_LANE)
    if page.asked.page == "a4":
        return max(min(A4 / (1.3 * max(lanes, 1)), on_screen), LEAST_LANE)
    return on_screen


def dose_words(trial: Trial, cohort: Row, width: float) -> list[str]:
    """Return what is written beside a cohort below its name, in lines of some width [points].

    Where there are many cohorts and the dose takes many lines, the next cohort at its level has the level alone.
    """
    level = f"level {cohort['level']}"
    lines = wrapped(f"{level} · {cohort['dose']}", width, 9)
    before = {row["cohort"]: row["level"] for row in trial.cohorts}.get(cohort["cohort"] - 1)
    return [level] if len(lines) > 2 and len(trial.cohorts) > MANY and before == cohort["level"] else lines


def spans(row: Row) -> Iterator[tuple[Bar, int, int]]:
    """Yield what lasts in the way of one enrolled patient from enrolment on: bar, first day, day after the last one.

    Parameters
    ----------
    row : dict
        The patient's row of the patients table.
    """
    start, infusion = row["treatment_start_day"], row["infusion_day"]
    left, window_end = row["left_day"], row["window_end_day"]
    if infusion is None:
        yield LYMPHODEPLETION, start, left + 1 if row["state"] == "cut off" else left
        return
    yield LYMPHODEPLETION, start, infusion
    seen = min(window_end, left) + 1
    yield NON_EVALUABLE if row["outcome"] == "non-evaluable" else WINDOW, infusion, seen
    yield UNSEEN, seen, window_end + 1
    yield FOLLOW_UP, window_end + 1, left + 1


# Drawing


def _draw_bands(ax: Axes, layout: Layout) -> None:
    for band in layout.bands:
        name = f"cohort {band.cohort['cohort']}"
        ax.axhspan(band.top, band.bottom, facecolor=band.colour, edgecolor="none", zorder=-1, gid=name)
    for y in [*(band.top for band in layout.bands), layout.first_strip]:
        ax.axhline(y, color=FAINT, linewidth=0.8, zorder=0)


def _draw_bars(ax: Axes, layout: Layout) -> None:
    found: dict[Bar, list[tuple[float, int, int]]] = {}
    stages = stages_before(layout.trial)
    for row, y in layout.lanes:
        before = ((BAR_OF[stage], first, after) for stage, first, after in stages[row["candidate"]])
        for bar, first, after in (*before, *spans(row)):
            if after > first:
                found.setdefault(bar, []).append((y, first, after))
    for bar, drawn in found.items():
        ax.barh(
            [y for y, _, _ in drawn],
            [after - first for _, first, after in drawn],
            left=[layout.zero + first for _, first, _ in drawn],
            height=bar.height,
            label=bar.label,
            zorder=bar.zorder,
            **bar.style,
        )


def _draw_infusions(ax: Axes, layout: Layout) -> None:
    lane = {row["patient"]: y for row, y in layout.lanes}
    events = (row for row in layout.trial.events if row["event"] == "infusion")
    given = [(layout.noon(row["day"]), lane[row["patient"]]) for row in events]
    if given:
        low, high = [y - 0.42 for _, y in given], [y + 0.42 for _, y in given]
        label = layout.trial.scenario.say(INFUSION_LABEL)
        ax.vlines([x for x, _ in given], low, high, color=INK, linewidth=1.5, zorder=4, label=label)


def _draw_marks(ax: Axes, layout: Layout) -> None:
    not_infused = NOT_INFUSED.said(layout.trial.scenario.say)
    for mark, state in ((not_infused, "not infused"), (DROP_OUT, "dropped out"), (STILL_HERE, "cut off")):
        _mark(ax, layout, mark, [(row["left_day"], y) for row, y in layout.lanes if row["state"] == state])
    toxic = [(row, y) for row, y in layout.lanes if row["dlt_day"] is not None]
    _mark(ax, layout, LATE, [(row["dlt_day"], y) for row, y in toxic if row["outcome"] != "DLT"])
    _mark(ax, layout, DLT, [(row["dlt_day"], y) for row, y in toxic if row["outcome"] == "DLT"])


def _mark(ax: Axes, layout: Layout, mark: Mark, found: Sequence[tuple[int, float]]) -> None:
    mark.draw(ax, [layout.noon(day) for day, _ in found], [y for _, y in found])


def _draw_decisions(ax: Axes, layout: Layout) -> None:
    for band, row in layout.decided:
        cut, day = layout.noon(row["data_cut_day"]), layout.noon(row["committee_day"])
        if day > cut:
            wait = Rectangle((cut, band.top), day - cut, band.bottom - band.top, label=WAIT_LABEL)
            wait.set(facecolor=FAINT, edgecolor="none", alpha=0.6, zorder=0.5)
            ax.add_patch(wait)
        ax.plot([day, day], [band.top, band.bottom], color=INK, linewidth=2.2, zorder=3.5, label=DECISION_LABEL)


def _write_decisions(ax: Axes, layout: Layout) -> None:
    """Write the decisions, and the planned completion, where there is room: once the Axes have their width."""
    for band, row in layout.decided:
        cut, day = layout.noon(row["data_cut_day"]), layout.noon(row["committee_day"])
        parts = decision_words(row).split(" · ")
        texts = [" · ".join(parts[:number]) for number in range(len(parts), 0, -1)]
        _write_beside(ax, (cut, day), band.bottom - FOOT / 2, texts, INK, band.colour)
    if layout.planned_day is not None:
        x, planned = layout.noon(layout.planned_day), layout.trial.planned_completion_date
        texts = [f"{PLANNED_LABEL} {planned}", f"planned {planned}", str(planned)]
        _write_beside(ax, (x, x), HEAD / 2, texts, PURPLE, PAPER)


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
        action += ": no dose" if level is None else f": level {level} recommended"
    early = " (early)" if row["forced"] == "yes" else ""
    pending = still_to_come(row)
    seen = f"DLT in {row['dlts']} of {row['evaluable']} at this dose{pending}"
    return f"{action}{early} · {seen} · {row['committee_date']}"


def _draw_strips(ax: Axes, layout: Layout) -> None:
    for state, y, left in layout.strips:
        _mark(ax, layout, NEVER_ENROLLED, [(day, y) for day in left])
        _write_outside(ax, "left", y, f"{STRIPS[state]} ({len(left)})", color=SOFT)


def _draw_closures(ax: Axes, layout: Layout) -> None:
    look: dict[str, Any] = {"facecolor": "none", "edgecolor": EDGE_OF_CLOSED, "hatch": "////", "linewidth": 0}
    for first, after, _ in _closures(layout):
        ax.axvspan(layout.zero + first, layout.zero + after, zorder=1.2, label="_" + CLOSED_LABEL, **look)


def _draw_planned(ax: Axes, layout: Layout) -> None:
    if layout.planned_day is not None:
        x, name = layout.noon(layout.planned_day), "_" + PLANNED_LABEL
        ax.plot([x, x], [0, layout.bottom], color=PURPLE, linewidth=1.6, linestyle="--", zorder=1, label=name)


# Words


def _label_lanes(ax: Axes, layout: Layout) -> None:
    ax.set_yticks([y for _, y in layout.lanes], labels=[_lane_label(row) for row, _ in layout.lanes])
    for row, y in layout.lanes:
        bad = row["outcome"] == "DLT"
        colour, weight = (VERMILLION, "bold") if bad else (INK, "normal")
        _write_outside(ax, "right", y, layout.trial.scenario.say(outcome_words(row)), color=colour, fontweight=weight)
    if layout.lanes:
        _write_outside(ax, "left", HEAD / 2, "patient", color=SOFT)
        _write_outside(ax, "right", HEAD / 2, "outcome", color=SOFT)
    sites = _site_width(layout.trial)
    for band in layout.bands:
        _label_band(ax, band, dose_words(layout.trial, band.cohort, layout.label), sites)
    if not layout.bands:
        _write_inside(ax, HEAD + 0.8, "nobody was enrolled", PAPER)


def _lane_label(row: Row) -> str:
    """Return what a lane is called: the patient's number, and the site where there are sites."""
    return f"{_site_words(row)} {row['patient']}".strip()


def _site_words(row: Row) -> str:
    """Return the name of a patient's site, cut off where it is long; empty where there are no sites."""
    name = row.get("site", "")
    shorter = (f"{name[:letters].rstrip()}..." for letters in range(min(len(name), 60), 0, -1))
    return next((words for words in (name, *shorter) if measure(words, 9) <= SITE), "")


def _site_width(trial: Trial) -> float:
    """Return how wide the names of sites are beside the lanes [points]; 0 where there are none."""
    return widest({_site_words(row) for row in trial.patients if row["patient"] is not None}, 9)


def _label_band(ax: Axes, band: Band, lines: list[str], sites: float) -> None:
    cohort, middle = band.cohort, (band.top + band.bottom) / 2
    name = f"Cohort {cohort['cohort']}" + (", expansion" if cohort["purpose"] == "expansion" else "")
    dose = "\n".join(lines)
    up, away = LINE / 2 * dose.count("\n"), 34 + sites
    _write_outside(ax, "left", middle, name, (away, up + 1), color=INK, fontweight="bold", va="bottom")
    _write_outside(ax, "left", middle, dose, (away, up - 1), color=INK, va="top")
    if not band.patients:
        _write_inside(ax, middle, f"open from {cohort['opened_date']}: nobody was enrolled", band.colour)


def outcome_words(row: Row) -> str:
    """Return what an enrolled patient counts as, in words.

    Parameters
    ----------
    row : dict
        The patient's row of the patients table.
    """
    if row["infusion_day"] is None:
        if row["state"] != "not infused":
            return "not yet infused"
        return "not infused: withheld" if row["not_infused_reason"].startswith("withheld") else "not infused"
    words: str = row["outcome"]
    if row["dlt_day"] is None:
        return words
    day = row["dlt_day"] - row["infusion_day"]
    return f"{words}, day {day}" if words == "DLT" else f"{words}; late toxicity, day {day}"


def _write_outside(
    ax: Axes, side: str, y: float, text: str, points: tuple[float, float] = (7, 0), **style: Any
) -> None:
    """Write beside the Axes, at a lane, some points outwards and upwards."""
    left, style = side == "left", {"va": "center", **style}
    ax.annotate(
        text,
        (0 if left else 1, y),
        (-points[0] if left else points[0], points[1]),
        xycoords=ax.get_yaxis_transform(),
        textcoords="offset points",
        ha="right" if left else "left",
        annotation_clip=False,
        fontsize=9,
        **style,
    )


def _write_inside(ax: Axes, y: float, text: str, ground: str) -> None:
    """Write into an empty lane."""
    where, behind = ax.get_yaxis_transform(), {"facecolor": ground, "edgecolor": "none", "pad": 1.5}
    ax.text(0.01, y, text, transform=where, va="center", fontsize=9, color=SOFT, style="italic", bbox=behind)


def _write_beside(
    ax: Axes, span: tuple[float, float], y: float, texts: Sequence[str], colour: str, ground: str
) -> None:
    """Write to the right of something, or to its left if only there is room, the first of some texts that fits."""
    low, high = ax.get_xlim()
    each = points_wide(ax) / (high - low)
    rooms = (each * (high - span[1]) - 7, each * (span[0] - low) - 7)
    fitting = [text for text in texts if measure(text, 9) <= max(rooms)]
    text = fitting[0] if fitting else texts[-1]
    left = measure(text, 9) > rooms[0] and rooms[1] > rooms[0]
    ax.annotate(
        text,
        (span[0] if left else span[1], y),
        (-5 if left else 5, 0),
        textcoords="offset points",
        va="center",
        ha="right" if left else "left",
        fontsize=9,
        color=colour,
        zorder=6,
        bbox={"facecolor": ground, "edgecolor": "none", "pad": 0.4},
    )


def _handles() -> dict[str, Artist]:
    """Return what stands in the legend for bars and for upright lines."""
    upright: dict[str, Any] = {"color": INK, "linestyle": "none", "marker": "|", "markersize": 11}
    return {
        **{bar.label: bar.handle() for bar in BARS},
        INFUSION_LABEL: Line2D([], [], markeredgewidth=1.5, **upright),
        DECISION_LABEL: Line2D([], [], markeredgewidth=2.6, **upright),
    }


_PARTS = (
    _draw_bands,
    _draw_closures,
    _draw_bars,
    _draw_infusions,
    _draw_marks,
    _draw_decisions,
    _draw_strips,
    _draw_planned,
    _label_lanes,
)
