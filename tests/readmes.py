"""The project's READMEs, and what they print: each output stands between two comments; the first names its command."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

from escalate.cli import main

ROOT = Path(__file__).parent.parent
READMES = sorted(
    path for path in ROOT.rglob("README.md") if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
END = "<!-- end of what is printed -->\n"
PRINTED = re.compile(r"(<!-- printed by: escalate (?P<command>.+?) -->\n)(?P<body>.*?)" + re.escape(END), re.DOTALL)
FENCE = "```text\n"


def blocks(text: str, language: str) -> list[str]:
    """Return the code blocks of a page in one language."""
    return re.findall(rf"```{language}\n(.+?)```", text, re.DOTALL)


def printed_again(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield for each output on a page the command, what stands there, and what the command prints now."""
    for found in PRINTED.finditer(text):
        body, now = found["body"], _run(found["command"])
        yield found["command"], body, now if "--markdown" in found["command"] else f"{FENCE}{now}```\n"


def anew(text: str) -> str:
    """Return a page with every output as it is printed now."""
    outputs = iter([now for _, _, now in printed_again(text)])
    return PRINTED.sub(lambda found: found[1] + next(outputs) + END, text)


def _run(command: str) -> str:
    printed = io.StringIO()
    with contextlib.chdir(ROOT), contextlib.redirect_stdout(printed):
        status = main(command.split())
    assert status == 0, f"escalate {command} ended with {status}"
    return printed.getvalue()


def relative(path: Path) -> str:
    """Return a page's name for a person."""
    return os.path.relpath(path, ROOT)
