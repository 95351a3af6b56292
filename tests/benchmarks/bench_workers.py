"""How much faster several worker processes are than one: ``python tests/benchmarks/bench_workers.py [TRIALS]``.

A sweep of eight points is run by 1 and by 2 processes in turn, three times, without their start. Where other programs
run at the same time, the clock says little; then read the processor time, which says what dividing the work costs, and
the share of the time in which the workers had work (they ran, or waited for a core; Linux alone knows).
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from escalate import load, sweep
from escalate.studies.study import Study, make_study
from escalate.studies.workers import Processes

SCENARIO = Path(__file__).parents[2] / "scenarios" / "nct06337474.toml"


def times(processes: Processes) -> tuple[float, float]:
    """Return how long workers have run, and how long they have run or waited for a core [s, added up]."""
    texts = [Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split() for pid in processes._pool._processes]
    ran, waited = (sum(int(text[column]) for text in texts) / 1e9 for column in (0, 1))
    return ran, ran + waited


def measure(study: Study, warm: Study, count: int) -> tuple[float, float, float]:
    """Return how long a sweep takes [s], its processor time [s], and in what share of the time workers had work."""
    with Processes(count) as processes:
        sweep(warm, executor=processes, chunk=100)  # all are there, and have loaded what they need
        (ran, busy), began, own = times(processes), time.perf_counter(), time.process_time()
        sweep(study, executor=processes)
        took, after = time.perf_counter() - began, times(processes)
        return took, after[0] - ran + time.process_time() - own, (after[1] - busy) / took / count


def main() -> None:
    """Measure and print."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 40_000
    rates = [0.5 + k / 10 for k in range(8)]
    study = make_study(load(SCENARIO), {"accrual.consents_per_month": rates}, trials=trials)
    warm = make_study(load(SCENARIO), {"accrual.consents_per_month": rates}, trials=1000)
    for _ in range(3):
        one, two = measure(study, warm, 1), measure(study, warm, 2)
        had_work = f"{one[2]:.0%} and {two[2]:.0%}"
        print(
            f"1 process {one[0]:.1f} s, 2 processes {two[0]:.1f} s: {one[0] / two[0]:.2f} times as fast; "
            f"processor time {one[1]:.1f} and {two[1]:.1f} s; workers had work {had_work} of the time; "
            f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        )


if __name__ == "__main__":
    main()
