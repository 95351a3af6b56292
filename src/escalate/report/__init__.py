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
from ..scenario.keys import toml_value
from ..scenario.model import Scenario
from ..scenario.section import Section
from ..scenario.sources import Assumption, by_kind
from ..studies.compared import Comparison
from ..studies.sensitivities import Sensitivity
from ..studies.stored import FolderDifference
from ..studies.sweeps import Sweep
from ..studies.variants import Variants
from ..words.asked import asks
from ..words.shown import Text
from .compared import comparison_summary
from .enumerated import exact_csv, exact_summary, paths_csv
from .heads import WIDTH
from .sensitivity import sensitivity_summary
from .simulated import simulated_summary
from .stored import difference_summary
from .sweep import sweep_summary
from .variants import variants_summary

__all__ = ["assumptions", "comparison_summary", "exact_csv", "exact_summary", "left_out", "paths_csv", "summary"]


@asks(Characteristics, Comparison, Exact, FolderDifference, Sensitivity, Sweep, Variants)
def summary(found: Characteristics | Comparison | Exact | FolderDifference | Sensitivity | Sweep | Variants) -> str:
    """Return what a statistician, a planner and an investigator want first, as text for a terminal.

    Parameters
    ----------
    found : Characteristics, Comparison, Exact, FolderDifference, Sensitivity, Sweep or Variants
        As `characteristics`, `compare`, `exact`, `sensitivity` or `sweep` return them.

    Returns
    -------
    str
        Of simulated trials: question and rule; P(each dose, none) and why; what a recommendation rests on; patients
        per level; candidates; dates; where the time goes; each estimate with its Monte Carlo standard error after
        ``±``, what is recommended with its exact probability where that is known. Of exact results: the same, as far as
        it does not depend on the calendar. Of a comparison: one table, rules as rows, truth by truth, with paired
        differences and exact values. Of a sensitivity: what each assumption does, the one with the largest effect
        first. Of a sweep: which dose, and how long, at each point. Of scenarios that were compared: in what they
        differ, and what that changes.
    """
    return Text(_summary(found))


def _summary(found: Characteristics | Comparison | Exact | FolderDifference | Sensitivity | Sweep | Variants) -> str:
    if isinstance(found, Comparison):
        return comparison_summary(found)
    if isinstance(found, FolderDifference):
        return difference_summary(found)
    if isinstance(found, Variants):
        return variants_summary(found)
    if isinstance(found, Sensitivity):
        return sensitivity_summary(found)
    if isinstance(found, Sweep):
        return sweep_summary(found)
    return exact_summary(found) if isinstance(found, Exact) else simulated_summary(found)


@asks(Scenario)
def assumptions(scenario: Scenario) -> str:
    """Return the ledger of assumptions as text: every number with where it comes from, unsourced ones first.

    Parameters
    ----------
    scenario : Scenario
        Any scenario.
    """
    lines: list[str] = []
    for kind, chosen in by_kind(scenario):
        lines.append(f"{kind}: {len(chosen)}")
        for source, group in groupby(chosen, key=lambda entry: entry.source):
            lines.extend(f"  {entry.key} = {entry.value_text}" + _between(entry) for entry in group)
            if source:
                lines.append(fill(source, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6))
    return Text("\n".join(lines))


def left_out(scenario: Scenario) -> str:
    """Return what a scenario file leaves out, with the values that hold then; empty if it says everything.

    Told are sections that it does not have, and values of who fails screening and who is lost: a file that was cut off
    would otherwise be one in which nobody is lost.

    Parameters
    ----------
    scenario : Scenario
        As it was read: a change fills everything in.
    """
    values, lines = scenario.resolved(), []
    for name in Scenario.model_fields:
        section = getattr(scenario, name)
        if not isinstance(section, Section):
            continue
        given = section.model_fields_set if name in scenario.model_fields_set else set()
        if not given or name in _WHO_IS_LOST:
            told = {key: value for key, value in values[name].items() if key not in given and value is not None}
            words = ", ".join(f"{key} = {toml_value(value)}" for key, value in told.items())
            lines += [fill(f"[{name}] {words}", WIDTH, initial_indent="  ", subsequent_indent=" " * 6)] if told else []
    return "\n".join(["Left out by the file, and so at their defaults:", *lines]) if lines else ""


_WHO_IS_LOST = ("screening", "attrition")
"""Sections of which every value that is left out is told."""


def _between(entry: Assumption) -> str:
    return f"   (range {entry.between})" if entry.between else ""
