"""`escalate sensitivity`: say which assumption matters most, going through their ranges."""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import Verbs, add_out, add_scenario, add_workers, at_least, new_verb, result_folder
from .terminal import say


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "sensitivity", run, "say which assumption matters most, going through their ranges")
    add_scenario(parser)
    parser.add_argument("--trials", type=at_least(1), default=2000, metavar="N", help="trials (default 2000)")
    parser.add_argument("--seed", type=at_least(0), default=1, metavar="S", help="seed (default 1)")
    add_workers(parser)
    add_out(parser, "results/<scenario>-sensitivity, with a number if that exists")


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..export import write_sensitivity
    from ..report import summary
    from ..scenario import load
    from ..studies.sensitivities import sensitivity
    from ..studies.workers import workers

    scenario = load(arguments.scenario, allow_python=arguments.allow_python)
    out = result_folder(arguments, f"{Path(arguments.scenario).stem}-sensitivity")
    with workers(arguments.workers, arguments.dask) as executor:
        found = sensitivity(scenario, trials=arguments.trials, seed=arguments.seed, executor=executor, progress=True)
    if out is not None:
        write_sensitivity(found, out, overwrite=arguments.overwrite)
    say(summary(found))
    if out is not None:
        say(f"\nWritten to {out}: sensitivity.csv, and a tornado for each measure.")
