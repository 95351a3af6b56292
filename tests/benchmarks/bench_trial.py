"""How fast traced trials are, against SimPy doing nothing and against drawing the random numbers alone.

``python tests/benchmarks/bench_trial.py [SCENARIO]`` prints trials per second of one core (processor time), median of
five interleaved rounds, and the ratios of one run; the ratios are what to compare between machines. Every round has
trials of its own. Then it prints traced trials per second of six dose levels under each rule: first with a committee
that nobody has asked before, then of a round later. Beside them stands SimPy with as many events.
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

import simpy

import escalate
from escalate.nature.draws import Nature
from escalate.studies.simulation import traced_trials

SCENARIOS = Path(__file__).parents[2] / "scenarios"
TRIALS, ROUNDS, EVENTS = 2000, 5, 190
SIX_LEVELS_TRIALS, SIX_LEVELS_ROUNDS, SIX_LEVELS_EVENTS = 400, 3, 710
SKELETON = {"skeleton": [0.05, 0.1, 0.2, 0.3, 0.5, 0.7]}
RULES: dict[str, dict[str, Any]] = {
    "3+3": {"variant": "B"},
    "rolling six": {},
    "IQ rolling six": {},
    "BOIN": {"target": 0.25},
    "TITE-BOIN": {"target": 0.25},
    "mTPI": {"target": 0.25},
    "mTPI-2": {"target": 0.25},
    "Keyboard": {"target": 0.25},
    "i3+3": {"target": 0.25},
    "CRM": {"target": 0.25} | SKELETON,
    "TITE-CRM": {"target": 0.25} | SKELETON,
}


def traced(scenario: escalate.Scenario, first: int, trials: int) -> None:
    """Run trials and write all their records."""
    for trial in traced_trials(scenario, trials=trials, first=first):
        assert trial.events.cells


def traced_with_dates(scenario: escalate.Scenario, first: int, trials: int) -> None:
    """The same, with every cell of every row written out, dates and all that decisions rest on."""
    for trial in traced_trials(scenario, trials=trials, first=first):
        for table in (trial.events, trial.patients, trial.cohorts, trial.decisions):
            assert table.rows


def simulated(scenario: escalate.Scenario, first: int, trials: int) -> None:
    """Run trials and keep one row of each."""
    escalate.simulate(scenario, trials=trials, first=first)


def simpy_alone(_: escalate.Scenario, first: int, trials: int, events: int = EVENTS) -> None:
    """As many timeouts as a trial has events, and nothing else."""
    for _ in range(first, first + trials):
        clock = simpy.Environment()

        def wait(clock: simpy.Environment = clock) -> object:
            for _ in range(10):
                yield clock.timeout(1)

        for _ in range(events // 10):
            clock.process(wait())
        clock.run()


def draws_alone(scenario: escalate.Scenario, start: int, trials: int) -> None:
    """The random numbers of the same trials: two pages of candidates, one of patients at each level."""
    for first in range(start, start + trials, 256):
        nature = Nature(scenario, 1, first, 256)
        nature.candidate(first, 31)
        for level in range(scenario.levels):
            nature.fate(first, 0, level)


def per_second(work: Callable[..., None], scenario: escalate.Scenario, first: int, trials: int, *more: int) -> float:
    """Return trials per second of processor time."""
    start = time.process_time()
    work(scenario, first, trials, *more)
    return trials / (time.process_time() - start)


def one_scenario(scenario: escalate.Scenario) -> None:
    """Print the table of one scenario."""
    works = (traced, traced_with_dates, simulated, simpy_alone, draws_alone)
    rates: dict[str, list[float]] = {work.__name__: [] for work in works}
    for number in range(ROUNDS + 1):
        for work in works:
            rate = per_second(work, scenario, number * TRIALS, TRIALS)
            if number:
                rates[work.__name__].append(rate)
    base = statistics.median(rates["simpy_alone"])
    print(f"{scenario.trial.title}: trials per second of one core, median of {ROUNDS} rounds of {TRIALS}")
    for name, values in rates.items():
        middle = statistics.median(values)
        print(f"{name:<20}{middle:>12,.0f}   {min(values):,.0f} to {max(values):,.0f}   {middle / base:.3f} of it")


def six_levels() -> None:
    """Print the table of six dose levels under each rule."""
    base, trials = escalate.load(SCENARIOS / "six-dose-oncology.toml"), SIX_LEVELS_TRIALS
    designs = {name: base.replace({"rule": {"name": name} | options}) for name, options in RULES.items()}
    rates: dict[str, list[float]] = {name: [] for name in (*designs, "all records", "SimPy alone")}
    for number in range(SIX_LEVELS_ROUNDS):
        for name, scenario in designs.items():
            rates[name].append(per_second(traced, scenario, number * trials, trials))
        rates["SimPy alone"].append(per_second(simpy_alone, base, 0, trials, SIX_LEVELS_EVENTS))
        rates["all records"].append(per_second(traced_with_dates, designs["TITE-CRM"], -~number * 10_000, trials))
    print(f"{base.trial.title}: traced trials per second of one core, {SIX_LEVELS_ROUNDS} rounds of {trials}")
    alone = statistics.median(rates.pop("SimPy alone"))
    for name, (first, *later) in rates.items():
        told = "TITE-CRM, all records" if name == "all records" else name
        middle = statistics.median(later)
        print(f"{told:<24}{first:>8,.0f}{middle:>8,.0f}   {middle / alone:.3f} of SimPy with as many events")
    print(f"{'SimPy alone':<32}{alone:>8,.0f}")


def main() -> None:
    """Print both tables."""
    one_scenario(escalate.load(sys.argv[1] if len(sys.argv) > 1 else SCENARIOS / "nct06337474.toml"))
    six_levels()


if __name__ == "__main__":
    main()
