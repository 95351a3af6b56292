"""Which assumption matters most: one at a time, each goes from the low to the high end of its range.

The same patients meet both ends and the base case (common random numbers), so that differences are taken trial by
trial, and their errors are those of paired differences: much smaller than those of two simulations apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cautions import Caution, shared
from ..errors import Problem, ScenarioError
from ..kernel.engine import is_worth_compiling
from ..results.chance import change_in_words, in_percent, in_units
from ..results.estimates import NO_ERROR, NO_INTERVAL, Estimate, difference_of_sums, mean_of_sums, probability
from ..results.outcomes import Trials
from ..scenario.model import Scenario
from ..scenario.places import value_of
from ..scenario.ranges import value_text
from ..scenario.values import plain
from ..words.asked import asks
from ..words.defaults import TRIALS_EACH
from ..words.records import IntArray
from ..words.tables import Column, Layout, Table, Tabled
from . import workers
from .chunks import Chunk, chunks_of, run_chunk
from .crew import Crew, hired, part_size, travels
from .progress import progress as showing
from .simulation import KERNEL_CHUNK, check_can_travel, check_trials

BASE, LOW, HIGH = range(3)
"""Rows of what is compared."""

FINISHED = "finished by planned completion date"

SWINGS = Layout(
    "sensitivity",
    (
        Column("measure", "What the assumption changes: recommended, duration, or finished by planned completion date"),
        Column("level", "Dose level from 1 that is recommended", "", "where levels do not matter"),
        Column("key", "Key of the assumption"),
        Column("low", "Low end of its range"),
        Column("base", "Its value in the base case"),
        Column("high", "High end of its range"),
        Column("at_low", "Change of the measure at the low end", "probability or days"),
        Column("at_low_se", "Its Monte Carlo standard error", "", NO_ERROR),
        Column("at_low_low", "Lower end of its 95% Monte Carlo interval", "probability or days", NO_INTERVAL),
        Column("at_low_high", "Upper end of its 95% Monte Carlo interval", "probability or days", NO_INTERVAL),
        Column("at_high", "Change of the measure at the high end", "probability or days"),
        Column("at_high_se", "Its Monte Carlo standard error", "", NO_ERROR),
        Column("at_high_low", "Lower end of its 95% Monte Carlo interval", "probability or days", NO_INTERVAL),
        Column("at_high_high", "Upper end of its 95% Monte Carlo interval", "probability or days", NO_INTERVAL),
        Column("across", "Change of the measure from the low to the high end", "probability or days"),
        Column("across_se", "Its Monte Carlo standard error", "", NO_ERROR),
        Column("across_low", "Lower end of its 95% Monte Carlo interval", "probability or days", NO_INTERVAL),
        Column("across_high", "Upper end of its 95% Monte Carlo interval", "probability or days", NO_INTERVAL),
        Column("effect", "How far base case, low and high end are apart at most", "probability or days"),
        Column("trials", "Trials at each end, of the same patients", "count"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """What one assumption does to one measure.

    Parameters
    ----------
    key : str
        Dotted key of the assumption.
    low, base, high : str
        Both ends of its range, and its value in the base case, in words.
    at_low, at_high : Estimate
        Change of the measure against the base case, of the same patients.
    across : Estimate
        Change of the measure from the low to the high end, of the same patients.
    """

    key: str
    low: str
    base: str
    high: str
    at_low: Estimate
    at_high: Estimate
    across: Estimate

    @property
    def effect(self) -> float:
        """How far base case, low and high end are apart at most."""
        ends = (0.0, self.at_low.estimate, self.at_high.estimate)
        return max(ends) - min(ends)


@dataclass(frozen=True, kw_only=True, repr=False)
class Sensitivity(Tabled):
    """What each assumption does, one at a time.

    Parameters
    ----------
    scenario : Scenario
        The base case, with its ranges.
    seed : int
        Seed of all trials.
    trials : int
        Trials of the base case and of each end.
    base : tuple of Estimate
        The measures in the base case: P(recommend the level that is recommended most), duration [days], and
        P(finished by the planned completion date) if one is planned.
    swings : tuple of tuple of Swing
        For each measure, the assumptions; the one with the largest effect first.
    """

    scenario: Scenario
    seed: int
    trials: int
    base: tuple[Estimate, ...]
    swings: tuple[tuple[Swing, ...], ...]

    def __repr__(self) -> str:
        return f"<Sensitivity: {len(self.swings[0])} assumptions, {self.trials} trials at each end>"

    @cached_property
    def cautions(self) -> dict[Caution, str]:
        """The cautions of the base case, and those that the ends of ranges add, each with where."""
        base: list[tuple[str, Scenario]] = [("", self.scenario)]
        ends = ((f"{key} = {value_text(end)}", case) for key, end, case in _ends(self.scenario))
        return {one.caution: "" if "" in one.of else f"at {'; '.join(one.of)}" for one in shared(chain(base, ends))}

    @cached_property
    def table(self) -> Table:
        """One row for each measure and assumption, as `SWINGS`."""
        cells = [
            (
                measure.measure, measure.level, swing.key, swing.low, swing.base, swing.high,
                *(
                    part for change in (swing.at_low, swing.at_high, swing.across)
                    for part in (change.estimate, change.mc_se, change.low, change.high)
                ),
                swing.effect, self.trials,
            )
            for measure, swings in zip(self.base, self.swings, strict=True)
            for swing in swings
        ]  # fmt: skip
        return Table(SWINGS, tuple(cells), self.scenario.trial.start_date)


@dataclass(frozen=True, slots=True)
class Trio:
    """The same trials three times: in the base case, and at both ends of a range."""

    key: str
    chunks: tuple[Chunk, Chunk, Chunk]

    def __str__(self) -> str:
        return f"range of {self.key}, {self.chunks[BASE]}"


Sums = NDArray[np.object_]
"""Whole numbers of Python, which have no largest."""


@asks(Scenario, numbers=("trials", "seed"))
def sensitivity(
    scenario: Scenario,
    *,
    trials: int = TRIALS_EACH,
    seed: int = 1,
    executor: Crew = None,
    progress: bool | None = None,
    chunk: int | None = None,
) -> Sensitivity:
    """Take every assumption with a range to its low and to its high end, and say what changes.

    Parameters
    ----------
    scenario : Scenario
        The base case; its `[ranges]` say which assumptions, and between which values.
    trials : int
        Trials of the base case and of each end, at least 1.
    seed : int
        Seed, at least 0; the same patients everywhere.
    executor : concurrent.futures.Executor or int, optional
        Who does the work, as in `workers`; or how many cores of this machine, 1 for one; where it is not given, every
        one if that pays and the kernel is compiled. The results are the same.
    progress : bool
        Whether to show how far it is; where a person watches, in a terminal or a notebook, if it is not given.
    chunk : int, optional
        Trials of a part of the work, at least 1; chosen by who does it where it is not given. It changes no result.

    Returns
    -------
    Sensitivity
        The assumptions in order of their effects on P(recommend the level that is recommended most in the base case),
        on the mean duration, and on P(finished by the planned completion date).

    Raises
    ------
    ScenarioError
        If the scenario has no ranges.
    ValueError
        If `trials` or `chunk` is below 1, or `seed` is negative.
    """
    if trials < 1 or (chunk is not None and chunk < 1) or seed < 0:
        raise ValueError(f"trials and chunk must be at least 1, and seed at least 0, got {trials}, {chunk} and {seed}")
    check_trials(trials, seed, 0)
    if not scenario.ranges:
        says = 'has none: write between which values an assumption lies, as in "safety.review_delay_days" = [0, 14]'
        raise ScenarioError([Problem(key="ranges", message=says)])
    if travels(executor):
        check_can_travel(scenario)
    sums: dict[str, tuple[Sums, Sums]] = {}
    total = 3 * trials * len(scenario.ranges)
    compiles = is_worth_compiling([scenario], total)
    with hired(executor, [scenario], total) as team, showing(total, "trials", progress) as bar:
        trios = _trios(scenario, trials, seed, chunk or part_size(trials, team, compiles, KERNEL_CHUNK), compiles)
        for trio, (totals, products) in workers.completed(add_up, ((trio, trio) for trio in trios), team):
            before = sums.get(trio.key, (0, 0))
            sums[trio.key] = (before[0] + totals, before[1] + products)
            bar.update(3 * trio.chunks[BASE].count)
    return _result(scenario, trials, seed, sums)


def add_up(trio: Trio) -> tuple[Sums, Sums]:
    """Run the same trials three times, and add up what `_measures` says of each.

    Returns
    -------
    array, shape (3, M)
        Sums, in the base case and at both ends.
    array, shape (3, 3, M)
        Sums of the products of one with another: all that paired differences and their errors need.
    """
    rows = np.stack([_measures(run_chunk(chunk)) for chunk in trio.chunks])
    return rows.sum(axis=1).astype(object), np.einsum("anm,bnm->abm", rows, rows).astype(object)


def _measures(trials: Trials) -> IntArray:
    """Return whole numbers of each trial, shape (n, K + 2): each level recommended, duration, finished in time."""
    recommended = trials.recommended[:, None] == np.arange(trials.scenario.levels)
    return np.column_stack([recommended, trials.duration_days, trials.finished_in_time]).astype(np.int64)


def _trios(scenario: Scenario, trials: int, seed: int, size: int, compiles: bool) -> list[Trio]:
    found = []
    for key, ends in groupby(_ends(scenario), key=lambda end: end[0]):
        cases = [scenario, *(case for _, _, case in ends)]
        chunks = [chunks_of(case, trials, seed, 0, size, compiles) for case in cases]
        found += [Trio(key, same) for same in zip(*chunks, strict=True)]
    return found


def _ends(scenario: Scenario) -> Iterator[tuple[str, Any, Scenario]]:
    """Yield each end of each range: the assumption's key, the value, and the scenario with it."""
    for key, ends in scenario.ranges.items():
        for end in ends:
            yield key, end, scenario.replace({"ranges": {}, key: end})


def _result(scenario: Scenario, trials: int, seed: int, sums: dict[str, tuple[Sums, Sums]]) -> Sensitivity:
    levels, base = scenario.levels, next(iter(sums.values()))
    most = max(range(levels), key=lambda level: (base[0][BASE, level], -level))
    columns = [most, levels] + [levels + 1] * (scenario.trial.planned_completion_date is not None)
    return Sensitivity(
        scenario=scenario,
        seed=seed,
        trials=trials,
        base=tuple(
            _estimate(levels, column, trials, base[0][BASE, column], base[1][BASE, BASE, column]) for column in columns
        ),
        swings=tuple(
            tuple(sorted(_swings(scenario, trials, sums, column), key=lambda swing: -swing.effect))
            for column in columns
        ),
    )


def _swings(scenario: Scenario, trials: int, sums: dict[str, tuple[Sums, Sums]], column: int) -> list[Swing]:
    assumed, found = plain(scenario), []
    for key, (low, high) in scenario.ranges.items():
        totals, products = (part[..., column] for part in sums[key])

        def change(before: int, after: int, totals: Sums = totals, products: Sums = products) -> Estimate:
            squares = products[before, before] + products[after, after] - 2 * products[before, after]
            group, measure, level, unit = _kind(scenario.levels, column)
            return difference_of_sums(group, measure, level, trials, totals[after] - totals[before], squares, unit)

        found.append(
            Swing(
                key=key,
                low=value_text(low),
                base=value_text(value_of(assumed, key)),
                high=value_text(high),
                at_low=change(BASE, LOW),
                at_high=change(BASE, HIGH),
                across=change(LOW, HIGH),
            )
        )
    return found


def _estimate(levels: int, column: int, trials: int, total: int, squares: int) -> Estimate:
    group, measure, level, unit = _kind(levels, column)
    if unit == "probability":
        return probability(group, measure, level, total, trials)
    return mean_of_sums(group, measure, level, trials, total, squares, unit)


def _kind(levels: int, column: int) -> tuple[str, str, int | None, str]:
    """Return group, measure, level and unit of a column of `_measures`."""
    if column < levels:
        return "recommendation", "recommended", column + 1, "probability"
    return ("time", "duration", None, "days") if column == levels else ("time", FINISHED, None, "probability")


def measure_words(found: Sensitivity, base: Estimate) -> str:
    """Return a measure in words, with its value in the base case."""
    if base.unit == "days":
        return f"Mean duration, base case {in_units(base, 'days')}"
    if base.level is None:
        name = f"P(finished by the planned completion date, {found.scenario.trial.planned_completion_date})"
    else:
        name = f"P(recommended: level {base.level}, {found.scenario.dose_levels[int(base.level) - 1].label})"
    return f"{name}, base case {in_percent(base)}"


def change_text(change: Estimate) -> str:
    """Return a change with its error: in days, or in points of a probability; none where no trial differs."""
    return change_in_words(change, "none")
