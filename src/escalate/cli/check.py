"""`escalate check`: check a scenario, and list its cautions, and its assumptions with their sources."""

from __future__ import annotations

import argparse

from .arguments import Verbs, add_scenario, new_verb, print_cautions, scenario_of
from .terminal import say


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "check", run, "check a scenario, and list its assumptions with their sources")
    add_scenario(parser)


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..cautions import cautions
    from ..report import assumptions, left_out

    scenario, _ = scenario_of(arguments)
    found = cautions(scenario)  # a Python rule shows only now whether it exists, and has what goes around it
    say(f"{arguments.scenario}: a valid scenario\n")
    print_cautions(found)
    absent = left_out(scenario)
    if absent:
        say(f"{absent}\n")
    say(assumptions(scenario))
