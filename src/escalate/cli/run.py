"""`escalate run`: simulate a scenario many times: operating characteristics, dates, figures."""

from __future__ import annotations

import argparse

from ..words.defaults import TRIALS
from .arguments import (
    Verbs,
    add_out,
    add_scenario,
    add_trials,
    add_workers,
    name_of,
    new_verb,
    result_folder,
    say,
    scenario_of,
)


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "run", run, "simulate a scenario many times: operating characteristics, dates, figures")
    add_scenario(parser)
    add_trials(parser, TRIALS)
    add_workers(parser)
    add_out(parser, "results/<scenario>, with a number if that exists")


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from .. import export
    from ..report import summary
    from ..studies.workers import workers

    scenario, read = scenario_of(arguments)
    with result_folder(arguments, name_of(read)) as out, workers(arguments.workers, arguments.dask) as executor:
        export.run(
            scenario,
            out,
            xlsx=arguments.xlsx,
            trials=arguments.trials,
            seed=arguments.seed,
            progress=True,
            executor=executor,
            source=read,
            tell=lambda found: say(summary(found)),
        )
    if out is not None:
        say(f"\nWritten to {out.path}: report.html, summary, figures, every trial, and the median one told.")
