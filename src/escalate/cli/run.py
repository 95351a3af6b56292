"""`escalate run`: simulate a scenario many times: operating characteristics, dates, figures."""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import Verbs, add_out, add_scenario, add_workers, at_least, new_verb, result_folder
from .terminal import say


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "run", run, "simulate a scenario many times: operating characteristics, dates, figures")
    add_scenario(parser)
    parser.add_argument("--trials", type=at_least(1), default=10_000, metavar="N", help="trials (default 10000)")
    parser.add_argument("--seed", type=at_least(0), default=1, metavar="S", help="seed (default 1)")
    add_workers(parser)
    add_out(parser, "results/<scenario>, with a number if that exists")


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from .. import export
    from ..report import summary
    from ..scenario import load
    from ..scenario.shipped import scenario_file
    from ..studies.workers import workers

    scenario = load(arguments.scenario, allow_python=arguments.allow_python)
    out = result_folder(arguments, Path(arguments.scenario).stem)
    with workers(arguments.workers, arguments.dask) as executor:
        found = export.run(
            scenario,
            out,
            trials=arguments.trials,
            seed=arguments.seed,
            overwrite=arguments.overwrite,
            progress=True,
            executor=executor,
            source=scenario_file(arguments.scenario),
        )
    say(summary(found))
    if out is not None:
        say(f"\nWritten to {out}: summary, characteristics, figures, every trial, and trial 0 with its timeline.")
