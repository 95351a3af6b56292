"""The decision table of a rule: what follows from n evaluable patients and y DLTs at a dose, for the protocol.

The rule itself is asked, about a level in the middle: the one below has been tolerated, the one above is untried. A
cell is "too toxic" if the rule would never give the level again, however clean the level below.
"""

from __future__ import annotations

import csv
import html
import io
from dataclasses import dataclass

import numpy as np

from .records import Action, DataCut
from .rules import Rule

ESCALATE, STAY, DE_ESCALATE, TOO_TOXIC = "E", "S", "D", "DU"
LETTERS: dict[str, str] = {
    ESCALATE: "escalate",
    STAY: "stay: more patients at this level",
    DE_ESCALATE: "de-escalate, the level may be given again",
    TOO_TOXIC: "de-escalate (stop at the lowest level), never this level again",
}
"""What the letters of a decision table mean."""

_CLEAN = 6
"""Evaluable patients without a DLT at the level below: enough for any rule to want to go up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionTable:
    """What a rule does with each count at one level.

    Parameters
    ----------
    rule : str
        The rule with its options, in words.
    patients : tuple of int
        Numbers of evaluable patients: the columns.
    letters : dict of (int, int) to str
        By evaluable patients and DLTs, one of `LETTERS`.
    """

    rule: str
    patients: tuple[int, ...]
    letters: dict[tuple[int, int], str]

    def rows(self) -> list[tuple[int, list[str]]]:
        """Return, for each number of DLTs, the letters over the columns; empty where DLTs outnumber patients."""
        most = max(self.patients)
        return [(y, [self.letters.get((n, y), "") for n in self.patients]) for y in range(most + 1)]

    def to_text(self) -> str:
        """Return the table as text for a terminal, with the meaning of its letters."""
        head = "DLTs".rjust(6) + "".join(f"{n:>4}" for n in self.patients)
        body = [f"{y:>6}" + "".join(f"{letter:>4}" for letter in letters) for y, letters in self.rows()]
        key = [f"{letter:>4}  {meaning}" for letter, meaning in LETTERS.items()]
        title = f"Decision table of {self.rule}: DLTs among evaluable patients at the current level"
        return "\n".join([title, "", head, *body, "", *key])

    def to_csv(self) -> str:
        """Return the table as CSV: one line for each number of patients and DLTs."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("evaluable", "dlts", "decision", "meaning"))
        writer.writerows((n, y, letter, LETTERS[letter]) for (n, y), letter in self.letters.items())
        return text.getvalue()

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        head = "| DLTs | " + " | ".join(str(n) for n in self.patients) + " |"
        rule = "|---|" + "---|" * len(self.patients)
        return "\n".join([head, rule, *(f"| {y} | {' | '.join(letters)} |" for y, letters in self.rows())]) + "\n"

    def to_html(self) -> str:
        """Return the table as an HTML fragment; each cell has the decision's letter as its class."""
        head = "".join(f"<th>{n}</th>" for n in self.patients)
        body = "".join(
            f"<tr><th>{y}</th>" + "".join(f'<td class="{letter}">{letter}</td>' for letter in letters) + "</tr>"
            for y, letters in self.rows()
        )
        return (
            f"<table><caption>{html.escape(self.rule)}</caption>"
            f"<thead><tr><th>DLTs</th>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _repr_html_(self) -> str:
        return self.to_html()


def decision_table(rule: Rule, patients: int = 12, *, words: str | None = None) -> DecisionTable:
    """Ask a rule about every count at one level.

    Parameters
    ----------
    rule : Rule
        Any rule that decides on counts.
    patients : int
        Largest number of evaluable patients, at least 1.
    words : str, optional
        The rule with its options in words; its name where it is not given.

    Raises
    ------
    ValueError
        If `patients` is below 1.
    """
    if patients < 1:
        raise ValueError(f"patients must be at least 1, got {patients}")
    cells = [(n, y) for n in range(1, patients + 1) for y in range(n + 1)]
    n, y = (np.array(part) for part in zip(*cells, strict=True))
    zero, clean = np.zeros_like(n), np.full_like(n, _CLEAN)
    counts, dlts = np.stack([clean, n, zero], axis=1), np.stack([zero, y, zero], axis=1)
    here = rule.decide(DataCut.of(np.ones_like(n), counts, dlts))
    below = rule.decide(DataCut.of(zero, counts, dlts))
    letters = {}
    for index, cell in enumerate(cells):
        if here.action[index] == Action.ESCALATE:
            letters[cell] = ESCALATE
        elif here.action[index] == Action.STAY:
            letters[cell] = STAY
        else:
            again = below.action[index] == Action.ESCALATE
            letters[cell] = DE_ESCALATE if again else TOO_TOXIC
    return DecisionTable(rule=words or rule.name, patients=tuple(range(1, patients + 1)), letters=letters)
