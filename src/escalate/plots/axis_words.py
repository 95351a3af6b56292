"""Keys of a scenario and measures in the words of an axis, with their units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..results.chance import value_alone
from ..results.estimates import Estimate
from ..scenario.keys import key_sections
from ..scenario.places import dotted
from ..studies.study import cell_text
from ..words.vocabulary import Say

WORDS = {
    "accrual.consents_per_month": "consents a month",
    "accrual.patience_days": "patience of waiting candidates [days]",
    "accrual.most_waiting": "most candidates who wait",
    "attrition.drop_out_per_year": "drop-outs a year [probability]",
    "attrition.not_infused_probability": "not infused [probability]",
    "attrition.partial_dose_probability": "partial dose [probability]",
    "attrition.partial_dose_share": "share of the dose that is a partial dose",
    "dose_levels": "dose levels",
    "follow_up.days": "follow-up [days]",
    "rule.name": "rule",
    "rule.target": "target P(DLT) of the rule",
    "safety.cohort_size": "cohort size [patients]",
    "safety.dlt_window_days": "DLT window [days]",
    "safety.review_delay_days": "data cut to committee [days]",
    "safety.sentinel_stagger_days": "stagger after the sentinel [days]",
    "safety.stagger_days": "stagger of later patients [days]",
    "safety.start_level": "first dose level",
    "screening.days": "screening [days]",
    "screening.failure_probability": "screen failures [probability]",
    "sites.consents_per_month": "consents a month of a site",
    "toxicity.dlt_probability": "assumed P(DLT), level by level",
    "toxicity.onset": "when DLTs begin",
    "toxicity.onset.second_half_share": "share of DLTs in the second half of the window",
    "trial.max_days": "longest trial [days]",
    "trial.planned_patients": "planned patients",
    "trial.title": "title",
}
"""What is said instead of a key; others by their own words."""

SHORT = {"days": "[days]", "probability": "[probability]", "share": "[share]"}
"""Units in the names of keys, at their ends."""


def key_words(key: str, say: Say = str) -> str:
    """Return a dotted key in words, with its unit.

    Parameters
    ----------
    key : str
        As in ``accrual.consents_per_month``.
    say : callable
        The vocabulary: `Scenario.say`.
    """
    if key in WORDS:
        return say(WORDS[key])
    key = dotted(key)
    plain = [part for part in key.split(".") if not part.isdecimal()]
    if ".".join(plain) in WORDS:
        places = ", ".join(str(int(part) + 1) for part in key.split(".") if part.isdecimal())
        return f"{say(WORDS['.'.join(plain)])}, number {places}"
    name = " ".join(plain[-2:]).replace("_", " ").replace("dlt", "DLT")
    words = (say(name) if ".".join(plain) in _units() else name).split()  # a criterion's name is the user's own
    if words[-1] in SHORT:
        return f"{' '.join(words[:-1])} {SHORT[words[-1]]}"
    unit = _units().get(".".join(plain), "")
    return " ".join(words) + (f" [{unit}]" if unit else "")


def _units() -> dict[str, str]:
    return {section.dotted(key): key.unit for section in key_sections() for key in section.keys}


def value_words(value: Any) -> str:
    """Return a value as a reader wants it: a table by its values, the name first."""
    if isinstance(value, Mapping):
        return ", ".join(str(part) if key == "name" else f"{key} {value_words(part)}" for key, part in value.items())
    return cell_text(value)


def setting(key: str, value: Any, say: Say = str) -> str:
    """Return a key and its value in words: ``follow-up 180 days``."""
    words, _, unit = key_words(key, say).partition(" [")
    return f"{words} {value_words(value)}" + (" days" if unit == "days]" else "")


def measure_name(measure: str, level: int | str | None, unit: str) -> str:
    """Return a measure with its level in words: ``P(recommended: level 2)``, ``mean duration``.

    Parameters
    ----------
    measure : str
        As in `escalate.results.estimates.Characteristics.get`.
    level : int, str or None
        Dose level, if the measure has levels.
    unit : str
        Its unit.
    """
    words = measure.replace("planned completion date", "the planned completion date")
    if level is not None and level != "all":
        words += f": {f'level {level}' if isinstance(level, int) else level}"
    if unit == "probability":
        return f"P({words})"
    return words if "quantile" in words else f"mean {words}"


def amount(estimate: Estimate) -> str:
    """Return an estimate without its error, with its unit: ``54.1%``, ``512 days``."""
    return value_alone(estimate) + ("" if estimate.unit == "probability" else f" {estimate.unit}")
