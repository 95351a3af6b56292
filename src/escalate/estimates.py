"""What many trials say: operating characteristics, each with its Monte Carlo error."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from .outcomes import NOT_REACHED, PER_LEVEL, Trials
from .records import NO_DOSE, NO_LEVEL, FloatArray, IntArray
from .tables import Column, Layout, Table

CONFIDENCE = 0.95
"""Coverage of the Monte Carlo intervals."""

QUANTILES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
"""Quantiles reported of durations and milestones."""

_Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)

ESTIMATES = Layout(
    "characteristics",
    (
        Column(
            "group", "What kind of question it answers: recommendation, stopping, patients, candidates, time, waits"
        ),
        Column("measure", "What is estimated"),
        Column("level", "Dose level from 1, `no dose`, or `all`", "", "where levels do not matter"),
        Column("estimate", "The estimate", "see `unit`"),
        Column("mc_se", "Its Monte Carlo standard error", "see `unit`", "if one trial alone was run"),
        Column("low", "Lower end of its 95 % Monte Carlo interval", "see `unit`", "if one trial alone was run"),
        Column("high", "Upper end of its 95 % Monte Carlo interval", "see `unit`", "if one trial alone was run"),
        Column("unit", "`probability`, `patients`, `candidates` or `days`"),
        Column("trials", "Trials that the estimate rests on", "count"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One operating characteristic with its Monte Carlo error: see `ESTIMATES` for the fields."""

    group: str
    measure: str
    level: int | str | None
    estimate: float
    mc_se: float | None
    low: float | None
    high: float | None
    unit: str
    trials: int


@dataclass(frozen=True, slots=True, repr=False)
class Characteristics:
    """The operating characteristics of one scenario.

    Parameters
    ----------
    trials : Trials
        What they were estimated from.
    estimates : tuple of Estimate
        All of them, in the order of the report.
    """

    trials: Trials
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
        for estimate in self.estimates:
            if (estimate.measure, estimate.level) == (measure, level):
                return estimate
        known = ", ".join(sorted({f"{e.measure!r} at {e.level!r}" for e in self.estimates}))
        raise KeyError(f"no estimate of {measure!r} at level {level!r}; there are: {known}")

    @property
    def table(self) -> Table:
        """All estimates as a table."""
        names = ESTIMATES.names
        cells = tuple(tuple(getattr(estimate, name) for name in names) for estimate in self.estimates)
        return Table(ESTIMATES, cells, self.trials.start_date)

    def to_pandas(self) -> Any:
        """Return all estimates as a pandas ``DataFrame`` (needs the extra ``notebooks``)."""
        return self.table.to_pandas()

    def __repr__(self) -> str:
        return f"<Characteristics: {len(self.estimates)} estimates from {len(self.trials)} trials>"

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


def characteristics(trials: Trials) -> Characteristics:
    """Estimate the operating characteristics of a scenario from many trials.

    Parameters
    ----------
    trials : Trials
        As `simulate` returns them.

    Returns
    -------
    Characteristics
        Probabilities with exact binomial (Clopper-Pearson) intervals, means with normal ones, quantiles with intervals
        between order statistics; all intervals are of Monte Carlo error alone, and say nothing of the assumptions.

    References
    ----------
    Clopper CJ, Pearson ES. Biometrika 1934;26:404-413, doi:10.1093/biomet/26.4.404.
    Conover WJ. Practical Nonparametric Statistics, 3rd ed., Wiley 1999, section 3.2 (intervals for quantiles).
    """
    found = (*_recommendation(trials), *_stopping(trials), *_patients(trials), *_time(trials), *_waits(trials))
    return Characteristics(trials=trials, estimates=found)


def _recommendation(trials: Trials) -> Iterator[Estimate]:
    for level in range(trials.scenario.levels):
        yield probability("recommendation", "recommended", level + 1, trials.recommended == level)
    yield probability("recommendation", "recommended", NO_DOSE, trials.recommended == NO_LEVEL)


def _stopping(trials: Trials) -> Iterator[Estimate]:
    often = np.bincount(trials.reason, minlength=len(trials.reasons))
    for code in np.argsort(-often, kind="stable").tolist():
        yield probability("stopping", trials.reasons[code], None, trials.reason == code)


def _patients(trials: Trials) -> Iterator[Estimate]:
    for name in PER_LEVEL:
        counts = trials.patients[name]
        for level in range(trials.scenario.levels):
            yield mean("patients", name, level + 1, counts[:, level], "patients")
        yield mean("patients", name, "all", counts.sum(axis=1), "patients")
    yield probability("patients", "any DLT", "all", trials.patients["dlts"].sum(axis=1) > 0)
    everybody = np.sum(list(trials.candidates.values()), axis=0)
    yield mean("candidates", "consented", None, everybody, "candidates")
    for state, counts in trials.candidates.items():
        yield mean("candidates", state, None, counts, "candidates")


def _time(trials: Trials) -> Iterator[Estimate]:
    if trials.planned_days is not None:
        ended = trials.milestone_days["trial ended"]
        finished = (ended != NOT_REACHED) & (ended <= trials.planned_days)
        yield probability("time", "finished by planned completion date", None, finished)
    yield mean("time", "duration", None, trials.duration_days, "days")
    for name, days in trials.milestone_days.items():
        reached = days[days != NOT_REACHED]
        yield probability("time", f"{name}: reached", None, days != NOT_REACHED)
        for q in QUANTILES if len(reached) else ():
            yield quantile("time", f"{name}: {q:.0%} quantile", reached, q)


def _waits(trials: Trials) -> Iterator[Estimate]:
    for name, days in trials.waits.items():
        yield mean("waits", name, None, days, "days")


def binomial_interval(k: int, n: int) -> tuple[float, float]:
    """Return the exact (Clopper-Pearson) 95 % interval of a probability after k of n, n at least 1."""
    from scipy.special import betaincinv

    tail = (1 - CONFIDENCE) / 2
    low = float(betaincinv(k, n - k + 1, tail)) if k > 0 else 0.0
    high = float(betaincinv(k + 1, n - k, 1 - tail)) if k < n else 1.0
    return low, high


def posterior_interval(k: int, n: int) -> tuple[float, float]:
    """Return the equal-tailed 95 % interval of Beta(1 + k, 1 + n - k): a uniform prior, after k of n."""
    from scipy.special import betaincinv

    tail = (1 - CONFIDENCE) / 2
    return float(betaincinv(1 + k, 1 + n - k, tail)), float(betaincinv(1 + k, 1 + n - k, 1 - tail))


def probability(group: str, measure: str, level: int | str | None, happened: Any) -> Estimate:
    """Estimate a probability from what happened in each trial, shape (n,), with its exact binomial interval."""
    n, k = len(happened), int(np.sum(happened))
    p, (low, high) = k / n, binomial_interval(k, n)
    return Estimate(
        group=group, measure=measure, level=level, estimate=p, mc_se=math.sqrt(p * (1 - p) / n), low=low, high=high,
        unit="probability", trials=n,
    )  # fmt: skip


def mean(group: str, measure: str, level: int | str | None, values: IntArray | FloatArray, unit: str) -> Estimate:
    """Estimate a mean from one value of each trial, shape (n,)."""
    n, centre = len(values), float(np.mean(values))
    se = float(np.std(values, ddof=1)) / math.sqrt(n) if n > 1 else None
    low, high = (None, None) if se is None else (centre - _Z * se, centre + _Z * se)
    return Estimate(
        group=group, measure=measure, level=level, estimate=centre, mc_se=se, low=low, high=high, unit=unit, trials=n
    )


def quantile(group: str, measure: str, values: IntArray, q: float) -> Estimate:
    """Estimate a quantile of days from one value of each trial, shape (n,): the smallest that q of them reach.

    The interval lies between the order statistics whose ranks are n q plus or minus z times sqrt(n q (1 - q)); the
    standard error is that interval's half-length over z.
    """
    ordered, n = np.sort(values), len(values)
    spread = _Z * math.sqrt(n * q * (1 - q))
    low = float(ordered[max(math.floor(n * q - spread) - 1, 0)])
    high = float(ordered[min(math.ceil(n * q + spread), n) - 1])
    return Estimate(
        group=group, measure=measure, level=None, estimate=float(ordered[math.ceil(n * q) - 1]),
        mc_se=(high - low) / (2 * _Z) if n > 1 else None, low=low if n > 1 else None, high=high if n > 1 else None,
        unit="days", trials=n,
    )  # fmt: skip
