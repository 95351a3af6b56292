"""A Dask cluster on this machine, for tests: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 60
"""How long a process may take to begin [s]."""


def start(folder: Path, what: str, *options: str, **variables: str) -> subprocess.Popen[bytes]:
    """Start the scheduler, or a worker."""
    command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--scheduler-file", str(folder / "scheduler.json")]
    with (folder / f"{what}.log").open("ab") as log:
        return subprocess.Popen(
            [*command, *options], stdout=log, stderr=log, cwd=folder, env={**os.environ, **variables}
        )


def scheduler(folder: Path, **variables: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start a scheduler; return it with its address."""
    process = start(folder, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", **variables)
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            return process, json.loads((folder / "scheduler.json").read_text())["address"]
        except (OSError, ValueError):
            time.sleep(0.1)
    end([process])
    raise TimeoutError((folder / "scheduler.log").read_text())


def worker(folder: Path, **variables: str) -> subprocess.Popen[bytes]:
    """Start a worker of one thread, which nobody starts again."""
    return start(folder, "worker", "--nthreads", "1", "--no-nanny", "--no-dashboard", **variables)


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    """Kill processes and wait for their ends."""
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Start a scheduler and workers; yield its address and the workers."""
    folder.mkdir(parents=True, exist_ok=True)
    first, address = scheduler(folder)
    others = [worker(folder) for _ in range(workers)]
    try:
        yield address, others
    finally:
        end([*others, first])
