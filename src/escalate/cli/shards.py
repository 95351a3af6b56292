"""Job arrays: `--shard K/N` does some of the parts of a verb's work, `--merge` puts all together, and `--template`
prints what submits both.

Shards know nothing of a scheduler: the printed script reads the number that it gives each task.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import at_least, crew_of, say
from .job_scripts import SYSTEMS, job_script

if TYPE_CHECKING:
    from ..studies.parts import Shard, Work

SHARDS = 40
"""Shards of a printed script where nobody says how many; fewer where there are fewer parts."""

OWN = ("shard", "merge", "template", "shards")
"""Where the arguments of this file are kept."""


def add_shards(parser: argparse.ArgumentParser) -> None:
    """Take which shard of the work is done, or that all are put together, or for whom a script is printed."""
    group = parser.add_argument_group(
        "job arrays",
        "Many machines with a shared folder and no scheduler of ours. Shards run in any order, and again where they "
        "were killed; --merge then writes what one process would have written.",
    )
    one = group.add_mutually_exclusive_group()
    one.add_argument("--shard", type=_shard, metavar="K/N", help="do the K-th of N shards, as 3/40, and keep its parts")
    one.add_argument("--merge", action="store_true", help="put together what all shards did; names what is missing")
    words = "print a script that submits all shards and then a merge: slurm, lsf or sge"
    one.add_argument("--template", choices=SYSTEMS, metavar="SYSTEM", help=words)
    words = (
        f"how many shards there are: for --template (default {SHARDS}), and for --merge, which then names those to run"
    )
    group.add_argument("--shards", type=_shards, metavar="N", help=words)
    parser.set_defaults(parser=parser)


def _shard(text: str) -> Shard:
    """Read a shard as people write it."""
    from ..studies.parts import Shard

    found = re.fullmatch(r"\s*(\d{1,20})\s*/\s*(\d{1,20})\s*", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no shard: write its number and how many there are, as in 3/40")
    try:
        return Shard(int(found[1]), int(found[2]))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _shards(text: str) -> int:
    """Read how many shards there are."""
    return _shard(f"1/{at_least(1)(text)}").of


def is_divided(arguments: argparse.Namespace) -> bool:
    """Return whether the work is done in shards."""
    from ..errors import CallError

    asked = arguments.shard is not None or arguments.merge or arguments.template is not None
    if arguments.shards is not None and not (arguments.merge or arguments.template):
        raise CallError("--shards goes with --template or --merge; one shard of 40 is done by --shard 1/40")
    if (arguments.template or arguments.merge) and (arguments.workers, arguments.dask) != (None, None):
        raise CallError(
            "--template and --merge go without --workers and --dask: a shard of a script has one core, and a merge "
            "simulates nothing"
        )
    return asked


def travels(arguments: argparse.Namespace) -> bool:
    """Return whether other processes do any of the work."""
    return arguments.dask is not None or (arguments.workers or 1) > 1


def parts_beside(arguments: argparse.Namespace) -> Path:
    """Return where the parts are kept of results whose folder appears whole."""
    from ..errors import CallError
    from ..studies.parts import parts_folder

    if arguments.out is None or arguments.no_files:
        raise CallError(
            "--shard, --merge and --template need --out DIR, which every machine sees, and no --no-files: DIR.parts "
            "beside it keeps the parts"
        )
    return parts_folder(Path(arguments.out))


def did_some(arguments: argparse.Namespace, work: Work[Any, Any, Any], folder: Path) -> bool:
    """Do a shard, or print a script, if that was asked for; return whether it was."""
    if arguments.template is not None:
        parts = sum(1 for _ in work.parts(1))
        shards = min(SHARDS, parts) if arguments.shards is None else arguments.shards
        say_script(arguments, shards, parts)
    elif arguments.shard is not None:
        _do_shard(arguments, work, folder)
    else:
        return False
    return True


def say_script(arguments: argparse.Namespace, shards: int, parts: int) -> None:
    """Print the script that submits all shards and a merge."""
    from .terminal import say as say_verbatim

    words = [arguments.verb, *words_of(arguments.parser, arguments)]
    say_verbatim(job_script(arguments.template, words, shards, parts), end="", verbatim=True)


def _do_shard(arguments: argparse.Namespace, work: Work[Any, Any, Any], folder: Path) -> None:
    from ..studies.parts import do_shard

    arguments.interrupted = "what is done is kept, and the same command goes on from there"
    shard = arguments.shard
    if arguments.dask is None:
        arguments.workers = arguments.workers or 1  # a task of a job array has one core
    with crew_of(arguments) as executor:
        now, parts = do_shard(work, folder, shard, executor=executor, progress=True)
    if parts:
        were = f", {parts - now:,} were there" if now < parts else ""
        merge = f"--merge --shards {shard.of}"
        say(f"Shard {shard}: {now:,} of its {parts:,} parts done{were}. When all are done, {merge} puts them together.")
    else:
        say(f"Shard {shard} has nothing to do: there are fewer parts than shards.")


def say_parts_are_done(folder: Path | None) -> None:
    """Say that nobody needs the parts any more, where there are any."""
    if folder is not None:
        say(f"{folder} is needed no longer.")


def words_of(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> list[str]:
    """Return the words of the command line that make these arguments, but for those of this file."""
    places, options = list[str](), list[str]()
    for action in parser._actions:
        value = getattr(arguments, action.dest, action.default)  # what only prints and ends has left none
        if action.dest in OWN or (action.option_strings and value == action.default):
            continue
        values = [str(one) for one in value] if isinstance(value, list) else [str(value)]
        if not action.option_strings:
            places += values
        elif action.nargs == 0:
            options.append(action.option_strings[-1])
        else:
            for one in values:
                option = action.option_strings[-1]
                options += [f"{option}={one}"] if one.startswith("-") else [option, one]
    return [*places, *options]
