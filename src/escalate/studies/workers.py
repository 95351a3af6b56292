"""Who does the work: this process, others of this machine, or those of a cluster; `crew` chooses where nobody does.

The only interface is `concurrent.futures.Executor`. Work is cut into parts that do not depend on one another, so that
results are the same for any number of workers and any back end; parts come back in any order.
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from ..errors import EscalateError, TaskError, WorkersError, needs

P = ParamSpec("P")
A = TypeVar("A")
K = TypeVar("K")
R = TypeVar("R")

PACKAGE = Path(__file__).parents[1]
"""The folder of all of escalate."""

AT_ONCE = 1000
"""Most parts handed over at one time, so that memory does not grow with the work."""

ATTEMPTS = 5
"""How often a part is begun if its worker dies each time."""

SECONDS = 5
"""How long a scheduler may take to answer [s]."""


def completed(
    function: Callable[[A], R], parts: Iterable[tuple[K, A]], executor: Executor | None = None
) -> Iterator[tuple[K, R]]:
    """Call a function for every part of the work, and yield what it returns, in any order.

    Parameters
    ----------
    function : callable
        Of a module, so that a worker finds it by its name; takes one argument.
    parts : iterable of (name, argument)
        The name stands in errors and beside the result.
    executor : Executor, optional
        Who calls it; this process, one part after another, where it is not given. One that `begins_alone` leaves the
        first part to this process.

    Yields
    ------
    tuple
        The part's name and its result.

    Raises
    ------
    EscalateError
        If the function raises one; the part's name is put in front.
    TaskError
        If it fails in another way, or its workers die again and again.
    """
    if executor is None:
        yield from ((name, _result(name, partial(function, argument))) for name, argument in parts)
        return
    todo, code = iter(parts), code_fingerprint()
    if getattr(executor, "begins_alone", False):
        yield from completed(function, islice(todo, 1))
    most = getattr(executor, "at_once", AT_ONCE)
    begun: dict[Future[R], K] = {}
    try:
        while True:
            for name, argument in islice(todo, most - len(begun)):
                begun[executor.submit(_same_code, code, function, argument)] = name
            if not begun:
                return
            for future in wait(begun, return_when=FIRST_COMPLETED).done:
                name = begun.pop(future)
                yield name, _result(name, future.result)
    finally:
        for future in begun:
            future.cancel()


def _result(name: object, get: Callable[[], R]) -> R:
    try:
        return get()
    except EscalateError as error:
        raise type(error)(f"{name}: {error}") from error
    except BrokenExecutor as error:
        no_guard = 'begun by a script without `if __name__ == "__main__":`'
        raise TaskError(f"{name}: its worker died (killed, out of memory, or {no_guard}?)") from error
    except CancelledError as error:
        raise TaskError(f"{name}: it was cancelled; has the scheduler gone away?") from error
    except Exception as error:
        raise TaskError(f"{name}: {type(error).__name__}: {error}") from error


def _same_code(code: str, function: Callable[[A], R], argument: A) -> R:
    """Call a function in a worker, unless the worker's copy of the package is another one."""
    if code_fingerprint() != code:
        raise WorkersError(
            f"the worker's copy of escalate, {PACKAGE}, is another one than that of who asks; "
            "install the same on every machine"
        )
    return function(argument)


@cache
def code_fingerprint() -> str:
    """Return the SHA-256 of the package's source: other numbers may come from other code."""
    folder, found = PACKAGE, hashlib.sha256()
    for file in sorted(folder.rglob("*.py"), key=lambda path: path.relative_to(folder).as_posix()):
        found.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()


class Processes(Executor):
    """Worker processes of this machine: if one dies, all are replaced, and what they were at is begun again.

    Parameters
    ----------
    count : int
        How many, at least 1. Each begins as a fresh Python (spawn): a script that makes them needs
        ``if __name__ == "__main__":`` around what it does.
    """

    def __init__(self, count: int) -> None:
        if count < 1:
            raise WorkersError(f"at least 1 worker is needed, got {count}")
        self.count, self.at_once = count, 3 * count
        self._new = partial(
            ProcessPoolExecutor, count, mp_context=multiprocessing.get_context("spawn"), initializer=_begin
        )
        self._pool, self._lock, self._closed = self._new(), threading.Lock(), False

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Have a function called by one of the processes."""
        outer: Future[R] = Future()
        self._send(outer, partial(fn, *args, **kwargs), ATTEMPTS)
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes when they have done what was submitted."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures)
        self._closed = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:  # nobody waits for what was begun
            self._closed = True
            for process in list((self._pool._processes or {}).values()):
                process.terminate()
        self.shutdown(cancel_futures=kind is not None)

    def _send(self, outer: Future[R], call: Callable[[], R], attempts: int) -> None:
        with self._lock:
            try:
                inner = self._pool.submit(call)
            except BrokenProcessPool:
                self._pool = self._new()
                inner = self._pool.submit(call)
        inner.add_done_callback(lambda done: self._hand_on(done, outer, call, attempts - 1))

    def _hand_on(self, inner: Future[R], outer: Future[R], call: Callable[[], R], attempts: int) -> None:
        error = CancelledError() if inner.cancelled() else inner.exception()
        if isinstance(error, BrokenProcessPool) and attempts and not self._closed and not outer.cancelled():
            self._send(outer, call, attempts)
        elif not outer.set_running_or_notify_cancel():
            return
        elif error is not None:
            outer.set_exception(error)
        else:
            outer.set_result(inner.result())


def _begin() -> None:
    """Begin a worker process: Ctrl-C is the parent's business, nobody outlives the parent, and a core is enough."""
    for library in ("OPENBLAS", "MKL", "OMP"):  # read when numpy is first imported
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def dask_cluster(address: str) -> Iterator[Executor]:
    """Work on a Dask cluster, through ``Client.get_executor()``.

    Parameters
    ----------
    address : str
        Of the scheduler, as in ``tcp://10.0.0.5:8786``.

    Raises
    ------
    WorkersError
        If the extra ``dask`` is missing, no scheduler answers within seconds, it has no workers, or scheduler and
        workers have not the same escalate as this process.
    """
    try:
        from distributed import Client
    except ImportError:
        raise WorkersError(needs("--dask", "distributed", "dask")) from None
    said = _why_no_scheduler(address)
    if said:
        raise WorkersError(
            f"no Dask scheduler answers at {address!r} ({said}); start one with `dask scheduler`, which prints its "
            "address, as in tcp://10.0.0.5:8786, and workers with `dask worker ADDRESS`"
        )
    make: Any = Client
    client = make(address, timeout=SECONDS, set_as_default=False)
    with client:
        _check_cluster(client, address)
        yield client.get_executor(pure=False, retries=ATTEMPTS - 1)


def _why_no_scheduler(address: str) -> str:
    """Return what speaks against a scheduler at an address; empty if one answers."""
    from distributed.core import rpc

    async def ask() -> str:
        make: Any = rpc
        async with make(address, timeout=SECONDS) as scheduler:
            found = await scheduler.identity()
        return "" if found["type"] == "Scheduler" else f"it is the address of a {str(found['type']).lower()}"

    try:
        return asyncio.run(asyncio.wait_for(ask(), SECONDS + 1))
    except Exception as error:  # whatever else listens there may answer with anything
        return " ".join(str(error).split()) or f"nothing that is understood within {SECONDS} s"


def _check_cluster(client: Any, address: str) -> None:
    """Raise `WorkersError` unless a cluster has workers, and everybody there has this very package."""
    try:
        client.wait_for_workers(1, timeout=SECONDS)
    except TimeoutError:
        raise WorkersError(
            f"the Dask scheduler at {address} has no workers; start some with `dask worker {address}`"
        ) from None
    asks = "__import__('escalate.studies.workers', fromlist=['*']).code_fingerprint()"
    answers = {"the scheduler": _ask_scheduler(client, asks), **client.run(eval, asks, on_error="return")}
    problems = [
        f"  {who} " + (f"cannot import escalate ({said})" if isinstance(said, Exception) else "has another escalate")
        for who, said in answers.items()
        if said != code_fingerprint()
    ]
    if problems:
        mend = "install the same escalate where scheduler and workers are started, and start them again"
        raise WorkersError("\n".join([f"the Dask cluster at {address} could not do the work; {mend}:", *problems]))


def _ask_scheduler(client: Any, asks: str) -> Any:
    try:
        return client.run_on_scheduler(eval, asks)
    except Exception as error:
        return error
