"""Rows that nobody has to wait for who does not look at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

Row = tuple[Any, ...]


class Later(Sequence[Row]):
    """Rows that are made when they are looked at for the first time.

    Parameters
    ----------
    make : callable
        Makes them; the same ones whenever it is called.
    """

    def __init__(self, make: Callable[[], Sequence[Row]]) -> None:
        self._make: Callable[[], Sequence[Row]] | None = make
        self._rows: tuple[Row, ...] = ()

    def _made(self) -> tuple[Row, ...]:
        make = self._make
        if make is not None:
            self._rows, self._make = tuple(make()), None
        return self._rows

    def __len__(self) -> int:
        return len(self._made())

    def __getitem__(self, which: Any) -> Any:
        return self._made()[which]

    def __iter__(self) -> Iterator[Row]:
        return iter(self._made())

    def __eq__(self, other: object) -> bool:
        return self._made() == (tuple(other) if isinstance(other, Later) else other)

    def __hash__(self) -> int:
        return hash(self._made())

    def __repr__(self) -> str:
        return repr(self._made())

    def __reduce__(self) -> Any:
        """Travel to other processes, and be copied, as plain rows."""
        return tuple, (self._made(),)
