"""The kernel compiled by numba, where numba is installed (extra ``fast``).

The steps are the same functions, so that both give the same trials. What they read and write are records of numpy
instead of Python's objects, and the questions are found in a hash table instead of a dictionary.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from . import kernel
from .kernel import UNKNOWN, WORD_BITS, Bench, Person, Protocol, Table

WORTH_COMPILING, WORTH_LOADING = 50_000, 5_000
"""Trials from which on compiling pays (ten to twenty seconds, once for each installation), and loading what is compiled
(a second)."""


NOTHING_IS_ALLOCATED: Any = {"_nrt": False}
"""The steps only read and write what is there, so that no references need be counted: several times as fast."""


def is_available() -> bool:
    """Return whether numba is installed."""
    return find_spec("numba") is not None


def is_worth(trials: int) -> bool:
    """Return whether so many trials are run faster by the compiled kernel, and there is one."""
    if not is_available() or trials < WORTH_LOADING:
        return False
    return trials >= WORTH_COMPILING or is_compiled()


def is_compiled() -> bool:
    """Return whether the kernel was compiled before, and is kept on disk."""
    folder = Path(steps().run_many.stats.cache_path)
    return any(folder.glob("kernel.run_many-*.nbi"))


@cache
def steps() -> SimpleNamespace:
    """Return the kernel's functions, to be compiled at their first call and kept on disk for later ones.

    Those that take the tables are put where they are called: handing on that many arrays would cost more than they do.
    """
    from numba import njit

    names: dict[str, Any] = dict(vars(kernel))
    for name, function in vars(kernel).items():
        if isinstance(function, FunctionType) and function.__module__ == kernel.__name__:
            plain = FunctionType(function.__code__, names, name)
            inside = bool({"t", "table"} & inspect.signature(function).parameters.keys()) and name != "run_many"
            names[name] = njit(cache=True, forceinline=inside, **NOTHING_IS_ALLOCATED)(plain)
    names["find"] = names["find_in_table"]
    return SimpleNamespace(**names)


def record(protocol: Protocol) -> Any:
    """Return a protocol as a record."""
    fields = [(name, np.int64, np.shape(value)) for name, value in protocol._asdict().items()]
    return np.array([tuple(protocol)], dtype=fields)[0]


def bench() -> Any:
    """Return an empty `Bench` as a record."""
    fields = [(item.name, np.int64, np.shape(getattr(Bench(), item.name))) for item in dataclasses.fields(Bench)]
    return np.zeros(1, dtype=fields)[0]


def people(count: int) -> Any:
    """Return so many empty `Person` records."""
    return np.zeros(count, dtype=[(item.name, np.int64) for item in dataclasses.fields(Person)])


def table(rows: int, bits: Sequence[int]) -> Table:
    """Return an empty table with room for so many questions, whose numbers take so many bits each."""
    words, used = 1, 0
    for width in bits:
        words, used = (words + 1, width) if used + width > WORD_BITS else (words, used + width)
    slots = np.zeros((1 << (2 * rows - 1).bit_length(), 1 + words), dtype=np.int64)
    slots[:, 0] = UNKNOWN
    return Table(slots, np.array(bits, dtype=np.int64), np.zeros(words, dtype=np.int64))
