"""What a committee has answered: each distinct question is put to the rule once, alone or with many others."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question", bound=Hashable)
Answer = TypeVar("Answer")

MOST_REMEMBERED = 30_000
"""Answers of one kind that are remembered; beyond that they are forgotten, which changes none."""


class Memory(Generic[Question, Answer]):
    """The answers to questions, by the question: an answer must depend on nothing else.

    Parameters
    ----------
    answer : callable
        The answers to some distinct questions, in their order; to one it is the same whatever the others are.
    """

    def __init__(self, answer: Callable[[Sequence[Question]], Sequence[Answer]]) -> None:
        self._answer = answer
        self._known: dict[Question, Answer] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __getitem__(self, question: Question) -> Answer:
        if question not in self._known:
            self.learn([question])
        return self._known[question]

    def learn(self, questions: Iterable[Question]) -> None:
        """Answer questions together that will be asked one by one: many take hardly longer than one."""
        new = [question for question in dict.fromkeys(questions) if question not in self._known]
        if len(self) + len(new) > MOST_REMEMBERED:
            self._known.clear()
        if new:
            self._known.update(zip(new, self._answer(new), strict=True))
