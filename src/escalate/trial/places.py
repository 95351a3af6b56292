"""Places: whose turn it is, who starts in which place on which day, and which are reserved.

Whoever waits takes a place in turn, on the first day on which every gate of `gates` is open. Where no place can be
given, a rolling rule is asked for one. How many places there are, and what the cap leaves, is counted in `census`.
"""

from __future__ import annotations

from typing import Protocol

import simpy

from ..scenario.model import Scenario
from .calendar import LYMPHODEPLETION
from .census import Census
from .clock import Clock
from .gates import CLOSURE, FOR_ONE_COHORT, Gates, Shut
from .logbook import CohortFile, Logbook, Person


class Decisions(Protocol):
    """What is asked of the conduct of the trial."""

    cohort: CohortFile | None
    """The open cohort, if one is open."""

    @property
    def decides_today(self) -> bool:
        """Whether a decision on today's data cut is due yet today."""

    def next_cohort_day(self) -> int | None:
        """Return when the next places open, if nobody pending has a DLT or leaves and the committee then goes on."""

    def may_be_asked(self, cohort: CohortFile | None) -> bool:
        """Return whether a rolling rule can be asked for a place."""

    def keeps_back(self, cohort: CohortFile) -> bool:
        """Return whether nobody starts in a reserved place, since a rolling rule would leave the level."""

    def cut_data(self, cohort: CohortFile, event: str) -> None:
        """Make the data cut."""

    def tell_news(self, cohort: CohortFile) -> None:
        """Look at what follows, now that there is an outcome less to come."""

    def stay_without_place(self, person: Person, why: str) -> None:
        """Let somebody wait or go who has asked for a place today, since none can be given."""


class Places:
    """The places of one trial.

    Parameters
    ----------
    scenario : Scenario
        Treatment, screening, cohort size.
    clock, log, census, gates
        The trial's.
    waiting : list of Person
        Who would take a place, in their turn, as the list changes.
    trial : Decisions
        The conduct of the trial.
    """

    def __init__(
        self,
        scenario: Scenario,
        clock: Clock,
        log: Logbook,
        census: Census,
        gates: Gates,
        waiting: list[Person],
        trial: Decisions,
    ) -> None:
        self._scenario, self._clock, self._log = scenario, clock, log
        self._census, self._gates, self._waiting, self._trial = census, gates, waiting, trial
        self._enrolled = 0
        self._looks: set[int] = set()
        """Days on which it will be looked whether places can be given."""

    # Places are given

    def fill_places_on(self, day: int) -> None:
        """Look on a day, when lymphodepletion starts, whether places can be given; tomorrow, if that is over today."""
        day = max(day, self._clock.next_day_with(LYMPHODEPLETION))
        if day not in self._looks:
            self._looks.add(day)
            self._clock.at(day, LYMPHODEPLETION).callbacks.append(self._fill_places)

    def _fill_places(self, _: simpy.Event) -> None:
        """Let those start who wait and have a place, in their order, as long as a slot is open today."""
        self._looks.discard(self._clock.today)
        if self._scenario.treatment.notice_days and self._trial.cohort is not None:
            self._give_notice(self._census.free_places(self._trial.cohort))
        while self._waiting:
            person, cohort = self._next_with_place()
            if person is None or cohort is None:
                if self._census.rolling:
                    self._clock.at(self._clock.today, LYMPHODEPLETION).callbacks.append(self._ask_for_ready_candidate)
                break
            if self._gates.shut(self._clock.today, cohort) is not None:
                self._clock.at(self._clock.today, LYMPHODEPLETION).callbacks.append(self._hold_up)
                break
            if self._is_kept_back(person, cohort):
                self._clock.at(self._clock.today, LYMPHODEPLETION).callbacks.append(self._keep_back)
                break
            if not self._may_start(person):
                break
            self._enrol(person, cohort)
        if self._new():
            self._clock.at(self._clock.today, LYMPHODEPLETION).callbacks.append(self._leave_without_place)

    def _may_start(self, person: Person) -> bool:
        """Return whether somebody whose place is open starts in it today: whoever has one does."""
        return True

    def _next_with_place(self) -> tuple[Person, CohortFile] | tuple[None, None]:
        """Return the first in line who has a place, and its cohort; all are alike where none is reserved."""
        line = self._waiting if self._census.places_reserved else self._waiting[:1]
        for person in line:
            cohort = self._cohort_for(person)
            if cohort is not None:
                return person, cohort
        return None, None

    def _cohort_for(self, person: Person) -> CohortFile | None:
        """Return the cohort in which somebody who is ready has a place, gates aside; ``None`` without a place.

        A reserved place is there while accrual is suspended, too, and while the committee is called.
        """
        if person.has_reserved:
            last = self._log.cohorts[-1]
            return None if last.must_be_left or self._census.room_now + last.reserved <= 0 else last
        return self._trial.cohort if self._gates.has_place(self._trial.cohort) else None

    def _enrol(self, person: Person, cohort: CohortFile) -> None:
        """Let somebody take a place in a cohort; lymphodepletion starts."""
        self._waiting.remove(person)
        person.stop_waiting(self._clock.today)
        if person.has_reserved:
            person.has_reserved = False
            self._census.releases(cohort)
        self._enrolled += 1
        self._census.starts(cohort)
        cohort.people.append(person)
        person.patient, person.cohort = self._enrolled, cohort
        person.start_day, person.start_time = self._clock.today, self._clock.time
        lead = self._scenario.schedules[cohort.level].lead_days
        person.planned_infusion_day = self._clock.today + lead
        if lead:
            self._log.event("lymphodepletion", person)
        person.place.succeed(True)

    # No place is given today

    def _ask_for_ready_candidate(self, _: simpy.Event) -> None:
        """Make the data cut of a rolling rule: a candidate is ready, and no place can be given any more today."""
        cohort = self._trial.cohort
        if not self._waiting or cohort is None or not self._gives_when_asked(cohort):
            return
        shut = self._gates.shut(self._clock.today, cohort, self._gates.of_unit)
        if shut is not None:
            self._note_gate(cohort, shut)
        else:
            self._trial.cut_data(cohort, "candidate ready")

    def _gives_when_asked(self, cohort: CohortFile) -> bool:
        """Return whether a rolling rule has to be asked for the next place: all are taken, and the cap has room."""
        return (
            self._trial.may_be_asked(cohort) and not self._census.has_free_place(cohort) and self._census.room_now > 0
        )

    def _hold_up(self, _: simpy.Event) -> None:
        """Let those who wait go on waiting for a gate, unless somebody has just given a place back."""
        cohort = self._next_with_place()[1]
        if self._clock.today in self._looks or cohort is None:
            return
        shut = self._gates.shut(self._clock.today, cohort)
        if shut is not None:
            self._note_gate(cohort, shut)

    def _note_gate(self, cohort: CohortFile, shut: Shut) -> None:
        """Look again when a gate opens, or tomorrow; write down what is waited for, if it is another gate than before.

        While the calendar or the unit keeps a place shut, a gate that goes before may shut on any day.
        """
        if shut.gate != cohort.held_up_by:
            cohort.held_up_by = shut.gate
            why = self._gates.closures_on(self._clock.today, cohort) if shut.gate == CLOSURE else ""
            until = f"until {self._log.date(shut.until)}" + (f": {why}" if why else "")
            self._log.event(shut.gate, cohort=cohort, detail=until)
        self.fill_places_on(shut.until if shut.gate in FOR_ONE_COHORT else self._clock.today + 1)

    def _is_kept_back(self, person: Person, cohort: CohortFile) -> bool:
        """Return whether somebody does not start in a reserved place, since a rolling rule would leave the level."""
        return person.has_reserved and cohort.rolling and self._trial.keeps_back(cohort)

    def _keep_back(self, _: simpy.Event) -> None:
        """Make the data cut of a rolling rule that would leave the level, unless a decision is due; look tomorrow."""
        person, cohort = self._next_with_place()
        if self._clock.today in self._looks or person is None or cohort is None:
            return
        if self._gates.shut(self._clock.today, cohort) is not None or not self._is_kept_back(person, cohort):
            return
        self.fill_places_on(self._clock.today + 1)
        if self._trial.cohort is not None:
            self._trial.cut_data(cohort, "candidate ready")

    def _new(self) -> list[Person]:
        """Return who has asked for a place today, and has neither been given one nor been told to wait."""
        today = self._clock.today
        return [person for person in self._waiting if person.ready_day == today and not person.waits]

    def _leave_without_place(self, _: simpy.Event) -> None:
        """Let those who asked for a place today wait or go, once none can be given any more today."""
        if self._clock.today in self._looks or self._trial.decides_today:
            return
        new = self._new()
        whys = [self._why_no_place(person) for person in new]  # who leaves takes a notice along
        for person, why in zip(new, whys, strict=True):
            self._trial.stay_without_place(person, why)

    def _why_no_place(self, person: Person) -> str:
        """Say why treatment cannot start today."""
        cohort = self._cohort_for(person)
        if cohort is None:
            return self._gates.why_closed(self._trial.cohort)
        opens_on = self._gates.opens_on(self._clock.today, cohort)
        if opens_on == self._clock.today:
            return self._gates.why_closed(None)
        closed = self._gates.closures_on(opens_on - 1, cohort) if opens_on > self._clock.today else ""
        told = f" ({closed})" if closed else ""
        if opens_on > self._scenario.trial.max_days:
            return self._scenario.say("no infusion is possible before the trial's time is up") + told
        day = self._log.date(opens_on + self._scenario.schedules[cohort.level].lead_days)
        return f"{self._scenario.say('the next infusion is possible on')} {day}{told}"

    # Notice

    def _give_notice(self, places: int) -> None:
        """Tell as many as there are places for, in their turn, that treatment begins when the notice is over."""
        for person in self._waiting[: max(places, 0)]:
            if person.noticed_day is None:
                person.noticed_day = self._clock.today
                self._log.event("notice given", person)

    def notice_is_void(self) -> None:
        """Forget who was told: the places are no longer there."""
        for person in self._waiting:
            person.noticed_day = None

    # Before screening: places to consent for, and places reserved at consent

    def places_to_consent_for(self) -> int:
        """Return how many places are free, or will be soon enough that candidates consent for them.

        A rolling rule is asked when somebody is ready, for one at a time, unless it has suspended accrual and nothing
        has become known since; where places are reserved at consent, it is asked for one before (`ask_at_consent`).
        """
        cohort, room = self._trial.cohort, max(self._census.room_now, 0)
        if cohort is not None and self._census.has_free_place(cohort):
            return self._census.free_places(cohort)
        if self._trial.may_be_asked(cohort) and not self._scenario.treatment.reserves:
            return min(1, room)
        opens_on = self._trial.next_cohort_day()
        is_soon = opens_on is not None and opens_on <= self._clock.today + self._scenario.screening.opens_days_ahead
        return min(self._scenario.safety.cohort_size, room) - self.places_reserved if is_soon else 0

    def ask_at_consent(self) -> bool:
        """Make the data cut of a rolling rule for somebody who would consent, if every place is taken or reserved."""
        cohort = self._trial.cohort
        if cohort is None or not self._gives_when_asked(cohort):
            return False
        self._trial.cut_data(cohort, "candidate to consent")
        return True

    @property
    def places_reserved(self) -> int:
        """How many places are reserved."""
        return self._census.places_reserved

    def reserve_place(self, person: Person) -> None:
        """Reserve a place for a candidate who consents, if one is free: not where the cohort is yet to be opened."""
        cohort = self._trial.cohort
        if cohort is not None and self._gates.has_place(cohort):
            person.has_reserved = True
            self._census.reserves(cohort)

    def give_back_place(self, person: Person) -> None:
        """Take back the place of a candidate who leaves before treatment; a rolling rule counted on the outcome."""
        cohort = self._log.cohorts[-1]
        person.has_reserved = False
        self._census.releases(cohort)
        self.fill_places_on(self._clock.today)
        if cohort.rolling:
            self._trial.tell_news(cohort)

    def let_go_of_places(self) -> None:
        """Let nobody have a reserved place any more: the level is left, or nobody is enrolled from now on."""
        if self.places_reserved:
            self._log.cohorts[-1].reserved = 0
            for person in self._log.people:
                person.has_reserved = False
