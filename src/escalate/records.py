"""The words of the project as frozen values: data cut, decision, trial.

A rule turns a `DataCut` into `Decisions`; the engine turns decisions and patients into a `Trial`. Dose levels are
counted from 0 inside arrays and from 1 wherever a person reads them; "no dose" is `NO_LEVEL` inside arrays and
``None`` or the words "no dose" outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from .tables import Table

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

NO_LEVEL = -1
"""Code of "no dose" inside arrays of dose levels; never shown to a person."""

NO_DOSE = "no dose"
"""What a person reads where no dose is recommended."""

CAP_INCONCLUSIVE = "cap reached, inconclusive"
"""Stop reason: the planned patients do not suffice for what the rule asks next, and it has no answer yet."""

TIME_IS_UP = "max_days reached"
"""Stop reason: the trial had not come to its end on day `trial.max_days`."""


class Action(IntEnum):
    """What a decision does; `words` is what a person reads."""

    ESCALATE = 0
    STAY = 1
    DE_ESCALATE = 2
    SUSPEND = 3
    STOP = 4

    @property
    def words(self) -> str:
        """The action as the protocol writes it."""
        return self.name.lower().replace("de_escalate", "de-escalate")


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
        Patients per level whose window is open, with no DLT so far.
    """

    level: IntArray
    evaluable: IntArray
    dlts: IntArray
    pending: IntArray

    @classmethod
    def of(
        cls,
        level: int | Sequence[int] | IntArray,
        evaluable: Sequence[int] | Sequence[Sequence[int]] | IntArray,
        dlts: Sequence[int] | Sequence[Sequence[int]] | IntArray,
        pending: Sequence[int] | Sequence[Sequence[int]] | IntArray | None = None,
    ) -> DataCut:
        """Make a data cut from plain numbers, for one trial or for many.

        Parameters
        ----------
        level, evaluable, dlts, pending
            As the fields of `DataCut`; `pending` is nobody where it is not given.

        Raises
        ------
        ValueError
            If the shapes differ, a count is negative, there are more DLTs than evaluable patients, or a level
            does not exist.
        """
        n = np.asarray(evaluable, dtype=np.int64)
        y = np.asarray(dlts, dtype=np.int64)
        c = np.zeros_like(n) if pending is None else np.asarray(pending, dtype=np.int64)
        d = np.asarray(level, dtype=np.int64)
        if not (n.shape == y.shape == c.shape and n.ndim >= 1 and d.shape == n.shape[:-1]):
            raise ValueError(
                "evaluable, dlts and pending need one shape (..., levels), and level the shape (...); "
                f"got {n.shape}, {y.shape}, {c.shape} and {d.shape}"
            )
        if (y < 0).any() or (y > n).any() or (c < 0).any():
            raise ValueError("counts must satisfy 0 <= dlts <= evaluable and pending >= 0 at every level")
        if (d < 0).any() or (d >= n.shape[-1]).any():
            raise ValueError(f"level counts from 0 and must be below {n.shape[-1]}, the number of dose levels")
        return cls(level=d, evaluable=n, dlts=y, pending=c)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one committee decides on one data cut.

    Parameters
    ----------
    action : Action
        Escalate, stay, de-escalate, suspend or stop.
    level : int
        Dose level of the next cohort, from 0; for `Action.STOP` the recommended level, or `NO_LEVEL`.
    patients : int
        Evaluable patients wanted in the next cohort; 0 for `Action.STOP`.
    reason : str
        Why, in words.
    detail : str
        More about it; empty if there is nothing to add.
    """

    action: Action
    level: int
    patients: int
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What a rule answers for a batch of data cuts.

    Parameters
    ----------
    action : int array, shape (...)
        Codes of `Action`.
    level : int array, shape (...)
        As in `Decision`.
    patients : int array, shape (...)
        The most patients that the rule wants before it is asked again; the protocol's cohort size may be smaller.
    reason : int array, shape (...)
        Positions in `reasons`.
    reasons : tuple of str
        The reasons that the rule can give.
    """

    action: IntArray
    level: IntArray
    patients: IntArray
    reason: IntArray
    reasons: tuple[str, ...]

    def one(self, index: int | tuple[int, ...] = ()) -> Decision:
        """Return the decision on one data cut of the batch."""
        return Decision(
            action=Action(int(self.action[index])),
            level=int(self.level[index]),
            patients=int(self.patients[index]),
            reason=self.reasons[int(self.reason[index])],
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Trial:
    """One simulated trial, told by its records.

    Parameters
    ----------
    title : str
        The scenario's title.
    seed, replicate : int
        Which random numbers the trial used: the same pair gives the same trial, always.
    start_date : date
        Day 0.
    planned_completion_date : date or None
        As registered.
    doses : tuple of str
        Labels of the dose levels, lowest first.
    rule : str
        Name of the rule that decided.
    events, patients, cohorts, decisions : Table
        The records; their columns are documented in `escalate.tables`.
    dose_path : str
        Cohort by cohort: the level, then N (no DLT), T (DLT) or X (non-evaluable) for each infused patient in order
        of enrolment, and P for one whose window was still open when the trial's time was up: ``1NNN 2NNT``.
    recommended : int or None
        Recommended dose level, counted from 1; ``None`` is no dose.
    stop_reason : str
        Why the escalation ended.
    duration_days : int
        Day of the trial's last event [days since the start date].
    """

    title: str
    seed: int
    replicate: int
    start_date: date
    planned_completion_date: date | None
    doses: tuple[str, ...]
    rule: str
    events: Table
    patients: Table
    cohorts: Table
    decisions: Table
    dose_path: str
    recommended: int | None
    stop_reason: str
    duration_days: int

    @property
    def recommended_dose(self) -> str:
        """Label of the recommended dose, or "no dose"."""
        return NO_DOSE if self.recommended is None else self.doses[self.recommended - 1]

    @property
    def is_complete(self) -> bool:
        """Whether enrolment closed and everybody was followed to the end before the trial's time was up."""
        return "enrolment closed" in self.events["event"] and "cut off" not in self.patients["state"]

    def date_of(self, day: int) -> date:
        """Return the date of a day [days since the start date]."""
        return self.start_date + timedelta(days=day)

    def __repr__(self) -> str:
        return (
            f"<Trial seed {self.seed}, replicate {self.replicate}: {self.dose_path or 'nobody infused'}; "
            f"recommended {self.recommended_dose}; {self.stop_reason}; {self.duration_days} days>"
        )
