"""Which of many trials is shown: one that stands for them, so that a story or a figure is no freak.

The typical one has the median duration: the lower middle of all durations in order. Among trials equally long, the one
whose dose path is most frequent among all, and then the first, is taken; so is it for the slowest and the fastest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from ..errors import EscalateError, near
from ..results.outcomes import Trials
from ..results.tally import PATHS_OF
from ..scenario.model import Scenario
from ..trial.conduct import simulate_trial
from ..words.dose_path import read_path, write_path
from ..words.records import Trial
from .crew import Crew
from .simulation import simulate

Which = Literal["median", "slowest", "fastest"]

WHICH: tuple[str, ...] = get_args(Which)
"""What can stand for many trials."""

NEAREST, LOOKED_THROUGH = 3, 2000
"""Dose paths that are told where none is as asked, and most frequent ones among which they are sought."""


def representative(trials: Trials, which: Which = "median", path: str | None = None) -> Trial:
    """Return that one of many trials that stands for them, told with all its records.

    Parameters
    ----------
    trials : Trials
        As `simulate` returns them; the first 10,000 are looked at.
    which : str
        ``"median"``, ``"slowest"`` or ``"fastest"``, by duration.
    path : str, optional
        Dose path, as in ``1NNN 2NTT``: among the trials that have it alone.

    Returns
    -------
    Trial
        Its `chosen` says among how many, and why.

    Raises
    ------
    PathError
        If the dose path cannot be read.
    EscalateError
        If no trial has it; names the nearest ones.
    """
    many = min(len(trials), PATHS_OF)
    paths = trials.paths[:many]
    rows, of = np.arange(many), f"of {many:,} trials"
    if path is not None:
        wanted = write_path(read_path(path, trials.scenario.levels))
        rows = np.flatnonzero(paths == wanted.encode())
        if not rows.size:
            raise EscalateError(f"none of {many:,} trials has the dose path {wanted!r}{_nearest(trials, many, wanted)}")
        of = f"of {len(rows):,} with the dose path {wanted} among {many:,} trials"
    days = trials.duration_days[rows]
    wanted_days = np.sort(days)[{"fastest": 0, "median": (len(days) - 1) // 2, "slowest": -1}[which]]
    row = _most_usual(paths, rows[days == wanted_days])
    told = simulate_trial(trials.scenario, seed=trials.seed, replicate=trials.first + row)
    return replace(told, chosen=f"{of} {'the one of median duration' if which == 'median' else f'the {which}'}")


def representative_trial(
    scenario: Scenario,
    which: Which = "median",
    path: str | None = None,
    *,
    trials: int = PATHS_OF,
    seed: int = 1,
    first: int = 0,
    progress: bool | None = None,
    executor: Crew = None,
) -> Trial:
    """Simulate trials, and return the one that stands for them: see `representative` and `simulate`."""
    return representative(
        simulate(scenario, trials=trials, seed=seed, first=first, progress=progress, executor=executor), which, path
    )


def _most_usual(paths: np.ndarray, rows: np.ndarray) -> int:
    """Return the row whose path is most frequent among all, the first of several."""
    often = [int(np.count_nonzero(paths == paths[row])) for row in rows]
    return int(rows[int(np.argmax(often))])


def _nearest(trials: Trials, many: int, wanted: str) -> str:
    """Return the dose paths that come close to one that nobody had, with how many had them."""
    paths, counts = np.unique(trials.paths[:many], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:LOOKED_THROUGH]
    often = {paths[place].decode(): int(counts[place]) for place in order}
    found = near(wanted, often, NEAREST) or list(often)[:NEAREST]
    return f"; nearest: {', '.join(f'{path} ({often[path]:,})' for path in found if path)}"
