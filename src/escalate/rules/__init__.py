"""Escalation rules: which dose comes next. A rule is a pure decision, with no clock and no randomness."""

from __future__ import annotations

from typing import Protocol

from ..records import DataCut, Decisions, IntArray
from ..scenario.model import Scenario
from .three_plus_three import ThreePlusThreeRule

__all__ = ["Rule", "ThreePlusThreeRule", "rule_for"]


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
    return ThreePlusThreeRule(variant=scenario.rule.variant)
