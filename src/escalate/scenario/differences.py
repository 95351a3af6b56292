"""In what two scenarios differ: key by key, what stands in the one and what in the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from typing import Any

from .fault_words import KeyPath, key_text
from .keys import toml_value
from .model import Scenario

LEFT_OUT = "none"
"""What is said where one of two scenarios has no such value."""

MOST_CHANGES, MOST_LETTERS = 6, 40
"""So many of the keys in which a scenario differs are told in words, and so many letters of each value."""

_ABOUT_VALUES = ("schema_version", "sources", "ranges")


@dataclass(frozen=True, slots=True)
class Difference:
    """A key whose values differ.

    Parameters
    ----------
    key : str
        Dotted key; positions in lists from 1, in brackets.
    first, other : str
        The values as TOML writes them; `LEFT_OUT` where there is none.
    """

    key: str
    first: str
    other: str

    def __str__(self) -> str:
        return f"{self.key} {self.first} -> {self.other}"


def differences(first: Scenario, other: Scenario) -> tuple[Difference, ...]:
    """Return in what two scenarios differ, in the order of a scenario file; sources and ranges aside.

    Parameters
    ----------
    first, other : Scenario
        Compared with everything filled in, so that a value that is written differs from none that is left out only if
        the default is another one.
    """
    one, two = (
        {name: part for name, part in scenario.filled().items() if name not in _ABOUT_VALUES}
        for scenario in (first, other)
    )
    return tuple(_differing(one, two, ()))


def differing_sources(first: Scenario, other: Scenario) -> tuple[str, ...]:
    """Return the keys of which two scenarios say different sources, or different ranges."""
    pairs = ((first.sources, other.sources), (first.ranges, other.ranges))
    keys = (key for one, two in pairs for key in (*one, *two) if one.get(key) != two.get(key))
    return tuple(dict.fromkeys(keys))


def _differing(one: Any, two: Any, path: KeyPath) -> Iterator[Difference]:
    """Yield where two parts differ; tables that both have are entered, those that one alone has are told whole."""
    if _is_table(one) and _is_table(two):
        for name in dict.fromkeys([*one, *two]):
            yield from _differing(one.get(name), two.get(name), (*path, name))
    elif _has_tables(one) and _has_tables(two):
        for position, (left, right) in enumerate(zip_longest(one, two)):
            yield from _differing(left, right, (*path, position))
    elif _has_tables(one) or _has_tables(two):
        for position, item in enumerate(one or two):
            texts = (_text(item), LEFT_OUT) if one else (LEFT_OUT, _text(item))
            yield Difference(key_text((*path, position)), *texts)
    elif (left := _text(one)) != (right := _text(two)):
        yield Difference(key_text(path), left, right)


def _is_table(node: Any) -> bool:
    return isinstance(node, Mapping) and bool(node)


def _has_tables(node: Any) -> bool:
    return isinstance(node, list) and bool(node) and all(isinstance(item, Mapping) for item in node)


def _text(value: Any) -> str:
    if value is None or value in ({}, []):
        return LEFT_OUT
    if isinstance(value, Mapping):
        value = {name: part for name, part in value.items() if part is not None}
    return value.isoformat() if isinstance(value, date) else toml_value(value)


def changes_words(changes: Sequence[Difference], first: str) -> str:
    """Return in words in what a scenario differs from the first: the first few keys, with their values."""
    if not changes:
        return f"the same as {first}"
    parts = [f"{one.key} {_brief(one.first)} -> {_brief(one.other)}" for one in changes[:MOST_CHANGES]]
    more = len(changes) - len(parts)
    return "; ".join(parts) + (f"; and {more} more key{'s' * (more > 1)}" if more else "")


def _brief(value: str) -> str:
    return value if len(value) <= MOST_LETTERS else f"{value[: MOST_LETTERS - 3]}..."
