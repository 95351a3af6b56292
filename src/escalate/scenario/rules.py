"""The escalation rules that a scenario can name, and their options."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from ..words.records import MOST_PATIENTS
from .rolling_tables import Lines, declares, has_pending, iq_rolling_six, lines_of, rolling_faults
from .section import Section
from .values import AS_TUPLE, FrozenTable

OpenProbability = Annotated[float, Field(gt=0, lt=1)]
Target = Annotated[float, Field(ge=0.01, le=0.9)]
"""A target DLT probability: phase I trials aim at 0.1 to 0.4; below 0.01 no trial of this size sees a DLT."""

Width = Annotated[float, Field(ge=0.001, lt=1)]
"""Half an interval around the target: what is narrower no 10,000 patients can tell from a point."""
Probability = Annotated[float, Field(ge=0, le=1)]
SelectionPrior = Annotated[float, Field(ge=0.0001, le=1)]

Dose = Annotated[float, Field(ge=0.0001, le=1e15)]
"""A dose in any unit: from a microgram in tenths of a gram to more cells than a body has."""


class ThreePlusThree(Section):
    """Up after no DLT in three patients, three more after one, too toxic after two (doi:10.2307/2531693)."""

    name: Literal["3+3"]
    """Name of the rule."""
    variant: Literal["A", "B", "C"] = "C"
    """A: no de-escalation. B: de-escalation, 3 suffice at the top level. C: as B, 6 patients needed at the MTD."""


class TargetOptions(Section):
    """What rules with a target DLT probability share."""

    target: Target
    """Target DLT probability, from 0.01 to 0.9: trials aim at 0.1 to 0.4."""
    elimination_cutoff: OpenProbability = 0.95
    """A level is eliminated if the posterior probability that it exceeds the target is larger than this."""
    eliminate_from: Annotated[int, Field(ge=1, le=MOST_PATIENTS)] = 3
    """Fewest evaluable patients on which a level is eliminated; at most 10,000, the largest trial."""


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
    epsilon1: Width = 0.05
    """From the target down to the lower end of the interval; at least 0.001, as nobody can tell less."""
    epsilon2: Width = 0.05
    """From the target up to the upper end of the interval; at least 0.001, as nobody can tell less."""
    selection_prior: SelectionPrior = 0.05
    """DLTs, and patients without one, that the prior adds at each level before the rates are smoothed for the
    recommendation; the default is that of the R packages Keyboard (select.mtd.kb) and FIND (select_mtd)."""

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
    selection_prior: SelectionPrior = 0.005
    """DLTs, and patients without one, that the prior adds at each level before the rates are smoothed for the
    recommendation; the default is that of the authors' own R program (the moves rest on a uniform prior, 1)."""


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


class RollingSix(Section):
    """Up to six patients at once, the next one assigned when ready (doi:10.1200/JCO.2007.12.7712)."""

    name: Literal["rolling six"]
    """Name of the rule."""
    table: Literal["published", "package"] = "published"
    """The published table (doi:10.1001/jamanetworkopen.2020.4787), or that of the R package RollingSix."""
    six_at_mtd: bool = True
    """Whether the highest level too needs six evaluable patients to be the MTD."""


class IqRollingSix(Section):
    """Rolling six for a queue: decides on three answers, up to eight (doi:10.1001/jamanetworkopen.2020.4787)."""

    name: Literal["IQ rolling six"]
    """Name of the rule."""

    @property
    def lines(self) -> Lines:
        """Its decisions, those of a table with patients pending."""
        return iq_rolling_six()


class TiteBoin(Boin):
    """BOIN with patients pending, who count for the part of the window seen (doi:10.1158/1078-0432.CCR-18-0246)."""

    name: Literal["TITE-BOIN"]  # type: ignore[assignment]
    """Name of the rule."""
    method: Literal["imputation", "effective_sample_size"] = "imputation"
    """How the pending count: imputed outcomes, or follow-up as sample size (doi:10.1093/biostatistics/kxz007)."""
    most_pending_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Accrual is suspended while a larger share of the level's patients is pending; 1 never suspends."""
    min_completed: Annotated[int, Field(ge=0, le=MOST_PATIENTS)] = 0
    """Accrual is suspended, rather than escalate, while fewer patients of the level have their outcome."""


class Crm(Section):
    """Continual reassessment: the dose whose P(DLT), by a model, is closest to the target (doi:10.2307/2531628)."""

    name: Literal["CRM"]
    """Name of the rule."""
    target: Target
    """Target DLT probability, from 0.01 to 0.9: trials aim at 0.1 to 0.4."""
    skeleton: Annotated[tuple[OpenProbability, ...], Field(min_length=1, max_length=99), AS_TUPLE] | None = None
    """First guess of P(DLT) at each level, increasing; computed from the next two options where it is left out."""
    prior_mtd_level: Annotated[int, Field(ge=1, le=99)] | None = None
    """Level guessed to be the MTD, from 1, for a computed skeleton (doi:10.1177/1740774509105076)."""
    halfwidth: OpenProbability = 0.05
    """Half the width of the indifference interval around the target, for a computed skeleton."""
    model: Literal["empiric", "logistic"] = "empiric"
    """The curve: skeleton ** exp(a), or logistic with a fixed intercept."""
    intercept: Annotated[float, Field(ge=-20, le=20)] = 3.0
    """Intercept of the logistic curve."""
    prior_sd: Annotated[float, Field(ge=0.01, le=10)] = 1.1575836902790226
    """Standard deviation of a; the default is the square root of 1.34, as in the R package dfcrm."""
    prior_cut: Annotated[float, Field(ge=0.01, le=1000)] | None = None
    """The prior of a ends at plus and minus this, from 0.01 to 1,000, if anywhere; dfcrm's ends at 10."""
    estimate: Literal["bayes", "maximum_likelihood"] = "bayes"
    """Whether the curve is read at the posterior mean of a, or at the most likely a."""
    recommend_untried: bool = False
    """Whether a level that nobody was treated at can be recommended, as the R package dfcrm does."""
    too_toxic_probability: Annotated[float, Field(gt=0, le=1)] = 0.95
    """The trial stops without a dose where the model chooses the lowest level, and P(DLT) there exceeds the target with
    more than this posterior probability; with 1, never. The default is that of the rules that eliminate
    (doi:10.1111/rssc.12089): with a target of 0.25 it usually stops at 3 of 3, 4 of 6, 5 of 9, as BOIN does."""

    @model_validator(mode="after")
    def _skeleton_is_one(self) -> Crm:
        skeleton, low, high = self.skeleton, self.target - self.halfwidth, self.target + self.halfwidth
        if (skeleton is None) == (self.prior_mtd_level is None):
            raise ValueError("skeleton is needed, or prior_mtd_level to compute one, and not both")
        if skeleton is None and not 0 < low < high < 1:
            raise ValueError(
                f"halfwidth must leave the interval around the target inside (0, 1), got {low:g} to {high:g}"
            )
        if skeleton is not None and any(b <= a for a, b in itertools.pairwise(skeleton)):
            raise ValueError(f"skeleton must increase from level to level, got {list(skeleton)}")
        ceiling = 1 / (1 + math.exp(-self.intercept))
        highest = max(skeleton) if skeleton is not None else high
        if self.model == "logistic" and highest >= ceiling:
            raise ValueError(
                f"intercept {self.intercept:g} lets the logistic curve reach {ceiling:g} at most, and {highest:g} is "
                "needed: take a larger one"
            )
        return self


class TiteCrm(Crm):
    """CRM with patients pending, weighed by the part of the window seen (doi:10.1111/j.0006-341X.2000.01177.x)."""

    name: Literal["TITE-CRM"]  # type: ignore[assignment]
    """Name of the rule."""
    weights: Literal["linear", "adaptive"] = "linear"
    """How follow-up becomes a weight: its share of the window, or by the days on which DLTs came."""
    drop_outs: Literal["keep_weight", "left_out"] = "keep_weight"
    """Patients who left inside the window keep the weight that they had, or count for nothing."""
    min_followup_share: Probability = 0.0
    """No escalation while a pending patient of the level has been observed for a smaller share of the window."""
    below_min_followup: Literal["suspend", "stay"] = "suspend"
    """Until then accrual is suspended, and goes on on the day on which all have been observed for that share; or the
    next patients are treated at the same level."""


class Blrm(Section):
    """Bayesian logistic regression with overdose control, deterministic (doi:10.1002/sim.3230)."""

    name: Literal["BLRM"]
    """Name of the rule."""
    doses: Annotated[tuple[Dose, ...], Field(min_length=1, max_length=99), AS_TUPLE] | None = None
    """The dose at each level, increasing, in any unit, from 0.0001 to 1e15; the cells of the dose levels where it is
    left out."""
    reference_dose: Dose | None = None
    """Dose at which the odds of a DLT are alpha; the highest dose where it is left out. It is part of the prior."""
    mean_log_alpha: Annotated[float, Field(ge=-20, le=20)] = -0.6931471805599453
    """Prior mean of log alpha, from -20 to 20, odds of 2e-9 to 5e8; the default puts P(DLT) at the reference dose
    around one third."""
    sd_log_alpha: Annotated[float, Field(ge=0.001, le=10)] = 2.0
    """Prior standard deviation of log alpha."""
    mean_log_beta: Annotated[float, Field(ge=-5, le=5)] = 0.0
    """Prior mean of log beta, from -5 to 5: beyond, the curve is flat, or a step."""
    sd_log_beta: Annotated[float, Field(ge=0.001, le=3)] = 1.0
    """Prior standard deviation of log beta."""
    correlation: Annotated[float, Field(ge=-0.9999, le=0.9999)] = 0.0
    """Prior correlation of log alpha and log beta, from -0.9999 to 0.9999: nearer to 1 the curve has but one parameter,
    and the probabilities could not be promised to 1e-8."""
    target_from: OpenProbability = 0.16
    """P(DLT) at which the target interval begins."""
    overdose_from: OpenProbability = 0.33
    """P(DLT) at which the target interval ends and overdose begins."""
    feasibility: OpenProbability = 0.25
    """Largest posterior probability of overdose of a dose that may be given."""
    choose: Literal["most_probable_target", "highest_allowed"] = "most_probable_target"
    """Which of the doses that may be given comes next."""
    most_increase: Annotated[float, Field(ge=0.001, le=1e6)] | None = None
    """Largest rise of the dose at once, from 0.001, as a share of the last one (1.0 lets it double); none where it is
    left out."""
    recommend_untried: bool = False
    """Whether a level that nobody was treated at can be recommended."""

    @model_validator(mode="after")
    def _ordered(self) -> Blrm:
        if self.target_from >= self.overdose_from:
            raise ValueError(f"target_from must be smaller than overdose_from, got {self.target_from:g} and "
                             f"{self.overdose_from:g}")  # fmt: skip
        if self.doses is not None and any(b <= a for a, b in itertools.pairwise(self.doses)):
            raise ValueError(f"doses must increase from level to level, got {list(self.doses)}")
        return self


LETTERS = ("E", "S", "D", "DU")
"""Decisions of a table, the boldest first: escalate, stay, de-escalate, de-escalate and never this level again."""


class TableRule(Section):
    """A decision table of your own: what follows by evaluable patients and DLTs at the level, or with some pending."""

    name: Literal["table"]
    """Name of the rule."""
    target: Target | None = None
    """Target DLT probability, for the recommendation: the tried level whose smoothed DLT rate is closest to it. Must be
    given, but for a table with patients pending that says R, which recommends the level."""
    file: str | None = None
    """CSV file with columns evaluable, dlts, decision, as `escalate table` writes it, and for a rolling rule pending,
    with above (open, closed or empty: the level above) where that matters; read when the scenario is."""
    decisions: FrozenTable[str, str] = FrozenTable()
    """By evaluable patients, the decisions for 0, 1, 2 ... DLTs: `3 = "E S D DU"`; with one more pending
    `"3+1" = "S S DU DU"`, and `"3+1 closed"` where the level above is closed; filled from the file, if any. Beside a
    file that can be read they must say the same. A table is refused in which more DLTs make the decision bolder, or
    more patients with as many DLTs more cautious."""

    @model_validator(mode="after")
    def _whole_and_sensible(self) -> TableRule:
        faults = rolling_faults(self.decisions) if self.is_rolling else table_faults(self.decisions)
        found = [told for _, told in faults]
        if found:
            raise ValueError("decisions: " + "; ".join(found))
        return self

    @property
    def is_rolling(self) -> bool:
        """Whether it is a table with patients pending, asked when a candidate is ready."""
        return has_pending(self.decisions)

    @property
    def declares(self) -> bool:
        """Whether it says anywhere that the trial stops and recommends the level, so that no target is needed."""
        return self.is_rolling and declares(self.decisions)

    @property
    def cells(self) -> dict[int, list[str]]:
        """The decisions by evaluable patients, in order; nothing of a table with patients pending."""
        if self.is_rolling:
            return {}
        return {int(n): letters.split() for n, letters in sorted(self.decisions.items(), key=lambda item: int(item[0]))}

    @property
    def lines(self) -> Lines:
        """The decisions of a table with patients pending."""
        return lines_of(self.decisions)


MOST_IN_TABLE = 500
"""Most evaluable patients at a level in a decision table: no phase I trial treats so many at one dose."""


def is_count(text: str) -> bool:
    """Return whether a text is a number of patients that a decision table may have."""
    return text.isdecimal() and len(text) <= len(str(MOST_IN_TABLE)) and int(text) <= MOST_IN_TABLE


Cell = tuple[int, int]
"""A place in a decision table: evaluable patients, and DLTs among them."""


def table_faults(decisions: Mapping[str, str]) -> Iterator[tuple[Cell | None, str]]:
    """Yield where and what is wrong with a decision table: holes, unknown letters, DLTs that make it bolder."""
    if not decisions:
        yield None, 'there are none; name a file, or write them as 3 = "E S D DU"'
    rows: dict[int, list[str]] = {}
    for patients, text in decisions.items():
        letters = text.split()
        if not is_count(patients) or int(patients) < 1:
            yield None, f"`{patients[:40]}` is not a number of evaluable patients, from 1 to {MOST_IN_TABLE}"
            continue
        strange = next((y for y, letter in enumerate(letters) if letter not in LETTERS), None)
        if strange is not None:
            said = f"{patients} = {text!r}: letters are {', '.join(LETTERS)}; a table does not stop or suspend"
            yield (int(patients), strange), said
        elif len(letters) != int(patients) + 1:
            wanted = f"{int(patients) + 1} are needed, for 0 to {patients} DLTs"
            yield None, f"{patients} = {text!r} has {len(letters)} decisions; {wanted}"
        else:
            rows[int(patients)] = letters
    yield from _out_of_order(rows)


def _out_of_order(rows: Mapping[int, list[str]]) -> Iterator[tuple[Cell, str]]:
    """Yield which decisions are bolder after more DLTs, or more cautious after as many in more patients."""
    bold = {n: [LETTERS.index(letter) for letter in letters] for n, letters in rows.items()}
    for n, row in bold.items():
        for y, (fewer, more) in enumerate(itertools.pairwise(row)):
            if more < fewer:
                told = f"with {n} patients, {y + 1} DLTs ({rows[n][y + 1]}) are bolder than {y} ({rows[n][y]})"
                yield (n, y + 1), f"{told}; {IN_ORDER}"
    for n, m in itertools.pairwise(sorted(bold)):
        for y, (first, then) in enumerate(zip(bold[n], bold[m], strict=False)):
            if then > first:
                told = f"{y} DLTs in {m} patients ({rows[m][y]}) are more cautious than in {n} ({rows[n][y]})"
                yield (m, y), f"{told}; {IN_ORDER}"


IN_ORDER = "more DLTs may not be answered more boldly, nor as many in more patients more cautiously"
"""Which tables are refused, as an error says it."""


class PythonRule(Section):
    """A rule written as a Python function, registered with the decorator `escalate.rule`."""

    name: Literal["python"]
    """Name of the rule; may be left out beside `python`."""
    python: Annotated[str, Field(min_length=1)]
    """`file.py:function`, loaded only with --allow-python; or the name of a function registered in this session."""
    sha256: str | None = None
    """Fingerprint of the file that the results rest on; filled when the scenario is read."""

    @field_validator("python")
    @classmethod
    def _names_a_function(cls, python: str) -> str:
        if python.endswith(".py") or (":" in python and ".py:" not in python):
            raise ValueError("must be file.py:function, or the name of a function registered in this session")
        return python


def _name_of_python(rule: Any) -> Any:
    """Let ``rule = {python = "file.py:function"}`` do without a name."""
    return {"name": "python", **rule} if isinstance(rule, dict) and "python" in rule and "name" not in rule else rule


RULES: dict[str, type[Section]] = {
    "3+3": ThreePlusThree,
    "rolling six": RollingSix,
    "IQ rolling six": IqRollingSix,
    "BOIN": Boin,
    "TITE-BOIN": TiteBoin,
    "mTPI": Mtpi,
    "mTPI-2": Mtpi2,
    "Keyboard": Keyboard,
    "i3+3": I3Plus3,
    "CRM": Crm,
    "TITE-CRM": TiteCrm,
    "BLRM": Blrm,
    "table": TableRule,
    "python": PythonRule,
}
"""The options of each rule, by its name."""

AnyRule = (
    ThreePlusThree | RollingSix | IqRollingSix | Boin | TiteBoin | Mtpi | Mtpi2 | Keyboard | I3Plus3 | Crm | TiteCrm
    | Blrm | TableRule | PythonRule
)  # fmt: skip

RuleOptions = Annotated[Annotated[AnyRule, Field(discriminator="name")], BeforeValidator(_name_of_python)]
"""Any of the rules, told apart by name."""


def gives_places_one_by_one(options: RuleOptions) -> bool:
    """Return whether a rule of ours is a rolling one that gives a place at a time, so that no cohort must fit."""
    return isinstance(options, (RollingSix, IqRollingSix)) or (isinstance(options, TableRule) and options.is_rolling)


def finishes_first(options: RuleOptions) -> bool:
    """Return whether a rule of ours recommends nothing before it has finished: it declares the MTD, with no target."""
    declares_mtd = isinstance(options, (ThreePlusThree, RollingSix, IqRollingSix))
    return declares_mtd or (isinstance(options, TableRule) and options.target is None)


def decides_early(options: RuleOptions) -> bool:
    """Return whether a decision may come early by default: with rules that read no count of a level that was left.

    3+3 and rolling six declare a level too toxic after two DLTs, however many were treated there; so do tables that
    declare the MTD themselves. Any other rule recommends from all counts, so that places left empty change what it
    recommends.
    """
    return finishes_first(options)


def rule_words(options: RuleOptions, leave_out: Collection[str] = ()) -> str:
    """Return a rule with its options in words, but for some; those at their default are left out."""
    if isinstance(options, PythonRule):
        return options.python
    fields, told = type(options).model_fields, options.model_dump(exclude={"name", "decisions", *leave_out})
    chosen = {name: value for name, value in told.items() if name == "variant" or value != fields[name].default}
    words = [name.replace("_", " ") + ("" if value is True else f" {_value(value)}") for name, value in chosen.items()]
    return ", ".join([options.name, *words])


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def of_another_rule(key: str) -> bool:
    """Return whether a dotted key names an option that some rule has: its source may be left when the rule changes."""
    section, _, option = key.partition(".")
    return section == "rule" and any(option in kind.model_fields for kind in RULES.values())
