"""Candidates: who comes, who waits for a place and how long, who leaves without one, and who fails screening.

Only a few pages of them lie on the bench. When they have passed, what is to be counted on them is counted, and the
trial needs the next ones: so the numbers that lie there are as many as they are, whoever comes.
"""

from __future__ import annotations

from ..nature.streams import NEVER
from .bench import Bench, Protocol, Tables
from .codes import FULL, NOT_KNOWN, Open, Queue, Run
from .drawn import draw_candidates
from .one_by_one import all_are_turned_away
from .places import open_day


def next_eligible_day(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the day on which the next candidate becomes eligible, `NOT_KNOWN` if that is beyond the pages.

    For the last one on the pages it is the day on which screening ends, passed or failed: nobody on them is in
    screening any more when they are left.
    """
    last = len(t.candidates) - 1
    while w.candidate <= last or draws_more(p, w, t):
        consent_day = t.candidates[w.candidate]
        if consent_day >= 0:
            return open_day(t, Open.SCREENING, consent_day + p.screening_days)
        if -1 - consent_day > p.max_days:
            return NEVER
        if w.candidate == last:
            return open_day(t, Open.SCREENING, -1 - consent_day + p.screening_days)
        w.candidate += 1
    w.code = Run.NEEDS_CANDIDATES
    return NOT_KNOWN


def draws_more(p: Protocol, w: Bench, t: Tables) -> bool:
    """Draw the next candidates, if the kernel does that itself; those on the page have passed, and are counted."""
    if p.draws_candidates:
        count_screening(p, w, t)
        draw_candidates(p, w, t)
    return p.draws_candidates == 1


def candidates_come(p: Protocol, w: Bench, t: Tables) -> None:
    """Let today's eligible candidates ask for a place."""
    while w.next_eligible == w.today:
        if t.candidates[w.candidate] >= 0:
            w.newcomers += 1
            w.ready += 1
        w.candidate += 1
        w.next_eligible = next_eligible_day(p, w, t)


def first_in_line_goes(w: Bench, t: Tables) -> None:
    """Take out of the line who has waited longest, or a newcomer where nobody has waited."""
    w.ready -= 1
    if w.queue_first == w.queue_end:
        w.newcomers -= 1
        return
    first = t.queue[w.queue_first & (len(t.queue) - 1)]
    first[Queue.HOW_MANY] -= 1
    if first[Queue.HOW_MANY] == 0:
        w.queue_first += 1


def those_without_place_leave(p: Protocol, w: Bench, t: Tables) -> None:
    """Let today's newcomers wait, or go, where too many wait already or nobody does."""
    leave = w.ready - p.most_waiting
    if p.most_waiting and p.patience_days == 0:
        leave = w.newcomers
        w.withdrew += leave
    else:
        leave = leave if leave < w.newcomers else w.newcomers
        leave = leave if leave > 0 else 0
        w.no_place += leave
    w.ready -= leave
    if leave < w.newcomers:
        join_queue(p, w, t, w.newcomers - leave)
    w.newcomers = 0


def join_queue(p: Protocol, w: Bench, t: Tables, number: int) -> None:
    """Let so many wait from today on; where nobody loses patience, all are as one, since nobody asks since when."""
    if p.patience_days == NEVER and w.queue_first < w.queue_end:
        t.queue[(w.queue_end - 1) & (len(t.queue) - 1)][Queue.HOW_MANY] += number
        return
    last = t.queue[w.queue_end & (len(t.queue) - 1)]
    last[Queue.SINCE], last[Queue.HOW_MANY] = w.today, number
    w.queue_end += 1


def patience_ends(p: Protocol, w: Bench, t: Tables) -> int:
    """Return when the patience of those ends who have waited longest."""
    return t.queue[w.queue_first & (len(t.queue) - 1)][Queue.SINCE] + p.patience_days


def those_without_patience_leave(p: Protocol, w: Bench, t: Tables) -> None:
    """Let those go whose patience is over."""
    while w.queue_first < w.queue_end and patience_ends(p, w, t) <= w.today:
        number = t.queue[w.queue_first & (len(t.queue) - 1)][Queue.HOW_MANY]
        w.ready -= number
        w.withdrew += number
        w.queue_first += 1


def somebody_consented_after(w: Bench, t: Tables) -> bool:
    """Return whether somebody after the last one on the pages may have consented, too, before enrolment closed."""
    last = t.candidates[len(t.candidates) - 1]
    return (last if last >= 0 else -1 - last) <= w.last_consent_day


def count_screening(p: Protocol, w: Bench, t: Tables) -> None:
    """Count on the pages who failed screening, and who was in it when enrolment closed or the time was up."""
    for candidate in range(len(t.candidates)):
        fails = t.candidates[candidate] < 0
        consent_day = -1 - t.candidates[candidate] if fails else t.candidates[candidate]
        if consent_day > w.last_consent_day:
            return
        if open_day(t, Open.SCREENING, consent_day + p.screening_days) > w.last_consent_day:
            w.in_screening += 1
        elif fails:
            w.screen_failures += 1


def close_enrolment(p: Protocol, w: Bench, t: Tables, late: int) -> None:
    """Enrol nobody from now on, if that is not so already; whoever is not enrolled is turned away.

    `late` is 1 if today's candidates have come already.
    """
    if w.closed:
        return
    w.last_day = w.today
    w.closed, w.closed_day = 1, w.today
    w.last_consent_day = w.today if late else w.today - 1
    if FULL and p.one_by_one:
        all_are_turned_away(w, t)
    w.turned_away += w.ready
    w.ready = w.newcomers = w.queue_first = w.queue_end = 0
