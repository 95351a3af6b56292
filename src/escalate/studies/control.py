"""Simulated trials held against exact values: what is printed beside them, and what is said where they do not agree.

`exact` enumerates what the trials are drawn from, and shares nothing with their calendar but the committee and its
rule. It is set beside them only where both are the same quantity:

- `exact` covers the scenario: complete data, everybody evaluable or replaced, nobody's fate fixed;
- decisions wait for whole cohorts, or each trial recommends the same whenever they come: `exactly.any_calendar`;
- none of the trials was ended by ``trial.max_days`` before its last decision: `exact` knows no such limit. Where none
  came to it, all trials are those of a scenario without it, and were binomial before anybody looked; how probable it is
  that the limit ends one does not matter.

Candidates who run out, doses that do, and calendars that never open again all end in that limit. Patients of an
expansion, and all that happens between two decisions, change no recommendation.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace

from ..cautions import Caution, Cautions, caution_sentences, cautions
from ..committee.committee import Committee
from ..errors import EscalateError
from ..exactly.any_calendar import recommends_as_whole_cohorts
from ..exactly.enumeration import Exact, check_covered, exact
from ..results.estimates import Characteristics, Estimate, estimated
from ..results.outcomes import Trials
from ..results.tally import Tally, tally
from ..scenario.model import Scenario
from ..scenario.rules import PythonRule
from ..words.asked import asks
from ..words.records import TIME_IS_UP
from .measures import Measure, exact_values, truth_of

SECONDS = 2 / 3
"""How long exact values may take, at the speeds that rules say of themselves [s]: they were measured on a machine at
work, and leave room for a slower one."""

ROWS_FOR_EACH, PAIRS_FOR_EACH = 4, 2
"""Data cuts that are made for each that may be walked over: cohorts of three have so many outcomes. And outcomes of
pairs, where decisions come early."""

MOST_ERRORS = 5.0
"""So many standard errors simulated trials may be off: chance takes less than one probability in a million further."""

FARTHEST = 37.0
"""Standard errors beyond which a tail has no number any more."""

MOST_REMEMBERED = 1000
"""Scenarios whose exact values are remembered: text, tables and figures of one result all ask for them."""

_REMEMBERED: dict[str, Exact | None] = {}


def known_exactly(scenario: Scenario) -> Exact | None:
    """Return the exact values of what trials of a scenario recommend; ``None`` where there are none, or not soon.

    How soon is told by the number of data cuts, and not by a clock: a scenario has its exact values everywhere or
    nowhere. A rule that has no answer to what may come, though not to what came, has none.
    """
    known = scenario.fingerprint()
    if known in _REMEMBERED:
        return _REMEMBERED[known]
    try:
        found = _enumerated(scenario)
    except EscalateError:
        found = None
    if not isinstance(scenario.rule, PythonRule):  # whose function may be another one the next time
        if len(_REMEMBERED) >= MOST_REMEMBERED:
            _REMEMBERED.clear()
        _REMEMBERED[known] = found
    return found


def _enumerated(scenario: Scenario) -> Exact | None:
    check_covered(scenario)
    most = round(SECONDS * Committee(scenario).rule.cuts_a_second)
    found = exact(scenario, most_in_all=most, most_rows=ROWS_FOR_EACH * most)
    if scenario.early_decision and not recommends_as_whole_cohorts(scenario, PAIRS_FOR_EACH * most):
        return None
    return found


def controlled(found: Characteristics) -> Characteristics:
    """Return operating characteristics with the exact values of what is recommended, and how far the trials are off.

    Parameters
    ----------
    found : Characteristics
        With or without them.

    Returns
    -------
    Characteristics
        The same, where the trials are not those that exact values are of, or these would take long.
    """
    if cut_off(found.tally):
        return found
    values = known_exactly(found.tally.scenario)
    if values is None:
        return found
    of = {(what.name, what.level): q for what, q in exact_values(values, truth_of(values.scenario)) if _is_share(what)}
    return replace(found, estimates=tuple(_beside(one, of.get((one.measure, one.level))) for one in found.estimates))


def _is_share(what: Measure) -> bool:
    return what.unit == "probability"


def _beside(one: Estimate, value: float | None) -> Estimate:
    if value is None:
        return one
    return replace(one, exact=value, exact_z=standard_errors(round(one.estimate * one.trials), one.trials, value))


def cut_off(counted: Tally) -> int:
    """Return how many trials were ended by ``trial.max_days`` before their last decision."""
    return sum(often for reason, often in counted.reasons.items() if reason.startswith(TIME_IS_UP))


def standard_errors(happened: int, trials: int, p: float) -> float:
    """Return how far so many of the trials are from a probability, in standard errors; below 0 where they are fewer.

    The standard error is that of a binomial with this probability. Where few trials are expected a normal tells too
    little, so that what is returned is the difference over the error of a normal whose tail is as probable; with many
    trials both are the same. Where the probability is 0 or 1, any difference is `FARTHEST`.

    Parameters
    ----------
    happened : int
        In how many trials it happened.
    trials : int
        Of how many, at least 1.
    p : float
        Probability, to rounding.
    """
    from scipy.special import betainc, ndtri

    p = min(max(p, 0.0), 1.0)
    if happened > trials * p:
        sign, tail = 1.0, betainc(happened, trials - happened + 1, p)
    elif happened < trials * p:
        sign, tail = -1.0, betainc(trials - happened, happened + 1, 1 - p)
    else:
        return 0.0
    return sign * min(max(-float(ndtri(tail)), 0.0), FARTHEST) + 0.0  # no negative zero


def compared(found: Characteristics) -> list[Estimate]:
    """Return the estimates that are held against exact values, but for what neither has."""
    return [one for one in found.estimates if one.exact is not None and (one.exact > 0 or one.estimate > 0)]


def control_words(found: Characteristics) -> str:
    """Return how far simulated trials are from exact values, in one line; why there are none, if that is by chance.

    Parameters
    ----------
    found : Characteristics
        As `characteristics` returns them.
    """
    held = compared(found)
    if held:
        most = max(abs(one.exact_z or 0.0) for one in held)
        size = f"more than {FARTHEST:.0f}" if most >= FARTHEST else f"{most:.1f}"
        return f"control: {len(held)} compared with exact, the farthest {size} standard errors off"
    many = cut_off(found.tally)
    if many and known_exactly(found.tally.scenario) is not None:
        return f"no control: trial.max_days ended {many:,} of the trials before their last decision"
    return ""


def cautions_of(found: Characteristics) -> Cautions:
    """Return what to beware of in a result: first that it is wrong, if it is, then what the scenario has.

    Parameters
    ----------
    found : Characteristics
        As `characteristics` returns them.
    """
    return Cautions((*faults(found), *cautions(found.tally.scenario)))


def warn_if_off(found: Characteristics) -> None:
    """Warn if simulated trials and exact values do not agree: loud, since nothing else of the results may be right."""
    for words in caution_sentences(faults(found)):
        warnings.warn(words, stacklevel=2)


def faults(found: Characteristics) -> Iterator[Caution]:
    """Yield that results are wrong, if they are: simulated trials and exact values do not agree.

    Parameters
    ----------
    found : Characteristics
        As `characteristics` returns them.
    """
    wrong = [one for one in compared(found) if abs(one.exact_z or 0.0) > MOST_ERRORS]
    if wrong:
        own = ", or in the rule's function" if isinstance(found.tally.scenario.rule, PythonRule) else ""
        told = "; ".join(f"{_named(one)} {one.estimate:.4%} simulated, {one.exact:.4%} exact" for one in wrong)
        yield Caution(
            key="control",
            matter="THESE RESULTS ARE WRONG, or the exact values are: simulated trials differ from them by more than "
            f"{MOST_ERRORS:g} standard errors, which chance does to less than one in a million: {told}.",
            advice=f"Do not use them. It is a fault in escalate{own}, or a damaged installation: install it anew, and "
            "please report it, with resolved.json and the seed, if it stays.",
            brief="RESULTS ARE WRONG: simulated and exact values do not agree",
        )


def _named(one: Estimate) -> str:
    level = f"level {one.level}" if isinstance(one.level, int) else one.level or ""
    return level if one.measure == "recommended" else one.measure


@asks(Trials, Tally)
def characteristics(trials: Trials | Tally) -> Characteristics:
    """Estimate the operating characteristics of a scenario from many trials.

    Parameters
    ----------
    trials : Trials or Tally
        As `simulate` returns them, or counted.

    Returns
    -------
    Characteristics
        Probabilities with exact binomial (Clopper-Pearson) intervals, means with Student's, quantiles with intervals
        between order statistics; all intervals are of Monte Carlo error alone, and say nothing of the assumptions.
        What is recommended has its exact probability beside it, where that is known and soon computed.

    References
    ----------
    Clopper CJ, Pearson ES. Biometrika 1934;26:404-413, doi:10.1093/biomet/26.4.404.
    Conover WJ. Practical Nonparametric Statistics, 3rd ed., Wiley 1999, section 3.2 (intervals for quantiles).
    """
    return controlled(estimated(trials if isinstance(trials, Tally) else tally(trials)))
