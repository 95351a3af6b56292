"""escalate: dose-escalation trials on a real calendar.

Read a scenario with `load`, run one trial with `simulate_trial` and many with `simulate`, and read what they say with
`characteristics`. Names are imported when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .accruals import accrual
    from .comparison import compare
    from .enumeration import Exact, exact
    from .errors import EscalateError, ScenarioError
    from .estimates import Characteristics, characteristics
    from .export import run, write_trial
    from .narrative import story
    from .outcomes import Trials
    from .own_rules import rule
    from .paths import dose_paths
    from .plots import (
        plot_accrual_fan,
        plot_comparison,
        plot_decision_table,
        plot_dose_paths,
        plot_durations,
        plot_selection,
        plot_staircase,
        plot_sweep,
        plot_timeline,
        plot_tornado,
        plot_where_time_goes,
    )
    from .protocol_tables import decision_table
    from .records import Trial
    from .registry import draft_scenario
    from .report import assumptions, summary
    from .scenario import Scenario, load
    from .sensitivities import sensitivity
    from .simulation import simulate
    from .sweeps import sweep
    from .timeline import waits
    from .trial import simulate_trial

__version__ = "0.1.0"

__all__ = [
    "Characteristics",
    "EscalateError",
    "Exact",
    "Scenario",
    "ScenarioError",
    "Trial",
    "Trials",
    "accrual",
    "assumptions",
    "characteristics",
    "compare",
    "decision_table",
    "dose_paths",
    "draft_scenario",
    "exact",
    "load",
    "plot_accrual_fan",
    "plot_comparison",
    "plot_decision_table",
    "plot_dose_paths",
    "plot_durations",
    "plot_selection",
    "plot_staircase",
    "plot_sweep",
    "plot_timeline",
    "plot_tornado",
    "plot_where_time_goes",
    "rule",
    "run",
    "sensitivity",
    "simulate",
    "simulate_trial",
    "story",
    "summary",
    "sweep",
    "waits",
    "write_trial",
]

_HOMES = {
    "accruals": ("accrual",),
    "estimates": ("Characteristics", "characteristics"),
    "enumeration": ("Exact", "exact"),
    "paths": ("dose_paths",),
    "errors": ("EscalateError", "ScenarioError"),
    "export": ("run", "write_trial"),
    "outcomes": ("Trials",),
    "comparison": ("compare",),
    "plots": (
        "plot_accrual_fan",
        "plot_comparison",
        "plot_decision_table",
        "plot_dose_paths",
        "plot_durations",
        "plot_selection",
        "plot_staircase",
        "plot_sweep",
        "plot_timeline",
        "plot_tornado",
        "plot_where_time_goes",
    ),
    "own_rules": ("rule",),
    "protocol_tables": ("decision_table",),
    "records": ("Trial",),
    "registry": ("draft_scenario",),
    "report": ("assumptions", "summary"),
    "scenario": ("Scenario", "load"),
    "sensitivities": ("sensitivity",),
    "simulation": ("simulate",),
    "sweeps": ("sweep",),
    "narrative": ("story",),
    "timeline": ("waits",),
    "trial": ("simulate_trial",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'escalate' has no attribute {name!r}; it has: {', '.join(__all__)}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
