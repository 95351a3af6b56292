"""Many trials by the kernel: what nature draws, the trials, and the committee's answers to those that wait for one."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..committee.committee import Committee
from ..nature.draws import Nature
from ..nature.streams import NEVER, PAGE
from ..results.outcomes import consented
from ..scenario.model import Scenario
from ..words.records import TIME_IS_UP
from . import compiled
from .bench import MOST_LEVELS, Protocol
from .chunk import Chunk, Columns, TooManyHereError, draws_in_order, is_one_by_one, is_plain
from .codes import Open
from .remembered import MOST_REMEMBERED, answers_of
from .rooms import room_for

FEW = 0.1
"""A page of candidates that a smaller share of a chunk's trials needs is drawn when they do."""

MOST_WAITING = 2**30
"""Candidates who may wait where the scenario sets no limit."""


class Engine:
    """Runs trials of one scenario, and remembers what its committee has answered.

    Parameters
    ----------
    scenario : Scenario
        Protocol and assumptions.
    compiles : bool, optional
        Whether the kernel is compiled; where it is not given, if numba is installed.
    """

    def __init__(self, scenario: Scenario, compiles: bool | None = None) -> None:
        self.scenario = scenario
        self._room = room_for(compiled.is_available() if compiles is None else compiles, is_plain(scenario))
        committee = Committee(scenario)
        self.answers = answers_of(scenario, committee, self._room)
        self._protocol = self._protocol_of(committee)
        self.patient_pages = self.answers.people // PAGE
        """Pages of random numbers that patients have needed so far."""
        self.here = 0
        """Room for candidates who are not enrolled, where they are looked at one by one, that trials have needed."""
        self.candidate_pages = 1
        """The same for candidates, but for a few trials of the last chunk that needed more."""

    def run(self, nature: Nature) -> Columns:
        """Run the trials whose numbers `nature` draws.

        Raises
        ------
        RuleError
            If the rule fails for any of them; the message names the counts.
        """
        if self.answers.numbers > MOST_REMEMBERED:
            self.answers.forget(PAGE * self.patient_pages)
        with self._room.lent():
            found = self._run(nature)
        self._expect_candidates(found.numbers)
        return found

    def _run(self, nature: Nature) -> Columns:
        """Run the trials; in two halves, where so many candidates are there at once that memory would not do."""
        pages = self.candidate_pages, self.patient_pages, self.here
        chunk = Chunk(self.scenario, self._room, self._protocol, self.answers, nature, *pages)
        try:
            return chunk.run()
        except TooManyHereError:
            pass
        finally:
            self.patient_pages, self.here = chunk.patient_pages, chunk.here
        half = nature.count // 2
        ranges = (nature.first, half), (nature.first + half, nature.count - half)
        parts = [self._run(Nature(self.scenario, nature.seed, *part)) for part in ranges]
        return Columns(*map(np.concatenate, zip(*parts, strict=True)))

    def _expect_candidates(self, numbers: NDArray[np.int32]) -> None:
        """Draw as many pages for the next trials as were enough for nearly all of these."""
        nearly_all = np.quantile(consented(self.scenario, numbers), 1 - FEW, method="inverted_cdf")
        self.candidate_pages = int(nearly_all) // PAGE + 1

    def _protocol_of(self, committee: Committee) -> Protocol:
        """Return what the scenario asks of the calendar, in whole numbers."""
        scenario, safety, accrual = self.scenario, self.scenario.safety, self.scenario.accrual
        first, rule = committee.first(scenario.trial.planned_patients), committee.rule
        capacity, product = scenario.capacity, scenario.store
        screening, own = scenario.screening, scenario.autologous
        schedules, windows = scenario.schedules, scenario.windows
        kinds, leads = list(dict.fromkeys(schedules)), [schedule.lead_days for schedule in schedules]
        never_waits = accrual.without_place == "lost"
        patience = NEVER if accrual.patience_days is None else accrual.patience_days
        return Protocol(
            levels=scenario.levels,
            cohort_size=safety.cohort_size,
            cap=scenario.trial.planned_patients,
            cap_counts_infused=scenario.trial.cap_counts == "infused",
            max_days=scenario.trial.max_days,
            schedule_row=_by_level(Open.OF_A_SCHEDULE * kinds.index(schedule) for schedule in schedules),
            infusions=_by_level(len(schedule.infusion_days) for schedule in schedules),
            lead_days=_by_level(leads),
            window_end=_by_level(windows),
            window_level=_by_level(windows.index(window) for window in windows),
            longest_window=max(windows),
            last_infusion=_by_level(schedule.last_infusion_day for schedule in schedules),
            review_delay_days=safety.review_delay_days,
            assignment_delay_days=-1 if safety.assignment_delay_days is None else safety.assignment_delay_days,
            urgent_review_days=-1 if safety.urgent_review_days is None else safety.urgent_review_days,
            reviews_sentinel=safety.after_sentinel_dlt == "review",
            stagger_lead_days=_by_level(lead * safety.lymphodepletion_in_stagger for lead in leads),
            has_resources=capacity is not None or product is not None,
            infusions_per_week=(capacity.infusions_per_week or 0) if capacity else 0,
            patients_at_once=(capacity.patients_at_once or 0) if capacity else 0,
            discharge_days=(capacity.discharge_days or 0) if capacity else 0,
            first_weekday=scenario.trial.start_date.weekday(),
            has_product=product is not None,
            doses_at_start=product.doses_at_start if product else 0,
            doses_per_batch=product.doses_per_batch if product else 0,
            sentinel_stagger_days=safety.sentinel_stagger_days,
            stagger_days=safety.stagger_days,
            sentinel_every_cohort=safety.sentinel == "every_cohort",
            early_decision=scenario.early_decision,
            replaces=safety.replace_non_evaluable,
            frees_at_once=safety.replace_partial_dose == "at_once",
            withholds=safety.dlt_after_lymphodepletion == "withhold",
            withholds_if_closed=safety.dlt_after_lymphodepletion == "withhold_if_closed",
            withholds_later=safety.later_infusions_at_closed_level == "withhold",
            expands=safety.when_rule_finished == "expand",
            follow_up_days=scenario.follow_up.days,
            draws_candidates=self._room.draws and draws_in_order(scenario),
            sites=len(scenario.sites),
            one_by_one=is_one_by_one(scenario),
            screening_waits=screening.waits,
            referred_are_lost=screening.while_closed == "waits",
            reserves=scenario.treatment.reserves,
            candidates_per_place=1 if scenario.treatment.reserves else screening.candidates_per_place or MOST_WAITING,
            opens_days_ahead=screening.opens_days_ahead,
            valid_days=NEVER if screening.valid_days is None else screening.valid_days,
            most_attempts=own.most_attempts if own else 0,
            manufacture_days=own.manufacture_days if own else 0,
            notice_days=scenario.treatment.notice_days,
            screening_days=screening.days,
            patience_days=patience,
            most_waiting=0 if never_waits else (accrual.most_waiting or MOST_WAITING),
            rolling=rule.rolling,
            reads_last=rule.reads_last,
            reads_followup=self.answers.reads_followup,
            reads_dlt_days=rule.reads_dlt_days,
            days_to_resume=_by_level(rule.days_to_resume),
            monotone=rule.monotone,
            start_level=safety.start_level - 1,
            first_action=int(first.action),
            first_level=first.level,
            first_patients=first.patients,
            first_reason=self.answers.reason(first.reason),
            time_is_up=self.answers.reason(TIME_IS_UP),
        )


def is_worth_compiling(scenarios: Iterable[Scenario], trials: int) -> bool:
    """Return whether so many trials of scenarios are run faster by the compiled kernel, and there is one."""
    return all(compiled.is_worth(trials, edition) for edition in {is_plain(scenario) for scenario in scenarios})


def is_kept(scenarios: Iterable[Scenario]) -> bool:
    """Return whether the editions that scenarios need were compiled before, and are kept on disk."""
    return all(compiled.is_compiled(edition) for edition in {is_plain(scenario) for scenario in scenarios})


def _by_level(numbers: Iterable[int]) -> tuple[int, ...]:
    """Return a number for each level as the protocol has them, zeros behind them."""
    given = tuple(numbers)
    return given + (0,) * (MOST_LEVELS - len(given))
