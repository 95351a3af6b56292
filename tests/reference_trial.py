"""One trial, day by day and phase by phase: a second, deliberately naive implementation of the calendar.

There is no clock and no queue: every day, in every phase, everybody is looked at, and whatever is due today is done.
It was written from the specification of the calendar alone, gates, closures, reviews, beds and doses too, and what
candidates wait for before their places (steps down, coherence, and most of the stopping rules were added with the
package at hand); with `escalate` it shares what nature
draws (`escalate.nature.draws.Nature`) and the scenario, and not the calendar, the committee, the rules or what is
around them.

The phases of a day, in order:

0. outcomes dated today of patients whose first infusion was on an earlier day;
1. data cut;
2. committee;
3. candidates: who comes, screening results, products, withdrawals from waiting, who is screened again, and at its end
   consents of those who came and were not screened at once; where a place is reserved at consent this end is a phase
   of its own, in which a rolling rule can be asked too;
4. infusions, and then who came today and stands on no list, or on it;
5. lymphodepletion starts (without lymphodepletion: first infusions), and data cuts because a candidate is ready;
6. evening: outcomes dated today of patients whose first infusion is today.

Who holds a place, reserved at consent, holds it in the last cohort, and stands in `holders`.

In whichever phase the cap is filled for good enrolment closes, after what happens to patients in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from scipy.special import betaincc

from escalate.nature.draws import Nature
from escalate.nature.patients import Fate
from escalate.nature.products import READY, attempts
from escalate.scenario import Scenario
from escalate.scenario.calendar import Closure
from reference_interval_rules import TOLERANCE, boin, boin_mtd, prob_above, prob_below
from reference_rolling_rules import Lines, read_csv_lines, read_lines, rolling_six, rolling_table, tite_boin
from reference_three_plus_three import EXCEEDED_ABOVE, TOO_TOXIC, TOP_TOLERATED, reference_rule
from schedules import schedules_of

OUTCOMES, DATA_CUT, COMMITTEE, CANDIDATES, CONSENTS, INFUSIONS, LYMPHODEPLETION, EVENING, END = range(9)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ROLLING = ("rolling six", "TITE-BOIN", "IQ rolling six", "table")
GATES = ("stagger", "review", "notice", "product", "capacity", "closure", "weekday")
GATES_TO_BE_ASKED = ("product", "capacity", "closure", "weekday")

CAP_REACHED = "cap reached"
CAP_INCONCLUSIVE = "cap reached, inconclusive"
TIME_UP = "max_days reached"
NOBODY_PENDING = "the rule suspends, and nobody is pending"
LEVEL_IS_FULL = "a level has the most patients allowed"
DECLARED = "the table says: this level is the MTD"
ENOUGH = "stopping rule: enough patients at one level"
PRECISE = "stopping rule: P(DLT) is known precisely enough"
MOST_PATIENTS = "stopping rule: most patients treated"
TOO_TOXIC_FOR_THE_PROTOCOL = "stopping rule: lowest dose level too toxic"
ENDS = (CAP_REACHED, NOBODY_PENDING, LEVEL_IS_FULL, ENOUGH, PRECISE, MOST_PATIENTS)
BELOW_ALL_LEVELS = -1

AS_MANY_AS_A_COHORT = 10**6


@dataclass
class Told:
    """What a rule is told: the level of the current cohort, and by level who is evaluable, with a DLT, pending.

    `last` holds the evaluable patients and the DLTs of the current cohort; with a rolling rule, those of the outcomes
    that became known since its last decision but to suspend. Levels from `first_closed` on (None: none) were eliminated
    by a decision before.
    """

    level: int
    n: list[int]
    y: list[int]
    pending: list[int]
    follow_up: list[float]
    last: tuple[int, int] = (0, 0)
    first_closed: int | None = None

    @property
    def treated(self) -> list[int]:
        return [n + pending for n, pending in zip(self.n, self.pending, strict=True)]

    def completed(self, more: int, more_dlts: int) -> Told:
        """What the rule would be told with so many more evaluable patients, and nobody pending, at the level."""
        n, y, pending, follow_up = list(self.n), list(self.y), list(self.pending), list(self.follow_up)
        n[self.level] += more
        y[self.level] += more_dlts
        pending[self.level] = 0
        follow_up[self.level] = 0.0
        last = self.last[0] + more, self.last[1] + more_dlts
        return Told(self.level, n, y, pending, follow_up, last, self.first_closed)


Answer = tuple[str, int | None, int, str | None]
"""Action, next level (of a stop: the level recommended, or None), patients wanted, and the reason of a stop."""
Rule = Callable[[Told], Answer]


def three_plus_three(scenario: Scenario) -> Rule:
    """Return the 3+3 rule of a scenario."""
    return lambda told: reference_rule(scenario.rule.variant, told.level, told.n, told.y)


def boin_rule(scenario: Scenario) -> Rule:
    """Return BOIN with the scenario's target, other options at their defaults."""

    def ask(told: Told) -> Answer:
        action, following = below_closed(told, *boin(told.level, told.n, told.y, target=scenario.rule.target))
        if action == "stop":
            return "stop", None, 0, TOO_TOXIC
        return action, following, AS_MANY_AS_A_COHORT, None

    return ask


def below_closed(told: Told, action: str, following: int | None) -> tuple[str, int | None]:
    """Return the action that keeps out of what was eliminated before: no level there is given any more."""
    if action == "stop" or told.first_closed is None or following < told.first_closed:
        return action, following
    if told.first_closed == 0:
        return "stop", None
    following = told.first_closed - 1
    return ("stay" if following == told.level else "de-escalate"), following


def eliminated_by(scenario: Scenario, told: Told) -> int | None:
    """Return from which level on there are none any more, after a decision on what the rule was told; None for none."""
    if scenario.rule.name not in ("BOIN", "TITE-BOIN", "IQ rolling six", "table"):
        return None
    if scenario.titration is not None and titration(scenario, told) is not None:
        return told.first_closed
    if scenario.rule.name in ("IQ rolling six", "table"):
        _, _, left, _ = rolling_table(told.level, told.n, told.y, told.pending, lines_of(scenario), told.first_closed)
        return None if left == scenario.levels else left
    n = told.treated if scenario.rule.name == "TITE-BOIN" else told.n
    for level in range(scenario.levels if told.first_closed is None else told.first_closed):
        if n[level] >= 3 and told.y[level] > 0 and prob_above(scenario.rule.target, n[level], told.y[level]) > 0.95:
            return level
    return told.first_closed


def rolling_six_rule(scenario: Scenario) -> Rule:
    """Return rolling six, which asks for one patient at a time."""

    def ask(told: Told) -> Answer:
        options = scenario.rule
        action, level = rolling_six(told.level, told.n, told.y, told.pending, options.table, options.six_at_mtd)
        if action != "stop":
            return action, level, 1, None
        if level is None:
            return "stop", None, 0, TOO_TOXIC
        return "stop", level, 0, TOP_TOLERATED if level == scenario.levels - 1 else EXCEEDED_ABOVE

    return ask


def lines_of(scenario: Scenario) -> Lines:
    """Return the lines of a table with patients pending."""
    iq = scenario.rule.name == "IQ rolling six"
    return read_csv_lines("iq_rolling_six.csv") if iq else read_lines(dict(scenario.rule.decisions))


def rolling_table_rule(scenario: Scenario) -> Rule:
    """Return a table with patients pending and no target, which asks for one patient at a time."""
    lines = lines_of(scenario)

    def ask(told: Told) -> Answer:
        counts = (told.level, told.n, told.y, told.pending)
        action, level, _, shut = rolling_table(*counts, lines, told.first_closed)
        if action != "stop":
            return action, level, 1, None
        if level is None:
            return "stop", None, 0, TOO_TOXIC
        top = level == scenario.levels - 1
        return "stop", level, 0, TOP_TOLERATED if top else EXCEEDED_ABOVE if shut else DECLARED

    return ask


def tite_boin_rule(scenario: Scenario) -> Rule:
    """Return TITE-BOIN with the scenario's target and treatment of the pending, other options at their defaults."""

    def ask(told: Told) -> Answer:
        options = scenario.rule
        action, level = tite_boin(
            told.level,
            told.n,
            told.y,
            told.pending,
            told.follow_up,
            target=options.target,
            method="imputation" if options.method == "imputation" else "ess",
            max_pending_ratio=options.most_pending_share,
            min_completed=options.min_completed,
        )
        action, level = below_closed(told, action, level)
        if action == "stop":
            return "stop", None, 0, TOO_TOXIC
        return action, level, AS_MANY_AS_A_COHORT, None

    return ask


RULES = {
    "3+3": three_plus_three,
    "BOIN": boin_rule,
    "rolling six": rolling_six_rule,
    "TITE-BOIN": tite_boin_rule,
    "IQ rolling six": rolling_table_rule,
    "table": rolling_table_rule,
}


def best_dose(scenario: Scenario, told: Told, first_closed: int | None) -> int | None:
    """Return what is recommended when something else than the rule ends the trial; None if no dose."""
    if scenario.rule.name not in ("BOIN", "TITE-BOIN") or first_closed == 0:
        return None
    best = boin_mtd(told.n[:first_closed], told.y[:first_closed], scenario.rule.target)
    return None if best < 0 else best


def composed_rule(scenario: Scenario) -> Rule:
    """Return the rule with titration in front of it, and then the limits, and then the stopping rules.

    None of these rules ever rises by more than one level, so that `limits.no_skipping` must never matter.
    """
    rule = RULES[scenario.rule.name](scenario)

    def ask(told: Told) -> Answer:
        answer = None
        if scenario.titration is not None:
            answer = titration(scenario, told)
        if answer is None:
            answer = rule(told)
        answer = stopped(scenario, told, limited(scenario, told, answer))
        own_end_without_a_dose = answer[0] == "stop" and answer[3] == TOO_TOXIC
        if too_toxic(scenario, told) and not own_end_without_a_dose:
            return "stop", None, 0, TOO_TOXIC_FOR_THE_PROTOCOL
        return answer

    return ask


def too_toxic(scenario: Scenario, told: Told) -> bool:
    """Whether the counts at the lowest level alone stop the trial, with a uniform prior, once anybody is evaluable."""
    stopping = scenario.stopping
    if stopping.too_toxic_probability is None or told.n[0] == 0:
        return False
    above = scenario.rule.target if stopping.too_toxic_above is None else stopping.too_toxic_above
    return prob_above(above, told.n[0], told.y[0]) > stopping.too_toxic_probability


def limited(scenario: Scenario, told: Told, answer: Answer) -> Answer:
    """Return the answer within the limits: steps down, coherence, and then the most patients that a level may have."""
    action, level, wanted, reason = answer
    most = scenario.limits.most_per_level
    if action in ("stop", "suspend"):
        return answer
    if scenario.limits.no_skipping_down and level < told.level - 1:
        closed = eliminated_by(scenario, told)
        level = told.level - 1 if closed is None else min(told.level, closed) - 1
    if level > told.level and incoherent(scenario, told):
        action, level = "stay", told.level
    if most is not None:
        room = most - told.treated[level]
        wanted = min(wanted, room)
        if room <= 0 and told.pending[level] > 0:
            action, wanted, reason = "suspend", 0, None
        elif room <= 0:
            best = best_dose(scenario, told, eliminated_by(scenario, told))
            action, level, wanted, reason = "stop", best, 0, LEVEL_IS_FULL
    return action, level, wanted, reason


def incoherent(scenario: Scenario, told: Told) -> bool:
    """Whether an escalation would follow too many DLTs."""
    outcomes, dlts = told.last
    match scenario.limits.coherence:
        case "after_dlt":
            return dlts > 0
        case "last_cohort":
            return outcomes > 0 and dlts / outcomes >= scenario.rule.target - TOLERANCE
        case "last_level":
            n, y = told.n[told.level], told.y[told.level]
            return n > 0 and y / n > scenario.rule.target + TOLERANCE
    return False


def stopped(scenario: Scenario, told: Told, answer: Answer) -> Answer:
    """Return a stop where enough is known, or enough patients were treated; a suspension asks for nobody."""
    action, level, wanted, _ = answer
    if action == "stop":
        return answer
    stopping = scenario.stopping
    suspends, best = action == "suspend", best_dose(scenario, told, eliminated_by(scenario, told))
    if stopping.interval_width is not None and best is not None:
        low, high = (quantile(tail, told.n[best], told.y[best]) for tail in (0.025, 0.975))
        if high - low <= stopping.interval_width:
            return "stop", best, 0, PRECISE
    if stopping.enough_at_level is not None and told.treated[told.level] >= stopping.enough_at_level:
        stays = level == told.level and not suspends
        if stays or stopping.enough_when == "any_move":
            return "stop", best, 0, ENOUGH
    if stopping.most_patients is not None and not suspends:
        following = min(wanted, scenario.safety.cohort_size)
        if sum(told.treated) + following > stopping.most_patients:
            return "stop", best, 0, MOST_PATIENTS
    return answer


def quantile(tail: float, n: int, y: int) -> float:
    """Return where the posterior of the DLT rate, with a uniform prior, has so much below it; by halving."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if prob_below(middle, n, y) < tail else (low, middle)
    return (low + high) / 2


def titration(scenario: Scenario, told: Told) -> Answer | None:
    """Return what titration says, or None where the rule decides."""
    if max(told.treated) > 1 or told.first_closed is not None:
        return None
    if told.pending[told.level] > 0:
        return "suspend", told.level, 0, None
    no_dlt = sum(told.y) == 0
    if told.treated[told.level] == 0 and no_dlt:
        return "stay", told.level, 1, None
    last = scenario.titration.last_level or scenario.levels
    if no_dlt and told.level + 1 < last:
        return "escalate", told.level + 1, 1, None
    if scenario.safety.cohort_size == 1:
        return None
    return "stay", told.level, scenario.safety.cohort_size - 1, None


@dataclass
class Person:
    """A candidate, who may become a patient; numbers count from 1, levels from 0."""

    candidate: int
    came_day: int
    screenings_passed: int
    """Screenings that are passed before one is not."""
    product_uniform: float
    site: int = 0  # from 0
    consent_day: int | None = None
    screened_from: int | None = None
    """Day on which the screening began whose result is awaited."""
    screenings: int = 0
    screening_end_day: int | None = None
    attempts: list[str] | None = None
    """What the attempts at a product that are not yet known to have succeeded or failed come to, the next one first."""
    attempt_from: int | None = None
    asked_day: int | None = None
    """Day of the last time that the person asked for a place."""
    waits_from: int | None = None
    waited_days: int | None = None
    """Of earlier waits; 0 where somebody has asked for a place and never waited."""
    told_day: int | None = None
    """Of the notice."""
    state: str | None = None
    left_day: int | None = None

    patient: int | None = None
    cohort: Cohort | None = None
    level: int | None = None
    fate: Fate | None = None
    treatment_start_day: int | None = None
    planned_infusion_day: int | None = None
    refused: bool = False
    level_was_closed: bool = False
    stopped: bool = False
    infusion_day: int | None = None
    last_infusion_day: int | None = None
    infusions: int = 0
    outcome: str | None = None
    outcome_day: int | None = None

    @property
    def between_lymphodepletion_and_infusion(self) -> bool:
        return self.patient is not None and self.infusion_day is None and not self.refused

    @property
    def infused(self) -> bool:
        return self.infusion_day is not None

    @property
    def evaluable(self) -> bool:
        return self.outcome in ("DLT", "no DLT")

    @property
    def pending(self) -> bool:
        return self.outcome == "pending"

    @property
    def non_evaluable(self) -> bool:
        return self.outcome == "non-evaluable"


@dataclass
class Cohort:
    """The patients treated at one level between two decisions; with a rolling rule, between two moves."""

    number: int
    level: int
    places: int
    has_sentinel: bool
    expansion: bool
    people: list[Person] = field(default_factory=list)
    waits_for: str = "stagger"  # the gate written down last
    review_day: int = 0  # of the meeting before which nobody else starts treatment


class ReferenceTrial:
    """One trial; `run` goes through its days."""

    def __init__(self, scenario: Scenario, seed: int, replicate: int) -> None:
        self.s = scenario
        self.at = schedules_of(scenario)
        self.is_rolling = scenario.rule.name in ROLLING
        self.rule = composed_rule(scenario)
        self.replicate = replicate
        self.nature = Nature(scenario, seed, replicate, 1)
        self.today = 0
        self.phase = OUTCOMES
        self.events: list[tuple[Any, ...]] = []
        self.phases: list[int] = []  # of the events
        self.people: list[Person] = []  # in order of consent
        self.patients: list[Person] = []  # in order of enrolment
        self.waiting_list: list[Person] = []
        self.referred: list[Person] = []  # who came and has not consented, in order of coming
        self.holders: list[Person] = []  # who holds a place of the last cohort, and is not treated yet
        self.cohorts: list[Cohort] = []
        self.open_cohort: Cohort | None = None
        self.deciding_on: Cohort | None = None
        self.meeting_day: int | None = None
        self.cut_day: int | None = None
        self.frozen: Told | None = None
        self.still_to_come: int | None = None  # of a forced decision
        self.without_meeting = False  # a rolling rule stays, and is asked again on the day of the places
        self.outcomes_known = 0
        self.outcomes_known_at_cut = 0
        self.first_closed: int | None = None  # from which level on decisions have eliminated all
        self.since_decision = (0, 0)  # outcomes of evaluable patients, and DLTs, since a decision but to suspend
        self.suspended = False
        self.on_hold: Cohort | None = None  # from a suspending decision to the next one
        self.decisions: list[dict[str, Any]] = []
        self.enrolment_closed = False
        self.permitted_level = scenario.safety.start_level - 1
        self.news_for_data_cut = False
        self.counted_dlts_known: list[tuple[int, int]] = []  # day and phase
        self.concluding: str | None = None  # the reason of a rolling rule's stop, while outcomes are awaited
        self.stop_reason: str | None = None
        self.recommended: int | None = None
        self.closed_days: dict[tuple[str, int], bool] = {}  # what was found out

    @property
    def reserves_at_consent(self) -> bool:
        return self.s.treatment.place_reserved == "at_consent"

    def run(self) -> dict[str, Any]:
        """Go through the days until the trial ends, and return its story."""
        self.open_first_cohort()
        while True:
            self.one_day()
            decided = self.stop_reason is not None and self.open_cohort is None  # nor an expansion's data cut to come
            if self.enrolment_closed and decided and all(person.state is not None for person in self.people):
                break
            if self.today == self.s.trial.max_days:
                for person in self.people:
                    if person.state is None:
                        self.leave(person, "cut off" if person.consent_day is not None else "not consented")
                break
            self.today += 1
        self.phase = END
        self.note("trial ended")
        if self.stop_reason is None:
            self.stop_reason, self.recommended = TIME_UP, self.recommended_in_time()
        return self.story()

    def recommended_in_time(self) -> int | None:
        """What is recommended from the outcomes of the last day; nobody who is pending counts."""
        told = self.told(self.cohorts[-1])
        return None if too_toxic(self.s, told) else best_dose(self.s, told, self.first_closed)

    def one_day(self) -> None:
        self.phase = OUTCOMES
        self.outcomes(of_infused_today=False)
        self.close_when_the_cap_is_filled()
        self.phase = DATA_CUT
        self.data_cut()
        self.phase = COMMITTEE
        self.committee()
        self.phase = CANDIDATES
        self.openings()
        self.arrivals()
        self.results()
        self.withdrawals()
        self.expiries()
        self.results()
        self.consents_of_the_referred()
        self.phase = INFUSIONS
        self.infusions()
        self.close_when_the_cap_is_filled()
        self.without_a_place_to_be_screened_for()
        self.phase = LYMPHODEPLETION
        self.give_places()
        while self.candidate_is_ready():
            self.ask_the_rule("candidate ready")
            self.give_places()
        self.what_is_waited_for()
        self.without_a_place()
        self.phase = EVENING
        self.outcomes(of_infused_today=True)
        self.close_when_the_cap_is_filled()

    def ask_the_rule(self, why: str) -> None:
        """Ask a rolling rule with windows open; at once, if it meets today."""
        self.note(why, cohort=self.open_cohort)
        self.cut(self.open_cohort, self.told(self.open_cohort), None)
        self.committee()

    # Outcomes

    def outcomes(self, of_infused_today: bool) -> None:
        for person in self.patients:
            if person.infused and person.state is None and (person.infusion_day == self.today) == of_infused_today:
                self.outcomes_of(person)

    def outcomes_of(self, person: Person) -> None:
        offset = self.today - person.infusion_day
        fate = person.fate
        window_end = self.at[person.level].window
        last_observed = min(fate.drop_out_day, self.s.follow_up.days)

        if offset == fate.dlt_day and offset <= last_observed:
            if offset <= window_end:
                self.note("DLT", person)
                self.known(person, "DLT")
                self.counted_dlts_known.append((self.today, self.phase))
                if self.s.safety.after_sentinel_dlt == "review" and self.is_sentinel(person):
                    person.cohort.review_day = self.urgent_meeting()
            else:
                self.note("late toxicity", person)
        if offset == window_end and window_end <= last_observed and not fate.dlt_day <= window_end:
            self.note("window completed", person)
            self.known(person, "no DLT" if self.full_dose_in_window(person) else "non-evaluable")
        if offset == last_observed:
            if fate.drop_out_day < self.s.follow_up.days:
                self.note("drop-out", person)
                if person.pending:
                    self.known(person, "non-evaluable")
                self.leave(person, "dropped out")
            else:
                self.note("follow-up completed", person)
                self.leave(person, "completed")

    def is_sentinel(self, person: Person) -> bool:
        first_infused = next(other for other in person.cohort.people if other.infused)
        return person.cohort.has_sentinel and first_infused is person

    def known(self, person: Person, outcome: str) -> None:
        person.outcome = outcome
        person.outcome_day = self.today
        self.news_for_data_cut = True
        if person.evaluable:
            outcomes, dlts = self.since_decision
            self.since_decision = outcomes + 1, dlts + (outcome == "DLT")
        self.known_since_the_cut()

    def known_since_the_cut(self) -> None:
        """Something that the rule was asked without: what was suspended goes on, and it can be asked again."""
        self.outcomes_known += 1
        self.suspended = False

    def full_dose_in_window(self, person: Person) -> bool:
        """Whether the patient got the full dose, as far as the end of the window can tell.

        An infusion planned for after the end of the window has not been missed yet when the window ends.
        """
        if not person.fate.full_dose or person.stopped:
            return False
        schedule = self.at[person.level]
        for day in schedule.infusion_days[1:]:
            if day <= schedule.window and not self.later_infusion_given(person, day):
                return False
        return True

    def later_infusion_given(self, person: Person, day: int) -> bool:
        return day < min(person.fate.dlt_day, person.fate.drop_out_day)

    # Data cut

    def data_cut(self) -> None:
        news, self.news_for_data_cut = self.news_for_data_cut, False
        cohort = self.open_cohort
        if cohort is None or not news:
            return
        told = self.told(cohort)
        if cohort.expansion and self.outcomes_known > self.outcomes_known_at_cut and self.too_toxic(cohort.level):
            self.note("expansion closed", cohort=cohort)
            self.permit(cohort.level - 1)
            self.open_cohort = None
            self.close_enrolment()
            return
        if self.is_rolling and not cohort.expansion:
            if self.nothing_outstanding(cohort):
                self.note("nothing outstanding", cohort=cohort)
                self.cut(cohort, told, None)
                return
        elif self.complete(cohort):
            self.note("cohort complete", cohort=cohort)
            if cohort.expansion:
                self.open_cohort = None
                self.close_enrolment()
            else:
                self.cut(cohort, told, None)
            return
        may_be_early = self.s.early_decision and not cohort.expansion and self.concluding is None
        if may_be_early and self.outcomes_known > self.outcomes_known_at_cut and self.forced(cohort, told):
            self.note("decision forced", cohort=cohort)
            self.cut(cohort, told, self.outstanding(cohort))

    def too_toxic(self, level: int) -> bool:
        """Whether Pr(P(DLT) at an expansion's level is too large), from Beta(1 + DLTs, 1 + others), is too large."""
        stopping = self.s.stopping
        here = [person for person in self.patients if person.level == level and person.evaluable]
        dlts = sum(person.outcome == "DLT" for person in here)
        limit = stopping.too_toxic_above or getattr(self.s.rule, "target", 1.0)
        return bool(betaincc(1 + dlts, 1 + len(here) - dlts, limit) > stopping.expansion_too_toxic_probability)

    def cut(self, cohort: Cohort, told: Told, still_to_come: int | None) -> None:
        """Freeze what is known, and call the committee."""
        self.open_cohort = None
        for person in self.waiting_list:
            person.told_day = None
        self.deciding_on = cohort
        self.frozen, self.still_to_come = told, still_to_come
        self.outcomes_known_at_cut = self.outcomes_known
        self.cut_day = self.today
        delay = self.s.safety.assignment_delay_days
        may_go_without = self.is_rolling and delay is not None and still_to_come is None and self.concluding is None
        self.without_meeting = may_go_without and self.stays(cohort)
        if self.without_meeting:
            self.meeting_day = self.today + delay
        else:
            self.meeting_day = self.ordinary_meeting() if still_to_come is None else self.urgent_meeting()

    def ordinary_meeting(self) -> int:
        return self.first_day_from(self.today + self.s.safety.review_delay_days, self.meets)

    def urgent_meeting(self) -> int:
        """The day of the meeting on a data cut of today that comes early: any day that is not closed for it."""
        delay = self.s.safety.urgent_review_days
        if delay is None:
            return self.ordinary_meeting()
        return self.first_day_from(self.today + delay, lambda day: not self.closed("committee", day))

    def first_day_from(self, day: int, is_right: Callable[[int], bool]) -> int:
        while not is_right(day) and day <= self.s.trial.max_days:
            day += 1
        return day

    def meets(self, day: int) -> bool:
        """Whether the committee meets; a weekday is the first one of a month in its days 1 to 7, and so on."""
        safety, on = self.s.safety, self.date(day)
        if self.closed("committee", day):
            return False
        if safety.meeting_dates:
            return on in safety.meeting_dates
        if self.weekday(day) not in safety.meeting_weekdays:
            return False
        is_last = (on + timedelta(days=7)).month != on.month
        weeks = safety.meeting_weeks
        return not weeks or (on.day + 6) // 7 in weeks or (is_last and -1 in weeks)

    def told(self, cohort: Cohort) -> Told:
        """What the rule is told today; only a rolling rule hears of the pending."""
        levels = self.s.levels
        told = Told(cohort.level, [0] * levels, [0] * levels, [0] * levels, [0.0] * levels)
        for person in self.patients:
            if person.evaluable:
                told.n[person.level] += 1
            if person.outcome == "DLT":
                told.y[person.level] += 1
            if self.is_rolling and (person.pending or person.between_lymphodepletion_and_infusion):
                told.pending[person.level] += 1
            if self.is_rolling and person.pending:
                share = (self.today - person.infusion_day) / max(self.at[person.level].window, 1)
                told.follow_up[person.level] += min(share, 1.0)
        if self.is_rolling:  # their windows have not begun
            told.pending[self.cohorts[-1].level] += len(self.holders)
        told.first_closed, told.last = self.first_closed, self.since_decision
        if not self.is_rolling:
            evaluable = [person for person in cohort.people if person.evaluable]
            told.last = len(evaluable), sum(person.outcome == "DLT" for person in evaluable)
        return told

    def filled(self, cohort: Cohort) -> int:
        """Places of the cohort that are used up for good."""
        filled = sum(person.evaluable for person in cohort.people)
        rolling = self.is_rolling and not cohort.expansion
        if rolling or not self.s.safety.replace_non_evaluable:
            filled += sum(person.non_evaluable for person in cohort.people)
        return filled

    def taken(self, cohort: Cohort) -> int:
        """Places of the cohort that nobody else can have today."""
        return self.filled(cohort) + sum(self.awaited_in_a_place(person) for person in cohort.people)

    def held(self, cohort: Cohort) -> int:
        """Places of the cohort that candidates hold."""
        return len(self.holders) if cohort is self.cohorts[-1] else 0

    def awaited_in_a_place(self, person: Person) -> bool:
        """Whether the patient's outcome is awaited, and the place is not free for somebody else meanwhile.

        It is, where the protocol says at once, from the infusion of a partial dose on; but a rolling rule gives places
        itself.
        """
        at_once = self.s.safety.replace_partial_dose == "at_once" and (not self.is_rolling or person.cohort.expansion)
        return person.between_lymphodepletion_and_infusion or (
            person.pending and not (at_once and not person.fate.full_dose)
        )

    def outstanding(self, cohort: Cohort) -> int:
        """How many more evaluable patients there can be at the level before the next decision."""
        if not self.is_rolling:
            awaited = sum(self.awaited_in_a_place(person) for person in cohort.people)
            return awaited + max(cohort.places - self.filled(cohort) - awaited, self.held(cohort))
        not_taken = max(cohort.places - self.taken(cohort), self.held(cohort))
        return not_taken + sum(
            person.between_lymphodepletion_and_infusion or person.pending
            for person in self.patients
            if person.level == cohort.level
        )

    def nothing_outstanding(self, cohort: Cohort) -> bool:
        held = self.held(cohort)
        if self.somebody_outstanding() or (held > 0 and self.outcomes_known == self.outcomes_known_at_cut):
            return False
        return self.taken(cohort) + held >= cohort.places or self.cap_room() <= 0 or self.concluding is not None

    def candidate_is_ready(self) -> bool:
        """Whether a rolling rule has to be asked today because somebody waits and has no place to start in."""
        first = self.first_with_a_place()
        if first is not None:
            is_open = not any(self.shut(gate, self.today) for gate in GATES)
            return is_open and self.open_cohort is not None and first in self.holders and self.nobody_starts()
        return self.is_to_be_asked() and not any(self.shut(gate, self.today) for gate in GATES_TO_BE_ASKED)

    def is_to_be_asked(self) -> bool:
        """Whether a rolling rule has to be asked, as soon as a treatment can begin."""
        return any(person not in self.holders for person in self.waiting_list) and self.can_be_asked_for_a_place()

    def can_be_asked_for_a_place(self) -> bool:
        """Whether a rolling rule would say something to whoever finds no place free."""
        cohort = self.open_cohort
        if not self.is_rolling or cohort is None or cohort.expansion or self.suspended:
            return False
        if self.concluding is not None:
            return False
        return self.taken(cohort) + self.held(cohort) >= cohort.places and self.cap_room() > 0

    def complete(self, cohort: Cohort) -> bool:
        if self.concluding is not None and not cohort.expansion:  # for good: on all that there will be
            return not self.somebody_outstanding()
        for person in cohort.people:
            if person.between_lymphodepletion_and_infusion or person.pending:
                return False
        if self.held(cohort) > 0:
            return False
        return self.filled(cohort) >= cohort.places or self.cap_room() <= 0

    def forced(self, cohort: Cohort, told: Told) -> bool:
        outstanding = self.outstanding(cohort)
        if outstanding == 0:  # all that is awaited is whether somebody has a DLT after a partial dose
            return False
        all_places_will_be_filled = self.s.safety.replace_non_evaluable and self.s.trial.cap_counts == "evaluable"
        answers = set()
        fewest = 0
        if all_places_will_be_filled and not self.is_rolling:  # nobody is replaced while DLTs make the cohort full
            fewest = max(min(outstanding, cohort.places - self.filled(cohort)), 0)
        for more in range(fewest, outstanding + 1):
            for more_dlts in range(more + 1):
                action, level, _, _ = self.rule(told.completed(more, more_dlts))
                answers.add((action, level))
        if len(answers) > 1:
            return False
        _, level = answers.pop()
        return level is None or level < cohort.level

    # Committee

    def committee(self) -> None:
        if self.deciding_on is None or self.today != self.meeting_day:
            return
        if self.without_meeting and not self.stays(self.deciding_on):
            self.without_meeting, self.meeting_day = False, self.ordinary_meeting()
            if self.today != self.meeting_day:
                return
        cohort, known, still_to_come = self.deciding_on, self.frozen, self.still_to_come
        if self.is_rolling:  # decides on what is known today
            known = self.told(cohort)
            self.outcomes_known_at_cut = self.outcomes_known
            if still_to_come is not None:
                still_to_come = self.outstanding(cohort)
        self.deciding_on = self.meeting_day = self.frozen = self.still_to_come = None
        # A forced decision is read as if what is still to come came without a DLT.
        read = known if still_to_come is None else known.completed(still_to_come, 0)
        action, level, places, reason = self.decided(known, read)
        self.note("decision", cohort=cohort, level=level)
        self.record(cohort, known, still_to_come is not None, action, level, places)
        permitted = BELOW_ALL_LEVELS if level is None else level
        if self.concluding is None:
            self.first_closed = eliminated_by(self.s, read)
        ends = self.s.rule.name in ("BOIN", "TITE-BOIN") and reason in ENDS
        provisional = action == "stop" and (ends or (self.is_rolling and level is not None))
        others = self.somebody_outstanding() or self.outcomes_known > self.outcomes_known_at_cut
        provisional = provisional and self.concluding is None and others
        if provisional:  # patients on their way are treated as far up as the rule itself would go
            _, alone, _, _ = RULES[self.s.rule.name](self.s)(read)
            permitted = BELOW_ALL_LEVELS if alone is None else alone
        self.permit(permitted)
        self.suspended, self.on_hold = False, None
        if action != "suspend":
            self.since_decision = (0, 0)
        else:
            if level < cohort.level:
                self.holders.clear()  # nobody starts there any more
            self.open_cohort = self.on_hold = cohort
            cohort.places = self.taken(cohort) + self.held(cohort)
            self.suspended = self.outcomes_known == self.outcomes_known_at_cut
            self.news_for_data_cut = True
            return
        if action != "stop":
            if self.is_rolling and level == cohort.level:
                self.open_cohort = cohort
                cohort.places = self.taken(cohort) + self.held(cohort) + places
            else:
                self.open(level, places, expansion=False)
            return
        self.holders.clear()
        expands = self.s.safety.when_rule_finished == "expand"
        if provisional:
            # Nobody else is treated, and what is recommended is decided again when the last outcome is known.
            self.concluding, self.open_cohort, self.news_for_data_cut = reason, cohort, True
            if not expands:
                self.close_enrolment()
            return
        self.stop_reason, self.recommended = reason, level
        room = self.cap_room()
        if expands and level is not None and room > 0 and self.too_toxic(level):  # not even opened
            self.note("expansion closed", level=level)
            self.permit(level - 1)
            self.close_enrolment()
        elif expands and level is not None and room > 0:
            self.open(level, room, expansion=True)
        elif not self.enrolment_closed:
            self.close_enrolment()

    def decided(self, known: Told, read: Told) -> Answer:
        """What the committee makes of the rule's answer: of known data, read as if some were complete."""
        action, level, wanted, reason = self.rule(read)
        places = 0
        if self.concluding is not None and too_toxic(self.s, known):
            action, level, reason = "stop", None, TOO_TOXIC_FOR_THE_PROTOCOL
        elif self.concluding is not None:
            action, level, reason = "stop", self.conclusion(known), self.concluding
        elif action == "suspend" and sum(read.pending) == 0:
            action, reason = "stop", NOBODY_PENDING
        elif action not in ("stop", "suspend"):
            room = self.cap_room(level)
            places = self.places_for(wanted, room)
            if places > room:
                action = "stop"
                reason = CAP_REACHED if self.s.rule.name in ("BOIN", "TITE-BOIN") else CAP_INCONCLUSIVE
        if self.concluding is None and reason in (CAP_INCONCLUSIVE, *ENDS):
            level = best_dose(self.s, known, eliminated_by(self.s, read))  # not on places that nobody took
        return action, level, places, reason

    def stays(self, cohort: Cohort) -> bool:
        """Whether a rolling rule, asked today, gives places at its level, or none for a while."""
        told = self.told(cohort)
        action, level, _, _ = self.decided(told, told)
        return action == "suspend" or (action != "stop" and level == cohort.level)

    def permit(self, level: int) -> None:
        """Infuse nobody above a level, those neither who are on the way there, even if it is permitted again."""
        self.permitted_level = level
        for person in self.patients:
            if person.between_lymphodepletion_and_infusion and person.level > level:
                person.level_was_closed = True

    def somebody_outstanding(self) -> bool:
        return any(person.between_lymphodepletion_and_infusion or person.pending for person in self.patients)

    def conclusion(self, known: Told) -> int | None:
        """What is recommended in the end, of a trial that stopped before the last outcomes were known."""
        if self.s.rule.name in ("BOIN", "TITE-BOIN"):
            return best_dose(self.s, known, self.first_closed)
        action, level, _, _ = RULES[self.s.rule.name](self.s)(known)
        return level if action == "stop" else None

    def places_for(self, wanted: int, room: int) -> int:
        places = min(wanted, self.s.safety.cohort_size)
        if self.is_rolling or self.s.trial.last_cohort == "partial":
            places = min(places, max(room, 1))
        return places

    def record(self, cohort: Cohort, known: Told, forced: bool, action: str, level: int | None, places: int) -> None:
        stops = action == "stop"
        level = None if level is None else level + 1
        self.decisions.append(
            {
                "cohort": cohort.number,
                "level": cohort.level + 1,
                "data_cut_day": self.cut_day,
                "committee_day": self.today,
                "forced": "yes" if forced else "no",
                "evaluable": known.n[cohort.level],
                "dlts": known.y[cohort.level],
                "action": action,
                "next_level": None if stops else level,
                "next_patients": None if stops else places,
                "recommended_level": level if stops else None,
            }
        )

    def open_first_cohort(self) -> None:
        level = self.s.safety.start_level - 1
        none = [0] * self.s.levels
        _, _, wanted, _ = self.rule(Told(level, none, none, none, [0.0] * self.s.levels))
        self.open(level, self.places_for(wanted, self.cap_room()), expansion=False)

    def open(self, level: int, places: int, expansion: bool) -> None:
        first_at_level = all(cohort.level != level for cohort in self.cohorts)
        has_sentinel = first_at_level or self.s.safety.sentinel == "every_cohort"
        cohort = Cohort(len(self.cohorts) + 1, level, places, has_sentinel, expansion)
        self.holders.clear()
        self.cohorts.append(cohort)
        self.open_cohort = cohort
        self.note("cohort opened", cohort=cohort)

    def close_enrolment(self) -> None:
        """Turn away everybody who is not enrolled; it happens once."""
        if self.enrolment_closed:
            return
        self.enrolment_closed = True
        self.holders.clear()
        self.note("enrolment closed")
        for person in self.people:
            if person.state is None and person.patient is None:
                self.leave_without_a_place(person, "turned away", "turned away")

    def close_when_the_cap_is_filled(self) -> None:
        counts = self.s.trial.cap_counts
        filled = sum(person.evaluable if counts == "evaluable" else person.infused for person in self.patients)
        if filled >= self.s.trial.planned_patients:
            self.close_enrolment()

    def cap_room(self, permitted_level: int | None = None) -> int:
        """Those on their way to an infusion above the permitted level will get no cells, and count no more.

        Nor do the places reserved, of a decision for another level.
        """
        held = 0
        if self.holders and permitted_level in (None, self.cohorts[-1].level):
            held = len(self.holders)
        if permitted_level is None:
            permitted_level = self.permitted_level
        if self.s.trial.cap_counts == "evaluable":
            used = sum(
                person.evaluable or (person.pending and self.awaited_in_a_place(person)) for person in self.patients
            )
        else:
            used = sum(person.infused for person in self.patients)
        on_the_way = sum(
            person.between_lymphodepletion_and_infusion and not person.level_was_closed
            for person in self.patients
            if person.cohort.level <= permitted_level
        )
        return self.s.trial.planned_patients - used - on_the_way - held

    # Candidates

    def openings(self) -> None:
        if not self.enrolment_closed:
            for number, site in enumerate(self.s.sites):
                if (site.opens or self.s.trial.start_date) == self.date(self.today):
                    self.note("site opened", site=number)

    def arrivals(self) -> None:
        if self.enrolment_closed:
            return
        while True:
            drawn = self.nature.candidate(self.replicate, len(self.people))
            if drawn is None or drawn.consent_day != self.today:
                return
            screenings, uniform = drawn.screenings_passed, drawn.product_uniform
            person = Person(len(self.people) + 1, self.today, screenings, uniform, drawn.site)
            self.people.append(person)
            if self.s.screening.while_closed == "goes_on":
                self.consent(person)
            else:
                self.note("referred", person)
                self.referred.append(person)

    def consent(self, person: Person) -> None:
        self.note("consent", person)
        person.consent_day = person.screened_from = self.today
        if self.reserves_at_consent and self.free_places() > 0:
            self.holders.append(person)

    def consents_of_the_referred(self) -> None:
        """Let consent whoever can, and where places are reserved at consent ask a rolling rule for more of them."""
        if self.reserves_at_consent:
            self.phase = CONSENTS
        self.consents_today()
        while self.candidate_is_to_consent():
            self.ask_the_rule("candidate to consent")
            self.consents_today()

    def candidate_is_to_consent(self) -> bool:
        """Whether a rolling rule has to be asked today because somebody could consent and every place is taken."""
        could = any(not self.rests("consent", person) for person in self.referred)
        return self.reserves_at_consent and could and self.asking() == 0 and self.can_be_asked_for_a_place()

    def consents_today(self) -> None:
        """Let consent who can be screened for a place; results that come today can make room for others today."""
        while self.somebody_consents():
            self.results()

    def somebody_consents(self) -> bool:
        """Let consent, in order of coming, who can be screened for a place; and say whether anybody has."""
        before = len(self.referred)
        for person in list(self.referred):
            if not self.rests("consent", person) and self.wants_another_candidate():
                self.referred.remove(person)
                self.wait_no_longer(person)
                self.consent(person)
        return len(self.referred) < before

    def wants_another_candidate(self) -> bool:
        places, most = self.places_to_screen_for(), self.s.screening.candidates_per_place
        if self.reserves_at_consent:
            return self.asking() < places
        return places > 0 if most is None else self.asking() < places * most

    def asking(self) -> int:
        """How many have consented and are not treated yet, and hold no place."""
        there = [person for person in self.people if person.consent_day is not None and person.state is None]
        return sum(person.patient is None and person not in self.holders for person in there)

    def places_to_screen_for(self) -> int:
        cohort, room = self.open_cohort, max(self.cap_room(), 0)
        if self.free_places() > 0:
            return min(self.free_places(), room)
        escalates = self.concluding is None and cohort is not None and not cohort.expansion
        if escalates and self.is_rolling and not self.suspended and not self.reserves_at_consent:
            return min(1, room)
        opens = self.foreseen_day()
        if opens is not None and opens - self.today <= self.s.screening.opens_days_ahead:
            return min(self.s.safety.cohort_size, room) - len(self.holders)  # who may need one of the next, too
        return 0

    def free_places(self) -> int:
        """Places of the open cohort that could be given, were there room under the cap."""
        cohort = self.open_cohort
        if cohort is None or self.suspended or (self.concluding is not None and not cohort.expansion):
            return 0
        return max(cohort.places - self.taken(cohort) - self.held(cohort), 0)

    def foreseen_day(self) -> int | None:
        """The day on which the next places open, if all goes well; None where none can be foreseen."""
        cohort = self.open_cohort
        if self.concluding is not None:
            return None
        if self.deciding_on is not None:
            return self.meeting_day
        if cohort is None or cohort.expansion or self.on_hold is not None or self.held(cohort) > 0:
            return None
        awaited = [person for person in cohort.people if person.between_lymphodepletion_and_infusion or person.pending]
        if not awaited:
            return None
        last = max(person.planned_infusion_day for person in awaited) + self.at[cohort.level].window
        return self.first_day_from(last + self.s.safety.review_delay_days, self.meets)

    def without_a_place_to_be_screened_for(self) -> None:
        for person in list(self.referred):
            if person.came_day == self.today:
                ahead = self.referred.index(person) + sum(
                    one.waits_from is not None and one not in self.holders for one in self.waiting_list
                )
                self.wait_or_go(person, ahead, may_wait=self.s.screening.while_closed == "list")

    def results(self) -> None:
        """Give all results that are due, until none of them brings another one today."""
        while True:
            due = [person for person in self.people if person.state is None and self.has_a_result(person)]
            if not due:
                return
            for person in due:
                if person.screened_from is not None:
                    self.screening_result(person)
                else:
                    self.product_result(person)

    def has_a_result(self, person: Person) -> bool:
        if person.screened_from is not None:
            return person.screened_from + self.screening_days(person) <= self.today and not self.rests(
                "screening", person
            )
        return person.attempt_from is not None and person.attempt_from + self.s.product.manufacture_days <= self.today

    def screening_result(self, person: Person) -> None:
        person.screened_from, person.screening_end_day = None, self.today
        person.screenings += 1
        if person.screenings > person.screenings_passed:
            self.note("screen failure", person)
            self.give_the_held_place_back(person)
            self.leave(person, "screen failure")
            return
        self.note("eligible", person)
        own = self.s.product is not None and self.s.product.kind == "autologous"
        if own and person.attempts is None:
            person.attempts = list(attempts(self.s.product, person.product_uniform))
            self.take_cells(person)
        else:
            self.ask_for_a_place(person)

    def take_cells(self, person: Person) -> None:
        self.note("apheresis", person)
        person.attempt_from = self.today

    def product_result(self, person: Person) -> None:
        person.attempt_from = None
        result = person.attempts.pop(0)
        self.note(result, person)
        if result == READY and self.results_hold_no_longer(person):
            self.screen_again(person)
        elif result == READY:
            self.ask_for_a_place(person)
        elif person.attempts:
            self.take_cells(person)
        else:
            self.note("no product", person)
            self.give_the_held_place_back(person)
            self.leave(person, "no product")

    def results_hold_no_longer(self, person: Person) -> bool:
        valid = self.s.screening.valid_days
        return valid is not None and self.today > person.screening_end_day + valid

    def screen_again(self, person: Person) -> None:
        self.note("screened again", person)
        person.screened_from = self.today

    def expiries(self) -> None:
        for person in list(self.waiting_list):
            if self.results_hold_no_longer(person):
                self.waiting_list.remove(person)
                self.wait_no_longer(person)
                self.screen_again(person)

    def ask_for_a_place(self, person: Person) -> None:
        person.asked_day, person.told_day = self.today, None
        person.waited_days = person.waited_days or 0
        self.waiting_list.append(person)
        self.waiting_list.sort(key=lambda one: (one.asked_day, one.candidate))

    def wait_no_longer(self, person: Person) -> None:
        """Count the days of this wait, if it is one."""
        if person.waits_from is not None:
            person.waited_days = (person.waited_days or 0) + self.today - person.waits_from
        person.waits_from = None

    def screening_days(self, person: Person) -> int:
        """How long screening takes: what the person's site says, or what the scenario says for all."""
        own = self.s.sites[person.site].screening_days if self.s.sites else None
        return self.s.screening.days if own is None else own

    def rests(self, what: str, person: Person) -> bool:
        """Whether a kind of work rests today, everywhere or at the person's site."""
        at_site = self.s.sites[person.site].closed if self.s.sites else ()
        on = self.date(self.today)
        here = any(what in closure.what and closure_holds(closure, on) for closure in at_site)
        return here or self.closed(what, self.today)

    def withdrawals(self) -> None:
        patience = self.s.accrual.patience_days
        for person in [*self.referred, *self.waiting_list]:
            if patience is not None and person.waits_from is not None:
                waited = (person.waited_days or 0) + self.today - person.waits_from
                if waited == patience:
                    self.leave_without_a_place(person, "withdrew", "withdrew waiting")

    def leave_without_a_place(self, person: Person, event: str, state: str) -> None:
        self.wait_no_longer(person)
        for waiting in (self.referred, self.waiting_list):
            if person in waiting:
                waiting.remove(person)
        self.note(event, person)
        self.give_the_held_place_back(person)
        self.leave(person, state if person.consent_day is not None else "not consented")

    def without_a_place(self) -> None:
        for person in list(self.waiting_list):
            if person.asked_day == self.today:
                before = self.waiting_list[: self.waiting_list.index(person)]
                ahead = sum(one not in self.holders for one in before) + len(self.referred)
                self.wait_or_go(person, ahead, may_wait=True)

    def wait_or_go(self, person: Person, already_waiting: int, may_wait: bool) -> None:
        accrual = self.s.accrual
        is_full = accrual.most_waiting is not None and already_waiting >= accrual.most_waiting
        has_waited = bool(person.waited_days)
        is_lost = not may_wait or accrual.without_place == "lost" or (is_full and not has_waited)
        if is_lost and person not in self.holders:
            self.leave_without_a_place(person, "no place", "no place")
        elif accrual.patience_days is not None and (person.waited_days or 0) >= accrual.patience_days:
            self.leave_without_a_place(person, "withdrew", "withdrew waiting")
        else:
            person.waits_from = self.today
            person.waited_days = person.waited_days or 0
            self.note("waits", person)

    # Treatment

    def infusions(self) -> None:
        for person in self.patients:
            if person.between_lymphodepletion_and_infusion and person.planned_infusion_day == self.today:
                self.infuse_or_refuse(person)
            elif person.infused and person.infusion_day < self.today:
                offset = self.today - person.infusion_day
                if offset in self.at[person.level].infusion_days and self.later_infusion_given(person, offset):
                    self.infuse_or_stop(person)

    def infuse_or_stop(self, person: Person) -> None:
        """Give a later infusion, unless the level is closed now, or is to be left: then neither this nor any other."""
        must_be_left = person.cohort is self.deciding_on and self.still_to_come is not None
        if self.s.safety.later_infusions_at_closed_level == "withhold" and not person.stopped:
            person.stopped = person.level > self.permitted_level or must_be_left
            if person.stopped:
                self.note("infusion withheld", person)
        if not person.stopped:
            self.infuse(person)

    def infuse_or_refuse(self, person: Person) -> None:
        withheld = False
        if self.s.safety.dlt_after_lymphodepletion == "withhold":
            for moment in self.counted_dlts_known:
                if moment > (person.treatment_start_day, LYMPHODEPLETION):
                    withheld = True
        if self.s.safety.dlt_after_lymphodepletion == "withhold_if_closed":
            withheld = person.cohort is self.deciding_on and self.still_to_come is not None
        if person.level_was_closed or withheld or not person.fate.infused:
            person.refused = True
            self.note("not infused", person)
            self.leave(person, "not infused")
            self.place_given_back(person.cohort)
        else:
            person.infusion_day = self.today
            person.outcome = "pending"
            self.infuse(person)

    def place_given_back(self, cohort: Cohort) -> None:
        """Note that somebody who had a place, or held one, gets no infusion."""
        if self.concluding is not None or (self.is_rolling and not cohort.expansion):
            self.known_since_the_cut()  # the rule was told of somebody pending
        self.news_for_data_cut = True  # nobody may be left to wait for
        if cohort is self.on_hold:
            cohort.places -= 1  # nobody is treated in a suspended cohort before the rule is asked again

    def give_the_held_place_back(self, person: Person) -> None:
        if person in self.holders:
            self.holders.remove(person)
            self.place_given_back(self.cohorts[-1])

    def infuse(self, person: Person) -> None:
        person.infusions += 1
        person.last_infusion_day = self.today
        self.note("infusion", person)

    def give_places(self) -> None:
        while self.slot_is_open():
            person = self.first_with_a_place()
            self.waiting_list.remove(person)
            self.wait_no_longer(person)
            if person in self.holders:
                self.holders.remove(person)
            person.patient = len(self.patients) + 1
            person.cohort = self.cohorts[-1]
            person.level = person.cohort.level
            person.fate = self.nature.fate(self.replicate, person.patient - 1, person.level)
            person.treatment_start_day = self.today
            lead = self.at[person.level].lead
            person.planned_infusion_day = self.today + lead
            self.patients.append(person)
            person.cohort.people.append(person)
            if lead > 0:
                self.note("lymphodepletion", person)
            else:
                self.infuse_or_refuse(person)
                self.close_when_the_cap_is_filled()

    def give_notice(self) -> None:
        """Tell those for whom places are free, and who have not been told."""
        if self.s.treatment.notice_days == 0:
            return
        for person in self.waiting_list[: max(min(self.free_places(), self.cap_room()), 0)]:
            if person.told_day is None:
                person.told_day = self.today
                self.note("notice given", person)

    def slot_is_open(self) -> bool:
        self.give_notice()
        first = self.first_with_a_place()
        if first is None or any(self.shut(gate, self.today) for gate in GATES):
            return False
        return first not in self.holders or not self.nobody_starts()

    def first_with_a_place(self) -> Person | None:
        return next((person for person in self.waiting_list if self.has_a_place(person)), None)

    def has_a_place(self, person: Person) -> bool:
        """Whether somebody in line may start as soon as gates let him; a level that is left gets nobody new."""
        if person not in self.holders:
            return self.place_is_free()
        if self.deciding_on is not None and self.still_to_come is not None:
            return False
        return self.cap_room() + len(self.holders) > 0

    def nobody_starts(self) -> bool:
        """Whether reserved places are none to start in: a rolling rule, asked today, would leave the level downwards.

        A stop for other reasons than the rule's leaves the place where it is.
        """
        cohort = self.cohorts[-1]
        if not self.is_rolling or cohort.expansion:
            return False
        told = self.told(cohort)
        action, level, _, _ = self.decided(told, told)
        if action == "stop":
            _, level, _, _ = RULES[self.s.rule.name](self.s)(told)
        return level is None or level < cohort.level or (action == "stop" and too_toxic(self.s, told))

    def place_is_free(self) -> bool:
        return self.free_places() > 0 and self.cap_room() > 0

    def what_is_waited_for(self) -> None:
        """Write down the first gate that is shut for a place, or a question to a rolling rule, if it is another."""
        if self.first_with_a_place() is not None:
            gates = GATES
        elif self.is_to_be_asked():
            gates = GATES_TO_BE_ASKED
        else:
            return
        first = next((gate for gate in gates if self.shut(gate, self.today)), None)
        cohort = self.cohorts[-1]
        if first is not None and first != cohort.waits_for:
            cohort.waits_for = first
            self.note(first, cohort=cohort)

    def shut(self, gate: str, day: int) -> bool:
        """Whether a gate does not let a treatment of the last cohort begin on a day, as far as is known today."""
        cohort = self.cohorts[-1]
        treatment, schedule = self.s.treatment, self.at[cohort.level]
        infusion_day = day + schedule.lead
        later_days = [infusion_day + later for later in schedule.infusion_days[1:]]
        if gate == "weekday":
            starts_well = not schedule.agents or self.weekday(day) in treatment.lymphodepletion_weekdays
            infused_well = self.weekday(infusion_day) in treatment.weekdays
            later_well = all(self.weekday(later) in treatment.later_infusion_weekdays for later in later_days)
            return not (starts_well and infused_well and later_well)
        if gate == "closure":
            agent_days = [infusion_day + before for agent in schedule.agents for before in agent.days]
            return any(self.closed("lymphodepletion", agent_day) for agent_day in agent_days) or any(
                self.closed("infusion", given) for given in [infusion_day, *later_days]
            )
        if gate == "product":
            return len(self.with_a_place()) >= self.doses_released()
        if gate == "capacity":
            return self.is_busy(day) or self.is_overbooked([infusion_day, *later_days])
        if gate == "notice":
            notice = self.s.treatment.notice_days
            return notice > 0 and day < self.waiting_list[0].told_day + notice
        if gate == "review":
            return day < cohort.review_day
        before = [person for person in cohort.people if not person.refused]
        over_by = infusion_day if self.s.safety.lymphodepletion_in_stagger else day
        return any(over_by < person.planned_infusion_day + self.apart(person, before, cohort) for person in before)

    def doses_released(self) -> float:
        """Doses that there have been up to today, of which each patient takes one; any number without a product."""
        product = self.s.product
        if product is None or product.kind == "autologous":
            return float("inf")
        batches = zip(self.s.release_days, self.nature.batch_fails[0], strict=True)
        good = [not fails for day, fails in batches if day <= self.today]
        return product.doses_at_start + product.doses_per_batch * sum(good)

    def is_busy(self, day: int) -> bool:
        """Whether every bed is taken on a day; on the day of discharge it is free."""
        capacity = self.s.capacity
        if capacity is None or capacity.patients_at_once is None:
            return False
        there = [
            person
            for person in self.with_a_place()
            if person.treatment_start_day <= day < person.planned_infusion_day + capacity.discharge_days
        ]
        return len(there) >= capacity.patients_at_once

    def is_overbooked(self, own_days: list[int]) -> bool:
        """Whether a patient with these infusions makes too many in a calendar week, Monday to Sunday."""
        if self.s.capacity is None or self.s.capacity.infusions_per_week is None:
            return False
        booked = [
            person.planned_infusion_day + later
            for person in self.with_a_place()
            for later in self.at[person.level].infusion_days
        ]
        weeks = [self.date(day).isocalendar()[:2] for day in booked + own_days]
        return any(
            weeks.count(self.date(day).isocalendar()[:2]) > self.s.capacity.infusions_per_week for day in own_days
        )

    def with_a_place(self) -> list[Person]:
        """Everybody who has had a place, but for those known not to be infused."""
        return [person for person in self.patients if not person.refused]

    def apart(self, person: Person, before: list[Person], cohort: Cohort) -> int:
        """Days after a patient's infusion, for whatever this patient may turn out to be: sentinel or later patient."""
        earlier = before[: before.index(person)]
        days = []
        if cohort.has_sentinel and all(other.infusion_day is None for other in earlier):
            days.append(self.s.safety.sentinel_stagger_days)
        if earlier or not cohort.has_sentinel:
            days.append(self.s.safety.stagger_days)
        return max(days)

    # Small things

    def date(self, day: int) -> date:
        return self.s.trial.start_date + timedelta(days=day)

    def weekday(self, day: int) -> str:
        return WEEKDAYS[self.date(day).weekday()]

    def closed(self, what: str, day: int) -> bool:
        """Whether a closure rests this kind of work on a day."""
        if (what, day) not in self.closed_days:
            on = self.date(day)
            self.closed_days[what, day] = any(
                what in closure.what and closure_holds(closure, on) for closure in self.s.calendar.closed
            )
        return self.closed_days[what, day]

    def leave(self, person: Person, state: str) -> None:
        self.wait_no_longer(person)
        person.state = state
        person.left_day = self.today

    def note(
        self,
        event: str,
        person: Person | None = None,
        cohort: Cohort | None = None,
        level: int | None = None,
        site: int | None = None,
    ) -> None:
        candidate = patient = None
        if person is not None:
            site = person.site
            candidate, patient, cohort, level = person.candidate, person.patient, person.cohort, person.level
        elif cohort is not None and event != "decision":
            level = cohort.level
        self.phases.append(self.phase)
        self.events.append(
            (
                self.today,
                event,
                candidate,
                patient,
                None if cohort is None else cohort.number,
                None if level is None else level + 1,
                self.site_name(site),
            )
        )

    def site_name(self, site: int | None) -> str | None:
        return self.s.sites[site].name if self.s.sites and site is not None else None

    def story(self) -> dict[str, Any]:
        return {
            "dose_path": self.dose_path(),
            "recommended": None if self.recommended is None else self.recommended + 1,
            "stop_reason": self.stop_reason,
            "duration_days": self.today,
            "events": self.events,
            "phases": self.phases,
            "candidates": [self.row(person) for person in self.people],
            "decisions": self.decisions,
        }

    def dose_path(self) -> str:
        letter = {"DLT": "T", "no DLT": "N", "non-evaluable": "X", "pending": "P"}
        parts = []
        for cohort in self.cohorts:
            letters = "".join(letter[person.outcome] for person in cohort.people if person.infused)
            if letters:
                parts.append(f"{cohort.level + 1}{letters}")
        return " ".join(parts)

    def row(self, person: Person) -> dict[str, Any]:
        return {
            "candidate": person.candidate,
            "site": self.site_name(person.site),
            "patient": person.patient,
            "state": person.state,
            "consent_day": person.consent_day,
            "screening_end_day": person.screening_end_day,
            "waiting_days": person.waited_days,
            "cohort": None if person.cohort is None else person.cohort.number,
            "level": None if person.level is None else person.level + 1,
            "treatment_start_day": person.treatment_start_day,
            "infusion_day": person.infusion_day,
            "last_infusion_day": person.last_infusion_day,
            "infusions": None if person.patient is None else person.infusions,
            "outcome": person.outcome,
            "outcome_day": person.outcome_day,
            "left_day": person.left_day,
            "not_infused": person.refused,
        }


def closure_holds(closure: Closure, on: date) -> bool:
    """Whether a date is one of a closure's; one of every year holds on the same days of the calendar each year."""
    if not closure.every_year:
        return closure.first_day <= on <= closure.last_day
    for later in (on.year - closure.first_day.year, on.year - closure.last_day.year):
        if in_a_later_year(closure.first_day, later) <= on <= in_a_later_year(closure.last_day, later):
            return True
    return False


def in_a_later_year(day: date, later: int) -> date:
    """Return the same day so many years later; 29 February is the 28th in a year without it."""
    try:
        return day.replace(year=day.year + later)
    except ValueError:
        return date(day.year + later, 2, 28)


def reference_trial(scenario: Scenario, seed: int, replicate: int) -> dict[str, Any]:
    """Return the story of one trial.

    Keys: ``dose_path``, ``recommended`` (from 1, or None), ``stop_reason``, ``duration_days``, ``events`` (tuples of
    day, event, candidate, patient, cohort, level, name of the site), ``phases`` (in which phase of its day each event
    happened), ``candidates`` and ``decisions`` (one dictionary each).
    """
    return ReferenceTrial(scenario, seed, replicate).run()
