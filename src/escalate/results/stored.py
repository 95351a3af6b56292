"""Trials read back from the columns that were stored of them, ``trials.npz``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..scenario.model import Scenario
from ..words.records import NO_LEVEL, IntArray
from .outcomes import COHORTS_TIMED, NOT_REACHED, PER_LEVEL, Trials, states_of
from .timeline import milestone_names, waits_of


def read_trials(file: Path, scenario: Scenario, seed: int) -> Trials:
    """Return the trials that a file holds, equal to those that were written.

    Parameters
    ----------
    file : Path
        As ``trials.npz`` of a folder of results.
    scenario : Scenario
        What was simulated.
    seed : int
        Seed of all of them.

    Raises
    ------
    KeyError
        If a column is missing, or a dose is none of the scenario's: another version wrote them.
    OSError, ValueError
        If the file cannot be read.
    """
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as found:
        columns = {name: found[name] for name in found.files}
    levels = {level.label: position for position, level in enumerate(scenario.dose_levels)}
    doses, place = np.unique(columns["recommended"], return_inverse=True)
    recommended = np.array([levels.get(dose, NO_LEVEL) for dose in doses.tolist()], dtype=np.int64)
    reasons, reason = np.unique(columns["stop_reason"], return_inverse=True)
    return Trials(
        scenario=scenario,
        seed=seed,
        first=int(columns["replicate"][0]),
        recommended=recommended[place],
        reasons=tuple(reasons.tolist()),
        reason=reason,
        paths=np.char.encode(columns["dose_path"], "ascii"),
        patients={name: _by_level(columns, name, scenario.levels) for name in PER_LEVEL},
        candidates={name: columns[f"candidates_{name.replace(' ', '_')}"] for name in states_of(scenario)},
        enrolled_from={site.name: columns[f"enrolled_from_site_{k}"] for k, site in enumerate(scenario.sites, 1)},
        duration_days=columns["duration_days"],
        milestone_days={
            name: _days(columns[f"{name.replace(' ', '_')}_day"]) for name in milestone_names(scenario.levels)
        },
        cohort_days=np.stack([_days(columns[f"cohort_{k + 1}_days"]) for k in range(COHORTS_TIMED)], axis=1),
        waits={name: columns[f"waits_{name.replace(' ', '_').replace('-', '_')}_days"] for name in waits_of(scenario)},
    )


def _by_level(columns: Mapping[str, Any], name: str, levels: int) -> IntArray:
    return np.stack([columns[f"{name}_at_level_{level + 1}"] for level in range(levels)], axis=1)


def _days(days: Any) -> IntArray:
    return np.where(np.isnan(days), NOT_REACHED, days).astype(np.int64)
