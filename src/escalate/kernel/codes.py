"""The codes that are written on the bench, in questions and in answers; one class for each kind of them.

Read as ``Outcome.DLT``. Members are plain whole numbers: to the compiled kernel each class is an enumeration, whose
members are constants (`compiled`); to the kernel as it is, a member of Python's own enumerations would take five times
as long to read. Actions are those of `escalate.words.records.Action`.
"""

from __future__ import annotations

NO_SEAT = NOT_KNOWN = -1
"""The seat of a trial that has not begun; a day that more candidates are needed for."""

AS_DRAWN = -1
"""What the scenario does not fix."""

UNKNOWN = -1
"""Where the answer is to a question that the committee was not asked yet."""

HEAD = 7
"""Numbers of a question before the counts of each level."""

WORD_BITS, HASH_FACTOR = 62, 1099511628211
"""Bits of a word that questions are packed into; what their hash is multiplied with."""

FULL = True
"""Whether the kernel can do what few scenarios ask for: see `chunk.is_plain`. False in the plain edition of the
compiled kernel, which is faster without it."""


class Codes:
    """Whole numbers of one kind, each with its name."""


class Run(Codes):
    """How a run of `days.run_trial` ends."""

    GOES_ON = 0
    """Not yet."""
    ENDED = 1
    """With the trial."""
    LEAVES_QUESTION = 2
    """With the trial, and a question on which nothing waits any more: what is recommended."""
    ASKS = 3
    """With a question on which the trial waits."""
    NEEDS_CANDIDATES = 4
    """For want of candidates: all of its pages have passed."""
    NEEDS_PATIENTS = 5
    """For want of random numbers for so many patients."""
    NEEDS_ROOM = 6
    """For want of room for so many who have come and are not enrolled."""


class Stage(Codes):
    """Where in a day a trial is.

    It goes on from there when the committee has answered, or there are more candidates; what was done before it was
    left is not due any more.
    """

    DAYBREAK = 0
    """Before anybody comes today."""
    DAY = 1
    """When candidates come."""
    CONSENTS = 2
    """When those consent who are looked at one by one."""
    PLACES = 3
    """When places are given."""
    NIGHT = 4
    """When all has been done."""


class Ask(Codes):
    """What a committee is asked."""

    DECISION = 0
    """Its decision."""
    MAY_BE_FORCED = 1
    """Whether it leaves the level even if no more DLT comes."""
    FORCED = 2
    """Whether it leaves the level in any case."""
    EXPANSION = 3
    """Whether an expansion is closed."""
    RECOMMENDATION = 4
    """What it recommends where the trial ends for another reason than the rule's."""
    CONCLUSION = 5
    """What it recommends in the end, when a stop came before the last outcomes."""
    TIME_UP = 6
    """The same, when the trial's time is up."""


class Answer(Codes):
    """What an answer holds, by position."""

    SAYS = 0
    """An `Action`, or yes and no."""
    TO_LEVEL = 1
    SO_MANY = 2
    """Patients."""
    WHY = 3
    """Position of the reason."""
    OPEN_LEVELS = 4
    """How many levels, from the lowest up, are open after it."""
    RESTS_ON_DATA = 5
    """Whether outcomes still to come can change what a stop recommends."""
    LEAVES_LEVEL = 6
    """Whether the level is that of an `Ask.RECOMMENDATION` instead."""
    RULE_ALONE = 7
    """The highest level at which the rule by itself would go on."""
    TURNS_AT = 8
    """From how many days of follow-up at the level on another answer holds; `NEVER` if from none."""
    TURNS_TO = 9
    """Where that answer is."""
    KEEPS_BACK = 10
    """Whether nobody starts at the level any more who has been given a place."""
    SIZE = 11
    """How many numbers that are."""


class Followup(Codes):
    """What a rule reads of the pending patients' windows."""

    NOTHING = 0
    AT_LEVEL = 1
    """The days seen at the level, added up."""
    OF_EACH = 2
    """The days of each patient."""


class Fixed(Codes):
    """What a scenario can say of a patient: columns of `bench.Tables.what_if`, each `AS_DRAWN` where it does not."""

    NOT_INFUSED = 0
    """1 if the patient gets no cells; of `bench.Tables.probability`, too."""
    LESS = 1
    """1 if the patient gets less than the full dose; likewise."""
    DLT = 2
    """1 if there is a DLT at any level, 0 if at none."""
    DLT_DAY = 3
    """Days after the first infusion."""
    LAST_DAY = 4
    """The last day observed; `NEVER` if the patient stays."""
    SIZE = 5


class Drawn(Codes):
    """What is drawn for candidates who are looked at one by one: rows of `bench.Tables.ways`."""

    PASSES = 0
    """Screenings that are passed before one fails."""
    FAILING = 1
    """Attempts at a product that fail before one succeeds."""
    SITE = 2
    """The site that the candidate is from."""
    SIZE = 3


class Open(Codes):
    """For what a day is open: rows of `bench.Tables.open_days`, as `escalate.scenario.open_days.OpenDays` has them."""

    COMMITTEE = 0
    """The committee meets."""
    SCREENING = 1
    """Results of screening are given."""
    URGENT = 2
    """The committee can meet urgently."""
    BY_WEEKDAY = 3
    """A treatment may begin, as its weekdays go; with the next row, this one comes again for each schedule."""
    BY_CLOSURE = 4
    """A treatment may begin, as closures go."""
    OF_A_SCHEDULE = 2
    """How many rows each schedule has."""


class Way(Codes):
    """Where somebody is who has come and is not enrolled: `bench.Candidate`."""

    REFERRED = 0
    """Has not consented, since screening waits."""
    BUSY = 1
    """In screening, or until the product is made."""
    WAITS = 2
    """Would take a place."""
    GONE = 3
    """Has left, or is enrolled."""


class Queue(Codes):
    """What stands in `bench.Tables.queue` about those who became eligible on the same day and wait for a place."""

    SINCE = 0
    """That day; where nobody loses patience, the first day since which anybody waits, for all."""
    HOW_MANY = 1
    SIZE = 2
    """How many numbers that are."""


class Fate(Codes):
    """What a lymphodepleted patient gets."""

    NOTHING = 0
    LESS = 1
    FULL_DOSE = 2


class Outcome(Codes):
    """What is known of a patient; both kinds of non-evaluable infused patients are told apart by why."""

    NOT_YET = 0
    """Nothing: between lymphodepletion and infusion."""
    PENDING = 1
    NO_DLT = 2
    DLT = 3
    NON_EVALUABLE = 4
    """Less than the full dose."""
    LEFT_IN_WINDOW = 5
    NOT_INFUSED = 6


class Wait(Codes):
    """What a trial waits for, as positions in `escalate.results.timeline.WAITS`."""

    PATIENTS = 0
    MANUFACTURE = 1
    STAGGER = 2
    REVIEW = 3
    NOTICE = 4
    PRODUCT = 5
    CAPACITY = 6
    CLOSURE = 7
    WEEKDAY = 8
    LYMPHODEPLETION = 9
    WINDOWS = 10
    COMMITTEE = 11
    FOLLOW_UP = 12
    KINDS = 13
    """How many that are."""


class Phase(Codes):
    """Phases of a day that are needed, numbered as in `escalate.trial.calendar`."""

    MORNING = 0
    """Outcomes become known."""
    INFUSIONS_END = 5
    """Lymphodepletion starts."""
    EVENING = 6
    """Outcomes of the day's infusions become known."""
    OF_A_DAY = 7
    """How many phases a day has."""


class State(Codes):
    """States in which candidates end, as positions in `escalate.words.tables.STATES`."""

    NOT_CONSENTED = 0
    SCREEN_FAILURE = 1
    NO_PRODUCT = 2
    WITHDREW = 3
    NO_PLACE = 4
    TURNED_AWAY = 5
    NOT_INFUSED = 6
    COMPLETED = 7
    DROPPED_OUT = 8
    CUT_OFF = 9
    KINDS = 10
    """How many that are."""
