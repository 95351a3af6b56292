"""In a real JupyterLab: pictures are seen once, sliders move what they should, a long piece of work shows its bar."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chromium import needs_chromium
from jupyter_lab import PANEL, Page, browser, lab_on
from write_notebooks import NOTEBOOKS, PICTURE, read

pytestmark = [
    pytest.mark.long,
    needs_chromium,
]

SLOW = """
import time
import escalate as esc
scenario = esc.load("nct06337474")
for _ in range(2):  # so many are compiled, which takes its time once
    begun = time.perf_counter()
    esc.simulate(scenario, trials=40_000, progress=False)
    speed = 40_000 / (time.perf_counter() - begun)
trials = esc.simulate(scenario, trials=min(int(8 * speed), 4_000_000))
"""


def without_outputs(book: Any) -> Any:
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return book


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def lab(place: Path) -> Iterator[str]:
    """JupyterLab on the notebooks, none of which has an output, and on one that takes its time."""
    for name in ("jupyterlab", "websocket", "ipywidgets"):
        pytest.importorskip(name, reason="needs the extra `notebooks`")
    folder = place / "notebooks"
    folder.mkdir()
    for notebook in NOTEBOOKS:
        (folder / notebook.name).write_text(json.dumps(without_outputs(read(notebook))))
    cell = {"cell_type": "code", "id": "slow", "metadata": {}, "source": SLOW, "outputs": [], "execution_count": None}
    book = {**read(NOTEBOOKS[0]), "cells": [cell]}
    (folder / "slow.ipynb").write_text(json.dumps(book))
    with lab_on(folder, place) as address:
        yield address


@pytest.fixture
def page(lab: str, tmp_path: Path) -> Iterator[Page]:
    with browser(tmp_path) as found:
        yield found


def kept_pictures(notebook: Path) -> dict[str, int]:
    """Return by cell how many pictures are kept; the last cell's in notebooks with sliders is filled by them."""
    shown = {
        str(number): sum(PICTURE in output.get("data", {}) for output in cell.get("outputs", []))
        for number, cell in enumerate(read(notebook)["cells"])
    }
    return {cell: count for cell, count in shown.items() if count}


def test_each_picture_is_seen_once(lab: str, page: Page, tmp_path: Path) -> None:
    page.open_notebook(lab, NOTEBOOKS[0].name)
    assert page.pictures() == {}
    page.run_all()
    page.finish()
    wanted = kept_pictures(NOTEBOOKS[0])
    page.until(f"Object.keys({json.dumps(wanted)}).length <= document.querySelectorAll('.jp-RenderedImage img').length")
    assert page.pictures() == wanted
    assert page.errors() == []
    for number in (*wanted, "17"):
        page.js(f"{PANEL}.content.widgets[{number}].node.scrollIntoView()")
        page.shoot(tmp_path / f"cell{number}.png")


IMAGE = "document.querySelector('.jp-OutputArea-output img.widget-image')"


def test_a_slider_moves_its_picture(lab: str, page: Page, tmp_path: Path) -> None:
    page.open_notebook(lab, NOTEBOOKS[1].name)
    page.run_all()
    page.finish()
    before = page.until(f"{IMAGE}?.naturalWidth > 100 && {IMAGE}.src")
    readout = "document.querySelector('.widget-slider .widget-readout').innerText"
    assert page.js(readout) == "0.25"
    page.js(f"{IMAGE}.scrollIntoView({{block: 'center'}})")
    page.shoot(tmp_path / "before.png")
    page.js("document.querySelector('.widget-slider .noUi-handle').focus()")
    page.press("ArrowRight")
    page.until(f"{IMAGE}.src !== {json.dumps(before)} && {IMAGE}.naturalWidth > 100")
    assert page.js(readout) == "0.30"
    assert page.js("document.querySelectorAll('.jp-OutputArea-output img.widget-image').length") == 1
    assert page.errors() == []
    page.shoot(tmp_path / "after.png")


def test_a_bar_is_seen_and_moves(lab: str, page: Page, tmp_path: Path) -> None:
    page.open_notebook(lab, "slow.ipynb")
    page.run_all()
    bar = "document.querySelector('.jp-OutputArea-output .progress-bar')"
    first = page.until(f"{bar}?.style.width", 0.05)
    words = page.js(f"{bar}.closest('.jp-OutputArea-output').innerText")
    assert "simulating" in words
    assert "trials" in words
    page.until(f"{bar} && {bar}.style.width !== {json.dumps(first)}", 0.05)
    page.shoot(tmp_path / "bar.png")
    page.finish()
    page.until(f"!{bar}")
    assert page.errors() == []
