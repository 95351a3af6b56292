"""TITE-BOIN: BOIN with patients pending, who count for the part of their window that they have been observed.

A candidate who is ready is assigned a dose from the DLTs, the patients with complete windows, and the follow-up of
the pending ones. Two ways of counting the pending are in use:

imputation
    Each pending patient gets the DLT probability that his remaining follow-up suggests. With n patients, y DLTs, c
    pending who have seen together s windows, and r = p / (1 - p) from p = (y + target / 2) / (n - c + 1), the DLT
    rate compared with BOIN's boundaries is (y + r (c - s)) / n.
effective sample size
    The DLT rate is y / (n - c + s).

In this order: a level is eliminated on observed data (pending patients counted as if they came without a DLT); a
de-escalation that no pending outcome can avert (y / n at or above the upper boundary) comes at once; accrual is
suspended while more than half of the level's patients are pending; then the rate decides. With imputation an observed
rate y / n below the target never de-escalates (the paper's long-memory coherence). An escalation waits until
`min_completed` patients of the level have their outcome. With nobody pending it is plain BOIN, and the recommended
dose rests on complete data alone.

References
----------
Yuan Y, Lin R, Li D, Nie L, Warren KE. Clin Cancer Res 2018;24:4921-4930, doi:10.1158/1078-0432.CCR-18-0246.
Lin R, Yuan Y. Biostatistics 2020;21:807-824, doi:10.1093/biostatistics/kxz007 (effective sample size).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..words.data_cut import DataCut, at_level
from ..words.records import BoolArray, FloatArray, IntArray
from .base import TOLERANCE
from .counts import SUSPEND, IntervalRule


@dataclass(frozen=True, kw_only=True)
class TiteBoinRule(IntervalRule):
    """Decide by TITE-BOIN; moves on complete data are BOIN's.

    Parameters
    ----------
    method : {"imputation", "effective_sample_size"}
        How pending patients count.
    rise, fall : float
        BOIN's boundaries.
    most_pending_share : float
        Accrual is suspended while a larger share of the level's patients is pending.
    min_completed : int
        Accrual is suspended, rather than escalate, while fewer patients of the level have their outcome.
    """

    method: Literal["imputation", "effective_sample_size"] = "imputation"
    rise: float = 0.0
    fall: float = 1.0
    most_pending_share: float = 0.5
    min_completed: int = 0

    rolling = True
    reads_followup = True
    reads_level_followup = True

    def counted(self, cut: DataCut) -> IntArray:
        """Return the patients per level, pending ones included, shape (..., K)."""
        return cut.evaluable + cut.pending

    def move(self, cut: DataCut, n: IntArray, y: IntArray) -> IntArray:
        """Return the move that n and y at the current level call for: -1, 0, 1 or `SUSPEND`, shape (...)."""
        moves, _, _ = self.tables(int(n.max(initial=0)))
        complete = moves[n, y]
        c, seen = at_level(cut.pending, cut.level), at_level(cut.followup, cut.level)
        escalates, falls = self.compare(n, y, c, seen)
        waits = (c > self.most_pending_share * n + TOLERANCE) | (escalates & (n - c < self.min_completed))
        conditions = [c == 0, complete < 0, waits, escalates, falls]
        return np.select(conditions, [complete, np.full_like(n, -1), SUSPEND, 1, -1], 0)

    def recommend(self, cut: DataCut) -> IntArray:
        """Return the level whose smoothed DLT rate is closest to the target, from complete data, shape (...)."""
        nobody = np.zeros_like(cut.pending)
        return super().recommend(replace(cut, pending=nobody, followup=nobody.astype(float)))

    def compare(self, n: IntArray, y: IntArray, c: IntArray, seen: FloatArray) -> tuple[BoolArray, BoolArray]:
        """Return whether the rate of n patients, c of them pending, lies at or below and at or above the boundaries."""
        expected, size = self.effective(n, y, c, seen)
        falls = expected >= size * self.fall - TOLERANCE
        if self.method == "imputation":
            falls &= y >= n * self.target - TOLERANCE
        return expected <= size * self.rise + TOLERANCE, falls

    def effective(self, n: IntArray, y: IntArray, c: IntArray, seen: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the DLTs and the patients whose rate is compared with the boundaries, each of shape (...)."""
        done = n - c
        if self.method == "effective_sample_size":
            return y.astype(float), done + seen
        p = (y + self.target / 2) / (done + 1)
        return y + p / (1 - p) * (c - seen), n.astype(float)

    def grounds(self, cut: DataCut) -> list[str]:
        """Return the rate that is compared with the boundaries, if anybody is pending at the level."""
        level = int(cut.level[0])
        n, y, c = (int(counts[0, level]) for counts in (self.counted(cut), cut.dlts, cut.pending))
        seen = float(cut.followup[0, level])
        if c == 0:
            return []
        dlts, size = (float(number[0]) for number in self.effective(*(np.array([k]) for k in (n, y, c, seen))))
        counted = {
            "imputation": f"{dlts:.3f} DLTs expected in {n} patients",
            "effective_sample_size": f"{y} DLTs in an effective sample size of {size:.3f}",
        }
        rate = f", a rate of {dlts / size:.3f}" if size else ""
        return [
            f"level {level + 1}: {c} of {n} patients pending, who have seen {seen:.3f} windows together; "
            f"{counted[self.method]}{rate} (escalate at or below {self.rise:.3f}, de-escalate at or above "
            f"{self.fall:.3f})"
        ]
