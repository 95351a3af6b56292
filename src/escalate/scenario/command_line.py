"""Values of a scenario that the command line changes: ``--set KEY=VALUE``, and what is remembered of it.

The source of such a value says so, so that every result that has the scenario can tell what was changed: the summary's
head, the ledger of assumptions, a later run of ``resolved.json``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import Problem, ScenarioError
from .fault_words import short
from .keys import toml_value
from .model import Scenario
from .places import dotted, leaves
from .ranges import value_text
from .texts import value_of_text

OPTION = "--set"

_CHANGED = "assumption: changed on the command line"
_OUTSIDE = "; outside its range, "


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that was changed on the command line.

    Parameters
    ----------
    key : str
        Dotted key; positions in lists left out.
    how : str
        From what to what, in words; empty where a whole section was changed.
    outside : str
        The scenario's range of the value, if the new one lies outside; otherwise empty.
    """

    key: str
    how: str
    outside: str

    def __str__(self) -> str:
        return f"{self.key} {self.how}".rstrip()


def settings(scenario: Scenario) -> Iterator[Setting]:
    """Yield what was changed on the command line, as the scenario's sources tell it."""
    for key, source in scenario.sources.items():
        if source.startswith(_CHANGED):
            how, _, outside = source.removeprefix(_CHANGED).partition(_OUTSIDE)
            yield Setting(key, how.strip(), outside)


def with_settings(
    scenario: Scenario, lines: Sequence[str], option: str = OPTION, *, allow_python: bool = False
) -> Scenario:
    """Return a scenario with the values that a command line gives.

    Parameters
    ----------
    scenario : Scenario
        As it was read.
    lines : sequence of str
        Each ``KEY=VALUE``: a dotted key as `Scenario.replace` takes it, or with positions from 1 in brackets, as
        messages name them; a value as TOML writes it, words without quotes, ``none`` for what is left out.
    option : str
        Where they were given, as errors say it.
    allow_python : bool
        Whether the code of a rule's file may run; the file is named relative to the folder of the session.

    Raises
    ------
    ScenarioError
        If a line is none, a key does not exist, or a value is not allowed; all problems at once.
    """
    if not lines:
        return scenario
    changes, problems = _changes(lines)
    try:
        made = scenario.replace(changes, allow_python=allow_python)
    except ScenarioError as error:
        problems += error.problems
    if problems:
        raise ScenarioError([replace(one, file=option, line=0) for one in problems])
    return made.replace({"sources": {**made.sources, **dict(_sources(scenario, made, changes))}})


def _changes(lines: Iterable[str]) -> tuple[dict[str, Any], list[Problem]]:
    """Return values by their keys, sections before what stands in them, and what is wrong with the lines."""
    changes: dict[str, Any] = {}
    problems = []
    for line in lines:
        written, equals, value = line.partition("=")
        key = dotted(written.strip())
        if not equals or not key:
            said = "write KEY=VALUE, as in follow_up.days=90; `escalate keys` lists the keys"
            problems.append(Problem(key="", message=f"{short(line)}: {said}"))
        elif key in changes:
            problems.append(Problem(key=written.strip(), message="is given twice; leave one out"))
        else:
            changes[key] = None if value.strip() == "none" else value_of_text(value.strip())
    return dict(sorted(changes.items(), key=lambda item: item[0].count("."))), problems


def _sources(before: Scenario, after: Scenario, changes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the new source of each changed value: that it was changed, from what to what, and outside which range."""
    old, new = (leaves(scenario.filled()) for scenario in (before, after))
    for key in dict.fromkeys(re.sub(r"\.\d+(?=\.|$)", "", key) for key in changes):
        is_as_before = key == "rule" and before.rule == after.rule  # a name alone, of the rule that it has
        if is_as_before or key.partition(".")[0] in ("sources", "ranges", "schema_version"):
            continue
        how = _said("from", key, old) + _said("to", key, new)
        ranges = {name: ends for name, ends in before.ranges.items() if name not in after.ranges and _one_in(name, key)}
        told = [f"{value_text(low)} to {value_text(high)}" for low, high in ranges.values()]
        yield key, f"{_CHANGED}{how}" + (f"{_OUTSIDE}{', '.join(told)}" if told else "")


def _one_in(name: str, key: str) -> bool:
    """Return whether one of two keys names the other's value, or a part of it."""
    return f"{name}.".startswith(f"{key}.") or f"{key}.".startswith(f"{name}.")


def _said(word: str, key: str, values: Mapping[str, Sequence[Any]]) -> str:
    """Return a value in words; nothing of a table, which keys of its own tell."""
    is_table = any(name.startswith(f"{key}.") for name in values)
    return f" {word} {_text(values[key])}" if key in values and not is_table else ""


def _text(values: Sequence[Any]) -> str:
    """Return one value, or those of a list of tables, as a person would write them."""
    return ", ".join("none" if value is None else toml_value(value) for value in values)
