"""A trial of which a log is the beginning: it goes on from what really happened.

Up to the day of the log nobody starts, leaves, is infused or decided on but as the log has it; facts are taken as they
are, whatever the protocol wanted. What a log is silent on (what was waited for, which places were reserved) follows
from the protocol, as ever. What the protocol would have had happen up to that day, and did not, can happen from the day
after on. The classes here are those of any trial, with the log's answer where these choose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import simpy

from ..committee.committee import Committee
from ..errors import LogContradictsError
from ..nature.given import Given
from ..nature.patients import Fate
from ..nature.products import FAILED, READY, attempts
from ..scenario.resources import Autologous
from ..words.data_cut import Counts
from ..words.log import Log, LoggedMeeting, LoggedPatient
from ..words.records import NO_LEVEL, Action, Decision
from .calendar import DATA_CUT, EVENING, INFUSIONS, LYMPHODEPLETION, OUTCOMES
from .candidates import Candidates
from .clock import Steps
from .conduct import Conduct, Parts
from .logbook import CohortFile, Person
from .patients import Patients
from .places import Places

UNLIKE_THE_RULE = "the committee decided otherwise than the rule"
"""The reason of a decision for which the log gives none, and that is not the rule's."""


class Past:
    """What is known of a trial.

    Parameters
    ----------
    log : Log
        It is known up to the end of the log's day.
    """

    def __init__(self, log: Log) -> None:
        self.last_day = log.as_of_day
        self.resumes_on = log.as_of_day + 1
        """The first day that is not known."""
        self.was_denied = False
        """Something was due by the protocol, and the log does not have it."""
        self._people = dict(enumerate(log.in_order_of_coming, start=1))
        self.meetings = list(log.meetings)
        """Those whose data cut has not been made."""

    def covers(self, day: int) -> bool:
        """Return whether a day is one of those that are known."""
        return day <= self.last_day

    def of(self, person: Person) -> LoggedPatient | None:
        """Return what is known of somebody; ``None`` for who comes later."""
        return self._people.get(person.number)

    def known_today(self, person: Person, today: int) -> LoggedPatient | None:
        """Return what is known of somebody, on the days that are known."""
        return self.of(person) if self.covers(today) else None

    def denies(self) -> None:
        """Note that something is due that has not happened."""
        self.was_denied = True


class KnownCandidates(Candidates):
    """Candidates, those of the log first."""

    past: Past
    nature: Given
    replicate: int

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._passed: dict[int, int] = {}
        """How many screenings everybody of the log has had up to its day, by number."""

    def _next_to_consent(self, could: list[Person]) -> Person | None:
        following = super()._next_to_consent(could)
        if following is None or not self.past.covers(self._clock.today):
            return following
        return next(filter(self._consents_today, could), None)

    def _consents_today(self, person: Person) -> bool:
        known = self.past.of(person)
        return known is not None and known.consent_day == self._clock.today

    def consents_as_known(self, person: Person) -> None:
        """Let somebody consent who consented today, though the protocol had no place."""
        if person in self._referred and self._consents_today(person):
            self._consents_for_place(person)

    def _results_day(self, person: Person) -> int:
        """Return when results are given; the log has the last ones of everybody, and others came as expected."""
        today, expected = self._clock.today, super()._results_day(person)
        known = self.past.known_today(person, today)
        if known is None:
            return expected
        last = known.screening_end_day
        if last is None or last < today:
            return max(expected, self.past.resumes_on)
        return expected if expected != last and self._is_repeated_until(known, expected, last) else last

    def _is_repeated_until(self, known: LoggedPatient, results_day: int, last: int) -> bool:
        """Return whether one screening after the other, each as the protocol has it, ends on a day."""
        valid_days, product_day = self._scenario.screening.valid_days, known.product_day or 0
        while valid_days is not None and results_day < last:
            results_day = self._gates.results_day(max(results_day + valid_days + 1, product_day), known.site)
        return results_day == last

    def _fails_screening(self, person: Person) -> bool:
        known = self.past.of(person)
        if known is None:
            return super()._fails_screening(person)
        if self.past.covers(self._clock.today):
            self._passed[person.number] = person.screenings
            failed = known.left_reason == "screen failure" or known.failed_criterion is not None
            return failed and known.screening_end_day == self._clock.today
        passed, so_far = person.candidate.screenings_passed, self._passed.get(person.number, 0)
        if passed < so_far:
            passed = so_far + self.nature.more_screenings(self.replicate, person.number - 1)
        return person.screenings > passed

    def _attempts(self, person: Person, own: Autologous) -> Iterator[str]:
        """Yield what attempts come to: up to the day of the log whether there was a product, then what is left.

        Own draws that have the product sooner than it was there are not used: what lies beyond is uniform again.
        """
        known, uniform = self.past.of(person), person.candidate.product_uniform
        fails, failed = own.failure_probability + own.out_of_specification_probability, 0
        drawn = list(attempts(own, uniform))
        is_instant, tries = own.manufacture_days == 0, drawn.index(READY) if READY in drawn else 0
        while known is not None and self.past.covers(over := self._clock.today + own.manufacture_days):
            if known.product_day is not None and known.product_day <= over and not (is_instant and failed < tries):
                yield READY
                return
            yield FAILED if failed >= len(drawn) or drawn[failed] == READY else drawn[failed]
            failed += 1
            if failed == own.most_attempts:
                return
        if failed and uniform >= fails**failed:
            uniform = (uniform - fails**failed) / (1 - fails**failed) * fails**failed
        yield from list(attempts(own, uniform))[failed:]

    def stay_without_place(self, person: Person, why: str) -> None:
        """Wait or go, as of `Candidates`; in the past who has not left on that day has waited."""
        known = self.past.known_today(person, self._clock.today)
        if known is None:
            super().stay_without_place(person, why)
        elif known.left_day != self._clock.today:
            self._waits(person, why)
        elif known.left_reason == "no place" or self._is_lost(person):
            self._give_up(person, "no place", "no place", why)
        else:
            self._give_up(person, "withdrew waiting", "withdrew", why)

    def _loses_patience(self, person: Person) -> None:
        known = self.past.known_today(person, self._clock.today)
        if known is None or known.left_day == self._clock.today or not person.waits:
            super()._loses_patience(person)
        elif person.patience_ends_day == self._clock.today:
            self._patience_ends_on(person, self.past.resumes_on)

    def _expires(self, person: Person) -> None:
        known = self.past.known_today(person, self._clock.today)
        if known is None or known.start_day is None or (known.screening_end_day or 0) >= self._clock.today:
            super()._expires(person)

    def leaves_as_known(self, person: Person) -> None:
        """Let somebody go who has left, and whom nothing has let go before."""
        if person.state is None and person.cohort is None and person in (*self._waiting, *self._referred):
            self._give_up(person, "withdrew waiting", "withdrew", "as the log says")


class KnownPlaces(Places):
    """Places, given as the log has them up to its day."""

    past: Past

    def _may_start(self, person: Person) -> bool:
        if not self.past.covers(self._clock.today):
            return True
        known = self.past.of(person)
        starts = known is not None and known.start_day == self._clock.today
        if not starts:
            self.past.denies()
        return starts

    def _enrol(self, person: Person, cohort: CohortFile) -> None:
        known = self.past.of(person)
        if known is not None and known.given_level is not None and known.given_level != cohort.level:
            cohort = self._last_cohort_at(known.given_level, known)
        super()._enrol(person, cohort)
        if known is None:
            return
        if known.infusion_days:
            person.planned_infusion_day = known.infusion_days[0]
        elif known.not_infused_reason is not None and known.left_day is not None:
            person.planned_infusion_day = known.left_day
        else:
            person.planned_infusion_day = max(person.planned_infusion_day, self.past.resumes_on)

    def starts_as_known(self, person: Person) -> None:
        """Let somebody start who started today, though the protocol had no place."""
        known = self.past.of(person)
        if person.cohort is None and known is not None and known.given_level is not None:
            if person not in self._waiting:
                mend = "enter when screening ended, or when the product was there"
                raise self._contradicts(known, "starts treatment and is not eligible by then", mend)
            self._enrol(person, self._last_cohort_at(known.given_level, known))

    def _last_cohort_at(self, level: int, known: LoggedPatient) -> CohortFile:
        for cohort in reversed(self._log.cohorts):
            if cohort.level == level:
                return cohort
        what = f"is treated at level {level + 1}, which no decision has opened"
        raise self._contradicts(known, what, "enter the meeting that opened it")

    def _contradicts(self, known: LoggedPatient, what: str, mend: str) -> LogContradictsError:
        return LogContradictsError(
            f"candidate {known.candidate}, {self._log.date(known.start_day or 0)}: {what}; {mend}"
        )


class KnownPatients(Patients):
    """Patients, treated as the log has it up to its day."""

    past: Past

    def _agenda(self, person: Person, cohort: CohortFile, fate: Fate) -> list[tuple[int, int, str]]:
        """Return what lies ahead: infusions of the log on the days on which they were given."""
        ahead, known = super()._agenda(person, cohort, fate), self.past.of(person)
        if known is None:
            return ahead
        given = list(known.infusion_days[1:])
        moved = [
            (given.pop(0), phase, event) if event == "infusion" and given else (day, phase, event)
            for day, phase, event in ahead
        ]
        return sorted(moved, key=lambda each: each[:2]) if moved != ahead else ahead

    def _why_not_infused(self, person: Person, cohort: CohortFile, fate: Fate) -> str | None:
        known = self.past.known_today(person, self._clock.today)
        if known is None:
            return super()._why_not_infused(person, cohort, fate)
        return None if known.infusion_days else known.not_infused_reason

    def _infuse_later(self, person: Person, cohort: CohortFile) -> None:
        known = self.past.known_today(person, self._clock.today)
        if known is None or self._clock.today in known.infusion_days or self._is_withheld(cohort):
            super()._infuse_later(person, cohort)
        else:
            person.full_dose = False


class Resumed(Conduct):
    """The conduct of a trial of which a log is the beginning.

    Parameters
    ----------
    nature : Given
        What nature draws, given the log.
    committee, replicate
        As of `Conduct`.

    Raises
    ------
    LogContradictsError
        While it runs, if something of the log can be no part of any trial of the scenario.
    """

    def __init__(self, committee: Committee, nature: Given, replicate: int) -> None:
        _check_all_is_read(nature.log)
        self.past, self._known = Past(nature.log), nature
        self._meeting: LoggedMeeting | None = None
        """That of the data cut which was made last."""
        super().__init__(nature.scenario, committee, nature, replicate)

    def parts(self) -> Parts:
        """Return who gives places, treats patients and brings candidates as the log has it."""
        return Parts(self._places, self._patients, self._candidates)

    def _places(self, *parts: Any) -> KnownPlaces:
        made = KnownPlaces(*parts)
        made.past = self.past
        return made

    def _patients(self, *parts: Any) -> KnownPatients:
        made = KnownPatients(*parts)
        made.past = self.past
        return made

    def _candidates(self, *parts: Any) -> KnownCandidates:
        made = KnownCandidates(*parts)
        made.past, made.nature, made.replicate = self.past, self._known, self.replicate
        return made

    def runs_to_a_decision_by(self, day: int) -> bool:
        """Run on, as of `Conduct`; what the log has, and nothing has led to, is done at the end of its phase."""
        if not self.has_begun:
            self._expect_the_past()
        return super().runs_to_a_decision_by(day)

    def number_of(self, person: Person) -> int:
        """Return the number of somebody in the log; who comes later has those after its largest."""
        known = self.past.of(person)
        if known is not None:
            return known.candidate
        numbers = [one.candidate for one in self._known.log.patients]
        return max(numbers, default=0) + person.number - len(numbers)

    def _expect_the_past(self) -> None:
        clock = self.clock
        for number, one in enumerate(self._known.log.in_order_of_coming, start=1):
            if one.consent_day is not None:
                clock.at(one.consent_day, INFUSIONS).callbacks.append(partial(self._consents, number))
            if one.start_day is not None:
                clock.last_at(one.start_day, LYMPHODEPLETION).callbacks.append(partial(self._starts, number))
            elif one.left_day is not None:
                clock.last_at(one.left_day, EVENING).callbacks.append(partial(self._leaves, number))
        for meeting in self._known.log.meetings:
            phase = EVENING if self.committee.rule.rolling else DATA_CUT
            clock.last_at(meeting.data_cut_day, phase).callbacks.append(self._makes_cut)
        clock.at(self.past.resumes_on, OUTCOMES).callbacks.append(self._resumes)

    def _consents(self, number: int, _: simpy.Event) -> None:
        assert isinstance(self.candidates, KnownCandidates)
        if number <= len(self.log.people):
            self.candidates.consents_as_known(self.log.people[number - 1])

    def _starts(self, number: int, _: simpy.Event) -> None:
        assert isinstance(self.places, KnownPlaces)
        if self.closed and (number > len(self.log.people) or self.log.people[number - 1].cohort is None):
            one = self._known.log.in_order_of_coming[number - 1]
            raise self._contradicts(f"candidate {one.candidate} starts treatment when enrolment has closed for good")
        self.places.starts_as_known(self.log.people[number - 1])

    def _leaves(self, number: int, _: simpy.Event) -> None:
        assert isinstance(self.candidates, KnownCandidates)
        if number <= len(self.log.people):
            self.candidates.leaves_as_known(self.log.people[number - 1])

    def _makes_cut(self, _: simpy.Event) -> None:
        """Make a data cut of today that nothing has led to."""
        cohort = self.cohort
        if self._cut_of_today() is not None and cohort is not None and cohort.purpose == "escalation":
            self.cut_data(cohort, "nothing outstanding" if cohort.rolling else "cohort complete")

    def _resumes(self, _: simpy.Event) -> None:
        """Let happen what was due and has not happened."""
        if self.past.meetings:
            day = self.log.date(self.past.meetings[0].data_cut_day)
            raise self._contradicts(
                f"no cohort was open for the data cut of {day}: the decision before it is missing, or ended the trial"
            )
        if self.past.was_denied:
            self.has_news = True
            self.look_at_outcomes_on(self.clock.today)
            self.places.fill_places_on(self.clock.today)

    def _cut_of_today(self) -> LoggedMeeting | None:
        meetings = self.past.meetings
        return meetings[0] if meetings and meetings[0].data_cut_day <= self.clock.today else None

    def cut_data(self, cohort: CohortFile, event: str, outstanding: int = 0) -> None:
        """Freeze what the committee will see, on a day of the past if the log has a data cut on it."""
        self._meeting = None
        if cohort.purpose == "escalation" and self.past.covers(self.clock.today):
            self._meeting = self._cut_of_today()
            if self._meeting is None:
                self.past.denies()
                return
            if self._meeting.level != cohort.level:
                about = f"a data cut is about level {self._meeting.level + 1}"
                raise self._contradicts(f"{about}, and the cohort at level {cohort.level + 1} is open")
            self.past.meetings.pop(0)
        super().cut_data(cohort, event, outstanding)

    def _level_of(self, meeting: LoggedMeeting, cut: Counts, own: Decision) -> int:
        """Return the level of the log's decision; where it names none, the one that its action leads to."""
        up = {Action.ESCALATE: 1, Action.STAY: 0, Action.DE_ESCALATE: -1, Action.SUSPEND: 0}
        if meeting.action is None or meeting.action is Action.STOP:
            return own.level if meeting.next_level is None else meeting.next_level
        level = cut.level + up[meeting.action] if meeting.next_level is None else meeting.next_level
        is_meant = (
            level <= cut.level if meeting.action is Action.SUSPEND else _sign(level - cut.level) == up[meeting.action]
        )
        if not is_meant or not 0 <= level < self.scenario.levels:
            words = (
                f"the decision is to {meeting.action.words} at level {cut.level + 1}, and the next level is {level + 1}"
            )
            raise self._contradicts(words)
        return level

    def _contradicts(self, what: str) -> LogContradictsError:
        return LogContradictsError(f"{self.log.date(self.clock.today)}: {what}; mend one of them")

    def meet(self, cohort: CohortFile) -> Steps:
        """Wait for the day of the decision: that of the log; where it has none yet, one that is to come."""
        meeting = self._meeting
        if meeting is not None and meeting.committee_day is not None and self.decides_on is not None:
            self.decides_on = min(self.decides_on, meeting.committee_day)
        yield from super().meet(cohort)
        while meeting is not None and self.past.covers(self.clock.today) and meeting.committee_day != self.clock.today:
            later = meeting.committee_day
            self.decides_on = later if later is not None and later > self.clock.today else self.past.resumes_on
            yield from super().meet(cohort)

    def answer(self, cut: Counts, outstanding: int) -> Decision:
        """Return the committee's answer; that of the log, where it has one."""
        own, meeting = super().answer(cut, outstanding), self._meeting
        if meeting is None or meeting.action is None or not self.past.covers(self.clock.today):
            return own
        level = self._level_of(meeting, cut, own)
        patients = own.patients if meeting.next_patients is None else meeting.next_patients
        if (meeting.action, level) == (own.action, own.level):
            return own if patients == own.patients else replace(own, patients=patients)
        if meeting.action is not Action.STOP and meeting.next_patients is None:
            patients = self.safety.cohort_size
        return Decision(
            action=meeting.action,
            level=level,
            patients=0 if meeting.action is Action.STOP else patients,
            reason=meeting.reason or UNLIKE_THE_RULE,
            open_levels=max(own.open_levels, level + 1) if level != NO_LEVEL else own.open_levels,
        )


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _check_all_is_read(log: Log) -> None:
    """Raise `LogContradictsError` if a log says what no trial can go on from yet: it would be passed over."""
    said = {
        "amendments": bool(log.amendments),
        "pauses": bool(log.pauses),
        "evaluable_override": any(one.evaluable_override is not None for one in log.patients),
        "a DLT under adjudication": any(one.dlt == "under adjudication" for one in log.patients),
    }
    found = [name for name, is_said in said.items() if is_said]
    if found:
        raise LogContradictsError(
            f"a trial cannot go on yet from a log with {', '.join(found)}: nothing is left out unsaid"
        )
