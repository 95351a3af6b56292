"""The colours of decisions, and what stands below the figures of tables: their legend, and notes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from matplotlib.patches import Patch

from ..protocol_tables.letters import COLOURS, DE_ESCALATE, ESCALATE, STAY, SUSPEND, colour, is_framed, meaning, ordered
from ..words.records import Action
from .board import SMALL, Board, legend_columns
from .leaves import ELSEWHERE, Leaf
from .style import INK, SOFT
from .texts import wrapped

__all__ = ["ACTION_COLOURS", "COLOURS", "letter_handles"]

ACTION_COLOURS = {
    Action.ESCALATE: COLOURS[ESCALATE],
    Action.STAY: COLOURS[STAY],
    Action.DE_ESCALATE: COLOURS[DE_ESCALATE],
    Action.SUSPEND: COLOURS[SUSPEND],
    Action.STOP: "#24292F",
}
"""The colour of each decision; a stop is as dark as can be, whether a dose is recommended or not."""


def letter_handles(present: Collection[str]) -> list[Patch]:
    """Return what stands in the legend for some letters, the boldest first."""
    frame = {True: INK, False: "none"}
    return [
        Patch(facecolor=colour(letter), edgecolor=frame[is_framed(letter)], label=f"{letter}  {meaning(letter)}")
        for letter in ordered(present)
    ]


def draw_frame(board: Board, letter: str, x: float, y: float, width: float, height: float) -> None:
    """Draw the frame of a cell that stops with a dose; other letters have none."""
    if is_framed(letter):
        style = {"facecolor": "none", "edgecolor": INK, "linewidth": 1.2, "zorder": 3}
        board.rectangle(x + 1.5, y + 1.5, width - 3, height - 3, gid="frame", **style)


ABOVE_LEGEND, NOTE_LINE = 14.0, 12.5
"""Empty space above the legend; height of a line of the notes below it [points]."""


@dataclass(frozen=True, slots=True)
class Foot:
    """What stands below a table: the legend in so many columns, so high [points], and lines of notes."""

    handles: tuple[Patch, ...]
    columns: int
    legend: float
    lines: tuple[str, ...]

    @property
    def notes(self) -> float:
        """Height of the notes [points]."""
        return (6 + NOTE_LINE * len(self.lines)) * bool(self.lines)

    @property
    def least(self) -> float:
        """Height on a page whose notes stand elsewhere [points]."""
        return ABOVE_LEGEND + self.legend + 6 + NOTE_LINE

    @property
    def height(self) -> float:
        """Height with the space above [points]."""
        return ABOVE_LEGEND + self.legend + self.notes

    def on(self, leaf: Leaf) -> Foot:
        """Return what stands below on a page: the notes on the last one."""
        return self if leaf.is_last or not self.lines else replace(self, lines=(ELSEWHERE,))


def below(letters: Collection[str], notes: Sequence[str], width: float) -> Foot:
    """Return what stands below a table of some width [points]: what its letters mean, and notes."""
    handles = letter_handles(letters)
    columns, tall = legend_columns(handles, width)
    lines = [line for note in notes for line in wrapped(note, 0.96 * width, SMALL)]
    return Foot(tuple(handles), columns, tall, tuple(lines))


def draw_below(board: Board, foot: Foot, top: float) -> None:
    """Draw what stands below a table whose end is at `top` [points]."""
    board.legend(top + ABOVE_LEGEND, foot.handles, foot.columns)
    for k, line in enumerate(foot.lines):
        board.write(0, top + ABOVE_LEGEND + foot.legend + 6 + NOTE_LINE * (k + 0.5), line, color=SOFT)
