"""What a protocol puts around a rule, a second time: every dose path of a small trial, walked one by one.

By the words of the documentation (README, `escalate.scenario.policies`, the order of precedence in
`escalate.committee.protocol`), for whole cohorts of which everybody is evaluable. A trial is the list of its cohorts so
far, and everything is read off that list: nothing is merged, and nothing is shared with `escalate` but the scenario.

What comes next is asked for in this order:

1. titration, while it lasts, or else the rule;
2. limits: no level is skipped on the way up, none on the way down, no escalation after too many DLTs, and then no more
   patients at one level than it may have;
3. stopping rules, of which the first that holds is the reason told: too toxic (unless the rule itself finds no dose
   tolerated), known precisely, enough at one level, most patients;
4. the cap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from math import comb
from typing import Any, NamedTuple

from escalate.scenario import Scenario
from reference_interval_rules import (
    TOLERANCE,
    boin,
    first_eliminated,
    i3plus3,
    isotonic,
    prob_above,
    prob_below,
)

RULE_FINDS_NO_DOSE = "lowest dose level too toxic"
LEVEL_FULL = "a level has the most patients allowed"
TOO_TOXIC = "stopping rule: lowest dose level too toxic"
PRECISE = "stopping rule: P(DLT) is known precisely enough"
ENOUGH = "stopping rule: enough patients at one level"
MOST = "stopping rule: most patients treated"
CAP = "cap reached"


class Cohort(NamedTuple):
    """So many patients at a level (from 0), and the DLTs among them."""

    level: int
    patients: int
    dlts: int


class Next(NamedTuple):
    """The next cohort that is asked for."""

    level: int
    patients: int


class Stop(NamedTuple):
    """The end: the level recommended (from 0), or None, and why."""

    level: int | None
    reason: str


class End(NamedTuple):
    """One dose path to its end, with its probability."""

    cohorts: tuple[Cohort, ...]
    probability: float
    stop: Stop

    @property
    def told(self) -> str:
        return " ".join(f"{c.level + 1}{'N' * (c.patients - c.dlts)}{'T' * c.dlts}" for c in self.cohorts)


def leap(n: int, y: int) -> int:
    """A bold rule: two levels up without a DLT, one with few; three down if everybody has one, one with many."""
    if y == 0:
        return 2
    if y == n:
        return -3
    return 1 if 2 * y <= n else -1


@dataclass(frozen=True)
class Counted:
    """A rule that reads counts: its next level, which levels it has closed, and what it adds before it smooths rates.

    `asks` takes the level, patients and DLTs at each level, and returns the next level, or None to stop without a dose;
    `open_levels` returns how many levels from the lowest up may be given or recommended.
    """

    asks: Callable[[int, list[int], list[int]], int | None]
    open_levels: Callable[[list[int], list[int]], int]
    prior: float
    target: float


def rule_of(scenario: Scenario) -> Counted:
    """Return BOIN, i3+3 or the bold rule, as the scenario says."""
    options = scenario.rule
    if options.name == "python":
        top = scenario.levels - 1
        return Counted(
            asks=lambda level, n, y: min(max(level + leap(n[level], y[level]), 0), top),
            open_levels=lambda n, y: len(n),
            prior=0.05,
            target=0.3,
        )
    safety: dict[str, Any] = {"cutoff": options.elimination_cutoff, "n_min": options.eliminate_from, "y_min": 1}

    def asks(level: int, n: list[int], y: list[int]) -> int | None:
        if options.name == "BOIN":
            action, following = boin(level, n, y, target=options.target, **safety)
        else:
            ends = {"eps1": options.epsilon1, "eps2": options.epsilon2}
            action, following = i3plus3(level, n, y, target=options.target, **ends, **safety)
        return None if action == "stop" else following

    def open_levels(n: list[int], y: list[int]) -> int:
        return first_eliminated(n, y, options.target, **safety)

    return Counted(asks, open_levels, 0.05 if options.name == "BOIN" else 0.005, options.target)


class Protocol:
    """The protocol of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self.s = scenario
        self.rule = rule_of(scenario)

    def ends(self, cohorts: tuple[Cohort, ...] = (), probability: float = 1.0) -> Iterator[End]:
        """Yield every dose path that begins with these cohorts."""
        following = self.following(cohorts)
        if isinstance(following, Stop):
            yield End(cohorts, probability, following)
            return
        level, patients = following
        p = self.s.toxicity.dlt_probability[level]
        for dlts in range(patients + 1):
            chance = comb(patients, dlts) * p**dlts * (1 - p) ** (patients - dlts)
            if chance > 0:
                yield from self.ends((*cohorts, Cohort(level, patients, dlts)), probability * chance)

    def following(self, cohorts: tuple[Cohort, ...]) -> Next | Stop:
        """Return what follows on these cohorts."""
        asked = self.titration(cohorts) or self.asked_by_rule(cohorts)
        if asked == Stop(None, RULE_FINDS_NO_DOSE):
            return asked
        if self.is_too_toxic(cohorts):
            return Stop(None, TOO_TOXIC)
        assert isinstance(asked, Next)
        asked = self.within_level(cohorts, self.without_skipping(cohorts, asked))
        if isinstance(asked, Next):
            asked = self.stopped(cohorts, asked)
        return self.capped(cohorts, asked) if isinstance(asked, Next) else asked

    # What is known

    def patients(self, cohorts: tuple[Cohort, ...]) -> list[int]:
        return [sum(c.patients for c in cohorts if c.level == level) for level in range(self.s.levels)]

    def dlts(self, cohorts: tuple[Cohort, ...]) -> list[int]:
        return [sum(c.dlts for c in cohorts if c.level == level) for level in range(self.s.levels)]

    def counts(self, cohorts: tuple[Cohort, ...]) -> tuple[list[int], list[int]]:
        return self.patients(cohorts), self.dlts(cohorts)

    def best(self, cohorts: tuple[Cohort, ...]) -> int | None:
        """The tried level, of those still open, whose smoothed DLT rate is closest to the target."""
        (n, y), prior = self.counts(cohorts), self.rule.prior
        still_open = min(self.still_open(cohorts), self.rule.open_levels(n, y))
        tried = [level for level in range(still_open) if n[level] > 0]
        rates = [(y[level] + prior) / (n[level] + 2 * prior) for level in tried]
        weights = []
        for level in tried:
            a, b = y[level] + prior, n[level] - y[level] + prior
            weights.append((a + b) ** 2 * (a + b + 1) / (a * b))  # one over the variance of a beta distribution
        smoothed = isotonic(rates, weights)
        distance = {
            level: abs(rate + 1e-10 * place - self.rule.target)
            for place, (level, rate) in enumerate(zip(tried, smoothed, strict=True), start=1)
        }
        return min(distance, key=lambda level: (distance[level], level), default=None)

    # Titration, and the rule

    def titration(self, cohorts: tuple[Cohort, ...]) -> Next | None:
        """One patient a level to the first DLT, or to the last level; then the cohort is filled up, and it is over."""
        if self.s.titration is None:
            return None
        if not cohorts:
            return Next(self.s.safety.start_level - 1, 1)
        last = (self.s.titration.last_level or self.s.levels) - 1
        over = [number for number, c in enumerate(cohorts) if c.dlts > 0 or c.level >= last]
        if not over:
            return Next(cohorts[-1].level + 1, 1)
        to_fill = self.s.safety.cohort_size - 1
        return Next(cohorts[-1].level, to_fill) if over[0] == len(cohorts) - 1 and to_fill else None

    def asked_by_rule(self, cohorts: tuple[Cohort, ...]) -> Next | Stop:
        size = self.s.safety.cohort_size
        if not cohorts:
            return Next(self.s.safety.start_level - 1, size)
        level, still_open = self.rule.asks(cohorts[-1].level, *self.counts(cohorts)), self.still_open(cohorts)
        if level is None or still_open == 0:
            return Stop(None, RULE_FINDS_NO_DOSE)
        return Next(min(level, still_open - 1), size)

    def still_open(self, cohorts: tuple[Cohort, ...]) -> int:
        """How many levels are left that no decision, from the first one to this, has closed; titration closes none."""
        if not cohorts:
            return self.s.levels
        before = self.still_open(cohorts[:-1])
        if self.titration(cohorts):
            return before
        return min(before, self.rule.open_levels(*self.counts(cohorts)))

    # Limits

    def without_skipping(self, cohorts: tuple[Cohort, ...], asked: Next) -> Next:
        if not cohorts:
            return asked
        limits, last = self.s.limits, cohorts[-1].level
        level = asked.level
        if limits.no_skipping == "last_given":
            level = min(level, last + 1)
        if limits.no_skipping == "highest_given":
            level = min(level, max(c.level for c in cohorts) + 1)
        if limits.no_skipping_down:
            level = max(level, last - 1)
        if level > last and self.is_incoherent(cohorts):
            level = last
        return Next(level, asked.patients)

    def is_incoherent(self, cohorts: tuple[Cohort, ...]) -> bool:
        last = cohorts[-1]
        match self.s.limits.coherence:
            case "last_cohort":
                return last.dlts / last.patients >= self.rule.target - TOLERANCE
            case "last_level":
                n, y = self.patients(cohorts)[last.level], self.dlts(cohorts)[last.level]
                return y / n > self.rule.target + TOLERANCE
            case "after_dlt":
                return last.dlts > 0
        return False

    def within_level(self, cohorts: tuple[Cohort, ...], asked: Next) -> Next | Stop:
        most = self.s.limits.most_per_level
        if most is None:
            return asked
        room = most - self.patients(cohorts)[asked.level]
        return Next(asked.level, min(asked.patients, room)) if room > 0 else Stop(self.best(cohorts), LEVEL_FULL)

    # Stopping rules, and the cap

    def is_too_toxic(self, cohorts: tuple[Cohort, ...]) -> bool:
        stopping = self.s.stopping
        n, y = self.patients(cohorts)[0], self.dlts(cohorts)[0]
        if stopping.too_toxic_probability is None or n == 0:
            return False
        return prob_above(stopping.too_toxic_above or self.rule.target, n, y) > stopping.too_toxic_probability

    def stopped(self, cohorts: tuple[Cohort, ...], asked: Next) -> Next | Stop:
        if not cohorts:
            return asked
        stopping, last = self.s.stopping, cohorts[-1].level
        n, y, best = self.patients(cohorts), self.dlts(cohorts), self.best(cohorts)
        width = stopping.interval_width
        if width is not None and best is not None and interval_width(n[best], y[best]) <= width:
            return Stop(best, PRECISE)
        if stopping.enough_at_level is not None and n[last] >= stopping.enough_at_level:
            stays = asked.level == last
            if stays or stopping.enough_when == "any_move":
                return Stop(best, ENOUGH)
        if stopping.most_patients is not None and sum(n) + asked.patients > stopping.most_patients:
            return Stop(best, MOST)
        return asked

    def capped(self, cohorts: tuple[Cohort, ...], asked: Next) -> Next | Stop:
        """A cohort is treated if all of it fits under the cap, or, if the protocol says so, as far as it fits."""
        room = self.s.trial.planned_patients - sum(c.patients for c in cohorts)
        if asked.patients <= room:
            return asked
        if self.s.trial.last_cohort == "partial" and room > 0:
            return Next(asked.level, room)
        return Stop(self.best(cohorts), CAP)


@cache
def interval_width(n: int, y: int) -> float:
    """The width of the 95% interval of the posterior with a uniform prior, equal tails; the ends by halving."""

    def end(tail: float) -> float:
        low, high = 0.0, 1.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if prob_below(middle, n, y) < tail else (low, middle)
        return (low + high) / 2

    return end(0.975) - end(0.025)
