"""`escalate keys`: tell every key of a scenario: meaning, unit, what is allowed, default and an example."""

from __future__ import annotations

import argparse

from .arguments import Verbs, new_verb
from .terminal import say


def add(verbs: Verbs) -> None:
    """Add the verb."""
    words = "tell every key of a scenario: meaning, unit, what is allowed, default and an example"
    parser = new_verb(verbs, "keys", run, words)
    parser.add_argument("key", nargs="?", help="a section, a key or a rule: safety, dlt_window_days, BOIN")
    parser.add_argument("--markdown", action="store_true", help="all of them as the tables of a page")


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..errors import EscalateError
    from ..report.keys import keys_page, keys_text

    if arguments.markdown and arguments.key is not None:
        raise EscalateError("--markdown writes every key: leave out the name, or --markdown")
    say(keys_page() if arguments.markdown else keys_text(arguments.key))
