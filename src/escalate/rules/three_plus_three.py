"""The 3+3 rule, in its three published readings.

Patients are treated in threes. Without a DLT among three the next dose follows; with one, three more are treated at
the same dose; with two or more the dose exceeds the maximum tolerated dose (MTD). One DLT among six lets the dose
rise, two among six exceed the MTD (two of six is a third of the patients).

The variants differ in what happens once a dose has exceeded the MTD, and at the highest dose:

A, no de-escalation
    The MTD is the next lower dose, even if only three patients had it. (Design A of Lin and Shih; Storer's.)
B, with de-escalation
    If the next lower dose had three patients, three more are treated there; with at most one DLT among six it is the
    MTD, otherwise the next lower dose is asked in the same way. The highest dose is accepted after none of three.
    (Korn and others; Lin and Shih's design B.)
C, six at the MTD
    As B, and the highest dose too needs six patients with at most one DLT.

Where the sources are silent: over-enrolment and non-evaluable patients can leave a level with 1, 2, 4 or 5 evaluable
patients. Fewer than three are filled up to three; four or five with no DLT count as "none of three" (at the MTD in
variant C, and below an exceeded dose, they are filled up to six); four or five with one DLT are filled up to six; two
DLTs exceed the MTD whatever the number. Variant A, started above the lowest level, comes down to a level that had
fewer than three patients rather than declare it untried. A dose that has exceeded the MTD is never given again, so
the rule never re-escalates after it has come down.

References
----------
Storer BE. Biometrics 1989;45:925-937, doi:10.2307/2531693.
Korn EL and others. Stat Med 1994;13:1799-1806, doi:10.1002/sim.4780131802.
Lin Y, Shih WJ. Biostatistics 2001;2:203-215, doi:10.1093/biostatistics/2.2.203.
Le Tourneau C, Lee JJ, Siu LL. J Natl Cancer Inst 2009;101:708-720, doi:10.1093/jnci/djp079.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..words.data_cut import DataCut, at_level
from ..words.records import NO_LEVEL, Action, BoolArray, Decisions, IntArray
from .base import Rule
from .first_match import Row, first_match

TOO_TOXIC = "lowest dose level too toxic"
MTD_BELOW = "MTD declared: the next dose level exceeds it"
TOP_TOLERATED = "highest dose level tolerated"
EXCEEDED = "at least 2 DLTs: this level exceeds the MTD"
FILL_TO_THREE = "fewer than 3 evaluable patients at this level"
ONE_DLT = "1 DLT: this level needs 6 evaluable patients"
SIX_AT_MTD = "tolerated so far: 6 evaluable patients are required at the MTD"
TOLERATED = "no DLT in 3, or at most 1 in 6: the level is tolerated"


@dataclass(frozen=True)
class ThreePlusThreeRule(Rule):
    """Decide by 3+3.

    Parameters
    ----------
    variant : {"A", "B", "C"}
        See the module's text.
    """

    variant: Literal["A", "B", "C"] = "C"

    name = "3+3"
    target = None
    has_answer_at_cap = False

    def decide(self, cut: DataCut) -> Decisions:
        """Say what follows from a data cut; a pure function of its counts.

        Parameters
        ----------
        cut : DataCut
            Batch of data cuts; pending patients count for nothing.

        Returns
        -------
        Decisions
            For `Action.STOP`, `level` is the MTD, or `NO_LEVEL` if the lowest level exceeds it.
        """
        level, top = cut.level, cut.evaluable.shape[-1] - 1
        n, y = at_level(cut.evaluable, level), at_level(cut.dlts, level)
        below, above = highest_below(level, cut.dlts), np.minimum(level + 1, top)
        n_below = at_level(cut.evaluable, np.maximum(below, 0))

        to_six, comes_down = 6 - n, self.variant in ("B", "C")
        exceeded, highest = y >= 2, level == top
        capped_above = ~highest & (at_level(cut.dlts, above) >= 2)
        tolerated = ~exceeded & (n >= 3) & ((y == 0) | (n >= 6))
        six_required = tolerated & (n < 6) & ((capped_above & comes_down) | (highest & (self.variant == "C")))

        rows: list[Row] = [
            (exceeded & (below < 0), Action.STOP, NO_LEVEL, 0, TOO_TOXIC),
            (exceeded & (n_below >= (6 if comes_down else 3)), Action.STOP, below, 0, MTD_BELOW),
            (exceeded, Action.DE_ESCALATE, below, _wanted(n_below), EXCEEDED),
            (n < 3, Action.STAY, level, 3 - n, FILL_TO_THREE),
            (~tolerated, Action.STAY, level, to_six, ONE_DLT),
            (six_required, Action.STAY, level, to_six, SIX_AT_MTD),
            (capped_above, Action.STOP, level, 0, MTD_BELOW),
            (highest, Action.STOP, level, 0, TOP_TOLERATED),
            (tolerated, Action.ESCALATE, above, _wanted(at_level(cut.evaluable, above)), TOLERATED),
        ]
        return first_match(rows, cut.open_levels)

    def elsewhere(self, n: IntArray, y: IntArray) -> tuple[IntArray | BoolArray, ...]:
        """Return the patients of another level, up to six, and whether it exceeds the MTD: all that is read of it."""
        return np.minimum(n, 6), y >= 2

    def recommend(self, cut: DataCut) -> IntArray:
        """Return the MTD where the rule has finished, `NO_LEVEL` where there is none or it has not, shape (...)."""
        decided = self.decide(cut)
        return np.where(decided.action == Action.STOP, decided.level, NO_LEVEL)


def highest_below(level: IntArray, dlts: IntArray) -> IntArray:
    """Return the highest level under `level` with fewer than two DLTs, or -1."""
    index = np.arange(dlts.shape[-1])
    found: IntArray = np.where((index < level[..., np.newaxis]) & (dlts < 2), index, -1).max(axis=-1)
    return found


def _wanted(n: IntArray) -> IntArray:
    """Return how many more patients a level wants before it is read: up to three, then up to six."""
    return np.where(n < 3, 3 - n, np.maximum(6 - n, 1))
