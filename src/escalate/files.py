"""Files and folders that appear whole or not at all; nothing is overwritten unless asked."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .errors import OutputError

MARK = "resolved.json"
"""Every folder of results holds this file; no other folder is ever overwritten."""

Write = Callable[[Path], None]


def free_folder(wanted: Path) -> Path:
    """Return the folder itself if it does not exist, otherwise the first of ``name-2``, ``name-3`` that does not."""
    number, free = 2, wanted
    while free.exists():
        free = wanted.with_name(f"{wanted.name}-{number}")
        number += 1
    return free


def check_free(out: Path, overwrite: bool) -> None:
    """Raise `OutputError` if a folder of results cannot be written there."""
    if not out.exists():
        return
    if not overwrite:
        raise OutputError(f"{out}: exists already; choose another --out, or replace it with --overwrite")
    if not (out / MARK).is_file() and not (out.is_dir() and not any(out.iterdir())):
        raise OutputError(f"{out}: is not a folder of results (it holds no {MARK}), so it is not overwritten")


def write_folder(out: Path, write: Write, overwrite: bool = False) -> None:
    """Write a folder beside its place and rename it, so that it appears whole or not at all.

    Parameters
    ----------
    out : Path
        The folder.
    write : callable
        Writes its files into the folder that it is given.
    overwrite : bool
        Whether an earlier folder of results may be replaced; it is lost only when the new one is complete.
    """
    check_free(out, overwrite)
    beside: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        new = beside / "new"
        new.mkdir()
        write(new)
        if out.exists():
            out.rename(beside / "old")
        new.rename(out)
    except OSError as error:
        if beside is not None and (beside / "old").exists() and not out.exists():
            (beside / "old").rename(out)
        raise OutputError(f"{out}: {why(error)}; nothing was written") from error
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)


def write_text(path: Path, text: str, overwrite: bool = False) -> None:
    """Write a text file that appears whole or not at all.

    Raises
    ------
    OutputError
        If the file exists and may not be overwritten, or cannot be written.
    """
    if path.exists() and not (overwrite and path.is_file()):
        raise OutputError(f"{path}: exists already; choose another --out, or replace it with --overwrite")
    write_whole(path, text.encode())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its place and rename it, so that whoever reads it sees all of it or the one before.

    Parameters
    ----------
    path : Path
        The file; an earlier one is replaced.
    data : bytes
        What is in it.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # a rename may outlive a power failure that what was written does not
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise OutputError(f"{path}: {why(error)}; nothing was written") from error


def why(error: OSError) -> str:
    """Return why something cannot be written, and what to do about it."""
    if error.errno == errno.ENOSPC:
        return "the disk is full; free some space or choose another --out"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "may not be written; choose another --out"
    return f"cannot be written ({error.strerror or error})"
