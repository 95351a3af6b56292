"""How dates are told on which somebody acts."""

from __future__ import annotations

from datetime import date


def day_words(day: date) -> str:
    """Return a date with its weekday: ``Mon 2025-03-17``.

    Parameters
    ----------
    day : date
        A date on which somebody acts, or may.
    """
    return f"{('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun')[day.weekday()]} {day.isoformat()}"
