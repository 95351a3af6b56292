"""What a scenario says: the protocol, and what is assumed about nature."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field

from .nature import Attrition, FixedAccrual, PoissonAccrual, Screening, Toxicity, WhatIf
from .policies import Limits, Stopping, Titration
from .protocol import DoseLevel, FollowUp, Safety, Treatment, TrialSection, window_end_offset
from .rules import RuleOptions
from .section import Section


class Scenario(Section):
    """A whole scenario: the protocol, and what is assumed about nature.

    Read one with `escalate.load`, change one with `replace`. A scenario is a frozen value: it is valid, and stays so.
    """

    schema_version: Literal[1]
    """Version of this layout: 1."""
    trial: TrialSection
    """What the trial is: title, dates, size."""
    dose_levels: Annotated[list[DoseLevel], Field(min_length=1, max_length=99)]
    """The dose levels, lowest first, at most 99: `[[dose_levels]]`."""
    treatment: Treatment = Treatment()
    """How a patient is treated."""
    safety: Safety
    """How patients are protected: window, cohorts, stagger, committee."""
    rule: RuleOptions
    """Which dose next: name and options of the escalation rule."""
    titration: Titration | None = None
    """Accelerated titration in front of the rule; none where the section is left out."""
    limits: Limits = Limits()
    """Limits to the rule's moves."""
    stopping: Stopping = Stopping()
    """Reasons to stop that go before the rule's."""
    follow_up: FollowUp
    """How long patients are followed."""
    accrual: Annotated[PoissonAccrual | FixedAccrual, Field(discriminator="kind")]
    """How candidates come."""
    screening: Screening = Screening()
    """Screening of candidates."""
    toxicity: Toxicity
    """What nature does at each dose."""
    attrition: Attrition = Attrition()
    """How patients are lost after they have a place."""
    what_if: list[WhatIf] = []
    """Patients whose fate is fixed: `[[what_if]]`."""
    sources: dict[str, Annotated[str, Field(pattern=r"^(registry|literature|assumption): \S")]] = {}
    """Where each number comes from: dotted key = "registry: ...", "literature: ..." or "assumption: ..."."""

    ranges: dict[str, Annotated[list[Any], Field(min_length=2, max_length=2)]] = {}
    """Between which values an assumption lies: dotted key = [low, high]; `escalate sensitivity` goes through them."""

    @cached_property
    def levels(self) -> int:
        """Number of dose levels."""
        return len(self.dose_levels)

    @cached_property
    def lead_days(self) -> int:
        """From the start of lymphodepletion to the first infusion [days]; 0 without lymphodepletion."""
        return max((-day for item in self.treatment.lymphodepletion for day in item.days), default=0)

    @cached_property
    def window_end_offset(self) -> int:
        """From the first infusion to the last day of the DLT window, itself included [days]."""
        return window_end_offset(self.treatment, self.safety)

    @cached_property
    def shares(self) -> list[float]:
        """Share of the full dose given by each infusion."""
        count = len(self.treatment.infusion_days)
        return self.treatment.infusion_shares or [1 / count] * count

    @cached_property
    def planned_days(self) -> int | None:
        """Days from the start date to the planned completion date; ``None`` if none is planned."""
        planned = self.trial.planned_completion_date
        return None if planned is None else (planned - self.trial.start_date).days

    @cached_property
    def overdose_above(self) -> float | None:
        """P(DLT) above which a patient is overdosed; ``None`` if neither the scenario nor its rule says."""
        of_rule = getattr(self.rule, "target", getattr(self.rule, "overdose_from", None))
        return self.toxicity.overdose_above or of_rule

    @cached_property
    def mtd_level(self) -> int | None:
        """Level that is the right one to recommend, from 1, and 0 for no dose; ``None`` if nothing says."""
        if self.toxicity.mtd_level is not None or self.overdose_above is None:
            return self.toxicity.mtd_level
        allowed = [level for level, p in enumerate(self.toxicity.dlt_probability, 1) if p <= self.overdose_above]
        return max(allowed, default=0)

    def resolved(self) -> dict[str, Any]:
        """Return the complete scenario, defaults filled in, as plain JSON values."""
        values: dict[str, Any] = self.model_dump(mode="json")
        return values

    def fingerprint(self) -> str:
        """Return the SHA-256 of the resolved scenario: equal scenarios, equal fingerprints."""
        text = json.dumps(self.resolved(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def replace(self, changes: Mapping[str, Any]) -> Scenario:
        """Return a scenario with some values changed, checked like a scenario file.

        Parameters
        ----------
        changes : mapping of str to value
            Dotted keys and their new values, as in
            ``scenario.replace({"toxicity.dlt_probability": [0.1, 0.25], "accrual.consents_per_month": 2.0})``.
            A section can be replaced whole by a dictionary; an item of a list is named by its position from 0, as in
            ``dose_levels.0.cells``. Files are named relative to the folder of the session. A table's new file brings
            its own decisions, and new decisions have no file.

        Raises
        ------
        ScenarioError
            If a key does not exist or a value is not allowed; all problems at once.
        """
        from .load import changed

        return changed(self, changes)
