"""What cannot be: facts of a log that contradict each other, the day of the log, or the scenario's own words.

A disagreement with the protocol can be, and is no business of this file. Nothing is concluded from a cell that could
not be read. Each check yields what it finds; all are asked, so that a person mends everything at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from ..errors import LogProblem
from ..rules import rule_for
from ..scenario import key_fault
from ..scenario.model import Scenario
from ..words.records import NO_LEVEL
from ..words.tables import NOT_CONSENTED
from .columns import LEFT_WORDS, UNDER_ADJUDICATION
from .rows import Row

Rows = Sequence[Row]

_NOT_TREATED = (NOT_CONSENTED, "screen failure", "no product", "withdrew waiting", "no place", "turned away")
"""States in which somebody leaves who never started treatment."""

_INFUSED = ("completed", "dropped out")
"""States in which somebody leaves who was infused."""

_AFTER_CONSENT = ("screening_end_date", "failed_criterion", "ready_date", "treatment_start_date", "infusion_date")

_LONGEST_WINDOW = re.compile(r"safety\.dlt_window|treatment|dose_levels")
"""Keys of which an amendment may change how long a window is."""


def cannot_be(rows: Mapping[str, Rows], scenario: Scenario, as_of: date) -> Iterator[LogProblem]:
    """Yield everything in a log that cannot be.

    Parameters
    ----------
    rows : mapping of str to sequence of Row
        By sheet, as they were read.
    scenario : Scenario
        Its dose levels, sites, keys and start date.
    as_of : date
        The day of the log.
    """
    patients, meetings = rows.get("patients", ()), rows.get("meetings", ())
    yield from _said_twice(patients, "candidate")
    yield from _said_twice(patients, "patient")
    for row in patients:
        yield from _in_time(row, scenario, as_of)
        for check in _OF_A_PATIENT:
            yield from check(row, scenario)
    for row in meetings:
        yield from _in_time(row, scenario, as_of)
        for check in _OF_A_MEETING:
            yield from check(row, scenario)
    yield from _outstanding_once(meetings)
    is_rolling = rule_for(scenario).rolling
    if not is_rolling:
        yield from _decided_twice(meetings)
    yield from _counts_that_were_there(patients, meetings, rows.get("amendments", ()), scenario, is_rolling)
    for row in rows.get("amendments", ()):
        yield from _in_time(row, scenario, as_of)
        yield from _is_an_amendment(row, scenario)
    for row in rows.get("pauses", ()):
        yield from _in_time(row, scenario, as_of)
        yield from _is_a_pause(row)


# Any row


def _in_time(row: Row, scenario: Scenario, as_of: date) -> Iterator[LogProblem]:
    """No date lies before the trial, or after the day of the log, but the end of a pause."""
    start = scenario.trial.start_date
    for column, value in row.values.items():
        if not isinstance(value, date):
            continue
        if value < start:
            said = f"is before the trial's start date, {start}; move trial.start_date of the scenario to the first fact"
            yield row.problem(column, f"{said}, or mend the date")
        elif value > as_of and column != "to":
            blank = "; leave it blank while the decision is outstanding" if column == "committee_date" else ""
            yield row.problem(column, f"is after the data cut, {as_of} (the day of the log){blank}")


def _said_twice(rows: Rows, column: str) -> Iterator[LogProblem]:
    first: dict[Any, Row] = {}
    for row in rows:
        value = row[column]
        if value is None:
            if column == "candidate" and row.is_read(column):
                yield row.problem(column, "is missing; every candidate has a number, from 1")
        elif value in first:
            yield row.problem(
                column, f"is that of row {first[value].number}, too; every {column} has a number of its own"
            )
        else:
            first[value] = row


def _in_order(
    row: Row, columns: Sequence[str], names: Mapping[str, str], strictly: bool = False
) -> Iterator[LogProblem]:
    """Yield which date of some is before an earlier one of them, or on it, if that cannot be."""
    last = ""
    for column in columns:
        value = row[column]
        if value is None or not row.is_read(column):
            continue
        if last and (value < row[last] or (strictly and value == row[last])):
            later = "must be after" if strictly else "is before"
            yield row.problem(column, f"{later} {names[last]}, {row[last]} ({last}); mend one of them")
        last = column


# A patient


def _dates_in_order(row: Row, scenario: Scenario) -> Iterator[LogProblem]:
    names = {
        "referred_date": "the referral",
        "consent_date": "consent",
        "screening_end_date": "the end of screening",
        "ready_date": "the day of being ready",
        "treatment_start_date": "the start of treatment",
        "infusion_date": "the first infusion",
        "left_date": "the last day in the trial",
    }
    yield from _in_order(row, list(names)[:-1], names)
    made = {"consent_date": "consent", "product_date": "the day of the product", "treatment_start_date": ""}
    yield from _in_order(row, list(made), made)
    yield from _in_order(row, _infusions(row), dict.fromkeys(_infusions(row), "the infusion before"), strictly=True)
    left = row["left_date"]
    if left is None:
        return
    for column in (*list(names)[:-1], *_infusions(row)[1:], "dlt_date", "last_seen_date"):
        if row[column] is not None and row[column] > left:
            yield row.problem(column, f"is after the last day in the trial, {left} (left_date); mend one of them")


def _infusions(row: Row) -> list[str]:
    """Return the columns of infusions that were given, in order."""
    given = (name for name in row.values if re.fullmatch(r"infusion(_\d+)?_date", name))
    return [name for name in given if row[name] is not None]


def _came(row: Row, scenario: Scenario) -> Iterator[LogProblem]:
    if row["consent_date"] is not None or not row.is_read("consent_date"):
        return
    later = next((name for name in _AFTER_CONSENT if row[name] is not None), "")
    if later:
        yield row.problem("consent_date", f"is missing, and {later} is given; nobody is screened or treated without")
    elif row["referred_date"] is None and row["left_reason"] != NOT_CONSENTED and row.is_read("referred_date"):
        yield row.problem("consent_date", "is missing; a candidate has a date of consent, or of referral before it")


def _is_of_a_site(row: Row, scenario: Scenario) -> Iterator[LogProblem]:
    if scenario.sites and row["site"] is None and row.is_read("site") and "site" in row.heads:
        names = ", ".join(site.name for site in scenario.sites)
        yield row.problem("site", f"is missing; every candidate is from a site of the scenario: {names}")


def _failed_or_treated(row: Row, scenario: Scenario) -> Iterator[LogProblem]:
    if row["failed_criterion"] is None:
        return
    for column in ("infusion_date", "treatment_start_date"):
        if row[column] is not None:
            yield row.problem(column, "who failed screening (failed_criterion) is not treated; one of them is wrong")
            return


def _enrolled(row: Row, scenario: Scenario) -> Iterator[LogProblem]:
    """Who starts treatment has a number and a level, and nobody else has a number."""
    has_started = row["treatment_start_date"] is not None
    if not row.is_read("treatment_start_date", "infusion_date", "level_assigned"):
        return
    if row["infusion_date"] is not None and not has_started:
        how = "without lymphodepletion it is the day of the infusion"
        yield row.problem("treatment_start_date", f"is missing, and infusion_date is given; {how}")
    elif has_started:
        if row["patient"] is None and row.is_read("patient"):
            yield row.problem("patient", "is missing; who starts treatment has an enrolment number")
        if row["level_assigned"] is None:
            yield row.problem("level_assigned", "is missing; who starts treatment has a dose level")
    elif row["patient"] is not None:
        yield row.problem("patient", "has an enrolment number and no treatment_start_date; leave it blank until then")


def _infused(row: Row, scenario: Scenario) -> Iterator[LogProblem]:
    """Nothing is said of an infusion that was not given."""
    if not row.is_read("infusion_date"):
        return
    if row["infusion_date"] is None:
        said = "and no infusion_date is given; leave it blank until there is an infusion"
        for column in ("level_received", "cells_given", "full_dose"):
            if row[column] is not None:
                yield row.problem(column, f"says what was infused, {said}")
        later = next((column for column in _infusions(row)), "")
        if later:
            yield row.problem(later, "is a later infusion, and infusion_date, the first one, is missing")
        if (
            row["not_infused_reason"] is not None
            and row["treatment_start_date"] is None
            and row.is_read("treatment_start_date")
        ):
            yield row.problem("not_infused_reason", "is of who started treatment, and treatment_start_date is missing")
    elif row["not_infused_reason"] is not None:
        yield row.problem("not_infused_reason", f"and an infusion on {row['infusion_date']}: one of them is wrong")


def _toxic(row: Row, scenario: Scenario) -> Iterator[LogProblem]:
    """A DLT has a date, on or after the first infusion, and no date means none."""
    if not row.is_read("dlt", "dlt_date", "infusion_date"):
        return
    dlt, on, infused = row["dlt"], row["dlt_date"], row["infusion_date"]
    if dlt is not None and infused is None:
        yield row.problem("dlt", "is of who was infused, and infusion_date is missing; leave it blank until then")
    elif on is not None and infused is None:
        yield row.problem("dlt_date", "is of who was infused, and infusion_date is missing")
    if dlt == "yes" and on is None:
        yield row.problem("dlt_date", "is missing, and dlt is yes; give the day of its onset")
    elif on is not None and dlt not in ("yes", UNDER_ADJUDICATION):
        said = "dlt is no" if dlt == "no" else "dlt is blank"
        yield row.problem(
            "dlt_date", f"is given, and {said}; say dlt yes or {UNDER_ADJUDICATION}, or leave the date out"
        )
    if on is not None and infused is not None and on < infused:
        yield row.problem("dlt_date", f"is before the first infusion, {infused} (infusion_date); mend one of them")


def _seen(row: Row, scenario: Scenario) -> Iterator[LogProblem]:
    seen, came = row["last_seen_date"], row["consent_date"]
    if seen is not None and came is not None and seen < came:
        yield row.problem("last_seen_date", f"is before consent, {came} (consent_date); mend one of them")


def _gone(row: Row, scenario: Scenario) -> Iterator[LogProblem]:
    """Who left has a day and a reason, which the facts allow."""
    if not row.is_read("left_date", "left_reason", "treatment_start_date", "infusion_date", "consent_date"):
        return
    reason = row["left_reason"]
    if reason is None:
        if row["left_date"] is not None:
            yield row.problem("left_reason", f"is missing, and left_date is given; one of: {', '.join(LEFT_WORDS)}")
        return
    if row["left_date"] is None:
        yield row.problem("left_date", "is missing, and left_reason is given; give the last day in the trial")
    wrong = ""
    if reason in _NOT_TREATED and row["treatment_start_date"] is not None:
        wrong = "is of who never started treatment, and treatment_start_date is given"
    elif reason in (*_INFUSED, "not infused") and row["treatment_start_date"] is None:
        wrong = "is of who started treatment, and treatment_start_date is missing"
    elif reason in _INFUSED and row["infusion_date"] is None:
        wrong = "is of who was infused, and infusion_date is missing"
    elif reason == "not infused" and row["infusion_date"] is not None:
        wrong = f"and an infusion on {row['infusion_date']}: one of them is wrong"
    elif reason == NOT_CONSENTED and row["consent_date"] is not None:
        wrong = "and a consent_date: one of them is wrong"
    if wrong:
        yield row.problem("left_reason", wrong)


def _overridden(row: Row, scenario: Scenario) -> Iterator[LogProblem]:
    """Who says that a patient counts, or does not, has a name and a reason."""
    parts = ("evaluable_override", "override_by", "override_why")
    if any(row[part] is not None for part in parts) and row.is_read(*parts):
        for part in parts:
            if row[part] is None:
                said = "is missing; what counts against the protocol has a decision, who took it, and why"
                yield row.problem(part, said)


_OF_A_PATIENT: tuple[Callable[[Row, Scenario], Iterator[LogProblem]], ...] = (
    _dates_in_order, _came, _is_of_a_site, _failed_or_treated, _enrolled, _infused, _toxic, _seen, _gone, _overridden,
)  # fmt: skip


# A meeting


def _is_a_cut(row: Row, scenario: Scenario) -> Iterator[LogProblem]:
    for column in ("data_cut_date", "level"):
        if row[column] is None and row.is_read(column):
            yield row.problem(column, "is missing; a decision has the day of its data cut, and its dose level")
    cut, decided = row["data_cut_date"], row["committee_date"]
    if cut is not None and decided is not None and decided < cut:
        yield row.problem("committee_date", f"is before its data cut, {cut} (data_cut_date); mend one of them")


def _is_decided(row: Row, scenario: Scenario) -> Iterator[LogProblem]:
    """A decision has a day, a word, and the level to which it leads."""
    if not row.is_read("committee_date", "decision", "next_level", "level"):
        return
    action, level, to = row["decision"], row["level"], row["next_level"]
    if action is None:
        for column in ("committee_date", "next_level", "next_patients"):
            if row[column] is not None:
                yield row.problem(column, "is given, and decision is missing; leave both blank while it is outstanding")
        return
    if row["committee_date"] is None:
        yield row.problem(
            "committee_date", "is missing, and decision is given; leave both blank while it is outstanding"
        )
    if to is None and action != "suspend":
        what = "the level that is recommended, or 'no dose'" if action == "stop" else "the level of the next cohort"
        yield row.problem("next_level", f"is missing; the decision is {action}: give {what}")
    elif to == NO_LEVEL and action not in ("stop", "suspend"):
        yield row.problem(
            "next_level", f"is of a stop, and the decision is {action}: give the level of the next cohort"
        )
    elif to is not None and level is not None and (wrong := _leads_elsewhere(action, level, to)):
        yield row.problem("next_level", f"the decision is {action}, and the level of the cohort {level + 1}: {wrong}")


def _leads_elsewhere(action: str, level: int, to: int) -> str:
    """Return why a decision cannot lead to a level; empty if it can."""
    if action == "escalate" and to <= level:
        return "the next level is a higher one"
    if action == "de-escalate" and to >= level:
        return "the next level is a lower one"
    return "the next level is the same" if action == "stay" and to != level else ""


def _adds_up(row: Row, scenario: Scenario) -> Iterator[LogProblem]:
    dlts, evaluable, pending, treated = (row[name] for name in ("dlts", "evaluable", "pending", "treated"))
    if dlts is not None and evaluable is not None and dlts > evaluable:
        yield row.problem(
            "dlts", f"are more than the evaluable patients, {evaluable}; a patient with a DLT is evaluable"
        )
    if treated is not None and (evaluable or 0) + (pending or 0) > treated:
        yield row.problem(
            "treated", f"are fewer than evaluable ({evaluable or 0}) and pending ({pending or 0}) together"
        )


_OF_A_MEETING: tuple[Callable[[Row, Scenario], Iterator[LogProblem]], ...] = (_is_a_cut, _is_decided, _adds_up)


def _outstanding_once(meetings: Rows) -> Iterator[LogProblem]:
    waiting = [row for row in meetings if row["decision"] is None and row.is_read("decision")]
    for row in waiting[1:]:
        said = f"a second decision is outstanding, beside that of row {waiting[0].number}; give the one that was taken"
        yield row.problem("decision", said)


def _decided_twice(meetings: Rows) -> Iterator[LogProblem]:
    """Of a rule that waits for outcomes, one data cut of a level has one decision."""
    first: dict[Any, Row] = {}
    for row in meetings:
        what = row["data_cut_date"], row["level"]
        if None in what:
            continue
        if what in first:
            yield row.problem(
                "data_cut_date", f"and the level are those of row {first[what].number}; a cut has one decision"
            )
        first.setdefault(what, row)


def _counts_that_were_there(
    patients: Rows, meetings: Rows, amendments: Rows, scenario: Scenario, is_rolling: bool
) -> Iterator[LogProblem]:
    """No count exceeds what the log's own facts allow on the day of the data cut.

    A committee that meets for a rolling rule looks at what came since the cut, too.
    """
    needed = ("level_assigned", "level_received", "infusion_date", "dlt", "dlt_date", "evaluable_override")
    if not all(row.is_read(*needed) for row in patients):
        return
    windows_may_change = any(_LONGEST_WINDOW.match(row["key"] or "") for row in amendments)
    for row in meetings:
        cut, level = row["data_cut_date"], row["level"]
        if cut is None or level is None:
            continue
        on = max(cut, row["committee_date"] or cut) if is_rolling else cut
        for column, most in _most(patients, level, on, cut, windows_may_change, scenario).items():
            if row[column] is not None and row[column] > most:
                told = f"at level {level + 1} on {on} the log has at most {most}"
                yield row.problem(column, f"{told} (sheet patients); mend the count, or enter who is missing")


def _most(patients: Rows, level: int, on: date, cut: date, any_window: bool, scenario: Scenario) -> dict[str, int]:
    """Return the largest counts that the facts of a level allow on a day."""
    treated = [
        row
        for row in patients
        if level in (row["level_assigned"], row["level_received"])
        and row["infusion_date"] is not None
        and row["infusion_date"] <= on
    ]
    end = timedelta(days=scenario.schedules[level].window_end)
    toxic = [row for row in treated if row["dlt"] in ("yes", UNDER_ADJUDICATION) and (row["dlt_date"] or on) <= on]
    may_count = [
        row
        for row in treated
        if any_window or row in toxic or row["infusion_date"] + end <= on or row["evaluable_override"] == "yes"
    ]
    pending = [row for row in treated if any_window or row["infusion_date"] + end >= cut]
    return {"treated": len(treated), "evaluable": len(may_count), "dlts": len(toxic), "pending": len(pending)}


# Amendments and pauses


def _is_an_amendment(row: Row, scenario: Scenario) -> Iterator[LogProblem]:
    for column in ("date", "key", "old", "new"):
        if row[column] is None and row.is_read(column):
            yield row.problem(column, "is missing; an amendment has a date, a key of the scenario, and both values")
    if row["key"] is not None and (fault := key_fault(scenario, row["key"])):
        yield row.problem("key", f"{fault}; `escalate keys` lists them")


def _is_a_pause(row: Row) -> Iterator[LogProblem]:
    for column in ("from", "to", "what"):
        if row[column] is None and row.is_read(column):
            yield row.problem(column, "is missing; a pause has a first day, a last day, and what stopped")
    if row["from"] is not None and row["to"] is not None and row["to"] < row["from"]:
        yield row.problem("to", f"is before the pause begins, {row['from']} (from); mend one of them")
