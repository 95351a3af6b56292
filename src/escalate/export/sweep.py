"""A sweep's figure in the folder that the sweep keeps, and a sweep as a folder of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..errors import EscalateError, IncompleteError
from ..files import brief, write_folder, write_whole
from ..plots import plot_sweep
from ..studies.sweeps import Sweep, write_sweep
from .figures import drawn, figure
from .sheets import saves


def write_sweep_figure(found: Sweep, out: str | os.PathLike[str], name: str = "sweep", **what: Any) -> None:
    """Draw a sweep as ``sweep.png`` and ``sweep.svg``, or of another name, in its folder; `what` as in `plot_sweep`.

    Raises
    ------
    EscalateError
        If there is no such axis or measure.
    OutputError
        If the files cannot be written.
    IncompleteError
        If it cannot be drawn.
    """
    try:
        images = drawn(lambda: plot_sweep(found, **what))
    except EscalateError:
        raise
    except Exception as error:
        raise IncompleteError(f"{name} could not be drawn ({brief(error)}); everything else is in {out}") from error
    for kind, data in images.items():
        write_whole(Path(out) / f"{name}.{kind}", data)


@saves(Sweep)
def _save_sweep(found: Sweep, out: Path, overwrite: bool) -> None:
    write_folder(
        out, lambda folder: write_sweep(folder, found), overwrite, {"sweep": figure(lambda: plot_sweep(found))}
    )
