"""Shared fixtures: the checkout's folders and the shipped scenarios."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import pytest

from escalate import Scenario, load

matplotlib.use("Agg")

ROOT = Path(__file__).parent.parent
SCENARIOS = sorted((ROOT / "scenarios").glob("*.toml"))


@pytest.fixture(scope="session")
def base() -> Scenario:
    """The base case, NCT06337474."""
    return load(ROOT / "scenarios" / "nct06337474.toml")


@pytest.fixture(scope="session")
def every_day() -> Scenario:
    """The base case on a calendar that is open on every day."""
    return load(ROOT / "tests" / "data" / "open-every-day.toml")
