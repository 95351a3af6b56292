"""Files and folders that appear whole or not at all; nothing is overwritten unless asked.

Results save themselves (`Saves`), though what reports and draws them stands far above them: they ask `write_result`,
where `escalate.export` registers how each kind of result is written.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import singledispatch
from importlib import import_module
from pathlib import Path

from .errors import OutputError

MARK = "resolved.json"
"""Every folder of results holds this file; no other folder is ever overwritten."""

WRITERS = "escalate.export"
"""The module that registers how each kind of result is written; loaded when something is saved for the first time."""

EXISTS = "exists already; choose another --out, or replace it with --overwrite (in Python: overwrite=True)"
"""Why nothing is written, and how it would be."""

Write = Callable[[Path], None]


@singledispatch
def write_result(result: object, out: Path, overwrite: bool) -> None:
    """Write a result; `WRITERS` registers a function for each kind.

    Raises
    ------
    TypeError
        If none is registered for this kind.
    """
    raise TypeError(f"{WRITERS} registers nothing that writes a {type(result).__name__}")


class Saves:
    """A result that can be written as the command line writes it."""

    __slots__ = ()

    def save(self, out: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the result, in the same bytes as the command line.

        Parameters
        ----------
        out : path
            A folder of results; for a table of records a ``.csv`` file, for many trials an ``.npz`` file; for a
            decision table a folder, or a file that ends in ``.txt``, ``.csv``, ``.md``, ``.html``, ``.png`` or
            ``.svg``. It appears whole or not at all.
        overwrite : bool
            Whether an earlier file, or an earlier folder of results, may be replaced.

        Raises
        ------
        OutputError
            If it exists already, has another ending, or cannot be written; nothing is left half-written.
        """
        import_module(WRITERS)
        write_result(self, Path(out), overwrite)


def free_folder(wanted: Path) -> Path:
    """Return the folder itself if it does not exist, otherwise the first of ``name-2``, ``name-3`` that does not."""
    number, free = 2, wanted
    while free.exists():
        free = wanted.with_name(f"{wanted.name}-{number}")
        number += 1
    return free


MOST_BYTES, MOST_OF_RECORD = 1_000_000, 10_000_000
"""Most bytes that are read of a file that people write, a hundred times what they have; and of one that a program
wrote: a registry's record, a resolved scenario."""


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the contents of a file, or of a pipe, that has at most so many bytes.

    Raises
    ------
    OSError
        If it cannot be read, or is longer: a device or a pipe may never end.
    """
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "no file can have this name")
    with path.open("rb") as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise OSError(errno.EFBIG, f"it is longer than {most:,} bytes, and no file of this kind is")
    return found


def check_free(out: Path, overwrite: bool) -> None:
    """Raise `OutputError` if a folder of results cannot be written there."""
    if not out.exists():
        return
    if not overwrite:
        raise OutputError(f"{out}: {EXISTS}")
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
    """Write a text file that appears whole or not at all: see `write_file`."""
    write_file(path, text.encode(), overwrite)


def write_file(path: Path, data: bytes, overwrite: bool = False) -> None:
    """Write a file that appears whole or not at all.

    Raises
    ------
    OutputError
        If the file exists and may not be overwritten, or cannot be written.
    """
    if path.exists() and not (overwrite and path.is_file()):
        raise OutputError(f"{path}: {EXISTS}")
    write_whole(path, data)


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
