"""The colours of decisions and their legend, for the figures of tables."""

from __future__ import annotations

from collections.abc import Collection

from matplotlib.patches import Patch

from ..protocol_tables.layout import DE_ESCALATE, ESCALATE, LETTERS, STAY, STOPS, SUSPEND, TOO_TOXIC
from ..words.records import Action

COLOURS = {
    ESCALATE: "#00946B",
    STAY: "#EDEDED",
    DE_ESCALATE: "#F7C25B",
    TOO_TOXIC: "#5E1A00",
    SUSPEND: "#5AA5D8",
    **dict.fromkeys(STOPS, "#000000"),
}
"""Okabe and Ito's colours, lighter or darker so that they are as far apart in grey; every cell has its letter too."""

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
    return [
        Patch(facecolor=COLOURS[letter], label=f"{letter}  {meaning}")
        for letter, meaning in LETTERS.items()
        if letter in present
    ]
