"""Rooms that answer when they are called, so that a person may ask ``escalate.rules("BOIN")`` by a room's name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


def answers(room: str, function: Callable[..., Any]) -> None:
    """Let a room answer as a function does when it is called; it stays a module for whoever imports from it.

    Parameters
    ----------
    room : str
        Name of the package, as its ``__name__``.
    function : callable
        What answers.
    """

    class Room(ModuleType):
        __doc__ = function.__doc__
        __call__ = staticmethod(function)

    module = sys.modules[room]
    doc, module.__class__ = module.__doc__, Room
    module.__doc__ = doc
