"""What is remembered of a protocol: scenarios with the same one share it, whatever is assumed about nature."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

from ..scenario.model import Scenario
from ..scenario.rules import PythonRule
from .committee import Committee
from .memory import MOST_REMEMBERED

NOT_READ = frozenset(
    ("accrual", "attrition", "calendar", "capacity", "follow_up", "product", "ranges", "screening", "sites", "sources",
     "toxicity", "what_if")
)  # fmt: skip
"""Sections of a scenario that no committee reads."""

MOST_PROTOCOLS = 8
"""Protocols of which a thread remembers something; beyond that the one used longest ago is forgotten, which changes no
trial."""


class Remembers(Protocol):
    """What remembers answers."""

    @property
    def numbers(self) -> int:
        """How much is remembered."""


Kept = TypeVar("Kept", bound=Remembers)


class Shelf(threading.local, Generic[Kept]):
    """What a thread remembers of its protocols."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, Hashable], Kept] = {}
        """By protocol and kind, the last ones in the order of use."""

    def of(self, scenario: Scenario, make: Callable[[], Kept], most: int, kind: Hashable = None) -> Kept:
        """Return what is kept of a scenario's protocol, made where nothing is.

        Of a rule in Python nothing is: its function may be another one by now, or look at the clock.

        Parameters
        ----------
        scenario : Scenario
            With the protocol.
        make : callable
            Makes what is to be kept.
        most : int
            Numbers that all that is kept may remember together.
        kind : hashable
            Things of another kind are kept beside it.
        """
        if isinstance(scenario.rule, PythonRule):
            return make()
        key = json.dumps(scenario.model_dump(mode="json", exclude=set(NOT_READ)), sort_keys=True), kind
        found = self.kept.pop(key) if key in self.kept else make()
        while len(self.kept) >= MOST_PROTOCOLS or sum(each.numbers for each in self.kept.values()) > most:
            del self.kept[next(iter(self.kept))]
        self.kept[key] = found
        return found

    def forget_all(self) -> None:
        """Forget what this thread remembers."""
        self.kept.clear()


COMMITTEES: Shelf[Committee] = Shelf()


def committee_of(scenario: Scenario) -> Committee:
    """Return a scenario's committee, which knows what it answered before under the same protocol."""
    return COMMITTEES.of(scenario, lambda: Committee(scenario), MOST_REMEMBERED)
