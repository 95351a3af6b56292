"""Scenarios that come with escalate: beside the package where it is installed, and in the checkout."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).parent
_FOLDERS = (_PACKAGE / "scenarios", _PACKAGE.parent.parent / "scenarios")


def shipped() -> dict[str, Path]:
    """Return the files of the scenarios that come with escalate, by their names."""
    files = next((found for folder in _FOLDERS if (found := sorted(folder.glob("*.toml")))), [])
    return {file.stem: file for file in files}


def scenario_file(scenario: str | os.PathLike[str], folder: Path = Path()) -> Path:
    """Return the file that a person means: the file itself, or where there is none, that of the name.

    Parameters
    ----------
    scenario : path or str
        A file, or the name of a scenario that comes with escalate.
    folder : path
        Where a relative file begins.
    """
    path = folder / scenario
    return path if _is_file(path) else shipped().get(os.fspath(scenario), path)


def _is_file(path: Path) -> bool:
    """Return whether a path is a file; a name that no file can have is none."""
    try:
        return "\0" not in str(path) and path.is_file()
    except OSError:  # too long a name, or a folder that may not be read: whoever opens it says why
        return False
