"""The decision table as a figure."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..protocol_tables import ProtocolTable
from ..protocol_tables.counts import CountTable
from ..protocol_tables.next_dose import NextDoseTable
from ..protocol_tables.pending import PendingTable
from .board import LEGEND_LINE, MARGIN, SMALL, TITLE, balanced, ink_on, widest
from .letters import COLOURS, letter_handles
from .next_dose import draw_next_dose_table
from .pending_table import draw_pending_table
from .style import INK, PAPER, points_tall, points_wide

CELL, SMALLEST_CELL = 26.0, 20.0
"""Width and height of a cell, and what it is where there are many [points]."""

LETTER = 10.0
"""Size of a cell's letter, where there is room [points]."""

LEFT, BELOW = 40.0, 36.0
"""Room for the labels of the axes [points]."""


def plot_decision_table(table: ProtocolTable, *, ax: Axes | None = None) -> Axes:
    """Draw the decision table of a rule, as `escalate.decision_table` returns it.

    A table of counts has evaluable patients across, DLTs down, and one coloured letter for each decision. That of a
    rolling rule has a block for each number of patients treated, in it the patients pending; a cell in which their
    follow-up decides is split among the colours of its letters, with the cut-offs. That of a rule with a model has a
    row for each data cut: the dose path, DLTs and evaluable patients, what the model believes of each level, and the
    decision.

    Parameters
    ----------
    table : CountTable, PendingTable or NextDoseTable
        The table.
    ax : Axes, optional
        Where to draw; a figure of a fitting size is made where it is not given.

    Returns
    -------
    Axes
        The one drawn in.
    """
    if isinstance(table, PendingTable):
        return draw_pending_table(table, ax)
    if isinstance(table, NextDoseTable):
        return draw_next_dose_table(table, ax)
    return _draw_count_table(table, ax)


def _draw_count_table(table: CountTable, ax: Axes | None) -> Axes:
    columns, most = len(table.patients), max(table.patients)
    handles = letter_handles(set(table.letters.values()))
    title = f"Decisions of {table.rule}"
    if ax is None:
        cell = max(SMALLEST_CELL, min(CELL, CELL - 0.3 * (columns - 12)))
        labels = widest([str(handle.get_label()) for handle in handles], SMALL) + 3 * SMALL
        wide, tall = cell * columns, cell * (most + 1)
        width = LEFT + max(wide, labels) + MARGIN
        lines = balanced(title, width - LEFT - MARGIN, TITLE, "bold")
        foot = BELOW + LEGEND_LINE * len(handles) + MARGIN
        height = foot + tall + 1.25 * TITLE * len(lines) + 8 + MARGIN
        figure = Figure(figsize=(width / 72, height / 72), facecolor=PAPER)
        FigureCanvasAgg(figure)
        ax = figure.add_axes((LEFT / width, foot / height, wide / width, tall / height))
    else:
        cell = min(points_wide(ax) / columns, points_tall(ax) / (most + 1))
        lines = balanced(title, points_wide(ax), TITLE, "bold")
    size = min(LETTER, 0.42 * cell)
    places = {n: column for column, n in enumerate(table.patients, 1)}
    for (n, y), letter in table.letters.items():
        x, colour = places[n], COLOURS[letter]
        ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, edgecolor=PAPER, linewidth=1.0))
        ax.text(x, y, letter, ha="center", va="center", fontsize=size, fontweight="bold", color=ink_on(colour))
    ax.set(xlim=(0.5, columns + 0.5), ylim=(most + 0.5, -0.5), yticks=range(most + 1), aspect="equal")
    ax.set_xticks(list(places.values()), list(map(str, places)))
    ax.set_xlabel("evaluable patients at the level", color=INK, fontsize=SMALL, loc="left")
    ax.set_ylabel("patients with a DLT", color=INK, fontsize=SMALL, loc="top")
    ax.set_title("\n".join(lines), fontsize=TITLE, fontweight="bold", loc="left", color=INK, pad=8)
    ax.tick_params(length=0, labelsize=min(SMALL, 0.5 * cell), labelcolor=INK)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0, -BELOW / points_tall(ax)),
        borderaxespad=0,
        borderpad=0,
        frameon=False,
        fontsize=SMALL,
        labelcolor=INK,
        handlelength=1.6,
    )
    return ax
