"""Many trials by the kernel: what nature draws, the trials, and the committee's answers to those that wait for one."""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..committee.committee import Committee
from ..nature.draws import Nature
from ..nature.streams import NEVER, PAGE
from ..results.outcomes import column_sizes, consented
from ..scenario.model import Scenario, WeibullOnset
from ..trial.calendar import next_weekday
from ..words.records import TIME_IS_UP, IntArray
from . import compiled, days
from .answers import Answers
from .bench import (
    ASKS,
    DROP_OUT_DAY,
    ENDED,
    FULL_DOSE,
    GETS,
    LEAVES_QUESTION,
    LESS,
    NEEDS_CANDIDATES,
    NEEDS_PATIENTS,
    NO_SEAT,
    NOTHING,
    ONSET_DAY,
    Bench,
    Person,
    Protocol,
    Seats,
    Tables,
)

MOST_REMEMBERED = 5_000_000
"""Numbers of questions and answers remembered at once; beyond that all are forgotten between chunks, which changes no
trial."""

FEW = 0.1
"""A page of candidates that a smaller share of a chunk's trials needs is drawn when they do."""

MOST_WAITING = 2**30
"""Candidates who may wait where the scenario sets no limit."""


class _Space(threading.local):
    """Room that the engines of a thread use in turn; a rule that simulates while it is asked finds none."""

    def __init__(self) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}

    @contextmanager
    def lent(self) -> Iterator[dict[str, NDArray[Any]]]:
        """Lend the room to one engine."""
        lent, self.arrays = self.arrays, {}
        try:
            yield lent
        finally:
            self.arrays = lent


_SPACE = _Space()


class Columns(NamedTuple):
    """What is kept of the trials of a chunk."""

    numbers: NDArray[np.int32]
    """Numbers of each trial, shape (n, columns): see `kernel.books.close_books`."""
    paths: NDArray[np.bytes_]
    """Dose paths, shape (n,)."""


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
        self._compiles = compiled.is_available() if compiles is None else compiles
        self._steps: Any = compiled.steps() if self._compiles else days
        committee = Committee(scenario)
        self.answers = Answers(scenario, committee, self._compiles)
        self._protocol = self._protocol_of(committee)
        self._read: Any = compiled.record(self._protocol) if self._compiles else self._protocol
        self._later_infusions = self._form(np.array(scenario.treatment.infusion_days[1:], dtype=np.int64))
        self.answers.forget(PAGE)
        self._lent: dict[str, NDArray[Any]] = {}
        self.patient_pages = 1
        """Pages of random numbers that patients have needed so far."""
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
        with _SPACE.lent() as self._lent:
            return self._run(nature)

    def _run(self, nature: Nature) -> Columns:
        count, todo = nature.count, np.arange(nature.count)
        rows = self._room("rows", count, sum(column_sizes(self.scenario)))
        letters = self._letters(count)
        candidates = self._candidates(nature, range(self.candidate_pages))
        fates, tolerance = self._patients(nature)
        came = self._form(candidates)
        tables, seats, seat_of = self._tables(), self._seats(candidates), self._seat_of(nature)
        recommended: list[tuple[IntArray, IntArray]] = []
        while len(todo):
            codes, questions = self._room("codes", len(todo)), self._room("asked", len(todo), len(tables.question))
            tables = tables._replace(index=self.answers.index, answers=self.answers.answers)
            self._steps.run_many(
                self._read, seats, tables, came, fates, tolerance, seat_of,
                self._form(todo), codes, questions, rows, letters, self._later_infusions,
            )  # fmt: skip
            ended = np.asarray(codes)
            if (ended == LEAVES_QUESTION).any():
                left = np.flatnonzero(ended == LEAVES_QUESTION)
                recommended.append((todo[left], self.answers.recommended(np.asarray(questions)[left])))
            if (ended == ASKS).any():
                self.answers.ask(np.asarray(questions)[ended == ASKS])
            if (ended == NEEDS_CANDIDATES).any():
                page = candidates.shape[1] // PAGE
                more = range(page, page + 1 + page // 4)  # so that many pages are not copied as many times
                candidates = np.hstack([candidates, self._candidates(nature, more)])
                came = self._form(candidates)
                seats = seats._replace(queues=self._wider(seats.queues, int(np.max(seat_of)) + 1, candidates))
            if (ended == NEEDS_PATIENTS).any():  # all begin again
                self._expect_more_patients()
                fates, tolerance = self._patients(nature)
                tables, letters = self._tables(), self._letters(count, letters)
                seats, seat_of = self._seats(candidates), self._seat_of(nature)
            todo = todo[(ended != ENDED) & (ended != LEAVES_QUESTION)]
        numbers = np.asarray(rows).astype(np.int32)
        self._expect_candidates(numbers)
        for trials, level_and_reason in recommended:
            numbers[trials, :2] = level_and_reason
        return Columns(numbers, _paths(np.asarray(letters, dtype=np.uint8)))

    def _form(self, values: Any) -> Any:
        """Return numbers as the kernel reads them: an array if it is compiled, lists if it is not."""
        return np.ascontiguousarray(values) if self._compiles else np.asarray(values).tolist()

    def _sheet(self, *shape: int) -> Any:
        return self._form(np.zeros(shape, dtype=np.int64))

    def _room(self, name: str, *shape: int, of: Any = np.int64) -> Any:
        """Return room for numbers that are written before they are read; the same every time, if it suffices."""
        if not self._compiles:
            return self._sheet(*shape)
        size, kept = math.prod(shape), self._lent
        if name not in kept or kept[name].size < size:
            kept[name] = np.empty(size, dtype=of)
        return kept[name][:size].reshape(shape)

    def _letters(self, count: int, known: Any = ()) -> Any:
        """Return room for the dose path of each trial, with those that are known already."""
        letters = np.zeros((count, 4 * PAGE * self.patient_pages + 8), dtype=np.uint8)
        if len(known):
            letters[:, : len(known[0])] = known
        return self._form(letters)

    def _seat_of(self, nature: Nature) -> Any:
        """Return the seat of each trial: none has one yet."""
        return self._form(np.full(nature.count, NO_SEAT))

    def _seats(self, candidates: IntArray) -> Seats:
        """Return a seat for every trial, with room for so many candidates, and for the patients expected."""
        number, people, size = len(candidates), PAGE * self.patient_pages, self.answers.question_size
        queues = self._queues(candidates)
        if not self._compiles:
            return Seats(
                benches=defaultdict(Bench),
                people=defaultdict(lambda: [Person() for _ in range(people)]),
                queues=queues,
                seen=defaultdict(lambda: [0] * size),
            )
        return Seats(
            benches=self._room("benches", number, of=compiled.bench_type()),
            people=self._room("people", number, people, of=compiled.person_type()),
            queues=queues,
            seen=self._room("seen", number, size),
        )

    def _queues(self, candidates: IntArray) -> Any:
        """Return room for all candidates to wait, at every seat."""
        number, most = candidates.shape
        return np.zeros((number, most), dtype=np.int64) if self._compiles else defaultdict(lambda: [0] * most)

    def _wider(self, queues: Any, seats: int, candidates: IntArray) -> Any:
        """Return queues with room for more candidates, and with those who wait at the first seats."""
        wider = self._queues(candidates)
        if self._compiles:
            wider[:seats, : queues.shape[1]] = queues[:seats]
            return wider
        for seat in range(seats):
            wider[seat][: len(queues[seat])] = queues[seat]
        return wider

    def _expect_candidates(self, numbers: NDArray[np.int32]) -> None:
        """Draw as many pages for the next trials as were enough for nearly all of these."""
        nearly_all = np.quantile(consented(self.scenario, numbers), 1 - FEW, method="inverted_cdf")
        self.candidate_pages = int(nearly_all) // PAGE + 1

    def _expect_more_patients(self) -> None:
        """Have room for another page of patients from now on; questions are written another way then."""
        self.patient_pages += 1
        self.answers.forget(PAGE * self.patient_pages)

    def _tables(self) -> Tables:
        """Return what all trials' tables share; what is of one trial is put in its place when it is run."""
        nobody: Any = np.zeros(0, dtype=compiled.person_type()) if self._compiles else []
        return Tables(
            candidates=self._sheet(0),
            fates=self._sheet(0, 0),
            tolerance=self._form(np.zeros(0)),
            dlt_probability=self._form(np.array(self.scenario.toxicity.dlt_probability)),
            people=nobody,
            queue=self._sheet(0),
            seen=self._sheet(0),
            question=self._sheet(self.answers.question_size),
            alike=self._form(self.answers.alike),
            index=self.answers.index,
            answers=self.answers.answers,
        )

    def _candidates(self, nature: Nature, pages: range) -> IntArray:
        """Return what nature draws for pages of candidates, as `Tables.candidates`, one row for each trial."""
        found = np.empty((nature.count, PAGE * len(pages)), dtype=np.int64)
        for place, page in enumerate(pages):
            fails = nature.fails_screening(page).view(np.int8)
            # -1 - day is each bit of the day turned over: faster than to choose between the two.
            np.bitwise_xor(nature.consent_days(page), -fails, out=found[:, PAGE * place : PAGE * (place + 1)])
        return found

    def _patients(self, nature: Nature) -> tuple[Any, Any]:
        """Return what nature draws for patients, as `Tables.fates` and `Tables.tolerance`, for each trial."""
        onsets = range(self.scenario.levels if nature.onset_depends_on_level else 1)
        people = PAGE * self.patient_pages
        fates = np.asarray(self._room("fates", nature.count, ONSET_DAY + len(onsets), people))
        tolerance = np.asarray(self._room("tolerance", nature.count, people, of=np.float64), dtype=np.float64)
        for page in range(self.patient_pages):
            here = slice(PAGE * page, PAGE * (page + 1))
            dose = np.where(nature.full_dose(page), FULL_DOSE, LESS)
            fates[:, GETS, here] = np.where(nature.infused(page), dose, NOTHING)
            fates[:, DROP_OUT_DAY, here] = nature.drop_out_day(page)
            for level in onsets:
                fates[:, ONSET_DAY + level, here] = nature.onset_day(page, level)
            tolerance[:, here] = nature.tolerance(page)
        return self._form(fates), self._form(tolerance)

    def _protocol_of(self, committee: Committee) -> Protocol:
        """Return what the scenario asks of the calendar, in whole numbers."""
        scenario, safety, accrual = self.scenario, self.scenario.safety, self.scenario.accrual
        first, rule = committee.first(scenario.trial.planned_patients), committee.rule
        never_waits = accrual.without_place == "lost"
        patience = NEVER if accrual.patience_days is None else accrual.patience_days
        return Protocol(
            levels=scenario.levels,
            cohort_size=safety.cohort_size,
            cap=scenario.trial.planned_patients,
            cap_counts_infused=scenario.trial.cap_counts == "infused",
            max_days=scenario.trial.max_days,
            lead_days=scenario.lead_days,
            window_end=scenario.window_end_offset,
            last_infusion=scenario.treatment.infusion_days[-1],
            treatment_wait=self._waits_for_weekday(scenario.treatment.weekdays),
            meeting_wait=self._waits_for_weekday(safety.meeting_weekdays),
            review_delay_days=safety.review_delay_days,
            sentinel_stagger_days=safety.sentinel_stagger_days,
            stagger_days=safety.stagger_days,
            sentinel_every_cohort=safety.sentinel == "every_cohort",
            early_decision=safety.early_decision,
            replaces=safety.replace_non_evaluable,
            withholds=safety.dlt_after_lymphodepletion == "withhold",
            expands=safety.when_rule_finished == "expand",
            follow_up_days=scenario.follow_up.days,
            onset_depends_on_level=isinstance(scenario.toxicity.onset, WeibullOnset),
            screening_days=scenario.screening.days,
            patience_days=patience,
            most_waiting=0 if never_waits else (accrual.most_waiting or MOST_WAITING),
            rolling=rule.rolling,
            reads_last=rule.reads_last,
            reads_followup=self.answers.reads_followup,
            reads_dlt_days=rule.reads_dlt_days,
            days_to_resume=rule.days_to_resume,
            monotone=rule.monotone,
            start_level=safety.start_level - 1,
            first_action=int(first.action),
            first_level=first.level,
            first_patients=first.patients,
            first_reason=self.answers.reason(first.reason),
            time_is_up=self.answers.reason(TIME_IS_UP),
        )

    def _waits_for_weekday(self, allowed: Sequence[str]) -> Any:
        start = self.scenario.trial.start_date
        return [next_weekday(start, day, allowed) - day for day in range(7)]


def _paths(letters: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """Return dose paths as bytes, from their letters; after the last one there are zeros."""
    longest = max(1, int(np.count_nonzero(letters.any(axis=0))))
    return np.ascontiguousarray(letters[:, :longest]).view(f"S{longest}").ravel()
