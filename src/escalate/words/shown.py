"""Results that show themselves in a notebook, though what words them stands far above them.

They ask `html_of`, where `escalate.report.html` registers how each kind of result is shown.
"""

from __future__ import annotations

from functools import singledispatch
from importlib import import_module

SHOWERS = "escalate.report.html"
"""The module that registers how each kind of result is shown; loaded when something is shown for the first time."""


@singledispatch
def html_of(result: object) -> str:
    """Return a result as a little HTML; `SHOWERS` registers a function for each kind.

    Raises
    ------
    TypeError
        If none is registered for this kind.
    """
    raise TypeError(f"{SHOWERS} registers nothing that shows a {type(result).__name__}")


class Text(str):
    """A text that a notebook shows as it is, line by line."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Shows:
    """A result that a notebook shows in little space."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        import_module(SHOWERS)
        return html_of(self)
