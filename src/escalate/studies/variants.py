"""Several scenarios on the same random numbers: what comes of each, and how that differs from the first one.

Trial k of every scenario is made of the same random numbers: the same candidates and patients, but for what the
scenarios say of them otherwise. Each keeps its own truth.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..cautions import Caution, cautions
from ..errors import EscalateError
from ..kernel.engine import is_worth_compiling
from ..nature.sameness import DRAWN, not_the_same
from ..results.estimates import Characteristics, Estimate
from ..results.outcomes import NOT_REACHED, Trials
from ..results.tally import Tally, tally, total
from ..scenario.differences import Difference, differences
from ..scenario.model import Scenario
from ..words.asked import nothing_named
from ..words.tables import Column, Layout, Measured, Table
from .chunks import Chunk, run_chunk
from .compared import COMPARED, Compared
from .control import characteristics
from .crew import pieces
from .measures import Measure, columns_of, truth_of
from .medians import MEDIAN, difference_of_medians, median
from .pairs import Paired
from .parts import Cut, Part, Work
from .simulation import KERNEL_CHUNK, check_can_travel, check_trials

MOST_DAYS = 200_000_000
"""Days of ends that are kept, one of each trial of each scenario: 0.8 GB."""

_SAME = ("measure", "level", "estimate", "mc_se", "low", "high", "difference", "difference_se", "difference_low",
         "difference_high", "unit", "trials")  # fmt: skip
_IF_FIRST = "for the first scenario"

SCENARIOS = Layout(
    "scenarios",
    (
        Column("scenario", "Label of the scenario; differences are to the first one"),
        *(
            replace(
                column,
                meaning=column.meaning.replace("This rule", "This scenario").replace("patients", "random numbers"),
                empty=column.empty.replace("for the first rule", _IF_FIRST),
            )
            for column in COMPARED.columns
            if column.name in _SAME
        ),
    ),
)


@dataclass(frozen=True, repr=False)
class Variants(Measured):
    """Several scenarios on the same random numbers.

    Parameters
    ----------
    scenarios : dict of str to Scenario
        By their labels, in the order given; differences are to the first.
    seed, trials : int
        Seed, and number of trials of each; they are replicates 0 to ``trials - 1``.
    tallies : dict of str to Tally
        By the same labels, counts of everything.
    rows : tuple of Compared
        Everything that was estimated, scenario by scenario; the label stands in ``rule``.
    """

    scenarios: Mapping[str, Scenario]
    seed: int
    trials: int
    tallies: Mapping[str, Tally]
    rows: tuple[Compared, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the scenarios; differences are to the first."""
        return tuple(self.scenarios)

    @property
    def scenario(self) -> Scenario:
        """The first scenario."""
        return self.scenarios[self.labels[0]]

    @cached_property
    def changes(self) -> dict[str, tuple[Difference, ...]]:
        """By label, in what each scenario differs from the first: nothing of that itself."""
        return {label: differences(self.scenario, one) for label, one in self.scenarios.items()}

    @cached_property
    def not_the_same(self) -> dict[str, list[str]]:
        """What of nature may differ in the same trial, with the labels of the scenarios in which it does."""
        told = {label: not_the_same(self.scenario, one) for label, one in self.scenarios.items()}
        by_what = {what: [label for label, found in told.items() if what in found] for what in DRAWN}
        return {what: labels for what, labels in by_what.items() if labels}

    @cached_property
    def characteristics(self) -> dict[str, Characteristics]:
        """By label, the operating characteristics of each scenario."""
        return {label: characteristics(counted) for label, counted in self.tallies.items()}

    @cached_property
    def _found(self) -> dict[tuple[str, str, int | str | None], Compared]:
        return {(row.rule, row.measure, row.level): row for row in self.rows}

    def get(self, measure: str, level: int | str | None = None, *, scenario: str) -> Compared:
        """Return one measure of one scenario.

        Parameters
        ----------
        measure : str
            One of `measures.MEASURES`, or ``median duration``.
        level : int or str, optional
            Dose level from 1, ``"no dose"``, ``"all"``; nothing where levels do not matter.
        scenario : str
            Its label.

        Raises
        ------
        KeyError
            If there is none; the message lists the labels, or the levels that the measure has, or near names.
        """
        if scenario not in self.scenarios:
            raise KeyError(f"no scenario {scenario!r}; there are {list(self.labels)}")
        if (scenario, measure, level) not in self._found:
            here = [(row.measure, row.level) for row in self.rows if row.rule == scenario]
            raise KeyError(nothing_named(measure, level, here, f" of {scenario!r}"))
        return self._found[scenario, measure, level]

    @cached_property
    def cautions(self) -> dict[Caution, str]:
        """The cautions of all scenarios, each once, with the labels of those that it is about; none if of all."""
        whose: dict[Caution, list[str]] = {}
        for label, scenario in self.scenarios.items():
            for caution in cautions(scenario):
                whose.setdefault(caution, []).append(label)
        return {one: "; ".join(labels) if len(labels) < len(self.labels) else "" for one, labels in whose.items()}

    @property
    def table(self) -> Table:
        """Everything as a table, one row for each measure of each scenario."""
        names = ("rule", *SCENARIOS.names[1:])
        cells = tuple(tuple(getattr(row, name) for name in names) for row in self.rows)
        return Table(SCENARIOS, cells, self.scenario.trial.start_date)

    def __repr__(self) -> str:
        return f"<Variants: {len(self.labels)} scenarios, {self.trials} trials of each>"


def variants_work(
    scenarios: Mapping[str, Scenario], *, trials: int, seed: int, travel: bool = False, cut: Cut | None = None
) -> Work[Together, Counts, Variants]:
    """Return a comparison of scenarios with the same random numbers as work that is cut into parts.

    Parameters
    ----------
    scenarios : dict of str to Scenario
        By their labels; at least two, with the same dose levels.
    trials, seed, travel, cut
        As `comparison_work` takes them.
    """
    check_trials(trials, seed, 0)
    if trials * len(scenarios) > MOST_DAYS:
        most = MOST_DAYS // len(scenarios)
        raise EscalateError(f"trials must be at most {most:,} of each of {len(scenarios)} scenarios, got {trials:,}")
    if travel:
        for scenario in scenarios.values():
            check_can_travel(scenario)
    return Work(
        kind="a comparison's parts",
        what={
            "verb": "compare",
            "scenarios_sha256": [[label, scenario.fingerprint()] for label, scenario in scenarios.items()],
            "trials": trials,
            "seed": seed,
        },
        scenario=next(iter(scenarios.values())),
        scenarios=scenarios.values,
        trials=trials * len(scenarios),
        parts=lambda shards, executor=None: _parts(scenarios, trials, seed, cut, shards, executor),
        do=count_together,
        to_bytes=_to_bytes,
        from_bytes=_from_bytes,
        put_together=lambda parts: _variants(scenarios, sorted(parts, key=lambda part: part.first), seed),
    )


def _parts(
    scenarios: Mapping[str, Scenario],
    trials: int,
    seed: int,
    cut: Cut | None,
    shards: int,
    executor: Executor | None,
) -> Iterator[Part[Together]]:
    """Yield the trials in parts, each of every scenario together; at a pace where they are not cut."""
    compiles = is_worth_compiling(scenarios.values(), trials * len(scenarios) // shards)
    texts = {label: scenario.model_dump_json() for label, scenario in scenarios.items()}
    for done, count in cut(trials) if cut else pieces(trials, executor, compiles, KERNEL_CHUNK):
        same = Together({label: Chunk(text, seed, done, count, compiles) for label, text in texts.items()})
        name = f"{next(iter(same.chunks.values())).range_name}.json"
        yield Part(name, str(same), same, count * len(texts))


def variants_of(found: Mapping[str, Trials]) -> Variants:
    """Return how trials that were simulated before differ from the first: of each the same, of the same seed."""
    trials = next(iter(found.values()))
    return _variants({label: each.scenario for label, each in found.items()}, [_count(found)], trials.seed)


@dataclass(frozen=True, slots=True)
class Together:
    """The same trials of every scenario, by their labels."""

    chunks: Mapping[str, Chunk]

    def __str__(self) -> str:
        return str(next(iter(self.chunks.values())))


class Counts(NamedTuple):
    """What came of some trials of every scenario: counts, and on which days they ended."""

    first: int
    paired: Paired
    tallies: dict[str, Tally]
    days: dict[str, NDArray[np.int32]]


def count_together(same: Together) -> Counts:
    """Run the same trials of every scenario, and count what came of them, in whichever process this is called."""
    return _count({label: run_chunk(chunk) for label, chunk in same.chunks.items()})


def _count(found: Mapping[str, Trials]) -> Counts:
    paired = Paired(list(found))
    paired.count_columns(
        {label: dict(columns_of(trials, truth_of(trials.scenario))) for label, trials in found.items()}
    )
    tallies = {label: tally(trials) for label, trials in found.items()}
    days = {label: trials.duration_days.astype(np.int32) for label, trials in found.items()}
    return Counts(next(iter(found.values())).first, paired, tallies, days)


def _to_bytes(counts: Counts) -> bytes:
    """Write counts as bytes, equal ones for equal counts."""
    plain = {
        "paired": counts.paired.to_json(),
        "tallies": {label: counted.to_json() for label, counted in counts.tallies.items()},
        "days": {label: days.tolist() for label, days in counts.days.items()},
    }
    return json.dumps(plain, separators=(",", ":")).encode()


def _from_bytes(same: Together, data: bytes) -> Counts:
    """Read counts of the same trials of every scenario back."""
    plain, paired = json.loads(data), Paired(list(same.chunks))
    paired.read_json(plain["paired"])
    scenarios = {label: Scenario.model_validate_json(chunk.scenario) for label, chunk in same.chunks.items()}
    tallies = {label: Tally.from_json(scenario, plain["tallies"][label]) for label, scenario in scenarios.items()}
    days = {label: np.array(plain["days"][label], dtype=np.int32) for label in scenarios}
    return Counts(next(iter(same.chunks.values())).first, paired, tallies, days)


def _variants(scenarios: Mapping[str, Scenario], parts: Sequence[Counts], seed: int) -> Variants:
    paired = Paired(list(scenarios))
    for part in parts:
        paired.add(part.paired)
    tallies = {
        label: replace(total(part.tallies[label] for part in parts), scenario=scenario)
        for label, scenario in scenarios.items()
    }
    days = {label: np.concatenate([part.days[label] for part in parts]) for label in scenarios}
    rows = [row for label in scenarios for row in _rows(label, paired, tallies, days)]
    trials = tallies[paired.first].trials
    return Variants(scenarios=dict(scenarios), seed=seed, trials=trials, tallies=tallies, rows=tuple(rows))


def _rows(
    label: str, paired: Paired, tallies: Mapping[str, Tally], days: Mapping[str, NDArray[np.int32]]
) -> Iterator[Compared]:
    for what, found, change in paired.estimates(label):
        yield compared(label, what, found, change)
        if what.name == "duration" and _half_ended(tallies[label]):
            both = label != paired.first and _half_ended(tallies[paired.first])
            change = difference_of_medians(days[paired.first], days[label]) if both else None
            yield compared(label, MEDIAN, median(days[label]), change)


def _half_ended(counted: Tally) -> bool:
    """Return whether the median is known: of trials that were cut off nobody knows when they end."""
    return 2 * counted.values["milestone: trial ended"][NOT_REACHED] <= counted.trials


def compared(label: str, what: Measure, found: Estimate, change: Estimate | None) -> Compared:
    """Return one measure of one scenario, with its difference to the first."""
    return Compared(
        truth="", rule=label, measure=what.name, level=what.level, estimate=found.estimate, mc_se=found.mc_se,
        low=found.low, high=found.high, difference=change.estimate if change else None,
        difference_se=change.mc_se if change else None, difference_low=change.low if change else None,
        difference_high=change.high if change else None, exact=None, exact_of=None, unit=what.unit, trials=found.trials,
    )  # fmt: skip
