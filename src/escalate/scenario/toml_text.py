"""A scenario as the text of a TOML file (version 1.0), in the layout in which a person writes one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from .section import Section

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(section: Section) -> str:
    """Return a section with all its values, defaults too, as TOML; what is left out has no value.

    Parameters
    ----------
    section : Section
        A whole scenario, or a part of one.
    """
    return "\n".join(_table(section, ())).strip() + "\n"


def _table(table: Section | Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a table: its own values, then the tables inside it, each with its header."""
    items = dict(_items(table))
    inner = {key: value for key, value in items.items() if _is_table(value) or _is_list_of_tables(value)}
    yield from (f"{_key(key)} = {_value(value)}" for key, value in items.items() if key not in inner)
    for key, value in inner.items():
        name = ".".join(map(_key, (*path, key)))
        header, tables = (f"[{name}]", [value]) if _is_table(value) else (f"[[{name}]]", value)
        for one in tables:
            yield from ("", header, *_table(one, (*path, key)))


def _items(table: Section | Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield keys and values, but for those that say nothing: no value, or the empty list or table of a default."""
    if not isinstance(table, Section):
        yield from table.items()
        return
    for key, field in type(table).model_fields.items():
        value = getattr(table, key)
        is_empty = isinstance(value, (tuple, Mapping)) and not value
        if value is not None and not (is_empty and value == field.default):
            yield key, value


def _is_table(value: Any) -> bool:
    return isinstance(value, (Section, Mapping))


def _is_list_of_tables(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(item, Section) for item in value)


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_key(key)} = {_value(item)}' for key, item in value.items())}}}"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date) else repr(value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    """Return a text in quotes: JSON's are TOML's, but for one control character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
