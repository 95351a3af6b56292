"""The decision table as a figure."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from ..protocol_tables.counts import CountTable
from ..protocol_tables.layout import DE_ESCALATE, ESCALATE, LETTERS, STAY, TOO_TOXIC

COLOURS = {ESCALATE: "#009E73", STAY: "#E6E6E6", DE_ESCALATE: "#F0B040", TOO_TOXIC: "#C04A00"}
"""Okabe and Ito's colours, told apart in grey too; every cell has its letter besides."""

CELL = 0.36
"""Width and height of a cell [inches]."""


def plot_decision_table(table: CountTable, *, ax: Axes | None = None) -> Axes:
    """Draw a decision table: evaluable patients across, DLTs down, one coloured letter for each decision.

    Parameters
    ----------
    table : DecisionTable
        As `decision_table` returns it.
    ax : Axes, optional
        Where to draw; a figure of a fitting size is made where it is not given.

    Returns
    -------
    Axes
        The one drawn in.
    """
    most = max(table.patients)
    if ax is None:
        width, height = CELL * len(table.patients), CELL * (most + 1)
        figure = Figure(figsize=(width + 1, height + 1))
        FigureCanvasAgg(figure)
        ax = figure.add_axes((0.5 / (width + 1), 0.5 / (height + 1), width / (width + 1), height / (height + 1)))
    for (n, y), letter in table.letters.items():
        ax.add_patch(Rectangle((n - 0.5, y - 0.5), 1, 1, facecolor=COLOURS[letter], edgecolor="white", linewidth=1.2))
        ink = "white" if letter in (ESCALATE, TOO_TOXIC) else "#202124"
        ax.text(n, y, letter, ha="center", va="center", fontsize=9, color=ink)
    ax.set(
        xlim=(min(table.patients) - 0.5, most + 0.5),
        ylim=(most + 0.5, -0.5),
        xticks=list(table.patients),
        yticks=range(most + 1),
        xlabel="evaluable patients at the level",
        ylabel="patients with a DLT",
        aspect="equal",
    )
    ax.set_title(f"Decisions of {table.rule}", fontsize=11, fontweight="bold", loc="left")
    ax.tick_params(length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    present = [letter for letter in LETTERS if letter in table.letters.values()]
    handles = [Patch(facecolor=COLOURS[letter], label=f"{letter}  {LETTERS[letter]}") for letter in present]
    ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0, -1.6 / (most + 1)),
        borderaxespad=0,
        frameon=False,
        fontsize=9,
    )
    return ax
