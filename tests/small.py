"""Small scenarios for tests: nothing happens by chance unless a test asks for it."""

from __future__ import annotations

from datetime import date
from typing import Any

from escalate import Scenario
from escalate.scenario.model import Scenario as Model

START = date(2025, 1, 1)  # a Wednesday


def small(**changes: Any) -> Scenario:
    """Return a scenario of two levels in which every candidate is eligible and nobody has a DLT.

    Dotted keys are written with two underscores: ``small(safety__stagger_days=2)``.
    """
    plain = {
        "schema_version": 1,
        "trial": {"title": "small", "start_date": START, "planned_patients": 12},
        "dose_levels": [{"label": "low"}, {"label": "high"}],
        "safety": {"dlt_window_days": 28},
        "rule": {"name": "3+3", "variant": "A"},
        "follow_up": {"days": 28},
        "accrual": {"kind": "fixed", "consent_days": []},
        "toxicity": {"dlt_probability": [0.0, 0.0]},
    }
    scenario = Model.model_validate(plain)
    return scenario.replace({key.replace("__", "."): value for key, value in changes.items()})


def lymphodepletion(days: int) -> list[dict[str, Any]]:
    """Return a lymphodepletion that begins so many days before the infusion."""
    return [{"agent": "fludarabine", "mg_per_m2": 25, "days": [-days]}]
