"""The library of data frames, where somebody asks for one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import EscalateError, needs


def pandas() -> Any:
    """Return pandas, which is loaded for a data frame and for nothing else.

    Raises
    ------
    EscalateError
        If it is not installed; the message says how it is.
    """
    try:
        return import_module("pandas")
    except ImportError:
        raise EscalateError(needs("a data frame", "pandas", "notebooks")) from None
