"""How many candidates and patients there are by each date, over many trials.

Operating characteristics keep no day of a single patient, so these trials are run with all their records, a thousand
or two in a second, and only the days of their patients are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import EscalateError
from ..files import Saves
from ..scenario.model import Scenario
from ..words.asked import asks
from ..words.records import IntArray, Trial
from ..words.shown import Shows
from .simulation import traced_trials

COUNTED: dict[str, str] = {
    "consented": "candidates who have consented",
    "enrolled": "patients enrolled: lymphodepletion, or the infusion where there is none, has begun",
    "infused": "patients infused",
    "evaluable": "patients known to be evaluable: DLT, or window completed with the full dose",
}
"""Whom an accrual counts, and from which day on."""

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
        import pandas as pd

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
        every = np.arange((self.last_day(counted) if until is None else until) + 1)
        return np.stack([np.searchsorted(days, every, side="right") for days in self.of(counted)])

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


@asks(Scenario, numbers=("trials", "seed"))
def accrual(scenario: Scenario, *, trials: int = 1000, seed: int = 1, progress: bool | None = None) -> Accrual:
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
        Drawn by `escalate.plot_accrual_fan`.

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
