"""Which sheet for documents a result has."""

from __future__ import annotations

from ..protocol_tables.sheet import Sheet
from ..studies.compared import Comparison
from ..studies.variants import Variants
from .compared import comparison_sheet
from .variants import variants_sheet


def sheet_of(found: Comparison | Variants) -> Sheet:
    """Return what was compared as a sheet for documents, which is written as HTML and as Markdown.

    Parameters
    ----------
    found : Comparison or Variants
        As `compare` returns them.
    """
    return comparison_sheet(found) if isinstance(found, Comparison) else variants_sheet(found)
