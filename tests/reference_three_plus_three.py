"""The 3+3 rule for one trial's counts, as plain if and else: a second implementation, written from the definition.

Storer 1989 (doi:10.2307/2531693), Korn 1994 (doi:10.1002/sim.4780131802), Lin and Shih 2001
(doi:10.1093/biostatistics/2.2.203): 0/3 up; 1/3 three more; 1/6 up; two DLTs exceed the MTD. Variant A does not
de-escalate; B treats up to six patients below an exceeded level; C also needs six patients at the highest level.

It shares nothing with `escalate.rules`.
"""

from __future__ import annotations

from collections.abc import Sequence

TOO_TOXIC = "lowest dose level too toxic"
EXCEEDED_ABOVE = "MTD declared: the next dose level exceeds it"
TOP_TOLERATED = "highest dose level tolerated"


def reference_rule(
    variant: str, level: int, n: Sequence[int], y: Sequence[int]
) -> tuple[str, int | None, int, str | None]:
    """Return what 3+3 says next: action in words, level from 0 or None, patients wanted, and the reason of a stop.

    `n` counts evaluable patients and `y` those with a DLT, per level; `level` is that of the last cohort, from 0.
    """
    top = len(n) - 1
    here, dlts = n[level], y[level]

    if dlts >= 2:
        return _below_an_exceeded_level(variant, level, n, y)
    if here < 3:
        return "stay", level, 3 - here, None
    if dlts == 1 and here < 6:
        return "stay", level, 6 - here, None

    # From here on the level is tolerated: 0 of 3 or more, or 1 of 6 or more.
    if level == top:
        if variant == "C" and here < 6:
            return "stay", level, 6 - here, None
        return "stop", level, 0, TOP_TOLERATED
    if y[level + 1] >= 2:
        if variant in ("B", "C") and here < 6:
            return "stay", level, 6 - here, None
        return "stop", level, 0, EXCEEDED_ABOVE
    return "escalate", level + 1, _wanted(n[level + 1]), None


def _below_an_exceeded_level(
    variant: str, level: int, n: Sequence[int], y: Sequence[int]
) -> tuple[str, int | None, int, str | None]:
    lower = level - 1
    while lower >= 0 and y[lower] >= 2:
        lower = lower - 1
    if lower < 0:
        return "stop", None, 0, TOO_TOXIC
    enough = 3 if variant == "A" else 6
    if n[lower] >= enough:
        return "stop", lower, 0, EXCEEDED_ABOVE
    return "de-escalate", lower, _wanted(n[lower]), None


def _wanted(treated: int) -> int:
    if treated < 3:
        return 3 - treated
    if treated < 6:
        return 6 - treated
    return 1
