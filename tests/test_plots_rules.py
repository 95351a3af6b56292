"""Figures of rules, read by their artists as a reader reads them, and held against the tables and dose paths.

Seen to fail with these bugs planted in ``src/escalate/plots`` (test, without ``test_``: the bugs that it caught):

- no_text_overlaps_another_one_or_is_cut_off: no room at the edges; a long title in one line; two lines of words in
  a row of one
- letters_of_a_figure_of_its_own_can_be_read_on_their_ground: white letters on light ground; numbers of 6.5 points
- the_figure_is_of_a_sensible_size: all blocks of a table in one band
- a_given_axes_is_drawn_into_and_returned: a given Axes is ignored; a given Axes that is too small gets letters of
  full size
- the_same_figure_gives_the_same_bytes: random places
- figures_are_nobodys: pyplot makes the figure
- colours_are_told_apart_in_grey: escalate as grey as suspend; two levels of one colour
- the_title_has_the_rule_in_words: a title without the rule
- the_legend_lists_the_letters_that_occur: all letters, always
- every_count_has_its_letter_on_its_colour_inside_its_cell: one colour for all; patients and DLTs swapped; letters
  larger than their cells; gaps where a table has no line
- every_cell_has_the_colour_of_its_letter_and_its_text: cells one column to the right; a split cell in one colour;
  cut-off off by 0.01, or left out; rows made one although they differ; letters of a split cell upside down; numbers
  of pending patients off by one
- cells_are_split_between_two_and_three_letters: no note on split cells
- text_stays_inside_its_part_of_a_cell: cells too narrow for their cut-offs
- rows_are_one_only_from_where_nothing_changes: the last row does not say that it is one of more DLTs
- every_data_cut_has_its_counts_beliefs_and_decisions: DLTs and evaluable patients swapped; what a decision turns to
  has its colour, or is not drawn; only the first dose path
- bars_are_as_long_as_what_is_believed: bars of another length
- the_level_that_is_given_next_is_outlined: the level above is; none is
- the_rows_that_are_not_drawn_are_counted: rows left out silently; one row too few counted
- the_legend_lists_the_decisions_that_occur: decisions that do not occur; no labels of the doses; no remarks
- every_path_is_a_leaf_with_probability_dose_and_reason: half the probability; the dose of the level below; no dose
  looks like a dose; the reason of the first leaf; the only reason not said; the least probable paths drawn
- there_is_one_node_for_each_distinct_beginning: nodes coloured by their DLTs; nodes too narrow for their words
- edges_are_as_wide_as_they_are_probable: all of one width; only the last path counts
- edges_do_not_cross_and_fewer_dlts_are_above: more DLTs above; the more probable above; rows too low
- the_sum_of_all_probabilities_is_shown: only the first paths added up; percentages without digits
- the_sum_is_that_of_the_paths_given: 100%, always
- what_is_not_drawn_is_said_where_it_branches_off: no row for what is not drawn; all of it at the root; the
  probability of the whole branch; one path too many counted
- the_legend_lists_the_levels_and_no_dose_if_it_occurs: no dose, always
- paths_of_one_cohort_of_ten_levels_and_of_a_list_in_any_order: level 10 read as level 0
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Patch, PathPatch, Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

import escalate as esc
from conftest import ROOT
from escalate.exactly.paths import DosePath
from escalate.plots import plot_decision_table, plot_dose_paths, style
from escalate.plots.letters import ACTION_COLOURS, COLOURS, is_framed
from escalate.plots.next_dose import MOST_WORDS, TEXT, arrange, said_of
from escalate.plots.paths import level_colours
from escalate.plots.texts import balanced
from escalate.protocol_tables import (
    LETTERS,
    CountPart,
    CountTable,
    NextDose,
    NextDoseTable,
    PendingCell,
    PendingPart,
    PendingTable,
    Place,
)
from escalate.protocol_tables.next_dose import Ways
from escalate.scenario.own_rules import Known
from escalate.words.data_cut import Counts
from escalate.words.records import NO_LEVEL, Action, Decision

TWO, SIX = "nct06337474", "six-dose-oncology"
PARTIAL = {"min_completed": 2, "most_pending_share": 1}
TITE_BOIN = {"name": "TITE-BOIN", "target": 0.25}
CRM = {"name": "CRM", "target": 0.25, "prior_mtd_level": 2}

LINES = {"3": "E S D DU", "6": "E E S D DU DU DU", "9": "E E S S D DU DU DU DU DU"}

COUNTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "BOIN 3": ({"name": "BOIN", "target": 0.25}, {"patients": 3}),
    "BOIN 12": ({"name": "BOIN", "target": 0.25}, {}),
    "BOIN 36": ({"name": "BOIN", "target": 0.25}, {"patients": 36}),
    "3+3": ({"name": "3+3"}, {"patients": 6}),
    "every stop": ({"python": "every stop"}, {"patients": 6}),
    "table": ({"name": "table", "target": 0.25, "decisions": LINES}, {}),
}
PENDING: dict[str, tuple[dict[str, Any], int]] = {
    "rolling six": ({"name": "rolling six"}, 3),
    "TITE-BOIN": (TITE_BOIN, 3),
    "TITE-BOIN, sample size": ({**TITE_BOIN, **PARTIAL, "method": "effective_sample_size"}, 3),
    "TITE-BOIN, one by one": (TITE_BOIN, 1),
}
NEXT: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "CRM": (TWO, CRM, {}),
    "CRM, six levels": (SIX, {**CRM, "prior_mtd_level": 4}, {"cohorts": 2}),
    "CRM, long": (SIX, {**CRM, "prior_mtd_level": 4}, {"cohorts": 4}),
    "TITE-CRM": (TWO, {**CRM, "name": "TITE-CRM"}, {}),
    "BLRM": (TWO, {"name": "BLRM"}, {}),
    "3+3 ahead": (TWO, {"name": "3+3"}, {"cohorts": 3}),
}
PATHS: dict[str, tuple[str, dict[str, Any]]] = {
    "paths of 3+3 A": (TWO, {"name": "3+3", "variant": "A"}),
    "paths of 3+3 C": (TWO, {"name": "3+3", "variant": "C"}),
    "paths of BOIN": (TWO, {"name": "BOIN", "target": 0.25}),
    "paths of CRM": (TWO, CRM),
    "paths of BLRM": (TWO, {"name": "BLRM"}),
    "paths of six levels": (SIX, {"name": "3+3", "variant": "B"}),
}
PARTS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "parts of 3+3": (TWO, {"name": "3+3"}, {}),
    "parts of BOIN": (SIX, {"name": "BOIN", "target": 0.25}, {"patients": [3, 6, 9, 12]}),
    "parts of rolling six": (TWO, {"name": "rolling six"}, {}),
    "parts of TITE-BOIN": (TWO, TITE_BOIN, {}),
}
"""Tables with all their parts; the others have one, so that what is drawn can be read by its place."""

TABLES = [*COUNTS, *PENDING, *NEXT, *PARTS]
ALL = [*TABLES, *PATHS]


@esc.rule(name="every stop")
def every_stop(known: Known) -> tuple[str, int] | str:
    """Stop for one, two and no DLTs with this, the lower and the higher level, for more without one."""
    levels = {0: min(known.level + 1, known.levels), 1: known.level, 2: max(known.level - 1, 1)}
    return ("stop", levels[known.y]) if known.y in levels else "stop"


@cache
def loaded(file: str) -> esc.Scenario:
    return esc.load(ROOT / "scenarios" / f"{file}.toml")


def scenario(file: str, rule: dict[str, Any], cohort_size: int = 3) -> esc.Scenario:
    most = {"limits.most_per_level": 9} if rule.get("name") == "table" else {}
    with_rule = loaded(file).replace({"rule": rule, **most})
    if cohort_size == 3:
        return with_rule
    return with_rule.model_copy(update={"safety": with_rule.safety.model_copy(update={"cohort_size": cohort_size})})


@cache
def table(name: str) -> Any:
    if name in COUNTS:
        rule, options = COUNTS[name]
        return middle(esc.decision_table(scenario(SIX, rule), **options))
    if name in PENDING:
        rule, size = PENDING[name]
        few = scenario(SIX, rule, size).replace({"trial.planned_patients": 12, "trial.planned_completion_date": None})
        return middle(esc.decision_table(few))
    file, rule, options = NEXT[name] if name in NEXT else PARTS[name]
    return esc.decision_table(scenario(file, rule), **options)


def middle(of: Any) -> Any:
    """Return a table of nothing but the levels with others above and below."""
    return replace(of, parts=(of.part(2),))


@cache
def paths(name: str) -> tuple[DosePath, ...]:
    return tuple(esc.dose_paths(scenario(*PATHS[name])))


def doses(name: str) -> list[str]:
    return [level.label for level in scenario(*PATHS[name]).dose_levels]


def draw(name: str, ax: Axes | None = None) -> Axes:
    ax = (
        plot_dose_paths(paths(name), doses=doses(name), ax=ax)
        if name in PATHS
        else plot_decision_table(table(name), ax=ax)
    )
    ax.figure.draw_without_rendering()
    return ax


@cache
def drawn(name: str) -> Axes:
    """Return a figure, drawn once for all tests that only look."""
    return draw(name)


@cache
def extents(ax: Axes) -> dict[Text | Patch, tuple[float, float, float, float]]:
    """Return where every text and patch is, in data of the Axes: x and y from, x and y to."""
    back, found = ax.transData.inverted(), {}
    for artist in [*ax.texts, *ax.patches]:
        (a, b), (c, d) = back.transform(artist.get_window_extent().get_points())
        found[artist] = (min(a, c), min(b, d), max(a, c), max(b, d))
    return found


def box(ax: Axes, artist: Text | Patch) -> Bbox:
    return Bbox.from_extents(extents(ax)[artist])


def centre(ax: Axes, artist: Text | Patch) -> tuple[float, float]:
    x0, y0, x1, y1 = extents(ax)[artist]
    return (x0 + x1) / 2, (y0 + y1) / 2


def holds(ax: Axes, artist: Patch, x: float, y: float) -> bool:
    """Return whether a place lies inside a patch."""
    x0, y0, x1, y1 = extents(ax)[artist]
    return x0 < x < x1 and y0 < y < y1


def texts_in(ax: Axes, patch: Patch) -> list[Text]:
    """Return the texts whose middle lies inside a patch, from the top."""
    found = [text for text in ax.texts if holds(ax, patch, *centre(ax, text))]
    return sorted(found, key=lambda text: centre(ax, text)[1])


@cache
def filled(ax: Axes) -> list[Patch]:
    """Return rectangles with a face, as they lie upon each other."""
    return [patch for patch in ax.patches if isinstance(patch, Rectangle) and patch.get_facecolor()[3] > 0]


def colour(patch: Patch) -> str:
    return to_hex(patch.get_facecolor())


def ground(ax: Axes, text: Text) -> Patch | None:
    """Return the topmost patch with a face behind the middle of a text."""
    x, y = centre(ax, text)
    hit = [patch for patch in ax.patches if holds(ax, patch, x, y) and patch.get_facecolor()[3] > 0]
    return max(hit, key=lambda patch: patch.get_zorder()) if hit else None


def words(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def legend_words(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def all_texts(ax: Axes) -> list[Text]:
    """Return every text that is seen."""
    legend = ax.get_legend()
    found = [*ax.texts, ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels(), *ax.get_yticklabels()]
    found += [] if legend is None else legend.get_texts()
    found.append(ax._left_title)  # type: ignore[attr-defined]
    return [text for text in found if text.get_text().strip()]


def overlaps(boxes: list[tuple[str, Bbox]], slack: float) -> list[tuple[str, str]]:
    """Return which texts overlap by more than some dots on every side."""
    x0, y0, x1, y1 = np.array([extent.extents for _, extent in boxes]).T
    across = np.minimum.outer(x1, x1) - np.maximum.outer(x0, x0) > 2 * slack
    down = np.minimum.outer(y1, y1) - np.maximum.outer(y0, y0) > 2 * slack
    return [(boxes[a][0], boxes[b][0]) for a, b in np.argwhere(np.triu(across & down, 1))]


def luminance(name: str) -> float:
    red, green, blue = to_rgb(name)
    return 0.299 * red + 0.587 * green + 0.114 * blue


# All figures


@pytest.mark.parametrize("name", ALL)
def test_no_text_overlaps_another_one_or_is_cut_off(name: str) -> None:
    ax = drawn(name)
    boxes = [(text.get_text(), text.get_window_extent()) for text in all_texts(ax)]
    assert not overlaps(boxes, 0.5)
    room = ax.figure.bbox
    for text, extent in boxes:
        assert room.x0 <= extent.x0 and extent.x1 <= room.x1, text
        assert room.y0 <= extent.y0 and extent.y1 <= room.y1, text


@pytest.mark.parametrize("name", ALL)
def test_letters_of_a_figure_of_its_own_can_be_read_on_their_ground(name: str) -> None:
    ax = drawn(name)
    assert min(text.get_fontsize() for text in all_texts(ax)) >= 8
    for text in ax.texts:
        behind = ground(ax, text)
        face = "white" if behind is None else colour(behind)
        assert abs(luminance(to_hex(text.get_color())) - luminance(face)) > 0.4, text.get_text()


@pytest.mark.parametrize("name", ALL)
def test_the_figure_is_of_a_sensible_size(name: str) -> None:
    ax = drawn(name)
    width, height = ax.figure.get_size_inches()
    assert 3 < width < 14 and 2 < height < 20
    seen = Bbox.union([text.get_window_extent() for text in all_texts(ax)])
    assert seen.width > 0.85 * ax.figure.bbox.width and seen.height > 0.8 * ax.figure.bbox.height


GIVEN = re.compile(r"in (\d+\.\d) x (\d+\.\d) inches there is room")


def drawn_beside_another(draw: Callable[[Axes], Axes], size: tuple[float, float]) -> tuple[Axes, Axes]:
    """Draw into the left of two Axes; in the size that is asked for, where the first one is too small."""
    for attempt in range(2):
        figure = Figure(figsize=size)
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2)
        try:
            assert draw(left) is left
            return left, right
        except esc.EscalateError as error:
            asked = GIVEN.search(str(error))
            assert asked and not attempt, error
            assert not left.texts and not left.patches and not left.lines and not left.get_title(loc="left")
            size = 2 * float(asked[1]) + 0.2, float(asked[2]) + 0.2
    raise AssertionError


@pytest.mark.parametrize("name", ALL)
def test_a_given_axes_is_drawn_into_and_returned(name: str) -> None:
    left, right = drawn_beside_another(lambda ax: draw(name, ax), (14, 7))
    assert left.patches and not right.patches and not right.texts and not right.lines
    assert (right.get_xlim(), right.get_ylim()) == ((0, 1), (0, 1))
    assert left.figure.axes == [left, right]
    assert min(text.get_fontsize() for text in all_texts(left)) >= 6
    room = left.figure.bbox
    inside = Bbox([[room.x0, room.y0], [(room.x0 + room.x1) / 2, room.y1]])  # its cell of the grid
    boxes = [(text.get_text(), text.get_window_extent()) for text in left.texts]
    for text, extent in boxes:
        assert inside.x0 <= extent.x0 and extent.x1 <= inside.x1, text
        assert inside.y0 <= extent.y0 and extent.y1 <= inside.y1, text
    assert not overlaps(boxes, 1.0)


@pytest.mark.parametrize("name", ["BOIN 12", *PENDING, "TITE-CRM", "BLRM", "paths of 3+3 C", "paths of six levels"])
def test_the_same_figure_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    one, two = tmp_path / "one.svg", tmp_path / "two.svg"
    style.save(drawn(name), one)
    style.save(draw(name), two)
    assert one.read_bytes() == two.read_bytes()
    assert b"<svg" in one.read_bytes()


def test_figures_are_nobodys() -> None:
    plt.close("all")
    for name in ("BOIN 3", "rolling six", "CRM", "paths of BLRM"):
        draw(name)
    assert not plt.get_fignums()


def test_colours_are_told_apart_in_grey() -> None:
    """Letters of stops with a dose share their colour, white, and have a frame."""
    framed = {letter for letter in COLOURS if is_framed(letter)}
    assert framed == {"R", "RL", "RH", "ST"} and {COLOURS[letter] for letter in framed} == {"#FFFFFF"}
    for colours in (
        {COLOURS[letter] for letter in COLOURS.keys() - framed},
        ACTION_COLOURS.values(),
        level_colours(2),
        level_colours(6),
    ):
        for one, other in itertools.combinations(colours, 2):
            assert abs(luminance(one) - luminance(other)) > 0.14, (one, other)


@pytest.mark.parametrize("name", TABLES)
def test_the_title_has_the_rule_in_words(name: str) -> None:
    title = " ".join(drawn(name).get_title(loc="left").split())
    assert table(name).rule in title


@pytest.mark.parametrize("name", [*COUNTS, *PENDING, *PARTS])
def test_the_legend_lists_the_letters_that_occur(name: str) -> None:
    said = table(name).said
    shown = [words.replace("\n", " ") for words in legend_words(drawn(name))]
    assert shown == [f"{letter}  {LETTERS[letter]}" for letter in LETTERS if letter in said]


# Counts


def written(part: CountPart) -> dict[tuple[str, int], str]:
    """Return the letters of a part by its rows' labels and numbers of patients."""
    rows = {row[0].replace(" or more", ""): row[1:] for row in part.grid_rows()}
    named = {("≥" if part.grid_rows()[-1][0] == f"{label} or more" else "") + label: row for label, row in rows.items()}
    return {(label, n): x for label, row in named.items() for n, x in zip(part.patients, row, strict=True) if x}


@pytest.mark.parametrize("name", COUNTS)
def test_every_count_has_its_letter_on_its_colour_inside_its_cell(name: str) -> None:
    ax, of = drawn(name), table(name)
    assert isinstance(of, CountTable)
    [part] = of.parts
    cells = filled(ax)
    top, left = min(extents(ax)[p][1] for p in cells), min(extents(ax)[p][0] for p in cells)
    end = max(extents(ax)[p][3] for p in cells)
    numbers = [
        (text, *centre(ax, text)) for text in ax.texts if text.get_text().isdigit() and centre(ax, text)[1] < top
    ]
    labels = [(text, *centre(ax, text)) for text in ax.texts if re.fullmatch(r"≥?\d+|any", text.get_text())
              and top < centre(ax, text)[1] < end and centre(ax, text)[0] < left]  # fmt: skip
    found = {}
    for cell in cells:
        x, y = centre(ax, cell)
        [n] = [int(text.get_text()) for text, at, _ in numbers if abs(at - x) < 2]
        [label] = [text.get_text() for text, _, at in labels if abs(at - y) < 3]
        [text] = texts_in(ax, cell)
        found[label, n] = text.get_text()
        assert colour(cell) == COLOURS[text.get_text()].lower()
        room, extent = cell.get_window_extent(), text.get_window_extent()
        assert room.x0 < extent.x0 and extent.x1 < room.x1 and room.y0 < extent.y0 and extent.y1 < room.y1
    assert found == written(part)
    assert ax.yaxis_inverted(), "DLTs go down"
    assert [text.get_text() for text, *_ in numbers] == [str(n) for n in part.patients]
    assert [text.get_text() for text, *_ in labels] == list(dict.fromkeys(label for label, _ in written(part)))


@pytest.mark.parametrize("name", PARTS)
def test_every_part_is_drawn_below_its_name(name: str) -> None:
    ax, of = drawn(name), table(name)
    names = [part.name[0].upper() + part.name[1:] for part in of.parts]
    told = " ".join(text.get_text() for text in ax.texts if text.get_fontweight() == "bold")
    assert all(name in told for name in names)
    if isinstance(of, CountTable):
        expected = Counter(letter for part in of.parts for letter in written(part).values())
        assert Counter(text.get_text() for p in filled(ax) for text in texts_in(ax, p)) == expected
    for line in (*of.assumed, *of.conditions):
        assert line.split(":")[0] in " ".join(words(ax))


# Patients pending


HEADER, ROW = re.compile(r"(\d+) treated"), re.compile(r"(≥?)(\d+) DLTs?")


class Grid:
    """The labels of a table with patients pending, read as a reader does: block, column and row."""

    def __init__(self, ax: Axes) -> None:
        self.ax = ax
        texts = [(text.get_text(), *text.get_position()) for text in ax.texts]
        self.headers = {int(m[1]): (x, y) for text, x, y in texts if (m := HEADER.fullmatch(text))}
        self.rows = [(m[1] == "≥", int(m[2]), y) for text, _, y in texts if (m := ROW.fullmatch(text))]
        self.numbers = [(int(text), x, y) for text, x, y in texts if text.isdigit()]

    def rows_of(self, treated: int) -> list[tuple[bool, int, float]]:
        """Return the rows of the band in which a block stands."""
        top = self.headers[treated][1]
        below = min([y for _, y in self.headers.values() if y > top + 1], default=float("inf"))
        return [row for row in self.rows if top < row[2] < below]

    def place(self, treated: int, dlts: int, pending: int) -> tuple[float, float]:
        """Return where the row of some DLTs and the column of some pending patients meet."""
        left, top = self.headers[treated]
        right = min([x for x, y in self.headers.values() if x > left and abs(y - top) < 1], default=float("inf"))
        rows = self.rows_of(treated)
        first = min(y for _, _, y in rows)
        [x] = [x for n, x, y in self.numbers if n == pending and left <= x < right and top < y < first]
        [y] = [y for more, n, y in rows if n == dlts or (more and n < dlts)]
        return x, y


def expected(cell: PendingCell) -> list[tuple[str, str]]:
    """Return the letters of a cell with what must be written, from the top."""
    if len(cell.letters) == 1:
        return [(cell.letters[0], cell.letters[0])]
    found = []
    for letter in cell.letters:
        text = letter
        if letter == "E" and cell.escalate_from is not None:
            text += f"≥{cell.escalate_from:.2f}"
        if letter == "D" and cell.de_escalate_to is not None:
            text += f"≤{cell.de_escalate_to:.2f}"
        if letter == "SUS" and cell.suspend_from is not None:
            text += f"≥{cell.suspend_from:.2f}"
        found.append((letter, text))
    return found


@cache
def frames(ax: Axes) -> list[Patch]:
    """Return the white outlines of cells."""
    return [p for p in ax.patches if p.get_facecolor()[3] == 0 and to_hex(p.get_edgecolor()) == "#ffffff"]


def parts_at(ax: Axes, x: float, y: float) -> list[tuple[Patch, Text]]:
    """Return the coloured parts of the cell around a place, each with its text, from the top."""
    [cell] = [frame for frame in frames(ax) if holds(ax, frame, x, y)]
    parts = [part for part in filled(ax) if holds(ax, cell, *centre(ax, part))]
    found = []
    for part in sorted(parts, key=lambda p: centre(ax, p)[1]):
        [text] = texts_in(ax, part)
        found.append((part, text))
    return found


@pytest.mark.parametrize("name", PENDING)
def test_every_cell_has_the_colour_of_its_letter_and_its_text(name: str) -> None:
    ax, of = drawn(name), table(name)
    assert isinstance(of, PendingTable)
    grid = Grid(ax)
    assert set(grid.headers) == {cell.treated for cell in of.parts[0].cells}
    met = set()
    for cell in of.parts[0].cells:
        x, y = grid.place(cell.treated, cell.dlts, cell.pending)
        parts = parts_at(ax, x, y)
        assert [(colour(patch), text.get_text()) for patch, text in parts] == [
            (COLOURS[letter].lower(), text) for letter, text in expected(cell)
        ], cell
        met |= {id(patch) for patch, _ in parts}
    assert met == {id(patch) for patch in filled(ax)}, "nothing is coloured that is no cell"


@pytest.mark.parametrize("name", ["TITE-BOIN, sample size"])
def test_cells_are_split_between_two_and_three_letters(name: str) -> None:
    cells = {(c.treated, c.dlts, c.pending): c for c in table(name).parts[0].cells}
    ax, grid = drawn(name), Grid(drawn(name))
    at = parts_at(ax, *grid.place(6, 1, 3))
    assert [text.get_text() for _, text in at] == ["E≥2.08", "S", "D≤0.35"]
    assert [text.get_text() for _, text in parts_at(ax, *grid.place(9, 2, 4))] == ["S", "D≤1.70"]
    heights = [abs(box(ax, patch).height) for patch, _ in at]
    assert heights == pytest.approx([heights[0]] * 3)
    assert max(len(cell.letters) for cell in cells.values()) == 3
    assert any(text.startswith("In split cells the follow-up decides") for text in words(ax))
    assert not any("split" in text for text in words(drawn("rolling six")))


@pytest.mark.parametrize("name", PENDING)
def test_text_stays_inside_its_part_of_a_cell(name: str) -> None:
    ax, grid = drawn(name), Grid(drawn(name))
    for cell in table(name).parts[0].cells:
        for patch, text in parts_at(ax, *grid.place(cell.treated, cell.dlts, cell.pending)):
            room, extent = box(ax, patch), box(ax, text)
            assert room.x0 < extent.x0 and extent.x1 < room.x1, text.get_text()
            assert room.y0 < extent.y0 + 1 and extent.y1 - 1 < room.y1, text.get_text()


@pytest.mark.parametrize("name", PENDING)
def test_blocks_pending_patients_and_dlts_go_on_in_order(name: str) -> None:
    ax, grid = drawn(name), Grid(drawn(name))
    assert ax.yaxis_inverted()
    order = [place for _, place in sorted(grid.headers.items())]
    assert order == sorted(order, key=lambda place: (place[1], place[0])), "as one reads"
    for treated in grid.headers:
        across = [grid.place(treated, 0, pending)[0] for pending in range(treated + 1)]
        steps = [b - a for a, b in itertools.pairwise(across)]
        assert steps == pytest.approx([steps[0]] * len(steps)) and steps[0] > 0
        rows = grid.rows_of(treated)
        assert [n for _, n, _ in rows] == list(range(len(rows)))
        assert [y for *_, y in rows] == sorted(y for *_, y in rows)
        assert [more for more, *_ in rows[:-1]] == [False] * (len(rows) - 1), "only the last row is one of more DLTs"


def test_rows_are_one_only_from_where_nothing_changes() -> None:
    assert [(more, n) for more, n, _ in Grid(drawn("rolling six")).rows] == [(False, 0), (False, 1), (True, 2)]
    cells = [
        PendingCell(treated=3, dlts=y, pending=c, letters=(letter,), escalate_from=None, de_escalate_to=None)
        for y, letter in enumerate(("E", "S", "D", "DU"))
        for c in range(4 - y)
    ]
    part = PendingPart(name="level 1", places=(Place(0),), cells=tuple(cells))
    rows = Grid(plot_decision_table(PendingTable(title="", rule="own", constants=(), parts=(part,)))).rows
    assert [(more, n) for more, n, _ in rows] == [(False, 0), (False, 1), (False, 2), (False, 3)]


def test_many_blocks_stand_below_each_other() -> None:
    tops = {y for _, y in Grid(drawn("TITE-BOIN, one by one")).headers.values()}
    assert len(tops) > 2
    assert len({y for _, y in Grid(drawn("rolling six")).headers.values()}) == 1


# The next dose


def rows_of(ax: Axes, of: NextDoseTable) -> Iterator[tuple[NextDose, Bbox]]:
    """Yield every row that is drawn, with the extent of its dose path."""
    found = {text.get_text(): box(ax, text) for text in ax.texts}
    for row in of.rows:
        first = row.path or "no data"
        if first in found:
            below = 5.25 * len(row.ways.listed[1:2])  # a second line names the other dose paths
            yield row, found[first].translated(0, below)


def beside(ax: Axes, y: float, within: float = 6) -> list[Text]:
    """Return the texts at a height, from the left."""
    found = [text for text in ax.texts if abs(centre(ax, text)[1] - y) < within]
    return sorted(found, key=lambda text: centre(ax, text)[0])


def decision_patches(ax: Axes, y: float) -> list[Patch]:
    """Return the patches with the colour of a decision at a height, from the left."""
    known = {name.lower() for name in ACTION_COLOURS.values()}
    found = [p for p in filled(ax) if colour(p) in known and holds(ax, p, centre(ax, p)[0], y)]
    return sorted(found, key=lambda p: centre(ax, p)[0])


def said(row: NextDose) -> list[str]:
    """Return the words of a row's decision and of those that it turns to."""
    first, *later = row.words.split("; ")
    shares = [f"{share:.0%}" for share, _ in row.turns]
    turned = zip(shares, later, strict=True)
    return [first, *(f"from {s}: {t.removesuffix(f' once {s} of each window is seen')}" for s, t in turned)]


@pytest.mark.parametrize("name", NEXT)
def test_every_data_cut_has_its_counts_beliefs_and_decisions(name: str) -> None:
    ax, of = drawn(name), table(name)
    found = list(rows_of(ax, of))
    assert [row for row, _ in found] == list(of.rows[:60])
    heights = [extent.y0 for _, extent in found]
    assert heights == sorted(heights)
    for row, extent in found:
        y = (extent.y0 + extent.y1) / 2
        texts = [text.get_text() for text in beside(ax, y)]
        counts = [f"{dlts}/{n}" for dlts, n in row.counts]
        beliefs = [f"{value:.2f}" for values in row.beliefs.values() for value in values]
        lines = row.ways.short.replace(" or ", "\nor ").split("\n")
        assert set(lines) <= set(texts)
        others = [text for text in texts if text not in lines]
        assert others[: len(counts) + len(beliefs)] == [*counts, *beliefs]
        decisions = [row.decision, *(decision for _, decision in row.turns)]
        patches = decision_patches(ax, y)
        assert [colour(patch) for patch in patches] == [ACTION_COLOURS[d.action].lower() for d in decisions]
        lines = [" ".join(text.get_text() for text in texts_in(ax, patch)) for patch in patches]
        assert lines == said(row)


@pytest.mark.parametrize("name", ["CRM", "CRM, six levels", "TITE-CRM", "BLRM"])
def test_bars_are_as_long_as_what_is_believed(name: str) -> None:
    ax = drawn(name)
    bars = [box(ax, p) for p in filled(ax) if colour(p) == style.BLUE.lower()]
    tracks = [box(ax, p) for p in filled(ax) if colour(p) == style.FAINT.lower()]
    believed = [value for row in table(name).rows for values in row.beliefs.values() for value in values]
    assert len(bars) == len(tracks) == len(believed)
    assert [bar.width / track.width for bar, track in zip(bars, tracks, strict=True)] == pytest.approx(believed)
    assert all(bar.x0 == track.x0 and bar.y0 == track.y0 for bar, track in zip(bars, tracks, strict=True))


@pytest.mark.parametrize("name", ["CRM", "CRM, six levels", "TITE-CRM", "BLRM"])
def test_the_level_that_is_given_next_is_outlined(name: str) -> None:
    ax = drawn(name)
    outlines = [p for p in ax.patches if p.get_facecolor()[3] == 0 and to_hex(p.get_edgecolor()) == style.INK.lower()]
    seen = 0
    for row, extent in rows_of(ax, table(name)):
        y = (extent.y0 + extent.y1) / 2
        numbers = beside(ax, y)[len(row.ways.listed[:2]) + len(row.counts) :]
        around = [p for p in outlines if holds(ax, p, centre(ax, p)[0], y)]
        wanted = (
            []
            if row.decision.level == NO_LEVEL
            else [numbers[k * len(row.counts) + row.decision.level] for k in range(len(row.beliefs))]
        )
        assert len(around) == len(wanted)
        assert all(holds(ax, p, *centre(ax, text)) for p, text in zip(around, wanted, strict=True))
        seen += len(around)
    assert seen == len(outlines)


@pytest.mark.parametrize("name", NEXT)
def test_no_word_of_a_next_dose_table_is_broken(name: str) -> None:
    """Not in a head, however narrow its columns; and a decision has no more lines than its words need."""
    layout = arrange(table(name), 60)
    heads = {" ".join(group.heading) for group in (layout.counts, *layout.beliefs.values())}
    assert heads == {f"{words} at level" for words in ("DLTs / evaluable", *layout.beliefs)}
    for row, lines in zip(layout.rows, layout.words, strict=True):
        assert len(lines[0]) <= len(balanced(said_of(row, row.decision), MOST_WORDS, TEXT))


def test_the_rows_that_are_not_drawn_are_counted() -> None:
    ax, of = drawn("CRM, long"), table("CRM, long")
    [note] = [text for text in words(ax) if text.startswith("Not drawn")]
    first, last, rest, whole = (int(number) for number in re.findall(r"\d+", note))
    assert (first, last, rest, whole) == (61, len(of.rows), len(of.rows) - 60, len(of.rows))
    assert not any(text.startswith("Not drawn") for text in words(drawn("CRM")))


def room_for(name: str, size: tuple[float, float]) -> Any:
    """Return the Axes in which a figure is drawn that was refused in a size, in the one that the refusal asks for."""
    figure = Figure(figsize=size)
    FigureCanvasAgg(figure)
    with pytest.raises(esc.EscalateError, match=GIVEN) as refused:
        draw(name, figure.add_subplot())
    asked = GIVEN.search(str(refused.value))
    assert asked
    figure = Figure(figsize=(float(asked[1]), float(asked[2])))
    FigureCanvasAgg(figure)
    return draw(name, figure.add_subplot())


def test_a_small_axes_is_refused_with_the_size_in_which_all_rows_are_drawn() -> None:
    ax, of = room_for("TITE-CRM", (9, 5)), table("TITE-CRM")
    assert [row for row, _ in rows_of(ax, of)] == list(of.rows)
    assert not [text for text in words(ax) if text.startswith("Not drawn")]


@pytest.mark.parametrize("name", NEXT)
def test_the_legend_lists_the_decisions_that_occur(name: str) -> None:
    rows = table(name).rows[:60]
    said_here = {d.action.words for row in rows for d in (row.decision, *(turn for _, turn in row.turns))}
    believed = ["what the model believes, from 0 to 1", "level given next, or recommended"] * bool(rows[0].beliefs)
    assert Counter(legend_words(drawn(name))) == Counter([*said_here, *believed])
    told = " ".join(words(drawn(name)))
    for level, dose in enumerate(table(name).doses, 1):
        assert f"level {level}: {dose}" in told
    assert all(remark in told for remark in table(name).remarks)


def test_a_suspension_and_two_turns_are_drawn() -> None:
    def decided(action: Action, level: int) -> Decision:
        return Decision(action=action, level=level, patients=3, reason="because", open_levels=2)

    turns = ((0.25, decided(Action.STAY, 0)), (0.75, decided(Action.ESCALATE, 1)))
    suspended = decided(Action.SUSPEND, 0)
    cut, ways = Counts(0, (0, 0), (0, 0), (3, 0)), Ways(("1PPP",))
    row = NextDose(ways=ways, cut=cut, beliefs={"P(DLT)": (0.1, 0.2)}, decision=suspended, turns=turns)
    ax = plot_decision_table(NextDoseTable(rule="own", doses=("a", "b"), rows=(row,)))
    ax.figure.draw_without_rendering()
    told = " ".join(" ".join(words(ax)).split())
    assert "suspend from 25%: stay: 3 at level 1 from 75%: escalate: 3 at level 2" in told
    [(_, extent)] = rows_of(ax, NextDoseTable(rule="own", doses=("a", "b"), rows=(row,)))
    colours = [colour(patch) for patch in decision_patches(ax, (extent.y0 + extent.y1) / 2)]
    assert colours == [ACTION_COLOURS[a].lower() for a in (Action.SUSPEND, Action.STAY, Action.ESCALATE)]


# Dose paths


def nodes(ax: Axes) -> dict[str, Patch]:
    """Return every node by its beginning of a dose path."""
    found = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    named = {str(patch.get_gid()): patch for patch in found}
    assert len(named) == len(found)
    return named


def is_close(text: str, probability: float) -> bool:
    """Return whether a percentage is a probability, rounded to its last digit."""
    number = text.removesuffix("%")
    if number.startswith("<"):
        return 0 < 100 * probability < float(number[1:]) + 1e-12
    digits = len(number.partition(".")[2])
    return abs(float(number) - 100 * probability) <= 0.5000001 * 10**-digits


def leaf_row(ax: Axes, path: DosePath) -> list[Text]:
    """Return what stands to the right of a leaf, at its height."""
    x, y = centre(ax, nodes(ax)[path.path])
    return [text for text in beside(ax, y, within=3) if centre(ax, text)[0] > x + 1]


def shown_paths(name: str) -> list[DosePath]:
    return [path for path in paths(name) if path.path in nodes(drawn(name))]


@pytest.mark.parametrize("name", PATHS)
def test_every_path_is_a_leaf_with_probability_dose_and_reason(name: str) -> None:
    ax, of = drawn(name), paths(name)
    shown = shown_paths(name)
    assert shown == list(of if len(of) <= 64 else of[: len(shown)]), "the most probable ones"
    reasons = {path.reason for path in shown}
    colours = dict(zip(doses(name), level_colours(len(doses(name))), strict=True))
    for path in shown:
        probability, recommended, *why = leaf_row(ax, path)
        assert is_close(probability.get_text(), path.probability), path
        assert recommended.get_text() == path.recommended
        chip = ground(ax, recommended)
        assert chip is not None and colour(chip) == colours.get(path.recommended, "#ffffff")
        if path.recommended == "no dose":
            assert to_hex(chip.get_edgecolor()) == style.VERMILLION.lower()
        assert [text.get_text() for text in why] == ([path.reason] if len(reasons) > 1 else [])
    if len(reasons) == 1:
        assert any(text.endswith(f"on every path drawn: {path.reason}") for text in words(ax))


@pytest.mark.parametrize("name", PATHS)
def test_there_is_one_node_for_each_distinct_beginning(name: str) -> None:
    ax, found = drawn(name), nodes(drawn(name))
    beginnings = {
        " ".join(path.path.split()[:depth])
        for path in shown_paths(name)
        for depth in range(1, len(path.path.split()) + 1)
    }
    assert set(found) == beginnings
    colours = level_colours(len(doses(name)))
    columns = {
        int(text.get_text().removeprefix("cohort ")): centre(ax, text)[0]
        for text in ax.texts
        if text.get_text().startswith("cohort ")
    }
    for told, patch in found.items():
        cohort = told.split()[-1]
        level, outcomes = int(cohort.rstrip("NT")), cohort.lstrip("0123456789")
        [text] = texts_in(ax, patch)
        assert text.get_text() == f"{level}: {outcomes.count('T')}/{len(outcomes)}"
        assert colour(patch) == colours[level - 1]
        assert centre(ax, patch)[0] == pytest.approx(columns[len(told.split())], abs=2)


def edges(ax: Axes) -> list[PathPatch]:
    return [patch for patch in ax.patches if isinstance(patch, PathPatch)]


def is_dashed(edge: Patch) -> bool:
    return edge.get_linestyle() not in ("-", "solid")


@pytest.mark.parametrize("name", PATHS)
def test_edges_are_as_wide_as_they_are_probable(name: str) -> None:
    ax = drawn(name)
    ends: dict[tuple[float, float], float] = {}
    for edge in edges(ax):
        if not is_dashed(edge):
            x, y = edge.get_path().vertices[-1]
            ends[round(x, 3), round(y, 3)] = edge.get_linewidth()
    widths, chances = [], []
    for told, patch in nodes(ax).items():
        extent = box(ax, patch)
        [width] = [w for (x, y), w in ends.items() if abs(x - extent.x0) < 1 and abs(y - centre(ax, patch)[1]) < 0.1]
        chance = sum(path.probability for path in paths(name) if f"{path.path} ".startswith(f"{told} "))
        widths.append(width)
        chances.append(chance)
    thinnest, thickest = 0.7, 9.0
    assert widths == pytest.approx([thinnest + (thickest - thinnest) * chance for chance in chances])


@pytest.mark.parametrize("name", PATHS)
def test_edges_do_not_cross_and_fewer_dlts_are_above(name: str) -> None:
    ax = drawn(name)
    ends = [(edge.get_path().vertices[0], edge.get_path().vertices[-1]) for edge in edges(ax)]
    for (a, b), (c, d) in itertools.combinations(ends, 2):
        if abs(a[0] - c[0]) < 1:
            assert (a[1] - c[1]) * (b[1] - d[1]) >= 0, "edges between two cohorts keep their order"
    found = {told: centre(ax, patch)[1] for told, patch in nodes(ax).items()}
    for one, other in itertools.combinations(found, 2):
        before, after = one.split(), other.split()
        if before[:-1] == after[:-1]:
            fewer, more = sorted((one, other), key=lambda told: told.split()[-1].count("T"))
            assert found[fewer] < found[more]
    heights = sorted(found[path.path] for path in shown_paths(name))
    assert min(b - a for a, b in itertools.pairwise(heights)) > 10, "each leaf has a row of its own"


@pytest.mark.parametrize("name", PATHS)
def test_the_sum_of_all_probabilities_is_shown(name: str) -> None:
    ax = drawn(name)
    [total] = [text for text in ax.texts if text.get_text() == f"sum of all {len(paths(name)):,} paths"]
    number = beside(ax, centre(ax, total)[1], within=3)[0].get_text()
    assert is_close(number, sum(path.probability for path in paths(name))) and number == "100.0%"


def test_the_sum_is_that_of_the_paths_given() -> None:
    some = paths("paths of 3+3 C")[:2]
    found = words(plot_dose_paths(some))
    assert is_close(found[found.index("sum of all 2 paths") - 1], some[0].probability + some[1].probability)


def rests(ax: Axes) -> list[tuple[int, str]]:
    """Return how many paths each row leaves out, and with which probability."""
    found = []
    for text in ax.texts:
        if match := re.fullmatch(r"([\d,]+) more paths?, not drawn", text.get_text()):
            row = beside(ax, centre(ax, text)[1], within=3)
            found.append((int(match[1].replace(",", "")), row[row.index(text) - 1].get_text()))
    return found


def test_what_is_not_drawn_is_said_where_it_branches_off() -> None:
    name = "paths of six levels"
    ax, of = drawn(name), paths(name)
    found = rests(ax)
    shown = shown_paths(name)
    assert len(of) > 64 >= len(shown) + len(found) and len(shown) >= 48
    assert sum(count for count, _ in found) == len(of) - len(shown)
    left_out = sum(float(chance.removesuffix("%")) for _, chance in found)
    assert left_out == pytest.approx(100 * sum(path.probability for path in of[len(shown) :]), abs=0.1)
    assert " ".join(ax.get_title(loc="left").split()).startswith(f"The {len(shown)} most probable of 2,314 dose paths")
    dashed = [edge.get_path().vertices for edge in edges(ax) if is_dashed(edge)]
    assert len(dashed) == len(found) > 5
    assert len({(round(curve[0][0]), round(curve[0][1])) for curve in dashed}) == len(found), "one for each branching"
    starts = {(round(box(ax, p).x1), round(centre(ax, p)[1])): told for told, p in nodes(ax).items()}
    rows = {round(centre(ax, t)[1]): int(t.get_text().split()[0].replace(",", "")) for t in ax.texts
            if t.get_text().endswith("not drawn")}  # fmt: skip
    counted = 0
    for curve in dashed:
        told = starts.get((round(curve[0][0]), round(curve[0][1])), "")
        count = next(n for y, n in rows.items() if abs(y - curve[-1][1]) < 3)
        hidden = [path.path for path in of[len(shown) :] if f"{path.path} ".startswith(f"{told} " if told else "")]
        further = [t for t in starts.values() if t != told and f"{t} ".startswith(f"{told} " if told else "")]
        with_row = [t for t in further if t in {starts.get((round(c[0][0]), round(c[0][1])), "") for c in dashed}]
        own = [p for p in hidden if not any(f"{p} ".startswith(f"{t} ") for t in with_row)]
        assert count == len(own), told
        counted += count
    assert counted == len(of) - len(shown)


@pytest.mark.parametrize("name", ["paths of 3+3 C", "paths of CRM"])
def test_without_truncation_nothing_is_left_out(name: str) -> None:
    assert not rests(drawn(name)) and not any(is_dashed(edge) for edge in edges(drawn(name)))
    assert shown_paths(name) == list(paths(name))


def test_a_small_axes_is_refused_with_the_size_in_which_all_paths_are_drawn() -> None:
    name = "paths of 3+3 C"
    ax = room_for(name, (5, 4))
    assert {path.path for path in paths(name)} <= set(nodes(ax)) and not sum(count for count, _ in rests(ax))


@pytest.mark.parametrize("name", PATHS)
def test_the_legend_lists_the_levels_and_no_dose_if_it_occurs(name: str) -> None:
    wanted = [f"level {level}: {dose}" for level, dose in enumerate(doses(name), 1)]
    wanted += ["no dose"] * any(path.recommended == "no dose" for path in shown_paths(name))
    assert legend_words(drawn(name)) == wanted


def test_without_doses_nodes_have_the_colour_of_their_level_and_doses_none() -> None:
    of = paths("paths of 3+3 C")
    ax = plot_dose_paths(of)
    ax.figure.draw_without_rendering()
    assert legend_words(ax) == ["level 1", "level 2", "no dose"]
    for path in of:
        chip = ground(ax, leaf_row(ax, path)[1])
        assert chip is not None and colour(chip) == "#ffffff"


def test_paths_of_one_cohort_of_ten_levels_and_of_a_list_in_any_order() -> None:
    def path(told: str, probability: float) -> DosePath:
        return DosePath(path=told, probability=probability, recommended="no dose", reason="so")

    of = [path("10NT", 0.25), path("10NN", 0.5), path("10TT", 0.125)]
    ax = plot_dose_paths(iter(of))
    ax.figure.draw_without_rendering()
    found = nodes(ax)
    assert sorted(found, key=lambda told: centre(ax, found[told])[1]) == ["10NN", "10NT", "10TT"]
    assert "10: 1/2" in words(ax) and "87.5%" in words(ax)
