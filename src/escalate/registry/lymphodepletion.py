"""Lymphodepletion, as the prose of a registry record states it: agents, mg per m2, days.

Amounts and days are attributed to an agent only within one sentence, and only where nothing else stands between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from .prose import MASS, Passage, distinct, shared_numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One lymphodepletion agent that a text names.

    Parameters
    ----------
    name : str
        Generic name.
    mg_per_m2 : Decimal or None
        Dose a day [mg per m2]; ``None`` if it could not be read.
    days : tuple of int
        Days relative to the infusion, in order; empty if they could not be read.
    where, quote : str
        The field, and its words.
    others : tuple of str
        Quotations that say something else of this agent.
    """

    name: str
    mg_per_m2: Decimal | None
    days: tuple[int, ...]
    where: str
    quote: str
    others: tuple[str, ...] = ()


LONGEST_LEAD_DAYS = 60
"""A day further before the infusion than this is no day of lymphodepletion [days]."""

_AGENT = re.compile(
    r"\b(?:(?P<fludarabine>fludarabine|flu(?!-))|(?P<cyclophosphamide>cyclophosphamide|cytoxan|ctx|cy)"
    r"|(?P<bendamustine>bendamustine))\b",
    re.IGNORECASE,
)
_DAY = r"(?:\bd(?:ays?)?\b\.?\s*)"
_MINUS = r"(?:-|minus\b)\s*"
_THROUGH = r"(?:to|through|thru|until)\b|-|~"
_AND = rf"\s*(?:,\s*(?:and\b|&)?|and\b|&|/|{_THROUGH})\s*"
_DAYS = re.compile(rf"{_DAY}{_MINUS}\d{{1,3}}(?!\d)(?:{_AND}{_DAY}?{_MINUS}\d{{1,3}}(?!\d))*", re.IGNORECASE)
_STEP = re.compile(rf"(?P<between>{_AND})?{_DAY}?{_MINUS}(?P<day>\d{{1,3}})", re.IGNORECASE)
_GOES_ON = re.compile(rf"\s*(?:{_THROUGH})\s*{_DAY}?\+?\d", re.IGNORECASE)
_SEVERAL_DAYS = re.compile(
    r"\b(?:\d+|two|three|four|five)[ -]?(?:consecutive )?d(?:ays?)?\b|\bstart|\bbegin|\bfrom\b|[x×*] ?\d\b(?! ?[x×*.])",
    re.IGNORECASE,
)
_STATEMENT_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
"""A full stop; days may be told behind a semicolon."""
_SMALL_WORDS = re.compile(
    r"[\s,:;()/.=-]*(?:(?:phosphate|injections?|infusions?|infused|intravenous(?:ly)?|iv|i\.v|at|a|an|is|are|was|were|will|"
    r"be|given|administered|the|of|for|doses?|dosage|daily|per|days?|d|on|qd|once|\d{1,2}|x)\b[\s,:;()/.=-]*)*",
    re.IGNORECASE,
)

_BESIDE = re.compile(r"[\s)/.,]*(?:(?:day|d|daily|iv|i\.v|intravenously|on|at)\b[\s)/.,]*)*", re.IGNORECASE)
"""What may stand between an amount and its days."""

_Span = tuple[int, int]


def read_lymphodepletion(passages: Sequence[Passage]) -> tuple[Agent, ...]:
    """Return the lymphodepletion agents that the passages name, each with the most complete statement about it.

    Parameters
    ----------
    passages : sequence of Passage
        The texts in which lymphodepletion may stand.

    Returns
    -------
    tuple of Agent
        One for each agent, in the order of the text.
    """
    said: dict[str, list[Agent]] = {}
    for passage in passages:
        for sentence in _STATEMENT_END.split(passage.text):
            for agent in _agents(sentence, passage.where):
                said.setdefault(agent.name, []).append(agent)
    return tuple(_best(statements) for statements in said.values())


def _best(statements: list[Agent]) -> Agent:
    best = max(statements, key=lambda agent: (agent.mg_per_m2 is not None, bool(agent.days)))
    others = (
        agent.quote
        for agent in statements
        if agent.mg_per_m2 not in (None, best.mg_per_m2) or (agent.days and agent.days != best.days)
    )
    return replace(best, others=distinct(others))


def _agents(sentence: str, where: str) -> Iterator[Agent]:
    """Yield the agents that a sentence names, with the amount and days it gives each."""
    named = [(str(found.lastgroup), found.span()) for found in _AGENT.finditer(sentence)]
    amounts = [found for found in MASS.finditer(sentence) if found["m2"]] if named else []
    bound = _bind(named, amounts, sentence)
    taken = {found.span() for _, _, found in bound.values()}
    loose = [found.start() for found in amounts if found.span() not in taken]
    several = _SEVERAL_DAYS.search(sentence) is not None
    days = [(found.span(), _listed_days(found, several)) for found in _DAYS.finditer(sentence)]
    first = min([start for _, (start, _) in named] + [found.start() for found in amounts], default=0)
    for name in dict.fromkeys(name for name, _ in named):
        if name in bound:
            amount, agent, found = bound[name]
            when = _days_beside(sentence, max(agent[1], found.end()), days)
            if when is None:
                when = _days_for(agent, found.span(), days, loose, first)
            yield Agent(name=name, mg_per_m2=amount, days=when, where=where, quote=sentence)
        elif name in sentence.lower():
            # An abbreviation alone may mean something else (flu: influenza).
            yield Agent(name=name, mg_per_m2=None, days=(), where=where, quote=sentence)


def _bind(
    named: list[tuple[str, _Span]], amounts: list[re.Match[str]], sentence: str
) -> dict[str, tuple[Decimal, _Span, re.Match[str]]]:
    """Return the amount of each agent: stated after it, before it, or "A and B at 25 and 1000 mg/m2"."""
    bound: dict[str, tuple[Decimal, _Span, re.Match[str]]] = {}
    values = [[Decimal(number) for number in shared_numbers(found)[0]] for found in amounts]
    flat = [(value, found) for several, found in zip(values, amounts, strict=True) for value in several]
    spans = dict(named)
    if amounts and len(spans) == len(flat) > 1 and named[-1][1][1] <= amounts[0].start():
        gap = _gap(sentence, named[-1][1], amounts[0].span())
        if _SMALL_WORDS.fullmatch(gap) or "respectively" in sentence.lower():
            pairs = zip(spans.items(), flat, strict=True)
            return {name: (value, span, found) for (name, span), (value, found) in pairs if value}
    for several, found in zip(values, amounts, strict=True):
        if spans.keys() <= bound.keys():
            break
        owner = _owner([item for item in named if item[0] not in bound], found.span(), sentence)
        if owner is not None and len(several) == 1 and several[0]:
            bound[owner[0]] = (several[0], owner[1], found)
    return bound


def _owner(named: list[tuple[str, _Span]], amount: _Span, sentence: str) -> tuple[str, _Span] | None:
    """Return the agent that an amount belongs to: the one just before it, else the one just after."""
    for name, span in [item for item in named if item[1][1] <= amount[0]][-1:]:
        if _SMALL_WORDS.fullmatch(_gap(sentence, span, amount)):
            return name, span
    for name, span in [item for item in named if item[1][0] >= amount[1]][:1]:
        gap = _gap(sentence, amount, span)
        if "," not in gap and ";" not in gap and _SMALL_WORDS.fullmatch(gap):
            return name, span
    return None


def _gap(sentence: str, first: _Span, second: _Span) -> str:
    return _DAYS.sub(" ", sentence[first[1] : second[0]])


def _days_beside(sentence: str, end: int, days: list[tuple[_Span, tuple[int, ...]]]) -> tuple[int, ...] | None:
    """Return the days that stand right behind an agent and its amount; ``None`` if others may be meant."""
    for (start, after), listed in days:
        if start >= end:
            beside = _BESIDE.fullmatch(sentence[end:start]) and not sentence[after:].lstrip().startswith(":")
            return listed if beside else None
    return None


def _days_for(
    agent: _Span, amount: _Span, days: list[tuple[_Span, tuple[int, ...]]], loose: list[int], first: int
) -> tuple[int, ...]:
    """Return the days of one agent: between its name and amount, else announced before, else the next ones after."""
    start, end = min(agent[0], amount[0]), max(agent[1], amount[1])
    between = [listed for span, listed in days if span[0] >= start and span[1] <= end]
    if between:
        return between[-1]
    if days and days[0][0][0] < first:
        announced = [listed for span, listed in days if span[1] <= start]
        return announced[-1] if announced else ()
    for span, listed in days:
        if span[0] >= end:
            return () if any(end <= other < span[0] for other in loose) else listed
    return ()


def _listed_days(found: re.Match[str], several: bool) -> tuple[int, ...]:
    """Return the days of an expression in order; none if it goes on to a day after the infusion, or says too little."""
    if _GOES_ON.match(found.string, found.end()):
        return ()
    listed: set[int] = set()
    previous = 0
    for step in _STEP.finditer(found[0]):
        day = -int(step["day"])
        if not -LONGEST_LEAD_DAYS <= day <= -1:
            return ()
        through = step["between"] is not None and re.search(_THROUGH, step["between"], re.IGNORECASE)
        listed.update(range(min(previous, day), max(previous, day) + 1) if through else (day,))
        previous = day
    if len(listed) == 1 and several:
        return ()
    return tuple(sorted(listed))
