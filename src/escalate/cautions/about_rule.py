"""Cautions about the rule: what it does after certain outcomes, asked of the committee."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..committee.committee import Committee
from ..rules import ModelRule
from ..scenario.model import Scenario
from ..scenario.rolling_tables import most_patients
from ..scenario.rules import Blrm, TableRule, TiteCrm, of_another_rule
from ..words.data_cut import Counts, DataCut
from ..words.records import NO_LEVEL, Action, Decision
from .caution import Caution
from .walk import everybody, walk

ENOUGH_DLTS = 6
"""So many patients with a DLT at the lowest level, all that were treated there, should stop any trial."""

AHEAD = 4
"""Cohorts looked ahead for an escalation right after too many DLTs."""


def _stops_without_a_dose(decision: Decision) -> bool:
    return decision.action is Action.STOP and decision.level == NO_LEVEL


def never_stops_for_toxicity(scenario: Scenario, committee: Committee) -> Iterator[Caution]:
    """A trial that goes on at the lowest level, or recommends it, after a DLT in everybody."""
    for step in walk(scenario, committee, everybody):
        ended, treated = step.decision.action is Action.STOP, step.counts.evaluable[0]
        if treated and not _stops_without_a_dose(step.decision) and (ended or treated >= ENOUGH_DLTS):
            what = "recommends" if ended else "treats more patients at"
            above = "" if committee.rule.target is not None else " and stopping.too_toxic_above = 0.3, for example"
            yield Caution(
                key="stopping.too_toxic_probability",
                matter=f"Nothing stops this trial for toxicity: after {step.path}, where everybody had a DLT, it "
                f"{what} level {step.decision.level + 1}.",
                advice=f"Set stopping.too_toxic_probability = 0.9{above}.",
                brief="the trial never stops for toxicity",
            )
            return


def stops_after_one_in_three(scenario: Scenario, committee: Committee) -> Iterator[Caution]:
    """A trial that stops for good after one DLT in three patients at the lowest level, as a wide prior can do."""
    rule = scenario.rule
    smaller = isinstance(rule, TableRule) and rule.is_rolling and most_patients(rule.lines) < 3
    if scenario.trial.planned_patients <= 3 or scenario.safety.cohort_size != 3 or smaller:
        return
    nobody = (0,) * (scenario.levels - 1)
    last = (3, 1) if committee.rule.reads_last else (0, 0)
    counts = Counts(0, (3, *nobody), (1, *nobody), (0, *nobody), last)
    decision = committee.decide(counts, scenario.trial.planned_patients - 3)
    if _stops_without_a_dose(decision):
        yield Caution(
            key="rule",
            matter="One DLT in the first three patients at the lowest level stops the trial for good, with no dose: "
            f"{decision.reason}.",
            advice="Say S there in the table, if that is not meant."
            if isinstance(rule, TableRule)
            else "Take a prior that expects less toxicity at the lowest dose, or is narrower"
            + (" (rule.mean_log_alpha, rule.sd_log_alpha)." if isinstance(rule, Blrm) else "."),
            brief="1 DLT in 3 at the lowest level stops the trial",
        )


def prior_overdose(scenario: Scenario, committee: Committee) -> Iterator[Caution]:
    """A BLRM prior by which the lowest level is an overdose more probably than the rule allows of any dose."""
    if not isinstance(scenario.rule, Blrm):
        return
    nobody = [0] * scenario.levels
    cut = DataCut.of([0], [nobody], [nobody])
    over = float(committee.rule.exceedance(cut, cut.level, scenario.rule.overdose_from)[0])
    if over > scenario.rule.feasibility:
        yield Caution(
            key="rule.mean_log_alpha",
            matter=f"Before any data the prior gives the lowest level a probability of {over:.1%} to be an overdose, "
            f"more than the {scenario.rule.feasibility:.1%} up to which the rule allows a dose.",
            advice="Lower rule.mean_log_alpha, or narrow the prior, until the rule allows the starting dose.",
            brief=f"the prior calls the lowest level an overdose with probability {over:.0%}",
        )


def incoherent(scenario: Scenario, committee: Committee) -> Iterator[Caution]:
    """A model that escalates right after a cohort whose DLT rate is at or above the target."""
    target = committee.rule.target
    if target is None or not isinstance(committee.rule.rule, ModelRule):
        return

    def none_or_at_target(size: int) -> tuple[int, ...]:
        return 0, min(size, math.ceil(target * size - 1e-9))

    for step in walk(scenario, committee, none_or_at_target, AHEAD):
        size, dlts = step.last
        if dlts and step.decision.action is Action.ESCALATE:
            yield Caution(
                key="limits.coherence",
                matter=f"The model can escalate right after a cohort at or above the target: after {step.path} "
                f"({dlts} of {size}, target {target:.4g}) level {step.decision.level + 1} comes next.",
                advice='Set limits.coherence = "last_cohort".',
                brief="escalates right after cohorts at or above the target",
            )
            return


def counts_patients_just_infused(scenario: Scenario, _: Committee) -> Iterator[Caution]:
    """TITE-CRM that escalates however short its pending patients have been observed."""
    if isinstance(scenario.rule, TiteCrm) and scenario.rule.min_followup_share == 0:
        yield Caution(
            key="rule.min_followup_share",
            matter=scenario.say(
                "The dose may rise while patients at the level were infused a day ago: their follow-up has no minimum."
            ),
            advice="Set rule.min_followup_share = 0.25 or more.",
            brief="escalates however short the follow-up",
        )


def left_sources(scenario: Scenario, _: Committee) -> Iterator[Caution]:
    """Sources of options that the rule does not have: they were another rule's."""
    own = type(scenario.rule).model_fields
    left = [key for key in scenario.sources if of_another_rule(key) and key.partition(".")[2] not in own]
    if left:
        yield Caution(
            key="sources",
            matter=f"There is a source of {' and of '.join(left)}, which {scenario.rule.name} does not have.",
            advice="Leave it out if it was of another rule; otherwise see `escalate rules` for what this one has.",
            brief="a source is of another rule's option",
        )
