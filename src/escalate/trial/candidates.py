"""The way of those who are not enrolled yet: consent, screening, a product of their own, the wait for a place.

Everybody comes on the day that nature has drawn, and ends with a place or in a state without one. Where screening waits
(`screening.while_closed`), who comes is referred, and consents when there is a place to be screened for.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Generator, Iterator
from typing import Any

import simpy

from ..nature.candidates import Candidate
from ..nature.products import attempts
from ..nature.streams import NEVER
from ..scenario.model import Scenario
from ..scenario.resources import Autologous
from .calendar import CANDIDATES, INFUSIONS, PHASES
from .clock import Clock, Steps
from .gates import Gates
from .logbook import Logbook, Person, count
from .places import Places


class Candidates:
    """Everybody who has come to one trial and is not enrolled yet.

    Parameters
    ----------
    scenario : Scenario
        Accrual, screening, product.
    clock, log
        The trial's.
    gates : Gates
        Days on which screening ends.
    draw : callable
        Candidate by number, from 0; ``None`` if nobody comes any more.
    treat : callable
        Steps of the treatment and follow-up of somebody who has a place.
    places : Places
        Where they are given, and reserved.
    waiting : list of Person
        Empty; who would take a place, by the day since when, then in order of coming.
    """

    def __init__(
        self,
        scenario: Scenario,
        clock: Clock,
        log: Logbook,
        gates: Gates,
        draw: Callable[[int], Candidate | None],
        treat: Callable[[Person], Steps],
        places: Places,
        waiting: list[Person],
    ) -> None:
        self._scenario, self._clock, self._log, self._gates = scenario, clock, log, gates
        self._draw, self._treat, self._places, self._waiting = draw, treat, places, waiting
        self._referred: list[Person] = []
        """Who has not consented yet, since screening waits."""
        self._busy = 0
        """Who is in screening, or waits for a product that is being made."""
        self._looks_again_on = self._new_wait_on = -1
        self._closed = False

    # Coming and consent

    def come(self) -> Steps:
        """Bring candidates, one after the other."""
        while (candidate := self._draw(len(self._log.people))) is not None:
            if self._clock.time < PHASES * candidate.consent_day + CANDIDATES:
                yield self._clock.at(candidate.consent_day, CANDIDATES)
            if self._closed:
                return
            person = Person(len(self._log.people) + 1, candidate)
            self._log.people.append(person)
            if self._scenario.screening.waits:
                self._log.event("referred", person)
                self._referred.append(person)
                self._look_for_consents()
            else:
                self._consents(person)

    def openings(self) -> Steps:
        """Write down which sites open, as long as enrolment is open."""
        named = [site for site in self._scenario.recruiting_sites if site.name]
        for site in sorted(named, key=lambda site: site.opens_day):
            yield self._clock.at(site.opens_day, CANDIDATES)
            if self._closed:
                return
            self._log.site_opened(site.name)

    def _consents(self, person: Person) -> None:
        """Let somebody consent; screening begins."""
        person.consent_day = self._clock.today
        self._busy += 1
        self._clock.process(self._way(person))

    def _look_for_consents(self) -> None:
        """See who consents today, once all who come and all results of today are there; tomorrow, if that is over."""
        if self._referred and self._clock.time % PHASES <= CANDIDATES and self._looks_again_on != self._clock.today:
            self._looks_again_on = self._clock.today
            self._clock.last_at(self._clock.today, CANDIDATES).callbacks.append(self._let_consent)

    def _let_consent(self, _: simpy.Event) -> None:
        """Let consent, in order of coming, as many as there are places for."""
        self._looks_again_on = -1
        reserves = self._scenario.treatment.reserves
        if reserves:
            self._log.as_it_happens()
        could = [one for one in self._referred if self._gates.consents_on(self._clock.today, one.candidate.site)]
        many = len(could)
        while (person := self._next_to_consent(could)) is not None:
            could.remove(person)
            self._consents_for_place(person)
        if reserves and (len(could) < many or (could and not self._asking and self._places.ask_at_consent())):
            self._look_for_consents()
        if self._referred and self._new_wait_on != self._clock.today:
            self._new_wait_on = self._clock.today
            self._clock.at(self._clock.today, INFUSIONS).callbacks.append(self._new_ones_wait)

    def _next_to_consent(self, could: list[Person]) -> Person | None:
        """Return who consents next of those who could today, in order of coming; ``None`` where there is no place."""
        return could[0] if could and self._asking < self._most_asking() else None

    def _new_ones_wait(self, _: simpy.Event) -> None:
        """Let those who came today, and could not consent, wait or go; who waits may consent tomorrow."""
        for person in list(self._referred):
            if not person.waits:
                self.stay_without_place(person, "nobody is screened before there is a place to be screened for")
        if self._referred:
            self._clock.at(self._clock.today + 1, CANDIDATES).callbacks.append(lambda _: self._look_for_consents())

    def _consents_for_place(self, person: Person) -> None:
        """Let somebody consent who has come, and reserve the place, where that is done at consent."""
        self._referred.remove(person)
        person.stop_waiting(self._clock.today)
        if self._scenario.treatment.reserves:
            self._places.reserve_place(person)
        self._consents(person)

    def _most_asking(self) -> int:
        """Return how many may be in screening or wait, screened, for the places that candidates consent for."""
        each = 1 if self._scenario.treatment.reserves else self._scenario.screening.candidates_per_place
        return self._places.places_to_consent_for() * (each or NEVER)

    @property
    def _asking(self) -> int:
        """How many have consented and have no place yet, nor a reserved one."""
        return self._busy + len(self._waiting) - self._places.places_reserved

    # Screening, and a product of one's own

    def _way(self, person: Person) -> Steps:
        """Screen, make the product where it is the patient's own, wait for a place; then be treated and followed."""
        reserved = f"a place of cohort {self._log.cohorts[-1].number} is reserved" if person.has_reserved else None
        self._log.event("consent", person, detail=reserved)
        is_in = yield from self._screened(person)
        if is_in and self._scenario.autologous is not None:
            is_in = yield from self._product_is_made(person, self._scenario.autologous)
        while is_in:
            if self._valid_until(person) < self._clock.today:
                self._is_screened_again(person)
            elif (yield self._ask_for_place(person)):
                yield from self._treat(person)
                return
            elif person.state is not None:
                return
            is_in = yield from self._screened(person)

    def _screened(self, person: Person) -> Generator[simpy.Event, Any, bool]:
        """Screen a candidate; return whether every criterion is met."""
        yield self._clock.at(self._results_day(person), CANDIDATES)
        if person.state is not None:
            return False
        person.screening_end_day = self._clock.today
        person.screenings += 1
        if self._fails_screening(person):
            self._busy -= 1
            self._leave(person, "screen failure", "screen failure", person.candidate.failed_criterion)
            self._look_for_consents()
            return False
        self._log.event("eligible", person)
        if self._scenario.autologous is None or person.screenings > 1:
            self._busy -= 1
        return True

    def _results_day(self, person: Person) -> int:
        """Return when the results of a screening that begins today are given."""
        return self._gates.results_day(self._clock.today, person.candidate.site)

    def _fails_screening(self, person: Person) -> bool:
        """Return whether the screening that ends today is failed."""
        return person.screenings > person.candidate.screenings_passed

    def _product_is_made(self, person: Person, own: Autologous) -> Generator[simpy.Event, Any, bool]:
        """Take cells and make the product, again where it comes to nothing; return whether there is one."""
        for number, becomes in enumerate(self._attempts(person, own), start=1):
            self._log.event("apheresis", person, detail=f"attempt {number}" if number > 1 else None)
            yield self._clock.at(self._clock.today + own.manufacture_days, CANDIDATES)
            if person.state is not None:
                return False
            self._log.event(becomes, person)
            if becomes == "product ready":
                self._busy -= 1
                return True
        self._busy -= 1
        self._leave(person, "no product", "no product", "no attempt is left")
        self._look_for_consents()
        return False

    def _attempts(self, person: Person, own: Autologous) -> Iterator[str]:
        """Yield what the attempts to make a product come to, each when it is over."""
        return attempts(own, person.candidate.product_uniform)

    def _valid_until(self, person: Person) -> int:
        """Return the last day on which the results of screening hold."""
        days, since = self._scenario.screening.valid_days, person.screening_end_day
        return NEVER if days is None or since is None else since + days

    def _is_screened_again(self, person: Person) -> None:
        """Write down that screening begins again, since its results hold no longer."""
        self._log.event("screened again", person)
        self._busy += 1

    def _expires(self, person: Person) -> None:
        """Take somebody off the waiting list whose results of screening hold no longer."""
        lasts = person.patience_ends_day is None or person.patience_ends_day > self._clock.today
        if person in self._waiting and self._valid_until(person) < self._clock.today and lasts:
            self._goes_off_the_list(person)
            self._is_screened_again(person)
            person.place.succeed(False)

    # The wait for a place

    def _ask_for_place(self, person: Person) -> simpy.Event:
        """Join the waiting list; the event that comes back says whether there is a place."""
        place = self._clock.event()
        person.place, person.ready_day = place, self._clock.today
        person.waited_days = person.waited_days or 0
        insort(self._waiting, person, key=_turn)
        self._places.fill_places_on(self._clock.today)
        until = self._valid_until(person)
        if until < NEVER:
            self._clock.at(until + 1, CANDIDATES).callbacks.append(lambda _: self._expires(person))
        return place

    def stay_without_place(self, person: Person, why: str) -> None:
        """Wait, as long as patience lasts, or be lost: as the scenario says."""
        patience_days = self._patience_days(person)
        if self._is_lost(person):
            self._give_up(person, "no place", "no place", why)
        elif patience_days is not None and patience_days <= 0:
            self._give_up(person, "withdrew waiting", "withdrew", why)
        else:
            self._waits(person, why)

    def _is_lost(self, person: Person) -> bool:
        """Return whether somebody may not wait, and never has."""
        stands_on_no_list = person.consent_day is None and self._scenario.screening.while_closed == "waits"
        may_not = stands_on_no_list or self._scenario.accrual.without_place == "lost" or self._as_many_wait_as_may()
        return may_not and not person.has_waited and not person.has_reserved

    def _patience_days(self, person: Person) -> int | None:
        """Return for how many days more somebody would wait; ``None`` where there is no end to it."""
        patience_days = self._scenario.accrual.patience_days
        return None if patience_days is None else patience_days - (person.waited_days or 0)

    def _waits(self, person: Person, why: str) -> None:
        """Let somebody wait, as long as patience lasts."""
        person.waits, person.has_waited, person.waits_since = True, True, self._clock.today
        self._log.event("waits", person, detail=why)
        patience_days = self._patience_days(person)
        if patience_days is not None:
            self._patience_ends_on(person, self._clock.today + patience_days)

    def _patience_ends_on(self, person: Person, day: int) -> None:
        """Look on a day whether somebody still waits, and then goes."""
        person.patience_ends_day = day
        self._clock.at(day, CANDIDATES).callbacks.append(lambda _: self._loses_patience(person))

    def _as_many_wait_as_may(self) -> bool:
        most = self._scenario.accrual.most_waiting
        return (
            most is not None
            and sum(one.waits and not one.has_reserved for one in (*self._waiting, *self._referred)) >= most
        )

    def _loses_patience(self, person: Person) -> None:
        """Go, if that is still the day on which patience ends."""
        if person.waits and person.patience_ends_day == self._clock.today:
            what, days = "treatment" if person.has_reserved else "place", self._scenario.accrual.patience_days
            self._give_up(person, "withdrew waiting", "withdrew", f"no {what} within {count(days or 0, 'day')}")

    def _give_up(self, person: Person, state: str, event: str, why: str) -> None:
        """Leave without a place."""
        if person.consent_day is None:
            self._referred.remove(person)
            self._leave(person, "not consented", event, why)
            return
        self._goes_off_the_list(person)
        self._leave(person, state, event, why)
        person.place.succeed(False)
        self._look_for_consents()

    def _goes_off_the_list(self, person: Person) -> None:
        self._waiting.remove(person)
        person.stop_waiting(self._clock.today)
        person.noticed_day = None
        if self._scenario.treatment.notice_days:  # who comes next can be told
            self._places.fill_places_on(self._clock.today)

    # The end

    def _leave(self, person: Person, state: str, event: str, detail: str | None = None) -> None:
        """Let somebody go for good, who gives a reserved place back."""
        if person.has_reserved:
            self._places.give_back_place(person)
        self._log.leave(person, state, event, detail)

    def turn_away(self) -> None:
        """Turn everybody away who is not enrolled, for good."""
        self._closed = True
        for person in self._log.people:
            if person.state is None and person.cohort is None:
                state = "not consented" if person.consent_day is None else "turned away"
                self._leave(person, state, "turned away")
        self._waiting.clear()
        self._referred.clear()


def _turn(person: Person) -> tuple[int, int]:
    """Return whose turn it is: by the day since when somebody waits, then in order of coming."""
    return person.ready_day, person.number
