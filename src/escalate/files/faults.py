"""Why something is not written, and what to do about it."""

from __future__ import annotations

import errno

EXISTS = "exists already; choose another --out, or replace it with --overwrite (in Python: overwrite=True)"
"""Why nothing is written, and how it would be."""


def why(error: OSError) -> str:
    """Return why something cannot be written, and what to do about it."""
    if error.errno == errno.ENOSPC:
        return "the disk is full; free some space or choose another --out"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "may not be written; choose another --out"
    return f"cannot be written ({error.strerror or error})"


def brief(fault: Exception) -> str:
    """Return in one line what went wrong."""
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    return f"{type(fault).__name__}: {lines[0]}" if lines else type(fault).__name__
