"""The rule as the protocol applies it: titration in front of it, limits to its moves, reasons to stop before it does.

Each of them is a field of the scenario of its own, goes with any rule, and gives its own reason. In this order:
titration answers instead of the rule while it lasts; the limits change where the next cohort is treated, or how many
patients it has; the stopping rules end what is left. None of them opens a level that the rule has eliminated: it is
neither given nor recommended again.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import RuleError
from ..rules import Rule, rule_for
from ..rules.base import highest_allowed
from ..scenario.model import Scenario
from ..words.data_cut import DataCut, at_level
from ..words.records import NO_LEVEL, Action, BoolArray, Decisions, FloatArray, IntArray

TITRATION_UP = "titration: no DLT so far, one patient at the next level"
TITRATION_FIRST = "titration: one patient at this level"
TITRATION_WAITS = "titration: wait for the patient's outcome"
TITRATION_OVER = "titration is over: the cohort is filled up"
NO_SKIPPING = "limit: no level is skipped"
COHERENCE = "limit: no escalation after so many DLTs"
LEVEL_FULL = "a level has the most patients allowed"
FULL_WAITS = "a level has the most patients allowed: wait for their outcomes"
TOO_TOXIC = "stopping rule: lowest dose level too toxic"
ENOUGH = "stopping rule: enough patients at one level"
PRECISE = "stopping rule: P(DLT) is known precisely enough"
MOST = "stopping rule: most patients treated"
STUCK = "the rule suspends, and nobody is pending"
ENDS = (LEVEL_FULL, ENOUGH, PRECISE, MOST, STUCK)
"""Reasons of stops that recommend from whatever data there are."""
NOT_THE_RULE = (TITRATION_UP, TITRATION_FIRST, TITRATION_OVER, NO_SKIPPING, COHERENCE)
"""Reasons of moves that are not the rule's own."""


class ProtocolRule(Rule):
    """A rule with what the protocol puts around it.

    Parameters
    ----------
    scenario : Scenario
        Titration, limits, stopping rules and cohort size.
    rule : Rule, optional
        Decides instead of the scenario's rule.
    """

    def __init__(self, scenario: Scenario, rule: Rule | None = None) -> None:
        self.rule = rule or rule_for(scenario)
        self.titration, self.limits, self.stopping = scenario.titration, scenario.limits, scenario.stopping
        self.cohort_size, self.levels = scenario.safety.cohort_size, scenario.levels
        self.early_decision = scenario.early_decision
        self.name, self.target = self.rule.name, self.rule.target
        self.has_answer_at_cap, self.rolling = self.rule.has_answer_at_cap, self.rule.rolling
        self.eliminates = self.rule.eliminates or self.stopping.too_toxic_probability is not None
        self.reads_followup = self.rule.reads_followup
        self.reads_level_followup = self.rule.reads_level_followup
        self.reads_dlt_days = self.rule.reads_dlt_days
        self.coherence = self.rule.coherence if self.limits.coherence == "by_rule" else self.limits.coherence
        self.days_to_resume = tuple(_days_for(self.rule.followup_to_resume, days) for days in scenario.windows)
        """For each level, days of follow-up with which all its pending patients end a suspension of accrual; 0 if none
        do."""
        goes_where_the_rule_would_not = self.titration is not None or self.limits.no_skipping_down
        self.monotone = self.rule.monotone and not goes_where_the_rule_would_not
        self.cuts_a_second = self.rule.cuts_a_second
        if self.stopping.interval_width is not None:
            self.cuts_a_second = min(self.cuts_a_second, self.rule.intervals_a_second)
        self.too_toxic_above = self.stopping.too_toxic_above or self.target
        if self.target is None and self.coherence in ("last_cohort", "last_level"):
            raise RuleError(f"limits.coherence compares with a target, and the rule {self.name} has none")
        asks = self.stopping.too_toxic_probability is not None or self._closes_expansions
        if self.too_toxic_above is None and asks:
            raise RuleError(f"stopping.too_toxic_above is needed, since the rule {self.name} has no target")

    @property
    def _closes_expansions(self) -> bool:
        return (self.stopping.expansion_too_toxic_probability or 1) < 1

    @property
    def reads_last(self) -> bool:
        """Whether decisions depend on the last cohort by itself, and not on the counts of its level alone."""
        return self.coherence in ("last_cohort", "after_dlt")

    def decide(self, cut: DataCut) -> Decisions:
        """Say what follows from each data cut of a batch."""
        titrated = self._titrated(cut, self.rule.decide(cut))
        cut = replace(cut, open_levels=titrated.open_levels)
        decided = self._stopped(cut, self._limited(cut, titrated))
        # Toxicity goes before everything but the rule's own finding that no dose is tolerated, where the rule is asked.
        no_dose = (titrated.action == Action.STOP) & (titrated.level == NO_LEVEL)
        too_toxic = self.is_too_toxic(cut) & ~no_dose
        decided = decided.overruled(too_toxic, TOO_TOXIC, Action.STOP, NO_LEVEL)
        decided = replace(decided, open_levels=np.where(too_toxic, 0, decided.open_levels))
        nothing_comes = (decided.action == Action.SUSPEND) & (cut.pending.sum(axis=-1) == 0)
        return decided.overruled(nothing_comes, STUCK, Action.STOP, self._answer(cut, nothing_comes))

    def alike(self, patients: int) -> IntArray | None:
        """Return for a level other than the data cut's the first counts that no decision tells from its own.

        Parameters
        ----------
        patients : int
            Most patients at a level.

        Returns
        -------
        int array, shape (K, patients + 1, patients + 1, 2), or None
            Patients and DLTs, for each level and each number of patients (for a rolling rule, with the pending ones)
            and of DLTs. ``None`` where the rule, or what the protocol puts around it, reads the counts as they are.
        """
        n, y = np.indices((patients + 1, patients + 1))
        y = np.minimum(y, n)
        read = self.rule.elsewhere(n, y)
        stopping, toxicity = self.stopping, self.stopping.too_toxic_probability is not None
        reads_all = (self.titration, self.limits.most_per_level, stopping.most_patients, stopping.interval_width)
        # Whether a stop is forced turns on what is recommended then, which reads all counts.
        forced_stops = self.early_decision and stopping.enough_at_level is not None
        if read is None or any(it is not None for it in reads_all) or forced_stops or (toxicity and self.rolling):
            return None
        same = np.stack([np.asarray(part, dtype=np.int64).ravel() for part in (n > 0, *read)], axis=1)
        _, first, which = np.unique(same, axis=0, return_index=True, return_inverse=True)
        themselves = np.stack([n, y], axis=-1)
        found = np.repeat(themselves.reshape(-1, 2)[first[which.ravel()]].reshape(1, *themselves.shape), self.levels, 0)
        if toxicity:
            found[0] = themselves
        return found

    def is_too_toxic(self, cut: DataCut) -> BoolArray:
        """Return whether the stopping rule for toxicity at the lowest level stops the trial, or has, shape (...)."""
        probability = self.stopping.too_toxic_probability
        has_stopped = (cut.open_levels == 0) & (probability is not None)
        return np.asarray(has_stopped | self._exceeds(cut, np.zeros_like(cut.level), probability))

    def closes_expansion(self, cut: DataCut) -> BoolArray:
        """Return whether an expansion at the level of the cut is closed for toxicity, shape (...)."""
        probability = self.stopping.expansion_too_toxic_probability if self._closes_expansions else None
        return self._exceeds(cut, cut.level, probability)

    def _exceeds(self, cut: DataCut, level: IntArray, probability: float | None) -> BoolArray:
        """Return whether P(DLT) at a level is too high with more than some probability, after anybody's outcome."""
        somebody = cut.evaluable.sum(axis=-1) > 0
        if probability is None or self.too_toxic_above is None:
            return np.zeros_like(somebody)
        return np.asarray(somebody & (self.rule.exceedance(cut, level, self.too_toxic_above) > probability))

    def recommend(self, cut: DataCut) -> IntArray:
        """Return what the rule recommends."""
        return self.rule.recommend(cut)

    def exceedance(self, cut: DataCut, level: IntArray, above: float) -> FloatArray:
        """Return what the rule believes."""
        return self.rule.exceedance(cut, level, above)

    def interval(self, cut: DataCut, level: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return what the rule believes."""
        return self.rule.interval(cut, level)

    def _answer(self, cut: DataCut, where: BoolArray) -> IntArray:
        """Return the rule's recommendation where it is asked for, `NO_LEVEL` where the rule has none yet."""
        if not where.any() or not self.has_answer_at_cap:
            return np.full_like(cut.level, NO_LEVEL)
        return self.rule.recommend(cut)

    def _titrated(self, cut: DataCut, decided: Decisions) -> Decisions:
        """Put single patients in front of the rule: until the first DLT, or the last level of the titration.

        The rule is not heard then, so that it eliminates nothing; once it has, the titration is over.
        """
        if self.titration is None:
            return decided
        level, treated = cut.level, cut.evaluable + cut.pending
        here, pending = at_level(treated, level), at_level(cut.pending, level)
        last = min(self.titration.last_level or self.levels, self.levels) - 1
        singles = (treated <= 1).all(axis=-1) & (cut.open_levels == self.levels)
        no_dlt = cut.dlts.sum(axis=-1) == 0
        to_fill = self.cohort_size - 1
        waits = singles & (pending > 0)
        first, up = singles & (here == 0), singles & no_dlt & (level < last)
        fills = singles & ~up & (to_fill > 0)
        unheard = waits | (first & no_dlt) | up | fills
        decided = replace(decided, open_levels=np.where(unheard, cut.open_levels, decided.open_levels))
        decided = decided.overruled(fills, TITRATION_OVER, Action.STAY, level, to_fill)
        decided = decided.overruled(up, TITRATION_UP, Action.ESCALATE, np.minimum(level + 1, self.levels - 1), 1)
        decided = decided.overruled(first & no_dlt, TITRATION_FIRST, Action.STAY, level, 1)
        return decided.overruled(waits, TITRATION_WAITS, Action.SUSPEND, level)

    def _limited(self, cut: DataCut, decided: Decisions) -> Decisions:
        """Keep moves within the limits."""
        level, limits = cut.level, self.limits
        treated = cut.evaluable + cut.pending
        goes_on = (decided.action != Action.STOP) & (decided.action != Action.SUSPEND) & (treated.sum(axis=-1) > 0)
        if limits.no_skipping != "off":
            given = level if limits.no_skipping == "last_given" else np.maximum(level, highest_allowed(treated > 0))
            skips = goes_on & (decided.level > given + 1)
            decided = decided.overruled(skips, NO_SKIPPING, Action.ESCALATE, given + 1, decided.patients)
        if limits.no_skipping_down:
            lower = np.minimum(level, decided.open_levels) - 1  # what is eliminated is skipped
            skips = goes_on & (decided.level < lower)
            decided = decided.overruled(skips, NO_SKIPPING, Action.DE_ESCALATE, lower, decided.patients)
        if self.coherence != "off":
            rises = goes_on & (decided.level > level) & self._incoherent(cut)
            decided = decided.overruled(rises, COHERENCE, Action.STAY, level, decided.patients)
        if limits.most_per_level is not None:
            decided = self._within_level(cut, decided, limits.most_per_level)
        return decided

    def _within_level(self, cut: DataCut, decided: Decisions, most: int) -> Decisions:
        """Keep levels within the most patients of one; with a rolling rule, wait for a full one's outcomes first."""
        goes_on = (decided.action != Action.STOP) & (decided.action != Action.SUSPEND)
        level = np.maximum(decided.level, 0)
        pending = at_level(cut.pending, level)
        room = most - at_level(cut.evaluable, level) - pending
        full = goes_on & (room <= 0)
        decided = decided.with_at_most(np.where(goes_on, np.maximum(room, 0), decided.patients))
        decided = decided.overruled(full, LEVEL_FULL, Action.STOP, self._answer(cut, full))
        return decided.overruled(full & (pending > 0), FULL_WAITS, Action.SUSPEND, level)

    def _incoherent(self, cut: DataCut) -> BoolArray:
        """Return whether an escalation would follow too many DLTs."""
        if self.coherence == "after_dlt":
            return cut.last_dlts > 0
        if self.coherence == "last_cohort":
            return (cut.last_evaluable > 0) & (cut.last_dlts >= cut.last_evaluable * (self.target or 1.0) - 1e-9)
        y, n = at_level(cut.dlts, cut.level), at_level(cut.evaluable, cut.level)
        return np.asarray(y > n * (self.target or 1.0) + 1e-9)

    def _stopped(self, cut: DataCut, asked: Decisions) -> Decisions:
        """Stop where enough is known, or enough patients were treated; each reason reads what was `asked` for."""
        stopping, level, decided = self.stopping, cut.level, asked
        goes_on = asked.action != Action.STOP
        treated = cut.evaluable + cut.pending if self.rolling else cut.evaluable
        if stopping.most_patients is not None:
            wanted = np.minimum(asked.patients, self.cohort_size)
            most = goes_on & (treated.sum(axis=-1) + wanted > stopping.most_patients)
            decided = decided.overruled(most, MOST, Action.STOP, self._answer(cut, most))
        if stopping.enough_at_level is not None:
            enough = goes_on & (at_level(treated, level) >= stopping.enough_at_level)
            if stopping.enough_when == "staying":
                enough &= asked.level == level
                enough &= asked.action != Action.SUSPEND
            decided = decided.overruled(enough, ENOUGH, Action.STOP, self._answer(cut, enough))
        if stopping.interval_width is not None:
            decided = self._precise(cut, decided, goes_on & (cut.evaluable.sum(axis=-1) > 0))
        return decided

    def _precise(self, cut: DataCut, decided: Decisions, asked: BoolArray) -> Decisions:
        """Stop where the interval of P(DLT) at the dose to be recommended is narrow enough."""
        best = self.rule.recommend(cut)
        low, high = self.rule.interval(cut, np.maximum(best, 0))
        precise = asked & (best != NO_LEVEL) & (high - low <= (self.stopping.interval_width or 0.0))
        return decided.overruled(precise, PRECISE, Action.STOP, best)


def _days_for(share: float, window_days: int) -> int:
    """Return the fewest days of follow-up that are a share of the window."""
    return next((day for day in range(window_days) if day / window_days >= share), window_days)
