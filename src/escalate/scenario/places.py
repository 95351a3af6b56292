"""Nested plain values of a scenario, and the places in them: what a dotted key names, and what stands there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from ..errors import Problem
from .fault_words import KeyPath, allowed_keys, key_text, models_at, suggestion

_NOT_ASSUMED = (
    "schema_version",
    "sources",
    "ranges",
    "what_if",
    "trial.title",
    "treatment.words",
    "trial.registry_id",
    "trial.description",
)


def is_story(key: str) -> bool:
    """Return whether a key says what the scenario is about, or fixes a story, and so needs no source."""
    return any(key == name or key.startswith(name + ".") for name in _NOT_ASSUMED)


def leaves(data: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Return every value by its dotted key; values in a list of tables stand together under one key."""
    found: dict[str, tuple[Any, ...]] = {}
    _collect(data, "", found)
    return found


def key_exists(key: str, known: Mapping[str, Any]) -> bool:
    """Return whether a source's key names a value, or a section with values."""
    return any(name == key or name.startswith(key + ".") for name in known)


def _collect(node: Any, key: str, found: dict[str, tuple[Any, ...]]) -> None:
    if isinstance(node, Mapping) and node:
        for name, value in node.items():
            _collect(value, f"{key}.{name}" if key else str(name), found)
    elif isinstance(node, list) and node and all(isinstance(item, Mapping) for item in node):
        for item in node:
            _collect(item, key, found)
    else:
        found[key] = (*found.get(key, ()), node)


_POSITION = re.compile(r"\[(\d+)\](?=[.\[]|$)")


def dotted(key: str) -> str:
    """Return a key with dots alone: ``accrual.pauses[1].first_day``, as messages say it, is ``accrual.pauses.0...``."""
    return _POSITION.sub(lambda found: f".{int(found[1]) - 1}", key)


def value_of(data: Any, key: str) -> Any:
    """Return the value of a key in nested plain values; with dots alone, positions in lists count from 0."""
    for part in dotted(key).split("."):
        data = data[int(part)] if isinstance(data, list) else data[part]
    return data


def source_of(key: str, sources: Mapping[str, str]) -> str:
    """Return the source of a key: its own, or that of the closest section around it; empty if there is none."""
    while key:
        if key in sources:
            return sources[key]
        key = key.rpartition(".")[0]
    return ""


def put(data: dict[str, Any], key: str, value: Any, root: type[BaseModel]) -> Problem | None:
    """Set a key, as `value_of` takes it, inside nested plain values of a section; say what is wrong if it is none."""
    node: Any = data
    parts = dotted(key).split(".")
    path: KeyPath = ()
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        positions = {str(position): position for position in range(len(node))} if isinstance(node, list) else {}
        if not isinstance(node, (dict, list)):
            return Problem(key=key, message=f"`{key_text(path)}` is one value, and nothing stands below it")
        if part in positions:
            index: Any = positions[part]
        elif isinstance(node, dict) and (part in node or (last and _may_have(tuple(parts[:depth]), part, root))):
            index = part
        else:
            if isinstance(node, list):
                return _not_in_list(path, part, parts[depth + 1 :], len(node))
            return _nowhere((*path, *parts[depth:]), part, set(node))
        path += (index,)
        if last:
            node[index] = value
        else:
            inside = allowed_keys(path, root)
            if node[index] is None and inside:  # a section that was left out
                if parts[depth + 1].isdecimal():
                    return _not_in_list(path, parts[depth + 1], parts[depth + 2 :], 0)
                if parts[depth + 1] not in inside:
                    return _nowhere((*path, *parts[depth + 1 :]), parts[depth + 1], set(inside))
                node[index] = {}
            node = node[index]
    return None


def _nowhere(path: KeyPath, part: str, allowed: set[str]) -> Problem:
    return Problem(key=key_text(path), message=f"there is no `{part}` here{suggestion(part, allowed)}")


def _not_in_list(path: KeyPath, part: str, rest: Sequence[str], length: int) -> Problem:
    """Say that a list has no such item: which there are, or how the whole list is given."""
    name, number = key_text(path), re.fullmatch(r"-?\d+", part)
    key = key_text((*path, int(part) if number else part, *rest))
    if not length:
        said = f"`{name}` is empty so far: set the whole list; `escalate keys {name}` shows how"
    elif number:
        said = f"there is no `[{int(part) + 1}]` here: `{name}` has {length}, counted from [1]"
    else:
        said = f"there is no `{part}` here: `{name}` is a list, and its first is {name}[1]"
    return Problem(key=key, message=said)


def _may_have(path: KeyPath, part: str, root: type[BaseModel]) -> bool:
    """Return whether a key may stand in a section that does not have it: people choose the keys, or one kind has it."""
    allowed = allowed_keys(path, root)
    return not allowed or part in allowed


def with_dates(data: dict[str, Any], root: type[BaseModel]) -> dict[str, Any]:
    """Return a section's plain values with dates where they have them as ISO text: JSON has no dates."""
    dated: dict[str, Any] = _with_dates(data, "", _date_names(root))
    return dated


def _with_dates(node: Any, key: str, names: frozenset[str]) -> Any:
    if isinstance(node, dict):
        return {name: _with_dates(value, name, names) for name, value in node.items()}
    if isinstance(node, list):
        return [_with_dates(value, key, names) for value in node]
    if isinstance(node, str) and key in names:
        with suppress(ValueError):
            return date.fromisoformat(node)
    return node


@cache
def _date_names(root: type[BaseModel]) -> frozenset[str]:
    """Return the keys of a section, and of the sections in it, that are dates."""
    fields = root.model_fields.items()
    own = {name for name, field in fields if date in (field.annotation, *get_args(field.annotation))}
    inner = {model for name, _ in fields for model in models_at((name,), root)}
    return frozenset(own.union(*map(_date_names, inner)))
