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
    crew_of,
    name_of,
    new_verb,
    result_folder,
    say,
    scenario_of,
)
from .shards import add_shards, did_some, is_divided, parts_beside, say_parts_are_done, travels


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "run", run, "simulate a scenario many times: operating characteristics, dates, figures")
    add_scenario(parser)
    add_trials(parser, TRIALS)
    add_workers(parser)
    add_out(parser, "results/<scenario>, with a number if that exists")
    add_shards(parser)


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..studies.parts import merged
    from ..studies.simulation import simulation_work

    folder = parts_beside(arguments) if is_divided(arguments) else None
    scenario, read = scenario_of(arguments)
    if folder is not None:
        work = simulation_work(scenario, trials=arguments.trials, seed=arguments.seed, travel=travels(arguments))
        if did_some(arguments, work, folder):
            return
    from .. import export  # not before a shard is done, which needs nothing that draws
    from ..report import summary

    with result_folder(arguments, name_of(read)) as out, crew_of(arguments) as executor:
        export.run(
            scenario,
            out,
            xlsx=arguments.xlsx,
            trials=arguments.trials,
            seed=arguments.seed,
            progress=True,
            executor=executor,
            parts=None if folder is None else merged(work, folder, arguments.shards),
            source=read,
            tell=lambda found: say(summary(found)),
        )
    if out is not None:
        say(f"\nWritten to {out.path}: report.html, summary, figures, every trial, and the median one told.")
        say_parts_are_done(folder)
