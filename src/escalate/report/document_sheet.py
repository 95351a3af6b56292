"""The sheet for documents of whatever was compared: what it is, cautions, tables, how to read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..cautions import caution_sentences
from ..protocol_tables.sheet import Grid, Notes, Sheet
from ..studies.compared import Comparison
from ..studies.variants import Variants


def document_sheet(
    found: Comparison | Variants, question: Iterable[str], blocks: Sequence[Grid | Notes], notes: Iterable[str]
) -> Sheet:
    """Return what a summary says as a sheet for documents.

    Parameters
    ----------
    found : Comparison or Variants
        What was compared.
    question : iterable of str
        What is compared, line by line; empty lines are left out, as among the notes.
    blocks : sequence of Grid or Notes
        The tables, with what stands between them.
    notes : iterable of str
        How to read them.
    """
    beware = caution_sentences(found.cautions)
    return Sheet(
        title=found.scenario.trial.title_and_id,
        blocks=(
            Notes(heading="What is compared", lines=tuple(line for line in question if line)),
            *([Notes(heading="Cautions", lines=tuple(beware))] if beware else []),
            *blocks,
            Notes(heading="How to read it", lines=tuple(" ".join(note.split()) for note in notes if note)),
        ),
    )
