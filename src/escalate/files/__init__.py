"""Files and folders that appear whole or not at all; nothing is overwritten unless asked.

`place` claims a folder before the work, writes it beside and moves it there; `manifest` says what a folder of results
holds, so that only what this program wrote is ever replaced; `one_file` writes a single file; `beside` makes what is
not all written, and finds the next free number; `reading` reads an input once; `saves` is what a result inherits that
saves itself; `faults` words what went wrong. Any room comes in by the names here; nothing here knows what a file means.
"""

from .beside import clear_unfinished
from .faults import brief, why
from .manifest import MANIFEST, MARK, seal, why_not_results
from .one_file import check_file_free, write_file, write_text, write_whole
from .place import Out, Place, Write, begin_folder, check_is_folder, claimed, place_for, write_folder
from .reading import MOST_BYTES, MOST_OF_RECORD, FileRead, read_bytes
from .saves import Saves, write_result

__all__ = [
    "MANIFEST",
    "MARK",
    "MOST_BYTES",
    "MOST_OF_RECORD",
    "FileRead",
    "Out",
    "Place",
    "Saves",
    "Write",
    "begin_folder",
    "brief",
    "check_file_free",
    "check_is_folder",
    "claimed",
    "clear_unfinished",
    "place_for",
    "read_bytes",
    "seal",
    "why",
    "why_not_results",
    "write_file",
    "write_folder",
    "write_result",
    "write_text",
    "write_whole",
]
