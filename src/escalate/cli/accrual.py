"""`escalate accrual`: say by when how many patients have come, and draw the fan of many trials."""

from __future__ import annotations

import argparse

from ..words.defaults import TRIALS_RECORDED
from .arguments import Verbs, add_out, add_scenario, add_trials, name_of, new_verb, result_folder, say, scenario_of


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "accrual", run, "say by when how many patients have come, and draw the fan")
    add_scenario(parser)
    who = ("infused", "enrolled", "evaluable", "consented")
    parser.add_argument("--counted", choices=who, default=who[0], metavar="WHO", help=f"{', '.join(who)} (the first)")
    dates = "tell how many there are by the end of a date, as in 2026-07-30; give one for each, or commas between them"
    parser.add_argument("--by", action="extend", type=_dates, default=[], metavar="DATE", help=dates)
    add_trials(parser, TRIALS_RECORDED, "trials, each with all its records")
    add_out(parser, "results/<scenario>-accrual, with a number if that exists")


def _dates(text: str) -> list[str]:
    return text.replace(",", " ").split()


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..report.accrual import accrual_summary
    from ..studies.accruals import accrual, days_of

    scenario, read = scenario_of(arguments)
    days_of(scenario, arguments.by)
    with result_folder(arguments, f"{name_of(read)}-accrual") as out:
        found = accrual(scenario, trials=arguments.trials, seed=arguments.seed, progress=True)

        def tell() -> None:
            say(accrual_summary(found, arguments.counted, arguments.by))

        if out is None:
            tell()
        else:
            from ..export import write_accrual

            write_accrual(found, out, xlsx=arguments.xlsx, counted=arguments.counted, by=arguments.by, tell=tell)
            say(f"\nWritten to {out.path}: summary, accrual.csv, and accrual.png and .svg.")
