"""The safety review committee: from a data cut to a decision.

The committee asks the rule as the protocol applies it, then applies the cohort size, the cap, and whether a decision
is forced before all outcomes are known. It knows no calendar; when it meets is the trial's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..rules import ModelRule, Rule
from ..scenario.model import Scenario
from ..words.data_cut import Counts, DataCut
from ..words.records import CAP_INCONCLUSIVE, NO_LEVEL, Action, BoolArray, Decision, Decisions, Estimates, IntArray
from .memory import Memory
from .protocol import ENDS, TOO_TOXIC, ProtocolRule

CAP_REACHED = "cap reached"
"""Stop reason of a rule that recommends a dose from whatever data there are when the cap is reached."""


class Ask(NamedTuple):
    """What a committee decides on, and remembers its decision by.

    Parameters
    ----------
    counts : Counts
        The data cut.
    room : int
        Patients that the cap leaves.
    outstanding : int
        Outcomes still to come where the decision is forced.
    """

    counts: Counts
    room: int
    outstanding: int = 0


class Committee:
    """Decides for one scenario; the same counts always get the same answer.

    Parameters
    ----------
    scenario : Scenario
        Protocol with rule, titration, limits, stopping rules, cohort size and cap.
    rule : Rule, optional
        Decides instead of the scenario's rule.
    """

    def __init__(self, scenario: Scenario, rule: Rule | None = None) -> None:
        self.rule = ProtocolRule(scenario, rule)
        self.levels = scenario.levels
        self._start_level = scenario.safety.start_level - 1
        self._cohort_size = scenario.safety.cohort_size
        self._may_be_partial = self.rule.rolling or scenario.trial.last_cohort == "partial"
        replaces = scenario.safety.replace_non_evaluable and scenario.trial.cap_counts == "evaluable"
        self._replaces = replaces and not self.rule.rolling
        self.decisions: Memory[Ask, Decision] = Memory(self._decided)
        """What it has decided."""
        self.conclusions: Memory[tuple[Counts, Decision], Decision] = Memory(self._concluded)
        """What it has recommended in the end, after which stop."""
        self.levels_alone: Memory[tuple[Counts, int], int] = Memory(self._alone_at)
        """What `rule_alone` has said, on which data cut with how many outcomes outstanding."""
        self._forced: Memory[tuple[Counts, int, int], bool] = Memory(self._are_forced)
        self._estimates: Memory[Counts, Estimates] = Memory(lambda asked: [self._estimated(counts) for counts in asked])

    @property
    def numbers(self) -> int:
        """How many answers it remembers."""
        memories = self.decisions, self.conclusions, self.levels_alone, self._forced, self._estimates
        return sum(len(memory) for memory in memories)

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
            Patients that the cap leaves; unless the protocol allows a part, a cohort is started only if all of it
            fits.
        outstanding : int
            Outcomes still to come at the level when the decision is forced; since they can't change it, they are
            read as if they came without a DLT. What is recommended, if the trial ends for another reason than the
            rule's, rests on what is known; but never a level that this decision, or one before, has eliminated.
        """
        freely = self.decisions[self.freely(counts, outstanding)]
        return freely if self.fits(freely, room) else self.decisions[Ask(counts, room, outstanding)]

    def freely(self, counts: Counts, outstanding: int = 0) -> Ask:
        """Return what is asked where no cap changes the answer, since it leaves room for a whole cohort."""
        return Ask(counts, self._cohort_size, outstanding)

    @staticmethod
    def fits(freely: Decision, room: int) -> bool:
        """Return whether what is decided without a cap is decided with one that leaves so many patients, too."""
        return freely.action is Action.STOP or freely.patients <= room

    def _decided(self, asked: Sequence[Ask]) -> list[Decision]:
        """Return the decision on each of many data cuts."""
        every, rooms, outstanding = zip(*asked, strict=True)
        cut, room, left = DataCut.gather(every), np.array(rooms), np.array(outstanding)
        decided = self.decide_many(cut, room, left)
        found = [decided.one(row) for row in range(len(asked))]
        for row, decision in enumerate(found):
            if decision.reason == CAP_INCONCLUSIVE:
                here = np.array([row])
                found[row] = self._explained(decision, _read(cut, left).take(here), rooms[row])
        return found

    def estimates(self, counts: Counts) -> Estimates | None:
        """Return what the rule's model says on a data cut: what the decision on it rests on; ``None`` without a model.

        Asked for a decision that is recorded or shown, and not by decisions themselves.
        """
        return self._estimates[counts] if isinstance(self.rule.rule, ModelRule) else None

    def _estimated(self, counts: Counts) -> Estimates:
        """Return what the rule's model says on a data cut."""
        rule, cut = self.rule.rule, DataCut.gather([counts])
        assert isinstance(rule, ModelRule)
        found, low, high = (tuple(ends[0].tolist()) for ends in rule.p_dlt(cut))
        followup = [0.0] * self.levels
        if rule.rolling and cut.partial is not None:
            for level, weight in zip(cut.partial.level[0].tolist(), rule.weigh(cut)[0].tolist(), strict=True):
                followup[level] += weight
        return Estimates(p_dlt=found, low=low, high=high, followup=tuple(followup))

    def rests_on_data(self, stop: Decision) -> bool:
        """Return whether outcomes still to come can change what a stop recommends: `rest_on_data` for one of them."""
        return stop.action is Action.STOP and bool(self.rest_on_data(Decisions.gather([stop]))[0])

    def rest_on_data(self, decided: Decisions) -> BoolArray:
        """Return whether outcomes still to come can change what each decision recommends, if it is a stop.

        They can where the trial ends for another reason than the rule's, and the rule recommends from whatever data
        there are; and where a rolling rule declares a dose with windows open.
        """
        declares = self.rule.rolling & (decided.action == Action.STOP) & (decided.level != NO_LEVEL)
        return np.asarray(declares | self.leave_level(decided))

    def leave_level(self, decided: Decisions) -> BoolArray:
        """Return whether the trial ends for another reason than the rule's, and the level is what the rule recommends.

        It recommends from whatever data there are: `ProtocolRule.recommend`.
        """
        ends = np.array([reason in (CAP_REACHED, *ENDS) for reason in decided.reasons])
        return np.asarray(self.rule.has_answer_at_cap & ends[decided.reason])

    def rule_alone(self, counts: Counts, outstanding: int) -> int:
        """Return the highest level at which the rule by itself would go on: `alone` for one data cut."""
        return self.levels_alone[counts, outstanding]

    def _alone_at(self, asked: Sequence[tuple[Counts, int]]) -> list[int]:
        every, outstanding = zip(*asked, strict=True)
        found: list[int] = self.alone(DataCut.gather(every), np.array(outstanding)).tolist()
        return found

    def alone(self, cut: DataCut, outstanding: IntArray) -> IntArray:
        """Return the highest level at which the rule by itself would go on; `NO_LEVEL` for none.

        Whoever is on the way to a dose when the trial stops for another reason than the rule's is treated up to here.
        """
        return self.rule.rule.decide(_read(cut, outstanding)).level

    def keeps_back(self, counts: Counts, decision: Decision) -> bool:
        """Return whether a decision on a data cut keeps back who would start at the level: `keep_back` for one."""
        return bool(self.keep_back(DataCut.gather([counts]), Decisions.gather([decision]))[0])

    def keep_back(self, cut: DataCut, decided: Decisions) -> BoolArray:
        """Return whether nobody starts at the level of the cut any more, once it is decided so.

        The level is left downwards; or the trial stops, and the rule by itself would not go on at the level, or the
        protocol finds the lowest one too toxic. A cap that is reached keeps nobody back who has been given a place.
        """
        down, stops = decided.level < cut.level, decided.action == Action.STOP
        if not stops.any():
            return np.asarray(down)
        alone = self.alone(cut, np.zeros_like(cut.level)) < cut.level
        return np.where(stops, alone | self.rule.is_too_toxic(cut), down)

    def conclude(self, counts: Counts, stop: Decision) -> Decision:
        """Return what is recommended in the end, when the escalation stopped before the last outcomes were known.

        Parameters
        ----------
        counts : Counts
            The data cut, with nobody pending.
        stop : Decision
            What stopped the escalation, and why.
        """
        return self.conclusions[counts, stop]

    def _concluded(self, asked: Sequence[tuple[Counts, Decision]]) -> list[Decision]:
        every, stops = zip(*asked, strict=True)
        found = self.conclude_many(DataCut.gather(every), Decisions.gather(stops))
        return [found.one(row) for row in range(len(asked))]

    def conclude_many(self, cut: DataCut, stops: Decisions) -> Decisions:
        """Return what is recommended in the end, as `conclude`, for a batch of data cuts."""
        found = replace(stops, level=self.rule.recommend(cut))
        return found.overruled(self.rule.is_too_toxic(cut), TOO_TOXIC, Action.STOP, NO_LEVEL)

    def when_time_is_up(self, counts: Counts) -> int:
        """Return the level recommended where the trial's time is up, or `NO_LEVEL`: `many_when_time_is_up` for one."""
        return int(self.many_when_time_is_up(DataCut.gather([counts]))[0])

    def many_when_time_is_up(self, cut: DataCut) -> IntArray:
        """Return the levels recommended where the time of trials is up before the committee's last decision.

        As at the cap: by a rule that recommends from whatever data there are, unless the lowest level is too toxic.

        Parameters
        ----------
        cut : DataCut
            What is known on the last day, with nobody pending.
        """
        if not self.rule.has_answer_at_cap:
            return np.full_like(cut.level, NO_LEVEL)
        return np.where(self.rule.is_too_toxic(cut), NO_LEVEL, self.rule.recommend(cut))

    def closes_expansion(self, counts: Counts) -> bool:
        """Return whether an expansion is closed for toxicity; at once, without a meeting."""
        return bool(self.rule.closes_expansion(DataCut.gather([counts]))[0])

    def decide_many(self, cut: DataCut, room: IntArray, outstanding: IntArray | None = None) -> Decisions:
        """Return the decisions on a batch of data cuts: the rule's, within the cohort size and the cap.

        Parameters
        ----------
        cut : DataCut
            What the rule decides on.
        room : int array, shape (...)
            Patients that the cap leaves.
        outstanding : int array, shape (...), optional
            Outcomes still to come where a decision is forced, as in `decide`.
        """
        if outstanding is None:
            return self._decide_on(cut, room)
        decided = self._decide_on(_read(cut, outstanding), room)
        known = (outstanding > 0) & self.leave_level(decided)
        if not known.any():
            return decided
        best = self.rule.recommend(replace(cut, open_levels=decided.open_levels))
        return replace(decided, level=np.where(known, best, decided.level))

    def _decide_on(self, cut: DataCut, room: IntArray) -> Decisions:
        ruled = self.rule.decide(cut)
        ruled = ruled.with_at_most(np.full_like(ruled.patients, self._cohort_size))
        if self._may_be_partial:
            ruled = ruled.with_at_most(np.maximum(room, 1))
        capped = (ruled.action != Action.STOP) & (ruled.patients > room)
        answer = np.full_like(ruled.level, NO_LEVEL)
        if self.rule.has_answer_at_cap and capped.any():
            answer = self.rule.recommend(replace(cut, open_levels=ruled.open_levels))
        reason = CAP_REACHED if self.rule.has_answer_at_cap else CAP_INCONCLUSIVE
        return ruled.overruled(capped, reason, Action.STOP, answer)

    def _explained(self, decided: Decision, cut: DataCut, room: int) -> Decision:
        """Add what the rule would have asked for."""
        asked = self.rule.decide(cut).one(0)
        patients = min(asked.patients, self._cohort_size)
        detail = f"the rule asks for {patients} more at level {asked.level + 1}, the cap leaves {max(room, 0)}"
        return replace(decided, detail=detail)

    def is_forced(self, counts: Counts, outstanding: int, beyond: int = 0) -> bool:
        """Return whether the level must be left downwards, whatever is still outstanding.

        Every completion of the pending outcomes and of the places not yet filled is put to the rule; the decision is
        forced if all of them de-escalate, or stop below this level, in the same way. An answer that declares the
        level tolerated, or stays, is never forced: the patients that the protocol wants are treated and observed.

        Parameters
        ----------
        counts : Counts
            What is known.
        outstanding : int
            Outcomes still to come at the level: pending, lymphodepleted, and places not yet filled.
        beyond : int
            Patients beyond the cohort's places: so many of the outcomes to come may be missing in the end, although
            the non-evaluable are replaced.
        """
        return self._forced[counts, outstanding, beyond]

    def _are_forced(self, asked: Sequence[tuple[Counts, int, int]]) -> list[bool]:
        every, outstanding, beyond = zip(*asked, strict=True)
        cut, left = DataCut.gather(every), np.array(outstanding)
        forced = self.may_be_forced(cut, left)
        here = np.flatnonzero(forced)
        forced[here] = self.forced_many(cut.take(here), left[here], np.array(beyond)[here])
        found: list[bool] = forced.tolist()
        return found

    def may_be_forced(self, cut: DataCut, outstanding: IntArray) -> BoolArray:
        """Return whether each level of a batch is left downwards even if no more DLT comes, shape (B,)."""
        best = self.rule.decide(cut.completed(outstanding, np.zeros_like(outstanding)))
        return np.asarray(best.level < cut.level)

    def forced_many(self, cut: DataCut, outstanding: IntArray, beyond: IntArray | int = 0) -> BoolArray:
        """Return whether each level of a batch must be left downwards, as `is_forced`, shape (B,).

        For data cuts of which `may_be_forced` says that they may be.
        """
        forced = np.zeros(len(outstanding), dtype=np.bool_)
        fewest = np.maximum(outstanding - beyond, 0) if self._replaces else np.zeros_like(outstanding)
        for most, least in np.unique(np.stack([outstanding, fewest], axis=1), axis=0).tolist():
            here = np.flatnonzero((outstanding == most) & (fewest == least))
            sizes = range(least, most + 1)
            more, dlts = np.array([(size, y) for size in sizes for y in range(size + 1)]).T
            repeated = cut.take(np.repeat(here, len(more)))
            decided = self.rule.decide(repeated.completed(np.tile(more, len(here)), np.tile(dlts, len(here))))
            action, level = (part.reshape(len(here), len(more)) for part in (decided.action, decided.level))
            forced[here] = (action == action[:, :1]).all(axis=1) & (level == level[:, :1]).all(axis=1)
        return forced


def _read(cut: DataCut, outstanding: IntArray) -> DataCut:
    """Return what the rule reads where a decision is forced: what is still to come comes without a DLT."""
    if not outstanding.any():
        return cut
    return cut.completed(outstanding, np.zeros_like(outstanding), outstanding > 0)
