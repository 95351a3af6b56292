"""Mutants through the command line: exit status 0 or 2, whole results or none, and no number that is none.

Each verb runs in this process with few trials, and writes into a fresh folder. Figures are drawn where asked, since
they take seconds; everything else happens as it does for a person.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import os
import re
import shutil
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

from conftest import ROOT
from escalate import EscalateError, Scenario, load
from escalate.cli import main
from escalate.files import MANIFEST, Place

BASE = str(ROOT / "scenarios" / "nct06337474.toml")
FEW = ("--trials", "2")

VERBS: dict[str, tuple[str, tuple[str, ...]]] = {
    "run": ("scenario", ("run", "FILE", "--trials", "3", "--out", "OUT")),
    "trial": ("scenario", ("trial", "FILE", "--out", "OUT")),
    "exact": ("scenario", ("exact", "FILE", "--out", "OUT")),
    "decision table": ("scenario", ("table", "FILE", "--out", "OUT")),
    "next doses": ("scenario", ("table", "FILE", "--after", "1NNN", "--cohorts", "1", "--out", "OUT")),
    "sensitivity": ("ranged", ("sensitivity", "FILE", "--trials", "1", "--out", "OUT")),
    "compare": ("scenario", ("compare", "FILE", "--rule", "3+3", "--rule", "BOIN", "--target", "0.25", *FEW, "--out",
                             "OUT")),
    "resolved": ("resolved", ("run", "FILE", *FEW, "--out", "OUT")),
    "rules file": ("comparison", ("compare", BASE, "--rules", "FILE", *FEW, "--no-exact", "--out", "OUT")),
    "sweep": ("study", ("sweep", "FILE", "--out", "OUT")),
    "init": ("record", ("init", "FILE", "--out", "OUT")),
    "own table": ("table", ("run", "OWN", *FEW, "--out", "OUT")),
    "options": ("options", ()),
    "paths": ("path", ("table", BASE, "--after=TEXT")),
}  # fmt: skip
"""By name: which kind of text is spoiled, and the command; FILE is the mutant, OUT a place where nothing is."""

ENDING = {"record": "json", "resolved": "json", "table": "csv"}

OPTIONS = "BOIN target=0.25\nCRM prior_mtd_level=2 limits.coherence=last_cohort\n3+3 variant=B\n0.05 0.25\n0.25"
"""Three rules, a truth, a target: what `compare` is given in words."""

PATH = "1NNN 1NXP17 2NTP3"

OWN = """schema_version = 1
trial = {title = "own table", start_date = 2025-01-01, planned_patients = 12}
dose_levels = [{label = "low"}, {label = "high"}]
safety = {dlt_window_days = 28}
rule = {name = "table", target = 0.25, file = "mutant.csv"}
follow_up = {days = 28}
accrual = {kind = "poisson", consents_per_month = 3.0}
toxicity = {dlt_probability = [0.2, 0.4]}
"""

SECONDS, BYTES = 120, 1_500_000_000
"""No mutant takes longer, however busy the machine is, nor so much more memory."""

NO_NUMBER = re.compile(r"(?i)(?<![\w.])[+-]?(nan|inf|infinity)(?![\w.])")


def texts() -> dict[str, list[str]]:
    """Return texts that are valid, of the kinds that only verbs are given."""
    files = sorted((ROOT / "scenarios").glob("*.toml"))
    resolved = [json.dumps(load(file).resolved(), indent=1) for file in files]
    ranged = [text for file in files if "[ranges]" in (text := file.read_text(encoding="utf-8"))]
    return {"resolved": resolved, "ranged": ranged, "options": [OPTIONS], "path": [PATH]}


def judge(name: str, text: str, folder: Path, *, draw: bool = False) -> str:
    """Return whether a verb accepts or refuses a mutant; raise where it does neither, or leaves something behind."""
    kind, words = VERBS[name]
    work = folder / "work"
    work.mkdir()
    file, out = work / f"mutant.{ENDING.get(kind, 'toml')}", work / "out"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    (work / "own.toml").write_text(OWN, encoding="utf-8")
    (work / "base.toml").write_bytes(Path(BASE).read_bytes())
    before = names(work)
    put = {"FILE": str(file), "OUT": str(out), "OWN": str(work / "own.toml")}
    command = [put.get(word, word.replace("TEXT", text)) for word in words] or compared(text, str(out))
    try:
        with bounded(), contextlib.nullcontext() if draw else undrawn():
            status, printed, said = run(command)
        new = names(work) - before
        assert status in (0, 2), f"exit status {status}: {said}"
        assert "Traceback" not in printed + said and len(said) < 200_000, said[-2000:]
        if status == 2:
            assert not new, f"left behind: {new}"
            assert not printed and re.match(r"escalate( \w+)?: |usage: ", said), (printed, said)
            return "refused"
        assert not [line for line in new if line.split("/")[0] != "out"], f"beside: {new}"
        spelled = "" if NO_NUMBER.search(text) else printed + said
        assert not NO_NUMBER.search(spelled), NO_NUMBER.search(spelled)
        if out.is_dir():
            check_folder(out, text, whole=name != "sweep")
        elif name == "init":
            load_draft(out)
        return "accepted"
    finally:
        shutil.rmtree(work)


def compared(text: str, out: str) -> list[str]:
    """Return the command that compares what some lines say."""
    *rules, truth, target = ["", *text.split("\n")][-5:] if text.count("\n") else [text, "", ""]
    return ["compare", BASE, *(f"--rule={rule}" for rule in rules if rule), f"--truth={truth}", f"--target={target}",
            *FEW, "--no-exact", "--out", out]  # fmt: skip


def run(command: list[str]) -> tuple[int, str, str]:
    """Run a command here; return its exit status, and what it prints on standard output and as errors."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("default", message="the figures' font lacks")
                status = main(command)
        except SystemExit as end:
            status = int(end.code or 0)
    return status, out.getvalue(), err.getvalue()


def load_draft(path: Path) -> Scenario | None:
    """Return the scenario of a draft; nothing where the record states no dose, which is all that may be wrong."""
    try:
        return load(path)
    except EscalateError as error:
        assert [line for line in str(error).splitlines() if "dose_levels: is missing" not in line] == [], error
        return None


def names(folder: Path) -> set[str]:
    """Return whatever stands in a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def check_folder(folder: Path, text: str, whole: bool) -> None:
    """Raise `AssertionError` unless a folder of results is whole, and every number in it is one."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert files and not [name for name in files if Path(name).name.startswith(".")], sorted(files)
    if whole:
        lines = files[MANIFEST].read_text(encoding="utf-8").splitlines()
        listed = {name: checksum for checksum, name in (line.split("  ", 1) for line in lines)}
        assert listed == {n: hashlib.sha256(f.read_bytes()).hexdigest() for n, f in files.items() if n != MANIFEST}
    for name, path in files.items():
        if name.startswith(("mutant", "chunks/")):
            continue  # what was read, and what begins with a checksum
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
        elif path.suffix == ".csv" and not NO_NUMBER.search(text):
            for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))):
                assert not [cell for cell in row if NO_NUMBER.fullmatch(cell.strip())], (name, row)


def _no_constant(word: str) -> object:
    raise AssertionError(f"{word} in a JSON file")


@contextlib.contextmanager
def undrawn() -> Iterator[None]:
    """Write no figures."""
    write = Place.write

    def written(place: Place, folder: Any, figures: Any = None, *more: Any, **options: Any) -> None:
        write(place, folder, None, *more, **options)

    with mock.patch.object(Place, "write", written), mock.patch("escalate.export.write_sweep_figure"):
        yield


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Raise `AssertionError` where something takes too long, or too much memory; where the system can tell."""
    most = peak()
    before: Any = None
    if hasattr(signal, "setitimer"):
        before = signal.signal(signal.SIGALRM, _too_long)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    assert peak() - most < BYTES, f"{peak() - most:,} bytes more"


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"more than {SECONDS} seconds")


def peak() -> int:
    """Return the most memory that this process ever had [bytes]; 0 where the system does not tell."""
    if os.name == "nt":
        return 0
    import resource
    import sys

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
