"""`escalate init`: draft a scenario from a registry record (ClinicalTrials.gov API v2, JSON)."""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import Verbs, new_verb
from .terminal import say


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "init", run, "draft a scenario from a registry record (ClinicalTrials.gov API v2, JSON)")
    parser.add_argument("record", help="the record's file (.json)")
    parser.add_argument("--out", metavar="FILE", help="file to write (default: standard output)")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..files import write_text
    from ..registry import draft_scenario

    draft = draft_scenario(arguments.record)
    if arguments.out is None:
        say(draft, end="", verbatim=True)
    else:
        write_text(Path(arguments.out), draft, arguments.overwrite)
        say(f"Written to {arguments.out}; `escalate check {arguments.out}` says what it still assumes.")
