"""Trials as the columns that are stored of them, ``trials.npz``, and read back from there."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from ..scenario.model import Scenario
from ..words.records import NO_LEVEL, IntArray
from .outcomes import COHORTS_TIMED, NOT_REACHED, PER_LEVEL, Trials, states_of
from .timeline import milestone_names, waits_of

ROWS = 65_536
"""Rows of a column that are made and written at one time: words of 1,000 letters take 260 MB then."""


def write_columns(file: Path | io.BytesIO, parts: Sequence[Trials]) -> None:
    """Write the columns of trials as ``.npz``, piece by piece; without the time of writing in it.

    Equal results are equal bytes, however they are cut.

    Parameters
    ----------
    file : Path or BytesIO
        Where to.
    parts : sequence of Trials
        At least one, of the same scenario and seed, each following the one before it.
    """
    each, count = [part.column_makers() for part in parts], sum(map(len, parts))
    with zipfile.ZipFile(file, "w") as archive:
        for name in each[0]:
            dtype = np.result_type(*(makers[name](slice(0)).dtype for makers in each))
            head = _header(dtype, count)
            told = zipfile.ZipInfo(f"{name}.npy")
            told.compress_type, told.file_size = zipfile.ZIP_DEFLATED, len(head) + count * dtype.itemsize
            with archive.open(told, "w") as column:
                column.write(head)
                for part, makers in zip(parts, each, strict=True):
                    for rows in _pieces(len(part)):
                        column.write(makers[name](rows).astype(dtype, copy=False).tobytes())


def _header(dtype: np.dtype[Any], count: int) -> bytes:
    """Return how a column of so many values begins."""
    head, described = io.BytesIO(), np.lib.format.dtype_to_descr(dtype)
    np.lib.format.write_array_header_1_0(head, {"descr": described, "fortran_order": False, "shape": (count,)})
    return head.getvalue()


def _pieces(count: int) -> Iterator[slice]:
    for start in range(0, count, ROWS):
        yield slice(start, min(start + ROWS, count))


def read_trials(file: Path | io.BytesIO, scenario: Scenario, seed: int) -> Trials:
    """Return the trials that a file holds, equal to those that were written.

    Parameters
    ----------
    file : Path or BytesIO
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
    opened = nullcontext(file) if isinstance(file, io.BytesIO) else file.open("rb")
    with opened as stream, np.load(stream, allow_pickle=False) as found:
        columns = {name: found[name] for name in found.files}
    levels = {level.label: position for position, level in enumerate(scenario.dose_levels)}
    doses, place = np.unique(columns["recommended"], return_inverse=True)
    recommended: Any = np.array([levels.get(dose, NO_LEVEL) for dose in doses.tolist()], dtype=np.int32)
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
    return np.where(np.isnan(days), NOT_REACHED, days).astype(np.int32)
