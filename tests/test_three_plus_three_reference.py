"""The packaged 3+3 rule against a second implementation as plain if and else, over all small counts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from escalate.rules import ThreePlusThreeRule
from escalate.words.data_cut import DataCut
from escalate.words.records import NO_LEVEL, Decision
from reference_three_plus_three import reference_rule

Counts = tuple[tuple[int, ...], tuple[int, ...]]


def all_counts(levels: int, patients: tuple[int, ...]) -> Iterator[Counts]:
    """Yield evaluable patients and DLTs at every level, over all combinations."""
    one_level = [(n, y) for n in patients for y in range(n + 1)]
    for combination in itertools.product(one_level, repeat=levels):
        yield tuple(n for n, _ in combination), tuple(y for _, y in combination)


def assert_agrees(decision: Decision, variant: str, level: int, n: tuple[int, ...], y: tuple[int, ...]) -> None:
    action, next_level, patients, reason = reference_rule(variant, level, n, y)
    expected = (action, NO_LEVEL if next_level is None else next_level, patients)
    got = (decision.action.words, decision.level, decision.patients)
    assert got == expected, f"variant {variant}, level {level}, n {n}, y {y}"
    if action == "stop":
        assert decision.reason == reason, f"variant {variant}, level {level}, n {n}, y {y}"


ONE, TWO, THREE = (1, tuple(range(8))), (2, tuple(range(8))), (3, (0, 3, 4, 6))
"""Levels, and numbers of evaluable patients at each of them."""


@pytest.mark.parametrize("variant", ["A", "B", "C"])
@pytest.mark.parametrize(("levels", "patients"), [ONE, TWO, THREE], ids=["1 level", "2 levels", "3 levels"])
def test_rule_agrees_on_all_counts_in_one_batch(variant: str, levels: int, patients: tuple[int, ...]) -> None:
    rule = ThreePlusThreeRule(variant)
    counts = list(all_counts(levels, patients))
    cuts = [(level, n, y) for level in range(levels) for n, y in counts]
    batch = rule.decide(DataCut.of([cut[0] for cut in cuts], [cut[1] for cut in cuts], [cut[2] for cut in cuts]))
    for position, (level, n, y) in enumerate(cuts):
        assert_agrees(batch.one(position), variant, level, n, y)


@pytest.mark.parametrize("variant", ["A", "B", "C"])
@pytest.mark.parametrize(
    ("levels", "patients"),
    [ONE, TWO, pytest.param(*THREE, marks=pytest.mark.long)],
    ids=["1 level", "2 levels", "3 levels"],
)
def test_rule_agrees_on_all_counts_one_by_one(variant: str, levels: int, patients: tuple[int, ...]) -> None:
    rule = ThreePlusThreeRule(variant)
    for level in range(levels):
        for n, y in all_counts(levels, patients):
            assert_agrees(rule.decide(DataCut.of(level, n, y)).one(), variant, level, n, y)


@pytest.mark.parametrize(
    ("variant", "level", "n", "y", "expected"),
    [
        ("C", 0, (3, 0), (0, 0), ("escalate", 1, 3)),
        ("C", 0, (3, 0), (1, 0), ("stay", 0, 3)),
        ("C", 0, (6, 0), (1, 0), ("escalate", 1, 3)),
        ("C", 0, (6, 0), (2, 0), ("stop", None, 0)),
        ("A", 1, (3, 3), (0, 2), ("stop", 0, 0)),
        ("B", 1, (3, 3), (0, 2), ("de-escalate", 0, 3)),
        ("B", 1, (6, 3), (1, 2), ("stop", 0, 0)),
        ("B", 1, (3, 3), (0, 0), ("stop", 1, 0)),
        ("C", 1, (3, 3), (0, 0), ("stay", 1, 3)),
    ],
)
def test_reference_says_what_is_published(
    variant: str,
    level: int,
    n: tuple[int, ...],
    y: tuple[int, ...],
    expected: tuple[str, int | None, int],
) -> None:
    assert reference_rule(variant, level, n, y)[:3] == expected
