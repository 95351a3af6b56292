"""Which assumption matters most, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from ..results.estimates import Estimate
from ..studies.sensitivities import Sensitivity, Swing, change_text, measure_words


def sensitivity_summary(found: Sensitivity) -> str:
    """Return what each assumption does to each measure, the one with the largest effect first, as text.

    Parameters
    ----------
    found : Sensitivity
        As `escalate.sensitivity` returns it.
    """
    about = found.scenario.trial
    head = [
        about.title_and_id,
        f"{len(found.swings[0])} assumptions, one at a time from the low to the high end of their ranges; "
        f"{found.trials:,} trials each, seed {found.seed}",
        "The same patients everywhere. ± is the Monte Carlo standard error, of differences between the same trials;",
        "none: the assumption changes the measure in none of them.",
    ]
    parts = [_measure(found, base, swings) for base, swings in zip(found.base, found.swings, strict=True)]
    return "\n\n".join("\n".join(part) for part in (head, *parts))


def _measure(found: Sensitivity, base: Estimate, swings: tuple[Swing, ...]) -> Iterator[str]:
    wide = max(len(swing.key) for swing in swings)
    ends = max(len(_range(swing)) for swing in swings)
    yield measure_words(found, base)
    unit = "days" if base.unit == "days" else "points"
    yield f"  {'':<{wide}}  {'':<{ends}}{f'{unit} at low':>18}{f'{unit} at high':>18}"
    for swing in swings:
        at = "".join(f"{change_text(change):>18}" for change in (swing.at_low, swing.at_high))
        yield f"  {swing.key:<{wide}}  {_range(swing):<{ends}}{at}"


def _range(swing: Swing) -> str:
    return f"{swing.low} to {swing.high}"
