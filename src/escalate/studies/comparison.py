"""Several rules and truths on the same patients: what each rule does, and how that differs from the first one.

Under each truth every rule meets the same candidates and patients, trial by trial, so that the difference of two rules
has a smaller standard error than two separate simulations would give. Differences are whole numbers of each trial and
are counted, so that nothing is rounded before the end, whatever the chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from typing import Any, overload

from ..committee.committee import Committee
from ..errors import CallError, EscalateError, NotCoveredError, Problem, RuleError, ScenarioError, TooManyError
from ..exactly.enumeration import exact
from ..results.estimates import Estimate
from ..scenario.compared import AsRule, AsTruth, Truth, compared
from ..scenario.model import Scenario
from ..scenario.variants import scenarios_of
from ..words.asked import asks, described, number
from ..words.defaults import TRIALS
from .compared import COMPARED, THIS, WHOLE_COHORTS, Compared, Comparison
from .crew import Crew, travels
from .measures import MEASURES, Measure, exact_values
from .pairs import Pairs, Same, count_pairs, pairs_from_bytes, pairs_to_bytes, same_patients
from .parts import Cut, Work, done
from .progress import progress as showing
from .simulation import check_can_travel, check_trials
from .variants import Counts, Together, Variants, variants_work

__all__ = ["COMPARED", "MEASURES", "THIS", "WHOLE_COHORTS", "Compared", "Comparison", "compare"]

AsVariant = Mapping[str, Any] | Scenario

EXACT_SECONDS = 10
"""How long the exact values of a rule under a truth may take, as far as the rule's speed tells [s]."""

MOST_COMPARED = 1000
"""Most scenarios that are compared at once, each rule under each truth."""


@overload
def compare(
    scenario: Scenario,
    rules: Iterable[AsRule] | Mapping[str, AsRule] | None = None,
    truths: Iterable[AsTruth] | Mapping[str, AsTruth] | None = None,
    *,
    variants: None = None,
    target: float | None = None,
    trials: int = TRIALS,
    seed: int = 1,
    enumerate_exactly: bool = True,
    progress: bool | None = None,
    executor: Crew = None,
) -> Comparison: ...


@overload
def compare(
    scenario: Scenario,
    *,
    variants: Mapping[str, AsVariant],
    trials: int = TRIALS,
    seed: int = 1,
    progress: bool | None = None,
    executor: Crew = None,
) -> Variants: ...


@overload
def compare(
    scenario: Sequence[Scenario] | Mapping[str, Scenario],
    *,
    variants: Mapping[str, AsVariant] | None = None,
    trials: int = TRIALS,
    seed: int = 1,
    progress: bool | None = None,
    executor: Crew = None,
) -> Variants: ...


@asks(Scenario, list, tuple, dict, numbers=("trials", "seed"))
def compare(
    scenario: Scenario | Sequence[Scenario] | Mapping[str, Scenario],
    rules: Iterable[AsRule] | Mapping[str, AsRule] | None = None,
    truths: Iterable[AsTruth] | Mapping[str, AsTruth] | None = None,
    *,
    variants: Mapping[str, AsVariant] | None = None,
    target: float | None = None,
    trials: int = TRIALS,
    seed: int = 1,
    enumerate_exactly: bool = True,
    progress: bool | None = None,
    executor: Crew = None,
) -> Comparison | Variants:
    """Compare several rules under several truths, on the same candidates and patients; or several scenarios.

    Parameters
    ----------
    scenario : Scenario; or a list, or a dict with labels as keys, of several
        Everything but the rules and the truths. Where there are several, they are compared, each with its own rule and
        its own truth; they have the same dose levels, and differences are to the first.
    rules : sequence, or dict with labels as keys, optional
        Each a name (``"BOIN"``), a line (``"CRM prior_mtd_level=2 limits.coherence=last_cohort"``), a dictionary of the
        same, with a ``label`` if you like, or a whole scenario, which may differ in anything but the dose levels. The
        name of the scenario's own rule, without options, is that rule as the scenario sets it.
        Differences are to the first one. The scenario's own rule where it is not given.
    truths : sequence, or dict with labels as keys, optional
        P(DLT) at each level, lowest first, each; or a dictionary with ``dlt_probability``, and ``label`` and
        ``mtd_level`` (0 for none) if you like. The scenario's own where it is not given.
    variants : dict of str to dict, optional
        Scenarios that are compared with the first, by their labels: each the changes that make it, as
        ``{"slow": {"accrual.consents_per_month": 0.5}}``, or a whole scenario. They go without rules and truths.
    target : float, optional
        Target DLT probability of every rule that needs one and names none; that of the scenario's own rule, if it has
        one, where it is not given. Unless the scenario has `toxicity.overdose_above`, it is also that, for all rules:
        the P(DLT) above which a patient is overdosed. The MTD of a truth is the highest level whose P(DLT) is not above
        it, unless the truth says ``mtd_level``; the right choice is to recommend it, or no dose where there is none.
    trials : int
        Trials of each rule under each truth, at least 1.
    seed : int
        Seed of all, at least 0.
    enumerate_exactly : bool
        Whether exact values are computed, where `escalate.exact` covers the rule and has them within some ten seconds,
        as far as the rule's speed tells: not more than 1,500 data cuts of a BLRM, a million of most rules.
    progress : bool
        Whether to show how far it is; where a person watches, in a terminal or a notebook, if it is not given.
    executor : concurrent.futures.Executor or int, optional
        Who runs the trials, in chunks, as in `workers`; or on how many cores of this machine, 1 for one; where it is
        not given, on every one if that pays and the kernel is compiled. The results are the same.

    Returns
    -------
    Comparison
        Estimates, and paired differences to the first rule, with their Monte Carlo errors; exact values where they
        exist. Those are of whole cohorts: where the scenario decides early, they say so.
    Variants
        The same of scenarios, without exact values, and with the counts that curves are drawn from.

    Raises
    ------
    CallError
        If scenarios are compared, and rules, truths or a target are given, too.
    ScenarioError
        If a scenario cannot be made, or has other dose levels; a rule lacks a number or does not go with the scenario;
        or a truth has not one probability for each level;
        all problems at once, before anything is run.
    ValueError
        If `trials` is below 1, or `seed` is negative.
    WorkersError
        If others than this process do it, and a rule is Python code, which they do not have.
    """
    for name, value, example in (("rules", rules, '["3+3", "BOIN target=0.25"]'), ("truths", truths, "[[0.05, 0.1]]")):
        if isinstance(value, str):
            raise CallError(f"compare: {name} is a list, as in {example}; got {described(value)}")
    if variants is not None or not isinstance(scenario, Scenario):
        _check_alone(variants, rules=rules, truths=truths, target=target)
        several = scenarios_work(scenario, variants, trials=trials, seed=seed, travel=travels(executor))
        return several.put_together(part for _, part in done(several, executor, progress))
    work = comparison_work(
        scenario,
        rules,
        truths,
        target=target,
        trials=trials,
        seed=seed,
        enumerate_exactly=enumerate_exactly,
        progress=progress,
        travel=travels(executor),
    )
    return work.put_together(pairs for _, pairs in done(work, executor, progress))


def scenarios_work(
    scenario: Scenario | Sequence[Scenario] | Mapping[str, Scenario],
    variants: Mapping[str, AsVariant] | None = None,
    *,
    trials: int,
    seed: int,
    travel: bool = False,
    cut: Cut | None = None,
) -> Work[Together, Counts, Variants]:
    """Return a comparison of scenarios as work that is cut into parts; parameters as in `comparison_work`."""
    scenarios = scenarios_of(scenario, variants)
    _check_committees(scenarios, "scenario")
    return variants_work(scenarios, trials=trials, seed=seed, travel=travel, cut=cut)


def comparison_work(
    scenario: Scenario,
    rules: Iterable[AsRule] | Mapping[str, AsRule] | None = None,
    truths: Iterable[AsTruth] | Mapping[str, AsTruth] | None = None,
    *,
    target: float | None = None,
    trials: int,
    seed: int,
    enumerate_exactly: bool = True,
    progress: bool | None = None,
    travel: bool = False,
    cut: Cut | None = None,
) -> Work[Same, Pairs, Comparison]:
    """Return a comparison of rules under truths as work that is cut into parts.

    Parameters
    ----------
    scenario, rules, truths, target, trials, seed, enumerate_exactly, progress
        As `compare` takes them.
    travel : bool
        Whether other processes do any of it.
    cut : callable, optional
        Cuts trials into parts, `steady` into those that are the same whoever asks; at a pace where it is not given.
    """
    check_trials(trials, seed, 0)
    target = number("target", target)
    designs, known = compared(scenario, rules, truths, target)
    cells = _cells(designs, known, travel)

    def put_together(parts: Iterable[Pairs]) -> Comparison:
        counted = _counted(cells, known, parts)
        rows, not_exact = _rows(cells, counted, enumerate_exactly, progress)
        return Comparison(
            scenario=scenario,
            overdose_above=known[0].overdose_above,
            seed=seed,
            trials=trials,
            truths=tuple(known),
            scenarios=cells,
            not_exact=not_exact,
            rows=tuple(rows),
        )

    return Work(
        kind="a comparison's parts",
        what={
            "verb": "compare",
            "scenario_sha256": scenario.fingerprint(),
            "rules_sha256": [[label, design.fingerprint()] for label, design in designs.items()],
            "truths": [astuple(truth) for truth in known],
            "trials": trials,
            "seed": seed,
        },
        scenario=scenario,
        scenarios=cells.values,
        trials=trials * len(cells),
        parts=lambda shards, executor=None: same_patients(known, cells, trials, seed, cut, shards, executor),
        do=count_pairs,
        to_bytes=pairs_to_bytes,
        from_bytes=pairs_from_bytes,
        put_together=put_together,
    )


def _check_alone(variants: object, **given: Any) -> None:
    """Raise `CallError` where scenarios are to be compared, and something goes with rules and truths alone."""
    if variants is not None and not isinstance(variants, Mapping):
        example = '{"slow": {"accrual.consents_per_month": 0.5}}'
        raise CallError(f"compare: variants is a dict, as in {example}; got {described(variants)}")
    told = [name for name, value in given.items() if value is not None]
    if told:
        raise CallError(
            f"compare: {' and '.join(told)} cannot be given where scenarios are compared: a scenario has its own rule "
            'and truth; make each a variant, as in variants={"BOIN": {"rule": {"name": "BOIN", "target": 0.25}}}'
        )


def _cells(designs: Mapping[str, Scenario], known: Sequence[Truth], travel: bool) -> dict[tuple[str, str], Scenario]:
    """Return each rule under each truth, by the labels of truth and rule, checked as far as that needs no trial."""
    if len(designs) * len(known) > MOST_COMPARED:
        raise EscalateError(
            f"{len(designs)} rules under {len(known)} truths are {len(designs) * len(known):,} scenarios, and at most "
            f"{MOST_COMPARED:,} are compared at once: leave some out"
        )
    _check_committees(designs)
    cells = {
        (truth.label, label): design.replace({f"toxicity.{key}": value for key, value in truth.toxicity.items()})
        for truth in known
        for label, design in designs.items()
    }
    if travel:
        for cell in cells.values():
            check_can_travel(cell)
    return cells


def _check_committees(designs: Mapping[str, Scenario], kind: str = "rule") -> None:
    """Raise what shows only when a rule is made: whether a Python rule is there, and has what goes around it."""
    problems = []
    for label, design in designs.items():
        try:
            Committee(design)
        except RuleError as error:
            problems.append(Problem(key=f"{kind} {label}", message=str(error)))
    if problems:
        raise ScenarioError(problems)


def _counted(
    cells: Mapping[tuple[str, str], Scenario], known: Sequence[Truth], parts: Iterable[Pairs]
) -> dict[str, Pairs]:
    """Return under each truth what came of all trials and how rules differ, by the truth's label."""
    counted = {truth.label: Pairs(truth, [label for under, label in cells if under == truth.label]) for truth in known}
    for pairs in parts:
        counted[pairs.truth.label].add(pairs)
    return counted


def _rows(
    scenarios: Mapping[tuple[str, str], Scenario],
    counted: Mapping[str, Pairs],
    enumerate_exactly: bool,
    progress: bool | None,
) -> tuple[list[Compared], dict[tuple[str, str], str]]:
    """Return everything that was estimated, with exact values; and, where there are none, why."""
    rows, not_exact = list[Compared](), {}
    found = _enumerated(scenarios, counted, progress) if enumerate_exactly else {}
    for (under, label), cell in scenarios.items():
        pairs = counted[under]
        values, why_not = found.get((under, label), ({}, ""))
        if why_not:
            not_exact[under, label] = why_not
        of = WHOLE_COHORTS if cell.early_decision else THIS
        rows += [_row(pairs.truth, label, *parts, values.get(parts[0]), of) for parts in pairs.estimates(label)]
    return rows, not_exact


def _enumerated(
    scenarios: Mapping[tuple[str, str], Scenario], counted: Mapping[str, Pairs], progress: bool | None
) -> dict[tuple[str, str], tuple[dict[Measure, float], str]]:
    """Return what is known exactly of each rule under each truth, and, where that is nothing, why."""
    found: dict[tuple[str, str], tuple[dict[Measure, float], str]] = {}
    refused: dict[tuple[str, tuple[bool, ...]], str] = {}
    lost = "nothing of the comparison is kept; it goes without exact values, too (enumerate_exactly, --no-exact)"
    with showing(len(scenarios), "rules", progress, lost, "exact values") as bar:
        for (under, label), cell in scenarios.items():
            possible = label, tuple(0 < p < 1 for p in cell.toxicity.dlt_probability)  # the same data cuts
            if possible in refused:
                found[under, label] = {}, refused[possible]
            else:
                found[under, label] = _enumerated_soon(cell, counted[under].truth)
                if why_not := found[under, label][1]:
                    refused[possible] = why_not
            bar.update(1)
    return found


def _enumerated_soon(cell: Scenario, truth: Truth) -> tuple[dict[Measure, float], str]:
    """Return what is known exactly of a rule under a truth, if that takes a few seconds; where it is nothing, why."""
    most = round(EXACT_SECONDS * Committee(cell).rule.cuts_a_second)
    try:
        return dict(exact_values(exact(cell, most_in_all=most), truth)), ""
    except TooManyError:
        return {}, f"more than {most:,} data cuts are possible, which take long (`escalate exact` computes them)"
    except NotCoveredError as error:
        return {}, str(error)


def _row(
    truth: Truth, rule: str, what: Measure, found: Estimate, change: Estimate | None, value: float | None, of: str
) -> Compared:
    return Compared(
        truth=truth.label,
        rule=rule,
        measure=what.name,
        level=what.level,
        estimate=found.estimate,
        mc_se=found.mc_se,
        low=found.low,
        high=found.high,
        difference=change.estimate if change else None,
        difference_se=change.mc_se if change else None,
        difference_low=change.low if change else None,
        difference_high=change.high if change else None,
        exact=value,
        exact_of=None if value is None else of,
        unit=what.unit,
        trials=found.trials,
    )
