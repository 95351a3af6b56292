"""Figures of rules and trials: decision tables, dose paths, comparisons, one trial from its records, sweeps, tornados.

Each function takes ``ax=None``, draws, and returns the Axes. Nothing is simulated, shown or written here;
`escalate.plots.style.save` writes a figure to a file.
"""

from .comparison import plot_comparison
from .decision_table import plot_decision_table
from .paths import plot_dose_paths
from .staircase import plot_staircase
from .sweep import plot_sweep
from .timeline import plot_timeline
from .tornado import plot_tornado

__all__ = [
    "plot_comparison",
    "plot_decision_table",
    "plot_dose_paths",
    "plot_staircase",
    "plot_sweep",
    "plot_timeline",
    "plot_tornado",
]
