"""`escalate sensitivity`: say which assumption matters most, going through their ranges."""

from __future__ import annotations

import argparse

from ..words.defaults import TRIALS_EACH
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


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "sensitivity", run, "say which assumption matters most, going through their ranges")
    add_scenario(parser)
    add_trials(parser, TRIALS_EACH, "trials of the base case, and at each end of each range")
    add_workers(parser)
    add_out(parser, "results/<scenario>-sensitivity, with a number if that exists")


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..report import summary
    from ..studies.sensitivities import sensitivity

    scenario, read = scenario_of(arguments)
    with result_folder(arguments, f"{name_of(read)}-sensitivity") as out:
        with crew_of(arguments) as executor:
            found = sensitivity(
                scenario, trials=arguments.trials, seed=arguments.seed, executor=executor, progress=True
            )
        if out is None:
            say(summary(found))
        else:
            from ..export import write_sensitivity

            write_sensitivity(found, out, xlsx=arguments.xlsx, tell=lambda: say(summary(found)))
            say(f"\nWritten to {out.path}: sensitivity.csv, and a tornado for each measure.")
