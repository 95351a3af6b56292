"""How registry prose is spelled: one text on one line, and the patterns of numbers and units in it."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import pairwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One free text of a record.

    Parameters
    ----------
    where : str
        Field of the record (``interventions[0].description``).
    text : str
        The text, spelled as `plain` spells it.
    """

    where: str
    text: str


_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-") | {"〜": "~", "∼": "~"})
_SUPERSCRIPT = re.compile("⁺?[⁰¹²³⁴-⁹]+")
_MARKDOWN = re.compile(r"\\([^\w\s]|_)")


def plain(text: str) -> str:
    """Return a text on one line: markdown escapes undone, ``⁹`` as ``^9``, full-width signs and dashes unified."""
    text = _SUPERSCRIPT.sub(lambda found: "^" + found[0].lstrip("⁺"), _MARKDOWN.sub(r"\1", text))
    return " ".join(unicodedata.normalize("NFKC", text).translate(_DASHES).split())


def decimal_text(number: str | Decimal) -> str:
    """Return a decimal number without needless zeros and without an exponent."""
    return format(Decimal(number).normalize(), "f")


def distinct(quotes: Iterable[str]) -> tuple[str, ...]:
    """Return the quotations in their order, each once."""
    return tuple(dict.fromkeys(quotes))


_NUMBER = r"(?:\d{1,2},\d{3}(?!\d|,\d|\s?[×x*])|\d{1,6}(?:\.\d{1,6})?)"
_BETWEEN = r"\s*(?:,\s*(?:and\b|or\b)?|and\b|or\b|to\b|&|/|-|~)\s*"
_NO_NUMBER_GOES_ON = r"(?<![\w.^])(?<![\s,(]-)(?<!day-)(?<!days-)"
NUMBERS = rf"{_NO_NUMBER_GOES_ON}\(?(?P<numbers>{_NUMBER}(?:{_BETWEEN}{_NUMBER}){{0,19}})\)?\s*"
"""Pattern of a number, or of several that share what follows them: ``10, 20 and 40 mg``. Not of ``-3``."""

_SURFACE = r"m\s?\^?2|sqm|sq\.?\s?m(?:et(?:er|re)s?)?|square\smet(?:er|re)s?"
_VOLUME = r"[mdμu]?l|(?:milli|micro|deci)?lit(?:er|re)s?|mm\^?3"
PER = rf"\s*\(?\s*(?:/|\bper\s)\s*(?:(?P<kg>kg|kilograms?)|(?P<m2>{_SURFACE})|(?P<volume>{_VOLUME}))\b"
"""Pattern of ``/kg``, ``per m2``, ``/mL``: a dose by weight, by surface, and a concentration."""

TOLERANCE = re.compile(r"\s*\(?\s*(?:±|\+/-|\+-)\s*\d{1,3}\s*%\s*\)?")
"""Pattern of ``± 30%`` between a number and its unit."""

MASS = re.compile(rf"{NUMBERS}-?\s*(?P<mass>mg|milligrams?|μg|ug|mcg|micrograms?)\b(?:{PER})?", re.IGNORECASE)
"""Pattern of an amount of a drug."""

_NAME_BEFORE = re.compile(
    r"(?:\b(?:cohort|level|dose|group|arm|phase|part|stage|step|days?|weeks?|dl|no|n)\b\.?|[=#+])\s*[-#=]?\s*$",
    re.IGNORECASE,
)


def shared_numbers(match: re.Match[str], commas_are_decimal: bool = False) -> tuple[list[str], str]:
    """Return the numbers of a match of `NUMBERS` that share what follows, and a note on the reading.

    In "cohort 1, 3×10^6" the first number is a name; in "cohorts (1, 3 and 10 mg)" it is an amount. In "1,500 mg" the
    comma joins thousands; in "1,5×10^6" it may be a decimal one: then there are no numbers.

    Parameters
    ----------
    match : re.Match
        A match of `MASS`, or of another pattern that contains `NUMBERS`.
    commas_are_decimal : bool
        Whether the text writes decimal commas beyond doubt.

    Returns
    -------
    numbers : list of str
        In their order, which is a rising one.
    note : str
        What a person should know about the reading; empty if nothing.
    """
    written = match["numbers"]
    if re.fullmatch(r"\d+,\d+", written):
        if "mass" in match.re.groupindex and re.fullmatch(r"\d{1,2},\d{3}", written):
            return [written.replace(",", "")], ""
        return ([written.replace(",", ".")], DECIMAL_NOTE) if commas_are_decimal else ([], COMMA_NOTE)
    numbers = [number.replace(",", "") for number in re.findall(_NUMBER, written)]
    rising = all(Decimal(low) < Decimal(high) for low, high in pairwise(numbers))
    if not rising or _NAME_BEFORE.search(match.string[: match.start("numbers")][-40:]):
        return numbers[-1:], ""
    return numbers, ""


DECIMAL_NOTE = "the comma is taken as a decimal one, as elsewhere in this text"
COMMA_NOTE = "the comma may be a decimal one, or stand between two amounts"

_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+(?=[A-Z(])")


@cache
def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Return where each sentence of a text begins and ends."""
    ends = [found.start() for found in _SENTENCE_END.finditer(text)]
    begins = [0, *(found.end() for found in _SENTENCE_END.finditer(text))]
    return tuple(zip(begins, [*ends, len(text)], strict=True))


def sentence_around(text: str, position: int) -> tuple[int, int]:
    """Return where the sentence begins and ends that holds a position of a text."""
    spans = sentences(text)
    return spans[max(bisect_right(spans, (position, len(text))) - 1, 0)]
