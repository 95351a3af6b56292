"""One trial told day by day, as a person would tell it; made from its records alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from itertools import groupby
from typing import Any

from ..results.chance import binomial_interval
from ..results.estimates import posterior_interval
from ..results.timeline import waits
from ..scenario.designs import rule_of
from ..scenario.model import Scenario
from ..scenario.sites import RecruitingSite
from ..words.asked import asks
from ..words.dates import day_words
from ..words.records import NO_DOSE, Trial
from ..words.shown import Text
from .heads import UNBROKEN, driver_lines, plural, told

Row = dict[str, Any]

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@asks(Trial)
def story(trial: Trial) -> str:
    """Tell a trial: what was decided, every day on which something happened, and what became of each patient.

    Parameters
    ----------
    trial : Trial
        A finished trial.

    Returns
    -------
    str
        Text for a terminal.
    """
    parts = [*_opening(trial), "", *_days(trial), "", *_patients(trial), "", *_knowledge(trial), "", *_ending(trial)]
    return Text("\n".join(parts))


def _opening(trial: Trial) -> Iterator[str]:
    yield from told(trial.title, "  ")
    yield from told(f"One simulated trial ({trial.which}), rule {rule_of(trial)}", "  ")
    if isinstance(trial.scenario, Scenario):
        yield from driver_lines(trial.scenario)
    yield from told("Dose levels: " + ", ".join(f"{k}: {dose}" for k, dose in enumerate(trial.doses, 1)), "  ")
    if isinstance(trial.scenario, Scenario):
        for site in trial.scenario.recruiting_sites:
            yield from told(_site_at_rest(site), "  ") if site.closed else ()


def _site_at_rest(site: RecruitingSite) -> str:
    """Tell when a site rests that the others do not."""
    closed = (
        f"{day_words(item.first_day)} to {day_words(item.last_day)}{', every year' if item.every_year else ''} "
        f"({item.reason}: {item.words})"
        for item in site.closed
    )
    return f"{site.name} is closed {', '.join(closed)}"


def _days(trial: Trial) -> Iterator[str]:
    amounts = {row["patient"]: row for row in trial.patients if row["patient"] is not None}
    decisions = iter(trial.decisions)
    for (day, iso), rows in groupby(trial.events, key=lambda row: (row["day"], row["date"])):
        margin = f"day {day:>4}  {_day(iso)}  "
        for sentence in _one_day(trial, list(rows), amounts, decisions):
            yield from told(sentence, " " * len(margin), margin)
            margin = " " * len(margin)


def _one_day(trial: Trial, rows: list[Row], amounts: dict[int, Row], decisions: Iterator[Row]) -> Iterator[str]:
    """Tell one day; a candidate who is eligible and starts at once, or has to wait, is told in one sentence.

    Decisions are told in the order of their records.
    """
    told = ("lymphodepletion", "infusion", "waits", "no place")
    resolved = {row["candidate"] for row in rows if row["event"] in told}
    consents = {row["candidate"] for row in rows if row["event"] == "consent"}
    for row in rows:
        if row["event"] == "eligible" and row["candidate"] in resolved:
            continue
        if row["event"] == "referred" and row["candidate"] in consents | resolved:
            continue
        yield _SENTENCES[row["event"]](trial, row, amounts)
        if row["event"] == "decision":
            yield from _rests_on(trial, next(decisions))


def _dose(trial: Trial, row: Row) -> str:
    return f"level {row['level']} ({trial.doses[row['level'] - 1]})"


def _who(row: Row) -> str:
    return f"Patient {row['patient']}" if row["patient"] is not None else _candidate(row)


def _candidate(row: Row) -> str:
    """Return a candidate, with the site where there are sites: ``Candidate 3 from Nanjing``."""
    return f"Candidate {row['candidate']}" + (f" from {row['site']}" if row.get("site") else "")


def _day(iso: str) -> str:
    return day_words(date.fromisoformat(iso))


def _waited(patient: Row) -> str:
    days = patient["waiting_days"]
    return f" after {days} day{plural(days)} of waiting" if days else ""


def _enrolled(trial: Trial, row: Row, amounts: dict[int, Row]) -> str:
    patient = amounts[row["patient"]]
    agents = [f"{name[:-3]} {patient[name]:,.0f} mg" for name in patient if name.endswith("_mg") and patient[name]]
    given = f": {' and '.join(agents)}" if agents else ""
    return (
        f"{_candidate(row)} becomes patient {row['patient']}{_waited(patient)}, in cohort {row['cohort']} "
        f"at {_dose(trial, row)}; lymphodepletion{given}."
    )


def _infused(trial: Trial, row: Row, amounts: dict[int, Row]) -> str:
    patient, is_infused = amounts[row["patient"]], trial.scenario.say("is infused")
    if row["day"] != patient["infusion_day"]:
        return f"Patient {row['patient']} {is_infused} again: {row['detail']}."
    if patient["treatment_start_day"] == patient["infusion_day"]:
        return (
            f"{_candidate(row)} becomes patient {row['patient']}{_waited(patient)}, in cohort "
            f"{row['cohort']} at {_dose(trial, row)}, and {is_infused}: {row['detail']}. DLT window to "
            f"{_day(patient['window_end_date'])}."
        )
    sentinel = ", the cohort's sentinel," if patient["sentinel"] == "yes" else ""
    window = f"DLT window to {_day(patient['window_end_date'])}"
    return f"Patient {row['patient']}{sentinel} {is_infused}: {row['detail']}. {window}."


def _decided(trial: Trial, row: Row, _: Any) -> str:
    action, _, reason = row["detail"].partition(": ")
    if action == "stop":
        dose = f"recommended is {_dose(trial, row)}" if row["level"] else NO_DOSE
        return f"THE COMMITTEE stops the escalation: {reason}; {dose}."
    if action == "suspend":
        return f"THE COMMITTEE suspends accrual: {reason}."
    where = " at" if action == "stay" else " to"
    return f"THE COMMITTEE decides on cohort {row['cohort']}: {action}{where} {_dose(trial, row)}; {reason}."


def _rests_on(trial: Trial, decision: Row) -> Iterator[str]:
    """Tell what a decision of a rule with a model rests on."""
    if "p_dlt_1" not in decision:
        return
    levels, believed = range(1, len(trial.doses) + 1), []
    for k in levels:
        p, low, high = (decision[f"{name}_{k}"] for name in ("p_dlt", "p_dlt_low", "p_dlt_high"))
        believed.append(f"level {k} {p:.1%} ({low:.1%} to {high:.1%})")
    yield f"It rests on P(DLT) by the model, with its 95% interval: {', '.join(believed)}."
    counted = [f"{decision[f'followup_{k}']:.2f} at level {k}" for k in levels if decision.get(f"followup_{k}")]
    if counted:
        yield f"Windows counted of patients without an outcome: {', '.join(counted)}."


def _with_detail(words: str) -> Callable[[Trial, Row, Any], str]:
    def tell(trial: Trial, row: Row, _: Any) -> str:
        return f"{_who(row)} {trial.scenario.say(words)}" + (f": {row['detail']}." if row["detail"] else ".")

    return tell


def _about_cohort(words: str) -> Callable[[Trial, Row, Any], str]:
    def tell(trial: Trial, row: Row, _: Any) -> str:
        return f"Cohort {row['cohort']} at {_dose(trial, row)} {words}: {row['detail']}."

    return tell


def _expansion_closed(trial: Trial, row: Row, amounts: dict[int, Row]) -> str:
    """Tell that an expansion ends for toxicity, or does not begin."""
    if row["cohort"] is None:
        return f"The expansion at {_dose(trial, row)} is NOT OPENED, too toxic: {row['detail']}."
    return _about_cohort("is closed: TOO TOXIC; data cut")(trial, row, amounts)


def _held_up(gate: str) -> Callable[[Trial, Row, Any], str]:
    def tell(trial: Trial, row: Row, _: Any) -> str:
        until, _, why = row["detail"].removeprefix("until ").partition(": ")
        opens = _day(until) + (f": {why}" if why else "")
        return f"The next place of cohort {row['cohort']} waits for {gate}, {opens}."

    return tell


def _consents(row: Row) -> str:
    place = f"{row['detail']}, and " if row["detail"] else ""
    return f"{_who(row)} consents; {place}screening begins."


def _finds_no_place(words: str) -> Callable[[Trial, Row, Any], str]:
    """Tell of somebody who finds no place: to be treated, or to be screened for."""

    def tell(trial: Trial, row: Row, _: Any) -> str:
        consented = trial.patients["consent_day"][row["candidate"] - 1]
        is_in = consented is not None and consented <= row["day"]
        why = _ISO_DATE.sub(lambda found: _day(found[0]), row["detail"], count=1)
        return f"{_who(row)} {'is eligible' if is_in else 'comes'} and {words}: {why}."

    return tell


_SENTENCES: dict[str, Callable[[Trial, Row, Any], str]] = {
    "site opened": lambda _, row, __: f"{row['detail']} opens: candidates may consent there from now on.",
    "cohort opened": _about_cohort("opens"),
    "referred": _with_detail("comes, to take part"),
    "consent": lambda _, row, __: _consents(row),
    "screen failure": _with_detail("fails screening"),
    "eligible": _with_detail("is eligible"),
    "screened again": _with_detail("is screened again: the results hold no longer"),
    "apheresis": _with_detail("gives cells, of which the product is made"),
    "manufacture failed": _with_detail("gets no product: its manufacture has failed"),
    "out of specification": _with_detail("gets no product: it is out of specification"),
    "product ready": _with_detail("has a product"),
    "no product": _with_detail("leaves without a product"),
    "notice given": _with_detail("is told of a free place"),
    "waits": _finds_no_place("waits"),
    "withdrew": _with_detail("gives up waiting"),
    "no place": _finds_no_place("is lost, since no place is open"),
    "turned away": _with_detail("is turned away: enrolment is closed"),
    "stagger": _held_up("the stagger"),
    "review": _held_up("the committee's look at the sentinel's DLT"),
    "notice": _held_up("the end of the notice"),
    "weekday": _held_up("a weekday"),
    "closure": _held_up("the end of a closure"),
    "capacity": _held_up("room in the unit"),
    "product": _held_up("the next batch of the product"),
    "lymphodepletion": _enrolled,
    "infusion": _infused,
    "infusion withheld": _with_detail("does not get the next infusion"),
    "not infused": _with_detail("is not infused"),
    "DLT": _with_detail("has a DOSE-LIMITING TOXICITY"),
    "late toxicity": _with_detail("has a late toxicity, after the DLT window: it does not count"),
    "drop-out": _with_detail("leaves the trial"),
    "window completed": _with_detail("completes the DLT window without a DLT"),
    "follow-up completed": _with_detail("completes follow-up"),
    "cohort complete": _about_cohort("is complete, data cut"),
    "decision forced": _about_cohort("is closed early, since nothing outstanding can change the decision; data cut"),
    "expansion closed": _expansion_closed,
    "candidate ready": _about_cohort("has no free place, and a candidate is ready; data cut"),
    "candidate to consent": _about_cohort("has no free place, and a candidate would consent; data cut"),
    "nothing outstanding": _about_cohort("has nothing outstanding any more; data cut"),
    "decision": _decided,
    "enrolment closed": lambda _, row, __: f"Enrolment closes: {row['detail']}.",
    "trial ended": lambda _, row, __: f"The trial ends: {row['detail']}.",
}


def _patients(trial: Trial) -> Iterator[str]:
    rows = [row for row in trial.patients if row["patient"] is not None]
    if not rows:
        yield "Nobody was enrolled."
        return
    say = trial.scenario.say
    heads = ("patient", "cohort", "level", say("infused"), "outcome", "known")
    yield "{:>7}  {:>6}  {:>5}  {:<10}  {:<13}  {:<10}  what became of them".format(*heads)
    for row in sorted(rows, key=lambda row: row["patient"]):
        ending = say(row["state"]) + (f" on {row['left_date']}" if row["left_date"] else "")
        why = row["non_evaluable_reason"] or row["not_infused_reason"]
        whence = (f" ({why})" if why else "") + (f"; from {row['site']}" if row.get("site") else "")
        yield (
            f"{row['patient']:>7}  {row['cohort']:>6}  {row['level']:>5}  {row['infusion_date'] or '-':<10}  "
            f"{row['outcome'] or '-':<13}  {row['outcome_date'] or '-':<10}  {ending}{whence}"
        )


def _knowledge(trial: Trial) -> Iterator[str]:
    """Tell how little so few patients say about P(DLT) at each dose."""
    yield f"{'':<48}{'P(DLT), 95%:':>14}"
    yield f"{'What the trial says about P(DLT)':<34}{'DLTs/evaluable':>14}{'exact':>16}{'uniform prior':>16}"
    for level, dose in enumerate(trial.doses, 1):
        rows = [row for row in trial.cohorts if row["level"] == level]
        y, n = sum(row["dlts"] for row in rows), sum(row["evaluable"] for row in rows)
        label = f"  level {level}: {dose}"
        if n == 0:
            yield f"{label:<34}{'0/0':>14}{'nothing':>16}"
            continue
        intervals = binomial_interval(y, n), posterior_interval(y, n)
        exact, posterior = (f"{low:.1%} to {high:.1%}" for low, high in intervals)
        yield f"{label:<34}{f'{y}/{n}':>14}{exact:>16}{posterior:>16}"


def _ending(trial: Trial) -> Iterator[str]:
    level = "" if trial.recommended is None else f"level {trial.recommended}: "
    end, parts = trial.date_of(trial.duration_days), waits(trial)
    said = {
        "Dose path": trial.path_words,
        "Recommended": f"{level}{trial.recommended_dose}",
        "Because": trial.stop_reason,
        "Duration": f"{trial.duration_days:,} days, to {day_words(end)}{_against_plan(trial)}",
        "Waiting for": ", ".join(
            f"{name.replace(' ', UNBROKEN)}{UNBROKEN}{parts[name]}{UNBROKEN}d" for name in parts if parts[name]
        ),
    }
    for head, words in said.items():
        yield from told(f"{head:<13}{words}", " " * 13)


def _against_plan(trial: Trial) -> str:
    planned = trial.planned_completion_date
    if not trial.is_complete:
        return "; not finished, since the trial's time was up"
    if planned is None:
        return ""
    late = (trial.date_of(trial.duration_days) - planned).days
    apart = f"{abs(late):,} day{plural(late)} {'after' if late > 0 else 'before'}"
    verdict = apart if late else "on"
    return f"; {verdict} the planned completion on {day_words(planned)}"
