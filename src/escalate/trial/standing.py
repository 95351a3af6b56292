"""Where a running trial stands: what it has written down and counted, at the end of a day, as frozen values."""

from __future__ import annotations

from collections.abc import Callable

from ..words.standing import LevelCounts, Standing, StandingCandidate, StandingCohort, StandingPatient
from .conduct import Conduct
from .logbook import Person


def standing_at(trial: Conduct, day: int) -> Standing:
    """Let a trial run to the end of a day, and return where it stands.

    Parameters
    ----------
    trial : Conduct
        Not beyond that day yet; it can run on afterwards.
    day : int
        Days since the start date; of a trial that ended before, it is as it ended.
    """
    trial.runs_through(day)
    people = trial.log.people
    return Standing(
        start_date=trial.scenario.trial.start_date,
        day=day,
        levels=tuple(_counts(people, level) for level in range(trial.scenario.levels)),
        permitted_level=trial.census.permitted_level,
        open_levels=trial.census.open_levels,
        cohort=_cohort(trial),
        patients=tuple(_patient(one, trial, day) for one in _by_enrolment(people) if _is_outstanding(one)),
        candidates=tuple(_candidate(one, trial) for one in people if one.state is None and one.cohort is None),
        is_closed=trial.closed,
    )


def _by_enrolment(people: list[Person]) -> list[Person]:
    return sorted((one for one in people if one.patient is not None), key=lambda one: one.patient or 0)


def _is_outstanding(one: Person) -> bool:
    return one.outcome == "pending" or (one.outcome is None and one.state is None)


def _counts(people: list[Person], level: int) -> LevelCounts:
    here = [one for one in people if one.cohort is not None and one.cohort.level == level]

    def how_many(which: Callable[[Person], bool]) -> int:
        return sum(map(which, here))

    return LevelCounts(
        infused=how_many(lambda one: one.infusion_day is not None),
        evaluable=how_many(lambda one: one.outcome in ("DLT", "no DLT")),
        dlts=how_many(lambda one: one.outcome == "DLT"),
        pending=how_many(lambda one: one.outcome == "pending"),
        non_evaluable=how_many(lambda one: one.outcome == "non-evaluable"),
        on_the_way=how_many(lambda one: one.outcome is None and one.state is None),
        not_infused=how_many(lambda one: one.not_infused_reason is not None),
    )


def _cohort(trial: Conduct) -> StandingCohort | None:
    if not trial.log.cohorts:
        return None
    cohort = trial.log.cohorts[-1]
    is_cut = cohort.data_cut_day is not None and cohort.decision_day is None and cohort.purpose == "escalation"
    return StandingCohort(
        number=cohort.number,
        level=cohort.level,
        purpose=cohort.purpose,
        places=cohort.places,
        free_places=0 if trial.cohort is None else trial.census.free_places(cohort),
        is_held=cohort.held,
        data_cut_day=cohort.data_cut_day if is_cut else None,
        is_forced=is_cut and cohort.forced,
        decision_day=trial.decides_on if is_cut else None,
    )


def _patient(one: Person, trial: Conduct, day: int) -> StandingPatient:
    assert one.cohort is not None and one.patient is not None and one.start_day is not None
    infusion_day = one.planned_infusion_day if one.infusion_day is None else one.infusion_day
    window_days = trial.scenario.windows[one.cohort.level]
    return StandingPatient(
        candidate=trial.number_of(one),
        patient=one.patient,
        level=one.cohort.level,
        start_day=one.start_day,
        infusion_day=infusion_day,
        is_infused=one.infusion_day is not None,
        seen_days=0 if one.infusion_day is None else min(day - one.infusion_day, window_days),
        window_end_day=infusion_day + window_days,
        full_dose=not one.reduced,
    )


def _candidate(one: Person, trial: Conduct) -> StandingCandidate:
    asks = one.place is not None and not one.place.triggered
    return StandingCandidate(
        candidate=trial.number_of(one),
        site=one.candidate.site,
        consent_day=one.consent_day,
        ready_day=one.ready_day if asks else None,
        patience_ends_day=one.patience_ends_day,
        has_reserved=one.has_reserved,
    )
