"""Pages in a real browser: what a headless Chromium shows, says and prints."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(BROWSER is None, reason="no Chromium here (Debian's package: chromium)")

MEASURE = (Path(__file__).parent / "measure_page.js").read_text(encoding="utf-8")
PAPER = 'media="print"'
A4_INSIDE = (680, 1009)
"""Width and height of A4 inside margins of 15 mm [CSS pixels]."""

Findings = dict[str, Any]


def measured(
    pages: Mapping[str, str], widths: Sequence[int], folder: Path, dark: bool = False
) -> tuple[dict[tuple[str, str], Findings], list[str]]:
    """Return what `measure_page.js` finds on pages at several widths and as printed, and what the console says.

    The key is the name of a page and its width, ``print`` on paper.
    """
    frames = []
    for name, text in pages.items():
        assert PAPER in text
        as_printed = (text.replace(PAPER, 'media="all"'), "print", A4_INSIDE[0])
        for shown, how, width in (*((text, str(width), width) for width in widths), as_printed):
            key = html.escape(json.dumps([name, how]))
            frames.append(f'<iframe name="{key}" width="{width}" height="900" srcdoc="{html.escape(shown)}"></iframe>')
    around = f'<!DOCTYPE html><meta charset="utf-8"><script>{MEASURE}</script><pre id="found"></pre>{"".join(frames)}'
    file = folder / "measured.html"
    file.write_text(around, encoding="utf-8")
    shade = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    done = _browse(folder, shade, "--enable-logging=stderr", "--virtual-time-budget=20000", "--dump-dom", file.as_uri())
    told = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert told is not None, done.stderr
    found = {tuple(json.loads(key)): each for key, each in json.loads(html.unescape(told[1]))}
    return found, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


def printed(page: str, folder: Path) -> Path:
    """Print a page, and return the PDF."""
    file, paper = folder / "page.html", folder / "page.pdf"
    file.write_text(page, encoding="utf-8")
    _browse(folder, "--no-pdf-header-footer", f"--print-to-pdf={paper}", file.as_uri())
    return paper


def _browse(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    assert BROWSER is not None
    alone = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={folder / 'profile'}",
    ]
    done = subprocess.run(
        [BROWSER, *alone, *options], capture_output=True, text=True, timeout=120, env=os.environ | {"HOME": str(folder)}
    )
    assert done.returncode == 0, done.stderr
    return done
