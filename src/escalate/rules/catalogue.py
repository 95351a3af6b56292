"""The list of escalation rules, and what each of them does, for a person who chooses one."""

from __future__ import annotations

import json
from importlib import import_module
from textwrap import fill, indent
from typing import Literal, get_args, get_origin

from ..errors import EscalateError
from ..scenario.policies import Limits, Stopping, Titration
from ..scenario.rules import RULES
from ..scenario.section import Section

WIDTH = 110
HOMES = {
    "3+3": "rules.three_plus_three",
    "rolling six": "rules.rolling_six",
    "BOIN": "rules.boin",
    "TITE-BOIN": "rules.tite_boin",
    "mTPI": "rules.intervals",
    "mTPI-2": "rules.intervals",
    "Keyboard": "rules.intervals",
    "i3+3": "rules.intervals",
    "CRM": "rules.crm",
    "TITE-CRM": "rules.crm",
    "BLRM": "rules.blrm",
    "table": "rules.table",
    "python": "scenario.own_rules",
}
"""The module whose text tells what a rule does in a trial, with its sources."""

AROUND: dict[str, type[Section]] = {"titration": Titration, "limits": Limits, "stopping": Stopping}
"""What goes with any rule: sections of a scenario."""


def rules_list(name: str | None = None) -> str:
    """List the escalation rules, or tell one: what it does, its sources, its options with meaning and default.

    Parameters
    ----------
    name : str, optional
        A rule, as scenario files write it; or ``titration``, ``limits`` or ``stopping``, which go with any rule.

    Raises
    ------
    EscalateError
        If there is no such rule; the message lists them.
    """
    if name is None:
        return _all()
    every: dict[str, type[Section]] = {**RULES, **AROUND}
    chosen = every.get(name)
    if chosen is None:
        raise EscalateError(f"there is no rule {name!r}; there are: {', '.join(every)}")
    parts = [f"{name}: {_first_line(chosen)}"]
    if name in HOMES:
        parts += ["", indent(str(import_module(f"..{HOMES[name]}", __package__).__doc__).strip(), "  ")]
    where = "rule" if name in RULES else name
    parts += ["", f"Options, in the section [{where}]:"]
    for option, field in chosen.model_fields.items():
        if option not in ("name", "sha256"):
            default = "must be given" if field.is_required() else f"default {_default(field.default)}"
            words = " ".join(str(field.description).split())
            one_of = _choices(field.annotation)
            default += f"; one of {one_of}" if one_of else ""
            parts.append(fill(f"{option} ({default}): {words}", WIDTH, initial_indent="  ", subsequent_indent="      "))
    return "\n".join(parts)


def _all() -> str:
    width = max(map(len, RULES))
    told = [f"  {rule:<{width}}  {_first_line(options)}" for rule, options in RULES.items()]
    around = [f"  {section:<{width}}  {_first_line(options)}" for section, options in AROUND.items()]
    return "\n".join(
        [
            "Rules, for `name` in the section [rule]:",
            *told,
            "",
            "What goes with any rule, each a section of its own:",
            *around,
            "",
            "`escalate rules NAME` tells what one of them does, its sources and its options.",
        ]
    )


def _first_line(options: type[Section]) -> str:
    return str(options.__doc__).strip().splitlines()[0]


def _choices(annotation: object) -> str:
    """Return the words that an option may be, if it is one of some."""
    words = get_args(annotation) if get_origin(annotation) is Literal else ()
    return ", ".join(json.dumps(word) for word in words)


def _default(value: object) -> str:
    return "none" if value is None else json.dumps(value)
