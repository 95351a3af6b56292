"""A dose path put before the committee, cohort by cohort: where the trial stands, and where it left the protocol.

A path says who was treated and what became of them, not when. Read so: the outcomes of a cohort are known when the
next one opens, but those that are pending still; a decision that was forced early was taken as soon as it could be. A
real trial deviates from its protocol, and is answered all the same, with a caution (`Reached.cautions`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

from ..errors import RuleError
from ..scenario.model import Scenario
from ..words.data_cut import Counts
from ..words.dose_path import DLT, NO_DLT, NON_EVALUABLE, PENDING, PathCohort
from ..words.records import NO_DOSE, NO_LEVEL, Action, Decision
from .committee import Committee
from .protocol import NOT_THE_RULE

FINE = 10_000
"""Parts of the DLT window in which follow-up that is not known is assumed."""

EXPANDS = "the rule has finished: expansion at the recommended level"
"""Reason of a stop of which the path tells nothing but the expansion that followed."""

MOST_CASES = 500
"""It is asked so often, at most, whether a cohort follows from something that was known earlier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Where a trial stands after a dose path.

    Parameters
    ----------
    cohorts : tuple of PathCohort
        The path.
    counts : Counts
        What is known; `seen` has the pending patients whose follow-up is known, `lost` the non-evaluable ones, as if
        they had not been observed at all: for how long they were, a path does not tell.
    places : int
        Outcomes wanted of the last cohort; for a rolling rule, patients wanted before it is asked again.
    pending, free : int
        Outcomes of the cohort that are missing: of pending patients, and of places that nobody has taken yet; 0 for a
        rolling rule.
    outstanding : int
        Outcomes that are missing where a decision is due all the same, since they cannot change it; 0 otherwise.
    ended : Decision or None
        The escalation ended with this, and the last cohort is the expansion that followed.
    cautions : tuple of str
        Where the path is none that the protocol could have produced.
    """

    cohorts: tuple[PathCohort, ...]
    counts: Counts
    places: int = 0
    pending: int = 0
    free: int = 0
    outstanding: int = 0
    ended: Decision | None = None
    cautions: tuple[str, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether the committee waits for outcomes."""
        return self.pending + self.free > 0 and not self.outstanding


def said(decision: Decision) -> str:
    """Return a decision in a few words."""
    if decision.action is Action.STOP:
        dose = NO_DOSE if decision.level == NO_LEVEL else f"recommend level {decision.level + 1}"
        return f"stop, {dose}: {decision.reason}"
    if decision.action is Action.SUSPEND:
        return "suspend"
    why = f" ({decision.reason})" if decision.reason in NOT_THE_RULE else ""
    return f"{decision.action.words}: {decision.patients} at level {decision.level + 1}{why}"


def observed(counts: Counts, windows: Sequence[int], share: int = 0) -> Counts:
    """Return a data cut in which every pending patient has been observed, so that a rule can read it.

    Parameters
    ----------
    counts : Counts
        With the pending patients whose follow-up is known.
    windows : sequence of int
        For each level, length of the DLT window [days].
    share : int
        What the others have seen of it [parts of `FINE`].
    """
    known, whole = Counter(level for level, _ in counts.seen), [max(days, 1) for days in windows]
    others = [(level, share * whole[level]) for level, c in enumerate(counts.pending) for _ in range(c - known[level])]
    seen = [(level, days * FINE) for level, days in counts.seen] + others
    return counts._replace(seen=tuple(sorted(seen)), windows=tuple(FINE * days for days in whole))


def room(scenario: Scenario, counts: Counts) -> int:
    """Return how many patients the cap leaves; `lost` holds every non-evaluable patient."""
    used = sum(counts.evaluable) + sum(counts.pending)
    lost = len(counts.lost) if scenario.trial.cap_counts == "infused" else 0
    return scenario.trial.planned_patients - used - lost


def walk(scenario: Scenario, committee: Committee, cohorts: Sequence[PathCohort]) -> Reached:
    """Go along a dose path, asking the committee after each cohort.

    Parameters
    ----------
    scenario : Scenario
        The protocol.
    committee : Committee
        Of the scenario.
    cohorts : sequence of PathCohort
        The path; nobody was treated where it is empty.
    """
    going = _Walk(scenario, committee)
    for cohort in cohorts:
        going.treat(cohort)
    return going.reached()


class _Walk:
    """The state of a walk."""

    def __init__(self, scenario: Scenario, committee: Committee) -> None:
        self.scenario, self.committee, self.rolling = scenario, committee, committee.rule.rolling
        self.early = scenario.early_decision and not self.rolling
        self.replaces, self.cap = scenario.safety.replace_non_evaluable, scenario.trial.planned_patients
        nobody = (0,) * scenario.levels
        start = scenario.safety.start_level - 1
        self.counts = Counts(start, nobody, nobody, nobody, open_levels=scenario.levels)
        self.cohorts: list[PathCohort] = []
        self.places = self.pending = self.free = self.outstanding = 0
        self.first = committee.first(self.cap)
        self.decision: Decision | None = self.first
        self.ended: Decision | None = None
        self.cautions: list[str] = []
        self.befores: list[tuple[Counts, int]] = []
        """Of each cohort, the counts before it and its places."""

    def reached(self) -> Reached:
        """Return where the trial stands."""
        self._check_limits()
        return Reached(
            cohorts=tuple(self.cohorts),
            counts=self.counts,
            places=self.places,
            pending=self.pending,
            free=self.free,
            outstanding=self.outstanding,
            ended=self.ended,
            cautions=tuple(self.cautions),
        )

    @property
    def room(self) -> int:
        """Patients that the cap leaves."""
        return room(self.scenario, self.counts)

    @property
    def open_levels(self) -> int:
        """How many levels, from the lowest up, no decision so far has closed."""
        still_open = self.counts.open_levels
        return self.scenario.levels if still_open is None else still_open

    def treat(self, cohort: PathCohort) -> None:
        """Add a cohort, and ask the committee what follows from it."""
        self._carry()
        self._check(cohort)
        self.places = self._places_of(cohort)
        self.befores.append((self.counts, self.places))
        self._count(cohort)
        if self.ended is not None:
            self.pending = self.free = self.outstanding = 0
        elif self.rolling:
            self.decision = self._asked()
        else:
            self._wait_or_decide(cohort)
        if self.outstanding:
            self._carry()
        self.cohorts.append(cohort)

    def _carry(self) -> None:
        """Let what the last decision has closed be a fact of the trial."""
        if self.decision is not None:
            self.counts = self.counts._replace(open_levels=self.decision.open_levels)

    def _wait_or_decide(self, cohort: PathCohort) -> None:
        """Ask the committee, if the cohort's outcomes are known, or cannot change what it says."""
        done = cohort.count(NO_DLT + DLT + ("" if self.replaces else NON_EVALUABLE))
        outstanding, self.pending = max(self.places - done, 0), cohort.count(PENDING)
        self.free, self.outstanding = min(max(outstanding - self.pending, 0), max(self.room, 0)), 0
        if not self.pending and not self.free:
            self.decision = self._asked()
        elif self.early and self.committee.is_forced(self._read(), outstanding):
            self.outstanding, self.decision = outstanding, self._asked(outstanding=outstanding)
        else:
            self.decision = None

    def _read(self, counts: Counts | None = None) -> Counts:
        """Return what the rule reads: of these counts, or of those that have been reached."""
        known = counts or self.counts
        if self.committee.rule.reads_followup:
            return observed(known, self.scenario.windows)
        return known._replace(seen=(), lost=(), windows=())

    def _asked(self, counts: Counts | None = None, outstanding: int = 0) -> Decision:
        return self.committee.decide(self._read(counts), self.room, outstanding)

    def _count(self, cohort: PathCohort) -> None:
        """Add a cohort's patients to the counts."""
        dlts, evaluable = cohort.count(DLT), cohort.count(NO_DLT + DLT)
        days = [(cohort.level, patient.days) for patient in cohort.patients if patient.days is not None]
        seen = tuple(sorted((*self.counts.seen, *days)))
        lost = ((cohort.level, 0),) * cohort.count(NON_EVALUABLE)
        self.counts = with_patients(self.counts, cohort.level, evaluable, dlts, cohort.count(PENDING))._replace(
            level=cohort.level,
            last=(evaluable, dlts) if self.committee.rule.reads_last else (0, 0),
            seen=seen,
            lost=tuple(sorted((*self.counts.lost, *lost))),
            windows=self.scenario.windows if seen else (),
        )

    def _places_of(self, cohort: PathCohort) -> int:
        """Return how many outcomes are wanted of a cohort: as was decided, or where it was not, as at the beginning."""
        if self.ended is not None:
            return self.room
        decided = self.decision
        if decided is None or decided.level != cohort.level or decided.action is Action.STOP:
            decided = self.first
        return decided.patients or self.scenario.safety.cohort_size

    # What the protocol allows

    def _check(self, cohort: PathCohort) -> None:
        """Say where a cohort is none that the protocol could have opened."""
        name = f"cohort {len(self.cohorts) + 1} ({cohort.text})"
        if self.ended is not None:
            self._doubt(f"{name} follows an expansion, after which nobody is treated")
        elif self._is_expansion(cohort):
            return
        elif not self.cohorts:
            if cohort.level != self.counts.level:
                self._doubt(f"{name} is at level {cohort.level + 1}, and the trial begins at {self.counts.level + 1}")
        elif self.rolling:
            self._check_step(name, cohort.level)
        elif self.decision is None:
            missing = f"{self.pending + self.free} of {self.places} outcomes"
            self._doubt(f"{name} follows while {missing} of the cohort before it are not known")
        elif not self._could_open(cohort.level):
            self._doubt(f"{name} is at level {cohort.level + 1}, where the committee says: {said(self.decision)}")
        if not self.rolling and self.ended is None:
            self._check_size(name, cohort)

    def _doubt(self, words: str) -> None:
        self.cautions.append(words)

    def _is_expansion(self, cohort: PathCohort) -> bool:
        """Note the expansion, if the cohort is one: at the recommended level, after the rule has finished."""
        decided = self.decision
        if self.scenario.safety.when_rule_finished != "expand" or not self.cohorts or self.room <= 0:
            return False
        if decided is not None and decided.action is Action.STOP and decided.level == cohort.level:
            self.ended = decided
        elif self.rolling and cohort.level == self.counts.level:
            # A rolling cohort goes on while its level does.
            self.ended = Decision(
                action=Action.STOP,
                level=cohort.level,
                patients=0,
                open_levels=self.open_levels,
                reason=EXPANDS,
            )
        return self.ended is not None

    def _check_step(self, name: str, level: int) -> None:
        """Say where a rolling rule rose too far; from what it knew when it moved, a path does not tell more."""
        limit, given = self.scenario.limits.no_skipping, self.counts.level
        if level >= self.open_levels:
            self._doubt(f"{name} is at level {level + 1}, which a decision has closed")
        if limit == "highest_given":
            given = max(given, *(cohort.level for cohort in self.cohorts))
        if limit != "off" and level > given + 1:
            self._doubt(f"{name} is at level {level + 1}, and no level above {given + 2} may be given (no skipping)")

    def _check_size(self, name: str, cohort: PathCohort) -> None:
        """Say where a cohort has more patients than places, but for DLTs where partial doses free places at once."""
        places = self._places_of(cohort)
        taken = len(cohort.patients) - self.replaces * cohort.count(NON_EVALUABLE)
        beyond = cohort.count(DLT) if self.scenario.safety.replace_partial_dose == "at_once" else 0
        if taken > places + beyond:
            self._doubt(f"{name} has {taken} patients for {places} place{'s' * (places != 1)}")

    def _check_limits(self) -> None:
        """Say where more patients were treated than may be, but for DLTs where partial doses free places at once."""
        beyond = (
            self.counts.dlts if self.scenario.safety.replace_partial_dose == "at_once" else (0,) * len(self.counts.dlts)
        )
        if self.room + sum(beyond) < 0:
            whom = self.scenario.trial.cap_counts
            counted = self.scenario.say(whom) if whom == "infused" else f"{whom} or pending"
            self._doubt(f"{self.cap - self.room} patients are {counted}, and the cap is {self.cap}")
        most, treated = (
            self.scenario.limits.most_per_level,
            zip(self.counts.evaluable, self.counts.pending, strict=True),
        )
        for level, (n, c) in enumerate(treated, 1):
            if most is not None and n + c > most + beyond[level - 1] and self.ended is None:
                self._doubt(f"{n + c} patients at level {level}, and the most at one level is {most}")

    def _could_open(self, level: int) -> bool:
        """Return whether the committee could have gone to a level, with what may have become known since left out."""
        decided = self.decision
        if decided is not None and decided.action is not Action.STOP and decided.level == level:
            return True
        return any(self._leads_to(level, counts) for counts in islice(self._known_earlier(), MOST_CASES))

    def _leads_to(self, level: int, counts: Counts) -> bool:
        """Return whether the committee goes to a level; a rule that has no answer leads nowhere."""
        try:
            return self._goes_to(level, counts)
        except RuleError:
            return False

    def _goes_to(self, level: int, counts: Counts) -> bool:
        """Return whether the committee goes to a level; one that must be left before anybody is treated is passed."""
        decided = self._asked(counts)
        while decided.action is not Action.STOP and decided.level != level and self.early:
            passed = counts._replace(level=decided.level)
            if passed.level == counts.level or not self.committee.is_forced(self._read(passed), decided.patients):
                return False
            counts, decided = passed, self._asked(passed, decided.patients)
        return decided.action is not Action.STOP and decided.level == level

    def _known_earlier(self) -> Iterator[Counts]:
        """Yield what has been reached, and then with outcomes left out that may have come after a forced decision."""
        late = [list(self._late(number)) for number in range(len(self.cohorts) * self.early)]
        for outcomes in product(*late):
            counts = self.counts
            for cohort, (n, y) in zip(self.cohorts, outcomes, strict=bool(late)):
                counts = with_patients(counts, cohort.level, -n, -y, n)
            if any(n for n, _ in outcomes):
                # Decisions that did not know them may have closed nothing.
                counts = counts._replace(open_levels=self.scenario.levels)
            yield counts

    def _late(self, number: int) -> Iterator[tuple[int, int]]:
        """Yield how many outcomes, and DLTs among them, can have come after the decision on a cohort was forced."""
        yield 0, 0
        cohort, (before, places) = self.cohorts[number], self.befores[number]
        n, y = cohort.count(NO_DLT + DLT), cohort.count(DLT)
        for late in range(1, n + 1):
            for dlts in range(max(late - (n - y), 0), min(late, y) + 1):
                known = with_patients(before, cohort.level, n - late, y - dlts, 0)._replace(level=cohort.level)
                if places > n - late and self.committee.is_forced(self._read(known), places - (n - late)):
                    yield late, dlts


def with_patients(counts: Counts, level: int, evaluable: int, dlts: int, pending: int) -> Counts:
    """Return the counts with more patients at a level.

    Parameters
    ----------
    counts : Counts
        Before.
    level : int
        From 0.
    evaluable, dlts, pending : int
        How many more; fewer, where they are negative.
    """

    def plus(values: tuple[int, ...], more: int) -> tuple[int, ...]:
        return (*values[:level], values[level] + more, *values[level + 1 :])

    return counts._replace(
        evaluable=plus(counts.evaluable, evaluable),
        dlts=plus(counts.dlts, dlts),
        pending=plus(counts.pending, pending),
    )
