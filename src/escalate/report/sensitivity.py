"""Which assumption matters most, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from ..cautions import caution_lines
from ..results.chance import HOW_SAID, up_to
from ..results.estimates import Estimate
from ..studies.sensitivities import Sensitivity, Swing, change_text, measure_words
from .heads import driver_lines, plural, told


def sensitivity_summary(found: Sensitivity) -> str:
    """Return what each assumption does to each measure, the one with the largest effect first, as text.

    Parameters
    ----------
    found : Sensitivity
        As `escalate.sensitivity` returns it.
    """
    about, many = found.scenario.trial, len(found.swings[0])
    head = [
        *told(about.title_and_id, "  "),
        *driver_lines(found.scenario),
        *told(
            f"{many} assumption{plural(many)}, one at a time from the low to the high end of their ranges; "
            f"{found.trials:,} trial{plural(found.trials)} each, seed {found.seed}",
            "  ",
        ),
        "The same patients everywhere, and differences between the same trials.",
        HOW_SAID,
        *told(
            "none: the assumption changes the measure in no trial; it can still do so in "
            f"{up_to(found.trials)} of them (95% interval).",
            "  ",
        ),
    ]
    parts = [list(_measure(found, base, swings)) for base, swings in zip(found.base, found.swings, strict=True)]
    return "\n\n".join("\n".join(part) for part in (head, caution_lines(found.cautions), *parts) if part)


def _measure(found: Sensitivity, base: Estimate, swings: tuple[Swing, ...]) -> Iterator[str]:
    wide = max(len(swing.key) for swing in swings)
    ends = max(len(_range(swing)) for swing in swings)
    yield measure_words(found, base)
    unit = "days" if base.unit == "days" else "points"
    changes = [[change_text(change) for change in (swing.at_low, swing.at_high)] for swing in swings]
    long = max([18, *(len(cell) + 2 for row in changes for cell in row)])
    yield f"  {'':<{wide}}  {'':<{ends}}{f'{unit} at low':>{long}}{f'{unit} at high':>{long}}"
    for swing, row in zip(swings, changes, strict=True):
        at = "".join(f"{cell:>{long}}" for cell in row)
        yield f"  {swing.key:<{wide}}  {_range(swing):<{ends}}{at}"


def _range(swing: Swing) -> str:
    return f"{swing.low} to {swing.high}"
