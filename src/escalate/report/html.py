"""Results as a notebook shows them: the answer in one small table, on light and dark pages, whatever the size.

No colours are set, so that any theme of a notebook goes with it; what is long scrolls within its own frame. Everything
that is shown is in `summary`, `to_pandas` and the records, too, with what there is no room for here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from ..cautions import Caution, Cautions, caution_sentences, cautions
from ..exactly.enumeration import Exact
from ..results.answer import dose_words, when_words
from ..results.chance import change_in_words, exact_in_percent, in_percent, in_units, tight
from ..results.estimates import Characteristics, Estimate, probability
from ..results.outcomes import Trials
from ..scenario.compared import Truth
from ..scenario.designs import rule_in_full, rule_of
from ..scenario.differences import changes_words
from ..scenario.model import Scenario
from ..studies.accruals import Accrual
from ..studies.compared import Comparison
from ..studies.control import cautions_of, control_words, faults
from ..studies.sensitivities import Sensitivity, change_text, measure_words
from ..studies.stored import FolderDifference
from ..studies.sweeps import Sweep
from ..studies.variants import Variants
from ..words.records import NO_DOSE, NO_LEVEL, Trial
from ..words.shown import html_of
from ..words.tables import still_to_come
from .accrual import accrual_summary
from .compared import errors_together
from .stored import difference_rows
from .variants import finder, html_rows, planned_words

MOST_ROWS = 200
"""Rows of one table that are shown; a line says how many more there are."""

MOST_TRUTHS = 12
"""Truths of a comparison that are shown."""

_FRAME = '<div style="max-height:30em;max-width:100%;overflow:auto">{}</div>'
_PLACE = "vertical-align:top;padding:0.1em 0.6em"
_LEFT, _RIGHT = f"text-align:left;{_PLACE}", f"text-align:right;white-space:nowrap;{_PLACE}"


def grid(heads: Sequence[str], rows: Iterable[Sequence[str]], words: Sequence[int] = (0,)) -> str:
    """Return a table.

    Parameters
    ----------
    heads : sequence of str
        Names of the columns.
    rows : iterable of sequence of str
        A cell for each column; a line break within one begins a second line there.
    words : sequence of int
        Columns that hold words, which begin at the left.
    """
    rows = list(rows)
    styles = [_LEFT if column in words else _RIGHT for column in range(len(heads))]
    head = _cells("th", heads, styles)
    body = "".join(f"<tr>{_cells('td', row, styles)}</tr>" for row in rows[:MOST_ROWS])
    more = f"<p>{len(rows) - MOST_ROWS:,} more rows: to_pandas() has them</p>" if len(rows) > MOST_ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cells(tag: str, cells: Sequence[str], styles: Sequence[str]) -> str:
    pairs = zip(cells, styles, strict=True)
    return "".join(f'<{tag} style="{style}">{escape(cell).replace(chr(10), "<br>")}</{tag}>' for cell, style in pairs)


def _page(title: str, under: str, *parts: str) -> str:
    head = f"<strong>{escape(title)}</strong><br>{escape(under)}"
    return _FRAME.format(f"<p>{head}</p>{''.join(parts)}")


def _lines(lines: Iterable[str]) -> str:
    return f"<p>{'<br>'.join(map(escape, lines))}</p>"


@html_of.register
def _(found: Cautions) -> str:
    told = "".join(f"<li>{escape(words)}</li>" for words in caution_sentences(found))
    return _FRAME.format(f"<p>Cautions: {len(found) or 'none'}</p>" + (f"<ul>{told}</ul>" if told else ""))


@html_of.register
def _(found: Characteristics) -> str:
    counted = found.tally
    scenario = counted.scenario
    under = f"{counted.trials:,} simulated trials, seed {counted.seed}; rule {rule_in_full(scenario)}"
    table = grid(*doses_found(found))
    lines = [words for words in (control_words(found), *when_words(found)) if words]
    wrong = _lines(told) if (told := caution_sentences(faults(found))) else ""
    return _page(scenario.trial.title_and_id, under, wrong, table, _lines(lines), _beware(cautions_of(found)))


def doses_found(found: Characteristics) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return what was found of each dose, and of none, as heads and rows of a table."""
    scenario = found.tally.scenario
    levels = (*range(1, scenario.levels + 1), NO_DOSE)
    exactly = any(found.get("recommended", level).exact is not None for level in levels)
    rows = [
        (
            dose_words(scenario, level),
            f"{scenario.toxicity.dlt_probability[level - 1]:.1%}" if isinstance(level, int) else "",
            in_percent(found.get("recommended", level)),
            *[exact_in_percent(found.get("recommended", level))] * exactly,
            *(in_units(found.get(name, level)) if isinstance(level, int) else "" for name in ("infused", "dlts")),
        )
        for level in levels
    ]
    infused = scenario.say("patients infused, mean")
    return ("dose", "assumed P(DLT)", "recommended", *["exact"] * exactly, infused, "with a DLT, mean"), rows


def _beware(found: Sequence[Caution]) -> str:
    number = len(found)
    return _lines([f"{number} caution{'s' if number > 1 else ''}: summary(...) tells"]) if number else ""


@html_of.register
def _(found: Exact) -> str:
    scenario = found.scenario
    rows = [
        (dose_words(scenario, k), f"{p:.1%}", f"{q:.3%}", f"{n:.3f}", f"{y:.3f}")
        for k, p, q, n, y in zip(
            range(1, scenario.levels + 1), found.dlt_probability, found.recommended, found.evaluable, found.dlts,
            strict=True,
        )
    ]  # fmt: skip
    rows.append((NO_DOSE, "", f"{found.no_dose:.3%}", "", ""))
    heads = ("dose", "P(DLT), evaluable", "recommended", "evaluable, mean", "with a DLT, mean")
    under = f"exact, by enumeration of {found.paths:,.0f} dose paths; rule {rule_in_full(scenario)}"
    return _page(scenario.trial.title_and_id, under, grid(heads, rows))


@html_of.register
def _(found: Trial) -> str:
    rows = [
        (
            str(row["decision"]), str(row["level"]), row["committee_date"],
            f"{row['dlts']}/{row['evaluable']}{still_to_come(row)}",
            row["action"] + (f" to level {row['next_level']}" if row["action"] in ("escalate", "de-escalate") else ""),
            row["reason"],
        )
        for row in found.decisions
    ]  # fmt: skip
    under = (
        f"one simulated trial (seed {found.seed}, replicate {found.replicate}), rule {rule_of(found)}: "
        f"{found.path_words}; recommended: {found.recommended_dose} ({found.stop_reason}); "
        f"ended on {found.date_of(found.duration_days)}, day {found.duration_days:,}"
    )
    heads = ("decision", "level", "committee", "DLTs", "action", "why")
    return _page(found.title, under, grid(heads, rows, words=(4, 5)))


@html_of.register
def _(found: Trials) -> str:
    scenario, last = found.scenario, found.first + len(found) - 1
    levels = [(k, dose_words(scenario, k + 1)) for k in range(scenario.levels)] + [(NO_LEVEL, NO_DOSE)]
    rows = []
    for level, words in levels:
        share = probability("", "", None, int((found.recommended == level).sum()), len(found))
        rows.append((words, in_percent(share)))
    under = f"{len(found):,} simulated trials, seed {found.seed}, replicates {found.first} to {last}"
    return _page(scenario.trial.title_and_id, under, grid(("dose", "recommended"), rows))


@html_of.register
def _(found: Comparison) -> str:
    shown = found.truths[:MOST_TRUTHS]
    parts = [_truth(found, truth) for truth in shown]
    more = len(found.truths) - len(shown)
    under = (
        f"{len(found.rules)} rules, {found.trials:,} simulated trials of each, seed {found.seed}; below each "
        f"number stands its difference to {found.rules[0]} in the same trials"
    )
    left = _lines([f"{more} more truths: to_pandas() has them"]) if more else ""
    return _page(found.scenario.trial.title_and_id, under, *parts, left, _lines(errors_together(found)))


def _truth(found: Comparison, truth: Truth) -> str:
    levels = range(1, found.scenario.levels + 1)
    columns: list[tuple[str, str, int | str | None]] = [
        *((f"level {k}", "recommended", k) for k in levels),
        (NO_DOSE, "recommended", NO_DOSE),
        ("right choice", "right choice", None),
        (found.scenario.say("infused"), "infused", "all"),
        ("DLTs", "dlts", "all"),
        ("days", "duration", None),
    ]
    there = {(row.measure, row.level) for row in found.rows if row.truth == truth.label}
    columns = [column for column in columns if column[1:] in there]
    rows = [
        (rule, *(_compared(found, truth.label, rule, measure, level) for _, measure, level in columns))
        for rule in found.rules
    ]
    heads = [f"{head}, %" if measure in ("recommended", "right choice") else head for head, measure, _ in columns]
    return _lines([f"truth {truth.label}"]) + grid(("rule", *heads), rows)


def _compared(found: Comparison, truth: str, rule: str, measure: str, level: int | str | None) -> str:
    row = found.get(measure, level, rule=rule, truth=truth)
    value = tight(in_percent(row) if row.unit == "probability" else in_units(row))
    return value if row.change is None else f"{value}\n{tight(change_in_words(row.change, 'same'))}"


@html_of.register
def _(found: Variants) -> str:
    heads, rows = html_rows(found.labels, finder(found), found.scenario.levels, found.scenario.say)
    first = found.labels[0]
    told = [f"{label}: {changes_words(found.changes[label], first)}" for label in found.labels[1:]]
    under = (
        f"{len(found.labels)} scenarios, {found.trials:,} simulated trials of each, seed {found.seed}; "
        f"below each number stands its difference to {first} in the same trials"
    )
    lines = _lines([line for line in (planned_words(found.scenarios), *told) if line])
    return _page(found.scenario.trial.title_and_id, under, grid(("scenario", *heads), rows), lines)


@html_of.register
def _(found: FolderDifference) -> str:
    keys = grid(("key", *found.labels), [(one.key, one.first, one.other) for one in found.changes], words=(0, 1, 2))
    heads, rows = difference_rows(found)
    table = grid(("", *heads), rows)
    return _page(" and ".join(found.labels), found.how, keys if found.changes else "", table)


@html_of.register
def _(found: Sensitivity) -> str:
    parts = []
    for base, swings in zip(found.base, found.swings, strict=True):
        unit = "days" if base.unit == "days" else "points"
        rows = [
            (swing.key, f"{swing.low} to {swing.high}", change_text(swing.at_low), change_text(swing.at_high))
            for swing in swings
        ]
        heads = ("assumption", "from, to", f"{unit} at low", f"{unit} at high")
        parts.append(_lines([measure_words(found, base)]) + grid(heads, rows, words=(0, 1)))
    under = f"one assumption at a time, {found.trials:,} trials at each end, of the same patients; largest effect first"
    return _page(found.scenario.trial.title_and_id, under, *parts)


@html_of.register
def _(found: Sweep) -> str:
    study = found.study
    levels = (*range(1, study.scenario.levels + 1), NO_DOSE)
    rows = []
    for point in study.points:
        shares: list[Estimate] = [found.get(point.number, "recommended", level) for level in levels]
        values = [str(value) for value in point.values.values()]
        days = found.get(point.number, "duration")
        rows.append((str(point.number), *values, *(tight(in_percent(share)) for share in shares), in_units(days)))
    named = [f"{level if isinstance(level, str) else f'level {level}'}, %" for level in levels]
    heads = ("point", *study.keys, *named, "days, mean")
    under = (
        f"{len(study.points):,} points, {study.trials:,} trials at each: the dose recommended, and the time it takes"
    )
    return _page(study.scenario.trial.title_and_id, under, grid(heads, rows, words=range(1, len(study.keys) + 1)))


@html_of.register
def _(found: Accrual) -> str:
    scenario = found.scenario
    under = f"{found.trials:,} simulated trials, seed {found.seed}: by when patients come"
    return _page(scenario.trial.title_and_id, under, f"<pre>{escape(accrual_summary(found))}</pre>")


@html_of.register
def _(scenario: Scenario) -> str:
    about, safety = scenario.trial, scenario.safety
    cap = f"{about.planned_patients} {scenario.say(about.cap_counts)} patients"
    rows = [
        (str(k), level.label, f"{p:.1%}")
        for k, (level, p) in enumerate(zip(scenario.dose_levels, scenario.toxicity.dlt_probability, strict=True), 1)
    ]
    under = (
        f"rule {rule_in_full(scenario)}; at most {cap}; "
        f"DLT window {safety.dlt_window_days} days, review {safety.review_delay_days} days; start {about.start_date}"
    )
    table = grid(("level", "dose", "assumed P(DLT)"), rows, words=(1,))
    return _page(about.title_and_id, under, table, _beware(cautions(scenario)))
