"""How far a long piece of work is: a bar that a person sees, that moves, and that says what an interruption loses."""

from __future__ import annotations

import shutil
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

BEAT = 0.3
"""How long a piece of work should take between two moves of a bar [seconds]."""

LEAST_BETWEEN = 0.1
"""Time between two pictures of a bar, at least [seconds]."""

SILENT = 1.0
"""Work that takes less shows no bar [seconds]."""

ROOMY = 75
"""A terminal with fewer columns has no room for speed and counts beside a bar."""

FEWEST, FIRST = 16, 256
"""Trials that are run between two moves of a bar: at least, and before anything is known of their speed."""

NOTHING_KEPT = "nothing of it is kept"


class Progress:
    """How far some work is.

    Parameters
    ----------
    bar : tqdm
        What shows it, to whoever watches.
    """

    def __init__(self, bar: Any) -> None:
        self._bar, self.done = bar, 0

    @property
    def is_watched(self) -> bool:
        """Whether there is a bar that somebody may see."""
        return not self._bar.disable

    def update(self, count: int) -> None:
        """Say that so much more is done."""
        self.done += count
        self._bar.update(count)


@contextmanager
def progress(
    total: int, unit: str, show: bool | None, lost: str = NOTHING_KEPT, doing: str = "simulating"
) -> Iterator[Progress]:
    """Show how far some work is, on stderr or below a notebook's cell.

    Parameters
    ----------
    total : int
        How much there is to do.
    unit : str
        Of what.
    show : bool or None
        Whether to show it; ``None`` where a person watches, in a terminal or a notebook. It is silent at any rate where
        nobody does, and for work of less than a second.
    lost : str
        What becomes of what is done, if the work is interrupted.
    doing : str
        What the work is.

    Yields
    ------
    Progress
        ``update(n)`` says that so much more is done.

    Raises
    ------
    KeyboardInterrupt
        If somebody interrupts; it says how far the work was, and what is lost.
    """
    with _bar(total, unit, show, doing) as bar:
        far = Progress(bar)
        try:
            yield far
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"interrupted after {far.done:,} of {total:,} {unit}; {lost}") from None


def _bar(total: int, unit: str, show: bool | None, doing: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a notebook without ipywidgets: it has a bar of text then
        from tqdm.auto import tqdm

    in_notebook = any("notebook" in kind.__module__ for kind in tqdm.__mro__)
    hidden = True if show is False else False if in_notebook else None
    looks: dict[str, Any] = {
        "desc": doing,
        "unit": f" {unit}",
        "leave": False,
        "delay": SILENT,
        "mininterval": LEAST_BETWEEN,
    }
    if not in_notebook and shutil.get_terminal_size().columns < ROOMY:
        looks["bar_format"] = "{l_bar}{bar}| {remaining} left"
    return tqdm(total=total, disable=hidden, **looks)


def paced(total: int, most: int, is_watched: bool = True) -> Iterator[tuple[int, int]]:
    """Divide trials so that a bar moves a few times a second, however slow they are; this changes no result.

    Where nobody watches, as many are run at once as may be: a committee that is asked much together answers sooner.

    Parameters
    ----------
    total : int
        Trials.
    most : int
        Most of them at once.
    is_watched : bool
        Whether somebody sees the bar.

    Yields
    ------
    tuple of int
        How many were there before, and how many are next: so many more or fewer than the last ones as these took less
        or more time than `BEAT` until the next are asked for.
    """
    done, size = 0, min(FIRST, most) if is_watched else most
    while done < total:
        count = min(size, total - done)
        begun = time.perf_counter()
        yield done, count
        took = time.perf_counter() - begun
        done += count
        if is_watched:
            size = round(min(most, max(FEWEST, size * min(8.0, BEAT / max(took, 1e-6)))))
