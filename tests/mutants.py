"""Mutants: files that people write or get, spoiled at random, and what must hold of each.

``python tests/mutants.py 10000 [SEED]`` makes so many and prints what became of them; `test_mutants.py` makes 500. A
mutant is refused with an `EscalateError` that says why, with nothing written; or it is accepted, and then both engines
run the same trials of it, whose sums are right. Half of them are given to a verb instead: `mutants_in_verbs.py` says
what must hold then. Anything else is a fault of the program, and told with its mutant.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import mutants_in_verbs
from conftest import ROOT
from escalate import EscalateError, Scenario, compare, load
from escalate.cli import main
from escalate.registry import draft_scenario
from escalate.scenario.comparison_file import read_asked
from escalate.studies.study import read_study
from small import small
from test_engines_agree import RULES, assert_same, by_kernel, by_simpy

HOSTILE = (
    "0", "1", "-1", "2", "1000", "10000", "100000", "1e308", "-1e308", "1e-300", "5e-324", "0.999999999", "1e-9", "nan",
    "inf", "-inf", "9" * 20, "9" * 5000, str(2**63), "true", "false", "null", '""', '"x"', "[]", "[[]]", "{}", "[1, 2]",
    "1979-05-27", "0024-01-01", "9999-12-31", '"\\u0000"', '"$\\\\frac{1}{2}$"', '"=1+1"', '"no dose"',
    '"' + "y" * 3000 + '"',
)  # fmt: skip
"""What stands in the place of a value."""

LETTERS = "\"'[]{}=#,.;:-+\n\t\\ \0é😀0159eE_$"
"""What stands in the place of a letter."""

TABLE = "evaluable,dlts,decision\n" + "".join(
    f"{n},{y},{'E' if y == 0 else 'S' if y * 4 <= n else 'D' if y < n else 'DU'}\n"
    for n in (3, 6, 9, 12)
    for y in range(n + 1)
)
STUDY = """scenario = "base.toml"
trials = 2
seed = 1

[grid]
"safety.sentinel_stagger_days" = {from = 7, to = 28, steps = 2}
"accrual.consents_per_month" = [0.8, 2.5]

[[zip]]
"safety.dlt_window_days" = [28, 56]
"follow_up.days" = [180, 210]
"""
COMPARED = """target = 0.25

[[rules]]
name = "3+3"
label = "usual"
safety.cohort_size = 3

[[rules]]
name = "BOIN"
elimination_cutoff = 0.9
titration = {last_level = 2}

[[rules]]
name = "CRM"
prior_mtd_level = 2
stopping = {most_patients = 9}

[[truths]]
label = "mild"
dlt_probability = [0.05, 0.25]

[[truths]]
dlt_probability = [0.2, 0.4]
mtd_level = 1
"""


PENDING_TABLE = (ROOT / "src" / "escalate" / "scenario" / "iq_rolling_six.csv").read_text(encoding="utf-8")


def _bases() -> dict[str, list[str]]:
    """Return texts that are valid, by kind."""
    folder = ROOT / "scenarios"
    files = sorted(folder.glob("*.toml"), key=lambda file: ("rolling" in file.stem, file))  # the first has exact values
    scenarios = [file.read_text(encoding="utf-8") for file in files]
    options = {"CRM": {"skeleton": [0.1, 0.25]}, "TITE-CRM": {"skeleton": [0.1, 0.25]}, "BLRM": {"doses": [1.0, 2.0]}}
    accrual = {"kind": "poisson", "consents_per_month": 3.0}
    made = [small(rule=RULES[name] | options.get(name, {}), accrual=accrual) for name in RULES]
    return {
        "scenario": scenarios + [scenario.to_toml() for scenario in made],
        "study": [STUDY],
        "comparison": [COMPARED],
        "record": [file.read_text(encoding="utf-8") for file in sorted((ROOT / "seeds").glob("*.json"))],
        "table": [TABLE, PENDING_TABLE],
        **mutants_in_verbs.texts(),
    }


def spoil(text: str, chance: random.Random) -> str:
    """Return a text with one to three things wrong."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        text = chance.choice(MUTATIONS)(text, chance)
    return text


def _value(text: str, chance: random.Random) -> str:
    """Put something else in the place of a value."""
    places = [found.span() for found in re.finditer(r'-?\d[\d.eE+:-]*|"[^"\n]*"|true|false|\[[^\[\]\n]*\]', text)]
    begin, end = chance.choice(places or [(0, 0)])
    return text[:begin] + chance.choice(HOSTILE) + text[end:]


def _nudge(text: str, chance: random.Random) -> str:
    """Make a number somewhat larger or smaller."""
    places = [found.span() for found in re.finditer(r"(?<![\w.-])\d{1,15}(\.\d{1,15})?(?![\w.-])", text)]
    if not places:
        return text
    begin, end = chance.choice(places)
    number = json.loads(text[begin:end].lstrip("0") or "0") if "." not in text[begin:end] else float(text[begin:end])
    other = chance.choice([number + 1, number - 1, number * 2, number * 10, number / 2, number // 2])
    return text[:begin] + repr(other) + text[end:]


def _lines(text: str, chance: random.Random) -> str:
    """Leave out, write twice, or exchange lines."""
    lines = text.split("\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(4):
        case 0:
            del lines[one]
        case 1:
            lines.insert(other, lines[one])
        case 2:
            lines[one], lines[other] = lines[other], lines[one]
        case 3:
            del lines[min(one, other) : max(one, other)]
    return "\n".join(lines)


def _letter(text: str, chance: random.Random) -> str:
    """Change, add or leave out a letter."""
    place = chance.randrange(len(text) + 1)
    return text[:place] + chance.choice(["", chance.choice(LETTERS)]) + text[place + chance.randrange(2) :]


def _cut(text: str, chance: random.Random) -> str:
    """Cut the text off."""
    return text[: chance.randrange(len(text) + 1)]


def _word(text: str, chance: random.Random) -> str:
    """Put another word of the text in the place of one."""
    words = [found.span() for found in re.finditer(r"[A-Za-z_]{3,}", text)]
    if not words:
        return text
    (begin, end), (first, last) = chance.choice(words), chance.choice(words)
    return text[:begin] + text[first:last] + text[end:]


MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    (_nudge,) * 6 + (_value,) * 4 + (_lines, _letter, _cut, _word)
)


@dataclass
class Outcome:
    """What became of mutants.

    Parameters
    ----------
    counts : Counter
        By kind and what became of it.
    faults : list of (str, str, str)
        Kind, text, and what went wrong.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[tuple[str, str, str]] = field(default_factory=list)
    slowest: tuple[float, str, str] = (0.0, "", "")

    def __str__(self) -> str:
        counts = [f"{kind}: {what} {count}" for (kind, what), count in sorted(self.counts.items())]
        return "\n".join([*counts, f"the slowest took {self.slowest[0]:.1f} s: {self.slowest[1]}"])


def try_mutants(count: int, seed: int, folder: Path, *, verb_every: int = 2, draw_every: int = 0) -> Outcome:
    """Make mutants of every kind in turn, and return what became of them.

    One in so many is given to a verb, and of these, one in so many has its figures drawn; none where that is 0.
    """
    bases, chance, outcome = _bases(), random.Random(seed), Outcome()
    (folder / "base.toml").write_text(bases["scenario"][0], encoding="utf-8")
    kinds, verbs = ("scenario", "scenario", "study", "comparison", "record", "table"), tuple(mutants_in_verbs.VERBS)
    for number in range(count):
        turn, by_verb = number // verb_every, number % verb_every == 0
        kind = verbs[turn % len(verbs)] if by_verb else kinds[(number - turn) % len(kinds)]
        text = spoil(chance.choice(bases[mutants_in_verbs.VERBS[kind][0] if by_verb else kind]), chance)
        before, began = _names(folder), time.monotonic()
        try:
            if by_verb:
                draw = bool(draw_every) and not chance.randrange(draw_every)
                what = mutants_in_verbs.judge(kind, text, folder, draw=draw)
            else:
                what = _judged(kind, text, folder)
            if _names(folder) - before - {f"mutant.{kind}", "draft.toml", "mutant.toml"}:
                raise AssertionError(f"left behind: {_names(folder) - before}")
        except Exception:
            what = "FAULT"
            outcome.faults.append((kind, text, traceback.format_exc()))
        outcome.counts[kind, what] += 1
        outcome.slowest = max(outcome.slowest, (time.monotonic() - began, kind, text))
    return outcome


def _names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def _judged(kind: str, text: str, folder: Path) -> str:
    """Return whether a mutant is accepted or refused; raise where it is neither."""
    path = folder / f"mutant.{'json' if kind == 'record' else 'csv' if kind == 'table' else 'toml'}"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        JUDGES[kind](path)
    except EscalateError as error:
        said = str(error)
        assert said.strip() and "Traceback" not in said and len(said) < 200_000, said[:1000]
        return "refused"
    finally:
        path.unlink()
        (folder / "draft.toml").unlink(missing_ok=True)
    return "accepted"


def _scenario(path: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        status = main(["check", str(path)])
    if status:
        assert status == 2 and err.getvalue().startswith("escalate: "), err.getvalue()
        assert not out.getvalue(), out.getvalue()
        raise EscalateError(err.getvalue())
    check_trials(load(path))


def _study(path: Path) -> None:
    study = read_study(path)
    assert 1 <= len(study.points) <= 10_000 and study.trials >= 1
    for point in {study.points[0].number: study.points[0], study.points[-1].number: study.points[-1]}.values():
        check_trials(point.scenario)


def _comparison(path: Path) -> None:
    asked = read_asked(file=path)
    base = load(ROOT / "scenarios" / "nct06337474.toml")
    found = compare(
        base, asked.rules or None, asked.truths or None, target=asked.target, trials=2, enumerate_exactly=False
    )
    for row in found.table:
        assert row["estimate"] is None or np.isfinite(row["estimate"]), row


def _record(path: Path) -> None:
    draft = path.with_name("draft.toml")
    draft.write_text(draft_scenario(path), encoding="utf-8")
    scenario = mutants_in_verbs.load_draft(draft)
    if scenario is not None:
        check_trials(scenario)


def _table(path: Path) -> None:
    rule = {"name": "table", "target": 0.25, "file": str(path)}
    accrual = {"kind": "poisson", "consents_per_month": 3.0}
    check_trials(small(rule=rule, accrual=accrual, toxicity__dlt_probability=[0.2, 0.4]))


JUDGES: dict[str, Callable[[Path], None]] = {
    "scenario": _scenario,
    "study": _study,
    "comparison": _comparison,
    "record": _record,
    "table": _table,
}


def check_trials(scenario: Scenario) -> None:
    """Run two trials in both engines, and add up what must add up."""
    found = by_kernel(scenario, 2)
    assert_same(found, by_simpy(scenario, 2))
    infused = found.patients["infused"]
    evaluable, dlts = found.patients["evaluable"], found.patients["dlts"]
    assert (dlts <= evaluable).all() and (evaluable + found.patients["non_evaluable"] <= infused).all(), found.patients
    counted = {"evaluable": evaluable, "infused": infused}[scenario.trial.cap_counts].sum(axis=1)
    expands = scenario.safety.when_rule_finished == "expand"
    assert (counted <= scenario.trial.planned_patients).all() or expands or scenario.trial.cap_counts == "evaluable"
    assert (found.duration_days <= scenario.trial.max_days).all()
    json.dumps(scenario.resolved(), allow_nan=False)


if __name__ == "__main__":
    warnings.simplefilter("error")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
        outcome = try_mutants(int(sys.argv[1]), seed, Path(folder), draw_every=10)
    print(outcome)
    print(f"{sys.argv[1]} mutants, {time.monotonic() - began:.0f} s, {len(outcome.faults)} faults, "
          f"{mutants_in_verbs.peak() / 1e9:.2f} GB at most")  # fmt: skip
    for kind, text, what in outcome.faults[:40]:
        print(f"\n=== {kind}\n{what[-1500:]}\n--- {len(text)} letters\n{text[:3000]}")
    sys.exit(bool(outcome.faults))
