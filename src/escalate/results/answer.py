"""What many trials answer, in sentences: summaries, notebooks, figures and pages say it with these words.

Numbers stand in `estimates`, their spelling in `chance`; here they become what a person asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ..scenario.model import Scenario
from ..words.records import NO_DOSE
from .chance import in_percent, in_units
from .estimates import Characteristics, Estimate
from .no_dose import MEANINGS, WHY_NO_DOSE, no_dose_measure
from .outcomes import NOT_REACHED
from .timeline import waits_of

ENDS = (("escalation ended", "recommendation"), ("trial ended", "last follow-up"))
"""Milestones that a plan is made by, and what they are to whoever plans."""


def dose_words(scenario: Scenario, level: int | str) -> str:
    """Return a dose level, from 1, with its label; no dose as it is."""
    return f"level {level}: {scenario.dose_levels[level - 1].label}" if isinstance(level, int) else level


def most_often(found: Characteristics) -> str:
    """Return which dose is recommended most often, and how often: ``Recommended most often: level 2, 5 mg, in 87%``."""
    scenario = found.tally.scenario
    most = max(range(scenario.levels + 1), key=lambda level: found.get("recommended", level or NO_DOSE).estimate)
    share = in_percent(found.get("recommended", most or NO_DOSE))
    which = f"level {most}, {scenario.dose_levels[most - 1].label}" if most else NO_DOSE
    return f"Recommended most often: {which}, in {share}"


def right_or_wrong(found: Characteristics) -> Iterator[tuple[str, Estimate]]:
    """Yield how often the right dose and how often too toxic a dose is recommended, if the scenario says which are."""
    scenario = found.tally.scenario
    if scenario.mtd_level is not None:
        right = f"level {scenario.mtd_level}" if scenario.mtd_level else NO_DOSE
        yield f"the right choice, {right}", found.get("right choice")
    if scenario.overdose_above is not None:
        yield f"too toxic a dose, P(DLT) above {scenario.overdose_above:.0%}", found.get("too toxic a dose")


def why_no_dose(found: Characteristics) -> Iterator[tuple[str, Estimate]]:
    """Yield what no dose means, and how often: a verdict on the doses, a trial too small for one, or no time left."""
    for why in WHY_NO_DOSE:
        share = found.get(no_dose_measure(why), NO_DOSE)
        if share.estimate > 0:
            yield why, share


def no_dose_words(found: Characteristics) -> str:
    """Return how often no dose is recommended, and what that means, in one sentence."""
    told = [f"{why} ({MEANINGS[why]}) in {in_percent(share)}" for why, share in why_no_dose(found)]
    of_it = f": {'; '.join(told)}" if told else ""
    return f"No dose is recommended in {in_percent(found.get('recommended', NO_DOSE))}{of_it}."


def when_words(found: Characteristics) -> Iterator[str]:
    """Yield when there is a recommendation, when the last patient is followed up, and how likely both are in time."""
    counted = found.tally
    for name, words in ENDS:
        reached = found.get(f"{name}: reached") if name in counted.milestones else None
        if reached is not None and reached.estimate:
            middle, low, high = (
                counted.start_date + timedelta(days=round(found.get(f"{name}: {q} quantile").estimate))
                for q in ("50%", "10%", "90%")
            )
            often = f" ({in_percent(reached)} do)" if reached.estimate < 1 else ""
            yield f"{words}: median {middle}, 80% of the trials that reach it{often} {low} to {high}"
    if planned := counted.scenario.trial.planned_completion_date:
        chance = in_percent(found.get("finished by planned completion date"))
        yield f"finished by {planned}, as planned, with a dose or without one: {chance}"


def cut_off_words(found: Characteristics) -> str:
    """Return how many trials were cut off by their longest duration; empty where none was."""
    many = found.tally.values["milestone: trial ended"][NOT_REACHED]
    were = f"{many:,} {'trial was' if many == 1 else 'trials were'}"
    return f"{were} ended by trial.max_days: not finished, and their durations stop there." if many else ""


def longest_wait(found: Characteristics) -> str:
    """Return what most of the time goes to, in words: ``waiting for patients``."""
    most = max(waits_of(found.tally.scenario), key=lambda name: found.get(name).estimate)
    return "follow-up" if most == "follow-up" else f"waiting for {most}"


def longest_wait_words(found: Characteristics) -> str:
    """Return what most of the time goes to, and how much of it."""
    words = longest_wait(found)
    days, all_days = found.get(words.removeprefix("waiting for ")), found.get("duration")
    share = f", {days.estimate / all_days.estimate:.0%} of the time" if all_days.estimate else ""
    return f"longest of all is {words}: {in_units(days, 'days')}{share}"
