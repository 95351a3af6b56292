"""Who does the work: the same results from everybody, and what is said when somebody dies or cannot be found."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import escalate
from escalate import Scenario, Trials, rule, simulate
from escalate.errors import RuleError, TaskError, WorkersError
from escalate.studies import crew, workers
from escalate.studies.chunks import _engine
from escalate.studies.workers import ATTEMPTS, Processes, completed


def same(one: Trials, other: Trials) -> bool:
    """Return whether trials are the same, to the last bit."""
    left, right = one.columns(), other.columns()
    return all(left[name].tobytes() == right[name].tobytes() for name in left)


def square(number: int) -> int:
    return number * number


def fail(number: int) -> int:
    if number == 3:
        raise ZeroDivisionError("of three")
    return number


def refuse(number: int) -> int:
    raise RuleError("cannot decide")


def die_once(mark: str) -> str:
    """Kill the process that this is called in, unless somebody has been killed before."""
    if not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def die(_: int) -> int:
    os._exit(1)


class AtOnce(Executor):
    """Begins nothing before it has as much as it wants at one time, and counts what it got."""

    at_once = 3

    def __init__(self) -> None:
        self.submitted, self.waiting = 0, 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.submitted += 1
        self.waiting += 1
        if self.waiting == self.at_once:
            self.waiting -= 1
            future.set_result(fn(*args, **kwargs))
        return future


class LastFirst(Executor):
    """Waits a moment, and then does what was submitted last first."""

    def __init__(self) -> None:
        self.submitted: list[tuple[Future[Any], Any]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        if not self.submitted:
            threading.Timer(0.2, self.work).start()
        self.submitted.append((Future(), lambda: fn(*args, **kwargs)))
        return self.submitted[-1][0]

    def work(self) -> None:
        while self.submitted:
            future, call = self.submitted.pop()
            future.set_result(call())


@pytest.fixture(scope="module")
def two() -> Any:
    """Two worker processes."""
    with Processes(2) as processes:
        yield processes


def threads_of_matrix_products(_: int) -> str | None:
    return os.environ.get("OPENBLAS_NUM_THREADS")


def test_a_worker_process_takes_one_core(two: Processes) -> None:
    assert list(completed(threads_of_matrix_products, [("part", 0)], two)) == [("part", "1")]


def test_every_part_is_done_once(two: Processes) -> None:
    for executor in (None, two):
        found = list(completed(square, ((f"part {n}", n) for n in range(20)), executor))
        assert sorted(found) == sorted((f"part {n}", n * n) for n in range(20))


def test_no_more_than_a_few_parts_wait_at_one_time() -> None:
    executor = AtOnce()
    parts = completed(square, ((n, n) for n in range(10)), executor)
    for taken in range(4):
        assert next(parts) == (taken + 2, (taken + 2) ** 2)
        assert executor.submitted == taken + 3


def test_errors_name_the_part(two: Processes) -> None:
    for executor in (None, two):
        with pytest.raises(TaskError, match="point 3, seed 1, trials 0 to 9: ZeroDivisionError: of three"):
            list(completed(fail, [("point 3, seed 1, trials 0 to 9", 3)], executor))
        with pytest.raises(RuleError, match="point 1: cannot decide"):
            list(completed(refuse, [("point 1", 1)], executor))


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with Processes(2) as executor:
        parts = [(n, str(tmp_path / "killed")) for n in range(6)]
        assert sorted(completed(die_once, parts, executor)) == [(n, "done") for n in range(6)]
    assert (tmp_path / "killed").exists()


def test_a_part_whose_workers_always_die_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("escalate.studies.workers.ATTEMPTS", 2)
    assert ATTEMPTS > 2
    said = r"point 7: its worker died \(killed, out of memory, or begun by a script without `if __name__"
    with Processes(1) as executor, pytest.raises(TaskError, match=said):
        list(completed(die, [("point 7", 7)], executor))


def test_another_copy_of_the_package_is_refused() -> None:
    with pytest.raises(WorkersError, match=r"the worker's copy of escalate, .*, is another one"):
        workers._same_code("0" * 64, square, 3)


def test_trials_are_the_same_from_everybody(base: Scenario, two: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = simulate(base, trials=60, first=7)
    monkeypatch.setattr("escalate.studies.simulation.KERNEL_CHUNK", 13)
    for executor in (None, two, LastFirst()):
        assert same(simulate(base, trials=60, first=7, executor=executor), alone)
    with ThreadPoolExecutor(3) as threads:  # an engine is no two threads'
        assert same(simulate(base, trials=60, first=7, executor=threads), alone)
    assert simulate(base, trials=60, first=7, executor=two).scenario is base


def test_a_rule_of_this_session_does_not_travel(base: Scenario, two: Processes) -> None:
    @rule(target=0.25)
    def stays_here(known: Any) -> str:
        return "stay"

    own = base.replace({"rule": {"python": "stays_here"}})
    with pytest.raises(WorkersError, match="'stays_here': the code of a rule of your own is in this process alone"):
        simulate(own, trials=2, executor=two)


def test_both_kinds_of_workers_are_refused() -> None:
    with pytest.raises(WorkersError, match="give --workers or --dask, not both"):
        crew.workers(2, "tcp://127.0.0.1:8786")
    with pytest.raises(WorkersError, match="at least 1 worker is needed, got 0"):
        crew.workers(0)


def test_dask_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(WorkersError, match="which the extra `dask` installs"),
        crew.workers(address="tcp://127.0.0.1:1"),
    ):
        pass


PARENT = """
import os, sys, time
from escalate.studies.workers import Processes
if __name__ == "__main__":
    with Processes(1) as executor:
        print(executor.submit(os.getpid).result(), flush=True)
        time.sleep(60)
"""


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_nobody_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    with subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert is_alive(worker)
        parent.kill()
    deadline = time.monotonic() + 10
    while is_alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(worker)


def test_all_reasons_are_kept_when_parts_are_joined(base: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("escalate.studies.simulation.KERNEL_CHUNK", 1)
    trials = simulate(base, trials=40)
    assert trials.stop_reasons == tuple(simulate(base, trials=1, first=k).stop_reasons[0] for k in range(40))
    assert np.array_equal(trials.columns()["replicate"], np.arange(40))


def test_a_thread_has_engines_of_its_own(base: Scenario) -> None:
    """They write while they run: two threads with one of them would write over each other's trials."""
    text = base.model_dump_json()
    with ThreadPoolExecutor(1) as thread:
        theirs = thread.submit(_engine, text, False).result()
    assert _engine(text, False) is _engine(text, False) is not theirs


def test_the_fingerprint_is_of_every_file_of_the_package() -> None:
    found, source = hashlib.sha256(), Path(escalate.__file__).parent
    for name in sorted(path.relative_to(source).as_posix() for path in source.rglob("*.py")):
        found.update(name.encode() + b"\0" + (source / name).read_bytes() + b"\0")
    assert workers.code_fingerprint() == found.hexdigest()
