"""What IQ rolling six saves on the inputs of its paper, as escalate has them; beside `iq_queue.py`.

``python tests/benchmarks/iq_saving.py [TRIALS]`` prints mean months to the MTD of rolling six and of IQ rolling six in
`scenarios/iq-rolling-six.toml`, and what is saved, with its Monte Carlo error; with a place reserved at consent and at
the start of treatment, and with rolling six that declares the MTD on six patients, or already on five without a DLT.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import escalate as esc

sys.path.insert(0, str(Path(__file__).parents[1]))

from rolling_grids import rolling_six_as_a_table

SCENARIO = Path(__file__).parents[2] / "scenarios" / "iq-rolling-six.toml"
DAYS_IN_MONTH = 365.25 / 12
AT_START = {"treatment.place_reserved": "at_start", "screening.while_closed": "goes_on"}
PARENTS = {
    "on six": {"name": "rolling six"},
    "on five or six": {"name": "table", "decisions": rolling_six_as_a_table(five_suffice=True)},
}


def months(scenario: esc.Scenario, trials: int) -> np.ndarray:
    """Months to the committee's last decision, trial by trial."""
    return esc.simulate(scenario, trials=trials).columns()["escalation_ended_day"] / DAYS_IN_MONTH


def main(trials: int) -> None:
    """Print what is saved in each variant."""
    print("place reserved  rolling six's MTD  rolling six  IQ rolling six  saved [months]")
    for where, changes in (("at_consent", {}), ("at_start", AT_START)):
        scenario = esc.load(SCENARIO).replace(changes)
        ours = months(scenario, trials)
        for on, rule in PARENTS.items():
            parents = months(scenario.replace({"rule": rule}), trials)
            saved = parents - ours
            print(
                f"{where:14}  {on:17}  {parents.mean():11.2f}  {ours.mean():14.2f}  "
                f"{saved.mean():.2f} ± {saved.std(ddof=1) / trials**0.5:.2f}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
