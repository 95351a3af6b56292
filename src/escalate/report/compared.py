"""A comparison as one table for a terminal: rules as rows, truth by truth, with paired differences and exact values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import NamedTuple

from ..cautions import caution_lines
from ..results.chance import HOW_SAID, change_in_words, in_all_means, in_words, tight, up_to
from ..results.no_dose import WHY_NO_DOSE, no_dose_measure
from ..scenario.compared import Truth
from ..scenario.designs import design_words
from ..scenario.drivers import accrual_drivers, settings_words
from ..studies.compared import WHOLE_COHORTS, Compared, Comparison
from ..words.records import NO_DOSE
from .heads import told

WIDTH, LABEL = 80, 22
"""Widest line, and widest label of a rule that stands beside its numbers."""


SAME = "same"
"""What is said of a difference where no trial differs."""


class _Column(NamedTuple):
    head: str
    measure: str
    level: int | str | None
    digits: int
    scale: float = 1


_PATIENTS_AND_TIME = (
    _Column("infused", "infused", "all", 2),
    _Column("overdosed", "overdosed", "all", 2),
    _Column("DLTs", "dlts", "all", 2),
    _Column("days", "duration", None, 1),
    _Column("by plan %", "finished by planned completion date", None, 1, 100),
    _Column("cut off %", "cut off", None, 1, 100),
)


def comparison_summary(found: Comparison) -> str:
    """Return a comparison as one table for a terminal, as wide as its panels need, running text at most 80 letters.

    Parameters
    ----------
    found : Comparison
        As `compare` returns it.

    Returns
    -------
    str
        For each truth, each rule: P(each dose, none), patients, DLTs, duration, with their Monte Carlo standard errors;
        below them the paired differences to the first rule, and exact values.
    """
    blocks = ["\n".join(_block(found, truth)) for truth in found.truths]
    means = in_all_means("\n".join(blocks), found.trials)
    head = [*_question(found), *([means] if means else [])]
    parts = ["\n".join(head), "\n".join(caution_lines(found.cautions)), *blocks]
    return "\n\n".join(part for part in parts if part)


def _question(found: Comparison) -> Iterator[str]:
    about = found.scenario.trial
    yield from told(about.title_and_id, "  ")
    yield from told("; ".join(accrual_drivers(found.scenario)), "  ")
    yield from told(settings_words(found.scenario), "  ")
    many = f"{found.trials:,} simulated trials of each" if found.trials > 1 else "1 simulated trial of each"
    yield from told(
        f"{_count(found.rules, 'rule')} under {_count(found.truths, 'truth')}, {many}, seed {found.seed}: "
        "the same candidates and patients meet every rule",
        "  ",
    )
    yield from _designs(found)
    yield HOW_SAID
    notes = [*_what_columns_mean(found), *_what_exact_means(found)]
    for note in notes:
        yield from wrap(note, WIDTH)


def _designs(found: Comparison) -> Iterator[str]:
    """Yield what every rule goes with, and of each rule what it is beyond that, unless its label says all of it."""
    words = {rule: design_words(found.scenarios[found.truths[0].label, rule]) for rule in found.rules}
    first = next(iter(words.values()))
    shared = [said for said in first if all(said in each for each in words.values())]
    if shared:
        yield from told(f"{'Every rule' if len(words) > 1 else found.rules[0]}: {'; '.join(shared)}", "  ")
    for rule, each in words.items():
        own = "; ".join(said for said in each if said not in shared)
        if own and own != rule:
            yield from told(f"{rule}: {own}", "  ")


def _count(things: Sequence[object], word: str) -> str:
    return f"{len(things)} {word}" + ("" if len(things) == 1 else "s")


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


def _block(found: Comparison, truth: Truth) -> Iterator[str]:
    named = f' "{truth.label}"' if truth.label != truth.words else f" {found.truths.index(truth) + 1}"
    mtd = "" if truth.mtd is None else f"; MTD: {_level(truth.mtd)}"
    yield f"Truth{named}: P(DLT) {truth.words}{mtd}"
    levels = range(1, found.scenario.levels + 1)
    recommended = [_Column(_level(level), "recommended", level, 1, 100) for level in (NO_DOSE, *levels)]
    recommended.append(_Column("right", "right choice", None, 1, 100))
    more = [column for column in _PATIENTS_AND_TIME if column.measure != "cut off" or _is_cut_off(found)]
    there = {row.measure for row in found.rows}
    left, right = ([column for column in part if column.measure in there] for part in (recommended, more))
    titled = [("Recommended %", left), ("Patients, and days, mean", right)]
    which, later = (_panel(found, truth, *part) for part in titled)
    label = _label_width(found)
    beside = [
        f"{left:<{len(which[0])}} {right[label:]}" if left != right else left
        for left, right in zip(which, later, strict=True)
    ]
    fits = max(map(len, beside)) <= WIDTH
    yield from (line.rstrip() for line in (beside if fits else [*which, *later]))
    yield from _why_no_dose(found, truth)


def _why_no_dose(found: Comparison, truth: Truth) -> Iterator[str]:
    """Tell what `no dose` means: a verdict on the doses, a trial too small for one, or no time left."""
    for why in WHY_NO_DOSE:
        column = _Column(why, no_dose_measure(why), NO_DOSE, 1, 100)
        rows = [(rule, found.get(column.measure, NO_DOSE, rule=rule, truth=truth.label)) for rule in found.rules]
        said = [f"{rule} {_value(row)}" for rule, row in rows if row.estimate > 0]
        if said:
            yield from wrap(f"of no dose, {why}, %: {'; '.join(said)}", WIDTH, subsequent_indent="  ")


def _level(level: int | str) -> str:
    return f"level {level}" if isinstance(level, int) else level


def _label_width(found: Comparison) -> int:
    return max(len(words) for words in (*found.rules, "  difference") if len(words) <= LABEL)


def _panel(found: Comparison, truth: Truth, title: str, columns: Sequence[_Column]) -> list[str]:
    """Return lines of equal width: a head, and up to three lines for each rule."""
    label = _label_width(found)
    cells: list[tuple[str, list[str]]] = [("", [found.scenario.say(column.head) for column in columns])]
    for rule in found.rules:
        rows = [_row(found, truth, rule, column) for column in columns]
        if len(rule) > label:
            cells.append((rule, []))
        cells.append((rule if len(rule) <= label else "", [_value(row) for row in rows]))
        if rule != found.rules[0]:
            cells.append(("  difference", [_difference(row) for row in rows]))
        kinds = {row.exact_of for row in found.rows if (row.truth, row.rule) == (truth.label, rule)} - {None}
        if kinds:
            star = "*" if WHOLE_COHORTS in kinds else ""
            cells.append((f"  exact{star}", [_exact(*one) for one in zip(rows, columns, strict=True)]))
    widths = [max(len(row[k]) for _, row in cells if row) + 1 for k in range(len(columns))]
    body = [
        f"{name:<{label}}" + "".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) if row
        else name
        for name, row in cells
    ]  # fmt: skip
    wide = sum(widths)
    return [f"{'':<{label}}{f' {title}':<{wide}}", *body]


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
