"""`escalate accrual`: say by when how many patients have come, and draw the fan of many trials."""

from __future__ import annotations

import argparse

from .arguments import Verbs, add_out, add_scenario, add_trials, name_of, new_verb, result_folder, say, scenario_of


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "accrual", run, "say by when how many patients have come, and draw the fan")
    add_scenario(parser)
    who = ("infused", "enrolled", "evaluable", "consented")
    parser.add_argument("--counted", choices=who, default=who[0], metavar="WHO", help=f"{', '.join(who)} (the first)")
    add_trials(parser, 1000)
    add_out(parser, "results/<scenario>-accrual, with a number if that exists")


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..report.accrual import accrual_summary
    from ..studies.accruals import accrual

    scenario, read = scenario_of(arguments)
    with result_folder(arguments, f"{name_of(read)}-accrual") as out:
        found = accrual(scenario, trials=arguments.trials, seed=arguments.seed, progress=True)

        def tell() -> None:
            say(accrual_summary(found, arguments.counted))

        if out is None:
            tell()
        else:
            from ..export import write_accrual

            write_accrual(found, out, xlsx=arguments.xlsx, counted=arguments.counted, tell=tell)
            say(f"\nWritten to {out.path}: summary, and accrual.png and .svg.")
