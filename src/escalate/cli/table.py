"""`escalate table`: print the decision table of a scenario's rule, for the protocol."""

from __future__ import annotations

import argparse
import re

from .arguments import (
    Verbs,
    add_scenario,
    add_size,
    add_xlsx,
    at_least,
    new_verb,
    print_cautions,
    result_folder,
    say,
    scenario_of,
)

OF_NATURE = ("accrual", "sites", "attrition", "screening", "toxicity", "follow_up")
"""Sections on which no decision depends: what may mislead in them says nothing of a table."""


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "table", run, "print the decision table of a scenario's rule, for the protocol")
    add_scenario(parser)
    parser.add_argument(
        "--patients",
        type=_numbers,
        metavar="N",
        help="most patients at a level, or the numbers of the columns, as in 3,6,9 (default: all that can occur)",
    )
    parser.add_argument(
        "--after",
        default="",
        metavar="PATH",
        help='the trial so far, as in "1NNN 2NTP17": what holds now. N no DLT, T DLT, X non-evaluable, P pending (P17: '
        "observed for 17 days)",
    )
    parser.add_argument("--cohorts", type=at_least(1), metavar="N", help="next doses for so many cohorts ahead")
    parser.add_argument("--out", metavar="DIR", help="write it as text, CSV, Markdown, HTML, PNG and SVG")
    add_xlsx(parser)
    add_size(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace the folder of an earlier table")


def _numbers(text: str) -> int | list[int]:
    """Read one number, or several with commas between them."""
    each = [at_least(1)(part.strip()) for part in text.split(",")]
    return each if "," in text else each[0]


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..cautions import cautions
    from ..protocol_tables import decision_table

    scenario, _ = scenario_of(arguments)
    with result_folder(arguments) as out:
        table = decision_table(scenario, arguments.patients, after=arguments.after, cohorts=arguments.cohorts)

        def tell() -> None:
            print_cautions([one for one in cautions(scenario) if re.split(r"[.\[]", one.key)[0] not in OF_NATURE])
            say(table.to_text())

        if out is None:
            tell()
        else:
            from ..export import write_table

            write_table(table, scenario, out, xlsx=arguments.xlsx, tell=tell)
