"""From a file to a scenario, or to every reason why it is none."""

from __future__ import annotations

import copy
import difflib
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from ..errors import Problem, ScenarioError
from . import checks
from .model import Scenario
from .ranges import range_fault, value_of
from .rule_files import Complaint, read_rule_files
from .rules import RULES
from .sources import is_story, key_exists, leaves
from .toml_lines import key_lines, line_of

KeyPath = tuple[str | int, ...]
_TAGS = {
    *{"poisson", "fixed", "uniform", "weibull", "list"},
    *RULES,
}
_CHOICES = {"rule", "accrual", "onset"}
"""Keys that choose among kinds."""
_NAME_FILES = {"rule", "rule.file", "rule.python", "rule.sha256"}
"""Where a change may name files that have not been read."""
_KINDS = {
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "string_type": "must be text in quotes",
    "bool_type": "must be true or false",
    "list_type": "must be a list in square brackets",
    "dict_type": "must be a table",
    "model_type": "must be a table (a section of its own)",
    "model_attributes_type": "must be a table (a section of its own)",
    "date_type": "must be a date as TOML writes it, without quotes: 2024-08-30",
    "date_from_datetime_parsing": "must be a date: 2024-08-30",
    "finite_number": "must be a finite number",
}


def load(path: str | os.PathLike[str], *, allow_python: bool = False) -> Scenario:
    """Read a scenario file.

    Parameters
    ----------
    path : path
        A scenario in TOML, or a resolved scenario in JSON as `escalate run` saves it.
    allow_python : bool
        Whether the code of a rule's Python file may run; it can do anything that you can.

    Returns
    -------
    Scenario
        Complete, checked and frozen.

    Raises
    ------
    ScenarioError
        If the file cannot be read or is not a valid scenario; names file, line, key, value and what is allowed,
        for all problems at once.
    """
    path = Path(path)
    text = read_text(path)
    if not text.strip():
        raise _unreadable(path, "is empty; `escalate init` writes a draft to start from")
    if path.suffix.lower() == ".json":
        data, lines = _parse_json(text, str(path)), {}
    else:
        data, lines = parse_toml(text, str(path)), key_lines(text)
    return _build(data, str(path), lines, list(read_rule_files(data, path.parent, allow_python)))


def read_toml(path: Path) -> tuple[dict[str, Any], dict[KeyPath, int]]:
    """Return what a TOML file says, and the line of every key.

    Raises
    ------
    ScenarioError
        If the file cannot be read, or is not TOML.
    """
    text = read_text(path)
    data = parse_toml(text, str(path))
    return data, key_lines(text)


def changed(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """Return a scenario with some values changed: see `Scenario.replace`."""
    data = scenario.model_dump(mode="python")
    plain = {str(key): _plain(value) for key, value in dict(changes).items()}
    problems = [problem for key, value in plain.items() if (problem := _put(data, key, value)) is not None]
    if problems:
        raise ScenarioError(problems)
    for key in (*plain, *_forget_table(data["rule"], plain)):
        _forget_source(data["sources"], key)
        _forget_range(data["ranges"], key)
    unread = list(read_rule_files(data, Path(), False)) if _NAME_FILES & set(plain) else []
    if data["ranges"] and not any(key.split(".")[0] == "ranges" for key in plain):
        without = _build(data | {"ranges": {}}, "", {}, unread)
        data["ranges"] = _possible_ranges(without, data["ranges"])
    return _build(data, "", {}, unread)


def _possible_ranges(scenario: Scenario, ranges: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ranges whose ends are still possible after a change: it need not know of the others."""
    return {
        key: ends
        for key, ends in ranges.items()
        if not any(_range_problems(scenario.model_copy(update={"ranges": {key: ends}})))
    }


def _plain(value: Any) -> Any:
    """Return lists for tuples and arrays, and plain numbers for numpy's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _forget_source(sources: Any, key: str) -> None:
    """A value that was changed no longer has the source that it had."""
    key = ".".join(part for part in key.split(".") if not part.isdigit())
    if not isinstance(sources, dict) or is_story(key):
        return
    for inner in [name for name in sources if name == key or name.startswith(key + ".")]:
        del sources[inner]
    sources[key] = "assumption: changed by a person, with no source given"


def _forget_table(rule: Any, changes: Mapping[str, Any]) -> Iterator[str]:
    """Part a table from its file where one of them was changed; yield the key of the other, which is forgotten."""
    has_decisions = any(key.startswith("rule.decisions") for key in changes)
    if changes.get("rule.file") is not None and not has_decisions:
        rule["decisions"] = {}
        yield "rule.decisions"
    if has_decisions and "rule.file" not in changes:
        rule["file"] = None
        yield "rule.file"


def _forget_range(ranges: Any, key: str) -> None:
    """A value that was changed no longer has the range that it had."""
    if isinstance(ranges, dict) and not is_story(key):
        for known in [known for known in ranges if f"{known}.".startswith(f"{key}.") or key.startswith(f"{known}.")]:
            del ranges[known]


def read_text(path: Path) -> str:
    """Return the text of a file; a `ScenarioError` says why it cannot be read."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise _unreadable(path, "there is no such file") from None
    except IsADirectoryError:
        raise _unreadable(path, "is a folder; name a scenario file (.toml) in it") from None
    except OSError as error:
        raise _unreadable(path, f"cannot be read: {error.strerror}") from None
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        message = "is not UTF-8 text; save it as UTF-8"
        raise ScenarioError([Problem(key="", message=message, file=str(path), line=line)]) from None
    return text


def _unreadable(path: Path, message: str) -> ScenarioError:
    return ScenarioError([Problem(key="", message=message, file=str(path))])


def parse_toml(text: str, file: str) -> dict[str, Any]:
    """Return the values of a TOML text; a `ScenarioError` says on which line it is none."""
    try:
        return tomllib.loads(text)
    except (RecursionError, ValueError) as error:
        if not isinstance(error, tomllib.TOMLDecodeError):
            raise _unreadable(Path(file), f"cannot be read as TOML: {error}") from None
        message, _, position = str(error).rpartition(" (at ")
        digits = "".join(c for c in position.split(",")[0] if c.isdigit())
        line = int(digits) if digits else text.count("\n") + 1
        words = f"is not TOML: {(message or str(error)).lower()}"
        raise ScenarioError([Problem(key="", message=words, file=file, line=line)]) from None


def _parse_json(text: str, file: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (RecursionError, ValueError) as error:
        if not isinstance(error, json.JSONDecodeError):
            raise _unreadable(Path(file), f"cannot be read as JSON: {error}") from None
        words = f"is not JSON: {error.msg.lower()}"
        raise ScenarioError([Problem(key="", message=words, file=file, line=error.lineno)]) from None
    if not isinstance(data, dict):
        raise ScenarioError([Problem(key="", message="is not a resolved scenario", file=file)])
    restored: dict[str, Any] = _dates(data)
    return restored


def _dates(node: Any, key: str = "") -> Any:
    """Turn the ISO dates of a resolved scenario back into dates: JSON has none."""
    if isinstance(node, dict):
        return {name: _dates(value, name) for name, value in node.items()}
    if isinstance(node, list):
        return [_dates(value, key) for value in node]
    if isinstance(node, str) and key in {"start_date", "planned_completion_date", "first_day", "last_day"}:
        try:
            return date.fromisoformat(node)
        except ValueError:
            return node
    return node


def _build(data: dict[str, Any], file: str, lines: dict[KeyPath, int], unread: list[Complaint]) -> Scenario:
    """Return the scenario, or raise with everything that is wrong with it and its files, in the order of the file."""
    found = [*unread, *(item for item in _problems(data) if not (unread and item[0][:1] == ("rule",)))]
    if not found:
        found = list(_range_problems(Scenario.model_validate(data)))
    if found:
        problems = [
            Problem(key=key_text(path), value=value, message=message, file=file, line=line_of(lines, path))
            for path, value, message in found
        ]
        raise ScenarioError(sorted(problems, key=lambda problem: problem.line))
    return Scenario.model_validate(data)


def _problems(data: dict[str, Any]) -> Iterator[tuple[KeyPath, str, str]]:
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        scenario = None
        for item in error.errors():
            path = _without_tags(item["loc"])
            if item["type"] == "union_tag_invalid":
                path += (item["ctx"]["discriminator"].strip("'"),)
            yield *_named(path, item), finding_words(item, path)
    for path, value, message in checks.complaints(_valid_sections(data)):
        yield path, short(value), message
    if scenario is not None:
        known = leaves(scenario.model_dump(mode="python", exclude={"sources", "ranges", "schema_version"}))
        for key, source in scenario.sources.items():
            if not key_exists(key, known):
                yield ("sources", key), short(source), f"there is no such key{_suggestion(key, set(known))}"


def _range_problems(scenario: Scenario) -> Iterator[tuple[KeyPath, str, str]]:
    """Yield what is wrong with ranges: the value lies inside, and either end in its place is a valid scenario."""
    for key, (low, high) in scenario.ranges.items():
        where, said = ("ranges", key), short([low, high])
        plain = scenario.model_dump(mode="python", exclude={"ranges", "sources"})
        problem = _put(copy.deepcopy(plain), key, low)
        fault = problem.message if problem is not None else range_fault(value_of(plain, key), low, high)
        if fault:
            yield where, said, fault
            continue
        for name, end in (("low", low), ("high", high)):
            changed_data = copy.deepcopy(plain)
            _put(changed_data, key, end)
            for path, value, message in _problems(changed_data):
                at = key_text(path) + (f" = {value}" if value else "")
                yield where, said, f"the {name} end gives no valid scenario: {at}: {message}"


def _without_tags(loc: KeyPath) -> KeyPath:
    """Leave out the name of the chosen kind, which stands behind the key that chooses among kinds."""
    chosen = {position for position in range(1, len(loc)) if loc[position - 1] in _CHOICES and loc[position] in _TAGS}
    return tuple(part for position, part in enumerate(loc) if position not in chosen)


def _named(path: KeyPath, item: Any) -> tuple[KeyPath, str]:
    """Return where a finding is and the value there; one about a section names the key that it begins with."""
    if item["type"] == "value_error":
        key = str(item["ctx"]["error"]).split(" ")[0]
        if isinstance(item["input"], dict) and key in item["input"]:
            return (*path, key), short(item["input"][key])
    return path, value_text(item)


def _valid_sections(data: dict[str, Any]) -> dict[str, Any]:
    """Return those sections that are valid by themselves."""
    valid = {}
    for name, field in Scenario.model_fields.items():
        if name not in data and field.is_required():
            continue
        try:
            valid[name] = _section(name).validate_python(data[name], strict=True) if name in data else field.default
        except ValidationError:
            continue
    return valid


@cache
def _section(name: str) -> TypeAdapter[Any]:
    """Return what checks a section by itself."""
    return TypeAdapter(Scenario.model_fields[name].rebuild_annotation())


def finding_words(item: Any, path: KeyPath, root: type[BaseModel] = Scenario) -> str:
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
        allowed = set(_allowed(path[:-1], root))
        if path[-1] in allowed:
            return "does not belong to the kind that is chosen here"
        return f"unknown key{_suggestion(str(path[-1]), allowed)}"
    if kind == "missing":
        return f"is missing. {_meaning(path, root)}"
    if kind == "value_error":
        return str(context["error"])
    if kind in _KINDS:
        said = _KINDS[kind]
    elif kind.startswith(("greater_than", "less_than")):
        limit = next(iter(context.values()))
        relation = {
            "greater_than": "greater than", "greater_than_equal": "at least",
            "less_than": "less than", "less_than_equal": "at most",
        }[kind]  # fmt: skip
        said = f"must be {relation} {limit:g}"
    elif kind == "literal_error":
        said = f"must be {context['expected']}"
    elif kind == "union_tag_invalid":
        return f"must be one of {context['expected_tags']}"
    elif kind == "union_tag_not_found":
        return f"needs a `{context['discriminator'].strip(chr(39))}`. {_meaning(path, root)}"
    elif kind == "too_short":
        said = f"needs at least {context['min_length']} value"
    elif kind == "string_pattern_mismatch" and path[0] == "sources":
        return 'a source begins with "registry: ", "literature: " or "assumption: " and then says where'
    else:
        said = item["msg"][0].lower() + item["msg"][1:]
    return f"{said}. {_meaning(path, root)}".rstrip()


def _meaning(path: KeyPath, root: type[BaseModel]) -> str:
    """Return the meaning of a key, from the model's own words."""
    name, parents = path[-1], path[:-1]
    if isinstance(name, int) and parents:
        return _meaning(parents, root)
    for model in _models(parents, root):
        if name in model.model_fields:
            return f"It means: {model.model_fields[str(name)].description}"
    return ""


def _allowed(path: KeyPath, root: type[BaseModel] = Scenario) -> list[str]:
    return [name for model in _models(path, root) for name in model.model_fields]


def _models(path: KeyPath, root: type[BaseModel]) -> list[type[BaseModel]]:
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


def _suggestion(key: str, allowed: set[str]) -> str:
    close = difflib.get_close_matches(key, allowed, n=1, cutoff=0.6)
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
    text = value.isoformat() if isinstance(value, date) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def key_text(path: KeyPath) -> str:
    """Return a path as a person would write it: ``toxicity.dlt_probability[1]``, positions from 1."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else ("." if text else "") + part
    return text


def key_fault(scenario: Scenario, key: str) -> str:
    """Return why a dotted key names nothing that `Scenario.replace` could change; empty if it does."""
    problem = _put(scenario.model_dump(mode="python"), key, None)
    return problem.message if problem is not None else ""


def _put(data: dict[str, Any], key: str, value: Any) -> Problem | None:
    """Set a dotted key inside nested plain values; say what is wrong if it does not exist."""
    node: Any = data
    parts = key.split(".")
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        if isinstance(node, list) and part.isdigit() and int(part) < len(node):
            index: Any = int(part)
        elif isinstance(node, dict) and (part in node or (last and not _allowed(tuple(parts[:depth])))):
            index = part
        else:
            allowed = set(node) if isinstance(node, dict) else {str(i) for i in range(len(node or []))}
            return Problem(key=key, message=f"there is no `{part}` here{_suggestion(part, allowed)}")
        if last:
            node[index] = value
        else:
            node = node[index]
    return None
