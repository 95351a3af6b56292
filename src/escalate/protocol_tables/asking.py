"""The committee of a scenario, asked about data cuts: what it decides, where that turns, and what outcomes lead to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product

import numpy as np

from ..committee.committee import Committee
from ..committee.walk import FINE, Reached, observed, room, walk, with_patients
from ..rules import ModelRule
from ..scenario.model import Scenario
from ..scenario.rules import TiteCrm
from ..words.data_cut import Counts, DataCut
from ..words.dose_path import DLT, NO_DLT, NON_EVALUABLE, PENDING, PathCohort, PathPatient, cohort_text, write_path
from ..words.records import NO_LEVEL, Action, Decision, Estimates

COARSE = 400
"""At steps of so many parts of the DLT window, of `FINE`, it is seen whether the decision turns at all."""

NOBODY = (0, 0)
"""A last cohort of which nothing is known."""


class Asked:
    """The committee of a scenario, asked about any data cut.

    Parameters
    ----------
    scenario : Scenario
        Rule, limits, stopping rules, cohort size and cap.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario, self.committee = scenario, Committee(scenario)
        self.rule = self.committee.rule.rule
        self.model = self.rule if isinstance(self.rule, ModelRule) else None
        self.windows = scenario.windows

    def walk(self, cohorts: tuple[PathCohort, ...]) -> Reached:
        """Go along a dose path."""
        return walk(self.scenario, self.committee, cohorts)

    def distinct(self, counts: Counts) -> Counts:
        """Return a data cut without its last cohort, unless a decision can depend on it."""
        return counts if self.committee.rule.reads_last else counts._replace(last=NOBODY)

    def beliefs(self, counts: Counts) -> dict[str, tuple[float, ...]]:
        """Return what the rule's model believes of each level, by what it is; nothing without a model."""
        if self.model is None:
            return {}
        beliefs = self.model.beliefs(DataCut.gather([self._observed(counts, 0)]))
        return {name: tuple(values[0].tolist()) for name, values in beliefs.items()}

    # Decisions

    def decide(self, counts: Counts, seen: int, outstanding: int = 0) -> Decision:
        """Return the decision when so much of the window has been seen of pending patients whose follow-up is unknown.

        Parameters
        ----------
        counts : Counts
            The data cut.
        seen : int
            In parts of the window, of `FINE`.
        outstanding : int
            Outcomes that are missing where the decision is forced.
        """
        return self.committee.decide(self._observed(counts, seen), self._room(counts), outstanding)

    def due(self, reached: Reached) -> Decision | None:
        """Return the decision that is due after a dose path; ``None`` where the committee waits."""
        if reached.ended is not None:
            return reached.ended
        if reached.waits:
            return None
        return self.decide(reached.counts, 0, reached.outstanding)

    def _observed(self, counts: Counts, seen: int) -> Counts:
        if self.rule.reads_followup:
            return observed(counts, self.windows, seen)
        return counts._replace(seen=(), lost=(), windows=())

    def _room(self, counts: Counts) -> int:
        return room(self.scenario, counts)

    def turns(self, counts: Counts) -> Iterator[tuple[float, Decision]]:
        """Yield from which shares of the window on the decision is another one: between coarse steps, by halving."""
        if sum(counts.pending) == len(counts.seen) or not self.rule.reads_followup:
            return
        steps = range(0, FINE + 1, COARSE)
        cut = DataCut.gather([self._observed(counts, seen) for seen in steps])
        decided = self.committee.decide_many(cut, np.full(len(steps), self._room(counts)))
        moves = zip(steps, decided.action.tolist(), decided.level.tolist(), strict=True)
        for (start, *before), (end, *after) in pairwise(moves):
            if before != after:
                yield from self._turns_between(counts, start, end)

    def _turns_between(self, counts: Counts, start: int, end: int) -> Iterator[tuple[float, Decision]]:
        while not _same(self.decide(counts, start), self.decide(counts, end)):
            before, low, high = self.decide(counts, start), start, end
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _same(self.decide(counts, middle), before) else (low, middle)
            yield high / FINE, self.decide(counts, high)
            start = high

    def changes(self, counts: Counts) -> Iterator[tuple[int, Decision]]:
        """Yield on which days from now the decision becomes another one if nobody has a DLT, and what it becomes.

        For a rolling rule, where the follow-up of everybody pending is known.
        """
        days = range(self.days_left(counts) + 1)
        later = [self._later(counts, day) for day in days]
        cut = DataCut.gather([self._observed(one, 0) for one in later])
        decided = self.committee.decide_many(cut, np.array([self._room(one) for one in later]))
        moves = zip(decided.action.tolist(), decided.level.tolist(), strict=True)
        for day, (before, after) in enumerate(pairwise(moves), 1):
            if before != after:
                yield day, self.decide(later[day], 0)

    def days_left(self, counts: Counts) -> int:
        """Return the days until everybody's outcome is known, where all follow-up is [days]."""
        return max((max(self.windows[level] - days, 1) for level, days in counts.seen), default=0)

    def _later(self, counts: Counts, day: int) -> Counts:
        """Return a data cut some days later, without a DLT; who has completed the window is evaluable then."""
        seen = []
        for level, days in counts.seen:
            if day and days + day >= self.windows[level]:
                evaluable, dlts = counts.last
                counts = with_patients(counts, level, 1, 0, -1)._replace(last=(evaluable + 1, dlts))
            else:
                seen.append((level, days + day))
        return self.distinct(counts._replace(seen=tuple(seen)))

    # What the answer rests on

    def estimates(self, counts: Counts) -> Estimates | None:
        """Return what the rule's model says of each level; ``None`` without one."""
        return self.committee.estimates(self._observed(counts, 0))

    def rests_on_data(self, stop: Decision) -> bool:
        """Return whether outcomes still to come can change what a stop recommends."""
        return self.committee.rests_on_data(stop)

    def grounds(self, reached: Reached) -> list[str]:
        """Return what the rule compares with what, or that an expansion is closed, line by line."""
        counts = self._observed(reached.counts, 0)
        if reached.ended is None:
            return self.rule.grounds(DataCut.gather([counts]))
        closed = self.committee.closes_expansion(counts)
        return ["the expansion is closed, too toxic: nobody else is treated"] if closed else []

    def expansion(self, reached: Reached, decision: Decision | None) -> Iterator[str]:
        """Yield what becomes of the places that are left when a decision ends the escalation with a dose."""
        if decision is None or decision.action is not Action.STOP or decision.level == NO_LEVEL:
            return
        left, expands = room(self.scenario, reached.counts), self.scenario.safety.when_rule_finished == "expand"
        if not expands or reached.ended is not None or left <= 0 or any(reached.counts.pending):
            return
        closed = self.committee.closes_expansion(self._observed(reached.counts._replace(level=decision.level), 0))
        places = f"{left} place{'s' * (left != 1)}"
        if closed:
            yield f"no expansion with the {places} left: on these counts it would be closed at once, too toxic"
        else:
            yield f"{places} left: an expansion at level {decision.level + 1} follows"

    def followed(self, reached: Reached) -> Iterator[tuple[int, int, float | None]]:
        """Yield level, days and weight of each pending patient with known follow-up; no weight where none is read."""
        cut = self._observed(reached.counts, 0)
        weights = self.rule.weigh(DataCut.gather([cut]))[0].tolist() if cut.seen else []
        weight_of = dict(zip(cut.seen, weights, strict=False))
        for cohort in reached.cohorts:
            for _, days in cohort.patients:
                if days is not None:
                    yield cohort.level, days, weight_of.get((cohort.level, days * FINE))

    # Outcomes

    def outcomes(self, counts: Counts, due: Decision | None = None) -> Iterator[tuple[str, Counts]]:
        """Yield every outcome of the cohort that follows; for a rolling rule, with every number of patients pending.

        Nothing follows from a stop or a wait, nor, for a rolling rule, where patients are pending.

        Parameters
        ----------
        counts : Counts
            The data cut.
        due : Decision, optional
            The decision on it, where it is not that on the data cut by itself.
        """
        decision = due or self.decide(counts, 0)
        if decision.action in (Action.STOP, Action.SUSPEND) or (self.rule.rolling and any(counts.pending)):
            return
        size, level = decision.patients, decision.level
        for pending in range(size * self.rule.rolling + 1):
            for dlts in range(size - pending + 1):
                told = cohort_text(level, NO_DLT * (size - dlts - pending) + DLT * dlts + PENDING * pending)
                done = with_patients(counts, level, size - pending, dlts, pending)
                done = done._replace(level=level, last=(size - pending, dlts), open_levels=decision.open_levels)
                yield told, self.distinct(done)

    def completions(self, reached: Reached) -> Iterator[tuple[str, str, Counts]]:
        """Yield how the missing outcomes can turn out: in words, as a dose path, and the data cut then.

        A rule that waits waits for those of the last cohort; of a rolling rule, everybody who is pending is completed.
        """
        if not self.rule.rolling:
            yield from self._of_cohort(reached)
            return
        for dlts in product(*(range(c + 1) for c in reached.counts.pending)):
            counts, cohorts = reached.counts, list(reached.cohorts)
            for level, (y, c) in enumerate(zip(dlts, reached.counts.pending, strict=True)):
                counts = with_patients(counts, level, c, y, -c)
            left = list(dlts)
            for number in reversed(range(len(cohorts))):
                cohort = cohorts[number]
                came = min(left[cohort.level], cohort.count(PENDING))
                left[cohort.level] -= came
                cohorts[number] = _completed(cohort, NO_DLT * (cohort.count(PENDING) - came) + DLT * came)
            last = (cohorts[-1].count(NO_DLT + DLT), cohorts[-1].count(DLT))
            yield "", write_path(cohorts), self.distinct(counts._replace(seen=(), windows=(), last=last))

    def _of_cohort(self, reached: Reached) -> Iterator[tuple[str, str, Counts]]:
        """Yield how the last cohort can be completed, few DLTs first."""
        *before, cohort = reached.cohorts
        missing, counts = reached.pending + reached.free, reached.counts
        waiting = with_patients(counts, cohort.level, 0, 0, -reached.pending)._replace(seen=(), windows=())
        fewest = missing if self.scenario.safety.replace_non_evaluable else 0
        for known in range(missing, fewest - 1, -1):
            for dlts in range(known + 1):
                lost = missing - known
                completed = _completed(cohort, NO_DLT * (known - dlts) + DLT * dlts + NON_EVALUABLE * lost)
                done = with_patients(waiting, cohort.level, known, dlts, 0)
                done = done._replace(lost=tuple(sorted((*done.lost, *((cohort.level, 0),) * lost))))
                last = (completed.count(NO_DLT + DLT), completed.count(DLT))
                y, n = done.dlts[cohort.level], done.evaluable[cohort.level]
                told = f"{_outcome(dlts, known)}{f', {lost} non-evaluable' if lost else ''} ({y}/{n})"
                yield told, write_path([*before, completed]), self.distinct(done._replace(last=last))


def is_adaptive(scenario: Scenario) -> bool:
    """Return whether the rule's weights move with the days on which DLTs came, which a dose path does not tell."""
    return isinstance(scenario.rule, TiteCrm) and scenario.rule.weights == "adaptive"


def keeps_weight(scenario: Scenario) -> bool:
    """Return whether the rule counts how long patients who left were observed, which a dose path does not tell."""
    return isinstance(scenario.rule, TiteCrm) and scenario.rule.drop_outs == "keep_weight"


def _same(one: Decision, other: Decision) -> bool:
    return (one.action, one.level) == (other.action, other.level)


def _completed(cohort: PathCohort, outcomes: str) -> PathCohort:
    """Return a cohort whose pending patients, and those who fill its places, have outcomes."""
    left = list(outcomes)
    known = [left.pop(0) if patient.letter == PENDING else patient.letter for patient in cohort.patients]
    return PathCohort(cohort.level, tuple(map(PathPatient, known + left)))


def _outcome(dlts: int, known: int) -> str:
    """Return so many DLTs in words; of a single outcome, without a number."""
    if not dlts:
        return "no DLT"
    return "DLT" if known == 1 else f"{dlts} DLT{'s' * (dlts > 1)}"
