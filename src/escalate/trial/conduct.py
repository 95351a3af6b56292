"""One trial, day by day, as a discrete-event model in SimPy.

One generator for each actor: `conduct` leads from cohort to cohort and from data cut to decision; who is not enrolled
yet is in `candidates`, who takes a place in `places`, the way of a patient from enrolment to the end of follow-up in
`patients`. Time is whole days since the start date. What happens on one day happens in this order, which is part of the
specification:

====  ================  ===============================================================================
  no  phase             what happens
====  ================  ===============================================================================
   0  OUTCOMES          outcomes dated today become known: DLTs, completed windows, drop-outs, follow-up
   1  DATA_CUT          is the cohort complete, or its decision forced? Then today is the data cut
   2  COMMITTEE         the committee decides, if it is due; the decision holds from this moment
   3  CANDIDATES        results of screening, who comes, withdrawals from waiting; then consents, where they wait;
                        where places are reserved at consent, a rolling rule is asked for who would consent and
                        finds none: a data cut, too
   4  INFUSIONS         infusions due today; who came and could not consent waits, or goes
   5  LYMPHODEPLETION   places are given, and lymphodepletion starts (infusion, where there is none); a rolling
                        rule is asked for whoever is ready and has no place: a data cut, too
   6  EVENING           outcomes on the very day of the first infusion become known
====  ================  ===============================================================================

SimPy's clock counts phases, time = 7 day + phase, so that this order is simply the order of time. Facts about a
patient (DLT in the window? evaluable?) are computed from the patient's own dates, never from which event came first.
Within a phase the order is that of enrolment, and of consent for those not enrolled; the log is kept in that order, but
where one thing follows from another: where places are given.

A place that a partial dose frees at once is given while that patient is observed. The data cut waits for the window; a
DLT in it counts, and fills a free place of the cohort, or is one more than its places, and more than the cap has room
for. A decision comes early only while outcomes of places are still to come.

Where a place is reserved at consent, it is taken and has its outcome to come from then on, though nobody is treated
yet; it is a place of the open cohort. Whoever has it starts at the next gates that open, also while accrual is
suspended or the committee is called; but not where a rolling rule, asked on that day, would leave the level downwards:
then the data cut is made, unless a decision is due. Whoever loses a place since the level is left asks for one when
screening is over.

A cohort rule is asked when the cohort's outcomes are known. A rolling rule is asked with outcomes pending: its cohort
is the patients at one level between two moves, and each decision to stay adds places to it; asked again is it when the
places are taken and a candidate is ready, or would consent, when nothing is outstanding any more,
and, while it suspends accrual, when the next outcome is known, or the pending have been observed for as long as it
asks. It decides on the same day if the committee needs no time.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import Any, NamedTuple

import simpy

from ..committee.committee import Ask, Committee
from ..committee.memory import Memory
from ..committee.remembered import committee_of
from ..errors import RuleError
from ..nature.draws import Nature
from ..scenario.model import Scenario
from ..words.asked import asks
from ..words.data_cut import Counts
from ..words.records import NO_LEVEL, TIME_IS_UP, Action, Decision, Trial
from ..words.tables import places_reserved
from .calendar import COMMITTEE, DATA_CUT, OUTCOMES, PHASES
from .candidates import Candidates
from .census import Census
from .clock import Clock, Steps
from .gates import Gates
from .logbook import ENROLMENT_CLOSED, CohortFile, Logbook, Person, count
from .patients import Patients
from .places import Places

FORCED = "decision forced"
"""The event of a data cut that comes early."""

EXPANSION_CLOSED = "expansion closed"
"""The event of an expansion that is found too toxic."""

CAP_IS_FILLED = "the cap is filled: no place can open any more"
"""Why enrolment closes before the committee's last decision."""

ANY_NUMBER = 2**40
"""Room under a cap that never binds."""


@asks(Scenario, numbers=("seed", "replicate"))
def simulate_trial(scenario: Scenario, *, seed: int = 1, replicate: int = 0) -> Trial:
    """Run one trial on its calendar and return its records.

    Parameters
    ----------
    scenario : Scenario
        Protocol and assumptions.
    seed : int
        Seed of the simulation, at least 0.
    replicate : int
        Number of the trial, at least 0; the same seed and number give the same trial, alone or among thousands.

    Returns
    -------
    Trial
        Events, patients, cohorts, decisions, and what became of it all.

    Raises
    ------
    ValueError
        If `seed` or `replicate` is negative.
    """
    if seed < 0 or replicate < 0:
        raise ValueError(f"seed and replicate must be at least 0, got {seed} and {replicate}")
    return Conduct(scenario, committee_of(scenario), Nature(scenario, seed, replicate, 1), replicate).run()


class Parts(NamedTuple):
    """What a trial is made of, each of which is made for it: as the class is."""

    places: Callable[..., Places]
    patients: Callable[..., Patients]
    candidates: Callable[..., Candidates]


class Conduct:
    """The conduct of one trial.

    Parameters
    ----------
    scenario : Scenario
        Protocol.
    committee : Committee
        Decides; may serve many trials of the scenario.
    nature : Nature
        Draws, for a chunk of trials that holds this one.
    replicate : int
        Number of the trial.
    """

    def __init__(self, scenario: Scenario, committee: Committee, nature: Nature, replicate: int) -> None:
        self.scenario, self.committee, self.nature, self.replicate = scenario, committee, nature, replicate
        self.safety = scenario.safety
        self.clock = Clock()
        self.log = Logbook(scenario, self.clock, committee)
        self.cohort: CohortFile | None = None
        self.census = Census(scenario, committee.rule, self.log.cohorts)
        batch_fails = nature.batch_fails[replicate - nature.first].tolist()
        waiting: list[Person] = []
        self.gates = Gates(scenario, self.census, self.log.people, batch_fails, waiting)
        draw, fate = partial(nature.candidate, replicate), partial(nature.fate, replicate)
        parts = self.parts()
        self.places = parts.places(scenario, self.clock, self.log, self.census, self.gates, waiting, self)
        patients = parts.patients(scenario, self.clock, self.log, self.census, self.gates, fate, self.places, self)
        self.candidates = parts.candidates(
            scenario, self.clock, self.log, self.gates, draw, patients.treat, self.places, waiting
        )
        self.has_begun = False
        self.has_news = False
        self.stop: Decision | None = None
        self.decides_on: int | None = None
        """When a decision is due on the data cut that was made."""
        self.goes_to_meeting = True
        """Whether it is a meeting's."""
        self.closed = False
        self.final: Decision | None = None

    def parts(self) -> Parts:
        """Return who gives places, treats patients, and brings candidates."""
        return Parts(Places, Patients, Candidates)

    def run(self) -> Trial:
        """Run the trial to its end."""
        while self.runs_to_a_decision():
            pass
        return self.close_books()

    def runs_to_a_decision(self) -> bool:
        """Run on, from the beginning or from a decision, until another one is about to be taken; return whether one is.

        Where none is the trial has come to its end.
        """
        return self.runs_to_a_decision_by(self.scenario.trial.max_days)

    def number_of(self, person: Person) -> int:
        """Return the number by which somebody is known, from 1."""
        return person.number

    def runs_through(self, day: int) -> None:
        """Run on to the end of a day, or of the trial, which can go on from there."""
        while self.runs_to_a_decision_by(min(day, self.scenario.trial.max_days)):
            pass

    def runs_to_a_decision_by(self, day: int) -> bool:
        """Run on, up to the end of a day, until a decision is about to be taken; return whether one is."""
        if not self.has_begun:
            self.has_begun = True
            self.clock.process(self.conduct())
            self.clock.process(self.candidates.come())
            self.clock.process(self.candidates.openings())
        try:
            return self.clock.comes_to_a_pause(PHASES * (day + 1))
        except RuleError as error:
            where = f"trial {self.replicate} of seed {self.nature.seed}, day {self.clock.today}"
            raise RuleError(f"{where}: {error}") from error

    def expected_questions(self) -> Iterator[tuple[Memory[Any, Any], Any]]:
        """Yield what the committee will be asked for the decision that is about to be taken.

        One question follows from the answer to the one before. It is known then, and the decision finds it; what is
        not foreseen here is asked when it comes up.
        """
        cohort, committee = self.log.cohorts[-1], self.committee
        assert cohort.cut is not None
        counts, outstanding = cohort.cut, cohort.forced_outstanding
        if cohort.rolling:
            counts, outstanding = self.known(cohort), self.census.outstanding(cohort) if cohort.forced else 0
        if self.stop is not None:
            yield committee.conclusions, (counts, self.stop)
            return
        yield committee.decisions, committee.freely(counts, outstanding)
        decision = committee.decide(counts, ANY_NUMBER, outstanding)
        room = self.room_for(decision)
        if not committee.fits(decision, room):
            yield committee.decisions, Ask(counts, room, outstanding)
            decision = committee.decide(counts, room, outstanding)
        if committee.rests_on_data(decision):
            yield committee.levels_alone, (counts, outstanding)

    # From cohort to cohort

    def conduct(self) -> Steps:
        """Open cohort after cohort and take each data cut to the committee, until it stops; then close enrolment."""
        decision, cohort = self.committee.first(self.census.room_now), None
        while decision.action is not Action.STOP:
            cohort = self.next_cohort(decision, cohort)
            decision = yield from self.review(cohort)
        if cohort is not None and self.is_provisional(decision):
            decision = yield from self.conclude(cohort, decision)
        self.final = decision
        if cohort is not None and self.expands and decision.level != NO_LEVEL and self.census.room_now > 0:
            yield from self.expand(cohort, decision.level)
        self.close_enrolment(decision.reason)

    def expand(self, last: CohortFile, level: int) -> Steps:
        """Treat patients at the recommended level up to the cap, unless such an expansion would be closed at once."""
        counts = self.known(last)._replace(level=level)
        if self.committee.closes_expansion(counts):
            self.census.permit(level - 1)
            seen = f"{counts.dlts[level]} DLT in {count(counts.evaluable[level], 'patient')} at this level"
            self.log.event(EXPANSION_CLOSED, level=level, detail=seen)
        else:
            yield self.open_cohort(level, self.census.room_now, "expansion").ready

    def review(self, cohort: CohortFile) -> Generator[simpy.Event, Any, Decision]:
        """Wait for the data cut, then for the committee's meeting; return what it decides."""
        yield cohort.ready
        yield from self.meet(cohort)
        self.decides_on = None
        return self.decide(cohort)

    def meet(self, cohort: CohortFile) -> Steps:
        """Wait for the day of the decision; a meeting is called after all, if a rolling rule stays no longer then."""
        assert self.decides_on is not None
        yield self.clock.pauses_before(self.clock.at(self.decides_on, COMMITTEE))
        if not self.goes_to_meeting and not self.takes_no_meeting(cohort):
            self.call_meeting(cohort)
            yield self.clock.pauses_before(self.clock.at(self.decides_on, COMMITTEE))

    def call_committee(self, cohort: CohortFile) -> None:
        """Set the day of the decision on what is known today: a meeting's, or that of places given without one."""
        if self.takes_no_meeting(cohort):
            self.goes_to_meeting = False
            self.decides_on = self.clock.today + (self.safety.assignment_delay_days or 0)
        else:
            self.call_meeting(cohort)

    def call_meeting(self, cohort: CohortFile) -> None:
        """Let the committee decide at its next meeting."""
        self.goes_to_meeting = True
        self.decides_on = self.gates.meeting_day(self.clock.today, cohort.forced)

    def takes_no_meeting(self, cohort: CohortFile) -> bool:
        """Return whether a rolling rule, asked now, gives places at its level or none, and that is no meeting's."""
        if self.safety.assignment_delay_days is None or not cohort.rolling or cohort.forced or self.concludes:
            return False
        decision = self.asked(self.known(cohort))
        return decision.action is Action.SUSPEND or (
            decision.action is not Action.STOP and decision.level == cohort.level
        )

    @property
    def concludes(self) -> bool:
        """Whether the rule has stopped, and what it recommends waits for the last outcomes."""
        return self.stop is not None

    @property
    def expands(self) -> bool:
        """Whether places that are left under the cap are given at the recommended dose."""
        return self.safety.when_rule_finished == "expand"

    def is_provisional(self, decision: Decision) -> bool:
        """Return whether the trial stops with a recommendation that other outcomes than those before it can change.

        They are still to come, or came while the committee was called.
        """
        others = self.census.is_anything_outstanding or self.has_news
        return self.stop is None and others and self.committee.rests_on_data(decision)

    def conclude(self, cohort: CohortFile, stop: Decision) -> Generator[simpy.Event, Any, Decision]:
        """Wait for the last outcomes after a stop: the recommendation rests on complete data."""
        if not self.expands:
            self.close_enrolment(stop.reason)
        self.stop = stop
        self.hold(cohort)
        return (yield from self.review(cohort))

    def next_cohort(self, decision: Decision, cohort: CohortFile | None) -> CohortFile:
        """Open the cohort that was decided; a rolling rule's goes on, with more places, while the level stays."""
        if decision.action is Action.SUSPEND:
            assert cohort is not None
            self.hold(cohort)
            self.wait_for_followup(cohort)
        elif cohort is None or not cohort.rolling or decision.level != cohort.level:
            return self.open_cohort(decision.level, decision.patients, "escalation")
        else:
            cohort.held, cohort.vacant = False, 0
            cohort.places = self.census.taken_places(cohort) + decision.patients
            self.reopen(cohort)
        return cohort

    def hold(self, cohort: CohortFile) -> None:
        """Let a cohort go on without free places: accrual is suspended, or the rule has finished."""
        cohort.held = True
        self.reopen(cohort)
        self.look_at_outcomes_on(self.clock.next_day_with(DATA_CUT))

    def wait_for_followup(self, cohort: CohortFile) -> None:
        """Ask a suspended rule again once the level's pending patients have been observed for as long as it wants."""
        day = self.census.followup_suffices_on(cohort.level, self.log.people, self.clock.today)
        cohort.resume_day = day if day is not None and day > self.clock.today else None
        if cohort.resume_day is not None:
            self.clock.at(cohort.resume_day, OUTCOMES).callbacks.append(self.note_followup)

    def note_followup(self, _: simpy.Event) -> None:
        """Take it for news that the follow-up suffices now, if accrual is still suspended for it."""
        cohort = self.cohort
        if cohort is not None and cohort.held and cohort.resume_day == self.clock.today:
            self.has_news = True
            self.places.fill_places_on(self.clock.today)

    def reopen(self, cohort: CohortFile) -> None:
        """Let a cohort go on after a decision."""
        cohort.ready, self.cohort = self.clock.event(), cohort
        cohort.data_cut_day = cohort.decision_day = None
        self.places.fill_places_on(self.clock.today)

    def open_cohort(self, level: int, places: int, purpose: str) -> CohortFile:
        """Let the first place of a cohort be filled from now on."""
        new_level = all(cohort.level != level for cohort in self.log.cohorts)
        cohort = CohortFile(
            number=len(self.log.cohorts) + 1,
            level=level,
            places=places,
            purpose=purpose,
            rolling=self.committee.rule.rolling and purpose == "escalation",
            has_sentinel=new_level or self.safety.sentinel == "every_cohort",
            opened_day=self.clock.today,
            ready=self.clock.event(),
        )
        self.log.cohorts.append(cohort)
        self.cohort = cohort
        self.log.event("cohort opened", cohort=cohort, detail=f"{purpose}, {count(places, 'place')}")
        self.places.fill_places_on(self.clock.today)
        return cohort

    def look_at_outcomes_on(self, day: int) -> None:
        """Look on a day, when data cuts are made, whether the cohort has its outcomes."""
        self.clock.at(day, DATA_CUT).callbacks.append(self.look_at_outcomes)

    def look_at_outcomes(self, _: simpy.Event) -> None:
        """Make the data cut, if the cohort is complete or its decision is forced."""
        cohort = self.cohort
        if cohort is None:
            return
        if self.has_news and cohort.purpose == "expansion" and self.committee.closes_expansion(self.known(cohort)):
            self.census.permit(cohort.level - 1)
            self.cut_data(cohort, EXPANSION_CLOSED)
        elif self.census.is_complete(cohort, self.concludes, self.has_news):
            self.cut_data(cohort, "nothing outstanding" if cohort.rolling else "cohort complete")
        elif self.has_news and self.may_be_forced(cohort):
            outstanding = self.census.outstanding(cohort)
            beyond = self.census.beyond_places(cohort)
            if outstanding and self.committee.is_forced(self.known(cohort), outstanding, beyond):
                self.cut_data(cohort, FORCED, outstanding)

    def may_be_forced(self, cohort: CohortFile) -> bool:
        """Return whether the protocol lets the committee decide early on this cohort."""
        return self.scenario.early_decision and cohort.purpose == "escalation" and self.stop is None

    def known(self, cohort: CohortFile) -> Counts:
        """Return what a committee can see of the trial now."""
        return self.census.known(cohort, self.log.people, self.clock.today)

    def cut_data(self, cohort: CohortFile, event: str, outstanding: int = 0) -> None:
        """Freeze what the committee will see; nobody is enrolled until it has decided."""
        counts = self.put_before_committee(cohort)
        self.places.notice_is_void()
        cohort.data_cut_day, cohort.resume_day, self.cohort = self.clock.today, None, None
        cohort.forced, cohort.forced_outstanding = event == FORCED, outstanding
        pending = ""
        if cohort.rolling:
            on_the_way = cohort.on_the_way_at_cut
            pending = f", {counts.pending[cohort.level] - on_the_way - cohort.reserved} pending"
            pending += f", {on_the_way} lymphodepleted" if on_the_way else ""
            pending += places_reserved(cohort.reserved)
        patients = count(counts.evaluable[cohort.level], "patient")
        seen = f"{counts.dlts[cohort.level]} DLT in {patients} at this level{pending}"
        self.log.event(event, cohort=cohort, detail=seen)
        if cohort.purpose == "escalation":
            self.call_committee(cohort)
        cohort.ready.succeed()

    def put_before_committee(self, cohort: CohortFile) -> Counts:
        """Freeze what is known now."""
        cohort.cut, self.has_news = self.known(cohort), False
        cohort.on_the_way_at_cut = self.census.on_the_way(cohort.level)
        cohort.reserved_at_cut = cohort.reserved
        return cohort.cut

    def decide(self, cohort: CohortFile) -> Decision:
        """Let the committee decide on the cohort's data cut."""
        if cohort.rolling:
            self.see_what_came(cohort)
        assert cohort.cut is not None
        outstanding = cohort.forced_outstanding
        decision = self.answer(cohort.cut, outstanding)
        cohort.decision_day = self.clock.today
        provisional = self.is_provisional(decision)
        self.census.permit(self.committee.rule_alone(cohort.cut, outstanding) if provisional else decision.level)
        self.census.open_levels = decision.open_levels
        if decision.action is not Action.SUSPEND:
            self.census.since_decision = (0, 0)
        let_go = self.census.places_reserved if self.leaves(decision, cohort) else 0
        if let_go:
            self.places.let_go_of_places()
        self.log.decision(self.clock.today, cohort, decision)
        why = decision.reason + (f" ({decision.detail})" if decision.detail else "")
        detail = f"{decision.action.words}: {why}" + (f"; {count(let_go, 'reserved place')} let go" if let_go else "")
        self.log.event("decision", cohort=cohort, level=decision.level, detail=detail)
        return decision

    def answer(self, cut: Counts, outstanding: int) -> Decision:
        """Return the committee's answer on a data cut; after a stop, what it recommends."""
        if self.stop is not None:
            return self.committee.conclude(cut, self.stop)
        return self.asked(cut, outstanding)

    def leaves(self, decision: Decision, cohort: CohortFile) -> bool:
        """Return whether a decision leaves a cohort for good, or its level, which a suspension can close, too."""
        if decision.action is Action.SUSPEND:
            return decision.level < cohort.level
        return decision.action is Action.STOP or decision.level != cohort.level

    def asked(self, counts: Counts, outstanding: int = 0) -> Decision:
        """Return what the committee says; what the cap leaves depends on the level that it says.

        A move to another level lets go of the reserved places, so that they leave room there.
        """
        room = self.room_for(self.committee.decide(counts, ANY_NUMBER, outstanding))
        return self.committee.decide(counts, room, outstanding)

    def room_for(self, decision: Decision) -> int:
        """Return what the cap leaves for the level of a decision."""
        return self.census.room_up_to(decision.level) - self.census.reserved_at(decision.level)

    def see_what_came(self, cohort: CohortFile) -> None:
        """Put before the committee what became known since the data cut: a rolling rule decides on today's data."""
        self.put_before_committee(cohort)
        if cohort.forced:
            cohort.forced_outstanding = self.census.outstanding(cohort)

    def close_enrolment(self, why: str) -> None:
        """Enrol nobody from now on, if that is not so already; whoever is not enrolled is turned away."""
        if not self.closed:
            self.closed = True
            self.places.let_go_of_places()
            self.log.event(ENROLMENT_CLOSED, detail=why)
            self.candidates.turn_away()

    def close_if_cap_is_filled(self) -> None:
        """Close enrolment when so many count for the cap for good that no place can open any more."""
        if self.census.cap_is_filled:
            self.close_enrolment(CAP_IS_FILLED)

    # What is asked where places are given

    @property
    def decides_today(self) -> bool:
        """Whether a decision on today's data cut is due yet today."""
        return self.cohort is None and not self.closed and self.decides_on == self.clock.today

    def next_cohort_day(self) -> int | None:
        """Return when the next places open, if nobody pending has a DLT or leaves and the committee then goes on."""
        if self.concludes or not self.log.cohorts:
            return None
        cohort = self.log.cohorts[-1]
        if self.cohort is None or cohort.held or cohort.purpose == "expansion":
            return self.decides_on
        if cohort.reserved:
            return None
        ends = self.census.last_window_end(cohort)
        return None if ends is None else self.gates.meeting_day(ends)

    def may_be_asked(self, cohort: CohortFile | None) -> bool:
        """Return whether a rolling rule can be asked for a place: it has not stopped, nor suspended accrual since."""
        return cohort is not None and cohort.rolling and self.stop is None and (self.has_news or not cohort.held)

    def keeps_back(self, cohort: CohortFile) -> bool:
        """Return whether nobody starts in a reserved place, since a rolling rule, asked now, would leave the level."""
        counts = self.known(cohort)
        return self.committee.keeps_back(counts, self.asked(counts))

    def stay_without_place(self, person: Person, why: str) -> None:
        """Let somebody wait or go who has asked for a place today, since none can be given."""
        self.candidates.stay_without_place(person, why)

    # What follows from what becomes known of a patient

    def tell_news(self, cohort: CohortFile) -> None:
        """Look at what follows, now that an outcome is known; for a rolling rule, also that there will be none."""
        self.has_news = True
        if cohort.rolling:
            self.places.fill_places_on(self.clock.today)
        self.look_at_outcomes_on(self.clock.next_day_with(DATA_CUT))

    # The end

    def close_books(self) -> Trial:
        """Return the trial; whoever is still in it on the last day is cut off."""
        here = [person for person in self.log.people if person.state is None]
        max_days = self.scenario.trial.max_days
        time_is_up = bool(here) or not self.closed or self.final is None
        end_day = max_days if time_is_up else self.log.last_day
        for person in here:
            person.stop_waiting(end_day)
            is_in = person.consent_day is not None
            person.state, person.left_day = "cut off" if is_in else "not consented", end_day
        detail = TIME_IS_UP if time_is_up else "last follow-up completed"
        final = self.final or self.when_time_is_up()
        return self.log.trial(self.committee.rule, self.nature.seed, self.replicate, final, end_day, detail)

    def when_time_is_up(self) -> Decision:
        """Return what is recommended where the time was up before the committee's last decision."""
        known = self.known(self.log.cohorts[-1]).known_alone
        return Decision(
            action=Action.STOP,
            level=self.committee.when_time_is_up(known),
            patients=0,
            reason=TIME_IS_UP,
            open_levels=self.census.open_levels,
        )
