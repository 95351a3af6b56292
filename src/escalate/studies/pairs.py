"""The same trials of every rule, and counts of what each did, and of how that differs from the first one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from ..kernel.engine import is_worth_compiling
from ..results.estimates import Estimate
from ..results.outcomes import Trials
from ..results.tally import count_values, counter, lists
from ..scenario.compared import Truth
from ..scenario.model import Scenario
from ..words.records import IntArray
from .chunks import Chunk, run_chunk
from .crew import pieces
from .measures import Measure, change_of, columns_of, estimate
from .parts import Cut, Part
from .simulation import KERNEL_CHUNK


@dataclass(frozen=True, slots=True)
class Same:
    """The same trials of every rule, under one truth.

    Parameters
    ----------
    truth : Truth
        The truth.
    chunks : dict of str to Chunk
        By the labels of the rules; the same candidates and patients in each.
    """

    truth: Truth
    chunks: Mapping[str, Chunk]

    def __str__(self) -> str:
        return f"truth {self.truth.label}, {next(iter(self.chunks.values()))}"


def same_patients(
    truths: Iterable[Truth],
    scenarios: Mapping[tuple[str, str], Scenario],
    trials: int,
    seed: int,
    cut: Cut | None = None,
    shards: int = 1,
    executor: Executor | None = None,
) -> Iterator[Part[Same]]:
    """Yield the trials in parts, each of every rule together, truth by truth; at a pace where they are not cut."""
    compiles = is_worth_compiling(scenarios.values(), trials * len(scenarios) // shards)
    for number, truth in enumerate(truths, 1):
        cells = {label: cell for (under, label), cell in scenarios.items() if under == truth.label}
        texts = {label: cell.model_dump_json() for label, cell in cells.items()}
        for done, count in cut(trials) if cut else pieces(trials, executor, compiles, KERNEL_CHUNK):
            same = Same(truth, {label: Chunk(text, seed, done, count, compiles) for label, text in texts.items()})
            name = f"truth-{number:05}-{next(iter(same.chunks.values())).range_name}.json"
            yield Part(name, str(same), same, count * len(texts))


def count_pairs(same: Same) -> Pairs:
    """Run the same trials of every rule, and count what came of them, in whichever process this is called."""
    pairs = Pairs(same.truth, list(same.chunks))
    pairs.count({label: run_chunk(chunk) for label, chunk in same.chunks.items()})
    return pairs


class Paired:
    """Counts of the values of everything that is compared, and of its difference to the first in the same trial.

    Parameters
    ----------
    labels : list of str
        Of what is compared; differences are to the first.
    """

    def __init__(self, labels: list[str]) -> None:
        self.first = labels[0]
        self.values: dict[str, dict[Measure, Counter[int]]] = {label: {} for label in labels}
        self.differences: dict[str, dict[Measure, Counter[int]]] = {label: {} for label in labels[1:]}

    def count_columns(self, columns: Mapping[str, Mapping[Measure, IntArray]]) -> None:
        """Count the same trials of each, of which there are no counts yet."""
        first = columns[self.first]
        for label in self.values:
            self.values[label] = _counted(columns[label])
        for label in self.differences:
            shared = [what for what in columns[label] if what in first]
            self.differences[label] = _counted({what: columns[label][what] - first[what] for what in shared})

    def add(self, others: Paired) -> None:
        """Add what was counted of other trials."""
        for mine, theirs in ((self.values, others.values), (self.differences, others.differences)):
            for label, counted in mine.items():
                for what, often in theirs[label].items():
                    counted[what] = counted.get(what, Counter()) + often

    def to_json(self) -> dict[str, Any]:
        """Return the counts as plain JSON values; `read_json` reads them."""
        return {
            name: {label: [[*what, lists(often)] for what, often in counted.items()] for label, counted in of.items()}
            for name, of in (("values", self.values), ("differences", self.differences))
        }

    def read_json(self, data: Mapping[str, Any]) -> None:
        """Take counts that `to_json` has written, where there are none yet."""
        for mine, name in ((self.values, "values"), (self.differences, "differences")):
            for label in mine:
                mine[label] = {Measure(*what): counter(often) for *what, often in data[name][label]}

    def estimates(self, label: str) -> Iterator[tuple[Measure, Estimate, Estimate | None]]:
        """Yield everything that is estimated of one, with its difference to the first."""
        for what, often in self.values[label].items():
            change = self.differences.get(label, {}).get(what)
            yield what, estimate(what, often), None if change is None else change_of(what, change)


class Pairs(Paired):
    """Counts of rules under one truth."""

    def __init__(self, truth: Truth, rules: list[str]) -> None:
        super().__init__(rules)
        self.truth = truth

    def count(self, found: Mapping[str, Trials]) -> None:
        """Count the same trials of each rule, of which there are no counts yet."""
        self.count_columns({rule: dict(columns_of(trials, self.truth)) for rule, trials in found.items()})


def pairs_to_bytes(pairs: Pairs) -> bytes:
    """Write counts as bytes, equal ones for equal counts."""
    return json.dumps(pairs.to_json(), separators=(",", ":")).encode()


def pairs_from_bytes(same: Same, data: bytes) -> Pairs:
    """Read counts of the same trials of every rule back."""
    pairs = Pairs(same.truth, list(same.chunks))
    pairs.read_json(json.loads(data))
    return pairs


def _counted(columns: Mapping[Measure, IntArray]) -> dict[Measure, Counter[int]]:
    return {what: count_values(column) for what, column in columns.items()}
