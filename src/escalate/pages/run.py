"""What the page of a run holds: question and answer, cautions, figures, decision table, assumptions, how to make it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from ..cautions import caution_sentences
from ..report.answer import five_lines
from ..report.html import doses_found
from ..results.chance import HOW_SAID
from ..results.estimates import Characteristics
from ..scenario.rules import PythonRule
from ..scenario.sources import Assumption, by_kind
from ..studies.control import cautions_of, control_words
from ..studies.simulation import provenance
from ..words.records import Trial
from .page import Picture, page
from .table import table_of

MOST_LETTERS = 300
"""Longer values are cut: the resolved scenario has them whole."""

FIGURES = (
    ("selection", "Which dose would be recommended?", "Bars: how often each dose level, and no dose, is recommended."),
    ("durations", "When is the trial finished?", "A curve: the share of trials that are finished by each date."),
    ("where-time-goes", "Where does the time go?", "Bars: mean days for each thing that the trial waits for."),
    ("timeline", "One of these trials, patient by patient", "A calendar: a bar for each patient of one trial."),
    ("staircase", "One of these trials, cohort by cohort", "Steps: the dose level of each patient of one trial."),
)
"""Figures in the order in which they are read: name of the file, the question, what is to be seen."""


def run_page(found: Characteristics, told: Trial, figures: Mapping[str, bytes]) -> str:
    """Return the page of many trials as the text of an HTML file; equal results are equal texts.

    Parameters
    ----------
    found : Characteristics
        As `characteristics` returns them.
    told : Trial
        The one of them that figures show.
    figures : mapping of str to bytes
        Figures as SVG files, by the names of `FIGURES`; the page says which are missing.
    """
    counted = found.tally
    scenario = counted.scenario
    heads, doses = doses_found(found)
    return page(
        "run.html",
        title=scenario.trial.title_and_id,
        answer=five_lines(found),
        how_said=HOW_SAID,
        control=control_words(found),
        cautions=caution_sentences(cautions_of(found)),
        heads=heads,
        doses=doses,
        pictures=[Picture(heading=asked, words=seen, svg=figures.get(name)) for name, asked, seen in FIGURES],
        told=told,
        table=table_of(scenario),
        assumptions=[(kind, len(entries), _by_source(entries)) for kind, entries in by_kind(scenario) if entries],
        again=_again(found),
        made=provenance(scenario, seed=counted.seed, first=counted.first, trials=counted.trials),
    )


def _by_source(entries: list[Assumption]) -> list[tuple[list[str], str]]:
    """Return assumptions that have one source together: what they are, and the source."""
    return [
        ([_words(entry) for entry in group], source or "no source is given")
        for source, group in groupby(entries, key=lambda entry: entry.source)
    ]


def _words(entry: Assumption) -> str:
    value = entry.value_text
    short = value if len(value) <= MOST_LETTERS else f"{value[:MOST_LETTERS]} ... (all of it: resolved.json)"
    return f"{entry.key} = {short}" + (f" (range {entry.between})" if entry.between else "")


def _again(found: Characteristics) -> str:
    """Return the line that makes the results again: a command; Python where the first trial is not replicate 0."""
    counted = found.tally
    runs_python = isinstance(counted.scenario.rule, PythonRule)
    if counted.first:
        allow = ", allow_python=True" if runs_python else ""
        return (
            f'esc.characteristics(esc.simulate(esc.load("resolved.json"{allow}), trials={counted.trials}, '
            f'seed={counted.seed}, first={counted.first})).save("again")'
        )
    allow = " --allow-python" if runs_python else ""
    return f"escalate run resolved.json --trials {counted.trials} --seed {counted.seed}{allow}"
