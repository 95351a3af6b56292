"""A figure of its own shows itself in a notebook, exactly once: as the last line of a cell, or by pyplot."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .style import PAPER, PNG_DPI, image
from .texts import plain_texts

SHOWN_DPI = 96
"""A figure is as large in a notebook as an inch has dots on a screen; its picture has twice as many."""


class Picture(Figure):
    """A figure of its own: it shows itself in a notebook, and is written with texts that stay texts."""

    pages: int = 1
    """How many pages there are, where this is one of several: `page` of its plot function."""

    def draw(self, renderer: Any) -> None:
        """Draw it; what is drawn into a file, or to be shown, waits no longer to be shown."""
        with plain_texts():
            super().draw(renderer)
        if self.canvas.is_saving():
            forget(self)

    def savefig(self, fname: Any, **options: Any) -> None:
        """Write it to a file, as Matplotlib does: a picture with as many dots as `escalate` writes."""
        with plain_texts():
            super().savefig(fname, **{"dpi": PNG_DPI, **options})

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return its picture for a notebook, and how large that is shown."""
        data = image(self, "png")
        wide, tall = self.get_size_inches()
        return data, {"width": round(SHOWN_DPI * wide), "height": round(SHOWN_DPI * tall)}

    def _ipython_display_(self) -> None:
        data, shown = self._repr_png_()
        display = import_module("IPython.display").display
        display({"image/png": data, "text/plain": repr(self)}, raw=True, metadata={"image/png": shown})


class Drawn(Axes):
    """The Axes of such a figure: as the last line of a cell they show the figure."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        figure = self.get_figure(root=True)
        assert isinstance(figure, Picture)
        return figure._repr_png_()


def new_picture(width: float, height: float) -> Picture:
    """Return an empty figure of its own of some size [inches]."""
    figure = Picture(figsize=(width, height), facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def offer(figure: Figure) -> None:
    """Let pyplot show a figure at the end of a notebook's cell, where it does so with all figures.

    Whoever shows or writes the figure first takes it from there, so that it is seen once.
    """
    ipython, pyplot = sys.modules.get("IPython"), sys.modules.get("matplotlib.pyplot")
    shell = None if ipython is None or pyplot is None else ipython.get_ipython()
    if pyplot is None or getattr(shell, "kernel", None) is None or "inline" not in pyplot.get_backend():
        return
    inline = import_module("matplotlib_inline.backend_inline")
    number = max(pyplot.get_fignums(), default=0) + 1
    manager = inline.new_figure_manager_given_figure(number, figure)
    import_module("matplotlib._pylab_helpers").Gcf._set_new_active_manager(manager)


def forget(figure: Figure) -> None:
    """Take a figure from pyplot, so that it is not shown again."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and getattr(figure, "number", None) in pyplot.get_fignums():
        pyplot.close(figure)
