"""Files and folders that appear whole or not at all; nothing is overwritten unless asked.

Results save themselves (`Saves`), though what reports and draws them stands far above them: they ask `write_result`,
where `escalate.export` registers how each kind of result is written.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import singledispatch
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

from .errors import IncompleteError, OutputError

MARK = "resolved.json"
"""Every folder of results holds this file."""

MANIFEST = "SHA256SUMS"
"""It lists every file of a folder of results; only a folder that holds nothing else is ever overwritten."""

LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")
"""Files that a desktop leaves in folders that it shows."""

UNFINISHED = ".new"
"""How the name of a file ends that is not all written; it begins with a dot."""

MOST_TOLD = 5
"""So many files that would be lost are named one by one."""

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
            decision table a folder, or a file that ends in ``.txt``, ``.csv``, ``.md``, ``.html``, ``.png``,
            ``.svg`` or ``.pdf``. It appears whole or not at all.
        overwrite : bool
            Whether an earlier file, or an earlier folder of results, may be replaced.

        Raises
        ------
        OutputError
            If it exists already, has another ending, or cannot be written; nothing is left half-written.
        """
        import_module(WRITERS)
        write_result(self, Path(out), overwrite)


def numbered(wanted: Path) -> Iterator[Path]:
    """Yield a path, then ``name-2``, ``name-3`` and so on beside it."""
    yield wanted
    yield from (wanted.with_name(f"{wanted.name}-{number}") for number in itertools.count(2))


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


class Place:
    """A folder of results that was claimed before the work began: see `claimed`.

    Parameters
    ----------
    path : Path
        The folder: new and empty, or one that may be replaced. Where results went, once they are written.
    replaces : bool
        Whether an earlier folder may be replaced.
    parents : sequence of Path
        Folders that were made to hold it, the innermost first.
    """

    def __init__(self, path: Path, replaces: bool = False, parents: Sequence[Path] = ()) -> None:
        self.path, self._claimed, self._replaces, self._parents = path, path, replaces, parents
        self._written = False

    def write(
        self,
        write: Write,
        figures: Mapping[str, Write] | None = None,
        inputs: Sequence[FileRead] = (),
        tell: Callable[[], object] | None = None,
    ) -> None:
        """Write the folder beside its place and move it there, so that it appears whole or not at all.

        Parameters
        ----------
        write : callable
            Writes numbers and texts into the folder that it is given.
        figures : mapping of str to callable
            Each draws one figure, named by its key, and writes it to the path that it is given, whose ending is yet to
            come. One that cannot be drawn loses nothing else.
        inputs : sequence of FileRead
            What was read; it is kept under names that nothing else has.
        tell : callable, optional
            Says what was found, before any figure is drawn.

        Raises
        ------
        OutputError
            If it cannot be written; nothing is left half-written.
        IncompleteError
            If a figure could not be drawn, or the place is no longer free; everything else is written.
        """
        beside: Path | None = None
        try:
            beside = _new_beside(self.path)
            new = beside / "new"
            new.mkdir()
            write(new)
            unsaid = _said(tell)
            undrawn = _each(figures or {}, new)
            for kept in inputs:
                free_name(new, kept.name).write_bytes(kept.data)
            seal(new)
            if self._replaces:
                self._set_aside(beside / "old")
            self._settle(new)
        except OSError as error:
            raise OutputError(f"{self._claimed}: {why(error)}; nothing was written") from error
        finally:
            if beside is not None:
                self._put_back(beside / "old")
                shutil.rmtree(beside, ignore_errors=True)
        if unsaid is not None:
            raise unsaid
        self._say_what_is_missing(undrawn)

    def release(self) -> None:
        """Give the place back if nothing was written: what was made to claim it goes, if nobody has used it."""
        if not self._written:
            for folder in (*([] if self._replaces else [self.path]), *self._parents):
                with suppress(OSError):
                    folder.rmdir()

    def _set_aside(self, old: Path) -> None:
        """Move an earlier folder away, unless somebody added to it meanwhile."""
        try:
            self.path.rename(old)
        except OSError:
            return  # it stays, and the new one goes to the next number
        try:
            lost = _would_lose(old)
        except OSError as error:
            lost = why(error)
        if lost:
            self._put_back(old)

    def _put_back(self, old: Path) -> None:
        """Move an earlier folder to where it was, or near it, if nothing stands there that replaces it."""
        if old.exists() and not self._written:
            next(path for path in numbered(self._claimed) if _move(old, path))

    def _settle(self, new: Path) -> None:
        """Move the new folder to its place; to the next number, if something stands there that nobody claimed."""
        for path in numbered(self._claimed):
            ours = path == self._claimed and not self._replaces
            with suppress(FileExistsError):
                if not ours:
                    path.mkdir()
                if _move(new, path):
                    self.path, self._written = path, True
                    return

    def _say_what_is_missing(self, undrawn: Mapping[str, Exception]) -> None:
        said = []
        if self.path != self._claimed:
            said.append(f"{self._claimed}: somebody else wrote there meanwhile; the results are in {self.path}")
        for name, fault in undrawn.items():
            said.append(f"{name} could not be drawn ({brief(fault)}); everything else is in {self.path}")
        if said:
            raise IncompleteError("\n".join(said))


@contextmanager
def claimed(wanted: Path, overwrite: bool = False, take_next: bool = False) -> Iterator[Place]:
    """Claim a folder of results before the work begins; it is given back if nothing was written.

    Parameters
    ----------
    wanted : Path
        The folder. It is made, empty, so that two who ask at once have different ones.
    overwrite : bool
        Whether an earlier folder of results may be replaced, if nobody added to it; it is lost only when the new one
        is complete.
    take_next : bool
        Whether to take the next number where there is something already.

    Raises
    ------
    OutputError
        If there is something that may not be replaced, or nothing can be written there.
    """
    place = _claim(wanted, overwrite, take_next)
    try:
        yield place
    finally:
        place.release()


def _claim(wanted: Path, overwrite: bool, take_next: bool) -> Place:
    try:
        parents = [folder for folder in wanted.parents if not folder.exists()]
        wanted.parent.mkdir(parents=True, exist_ok=True)
        for path in numbered(wanted):
            with suppress(FileExistsError):
                path.mkdir()
                return Place(path, parents=parents)
            if not take_next:
                break
        check_free(wanted, overwrite)
        _new_beside(wanted).rmdir()
    except OSError as error:
        raise OutputError(f"{wanted}: {why(error)}; nothing was written") from error
    return Place(wanted, replaces=True)


def check_free(out: Path, overwrite: bool) -> None:
    """Raise `OutputError` if there is something that a folder of results may not replace."""
    if not os.path.lexists(out):
        return
    if not overwrite:
        raise OutputError(f"{out}: {EXISTS}")
    if out.is_symlink() or not out.is_dir() or not out.name:
        raise OutputError(f"{out}: is not a folder of results but something else, so it is not overwritten")
    lost = _would_lose(out)
    if lost:
        raise OutputError(f"{out}: {lost}")


def _would_lose(folder: Path) -> str:
    """Return what would be lost with a folder, and why it is not overwritten; empty where nothing is."""
    if not any(folder.iterdir()):
        return ""
    listed = _listed(folder)
    if MARK not in listed:
        return f"is not a folder of results (it holds no {MANIFEST} with {MARK}), so it is not overwritten"
    lost = [
        name + (" (changed)" if name in listed else "")
        for name, path in _files_in(folder)
        if path.name not in LITTER and name != MANIFEST and listed.get(name) != _sha256(path)
    ]
    if not lost:
        return ""
    more = f" and {len(lost) - MOST_TOLD} more" if len(lost) > MOST_TOLD else ""
    return (
        f"--overwrite would lose what escalate did not write there: {', '.join(lost[:MOST_TOLD])}{more}; "
        "move it elsewhere, or choose another --out"
    )


def seal(folder: Path) -> None:
    """List every file of a folder with its SHA-256, as ``sha256sum --check`` reads it."""
    lines = []
    for name, path in _files_in(folder):
        safe = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        lines.append(f"{'' if safe == name else chr(92)}{_sha256(path)}  {safe}\n")
    (folder / MANIFEST).write_bytes("".join(lines).encode("utf-8", "surrogateescape"))


def _listed(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that a folder's list names."""
    try:
        text = (folder / MANIFEST).read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return {}
    found = {}
    for line in text.split("\n"):
        checksum, _, name = line.partition("  ")
        if checksum.startswith("\\"):
            name = re.sub(r"\\(.)", lambda escaped: {"n": "\n", "r": "\r"}.get(escaped[1], escaped[1]), name)
        found[name] = checksum.lstrip("\\")
    return found


def _files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield name, with slashes, and path of whatever stands in a folder and is none; links are not followed."""
    for root, folders, files in os.walk(folder):
        folders.sort()
        links = [name for name in folders if Path(root, name).is_symlink()]
        for path in (Path(root, name) for name in sorted([*files, *links])):
            yield path.relative_to(folder).as_posix(), path


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a plain file; of nothing else, which might never end."""
    if path.is_symlink() or not path.is_file():
        return "not a file"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _said(tell: Callable[[], object] | None) -> Exception | None:
    """Say what was found, and return why it could not be said: the terminal is no reason to lose it."""
    try:
        if tell is not None:
            tell()
    except Exception as error:
        return error
    return None


def _each(doers: Mapping[str, Write], folder: Path) -> dict[str, Exception]:
    """Do each, and return what failed."""
    failed = {}
    for name, do in doers.items():
        try:
            do(folder / name)
        except Exception as error:
            failed[name] = error
    return failed


def brief(fault: Exception) -> str:
    """Return in one line what went wrong."""
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    return f"{type(fault).__name__}: {lines[0]}" if lines else type(fault).__name__


def _new_beside(path: Path) -> Path:
    """Return a new, hidden folder beside a path."""
    return Path(tempfile.mkdtemp(prefix=f".{path.name[:60]}-", dir=path.parent))


def _move(folder: Path, place: Path) -> bool:
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


def free_name(folder: Path, name: str) -> Path:
    """Return a path in a folder for a file of some name, or of one near it that no file there has, in any case."""
    taken = {path.name.casefold() for path in folder.iterdir()} | {MANIFEST.casefold()}
    stem, ending = Path(name).stem, Path(name).suffix
    names = itertools.chain([name], (f"{path}{ending}" for path in numbered(Path(f"{stem}-input"))))
    return folder / next(free for free in names if free.casefold() not in taken)


def write_folder(
    out: Path | Place,
    write: Write,
    overwrite: bool = False,
    figures: Mapping[str, Write] | None = None,
    inputs: Sequence[FileRead] = (),
    tell: Callable[[], object] | None = None,
) -> None:
    """Write a folder as `Place.write` does: to a place that was claimed before the work, or claimed here."""
    if isinstance(out, Place):
        out.write(write, figures, inputs, tell)
    else:
        with claimed(out, overwrite) as place:
            place.write(write, figures, inputs, tell)


def begin_folder(out: Path, write: Write) -> bool:
    """Write what a folder begins with in which work goes on; it appears whole, where nothing is.

    Returns
    -------
    bool
        Whether it was begun here; if not, somebody else has begun it.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    beside: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = _new_beside(out)
        (beside / "new").mkdir()
        write(beside / "new")
        return _move(beside / "new", out)
    except OSError as error:
        raise OutputError(f"{out}: {why(error)}; nothing was written") from error
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)


def clear_unfinished(folder: Path) -> None:
    """Delete files that somebody began to write into a folder and was killed."""
    for path in folder.glob(f".*{UNFINISHED}"):
        with suppress(OSError):
            path.unlink()


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
        beside, file = _new_file_beside(path)
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
        beside, file = _new_file_beside(path)
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


def _new_file_beside(path: Path) -> tuple[Path, BinaryIO]:
    """Return a new, hidden file beside a path, and open it; one that stands there already is never opened."""
    while True:
        beside = path.with_name(f".{path.name[:60]}.{secrets.token_hex(4)}{UNFINISHED}")
        with suppress(FileExistsError):
            return beside, beside.open("xb")


def why(error: OSError) -> str:
    """Return why something cannot be written, and what to do about it."""
    if error.errno == errno.ENOSPC:
        return "the disk is full; free some space or choose another --out"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "may not be written; choose another --out"
    return f"cannot be written ({error.strerror or error})"
