"""Run every notebook and keep its outputs: ``python tests/write_notebooks.py [WORDS]``, after one has changed.

Kept are texts, tables and small pictures, so that whoever previews a notebook sees something. What a widget is (a
slider, a progress bar) lives in a kernel alone; of a widget that is a picture, the picture is kept.
`test_notebooks.py` runs them, too, and checks that the texts are those kept.
"""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

COLOURS, WIDEST = 32, 800
"""Colours of a kept picture, and its width at most [dots]: as a screen shows it, and small."""

WIDGET, PICTURE = "application/vnd.jupyter.widget-view+json", "image/png"


def read(notebook: Path) -> Any:
    """Return a notebook as it is kept."""
    return json.loads(notebook.read_text(encoding="utf-8"))


def executed(book: Any, folder: Path) -> Any:
    """Run a notebook in a folder, and return it with its outputs and the state of its widgets."""
    from nbclient import NotebookClient
    from nbformat import reads, writes

    run = reads(json.dumps(book), as_version=4)
    # nbclient tells the kernel of each output of a widget; if the cell's reply comes at that moment it is not noticed
    # before the time-out. No notebook reads its widgets' outputs, so the kernel need not know.
    with patch("nbclient.output_widget.OutputWidget.sync_state", lambda self: None):
        NotebookClient(run, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return json.loads(writes(run))


def kept(run: Any) -> Any:
    """Return a notebook that was run as it is kept: outputs that stand alone, pictures small, cells in order."""
    widgets = run["metadata"].get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    cells, number = [], 0
    for cell in run["cells"]:
        cell = {key: value for key, value in cell.items() if key != "metadata"} | {"metadata": {}}
        cell["source"] = _lines(cell["source"])
        if cell["cell_type"] == "code":
            number += 1
            cell["execution_count"] = number
            cell["outputs"] = list(_outputs(cell["outputs"], widgets, number))
        cells.append(cell)
    metadata = {"kernelspec": run["metadata"]["kernelspec"], "language_info": {"name": "python"}}
    return {**run, "cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _outputs(outputs: list[Any], widgets: Any, number: int) -> Iterator[Any]:
    """Yield what is kept of a cell's outputs: streams in one piece, no widget but its picture."""
    printed = ""
    for output in outputs:
        if output["output_type"] == "stream":
            assert output["name"] == "stdout", f"cell {number} says on stderr: {output['text']}"
            printed += "".join(output["text"])
            continue
        if printed:
            yield _stream(printed)
            printed = ""
        data, meta = dict(output["data"]), output.get("metadata", {})
        if WIDGET in data:
            data = _picture_of(widgets.get(data[WIDGET]["model_id"], {}))
            meta = {}
        if not data:
            continue
        if PICTURE in data:
            data[PICTURE], meta = small(data[PICTURE], meta.get(PICTURE, {}).get("width", WIDEST)), {}
        data = {kind: value if kind == PICTURE else _lines(value) for kind, value in sorted(data.items())}
        display = {"output_type": output["output_type"], "data": data, "metadata": meta}
        yield display | ({"execution_count": number} if output["output_type"] == "execute_result" else {})
    if printed:
        yield _stream(printed)


def _stream(text: str) -> Any:
    return {"output_type": "stream", "name": "stdout", "text": _lines(text)}


def _picture_of(widget: Any) -> dict[str, str]:
    """Return a widget that is a picture as the output that shows it; nothing of any other."""
    buffers = [one["data"] for one in widget.get("buffers", []) if one["path"] == ["value"]]
    return {PICTURE: buffers[0]} if widget.get("model_name") == "ImageModel" and buffers else {}


def _lines(text: str | list[str]) -> list[str]:
    return "".join(text).splitlines(keepends=True)


def small(png: str, width: int) -> str:
    """Return a picture with as many dots as it is shown with on a screen, and few colours."""
    from PIL import Image

    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    wide = min(width, WIDEST, picture.width)
    if wide < picture.width:
        picture = picture.resize((wide, round(picture.height * wide / picture.width)), Image.Resampling.LANCZOS)
    contents = io.BytesIO()
    few = picture.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(contents, "PNG", optimize=True)
    return base64.b64encode(contents.getvalue()).decode() + "\n"


def texts(book: Any) -> list[list[str]]:
    """Return by cell what a kept notebook says, and where there is a picture: what must be as it is when run anew.

    Numbers with more than six decimals are rounded: the last ones are those of a processor.
    """
    return [[*map(_said, cell.get("outputs", []))] for cell in book["cells"]]


def _said(output: Any) -> str:
    if output["output_type"] == "error":
        return f"{output['ename']}: {output['evalue']}"
    data = output.get("data", {"text/plain": output.get("text", "")})
    said = "\n".join("a picture" if kind == PICTURE else "".join(data[kind]) for kind in sorted(data))
    return re.sub(r"\d+\.\d{7,}", lambda number: f"{float(number[0]):.6g}", said)


def written(book: Any) -> str:
    """Return a notebook as the text of its file."""
    return json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main(words: list[str]) -> None:
    """Run the notebooks whose names hold one of some words, all where there is none, and keep what they show."""
    for notebook in NOTEBOOKS:
        if not words or any(word in notebook.name for word in words):
            before = notebook.read_text(encoding="utf-8")
            now = written(kept(executed(read(notebook), notebook.parent)))
            notebook.write_text(now, encoding="utf-8", newline="\n")
            says = "as it was" if now == before else "written"
            print(f"{notebook.name:<36} {len(now) // 1000:>5,} kB  {says}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
