"""What is read: once, at the start, and never without an end."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that was read once: what is kept in results is what was read, whatever stands there later.

    Parameters
    ----------
    path : Path
        Where it was read: a file, or a pipe.
    data : bytes
        What was read.
    """

    path: Path
    data: bytes

    @property
    def name(self) -> str:
        """Its name beside results; that of a pipe says nothing."""
        return "scenario.toml" if self._is_a_pipe else self.path.name

    @property
    def folder(self) -> Path:
        """Where the names of files in it begin: its own folder, and for a pipe that of the session."""
        return Path() if self._is_a_pipe else self.path.parent

    @property
    def _is_a_pipe(self) -> bool:
        return self.path.exists() and not self.path.is_file()
