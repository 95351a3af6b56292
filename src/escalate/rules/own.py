"""The rule that asks a Python function of one trial's counts (`escalate.scenario.own_rules`).

The function is asked twice about every distinct data cut, and never again: the two answers must be the same, and are
remembered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import RuleError
from ..scenario.own_rules import Known, Registered, raised_where
from ..words.data_cut import DataCut
from ..words.distinct import distinct
from ..words.records import NO_LEVEL, Action, Decisions, FloatArray, IntArray
from .base import MANY, Rule
from .counts import closest_to_target

WORDS = {"stay": Action.STAY, "suspend": Action.SUSPEND, "escalate": Action.ESCALATE, "de-escalate": Action.DE_ESCALATE}
ALLOWED = (
    'allowed are "escalate", "stay", "de-escalate", "stop" (no dose), ("stop", level), the level of the next cohort '
    'from 1, and for a rolling rule "suspend"'
)


FROM_0 = (
    "; known.level counts from 1, and known.dlts and the others from 0: at the level itself they are "
    "known.dlts[known.level - 1]"
)
"""What is said where a function looks beyond the levels."""

Answer = tuple[Action, int]


@dataclass(frozen=True)
class OwnRule(Rule):
    """A rule that asks a Python function.

    Parameters
    ----------
    registered : Registered
        The function, with its name, target, and whether it is a rolling rule.
    """

    registered: Registered
    cuts_a_second = 10_000
    _remembered: dict[Known, Answer] = field(default_factory=dict, compare=False, repr=False)

    @property
    def name(self) -> str:  # type: ignore[override]
        """Name of the rule."""
        return self.registered.name

    @property
    def target(self) -> float | None:  # type: ignore[override]
        """Target DLT probability, if the rule has one."""
        return self.registered.target

    @property
    def rolling(self) -> bool:  # type: ignore[override]
        """Whether the rule is asked when a candidate is ready, with outcomes pending."""
        return self.registered.rolling

    @property
    def has_answer_at_cap(self) -> bool:  # type: ignore[override]
        """Whether the rule recommends a dose from whatever data there are when the cap is reached."""
        return self.target is not None

    @property
    def reads_followup(self) -> bool:  # type: ignore[override]
        """Whether the rule reads how far the pending patients are in their windows."""
        return self.rolling

    def decide(self, cut: DataCut) -> Decisions:
        """Ask the function about each distinct data cut of a batch.

        Raises
        ------
        RuleError
            If the function raises, answers what is not allowed, or answers differently for the same counts.
        """
        shape, levels = cut.level.shape, cut.evaluable.shape[-1]
        parts = [part.reshape(-1, levels) for part in (cut.evaluable, cut.dlts, cut.pending, cut.followup)]
        rows: FloatArray = np.hstack([cut.level.reshape(-1, 1), *parts], dtype=np.float64)
        unique, position = distinct(rows)
        answers = np.array([self.answer(_known(row, levels)) for row in unique.tolist()], dtype=np.int64)
        action, level = answers[position].reshape(*shape, 2).transpose(-1, *range(len(shape)))
        waits = (action == Action.STOP) | (action == Action.SUSPEND)
        return Decisions(
            action=action,
            level=level,
            patients=np.where(waits, 0, MANY),
            reason=action,
            open_levels=cut.open_levels,
            reasons=tuple(f"the rule {self.name} says {option.words}" for option in Action),
        )

    def answer(self, known: Known) -> Answer:
        """Return the function's answer about one trial, as action and level from 0; to begin with, it is not asked."""
        if not any(known.evaluable) and not any(known.pending):
            return Action.STAY, known.level - 1
        if known not in self._remembered:
            said = self._ask(known), self._ask(known)
            first, second = (self._read(answer, known) for answer in said)
            if first != second:
                raise RuleError(
                    f"rule {self.name!r} {known}: answered {said[0]!r} and then {said[1]!r}; a rule must always answer "
                    "the same for the same counts"
                )
            self._remembered[known] = first
        return self._remembered[known]

    def _ask(self, known: Known) -> Any:
        try:
            return self.registered.function(known)
        except (Exception, SystemExit) as error:
            raise RuleError(f"rule {self.name!r} {known}: raised {_raised(error)}") from error

    def _read(self, answer: Any, known: Known) -> Answer:
        level = known.level - 1
        if isinstance(answer, str) and answer == "stop":
            return Action.STOP, NO_LEVEL
        if isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[0], str) and answer[0] == "stop":
            return Action.STOP, self._existing(answer[1], known)
        if isinstance(answer, str) and answer in WORDS and (answer != "suspend" or self.rolling):
            step = {"escalate": 1, "de-escalate": -1}.get(answer, 0)
            following = min(max(level + step, 0), known.levels - 1)
            return (Action.STAY if step and following == level else WORDS[answer]), following
        if isinstance(answer, (int, np.integer)) and not isinstance(answer, bool):
            following = self._existing(answer, known)
            moves = (Action.STAY, Action.ESCALATE, Action.DE_ESCALATE)
            return moves[(following > level) - (following < level)], following
        raise RuleError(f"rule {self.name!r} {known}: answered {answer!r}; {ALLOWED}")

    def _existing(self, level: Any, known: Known) -> int:
        if isinstance(level, bool) or not isinstance(level, (int, np.integer)) or not 1 <= level <= known.levels:
            raise RuleError(
                f"rule {self.name!r} {known}: answered level {level!r}; there are levels 1 to {known.levels}"
            )
        return int(level) - 1

    def recommend(self, cut: DataCut) -> IntArray:
        """Return the tried level closest to the target, or where the rule has none its own last word, shape (...)."""
        if self.target is not None:
            return closest_to_target(cut, np.ones_like(cut.evaluable, dtype=np.bool_), self.target)
        decided = self.decide(cut)
        return np.where(decided.action == Action.STOP, decided.level, NO_LEVEL)


def _raised(error: BaseException) -> str:
    """Return what a person's function raised, where, and how levels are counted if it looked beyond them."""
    said = f"{type(error).__name__}: {error}{raised_where(error)}"
    return said + FROM_0 if isinstance(error, IndexError) else said


def _known(row: list[float], levels: int) -> Known:
    parts = [row[1 + levels * k : 1 + levels * (k + 1)] for k in range(4)]
    evaluable, dlts, pending = (tuple(map(int, part)) for part in parts[:3])
    return Known(
        level=int(row[0]) + 1, levels=levels, evaluable=evaluable, dlts=dlts, pending=pending, followup=tuple(parts[3])
    )
