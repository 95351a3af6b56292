"""Dose levels: which of the amounts that a record states are doses of the product that is escalated.

Stated is only what is certain: the amounts of one product in one unit, of which nothing in their sentences says that
they are something else, or one list that is called doses or levels, where every other amount belongs to another
product. Everything else is handed back as a candidate, with its sentence and with what speaks against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from .amounts import Amount, find_amounts, is_list
from .objections import CAP, NO_NUMBER_OF_CELLS, RANGE, VIRAL_COPIES, objection
from .prose import Passage


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An amount that may be a dose level, and is not stated as one.

    Parameters
    ----------
    quote, sentence, where : str
        Its words, the sentence and the field that they stand in.
    against : str
        What speaks against it.
    """

    quote: str
    sentence: str
    where: str
    against: str


NOT_WHOLE = "another amount in this unit could not be placed: the list may not be whole"
NOT_CERTAIN = "amounts of several products or in several units are stated, and not which of them is escalated"
_DOUBTS = (RANGE, CAP, NO_NUMBER_OF_CELLS)
"""Objections after which a list of the same unit may not be whole."""

_CELL_THERAPY = re.compile(
    r"fludarabine|cyclophosphamide|bendamustine|lympho-?deplet|\bflu\s*/\s*cy\b|(?-i:\bCAR\b)|"
    r"\bcell(?:ular)? (?:therap|immunotherap|infusion|injection|product)",
    re.IGNORECASE,
)
_CELL_TRIAL = re.compile(r"cells?\b|\bCAR\b", re.IGNORECASE)
_CUE = re.compile(
    r"\b(?:dose|dosing|dosage)s?[- ]?(?:levels?|cohorts?|groups?|escalations?|steps?)|\blevels?\b|\bcohorts?\b|"
    r"\bdoses\b|\bescalat|\bascending\b|\bde-escalat|\bgroups?\b",
    re.IGNORECASE,
)

_PARTNER_BEFORE = re.compile(r"\b(?:in )?combin(?:ation|ed) with\b[^.;]{0,60}$|\bplus\b[^.;,]{0,40}$", re.IGNORECASE)


def read_doses(
    passages: Sequence[Passage], products: Sequence[str] = ()
) -> tuple[tuple[Dose, ...], tuple[Candidate, ...]]:
    """Return the doses that the passages state for certain, and every other amount with what speaks against it.

    In a trial of cells doses are cells; in milligrams there are conditioning and partners.

    Parameters
    ----------
    passages : sequence of Passage
        The texts in which a dose may stand.
    products : sequence of str
        Names of the record's interventions.

    Returns
    -------
    doses : tuple of Dose
        Distinct doses of one unit, lowest first.
    candidates : tuple of Candidate
        In the order of the texts.
    """
    amounts = [amount for passage in passages for amount in find_amounts(passage)]
    amounts = [amount for amount in amounts if not VIRAL_COPIES.fullmatch(amount.unit)]
    if any(_CELL_TRIAL.search(passage.text) for passage in passages):
        amounts = [_of_cells(amount) for amount in amounts]
    of_cells = any("cells" in amount.unit for amount in amounts)
    if of_cells or any(_CELL_THERAPY.search(passage.text) for passage in passages):
        amounts = [amount for amount in amounts if not amount.is_mass]
    against = {id(amount): objection(amount) for amount in amounts}
    possible = [amount for amount in amounts if not against[id(amount)]]
    names = {id(amount): _product(amount, products) for amount in possible}
    has_partners = any(words.startswith("of ") for words in against.values())
    chosen = _certain(possible, [names[id(amount)] for amount in possible], has_partners)
    doubtful = {
        amount.unit for amount in amounts if against[id(amount)] in _DOUBTS or (amount.unit and not amount.sizes)
    }
    for unit in {amount.unit for amount in chosen} & doubtful:
        against |= {id(amount): NOT_WHOLE for amount in chosen if amount.unit == unit}
        chosen = []
    taken = {id(amount) for amount in chosen}
    doses: dict[Decimal, Dose] = {}
    for amount in chosen:
        for dose in _doses(amount):
            doses.setdefault(dose.size, dose)
    candidates = [
        Candidate(
            quote=amount.quote,
            sentence=amount.sentence,
            where=amount.passage.where,
            against=against[id(amount)] or _why_not(names[id(amount)], chosen),
        )
        for amount in amounts
        if id(amount) not in taken
        and not (amount.values and set(amount.values) <= set(doses) and not against[id(amount)])
    ]
    return tuple(doses[size] for size in sorted(doses)), _each_once(candidates)


def _says_the_same(amount: Amount, against: str, doses: Mapping[Decimal, Dose]) -> bool:
    """Return whether an amount says only what is stated already."""
    return not against and bool(amount.values) and set(amount.values) <= set(doses)


def _of_cells(amount: Amount) -> Amount:
    """Return an amount by weight alone as one of cells: in a trial of cells nothing else is meant."""
    return replace(amount, unit=f"cells {amount.unit}") if amount.unit[:4] == "per " else amount


def _product(amount: Amount, products: Sequence[str]) -> str:
    """Return the product that an amount is of: named beside it, the intervention that it describes, or empty."""
    if _PARTNER_BEFORE.search(amount.before):
        return "a partner"
    beside = [
        (amount.before.lower().rfind(name.lower()), name) for name in products if name.lower() in amount.before.lower()
    ]
    if beside:
        return max(beside)[1].lower()
    number = re.match(r"interventions\[(\d+)\]", amount.passage.where)
    if number and int(number[1]) < len(products):
        return products[int(number[1])].lower()
    return ""


def _certain(amounts: Sequence[Amount], products: Sequence[str], has_partners: bool) -> list[Amount]:
    """Return the amounts that are dose levels for certain; none if there is any doubt.

    Parameters
    ----------
    amounts : sequence of Amount
        Those that nothing in their sentences speaks against.
    products : sequence of str
        The product of each, as `_product`.
    has_partners : bool
        Whether other amounts belong to other drugs.
    """
    units, named = {amount.unit for amount in amounts}, {name for name in products if name}
    if len(units) <= 1 and (all("cells" in unit for unit in units) or (len(named) <= 1 and not has_partners)):
        return list(amounts)
    lists = [group for group in _lists(amounts) if _is_called_doses(group)]
    longest = max(lists, key=_spread, default=[])
    if not longest:
        return []
    sizes, unit = {size for amount in longest for size in amount.values}, longest[0].unit
    of_list = {products[at] for at, amount in enumerate(amounts) if amount in longest} - {""}
    chosen = []
    for amount, product in zip(amounts, products, strict=True):
        if amount.unit == unit and set(amount.values) <= sizes:
            chosen.append(amount)
        elif not product or product in of_list:
            return []
    return chosen


def _lists(amounts: Sequence[Amount]) -> Iterator[list[Amount]]:
    """Yield runs of amounts of one unit that stand in one list of one passage."""
    run: list[Amount] = list(amounts[:1])
    for one, other in pairwise(amounts):
        if one.passage is other.passage and one.unit == other.unit and is_list(one, other):
            run.append(other)
        else:
            yield run
            run = [other]
    yield run


def _spread(group: Sequence[Amount]) -> int:
    return len({size for amount in group for size in amount.values})


def _is_called_doses(group: Sequence[Amount]) -> bool:
    """Return whether a list has several amounts, and its sentence calls them doses, levels or cohorts."""
    return bool(group) and _spread(group) > 1 and _CUE.search(group[0].sentence) is not None


def _doses(amount: Amount) -> Iterator[Dose]:
    for size, label, cells in amount.labels():
        if size > 0:
            yield Dose(
                size=size,
                unit=amount.unit,
                label=label,
                cells=cells,
                where=amount.passage.where,
                quote=amount.quote,
                note=amount.note,
            )


def _why_not(product: str, chosen: Sequence[Amount]) -> str:
    if not chosen:
        return NOT_CERTAIN
    return f"of {product}" if product else "not in the list of doses"


def _each_once(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return each quotation once, where it stands first."""
    return tuple({candidate.quote: candidate for candidate in reversed(candidates)}.values())[::-1]
