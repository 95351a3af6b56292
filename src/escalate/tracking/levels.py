"""How a dose level is written in a log: by its number from 1, or by its label."""

from __future__ import annotations

from ..scenario.model import Scenario
from .mapping import plain

_BY_NUMBER = "level "


def level_of(text: str, scenario: Scenario) -> int:
    """Return the level that a text names, from 0.

    Raises
    ------
    ValueError
        If it names none, or may name two; says what is allowed.
    """
    labels = [plain(level.label) for level in scenario.dose_levels]
    said = plain(text)
    by_label = labels.index(said) if said in labels else None
    by_number = _numbered(said, len(labels))
    if by_label is None and by_number is None:
        by_number = _numbered(said.removeprefix(_BY_NUMBER), len(labels))
    if by_label is None and by_number is None:
        told = ", ".join(f"{number} ({level.label})" for number, level in enumerate(scenario.dose_levels, 1))
        raise ValueError(f"the scenario has no such dose level; it has: {told}")
    if by_label is not None and by_number is not None and by_label != by_number:
        raise ValueError(
            f"may be the level of this label, which is number {by_label + 1}, or level number {by_number + 1}; write "
            f"'{_BY_NUMBER}{by_label + 1}' or '{_BY_NUMBER}{by_number + 1}'"
        )
    found = by_label if by_label is not None else by_number
    assert found is not None
    return found


def level_word(level: int, scenario: Scenario) -> int | str:
    """Return how a level is written, so that it is read as the same one."""
    try:
        if level_of(str(level + 1), scenario) == level:
            return level + 1
    except ValueError:
        pass
    return f"{_BY_NUMBER}{level + 1}"


def _numbered(text: str, levels: int) -> int | None:
    number = int(text[:9]) if text.isascii() and text.isdecimal() else 0
    return number - 1 if 1 <= number <= levels else None
