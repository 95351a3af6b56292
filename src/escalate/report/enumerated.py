"""Exact operating characteristics as text for a terminal and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..cautions import caution_lines, cautions
from ..exactly.enumeration import Exact
from ..exactly.paths import DosePath
from ..results.no_dose import no_dose_measure
from ..scenario.designs import rule_in_full
from ..words.csv_text import csv_text
from ..words.records import NO_DOSE
from .evidence import evidence_lines
from .heads import driver_lines, told


def exact_summary(found: Exact, paths: Sequence[DosePath] = (), most: int = 20) -> str:
    """Return exact operating characteristics as text for a terminal.

    Parameters
    ----------
    found : Exact
        As `exact` returns them.
    paths : sequence of DosePath
        As `dose_paths` returns them; the `most` probable ones are told.
    most : int
        How many dose paths to tell.
    """
    parts = (
        _question(found),
        caution_lines(cautions(found.scenario)),
        _recommendation(found),
        _reasons(found),
        evidence_lines(found.evidence),
        _numbers(found),
        _paths(found, paths, most),
    )
    return "\n\n".join("\n".join(part) for part in parts if part)


def _question(found: Exact) -> list[str]:
    scenario = found.scenario
    return [
        *told(scenario.trial.title_and_id, "  "),
        *told(
            f"Exact, from {found.states:,} data cuts; rule {rule_in_full(scenario)}; "
            f"at most {scenario.trial.planned_patients} evaluable patients, in whole cohorts",
            "  ",
        ),
        *driver_lines(scenario),
    ]


def _recommendation(found: Exact) -> list[str]:
    scenario = found.scenario
    lines = [
        f"{'Which dose would be recommended?':<46}{'probability':>12}   assumed P(DLT)   if evaluable"
        "   evaluable   with a DLT",
    ]
    for level in reversed(range(scenario.levels)):
        label = f"  level {level + 1}: {scenario.dose_levels[level].label}"
        assumed, counted = scenario.toxicity.dlt_probability[level], found.dlt_probability[level]
        numbers = f"{assumed:>14.1%}{counted:>15.2%}{found.evaluable[level]:>12.4f}"
        lines.append(f"{label:<46}{found.recommended[level]:>12.6f}   {numbers}{found.dlts[level]:>13.4f}")
    told = [f"{f'    of it, {why}':<46}{q:>12.6f}" for why, q in found.why_no_dose.items() if q]
    return [*lines, f"  {NO_DOSE:<44}{found.no_dose:>12.6f}", *told]


def _reasons(found: Exact) -> list[str]:
    return ["Why did the escalation end?", *(f"  {reason:<44}{q:>12.6f}" for reason, q in found.reasons.items())]


def _numbers(found: Exact) -> list[str]:
    """Return how many evaluable patients there are, at each level and in all."""
    levels = range(found.scenario.levels)
    heads = "".join(f"{f'level {level + 1}':>12}" for level in levels)
    lines = [f"{'Evaluable patients':<22}{heads}{'all':>12}   with a DLT {heads}"]
    most = max(max(found.total, default=0), *(max(found.evaluable_at_level[level], default=0) for level in levels))
    for number in range(most + 1):
        columns = [[at.get(number, 0.0) for at in part] for part in (found.evaluable_at_level, found.dlts_at_level)]
        row = [*columns[0], found.total.get(number, 0.0)]
        if any(row) or any(columns[1]):
            told = "".join(f"{q:>12.6f}" if q else f"{'.':>12}" for q in row)
            dlts = "".join(f"{q:>12.6f}" if q else f"{'.':>12}" for q in columns[1])
            lines.append(f"  {number:<20}{told}   {'':<11}{dlts}")
    return lines


def _paths(found: Exact, paths: Sequence[DosePath], most: int) -> list[str]:
    if not paths:
        return [f"There are {found.paths:,.0f} dose paths, which are not listed."]
    head = f"Dose paths, the {min(most, len(paths))} most probable of {len(paths):,} (DLTs of a cohort written last)"
    return [head, *(f"  {path.path:<44}{path.probability:>12.6f}   {path.recommended}" for path in paths[:most])]


def exact_csv(found: Exact) -> str:
    """Return exact operating characteristics as CSV: group, measure, level, value; values with all their digits."""
    return csv_text(("group", "measure", "level", "value"), [(*row[:3], repr(row[3])) for row in _rows(found)])


def _rows(found: Exact) -> Iterator[tuple[str, str, str, float]]:
    for level, q in enumerate(found.recommended, 1):
        yield "recommendation", "recommended", str(level), q
    yield "recommendation", "recommended", NO_DOSE, found.no_dose
    for why, q in found.why_no_dose.items():
        yield "recommendation", no_dose_measure(why), NO_DOSE, q
    for reason, q in found.reasons.items():
        yield "stopping", reason, "", q
    for (level, y, n), q in sorted(found.evidence.items()):
        yield "evidence", f"recommended with {y} DLT in {n}", str(level + 1), q
    for level in range(found.scenario.levels):
        yield "patients", "evaluable, mean", str(level + 1), found.evaluable[level]
        yield "patients", "with a DLT, mean", str(level + 1), found.dlts[level]
        for number, q in found.evaluable_at_level[level].items():
            yield "patients", f"{number} evaluable", str(level + 1), q
        for number, q in found.dlts_at_level[level].items():
            yield "patients", f"{number} with a DLT", str(level + 1), q
    for number, q in found.total.items():
        yield "patients", f"{number} evaluable", "all", q


def paths_csv(paths: Sequence[DosePath]) -> str:
    """Return dose paths as CSV; probabilities with all their digits."""
    rows = [(path.path, repr(path.probability), path.recommended, path.reason) for path in paths]
    return csv_text(("path", "probability", "recommended", "reason"), rows)
