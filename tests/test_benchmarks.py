"""The benchmark of the engines runs, and its table says what it measured; how fast anything is, no test says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from conftest import ROOT

SCRIPT = ROOT / "tests" / "benchmarks" / "bench_engines.py"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    import bench_engines

    return bench_engines


def test_it_runs_against_a_source_folder() -> None:
    words = ["--against-source", str(ROOT / "src"), "--rounds", "1", "--trials", "16"]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *words, "base case, 3+3, not", "SimPy"], capture_output=True, text=True
    )
    assert done.returncode == 0 and "not the same" not in done.stderr, done.stderr
    machine, versions, _, _, _, heads, *rows = done.stdout.splitlines()
    assert f"{os.cpu_count()} cores" in machine and "; the other: " in versions
    assert heads.split("  ")[0] == "work" and "times the code before" in heads
    assert [row.split("  ")[0] for row in rows] == ["base case, 3+3, not compiled", "six levels, 3+3, SimPy"]
    assert [row.count(" to ") for row in rows] == [4, 3]  # the numbers alone are those of the kernel


def test_a_ratio_is_of_one_round(bench: ModuleType) -> None:
    row = bench.Row("work", "", [1.0, 3.0, 1.0], [2.0, 9.0, 4.0], [0.5, 0.5, 0.5], [1.1, 3.3, 1.1])
    asked = SimpleNamespace(places=[1, 2], markdown=False)
    cells = [cell(row) for _, cell in bench.columns(asked)]
    assert cells == [
        "work", "1.00 (0.33 to 1.00)", "0.25 (0.11 to 0.50)", "3.00 (2.00 to 4.00)", "2.00 (2.00 to 6.00)",
        "1.10 (1.10 to 1.10)",
    ]  # fmt: skip
    assert bench.rate([0.001, 0.002, 0.004]) == "500 (250 to 1,000)"
    assert bench.times([], [1.0]) == ""
    assert list(bench.as_markdown([("a", str), ("b", str)], [1])) == ["| a | b |", "|---|---|", "| 1 | 1 |"]


def test_what_is_not_the_same_is_found(bench: ModuleType) -> None:
    one = {"rule": {"name": "BOIN", "new": 1}, "doses": [{"label": "a"}, {"label": "b"}]}
    other = {"rule": {"name": "3+3"}, "doses": [{"label": "a"}, {"label": "c", "old": 0}]}
    assert list(bench.differing(one, one)) == []
    assert [what.split(" ")[0] for what in bench.differing(one, other)] == ["doses[2].label", "rule.name"]
    with pytest.raises(bench.FaultError, match="only the other Python has numba: install"):
        bench.check_alike([{"has_numba": False}, {"has_numba": True}])


def test_another_python_is_not_given_this_source(bench: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str | None] = []
    monkeypatch.setenv("PYTHONPATH", "this/src")
    monkeypatch.setattr(bench.subprocess, "Popen", lambda *_, env, **__: given.append(env.get("PYTHONPATH")))
    bench.Version("python")
    bench.Version("python", "other/src")
    assert given == [None, "other/src"]


def test_who_asks_wrongly_is_told(bench: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*words: str) -> str:
        with pytest.raises(SystemExit) as end:
            bench.main(words)
        assert end.value.code == 2
        return capsys.readouterr().err

    all_at_once = told("--rounds", "0", "--against-source", str(tmp_path), "BOIN", "mTPI")
    for fault in ("no work has 'mTPI' in its name; there are: base", "--rounds must be at least 1, got 0", "no folder"):
        assert fault in all_at_once
    assert "No such file or directory; name a Python" in told("--against", str(tmp_path / "python"), "SimPy")
    (tmp_path / "escalate").mkdir()
    (tmp_path / "escalate" / "__init__.py").touch()
    assert "its escalate cannot be measured: " in told("--against-source", str(tmp_path), "SimPy")
