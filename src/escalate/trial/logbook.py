"""What the engine writes down while a trial runs, and the tables it becomes.

`Person` and `CohortFile` are filled in as things happen; `Logbook` holds them with the list of events, and turns
them into the records of a `Trial`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from ..committee.committee import Committee
from ..nature.candidates import Candidate
from ..rules import ModelRule, Rule
from ..scenario.model import Scenario
from ..words.data_cut import Counts
from ..words.dose_path import LETTER_OF, cohort_text
from ..words.later import Later
from ..words.records import NO_LEVEL, Action, Decision, Estimates, Trial
from ..words.tables import COHORTS, GATES, Layout, Table, decisions_layout, events_layout, patients_layout
from .calendar import LYMPHODEPLETION, PHASES

Row = tuple[Any, ...]

ENROLMENT_CLOSED = "enrolment closed"
"""The event with which all who are not enrolled are turned away."""


class Clock(Protocol):
    """What tells the time of an event."""

    @property
    def time(self) -> int:
        """Phases of days since the start."""


@dataclass(slots=True)
class CohortFile:
    """A cohort's file: the patients treated at one level between two decisions."""

    number: int
    level: int
    places: int
    purpose: str
    rolling: bool
    """A rolling rule decides on the cohort: it stays open while the level does, and gets more places."""
    has_sentinel: bool
    opened_day: int
    ready: Any
    """The engine's event: the data cut can be made."""
    people: list[Person] = field(default_factory=list)
    held_up_by: str = GATES[0]
    """The gate that a ready candidate waited for when that was looked at last."""
    reviewed_day: int = 0
    """Day from which on the committee has looked at the sentinel's DLT; 0 where it need not."""
    reserved: int = 0
    """Places that were reserved at consent, and in which nobody has started."""
    held: bool = False
    """No place is given until the next decision: accrual is suspended, or the rule has finished."""
    resume_day: int | None = None
    """Day on which the follow-up of the pending suffices to ask the rule again, while accrual is suspended for it."""
    lymphodepleted: int = 0
    withheld: int = 0
    """Of these, the ones who get no cells: the committee has closed the level since."""
    pending: int = 0
    placeless: int = 0
    """Of these, the ones whose place was free at once, since they got less than the full dose."""
    evaluable: int = 0
    dlts: int = 0
    non_evaluable: int = 0
    vacant: int = 0
    """Places that were given back, and that nobody has taken since."""
    replaced: int = 0
    """Patients who took such a place."""
    cut: Counts | None = None
    on_the_way_at_cut: int = 0
    """Patients at the level between lymphodepletion and infusion at that data cut; a rolling rule's has them as
    pending."""
    reserved_at_cut: int = 0
    data_cut_day: int | None = None
    forced: bool = False
    forced_outstanding: int = 0
    """Outcomes still to come when the decision was forced."""
    decision_day: int | None = None

    @property
    def must_be_left(self) -> bool:
        """Whether the committee is about to leave the level, whatever is still to come."""
        return self.forced and self.data_cut_day is not None and self.decision_day is None


@dataclass(slots=True)
class Person:
    """A candidate's file, and a patient's from enrolment on; days count from the trial's start date."""

    number: int
    candidate: Candidate
    state: str | None = None
    consent_day: int | None = None
    screening_end_day: int | None = None
    screenings: int = 0
    ready_day: int = 0
    """Since when a candidate has asked for a place."""
    waits: bool = False
    has_waited: bool = False
    waits_since: int = 0
    waited_days: int | None = None
    """Before today's wait, if one is on; ``None`` for who never waited."""
    patience_ends_day: int | None = None
    noticed_day: int | None = None
    """When the candidate was told of a free place."""
    has_reserved: bool = False
    """A place of the last cohort was reserved at consent."""
    place: Any = None
    """The engine's event: whether there is a place."""
    patient: int | None = None
    cohort: CohortFile | None = None
    start_day: int | None = None
    start_time: int = 0
    planned_infusion_day: int = 0
    infusion_day: int | None = None
    last_infusion_day: int | None = None
    infusions: int = 0
    cells_given: float = 0.0
    reduced: bool = False
    """Each infusion is less than planned."""
    full_dose: bool = True
    """Every infusion is given, and none is reduced."""
    stopped: bool = False
    """A later infusion was withheld, and no other one follows."""
    sentinel: bool = False
    withheld: bool = False
    """A decision has closed the level since lymphodepletion: there will be no infusion."""
    not_infused_reason: str | None = None
    window_end_day: int | None = None
    dlt_day: int | None = None
    outcome: str | None = None
    outcome_day: int | None = None
    non_evaluable_reason: str | None = None
    left_in_window: bool = False
    """Dropped out while pending."""
    place_free_day: int | None = None
    left_day: int | None = None

    def stop_waiting(self, today: int) -> None:
        """Write down how long a wait took that ends today."""
        if self.waits:
            self.waited_days = (self.waited_days or 0) + today - self.waits_since
            self.waits, self.patience_ends_day = False, None


class Logbook:
    """Everything that one trial writes down.

    Parameters
    ----------
    scenario : Scenario
        For labels, dates and amounts.
    clock : Clock
        Says the time.
    committee : Committee
        Decisions of a rule with a model are written down with what they rest on.
    """

    def __init__(self, scenario: Scenario, clock: Clock, committee: Committee) -> None:
        self._scenario, self._clock, self._committee = scenario, clock, committee
        rule = committee.rule.rule
        has_model = isinstance(rule, ModelRule)
        self._modelled = scenario.levels * has_model
        self._rolling = rule.rolling
        self._weighs = has_model and rule.rolling
        self._eliminates = rule.eliminates
        self._reserves = scenario.treatment.reserves
        self._as_it_happens = -1
        self._per_m2 = [
            {item.agent: item.mg_per_m2 * len(item.days) for item in schedule.lymphodepletion}
            for schedule in scenario.schedules
        ]
        self._agents = tuple(dict.fromkeys(agent for per_m2 in self._per_m2 for agent in per_m2))
        self.labels = [level.label for level in scenario.dose_levels]
        self._sites = [site.name for site in scenario.sites]
        self.people: list[Person] = []
        self.cohorts: list[CohortFile] = []
        self._events: list[tuple[int, int, int, Row]] = []
        self._decisions: list[Row] = []
        self._cuts: list[Counts] = []
        """What they were taken on."""

    def event(
        self,
        event: str,
        person: Person | None = None,
        cohort: CohortFile | None = None,
        level: int | None = None,
        detail: str | None = None,
        site: str | None = None,
    ) -> None:
        """Write an event; cohort and level are the person's or the cohort's if not given; `NO_LEVEL` is no level.

        Within one phase of a day, events are kept in order of enrolment number, then of candidate number; enrolment
        closes between the two. Where places are given, at the start of treatment or at consent, one thing follows from
        the other, and events are kept as they happened.
        """
        number = patient = None
        time, order = self._clock.time, _NOT_ENROLLED if event == ENROLMENT_CLOSED else 0
        if person is not None:
            number, patient, cohort = person.number, person.patient, person.cohort
            order = _NOT_ENROLLED + number if patient is None else patient
        if time == self._as_it_happens:
            order = _LAST
        if time % PHASES == LYMPHODEPLETION:
            order = 0
        if cohort is not None and level is None:
            level = cohort.level
        row: Row = (
            time // PHASES,
            event,
            number,
            patient,
            cohort.number if cohort else None,
            None if level is None or level == NO_LEVEL else level + 1,
            detail,
        )
        if self._sites:
            row = (*row[:3], site if person is None else self._site_of(person), *row[3:])
        self._events.append((time, order, len(self._events), row))

    def as_it_happens(self) -> None:
        """Keep events in the order in which they happen from now on, up to the end of the phase."""
        self._as_it_happens = self._clock.time

    def site_opened(self, name: str) -> None:
        """Write that a site opens."""
        self.event("site opened", detail=name, site=name)

    def _site_of(self, person: Person) -> str | None:
        return self._sites[person.candidate.site] if self._sites else None

    def _in_site(self, site: str | None) -> tuple[str | None, ...]:
        """Return the cell of a row that holds the site; none where the scenario has no sites."""
        return (site,) if self._sites else ()

    def leave(self, person: Person, state: str, event: str, detail: str | None = None) -> None:
        """End a person's way in the one state that it ends in."""
        today = self._clock.time // PHASES
        person.stop_waiting(today)
        person.state, person.left_day = state, today
        self.event(event, person, detail=detail)

    def infusion(self, person: Person, cohort: CohortFile) -> None:
        """Write an infusion of today into the patient's file, and as an event."""
        share = self._scenario.schedules[cohort.level].shares[person.infusions]
        if person.reduced:
            share *= self._scenario.attrition.partial_dose_share
        person.infusions += 1
        person.last_infusion_day = self._clock.time // PHASES
        person.cells_given += share * (self._scenario.dose_levels[cohort.level].cells or 0.0)
        part = "" if share == 1 else f"{share:.0%} of "
        freed = ": the place is free" if person.place_free_day == self._clock.time // PHASES else ""
        self.event("infusion", person, detail=part + self.labels[cohort.level] + freed)

    def date(self, day: int) -> str:
        """Return the ISO date of a day."""
        return (self._scenario.trial.start_date + timedelta(days=day)).isoformat()

    @property
    def last_day(self) -> int:
        """Day of the last event."""
        return max(self._events)[0] // PHASES if self._events else 0

    def decision(self, day: int, cohort: CohortFile, decision: Decision) -> None:
        """Write a committee's decision on a cohort's data cut."""
        cut, stops = cohort.cut, decision.action is Action.STOP
        assert cut is not None
        self._cuts.append(cut)
        self._decisions.append(
            (
                len(self._decisions) + 1,
                cohort.number,
                cohort.level + 1,
                cohort.data_cut_day,
                day,
                "yes" if cohort.forced else "no",
                cut.evaluable[cohort.level],
                cut.dlts[cohort.level],
                cut.pending[cohort.level] - (cohort.on_the_way_at_cut + cohort.reserved_at_cut) * self._rolling,
                cohort.on_the_way_at_cut,
                *((cohort.reserved_at_cut,) if self._reserves else ()),
                " ".join(f"{y}/{n}" for y, n in zip(cut.dlts, cut.evaluable, strict=True)),
                decision.action.words,
                None if stops else decision.level + 1,
                None if stops else decision.patients,
                decision.level + 1 if stops and decision.level != NO_LEVEL else None,
                decision.reason,
                decision.detail or None,
                *((decision.open_levels,) if self._eliminates else ()),
            )
        )

    @property
    def _decisions_layout(self) -> Layout:
        return decisions_layout(self._modelled, self._weighs, self._eliminates, self._reserves)

    def _decision_rows(self) -> Sequence[Row]:
        """Return the decisions; what a model's rest on, which takes longest of all, is found out if somebody looks."""
        if not self._modelled:
            return tuple(self._decisions)
        written = list(zip(self._decisions, self._cuts, strict=True))
        estimates, weighs = self._committee.estimates, self._weighs
        return Later(lambda: [(*row, *_rests_on(estimates(cut), weighs)) for row, cut in written])

    def trial(self, rule: Rule, seed: int, replicate: int, final: Decision, end_day: int, why: str) -> Trial:
        """Return the finished trial, which ended on `end_day` because of `why`."""
        about, by_site = self._scenario.trial, bool(self._sites)
        return Trial(
            scenario=self._scenario,
            title=about.title,
            seed=seed,
            replicate=replicate,
            start_date=about.start_date,
            planned_completion_date=about.planned_completion_date,
            doses=tuple(self.labels),
            rule=rule.name,
            rolling=self._rolling,
            planned_patients=about.planned_patients,
            most_infused=about.planned_patients if about.cap_counts == "infused" else None,
            events=Table(events_layout(by_site), self._events_in_order(end_day, why), about.start_date),
            patients=Table(
                patients_layout(self._agents, by_site), tuple(map(self._patient_row, self.people)), about.start_date
            ),
            cohorts=Table(COHORTS, tuple(map(self._cohort_row, self.cohorts)), about.start_date),
            decisions=Table(self._decisions_layout, self._decision_rows(), about.start_date),
            dose_path=" ".join(path for cohort in self.cohorts if (path := _dose_path(cohort))),
            recommended=None if final.level == NO_LEVEL else final.level + 1,
            stop_reason=final.reason,
            duration_days=end_day,
        )

    def _events_in_order(self, end_day: int, why: str) -> tuple[Row, ...]:
        end = (end_day, "trial ended", None, *self._in_site(None), None, None, None, why)
        return (*(row for _, _, _, row in sorted(self._events)), end)

    def _patient_row(self, person: Person) -> Row:
        cohort = person.cohort
        area = person.candidate.body_surface_area_m2
        enrolled = cohort is not None
        return (
            person.number,
            *self._in_site(self._site_of(person)),
            person.patient,
            person.state,
            person.consent_day,
            person.screening_end_day,
            person.candidate.failed_criterion if person.state == "screen failure" else None,
            person.waited_days,
            cohort.number if cohort else None,
            cohort.level + 1 if cohort else None,
            self.labels[cohort.level] if cohort else None,
            None if person.infusion_day is None else ("yes" if person.sentinel else "no"),
            area if enrolled else None,
            person.start_day,
            *self._amounts(area, cohort),
            person.infusion_day,
            person.last_infusion_day,
            person.infusions if enrolled else None,
            person.cells_given if cohort and self._scenario.dose_levels[cohort.level].cells is not None else None,
            person.not_infused_reason,
            person.window_end_day,
            person.dlt_day,
            person.outcome,
            person.outcome_day,
            person.non_evaluable_reason,
            person.place_free_day,
            person.left_day,
        )

    def _amounts(self, area: float | None, cohort: CohortFile | None) -> tuple[float | None, ...]:
        """Return the amount of each lymphodepletion agent [mg]: dose per m2 and day, times days, times area.

        It is 0 for an agent of other levels alone.
        """
        if area is None or cohort is None:
            return (None,) * len(self._agents)
        return tuple(round(self._per_m2[cohort.level].get(agent, 0.0) * area, 1) for agent in self._agents)

    def _cohort_row(self, cohort: CohortFile) -> Row:
        infused = [person.infusion_day for person in cohort.people if person.infusion_day is not None]
        return (
            cohort.number,
            cohort.purpose,
            cohort.level + 1,
            self.labels[cohort.level],
            cohort.places,
            cohort.opened_day,
            min(infused, default=None),
            max(infused, default=None),
            len(cohort.people),
            len(infused),
            sum(person.not_infused_reason is not None for person in cohort.people),
            cohort.evaluable,
            cohort.dlts,
            cohort.non_evaluable,
            cohort.replaced,
            cohort.pending,
            cohort.data_cut_day,
            cohort.decision_day,
        )


def count(number: int, noun: str) -> str:
    """Return a number with its noun, as events tell it."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


_NOT_ENROLLED, _LAST = 2**30, 2**31


def _rests_on(found: Estimates | None, weighs: bool) -> Iterator[float]:
    """Yield what a decision rests on, column by column."""
    if found is not None:
        parts = (found.p_dlt, found.low, found.high, *((found.followup,) if weighs else ()))
        yield from (round(value, 6) for part in parts for value in part)


def _dose_path(cohort: CohortFile) -> str:
    letters = "".join(LETTER_OF[person.outcome] for person in cohort.people if person.outcome is not None)
    return cohort_text(cohort.level, letters) if letters else ""
