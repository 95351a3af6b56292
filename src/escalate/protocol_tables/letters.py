"""The letters of the tables for the protocol: what each means, and its colour."""

from __future__ import annotations

from collections.abc import Collection

ESCALATE, STAY, DE_ESCALATE, TOO_TOXIC, SUSPEND = "E", "S", "D", "DU", "SUS"
STOP_HERE, STOP_BELOW, STOP_ABOVE, STOP_OPEN, STOP_NO_DOSE = STOPS = "R", "RL", "RH", "ST", "ND"
LETTERS: dict[str, str] = {
    ESCALATE: "escalate",
    STAY: "stay: more patients at this level",
    DE_ESCALATE: "de-escalate, the level may be given again",
    TOO_TOXIC: "de-escalate or stop, and never this level again",
    SUSPEND: "suspend: wait for more outcomes",
    STOP_HERE: "stop: this level is recommended",
    STOP_BELOW: "stop: a lower level is recommended",
    STOP_ABOVE: "stop: a higher level is recommended",
    STOP_OPEN: "stop: which dose is recommended rests on the data of all levels",
    STOP_NO_DOSE: "stop: no dose is recommended",
}
"""What the letters of a table mean."""

COLOURS = {
    ESCALATE: "#008560",
    STAY: "#EDEDED",
    DE_ESCALATE: "#F7C25B",
    TOO_TOXIC: "#5E1A00",
    SUSPEND: "#5AA5D8",
    **dict.fromkeys(STOPS, "#FFFFFF"),
    STOP_NO_DOSE: "#000000",
}
"""Okabe and Ito's colours, lighter or darker so that they are as far apart in grey; every cell has its letter too."""


def is_framed(letter: str) -> bool:
    """Return whether a letter's cell has a frame: a stop with a dose, told from a stop without one in any print."""
    return parts(letter)[-1] in STOPS and parts(letter)[-1] != STOP_NO_DOSE


def unless(allowed: str, otherwise: str) -> str:
    """Return the letter of a cell in which the last cohort by itself decides: ``E(S)``."""
    return f"{allowed}({otherwise})"


def parts(letter: str) -> tuple[str, ...]:
    """Return the letters that a letter is made of: one, or two where the last cohort decides."""
    return tuple(letter.rstrip(")").split("("))


def meaning(letter: str) -> str:
    """Return what a letter means."""
    first, *others = parts(letter)
    if not others:
        return LETTERS[first]
    return f"{LETTERS[first]} if the last cohort allows it (limit: coherence); otherwise {LETTERS[others[0]]}"


def colour(letter: str) -> str:
    """Return the colour of a letter; that of the more careful one where the last cohort decides."""
    return COLOURS[parts(letter)[-1]]


def ink(letter: str) -> str:
    """Return the colour in which a letter can be read on its own colour."""
    red, green, blue = (int(colour(letter)[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return "#FFFFFF" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.56 else "#24292F"


def ordered(letters: Collection[str]) -> list[str]:
    """Return some letters, the boldest first, each once."""
    order = list(LETTERS)
    return sorted(set(letters), key=lambda letter: [order.index(part) for part in parts(letter)])


def key(letters: Collection[str]) -> list[str]:
    """Return the meaning of some letters, one line each."""
    width = max([5, *map(len, letters)])
    return [f"{letter:>{width}}  {meaning(letter)}" for letter in ordered(letters)]
