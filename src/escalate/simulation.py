"""Many trials of one scenario: seeds, chunks, provenance."""

from __future__ import annotations

import gc
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from .committee import Committee
from .outcomes import Trials, collect, row_of
from .patients import Nature
from .records import Trial
from .scenario.model import Scenario
from .trial import Conduct

CHUNK = 256
"""Trials whose random numbers are drawn at once; changes no result."""


def simulate(
    scenario: Scenario, *, trials: int = 2000, seed: int = 1, first: int = 0, progress: bool = False
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
    rows = [
        row_of(trial) for trial in traced_trials(scenario, trials=trials, seed=seed, first=first, progress=progress)
    ]
    return collect(scenario, seed, first, rows)


def traced_trials(
    scenario: Scenario, *, trials: int, seed: int = 1, first: int = 0, progress: bool = False
) -> Iterator[Trial]:
    """Run many trials and yield each with all its records; parameters as in `simulate`."""
    if trials < 1:
        raise ValueError(f"trials must be at least 1, got {trials}")
    if seed < 0 or first < 0:
        raise ValueError(f"seed and first must be at least 0, got {seed} and {first}")
    return _traced(scenario, trials, seed, first, progress)


def _traced(scenario: Scenario, trials: int, seed: int, first: int, progress: bool) -> Iterator[Trial]:
    from tqdm import tqdm

    committee = Committee(scenario)
    bar = tqdm(total=trials, unit=" trials", disable=None if progress else True, leave=False)
    with bar, _heap_frozen():
        for start in range(first, first + trials, CHUNK):
            count = min(CHUNK, first + trials - start)
            nature = Nature(scenario, seed, start, count)
            for replicate in range(start, start + count):
                with _collector_paused():
                    trial = Conduct(scenario, committee, nature, replicate).run()
                yield trial
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
