"""The colours of decisions and their legend, for the figures of tables."""

from __future__ import annotations

from collections.abc import Collection

from matplotlib.patches import Patch

from ..protocol_tables.letters import COLOURS, DE_ESCALATE, ESCALATE, STAY, SUSPEND, colour, meaning, ordered
from ..words.records import Action

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
    return [Patch(facecolor=colour(letter), label=f"{letter}  {meaning(letter)}") for letter in ordered(present)]
