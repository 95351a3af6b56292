"""Figures that no page holds are drawn on several: each fits, nothing is lost, and files say which is which.

The bugs with which it was seen to fail stand in `planted_bugs.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from matplotlib.axes import Axes

import escalate as esc
from conftest import ROOT
from escalate import EscalateError
from escalate.cli import main
from escalate.plots import plot_comparison, plot_decision_table
from escalate.plots.leaves import shared_out
from escalate.plots.sheet import PAGES, faults, seen
from escalate.plots.style import document, image
from escalate.studies.comparison import Comparison, compare

SIX, BASE = (str(ROOT / "scenarios" / f"{name}.toml") for name in ("six-dose-oncology", "nct06337474"))

SMALLEST = 8.0
"""Letters on a page are so high at least [points]."""


@cache
def compared(levels: int) -> Comparison:
    base = esc.load(SIX if levels == 6 else BASE)
    rules = ["3+3 variant=A", "3+3 variant=C", "BOIN", "mTPI-2", "Keyboard", "i3+3"]
    truths = {f"truth {k}": [k / 20 + 0.05 * level for level in range(levels)] for k in range(1, 5)}
    return compare(base, rules, truths, target=0.25, trials=3, enumerate_exactly=False)


@cache
def table(name: str) -> Any:
    base, rule, more = {
        "counts, tall": (SIX, {"name": "BOIN", "target": 0.3}, {"trial.planned_patients": 90}),
        "counts": (SIX, {"name": "BOIN", "target": 0.25}, {}),
        "pending": (BASE, {"name": "rolling six"}, {}),
        "pending, wide": (SIX, {"name": "TITE-BOIN", "target": 0.25}, {"trial.planned_patients": 12}),
        "model": (SIX, {"name": "TITE-CRM", "target": 0.25, "prior_mtd_level": 4}, {}),
    }[name]
    return esc.decision_table(esc.load(base).replace({"rule": rule, **more}))


FIGURES: dict[str, Callable[..., Axes]] = {
    "two levels": lambda **options: plot_comparison(compared(2), **options),
    "six levels": lambda **options: plot_comparison(compared(6), **options),
    **{
        name: lambda name=name, **options: plot_decision_table(table(name), **options)
        for name in ("counts", "counts, tall", "pending", "pending, wide", "model")
    },
}


@cache
def pages(name: str, size: str) -> list[Axes]:
    first = FIGURES[name](size=size, page=1)
    return [first, *(FIGURES[name](size=size, page=k) for k in range(2, first.figure.pages + 1))]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "size"), [*((name, "a4") for name in FIGURES), *((name, "slide") for name in ("counts", "model"))]
)
def test_every_page_fits_and_can_be_read(name: str, size: str, recwarn: pytest.WarningsRecorder) -> None:
    """Upright or on its side, with no text cut, overlapping or too small."""
    _, wide, tall = PAGES[size]
    drawn = pages(name, size)
    assert len(drawn) > 1
    for ax in drawn:
        width, height = ax.get_figure(root=True).get_size_inches()  # type: ignore[union-attr]
        room = (wide, tall) if width <= wide + 0.01 else (max(wide, tall), min(wide, tall))
        assert width <= room[0] + 0.01 and height <= room[1] + 0.01, (name, width, height)
        assert faults(ax) == []
        assert min(float(text.get_fontsize()) for text in seen(ax)) >= SMALLEST
    assert [str(one.message) for one in recwarn.list] == []


@pytest.mark.parametrize("name", FIGURES)
def test_pages_say_together_what_the_whole_says(name: str) -> None:
    """Every mark and cell stands once; each page has the legend and its number, the last one the notes."""
    whole, drawn = FIGURES[name](), pages(name, "a4")
    marks = [str(patch.get_gid()) for patch in whole.patches if patch.get_gid()]
    assert sorted(str(patch.get_gid()) for ax in drawn for patch in ax.patches if patch.get_gid()) == sorted(marks)
    cells = sorted(text for text in texts(whole) if re.fullmatch(r"[A-Z]{1,3}(\([A-Z]+\))?|\d+/\d+|0\.\d\d", text))
    there = sorted(text for ax in drawn for text in texts(ax) if text in set(cells))
    assert set(there) == set(cells) and (there == cells or name.startswith("pending")), "there equal rows are one"
    legends = [sorted(text.get_text() for text in ax.get_legend().get_texts()) for ax in drawn]  # type: ignore[union-attr]
    assert all(legend == legends[0] for legend in legends)
    for number, ax in enumerate(drawn, 1):
        assert " ".join(ax.get_title(loc="left").split()).endswith(f"(page {number} of {len(drawn)})")
        assert ("What it rests on, and how it is read, stands on the last page." in texts(ax)) == (number < len(drawn))


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_pages_are_as_few_as_can_be_and_about_as_full() -> None:
    assert shared_out([10] * 6, 2, 100, 20) == [range(6)]
    assert shared_out([10] * 6, 2, 60, 0) == [range(3), range(3, 6)], "five fit, and then one would stand alone"
    assert shared_out([10] * 6, 2, 75, 20) == [range(3), range(3, 6)], "the notes need room"
    assert shared_out([10, 10, 200, 10], 0, 50, 0) == [range(2), range(2, 3), range(3, 4)]
    assert shared_out([50, 50], 0, 50, 40) == [range(1), range(1, 2), range(2, 2)], "notes on a page of their own"
    assert shared_out([], 0, 50, 0) == [range(0)]


def test_a_page_that_is_not_there_is_refused() -> None:
    with pytest.raises(EscalateError, match="page: the figure has 4 pages, and there is no page 5"):
        plot_decision_table(table("counts"), size="a4", page=5)
    with pytest.raises(EscalateError, match="page: the figure has 1 page, and there is no page 2"):
        plot_decision_table(table("counts"), page=2)
    with pytest.warns(UserWarning, match="points at the least; page=1 draws the first of its pages"):
        plot_decision_table(table("counts"), size="a4")


def test_files_of_pages_are_numbered_and_a_pdf_has_them_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rule = {"name": "BOIN", "target": 0.25}
    asked = [f"rule.{key}={value}" for key, value in rule.items() if key != "name"]
    assert main(["table", BASE, "--set", "rule=BOIN", "--set", *asked, "--for", "a4", "--out", "here"]) == 0
    names = {path.name for path in Path("here").iterdir() if path.stem.startswith("table")}
    pictures = {f"table-{k}.{kind}" for k in (1, 2) for kind in ("png", "svg")}
    assert names == {"table.txt", "table.csv", "table.md", "table.html", "table.pdf", *pictures}
    pdf = Path("here/table.pdf").read_bytes()
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 2
    found = esc.decision_table(esc.load(BASE).replace({"rule": rule}))
    again = [plot_decision_table(found, size="a4", page=number) for number in (1, 2)]
    assert document(again) == pdf, "the same figure, the same bytes"
    assert [image(ax, "svg") for ax in again] == [Path(f"here/table-{k}.svg").read_bytes() for k in (1, 2)]
