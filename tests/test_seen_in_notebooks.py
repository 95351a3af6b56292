"""A figure is seen in a notebook, exactly once, whatever ends its cell: in a real kernel, without magic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT

SCENARIO = str(ROOT / "scenarios" / "nct06337474.toml")
FIRST = f"""
import escalate as esc
trial = esc.simulate_trial(esc.load({SCENARIO!r}), seed=1)
"""

WITHOUT_PYPLOT = {
    "the Axes": ("esc.plot_timeline(trial)", 1),
    "their figure": ("esc.plot_timeline(trial).figure", 1),
    "assigned": ("ax = esc.plot_timeline(trial)", 0),
    "shown later": ("ax", 1),
    "and again": ("ax", 1),
    "a table's figure": ("esc.plot_decision_table(esc.decision_table(trial.scenario))", 1),
    "imported late": ("import matplotlib.pyplot as plt\nesc.plot_staircase(trial)", 1),
}
WITH_PYPLOT = {
    "the Axes": ("esc.plot_timeline(trial)", 1),
    "their figure": ("esc.plot_timeline(trial).figure", 1),
    "plt.show": ("esc.plot_timeline(trial)\nplt.show()", 1),
    "plt.show after a change": ("ax = esc.plot_timeline(trial)\nax.set_xlabel('mine')\nplt.show()", 1),
    "a semicolon": ("esc.plot_timeline(trial);", 1),
    "two of them": ("esc.plot_timeline(trial)\nesc.plot_staircase(trial)", 2),
    "written": ("from escalate.plots.style import save\nsave(esc.plot_timeline(trial), 'one.png')", 0),
    "written by a result": ("trial.save('here')", 0),
    "written by Matplotlib": ("esc.plot_timeline(trial).figure.savefig('two.svg')", 0),
    "seen before": ("ax", 1),
    "beside others": (
        "figure, axes = plt.subplots(1, 2, figsize=(24, 8))\n"
        "esc.plot_timeline(trial, ax=axes[0])\nesc.plot_staircase(trial, ax=axes[1]);",
        1,
    ),
    "nothing is left": ("print(plt.get_fignums())", 0),
}
KERNELS = {"without pyplot": ("", WITHOUT_PYPLOT), "with pyplot": ("import matplotlib.pyplot as plt\n", WITH_PYPLOT)}


def pictures(cell: Any) -> int:
    return sum("image/png" in output.get("data", {}) for output in cell["outputs"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("kernel", KERNELS)
def test_a_figure_is_seen_exactly_once(kernel: str, tmp_path: Path) -> None:
    v4 = pytest.importorskip("nbformat.v4", reason="needs the extra `notebooks`")
    nbclient = pytest.importorskip("nbclient", reason="needs the extra `notebooks`")
    pytest.importorskip("ipykernel", reason="needs the extra `notebooks`")
    more, cells = KERNELS[kernel]
    book = v4.new_notebook(
        cells=[v4.new_code_cell(code) for code in (more + FIRST, *(code for code, _ in cells.values()))]
    )
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    seen = {name: pictures(cell) for name, cell in zip(cells, book.cells[1:], strict=True)}
    assert seen == {name: wanted for name, (_, wanted) in cells.items()}
    texts = [
        str(out.get("text", "")) for cell in book.cells for out in cell["outputs"] if out["output_type"] == "stream"
    ]
    assert texts in ([], ["[]\n"]), "nothing is printed beside it"
    if kernel == "with pyplot":
        assert texts == ["[]\n"], "no figure is left open"
        assert (tmp_path / "here" / "timeline.png").exists()
