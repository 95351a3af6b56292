"""A study's points, all simulated: resumable, and the same bytes whoever does the work.

Chunks of the trials at each point are the parts of this work, which a folder keeps (`parts`): a sweep does all that are
not there, and puts together what is.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from ..cautions import Caution, shared
from ..files import clear_unfinished, write_whole
from ..kernel.engine import is_worth_compiling
from ..results.estimates import ESTIMATES, Estimate, estimated, the_one
from ..results.tally import Tally, tally, total
from ..words.asked import asks
from ..words.csv_text import csv_bytes
from ..words.tables import Column, Layout, Measured, Table
from . import workers
from .chunks import Chunk, chunks_of, run_chunk
from .crew import Crew, travels
from .lock import Lock
from .parts import Part, Work, as_json, begin_parts, do_shard, done, merged
from .simulation import check_can_travel, provenance
from .study import Point, Study, cell_text, read_study

PARTS, LEAST, MOST = 8, 1024, 16_384
"""Into how many chunks the trials at a point are cut, and how many trials a chunk has at least and at most: fewer cost
more to put together than to run, more are lost when the work is interrupted."""


MOST_CAUTIONED = 60
"""Points of which cautions are told: a caution asks the committee what it decides, which takes up to a second."""


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
    executor: Crew = None,
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
    executor : concurrent.futures.Executor or int, optional
        Who does the work, as in `workers`; or how many cores of this machine, 1 for one; where it is not given, every
        one if that pays and the kernel is compiled. The results are the same.
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
    work = sweep_work(study, chunk, travel=travels(executor))
    if out is None:
        kept = {part.name: counted for part, counted in done(work, executor, progress)}
        return work.put_together(kept[part.name] for part in work.parts(1))
    with closing(Lock(Path(out))):
        do_shard(work, Path(out), executor=executor, progress=progress)
        clear_unfinished(Path(out))
        return merged_sweep(work, Path(out))


def sweep_work(study: Study, chunk: int | None = None, *, travel: bool = False) -> Work[Chunk, str, Sweep]:
    """Return the work of a study, cut into parts; `travel` says whether other processes do any.

    Raises
    ------
    WorkersError
        If they could not.
    """
    size = min(max(study.trials // PARTS, LEAST), MOST) if chunk is None else chunk
    if size < 1:
        raise ValueError(f"chunk must be at least 1, got {size}")
    if travel:
        for point in study.points:
            check_can_travel(point.scenario)
    trials = study.trials * len(study.points)

    def parts(shards: int, _: Executor | None = None) -> Iterator[Part[Chunk]]:
        compiles = is_worth_compiling((point.scenario for point in study.points), trials // shards)
        for point in study.points:
            yield from _parts(study, point, size, compiles)

    return Work(
        kind="a sweep",
        what=study.parts,
        scenario=study.scenario,
        scenarios=lambda: (point.scenario for point in study.points),
        trials=trials,
        parts=parts,
        do=count_chunk,
        to_bytes=str.encode,
        from_bytes=lambda _, counted: counted.decode(),
        put_together=lambda counted: _put_together(study, -(-study.trials // size), iter(counted)),
    )


def merged_sweep(work: Work[Chunk, str, Sweep], out: Path, shards: int | None = None) -> Sweep:
    """Put together what shards did in a folder, as in `merged`, and write the results into it."""
    found = merged(work, out, shards)
    _write_results(out, found)
    return found


def count_chunk(chunk: Chunk) -> str:
    """Run the trials of a chunk, and return their tally as JSON; dose paths are not kept."""
    return json.dumps(tally(run_chunk(chunk), paths_until=0).to_json(), separators=(",", ":"))


def _parts(study: Study, point: Point, size: int, compiles: bool) -> Iterator[Part[Chunk]]:
    """Cut the trials at a point into parts, in order of replicates."""
    for chunk in chunks_of(point.scenario, study.trials, study.seed, 0, size, compiles):
        yield Part(f"point-{point.number:05}-{chunk.range_name}.json", f"{point}, {chunk}", chunk, chunk.count)


def _put_together(study: Study, each: int, counted: Iterator[str]) -> Sweep:
    """Estimate the operating characteristics at each point from its parts, so many each, in order."""

    def estimates(point: Point) -> tuple[Estimate, ...]:
        parts = (Tally.from_json(point.scenario, json.loads(part)) for part in islice(counted, each))
        return estimated(total(parts)).estimates

    return Sweep(study, tuple(estimates(point) for point in study.points))


def write_sweep(folder: Path, found: Sweep) -> None:
    """Write a sweep into a new folder, but for its chunks: what it is of, its table, its provenance."""
    begin_parts(folder, sweep_work(found.study))
    _write_results(folder, found)


def _write_results(folder: Path, found: Sweep) -> None:
    study = found.study
    made = provenance(study.scenario, seed=study.seed, first=0, trials=study.trials)
    code = {"study_sha256": study.fingerprint(), "code_sha256": workers.code_fingerprint()}
    write_whole(folder / "provenance.json", as_json({**made, "points": len(study.points), **code}).encode())
    if find_spec("pyarrow") is not None:
        write_whole(folder / "sweep.parquet", to_parquet(found.table))
    write_whole(folder / "sweep.csv", csv_bytes(found.table.to_csv()))


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
