"""A chunk: trials of one scenario that follow one another, as they are sent to a worker and run in the kernel."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from ..committee.committee import Committee
from ..errors import RuleError
from ..kernel import compiled
from ..kernel.chunk import Columns
from ..kernel.engine import Engine
from ..nature.draws import Nature
from ..results.outcomes import Trials, gather, join
from ..scenario.model import Scenario
from ..scenario.rules import PythonRule
from ..trial.conduct import Conduct

MOST_PATIENTS = 2**21
"""Planned patients of the trials that the kernel has in memory together; changes no result."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Trials of one scenario that follow one another: what is sent to a worker.

    Parameters
    ----------
    scenario : str
        The resolved scenario as JSON.
    seed : int
        Seed, at least 0.
    first : int
        Replicate number of the first trial, at least 0.
    count : int
        How many trials.
    compiles : bool
        Whether the kernel is compiled, where numba is installed.
    """

    scenario: str
    seed: int
    first: int
    count: int
    compiles: bool

    def __str__(self) -> str:
        return f"seed {self.seed}, trials {self.first} to {self.first + self.count - 1}"

    @property
    def range_name(self) -> str:
        """Replicate numbers of the first and of the last trial, as in names of files."""
        return f"trials-{self.first:012}-{self.first + self.count - 1:012}"


class _Remembered(threading.local):
    """What the chunks of a thread share: an engine remembers answers, and is nobody else's."""

    def __init__(self) -> None:
        self.engines: dict[tuple[str, bool], Engine] = {}


_REMEMBERED = _Remembered()
MOST_ENGINES = 32
"""Engines that a thread remembers."""


def chunks_of(scenario: Scenario, trials: int, seed: int, first: int, size: int, compiles: bool) -> list[Chunk]:
    """Cut trials into chunks of a size, in order of replicates."""
    text, end = scenario.model_dump_json(), first + trials
    return [Chunk(text, seed, start, min(size, end - start), compiles) for start in range(first, end, size)]


def run_chunk(chunk: Chunk) -> Trials:
    """Run the trials of a chunk, in whichever process this is called.

    Raises
    ------
    RuleError
        If the rule fails for any of them; the message names trial and day.
    """
    engine = _engine(chunk.scenario, chunk.compiles and compiled.is_available())
    return run_in_pieces(engine, Nature(engine.scenario, chunk.seed, chunk.first, chunk.count))


def _engine(text: str, compiles: bool) -> Engine:
    """Return the engine of a resolved scenario, which this thread may have used before."""
    engines = _REMEMBERED.engines
    if (text, compiles) not in engines:
        engine = Engine(Scenario.model_validate_json(text), compiles)
        if isinstance(engine.scenario.rule, PythonRule):
            return engine  # its function may be another one tomorrow
        if len(engines) >= MOST_ENGINES:
            del engines[next(iter(engines))]
    else:
        engine = engines.pop((text, compiles))
    engines[text, compiles] = engine  # the last one in the order of use
    return engine


def run_in_pieces(engine: Engine, nature: Nature) -> Trials:
    """Run a chunk; in pieces, one after another, where its patients would take too much memory together."""
    size = max(1, MOST_PATIENTS // nature.scenario.trial.planned_patients)
    if nature.count <= size:
        return _run_at_once(engine, nature)
    scenario, seed, end = nature.scenario, nature.seed, nature.first + nature.count
    pieces = (Nature(scenario, seed, first, min(size, end - first)) for first in range(nature.first, end, size))
    return join([_run_at_once(engine, piece) for piece in pieces])


def _run_at_once(engine: Engine, nature: Nature) -> Trials:
    numbers, paths = _columns(engine, nature)
    return gather(nature.scenario, nature.seed, nature.first, numbers, paths, engine.answers.reasons)


def _columns(engine: Engine, nature: Nature) -> Columns:
    """Run a chunk in the kernel; if the rule fails, run it in SimPy, which says for which trial and on which day."""
    try:
        return engine.run(nature)
    except RuleError:
        committee = Committee(nature.scenario)
        for replicate in range(nature.first, nature.first + nature.count):
            Conduct(nature.scenario, committee, nature, replicate).run()
        raise
