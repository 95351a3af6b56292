"""What the command line prints, on any terminal: whatever it can show, and nothing that it would obey.

Everything that is printed passes `say`. Signs that the terminal's encoding lacks become others that say the same;
control characters, escape sequences and whatever turns the direction of a text are shown as what they are. Where
it is read on a terminal, it is then laid out in its width (`width`) and coloured (`colour`); what goes into a file or
through a pipe is not.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import unicodedata
from collections.abc import Iterable
from textwrap import fill
from typing import IO, Any, NoReturn

from ..errors import near
from .colour import painted
from .width import fitted

INSTEAD = {
    "±": "+/-", "×": "x", "≥": ">=", "≤": "<=", "≈": "~", "→": "->", "−": "-", "–": "-", "—": "-", "…": "...",
    "·": ".", "•": "*", "█": "#", "▌": "#", "▏": "|", "◀": "<", "─": "-", "│": "|", "├": "|", "└": "`",
    "⁺": "+", "⁻": "-", "μ": "u", "µ": "u", "“": '"', "”": '"', "‘": "'", "’": "'", "ß": "ss", "°": " deg", "∞": "inf",
}  # fmt: skip
"""What stands for a sign that a terminal cannot show."""

OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal obeys instead of showing it: control characters, and marks of direction. Line ends and tabs stay."""


def harmless(text: str) -> str:
    """Return a text without what a terminal would obey: an escape is shown as ``\\x1b``."""
    return OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def shown(text: str, encoding: str | None) -> str:
    """Return a harmless text that an encoding has.

    Parameters
    ----------
    text : str
        Any text.
    encoding : str or None
        Of the terminal or file; UTF-8 where it does not say.
    """
    text = harmless(text)
    try:
        text.encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return "".join(_sign(sign, encoding or "ascii") for sign in text)
    return text


def _sign(sign: str, encoding: str) -> str:
    plain = "".join(part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part))
    for found in (sign, INSTEAD.get(sign, plain), plain):
        try:
            found.encode(encoding)
        except UnicodeEncodeError:
            continue
        except LookupError:
            return found if found.isascii() else "?"
        return found
    return "?"


def say(text: str, file: IO[str] | None = None, end: str = "\n", *, verbatim: bool = False) -> None:
    """Print a text on standard output, or on another stream; in its own lines if it is for a machine (`verbatim`)."""
    stream = sys.stdout if file is None else file
    if stream is None:  # a program without a console has none
        return
    text = shown(text + end, getattr(stream, "encoding", None))
    if not verbatim and (columns := columns_of(stream)):
        text = painted(fitted(text, columns), columns, faulty=stream is sys.stderr)
    stream.write(text)


def columns_of(stream: IO[str]) -> int:
    """Return how many columns a terminal has, 80 if it does not say; 0 if the stream is none."""
    if not getattr(stream, "isatty", bool)():
        return 0
    if (told := os.environ.get("COLUMNS", "")).isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def _meant(word: str, known: Iterable[str]) -> str:
    """Return a mistyped word with what it may have meant, or with what there is."""
    close = near(word, known)
    return f"{word} (did you mean {close[0]}?)" if close else f"{word} (there are {', '.join(known)})"


class Help(argparse.HelpFormatter):
    """Help whose names are not parted at their hyphens."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        words = " ".join(text.split())
        return fill(words, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


class Parser(argparse.ArgumentParser):
    """A parser whose help and errors are printed as everything else; what is mistyped gets a line, and a suggestion."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"formatter_class": Help, **options})
        self.color = False  # Python 3.14 would put escapes into the help, which `say` shows as what they are

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments in one line, and end with 2."""
        _, _, verb = self.prog.partition(" ")
        self.exit(2, f"{self.prog}: {message}. `escalate {f'help {verb}' if verb else 'help'}` tells more\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse the arguments, and refuse what is not known where it belongs."""
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            known = self._option_string_actions
            told = [_meant(word.partition("=")[0], known) for word in unknown if word.startswith("-")]
            self.error(f"there is no {'; no '.join(told)}" if told else f"not expected: {' '.join(unknown)}")
        return namespace, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            what = str(action.metavar or action.dest).lower()
            raise argparse.ArgumentError(None, f"there is no {what} {_meant(value, action.choices)}")

    def _print_message(self, message: str, file: Any = None) -> None:
        if message:
            say(message, sys.stderr if file is None else file, end="")
