"""Who comes, from which site, and when; who fails screening, and why; how large they are. Indexed by candidate, from 0.

With several sites, candidates are numbered in the order of their consent, whichever site they are from.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from ..scenario.model import Scenario
from ..words.records import BoolArray, FloatArray, IntArray
from .at_site import SiteDraws
from .merged import Merged
from .streams import NEVER, PAGE, Draws, together

MOST_TOGETHER = 64
"""Pages of candidates that are kept for all trials of a chunk; what lies beyond is drawn for the trial that asks."""


class Candidate(NamedTuple):
    """Somebody who consents.

    Parameters
    ----------
    consent_day : int
        Day of consent, or of coming where screening waits [days since the start date].
    failed_criterion : str or None
        The screening criterion that the candidate does not meet, at the first screening or at a later one.
    body_surface_area_m2 : float or None
        Body surface area [m2]; ``None`` if the scenario gives none.
    site : int
        Position of the site, from 0; 0 where the scenario has no sites.
    screenings_passed : int
        Screenings that the candidate passes before one fails; `NEVER` if none does.
    product_uniform : float
        What decides what becomes of the candidate's own product, in [0, 1); 0 where there is none.
    """

    consent_day: int
    failed_criterion: str | None
    body_surface_area_m2: float | None
    site: int = 0
    screenings_passed: int = NEVER
    product_uniform: float = 0.0


Drawn = tuple[int, int, float, int, int, float]
"""Consent day, failed criterion, body surface area, site, screenings passed, and what decides the product."""


class Whence(Protocol):
    """Who says what is drawn about candidates, as `CandidateDraws` does: a site, or all sites in one order."""

    def consent_days(self, page: int) -> IntArray:
        """As of `CandidateDraws`."""

    def site(self, page: int) -> IntArray:
        """As of `CandidateDraws`."""

    def criterion(self, page: int) -> IntArray:
        """As of `CandidateDraws`."""

    def fails_screening(self, page: int) -> BoolArray:
        """As of `CandidateDraws`."""

    def screenings_passed(self, page: int) -> IntArray:
        """As of `CandidateDraws`."""

    def product_uniforms(self, page: int) -> FloatArray:
        """As of `CandidateDraws`."""

    def failed_attempts(self, page: int) -> IntArray:
        """As of `CandidateDraws`."""

    def body(self, page: int) -> FloatArray:
        """As of `CandidateDraws`."""


class CandidateDraws(Draws):
    """What is drawn about candidates; parameters as `Draws`."""

    def __init__(self, scenario: Scenario, seed: int, first: int, count: int) -> None:
        super().__init__(scenario, seed, first, count)
        sites = scenario.recruiting_sites
        self.criteria = tuple(dict.fromkeys(name for site in sites for name in site.failure_probability))
        self._everyone = [
            SiteDraws(scenario, seed, first, count, number, self.criteria) for number in range(len(sites))
        ]
        self._whence: Whence = self._everyone[0] if len(sites) == 1 else Merged(self._everyone)
        self._together: list[list[list[Drawn]]] = []
        self._alone: _Alone | None = None

    def candidate(self, trial: int, number: int) -> Candidate | None:
        """Return candidate `number` (from 0) of a trial (from `first`), or ``None`` if nobody comes any more."""
        page, position = divmod(number, PAGE)
        if page < MOST_TOGETHER:
            while len(self._together) <= page:
                self._together.append(self._people(len(self._together)))
            person = self._together[page][trial - self.first][position]
        else:
            if self._alone is None or self._alone.draws.first != trial:
                self._alone = _Alone(self.alone(trial))
            person = self._alone.people(page)[position]
        day, criterion, area, site, passed, uniform = person
        if day >= NEVER:
            return None
        failed = self.criteria[criterion] if criterion >= 0 else None
        return Candidate(day, failed, None if math.isnan(area) else area, site, passed, uniform)

    def alone(self, trial: int) -> CandidateDraws:
        """Return what is drawn about the candidates of one trial."""
        return CandidateDraws(self.scenario, self.seed, trial, 1)

    def _people(self, page: int) -> list[list[Drawn]]:
        """Return what is drawn about 16 candidates, for every trial."""
        who, passed = (self.consent_days(page), self.criterion(page), self.body(page)), self.screenings_passed(page)
        return together(*who, self.site(page), passed, self.product_uniforms(page))

    def consent_days(self, page: int) -> IntArray:
        """Return the consent days of 16 candidates of every trial, shape (count, 16) [days]; `NEVER` if none comes.

        Only the last page is kept: to ask for one before it is to begin again.
        """
        return self._whence.consent_days(page)

    def site(self, page: int) -> IntArray:
        """Return the position of the site that 16 candidates are from, shape (count, 16); 0 without sites."""
        return self._whence.site(page)

    def criterion(self, page: int) -> IntArray:
        """Return the criterion that 16 candidates fail, as a position in `criteria`, shape (count, 16); -1 if none."""
        return self._whence.criterion(page)

    def fails_screening(self, page: int) -> BoolArray:
        """Return whether 16 candidates fail screening, shape (count, 16): whether `criterion` names one."""
        return self._whence.fails_screening(page)

    def screenings_passed(self, page: int) -> IntArray:
        """Return how many screenings 16 candidates pass before one fails, shape (count, 16); `NEVER` if none does."""
        return self._whence.screenings_passed(page)

    def product_uniforms(self, page: int) -> FloatArray:
        """Return what decides the attempts at the product of each of 16 candidates, shape (count, 16), in [0, 1)."""
        return self._whence.product_uniforms(page)

    def failed_attempts(self, page: int) -> IntArray:
        """Return how many attempts at the product of 16 candidates come to nothing, shape (count, 16)."""
        return self._whence.failed_attempts(page)

    def body(self, page: int) -> FloatArray:
        """Return the body surface area of 16 candidates, shape (count, 16) [m2, to 0.001]; NaN if none is given."""
        return self._whence.body(page)


class _Alone:
    """The candidates of one trial, of whom only one page is kept.

    Parameters
    ----------
    draws : CandidateDraws
        What is drawn for this trial alone.
    """

    def __init__(self, draws: CandidateDraws) -> None:
        self.draws, self._page = draws, -1
        self._kept: list[Drawn] = []

    def people(self, page: int) -> list[Drawn]:
        """Return what is drawn about 16 candidates."""
        if page != self._page:
            self._page, self._kept = page, self.draws._people(page)[0]
        return self._kept
