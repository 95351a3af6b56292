"""What the protocol puts around a rule, any rule: titration in front of it, limits to its moves, reasons to stop."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..words.records import MOST_PATIENTS
from .section import Section

Count = Annotated[int, Field(ge=1, le=MOST_PATIENTS)]
"""Patients: at most as many as the largest trial has."""

Sureness = Annotated[float, Field(ge=0.01, lt=1)]
Coherence = Literal["off", "last_cohort", "last_level", "after_dlt"]


class Titration(Section):
    """Accelerated titration before the rule: one patient a level, to the first DLT (doi:10.1093/jnci/89.15.1138).

    At the first DLT, or at the last level, the cohort is filled up, and the rule takes over.
    """

    last_level: Annotated[int, Field(ge=1, le=99)] | None = None
    """Highest level of the titration, from 1; the highest of all where it is left out."""


class Limits(Section):
    """Limits to a rule's moves; each has its own reason in the records."""

    no_skipping: Literal["last_given", "highest_given", "off"] = "last_given"
    """A dose rises to at most one level above the last one given (as in dfcrm), or above the highest (as in dtpcrm)."""
    no_skipping_down: bool = False
    """Whether the dose falls by at most one level, too, even where the rule finds the level below too toxic."""
    coherence: Literal["by_rule", "off", "last_cohort", "last_level", "after_dlt"] = "by_rule"
    """No escalation if the last cohort's DLT rate is at or above the target (as in dfcrm), if that of all patients at
    the level is above it (as in dtpcrm), or if the last cohort had any DLT (doi:10.1093/biomet/92.4.863). With a
    rolling rule, what became known since its last decision but to suspend stands for the last cohort. The target is the
    rule's; for the BLRM it is where overdose begins. "by_rule", the default, is "last_cohort" for CRM and TITE-CRM, as
    dfcrm's crmsim has it unless told otherwise, and "off" for the others."""
    most_per_level: Count | None = None
    """Most patients treated at one level before the rule has finished."""


class Stopping(Section):
    """Reasons to stop that go before the rule's; the recommendation is the rule's from the data at that time.

    Each reads the decision that titration, rule and limits leave. Where several hold, the reason told is the first of:
    too toxic, known precisely, enough at one level, most patients.
    """

    too_toxic_probability: Sureness | None = None
    """Stop without a dose if P(DLT) at the lowest level exceeds `too_toxic_above` with more than this posterior
    probability: of the rule's model, if it has one, otherwise of the level's counts with a uniform prior, where
    somebody is evaluable."""
    too_toxic_above: Annotated[float, Field(ge=0.001, le=0.999)] | None = None
    """P(DLT) that counts as too toxic; the rule's target where it is left out (for the BLRM, where overdose begins)."""
    expansion_too_toxic_probability: Annotated[float, Field(gt=0, le=1)] | None = None
    """Close an expansion at once if P(DLT) at its level exceeds `too_toxic_above` with more than this posterior
    probability; with 1, never. Needed where `safety.when_rule_finished = "expand"`: nothing else would close it."""
    enough_at_level: Count | None = None
    """Stop when so many patients at the current level are evaluable (or, with a rolling rule, pending)."""
    enough_when: Literal["staying", "any_move"] = "staying"
    """Whether that counts only if the next cohort would be at the same level (BOIN 2.7 and later), or with any move."""
    interval_width: Annotated[float, Field(ge=0.01, lt=1)] | None = None
    """Stop when the 95% posterior interval of P(DLT) at the dose to be recommended is at most so wide; at least 0.01:
    what is narrower needs more patients than any phase I trial has."""
    most_patients: Count | None = None
    """Stop when the next cohort would be more than so many evaluable patients; what `planned_patients` leaves beyond
    that is for an expansion."""

    @model_validator(mode="after")
    def _has_a_use(self) -> Stopping:
        used = self.too_toxic_probability, self.expansion_too_toxic_probability
        if self.too_toxic_above is not None and used == (None, None):
            raise ValueError(
                "too_toxic_above has no effect without too_toxic_probability or expansion_too_toxic_probability"
            )
        return self
