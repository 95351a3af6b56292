"""When the next patient may be treated, and when the committee meets: days that follow from the protocol.

A place opens on the first day on which every gate lets it. Each gate answers one question: from a day on, which is the
first on which a treatment may begin? On each day a place waits for the first gate of the list that is shut.

=========  ==========================================================================================================
gate       keeps a place shut until
=========  ==========================================================================================================
cohort     enrolment is open, the cohort has a place for the candidate, and the cap has room
stagger    the infusion is far enough from those of the cohort before it
review     the committee has looked at the sentinel's DLT
notice     the candidate has been told for long enough
product    there is a dose; of batches to come it is not known yet that they fail
capacity   the unit has a bed, and its weeks have room for the infusions
closure    no day of lymphodepletion, and no infusion, falls on a closed day
weekday    the start of lymphodepletion and all infusions fall on weekdays of theirs
=========  ==========================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from numpy.typing import NDArray

from ..scenario.model import Scenario
from ..words.tables import GATES
from .census import Census
from .logbook import CohortFile, Person
from .resources import Resources

STAGGER, REVIEW, NOTICE, PRODUCT, CAPACITY, CLOSURE, WEEKDAY = GATES
FOR_ONE_COHORT = STAGGER, REVIEW
"""Gates that no other one goes before that could shut meanwhile."""


class Gate(NamedTuple):
    """What may keep a place shut.

    Parameters
    ----------
    name : str
        What is waited for.
    first_day : callable
        From a day on, in a cohort: the first day on which a treatment may begin.
    """

    name: str
    first_day: Callable[[int, CohortFile], int]


class Shut(NamedTuple):
    """The gate that keeps a place shut, and the first day on which it lets it open."""

    gate: str
    until: int


class Gates:
    """The gates between a candidate who is ready and treatment.

    Parameters
    ----------
    scenario : Scenario
        Lead, stagger, weekdays, closures, review.
    census : Census
        Who has a place.
    people : sequence of Person
        Everybody who has come, as they come.
    batch_fails : sequence of bool
        What becomes of each batch of the product.
    waiting : sequence of Person
        Who would take a place, as the list changes; the first of them is whose turn it is.
    """

    def __init__(
        self,
        scenario: Scenario,
        census: Census,
        people: Sequence[Person],
        batch_fails: Sequence[bool],
        waiting: Sequence[Person],
    ) -> None:
        self._waiting, self._notice_days = waiting, scenario.treatment.notice_days
        self._safety, self._schedules, self._census = scenario.safety, scenario.schedules, census
        self._open_days, self._sites = scenario.open_days, scenario.recruiting_sites
        self._resources = Resources(scenario, people, batch_fails)
        closures, weekdays = self._open_days.by_closure, self._open_days.by_weekday
        self.of_unit = _those_there(
            (scenario.store, Gate(PRODUCT, lambda day, _: self._resources.with_dose(day))),
            (scenario.capacity, Gate(CAPACITY, lambda day, cohort: self._resources.with_capacity(day, cohort.level))),
            (True, Gate(CLOSURE, lambda day, cohort: _looked_up(closures[cohort.level], day))),
            (True, Gate(WEEKDAY, lambda day, cohort: _looked_up(weekdays[cohort.level], day))),
        )
        """Those that are the same for every cohort of a level: a rolling rule is asked for a candidate when they are
        open, on the data of the day on which a treatment at the cohort's level can begin."""
        looks = self._safety.after_sentinel_dlt == "review"
        self.listed = (
            *_those_there(
                (True, Gate(STAGGER, self.after_stagger)),
                (looks, Gate(REVIEW, lambda day, cohort: max(day, cohort.reviewed_day))),
                (self._notice_days, Gate(NOTICE, lambda day, _: max(day, self._notice_until()))),
            ),
            *self.of_unit,
        )
        """All that are shut up to some day."""

    def meeting_day(self, cut_day: int, is_urgent: bool = False) -> int:
        """Return the day on which the committee decides on a data cut; beyond the trial's time, if none comes."""
        if is_urgent and self._safety.urgent_review_days is not None:
            return _looked_up(self._open_days.urgent, cut_day + self._safety.urgent_review_days)
        return _looked_up(self._open_days.committee, cut_day + self._safety.review_delay_days)

    def results_day(self, consent_day: int, site: int) -> int:
        """Return the day on which the results of screening are given to who consented on a day at a site, from 0."""
        at = self._sites[site]
        return _looked_up(at.open_days.screening, consent_day + at.screening_days)

    def consents_on(self, day: int, site: int) -> bool:
        """Return whether somebody may consent on a day at a site, from 0."""
        return _looked_up(self._sites[site].open_days.consent, day) == day

    def _notice_until(self) -> int:
        """Return the first day on which the one whose turn it is has been told for long enough."""
        told = self._waiting[0].noticed_day if self._waiting else None
        return 0 if told is None else told + self._notice_days

    def after_stagger(self, day: int, cohort: CohortFile) -> int:
        """Return the first day, from a day on, on which the cohort's next treatment may begin as the stagger goes."""
        lead = self._schedules[cohort.level].lead_days
        early = lead if self._safety.lymphodepletion_in_stagger else 0
        return max(day, self.stagger_until(cohort) - early)

    def stagger_until(self, cohort: CohortFile) -> int:
        """Return the first day on which the cohort's next patient may be infused.

        A lymphodepleted patient may get no cells in the end, and the next one is then the sentinel: until somebody of
        the cohort has been infused, everybody who may turn out to be the first is staggered as a sentinel, too.
        """
        treated = [person for person in cohort.people if person.not_infused_reason is None]
        days, somebody_infused = [0], False
        for number, person in enumerate(treated):
            may_be_sentinel = cohort.has_sentinel and not somebody_infused
            staggers = [self._safety.sentinel_stagger_days] if may_be_sentinel else []
            if number or not cohort.has_sentinel:
                staggers.append(self._safety.stagger_days)
            days.append(person.planned_infusion_day + max(staggers))
            somebody_infused = somebody_infused or person.infusion_day is not None
        return max(days)

    def has_place(self, cohort: CohortFile | None) -> bool:
        """Return whether there is a place at all in the open cohort, if one is open: the gate of the cohort."""
        return cohort is not None and self._census.has_free_place(cohort) and self._census.room_now > 0

    def shut(self, today: int, cohort: CohortFile, gates: Sequence[Gate] | None = None) -> Shut | None:
        """Return the gate that keeps a place of a cohort shut today; ``None`` where it is open.

        Parameters
        ----------
        today : int
            Days since the start date.
        cohort : CohortFile
            It has a place.
        gates : sequence of Gate, optional
            All of them where it is not given.
        """
        self._resources.today = today
        for name, first_day in gates or self.listed:
            day = first_day(today, cohort)
            if day > today:
                return Shut(name, day)
        return None

    def opens_on(self, today: int, cohort: CohortFile) -> int:
        """Return the first day, from today on, on which every gate lets a place open, as far as is known today."""
        self._resources.today = today
        day, before = today, -1
        while day != before:
            before = day
            for gate in self.listed:
                day = gate.first_day(day, cohort)
        return day

    def closures_on(self, day: int, cohort: CohortFile) -> str:
        """Return the reasons of the closures that a treatment beginning on a day would fall on; empty without any."""
        return ", ".join(self._open_days.reasons(day, cohort.level))

    def why_closed(self, cohort: CohortFile | None) -> str:
        """Say why there is no place at all."""
        if cohort is None:
            return "a decision is outstanding"
        if cohort.held and cohort.resume_day is not None:
            return "the rule waits for follow-up: accrual is suspended"
        if cohort.held:
            return "the rule waits for outcomes: accrual is suspended"
        return "the cap leaves no room" if self._census.room_now <= 0 else "every place of the cohort is taken"


def _those_there(*gates: tuple[object, Gate]) -> tuple[Gate, ...]:
    """Return the gates that the scenario has."""
    return tuple(gate for is_there, gate in gates if is_there)


def _looked_up(first_days: NDArray, day: int) -> int:  # type: ignore[type-arg]
    return first_days.item(day) if day < len(first_days) else day
