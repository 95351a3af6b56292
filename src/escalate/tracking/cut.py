"""A simulated trial cut on a day: the log that its sites would have kept, with everything later forgotten."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from ..errors import CallError, EscalateError
from ..scenario.model import Scenario
from ..words.log import Dlt, Log, LoggedMeeting, LoggedPatient
from ..words.records import NO_LEVEL, Action, Trial
from .columns import ACTIONS
from .simulated import LESS_THAN_FULL

Event = Mapping[str, Any]

_CUTS = ("cohort complete", "decision forced", "candidate ready", "candidate to consent", "nothing outstanding")
"""Events with which the committee is called, unless the cohort is an expansion."""

_LEAVES = (
    "screen failure", "no product", "withdrew", "no place", "turned away", "not infused", "drop-out",
    "follow-up completed",
)  # fmt: skip
"""Events with which somebody leaves; who has none was still there when the trial's time was up."""

_CELLS_DIGITS = 12
"""So many digits of an amount are kept: workbooks keep sixteen, and would change the last of more."""


def log_of(trial: Trial, on: date | int) -> Log:
    """Return the log of a simulated trial as it was at the end of a day.

    What is known on the day is there, and nothing else: a window that is still open has no outcome, a failed
    criterion, a leaving or a decision of later days is not known, and who comes later is not in it.

    Parameters
    ----------
    trial : Trial
        A finished trial: `escalate.simulate_trial` makes one.
    on : date or int
        The day, as a date or in days since the start date; from the first to the last day of the trial.

    Returns
    -------
    Log
        What is known at the end of that day. A decision whose data cut was made and that has not been taken is a
        meeting without a committee day.

    Raises
    ------
    EscalateError
        If the day is not in the trial.
    """
    day = _day_of(trial, on)
    scenario = trial.scenario
    assert isinstance(scenario, Scenario)
    events: dict[int, list[Event]] = defaultdict(list)
    for event in trial.events:
        if event["candidate"] is not None and event["day"] <= day:
            events[event["candidate"]].append(event)
    patients = [
        _patient(_Told.of(row, events[row["candidate"]], scenario), day)
        for row in trial.patients
        if events.get(row["candidate"])
    ]
    return Log(
        start_date=trial.start_date,
        as_of_day=day,
        patients=tuple(patients),
        meetings=tuple(_meetings(trial, day)),
        note=f"simulated: seed {trial.seed}, replicate {trial.replicate}",
    )


def _day_of(trial: Trial, on: date | int) -> int:
    if isinstance(on, datetime):
        on = on.date()
    if isinstance(on, bool) or not isinstance(on, date | int):
        raise CallError(f"on must be a date or a number of days since the start date, got {on!r:.60}")
    day = on if isinstance(on, int) else (on - trial.start_date).days
    if not 0 <= day <= trial.duration_days:
        first, last = trial.start_date, trial.date_of(trial.duration_days)
        raise EscalateError(f"the trial goes from {first} to {last} (day {trial.duration_days}), got {on}")
    return day


@dataclass(frozen=True, slots=True)
class _Told:
    """What the records tell of one person up to a day.

    Parameters
    ----------
    row : dict
        The row of the patients table: with what became of the person later.
    events : sequence of dict
        Of the person, up to the day.
    scenario : Scenario
        Schedules, sites, amounts.
    """

    row: Mapping[str, Any]
    events: Sequence[Event]
    scenario: Scenario
    days: Mapping[str, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, row: Mapping[str, Any], events: Sequence[Event], scenario: Scenario) -> _Told:
        """Return it, with the days of each event."""
        days: dict[str, list[int]] = defaultdict(list)
        for event in events:
            days[event["event"]].append(event["day"])
        return cls(row, events, scenario, dict(days))

    def first(self, *names: str) -> int | None:
        """Return the first day on which one of some events was."""
        return min((day for name in names for day in self.days.get(name, ())), default=None)

    def last(self, *names: str) -> int | None:
        """Return the last day on which one of some events was."""
        return max((day for name in names for day in self.days.get(name, ())), default=None)

    def by(self, column: str, day: int) -> int | None:
        """Return a day of the patients table, if it is not later than another."""
        found: int | None = self.row[column]
        return found if found is not None and found <= day else None


def _patient(told: _Told, day: int) -> LoggedPatient:
    row, scenario = told.row, told.scenario
    start = told.by("treatment_start_day", day)
    infusions = tuple(told.days.get("infusion", ()))
    left = told.last(*_LEAVES)
    failed = told.first("screen failure")
    dlt, dlt_day = _dlt(told, day)
    is_reduced = bool(infusions) and _is_reduced(told)
    names = [site.name for site in scenario.sites]
    return LoggedPatient(
        candidate=row["candidate"],
        site=names.index(row["site"]) if names else 0,
        patient=None if start is None else row["patient"],
        referred_day=told.first("referred"),
        consent_day=told.first("consent"),
        screening_end_day=told.last("eligible", "screen failure"),
        failed_criterion=None if failed is None else row["failed_criterion"],
        product_day=told.first("product ready"),
        ready_day=_ready_day(told),
        level=None if start is None else row["level"] - 1,
        start_day=start,
        infusion_days=infusions,
        cells_given=_cells_given(told, len(infusions), is_reduced) if infusions else None,
        full_dose=not is_reduced if infusions else None,
        not_infused_reason=row["not_infused_reason"] if told.first("not infused") is not None else None,
        dlt=dlt,
        dlt_day=dlt_day,
        left_day=left,
        left_reason=None if left is None else row["state"],
    )


def _ready_day(told: _Told) -> int | None:
    """Return since when a place is asked for: from screening or the product on, and anew once screened again."""
    own_product = told.scenario.autologous is not None
    ready, screened = None, 0
    for event in told.events:
        match event["event"]:
            case "eligible":
                screened += 1
                if not own_product or screened > 1:
                    ready = event["day"]
            case "product ready":
                ready = event["day"]
            case "screened again":
                ready = None
    return ready


def _dlt(told: _Told, day: int) -> tuple[Dlt | None, int | None]:
    """Return whether a DLT is known, and its day: none is known of a window once that is completed."""
    on = told.by("dlt_day", day)
    if on is not None and told.first("DLT", "late toxicity") is not None:
        return "yes", on
    return ("no", None) if told.first("window completed") is not None else (None, None)


def _is_reduced(told: _Told) -> bool:
    """Return whether the infusions of a patient are less than planned.

    The cells that were given say so; of a dose without cells the shares in the events, and the reason why somebody
    who completed the window was non-evaluable.
    """
    row, schedule = told.row, told.scenario.schedules[told.row["level"] - 1]
    cells = told.scenario.dose_levels[row["level"] - 1].cells
    if cells is not None:
        planned = sum(schedule.shares[: row["infusions"]]) * cells
        return bool(row["cells_given"] < planned * (1 - 1e-9))
    first = next(event["detail"] for event in told.events if event["event"] == "infusion")
    share = schedule.shares[0]
    is_all = row["infusions"] == len(schedule.infusion_days)
    planned_words = ("" if share == 1 else f"{share:.0%} of ") + told.scenario.dose_levels[row["level"] - 1].label
    return (is_all and row["non_evaluable_reason"] == LESS_THAN_FULL) or not first.startswith(planned_words)


def _cells_given(told: _Told, infusions: int, is_reduced: bool) -> float | None:
    level = told.row["level"] - 1
    cells = told.scenario.dose_levels[level].cells
    if cells is None:
        return None
    share = told.scenario.attrition.partial_dose_share if is_reduced else 1.0
    given = sum(told.scenario.schedules[level].shares[:infusions]) * share * cells
    return float(f"{given:.{_CELLS_DIGITS}g}")


def _meetings(trial: Trial, day: int) -> Iterator[LoggedMeeting]:
    """Yield the decisions that were taken, then the one that is outstanding, if one is."""
    for row in trial.decisions:
        if row["committee_day"] > day:
            break
        stops = row["action"] == Action.STOP.words
        to = row["recommended_level"] if stops else row["next_level"]
        yield LoggedMeeting(
            data_cut_day=row["data_cut_day"],
            committee_day=row["committee_day"],
            level=row["level"] - 1,
            evaluable=row["evaluable"],
            dlts=row["dlts"],
            pending=row["pending"],
            action=Action(ACTIONS.index(row["action"])),
            next_level=to - 1 if to else NO_LEVEL,
            next_patients=row["next_patients"],
            reason=row["reason"],
        )
    purposes = dict(zip(trial.cohorts["cohort"], trial.cohorts["purpose"], strict=True))
    outstanding = None
    for event in trial.events:
        if event["day"] > day:
            break
        if event["event"] in _CUTS and purposes[event["cohort"]] == "escalation":
            outstanding = LoggedMeeting(data_cut_day=event["day"], level=event["level"] - 1)
        elif event["event"] == "decision":
            outstanding = None
    if outstanding is not None:
        yield outstanding
