"""What many trials say: operating characteristics, each with its Monte Carlo error."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

from ..words.asked import nothing_named
from ..words.records import NO_DOSE, NO_LEVEL
from ..words.tables import Column, Layout, Measured, Table
from .chance import CONFIDENCE, binomial_interval, few_tell
from .no_dose import WHY_NO_DOSE, no_dose_measure
from .outcomes import NOT_REACHED, PER_LEVEL, states_of
from .tally import Tally
from .timeline import waits_of

QUANTILES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
"""Quantiles reported of durations and milestones."""

_Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)

NO_ERROR = (
    "if one trial alone was run, or no two trials differ, which tells nothing of their spread; of quantiles also where "
    "an end of the interval is missing, or both are one day"
)
"""When a standard error is left out: it is never 0."""

NO_INTERVAL = "of means where no two trials differ; of quantiles where the trials are too few for this end"
"""When the end of an interval is left out; those of probabilities never are."""

ESTIMATES = Layout(
    "characteristics",
    (
        Column(
            "group", "What kind of question it answers: recommendation, stopping, patients, candidates, time, waits"
        ),
        Column("measure", "What is estimated"),
        Column("level", "Dose level from 1, `no dose`, or `all`", "", "where levels do not matter"),
        Column("estimate", "The estimate", "see `unit`"),
        Column("mc_se", "Its Monte Carlo standard error", "see `unit`", NO_ERROR),
        Column("low", "Lower end of its 95% Monte Carlo interval, exact of probabilities", "see `unit`", NO_INTERVAL),
        Column("high", "Upper end of its 95% Monte Carlo interval, exact of probabilities", "see `unit`", NO_INTERVAL),
        Column("unit", "`probability`, `patients`, `candidates` or `days`"),
        Column("trials", "Trials that the estimate rests on", "count"),
    ),
)


NO_CONTROL = "of what else than is recommended; and where exact values are not those of the same, or take long"
"""When an estimate has no exact value beside it."""

CONTROLLED = Layout(
    ESTIMATES.name,
    (
        *ESTIMATES.columns,
        Column("exact", "The exact probability, by enumeration", "", NO_CONTROL),
        Column(
            "exact_z",
            "Difference of the estimate from it, over the standard error of a binomial with the exact probability; "
            "standard errors are those of a normal with the same tail",
            "standard errors",
            NO_CONTROL,
        ),
    ),
)
"""The same with exact values beside the estimates: `escalate.studies.control`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One operating characteristic with its Monte Carlo error: see `CONTROLLED` for the fields."""

    group: str
    measure: str
    level: int | str | None
    estimate: float
    mc_se: float | None
    low: float | None
    high: float | None
    unit: str
    trials: int
    exact: float | None = None
    exact_z: float | None = None


def the_one(estimates: Sequence[Estimate], measure: str, level: int | str | None) -> Estimate:
    """Return the estimate of a measure at a level.

    Raises
    ------
    KeyError
        If there is none; the message says which levels it has, or which names are near.
    """
    for estimate in estimates:
        if (estimate.measure, estimate.level) == (measure, level):
            return estimate
    raise KeyError(nothing_named(measure, level, [(e.measure, e.level) for e in estimates]))


@dataclass(frozen=True, slots=True, repr=False)
class Characteristics(Measured):
    """The operating characteristics of one scenario.

    Parameters
    ----------
    tally : Tally
        What they were estimated from.
    estimates : tuple of Estimate
        All of them, in the order of the report.
    """

    tally: Tally
    estimates: tuple[Estimate, ...]

    def get(self, measure: str, level: int | str | None = None) -> Estimate:
        """Return one estimate.

        Parameters
        ----------
        measure : str
            As in the column ``measure``.
        level : int or str, optional
            Dose level from 1, ``"no dose"``, ``"all"``; nothing where levels do not matter.

        Raises
        ------
        KeyError
            If there is no such estimate; the message lists the measures.
        """
        return the_one(self.estimates, measure, level)

    @property
    def table(self) -> Table:
        """All estimates as a table."""
        names = CONTROLLED.names
        cells = tuple(tuple(getattr(estimate, name) for name in names) for estimate in self.estimates)
        return Table(CONTROLLED, cells, self.tally.start_date)

    def __repr__(self) -> str:
        return f"<Characteristics: {len(self.estimates)} estimates from {self.tally.trials} trials>"


def estimated(counted: Tally) -> Characteristics:
    """Estimate operating characteristics from counted trials: `escalate.characteristics`, without exact values.

    Probabilities have exact binomial (Clopper-Pearson) intervals, means Student's, quantiles intervals between order
    statistics.

    References
    ----------
    Clopper CJ, Pearson ES. Biometrika 1934;26:404-413, doi:10.1093/biomet/26.4.404.
    Conover WJ. Practical Nonparametric Statistics, 3rd ed., Wiley 1999, section 3.2 (intervals for quantiles).
    """
    parts = (_recommendation, _stopping, _patients, _candidates, _time, _waits)
    return Characteristics(tally=counted, estimates=tuple(estimate for part in parts for estimate in part(counted)))


def _recommendation(counted: Tally) -> Iterator[Estimate]:
    often = counted.values["recommended"]
    for level in range(counted.scenario.levels):
        yield probability("recommendation", "recommended", level + 1, often[level], counted.trials)
    yield probability("recommendation", "recommended", NO_DOSE, often[NO_LEVEL], counted.trials)
    for code, why in enumerate(WHY_NO_DOSE):
        happened = counted.values["no dose"][code]
        yield probability("recommendation", no_dose_measure(why), NO_DOSE, happened, counted.trials)
    scenario = counted.scenario
    if scenario.mtd_level is not None:
        yield probability("recommendation", "right choice", None, often[scenario.mtd_level - 1], counted.trials)
    if scenario.overdose_above is not None:
        truth = enumerate(scenario.toxicity.dlt_probability)
        too_toxic = sum(often[level] for level, p in truth if p > scenario.overdose_above)
        yield probability("recommendation", "too toxic a dose", None, too_toxic, counted.trials)


def _stopping(counted: Tally) -> Iterator[Estimate]:
    for reason, often in sorted(counted.reasons.items(), key=lambda item: (-item[1], item[0])):
        yield probability("stopping", reason, None, often, counted.trials)


def _patients(counted: Tally) -> Iterator[Estimate]:
    for name in PER_LEVEL:
        for level in (*range(1, counted.scenario.levels + 1), "all"):
            yield mean("patients", name, level, counted.values[f"{name}: {level}"], "patients")
    yield probability("patients", "any DLT", "all", counted.values["any DLT"][1], counted.trials)
    if "overdosed" in counted.values:
        yield mean("patients", "overdosed", "all", counted.values["overdosed"], "patients")


def _candidates(counted: Tally) -> Iterator[Estimate]:
    yield mean("candidates", "consented", None, counted.values["consented"], "candidates")
    for state in states_of(counted.scenario):
        yield mean("candidates", state, None, counted.values[f"state: {state}"], "candidates")
    for site in counted.scenario.sites:
        name = f"enrolled from {site.name}"
        yield mean("candidates", name, None, counted.values[name], "patients")


def _time(counted: Tally) -> Iterator[Estimate]:
    if counted.scenario.planned_days is not None:
        finished = counted.values["finished in time"][1]
        yield probability("time", "finished by planned completion date", None, finished, counted.trials)
    yield mean("time", "duration", None, counted.values["duration"], "days")
    yield from _quantiles("duration", counted.values["duration"])
    for name in counted.milestones:
        yield from _reached(name, counted.values[f"milestone: {name}"], counted.trials)
    spans = [name for name in counted.values if name.startswith("cohort ")]
    for name in ("first infusion to recommendation", *spans):
        yield from _reached(name, counted.values[name], counted.trials)
        reached = _without_missed(counted.values[name])
        if reached:
            yield mean("time", name, None, reached, "days")


def _reached(name: str, often: Mapping[int, int], trials: int) -> Iterator[Estimate]:
    """Estimate how many trials come to something, and the quantiles of its days in those that do."""
    reached = _without_missed(often)
    yield probability("time", f"{name}: reached", None, sum(reached.values()), trials)
    yield from _quantiles(name, reached)


def _without_missed(often: Mapping[int, int]) -> dict[int, int]:
    return {value: count for value, count in often.items() if value != NOT_REACHED}


def _quantiles(name: str, often: Mapping[int, int]) -> Iterator[Estimate]:
    for q in QUANTILES if often else ():
        yield quantile("time", f"{name}: {q:.0%} quantile", often, q)


def finished_by(counted: Tally) -> tuple[tuple[int, Estimate], ...]:
    """Estimate the probability that the trial has ended by each day.

    Parameters
    ----------
    counted : Tally
        Counts of simulated trials.

    Returns
    -------
    tuple of (int, Estimate)
        Each day on which a trial ended [days since the start date], in order, and the share of all trials that had
        ended by it, with its exact binomial interval. Trials that ``trial.max_days`` cut off never end, so that the
        last share may be below 1; there is no day if all were cut off.
    """
    ended = _without_missed(counted.values["milestone: trial ended"])
    days = sorted(ended)
    up_to = itertools.accumulate(ended[day] for day in days)
    return tuple(
        (day, probability("time", f"finished by day {day}", None, count, counted.trials))
        for day, count in zip(days, up_to, strict=True)
    )


def day_by_which(counted: Tally, share: float) -> int | None:
    """Return the first day by which so many of all trials have ended; ``None`` if so many never do.

    Parameters
    ----------
    counted : Tally
        Of any trials.
    share : float
        Of them, above 0 and at most 1.
    """
    ended, so_far = counted.values["milestone: trial ended"], 0
    for day in sorted(day for day in ended if day != NOT_REACHED):
        so_far += ended[day]
        if so_far >= share * counted.trials:
            return day
    return None


def _waits(counted: Tally) -> Iterator[Estimate]:
    for name in waits_of(counted.scenario):
        yield mean("waits", name, None, counted.values[f"waits: {name}"], "days")


def trials_needed(p: float, half_width: float = 0.005) -> int:
    """Return how many trials bring both ends of the exact 95% interval so near to an estimate of a probability.

    Parameters
    ----------
    p : float
        The probability, about.
    half_width : float
        How near, 0.005 for half a percentage point.
    """

    def is_enough(n: int) -> bool:
        low, high = binomial_interval(p * n, n)
        return max(p - low, high - p) <= half_width

    most = 1
    while not is_enough(most):
        most *= 2
    return bisect.bisect_left(range(most + 1), True, lo=most // 2 + 1, key=is_enough)


def posterior_interval(k: int, n: int) -> tuple[float, float]:
    """Return the equal-tailed 95% interval of Beta(1 + k, 1 + n - k): a uniform prior, after k of n."""
    from scipy.special import betaincinv

    tail = (1 - CONFIDENCE) / 2
    return float(betaincinv(1 + k, 1 + n - k, tail)), float(betaincinv(1 + k, 1 + n - k, 1 - tail))


def probability(group: str, measure: str, level: int | str | None, happened: int, trials: int) -> Estimate:
    """Estimate a probability from what happened in so many of the trials, with its exact binomial interval."""
    p, (low, high) = happened / trials, binomial_interval(happened, trials)
    return Estimate(
        group=group, measure=measure, level=level, estimate=p, mc_se=math.sqrt(p * (1 - p) / trials) or None, low=low,
        high=high, unit="probability", trials=trials,
    )  # fmt: skip


def otherwise(found: Estimate) -> Estimate:
    """Return the estimate of the probability that it does not happen."""
    assert found.low is not None and found.high is not None
    return replace(found, estimate=1 - found.estimate, low=1 - found.high, high=1 - found.low)


def mean(group: str, measure: str, level: int | str | None, often: Mapping[int, int], unit: str) -> Estimate:
    """Estimate a mean of what is never below 0 from how often each value came; sums are exact, and rounded once."""
    found = mean_of_sums(group, measure, level, *_sums(often), unit)
    return found if found.low is None else replace(found, low=max(found.low, 0.0))


def difference(group: str, measure: str, level: int | str | None, often: Mapping[int, int], unit: str) -> Estimate:
    """Estimate the mean of paired differences from how often each came; of a probability they are -1, 0 or 1."""
    return difference_of_sums(group, measure, level, *_sums(often), unit)


def _sums(often: Mapping[int, int]) -> tuple[int, int, int]:
    """Return the number of values, their sum, and that of their squares."""
    total, squares = (sum(value**power * count for value, count in often.items()) for power in (1, 2))
    return sum(often.values()), total, squares


def difference_of_sums(
    group: str, measure: str, level: int | str | None, n: int, total: int, squares: int, unit: str
) -> Estimate:
    """Estimate the mean of paired differences from their number, their sum, and that of their squares.

    Where few trials differ from the rest in whether something happened, the interval is that of both probabilities, of
    a gain and of a loss, exact and each at 97.5%, so that it covers with 95% at least: no difference in 20 trials
    does not exclude one of 20 points.
    """
    found = mean_of_sums(group, measure, level, n, total, squares, unit)
    gains, losses = (squares + total) // 2, (squares - total) // 2
    if unit != "probability" or not few_tell(gains, losses, n - squares):
        return found
    gain, loss = (binomial_interval(k, n, (1 + CONFIDENCE) / 2) for k in (gains, losses))
    return replace(found, low=gain[0] - loss[1], high=gain[1] - loss[0])


def mean_of_sums(
    group: str, measure: str, level: int | str | None, n: int, total: int, squares: int, unit: str
) -> Estimate:
    """Estimate a mean from the number of values, their sum, and that of their squares, with Student's interval."""
    from scipy.special import stdtrit

    centre, spread = total / n, n * squares - total * total
    se = math.sqrt(spread / (n * n * (n - 1))) if spread else None
    half = None if se is None else float(stdtrit(n - 1, 0.5 + CONFIDENCE / 2)) * se
    low, high = (None, None) if half is None else (centre - half, centre + half)
    return Estimate(
        group=group, measure=measure, level=level, estimate=centre, mc_se=se, low=low, high=high, unit=unit, trials=n
    )


def quantile(group: str, measure: str, often: Mapping[int, int], q: float, unit: str = "days") -> Estimate:
    """Estimate a quantile from how often each value came: the smallest that q of the trials reach.

    The interval lies between the order statistics whose ranks are n q plus or minus z times sqrt(n q (1 - q)); an end
    whose rank the trials do not have is left out. The standard error is that interval's half-length over z.
    """
    values, up_to = sorted(often), list(itertools.accumulate(often[value] for value in sorted(often)))
    n = up_to[-1]
    spread = _Z * math.sqrt(n * q * (1 - q))
    ranks = math.floor(n * q - spread), math.ceil(n * q), math.ceil(n * q + spread)
    low, centre, high = (float(values[bisect.bisect_left(up_to, rank)]) if 1 <= rank <= n else None for rank in ranks)
    assert centre is not None
    return Estimate(
        group=group, measure=measure, level=None, estimate=centre,
        mc_se=None if low is None or high is None else (high - low) / (2 * _Z) or None,
        low=low, high=high, unit=unit, trials=n,
    )  # fmt: skip
