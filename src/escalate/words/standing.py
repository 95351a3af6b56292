"""Where a trial stands at the end of a day: who is where, what is open, and what is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCounts:
    """The patients at one dose level.

    Parameters
    ----------
    infused : int
        Patients who received cells.
    evaluable, dlts : int
        Those whose outcome counts, and those of them with a DLT in the window.
    pending : int
        Those whose window is open.
    non_evaluable : int
        Those who do not count.
    on_the_way : int
        Patients between the start of treatment and their first infusion.
    not_infused : int
        Patients who started treatment and got no cells.
    """

    infused: int
    evaluable: int
    dlts: int
    pending: int
    non_evaluable: int
    on_the_way: int
    not_infused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingPatient:
    """A patient whose outcome is still to come.

    Parameters
    ----------
    candidate, patient : int
        Number in order of coming, and enrolment number, from 1.
    level : int
        Dose level, from 0.
    start_day : int
        Start of treatment [days since the start date].
    infusion_day : int
        The first infusion, or its planned day.
    is_infused : bool
        Whether it was given.
    seen_days : int
        Days of the DLT window that are over; 0 before the infusion.
    window_end_day : int
        Last day of the DLT window, if the infusion is as planned.
    full_dose : bool
        Whether every infusion so far was given in full.
    """

    candidate: int
    patient: int
    level: int
    start_day: int
    infusion_day: int
    is_infused: bool
    seen_days: int
    window_end_day: int
    full_dose: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingCandidate:
    """Somebody who has come and is not enrolled.

    Parameters
    ----------
    candidate : int
        Number in order of coming, from 1.
    site : int
        Position of the site, from 0.
    consent_day : int or None
        ``None`` for who waits to consent.
    ready_day : int or None
        Since when a place is asked for; ``None`` before that.
    patience_ends_day : int or None
        When the wait is given up; ``None`` where it has no end, and for who does not wait.
    has_reserved : bool
        Whether a place was reserved at consent.
    """

    candidate: int
    site: int
    consent_day: int | None
    ready_day: int | None
    patience_ends_day: int | None
    has_reserved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingCohort:
    """The open cohort, or the one whose decision is outstanding.

    Parameters
    ----------
    number : int
        From 1.
    level : int
        Dose level, from 0.
    purpose : str
        ``escalation`` or ``expansion``.
    places : int
        Evaluable patients wanted.
    free_places : int
        How many may be given as soon as every gate is open; 0 while a decision is outstanding.
    is_held : bool
        Whether accrual is suspended, or the rule has finished and waits for the last outcomes.
    data_cut_day : int or None
        Of the data cut that was made and not yet decided on.
    is_forced : bool
        Whether that cut came early, since pending outcomes cannot change the decision.
    decision_day : int or None
        When the decision on it is due.
    """

    number: int
    level: int
    purpose: str
    places: int
    free_places: int
    is_held: bool
    data_cut_day: int | None
    is_forced: bool
    decision_day: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a trial stands at the end of a day.

    Parameters
    ----------
    start_date : date
        Day 0.
    day : int
        The day [days since the start date].
    levels : tuple of LevelCounts
        Lowest first.
    permitted_level : int
        The highest level, from 0, at which somebody may be infused.
    open_levels : int
        Levels, from the lowest, that no decision has eliminated.
    cohort : StandingCohort or None
        ``None`` where the trial ended before a cohort.
    patients : tuple of StandingPatient
        Those whose outcome is still to come, in order of enrolment.
    candidates : tuple of StandingCandidate
        Those who may still be enrolled, in order of coming.
    is_closed : bool
        Whether nobody is enrolled any more.
    """

    start_date: date
    day: int
    levels: tuple[LevelCounts, ...]
    permitted_level: int
    open_levels: int
    cohort: StandingCohort | None
    patients: tuple[StandingPatient, ...]
    candidates: tuple[StandingCandidate, ...]
    is_closed: bool

    @property
    def as_of(self) -> date:
        """The day as a date."""
        return self.date_of(self.day)

    def date_of(self, day: int) -> date:
        """Return the date of a day [days since the start date]."""
        return self.start_date + timedelta(days=day)
