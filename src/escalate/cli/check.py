"""`escalate check`: check a scenario, and list its assumptions with their sources."""

from __future__ import annotations

import argparse

from .arguments import Verbs, add_scenario, new_verb


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "check", run, "check a scenario, and list its assumptions with their sources")
    add_scenario(parser)


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..committee.committee import Committee
    from ..report import assumptions
    from ..scenario import load

    scenario = load(arguments.scenario, allow_python=arguments.allow_python)
    Committee(scenario)  # a Python rule shows only now whether it exists, and has what goes around it
    print(f"{arguments.scenario}: a valid scenario\n")
    print(assumptions(scenario))
