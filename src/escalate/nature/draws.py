"""Everything that nature draws for a chunk of consecutive trials: patients exist before doses."""

from __future__ import annotations

from .batches import BatchDraws
from .candidates import CandidateDraws
from .patients import PatientDraws


class Nature(CandidateDraws, PatientDraws, BatchDraws):
    """What nature draws for a chunk of consecutive trials; parameters as `Draws`."""
