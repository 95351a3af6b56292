"""All cautions of a scenario, in the order in which they are told."""

from __future__ import annotations

from ..committee.committee import Committee
from ..scenario.model import Scenario
from ..scenario.rules import PythonRule
from ..words.asked import asks
from . import about_nature, about_protocol, about_rule
from .caution import Cautions

FINDERS = (
    about_nature.placeholders,
    about_rule.never_stops_for_toxicity,
    about_rule.stops_after_one_in_three,
    about_rule.prior_overdose,
    about_rule.incoherent,
    about_rule.counts_patients_just_infused,
    about_protocol.early_decisions,
    about_protocol.early_decisions_make_room,
    about_protocol.unreachable_levels,
    about_protocol.unused_places,
    about_protocol.withheld_late,
    about_protocol.assignments_of_no_use,
    about_nature.outside_ranges,
    about_nature.falling_toxicity,
    about_nature.rate_among_evaluable,
    about_nature.meetings_end,
    about_nature.doses_run_out,
    about_nature.small_batches,
    about_nature.beyond_the_end,
    about_nature.nobody_comes,
    about_nature.before_the_start,
    about_rule.left_sources,
)
"""What looks for cautions: first whether the numbers mean anything, then safety, then what surprises."""


MOST_REMEMBERED = 1000
"""Scenarios whose cautions are remembered: text, tables and figures of one result all ask for them."""

_REMEMBERED: dict[str, Cautions] = {}


@asks(Scenario)
def cautions(scenario: Scenario) -> Cautions:
    """Return what is allowed in a scenario and may mislead, each with what to do about it.

    Parameters
    ----------
    scenario : Scenario
        Any scenario.

    Returns
    -------
    Cautions
        A tuple of `Caution`, which shows itself as text: the most important first; empty if there is nothing to say.

    Raises
    ------
    RuleError
        If a Python rule is not registered in this session, or does not answer.
    """
    known = scenario.fingerprint()
    if known in _REMEMBERED:
        return _REMEMBERED[known]
    committee = Committee(scenario)
    found = Cautions(caution for find in FINDERS for caution in find(scenario, committee))
    if not isinstance(scenario.rule, PythonRule):  # whose function may be another one the next time
        if len(_REMEMBERED) >= MOST_REMEMBERED:
            _REMEMBERED.clear()
        _REMEMBERED[known] = found
    return found
