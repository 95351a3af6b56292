"""By when how many patients have come, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np

from ..cautions import caution_lines, cautions
from ..results.chance import in_percent
from ..results.estimates import probability
from ..studies.accruals import COUNTED, Accrual
from ..words.records import IntArray
from .heads import day_words, driver_lines, told

MOST_ROWS = 40
"""Numbers of patients that are told: all of them, or so many evenly between the first and the last."""


def accrual_summary(found: Accrual, counted: str = "infused") -> str:
    """Return when each patient comes: in how many trials, and on which dates, as text.

    Parameters
    ----------
    found : Accrual
        As `escalate.accrual` returns it.
    counted : str
        Whom to count: one of `escalate.studies.accruals.COUNTED`.
    """
    scenario = found.scenario
    days = found.of(counted)
    head = [
        *told(scenario.trial.title_and_id, "  "),
        f"{found.trials:,} simulated trial{'s' if found.trials > 1 else ''}, seed {found.seed}",
        *driver_lines(scenario),
        *(told(f"{counted}: {scenario.say(COUNTED[counted])}") if COUNTED[counted] != f"patients {counted}" else ()),
    ]
    parts = (head, caution_lines(cautions(scenario)), _rows(found, counted, days))
    return "\n\n".join("\n".join(part) for part in map(list, parts) if part)


def _rows(found: Accrual, counted: str, days: Sequence[IntArray]) -> Iterator[str]:
    most = max(map(len, days), default=0)
    if not most:
        yield f"Nobody is {found.scenario.say(counted)} in any trial."
        return
    numbers = sorted({round(number) for number in np.linspace(1, most, min(most, MOST_ROWS))})
    reached = [[int(of_one[number - 1]) for of_one in days if len(of_one) >= number] for number in numbers]
    shares = [in_percent(probability("", "", None, len(there), found.trials)) for there in reached]
    wide = max([15, *map(len, shares)])
    yield f"{found.scenario.say(counted):<10}{'in trials':>{wide}}  {'median date':<16}80% of those trials"
    for number, share, there in zip(numbers, shares, reached, strict=True):
        low, middle, high = np.quantile(there, [0.1, 0.5, 0.9], method="inverted_cdf")
        dates = [day_words(found.scenario.trial.start_date + timedelta(days=int(day))) for day in (low, middle, high)]
        yield f"{number:<10}{share:>{wide}}  {dates[1]:<16}{dates[0]} to {dates[2]}"
