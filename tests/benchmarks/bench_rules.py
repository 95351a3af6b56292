"""How fast rules decide, answer after a dose path, and exact results come: ``python tests/benchmarks/bench_rules.py``.

Each figure is the median of five, on one core, with everything loaded. The limit for a batch of data cuts is reading
and writing them: the time of one copy of the batch is printed beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

import escalate as esc
from escalate.committee.protocol import ProtocolRule
from escalate.rules import rule_for
from escalate.rules.blrm import _grid as remembered_grids
from escalate.words.data_cut import DataCut

SCENARIOS = Path(__file__).parents[2] / "scenarios"
RULES = {
    "3+3": {"name": "3+3"},
    "BOIN": {"name": "BOIN", "target": 0.25},
    "mTPI": {"name": "mTPI", "target": 0.25},
    "mTPI-2": {"name": "mTPI-2", "target": 0.25},
    "Keyboard": {"name": "Keyboard", "target": 0.25},
    "i3+3": {"name": "i3+3", "target": 0.25},
    "CRM": {"name": "CRM", "target": 0.25, "prior_mtd_level": 2},
    "BLRM": {"name": "BLRM"},
}
ROLLING = {
    "rolling six": {"name": "rolling six"},
    "TITE-BOIN": {"name": "TITE-BOIN", "target": 0.25},
    "TITE-CRM": {"name": "TITE-CRM", "target": 0.25, "prior_mtd_level": 4},
}
AFTER = ("1NNN 2NNT", "1NNN 2NNT 2NNP", "1NNN 2NNN 3NTP20P11P5P")
"""Dose paths that are answered: everything known, an outcome missing, patients pending with and without follow-up."""

TABLES = {
    **{name: RULES[name] for name in ("3+3", "BOIN", "mTPI", "mTPI-2", "Keyboard", "i3+3")},
    "CRM": {**RULES["CRM"], "prior_mtd_level": 4},
    "BLRM": {"name": "BLRM", "doses": [10, 20, 40, 80, 120, 160]},
    "rolling six": {"name": "rolling six"},
    "TITE-BOIN": {"name": "TITE-BOIN", "target": 0.25},
    "TITE-CRM": {**RULES["CRM"], "name": "TITE-CRM", "prior_mtd_level": 4},
}
"""Rules whose tables are timed."""


def seconds(work: Callable[[], object]) -> float:
    """Return the median time of five runs, after one that loads everything; nothing else is remembered [s]."""
    work()
    times = []
    for _ in range(5):
        remembered_grids.cache_clear()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times)


def batch(levels: int, size: int) -> DataCut:
    """Return random data cuts of at most 12 patients a level."""
    generator = np.random.default_rng(1)
    n = generator.integers(0, 13, (size, levels))
    y = (generator.random((size, levels)) * (n + 1) * 0.6).astype(np.int64)
    return DataCut.of(generator.integers(0, levels, size), n, y)


def after(scenario: esc.Scenario) -> None:
    """Print how long the answers after dose paths take, rule and committee made anew: what `table --after` computes."""
    print("Answers after a dose path, six levels, 36 patients: the slowest of", ", ".join(AFTER))
    doses = {"BLRM": {"doses": [10.0, 20.0, 40.0, 80.0, 120.0, 160.0]}, "CRM": {"prior_mtd_level": 4}}
    for name, rule in {**RULES, **ROLLING}.items():
        asked = scenario.replace({"rule": {**rule, **doses.get(name, {})}})
        took = max(seconds(lambda path=path: esc.decision_table(asked, after=path).to_text()) for path in AFTER)  # noqa: B023
        print(f"  {name:<12}{1000 * took:8.1f} ms")


def main() -> None:
    """Print the table."""
    base = esc.load(SCENARIOS / "nct06337474.toml")
    six = esc.load(SCENARIOS / "six-dose-oncology.toml")
    print("Exact results of the base scenario (two levels, nine patients), rule and committee made anew")
    for name, rule in RULES.items():
        scenario = base.replace({"rule": rule})
        took = seconds(lambda scenario=scenario: esc.exact(scenario))
        print(f"  {name:<10}{1000 * took:8.1f} ms")
    print("Exact results of six levels, 36 patients in cohorts of three")
    for name in ("3+3", "BOIN", "CRM"):
        scenario = six.replace({"rule": RULES[name] if name != "CRM" else {**RULES[name], "prior_mtd_level": 4}})
        found = esc.exact(scenario)
        print(
            f"  {name:<10}{seconds(lambda scenario=scenario: esc.exact(scenario)):8.2f} s, {found.states:,} data cuts"
        )
    after(six)
    print("Decision tables of six levels, 36 patients in cohorts of three")
    for name, rule in TABLES.items():
        scenario = six.replace({"rule": rule})
        print(f"  {name:<12}{seconds(lambda scenario=scenario: esc.decision_table(scenario)):8.2f} s")
    million = batch(2, 1_000_000)
    limit = seconds(lambda: [part.copy() for part in (million.level, million.evaluable, million.dlts)])
    print(f"A million data cuts of two levels (copying them: {limit:.3f} s)")
    for name in ("3+3", "BOIN", "CRM"):
        scenario = base.replace({"rule": RULES[name]})
        for words, rule in (("", rule_for(scenario)), (", as the protocol applies it", ProtocolRule(scenario))):
            took = seconds(lambda rule=rule: rule.decide(million))
            print(f"  {name + words:<40}{took:8.3f} s  {took / limit:6.1f} x copying")


if __name__ == "__main__":
    main()
