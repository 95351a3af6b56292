"""How registry prose is spelled: one text on one line, and the patterns of numbers and units in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
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


_NUMBER = r"\d{1,6}(?:\.\d{1,6})?"
_BETWEEN = r"\s*(?:,\s*(?:and\b|or\b)?|and\b|or\b|to\b|&|/|-|~)\s*"
_NO_NUMBER_GOES_ON = r"(?<![\w.^])(?<![\s,(]-)(?<!day-)(?<!days-)"
NUMBERS = rf"{_NO_NUMBER_GOES_ON}\(?(?P<numbers>{_NUMBER}(?:{_BETWEEN}{_NUMBER}){{0,9}})\)?\s*"
"""Pattern of a number, or of several that share what follows them: ``10, 20 and 40 mg``. Not of ``-3``."""

_SURFACE = r"m\s?\^?2|sqm|sq\.?\s?m(?:et(?:er|re)s?)?|square\smet(?:er|re)s?"
_VOLUME = r"[mdμu]?l|(?:milli|micro|deci)?lit(?:er|re)s?|mm\^?3"
PER = rf"\s*\(?\s*(?:/|\bper\s)\s*(?:(?P<kg>kg|kilograms?)|(?P<m2>{_SURFACE})|(?P<volume>{_VOLUME}))\b"
"""Pattern of ``/kg``, ``per m2``, ``/mL``: a dose by weight, by surface, and a concentration."""

MASS = re.compile(rf"{NUMBERS}-?\s*(?P<mass>mg|milligrams?|μg|ug|mcg|micrograms?)\b(?:{PER})?", re.IGNORECASE)
"""Pattern of an amount of a drug."""

RANGE_NOTE = "the record gives a range; steps in between are not stated"
"""What is said of doses that are the ends of a range."""

_NAME_BEFORE = re.compile(
    r"(?:\b(?:cohorts?|levels?|doses?|groups?|arms?|phases?|parts?|stages?|steps?|days?|weeks?|dl|no|n)\b\.?|[=#+])"
    r"\s*[-:#=]?\s*\(?$",
    re.IGNORECASE,
)


def shared_numbers(match: re.Match[str]) -> tuple[list[str], str]:
    """Return the numbers of a match of `NUMBERS` that share what follows, and a note on the reading.

    In "cohort 1, 3×10^6" the first number is a name. In "1,5×10^6" the comma may be a decimal one: then there are no
    numbers. In "1,500 mg" it joins thousands.

    Parameters
    ----------
    match : re.Match
        A match of `MASS`, or of another pattern that contains `NUMBERS`.

    Returns
    -------
    numbers : list of str
        In their order, which is a rising one.
    note : str
        What a person should know about the reading; empty if nothing.
    """
    written = match["numbers"]
    numbers = re.findall(_NUMBER, written)
    if re.fullmatch(r"\d+,\d+", written):
        is_thousands = "mass" in match.re.groupindex and re.fullmatch(r"\d{1,2},\d{3}", written)
        return ([written.replace(",", "")] if is_thousands else []), ""
    rising = all(Decimal(low) < Decimal(high) for low, high in pairwise(numbers))
    if not rising or _NAME_BEFORE.search(match.string[: match.start("numbers")][-40:]):
        return numbers[-1:], ""
    return numbers, RANGE_NOTE if re.search(r"-|~|\bto\b", written) else ""
