"""The texts that a person writes: read from their files, as TOML or JSON, or refused with the line."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import Problem, ScenarioError
from ..files import MOST_BYTES, FileRead, read_bytes
from .fault_words import Fault, KeyPath
from .toml_lines import KeyLines, why_no_toml


def read_toml(path: Path | FileRead) -> tuple[dict[str, Any], Mapping[KeyPath, int]]:
    """Return what a TOML file says, and the line of every key.

    Raises
    ------
    ScenarioError
        If the file cannot be read, or is not TOML.
    """
    read = path if isinstance(path, FileRead) else read_once(path)
    text = text_of(read)
    data = parse_toml(text, str(read.path))
    return data, KeyLines(text)


def read_once(path: Path, most: int = MOST_BYTES) -> FileRead:
    """Return a file of at most so many bytes as it is now; a `ScenarioError` says why it cannot be read."""
    try:
        return FileRead(path, read_bytes(path, most))
    except FileNotFoundError:
        raise unreadable(path, "there is no such file") from None
    except IsADirectoryError:
        raise unreadable(path, "is a folder; name a scenario file (.toml) in it") from None
    except OSError as error:
        raise unreadable(path, f"cannot be read: {error.strerror}") from None
    except ValueError:
        raise unreadable(path, "is no name of a file") from None


def text_of(read: FileRead) -> str:
    """Return the text of a file that was read; a `ScenarioError` says where it is none."""
    path, raw = read.path, read.data
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        message = "is not UTF-8 text; save it as UTF-8"
        raise ScenarioError([Problem(key="", message=message, file=str(path), line=line)]) from None
    return text


_LONG_KEY = re.compile(r"""(?<![\w"'-])(?:[\w"'-]++[ \t]*+\.[ \t]*+){100}""")
"""The time that a key takes to read grows with the square of its parts."""


def unreadable(path: Path, message: str) -> ScenarioError:
    """Return the error that says why a file cannot be read."""
    return ScenarioError([Problem(key="", message=message, file=str(path))])


def parse_toml(text: str, file: str) -> dict[str, Any]:
    """Return the values of a TOML text; a `ScenarioError` says on which line it is none."""
    if _LONG_KEY.search(text):
        raise unreadable(Path(file), "has a key of more than 100 parts with dots between them: no key has so many")
    try:
        return tomllib.loads(text)
    except (RecursionError, ValueError) as error:
        if not isinstance(error, tomllib.TOMLDecodeError):
            raise unreadable(Path(file), f"cannot be read as TOML: {_beyond(error)}") from None
        words, line = why_no_toml(text, error)
        raise ScenarioError([Problem(key="", message=words, file=file, line=line)]) from None


def value_of_text(text: str) -> Any:
    """Return a value written on a command line as TOML writes it; what is none is text, which needs no quotes."""
    try:
        values = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # no TOML, too many digits, or too deep: the checks refuse the text
        return text
    return values["value"] if len(values) == 1 else text


class _TwiceError(ValueError):
    """A key stands twice in one table."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a table of JSON, in which every key stands once: of two values nobody knows which one was meant."""
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(f"{next(name for name in names if names.count(name) > 1)!r} is written twice; leave one out")
    return table


def _beyond(error: Exception) -> str:
    """Say what a reader cannot take: numbers of thousands of digits, brackets in brackets without end."""
    if isinstance(error, _TwiceError):
        return str(error)
    return "it is nested too deeply" if isinstance(error, RecursionError) else "a number has too many digits"


def parse_json(text: str, file: str) -> dict[str, Any]:
    """Return the values of a resolved scenario in JSON; a `ScenarioError` says on which line it is none."""
    try:
        data = json.loads(text, object_pairs_hook=_once)
    except (RecursionError, ValueError) as error:
        if not isinstance(error, json.JSONDecodeError):
            raise unreadable(Path(file), f"cannot be read as JSON: {_beyond(error)}") from None
        words = f"is not JSON: {error.msg.lower()}"
        raise ScenarioError([Problem(key="", message=words, file=file, line=error.lineno)]) from None
    if not isinstance(data, dict):
        raise ScenarioError([Problem(key="", message="is not a resolved scenario", file=file)])
    return data


CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What terminals, figures and spreadsheets obey instead of showing it: control characters and marks of direction."""


def text_faults(value: Any, path: KeyPath = ()) -> Iterator[Fault]:
    """Yield which texts of a scenario hold control characters, which nobody writes on purpose."""
    if isinstance(value, str):
        found = CONTROL.search(value)
        if found:
            name = f"U+{ord(found[0]):04X}"
            yield path, "", f"holds the control character {name}, which is no text; leave it out"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(key, str) and CONTROL.search(key):
                yield path, "", f"the key {ascii(key)[:60]} holds a control character, which is no text; leave it out"
            else:
                yield from text_faults(inner, (*path, key))
    elif isinstance(value, (list, tuple)):
        for position, inner in enumerate(value):
            yield from text_faults(inner, (*path, position))
