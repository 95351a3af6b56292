"""`escalate trial`: tell one simulated trial day by day, and draw its timeline."""

from __future__ import annotations

import argparse

from .arguments import (
    Verbs,
    add_out,
    add_scenario,
    add_seed,
    at_least,
    name_of,
    new_verb,
    print_cautions,
    result_folder,
    say,
    scenario_of,
)


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "trial", run, "tell one simulated trial day by day, and draw its timeline")
    add_scenario(parser)
    parser.add_argument("--replicate", type=at_least(0), default=0, metavar="K", help="which trial (default 0)")
    add_seed(parser)
    add_out(parser, "results/<scenario>-trial-<K>, with a number if that exists")


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..cautions import cautions
    from ..export import write_trial
    from ..report.narrative import story
    from ..trial.conduct import simulate_trial

    scenario, read = scenario_of(arguments)
    with result_folder(arguments, f"{name_of(read)}-trial-{arguments.replicate}") as out:
        trial = simulate_trial(scenario, seed=arguments.seed, replicate=arguments.replicate)

        def tell() -> None:
            print_cautions(cautions(scenario))
            say(story(trial))

        if out is None:
            tell()
        else:
            write_trial(trial, scenario, out, xlsx=arguments.xlsx, tell=tell)
            say(f"\nWritten to {out.path}: records, story, timeline.png, staircase.png.")
