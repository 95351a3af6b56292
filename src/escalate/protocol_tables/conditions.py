"""What a table rests on and what its cells leave open, in words: below every table, in every format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..rules.own import OwnRule
from ..scenario.model import Scenario
from ..scenario.policies import Limits
from ..words.data_cut import DataCut
from ..words.records import IntArray
from .asked import Asked, Beside, Cells

MOST_TOLD = 12
"""So many moves over a level are told one by one."""

MORE = "the cells already say so for the other levels that are assumed"


def assumed(asked: Asked) -> list[str]:
    """Return what stands at the other levels, line by line."""
    lines = []
    if asked.levels > 1:
        lines.append(
            f"Other levels: {asked.clean} evaluable patients without a DLT at each level below, nobody above, "
            "nobody pending at either."
        )
    if asked.exceeded:
        numbers = sorted(set(asked.exceeded.values()))
        lines.append(
            f"A level that {asked.gone_words}: {' or '.join(f'{m} of {m}' for m in numbers)} evaluable patients with a "
            "DLT at the level above."
        )
    if any(place.beside is Beside.TITRATION for place in asked.places):
        lines.append("In titration: one evaluable patient without a DLT at each level below.")
    return lines


def conditions(asked: Asked) -> list[str]:
    """Return what goes before the cells because it depends on totals, on other levels or on the calendar."""
    scenario = asked.scenario
    return [
        *_totals(scenario, asked.rule.rolling),
        *_titration(scenario),
        *_limits(scenario, asked),
        *_stopping(scenario, asked),
    ]


def _totals(scenario: Scenario, rolling: bool) -> Iterator[str]:
    trial = scenario.trial
    whom = "evaluable patients" if trial.cap_counts == "evaluable" else scenario.say("patients infused")
    smaller = rolling or trial.last_cohort == "partial"
    then = (
        "the last cohort is as small as the cap demands" if smaller else "a cohort that does not fit whole is not begun"
    )
    yield f"Cap: {trial.planned_patients} {whom} in all; {then}, and the trial stops, whatever the cell says."
    if scenario.safety.when_rule_finished == "expand":
        yield (
            "safety.when_rule_finished: where a cell stops with a dose, the places left under the cap are for more "
            "patients at that dose."
        )
    if scenario.early_decision and not rolling:
        yield (
            "Early decisions: a level is left before all outcomes of a cohort are known where none of them can change "
            "that; those still to come are then read as if they came without a DLT."
        )
    if scenario.stopping.most_patients is not None:
        yield (
            f"stopping.most_patients: where the next cohort would make it more than {scenario.stopping.most_patients} "
            "evaluable patients in all, the trial stops, whatever the cell says; the recommended dose rests on the "
            "data of all levels."
        )


def _titration(scenario: Scenario) -> Iterator[str]:
    if scenario.titration is None:
        return
    last = min(scenario.titration.last_level or scenario.levels, scenario.levels)
    fill = scenario.safety.cohort_size - 1
    yield (
        f"titration: one patient a level, up to level {last}, until the first DLT; then {fill} more at that level, and "
        "from there on the parts without titration. While a patient in titration is pending, nobody is treated."
    )


def _limits(scenario: Scenario, asked: Asked) -> Iterator[str]:
    limits, plain = scenario.limits, Limits()
    if limits.no_skipping != plain.no_skipping:
        how = {"off": "none", "highest_given": "the dose rises to at most one level above the highest one given"}
        yield f"limits.no_skipping: {how.get(limits.no_skipping, limits.no_skipping)}."
    if limits.no_skipping_down:
        yield (
            "limits.no_skipping_down: the dose falls by one level at a time, even to a level that the rule has "
            "eliminated or found too toxic on the way."
        )
    if limits.coherence == "last_level":
        yield f"limits.coherence: no escalation from a DLT rate above {asked.rule.target:g}; in the cells."
    if asked.committee.rule.reads_last:
        what = "had a DLT" if limits.coherence == "after_dlt" else f"had a DLT rate of {asked.rule.target:g} or more"
        whom = "the outcomes since the last decision" if asked.rule.rolling else "the last cohort"
        yield f"limits.coherence: no escalation if {whom} {what}; where counts leave that open, a cell is like E(S)."
    if limits.most_per_level is not None:
        yield (
            f"limits.most_per_level: no level has more than {limits.most_per_level} patients; where the next patients "
            "would be at a level that is full (also a level below with more patients than assumed), the trial stops, "
            "or waits for that level's outcomes."
        )


def _stopping(scenario: Scenario, asked: Asked) -> Iterator[str]:
    stopping, above = scenario.stopping, asked.committee.rule.too_toxic_above
    if stopping.too_toxic_probability is not None:
        yield (
            f"stopping.too_toxic_probability: whatever the current level, the trial stops without a dose where P(DLT) "
            f"at level 1 exceeds {above:g} with a probability above {stopping.too_toxic_probability:g}; at level 1 "
            "that is the cells with ND."
        )
    elif asked.levels > 1 and not isinstance(asked.rule, OwnRule):
        yield "A level below whose own counts show it too toxic goes before the cell: the part of that level says when."
    if stopping.enough_at_level is not None:
        when = {"staying": "and more would be treated there", "any_move": "whatever comes next"}[stopping.enough_when]
        enough = stopping.enough_at_level
        yield f"stopping.enough_at_level: the trial stops with {enough} at a level {when}; in the cells."
    if stopping.interval_width is not None:
        yield (
            "stopping.interval_width: the trial stops where the 95% interval of P(DLT) at the dose to be recommended, "
            f"at whatever level, is at most {stopping.interval_width:g} wide; {MORE}."
        )
    if (stopping.expansion_too_toxic_probability or 1) < 1:
        yield (
            f"stopping.expansion_too_toxic_probability: an expansion is closed at once, or not opened, with DLTs "
            f"among the evaluable patients of its level: {_closing(asked)}."
        )


def _closing(asked: Asked) -> str:
    """Return from how many DLTs on an expansion is closed, by its patients: ``2 of 2 to 4, 3 of 5 to 8``."""
    found: list[tuple[int, list[int]]] = []
    for n in range(1, min(asked.scenario.trial.planned_patients, 60) + 1):
        y = np.arange(n + 1)
        closes = asked.committee.rule.closes_expansion(_alone(np.full_like(y, n), y))
        if closes.any():
            fewest = int(np.argmax(closes))
            if not found or found[-1][0] != fewest:
                found.append((fewest, [n]))
            found[-1][1].append(n)
    runs = [f"{y} or more of {ns[0]}" + (f" to {ns[-1]}" if ns[-1] > ns[0] else "") for y, ns in found]
    return ", ".join(runs) or "never"


def _alone(n: IntArray, y: IntArray) -> DataCut:
    return DataCut.of(np.zeros_like(n), n[:, np.newaxis], y[:, np.newaxis])


def skips(asked: Asked, patients: Sequence[int]) -> list[str]:
    """Return which cells lead further than to the next level; no rule of the catalogue's tables does that."""
    if not isinstance(asked.rule, OwnRule):
        return []
    n, y = (np.array(part) for part in zip(*((n, y) for n in patients for y in range(n + 1)), strict=True))
    found = []
    for place in asked.places:
        if place.beside is Beside.USUAL:
            steps = asked.moves(place, Cells.of(n, y))
            for row in np.flatnonzero(np.abs(steps) > 1).tolist():
                found.append(
                    f"{y[row]} of {n[row]} at level {place.level + 1}: to level {place.level + 1 + steps[row]}"
                )
    shown = found[:MOST_TOLD]
    more = f"; and {len(found) - MOST_TOLD} more" if found[MOST_TOLD:] else ""
    return [f"Moves over a level (DLTs of evaluable patients): {'; '.join(shown)}{more}."] if found else []
