"""The boundary form of a table: for each number of patients, from how many DLTs on which decision follows.

Rows with ``>=`` are read first, from the bottom, then rows with ``<=``, from the top, and the first one that holds
decides; what is left is the last row. Numbers of patients whose decisions are not of this form say so: nothing is
approximated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .letters import (
    DE_ESCALATE,
    ESCALATE,
    STOP_ABOVE,
    STOP_BELOW,
    STOP_HERE,
    STOP_NO_DOSE,
    TOO_TOXIC,
    ordered,
    parts,
)

UP_TO = {
    ESCALATE: "escalate if DLTs <=",
    STOP_ABOVE: "stop, recommend a higher level, if DLTs <=",
    STOP_HERE: "stop, recommend this level, if DLTs <=",
}
"""Rows that are read from the top."""

FROM = {
    DE_ESCALATE: "de-escalate if DLTs >=",
    STOP_BELOW: "stop, recommend a lower level, if DLTs >=",
    TOO_TOXIC: "eliminate if DLTs >=",
    STOP_NO_DOSE: "stop, no dose, if DLTs >=",
}
"""Rows that are read from the bottom; a larger number of DLTs is never answered more boldly."""

OTHERWISE = "otherwise"
NOT_SO, NEVER = "see grid", "-"

Column = tuple[str, ...]
"""The letters for 0, 1, 2 ... DLTs among so many patients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundaries:
    """The boundary form of one part.

    Parameters
    ----------
    patients : tuple of int
        Numbers of evaluable patients.
    up_to, from_ : dict of (int, str) to int
        By patients and letter, the most and the fewest DLTs; missing where there are none.
    otherwise : dict of int to str
        The letter between; missing where there is none.
    not_of_this_form : tuple of int
        Numbers of patients for which boundaries cannot say what the grid says.
    """

    patients: tuple[int, ...]
    up_to: dict[tuple[int, str], int]
    from_: dict[tuple[int, str], int]
    otherwise: dict[int, str]
    not_of_this_form: tuple[int, ...]

    @classmethod
    def of(cls, patients: Sequence[int], letters: Mapping[tuple[int, int], str]) -> Boundaries:
        """Return the boundary form of a part's letters."""
        columns = {n: tuple(letters[n, y] for y in range(n + 1)) for n in patients}
        forms = {n: _form(column) for n, column in columns.items()}
        found = {n: form for n, form in forms.items() if read(form, n) == columns[n]}
        return cls(
            patients=tuple(patients),
            up_to={(n, letter): y for n, form in found.items() for letter, y in form.up_to.items()},
            from_={(n, letter): y for n, form in found.items() for letter, y in form.from_.items()},
            otherwise={n: form.otherwise for n, form in found.items() if form.otherwise},
            not_of_this_form=tuple(n for n in patients if n not in found),
        )

    def heads(self) -> tuple[str, ...]:
        """Return the heads of the form as a grid."""
        return ("evaluable patients", *map(str, self.patients))

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the form as a grid."""
        found = []
        for table, words in ((self.up_to, _up_to_words), (self.from_, FROM.__getitem__)):
            for letter in ordered({letter for _, letter in table}):
                found.append((words(letter), *(self._cell(n, table.get((n, letter))) for n in self.patients)))
        if self.otherwise or self.not_of_this_form:
            found.append((OTHERWISE, *(self._cell(n, self.otherwise.get(n)) for n in self.patients)))
        return found

    def _cell(self, n: int, what: int | str | None) -> str:
        return NOT_SO if n in self.not_of_this_form else NEVER if what is None else str(what)

    def letter(self, n: int, y: int) -> str | None:
        """Return the letter that the form says; ``None`` where it says nothing."""
        if n in self.not_of_this_form:
            return None
        form = _Form(
            up_to={letter: at for (m, letter), at in self.up_to.items() if m == n},
            from_={letter: at for (m, letter), at in self.from_.items() if m == n},
            otherwise=self.otherwise.get(n, ""),
        )
        return read(form, n)[y]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """The boundaries for one number of patients, by letter."""

    up_to: dict[str, int]
    from_: dict[str, int]
    otherwise: str


def _form(column: Column) -> _Form:
    """Return boundaries that may say what a column says."""
    said = set(column)
    most = {letter: max(y for y, found in enumerate(column) if found == letter) for letter in said}
    downs = [letter for letter in FROM if letter in said]
    from_ = {letter: min(y for y, found in enumerate(column) if found in downs[k:]) for k, letter in enumerate(downs)}
    if TOO_TOXIC in said and DE_ESCALATE not in said and STOP_BELOW not in said:
        from_ = {DE_ESCALATE: from_[TOO_TOXIC], **from_}  # whoever eliminates a level leaves it
    between = [letter for letter in column if parts(letter)[0] not in UP_TO and letter not in FROM]
    return _Form(
        up_to={letter: most[letter] for letter in ordered(said) if parts(letter)[0] in UP_TO},
        from_=from_,
        otherwise=between[0] if between else "",
    )


def read(form: _Form, n: int) -> Column:
    """Return what boundaries say of 0 to n DLTs, read as a person reads them; empty for what they do not say."""

    def letter(y: int) -> str:
        down = [letter for letter in FROM if letter in form.from_ and y >= form.from_[letter]]
        up = [letter for letter in ordered(form.up_to) if y <= form.up_to[letter]]
        return down[-1] if down else up[0] if up else form.otherwise

    return tuple(letter(y) for y in range(n + 1))


def _up_to_words(letter: str) -> str:
    first, *others = parts(letter)
    if not others:
        return UP_TO[first]
    return f"{UP_TO[first]} and the last cohort allows it, or else {others[0]}"
