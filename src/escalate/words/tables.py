"""The four tables that a trial writes, and what each of their columns means.

Every figure, summary and file is made from these rows. A column is documented once, here: its meaning, its unit,
and when it is empty. Days are counted from the trial's start date (day 0), and every day column has an ISO date
column beside it.
"""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache
from typing import Any

from ..files import Saves
from .csv_text import csv_text
from .frames import pandas
from .shown import Shows


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its name, meaning, unit, and when it is empty; a date says which day it is the date of."""

    name: str
    meaning: str
    unit: str = ""
    empty: str = "never"
    date_of: str = ""


@dataclass(frozen=True, eq=False)
class Layout:
    """The columns of one kind of table.

    Parameters
    ----------
    name : str
        What the rows are: ``events``, ``patients``, ``cohorts``, ``decisions`` or ``characteristics``.
    columns : tuple of Column
        All columns in order, dates included.
    """

    name: str
    columns: tuple[Column, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def positions(self) -> dict[str, tuple[int, bool]]:
        """By column: where its cell stands in a row as written, and whether it is a date that follows from it."""
        stored = [column.name for column in self.columns if not column.date_of]
        return {c.name: (stored.index(c.date_of or c.name), bool(c.date_of)) for c in self.columns}


@dataclass(frozen=True, repr=False)
class Table(Saves):
    """Rows of a trial's records under documented columns.

    ``table["infusion_day"]`` is that column as a list, iterating gives one dictionary per row, ``len`` counts the
    rows. Empty cells are ``None`` in Python and empty in CSV files.

    Parameters
    ----------
    layout : Layout
        Name and columns.
    cells : sequence of tuple
        The rows as the engine wrote them: every column but the dates, which follow from their days.
    start_date : date
        Day 0.
    """

    layout: Layout
    cells: Sequence[tuple[Any, ...]]
    start_date: date

    @property
    def name(self) -> str:
        """What the rows are."""
        return self.layout.name

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns with their meaning."""
        return self.layout.columns

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return self.layout.names

    @cached_property
    def rows(self) -> tuple[tuple[Any, ...], ...]:
        """The rows, one cell for each of `names`."""
        if not self.cells:
            return ()
        return tuple(zip(*(self[name] for name in self.names), strict=True))

    def __len__(self) -> int:
        return len(self.cells)

    def __getitem__(self, name: str) -> list[Any]:
        if name not in self.layout.positions:
            raise KeyError(f"the table {self.name!r} has no column {name!r}; it has: {', '.join(self.names)}")
        position, is_date = self.layout.positions[name]
        found = [row[position] for row in self.cells]
        if is_date:
            known = [day for day in found if day is not None]
            dates = _iso_dates(self.start_date, max(known, default=0).bit_length())
            return [None if day is None else dates[day] for day in found]
        return found

    def __iter__(self) -> Iterator[dict[str, Any]]:
        names = self.names
        return (dict(zip(names, row, strict=True)) for row in self.rows)

    def __repr__(self) -> str:
        return f"<Table {self.name}: {len(self)} rows, {len(self.columns)} columns>"

    def to_csv(self) -> str:
        """Return the table as CSV text with a header line; empty cells are empty."""
        return csv_text(self.names, self.rows)

    def to_pandas(self) -> Any:
        """Return the table as a pandas ``DataFrame``: dates are dates, and yes and no are booleans.

        It needs pandas, which the extra ``notebooks`` installs.
        """
        pd = pandas()

        frame = pd.DataFrame(list(self.rows), columns=list(self.names)).convert_dtypes()
        for column in self.columns:
            if column.date_of:
                frame[column.name] = pd.to_datetime(frame[column.name])
            elif column.unit == "yes/no":
                frame[column.name] = frame[column.name].map({"yes": True, "no": False}).astype("boolean")
        return frame

    def describe(self) -> str:
        """Return the meaning of every column as text, one line each."""
        width = max(len(name) for name in self.names)
        return "\n".join(
            f"{c.name:<{width}}  {c.meaning}"
            + (f" [{c.unit}]" if c.unit else "")
            + (f"; empty {c.empty}" if c.empty != "never" else "")
            for c in self.columns
        )

    def _repr_html_(self) -> str:
        head = "".join(f'<th title="{html.escape(c.meaning)}">{html.escape(c.name)}</th>' for c in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{'' if cell is None else html.escape(str(cell))}</td>" for cell in row) + "</tr>"
            for row in self.rows
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f'<div style="max-height:30em;max-width:100%;overflow:auto">{table}</div>'


class Tabled(Shows, Saves, ABC):
    """A result all of which is also a table."""

    __slots__ = ()

    @property
    @abstractmethod
    def table(self) -> Table:
        """All of it as a table."""

    def to_pandas(self) -> Any:
        """Return `table` as a pandas ``DataFrame`` (needs pandas, which the extra ``notebooks`` installs)."""
        return self.table.to_pandas()


class Measured(Tabled):
    """A result that estimates measures, each at a level or without one."""

    __slots__ = ()

    def to_pandas(self, wide: bool = False) -> Any:
        """Return everything as a pandas ``DataFrame`` (needs pandas, which the extra ``notebooks`` installs).

        Parameters
        ----------
        wide : bool
            The long form, `table`, has one row for each estimate, with its error and interval. The wide form has one
            column for each estimate, named as ``recommended, level 1``, and one row for each scenario that was
            simulated: the estimates alone.
        """
        long = self.table.to_pandas()
        if not wide:
            return long
        return _wide(long, [name for name in self.table.names[: self.table.names.index("measure")] if name != "group"])


def _wide(long: Any, of: list[str]) -> Any:
    """Return one row for each value of some columns, and one column for each measure at each level."""
    pd = pandas()

    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for cells in long.to_dict("records"):
        level = cells["level"]
        named = f"level {level}" if str(level).isdecimal() else str(level)
        what = cells["measure"] if pd.isna(level) else f"{cells['measure']}, {named}"
        key = tuple(cells[name] for name in of)
        rows.setdefault(key, dict(zip(of, key, strict=True)))[what] = cells["estimate"]
    return pd.DataFrame(list(rows.values())).convert_dtypes()


@lru_cache(maxsize=64)
def _iso_dates(start: date, bits: int) -> list[str]:
    """Return the ISO dates of all days that have at most so many binary digits."""
    return [(start + timedelta(days=day)).isoformat() for day in range(2**bits)]


def _dated(name: str, meaning: str, empty: str = "never") -> tuple[Column, Column]:
    day, iso = (f"{name}_day", f"{name}_date") if name else ("day", "date")
    return (
        Column(day, meaning, "days since the trial's start date", empty),
        Column(iso, f"{meaning}, as a date", "ISO 8601", empty, date_of=day),
    )


EVENTS = Layout(
    "events",
    (
        *_dated("", "When it happened"),
        Column("event", "What happened; one of the words in `EVENT_WORDS`"),
        Column("candidate", "Number of the candidate, in order of consent, from 1", "", "if nobody in particular"),
        Column("patient", "Enrolment number, in order of treatment start, from 1", "", "if not enrolled"),
        Column("cohort", "Number of the cohort, from 1", "", "if no cohort is concerned"),
        Column("level", "Dose level, from 1", "", "if no level is concerned, or there is no dose"),
        Column("detail", "More about it, in words", "", "if there is nothing to add"),
    ),
)

_EVENT_SITE = Column("site", "Site of the candidate, or that opens", "", "if no site is concerned")
_PATIENT_SITE = Column("site", "Site that the candidate is from")


@lru_cache(maxsize=2)
def events_layout(by_site: bool = False) -> Layout:
    """Return the layout of the events table; with sites, each candidate's stands beside the number."""
    return Layout(EVENTS.name, _behind(EVENTS.columns, "candidate", _EVENT_SITE)) if by_site else EVENTS


def _behind(columns: tuple[Column, ...], name: str, another: Column) -> tuple[Column, ...]:
    """Return columns with another one behind that of a name."""
    after = [column.name for column in columns].index(name) + 1
    return (*columns[:after], another, *columns[after:])


EVENT_WORDS: dict[str, str] = {
    "site opened": "a site opens, while enrolment is open: from now on candidates may consent there",
    "cohort opened": "the committee's decision lets the first place of a cohort be filled from now on",
    "referred": "a candidate comes, who consents when there is a place to be screened for",
    "consent": "a candidate consents, and screening begins; the detail says if a place is reserved",
    "screen failure": "screening ends: a criterion is not met",
    "eligible": "screening ends: every criterion is met, and the candidate asks for a place",
    "screened again": "the results of screening hold no longer, and the candidate is screened again",
    "apheresis": "cells are taken, of which the candidate's own product is made",
    "manufacture failed": "the attempt to make the product has failed",
    "out of specification": "the product was made, and is not given: it is out of specification",
    "product ready": "the product is there, and the candidate asks for a place",
    "no product": "the candidate leaves: no attempt to make the product is left",
    "notice given": "a place is free for the candidate, who is told that treatment begins when the notice is over",
    "waits": "no place is open today, and the candidate waits; the detail says why",
    "withdrew": "the candidate gives up waiting for a place",
    "no place": "the candidate is lost, since no place is open today and candidates do not wait",
    "turned away": "enrolment has closed for good, and the candidate leaves screening or the waiting list",
    "stagger": "a place is free and somebody waits for it, now for the stagger and no longer for another gate",
    "review": "a place is free and somebody waits for it: until the committee has looked at the DLT of the sentinel",
    "notice": "a place is free and somebody waits for it: until the notice is over",
    "product": "somebody waits for a free place, or for a rolling rule to be asked for one: for the next batch",
    "capacity": "somebody waits for a free place, or for a rolling rule to be asked for one: for room in the unit",
    "closure": "somebody waits for a free place, or for a rolling rule to be asked for one: for the end of a closure, "
    "which the detail names",
    "weekday": "somebody waits for a free place, or for a rolling rule to be asked for one: for a weekday that suits",
    "lymphodepletion": "the patient has a place and starts lymphodepletion: enrolled",
    "infusion": "the patient receives cells",
    "infusion withheld": "a later infusion is not given, since the level is closed; nor are those after it",
    "not infused": "the patient is lymphodepleted and receives no cells",
    "DLT": "the patient's first dose-limiting toxicity, inside the DLT window",
    "late toxicity": "the patient's first dose-limiting toxicity, after the DLT window: recorded, not counted",
    "drop-out": "the patient leaves the trial; this is the last day observed",
    "window completed": "the DLT window ends without a DLT",
    "follow-up completed": "the last day of follow-up",
    "cohort complete": "every outcome of the cohort is known: the data cut",
    "decision forced": "whatever is still pending can't change the decision: the data cut, early",
    "expansion closed": "the expansion is found too toxic: its data cut; without a cohort, it is not opened at all; "
    "nobody else is enrolled or infused",
    "candidate ready": "a candidate is ready and there is no place to start in, so that a rolling rule is asked: the "
    "data cut",
    "candidate to consent": "a candidate would consent and every place is taken or reserved, so that a rolling rule is "
    "asked: the data cut",
    "nothing outstanding": "every patient's outcome is known, so that a rolling rule is asked: the data cut",
    "decision": "the committee decides",
    "enrolment closed": "nobody is enrolled from now on",
    "trial ended": "the last follow-up has ended, or the trial's time is up",
}

GATES = ("stagger", "review", "notice", "product", "capacity", "closure", "weekday")
"""Gates that keep a free place shut up to some day, as events call them; the stagger where none is written down. On a
day on which several do, the first of them is what is waited for."""

NOT_CONSENTED = "not consented"
"""The state of who came and never consented."""

STATES: dict[str, str] = {
    NOT_CONSENTED: "came, and left before there was a place to be screened for",
    "screen failure": "failed a screening criterion",
    "no product": "eligible, and no attempt to make the product succeeded",
    "withdrew waiting": "eligible, gave up waiting for a place",
    "no place": "eligible, no place was open, and the protocol lets nobody wait",
    "turned away": "consented and not enrolled when enrolment closed for good",
    "not infused": "enrolled and lymphodepleted, received no cells",
    "completed": "infused, followed up to the last planned day",
    "dropped out": "infused, left before the last planned day of follow-up",
    "cut off": "still in the trial on its last day, because the trial's time was up (`trial.max_days`)",
}

OUTCOMES: dict[str, str] = {
    "DLT": "a DLT inside the window: evaluable",
    "no DLT": "completed the window with the full dose and no DLT: evaluable",
    "non-evaluable": "left before the window's end, or had less than the full dose, with no DLT",
    "pending": "the window was open when the trial's time was up",
}

_BEFORE = "if it never came to that"

_PATIENTS_BEFORE_AGENTS: tuple[Column, ...] = (
    Column("candidate", "Number of the candidate, in order of consent, from 1"),
    Column("patient", "Enrolment number, in order of treatment start, from 1", "", "if not enrolled"),
    Column("state", "The one state that the candidate ended in; the states are listed in `STATES`"),
    *_dated("consent", "Consent; screening begins"),
    *_dated("screening_end", "Screening result", "if turned away or cut off during screening"),
    Column("failed_criterion", "The screening criterion that was not met", "", "if none failed"),
    Column(
        "waiting_days",
        "Spent waiting for a place, before consent, too, where screening waits; screening is not counted",
        "days",
        "if it never came to that",
    ),
    Column("cohort", "Number of the cohort, from 1", "", "if not enrolled"),
    Column("level", "Assigned dose level, from 1", "", "if not enrolled"),
    Column("dose", "Label of the dose level", "", "if not enrolled"),
    Column("sentinel", "Whether this was the first patient infused in the cohort", "yes/no", "if not infused"),
    Column("body_surface_area_m2", "Body surface area", "m2", "if not enrolled, or the scenario gives none"),
    *_dated("treatment_start", "Start of lymphodepletion, or of infusion where there is none: enrolment", _BEFORE),
)

_PATIENTS_AFTER_AGENTS: tuple[Column, ...] = (
    *_dated("infusion", "First infusion: the patient's day 0", _BEFORE),
    *_dated("last_infusion", "Last infusion that was given", _BEFORE),
    Column("infusions", "Infusions given", "count", "if not enrolled"),
    Column(
        "cells_given",
        "Cells given, over all infusions",
        "cells",
        "if not enrolled, or doses are not in cells",
    ),
    Column("not_infused_reason", "Why no cells were given", "", "if infused or not enrolled"),
    *_dated("window_end", "Last day of the DLT window, itself included", _BEFORE),
    *_dated("dlt", "First dose-limiting toxicity, counted or not", "if there was none"),
    Column("outcome", "What the patient counts as; the outcomes are listed in `OUTCOMES`", "", "if not infused"),
    *_dated("outcome", "When the outcome became certain", "if not infused, or still pending"),
    Column("non_evaluable_reason", "Why the patient is non-evaluable", "", "if evaluable, pending or not infused"),
    *_dated(
        "place_free", "From when the place could be given to somebody else", "if the patient kept it, or never had one"
    ),
    *_dated("left", "Last day in the trial"),
)


@lru_cache(maxsize=64)
def patients_layout(agents: tuple[str, ...], by_site: bool = False) -> Layout:
    """Return the layout of the patients table, with one amount for each lymphodepletion agent.

    Parameters
    ----------
    agents : tuple of str
        Names of the lymphodepletion agents, in the scenario's order.
    by_site : bool
        Whether the scenario has sites.
    """
    amounts = tuple(
        Column(
            f"{agent}_mg",
            f"Total {agent} given for lymphodepletion",
            "mg",
            "if not enrolled, or no body surface area is given",
        )
        for agent in agents
    )
    before = _behind(_PATIENTS_BEFORE_AGENTS, "candidate", _PATIENT_SITE) if by_site else _PATIENTS_BEFORE_AGENTS
    return Layout("patients", before + amounts + _PATIENTS_AFTER_AGENTS)


COHORTS = Layout(
    "cohorts",
    (
        Column("cohort", "Number of the cohort, from 1"),
        Column("purpose", "`escalation`, or `expansion` at the recommended dose after the rule has finished"),
        Column("level", "Dose level, from 1"),
        Column("dose", "Label of the dose level"),
        Column("places", "Evaluable patients wanted", "count"),
        *_dated("opened", "From when its places could be filled"),
        *_dated("first_infusion", "First infusion of its first infused patient", "if nobody was infused"),
        *_dated("last_infusion", "First infusion of its last infused patient", "if nobody was infused"),
        Column("enrolled", "Patients who started treatment", "count"),
        Column("infused", "Patients who received cells", "count"),
        Column("not_infused", "Patients lymphodepleted who received no cells", "count"),
        Column("evaluable", "Evaluable patients, at the end of the trial", "count"),
        Column("dlts", "Patients with a DLT in the window, at the end of the trial", "count"),
        Column("non_evaluable", "Non-evaluable patients, at the end of the trial", "count"),
        Column("replaced", "Patients who took a place that another had given back", "count"),
        Column("pending", "Patients whose window was open when the trial's time was up", "count"),
        *_dated("data_cut", "Day of the data cut that the committee decided on", "if the trial ended before"),
        *_dated("decision", "Day of the committee's decision", "if the trial ended before, and for an expansion"),
    ),
)

DECISIONS = Layout(
    "decisions",
    (
        Column("decision", "Number of the decision, from 1"),
        Column("cohort", "Cohort that it is about"),
        Column("level", "Dose level of that cohort, from 1"),
        *_dated(
            "data_cut",
            "Day of the data cut: everything known up to this day counts; for a rolling rule also what came until the "
            "committee met",
        ),
        *_dated("committee", "Day on which the committee decided"),
        Column(
            "forced",
            "Whether the data cut came early, since pending outcomes could not change the decision",
            "yes/no",
        ),
        Column("evaluable", "Evaluable patients at the level, at the data cut", "count"),
        Column("dlts", "Patients with a DLT at the level, at the data cut", "count"),
        Column("pending", "Patients at the level whose window was open at the data cut", "count"),
        Column(
            "lymphodepleted",
            "Patients at the level who were on the way to their infusion at the data cut; a rolling rule reads them as "
            "pending",
            "count",
        ),
        Column("all_levels", "DLTs / evaluable at every level, lowest first"),
        Column("action", "`escalate`, `stay`, `de-escalate`, `suspend` or `stop`"),
        Column("next_level", "Dose level of the next cohort, from 1", "", "if the action is `stop`"),
        Column("next_patients", "Places in the next cohort", "count", "if the action is `stop`"),
        Column(
            "recommended_level",
            "Dose level recommended, from 1",
            "",
            "unless the action is `stop`, or if no dose",
        ),
        Column("reason", "Why, in words"),
        Column(
            "detail", "What the rule still asked for when the cap ended the trial", "", "if there is nothing to add"
        ),
    ),
)
"""Of a rule that neither eliminates nor has a model; `decisions_layout` has those of any rule."""

PLACES_RESERVED = Column(
    "places_reserved",
    "Places at the level that were reserved at consent, and in which nobody had started, at the data cut; a rolling "
    "rule reads them as pending",
    "count",
)

OPEN_LEVELS = Column(
    "open_levels", "Levels, from the lowest, that this decision and those before it have not eliminated", "count"
)


@lru_cache(maxsize=64)
def decisions_layout(
    modelled: int = 0, weighs: bool = False, eliminates: bool = False, reserves: bool = False
) -> Layout:
    """Return the layout of the decisions table; which levels are left and what a model says come last.

    Parameters
    ----------
    modelled : int
        Dose levels of which the rule's model says how large P(DLT) is; 0 for a rule without one.
    weighs : bool
        Whether the rule counts a part of patients without an outcome.
    eliminates : bool
        Whether the rule can eliminate levels.
    reserves : bool
        Whether places are reserved at consent.
    """
    first = _behind(DECISIONS.columns, "lymphodepleted", PLACES_RESERVED) if reserves else DECISIONS.columns
    left = (OPEN_LEVELS,) if eliminates else ()
    meanings = {
        "p_dlt": "P(DLT) at level {} by the rule's model, on the data of the cut: what the decision rests on",
        "p_dlt_low": "Lower end of the 95% posterior interval of P(DLT) at level {}",
        "p_dlt_high": "Upper end of the 95% posterior interval of P(DLT) at level {}",
    }
    if weighs:
        meanings["followup"] = "Windows counted of patients at level {} without an outcome: their weights added up"
    columns = tuple(
        Column(f"{name}_{level}", meaning.format(level), "windows" if name == "followup" else "probability")
        for name, meaning in meanings.items()
        for level in range(1, modelled + 1)
    )
    return Layout(DECISIONS.name, first + left + columns) if reserves or left or columns else DECISIONS


def still_to_come(decision: dict[str, Any]) -> str:
    """Return who had no outcome yet at a data cut, as it follows its counts: ``, 2 pending, 1 lymphodepleted``.

    Parameters
    ----------
    decision : dict
        Its row of the decisions table.
    """
    told = "".join(f", {decision[what]} {what}" for what in ("pending", "lymphodepleted") if decision[what])
    return told + places_reserved(decision.get("places_reserved", 0))


def places_reserved(number: int) -> str:
    """Return how many places were reserved at a data cut, as it follows its counts: ``, 1 place reserved``."""
    return f", {number} place{'' if number == 1 else 's'} reserved" if number else ""
