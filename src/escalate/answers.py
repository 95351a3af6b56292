"""What the committee has answered to the kernel's questions: each distinct one is asked once, however many trials.

A question holds what a committee sees (`kernel.write_counts`), an answer what the kernel needs to go on.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import compiled
from .committee import Committee
from .data_cut import DataCut, Partial
from .distinct import distinct
from .kernel import ANSWER_SIZE, CONCLUSION, DECISION, EXPANSION, FORCED, HEAD, SAYS
from .records import NO_LEVEL, TIME_IS_UP, Action, BoolArray, Decisions, FloatArray, IntArray
from .scenario.model import Scenario


class Answers:
    """The answers of one scenario's committee, in the form that the kernel reads.

    Parameters
    ----------
    scenario : Scenario
        Protocol.
    committee : Committee
        Answers.
    compiles : bool
        Whether they are arrays, for the compiled kernel, or lists.
    """

    def __init__(self, scenario: Scenario, committee: Committee, compiles: bool) -> None:
        self._levels, self._window_days = scenario.levels, scenario.window_end_offset
        self._committee, self._compiles = committee, compiles
        self.reasons: list[str] = [TIME_IS_UP]
        self.forget()

    def forget(self) -> None:
        """Forget every answer."""
        self._count = 0
        self.index: Any = {}
        self.answers: Any = []
        if self._compiles:
            self.index = compiled.table(1, 0)
            self.answers = np.zeros((0, ANSWER_SIZE), dtype=np.int64)

    def __len__(self) -> int:
        return self._count

    def reason(self, words: str) -> int:
        """Return the position of a reason."""
        if words not in self.reasons:
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
        first, self._count = self._count, self._count + len(asked)
        if not self._compiles:
            self.index.update({tuple(question): first + row for row, question in enumerate(asked.tolist())})
            self.answers.extend(answers.tolist())
            return
        if self._count > len(self.answers):
            self._make_room(asked.shape[1], first)
        self.index.questions[first : self._count] = asked
        self.answers[first : self._count] = answers
        compiled.steps().store(self.index, first, self._count)

    def _make_room(self, width: int, known: int) -> None:
        """Move the compiled kernel's arrays to larger ones."""
        size = 4 * self._count
        index, answers = compiled.table(size, width), np.zeros((size, ANSWER_SIZE), dtype=np.int64)
        if known:
            index.questions[:known], answers[:known] = self.index.questions[:known], self.answers[:known]
            compiled.steps().store(index, 0, known)
        self.index, self.answers = index, answers

    def _answers_to(self, questions: IntArray) -> IntArray:
        """Return the answer to each question, shape (B, `ANSWER_SIZE`)."""
        found = np.zeros((len(questions), ANSWER_SIZE), dtype=np.int64)
        for kind, how in ((DECISION, self._decide), (CONCLUSION, self._conclude)):
            here = questions[:, 0] == kind
            if here.any():
                found[here] = how(questions[here])
        for kind, says in ((FORCED, self._committee.forced_many), (EXPANSION, self._closes)):
            here = questions[:, 0] == kind
            if here.any():
                found[here, SAYS] = says(self._cut(questions[here]), questions[here, 1])
        return found

    def _closes(self, cut: DataCut, _: IntArray) -> BoolArray:
        return self._committee.rule.closes_expansion(cut)

    def _decide(self, questions: IntArray) -> IntArray:
        cut, outstanding = self._cut(questions), questions[:, 1]
        decided = self._committee.decide_many(cut, questions[:, 2], outstanding)
        rests = self._committee.rest_on_data(decided)
        alone = self._committee.alone(cut, outstanding) if rests.any() else np.full_like(outstanding, NO_LEVEL)
        return self._written(decided, rests, alone)

    def _conclude(self, questions: IntArray) -> IntArray:
        zero = np.zeros(len(questions), dtype=np.int64)
        stops = Decisions(
            action=zero + int(Action.STOP),
            level=zero + NO_LEVEL,
            patients=zero,
            reason=questions[:, 2],
            reasons=tuple(self.reasons),
        )
        return self._written(self._committee.conclude_many(self._cut(questions), stops), zero == 1, zero)

    def _written(self, decided: Decisions, rests: BoolArray, alone: IntArray) -> IntArray:
        """Return decisions as answers, in the order of `kernel.SAYS`."""
        met = np.unique(decided.reason).tolist()
        code = np.zeros(len(decided.reasons), dtype=np.int64)
        code[met] = [self.reason(decided.reasons[position]) for position in met]
        return np.stack([decided.action, decided.level, decided.patients, code[decided.reason], rests, alone], axis=1)

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
            partial=partial,
        )

    def _followup(self, codes: IntArray) -> tuple[FloatArray, Partial]:
        """Return the windows seen at each level, added up, and the partly observed patients one by one."""
        size, k = codes.shape[1] // 3, self._levels
        level, share = (
            np.where(codes >= 0, codes % k, NO_LEVEL),
            np.minimum(codes // k / max(self._window_days, 1), 1.0),
        )
        pending = (codes >= 0) & (np.arange(codes.shape[1]) < size)
        rows = np.nonzero(pending)[0]
        followup = np.bincount(rows * k + level[pending], share[pending], len(codes) * k).reshape(-1, k)
        seen, dlt = slice(0, 2 * size), slice(2 * size, 3 * size)
        return followup.astype(np.float64), Partial(
            level=level[:, seen],
            share=np.where(codes[:, seen] >= 0, share[:, seen], 0.0),
            lost=np.broadcast_to(np.arange(2 * size) >= size, (len(codes), 2 * size)),
            dlt_share=np.where(codes[:, dlt] >= 0, share[:, dlt], np.nan),
        )
