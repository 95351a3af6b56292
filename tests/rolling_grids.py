"""Decision tables with patients pending, as a person could write them: random ones, and rolling six."""

from __future__ import annotations

import numpy as np

from reference_rolling_rules import SIX, rolling_six_cell

WORDS = {"stay": "S", "escalate": "E", "suspend": "SUS", "de-escalate": "DU"}

ONE_BY_ONE = ("rolling six", "IQ rolling six", "table")
"""Rolling rules of random scenarios that ask for one patient at a time, and have no target."""


def a_grid(generator: np.random.Generator, most: int, *, plain: bool = False, ends: bool = False) -> dict[str, str]:
    """Return a table for up to so many patients at a level: decisions fall with DLTs and with patients pending.

    A `plain` one says nothing of the level above, and never stops; one that `ends` gives a level to no more patients.
    """
    ranks = np.sort(generator.integers(0, 4, (most + 1, most + 1, most + 2)), axis=2)  # 0 up, 1 neither, 2 down, 3 DU
    ranks = np.maximum.accumulate(ranks, axis=1)  # evaluable, pending, DLTs
    decisions = {}
    for total in range(1, most + 1):
        full = ends and total == most
        for c in range(total + 1):
            for above in ("",) if plain or (generator.random() < 0.3 and not full) else ("open", "closed"):
                key = f"{total - c}+{c} {above}".strip()
                row = ranks[total - c, c, : total - c + 1].tolist()
                decisions[key] = " ".join(_letter(generator, rank, total - c, c, above, plain, full) for rank in row)
    return decisions


def _letter(generator: np.random.Generator, rank: int, n: int, c: int, above: str, plain: bool, full: bool) -> str:
    rank = 1 if n == 0 else max(rank, 1) if above == "closed" else rank
    neither = ["S"] * 3 * (not full) + ["SUS"] * (c > 0) + ["R"] * (not plain and n > 2)
    return ("E", str(generator.choice(neither)), "DU" if full else "D", "DU")[rank]


def rolling_six_as_a_table(table: str = "published", *, five_suffice: bool = False) -> dict[str, str]:
    """Return rolling six as a table: six patients are needed at the MTD, or five without a DLT suffice."""
    decisions = {}
    for n, c in ((total - c, c) for total in range(1, SIX + 1) for c in range(total + 1)):
        letters = [WORDS[rolling_six_cell(n + c, y, c, table)] for y in range(n + 1)]
        ends = "R" if n == SIX or (five_suffice and n == SIX - 1) else "S" if n + c < SIX else "SUS"
        decisions[f"{n}+{c} open"] = " ".join(letters)
        decisions[f"{n}+{c} closed"] = " ".join(ends if letter == "E" else letter for letter in letters)
    return decisions
