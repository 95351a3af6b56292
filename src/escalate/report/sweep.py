"""What a sweep says, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from ..cautions import caution_lines
from ..results.chance import HOW_SAID, in_all_means, in_percent, in_units
from ..studies.study import Point, cell_text
from ..studies.sweeps import MOST_CAUTIONED, Sweep
from ..words.records import NO_DOSE
from .heads import driver_lines, told

MOST_ROWS = 60
"""Points that are printed; the table of the sweep has all of them."""


def sweep_summary(found: Sweep) -> str:
    """Return which dose would be recommended and how long it takes at each point, as text.

    Parameters
    ----------
    found : Sweep
        As `escalate.sweep` returns it.
    """
    study = found.study
    about = study.scenario.trial
    head = [
        *told(about.title_and_id, "  "),
        *driver_lines(study.scenario, "Where the grid says nothing else: "),
        f"{len(study.points):,} points, {study.trials:,} simulated trials at each, of the same patients, "
        f"seed {study.seed}",
        HOW_SAID,
    ]
    rows = list(_rows(found))
    means = in_all_means("\n".join(rows), study.trials)
    beware = list(_cautions(found))
    return "\n".join([*head, *([means] if means else []), "", *([*beware, ""] if beware else []), *rows])


def _cautions(found: Sweep) -> Iterator[str]:
    yield from caution_lines(found.cautions)
    if len(found.study.points) > MOST_CAUTIONED:
        yield f"Cautions are told of the first {MOST_CAUTIONED} points; `escalate check` tells those of one scenario."


def _rows(found: Sweep) -> Iterator[str]:
    study = found.study
    levels: list[int | str] = [*range(1, study.scenario.levels + 1), NO_DOSE]
    heads = [*(f"level {level}" if level != NO_DOSE else NO_DOSE for level in levels), "days", "finished in time"]
    texts = [[cell_text(value) for value in point.values.values()] for point in study.points]
    wide = [max(map(len, column)) for column in zip(study.keys, *texts, strict=True)]
    cells = [heads, *(_cells(found, point, levels) for point in study.points[:MOST_ROWS])]
    widths = [max([18, *(len(cell) + 2 for cell in column)]) for column in zip(*cells, strict=True)]
    for text, row in zip([study.keys, *texts], cells, strict=False):
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(text, wide, strict=True)) + "".join(
            f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)
        )
    if len(study.points) > MOST_ROWS:
        yield f"and {len(study.points) - MOST_ROWS:,} more points"


def _cells(found: Sweep, point: Point, levels: list[int | str]) -> list[str]:
    cells = [in_percent(found.get(point.number, "recommended", level)) for level in levels]
    cells.append(in_units(found.get(point.number, "duration")))
    planned = point.scenario.trial.planned_completion_date is not None
    cells.append(in_percent(found.get(point.number, "finished by planned completion date")) if planned else "")
    return cells
