"""How fast traced trials are, against SimPy doing nothing and against drawing the random numbers alone.

``python tests/benchmarks/bench_trial.py [SCENARIO]`` prints trials per second of one core (processor time), median of
five interleaved rounds, and the ratios of one run; the ratios are what to compare between machines.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import simpy

import escalate
from escalate.nature.draws import Nature
from escalate.studies.simulation import traced_trials

SCENARIO = Path(__file__).parents[2] / "scenarios" / "nct06337474.toml"
TRIALS, ROUNDS, EVENTS = 2000, 5, 140


def traced(scenario: escalate.Scenario) -> None:
    """Run trials and write all their records."""
    for trial in traced_trials(scenario, trials=TRIALS):
        assert trial.events.cells


def traced_with_dates(scenario: escalate.Scenario) -> None:
    """The same, with every date of every row written out."""
    for trial in traced_trials(scenario, trials=TRIALS):
        for table in (trial.events, trial.patients, trial.cohorts, trial.decisions):
            assert table.rows


def simulated(scenario: escalate.Scenario) -> None:
    """Run trials and keep one row of each."""
    escalate.simulate(scenario, trials=TRIALS)


def simpy_alone(_: escalate.Scenario) -> None:
    """As many timeouts as a trial has events, and nothing else."""
    for _ in range(TRIALS):
        clock = simpy.Environment()

        def wait(clock: simpy.Environment = clock) -> object:
            for _ in range(10):
                yield clock.timeout(1)

        for _ in range(EVENTS // 10):
            clock.process(wait())
        clock.run()


def draws_alone(scenario: escalate.Scenario) -> None:
    """The random numbers of the same trials: two pages of candidates, one of patients at each level."""
    for first in range(0, TRIALS, 256):
        nature = Nature(scenario, 1, first, 256)
        nature.candidate(first, 31)
        for level in range(scenario.levels):
            nature.fate(first, 0, level)


def per_second(work: Callable[[escalate.Scenario], None], scenario: escalate.Scenario) -> float:
    """Return trials per second of processor time."""
    start = time.process_time()
    work(scenario)
    return TRIALS / (time.process_time() - start)


def main() -> None:
    """Print the table."""
    scenario = escalate.load(sys.argv[1] if len(sys.argv) > 1 else SCENARIO)
    works = (traced, traced_with_dates, simulated, simpy_alone, draws_alone)
    rates: dict[str, list[float]] = {work.__name__: [] for work in works}
    for work in works:
        work(scenario)
    for _ in range(ROUNDS):
        for work in works:
            rates[work.__name__].append(per_second(work, scenario))
    base = statistics.median(rates["simpy_alone"])
    print(f"{scenario.trial.title}: trials per second of one core, median of {ROUNDS} rounds of {TRIALS}")
    for name, values in rates.items():
        middle = statistics.median(values)
        print(f"{name:<20}{middle:>12,.0f}   {min(values):,.0f} to {max(values):,.0f}   {middle / base:.3f} of it")


if __name__ == "__main__":
    main()
