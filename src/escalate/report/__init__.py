"""What a person reads first, as text for a terminal: summaries, assumptions, a trial's story, the list of keys.

There is a file for each kind of result, and `summary` here chooses among them. Texts format numbers and compute none:
a number that is missing belongs to `results` or `studies`, a reason to the rule or the committee that gives it. The
command line, `export` and notebooks come in here; figures do not, and share the words of lower floors.
"""

from __future__ import annotations

from itertools import groupby
from textwrap import fill

from ..exactly.enumeration import Exact
from ..results.estimates import Characteristics
from ..scenario.model import Scenario
from ..scenario.sources import UNSOURCED, Assumption, ledger
from ..studies.comparison import Comparison
from ..studies.sensitivities import Sensitivity
from ..studies.sweeps import Sweep
from .compared import comparison_summary
from .enumerated import exact_csv, exact_summary, paths_csv
from .sensitivity import sensitivity_summary
from .simulated import simulated_summary
from .sweep import sweep_summary

__all__ = ["assumptions", "comparison_summary", "exact_csv", "exact_summary", "paths_csv", "summary"]


def summary(found: Characteristics | Comparison | Exact | Sensitivity | Sweep) -> str:
    """Return what a statistician, a planner and an investigator want first, as text for a terminal.

    Parameters
    ----------
    found : Characteristics, Comparison, Exact, Sensitivity or Sweep
        As `characteristics`, `compare`, `exact`, `sensitivity` or `sweep` return them.

    Returns
    -------
    str
        Of simulated trials: question and rule; P(each dose, none) and why; what a recommendation rests on; patients
        per level; candidates; dates; where the time goes; each estimate with its Monte Carlo standard error after
        ``±``. Of exact results: the same, as far as it does not depend on the calendar. Of a comparison: one table,
        rules as rows, truth by truth, with paired differences and exact values. Of a sensitivity: what each assumption
        does, the one with the largest effect first. Of a sweep: which dose, and how long, at each point.
    """
    if isinstance(found, Comparison):
        return comparison_summary(found)
    if isinstance(found, Sensitivity):
        return sensitivity_summary(found)
    if isinstance(found, Sweep):
        return sweep_summary(found)
    return exact_summary(found) if isinstance(found, Exact) else simulated_summary(found)


def assumptions(scenario: Scenario) -> str:
    """Return the ledger of assumptions as text: every number with where it comes from, unsourced ones first.

    Parameters
    ----------
    scenario : Scenario
        Any scenario.
    """
    entries, lines = ledger(scenario), []
    for kind in (UNSOURCED, "assumption", "literature", "registry"):
        chosen = [entry for entry in entries if entry.kind == kind]
        lines.append(f"{kind}: {len(chosen)}")
        for source, group in groupby(chosen, key=lambda entry: entry.source):
            lines.extend(f"  {entry.key} = {entry.value_text}" + _between(entry) for entry in group)
            if source:
                lines.append(fill(source, 110, initial_indent=" " * 6, subsequent_indent=" " * 6))
    return "\n".join(lines)


def _between(entry: Assumption) -> str:
    return f"   (range {entry.between})" if entry.between else ""
