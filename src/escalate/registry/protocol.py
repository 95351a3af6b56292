"""What a record says about its own conduct: sentences to be quoted beside the placeholders that they bear on.

Such a sentence says in words what a scenario says in a key. It is read by a person; nothing is taken from it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .prose import Passage, sentences

MOST_QUOTED = 2
"""Sentences quoted for one key."""

_NUMBER = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten)"
_SAID_OF = {
    "dlt_window_days": r"\b(?:DLTs?|dose[- ]limiting toxicit)",
    "cohort_size": rf"\bcohorts? (?:of|size)\b|\b{_NUMBER}(?:-{_NUMBER})? (?:patients|subjects|participants) (?:"
    r"per|in|for|will be|at) (?:each |every |the |a )?(?:cohort|dose|level|group)|\bN ?= ?\d",
    "sentinel_stagger_days": r"\bsentinel|\bstagger|\bone (?:patient|subject) at a time",
    "review_delay_days": r"\b(?:safety (?:review|monitoring|committee)|DSMB|DMC|SRC|data (?:and )?safety)\b",
    "rule": r"\b3 ?\+ ?3\b|\bthree[- ]plus[- ]three\b|\bBOIN\b|\bBayesian optimal interval|\bcontinual reassessment|"
    r"\bCRM\b|\bm?TPI\b|\bi3 ?\+ ?3\b|\brolling[- ]six\b|\baccelerated titration|\bBLRM\b|\bBayesian logistic|"
    r"\bmodified Fibonacci|\bmaximum tolerated dose|\bMTD\b",
    "follow_up": r"\bfollow(?:ed)?[- ]?up\b[^.;]{0,60}\b(?:days?|weeks?|months?|years?)\b",
    "accrual": r"\b(?:accrual|recruit|enrol)[^.;]{0,60}\b(?:per|a) (?:month|year)\b",
    "screening": r"\bscreening\b[^.;]{0,60}\b(?:days?|weeks?)\b",
}
_SAID = {key: re.compile(pattern, re.IGNORECASE) for key, pattern in _SAID_OF.items()}


def said_of_the_protocol(passages: Sequence[Passage]) -> dict[str, tuple[Passage, ...]]:
    """Return, for each key of a draft's placeholders, the sentences of a record that bear on it.

    Parameters
    ----------
    passages : sequence of Passage
        The record's texts.

    Returns
    -------
    dict of str to tuple of Passage
        By key (`dlt_window_days`, `cohort_size`, `rule`, ...), single sentences with their field; at most
        `MOST_QUOTED` of each.
    """
    found: dict[str, dict[str, Passage]] = {}
    for passage in passages:
        for start, end in sentences(passage.text):
            sentence = Passage(where=passage.where, text=passage.text[start:end].strip())
            for key, pattern in _SAID.items():
                if pattern.search(sentence.text):
                    found.setdefault(key, {}).setdefault(sentence.text, sentence)
    return {key: tuple(said.values())[:MOST_QUOTED] for key, said in found.items()}
