"""Candidates where the kernel draws them itself: so many at a time as lie on its page, when they are needed."""

from __future__ import annotations

from ..nature.streams import GAP, NEVER, PAGE, SCREENING
from .bench import Bench, Protocol, Tables
from .codes import FULL, Drawn
from .words import block, exponential, first_above, uniform

AT_ONCE = 8
"""Candidates who are drawn at once; a power of two, no more than a page."""

EACH, BLOCK = 2, 4
"""Words of a candidate, and of a block."""


def draw_candidates(p: Protocol, w: Bench, t: Tables) -> None:
    """Draw the next candidates in the place of those on the page."""
    w.passed_candidates += len(t.candidates)
    w.candidate = 0
    for pair in range(len(t.candidates) // 2):
        number = w.passed_candidates + 2 * pair
        counter = PAGE * EACH // BLOCK * w.replicate + number % PAGE // 2 + 1
        drawn = block(t.candidate_key[0], t.candidate_key[1], counter, number // PAGE)
        for place in range(2):
            t.clock[0] += t.gap_days[0] * exponential(drawn[EACH * place + GAP])
            passes = first_above(t.screening_until, uniform(drawn[EACH * place + SCREENING]))
            consents(p, t, 2 * pair + place, passes)


def consents(p: Protocol, t: Tables, place: int, passes: int) -> None:
    """Write down when a candidate consents, and who fails screening, or how many screenings are passed before."""
    time = t.clock[0]
    for rest in range(len(t.rests)):
        if time >= t.rests[rest][0]:
            time += t.rests[rest][1] - t.rests[rest][0]
    day = int(time) if time < NEVER else NEVER
    if FULL and p.one_by_one:
        t.ways[Drawn.PASSES][place] = passes if passes < len(t.screening_until) else NEVER
        t.ways[Drawn.FAILING][place] = t.ways[Drawn.SITE][place] = 0
    elif passes == 0 and len(t.screening_until):
        day = -1 - day
    t.candidates[place] = day
