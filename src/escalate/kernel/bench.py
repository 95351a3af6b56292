"""What lies on the bench while one trial runs: protocol, people, counts, and the codes that are written there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

NEVER = 2**40
"""A day that never comes."""

NO_LEVEL = -1

COHORTS_TIMED = 12
"""As `escalate.results.outcomes.COHORTS_TIMED`."""

MOST_LEVELS = 99
"""Dose levels that a bench has room for."""

RUNNING, ENDED, LEAVES_QUESTION, ASKS, NEEDS_CANDIDATES, NEEDS_PATIENTS = range(6)
"""How a run of `run_trial` ends: with the trial; with the trial, and a question on which nothing waits any more, what
is recommended; with a question on which it does; or for want of random numbers."""

ESCALATE, STAY, DE_ESCALATE, SUSPEND, STOP = range(5)
"""Codes of `escalate.words.records.Action`."""

DECISION, MAY_BE_FORCED, FORCED, EXPANSION, RECOMMENDATION, CONCLUSION = range(6)
"""What a committee is asked: its decision; whether it leaves the level even if no more DLT comes; whether it does in
any case; whether an expansion is closed; what it recommends where the trial ends for another reason than the rule's;
what it recommends in the end, when a stop came before the last outcomes."""

(SAYS, TO_LEVEL, SO_MANY, WHY, RESTS_ON_DATA, LEAVES_LEVEL, RULE_ALONE, TURNS_AT, TURNS_TO, ANSWER_SIZE) = range(10)
"""What an answer holds: action, or yes and no; level; patients; position of the reason; whether outcomes still to come
can change what a stop recommends; whether the level is that of a `RECOMMENDATION` instead; the highest level at which
the rule by itself would go on; from how many days of follow-up at the level on (`NEVER` if from none) another answer
holds, and where that is."""

NO_FOLLOWUP, LEVEL_FOLLOWUP, EACH_FOLLOWUP = range(3)
"""What a rule reads of the pending patients' windows: nothing; the days seen at the level; those of each patient."""

WORD_BITS, HASH_FACTOR = 62, 1099511628211
"""Bits of a word that questions are packed into; what their hash is multiplied with."""

DAYBREAK, DAY, NIGHT = range(3)
"""Where in a day a trial is, which goes on from there when the committee has answered, or there are more candidates:
before anybody comes today; when they come, and places are given; when all has been done. What was done before a trial
was left is not due any more."""

NO_SEAT = NOT_KNOWN = -1
"""The seat of a trial that has not begun; a day that more candidates are needed for."""

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
"""What a trial waits for, as positions in `escalate.results.timeline.WAITS`, and how many that are."""

PHASES, MORNING, INFUSIONS_END, EVENING = 7, 0, 5, 6
"""Phases of a day, of which these are needed: outcomes; lymphodepletion starts; outcomes of the day's infusions."""


class Protocol(NamedTuple):
    """What a scenario asks of the calendar, in whole numbers; days where a name says so, 1 for yes."""

    levels: int
    cohort_size: int
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
    reads_dlt_days: int
    days_to_resume: int
    """Days of follow-up with which all pending patients of a level end a suspension of accrual; 0 if none do."""
    monotone: int
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

    # The day, where in it the trial is, how the run goes, and the last day on which something was written into the log
    today: int = 0
    stage: int = DAYBREAK
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
    calm: int = 0
    """No decision is forced before there is bad news: what would be seen is the same (`cohorts.is_forced`), or the rule
    is monotone (there, and `cohorts.stays_calm`)."""
    bad_news: int = 0
    """Since the data that the committee last saw there was a DLT, or a patient without an outcome."""
    evaluable_at_cut: int = 0
    """Evaluable patients in those data."""
    since_outcomes: int = 0
    since_dlts: int = 0
    # What is due
    check_day: int = 0
    meeting_day: int = 0
    wake_day: int = 0
    resume_day: int = 0
    """When a suspended rule is asked again, since the follow-up suffices then."""
    outcome_day: int = 0
    """When the next outcome becomes known."""
    # The last data cut, and how the escalation ends
    cut_forced: int = 0
    cut_outstanding: int = 0
    concluding: int = 0
    stop_reason: int = 0
    left_to_ask: int = 0
    """What is asked when the trial has ended; a `DECISION` where nothing is."""
    recommended: int = 0
    reason: int = 0
    last_outcome_day: int = 0
    ended_day: int = 0
    expansion_closed_day: int = 0
    closed: int = 0
    closed_day: int = 0
    last_consent_day: int = 0
    # Patients at each level, as `escalate.trial.census` counts them, and when its first cohort opened
    evaluable: list[int] = field(default_factory=_by_level)
    dlts: list[int] = field(default_factory=_by_level)
    pending: list[int] = field(default_factory=_by_level)
    lymphodepleted: list[int] = field(default_factory=_by_level)
    replaced: list[int] = field(default_factory=_by_level)
    opened_day: list[int] = field(default_factory=_by_level)
    # Days for each of `escalate.results.timeline.WAITS`: known; and, for days on which a rolling rule's places were all
    # taken, if the rule stops next, or goes on
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
    made_of: Any
    """Nothing, of a type that no other source has: see `compiled`."""


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
    seen: list[int]
    """What the committee can see: see `questions.write_counts`."""
    question: list[int]
    """What it is asked: of what it can see, what the answer turns on."""
    alike: Sequence[Sequence[Sequence[Sequence[int]]]]
    """For each level that is not the cohort's, by evaluable patients and DLTs: the first such counts that no decision
    tells from these; empty where decisions tell all counts apart."""
    index: Any
    """Where the answer to a question is: what `find` needs."""
    answers: Sequence[Sequence[int]]
    """What the committee has answered so far: see `SAYS`."""


class Seats(NamedTuple):
    """What belongs to single trials, by their seats: one that ends at once leaves its seat to the next.

    A trial that waits, for an answer or for more candidates, keeps it.
    """

    benches: Any
    """A `Bench` for each."""
    people: Any
    """As `Tables.people`."""
    queues: Any
    """As `Tables.queue`."""
    seen: Any
    """As `Tables.seen`."""


def day_of_dlt(p: Protocol, t: Tables, patient: int) -> int:
    """Return the day of a patient's DLT after the first infusion, `NEVER` if there is none."""
    level = t.people[patient].level
    if t.tolerance[patient] >= t.dlt_probability[level]:
        return NEVER
    return t.fates[ONSET_DAY + (level if p.onset_depends_on_level else 0)][patient]
