"""What escalate says when it cannot go on.

::

    EscalateError (a ValueError)
    ├── ScenarioError   the scenario file, or a change to a scenario, is not valid
    │   └── StudyError  a study file is not valid
    ├── LogError        a trial's log, or the file that says how it is written, is not valid
    ├── PathError       a dose path cannot be read
    ├── RecordError     a registry record cannot be read
    ├── NotCoveredError a scenario has no exact results
    ├── RuleError       an escalation rule cannot decide
    ├── CallError       a function of the Python interface is called wrongly
    ├── WorkersError    there are no workers, or none that could do the work
    ├── FolderError     a folder of results cannot be compared with another
    └── OutputError     the results cannot be written

Every message says where, what was got, what is allowed and how to mend it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def near(word: str, known: Iterable[str], most: int = 1) -> list[str]:
    """Return those of some names that a person may have meant, the closest first; case does not matter."""
    import difflib  # not before anybody mistypes: the help is quick

    names = {name.casefold(): name for name in sorted(known)}
    return [names[close] for close in difflib.get_close_matches(word.casefold(), sorted(names), n=most, cutoff=0.6)]


def needs(what: str, library: str, extra: str) -> str:
    """Say that something needs a library, and how the extra that has it is installed."""
    how = f"python3 -m pip --python .venv install '.[{extra}]' in escalate's folder"
    return f"{what} needs {library}, which the extra `{extra}` installs: {how}"


class EscalateError(ValueError):
    """Base of every error that a person can mend; the command line prints it and exits with 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a scenario.

    Parameters
    ----------
    key : str
        Dotted key, as a person would write it (``toxicity.dlt_probability[1]``); empty for the whole file.
    message : str
        What is wrong, what is allowed, how to mend it.
    value : str
        The value that was got, as text; empty where there is none.
    file : str
        Name of the file; empty for a scenario made in Python.
    line : int
        Line in the file, from 1; 0 where there is none.
    """

    key: str
    message: str
    value: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        where = self.file + (f":{self.line}" if self.file and self.line else "")
        what = self.key + (f" = {self.value}" if self.key and self.value else "")
        return ": ".join(part for part in (where, what, self.message) if part)


class ScenarioError(EscalateError):
    """A scenario is not valid; carries every problem that was found, not the first alone.

    Parameters
    ----------
    problems : sequence of Problem
        In the order of the file.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class StudyError(ScenarioError):
    """A study file is not valid, or gives scenarios that are not; carries every problem that was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProblem:
    """One thing that cannot be in a trial's log.

    Parameters
    ----------
    message : str
        What is wrong, what is allowed, how to mend it.
    sheet : str
        Name of the sheet as it stands there; empty for the whole log.
    row : int
        Row of the sheet as a spreadsheet counts, from 1; 0 for the whole sheet.
    column : str
        Name of the column as it stands there; empty for the whole row.
    letter : str
        The spreadsheet's letters of the column; empty where they are not known.
    got : str
        What was got, as text; empty where there is nothing.
    """

    message: str
    sheet: str = ""
    row: int = 0
    column: str = ""
    letter: str = ""
    got: str = ""

    def __str__(self) -> str:
        row = f" row {self.row}" if self.row else ""
        column = f", {self.column}" if self.column else ""
        cell = f" (cell {self.letter}{self.row})" if self.letter and self.row else ""
        got = f"got {self.got}" if self.got else ""
        where = f"{self.sheet}{row}{column}{cell}" if self.sheet else ""
        return ": ".join(part for part in (where, got, self.message) if part)


MOST_TOLD = 40
"""So many things that are wrong with a log are told one by one."""


class LogError(EscalateError):
    """A trial's log, or its mapping file, is not valid; carries everything that was found, not the first alone.

    Parameters
    ----------
    problems : sequence of LogProblem or Problem
        In the order of the log; a `Problem` is one of the mapping file.
    """

    def __init__(self, problems: Sequence[LogProblem | Problem]) -> None:
        self.problems = tuple(problems)
        told = [str(problem) for problem in self.problems[:MOST_TOLD]]
        if len(self.problems) > MOST_TOLD:
            told.append(f"and {len(self.problems) - MOST_TOLD:,} more; mend these first")
        super().__init__("\n".join(told))

    def __reduce__(self) -> tuple[type[LogError], tuple[tuple[LogProblem | Problem, ...]]]:
        return LogError, (self.problems,)


class LogContradictsError(EscalateError):
    """A trial's log can be the beginning of no trial of its scenario; the message says what to enter."""


class PathError(EscalateError):
    """A dose path cannot be read; the message points to the letter.

    Parameters
    ----------
    path : str
        The dose path as it was given.
    position : int
        Where it cannot be read, from 0; the length of the path where something is missing at its end.
    message : str
        What is wrong there, and what is allowed.
    """

    def __init__(self, path: str, position: int, message: str) -> None:
        self.path, self.position = path, position
        shown = "".join(letter if letter.isprintable() else " " for letter in path)
        where = f"at position {position + 1}, {shown[position]!r}" if position < len(path) else "at its end"
        super().__init__(f"the dose path cannot be read {where}: {message}\n  {shown}\n  {' ' * position}^")


class RecordError(EscalateError):
    """A registry record cannot be read."""


class NotCoveredError(EscalateError):
    """A scenario has no exact results; the message says why, and what would have them."""


class TooManyError(NotCoveredError):
    """There are more data cuts than whoever asks for exact results wants to wait for."""


class RuleError(EscalateError):
    """An escalation rule cannot decide; the message says which, on what counts, and what is allowed."""


class CallError(EscalateError, TypeError):
    """A function of the Python interface is called wrongly; the message says what it takes."""


class WorkersError(EscalateError):
    """There are no workers, or none that could do the work; the message says how to start some."""


class FolderError(EscalateError):
    """A folder of results cannot be compared with another; the message says which, and why."""


class TaskError(RuntimeError):
    """A part of the work failed for no reason that the input gives; the message names the part."""


class OutputError(EscalateError):
    """Results cannot be written; nothing was left half-written."""


class IncompleteError(RuntimeError):
    """Results are written, but not all, or not where they were asked for; the message says what is missing and why."""
