"""`escalate trial`: tell one simulated trial day by day, and draw its timeline."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from ..words.defaults import TRIALS
from .arguments import (
    Verbs,
    add_out,
    add_scenario,
    add_seed,
    at_least,
    name_of,
    new_verb,
    print_cautions,
    result_folder,
    say,
    scenario_of,
)

if TYPE_CHECKING:
    from ..scenario import Scenario
    from ..words.records import Trial


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "trial", run, "tell one simulated trial day by day, and draw its timeline")
    add_scenario(parser)
    words = "which trial: its number (default 0), or median, slowest or fastest of those that `run` simulates"
    parser.add_argument("--replicate", type=_replicate, metavar="K", help=words)
    words = 'the median trial with this dose path, as in "1NNN 2NTT" (N no DLT, T DLT, X non-evaluable)'
    parser.add_argument("--path", metavar="PATH", help=words)
    words = f"among how many trials one is chosen (default {TRIALS:,}, those of `run`)"
    parser.add_argument("--trials", type=at_least(1), default=TRIALS, metavar="N", help=words)
    add_seed(parser)
    add_out(parser, "results/<scenario>-trial-<K>, with a number if that exists")


def _replicate(text: str) -> int | str:
    """Read which trial: a number, or a word."""
    if text in ("median", "slowest", "fastest"):
        return text
    if not text.lstrip("-").isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor median, slowest or fastest")
    return at_least(0)(text)


def _told(arguments: argparse.Namespace, scenario: Scenario) -> Trial:
    """Return the trial that is asked for."""
    from ..errors import EscalateError
    from ..studies.representative import representative_trial
    from ..trial.conduct import simulate_trial

    which = arguments.replicate
    if isinstance(which, int) and arguments.path is not None:
        raise EscalateError(f"--replicate {which} names a trial, and --path chooses one: leave one of them out")
    if arguments.path is None and not isinstance(which, str):
        return simulate_trial(scenario, seed=arguments.seed, replicate=which or 0)
    chosen: Any = which or "median"
    many, seed = arguments.trials, arguments.seed
    return representative_trial(scenario, chosen, arguments.path, trials=many, seed=seed, progress=True)


def _name(arguments: argparse.Namespace) -> str:
    """Return what a folder of this trial is called, after its scenario."""
    which = arguments.replicate if arguments.replicate is not None else 0 if arguments.path is None else "median"
    path = re.sub(r"[^0-9A-Za-z]+", "-", arguments.path or "")[:60]
    return f"trial-{which}" + (f"-{path}" if path else "")


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..cautions import cautions
    from ..report.narrative import story

    scenario, read = scenario_of(arguments)
    with result_folder(arguments, f"{name_of(read)}-{_name(arguments)}") as out:
        trial = _told(arguments, scenario)

        def tell() -> None:
            print_cautions(cautions(scenario))
            say(story(trial))

        if out is None:
            tell()
        else:
            from ..export import write_trial

            write_trial(trial, scenario, out, xlsx=arguments.xlsx, tell=tell)
            say(f"\nWritten to {out.path}: records, story, timeline.png, staircase.png.")
