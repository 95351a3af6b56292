"""The same trial as `escalate.trial`, for millions of them: the calendar as plain steps over whole numbers.

One call of `run_trial` leads one trial from its start to its end, or to the first question to which the committee's
answer is not known yet. Then the question is written down, the committee answers those of many trials at once, and the
trial is run again from its start: it is the same trial, and comes further. So every distinct data cut is decided once,
whatever the number of trials, and there is no state to save.

The days and their order are those of `escalate.trial`, and the tests hold both to be the same, trial by trial and date
by date. What differs is how time passes: from one day on which something happens to the next, phase after phase; and
what needs no decision (who fails screening, follow-up after the window) is counted at the end.

Every function is plain sequential code on whole numbers, so that it runs as it is, or compiled (`escalate.compiled`).
In all of them ``p`` is the `Protocol`, ``w`` the trial's `Bench`, ``t`` the `Tables` on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

NEVER = 2**40
"""A day that never comes."""

NO_LEVEL = -1

ABOVE_EVERYBODY = 2**20 - 2
"""Room under a cap that never binds."""

COHORTS_TIMED = 12
"""As `escalate.outcomes.COHORTS_TIMED`."""

MOST_LEVELS = 99
"""Dose levels that a bench has room for."""

RUNNING, ENDED, ASKS, NEEDS_CANDIDATES, NEEDS_PATIENTS = range(5)
"""How a run of `run_trial` ends: with the trial, with a question, or for want of random numbers."""

ESCALATE, STAY, DE_ESCALATE, SUSPEND, STOP = range(5)
"""Codes of `escalate.records.Action`."""

DECISION, CONCLUSION, FORCED, EXPANSION = range(4)
"""What a committee is asked: its decision; the recommendation after a stop; is the decision forced; is it closed."""

SAYS, TO_LEVEL, SO_MANY, WHY, RESTS_ON_DATA, RULE_ALONE, TURNS_AT, TURNS_TO, ANSWER_SIZE = range(9)
"""What an answer holds: action, or yes and no; level; patients; position of the reason; whether outcomes still to come
can change what a stop recommends; the highest level at which the rule by itself would go on; from how many days of
follow-up at the level on (`NEVER` if from none) another answer holds, and where that is."""

NO_FOLLOWUP, LEVEL_FOLLOWUP, EACH_FOLLOWUP = range(3)
"""What a rule reads of the pending patients' windows: nothing; the days seen at the level; those of each patient."""

WORD_BITS, HASH_FACTOR = 62, 1099511628211
"""Bits of a word that questions are packed into; what their hash is multiplied with."""

UNKNOWN = -1
"""Where the answer is to a question that the committee was not asked yet."""

HEAD = 6
"""Numbers of a question before the counts of each level."""

GETS, DROP_OUT_DAY, ONSET_DAY = range(3)
"""Rows of `Tables.fates`: what the patient gets; last day observed; day on which a DLT would come, from here on for
each level if it depends on that."""

NOTHING, LESS, FULL_DOSE = range(3)
"""What a lymphodepleted patient gets."""

NO_OUTCOME, PENDING, NO_DLT, DLT, NON_EVALUABLE, LEFT_IN_WINDOW, NOT_INFUSED = range(7)
"""What is known of a patient; both kinds of non-evaluable are told apart by why."""

PATIENTS, STAGGER, LYMPHODEPLETION, WINDOWS, COMMITTEE, FOLLOW_UP, WAITS = range(7)
"""What a trial waits for, as positions in `escalate.timeline.WAITS`, and how many that are."""

PHASES, MORNING, INFUSIONS_END, EVENING = 7, 0, 5, 6
"""Phases of a day, of which these are needed: outcomes; lymphodepletion starts; outcomes of the day's infusions."""


class Protocol(NamedTuple):
    """What a scenario asks of the calendar, in whole numbers; days where a name says so, 1 for yes."""

    levels: int
    cap: int
    cap_counts_infused: int
    max_days: int
    lead_days: int
    window_end: int
    last_infusion: int
    treatment_wait: Sequence[int]
    """For each weekday, counted from that of day 0: days to the next one on which a first infusion is possible."""
    meeting_wait: Sequence[int]
    """The same for the committee's meetings."""
    review_delay_days: int
    sentinel_stagger_days: int
    stagger_days: int
    sentinel_every_cohort: int
    early_decision: int
    replaces: int
    withholds: int
    expands: int
    follow_up_days: int
    onset_depends_on_level: int
    screening_days: int
    patience_days: int
    """`NEVER` where nobody loses patience."""
    most_waiting: int
    """0 where nobody waits."""
    rolling: int
    reads_last: int
    reads_followup: int
    start_level: int
    first_action: int
    first_level: int
    first_patients: int
    first_reason: int
    time_is_up: int
    """Position of that reason among the committee's."""


def _by_level() -> list[int]:
    return [0] * MOST_LEVELS


def _by_cohort() -> list[int]:
    return [0] * COHORTS_TIMED


def _by_wait() -> list[int]:
    return [0] * WAITS


@dataclass(slots=True)
class Bench:
    """Where one trial is written down while it runs; levels and positions count from 0, yes is 1."""

    # The day, how the run goes, and the last day on which something was written into the log
    today: int = 0
    code: int = RUNNING
    last_day: int = 0
    # Candidates: the next one to come; who waits; who left without a place
    candidate: int = 0
    next_eligible: int = 0
    """Day on which the next one becomes eligible."""
    queue_first: int = 0
    queue_end: int = 0
    withdrew: int = 0
    no_place: int = 0
    turned_away: int = 0
    # Patients in all: evaluable; enrolled, and of these past the day of their infusion; infused; between
    # lymphodepletion and infusion; with an open window, the first of them
    evaluable_patients: int = 0
    enrolled: int = 0
    arrived: int = 0
    infused: int = 0
    on_the_way: int = 0
    windows: int = 0
    oldest_window: int = 0
    # The open cohort, or the last one
    cohorts: int = 0
    open: int = 0
    held: int = 0
    level: int = 0
    places: int = 0
    expansion: int = 0
    rolling: int = 0
    has_sentinel: int = 0
    first_patient: int = 0
    cohort_lymphodepleted: int = 0
    cohort_pending: int = 0
    cohort_evaluable: int = 0
    cohort_dlts: int = 0
    taken: int = 0
    """Places that cannot be given any more: a rolling cohort replaces nobody by itself, the rule is asked again."""
    cohort_freed: int = 0
    """Places that were taken and given back."""
    vacant: int = 0
    """Of these, the ones that nobody has taken since."""
    cohort_opened: int = 0
    # What the committee permits, and what became known since it met
    permitted: int = 0
    dlt_known: int = 0
    """When the last DLT became known, in phases of days since the start."""
    news: int = 0
    since_outcomes: int = 0
    since_dlts: int = 0
    # What is due
    check_day: int = 0
    meeting_day: int = 0
    wake_day: int = 0
    # The last data cut, and how the escalation ends
    cut_forced: int = 0
    cut_outstanding: int = 0
    concluding: int = 0
    stop_reason: int = 0
    recommended: int = 0
    reason: int = 0
    last_outcome_day: int = 0
    ended_day: int = 0
    expansion_closed_day: int = 0
    closed: int = 0
    closed_day: int = 0
    last_consent_day: int = 0
    # Patients at each level, as `escalate.census` counts them, and when its first cohort opened
    evaluable: list[int] = field(default_factory=_by_level)
    dlts: list[int] = field(default_factory=_by_level)
    pending: list[int] = field(default_factory=_by_level)
    lymphodepleted: list[int] = field(default_factory=_by_level)
    replaced: list[int] = field(default_factory=_by_level)
    opened_day: list[int] = field(default_factory=_by_level)
    # Days for each of `escalate.timeline.WAITS`: known; and, for days on which a rolling rule's places were all taken,
    # if the rule stops next, or goes on
    waits: list[int] = field(default_factory=_by_wait)
    if_stops: list[int] = field(default_factory=_by_wait)
    if_goes_on: list[int] = field(default_factory=_by_wait)
    # For each of the first cohorts, days from its opening to the last decision on it
    cohort_days: list[int] = field(default_factory=_by_cohort)


@dataclass(slots=True)
class Person:
    """What is written down of one patient; days since the start date."""

    cohort: int = 0
    """Number of the cohort, from 1."""
    level: int = 0
    start_day: int = 0
    infusion_day: int = 0
    """The planned one until then."""
    outcome: int = NO_OUTCOME
    settle_day: int = 0
    """When it becomes known that the outcome is `comes`."""
    comes: int = NO_OUTCOME


class Table(NamedTuple):
    """Questions by their hash: open addressing, at most half full; what a dictionary is to the kernel as it is.

    A question is packed into few words, and its answer's row stands beside it, so that to find one is to read one line
    of memory.
    """

    slots: Any
    """For each slot the row of an answer, or `UNKNOWN`, and the words of the question; a power of two of slots."""
    bits: Any
    """How many bits each number of a question takes, plus one."""
    words: Any
    """The question that is looked for, packed."""


class Tables(NamedTuple):
    """What lies on the bench while one trial runs."""

    candidates: Sequence[int]
    """The day of each candidate's consent; -1 - day for one who fails screening."""
    fates: Sequence[Sequence[int]]
    """What nature has drawn for each patient, by enrolment number: see `GETS`."""
    tolerance: Sequence[float]
    """For each patient, the P(DLT) above which there is a DLT."""
    dlt_probability: Sequence[float]
    """P(DLT) of each level."""
    people: Sequence[Person]
    """Each patient's `Person`."""
    queue: list[int]
    """Who waits for a place, from `queue_first` to `queue_end`: the day on which each became eligible."""
    question: list[int]
    """What the committee is asked, and all that it sees: see `write_counts`."""
    index: Any
    """Where the answer to a question is: what `find` needs."""
    answers: Sequence[Sequence[int]]
    """What the committee has answered so far: see `SAYS`."""


# The trial


def run_many(
    p: Protocol,
    w: Bench,
    t: Tables,
    candidates: Sequence[Any],
    fates: Sequence[Any],
    tolerance: Sequence[Any],
    todo: Sequence[int],
    codes: list[int],
    questions: list[list[int]],
    rows: list[list[int]],
    paths: list[list[int]],
    infusion_days: Sequence[int],
) -> None:
    """Run some trials of a chunk, and write down, in their order, how each ended: with its books or its question.

    Parameters
    ----------
    candidates, fates, tolerance
        Of every trial of the chunk, as in `Tables`.
    todo : sequence of int
        Positions of the trials to be run.
    codes, questions, rows, paths
        How each of them ended, its question, and what `close_books` writes.
    infusion_days : sequence of int
        Days of the infusions after the first one.
    """
    for place in range(len(todo)):
        trial = todo[place]
        t = Tables(
            candidates[trial],
            fates[trial],
            tolerance[trial],
            t.dlt_probability,
            t.people,
            t.queue,
            t.question,
            t.index,
            t.answers,
        )
        codes[place] = run_trial(p, w, t)
        if codes[place] == ENDED:
            close_books(p, w, t, rows[place], paths[place], infusion_days)
        elif codes[place] == ASKS:
            for position in range(len(t.question)):
                questions[place][position] = t.question[position]


def run_trial(p: Protocol, w: Bench, t: Tables) -> int:
    """Run one trial; return how the run ended, with the trial or its question on the bench."""
    begin(p, w)
    w.next_eligible = next_eligible_day(p, w, t)
    while True:
        one_day(p, w, t)
        following = next_day(p, w, t)
        if w.code != RUNNING:
            return w.code
        if following > p.max_days:
            break
        wait(p, w, following)
        w.today = following
    last = t.candidates[len(t.candidates) - 1]
    w.code = NEEDS_CANDIDATES if (last if last >= 0 else -1 - last) <= w.last_consent_day else ENDED
    return w.code


def begin(p: Protocol, w: Bench) -> None:
    """Clear the bench, and open the first cohort."""
    w.today = w.last_day = 0
    w.code = RUNNING
    w.candidate = w.queue_first = w.queue_end = w.withdrew = w.no_place = w.turned_away = 0
    w.evaluable_patients = w.enrolled = w.arrived = w.infused = w.on_the_way = w.windows = w.oldest_window = 0
    w.cohorts = w.open = w.held = w.expansion = w.rolling = 0
    w.news = w.since_outcomes = w.since_dlts = w.cut_forced = w.cut_outstanding = w.concluding = w.closed = 0
    w.check_day = w.meeting_day = w.wake_day = NEVER
    w.dlt_known = w.last_outcome_day = w.ended_day = w.expansion_closed_day = w.closed_day = -1
    w.permitted, w.recommended, w.reason = p.start_level, NO_LEVEL, p.time_is_up
    w.last_consent_day = p.max_days
    for level in range(p.levels):
        w.evaluable[level] = w.dlts[level] = w.pending[level] = w.lymphodepleted[level] = w.replaced[level] = 0
        w.opened_day[level] = -1
    for position in range(WAITS):
        w.waits[position] = w.if_stops[position] = w.if_goes_on[position] = 0
    for cohort in range(COHORTS_TIMED):
        w.cohort_days[cohort] = -1
    if p.first_action == STOP:
        finish(p, w, p.first_level, p.first_reason, 0)
    else:
        open_cohort(p, w, p.first_level, p.first_patients, 0)


def one_day(p: Protocol, w: Bench, t: Tables) -> None:
    """Let today's phases pass, in their order; a question to the committee ends them."""
    if w.windows:
        outcomes(p, w, t, MORNING)
    if w.check_day <= w.today:
        w.check_day = NEVER
        if w.open:
            look_at_outcomes(p, w, t)
    if w.code == RUNNING and w.meeting_day == w.today:
        decide(p, w, t, 0)
    if w.code != RUNNING:
        return
    if not w.closed:
        candidates_come_and_go(p, w, t)
    infusions(p, w, t)
    if w.queue_first < w.queue_end:
        give_places(p, w, t)
    if w.code == RUNNING and w.windows:
        outcomes(p, w, t, EVENING)


def next_day(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the next day on which something happens that a decision can depend on."""
    day = w.meeting_day
    if w.check_day < day:
        day = w.check_day
    if w.arrived < w.enrolled and t.people[w.arrived].infusion_day < day:
        day = t.people[w.arrived].infusion_day
    for patient in range(w.oldest_window, w.arrived):
        if t.people[patient].outcome == PENDING and t.people[patient].settle_day < day:
            day = t.people[patient].settle_day
    if not w.closed:
        if w.next_eligible < day:
            day = w.next_eligible
        if w.queue_first < w.queue_end:
            if w.wake_day < day:
                day = w.wake_day
            if t.queue[w.queue_first] + p.patience_days < day:
                day = t.queue[w.queue_first] + p.patience_days
    return day


# From cohort to cohort


def open_cohort(p: Protocol, w: Bench, level: int, places: int, expansion: int) -> None:
    """Let the first place of a cohort be filled from now on."""
    w.has_sentinel = 1 if p.sentinel_every_cohort or w.opened_day[level] < 0 else 0
    if w.opened_day[level] < 0:
        w.opened_day[level] = w.today
    w.cohorts += 1
    w.open, w.held, w.level, w.places, w.expansion = 1, 0, level, places, expansion
    w.rolling = 1 if p.rolling and not expansion else 0
    w.first_patient = w.enrolled
    w.cohort_lymphodepleted = w.cohort_pending = w.cohort_evaluable = w.cohort_dlts = 0
    w.taken = w.cohort_freed = w.vacant = 0
    w.cohort_opened = w.today
    w.last_day = w.today


def hold(w: Bench) -> None:
    """Let a cohort go on without free places: accrual is suspended, or the rule has finished."""
    w.open, w.held, w.check_day = 1, 1, w.today + 1
    undecided(w)


def undecided(w: Bench) -> None:
    """Note that the last decision on the cohort is still to come."""
    if w.cohorts <= COHORTS_TIMED:
        w.cohort_days[w.cohorts - 1] = -1


def look_at_outcomes(p: Protocol, w: Bench, t: Tables) -> None:
    """Make the data cut, if the cohort is complete or its decision is forced."""
    if is_complete(p, w):
        cut_data(p, w, t, 0, 0)
    elif w.news and w.expansion:
        found = ask(p, w, t, EXPANSION, 0)
        if found >= 0 and t.answers[found][SAYS]:
            w.expansion_closed_day, w.permitted = w.today, w.level - 1
            cut_data(p, w, t, 0, 0)
    elif w.news and p.early_decision and not w.concluding:
        outstanding = outcomes_to_come(w)
        found = ask(p, w, t, FORCED, outstanding)
        if found >= 0 and t.answers[found][SAYS]:
            cut_data(p, w, t, 1, outstanding)


def cut_data(p: Protocol, w: Bench, t: Tables, forced: int, outstanding: int) -> None:
    """Freeze what the committee will see; nobody is enrolled until it has decided."""
    w.last_day = w.today
    w.open = w.news = 0
    if w.expansion:
        close_enrolment(w, 0)
        return
    w.cut_forced, w.cut_outstanding = forced, outstanding
    day = w.today + p.review_delay_days
    w.meeting_day = day + p.meeting_wait[day % 7]
    write_counts(p, w, t)


def decide(p: Protocol, w: Bench, t: Tables, late: int) -> None:
    """Let the committee decide on the cohort's data cut; `late` is 1 if today's candidates have come already."""
    if w.rolling:
        write_counts(p, w, t)
        w.news = 0
        if w.cut_forced:
            w.cut_outstanding = outcomes_to_come(w)
    if w.concluding:
        found = answer(w, t, CONCLUSION, 0, w.stop_reason)
    else:
        places = room(p, w, NO_LEVEL)
        if w.on_the_way:  # what the cap leaves depends on what is decided
            found = decision(p, w, t, ABOVE_EVERYBODY)
            places = room(p, w, t.answers[found][TO_LEVEL]) if found >= 0 else 0
        if w.code == RUNNING:
            found = decision(p, w, t, places if places > 0 else 0)
    if found >= 0:
        follow(p, w, t.answers[found], late)


def decision(p: Protocol, w: Bench, t: Tables, places: int) -> int:
    """Ask for the decision, with so many patients left under the cap."""
    found = answer(w, t, DECISION, w.cut_outstanding, places)
    if found >= 0 and p.reads_followup == LEVEL_FOLLOWUP:
        seen = days_seen(p, w, t)
        while t.answers[found][TURNS_AT] <= seen:
            found = t.answers[found][TURNS_TO]
    return found


def days_seen(p: Protocol, w: Bench, t: Tables) -> int:
    """Return how many days of their windows the pending patients of the level have been observed, added up."""
    total = 0
    for patient in range(w.oldest_window, w.arrived):
        person = t.people[patient]
        if person.outcome == PENDING and person.level == w.level:
            seen = w.today - person.infusion_day
            total += seen if seen < p.window_end else p.window_end
    return total


def follow(p: Protocol, w: Bench, decided: Sequence[int], late: int) -> None:
    """Do what the committee has decided."""
    w.last_day = w.today
    w.meeting_day = NEVER
    if w.cohorts <= COHORTS_TIMED:
        w.cohort_days[w.cohorts - 1] = w.today - w.cohort_opened
    action, level = decided[SAYS], decided[TO_LEVEL]
    provisional = not w.concluding and decided[RESTS_ON_DATA] and (w.on_the_way > 0 or w.windows > 0)
    w.permitted = decided[RULE_ALONE] if provisional else level
    if action != SUSPEND:
        no_doubt(w, action == STOP)
        w.since_outcomes = w.since_dlts = 0
    if provisional:
        w.concluding, w.stop_reason = 1, decided[WHY]
        if not p.expands:
            close_enrolment(w, late)
        hold(w)
    elif w.concluding or action == STOP:
        finish(p, w, level, decided[WHY], late)
    elif action == SUSPEND:
        hold(w)
    elif w.rolling and level == w.level:
        w.open, w.held, w.vacant, w.places = 1, 0, 0, w.taken + decided[SO_MANY]
        undecided(w)
    else:
        open_cohort(p, w, level, decided[SO_MANY], 0)


def finish(p: Protocol, w: Bench, level: int, reason: int, late: int) -> None:
    """End the escalation: expand at the recommended level, or close enrolment."""
    w.recommended, w.reason = level, reason
    if w.cohorts:
        w.ended_day = w.today
    places = room(p, w, w.permitted)
    if p.expands and level != NO_LEVEL and places > 0:
        open_cohort(p, w, level, places, 1)
    elif not w.closed:
        close_enrolment(w, late)


def close_enrolment(w: Bench, late: int) -> None:
    """Enrol nobody from now on; whoever waits is turned away, and so is whoever is in screening."""
    w.last_day = w.today
    w.closed, w.closed_day, w.open = 1, w.today, 0
    w.last_consent_day = w.today if late else w.today - 1
    w.turned_away += w.queue_end - w.queue_first
    w.queue_first = w.queue_end = 0


# Candidates


def next_eligible_day(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the day on which the next candidate becomes eligible."""
    while w.candidate < len(t.candidates):
        consent_day = t.candidates[w.candidate]
        if consent_day >= 0:
            return consent_day + p.screening_days
        if -1 - consent_day > p.max_days:
            return NEVER
        w.candidate += 1
    w.code = NEEDS_CANDIDATES
    return NEVER


def candidates_come_and_go(p: Protocol, w: Bench, t: Tables) -> None:
    """Let those go whose patience is over, and today's eligible candidates ask for a place."""
    while w.queue_first < w.queue_end and t.queue[w.queue_first] + p.patience_days <= w.today:
        w.queue_first += 1
        w.withdrew += 1
    if w.queue_first == w.queue_end:
        w.queue_first = w.queue_end = 0
    while w.next_eligible == w.today:
        t.queue[w.queue_end] = w.today
        w.queue_end += 1
        w.candidate += 1
        w.next_eligible = next_eligible_day(p, w, t)


def give_places(p: Protocol, w: Bench, t: Tables) -> None:
    """Give places to those who wait, in their order; ask a rolling rule for whoever is ready and has none."""
    looks = True
    while looks:
        w.wake_day = fill_places(p, w, t)
        if w.code != RUNNING:
            return
        looks = infusions(p, w, t)
        if w.wake_day == NEVER and may_ask_for_candidate(p, w):
            w.wake_day = treatment_day(p, w.today)
            if w.wake_day == w.today:
                cut_data(p, w, t, 0, 0)
                w.wake_day = NEVER
        if w.meeting_day == w.today:
            decide(p, w, t, 1)
            if w.code != RUNNING:
                return
            looks = True
        looks = looks and w.queue_first < w.queue_end
    those_without_place_leave(p, w, t)


def fill_places(p: Protocol, w: Bench, t: Tables) -> int:
    """Enrol those who wait while a slot is open today; return when the next one opens, `NEVER` if there is none."""
    while w.queue_first < w.queue_end:
        if not w.open or not has_free_place(w) or room(p, w, w.permitted) <= 0:
            return NEVER
        earliest = stagger_until(p, w, t) - p.lead_days
        start = treatment_day(p, earliest if earliest > w.today else w.today)
        if start > w.today:
            return start
        if w.enrolled == len(t.people):
            w.code = NEEDS_PATIENTS
            return NEVER
        enrol(p, w, t.people[w.enrolled])
    return NEVER


def may_ask_for_candidate(p: Protocol, w: Bench) -> bool:
    """Return whether a rolling rule is to be asked, since a candidate is ready and every place is taken."""
    if w.queue_first == w.queue_end or not w.open or not w.rolling or w.concluding:
        return False
    if has_free_place(w) or room(p, w, w.permitted) <= 0:
        return False
    return w.news == 1 or w.held == 0


def those_without_place_leave(p: Protocol, w: Bench, t: Tables) -> None:
    """Let those who became eligible today wait, or go, where too many wait already or nobody does."""
    while w.queue_first < w.queue_end and t.queue[w.queue_end - 1] == w.today:
        if p.most_waiting and p.patience_days == 0:
            w.withdrew += 1
        elif w.queue_end - w.queue_first <= p.most_waiting:
            return
        else:
            w.no_place += 1
        w.queue_end -= 1


# Patients


def enrol(p: Protocol, w: Bench, person: Person) -> None:
    """Give the first of those who wait a place in the open cohort; lymphodepletion starts."""
    w.queue_first += 1
    w.enrolled += 1
    person.cohort, person.level, person.outcome = w.cohorts, w.level, NO_OUTCOME
    person.start_day, person.infusion_day = w.today, w.today + p.lead_days
    w.taken += 1
    w.on_the_way += 1
    w.cohort_lymphodepleted += 1
    w.lymphodepleted[w.level] += 1
    if w.vacant:
        w.vacant -= 1
        w.replaced[w.level] += 1
    w.last_day = w.today


def infusions(p: Protocol, w: Bench, t: Tables) -> bool:
    """Infuse those who are due today, unless something speaks against it; return whether somebody was not infused."""
    somebody_not = False
    while w.arrived < w.enrolled and t.people[w.arrived].infusion_day == w.today:
        patient, person = w.arrived, t.people[w.arrived]
        w.arrived += 1
        w.on_the_way -= 1
        w.lymphodepleted[person.level] -= 1
        if person.cohort == w.cohorts:
            w.cohort_lymphodepleted -= 1
        w.last_day = w.today
        withheld = p.withholds and w.dlt_known > PHASES * person.start_day + INFUSIONS_END
        if person.level > w.permitted or withheld or t.fates[GETS][patient] == NOTHING:
            gives_place_back(p, w, person)
            somebody_not = True
        else:
            begins_window(p, w, person)
            plan_outcome(p, w, t, patient)
    return somebody_not


def gives_place_back(p: Protocol, w: Bench, person: Person) -> None:
    """Write down that a lymphodepleted patient is not infused."""
    person.outcome = NOT_INFUSED
    here = person.cohort == w.cohorts
    if here:
        w.taken -= 1
        w.cohort_freed += 1
        w.vacant += 1
    if (p.rolling and not (here and w.expansion)) or w.concluding:
        w.news = 1
        if w.today + 1 < w.check_day:
            w.check_day = w.today + 1


def begins_window(p: Protocol, w: Bench, person: Person) -> None:
    """Write down a patient's first infusion."""
    person.outcome = PENDING
    w.windows += 1
    w.infused += 1
    w.pending[person.level] += 1
    if person.cohort == w.cohorts:
        w.cohort_pending += 1


def plan_outcome(p: Protocol, w: Bench, t: Tables, patient: int) -> None:
    """Write down when the outcome of a patient who is infused today becomes known, and what it will be."""
    person = t.people[patient]
    dlt_day, drop_out_day = day_of_dlt(p, t, patient), t.fates[DROP_OUT_DAY][patient]
    last = drop_out_day if drop_out_day < p.follow_up_days else p.follow_up_days
    if dlt_day <= p.window_end and dlt_day <= last:
        person.settle_day, person.comes = w.today + dlt_day, DLT
    elif p.window_end <= last:
        stopped = dlt_day if dlt_day < drop_out_day else drop_out_day
        full = t.fates[GETS][patient] == FULL_DOSE and (p.last_infusion == 0 or p.last_infusion < stopped)
        person.settle_day, person.comes = w.today + p.window_end, NO_DLT if full else NON_EVALUABLE
    else:
        person.settle_day, person.comes = w.today + last, LEFT_IN_WINDOW


def day_of_dlt(p: Protocol, t: Tables, patient: int) -> int:
    """Return the day of a patient's DLT after the first infusion, `NEVER` if there is none."""
    level = t.people[patient].level
    if t.tolerance[patient] >= t.dlt_probability[level]:
        return NEVER
    return t.fates[ONSET_DAY + (level if p.onset_depends_on_level else 0)][patient]


def outcomes(p: Protocol, w: Bench, t: Tables, phase: int) -> None:
    """Let today's outcomes become known: in the morning of patients infused before, in the evening of today's."""
    for patient in range(w.oldest_window, w.arrived):
        person = t.people[patient]
        if person.outcome == PENDING and person.settle_day == w.today:
            settle(p, w, person, phase)
    while w.oldest_window < w.arrived and t.people[w.oldest_window].outcome != PENDING:
        w.oldest_window += 1


def settle(p: Protocol, w: Bench, person: Person, phase: int) -> None:
    """Turn a pending patient into an evaluable or a non-evaluable one."""
    outcome, level, here = person.comes, person.level, person.cohort == w.cohorts
    person.outcome = outcome
    w.windows -= 1
    w.pending[level] -= 1
    if here:
        w.cohort_pending -= 1
    if outcome in (DLT, NO_DLT):
        dlt = 1 if outcome == DLT else 0
        w.evaluable[level] += 1
        w.evaluable_patients += 1
        w.dlts[level] += dlt
        w.since_outcomes += 1
        w.since_dlts += dlt
        if here:
            w.cohort_evaluable += 1
            w.cohort_dlts += dlt
        if dlt:
            w.dlt_known = PHASES * w.today + phase
    elif here and p.replaces:
        w.cohort_freed += 1
        if not w.rolling:
            w.taken -= 1
            w.vacant += 1
    w.news = 1
    w.last_outcome_day = w.today
    check = w.today if phase == MORNING else w.today + 1
    if check < w.check_day:
        w.check_day = check
    w.last_day = w.today


# Places, room, gates


def has_free_place(w: Bench) -> bool:
    """Return whether the cohort has a place that nobody has taken, and that may be given."""
    return w.held == 0 and w.taken < w.places


def room(p: Protocol, w: Bench, level: int) -> int:
    """Return what the cap leaves if nothing above a level is given any more."""
    used = w.infused if p.cap_counts_infused else w.evaluable_patients + w.windows
    if w.on_the_way:
        for at in range(level + 1):
            used += w.lymphodepleted[at]
    return p.cap - used


def outcomes_to_come(w: Bench) -> int:
    """Return how many outcomes are outstanding: the cohort's, and with a rolling rule the level's."""
    if not w.rolling:
        return w.places - w.taken + w.cohort_pending + w.cohort_lymphodepleted
    free = w.places - w.taken if has_free_place(w) else 0
    return free + w.pending[w.level] + w.lymphodepleted[w.level]


def is_complete(p: Protocol, w: Bench) -> bool:
    """Return whether every outcome is known that the decision waits for, and no place can be filled any more."""
    if w.rolling:
        if w.on_the_way or w.windows:
            return False
    elif w.cohort_lymphodepleted or w.cohort_pending:
        return False
    return not has_free_place(w) or room(p, w, w.permitted) <= 0


def treatment_day(p: Protocol, earliest: int) -> int:
    """Return the first day on which lymphodepletion may start, as far as weekdays are concerned."""
    return earliest + p.treatment_wait[(earliest + p.lead_days) % 7]


def stagger_until(p: Protocol, w: Bench, t: Tables) -> int:
    """Return the first day on which the cohort's next patient may be infused."""
    treated, last = 0, 0
    for patient in range(w.first_patient, w.enrolled):
        if t.people[patient].outcome != NOT_INFUSED:
            treated += 1
            last = t.people[patient].infusion_day
    if treated == 0:
        return 0
    return last + (p.sentinel_stagger_days if treated == 1 and w.has_sentinel else p.stagger_days)


# What the trial waits for


def wait(p: Protocol, w: Bench, until: int) -> None:
    """Write down what the trial waits for from the end of today on."""
    days = until - w.today
    if not w.open:
        w.waits[COMMITTEE if w.meeting_day != NEVER else FOLLOW_UP] += days
        return
    for_place = STAGGER if w.queue_first < w.queue_end else PATIENTS
    for_outcome = LYMPHODEPLETION if w.cohort_lymphodepleted else WINDOWS
    if w.rolling and not w.held:
        if w.enrolled - w.first_patient - w.cohort_freed < w.places:
            w.waits[for_place] += days
        else:
            w.if_stops[for_outcome] += days
            w.if_goes_on[for_place] += days
    elif has_free_place(w) and room(p, w, w.permitted) > 0:
        w.waits[for_place] += days
    else:
        w.waits[for_outcome] += days


def no_doubt(w: Bench, stops: bool) -> None:
    """Add the days on which it was not known yet what the trial was waiting for."""
    for position in range(WAITS):
        w.waits[position] += w.if_stops[position] if stops else w.if_goes_on[position]
        w.if_stops[position] = w.if_goes_on[position] = 0


# Questions to the committee


def write_counts(p: Protocol, w: Bench, t: Tables) -> None:
    """Write what a committee can see of the trial now into the question.

    It holds kind, outstanding outcomes, room, level, the last cohort's evaluable patients and DLTs, and for each level
    evaluable patients, DLTs and pending patients; then, for rules that read the follow-up, the pending, the lost and
    those with a DLT, each as ``level + levels * days``, sorted, -1 where there is nobody.
    """
    q = t.question
    q[3] = w.level
    q[4] = q[5] = 0
    if p.reads_last and p.rolling:
        q[4], q[5] = w.since_outcomes, w.since_dlts
    elif p.reads_last:
        q[4], q[5] = w.cohort_evaluable, w.cohort_dlts
    for level in range(p.levels):
        q[HEAD + level] = w.evaluable[level]
        q[HEAD + p.levels + level] = w.dlts[level]
        q[HEAD + 2 * p.levels + level] = w.pending[level] + (w.lymphodepleted[level] if p.rolling else 0)
    if p.reads_followup == EACH_FOLLOWUP:
        write_followup(p, w, t)


def write_followup(p: Protocol, w: Bench, t: Tables) -> None:
    """Write what is known of single patients: how far the pending are, when the lost left, when DLTs came."""
    q, first = t.question, HEAD + 3 * p.levels
    size = (len(q) - first) // 3
    for position in range(first, len(q)):
        q[position] = -1
    for patient in range(w.enrolled):
        person = t.people[patient]
        if person.outcome == NO_OUTCOME:
            insert(q, first, size, person.level)
        elif person.outcome == PENDING:
            insert(q, first, size, person.level + p.levels * (w.today - person.infusion_day))
        elif person.outcome == LEFT_IN_WINDOW:
            insert(q, first + size, size, person.level + p.levels * (person.settle_day - person.infusion_day))
        elif person.outcome == DLT:
            insert(q, first + 2 * size, size, p.levels * (person.settle_day - person.infusion_day))


def insert(q: list[int], first: int, size: int, value: int) -> None:
    """Put a number where it belongs among those from `first` on, in ascending order, before what is empty."""
    position = first
    while position < first + size and q[position] >= 0 and q[position] <= value:
        position += 1
    while position < first + size and value >= 0:
        following = q[position]
        q[position] = value
        value = following
        position += 1


def ask(p: Protocol, w: Bench, t: Tables, kind: int, outstanding: int) -> int:
    """Ask about what is known now; return where the answer is, or -1 with the question on the bench."""
    write_counts(p, w, t)
    return answer(w, t, kind, outstanding, 0)


def answer(w: Bench, t: Tables, kind: int, outstanding: int, places: int) -> int:
    """Ask about the counts in the question; return where the answer is, or -1 with the question on the bench."""
    t.question[0], t.question[1], t.question[2] = kind, outstanding, places
    found = find(t.index, t.question)
    if found < 0:
        w.code = ASKS
    return found


def find(index: Any, question: list[int]) -> int:
    """Return where the answer to a question is, `UNKNOWN` if the committee was not asked yet."""
    found: int = index.get(tuple(question), UNKNOWN)
    return found


def pack(table: Table, question: Sequence[int]) -> int:
    """Pack a question into the table's words, each number plus one, and return the slot where its search begins."""
    word, used, value, mixed = 0, 0, 0, 0
    for position in range(len(question)):
        bits = table.bits[position]
        if used + bits > WORD_BITS:
            table.words[word] = value
            mixed = (mixed ^ value) * HASH_FACTOR
            mixed ^= mixed >> 29
            word, used, value = word + 1, 0, 0
        value |= (question[position] + 1) << used
        used += bits
    table.words[word] = value
    mixed = (mixed ^ value) * HASH_FACTOR
    mixed ^= mixed >> 32
    return mixed & (len(table.slots) - 1)


def find_in_table(table: Table, question: Sequence[int]) -> int:
    """Do what `find` does, compiled."""
    slot, words = pack(table, question), len(table.words)
    while table.slots[slot][0] != UNKNOWN:
        same = True
        for word in range(words):
            if table.slots[slot][1 + word] != table.words[word]:
                same = False
                break
        if same:
            row: int = table.slots[slot][0]
            return row
        slot = (slot + 1) & (len(table.slots) - 1)
    return UNKNOWN


def store(table: Table, questions: Sequence[Sequence[int]], first: int) -> None:
    """Put questions, none of which is in the table, into its slots; their answers' rows begin with `first`."""
    for position in range(len(questions)):
        slot = pack(table, questions[position])
        while table.slots[slot][0] != UNKNOWN:
            slot = (slot + 1) & (len(table.slots) - 1)
        table.slots[slot][0] = first + position
        for word in range(len(table.words)):
            table.slots[slot][1 + word] = table.words[word]


# The books

(SCREEN_FAILURE, WITHDREW, NO_PLACE, TURNED_AWAY, WAS_NOT_INFUSED, COMPLETED, DROPPED_OUT, CUT_OFF,
 STATES) = range(9)  # fmt: skip
"""Positions in `escalate.tables.STATES`, and how many there are."""

WAIT_COLUMN = 3
MILESTONE_COLUMN = WAIT_COLUMN + WAITS
MILESTONES_BESIDE_LEVELS = 7
"""First columns of what is kept of a trial; how many milestones there are, those of the levels aside."""

LETTERS = tuple(b"\0PNTXX\0")
"""The dose path's letter for each outcome."""

SPACE, ZERO = b" 0"


def close_books(
    p: Protocol, w: Bench, t: Tables, row: list[int], path: list[int], infusion_days: Sequence[int]
) -> None:
    """Write what is kept of a trial that has ended.

    Parameters
    ----------
    row : sequence of int
        Recommended level, position of the reason, duration, `escalate.timeline.WAITS`, milestones, states, for each of
        `escalate.outcomes.PER_LEVEL` the levels, and days of the first cohorts.
    path : sequence of int
        Bytes of the dose path, 0 where it has ended.
    infusion_days : sequence of int
        Days of the infusions after the first one.
    """
    for position in range(len(row)):
        row[position] = 0
    first = MILESTONE_COLUMN + p.levels + MILESTONES_BESIDE_LEVELS
    for patient in range(w.enrolled):
        row[first + patient_state(p, w, t, patient)] += 1
        count_patient(p, t.people[patient], row, first + STATES)
    count_candidates(p, w, t, row, first)
    is_complete_trial = w.closed and w.reason != p.time_is_up and row[first + CUT_OFF] == 0
    end = w.last_day if is_complete_trial else p.max_days
    wait(p, w, end)
    no_doubt(w, False)
    for level in range(p.levels):
        row[first + STATES + 5 * p.levels + level] = w.replaced[level]
    for position in range(first + STATES + 6 * p.levels, len(row)):
        row[position] = w.cohort_days[position - first - STATES - 6 * p.levels]
    row[0], row[1], row[2] = w.recommended, w.reason, end
    for position in range(WAITS):
        row[WAIT_COLUMN + position] = w.waits[position]
    milestones(p, w, t, row, infusion_days, end if is_complete_trial else -1)
    write_path(w, t, path)


def patient_state(p: Protocol, w: Bench, t: Tables, patient: int) -> int:
    """Return the state in which a patient ends."""
    person = t.people[patient]
    if person.outcome == NO_OUTCOME:
        return CUT_OFF
    if person.outcome == NOT_INFUSED:
        return WAS_NOT_INFUSED
    drop_out_day = t.fates[DROP_OUT_DAY][patient]
    drops_out = drop_out_day < p.follow_up_days
    left = person.infusion_day + (drop_out_day if drops_out else p.follow_up_days)
    if left > p.max_days:
        return CUT_OFF
    if left > w.last_day:
        w.last_day = left
    return DROPPED_OUT if drops_out else COMPLETED


def count_patient(p: Protocol, person: Person, row: list[int], first: int) -> None:
    """Count a patient at the level: infused, evaluable, with a DLT, non-evaluable, not infused."""
    outcome, column = person.outcome, first + person.level
    if outcome == NOT_INFUSED:
        row[column + 4 * p.levels] += 1
    elif outcome != NO_OUTCOME:
        row[column] += 1
        if outcome in (DLT, NO_DLT):
            row[column + p.levels] += 1
        if outcome == DLT:
            row[column + 2 * p.levels] += 1
        if outcome in (NON_EVALUABLE, LEFT_IN_WINDOW):
            row[column + 3 * p.levels] += 1


def count_candidates(p: Protocol, w: Bench, t: Tables, row: list[int], first: int) -> None:
    """Count the states of those who were never enrolled."""
    row[first + WITHDREW] += w.withdrew
    row[first + NO_PLACE] += w.no_place
    row[first + TURNED_AWAY] += w.turned_away
    row[first + CUT_OFF] += w.queue_end - w.queue_first
    for candidate in range(len(t.candidates)):
        fails = t.candidates[candidate] < 0
        consent_day = -1 - t.candidates[candidate] if fails else t.candidates[candidate]
        if consent_day > w.last_consent_day:
            return
        if consent_day + p.screening_days > w.last_consent_day:
            row[first + (TURNED_AWAY if w.closed else CUT_OFF)] += 1
        elif fails:
            row[first + SCREEN_FAILURE] += 1


def milestones(p: Protocol, w: Bench, t: Tables, row: list[int], infusion_days: Sequence[int], ended: int) -> None:
    """Write the days of the milestones, -1 for what never came."""
    first_infusion, last_infusion = -1, -1
    for patient in range(w.arrived):
        person = t.people[patient]
        if person.outcome == NOT_INFUSED:
            continue
        if first_infusion < 0:
            first_infusion = person.infusion_day
        dlt_day, stopped = day_of_dlt(p, t, patient), t.fates[DROP_OUT_DAY][patient]
        if dlt_day < stopped:
            stopped = dlt_day
        if person.infusion_day > last_infusion:
            last_infusion = person.infusion_day
        for after in infusion_days:
            day = person.infusion_day + after
            if after < stopped and day <= p.max_days and day > last_infusion:
                last_infusion = day
    row[MILESTONE_COLUMN] = first_infusion
    for level in range(p.levels):
        row[MILESTONE_COLUMN + 1 + level] = w.opened_day[level]
    last = MILESTONE_COLUMN + p.levels + 1
    row[last], row[last + 1], row[last + 2] = last_infusion, w.last_outcome_day, w.ended_day
    row[last + 3], row[last + 4], row[last + 5] = w.expansion_closed_day, w.closed_day, ended


def write_path(w: Bench, t: Tables, path: list[int]) -> None:
    """Write the dose path as bytes: for each cohort with infused patients its level, then a letter for each."""
    position, cohort = 0, 0
    for patient in range(w.arrived):
        person = t.people[patient]
        letter = LETTERS[person.outcome]
        if not letter:
            continue
        if person.cohort != cohort:
            cohort, level = person.cohort, person.level + 1
            if position:
                path[position] = SPACE
                position += 1
            if level > 9:
                path[position] = ZERO + level // 10
                position += 1
            path[position] = ZERO + level % 10
            position += 1
        path[position] = letter
        position += 1
    for rest in range(position, len(path)):
        path[rest] = 0
