"""How it is said that a patient is treated: cells are infused, and of a drug a patient is dosed. One place decides.

Texts of the program speak of infusions where they are written, and are said in the vocabulary of the scenario where
they are made, as in ``scenario.say("nobody infused")``. What a user wrote is put into them afterwards, and stays as it
is: a label may well be "infusion reaction". So do names, which have an underscore or stand where a program reads them:
keys, columns, events, states and measures in files.

A dose is also a level and an amount here, so that the act is called a dosing: "last dose" could be the highest one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

Given = Literal["infusion", "dose"]
"""What a patient is given."""

Say = Callable[[str], str]
"""Returns words of the program in the vocabulary of some scenario: `Scenario.say`."""

_FORMS: dict[Given, dict[str, str]] = {
    "infusion": {},
    "dose": {
        "infusion": "dosing",
        "infusions": "dosings",
        "infuse": "dose",
        "infuses": "doses",
        "infused": "dosed",
    },
}

_FORM = re.compile(rf"\b(?:{'|'.join(_FORMS['dose'])})\b")


def said_of(given: Given, own: str) -> str:
    """Return words of the program in a vocabulary.

    Parameters
    ----------
    given : {"infusion", "dose"}
        What patients are given: `treatment.words` of the scenario.
    own : str
        Words of the program itself, with nothing of a user's in them: ``patients infused``.
    """
    forms = _FORMS[given]
    return _FORM.sub(lambda form: forms.get(form[0], form[0]), own)
