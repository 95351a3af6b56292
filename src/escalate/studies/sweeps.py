"""A study's points, all simulated: resumable, and the same bytes whoever does the work.

Every chunk of every point is a file of its own, which appears whole and carries its checksum. What is interrupted goes
on with the chunks that are not there; the results are put together from the files alone, in order.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .. import __version__
from ..cautions import Caution, shared
from ..errors import OutputError
from ..files import MARK, begin_folder, clear_unfinished, write_whole
from ..kernel.engine import is_worth_compiling
from ..results.estimates import ESTIMATES, Estimate, estimated, the_one
from ..results.tally import Tally, tally, total
from ..words.asked import asks
from ..words.csv_text import csv_bytes
from ..words.tables import Column, Layout, Measured, Table
from . import workers
from .lock import Lock
from .progress import NOTHING_KEPT
from .progress import progress as showing
from .simulation import Chunk, check_can_travel, chunks_of, provenance, run_chunk
from .study import Point, Study, cell_text, read_study

STUDY = "study.json"
"""Every folder of a sweep holds this file from its beginning on: what makes the study this one."""


PARTS, LEAST, MOST = 8, 1024, 16_384
"""Into how many chunks the trials at a point are cut, and how many trials a chunk has at least and at most: fewer cost
more to put together than to run, more are lost when the work is interrupted."""


MOST_CAUTIONED = 60
"""Points of which cautions are told: a caution asks the committee what it decides, which takes up to a second."""


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive trials at one point."""

    point: Point
    chunk: Chunk

    def __str__(self) -> str:
        return f"{self.point}, {self.chunk}"

    @property
    def name(self) -> str:
        """Name of its file: the point's number, replicate numbers of the first and of the last trial."""
        last = self.chunk.first + self.chunk.count - 1
        return f"point-{self.point.number:05}-trials-{self.chunk.first:012}-{last:012}.json"


@dataclass(frozen=True, repr=False)
class Sweep(Measured):
    """What a study says: operating characteristics at each of its points.

    Parameters
    ----------
    study : Study
        The study.
    estimates : tuple of tuple of Estimate
        For each point, its operating characteristics with their Monte Carlo errors.
    """

    study: Study
    estimates: tuple[tuple[Estimate, ...], ...]

    def __repr__(self) -> str:
        return f"<Sweep: {len(self.estimates)} points of {self.study.trials} trials>"

    def get(self, point: int, measure: str, level: int | str | None = None) -> Estimate:
        """Return one estimate at a point, counted from 1; measure and level as in `Characteristics.get`.

        Raises
        ------
        KeyError
            If there is no such estimate; the message lists the measures.
        """
        return the_one(self.estimates[point - 1], measure, level)

    @cached_property
    def cautions(self) -> dict[Caution, str]:
        """The cautions of the first `MOST_CAUTIONED` points, each kind once, with the points that it is about."""
        asked = self.study.points[:MOST_CAUTIONED]
        told = {}
        for one in shared((point, point.scenario) for point in asked):
            whose = "" if len(one.of) == len(self.study.points) else f"at {_where(asked, one.of)}"
            first = f"in numbers of point {one.of[0].number}" if one.varies else ""
            told[one.caution] = ", ".join(part for part in (whose, first) if part)
        return told

    @cached_property
    def table(self) -> Table:
        """One row for each point and estimate: the values of the point, and the columns of `ESTIMATES`."""
        keys = tuple(Column(key, "Value of this key at the point") for key in self.study.keys)
        layout = Layout("sweep", (Column("point", "Number of the point, from 1"), *keys, *ESTIMATES.columns))
        cells = tuple(
            (point.number, *map(_cell, point.values.values()), *(getattr(estimate, name) for name in ESTIMATES.names))
            for point, found in zip(self.study.points, self.estimates, strict=True)
            for estimate in found
        )
        return Table(layout, cells, self.study.scenario.trial.start_date)


def _where(asked: Sequence[Point], about: Sequence[Point]) -> str:
    """Say at which of some points: by a key whose values tell them from the others, or by their numbers."""
    if len(about) == len(asked):
        return f"points 1 to {len(asked)}"
    numbers = {point.number for point in about}
    for key in asked[0].values:
        values = dict.fromkeys(cell_text(point.values[key]) for point in about)
        if {point.number for point in asked if cell_text(point.values[key]) in values} == numbers:
            return f"{key} = {', '.join(values)}"
    return f"point{'s' * (len(about) > 1)} {', '.join(str(point.number) for point in about)}"


@asks(Study, str, os.PathLike)
def sweep(
    study: Study | str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    executor: Executor | None = None,
    progress: bool | None = None,
    chunk: int | None = None,
    allow_python: bool = False,
) -> Sweep:
    """Simulate a scenario at every point of a study.

    Parameters
    ----------
    study : Study or path
        The study, or its file.
    out : path, optional
        Folder of results; if it holds part of them, only the others are computed. Where it is not given, nothing is
        written.
    executor : concurrent.futures.Executor, optional
        Who does the work, as in `workers`; this process where it is not given. The results are the same.
    progress : bool
        Whether to show how far it is; where a person watches, in a terminal or a notebook, if it is not given.
    chunk : int, optional
        Trials of a part of the work, at least 1; chosen by the trials at a point where it is not given. It changes no
        result, but parts that were done with another size are done again.
    allow_python : bool
        Whether the code of a rule's Python file may run, where `study` is a file.

    Returns
    -------
    Sweep
        Operating characteristics at each point.

    Raises
    ------
    StudyError
        If the study, or the scenario at any of its points, is not valid; nothing has run then.
    OutputError
        If the folder belongs to something else, or cannot be written.
    TaskError
        If a part of the work fails; says which point, seed and trials. What was done before is kept.
    """
    study = study if isinstance(study, Study) else read_study(study, allow_python=allow_python)
    size = min(max(study.trials // PARTS, LEAST), MOST) if chunk is None else chunk
    if size < 1:
        raise ValueError(f"chunk must be at least 1, got {size}")
    if executor is not None:
        for point in study.points:
            check_can_travel(point.scenario)
    store: _Memory | _Folder = _Memory() if out is None else _Folder(Path(out), study)
    with closing(store):
        return _swept(study, store, size, executor, progress)


def _swept(
    study: Study, store: _Memory | _Folder, size: int, executor: Executor | None, progress: bool | None
) -> Sweep:
    """Do what has not been done, and put it together."""
    compiles = is_worth_compiling((point.scenario for point in study.points), study.trials * len(study.points))
    kept = NOTHING_KEPT if isinstance(store, _Memory) else "what is done is kept, and the same call goes on from there"
    with showing(study.trials * len(study.points), "trials", progress, lost=kept) as bar:

        def todo() -> Iterator[tuple[Part, Chunk]]:
            for point in study.points:
                for part in _parts(study, point, size, compiles):
                    if store.read(part) is None:
                        yield part, part.chunk
                    else:
                        bar.update(part.chunk.count)

        for part, counted in workers.completed(count_chunk, todo(), executor):
            store.write(part, counted)
            bar.update(part.chunk.count)
    found = Sweep(study, tuple(_put_together(_parts(study, point, size, compiles), store) for point in study.points))
    store.finish(found)
    return found


def count_chunk(chunk: Chunk) -> str:
    """Run the trials of a chunk, and return their tally as JSON; dose paths are not kept."""
    return json.dumps(tally(run_chunk(chunk), paths_until=0).to_json(), separators=(",", ":"))


def _parts(study: Study, point: Point, size: int, compiles: bool) -> list[Part]:
    """Cut the trials at a point into parts, in order of replicates."""
    return [Part(point, chunk) for chunk in chunks_of(point.scenario, study.trials, study.seed, 0, size, compiles)]


def _put_together(parts: Sequence[Part], store: _Memory | _Folder) -> tuple[Estimate, ...]:
    """Estimate a point's operating characteristics from its parts, in order of replicates."""
    return estimated(total(_tally(part, store) for part in parts)).estimates


def _tally(part: Part, store: _Memory | _Folder) -> Tally:
    counted = store.read(part)
    if counted is None:
        raise OutputError(f"{part.name}: was lost while the others were computed; run the same again")
    return Tally.from_json(part.point.scenario, json.loads(counted))


class _Memory:
    """Keeps tallies in memory."""

    def __init__(self) -> None:
        self._tallies: dict[str, str] = {}

    def read(self, part: Part) -> str | None:
        return self._tallies.get(part.name)

    def write(self, part: Part, counted: str) -> None:
        self._tallies[part.name] = counted

    def finish(self, found: Sweep) -> None:
        self._tallies.clear()

    def close(self) -> None:
        """Nobody waits for memory."""


class _Folder:
    """Keeps each tally in a file of its own, which begins with its checksum.

    The checksum holds the study and the file's name, so that a file of something else is none of this.
    """

    def __init__(self, out: Path, study: Study) -> None:
        self._out, self._chunks, self._study = out, out / "chunks", study.fingerprint()
        self._lock = Lock(out)
        try:
            if not begin_folder(out, lambda folder: _begin(folder, study)):
                _refuse_another(out, _says(study))
        except BaseException:
            self.close()
            raise

    def read(self, part: Part) -> str | None:
        """Return a part's tally; nothing if it is not there, or not as it was written."""
        try:
            checksum, _, counted = (self._chunks / part.name).read_bytes().partition(b"\n")
        except OSError:
            return None
        return counted.decode() if checksum == self._checksum(part, counted) else None

    def write(self, part: Part, counted: str) -> None:
        data = counted.encode()
        write_whole(self._chunks / part.name, self._checksum(part, data) + b"\n" + data)

    def finish(self, found: Sweep) -> None:
        for folder in (self._chunks, self._out):
            clear_unfinished(folder)
        _write_results(self._out, found)

    def close(self) -> None:
        """Let others work here."""
        self._lock.let_go()

    def _checksum(self, part: Part, data: bytes) -> bytes:
        head = f"{self._study}\n{workers.code_fingerprint()}\n{part.name}\n".encode()
        return hashlib.sha256(head + data).hexdigest().encode()


def write_sweep(folder: Path, found: Sweep) -> None:
    """Write a sweep into a new folder, but for its chunks: what it is of, its table, its provenance."""
    _begin(folder, found.study)
    _write_results(folder, found)


def _says(study: Study) -> str:
    """Return what makes a folder one of this study."""
    return _json({"escalate": __version__, "code_sha256": workers.code_fingerprint(), **study.parts})


def _begin(folder: Path, study: Study) -> None:
    (folder / "chunks").mkdir()
    (folder / MARK).write_text(_json(study.scenario.resolved()), encoding="utf-8")
    (folder / STUDY).write_text(_says(study), encoding="utf-8")


def _write_results(folder: Path, found: Sweep) -> None:
    study = found.study
    made = provenance(study.scenario, seed=study.seed, first=0, trials=study.trials)
    code = {"study_sha256": study.fingerprint(), "code_sha256": workers.code_fingerprint()}
    write_whole(folder / "provenance.json", _json({**made, "points": len(study.points), **code}).encode())
    if find_spec("pyarrow") is not None:
        write_whole(folder / "sweep.parquet", to_parquet(found.table))
    write_whole(folder / "sweep.csv", csv_bytes(found.table.to_csv()))


def _refuse_another(out: Path, says: str) -> None:
    """Raise `OutputError` unless a folder is that of a study."""
    try:
        there, here = json.loads((out / STUDY).read_text(encoding="utf-8")), json.loads(says)
    except (OSError, ValueError):
        raise OutputError(
            f"{out}: exists already and is not a folder of a sweep (it holds no {STUDY}); choose another --out"
        ) from None
    other = [words for key, words in _PARTS.items() if there.get(key) != here[key]]
    if other:
        raise OutputError(
            f"{out}: holds the results of another study: {', '.join(other)} differ. Results are not mixed: "
            "choose another --out, or delete the folder if you no longer need it"
        )


_PARTS = {
    "scenario_sha256": "scenario",
    "axes": "grid",
    "points_sha256": "points",
    "trials": "trials",
    "seed": "seed",
    "escalate": "version of escalate",
    "code_sha256": "code of escalate",
}
"""What makes a study another one, in words."""


def _json(data: object) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _cell(value: Any) -> Any:
    return value if isinstance(value, int | float | str) else cell_text(value)


def to_parquet(table: Table) -> bytes:
    """Return a table as the contents of a Parquet file (needs pyarrow, which the extra ``parquet`` installs)."""
    import pyarrow
    import pyarrow.parquet

    columns = {name: table[name] for name in table.names}
    mixed = {name for name, cells in columns.items() if len({type(cell) for cell in cells} - {type(None)}) > 1}
    plain = {n: [c if c is None else str(c) for c in cells] if n in mixed else cells for n, cells in columns.items()}
    contents = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(plain), contents)
    return contents.getvalue()
