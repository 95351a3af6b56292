"""Many trials of one committee, side by side: each runs up to its next decision, and all are answered at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from ..committee.memory import Memory
from ..words.records import Trial
from .conduct import Conduct


def run_together(trials: Sequence[Conduct]) -> list[Trial]:
    """Run trials of one committee side by side; it decides for all of them at once, which changes no decision.

    Raises
    ------
    RuleError
        If the rule fails for any of them.
    """
    going = list(trials)
    while going := [trial for trial in going if trial.runs_to_a_decision()]:
        _answer_together([trial.expected_questions() for trial in going])
    return [trial.close_books() for trial in trials]


def _answer_together(asking: list[Iterator[tuple[Memory[Any, Any], Any]]]) -> None:
    """Let the committee answer the first question of each trial together, then the second, and so on."""
    while asking:
        asked: defaultdict[Memory[Any, Any], list[Any]] = defaultdict(list)
        for trial in list(asking):
            memory, question = next(trial, (None, None))
            if memory is None:
                asking.remove(trial)
            else:
                asked[memory].append(question)
        for memory, questions in asked.items():
            memory.learn(questions)
