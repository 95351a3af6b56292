"""Where each number of a scenario comes from: the ledger of assumptions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from .model import Scenario
from .places import is_story, leaves, source_of
from .ranges import value_text

UNSOURCED = "unsourced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """One number of the scenario and where it comes from.

    Parameters
    ----------
    key : str
        Dotted key; the values of a list of tables stand together (``dose_levels.cells``).
    values : tuple
        Its value, or its values in a list of tables.
    kind : str
        ``registry``, ``literature``, ``assumption`` or ``unsourced``.
    source : str
        The source in words; empty if there is none.
    between : str
        The range that the scenario gives it, in words; empty if it gives none.
    """

    key: str
    values: tuple[Any, ...]
    kind: str
    source: str
    between: str = ""

    @property
    def value_text(self) -> str:
        """The value, or the values, as a person would write them."""
        return ", ".join(_text(value) for value in self.values)


def ledger(scenario: Scenario) -> list[Assumption]:
    """List every number, date and choice of a scenario with its source.

    Numbers and dates without a source are listed as unsourced; choices (a policy, a variant) are listed if they have
    a source. What ``[[what_if]]`` fixes is a story, not an assumption, and is left out.

    Parameters
    ----------
    scenario : Scenario
        Any scenario.

    Returns
    -------
    list of Assumption
        In the order of the scenario's sections.
    """
    entries = []
    for key, values in leaves(scenario.filled()).items():
        if is_story(key) or all(value is None for value in values):
            continue
        said = source_of(key, scenario.sources)
        numbers = any(_is_number(value) for value in values)
        if said or numbers:
            kind, _, words = said.partition(": ") if said else (UNSOURCED, "", "")
            between = " to ".join(map(value_text, scenario.ranges.get(key, ())))
            entries.append(Assumption(key=key, values=values, kind=kind, source=words, between=between))
    return entries


KINDS = (UNSOURCED, "assumption", "literature", "registry")
"""Where numbers come from, in the order in which a reader should doubt them."""


def by_kind(scenario: Scenario) -> Iterator[tuple[str, list[Assumption]]]:
    """Yield each kind of source with the assumptions that have one of it, unsourced ones first."""
    entries = ledger(scenario)
    for kind in KINDS:
        yield kind, [entry for entry in entries if entry.kind == kind]


def _is_number(value: Any) -> bool:
    if isinstance(value, list):
        return any(_is_number(item) for item in value)
    return isinstance(value, (int, float, date)) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_text(item) for item in value) + "]"
    if isinstance(value, float):
        return f"{value:.6g}"
    if value is None:
        return "not given"
    return str(value).lower() if isinstance(value, bool) else str(value)
