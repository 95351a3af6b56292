"""How many candidates and patients there are by each date, over many trials.

Operating characteristics keep no day of a single patient, so these trials are run with all their records, some
hundreds in a second, and only the days of their patients are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from ..errors import CallError, EscalateError
from ..files import Saves
from ..results.estimates import Estimate, probability, quantile
from ..scenario.model import Scenario
from ..words.asked import asks, described
from ..words.defaults import TRIALS_RECORDED
from ..words.frames import pandas
from ..words.records import IntArray, Trial
from ..words.shown import Shows
from ..words.tables import Column, Layout, Table
from .simulation import traced_trials

COUNTED: dict[str, str] = {
    "consented": "candidates who have consented",
    "enrolled": "patients enrolled: lymphodepletion, or the infusion where there is none, has begun",
    "infused": "patients infused",
    "evaluable": "patients known to be evaluable: DLT, or window completed with the full dose",
}
"""Whom an accrual counts, and from which day on."""

TAILS = (0.10, 0.90)
"""Quantiles between which the numbers and dates of most trials are told and drawn."""

MOST_TRIALS = f"{TAILS[1] - TAILS[0]:.0%} of the trials"
"""How many trials those are, in words."""

PLANNED = "planned number or more"
"""The measure that tells how probable it is that as many have come as are planned."""

ACCRUAL = Layout(
    "accrual",
    (
        Column("counted", f"Who is counted: {', '.join(COUNTED)}"),
        Column("day", "By the end of which day", "days since the trial's start date"),
        Column("date", "By the end of which day, as a date", "ISO 8601", date_of="day"),
        Column("measure", f"What is estimated: a quantile of the number, or `{PLANNED}`"),
        Column("estimate", "The estimate", "see `unit`"),
        Column(
            "mc_se", "Its Monte Carlo standard error", "see `unit`", "if the interval has no length, or an end less"
        ),
        Column("low", "Lower end of its 95% Monte Carlo interval", "see `unit`", "if the trials are too few for it"),
        Column("high", "Upper end of its 95% Monte Carlo interval", "see `unit`", "if the trials are too few for it"),
        Column("unit", "`patients`, `candidates` or `probability`"),
        Column("trials", "Trials that the estimate rests on", "count"),
    ),
)

_DAYS = {"consented": "consent_day", "enrolled": "treatment_start_day", "infused": "infusion_day"}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Accrual(Shows, Saves):
    """The days of the candidates and patients of many trials.

    Parameters
    ----------
    scenario : Scenario
        What was simulated.
    seed : int
        Seed of all trials.
    days : dict of str to tuple of int array
        For each of `COUNTED`, an array for each trial: the days on which the number rose by one, in order [days since
        the start date].
    """

    scenario: Scenario
    seed: int
    days: dict[str, tuple[IntArray, ...]]

    def __repr__(self) -> str:
        return f"<Accrual: {self.trials} trials of {self.scenario.trial.title!r}, seed {self.seed}>"

    def to_pandas(self) -> Any:
        """Return one row for each trial and each that is counted, with the day and its date, as a pandas ``DataFrame``.

        It needs pandas, which the extra ``notebooks`` installs.
        """
        pd = pandas()

        rows = [
            (counted, trial, number, int(day))
            for counted, of_trials in self.days.items()
            for trial, days in enumerate(of_trials)
            for number, day in enumerate(days, 1)
        ]
        frame = pd.DataFrame(rows, columns=["counted", "trial", "number", "day"])
        frame["date"] = pd.Timestamp(self.scenario.trial.start_date) + pd.to_timedelta(frame["day"], unit="D")
        return frame

    @property
    def trials(self) -> int:
        """How many trials there are."""
        return len(self.days["infused"])

    def last_day(self, counted: str = "infused") -> int:
        """Return the last day on which the number rises in any trial; 0 if it never does [days since the start date].

        Raises
        ------
        EscalateError
            If nobody is counted like that; the message lists who is.
        """
        return max((int(days[-1]) for days in self.of(counted) if len(days)), default=0)

    def numbers(self, counted: str = "infused", until: int | None = None) -> IntArray:
        """Return how many there are by the end of each day.

        Parameters
        ----------
        counted : str
            One of `COUNTED`.
        until : int, optional
            Last day [days since the start date], at least 0; `last_day` where it is not given.

        Returns
        -------
        int array, shape (trials, until + 1)
            A row for each trial, a column for each day from the start date on. After a trial's end its number stays.

        Raises
        ------
        EscalateError
            As `last_day`.
        """
        return self._numbers_on(np.arange((self.last_day(counted) if until is None else until) + 1), counted)

    def _numbers_on(self, ends: IntArray, counted: str) -> IntArray:
        return np.stack([np.searchsorted(days, ends, side="right") for days in self.of(counted)])

    def by_date(self, *dates: date | str, counted: str = "infused") -> Table:
        """Return how many there are by some dates: the median, the middle 80% of the trials, P(as many as planned).

        Parameters
        ----------
        *dates : date or str
            Each a date or its ISO text, ``"2025-06-30"``, from the start date to the last day that the trial may last
            (``trial.max_days``); the day itself counts. Where none is given, the first day of each month until nobody
            else comes, and the planned completion date.
        counted : str
            One of `COUNTED`.

        Returns
        -------
        Table
            A row for each date and measure, with its Monte Carlo error: see `ACCRUAL`. It shows itself in a notebook,
            and ``save("accrual.csv")`` writes it. P(as many as planned) is of ``trial.planned_patients``, and not told
            of candidates; whoever is replaced counts as well.

        Raises
        ------
        EscalateError
            If something is no date, or outside those days; and as `last_day`.
        """
        days = days_of(self.scenario, dates) if dates else self._usual_days(counted)
        rows = tuple(
            (counted, day, e.measure, e.estimate, e.mc_se, e.low, e.high, e.unit, e.trials)
            for day, estimates in self.estimates_by(days, counted)
            for e in estimates
        )
        return Table(ACCRUAL, rows, self.scenario.trial.start_date)

    def estimates_by(self, days: Sequence[int], counted: str) -> Iterator[tuple[int, tuple[Estimate, ...]]]:
        """Yield each day with its estimates: three quantiles of the number, and P(planned) unless of candidates."""
        planned = self.scenario.trial.planned_patients
        unit = "candidates" if counted == "consented" else "patients"
        numbers = self._numbers_on(np.array(days, dtype=np.int64), counted)
        for day, column in zip(days, numbers.T.tolist(), strict=True):
            often = Counter(column)
            found = [quantile("accrual", f"{q:.0%} quantile", often, q, unit) for q in (TAILS[0], 0.5, TAILS[1])]
            if counted != "consented":
                come = sum(number >= planned for number in column)
                found.append(probability("accrual", PLANNED, None, come, self.trials))
            yield day, tuple(found)

    def _usual_days(self, counted: str) -> list[int]:
        """Return the first days of the months until nobody else comes, and the planned completion [days]."""
        start, planned = self.scenario.trial.start_date, self.scenario.planned_days
        days: list[int] = []
        month = start
        while not days or days[-1] < self.last_day(counted):
            month = (month.replace(day=1) + timedelta(days=31)).replace(day=1)
            days.append((month - start).days)
        return sorted({*days, *([] if planned is None else [planned])})

    def quantiles(self, shares: Sequence[float], counted: str = "infused", until: int | None = None) -> IntArray:
        """Return quantiles of the numbers by the end of each day.

        Parameters
        ----------
        shares : sequence of float
            Of the trials, between 0 and 1 each.
        counted, until
            As in `numbers`.

        Returns
        -------
        int array, shape (shares, until + 1)
            The smallest number that at least such a share of the trials do not exceed, for each day from the start
            date on.

        Raises
        ------
        EscalateError
            As `last_day`.
        """
        numbers = self.numbers(counted, until)
        return np.asarray(np.quantile(numbers, shares, axis=0, method="inverted_cdf"), dtype=np.int64)

    def of(self, counted: str) -> tuple[IntArray, ...]:
        """Return the days on which the number of those who are counted rises, for each trial; raises as `last_day`."""
        if counted not in self.days:
            raise EscalateError(f"counted: there is no {counted!r}; there are: {', '.join(COUNTED)}")
        return self.days[counted]


def days_of(scenario: Scenario, dates: Iterable[date | str]) -> list[int]:
    """Return the days of dates, in order and each once [days since the start date].

    Raises
    ------
    CallError
        If something is no date, or the trial has not begun or is over for certain by then; all of them at once.
    """
    start = scenario.trial.start_date
    last = start + timedelta(days=scenario.trial.max_days)
    days, faults = set(), []
    for given in dates:
        day = _date(given)
        if day is None:
            faults.append(f"{described(given)} is no date that exists; write it as in {start + timedelta(days=365)}")
        elif not start <= day <= last:
            said = f"the trial starts on {start}, and is over by {last} (trial.max_days)"
            faults.append(f"{day} is outside the trial: {said}")
        else:
            days.add((day - start).days)
    if faults:
        raise CallError("\n".join(f"by which date: {fault}" for fault in faults))
    return sorted(days)


def _date(given: object) -> date | None:
    if isinstance(given, datetime):
        return given.date()
    try:
        return given if isinstance(given, date) else date.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        return None


@asks(Scenario, numbers=("trials", "seed"))
def accrual(
    scenario: Scenario, *, trials: int = TRIALS_RECORDED, seed: int = 1, progress: bool | None = None
) -> Accrual:
    """Simulate trials with all their records, and keep when each candidate and patient came.

    Parameters
    ----------
    scenario : Scenario
        Protocol and assumptions.
    trials : int
        How many, at least 1; the first ones of `escalate.simulate` with the same seed.
    seed : int
        Seed, at least 0.
    progress : bool
        Whether to show how far it is; where a person watches, in a terminal or a notebook, if it is not given.

    Returns
    -------
    Accrual
        Drawn by `escalate.plot_accrual_fan`; its `by_date` tells how many there are by a date.

    Raises
    ------
    ValueError
        If `trials` is below 1, or `seed` is negative.
    """
    rows = [_rises(trial) for trial in traced_trials(scenario, trials=trials, seed=seed, progress=progress)]
    return Accrual(scenario=scenario, seed=seed, days={name: tuple(row[name] for row in rows) for name in COUNTED})


def _rises(trial: Trial) -> dict[str, IntArray]:
    """Return the days on which each number rose in one trial."""
    found = {name: _sorted(trial.patients[column]) for name, column in _DAYS.items()}
    outcomes = zip(trial.patients["outcome"], trial.patients["outcome_day"], strict=True)
    found["evaluable"] = _sorted(day for outcome, day in outcomes if outcome in ("no DLT", "DLT"))
    return found


def _sorted(days: Iterable[int | None]) -> IntArray:
    return np.array(sorted(day for day in days if day is not None), dtype=np.int64)
