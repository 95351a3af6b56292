"""Reference values made with other software: the files in ``data/``, each with its source in it."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from escalate.kernel.compiled import is_available

DATA = Path(__file__).parent / "data"

FAR_OUT = 2.87e-7
"""P(a normal value lies more than five standard deviations above its mean)."""

TRIALS = 20_000 if is_available() else 2_000
"""Trials of each case where they are simulated: fewer without the compiled kernel, which is thirty times as fast."""


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
    """Compare a simulated proportion with a probability, known exactly or from trials of its own.

    By the exact distribution of the count, so that rare events need no floor: the binomial one if the probability is
    known, Fisher's (given the events of both) if it is simulated. A count as far out as this has a probability of at
    least `FAR_OUT`, that of five standard errors on one side of a normal distribution.
    """
    from scipy.stats import binom, hypergeom

    count = round(estimate * trials)
    expected = binom(trials, min(max(truth, 0.0), 1.0))
    if more_trials < math.inf:
        events = count + round(truth * more_trials)
        expected = hypergeom(trials + int(more_trials), events, trials)
    assert min(expected.cdf(count), expected.sf(count - 1)) >= FAR_OUT, (estimate, truth)


def assert_mean_within_error(values: Any, distribution: Mapping[int, float]) -> None:
    """Compare simulated numbers with their exact distribution: how often there were any, and their mean.

    The mean within five standard errors, where there are enough trials with any for it to be normal.
    """
    trials, some = len(values), 1 - distribution.get(0, 0.0)
    assert_within_error(float((values > 0).mean()), trials, some)
    mean = sum(number * q for number, q in distribution.items())
    variance = sum((number - mean) ** 2 * q for number, q in distribution.items())
    if trials * some >= 100:
        assert abs(values.mean() - mean) <= 5 * math.sqrt(variance / trials) + 1e-12, (values.mean(), mean)


def counts(levels: int, level: list[int], tox: list[int]) -> tuple[list[int], list[int]]:
    """Return patients and DLTs per level from one level (from 1) and outcome for each patient."""
    n, y = [0] * levels, [0] * levels
    for k, dlt in zip(level, tox, strict=True):
        n[k - 1] += 1
        y[k - 1] += dlt
    return n, y
