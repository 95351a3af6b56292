"""Dose levels, as the prose of a registry record states them.

The prose is written by hand: one amount appears as ``9×10^9 cells``, ``1 x 10e6/kg`` or ``5E8 CAR-T cells``. An amount
counts as a dose only where a unit is stated for it or for the list it stands in; any other is handed back as a
quotation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from .prose import MASS, NUMBERS, PER, RANGE_NOTE, Passage, decimal_text, distinct, shared_numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """One dose that a text states.

    Parameters
    ----------
    size : Decimal
        The amount, in its unit.
    unit : str
        ``cells``, ``cells per kg``, ``mg``, ``mg/kg`` ...
    label : str
        The dose with its unit, as people write it.
    cells : str
        The flat number of cells as a TOML float; empty for a dose by weight or surface, and for a drug.
    where, quote : str
        The field, and its words.
    note : str
        What a person should know about the reading; empty if nothing.
    """

    size: Decimal
    unit: str
    label: str
    cells: str
    where: str
    quote: str
    note: str


LIST_NOTE = "unit taken from the list it stands in"
POWER_NOTE = "the power of ten is not written as such"
E_NOTE = 'taken as 10×10^n; some write "10e6" for 10^6'

_TIMES = "×xх*·⋅∙•✕✖⨯"
_COUNT = re.compile(
    rf"""{NUMBERS}
         (?: [{_TIMES}]\s*10
             (?: (?:\s*(?:\^|\*\*)\s*[({{]?|\s?(?P<e>e)(?:xp)?\s?)\+?(?P<exponent>\d{{1,2}})(?!\d)
               | (?P<lost>[5-9]|1[0-2])(?!\d) )
           | (?<=\d)e\+?(?P<scientific>\d{{1,2}})(?!\d)
           | (?P<word>million|billion|trillion)\b )
       | (?<![\w.^{_TIMES}])(?<![{_TIMES}]\s)10\s*\^\s*(?P<power>\d{{1,2}})(?!\d)
       | (?<![\w.,])(?P<thousands>\d{{1,3}}(?:,\d{{3}}){{1,4}})(?![\d,])""",
    re.VERBOSE | re.IGNORECASE,
)
_MASS = {"mg", "μg"}
_POWERS = {"million": 6, "billion": 9, "trillion": 12}

_LINKS = r"(?:and|or|to|in|with|for|by|at|on|if|than|then|after|before|when|followed|versus|vs|per|cells?)\b"
_WORD = rf"(?!{_LINKS})\(?[a-z][\w+)-]{{0,40}}(?:/[a-z\d][\w+)-]{{0,40}})?"
_CELL = r"(?:(?-i:CAR)[-+ ]{0,2}(?-i:T|NK|NKT|iNKT|M)s?(?:\s+cells?)?|[\w+-]{0,40}cells?|(?-i:TIL|MSC|HSC)s?)\b"
_CELLS = re.compile(rf"\s*(?:{_WORD}\s+){{0,6}}?{_CELL}", re.IGNORECASE)
_PER_WEIGHT = re.compile(rf"\s*(?:{_WORD}\s+){{0,6}}?(?:(?P<cell>{_CELL})|[a-z][\w+-]{{0,40}})?{PER}", re.IGNORECASE)
_PARTICLES = re.compile(
    r"\s*(?:(?:vector|viral|genome)\s+)?(?P<noun>vg|vp|gc|pfu|cfu|tcid50|iu|tu|u|units?|copies|genomes?|particles?)\b"
    rf"(?:{PER})?",
    re.IGNORECASE,
)

# A count of blood cells is no dose.
_BLOOD_COUNT_BEFORE = re.compile(
    r"\b(?:platelets?|plt|neutrophils?|anc|wbc|leu[ck]ocytes?|ha?emoglobin|counts?)\b[^.;,:\d]{0,25}$", re.IGNORECASE
)
_IN_ONE_LIST = re.compile(
    r"[\s,;/&():~.-]*(?:(?:and|or|to|then|up|from|of|the|doses?|levels?|cohorts?|groups?|arms?|low|medium|middle|high|"
    r"dl\s?-?\d|[1-9]|[a-d]|i{1,3}|iv)\b[\s,;/&():~.-]*)*",
    re.IGNORECASE,
)
_RANGE = re.compile(r"\s*(?:-|~|(?:up )?to)\s*", re.IGNORECASE)
_CELL_THERAPY = re.compile(
    r"fludarabine|cyclophosphamide|bendamustine|lympho-?deplet|\bflu\s*/\s*cy\b|(?-i:\bCAR\b)|"
    r"\bcell(?:ular)? (?:therap|immunotherap|infusion|injection|product)",
    re.IGNORECASE,
)
_CELL_TRIAL = re.compile(r"cells?\b|\bCAR\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Find:
    """An amount, or several that share a unit, where it stands in its passage."""

    passage: Passage
    start: int
    end: int
    sizes: tuple[tuple[str, int], ...]
    """Mantissa and power of ten of each; none if they could not be told apart."""
    unit: str
    """Empty if none is stated."""
    note: str = ""
    needs_unit: bool = False
    """Whether the number means nothing without a unit, and is not worth quoting."""

    @property
    def quote(self) -> str:
        return self.passage.text[self.start : self.end].strip()

    @property
    def is_mass(self) -> bool:
        return self.unit[:2] in _MASS


def read_doses(passages: Sequence[Passage]) -> tuple[tuple[Dose, ...], tuple[str, ...]]:
    """Return the doses that the passages state, and quotations of amounts that were seen and not used.

    Doses of cells go before any other unit; of several such units, the one with most doses is taken. Doses in mg
    are not taken where cell therapy or lymphodepletion is mentioned, since they may belong to other drugs.

    Parameters
    ----------
    passages : sequence of Passage
        The texts in which a dose may stand.

    Returns
    -------
    doses : tuple of Dose
        Distinct doses of one unit, lowest first.
    unused : tuple of str
        The quotations.
    """
    finds = [find for passage in passages for find in (*_cell_finds(passage), *_mass_finds(passage))]
    if any(_CELL_TRIAL.search(passage.text) for passage in passages):
        finds = [replace(find, unit=f"cells {find.unit}") if find.unit[:4] == "per " else find for find in finds]
    is_cell_therapy = any(_CELL_THERAPY.search(passage.text) for passage in passages)
    eligible = [find for find in finds if not (is_cell_therapy and find.is_mass)]
    by_unit: dict[str, dict[Decimal, Dose]] = {}
    for find in eligible:
        for dose in _doses(find):
            by_unit.setdefault(find.unit, {}).setdefault(dose.size, dose)
    if not by_unit:
        return (), distinct(find.quote for find in finds)
    best = max(by_unit, key=lambda unit: ("cells" in unit, unit[:2] not in _MASS, len(by_unit[unit]), unit == "cells"))
    unused = distinct(find.quote for find in eligible if find.unit != best or not find.sizes)
    return tuple(by_unit[best][size] for size in sorted(by_unit[best])), unused


def _doses(find: _Find) -> Iterator[Dose]:
    for mantissa, power in find.sizes if find.unit else ():
        number = decimal_text(mantissa)
        size = Decimal(mantissa).scaleb(power)
        if size > 0:
            yield Dose(
                size=size,
                unit=find.unit,
                label=f"{number}×10^{power} {find.unit}" if power else f"{number} {find.unit}",
                cells=f"{number}e{power}" if find.unit == "cells" else "",
                where=find.passage.where,
                quote=find.quote,
                note=find.note,
            )


def _cell_finds(passage: Passage) -> list[_Find]:
    """Return the amounts that look like a number of cells; a unit stated once holds for its whole list."""
    finds = []
    for match in _COUNT.finditer(passage.text):
        unit, end = _unit_after(passage.text, match.end())
        if unit is None or _BLOOD_COUNT_BEFORE.search(passage.text[: match.start()][-60:]):
            continue
        sizes, note = _sizes(match)
        plain_number = any(match[name] for name in ("lost", "thousands", "word", "scientific"))
        finds.append(
            _Find(
                passage=passage,
                start=match.start(),
                end=end,
                sizes=sizes,
                unit=unit,
                note=note,
                needs_unit=plain_number,
            )
        )
    return [find for find in _with_shared_units(finds) if find.unit or not find.needs_unit]


def _unit_after(text: str, end: int) -> tuple[str | None, int]:
    """Return the unit after an amount and where it ends; empty if none is stated, ``None`` for a concentration."""
    tail = text[end : end + 250]
    for pattern in (_PARTICLES, _PER_WEIGHT, _CELLS):
        found = pattern.match(tail)
        if found is not None:
            said = found.groupdict()
            if said.get("volume"):
                return None, end
            noun = said["noun"].lower() if "noun" in said else "cells" if said.get("cell", "cells") else ""
            per = "per kg" if said.get("kg") else "per m2" if said.get("m2") else ""
            return " ".join(part for part in (noun, per) if part), end + found.end()
    return "", end


def _sizes(match: re.Match[str]) -> tuple[tuple[tuple[str, int], ...], str]:
    """Return mantissas and powers of ten of a match of `_COUNT`, and a note on the reading."""
    if match["thousands"]:
        number = Decimal(match["thousands"].replace(",", ""))
        power = number.adjusted()
        return ((decimal_text(number.scaleb(-power)), power),), ""
    if match["power"]:
        return (("1", int(match["power"])),), ""
    numbers, note = shared_numbers(match)
    if match["scientific"]:
        note = E_NOTE if numbers[-1:] == ["10"] else ""
        return tuple((number, int(match["scientific"])) for number in numbers[-1:]), note
    if match["word"]:
        return tuple((number, _POWERS[match["word"].lower()]) for number in numbers), note
    power = int(match["exponent"] or match["lost"])
    return tuple((number, power) for number in numbers), note or (POWER_NOTE if match["e"] or match["lost"] else "")


def _with_shared_units(finds: list[_Find]) -> list[_Find]:
    """Return the finds, a missing unit taken from a neighbour in the same list: the one before, else the one after."""
    for neighbours in (list(pairwise(range(len(finds)))), list(pairwise(reversed(range(len(finds)))))):
        for said, missing in neighbours:
            first, second = sorted((said, missing))
            if finds[said].unit and not finds[missing].unit and _is_list(_gap(finds[first], finds[second])):
                note = finds[missing].note or LIST_NOTE
                finds[missing] = replace(finds[missing], unit=finds[said].unit, note=note)
    for first, second in pairwise(range(len(finds))):
        if finds[first].unit == finds[second].unit and _RANGE.fullmatch(_gap(finds[first], finds[second])):
            finds[first], finds[second] = (replace(finds[i], note=RANGE_NOTE) for i in (first, second))
    return finds


def _gap(first: _Find, second: _Find) -> str:
    return first.passage.text[first.end : second.start]


def _is_list(gap: str) -> bool:
    return len(gap) <= 60 and _IN_ONE_LIST.fullmatch(gap) is not None


def _mass_finds(passage: Passage) -> list[_Find]:
    finds = []
    for match in MASS.finditer(passage.text):
        if match["volume"]:
            continue
        mass = "mg" if match["mass"].lower().startswith(("mg", "milli")) else "μg"
        unit = mass + ("/kg" if match["kg"] else "/m2" if match["m2"] else "")
        numbers, note = shared_numbers(match)
        sizes = tuple((number, 0) for number in numbers)
        finds.append(_Find(passage=passage, start=match.start(), end=match.end(), sizes=sizes, unit=unit, note=note))
    return _with_shared_units(finds)
