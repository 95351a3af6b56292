"""`escalate compare`: compare rules under several truths, on the same patients."""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import (
    Verbs,
    add_out,
    add_scenario,
    add_trials,
    add_workers,
    name_of,
    new_verb,
    result_folder,
    say,
    scenario_of,
)


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "compare", run, "compare rules under several truths, on the same patients")
    add_scenario(parser)
    rule = 'a rule, as in BOIN or "CRM prior_mtd_level=2 limits.coherence=last_cohort"; differences are to the first'
    truth = 'P(DLT) at each level, as in "0.05 0.12"'
    target = "target P(DLT) of every rule that needs one and names none; it also says which level is the MTD of a truth"
    parser.add_argument("--rule", action="append", default=[], metavar="RULE", help=f"{rule}; give one for each")
    parser.add_argument("--truth", action="append", default=[], metavar="P", help=f"{truth}; give one for each")
    parser.add_argument("--target", type=float, metavar="P", help=target)
    parser.add_argument("--rules", metavar="FILE", help="file (.toml) with target, [[rules]] and [[truths]]")
    add_trials(parser, 10_000, "of each")
    parser.add_argument("--no-exact", action="store_true", help="compute no exact values")
    add_workers(parser)
    add_out(parser, "results/<scenario>-compared, with a number if that exists")


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..export import write_comparison
    from ..report import summary
    from ..scenario.comparison_file import read_asked
    from ..scenario.texts import read_once
    from ..studies.comparison import compare
    from ..studies.workers import workers

    scenario, read = scenario_of(arguments)
    inputs = [read, *([read_once(Path(arguments.rules))] if arguments.rules is not None else [])]
    asked = read_asked(
        arguments.rule,
        arguments.truth,
        *inputs[1:],
        target=arguments.target,
        allow_python=arguments.allow_python,
    )
    with result_folder(arguments, f"{name_of(read)}-compared") as out:
        with workers(arguments.workers, arguments.dask) as executor:
            found = compare(
                scenario,
                asked.rules or None,
                asked.truths or None,
                target=asked.target,
                trials=arguments.trials,
                seed=arguments.seed,
                enumerate_exactly=not arguments.no_exact,
                progress=True,
                executor=executor,
            )
        if out is None:
            say(summary(found))
        else:
            write_comparison(found, out, xlsx=arguments.xlsx, inputs=inputs, tell=lambda: say(summary(found)))
            say(f"\nWritten to {out.path}: summary, comparison.csv, comparison.png, and every scenario compared.")
