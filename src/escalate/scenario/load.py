"""From a file, a name or a mapping to a scenario, or to every reason why it is none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..errors import Problem, ScenarioError, near
from ..files import MOST_BYTES, MOST_OF_RECORD, FileRead
from ..shipped import scenario_file, shipped
from ..words.asked import asks
from .fault_words import Fault, KeyPath
from .model import Scenario
from .places import put, with_dates
from .rule_files import read_rule_files, unknown_function
from .texts import parse_json, parse_toml, read_once, text_of, unreadable
from .toml_lines import KeyLines
from .values import plain


@asks()
def load(scenario: str | os.PathLike[str] | FileRead | Mapping[str, Any], *, allow_python: bool = False) -> Scenario:
    """Read a scenario.

    Parameters
    ----------
    scenario : path, str or mapping
        A file: a scenario in TOML, or a resolved scenario in JSON as `escalate run` saves it; or the name of a
        scenario that comes with escalate, as ``"nct06337474"``; or a mapping with the sections of a scenario file,
        whose dates may be ISO text, and whose files are named relative to the folder of the session; or a file that
        `read_scenario_file` has read.
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
    try:
        if isinstance(scenario, Mapping):
            return Scenario.from_dict(scenario, allow_python=allow_python)
        if isinstance(scenario, (str, os.PathLike)):
            scenario = read_scenario_file(scenario)
        if isinstance(scenario, FileRead):
            return _from_file(scenario, allow_python)
    except RecursionError:
        raise ScenarioError([Problem(key="", message="a scenario has few levels, and this is nested deeply")]) from None
    said = f"a scenario is read from a path, a name or a mapping, got {type(scenario).__name__}"
    raise ScenarioError([Problem(key="", message=said)])


def read_scenario_file(scenario: str | os.PathLike[str]) -> FileRead:
    """Return the file that a person means, a path or the name of a scenario that comes with escalate, read once.

    Raises
    ------
    ScenarioError
        If it cannot be read.
    """
    path = scenario_file(scenario)
    if "\0" in str(path):
        raise unreadable(path, "no file can have this name")
    try:
        is_missing = not path.exists()
    except OSError as error:  # too long a name
        raise unreadable(path, f"cannot be read: {error.strerror}") from error
    if is_missing and path.name == str(path) and not path.suffix:
        close = near(path.name, shipped())
        hint = f". Did you mean `{close[0]}`?" if close else ""
        raise unreadable(path, f"there is no such file; with escalate come the scenarios {', '.join(shipped())}{hint}")
    return read_once(path, MOST_OF_RECORD if path.suffix.lower() == ".json" else MOST_BYTES)


def _from_file(read: FileRead, allow_python: bool) -> Scenario:
    path, text = read.path, text_of(read)
    if not text.strip():
        raise unreadable(path, "is empty; `escalate init` writes a draft to start from")
    lines: Mapping[KeyPath, int] = {}
    unread: list[Fault] = []
    if path.suffix.lower() == ".json":
        data = with_dates(parse_json(text, str(path)), Scenario)
        if {"protocolSection", "studies"} & data.keys():
            raise unreadable(path, f"is a registry record, and no scenario: `escalate init {path}` drafts one from it")
    else:
        data, lines = parse_toml(text, str(path)), KeyLines(text)
        unread += unknown_function(data)  # of a JSON, which is a result, the function may be gone
    unread += read_rule_files(data, read.folder, allow_python)
    return Scenario.checked(data, unread, str(path), lines)


def key_fault(scenario: Scenario, key: str) -> str:
    """Return why a dotted key names nothing that `Scenario.replace` could change; empty if it does."""
    problem = put(plain(scenario), key, None, Scenario)
    return problem.message if problem is not None else ""
