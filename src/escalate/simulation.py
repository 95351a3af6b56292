"""Many trials of one scenario: seeds, chunks, provenance."""

from __future__ import annotations

import gc
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import numpy as np

from . import compiled
from .committee import Committee
from .engine import Columns, Engine
from .errors import RuleError
from .outcomes import Trials, column_sizes, gather
from .patients import Nature
from .records import Trial
from .scenario.model import Scenario
from .trial import Conduct

CHUNK, KERNEL_CHUNK = 256, 4096
"""Trials whose random numbers are drawn at once, for SimPy and for the kernel; changes no result."""


def simulate(
    scenario: Scenario, *, trials: int = 10_000, seed: int = 1, first: int = 0, progress: bool = False
) -> Trials:
    """Run many trials of a scenario and keep one row of each.

    Parameters
    ----------
    scenario : Scenario
        Protocol and assumptions.
    trials : int
        How many, at least 1.
    seed : int
        Seed, at least 0.
    first : int
        Replicate number of the first trial, at least 0: trial k is the same whatever `first` and `trials` are.
    progress : bool
        Whether to show progress on stderr, if that is a terminal.

    Returns
    -------
    Trials
        One row for each trial, in order of replicate number.

    Raises
    ------
    ValueError
        If `trials` is below 1, or `seed` or `first` is negative.
    """
    _check(trials, seed, first)
    engine = Engine(scenario, compiled.is_worth(trials))
    numbers = np.empty((trials, sum(column_sizes(scenario))), dtype=np.int32)
    paths = []
    for nature in _chunks(scenario, trials, seed, first, KERNEL_CHUNK, progress):
        found = _chunk(engine, nature)
        numbers[nature.first - first :][: nature.count] = found.numbers
        paths.append(found.paths)
    return gather(scenario, seed, first, numbers, np.concatenate(paths), engine.answers.reasons)


def simulate_together(
    scenarios: Sequence[Scenario], *, trials: int, seed: int = 1, first: int = 0, progress: bool = False
) -> Iterator[tuple[Trials, ...]]:
    """Run the same trials of several scenarios, chunk by chunk: the same candidates and patients meet each of them.

    Parameters
    ----------
    scenarios : sequence of Scenario
        At least one.
    trials, seed, first, progress
        As in `simulate`, for each scenario.

    Yields
    ------
    tuple of Trials
        One for each scenario, all of the same replicates; chunk after chunk, so that no more is kept in memory.

    Raises
    ------
    ValueError
        As `simulate`.
    """
    _check(trials, seed, first)
    return _together(scenarios, trials, seed, first, progress)


def _together(
    scenarios: Sequence[Scenario], trials: int, seed: int, first: int, progress: bool
) -> Iterator[tuple[Trials, ...]]:
    compiles = compiled.is_worth(trials * len(scenarios))
    engines = [Engine(scenario, compiles) for scenario in scenarios]
    for span in _chunks(scenarios[0], trials, seed, first, KERNEL_CHUNK, progress):
        natures = [Nature(scenario, seed, span.first, span.count) for scenario in scenarios]
        parts = [_chunk(engine, nature) for engine, nature in zip(engines, natures, strict=True)]
        yield tuple(
            gather(engine.scenario, seed, span.first, part.numbers, part.paths, engine.answers.reasons)
            for engine, part in zip(engines, parts, strict=True)
        )


def _chunk(engine: Engine, nature: Nature) -> Columns:
    """Run a chunk in the kernel; if the rule fails, run it in SimPy, which says for which trial and on which day."""
    try:
        return engine.run(nature)
    except RuleError:
        committee = Committee(nature.scenario)
        for replicate in range(nature.first, nature.first + nature.count):
            Conduct(nature.scenario, committee, nature, replicate).run()
        raise


def _check(trials: int, seed: int, first: int) -> None:
    if trials < 1:
        raise ValueError(f"trials must be at least 1, got {trials}")
    if seed < 0 or first < 0:
        raise ValueError(f"seed and first must be at least 0, got {seed} and {first}")


def traced_trials(
    scenario: Scenario, *, trials: int, seed: int = 1, first: int = 0, progress: bool = False
) -> Iterator[Trial]:
    """Run many trials and yield each with all its records; parameters as in `simulate`."""
    _check(trials, seed, first)
    return _traced(scenario, trials, seed, first, progress)


def _traced(scenario: Scenario, trials: int, seed: int, first: int, progress: bool) -> Iterator[Trial]:
    committee = Committee(scenario)
    with _heap_frozen():
        for nature in _chunks(scenario, trials, seed, first, CHUNK, progress):
            for replicate in range(nature.first, nature.first + nature.count):
                with _collector_paused():
                    trial = Conduct(scenario, committee, nature, replicate).run()
                yield trial


def _chunks(scenario: Scenario, trials: int, seed: int, first: int, size: int, progress: bool) -> Iterator[Nature]:
    """Yield what nature draws, chunk by chunk, and show how far that is."""
    from tqdm import tqdm

    with tqdm(total=trials, unit=" trials", disable=None if progress else True, leave=False) as bar:
        for start in range(first, first + trials, size):
            count = min(size, first + trials - start)
            yield Nature(scenario, seed, start, count)
            bar.update(count)


@contextmanager
def _heap_frozen() -> Iterator[None]:
    """Spare the collector everything that is there before the trials: it would be looked through again and again."""
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Look for no garbage while one trial runs: it makes thousands of objects, and all are in use until its end."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def provenance(scenario: Scenario, *, seed: int, first: int, trials: int) -> dict[str, Any]:
    """Return what is needed to make a result again.

    Returns
    -------
    dict
        Version of escalate, fingerprint of the resolved scenario, seed, range of replicate numbers, and versions of
        Python, numpy and simpy.
    """
    from . import __version__

    return {
        "escalate": __version__,
        "scenario_sha256": scenario.fingerprint(),
        "seed": seed,
        "first_replicate": first,
        "trials": trials,
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "simpy": version("simpy"),
    }
