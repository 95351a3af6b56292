"""What a folder of results says of itself: every file of it with its SHA-256, so that nobody else's is ever lost."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

MARK = "resolved.json"
"""Every folder of results holds this file."""

MANIFEST = "SHA256SUMS"
"""It lists every file of a folder of results; only a folder that holds nothing else is ever overwritten."""

LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")
"""Files that a desktop leaves in folders that it shows."""

MOST_TOLD = 5
"""So many files that would be lost are named one by one."""


def seal(folder: Path) -> None:
    """List every file of a folder with its SHA-256, as ``sha256sum --check`` reads it."""
    lines = []
    for name, path in _files_in(folder):
        safe = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        lines.append(f"{'' if safe == name else chr(92)}{_sha256(path)}  {safe}\n")
    (folder / MANIFEST).write_bytes("".join(lines).encode("utf-8", "surrogateescape"))


def would_lose(folder: Path) -> str:
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


def why_not_results(folder: Path) -> str:
    """Return why a folder is none of results as they were written; empty if it is. What was added changes nothing."""
    if not folder.is_dir():
        return "is no folder of results" if folder.exists() else "there is no such folder"
    if MARK not in (listed := _listed(folder)):
        return f"is not a folder of results (it holds no {MANIFEST} with {MARK})"
    wrong = [f"{name} ({_what(folder / name)})" for name, sha256 in listed.items() if sha256 != _sha256(folder / name)]
    if not wrong:
        return ""
    more = f" and {len(wrong) - MOST_TOLD} more" if len(wrong) > MOST_TOLD else ""
    return f"is not as it was written: {', '.join(wrong[:MOST_TOLD])}{more}; make it again, or name the untouched one"


def _what(path: Path) -> str:
    return "changed" if path.exists() else "missing"


def _listed(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that a folder's list names."""
    try:
        text = (folder / MANIFEST).read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return {}
    found = {}
    for line in filter(None, text.split("\n")):
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
