"""Every key of a scenario: meaning, unit, what is allowed, default and an example, read from the model itself.

The model's JSON Schema (`escalate schema`) is the one source, so that check, schema and the list of keys cannot
disagree; the examples stand in ``examples.toml`` beside this file, section by section.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import EscalateError, near
from .model import Scenario

Node = Mapping[str, Any]

MUST = "must be given"
"""What stands for a default where there is none."""

_TAGS = ("name", "kind")
"""Keys that choose among kinds of a section."""

_UNITS = {
    r"(^|_)days?$": "days",
    r"_per_month$": "a month",
    r"_per_year$": "a year",
    r"(^|_)probability$": "probability",
    r"_shares?$": "share",
}
"""Units that names of keys end with, for keys whose meaning names none in brackets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a section.

    Parameters
    ----------
    name : str
        As its section writes it.
    meaning : str
        What it means.
    unit : str
        Its unit; empty if it has none.
    allowed : str
        Kind and range of its values, in words.
    default : str
        The value where it is left out, as TOML; ``none``, or `MUST`.
    example : str
        A value, as TOML.
    instead : bool
        Whether it stands in place of another key of its section, and not beside all of them.
    """

    name: str
    meaning: str
    unit: str
    allowed: str
    default: str
    example: str
    instead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySection:
    """One section of a scenario file; a section of several kinds is one for each kind.

    Parameters
    ----------
    path : str
        Dotted; empty for the keys above all sections.
    place : str
        The same as a change names it: in the first of each list around it, as in ``dose_levels[1].lymphodepletion``.
    repeated : bool
        Whether it is written once for each item, as ``[[path]]``.
    kind : str
        Rule, arrival process or onset that these keys belong to; empty where there is one kind alone.
    meaning : str
        What it is about.
    needed : bool
        Whether a scenario must have it.
    keys : tuple of Key
        In the order of the model, the one that chooses the kind first.
    """

    path: str
    place: str
    repeated: bool
    kind: str
    meaning: str
    needed: bool
    keys: tuple[Key, ...]

    @property
    def example(self) -> str:
        """A list of one such table, as TOML writes it in one line."""
        return f"[{{{', '.join(f'{key.name} = {key.example}' for key in self.keys_together)}}}]"

    @property
    def keys_together(self) -> tuple[Key, ...]:
        """Those keys that can all be given at once."""
        return tuple(key for key in self.keys if not key.instead)

    @property
    def header(self) -> str:
        """The line that begins it in a file."""
        return f"[[{self.path}]]" if self.repeated else f"[{self.path}]" if self.path else "Above all sections"

    def dotted(self, key: Key) -> str:
        """Return a key's dotted name, as `Scenario.replace` takes it."""
        return f"{self.path}.{key.name}" if self.path else key.name


@cache
def key_sections() -> tuple[KeySection, ...]:
    """Return every section of a scenario with its keys, in the order of the model."""
    schema = Scenario.model_json_schema()
    return tuple(_sections(schema, schema["$defs"], "", _examples()))


def find_keys(name: str) -> list[tuple[KeySection, tuple[Key, ...]]]:
    """Return the sections that a name stands for, with the keys that are meant.

    Parameters
    ----------
    name : str
        A section or a key, or a last part of its name, or a kind of a section (a rule's name), in any case; positions
        in lists do not matter.

    Raises
    ------
    EscalateError
        If nothing has this name; says what comes close.
    """
    asked = re.sub(r"\.\d+(?=\.|$)|\[\d+\]|[\[\]]", "", name).strip().casefold()
    found = [(section, keys) for section in key_sections() if (keys := _meant(section, asked))]
    if not found:
        known = {word.casefold(): word for section in key_sections() for word in _names(section)}
        close = near(asked, known.values())
        hint = f"Did you mean `{close[0]}`?" if close else f"Sections are: {', '.join(_paths())}."
        raise EscalateError(f"there is no key or section {name!r} in a scenario. {hint} `escalate keys` lists them all")
    return found


def _meant(section: KeySection, asked: str) -> tuple[Key, ...]:
    """Return the keys of a section that a name stands for: all, if it is the section's or is around it."""
    path = section.path.casefold()
    if asked in (path, section.kind.casefold(), f"{path}.{section.kind}".casefold()):
        return section.keys
    if path.startswith(f"{asked}.") or path.endswith(f".{asked}"):
        return section.keys
    return tuple(key for key in section.keys if f".{section.dotted(key)}".casefold().endswith(f".{asked}"))


def _names(section: KeySection) -> Iterator[str]:
    yield from filter(None, (section.path, section.kind))
    for key in section.keys:
        yield from (key.name, section.dotted(key))


def _paths() -> list[str]:
    return list(dict.fromkeys(section.path for section in key_sections() if section.path))


def _sections(
    node: Node,
    known: Node,
    path: str,
    examples: Any,
    *,
    place: str = "",
    instead: Any = (),
    repeated: bool = False,
    kind: str = "",
    meaning: str = "",
    needed: bool = True,
) -> Iterator[KeySection]:
    """Yield a section and, after it, those inside it."""
    inside, keys = [], []
    for name, field in _tag_first(node["properties"]):
        refs = list(_refs(field))
        if refs:
            inside.append((name, field, refs))
        else:
            keys.append(_key(name, field, name in node.get("required", ()), examples, name in instead))
    meaning = meaning or (_words(node["description"]) if path else "")
    yield KeySection(
        path=path, place=place, repeated=repeated, kind=kind, meaning=meaning, needed=needed, keys=tuple(keys)
    )
    inner = f"{place}[1]." if repeated else f"{place}." if place else ""
    for name, field, refs in inside:
        for ref in refs:
            section = known[ref.rpartition("/")[2]]
            chosen = _kind(section) if len(refs) > 1 else ""
            first, others = _examples_of(examples, name, chosen)
            yield from _sections(
                section,
                known,
                f"{path}.{name}" if path else name,
                others | first,
                place=inner + name,
                instead=others.keys() - first.keys(),
                repeated=_is_list(field),
                kind=chosen,
                meaning=_words(field["description"]) if _is_list(field) and "anyOf" in field else "",
                needed=name in node.get("required", ()),
            )


def _tag_first(fields: Node) -> list[tuple[str, Any]]:
    return sorted(fields.items(), key=lambda item: not (item[0] in _TAGS and "const" in item[1]))


def _refs(node: Any) -> Iterator[str]:
    """Yield the sections that a value may be, in order."""
    if isinstance(node, Mapping):
        if "$ref" in node:
            yield node["$ref"]
        for name in ("allOf", "anyOf", "oneOf", "items"):
            yield from _refs(node.get(name))
    elif isinstance(node, list):
        for item in node:
            yield from _refs(item)


def _is_list(field: Node) -> bool:
    """Return whether a value is a list, where it is given."""
    return field.get("type") == "array" or any(map(_is_list, field.get("anyOf", ())))


def _kind(section: Node) -> str:
    return next(str(section["properties"][tag]["const"]) for tag in _TAGS if tag in section["properties"])


@cache
def _examples() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("examples.toml").read_text(encoding="utf-8"))


def _examples_of(examples: Any, name: str, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the examples of a section inside a section, or of one of its kinds: of its first, and of the others."""
    found = examples.get(name, {}) if isinstance(examples, Mapping) else {}
    items = found if isinstance(found, list) else [found]
    first, *others = [item for item in items if not kind or kind in (item.get(tag) for tag in _TAGS)] or [{}]
    return first, {key: value for item in others for key, value in item.items()}


def _key(name: str, field: Node, needed: bool, examples: Mapping[str, Any], instead: bool) -> Key:
    default, meaning = field.get("default"), _words(field["description"])
    told = MUST if needed else "none" if default is None else toml_value(default)
    return Key(
        name=name,
        meaning=meaning,
        unit="" if _allowed(field).startswith("date") else _unit(name, meaning),
        allowed=_allowed(field),
        default=told,
        example=toml_value(examples.get(name, field.get("const", default))),
        instead=instead,
    )


def _words(text: str) -> str:
    return " ".join(text.split())


def _unit(name: str, meaning: str) -> str:
    named = re.search(r"(?<!\[)\[([a-zA-Z][\w ]*)\]", re.sub(r"`[^`]*`", "", meaning))
    if named:
        return named[1]
    return next((unit for pattern, unit in _UNITS.items() if re.search(pattern, name)), "")


def _allowed(node: Node) -> str:
    """Return the kind and the range of a value in words."""
    choices = [choice for choice in node.get("anyOf", ()) if choice.get("type") != "null"]
    if choices:
        return " or ".join(map(_allowed, choices))
    words = [toml_value(word) for word in node.get("enum", [node["const"]] if "const" in node else [])]
    if words:
        return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
    match node.get("type"):
        case "boolean":
            return "true or false"
        case "integer":
            return f"whole number{_range(node)}"
        case "number":
            return f"number{_range(node)}"
        case "string":
            return "date" if node.get("format") == "date" else "text"
        case "array":
            return f"{_size(node)}, each: {_allowed(node.get('items', {}))}"
        case "object":
            return f"table, each: {_allowed(node.get('additionalProperties', {}))}"
    return "any value"


def _size(node: Node) -> str:
    least, most = node.get("minItems", 0), node.get("maxItems")
    if most is not None:
        return f"list of {least}" if least == most else f"list of {least} to {most:,}"
    return f"list of {least} or more" if least else "list"


def _range(node: Node) -> str:
    """Return between which ends a number lies, with a blank in front; empty if anywhere."""
    if {"minimum", "maximum"} <= node.keys():
        return f" from {node['minimum']:,} to {node['maximum']:,}"
    ends = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    told = [f"{word} {node[end]:,}" for end, word in ends.items() if end in node]
    return " " + " and ".join(told) if told else ""


def toml_value(value: Any) -> str:
    """Return a value as TOML writes it, on one line."""
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_toml_key(str(name))} = {toml_value(item)}" for name, item in value.items())
        return "{" + inside + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, float):
        short = re.sub(r"e([+-])0*", lambda sign: "e" + sign[1].strip("+"), f"{value:g}")
        return short if float(short) == value and not short.isdecimal() else repr(value)
    if isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[\w-]+", name, re.ASCII) else json.dumps(name, ensure_ascii=False)
