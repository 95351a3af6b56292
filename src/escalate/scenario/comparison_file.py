"""A file of rules and truths to compare, and what the command line says of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from ..errors import Problem, ScenarioError
from ..files import FileRead
from .compared import Written, rule_of_text
from .fault_words import findings, problem
from .rule_files import read_rule_files
from .rules import OpenProbability
from .section import Probability, Section
from .texts import read_once, read_toml


class TruthEntry(Section):
    """One truth of a file: `[[truths]]`."""

    label: str = ""
    """What people call it; P(DLT) where it is left out."""
    dlt_probability: list[Probability]
    """P(DLT) at each dose level, lowest first."""
    mtd_level: Annotated[int, Field(ge=0)] | None = None
    """Dose level that is right to recommend, 0 for no dose; the highest that overdoses nobody where it is left out."""


class ComparisonFile(Section):
    """A file of rules and truths to compare."""

    target: OpenProbability | None = None
    """Target DLT probability of all rules that need one and name none of their own."""
    rules: list[dict[str, Any]] = []
    """Rules: `[[rules]]`, each with the options of a scenario's [rule], a label, and changes to other sections."""
    truths: list[TruthEntry] = []
    """Truths: `[[truths]]`."""


@dataclass(slots=True)
class Asked:
    """What is to be compared.

    Parameters
    ----------
    rules : list of dict
        As `escalate.compare` takes them.
    truths : list of dict
        As `escalate.compare` takes them.
    target : float or None
        Target DLT probability.
    """

    rules: list[dict[str, Any]] = field(default_factory=list)
    truths: list[dict[str, Any]] = field(default_factory=list)
    target: float | None = None


def read_asked(
    rules: Sequence[str] = (), truths: Sequence[str] = (), file: FileRead | str | os.PathLike[str] | None = None, *,
    target: float | None = None, allow_python: bool = False,
) -> Asked:  # fmt: skip
    """Return what is to be compared, from lines and from a file; the lines come first.

    Parameters
    ----------
    rules : sequence of str
        Each as `rule_of_text` takes it.
    truths : sequence of str
        Each with P(DLT) at each level, separated by spaces or commas.
    file : FileRead or path, optional
        A file in TOML, with `target`, `[[rules]]` and `[[truths]]`: see `ComparisonFile`.
    target : float, optional
        Goes before the file's.
    allow_python : bool
        Whether the code of a rule's Python file may run.

    Raises
    ------
    ScenarioError
        If something cannot be read; names file, line, key, value and what is allowed, for all problems at once.
    """
    problems: list[Problem] = []
    asked = Asked(target=target)
    for number, line in enumerate(rules, 1):
        rule, found = _with_files(rule_of_text(line), Path(), allow_python)
        problems += [Problem(key=f"--rule {number}: {key}", value=v, message=said) for key, v, said in found]
        asked.rules.append(rule)
    for line in truths:
        try:
            asked.truths.append({"dlt_probability": [float(word) for word in line.replace(",", " ").split()]})
        except ValueError:
            said = 'must be P(DLT) at each dose level, as in "0.05 0.12"'
            problems.append(Problem(key="--truth", value=repr(line), message=said))
    if file is not None:
        read = file if isinstance(file, FileRead) else read_once(Path(file))
        problems += _read_file(read, asked, allow_python)
    if problems:
        raise ScenarioError(problems)
    return asked


def _read_file(file: FileRead, asked: Asked, allow_python: bool) -> list[Problem]:
    """Add what a file says, and return what is wrong with it."""
    path, (data, lines) = file.path, read_toml(file)
    try:
        read = ComparisonFile.model_validate(data)
    except ValidationError as error:
        return [problem(fault, str(path), lines) for fault in findings(error, ComparisonFile)]
    problems = []
    for position, given in enumerate(read.rules):
        rule, found = _with_files(given, file.folder, allow_python)
        problems += [problem((("rules", position, key), value, said), str(path), lines) for key, value, said in found]
        asked.rules.append(Written(rule, str(path), lines, ("rules", position)))
    asked.truths += [
        Written(truth.model_dump(exclude_unset=True), str(path), lines, ("truths", position))
        for position, truth in enumerate(read.truths)
    ]
    asked.target = read.target if asked.target is None else asked.target
    return problems


def _with_files(
    rule: dict[str, Any], folder: Path, allow_python: bool
) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    """Return a rule with what its files say, and key, value and message of what is wrong with them."""
    data: dict[str, Any] = {"rule": rule}
    found = [(path[-1], value, said) for path, value, said in read_rule_files(data, folder, allow_python)]
    return data["rule"], found
