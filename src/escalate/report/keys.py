"""Every key of a scenario as text for a terminal, and as the tables of a page in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from textwrap import fill

from ..scenario.keys import MUST, Key, KeySection, find_keys, key_sections
from .heads import WIDTH

INTRODUCTION = """Every key of a scenario file: an example, then what the key means, what is
allowed, and what holds where it is left out. `escalate keys NAME` tells a
section, a key or a rule alone. On the command line a value is written as here:
--set 'safety.meeting_weekdays=["Tue", "Thu"]'."""


def keys_text(name: str | None = None) -> str:
    """Tell the keys of a scenario: meaning, unit, what is allowed, default and an example.

    Parameters
    ----------
    name : str, optional
        A section, a key with or without its section, or a rule; all of them where it is not given.

    Returns
    -------
    str
        Text for a terminal; what several kinds of a section share is told once.

    Raises
    ------
    EscalateError
        If nothing has this name; says what comes close.
    """
    if name is None:
        found = [(section, section.keys) for section in key_sections()]
        return "\n\n".join([INTRODUCTION, *(_section_text([section], keys) for section, keys in found)])
    return "\n\n".join(_section_text(sections, keys) for sections, keys in _shared(find_keys(name)))


def keys_page() -> str:
    """Return the keys of a scenario as Markdown: a table for each section, and for each kind of one."""
    return "\n".join(line for section in key_sections() for line in _section_page(section))


def _shared(
    found: Sequence[tuple[KeySection, tuple[Key, ...]]],
) -> Iterator[tuple[list[KeySection], tuple[Key, ...]]]:
    """Yield sections with their keys; kinds of a section that have a key in common stand together under it."""
    together: dict[tuple[str, tuple[Key, ...]], list[KeySection]] = {}
    for section, keys in found:
        same = tuple(replace(key, example=key.example if len(keys) > 1 else "") for key in keys)
        together.setdefault((section.path, same), []).append(section)
    shown = {(section.path, section.kind): keys for section, keys in found}
    for sections in together.values():
        yield sections, shown[sections[0].path, sections[0].kind]


def _section_text(sections: Sequence[KeySection], keys: Sequence[Key]) -> str:
    lines = [fill(_title(sections), WIDTH, subsequent_indent="    ")]
    lines += _as_list(sections[0]) if sections[0].repeated else []
    for key in keys:
        lines += ["", f"  {key.name} = {key.example}"]
        facts = [key.allowed, f"unit: {key.unit}" if key.unit and f"[{key.unit}]" not in key.meaning else ""]
        facts.append(key.default if key.default == MUST else f"default {key.default}")
        for words in (key.meaning, "; ".join(filter(None, facts))):
            lines.append(fill(words, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6))
    return "\n".join(lines)


def _as_list(section: KeySection) -> Iterator[str]:
    """Yield how a list of tables is written in a file, and on a command line."""
    around, is_inside, _ = section.place.rpartition("[1].")
    below = f", below the [[{around}]] that it is of" if is_inside else ""
    yield from ("", f"  In a file, once for each{below}:", f"      {section.header}")
    yield from (f"      {key.name} = {key.example}" for key in section.keys_together)
    yield from ("", "  On the command line, all of them, or one value of the first:")
    yield from (f"      --set '{line}'" for line in _set_lines(section))


def _set_lines(section: KeySection) -> tuple[str, str]:
    """Return KEY=VALUE of a whole list of tables, and of one value in its first."""
    first = section.keys[0]
    return f"{section.place}={section.example}", f"{section.place}[1].{first.name}={first.example}"


def _title(sections: Sequence[KeySection]) -> str:
    """Return what a section is called, with its kind or kinds, and what it is about."""
    first = sections[0]
    kinds = ", ".join(f'"{section.kind}"' for section in sections if section.kind)
    title = first.header + (f" with {first.keys[0].name} = {kinds}" if kinds else "")
    return title + (f": {first.meaning}" if first.meaning and len(sections) == 1 else "")


def _section_page(section: KeySection) -> Iterator[str]:
    title = f"`{section.header}`" if section.path else section.header
    yield f"### {title}" + (f": {section.kind}" if section.kind else "")
    if section.meaning:
        yield ""
        yield section.meaning + ("" if section.needed else " May be left out.")
    if section.repeated:
        yield ""
        yield "On the command line " + ", or ".join(f"`--set '{line}'`" for line in _set_lines(section)) + "."
    yield ""
    yield "| key | meaning | unit | allowed | default | example |"
    yield "|---|---|---|---|---|---|"
    for key in section.keys:
        coded = [word if word in (MUST, "none") else f"`{word}`" for word in (key.default, key.example)]
        cells = (f"`{key.name}`", key.meaning, key.unit, key.allowed, *coded)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""
