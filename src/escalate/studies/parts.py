"""Work that is cut into parts, a folder that keeps what came of each, and shards, each of which does some of them.

Every part is a file of its own, which appears whole and carries its checksum. What is interrupted goes on with the
parts that are not there; results are put together from the files alone, in order. That needs no lock: whoever does a
part that somebody else does at the same time writes the same bytes in its place, and nobody counts how often.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

from .. import __version__
from ..errors import OutputError
from ..files import MARK, begin_folder, check_is_folder, clear_unfinished, write_whole
from ..scenario.model import Scenario
from . import workers
from .crew import Crew, hired
from .progress import progress as showing

A = TypeVar("A")
R = TypeVar("R")
F = TypeVar("F")

STUDY = "study.json"
"""Every folder of parts holds this file from its beginning on: what makes the work this one."""

CHUNKS = "chunks"
"""The folder in it that holds the parts."""

KEPT = "what is done is kept, and the same call goes on from there"
"""What becomes of parts, if the work is interrupted."""

PARTS, LEAST, MOST = 256, 256, 8192
"""Into how many parts trials are cut that are not asked for at one go, and how many trials a part has at least and at
most: fewer cost more to put together than to run, more are lost when a shard is killed."""

MOST_SHARDS = 100_000
"""Most shards of one work."""

MOST_TOLD = 5
"""So many parts that are missing are named one by one, and so many shards."""


Cut = Callable[[int], Iterable[tuple[int, int]]]
"""Cuts trials into parts that follow one another: how many were there before, and how many are next."""


def steady(trials: int) -> Iterator[tuple[int, int]]:
    """Cut trials into parts that are the same whoever asks: yield how many were there before, and how many are next."""
    size = min(max(-(-trials // PARTS), LEAST), MOST)
    for done in range(0, trials, size):
        yield done, min(size, trials - done)


@dataclass(frozen=True, slots=True)
class Part(Generic[A]):
    """A part of some work.

    Parameters
    ----------
    name : str
        Name of the file that keeps what came of it.
    words : str
        What it is, in errors.
    task : object
        What is sent to who does it.
    trials : int
        Trials that are simulated for it.
    """

    name: str
    words: str
    task: A
    trials: int

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True, kw_only=True)
class Work(Generic[A, R, F]):
    """Work that is cut into parts which do not depend on one another.

    Parameters
    ----------
    kind : str
        What it is, as in ``a sweep``.
    what : dict
        What makes it this work and no other, as plain JSON values.
    scenario : Scenario
        What it is about; the first of several.
    scenarios : callable
        Returns all of them.
    trials : int
        Trials that are simulated for all of it.
    parts : callable
        Returns the parts, in an order that is always the same; given in how many shards they are done, since compiling
        must be worth it in each; and, where nothing is kept, who does them, since all should have work until the end.
    do : callable
        Of a module; does a part's task, in whichever process it is called.
    to_bytes, from_bytes : callable
        Write what came of a part as bytes, equal ones for equal results, and read it back for its task.
    put_together : callable
        Makes the result of what came of all parts, in the order of the parts.
    """

    kind: str
    what: Mapping[str, Any]
    scenario: Scenario
    scenarios: Callable[[], Iterable[Scenario]]
    trials: int
    parts: Callable[..., Iterable[Part[A]]]
    do: Callable[[A], R]
    to_bytes: Callable[[R], bytes]
    from_bytes: Callable[[A, bytes], R]
    put_together: Callable[[Iterable[R]], F]

    def says(self) -> str:
        """Return what makes a folder one of this work, versions included, as JSON."""
        return as_json({"escalate": __version__, "code_sha256": workers.code_fingerprint(), **self.what})


def done(work: Work[A, R, F], crew: Crew, progress: bool | None) -> Iterator[tuple[Part[A], R]]:
    """Do all parts, by whoever does the work, and yield what came of each as it comes; nothing is kept."""
    with hired(crew, work.scenarios(), work.trials) as executor, showing(work.trials, "trials", progress) as bar:
        parts = ((part, part.task) for part in work.parts(1, executor))
        for part, result in workers.completed(work.do, parts, executor):
            yield part, result
            bar.update(part.trials)


@dataclass(frozen=True, slots=True)
class Shard:
    """Every n-th part of some work, so that shards have equally much to do.

    Parameters
    ----------
    number : int
        Which of them, from 1.
    of : int
        How many there are.

    Raises
    ------
    ValueError
        If there is no such shard.
    """

    number: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise ValueError(f"there is no shard {self}: of {self.of} shards the first is 1 and the last is {self.of}")
        if self.of > MOST_SHARDS:
            raise ValueError(f"there may be at most {MOST_SHARDS:,} shards, got {self.of:,}")

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def places(self) -> tuple[int, None, int]:
        """Where its parts stand among all: the first, the last, the step."""
        return self.number - 1, None, self.of

    def parts(self, work: Work[A, R, F]) -> Iterator[Part[A]]:
        """Yield the parts of this shard."""
        return islice(work.parts(self.of), *self.places)


WHOLE = Shard(1, 1)
"""The only one of one: all parts."""


class Folder:
    """Keeps what came of each part in a file of its own, which begins with its checksum.

    The checksum holds the work and the file's name, so that a file of something else is none of this.

    Parameters
    ----------
    path : Path
        The folder.
    work : Work
        Whose parts it keeps.
    begin : bool
        Whether it is begun if it is not there.

    Raises
    ------
    OutputError
        If it belongs to something else, cannot be written, or is not there and not to be begun.
    """

    def __init__(self, path: Path, work: Work[Any, Any, Any], begin: bool = True) -> None:
        self.path, self._chunks = path, path / CHUNKS
        says = work.says()
        self._head = hashlib.sha256(says.encode()).hexdigest()
        if not begin and not path.exists():
            raise OutputError(f"{path}: is not there: no shard was begun; do each first, as by --shard 1/40")
        if not begin or not begin_folder(path, lambda folder: begin_parts(folder, work)):
            self._refuse_another(work.kind, json.loads(says))

    def read(self, part: Part[Any]) -> bytes | None:
        """Return what came of a part; nothing if it is not there, or not as it was written."""
        try:
            checksum, _, data = (self._chunks / part.name).read_bytes().partition(b"\n")
        except OSError:
            return None
        return data if checksum == self._checksum(part, data) else None

    def write(self, part: Part[Any], data: bytes) -> None:
        """Keep what came of a part."""
        try:
            write_whole(self._chunks / part.name, self._checksum(part, data) + b"\n" + data)
        except OutputError:
            if self.read(part) is None:  # somebody else may have done it, and tidied up
                raise

    def tidy(self) -> None:
        """Delete what somebody began to write and was killed: for when all parts are there."""
        clear_unfinished(self._chunks)

    def _checksum(self, part: Part[Any], data: bytes) -> bytes:
        return hashlib.sha256(f"{self._head}\n{part.name}\n".encode() + data).hexdigest().encode()

    def _refuse_another(self, kind: str, here: Mapping[str, Any]) -> None:
        """Raise `OutputError` unless the folder is that of this work."""
        try:
            there = json.loads((self.path / STUDY).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise OutputError(
                f"{self.path}: exists already and is not a folder of {kind} (it holds no {STUDY}); choose another --out"
            ) from None
        other = [words for key, words in _WORDS.items() if there.get(key) != here.get(key)]
        if other:
            raise OutputError(
                f"{self.path}: holds the results of another study: {', '.join(other)} differ. Results are not mixed: "
                "choose another --out, or delete the folder if you no longer need it"
            )


_WORDS = {
    "verb": "verb",
    "scenario_sha256": "scenario",
    "scenarios_sha256": "scenarios",
    "rules_sha256": "rules",
    "truths": "truths",
    "axes": "grid",
    "points_sha256": "points",
    "trials": "trials",
    "seed": "seed",
    "escalate": "version of escalate",
    "code_sha256": "code of escalate",
}
"""What makes work another one, in words."""


def begin_parts(folder: Path, work: Work[Any, Any, Any]) -> None:
    """Write what a folder of parts begins with."""
    (folder / CHUNKS).mkdir()
    (folder / MARK).write_text(as_json(work.scenario.resolved()), encoding="utf-8")
    (folder / STUDY).write_text(work.says(), encoding="utf-8")


def parts_folder(out: Path) -> Path:
    """Return where parts are kept whose results go to a folder that appears whole: beside it."""
    check_is_folder(out)
    if out.name in ("", ".."):
        raise OutputError(f"{out}: cannot be a folder of results; name one of its own, as in --out results/mine")
    return out.with_name(f"{out.name}.parts")


def do_shard(
    work: Work[A, R, F],
    path: Path,
    shard: Shard = WHOLE,
    *,
    executor: Crew = None,
    progress: bool | None = None,
) -> tuple[int, int]:
    """Do those parts of a shard that are not there, and keep what comes of them in a folder, begun if it is not there.

    Parameters
    ----------
    work : Work
        The work.
    path : Path
        The folder.
    shard : Shard
        Which parts; all where it is not given.
    executor, progress
        As `sweep` takes them.

    Returns
    -------
    tuple of int
        How many were done now, and how many parts the shard has.

    Raises
    ------
    OutputError
        If the folder belongs to something else, or cannot be written.
    TaskError
        If a part fails; says which. What was done before is kept.
    """
    folder, were, now = Folder(path, work), 0, 0
    trials = sum(part.trials for part in shard.parts(work))
    with (
        hired(executor, work.scenarios(), work.trials // shard.of) as team,
        showing(trials, "trials", progress, lost=KEPT) as bar,
    ):

        def todo() -> Iterator[tuple[Part[A], A]]:
            nonlocal were
            for part in shard.parts(work):
                if folder.read(part) is None:
                    yield part, part.task
                else:
                    were += 1
                    bar.update(part.trials)

        for part, result in workers.completed(work.do, todo(), team):
            folder.write(part, work.to_bytes(result))
            now += 1
            bar.update(part.trials)
    return now, were + now


def merged(work: Work[A, R, F], path: Path, shards: int | None = None) -> F:
    """Put together what came of all parts.

    Parameters
    ----------
    work : Work
        The work.
    path : Path
        The folder that keeps its parts.
    shards : int, optional
        How many shards there were: those that did not do all of theirs are named then.

    Raises
    ------
    OutputError
        If a part is missing; says which. If the folder belongs to something else.
    """
    folder = Folder(path, work, begin=False)
    numbered = enumerate(work.parts(1))
    missing = [(number, part) for number, part in numbered if folder.read(part) is None]
    if missing:
        raise OutputError(f"{path}: {_told(missing, sum(1 for _ in work.parts(1)), shards)}")
    folder.tidy()
    return work.put_together(_kept(work, folder))


def _kept(work: Work[A, R, F], folder: Folder) -> Iterator[R]:
    """Yield what came of each part, in order."""
    for part in work.parts(1):
        data = folder.read(part)
        if data is None:
            raise OutputError(f"{part.name}: was lost while the others were put together; run the same again")
        yield work.from_bytes(part.task, data)


def _told(missing: list[tuple[int, Part[Any]]], total: int, shards: int | None) -> str:
    """Say which parts are missing, and how they are done."""
    if shards is None:
        which, again = [str(part) for _, part in missing], "run their shards again, or all that is missing, --shard 1/1"
    else:
        lacking = sorted({number % shards + 1 for number, _ in missing})
        which, again = [f"--shard {number}/{shards}" for number in lacking], "run these again"
    more = f" and {len(which) - MOST_TOLD:,} more" if len(which) > MOST_TOLD else ""
    are = "is" if len(missing) == 1 else "are"
    return (
        f"{len(missing):,} of {total:,} parts {are} missing: {'; '.join(which[:MOST_TOLD])}{more}; "
        f"{again}, and then --merge. Nothing was written"
    )


def as_json(data: object) -> str:
    """Return JSON, a value on each line, letters as they are."""
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
