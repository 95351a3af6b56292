"""The sections `[capacity]` and `[product]`: what a unit can do at a time, and the doses that there are."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from .section import Probability, Section, TenYears
from .values import AS_TUPLE

MOST_BATCHES = 1000
"""Most batches of a trial: one a week for nearly twenty years."""


class Capacity(Section):
    """How many patients the unit can treat at a time.

    A slot is booked with the place: an infusion that is not given after all does not open it for others, but for
    patients who get no infusion at all.
    """

    infusions_per_week: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Most infusions in a calendar week, Monday to Sunday; any number where it is left out."""
    patients_at_once: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Most patients between the start of lymphodepletion and discharge; any number where it is left out."""
    discharge_days: TenYears | None = None
    """From the first infusion to discharge: the first day on which the bed is free again; needed with
    patients_at_once [days]."""

    @model_validator(mode="after")
    def _beds_are_left(self) -> Capacity:
        if (self.patients_at_once is None) != (self.discharge_days is None):
            raise ValueError("patients_at_once and discharge_days go together: give both, or none")
        return self


class Store(Section):
    """An off-the-shelf product: batches are released, and each patient's treatment takes one dose.

    A treatment begins when there is a dose for it; who gets no infusion gives it back.
    """

    kind: Literal["off_the_shelf"]
    """Where the product comes from: a store that batches fill."""
    doses_at_start: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Doses in store on the start date."""
    batches_every_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    """From one batch's release to the next one's; the first is released so many days after the start date [days]."""
    batch_dates: Annotated[tuple[date, ...], Field(max_length=MOST_BATCHES), AS_TUPLE] = ()
    """Dates on which batches are released, instead, in ascending order."""
    doses_per_batch: Annotated[int, Field(ge=1, le=100_000)]
    """Patients that a batch can treat."""
    batch_failure_probability: Probability = 0.0
    """Probability that a batch fails and is not released; that is known on the day of its release."""

    @model_validator(mode="after")
    def _batches(self) -> Store:
        if (self.batches_every_days is None) == (not self.batch_dates):
            raise ValueError("batches_every_days or batch_dates says when batches are released: give one of them")
        if any(later <= earlier for earlier, later in itertools.pairwise(self.batch_dates)):
            raise ValueError("batch_dates must ascend")
        return self

    def release_days(self, start: date, last_day: int) -> list[int]:
        """Return the days on which batches are released, or fail, up to a day; those before the start on it [days]."""
        if self.batches_every_days is not None:
            return list(range(self.batches_every_days, last_day + 1, self.batches_every_days))[:MOST_BATCHES]
        return [day for each in self.batch_dates if (day := max((each - start).days, 0)) <= last_day]


class Autologous(Section):
    """A product that is made of the patient's own cells.

    Cells are taken when screening is passed, on any day; the candidate asks for a place when the product is there.
    """

    kind: Literal["autologous"]
    """Where the product comes from: the patient."""
    manufacture_days: TenYears
    """From apheresis to the product, or to its failure [days]."""
    failure_probability: Probability = 0.0
    """Probability that an attempt gives no product."""
    out_of_specification_probability: Probability = 0.0
    """Probability that its product is out of specification; it is not given."""
    most_attempts: Annotated[int, Field(ge=1, le=100)] = 1
    """Attempts for a candidate; the next one begins on the day on which it is known that one has failed. After the last
    one the candidate leaves."""

    @model_validator(mode="after")
    def _at_most_one(self) -> Autologous:
        total = self.failure_probability + self.out_of_specification_probability
        if total > 1 + 1e-9:
            raise ValueError(f"failure_probability and out_of_specification_probability add up to {total:g}, above 1")
        return self


Product = Annotated[Store | Autologous, Field(discriminator="kind")]
