"""What is kept of each of many trials: one row per trial, as columns of numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..files import Saves
from ..scenario.model import Scenario
from ..words.frames import pandas
from ..words.records import NO_DOSE, NO_LEVEL, BoolArray, FloatArray, IntArray, Trial
from ..words.shown import Shows
from ..words.tables import STATES
from .timeline import WAITS, cohort_days, milestone_names, milestones, waits, waits_of

NOT_REACHED = -1
"""Day of a milestone that a trial did not reach, inside arrays; never shown to a person."""

PER_LEVEL = ("infused", "evaluable", "dlts", "non_evaluable", "not_infused", "replaced")
"""Counts of patients kept for each dose level."""

COHORTS_TIMED = 12
"""Cohorts, the first of a trial, of which it is kept how long they took; there can be more than planned patients, since
a cohort may be left before anybody is infused."""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Trials(Shows, Saves):
    """Many trials of one scenario, one row each.

    Parameters
    ----------
    scenario : Scenario
        What was simulated.
    seed : int
        Seed of all of them.
    first : int
        Replicate number of the first row; the others follow.
    recommended : int array, shape (n,)
        Recommended dose level from 0, or `NO_LEVEL`.
    reasons : tuple of str
        Reasons why escalations ended, in alphabetical order.
    reason : int array, shape (n,)
        Position of each trial's reason among them.
    paths : bytes array, shape (n,)
        Dose paths, in ASCII.
    patients : dict of int array, shape (n, K)
        For each of `PER_LEVEL`, patients at each dose level.
    candidates : dict of int array, shape (n,)
        For each of `states_of` the scenario, candidates who ended in it.
    enrolled_from : dict of int array, shape (n,)
        For each site, patients who are from it; empty where the scenario has no sites.
    duration_days : int array, shape (n,)
        Day of the last event [days since the start date].
    milestone_days : dict of int array, shape (n,)
        For each milestone of `escalate.results.timeline.milestones`, its day, or `NOT_REACHED`.
    cohort_days : int array, shape (n, C)
        For each of the first cohorts, at most `COHORTS_TIMED`, days from its opening to the last decision on it, or
        `NOT_REACHED`.
    waits : dict of int array, shape (n,)
        For each of `escalate.results.timeline.waits_of` the scenario, days; they add up to `duration_days`.
    """

    scenario: Scenario
    seed: int
    first: int
    recommended: IntArray
    reasons: tuple[str, ...]
    reason: IntArray
    paths: NDArray[np.bytes_]
    patients: dict[str, IntArray]
    candidates: dict[str, IntArray]
    enrolled_from: dict[str, IntArray]
    duration_days: IntArray
    milestone_days: dict[str, IntArray]
    cohort_days: IntArray
    waits: dict[str, IntArray]

    def __len__(self) -> int:
        return len(self.recommended)

    def __repr__(self) -> str:
        last = self.first + len(self) - 1
        return f"<Trials: {len(self)} of {self.scenario.trial.title!r}, seed {self.seed}, {self.first} to {last}>"

    def to_pandas(self) -> Any:
        """Return all trials, one row each, as a pandas ``DataFrame``: `columns`, and the day of the end as a date.

        It needs pandas, which the extra ``notebooks`` installs.
        """
        pd = pandas()

        frame = pd.DataFrame(self.columns()).convert_dtypes()
        frame["end_date"] = pd.Timestamp(self.start_date) + pd.to_timedelta(self.duration_days, unit="D")
        return frame

    @property
    def stop_reasons(self) -> tuple[str, ...]:
        """Why each escalation ended, length n."""
        return tuple(self.reasons[code] for code in self.reason.tolist())

    @property
    def dose_paths(self) -> tuple[str, ...]:
        """Each trial's dose path as in `Trial`, length n."""
        return tuple(self.paths.astype(str).tolist())

    @property
    def finished_in_time(self) -> BoolArray:
        """Whether each trial ended by the planned completion date, shape (n,); none where no date is planned."""
        ended, planned = self.milestone_days["trial ended"], self.scenario.planned_days
        return np.asarray((ended != NOT_REACHED) & (ended <= (NOT_REACHED if planned is None else planned)))

    @property
    def start_date(self) -> date:
        """Day 0."""
        return self.scenario.trial.start_date

    def count_paths(self) -> list[tuple[str, int]]:
        """Return the dose paths with how often each came, most frequent first."""
        paths, counts = np.unique(self.paths, return_counts=True)
        return sorted(
            zip(paths.astype(str).tolist(), counts.tolist(), strict=True), key=lambda item: (-item[1], item[0])
        )

    def columns(self) -> dict[str, Any]:
        """Return everything as named arrays, for ``trials.npz``; levels from 1 and words, nothing coded."""
        return {name: make(slice(None)) for name, make in self.column_makers().items()}

    def column_makers(self) -> dict[str, Callable[[slice], Any]]:
        """Return what makes some rows of each column, so that not all need lie in memory."""
        labels = np.array([level.label for level in self.scenario.dose_levels] + [NO_DOSE])
        whole, days = _rows_of, _days_of
        return {
            "replicate": lambda rows: np.arange(*rows.indices(len(self))) + self.first,
            "recommended": lambda rows: labels[self.recommended[rows]],
            "stop_reason": lambda rows: np.array(self.reasons)[self.reason[rows]],
            "dose_path": lambda rows: self.paths[rows].astype(f"U{self.paths.itemsize}"),
            **{
                f"{name}_at_level_{level + 1}": whole(counts[:, level])
                for name, counts in self.patients.items()
                for level in range(counts.shape[1])
            },
            **{f"candidates_{name.replace(' ', '_')}": whole(values) for name, values in self.candidates.items()},
            **{f"enrolled_from_site_{k}": whole(values) for k, values in enumerate(self.enrolled_from.values(), 1)},
            "duration_days": whole(self.duration_days),
            **{f"{name.replace(' ', '_')}_day": days(values) for name, values in self.milestone_days.items()},
            **{f"cohort_{k + 1}_days": days(values) for k, values in enumerate(self.cohort_days.T)},
            **{f"waits_{name.replace(' ', '_').replace('-', '_')}_days": whole(v) for name, v in self.waits.items()},
        }


def _rows_of(values: IntArray) -> Callable[[slice], Any]:
    return lambda rows: values[rows]


def _days_of(values: IntArray) -> Callable[[slice], Any]:
    return lambda rows: days_or_nan(values[rows])


def days_or_nan(days: IntArray) -> FloatArray:
    """Return days, NaN for what was not reached."""
    return np.where(days == NOT_REACHED, np.nan, days)


def states_of(scenario: Scenario) -> dict[str, str]:
    """Return those of `STATES` in which candidates of a scenario can end."""
    has = {"not consented": scenario.screening.waits, "no product": scenario.autologous is not None}
    return {name: meaning for name, meaning in STATES.items() if has.get(name, True)}


def row_of(trial: Trial) -> Row:
    """Return what is kept of one trial; `collect` puts such rows together."""
    states = Counter(trial.patients["state"])
    return (
        NO_LEVEL if trial.recommended is None else trial.recommended - 1,
        trial.stop_reason,
        trial.dose_path,
        tuple(_by_level(trial, name) for name in PER_LEVEL),
        tuple(states[state] for state in states_of(cast(Scenario, trial.scenario))),
        _by_site(trial),
        trial.duration_days,
        tuple(NOT_REACHED if day is None else day for day in milestones(trial).values()),
        tuple(waits(trial).values()),
        tuple(NOT_REACHED if days is None else days for days in cohort_days(trial)[:COHORTS_TIMED]),
    )


def collect(scenario: Scenario, seed: int, first: int, rows: Sequence[Row]) -> Trials:
    """Return trials as columns, from one row of `row_of` for each.

    Parameters
    ----------
    scenario : Scenario
        What was simulated.
    seed, first : int
        Seed, and replicate number of the first row.
    rows : sequence of tuple
        In order of replicate; at least one.
    """
    recommended, reasons, paths, patients, states, sites, durations, milestone_days, parts, times = zip(
        *rows, strict=True
    )
    cohorts = [(*days, *[NOT_REACHED] * COHORTS_TIMED)[:COHORTS_TIMED] for days in times]
    counts = np.array(patients, dtype=np.int64)
    known, codes = np.unique(reasons, return_inverse=True)
    return Trials(
        scenario=scenario,
        seed=seed,
        first=first,
        recommended=np.array(recommended, dtype=np.int64),
        reasons=tuple(known.tolist()),
        reason=codes,
        paths=np.array(paths, dtype=np.bytes_),
        patients={name: counts[:, position, :] for position, name in enumerate(PER_LEVEL)},
        candidates=_columns(states_of(scenario), states),
        enrolled_from=_columns([site.name for site in scenario.sites], sites),
        duration_days=np.array(durations, dtype=np.int64),
        milestone_days=_columns(milestone_names(scenario.levels), milestone_days),
        cohort_days=np.array(cohorts, dtype=np.int64),
        waits=_columns(tuple(waits_of(scenario)), parts),
    )


def column_sizes(scenario: Scenario) -> list[int]:
    """Return how many columns the kernel's books have for each kind of number, in their order."""
    one_by_one, levels = [1, 1, 1], [scenario.levels] * len(PER_LEVEL)
    milestone_count = len(milestone_names(scenario.levels))
    return [*one_by_one, len(WAITS), milestone_count, len(STATES), *levels, len(scenario.sites), COHORTS_TIMED]


def bytes_of_one(scenario: Scenario) -> int:
    """Return how many bytes of memory one trial takes, roughly and rather too many: its numbers and its dose path."""
    path = scenario.trial.planned_patients * (1 + 2 / scenario.safety.cohort_size)
    return 4 * sum(column_sizes(scenario)) + 8 + round(path)


def gather(
    scenario: Scenario, seed: int, first: int, numbers: NDArray[Any], paths: NDArray[np.bytes_], reasons: Sequence[str]
) -> Trials:
    """Return trials as columns, from the books of the kernel.

    Parameters
    ----------
    scenario : Scenario
        What was simulated.
    seed, first : int
        Seed, and replicate number of the first row.
    numbers : int array, shape (n, columns)
        As `escalate.kernel.books.close_books` writes them.
    paths : bytes array, shape (n,)
        Dose paths.
    reasons : sequence of str
        What the positions of reasons mean.
    """
    names = milestone_names(scenario.levels)
    recommended, reason, duration, parts, days, states, *counts, sites, cohorts = _columns_of(
        scenario, np.asfortranarray(numbers)
    )
    met = np.flatnonzero(np.bincount(reason[:, 0]))
    position = np.zeros(len(reasons), dtype=np.int64)
    known, position[met] = np.unique([reasons[code] for code in met.tolist()], return_inverse=True)
    return Trials(
        scenario=scenario,
        seed=seed,
        first=first,
        recommended=recommended[:, 0],
        reasons=tuple(known.tolist()),
        reason=position[reason[:, 0]],
        paths=paths,
        patients=dict(zip(PER_LEVEL, counts, strict=True)),
        candidates={name: states[:, list(STATES).index(name)] for name in states_of(scenario)},
        enrolled_from={site.name: sites[:, position] for position, site in enumerate(scenario.sites)},
        duration_days=duration[:, 0],
        milestone_days={name: days[:, position] for position, name in enumerate(names)},
        cohort_days=cohorts,
        waits={name: parts[:, list(WAITS).index(name)] for name in waits_of(scenario)},
    )


def consented(scenario: Scenario, numbers: NDArray[Any]) -> IntArray:
    """Return how many candidates each trial had, from the books of the kernel, shape (n,)."""
    states = _columns_of(scenario, numbers)[5]
    return np.asarray(states.sum(axis=1))


def _columns_of(scenario: Scenario, numbers: NDArray[Any]) -> list[NDArray[Any]]:
    """Cut the books of the kernel into their kinds of numbers: see `column_sizes`."""
    return np.split(numbers, np.cumsum(column_sizes(scenario))[:-1], axis=1)


def join(parts: Sequence[Trials]) -> Trials:
    """Return the trials of several parts as one.

    Parameters
    ----------
    parts : sequence of Trials
        At least one, of the same scenario and seed, each following the one before it.
    """
    first, reasons = parts[0], sorted({reason for part in parts for reason in part.reasons})
    if len(parts) == 1:
        return first

    def whole(columns: Callable[[Trials], dict[str, IntArray]]) -> dict[str, IntArray]:
        return {name: np.concatenate([columns(part)[name] for part in parts]) for name in columns(first)}

    return Trials(
        scenario=first.scenario,
        seed=first.seed,
        first=first.first,
        recommended=np.concatenate([part.recommended for part in parts]),
        reasons=tuple(reasons),
        reason=np.concatenate([np.array([reasons.index(why) for why in p.reasons])[p.reason] for p in parts]),
        paths=np.concatenate([part.paths for part in parts]),
        patients=whole(lambda part: part.patients),
        candidates=whole(lambda part: part.candidates),
        enrolled_from=whole(lambda part: part.enrolled_from),
        duration_days=np.concatenate([part.duration_days for part in parts]),
        milestone_days=whole(lambda part: part.milestone_days),
        cohort_days=np.concatenate([part.cohort_days for part in parts]),
        waits=whole(lambda part: part.waits),
    )


def _columns(names: Iterable[str], rows: Sequence[Sequence[int]]) -> dict[str, IntArray]:
    values = np.array(rows, dtype=np.int64)
    return {name: values[:, position] for position, name in enumerate(names)}


def _by_site(trial: Trial) -> tuple[int, ...]:
    """Return how many patients are from each site."""
    names = [site.name for site in cast(Scenario, trial.scenario).sites]
    if not names:
        return ()
    enrolled = Counter(
        site for site, patient in zip(trial.patients["site"], trial.patients["patient"], strict=True) if patient
    )
    return tuple(enrolled[name] for name in names)


def _by_level(trial: Trial, name: str) -> tuple[int, ...]:
    total = [0] * len(trial.doses)
    for level, count in zip(trial.cohorts["level"], trial.cohorts[name], strict=True):
        total[level - 1] += count
    return tuple(total)
