"""A decision table as a folder, or as a file of one kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import OutputError
from ..files import Out, write_file, write_folder
from ..plots import plot_decision_table
from ..protocol_tables import CountTable, ProtocolTable
from ..protocol_tables.layout import OfScenario, whole
from ..scenario.model import Scenario
from ..words.csv_text import csv_bytes
from .figures import FORMATS, drawn, pages
from .parts import Tell, check_ending, write_cautions, write_resolved
from .sheets import also_workbook, saves

TABLE_TEXTS: dict[str, Callable[[ProtocolTable], str]] = {
    ".txt": lambda table: table.to_text() + "\n",
    ".csv": lambda table: table.to_csv(),
    ".md": lambda table: table.to_markdown(),
    ".html": lambda table: whole(f"Decision table of {table.rule}", table.to_html()),
}
"""How a decision table is written as text, by the ending of the file."""


def write_table(
    table: ProtocolTable,
    scenario: Scenario,
    out: Out,
    *,
    overwrite: bool = False,
    xlsx: bool = False,
    tell: Tell | None = None,
) -> None:
    """Write a decision table as a folder: text, CSV, Markdown, HTML and a figure, with the resolved scenario.

    Each file stands alone: the HTML is a whole document; a CSV begins with the mark by which spreadsheets know UTF-8,
    if there is a letter beyond ASCII in it. A table of counts has its boundaries as a CSV of their own, too.

    Raises
    ------
    OutputError
        If the folder exists, or cannot be written; nothing is left half-written.
    """

    def write(folder: Path) -> None:
        texts = {f"table{ending}": text(table) for ending, text in TABLE_TEXTS.items()}
        if isinstance(table, CountTable):
            texts["boundaries.csv"] = table.boundaries_csv()
        for name, text in texts.items():
            (folder / name).write_bytes(_table_bytes(text, Path(name).suffix))
        write_cautions(folder, scenario)
        write_resolved(folder, scenario)

    figures = {"table": pages(lambda page: plot_decision_table(table, page=page))}
    write_folder(out, write, overwrite, figures | also_workbook(table, xlsx), tell=tell)


def _table_bytes(text: str, ending: str) -> bytes:
    return csv_bytes(text) if ending == ".csv" else text.encode()


def _one_file(table: ProtocolTable, ending: str) -> bytes:
    text, kind = TABLE_TEXTS.get(ending), ending.lstrip(".")
    if text is not None:
        return _table_bytes(text(table), ending)
    return drawn(lambda: plot_decision_table(table), (kind,))[kind]


@saves(OfScenario)
def _save_table(table: ProtocolTable, out: Path, overwrite: bool) -> None:
    """Write a decision table as one file, by its ending, or as a folder of all of them."""
    if out.suffix:
        check_ending(out, (*TABLE_TEXTS, *(f".{kind}" for kind in FORMATS)))
        write_file(out, _one_file(table, out.suffix.lower()), overwrite)
    elif table.scenario is None:
        raise OutputError(f"{out}: a folder holds the scenario, and this table is of a rule by itself; name a file")
    else:
        write_table(table, table.scenario, out, overwrite=overwrite)
