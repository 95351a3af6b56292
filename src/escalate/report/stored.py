"""In what two folders of results differ, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ..results.chance import HOW_SAID, up_to
from ..studies.medians import MEDIAN
from ..studies.stored import VERSIONS, FolderDifference, Stored
from .heads import told
from .variants import SAME, html_rows, panels, planned_words

NO_CHANGE = "+0"
"""What is said of no difference where nothing says that no trial differs."""


def difference_summary(found: FolderDifference) -> str:
    """Return in what two folders of results differ as text for a terminal, at most 80 letters wide.

    Parameters
    ----------
    found : FolderDifference
        As `escalate.studies.stored.diff` returns it.

    Returns
    -------
    str
        Versions, seeds and trials; the scenarios, key by key; the numbers, with Monte Carlo errors.
    """
    dates = dict(_dates(found))
    levels = found.both[0].scenario.levels if found.same_levels else 0
    nothing = SAME if found.pairs else NO_CHANGE
    say = found.both[0].scenario.say
    blocks = ["\n".join(block) for block in panels(found.labels, found.find, levels, dates, say, nothing)]
    parts = [_made(found), _scenarios(found), _how(found)]
    return "\n\n".join([*("\n".join(part) for part in parts), *blocks])


def difference_rows(found: FolderDifference) -> tuple[list[str], list[list[str]]]:
    """Return heads and rows of one table for a notebook."""
    levels = found.both[0].scenario.levels if found.same_levels else 0
    return html_rows(found.labels, found.find, levels, found.both[0].scenario.say, SAME if found.pairs else NO_CHANGE)


def _made(found: FolderDifference) -> Iterator[str]:
    for label, one in found.stored.items():
        yield from told(f"{label}: {_trials(one)}", "  ")
    versions = {name: [str(one.made[name]) for one in found.both] for name in VERSIONS}
    same = [f"{name} {one}" for name, (one, two) in versions.items() if one == two]
    other = [f"{name} {one} and {two}" for name, (one, two) in versions.items() if one != two]
    yield from told(
        "; ".join([*(f"both by {', '.join(same)}" for _ in same[:1]), *(f"differs: {one}" for one in other)])
    )


def _trials(one: Stored) -> str:
    many, first = one.made["trials"], one.made["first_replicate"]
    which = f", from replicate {first}" if first else ""
    return f"{many:,} trial{'s' * (many > 1)}, seed {one.made['seed']}{which}; {one.scenario.trial.title_and_id}"


def _scenarios(found: FolderDifference) -> Iterator[str]:
    first, other = found.labels
    if not found.changes:
        yield "The scenarios say the same."
    else:
        many = len(found.changes)
        yield from told(f"The scenarios differ in {many} key{'s' * (many > 1)} ({first} -> {other}):")
        for one in found.changes:
            yield from told(f"  {one}", "      ")
    if found.sources:
        yield from told(f"Their sources or ranges differ, of {', '.join(found.sources)}", "  ")
    yield from told(planned_words({label: one.scenario for label, one in found.stored.items()}), "  ")


def _how(found: FolderDifference) -> Iterator[str]:
    yield from told(f"Differences of numbers: {found.how}.")
    if found.pairs:
        yield from told(
            f"`{SAME}`: no trial of the two differs, which can still do so in {up_to(found.pairs)} of trials."
        )
    if not found.same_levels:
        yield "The dose levels differ: what is told level by level is left out."
    yield HOW_SAID


def _dates(found: FolderDifference) -> Iterator[tuple[str, str]]:
    """Yield the date of each median, with its label."""
    for label, one in found.stored.items():
        row = found.find(label, MEDIAN.name, None)
        if row is not None:
            yield label, f"{one.scenario.trial.start_date + timedelta(days=round(row.estimate))}"
