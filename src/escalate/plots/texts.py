"""Texts in figures: how wide they are, where their lines break, and which fonts have their letters.

Nothing in a text is a formula: a dollar is a dollar. A letter that the usual font lacks is taken from a font of this
machine that has it; where there is none, one line says which font to install.
"""

from __future__ import annotations

import logging
import re
import unicodedata
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

PLAIN: Any = {"text.parse_math": False, "text.usetex": False, "svg.fonttype": "none", "pdf.fonttype": 42}
"""Texts are people's own: a dollar is a dollar, nothing in them is a formula, and in files they stay texts."""

HINTED = 1.025
"""How much wider letters can become that are fitted to the dots of a picture."""

SLACK = 0.955
"""Lines are broken at this share of the width: where all letters of a line are alike, all become wider alike."""

FONTS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK TC", "Noto Sans CJK KR", "Noto Sans SC", "Noto Sans JP",
    "Source Han Sans SC", "Source Han Sans CN", "Source Han Sans", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei",
    "Microsoft YaHei", "SimHei", "PingFang SC", "PingFang HK", "Hiragino Sans GB", "Hiragino Sans", "Heiti SC",
    "Heiti TC", "Yu Gothic", "Meiryo", "Malgun Gothic", "Apple SD Gothic Neo", "Droid Sans Fallback",
    "Arial Unicode MS", "Noto Emoji", "Segoe UI Emoji", "Segoe UI Symbol", "Symbola",
)  # fmt: skip
"""Fonts that are asked first for a letter that the usual one lacks; then any other."""

CJK = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "IDEOGRAPHIC", "FULLWIDTH")
"""How the names of letters begin that the fonts of China, Japan and Korea have."""

BOXES = "Last Resort"
"""How the names of fonts begin that have a box for every letter."""

MOST_LETTERS = 20
"""So many letters that no font has are shown."""

UNDRAWN: set[str] = set()
"""Letters of which it was said already."""


# Width and lines


def measure(text: str, size: float, weight: str = "normal", family: str = "") -> float:
    """Return the width of a line of text, as it is drawn at most [points]."""
    families = (family,) if family else tuple(matplotlib.rcParams["font.family"])
    return _width(text, size, weight, families)


@lru_cache(maxsize=20_000)
def _width(text: str, size: float, weight: str, families: tuple[str, ...]) -> float:
    font = FontProperties(size=size, weight=weight, family=list(families))
    return HINTED * float(text_to_path.get_text_width_height_descent(text, font, False)[0])


def widest(texts: Collection[str], size: float, weight: str = "normal", family: str = "") -> float:
    """Return the width of the widest of some lines of text [points]; 0 if there is none."""
    return max((measure(text, size, weight, family) for text in texts), default=0.0)


def room_for(lines: Collection[str], size: float, weight: str = "normal") -> float:
    """Return the width at which `wrapped` leaves lines of text as they are [points]."""
    return widest(lines, size, weight) / SLACK + 0.01


def wrapped(text: str, width: float, size: float, weight: str = "normal") -> list[str]:
    """Break a text into lines of at most some width [points]: between words, and inside a word only if it is wider."""
    lines: list[str] = []
    width *= SLACK
    for word in re.sub(r"\s*[\t\r\n]\s*", " ", text.strip()).split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and measure(longer, size, weight) <= width:
            lines[-1] = longer
        else:
            lines += _pieces(word, width, size, weight)
    return lines


def _pieces(word: str, width: float, size: float, weight: str) -> list[str]:
    """Return a word in pieces that are not too wide; as it is, if a few letters fit at best."""
    if measure(word, size, weight) <= width or width < 4 * size:
        return [word]
    pieces = [""]
    for letter in word:
        if pieces[-1] and not unicodedata.combining(letter) and measure(pieces[-1] + letter, size, weight) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def balanced(text: str, width: float, size: float, weight: str = "normal") -> list[str]:
    """Break a text as `wrapped` does, into as many lines, but of about the same width."""
    lines, narrower = wrapped(text, width, size, weight), measure(text, size, weight)
    narrower /= len(lines)
    while narrower < width and len(wrapped(text, narrower, size, weight)) > len(lines):
        narrower *= 1.04
    return wrapped(text, min(narrower, width), size, weight)


# Fonts


@contextmanager
def plain_texts(families: Sequence[str] = ()) -> Iterator[None]:
    """Draw texts as they are written, with letters of more fonts behind the usual one; a library's warnings aside."""
    settings = {**PLAIN, **({"font.family": [*matplotlib.rcParams["font.family"], *families]} if families else {})}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        silence()
        yield


def silence() -> None:
    """Leave out the library's warnings of letters without a font, told by `tell_undrawn`, and of weights."""
    logging.getLogger("matplotlib.font_manager").addFilter(_no_weight)
    warnings.filterwarnings("ignore", message=r"Glyph \d+ .*missing from")
    warnings.filterwarnings("ignore", message=r"Matplotlib currently does not support \w+ natively")


def _no_weight(record: logging.LogRecord) -> bool:
    """Leave out that a font has letters of one weight alone."""
    return "Failed to find font weight" not in record.getMessage()


def undrawn(texts: Collection[Text]) -> set[str]:
    """Return the letters that none of the fonts of their texts has."""
    by_font: dict[tuple[str, ...], set[str]] = {}
    for text in texts:
        by_font.setdefault(tuple(text.get_fontfamily()), set()).update(text.get_text())
    return {
        letter
        for families, letters in by_font.items()
        for letter in letters
        if not letter.isspace() and not _has(families, letter)
    }


@lru_cache(maxsize=10_000)
def _has(families: tuple[str, ...], letter: str) -> bool:
    return letter.isascii() or any(
        ord(letter) in letters_of(font_manager.findfont(FontProperties(family=[f]))) for f in families
    )


@lru_cache(maxsize=2_000)
def letters_of(path: str) -> frozenset[int]:
    """Return the numbers of the letters that a font can draw: a font of coloured pictures can draw none."""
    try:
        font = FT2Font(path)
        return frozenset(font.get_charmap()) if font.scalable else frozenset()
    except (OSError, RuntimeError):
        return frozenset()


def families_for(letters: Collection[str]) -> tuple[str, ...]:
    """Return fonts of this machine that have between them as many of some letters as can be had.

    Parameters
    ----------
    letters : collection of str
        Those that the usual font lacks.
    """
    found: list[str] = []
    left = set(letters)
    known = _fonts()
    for name in (*FONTS, *sorted(known.keys() - set(FONTS))):
        if not left:
            break
        here = {letter for letter in left if name in known and ord(letter) in letters_of(known[name])}
        if here:
            found.append(name)
            left -= here
    return tuple(found)


def _fonts() -> dict[str, str]:
    """Return the path of every font by its name; fonts that were installed since the library looked are added."""
    paths = {entry.fname for entry in fontManager.ttflist}
    for path in sorted(font_manager.findSystemFonts()):
        if path not in paths:
            try:
                fontManager.addfont(path)
            except (OSError, RuntimeError):
                continue  # no font after all
    return {
        entry.name: str(entry.fname)
        for entry in reversed(fontManager.ttflist)
        if Path(entry.fname).exists() and not entry.name.startswith(BOXES)
    }


def tell_undrawn(letters: Collection[str]) -> None:
    """Say in one line which letters no font of this machine can draw, and what to install; each letter once."""
    if not set(letters) - UNDRAWN:
        return
    UNDRAWN.update(letters)
    shown = " ".join(sorted(letters)[:MOST_LETTERS]) + " ..." * (len(letters) > MOST_LETTERS)
    wanted = []
    if any(unicodedata.name(letter, "").startswith(CJK) for letter in letters):
        wanted.append("Noto Sans CJK (Debian, Ubuntu: fonts-noto-cjk)")
    if any(unicodedata.category(letter) == "So" for letter in letters):
        wanted.append("Symbola or Noto Emoji in black and white (Debian, Ubuntu: fonts-symbola)")
    install = f"install {' and '.join(wanted)}" if wanted else "install a font that has them"
    warnings.warn(
        f"the figures' font lacks {shown}: a box stands for each; {install}; texts and tables have them", stacklevel=4
    )
