"""Tables for the protocol: what follows from the data, asked of the rule itself.

`decision_table` chooses among three kinds: rules that read one level's counts have a table of patients and DLTs
(`counts`), rolling ones a table with patients pending (`pending`; `levels` has what both have in common), rules with a
model of all doses the next dose after every data cut of the next cohorts (`next_dose`); letters and formats stand in
`layout`. No decision is made here: a cell is what rule or committee answer when they are asked about it. `export`,
figures, the command line and notebooks come in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..errors import EscalateError, RuleError
from ..rules.rolling_six import SIX
from ..rules.rolling_table import RollingTable
from ..scenario.model import Scenario
from ..scenario.rolling_tables import most_patients
from ..scenario.rules import Blrm, Crm, IqRollingSix, RollingSix, RuleOptions, TableRule, rule_words
from ..words.asked import asks, whole
from .answer import Answer
from .asked import Asked, Place
from .boundaries import Boundaries
from .conditions import assumed, conditions, skips
from .counts import CountPart, CountTable, count_table
from .followup import PendingCell
from .letters import LETTERS
from .next_dose import NextDose, NextDoseTable, next_dose_table
from .pending import PendingPart, PendingTable, pending_table
from .sizes import most_at_a_level, numbers_of_patients

__all__ = [
    "LETTERS",
    "Answer",
    "Boundaries",
    "CountPart",
    "CountTable",
    "NextDose",
    "NextDoseTable",
    "PendingCell",
    "PendingPart",
    "PendingTable",
    "Place",
    "ProtocolTable",
    "decision_table",
]

MOST_PATIENTS, MOST_PENDING = 36, 12
"""Largest number of patients at a level in a table, where none is asked for; with patients pending."""

MOST_ASKED, MOST_AHEAD = 200, 30
"""Most patients at a level that a table is asked for, and most cohorts ahead: more fit on no page."""

INSTEAD = (
    "a table by the counts of one level asks about every level by itself; ask a rule that cannot answer so for the "
    "next doses, with --cohorts 1 (in Python: cohorts=1)"
)

ProtocolTable = CountTable | PendingTable | NextDoseTable


@asks(Scenario, numbers=("cohorts",))
def decision_table(
    scenario: Scenario, patients: int | Sequence[int] | None = None, *, after: str = "", cohorts: int | None = None
) -> ProtocolTable:
    """Return the table of a scenario's rule for the protocol.

    Rules that read the current level's counts have a table of patients and DLTs, in a grid and as boundaries; rolling
    ones, with patients pending and the cut-offs of their follow-up. Such a table has a part for every level that is
    answered in its own way, with the scenario's titration, limits and stopping rules; what depends on totals or on
    other levels stands below it. Rules with a model of all doses have the next dose after every data cut of the next
    cohorts; so has any rule if `after` or `cohorts` asks for it.

    Parameters
    ----------
    scenario : Scenario
        Names the rule.
    patients : int or sequence of int, optional
        Largest number of patients at the level, or the very numbers, at least 1; where it is not given all numbers on
        which the committee can have to decide. Not for next doses, nor for rules whose table has a size of its own:
        rolling six, IQ rolling six, and a table.
    after : str
        Dose path of the trial so far, as in ``1NNN 2NTP17``: for each cohort its level, then N (no DLT), T (DLT), X
        (non-evaluable) or P (pending; P17 for one observed for 17 days) for each patient. The table then has an
        `escalate.protocol_tables.Answer`: what holds now, or what is awaited, and what it rests on.
    cohorts : int, optional
        How many cohorts ahead; outcomes that are missing in the path are the first. Where it is not given, 1 with such
        outcomes, 2 without.

    Returns
    -------
    CountTable, PendingTable or NextDoseTable
        With ``to_text``, ``to_csv``, ``to_markdown`` and ``to_html``; `escalate.plot_decision_table` draws it.

    Raises
    ------
    EscalateError
        If a number is below 1, does not apply to this table, or is more than a level can have; if the dose path cannot
        be read, or a function of one's own does not answer about a level by itself.
    """
    if isinstance(patients, Iterable) and not isinstance(patients, str):
        patients = [whole("patients", number) for number in patients]
    elif patients is not None:
        patients = whole("patients", patients)
    given = [patients] if isinstance(patients, int) else list(patients or ())
    ahead = [] if cohorts is None else [cohorts]
    for name, numbers, most in (("patients", given, MOST_ASKED), ("cohorts", ahead, MOST_AHEAD)):
        for number in numbers:
            if number < 1:
                raise EscalateError(f"{name} must be at least 1, got {number}")
            if number > most:
                raise EscalateError(f"{name} must be at most {most}, got {number:,}: no page holds such a table")
    return replace(_table(scenario, patients, after, cohorts), scenario=scenario)


def _table(scenario: Scenario, patients: int | Sequence[int] | None, after: str, cohorts: int | None) -> ProtocolTable:
    options = scenario.rule
    words = rule_words(options)
    ahead = bool(after.strip()) or cohorts is not None or isinstance(options, (Crm, Blrm))
    size = _own_size(options, ahead)
    if patients is not None and size:
        raise EscalateError(f"--patients (in Python: patients) does not apply here: {size}. Leave it out")
    if ahead:
        return next_dose_table(scenario, after=after, cohorts=cohorts, words=words)
    try:
        return _asked(Asked(scenario), patients, words)
    except RuleError as error:
        raise RuleError(f"{error}; {INSTEAD}") from error


def _own_size(options: RuleOptions, ahead: bool) -> str:
    """Say what a table's size is, where nobody can choose how many patients it has."""
    if ahead:
        return "next doses go as many cohorts ahead as --cohorts (in Python: cohorts) says"
    if isinstance(options, TableRule) and options.is_rolling:
        return f"a table rule has the lines of its own table, for 1 to {most_patients(options.lines)} patients"
    if isinstance(options, TableRule):
        return f"a table rule has the lines of its own table, for {', '.join(map(str, options.cells))} patients"
    if isinstance(options, IqRollingSix):
        return f"the table of IQ rolling six has 1 to {most_patients(options.lines)} patients"
    return f"the table of rolling six has 1 to {SIX} patients" if isinstance(options, RollingSix) else ""


def _asked(asked: Asked, patients: int | Sequence[int] | None, words: str) -> CountTable | PendingTable:
    """Ask a committee about every count at every level."""
    numbers, remark = _numbers(asked, patients)
    make = pending_table if asked.rule.rolling else count_table
    return make(
        asked,
        numbers,
        title=asked.scenario.trial.title,
        words=words,
        assumed=assumed(asked),
        conditions=[*remark, *skips(asked, numbers), *conditions(asked)],
    )


def _numbers(asked: Asked, patients: int | Sequence[int] | None) -> tuple[Sequence[int], list[str]]:
    """Return the numbers of patients of a table, and what is to be said of them."""
    options, most = asked.scenario.rule, most_at_a_level(asked)
    if isinstance(asked.rule, RollingTable):
        return range(1, asked.rule.most + 1), []
    if isinstance(options, TableRule):
        return list(options.cells), []
    usual = MOST_PENDING if asked.rule.rolling else MOST_PATIENTS
    occur = numbers_of_patients(asked, min(most, max(usual, patients if isinstance(patients, int) else 0)))
    if patients is None:
        more = f"Levels can have more than {usual} patients, up to {most}; ask for them by number (--patients)."
        return occur, [more] if most > usual and occur[-1] > usual - asked.scenario.safety.cohort_size else []
    if isinstance(patients, int):
        if asked.rule.rolling:
            return [n for n in occur if n <= patients] or [min(patients, occur[-1])], []
        return range(1, min(patients, occur[-1]) + 1), []
    return _chosen(asked, sorted(set(patients)), most), []


def _chosen(asked: Asked, numbers: list[int], most: int) -> list[int]:
    """Return the numbers of patients that were asked for, if a level can have so many."""
    occur = numbers_of_patients(asked, min(most, max(MOST_PATIENTS, *numbers)))
    if numbers[-1] > occur[-1]:
        raise EscalateError(
            f"--patients (in Python: patients): a level never has {numbers[-1]} patients in this scenario; by rule, "
            f"limits and cap it has {occur[-1]} at most"
        )
    return numbers
