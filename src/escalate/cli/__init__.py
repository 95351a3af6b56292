"""The command line: a thin reader of the Python interface, with a file for each verb.

Exit status 0: fine. 1: the work failed, or not all results could be made. 2: bad input, said in plain lines, with
nothing written. A verb's file adds its arguments (`add`) and makes one public call (`run`), which it imports when it
runs, so that ``--help`` is quick; what several take stands in `arguments`, and in `shards` (with `job_scripts`) what
makes job arrays of them. Nothing is computed here, and nobody but `__main__` may import from here. To add a verb, write
its file and put it into `VERBS`.
"""

from __future__ import annotations

import argparse
import errno
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from .. import __version__
from ..shipped import shipped
from ..words.defaults import TRIALS, TRIALS_EACH, TRIALS_RECORDED
from . import (
    accrual,
    check,
    compare,
    completion,
    cut,
    diff,
    exact,
    init,
    keys,
    rules,
    run,
    schema,
    sensitivity,
    sweep,
    table,
    trial,
)
from .signals import interruptible
from .terminal import Parser, say

VERBS = (run, sweep, sensitivity, trial, cut, accrual, compare, diff, exact, table, rules, keys, check, init, schema)
"""In the order in which `escalate --help` lists them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process where they are not given.

    Returns
    -------
    int
        Exit status.
    """
    arguments = _parser().parse_args(_helpful(sys.argv[1:] if argv is None else list(argv)))
    from ..errors import EscalateError, IncompleteError

    try:
        with interruptible(), warnings.catch_warnings():
            warnings.showwarning = _warn
            arguments.run(arguments)
            if sys.stdout is not None:
                sys.stdout.flush()  # a full disk is told now, not when nobody listens any more
    except EscalateError as error:
        if arguments.debug:
            raise
        say("\n".join(f"escalate: {line}" for line in str(error).splitlines()), file=sys.stderr)
        return 2
    except IncompleteError as error:
        if arguments.debug:
            raise
        say("\n".join(f"escalate: {line}" for line in str(error).splitlines()), file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        say(f"escalate: interrupted; {arguments.interrupted}", file=sys.stderr)
        return 1
    except Exception as error:
        if arguments.debug:
            raise
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            say(f"escalate: {str(error.filename)[:60]}...: file name too long", file=sys.stderr)
            return 2
        say(f"escalate: failed: {type(error).__name__}: {error} (--debug shows where)", file=sys.stderr)
        return 1
    return 0


def _helpful(argv: list[str]) -> list[str]:
    """Return the arguments with `help` and `help VERB` as the options that they mean; none ask for help, too."""
    first = next((place for place, word in enumerate(argv) if not word.startswith("-")), None)
    if first is not None and argv[first] == "help":
        return [*argv[:first], *argv[first + 1 :], "--help"]
    return argv or ["--help"]


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning as everything else."""
    say(f"escalate: caution: {message}", sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="escalate",
        description="Dose-escalation trials on a real calendar: which dose, how safely, and when everything happens.",
        epilog=f"Scenarios that come with escalate, by name: {', '.join(shipped())}. `escalate help VERB` tells what a "
        f"verb takes. Trials where nobody says how many: {TRIALS:,} (run, trial; compare: of each), {TRIALS_EACH:,} "
        f"(sweep: at each point; sensitivity: at each end), {TRIALS_RECORDED:,} (accrual). A simulation is no medical "
        "advice: what comes out rests on the scenario's assumptions.",
    )
    parser.add_argument("--version", action="version", version=f"escalate {__version__}")
    parser.add_argument("--debug", action="store_true", help="show where an error came from")
    completion.add(parser)
    verbs = parser.add_subparsers(title="verbs", dest="verb", required=True, metavar="VERB")
    for verb in VERBS:
        verb.add(verbs)
    return parser
