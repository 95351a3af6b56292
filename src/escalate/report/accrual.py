"""By when how many patients have come, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import numpy as np

from ..cautions import caution_lines, cautions
from ..results.chance import HOW_SAID, in_percent, quantile_in_words
from ..results.estimates import probability
from ..studies.accruals import COUNTED, MOST_TRIALS, TAILS, Accrual, days_of
from ..words.dates import day_words
from ..words.records import IntArray
from .heads import driver_lines, told

MOST_ROWS = 40
"""Numbers of patients that are told: all of them, or so many evenly between the first and the last."""


def accrual_summary(found: Accrual, counted: str = "infused", by: Sequence[date | str] = ()) -> str:
    """Return when each patient comes: in how many trials, and on which dates, as text.

    Parameters
    ----------
    found : Accrual
        As `escalate.accrual` returns it.
    counted : str
        Whom to count: one of `escalate.studies.accruals.COUNTED`.
    by : sequence of date or str
        Dates by which the number is told, first of all; see `Accrual.by_date`.
    """
    scenario = found.scenario
    days = found.of(counted)
    head = [
        *told(scenario.trial.title_and_id, "  "),
        f"{found.trials:,} simulated trial{'s' if found.trials > 1 else ''}, seed {found.seed}",
        *driver_lines(scenario),
        *HOW_SAID.splitlines(),
        *(told(f"{counted}: {scenario.say(COUNTED[counted])}") if COUNTED[counted] != f"patients {counted}" else ()),
    ]
    asked = _by_dates(found, counted, by) if by else ()
    parts = (head, caution_lines(cautions(scenario)), asked, _rows(found, counted, days))
    return "\n\n".join("\n".join(part) for part in map(list, parts) if part)


def _by_dates(found: Accrual, counted: str, by: Sequence[date | str]) -> Iterator[str]:
    """Yield a line for each date that was asked for, and one for the end of all trials."""
    about = found.scenario.trial
    days = days_of(found.scenario, by)
    names = ["by", *(day_words(about.start_date + timedelta(days=day)) for day in days), "the end of the trial"]
    wide = max(map(len, names)) + 2
    planned = f"P({about.planned_patients} or more)" if counted != "consented" else ""
    yield f"{found.scenario.say(counted)} by".ljust(wide) + f"{'median':<16}{MOST_TRIALS:<20}{planned}".rstrip()
    estimates = found.estimates_by([*days, max(found.last_day(counted), *days)], counted)
    for name, (_, (low, middle, high, *reached)) in zip(names[1:], estimates, strict=True):
        most = f"{low.estimate:.0f} to {high.estimate:.0f}"
        yield f"{name:<{wide}}{quantile_in_words(middle):<16}{most:<20}{''.join(map(in_percent, reached))}".rstrip()
    if planned:
        yield from told(
            f"{about.planned_patients} {found.scenario.say(about.cap_counts)} patients are planned; those who are "
            "replaced count here as well, and a trial that ends earlier never comes to so many."
        )


def _rows(found: Accrual, counted: str, days: Sequence[IntArray]) -> Iterator[str]:
    most = max(map(len, days), default=0)
    if not most:
        yield f"Nobody is {found.scenario.say(counted)} in any trial."
        return
    numbers = sorted({round(number) for number in np.linspace(1, most, min(most, MOST_ROWS))})
    reached = [[int(of_one[number - 1]) for of_one in days if len(of_one) >= number] for number in numbers]
    shares = [in_percent(probability("", "", None, len(there), found.trials)) for there in reached]
    wide = max([15, *map(len, shares)])
    most_of_them = MOST_TRIALS.replace("the", "those")
    yield f"{found.scenario.say(counted):<10}{'in trials':>{wide}}  {'median date':<16}{most_of_them}"
    for number, share, there in zip(numbers, shares, reached, strict=True):
        low, middle, high = np.quantile(there, [TAILS[0], 0.5, TAILS[1]], method="inverted_cdf")
        dates = [day_words(found.scenario.trial.start_date + timedelta(days=int(day))) for day in (low, middle, high)]
        yield f"{number:<10}{share:>{wide}}  {dates[1]:<16}{dates[0]} to {dates[2]}"
