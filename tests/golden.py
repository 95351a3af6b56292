"""Reference values made with other software: the files in ``data/``, each with its source in it."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parent / "data"


def golden(name: str) -> list[dict[str, Any]]:
    """Return the cases of a file."""
    plain, packed = DATA / f"{name}.json", DATA / f"{name}.json.gz"
    text = plain.read_text() if plain.exists() else gzip.decompress(packed.read_bytes()).decode()
    found: list[dict[str, Any]] = json.loads(text)["cases"]
    assert found
    return found


def cases(name: str) -> list[Any]:
    """Return the cases of a file as parameters of a test."""
    return [pytest.param(case, id=case["id"]) for case in golden(name)]


def assert_within_error(estimate: float, trials: int, truth: float, more_trials: float = math.inf) -> None:
    """Compare a simulated proportion with a probability, known exactly or from trials of its own: |z| <= 5.

    The standard error is that of the true probability; where fewer than ten events are expected a floor of five
    events is added, since a normal distribution describes such counts badly.
    """
    variance = truth * (1 - truth) * (1 / trials + 1 / more_trials)
    floor = 5 / min(trials, more_trials) if min(truth, 1 - truth) * min(trials, more_trials) < 10 else 0.0
    assert abs(estimate - truth) <= 5 * math.sqrt(variance) + floor, (estimate, truth)


def counts(levels: int, level: list[int], tox: list[int]) -> tuple[list[int], list[int]]:
    """Return patients and DLTs per level from one level (from 1) and outcome for each patient."""
    n, y = [0] * levels, [0] * levels
    for k, dlt in zip(level, tox, strict=True):
        n[k - 1] += 1
        y[k - 1] += dlt
    return n, y
