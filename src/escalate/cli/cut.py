"""`escalate cut`: write a simulated trial, cut on a day, as the log that its sites would have kept."""

from __future__ import annotations

import argparse
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ..words.dates import day_words
from .arguments import Verbs, add_scenario, add_seed, at_least, name_of, new_verb, print_cautions, say, scenario_of

if TYPE_CHECKING:
    from ..scenario import Scenario
    from ..words.log import Log


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "cut", run, "write a simulated trial, cut on a day, as a trial's log")
    add_scenario(parser)
    words = "the day: what became known after it is not in the log"
    parser.add_argument("--on", type=_date, required=True, metavar="DATE", help=words)
    parser.add_argument("--replicate", type=at_least(0), default=0, metavar="K", help="which trial (default 0)")
    add_seed(parser)
    words = (
        "a workbook (.xlsx; needs the extra excel) or a folder of CSV files (default: results/<scenario>-log-<DATE>)"
    )
    parser.add_argument("--out", metavar="LOG", help=words)
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier log")


def _date(text: str) -> date:
    """Read an ISO date."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"there is no day {text}") from None
    raise argparse.ArgumentTypeError(f"{text!r} is no ISO date, as 2025-04-10")


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..cautions import cautions
    from ..export import write_log
    from ..files import check_file_free, claimed

    scenario, read = scenario_of(arguments)
    wanted = Path(arguments.out or Path("results") / f"{name_of(read)}-log-{arguments.on}")
    if wanted.suffix.lower() == ".xlsx":
        from ..export.workbook import check_workbooks

        check_workbooks()
        check_file_free(wanted, arguments.overwrite)
        log = _cut(arguments, scenario)
        write_log(log, scenario, wanted, overwrite=arguments.overwrite)
    else:
        with claimed(wanted, arguments.overwrite, take_next=arguments.out is None) as place:
            log = _cut(arguments, scenario)
            write_log(log, scenario, place)
            wanted = place.path
    print_cautions(cautions(scenario))
    say(f"{_told(arguments, log)}\nWritten to {wanted}.")


def _cut(arguments: argparse.Namespace, scenario: Scenario) -> Log:
    """Return the log that is asked for."""
    from ..tracking import log_of
    from ..trial.conduct import simulate_trial

    return log_of(simulate_trial(scenario, seed=arguments.seed, replicate=arguments.replicate), arguments.on)


def _told(arguments: argparse.Namespace, log: Log) -> str:
    """Return in one line what is in a log."""
    from ..report.heads import plural

    people, cuts = len(log.patients), len(log.meetings)
    started = sum(one.start_day is not None for one in log.patients)
    outstanding = ", one decision outstanding" if log.meetings and log.meetings[-1].action is None else ""
    return (
        f"Seed {arguments.seed}, replicate {arguments.replicate}, at the end of {day_words(log.as_of)} (day "
        f"{log.as_of_day}): {people} candidate{plural(people)}, of whom {started} started treatment; "
        f"{cuts} data cut{plural(cuts)}{outstanding}."
    )
