"""What is wrong with a section, in the words of the person who wrote it.

One place decides how a fault is said, whether the scenario came from a file, from Python or from another process.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import BaseModel, ValidationError

from ..errors import Problem, near
from .toml_lines import line_of, no_date, why_no_toml

KeyPath = tuple[str | int, ...]
Fault = tuple[KeyPath, str, str]
"""Where, the value that was got as text, and what is wrong with it."""

_KINDS = {
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "string_type": "must be text in quotes",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list in square brackets",
    "list_type": "must be a list in square brackets",
    "dict_type": "must be a table",
    "model_type": "must be a table (a section of its own)",
    "model_attributes_type": "must be a table (a section of its own)",
    "date_type": "must be a date as TOML writes it, without quotes: 2024-08-30",
    "date_from_datetime_parsing": "must be a date: 2024-08-30",
    "finite_number": "must be a finite number",
}


def findings(error: ValidationError, root: type[BaseModel]) -> Iterator[Fault]:
    """Yield what pydantic found wrong with a section: where, the value that was got, and what is wrong with it.

    Parameters
    ----------
    error : ValidationError
        What pydantic raised.
    root : type
        The section.
    """
    items = error.errors()
    meant = _meant(items, root)
    for item in items:
        if item["type"] == "missing" and _without_tags(item["loc"], root) in meant:
            continue  # it is there, mistyped, which is told
        if item["type"] == "too_short" and len(item["input"]) >= item["ctx"]["min_length"]:
            continue  # pydantic counts the valid items alone, and tells the others
        path = _without_tags(item["loc"], root)
        if item["type"] == "union_tag_invalid":
            path += (item["ctx"]["discriminator"].strip("'"),)
        yield *_named(path, item), finding_words(item, path, root)


def _meant(items: Sequence[Any], root: type[BaseModel]) -> set[KeyPath]:
    """Return which keys unknown ones were meant to be."""
    unknown = [_without_tags(item["loc"], root) for item in items if item["type"] == "extra_forbidden"]
    return {(*path[:-1], close) for path in unknown for close in near(str(path[-1]), allowed_keys(path[:-1], root))}


def problem(fault: Fault, file: str = "", lines: Mapping[KeyPath, int] | None = None) -> Problem:
    """Return a fault as it is told: with file and line, if it stands in a file."""
    path, value, message = fault
    return Problem(key=key_text(path), value=value, message=message, file=file, line=line_of(lines or {}, path))


def _without_tags(loc: KeyPath, root: type[BaseModel]) -> KeyPath:
    """Leave out the name of the chosen kind, which stands behind a key that chooses among kinds."""
    path: KeyPath = ()
    chooses = False
    for part in loc:
        if not chooses:
            path += (part,)
        chooses = not chooses and isinstance(part, str) and len(models_at(path, root)) > 1
    return path


def _named(path: KeyPath, item: Any) -> tuple[KeyPath, str]:
    """Return where a finding is and the value there; one about a section names the key that it begins with."""
    if item["type"] == "value_error":
        key = str(item["ctx"]["error"]).split(" ")[0]
        if isinstance(item["input"], dict) and key in item["input"]:
            return (*path, key), short(item["input"][key])
    return path, value_text(item)


def finding_words(item: Any, path: KeyPath, root: type[BaseModel]) -> str:
    """Say in a sentence what one finding of pydantic means for the person who wrote the file.

    Parameters
    ----------
    item : dict
        The finding, as `pydantic.ValidationError.errors` has it.
    path : tuple of str and int
        Where.
    root : type
        What the file should hold.
    """
    kind, context = item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        allowed = set(allowed_keys(path[:-1], root))
        if path[-1] in allowed:
            return "does not belong to the kind that is chosen here"
        return f"unknown key{suggestion(str(path[-1]), allowed)}"
    if kind == "missing":
        return f"is missing. {_meaning(path, root)}"
    if kind == "value_error":
        return str(context["error"])
    if kind in _KINDS:
        said = _unread(kind, item["input"]) or _KINDS[kind]
        if "must be a table" in said and isinstance(item["input"], (list, tuple)) and isinstance(path[-1], str):
            said += f": write [{key_text(path)}], with one bracket on each side"
    elif kind.startswith(("greater_than", "less_than")):
        limit = next(iter(context.values()))
        relation = {
            "greater_than": "greater than", "greater_than_equal": "at least",
            "less_than": "less than", "less_than_equal": "at most",
        }[kind]  # fmt: skip
        said = f"must be {relation} {limit:g}" if limit < 10_000 else f"must be {relation} {limit:,}"
    elif kind == "literal_error":
        said = f"must be {context['expected']}"
    elif kind == "union_tag_invalid":
        close = near(str(context["tag"]), [tag.strip("' ") for tag in context["expected_tags"].split(",")])
        return f"must be one of {context['expected_tags']}" + (f". Did you mean `{close[0]}`?" if close else "")
    elif kind == "union_tag_not_found":
        known = allowed_keys(path, root)
        meant = [(key, near(str(key), known)) for key in item["input"] if key not in known]
        hints = [f"it has an unknown key `{key}`: did you mean `{close[0]}`?" for key, close in meant if close]
        needed = f"needs a `{context['discriminator'].strip(chr(39))}`"
        return "; ".join([needed, *hints]) + ("" if hints else f". {_meaning(path, root)}")
    elif kind == "too_short":
        said = f"needs at least {context['min_length']} value"
    elif kind == "too_long":
        said = f"allows at most {context['max_length']} values"
    elif kind == "string_pattern_mismatch" and path[0] == "sources":
        return 'a source begins with "registry: ", "literature: " or "assumption: " and then says where'
    else:
        said = item["msg"][0].lower() + item["msg"][1:]
    return f"{said}. {_meaning(path, root)}".rstrip()


def _unread(kind: str, given: object) -> str:
    """Return why a text is not the date, list or table that it was meant to be; empty where it was not."""
    if not isinstance(given, str):
        return ""
    if kind.startswith("date"):
        return no_date(given)
    if not given.lstrip().startswith(("[", "{")):
        return ""
    try:
        tomllib.loads(f"value = {given}")
    except tomllib.TOMLDecodeError as error:
        return why_no_toml(f"value = {given}", error)[0]
    except (ValueError, RecursionError):
        return ""
    return ""


def _meaning(path: KeyPath, root: type[BaseModel]) -> str:
    """Return the meaning of a key, from the model's own words."""
    name, parents = path[-1], path[:-1]
    if isinstance(name, int) and parents:
        return _meaning(parents, root)
    for model in models_at(parents, root):
        if name in model.model_fields:
            return f"It means: {' '.join((model.model_fields[str(name)].description or '').split())}"
    return ""


def allowed_keys(path: KeyPath, root: type[BaseModel]) -> list[str]:
    """Return the keys that may stand in the section at a path; none where people choose the keys."""
    return [name for model in models_at(path, root) for name in model.model_fields]


def models_at(path: KeyPath, root: type[BaseModel]) -> list[type[BaseModel]]:
    """Return the sections that may stand at a path; a choice of kinds gives several."""
    found: list[type[BaseModel]] = [root]
    for part in path:
        if isinstance(part, int):
            continue
        found = [
            inner
            for model in found
            if part in model.model_fields
            for inner in _inside(model.model_fields[part].annotation)
        ]
    return found


def _inside(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _inside(part)]


def suggestion(key: str, allowed: set[str]) -> str:
    """Say what an unknown key may have meant, or what is allowed where little is."""
    close = near(key, allowed)
    if close:
        return f". Did you mean `{close[0]}`?"
    return f". Allowed here: {', '.join(sorted(allowed))}" if 0 < len(allowed) <= 30 else ""


def value_text(item: Any) -> str:
    """Return the value that a finding of pydantic is about, as text; empty where the message says it."""
    if item["type"] == "union_tag_invalid":
        return short(item["ctx"]["tag"])
    return "" if item["type"] in {"missing", "value_error", "union_tag_not_found"} else short(item["input"])


def short(value: Any) -> str:
    """Return a value as text of at most 60 letters; nothing for a section, and for nothing."""
    if isinstance(value, BaseModel) or value is None:
        return ""
    try:
        text = value.isoformat() if isinstance(value, date) else json.dumps(value, default=str, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "a value too long, or nested too deeply, to be told"
    return text if len(text) <= 60 else text[:57] + "..."


def key_text(path: KeyPath) -> str:
    """Return a path as a person would write it: ``toxicity.dlt_probability[1]``, positions from 1."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else ("." if text else "") + part
    return text
