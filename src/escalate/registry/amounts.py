"""Amounts, as the prose of a registry record states them: numbers with their unit, wherever they stand.

The prose is written by hand: one amount appears as ``9×10^9 cells``, ``1 x 10e6/kg`` or ``5E8 CAR-T cells``, and a list
may have its unit once. What an amount is an amount of, and whether it is a dose level, is for `doses` to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from .prose import MASS, NUMBERS, PER, TOLERANCE, Passage, decimal_text, sentence_around, shared_numbers

FARTHEST = 400
"""Letters before and after an amount that can say what it is."""

MOST_AMOUNTS = 300
"""Amounts of one passage that are looked at; more are no dose levels."""

LIST_NOTE = "unit taken from the list it stands in"
POWER_NOTE = "the power of ten is not written as such"
E_NOTE = 'taken as 10×10^n; some write "10e6" for 10^6'

_TIMES = "×xх*·⋅∙•✕✖⨯"
_COUNT = re.compile(
    rf"""{NUMBERS}
         (?: [{_TIMES}]\s*10
             (?: (?:\s*(?:\^|\*\*)\s*[({{]?|\s?(?P<e>e)(?:xp)?\s?)\+?(?P<exponent>\d{{1,2}})(?!\d)
               | (?P<lost>[5-9]|1[0-5])(?!\d) )
           | (?<=\d)e\+?(?P<scientific>\d{{1,2}})(?!\d)
           | (?P<word>million|billion|trillion)\b )
       | (?<![\w.^{_TIMES}])(?<![{_TIMES}]\s)10\s*\^\s*(?P<power>\d{{1,2}})(?!\d)
       | (?<![\w.,])(?P<thousands>\d{{1,3}}(?:,\d{{3}}){{1,4}})(?![\d,])""",
    re.VERBOSE | re.IGNORECASE,
)
_POWERS = {"million": 6, "billion": 9, "trillion": 12}

_LINKS = r"(?:and|or|to|in|with|for|by|at|on|if|than|then|after|before|when|followed|versus|vs|per|cells?)\b"
_WORD = rf"(?!{_LINKS})\(?[a-z][\w+)-]{{0,40}}(?:/[a-z\d][\w+)-]{{0,40}})?"
_CELL = (
    r"(?:(?-i:CAR)[-+ ]{0,2}(?-i:T|NK|NKT|iNKT|M)s?(?:\s+cells?)?|[\w+-]{0,40}cells?|"
    r"(?-i:TIL|[A-Za-z]{0,3}[MCH]SC|PBL|DC)s?)\b"
)
_CELLS = re.compile(rf"\s*(?:{_WORD}\s+){{0,6}}?{_CELL}", re.IGNORECASE)
_PER_WEIGHT = re.compile(rf"\s*(?:{_WORD}\s+){{0,6}}?(?:(?P<cell>{_CELL})|[a-z][\w+-]{{0,40}})?{PER}", re.IGNORECASE)
_PARTICLES = re.compile(
    r"\s*(?:(?:vector|viral|genome)\s+)?(?P<noun>vg|vpu?|gc|pfu|cfu|tcid50|iu|tu|u|units?|copies|genomes?|particles?)\b"
    rf"(?:{PER})?",
    re.IGNORECASE,
)
_ONE_NOUN = {"vpu": "vp", "particle": "vp", "particles": "vp", "genome": "vg", "genomes": "vg"}
"""Words for the same unit."""
_CELLS_ANNOUNCED = re.compile(r"\bcells?\s+doses?\b[^.;\d]{0,40}$", re.IGNORECASE)

_IN_ONE_LIST = re.compile(
    r"[\s,;/&():~.-]*(?:(?:and|or|to|then|up|from|of|the|doses?|levels?|cohorts?|groups?|arms?|low|medium|middle|high|"
    r"dl\s?-?\d|[1-9]|[a-d]|i{1,3}|iv)\b[\s,;/&():~.-]*)*",
    re.IGNORECASE,
)
_FROM_TO = re.compile(r"\s*(?:-|~|(?:up )?to|and)\s*(?:greater than|more than)?\s*", re.IGNORECASE)
_BETWEEN = re.compile(r"\bbetween\b[\s(]*(?:(?:a )?min(?:imum)?\.?\s*(?:of|dose)?[\s):]*)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A number with its unit, or several that share it, where it stands in its passage.

    Parameters
    ----------
    passage : Passage
        The text.
    start, end : int
        Where in it, the unit included.
    sizes : tuple of (str, int)
        Mantissa and power of ten of each; none if they could not be told apart.
    unit : str
        ``cells``, ``cells per kg``, ``mg``, ``mg/kg`` ...; empty if none is stated.
    note : str
        What a person should know about the reading; empty if nothing.
    needs_unit : bool
        Whether the number means nothing without a unit, and is not worth quoting.
    is_range : bool
        Whether it is one end of a range, or both.
    """

    passage: Passage
    start: int
    end: int
    sizes: tuple[tuple[str, int], ...]
    unit: str
    note: str = ""
    needs_unit: bool = False
    is_range: bool = False

    @property
    def quote(self) -> str:
        """Its words."""
        return self.passage.text[self.start : self.end].strip()

    @property
    def sentence(self) -> str:
        """The sentence that it stands in."""
        start, end = sentence_around(self.passage.text, self.start)
        return self.passage.text[start:end].strip()

    @property
    def before(self) -> str:
        """What its sentence says before it, as far as anybody would look."""
        begins = sentence_around(self.passage.text, self.start)[0]
        return self.passage.text[max(begins, self.start - FARTHEST) : self.start]

    @property
    def after(self) -> str:
        """What its sentence says after it, as far as anybody would look."""
        ends = sentence_around(self.passage.text, self.start)[1]
        return self.passage.text[self.end : min(ends, self.end + FARTHEST)]

    @property
    def is_mass(self) -> bool:
        """Whether it is a mass: of a drug."""
        return self.unit[:2] in ("mg", "μg")

    @property
    def values(self) -> tuple[Decimal, ...]:
        """The sizes as numbers."""
        return tuple(Decimal(mantissa).scaleb(power) for mantissa, power in self.sizes)

    def labels(self) -> Iterator[tuple[Decimal, str, str]]:
        """Yield for each size the number, the dose with its unit, and a flat number of cells as a TOML float."""
        for (mantissa, power), size in zip(self.sizes, self.values, strict=True):
            number = decimal_text(mantissa)
            label = f"{number}×10^{power} {self.unit}" if power else f"{number} {self.unit}"
            yield size, label, f"{number}e{power}" if self.unit == "cells" else ""


def find_amounts(passage: Passage) -> list[Amount]:
    """Return every amount of a passage, in the order of the text; a unit stated once holds for its whole list."""
    found = [*_counts(passage), *_masses(passage)]
    return sorted(found, key=lambda amount: amount.start)[:MOST_AMOUNTS]


def is_list(first: Amount, second: Amount) -> bool:
    """Return whether nothing but the words of a list stands between two amounts of one passage."""
    gap = first.passage.text[first.end : second.start]
    return len(gap) <= 60 and _IN_ONE_LIST.fullmatch(gap) is not None


def _counts(passage: Passage) -> list[Amount]:
    """Return the amounts that look like a number of cells or particles."""
    found = []
    commas_are_decimal = _commas_are_decimal(passage.text)
    for match in _COUNT.finditer(passage.text):
        unit, end = _unit_after(passage.text, match.end())
        if unit is None:
            continue
        if not unit and _CELLS_ANNOUNCED.search(passage.text[: match.start()][-80:]):
            unit = "cells"
        sizes, note = _sizes(match, commas_are_decimal)
        found.append(
            Amount(
                passage=passage,
                start=match.start(),
                end=end,
                sizes=sizes,
                unit=unit,
                note=note,
                needs_unit=any(match[name] for name in ("lost", "thousands", "word", "scientific")),
                is_range=len(sizes) == 2 and _is_range(match["numbers"] or ""),
            )
        )
    return [amount for amount in _with_shared_units(found) if amount.unit or not amount.needs_unit]


def _unit_after(text: str, end: int) -> tuple[str | None, int]:
    """Return the unit after an amount and where it ends; empty if none is stated, ``None`` for a concentration."""
    tolerance = TOLERANCE.match(text, end)
    tail_from = tolerance.end() if tolerance else end
    tail = text[tail_from : tail_from + 250]
    for pattern in (_PARTICLES, _PER_WEIGHT, _CELLS):
        found = pattern.match(tail)
        if found is not None:
            said = found.groupdict()
            if said.get("volume"):
                return None, end
            noun = (
                _ONE_NOUN.get(said["noun"].lower(), said["noun"].lower())
                if "noun" in said
                else "cells"
                if said.get("cell", "cells")
                else ""
            )
            per = "per kg" if said.get("kg") else "per m2" if said.get("m2") else ""
            return " ".join(part for part in (noun, per) if part), tail_from + found.end()
    return "", end


def _sizes(match: re.Match[str], commas_are_decimal: bool) -> tuple[tuple[tuple[str, int], ...], str]:
    """Return mantissas and powers of ten of a match of `_COUNT`, and a note on the reading."""
    if match["thousands"]:
        number = Decimal(match["thousands"].replace(",", ""))
        power = number.adjusted()
        return ((decimal_text(number.scaleb(-power)), power),), ""
    if match["power"]:
        return (("1", int(match["power"])),), ""
    numbers, note = shared_numbers(match, commas_are_decimal)
    if match["scientific"]:
        note = E_NOTE if numbers[-1:] == ["10"] else ""
        several = len(numbers) > 1 and _is_range(match["numbers"])
        return tuple((number, int(match["scientific"])) for number in (numbers if several else numbers[-1:])), note
    if match["word"]:
        return tuple((number, _POWERS[match["word"].lower()]) for number in numbers), note
    power = int(match["exponent"] or match["lost"])
    return tuple((number, power) for number in numbers), note or (POWER_NOTE if match["e"] or match["lost"] else "")


def _commas_are_decimal(text: str) -> bool:
    """Return whether a text writes decimal commas beyond doubt: ``1,0×10^8`` can be no list of doses."""
    return re.search(rf"(?<![\d.,])\d{{1,2}},0{{1,2}}\s?[{_TIMES}]\s?10", text) is not None


def _is_range(numbers: str) -> bool:
    """Return whether numbers that share a unit are the two ends of a range, as in ``1-3`` or ``1 to 3``."""
    return re.fullmatch(r"[\d.,]+\s*(?:-|~|to\b)\s*[\d.,]+", numbers) is not None


def _with_shared_units(found: list[Amount]) -> list[Amount]:
    """Return the amounts, a missing unit taken from a neighbour in the same list: the one before, else the one after.

    Two that are the ends of a range say so.
    """
    for neighbours in (list(pairwise(range(len(found)))), list(pairwise(reversed(range(len(found)))))):
        for said, missing in neighbours:
            first, second = sorted((said, missing))
            if found[said].unit and not found[missing].unit and is_list(found[first], found[second]):
                note = found[missing].note or LIST_NOTE
                found[missing] = replace(found[missing], unit=found[said].unit, note=note)
    for first, second in pairwise(range(len(found))):
        if found[first].unit == found[second].unit and _are_ends(found, first, second):
            found[first], found[second] = (replace(found[at], is_range=True) for at in (first, second))
    return found


def _are_ends(found: list[Amount], first: int, second: int) -> bool:
    """Return whether two neighbours are the ends of a range: "A to B" alone, or "between A and B"."""
    one, other = found[first], found[second]
    gap = one.passage.text[one.end : other.start]
    if _BETWEEN.search(one.before):
        return len(gap) <= 80 and re.search(r"\b(?:and|to)\b|-|~", gap) is not None
    chained = any(
        before >= 0 and after < len(found) and is_list(found[before], found[after])
        for before, after in ((first - 1, first), (second, second + 1))
    )
    goes_from = _FROM_TO.fullmatch(gap) is not None and "and" not in gap
    return goes_from and not (chained and "to" in gap)


def _masses(passage: Passage) -> list[Amount]:
    found = []
    for match in MASS.finditer(passage.text):
        if match["volume"]:
            continue
        mass = "mg" if match["mass"].lower().startswith(("mg", "milli")) else "μg"
        unit = mass + ("/kg" if match["kg"] else "/m2" if match["m2"] else "")
        numbers, note = shared_numbers(match)
        found.append(
            Amount(
                passage=passage,
                start=match.start(),
                end=match.end(),
                sizes=tuple((number, 0) for number in numbers),
                unit=unit,
                note=note,
                is_range=len(numbers) == 2 and _is_range(match["numbers"]),
            )
        )
    return _with_shared_units(found)
