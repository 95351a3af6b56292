"""How much faster several worker processes are than one: ``python tests/benchmarks/bench_workers.py [TRIALS]``.

A sweep of eight points is run by 1 and by 2 processes in turn, three times, without their start. The processor time of
all of them says what the division of the work costs, also where other programs run at the same time.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from escalate import load, sweep
from escalate.study import Study, make_study
from escalate.workers import Processes

SCENARIO = Path(__file__).parents[2] / "scenarios" / "nct06337474.toml"


def processor_time(processes: Processes) -> float:
    """Return the processor time of this process and of the workers [s]."""
    ticks = os.sysconf("SC_CLK_TCK")
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in processes._pool._processes]
    return time.process_time() + sum(int(stat[11]) + int(stat[12]) for stat in stats) / ticks


def measure(study: Study, warm: Study, count: int) -> tuple[float, float]:
    """Return how long a sweep takes, and its processor time [s]."""
    with Processes(count) as processes:
        sweep(warm, executor=processes, chunk=100)  # all are there, and have loaded what they need
        began, used = time.perf_counter(), processor_time(processes)
        sweep(study, executor=processes)
        return time.perf_counter() - began, processor_time(processes) - used


def main() -> None:
    """Measure and print."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 40_000
    rates = [0.5 + k / 10 for k in range(8)]
    study = make_study(load(SCENARIO), {"accrual.consents_per_month": rates}, trials=trials)
    warm = make_study(load(SCENARIO), {"accrual.consents_per_month": rates}, trials=1000)
    for _ in range(3):
        (one, cost), (two, cost_of_two) = measure(study, warm, 1), measure(study, warm, 2)
        print(
            f"1 process {one:6.1f} s, 2 processes {two:6.1f} s: {one / two:.2f} times as fast; processor time "
            f"{cost:.1f} and {cost_of_two:.1f} s; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        )


if __name__ == "__main__":
    main()
