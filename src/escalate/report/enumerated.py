"""Exact operating characteristics as text for a terminal and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..cautions import caution_lines, cautions
from ..exactly.enumeration import Exact
from ..exactly.paths import DosePath
from ..results.no_dose import no_dose_measure
from ..scenario.designs import rule_in_full
from ..scenario.model import Scenario
from ..words.csv_text import csv_text
from ..words.records import NO_DOSE
from .evidence import evidence_lines
from .heads import WIDTH, driver_lines, told

LABEL, SHORT, NUMBER, SHARE = 46, 36, 6, 10
"""Widths of a label, of one with more beside it, of a number of patients, and of a probability [characters]."""


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
        _means(found),
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
    lines = [_line("Which dose would be recommended?", f"{'probability':>12}   assumed P(DLT)")]
    for level in reversed(range(scenario.levels)):
        assumed = f"{scenario.toxicity.dlt_probability[level]:>17.1%}"
        lines.append(_line(_dose(scenario, level), f"{found.recommended[level]:>12.6f}{assumed}"))
    told_of = [_line(f"    of it, {why}", f"{q:>12.6f}") for why, q in found.why_no_dose.items() if q]
    return [*lines, _line(f"  {NO_DOSE}", f"{found.no_dose:>12.6f}"), *told_of]


def _means(found: Exact) -> list[str]:
    """Return what evaluable patients there are at each level, in the mean, and how often they have a DLT."""
    scenario = found.scenario
    heads = f"{'evaluable':>10}{'with a DLT':>12}{'P(DLT)':>9}{'if evaluable':>13}"
    lines = [_line("Evaluable patients, mean", heads, SHORT)]
    for level in reversed(range(scenario.levels)):
        rates = f"{scenario.toxicity.dlt_probability[level]:>9.1%}{found.dlt_probability[level]:>13.2%}"
        numbers = f"{found.evaluable[level]:>10.4f}{found.dlts[level]:>12.4f}{rates}"
        lines.append(_line(_dose(scenario, level), numbers, SHORT))
    return lines


def _dose(scenario: Scenario, level: int) -> str:
    return f"  level {level + 1}: {scenario.dose_levels[level].label}"


def _line(label: str, numbers: str, width: int = LABEL) -> str:
    """Return a line of a table; numbers beside a label for which there is no room stand below it."""
    if len(label) <= width:
        return f"{label:<{width}}{numbers}"
    return "\n".join([*told(label, "    "), f"{'':<{width}}{numbers}"])


def _reasons(found: Exact) -> list[str]:
    return [
        "Why did the escalation end?",
        *(_line(f"  {reason}", f"{q:>12.6f}") for reason, q in found.reasons.items()),
    ]


def _numbers(found: Exact) -> list[str]:
    """Return how often there are how many evaluable patients, at each level and in all, and how many with a DLT."""
    heads = [f"level {level + 1}" for level in range(found.scenario.levels)]
    evaluable = _distribution("How many evaluable patients?", [*heads, "all"], [*found.evaluable_at_level, found.total])
    return [*evaluable, "", *_distribution("How many with a DLT?", heads, found.dlts_at_level)]


def _distribution(title: str, heads: Sequence[str], shares: Sequence[Mapping[int, float]]) -> Iterator[str]:
    """Yield the lines of a table of probabilities, by the number of patients; what has no room stands below."""
    yield title
    beside = (WIDTH - NUMBER) // SHARE
    for first in range(0, len(heads), beside):
        columns = slice(first, first + beside)
        yield " " * NUMBER + "".join(f"{head:>{SHARE}}" for head in heads[columns])
        for number in sorted({number for share in shares for number in share}):
            row = [share.get(number, 0.0) for share in shares]
            if any(row):
                cells = (f"{q:>{SHARE}.6f}" if q else f"{'.':>{SHARE}}" for q in row[columns])
                yield f"  {number:<{NUMBER - 2}}{''.join(cells)}"


def _paths(found: Exact, paths: Sequence[DosePath], most: int) -> list[str]:
    if not paths:
        return [f"There are {found.paths:,.0f} dose paths, which are not listed."]
    head = f"Dose paths, the {min(most, len(paths))} most probable of {len(paths):,} (DLTs of a cohort written last)"
    return [
        head,
        *(_line(f"  {path.path}", f"{path.probability:>12.6f}   {path.recommended}") for path in paths[:most]),
    ]


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
