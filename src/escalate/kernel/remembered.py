"""What committees have answered before: scenarios with the same protocol share it, whatever is assumed about nature."""

from __future__ import annotations

import json
import threading

from ..committee.committee import Committee
from ..scenario.model import Scenario
from ..scenario.rules import PythonRule
from .answers import Answers
from .rooms import Room

NOT_READ = frozenset(
    ("accrual", "attrition", "calendar", "capacity", "follow_up", "product", "ranges", "screening", "sites", "sources",
     "toxicity", "what_if")
)  # fmt: skip
"""Sections of a scenario that no committee reads."""

MOST_PROTOCOLS, MOST_REMEMBERED = 8, 5_000_000
"""Protocols whose answers a thread remembers, and numbers of questions and answers; beyond that they are forgotten,
which changes no trial."""


class _Shelf(threading.local):
    """The answers of a thread's protocols, the last ones in the order of use."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, object], Answers] = {}


_SHELF = _Shelf()


def answers_of(scenario: Scenario, committee: Committee, room: Room) -> Answers:
    """Return the answers of a scenario's committee, with those that were given before under the same protocol.

    A rule in Python has none: its function may be another one by now, or look at the clock.
    """
    if isinstance(scenario.rule, PythonRule):
        return Answers(scenario, committee, room)
    key = json.dumps(scenario.model_dump(mode="json", exclude=set(NOT_READ)), sort_keys=True), room.kind
    others = _SHELF.answers
    answers = others.pop(key) if key in others else Answers(scenario, committee, room)
    while len(others) >= MOST_PROTOCOLS or sum(each.numbers for each in others.values()) > MOST_REMEMBERED:
        del others[next(iter(others))]
    others[key] = answers
    return answers


def forget_all() -> None:
    """Forget what this thread's committees have answered."""
    _SHELF.answers.clear()
