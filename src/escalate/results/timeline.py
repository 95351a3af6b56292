"""Where the time of one trial goes, and when its milestones come; read from its records alone."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from ..scenario.model import Scenario
from ..scenario.protocol import EVERY_DAY
from ..words.asked import asks
from ..words.records import TIME_IS_UP, Trial
from ..words.tables import GATES

WAITS: dict[str, str] = {
    "patients": "a place is open and nobody is there to take it: consents and screening",
    "manufacture": "a place is open and nobody is there to take it: a product of somebody's own cells is being made",
    "stagger": "a place is free and somebody waits for it: the stagger",
    "review": "a place is free and somebody waits for it: the committee's look at a sentinel's DLT",
    "notice": "a place is free and somebody waits for it: the end of the notice",
    "product": "a place is free and somebody waits for it: the next batch of the product",
    "capacity": "a place is free and somebody waits for it: room in the unit",
    "closure": "a place is free and somebody waits for it: the end of a closure",
    "weekday": "a place is free and somebody waits for it: a weekday on which treatment is possible",
    "lymphodepletion": "every place is taken, and a patient is between lymphodepletion and infusion",
    "DLT windows": "every place is taken and everybody is infused: windows run",
    "committee": "the data cut is made, and the committee has not decided",
    "follow-up": "nothing is left to decide, and patients are followed to the end",
}
"""What a trial waits for on each of its days, and what that means; exactly one at any time."""


def waits_of(scenario: Scenario) -> dict[str, str]:
    """Return those of `WAITS` that trials of a scenario can have; those always, that every calendar has."""
    treatment = scenario.treatment
    weekdays = treatment.weekdays, treatment.lymphodepletion_weekdays, treatment.later_infusion_weekdays
    has = {
        "manufacture": scenario.autologous is not None,
        "review": scenario.safety.after_sentinel_dlt == "review",
        "notice": scenario.treatment.notice_days > 0,
        "weekday": any(set(days) != set(EVERY_DAY) for days in weekdays),
        "closure": bool(scenario.calendar.closed),
        "capacity": scenario.capacity is not None,
        "product": scenario.store is not None,
    }
    return {name: meaning for name, meaning in WAITS.items() if has.get(name, True)}


@dataclass(frozen=True, slots=True)
class _Spell:
    """Somebody's days from `first` up to, not including, `end`."""

    first: int
    end: int

    def holds(self, day: int) -> bool:
        return self.first <= day < self.end


STAGES = {
    "referred": "list",
    "consent": "screening",
    "screened again": "screening",
    "apheresis": "manufacture",
    "eligible": "waiting",
    "product ready": "waiting",
}
"""The stage that begins for a candidate with an event; it lasts until the next one, a place, or leaving."""


def stages_before(trial: Trial) -> dict[int, list[tuple[str, int, int]]]:
    """Return what each candidate went through before a place, or before leaving without one.

    Parameters
    ----------
    trial : Trial
        A finished trial.

    Returns
    -------
    dict of int to list of (str, int, int)
        By the candidate's number: stage (a value of `STAGES`), first day, day after the last one; those of no day are
        left out [days since the start date].
    """
    columns = (trial.patients[name] for name in ("candidate", "treatment_start_day", "left_day"))
    ends = {number: left if start is None else start for number, start, left in zip(*columns, strict=True)}
    begun: dict[int, list[tuple[str, int]]] = {number: [] for number in ends}
    for day, event, number in zip(*(trial.events[name] for name in ("day", "event", "candidate")), strict=True):
        if event in STAGES:
            begun[number].append((STAGES[event], day))
    return {
        number: [
            (stage, first, end)
            for (stage, first), (_, end) in itertools.pairwise([*stages, ("", ends[number])])
            if first < end
        ]
        for number, stages in begun.items()
    }


class _Door(NamedTuple):
    """What is before a place that is free: who waits for it, which gate is shut, whose product is being made."""

    waiting: list[_Spell]
    gates: list[tuple[_Spell, str]]
    making: list[_Spell]
    treated: list[_Spell] | None
    """Where places are reserved at consent: when somebody had a place whose outcome was still to come. On other days
    it is places that are waited for, be they reserved."""

    @property
    def spells(self) -> list[_Spell]:
        return [*self.waiting, *(spell for spell, _ in self.gates), *self.making, *(self.treated or ())]

    def waits_for_outcome(self, in_preparation: list[_Spell], day: int) -> str:
        """Return what is waited for where no place is free."""
        if self.treated is not None and not any(spell.holds(day) for spell in self.treated):
            return self.waits_for(day)
        return _outcomes_to_come(in_preparation, day)

    def waits_for(self, day: int) -> str:
        """Return what a free place waits for."""
        if any(spell.holds(day) for spell in self.waiting):
            return next((gate for spell, gate in self.gates if spell.holds(day)), GATES[0])
        return "manufacture" if any(spell.holds(day) for spell in self.making) else "patients"


@asks(Trial)
def waits(trial: Trial) -> dict[str, int]:
    """Split a trial's duration by what it was waiting for.

    Every day from the start date to the last event counts for one thing, by what holds at its end; the parts add up
    to `Trial.duration_days` exactly.

    Parameters
    ----------
    trial : Trial
        A finished trial.

    Returns
    -------
    dict of str to int
        Days for each of `waits_of` the trial's scenario [days].
    """
    total = dict.fromkeys(WAITS, 0)
    end = trial.duration_days
    waiting, making = _before_places(trial)
    people = _people_by_cohort(trial)
    treated = _treated(people, end) if cast(Scenario, trial.scenario).treatment.reserves else None
    closed = 0
    for number, places, opened, cut, decided in zip(
        *(trial.cohorts[name] for name in ("cohort", "places", "opened_day", "data_cut_day", "decision_day")),
        strict=True,
    ):
        until = end if cut is None else cut
        here = people.get(number, [])
        decisions = [row for row in trial.decisions if row["cohort"] == number]
        is_escalation = trial.cohorts["purpose"][number - 1] == "escalation"
        door = _Door(waiting, _gates(trial, number, end), making, treated)
        full = _spells_without_room(trial, people, number, end)
        if trial.rolling and is_escalation:
            _add_rolling_cohort(total, here, door, full, places, opened, until, decisions)
        else:
            first_cut = decisions[0]["data_cut_day"] if decisions else until
            _add_cohort(total, here, door, full, places, opened, first_cut)
            if first_cut != until:
                _add_conclusion(total, here, decisions[0], until)
        closed = until
        if cut is not None and is_escalation:
            closed = end if decided is None else decided
            total["committee"] += closed - cut
    total["follow-up"] += end - closed
    return {name: total[name] for name in waits_of(cast(Scenario, trial.scenario))}


def _add_cohort(
    total: dict[str, int],
    people: list[dict[str, Any]],
    door: _Door,
    full: list[_Spell],
    places: int,
    opened: int,
    until: int,
) -> None:
    """Add what one cohort waited for between its opening and its first data cut."""
    in_place = _spells_in_place(people, until + 1)
    in_preparation = [_Spell(p["start"], p["prepared"]) for p in people]
    turns = {day for spell in (*door.spells, *full, *in_place, *in_preparation) for day in (spell.first, spell.end)}
    days = [opened, *sorted(day for day in turns if opened < day < until), until]
    for day, following in itertools.pairwise(days):
        is_open = sum(spell.holds(day) for spell in in_place) < places
        is_open = is_open and not any(spell.holds(day) for spell in full)
        what = door.waits_for(day) if is_open else door.waits_for_outcome(in_preparation, day)
        total[what] += following - day


def _add_conclusion(total: dict[str, int], people: list[dict[str, Any]], stop: dict[str, Any], until: int) -> None:
    """Add what came after a cohort's first data cut, where the stop decided on it waits for the last outcomes."""
    decided = stop["committee_day"]
    total["committee"] += decided - stop["data_cut_day"]
    in_preparation = [_Spell(p["start"], p["prepared"]) for p in people]
    turns = {day for spell in in_preparation for day in (spell.first, spell.end)}
    days = [decided, *sorted(day for day in turns if decided < day < until), until]
    for day, following in itertools.pairwise(days):
        total[_outcomes_to_come(in_preparation, day)] += following - day


def _outcomes_to_come(in_preparation: list[_Spell], day: int) -> str:
    return "lymphodepletion" if any(spell.holds(day) for spell in in_preparation) else "DLT windows"


def _add_rolling_cohort(
    total: dict[str, int],
    people: list[dict[str, Any]],
    door: _Door,
    full: list[_Spell],
    places: int,
    opened: int,
    until: int,
    decisions: list[dict[str, Any]],
) -> None:
    """Add what a cohort waited for that stays open while the rule keeps its level, up to its last data cut."""
    committee = [_Spell(row["data_cut_day"], row["committee_day"]) for row in decisions]
    ends = [*(row["data_cut_day"] for row in decisions[1:]), until]
    held = [
        _Spell(row["committee_day"], following)
        for row, following in zip(decisions, ends, strict=False)
        if row["action"] in ("suspend", "stop")
    ]
    in_place = [_Spell(p["start"], p["prepared"] if p["infused"] is None else until + 1) for p in people]
    in_preparation = [_Spell(p["start"], p["prepared"]) for p in people]
    is_last = bool(decisions) and decisions[-1]["action"] == "stop"
    stopped = min((row["committee_day"] for row in decisions if row["action"] == "stop"), default=until)
    goes_on = [row["committee_day"] for row in decisions if row["action"] not in ("suspend", "stop")]
    places_known = max(goes_on, default=opened)
    turns = {
        day
        for spell in (*door.spells, *full, *committee, *held, *in_place, *in_preparation)
        for day in (spell.first, spell.end)
    }
    days = [opened, *sorted(day for day in turns if opened < day < until), until]
    for day, following in itertools.pairwise(days):
        taken = is_last and day >= places_known and sum(spell.holds(day) for spell in in_place) >= places
        if any(spell.holds(day) for spell in committee):
            what = "committee"
        elif stopped <= day:
            what = _outcomes_to_come(in_preparation, day)
        elif taken or any(spell.holds(day) for spell in (*held, *full)):
            what = door.waits_for_outcome(in_preparation, day)
        else:
            what = door.waits_for(day)
        total[what] += following - day


def _gates(trial: Trial, number: int, end: int) -> list[tuple[_Spell, str]]:
    """Return which gate kept a cohort's places shut, if one did and somebody waited, where it was not the stagger."""
    days_and_events = zip(*(trial.events[name] for name in ("day", "event", "cohort")), strict=True)
    told = [(day, event) for day, event, cohort in days_and_events if cohort == number and event in GATES]
    following = [*told[1:], (end + 1, "")]
    return [(_Spell(day, until), gate) for (day, gate), (until, _) in zip(told, following, strict=False)]


def _before_places(trial: Trial) -> tuple[list[_Spell], list[_Spell]]:
    """Return when candidates who were ready waited for a place, and when products of their own cells were made."""
    spells: dict[str, list[_Spell]] = {stage: [] for stage in STAGES.values()}
    for stages in stages_before(trial).values():
        for stage, first, end in stages:
            spells[stage].append(_Spell(first, end))
    return spells["waiting"], spells["manufacture"]


def _spells_in_place(people: list[dict[str, Any]], never: int) -> list[_Spell]:
    """Return when patients had their places; a DLT after a place was given back fills one again."""
    return [spell for person in people for spell in _until_free(person, person["start"], person["free"], never)]


def _until_free(person: dict[str, Any], first: int, free: int | None, never: int) -> list[_Spell]:
    again = [_Spell(person["dlt_after"], never)] if person["dlt_after"] is not None else []
    return [_Spell(first, never if free is None else free), *again]


def _spells_without_room(trial: Trial, people: dict[int, list[dict[str, Any]]], number: int, end: int) -> list[_Spell]:
    """Return when so many counted for the cap, or were about to, that it left no room for another one in a cohort.

    Who is on the way to a level above that of the open cohort gets no cells, and does not count.
    """
    levels, cap = trial.cohorts["level"], trial.planned_patients
    counted = [
        spell
        for cohort, here in people.items()
        for person in here
        for spell in _under_cap(person, levels[cohort - 1] <= levels[number - 1], trial.most_infused is not None, end)
    ]
    days = sorted({0, end + 1} | {day for spell in counted for day in (spell.first, spell.end)})
    return [
        _Spell(day, following)
        for day, following in itertools.pairwise(days)
        if sum(spell.holds(day) for spell in counted) >= cap
    ]


def _under_cap(person: dict[str, Any], on_the_way: bool, counts_infused: bool, end: int) -> list[_Spell]:
    """Return when a patient counts for the cap; on the way to the infusion only where that is said."""
    if person["infused"] is None:
        return [_Spell(person["start"], person["prepared"])] if on_the_way else []
    first = person["start"] if on_the_way else person["infused"]
    if counts_infused:
        return [_Spell(first, end + 1)]
    return _until_free(person, first, person["lost"], end + 1)


def _treated(people: dict[int, list[dict[str, Any]]], end: int) -> list[_Spell]:
    """Return when patients had been given a place and no outcome was known yet."""
    everybody = (person for here in people.values() for person in here)
    return [
        _Spell(person["start"], end + 1 if person["settled"] is None else person["settled"]) for person in everybody
    ]


def _people_by_cohort(trial: Trial) -> dict[int, list[dict[str, Any]]]:
    """Return when each patient of each cohort had a place, was being prepared for infusion, and was lost."""
    people: dict[int, list[dict[str, Any]]] = {}
    names = (
        "cohort", "treatment_start_day", "infusion_day", "left_day", "place_free_day", "outcome", "outcome_day"
    )  # fmt: skip
    columns = zip(*(trial.patients[name] for name in names), strict=True)
    for cohort, start, infused, left, free, outcome, known in columns:
        if cohort is not None:
            person = {
                "start": start,
                "free": free,
                "prepared": left if infused is None else infused,
                "infused": infused,
                "settled": left if infused is None else known,
                "lost": known if free is None and outcome == "non-evaluable" else free,
                "dlt_after": known if free is not None and outcome == "DLT" else None,
            }
            people.setdefault(cohort, []).append(person)
    return people


def cohort_days(trial: Trial) -> list[int | None]:
    """Return for each cohort of the escalation how long it took from its opening to the last decision on it [days].

    Parameters
    ----------
    trial : Trial
        A finished trial.

    Returns
    -------
    list of (int or None)
        ``None`` for a cohort on which the committee had not decided when the trial's time was up.
    """
    names = ("purpose", "opened_day", "decision_day")
    return [
        None if decided is None else decided - opened
        for purpose, opened, decided in zip(*(trial.cohorts[name] for name in names), strict=True)
        if purpose == "escalation"
    ]


def milestone_names(levels: int) -> list[str]:
    """Return the names of a trial's milestones, in order, for so many dose levels."""
    opened = [f"level {level} opened" for level in range(1, levels + 1)]
    after = ["last infusion", "last outcome", "escalation ended", "expansion closed", "enrolment closed", "trial ended"]
    return ["first infusion", *opened, *after]


def milestones(trial: Trial) -> dict[str, int | None]:
    """Return the days of a trial's milestones [days since the start date]; ``None`` for what never came.

    Parameters
    ----------
    trial : Trial
        A finished trial.

    Returns
    -------
    dict of str to int or None
        ``first infusion``, ``level 1 opened`` and so on for every level, ``last infusion``, ``last outcome`` (of all
        DLT windows), ``escalation ended`` (the committee's last decision), ``expansion closed`` (for toxicity),
        ``enrolment closed``, ``trial ended`` (not reached by a trial whose time was up before).
    """
    infusions = [day for day in trial.patients["infusion_day"] if day is not None]
    last_infusions = [day for day in trial.patients["last_infusion_day"] if day is not None]
    decided = trial.decisions["committee_day"]
    levels, opened = trial.cohorts["level"], trial.cohorts["opened_day"]
    events = dict(zip(trial.events["event"], trial.events["day"], strict=True))
    days = [
        min(infusions, default=None),
        *(opened[levels.index(k)] if k in levels else None for k in range(1, len(trial.doses) + 1)),
        max(last_infusions, default=None),
        max((day for day in trial.patients["outcome_day"] if day is not None), default=None),
        decided[-1] if decided and trial.stop_reason != TIME_IS_UP else None,
        events.get("expansion closed"),
        events.get("enrolment closed"),
        trial.duration_days if trial.is_complete else None,
    ]
    return dict(zip(milestone_names(len(trial.doses)), days, strict=True))
