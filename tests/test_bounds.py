"""Numbers beyond what a trial can have are refused with a reason, and whatever grows has an end."""

from __future__ import annotations

import io
import os
import re
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from conftest import ROOT
from escalate import EscalateError, Scenario, ScenarioError, compare, decision_table, exact, load, simulate
from escalate.cautions import cautions
from escalate.cli import main
from escalate.errors import NotCoveredError
from escalate.exactly import enumeration
from escalate.export import write_columns
from escalate.files import MOST_BYTES, MOST_OF_RECORD, read_bytes
from escalate.kernel.engine import Engine
from escalate.nature.draws import Nature
from escalate.results.outcomes import bytes_of_one, join
from escalate.scenario import toml_lines
from escalate.scenario.rule_files import read_rule_files
from escalate.scenario.toml_lines import KeyLines, key_lines
from escalate.studies.simulation import check_kept, check_trials, simulated_parts
from escalate.studies.study import make_study, read_study
from small import small

BASE = (ROOT / "scenarios" / "nct06337474.toml").read_text(encoding="utf-8")
CRM: dict[str, Any] = {"name": "CRM", "target": 0.25, "skeleton": [0.1, 0.25]}
BLRM: dict[str, Any] = {"name": "BLRM", "doses": [1.0, 2.0]}
MTPI2: dict[str, Any] = {"name": "mTPI-2", "target": 0.25}
AGENT: dict[str, Any] = {"agent": "fludarabine", "mg_per_m2": 25, "days": [-3]}
BODY = {"mean_m2": 1.7, "sd_m2": 0.2, "min_m2": 1.3, "max_m2": 2.3}

ABSURD: dict[str, tuple[str, Any, str]] = {
    "onset share of 1e-17": ("toxicity.onset", {"kind": "weibull", "second_half_share": 1e-17}, "at least 0.001"),
    "2**63 patients a level": ("limits.most_per_level", 2**63, "at most 10,000"),
    "conditioning in another age": ("treatment.lymphodepletion", [AGENT | {"days": [-(10**18)]}], "at least -365"),
    "a dose of 1e308 mg": ("treatment.lymphodepletion", [AGENT | {"mg_per_m2": 1e308}], "at most 20,000"),
    "bodies of any size": ("treatment.body_surface_area", BODY | {"sd_m2": 1e100}, "at most 1"),
    "a body of 1e-300 m2": ("treatment.body_surface_area", BODY | {"min_m2": 1e-300}, "at least 0.1"),
    "a start in the year 24": ("trial.start_date", "0024-08-30", "from 1950-01-01 to 2150-01-01"),
    "a start in the year 2240": ("trial.start_date", "2240-08-30", "from 1950-01-01 to 2150-01-01"),
    "a dose called no dose": ("dose_levels.0.label", " No  dose", "no label of a dose"),
    "a dose of blanks": ("dose_levels.0.label", "  ", "no label of a dose"),
    "a cohort of 10,000": ("safety.cohort_size", 10_000, "at most 100"),
    "10,000 a month for 274 years": ("trial.max_days", 100_000, "candidates in the 100,000 days"),
    "screening beyond the trial": ("screening.days", 3650, "nobody would be screened"),
    "keys of 1e-9": ("rule", MTPI2 | {"epsilon1": 1e-9, "epsilon2": 1e-9}, "at least 0.001"),
    "a target of 1e-300": ("rule", MTPI2 | {"target": 1e-300}, "at least 0.01"),
    "a prior of 1e308": ("rule", BLRM | {"mean_log_alpha": 1e308}, "at most 20"),
    "a dose of 1e-300": ("rule", BLRM | {"doses": [1e-300, 1.0]}, "at least 0.0001"),
    "a prior cut at 1e300": ("rule", CRM | {"prior_cut": 1e300}, "at most 1000"),
    "elimination from 2**70": ("rule", MTPI2 | {"eliminate_from": 2**70}, "at most 10,000"),
    "a patient of number 2**63": ("what_if", [{"patient": 2**63}], "at most 100,000"),
    "a queue of 2**40": ("accrual.most_waiting", 2**40, "at most 100,000"),
    "cells of 1e300": ("dose_levels", [{"label": "a", "cells": 1.0}, {"label": "b", "cells": 1e300}], "at most"),
    "a chance of 5e-324": ("attrition.drop_out_per_year", 5e-324, "a probability is 0 or at least 1e-09"),
    "a label of 100,000 letters": ("dose_levels.0.label", "x" * 100_000, "at most 500 characters"),
    "a level of 10**30": ("safety.start_level", 10**30, "at most 99"),
    "table for 99999999999": (
        "rule", {"name": "table", "target": 0.2, "decisions": {"9" * 11: "E S"}}, "from 1 to 500"),
    "table for 5,000 digits": (
        "rule", {"name": "table", "target": 0.2, "decisions": {"9" * 5000: "E S"}}, "from 1 to 500"),
}  # fmt: skip


@pytest.mark.parametrize(("key", "value", "says"), ABSURD.values(), ids=ABSURD)
def test_an_absurd_number_is_refused(key: str, value: object, says: str) -> None:
    many = {"kind": "poisson", "consents_per_month": 8_000.0}
    scenario = small(accrual=many, trial__max_days=3650, dose_levels=[{"label": "low"}, {"label": "high"}])
    with pytest.raises(ScenarioError) as caught:
        scenario.replace({key: value})
    told = [str(problem) for problem in caught.value.problems]
    assert any(says in problem and len(problem) < 1000 for problem in told), told


def test_every_number_has_two_ends() -> None:
    """Read from the model: whoever adds a number says between which ends it lies."""
    schema = Scenario.model_json_schema()
    for name, part in [("Scenario", schema), *schema["$defs"].items()]:
        for key, field in part["properties"].items():
            for node in numbers(field):
                low, high = ({f"exclusive{end.capitalize()}", end} & set(node) for end in ("minimum", "maximum"))
                assert low and high, (name, key, node)
                assert abs(node[high.pop()]) <= 1e15, (name, key)


def numbers(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") in ("integer", "number") and "const" not in node and "enum" not in node:
            yield node
        for item in (node.get("items"), node.get("additionalProperties"), *node.get("anyOf", ())):
            yield from numbers(item)


def test_what_a_trial_may_have_is_taken() -> None:
    wide = small(accrual={"kind": "poisson", "consents_per_month": 8_000.0}, trial__max_days=3650)
    assert wide.replace({"safety.cohort_size": 100, "trial.planned_patients": 10_000}).safety.cohort_size == 100


LATE: dict[str, tuple[dict[str, Any], str]] = {
    "follow-up": ({"follow_up.days": 401}, "follow_up.days"),
    "completion": ({"trial.planned_completion_date": "2035-01-01"}, "trial.planned_completion_date"),
    "consent": ({"accrual": {"kind": "fixed", "consent_days": [1, 401]}}, "accrual.consent_days"),
    "pause": (
        {"accrual.pauses": [{"first_day": "2033-01-01", "last_day": "2033-02-01"}]},
        "accrual.pauses",
    ),
}


@pytest.mark.parametrize(("changes", "key"), LATE.values(), ids=LATE)
def test_days_beyond_the_longest_trial_are_a_caution(changes: dict[str, Any], key: str) -> None:
    scenario = small(accrual={"kind": "poisson", "consents_per_month": 2.0}, trial__max_days=400).replace(changes)
    assert [caution.key for caution in cautions(scenario) if "lies beyond" in caution.matter] == [key]
    longer = scenario.replace({"trial.max_days": 10_000})
    assert not [caution.key for caution in cautions(longer) if "lies beyond" in caution.matter]


def test_what_a_file_leaves_out_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that was cut off after [toxicity] is valid, and nobody is lost in it."""
    file = tmp_path / "cut.toml"
    text = BASE[: BASE.index("[attrition]")]
    file.write_text(text, encoding="utf-8")
    assert main(["check", str(file)]) == 0
    told = capsys.readouterr().out
    assert "Left out by the file, and so at their defaults:\n" in told
    assert "[attrition] not_infused_probability = 0.0, partial_dose_probability = 0.0," in told
    file.write_text(text + "[attrition]\nnot_infused_probability = 0.1\n", encoding="utf-8")
    assert main(["check", str(file)]) == 0
    told = capsys.readouterr().out
    assert "[attrition] partial_dose_probability = 0.0," in told and "not_infused_probability = 0.0" not in told


# Files


LARGE = {
    "a list on many lines": lambda n: "a = [\n" + "1,\n" * n + "]\n",
    "many keys": lambda n: "".join(f"k{i} = 1\n" for i in range(n)),
    "many tables": lambda n: "[[x]]\nk = 1\n" * n,
    "a text of many lines": lambda n: 'a = """\n' + "x [\n" * n + '"""\n',
    "many comments": lambda n: "# [\n" * n + "a = 1\n",
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_every_letter_of_a_file_is_parsed_once(text: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the time grows with the text and not with its square."""
    parsed = []

    def counted(part: str) -> dict[str, Any]:
        parsed.append(len(part))
        return tomllib.loads(part)

    monkeypatch.setattr(toml_lines, "tomllib", SimpleNamespace(loads=counted))
    assert len(key_lines(text(2000))) >= 1
    assert sum(parsed) <= len(text(2000))


def test_lines_of_whatever_toml_can_hold() -> None:
    text = (
        'a = """x\n"quoted" \\""" ]\n"""\nb = \'\'\'\n[ # \n\'\'\'\'\'\nc = [ # [\n 1, "]", \'[\',\n]\n'
        '[t] # [x\n"q.#" = {a = [1,\n2], b = "}"}\nz=""""a"""""\ne=""\n\n# c [\nf = 1\n[[u]]\ng = 1\n[[u]]\ng.h = "\\""'
    )
    lines = key_lines(text)
    assert {k: lines[k] for k in lines if not isinstance(k[-1], int)} == {
        ("a",): 1, ("b",): 4, ("c",): 7, ("t",): 10, ("t", "q.#"): 11, ("t", "q.#", "a"): 11, ("t", "q.#", "b"): 11,
        ("t", "z"): 13, ("t", "e"): 14, ("t", "f"): 17, ("u", 0, "g"): 19, ("u", 1, "g"): 21, ("u", 1, "g", "h"): 21,
    }  # fmt: skip
    assert dict(KeyLines(text)) == lines


def test_a_key_of_many_parts_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "deep.toml"
    file.write_text(BASE + "\n[x]\n" + "a." * 100_000 + "b = 1\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match="a key of more than 100 parts"):
        load(file)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
@pytest.mark.parametrize(
    "verb", [["check"], ["run", "--no-files"], ["init"], ["sweep"], ["compare", "nct06337474", "--rules"]], ids=str
)
def test_a_device_that_never_ends(verb: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*verb, "/dev/zero"]) == 2
    assert re.search(r"it is longer than 10?,000,000 bytes|it is longer than 1,000,000 bytes", capsys.readouterr().err)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_that_never_ends(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)

    def feed() -> None:
        with pytest.raises(BrokenPipeError), pipe.open("wb", buffering=0) as end:
            while True:
                end.write(b"3,0,E\n" * 10_000)

    feeding = threading.Thread(target=feed)
    feeding.start()
    faults = list(read_rule_files({"rule": {"name": "table", "file": pipe.name}}, tmp_path, False))
    feeding.join()
    assert [said for _, _, said in faults] == [
        "cannot be read: it is longer than 1,000,000 bytes, and no file of this kind is"
    ]


def test_a_file_may_have_as_much_as_that(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"x" * MOST_BYTES)
    assert len(read_bytes(file)) == MOST_BYTES
    file.write_bytes(b"x" * (MOST_BYTES + 1))
    with pytest.raises(OSError, match="longer than"):
        read_bytes(file)
    assert len(read_bytes(file, MOST_OF_RECORD)) == MOST_BYTES + 1


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("99999999999,0,E", "at most 500"),
        ("9" * 5000 + ",0,E", "at most 500"),
        ("500,0,E", "has holes: there is no decision for DLTs 1 in 500, 2 in 500, 3 in 500, 4 in 500, 5 in 500 and "),
    ],
)
def test_a_table_of_too_many_patients(tmp_path: Path, rows: str, says: str) -> None:
    (tmp_path / "t.csv").write_text(f"evaluable,dlts,decision\n{rows}\n", encoding="utf-8")
    faults = list(read_rule_files({"rule": {"name": "table", "file": "t.csv"}}, tmp_path, False))
    assert len(faults) == 1 and says in faults[0][2] and len(faults[0][2]) < 300, faults


@pytest.mark.parametrize("kind", ["scenario", "study", "table"])
def test_a_name_that_no_file_can_have(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text('scenario = "a\\u0000b"\n[grid]\n"follow_up.days" = [90]\n', encoding="utf-8")
    with pytest.raises(EscalateError, match="no file can have this name"):
        if kind == "scenario":
            load("a\0b")
        elif kind == "study":
            read_study(file)
        else:
            small(rule={"name": "table", "target": 0.2, "file": "a\0b"})


# What grows


def test_trials_are_checked(base: Scenario) -> None:
    for trials in (2_000_001, 10**9):
        with pytest.raises(EscalateError, match="trials must be at most 2,000,000, got"):
            check_trials(trials, 1, 0)
    check_trials(2_000_000, 1, 0)


def test_trials_are_kept_in_so_much_memory(
    base: Scenario, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    check_kept(base, 2_000_000, copies=2)
    monkeypatch.setattr("escalate.studies.simulation.MOST_KEPT", 100 * bytes_of_one(base))
    with pytest.raises(EscalateError, match="at most 50 where each is kept, with 2 dose levels and 9 patients, got 51"):
        simulate(base, trials=51)
    assert main(["run", "nct06337474", "--trials", "101", "--out", str(tmp_path / "out")]) == 2
    assert "got 101: more would take too much memory. Without files there may be 2,000,000" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main(["run", "nct06337474", "--trials", "101", "--no-files"]) == 0


def test_what_a_trial_takes_is_what_it_was_said_to(base: Scenario) -> None:
    (part,) = simulated_parts(base, trials=200)
    numbers = [part.recommended, part.duration_days, part.cohort_days, *part.waits.values()]
    numbers += [*part.patients.values(), *part.candidates.values(), *part.milestone_days.values()]
    kept = sum(column.nbytes for column in (*numbers, part.reason, part.paths)) / 200
    assert kept <= bytes_of_one(base) <= 1.5 * kept


def test_many_trials_are_written_in_pieces(base: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = list(simulated_parts(base, trials=9000))
    whole, pieces = io.BytesIO(), io.BytesIO()
    write_columns(whole, [join(parts)])
    monkeypatch.setattr("escalate.results.stored.ROWS", 7)
    write_columns(pieces, parts)
    assert len(parts) > 1 and pieces.getvalue() == whole.getvalue()
    pieces.seek(0)
    read = np.load(pieces)
    for name, values in join(parts).columns().items():
        assert read[name].dtype == values.dtype and np.array_equal(
            read[name], values, equal_nan=values.dtype.kind == "f"
        )


def test_data_cuts_take_so_much_memory(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Refused before they are there, with what to do; a comparison says so and goes without."""
    scenario = load("six-dose-oncology").replace({"rule": {"name": "BOIN", "target": 0.25}})
    found = exact(scenario)
    rows, of_one = 20_000, enumeration.COPIES * 8 * (enumeration.HEAD + 12)
    monkeypatch.setattr(enumeration, "MOST_BYTES", rows * of_one)
    assert exact(scenario) == found
    rows = 500
    monkeypatch.setattr(enumeration, "MOST_BYTES", rows * of_one)
    told = (
        r"[\d,]+ data cuts are possible after one step, and more than 500 of 6 dose levels would take too much memory"
    )
    with pytest.raises(NotCoveredError, match=f"{told}: simulate instead, or take fewer dose levels"):
        exact(scenario)
    one = compare(scenario, trials=1)
    assert re.match(told, *one.not_exact.values()) and len(one.rows) > 20
    assert main(["exact", "six-dose-oncology", "--set", "rule=BOIN", "--set", "rule.target=0.25"]) == 2
    assert re.search(told, capsys.readouterr().err)


def test_large_trials_are_run_few_at_a_time(base: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that memory does not grow with patients times trials; nothing else changes."""
    whole = simulate(base, trials=300, first=5)
    counts, run = [], Engine.run

    def counted(engine: Engine, nature: Nature) -> Any:
        counts.append(nature.count)
        return run(engine, nature)

    monkeypatch.setattr(Engine, "run", counted)
    monkeypatch.setattr("escalate.studies.chunks.MOST_PATIENTS", 70 * base.trial.planned_patients + 1)
    pieces = simulate(base, trials=300, first=5)
    assert max(counts) == 70 and sum(counts) == 300
    assert pieces.columns().keys() == whole.columns().keys()
    for name, values in whole.columns().items():
        assert np.array_equal(pieces.columns()[name], values, equal_nan=values.dtype.kind == "f"), name
    counts.clear()
    compare(base, ["BOIN target=0.2", "3+3"], trials=200)
    assert max(counts) == 70 and sum(counts) == 400


def test_too_many_trials_of_a_study(base: Scenario) -> None:
    with pytest.raises(EscalateError, match="a whole number, at most 2,000,000, got 1000000000"):
        make_study(base, {"follow_up.days": [90, 180]}, trials=10**9)
    with pytest.raises(EscalateError, match="at most 1,000,000,000 trials in all"):
        make_study(base, {"follow_up.days": list(range(100, 1100))}, trials=2_000_000)


@pytest.mark.parametrize("verb", ["run", "compare", "sensitivity"])
def test_a_command_of_too_many_trials(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--rule", "3+3"] if verb == "compare" else []
    assert main([verb, "nct06337474", "--no-files", "--trials", "999999999", *more]) == 2
    assert "trials must be at most 2,000,000, got 999,999,999" in capsys.readouterr().err


def test_too_many_rules_at_once(base: Scenario) -> None:
    rules = [{"name": "BOIN", "target": 0.25, "label": f"{k}"} for k in range(40)]
    truths = [{"dlt_probability": [0.01, 0.01 + k / 100]} for k in range(1, 41)]
    with pytest.raises(EscalateError, match="1,600 scenarios, and at most 1,000"):
        compare(base, rules, truths, trials=1)


def test_a_table_that_no_page_holds(base: Scenario) -> None:
    boin = small(rule={"name": "BOIN", "target": 0.25}, trial__planned_patients=10_000)
    for patients in (201, 10_000):
        with pytest.raises(
            EscalateError, match=f"patients must be at most 200, got {patients:,}: no page holds such a"
        ):
            decision_table(boin, patients)
    with pytest.raises(EscalateError, match="cohorts must be at most 30, got 1,000,000"):
        decision_table(boin, cohorts=10**6)
