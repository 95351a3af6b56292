"""Who is where in a running trial: the counts that its gates, its data cuts and its cap read.

Counts of patients, places of cohorts, room under the cap; no clock and no decisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from ..committee.protocol import ProtocolRule
from ..scenario.model import Scenario
from ..words.data_cut import Counts
from .logbook import CohortFile, Person


class Census:
    """The counts of one trial.

    Parameters
    ----------
    scenario : Scenario
        Cap, first level, and whether non-evaluable patients are replaced.
    rule : ProtocolRule
        What it reads of a data cut.
    cohorts : sequence of CohortFile
        The trial's cohorts, as they are opened.
    """

    def __init__(self, scenario: Scenario, rule: ProtocolRule, cohorts: Sequence[CohortFile]) -> None:
        self._cohorts, self._rule = cohorts, rule
        self._cap, self._cap_counts = scenario.trial.planned_patients, scenario.trial.cap_counts
        self._replaces, self._windows = scenario.safety.replace_non_evaluable, scenario.windows
        self.evaluable = [0] * scenario.levels
        self.dlts = [0] * scenario.levels
        self.pending = [0] * scenario.levels
        self.outcomes = self.open_windows = 0
        """Evaluable and pending patients of all levels."""
        self.placeless = 0
        """Pending patients whose place was free at once, since they got less than the full dose."""
        self.infused = 0
        self.lymphodepleted = 0
        self.open_levels = scenario.levels
        """How many levels, from the lowest up, no decision so far has eliminated."""
        self.since_decision = (0, 0)
        """Outcomes, and DLTs among them, that became known since the last decision that let accrual go on."""
        self.permitted_level = scenario.safety.start_level - 1
        """The highest level at which somebody may be infused."""
        self.rolling = rule.rolling
        """Whether the rule is asked with outcomes pending."""

    # What happens to patients

    def starts(self, cohort: CohortFile) -> None:
        """Count a patient who starts lymphodepletion; the place may be one that another gave back."""
        if cohort.vacant:
            cohort.vacant -= 1
            cohort.replaced += 1
        self.lymphodepleted += 1
        cohort.lymphodepleted += 1

    def arrives(self, cohort: CohortFile, withheld: bool) -> None:
        """Count a lymphodepleted patient whose infusion is due: infused, or not, as was known before if `withheld`."""
        self.lymphodepleted -= 1
        cohort.lymphodepleted -= 1
        cohort.withheld -= withheld

    def reserves(self, cohort: CohortFile) -> None:
        """Count a place that is reserved at consent."""
        cohort.reserved += 1

    def releases(self, cohort: CohortFile) -> None:
        """Count a place that is reserved no longer: its treatment starts, or somebody else may have it."""
        cohort.reserved -= 1

    def vacates(self, cohort: CohortFile) -> None:
        """Count a place that was given back, unless a DLT beyond the cohort's places fills it."""
        cohort.vacant += cohort.rolling or self.taken_places(cohort) < cohort.places

    def infuses(self, cohort: CohortFile) -> None:
        """Count a patient's first infusion."""
        self.infused += 1
        self.pending[cohort.level] += 1
        self.open_windows += 1
        cohort.pending += 1

    def frees_place(self, cohort: CohortFile) -> None:
        """Count the place of a patient who has just got less than the full dose, and stays under observation."""
        self.placeless += 1
        cohort.placeless += 1
        self.vacates(cohort)

    def settles(self, cohort: CohortFile, outcome: str, has_place: bool) -> None:
        """Count the outcome of a pending patient; a DLT of one without a place fills a place that is vacant."""
        self.pending[cohort.level] -= 1
        self.open_windows -= 1
        cohort.pending -= 1
        self.placeless -= not has_place
        cohort.placeless -= not has_place
        if outcome == "non-evaluable":
            cohort.non_evaluable += 1
            if has_place and self._replaces and not cohort.rolling:
                self.vacates(cohort)
            return
        cohort.vacant -= not has_place and cohort.vacant > 0
        has_dlt = outcome == "DLT"
        self.evaluable[cohort.level] += 1
        self.outcomes += 1
        self.dlts[cohort.level] += has_dlt
        cohort.evaluable += 1
        cohort.dlts += has_dlt
        outcomes, dlts = self.since_decision
        self.since_decision = (outcomes + 1, dlts + has_dlt)

    def permit(self, level: int) -> None:
        """Let nobody be infused above a level; who is on the way to one is told, and gets no cells whatever follows."""
        self.permitted_level = level
        for cohort in self._cohorts:
            if cohort.level > level and cohort.withheld < cohort.lymphodepleted:
                cohort.withheld = cohort.lymphodepleted
                for person in cohort.people:
                    person.withheld = person.withheld or (person.state is None and person.infusion_day is None)

    # Places

    def decided_places(self, cohort: CohortFile) -> int:
        """Return how many places of the cohort have their outcome, or are lost for good.

        A rolling cohort replaces nobody by itself: the rule is asked again.
        """
        lost = cohort.non_evaluable if cohort.rolling or not self._replaces else 0
        return cohort.evaluable + lost

    def taken_places(self, cohort: CohortFile) -> int:
        """Return how many places of the cohort cannot be given any more, or are reserved."""
        started = self.decided_places(cohort) + cohort.pending + cohort.lymphodepleted - cohort.placeless
        return started + cohort.reserved

    @property
    def cap_is_filled(self) -> bool:
        """Whether so many count for the cap for good, whatever is still to come."""
        return (self.infused if self._cap_counts == "infused" else self.outcomes) >= self._cap

    def has_free_place(self, cohort: CohortFile) -> bool:
        """Return whether the cohort has a place that nobody has taken, and that may be given."""
        return not cohort.held and self.taken_places(cohort) < cohort.places

    def free_places(self, cohort: CohortFile) -> int:
        """Return how many places can be given now, or as soon as every gate is open."""
        free = cohort.places - self.taken_places(cohort) if self.has_free_place(cohort) else 0
        return max(min(free, self.room_now), 0)

    def room_up_to(self, level: int) -> int:
        """Return what the cap leaves if nothing above a level is given any more: who waits for that gets no cells.

        Reserved places are not counted.
        """
        with_place = self.outcomes + self.open_windows - self.placeless
        used = self.infused if self._cap_counts == "infused" else with_place
        on_the_way = self.lymphodepleted and sum(
            c.lymphodepleted - c.withheld for c in self._cohorts if c.level <= level
        )
        return self._cap - used - on_the_way

    @property
    def room_now(self) -> int:
        """What the cap leaves as levels stand now, beside the reserved places."""
        return self.room_up_to(self.permitted_level) - self.places_reserved

    @property
    def places_reserved(self) -> int:
        """How many places are reserved; all of them are of the last cohort."""
        return self._cohorts[-1].reserved if self._cohorts else 0

    def reserved_at(self, level: int) -> int:
        """Return how many places at a level are reserved."""
        last = self._cohorts[-1] if self._cohorts else None
        return last.reserved if last is not None and last.level == level else 0

    # Outcomes

    def followup_suffices_on(self, level: int, people: Sequence[Person], today: int) -> int | None:
        """Return when all pending patients of a level will have been observed for as long as a suspended rule asks.

        Patients on the way to their infusion are pending, too, and who has a reserved place is as if infused today;
        ``None`` if nobody is, or the rule waits for outcomes.
        """
        at_level = (person for person in people if person.cohort is not None and person.cohort.level == level)
        starts = [
            person.planned_infusion_day
            for person in at_level
            if person.outcome == "pending" or (person.infusion_day is None and person.state is None)
        ]
        starts += [today] * self.reserved_at(level)
        days = self._rule.days_to_resume[level]
        return max(starts) + days if starts and days else None

    @property
    def is_anything_outstanding(self) -> bool:
        """Whether anybody's outcome is still to come."""
        return self.lymphodepleted > 0 or self.open_windows > 0

    def on_the_way(self, level: int) -> int:
        """Return how many patients at a level are lymphodepleted and not yet infused."""
        return self.lymphodepleted and sum(c.lymphodepleted for c in self._cohorts if c.level == level)

    def last_window_end(self, cohort: CohortFile) -> int | None:
        """Return when the last window of a cohort ends if nobody leaves it; ``None`` if none is to come."""
        ends = [
            person.planned_infusion_day + self._windows[cohort.level]
            for person in cohort.people
            if person.outcome == "pending" or (person.infusion_day is None and person.state is None)
        ]
        return max(ends, default=None)

    def outstanding(self, cohort: CohortFile) -> int:
        """Return how many outcomes are still to come: the cohort's, and with a rolling rule the level's."""
        if not cohort.rolling:
            free = max(cohort.places - self.taken_places(cohort), 0)
            return free + cohort.reserved + cohort.pending + cohort.lymphodepleted - cohort.placeless
        free = cohort.places - self.taken_places(cohort) if self.has_free_place(cohort) else 0
        return free + cohort.reserved + self.pending[cohort.level] + self.on_the_way(cohort.level)

    def beyond_places(self, cohort: CohortFile) -> int:
        """Return how many are more than the cohort has places, by DLTs of those without: nobody replaces so many."""
        return 0 if cohort.rolling else max(self.taken_places(cohort) - cohort.places, 0)

    def is_complete(self, cohort: CohortFile, concluding: bool, has_news: bool) -> bool:
        """Return whether every outcome is known that the decision waits for, and no place can be filled any more.

        A cohort rule waits for those of the cohort; a rolling rule, if it has to wait at all, for all of them, and so
        does the last decision of a trial that has stopped. For reserved places, on which nothing is known yet, a
        rolling rule does not wait once there is news.
        """
        if cohort.reserved and not (cohort.rolling and has_news):
            return False
        if cohort.rolling or (concluding and cohort.purpose == "escalation"):
            return not self.is_anything_outstanding and (not self.has_free_place(cohort) or self.room_now <= 0)
        if cohort.lymphodepleted or cohort.pending:
            return False
        return not self.has_free_place(cohort) or self.room_now <= 0

    def known(self, cohort: CohortFile, people: Sequence[Person], today: int) -> Counts:
        """Return what a committee can see of the trial now."""
        rule = self._rule
        counts = Counts(
            cohort.level,
            tuple(self.evaluable),
            tuple(self.dlts),
            tuple(self.pending),
            open_levels=self.open_levels,
        )
        if rule.rolling:
            pending = tuple(
                c + self.on_the_way(level) + self.reserved_at(level) for level, c in enumerate(self.pending)
            )
            counts = counts._replace(pending=pending)
        if rule.reads_last:
            counts = counts._replace(last=self.since_decision if rule.rolling else (cohort.evaluable, cohort.dlts))
        if not rule.reads_followup:
            return counts
        not_started = [(cohort.level, 0)] * cohort.reserved
        counts = _with_followup(counts, people, today, self._windows, not_started)
        return counts if rule.reads_dlt_days else counts._replace(dlt_days=())


def _with_followup(
    counts: Counts,
    people: Sequence[Person],
    today: int,
    windows: tuple[int, ...],
    not_started: Sequence[tuple[int, int]],
) -> Counts:
    """Add what is known of single patients: how far the pending are, when the lost left, when DLTs came.

    Of those for whom a place is reserved it is given: level, and days seen.
    """
    seen, lost, dlt_days = [*not_started], [], []
    for person in people:
        cohort, since = person.cohort, person.infusion_day
        if cohort is None:
            continue
        if since is None:
            if person.state is None:
                seen.append((cohort.level, 0))
        elif person.outcome == "pending":
            seen.append((cohort.level, today - since))
        elif person.outcome == "DLT" and person.dlt_day is not None:
            dlt_days.append((cohort.level, person.dlt_day - since))
        elif person.left_in_window and person.outcome_day is not None:
            lost.append((cohort.level, person.outcome_day - since))
    return counts._replace(
        seen=tuple(sorted(seen)),
        lost=tuple(sorted(lost)),
        dlt_days=tuple(sorted(dlt_days, key=itemgetter(1, 0))),
        windows=windows,
    )
