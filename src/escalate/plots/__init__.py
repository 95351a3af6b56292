"""Figures of rules and trials: decision tables, dose paths, comparisons, one trial from its records, many trials.

There is a file for each figure, and `style` for what all share: sizes, colours, and how a figure becomes the same bytes
every time. Each function takes ``ax=None``, draws, and returns the Axes, whose ``figure.savefig`` writes it. Matplotlib
lives in this room alone. Nothing is simulated, estimated, shown or written here: figures read records, estimates and
tables that others made, and `export` and notebooks come in to draw them.
"""

from .accrual_fan import plot_accrual_fan
from .comparison import plot_comparison
from .decision_table import plot_decision_table
from .durations import plot_durations
from .paths import plot_dose_paths
from .selection import plot_selection
from .staircase import plot_staircase
from .sweep import plot_sweep
from .timeline import plot_timeline
from .tornado import plot_tornado
from .where_time_goes import plot_where_time_goes

__all__ = [
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
]
