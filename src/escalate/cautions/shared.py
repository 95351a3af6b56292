"""Cautions of several scenarios that differ in some values: each kind once, with those that it is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ..scenario.model import Scenario
from .caution import Caution
from .found import cautions

T = TypeVar("T")


@dataclass(slots=True)
class Shared(Generic[T]):
    """One kind of caution, and what it is about.

    Parameters
    ----------
    caution : Caution
        As it is of the first.
    of : list
        What it is about, in the order given.
    varies : bool
        Whether it has other numbers of others.
    """

    caution: Caution
    of: list[T] = field(default_factory=list)
    varies: bool = False


def shared(scenarios: Iterable[tuple[T, Scenario]]) -> list[Shared[T]]:
    """Return the cautions of several scenarios, each kind once.

    Parameters
    ----------
    scenarios : iterable of (T, Scenario)
        Each with what it is called.

    Returns
    -------
    list of Shared
        In the order in which they are first met. Two of one kind in one scenario stay two.
    """
    found: dict[tuple[str, int], Shared[T]] = {}
    for called, scenario in scenarios:
        met: Counter[str] = Counter()
        for caution in cautions(scenario):
            one = found.setdefault((caution.kind, met[caution.kind]), Shared(caution))
            met[caution.kind] += 1
            one.of.append(called)
            one.varies = one.varies or caution != one.caution
    return list(found.values())
