"""Candidates one by one, where what becomes of one depends on more than the day of eligibility.

That is so where screening waits for places or is repeated, where a product is made of the candidate's own cells, and
where notice is given. Everybody who has come and is neither enrolled nor gone has a row of `Tables.here`, in order of
coming. Otherwise candidates are counted (`candidates`), which is faster.
"""

from __future__ import annotations

from ..nature.streams import NEVER
from .bench import Bench, Candidate, Protocol, Tables
from .codes import FULL, NOT_KNOWN, Drawn, Outcome, Run, Way
from .drawn import draw_candidates
from .places import has_free_place, meeting_day_of_cut, room_now, whose_turn


def next_to_come(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the day on which the next candidate comes, `NOT_KNOWN` if that is beyond the pages."""
    if w.candidate == len(t.candidates):
        if not p.draws_candidates:
            w.code = Run.NEEDS_CANDIDATES
            return NOT_KNOWN
        draw_candidates(p, w, t)
    day = t.candidates[w.candidate]
    return day if day <= p.max_days else NEVER


def all_come(p: Protocol, w: Bench, t: Tables) -> None:
    """Let pass what happens today to those who are not enrolled, consents aside: patience, who comes, results."""
    for place in range(w.here):
        candidate = t.here[place]
        if candidate.waits and candidate.patience_day <= w.today:
            goes_without_place(w, candidate, 1)
        elif candidate.way == Way.WAITS and candidate.valid_until < w.today:
            leaves_line(w, candidate)
            begins_screening(p, w, t, candidate)
    while w.next_eligible == w.today:
        if w.here == len(t.here):
            w.code = Run.NEEDS_ROOM
            return
        comes(p, w, t, t.here[w.here])
        w.here += 1
        w.candidate += 1
        w.next_eligible = next_to_come(p, w, t)
        if w.code != Run.GOES_ON:
            return
    results_are_known(p, w, t)


def let_consent(p: Protocol, w: Bench, t: Tables) -> None:
    """Let consent for whom there are places, and for those who make room for others today."""
    while lets_consent(p, w, t):
        results_are_known(p, w, t)


def referred_wait_or_go(p: Protocol, w: Bench, t: Tables) -> None:
    """Let those who came today, and could not consent, wait or go."""
    for place in range(w.here):
        if t.here[place].way == Way.REFERRED and not t.here[place].waits:
            waits_or_goes(p, w, t, t.here[place])
    forget_who_has_gone(w, t)


def comes(p: Protocol, w: Bench, t: Tables, candidate: Candidate) -> None:
    """Write down somebody who comes."""
    candidate.passes, candidate.failing = t.ways[Drawn.PASSES][w.candidate], t.ways[Drawn.FAILING][w.candidate]
    candidate.site = t.ways[Drawn.SITE][w.candidate]
    candidate.waits, candidate.has_waited, candidate.waited_days, candidate.patience_day = 0, 0, 0, NEVER
    candidate.has_product, candidate.noticed_day, candidate.has_reserved = 0, -1, 0
    candidate.way, candidate.due_day, candidate.valid_until = Way.REFERRED, NEVER, NEVER
    if not p.screening_waits:
        begins_screening(p, w, t, candidate)


def begins_screening(p: Protocol, w: Bench, t: Tables, candidate: Candidate) -> None:
    """Write down that screening begins today."""
    candidate.way = Way.BUSY
    day = w.today + t.screening_days[candidate.site]
    candidate.due_day = t.results_open[candidate.site][day] if day < len(t.results_open[candidate.site]) else day
    candidate.is_screened = 0


def results_are_known(p: Protocol, w: Bench, t: Tables) -> None:
    """Let today's results of screening and of manufacture be known, in order of coming."""
    for place in range(w.here):
        candidate = t.here[place]
        while candidate.way == Way.BUSY and candidate.due_day <= w.today:
            if not candidate.is_screened:
                screening_ends(p, w, t, candidate)
            else:
                product_is_there(p, w, t, candidate)


def product_is_there(p: Protocol, w: Bench, t: Tables, candidate: Candidate) -> None:
    """Let somebody ask for a place whose product is made, or go, where no attempt is left."""
    w.making -= 1
    if candidate.failing < p.most_attempts:
        candidate.has_product = 1
        asks_for_place(p, w, t, candidate)
    else:
        w.no_product += 1
        gives_back_place(w, candidate)
        candidate.way = Way.GONE


def screening_ends(p: Protocol, w: Bench, t: Tables, candidate: Candidate) -> None:
    """Let somebody fail screening, or pass: then the product is made, where there is none yet."""
    if candidate.passes == 0:
        w.screen_failures += 1
        gives_back_place(w, candidate)
        candidate.way = Way.GONE
        return
    candidate.passes -= 1
    candidate.is_screened = 1
    candidate.valid_until = w.today + p.valid_days
    if p.most_attempts and not candidate.has_product:
        attempts = candidate.failing + 1 if candidate.failing < p.most_attempts else p.most_attempts
        candidate.due_day = w.today + attempts * p.manufacture_days
        w.making += 1
    else:
        asks_for_place(p, w, t, candidate)


def asks_for_place(p: Protocol, w: Bench, t: Tables, candidate: Candidate) -> None:
    """Let somebody wait for a place from today on, or be screened again where the results hold no longer."""
    if candidate.valid_until < w.today:
        begins_screening(p, w, t, candidate)
        return
    candidate.way, candidate.due_day, candidate.ready_day = Way.WAITS, NEVER, w.today
    w.ready += 1
    w.newcomers += 1


def lets_consent(p: Protocol, w: Bench, t: Tables) -> bool:
    """Let consent today as many as there are places for; return whether anybody did."""
    free = places_to_consent_for(p, w, t, 0) * p.candidates_per_place - asking(w, t)
    anybody = False
    for place in range(w.here):
        candidate = t.here[place]
        if free > 0 and candidate.way == Way.REFERRED and consents_from(t, candidate, w.today) == w.today:
            if p.reserves and not reserves_place(w, t, candidate):
                return False
            stops_waiting(w, candidate)
            begins_screening(p, w, t, candidate)
            free -= 1
            anybody = True
    return anybody


def reserves_place(w: Bench, t: Tables, candidate: Candidate) -> bool:
    """Reserve a place for somebody who consents, if one is free; return whether there is room to note it."""
    if w.open and has_free_place(w):
        if w.enrolled + w.reserved >= len(t.people):
            w.code = Run.NEEDS_PATIENTS
            return False
        candidate.has_reserved = 1
        w.reserved += 1
    return True


def gives_back_place(w: Bench, candidate: Candidate) -> None:
    """Take back the place of somebody who leaves; a rolling rule counted on the outcome."""
    if not candidate.has_reserved:
        return
    candidate.has_reserved = 0
    w.reserved -= 1
    w.calm, w.bad_news = 0, 1
    if w.rolling:
        w.news = 1
        if w.today + 1 < w.check_day:
            w.check_day = w.today + 1


def let_go_of_places(w: Bench, t: Tables) -> None:
    """Let nobody have a reserved place any more."""
    if FULL and w.reserved:
        for place in range(w.here):
            t.here[place].has_reserved = 0
        w.reserved = 0


def consents_from(t: Tables, candidate: Candidate, day: int) -> int:
    """Return the first day, from a day on, on which somebody may consent at the candidate's site."""
    return t.consent_opens[candidate.site][day] if day < len(t.consent_opens[candidate.site]) else day


def asking(w: Bench, t: Tables) -> int:
    """Return how many have consented and have no place yet, nor a reserved one."""
    number = 0
    for place in range(w.here):
        if t.here[place].way in (Way.BUSY, Way.WAITS) and not t.here[place].has_reserved:
            number += 1
    return number


def places_to_consent_for(p: Protocol, w: Bench, t: Tables, sooner: int) -> int:
    """Return for how many places candidates consent, today or, with `sooner`, whenever the next ones are foreseen."""
    left = room_now(p, w)
    if left <= 0:
        return 0
    if w.open and has_free_place(w):
        free = w.places - w.taken - w.reserved
        return free if free < left else left
    if may_be_asked(w) and not p.reserves:
        return 1
    opens_on = next_cohort_day(p, w, t)
    if opens_on == NEVER or not (sooner or opens_on <= w.today + p.opens_days_ahead):
        return 0
    return (p.cohort_size if p.cohort_size < left else left) - w.reserved


def may_be_asked(w: Bench) -> bool:
    """Return whether a rolling rule can be asked for a place: it has not stopped, nor suspended accrual since."""
    return w.open == 1 and w.rolling == 1 and not w.concluding and (w.news == 1 or w.held == 0)


def may_ask_at_consent(p: Protocol, w: Bench, t: Tables) -> bool:
    """Return whether a rolling rule is asked today for somebody who would consent, since every place is taken."""
    if not p.reserves or not may_be_asked(w) or has_free_place(w) or room_now(p, w) <= 0:
        return False
    if asking(w, t):
        return False
    for place in range(w.here):
        if t.here[place].way == Way.REFERRED and consents_from(t, t.here[place], w.today) == w.today:
            return True
    return False


def next_cohort_day(p: Protocol, w: Bench, t: Tables) -> int:
    """Return when the next places open if nobody pending has a DLT or leaves; `NEVER` where that is not known."""
    if w.concluding or w.expansion:
        return NEVER
    if not w.open:
        return w.meeting_day
    if w.held or w.reserved:
        return NEVER
    last = -1
    for patient in range(w.first_patient, w.enrolled):
        person = t.people[patient]
        if person.outcome in (Outcome.NOT_YET, Outcome.PENDING) and person.infusion_day > last:
            last = person.infusion_day
    return meeting_day_of_cut(p, t, last + p.window_end[w.level]) if last >= 0 else NEVER


def waits_or_goes(p: Protocol, w: Bench, t: Tables, candidate: Candidate) -> None:
    """Let somebody for whom there is no place today wait, as long as patience lasts, or go."""
    waiting = 0
    for place in range(w.here):
        waiting += t.here[place].waits * (1 - t.here[place].has_reserved)
    is_lost = p.referred_are_lost and candidate.way == Way.REFERRED
    if not candidate.has_waited and not candidate.has_reserved and (is_lost or waiting >= p.most_waiting):
        goes_without_place(w, candidate, 0)
    elif p.patience_days - candidate.waited_days <= 0:
        goes_without_place(w, candidate, 1)
    else:
        candidate.waits = candidate.has_waited = 1
        candidate.waits_since = w.today
        if p.patience_days != NEVER:
            candidate.patience_day = w.today + p.patience_days - candidate.waited_days
        w.newcomers -= candidate.way == Way.WAITS


def goes_without_place(w: Bench, candidate: Candidate, loses_patience: int) -> None:
    """Count somebody who goes."""
    if candidate.way == Way.REFERRED:
        w.not_consented += 1
    else:
        w.withdrew += loses_patience
        w.no_place += 1 - loses_patience
        leaves_line(w, candidate)
        gives_back_place(w, candidate)
    candidate.way, candidate.waits = Way.GONE, 0


def leaves_line(w: Bench, candidate: Candidate) -> None:
    """Take somebody out of the line."""
    w.ready -= 1
    w.newcomers -= 1 - candidate.waits
    stops_waiting(w, candidate)
    candidate.noticed_day = -1


def stops_waiting(w: Bench, candidate: Candidate) -> None:
    """Write down how long a wait took that ends today."""
    if candidate.waits:
        candidate.waited_days += w.today - candidate.waits_since
    candidate.waits, candidate.patience_day = 0, NEVER


def forget_who_has_gone(w: Bench, t: Tables) -> None:
    """Take out of the list who is not there any more; the others keep their order."""
    kept = 0
    for place in range(w.here):
        if t.here[place].way != Way.GONE:
            if kept < place:
                copy_candidate(t.here[place], t.here[kept])
            kept += 1
    w.here = kept


def copy_candidate(one: Candidate, onto: Candidate) -> None:
    """Write down somebody in another row."""
    onto.way, onto.due_day, onto.ready_day, onto.valid_until = one.way, one.due_day, one.ready_day, one.valid_until
    onto.waits, onto.has_waited = one.waits, one.has_waited
    onto.waits_since, onto.waited_days = one.waits_since, one.waited_days
    onto.patience_day, onto.noticed_day = one.patience_day, one.noticed_day
    onto.passes, onto.failing, onto.is_screened = one.passes, one.failing, one.is_screened
    onto.has_product, onto.site, onto.has_reserved = one.has_product, one.site, one.has_reserved


def is_enrolled(w: Bench, t: Tables, candidate: Candidate) -> None:
    """Take out of the list who starts treatment; a reserved place is the patient's now."""
    leaves_line(w, candidate)
    w.reserved -= candidate.has_reserved
    candidate.way = Way.GONE
    forget_who_has_gone(w, t)


def new_ones_wait_or_go(p: Protocol, w: Bench, t: Tables) -> bool:
    """Let those who asked for a place today wait for it, or go; return whether a place was given back."""
    before = w.reserved
    for place in range(w.here):
        if t.here[place].way == Way.WAITS and not t.here[place].waits:
            waits_or_goes(p, w, t, t.here[place])
    forget_who_has_gone(w, t)
    return w.reserved < before and w.ready > 0


def give_notice(p: Protocol, w: Bench, t: Tables) -> None:
    """Tell as many as there are places for, in their turn."""
    if not w.open or not has_free_place(w):
        return
    free, left = w.places - w.taken, room_now(p, w)
    free = free if free < left else left
    day = place = -1
    while free > 0:
        place = whose_turn(w, t, day, place)
        if place < 0:
            return
        day = t.here[place].ready_day
        if t.here[place].noticed_day < 0:
            t.here[place].noticed_day = w.today
        free -= 1


def notice_is_void(w: Bench, t: Tables) -> None:
    """Forget who was told."""
    for place in range(w.here):
        t.here[place].noticed_day = -1


def next_day_of_candidates(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the next day on which something happens to somebody who is not enrolled, places aside."""
    day, referred = w.next_eligible, 0
    for place in range(w.here):
        candidate = t.here[place]
        if candidate.way == Way.BUSY and candidate.due_day < day:
            day = candidate.due_day
        if candidate.waits and candidate.patience_day < day:
            day = candidate.patience_day
        if candidate.way == Way.WAITS and candidate.valid_until < day - 1:
            day = candidate.valid_until + 1
        if candidate.way == Way.REFERRED:
            referred = 1
    if referred:
        following = next_consent_day(p, w, t)
        day = following if following < day else day
    return day


def next_consent_day(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the next day on which one of those on the list may consent, as far as is known."""
    is_asked = p.reserves and may_be_asked(w) and asking(w, t) == 0
    if not is_asked and asking(w, t) >= places_to_consent_for(p, w, t, 1) * p.candidates_per_place:
        return NEVER
    following, day = w.today + 1, NEVER
    if not (may_be_asked(w) or (w.open and has_free_place(w))):
        opens = next_cohort_day(p, w, t) - p.opens_days_ahead
        following = opens if opens > following else following
    for place in range(w.here):
        if t.here[place].way == Way.REFERRED:
            opens = consents_from(t, t.here[place], following)
            day = opens if opens < day else day
    return day


def all_are_turned_away(w: Bench, t: Tables) -> None:
    """Turn everybody away who is not enrolled."""
    for place in range(w.here):
        if t.here[place].way == Way.REFERRED:
            w.not_consented += 1
        elif t.here[place].way != Way.GONE:
            w.turned_away += 1
    w.here = w.ready = w.newcomers = w.making = w.reserved = 0


def count_who_is_here(w: Bench, t: Tables) -> None:
    """Count, when the time is up, who has not left; who would take a place is in `Bench.ready`."""
    for place in range(w.here):
        if t.here[place].way == Way.REFERRED:
            w.not_consented += 1
        elif t.here[place].way == Way.BUSY:
            w.in_screening += 1
