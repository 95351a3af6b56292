"""Figures of one trial, drawn from its records alone.

Each function takes ``ax=None``, draws, and returns the Axes. Nothing is simulated, shown or written here;
`escalate.plots.style.save` writes a figure to a file.
"""

from .decision_table import plot_decision_table
from .staircase import plot_staircase
from .timeline import plot_timeline

__all__ = ["plot_decision_table", "plot_staircase", "plot_timeline"]
