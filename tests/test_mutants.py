"""Mutants of every kind of file that people give: no traceback, nothing absurd accepted, nothing half-written."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutants import JUDGES, Outcome, _bases, _judged, try_mutants


def test_what_is_spoiled_was_valid(tmp_path: Path) -> None:
    bases = _bases()
    (tmp_path / "base.toml").write_text(bases["scenario"][0], encoding="utf-8")
    for kind, texts in bases.items():
        for text in texts:
            assert _judged(kind, text, tmp_path) == "accepted"


def check(count: int, seed: int, folder: Path) -> Outcome:
    outcome = try_mutants(count, seed, folder)
    told = "\n\n".join(f"{kind}\n{what[-1500:]}\n{text[:3000]}" for kind, text, what in outcome.faults[:5])
    assert not outcome.faults, f"{len(outcome.faults)} faults\n{told}"
    return outcome


def test_mutants(tmp_path: Path) -> None:
    counts = check(500, 1, tmp_path).counts
    assert all(counts[kind, what] >= 3 for kind in JUDGES for what in ("accepted", "refused")), counts


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 7))
def test_mutants_long(seed: int, tmp_path: Path) -> None:
    check(2000, seed, tmp_path)
