"""Tables for the protocol: what follows from the data, asked of the rule itself."""

from __future__ import annotations

from ..errors import EscalateError, RuleError
from ..rules import Rule, rule_for
from ..rules.rolling_six import SIX
from ..scenario.model import Scenario
from ..scenario.policies import Limits, Stopping
from ..scenario.rules import Blrm, Crm, PythonRule, RollingSix, TableRule, rule_words
from .counts import CLEAN, CountTable, count_table
from .layout import LETTERS
from .next_dose import NextDose, NextDoseTable, next_dose_table
from .pending import PendingCell, PendingTable, pending_table

__all__ = [
    "LETTERS",
    "CountTable",
    "NextDose",
    "NextDoseTable",
    "PendingCell",
    "PendingTable",
    "ProtocolTable",
    "decision_table",
]

ASKED = f"asked about level 2 of 3: {CLEAN} patients without a DLT at level 1, nobody at level 3"

INSTEAD = (
    "a table by the counts of one level asks about level 2 of 3; ask a rule that needs the scenario's own levels for "
    "the next doses, with --cohorts 1 (in Python: cohorts=1)"
)

ProtocolTable = CountTable | PendingTable | NextDoseTable


def decision_table(
    scenario: Scenario, patients: int = 12, *, after: str = "", cohorts: int | None = None
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
    patients : int
        Largest number of patients at the level, at least 1.
    after : str
        Dose path of the trial so far, as in ``1NNN 2NNT``.
    cohorts : int, optional
        How many cohorts ahead; 2 where it is not given.

    Returns
    -------
    CountTable, PendingTable or NextDoseTable
        With ``to_text``, ``to_csv``, ``to_markdown`` and ``to_html``; `escalate.plot_decision_table` draws it.

    Raises
    ------
    EscalateError
        If a number is below 1, the dose path cannot be read, or a function of one's own does not answer about a level
        by itself.
    """
    if patients < 1 or (cohorts is not None and cohorts < 1):
        raise EscalateError(f"patients and cohorts must be at least 1, got {patients} and {cohorts}")
    options = scenario.rule
    words = rule_words(options)
    if after or cohorts is not None or isinstance(options, (Crm, Blrm)):
        return next_dose_table(scenario, after=after, cohorts=cohorts or 2, words=words)
    words += _remarks(scenario)
    if isinstance(options, TableRule):
        return _written(options, words)
    rule = rule_for(scenario)
    try:
        return _asked(rule, scenario, patients, words)
    except RuleError as error:
        raise RuleError(f"{error}; {INSTEAD}") from error


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
