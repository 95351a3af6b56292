"""A folder that appears whole or not at all, in a place that was claimed before the work began."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from ..errors import IncompleteError, OutputError
from .beside import moved, new_beside, numbered
from .faults import EXISTS, brief, why
from .manifest import MANIFEST, seal, would_lose
from .reading import FileRead

Write = Callable[[Path], None]


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
            beside = new_beside(self.path)
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
            lost = would_lose(old)
        except OSError as error:
            lost = why(error)
        if lost:
            self._put_back(old)

    def _put_back(self, old: Path) -> None:
        """Move an earlier folder to where it was, or near it, if nothing stands there that replaces it."""
        if old.exists() and not self._written:
            next(path for path in numbered(self._claimed) if moved(old, path))

    def _settle(self, new: Path) -> None:
        """Move the new folder to its place; to the next number, if something stands there that nobody claimed."""
        for path in numbered(self._claimed):
            ours = path == self._claimed and not self._replaces
            with suppress(FileExistsError):
                if not ours:
                    path.mkdir()
                if moved(new, path):
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


Out = str | os.PathLike[str] | Place
"""A folder to write, or the place that was claimed for it."""


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
    check_is_folder(wanted, chosen=not take_next)
    place = _claim(wanted, overwrite, take_next)
    try:
        yield place
    finally:
        place.release()


OF_FILES = {
    ".png", ".svg", ".pdf", ".jpg", ".jpeg", ".eps", ".gif", ".csv", ".txt", ".md", ".html", ".json", ".toml", ".npz",
    ".xlsx", ".parquet", ".tsv", ".docx", ".zip",
}  # fmt: skip
"""How names of files end, and of no folder."""


def check_is_folder(wanted: Path, chosen: bool = True) -> None:
    """Raise `OutputError` where a person has chosen a name for a folder that ends as a file's does."""
    ending = wanted.suffix.lower()
    if not chosen or ending not in OF_FILES or wanted.is_dir():
        return
    is_figure = ending in (".png", ".svg", ".pdf", ".jpg", ".jpeg", ".eps", ".gif")
    alone = f'; a figure alone is saved by its own .figure.savefig("{wanted.name}")' if is_figure else ""
    raise OutputError(f"{wanted}: these results are a folder of several files; name one without {ending}{alone}")


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
        new_beside(wanted).rmdir()
    except OSError as error:
        raise OutputError(f"{wanted}: {why(error)}; nothing was written") from error
    return Place(wanted, replaces=True)


def check_free(out: Path, overwrite: bool) -> None:
    """Raise `OutputError` if there is something that a folder of results may not replace."""
    if not os.path.lexists(out):
        return
    if not overwrite:
        raise OutputError(f"{out}: {EXISTS}{_of_one_who_was_killed(out)}")
    if out.is_symlink() or not out.is_dir() or not out.name:
        raise OutputError(f"{out}: is not a folder of results but something else, so it is not overwritten")
    lost = would_lose(out)
    if lost:
        raise OutputError(f"{out}: {lost}")


def _of_one_who_was_killed(out: Path) -> str:
    """Return what an empty folder may be; empty where something is in it."""
    is_empty = out.is_dir() and not out.is_symlink() and not any(out.iterdir())
    return ". It is empty: a run is at work there, or was killed, and then --overwrite loses nothing" * is_empty


def place_for(out: Out, overwrite: bool = False) -> AbstractContextManager[Place]:
    """Return the place that was claimed before the work, which whoever claimed it gives back; or claim one now."""
    return nullcontext(out) if isinstance(out, Place) else claimed(Path(out), overwrite)


def write_folder(
    out: Out,
    write: Write,
    overwrite: bool = False,
    figures: Mapping[str, Write] | None = None,
    inputs: Sequence[FileRead] = (),
    tell: Callable[[], object] | None = None,
) -> None:
    """Write a folder as `Place.write` does: to a place that was claimed before the work, or claimed here."""
    with place_for(out, overwrite) as place:
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
    check_is_folder(out)
    beside: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = new_beside(out)
        (beside / "new").mkdir()
        write(beside / "new")
        return moved(beside / "new", out)
    except OSError as error:
        raise OutputError(f"{out}: {why(error)}; nothing was written") from error
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)


def free_name(folder: Path, name: str) -> Path:
    """Return a path in a folder for a file of some name, or of one near it that no file there has, in any case."""
    taken = {path.name.casefold() for path in folder.iterdir()} | {MANIFEST.casefold()}
    stem, ending = Path(name).stem, Path(name).suffix
    names = itertools.chain([name], (f"{path}{ending}" for path in numbered(Path(f"{stem}-input"))))
    return folder / next(free for free in names if free.casefold() not in taken)


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
