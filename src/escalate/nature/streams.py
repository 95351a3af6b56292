"""The scheme of random numbers: blocks of four words, counted by trial and by person, keyed by seed and purpose.

Every purpose has a random stream of its own, so that a new feature shifts no other draw. Draws about candidates are
indexed by candidate, draws about outcomes by enrolment number: the same patients meet every design, and slower accrual
leaves every dose path as it was, where no decision comes early: a cohort that is left early has fewer patients, and how
many depends on who had come.

**The scheme, which can't be changed without changing every result.** A stream's key is
``SeedSequence(seed, spawn_key=(stream,))``, two 64-bit words for Philox4x64, whose blocks are four words. Everybody has
as many words of a stream as `WORDS` says, and 16 people are a page: with n words for each, page p of trial k is the 4 n
blocks from counter ``4 n k`` on, with p in the counter's third word, and candidate (or patient) i, from 0, has the n
words from ``n (i % 16)`` on of page ``i // 16``. So one block is a patient, and one is two candidates; a trial is the
same alone, in any chunk, on any number of machines; and whoever wants one person's words computes one block, and no
other. Streams about candidates are one for each site: the first site, and a scenario without sites, have those above,
site s, from 0, has ``spawn_key=(stream, s)``, and its candidates are counted by themselves. A site that is added as the
last one therefore moves nobody of the others.

=========  =====================================================================================================
stream     words of one person
=========  =====================================================================================================
CANDIDATE  the gap before the candidate comes; screening
PATIENT    tolerance of the dose; day of a DLT; infused (upper half), full dose (lower half); day of leaving
BODY       body surface area of a candidate
PRODUCT    attempts at a candidate's own product
BATCH      whether a batch fails: people are batches
RATE       what the rate of a trial is multiplied with: the first word of the first page
PENDING    where a log contradicts a patient's own draws: the days after those seen, of a DLT, and of leaving
=========  =====================================================================================================
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
"""People of one trial on one page of one stream."""

NEVER = 2**40
"""Day of what never happens [days]; larger than any day of any trial."""

Words = NDArray[np.uint64]


class Stream(IntEnum):
    """One random stream for each purpose; a number, once given, is never given again."""

    CANDIDATE = 0
    PATIENT = 1
    BODY = 2
    PRODUCT = 3
    BATCH = 4
    RATE = 5
    PENDING = 6


WORDS = {Stream.CANDIDATE: 2, Stream.PATIENT: 4, Stream.PENDING: 2}
"""How many words of a stream everybody has, where it is not one: 1, 2 or 4."""


GAP, SCREENING = 0, 1
"""Words of a candidate."""

TOLERANCE, ONSET, ATTRITION, LEAVING = 0, 1, 2, 3
"""Words of a patient."""


def words(seed: int, stream: Stream, page: int, first: int, count: int, site: int = 0) -> Words:
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
    uint64 array, shape (count, 16, words of everybody)
        Words of the people of each trial.
    """
    each = WORDS.get(stream, 1)
    counter = np.array([first * (PAGE * each // 4), 0, page, 0], dtype=np.uint64)
    philox = np.random.Philox(counter=counter, key=key(seed, stream, site))
    return np.asarray(philox.random_raw(count * PAGE * each)).reshape(count, PAGE, each)


@cache
def key(seed: int, stream: int, site: int = 0) -> Words:
    """Return the two words that are a stream's key."""
    spawn_key = (stream, site) if site else (stream,)
    found = np.random.SeedSequence(seed, spawn_key=spawn_key).generate_state(2, np.uint64).astype(np.uint64)
    found.flags.writeable = False
    return found


def uniforms(drawn: Words) -> FloatArray:
    """Return words as uniforms in [0, 1), by their upper 53 bits."""
    return np.asarray((drawn >> np.uint64(11)) * 2.0**-53)


def upper_halves(drawn: Words) -> FloatArray:
    """Return the upper halves of words as uniforms in [0, 1), of 32 bits."""
    return np.asarray((drawn >> np.uint64(32)) * 2.0**-32)


def lower_halves(drawn: Words) -> FloatArray:
    """Return the lower halves of words as uniforms in [0, 1), of 32 bits."""
    return np.asarray((drawn & np.uint64(0xFFFFFFFF)) * 2.0**-32)


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
    site : int
        Site that is drawn for, from 0; 0 for what is about no site.
    """

    def __init__(self, scenario: Scenario, seed: int, first: int, count: int, site: int = 0) -> None:
        self.scenario, self.seed, self.first, self.count, self._at = scenario, seed, first, count, site
        self._last: dict[Stream, tuple[int, Words]] = {}

    def words(self, stream: Stream, page: int) -> Words:
        """Return one page of one stream, shape (count, 16, words of everybody); the last one is kept."""
        kept, drawn = self._last.get(stream, (-1, None))
        if kept != page or drawn is None:
            drawn = words(self.seed, stream, page, self.first, self.count, self._at)
            self._last[stream] = page, drawn
        return drawn

    def draw(self, stream: Stream, page: int, which: int = 0) -> FloatArray:
        """Return one of everybody's words on a page as uniforms, shape (count, 16), in [0, 1)."""
        return uniforms(self.words(stream, page)[:, :, which])


def together(*columns: NDArray[Any]) -> list[list[Any]]:
    """Return, for each trial, one tuple of plain values for each of the 16 people of a page."""
    return [list(zip(*rows, strict=True)) for rows in zip(*(column.tolist() for column in columns), strict=True)]
