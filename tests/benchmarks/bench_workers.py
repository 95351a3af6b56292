"""How much faster several cores are than one: ``python tests/benchmarks/bench_workers.py [TRIALS [ROUNDS [FILE]]]``.

A sweep of eight points is run by this process alone, by two threads, by two processes and by what is hired where nobody
says whom, in turn; the start of threads and processes is a part of it, loading the compiled kernel here is not. Where
other programs run at the same time, the clock says little; then read the processor time, which says what dividing the
work costs, and the share of the time in which the workers had work (they ran, or waited for a core; Linux alone knows):
with free cores, two would be as many times as fast as their share of processor times and of having work says.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from escalate import load, sweep
from escalate.studies.crew import Cores, Threads, cores
from escalate.studies.study import Study, make_study
from escalate.studies.workers import Processes, code_fingerprint

CREWS: dict[str, Callable[[], AbstractContextManager[Executor | Cores]]] = {
    "1 core": lambda: nullcontext(Cores(1)),
    "2 threads": lambda: Threads(2),
    "2 processes": lambda: Processes(2),
    "by default": lambda: nullcontext(Cores(starts_processes=True)),
}


def had_work(crew: object) -> float:
    """Return how long workers have run or waited for a core [s, added up]; nothing where nobody was hired here."""
    if isinstance(crew, Threads):
        tasks = [Path(f"/proc/self/task/{thread.native_id}") for thread in crew._threads]
    elif isinstance(crew, Processes):
        tasks = [Path(f"/proc/{pid}/task/{pid}") for pid in crew._pool._processes]
    else:
        return 0.0
    return sum(sum(map(int, (task / "schedstat").read_text().split()[:2])) for task in tasks) / 1e9


def processor_time() -> float:
    """Return the processor time of this process, and of those that it has waited for [s]."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def measure(study: Study, hire: Callable[[], AbstractContextManager[Executor | Cores]]) -> tuple[float, float, float]:
    """Return how long a sweep takes [s], its processor time [s], and in what share of the time workers had work."""
    began, used = time.perf_counter(), processor_time()
    with hire() as crew:
        sweep(study, executor=crew, progress=False)  # type: ignore[arg-type]
        busy = had_work(crew) / (time.perf_counter() - began) / (getattr(crew, "count", None) or 1)
    return time.perf_counter() - began, processor_time() - used, busy


def main() -> None:
    """Measure and print."""
    given = sys.argv[1:]
    trials, rounds = (int(text) for text in (*given[:2], *("40000", "3")[len(given[:2]) :]))
    scenario = load(given[2] if len(given) > 2 else "nct06337474")
    rates = [0.5 + k / 10 for k in range(8)]
    study = make_study(scenario, {"accrual.consents_per_month": rates}, trials=trials)
    sweep(make_study(scenario, {"accrual.consents_per_month": rates}, trials=10_000), executor=1)
    code_fingerprint()
    best: dict[str, tuple[float, float, float]] = {}
    for _ in range(rounds):
        for name, hire in CREWS.items():
            found = measure(study, hire)
            best[name] = min(best.get(name, found), found)
            print(
                f"{name}: {found[0]:.2f} s, processor {found[1]:.2f} s, had work {found[2]:.0%} of the time; "
                f"load {os.getloadavg()[0]:.1f} on {cores()} cores",
                flush=True,
            )
    alone = best["1 core"]
    for name, (took, used, busy) in best.items():
        free = f"; {2 * busy * alone[1] / used:.2f} if cores were free" if busy else ""
        print(f"{8 * trials:,} trials, {name}: {alone[0] / took:.2f} times as fast as one core (best rounds){free}")


if __name__ == "__main__":
    main()
