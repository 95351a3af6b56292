"""The parts of a table: places at which every cell says the same are one part, named by its levels."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import groupby
from typing import TypeVar

from .asked import Beside, Place

Said = TypeVar("Said", bound=Hashable)

WHERE = {Beside.USUAL: "{}", Beside.TITRATION: "{} in titration", Beside.EXCEEDED: "{} below a level that {gone}"}


def merged(said: Iterable[tuple[Place, Said]]) -> list[tuple[tuple[Place, ...], Said]]:
    """Put places that say the same together, in the order of the first of them.

    A level below one that is never given again is not named where it says the same as without.
    """
    found: dict[Said, list[Place]] = {}
    for place, what in said:
        found.setdefault(what, []).append(place)
    kept = (([p for p in places if not _goes_without_saying(p, places)], what) for what, places in found.items())
    return [(tuple(places), what) for places, what in kept]


def _goes_without_saying(place: Place, places: Sequence[Place]) -> bool:
    return place.beside is not Beside.USUAL and Place(place.level) in places


def name_of(places: Sequence[Place], levels: int, gone: str) -> str:
    """Return the places of a part in words: ``levels 2 to 5; level 1 below a level that was eliminated``.

    Parameters
    ----------
    places : sequence of Place
        The places.
    levels : int
        Number of dose levels.
    gone : str
        What the rule calls a level that is never given again: `Asked.gone_words`.
    """
    told = []
    for beside, words in WHERE.items():
        numbers = sorted(place.level + 1 for place in places if place.beside is beside)
        if numbers:
            numbered = levels_in_words(numbers, levels if beside is Beside.USUAL else 0)
            told.append(words.format(numbered, gone=gone))
    return "; ".join(told)


def levels_in_words(numbers: Sequence[int], levels: int = 0) -> str:
    """Return levels, from 1, in words; all of them are every level."""
    if len(numbers) == levels:
        return "every level"
    runs = [[n for _, n in run] for _, run in groupby(enumerate(numbers), key=lambda item: item[1] - item[0])]
    words = [word for run in runs for word in (map(str, run) if len(run) < 3 else [f"{run[0]} to {run[-1]}"])]
    return f"level{'s' if len(numbers) > 1 else ''} {' and '.join(filter(None, [', '.join(words[:-1]), words[-1]]))}"
