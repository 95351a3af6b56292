"""Why no dose is recommended: three different things, and one place that tells them apart.

No dose may be a verdict on the doses, a trial too small for one, or a trial that ran out of time. Which of them it is
follows from why the escalation ended, whether the rule could have recommended from the data, and whether there were
any.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..scenario.own_rules import has_target
from ..scenario.rules import PythonRule, RuleOptions, finishes_first
from ..words.records import CAP_INCONCLUSIVE, NO_LEVEL, TIME_IS_UP, IntArray

TOO_TOXIC, TIME_UP = "too toxic", "time up"
LIMIT_INCONCLUSIVE = "another limit reached, inconclusive"
WHY_NO_DOSE = (TOO_TOXIC, CAP_INCONCLUSIVE, LIMIT_INCONCLUSIVE, TIME_UP)
"""What no dose can mean."""

MEANINGS = {
    TOO_TOXIC: "a verdict on the doses",
    CAP_INCONCLUSIVE: "the planned patients do not suffice for the rule to finish",
    LIMIT_INCONCLUSIVE: "the rule has no answer yet when a limit or a stopping rule ends it",
    TIME_UP: "the trial runs out of time",
}
"""What each of them says to a person."""

LIMITS = (
    "cap reached",
    "a level has the most patients allowed",
    "stopping rule: enough patients at one level",
    "stopping rule: P(DLT) is known precisely enough",
    "stopping rule: most patients treated",
    "the rule suspends, and nobody is pending",
)
"""Reasons of ends that are not the rule's own, as the committee gives them."""


def no_dose_measure(why: str) -> str:
    """Return how the share of a meaning of no dose is called among estimates: ``no dose: too toxic``."""
    return f"no dose: {why}"


def why_no_dose(reason: str, rule: RuleOptions, evaluable: int) -> str:
    """Return what no dose means, one of `WHY_NO_DOSE`.

    Parameters
    ----------
    reason : str
        Why the escalation ended.
    rule : RuleOptions
        3+3, rolling six, and rules and tables of your own without a target have no answer before they have finished;
        others recommend from whatever data there are.
    evaluable : int
        Evaluable patients in the whole trial: without any, nothing is known to be too toxic.
    """
    if reason.startswith(TIME_IS_UP):
        return TIME_UP
    if reason == CAP_INCONCLUSIVE:
        return CAP_INCONCLUSIVE
    no_answer_yet = finishes_first(rule) or (isinstance(rule, PythonRule) and not has_target(rule.python, rule.sha256))
    return LIMIT_INCONCLUSIVE if reason in LIMITS and (no_answer_yet or not evaluable) else TOO_TOXIC


def no_dose_codes(
    recommended: IntArray, reason: IntArray, reasons: Sequence[str], evaluable: IntArray, rule: RuleOptions
) -> IntArray:
    """Return what no dose means in each of many trials: positions in `WHY_NO_DOSE`, -1 where a dose is recommended.

    Parameters
    ----------
    recommended, reason : int array, shape (n,)
        Recommended level, or `NO_LEVEL`; position of the reason among `reasons`.
    reasons : sequence of str
        Why escalations ended.
    evaluable : int array, shape (n,)
        Evaluable patients of each trial.
    rule : RuleOptions
        The rule.
    """
    table = [[WHY_NO_DOSE.index(why_no_dose(words, rule, some)) for some in (0, 1)] for words in reasons]
    codes = np.array(table, dtype=np.int64)[reason, (evaluable > 0).astype(np.int64)]
    return np.where(recommended == NO_LEVEL, codes, -1)
