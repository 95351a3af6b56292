"""What is printed on a narrow terminal: in its width, coloured where that helps, and in the words of a file."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import ROOT
from escalate.cli.colour import painted
from escalate.cli.width import fitted

GAPS = st.sampled_from([" ", "  ", "      ", " " * 15])
WORDS = st.text("abX%±1.=-![],", min_size=1, max_size=14) | st.text("key.", min_size=38, max_size=45)
LINES = st.lists(st.tuples(GAPS, WORDS), max_size=9).map(lambda parts: "".join(gap + word for gap, word in parts)[1:])
TEXTS = st.lists(LINES, max_size=8).map("\n".join)


@given(TEXTS, st.integers(10, 100))
def test_any_text_fits_and_keeps_its_words(text: str, columns: int) -> None:
    laid_out, most = fitted(text, columns), max(columns, 40)
    assert laid_out.split() == text.split()
    for line in laid_out.split("\n"):
        assert len(line) <= most or len(line.split()) == 1
    if all(len(line) <= most for line in text.split("\n")):
        assert laid_out == text


WIDE = """\
What a long sentence says goes on and on, so that it needs a second line: here
is what it ends with.

Patients                        level 1        level 2            all
  infused                   3.27 ± 0.05    5.83 ± 0.06    9.10 ± 0.04
  with a DLT              0.087 ± 0.019  0.333 ± 0.030  0.420 ± 0.035

day    0  Fri 2024-08-30  Cohort 1 at level 1 (9e9 cells) opens: escalation, 3
                          places.

Where the time goes     672 ± 9 days  the sum of:
  patients              406 ± 9 days   60% ████████████
  committee           20.9 ± 0.1 days    3% █
"""

NARROW = """\
What a long sentence says goes on and
on, so that it needs a second line: here
is what it ends with.

Patients            level 1
          level 2            all
  infused       3.27 ± 0.05
      5.83 ± 0.06    9.10 ± 0.04
  with a DLT  0.087 ± 0.019
    0.333 ± 0.030  0.420 ± 0.035

day  0  Fri 2024-08-30
    Cohort 1 at level 1 (9e9 cells)
      opens: escalation, 3 places.

Where the time goes
      672 ± 9 days  the sum of:
  patients
      406 ± 9 days   60% ████████████
  committee
    20.9 ± 0.1 days    3% █
"""


def test_what_a_narrow_text_looks_like() -> None:
    assert fitted(WIDE, 40) == NARROW
    assert fitted(WIDE, 85) == WIDE


def test_a_number_and_its_interval_stay_together() -> None:
    """Also in a table whose other columns are so narrow that one space parts them."""
    table = "                by plan, %      median day  days, mean\n"
    table += "  a               62.5±3.4  660 [631, 680]      668±11\n"
    table += "    difference   +18.0±2.7           -90±4   -92.0±3.1"
    laid_out = fitted(table, 40).splitlines()
    assert any("660 [631, 680]" in line for line in laid_out) and any("median day" in line for line in laid_out)


def test_headings_cautions_and_faults_look_different(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("termcolor", reason="the extra `cli` is not installed")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = "Title\n\nCautions: 1\n  ! Beware\n    of it.\n\nA table  of\n  two\nlines\n\nday  1  x\n    y"
    assert re.findall(r"\x1b\[(\d+)m(.*?)\x1b\[0m", painted(text, 80)) == [
        ("33", "Cautions: 1"), ("33", "  ! Beware"), ("33", "    of it."), ("1", "A table  of"),
    ]  # fmt: skip
    assert painted("escalate: a\nescalate: b", 80, faulty=True) == "\x1b[31mescalate: a\x1b[0m\nescalate: b"
    monkeypatch.setitem(sys.modules, "termcolor", None)
    assert painted(text, 80) == text


# On a real terminal

BASE = str(ROOT / "scenarios" / "nct06337474.toml")
VERBS = (
    ("run", BASE, "--trials", "40", "--no-files"),
    ("trial", BASE, "--no-files"),
    ("table", BASE),
    ("exact", BASE),
    ("compare", BASE, "--trials", "5", "--rule", "3+3", "--rule", "BOIN target=0.25", "--no-files"),
    ("check", BASE),
    ("rules",),
    ("check", "\x1b[31m.toml"),
    ("init", str(ROOT / "seeds" / "NCT06337474.json")),
)
EACH = """
import json, sys
from escalate.cli import main

for verb in json.loads(sys.argv[1]):
    print("=" * 9)
    main(verb)
    sys.stdout.flush()
"""
COMMAND = [sys.executable, "-c", EACH, json.dumps(VERBS)]
ESCAPE = re.compile(r"\x1b\[\d+m")


def environment(**more: str) -> dict[str, str]:
    ours = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM")}
    return {**ours, "PYTHONIOENCODING": "utf-8", "TERM": "xterm", **more}


def on_terminal(columns: int, **more: str) -> list[str]:
    """Return what each verb prints on a pseudo-terminal so wide."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen(COMMAND, stdin=theirs, stdout=theirs, stderr=theirs, env=environment(**more)) as process:
        os.close(theirs)
        found = bytearray()
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # of Linux, where the other end is closed
                break
            if not part:
                break
            found += part
    os.close(ours)
    assert process.returncode == 0
    return found.decode().replace("\r\n", "\n").split("=========\n")[1:]


@pytest.fixture(scope="module")
def in_a_pipe() -> list[str]:
    done = subprocess.run(
        COMMAND, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment(FORCE_COLOR="1"), check=True
    )
    return done.stdout.decode().split("=========\n")[1:]


def words(text: str) -> list[str]:
    return re.sub("[█▌▏]", "", text).split()


@pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminals there")
@pytest.mark.parametrize(("columns", "plain"), [(40, {}), (60, {"NO_COLOR": "1"})], ids=["40", "60"])
def test_every_verb_fits_its_terminal(columns: int, plain: dict[str, str], in_a_pipe: list[str]) -> None:
    told = on_terminal(columns, **plain)
    assert len(told) == len(in_a_pipe) == len(VERBS)
    *told, draft = told
    assert draft == in_a_pipe[-1]  # it is a file
    for text, piped, verb in zip(told, in_a_pipe[:-1], VERBS, strict=False):
        bare = ESCAPE.sub("", text)
        assert "\x1b" not in bare and "\x1b" not in piped, verb
        assert words(bare) == words(piped), verb
        assert not [line for line in bare.split("\n") if len(line) > columns and len(line.split()) > 1], verb
    coloured = [bool(ESCAPE.search(text)) for text in told]
    if plain:
        assert not any(coloured)
    else:
        pytest.importorskip("termcolor", reason="the extra `cli` is not installed")
        assert coloured == [True] * len(told) and told[-1].startswith("\x1b[31mescalate: \\x1b[31m.toml")
