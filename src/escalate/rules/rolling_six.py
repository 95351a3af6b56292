"""Rolling six: up to six patients at a level at once, the next one assigned from what is known when he is ready.

A candidate who is ready does not wait for the cohort's outcomes: a table says, from the patients enrolled at the
level, their DLTs and those pending, whether the candidate gets the same dose, the next one, the one below, or waits
(accrual is suspended). The two tables that are in use lie beside this module as CSV files with their citation: the
published one, and that of the R package RollingSix, which escalates sooner.

What the table does not say, as in 3+3: a level with two DLTs exceeds the maximum tolerated dose (MTD), with every
level above it, and none of them is given again. Below such a level, and at the highest one, where the table says
escalate, the level is filled up to six patients and is the MTD when all six have been observed with at most one DLT
(``six_at_mtd = false`` accepts the highest level as soon as the table would escalate and nobody is pending).
Non-evaluable patients are in no count, so that their places are free.

References
----------
Skolnik JM and others. J Clin Oncol 2008;26:190-195, doi:10.1200/JCO.2007.12.7712.
Frankel PH and others. JAMA Netw Open 2020;3(5):e204787, doi:10.1001/jamanetworkopen.2020.4787, Table 2.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np

from ..words.data_cut import DataCut, at_level
from ..words.records import NO_LEVEL, Action, Decisions, IntArray
from .base import Rule
from .first_match import Row, first_match
from .three_plus_three import EXCEEDED, MTD_BELOW, TOO_TOXIC, TOP_TOLERATED, highest_below

FILL_TO_SIX = "tolerated so far: 6 evaluable patients are required at the MTD"
SAME_DOSE = "the table says: the next patient at the same dose"
WAIT_FOR_OUTCOMES = "the table says: wait for outcomes"
WAIT_FOR_LAST = "6 patients enrolled: wait for the last of them"
NEXT_DOSE = "the table says: the next dose"

SIX = 6
CODES = {"S": 0, "E": 1, "SUS": 2, "D": 3}


@cache
def cells(table: Literal["published", "package"]) -> IntArray:
    """Return the codes of a table's decisions, shape (7, 7, 7): enrolled, DLTs, pending; nobody enrolled is "S"."""
    text = (files("escalate.rules") / "data" / f"rolling_six_{table}.csv").read_text(encoding="utf-8")
    found = np.full((SIX + 1,) * 3, CODES["D"])
    found[0] = CODES["S"]
    for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")):
        found[int(row["enrolled"]), int(row["dlts"]), int(row["pending"])] = CODES[row["decision"]]
    found.flags.writeable = False
    return found


@dataclass(frozen=True)
class RollingSixRule(Rule):
    """Decide by rolling six.

    Parameters
    ----------
    table : {"published", "package"}
        Which table; see the module's text.
    six_at_mtd : bool
        Whether the highest level too needs six patients to be the MTD.
    """

    table: Literal["published", "package"] = "published"
    six_at_mtd: bool = True

    name = "rolling six"
    target = None
    has_answer_at_cap = False
    rolling = True

    def decide(self, cut: DataCut) -> Decisions:
        """Say what follows from a data cut for the candidate who is ready; a pure function of its counts."""
        level, top = cut.level, cut.evaluable.shape[-1] - 1
        below = highest_below(level + 1, _with_all_above(cut.dlts))
        comes_down, at = below < level, np.clip(below, 0, None)
        y, pending = at_level(cut.dlts, at), at_level(cut.pending, at)
        enrolled = at_level(cut.evaluable, at) + pending
        said = cells(self.table)[np.minimum(enrolled, SIX), np.minimum(y, SIX), np.minimum(pending, SIX)]

        limit = (at < top) & (at_level(cut.dlts, np.minimum(at + 1, top)) >= 2)
        ends_here = limit | (at == top)
        six_required = limit | self.six_at_mtd
        escalates = said == CODES["E"]
        short, open_windows = six_required & (enrolled < SIX), pending > 0
        finished = ends_here & escalates & ~short & ~open_windows

        rows: list[Row] = [
            (below < 0, Action.STOP, NO_LEVEL, 0, TOO_TOXIC),
            (finished & limit, Action.STOP, at, 0, MTD_BELOW),
            (comes_down & (enrolled >= SIX), Action.SUSPEND, at, 0, WAIT_FOR_LAST),
            (comes_down, Action.DE_ESCALATE, at, 1, EXCEEDED),
            (said == CODES["S"], Action.STAY, level, 1, SAME_DOSE),
            (said == CODES["SUS"], Action.SUSPEND, level, 0, WAIT_FOR_OUTCOMES),
            (finished, Action.STOP, at, 0, TOP_TOLERATED),
            (ends_here & short, Action.STAY, level, 1, FILL_TO_SIX),
            (ends_here, Action.SUSPEND, level, 0, WAIT_FOR_LAST),
            (escalates, Action.ESCALATE, level + 1, 1, NEXT_DOSE),
        ]
        return first_match(rows, cut.open_levels)

    def recommend(self, cut: DataCut) -> IntArray:
        """Return the MTD where the rule has finished, `NO_LEVEL` where there is none or it has not, shape (...)."""
        decided = self.decide(cut)
        return np.where(decided.action == Action.STOP, decided.level, NO_LEVEL)


def _with_all_above(dlts: IntArray) -> IntArray:
    """Return the DLTs of each level, with two wherever a level below has two: what exceeds the MTD there does here."""
    exceeded = np.logical_or.accumulate(dlts >= 2, axis=-1)
    return np.where(exceeded, np.maximum(dlts, 2), dlts)
