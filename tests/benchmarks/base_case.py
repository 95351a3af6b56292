"""What each setting of a unit's calendar does to the base case, one after the other, on the same patients.

The last row of the first table is `scenarios/nct06337474.toml`; its first one has a calendar that is open on every day,
and so has the second table, about screening. Run from the top of the repository: ``python
tests/benchmarks/base_case.py [TRIALS]``.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import escalate as esc

EVERY_DAY = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
TURNED_ON: list[tuple[str, dict[str, Any]]] = [
    (
        "treatment from Monday to Friday",
        {"treatment.weekdays": EVERY_DAY, "treatment.lymphodepletion_weekdays": EVERY_DAY},
    ),
    ("committee from Monday to Friday", {"safety.meeting_weekdays": EVERY_DAY}),
    ("public holidays", {"calendar.closed": []}),
    ("lymphodepletion after the stagger", {"safety.lymphodepletion_in_stagger": True}),
    (
        "urgent reviews, a sentinel's DLT is looked at",
        {"safety.after_sentinel_dlt": "go_on", "safety.urgent_review_days": None},
    ),
    ("no infusion at a level to be left", {"safety.dlt_after_lymphodepletion": "infuse"}),
    ("screening holds 28 days", {"screening.valid_days": None}),
]
"""What a setting is, and how it is turned off."""


SCREENING = {
    "screening goes on while no place is free": {},
    "recruitment waits": {"screening.while_closed": "waits"},
    "who comes stands on a list": {"screening.while_closed": "list"},
}
"""What happens to who comes while no place is free, on the calendar of the first row."""


def main(trials: int) -> None:
    """Print the tables."""
    base = esc.load("scenarios/nct06337474.toml")
    names = ["open on every day", *(f"+ {name}" for name, _ in TURNED_ON)]
    print("| setting | level 2 | no dose | infused | with a DLT | decision, day | later by, days | in time |")
    print("|---|---|---|---|---|---|---|---|")
    before = None
    for step, name in enumerate(names):
        off = {key: value for _, changes in TURNED_ON[step:] for key, value in changes.items()}
        found = esc.simulate(base.replace(off) if off else base, trials=trials, seed=1)
        print(row(name, found, before))
        before = found
    print("\n| on every day | level 2 | no dose | infused | with a DLT | decision, day | later by, days | in time |")
    print("|---|---|---|---|---|---|---|---|")
    every_day, first = base.replace({key: value for _, changes in TURNED_ON for key, value in changes.items()}), None
    for name, changes in SCREENING.items():
        found = esc.simulate(every_day.replace(changes) if changes else every_day, trials=trials, seed=1)
        print(row(name, found, first))
        first = first or found


def row(name: str, found: Any, before: Any) -> str:
    """Return a row of the table."""
    decided = found.milestone_days["escalation ended"]
    later = ""
    if before is not None:
        apart = decided - before.milestone_days["escalation ended"]
        later = f"{apart.mean():.3f} ± {apart.std() / np.sqrt(len(apart)):.3f}"
    level, none = (found.recommended == 1).mean(), (found.recommended < 0).mean()
    infused, dlts = (found.patients[what].sum(axis=1).mean() for what in ("infused", "dlts"))
    return (
        f"| {name} | {level:.1%} | {none:.1%} | {infused:.2f} | {dlts:.3f} | {np.median(decided):.0f} | {later} | "
        f"{found.finished_in_time.mean():.1%} |"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
