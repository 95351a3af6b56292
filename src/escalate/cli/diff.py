"""`escalate diff`: in what two folders of results differ."""

from __future__ import annotations

import argparse

from .arguments import Verbs, add_allow_python, new_verb, say


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "diff", run, "tell in what two folders of results differ: scenarios, versions, numbers")
    parser.add_argument("first", metavar="RESULTS", help="folder that `escalate run` wrote")
    parser.add_argument("other", metavar="RESULTS", help="another one; differences are to the first")
    parser.add_argument("--csv", metavar="FILE", help="also write every difference as a table")
    add_allow_python(parser)


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from pathlib import Path

    from ..files import check_file_free
    from ..report import summary
    from ..studies.stored import diff

    if arguments.csv is not None:
        check_file_free(Path(arguments.csv), overwrite=False)
    found = diff(arguments.first, arguments.other, allow_python=arguments.allow_python)
    if arguments.csv is not None:
        found.save(arguments.csv)
    say(summary(found))
