"""Distinct rows: each once, and every row found again; also where the hash fails."""

from __future__ import annotations

import numpy as np
import pytest

from escalate.words.distinct import distinct


@pytest.mark.parametrize("kind", [np.int64, np.float64])
@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (500, 1), (2000, 4), (50, 0), (30, 1200)])
def test_rows(kind: type, shape: tuple[int, int]) -> None:
    rows = np.random.default_rng(3).integers(0, 3, shape).astype(kind)
    found, position = distinct(rows)
    assert np.array_equal(found[position], rows) or rows.size == 0
    assert len(found) == len(np.unique(rows, axis=0))


def test_negative_zero_is_zero() -> None:
    found, position = distinct(np.array([[0.0, 1.0], [-0.0, 1.0]]))
    assert len(found) == 1
    assert position.tolist() == [0, 0]


def test_rows_with_the_same_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("escalate.words.distinct._MULTIPLIERS", np.zeros(1024, dtype=np.int64))
    rows = np.array([[1, 2], [3, 4], [1, 2]])
    found, position = distinct(rows)
    assert np.array_equal(found[position], rows)
    assert len(found) == 2


def test_the_order_is_always_the_same() -> None:
    rows = np.random.default_rng(4).integers(0, 9, (300, 3))
    first, again = distinct(rows), distinct(rows.copy())
    assert np.array_equal(first[0], again[0])
