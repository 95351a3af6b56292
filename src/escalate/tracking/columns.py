"""The sheets of a log and their columns: one place says what each means, and under which other names it is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from ..words.records import Action
from ..words.tables import COHORTS, OUTCOMES, PLACES_RESERVED, STATES, Column, decisions_layout, patients_layout

Kind = Literal["number", "count", "amount", "date", "text", "level", "next level", "site", "words"]
"""How a cell is read."""

YES_NO = ("yes", "no")
UNDER_ADJUDICATION = "under adjudication"
DLT_WORDS = (*YES_NO, UNDER_ADJUDICATION)
NO_DOSE_WORD = "no dose"
"""What stands for the next level of a stop without a dose."""

CUT_OFF = "cut off"
"""The state of who was still in a simulated trial when its time was up: of a log, nobody's."""

LEFT_WORDS = tuple(state for state in STATES if state != CUT_OFF)
ACTIONS = tuple(action.words for action in Action)

EXAMPLE = "example"
"""What stands in the first cell of a row that is an example, and is not read."""

MOST_INFUSIONS = 9
"""So many infusions of a patient have columns, or as many as the protocol plans, if these are more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogColumn:
    """One column of a log's sheet.

    Parameters
    ----------
    column : Column
        Name, meaning, unit, when it is empty.
    kind : Kind
        How its cells are read.
    words : tuple of str
        The words that a cell may be, where these are all.
    aliases : tuple of str
        Other names, under which the simulator writes it.
    needed : bool
        Whether the sheet must have it.
    example : str
        A cell of the template's example.
    is_written : bool
        Whether it is written, too; the others are the simulator's own, from which a column of the log follows.
    """

    column: Column
    kind: Kind
    words: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    needed: bool = False
    example: str = ""
    is_written: bool = True

    @property
    def name(self) -> str:
        """The column's own name."""
        return self.column.name


@dataclass(frozen=True)
class LogSheet:
    """One sheet of a log.

    Parameters
    ----------
    name : str
        Its name.
    columns : tuple of LogColumn
        What it may have.
    aliases : tuple of str
        Other names, under which the simulator writes it.
    ignored : frozenset of str
        Columns that the simulator writes beside, and that are not read.
    """

    name: str
    columns: tuple[LogColumn, ...]
    aliases: tuple[str, ...] = ()
    ignored: frozenset[str] = frozenset()

    @cached_property
    def by_name(self) -> dict[str, LogColumn]:
        """The columns by their own names."""
        return {column.name: column for column in self.columns}

    @cached_property
    def written(self) -> tuple[LogColumn, ...]:
        """Those that are written."""
        return tuple(column for column in self.columns if column.is_written)


def _column(
    name: str, kind: Kind, meaning: str, empty: str = "never", unit: str = "", example: str = "",
    words: Iterable[str] = (), aliases: tuple[str, ...] = (), needed: bool = False,
) -> LogColumn:  # fmt: skip
    words = tuple(words)
    if words:
        unit = unit or ("yes/no" if words == YES_NO else "one of: " + ", ".join(words))
    column = Column(name, meaning, "ISO 8601" if kind == "date" else unit, empty)
    return LogColumn(column=column, kind=kind, words=words, aliases=aliases, needed=needed, example=example)


def _only_read(name: str, kind: Kind, words: Iterable[str] = ()) -> LogColumn:
    return LogColumn(column=Column(name, ""), kind=kind, words=tuple(words), is_written=False)


_NOT_YET, _NEVER_CAME = "if not yet", "if it has not come to that"


def _infusions(many: int) -> tuple[LogColumn, ...]:
    first = _column(
        "infusion_date", "date", "First infusion: the patient's day 0", _NEVER_CAME, example="2025-01-22", needed=True
    )
    others = (
        _column(f"infusion_{number}_date", "date", f"Infusion {number}", "if not given")
        for number in range(2, many + 1)
    )
    return (first, *others)


@lru_cache(maxsize=32)
def patients_sheet(infusions: int = 1) -> LogSheet:
    """Return the sheet of patients, with a column for each of so many infusions: a row for each candidate."""
    whether = "Whether somebody has decided that the patient counts (yes) or does not (no), whatever the protocol says"
    columns = (
        _column("candidate", "number", "Number of the candidate, in order of coming, from 1", needed=True),
        _column("patient", "number", "Enrolment number, from 1", "before treatment", example="1", needed=True),
        _column("site", "site", "Site that the candidate is from", "if the scenario has no sites"),
        _column("referred_date", "date", "When somebody came, where screening waits for a place", "where it does not"),
        _column("consent_date", "date", "Consent; screening begins", _NOT_YET, needed=True, example="2025-01-06"),
        _column("screening_end_date", "date", "The last result of screening", _NOT_YET, example="2025-01-14"),
        _column("failed_criterion", "text", "The screening criterion that was not met", "if none failed"),
        _column("product_date", "date", "When a product of the patient's own cells was there", "if none is made"),
        _column("ready_date", "date", "Since when a place is asked for", _NOT_YET, example="2025-01-14"),
        _column(
            "level_assigned", "level", "Assigned dose level: its number from 1, or its label", "if not assigned",
            aliases=("level",), needed=True, example="1",
        ),
        _column("level_received", "level", "Dose level that was given", "if as assigned"),
        _column(
            "treatment_start_date", "date", "Start of lymphodepletion, or of infusion where there is none: enrolment",
            _NEVER_CAME, example="2025-01-19",
        ),
        *_infusions(infusions),
        _column("cells_given", "amount", "Cells given, over all infusions", "if not known", "cells"),
        _column(
            "full_dose", "words", "Whether each infusion that was given was given in full", "if not known",
            words=YES_NO, example="yes",
        ),
        _column("not_infused_reason", "text", "Why a patient who started treatment got no cells", "if infused"),
        _column(
            "dlt", "words", "Whether the patient had a dose-limiting toxicity", "as long as that is not known",
            words=DLT_WORDS, needed=True, example="yes",
        ),
        _column("dlt_date", "date", "Onset of the dose-limiting toxicity", "if there was none", needed=True,
                example="2025-02-03"),
        _column("dlt_term", "text", "What the toxicity was", "if there was none", example="cytokine release syndrome"),
        _column(
            "last_seen_date", "date", "Up to when it is known that nothing happened", "if up to the day of the log",
            example="2025-02-10",
        ),
        _column("left_date", "date", "Last day in the trial", "while in the trial", needed=True),
        _column(
            "left_reason", "words", "The state in which the candidate or patient left", "while in the trial",
            words=LEFT_WORDS, aliases=("state",), needed=True,
        ),
        _column("evaluable_override", "words", whether, "if nobody has decided that", words=YES_NO),
        _column("override_by", "text", "Who decided that", "if nobody has"),
        _column("override_why", "text", "Why", "if nobody has"),
        _column("note", "text", "Whatever there is to note; it is not read", "if there is nothing"),
        _only_read("outcome", "words", OUTCOMES),
        _only_read("non_evaluable_reason", "text"),
        _only_read("infusions", "count"),
        _only_read("last_infusion_date", "date"),
    )  # fmt: skip
    return LogSheet("patients", columns, ignored=_beside(patients_layout(()).names, columns))


def _beside(names: Iterable[str], columns: Iterable[LogColumn]) -> frozenset[str]:
    """Return the simulator's columns that are not read."""
    read = {name for column in columns for name in (column.name, *column.aliases)}
    return frozenset(names) - read - {name.removesuffix("_date") + "_day" for name in read}


_MEETING_COLUMNS = (
    _column("data_cut_date", "date", "The day whose data were shown", needed=True, example="2025-03-03"),
    _column(
        "committee_date", "date", "When it was decided", "while the decision is outstanding", needed=True,
        example="2025-03-10",
    ),
    _column("level", "level", "Dose level of the cohort that it was about", needed=True, example="1"),
    _column("treated", "count", "Patients infused at that level, as shown", "if not said", "count", "3"),
    _column("evaluable", "count", "Evaluable patients at that level, as shown", "if not said", "count", "3"),
    _column("dlts", "count", "Patients with a DLT at that level, as shown", "if not said", "count", "0"),
    _column("pending", "count", "Patients at that level whose window was open, as shown", "if not said", "count", "0"),
    _column("decision", "words", "What was decided", "while it is outstanding", words=ACTIONS, aliases=("action",),
            needed=True, example="escalate"),
    _column(
        "next_level", "next level", f"Dose level of the next cohort; of a stop, recommended or {NO_DOSE_WORD!r}",
        "while the decision is outstanding", needed=True, example="2",
    ),
    _column("next_patients", "count", "Places of the next cohort", "of a stop, or if not said", "count", "3"),
    _column("reason", "text", "Why, in the committee's words", "if not said", example="no DLT in three patients"),
    _column("note", "text", "Whatever there is to note; it is not read", "if there is nothing"),
    _only_read("recommended_level", "level"),
)  # fmt: skip

MEETINGS = LogSheet(
    "meetings",
    _MEETING_COLUMNS,
    aliases=("decisions",),
    ignored=_beside((*decisions_layout(eliminates=True).names, PLACES_RESERVED.name), _MEETING_COLUMNS),
)
"""The sheet of meetings: a row for each data cut."""

AMENDMENTS = LogSheet(
    "amendments",
    (
        _column("date", "date", "From which day on the new value holds", needed=True, example="2025-05-01"),
        _column("key", "text", "The scenario's key, as `escalate keys` lists it", needed=True,
                example="safety.stagger_days"),
        _column("old", "text", "The value before, as a scenario file writes it", needed=True, example="14"),
        _column("new", "text", "The value from that day on", needed=True, example="7"),
        _column("note", "text", "Whatever there is to note; it is not read", "if there is nothing"),
    ),
)  # fmt: skip
"""The sheet of changes to the protocol."""

PAUSES = LogSheet(
    "pauses",
    (
        _column("from", "date", "First day on which it stopped", needed=True, example="2025-08-01"),
        _column("to", "date", "Last day of that; it may lie ahead", needed=True, example="2025-08-15"),
        _column("what", "text", "What stopped", needed=True, example="infusions: no cells"),
        _column("note", "text", "Whatever there is to note; it is not read", "if there is nothing"),
    ),
)
"""The sheet of pauses."""

NOT_OF_THE_LOG = ("events", COHORTS.name, "scenario", "cautions", "story", "columns", "words", "lists")
"""Sheets that escalate writes beside, and that are not read."""


def log_sheets(infusions: int) -> tuple[LogSheet, ...]:
    """Return the sheets of a log: patients, with a column for each of so many infusions, and the others."""
    return patients_sheet(infusions), MEETINGS, AMENDMENTS, PAUSES
