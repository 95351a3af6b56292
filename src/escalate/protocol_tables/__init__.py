"""Tables for the protocol: what follows from the data, asked of the rule itself.

`decision_table` chooses among three kinds: rules that read one level's counts have a table of patients and DLTs
(`counts`), rolling ones a table with patients pending (`pending`), rules with a model of all doses the next dose after
every data cut of the next cohorts (`next_dose`); letters and formats stand in `layout`. No decision is made here: a
cell is what rule or committee answer when they are asked about it. `export`, figures, the command line and notebooks
come in.
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import EscalateError, RuleError
from ..rules import Rule, rule_for
from ..rules.rolling_six import SIX
from ..scenario.model import Scenario
from ..scenario.policies import Limits, Stopping
from ..scenario.rules import Blrm, Crm, PythonRule, RollingSix, RuleOptions, TableRule, rule_words
from .answer import Answer
from .counts import CLEAN, CountTable, count_table
from .layout import LETTERS
from .next_dose import NextDose, NextDoseTable, next_dose_table
from .pending import PendingCell, PendingTable, pending_table

__all__ = [
    "LETTERS",
    "Answer",
    "CountTable",
    "NextDose",
    "NextDoseTable",
    "PendingCell",
    "PendingTable",
    "ProtocolTable",
    "decision_table",
]

MOST_PATIENTS = 12
"""Largest number of patients at a level in a table, where none is asked for."""

ASKED = f"asked about level 2 of 3: {CLEAN} patients without a DLT at level 1, nobody at level 3"

INSTEAD = (
    "a table by the counts of one level asks about level 2 of 3; ask a rule that needs the scenario's own levels for "
    "the next doses, with --cohorts 1 (in Python: cohorts=1)"
)

ProtocolTable = CountTable | PendingTable | NextDoseTable


def decision_table(
    scenario: Scenario, patients: int | None = None, *, after: str = "", cohorts: int | None = None
) -> ProtocolTable:
    """Return the table of a scenario's rule for the protocol.

    Rules that read the current level's counts have a table of patients and DLTs; rolling ones, with patients pending
    and the cut-offs of their follow-up. Rules with a model of all doses have the next dose after every data cut of
    the next cohorts; so has any rule if `after` or `cohorts` asks for it, with the scenario's titration, limits,
    stopping rules and cap. The other tables show the rule by itself, and say so where the scenario has any of these.

    Parameters
    ----------
    scenario : Scenario
        Names the rule.
    patients : int, optional
        Largest number of patients at the level, at least 1; `MOST_PATIENTS` where it is not given. Not for next doses,
        nor for rules whose table has a size of its own: rolling six, and a table.
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
        If a number is below 1, or does not apply to this table; if the dose path cannot be read, or a function of one's
        own does not answer about a level by itself.
    """
    for name, number in (("patients", patients), ("cohorts", cohorts)):
        if number is not None and number < 1:
            raise EscalateError(f"{name} must be at least 1, got {number}")
    return replace(_table(scenario, patients, after, cohorts), scenario=scenario)


def _table(scenario: Scenario, patients: int | None, after: str, cohorts: int | None) -> ProtocolTable:
    options = scenario.rule
    words = rule_words(options)
    ahead = bool(after.strip()) or cohorts is not None or isinstance(options, (Crm, Blrm))
    size = _own_size(options, ahead)
    if patients is not None and size:
        raise EscalateError(f"--patients (in Python: patients) does not apply here: {size}. Leave it out")
    if ahead:
        return next_dose_table(scenario, after=after, cohorts=cohorts, words=words)
    words += _remarks(scenario)
    if isinstance(options, TableRule):
        return _written(options, words)
    rule = rule_for(scenario)
    try:
        return _asked(rule, scenario, patients or MOST_PATIENTS, words)
    except RuleError as error:
        raise RuleError(f"{error}; {INSTEAD}") from error


def _own_size(options: RuleOptions, ahead: bool) -> str:
    """Say what a table's size is, where nobody can choose how many patients it has."""
    if ahead:
        return "next doses go as many cohorts ahead as --cohorts (in Python: cohorts) says"
    if isinstance(options, TableRule):
        return f"a table rule has the lines of its own table, for {', '.join(map(str, options.cells))} patients"
    return f"the table of rolling six has 1 to {SIX} patients" if isinstance(options, RollingSix) else ""


def _asked(rule: Rule, scenario: Scenario, patients: int, words: str) -> CountTable | PendingTable:
    """Ask a rule about every count at a level in the middle."""
    most = scenario.trial.planned_patients
    if isinstance(scenario.rule, RollingSix):
        return pending_table(rule, range(1, SIX + 1), most=most, words=words)
    if rule.rolling:
        size = min(scenario.safety.cohort_size, patients)
        return pending_table(rule, range(size, patients + 1, size), most=most, words=words)
    return count_table(rule, range(1, patients + 1), most=most, words=words)


def _written(options: TableRule, words: str) -> CountTable:
    """Return the table that is a rule itself."""
    letters = {(n, y): letter for n, row in options.cells.items() for y, letter in enumerate(row)}
    return CountTable(rule=words, patients=tuple(options.cells), letters=letters)


def _remarks(scenario: Scenario) -> str:
    """Say what goes around the rule in a scenario and does not show in a table of the rule by itself.

    And what a function of one's own was asked: it may read the other levels, too.
    """
    plain = {"titration": None, "limits": Limits(), "stopping": Stopping()}
    around = [name for name, value in plain.items() if getattr(scenario, name) != value]
    remarks = [f"by itself, without the scenario's {', '.join(around)}"] if around else []
    remarks += [ASKED] if isinstance(scenario.rule, PythonRule) else []
    return f" ({'; '.join(remarks)})" if remarks else ""
