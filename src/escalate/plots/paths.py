"""The tree of dose paths: every course that a small trial can take, with its exact probability.

Everything is read from the dose paths; probabilities are added up where paths share their first cohorts, or are not
drawn one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import FancyBboxPatch, Patch, PathPatch
from matplotlib.path import Path

from ..errors import CallError
from ..exactly.paths import DosePath
from ..words.asked import described
from ..words.dose_path import DLT, read_path
from ..words.records import MOST_PATIENTS, NO_DOSE
from . import sheet
from .board import LEAST_SCALE, SMALL, Board, fill_cell, ink_on, legend_columns, new_board, room_on
from .sheet import Asked, Size
from .style import FAINT, GREY, INK, PAPER, SOFT, VERMILLION, points_tall, points_wide
from .texts import measure, widest, wrapped

MOST_ROWS = 64
"""So many rows at most: as many as the paths of three cohorts of three, whatever their outcomes."""

MOST_RESTS = 12
"""So many of them at most say how much is not drawn."""

FEWEST_ROWS = 8
"""A figure has so many rows even where there is no room for them."""

TEXT, NODE = 8.5, 8.2
"""Sizes of words and of what stands in a node [points]."""

ROW, CLOSE_ROW, FEW = 18.0, 14.0, 32
"""Heights of a row, and where there are more than a few [points]."""

HEAD, TOTAL = 22.0, 20.0
"""Heights of the head and of the row of the sum [points]."""

STEP = 36.0
"""From the end of a node to the beginning of the next one [points]."""

MOST_DOSE = 150.0
"""A label of a dose that is wider stands in the legend alone [points]."""

MARGIN = 6.0
"""At the right of the longest reason: letters are drawn a little wider than they are measured [points]."""

MOST_WIDE = 1400.0
"""Where a figure of its own would be wider, letters stand for reasons [points]."""

GAP = 16.0
"""Empty space between columns of words [points]."""

THINNEST, THICKEST = 0.7, 9.0
"""Widths of an edge of no probability and of probability 1 [points]."""

RAMP = ("#DCEBF7", "#94C4E8", "#4A8FCB", "#1B5C99", "#04203F")
"""Colours of the levels, from the lowest to the highest: darker and darker."""


@dataclass(slots=True)
class Node:
    """A distinct beginning of dose paths.

    Parameters
    ----------
    told : tuple of str
        Its cohorts.
    children : dict of str to Node
        By the next cohort.
    leaf : DosePath or None
        The path that ends here.
    rest : list of DosePath
        Paths that go on from here and are not drawn.
    y : float
        Height at which it stands [points].
    probability : float
        Of all paths that begin so, drawn or not.
    """

    told: tuple[str, ...]
    children: dict[str, Node] = field(default_factory=dict)
    leaf: DosePath | None = None
    rest: list[DosePath] = field(default_factory=list)
    y: float = 0.0
    probability: float = 0.0

    def rows(self) -> Iterator[tuple[Node, DosePath | None]]:
        """Yield what has a row, from the top: a node with its leaf, or with ``None`` for what is not drawn."""
        if self.leaf is not None:
            yield self, self.leaf
        for _, child in sorted(self.children.items(), key=lambda item: cohort_of(item[0])):
            yield from child.rows()
        if self.rest:
            yield self, None

    def every(self) -> Iterator[Node]:
        """Yield the node and all that come after it."""
        yield self
        for child in self.children.values():
            yield from child.every()


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands [points].

    Parameters
    ----------
    root : Node
        Before the first cohort.
    rows : list of (Node, DosePath or None)
        From the top.
    row : float
        Height of a row.
    node : float
        Width of a node.
    cohorts : int
        How many cohorts the longest path has.
    columns : tuple of float
        Where probability ends, where recommendation and reason begin, and where everything ends.
    keyed : dict of str to str
        The letter that stands for each reason, where there is no room for its words.
    short : dict of str to str
        What is written for each recommended dose.
    """

    root: Node
    rows: list[tuple[Node, DosePath | None]]
    row: float
    node: float
    cohorts: int
    columns: tuple[float, float, float, float]
    keyed: dict[str, str]
    short: dict[str, str]

    def x(self, depth: int) -> float:
        """Return where the node of a cohort has its middle; 0 is before the first one."""
        return START + (depth - 1) * (self.node + STEP) + STEP + self.node / 2 if depth else START

    @property
    def height(self) -> float:
        """Height of head, rows and sum."""
        return HEAD + len(self.rows) * self.row + TOTAL


START = 4.0
"""Where the tree begins [points]."""


@sheet.figure()
def plot_dose_paths(
    paths: Iterable[DosePath],
    *,
    doses: Sequence[str] | None = None,
    ax: Axes | None = None,
    size: Size | None = None,
    title: bool = True,
    legend: bool = True,
) -> Axes:
    """Draw the tree of a trial's dose paths, as `escalate.dose_paths` returns them.

    The tree grows from left to right, one column for each cohort. A node has the level and the DLTs of its cohort,
    and its level's colour; an edge is as wide as it is probable. Beside each leaf stand its probability, the dose that
    is recommended, and why the escalation ended; fewer DLTs are above. Of many paths the most probable ones are drawn,
    and rows of their own say how many are not, and how probable those are together.

    Parameters
    ----------
    paths : iterable of DosePath
        The paths.
    doses : sequence of str, optional
        Labels of the dose levels, lowest first: a recommended dose then has the colour of its level.
    ax : Axes, optional
        Where to draw; a figure of a fitting size is made where it is not given.
    size : {"a4", "slide", "screen"}, optional
        What a figure of its own is for, which decides its width; for a screen unless `figures_for` says else.
    title, legend : bool
        Whether heading and small print, and whether the legend are drawn.

    Returns
    -------
    Axes
        The one drawn in.
    """
    found = sorted(_checked(paths), key=lambda path: (-path.probability, path.path))
    asked, most = Asked(ax, size, title, legend), MOST_ROWS
    if ax is not None:
        fill_cell(asked, _title_words(len(found), len(found)))
        most = min(max(int(points_tall(ax) / (CLOSE_ROW * LEAST_SCALE)) - 7, FEWEST_ROWS), MOST_ROWS)
    root = tree(found, most)
    colours = level_colours(max([len(doses or ()), *(cohort_of(c)[0] for node in root.every() for c in node.told)]))
    layout = arrange(root, found, doses)
    wide = points_wide(ax) / LEAST_SCALE if ax is not None else room_on(asked, MOST_WIDE)
    if layout.columns[3] > wide:
        layout = arrange(root, found, doses, keyed=True)
    handles = _handles(layout, colours, doses) if legend else []
    width = max(layout.columns[3], 330.0)
    columns, tall = legend_columns(handles, width)
    notes = [line for note in _notes(layout) for line in wrapped(note, 0.94 * width, SMALL)]
    below = layout.height + 12
    board = new_board(asked, width, below + tall + 4 + 12.5 * len(notes), _title(layout, found))
    _place(layout)
    _draw_head(board, layout)
    for node in root.every():
        _draw_node(board, layout, node, colours)
    for place, (node, leaf) in enumerate(layout.rows):
        y = HEAD + (place + 0.5) * layout.row
        if leaf is None:
            _draw_rest(board, layout, node, y)
        else:
            _draw_leaf(board, layout, leaf, y, _dose_colour(leaf.recommended, doses, colours))
    _draw_sum(board, layout, found)
    board.legend(below, handles, columns)
    for k, line in enumerate(notes):
        board.write(0, below + tall + 4 + 12.5 * (k + 0.5), line, color=SOFT)
    return board.ax


# Arranging


def cohort_of(text: str) -> tuple[int, int, int]:
    """Return level, DLTs and patients of a cohort as a dose path writes it.

    Parameters
    ----------
    text : str
        As in ``2NNT``.
    """
    (cohort,) = read_path(text, MOST_PATIENTS)
    return cohort.level + 1, cohort.count(DLT), len(cohort.patients)


def _checked(paths: Iterable[DosePath]) -> list[DosePath]:
    """Return paths as a list, or raise `CallError` where they are none."""
    found = list(paths) if isinstance(paths, Iterable) else [paths]
    if not all(isinstance(path, DosePath) for path in found):
        raise CallError(f"plot_dose_paths takes what escalate.dose_paths(scenario) returns, got {described(paths)}")
    return found


def tree(paths: Sequence[DosePath], most: int) -> Node:
    """Return the tree of the most probable paths, the others gathered where they branch off, in so many rows.

    Parameters
    ----------
    paths : sequence of DosePath
        The most probable one first.
    most : int
        How many rows there may be.
    """
    kept = len(paths) if len(paths) <= most else most - min(MOST_RESTS, most // 2)
    root = Node(())
    for path in paths[:kept]:
        node = root
        for cohort in path.path.split():
            node = node.children.setdefault(cohort, Node((*node.told, cohort)))
        node.leaf = path
    rest = [(path, _last_drawn(root, path)) for path in paths[kept:]]
    depth = max((len(node.told) for _, node in rest), default=0)
    while len({node.told[:depth] for _, node in rest}) > most - kept:
        depth -= 1
    for path, node in rest:
        _at(root, node.told[:depth]).rest.append(path)
    for path in paths:
        node = root
        root.probability += path.probability
        for cohort in path.path.split():
            if cohort not in node.children:
                break
            node = node.children[cohort]
            node.probability += path.probability
    return root


def _last_drawn(root: Node, path: DosePath) -> Node:
    """Return the last node of a path that is drawn."""
    node = root
    for cohort in path.path.split():
        if cohort not in node.children:
            break
        node = node.children[cohort]
    return node


def _at(root: Node, told: Iterable[str]) -> Node:
    node = root
    for cohort in told:
        node = node.children[cohort]
    return node


def arrange(
    root: Node, paths: Sequence[DosePath], doses: Sequence[str] | None = None, *, keyed: bool = False
) -> Layout:
    """Give every row and every column its place.

    Parameters
    ----------
    root : Node
        The tree.
    paths : sequence of DosePath
        All paths, drawn or not.
    doses : sequence of str, optional
        Labels of the dose levels, lowest first.
    keyed : bool
        Whether letters stand for the reasons.
    """
    rows = list(root.rows())
    leaves = [leaf for _, leaf in rows if leaf is not None]
    reasons = list(dict.fromkeys(leaf.reason for leaf in leaves))
    letters = {reason: chr(ord("a") + k) for k, reason in enumerate(reasons)} if keyed else {}
    node = widest([node_words(node) for node in root.every() if node.told], NODE) + 9
    cohorts = max((len(one.told) for one in root.every()), default=0)
    tree_ends = START + cohorts * (node + STEP)
    chances = [percent(leaf.probability) for leaf in leaves]
    chances += [percent(sum(path.probability for path in one.rest)) for one in root.every() if one.rest]
    probability = tree_ends + GAP + max(widest([*chances, "100.0%"], TEXT), measure("probability", SMALL, "bold"))
    dose = probability + GAP
    short = {label: short_dose(label, doses) for label in {path.recommended for path in paths}}
    reason = dose + max(widest(short.values(), TEXT) + 14, measure("recommended", SMALL, "bold"))
    reason += GAP
    shown = [] if len(reasons) == 1 else [letters.get(text, text) for text in reasons]
    ends = reason + max(widest(shown, TEXT), measure(_why(keyed), SMALL, "bold")) + MARGIN if shown else reason - GAP
    rests = widest([rest_words(one.rest) for one in root.every() if one.rest], TEXT)
    ends = max(ends, dose + rests, dose + measure(_sum_words(paths), TEXT))
    row = ROW if len(rows) <= FEW else CLOSE_ROW
    return Layout(root, rows, row, node, cohorts, (probability, dose, reason, ends), letters, short)


def _place(layout: Layout) -> None:
    """Give every node its height: a leaf that of its row, any other the middle of what comes after it."""
    places: dict[tuple[str, ...], list[float]] = {}
    for place, (node, leaf) in enumerate(layout.rows):
        if leaf is not None:
            for depth in range(len(node.told) + 1):
                places.setdefault(node.told[:depth], []).append(HEAD + (place + 0.5) * layout.row)
    for node in layout.root.every():
        heights = places.get(node.told, [HEAD + layout.row / 2])
        node.y = (heights[0] + heights[-1]) / 2


# Words


def percent(probability: float) -> str:
    """Return a probability in percent, with two or three digits that count.

    Parameters
    ----------
    probability : float
        From 0 to 1.
    """
    for least, digits in ((0.1, 1), (0.001, 2), (0.0001, 3), (0.00001, 4)):
        if probability >= least:
            return f"{100 * probability:.{digits}f}%"
    return "<0.001%" if probability > 0 else "0%"


def node_words(node: Node) -> str:
    """Return level, DLTs and patients of a node's cohort.

    Parameters
    ----------
    node : Node
        Any but the root.
    """
    level, dlts, patients = cohort_of(node.told[-1])
    return f"{level}: {dlts}/{patients}"


def short_dose(label: str, doses: Sequence[str] | None) -> str:
    """Return a recommended dose as it stands in a row: its level, where the label is long and the legend has it.

    Parameters
    ----------
    label : str
        Of the dose, or no dose.
    doses : sequence of str, optional
        Labels of the dose levels, lowest first.
    """
    known = doses is not None and label in doses and (measure(label, TEXT) > MOST_DOSE or "\n" in label)
    return f"level {list(doses or ()).index(label) + 1}" if known else label


def rest_words(rest: Sequence[DosePath]) -> str:
    """Return how many paths are not drawn.

    Parameters
    ----------
    rest : sequence of DosePath
        Those.
    """
    return f"{len(rest):,} more path{'' if len(rest) == 1 else 's'}, not drawn"


def _sum_words(paths: Sequence[DosePath]) -> str:
    return f"sum of all {len(paths):,} paths" if len(paths) != 1 else "the only path"


def _title(layout: Layout, paths: Sequence[DosePath]) -> str:
    return _title_words(sum(leaf is not None for _, leaf in layout.rows), len(paths))


def _title_words(drawn: int, paths: int) -> str:
    if drawn == paths:
        return f"Every course that the trial can take: {paths} dose path{'' if paths == 1 else 's'}"
    return f"The {drawn} most probable of {paths:,} dose paths that the trial can take"


def _notes(layout: Layout) -> list[str]:
    """Return the lines below the legend."""
    notes = ["A node says level: DLTs/evaluable patients of its cohort; an edge is as wide as it is probable."]
    reasons = list(dict.fromkeys(leaf.reason for _, leaf in layout.rows if leaf is not None))
    if len(reasons) == 1:
        notes.append(f"Why the escalation ended, on every path drawn: {reasons[0]}")
    elif layout.keyed:
        told = "; ".join(f"{letter}  {reason}" for reason, letter in layout.keyed.items())
        notes.append(f"Why the escalation ended: {told}")
    return notes


# Colours


def level_colours(levels: int) -> list[str]:
    """Return a colour for each level, the higher the darker.

    Parameters
    ----------
    levels : int
        How many.
    """
    last = len(RAMP) - 1
    places = [last * k / max(levels - 1, 1) for k in range(levels)]
    if levels == 2:
        places = [0.5, last - 1.0]
    return [_between(place) for place in places]


def _between(place: float) -> str:
    low = min(int(place), len(RAMP) - 2)
    share = place - low
    mixed = [(1 - share) * a + share * b for a, b in zip(to_rgb(RAMP[low]), to_rgb(RAMP[low + 1]), strict=True)]
    return to_hex((mixed[0], mixed[1], mixed[2]))


def _dose_colour(label: str, doses: Sequence[str] | None, colours: Sequence[str]) -> str | None:
    """Return the colour of a recommended dose; ``None`` for no dose, paper for one whose level is not known."""
    if label == NO_DOSE:
        return None
    return colours[list(doses).index(label)] if doses is not None and label in doses else PAPER


def _handles(layout: Layout, colours: Sequence[str], doses: Sequence[str] | None) -> list[Artist]:
    levels = {cohort_of(cohort)[0] for node in layout.root.every() for cohort in node.told}
    handles: list[Artist] = []
    for level, colour in enumerate(colours, 1):
        if level in levels or doses is not None:
            label = f"level {level}" + (f": {doses[level - 1]}" if doses is not None and level <= len(doses) else "")
            handles.append(Patch(facecolor=colour, edgecolor=GREY, linewidth=0.6, label=label))
    if any(leaf is not None and leaf.recommended == NO_DOSE for _, leaf in layout.rows):
        handles.append(Patch(facecolor=PAPER, edgecolor=VERMILLION, linewidth=1.4, label=NO_DOSE))
    return handles


# Drawing


def _draw_head(board: Board, layout: Layout) -> None:
    style: dict[str, Any] = {"fontweight": "bold"}
    short = layout.node + STEP < measure("cohort 10", SMALL, "bold") + 6
    for depth in range(1, layout.cohorts + 1):
        name = f"{depth}" if short else f"cohort {depth}"
        board.write(layout.x(depth), 6, name, ha="center", **style)
    probability, dose, reason, ends = layout.columns
    board.write(probability, 6, "probability", ha="right", **style)
    board.write(dose, 6, "recommended", **style)
    if ends > reason and _has_reasons(layout):
        board.write(reason, 6, _why(bool(layout.keyed)), **style)
    board.line([0, ends], [14, 14], 0.8, color=FAINT)


def _why(keyed: bool) -> str:
    return "why" if keyed else "why the escalation ended"


def _has_reasons(layout: Layout) -> bool:
    return len({leaf.reason for _, leaf in layout.rows if leaf is not None}) > 1


def _draw_node(board: Board, layout: Layout, node: Node, colours: Sequence[str]) -> None:
    depth, tall = len(node.told), layout.row - 3.5
    x = layout.x(depth)
    for child in node.children.values():
        start = x + (layout.node / 2 if depth else 0)
        _draw_edge(board, (start, node.y), (layout.x(depth + 1) - layout.node / 2, child.y), child.probability)
    if node.leaf is not None:
        end = layout.x(layout.cohorts) + layout.node / 2 + GAP / 2
        board.line([x + layout.node / 2, end], [node.y, node.y], 0.8, color=FAINT, linestyle=(0, (1, 2)), zorder=1)
    if not depth:
        board.line([x], [node.y], 0.0, marker="o", markersize=7 * board.scale, color=SOFT, zorder=3)
        return
    colour = colours[cohort_of(node.told[-1])[0] - 1]
    corner = (x - layout.node / 2, node.y - tall / 2)
    style: dict[str, Any] = {"facecolor": colour, "edgecolor": GREY, "linewidth": 0.6 * board.scale, "zorder": 3}
    shape = "round,pad=0,rounding_size=3"
    name = " ".join(node.told)
    board.ax.add_patch(FancyBboxPatch(corner, layout.node, tall, boxstyle=shape, gid=name, **style))
    board.write(x, node.y, node_words(node), NODE, ha="center", color=ink_on(colour), zorder=4)


def _draw_edge(
    board: Board, start: tuple[float, float], end: tuple[float, float], probability: float, **style: Any
) -> None:
    """Draw an edge as a curve that leaves and arrives level."""
    half = (start[0] + end[0]) / 2
    curve = Path([start, (half, start[1]), (half, end[1]), end], [Path.MOVETO, *[Path.CURVE4] * 3])
    width = THINNEST + (THICKEST - THINNEST) * min(max(probability, 0.0), 1.0)
    look = {"edgecolor": GREY, "linewidth": width * board.scale, "zorder": 2, "capstyle": "butt", **style}
    board.ax.add_patch(PathPatch(curve, facecolor="none", **look))


def _draw_leaf(board: Board, layout: Layout, leaf: DosePath, y: float, colour: str | None) -> None:
    probability, dose, reason, _ = layout.columns
    board.write(probability, y, percent(leaf.probability), TEXT, ha="right")
    words = layout.short[leaf.recommended]
    tall, width = layout.row - 3.5, measure(words, TEXT) + 10
    if colour is None:
        outline = {"facecolor": PAPER, "edgecolor": VERMILLION, "linewidth": 1.2}
        board.rectangle(dose, y - tall / 2, width, tall, **outline)
        board.write(dose + 5, y, words, TEXT, color=VERMILLION)
    else:
        board.rectangle(dose, y - tall / 2, width, tall, facecolor=colour, edgecolor=GREY, linewidth=0.6)
        board.write(dose + 5, y, words, TEXT, color=ink_on(colour))
    if _has_reasons(layout):
        board.write(reason, y, layout.keyed.get(leaf.reason, leaf.reason), TEXT, color=INK)


def _draw_rest(board: Board, layout: Layout, node: Node, y: float) -> None:
    """Draw a row for paths that are not drawn: a dashed edge from where they branch off."""
    chance = sum(path.probability for path in node.rest)
    depth = len(node.told)
    start = layout.x(depth) + (layout.node / 2 if depth else 0)
    end = start + STEP
    _draw_edge(board, (start, node.y), (end, y), chance, linestyle=(0, (2, 1.2)))
    right = layout.x(layout.cohorts) + layout.node / 2 + GAP / 2
    board.line([end, right], [y, y], 0.8, color=GREY, linestyle=(0, (4, 3)), zorder=1)
    probability, dose, _, _ = layout.columns
    board.write(probability, y, percent(chance), TEXT, ha="right", style="italic")
    board.write(dose, y, rest_words(node.rest), TEXT, style="italic")


def _draw_sum(board: Board, layout: Layout, paths: Sequence[DosePath]) -> None:
    probability, dose, _, ends = layout.columns
    top = HEAD + len(layout.rows) * layout.row + 3
    board.line([layout.x(layout.cohorts) + layout.node / 2 + GAP, ends], [top, top], 0.8, color=FAINT)
    total = percent(sum(path.probability for path in paths))
    board.write(probability, top + 9, total, TEXT, ha="right", fontweight="bold")
    board.write(dose, top + 9, _sum_words(paths), TEXT)
