"""Escalation rules: which dose comes next. A rule is a pure decision, with no clock and no randomness."""

from __future__ import annotations

from typing import Protocol

from ..records import DataCut, Decisions, IntArray
from ..scenario.model import Scenario
from ..scenario.rules import Boin, I3Plus3, Keyboard, Mtpi, Mtpi2, RuleOptions, ThreePlusThree
from .boin import boin
from .intervals import i3plus3, keyboard, mtpi, mtpi2
from .three_plus_three import ThreePlusThreeRule

__all__ = ["Rule", "ThreePlusThreeRule", "make_rule", "rule_for"]


class Rule(Protocol):
    """What every escalation rule offers."""

    @property
    def name(self) -> str:
        """Name of the rule, as scenario files write it."""

    @property
    def has_answer_at_cap(self) -> bool:
        """Whether the rule recommends a dose from whatever data there are when the cap is reached."""

    def decide(self, cut: DataCut) -> Decisions:
        """Say what follows from each data cut of a batch."""

    def recommend(self, cut: DataCut) -> IntArray:
        """Return the recommended level (from 0) of each data cut, or `NO_LEVEL`."""


def rule_for(scenario: Scenario) -> Rule:
    """Return the rule that a scenario names, with its options."""
    return make_rule(scenario.rule)


def make_rule(options: RuleOptions) -> Rule:
    """Return the rule that options describe."""
    match options:
        case ThreePlusThree():
            return ThreePlusThreeRule(variant=options.variant)
        case Boin():
            return boin(options)
        case Mtpi():
            return mtpi(options)
        case Mtpi2():
            return mtpi2(options)
        case Keyboard():
            return keyboard(options)
        case I3Plus3():
            return i3plus3(options)
