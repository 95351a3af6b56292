"""Figures of rules and trials: decision tables, dose paths, comparisons, one trial from its records, many trials.

There is a file for each figure; `style` has what all share: colours, and how a figure becomes the same bytes every
time; `texts` breaks lines and finds fonts; `sheet` gives everything its place, for a page, a slide or a screen. Each
function takes ``ax``, ``size``, ``title`` and ``legend``, draws, and returns the Axes, which show themselves in a
notebook, and whose ``figure.savefig`` writes them. Matplotlib lives in this room alone. Nothing is simulated or
estimated here: figures read records, estimates and tables that others made, and `export` and notebooks come in to draw.
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
