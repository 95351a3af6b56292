"""What nature draws for a trial of which a part is known: the facts of its log, and what they leave open.

Whatever the log says is so in every trial. Of what it leaves open a trial keeps its own draws wherever they agree with
the facts; where they do not, the number is drawn anew, from a stream of its own, among all that agree. Both have the
distribution that the facts leave, so their mixture has it, too; and a trial whose own past is the log goes on as if it
had not been stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..scenario.model import Scenario
from ..words.log import Log, LoggedPatient
from ..words.records import BoolArray, FloatArray, IntArray
from .at_site import SiteDraws
from .candidates import CandidateDraws, Whence
from .draws import Nature
from .patients import days_of, drop_out_until, onset_probability
from .shelf import Shelf
from .streams import NEVER, PAGE, Stream

DLT, LEAVING = 0, 1
"""Words of a pending patient."""

APART = 2**24
"""Pages from which on candidates of the log have draws that nobody else has."""


class Given(Nature):
    """What nature draws for trials of which a log is the beginning.

    Parameters
    ----------
    scenario, seed, first, count
        As of `Draws`.
    log : Log
        What is known.
    """

    def __init__(self, scenario: Scenario, seed: int, first: int, count: int, log: Log) -> None:
        super().__init__(scenario, seed, first, count)
        self.log = log
        self._known = dict(enumerate(log.treated))
        self._whence = Continued(self._whence, self._everyone, log, self.criteria)

    def alone(self, trial: int) -> CandidateDraws:
        """Return what is drawn about the candidates of one trial."""
        return Given(self.scenario, self.seed, trial, 1, self.log)

    def infused(self, page: int) -> BoolArray:
        """Return whether 16 lymphodepleted patients receive cells, shape (count, 16)."""
        drawn = super().infused(page)
        for position, one in self._known_on(page):
            if one.infusion_days or one.not_infused_reason is not None:
                drawn[:, position] = bool(one.infusion_days)
        return drawn

    def full_dose(self, page: int) -> BoolArray:
        """Return whether 16 infused patients receive the full dose, shape (count, 16); if nobody says, they do."""
        drawn = super().full_dose(page)
        for position, one in self._known_on(page):
            if one.infusion_days:
                drawn[:, position] = one.full_dose is not False
        return drawn

    def dlt_day(self, page: int, level: int) -> IntArray:
        """Return the day of the DLT of 16 patients at a level, shape (count, 16) [days after infusion]; or `NEVER`."""
        drawn = super().dlt_day(page, level)
        for position, one in self._known_on(page):
            if one.dlt == "yes" and one.dlt_day is not None and one.infusion_days:
                drawn[:, position] = one.dlt_day - one.infusion_days[0]
            elif one.infusion_days:
                until = np.cumsum(onset_probability(self.scenario, level)) * self._p_dlt(level)
                drawn[:, position] = self._among(drawn[:, position], until, self._seen_days(one), page, position, DLT)
        return drawn

    def drop_out_day(self, page: int) -> IntArray:
        """Return the last day observed of 16 patients, shape (count, 16) [days after infusion]; or `NEVER`."""
        drawn = super().drop_out_day(page)
        until = drop_out_until(self.scenario)
        for position, one in self._known_on(page):
            if not one.infusion_days:
                continue
            if one.left_day is None:
                seen_days = self.log.as_of_day - one.infusion_days[0]
                drawn[:, position] = self._among(drawn[:, position], until, seen_days, page, position, LEAVING)
            elif one.left_reason == "completed":
                drawn[:, position] = NEVER
            else:  # whatever the reason, or if none is given
                drawn[:, position] = one.left_day - one.infusion_days[0]
        return drawn

    def more_screenings(self, trial: int, number: int) -> int:
        """Return how many screenings more candidate `number` of the log passes, where the own draws say too few."""
        page, position = divmod(number, PAGE)
        at_site = self._everyone[self.log.in_order_of_coming[number].site]
        return int(at_site.screenings_passed(2 * APART + page)[trial - self.first, position])

    def _p_dlt(self, level: int) -> float:
        return self.scenario.toxicity.dlt_probability[level]

    def _seen_days(self, one: LoggedPatient) -> int:
        """Return up to which day after the infusion it is known that a patient had no DLT.

        Where the log says that there was none, up to its day; else up to when the patient was seen.
        """
        last = self.log.as_of_day if one.last_seen_day is None or one.dlt == "no" else one.last_seen_day
        return max(last - one.infusion_days[0], -1)

    def _among(self, own: IntArray, until: FloatArray, seen_days: int, page: int, position: int, word: int) -> IntArray:
        """Return each trial's own day where it lies after the days seen, and another one that does where not.

        Parameters
        ----------
        own : int array, shape (count,)
            The trial's own draws.
        until : float array, shape (days,)
            Probability of each day or one before it.
        """
        before = until[min(seen_days, len(until) - 1)] if seen_days >= 0 and len(until) else 0.0
        drawn = self.draw(Stream.PENDING, page, word)[:, position]
        after = np.maximum(days_of(until, before + drawn * (1 - before)), seen_days + 1)
        return np.where(own > seen_days, own, np.where(after < len(until), after, NEVER))

    def _known_on(self, page: int) -> Iterator[tuple[int, LoggedPatient]]:
        """Yield the patients of a page who are known, with their positions on it."""
        return ((number % PAGE, one) for number, one in self._known.items() if number // PAGE == page)


class Continued:
    """The candidates of a log, and those who come after its day.

    Who comes after a day does not depend on who came before it: those whom a trial has drawn for the days after it
    follow those of the log, whatever their number was. That holds of arrivals at rates that are known; a rate that is
    drawn for each trial itself (`accrual.rate_cv`) is drawn as assumed, and learns nothing from who has come.

    Parameters
    ----------
    drawn : Whence
        What is drawn about all candidates of the trials.
    sites : sequence of SiteDraws
        The same at each site.
    log : Log
        Who has come.
    criteria : tuple of str
        Criteria of screening of all sites.
    """

    def __init__(self, drawn: Whence, sites: Sequence[SiteDraws], log: Log, criteria: tuple[str, ...]) -> None:
        self._drawn, self._sites, self._criteria = drawn, sites, criteria
        self._people = log.in_order_of_coming
        self._as_of_day, self._count = log.as_of_day, sites[0].count
        self._shelves: dict[str, Shelf] = {}

    @cached_property
    def _before(self) -> IntArray:
        """How many candidates each trial has drawn for the days up to that of the log, shape (count, 1)."""
        found, page = np.zeros((self._count, 1), dtype=np.int64), 0
        while True:
            come = self._drawn.consent_days(page) <= self._as_of_day
            found += come.sum(axis=1, keepdims=True)
            if not come[:, -1].any():
                return found
            page += 1

    def consent_days(self, page: int) -> IntArray:
        """Return the days on which 16 candidates come, shape (count, 16) [days]; `NEVER` if none comes."""
        found = self._following("consent_days", page)
        for position, one in self._known_on(page):
            found[:, position] = one.came_day
        return found

    def site(self, page: int) -> IntArray:
        """Return the position of the site that 16 candidates are from, shape (count, 16)."""
        found = self._following("site", page)
        for position, one in self._known_on(page):
            found[:, position] = one.site
        return found

    def criterion(self, page: int) -> IntArray:
        """Return the criterion that 16 candidates fail, shape (count, 16); -1 if none."""
        found = self._of_all("criterion", page)
        for position, one in self._known_on(page):
            if one.failed_criterion in self._criteria:
                found[:, position] = self._criteria.index(one.failed_criterion)
        return found

    def fails_screening(self, page: int) -> BoolArray:
        """Return whether 16 candidates fail screening, shape (count, 16)."""
        found = self._of_all("fails_screening", page)
        for position, one in self._known_on(page):
            if one.screening_end_day is not None:
                found[:, position] = one.left_reason == "screen failure"
        return found

    def screenings_passed(self, page: int) -> IntArray:
        """Return how many screenings 16 candidates pass before one fails, shape (count, 16); `NEVER` if none does."""
        return self._of_all("screenings_passed", page)

    def product_uniforms(self, page: int) -> FloatArray:
        """Return what decides the attempts at the product of each of 16 candidates, shape (count, 16), in [0, 1)."""
        return self._of_all("product_uniforms", page)

    def failed_attempts(self, page: int) -> IntArray:
        """Return how many attempts at the product of 16 candidates come to nothing, shape (count, 16)."""
        return self._of_all("failed_attempts", page)

    def body(self, page: int) -> FloatArray:
        """Return the body surface area of 16 candidates, shape (count, 16) [m2]; NaN for people of the log."""
        found = self._following("body", page)
        for position, _ in self._known_on(page):
            found[:, position] = np.nan
        return found

    def _following(self, what: str, page: int) -> NDArray:  # type: ignore[type-arg]
        """Return what is drawn about those who come after the day of the log; of its people, anything."""
        numbers = PAGE * page + np.arange(PAGE) - len(self._people) + self._before
        return self._at(what, np.maximum(numbers, self._before)).copy()

    def _of_all(self, what: str, page: int) -> NDArray:  # type: ignore[type-arg]
        """Return what is drawn about 16 candidates, of people of the log, too.

        These have their own draws, as long as nobody else has them and they are of their site.
        """
        found = self._following(what, page)
        for position, one in self._known_on(page):
            number = np.full((self._count, 1), PAGE * page + position)
            is_own = (number < self._before) & (self._at("site", number) == one.site)
            apart = getattr(self._sites[one.site], what)(APART + page)[:, position]
            found[:, position] = np.where(is_own[:, 0], self._at(what, number)[:, 0], apart)
        return found

    def _at(self, what: str, numbers: IntArray) -> NDArray:  # type: ignore[type-arg]
        if what not in self._shelves:
            self._shelves[what] = Shelf(getattr(self._drawn, what))
        return self._shelves[what].at(numbers, 0)

    def _known_on(self, page: int) -> Iterator[tuple[int, LoggedPatient]]:
        return ((number % PAGE, one) for number, one in enumerate(self._people) if number // PAGE == page)
