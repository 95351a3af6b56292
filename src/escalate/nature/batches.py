"""Which batches of the product fail. Indexed by batch, from 0."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ..words.records import BoolArray
from .streams import PAGE, Draws, Stream


class BatchDraws(Draws):
    """What is drawn about batches; parameters as `Draws`."""

    @cached_property
    def batch_fails(self) -> BoolArray:
        """Whether each batch of each trial fails, shape (count, batches)."""
        product, batches = self.scenario.store, len(self.scenario.release_days)
        if product is None or not batches or product.batch_failure_probability == 0:
            return np.zeros((self.count, batches), dtype=np.bool_)
        pages = [self.draw(Stream.BATCH, page) for page in range(-(-batches // PAGE))]
        return np.asarray(np.concatenate(pages, axis=1)[:, :batches] < product.batch_failure_probability)
