"""escalate: dose-escalation trials on a real calendar.

Read a scenario with `load`, run one trial with `simulate_trial` and many with `simulate`, and read what they say with
`characteristics`. Names are imported when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .characteristics import Characteristics, characteristics
    from .committee import Committee
    from .errors import EscalateError, OutputError, RecordError, ScenarioError
    from .export import run, write_trial
    from .plots import plot_staircase, plot_timeline
    from .records import Action, DataCut, Decision, Decisions, Trial
    from .registry import draft_scenario
    from .report import story, summary
    from .scenario import Scenario, ledger, load
    from .simulate import Trials, simulate
    from .timeline import waits
    from .trial import simulate_trial

_HOME = {
    "Action": "records",
    "Characteristics": "characteristics",
    "Committee": "committee",
    "DataCut": "records",
    "Decision": "records",
    "Decisions": "records",
    "EscalateError": "errors",
    "OutputError": "errors",
    "RecordError": "errors",
    "Scenario": "scenario",
    "ScenarioError": "errors",
    "Trial": "records",
    "Trials": "simulate",
    "characteristics": "characteristics",
    "draft_scenario": "registry",
    "ledger": "scenario",
    "load": "scenario",
    "plot_staircase": "plots",
    "plot_timeline": "plots",
    "run": "export",
    "simulate": "simulate",
    "simulate_trial": "trial",
    "story": "report",
    "summary": "report",
    "waits": "timeline",
    "write_trial": "export",
}
"""The module in which each public name lives."""

__version__ = "0.1.0"
__all__ = [*sorted(_HOME), "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'escalate' has no attribute {name!r}; it has: {', '.join(__all__)}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
