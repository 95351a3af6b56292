"""What IQ rolling six saves in the queue of its paper: a simulation of its own, with places given at consent.

``python tests/benchmarks/iq_queue.py [TRIALS]`` prints mean months to the MTD of rolling six and of IQ rolling six, and
what is saved, each with its Monte Carlo error; the same candidates and outcomes meet both. It shares with `escalate`
the two tables alone. Time is continuous here, as in the paper: candidates come every ten days on average (exponential),
are screened for 0 to 28 days (uniform), fail with 30%, and are inevaluable with 20% at a uniform time of the window; a
DLT comes at beta(1.5, 1) of the 28 days (Frankel PH and others. JAMA Netw Open 2020;3(5):e204787, its software's
defaults). Nobody waits: who comes while no place is given is lost. The trial ends with the outcome that decides it.

Two things are varied. A place is given when a candidate is ready (`at_start`, as escalate calls it), or at consent, so
that candidates in screening are patients of the level: as in `escalate`, which treats them at the level that is open
when they are ready (`at_consent`), or as in the paper, where they consent to a level and are treated there unless it is
closed (`at_consent, to a level`). And rolling six declares the MTD on six patients, or already on five without a DLT,
as the paper's table lets it.
"""

from __future__ import annotations

import heapq
import random
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from reference_rolling_rules import Lines, read_csv_lines, read_lines, rolling_table
from rolling_grids import rolling_six_as_a_table

P_DLT = (0.067, 0.076, 0.090, 0.108, 0.136)
START, INTERVAL, SCREENING, FAILS, INEVALUABLE, WINDOW = 1, 10.0, 28.0, 0.3, 0.2, 28.0
MONTH = 365.25 / 12
AT_START, AT_CONSENT, TO_A_LEVEL = WHERE = ("at_start", "at_consent", "at_consent, to a level")


class Queue:
    """One trial: levels from 0; its candidates and their outcomes follow from its number alone."""

    def __init__(self, lines: Lines, number: int, where: str) -> None:
        self.lines, self.number, self.where = lines, number, where
        self.arrivals = random.Random(2 * number + 1)
        levels = len(P_DLT)
        self.n, self.y, self.treated, self.screened = ([0] * levels for _ in range(4))
        self.level, self.still_open, self.came, self.now = START, levels, 0, 0.0
        self.moves = self.without_place = 0
        self.events: list[tuple[float, int, str, int, random.Random | None]] = []
        self.count = 0

    def at(self, time: float, what: str, level: int = -1, person: random.Random | None = None) -> None:
        self.count += 1
        heapq.heappush(self.events, (time, self.count, what, level, person))

    def ask(self) -> tuple[str, int]:
        """What the table says now; a level that is left is left at once."""
        here = [a + b for a, b in zip(self.treated, self.screened, strict=True)]
        action, level, self.still_open, _ = rolling_table(self.level, self.n, self.y, here, self.lines, self.still_open)
        if action == "de-escalate":
            self.move(level or 0)
        return action, -1 if level is None else level

    def move(self, level: int) -> None:
        """Go to a level; places that are held are lost, where they are not a level's."""
        if level != self.level and self.where == AT_CONSENT:
            self.moves += 1
            self.without_place += sum(self.screened)
            self.screened = [0] * len(P_DLT)
        self.level = level

    def place(self) -> int | None:
        """The level that the next patient is given, if any."""
        action, level = self.ask()
        if action in ("suspend", "stop"):
            return None
        self.move(level)
        return level

    def months(self) -> float:
        """Months until the trial is decided."""
        self.at(self.arrivals.expovariate(1 / INTERVAL), "comes")
        while self.ask()[0] != "stop":
            self.now, _, what, level, person = heapq.heappop(self.events)
            if what == "comes":
                self.consents()
            elif what == "screened":
                assert person is not None
                self.leaves_screening(level, person)
            else:
                self.treated[level] -= 1
                self.n[level] += what != "inevaluable"
                self.y[level] += what == "DLT"
        return self.now / MONTH

    def consents(self) -> None:
        self.at(self.now + self.arrivals.expovariate(1 / INTERVAL), "comes")
        person = random.Random(1_000_003 * self.number + self.came)
        self.came += 1
        level: int | None = -1
        if self.where != AT_START:
            level = None if self.without_place else self.place()  # who consented before, and lost the place, is first
        if level is not None:
            self.screened[level] += level >= 0
            since = self.moves if self.where == AT_CONSENT else level
            self.at(self.now + person.uniform(0, SCREENING), "screened", since, person)

    def leaves_screening(self, since: int, person: random.Random) -> None:
        fails, inevaluable, left_at, dlt = (person.random() for _ in range(4))
        has_place, level = self.where == TO_A_LEVEL, since
        if self.where == AT_CONSENT:
            has_place, level = since == self.moves, self.level
            self.without_place -= not has_place
        if has_place:
            self.screened[level] -= 1
        given = level if has_place else self.place() if fails >= FAILS else None
        if fails < FAILS or given is None or given >= self.still_open:
            return
        self.treated[given] += 1
        if inevaluable < INEVALUABLE:
            self.at(self.now + WINDOW * left_at, "inevaluable", given)
        elif dlt < P_DLT[given]:
            self.at(self.now + WINDOW * person.betavariate(1.5, 1), "DLT", given)
        else:
            self.at(self.now + WINDOW, "no DLT", given)


def main(trials: int) -> None:
    """Print what is saved in each variant."""
    iq = read_csv_lines("iq_rolling_six.csv")
    print("place given             rolling six's MTD  rolling six  IQ rolling six  saved [months]")
    for where in WHERE:
        ours = [Queue(iq, number, where).months() for number in range(trials)]
        for five_suffice in (True, False):
            lines = read_lines(rolling_six_as_a_table(five_suffice=five_suffice))
            parents = [Queue(lines, number, where).months() for number in range(trials)]
            saved = [a - b for a, b in zip(parents, ours, strict=True)]
            error = statistics.stdev(saved) / trials**0.5
            on = "on five or six" if five_suffice else "on six"
            print(
                f"{where:22}  {on:17}  {statistics.mean(parents):11.2f}  {statistics.mean(ours):14.2f}  "
                f"{statistics.mean(saved):.2f} ± {error:.2f}; one trial's spread {statistics.stdev(parents):.2f}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
