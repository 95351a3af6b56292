"""`escalate rules`: list the escalation rules, or the options of one."""

from __future__ import annotations

import argparse

from .arguments import Verbs, new_verb
from .terminal import say


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "rules", run, "list the escalation rules, or the options of one")
    parser.add_argument("rule", nargs="?", help="name of a rule, as scenario files write it")


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..rules.catalogue import rules

    say(rules(arguments.rule))
