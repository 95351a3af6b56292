"""What committees have answered to the kernel: scenarios with the same protocol share it."""

from __future__ import annotations

from ..committee.committee import Committee
from ..committee.remembered import Shelf
from ..scenario.model import Scenario
from .answers import Answers
from .rooms import Room

MOST_REMEMBERED = 5_000_000
"""Numbers of questions and answers that a thread remembers; beyond that they are forgotten, which changes no trial."""

SHELF: Shelf[Answers] = Shelf()


def answers_of(scenario: Scenario, committee: Committee, room: Room) -> Answers:
    """Return the answers of a scenario's committee, with those that were given before under the same protocol."""
    return SHELF.of(scenario, lambda: Answers(scenario, committee, room), MOST_REMEMBERED, room.kind)
