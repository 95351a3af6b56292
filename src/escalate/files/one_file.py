"""A file that appears whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ..errors import OutputError
from .beside import new_file_beside
from .faults import EXISTS, why


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
    check_file_free(path, overwrite)
    write_whole(path, data, replace=overwrite)


def check_file_free(path: Path, overwrite: bool) -> None:
    """Raise `OutputError` if a file stands there that may not be replaced, or none can be written there."""
    if os.path.lexists(path) and not (overwrite and path.is_file()):
        raise OutputError(f"{path}: {EXISTS}")
    try:
        beside, file = new_file_beside(path)
        file.close()
        beside.unlink()
    except OSError as error:
        raise OutputError(f"{path}: {why(error)}; nothing was written") from error


def write_whole(path: Path, data: bytes, replace: bool = True) -> None:
    """Write a file beside its place and rename it, so that whoever reads it sees all of it or the one before.

    Parameters
    ----------
    path : Path
        The file.
    data : bytes
        What is in it.
    replace : bool
        Whether an earlier one is replaced.

    Raises
    ------
    OutputError
        If it cannot be written, or stands there and may not be replaced.
    """
    beside: Path | None = None
    try:
        beside, file = new_file_beside(path)
        with file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # a rename may outlive a power failure that what was written does not
        if not replace:
            path.open("xb").close()  # claimed: whoever comes later is refused
        beside.replace(path)
    except FileExistsError:
        raise OutputError(f"{path}: {EXISTS}") from None
    except OSError as error:
        raise OutputError(f"{path}: {why(error)}; nothing was written") from error
    finally:
        if beside is not None:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
