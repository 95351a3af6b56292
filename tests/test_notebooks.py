"""Notebooks run, and show what is kept of them; an error in a slider's function counts as one of its notebook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from write_notebooks import NOTEBOOKS, PICTURE, executed, kept, read, texts

QUIET = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning", "ignore::ResourceWarning")
ERROR = '"output_type": "error"'
HOW = "python tests/write_notebooks.py keeps them anew"


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


def run(book: Any, folder: Path) -> Any:
    """Run a notebook, where it can be run."""
    for name in ("nbformat", "nbclient", "ipykernel", "ipywidgets", "pandas", "jinja2", "tabulate", "openpyxl"):
        pytest.importorskip(name, reason="needs the extra `notebooks`")
    return executed(book, folder)


@QUIET
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_shows_what_is_kept(notebook: Path) -> None:
    book = read(notebook)
    now = run(book, notebook.parent)
    assert ERROR not in json.dumps(now)
    assert texts(kept(now)) == texts(book), HOW
    assert any(PICTURE in output.get("data", {}) for cell in book["cells"] for output in cell.get("outputs", []))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_kept_in_order_and_small(notebook: Path) -> None:
    code = [cell for cell in read(notebook)["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1)), HOW
    assert notebook.stat().st_size < 500_000, "a notebook is read over the network, and kept in every version"


def test_only_what_stands_alone_is_kept() -> None:
    """Sliders and progress bars need a kernel, and how a bar moves is chance; a picture that sliders fill is kept."""
    one_dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    views = [
        {"output_type": "display_data", "metadata": {}, "data": {**view, "text/plain": "a widget"}}
        for view in ({"application/vnd.jupyter.widget-view+json": {"model_id": name}} for name in ("bar", "image"))
    ]
    halves = [{"output_type": "stream", "name": "stdout", "text": half} for half in ("one ", "line\n")]
    state = {
        "bar": {"model_name": "HBoxModel"},
        "image": {"model_name": "ImageModel", "buffers": [{"path": ["value"], "data": one_dot}]},
    }
    book = {
        "metadata": {
            "kernelspec": {"name": "python3"},
            "widgets": {"application/vnd.jupyter.widget-state+json": {"state": state}},
        },
        "cells": [{"cell_type": "code", "source": "", "execution_count": 7, "outputs": [*views, *halves]}],
    }
    pytest.importorskip("PIL")
    assert texts(kept(book)) == [["a picture", "one line\n"]]
    assert "widgets" not in kept(book)["metadata"]


SLIDER = """
from ipywidgets import interact

@interact(number=(0, 3))
def show(number):
    print(f"one over {number} is {1 / (number - NOUGHT)}")
"""


@QUIET
@pytest.mark.parametrize(("nought", "fails"), [("1", True), ("7", False)])
def test_an_error_in_a_slider_is_seen(tmp_path: Path, nought: str, fails: bool) -> None:
    """Such an error does not stop the notebook: it stands among the widgets' outputs, and has to be looked for."""
    v4 = pytest.importorskip("nbformat.v4", reason="needs the extra `notebooks`")
    book = v4.new_notebook(cells=[v4.new_code_cell(SLIDER.replace("NOUGHT", nought))])
    text = json.dumps(run(book, tmp_path))
    assert (ERROR in text) == fails
    assert ("ZeroDivisionError" in text) == fails
    assert ("one over 1 is" in text) == (not fails)
