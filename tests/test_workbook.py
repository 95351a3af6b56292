"""Workbooks: every table of a result as typed cells, nothing that a spreadsheet would compute, equal bytes."""

from __future__ import annotations

import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

import escalate
from conftest import ROOT
from escalate.cli import main
from escalate.export.workbook import Sheet, workbook
from escalate.studies.representative import representative_trial
from escalate.words.tables import Table

openpyxl = pytest.importorskip("openpyxl")

BASE = ROOT / "scenarios" / "nct06337474.toml"
EVIL = "=HYPERLINK(A1)"


def results(scenario: escalate.Scenario) -> dict[str, Any]:
    trials = escalate.simulate(scenario, trials=30)
    return {
        "run": escalate.characteristics(trials),
        "trial": escalate.simulate_trial(scenario),
        "compared": escalate.compare(scenario, {EVIL: "3+3", "other": "rolling six"}, trials=5),
        "sensitivity": escalate.sensitivity(scenario, trials=5),
        "exact": escalate.exact(scenario),
        "accrual": escalate.accrual(scenario, trials=10),
        "table": escalate.decision_table(scenario),
        "records": escalate.simulate_trial(scenario).patients,
    }


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, bytes, Any]]:
    folder = tmp_path_factory.mktemp("books")
    scenario = escalate.load(BASE).replace({"dose_levels.0.label": EVIL, "trial.title": EVIL})
    found = {}
    for name, result in results(scenario).items():
        result.save(folder / f"{name}.xlsx")
        data = (folder / f"{name}.xlsx").read_bytes()
        found[name] = (result, data, openpyxl.load_workbook(io.BytesIO(data)))
    return found


def same(cell: Any, value: Any) -> bool:
    if isinstance(value, str):
        value = value or None
    if isinstance(cell, datetime):
        return cell.date() == date.fromisoformat(value)
    if isinstance(value, float):
        return bool(cell == pytest.approx(value, rel=1e-15, abs=0))  # workbooks have sixteen digits
    return bool(cell == value) and isinstance(cell, str) == isinstance(value, str)


def holds(page: Any, table: Table) -> bool:
    heads, *rows = page.iter_rows(values_only=True)
    return heads == table.names and all(
        same(cell, value) and (cell is None or isinstance(cell, datetime) == bool(column.date_of))
        for row, said in zip(rows, table.rows, strict=True)
        for cell, value, column in zip(row, said, table.columns, strict=True)
    )


def test_every_table_is_there_cell_for_cell(books: dict[str, tuple[Any, bytes, Any]]) -> None:
    run, _, book = books["run"]
    told = representative_trial(run.tally.scenario, trials=30, seed=run.tally.seed)
    assert holds(book["characteristics"], run.table)
    for table in (told.patients, told.decisions, told.cohorts, told.events):
        assert holds(book[f"median trial {table.name}"], table)
    trial = books["trial"][0]
    for table in (trial.patients, trial.decisions, trial.cohorts, trial.events):
        assert holds(books["trial"][2][table.name], table)
    for name, sheet in (("compared", "comparison"), ("sensitivity", "sensitivity")):
        result, _, book = books[name]
        assert holds(book[sheet], result.table)
    assert holds(books["records"][2]["patients"], books["records"][0])


def test_text_stays_text_and_heads_stay_in_sight(books: dict[str, tuple[Any, bytes, Any]]) -> None:
    seen = 0
    for _, _, book in books.values():
        for page in book:
            heads = page["A1"].font.bold
            assert (page.freeze_panes == "A2") == bool(heads), page.title
            for row in page.iter_rows():
                for cell in row:
                    assert cell.data_type != "f", (page.title, cell.coordinate)
                    seen += str(cell.value).startswith("=")
    assert seen > 3


def test_numbers_have_sources_and_columns_meanings(books: dict[str, tuple[Any, bytes, Any]]) -> None:
    run, _, book = books["run"]
    keys = {row[0]: row[1:] for row in book["scenario"].iter_rows(min_row=2, values_only=True)}
    assert keys["safety.dlt_window_days"][0] == 28 and keys["safety.dlt_window_days"][2]
    meant = {(row[0], row[1]) for row in book["columns"].iter_rows(min_row=2, values_only=True)}
    assert {("characteristics", name) for name in run.table.names} <= meant


def test_signs_that_a_workbook_cannot_hold_are_shown_as_such() -> None:
    sheet = Sheet(name="a/b:c", heads=("text",), rows=[("bell \x07",), ("x" * 40_000,)])
    page = openpyxl.load_workbook(io.BytesIO(workbook([sheet, sheet])))
    assert page.sheetnames == ["a b c", "a b c 1"]
    assert page["a b c"]["A2"].value == "bell \N{REPLACEMENT CHARACTER}"
    assert len(page["a b c"]["A3"].value) == 32_767


def test_equal_results_are_equal_bytes(books: dict[str, tuple[Any, bytes, Any]], tmp_path: Path) -> None:
    for name, (result, data, _) in books.items():
        result.save(tmp_path / f"{name}.xlsx")
        assert (tmp_path / f"{name}.xlsx").read_bytes() == data, name


def test_the_command_line_writes_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(BASE), "--trials", "30", "--xlsx", "--out", str(tmp_path / "run")]) == 0
    found = escalate.characteristics(escalate.simulate(escalate.load(BASE), trials=30))
    found.save(tmp_path / "again.xlsx")
    assert (tmp_path / "run" / "results.xlsx").read_bytes() == (tmp_path / "again.xlsx").read_bytes()


def test_without_the_extra_one_line_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    assert main(["run", str(BASE), "--trials", "10", "--xlsx", "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("escalate: a workbook needs openpyxl") and "[excel]" in said.err
    assert not (tmp_path / "run").exists()
