"""`escalate schema`: print the JSON Schema of scenario files, for editors."""

from __future__ import annotations

import argparse

from .arguments import Verbs, new_verb
from .terminal import say


def add(verbs: Verbs) -> None:
    """Add the verb."""
    new_verb(verbs, "schema", run, "print the JSON Schema of scenario files, for editors")


def run(_: argparse.Namespace) -> None:
    """Do it."""
    import json

    from ..scenario import Scenario

    say(json.dumps(Scenario.model_json_schema(), indent=2), verbatim=True)
