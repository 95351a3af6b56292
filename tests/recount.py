"""What becomes of a trial in numbers, counted from its events: the dose path, totals, milestones, waits.

`recount` is what many trials keep of one, under the names of `Trials.columns`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

from escalate import Trial
from replay import CUTS, NEVER, NOT_CONSENTED, OUTCOMES, STATES, Event, Story
from replay_gates import GATES


def dose_path(story: Story) -> str:
    """The dose path, from the events."""
    letter = {"DLT": "T", "no DLT": "N", "non-evaluable": "X", "pending": "P"}
    parts = []
    for cohort, people in story.by_cohort.items():
        letters = "".join(letter[p.outcome] for p in people if p.outcome)
        parts += [f"{story.cohorts[cohort]['level']}{letters}"] if letters else []
    return " ".join(parts)


def last_cut(story: Story, cohort: int) -> tuple[int | None, int | None]:
    """The days of the last data cut and of the decision on it; none where the cohort went on after that."""
    cut = decided = None
    for event in story.events:
        if event.cohort != cohort:
            continue
        if event.what in (*CUTS, "expansion closed"):
            cut, decided = event.day, None
        elif event.what == "decision":
            decided = event.day
            if story.before[event.number + 1].open == cohort:
                cut = decided = None
    return cut, decided


def replaced(story: Story, cohort: int) -> int | str:
    """Patients who took a place that another had given back; "?" where the log does not tell who was there first.

    A DLT of one who gave the place back fills a vacant one, and a rolling rule's next places are no replacements.
    """
    people = {p.patient: p for p in story.by_cohort[cohort]}
    rolling, vacant, count = story.gives_places_itself(cohort), 0, 0
    starts = [story.events[p.start].day for p in people.values()]
    gives_back = any(p.refused < NEVER or p.placeless for p in people.values())
    lead = story.schedule(story.cohorts[cohort]["level"]).lead
    if not lead and gives_back and len(set(starts)) < len(starts):
        return "?"
    for event in story.events:
        if event.cohort != cohort:
            continue
        k, places = event.number + 1, story.before[event.number + 1].places
        if event.what == "decision" and rolling and story.before[k].open == cohort and not story.before[k].held:
            vacant = 0
        p = people.get(event.patient)
        if p is None:
            continue
        if event.number == p.start and vacant:
            vacant, count = vacant - 1, count + 1
        gives = event.number == p.refused or (event.number == p.infused and p.placeless)
        lost = event.number == p.settled and p.outcome == "non-evaluable" and not p.placeless
        if gives or (lost and story.replaces and not rolling):
            held = story.held(k) if story.before[k].last == cohort else 0
            vacant += rolling or story.taken(cohort, k) + held < places
        if event.number == p.settled and p.placeless and p.evaluable(k) and vacant:
            vacant -= 1
    return count


def recount(trial: Trial) -> dict[str, Any]:
    """Return what `Trials.columns` keeps of a trial, from its events; without what the log does not tell."""
    story = Story(trial)
    labels, k = [level.label for level in story.s.dose_levels], len(story.events)
    found: dict[str, Any] = {
        "replicate": trial.replicate,
        "recommended": "no dose" if trial.recommended is None else labels[trial.recommended - 1],
        "stop_reason": trial.stop_reason,
        "dose_path": dose_path(story),
        "duration_days": story.events[-1].day,
    }
    for level in range(1, story.s.levels + 1):
        here = [p for p in story.patients if p.level == level]
        back = [replaced(story, c) for c, row in story.cohorts.items() if row["level"] == level]
        counts = {
            "infused": sum(p.infused < NEVER for p in here),
            "evaluable": sum(p.evaluable(k) for p in here),
            "dlts": sum(p.has(k, "DLT") for p in here),
            "non_evaluable": sum(p.has(k, "non-evaluable") for p in here),
            "not_infused": sum(p.refused < NEVER for p in here),
            "replaced": None if "?" in back else sum(back),
        }
        found |= {f"{name}_at_level_{level}": value for name, value in counts.items() if value is not None}
    states = Counter(p.state for p in story.people)
    has = {
        NOT_CONSENTED: story.s.screening.while_closed != "goes_on",
        "no product": story.own_product is not None,
    }
    kept = (state for state in (NOT_CONSENTED, *STATES.values(), "cut off") if has.get(state, True))
    found |= {f"candidates_{state.replace(' ', '_')}": states[state] for state in kept}
    return found | _milestones(story) | _waits(story)


def _milestones(story: Story) -> dict[str, float]:
    nan = float("nan")

    def day(events: list[Event], last: bool = False) -> float:
        return events[-1 if last else 0].day if events else nan

    infusions, closed = story.all("infusion"), story.all("expansion closed")
    outcomes = [story.events[p.settled] for p in story.patients if p.settled < NEVER]
    found = {"first infusion": day(infusions), "last infusion": day(infusions, True)}
    for level in range(1, story.s.levels + 1):
        found[f"level {level} opened"] = day([e for e in story.all("cohort opened") if e.level == level])
    found["last outcome"] = max((event.day for event in outcomes), default=nan)
    found["escalation ended"] = nan if story.final_decision is None else story.final_decision.day
    found["expansion closed"] = day(closed)
    found["enrolment closed"] = day(story.all("enrolment closed"))
    found["trial ended"] = nan if story.time_is_up else story.events[-1].day
    days = {f"{name.replace(' ', '_')}_day": value for name, value in found.items()}
    for number, row in story.cohorts.items():
        if row["purpose"] == "escalation" and number <= min(12, story.cap):
            decided = last_cut(story, number)[1]
            opened = next(e.day for e in story.all("cohort opened") if e.cohort == number)
            days[f"cohort_{number}_days"] = nan if decided is None else decided - opened
    return days


def _waits(story: Story) -> dict[str, int]:
    """What each day was waited for, by what holds at its end; of gates those that the protocol has."""
    days: Counter[str] = Counter()
    numbers = [story.at(day + 1, OUTCOMES) for day in range(story.events[-1].day)]
    for k, group in itertools.groupby(numbers):
        days[_waited_for(story, k)] += len(list(group))
    treatment = story.s.treatment
    weekdays = treatment.weekdays, treatment.lymphodepletion_weekdays, treatment.later_infusion_weekdays
    has = {
        "manufacture": story.own_product is not None,
        "review": story.s.safety.after_sentinel_dlt == "review",
        "notice": story.s.treatment.notice_days > 0,
        "product": story.gates.has_store,
        "capacity": story.s.capacity is not None,
        "closure": len(story.s.calendar.closed) > 0,
        "weekday": min(len(set(each)) for each in weekdays) < 7,
    }
    gates = [gate for gate in ("manufacture", *GATES) if has.get(gate, True)]
    kinds = ["patients", *gates, "lymphodepletion", "DLT windows", "committee", "follow-up"]
    return {f"waits_{kind.replace(' ', '_').replace('-', '_')}_days": days[kind] for kind in kinds}


def _waited_for(story: Story, k: int) -> str:
    now = story.before[k]
    if now.deciding is not None:
        return "committee"
    if now.open is None:
        return "follow-up"
    if _may_start(story, now.open, k) or _for_reserved_places(story, now.open, k):
        if any(p.waits(k) for p in story.people):
            return story.waited_for(now.open, k)
        last = ([e.what for e in p.events if e.number < k] for p in story.people)
        return "manufacture" if any(told[-1:] == ["apheresis"] for told in last) else "patients"
    on_the_way = any(p.on_the_way(k) for p in story.by_cohort[now.open])
    return "lymphodepletion" if on_the_way else "DLT windows"


def _for_reserved_places(story: Story, cohort: int, k: int) -> bool:
    """Whether reserved places alone can be waited for: nobody is treated whose outcome is still to come."""
    if not story.reserves or (story.before[k].concluding and story.cohorts[cohort]["purpose"] != "expansion"):
        return False
    return not any(p.on_the_way(k) or p.pending(k) for p in story.patients)


def _may_start(story: Story, cohort: int, k: int) -> bool:
    """Whether a place is free, or a rolling rule would give one; one that stops when it is asked next gives none.

    A place that is held is free until treatment starts in it.
    """
    now = story.before[k]
    if now.held or story.room_now(k) + story.held(k) <= 0:
        return False
    if story.taken(cohort, k) < now.places or not story.gives_places_itself(cohort):
        return story.taken(cohort, k) < now.places
    actions = [row["action"] for row in story.decisions[now.decisions :] if row["cohort"] == cohort]
    return "stop" not in actions or not {"stop", "suspend"}.issuperset(actions)
