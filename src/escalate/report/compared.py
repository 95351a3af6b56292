"""A comparison as tables, rules as rows, truth by truth, with paired differences and exact values.

What the tables say is decided once; a summary for a terminal and a sheet for documents lay it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import NamedTuple

from ..cautions import caution_lines
from ..protocol_tables.sheet import Grid, Notes, Sheet
from ..results.chance import HOW_SAID, change_in_words, in_all_means, in_words, tight, up_to
from ..results.no_dose import WHY_NO_DOSE, no_dose_measure
from ..scenario.compared import Truth
from ..scenario.designs import design_words, own_rule_words
from ..scenario.drivers import accrual_drivers, settings_words
from ..studies.compared import WHOLE_COHORTS, Compared, Comparison
from ..words.records import NO_DOSE
from .document_sheet import document_sheet
from .heads import told

WIDTH, LABEL = 80, 22
"""Widest line, and widest label of a rule that stands beside its numbers."""


SAME, DIFFERENCE, EXACT = "same", "difference", "exact"
"""What is said of a difference where no trial differs; what the rows below a rule's are called."""

PER_LEVEL = "patients infused, mean"
"""The table of patients at each level."""


class _Column(NamedTuple):
    head: str
    measure: str
    level: int | str | None
    digits: int
    scale: float = 1


class _Row(NamedTuple):
    """A row of a table: the rule, or what stands below it; `is_rule` tells which."""

    name: str
    is_rule: bool
    cells: list[str]


_PATIENTS_AND_TIME = (
    _Column("DLTs", "dlts", "all", 2),
    _Column("days", "duration", None, 1),
    _Column("by plan %", "finished by planned completion date", None, 1, 100),
    _Column("cut off %", "cut off", None, 1, 100),
)


def comparison_summary(found: Comparison) -> str:
    """Return a comparison as text for a terminal, at most 80 letters wide.

    Parameters
    ----------
    found : Comparison
        As `compare` returns it.

    Returns
    -------
    str
        For each truth, each rule: P(each dose, none), DLTs, duration, and patients at each level, with their Monte
        Carlo standard errors; below them the paired differences to the first rule, and exact values.
    """
    blocks = ["\n".join(_block(found, truth)) for truth in found.truths]
    head = [line for words in _question(found) for line in told(words, "  ")]
    head.append(HOW_SAID)
    head += [line for note in how_to_read(found) for line in wrap(note, WIDTH)]
    means = in_all_means("\n".join(blocks), found.trials)
    head += [means] if means else []
    parts = ["\n".join(head), "\n".join(caution_lines(found.cautions)), *blocks]
    return "\n\n".join(part for part in parts if part)


def comparison_sheet(found: Comparison) -> Sheet:
    """Return a comparison as a sheet for documents, which says what the summary says.

    Parameters
    ----------
    found : Comparison
        As `compare` returns it.
    """
    grids = [block for truth in found.truths for block in _grids(found, truth)]
    cells = "\n".join(" ".join(row) for block in grids if isinstance(block, Grid) for row in block.rows)
    notes = [HOW_SAID, *how_to_read(found), in_all_means(cells, found.trials)]
    return document_sheet(found, _question(found)[1:], grids, notes)


# What is compared, and how it is read


def _question(found: Comparison) -> list[str]:
    many = f"{found.trials:,} simulated trials of each" if found.trials > 1 else "1 simulated trial of each"
    counts = f"{_count(found.rules, 'rule')} under {_count(found.truths, 'truth')}"
    return [
        found.scenario.trial.title_and_id,
        "; ".join(accrual_drivers(found.scenario)),
        settings_words(found.scenario),
        f"{counts}, {many}, seed {found.seed}: the same candidates and patients meet every rule",
        *_designs(found),
    ]


def _designs(found: Comparison) -> Iterator[str]:
    """Yield what every rule goes with, and of each rule what it is beyond that, unless its label says all of it."""
    under = {rule: found.scenarios[found.truths[0].label, rule] for rule in found.rules}
    words = {rule: design_words(one) for rule, one in under.items()}
    first = next(iter(words.values()))
    shared = [said for said in first if all(said in each for each in words.values())]
    if shared:
        yield f"{'Every rule' if len(words) > 1 else found.rules[0]}: {'; '.join(shared)}"
    for rule, each in words.items():
        own = "; ".join(said for said in each if said not in shared)
        if len(words) > 1 and (as_set := own_rule_words(under[rule], found.scenario)):
            yield f"{rule}: {'' if own in ('', rule) else f'{own}; '}{as_set}"
        elif own and own != rule:
            yield f"{rule}: {own}"


def _count(things: Sequence[object], word: str) -> str:
    return f"{len(things)} {word}" + ("" if len(things) == 1 else "s")


def how_to_read(found: Comparison) -> Iterator[str]:
    """Yield what the columns and rows of a comparison mean, a note each."""
    yield from _what_columns_mean(found)
    yield from _what_exact_means(found)
    yield from errors_together(found)


def errors_together(found: Comparison) -> Iterator[str]:
    """Yield that the errors of rules go together, which can look as if exact and simulated values disagreed."""
    if len(found.rules) > 1:
        sides = "Simulated values of several rules on the same side of their exact values are one chance, not several. "
        has_exact = any(row.exact is not None for row in found.rows)
        yield (
            "Errors of the rules go together, because the same patients meet every rule: where by chance more of them "
            f"have a DLT, every rule shows it. {sides if has_exact else ''}How two rules differ is told by their "
            "difference, with its own ±."
        )


def _what_columns_mean(found: Comparison) -> Iterator[str]:
    if len(found.rules) > 1:
        yield (
            f"difference: to {found.rules[0]}, trial by trial on the same patients; `{SAME}` where no trial of the two "
            f"differs, which can still do so in {up_to(found.trials)} of trials (95% interval)."
        )
    if found.overdose_above is not None:
        limit = f"{100 * found.overdose_above:.4g}%"
        yield (
            f"MTD of a truth: the highest level whose P(DLT) is not above {limit}, unless the truth names one. right: "
            "it is recommended, or no dose where there is none. "
            + found.scenario.say("overdosed: infused at a level with P(DLT) above that.")
        )
    if _has(found, "finished by planned completion date"):
        yield "by plan: the trial has ended by the planned completion date, with a dose or without one."
    if _is_cut_off(found):
        yield "cut off: ended by trial.max_days, where the duration stops, so that it is too short."


def _what_exact_means(found: Comparison) -> Iterator[str]:
    kinds = {row.exact_of for row in found.rows if row.exact_of is not None}
    if WHOLE_COHORTS in kinds:
        yield (
            f"exact*: computed without simulating, for the same trial with {WHOLE_COHORTS}. Here decisions come early "
            "and leave places of a cohort empty, so that simulated values can differ from it by more than their error."
        )
    if kinds - {WHOLE_COHORTS}:
        yield "exact: computed without simulating, for the same trial."
    if kinds and _is_cut_off(found):
        yield "Exact values know no end by trial.max_days."
    reasons: dict[str, list[str]] = {}
    for (_, rule), why in found.not_exact.items():
        reason = why.partition(": ")[0]
        reasons.setdefault(reason, []).append(rule)
    for reason, rules in reasons.items():
        yield f"No exact values of {'; '.join(dict.fromkeys(rules))}: {reason}."


def _has(found: Comparison, measure: str) -> bool:
    return any(row.measure == measure for row in found.rows)


def _is_cut_off(found: Comparison) -> bool:
    return any(row.measure == "cut off" and row.estimate > 0 for row in found.rows)


# The tables of a truth


def _truth_words(found: Comparison, truth: Truth) -> str:
    named = f' "{truth.label}"' if truth.label != truth.words else f" {found.truths.index(truth) + 1}"
    mtd = "" if truth.mtd is None else f"; MTD: {_level(truth.mtd)}"
    return f"Truth{named}: P(DLT) {truth.words}{mtd}"


def _level(level: int | str) -> str:
    return f"level {level}" if isinstance(level, int) else level


def _columns(found: Comparison) -> tuple[list[_Column], list[_Column], list[_Column]]:
    """Return the columns that tell what is recommended, DLTs and time, and patients at each level."""
    levels = range(1, found.scenario.levels + 1)
    there = {row.measure for row in found.rows} - ({"cut off"} if not _is_cut_off(found) else set())
    recommended = [
        *(_Column(_level(level), "recommended", level, 1, 100) for level in (NO_DOSE, *levels)),
        _Column("right", "right choice", None, 1, 100),
    ]
    patients = [
        *(_Column(_level(level), "infused", level, 2) for level in levels),
        _Column("all", "infused", "all", 2),
        _Column("overdosed", "overdosed", "all", 2),
    ]
    parts = (recommended, _PATIENTS_AND_TIME, patients)
    left, middle, right = ([column for column in part if column.measure in there] for part in parts)
    return left, middle, right


def _rows(found: Comparison, truth: Truth, columns: Sequence[_Column]) -> Iterator[_Row]:
    """Yield the rows of a table: each rule, below it its difference to the first, and exact values."""
    for rule in found.rules:
        rows = [_row(found, truth, rule, column) for column in columns]
        yield _Row(rule, True, [_value(row) for row in rows])
        if rule != found.rules[0]:
            yield _Row(DIFFERENCE, False, [_difference(row) for row in rows])
        if any(row is not None and row.exact is not None for row in rows):
            of = {row.exact_of for row in rows if row is not None}
            exact = [_exact(*one) for one in zip(rows, columns, strict=True)]
            yield _Row(f"{EXACT}*" if WHOLE_COHORTS in of else EXACT, False, exact)


def _row(found: Comparison, truth: Truth, rule: str, column: _Column) -> Compared | None:
    try:
        return found.get(column.measure, column.level, rule=rule, truth=truth.label)
    except KeyError:
        return None


def _value(row: Compared | None) -> str:
    return "" if row is None else tight(in_words(row))


def _difference(row: Compared | None) -> str:
    change = None if row is None else row.change
    return "" if change is None else tight(change_in_words(change, SAME))


def _exact(row: Compared | None, column: _Column) -> str:
    return "" if row is None or row.exact is None else f"{column.scale * row.exact:.{column.digits + 1}f}"


def _why_no_dose(found: Comparison, truth: Truth) -> Iterator[str]:
    """Tell what `no dose` means: a verdict on the doses, a trial too small for one, or no time left."""
    for why in WHY_NO_DOSE:
        rows = [(rule, found.get(no_dose_measure(why), NO_DOSE, rule=rule, truth=truth.label)) for rule in found.rules]
        said = [f"{rule} {_value(row)}" for rule, row in rows if row.estimate > 0]
        if said:
            yield f"of no dose, {why}, %: {'; '.join(said)}"


# In documents


def _grids(found: Comparison, truth: Truth) -> Iterator[Grid | Notes]:
    """Yield the tables of a truth: recommendation, DLTs and time; patients at each level; what no dose means."""
    recommended, later, patients = _columns(found)
    of = _truth_words(found, truth)
    percent = [column._replace(head=f"{column.head}, %") for column in recommended]
    named = [column._replace(head=column.head.replace(" %", ", %")) for column in later]
    yield _grid(found, truth, f"{of}. Recommended, %; DLTs and days, mean", [*percent, *named])
    yield _grid(found, truth, f"{of}. {found.scenario.say(PER_LEVEL).capitalize()}", patients)
    if why := tuple(_why_no_dose(found, truth)):
        yield Notes(heading="What no dose means", lines=why)


def _grid(found: Comparison, truth: Truth, heading: str, columns: Sequence[_Column]) -> Grid:
    rows = tuple((row.name, *row.cells) for row in _rows(found, truth, columns))
    heads = ("rule", *(found.scenario.say(column.head) for column in columns))
    return Grid(heading=heading, heads=heads, rows=rows, words=True)


# In a terminal


def _block(found: Comparison, truth: Truth) -> Iterator[str]:
    yield from told(_truth_words(found, truth), "  ")
    recommended, later, patients = _columns(found)
    which, when = _panel(found, truth, "Recommended %", recommended), _panel(found, truth, "DLTs, days, mean", later)
    label = _label_width(found)
    beside = [f"{a:<{max(map(len, which))}} {b[label:]}" if a != b else a for a, b in zip(which, when, strict=False)]
    fits = len(which) == len(when) and max(map(len, beside)) <= WIDTH
    told_of = _panel(found, truth, found.scenario.say(PER_LEVEL).capitalize(), patients)
    yield from (line.rstrip() for line in ([*beside, *told_of] if fits else [*which, *when, *told_of]))
    for words in _why_no_dose(found, truth):
        yield from wrap(words, WIDTH, subsequent_indent="  ")


def _label_width(found: Comparison) -> int:
    return max(len(words) for words in (*found.rules, f"  {DIFFERENCE}") if len(words) <= LABEL)


def _panel(found: Comparison, truth: Truth, title: str, columns: Sequence[_Column]) -> list[str]:
    """Return lines: a head, and up to three lines for each rule; columns without room stand below, in as many more."""
    label = _label_width(found)
    rows = [_Row("", False, [found.scenario.say(column.head) for column in columns]), *_rows(found, truth, columns)]
    widths = [max(len(row.cells[k]) for row in rows) + 1 for k in range(len(columns))]
    lines: list[str] = []
    for first, end in _fitting(widths, WIDTH - label):
        lines.append(f"{'':<{label}} {title}")
        for name, is_rule, cells in rows:
            if len(name) > label:
                lines += wrap(name, WIDTH, subsequent_indent="  ")
            start = "" if len(name) > label else name if is_rule or not name else f"  {name}"
            shown = zip(cells[first:end], widths[first:end], strict=True)
            lines.append(f"{start:<{label}}" + "".join(f"{cell:>{width}}" for cell, width in shown))
    return lines


def _fitting(widths: Sequence[int], room: int) -> Iterator[tuple[int, int]]:
    """Yield from which column to which they fit beside each other."""
    first, used = 0, 0
    for column, width in enumerate(widths):
        if column > first and used + width > room:
            yield first, column
            first, used = column, 0
        used += width
    if widths:
        yield first, len(widths)
