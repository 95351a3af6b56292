"""The scheme of random numbers: a stream for each purpose, a page of 16 uniforms at a time.

Every purpose has a random stream of its own, so that a new feature shifts no other draw. Draws about candidates are
indexed by candidate, draws about outcomes by enrolment number: the same patients meet every design, and slower accrual
leaves every dose path as it was, where no decision comes early: a cohort that is left early has fewer patients, and how
many depends on who had come.

**The scheme, which can't be changed without changing every result.** The key of a stream is
``SeedSequence(seed, spawn_key=(stream,))``, two 64-bit words for Philox4x64. A trial's numbers come in pages of 16
uniforms: page p of trial k is the 4 counter blocks from ``4 k`` on, with p in the counter's third word. Candidate (or
patient) i, from 0, uses number ``i % 16`` of page ``i // 16``. Trial k is therefore the same alone, in any chunk, on
any number of machines. Streams about candidates are one for each site: the first site, and a scenario without sites,
have those above, site s, from 0, has ``spawn_key=(stream, s)``, and its candidates are counted by themselves. A site
that is added as the last one therefore moves nobody of the others.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..scenario.model import Scenario
from ..words.records import FloatArray

PAGE = 16
"""Uniforms of one trial on one page of one stream."""

NEVER = 2**40
"""Day of what never happens [days]; larger than any day of any trial."""


class Stream(IntEnum):
    """One random stream for each purpose; a number, once given, is never given again."""

    ACCRUAL = 0
    SCREENING = 1
    BODY = 2
    NOT_INFUSED = 3
    PARTIAL_DOSE = 4
    DLT = 5
    ONSET = 6
    DROP_OUT = 7
    BATCH = 8
    RATE = 9
    PRODUCT = 10


def uniforms(seed: int, stream: Stream, page: int, first: int, count: int, site: int = 0) -> FloatArray:
    """Draw one page of one stream for consecutive trials.

    Parameters
    ----------
    seed : int
        Seed of the simulation, at least 0.
    stream : Stream
        What the numbers are for.
    page : int
        Page, from 0.
    first, count : int
        Trials ``first`` to ``first + count - 1``.
    site : int
        Site that the numbers are about, from 0; 0 for what is about no site.

    Returns
    -------
    float array, shape (count, 16)
        Uniforms in [0, 1), one row for each trial.
    """
    counter = np.array([first * (PAGE // 4), 0, page, 0], dtype=np.uint64)
    generator = np.random.Generator(np.random.Philox(counter=counter, key=_key(seed, stream, site)))
    return generator.random((count, PAGE))


@cache
def _key(seed: int, stream: int, site: int) -> NDArray[np.uint64]:
    spawn_key = (stream, site) if site else (stream,)
    words = np.random.SeedSequence(seed, spawn_key=spawn_key).generate_state(2, np.uint64).astype(np.uint64)
    words.flags.writeable = False
    return words


class Draws:
    """A chunk of consecutive trials for which something is drawn.

    Parameters
    ----------
    scenario : Scenario
        What is assumed about nature.
    seed : int
        Seed of the simulation, at least 0.
    first, count : int
        Trials ``first`` to ``first + count - 1``.
    """

    def __init__(self, scenario: Scenario, seed: int, first: int, count: int) -> None:
        self.scenario, self.seed, self.first, self.count = scenario, seed, first, count

    def draw(self, stream: Stream, page: int) -> FloatArray:
        """Return one page of one stream, shape (count, 16), in [0, 1)."""
        return uniforms(self.seed, stream, page, self.first, self.count)


def together(*columns: NDArray[Any]) -> list[list[Any]]:
    """Return, for each trial, one tuple of plain values for each of the 16 people of a page."""
    return [list(zip(*rows, strict=True)) for rows in zip(*(column.tolist() for column in columns), strict=True)]
