"""Escalation rules: which dose comes next. A rule is a pure decision, with no clock and no randomness.

`base` says what a rule offers; there is a file for each rule or family of rules, whose text is what `escalate rules`
tells; `make_rule` here finds the one that a scenario's options name, and `catalogue` lists them. A rule answers for
whole batches of data cuts, since the kernel, exact results and tables ask many at once. The committee comes in here,
and whoever asks about a rule by itself; a rule reads data cuts and its own options, and never a scenario, a calendar or
another trial. To add one, see "Where do I change ...?" in the package's README.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import RuleError
from ..scenario.model import Scenario
from ..scenario.own_rules import REGISTERED, registered_name, why_unknown
from ..scenario.rules import (
    Blrm,
    Boin,
    Crm,
    I3Plus3,
    IqRollingSix,
    Keyboard,
    Mtpi,
    Mtpi2,
    PythonRule,
    RollingSix,
    RuleOptions,
    TableRule,
    ThreePlusThree,
    TiteBoin,
    TiteCrm,
)
from ..scenario.skeleton import getprior
from ..words.asked import asks
from ..words.room import answers
from .base import ModelRule, Rule
from .blrm import BlrmRule
from .boin import boin, tite_boin
from .crm import CrmRule
from .intervals import i3plus3, keyboard, mtpi, mtpi2
from .own import OwnRule
from .rolling_six import RollingSixRule
from .rolling_table import RollingTable
from .table import TableOfDecisions
from .three_plus_three import ThreePlusThreeRule

__all__ = ["ModelRule", "Rule", "ThreePlusThreeRule", "getprior", "make_rule", "rule_for"]


def rule_for(scenario: Scenario) -> Rule:
    """Return the rule that a scenario names, with its options."""
    return make_rule(scenario.rule, scenario.levels, [level.cells or 0.0 for level in scenario.dose_levels])


def make_rule(options: RuleOptions, levels: int = 0, doses: Sequence[float] = ()) -> Rule:
    """Return the rule that options describe.

    Parameters
    ----------
    options : RuleOptions
        Name and options.
    levels : int
        Number of dose levels; needed by rules with a model.
    doses : sequence of float
        The dose at each level, for a model of the dose that names none.

    Raises
    ------
    RuleError
        If a Python rule is not registered in this session.
    """
    match options:
        case ThreePlusThree():
            return ThreePlusThreeRule(variant=options.variant)
        case RollingSix():
            return RollingSixRule(table=options.table, six_at_mtd=options.six_at_mtd)
        case TiteBoin():
            return tite_boin(options)
        case Boin():
            return boin(options)
        case Mtpi():
            return mtpi(options)
        case Mtpi2():
            return mtpi2(options)
        case Keyboard():
            return keyboard(options)
        case I3Plus3():
            return i3plus3(options)
        case Crm():
            return _crm(options, levels)
        case Blrm():
            return _blrm(options, doses)
        case IqRollingSix():
            return RollingTable(name=options.name, lines=options.lines)
        case TableRule() if options.is_rolling:
            return RollingTable(name=options.name, target=options.target, lines=options.lines)
        case TableRule():
            assert options.target is not None  # `scenario.checks` sees to that
            return TableOfDecisions(name=options.name, target=options.target, letters=options.cells)
        case PythonRule():
            return _registered(options)


def _crm(options: Crm, levels: int) -> Rule:
    skeleton = options.skeleton or getprior(
        options.halfwidth, options.target, options.prior_mtd_level or 1, levels, options.model, options.intercept
    )
    names = {"name", "target", "model", "prior_sd", "prior_cut", "intercept", "estimate", "recommend_untried",
             "too_toxic_probability"}  # fmt: skip
    shared = options.model_dump(include=names)
    if not isinstance(options, TiteCrm):
        return CrmRule(skeleton=tuple(skeleton), **shared)
    return CrmRule(
        skeleton=tuple(skeleton),
        rolling=True,
        weights=options.weights,
        count_lost=options.drop_outs == "keep_weight",
        min_followup_share=options.min_followup_share,
        suspends=options.below_min_followup == "suspend",
        **shared,
    )


def _blrm(options: Blrm, doses: Sequence[float]) -> Rule:
    given = tuple(options.doses or doses)
    return BlrmRule(
        doses=given,
        reference_dose=options.reference_dose or given[-1],
        mean=(options.mean_log_alpha, options.mean_log_beta),
        sd=(options.sd_log_alpha, options.sd_log_beta),
        correlation=options.correlation,
        target_from=options.target_from,
        overdose_from=options.overdose_from,
        feasibility=options.feasibility,
        choose=options.choose,
        most_increase=options.most_increase,
        recommend_untried=options.recommend_untried,
    )


def _registered(options: PythonRule) -> Rule:
    name = registered_name(options.python, options.sha256)
    if name not in REGISTERED:
        raise RuleError(f"rule.python = {options.python!r}: {why_unknown(options.python)}")
    return OwnRule(REGISTERED[name])


def _told(name: str | None = None) -> str:
    """List the escalation rules, or tell one by its name: see `catalogue.rules`."""
    from .catalogue import rules  # which names every rule, and their texts

    return rules(name)


_told.__name__ = "rules"  # by which a person knows it
answers(__name__, asks()(_told))
