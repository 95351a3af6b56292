"""A comparison as one figure: truth by truth, which rule recommends what, how many DLTs, how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..results.chance import value_alone
from ..results.no_dose import WHY_NO_DOSE, no_dose_measure
from ..scenario.compared import Truth
from ..studies.compared import WHOLE_COHORTS, Compared, Comparison
from ..studies.variants import Variants
from ..words.records import CAP_INCONCLUSIVE, NO_DOSE
from . import sheet
from .board import SMALL, Board, fill_cell, legend_columns, new_board, scale_in
from .finish import plot_finish
from .leaves import ELSEWHERE, head_height, leaf_of, limits, pages_of, shape_for
from .paths import level_colours
from .sheet import Asked, Size
from .style import BAND, FAINT, GREY, INK, PAPER, SKY, SOFT, VERMILLION, caution_words
from .texts import measure, widest, wrapped

TEXT, NUMBER = 9.0, 8.0
"""Sizes of labels and of the numbers at the bars [points]."""

ROW, BAR, NAME_LINE = 14.0, 9.5, 11.5
"""Heights of a row, of the bar in it, and of one more line of its name [points]."""

MOST_NAME = 230.0
"""A rule's name is broken into lines that are no wider [points]."""

MOST_WIDE, NARROWER = 2000.0, (900.0, 750.0, 650.0, 560.0, 490.0, 430.0, 380.0, 330.0)
"""Columns that are wider together stand in bands below each other; on given Axes they may have to be narrower
[points]."""

HEAD, BLOCK_HEAD, BETWEEN = 32.0, 17.0, 12.0
"""Heights of the column heads, of a truth's head, and of the empty space between truths [points]."""

WIDE, NARROW, GAP = 50.0, 34.0, 14.0
"""Widths of a column's bars, where there are few columns and many, and of the empty space between columns [points]."""

SLOT = measure("≈ 99.9%", 8.0) + 4
"""Width of a column's numbers [points]."""

MOST_BEST = 4
"""So many rules are too many to be named in the title."""

LINE = 12.5
"""Height of a line of small print [points]."""

FEW = 5
"""So many columns of recommendations are few."""

ALMOST, SAME = "≈ ", "= "
LIKENESS = {
    ALMOST: "the difference to {}, on the same patients, may be Monte Carlo error (95%)",
    SAME: "in every trial the same as {}",
}
"""What signs before a rule's value mean, which has the first rule's in its place."""

HATCHED = no_dose_measure(CAP_INCONCLUSIVE)
"""The measure of that part of no dose that is hatched."""

INCONCLUSIVE: dict[str, Any] = {
    "label": f"of no dose: {CAP_INCONCLUSIVE}", "facecolor": "none", "edgecolor": VERMILLION, "hatch": "/////",
    "linewidth": 0.6,
}  # fmt: skip
"""How the part of a bar of no dose is drawn that is no verdict on the doses."""

NOT_HATCHED: dict[str, Any] = {"facecolor": PAPER, "edgecolor": VERMILLION, "linewidth": 0.8}
"""How the rest of a bar of no dose is drawn."""


def not_hatched_words(shares: Mapping[str, float]) -> str:
    """Return what the rest of a bar of no dose means; empty where there is none.

    Parameters
    ----------
    shares : mapping of str to float
        How often no dose means each of `WHY_NO_DOSE`.
    """
    meant = [why for why in WHY_NO_DOSE if why != CAP_INCONCLUSIVE and shares.get(why, 0) > 0]
    return f"of no dose: {' or '.join(meant)}" if meant else ""


class Column(NamedTuple):
    """A column of bars.

    Parameters
    ----------
    head : str
        Its words.
    measure : str
        One of `escalate.studies.measures.MEASURES`.
    level : int, str or None
        Level of that measure.
    colour : str
        Colour of its bars.
    x, width : float
        Where its bars begin, and how wide they can be [points].
    most : float
        What a bar of its whole width says, in the unit of the measure.
    """

    head: str
    measure: str
    level: int | str | None
    colour: str
    x: float
    width: float
    most: float

    @property
    def end(self) -> float:
        """Where the column ends, numbers included [points]."""
        return self.x + self.width + SLOT

    def place(self, value: float) -> float:
        """Return where a value stands [points]."""
        return self.x + self.width * value / self.most


_LATER = (
    ("patients\nwith a DLT", "dlts", "all", VERMILLION),
    ("patients\noverdosed", "overdosed", "all", GREY),
    ("patients\ninfused", "infused", "all", GREY),
    ("duration,\ndays", "duration", None, SKY),
)


class Section(NamedTuple):
    """A band with the truths below its heads."""

    columns: tuple[Column, ...]
    truths: tuple[Truth, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands [points].

    Parameters
    ----------
    bands : tuple of tuple of Column
        From the left, in as many bands below each other as the width asks for.
    names : dict of str to list of str
        The lines of each rule's name.
    width : float
        Of all.
    """

    bands: tuple[tuple[Column, ...], ...]
    names: dict[str, list[str]]
    width: float

    def row(self, rule: str) -> float:
        """Return the height of a rule's row."""
        return ROW + NAME_LINE * (len(self.names[rule]) - 1)

    @property
    def rows(self) -> float:
        """Height of the rows of all rules."""
        return sum(map(self.row, self.names))

    def height(self, sections: Sequence[Section]) -> float:
        """Return the height of sections below each other, without legend and notes."""
        tall = (HEAD + (BLOCK_HEAD + self.rows + BETWEEN) * len(section.truths) + BETWEEN for section in sections)
        return sum(tall) - 2 * BETWEEN * bool(sections)

    def all_bands(self, truths: Sequence[Truth]) -> list[Section]:
        """Return some truths in all bands."""
        return [Section(band, tuple(truths)) for band in self.bands] if truths else []


@sheet.figure(Comparison, Variants)
def plot_comparison(
    comparison: Comparison | Variants,
    *,
    ax: Axes | None = None,
    size: Size | None = None,
    title: bool = True,
    legend: bool = True,
    page: int | None = None,
) -> Axes:
    """Draw a comparison, as `escalate.compare` returns it.

    A block for each truth, a row for each rule. Bars say how often no dose and each level is recommended, with the MTD
    of the truth on a darker ground, then patients with a DLT, patients overdosed and infused, and the
    duration, with 95% Monte Carlo intervals and exact values where they exist. A dotted line is drawn at the first
    rule's value; ≈ stands before a number whose paired difference to the first rule may be Monte Carlo error, = before
    one that is the same in every trial. Of scenarios, the curves of `plot_finish` are drawn: when each has finished.

    Parameters
    ----------
    comparison : Comparison or Variants
        What to draw.
    ax : Axes, optional
        Where to draw; a figure of a fitting size is made where it is not given.
    size : {"a4", "slide", "screen"}, optional
        What a figure of its own is for, which decides its width; for a screen unless `figures_for` says else.
    title, legend : bool
        Whether heading and small print, and whether the legend are drawn.
    page : int, optional
        Of a comparison that one A4 page or slide does not hold, the page that is drawn, from 1; ``figure.pages`` says
        how many there are. All of it where it is not given.

    Returns
    -------
    Axes
        The one drawn in.
    """
    if isinstance(comparison, Variants):
        return plot_finish(comparison, ax=ax, size=size, title=title, legend=legend)
    asked = Asked(ax, size, title, legend, page)
    words = _title(comparison)
    fill_cell(asked, words)
    sheets = [_on(asked, comparison, limit) for limit in limits(asked, MOST_WIDE, NARROWER)]
    if ax:
        spread = max(sheets, key=lambda one: scale_in(ax, one.layout.width, one.layout.height(one.pages[0])))
    else:
        spread = min(sheets, key=lambda one: len(one.pages))
    layout, leaf = spread.layout, leaf_of(asked, [range(1)] * len(spread.pages))
    sections = spread.pages[leaf.number - 1]
    handles, across, tall, width = spread.handles, spread.across, spread.tall, spread.width
    notes = spread.notes if leaf.is_last else wrapped(ELSEWHERE, 0.97 * width, SMALL)
    legend_at = layout.height(sections) + BETWEEN
    height = legend_at + tall + LINE * len(notes) + 6
    board = new_board(asked, width, height, leaf.titled(words))
    y = 0.0
    for columns, truths in sections:
        _draw_heads(board, columns, y)
        y += HEAD
        for truth in truths:
            _draw_block(board, layout, columns, comparison, truth, y)
            y += BLOCK_HEAD + layout.rows + BETWEEN
        y += BETWEEN
    board.legend(legend_at, handles, across)
    for number, note in enumerate(notes):
        board.write(0, legend_at + tall + LINE * (number + 0.5) + 4, note, SMALL, color=SOFT)
    return leaf.tell(board.ax)


# Arranging


@dataclass(frozen=True, slots=True)
class Spread:
    """A comparison laid out for some width.

    Parameters
    ----------
    layout : Layout
        Where everything stands.
    pages : list of list of Section
        What stands on each page; all on one, where the figure is drawn whole.
    width : float
        Of the board [points].
    handles : list of Artist
        Of the legend.
    across : int
        Columns of the legend.
    tall : float
        Its height [points].
    notes : list of str
        Lines of small print.
    """

    layout: Layout
    pages: list[list[Section]]
    width: float
    handles: list[Artist]
    across: int
    tall: float
    notes: list[str]


def _on(asked: Asked, comparison: Comparison, limit: float) -> Spread:
    layout = _layout(comparison, limit)
    width = max(layout.width, 330.0)
    handles = _handles(comparison) if asked.legend else []
    across, tall = legend_columns(handles, width)
    told = [*_notes(comparison, layout), *caution_words(comparison.cautions)]
    notes = [line for note in told for line in wrapped(note, 0.97 * width, SMALL)]
    pages = _pages(asked, comparison, layout, width, legend=tall + 6, notes=LINE * len(notes))
    return Spread(layout, pages, width, handles, across, tall, notes)


def _pages(
    asked: Asked, comparison: Comparison, layout: Layout, width: float, *, legend: float, notes: float
) -> list[list[Section]]:
    """Return what stands on each page: truths with all their bands; single bands, where no page holds those of one."""
    truths, shape, title = comparison.truths, shape_for(asked, width), _title(comparison)
    rows, head = BLOCK_HEAD + layout.rows + BETWEEN, HEAD + BETWEEN
    many = len(layout.bands)
    if shape is None or many * (rows + head) + legend + head_height(title, width) <= shape.height:
        heights, legend = [many * rows] * len(truths), legend + many * head
        found = pages_of(asked, title, width, heights, apart=0.0, legend=legend, notes=notes)
        return [layout.all_bands([truths[block] for block in blocks]) for blocks in found]
    each = [Section(band, (truth,)) for truth in truths for band in layout.bands]
    found = pages_of(asked, title, width, [rows + head] * len(each), apart=0.0, legend=legend, notes=notes)
    return [[each[block] for block in blocks] for blocks in found]


def _layout(comparison: Comparison, limit: float) -> Layout:
    """Return everything in its place; with narrower bars, where that takes fewer bands."""
    wide, narrow = (_arranged(comparison, limit, width) for width in (WIDE, NARROW))
    return narrow if len(narrow.bands) < len(wide.bands) else wide


def _arranged(comparison: Comparison, limit: float, bar: float) -> Layout:
    names = {rule: wrapped(rule, min(0.3 * limit, MOST_NAME), TEXT) for rule in comparison.rules}
    left = max(widest([line for lines in names.values() for line in lines], TEXT), _head_width(comparison, limit)) + GAP
    bands: list[list[Column]] = []
    x = limit
    for column in _columns(comparison, bar):
        apart = GAP if column.measure != "recommended" and bands and bands[-1][-1].measure == "recommended" else 0.0
        if x + apart + column.width + SLOT > limit:
            bands.append([])
            x, apart = left, 0.0
        bands[-1].append(column._replace(x=x + apart))
        x = bands[-1][-1].end + GAP
    return Layout(tuple(map(tuple, bands)), names, max(band[-1].end for band in bands))


def _columns(comparison: Comparison, bar: float) -> list[Column]:
    """Return all columns, yet without their places."""
    levels = comparison.scenario.levels
    width = bar if levels < FEW else NARROW
    columns: list[Column] = []
    which: list[tuple[int | str, str]] = [(NO_DOSE, PAPER), *enumerate(level_colours(levels), 1)]
    for one, colour in which:
        head = NO_DOSE if one == NO_DOSE else f"level {one}"
        columns.append(Column(head, "recommended", one, colour, 0.0, width, 1.0))
    for head, measured, level, colour in _LATER:
        found = [row for row in comparison.rows if (row.measure, row.level) == (measured, level)]
        most = max((max(row.high or row.estimate, row.exact or 0.0) for row in found), default=0.0)
        if found:
            head = comparison.scenario.say(head)
            columns.append(Column(head, measured, level, colour, 0.0, bar, most or 1.0))
    return columns


def _head_width(comparison: Comparison, limit: float) -> float:
    return widest([_truth_words(comparison, truth, limit) for truth in comparison.truths], TEXT, "bold")


# Words


def _title(comparison: Comparison) -> str:
    rules, truths = len(comparison.rules), len(comparison.truths)
    counts = f"{rules} rule{'s' * (rules > 1)} under {truths} truth{'s' * (truths > 1)}"
    return f"{_finding(comparison)}: {counts}"


def _finding(comparison: Comparison) -> str:
    """Return which rules recommend the MTD most often, over all truths; those of whom that may be chance, together."""
    if any(truth.mtd is None for truth in comparison.truths):
        return "Which dose each rule recommends, how many DLTs, how long"
    means: dict[str, tuple[float, float]] = {}
    for rule in comparison.rules:
        rows = [comparison.get("recommended", truth.mtd, rule=rule, truth=truth.label) for truth in comparison.truths]
        error = sum((row.mc_se or 0.0) ** 2 for row in rows) ** 0.5 / len(rows)
        means[rule] = sum(row.estimate for row in rows) / len(rows), error
    value, error = max(means.values())
    best = [rule for rule, (mean, se) in means.items() if value - mean <= 1.96 * (error**2 + se**2) ** 0.5]
    over = "" if len(comparison.truths) == 1 else ", on average"
    if len(best) == len(means):
        least = min(means.values())[0]
        ends = f"{100 * value:.0f}%" if len(means) == 1 else f"{100 * least:.0f}% to {100 * value:.0f}%"
        return f"The MTD is recommended in {ends} of the trials{over}" + ", whatever the rule" * (len(means) > 1)
    shares = [f"{100 * means[rule][0]:.0f}%" for rule in best]
    names, often = " or ".join(best), shares[0] if len(set(shares)) == 1 else " and ".join(shares)
    if len(best) >= MOST_BEST:
        least = min(means[rule][0] for rule in best)
        names, often = f"{len(best)} of the rules", f"{100 * least:.0f}% to {100 * value:.0f}%"
    return f"The MTD is recommended most often by {names}, in {often} of the trials{over}"


def _truth_words(comparison: Comparison, truth: Truth, limit: float) -> str:
    """Return what stands above a truth's block: its number, where it has no label, or one that is too long for it."""
    number = f"Truth {comparison.truths.index(truth) + 1}"
    if truth.label == truth.words:
        return number
    return truth.label if measure(truth.label, TEXT, "bold") <= min(0.3 * limit, MOST_NAME) else number


def _notes(comparison: Comparison, layout: Layout) -> list[str]:
    about = comparison.scenario.trial
    plural = "s" * (comparison.trials > 1)
    notes = [
        about.title_and_id,
        f"{comparison.trials:,} simulated trial{plural} of each, seed {comparison.seed}: "
        "the same candidates and patients meet every rule",
    ]
    for truth in comparison.truths:
        if _truth_words(comparison, truth, layout.bands[0][0].x / 0.3) not in (truth.label, truth.words):
            number = comparison.truths.index(truth) + 1
            notes += [f"Truth {number}: {truth.label}"] * (truth.label != truth.words)
    if len(comparison.rules) > 1:
        drawn = {(column.measure, column.level) for band in layout.bands for column in band}
        signs = {_likeness(row) for row in comparison.rows if (row.measure, row.level) in drawn}
        first = comparison.rules[0]
        notes += [f"{sign}{words.format(first)}" for sign, words in LIKENESS.items() if sign in signs]
    if comparison.overdose_above is not None:
        limit = f"{100 * comparison.overdose_above:.4g}%"
        infused = comparison.scenario.say("infused")
        notes.append(f"overdosed: {infused} at a level with P(DLT) above {limit}")
        notes.append(f"MTD of a truth: the highest level whose P(DLT) is not above {limit}, unless the truth names one")
    return notes


def _likeness(row: Compared) -> str:
    """Return how a value compares with that of the first rule, if they may be the same."""
    if row.is_same:
        return "" if row.mc_se is None else SAME  # nothing to tell where neither ever varies
    low, high = row.difference_low, row.difference_high
    return ALMOST if low is not None and high is not None and low <= 0 <= high else ""


def _handles(comparison: Comparison) -> list[Artist]:
    handles: list[Artist] = []
    if any(truth.mtd is not None for truth in comparison.truths):
        handles.append(Patch(facecolor=FAINT, label="MTD of the truth, or no dose where it has none"))
    shares = {
        why: max((row.estimate for row in comparison.rows if row.measure == no_dose_measure(why)), default=0.0)
        for why in WHY_NO_DOSE
    }
    if words := not_hatched_words(shares):
        handles.append(Patch(**NOT_HATCHED, label=words))
    if shares[CAP_INCONCLUSIVE]:
        handles.append(Patch(**INCONCLUSIVE))
    handles.append(Line2D([], [], color=INK, linewidth=1.2, label="95% Monte Carlo interval"))
    if len(comparison.rules) > 1:
        style: dict[str, Any] = {"color": INK, "linewidth": 0.8, "linestyle": (0, (1, 1.5))}
        handles.append(Line2D([], [], label=f"the first rule: {comparison.rules[0]}", **style))
    for of in dict.fromkeys(row.exact_of for row in comparison.rows if row.exact_of is not None):
        handles.append(Line2D([], [], label=exact_words(of), **exact_mark(of)))
    return handles


def exact_words(of: str | None) -> str:
    """Return what an exact value is called, by what it is of: as in `Compared.exact_of`."""
    return f"exact, of the same trial with {of}" if of == WHOLE_COHORTS else "exact"


def exact_mark(of: str | None) -> dict[str, Any]:
    """Return how an exact value is drawn, by what it is of, in Matplotlib's words for a line."""
    return {
        "linestyle": "none", "marker": "D", "markersize": 4.2, "markeredgewidth": 0.9, "markeredgecolor": INK,
        "markerfacecolor": PAPER if of == WHOLE_COHORTS else INK,
    }  # fmt: skip


# Drawing


def _draw_heads(board: Board, columns: Sequence[Column], top: float) -> None:
    if columns[0].measure == "recommended":
        board.write(columns[0].x, top + 6, "P(recommended)", SMALL, fontweight="bold")
    for column in columns:
        lines = column.head.split("\n")
        for number, line in enumerate(reversed(lines)):
            board.write(column.x, top + HEAD - 10 - 11 * number, line, SMALL, color=SOFT if len(lines) == 1 else INK)


def _draw_block(
    board: Board, layout: Layout, columns: Sequence[Column], comparison: Comparison, truth: Truth, y: float
) -> None:
    board.line([0, layout.width], [y, y], 0.8, color=FAINT)
    words = _truth_words(comparison, truth, columns[0].x / 0.3)
    board.write(0, y + BLOCK_HEAD / 2, words, TEXT, fontweight="bold")
    top, tall = y + BLOCK_HEAD, layout.rows
    for column in columns:
        _draw_ground(board, column, truth, y, tall)
        if column.measure == "recommended" and isinstance(column.level, int):
            words = f"P(DLT) {100 * truth.dlt_probability[column.level - 1]:.4g}%"
            board.write(column.x, y + BLOCK_HEAD / 2, words, NUMBER, color=SOFT)
        if column.measure == "recommended" and column.level == truth.mtd:
            words = "MTD" if truth.mtd != NO_DOSE else "no MTD"
            board.write(column.end, y + BLOCK_HEAD / 2, words, NUMBER, ha="right", fontweight="bold")
    for number, rule in enumerate(comparison.rules):
        middle = top + layout.row(rule) / 2 + sum(map(layout.row, comparison.rules[:number]))
        for k, line in enumerate(layout.names[rule]):
            board.write(0, middle + NAME_LINE * (k - (len(layout.names[rule]) - 1) / 2), line, TEXT)
        for column in columns:
            row = comparison.get(column.measure, column.level, rule=rule, truth=truth.label)
            _draw_bar(board, column, row, middle)
            if (column.measure, column.level) == ("recommended", NO_DOSE):
                hatched = comparison.get(HATCHED, NO_DOSE, rule=rule, truth=truth.label)
                _draw_inconclusive(board, column, hatched, middle)
    if len(comparison.rules) > 1:
        for column in columns:
            row = comparison.get(column.measure, column.level, rule=comparison.rules[0], truth=truth.label)
            place = column.place(row.estimate)
            name = f"first|{truth.label}|{column.measure}|{column.level}"
            style: dict[str, Any] = {"color": INK, "linestyle": (0, (1, 1.5)), "zorder": 4, "gid": name}
            board.line([place, place], [top + 1, top + tall - 1], 0.8, **style)


def _draw_ground(board: Board, column: Column, truth: Truth, y: float, tall: float) -> None:
    if column.measure != "recommended":
        return
    is_mtd = column.level == truth.mtd
    colour = FAINT if is_mtd else BAND
    name = f"ground|{truth.label}|{column.level}"
    wide = column.end - column.x + 6
    board.rectangle(column.x - 3, y + 1, wide, BLOCK_HEAD + tall - 1, facecolor=colour, zorder=0.5, gid=name)


def _draw_inconclusive(board: Board, column: Column, row: Compared, y: float) -> None:
    """Hatch the part of a bar of no dose that is no verdict on the doses."""
    if row.estimate > 0:
        long, name = column.place(row.estimate) - column.x, f"inconclusive|{row.truth}|{row.rule}"
        board.rectangle(column.x, y - BAR / 2, long, BAR, gid=name, zorder=3, **INCONCLUSIVE)


def _draw_bar(board: Board, column: Column, row: Compared, y: float) -> None:
    """Draw a bar with its interval, its exact value and its number."""
    outline = VERMILLION if column.level == NO_DOSE else GREY
    name = f"{row.truth}|{row.rule}|{row.measure}|{row.level}"
    long = column.place(row.estimate) - column.x
    look: dict[str, Any] = {"facecolor": column.colour, "edgecolor": outline, "linewidth": 0.6}
    board.rectangle(column.x, y - BAR / 2, long, BAR, gid=name, zorder=2, **look)
    if row.low is not None and row.high is not None:
        ends = [column.place(row.low), column.place(row.high)]
        board.line(ends, [y, y], 1.2, color=INK, solid_capstyle="butt", zorder=5, gid=f"interval|{name}")
    if row.exact is not None:
        mark = exact_mark(row.exact_of)
        mark["markersize"] *= board.scale
        board.line([column.place(row.exact)], [y], 0.0, **mark, zorder=6, gid=f"exact|{name}")
    board.write(column.end, y, _likeness(row) + value_alone(row), NUMBER, ha="right", zorder=7)
