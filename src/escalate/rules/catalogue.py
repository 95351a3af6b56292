"""The list of escalation rules, and what each of them does, for a person who chooses one."""

from __future__ import annotations

from importlib import import_module
from textwrap import fill, indent

from ..errors import EscalateError, near
from ..scenario.keys import MUST, key_sections
from ..scenario.policies import Limits, Stopping, Titration
from ..scenario.rules import RULES
from ..scenario.section import Section
from ..words.asked import asks
from ..words.shown import Text

WIDTH = 80
HOMES = {
    "3+3": "rules.three_plus_three",
    "rolling six": "rules.rolling_six",
    "IQ rolling six": "rules.rolling_table",
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


@asks()
def rules(name: str | None = None) -> str:
    """List the escalation rules, or tell one: what it does, its sources, its options with meaning and default.

    Parameters
    ----------
    name : str, optional
        A rule, as scenario files write it, in any case; or ``titration``, ``limits`` or ``stopping``, which go with
        any rule.

    Raises
    ------
    EscalateError
        If there is no such rule; the message lists them.
    """
    return Text(_all() if name is None else _one(name))


def _one(name: str) -> str:
    every: dict[str, type[Section]] = {**RULES, **AROUND}
    name = {known.casefold(): known for known in every}.get(name.casefold(), name)
    chosen = every.get(name)
    if chosen is None:
        close = near(name, every)
        hint = f"Did you mean `{close[0]}`?" if close else f"There are: {', '.join(every)}"
        raise EscalateError(f"there is no rule {name!r}. {hint}")
    parts = [f"{name}: {_first_line(chosen)}"]
    if name in HOMES:
        parts += ["", indent(str(import_module(f"..{HOMES[name]}", __package__).__doc__).strip(), "  ")]
    section = next(item for item in key_sections() if name == (item.kind if item.path == "rule" else item.path))
    parts += ["", f"Options, in the section {section.header}:"]
    for key in section.keys:
        if key.name not in ("name", "sha256"):
            default = key.default if key.default == MUST else f"default {key.default}"
            told = f"{key.name} ({key.allowed}; {default}): {key.meaning}"
            parts.append(fill(told, WIDTH, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False))
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
