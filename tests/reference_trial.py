"""One trial, day by day and phase by phase: a second, deliberately naive implementation of the calendar.

There is no clock and no queue: every day, in every phase, everybody is looked at, and whatever is due today is done.
It was written from the specification of the calendar alone; with `escalate` it shares what nature draws
(`escalate.patients.Nature`) and the scenario, and not the calendar, the committee or the rule.

The phases of a day, in order:

0. outcomes dated today of patients whose first infusion was on an earlier day;
1. data cut;
2. committee;
3. candidates: consents, screening results, withdrawals from waiting;
4. infusions;
5. lymphodepletion starts (without lymphodepletion: first infusions);
6. evening: outcomes dated today of patients whose first infusion is today.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from escalate.patients import Fate, Nature
from escalate.scenario import Scenario
from reference_interval_rules import boin, boin_mtd
from reference_three_plus_three import reference_rule

OUTCOMES, DATA_CUT, COMMITTEE, CANDIDATES, INFUSIONS, LYMPHODEPLETION, EVENING, END = range(8)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

CAP_REACHED = "cap reached, inconclusive"
TIME_UP = "max_days reached"
BELOW_ALL_LEVELS = -1

AS_MANY_AS_A_COHORT = 10**6

Rule = Callable[[int, list[int], list[int]], tuple[str, int | None, int, str | None]]


def three_plus_three(scenario: Scenario) -> Rule:
    """Return the 3+3 rule of a scenario."""
    return lambda level, n, y: reference_rule(scenario.rule.variant, level, n, y)


def boin_rule(scenario: Scenario) -> Rule:
    """Return BOIN with the scenario's target, other options at their defaults."""

    def ask(level: int, n: list[int], y: list[int]) -> tuple[str, int | None, int, str | None]:
        action, following = boin(level, n, y, target=scenario.rule.target)
        if action == "stop":
            return "stop", None, 0, "lowest dose level too toxic"
        return action, following, AS_MANY_AS_A_COHORT, None

    return ask


@dataclass
class Person:
    """A candidate, who may become a patient; numbers count from 1, levels from 0."""

    candidate: int
    consent_day: int
    failed_criterion: str | None
    screening_end_day: int | None = None
    state: str | None = None
    left_day: int | None = None

    patient: int | None = None
    cohort: Cohort | None = None
    level: int | None = None
    fate: Fate | None = None
    treatment_start_day: int | None = None
    planned_infusion_day: int | None = None
    refused: bool = False
    infusion_day: int | None = None
    last_infusion_day: int | None = None
    infusions: int = 0
    outcome: str | None = None
    outcome_day: int | None = None

    @property
    def between_lymphodepletion_and_infusion(self) -> bool:
        return self.patient is not None and self.infusion_day is None and not self.refused

    @property
    def infused(self) -> bool:
        return self.infusion_day is not None

    @property
    def evaluable(self) -> bool:
        return self.outcome in ("DLT", "no DLT")

    @property
    def pending(self) -> bool:
        return self.outcome == "pending"

    @property
    def non_evaluable(self) -> bool:
        return self.outcome == "non-evaluable"


@dataclass
class Cohort:
    """The patients treated at one level between two decisions."""

    number: int
    level: int
    places: int
    has_sentinel: bool
    expansion: bool
    people: list[Person] = field(default_factory=list)


class ReferenceTrial:
    """One trial; `run` goes through its days."""

    def __init__(self, scenario: Scenario, seed: int, replicate: int) -> None:
        self.s = scenario
        self.is_boin = scenario.rule.name == "BOIN"
        self.rule = boin_rule(scenario) if self.is_boin else three_plus_three(scenario)
        self.replicate = replicate
        self.nature = Nature(scenario, seed, replicate, 1)
        self.today = 0
        self.phase = OUTCOMES
        self.events: list[tuple[Any, ...]] = []
        self.phases: list[int] = []  # of the events
        self.people: list[Person] = []  # in order of consent
        self.patients: list[Person] = []  # in order of enrolment
        self.waiting_list: list[Person] = []
        self.cohorts: list[Cohort] = []
        self.open_cohort: Cohort | None = None
        self.deciding_on: Cohort | None = None
        self.meeting_day: int | None = None
        self.frozen: tuple[list[int], list[int]] | None = None
        self.still_to_come = 0
        self.enrolment_closed = False
        self.permitted_level = scenario.safety.start_level - 1
        self.news_for_data_cut = False
        self.counted_dlts_known: list[tuple[int, int]] = []  # day and phase
        self.stop_reason: str | None = None
        self.recommended: int | None = None

    def run(self) -> dict[str, Any]:
        """Go through the days until the trial ends, and return its story."""
        self.open_first_cohort()
        while True:
            self.one_day()
            if self.enrolment_closed and all(person.state is not None for person in self.people):
                break
            if self.today == self.s.trial.max_days:
                for person in self.people:
                    if person.state is None:
                        self.leave(person, "cut off")
                break
            self.today += 1
        self.phase = END
        self.note("trial ended")
        if self.stop_reason is None:
            self.stop_reason = TIME_UP
        return self.story()

    def one_day(self) -> None:
        self.phase = OUTCOMES
        self.outcomes(of_infused_today=False)
        self.phase = DATA_CUT
        self.data_cut()
        self.phase = COMMITTEE
        self.committee()
        self.phase = CANDIDATES
        self.consents()
        self.screening_results()
        self.withdrawals()
        self.phase = INFUSIONS
        self.infusions()
        self.phase = LYMPHODEPLETION
        self.give_places()
        self.without_a_place()
        self.phase = EVENING
        self.outcomes(of_infused_today=True)

    # Outcomes

    def outcomes(self, of_infused_today: bool) -> None:
        for person in self.patients:
            if person.infused and person.state is None and (person.infusion_day == self.today) == of_infused_today:
                self.outcomes_of(person)

    def outcomes_of(self, person: Person) -> None:
        offset = self.today - person.infusion_day
        fate = person.fate
        window_end = self.s.window_end_offset
        last_observed = min(fate.drop_out_day, self.s.follow_up.days)

        if offset == fate.dlt_day and offset <= last_observed:
            if offset <= window_end:
                self.note("DLT", person)
                self.known(person, "DLT")
                self.counted_dlts_known.append((self.today, self.phase))
            else:
                self.note("late toxicity", person)
        if offset == window_end and window_end <= last_observed and not fate.dlt_day <= window_end:
            self.note("window completed", person)
            self.known(person, "no DLT" if self.full_dose_in_window(person) else "non-evaluable")
        if offset == last_observed:
            if fate.drop_out_day < self.s.follow_up.days:
                self.note("drop-out", person)
                if person.pending:
                    self.known(person, "non-evaluable")
                self.leave(person, "dropped out")
            else:
                self.note("follow-up completed", person)
                self.leave(person, "completed")

    def known(self, person: Person, outcome: str) -> None:
        person.outcome = outcome
        person.outcome_day = self.today
        self.news_for_data_cut = True

    def full_dose_in_window(self, person: Person) -> bool:
        """Whether the patient got the full dose, as far as the end of the window can tell.

        An infusion planned for after the end of the window has not been missed yet when the window ends.
        """
        if not person.fate.full_dose:
            return False
        for day in self.s.treatment.infusion_days[1:]:
            if day <= self.s.window_end_offset and not self.later_infusion_given(person, day):
                return False
        return True

    def later_infusion_given(self, person: Person, day: int) -> bool:
        return day < min(person.fate.dlt_day, person.fate.drop_out_day)

    # Data cut

    def data_cut(self) -> None:
        news, self.news_for_data_cut = self.news_for_data_cut, False
        cohort = self.open_cohort
        if cohort is None or not news:
            return
        n, y = self.counts()
        still_to_come = 0
        if self.complete(cohort):
            self.note("cohort complete", cohort=cohort)
            if cohort.expansion:
                self.open_cohort = None
                self.close_enrolment()
                return
        elif self.s.safety.early_decision and not cohort.expansion and self.forced(cohort, n, y):
            self.note("decision forced", cohort=cohort)
            still_to_come = self.outstanding(cohort)
        else:
            return
        self.open_cohort = None
        self.deciding_on = cohort
        self.frozen, self.still_to_come = (n, y), still_to_come
        self.meeting_day = self.today + self.s.safety.review_delay_days
        while self.weekday(self.meeting_day) not in self.s.safety.meeting_weekdays:
            self.meeting_day += 1

    def counts(self) -> tuple[list[int], list[int]]:
        n = [0] * self.s.levels
        y = [0] * self.s.levels
        for person in self.patients:
            if person.evaluable:
                n[person.level] += 1
            if person.outcome == "DLT":
                y[person.level] += 1
        return n, y

    def filled(self, cohort: Cohort) -> int:
        """Places of the cohort that are used up for good."""
        filled = sum(person.evaluable for person in cohort.people)
        if not self.s.safety.replace_non_evaluable:
            filled += sum(person.non_evaluable for person in cohort.people)
        return filled

    def outstanding(self, cohort: Cohort) -> int:
        return cohort.places - self.filled(cohort)

    def complete(self, cohort: Cohort) -> bool:
        for person in cohort.people:
            if person.between_lymphodepletion_and_infusion or person.pending:
                return False
        return self.filled(cohort) >= cohort.places or self.cap_room() <= 0

    def forced(self, cohort: Cohort, n: list[int], y: list[int]) -> bool:
        outstanding = self.outstanding(cohort)
        all_places_will_be_filled = self.s.safety.replace_non_evaluable and self.s.trial.cap_counts == "evaluable"
        answers = set()
        for more in [outstanding] if all_places_will_be_filled else range(outstanding + 1):
            for more_dlts in range(more + 1):
                n_then, y_then = list(n), list(y)
                n_then[cohort.level] += more
                y_then[cohort.level] += more_dlts
                action, level, _, _ = self.rule(cohort.level, n_then, y_then)
                answers.add((action, level))
        if len(answers) > 1:
            return False
        _, level = answers.pop()
        return level is None or level < cohort.level

    # Committee

    def committee(self) -> None:
        if self.deciding_on is None or self.today != self.meeting_day:
            return
        cohort, (n, y) = self.deciding_on, self.frozen
        self.deciding_on = self.meeting_day = self.frozen = None
        read = list(n)
        read[cohort.level] += self.still_to_come  # of a forced decision: read as if without a DLT
        action, level, wanted, reason = self.rule(cohort.level, read, y)
        places = min(wanted, self.s.safety.cohort_size)
        if action != "stop" and places > self.cap_room(level):
            action, level, reason = "stop", None, CAP_REACHED
            if self.is_boin:
                best = boin_mtd(n, y, self.s.rule.target)
                level, reason = (None if best < 0 else best), "cap reached"
        self.note("decision", cohort=cohort, level=level)
        self.permitted_level = BELOW_ALL_LEVELS if level is None else level
        if action != "stop":
            self.open(level, places, expansion=False)
            return
        self.stop_reason, self.recommended = reason, level
        room = self.cap_room()
        if self.s.safety.when_rule_finished == "expand" and level is not None and room > 0:
            self.open(level, room, expansion=True)
        else:
            self.close_enrolment()

    def open_first_cohort(self) -> None:
        level = self.s.safety.start_level - 1
        nobody = [0] * self.s.levels
        _, _, wanted, _ = self.rule(level, nobody, nobody)
        self.open(level, min(wanted, self.s.safety.cohort_size), expansion=False)

    def open(self, level: int, places: int, expansion: bool) -> None:
        first_at_level = all(cohort.level != level for cohort in self.cohorts)
        has_sentinel = first_at_level or self.s.safety.sentinel == "every_cohort"
        cohort = Cohort(len(self.cohorts) + 1, level, places, has_sentinel, expansion)
        self.cohorts.append(cohort)
        self.open_cohort = cohort
        self.note("cohort opened", cohort=cohort)

    def close_enrolment(self) -> None:
        self.enrolment_closed = True
        self.note("enrolment closed")
        for person in self.people:
            if person.state is None and person.patient is None:
                self.note("turned away", person)
                self.leave(person, "turned away")
        self.waiting_list = []

    def cap_room(self, permitted_level: int | None = None) -> int:
        """Those on their way to an infusion above the permitted level will get no cells, and count no more."""
        if permitted_level is None:
            permitted_level = self.permitted_level
        if self.s.trial.cap_counts == "evaluable":
            used = sum(person.evaluable or person.pending for person in self.patients)
        else:
            used = sum(person.infused for person in self.patients)
        on_the_way = sum(
            person.between_lymphodepletion_and_infusion
            for person in self.patients
            if person.cohort.level <= permitted_level
        )
        return self.s.trial.planned_patients - used - on_the_way

    # Candidates

    def consents(self) -> None:
        if self.enrolment_closed:
            return
        while True:
            drawn = self.nature.candidate(self.replicate, len(self.people))
            if drawn is None or drawn.consent_day != self.today:
                return
            person = Person(len(self.people) + 1, drawn.consent_day, drawn.failed_criterion)
            self.people.append(person)
            self.note("consent", person)

    def screening_results(self) -> None:
        for person in self.people:
            if person.state is None and person.consent_day + self.s.screening.days == self.today:
                person.screening_end_day = self.today
                if person.failed_criterion is not None:
                    self.note("screen failure", person)
                    self.leave(person, "screen failure")
                else:
                    self.note("eligible", person)
                    self.waiting_list.append(person)

    def withdrawals(self) -> None:
        patience = self.s.accrual.patience_days
        if patience is None or patience == 0:
            return
        for person in list(self.waiting_list):
            if person.screening_end_day + patience == self.today:
                self.withdraw(person)

    def withdraw(self, person: Person) -> None:
        self.waiting_list.remove(person)
        self.note("withdrew", person)
        self.leave(person, "withdrew waiting")

    def without_a_place(self) -> None:
        for person in list(self.waiting_list):
            if person.screening_end_day != self.today:
                continue
            if self.s.accrual.without_place == "lost":
                self.waiting_list.remove(person)
                self.note("no place", person)
                self.leave(person, "no place")
            elif self.s.accrual.patience_days == 0:
                self.withdraw(person)
            else:
                self.note("waits", person)

    # Treatment

    def infusions(self) -> None:
        for person in self.patients:
            if person.between_lymphodepletion_and_infusion and person.planned_infusion_day == self.today:
                self.infuse_or_refuse(person)
            elif person.infused and person.infusion_day < self.today:
                offset = self.today - person.infusion_day
                if offset in self.s.treatment.infusion_days and self.later_infusion_given(person, offset):
                    self.infuse(person)

    def infuse_or_refuse(self, person: Person) -> None:
        above = person.level > self.permitted_level
        withheld = False
        if self.s.safety.dlt_after_lymphodepletion == "withhold":
            for moment in self.counted_dlts_known:
                if moment > (person.treatment_start_day, LYMPHODEPLETION):
                    withheld = True
        if above or withheld or not person.fate.infused:
            person.refused = True
            self.note("not infused", person)
            self.leave(person, "not infused")
        else:
            person.infusion_day = self.today
            person.outcome = "pending"
            self.infuse(person)

    def infuse(self, person: Person) -> None:
        person.infusions += 1
        person.last_infusion_day = self.today
        self.note("infusion", person)

    def give_places(self) -> None:
        while self.waiting_list and self.slot_is_open():
            person = self.waiting_list.pop(0)
            person.patient = len(self.patients) + 1
            person.cohort = self.open_cohort
            person.level = self.open_cohort.level
            person.fate = self.nature.fate(self.replicate, person.patient - 1, person.level)
            person.treatment_start_day = self.today
            person.planned_infusion_day = self.today + self.s.lead_days
            self.patients.append(person)
            self.open_cohort.people.append(person)
            if self.s.lead_days > 0:
                self.note("lymphodepletion", person)
            else:
                self.infuse_or_refuse(person)

    def slot_is_open(self) -> bool:
        cohort = self.open_cohort
        if cohort is None:
            return False
        taken = self.filled(cohort)
        taken += sum(person.between_lymphodepletion_and_infusion or person.pending for person in cohort.people)
        if taken >= cohort.places or self.cap_room() <= 0:
            return False
        infusion_day = self.today + self.s.lead_days
        if self.weekday(infusion_day) not in self.s.treatment.weekdays:
            return False
        before = [person for person in cohort.people if not person.refused]
        if not before:
            return True
        if len(before) == 1 and cohort.has_sentinel:
            return infusion_day >= before[0].planned_infusion_day + self.s.safety.sentinel_stagger_days
        return infusion_day >= before[-1].planned_infusion_day + self.s.safety.stagger_days

    # Small things

    def weekday(self, day: int) -> str:
        return WEEKDAYS[(self.s.trial.start_date + timedelta(days=day)).weekday()]

    def leave(self, person: Person, state: str) -> None:
        person.state = state
        person.left_day = self.today

    def note(
        self, event: str, person: Person | None = None, cohort: Cohort | None = None, level: int | None = None
    ) -> None:
        candidate = patient = None
        if person is not None:
            candidate, patient, cohort, level = person.candidate, person.patient, person.cohort, person.level
        elif cohort is not None and event != "decision":
            level = cohort.level
        self.phases.append(self.phase)
        self.events.append(
            (
                self.today,
                event,
                candidate,
                patient,
                None if cohort is None else cohort.number,
                None if level is None else level + 1,
            )
        )

    def story(self) -> dict[str, Any]:
        return {
            "dose_path": self.dose_path(),
            "recommended": None if self.recommended is None else self.recommended + 1,
            "stop_reason": self.stop_reason,
            "duration_days": self.today,
            "events": self.events,
            "phases": self.phases,
            "candidates": [self.row(person) for person in self.people],
        }

    def dose_path(self) -> str:
        letter = {"DLT": "T", "no DLT": "N", "non-evaluable": "X", "pending": "P"}
        parts = []
        for cohort in self.cohorts:
            letters = "".join(letter[person.outcome] for person in cohort.people if person.infused)
            if letters:
                parts.append(f"{cohort.level + 1}{letters}")
        return " ".join(parts)

    def row(self, person: Person) -> dict[str, Any]:
        return {
            "candidate": person.candidate,
            "patient": person.patient,
            "state": person.state,
            "consent_day": person.consent_day,
            "screening_end_day": person.screening_end_day,
            "cohort": None if person.cohort is None else person.cohort.number,
            "level": None if person.level is None else person.level + 1,
            "treatment_start_day": person.treatment_start_day,
            "infusion_day": person.infusion_day,
            "last_infusion_day": person.last_infusion_day,
            "infusions": None if person.patient is None else person.infusions,
            "outcome": person.outcome,
            "outcome_day": person.outcome_day,
            "left_day": person.left_day,
            "not_infused": person.refused,
        }


def reference_trial(scenario: Scenario, seed: int, replicate: int) -> dict[str, Any]:
    """Return the story of one trial.

    Keys: ``dose_path``, ``recommended`` (from 1, or None), ``stop_reason``, ``duration_days``, ``events`` (tuples of
    day, event, candidate, patient, cohort, level), ``phases`` (in which phase of its day each event happened) and
    ``candidates`` (one dictionary each).
    """
    return ReferenceTrial(scenario, seed, replicate).run()
