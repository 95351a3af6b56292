"""The way of a patient from enrolment to the end of follow-up: infusions, outcomes, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..nature.patients import Fate
from ..scenario.model import Scenario
from .calendar import DATA_CUT, INFUSIONS, agenda, stopped_on
from .census import Census
from .clock import Clock, Steps
from .gates import Gates
from .logbook import CohortFile, Logbook, Person
from .places import Places


class Consequences(Protocol):
    """What is asked of the conduct of the trial."""

    @property
    def concludes(self) -> bool:
        """Whether the rule has stopped, and what it recommends waits for the last outcomes."""

    def look_at_outcomes_on(self, day: int) -> None:
        """Look on a day whether the cohort has its outcomes."""

    def tell_news(self, cohort: CohortFile) -> None:
        """Look at what follows, now that something is known of a patient of a cohort."""

    def close_if_cap_is_filled(self) -> None:
        """Close enrolment when no place can open any more."""


class Patients:
    """Everybody who is enrolled in one trial.

    Parameters
    ----------
    scenario : Scenario
        Treatment, safety, follow-up.
    clock, log, census, gates
        The trial's.
    fate : callable
        What nature has drawn for a patient, by number from 0, at a level.
    places : Places
        Where they are given, and looked for again when one is free.
    trial : Consequences
        The conduct of the trial.
    """

    def __init__(
        self,
        scenario: Scenario,
        clock: Clock,
        log: Logbook,
        census: Census,
        gates: Gates,
        fate: Callable[[int, int], Fate],
        places: Places,
        trial: Consequences,
    ) -> None:
        self._scenario, self._safety, self._clock, self._log = scenario, scenario.safety, clock, log
        self._census, self._gates, self._fate = census, gates, fate
        self._places, self._trial = places, trial
        self._dlt_known_time = -1
        """When the last DLT became known."""

    def treat(self, person: Person) -> Steps:
        """Infuse, unless something speaks against it, and observe to the end of follow-up."""
        if person.planned_infusion_day > self._clock.today:
            yield self._clock.at(person.planned_infusion_day, INFUSIONS)
        cohort = person.cohort
        assert cohort is not None and person.patient is not None
        fate = self._fate(person.patient - 1, cohort.level)
        self._census.arrives(cohort, person.withheld)
        reason = self._why_not_infused(person, cohort, fate)
        if reason is not None:
            person.not_infused_reason, person.place_free_day = reason, self._clock.today
            self._census.vacates(cohort)
            self._log.leave(person, "not infused", "not infused", reason)
            self._places.fill_places_on(self._clock.today)
            if cohort.rolling or self._trial.concludes:
                self._trial.tell_news(cohort)
            self._trial.look_at_outcomes_on(self._clock.next_day_with(DATA_CUT))
            return
        self._infuse_first(person, cohort, fate)
        for day, phase, event in self._agenda(person, cohort, fate):
            yield self._clock.at(day, phase)
            self._observe(person, cohort, event)

    def _agenda(self, person: Person, cohort: CohortFile, fate: Fate) -> list[tuple[int, int, str]]:
        """Return what lies ahead of a patient who is infused for the first time today."""
        return agenda(self._scenario.schedules[cohort.level], self._scenario.follow_up.days, self._clock.today, fate)

    def _why_not_infused(self, person: Person, cohort: CohortFile, fate: Fate) -> str | None:
        """Return what speaks against the infusion of a lymphodepleted patient."""
        if person.withheld:
            return "withheld: the committee has closed this dose level"
        policy = self._safety.dlt_after_lymphodepletion
        if policy == "withhold" and self._dlt_known_time > person.start_time:
            return "withheld: a DLT became known after lymphodepletion"
        if policy == "withhold_if_closed" and cohort.must_be_left:
            return "withheld: the dose level must be left, and the committee is called"
        return None if fate.infused else self._scenario.say("no infusion was possible")

    def _infuse_first(self, person: Person, cohort: CohortFile, fate: Fate) -> None:
        """Give the first infusion: the patient's day 0."""
        schedule = self._scenario.schedules[cohort.level]
        last_infusion = schedule.last_infusion_day
        person.reduced = not fate.full_dose
        person.full_dose = fate.full_dose and (last_infusion == 0 or last_infusion < stopped_on(fate))
        person.infusion_day = self._clock.today
        person.window_end_day = self._clock.today + schedule.window_end
        person.sentinel = all(other.infusion_day is None for other in cohort.people if other is not person)
        person.outcome = "pending"
        self._census.infuses(cohort)
        if person.sentinel:  # nobody else can turn out to be the sentinel: the stagger of others may be shorter now
            self._places.fill_places_on(self._clock.today)
        if person.reduced and self._safety.replace_partial_dose == "at_once" and not cohort.rolling:
            person.place_free_day = self._clock.today
            self._census.frees_place(cohort)
            self._places.fill_places_on(self._clock.today)
        self._log.infusion(person, cohort)
        self._trial.close_if_cap_is_filled()

    def _infuse_later(self, person: Person, cohort: CohortFile) -> None:
        """Give an infusion after the first one, unless the level has been closed and the protocol withholds it then."""
        if not person.stopped and self._is_withheld(cohort):
            person.stopped, person.full_dose = True, False
            self._log.event("infusion withheld", person, detail="the dose level is closed, or must be left")
        elif not person.stopped:
            self._log.infusion(person, cohort)

    def _is_withheld(self, cohort: CohortFile) -> bool:
        """Return whether later infusions at a cohort's level are not given, as levels stand now."""
        withholds = self._safety.later_infusions_at_closed_level == "withhold"
        return withholds and (cohort.level > self._census.permitted_level or cohort.must_be_left)

    def _observe(self, person: Person, cohort: CohortFile, event: str) -> None:
        """Write down what happened to an infused patient, and what follows from it."""
        if event == "infusion":
            self._infuse_later(person, cohort)
            return
        detail = None
        if event in ("DLT", "late toxicity"):
            person.dlt_day = self._clock.today
        if event == "DLT":
            self._dlt_known_time = self._clock.time
            if person.sentinel and cohort.has_sentinel and self._safety.after_sentinel_dlt == "review":
                cohort.reviewed_day = self._gates.meeting_day(self._clock.today, is_urgent=True)
            self._settle(person, cohort, "DLT")
        elif event == "window completed":
            detail = None if person.full_dose else "less than the full dose: non-evaluable"
            self._settle(person, cohort, "no DLT" if person.full_dose else "non-evaluable", "less than the full dose")
        elif event == "drop-out" and person.outcome == "pending":
            detail, person.left_in_window = "inside the DLT window: non-evaluable", True
            self._settle(person, cohort, "non-evaluable", "left before the end of the DLT window")
        if event == "drop-out":
            self._log.leave(person, "dropped out", event, detail)
        elif event == "follow-up completed":
            self._log.leave(person, "completed", event)
        else:
            self._log.event(event, person, detail=detail)

    def _settle(self, person: Person, cohort: CohortFile, outcome: str, why: str | None = None) -> None:
        """Turn a pending patient into an evaluable or a non-evaluable one."""
        has_place = person.place_free_day is None
        person.outcome, person.outcome_day = outcome, self._clock.today
        self._census.settles(cohort, outcome, has_place)
        self._trial.close_if_cap_is_filled()
        if outcome == "non-evaluable":
            person.non_evaluable_reason = why
            if self._safety.replace_non_evaluable and has_place:
                person.place_free_day = self._clock.today
                self._places.fill_places_on(self._clock.today)
        self._trial.tell_news(cohort)
