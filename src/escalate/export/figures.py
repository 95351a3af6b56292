"""A figure as files, in each format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ..files import Write
from ..plots.sheet import kinds
from ..plots.style import document, image

FORMATS = ("png", "svg", "pdf")
"""Formats that a figure can have, by the endings of its files."""


def drawn(plot: Callable[[], Any], formats: Sequence[str] | None = None) -> dict[str, bytes]:
    """Draw a figure, and return it in each format: where none are given, in those of what figures are for."""
    axes = plot()
    return {kind: image(axes, kind) for kind in (kinds() if formats is None else formats)}


def figure(plot: Callable[[], Any]) -> Write:
    """Return what draws a figure and writes it in each format; none, if one cannot be written."""

    def write(path: Path) -> None:
        for kind, data in drawn(plot).items():
            path.with_name(f"{path.name}.{kind}").write_bytes(data)

    return write


def pages(plot: Callable[[int], Any]) -> Write:
    """Return what draws a figure that may need several pages, by their numbers, and writes it in each format.

    Of several pages a PDF is one file, and pictures are numbered: ``table-1.png``.
    """

    def write(path: Path) -> None:
        first = plot(1)
        drawn_pages = [first, *(plot(number) for number in range(2, first.figure.pages + 1))]
        for kind in kinds():
            if len(drawn_pages) == 1:
                path.with_name(f"{path.name}.{kind}").write_bytes(image(first, kind))
            elif kind == "pdf":
                path.with_name(f"{path.name}.pdf").write_bytes(document(drawn_pages))
            else:
                for number, one in enumerate(drawn_pages, 1):
                    path.with_name(f"{path.name}-{number}.{kind}").write_bytes(image(one, kind))

    return write


def drawn_before(folder: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Return figures that stand in a folder as SVG, by the last part of their names: no figure is drawn twice."""
    files = (folder / f"{name}.svg" for name in names)
    return {file.stem: file.read_bytes() for file in files if file.exists()}
