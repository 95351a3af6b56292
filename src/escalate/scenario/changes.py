"""What a change does to a scenario's plain values: sources of what was changed are forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ..errors import Problem
from .places import dotted, is_story, put, with_dates
from .rule_files import Complaint, read_rule_files, unknown_function
from .values import plain

_NAME_FILES = {"rule", "rule.file", "rule.python", "rule.sha256"}
"""Where a change may name files that have not been read."""


def changed(
    data: dict[str, Any], changes: Mapping[str, Any], root: type[BaseModel], allow_python: bool = False
) -> tuple[dict[str, Any], list[Complaint], list[Problem]]:
    """Change a scenario's plain values in place.

    Parameters
    ----------
    data : dict
        All values of the scenario.
    changes : mapping of str to value
        As `Scenario.replace` takes them.
    root : type
        What the values are of.
    allow_python : bool
        Whether the code of a rule's file may run.

    Returns
    -------
    dict
        The values, with dates where a change gave them as text.
    list of Complaint
        What is wrong with the files that the changed rule names.
    list of Problem
        Which keys do not exist.
    """
    new = {dotted(str(key)): plain(value) for key, value in dict(changes).items()}
    if isinstance(new.get("rule"), str):
        if new["rule"] == data["rule"].get("name"):
            del new["rule"]  # the scenario's own rule, as it is set
        else:
            new["rule"] = {"name": new["rule"]}
    found = {key: put(data, key, value, root) for key, value in new.items()}
    problems = [problem for problem in found.values() if problem is not None]
    for key in (*(key for key in new if found[key] is None), *_forget_table(data["rule"], new)):
        _forget_source(data["sources"], key)
    found_out = read_rule_files(data, Path(), allow_python), unknown_function(data)
    unread = list(chain(*found_out)) if _NAME_FILES & set(new) else []
    return with_dates(data, root), unread, problems


def _forget_source(sources: Any, key: str) -> None:
    """A value that was changed no longer has the source that it had."""
    key = ".".join(part for part in key.split(".") if not part.isdecimal())
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
