"""One process at a time works in a folder: a lock file beside it says which, and one that died is recognised."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from pathlib import Path

from ..errors import OutputError
from ..files import why


class Lock:
    """The right to work in a folder, from when it is made to when it is let go.

    Parameters
    ----------
    folder : Path
        The folder; the lock is the file ``.NAME.lock`` beside it.

    Raises
    ------
    OutputError
        If somebody else works there, or the lock cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        folder = folder.absolute()
        self._file, self._folder = folder.with_name(f".{folder.name}.lock"), folder
        self._mine = json.dumps(_who(os.getpid()))
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            while not self._taken():
                self._remove_if_stale()
        except OSError as error:
            raise OutputError(f"{folder}: {why(error)}; nothing was written") from error

    def close(self) -> None:
        """Let others work here."""
        with suppress(OSError):
            if self._file.read_text(encoding="utf-8") == self._mine:
                self._file.unlink()

    def _taken(self) -> bool:
        """Write the lock whole, unless there is one."""
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        beside.write_text(self._mine, encoding="utf-8")
        try:
            os.link(beside, self._file)
        except FileExistsError:
            return False
        except OSError:  # a disk without links
            try:
                with self._file.open("x", encoding="utf-8") as file:
                    file.write(self._mine)
            except FileExistsError:
                return False
        finally:
            beside.unlink()
        return True

    def _remove_if_stale(self) -> None:
        """Remove the lock of a process that is gone; raise `OutputError` if somebody is at work."""
        try:
            text = self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        try:
            who = json.loads(text)
            pid, host = int(who["pid"]), str(who["host"])
        except (ValueError, TypeError, KeyError):
            pid, host = 0, "nobody knows where"
        here = host == socket.gethostname()
        if here and pid and (_who(pid) != who or not _lives(pid)):
            aside = self._file.with_name(f"{self._file.name}.{os.getpid()}.old")
            with suppress(FileNotFoundError):
                self._file.rename(aside)
                if aside.read_text(encoding="utf-8") != text:  # somebody else was quicker, and has it now
                    aside.rename(self._file)
                else:
                    aside.unlink()
            return
        whom = f"process {pid} on {'this machine' if here else host}"
        raise OutputError(
            f"{self._folder}: another sweep is at work there ({whom}); wait for it, or choose another --out. "
            f"If it is gone for certain, delete {self._file}"
        )


def _who(pid: int) -> dict[str, object]:
    """Return what tells a process from every other: numbers are given again, so that its start belongs to it."""
    started = ""
    with suppress(OSError, IndexError):
        started = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[19]
    return {"pid": pid, "host": socket.gethostname(), "started": started}


def _lives(pid: int) -> bool:
    """Return whether there is such a process; true where the system does not tell without ending it."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
