"""`escalate exact`: compute exact operating characteristics and dose paths, without simulating."""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import (
    Verbs,
    add_scenario,
    add_size,
    add_xlsx,
    new_verb,
    result_folder,
    say,
    scenario_of,
)


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "exact", run, "compute exact operating characteristics and dose paths, without simulating")
    add_scenario(parser)
    parser.add_argument("--csv", metavar="FILE", help="write every dose path with its probability")
    parser.add_argument("--out", metavar="DIR", help="write summary, characteristics, dose paths and their tree")
    add_xlsx(parser)
    add_size(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace FILE or the folder of an earlier result")


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..exactly.enumeration import exact
    from ..exactly.paths import dose_paths, listed_paths
    from ..files import check_file_free, write_file
    from ..report import exact_summary, paths_csv
    from ..words.csv_text import csv_bytes

    scenario, _ = scenario_of(arguments)
    if arguments.csv is not None:
        check_file_free(Path(arguments.csv), arguments.overwrite)
    with result_folder(arguments) as out:
        found = exact(scenario)
        paths = listed_paths(scenario) if arguments.csv is None else dose_paths(scenario)
        if arguments.csv is not None:
            write_file(Path(arguments.csv), csv_bytes(paths_csv(paths)), arguments.overwrite)
        if out is None:
            say(exact_summary(found, paths))
        else:
            from ..export import write_exact

            write_exact(found, paths, out, xlsx=arguments.xlsx, tell=lambda: say(exact_summary(found, paths)))
