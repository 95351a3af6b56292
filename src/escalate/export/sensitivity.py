"""What each assumption does as a folder, with a tornado for each measure."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ..files import Out, write_folder, write_result
from ..plots import plot_tornado
from ..studies.sensitivities import Sensitivity
from .figures import figure
from .parts import Tell, write_studied


def write_sensitivity(found: Sensitivity, out: Out, *, overwrite: bool = False, tell: Tell | None = None) -> None:
    """Write what each assumption does as a folder: summary, CSV, and a tornado for each measure.

    Raises
    ------
    OutputError
        If the folder exists, or cannot be written; nothing is left half-written.
    """

    figures = {
        f"tornado-{base.measure.split()[0]}": figure(partial(plot_tornado, found, measure=base.measure))
        for base in found.base
    }
    write_folder(out, lambda folder: write_studied(folder, found), overwrite, figures, tell=tell)


@write_result.register(Sensitivity)
def _save_sensitivity(found: Sensitivity, out: Path, overwrite: bool) -> None:
    write_sensitivity(found, out, overwrite=overwrite)
