"""Every core by default, where it pays: who is hired, and the same results whoever it is."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import pytest

import escalate as esc
from escalate import Scenario, rule, simulate
from escalate.cli import main
from escalate.errors import CallError, RuleError, TaskError, WorkersError
from escalate.kernel import compiled
from escalate.studies import chunks, crew, sweeps
from escalate.studies.crew import MOST_THREADS, Cores, Threads, cores, part_size
from escalate.studies.study import make_study
from escalate.studies.workers import Processes, completed
from test_workers import fail, refuse, same

needs_numba = pytest.mark.skipif(not compiled.is_available(), reason="needs the extra `fast`")
BASE = str(Path(__file__).parents[1] / "scenarios" / "nct06337474.toml")


@pytest.fixture
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of eight cores."""
    monkeypatch.setattr(crew, "cores", lambda: 8)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The kernel is compiled however few trials there are, and threads pay from 100 on; names of who ran chunks."""
    names = set[str]()

    def run(engine: Any, nature: Any, run: Callable[..., Any] = chunks._run_at_once) -> Any:
        names.add(threading.current_thread().name)
        return run(engine, nature)

    monkeypatch.setattr(chunks, "_run_at_once", run)
    monkeypatch.setattr(compiled, "is_worth", lambda *_: True)
    monkeypatch.setattr(crew, "TRIALS_OF_A_THREAD", 100)
    monkeypatch.setattr(crew, "FEWEST", 50)
    monkeypatch.setattr(crew, "cores", lambda: 3)
    return names


@pytest.mark.parametrize(
    ("trials", "compiles", "who", "count"),
    [
        (99_999, True, Cores(), 1),
        (100_000, True, Cores(), 2),
        (10_000_000, True, Cores(), MOST_THREADS),
        (10_000_000, False, Cores(), 1),
        (10_000_000, False, Cores(starts_processes=True), 8),
        (19_999, False, Cores(starts_processes=True), 1),
        (30_000, False, Cores(starts_processes=True), 3),
        (1, False, Cores(20), 20),
        (10_000_000, True, Cores(1), 1),
    ],
)
def test_as_many_cores_as_pay(eight: None, trials: int, compiles: bool, who: Cores, count: int) -> None:
    assert who.of_work(trials, compiles) == count


def default_cores(_: int) -> int:
    return Cores(starts_processes=True).of_work(10**9, True)


def test_who_is_one_of_many_hires_nobody(eight: None) -> None:
    """A sweep that is called within a worker does not start cores times cores."""
    assert default_cores(0) > 1
    with Threads(2) as two:
        assert list(completed(default_cores, [("part", 0)], two)) == [("part", 1)]
    with Processes(1) as one:
        assert list(completed(default_cores, [("part", 0)], one)) == [("part", 1)]


@pytest.mark.parametrize(
    ("quota", "count"), [("150000 100000", 2), ("20000 100000", 1), ("max 100000", 3), ("900000 100000", 3), (None, 3)]
)
def test_no_more_cores_than_the_process_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str | None, count: int
) -> None:
    monkeypatch.setattr(crew.os, "sched_getaffinity", lambda _: {1, 5, 6}, raising=False)
    monkeypatch.setattr(crew, "QUOTA", tmp_path / "cpu.max")
    if quota is not None:
        crew.QUOTA.write_text(quota)
    assert cores() == count


def test_threads_where_the_kernel_is_compiled_and_processes_otherwise(
    base: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def team(count: int | None, compiles: bool, **more: Any) -> Executor | None:
        monkeypatch.setattr(crew, "is_worth_compiling", lambda *_: compiles)
        monkeypatch.setattr(crew, "is_kept", lambda _: True)
        with crew.hired(Cores(count, **more), [base], 200_000) as found:
            return found

    monkeypatch.setattr(crew, "cores", lambda: 2)
    for compiles, kind in ((True, Threads), (False, Processes)):
        for found in (team(None, compiles, starts_processes=True), team(3, compiles)):
            assert type(found) is kind
        assert team(1, compiles) is None
    assert team(None, False) is None
    assert type(team(MOST_THREADS + 1, True)) is Processes


@pytest.mark.parametrize("compiles", [True, False])
def test_all_have_work_until_the_end(compiles: bool) -> None:
    for count in (2, 3, 4):
        with Threads(count) as team:
            for trials in (100_000, 300_001, 3_000_000):
                parts = -(-trials // (size := part_size(trials, team, compiles, 8192)))
                assert 256 <= size <= 8192 and parts >= crew.ROUNDS * count
                if compiles:
                    assert parts % count == 0 and size > 3000
            assert part_size(10, team, compiles, 7) == 7
    assert part_size(10**6, None, compiles, 8192) == 8192


@needs_numba
def test_the_compiled_kernel_runs_without_the_lock() -> None:
    for is_plain in (True, False):
        steps = compiled.steps(is_plain)
        assert all(getattr(steps, name).targetoptions["nogil"] for name in compiled.FROM_OUTSIDE)


@needs_numba
def test_threads_change_no_byte(threads: set[str], tmp_path: Path) -> None:
    """Trials, a comparison, scenarios beside each other, a sweep, ranges: by one core, by threads, by default."""
    scenario = esc.load(BASE)
    ranged = scenario.replace({"ranges": {"follow_up.days": [90, 200]}})
    study = make_study(scenario, {"follow_up.days": [30, 60]}, trials=200)
    slow = {"slow": {"accrual.consents_per_month": 0.5}}

    def swept(who: int | None) -> list[str]:
        out = tmp_path / str(who)
        sweeps.sweep(study, out, executor=who, chunk=60)
        return [f"{file.relative_to(out)}: {file.read_bytes()!r}" for file in sorted(out.rglob("*")) if file.is_file()]

    def found(who: int | None) -> list[str]:
        alone = simulate(scenario, trials=400, first=5, executor=who)
        assert same(alone, simulate(scenario, trials=400, first=5, executor=1))
        return [
            esc.compare(scenario, ["3+3", "BOIN"], target=0.25, trials=310, executor=who).table.to_csv(),
            esc.compare(scenario, variants=slow, trials=310, executor=who).table.to_csv(),
            sweeps.sweep(study, executor=who, chunk=60).table.to_csv(),
            *swept(who),
            esc.sensitivity(ranged, trials=200, executor=who).table.to_csv(),
        ]  # fmt: skip

    alone = found(1)
    assert threads == {"MainThread"}
    for who in (2, None):
        threads.clear()
        assert found(who) == alone
        assert {name.rpartition("_")[0] for name in threads} >= {"escalate"}


@needs_numba
def test_a_rule_in_python_stays_where_it_is(base: Scenario, threads: set[str]) -> None:
    @rule(target=0.25)
    def stays(known: Any) -> str:
        return "stay"

    own = base.replace({"rule": {"python": "stays"}})
    assert same(simulate(own, trials=300), simulate(own, trials=300, executor=1))
    assert threads == {"MainThread"}
    with pytest.raises(WorkersError, match="'stays': the code of a rule of your own is in this process alone"):
        simulate(own, trials=300, executor=2)


def who_calls(_: int) -> str:
    return threading.current_thread().name


def test_what_is_compiled_first_is_compiled_where_it_can_be_interrupted() -> None:
    parts = [(number, number) for number in range(6)]
    with Threads(2, begins_alone=True) as team:
        found = dict(completed(who_calls, parts, team))
    assert found.pop(0) == "MainThread"
    assert len(found) == 5 and all(name.startswith("escalate_") for name in found.values())


def test_errors_in_threads_name_the_part() -> None:
    with Threads(2) as team:
        with pytest.raises(TaskError, match="point 3: ZeroDivisionError: of three"):
            list(completed(fail, [("point 3", 3)], team))
        with pytest.raises(RuleError, match="point 1: cannot decide"):
            list(completed(refuse, [("point 1", 1)], team))


def test_who_is_interrupted_waits_for_nothing_that_was_not_begun() -> None:
    begun, goes_on, done = threading.Event(), threading.Event(), list[int]()

    def work(number: int) -> None:
        begun.set()
        goes_on.wait(10)
        done.append(number)

    with pytest.raises(KeyboardInterrupt), Threads(1) as team:
        for number in range(20):
            team.submit(work, number)
        begun.wait(10)
        threading.Timer(0.05, goes_on.set).start()
        raise KeyboardInterrupt
    assert done == [0]


def test_how_many_cores_is_a_number(base: Scenario) -> None:
    for wrong in ("2", True, 1.5):
        with pytest.raises(CallError, match=r"on how many cores the work is done, as in executor=2; got"):
            simulate(base, trials=2, executor=wrong)  # type: ignore[arg-type]
    with pytest.raises(WorkersError, match="at least 1 worker is needed, got 0"):
        simulate(base, trials=2, executor=0)


STUDY = f'scenario = {BASE!r}\ntrials = 10\n\n[grid]\n"follow_up.days" = [30, 60]\n'
VERBS = {
    "run": ["run", BASE, "--trials", "30", "--no-files"],
    "compare": ["compare", BASE, "--rule", "3+3", "--rule", "BOIN target=0.25", "--trials", "15", "--no-files"],
    "variants": ["compare", BASE, "--variant", "short: follow_up.days=30", "--trials", "15", "--no-files"],
    "sensitivity": ["sensitivity", BASE, "--trials", "5", "--no-files"],
    "sweep": ["sweep", "study.toml", "--out", "swept"],
    "shard": ["run", BASE, "--trials", "30", "--out", "shards", "--shard", "1/1"],
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_long_run_says_once_what_compiling_brings(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("study.toml").write_text(STUDY)
    monkeypatch.setattr(compiled, "is_available", lambda: False)
    monkeypatch.setattr(crew, "TOLD_FROM", 20)
    assert main(VERBS[verb]) == 0
    told = capsys.readouterr()
    assert told.err.count("times as fast compiled") == 1
    assert len(told.err.splitlines()) == 1 and "'.[fast]'" in told.err
    assert "compil" not in told.out


def test_without_a_numba_that_can_be_imported_a_run_goes_on_and_says_why(tmp_path: Path) -> None:
    """As where numpy is newer than numba knows: numba then raises as it is imported."""
    package = tmp_path / "numba"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('Numba needs NumPy 1.0 or less')\n")
    code = (
        "import sys; from escalate.cli import main; from escalate.kernel import compiled; "
        "from escalate.studies import crew; crew.TOLD_FROM = compiled.WORTH_LOADING = 20; "
        f"sys.exit(main(['run', {BASE!r}, '--trials', '30', '--no-files']))"
    )
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("numba is installed and cannot be imported: Numba needs NumPy 1.0 or less") == 1


@pytest.mark.parametrize(("trials", "has_numba"), [(20, True), (19, False)])
def test_who_needs_it_not_is_told_nothing(
    trials: int, has_numba: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compiled, "is_available", lambda: has_numba)
    monkeypatch.setattr(crew, "TOLD_FROM", 20)
    assert main(["run", BASE, "--trials", str(trials), "--no-files"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("more", [["--workers", "1"], ["--out", "out", "--shard", "1/2"]])
def test_one_core_is_this_process(
    more: list[str], eight: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of who asks for one, and of a task of a job array, which has one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(crew, "TRIALS_OF_A_PROCESS", 5)
    for kind in ("Threads", "Processes"):
        monkeypatch.setattr(crew, kind, None)
    words = ["run", BASE, "--trials", "30", *more]
    assert main([*words, *([] if "--out" in more else ["--no-files"])]) == 0
