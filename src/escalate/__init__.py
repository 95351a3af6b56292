"""escalate: dose-escalation trials on a real calendar.

Read a scenario with `load`, run one trial with `simulate_trial` and many with `simulate`, and read what they say with
`characteristics`. Names are imported when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cautions import cautions
    from .errors import EscalateError, ScenarioError
    from .exactly.enumeration import Exact, exact
    from .exactly.paths import dose_paths
    from .export import run, write_trial
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
    from .registry import draft_scenario
    from .report import assumptions, summary
    from .report.narrative import story
    from .results.chance import binomial_interval
    from .results.estimates import Characteristics
    from .results.outcomes import Trials
    from .results.timeline import waits
    from .rules.catalogue import rules
    from .scenario import Scenario, load
    from .scenario.own_rules import rule
    from .scenario.skeleton import getprior
    from .studies.accruals import accrual
    from .studies.comparison import compare
    from .studies.control import characteristics
    from .studies.sensitivities import sensitivity
    from .studies.simulation import simulate
    from .studies.sweeps import sweep
    from .trial.conduct import simulate_trial
    from .words.records import Trial

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
    "binomial_interval",
    "cautions",
    "characteristics",
    "compare",
    "decision_table",
    "dose_paths",
    "draft_scenario",
    "exact",
    "getprior",
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
    "rules",
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
    "cautions": ("cautions",),
    "studies.accruals": ("accrual",),
    "results.chance": ("binomial_interval",),
    "rules": ("rules",),
    "scenario.skeleton": ("getprior",),
    "results.estimates": ("Characteristics",),
    "exactly.enumeration": ("Exact", "exact"),
    "exactly.paths": ("dose_paths",),
    "errors": ("EscalateError", "ScenarioError"),
    "export": ("run", "write_trial"),
    "results.outcomes": ("Trials",),
    "studies.comparison": ("compare",),
    "studies.control": ("characteristics",),
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
    "scenario.own_rules": ("rule",),
    "protocol_tables": ("decision_table",),
    "words.records": ("Trial",),
    "registry": ("draft_scenario",),
    "report": ("assumptions", "summary"),
    "scenario": ("Scenario", "load"),
    "studies.sensitivities": ("sensitivity",),
    "studies.simulation": ("simulate",),
    "studies.sweeps": ("sweep",),
    "report.narrative": ("story",),
    "results.timeline": ("waits",),
    "trial.conduct": ("simulate_trial",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


_ROOMS = ("cautions", "rules")
"""Rooms that are asked by their own name: ``escalate.rules("BOIN")``."""


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        from difflib import get_close_matches

        near = get_close_matches(name, __all__, 3)
        hint = f"did you mean {', '.join(near)}?" if near else "dir(escalate) has the names"
        raise AttributeError(f"module 'escalate' has no attribute {name!r}; {hint}")
    value = import_module(f".{_HOME[name]}", __name__)
    value = value if name in _ROOMS else getattr(value, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
