"""BOIN, mTPI, mTPI-2, Keyboard and i3+3 against a second implementation written from the papers' formulas alone.

`reference_interval_rules` works on one trial's counts with plain loops and finite sums; here both are asked about
every pair of counts that small trials of two levels can reach, and about random counts of four levels.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import reference_interval_rules as reference
from escalate.rules import make_rule
from escalate.scenario.rules import Boin, I3Plus3, Keyboard, Mtpi, Mtpi2
from escalate.words.data_cut import DataCut
from escalate.words.records import Action

Ask = Callable[[int, list[int], list[int]], tuple[str, int]]
TARGETS = (0.20, 0.25, 0.30, 1 / 3)


def pairs(target: float) -> dict[str, tuple[Any, Ask]]:
    """Return each rule as the package has it, and the second implementation with the same options."""
    eps = {"eps1": 0.05, "eps2": 0.05}
    interval = {"target": target, "eliminate_from": 1}
    return {
        "BOIN": (Boin(name="BOIN", target=target), lambda d, n, y: reference.boin(d, n, y, target=target)),
        "BOIN with options": (
            Boin(name="BOIN", target=target, extrasafe=True, stay_on_1_of_3=True, strict_upper_boundary=True),
            lambda d, n, y: reference.boin(
                d, n, y, target=target, extrasafe=True, stay_on_one_of_three=True, strict=True
            ),
        ),
        "mTPI": (Mtpi(name="mTPI", **interval), lambda d, n, y: reference.mtpi(d, n, y, target=target, **eps)),
        "mTPI-2": (Mtpi2(name="mTPI-2", **interval), lambda d, n, y: reference.mtpi2(d, n, y, target=target, **eps)),
        "Keyboard": (
            Keyboard(name="Keyboard", **interval),
            lambda d, n, y: reference.keyboard(d, n, y, target=target, **eps),
        ),
        "i3+3": (
            I3Plus3(name="i3+3", **interval),
            lambda d, n, y: reference.i3plus3(d, n, y, target=target, **eps),
        ),
    }


def compare(options: Any, ask: Ask, level: np.ndarray, n: np.ndarray, y: np.ndarray) -> None:
    decided = make_rule(options).decide(DataCut.of(level, n, y))
    for index in range(len(level)):
        action = Action(int(decided.action[index])).words
        expected = ask(int(level[index]), n[index].tolist(), y[index].tolist())
        assert (action, int(decided.level[index])) == expected, (options.name, level[index], n[index], y[index])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", pairs(0.25))
def test_two_levels(name: str, target: float) -> None:
    counts = [(n, y) for n in (0, 1, 2, 3, 4, 6, 9) for y in range(n + 1)]
    grid = [(level, a, b) for a, b in itertools.product(counts, counts) for level in (0, 1)]
    level = np.array([g[0] for g in grid])
    n = np.array([(a[0], b[0]) for _, a, b in grid])
    y = np.array([(a[1], b[1]) for _, a, b in grid])
    compare(*pairs(target)[name], level, n, y)


@pytest.mark.parametrize("name", pairs(0.25))
def test_four_levels_at_random(name: str) -> None:
    generator = np.random.default_rng(17)
    n = generator.integers(0, 16, (1500, 4))
    y = (generator.random((1500, 4)) * (n + 1) * generator.random((1500, 1))).astype(np.int64)
    compare(*pairs(0.3)[name], generator.integers(0, 4, 1500), n, y)


@pytest.mark.parametrize("bound", [False, True])
def test_recommendations(bound: bool) -> None:
    generator = np.random.default_rng(5)
    n = generator.integers(0, 16, (2000, 4))
    y = (generator.random((2000, 4)) * (n + 1) * generator.random((2000, 1))).astype(np.int64)
    rule = make_rule(Boin(name="BOIN", target=0.3, bound_mtd=bound))
    found = rule.recommend(DataCut.of(np.zeros(2000, dtype=int), n, y))
    for index in range(2000):
        expected = reference.boin_mtd(n[index].tolist(), y[index].tolist(), 0.3, bound_mtd=bound)
        assert int(found[index]) == expected, (n[index], y[index])


SELECTS = {
    "Keyboard": (Keyboard, {}, 0.05),
    "mTPI-2": (Mtpi2, {}, 0.05),
    "i3+3": (I3Plus3, {}, 0.05),
    "mTPI": (Mtpi, {}, 0.005),
    "mTPI with BOIN's prior": (Mtpi, {"selection_prior": 0.05}, 0.05),
    "Keyboard with a uniform prior": (Keyboard, {"selection_prior": 1.0}, 1.0),
}


@pytest.mark.parametrize("name", SELECTS)
def test_recommendations_of_the_others(name: str) -> None:
    """Each with its prior, over random data; another prior would choose another level somewhere."""
    kind, options, prior = SELECTS[name]
    generator = np.random.default_rng(8)
    n = generator.integers(0, 5, (3000, 4)) * 3
    y = np.minimum(generator.binomial(4, [0.1, 0.15, 0.3, 0.4], (3000, 4)), n)
    rule = make_rule(kind(name=name.split(" with")[0], target=0.25, **options))
    found = rule.recommend(DataCut.of(np.zeros(3000, dtype=int), n, y)).tolist()

    def by_formula(prior: float) -> list[int]:
        pairs_of = zip(n.tolist(), y.tolist(), strict=True)
        return [reference.boin_mtd(a, b, 0.25, prior=prior) for a, b in pairs_of]

    assert found == by_formula(prior)
    assert found != by_formula(0.005 if prior == 0.05 else 0.05)


def test_one_of_six_at_both_levels() -> None:
    """1/6 twice: smoothed with 0.05 both rates are 0.172, above the target, and the lower level is right."""
    cut = DataCut.of(1, [6, 6], [1, 1])
    found = {}
    for kind, name in ((Keyboard, "Keyboard"), (Mtpi2, "mTPI-2"), (I3Plus3, "i3+3")):
        found[name] = int(make_rule(kind(name=name, target=0.17)).recommend(cut))
    assert found == {"Keyboard": 0, "mTPI-2": 0, "i3+3": 0}
    assert int(make_rule(Mtpi(name="mTPI", target=0.17)).recommend(cut)) == 1


def test_a_rate_equal_to_the_upper_boundary() -> None:
    """With target 0.4 and p_tox 0.6 the boundary is one half: 1 of 2 falls by the paper, stays by the R package."""
    cut = DataCut.of(1, [3, 2], [0, 1])
    paper = make_rule(Boin(name="BOIN", target=0.4, p_tox=0.6)).decide(cut).one()
    package = make_rule(Boin(name="BOIN", target=0.4, p_tox=0.6, strict_upper_boundary=True)).decide(cut).one()
    assert (paper.action, package.action) == (Action.DE_ESCALATE, Action.STAY)


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        (Boin, {"name": "BOIN", "target": 0.25, "p_saf": 0.3}, "p_saf < target < p_tox < 1"),
        (Boin, {"name": "BOIN", "target": 0.8}, "p_saf < target < p_tox < 1"),
        (Boin, {"name": "BOIN", "target": 1.0}, "at most 0.9"),
        (Mtpi, {"name": "mTPI", "target": 0.03}, r"must lie inside \(0, 1\)"),
        (Keyboard, {"name": "Keyboard", "target": 0.25, "epsilon1": 0.1, "epsilon2": 0.1}, "could never escalate"),
    ],
)
def test_options_that_cannot_be(kind: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        kind(**options)


def test_a_batch_decides_as_one_by_one() -> None:
    """One call decides a batch of any size, each cut as alone."""
    generator = np.random.default_rng(1)
    n = generator.integers(0, 13, (20_000, 3))
    y = (generator.random((20_000, 3)) * (n + 1)).astype(np.int64)
    level = generator.integers(0, 3, 20_000)
    rule = make_rule(Boin(name="BOIN", target=0.25))
    batch = rule.decide(DataCut.of(level, n, y))
    for index in range(0, 20_000, 97):
        assert batch.one(index) == rule.decide(DataCut.of(int(level[index]), n[index], y[index])).one()
