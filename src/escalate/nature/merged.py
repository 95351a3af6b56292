"""Candidates of several sites in one order: that of their consent days, and on one day that of the sites.

Of every site those pages are kept that candidates of some trial are still to be taken from: the more, the further the
trials of a chunk are apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..words.records import BoolArray, FloatArray, IntArray
from .at_site import SiteDraws
from .shelf import Shelf
from .streams import NEVER, PAGE


class Merged:
    """The candidates of all sites, a page of 16 at a time.

    Parameters
    ----------
    sites : sequence of SiteDraws
        What is drawn at each of them, for the same trials.
    """

    def __init__(self, sites: Sequence[SiteDraws]) -> None:
        self._sites, self._count = sites, sites[0].count
        self._begin()

    def _begin(self) -> None:
        """Go back to before the first candidate."""
        self._page = -1
        self._come = np.zeros((len(self._sites), self._count, 1), dtype=np.int64)
        self._shelves: dict[tuple[str, int], Shelf] = {}

    def consent_days(self, page: int) -> IntArray:
        """Return the consent days of 16 candidates of every trial, shape (count, 16) [days]; `NEVER` if none comes."""
        self._turn_to(page)
        return self._days

    def site(self, page: int) -> IntArray:
        """Return the position of the site that 16 candidates are from, shape (count, 16)."""
        self._turn_to(page)
        return self._site

    def criterion(self, page: int) -> IntArray:
        """Return the criterion that 16 candidates fail; as of `SiteDraws`."""
        self._turn_to(page)
        return self._gathered("criterion", np.int64)

    def fails_screening(self, page: int) -> BoolArray:
        """Return whether 16 candidates fail screening, shape (count, 16)."""
        self._turn_to(page)
        return self._gathered("fails_screening", np.bool_)

    def screenings_passed(self, page: int) -> IntArray:
        """Return how many screenings 16 candidates pass before one fails, shape (count, 16)."""
        self._turn_to(page)
        return self._gathered("screenings_passed", np.int64)

    def product_uniforms(self, page: int) -> FloatArray:
        """Return what decides the attempts at the product of each of 16 candidates; as of `ProductDraws`."""
        self._turn_to(page)
        return self._gathered("product_uniforms", np.float64)

    def failed_attempts(self, page: int) -> IntArray:
        """Return how many attempts at the product of 16 candidates come to nothing; as of `ProductDraws`."""
        self._turn_to(page)
        return self._gathered("failed_attempts", np.int64)

    def body(self, page: int) -> FloatArray:
        """Return the body surface area of 16 candidates; as of `SiteDraws`."""
        self._turn_to(page)
        return self._gathered("body", np.float64)

    def _turn_to(self, page: int) -> None:
        if page < self._page:
            self._begin()
        while self._page < page:
            self._take_page()

    def _take_page(self) -> None:
        """Take the next 16 candidates of every trial: they are among the next 16 of each site."""
        self._before = self._come.copy()
        following = self._before + np.arange(PAGE)
        days = np.concatenate([self._on("consent_days", k, each) for k, each in enumerate(following)], axis=1)
        width = days.shape[1]
        order = days * width + np.arange(width)  # on one day, by site and number
        order = np.sort(np.partition(order, PAGE - 1, axis=1)[:, :PAGE], axis=1)
        self._days, place = np.divmod(order, width)
        self._site, ahead = np.divmod(place, PAGE)
        trials = np.arange(self._count)[:, None]
        self._number = self._before[self._site, trials, 0] + ahead
        for k, come in enumerate(self._come):
            come += ((self._site == k) & (self._days < NEVER)).sum(axis=1, keepdims=True)
        self._page += 1

    def _gathered(self, what: str, of: Any) -> NDArray[Any]:
        """Return what is drawn, at their sites, about the candidates of the page."""
        found = np.empty((self._count, PAGE), dtype=of)
        for k in range(len(self._sites)):
            here = self._site == k
            if here.any():
                numbers = np.where(here, self._number, self._before[k])
                found[here] = self._on(what, k, numbers)[here]
        return found

    def _on(self, what: str, site: int, numbers: IntArray) -> NDArray[Any]:
        """Return what is drawn about some candidates of a site, by their numbers there, from 0."""
        if (what, site) not in self._shelves:
            self._shelves[what, site] = Shelf(getattr(self._sites[site], what))
        return self._shelves[what, site].at(numbers, int(self._before[site].min()))
