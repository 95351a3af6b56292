"""The escalation rules that a scenario can name, and their options."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .section import Section

OpenProbability = Annotated[float, Field(gt=0, lt=1)]


class ThreePlusThree(Section):
    """Up after no DLT in three patients, three more after one, too toxic after two (doi:10.2307/2531693)."""

    name: Literal["3+3"]
    """Name of the rule."""
    variant: Literal["A", "B", "C"] = "C"
    """A: no de-escalation. B: de-escalation, 3 suffice at the top level. C: as B, 6 patients needed at the MTD."""


class TargetOptions(Section):
    """What rules with a target DLT probability share."""

    target: OpenProbability
    """Target DLT probability."""
    elimination_cutoff: OpenProbability = 0.95
    """A level is eliminated if the posterior probability that it exceeds the target is larger than this."""
    eliminate_from: Annotated[int, Field(ge=1)] = 3
    """Fewest evaluable patients on which a level is eliminated."""


class Boin(TargetOptions):
    """Bayesian optimal interval design: the DLT rate against two optimal boundaries (doi:10.1111/rssc.12089)."""

    name: Literal["BOIN"]
    """Name of the rule."""
    p_saf: OpenProbability | None = None
    """Highest DLT probability that is called too low; 0.6 of the target where it is left out."""
    p_tox: OpenProbability | None = None
    """Lowest DLT probability that is called too high; 1.4 times the target where it is left out."""
    extrasafe: bool = False
    """Whether the trial stops earlier for toxicity at the lowest level."""
    offset: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    """How much smaller the elimination cut-off of the lowest level is with extrasafe."""
    bound_mtd: bool = False
    """Whether no dose is recommended whose smoothed DLT rate exceeds the upper boundary."""
    stay_on_1_of_3: bool = False
    """Whether one DLT in three patients stays, whatever the boundaries say."""
    strict_upper_boundary: bool = False
    """Whether a DLT rate equal to the upper boundary stays, as in the R package, instead of falling (the paper)."""

    @property
    def lower_probability(self) -> float:
        """Highest DLT probability that is called too low."""
        return 0.6 * self.target if self.p_saf is None else self.p_saf

    @property
    def upper_probability(self) -> float:
        """Lowest DLT probability that is called too high."""
        return 1.4 * self.target if self.p_tox is None else self.p_tox

    @model_validator(mode="after")
    def _ordered(self) -> Boin:
        if not self.lower_probability < self.target < self.upper_probability < 1:
            raise ValueError(
                f"p_saf < target < p_tox < 1 is needed, got {self.lower_probability:g}, {self.target:g}, "
                f"{self.upper_probability:g}"
            )
        if self.extrasafe and self.offset >= self.elimination_cutoff:
            raise ValueError("offset must be smaller than elimination_cutoff")
        return self


class IntervalOptions(TargetOptions):
    """What rules with an interval around the target share."""

    name: str
    """Name of the rule."""
    epsilon1: OpenProbability = 0.05
    """From the target down to the lower end of the interval."""
    epsilon2: OpenProbability = 0.05
    """From the target up to the upper end of the interval."""

    @property
    def lower(self) -> float:
        """Lower end of the interval."""
        return self.target - self.epsilon1

    @property
    def upper(self) -> float:
        """Upper end of the interval."""
        return self.target + self.epsilon2

    @model_validator(mode="after")
    def _inside(self) -> IntervalOptions:
        if not 0 < self.lower < self.upper < 1:
            raise ValueError(f"the interval must lie inside (0, 1), got {self.lower:g} to {self.upper:g}")
        return self


class Mtpi(IntervalOptions):
    """The strongest of three intervals: below, around, above the target (doi:10.1177/1740774510382799)."""

    name: Literal["mTPI"]
    """Name of the rule."""


class Mtpi2(IntervalOptions):
    """The strongest of many keys as wide as the target interval (doi:10.1016/j.cct.2017.04.006)."""

    name: Literal["mTPI-2"]
    """Name of the rule."""


class Keyboard(IntervalOptions):
    """As mTPI-2, without short keys at the edges (doi:10.1158/1078-0432.CCR-17-0220)."""

    name: Literal["Keyboard"]
    """Name of the rule."""
    partial_keys: Literal["drop", "rescale"] = "drop"
    """Whether keys at the edges that are too short are left out (the paper) or rescaled (the R package)."""

    @model_validator(mode="after")
    def _can_escalate(self) -> Keyboard:
        width = self.upper - self.lower
        if self.partial_keys == "drop" and self.lower < width - 1e-9:
            raise ValueError(
                f"no whole key of width {width:g} fits below {self.lower:g}, so that the rule could never escalate: "
                'take a narrower interval, or partial_keys = "rescale"'
            )
        return self


class I3Plus3(IntervalOptions):
    """The DLT rate against an interval; above it, stay if one DLT less is below (doi:10.1080/10543406.2019.1636811)."""

    name: Literal["i3+3"]
    """Name of the rule."""


RuleOptions = Annotated[ThreePlusThree | Boin | Mtpi | Mtpi2 | Keyboard | I3Plus3, Field(discriminator="name")]
"""Any of the rules, told apart by name."""

RULES: dict[str, type[Section]] = {
    "3+3": ThreePlusThree,
    "BOIN": Boin,
    "mTPI": Mtpi,
    "mTPI-2": Mtpi2,
    "Keyboard": Keyboard,
    "i3+3": I3Plus3,
}
"""The options of each rule, by its name."""
