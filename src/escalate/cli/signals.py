"""Being interrupted: by Ctrl-C or by whoever ends the process, once, and then in peace.

The first signal ends the work as `KeyboardInterrupt`, so that everything cleans up behind itself; more of them, while
that goes on, change nothing.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What ends a program: Ctrl-C, a request of the system, the end of the terminal."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise `KeyboardInterrupt` at the first signal that ends a program, and at no later one.

    A signal that the process was told to ignore (as by nohup) stays ignored; outside the main thread nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in ENDING}
    caught = [number for number, handler in before.items() if handler not in (signal.SIG_IGN, None)]

    def end(number: int, frame: FrameType | None) -> None:
        for other in caught:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in caught:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in caught:
            signal.signal(number, before[number])
