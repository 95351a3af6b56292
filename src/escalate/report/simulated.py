"""The summary of many simulated trials."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ..cautions import caution_lines, cautions
from ..cautions.about_nature import differs_among_evaluable
from ..exactly.one_by_one import whole_cohorts
from ..nature.patients import dlt_probability_if_evaluable
from ..results.estimates import Characteristics, Estimate, error_words, in_percent, in_units, trials_needed
from ..results.no_dose import WHY_NO_DOSE, no_dose_measure
from ..results.outcomes import NOT_REACHED, PER_LEVEL
from ..results.tally import PATHS_OF, Tally
from ..results.timeline import WAITS
from ..scenario.model import Scenario
from ..scenario.rules import decides_early, rule_words
from ..words.records import NO_DOSE
from ..words.tables import STATES
from .evidence import evidence_lines

_PATIENT_WORDS = {
    "infused": "infused",
    "evaluable": "evaluable",
    "dlts": "with a DLT",
    "non_evaluable": "non-evaluable",
    "not_infused": "lymphodepleted, not infused",
    "replaced": "replaced",
}


def simulated_summary(found: Characteristics) -> str:
    """Return what a statistician, a planner and an investigator want first, as text for a terminal.

    Parameters
    ----------
    found : Characteristics
        As `characteristics` returns them.

    Returns
    -------
    str
        Question and rule; P(each dose, none) and why; patients per level; candidates; dates; where the time goes;
        each estimate with its Monte Carlo standard error after ``±``.
    """
    counted = found.tally
    parts = (
        _question(counted),
        caution_lines(cautions(counted.scenario)),
        _recommendation(found),
        _evidence(counted),
        _patients(found),
        _candidates(found),
        _dates(found),
        _waits(found),
        _paths(counted),
    )
    return "\n\n".join("\n".join(part) for part in map(list, parts) if part)


def _question(counted: Tally) -> Iterator[str]:
    scenario = counted.scenario
    about, safety, rule = scenario.trial, scenario.safety, scenario.rule
    yield about.title_and_id
    yield (
        f"{counted.trials:,} simulated trials, seed {counted.seed}; rule {rule_words(rule)}; "
        f"{scenario.levels} dose levels; at most {about.planned_patients} {about.cap_counts} patients"
    )
    yield (
        f"DLT window {safety.dlt_window_days} days, sentinel {safety.sentinel_stagger_days} days, "
        f"review {safety.review_delay_days} days, follow-up {scenario.follow_up.days} days; "
        f"start {about.start_date}"
    )
    yield "± is the Monte Carlo standard error: the error of simulating, not of the assumptions."


def _recommendation(found: Characteristics) -> Iterator[str]:
    scenario = found.tally.scenario
    beside = dict(_beside(scenario))
    heads = "".join(f"   {head}" for head in beside)
    yield f"{'Which dose would be recommended?':<46}{'probability':>16}{heads}"
    for level in reversed(range(scenario.levels)):
        label = f"  level {level + 1}: {scenario.dose_levels[level].label}"
        words = "".join(f"   {cells[level]:<{len(head)}}" for head, cells in beside.items())
        yield f"{label:<46}{in_percent(found.get('recommended', level + 1)):>16}{words}".rstrip()
    words = "".join(f"   {cells[-1] if len(cells) > scenario.levels else '':<{len(h)}}" for h, cells in beside.items())
    yield f"  {NO_DOSE:<44}{in_percent(found.get('recommended', NO_DOSE)):>16}{words}".rstrip()
    yield from _why_no_dose(found)
    yield from _right_or_wrong(found)
    worst = max((found.get("recommended", level).estimate for level in range(1, scenario.levels + 1)), key=_spread)
    yield f"  within ± 0.5 points (95 % interval) after {trials_needed(worst):,} trials"
    yield "Why did the escalation end?"
    for estimate in found.estimates:
        if estimate.group == "stopping":
            yield f"  {estimate.measure:<44}{in_percent(estimate):>16}"


def _beside(scenario: Scenario) -> Iterator[tuple[str, list[str]]]:
    """Yield what stands beside the probability of each level: head, and cells, no dose last if it has one."""
    yield "assumed P(DLT)", [f"{p:.1%}" for p in scenario.toxicity.dlt_probability]
    if differs_among_evaluable(scenario):
        yield "if evaluable", [f"{p:.1%}" for p in dlt_probability_if_evaluable(scenario)]
    if scenario.early_decision and not decides_early(scenario.rule):
        whole = whole_cohorts(scenario)
        if whole is not None:
            yield "exact, with whole cohorts", [f"{q:.2%}" for q in (*whole.recommended, whole.no_dose)]


def _why_no_dose(found: Characteristics) -> Iterator[str]:
    """Tell what no dose means: a verdict on the doses, a trial too small for one, or no time left."""
    for why in WHY_NO_DOSE:
        share = found.get(no_dose_measure(why), NO_DOSE)
        if share.estimate > 0:
            yield f"{f'    of it, {why}':<46}{in_percent(share):>16}"


def _right_or_wrong(found: Characteristics) -> Iterator[str]:
    """Tell how often the right dose and how often too toxic a dose is recommended, if the scenario says which are."""
    scenario = found.tally.scenario
    if scenario.mtd_level is not None:
        right = f"level {scenario.mtd_level}" if scenario.mtd_level else NO_DOSE
        yield f"  {f'the right choice, {right}':<44}{in_percent(found.get('right choice')):>16}"
    if scenario.overdose_above is not None:
        words = f"too toxic a dose, P(DLT) above {scenario.overdose_above:.0%}"
        yield f"  {words:<44}{in_percent(found.get('too toxic a dose')):>16}"


def _spread(p: float) -> float:
    return p * (1 - p)


def _patients(found: Characteristics) -> Iterator[str]:
    levels = range(1, found.tally.scenario.levels + 1)
    columns = [*levels, "all"]
    heads = "".join(f"{name:>15}" for name in [*(f"level {level}" for level in levels), "all"])
    yield f"{'Patients in a trial, mean':<30}{heads}"
    for name in PER_LEVEL:
        if name in ("not_infused", "replaced") and found.get(name, "all").estimate == 0:
            continue
        cells = "".join(f"{in_units(found.get(name, level), 2):>15}" for level in columns)
        yield f"  {_PATIENT_WORDS[name]:<28}{cells}"
    yield f"  trials with any DLT: {in_percent(found.get('any DLT', 'all'))}"
    if found.tally.scenario.overdose_above is not None:
        limit = f"{found.tally.scenario.overdose_above:.0%}"
        yield f"  treated at a dose with P(DLT) above {limit}: {in_units(found.get('overdosed', 'all'), 2)}"


def _candidates(found: Characteristics) -> Iterator[str]:
    yield "Candidates in a trial, mean"
    yield f"  {'consented':<28}{in_units(found.get('consented'), 2):>15}"
    for state in STATES:
        estimate = found.get(state)
        if estimate.estimate > 0:
            yield f"  {state:<28}{in_units(estimate, 2):>15}"


def _dates(found: Characteristics) -> Iterator[str]:
    counted = found.tally
    yield f"{'When?':<20}{'reached':>16}{'median':>14}{'(day)':>12}   80 % of the trials that reach it"
    for name in counted.milestones:
        reached = found.get(f"{name}: reached")
        if name == "level 1 opened" or reached.estimate == 0:
            continue
        middle, low, high = (found.get(f"{name}: {q} quantile") for q in ("50%", "10%", "90%"))
        day = f"{middle.estimate:.0f} ± {error_words(middle, 0)}"
        yield (
            f"  {name:<18}{in_percent(reached):>16}{_date(counted, middle):>14}{day:>12}   "
            f"{_date(counted, low)} to {_date(counted, high)}"
        )
    span = found.get("first infusion to recommendation: reached")
    if span.estimate:
        days = found.get("first infusion to recommendation")
        cohorts = [
            name for name in counted.values if name.startswith("cohort ") and found.get(f"{name}: reached").estimate
        ]
        each = ", ".join(in_units(found.get(name), 0) for name in cohorts[:6]) + (" ..." if len(cohorts) > 6 else "")
        yield f"  first infusion to recommendation: {in_units(days, 0)} days on average; cohort by cohort: {each}"
    if counted.scenario.planned_days is not None:
        chance = found.get("finished by planned completion date")
        planned = f"{counted.scenario.trial.planned_completion_date}, day {counted.scenario.planned_days}"
        yield f"  P(finished by the planned completion date, {planned}): {in_percent(chance)}"
    cut_off = counted.values["milestone: trial ended"][NOT_REACHED]
    if cut_off:
        yield f"  {cut_off:,} trials were ended by trial.max_days: not finished, and their durations stop there."


def _waits(found: Characteristics) -> Iterator[str]:
    duration = found.get("duration")
    yield f"{'Where the time goes: waiting for':<34}{in_units(duration, 1) + ' days':>20}"
    for name in WAITS:
        if name == "lymphodepletion" and not found.tally.scenario.lead_days:
            continue
        estimate = found.get(name)
        share = estimate.estimate / duration.estimate if duration.estimate else 0.0
        bar = "█" * round(40 * share)
        yield f"  {name:<32}{in_units(estimate, 1) + ' days':>20}  {share:>4.0%} {bar}"


def _evidence(counted: Tally) -> Iterator[str]:
    """Tell how little the counts say on which a dose would be recommended."""
    yield from evidence_lines(counted.evidence())


def _paths(counted: Tally, most: int = 5) -> Iterator[str]:
    of = min(counted.trials, PATHS_OF)
    which = f"; of the first {PATHS_OF:,} trials" if of < counted.trials else ""
    yield f"Most frequent dose paths (N no DLT, T DLT, X non-evaluable{which})"
    for path, count in sorted(counted.paths.items(), key=lambda item: (-item[1], item[0]))[:most]:
        yield f"  {path or 'nobody infused':<46}{count / of:>8.1%}"


def _date(counted: Tally, estimate: Estimate) -> str:
    return (counted.start_date + timedelta(days=round(estimate.estimate))).isoformat()
