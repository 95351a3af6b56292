"""A design in words: its rule with what is computed for it, and the protocol around it that decisions depend on."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from ..words.records import Trial
from .model import Scenario
from .rules import Crm, rule_words
from .skeleton import getprior

AROUND = ("limits", "stopping", "titration")
"""Sections that go with any rule."""


def design_words(scenario: Scenario) -> list[str]:
    """Return what decides which dose a trial gives and recommends, beside the data.

    Parameters
    ----------
    scenario : Scenario
        Any scenario.

    Returns
    -------
    list of str
        The rule with its options and, of a CRM, its skeleton; cohorts; cap; what `AROUND` says beyond its defaults: as
        in ``["BOIN, target 0.25", "cohorts of 3", "at most 36 evaluable patients, others on top"]``.
    """
    size, cap = scenario.safety.cohort_size, scenario.trial.planned_patients
    counted = scenario.say(scenario.trial.cap_counts)
    on_top = ", others on top" if scenario.trial.cap_counts == "evaluable" else ""
    return [
        rule_in_full(scenario),
        f"cohorts of {size}" if size > 1 else "one patient at a time",
        f"at most {cap} {counted} patient{'s' if cap > 1 else ''}{on_top}",
        *(words for name in AROUND for words in _chosen(name, getattr(scenario, name))),
    ]


def own_rule_words(scenario: Scenario, base: Scenario) -> str:
    """Return that a scenario has the rule of another one, as it is set there; empty where it has not.

    Parameters
    ----------
    scenario, base : Scenario
        The two.
    """
    if scenario.rule == base.rule:
        return "the rule of the scenario, as it is set there"
    rest, of_base = (one.rule.model_dump(exclude={"target"}) for one in (scenario, base))
    return "the rule of the scenario, but for the target" if rest == of_base else ""


def rule_in_full(scenario: Scenario) -> str:
    """Return a scenario's rule with its options in words and, of a CRM whose skeleton is computed, the skeleton.

    Parameters
    ----------
    scenario : Scenario
        Any scenario.
    """
    rule = scenario.rule
    words = rule_words(rule)
    if not isinstance(rule, Crm) or rule.skeleton:
        return words
    guessed = getprior(
        rule.halfwidth, rule.target, rule.prior_mtd_level or 1, scenario.levels, rule.model, rule.intercept
    )
    return f"{words}, skeleton {' '.join(f'{p:.3f}' for p in guessed)}"


def rule_of(trial: Trial) -> str:
    """Return the rule that decided in a trial, in the words in which the summary of many such trials has it."""
    return rule_in_full(trial.scenario) if isinstance(trial.scenario, Scenario) else trial.rule


def _chosen(name: str, section: BaseModel | None) -> Iterator[str]:
    """Yield the values of a section that are not its defaults."""
    if section is None:
        return
    fields, chosen = type(section).model_fields, []
    for key in fields:
        value = getattr(section, key)
        if value != fields[key].default:
            chosen.append(f"{name}.{key} {value:.6g}" if isinstance(value, float) else f"{name}.{key} {value}")
    yield from chosen or ([name] if name == "titration" else [])
