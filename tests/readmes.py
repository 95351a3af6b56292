"""The project's READMEs, and what they print: each output stands between two comments; the first names its command."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, PngImagePlugin

import escalate
from escalate.cli import main
from escalate.plots.style import image, small_print
from escalate.words.records import Trial

ROOT = Path(__file__).parent.parent
READMES = sorted(
    path for path in ROOT.rglob("README.md") if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
END = "<!-- end of what is printed -->\n"
PRINTED = re.compile(r"(<!-- printed by: escalate (?P<command>.+?) -->\n)(?P<body>.*?)" + re.escape(END), re.DOTALL)
FENCE = "```text\n"
FIGURE, COLOURS = ROOT / ".readme" / "timeline.png", 64
"""The front page's figure, which says in a text that nobody sees what it shows; and its colours."""


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


def shown_trial() -> Trial:
    """Return the trial that the front page's figure shows."""
    return escalate.simulate_trial(escalate.load("nct06337474"), seed=1, replicate=2)


def shows(trial: Trial) -> str:
    """Return what a figure of a trial shows: its course, and its small print."""
    return "; ".join([repr(trial), *small_print(trial)])


def kept_figure() -> str:
    """Return what the front page's figure shows, as it is kept."""
    with Image.open(FIGURE) as kept:
        return str(kept.info.get("Description", ""))


def write_figure() -> None:
    """Draw the front page's figure."""
    trial, text = shown_trial(), PngImagePlugin.PngInfo()
    text.add_itxt("Description", shows(trial))
    with Image.open(io.BytesIO(image(escalate.plot_timeline(trial), "png"))) as drawn:
        drawn.convert("RGB").quantize(COLOURS).save(FIGURE, optimize=True, pnginfo=text)


def _run(command: str) -> str:
    printed = io.StringIO()
    with contextlib.chdir(ROOT), contextlib.redirect_stdout(printed):
        status = main(command.split())
    assert status == 0, f"escalate {command} ended with {status}"
    return printed.getvalue()


def relative(path: Path) -> str:
    """Return a page's name for a person."""
    return os.path.relpath(path, ROOT)
