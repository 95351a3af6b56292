"""What a committee can see on one day: the counts of one trial, and a batch of them as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .records import NO_LEVEL, BoolArray, FloatArray, IntArray


class Counts(NamedTuple):
    """One trial's data cut in plain numbers; a key to remember decisions by.

    Parameters
    ----------
    level : int
        Dose level of the last cohort, from 0.
    evaluable, dlts, pending : tuple of int
        As in `DataCut`, one number for each level.
    last : tuple of (int, int)
        Evaluable patients and DLTs of the last cohort; of the outcomes since its last decision, for a rolling rule.
    seen : tuple of (int, int)
        For each pending patient, level and days of the window observed so far.
    lost : tuple of (int, int)
        For each non-evaluable patient who left inside the window, level and days observed.
    dlt_days : tuple of (int, int)
        For each DLT, level and day after the first infusion; the earliest first.
    windows : tuple of int
        For each level, last day of the DLT window after the first infusion [days]; empty where nobody reads it.
    open_levels : int or None
        As in `DataCut`; ``None`` for all of them.
    """

    level: int
    evaluable: tuple[int, ...]
    dlts: tuple[int, ...]
    pending: tuple[int, ...]
    last: tuple[int, int] = (0, 0)
    seen: tuple[tuple[int, int], ...] = ()
    lost: tuple[tuple[int, int], ...] = ()
    dlt_days: tuple[tuple[int, int], ...] = ()
    windows: tuple[int, ...] = ()
    open_levels: int | None = None

    def share(self, level: int, days: int) -> float:
        """Return which share of the DLT window of a level so many days are, at most 1."""
        return min(days / max(self.windows[level], 1), 1.0)

    @property
    def known_alone(self) -> Counts:
        """The same without the pending patients, who count for nothing."""
        return self._replace(pending=(0,) * len(self.pending), seen=())

    def completed(self, more: int, dlts: int) -> Counts:
        """Return the counts after `more` outcomes at the level, `dlts` of them DLTs; nobody is pending there then."""

        def plus(values: tuple[int, ...], add: int) -> tuple[int, ...]:
            return (*values[: self.level], values[self.level] + add, *values[self.level + 1 :])

        return self._replace(
            evaluable=plus(self.evaluable, more),
            dlts=plus(self.dlts, dlts),
            pending=plus(self.pending, -self.pending[self.level]),
            seen=tuple(item for item in self.seen if item[0] != self.level),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """Patients whose window was not observed whole, one by one, for designs that weigh them.

    Parameters
    ----------
    level : int array, shape (..., P)
        Dose level, from 0; `NO_LEVEL` fills up.
    share : float array, shape (..., P)
        Share of the DLT window observed without a DLT, in [0, 1].
    lost : bool array, shape (..., P)
        Whether the patient left (non-evaluable), rather than being pending.
    dlt_share : float array, shape (..., Q)
        For each DLT, the share of the window after which it came; NaN fills up.
    """

    level: IntArray
    share: FloatArray
    lost: BoolArray
    dlt_share: FloatArray

    @classmethod
    def of(cls, batch: Sequence[Counts]) -> Partial:
        """Gather what `Counts` say about single patients."""
        most = max((len(c.seen) + len(c.lost) for c in batch), default=0)
        dlts = max((len(c.dlt_days) for c in batch), default=0)
        level = np.full((len(batch), most), NO_LEVEL)
        share, lost = np.zeros((len(batch), most)), np.zeros((len(batch), most), dtype=np.bool_)
        dlt_share = np.full((len(batch), dlts), np.nan)
        for row, counts in enumerate(batch):
            people = (*counts.seen, *counts.lost)
            for position, (at, days) in enumerate(people):
                level[row, position], share[row, position] = at, counts.share(at, days)
            lost[row, len(counts.seen) : len(people)] = True
            dlt_share[row, : len(counts.dlt_days)] = [counts.share(at, day) for at, day in counts.dlt_days]
        return cls(level=level, share=share, lost=lost, dlt_share=dlt_share)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCut:
    """Everything observed up to and including one day: what a committee can see.

    All arrays share a leading batch shape, so that one call of a rule serves one trial (shape ``()``), a million of
    them, or a printed table.

    Parameters
    ----------
    level : int array, shape (...)
        Dose level of the last cohort, from 0.
    evaluable : int array, shape (..., K)
        Patients per level who had a DLT in the window, or completed it with the full dose. Non-evaluable patients
        are in no count.
    dlts : int array, shape (..., K)
        Evaluable patients per level with a DLT.
    pending : int array, shape (..., K)
        Patients per level whose window is open, with no DLT so far; for a rolling rule also those on the way to
        their infusion.
    followup : float array, shape (..., K)
        Shares of the window seen by the pending patients of each level, added up.
    last_evaluable, last_dlts : int array, shape (...)
        Evaluable patients and DLTs of the last cohort; of the outcomes since its last decision, for a rolling rule.
    open_levels : int array, shape (...)
        How many levels, from the lowest up, no decision so far has eliminated, in [0, K]: what a decision has closed
        stays closed, whatever the counts say later.
    partial : Partial or None
        Pending and lost patients one by one; ``None`` if nobody is, or nobody asked.
    """

    level: IntArray
    evaluable: IntArray
    dlts: IntArray
    pending: IntArray
    followup: FloatArray
    last_evaluable: IntArray
    last_dlts: IntArray
    open_levels: IntArray
    partial: Partial | None = None

    @classmethod
    def of(
        cls,
        level: int | Sequence[int] | IntArray,
        evaluable: Sequence[int] | Sequence[Sequence[int]] | IntArray,
        dlts: Sequence[int] | Sequence[Sequence[int]] | IntArray,
        pending: Sequence[int] | Sequence[Sequence[int]] | IntArray | None = None,
        followup: Sequence[float] | Sequence[Sequence[float]] | FloatArray | None = None,
        *,
        last_evaluable: int | Sequence[int] | IntArray | None = None,
        last_dlts: int | Sequence[int] | IntArray | None = None,
        open_levels: int | Sequence[int] | IntArray | None = None,
        partial: Partial | None = None,
    ) -> DataCut:
        """Make a data cut from plain numbers, for one trial or for many.

        Parameters
        ----------
        level, evaluable, dlts, pending, followup, last_evaluable, last_dlts, open_levels, partial
            As the fields of `DataCut`; nobody and nothing where they are not given, and all levels open.

        Raises
        ------
        ValueError
            If the shapes differ, a count is negative, there are more DLTs than evaluable patients, the pending have
            seen more than their windows, a level does not exist, or more levels are open than there are.
        """
        n = np.asarray(evaluable, dtype=np.int64)
        y = np.asarray(dlts, dtype=np.int64)
        c = np.zeros_like(n) if pending is None else np.asarray(pending, dtype=np.int64)
        seen = np.zeros(n.shape) if followup is None else np.asarray(followup, dtype=np.float64)
        d = np.asarray(level, dtype=np.int64)
        if not (n.shape == y.shape == c.shape == seen.shape and n.ndim >= 1 and d.shape == n.shape[:-1]):
            raise ValueError(
                "evaluable, dlts, pending and followup need one shape (..., levels), and level the shape (...); "
                f"got {n.shape}, {y.shape}, {c.shape}, {seen.shape} and {d.shape}"
            )
        if (y < 0).any() or (y > n).any() or (c < 0).any():
            raise ValueError("counts must satisfy 0 <= dlts <= evaluable and pending >= 0 at every level")
        if (seen < 0).any() or (seen > c + 1e-9).any():
            raise ValueError("followup adds up shares of the window, and must lie between 0 and pending")
        if (d < 0).any() or (d >= n.shape[-1]).any():
            raise ValueError(f"level counts from 0 and must be below {n.shape[-1]}, the number of dose levels")
        still_open = _each(n.shape[-1] if open_levels is None else open_levels, d)
        if (still_open < 0).any() or (still_open > n.shape[-1]).any():
            raise ValueError(f"open_levels must lie between 0 and {n.shape[-1]}, the number of dose levels")
        return cls(
            level=d,
            evaluable=n,
            dlts=y,
            pending=c,
            followup=seen,
            last_evaluable=_each(last_evaluable, d),
            last_dlts=_each(last_dlts, d),
            open_levels=still_open,
            partial=partial,
        )

    @classmethod
    def gather(cls, batch: Sequence[Counts]) -> DataCut:
        """Make one data cut of many trials' counts, shape (len(batch),)."""
        alone = any(counts.seen or counts.lost or counts.dlt_days for counts in batch)
        followup = [[0.0] * len(counts.evaluable) for counts in batch]
        for row, counts in zip(followup, batch, strict=True):
            for level, days in counts.seen:
                row[level] += counts.share(level, days)
        return cls.of(
            [counts.level for counts in batch],
            [counts.evaluable for counts in batch],
            [counts.dlts for counts in batch],
            [counts.pending for counts in batch],
            followup,
            last_evaluable=[counts.last[0] for counts in batch],
            last_dlts=[counts.last[1] for counts in batch],
            open_levels=[len(c.evaluable) if c.open_levels is None else c.open_levels for c in batch],
            partial=Partial.of(batch) if alone else None,
        )

    def take(self, rows: IntArray) -> DataCut:
        """Return some of a batch's data cuts, by their positions; one may be taken several times."""
        partial = self.partial
        if partial is not None:
            partial = Partial(**{name: getattr(partial, name)[rows] for name in Partial.__slots__})
        values = {name: getattr(self, name)[rows] for name in DataCut.__slots__ if name != "partial"}
        return DataCut(**values, partial=partial)

    def completed(self, more: IntArray, dlts: IntArray, where: BoolArray | None = None) -> DataCut:
        """Return the data cuts after more outcomes at their level; nobody is pending there then.

        Parameters
        ----------
        more, dlts : int array, shape (...)
            Outcomes that come, and DLTs among them.
        where : bool array, shape (...), optional
            Which data cuts that is done to; all of them where it is not given.
        """
        here = np.arange(self.evaluable.shape[-1]) == self.level[..., np.newaxis]
        if where is not None:
            here &= where[..., np.newaxis]
        partial = self.partial
        if partial is not None and partial.level.shape[-1]:
            gone = np.take_along_axis(here, np.maximum(partial.level, 0), axis=-1) & ~partial.lost
            partial = replace(partial, level=np.where(gone, NO_LEVEL, partial.level))
        return replace(
            self,
            evaluable=self.evaluable + here * more[..., np.newaxis],
            dlts=self.dlts + here * dlts[..., np.newaxis],
            pending=np.where(here, 0, self.pending),
            followup=np.where(here, 0.0, self.followup),
            partial=partial,
        )


def _each(values: int | Sequence[int] | IntArray | None, like: IntArray) -> IntArray:
    return np.zeros_like(like) if values is None else np.broadcast_to(np.asarray(values, dtype=np.int64), like.shape)


def at_level(counts: NDArray[Any], level: IntArray) -> NDArray[Any]:
    """Return the counts at one level of each data cut: shape (..., K) and (...) give shape (...)."""
    levels = counts.shape[-1]
    first = np.arange(0, level.size * levels, levels).reshape(level.shape)
    return np.asarray(counts.reshape(-1).take(first + level))
