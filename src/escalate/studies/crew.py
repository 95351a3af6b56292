"""Every core of this machine, where that pays: how many there are, and who of them does some work.

Threads where the kernel is compiled: it runs without the interpreter's lock, they begin at once, and nothing is copied
between them. Processes otherwise, which take a second or two to begin.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

from ..errors import CallError, WorkersError, needs
from ..kernel import compiled
from ..kernel.engine import is_kept, is_worth_compiling
from ..scenario.model import Scenario
from ..scenario.rules import PythonRule
from ..words.asked import described
from .progress import paced
from .workers import Processes, dask_cluster

MOST_THREADS = 4
"""Threads of one process, at most: a fifth of their time is spent outside the compiled kernel (counting, asking the
committee), where one waits for another, so that more than five would have nothing to do."""

TRIALS_OF_A_THREAD, TRIALS_OF_A_PROCESS = 50_000, 10_000
"""Trials for each thread, and each process, from which on it pays where nobody says how many.

Two threads were as fast as one core with half as many each, and a third faster with so many, since each has memory of
its own and asks the committee anew. Processes run the kernel as it is: five seconds, while one needs two to begin.
"""

ROUNDS, MOVES, FEWEST = 4, 64, 256
"""Parts that each does, so that all have work until the end: at least, and of the kernel as it is, so that a bar moves;
and trials of a part at least."""

TOLD_FROM = 20_000
"""Trials from which on it is said what compiling would bring: ten seconds of the base case."""

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""How much time on its cores Linux gives a container: so much in each period, or ``max``."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Cores of this machine that do some work.

    Parameters
    ----------
    count : int, optional
        How many, at least 1; every one, where it pays, if it is not given.
    starts_processes : bool
        Whether processes may be begun where nobody says how many: a script without ``if __name__ == "__main__":``
        would be run again by each of them.
    tell : callable, optional
        Is told, in a line, what would make long work faster.

    Raises
    ------
    WorkersError
        If there is none.
    CallError
        If it is no number.
    """

    count: int | None = None
    starts_processes: bool = False
    tell: Callable[[str], object] | None = None

    def __post_init__(self) -> None:
        if self.count is not None and (isinstance(self.count, bool) or not isinstance(self.count, int)):
            raise CallError(
                "executor is a concurrent.futures.Executor, or on how many cores the work is done, as in executor=2; "
                f"got {described(self.count)}"
            )
        if self.count is not None and self.count < 1:
            raise WorkersError(f"at least 1 worker is needed, got {self.count}")

    def of_work(self, trials: int, compiles: bool) -> int:
        """Return how many cores so many trials are run on."""
        if self.count is not None:
            return self.count
        if _is_one_of_many() or not (compiles or self.starts_processes):
            return 1
        most, each = (MOST_THREADS, TRIALS_OF_A_THREAD) if compiles else (trials, TRIALS_OF_A_PROCESS)
        return max(1, min(cores(), most, trials // each))


Crew: TypeAlias = "Executor | Cores | int | None"
"""Who does some work: an executor; cores of this machine, or how many; every one, where it pays, if nobody is named."""


def cores() -> int:
    """Return on how many cores this process may run: those that it is bound to, and no more than its quota."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        time, period = QUOTA.read_text(encoding="ascii").split()
        return min(bound, max(1, math.ceil(int(time) / int(period))))
    except (OSError, ValueError):  # another system, or no quota
        return bound


def _is_one_of_many() -> bool:
    """Return whether who asks is a thread or a process among others, who have the other cores."""
    return threading.current_thread() is not threading.main_thread() or multiprocessing.parent_process() is not None


def travels(crew: Crew) -> bool:
    """Return whether somebody else does the work: then a rule in Python, which is in this process alone, is refused."""
    count = crew.count if isinstance(crew, Cores) else crew
    return count is not None and count != 1


def workers(
    count: int | None = None, address: str | None = None, tell: Callable[[str], object] | None = None
) -> AbstractContextManager[Executor | Cores]:
    """Return who does the work of a command, to be entered with ``with``.

    Parameters
    ----------
    count : int, optional
        Cores of this machine, at least 1; every one, where it pays, if nothing is given.
    address : str, optional
        Address of a Dask scheduler, as in ``tcp://10.0.0.5:8786``.
    tell : callable, optional
        As `Cores` takes it.

    Raises
    ------
    WorkersError
        If both are given; when it is entered, if no scheduler answers, or its workers could not do the work.
    """
    if count is not None and address is not None:
        raise WorkersError("give --workers or --dask, not both: workers of a cluster are started where they are")
    if address is not None:
        return dask_cluster(address)
    return nullcontext(Cores(count, starts_processes=True, tell=tell))


@contextmanager
def hired(crew: Crew, scenarios: Iterable[Scenario], trials: int) -> Iterator[Executor | None]:
    """Have somebody do so many trials of some scenarios; nobody but this process where that is best.

    Parameters
    ----------
    crew : Executor, Cores, int or None
        As it was asked for. A rule in Python stays in this process where nobody is named.
    scenarios : iterable of Scenario
        All that are run.
    trials : int
        Trials of all of them together.
    """
    if isinstance(crew, Executor):
        yield crew
        return
    asked, every = crew if isinstance(crew, Cores) else Cores(crew), list(scenarios)
    if asked.tell is not None and trials >= TOLD_FROM and not compiled.is_available():
        asked.tell(_what_compiling_brings(trials))
    compiles, has_python = is_worth_compiling(every, trials), any(isinstance(one.rule, PythonRule) for one in every)
    count = 1 if has_python and not travels(asked) else asked.of_work(trials, compiles)
    team: AbstractContextManager[Executor | None] = nullcontext()
    if count > 1:
        in_threads = compiles and count <= MOST_THREADS
        team = Threads(count, begins_alone=not is_kept(every)) if in_threads else Processes(count)
    with team as executor:
        yield executor


def _what_compiling_brings(trials: int) -> str:
    how = needs("compiling", "numba", "fast")
    if compiled.is_installed() and compiled.why_unusable():
        how = f"numba is installed and cannot be imported: {compiled.why_unusable():.200}"
    return f"{trials:,} trials would run ten to a hundred times as fast compiled (once, that takes a minute); {how}"


class Threads(ThreadPoolExecutor):
    """Threads of this process, for the compiled kernel.

    Parameters
    ----------
    count : int
        How many, at least 1.
    begins_alone : bool
        Whether this thread does the first part before the others begin: the kernel is compiled meanwhile, which can be
        interrupted here alone.
    """

    def __init__(self, count: int, begins_alone: bool = False) -> None:
        super().__init__(count, thread_name_prefix="escalate")
        self.count, self.at_once, self.begins_alone = count, 3 * count, begins_alone

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown(cancel_futures=kind is not None)  # nobody waits for what was not begun


def part_size(trials: int, executor: Executor | None, compiles: bool, most: int) -> int:
    """Return of how many trials parts should be, so that all have work until the end; this changes no result.

    Parameters
    ----------
    trials : int
        How many there are.
    executor : Executor, optional
        Who runs them; as many as there may be where it is none of ours.
    compiles : bool
        Whether the kernel is compiled: small parts cost it time, and it needs no more of them for a bar that moves.
    most : int
        Trials of a part.
    """
    if not isinstance(executor, Threads | Processes):
        return most
    if not compiles:
        return min(most, max(FEWEST, trials // (MOVES * executor.count)))
    rounds = max(ROUNDS, -(-trials // (most * executor.count)))
    return min(most, max(FEWEST, -(-trials // (rounds * executor.count))))


def pieces(trials: int, executor: Executor | None, compiles: bool, most: int) -> Iterator[tuple[int, int]]:
    """Divide trials into parts that are put together as they come; yield how many were before, and how many are next.

    At a pace where no cores of this machine were hired. Parameters as `part_size` takes them.
    """
    if not isinstance(executor, Threads | Processes):
        yield from paced(trials, most)
        return
    size = part_size(trials, executor, compiles, most)
    for done in range(0, trials, size):
        yield done, min(size, trials - done)
