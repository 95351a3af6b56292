"""The summary of many simulated trials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from ..cautions import caution_lines
from ..cautions.about_nature import differs_among_evaluable
from ..exactly.one_by_one import whole_cohorts
from ..nature.patients import dlt_probability_if_evaluable
from ..results.answer import cut_off_words, dose_words, right_or_wrong, why_no_dose
from ..results.chance import HOW_SAID, exact_in_percent, in_all_means, in_percent, in_units, quantile_in_words
from ..results.estimates import Characteristics, Estimate, day_by_which, probability, trials_needed
from ..results.outcomes import PER_LEVEL, states_of
from ..results.tally import PATHS_OF, Tally
from ..results.timeline import waits_of
from ..scenario.designs import rule_in_full
from ..scenario.model import Scenario
from ..scenario.rules import decides_early
from ..studies.control import cautions_of, control_words
from ..words.dates import day_words
from ..words.records import NO_DOSE
from .evidence import evidence_lines
from .heads import WIDTH, driver_lines, plural, told

HALF_POINT, AGREE = 0.005, 0.25
"""How near half a percentage point is; and how far both ends of an interval may differ in the trials that they call for
so that a number of trials is said at all."""

NO_SAVINGS = "This is not what can be saved: a shorter wait makes another one longer; `sensitivity` tells."
"""What is said of the time that is waited: a committee of a day less does not end the trial a day earlier."""

LABELS = 43
"""Columns of what is recommended, and of why the escalation ends, before the probabilities."""

BEFORE_EXACT, EXACT = 54, 9
"""Columns of what is recommended with its probability, where exact ones follow, and of these."""

_PATIENT_WORDS = {
    "infused": "infused",
    "evaluable": "evaluable",
    "dlts": "with a DLT",
    "non_evaluable": "non-evaluable",
    "not_infused": "not infused",
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
        caution_lines(cautions_of(found)),
        _recommendation(found),
        _evidence(counted),
        _patients(found),
        _candidates(found),
        _dates(found),
        _spans(found),
        _waits(found),
        _paths(counted),
    )
    text = "\n\n".join("\n".join(part) for part in map(list, parts) if part)
    means = in_all_means(text, counted.trials)
    return text.replace(HOW_SAID, f"{HOW_SAID}\n{means}", 1) if means else text


def _question(counted: Tally) -> Iterator[str]:
    scenario = counted.scenario
    about, safety = scenario.trial, scenario.safety
    many, levels, cap = counted.trials, scenario.levels, about.planned_patients
    yield from told(about.title_and_id, "  ")
    yield from told(
        f"{many:,} simulated trial{plural(many)}, seed {counted.seed}; rule {rule_in_full(scenario)}; "
        f"{levels} dose level{plural(levels)}; at most {cap} {scenario.say(about.cap_counts)} patient{plural(cap)}",
        "  ",
    )
    yield from told(
        f"DLT window {_days(safety.dlt_window_days)}, sentinel {_days(safety.sentinel_stagger_days)}, "
        f"review {_days(safety.review_delay_days)}, follow-up {_days(scenario.follow_up.days)}; "
        f"start {day_words(about.start_date)}",
        "  ",
    )
    yield from driver_lines(scenario)
    yield HOW_SAID


def _recommendation(found: Characteristics) -> Iterator[str]:
    scenario, levels = found.tally.scenario, range(found.tally.scenario.levels, 0, -1)
    doses = [(f"  {dose_words(scenario, k)}", found.get("recommended", k)) for k in (*levels, NO_DOSE)]
    others = [(f"    of it, {why}", share) for why, share in why_no_dose(found)]
    others += [(f"  {words}", share) for words, share in right_or_wrong(found)]
    exactly = any(share.exact is not None for _, share in doses)
    wide = max(16, *(len(in_percent(share)) + 2 for _, share in doses))
    labels = _end([*doses, *others]) - wide if exactly else LABELS
    beside = dict(_beside(scenario))
    heads = _exact("exact", exactly) + "".join(f"   {head}" for head in beside)
    yield f"{_line('Which dose would be recommended?', 'probability', labels, wide)}{heads}"
    for position, (label, share) in enumerate(doses):
        cells = [column[position] if position < len(column) else "" for column in beside.values()]
        words = "".join(f"   {cell:<{len(head)}}" for head, cell in zip(beside, cells, strict=True))
        said = _line(label, in_percent(share), labels, wide) + _exact(exact_in_percent(share), exactly)
        yield f"{said}{words}".rstrip()
    yield from _shares(others, labels, wide, exactly)
    yield from told(f"  {precision_words([share for _, share in doses[::-1]])}", "    ")
    yield from told(f"  {control}" if (control := control_words(found)) else "", "    ")
    yield "Why did the escalation end?"
    yield from _shares([(f"  {e.measure}", e) for e in found.estimates if e.group == "stopping"], labels, wide)


def _shares(shares: Sequence[tuple[str, Estimate]], labels: int, wide: int, exactly: bool = False) -> Iterator[str]:
    """Yield a line for each probability, one below the other, with what is exact beside it."""
    said = [(label, in_percent(share), exact_in_percent(share)) for label, share in shares]
    wide = max([wide, *(len(words) + 2 for _, words, _ in said)])
    for label, words, exact in said:
        yield _line(label, words, labels, wide) + _exact(exact, exactly)


def _line(label: str, words: str, labels: int, wide: int) -> str:
    """Return a label with what stands beside it, in a column that is so wide; two spaces apart, at least."""
    return label + words.rjust(max(labels + wide - len(label), len(words) + 2))


def _exact(words: str, exactly: bool) -> str:
    """Return what stands in the column of exact values, if there is one."""
    return f"{words:>{EXACT}}" if exactly else ""


def _end(shares: Sequence[tuple[str, Estimate]]) -> int:
    """Return where the probabilities end that exact ones follow: a label that is too long for it has its own end."""
    ends = [len(label) + 2 + len(in_percent(share)) for label, share in shares if len(label) <= BEFORE_EXACT - 16]
    return max([BEFORE_EXACT, *ends])


def precision_words(shares: Sequence[Estimate]) -> str:
    """Return how many trials bring each of some probabilities within half a point, if their intervals tell."""
    trials, within = shares[0].trials, "within ± 0.5 points (95% interval)"
    ends = [(share, share.low, share.high) for share in shares if share.low is not None and share.high is not None]
    if all(max(share.estimate - low, high - share.estimate) <= HALF_POINT for share, low, high in ends):
        return f"{within} with these {trials:,} trials"
    spreads = [sorted([low, high], key=_spread) for _, low, high in ends]
    least = max(trials_needed(few, HALF_POINT) for few, _ in spreads)
    most = max(
        trials_needed(0.5 if low < 0.5 < high else max(low, high, key=_spread), HALF_POINT) for _, low, high in ends
    )
    if most > (1 + AGREE) * least:
        return (
            f"{trials:,} trials do not tell how many more bring this {within.removesuffix(' (95% interval)')}; "
            f"{trials_needed(0.5, HALF_POINT):,} suffice, whatever the probabilities"
        )
    after = max(_rounded_up(most), trials)
    return f"{within} after {after:,} trials, {after - trials:,} more"


def _rounded_up(trials: int) -> int:
    """Round up to two digits."""
    step = int(10 ** max(len(str(trials)) - 2, 0))
    return -(-trials // step) * step


def _beside(scenario: Scenario) -> Iterator[tuple[str, list[str]]]:
    """Yield what stands beside the probability of each level, highest first: head, and cells, no dose if it has one."""
    yield "assumed P(DLT)", [f"{p:.1%}" for p in scenario.toxicity.dlt_probability[::-1]]
    if differs_among_evaluable(scenario):
        yield "if evaluable", [f"{p:.1%}" for p in dlt_probability_if_evaluable(scenario)[::-1]]
    if scenario.early_decision and not decides_early(scenario.rule):
        whole = whole_cohorts(scenario)
        if whole is not None:
            yield "exact, with whole cohorts", [f"{q:.2%}" for q in (*whole.recommended[::-1], whole.no_dose)]


def _spread(p: float) -> float:
    return p * (1 - p)


def _patients(found: Characteristics) -> Iterator[str]:
    scenario = found.tally.scenario
    levels = range(1, scenario.levels + 1)
    columns = [*levels, "all"]
    shown = [name for name in PER_LEVEL if found.get(name, "all").estimate or name not in ("not_infused", "replaced")]
    rows = [[in_units(found.get(name, level)) for level in columns] for name in shown]
    wide = max([15, *(len(cell) + 2 for row in rows for cell in row)])
    heads, beside = [*(f"level {level}" for level in levels), "all"], max((WIDTH - 26) // wide, 1)
    for begin in range(0, len(columns), beside):
        part = slice(begin, begin + beside)
        title = "Patients in a trial, mean" if begin == 0 else ""
        yield f"{title:<26}" + "".join(f"{name:>{wide}}" for name in heads[part])
        for name, row in zip(shown, rows, strict=True):
            yield f"  {scenario.say(_PATIENT_WORDS[name]):<24}" + "".join(f"{cell:>{wide}}" for cell in row[part])
    yield f"  trials with any DLT: {in_percent(found.get('any DLT', 'all'))}"
    if scenario.overdose_above is not None:
        limit = f"{scenario.overdose_above:.0%}"
        yield f"  treated at a dose with P(DLT) above {limit}: {in_units(found.get('overdosed', 'all'))}"


def _candidates(found: Characteristics) -> Iterator[str]:
    yield "Candidates in a trial, mean"
    yield f"  {'consented':<28}{in_units(found.get('consented')):>15}"
    scenario = found.tally.scenario
    for state in states_of(scenario):
        estimate = found.get(state)
        if estimate.estimate > 0:
            yield f"  {scenario.say(state):<28}{in_units(estimate):>15}"
    for site in scenario.sites:
        yield f"  {f'enrolled from {site.name}':<28}{in_units(found.get(f'enrolled from {site.name}')):>15}"


def _dates(found: Characteristics) -> Iterator[str]:
    counted, say = found.tally, found.tally.scenario.say
    chances = {name: found.get(f"{name}: reached") for name in counted.milestones if name != "level 1 opened"}
    reached = {name: in_percent(chance) for name, chance in chances.items() if chance.estimate > 0}
    days = {name: quantile_in_words(found.get(f"{name}: 50% quantile")) for name in reached}
    wide, long = (max([least, *map(len, cells.values())]) for least, cells in ((16, reached), (9, days)))
    yield f"{'When?':<20}{'reached':>{wide}}{'median':>17}   {'(day)':>{long}}"
    for name in reached:
        middle = _date(counted, found.get(f"{name}: 50% quantile"))
        yield f"  {say(name):<18}{reached[name]:>{wide}}{middle:>17}   {days[name]:>{long}}"
    yield "80% of the trials that reach it do so from ... to ..."
    for name in reached:
        low, high = (_date(counted, found.get(f"{name}: {q} quantile")) for q in ("10%", "90%"))
        yield f"  {say(name):<18}{low} to {high}"
    yield from _finished(found)


def _finished(found: Characteristics) -> Iterator[str]:
    """Tell by when nine of ten trials have ended, and how probable it is to be in time."""
    counted, nine = found.tally, day_by_which(found.tally, 0.9)
    if nine is not None:
        by = day_words(counted.start_date + timedelta(days=nine))
        yield f"90% of the trials have ended by {by}, day {nine:,}"
    if counted.scenario.planned_days is not None:
        chance = in_percent(found.get("finished by planned completion date"))
        planned = counted.scenario.trial.planned_completion_date
        assert planned is not None
        yield from told(
            f"P(finished by the planned completion date, {day_words(planned)}, "
            f"day {counted.scenario.planned_days:,}): {chance}, with a dose or without one",
            "  ",
        )


def _spans(found: Characteristics) -> Iterator[str]:
    """Tell how long escalation takes, and each cohort."""
    counted = found.tally
    span = found.get("first infusion to recommendation: reached")
    if span.estimate:
        cohorts = [
            name for name in counted.values if name.startswith("cohort ") and found.get(f"{name}: reached").estimate
        ]
        yield f"{'How long? [days]':<34}{'mean':>16}{'median':>18}"
        spans = ["first infusion to recommendation", *cohorts[:6]]
        for name in spans:
            middle = quantile_in_words(found.get(f"{name}: 50% quantile"))
            yield f"  {counted.scenario.say(name):<32}{in_units(found.get(name)):>16}{middle:>18}"
        if len(cohorts) > 6:
            yield f"  and {len(cohorts) - 6} more cohort{plural(len(cohorts) - 6)}"
        yield from told("Cohorts, from opening to last decision, in the trials that have them, need not add up.")
    if cut_off := cut_off_words(found):
        yield from told(cut_off, "  ")


def _waits(found: Characteristics) -> Iterator[str]:
    duration = found.get("duration")
    yield f"{'Where the time goes: waiting for':<34}{in_units(duration, 'days'):>18}  mean, the sum of:"
    for name in waits_of(found.tally.scenario):
        if name == "lymphodepletion" and not found.tally.scenario.lymphodepletes:
            continue
        estimate = found.get(name)
        share = estimate.estimate / duration.estimate if duration.estimate else 0.0
        bar = "█" * round(20 * share)
        yield f"  {name:<32}{in_units(estimate, 'days'):>18}  {share:>4.0%} {bar}".rstrip()
    middle = quantile_in_words(found.get("duration: 50% quantile"))
    yield f"  {'all together, median':<32}{middle + ' days':>18}"
    yield from told(NO_SAVINGS, "  ")


def _evidence(counted: Tally) -> Iterator[str]:
    """Tell how little the counts say on which a dose would be recommended."""
    yield from evidence_lines(counted.evidence(), trials=counted.trials)


def _paths(counted: Tally, most: int = 5) -> Iterator[str]:
    of = min(counted.trials, PATHS_OF)
    which = f"; of the first {PATHS_OF:,} trials" if of < counted.trials else ""
    yield f"Most frequent dose paths (N no DLT, T DLT, X non-evaluable{which})"
    frequent = sorted(counted.paths.items(), key=lambda item: (-item[1], item[0]))[:most]
    long = max([44, *(len(path) + 2 for path, _ in frequent)])
    shares = [in_percent(probability("", "", None, count, of)) for _, count in frequent]
    wide = max([16, *map(len, shares)])
    for (path, _), share in zip(frequent, shares, strict=True):
        yield f"  {path or counted.scenario.say('nobody infused'):<{long}}{share:>{wide}}"


def _date(counted: Tally, estimate: Estimate) -> str:
    return day_words(counted.start_date + timedelta(days=round(estimate.estimate)))


def _days(many: int) -> str:
    return f"{many:,} day{plural(many)}"
