"""What lies on the bench while one trial runs: protocol, people, and counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar
from typing import Protocol as Kind

import numpy as np
from numpy.typing import NDArray

from ..results.outcomes import COHORTS_TIMED
from .codes import Fate, Outcome, Run, Stage, Wait

MOST_LEVELS = 99
"""Dose levels that a bench has room for."""

Item = TypeVar("Item", covariant=True)


class Row(Kind[Item]):
    """Things in a row, as the kernel reads them: a list, or an array."""

    def __len__(self) -> int: ...
    def __getitem__(self, position: int, /) -> Item: ...


class Numbers(Kind):
    """Whole numbers in a row, which may be written over."""

    def __len__(self) -> int: ...
    def __getitem__(self, position: int, /) -> int: ...
    def __iter__(self) -> Iterator[int]: ...
    def __setitem__(self, position: int, value: int, /) -> None: ...


class Times(Kind):
    """Times in a row, which may be written over."""

    def __getitem__(self, position: int, /) -> float: ...
    def __setitem__(self, position: int, value: float, /) -> None: ...


class Protocol(NamedTuple):
    """What a scenario asks of the calendar, in whole numbers; days where a name says so, 1 for yes.

    What depends on the level is a row with a number for each of `MOST_LEVELS`: a type for any number of levels.
    """

    levels: int
    cohort_size: int
    cap: int
    cap_counts_infused: int
    max_days: int
    schedule_row: Row[int]
    """How many rows of other schedules stand before those of a level's own in `Tables.open_days`."""
    infusions: Row[int]
    """How many infusions a patient has."""
    lead_days: Row[int]
    window_end: Row[int]
    window_level: Row[int]
    """The lowest level with the same window."""
    longest_window: int
    last_infusion: Row[int]
    review_delay_days: int
    assignment_delay_days: int
    """-1 where every decision is a meeting's."""
    urgent_review_days: int
    """-1 where an urgent meeting is as any other."""
    reviews_sentinel: int
    """Whether the committee looks at a sentinel's DLT before anybody else starts treatment."""
    stagger_lead_days: Row[int]
    """Days before the end of the stagger from which on lymphodepletion may start."""
    has_resources: int
    """Whether there is a product, or the unit's capacity counts."""
    infusions_per_week: int
    """0 where there may be any number; `patients_at_once` likewise."""
    patients_at_once: int
    discharge_days: int
    first_weekday: int
    """Weekday of day 0, from 0 for a Monday."""
    has_product: int
    doses_at_start: int
    doses_per_batch: int
    sentinel_stagger_days: int
    stagger_days: int
    sentinel_every_cohort: int
    early_decision: int
    replaces: int
    frees_at_once: int
    """Whether the place of a patient who gets less than the full dose is free at once."""
    withholds: int
    withholds_if_closed: int
    withholds_later: int
    """Whether infusions after the first one are withheld at a closed level."""
    expands: int
    follow_up_days: int
    draws_candidates: int
    """Whether the kernel draws candidates itself, as it needs them."""
    sites: int
    """How many the scenario names."""
    one_by_one: int
    """Whether candidates are looked at one by one: `one_by_one`."""
    screening_waits: int
    referred_are_lost: int
    reserves: int
    """Whether places are reserved at consent."""
    candidates_per_place: int
    opens_days_ahead: int
    valid_days: int
    """`NEVER` where results of screening hold for ever."""
    most_attempts: int
    """0 where no product is made of candidates' own cells."""
    manufacture_days: int
    notice_days: int
    screening_days: int
    patience_days: int
    """`NEVER` where nobody loses patience."""
    most_waiting: int
    """0 where nobody waits."""
    rolling: int
    reads_last: int
    reads_followup: int
    reads_dlt_days: int
    days_to_resume: Row[int]
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
    return [0] * Wait.KINDS


@dataclass(slots=True)
class Bench:
    """Where one trial is written down while it runs; levels and positions count from 0, yes is 1."""

    replicate: int = 0
    """Number of the trial."""

    # The day, where in it the trial is, how the run goes, and the last day on which something was written into the log
    today: int = 0
    stage: int = Stage.DAYBREAK
    code: int = Run.GOES_ON
    last_day: int = 0
    # Candidates: the next one on the pages; who would take a place; who left without one
    candidate: int = 0
    passed_candidates: int = 0
    """How many were on the pages before, where the kernel draws them."""
    next_eligible: int = 0
    """Day on which the next one becomes eligible, or the last one on the pages fails screening."""
    ready: int = 0
    """Who would take a place: newcomers, and those in the queue."""
    newcomers: int = 0
    """Who became eligible today, and has neither a place nor joined the queue."""
    queue_first: int = 0
    queue_end: int = 0
    screen_failures: int = 0
    in_screening: int = 0
    """Whose screening was not over when enrolment closed, or the time was up."""
    withdrew: int = 0
    no_place: int = 0
    not_consented: int = 0
    no_product: int = 0
    making: int = 0
    """Of those who are not enrolled, whose product is being made."""
    here: int = 0
    """How many have come and are not enrolled, where they are looked at one by one."""
    turned_away: int = 0
    # Patients in all: evaluable; enrolled; infused; between lymphodepletion and infusion; with an open window, the
    # first of them
    evaluable_patients: int = 0
    enrolled: int = 0
    arrived: int = 0
    """How many were enrolled before the first one who is on the way; where levels have different leads, some of those
    enrolled later have been infused, too."""
    infused: int = 0
    on_the_way: int = 0
    windows: int = 0
    placeless: int = 0
    """Of those with an open window, the ones whose place was free at once."""
    oldest_window: int = 0
    # The open cohort, or the last one
    cohorts: int = 0
    open: int = 0
    held: int = 0
    level: int = 0
    places: int = 0
    expansion: int = 0
    expands_at: int = 0
    """Level of the expansion that is to be opened; `NO_LEVEL` for none."""
    rolling: int = 0
    has_sentinel: int = 0
    first_patient: int = 0
    sentinel: int = 0
    """Who of it was infused first; -1 while nobody was."""
    reviewed_day: int = 0
    """Day from which on the committee has looked at the sentinel's DLT."""
    cohort_lymphodepleted: int = 0
    cohort_pending: int = 0
    cohort_placeless: int = 0
    cohort_evaluable: int = 0
    cohort_dlts: int = 0
    taken: int = 0
    """Places that cannot be given any more: a rolling cohort replaces nobody by itself, the rule is asked again."""
    reserved: int = 0
    """Places beside these that were reserved at consent."""
    kept_back: int = 0
    """Whether somebody with a reserved place is ready, and does not start, since the rule would leave the level."""
    vacant: int = 0
    """Places that were given back, and that nobody has taken since."""
    cohort_opened: int = 0
    # What the committee permits, and what became known since it met
    permitted: int = 0
    standing_since: int = 0
    """First day whose later infusions are given or withheld as levels stand now."""
    open_levels: int = 0
    """How many levels, from the lowest up, no decision so far has eliminated."""
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
    calls: int = 0
    """Whether it is still to be seen if the decision on the data cut takes a meeting."""
    assigns: int = 0
    """Whether the decision that is due takes none: a rolling rule stays."""
    wake_day: int = 0
    wake_gate: int = 0
    """What is waited for until then: one of `Wait`."""
    resume_day: int = 0
    """When a suspended rule is asked again, since the follow-up suffices then."""
    infusion_day: int = 0
    """When the next one on the way is to be infused."""
    outcome_day: int = 0
    """When the next outcome becomes known."""
    turn_day: int = 0
    """When the next one does that is not that of a patient who is evaluable and has no DLT."""
    last_settle_day: int = 0
    """When the last one of those with an open window does."""
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
    to_be_infused: list[int] = field(default_factory=_by_level)
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
    outcome: int = Outcome.NOT_YET
    placeless: int = 0
    """Whether the place was free at once."""
    stopped_day: int = 0
    """Day of the first infusion that was withheld; `NEVER` if none was."""
    site: int = 0
    withheld: int = 0
    """Whether a decision has closed the level since lymphodepletion: such a patient gets no cells."""
    settle_day: int = 0
    """When it becomes known that the outcome is `comes`."""
    comes: int = Outcome.NOT_YET
    gets: int = Fate.NOTHING
    dlt_day: int = 0
    """Day of the DLT after the first infusion, `NEVER` if there is none."""
    drop_out_day: int = 0
    """Last day observed before the patient leaves, after the first infusion; `NEVER` for who stays."""


@dataclass(slots=True)
class Candidate:
    """What is written down of somebody who has come and is not enrolled; days since the start date."""

    way: int = 0
    """One of `codes.Way`."""
    due_day: int = 0
    """When the result of screening is known, or the product is there."""
    is_screened: int = 0
    """Whether screening is over and the product is being made, while busy."""
    has_product: int = 0
    valid_until: int = 0
    """Last day on which the results of screening hold."""
    ready_day: int = 0
    """Since when the candidate has asked for a place."""
    waits: int = 0
    has_waited: int = 0
    waits_since: int = 0
    waited_days: int = 0
    """Before today's wait, if one is on."""
    patience_day: int = 0
    """When patience ends."""
    noticed_day: int = 0
    """When the candidate was told of a free place; -1 if not yet."""
    has_reserved: int = 0
    """Whether the candidate has a place that was reserved at consent."""
    passes: int = 0
    """Screenings that are still passed before one fails."""
    failing: int = 0
    """Attempts at the product that fail before one succeeds."""
    site: int = 0


class Table(NamedTuple):
    """Questions by their hash: open addressing, at most half full; what a dictionary is to the kernel as it is.

    A question is packed into few words, and its answer's row stands beside it, so that to find one is to read one line
    of memory.
    """

    slots: NDArray[np.int64]
    """For each slot the row of an answer, or `UNKNOWN`, and the words of the question; a power of two of slots."""
    bits: NDArray[np.int64]
    """How many bits each number of a question takes, plus one."""
    words: NDArray[np.int64]
    """The question that is looked for, packed."""
    made_of: NDArray[np.void]
    """Nothing, of a type that no other source has: see `compiled`."""


class Tables(NamedTuple):
    """What lies on the bench while one trial runs."""

    candidates: Numbers
    """The day of each candidate's consent, -1 - day for one who fails screening: the pages that have not passed yet."""
    ways: Row[Numbers]
    """What else is drawn for them, where they are looked at one by one: see `Drawn`."""
    clock: Times
    """When the last of them consented, in days without rests, where the kernel draws them; one number."""
    screening_days: Row[int]
    """From consent to the result of screening at each site."""
    consent_opens: Row[Row[int]]
    """For each site and day the first day, from it on, on which somebody may consent."""
    results_open: Row[Row[int]]
    """For each site and day the first day, from it on, on which results of screening are given."""
    here: Row[Candidate]
    """Who has come and is not enrolled, where they are looked at one by one."""
    words: Row[Row[int]]
    """What nature has drawn for each patient, by enrolment number; of the kernel as it is."""
    patient_key: Row[int]
    """What the compiled kernel computes these words with."""
    candidate_key: Row[int]
    """The same for those of candidates."""
    gap_days: Row[float]
    """The mean gap between candidates, where the kernel draws them; one number."""
    rests: Row[Row[int]]
    """When nobody consents, where the kernel draws candidates: first day, and first day after it; in order."""
    screening_until: Row[float]
    """How probable it is to fail one of the screenings up to each, where the kernel draws candidates."""
    what_if: Row[Row[int]]
    """What the scenario fixes of each of the first patients, and in the last row of all others: see `Fixed`."""
    probability: Row[float]
    """How probable it is that nothing is infused, or less than the full dose: see `Fixed`."""
    onset_until: Row[Row[float]]
    """For each level how probable it is that a DLT comes up to each day, if it comes; 2 beyond the window."""
    drop_out_until: Row[float]
    """How probable it is to leave up to each day of follow-up; empty where nobody does."""
    dlt_probability: Row[float]
    """P(DLT) of each level."""
    open_days: Row[Row[int]]
    """For each day the first one, from it on, that the protocol leaves open for something: see `Open`."""
    infusion_days: Row[Numbers]
    """For each level, days of a patient's infusions, from the first one on: as many as `Protocol.infusions` says."""
    release_days: Numbers
    """Days on which batches of the product are released."""
    batch_fails: Row[int]
    """Whether each of them fails."""
    people: Row[Person]
    """Each patient's `Person`."""
    queue: Row[Numbers]
    """Who waits for a place, from `queue_first` to `queue_end`, each modulo its length, a power of two: see `Queue`."""
    seen: Numbers
    """What the committee can see: see `questions.write_counts`."""
    question: Numbers
    """What it is asked: of what it can see, what the answer turns on."""
    alike: Row[Row[Row[Row[int]]]]
    """For each level that is not the cohort's, by evaluable patients and DLTs: the first such counts that no decision
    tells from these; empty where decisions tell all counts apart."""
    asked: dict[tuple[int, ...], int]
    """Where the answer to a question is: what `find` needs; a `Table` where that is compiled."""
    answers: Row[Row[int]]
    """What the committee has answered so far: see `Answer`."""


class Seats(NamedTuple):
    """What belongs to single trials, by their seats: one that ends at once leaves its seat to the next.

    A trial that waits, for an answer or for more candidates, keeps it.
    """

    benches: Row[Bench]
    """A `Bench` for each."""
    candidates: Row[Numbers]
    """As `Tables.candidates`, where the kernel draws them."""
    ways: Row[Row[Numbers]]
    """As `Tables.ways`, where the kernel draws them."""
    clocks: Row[Times]
    """As `Tables.clock`."""
    people: Row[Row[Person]]
    """As `Tables.people`."""
    here: Row[Row[Candidate]]
    """As `Tables.here`."""
    queues: Row[Row[Numbers]]
    """As `Tables.queue`."""
    seen: Row[Numbers]
    """As `Tables.seen`."""
