"""`escalate --print-completion SHELL`: what makes a shell complete verbs, options, scenarios and files.

The text is made by shtab (the extra `cli`), which is imported when it is asked for; nothing runs at a press of Tab.
"""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import needs
from ..shipped import shipped
from .terminal import say

SHELLS = ("bash", "zsh", "tcsh")

SCENARIO, FILE, FOLDER = "scenario", "file", "folder"
"""What an argument may be completed with."""

_OF = {"scenario": SCENARIO, "study": FILE, "record": FILE, "rules": FILE, "csv": FILE, "out": FOLDER}
"""What is completed how, by the name under which an argument is kept."""


def add(parser: argparse.ArgumentParser) -> None:
    """Take which shell's text to print."""
    words = "print what makes a shell complete escalate's words (needs the extra `cli`)"
    parser.add_argument("--print-completion", action=_Print, choices=SHELLS, metavar="SHELL", help=words)


class _Print(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, _: object, values: Any, option: str | None = None) -> None:
        try:
            import shtab
        except ImportError:
            parser.error(needs("completion", "shtab", "cli"))
        _mark(parser)
        say(shtab.complete(parser, shell=values, preamble=_preamble().get(values, "")), verbatim=True)
        parser.exit(0)


def _mark(parser: argparse.ArgumentParser) -> None:
    """Say of each argument of each verb what completes it."""
    import shtab

    how = {SCENARIO: _SCENARIO, FILE: shtab.FILE, FOLDER: shtab.DIRECTORY}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                _mark(verb)
        elif action.dest in _OF:
            action.complete = how[_OF[action.dest]]  # type: ignore[attr-defined]


_SCENARIO = {"bash": "_escalate_scenarios", "zsh": "_escalate_scenarios", "tcsh": "f"}


def _preamble() -> dict[str, str]:
    """Return the functions that complete a scenario: a file, or the name of one that comes with escalate."""
    names = " ".join(shipped())
    return {
        "bash": f'_escalate_scenarios() {{ compgen -W "{names}" -- "$1"; compgen -f -- "$1"; }}',
        "zsh": f"_escalate_scenarios() {{ _alternative 'shipped:shipped scenario:({names})' 'files:file:_files' }}",
    }
