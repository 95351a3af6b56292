"""The words of the project as frozen values: decision, trial.

A rule turns a data cut (`escalate.words.data_cut`) into `Decisions`; the engine turns decisions and patients into a
`Trial`. Dose levels are counted from 0 inside arrays and from 1 wherever a person reads them; "no dose" is `NO_LEVEL`
inside arrays and ``None`` or the words "no dose" outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import IntEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..files import Saves
from .shown import Shows
from .tables import Table

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

NO_LEVEL = -1
"""Code of "no dose" inside arrays of dose levels; never shown to a person."""

NO_DOSE = "no dose"
"""What a person reads where no dose is recommended."""

MOST_PATIENTS = 10_000
"""The largest trial that a scenario may describe."""

MOST_TRIALS = 2_000_000
"""Most trials that are simulated at once, of one scenario: a row of each is kept. The Monte Carlo error of a proportion
is then at most 0.035 points, and no assumption is known so well."""

MOST_SEED = 10**15
"""Largest seed, or number of a replicate."""

FIRST_START, LAST_START = date(1950, 1, 1), date(2150, 1, 1)
"""Between which dates a trial may start: there were no phase I trials before, and a year 24 is a slip."""

CAP_INCONCLUSIVE = "cap reached, inconclusive"
"""Stop reason: the planned patients do not suffice for what the rule asks next, and it has no answer yet."""

TIME_IS_UP = "max_days reached"
"""Stop reason: the trial had not come to its end on day `trial.max_days`.

A rule that recommends a dose from whatever data there are when the cap is reached does so then, too.
"""


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
class Estimates:
    """What a rule's model of all doses says on one data cut: what a decision rests on.

    Parameters
    ----------
    p_dlt : tuple of float, length K
        P(DLT) at each level, lowest first: for CRM and TITE-CRM the curve that the decision reads, for the BLRM the
        posterior mean.
    low, high : tuple of float, length K
        Ends of its 95% posterior interval.
    followup : tuple of float, length K
        Windows counted of patients without an outcome: their weights added up; 0 where a rule waits for outcomes.
    """

    p_dlt: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    followup: tuple[float, ...]


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
    open_levels : int
        How many levels, from the lowest up, are open after the decision: the others are never given again.
    detail : str
        More about it; empty if there is nothing to add.
    estimates : Estimates or None
        What the rule's model says of each level; ``None`` for a rule without one, and where nobody asked. Two
        decisions are the same whatever they rest on.
    """

    action: Action
    level: int
    patients: int
    reason: str
    open_levels: int
    detail: str = ""
    estimates: Estimates | None = field(default=None, compare=False)


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
    open_levels : int array, shape (...)
        As in `Decision`.
    reasons : tuple of str
        The reasons that the rule can give.
    """

    action: IntArray
    level: IntArray
    patients: IntArray
    reason: IntArray
    open_levels: IntArray
    reasons: tuple[str, ...]

    @classmethod
    def gather(cls, decisions: Sequence[Decision]) -> Decisions:
        """Return decisions as one batch."""
        reasons = tuple(dict.fromkeys(decision.reason for decision in decisions))
        return cls(
            action=np.array([int(decision.action) for decision in decisions]),
            level=np.array([decision.level for decision in decisions]),
            patients=np.array([decision.patients for decision in decisions]),
            reason=np.array([reasons.index(decision.reason) for decision in decisions]),
            open_levels=np.array([decision.open_levels for decision in decisions]),
            reasons=reasons,
        )

    def one(self, index: int | tuple[int, ...] = ()) -> Decision:
        """Return the decision on one data cut of the batch."""
        return Decision(
            action=Action(int(self.action[index])),
            level=int(self.level[index]),
            patients=int(self.patients[index]),
            reason=self.reasons[int(self.reason[index])],
            open_levels=int(self.open_levels[index]),
        )

    def overruled(
        self, where: BoolArray, reason: str, action: Action, level: IntArray | int, patients: IntArray | int = 0
    ) -> Decisions:
        """Return the same decisions, but for those `where` something else, with its own reason, goes before.

        What is open after them stays as it is.

        Parameters
        ----------
        where : bool array, shape (...)
            Which decisions are replaced.
        reason : str
            Why, in words.
        action, level, patients
            As in `Decision`, for those.
        """
        if not where.any():
            return self
        reasons = self.reasons if reason in self.reasons else (*self.reasons, reason)
        return replace(
            self,
            action=np.where(where, int(action), self.action),
            level=np.where(where, level, self.level),
            patients=np.where(where, patients, self.patients),
            reason=np.where(where, reasons.index(reason), self.reason),
            reasons=reasons,
        )

    def with_at_most(self, patients: IntArray) -> Decisions:
        """Return the same decisions with no more patients than so many each, shape (...)."""
        return replace(self, patients=np.minimum(self.patients, patients))


class ScenarioLike(Protocol):
    """A scenario, as far as records need to know it."""

    def resolved(self) -> dict[str, Any]:
        """Return the complete scenario as plain JSON values."""

    def fingerprint(self) -> str:
        """Return the SHA-256 of the resolved scenario."""

    def say(self, own: str) -> str:
        """Return words of the program in the scenario's vocabulary."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Trial(Shows, Saves):
    """One simulated trial, told by its records.

    Parameters
    ----------
    scenario : Scenario
        What it is a trial of.
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
    rolling : bool
        Whether the rule was asked whenever a candidate was ready, with outcomes pending.
    planned_patients : int
        The cap.
    most_infused : int or None
        Most patients infused, where the cap counts these.
    events, patients, cohorts, decisions : Table
        The records; their columns are documented in `escalate.words.tables`.
    dose_path : str
        Cohort by cohort: the level, then N (no DLT), T (DLT) or X (non-evaluable) for each infused patient in order
        of enrolment, and P for one whose window was still open when the trial's time was up: ``1NNN 2NNT``.
    recommended : int or None
        Recommended dose level, counted from 1; ``None`` is no dose.
    stop_reason : str
        Why the escalation ended.
    duration_days : int
        Day of the trial's last event [days since the start date].
    chosen : str
        Among how many trials it was chosen, and why; empty where it was not.
    """

    scenario: ScenarioLike
    title: str
    seed: int
    replicate: int
    start_date: date
    planned_completion_date: date | None
    doses: tuple[str, ...]
    rule: str
    rolling: bool
    planned_patients: int
    most_infused: int | None
    events: Table
    patients: Table
    cohorts: Table
    decisions: Table
    dose_path: str
    recommended: int | None
    stop_reason: str
    duration_days: int
    chosen: str = ""

    @property
    def which(self) -> str:
        """Which trial it is, and why it was chosen, if it was."""
        return f"seed {self.seed}, replicate {self.replicate}" + (f"; {self.chosen}" if self.chosen else "")

    @property
    def recommended_dose(self) -> str:
        """Label of the recommended dose, or "no dose"."""
        return NO_DOSE if self.recommended is None else self.doses[self.recommended - 1]

    @property
    def path_words(self) -> str:
        """The dose path, or that nobody was treated."""
        return self.dose_path or self.scenario.say("nobody infused")

    @property
    def is_complete(self) -> bool:
        """Whether the escalation ended and everybody was followed to the end before the trial's time was up."""
        closed = "enrolment closed" in self.events["event"] and self.stop_reason != TIME_IS_UP
        return closed and "cut off" not in self.patients["state"]

    def date_of(self, day: int) -> date:
        """Return the date of a day [days since the start date]."""
        return self.start_date + timedelta(days=day)

    def to_pandas(self) -> Any:
        """Return the patients, one row each, as a pandas ``DataFrame``; ``trial.events.to_pandas()`` has the events.

        It needs pandas, which the extra ``notebooks`` installs.
        """
        return self.patients.to_pandas()

    def __repr__(self) -> str:
        return (
            f"<Trial seed {self.seed}, replicate {self.replicate}: {self.path_words}; "
            f"recommended {self.recommended_dose}; {self.stop_reason}; {self.duration_days} days>"
        )
