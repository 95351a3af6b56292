"""The frame of every page: its templates, and what it needs inside the file itself."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure in its place on a page.

    Parameters
    ----------
    heading : str
        The question that it answers.
    words : str
        What is to be seen in it, for whoever cannot see it.
    svg : bytes or None
        The figure as an SVG file; ``None`` if it could not be drawn.
    """

    heading: str
    words: str
    svg: bytes | None

    @property
    def address(self) -> str:
        """The figure as an address that holds it: no other file, and no name in it that another figure has, too."""
        assert self.svg is not None
        return f"data:image/svg+xml;base64,{b64encode(self.svg).decode('ascii')}"


WHOLE = re.compile(r"(\d{4}-\d\d-\d\d|[-+]?\d[\d.,]*%?(?: ± [\d.,?]+| in all| \[[-+\d., ]+\]))")
"""What is read as one: a date, a number with its error or interval, a number of percent."""


def unbroken(text: str) -> Markup:
    """Return a text, escaped, in which no date and no number with its error is parted by the end of a line."""
    parts = [escape(part) for part in WHOLE.split(text)]  # what is read as one stands at odd places
    parts[1::2] = [Markup('<span class="unbroken">{}</span>').format(part) for part in parts[1::2]]
    return Markup("").join(parts)


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("escalate.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["unbroken"] = unbroken
    return templates


def page(template: str, **content: Any) -> str:
    """Return a page as the text of an HTML file.

    Parameters
    ----------
    template : str
        Name of a file in ``templates``.
    **content : object
        What its names stand for; texts are escaped, whatever is in them.
    """
    return _templates().get_template(template).render(content)
