"""Random words where they are used: one block of Philox4x64 at a time, and what numbers are made of them.

The same blocks and numbers as `escalate.nature.streams` and `escalate.nature.gaps`, to the last bit. To the compiled
kernel words are signed, since it has no other whole numbers; their bits are the same.

Salmon JK and others. Parallel random numbers: as easy as 1, 2, 3. SC '11, doi:10.1145/2063384.2063405.
"""

from __future__ import annotations

import math

from ..nature.gaps import LOG_2, LOG_OF_MIDDLE, MIDDLES, ONE_BY_MIDDLE, PIECES
from .bench import Row

ROUNDS = 10
MULTIPLIERS = 0xD2E7470EE14C6C93, 0xCA5A826395121157
"""Of the first and the third word of the counter in each round."""
KEY_GROWS_BY = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
"""From round to round: by the golden ratio, and by the square root of 3."""

ALL_64_BITS, MOST_OF_53_BITS, MOST_OF_52_BITS, MOST_OF_32_BITS = 2**64 - 1, 2**53 - 1, 2**52 - 1, 2**32 - 1
ONE_OF_53_BITS, ONE_OF_32_BITS = 2.0**-53, 2.0**-32


def block(key_0: int, key_1: int, first: int, third: int) -> tuple[int, int, int, int]:
    """Return the four words of a block, by a key and by the counter's first and third words; the others are 0.

    numpy's generator adds one to its counter before it makes the first block of it: so must who calls this. The
    compiled kernel has `compiled.philox` in its place.
    """
    counter = first & ALL_64_BITS, 0, third & ALL_64_BITS, 0
    for turn in range(ROUNDS):
        one, other = counter[0] * MULTIPLIERS[0], counter[2] * MULTIPLIERS[1]
        counter = (
            (other >> 64) ^ counter[1] ^ ((key_0 + turn * KEY_GROWS_BY[0]) & ALL_64_BITS),
            other & ALL_64_BITS,
            (one >> 64) ^ counter[3] ^ ((key_1 + turn * KEY_GROWS_BY[1]) & ALL_64_BITS),
            one & ALL_64_BITS,
        )
    return counter


def uniform(word: int) -> float:
    """Return a word as a uniform in [0, 1), by its upper 53 bits."""
    return ((word >> 11) & MOST_OF_53_BITS) * ONE_OF_53_BITS


def upper_half(word: int) -> float:
    """Return the upper half of a word as a uniform in [0, 1)."""
    return ((word >> 32) & MOST_OF_32_BITS) * ONE_OF_32_BITS


def lower_half(word: int) -> float:
    """Return the lower half of a word as a uniform in [0, 1)."""
    return (word & MOST_OF_32_BITS) * ONE_OF_32_BITS


def exponential(word: int) -> float:
    """Return a word as an exponential number of mean 1, as `escalate.nature.gaps.exponential` does."""
    m, e = math.frexp(((word >> 12) & MOST_OF_52_BITS) + 0.5)
    piece = int(m * (2 * PIECES)) - PIECES
    r = (m - MIDDLES[piece]) * ONE_BY_MIDDLE[piece]
    series = r * (1 - r * (1 / 2 - r * (1 / 3 - r * (1 / 4 - r * (1 / 5 - r * (1 / 6))))))
    found = (52 - e) * LOG_2 - (LOG_OF_MIDDLE[piece] + series)
    return found if found > 0.0 else 0.0


def first_above(until: Row[float], u: float) -> int:
    """Return the position of the first of some ascending numbers that is above another one; how many, if none is."""
    low, high = 0, len(until)
    while low < high:
        middle = (low + high) // 2
        if until[middle] > u:
            high = middle
        else:
            low = middle + 1
    return low
