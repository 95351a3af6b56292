"""Cautions about what goes around the rule: early decisions, the cap, levels that nobody comes to."""

from __future__ import annotations

from collections.abc import Iterator

from ..committee.committee import Committee
from ..exactly.one_by_one import early
from ..scenario.model import Scenario
from ..scenario.rules import ThreePlusThree, decides_early
from ..words.records import NO_DOSE, Action
from .caution import Caution
from .walk import everybody, none, walk

MOST_AT_LEVEL = 6
"""Most patients at a level with 3+3."""

SMALL = 0.0005
"""A probability that is shown as 0.0 or 0.1% [probability]."""


def early_decisions(scenario: Scenario, _: Committee) -> Iterator[Caution]:
    """Early decisions with a rule that recommends from counts."""
    if scenario.early_decision and not decides_early(scenario.rule):
        yield Caution(
            key="safety.early_decision",
            matter="Early decisions leave places of cohorts empty, and this rule recommends from what was counted: it "
            "looks worse than with whole cohorts, and the more so the slower patients come.",
            advice="Set safety.early_decision = false: published operating characteristics are of whole cohorts.",
            brief="early decisions leave places empty: the rule looks worse than with whole cohorts",
        )


def early_decisions_make_room(scenario: Scenario, _: Committee) -> Iterator[Caution]:
    """Early decisions with 3+3 under a cap that binds: places left empty let other cohorts begin."""
    may_bind = scenario.trial.planned_patients < MOST_AT_LEVEL * scenario.levels
    if not (scenario.early_decision and isinstance(scenario.rule, ThreePlusThree) and may_bind):
        return
    size = _largest_difference(scenario)
    if size:
        yield Caution(
            key="safety.early_decision",
            matter=f"Places that early decisions leave empty make room under the cap of "
            f"{scenario.trial.planned_patients}, so that the recommendation depends on how fast patients come{size}.",
            advice="Set safety.early_decision = false, or plan "
            f"{MOST_AT_LEVEL * scenario.levels} patients, {MOST_AT_LEVEL} for each level.",
            brief="early decisions make room under the cap",
        )


def _largest_difference(scenario: Scenario) -> str:
    """Say what early decisions change most; nothing if they change nothing."""
    found = early(scenario)
    if found is None:
        return ""
    pairs = list(zip(found.one_by_one, found.whole_cohorts, strict=True))
    most = max(range(len(pairs)), key=lambda k: abs(pairs[k][0] - pairs[k][1]))
    alone, whole = pairs[most]
    if abs(alone - whole) < SMALL:
        return ""
    what = NO_DOSE if most == scenario.levels else f"level {most + 1}"
    return f" ({what}: {whole:.1%} with whole cohorts, {alone:.1%} if one comes at a time; both exact)"


def unreachable_levels(scenario: Scenario, committee: Committee) -> Iterator[Caution]:
    """Levels that the trial does not come to, even without any DLT, or with one in everybody."""
    up, down = (list(walk(scenario, committee, outcomes)) for outcomes in (none, everybody))
    seen = {step.decision.level for step in (*up, *down) if step.decision.action is not Action.STOP}
    if not seen:
        return
    lost = [level + 1 for level in range(scenario.levels) if not min(seen) <= level <= max(seen)]
    if lost:
        too_high = max(seen) < scenario.levels - 1
        ends, with_dlts = (up[-1], "without any DLT") if too_high else (down[-1], "with a DLT in everybody")
        named = f"level {lost[0]}" if len(lost) == 1 else f"levels {', '.join(map(str, lost))}"
        yield Caution(
            key="dose_levels",
            matter=f"Nobody can come to {named}: {with_dlts} the trial ends after {ends.path} "
            f"({ends.decision.reason}).",
            advice="Raise trial.planned_patients, change where the trial starts or stops, or leave the level out.",
            brief=f"nobody can come to {named}",
        )


def unused_places(scenario: Scenario, committee: Committee) -> Iterator[Caution]:
    """A cap that whole cohorts do not divide."""
    planned, unit = scenario.trial.planned_patients, _cohort(scenario, committee)
    rest = planned % unit
    if rest and planned > unit:
        places = "1 place" if rest == 1 else f"{rest} places"
        yield Caution(
            key="trial.planned_patients",
            matter=f"The cap of {planned} patients leaves {places} that no cohort of {unit} fills: the escalation has "
            f"at most {planned - rest}.",
            advice=f'Plan {planned - rest} or {planned - rest + unit} patients, or set trial.last_cohort = "partial".',
            brief=f"of {planned} planned patients {planned - rest} can be treated",
        )


def _cohort(scenario: Scenario, committee: Committee) -> int:
    """Return how many patients every cohort has; 1 where that differs, or what is left over has a use."""
    safety, trial, most = scenario.safety, scenario.trial, scenario.limits.most_per_level
    size = 3 if isinstance(scenario.rule, ThreePlusThree) and safety.cohort_size >= 3 else safety.cohort_size
    in_parts = committee.rule.rolling or trial.last_cohort == "partial" or scenario.titration is not None
    in_parts |= isinstance(scenario.rule, ThreePlusThree) and safety.cohort_size < 3
    left_over = trial.cap_counts == "infused" or safety.when_rule_finished == "expand" or scenario.early_decision
    return 1 if in_parts or left_over or (most or 0) % size else size


def withheld_late(scenario: Scenario, _: Committee) -> Iterator[Caution]:
    """Infusions that are withheld when a level must be left, where nobody knows that before the decision."""
    safety = scenario.safety
    if safety.dlt_after_lymphodepletion == "withhold_if_closed" and not scenario.early_decision:
        yield Caution(
            key="safety.dlt_after_lymphodepletion",
            matter="No decision comes early here, so that nobody knows before the committee decides that a level "
            "must be left: who is on the way to it is treated until then.",
            advice='Set safety.early_decision = true, or withhold after any DLT with "withhold".',
            brief="withheld only once the committee has closed the level",
        )


def assignments_of_no_use(scenario: Scenario, committee: Committee) -> Iterator[Caution]:
    """Places without a meeting, with a rule that decides on whole cohorts."""
    safety = scenario.safety
    if safety.assignment_delay_days is not None and not committee.rule.rolling:
        yield Caution(
            key="safety.assignment_delay_days",
            matter=f"The rule {scenario.rule.name} decides on whole cohorts: each decision goes to a meeting.",
            advice="Leave assignment_delay_days out, or choose a rolling rule.",
            brief="assignment_delay_days has no effect",
        )
