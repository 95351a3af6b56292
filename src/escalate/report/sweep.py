"""What a sweep says, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from ..results.estimates import Estimate, in_units
from ..studies.study import cell_text
from ..studies.sweeps import Sweep
from ..words.records import NO_DOSE

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
        about.title_and_id,
        f"{len(study.points):,} points, {study.trials:,} simulated trials at each, of the same patients, "
        f"seed {study.seed}",
        "± is the Monte Carlo standard error: the error of simulating, not of the assumptions.",
    ]
    return "\n".join([*head, "", *_rows(found)])


def _rows(found: Sweep) -> Iterator[str]:
    study = found.study
    levels: list[int | str] = [*range(1, study.scenario.levels + 1), NO_DOSE]
    heads = [*(f"level {level}" if level != NO_DOSE else NO_DOSE for level in levels), "days", "finished in time"]
    texts = [[cell_text(value) for value in point.values.values()] for point in study.points]
    wide = [max(map(len, column)) for column in zip(study.keys, *texts, strict=True)]
    yield "  ".join(f"{key:<{width}}" for key, width in zip(study.keys, wide, strict=True)) + "".join(
        f"{head:>18}" for head in heads
    )
    for point, text in zip(study.points[:MOST_ROWS], texts, strict=False):
        cells = [_percent(found.get(point.number, "recommended", level)) for level in levels]
        cells.append(in_units(found.get(point.number, "duration"), 1))
        planned = point.scenario.trial.planned_completion_date is not None
        cells.append(_percent(found.get(point.number, "finished by planned completion date")) if planned else "")
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(text, wide, strict=True)) + "".join(
            f"{cell:>18}" for cell in cells
        )
    if len(study.points) > MOST_ROWS:
        yield f"and {len(study.points) - MOST_ROWS:,} more points"


def _percent(estimate: Estimate) -> str:
    return f"{estimate.estimate:.1%} ± {'?' if estimate.mc_se is None else f'{100 * estimate.mc_se:.1f}'}"
