"""The records of one trial, replayed event by event: what held just before each of them, and counts at that moment.

Read with the scenario's keys, and nothing else of `escalate` but what its rules say to counts (`Story.keeps_back`):
`promises` holds trials against their protocol with it, `recount` counts what many trials keep of one. Which days are
open, and which gates, says `replay_gates`.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from scipy.stats import beta

from escalate import Trial
from escalate.committee.committee import Committee
from escalate.words.data_cut import Counts
from replay_gates import GATES, OF_UNIT, Days, Gates

OUTCOMES, DATA_CUT, COMMITTEE, CANDIDATES, CONSENTS, INFUSIONS, LYMPHODEPLETION, EVENING, END = range(9)
"""The phases of a day; consents have one of their own, at the end of that of candidates, where they reserve places."""
CLOSED_LEVEL = "withheld: the committee has closed this dose level"
NEVER = 10**9
OF_OUTCOMES = ("DLT", "late toxicity", "window completed", "drop-out", "follow-up completed")
COMPLETE = ("cohort complete", "nothing outstanding")
LEAVING = ("withdrew", "no place", "turned away", "screen failure", "no product")
ASKED = {"candidate to consent": CONSENTS, "candidate ready": LYMPHODEPLETION}
"""Data cuts because a rolling rule is asked for a place, each with the phase in which that happens."""
CUTS = (*COMPLETE, "decision forced", *ASKED)
"""Events of data cuts that the committee decides on (an expansion's "cohort complete" is not one)."""
FOLLOWS = ("cohort opened", "enrolment closed", "turned away")
"""Events that follow from the one before them, in the same phase of the day; so does the closing of an expansion that
is not opened at all."""
BY_FOLLOW_UP = ("TITE-BOIN", "TITE-CRM")
ROLLING = ("rolling six", "IQ rolling six", *BY_FOLLOW_UP)
DECLARES_ITSELF = ("3+3", "rolling six", "IQ rolling six")
"""Rules that recommend nothing before they have finished, and by default decide early; so do tables with no target."""
WITH_A_MODEL = ("CRM", "TITE-CRM", "BLRM")
TIME_IS_UP = "max_days reached"
CAP_IS_FILLED = "the cap is filled: no place can open any more"
OF_CANDIDATES = (
    "site opened", "referred", "consent", "screen failure", "eligible", "screened again", "apheresis",
    "manufacture failed", "out of specification", "product ready", "no product",
)  # fmt: skip
"""Events of candidates in their own phase; who has waited too long withdraws in it, too."""
NOT_CONSENTED = "not consented"
PATIENCE_OVER = ("no place within", "no treatment within")
PART_OF_DOSE = "less than the full dose"
STATES = {"F": "screen failure", "n": "no product", "D": "withdrew waiting", "P": "no place", "A": "turned away",
          "X": "not infused", "f": "completed", "d": "dropped out"}  # fmt: skip
LETTERS = {
    "referred": "R", "consent": "C", "screen failure": "F", "eligible": "E", "screened again": "S", "apheresis": "B",
    "manufacture failed": "m", "out of specification": "o", "product ready": "r", "no product": "n",
    "notice given": "g", "waits": "W", "withdrew": "D", "no place": "P",
    "turned away": "A", "lymphodepletion": "L", "infusion": "I", "not infused": "X", "DLT": "T", "late toxicity": "t",
    "infusion withheld": "h", "window completed": "w", "drop-out": "d", "follow-up completed": "f",
}  # fmt: skip


class Event(NamedTuple):
    """One event of the log; `phase` is when on its day it must have happened, by what it is."""

    number: int
    day: int
    phase: int
    what: str
    candidate: int | None
    patient: int | None
    cohort: int | None
    level: int | None
    detail: str | None

    def __str__(self) -> str:
        who = "" if self.candidate is None else f" of candidate {self.candidate}"
        return f"{self.what}{who} on day {self.day}"


class Before(NamedTuple):
    """What held just before an event; levels count from 1, 0 is none, and `permitted` is None where the rule alone
    knows."""

    open: int | None = None
    """The cohort whose places may be given, or, where it is `held`, whose outcomes alone are awaited."""
    held: bool = False
    deciding: int | None = None
    """The cohort that a decision is outstanding on."""
    permitted: int | None = 0
    closed: bool = False
    concluding: bool = False
    places: int = 0
    decided: int = -1
    """Number of the last decision's event."""
    decisions: int = 0

    @property
    def last(self) -> int | None:
        """The cohort in which places are held, if some are: the open one, or the one that a decision is due on."""
        return self.deciding if self.open is None else self.open


@dataclass
class Person:
    """One candidate: the row of the patients' table, the events, and by their numbers when what happened."""

    row: dict[str, Any]
    events: list[Event] = field(default_factory=list)
    consented: int = NEVER
    place: tuple[int, int] = (NEVER, NEVER)
    """From when to when the person held a place of a cohort before treatment, reserved at consent."""
    line: list[tuple[int, int]] = field(default_factory=list)
    """From when to when the person stood in the line for places, each time."""
    told: list[tuple[int, int]] = field(default_factory=list)
    """From when to when the person waited, as told, in the line or on the list of those who have not consented."""
    start: int = NEVER
    infused: int = NEVER
    refused: int = NEVER
    told_off: int = NEVER
    """Between lymphodepletion and infusion when the level was closed: there will be none, whatever follows."""
    settled: int = NEVER
    outcome: str | None = None
    gone: int = NEVER
    """Left the waiting list, or the trial."""
    planned_day: int = NEVER
    placeless: bool = False
    """Gave the place back with the infusion, of less than the full dose."""
    reduced: bool = False
    odd_dose: bool = False
    """An infusion is told that is neither the full dose nor the part of it."""

    @property
    def candidate(self) -> int:
        return self.row["candidate"]

    @property
    def patient(self) -> int | None:
        return self.row["patient"]

    @property
    def cohort(self) -> int | None:
        return self.row["cohort"]

    @property
    def level(self) -> int:
        return self.row["level"] or 0

    def all(self, what: str) -> list[Event]:
        return [event for event in self.events if event.what == what]

    def on_the_way(self, k: int) -> bool:
        return self.start < k <= min(self.infused, self.refused)

    def pending(self, k: int) -> bool:
        return self.infused < k <= self.settled

    def has(self, k: int, outcome: str) -> bool:
        return self.settled < k and self.outcome == outcome

    def evaluable(self, k: int) -> bool:
        return self.settled < k and self.outcome in ("DLT", "no DLT")

    def waits(self, k: int) -> bool:
        """Whether the person stands in the line for places."""
        return any(since < k <= until for since, until in self.line)

    def asked(self, k: int) -> int:
        """When the person asked for a place the last time."""
        return max(since for since, _ in self.line if since < k)

    def waits_as_told(self, k: int) -> bool:
        return any(since < k <= until for since, until in self.told)

    def is_here(self, k: int) -> bool:
        """Whether the person has come, and has no place yet."""
        return self.events[0].number < k <= min(self.start, self.gone)

    def asks(self, k: int) -> bool:
        """Whether the person has consented, and has no place yet."""
        return self.consented < k <= min(self.start, self.gone)

    def holds(self, k: int) -> bool:
        """Whether a place is reserved for the person, who is not treated yet."""
        return self.place[0] < k <= self.place[1]

    def asks_without(self, k: int) -> bool:
        """Whether the person has consented, and neither has nor holds a place."""
        return self.asks(k) and not self.holds(k)

    @property
    def state(self) -> str:
        """The state that the person ended in, by the events."""
        if self.consented == NEVER:
            return NOT_CONSENTED
        return STATES.get(LETTERS[self.events[-1].what], "cut off")


class Story:
    """The records of a trial, replayed.

    Parameters
    ----------
    trial : Trial
        Its scenario and its four tables are read.
    """

    def __init__(self, trial: Trial) -> None:
        self.trial, self.s = trial, trial.scenario
        s = self.s
        self.calendar = Days(s)
        self.schedule = self.calendar.schedule
        is_table = s.rule.name == "table"
        self.rolling = s.rule.name in ROLLING or (is_table and any("+" in line for line in s.rule.decisions))
        self.declares_itself = s.rule.name in DECLARES_ITSELF or (is_table and s.rule.target is None)
        self.cap, self.replaces = s.trial.planned_patients, s.safety.replace_non_evaluable
        self.counts_infused = s.trial.cap_counts == "infused"
        self.reserves = s.treatment.place_reserved == "at_consent"
        names = ("candidate", "patient", "cohort", "level", "detail", "event", "day")
        log = [dict(zip(names, row, strict=True)) for row in zip(*(trial.events[n] for n in names), strict=True)]
        self.rows = {
            name: _rows(table)
            for name, table in (
                ("patients", trial.patients),
                ("cohorts", trial.cohorts),
                ("decisions", trial.decisions),
            )
        }
        self.people = [Person(row) for row in self.rows["patients"]]
        self.cohorts = {row["cohort"]: row for row in self.rows["cohorts"]}
        self.decisions = self.rows["decisions"]
        self.events = [Event(phase=phase, number=k, what=e.pop("event"), **e) for k, (e, phase) in
                       enumerate(zip(log, self._phases(log), strict=True))]  # fmt: skip
        self._by_candidate = {person.candidate: person for person in self.people}
        for event in self.events:
            if event.candidate is not None:
                self.person(event).events.append(event)
        for person in self.people:
            self._read(person)
        self._read_reserved()
        self.patients = sorted((p for p in self.people if p.patient is not None), key=lambda p: p.start)
        self.by_cohort = {c: [p for p in self.patients if p.cohort == c] for c in self.cohorts}
        self.before = self._replay()
        self._tell_off()
        self.gates = Gates(self)

    # Reading

    def _phases(self, log: list[dict[str, Any]]) -> Iterator[int]:
        """Yield in which phase of its day each event happens, by what it is; what follows from another, with it."""
        seen: set[int] = set()
        infused_on: dict[int, int] = {}
        consented: set[int] = set()
        asked_day = consents_day = -1
        asked_phase = phase = OUTCOMES
        for event in log:
            what, who, day = event["event"], event["candidate"], event["day"]
            if what in OF_OUTCOMES:
                phase = EVENING if infused_on.get(who) == day else OUTCOMES
            elif what in (*COMPLETE, "decision forced") or (what == "expansion closed" and event["cohort"]):
                phase = DATA_CUT
            elif what == "decision":
                phase = asked_phase if asked_day == day else COMMITTEE
            elif what in OF_CANDIDATES or (what == "withdrew" and (event["detail"] or "").startswith(PATIENCE_OVER)):
                consented |= {who} if what == "consent" else set()
                consents_day = day if what == "consent" and self.reserves else consents_day
                phase = CONSENTS if consents_day == day else CANDIDATES
            elif what in ("waits", "no place", "withdrew") and who not in consented:
                phase = INFUSIONS
            elif what in ("infusion", "infusion withheld", "not infused"):
                phase = INFUSIONS if self.schedule(event["level"]).lead or who in seen else LYMPHODEPLETION
                seen.add(who)
                infused_on.setdefault(who, day)
            elif what == "trial ended":
                phase = END
            elif what in ASKED:
                phase = asked_phase = ASKED[what]
                asked_day = day
                consents_day = day if phase == CONSENTS else consents_day
            elif what not in (*FOLLOWS, "expansion closed"):
                phase = LYMPHODEPLETION
            yield phase

    def _read(self, person: Person) -> None:
        """Note when what happened to a person, and what the person counts as, by the events alone."""
        s, count = self.s, 0
        self._read_waits(person)
        for event in person.events:
            match event.what:
                case "consent":
                    person.consented = event.number
                case "lymphodepletion":
                    person.start = event.number
                case "not infused":
                    person.start = min(person.start, event.number)
                    person.refused = person.gone = event.number
                case "infusion":
                    if count == 0:
                        person.start, person.infused = min(person.start, event.number), event.number
                    self._read_dose(person, event, count)
                    count += 1
                case "DLT":
                    person.settled, person.outcome = event.number, "DLT"
                case "window completed":
                    full = not person.reduced and count == len(self.schedule(person.level).infusion_days)
                    person.settled, person.outcome = event.number, "no DLT" if full else "non-evaluable"
                case "drop-out" if person.infused < NEVER and person.settled == NEVER:
                    person.settled, person.outcome = event.number, "non-evaluable"
                case "withdrew" | "no place" | "turned away" | "screen failure" | "no product":
                    person.gone = event.number
        if person.outcome is None and person.infused < NEVER:
            person.outcome = "pending"
        if person.start < NEVER:
            person.planned_day = self.events[person.start].day + self.schedule(person.level).lead
        at_once = s.safety.replace_partial_dose == "at_once" and person.cohort is not None
        person.placeless = person.reduced and at_once and not self.gives_places_itself(person.cohort or 0)

    def _read_reserved(self) -> None:
        """Note who held a place: from a consent that is told so, until whoever holds it starts, or goes, or the cohort
        gives no places any more. Screening again is none of these."""
        gone = [e.number for e in self.all("cohort opened", "expansion closed", "enrolment closed")]
        for event, row in zip(self.all("decision"), self.decisions, strict=False):
            level, following = row["level"], row["next_level"]
            suspends = row["action"] == "suspend" and following >= level
            if row["action"] == "stop" or not (suspends or (self.rolling and following == level)):
                gone.append(event.number)
        for event in self.all("consent"):
            if self.reserves and event.detail is not None:
                p = self.person(event)
                until = min([number for number in gone if number > event.number], default=NEVER)
                p.place = event.number, min(until, p.start, p.gone)

    def _read_waits(self, person: Person) -> None:
        """Note when the person stood in the line, and when the person waited, as told."""
        asks_with = "eligible" if self.own_product is None else "product ready"
        asked: int | None = None
        waits: int | None = None
        for event in person.events:
            if event.what in ("consent", "screened again", "lymphodepletion", "infusion", "not infused", *LEAVING):
                person.line += [] if asked is None else [(asked, event.number)]
                person.told += [] if waits is None else [(waits, event.number)]
                asked = waits = None
            elif event.what == asks_with:
                asked, asks_with = event.number, "eligible"  # who has a product asks whenever screening is passed
                following = person.events[person.events.index(event) + 1 :]
                if following and (following[0].day, following[0].what) == (event.day, "screened again"):
                    asked = None  # the results had expired
            elif event.what == "waits":
                waits = event.number
        person.line += [] if asked is None else [(asked, NEVER)]
        person.told += [] if waits is None else [(waits, NEVER)]

    @property
    def own_product(self) -> Any:
        """The scenario's product that is made of patients' own cells, or none."""
        product = self.s.product
        return product if product is not None and product.kind == "autologous" else None

    def day_of(self, number: int) -> int:
        """The day of an event by its number; the last one for what has not happened."""
        return self.events[min(number, len(self.events) - 1)].day

    def waited(self, person: Person, k: int) -> int:
        """Days that a person has waited before an event, screening not counted."""
        return sum(self.day_of(min(until, k)) - self.day_of(since) for since, until in person.told if since < k)

    def line(self, k: int) -> list[Person]:
        """Who stands in the line just before an event, whose turn it is first: by the day of asking, then of coming."""
        here = [p for p in self.people if p.waits(k)]
        return sorted(here, key=lambda p: (self.day_of(p.asked(k)), p.candidate))

    def noticed_on(self, person: Person, k: int) -> int | None:
        """The day on which a person in the line was given notice that still holds just before an event."""
        void = max((e.number for e in self.events[:k] if e.what in CUTS), default=-1)
        since = max(void, person.asked(k))
        return next((e.day for e in person.all("notice given") if since < e.number < k), None)

    def free(self, k: int) -> int:
        """Places of the open cohort that could be given just before an event, and the cap leaves room for."""
        now = self.before[k]
        if now.open is None or now.held or now.concluding or now.permitted is None:
            return 0
        return max(min(self.vacant(k), self.room_now(k)), 0)

    def vacant(self, k: int) -> int:
        """Places of the open cohort that are neither taken nor held, whatever the cap leaves."""
        now = self.before[k]
        return 0 if now.open is None else now.places - self.taken(now.open, k) - self.held(k)

    def has_place(self, person: Person, k: int) -> bool:
        """Whether a person in the line needs nothing but open gates; a place reserved at a level to be left is none."""
        if not person.holds(k):
            return self.free(k) > 0
        if self.before[k].permitted is None or self.must_be_left(k) is not None:
            return False
        return self.room_now(k) + self.held(k) > 0

    def _read_dose(self, person: Person, event: Event, count: int) -> None:
        """Note whether an infusion is less than planned, by its detail."""
        share = self.schedule(person.level).shares[count]
        label = self.s.dose_levels[person.level - 1].label
        part = share * self.s.attrition.partial_dose_share
        full, less = ("" if share == 1 else f"{share:.0%} of ") + label, f"{part:.0%} of {label}"
        told = (event.detail or "").removesuffix(": the place is free")
        if full == less:  # rounded to the same words
            person.reduced = PART_OF_DOSE in (person.row["non_evaluable_reason"] or "")
        else:
            person.reduced = person.reduced or told == less
            person.odd_dose = person.odd_dose or told not in (full, less)

    def _replay(self) -> list[Before]:
        """Return what held before each event, and after the last."""
        now = Before(permitted=self.s.safety.start_level)
        found = []
        for event in self.events:
            found.append(now)
            match event.what:
                case "cohort opened":
                    places = int((event.detail or "").split(", ")[1].split()[0])
                    now = now._replace(open=event.cohort, held=False, deciding=None, places=places)
                case "expansion closed":
                    now = now._replace(open=None, permitted=(event.level or 1) - 1)
                case "decision":
                    now = self._decided(now, event)
                case "enrolment closed":
                    keeps = now.concluding or event.detail == CAP_IS_FILLED
                    now = now._replace(closed=True, open=now.open if keeps else None)
                case what if what in CUTS:
                    is_expansion = self.cohorts[event.cohort]["purpose"] == "expansion"
                    now = now._replace(open=None, deciding=None if is_expansion else event.cohort)
        return [*found, now]

    def _tell_off(self) -> None:
        """Note whose level was closed between lymphodepletion and infusion; where the rule alone knows, who says so."""
        for p in self.patients:
            for number, after in enumerate(self.before[1:]):
                closes = after.permitted is not None and after.permitted < p.level
                closes = closes or (after.permitted is None and p.row["not_infused_reason"] == CLOSED_LEVEL)
                if p.on_the_way(number) and closes:
                    p.told_off = number
                    break

    def _decided(self, now: Before, event: Event) -> Before:
        row = self.decisions[now.decisions]
        now = now._replace(deciding=None, held=False, decided=event.number, decisions=now.decisions + 1)
        if row["action"] == "suspend":
            return now._replace(open=row["cohort"], held=True, permitted=row["next_level"])
        if row["action"] == "stop":
            is_last = now.decisions == len(self.decisions) and self.trial.stop_reason != TIME_IS_UP
            if is_last:
                return now._replace(open=None, concluding=False, permitted=row["recommended_level"] or 0)
            return now._replace(open=row["cohort"], held=True, concluding=True, permitted=None)
        now = now._replace(permitted=row["next_level"])
        if self.rolling and row["next_level"] == row["level"]:
            taken = self.taken(row["cohort"], event.number + 1) + self.held(event.number + 1)
            return now._replace(open=row["cohort"], places=taken + row["next_patients"])
        return now

    def person(self, event: Event) -> Person:
        """Whom an event concerns."""
        return self._by_candidate[event.candidate or 0]

    # Counting, just before an event

    def gives_places_itself(self, cohort: int) -> bool:
        """Whether a rolling rule decides on the cohort's places."""
        return self.rolling and self.cohorts[cohort]["purpose"] == "escalation"

    def taken(self, cohort: int, k: int) -> int:
        """Places of the cohort that nobody else can have."""
        lost = self.gives_places_itself(cohort) or not self.replaces
        return sum(
            p.on_the_way(k)
            or (p.pending(k) and not p.placeless)
            or p.evaluable(k)
            or (lost and p.has(k, "non-evaluable"))
            for p in self.by_cohort[cohort]
        )

    def held(self, k: int, level: int | None = None) -> int:
        """Places reserved for candidates who are not treated yet; where a level is given, those at it."""
        held = sum(p.holds(k) for p in self.people) if self.reserves else 0
        opened = max(e.cohort for e in self.all("cohort opened") if e.number < k) if held else 0
        return held if level is None or not held or self.cohorts[opened]["level"] == level else 0

    def room(self, k: int, permitted: int) -> int:
        """What the cap leaves; who is on the way to a level above the permitted one gets nothing, and takes none.

        Places held at another level take none either.
        """
        if self.counts_infused:
            used = sum(p.infused < k for p in self.patients)
        else:
            used = sum(p.evaluable(k) or (p.pending(k) and not p.placeless) for p in self.patients)
        on_the_way = sum(p.on_the_way(k) and p.level <= permitted and p.told_off >= k for p in self.patients)
        return self.cap - used - on_the_way - self.held(k, permitted)

    def room_now(self, k: int) -> int:
        """What the cap leaves for whoever is given a place now, wherever places are held."""
        permitted = self.before[k].permitted or 0
        return self.room(k, permitted) + self.held(k, permitted) - self.held(k)

    def evaluable(self, level: int, k: int) -> int:
        return sum(p.level == level and p.evaluable(k) for p in self.patients)

    def dlts(self, level: int, k: int) -> int:
        return sum(p.level == level and p.has(k, "DLT") for p in self.patients)

    def pending(self, level: int, k: int) -> int:
        """Open windows at a level."""
        return sum(p.level == level and p.pending(k) for p in self.patients)

    def on_the_way(self, level: int, k: int) -> int:
        return sum(p.level == level and p.on_the_way(k) for p in self.patients)

    def treated(self, level: int, k: int) -> int:
        """Patients at a level that the rule hears of: a rolling one of the pending, of those on the way, and of places
        held, too."""
        more = self.pending(level, k) + self.on_the_way(level, k) + self.held(k, level) if self.rolling else 0
        return self.evaluable(level, k) + more

    def somebody_outstanding(self, k: int) -> bool:
        return any(p.on_the_way(k) or p.pending(k) for p in self.patients)

    def is_complete(self, k: int) -> bool:
        """Whether no outcome of the open cohort is awaited, and no place can be filled any more.

        While places are held a rolling rule is asked as soon as there is something new, and no other is.
        """
        now = self.before[k]
        assert now.open is not None
        if self.held(k) and not (self.gives_places_itself(now.open) and self.news_since(self.last_asked(k), k)):
            return False
        if self.gives_places_itself(now.open) or now.concluding:
            if self.somebody_outstanding(k):
                return False
        elif any(p.on_the_way(k) or p.pending(k) for p in self.by_cohort[now.open]):
            return False
        if now.held or self.vacant(k) <= 0:
            return True
        return now.permitted is not None and self.room_now(k) <= 0

    def is_too_toxic(self, level: int, k: int, probability: float | None) -> bool | None:
        """Whether P(DLT) at a level is too large, more likely than this; None where the rule alone can say."""
        if probability is None or probability == 1:
            return False
        if self.s.rule.name in WITH_A_MODEL:
            return None
        limit = self.s.stopping.too_toxic_above or getattr(self.s.rule, "target", None)
        n, y = self.evaluable(level, k), self.dlts(level, k)
        if limit is None:
            return None
        return n > 0 and bool(beta.sf(limit, 1 + y, 1 + n - y) > probability)

    def stagger_until(self, cohort: int, k: int) -> int:
        """The first day of the next first infusion in a cohort, whoever turns out to be the sentinel."""
        safety, first = self.s.safety, self.has_sentinel(cohort)
        until, earlier = 0, []
        for p in self.by_cohort[cohort]:
            if p.start >= k or p.refused < k:
                continue
            if first and not any(other.infused < k for other in earlier):
                until = max(until, p.planned_day + safety.sentinel_stagger_days)
            if earlier or not first:
                until = max(until, p.planned_day + safety.stagger_days)
            earlier.append(p)
        return until

    def has_sentinel(self, cohort: int) -> bool:
        level = self.cohorts[cohort]["level"]
        is_new = all(row["level"] != level for c, row in self.cohorts.items() if c < cohort)
        return is_new or self.s.safety.sentinel == "every_cohort"

    @cached_property
    def days(self) -> list[tuple[int, int]]:
        """Day and phase of each event."""
        return [(event.day, event.phase) for event in self.events]

    def at(self, day: int, phase: int) -> int:
        """The number of the first event not before a phase of a day."""
        return bisect_left(self.days, (day, phase))

    @cached_property
    def evenings(self) -> list[tuple[int, int]]:
        """The days at whose end somebody waits, with the number of the first event after it."""
        found = []
        for p in self.people:
            for since, until in p.line:
                days = range(self.day_of(since), self.day_of(until) + 1)
                found += [(day, k) for day in days if p.waits(k := self.at(day, EVENING))]
        return sorted(set(found))

    @cached_property
    def time_is_up(self) -> bool:
        """Whether the trial was ended on its last day."""
        return self.events[-1].detail == TIME_IS_UP

    def site_of(self, candidate: int) -> Any:
        """The scenario's site that a candidate is from, by the table; None where it names none."""
        return next((site for site in self.s.sites if site.name == self._by_candidate[candidate].row["site"]), None)

    def all(self, *what: str) -> list[Event]:
        return [event for event in self.events if event.what in what]

    @cached_property
    def final_decision(self) -> Event | None:
        """The committee's last decision, if it ended the escalation."""
        decided = self.all("decision")
        return decided[-1] if decided and self.trial.stop_reason != TIME_IS_UP else None

    def cut_of(self, decision: Event) -> Event | None:
        """The data cut that a decision is on: the one before it."""
        earlier = [e for e in self.events[: decision.number] if e.what in CUTS and e.cohort == decision.cohort]
        return earlier[-1] if earlier else None

    def must_be_left(self, k: int) -> int | None:
        """The level that a decision is due on which must leave it; None where no data cut came early."""
        cohort = self.before[k].deciding
        cut = next((e for e in reversed(self.events[:k]) if e.what in CUTS), None)
        if cohort is None or cut is None or cut.what != "decision forced":
            return None
        return int(self.cohorts[cohort]["level"])

    def news_since(self, first: int, k: int) -> bool:
        """Whether something that a rolling rule reads became known between two events: who held a place can leave."""
        given_back = (p.gone for p in self.people if p.gone == p.place[1] < NEVER)
        known = itertools.chain(given_back, *((p.settled, p.refused) for p in self.patients))
        return any(first < number < k for number in known)

    def last_asked(self, k: int) -> int:
        """The number of the last data cut, or decision, before an event."""
        return max((e.number for e in self.events[:k] if e.what in (*CUTS, "decision")), default=-1)

    def resumes_on(self, k: int) -> int:
        """The day on which everybody pending at the level has been observed for as long as a suspended rule asks."""
        decided = self.before[k].decided
        suspends = getattr(self.s.rule, "below_min_followup", "stay") == "suspend"
        share = self.s.rule.min_followup_share if suspends else 0.0
        level = self.cohorts[self.before[k].open or 0]["level"]
        window = self.schedule(level).window
        days = next(day for day in range(window + 1) if day >= share * window - 1e-9)
        k = decided + 1
        here = [p.planned_day for p in self.patients if p.level == level and (p.on_the_way(k) or p.pending(k))]
        here += [self.events[decided].day] * self.held(k, level)
        day = max(here) + days if here and days else NEVER
        return day if day > self.events[decided].day else NEVER

    def may_be_asked_again(self, day: int, k: int) -> bool:
        """Whether a rolling rule that suspends accrual can be asked: something is known, or for long enough."""
        return self.news_since(self.before[k].decided, k) or day >= self.resumes_on(k)

    @cached_property
    def committee(self) -> Committee:
        return Committee(self.s)

    def told_on(self, day: int, k: int) -> Counts:
        """What a rolling rule is told on a day of what is known just before an event."""
        rule, levels = self.committee.rule, range(1, self.s.levels + 1)
        level = self.cohorts[self.before[k].last or 0]["level"]
        decided = [(e, row) for e, row in zip(self.all("decision"), self.decisions, strict=False) if e.number < k]
        since = max((e.number for e, row in decided if row["action"] != "suspend"), default=-1)
        new = [p for p in self.patients if p.settled > since and p.evaluable(k)]
        counts = Counts(
            level - 1,
            tuple(self.evaluable(each, k) for each in levels),
            tuple(self.dlts(each, k) for each in levels),
            tuple(self.pending(each, k) + self.on_the_way(each, k) + self.held(k, each) for each in levels),
            open_levels=decided[-1][1].get("open_levels", self.s.levels) if decided else self.s.levels,
            last=(len(new), sum(p.outcome == "DLT" for p in new)) if rule.reads_last else (0, 0),
        )
        if not rule.reads_followup:
            return counts
        seen = [(level - 1, 0)] * self.held(k, level)
        seen += [(p.level - 1, 0) for p in self.patients if p.on_the_way(k)]
        seen += [(p.level - 1, day - self.day_of(p.infused)) for p in self.patients if p.pending(k)]
        known = [(p, self.day_of(p.settled) - self.day_of(p.infused)) for p in self.patients if p.settled < k]
        left = [(p.level - 1, after) for p, after in known if self.events[p.settled].what == "drop-out"]
        dlts = [(p.level - 1, after) for p, after in known if p.outcome == "DLT"] if rule.reads_dlt_days else []
        return counts._replace(
            seen=tuple(sorted(seen)),
            lost=tuple(sorted(left)),
            dlt_days=tuple(sorted(dlts, key=lambda one: (one[1], one[0]))),
            windows=tuple(self.schedule(each).window for each in levels),
        )

    def keeps_back(self, day: int, k: int) -> bool:
        """Whether a rolling rule, asked on a day, would leave the level, so that nobody starts in a reserved place."""
        last = self.before[k].last
        if not self.rolling or last is None or not self.gives_places_itself(last):
            return False
        told = self.told_on(day, k)
        freely = self.committee.decide(told, NEVER)
        decision = self.committee.decide(told, self.room(k, freely.level + 1))
        return self.committee.keeps_back(told, decision)

    def first_is_kept_back(self, day: int, k: int) -> bool:
        """Whether the first in line who has a place has a reserved one, and does not start in it."""
        first = next((p for p in self.line(k) if self.has_place(p, k)), None)
        return first is not None and first.holds(k) and self.keeps_back(day, k)

    def gates_before(self, day: int, k: int) -> tuple[str, ...]:
        """The gates between whoever waits and treatment; none where there is no place that could be given.

        Where a rolling rule has to be asked first, those on whose days it is.
        """
        line = self.line(k)
        if any(self.has_place(p, k) for p in line):
            return GATES
        return OF_UNIT if not all(p.holds(k) for p in line) and self.gives_more_when_asked(day, k) else ()

    def gives_more_when_asked(self, day: int, k: int) -> bool:
        """Whether a rolling rule is to be asked for a place: none is free, and there is something to be asked."""
        now = self.before[k]
        if now.open is None or now.concluding or now.permitted is None or self.room_now(k) <= 0:
            return False
        if not self.gives_places_itself(now.open) or (not now.held and self.vacant(k) > 0):
            return False
        return not now.held or self.may_be_asked_again(day, k)

    def waited_for(self, cohort: int, k: int) -> str:
        """The gate that a cohort's places wait for, as events call it."""
        told = (e.what for e in reversed(self.events[:k]) if e.cohort == cohort and e.what in GATES)
        return next(told, GATES[0])


def _rows(table: Any) -> list[dict[str, Any]]:
    names = [column.name for column in table.columns if not column.date_of]
    return [dict(zip(names, row, strict=True)) for row in zip(*(table[name] for name in names), strict=True)]
