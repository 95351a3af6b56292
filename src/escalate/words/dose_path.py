"""Dose paths: the story of a trial as text, read and written here alone.

Cohort by cohort, with blanks between them: the dose level, from 1, then a letter for each infused patient in order of
enrolment. ``1NNN 2NNT`` is a cohort of three without a DLT, and one of three with a DLT. The letters are those of
`LETTERS`, in either case. Days may follow a P: ``P17`` is a patient observed for 17 days of the DLT window without a
DLT, ``P`` alone one whose follow-up is not known. Every dose path that escalate prints can be read back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..errors import PathError

NO_DLT, DLT, NON_EVALUABLE, PENDING = "N", "T", "X", "P"
LETTERS = {NO_DLT: "no DLT", DLT: "DLT", NON_EVALUABLE: "non-evaluable", PENDING: "pending"}
"""What each letter says of a patient, in the words of the patients' records."""

LETTER_OF = {outcome: letter for letter, outcome in LETTERS.items()}
"""The letter of each outcome."""

ALLOWED = "N (no DLT), T (DLT), X (non-evaluable) or P (pending; P17 for one observed for 17 days)"

_COHORT = re.compile(r"\S+")
_DIGITS = re.compile(r"[0-9]*")


class PathPatient(NamedTuple):
    """One infused patient of a dose path: the letter, and for P the days observed, if they are known."""

    letter: str
    days: int | None = None

    @property
    def text(self) -> str:
        """As it is written."""
        return self.letter if self.days is None else f"{self.letter}{self.days}"


class PathCohort(NamedTuple):
    """One cohort of a dose path.

    Parameters
    ----------
    level : int
        Dose level, from 0.
    patients : tuple of PathPatient
        In order of enrolment; at least one.
    """

    level: int
    patients: tuple[PathPatient, ...]

    @property
    def text(self) -> str:
        """As it is written."""
        return f"{self.level + 1}{''.join(patient.text for patient in self.patients)}"

    def count(self, letters: str) -> int:
        """Return how many patients have one of some letters."""
        return sum(patient.letter in letters for patient in self.patients)


def cohort_text(level: int, letters: str) -> str:
    """Return a cohort as it is written.

    Parameters
    ----------
    level : int
        Dose level, from 0.
    letters : str
        One for each patient, of `LETTERS`.
    """
    return f"{level + 1}{letters}"


def write_path(cohorts: Iterable[PathCohort]) -> str:
    """Return cohorts as a dose path."""
    return " ".join(cohort.text for cohort in cohorts)


def read_path(path: str, levels: int, windows: Sequence[int] | None = None) -> tuple[PathCohort, ...]:
    """Read a dose path.

    Parameters
    ----------
    path : str
        Such as ``1NNN 2NP17``; nobody was treated where it is empty.
    levels : int
        Number of dose levels.
    windows : sequence of int, optional
        For each level, length of the DLT window, from the first infusion [days]; nobody pending has been observed for
        longer.

    Raises
    ------
    PathError
        If it cannot be read; the message says at which letter, and what is allowed there.
    """
    return tuple(_cohort(path, part.start(), part.end(), levels, windows) for part in _COHORT.finditer(path))


def _cohort(path: str, start: int, end: int, levels: int, windows: Sequence[int] | None) -> PathCohort:
    """Read the cohort that stands between two positions of a path."""
    digits = _digits(path, start)
    if not digits:
        raise PathError(path, start, f"a cohort begins with its dose level, from 1 to {levels}, as in 1NNT")
    if digits[0] == "0" or _number(digits) > levels:
        raise PathError(path, start, f"{digits} is no dose level: they go from 1 to {levels}")
    position, patients = start + len(digits), []
    window_days = None if windows is None else windows[_number(digits) - 1]
    if position == end:
        raise PathError(path, position, f"nobody follows the level: write a letter for each patient, {ALLOWED}")
    while position < end:
        letter = path[position].upper()
        if letter not in LETTERS:
            raise PathError(path, position, f"no outcome: allowed are {ALLOWED}, and a blank before the next cohort")
        days = _digits(path, position + 1)
        if days:
            _check_days(path, position, letter, days, window_days)
        patients.append(PathPatient(letter, int(days) if days else None))
        position += 1 + len(days)
    return PathCohort(_number(digits) - 1, tuple(patients))


def _check_days(path: str, position: int, letter: str, days: str, window_days: int | None) -> None:
    """Refuse days that mean nothing, or that no open window can have."""
    if letter != PENDING:
        raise PathError(
            path,
            position + 1,
            "days follow P alone (P17: pending, observed for 17 days); a new cohort begins after a blank",
        )
    if window_days is not None and _number(days) > window_days:
        raise PathError(
            path,
            position + 1,
            f"the DLT window has {window_days} days, so that nobody is pending after {days}: write N (no DLT), T (DLT) "
            "or X (non-evaluable)",
        )


def _digits(path: str, position: int) -> str:
    found = _DIGITS.match(path, position)
    return found[0] if found else ""


def _number(digits: str) -> int:
    """Return a number; one with very many digits is just too large for anything here."""
    return int(digits) if len(digits) < 10 else 10**10
