"""What verbs have in common: their parsers, the arguments that several take, and where results go."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from . import terminal

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from ..cautions import Caution
    from ..files import FileRead, Place
    from ..scenario import Scenario
    from ..studies.crew import Cores

Run = Callable[[argparse.Namespace], None]
Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def new_verb(verbs: Verbs, name: str, run: Run, words: str) -> argparse.ArgumentParser:
    """Return the parser of a verb that does `run`."""
    parser = verbs.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    parser.set_defaults(run=run, interrupted="nothing was written")
    return parser


def add_scenario(parser: argparse.ArgumentParser) -> None:
    """Take a scenario, and changes to it; `scenario_of` reads it."""
    words = "scenario file (.toml), resolved.json of an earlier run, or name of a scenario that comes with escalate"
    parser.add_argument("scenario", help=words)
    add_set(parser)
    add_allow_python(parser)


def add_trials(parser: argparse.ArgumentParser, default: int, words: str = "trials") -> None:
    """Take how many trials, and their seed."""
    told = f"{words} (default {default:,})"
    parser.add_argument("--trials", type=at_least(1), default=default, metavar="N", help=told)
    add_seed(parser)


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Take the seed."""
    parser.add_argument("--seed", type=at_least(0), default=1, metavar="S", help="seed (default 1)")


def add_set(parser: argparse.ArgumentParser) -> None:
    """Take changes to a scenario."""
    words = "change a value of the scenario, as in follow_up.days=90 or rule=BOIN (give one for each; `escalate keys`)"
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE", help=words)


def scenario_of(arguments: argparse.Namespace) -> tuple[Scenario, FileRead]:
    """Return the scenario that a person means, with the changes of the command line, and its file as it was read."""
    from ..scenario import load, read_scenario_file
    from ..scenario.command_line import with_settings

    read = read_scenario_file(arguments.scenario)
    allow = arguments.allow_python
    return with_settings(load(read, allow_python=allow), arguments.settings, allow_python=allow), read


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Take who does the work."""
    words = "cores of this machine that do the work (default: every one, where that pays; 1: this process alone)"
    parser.add_argument("--workers", type=at_least(1), metavar="N", help=words)
    parser.add_argument("--dask", metavar="ADDRESS", help="workers of a Dask cluster, by the address of its scheduler")


def crew_of(arguments: argparse.Namespace) -> AbstractContextManager[Executor | Cores]:
    """Return who does the work, to be entered with ``with``; what would make it faster is told beside the progress."""
    from ..studies.crew import workers

    return workers(arguments.workers, arguments.dask, lambda line: terminal.say(f"escalate: {line}", file=sys.stderr))


def add_allow_python(parser: argparse.ArgumentParser) -> None:
    """Take whether a rule's Python file may run."""
    parser.add_argument(
        "--allow-python",
        action="store_true",
        help="run the Python file that the scenario's rule names",
    )


def add_out(parser: argparse.ArgumentParser, default: str) -> None:
    """Take where results go, and whether they may replace earlier ones."""
    parser.add_argument("--out", metavar="DIR", help=f"folder of results (default: {default})")
    parser.add_argument("--overwrite", action="store_true", help="replace the folder of an earlier run")
    parser.add_argument("--no-files", action="store_true", help="print only, write nothing")
    add_size(parser)
    add_xlsx(parser)


def add_xlsx(parser: argparse.ArgumentParser) -> None:
    """Take whether the folder of results has a workbook."""
    words = "write results.xlsx into the folder, too: every table as a sheet (needs the extra excel)"
    parser.add_argument("--xlsx", action="store_true", help=words)


def add_size(parser: argparse.ArgumentParser) -> None:
    """Take what figures are for."""
    words = "width of the figures, and a PDF of each: for an A4 page or a slide (default: for a screen, without PDF)"
    parser.add_argument("--for", dest="size", choices=("a4", "slide", "screen"), default="screen", help=words)


@contextmanager
def figures_as_asked(arguments: argparse.Namespace) -> Iterator[None]:
    """Draw figures for what they were asked for."""
    if getattr(arguments, "size", "screen") == "screen":
        yield  # without loading what draws
        return
    from ..plots.sheet import figures_for

    with figures_for(arguments.size):
        yield


def at_least(least: int) -> Callable[[str], int]:
    """Return what reads a whole number that is at least so large."""

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is less than {least}")
        from ..words.records import MOST_SEED  # not before anybody gives a number: the help is quick

        if value > MOST_SEED:
            raise argparse.ArgumentTypeError(f"{value} is more than {MOST_SEED}")
        return value

    return convert


def say(text: str) -> None:
    """Print what was found; nothing that was computed is lost where nobody reads it any more."""
    try:
        terminal.say(text)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_cautions(found: Sequence[Caution]) -> None:
    """Print cautions, and an empty line after them; nothing where there are none."""
    from ..cautions import caution_lines

    if found:
        say("\n".join([*caution_lines(found), ""]))


@contextmanager
def result_folder(arguments: argparse.Namespace, name: str = "") -> Iterator[Place | None]:
    """Claim where the results go, before the work: the folder that was asked for, or the next that is free.

    Parameters
    ----------
    arguments : Namespace
        Where, and whether it may replace an earlier one.
    name : str
        The folder's name in ``results`` where none was asked for; nothing is written then where there is no name.
    """
    from ..files import claimed

    if getattr(arguments, "xlsx", False):
        from ..export.workbook import check_workbooks

        check_workbooks()
    with figures_as_asked(arguments):
        if getattr(arguments, "no_files", False) or (arguments.out is None and not name):
            yield None
        elif arguments.out is None:
            with claimed(Path("results") / name, take_next=True) as place:
                yield place
        else:
            with claimed(Path(arguments.out), arguments.overwrite) as place:
                yield place


def name_of(read: FileRead) -> str:
    """Return after what a folder of results is named."""
    return Path(read.name).stem
