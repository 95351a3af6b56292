"""What a table of every level has, whatever its cells: its parts and how they are found, its notes, its formats."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from ..rules import Rule
from .asked import Beside, Place
from .layout import OfScenario, frame
from .letters import key
from .sheet import Grid, Notes, Sheet


@dataclass(frozen=True, kw_only=True)
class Part:
    """Levels at which every cell is the same.

    Parameters
    ----------
    name : str
        Which levels, in words.
    places : tuple of Place
        The levels, each with what stands beside it.
    """

    name: str
    places: tuple[Place, ...]

    @property
    def heading(self) -> str:
        """The name as it begins a line."""
        return self.name[0].upper() + self.name[1:]


P = TypeVar("P", bound=Part)


@dataclass(frozen=True, kw_only=True, repr=False)
class LevelTable(OfScenario, Generic[P]):
    """What a committee does with each count, at every level.

    Parameters
    ----------
    title : str
        The trial's title.
    rule : str
        The rule with its options, in words.
    constants : tuple of str
        The numbers that the rule compares with, line by line.
    parts : tuple of Part
        Levels at which every cell is the same are one part.
    assumed, conditions : tuple of str
        What stands at other levels; what goes before the cells, line by line.
    """

    title: str
    rule: str
    constants: tuple[str, ...]
    parts: tuple[P, ...]
    assumed: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()

    reading: ClassVar[tuple[str, ...]]
    """How the cells are read: what is counted comes first."""

    def part(self, level: int, *, exceeded_above: bool = False, titration: bool = False) -> P:
        """Return the part of a level.

        Parameters
        ----------
        level : int
            From 1.
        exceeded_above : bool
            Whether the level above has exceeded the MTD.
        titration : bool
            Whether the trial is in titration.

        Raises
        ------
        KeyError
            If the table has none.
        """
        beside = Beside.EXCEEDED if exceeded_above else Beside.TITRATION if titration else Beside.USUAL
        found = {place: part for part in self.parts for place in part.places}
        place = Place(level - 1, beside)
        return found[place] if place in found or beside is Beside.TITRATION else found[Place(level - 1)]

    @property
    @abstractmethod
    def said(self) -> set[str]:
        """The letters that occur."""

    @property
    def heading(self) -> str:
        """The title of the table, with the rule in words."""
        return f"Decision table of {self.rule}"

    @abstractmethod
    def grids(self) -> Iterable[Grid]:
        """Return the grids, part by part."""

    @abstractmethod
    def to_csv(self) -> str:
        """Return the table as CSV: a line for each cell; lines with # tell the rest."""

    def legend(self) -> list[str]:
        """Return what the letters mean, line by line."""
        return [line.strip().replace("  ", ": ", 1) for line in key(self.said)]

    def notes(self) -> list[Notes]:
        """Return what stands below the grids: legend, constants, assumptions, conditions."""
        blocks = (
            ("Letters", self.legend()),
            ("Constants of the rule", self.constants),
            ("What the cells assume", self.assumed),
            ("What goes before the cells", self.conditions),
        )
        return [Notes(heading=heading, lines=tuple(lines)) for heading, lines in blocks if lines]

    def about(self) -> list[str]:
        """Return what a CSV tells of itself, line by line."""
        below = [f"{notes.heading}: {line}" for notes in self.notes() for line in notes.lines]
        return [self.heading, f"Trial: {self.title}", self.reading[0], *below]

    def sheet(self) -> Sheet:
        """Return the table as a sheet."""
        top = Notes(heading=f"Trial: {self.title}", lines=self.reading)
        return Sheet(title=self.heading, blocks=(top, *self.grids(), *self.notes()))

    def to_text(self) -> str:
        """Return the table as text for a terminal: grids, letters, constants, conditions."""
        return self.sheet().to_text()

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        return self.sheet().to_markdown()

    def to_html(self) -> str:
        """Return the table as a whole HTML document; each decision has its first letter as its class."""
        return self.sheet().to_html()

    def to_pandas(self) -> Any:
        """Return the cells as a pandas ``DataFrame`` (needs pandas, which the extra ``notebooks`` installs)."""
        return frame(self.to_csv())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.rule}: {self.heading[:80]}>"

    def _repr_html_(self) -> str:
        return self.sheet().fragment()


def constants_of(rule: Rule) -> tuple[str, ...]:
    """Return the numbers that a rule compares with, line by line."""
    return tuple(f"{name}: {value:.4g}" for name, value in rule.constants().items())
