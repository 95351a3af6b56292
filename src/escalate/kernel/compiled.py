"""The kernel compiled by numba, where numba is installed (extra ``fast``).

The steps are the same functions, so that both give the same trials. What they read and write are records of numpy
instead of Python's objects, and the questions are found in a hash table instead of a dictionary.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import threading
from collections.abc import Sequence
from enum import IntEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from ..words.records import Action
from . import (
    bench,
    books,
    candidates,
    codes,
    cohorts,
    days,
    drawn,
    fates,
    one_by_one,
    patients,
    philox,
    places,
    questions,
    words,
)
from .bench import Bench, Candidate, Person, Protocol, Table
from .codes import UNKNOWN, WORD_BITS, Codes
from .kept import Kept

WORTH_COMPILING, WORTH_LOADING = 50_000, 1_500
"""Trials from which on compiling pays, if not in this run then in the next (half a minute or more, once for each
installation), and loading what is compiled (0.3 seconds)."""

NOTHING_IS_ALLOCATED: Any = {"_nrt": False}
"""The steps only read and write what is there, so that no references need be counted: several times as fast."""

WITHOUT_LOCK: Any = {"nogil": True}
"""They touch no object of Python's, so that other threads need not wait."""

FROM_INSIDE: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""What only other steps call needs nothing to be called from Python."""

MODULES: tuple[ModuleType, ...] = (
    codes, bench, words, drawn, places, questions, books, candidates, one_by_one, fates, patients, cohorts, days
)  # fmt: skip
"""The kernel, each module after those that it reads."""


_MAKING = threading.RLock()
"""Held by the thread that makes the steps: made twice, they would be compiled twice."""


def is_available() -> bool:
    """Return whether numba is installed, and can be imported."""
    return is_installed() and not why_unusable()


def is_installed() -> bool:
    """Return whether numba is installed."""
    return find_spec("numba") is not None


@cache
def why_unusable() -> str:
    """Return why numba cannot be imported, as where numpy is newer than it knows; empty where it can."""
    try:
        import numba  # noqa: F401
    except Exception as error:  # whatever its own libraries raise: one goes on without it
        return " ".join(str(error).split()) or type(error).__name__
    return ""


def is_worth(trials: int, is_plain: bool) -> bool:
    """Return whether so many trials are run faster by an edition of the compiled kernel, and there is one."""
    if trials < WORTH_LOADING or not is_available():
        return False
    return trials >= WORTH_COMPILING or is_compiled(is_plain)


def is_compiled(is_plain: bool) -> bool:
    """Return whether an edition of the kernel as it is was compiled before, and is kept on disk."""
    folder = steps(is_plain).run_many.stats.cache_path
    kept = [] if folder is None else list(Path(folder).glob(f"days.{_kept_as('run_many', is_plain)}-*.nbi"))
    try:
        newest = max((file.stat().st_mtime for file in kept), default=0)
    except OSError:  # somebody clears it just now
        return False
    return newest > max(file.stat().st_mtime for file in _sources())


def _sources() -> list[Path]:
    return [Path(str(module.__file__)) for module in (*MODULES, philox)] + [Path(__file__)]


def steps(is_plain: bool) -> SimpleNamespace:
    """Return the functions that Python calls, to be compiled at their first call and kept on disk for later ones.

    Those that take the tables are put where they are called: handing on that many arrays would cost more than they do.
    The plain edition is made of the same steps without what few scenarios ask for: where they say ``FULL``, numba
    leaves out what is behind it. It is compiled sooner, and runs faster. All threads of a process share them.
    """
    with _MAKING:
        return _steps(is_plain)


@cache
def _steps(is_plain: bool) -> SimpleNamespace:
    names = _names(is_plain)
    for module in MODULES:
        for name, function in vars(module).items():
            if isinstance(function, FunctionType) and function.__module__ == module.__name__:
                names[name] = _compiled(FunctionType(function.__code__, names, name), is_plain)
    names["find"] = names["find_in_table"]
    names["words_of"], names["block"] = names["computed_words_of"], philox.block()
    return SimpleNamespace(**{name: names[name] for name in FROM_OUTSIDE})


def _names(is_plain: bool) -> dict[str, Any]:
    """Return what the steps read besides what they are given; numba takes members of enumerations for constants."""
    names: dict[str, Any] = {}
    for module in MODULES:
        names |= vars(module)
    names["FULL"] = not is_plain
    return names | {kind.__name__: IntEnum(kind.__name__, _members(kind)) for kind in Codes.__subclasses__()}


def _kept_as(name: str, is_plain: bool) -> str:
    return f"{name}_plain" if is_plain else name


def _members(kind: type[Codes]) -> dict[str, int]:
    return {name: value for name, value in vars(kind).items() if name.isupper()}


FROM_OUTSIDE = ("run_many", "store", "move")
"""The steps that Python calls: what they call needs nothing for that, and is kept on disk as a part of them."""

BY_THEMSELVES = (
    "decide", "close_books", "with_resources", "call_committee", "check_assignment", "open_expansion",
    "give_notice", "notice_until", "is_kept_back", "lets_consent", "next_consent_day",
)  # fmt: skip
"""Large steps that are seldom called: the less is compiled in one piece, the sooner it is done."""

FASTER_INSIDE = ("decide",)
"""Those of them that the plain edition, which is small, has where they are called."""


def _compiled(function: FunctionType, is_plain: bool) -> Any:
    """Return a function that numba compiles; one that Python calls is kept, where numba may write."""
    from numba import njit

    name, parameters = function.__name__, inspect.signature(function).parameters
    if name not in FROM_OUTSIDE:
        alone = name in BY_THEMSELVES and not (is_plain and name in FASTER_INSIDE)
        inside = bool({"t", "table"} & parameters.keys()) and not alone
        return njit(forceinline=inside, **FROM_INSIDE, **NOTHING_IS_ALLOCATED)(function)
    function.__qualname__ = _kept_as(name, is_plain)
    try:
        made = njit(cache=True, **WITHOUT_LOCK, **NOTHING_IS_ALLOCATED)(function)
    except (RuntimeError, OSError):  # there is no folder to keep it in
        return njit(**WITHOUT_LOCK, **NOTHING_IS_ALLOCATED)(function)
    made._cache = Kept(made._cache, function.__qualname__)
    return made


@cache
def _made_of() -> str:
    """Return the name of a field that no other source has: what is kept of another source is then of another type.

    numba itself looks at the date of the file that a function stands in, and not at those that it reads. Whole numbers
    and actions from other rooms are a part of the source.
    """
    read = [(name, value) for name, value in _names(is_plain=False).items() if isinstance(value, int)]
    source = b"".join(file.read_bytes() for file in _sources()) + repr([*sorted(read), *Action]).encode()
    return f"made_of_{hashlib.sha256(source).hexdigest()[:16]}"


def record(protocol: Protocol) -> Any:
    """Return a protocol as a record."""
    values = protocol._asdict() | {_made_of(): 0}
    fields = [(name, np.int64, np.shape(value)) for name, value in values.items()]
    return np.array([tuple(values.values())], dtype=fields)[0]


@cache
def bench_type() -> np.dtype[Any]:
    """Return the type of a `Bench` as a record."""
    shapes = {item.name: np.shape(getattr(Bench(), item.name)) for item in dataclasses.fields(Bench)}
    return np.dtype([(name, np.int64, shape) for name, shape in shapes.items()])


@cache
def person_type() -> np.dtype[Any]:
    """Return the type of a `Person` as a record."""
    return np.dtype([(item.name, np.int64) for item in dataclasses.fields(Person)])


@cache
def candidate_type() -> np.dtype[Any]:
    """Return the type of a `Candidate` as a record."""
    return np.dtype([(item.name, np.int64) for item in dataclasses.fields(Candidate)])


def table(rows: int, bits: Sequence[int]) -> Table:
    """Return an empty table with room for so many questions, whose numbers take so many bits each."""
    words, used = 1, 0
    for width in bits:
        words, used = (words + 1, width) if used + width > WORD_BITS else (words, used + width)
    slots = np.zeros((1 << (2 * rows - 1).bit_length(), 1 + words), dtype=np.int64)
    slots[:, 0] = UNKNOWN
    made_of = np.zeros(0, dtype=[(_made_of(), np.int64)])
    return Table(slots, np.array(bits, dtype=np.int64), np.zeros(words, dtype=np.int64), made_of)
