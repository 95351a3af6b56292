"""Many trials of one scenario: kept a row each, as work for shards, or each told with all its records."""

from __future__ import annotations

import gc
import io
import platform
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from ..committee.committee import Committee
from ..committee.remembered import committee_of
from ..errors import EscalateError, RuleError, WorkersError
from ..kernel.engine import Engine, is_worth_compiling
from ..nature.draws import Nature
from ..nature.given import Given
from ..results.outcomes import Trials, bytes_of_one, join
from ..results.stored import read_trials, write_columns
from ..scenario.model import Scenario
from ..scenario.rules import PythonRule
from ..trial.conduct import Conduct
from ..trial.resumed import Resumed
from ..trial.together import run_together
from ..words.asked import asks
from ..words.defaults import TRIALS
from ..words.log import Log
from ..words.records import MOST_TRIALS, ScenarioLike, Trial
from . import workers
from .chunks import Chunk, chunks_of, run_chunk, run_in_pieces
from .crew import Crew, hired, part_size, travels
from .parts import Part, Work, steady
from .progress import paced
from .progress import progress as showing

CHUNK, KERNEL_CHUNK = 256, 8192
"""Trials whose random numbers are drawn at once, for SimPy and for the kernel; changes no result."""

MOST_PEOPLE = 2_000
"""Candidates of all trials that SimPy runs side by side, if as many come to each as to the last ones; changes no
result."""


@asks(Scenario, numbers=("trials", "seed", "first"))
def simulate(
    scenario: Scenario,
    *,
    trials: int = TRIALS,
    seed: int = 1,
    first: int = 0,
    progress: bool | None = None,
    executor: Crew = None,
) -> Trials:
    """Run many trials of a scenario and keep one row of each.

    Parameters
    ----------
    scenario : Scenario
        Protocol and assumptions.
    trials : int
        How many, at least 1.
    seed : int
        Seed, at least 0.
    first : int
        Replicate number of the first trial, at least 0: trial k is the same whatever `first` and `trials` are.
    progress : bool
        Whether to show how far it is; where a person watches, in a terminal or a notebook, if it is not given.
    executor : concurrent.futures.Executor or int, optional
        Who runs them, in chunks, as in `workers`; or on how many cores of this machine, 1 for one; where it is not
        given, on every one if that pays and the kernel is compiled. The trials are the same.

    Returns
    -------
    Trials
        One row for each trial, in order of replicate number.

    Raises
    ------
    ValueError
        If `trials` is below 1, or `seed` or `first` is negative.
    EscalateError
        If there would be too many trials: see `check_kept`.
    WorkersError
        If the rule is Python code, which workers do not have.
    """
    check_kept(scenario, trials, copies=2)  # in parts, and joined
    parts = simulated_parts(scenario, trials=trials, seed=seed, first=first, progress=progress, executor=executor)
    return join(sorted(parts, key=lambda part: part.first))


def simulated_parts(
    scenario: Scenario,
    *,
    trials: int,
    seed: int = 1,
    first: int = 0,
    progress: bool | None = None,
    executor: Crew = None,
) -> Iterator[Trials]:
    """Run many trials, and yield them chunk by chunk, in the order in which they are done; as `simulate` otherwise."""
    check_trials(trials, seed, first)
    if travels(executor):
        check_can_travel(scenario)
    return _parts(scenario, trials, seed, first, progress, executor)


def _parts(
    scenario: Scenario, trials: int, seed: int, first: int, progress: bool | None, crew: Crew
) -> Iterator[Trials]:
    compiles = is_worth_compiling([scenario], trials)
    with hired(crew, [scenario], trials) as executor, showing(trials, "trials", progress) as bar:
        if executor is None:
            engine = Engine(scenario, compiles)
            for done, count in paced(trials, KERNEL_CHUNK, bar.is_watched):
                yield run_in_pieces(engine, Nature(scenario, seed, first + done, count))
                bar.update(count)
            return
        size = part_size(trials, executor, compiles, KERNEL_CHUNK)
        chunks = chunks_of(scenario, trials, seed, first, size, compiles)
        for _, part in workers.completed(run_chunk, ((chunk, chunk) for chunk in chunks), executor):
            yield replace(part, scenario=scenario)
            bar.update(len(part))


def simulation_work(
    scenario: Scenario, *, trials: int, seed: int = 1, travel: bool = False
) -> Work[Chunk, Trials, Iterator[Trials]]:
    """Return many trials of a scenario as work that is cut into parts, each of which is kept with all its trials.

    Parameters
    ----------
    scenario, trials, seed
        As `simulate` takes them.
    travel : bool
        Whether other processes do any of it.

    Raises
    ------
    ValueError, EscalateError, WorkersError
        As by `simulate`.
    """
    check_trials(trials, seed, 0)
    check_kept(scenario, trials)
    if travel:
        check_can_travel(scenario)

    def parts(shards: int, _: Executor | None = None) -> Iterator[Part[Chunk]]:
        text, compiles = scenario.model_dump_json(), is_worth_compiling([scenario], trials // shards)
        for first, count in steady(trials):
            chunk = Chunk(text, seed, first, count, compiles)
            yield Part(f"{chunk.range_name}.npz", str(chunk), chunk, count)

    return Work(
        kind="a run's parts",
        what={"verb": "run", "scenario_sha256": scenario.fingerprint(), "trials": trials, "seed": seed},
        scenario=scenario,
        scenarios=lambda: [scenario],
        trials=trials,
        parts=parts,
        do=run_chunk,
        to_bytes=_columns_as_bytes,
        from_bytes=lambda chunk, data: read_trials(io.BytesIO(data), scenario, chunk.seed),
        put_together=iter,
    )


def _columns_as_bytes(trials: Trials) -> bytes:
    contents = io.BytesIO()
    write_columns(contents, [trials])
    return contents.getvalue()


def check_can_travel(scenario: Scenario) -> None:
    """Raise `WorkersError` if other processes could not run a scenario's rule."""
    if isinstance(scenario.rule, PythonRule):
        raise WorkersError(
            f"rule.python = {scenario.rule.python!r}: the code of a rule of your own is in this process alone; "
            "run it without workers"
        )


def check_trials(trials: int, seed: int, first: int) -> None:
    """Raise `ValueError` if there can be no such trials, and `EscalateError` if there would be too many."""
    if trials < 1:
        raise ValueError(f"trials must be at least 1, got {trials}")
    if trials > MOST_TRIALS:
        raise EscalateError(
            f"trials must be at most {MOST_TRIALS:,}, got {trials:,}: every proportion is known to 0.07 points by then"
        )
    if seed < 0 or first < 0:
        raise ValueError(f"seed and first must be at least 0, got {seed} and {first}")


MOST_KEPT = 1_100_000_000
"""Bytes of trials that are kept at one time; with everything else that is less than 1.5 GB."""


def check_kept(scenario: Scenario, trials: int, copies: int = 1) -> None:
    """Raise `EscalateError` if a row of each of so many trials would take too much memory, in so many copies."""
    most = MOST_KEPT // (copies * bytes_of_one(scenario))
    if most < trials <= MOST_TRIALS:
        raise EscalateError(
            f"trials must be at most {most:,} where each is kept, with {scenario.levels} dose levels and "
            f"{scenario.trial.planned_patients:,} patients, got {trials:,}: more would take too much memory. "
            f"Without files there may be {MOST_TRIALS:,}: --no-files (in Python: escalate.run(scenario, trials=...))"
        )


def traced_trials(
    scenario: Scenario,
    *,
    trials: int,
    seed: int = 1,
    first: int = 0,
    progress: bool | None = None,
    log: Log | None = None,
) -> Iterator[Trial]:
    """Run many trials and yield each with all its records.

    Parameters
    ----------
    scenario, trials, seed, first, progress
        As in `simulate`.
    log : Log, optional
        The beginning of all of them: what is drawn is how a real trial may go on.

    Raises
    ------
    ValueError, EscalateError, RuleError
        As by `simulate`.
    LogContradictsError
        If the log can be the beginning of no trial of the scenario.
    """
    check_trials(trials, seed, first)
    return _traced(scenario, trials, seed, first, progress, log)


def _traced(
    scenario: Scenario, trials: int, seed: int, first: int, progress: bool | None, log: Log | None
) -> Iterator[Trial]:
    committee, people = committee_of(scenario), MOST_PEOPLE  # the first trial runs alone
    with _heap_frozen(), showing(trials, "trials", progress) as bar:
        for done in range(0, trials, CHUNK):
            chunk = scenario, seed, first + done, min(CHUNK, trials - done)
            nature = Nature(*chunk) if log is None else Given(*chunk, log)
            todo = range(nature.first, nature.first + nature.count)
            while todo:
                beside = max(1, MOST_PEOPLE // people)
                people = 1
                for trial in _side_by_side(nature, committee, todo[:beside]):
                    people = max(people, len(trial.patients))
                    yield trial
                    bar.update(1)
                todo = todo[beside:]


def _side_by_side(nature: Nature, committee: Committee, replicates: range) -> Iterator[Trial]:
    """Run trials side by side, and yield them in their order; where the rule fails, up to the first that it fails."""
    try:
        with _collector_paused():
            found = run_together([_conduct(nature, committee, k) for k in replicates])
    except RuleError:
        for replicate in replicates:
            yield _conduct(nature, committee, replicate).run()
        return
    yield from found


def _conduct(nature: Nature, committee: Committee, replicate: int) -> Conduct:
    """Return the conduct of a trial: from its beginning, or from a log's end."""
    if isinstance(nature, Given):
        return Resumed(committee, nature, replicate)
    return Conduct(nature.scenario, committee, nature, replicate)


@contextmanager
def _heap_frozen() -> Iterator[None]:
    """Spare the collector everything that is there before the trials: it would be looked through again and again."""
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Look for no garbage while trials run: they make thousands of objects, and all are in use until the end."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def provenance(scenario: ScenarioLike, *, seed: int, first: int, trials: int) -> dict[str, Any]:
    """Return what is needed to make a result again.

    Returns
    -------
    dict
        Version of escalate, fingerprint of the resolved scenario, seed, range of replicate numbers, and versions of
        Python, numpy and simpy.
    """
    from .. import __version__

    return {
        "escalate": __version__,
        "scenario_sha256": scenario.fingerprint(),
        "seed": seed,
        "first_replicate": first,
        "trials": trials,
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "simpy": version("simpy"),
    }
