"""Checks that need more than one section of a scenario: doses, cohorts, windows, rules.

Those of days and of candidates have modules of their own, `checks_of_calendar` and `checks_of_candidates`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from . import checks_of_calendar, checks_of_candidates
from .checking import Checks, Complaint, last_window, treated
from .nature import (
    ListOnset,
    Toxicity,
    WhatIf,
)
from .policies import Limits, Stopping, Titration
from .protocol import DoseLevel, FollowUp, Safety, Treatment, TrialSection
from .rolling_tables import Cell, dlts, leads_out, most_patients, place_words
from .rules import (
    Blrm,
    Crm,
    IqRollingSix,
    PythonRule,
    RuleOptions,
    TableRule,
    ThreePlusThree,
    TiteBoin,
    TiteCrm,
    finishes_first,
    gives_places_one_by_one,
)
from .section import Section
from .skeleton import getprior

check = Checks()


def complaints(valid: dict[str, Section | tuple[Any, ...]]) -> Iterator[Complaint]:
    """Yield what is wrong between sections.

    Parameters
    ----------
    valid : dict
        The sections that are valid by themselves, by name.
    """
    for checks in (check, checks_of_candidates.check, checks_of_calendar.check):
        for sections, function in checks.found:
            if all(name in valid for name in sections):
                yield from function(*(valid[name] for name in sections))


@check("dose_levels", "treatment")
def _one_share_per_infusion(dose_levels: tuple[DoseLevel, ...], treatment: Treatment) -> Iterator[Complaint]:
    for position, own in enumerate(dose_levels):
        days = own.infusion_days or treatment.infusion_days
        shares = own.infusion_shares or treatment.infusion_shares or days
        if own.infusion_shares and len(shares) != len(days):
            told = f"has {len(shares)} values, and the level has the {len(days)} infusion_days of [treatment]"
            yield ("dose_levels", position, "infusion_shares"), own.infusion_shares, f"{told}: give it its own"
        elif len(shares) != len(days):
            told = f"has {len(days)} days for the {len(shares)} infusion_shares of [treatment]"
            yield ("dose_levels", position, "infusion_days"), days, f"{told}: give the level its own infusion_shares"


@check("dose_levels", "toxicity")
def _one_probability_per_level(dose_levels: tuple[DoseLevel, ...], toxicity: Toxicity) -> Iterator[Complaint]:
    got, wanted = len(toxicity.dlt_probability), len(dose_levels)
    if got != wanted:
        yield (
            ("toxicity", "dlt_probability"),
            toxicity.dlt_probability,
            f"has {got} values, and there are {wanted} dose levels: one probability for each level is needed",
        )


@check("dose_levels", "toxicity")
def _mtd_is_a_level(dose_levels: tuple[DoseLevel, ...], toxicity: Toxicity) -> Iterator[Complaint]:
    if toxicity.mtd_level is not None and toxicity.mtd_level > len(dose_levels):
        yield (
            ("toxicity", "mtd_level"),
            toxicity.mtd_level,
            f"there are {len(dose_levels)} dose levels: allowed are 0 (no dose) to {len(dose_levels)}",
        )


@check("dose_levels")
def _doses_ascend(dose_levels: tuple[DoseLevel, ...]) -> Iterator[Complaint]:
    labels = [level.label for level in dose_levels]
    for position, label in enumerate(labels):
        if label in labels[:position]:
            yield (
                ("dose_levels", position, "label"),
                label,
                "another dose level has this label; make it unique",
            )
    cells = [level.cells for level in dose_levels]
    if any(value is None for value in cells) and any(value is not None for value in cells):
        position = cells.index(None)
        yield (
            ("dose_levels", position),
            None,
            "has no `cells`, and other levels do: give cells to all or to none",
        )
        return
    for position, (lower, upper) in enumerate(itertools.pairwise(dose_levels), 1):
        if lower.cells is None or upper.cells is None or upper.cells > lower.cells:
            continue
        if upper.cells < lower.cells:
            told = "dose levels are written lowest first, and must increase"
        elif _own_schedule(lower) == _own_schedule(upper):
            told = "dose levels are written lowest first, and must increase, in cells or by schedules of their own"
        else:
            continue
        yield ("dose_levels", position, "cells"), upper.cells, told


def _own_schedule(level: DoseLevel) -> tuple[Any, ...]:
    return level.infusion_days, level.infusion_shares, level.lymphodepletion


@check("dose_levels", "safety")
def _start_level_exists(dose_levels: tuple[DoseLevel, ...], safety: Safety) -> Iterator[Complaint]:
    if safety.start_level > len(dose_levels):
        yield (
            ("safety", "start_level"),
            safety.start_level,
            f"there are {len(dose_levels)} dose levels: allowed are 1 to {len(dose_levels)}",
        )


@check("trial", "safety", "rule", "titration")
def _first_cohort_fits(
    trial: TrialSection, safety: Safety, rule: RuleOptions, titration: Titration | None
) -> Iterator[Complaint]:
    rolls = gives_places_one_by_one(rule) or isinstance(rule, (TiteBoin, TiteCrm))
    may_be_partial = rolls or trial.last_cohort == "partial"
    first = 1 if may_be_partial else _first_cohort(safety, rule, titration)
    if trial.planned_patients < first:
        yield (
            ("trial", "planned_patients"),
            trial.planned_patients,
            f"leaves no room for the first cohort of {first}; at least {first} is needed",
        )


def _first_cohort(safety: Safety, rule: RuleOptions, titration: Titration | None) -> int:
    """Return how many patients the first cohort wants."""
    if gives_places_one_by_one(rule) or titration is not None:
        return 1
    return min(safety.cohort_size, 3) if isinstance(rule, ThreePlusThree) else safety.cohort_size


@check("safety", "rule", "titration", "stopping")
def _stopping_lets_the_trial_begin(
    safety: Safety, rule: RuleOptions, titration: Titration | None, stopping: Stopping
) -> Iterator[Complaint]:
    first = _first_cohort(safety, rule, titration)
    if stopping.most_patients is not None and stopping.most_patients < first:
        yield (
            ("stopping", "most_patients"),
            stopping.most_patients,
            f"stops the trial before the first cohort of {first}; at least {first} is needed",
        )
    if stopping.interval_width is not None and finishes_first(rule):
        yield (
            ("stopping", "interval_width"),
            stopping.interval_width,
            f"has no effect: {rule.name} has no dose to recommend before it has finished; leave it out",
        )


@check("safety", "stopping")
def _expansion_can_be_closed(safety: Safety, stopping: Stopping) -> Iterator[Complaint]:
    where, closes = ("stopping", "expansion_too_toxic_probability"), stopping.expansion_too_toxic_probability
    if safety.when_rule_finished == "expand" and closes is None:
        yield (
            where,
            None,
            'is missing: with when_rule_finished = "expand", say when an expansion is closed for toxicity, as in 0.9; '
            "1 leaves it open whatever comes",
        )
    elif safety.when_rule_finished == "stop" and closes is not None:
        yield where, closes, 'has no effect without safety.when_rule_finished = "expand"; leave it out'


@check("dose_levels", "treatment", "safety")
def _infusions_inside_window(
    dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety
) -> Iterator[Complaint]:
    latest = max(treated(dose_levels, treatment, safety), key=lambda each: each.schedule.last_infusion_day)
    last = latest.schedule.last_infusion_day
    if last > 0 and last >= latest.schedule.window_end:
        yield (
            ("safety", "dlt_window_days"),
            safety.dlt_window_days,
            f"the DLT window must end after the {treatment.say('last infusion')}, which is on day {last}"
            f"{latest.here}: make it longer, or let it count from there with dlt_window_anchor = "
            '"last_infusion"',
        )


@check("dose_levels", "treatment", "safety", "follow_up")
def _window_inside_follow_up(
    dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety, follow_up: FollowUp
) -> Iterator[Complaint]:
    last = last_window(dose_levels, treatment, safety)
    end = last.schedule.window_end
    if follow_up.days < end:
        yield (
            ("follow_up", "days"),
            follow_up.days,
            f"follow-up must last at least until the DLT window ends, day {end}{last.here}",
        )


@check("dose_levels", "treatment", "safety", "toxicity")
def _onset_inside_window(
    dose_levels: tuple[DoseLevel, ...], treatment: Treatment, safety: Safety, toxicity: Toxicity
) -> Iterator[Complaint]:
    first = min(treated(dose_levels, treatment, safety), key=lambda each: each.schedule.window_end)
    end = first.schedule.window_end
    if isinstance(toxicity.onset, ListOnset):
        for position, day in enumerate(toxicity.onset.days):
            if day > end:
                yield (
                    ("toxicity", "onset", "days", position),
                    day,
                    f"the DLT window ends on day {end}{first.here}: allowed are 0 to {end}",
                )


@check("safety")
def _partial_doses_are_replaced(safety: Safety) -> Iterator[Complaint]:
    if safety.replace_partial_dose == "at_once" and not safety.replace_non_evaluable:
        yield (
            ("safety", "replace_partial_dose"),
            safety.replace_partial_dose,
            "has no effect where replace_non_evaluable = false, since nobody is replaced; leave it out, or replace",
        )


@check("what_if", "follow_up")
def _what_if_is_possible(what_if: tuple[WhatIf, ...], follow_up: FollowUp) -> Iterator[Complaint]:
    seen: set[int] = set()
    for position, item in enumerate(what_if):
        if item.patient in seen:
            yield (
                ("what_if", position, "patient"),
                item.patient,
                "this patient is in another [[what_if]] already",
            )
        seen.add(item.patient)
        for key in ("dlt_day", "drop_out_day"):
            day = getattr(item, key)
            if day is not None and day > follow_up.days:
                yield ("what_if", position, key), day, f"follow-up ends on day {follow_up.days}"


NOT_TREATED = ("dlt_day", "drop_out_day", "full_dose")
"""What cannot be said of a patient who receives no cells."""


@check("what_if", "treatment")
def _what_if_agrees_with_itself(what_if: tuple[WhatIf, ...], treatment: Treatment) -> Iterator[Complaint]:
    for position, item in enumerate(what_if):
        said = item.model_dump(exclude_none=True)
        if said.get("infused") is False:
            happens = [key for key in NOT_TREATED if key in said] + (["dlt"] if said.get("dlt") else [])
            yield from _both(position, said, "infused", happens, treatment.say("a patient who is not infused has none"))
        leaves, dlt = said.get("drop_out_day"), said.get("dlt_day")
        if leaves is not None and dlt is not None and leaves < dlt:
            yield from _both(position, said, "drop_out_day", ["dlt_day"], "the patient has left before the DLT")


def _both(position: int, said: dict[str, Any], key: str, others: list[str], why: str) -> Iterator[Complaint]:
    """Complain of two lines that contradict each other, at both."""
    for other in others:
        for one, two in ((key, other), (other, key)):
            against = f"contradicts {two} = {str(said[two]).lower()} of the same patient, since {why}: leave one out"
            yield ("what_if", position, one), said[one], against


@check("dose_levels", "rule")
def _model_has_every_level(dose_levels: tuple[DoseLevel, ...], rule: RuleOptions) -> Iterator[Complaint]:
    levels = len(dose_levels)
    for key in ("skeleton", "doses"):
        given = getattr(rule, key, None)
        if given is not None and len(given) != levels:
            yield ("rule", key), given, f"has {len(given)} values, and there are {levels} dose levels"
    if isinstance(rule, Crm) and rule.prior_mtd_level is not None and rule.prior_mtd_level > levels:
        yield (
            ("rule", "prior_mtd_level"),
            rule.prior_mtd_level,
            f"there are {levels} dose levels: allowed are 1 to {levels}",
        )
    elif isinstance(rule, Crm) and rule.prior_mtd_level is not None:
        try:
            getprior(rule.halfwidth, rule.target, rule.prior_mtd_level, levels, rule.model, rule.intercept)
        except ValueError as error:
            yield ("rule", "halfwidth"), rule.halfwidth, str(error)
    if isinstance(rule, Blrm) and rule.doses is None and any(level.cells is None for level in dose_levels):
        yield ("rule", "doses"), None, "is missing, and the dose levels have no `cells` to take instead"
    elif isinstance(rule, Blrm) and rule.doses is None and len({level.cells for level in dose_levels}) < levels:
        told = "is missing: levels with the same cells differ by schedule, and the rule is to be told how much"
        yield ("rule", "doses"), None, told


@check("dose_levels", "titration")
def _titration_ends_at_a_level(dose_levels: tuple[DoseLevel, ...], titration: Titration | None) -> Iterator[Complaint]:
    levels = len(dose_levels)
    if titration is not None and (titration.last_level or 1) > levels:
        yield (
            ("titration", "last_level"),
            titration.last_level,
            f"there are {levels} dose levels: allowed are 1 to {levels}",
        )


@check("rule", "limits", "stopping")
def _target_is_known(rule: RuleOptions, limits: Limits, stopping: Stopping) -> Iterator[Complaint]:
    if isinstance(rule, (Blrm, PythonRule)) or getattr(rule, "target", None) is not None:
        return
    if limits.coherence in ("last_cohort", "last_level"):
        yield (
            ("limits", "coherence"),
            limits.coherence,
            f'compares with a target DLT probability, and {rule.name} has none: take "after_dlt" or "off"',
        )
    asks = stopping.too_toxic_probability is not None or (stopping.expansion_too_toxic_probability or 1) < 1
    if asks and stopping.too_toxic_above is None:
        yield (
            ("stopping", "too_toxic_above"),
            None,
            f"is missing: {rule.name} has no target, so that what is too toxic must be said",
        )


@check("rule")
def _table_recommends(rule: RuleOptions) -> Iterator[Complaint]:
    if isinstance(rule, TableRule) and rule.target is None and not rule.declares:
        yield (
            ("rule", "target"),
            None,
            "is missing: a table recommends the tried level whose DLT rate is closest to it. Only a table with "
            "patients pending that says R somewhere, stop and recommend this level, goes without",
        )


@check("trial", "safety", "rule", "limits", "titration")
def _no_more_than_a_rolling_table(
    trial: TrialSection, safety: Safety, rule: RuleOptions, limits: Limits, titration: Titration | None
) -> Iterator[Complaint]:
    """Yield that a level can come to more patients than a table with patients pending has lines for."""
    if not (isinstance(rule, IqRollingSix) or (isinstance(rule, TableRule) and rule.is_rolling)):
        return
    most, largest = (
        min(trial.planned_patients, limits.most_per_level or trial.planned_patients),
        most_patients(rule.lines),
    )
    fewer = "or keep levels smaller with limits.most_per_level"
    if titration is not None and min(safety.cohort_size, most) > largest:
        yield (
            ("safety", "cohort_size"),
            safety.cohort_size,
            f"the titration fills a level up to so many patients, and the table has lines for {largest}: take fewer, "
            f"{fewer}",
        )
    if most <= largest:
        return
    for where, value, cells, take in _leading_out(rule, limits):
        for n, c, closed, y in cells[:1]:
            after = f"after {dlts(y)} with {place_words(n, c, closed)}, and there is no line for {largest + 1} patients"
            yield where, value, f"can give a level to patient {largest + 1} {after}: {take}, {fewer}"


def _leading_out(
    rule: IqRollingSix | TableRule, limits: Limits
) -> Iterator[tuple[tuple[str, str], str, list[Cell], str]]:
    """Yield what can lead beyond a table's lines: key, value, the cells where, and what to do instead."""
    lines = rule.lines
    own = leads_out(lines)
    kept = [cell for cell in leads_out(lines, held_back=True) if cell not in own]
    letter = lines[own[0][:3]][own[0][3]] if own else ""
    yield ("rule", "decisions"), letter, own, "say SUS, R or DU there, add the lines"
    if limits.coherence not in ("off", "by_rule"):
        yield ("limits", "coherence"), limits.coherence, kept, 'take "off"'
    if limits.no_skipping == "last_given" and any("D" in letters for letters in lines.values()):
        # from a level that D led down to, E leads up again: beyond the next level, if that says E as well
        yield ("limits", "no_skipping"), limits.no_skipping, kept, 'take "highest_given"'


@check("trial", "safety", "rule", "limits", "titration")
def _table_has_every_line(
    trial: TrialSection, safety: Safety, rule: RuleOptions, limits: Limits, titration: Titration | None
) -> Iterator[Complaint]:
    if not isinstance(rule, TableRule) or rule.is_rolling:
        return
    most = min(trial.planned_patients, limits.most_per_level or trial.planned_patients)
    whole = safety.fills_every_place and trial.last_cohort == "whole" and titration is None
    step = safety.cohort_size if whole and (limits.most_per_level or 0) % safety.cohort_size == 0 else 1
    missing = [n for n in range(step, most + 1, step) if n not in rule.cells]
    if missing:
        few = ", ".join(map(str, missing[:10])) + (" ..." if len(missing) > 10 else "")
        yield (
            ("rule", "decisions"),
            ", ".join(map(str, rule.cells)),
            f"has no line for {few} evaluable patients, which a level can come to: add them, or keep levels "
            "smaller with limits.most_per_level",
        )
