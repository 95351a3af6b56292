"""When the next patient may be treated, and when the committee meets: days that follow from the protocol alone."""

from __future__ import annotations

from ..scenario.model import Scenario
from .calendar import next_weekday
from .census import Census
from .logbook import CohortFile


class Gates:
    """The gates between a candidate who is ready and treatment.

    Parameters
    ----------
    scenario : Scenario
        Lead, stagger, weekdays, review.
    census : Census
        Who has a place.
    """

    def __init__(self, scenario: Scenario, census: Census) -> None:
        self._safety, self._weekdays, self._lead = scenario.safety, scenario.treatment.weekdays, scenario.lead_days
        self._start_date, self._census = scenario.trial.start_date, census

    def meeting_day(self, cut_day: int) -> int:
        """Return the day on which the committee decides on a data cut."""
        earliest = cut_day + self._safety.review_delay_days
        return next_weekday(self._start_date, earliest, self._safety.meeting_weekdays)

    def treatment_day(self, earliest: int) -> int:
        """Return the first day on which lymphodepletion may start, as far as weekdays are concerned."""
        return next_weekday(self._start_date, earliest + self._lead, self._weekdays) - self._lead

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

    def start_day(self, cohort: CohortFile | None, room: int, today: int) -> int | None:
        """Return the first day on which lymphodepletion may start; ``None`` while there is no place at all.

        Parameters
        ----------
        cohort : CohortFile or None
            The open cohort, if one is open.
        room : int
            Patients that the cap leaves.
        today : int
            Days since the start date.
        """
        if cohort is None or room <= 0 or not self._census.has_free_place(cohort):
            return None
        return self.treatment_day(max(today, self.stagger_until(cohort) - self._lead))

    def why_closed(self, cohort: CohortFile | None, room: int) -> str:
        """Say why there is no place at all."""
        if cohort is None:
            return "a decision is outstanding"
        if cohort.held and cohort.resume_day is not None:
            return "the rule waits for follow-up: accrual is suspended"
        if cohort.held:
            return "the rule waits for outcomes: accrual is suspended"
        return "the cap leaves no room" if room <= 0 else "every place of the cohort is taken"
