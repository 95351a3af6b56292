"""A decision table with patients pending as a rule: for the candidate who is ready, from the level's counts.

The letters are E (escalate), S (stay: the candidate gets this level), SUS (suspend: wait for the next outcome), R
(stop, and recommend this level: it is the MTD), D (de-escalate) and DU (de-escalate, and never this level again). A
line may hold only while the level above is open, or only where it is closed. It is closed if there is none, if a
decision has eliminated it, and while its own line says D or DU. Non-evaluable patients are in no count, so that their
places are free.

Between levels it is so: nobody is treated above a level whose own line says D, DU or R, however the dose got there.
The candidate gets the highest level that is left, as its line says; where that is E, the next one. E where the level
above is closed, and D at the lowest level, are no step: the candidate gets the level itself. A lowest level that says
DU stops the trial, with no dose.

A table with a target recommends, where it has not said R, the level whose smoothed DLT rate is closest to it, as
tables without patients pending do; one without a target recommends a dose only where it says R.

IQ rolling six is such a table. It differs from rolling six in two things: the dose rises once three patients, of any
number, have completed their windows without a DLT; and where it depends on few answers, a seventh and an eighth
patient may come. At the highest level, or below a closed one, five answers without a DLT, six with one or seven with
two make it the MTD. Each line of `scenario/iq_rolling_six.csv` has the row of the published table that it comes
from. Seventeen cells that the paper does not list, because they are rare, follow from those beside them: more answers
without a DLT rise as fewer do, more patients without an answer wait where fewer wait, and nobody is the ninth. What
holds where the table says escalate and the level above is closed stands in a footnote that could not be read: with
three or four answers the level is filled up to six, as by rolling six. The paper counts candidates in screening as
patients of the level; here a place is given when a candidate is ready. IQ 3+3 is not here: its table could not be read.

References
----------
Frankel PH and others. JAMA Netw Open 2020;3(5):e204787, doi:10.1001/jamanetworkopen.2020.4787, Table 2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..errors import RuleError
from ..scenario.rolling_tables import LETTERS, Lines, most_patients
from ..words.data_cut import DataCut, at_level
from ..words.records import NO_LEVEL, Action, BoolArray, Decisions, IntArray
from .base import Rule
from .counts import ELIMINATED, NOBODY, TOO_TOXIC, closest_to_target
from .first_match import Row, first_match
from .rolling_six import NEXT_DOSE, SAME_DOSE, WAIT_FOR_OUTCOMES
from .three_plus_three import MTD_BELOW, TOP_TOLERATED

DECLARED = "the table says: this level is the MTD"
LOWER_DOSE = "the table says: the dose below"
NO_HIGHER = "the table says: the next dose, and this is the highest level that may be given"
NO_LOWER = "the table says: the dose below, and this is the lowest level"

CODES = {letter: code for code, letter in enumerate(LETTERS)}
E, S, SUS, R, D, DU = CODES.values()
NO_LINE = len(LETTERS)
"""Code of a decision that the table does not say."""


@dataclass(frozen=True, kw_only=True)
class RollingTable(Rule):
    """Decide by a table with patients pending.

    Parameters
    ----------
    name : str
        As scenario files write it.
    target : float or None
        Target DLT probability, in (0, 1); without one a dose is recommended only where the table says R.
    lines : dict
        For evaluable patients, patients pending and whether the level above is closed, the letters for 0, 1 ... DLTs.
    """

    name: str
    target: float | None = None
    lines: Lines = field(hash=False)
    rolling = True
    eliminates = True

    @property
    def has_answer_at_cap(self) -> bool:  # type: ignore[override]
        """Whether the rule recommends a dose from whatever data there are when the cap is reached."""
        return self.target is not None

    @cached_property
    def most(self) -> int:
        """The largest number of patients at a level that the table has lines for, the pending ones among them."""
        return most_patients(self.lines)

    @cached_property
    def _codes(self) -> IntArray:
        """The codes of the letters, by whether the level above is closed, evaluable patients, pending ones and DLTs."""
        size = self.most + 2  # the last place stands for any number beyond the table
        found = np.full((2, size, size, size), NO_LINE)
        found[:, 0, 0, 0] = S
        for (n, c, closed), letters in self.lines.items():
            found[int(closed), n, c, : n + 1] = [CODES[letter] for letter in letters]
        return found

    def decide(self, cut: DataCut) -> Decisions:
        """Say what follows from a data cut for the candidate who is ready; a pure function of its counts.

        Raises
        ------
        RuleError
            If the table has no line for the patients of a level.
        """
        level, top = cut.level, cut.evaluable.shape[-1] - 1
        letters, closed = self._read(cut)
        left = np.minimum(_first(letters == DU), cut.open_levels)
        highest = np.minimum.reduce([left - 1, _first(_leads_down(letters)) - 1, _first(letters == R)])
        at = np.clip(np.minimum(level, highest), 0, None)
        for _ in range(top):
            at = at + ((at_level(letters, at) == E) & ~at_level(closed, at))
        said, nobody = at_level(letters, at), at_level(cut.evaluable + cut.pending, at) == 0
        rows: list[Row] = [
            (left <= 0, Action.STOP, NO_LEVEL, 0, TOO_TOXIC),
            ((said == R) & (at == top), Action.STOP, at, 0, TOP_TOLERATED),
            ((said == R) & at_level(closed, at), Action.STOP, at, 0, MTD_BELOW),
            (said == R, Action.STOP, at, 0, DECLARED),
            (said == SUS, Action.SUSPEND, np.minimum(at, level), 0, WAIT_FOR_OUTCOMES),
            ((at < level) & (level >= left), Action.DE_ESCALATE, at, 1, ELIMINATED),
            (at < level, Action.DE_ESCALATE, at, 1, LOWER_DOSE),
            (at > level, Action.ESCALATE, at, 1, NEXT_DOSE),
            (nobody, Action.STAY, at, 1, NOBODY),
            (said == S, Action.STAY, at, 1, SAME_DOSE),
            (said == E, Action.STAY, at, 1, NO_HIGHER),
            (said == D, Action.STAY, at, 1, NO_LOWER),
        ]
        return first_match(rows, left)

    def _read(self, cut: DataCut) -> tuple[IntArray, BoolArray]:
        """Return the code that each level's line says, and whether the level above it is closed, both (..., K)."""
        n, c, y = (np.minimum(part, self.most + 1) for part in (cut.evaluable, cut.pending, cut.dlts))
        letters, closed = np.empty_like(n), np.zeros(n.shape, dtype=np.bool_)
        above = np.zeros(cut.level.shape, dtype=np.bool_)
        for k in reversed(range(n.shape[-1])):
            closed[..., k] = above | (k + 1 >= cut.open_levels)  # above the highest level nothing is open
            letters[..., k] = self._codes[closed[..., k].astype(np.int64), n[..., k], c[..., k], y[..., k]]
            above = _leads_down(letters[..., k])
        if (letters == NO_LINE).any():
            patients = (cut.evaluable + cut.pending)[letters == NO_LINE].min()
            raise RuleError(
                f"the decision table has no line for {patients} patients at a level, the pending ones among them; it "
                f"has lines for 1 to {self.most}"
            )
        return letters, closed

    def recommend(self, cut: DataCut) -> IntArray:
        """Return the level that the table declares, or with a target the one closest to it, or `NO_LEVEL`, (...)."""
        decided = self.decide(cut)
        stops = decided.action == Action.STOP
        if self.target is None:
            return np.where(stops, decided.level, NO_LEVEL)
        open_levels = np.arange(cut.evaluable.shape[-1]) < decided.open_levels[..., np.newaxis]
        return np.where(stops, decided.level, closest_to_target(cut, open_levels, self.target))

    def constants(self) -> dict[str, float]:
        """Return the target, if there is one."""
        return {} if self.target is None else {"target P(DLT)": self.target}


def _leads_down(letters: IntArray) -> BoolArray:
    return np.asarray((letters == D) | (letters == DU))


def _first(where: BoolArray) -> IntArray:
    """Return the lowest level where something holds, or the number of levels where it holds nowhere, shape (...)."""
    levels = where.shape[-1]
    found: IntArray = np.where(where, np.arange(levels), levels).min(axis=-1)
    return found
