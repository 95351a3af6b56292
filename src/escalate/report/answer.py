"""The question of many trials and its answer, in five lines: what a page begins with."""

from __future__ import annotations

from ..results.answer import cut_off_words, longest_wait_words, most_often, no_dose_words, right_or_wrong, when_words
from ..results.chance import in_percent
from ..results.estimates import Characteristics
from ..scenario.designs import rule_in_full
from ..scenario.drivers import drivers


def five_lines(found: Characteristics) -> list[tuple[str, str]]:
    """Return five sentences, each with what it answers.

    Parameters
    ----------
    found : Characteristics
        As `characteristics` returns them.

    Returns
    -------
    list of (str, str)
        What was asked; which dose and how often; what no dose means; when; what drives it.
    """
    return [
        ("Question", _question(found)),
        ("Which dose?", _which_dose(found)),
        ("No dose?", no_dose_words(found)),
        ("When?", _when(found)),
        ("What drives it?", f"{_capital(drivers(found.tally.scenario))}. {_capital(longest_wait_words(found))}."),
    ]


def _question(found: Characteristics) -> str:
    counted, scenario = found.tally, found.tally.scenario
    about, (lowest, *others) = scenario.trial, scenario.dose_levels
    doses = f"Which of {scenario.levels} dose levels, {lowest.label} to {others[-1].label}," if others else "Which dose"
    only = "" if others else f" (the only one is {lowest.label}, or none)"
    return (
        f"{doses} is recommended by the rule {rule_in_full(scenario)}, with at most {about.planned_patients} "
        f"{scenario.say(about.cap_counts)} patients{only}, and when, if the trial starts on {about.start_date}? "
        f"Asked of {counted.trials:,} simulated trial{'s' * (counted.trials != 1)}."
    )


def _which_dose(found: Characteristics) -> str:
    judged = [f"{words}, in {in_percent(share)}" for words, share in right_or_wrong(found)]
    return f"{'; '.join([most_often(found), *judged])}."


def _when(found: Characteristics) -> str:
    told = [f"{_capital(words)}." for words in when_words(found)]
    return " ".join([*told, cut_off_words(found)]).strip() or "No trial came to an end."


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
