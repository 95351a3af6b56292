"""What is compiled is kept on disk: what is damaged there is made again, and where nothing can be kept, one goes on."""

from __future__ import annotations

import hashlib
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

SUMS = ".sha256"
"""Ending of the file that says what numba's files held when they were written: damaged machine code is not run."""


class Kept:
    """numba's cache of one function, which cannot make anything fail.

    Parameters
    ----------
    cache
        numba's own: ``dispatcher._cache``.
    name : str
        The function's.
    """

    def __init__(self, cache: Any, name: str) -> None:
        self._cache, self._name = cache, name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what is kept, or nothing; what is damaged is cleared away, and so compiled again, and told."""
        try:
            if self._is_whole():
                return self._load(sig, target_context)
        except Exception:  # whatever damaged files make of themselves
            pass
        self._clear()
        warnings.warn(
            f"what was compiled and kept in {self._cache.cache_path} was damaged, and is compiled again: results are "
            "the same",
            RuntimeWarning,
            stacklevel=2,
        )
        return None

    def _load(self, sig: Any, target_context: Any) -> Any:
        """Return what is kept, without first reading all that numba needs to compile: in a third of the time."""
        try:
            from numba.core.runtime.nrt import rtsys

            load, guarded = self._cache._load_overload, self._cache._guard_against_spurious_io_errors
        except (ImportError, AttributeError):  # another numba has other names
            return self._cache.load_overload(sig, target_context)
        rtsys.initialize(target_context)
        with guarded():
            return load(sig, target_context)

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled; say so where that is not possible."""
        try:
            self._cache.save_overload(sig, data)
            self._sums().write_text(self._sum(), encoding="ascii")
        except Exception as error:  # a full disk, a folder that may not be written
            self._clear()
            warnings.warn(
                f"what was compiled cannot be kept in {self._cache.cache_path} ({error}); results are the same, and "
                "the next run compiles again. NUMBA_CACHE_DIR names another folder",
                RuntimeWarning,
                stacklevel=2,
            )

    def _files(self) -> list[Path]:
        found = Path(self._cache.cache_path).glob(f"*.{self._name}-*")
        return sorted(file for file in found if file.suffix in (".nbi", ".nbc"))

    def _sums(self) -> Path:
        return Path(self._cache.cache_path) / f"{self._name}{SUMS}"

    def _sum(self) -> str:
        found = hashlib.sha256()
        for file in self._files():
            found.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
        return found.hexdigest()

    def _is_whole(self) -> bool:
        """Return whether the files are as they were written; there may be none."""
        return not self._files() or self._sums().read_text(encoding="ascii") == self._sum()

    def _clear(self) -> None:
        for file in (*self._files(), self._sums()):
            with suppress(OSError):
                file.unlink(missing_ok=True)
