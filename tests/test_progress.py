"""A bar that a person sees, that moves however slow the trials are, and an interruption that says what is lost."""

from __future__ import annotations

import contextlib
import io
import sys
from typing import Any

import numpy as np
import pytest

import escalate
from escalate.studies import progress as module
from escalate.studies.progress import BEAT, FEWEST, paced, progress
from small import small


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def watched(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Return the terminal that a person watches from now on."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    return screen


class Clock:
    """Time that passes when trials are run: so many a second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(module.time, "perf_counter", lambda: self.now)


@pytest.mark.parametrize("a_second", [40, 500, 7_400, 320_000, 10**9])
def test_pieces_take_a_beat_however_slow_the_trials_are(a_second: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """All trials once, in order; after the first piece each takes half a second at most, if `FEWEST` trials do."""
    clock, total, taken, next_one = Clock(monkeypatch), 60_000, [], 0
    for done, count in paced(total, 8192):
        assert done == next_one and 1 <= count <= 8192
        clock.now += count / a_second
        taken.append((count, count / a_second))
        next_one += count
    assert next_one == total
    longest = max(0.5, FEWEST / a_second)
    assert all(seconds <= longest for _, seconds in taken[1:])
    if a_second == 7_400:  # as many as fit into a beat, so that nothing is slower for it
        assert all(count > 0.9 * BEAT * a_second for count, _ in taken[1:-1])
    if a_second >= 320_000:
        assert [count for count, _ in taken[2:-1]] == [8192] * len(taken[2:-1])


def test_where_nobody_watches_as_many_are_run_at_once_as_may_be() -> None:
    assert [count for _, count in paced(20_000, 8192, is_watched=False)] == [8192, 8192, 3616]
    with progress(10, "trials", False) as bar:
        assert not bar.is_watched


@pytest.mark.parametrize(("show", "seen"), [(None, True), (True, True), (False, False)])
def test_a_bar_is_seen_where_a_person_watches(show: bool | None, seen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    monkeypatch.setattr(module, "SILENT", 0.0)
    monkeypatch.setattr(module, "LEAST_BETWEEN", 0.0)
    with progress(100, "trials", show) as bar:
        bar.update(50)
    shown = terminal.getvalue()
    assert ("simulating:  50%" in shown and "trials/s" in shown) == seen
    assert bool(shown) == seen


def test_short_work_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    escalate.simulate(small(), trials=300)
    assert terminal.getvalue() == ""


def test_nobody_watches_a_file(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENT", 0.0)
    with progress(100, "trials", True) as bar:
        bar.update(50)
    assert capsys.readouterr().err == ""


def interrupting(after: int) -> Any:
    """Return what a kernel does until somebody interrupts it."""
    from escalate.studies import chunks

    run, calls = chunks._run_at_once, iter(range(1000))

    def interrupted(*arguments: Any) -> Any:
        if next(calls) == after:
            raise KeyboardInterrupt
        return run(*arguments)

    return interrupted


@pytest.mark.parametrize("what", ["simulate", "compare"])
def test_an_interruption_says_what_is_lost(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    watched(monkeypatch)
    monkeypatch.setattr("escalate.studies.chunks._run_at_once", interrupting(2))
    monkeypatch.setattr(module, "FIRST", 4)
    monkeypatch.setattr(module, "FEWEST", 4)
    monkeypatch.setattr(module, "BEAT", 0.0)
    said = r"interrupted after 8 of 100 trials; nothing of it is kept"
    with contextlib.ExitStack() as stack:
        if what == "simulate":
            stack.enter_context(pytest.raises(KeyboardInterrupt, match=said))
            escalate.simulate(small(), trials=100)
        else:
            stack.enter_context(pytest.raises(KeyboardInterrupt, match=said))
            escalate.compare(small(), ["3+3"], trials=100)


def test_the_pace_changes_no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = small(accrual={"kind": "poisson", "consents_per_month": 6.0}, toxicity__dlt_probability=[0.2, 0.3])
    plain = escalate.simulate(scenario, trials=300).columns()
    watched(monkeypatch)
    monkeypatch.setattr(module, "FIRST", 7)
    monkeypatch.setattr(module, "BEAT", 0.0)
    paced_ones = escalate.simulate(scenario, trials=300).columns()
    assert all(np.array_equal(plain[name], paced_ones[name], equal_nan=plain[name].dtype.kind == "f") for name in plain)
