"""A trial's log: what is known of a real trial on a day, as its site wrote it down.

Facts are taken as they are. Days count from the scenario's start date and levels from 0, as in the records that the
engine writes; an empty cell is ``None``: not yet, or not known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from .records import Action

Dlt = Literal["yes", "no", "under adjudication"]
"""Whether a patient had a dose-limiting toxicity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedPatient:
    """One row of the patients sheet: a candidate, and the patient whom the candidate becomes.

    Parameters
    ----------
    candidate : int
        Number in order of coming, from 1.
    site : int
        Position of the site in the scenario, from 0.
    patient : int or None
        Enrolment number, from 1.
    referred_day : int or None
        When somebody came who could not consent yet, where screening waits; else ``None``.
    consent_day, screening_end_day : int or None
        Consent, and the last result of screening.
    failed_criterion : str or None
        The criterion of screening that was not met.
    product_day : int or None
        When a product of the patient's own cells was there, where one is made.
    ready_day : int or None
        Since when a place is asked for.
    level, level_received : int or None
        Dose level that was assigned, and that was given if it is known to be another one.
    start_day : int or None
        Start of lymphodepletion, or of infusion where there is none.
    infusion_days : tuple of int
        The infusions that were given, in order.
    cells_given : float or None
        Over all of them.
    full_dose : bool or None
        Whether each infusion that was given was in full; ``None`` if nobody says.
    not_infused_reason : str or None
        Why no cells were given to who was lymphodepleted.
    dlt : {"yes", "no", "under adjudication"} or None
        ``None`` for not yet.
    dlt_day : int or None
        Onset.
    dlt_term : str or None
        What it was.
    last_seen_day : int or None
        Up to when it is known that nothing happened; ``None`` for the day of the log.
    left_day : int or None
        Last day in the trial.
    left_reason : str or None
        The state in which the candidate or patient left: one of `escalate.words.tables.STATES`.
    evaluable_override : bool or None
        Whether somebody has decided that the patient counts, or does not, whatever the protocol's words say.
    override_by, override_why : str or None
        Who decided that, and why.
    """

    candidate: int
    site: int = 0
    patient: int | None = None
    referred_day: int | None = None
    consent_day: int | None = None
    screening_end_day: int | None = None
    failed_criterion: str | None = None
    product_day: int | None = None
    ready_day: int | None = None
    level: int | None = None
    level_received: int | None = None
    start_day: int | None = None
    infusion_days: tuple[int, ...] = ()
    cells_given: float | None = None
    full_dose: bool | None = None
    not_infused_reason: str | None = None
    dlt: Dlt | None = None
    dlt_day: int | None = None
    dlt_term: str | None = None
    last_seen_day: int | None = None
    left_day: int | None = None
    left_reason: str | None = None
    evaluable_override: bool | None = None
    override_by: str | None = None
    override_why: str | None = None

    @property
    def came_day(self) -> int:
        """When somebody came: to consent, or to be referred where screening waits."""
        return min((day for day in (self.referred_day, self.consent_day) if day is not None), default=0)

    @property
    def given_level(self) -> int | None:
        """The dose level that was given, or is going to be; ``None`` for who is not enrolled."""
        return self.level if self.level_received is None else self.level_received


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedMeeting:
    """One row of the meetings sheet: a data cut, and what the committee decided on it.

    Parameters
    ----------
    data_cut_day : int
        The day whose data were shown.
    committee_day : int or None
        When it was decided; ``None`` while the decision is outstanding.
    level : int
        Of the cohort that it was about.
    treated, evaluable, dlts, pending : int or None
        Counts shown at that level.
    action : Action or None
        What was decided.
    next_level : int or None
        Dose level of the next cohort; of a stop, the recommended one, or `NO_LEVEL`.
    next_patients : int or None
        Places of the next cohort; ``None`` if nobody says.
    reason : str or None
        Why, in the committee's words.
    """

    data_cut_day: int
    committee_day: int | None = None
    level: int
    treated: int | None = None
    evaluable: int | None = None
    dlts: int | None = None
    pending: int | None = None
    action: Action | None = None
    next_level: int | None = None
    next_patients: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """A change of the protocol while the trial runs.

    Parameters
    ----------
    day : int
        From which day on the new value holds.
    key : str
        The scenario's key, as ``safety.cohort_size``.
    old, new : str
        What was, and what is, as a scenario file writes it.
    """

    day: int
    key: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Days on which something stopped.

    Parameters
    ----------
    first_day, last_day : int
        Both belong to it; the last one may lie ahead.
    what : str
        What stopped.
    """

    first_day: int
    last_day: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """All that is known of a trial at the end of a day.

    Parameters
    ----------
    start_date : date
        Day 0: the scenario's start date.
    as_of_day : int
        The day: everything up to it is a fact, and nothing after it.
    patients : tuple of LoggedPatient
        As the site lists them; `in_order_of_coming` and `treated` have orders of their own.
    meetings : tuple of LoggedMeeting
        In order of data cut and decision.
    amendments : tuple of Amendment
        In order of day.
    pauses : tuple of Pause
        In order of day.
    note : str
        What is noted with every patient and meeting where it is written: of a simulated trial, that it is one. Nobody
        reads it, and logs are the same with any.
    """

    start_date: date
    as_of_day: int
    patients: tuple[LoggedPatient, ...] = ()
    meetings: tuple[LoggedMeeting, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    pauses: tuple[Pause, ...] = ()
    note: str = field(default="", compare=False)

    @property
    def as_of(self) -> date:
        """The day of the log as a date."""
        return self.date_of(self.as_of_day)

    @property
    def in_order_of_coming(self) -> list[LoggedPatient]:
        """Everybody in the order in which they came; on one day, in that of their numbers."""
        return sorted(self.patients, key=lambda one: (one.came_day, one.candidate))

    @property
    def treated(self) -> list[LoggedPatient]:
        """Those whose treatment has started, in the order in which it did."""
        started = [(one.start_day, one.patient or 0, one) for one in self.patients if one.start_day is not None]
        return [one for *_, one in sorted(started, key=lambda each: each[:2])]

    def date_of(self, day: int) -> date:
        """Return the date of a day [days since the start date]."""
        return self.start_date + timedelta(days=day)
