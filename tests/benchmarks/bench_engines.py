"""How many trials per second the kernel runs, against drawing the same random numbers alone.

``python tests/benchmarks/bench_engines.py [ROUNDS]`` prints, for each scenario and rule, trials per second of one core
(processor time, deciding and counting included), the median of interleaved rounds of one run, and how many times as
long the trials take as their random numbers. Every round has trials of its own: what the committee was not asked in
the rounds before, it is asked then, as in any run of some size.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported: one core is measured

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import escalate
from escalate.kernel.compiled import is_available
from escalate.kernel.engine import Engine
from escalate.nature.draws import Nature
from escalate.nature.streams import Stream, words
from escalate.results.outcomes import gather
from escalate.results.tally import PATHS_OF, tally
from escalate.studies.simulation import KERNEL_CHUNK

SCENARIOS = Path(__file__).parents[2] / "scenarios"
SKELETON = {"skeleton": [0.05, 0.1, 0.2, 0.3, 0.5, 0.7]}
WORKS: dict[str, tuple[str, dict[str, Any], int]] = {
    "W2 3+3": ("nct06337474", {"name": "3+3"}, 65_536),
    "W2 BOIN": ("nct06337474", {"name": "BOIN", "target": 0.25}, 65_536),
    "W6 3+3": ("six-dose-oncology", {"name": "3+3"}, 32_768),
    "W6 BOIN": ("six-dose-oncology", {"name": "BOIN", "target": 0.25}, 32_768),
    "W6 TITE-BOIN": ("six-dose-oncology", {"name": "TITE-BOIN", "target": 0.25}, 8_192),
    "W6 CRM": ("six-dose-oncology", {"name": "CRM", "target": 0.25} | SKELETON, 16_384),
    "W6 TITE-CRM": ("six-dose-oncology", {"name": "TITE-CRM", "target": 0.25} | SKELETON, 8_192),
}
PLAIN = ("W2 3+3, not compiled", "W2 3+3", 4_096)
"""One of the works without compiling, and how many trials of it."""


def run(engine: Engine, start: int, trials: int) -> None:
    """Run trials and count what came of them."""
    for first in range(start, start + trials, KERNEL_CHUNK):
        found = engine.run(Nature(engine.scenario, 1, first, min(KERNEL_CHUNK, trials)))
        kept = gather(engine.scenario, 1, first, found.numbers, found.paths, engine.answers.reasons)
        tally(kept, paths_until=PATHS_OF)  # as `run` does


def draw(engine: Engine, start: int, trials: int) -> None:
    """Draw the same random numbers, and nothing else."""
    for first in range(start, start + trials, KERNEL_CHUNK):
        count = min(KERNEL_CHUNK, trials)
        for stream, pages in ((Stream.CANDIDATE, engine.candidate_pages), (Stream.PATIENT, engine.patient_pages)):
            for page in range(pages):
                words(1, stream, page, first, count)


def seconds(work: Callable[[Engine, int, int], None], engine: Engine, start: int, trials: int) -> float:
    """Return the processor time of a trial [s]."""
    begun = time.process_time()
    work(engine, start, trials)
    return (time.process_time() - begun) / trials


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    works = {}
    for name, (scenario, rule, trials) in WORKS.items():
        base = escalate.load(SCENARIOS / f"{scenario}.toml").replace({"rule": rule})
        works[name] = Engine(base, is_available()), trials
    of, trials = PLAIN[1:]
    works[PLAIN[0]] = Engine(works[of][0].scenario, compiles=False), trials
    for engine, trials in works.values():
        run(engine, 0, trials)
    runs: dict[str, list[float]] = {name: [] for name in works}
    draws: dict[str, list[float]] = {name: [] for name in works}
    for number in range(1, rounds + 1):
        for name, (engine, trials) in works.items():
            runs[name].append(seconds(run, engine, number * trials, trials))
            draws[name].append(seconds(draw, engine, number * trials, trials))
    print(f"trials per second of one core, median of {rounds} rounds; compiled: {'yes' if is_available() else 'no'}")
    print(f"{'':<24}{'trials/s':>12}{'slowest to fastest':>26}{'random numbers/s':>18}{'ratio':>8}")
    for name, times in runs.items():
        middle, limit = statistics.median(times), statistics.median(draws[name])
        spread = f"{1 / max(times):,.0f} to {1 / min(times):,.0f}"
        print(f"{name:<24}{1 / middle:>12,.0f}{spread:>26}{1 / limit:>18,.0f}{middle / limit:>8.1f}")


if __name__ == "__main__":
    main()
