"""What the committee has answered to the kernel's questions: each distinct one is asked once, however many trials.

A question holds what a committee sees (`kernel.questions.write_counts`), an answer what the kernel needs to go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..committee.committee import Committee
from ..nature.streams import NEVER, PAGE
from ..scenario.model import Scenario
from ..words.data_cut import DataCut, Partial
from ..words.distinct import distinct
from ..words.records import NO_LEVEL, TIME_IS_UP, Action, BoolArray, Decisions, FloatArray, IntArray
from .bench import MOST_LEVELS
from .codes import HEAD, Answer, Ask, Followup
from .rooms import Room

MOST_ALIKE = 63
"""Patients at a level up to which it is known which counts are alike."""

MOST_REASONS = 254
"""Reasons that a question has room for."""


class Answers:
    """The answers of one scenario's committee, in the form that the kernel reads.

    Parameters
    ----------
    scenario : Scenario
        Protocol.
    committee : Committee
        Answers.
    room : Room
        Where the kernel works.
    """

    def __init__(self, scenario: Scenario, committee: Committee, room: Room) -> None:
        self._levels, self._windows = scenario.levels, np.array(scenario.windows)
        self._cohort_size = scenario.safety.cohort_size
        self._most_places = max(scenario.safety.cohort_size, scenario.trial.planned_patients)
        self._committee, self._room, self._reserves = committee, room, scenario.treatment.reserves
        self.reasons: list[str] = [TIME_IS_UP]
        rule = committee.rule
        self.reads_followup = Followup.NOTHING
        """What the rule reads of the pending patients' windows: see `kernel.codes.Followup`."""
        if rule.reads_followup:
            self.reads_followup = Followup.AT_LEVEL if rule.reads_level_followup else Followup.OF_EACH
        self.forget(PAGE)

    def forget(self, people: int) -> None:
        """Forget every answer; the next questions are about trials of at most so many patients."""
        self.people = people
        """Most patients of a trial that questions have room for."""
        alike = self._committee.rule.alike(min(people, MOST_ALIKE))
        self.alike = np.zeros((0, 0, 0, 2), dtype=np.int64) if alike is None else alike
        """See `kernel.bench.Tables.alike`."""
        self.known = self._room.known(self._bits())
        """What the committee has answered so far."""

    @property
    def question_size(self) -> int:
        """Numbers of a question."""
        return HEAD + 3 * self._levels + self.people * (self.reads_followup == Followup.OF_EACH)

    def _bits(self) -> list[int]:
        """Return how many bits each number of a question takes, plus one: see `kernel.questions.write_counts`."""
        most = self.people + self._most_places  # outcomes that are known, and those that are outstanding
        patients = (most + 1).bit_length()
        room = (max(self._cohort_size, MOST_REASONS) + 1).bit_length()
        level = MOST_LEVELS.bit_length()
        head = [3, patients, room, level, patients, patients, level]
        day = (3 * self._code_size).bit_length()
        counts = [patients] * (3 * self._levels)
        return [*head, *counts, *[day] * (self.question_size - HEAD - len(counts))]

    @property
    def _code_size(self) -> int:
        """As `kernel.questions.code_size`."""
        return self._levels * (int(self._windows.max()) + 1)

    def __len__(self) -> int:
        return len(self.known)

    @property
    def numbers(self) -> int:
        """Numbers that are remembered."""
        return len(self) * (self.question_size + Answer.SIZE)

    def reason(self, words: str) -> int:
        """Return the position of a reason."""
        if words not in self.reasons:
            if len(self.reasons) >= MOST_REASONS:
                raise RuntimeError(f"more than {MOST_REASONS} reasons to stop: {words!r}")
            self.reasons.append(words)
        return self.reasons.index(words)

    def ask(self, questions: IntArray) -> None:
        """Put questions to the committee, none of which it was asked before.

        Raises
        ------
        RuleError
            If the rule fails.
        """
        asked, _ = distinct(questions)
        answers = self._answers_to(asked)
        if self.reads_followup == Followup.AT_LEVEL:
            answers = self._with_turns(asked, answers)
        self.known.add(asked, answers)

    def _with_turns(self, questions: IntArray, answers: IntArray) -> IntArray:
        """Return the answers before any follow-up, then those that they turn to as the days seen at the level grow.

        Where the ends of a stretch of days have different answers it is halved, until they are a day apart.
        """
        levels = questions[:, 3]
        pending = questions[np.arange(len(questions)), HEAD + 2 * self._levels + levels]
        row = np.flatnonzero((questions[:, 0] == Ask.DECISION) & (pending > 0))
        low, high = np.zeros(len(row), dtype=np.int64), pending[row] * self._windows[levels[row]]
        at_low, at_high = answers[row], self._decide(questions[row], high)
        turns: list[tuple[IntArray, IntArray, IntArray]] = []
        while True:
            differ = (at_low != at_high).any(axis=1)
            row, low, high, at_low, at_high = (part[differ] for part in (row, low, high, at_low, at_high))
            near = high - low == 1
            turns.append((row[near], high[near], at_high[near]))
            row, low, high, at_low, at_high = (part[~near] for part in (row, low, high, at_low, at_high))
            if not len(row):
                return _chained(answers, turns)
            middle = (low + high) // 2
            between = self._decide(questions[row], middle)
            row = np.concatenate([row, row])
            low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
            at_low, at_high = np.concatenate([at_low, between]), np.concatenate([between, at_high])

    def _answers_to(self, questions: IntArray) -> IntArray:
        """Return the answer to each question, shape (B, `Answer.SIZE`)."""
        found = np.zeros((len(questions), Answer.SIZE), dtype=np.int64)
        asked = {
            Ask.DECISION: self._decide,
            Ask.MAY_BE_FORCED: self._may_be_forced,
            Ask.FORCED: self._is_forced,
            Ask.EXPANSION: self._closes,
            Ask.RECOMMENDATION: self._recommend,
            Ask.CONCLUSION: self._conclude,
            Ask.TIME_UP: self._when_time_is_up,
        }
        for kind, how in asked.items():
            here = questions[:, 0] == kind
            if here.any():
                found[here] = how(questions[here])
        return found

    def recommended(self, questions: IntArray) -> IntArray:
        """Return what was left to be recommended in the end: level and position of the reason, shape (B, 2).

        Parameters
        ----------
        questions : int array, shape (B, `question_size`)
            Any number of each.
        """
        asked, row = distinct(questions)
        return self._answers_to(asked)[row][:, [Answer.TO_LEVEL, Answer.WHY]]

    def _may_be_forced(self, questions: IntArray) -> IntArray:
        return self._only_says(self._committee.may_be_forced(self._cut(questions), questions[:, 1]))

    def _is_forced(self, questions: IntArray) -> IntArray:
        return self._only_says(self._committee.forced_many(self._cut(questions), questions[:, 1], questions[:, 2]))

    def _closes(self, questions: IntArray) -> IntArray:
        return self._only_says(self._committee.rule.closes_expansion(self._cut(questions)))

    def _only_says(self, says: BoolArray) -> IntArray:
        found = np.zeros((len(says), Answer.SIZE), dtype=np.int64)
        found[:, Answer.SAYS] = says
        return found

    def _decide(self, questions: IntArray, days_seen: IntArray | None = None) -> IntArray:
        """Return the decisions; where it is given, after so many days of follow-up at the level."""
        cut, outstanding = self._cut(questions), questions[:, 1]
        if days_seen is not None:
            share = days_seen / np.maximum(self._windows[cut.level], 1)
            here = np.arange(self._levels) == cut.level[:, np.newaxis]
            cut = replace(cut, followup=here * share[:, np.newaxis])
        decided = self._committee.decide_many(cut, questions[:, 2], outstanding)
        rests, leaves = self._committee.rest_on_data(decided), self._committee.leave_level(decided)
        alone = np.full_like(outstanding, NO_LEVEL)
        if rests.any():
            alone = np.where(rests, self._committee.alone(cut, outstanding), NO_LEVEL)
        found = self._written(decided)
        found[:, Answer.RESTS_ON_DATA], found[:, Answer.LEAVES_LEVEL] = rests, leaves
        found[:, Answer.RULE_ALONE] = alone
        if self._reserves:
            found[:, Answer.KEEPS_BACK] = self._committee.keep_back(cut, decided)
        return found

    def _when_time_is_up(self, questions: IntArray) -> IntArray:
        level = self._committee.many_when_time_is_up(self._cut(questions))
        return self._written(replace(self._stops(questions), level=level))

    def _recommend(self, questions: IntArray) -> IntArray:
        level = self._committee.rule.recommend(self._cut(questions))
        return self._written(replace(self._stops(questions), level=level))

    def _conclude(self, questions: IntArray) -> IntArray:
        return self._written(self._committee.conclude_many(self._cut(questions), self._stops(questions)))

    def _stops(self, questions: IntArray) -> Decisions:
        """Return the stops after which something is recommended; at no level yet."""
        zero = np.zeros(len(questions), dtype=np.int64)
        return Decisions(
            action=zero + int(Action.STOP),
            level=zero + NO_LEVEL,
            patients=zero,
            reason=questions[:, 2],
            open_levels=questions[:, 6],
            reasons=tuple(self.reasons),
        )

    def _written(self, decided: Decisions) -> IntArray:
        """Return decisions as answers, in the order of `kernel.codes.Answer`."""
        met = np.unique(decided.reason).tolist()
        code = np.zeros(len(decided.reasons), dtype=np.int64)
        code[met] = [self.reason(decided.reasons[position]) for position in met]
        columns = (decided.action, decided.level, decided.patients, code[decided.reason], decided.open_levels)
        said = np.stack(columns, axis=1)
        found = np.zeros((len(said), Answer.SIZE), dtype=np.int64)
        found[:, : said.shape[1]], found[:, Answer.TURNS_AT] = said, NEVER
        return found

    def _cut(self, questions: IntArray) -> DataCut:
        """Return what the questions are about."""
        k = self._levels
        n, y, c = (questions[:, HEAD + part * k : HEAD + (part + 1) * k] for part in range(3))
        followup, partial = np.zeros(n.shape), None
        if questions.shape[1] > HEAD + 3 * k:
            followup, partial = self._followup(questions[:, HEAD + 3 * k :])
        return DataCut(
            level=questions[:, 3],
            evaluable=n,
            dlts=y,
            pending=c,
            followup=followup,
            last_evaluable=questions[:, 4],
            last_dlts=questions[:, 5],
            open_levels=questions[:, 6],
            partial=partial,
        )

    def _followup(self, codes: IntArray) -> tuple[FloatArray, Partial]:
        """Return the windows seen at each level, added up, and the partly observed patients one by one."""
        k = self._levels
        kind, code = np.divmod(codes[:, (codes >= 0).any(axis=0)], self._code_size)
        days, level = np.divmod(code, k)
        share = np.minimum(days / np.maximum(self._windows[level], 1), 1.0)
        pending, lost, dlt = kind == 0, kind == 1, kind == 2
        rows = np.nonzero(pending)[0]
        followup = np.bincount(rows * k + level[pending], share[pending], len(codes) * k).reshape(-1, k)
        return followup.astype(np.float64), Partial(
            level=np.where(pending | lost, level, NO_LEVEL),
            share=np.where(pending | lost, share, 0.0),
            lost=lost,
            dlt_share=np.where(dlt, share, np.nan),
        )


def _chained(answers: IntArray, turns: Sequence[tuple[IntArray, IntArray, IntArray]]) -> IntArray:
    """Return answers with those that they turn to behind them, each linked to the next one by days and position."""
    row, days, later = (np.concatenate(parts) for parts in zip(*turns, strict=True))
    order = np.lexsort((days, row))
    row, days = row[order], days[order]
    found = np.concatenate([answers, later[order]])
    before = np.arange(len(row)) + len(answers) - 1
    begins = np.append(True, row[1:] != row[:-1])[: len(row)]
    linked = np.where(begins, row, before)
    found[:, Answer.TURNS_AT], found[:, Answer.TURNS_TO] = NEVER, 0
    found[linked, Answer.TURNS_AT], found[linked, Answer.TURNS_TO] = days, np.arange(len(row)) + len(answers)
    return found
