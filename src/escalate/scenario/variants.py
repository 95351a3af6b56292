"""Scenarios that are compared: read from several files, or made from one by ``label: key=value key=value``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import Problem, ScenarioError
from ..files import FileRead
from .command_line import with_settings
from .fault_words import short
from .load import load, read_scenario_file
from .model import Scenario
from .texts import text_faults

OPTION = "--variant"

MOST_SCENARIOS = 24
"""Most scenarios that are compared at once: one figure has no more curves that eyes could follow."""

_KEY = r"[A-Za-z_][\w.\[\]-]*\s*="
_LABEL = re.compile(rf"\s*(.*?)\s*:\s+(?={_KEY})", re.DOTALL)
_BEGUN = re.compile(r"=\s*[\"\[{]")
_NEXT = re.compile(rf"\s+(?={_KEY})")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'')


def variant_of_text(text: str) -> tuple[str, list[str]]:
    """Return label and values of a variant written on one line.

    Parameters
    ----------
    text : str
        ``label: key=value key=value``. The label ends at the first colon after which a key follows; where there is
        none, the text is its own label. Values are written as `with_settings` takes them; what stands in quotes or
        brackets is one value.

    Returns
    -------
    str
        The label; empty where the text has none before its colon.
    list of str
        Each ``KEY=VALUE``; what is none is for `with_settings` to refuse.
    """
    found = _LABEL.match(text)
    if found and _BEGUN.search(found[1]) and _is_open(found[1]):
        found = None  # the colon stands within a value
    label, rest = (found[1].strip(), text[found.end() :]) if found else (text.strip(), text.strip())
    lines, start = list[str](), 0
    for gap in _NEXT.finditer(rest):
        if not _is_open(rest[start : gap.start()]):
            lines.append(rest[start : gap.start()])
            start = gap.end()
    return label, [*lines, rest[start:]]


def _is_open(text: str) -> bool:
    """Return whether a quote or a bracket was begun and not ended."""
    bare = _QUOTED.sub("", text)
    return '"' in bare or sum(map(bare.count, "[{")) > sum(map(bare.count, "]}"))


def read_scenarios(
    names: Sequence[str], settings: Sequence[str], variants: Sequence[str], allow_python: bool = False
) -> tuple[dict[str, Scenario], list[FileRead]]:
    """Return scenarios to compare by their labels, and the files as they were read.

    Parameters
    ----------
    names : sequence of str
        Files, or names of scenarios that come with escalate; at least one. Each is labelled by its name.
    settings : sequence of str
        Changes of all of them, as `with_settings` takes them.
    variants : sequence of str
        Each as `variant_of_text` takes it: the first scenario with other values.
    allow_python : bool
        Whether the code of a rule's Python file may run.

    Raises
    ------
    ScenarioError
        If one cannot be read or made, or two have one label; all problems at once.
    """
    problems = list[Problem]()
    made: list[tuple[str, Scenario | None]] = []
    reads = list[FileRead]()

    def noted(label: str, make: Callable[[], Scenario]) -> None:
        try:
            made.append((label, make()))
        except ScenarioError as error:
            made.append((label, None))
            problems.extend(one for one in error.problems if one not in problems)

    def from_file(name: str) -> Scenario:
        read = read_scenario_file(name)
        reads.append(read)
        return with_settings(load(read, allow_python=allow_python), settings, allow_python=allow_python)

    def varied(scenario: Scenario, lines: Sequence[str], where: str) -> Scenario:
        return with_settings(scenario, lines, where, allow_python=allow_python)

    for label, name in zip(_file_labels(names), names, strict=True):
        noted(label, lambda name=name: from_file(name))  # type: ignore[misc]
    base = made[0][1]
    for number, text in enumerate(variants, 1):
        label, lines = variant_of_text(text)
        where = f"{OPTION} {number}" + (f" ({short(label)})" if label and label != text.strip() else "")
        if base is None:
            made.append((label, None))  # what is wrong with the first scenario is told already
        else:
            noted(label, lambda lines=lines, where=where: varied(base, lines, where))  # type: ignore[misc]
    problems += label_faults([label for label, _ in made])
    if problems:
        raise ScenarioError(problems)
    scenarios = {label: scenario for label, scenario in made if scenario is not None}
    check_comparable(scenarios)
    return scenarios, reads


def _file_labels(names: Sequence[str]) -> list[str]:
    """Return what scenarios of files are called: their names without folder and ending, where these are distinct.

    A ``resolved.json`` is called after its folder.
    """
    paths = [Path(name) for name in names]
    told = [path.parent.name or str(path) if path.name == "resolved.json" else path.stem for path in paths]
    return [name if told.count(label) > 1 else label for name, label in zip(names, told, strict=True)]


def scenarios_of(given: Any, variants: Mapping[str, Any] | None) -> dict[str, Scenario]:
    """Return scenarios to compare by their labels, from what was given in Python.

    Parameters
    ----------
    given : Scenario, sequence of Scenario, or mapping of str to Scenario
        Those of a sequence are labelled by their titles, or by their numbers where two titles are equal.
    variants : mapping of str to mapping or Scenario, optional
        By its label, each the changes of the first scenario that make it, as `Scenario.replace` takes them; or a whole
        scenario.

    Raises
    ------
    ScenarioError
        If one is none or cannot be made, two have one label, or they cannot be compared; all problems at once.
    """
    pairs, problems = list(_labelled(given)), list[Problem]()
    made = list[tuple[str, Scenario]]()
    for label, one in [*pairs, *((str(label).strip(), one) for label, one in (variants or {}).items())]:
        try:
            made.append((label, _scenario(label, one, made[0][1] if made else None)))
        except ScenarioError as error:
            problems += error.problems
    problems += label_faults([label for label, _ in pairs] + [str(label).strip() for label in variants or {}])
    if problems:
        raise ScenarioError(problems)
    check_comparable(dict(made))
    return dict(made)


def _labelled(given: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(given, Scenario):
        yield "base", given
    elif isinstance(given, Mapping):
        yield from ((str(label).strip(), one) for label, one in given.items())
    else:
        listed = list(given)
        titles = [one.trial.title if isinstance(one, Scenario) else "" for one in listed]
        same = len(set(titles)) < len(titles)
        for number, (title, one) in enumerate(zip(titles, listed, strict=True), 1):
            yield f"scenario {number}" if same or not title else title, one


def _scenario(label: str, one: Any, base: Scenario | None) -> Scenario:
    if isinstance(one, Scenario):
        return one
    if not isinstance(one, Mapping) or base is None:
        wanted = "a scenario" if base is None else 'a scenario, or {"key": value} with what differs from the first'
        raise ScenarioError([Problem(key=f"variant {label}", value=short(one), message=f"must be {wanted}")])
    try:
        return base.replace(one)
    except ScenarioError as error:
        raise ScenarioError([replace(one, key=f"variant {label}: {one.key}") for one in error.problems]) from None


def label_faults(labels: Sequence[str]) -> list[Problem]:
    """Return what is wrong with the labels of scenarios that are compared."""
    found = []
    for label in dict.fromkeys(labels):
        if not label:
            found.append(Problem(key="", message='a scenario has no label: write "label: key=value"', file=OPTION))
        elif labels.count(label) > 1:
            said = f"{labels.count(label)} scenarios have this label; give each one of its own"
            found.append(Problem(key="label", value=short(label), message=said))
        found += [Problem(key="label", message=said) for _, _, said in text_faults(label)]
    return found


def check_comparable(scenarios: Mapping[str, Scenario]) -> None:
    """Raise `ScenarioError` where scenarios cannot stand in one table: too few, too many, other dose levels."""
    problems = []
    if len(scenarios) < 2:
        example = '"slow: accrual.consents_per_month=0.5"'
        said = f"scenarios are compared with each other: give two at least, or a variant, as in {example}"
        problems.append(Problem(key="", message=said))
    if len(scenarios) > MOST_SCENARIOS:
        said = f"at most {MOST_SCENARIOS} are compared at once, got {len(scenarios)}; `escalate sweep` takes more"
        problems.append(Problem(key="scenarios", message=said))
    levels = {label: [level.label for level in one.dose_levels] for label, one in scenarios.items()}
    first = next(iter(levels), "")
    for label, own in levels.items():
        if own != levels[first]:
            said = (
                f"has {_levels(own)}, and {first} has {_levels(levels[first])}: patients and recommendations are told "
                "level by level, so that scenarios with other levels stand in no one table; run each by itself"
            )
            problems.append(Problem(key=f"{label}: dose_levels", message=said))
    if problems:
        raise ScenarioError(problems)


def _levels(labels: Sequence[str]) -> str:
    shown = ", ".join(labels[:6]) + (", ..." if len(labels) > 6 else "")
    return f"{len(labels)} level{'s' if len(labels) > 1 else ''} ({shown})"
