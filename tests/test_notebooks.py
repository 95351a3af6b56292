"""Notebooks are kept without outputs, and run; an error in a slider's function counts as one of its notebook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_kept_without_outputs(notebook: Path) -> None:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def executed(book: Any, folder: Path) -> str:
    """Run a notebook in a folder, and return it as text, the state of its widgets included."""
    nbformat = pytest.importorskip("nbformat", reason="needs the extra `notebooks`")
    nbclient = pytest.importorskip("nbclient", reason="needs the extra `notebooks`")
    for name in ("ipykernel", "ipywidgets", "pandas"):
        pytest.importorskip(name, reason="needs the extra `notebooks`")
    with pytest.MonkeyPatch.context() as patch:
        # nbclient tells the kernel of each output of a widget; if the cell's reply comes at that moment it is not
        # noticed before the time-out. No notebook reads its widgets' outputs, so the kernel need not know.
        patch.setattr("nbclient.output_widget.OutputWidget.sync_state", lambda self: None)
        nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    return str(nbformat.writes(book))


ERROR = '"output_type": "error"'
QUIET = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning", "ignore::ResourceWarning")


@QUIET
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(notebook: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="needs the extra `notebooks`")
    book = nbformat.read(notebook, as_version=4)
    assert ERROR not in executed(book, notebook.parent)
    figures = [out for cell in book.cells for out in cell.get("outputs", []) if "image/png" in out.get("data", {})]
    assert figures, "a notebook shows at least one figure"


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
    text = executed(book, tmp_path)
    assert (ERROR in text) == fails
    assert ("ZeroDivisionError" in text) == fails
    assert ("one over 1 is" in text) == (not fails)
