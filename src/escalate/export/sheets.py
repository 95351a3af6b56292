"""Which sheets the workbook of a result has: its summary, its tables, the scenario with its sources, cautions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import singledispatch
from pathlib import Path
from typing import Any

from ..cautions import Cautions, caution_lines, cautions
from ..errors import OutputError
from ..exactly.enumeration import Exact
from ..exactly.paths import listed_paths
from ..files import Write, write_file, write_result
from ..protocol_tables import ProtocolTable
from ..protocol_tables.layout import OfScenario, cells_of
from ..report import exact_summary, summary
from ..report.accrual import accrual_summary
from ..report.narrative import story
from ..results.estimates import Characteristics
from ..results.tally import PATHS_OF, Tally
from ..scenario.model import Scenario
from ..scenario.sources import ledger
from ..studies.accruals import Accrual
from ..studies.compared import Comparison
from ..studies.control import cautions_of
from ..studies.representative import representative_trial
from ..studies.sensitivities import Sensitivity
from ..studies.sweeps import Sweep
from ..studies.variants import Variants
from ..words.records import Trial
from ..words.tables import Table
from .workbook import Sheet, workbook

Save = Callable[[Any, Path, bool], None]
"""Writes a result to a path, and may replace what stands there."""


@singledispatch
def sheets_of(found: Any) -> Iterator[Sheet]:
    """Yield the sheets of a result: summary first, then its tables, the scenario with its sources, cautions.

    Raises
    ------
    OutputError
        If a result of this kind has no workbook.
    """
    raise OutputError(f"no workbook is made of a {type(found).__name__}; save it as a folder or as a CSV file")


@sheets_of.register
def _(found: Characteristics) -> Iterator[Sheet]:
    yield from characteristics_sheets(found, told_of(found.tally))


def told_of(counted: Tally) -> Trial:
    """Return that of many trials which is told: the one of median duration among the first of them."""
    many = min(counted.trials, PATHS_OF)
    return representative_trial(counted.scenario, trials=many, seed=counted.seed, first=counted.first)


def characteristics_sheets(found: Characteristics, told: Trial) -> Iterator[Sheet]:
    """Yield the sheets of many trials, and of the one of them that is told."""
    yield lines_sheet("summary", summary(found))
    yield table_sheet(found.table)
    for table in (told.patients, told.decisions, told.cohorts, told.events):
        yield table_sheet(table, f"median trial {table.name}")
    yield from scenario_sheets(found.tally.scenario, cautions_of(found))


@sheets_of.register
def _(found: Trial) -> Iterator[Sheet]:
    assert isinstance(found.scenario, Scenario)
    yield lines_sheet("story", story(found))
    for table in (found.patients, found.decisions, found.cohorts, found.events):
        yield table_sheet(table)
    yield from scenario_sheets(found.scenario)


@sheets_of.register(Comparison)
@sheets_of.register(Sensitivity)
@sheets_of.register(Variants)
def _(found: Comparison | Sensitivity | Variants) -> Iterator[Sheet]:
    yield lines_sheet("summary", summary(found))
    yield table_sheet(found.table)
    yield from scenario_sheets(found.scenario)


@sheets_of.register
def _(found: Sweep) -> Iterator[Sheet]:
    yield lines_sheet("summary", summary(found))
    yield table_sheet(found.table)
    yield from scenario_sheets(found.study.scenario)


@sheets_of.register
def _(found: Exact) -> Iterator[Sheet]:
    paths = listed_paths(found.scenario)
    yield lines_sheet("summary", exact_summary(found, paths))
    if paths:
        heads = ("path", "probability", "recommended", "reason")
        rows = [(p.path, p.probability, p.recommended, p.reason) for p in paths]
        yield Sheet(name="paths", heads=heads, rows=rows)
    yield from scenario_sheets(found.scenario)


@sheets_of.register(OfScenario)
def _(found: ProtocolTable) -> Iterator[Sheet]:
    yield lines_sheet("table", found.to_text())
    heads, *rows = cells_of(found.to_csv())
    yield Sheet(name="cells", heads=tuple(heads), rows=rows)
    if found.scenario is not None:
        yield from scenario_sheets(found.scenario)


@sheets_of.register
def _(found: Accrual) -> Iterator[Sheet]:
    for counted, days in found.days.items():
        yield lines_sheet(f"summary {counted}", accrual_summary(found, counted))
        yield table_sheet(found.by_date(counted=counted), f"{counted} by date")
        most = max(map(len, days), default=0)
        rows = [[trial, *each.tolist(), *[None] * (most - len(each))] for trial, each in enumerate(days)]
        yield Sheet(name=f"{counted} days", heads=("trial", *(str(k) for k in range(1, most + 1))), rows=rows)
    yield from scenario_sheets(found.scenario)


@sheets_of.register
def _(found: Table) -> Iterator[Sheet]:
    yield table_sheet(found)


def table_sheet(table: Table, name: str = "") -> Sheet:
    """Return a table as a sheet, with its dates as dates."""
    columns = table.columns
    dates = [bool(column.date_of) for column in columns]
    rows = [[_dated(cell) if dated else cell for cell, dated in zip(row, dates, strict=True)] for row in table.rows]
    return Sheet(name=name or table.name, heads=table.names, rows=rows, columns=columns)


def lines_sheet(name: str, text: str) -> Sheet:
    """Return a text as a sheet, a line in each row."""
    return Sheet(name=name, heads=(), rows=[(line,) for line in text.splitlines()])


def scenario_sheets(scenario: Scenario, found: Cautions | None = None) -> Iterator[Sheet]:
    """Yield the scenario, each value with its source, and what to beware of, if there is anything.

    Parameters
    ----------
    scenario : Scenario
        Whose results are written.
    found : Cautions, optional
        Of the results, where they have their own.
    """
    rows = [
        (item.key, item.values[0] if len(item.values) == 1 else item.value_text, item.kind, item.source, item.between)
        for item in ledger(scenario)
    ]
    yield Sheet(name="scenario", heads=("key", "value", "kind of source", "source", "range"), rows=rows)
    if beware := caution_lines(cautions(scenario) if found is None else found):
        yield Sheet(name="cautions", heads=("caution",), rows=[(line,) for line in beware])


def _dated(cell: str | None) -> date | None:
    return None if cell is None else date.fromisoformat(cell)


def also_workbook(found: Any, wanted: bool, told: Trial | None = None) -> dict[str, Write]:
    """Return what writes ``results.xlsx`` beside the figures of a folder, if it is wanted; `told` of many trials."""
    if not wanted:
        return {}
    return {"results": lambda path: _write(path.with_name("results.xlsx"), found, told)}


def _write(path: Path, found: Any, told: Trial | None) -> None:
    path.write_bytes(workbook(sheets_of(found) if told is None else characteristics_sheets(found, told)))


def saves(*kinds: type) -> Callable[[Save], Save]:
    """Return what registers how results of some kinds save themselves; any of them is a workbook, if named so."""

    def register(save: Save) -> Save:
        def write(found: Any, out: Path, overwrite: bool) -> None:
            if out.suffix.lower() == ".xlsx":
                write_file(out, workbook(sheets_of(found)), overwrite)
            else:
                save(found, out, overwrite)

        for kind in kinds:
            write_result.register(kind)(write)
        return save

    return register
