"""Two folders of results: in what their scenarios, their versions and their numbers differ."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from ..errors import FolderError
from ..files import MARK, MOST_OF_RECORD, why_not_results
from ..results.chance import CONFIDENCE, binomial_interval, few_tell
from ..results.estimates import Estimate
from ..results.outcomes import Trials
from ..results.stored import read_trials
from ..scenario.differences import Difference, differences, differing_sources
from ..scenario.load import load
from ..scenario.model import Scenario
from ..scenario.texts import read_once
from ..words.tables import Measured, Table
from .compared import Compared
from .measures import Measure
from .medians import MEDIAN
from .variants import SCENARIOS, compared, variants_of

_Z = 1.959963984540054

KINDS = {
    "summary.json": "run", "comparison.csv": "compare", "scenarios.csv": "compare", "sensitivity.csv": "sensitivity",
    "story.txt": "trial", "characteristics.csv": "exact", "table.txt": "table",
}  # fmt: skip
"""By a file that no kind after it holds, the verb that wrote a folder."""

UNREADABLE = (OSError, ValueError, KeyError, TypeError, IndexError, EOFError, BadZipFile)
"""What reading trials raises that another version wrote, or nobody did."""

VERSIONS = ("escalate", "python", "numpy", "simpy")


@dataclass(frozen=True, slots=True)
class Stored:
    """A folder of results that `escalate run` wrote, or that operating characteristics saved.

    Parameters
    ----------
    path : Path
        The folder.
    scenario : Scenario
        What was simulated.
    made : dict
        Versions, seed, first replicate, and number of trials.
    estimates : tuple of Estimate
        All that were written.
    """

    path: Path
    scenario: Scenario
    made: Mapping[str, Any]
    estimates: tuple[Estimate, ...]

    @property
    def replicates(self) -> range:
        """Which trials of its seed it rests on."""
        first = int(self.made["first_replicate"])
        return range(first, first + int(self.made["trials"]))

    @property
    def has_trials(self) -> bool:
        """Whether the trials themselves are stored."""
        return (self.path / "trials.npz").exists()


@dataclass(frozen=True, repr=False)
class FolderDifference(Measured):
    """In what two folders of results differ.

    Parameters
    ----------
    stored : dict of str to Stored
        Two, by their labels; differences are to the first.
    pairs : int
        Trials that both hold, and on which the numbers rest; 0 where they are independent.
    how : str
        In words, how the errors of the differences were computed, and why so.
    rows : tuple of Compared
        Everything that both tell, of the one and of the other; the label stands in ``rule``.
    """

    stored: Mapping[str, Stored]
    pairs: int
    how: str
    rows: tuple[Compared, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the two."""
        return tuple(self.stored)

    @cached_property
    def both(self) -> tuple[Stored, Stored]:
        """The first one and the other."""
        first, other = self.stored.values()
        return first, other

    @cached_property
    def changes(self) -> tuple[Difference, ...]:
        """In what the scenarios differ."""
        return differences(*(one.scenario for one in self.both))

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Keys of which the scenarios say other sources or ranges."""
        return differing_sources(*(one.scenario for one in self.both))

    @property
    def same_levels(self) -> bool:
        """Whether the dose levels are the same, so that what is told level by level can be compared."""
        return _doses(self.both[0]) == _doses(self.both[1])

    def find(self, label: str, measure: str, level: int | str | None) -> Compared | None:
        """Return one measure of one of the two; nothing where there is none."""
        found = (row for row in self.rows if (row.rule, row.measure, row.level) == (label, measure, level))
        return next(found, None)

    @property
    def table(self) -> Table:
        """Everything as a table, one row for each measure of each of the two."""
        names = ("rule", *SCENARIOS.names[1:])
        cells = tuple(tuple(getattr(row, name) for name in names) for row in self.rows)
        return Table(SCENARIOS, cells, self.both[0].scenario.trial.start_date)

    def __repr__(self) -> str:
        return f"<FolderDifference: {len(self.changes)} keys, {len(self.rows) // 2} measures, {self.pairs} pairs>"


def diff(
    first: str | os.PathLike[str], other: str | os.PathLike[str], *, allow_python: bool = False
) -> FolderDifference:
    """Return in what two folders of results differ: their scenarios, versions, seeds, and numbers.

    Parameters
    ----------
    first, other : path
        Folders that `escalate run` wrote; differences are to the first.
    allow_python : bool
        Whether the code of a rule's Python file may run.

    Returns
    -------
    FolderDifference
        Differences of estimates with their Monte Carlo errors: paired where both hold trials of one seed, of those that
        both hold; otherwise from the standard errors of both.

    Raises
    ------
    FolderError
        If one is no folder of results, is not as it was written, or is of another kind.
    ScenarioError
        If its scenario cannot be read.
    """
    paths = Path(first), Path(other)
    names = [path.name or str(path) for path in paths]
    if names[0] == names[1]:
        names = [str(path) for path in paths]
    if names[0] == names[1]:
        names = [f"{names[0]} (first)", f"{names[1]} (other)"]
    wrong = [f"{path}: {why}" for path in paths if (why := _why_not(path))]
    if wrong:
        raise FolderError("\n".join(dict.fromkeys(wrong)))
    stored = dict(zip(names, (_read(path, allow_python) for path in paths), strict=True))
    pairs, how, trials = _paired(stored)
    rows = _paired_rows(trials) if trials else _independent_rows(stored)
    kept = tuple(row for row in rows if _doses(stored[names[0]]) == _doses(stored[names[1]]) or not _by_level(row))
    return FolderDifference(stored=stored, pairs=pairs, how=how, rows=kept)


def _doses(stored: Stored) -> list[str]:
    return [level.label for level in stored.scenario.dose_levels]


def _by_level(row: Compared) -> bool:
    return isinstance(row.level, int)


def _why_not(path: Path) -> str:
    """Return why a folder cannot be compared with another; empty if it can."""
    try:
        why = why_not_results(path)
    except OSError as error:
        why = f"cannot be read: {error.strerror}"
    if why:
        return why
    verb = next((verb for name, verb in KINDS.items() if (path / name).exists()), "another verb")
    return "" if verb == "run" else f"was written by {verb}; the difference is told of two folders of `escalate run`"


def _read(path: Path, allow_python: bool) -> Stored:
    scenario = load(read_once(path / MARK, MOST_OF_RECORD), allow_python=allow_python)
    try:
        said = json.loads((path / "summary.json").read_text(encoding="utf-8"))
        made = {name: said["provenance"][name] for name in (*VERSIONS, "seed", "first_replicate", "trials")}
        return Stored(path, scenario, made, tuple(Estimate(**one) for one in said["estimates"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FolderError(f"{path}: summary.json cannot be read ({error}): another version wrote it") from None


def _paired(stored: Mapping[str, Stored]) -> tuple[int, str, dict[str, Trials]]:
    """Return how many trials both hold, in words how they are compared, and the trials; none if independently."""
    first, other = stored.values()
    seeds = [one.made["seed"] for one in (first, other)]
    ranges = [one.replicates for one in (first, other)]
    common = range(max(r.start for r in ranges), min(r.stop for r in ranges))
    independent = "independent standard errors"
    if seeds[0] != seeds[1]:
        return 0, f"{independent}: the seeds differ, {seeds[0]} and {seeds[1]}", {}
    if not common:
        return 0, f"{independent}: of seed {seeds[0]} the two have other trials", {}
    related = "; trials of one seed go together, so that the true errors are other ones, mostly smaller"
    if not (first.has_trials and other.has_trials):
        return 0, f"{independent}: the trials are not stored in both (trials.npz){related}", {}
    trials = {}
    for label, one in stored.items():
        try:
            whole = read_trials(one.path / "trials.npz", one.scenario, seeds[0])
        except UNREADABLE as error:
            return 0, f"{independent}: trials.npz of {label} cannot be read ({error}){related}", {}
        trials[label] = _part(whole, common)
    many = f"the {len(common):,} trials of seed {seeds[0]} that both hold"
    return len(common), f"paired, trial by trial: {many} (trials.npz)", trials


def _part(trials: Trials, wanted: range) -> Trials:
    """Return some of the trials, by their replicate numbers."""
    rows = slice(wanted.start - trials.first, wanted.stop - trials.first)

    def cut(columns: Mapping[str, Any]) -> dict[str, Any]:
        return {name: column[rows] for name, column in columns.items()}

    return replace(
        trials, first=wanted.start, recommended=trials.recommended[rows], reason=trials.reason[rows],
        paths=trials.paths[rows], patients=cut(trials.patients), candidates=cut(trials.candidates),
        enrolled_from=cut(trials.enrolled_from),
        duration_days=trials.duration_days[rows], milestone_days=cut(trials.milestone_days),
        cohort_days=trials.cohort_days[rows], waits=cut(trials.waits),
    )  # fmt: skip


def _paired_rows(trials: Mapping[str, Trials]) -> tuple[Compared, ...]:
    return variants_of(trials).rows


def _independent_rows(stored: Mapping[str, Stored]) -> tuple[Compared, ...]:
    """Return what both tell, with differences whose errors are those of both."""
    (first, one), (other, two) = ((label, dict(_named(each.estimates))) for label, each in stored.items())
    shared = [what for what in one if what in two]
    rows = [compared(first, what, one[what], None) for what in shared]
    rows += [compared(other, what, two[what], independent_difference(one[what], two[what])) for what in shared]
    return tuple(rows)


def _named(estimates: tuple[Estimate, ...]) -> Iterator[tuple[Measure, Estimate]]:
    for one in estimates:
        yield Measure(one.measure, one.level, one.unit), one
        if one.measure == "duration: 50% quantile":
            yield MEDIAN, one


def independent_difference(first: Estimate, other: Estimate) -> Estimate:
    """Return the difference of two estimates that rest on trials of their own.

    The standard error is the root of the sum of both squares. Where few trials tell a probability, the ends are
    those of two exact intervals, each at 97.5%, so that they cover with 95% at least; the error is theirs then.
    """
    errors = [one.mc_se for one in (first, other)]
    unknown = all(error is None for error in errors)
    se = sum((error or 0.0) ** 2 for error in errors) ** 0.5
    centre = other.estimate - first.estimate
    ends: tuple[float | None, float | None] = (None, None) if unknown else (centre - _Z * se, centre + _Z * se)
    if other.unit == "probability":
        happened = [(round(one.estimate * one.trials), one.trials) for one in (first, other)]
        if any(few_tell(k, n - k) for k, n in happened):
            one, two = (binomial_interval(k, n, (1 + CONFIDENCE) / 2) for k, n in happened)
            ends = two[0] - one[1], two[1] - one[0]
            se = max(se, (ends[1] - ends[0]) / (2 * _Z)) if unknown else se
            unknown = False
    return replace(other, estimate=centre, mc_se=None if unknown else se, low=ends[0], high=ends[1],
                   trials=min(first.trials, other.trials))  # fmt: skip
