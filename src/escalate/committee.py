"""The safety review committee: from a data cut to a decision.

The committee asks the rule, then applies what the protocol says around it: the cohort size, the cap, and whether a
decision is forced before all outcomes are known. It knows no calendar; when it meets is the trial's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .records import CAP_INCONCLUSIVE, NO_LEVEL, Action, DataCut, Decision, Decisions, IntArray
from .rules import Rule, rule_for
from .scenario.model import Scenario

CAP_REACHED = "cap reached"
"""Stop reason of a rule that recommends a dose from whatever data there are when the cap is reached."""


class Counts(NamedTuple):
    """One trial's data cut in plain numbers, a key to remember decisions by.

    Parameters
    ----------
    level : int
        Dose level of the last cohort, from 0.
    evaluable, dlts, pending : tuple of int
        As in `DataCut`, one number for each level.
    """

    level: int
    evaluable: tuple[int, ...]
    dlts: tuple[int, ...]
    pending: tuple[int, ...]


class Committee:
    """Decides for one scenario; the same counts always get the same answer.

    Parameters
    ----------
    scenario : Scenario
        Protocol with rule, cohort size and cap.
    rule : Rule, optional
        Decides instead of the scenario's rule.
    """

    def __init__(self, scenario: Scenario, rule: Rule | None = None) -> None:
        self.rule = rule or rule_for(scenario)
        self.levels = scenario.levels
        self._start_level = scenario.safety.start_level - 1
        self._cohort_size = scenario.safety.cohort_size
        self._replaces = scenario.safety.replace_non_evaluable and scenario.trial.cap_counts == "evaluable"
        self._decisions: dict[tuple[Counts, int, int], Decision] = {}
        self._forced: dict[tuple[Counts, int], bool] = {}

    def first(self, room: int) -> Decision:
        """Return the decision that opens the first cohort.

        Parameters
        ----------
        room : int
            Patients that the cap leaves.
        """
        nobody = (0,) * self.levels
        return self.decide(Counts(self._start_level, nobody, nobody, nobody), room)

    def decide(self, counts: Counts, room: int, outstanding: int = 0) -> Decision:
        """Return the decision on a data cut.

        Parameters
        ----------
        counts : Counts
            The data cut.
        room : int
            Patients that the cap leaves; a cohort is started only if all of it fits.
        outstanding : int
            Outcomes still to come in the cohort when the decision is forced; since they can't change it, they are
            read as if they came without a DLT.
        """
        key = (counts, room, outstanding)
        if key not in self._decisions:
            read = _completed(counts, outstanding, 0) if outstanding else counts
            decided = self.decide_many(_data_cut([read]), np.array([room]), known=_data_cut([counts])).one(0)
            if decided.reason == CAP_INCONCLUSIVE:
                decided = self._explained(decided, read, room)
            self._decisions[key] = decided
        return self._decisions[key]

    def decide_many(self, cut: DataCut, room: IntArray, known: DataCut | None = None) -> Decisions:
        """Return the decisions on a batch of data cuts: the rule's, within the cohort size and the cap.

        Parameters
        ----------
        cut : DataCut
            What the rule decides on.
        room : int array, shape (...)
            Patients that the cap leaves.
        known : DataCut, optional
            What a recommendation at the cap rests on; the same where it is not given.
        """
        ruled = self.rule.decide(cut)
        patients = np.minimum(ruled.patients, self._cohort_size)
        stops = ruled.action == Action.STOP
        capped = ~stops & (patients > room)
        answer = np.full_like(ruled.level, NO_LEVEL)
        if self.rule.has_answer_at_cap and capped.any():
            answer = self.rule.recommend(cut if known is None else known)
        return Decisions(
            action=np.where(capped, int(Action.STOP), ruled.action),
            level=np.where(capped, answer, ruled.level),
            patients=np.where(capped | stops, 0, patients),
            reason=np.where(capped, len(ruled.reasons), ruled.reason),
            reasons=(*ruled.reasons, CAP_REACHED if self.rule.has_answer_at_cap else CAP_INCONCLUSIVE),
        )

    def _explained(self, decided: Decision, counts: Counts, room: int) -> Decision:
        """Add what the rule would have asked for."""
        asked = self.rule.decide(_data_cut([counts])).one(0)
        patients = min(asked.patients, self._cohort_size)
        detail = f"the rule asks for {patients} more at level {asked.level + 1}, the cap leaves {max(room, 0)}"
        return replace(decided, detail=detail)

    def is_forced(self, counts: Counts, outstanding: int) -> bool:
        """Return whether the level must be left downwards, whatever is still outstanding.

        Every completion of the pending outcomes and of the places not yet filled is put to the rule; the decision is
        forced if all of them de-escalate, or stop below this level, in the same way. An answer that declares the
        level tolerated, or stays, is never forced: the patients that the protocol wants are treated and observed.

        Parameters
        ----------
        counts : Counts
            What is known.
        outstanding : int
            Outcomes still to come in the cohort: pending, lymphodepleted, and places not yet filled.
        """
        key = (counts, outstanding)
        if key not in self._forced:
            self._forced[key] = self._same_for_all(counts, outstanding)
        return self._forced[key]

    def _same_for_all(self, counts: Counts, outstanding: int) -> bool:
        sizes = [outstanding] if self._replaces else range(outstanding + 1)
        completions = [_completed(counts, size, dlts) for size in sizes for dlts in range(size + 1)]
        decided = self.rule.decide(_data_cut(completions))
        answers = set(zip(decided.action.tolist(), decided.level.tolist(), strict=True))
        return len(answers) == 1 and next(iter(answers))[1] < counts.level


def _data_cut(batch: Sequence[Counts]) -> DataCut:
    return DataCut.of(
        [counts.level for counts in batch],
        [counts.evaluable for counts in batch],
        [counts.dlts for counts in batch],
        [counts.pending for counts in batch],
    )


def _completed(counts: Counts, more: int, dlts: int) -> Counts:
    """Return the counts after `more` outcomes at the level, `dlts` of them DLTs."""

    def plus(values: tuple[int, ...], add: int) -> tuple[int, ...]:
        return tuple(value + add * (level == counts.level) for level, value in enumerate(values))

    done = tuple(0 if level == counts.level else value for level, value in enumerate(counts.pending))
    return Counts(counts.level, plus(counts.evaluable, more), plus(counts.dlts, dlts), done)
