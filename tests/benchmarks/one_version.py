"""What `bench_engines.py` asks of one version of escalate; that version's Python runs this file.

A question is a line, a JSON list of its name and what goes with it. So is the answer: ``{"found": ...}``,
``{"refused": ...}`` if a scenario is none to this version, ``{"fault": ...}`` if nothing can be measured. But for
`draw`, only what older versions have, too, is used of escalate.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported: one core is measured

import json
import platform
import sys
import time
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

try:
    import escalate
    from escalate.errors import EscalateError
    from escalate.kernel.compiled import is_available
    from escalate.kernel.engine import Engine
    from escalate.nature.draws import Nature
    from escalate.results.outcomes import gather
    from escalate.results.tally import PATHS_OF, tally
    from escalate.studies.simulation import KERNEL_CHUNK, traced_trials
except ImportError as error:
    lacks_all = isinstance(error, ModuleNotFoundError) and error.name == "escalate"
    text = "escalate is not installed there" if lacks_all else f"its escalate cannot be measured: {error}"
    print(json.dumps({"fault": text}))
    sys.exit()

engine: Engine
"""Of the work that is measured."""


def about() -> dict[str, Any]:
    """Return what is measured here."""
    found = {"folder": os.path.dirname(escalate.__file__), "has_numba": is_available()}  # noqa: PTH120
    return found | {"made_by": f"Python {platform.python_version()}, numpy {version('numpy')}"}


def make(scenario: str, changes: dict[str, Any], compiles: bool) -> dict[str, Any]:
    """Make a work ready, and return its resolved scenario."""
    global engine
    engine = Engine(escalate.load(scenario).replace(changes), compiles)
    return dict(json.loads(engine.scenario.model_dump_json()))


def run(first: int, trials: int) -> None:
    """Run trials in the kernel and count what came of them."""
    for start in range(first, first + trials, KERNEL_CHUNK):
        found = engine.run(Nature(engine.scenario, 1, start, min(KERNEL_CHUNK, trials)))
        kept = gather(engine.scenario, 1, start, found.numbers, found.paths, engine.answers.reasons)
        tally(kept, paths_until=PATHS_OF)  # as the verb `run` does


def draw(first: int, trials: int) -> None:
    """Draw the same random numbers, and nothing else."""
    from escalate.nature.streams import Stream, words

    for start in range(first, first + trials, KERNEL_CHUNK):
        for stream, pages in ((Stream.CANDIDATE, engine.candidate_pages), (Stream.PATIENT, engine.patient_pages)):
            for page in range(pages):
                words(1, stream, page, start, min(KERNEL_CHUNK, trials))


def simulate(first: int, trials: int) -> None:
    """The same as `run`, by what everybody calls, with a seed of its own; on one core, as the other version does it."""
    alone: dict[str, Any] = {"executor": 1} if find_spec("escalate.studies.crew") else {}
    found = escalate.simulate(engine.scenario, trials=trials, seed=2 + first // trials, progress=False, **alone)
    escalate.characteristics(found)


def trace(first: int, trials: int) -> None:
    """Run trials in SimPy and write all their records."""
    for trial in traced_trials(engine.scenario, trials=trials, first=first, progress=False):
        assert trial.events.cells


def seconds(what: str, first: int, trials: int) -> float:
    """Return the processor time of a trial [s]."""
    work = {each.__name__: each for each in (run, draw, simulate, trace)}[what]
    begun = time.process_time()
    work(first, trials)
    return (time.process_time() - begun) / trials


def main() -> None:
    """Answer until nothing else is asked."""
    answers, sys.stdout = sys.stdout, sys.stderr
    asked = {each.__name__: each for each in (about, make, seconds)}
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            said = {"found": asked[name](*arguments)}
        except EscalateError as error:
            said = {"refused": str(error)}
        print(json.dumps(said), file=answers, flush=True)


if __name__ == "__main__":
    main()
