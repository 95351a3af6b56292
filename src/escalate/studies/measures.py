"""What is compared of a rule under a truth: a whole number of each trial, and what is known of it exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..exactly.enumeration import Exact
from ..results.estimates import Estimate, difference, mean, probability
from ..results.no_dose import WHY_NO_DOSE, no_dose_codes, no_dose_measure
from ..results.outcomes import NOT_REACHED, Trials
from ..scenario.compared import Truth
from ..scenario.model import Scenario
from ..words.records import NO_DOSE, NO_LEVEL, IntArray

MEASURES = {
    "recommended": "P(a dose level, or no dose, is recommended)",
    **{no_dose_measure(why): f"P(no dose is recommended, and what that means: {why})" for why in WHY_NO_DOSE},
    "right choice": "P(the MTD of the truth is recommended, or no dose where it has none); only where that is known",
    "too toxic a dose": "P(a level is recommended whose P(DLT) is above `overdose_above`); only where that is known",
    "dlts": "mean patients with a DLT in the window, at all levels",
    "infused": "mean patients infused, at each level and at all",
    "overdosed": "mean patients infused at levels whose P(DLT) is above `overdose_above`; only where that is known",
    "evaluable": "mean evaluable patients, at all levels",
    "duration": "mean days from the start date to the trial's last event",
    "finished by planned completion date": "P(the last follow-up ends by that date); only where one is planned",
    "cut off": "P(the trial is ended by `trial.max_days`): its duration stops there",
}
"""What is compared."""


class Measure(NamedTuple):
    """One thing that is compared: see `MEASURES`, and the columns of `COMPARED`."""

    name: str
    level: int | str | None = None
    unit: str = "probability"


def truth_of(scenario: Scenario) -> Truth:
    """Return what nature does in a scenario of its own."""
    level, p = scenario.mtd_level, scenario.toxicity.dlt_probability
    return Truth("", p, scenario.overdose_above, NO_DOSE if level == 0 else level)


def columns_of(trials: Trials, truth: Truth) -> Iterator[tuple[Measure, IntArray]]:
    """Yield what is compared, and one whole number for each trial."""
    levels, infused = range(1, trials.scenario.levels + 1), trials.patients["infused"]
    for level in levels:
        yield Measure("recommended", level), _where(trials.recommended == level - 1)
    yield Measure("recommended", NO_DOSE), _where(trials.recommended == NO_LEVEL)
    evaluable = trials.patients["evaluable"].sum(axis=1)
    codes = no_dose_codes(trials.recommended, trials.reason, trials.reasons, evaluable, trials.scenario.rule)
    for code, why in enumerate(WHY_NO_DOSE):
        yield Measure(no_dose_measure(why), NO_DOSE), _where(codes == code)
    if truth.mtd is not None:
        right = NO_LEVEL if truth.mtd == NO_DOSE else int(truth.mtd) - 1
        yield Measure("right choice"), _where(trials.recommended == right)
    if truth.overdose_above is not None:
        toxic = [level - 1 for level in truth.too_toxic]
        yield Measure("too toxic a dose"), _where(np.isin(trials.recommended, toxic))
        yield Measure("overdosed", "all", "patients"), infused[:, toxic].sum(axis=1)
    for level in levels:
        yield Measure("infused", level, "patients"), infused[:, level - 1]
    for name in ("infused", "evaluable", "dlts"):
        yield Measure(name, "all", "patients"), trials.patients[name].sum(axis=1)
    yield Measure("duration", None, "days"), trials.duration_days
    if trials.scenario.planned_days is not None:
        yield Measure("finished by planned completion date"), _where(trials.finished_in_time)
    yield Measure("cut off"), _where(trials.milestone_days["trial ended"] == NOT_REACHED)


def _where(happened: Any) -> IntArray:
    return np.asarray(happened, dtype=np.int64)


def exact_values(found: Exact, truth: Truth) -> Iterator[tuple[Measure, float]]:
    """Yield what is known exactly; patients only without an expansion, which `exact` leaves out."""
    by_level = dict(enumerate(found.recommended, 1)) | {NO_DOSE: found.no_dose}
    for level, q in by_level.items():
        yield Measure("recommended", level), q
    for why, q in found.why_no_dose.items():
        yield Measure(no_dose_measure(why), NO_DOSE), q
    if truth.mtd is not None:
        yield Measure("right choice"), by_level[truth.mtd]
    if truth.overdose_above is not None:
        yield Measure("too toxic a dose"), sum(by_level[level] for level in truth.too_toxic)
    if found.scenario.safety.when_rule_finished == "stop":
        for level, mean_infused in enumerate(found.infused, 1):
            yield Measure("infused", level, "patients"), mean_infused
        yield Measure("infused", "all", "patients"), sum(found.infused)
        if truth.overdose_above is not None:
            yield Measure("overdosed", "all", "patients"), sum(found.infused[level - 1] for level in truth.too_toxic)
        yield Measure("evaluable", "all", "patients"), sum(found.evaluable)
        yield Measure("dlts", "all", "patients"), sum(found.dlts)


def estimate(what: Measure, often: Counter[int]) -> Estimate:
    """Return the estimate of a measure, from how often trials had each value."""
    if what.unit == "probability":
        return probability("", what.name, what.level, often[1], often.total())
    return mean("", what.name, what.level, often, what.unit)


def change_of(what: Measure, often: Counter[int]) -> Estimate:
    """Return the estimate of a paired difference, from how often trials differed by each value."""
    return difference("", what.name, what.level, often, what.unit)
