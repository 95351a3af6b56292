"""Scenarios that were compared, as text for a terminal: when each ends, whom it costs, what it recommends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from textwrap import wrap
from typing import NamedTuple

from ..cautions import caution_lines
from ..nature.sameness import drawn_in
from ..protocol_tables.sheet import Grid, Sheet
from ..results.chance import HOW_SAID, change_in_words, in_all_means, in_words, quantile_in_words, tight, up_to
from ..results.estimates import Estimate
from ..scenario.differences import changes_words
from ..scenario.drivers import drivers, settings_words
from ..scenario.model import Scenario
from ..studies.compared import Compared
from ..studies.medians import MEDIAN
from ..studies.variants import Variants
from ..words.records import NO_DOSE
from ..words.vocabulary import Say
from .document_sheet import document_sheet
from .heads import WIDTH, told

LABEL = 24
"""Widest label of a scenario that stands beside its numbers."""

SAME, DATE, CHANGE = "same", "date of the median", "    difference"
PLANNED = "finished by planned completion date"

Find = Callable[[str, str, int | str | None], Compared | None]
"""Returns one measure of one scenario, by the scenario's label, the measure and the level."""


class Head(NamedTuple):
    """A column of a panel: its head, and what it tells."""

    head: str
    measure: str
    level: int | str | None = None


def variants_summary(found: Variants) -> str:
    """Return scenarios that were compared as text for a terminal, at most 80 letters wide.

    Parameters
    ----------
    found : Variants
        As `compare` returns them.

    Returns
    -------
    str
        In what the scenarios differ, and what of nature is the same in them; then of each P(finished by the planned
        date), duration, patients, DLTs and what is recommended, with Monte Carlo errors, and below them the paired
        differences to the first.
    """
    told_of = panels(found.labels, finder(found), found.scenario.levels, _dates(found), found.scenario.say)
    blocks = ["\n".join(block) for block in told_of]
    means = in_all_means("\n".join(blocks), found.trials)
    question = [line for words in _question(found) for line in told(words, "  ")]
    same = [line for note in _what_is_the_same(found) for line in wrap(note, WIDTH)]
    head = "\n".join([*question, HOW_SAID, *([means] if means else []), *same])
    return "\n\n".join(part for part in (head, "\n".join(caution_lines(found.cautions)), *blocks) if part)


def variants_sheet(found: Variants) -> Sheet:
    """Return scenarios that were compared as a sheet for documents, which says what the summary says.

    Parameters
    ----------
    found : Variants
        As `compare` returns them.
    """
    grids = []
    for title, columns in _tables(
        found.labels, finder(found), found.scenario.levels, _dates(found), found.scenario.say
    ):
        names = [CHANGE.strip() if is_change else label for label, is_change in _lines(found.labels)]
        heads, *rows = ([column[k].strip() for column in columns] for k in range(len(names) + 1))
        named = tuple((name, *row) for name, row in zip(names, rows, strict=True))
        grids.append(Grid(heading=title, heads=("scenario", *heads), rows=named, words=True))
    cells = "\n".join(" ".join(row) for grid in grids for row in grid.rows)
    notes = [HOW_SAID, in_all_means(cells, found.trials), *_what_is_the_same(found)]
    return document_sheet(found, _question(found)[1:], grids, notes)


def finder(found: Variants) -> Find:
    """Return what finds a measure of a scenario."""

    def find(label: str, measure: str, level: int | str | None) -> Compared | None:
        try:
            return found.get(measure, level, scenario=label)
        except KeyError:
            return None

    return find


def _question(found: Variants) -> list[str]:
    first = found.labels[0]
    many = f"{found.trials:,} simulated trial{'s' * (found.trials > 1)} of each"
    return [
        found.scenario.trial.title_and_id,
        f"{len(found.labels)} scenarios, {many}, seed {found.seed}",
        planned_words(found.scenarios),
        drivers(found.scenario, first),
        settings_words(found.scenario),
        *(f"{label}: {changes_words(found.changes[label], first)}" for label in found.labels[1:]),
    ]


def _what_is_the_same(found: Variants) -> Iterator[str]:
    same = [found.scenario.say(what) for what in drawn_in(found.scenario) if what not in found.not_the_same]
    yield (
        f"difference: to {found.labels[0]}, trial by trial; `{SAME}` where no trial of the two differs, which can "
        f"still do so in {up_to(found.trials)} of trials (95% interval)."
    )
    if same:
        yield f"The same in trial k of every scenario: {'; '.join(same)}."
    if found.not_the_same:
        others = [f"{found.scenario.say(what)} ({', '.join(labels)})" for what, labels in found.not_the_same.items()]
        yield f"Not the same as in {found.labels[0]}: {'; '.join(others)}."
    yield (
        "Patient k is whoever is the k-th to be enrolled, with the same fate at a dose as far as that is the same; "
        "whom a trial enrols, when and at which dose follows from its scenario."
    )


def _dates(found: Variants) -> dict[str, str]:
    """Return the date of each median, by the scenario's label; those that are not known are left out."""
    rows = {label: finder(found)(label, MEDIAN.name, None) for label in found.labels}
    starts = {label: one.trial.start_date for label, one in found.scenarios.items()}
    return {label: f"{starts[label] + timedelta(days=round(row.estimate))}" for label, row in rows.items() if row}


def planned_words(scenarios: Mapping[str, Scenario]) -> str:
    """Return which completion date is planned, of each scenario where they differ; empty where none is."""
    dates = {label: one.trial.planned_completion_date for label, one in scenarios.items()}
    if len(set(dates.values())) == 1:
        planned = next(iter(dates.values()))
        return f"planned completion {planned}" if planned else ""
    return "planned completion: " + "; ".join(f"{label} {planned or 'none'}" for label, planned in dates.items())


# Panels, with lines of at most 80 letters; a difference of two folders is told in the same


_TIME = (
    Head("by plan, %", PLANNED), Head("median day", MEDIAN.name), Head("its date", DATE),
    Head("days, mean", "duration"), Head("cut off, %", "cut off"),
)  # fmt: skip
_PATIENTS = (
    Head("infused", "infused", "all"), Head("evaluable", "evaluable", "all"), Head("overdosed", "overdosed", "all"),
    Head("with a DLT", "dlts", "all"),
)  # fmt: skip
_JUDGED = (Head("right", "right choice"), Head("too toxic", "too toxic a dose"))


def _at_levels(measure: str, levels: int) -> list[Head]:
    return [Head(f"level {k}", measure, k) for k in range(1, levels + 1)]


def panels(
    labels: Sequence[str], find: Find, levels: int, dates: Mapping[str, str], say: Say, nothing: str = SAME
) -> Iterator[list[str]]:
    """Yield the lines of each panel: time, patients, those at each level, recommendation.

    Parameters
    ----------
    labels : sequence of str
        Of the scenarios, the first one first.
    find : callable
        Returns what is told.
    levels : int
        Number of dose levels.
    dates : dict of str to str
        By label, the date of the median.
    say : callable
        The vocabulary: that of the first scenario.
    nothing : str
        What is said of a difference that is 0 without an error.
    """
    for title, columns in _tables(labels, find, levels, dates, say, nothing):
        yield [title, *_panel(labels, columns)]


def _tables(
    labels: Sequence[str], find: Find, levels: int, dates: Mapping[str, str], say: Say, nothing: str = SAME
) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield the title of each table with its columns, the heads first; parameters as those of `panels`."""
    dose = [Head(NO_DOSE, "recommended", NO_DOSE), *_at_levels("recommended", levels), *_JUDGED]
    at_levels = (say("Patients infused at a level, mean"), _at_levels("infused", levels))
    for title, heads in (
        ("When the trial has ended", _TIME), ("Patients, mean", _PATIENTS), at_levels, ("Recommended, %", dose)
    ):  # fmt: skip
        there = [head for head in heads if (head.measure == DATE and dates) or _is_told(head, labels, find)]
        if there:
            said = [head._replace(head=say(head.head)) for head in there]
            yield title, [_column(labels, head, find, dates, nothing) for head in said]


def _is_told(head: Head, labels: Sequence[str], find: Find) -> bool:
    rows = [row for row in (find(label, head.measure, head.level) for label in labels) if row is not None]
    return any(row.estimate for row in rows) if head.measure == "cut off" else bool(rows)


def _panel(labels: Sequence[str], columns: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a line of heads, and lines for each scenario; more of the same below where they are too wide."""
    wide = max([len(CHANGE), *(len(f"  {label}") for label in labels if len(label) <= LABEL)])
    while columns:
        fits, width = 0, wide
        while fits < len(columns) and (not fits or width + len(columns[fits][0]) <= WIDTH):
            width += len(columns[fits][0])
            fits += 1
        now, columns = columns[:fits], columns[fits:]
        yield " " * wide + "".join(column[0] for column in now)
        for position, (label, is_change) in enumerate(_lines(labels), 1):
            cells = "".join(column[position] for column in now)
            name = CHANGE if is_change else f"  {label}"
            if len(name) > wide and not is_change:
                yield from wrap(label, WIDTH, initial_indent="  ", subsequent_indent="    ")
                name = ""
            yield f"{name:<{wide}}{cells}".rstrip()


def _lines(labels: Sequence[str]) -> list[tuple[str, bool]]:
    """Return for each line of a panel the scenario, and whether it tells the difference to the first."""
    return [
        (label, is_change) for label in labels for is_change in (False, True) if label != labels[0] or not is_change
    ]


def _column(labels: Sequence[str], head: Head, find: Find, dates: Mapping[str, str], nothing: str) -> list[str]:
    """Return the cells of a column, of equal width, the head first."""
    cells = [head.head]
    for label, is_change in _lines(labels):
        row = find(label, head.measure, head.level)
        change = None if row is None else row.change
        if head.measure == DATE:
            cells.append("" if is_change else dates.get(label, ""))
        elif is_change:
            cells.append("" if change is None else change_text(change, nothing))
        else:
            cells.append("" if row is None else value_text(row))
    wide = max(map(len, cells)) + 2
    return [f"{cell:>{wide}}" for cell in cells]


def value_text(row: Compared) -> str:
    """Return an estimate in words, without spaces."""
    return quantile_in_words(row) if row.measure == MEDIAN.name else tight(in_words(row))


def change_text(change: Estimate, nothing: str = SAME) -> str:
    """Return a difference in words, without spaces; an error that is not known is not called none."""
    unknown = change.measure == MEDIAN.name and change.mc_se is None and change.estimate
    return f"{change.estimate:+,.0f}±?" if unknown else tight(change_in_words(change, nothing))


def html_rows(
    labels: Sequence[str], find: Find, levels: int, say: Say, nothing: str = SAME
) -> tuple[list[str], list[list[str]]]:
    """Return heads and rows of one table for a notebook, below each number its difference to the first; as `panels`."""
    heads = [Head("finished by plan, %", PLANNED), Head("median day", MEDIAN.name), Head("infused", "infused", "all"),
             Head("with a DLT", "dlts", "all"), Head(f"{NO_DOSE}, %", "recommended", NO_DOSE),
             *(one._replace(head=f"{one.head}, %") for one in _at_levels("recommended", levels))]  # fmt: skip
    there = [head for head in heads if _is_told(head, labels, find)]
    rows = [[label, *(_both(find, label, head, nothing) for head in there)] for label in labels]
    return [say(head.head) for head in there], rows


def _both(find: Find, label: str, head: Head, nothing: str) -> str:
    row = find(label, head.measure, head.level)
    if row is None:
        return ""
    return value_text(row) if row.change is None else f"{value_text(row)}\n{change_text(row.change, nothing)}"
