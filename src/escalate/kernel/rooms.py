"""Where the kernel works: compiled on numpy's arrays, or as it is on Python's lists. What differs stands here."""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..nature.draws import Nature
from ..nature.streams import Stream
from ..words.records import IntArray
from . import compiled, days
from .bench import Bench, Candidate, Person, Protocol, Row, Seats, Table
from .codes import Answer, Drawn, Queue
from .drawn import AT_ONCE


def room_for(compiles: bool, is_plain: bool) -> Room:
    """Return a room for an edition of the compiled kernel, or for the kernel as it is."""
    return Arrays(is_plain) if compiles else Lists()


class Known(ABC):
    """Questions that were asked, with their answers, as the kernel reads them."""

    index: dict[tuple[int, ...], int]
    """As `bench.Tables.asked`."""
    answers: Row[Row[int]]
    """As `bench.Tables.answers`."""

    def __init__(self) -> None:
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, questions: IntArray, answers: IntArray) -> None:
        """Add questions, none of which is known, with their answers; behind these may be others that they turn to.

        Parameters
        ----------
        questions : int array, shape (B, numbers of a question)
            Distinct.
        answers : int array, shape (at least B, `Answer.SIZE`)
            `Answer.TURNS_TO` counts from the first of them; they are changed.
        """
        first, self._count = self._count, self._count + len(answers)
        answers[:, Answer.TURNS_TO] += first
        self._add(questions, answers, first)

    @abstractmethod
    def _add(self, questions: IntArray, answers: IntArray, first: int) -> None:
        """Add them; the answers' rows begin with `first`."""


class Room(ABC):
    """What the engine and its answers need of the form in which the kernel reads numbers."""

    draws: bool
    """Whether the kernel draws random words itself, where they are needed."""
    kind: str
    """What tells the form of its numbers, and the edition of the kernel, from others."""
    run_many: Callable[..., None]
    """As `days.run_many`."""

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Keep what was blank before for the next who asks for something blank; one engine of a thread at a time."""
        yield

    @abstractmethod
    def form(self, values: NDArray[Any]) -> Any:
        """Return numbers as the kernel reads them: rows of rows of numbers (`bench.Row`, `bench.Numbers`)."""

    @abstractmethod
    def blank(self, name: str, *shape: int, of: Any = np.int64) -> NDArray[Any]:
        """Return an array for numbers that are written before they are read; `form` it, if the kernel writes them."""

    @abstractmethod
    def words(self, nature: Nature, pages: int) -> Row[Row[Row[int]]]:
        """Return the words of the patients on some pages, for each trial; none where the kernel computes them."""

    @abstractmethod
    def protocol(self, protocol: Protocol) -> Protocol:
        """Return a protocol as the kernel reads it."""

    @abstractmethod
    def nobody(self) -> Row[Person]:
        """Return the people of a trial that is not there."""

    @abstractmethod
    def nobody_here(self) -> Row[Candidate]:
        """Return those of a trial that is not there who have come."""

    @abstractmethod
    def seats(self, number: int, people: int, here: int, most_waiting: int, question_size: int) -> Seats:
        """Return a number of seats.

        Each has room for so many patients, so many who have come, groups of those who wait, and numbers seen.
        """

    @abstractmethod
    def known(self, bits: Sequence[int]) -> Known:
        """Return answers, none yet, to questions whose numbers take so many bits each, plus one."""


class Lists(Room):
    """The kernel as it is, on lists."""

    draws = False
    kind = "lists"
    run_many = staticmethod(days.run_many)

    def form(self, values: NDArray[Any]) -> Any:
        """Return nested lists."""
        return values.tolist()

    def blank(self, name: str, *shape: int, of: Any = np.int64) -> NDArray[Any]:
        """Return a new array."""
        return np.zeros(shape, dtype=of)

    def words(self, nature: Nature, pages: int) -> Row[Row[Row[int]]]:
        """Return the words."""
        drawn = [nature.words(Stream.PATIENT, page) for page in range(pages)]
        words: list[list[list[int]]] = np.concatenate(drawn, axis=1).tolist()
        return words

    def protocol(self, protocol: Protocol) -> Protocol:
        """Return the protocol itself."""
        return protocol

    def nobody(self) -> Row[Person]:
        """Return an empty list."""
        return []

    def nobody_here(self) -> Row[Candidate]:
        """Return an empty list."""
        return []

    def seats(self, number: int, people: int, here: int, most_waiting: int, question_size: int) -> Seats:
        """Return seats that are made when somebody takes them."""
        return Seats(
            benches=defaultdict(Bench),
            candidates=defaultdict(lambda: [0] * AT_ONCE),
            ways=defaultdict(lambda: [[0] * AT_ONCE for _ in range(Drawn.SIZE)]),
            clocks=defaultdict(lambda: [0.0]),
            people=defaultdict(lambda: [Person() for _ in range(people)]),
            here=defaultdict(lambda: [Candidate() for _ in range(here)]),
            queues=defaultdict(lambda: [[0] * Queue.SIZE for _ in range(most_waiting)]),
            seen=defaultdict(lambda: [0] * question_size),
        )

    def known(self, bits: Sequence[int]) -> Known:
        """Return a dictionary and a list."""
        return _KnownInLists()


class _KnownInLists(Known):
    """A dictionary of questions, and a list of answers."""

    def __init__(self) -> None:
        super().__init__()
        self.index = {}
        self._answers: list[list[int]] = []
        self.answers = self._answers

    def _add(self, questions: IntArray, answers: IntArray, first: int) -> None:
        self.index.update({tuple(question): first + row for row, question in enumerate(questions.tolist())})
        self._answers.extend(answers.tolist())


class _Shelf(threading.local):
    """Arrays that the engines of a thread use in turn; a rule that simulates while it is asked finds none."""

    def __init__(self) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}


_SHELF = _Shelf()


class Arrays(Room):
    """The kernel compiled, on arrays."""

    draws = True

    def __init__(self, is_plain: bool) -> None:
        self.kind = "arrays, plain" if is_plain else "arrays"
        self._steps = compiled.steps(is_plain)
        self.run_many = self._steps.run_many
        self._lent: dict[str, NDArray[Any]] = {}

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Take the thread's arrays, and put them back."""
        self._lent, _SHELF.arrays = _SHELF.arrays, {}
        try:
            yield
        finally:
            self._lent, _SHELF.arrays = {}, self._lent

    def form(self, values: NDArray[Any]) -> Any:
        """Return an array whose numbers lie one behind the other."""
        return np.ascontiguousarray(values)

    def blank(self, name: str, *shape: int, of: Any = np.int64) -> NDArray[Any]:
        """Return the array that had this name before, if it suffices."""
        size, kept = math.prod(shape), self._lent
        if name not in kept or kept[name].size < size:
            kept[name] = np.empty(size, dtype=of)
        return kept[name][:size].reshape(shape)

    def words(self, nature: Nature, pages: int) -> Row[Row[Row[int]]]:
        """Return none."""
        return np.zeros((nature.count, 0, 0), dtype=np.int64)

    def protocol(self, protocol: Protocol) -> Protocol:
        """Return a record with the same fields."""
        return cast(Protocol, compiled.record(protocol))

    def nobody(self) -> Row[Person]:
        """Return an empty array of records."""
        return np.zeros(0, dtype=compiled.person_type())

    def nobody_here(self) -> Row[Candidate]:
        """Return an empty array of records."""
        return np.zeros(0, dtype=compiled.candidate_type())

    def seats(self, number: int, people: int, here: int, most_waiting: int, question_size: int) -> Seats:
        """Return arrays of records; memory is used from the first seat on, as they are taken."""
        return Seats(
            benches=self.blank("benches", number, of=compiled.bench_type()),
            candidates=self.blank("drawn", number, AT_ONCE),
            ways=self.blank("ways", number, Drawn.SIZE, AT_ONCE),
            clocks=self.blank("clocks", number, 1, of=np.float64),
            people=self.blank("people", number, people, of=compiled.person_type()),
            here=self.blank("here", number, here, of=compiled.candidate_type()),
            queues=self.blank("queues", number, most_waiting, Queue.SIZE),
            seen=self.blank("seen", number, question_size),
        )

    def known(self, bits: Sequence[int]) -> Known:
        """Return a hash table and an array."""
        return _KnownInTable(self._steps.store, self._steps.move, bits)


class _KnownInTable(Known):
    """A hash table of questions, and an array of answers."""

    def __init__(self, store: Callable[..., None], move: Callable[..., None], bits: Sequence[int]) -> None:
        super().__init__()
        self._store, self._move, self._bits = store, move, bits
        self._take(compiled.table(1, bits), np.zeros((0, Answer.SIZE), dtype=np.int64))

    def _take(self, table: Table, answers: IntArray) -> None:
        self._table, self._answers = table, answers
        self.index, self.answers = cast("dict[tuple[int, ...], int]", table), answers

    def _add(self, questions: IntArray, answers: IntArray, first: int) -> None:
        if len(self) > len(self._answers):
            table, room = compiled.table(2 * len(self), self._bits), np.zeros((2 * len(self), Answer.SIZE), np.int64)
            room[:first] = self._answers[:first]
            self._move(self._table, table)
            self._take(table, room)
        self._answers[first : len(self)] = answers
        self._store(self._table, questions, first)
