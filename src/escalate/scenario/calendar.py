"""The section `[calendar]`: days on which part of the trial rests, and the weekdays and dates that it works on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from .section import Name, Section
from .values import AS_TUPLE

Work = Literal["consent", "screening", "lymphodepletion", "infusion", "committee"]
ALL_WORK: tuple[Work, ...] = ("consent", "screening", "lymphodepletion", "infusion", "committee")
"""What can rest: a clinical hold stops all of it."""

LEAP_DAY = (2, 29)


class Closure(Section):
    """Days on which part of the trial rests: public holidays, a clinical hold, a unit that is moved.

    It is known before: nobody is given a place whose lymphodepletion or infusion would fall on it. What was infused
    goes on being observed.
    """

    first_day: date
    """First date on which it rests."""
    last_day: date
    """Last date on which it rests."""
    what: Annotated[tuple[Work, ...], Field(min_length=1), AS_TUPLE] = ALL_WORK
    """What rests: consent (nobody consents), screening (no result is given: it comes on the next open day),
    lymphodepletion (on none of its days), infusion (nor on that of any infusion of a patient), committee (it does not
    meet); all of it where it is left out."""
    every_year: bool = False
    """Whether it comes back every year on the same days."""
    reason: Name
    """Why, as people call it; at most 500 letters: it is told in the story of a trial and drawn in its timeline."""

    @model_validator(mode="after")
    def _ordered(self) -> Closure:
        if self.last_day < self.first_day:
            raise ValueError("last_day must not be before first_day")
        if self.every_year and (self.last_day - self.first_day).days >= 364:
            raise ValueError("a closure of every year must be shorter than a year: nothing would ever be open")
        return self

    @property
    def words(self) -> str:
        """What rests, in words: ``no consent, no committee``, or ``all rests``."""
        return "all rests" if set(self.what) == set(ALL_WORK) else ", ".join(f"no {what}" for what in self.what)

    def spans(self, first: date, last: date) -> Iterator[tuple[date, date]]:
        """Yield first and last date of each time that it comes between two dates."""
        if not self.every_year:
            yield self.first_day, self.last_day
            return
        turns = self.last_day.year - self.first_day.year
        for year in range(max(first.year - 1, 1), last.year + 1):
            begins, ends = _in_year(self.first_day, year), _in_year(self.last_day, year + turns)
            if ends >= first:
                yield begins, ends


class Calendar(Section):
    """On which days the trial works."""

    closed: Annotated[tuple[Closure, ...], Field(max_length=1000), AS_TUPLE] = ()
    """Days on which part of it rests: `[[calendar.closed]]`."""


def _in_year(day: date, year: int) -> date:
    """Return a date of another year; a leap day is 28 February where there is none."""
    leaps = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    return date(year, 2, 28) if (day.month, day.day) == LEAP_DAY and not leaps else day.replace(year=year)
