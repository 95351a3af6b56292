"""Places beside a place: where something is made before it is moved there, and where it goes if that is taken."""

from __future__ import annotations

import errno
import itertools
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

UNFINISHED = ".new"
"""How the name of a file ends that is not all written; it begins with a dot."""


def numbered(wanted: Path) -> Iterator[Path]:
    """Yield a path, then ``name-2``, ``name-3`` and so on beside it."""
    yield wanted
    yield from (wanted.with_name(f"{wanted.name}-{number}") for number in itertools.count(2))


def new_beside(path: Path) -> Path:
    """Return a new, hidden folder beside a path."""
    return Path(tempfile.mkdtemp(prefix=f".{path.name[:60]}-", dir=path.parent))


def new_file_beside(path: Path) -> tuple[Path, BinaryIO]:
    """Return a new, hidden file beside a path, and open it; one that stands there already is never opened."""
    while True:
        beside = path.with_name(f".{path.name[:60]}.{secrets.token_hex(4)}{UNFINISHED}")
        with suppress(FileExistsError):
            return beside, beside.open("xb")


def moved(folder: Path, place: Path) -> bool:
    """Move a folder to where nothing is but an empty folder at most; return whether it is there."""
    try:
        if os.name == "nt":  # where a rename replaces no folder, be it empty
            with suppress(FileNotFoundError):
                place.rmdir()
        folder.rename(place)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            return False
        raise
    return True


def clear_unfinished(folder: Path) -> None:
    """Delete files that somebody began to write into a folder and was killed."""
    for path in folder.glob(f".*{UNFINISHED}"):
        with suppress(OSError):
            path.unlink()
