"""The trials of a chunk: what nature draws for them, round after round of the kernel, and the answers they wait for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..nature.at_site import gap_days, screening_until
from ..nature.draws import Nature
from ..nature.patients import drop_out_until, onset_until
from ..nature.streams import NEVER, PAGE, Stream, key
from ..results.outcomes import column_sizes
from ..scenario.model import Scenario
from ..words.records import FloatArray, IntArray
from .answers import Answers
from .bench import Numbers, Protocol, Row, Tables
from .codes import AS_DRAWN, NO_SEAT, Drawn, Fixed, Run
from .rooms import Room

MOST_CANDIDATES = 2**21
"""Candidates of a chunk's trials whose numbers lie ready at once, but for at least a page for each trial: when they
have passed they are forgotten, and the next ones are drawn. Bounds memory, and changes no result."""


MOST_HERE = 2**22
"""Rows for candidates who have come and are not enrolled, of all trials of a chunk together, where they are looked at
one by one. Bounds memory, and changes no result."""


class TooManyHereError(Exception):
    """The trials of a chunk need more rows for candidates than there may be at once."""


class Columns(NamedTuple):
    """What is kept of the trials of a chunk."""

    numbers: NDArray[np.int32]
    """Numbers of each trial, shape (n, columns): see `kernel.books.close_books`."""
    paths: NDArray[np.bytes_]
    """Dose paths, shape (n,)."""


class Chunk:
    """Consecutive trials of a scenario, until each has ended.

    Parameters
    ----------
    scenario : Scenario
        Protocol and assumptions.
    room : Room
        Where the kernel works.
    protocol : Protocol
        What the scenario asks of the calendar.
    answers : Answers
        Of the scenario's committee; more are known afterwards.
    nature : Nature
        Draws the trials' numbers.
    candidate_pages, patient_pages : int
        Pages of random numbers that are drawn at once, at least 1; more are drawn where they do not suffice.
    here : int
        Room for candidates who are not enrolled, where they are looked at one by one; there is more where it does not
        suffice.
    """

    def __init__(
        self,
        scenario: Scenario,
        room: Room,
        protocol: Protocol,
        answers: Answers,
        nature: Nature,
        candidate_pages: int,
        patient_pages: int,
        here: int,
    ) -> None:
        self._scenario, self._room, self._answers, self._nature = scenario, room, answers, nature
        self._protocol, self._read, self._count = protocol, room.protocol(protocol), nature.count
        self._batch_fails = room.form(nature.batch_fails.astype(np.int64))
        self._candidate_pages = candidate_pages
        self._letters: Row[Numbers] = []
        self._recommended: list[tuple[IntArray, IntArray]] = []
        self.patient_pages = patient_pages
        """Pages of random numbers that patients have needed."""
        self.here = max(here, PAGE) if is_one_by_one(scenario) else 0
        """Room for candidates who are not enrolled."""

    def run(self) -> Columns:
        """Run the trials.

        Raises
        ------
        RuleError
            If the rule fails for any of them; the message names the counts.
        TooManyHereError
            If they have to be run in parts.
        """
        self._check_room()
        self._rows = self._sheet("rows", self._count, sum(column_sizes(self._scenario)))
        todo = np.arange(self._count)
        need_candidates = todo[:0]
        self._begin()
        while len(todo):
            ended, asked = self._round(todo)
            if (left := ended == Run.LEAVES_QUESTION).any():
                self._recommended.append((todo[left], self._answers.recommended(asked[left])))
            if (asks := ended == Run.ASKS).any():
                self._answers.ask(asked[asks])
            need_candidates = np.concatenate([need_candidates, todo[ended == Run.NEEDS_CANDIDATES]])
            need_patients = todo[ended == Run.NEEDS_PATIENTS]
            need_room = todo[ended == Run.NEEDS_ROOM]
            todo = todo[asks]
            if len(need_patients) or len(need_room):
                todo, need_candidates = np.concatenate([todo, need_candidates, need_patients, need_room]), todo[:0]
                if len(need_patients):
                    self._expect_more_patients()
                if len(need_room):
                    self.here *= 2
                    self._check_room()
                self._begin()
            elif len(need_candidates) and not len(todo):  # the pages have passed for all trials that are left
                todo, need_candidates = need_candidates, todo
                self._turn_pages()
        return self._columns()

    def _check_room(self) -> None:
        if self._count > 1 and self._count * self.here > MOST_HERE:
            raise TooManyHereError

    def _begin(self) -> None:
        """Lay ready what the trials need; those that have not ended are run from their first day on."""
        self._seat_of: Numbers = self._room.form(np.full(self._count, NO_SEAT))
        self._seats = self._room.seats(
            self._count, PAGE * self.patient_pages, self.here, queue_size(self._protocol), self._answers.question_size
        )
        self._letters = self._room.form(self._letters_known())
        self._words = self._room.words(self._nature, self.patient_pages)
        self._tables = self._common_tables()
        self._next_page = 0
        self._turn_pages()

    def _round(self, todo: IntArray) -> tuple[IntArray, IntArray]:
        """Run trials until each has ended or waits; return how each run ended, and the questions."""
        codes: Numbers = self._room.form(self._room.blank("codes", len(todo)))
        questions = self._sheet("asked", len(todo), self._answers.question_size)
        known = self._answers.known
        tables = self._tables._replace(asked=known.index, answers=known.answers)
        self._room.run_many(
            self._read, self._nature.first, self._seats, tables,
            self._candidates, self._ways, self._words, self._batch_fails,
            self._seat_of, self._room.form(todo), codes, questions, self._rows, self._letters,
        )  # fmt: skip
        return np.asarray(codes), np.asarray(questions)

    def _sheet(self, name: str, *shape: int) -> Row[Numbers]:
        """Return rows for the kernel to write on."""
        sheet: Row[Numbers] = self._room.form(self._room.blank(name, *shape))
        return sheet

    def _letters_known(self) -> NDArray[np.uint8]:
        """Return room for the dose path of each trial, with those that are known already."""
        letters = np.zeros((self._count, 4 * PAGE * self.patient_pages + 8), dtype=np.uint8)
        if len(self._letters):
            known = np.asarray(self._letters, dtype=np.uint8)
            letters[:, : known.shape[1]] = known
        return letters

    def _expect_more_patients(self) -> None:
        """Have room for another page of patients from now on; questions are written another way then."""
        self.patient_pages += 1
        if self._answers.people < PAGE * self.patient_pages:
            self._answers.forget(PAGE * self.patient_pages)

    def _turn_pages(self) -> None:
        """Draw the next pages of candidates, more than a few if many have passed; forget the ones before."""
        most = max(1, MOST_CANDIDATES // (PAGE * self._count))
        number = min(most, 1 + self._next_page // 4 if self._next_page else self._candidate_pages)
        pages = range(self._next_page, self._next_page + number)
        pages = range(0) if self._protocol.draws_candidates else pages
        self._candidates: Row[Row[int]] = self._room.form(self._draw_candidates(pages))
        self._ways = self._room.form(self._draw_ways(pages if self.here else range(0)))
        self._next_page += number

    def _draw_ways(self, pages: range) -> IntArray:
        """Return what else nature draws for pages of candidates, as `Tables.ways`, for each trial."""
        nature = self._nature
        ways = np.zeros((nature.count, Drawn.SIZE, PAGE * len(pages)), dtype=np.int64)
        for place, page in enumerate(pages):
            here = slice(PAGE * place, PAGE * (place + 1))
            ways[:, Drawn.PASSES, here] = nature.screenings_passed(page)
            if self._scenario.autologous is not None:
                ways[:, Drawn.FAILING, here] = nature.failed_attempts(page)
            if self._scenario.sites:
                ways[:, Drawn.SITE, here] = nature.site(page)
        return ways

    def _draw_candidates(self, pages: range) -> IntArray:
        """Return what nature draws for pages of candidates, as `Tables.candidates`, one row for each trial."""
        nature = self._nature
        found = self._room.blank("candidates", nature.count, PAGE * len(pages))
        for place, page in enumerate(pages):
            fails = np.int8(0) if self.here else nature.fails_screening(page).view(np.int8)
            # -1 - day is each bit of the day turned over: faster than to choose between the two.
            np.bitwise_xor(nature.consent_days(page), -fails, out=found[:, PAGE * place : PAGE * (place + 1)])
        return found

    def _common_tables(self) -> Tables:
        """Return what all trials' tables share; what is of one trial is put in its place when it is run."""
        form, nothing, first_site = (
            self._room.form,
            np.zeros((0, 0), dtype=np.int64),
            self._scenario.recruiting_sites[0],
        )
        return Tables(
            candidates=form(nothing.ravel()),
            ways=form(nothing),
            clock=form(np.zeros(0)),
            screening_days=form(np.array([site.screening_days for site in self._scenario.recruiting_sites])),
            consent_opens=form(self._of_sites("consent")),
            results_open=form(self._of_sites("screening")),
            here=self._room.nobody_here(),
            words=form(nothing),
            patient_key=form(key(self._nature.seed, Stream.PATIENT).view(np.int64)),
            candidate_key=form(key(self._nature.seed, Stream.CANDIDATE).view(np.int64)),
            gap_days=form(np.array([gap_days(first_site) or 0.0])),
            rests=form(np.array(first_site.rests, dtype=np.int64).reshape(-1, 2)),
            screening_until=form(screening_until(self._scenario, 0)),
            what_if=form(self._what_if()),
            probability=form(self._probability()),
            onset_until=form(self._onset_until()),
            drop_out_until=form(drop_out_until(self._scenario)),
            dlt_probability=form(np.array(self._scenario.toxicity.dlt_probability)),
            open_days=form(self._open_days()),
            infusion_days=form(self._infusion_days()),
            release_days=form(np.array(self._scenario.release_days, dtype=np.int64)),
            batch_fails=form(nothing.ravel()),
            people=self._room.nobody(),
            queue=form(nothing),
            seen=form(nothing.ravel()),
            question=form(np.zeros(self._answers.question_size, dtype=np.int64)),
            alike=form(self._answers.alike),
            asked=self._answers.known.index,
            answers=self._answers.known.answers,
        )

    def _what_if(self) -> IntArray:
        """Return what the scenario fixes of patients, up to the last one of whom it fixes anything, then nothing."""
        rows = np.full((max((one.patient for one in self._scenario.what_if), default=0) + 1, Fixed.SIZE), AS_DRAWN)
        for one in self._scenario.what_if:
            row = rows[one.patient - 1]
            if one.infused is not None:
                row[Fixed.NOT_INFUSED] = not one.infused
            if one.full_dose is not None:
                row[Fixed.LESS] = not one.full_dose
            if one.dlt is not None or one.dlt_day is not None:
                row[Fixed.DLT] = one.dlt is not False
            if one.dlt_day is not None:
                row[Fixed.DLT_DAY] = one.dlt_day
            if one.drop_out is False or one.drop_out_day is not None:
                row[Fixed.LAST_DAY] = NEVER if one.drop_out_day is None else one.drop_out_day
        return rows

    def _probability(self) -> FloatArray:
        attrition = self._scenario.attrition
        return np.array([attrition.not_infused_probability, attrition.partial_dose_probability])

    def _onset_until(self) -> FloatArray:
        """Return how probable each day of a DLT or one before it is, a row for each level, filled up with 2."""
        levels = [onset_until(self._scenario, level) for level in range(self._scenario.levels)]
        rows = np.full((len(levels), max(map(len, levels))), 2.0)
        for row, until in zip(rows, levels, strict=True):
            row[: len(until)] = until
        return rows

    def _open_days(self) -> IntArray:
        """Return the first open day from each on, a row for each of `Open`; no days where all are open for all."""
        days, schedules = self._scenario.open_days, self._scenario.schedules
        levels = [schedules.index(schedule) for schedule in dict.fromkeys(schedules)]
        of_schedules = [each[level] for level in levels for each in (days.by_weekday, days.by_closure)]
        rows = np.stack([days.committee, days.screening, days.urgent, *of_schedules])
        return rows[:, :0] if (rows == np.arange(rows.shape[1])).all() else rows

    def _of_sites(self, what: str) -> IntArray:
        """Return the first day from each on that is open for something, a row for each site."""
        return np.stack([getattr(site.open_days, what) for site in self._scenario.recruiting_sites])

    def _infusion_days(self) -> IntArray:
        """Return the days of each level's infusions, a row for each level, filled up with days that nobody reads."""
        infusion_days = [schedule.infusion_days for schedule in self._scenario.schedules]
        rows = np.zeros((len(infusion_days), max(map(len, infusion_days))), dtype=np.int64)
        for row, days in zip(rows, infusion_days, strict=True):
            row[: len(days)] = days
        return rows

    def _columns(self) -> Columns:
        numbers = np.asarray(self._rows).astype(np.int32)
        for trials, level_and_reason in self._recommended:
            numbers[trials, :2] = level_and_reason
        return Columns(numbers, _paths(np.asarray(self._letters, dtype=np.uint8)))


def is_one_by_one(scenario: Scenario) -> bool:
    """Return whether candidates are looked at one by one: `kernel.one_by_one`."""
    screening = scenario.screening
    is_screened_late_or_again = screening.waits or screening.valid_days is not None
    return (
        is_screened_late_or_again
        or scenario.autologous is not None
        or scenario.treatment.notice_days > 0
        or bool(scenario.sites)
    )


def is_plain(scenario: Scenario) -> bool:
    """Return whether the plain edition of the compiled kernel will do."""
    return not (
        is_one_by_one(scenario)
        or scenario.capacity
        or scenario.store
        or scenario.safety.after_sentinel_dlt == "review"
        or scenario.safety.later_infusions_at_closed_level == "withhold"
    )


def draws_in_order(scenario: Scenario) -> bool:
    """Return whether who comes can be drawn one after the other: from one place, at a steady rate, without products."""
    sites = scenario.recruiting_sites
    return len(sites) == 1 and gap_days(sites[0]) is not None and scenario.autologous is None


def queue_size(protocol: Protocol) -> int:
    """Return how many days' candidates can wait at once: those since whom patience has not ended."""
    if protocol.patience_days == NEVER:
        return 1  # who waits is not told apart
    most = max(1, min(protocol.patience_days, protocol.most_waiting, protocol.max_days + 1))
    return 1 << (most - 1).bit_length()  # a power of two: a ring of any other size takes a division to go round


def _paths(letters: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """Return dose paths as bytes, from their letters; after the last one there are zeros."""
    longest = max(1, int(np.count_nonzero(letters.any(axis=0))))
    return np.ascontiguousarray(letters[:, :longest]).view(f"S{longest}").ravel()
