"""A study: one scenario, and the axes along which it is changed; its points are all their combinations.

A study file names the scenario and the grid::

    scenario = "nct06337474.toml"    # beside the study file
    trials = 2000                    # at each point
    seed = 1                         # the same patients at each point

    [grid]
    "accrual.consents_per_month" = [0.4, 0.857, 1.7]
    "safety.sentinel_stagger_days" = {from = 7, to = 28, steps = 4}

    [[zip]]                          # lists that go together are one axis
    "safety.dlt_window_days" = [28, 56]
    "follow_up.days" = [180, 210]
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ..committee.committee import Committee
from ..errors import EscalateError, Problem, ScenarioError, StudyError
from ..scenario import Scenario, key_fault, load
from ..scenario.command_line import with_settings
from ..scenario.texts import read_toml
from ..scenario.toml_lines import line_of
from ..shipped import scenario_file
from ..words.defaults import TRIALS_EACH
from ..words.records import MOST_SEED, MOST_TRIALS

MOST_POINTS = 10_000
"""Most points of a study."""

MOST_IN_ALL = 1_000_000_000
"""Most trials of a study, at all points: two days of one processor."""

SEED = 1
"""Seed where a study does not say."""

KEYS = ("scenario", "trials", "seed", "grid", "zip")
RANGE = {"from", "to", "steps"}
LIKE_A_RANGE = {"start", "stop", "end", "step", "low", "high", "min", "max"}
"""What people write for the keys of a range; no key of a scenario is called so."""

MOST_END = 1e300
"""Farthest from 0 that a range may end."""

Where = tuple[str | int, ...]
Fault = tuple[Where, str]


@dataclass(frozen=True, slots=True)
class Axis:
    """Keys of the scenario that are changed together.

    Parameters
    ----------
    keys : tuple of str
        Dotted keys, as in `Scenario.replace`.
    values : tuple of tuple
        For each position on the axis, one value for each key.
    """

    keys: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One combination of values.

    Parameters
    ----------
    number : int
        From 1, in the order of the axes; the last one changes fastest.
    values : dict of str to value
        What is changed, by dotted key.
    scenario : Scenario
        The scenario with that changed.
    """

    number: int
    values: dict[str, Any]
    scenario: Scenario

    def __str__(self) -> str:
        return f"point {self.number} ({', '.join(f'{key} = {cell_text(value)}' for key, value in self.values.items())})"


@dataclass(frozen=True)
class Study:
    """A scenario, and the axes along which it is changed: made by `read_study` or `make_study`.

    Parameters
    ----------
    scenario : Scenario
        What is changed.
    axes : tuple of Axis
        At least one.
    points : tuple of Point
        All combinations.
    trials : int
        At each point.
    seed : int
        The same for all points, so that the same patients meet all of them.
    """

    scenario: Scenario
    axes: tuple[Axis, ...]
    points: tuple[Point, ...]
    trials: int
    seed: int

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that is changed, in the order of the axes."""
        return tuple(key for axis in self.axes for key in axis.keys)

    def values_of(self, key: str) -> list[Any]:
        """Return the values of a key, in the order of its axis."""
        axis = next(axis for axis in self.axes if key in axis.keys)
        return [values[axis.keys.index(key)] for values in axis.values]

    def pair(self, x: str | None = None, hue: str | None = None) -> tuple[str, str | None]:
        """Return the keys of two different axes to look along: those that are given, otherwise the first that are left.

        Raises
        ------
        StudyError
            If a key is on no axis, or both are on the same.
        """
        axes = {key: position for position, axis in enumerate(self.axes) for key in axis.keys}
        unknown = [key for key in (x, hue) if key is not None and key not in axes]
        if unknown:
            _refuse([((), f"has no axis {unknown[0]!r}; its axes are {', '.join(axes)}")], "the study", {})
        x = x or next((key for key in axes if hue is None or axes[key] != axes[hue]), hue)
        assert x is not None
        if hue is None:
            hue = next((key for key in axes if axes[key] != axes[x]), None)
        elif axes[hue] == axes[x]:
            _refuse([((), f"{x} and {hue} are one axis; choose two of {', '.join(axes)}")], "the study", {})
        return x, hue

    @cached_property
    def parts(self) -> dict[str, Any]:
        """What makes this study this one, as plain JSON values."""
        return {
            "scenario_sha256": self.scenario.fingerprint(),
            "axes": [{"keys": list(axis.keys), "values": [list(map(_plain, v)) for v in axis.values]}
                     for axis in self.axes],
            "points_sha256": _sha256([point.scenario.fingerprint() for point in self.points]),
            "trials": self.trials,
            "seed": self.seed,
        }  # fmt: skip

    def fingerprint(self) -> str:
        """Return the SHA-256 of `parts`: equal studies, equal fingerprints."""
        return _sha256(self.parts)


def read_study(path: str | os.PathLike[str], *, allow_python: bool = False, settings: Sequence[str] = ()) -> Study:
    """Read a study file.

    Parameters
    ----------
    path : path
        The study, in TOML.
    allow_python : bool
        Whether the code of a rule's Python file may run.
    settings : sequence of str
        Changes to the scenario, as `with_settings` takes them.

    Returns
    -------
    Study
        With every point's scenario made and checked.

    Raises
    ------
    StudyError
        If the file, or the scenario at any of its points, is not valid; all problems at once.
    ScenarioError
        If the scenario that it names is not valid.
    """
    path = Path(path)
    data, lines = read_toml(path)
    _refuse(_file_faults(data), str(path), lines)
    scenario = load(scenario_file(data["scenario"], path.parent), allow_python=allow_python)
    return _study(with_settings(scenario, settings, allow_python=allow_python), data, str(path), lines)


def make_study(
    scenario: Scenario,
    grid: Mapping[str, Any],
    zipped: Sequence[Mapping[str, Any]] = (),
    *,
    trials: int = TRIALS_EACH,
    seed: int = SEED,
) -> Study:
    """Return a study of a scenario.

    Parameters
    ----------
    scenario : Scenario
        What is changed.
    grid : mapping of str to list, or to a range
        Dotted keys, each an axis, with their values, or ``{"from": low, "to": high, "steps": n}``.
    zipped : sequence of mapping of str to list
        Each an axis: keys whose values, equally many, go together.
    trials : int
        At each point, at least 1.
    seed : int
        At least 0.

    Raises
    ------
    StudyError
        If a key does not exist, an axis is none, or a point is no valid scenario; all problems at once.
    """
    return _study(scenario, {"grid": grid, "zip": zipped, "trials": trials, "seed": seed}, "", {})


def _study(scenario: Scenario, data: Mapping[str, Any], file: str, lines: Mapping[Where, int]) -> Study:
    groups: list[tuple[Where, dict[str, Any]]]
    groups = [(("grid",), {key: value}) for key, value in _flat(data.get("grid", {}))]
    groups += [(("zip", position), dict(_flat(group))) for position, group in enumerate(data.get("zip", ()))]
    faults = _settings_faults(data) + _meetings([key for _, group in groups for key in group])
    faults += [fault for where, group in groups for fault in _axis_faults(scenario, where, group)]
    if not groups:
        faults.append(
            ((), 'has no points: give [grid] at least one key with its values, as in "follow_up.days" = [90, 180]')
        )
    _refuse(faults, file, lines)
    axes = tuple(_axis(group) for _, group in groups)
    count = math.prod(len(axis.values) for axis in axes)
    if count > MOST_POINTS:
        _refuse([((), f"has {count:,} points; at most {MOST_POINTS:,} are possible")], file, lines)
    if count * data.get("trials", TRIALS_EACH) > MOST_IN_ALL:
        said = (
            f"has {count:,} points of {data.get('trials', TRIALS_EACH):,} trials; at most {MOST_IN_ALL:,} trials in all"
        )
        _refuse([(("trials",), f"{said} are possible")], file, lines)
    tried = [_point(scenario, number, values) for number, values in enumerate(_combinations(axes), 1)]
    points_faults = [
        Problem(key="", message=str(problem), file=file, line=_line(lines, groups, problem.key))
        for _, faults in tried
        for problem in faults
    ]
    if points_faults:
        raise StudyError(sorted(points_faults, key=lambda problem: problem.line))
    points = tuple(point for point, _ in tried)
    return Study(scenario, axes, points, data.get("trials", TRIALS_EACH), data.get("seed", SEED))


def _refuse(faults: Iterable[Fault], file: str, lines: Mapping[Where, int]) -> None:
    """Raise `StudyError` if there are any faults, in the order of the file."""
    problems = [
        Problem(key=_name(where), message=said, file=file, line=line_of(lines, where)) for where, said in faults
    ]
    if problems:
        raise StudyError(sorted(problems, key=lambda problem: problem.line))


def _name(where: Where) -> str:
    """Return the last key of a path, positions left out."""
    return next((part for part in reversed(where) if isinstance(part, str)), "")


def cell_text(value: Any) -> str:
    """Return a value as one cell of a table: numbers and words as they are, lists and tables as JSON."""
    return value if isinstance(value, str) else json.dumps(_plain(value), ensure_ascii=False)


def _combinations(axes: Sequence[Axis]) -> Iterator[dict[str, Any]]:
    keys = [key for axis in axes for key in axis.keys]
    for values in itertools.product(*(axis.values for axis in axes)):
        yield dict(zip(keys, itertools.chain(*values), strict=True))


def _line(lines: Mapping[Where, int], groups: Sequence[tuple[Where, dict[str, Any]]], key: str) -> int:
    """Return the line of the axis that changes a key; of the first one where none of them does."""
    axes = [(where, axis) for where, group in groups for axis in group]
    wanted = key.rpartition(": ")[2]
    where, axis = next((one for one in axes if wanted.startswith(one[1])), axes[0])
    return lines.get((*where, axis)) or line_of(lines, (*where, *axis.split(".")))


def _point(scenario: Scenario, number: int, values: dict[str, Any]) -> tuple[Point, list[Problem]]:
    """Return a point, and why it is no valid scenario."""
    point = Point(number, values, scenario)
    try:
        point = Point(number, values, scenario.replace({"ranges": {}, **values}))
        Committee(point.scenario)  # a rule can be such that no committee could apply it
    except ScenarioError as error:
        return point, [replace(problem, key=f"{point}: {problem.key}") for problem in error.problems]
    except EscalateError as error:
        return point, [Problem(key=str(point), message=str(error))]
    return point, []


def _file_faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong with a study file before its scenario is read."""
    for name in data.keys() - set(KEYS):
        yield (name,), f"unknown key. Allowed here: {', '.join(KEYS)}"
    if not isinstance(data.get("scenario"), str):
        yield ("scenario",), 'is missing: name a scenario file, as in scenario = "nct06337474.toml"'
    if not isinstance(data.get("grid", {}), dict):
        yield ("grid",), 'must be a table: [grid], with keys and their values below, as in "follow_up.days" = [90, 180]'
    groups = data.get("zip", [])
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        yield ("zip",), "must be written [[zip]], and below it keys whose lists go together"
    yield from _settings_faults(data)


def _settings_faults(data: Mapping[str, Any]) -> list[Fault]:
    ends = {"trials": (1, MOST_TRIALS), "seed": (0, MOST_SEED)}
    return [
        ((name,), f"must be a whole number, {_end(data[name], low, high)}, got {data[name]!r}")
        for name, (low, high) in ends.items()
        if name in data and (type(data[name]) is not int or not low <= data[name] <= high)
    ]


def _axis_faults(scenario: Scenario, where: Where, group: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong with one axis."""
    said = {key: key_fault(scenario, key) or _list_fault(value) for key, value in group.items()}
    if any(said.values()):
        yield from (((*where, key), fault) for key, fault in said.items() if fault)
        return
    if not group:
        yield where, "has no keys; give it at least one, with its values"
    lengths = {key: len(_listed(value)) for key, value in group.items()}
    if len(set(lengths.values())) > 1:
        each = ", ".join(f"{key} has {length}" for key, length in lengths.items())
        yield where, f"lists that go together must be equally long: {each}"
        return
    seen: list[Any] = []
    for values in zip(*map(_listed, group.values()), strict=True):
        if values in seen:
            yield (*where, *group), f"{', '.join(map(cell_text, values))} is written twice; leave one out"
        seen.append(values)


def _end(value: Any, low: int, high: int) -> str:
    """Say which end of a range a value misses; the low one if it is no number."""
    return f"at most {high:,}" if type(value) is int and value > high else f"at least {low}"


def _list_fault(value: Any) -> str:
    """Return what is wrong with the values of a key."""
    if isinstance(value, Mapping):
        if set(value) != RANGE:
            return "a range has from, to and steps, as in {from = 7, to = 28, steps = 4}"
        ends = [value["from"], value["to"]]
        if not all(isinstance(end, int | float) and not isinstance(end, bool) and abs(end) <= MOST_END for end in ends):
            said = " and ".join(repr(end)[:60] for end in ends)
            return f"from and to of a range must be numbers, got {said}"
        if ends[0] >= ends[1]:
            return f"a range goes up: from must be less than to, got {ends[0]} and {ends[1]}"
        if type(value["steps"]) is not int or not 2 <= value["steps"] <= MOST_POINTS:
            return f"steps of a range must be a whole number, 2 to {MOST_POINTS}, got {value['steps']!r}"
        return ""
    if not isinstance(value, list | tuple) or not value:
        return f"needs a list of values, as in [90, 180], or a range, {{from = 7, to = 28, steps = 4}}; got {value!r}"
    return ""


def _meetings(keys: Sequence[str]) -> list[Fault]:
    """Return which keys cannot be changed together, since one of them is the other or holds it."""
    return [
        ((), f"{second}: is changed by {first} already; leave one out")
        for first, second in itertools.combinations(keys, 2)
        if f"{first}.".startswith(f"{second}.") or f"{second}.".startswith(f"{first}.")
    ]


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted keys with their values: TOML makes tables of dots without quotes."""
    for name, value in table.items():
        if isinstance(value, Mapping) and not (RANGE | LIKE_A_RANGE) & set(value):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value.tolist() if hasattr(value, "tolist") else value


def _axis(group: Mapping[str, Any]) -> Axis:
    return Axis(tuple(group), tuple(zip(*map(_listed, group.values()), strict=True)))


def _listed(value: Any) -> list[Any]:
    """Return the values of a list, or of a range: whole numbers where all of them are, otherwise to 12 digits."""
    if not isinstance(value, Mapping):
        return list(value)
    low, high, gaps = value["from"], value["to"], value["steps"] - 1
    if isinstance(low, int) and isinstance(high, int) and (high - low) % gaps == 0:
        return list(range(low, high + 1, (high - low) // gaps))
    return [float(f"{low + (high - low) * step / gaps:.12g}") for step in range(gaps + 1)]


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: dates as text."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _sha256(plain: Any) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
