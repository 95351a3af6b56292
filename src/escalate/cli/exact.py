"""`escalate exact`: compute exact operating characteristics and dose paths, without simulating."""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import Verbs, add_scenario, add_size, new_verb, result_folder, say


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "exact", run, "compute exact operating characteristics and dose paths, without simulating")
    add_scenario(parser)
    parser.add_argument("--csv", metavar="FILE", help="write every dose path with its probability")
    parser.add_argument("--out", metavar="DIR", help="write summary, characteristics, dose paths and their tree")
    add_size(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace FILE or the folder of an earlier result")


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..exactly.enumeration import exact
    from ..exactly.paths import dose_paths
    from ..export import listed_paths, write_exact
    from ..files import check_file_free, write_text
    from ..report import exact_summary, paths_csv
    from ..scenario import load

    scenario = load(arguments.scenario, allow_python=arguments.allow_python)
    if arguments.csv is not None:
        check_file_free(Path(arguments.csv), arguments.overwrite)
    with result_folder(arguments) as out:
        found = exact(scenario)
        paths = listed_paths(scenario) if arguments.csv is None else dose_paths(scenario)
        if arguments.csv is not None:
            write_text(Path(arguments.csv), paths_csv(paths), arguments.overwrite)
        if out is None:
            say(exact_summary(found, paths))
        else:
            write_exact(found, paths, out, tell=lambda: say(exact_summary(found, paths)))
