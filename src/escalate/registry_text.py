"""Doses and lymphodepletion, as the free text of a registry record states them.

Registry prose is written by hand: the same amount appears as ``9×10\\^9 cells``, ``1 x 10e6/kg`` or ``5E8 CAR-T cells``.
What is not understood for certain is reported as seen and not used; nothing is guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One free text of a record.

    Parameters
    ----------
    where : str
        Field of the record (``interventions[0].description``).
    text : str
        The text, with spelling variants removed: see `plain`.
    """

    where: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """One dose found in a text.

    Parameters
    ----------
    label : str
        The dose with its unit.
    unit : str
        ``cells``, ``cells per kg``, ``mg`` ...
    size : Decimal
        The amount, in that unit.
    cells : str
        Flat number of cells as a TOML float; empty for a dose by weight or surface, and for a drug.
    where, quote : str
        The field, and its words.
    note : str
        What a person should know about the reading; empty if it is plain.
    """

    label: str
    unit: str
    size: Decimal
    cells: str
    where: str
    quote: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doses:
    """The dose levels of a record, lowest first, and the amounts that were seen and not used.

    Parameters
    ----------
    levels : tuple of Dose
        Distinct doses of one unit; empty if there are none.
    unused : tuple of str
        Quotations.
    """

    levels: tuple[Dose, ...]
    unused: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One lymphodepletion agent found in a text.

    Parameters
    ----------
    name : str
        Generic name.
    mg_per_m2 : str
        Daily dose [mg per m2] as a TOML number; empty if it could not be read.
    days : tuple of int
        Days relative to the infusion, in order; empty if they could not be read.
    where, quote : str
        The field, and its words.
    others : tuple of str
        Quotations that say something else of this agent.
    """

    name: str
    mg_per_m2: str = ""
    days: tuple[int, ...] = ()
    where: str = ""
    quote: str = ""
    others: tuple[str, ...] = ()


_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", "⁺")
_SIGNS = str.maketrans(dict.fromkeys("‐‑‒–—―−﹣－", "-") | dict.fromkeys("×xXхХ✕✖⨯⋅·∙•*∗", "×") | {"～": "~", "〜": "~"})

_NUMBER = r"\d{1,6}(?:\.\d{1,6})?"
_BETWEEN = r"\s*(?:,\s*(?:and\b|or\b)?|and\b|or\b|to\b|&|/|-|~)\s*"
_NUMBERS = rf"(?<![\w.^])\(?(?P<numbers>{_NUMBER}(?:{_BETWEEN}{_NUMBER}){{0,9}})\)?\s*"
_VOLUME = r"[mdμu]?l|(?:milli|micro|deci)?lit(?:er|re)s?|mm\^?3"
_SURFACE = r"m\s?\^?2|sqm|sq\.?\s*m(?:eters?|etres?)?|square\s+met(?:er|re)s?"
_PER = rf"\s*\(?\s*(?:/|\bper\s)\s*(?P<base>kg|kilograms?|{_SURFACE}|{_VOLUME})\b"
_TIMES_TEN = r"(?:×|(?<=[\d\s)])x)\s*10"

_CELL_COUNT = re.compile(
    rf"""{_NUMBERS}(?:
          ×\s*10(?:\s*(?:\^|××)\s*[({{]?|\s?e(?P<e>xp)?\s?)\+?(?P<exponent>\d{{1,2}})(?!\d)
        | ×\s*10(?P<lost>[5-9]|1[0-2])(?!\d)
        | (?<=\d)e\+?(?P<scientific>\d{{1,2}})(?!\d)
        | (?P<word>million|billion|trillion)\b)
      | (?<![\w.^×])10\s*\^\s*(?P<power>\d{{1,2}})(?!\d)
      | (?<![\w.,])(?P<thousands>\d{{1,3}}(?:,\d{{3}}){{1,4}})(?![\d,])""",
    re.VERBOSE | re.IGNORECASE,
)
_MASS = re.compile(rf"{_NUMBERS}-?\s*(?P<unit>mg|milligrams?|μg|ug|mcg|micrograms?)\b(?:{_PER})?", re.IGNORECASE)
_WORDS = {"million": 6, "billion": 9, "trillion": 12}
