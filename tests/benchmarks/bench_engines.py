"""How many trials per second run, against drawing the same random numbers alone, and against another version.

``python tests/benchmarks/bench_engines.py [WORK ...]`` prints, for each scenario and rule, trials per second of one
core (processor time, deciding and counting included), the median of some rounds, and how many times as long the trials
take as their random numbers. Every round has trials of its own: what the committee was not asked in the rounds before,
it is asked then, as in any run of some size. The public path is `simulate` and `characteristics`, with a new seed in
each round, in a process of its own.

``--against PYTHON`` measures the escalate that is installed for another Python, too, ``--against-source DIR`` the one
in a folder of source: both stay open, and are asked in turn, round by round. Ratios are those of one round each.
``--markdown`` prints the tables of ``tests/README.md``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ONE_VERSION = Path(__file__).with_name("one_version.py")
BASE, SIX = "scenarios/nct06337474.toml", "scenarios/six-dose-oncology.toml"
EVERY_DAY = "tests/data/open-every-day.toml"
"""The base case without its calendar, which older versions can read, too."""

THREE = {"rule": {"name": "3+3"}}
BOIN, TITE_BOIN = ({"rule": {"name": name, "target": 0.25}} for name in ("BOIN", "TITE-BOIN"))
SKELETON = [0.05, 0.1, 0.2, 0.3, 0.5, 0.7]
CRM, TITE_CRM = ({"rule": {"name": name, "target": 0.25, "skeleton": SKELETON}} for name in ("CRM", "TITE-CRM"))


@dataclass(frozen=True)
class Work:
    """What is run: a scenario with changes, and how many trials of it in a round.

    ``peers`` says what other software needs for it; nothing here measures that.
    """

    name: str
    scenario: str
    changes: dict[str, Any]
    trials: int
    how: str = "run"
    compiles: bool = True
    peers: str = ""


WORKS = (
    Work("base case, 3+3", BASE, THREE, 65_536),
    Work("base case, BOIN", BASE, BOIN, 65_536, peers="C++ 2,270,000; R's BOIN::get.oc 3,980 (3,570)"),
    Work("open on every day, 3+3", EVERY_DAY, THREE, 65_536),
    Work("open on every day, BOIN", EVERY_DAY, BOIN, 65_536),
    Work("six levels, 3+3", SIX, THREE, 32_768),
    Work("six levels, BOIN", SIX, BOIN, 32_768, peers="C++ 931,000; R's BOIN::get.oc 1,995 (1,790)"),
    Work("six levels, TITE-BOIN", SIX, TITE_BOIN, 8_192, peers="C++, with arrivals, 471,000"),
    Work("six levels, CRM", SIX, CRM, 16_384, peers="R's dfcrm 140 (118)"),
    Work("six levels, TITE-CRM", SIX, TITE_CRM, 8_192, peers="R's dfcrm 47 (42)"),
    Work("base case, 3+3, not compiled", BASE, THREE, 4_096, compiles=False),
    Work("open on every day, 3+3, not compiled", EVERY_DAY, THREE, 4_096, compiles=False),
    Work("six levels, 3+3, SimPy", SIX, THREE, 512, how="trace", compiles=False),
)
EDITIONS = {
    "plain edition": Work("plain edition", EVERY_DAY, THREE, 256),
    "whole kernel": Work("whole kernel", EVERY_DAY, THREE | {"safety.after_sentinel_dlt": "review"}, 256),
}
"""What is started in a new process. A version with one kernel alone compiles that for both."""

STARTS, MOST_STARTS = "starts", 3
"""The name of these, and in how many rounds they are measured at the most: compiling takes half a minute and more."""


class FaultError(Exception):
    """Why nothing can be measured."""


class RefusedError(FaultError):
    """Why a version does not run a work."""


class Version:
    """A process of one version of escalate, which stays open.

    Parameters
    ----------
    python : str
        Its interpreter.
    source : str, optional
        Folder that holds the package; what is installed for the interpreter, if it is not given.
    cache : str, optional
        Where it keeps what it compiles.
    """

    def __init__(self, python: str, source: str | None = None, cache: str | None = None) -> None:
        self._python = python
        chosen = {"PYTHONPATH": source, "NUMBA_CACHE_DIR": cache}
        environment = os.environ | {name: value for name, value in chosen.items() if value}
        if not source:
            environment.pop("PYTHONPATH", None)
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        try:
            self._process = subprocess.Popen([python, str(ONE_VERSION)], env=environment, **pipes)
        except OSError as error:
            raise FaultError(f"{python}: {error.strerror}; name a Python, such as .venv/bin/python") from None

    def __enter__(self) -> Version:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, *question: object) -> Any:
        """Return the answer to a question.

        Raises
        ------
        FaultError
            If it cannot be answered; `RefusedError`, if the scenario is none to this version.
        """
        with suppress(BrokenPipeError):  # it has said why, or says nothing
            print(json.dumps(question), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline() if self._process.stdout else ""
        try:
            answer = dict(json.loads(line))
        except (ValueError, TypeError):
            said = f"it said {line.strip()!r}" if line else "it ended, and what it said stands above"
            raise FaultError(f"{self._python}: no answer, {said}; it must be a Python from 3.11 on") from None
        if "fault" in answer:
            raise FaultError(f"{self._python}: {answer['fault']}")
        if "refused" in answer:
            raise RefusedError(answer["refused"].replace(f"{ROOT}{os.sep}", ""))
        return answer["found"]

    def make(self, work: Work, compiles: bool = True) -> dict[str, Any]:
        """Make a work ready, and return its resolved scenario."""
        return dict(self.ask("make", str(ROOT / work.scenario), work.changes, work.compiles and compiles))

    def seconds(self, what: str, number: int, trials: int) -> float:
        """Return the processor time of a trial in a round [s]."""
        return float(self.ask("seconds", what, number * trials, trials))


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    works: list[Work]
    starts: bool
    rounds: int
    markdown: bool
    places: list[tuple[str, str | None]]
    """Interpreter and source of this version and, if it is measured, of the other one."""


@dataclass
class Row:
    """What was measured of one work or start: seconds in each round, of a trial or of a start [s]."""

    name: str
    peers: str = ""
    this: list[float] = field(default_factory=list)
    other: list[float] = field(default_factory=list)
    limit: list[float] = field(default_factory=list)
    public: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the tables."""
    parser = parser_of_arguments()
    try:
        asked = asked_for(parser.parse_args(arguments))
        with ExitStack() as stack:
            versions = [stack.enter_context(Version(*place)) for place in asked.places]
            public = stack.enter_context(Version(*asked.places[0]))
            abouts = [version.ask("about") for version in versions]
            check_alike(abouts)
            works = [measured(work, versions, public, asked.rounds) for work in asked.works]
        starts = list(started(asked, abouts[0]["has_numba"])) if asked.starts else []
    except FaultError as fault:
        parser.error(str(fault))
    print("\n".join(report(asked, abouts, works, starts)))
    for note in (note for row in works for note in row.notes):
        print(note, file=sys.stderr)


def parser_of_arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("works", nargs="*", metavar="WORK", help=f"(a part of) the name of a work; {STARTS}; else all")
    parser.add_argument("--against", metavar="PYTHON", help="the Python that has the other version")
    parser.add_argument("--against-source", metavar="DIR", help="the folder that holds the other version's package")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each work (default 5)")
    parser.add_argument("--trials", type=int, help="trials of each work in a round, for a quick look")
    parser.add_argument("--markdown", action="store_true", help="the tables of tests/README.md")
    return parser


def asked_for(given: argparse.Namespace) -> Asked:
    """Return what the command line asks for.

    Raises
    ------
    FaultError
        With all that is wrong.
    """
    names = [*(work.name for work in WORKS), STARTS]
    unknown = [word for word in given.works if not any(word in name for name in names)]
    faults = [f"no work has {word!r} in its name; there are: {'; '.join(names)}" for word in unknown]
    for option in ("rounds", "trials"):
        if (number := getattr(given, option)) is not None and number < 1:
            faults.append(f"--{option} must be at least 1, got {number}")
    source = given.against_source
    if source and not (Path(source) / "escalate" / "__init__.py").is_file():
        faults.append(f"--against-source {source}: no folder escalate with a package; in a checkout it is in src")
    if faults:
        raise FaultError("\n".join(faults))
    wanted = {name for name in names if not given.works or any(word in name for word in given.works)}
    works = [replace(work, trials=given.trials or work.trials) for work in WORKS if work.name in wanted]
    places = [(sys.executable, os.environ.get("PYTHONPATH"))]
    if given.against or source:
        places.append((given.against or sys.executable, source and str(Path(source).resolve())))
    return Asked(works, STARTS in wanted, given.rounds, given.markdown, places)


def check_alike(abouts: list[dict[str, Any]]) -> None:
    """Raise `FaultError` if one version would be compiled and the other one not."""
    if len({about["has_numba"] for about in abouts}) > 1:
        which = "this" if abouts[0]["has_numba"] else "the other"
        raise FaultError(f"only {which} Python has numba: install the extra fast for both, or for neither")


def measured(work: Work, versions: list[Version], public: Version, rounds: int) -> Row:
    """Measure a work: all that is asked for is asked in turn, round by round, after a round that warms up."""
    print(f"{work.name} ...", file=sys.stderr, flush=True)
    this, *others = versions
    row = Row(work.name, work.peers)
    scenario, asked = this.make(work), [(row.this, this, work.how)]
    for other in others:
        try:
            row.notes += [f"{work.name}: not the same, {what}" for what in differing(scenario, other.make(work))]
            asked.append((row.other, other, work.how))
        except RefusedError as fault:
            row.notes.append(f"{work.name}: the other version does not read {str(fault).splitlines()[0]}")
    if work.how == "run":
        asked.append((row.limit, this, "draw"))
    if work.how == "run" and work.compiles:
        public.make(work)
        asked.append((row.public, public, "simulate"))
    for number in range(rounds + 1):
        for times, version, what in asked:
            took = version.seconds(what, number, work.trials)
            if number:
                times.append(took)
    return row


def differing(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Yield in what two resolved scenarios differ, of the keys that both have."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() & other.keys()):
            yield from differing(one[key], other[key], f"{path}.{key}" if path else key)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True), 1):
            yield from differing(*pair, f"{path}[{place}]")
    elif one != other:
        yield f"{path} is {one!r}, and {other!r} for the other version"


def started(asked: Asked, has_numba: bool) -> Iterator[Row]:
    """Measure how long a new process takes for its first trials: compiling, with what was compiled, and without."""
    editions = EDITIONS if has_numba else {}
    firsts = {name: Row(f"first compile, {name}") for name in editions}
    laters = {name: Row(f"later start, {name}") for name in editions}
    plain = Row("start, not compiled")
    for number in range(min(asked.rounds, MOST_STARTS)):
        print(f"starts, round {number + 1} ...", file=sys.stderr, flush=True)
        for which, place in zip(("this", "other"), asked.places, strict=False):
            for name, work in editions.items():
                with tempfile.TemporaryDirectory() as cache:
                    getattr(firsts[name], which).append(start(place, work, cache))
                    getattr(laters[name], which).append(start(place, work, cache))
            getattr(plain, which).append(start(place, EDITIONS["plain edition"], compiles=False))
    yield from (*firsts.values(), *laters.values(), plain)


def start(place: tuple[str, str | None], work: Work, cache: str | None = None, compiles: bool = True) -> float:
    """Return how long a new process takes until it has run a few trials [s]."""
    begun = time.perf_counter()
    with Version(*place, cache) as version:
        version.make(work, compiles)
        version.seconds(work.how, 0, work.trials)
        return time.perf_counter() - begun


Column = tuple[str, Callable[[Row], str]]


def report(asked: Asked, abouts: list[dict[str, Any]], works: list[Row], starts: list[Row]) -> Iterator[str]:
    """Yield the lines that are printed."""
    write = as_markdown if asked.markdown else as_text
    yield (
        f"{datetime.date.today()}, one core of {machine()}; {abouts[0]['made_by']}, "
        f"{'compiled by numba' if abouts[0]['has_numba'] else 'numba is not installed'}"
    )
    yield f"This version: {named(abouts[0])}" + (f"; the other: {named(abouts[1])}" if abouts[1:] else "")
    if works:
        yield f"\nTrials per second of processor time: median and range of the rounds ({asked.rounds})\n"
        yield from write(columns(asked), works)
    if starts:
        rounds = len(starts[-1].this)
        yield f"\nSeconds of a new process until its first trials are run: median of the rounds ({rounds})\n"
        yield from write(columns_of_starts(asked), starts)


def columns(asked: Asked) -> Iterator[Column]:
    """Yield what is printed of a work."""
    yield "work", lambda row: row.name
    yield "trials/s", lambda row: rate(row.this)
    if asked.places[1:]:
        yield "before", lambda row: rate(row.other)
        yield "times the code before", lambda row: times(row.other, row.this)
    yield "times the numbers alone", lambda row: times(row.this, row.limit)
    yield "public path, times the bench", lambda row: times(row.public, row.this)
    if asked.markdown:
        yield "others, trials/s", lambda row: row.peers


def columns_of_starts(asked: Asked) -> Iterator[Column]:
    """Yield what is printed of a start."""
    yield "start", lambda row: row.name
    yield "seconds", lambda row: f"{statistics.median(row.this):.2f}"
    if asked.places[1:]:
        yield "before", lambda row: f"{statistics.median(row.other):.2f}"
        yield "times as fast", lambda row: times(row.other, row.this)


def rate(seconds: list[float]) -> str:
    """Return trials per second, from the seconds of a trial in each round."""
    if not seconds:
        return ""
    middle, low, high = (1 / pick(seconds) for pick in (statistics.median, max, min))
    return f"{three_digits(middle)} ({three_digits(low)} to {three_digits(high)})"


def times(one: list[float], other: list[float]) -> str:
    """Return how many times as long one takes as the other, round by round."""
    if not one or not other:
        return ""
    ratios = [a / b for a, b in zip(one, other, strict=True)]
    middle, low, high = (three_digits(pick(ratios)) for pick in (statistics.median, min, max))
    return f"{middle} ({low} to {high})"


def three_digits(number: float) -> str:
    decimals = 2 if number < 10 else 1 if number < 100 else 0
    return f"{float(f'{number:.3g}'):,.{decimals}f}"


def as_text(columns: Iterable[Column], rows: list[Row]) -> Iterator[str]:
    """Yield the lines of a table, one column below its head."""
    shown = [[head, *map(cell, rows)] for head, cell in columns]
    for line in zip(*([text.ljust(max(map(len, column))) for text in column] for column in shown), strict=True):
        yield "  ".join(line).rstrip()


def as_markdown(columns: Iterable[Column], rows: list[Row]) -> Iterator[str]:
    """Yield the lines of a table in Markdown."""
    heads, cells = zip(*columns, strict=True)
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    yield from (f"| {' | '.join(cell(row) for cell in cells)} |" for row in rows)


def machine() -> str:
    """Return the machine's name, and how busy it is."""
    model = platform.processor() or platform.machine()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{model}, {os.cpu_count()} cores{load}"


def named(about: dict[str, Any]) -> str:
    """Return the last commit of a version's folder, and whether it was changed since; else its folder."""

    def git(*words: str) -> str:
        asked = ["git", "-C", about["folder"], *words, "--", "."]
        return subprocess.run(asked, capture_output=True, text=True).stdout.strip()

    with suppress(OSError):
        if commit := git("log", "-1", "--format=commit %h of %cs"):
            return commit + (", changed since" if git("status", "--porcelain") else "")
    return str(about["folder"])


if __name__ == "__main__":
    main()
