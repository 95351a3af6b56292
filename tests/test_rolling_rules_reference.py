"""Rolling six and TITE-BOIN against a second implementation, written from the published tables and formulas alone."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import reference_rolling_rules as reference
from escalate.rules import make_rule
from escalate.scenario.rules import RollingSix, TableRule, TiteBoin
from escalate.words.data_cut import DataCut
from escalate.words.records import NO_LEVEL
from reference_interval_rules import boin_mtd
from rolling_grids import a_grid, rolling_six_as_a_table

TITE = {
    "imputation": ({}, {}),
    "effective sample size": (
        {"method": "effective_sample_size", "min_completed": 2, "most_pending_share": 1.0},
        {"method": "ess", "min_completed": 2, "max_pending_ratio": 1.0},
    ),
    "fewer pending": (
        {"most_pending_share": 0.25, "min_completed": 3},
        {"max_pending_ratio": 0.25, "min_completed": 3},
    ),
}


def answer(decided: Any, index: int) -> tuple[str, int | None]:
    decision = decided.one(index)
    return decision.action.words, None if decision.level == NO_LEVEL else decision.level


@pytest.mark.parametrize("six_at_mtd", [True, False])
@pytest.mark.parametrize("table", ["published", "package"])
def test_rolling_six(table: Any, six_at_mtd: bool) -> None:
    """Every state of two levels with at most six enrolled at each, and at most three DLTs."""
    cells = [(n, y, c) for n in range(7) for y in range(min(n, 3) + 1) for c in range(7 - n)]
    grid = [(level, a, b) for a, b in itertools.product(cells, cells) for level in (0, 1)]
    rule = make_rule(RollingSix(name="rolling six", table=table, six_at_mtd=six_at_mtd))
    columns = [np.array([[a[k], b[k]] for _, a, b in grid]) for k in range(3)]
    decided = rule.decide(DataCut.of([level for level, _, _ in grid], *columns))
    for index, (level, a, b) in enumerate(grid):
        counts = ([part[k] for part in (a, b)] for k in range(3))
        expected = reference.rolling_six(level, *counts, table, six_at_mtd)
        assert answer(decided, index) == expected, (level, a, b)


@pytest.mark.parametrize("seed", range(12))
def test_a_table_with_patients_pending(seed: int) -> None:
    """Random tables, and random states of up to four levels, with what was eliminated before."""
    generator, size = np.random.default_rng(seed), 1500
    most, levels, plain = int(generator.integers(3, 7)), 1 + seed % 4, seed % 3 == 2
    decisions = a_grid(generator, most, plain=plain)
    lines = reference.read_lines(decisions)
    rule = make_rule(TableRule(name="table", target=0.25, decisions=decisions))
    treated = generator.integers(0, most + 1, (size, levels))
    c = (generator.random((size, levels)) * (treated + 1)).astype(np.int64)
    y = (generator.random((size, levels)) ** 3 * (treated - c + 1)).astype(np.int64)
    level, still_open = generator.integers(0, levels, size), generator.integers(1, levels + 1, size)
    decided = rule.decide(DataCut.of(level, treated - c, y, c, open_levels=still_open))
    said = set()
    for index in range(size):
        parts = (part[index].tolist() for part in (treated - c, y, c))
        expected = reference.rolling_table(int(level[index]), *parts, lines, int(still_open[index]))[:3]
        found = (*answer(decided, index), int(decided.open_levels[index]))
        assert found == expected, (level[index], treated[index], y[index], c[index], still_open[index])
        said.add(expected[0])
    assert len(said) >= 3, "the states must lead to different decisions"


@pytest.mark.parametrize("seed", range(3))
def test_what_a_table_with_patients_pending_recommends(seed: int) -> None:
    """The level that it says R of; else with a target the closest among those that are open, and without none."""
    generator, size, levels = np.random.default_rng(seed), 600, 3
    decisions = a_grid(generator, 5)
    n = generator.integers(0, 6, (size, levels))
    y = (generator.random((size, levels)) ** 2 * (n + 1)).astype(np.int64)
    cut = DataCut.of(generator.integers(0, levels, size), n, y)
    decided = make_rule(TableRule(name="table", decisions=decisions)).decide(cut)
    alone = make_rule(TableRule(name="table", decisions=decisions)).recommend(cut)
    aiming = make_rule(TableRule(name="table", target=0.3, decisions=decisions)).recommend(cut)
    for index in range(size):
        action, level = answer(decided, index)
        left = int(decided.open_levels[index])
        declared = NO_LEVEL if level is None else level
        closest = boin_mtd(n[index, :left].tolist(), y[index, :left].tolist(), 0.3, cutoff=1.0) if left else NO_LEVEL
        assert alone[index] == (declared if action == "stop" else NO_LEVEL)
        assert aiming[index] == (declared if action == "stop" else closest)


@pytest.mark.parametrize("table", ["published", "package"])
def test_rolling_six_is_such_a_table(table: Any) -> None:
    """Every state of two levels that a trial can come to: the same decision as the rule that has the name.

    It comes back from the upper level after two DLTs there, and for good.
    """
    cells = [(n, y, c) for n in range(7) for y in range(min(n, 3) + 1) for c in range(7 - n)]
    states = [(level, a, b) for a, b in itertools.product(cells, cells) for level in (0, 1)]
    grid = [(level, a, b) for level, a, b in states if level or b[1] >= 2 or b == (0, 0, 0)]
    cut = DataCut.of([g[0] for g in grid], *([[a[k], b[k]] for _, a, b in grid] for k in range(3)))
    named = make_rule(RollingSix(name="rolling six", table=table)).decide(cut)
    written = make_rule(TableRule(name="table", decisions=rolling_six_as_a_table(table))).decide(cut)
    assert named.action.tolist() == written.action.tolist()
    assert named.level.tolist() == written.level.tolist()


@pytest.mark.parametrize("target", [0.2, 0.25, 0.3])
@pytest.mark.parametrize("name", TITE)
def test_tite_boin(name: str, target: float) -> None:
    """Random states of three levels with up to twelve treated at each, some of them pending."""
    ours, theirs = TITE[name]
    generator, size = np.random.default_rng(5), 4000
    treated = generator.integers(0, 13, (size, 3))
    y = np.minimum((generator.random((size, 3)) * 6 * generator.random((size, 1))).astype(np.int64), treated)
    c = (generator.random((size, 3)) * (treated - y + 1)).astype(np.int64)
    seen, level = generator.random((size, 3)) * c, generator.integers(0, 3, size)
    rule = make_rule(TiteBoin(name="TITE-BOIN", target=target, **ours))
    decided = rule.decide(DataCut.of(level, treated - c, y, c, seen))
    for index in range(size):
        parts = (part[index].tolist() for part in (treated - c, y, c, seen))
        expected = reference.tite_boin(int(level[index]), *parts, target=target, **theirs)
        assert answer(decided, index) == expected, (level[index], treated[index], y[index], c[index], seen[index])


def test_with_nobody_pending_tite_boin_is_boin() -> None:
    from escalate.scenario.rules import Boin

    generator = np.random.default_rng(8)
    n = generator.integers(0, 13, (5000, 3))
    y = (generator.random((5000, 3)) * (n + 1) * generator.random((5000, 1))).astype(np.int64)
    cut = DataCut.of(generator.integers(0, 3, 5000), n, y)
    for more in ({}, {"extrasafe": True, "stay_on_1_of_3": True, "p_tox": 0.45}):
        tite = make_rule(TiteBoin(name="TITE-BOIN", target=0.3, **more)).decide(cut)
        boin = make_rule(Boin(name="BOIN", target=0.3, **more)).decide(cut)
        assert tite.level.tolist() == boin.level.tolist()
        assert tite.action.tolist() == boin.action.tolist()
