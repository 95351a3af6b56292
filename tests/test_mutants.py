"""Mutants of every kind of file that people give: no traceback, nothing absurd accepted, nothing half-written."""

from __future__ import annotations

from pathlib import Path

import pytest

import mutants_in_verbs
from mutants import JUDGES, Outcome, _bases, _judged, try_mutants


def test_what_is_spoiled_was_valid(tmp_path: Path) -> None:
    bases = _bases()
    (tmp_path / "base.toml").write_text(bases["scenario"][0], encoding="utf-8")
    for kind in JUDGES:
        for text in bases[kind]:
            assert _judged(kind, text, tmp_path) == "accepted"


def test_what_verbs_are_given_was_valid(tmp_path: Path) -> None:
    bases = _bases()
    for name, (kind, _) in mutants_in_verbs.VERBS.items():
        assert mutants_in_verbs.judge(name, bases[kind][0], tmp_path) == "accepted", name


def check(count: int, seed: int, folder: Path, **shares: int) -> Outcome:
    outcome = try_mutants(count, seed, folder, **shares)
    told = "\n\n".join(f"{kind}\n{what[-1500:]}\n{text[:3000]}" for kind, text, what in outcome.faults[:5])
    assert not outcome.faults, f"{len(outcome.faults)} faults\n{told}"
    return outcome


def test_mutants(tmp_path: Path) -> None:
    counts = check(500, 1, tmp_path, verb_every=4).counts
    assert all(counts[kind, what] >= 3 for kind in JUDGES for what in ("accepted", "refused")), counts
    assert all(counts[verb, "refused"] for verb in mutants_in_verbs.VERBS), counts
    assert sum(counts[verb, "accepted"] for verb in mutants_in_verbs.VERBS) >= 25, counts


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 7))
def test_mutants_long(seed: int, tmp_path: Path) -> None:
    check(2000, seed, tmp_path, draw_every=10)
