"""A caution, and how it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from textwrap import wrap

from ..words.shown import Shows

WIDTH = 80
"""Width of the text [characters]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """Something that is allowed, and may mislead.

    Parameters
    ----------
    key : str
        Dotted key of the scenario that it is about.
    matter : str
        What is the matter, in one sentence.
    advice : str
        What to do about it, in one sentence.
    brief : str
        The matter in a few words, for a figure.
    """

    key: str
    matter: str
    advice: str
    brief: str

    @property
    def kind(self) -> str:
        """Its matter without the numbers: cautions of one kind differ in nothing else."""
        return f"{self.key}: {re.sub(r'[0-9][0-9.,]*', '#', self.brief)}"

    def to_json(self) -> dict[str, str]:
        """Return it as plain JSON values."""
        return asdict(self)


class Cautions(Shows, tuple[Caution, ...]):
    """Cautions, the most important first: a tuple that shows itself as text, line by line, and in a notebook."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(caution_lines(self)) or NONE


NONE = "Cautions: none"
"""What is shown where there is nothing to beware of."""


def caution_brief(cautions: Iterable[Caution] | Mapping[Caution, str]) -> list[str]:
    """Return cautions as one line for a figure, those of everything first; none where there are none.

    Parameters
    ----------
    cautions : iterable of Caution, or dict of Caution to str
        As for `caution_lines`.
    """
    of_all_first = sorted(_whose(cautions).items(), key=lambda one: one[1] != "")
    told = [f"{f'{whose}: ' if whose else ''}{caution.brief}" for caution, whose in of_all_first]
    return [f"Caution: {'; '.join(told)}"] if told else []


def caution_lines(cautions: Iterable[Caution] | Mapping[Caution, str]) -> list[str]:
    """Return cautions as text for a terminal, a few lines each; nothing where there are none.

    Parameters
    ----------
    cautions : iterable of Caution, or dict of Caution to str
        In the order in which they are told; what each is of, where it is not of everything that is shown.
    """
    of = _whose(cautions)
    lines = [f"Cautions: {len(of)}"] if of else []
    for words in caution_sentences(of):
        lines += wrap(words, WIDTH, initial_indent="  ! ", subsequent_indent="    ")
    return lines


def caution_sentences(cautions: Iterable[Caution] | Mapping[Caution, str]) -> list[str]:
    """Return each caution as running text: the matter, what to do, and the key that it is about.

    Parameters
    ----------
    cautions : iterable of Caution, or dict of Caution to str
        As for `caution_lines`.
    """
    of = _whose(cautions)
    return [
        f"{f'{whose}: ' if whose else ''}{caution.matter} {caution.advice} [{caution.key}]"
        for caution, whose in of.items()
    ]


def _whose(cautions: Iterable[Caution] | Mapping[Caution, str]) -> dict[Caution, str]:
    return dict(cautions) if isinstance(cautions, Mapping) else dict.fromkeys(cautions, "")
