"""What speaks against an amount being a dose level: the words beside it say what else it is."""

from __future__ import annotations

import re

from .amounts import Amount

RANGE = "a range: one dose that may vary, or several levels"
NO_UNIT = "no unit is stated"
CAP = "a cap or a limit, not a dose"
MANUFACTURE = "a step of the manufacture"
STRENGTH = "the strength of a tablet or vial"
VIRAL_LOAD = "a count in the blood, not a dose"
BEFORE = "it was given in another study"
TOGETHER = "one of several products that are given together"
NO_NUMBER_OF_CELLS = "no number of cells that a body can be given: a power of ten may be misprinted"

MOST_CELLS = 10**14
"""A body has 4e13; no scenario takes more."""


_OBJECTIONS = {
    VIRAL_LOAD: (
        r"\b(?:viral load|rna (?:values?|levels?)|platelets?|plt|neutrophils?|anc|wbc|leu[ck]ocytes?|lymphocytes?|"
        r"ha?emoglobin|counts?|titers?)\b[^.;,:\d]{0,40}$"
    ),
    CAP: (
        r"(?<!up to )\b(?:max(?:imum|imal)?|min(?:imum|imal)?|at (?:most|least)|not? (?:more|less|fewer) than|"
        r"limit(?:ed)? to|greater than|more than|less than|above|below|over|(?:not (?:to )?)?exceed(?:s|ing)?|capped)\b"
        r"[^.;:,\d]{0,40}\(?\s*$|\bup to(?: an? [a-z -]{0,30}| about| approximately)?\s*$|[<>≤≥]\s*$"
    ),
    MANUFACTURE: (
        r"\b(?:leuka?pheres|apheres|cultur(?:e|ed|ing)\b|transduction|exposure of|harvest|aspirat|starting material|"
        r"collect(?:ed|ion) of|cryopreserv)"
    ),
    BEFORE: r"\b(?:previous(?:ly)?|prior|earlier|another|preclinical|animal|mice|mouse|monkeys?|rats?)\b[^.;]{0,60}$",
}
_OBJECT = [(words, re.compile(pattern, re.IGNORECASE)) for words, pattern in _OBJECTIONS.items()]
_NAMED_LEVEL = re.compile(r"\b(?:dose level|level|cohort|dl)\s*-?\s*\d\w?\s*[:=(-]\s*(?:max\w*\s*)?$", re.IGNORECASE)
VIRAL_COPIES = re.compile(r"\s*(?:viral )?copies", re.IGNORECASE)
_IS_CULTURED = re.compile(
    r"\W*(?:are|is|were|was|will be)\s+(?:then\s+)?(?:cultur|transduc|expand|harvest|collect)", re.IGNORECASE
)
_PLUS_AFTER, _PLUS_BEFORE = re.compile(r"[\w\s()-]{0,40}\+(?!/)"), re.compile(r"\+\s*$")
_FORM = re.compile(r"-?\s*(?:strength\s*)?(?:tablets?|capsules?|vials?|ampoules?|pens?|syringes?)\b", re.IGNORECASE)

_STEMS = (
    "mab|nib|platin|taxel|rubicin|mycin|micin|floxacin|cillin|cycline|azole|ciclovir|cyclovir|navir|tegravir|buvir|"
    "vudine|tercept|parib|limus|dronate|sone|solone|pril|sartan|olol|tidine|oxetine|citabine|arabine|phosphamide|"
    "fosfamide|uracil|zolomide|domide|blastine|cristine|poside|tecan|leukin|grastim|mustine|sulfan|trexate|trexed|lisib|"
    "ciclib|degib|rafenib|metinib|zomib|statin|gliptin|formin|fenac|profen|parin|xaban|gatran|leucovorin|mesna|"
    "melphalan|acetaminophen|paracetamol|placebo"
)
"""Ends of drug names: stems that the World Health Organization gives to names of one kind, and some old names."""
_DRUG = re.compile(rf"\b[a-z][a-z-]*(?:{_STEMS})\b|\b(?:IL-?2|interleukin-?2|5-?FU|S-1)\b", re.IGNORECASE)
_SMALL = (
    r"(?:\s*[(,:/]?\s*(?:\[\w+\]|\b(?:at|a|an|the|of|dose|fixed|flat|daily|oral|orally|iv|i\.v\.?|intravenous(?:ly)?|"
    r"is|will|be|given|administered|infusion)\b))*"
)
_NAME_TO_AMOUNT = re.compile(_SMALL + r"\s*[(:,]?\s*", re.IGNORECASE)
_AMOUNT_TO_NAME = re.compile(r"\s*(?:/day|daily)?" + _SMALL + r"\s*", re.IGNORECASE)


def objection(amount: Amount) -> str:
    """Return what the sentence of an amount says against it; empty if nothing."""
    if not amount.sizes or not any(amount.values):
        return amount.note or "no amount"
    if not amount.unit:
        return NO_UNIT
    if VIRAL_COPIES.match(amount.unit):
        return VIRAL_LOAD
    if amount.is_range:
        return RANGE
    if "cells" in amount.unit and not all(1 <= value <= MOST_CELLS for value in amount.values if value):
        return NO_NUMBER_OF_CELLS
    if _FORM.match(amount.after):
        return STRENGTH
    if _PLUS_AFTER.match(amount.after) or _PLUS_BEFORE.search(amount.before):
        return TOGETHER
    if _IS_CULTURED.match(amount.after):
        return MANUFACTURE
    before = amount.before
    if _NAMED_LEVEL.search(before):
        return ""
    for words, pattern in _OBJECT:
        if pattern.search(before):
            return words
    return f"of {partner}" if (partner := _partner(amount)) else ""


def _partner(amount: Amount) -> str:
    """Return the drug that an amount belongs to by the words right beside it; empty if they name none."""
    named = list(_DRUG.finditer(amount.before))
    if named and _NAME_TO_AMOUNT.fullmatch(amount.before[named[-1].end() :]):
        return named[-1][0].lower()
    following = _DRUG.search(amount.after)
    if following and _AMOUNT_TO_NAME.fullmatch(amount.after[: following.start()]):
        return following[0].lower()
    return ""
