"""What a protocol promises, held against the records of one trial: events, patients, cohorts, decisions, no more.

`broken(trial)` replays the log event by event and returns a sentence for every promise that the trial does not keep.
It shares with `escalate` the scenario's keys and the tables, and neither calendar, gates, committee nor rules; what
nature draws is not asked either, but for batches that fail: only whether what happened is what the records call it.

To add a promise, write a function that yields its breaches, under `@promise`: it is given the `Story`, which knows what
held just before each event (`story.before[k]` for the k-th) and counts patients at that moment (`taken`, `room`,
`evaluable`, ...). What only the rule can say is not asked: which dose comes next, and whether a decision is forced.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from scipy.stats import beta

from escalate import Trial
from recount import dose_path, last_cut, replaced
from replay import (
    BY_FOLLOW_UP,
    CANDIDATES,
    CAP_IS_FILLED,
    CLOSED_LEVEL,
    COMPLETE,
    CONSENTS,
    CUTS,
    DATA_CUT,
    END,
    INFUSIONS,
    LETTERS,
    LYMPHODEPLETION,
    NEVER,
    NOT_CONSENTED,
    PART_OF_DOSE,
    TIME_IS_UP,
    WITH_A_MODEL,
    Event,
    Person,
    Story,
)
from replay_gates import GATES, OF_UNIT

AFTER_A_DLT = "withheld: a DLT became known after lymphodepletion"
LEVEL_IS_LEFT = "withheld: the dose level must be left, and the committee is called"
LEFT_EARLY = "left before the end of the DLT window"
CAP, CAP_INCONCLUSIVE = "cap reached", "cap reached, inconclusive"
LEVEL_FULL = "the most patients at one level are treated at it"
TOO_TOXIC = "stopping rule: lowest dose level too toxic"
ENOUGH = "stopping rule: enough patients at one level"
PRECISE = "stopping rule: P(DLT) is known precisely enough"
MOST = "stopping rule: most patients treated"
STUCK = "the rule suspends, and nobody is pending"
ON_THE_DATA = (CAP, LEVEL_FULL, ENOUGH, PRECISE, MOST, STUCK)
"""Reasons of stops that recommend from whatever data there are."""
OF_CANDIDATES = (
    "candidate", "site", "state", "consent_day", "screening_end_day", "failed_criterion", "waiting_days", "left_day",
)  # fmt: skip

Promise = Callable[[Story], Iterator[str]]
PROMISES: list[Promise] = []


def promise(function: Promise) -> Promise:
    """Put a promise on the list."""
    PROMISES.append(function)
    return function


def broken(trial: Trial, promises: list[Promise] | None = None) -> list[str]:
    """Return what a trial does not keep, a sentence for each breach, with the name of its promise before it."""
    story = Story(trial)
    kept = PROMISES if promises is None else promises
    return [f"{one.__name__}: {breach}" for one in kept for breach in one(story)]


# The day


@promise
def a_day_has_its_order(story: Story) -> Iterator[str]:
    """Days in order, within a day the phases, within a phase patients as they were enrolled, the closing of enrolment,
    candidates as they came, but where one thing brings another; the log begins and ends well."""
    for one, other in itertools.pairwise(story.events):
        if (one.day, one.phase) > (other.day, other.phase):
            yield f"{one} stands before {other}"
        in_order = one.phase in (CONSENTS, LYMPHODEPLETION) or _order(one) <= _order(other)
        if (one.day, one.phase) == (other.day, other.phase) and not in_order:
            yield f"{one} stands before {other}, in the same phase"
    first, last = story.events[0], story.events[-1]
    if (first.what, first.day) != ("cohort opened", 0):
        yield f"it begins with {first}"
    if last.what != "trial ended" or story.all("trial ended") != [last]:
        yield f"it ends with {last}"


def _order(event: Event) -> tuple[int, int]:
    if event.candidate is None:
        return (2, 0) if event.what == "enrolment closed" else (0, 0)
    return (1, event.patient) if event.patient is not None else (3, event.candidate)


@promise
def every_event_names_whom_it_concerns(story: Story) -> Iterator[str]:
    """A patient has a number, a cohort and a level from the start of treatment on, and not before."""
    for p in story.people:
        for event in p.events:
            named = (event.patient, event.cohort, event.level)
            enrolled = (p.patient, p.cohort, p.row["level"])
            if named != (enrolled if event.number >= p.start else (None, None, None)):
                yield f"{event} names patient, cohort and level {named}, the table {enrolled}"
        if p.start == NEVER:
            rest = {name: cell for name, cell in p.row.items() if cell is not None and name not in OF_CANDIDATES}
            if rest:
                yield f"candidate {p.candidate} was never treated, and has {rest}"
    for event in story.events:
        if event.candidate is None and event.patient is not None:
            yield f"{event} names patient {event.patient}"
        if event.what in ("enrolment closed", "trial ended") and (event.cohort, event.level) != (None, None):
            yield f"{event} names a cohort, or a level"
        if event.candidate is not None and event.what not in LETTERS:
            yield f"{event} concerns nobody"


@promise
def what_is_told_is_so(story: Story) -> Iterator[str]:
    """Details of events: why there is no place, and when there will be one; what an outcome means."""
    for event in story.events:
        match event.what:
            case "waits" | "no place":
                right = _why_no_place(story, event)
            case "withdrew":
                days = story.s.accrual.patience_days
                what = "treatment" if story.person(event).holds(event.number) else "place"
                right = [f"no {what} within {days} day{'' if days == 1 else 's'}"]
                right = right if event.phase == CANDIDATES else _why_no_place(story, event)
            case "apheresis":
                before = sum(e.number < event.number for e in story.person(event).all("apheresis"))
                right = [f"attempt {before + 1}" if before else None]
            case "no product":
                right = ["no attempt is left"]
            case "window completed":
                less = story.person(event).outcome == "non-evaluable"
                right = ["less than the full dose: non-evaluable" if less else None]
            case "drop-out":
                inside = story.person(event).settled == event.number
                right = ["inside the DLT window: non-evaluable" if inside else None]
            case gate if gate in GATES:
                right = [_until(story, event)]
            case "trial ended":
                right = ["last follow-up completed", TIME_IS_UP]
            case "site opened":
                right = [site.name for site in story.s.sites]
            case "consent":
                right = [_place_at_consent(story, event)]
            case "referred" | "screened again" | "manufacture failed" | "out of specification" | "product ready":
                right = [None]
            case "notice given" | "eligible" | "turned away" | "lymphodepletion" | "DLT" | "late toxicity":
                right = [None]
            case "follow-up completed":
                right = [None]
            case _:
                continue
        if event.detail not in right:
            yield f"{event}: {event.detail!r}, should be {right}"


def _place_at_consent(story: Story, event: Event) -> str | None:
    """What is told of who consents: a place of the cohort is the candidate's, where one is free."""
    holds = story.reserves and story.free(event.number) > 0
    return f"a place of cohort {story.before[event.number].open} is reserved" if holds else None


def _until(story: Story, event: Event) -> str:
    day = story.gates.lets_from(event.what, event.day, event.cohort or 0, event.number)
    why = ", ".join(story.calendar.reasons(event.day, event.level or 0)) if event.what == "closure" else ""
    return f"until {story.calendar.date(day)}" + (f": {why}" if why else "")


def _why_no_place(story: Story, event: Event) -> list[str | None]:
    k, now = event.number, story.before[event.number]
    if k < story.person(event).consented:
        return ["nobody is screened before there is a place to be screened for"]
    if now.last is None or not story.has_place(story.person(event), k):
        return _why_none_is_free(story, k, story.person(event).holds(k))
    day = story.gates.opens_on(event.day, now.last, k)
    if day == event.day and story.person(event).holds(k):  # and is kept back, by a rule that would leave the level
        return ["a decision is outstanding"]
    level = story.cohorts[now.last]["level"]
    why = ", ".join(story.calendar.reasons(day - 1, level)) if day > event.day else ""
    told, words = f" ({why})" if why else "", ("infusion", "dose")
    if day > story.s.trial.max_days:
        no = (f"no {word} is possible before the trial's time is up" for word in words)
        return [each + closed for each in no for closed in ("", told)]  # which closure lies behind it is not promised
    on = story.calendar.date(day + story.schedule(level).lead)
    return [f"the next {word} is possible on {on}{told}" for word in words]


def _why_none_is_free(story: Story, k: int, holds: bool) -> list[str | None]:
    now = story.before[k]
    if now.open is None:
        return ["a decision is outstanding"]
    if now.held and not holds:
        return [f"the rule waits for {what}: accrual is suspended" for what in ("outcomes", "follow-up")]
    if now.permitted is None or story.room_now(k) <= 0:
        return ["the cap leaves no room"]
    return ["every place of the cohort is taken"]


# Candidates


@promise
def candidates_come_as_assumed(story: Story) -> Iterator[str]:
    """Numbered as they come; none in a pause or closure, none after closing; fixed days are those given, put off."""
    came = [p.events[0] for p in sorted(story.people, key=lambda p: p.events[0].number)]
    if [e.candidate for e in came] != list(range(1, len(story.people) + 1)):
        yield "candidates are not numbered in order of coming"
    first = "consent" if story.s.screening.while_closed == "goes_on" else "referred"
    yield from (f"{event} comes first" for event in came if event.what != first)
    closed = story.all("enrolment closed")
    for event in [*came, *story.all("consent")]:
        if story.before[event.number].closed:
            yield f"{event}, when enrolment was closed"
    until = (closed[0].day, closed[0].phase) if closed else (story.trial.duration_days, END)
    for name, where in _places(story).items():
        days = [e.day for e in came if name is None or story.person(e).row["site"] == name]
        yield from _come_as_assumed(story, name, where, days, until)


def _places(story: Story) -> dict[str | None, Any]:
    """What says how candidates come, by the name of the site; the accrual, without a name, where there are no sites."""
    return {site.name: site for site in story.s.sites} or {None: story.s.accrual}


def _come_as_assumed(
    story: Story, name: str | None, where: Any, days: list[int], until: tuple[int, int]
) -> Iterator[str]:
    start = story.s.trial.start_date
    given = getattr(where, "consent_days", None)
    if given is not None:
        put_off = (story.calendar.opens_at(name, "consent", day) for day in given)
        wanted = [day for day in put_off if (day, CANDIDATES) < until]
        if days != wanted:
            yield f"consents on {days}, given are {wanted}"
    else:
        for pause in where.pauses:
            span = range((pause.first_day - start).days, (pause.last_day - start).days + 1)
            yield from (f"a consent on day {day}, in a pause" for day in days if day in span)
        steps = [((rate.from_date - start).days, rate.consents_per_month) for rate in where.rates]
        for day in days:
            rate = [where.consents_per_month, *(rate for since, rate in steps if since <= day)][-1]
            if rate == 0:
                yield f"a consent on day {day}, when nobody comes"
    opens = getattr(where, "opens", None) or start
    yield from (f"a consent on day {day}, before the opening" for day in days if day < (opens - start).days)
    for day in days:
        if story.calendar.rests_at(name, "consent", day):
            yield f"a consent on day {day}, in a closure"


@promise
def sites_open_as_they_should(story: Story) -> Iterator[str]:
    """Each is told on its day, unless enrolment has closed, or the time is up; candidates and events name theirs."""
    closed = story.all("enrolment closed")
    until = (closed[0].day, closed[0].phase) if closed else (story.trial.duration_days, END)
    start = story.s.trial.start_date
    days = [(((site.opens or start) - start).days, site.name) for site in story.s.sites]
    wanted = [(day, name) for day, name in sorted(days, key=lambda each: each[0]) if (day, CANDIDATES) < until]
    told = [(event.day, event.detail) for event in story.all("site opened")]
    if told != wanted:
        yield f"sites opened {told}, should be {wanted}"
    if ("site" in story.trial.events.names, "site" in story.trial.patients.names) != (bool(story.s.sites),) * 2:
        yield "the tables name sites, or do not"
    elif story.s.sites:
        for event, name in zip(story.events, story.trial.events["site"], strict=True):
            of_person = None if event.candidate is None else story.person(event).row["site"]
            right = event.detail if event.what == "site opened" else of_person
            if name != right:
                yield f"{event} names the site {name}, should be {right}"


@promise
def who_can_be_screened_for_a_place_consents(story: Story) -> Iterator[str]:
    """As many as there are places for, in order of coming, as soon as that is so; nobody on a day that is closed."""
    each = story.s.screening.candidates_per_place or NEVER
    for event in story.all("consent"):
        p = story.person(event)
        if story.calendar.rests_at(p.row.get("site"), "consent", event.day):
            yield f"{event}, which is closed for it"
        if p.row["consent_day"] != event.day:
            yield f"candidate {p.candidate} has a wrong consent_day"
    yield from (
        f"candidate {p.candidate} has a consent_day, and never consented"
        for p in story.people
        if p.consented == NEVER and p.row["consent_day"] is not None
    )
    if story.s.screening.while_closed == "goes_on" or story.reserves:
        return
    for day in range(story.trial.duration_days + 1):
        k = story.at(day, INFUSIONS)
        came = [e for e in story.events[story.at(day, CANDIDATES) : k] if e.what == "consent"]
        left = [p for p in story.people if p.is_here(k) and p.consented >= k]
        left = [p for p in left if not story.calendar.rests_at(p.row.get("site"), "consent", day)]
        if not came and not left:
            continue
        most = {places * each for places in _places_to_screen_for(story, day, k)}
        asking = sum(p.asks(k) for p in story.people)
        if came and asking > max(most):
            yield f"{asking} are screened on day {day} for {most}, and somebody has consented"
        if left and asking < min(most):
            yield f"{asking} are screened on day {day} for {most}, and candidate {left[0].candidate} does not consent"
        if came and left and min(p.candidate for p in left) < max(e.candidate or 0 for e in came):
            yield f"candidate {left[0].candidate} came before somebody who consents on day {day}"


@promise
def who_can_be_given_a_place_consents(story: Story) -> Iterator[str]:
    """Where places are reserved at consent: one after the other, in order of coming, while fewer have none than can
    get one; and nobody is left without who could have one, or for whom the rule could be asked."""
    if not story.reserves:
        return
    for event in story.all("consent"):
        k = event.number
        could = _could_consent(story, event.day, k)
        asking, most = sum(p.asks_without(k) for p in story.people), _places_to_consent_for(story, event.day, k)
        if could[:1] != [story.person(event)]:
            yield f"{event}, and it is the turn of {[p.candidate for p in could]}"
        if asking >= max(most):
            yield f"{event}: {asking} ask without a place for {most}"
    for day in range(story.trial.duration_days + 1):
        k = story.at(day, INFUSIONS)
        could = _could_consent(story, day, k)
        asking, least = sum(p.asks_without(k) for p in story.people), min(_places_to_consent_for(story, day, k))
        if could and asking < least:
            yield f"{asking} ask for {least} places on day {day}, and candidate {could[0].candidate} does not consent"
        if could and not asking and story.gives_more_when_asked(day, k):
            yield f"on day {day} candidate {could[0].candidate} could consent, and the rule is not asked"


def _could_consent(story: Story, day: int, k: int) -> list[Person]:
    """Who has come and may consent on a day, were there a place; in order of coming."""
    here = [p for p in story.people if p.is_here(k) and p.consented >= k]
    here = [p for p in here if not story.calendar.rests_at(p.row.get("site"), "consent", day)]
    return sorted(here, key=lambda p: p.events[0].number)


def _places_to_consent_for(story: Story, day: int, k: int) -> set[int]:
    """For how many places candidates consent who are to hold one, or ahead of the next cohort."""
    now = story.before[k]
    if now.concluding or now.permitted is None:
        return {0}
    if not now.held and story.vacant(k) > 0:
        return {story.free(k)}
    return {0} if now.open is not None and story.held(k) else _places_ahead(story, day, k)


def _places_to_screen_for(story: Story, day: int, k: int) -> set[int]:
    """For how many places candidates consent; more than one number where the log does not tell."""
    now = story.before[k]
    if now.concluding or now.permitted is None:
        return {0}
    room = max(story.room_now(k), 0)
    if now.open is not None and not now.held and story.taken(now.open, k) < now.places:
        return {min(now.places - story.taken(now.open, k), room)}
    is_asked = now.open is not None and story.gives_places_itself(now.open)
    if is_asked and (not now.held or story.may_be_asked_again(day, k)):
        return {min(1, room)}
    return _places_ahead(story, day, k)


def _places_ahead(story: Story, day: int, k: int) -> set[int]:
    """For how many places of the next cohort candidates consent before it is open."""
    now, size = story.before[k], story.s.safety.cohort_size
    room = max(story.room_now(k), 0)
    foreseen = _next_places(story, now.open, now.deciding, now.held, k)
    ahead = story.s.screening.opens_days_ahead
    held = story.held(k)  # who may need one of the next places
    return {min(size, room) - held if opens is not None and opens - day <= ahead else 0 for opens in foreseen}


def _next_places(story: Story, cohort: int | None, deciding: int | None, held: bool, k: int) -> set[int | None]:
    """The days on which the next places may be foreseen to open."""
    if deciding is not None:
        cut = [event for event in story.events[:k] if event.what in CUTS][-1]
        decided = next((e for e in story.events[k:] if e.what == "decision"), None)
        delay = story.s.safety.assignment_delay_days
        without_meeting = delay is not None and story.gives_places_itself(deciding) and cut.what != "decision forced"
        return {*_decision_days(story, cut, decided)} | ({cut.day + delay} if without_meeting else set())
    if cohort is None or held or story.cohorts[cohort]["purpose"] == "expansion":
        return {None}
    window = story.schedule(story.cohorts[cohort]["level"]).window
    ends = [p.planned_day + window for p in story.by_cohort[cohort] if p.on_the_way(k) or p.pending(k)]
    return {story.calendar.meeting(max(ends))} if ends else {None}


@promise
def screening_takes_its_days(story: Story) -> Iterator[str]:
    """The result comes so many days after consent, or on the next day not closed, for everybody still there; so it is
    whenever somebody is screened again."""
    for p in story.people:
        site = story.site_of(p.candidate)
        own = None if site is None else site.screening_days
        days = story.s.screening.days if own is None else own
        results = p.all("eligible") + p.all("screen failure")
        begun = [e for e in p.events if e.what in ("consent", "screened again")]
        for number, event in enumerate(begun):
            until = begun[number + 1].number if number + 1 < len(begun) else NEVER
            came = [e.day for e in results if event.number < e.number < until]
            due = story.calendar.opens_at(None if site is None else site.name, "screening", event.day + days)
            if len(came) > 1 or any(day != due for day in came):
                yield f"{event}: results on {came}"
            if not came and not p.all("turned away") and due <= story.trial.duration_days:
                yield f"candidate {p.candidate} got no result on day {due}"
        last = max((e.day for e in results), default=None)
        if p.row["screening_end_day"] != last:
            yield f"candidate {p.candidate} has a wrong screening_end_day"
        failed = p.all("screen failure")
        if p.row["failed_criterion"] != (failed[0].detail if failed else None):
            yield f"candidate {p.candidate} has a wrong failed_criterion"
        own_criteria = None if site is None else site.failure_probability
        criteria = story.s.screening.failure_probability if own_criteria is None else own_criteria
        if failed and failed[0].detail not in criteria:
            yield f"candidate {p.candidate} fails what is no criterion"


@promise
def results_hold_so_long(story: Story) -> Iterator[str]:
    """Who waits longer is screened again on the day after, and nobody before; so is who gets a product later."""
    valid = story.s.screening.valid_days
    for p in story.people:
        for event in p.all("screened again"):
            result = [e.day for e in p.all("eligible") if e.number < event.number][-1]
            stood = any(until == event.number for _, until in p.line)
            ready = any(e.day == event.day and e.number < event.number for e in p.all("product ready"))
            if valid is None or event.day <= result + valid or not (stood or ready):
                yield f"{event}, after the results of day {result}"
            elif stood and event.day != result + valid + 1:
                yield f"{event}: the results of day {result} held no longer before"
        for since, until in p.line if valid is not None else ():
            result = [e.day for e in p.all("eligible") if e.number <= since][-1]
            over = story.at(result + valid + 1, INFUSIONS)
            asked_late = story.day_of(since) > result + valid
            if asked_late or (result + valid < story.trial.duration_days and since < over <= until):
                yield f"candidate {p.candidate} waits with the results of day {result}"


@promise
def products_are_made_as_planned(story: Story) -> Iterator[str]:
    """Of who passes screening for the first time cells are taken at once; each attempt takes its days, and the next
    one begins on the day on which the last one has failed, as long as attempts are left."""
    own, made = story.own_product, ("product ready", "manufacture failed", "out of specification")
    for p in story.people:
        told = [e for e in p.events if e.what in (*made, "apheresis", "no product")]
        if own is None:
            yield from (f"{event}, where no product is made" for event in told)
            continue
        first = p.all("eligible")[:1]
        begun = [*first, *(e for e in told if e.what in made[1:])][: own.most_attempts]
        if [e.day for e in p.all("apheresis")] != [e.day for e in begun]:
            yield f"candidate {p.candidate}: cells are taken on {[e.day for e in p.all('apheresis')]}"
        due = [e.day + own.manufacture_days for e in p.all("apheresis")]
        there = [day for day in due if day <= story.trial.duration_days]
        came = [e.day for e in told if e.what in made]
        if came != there and not (p.all("turned away") and came == due[: len(came)]):
            yield f"candidate {p.candidate}: attempts come to something on days {came}, not {due}"
        if sum(e.what == "product ready" for e in told) > 1 or p.start < min((e.number for e in told), default=NEVER):
            yield f"candidate {p.candidate} has the products {[e.what for e in told]}"
        failed = sum(e.what in made[1:] for e in told)
        if bool(p.all("no product")) != (failed == own.most_attempts):
            yield f"candidate {p.candidate} has {failed} attempts that failed"


@promise
def everybody_has_one_way_and_one_state(story: Story) -> Iterator[str]:
    """What happens to a person happens in a possible order, and its end is the state and the day in the table."""
    for p in story.people:
        trail = "".join(LETTERS[event.what] for event in p.events)
        start = "L" if p.level and story.schedule(p.level).lead else ""
        if not _way(start, story.own_product is not None).fullmatch(trail):
            yield f"candidate {p.candidate} goes the way {trail}"
        if p.row["state"] != p.state:
            yield f"candidate {p.candidate} is {p.row['state']!r}, and was {p.state!r} in the end"
        is_cut_off = _is_cut_off(p)
        left = story.trial.duration_days if is_cut_off else p.events[-1].day
        if p.row["left_day"] != left:
            yield f"candidate {p.candidate} left on day {p.row['left_day']}, and was last seen on day {left}"
        if is_cut_off and not (story.time_is_up and left == story.s.trial.max_days):
            yield f"candidate {p.candidate} is cut off from a trial that was not"
        waited = story.waited(p, NEVER) if p.line or p.told else None
        if p.row["waiting_days"] != waited:
            yield f"candidate {p.candidate} waited {p.row['waiting_days']} days, by the events {waited}"


def _way(start: str, own_product: bool) -> re.Pattern[str]:
    """The ways that candidates can go, a letter for each event; notice can be given several times."""
    line = "g*W?g*"
    ends = f"(S[FA]?|P|D|A|{start}X|{start}I[IhTtw]*[df]?|{start})?"
    asks = f"{line}(SE{line})*{ends}"
    made = f"B([mo]B)*(A|[mo]n|r(S[FA]?|(SE)?{asks}))?"
    return re.compile(f"R(P|D|A|W[DA]?)?|(RW?)?C(F|A|E({made if own_product else asks}))?")


def _is_cut_off(p: Person) -> bool:
    return p.events[-1].what in ("referred", "waits") if p.state == NOT_CONSENTED else p.state == "cut off"


@promise
def without_a_place_they_wait_or_go(story: Story) -> Iterator[str]:
    """Who has no place on the day of asking waits, is lost, or withdraws at once, as the scenario says; so does who
    comes and can't be screened, where there is a list."""
    for p in story.people:
        came = p.events[0]
        if came.what == "referred":
            here = p.consented < NEVER and story.day_of(p.consented) == came.day
            yield from _wait_or_go(story, p, came, here)
        for since, until in p.line:
            has_place = until == p.start < NEVER and story.day_of(until) == story.day_of(since)
            yield from _wait_or_go(story, p, story.events[since], has_place)


def _wait_or_go(story: Story, p: Person, event: Event, has_place: bool) -> Iterator[str]:
    accrual, is_new = story.s.accrual, event.what == "referred"
    said = [e for e in p.events if e.what in ("waits", "no place", "withdrew", "turned away") and e.day == event.day]
    said = [e for e in said if e.number > event.number and (e.number < p.consented) == is_new]
    if said and said[0].what == "waits":
        said = said[:1]  # enrolment can close after that
    if len(said) != (not has_place):
        yield f"{event}, and then: {[e.what for e in said]}"
    for e in said:
        holds = p.holds(e.number)
        nobody_waits = accrual.without_place == "lost" and not holds
        nobody_waits = nobody_waits or (is_new and story.s.screening.while_closed == "waits")
        waiting = sum(o.waits_as_told(e.number) and not o.holds(e.number) for o in story.people)
        has_waited = any(since < event.number for since, _ in p.told)
        full = accrual.most_waiting is not None and waiting >= accrual.most_waiting and not has_waited and not holds
        patience = accrual.patience_days
        is_over = patience is not None and story.waited(p, e.number) >= patience
        allowed = {
            "waits": not nobody_waits and not full and not is_over,
            "no place": nobody_waits or full,
            "withdrew": not nobody_waits and not full and is_over,
        }
        if not allowed.get(e.what, True):
            yield f"{e}, with {waiting} waiting"


@promise
def nobody_waits_longer_than_patience_lasts(story: Story) -> Iterator[str]:
    """Who waits withdraws exactly when patience ends, and nobody before or after that; all waits count together."""
    patience = story.s.accrual.patience_days
    for p in story.people:
        left = p.all("withdrew")
        if patience is None:
            if left:
                yield f"candidate {p.candidate} withdrew, with all the time in the world"
            continue
        if left and story.waited(p, NEVER) != patience:
            yield f"candidate {p.candidate} withdrew after {story.waited(p, NEVER)} days"
        for since, until in p.told:
            ends = story.day_of(since) + patience - story.waited(p, since)
            over = story.at(ends, INFUSIONS)
            if ends <= story.trial.duration_days and since < over <= until:
                yield f"candidate {p.candidate} still waits after day {ends}"


@promise
def first_come_first_served(story: Story) -> Iterator[str]:
    """Nobody gets a place while somebody who asked before still waits, and could have it; enrolment numbers follow
    places."""
    if [p.patient for p in story.patients] != list(range(1, len(story.patients) + 1)):
        yield "patients are not numbered in order of treatment start"
    for p in story.patients:
        if not p.line:
            yield f"candidate {p.candidate} has a place, and never asked for one"
        elif p is not (first := _first(story, p.start)):
            yield f"candidate {p.candidate} has a place before candidate {first.candidate}, who waits"


def _first(story: Story, k: int) -> Person:
    """Whose turn it is: the first in line, or the first of those who have a place, where some hold theirs."""
    line = story.line(k)
    return next((p for p in line if story.has_place(p, k)), line[0])


@promise
def who_has_a_place_is_told_in_time(story: Story) -> Iterator[str]:
    """As many as there are places for, in their turn, and nobody else; treatment begins when the notice is over."""
    days = story.s.treatment.notice_days
    if not days:
        yield from (f"{event}, and none is needed" for event in story.all("notice given"))
        return
    for event in story.all("notice given"):
        k, p = event.number, story.person(event)
        line = story.line(k)
        if p not in line or line.index(p) >= story.free(k):
            yield f"{event}, with {story.free(k)} places free"
        elif story.noticed_on(p, k) is not None:
            yield f"{event}, who knows"
    for day, k in story.evenings:
        for p in story.line(k)[: story.free(k)]:
            if story.noticed_on(p, k) is None:
                yield f"candidate {p.candidate} has a place on day {day}, and is not told"
    for p in story.patients:
        told = story.noticed_on(p, p.start) if p.line else None
        if told is None or story.day_of(p.start) < told + days:
            yield f"patient {p.patient} starts on day {story.day_of(p.start)}, told on day {told}"


@promise
def nobody_waits_beside_an_open_place(story: Story) -> Iterator[str]:
    """Whoever waits at a day's end waits for something: a decision, a place, the cap, or a gate that is shut that day.

    With a rolling rule nobody waits for a decision that could have been asked for.
    """
    for day, k in story.evenings:
        cohort, gates = story.before[k].last, story.gates_before(day, k)
        if cohort is not None and gates and story.gates.shut(day, cohort, k, gates) is None:
            if story.before[k].deciding is not None and story.first_is_kept_back(day, k):
                continue
            lacks = "a place is open" if gates == GATES else "the rule is not asked"
            yield f"somebody waits on day {day}, and {lacks}"


@promise
def what_is_waited_for_is_written_down(story: Story) -> Iterator[str]:
    """The first gate that is shut, each day on which somebody waits for a free place; once, until it is another."""
    for day, k in story.evenings:
        cohort, gates = story.before[k].last, story.gates_before(day, k)
        shut = None if cohort is None else story.gates.shut(day, cohort, k, gates)
        if cohort is not None and shut not in (None, story.waited_for(cohort, k)):
            yield f"on day {day} {shut} is waited for, written down is {story.waited_for(cohort, k)}"
    for event in story.all(*GATES):
        k, cohort = event.number, event.cohort or 0
        if story.before[k].last != event.cohort or not any(p.waits(k) for p in story.people):
            yield f"{event}: nobody waits for cohort {cohort}"
        elif story.waited_for(cohort, k) == event.what:
            yield f"{event} is written down again"
        elif (shut := story.gates.shut(event.day, cohort, k, story.gates_before(event.day, k))) != event.what:
            yield f"{event}, and what is waited for is {shut}"
        if event.level != story.cohorts[cohort]["level"]:
            yield f"{event} is at level {event.level}, and the cohort is not"


# Treatment


@promise
def infusion_comes_so_many_days_after_lymphodepletion(story: Story) -> Iterator[str]:
    """On the very day; so is the day on which it turns out that there is none."""
    for p in story.patients:
        start = story.events[p.start].day
        if p.row["treatment_start_day"] != start:
            yield f"patient {p.patient} has a wrong treatment_start_day"
        for number in (p.infused, p.refused):
            if number < NEVER and story.events[number].day != p.planned_day:
                yield f"patient {p.patient} is lymphodepleted on day {start}: {story.events[number]}"
        if min(p.infused, p.refused) == NEVER and p.planned_day <= story.trial.duration_days:
            yield f"patient {p.patient} is neither infused nor not, on day {p.planned_day}"


def _is_withheld_later(story: Story, p: Person, day: int, told: list[int]) -> bool:
    """Whether a later infusion is withheld: the level is closed, or must be left; told, where the rule alone knows."""
    k = story.at(day, INFUSIONS)
    permitted = story.before[k].permitted
    closed = day in told if permitted is None else p.level > permitted
    withholds = story.s.safety.later_infusions_at_closed_level == "withhold"
    return withholds and (closed or story.must_be_left(k) == p.level)


@promise
def later_infusions_come_on_their_days(story: Story) -> Iterator[str]:
    """All of them, until a DLT or the end of observation; none on such a day or after it."""
    for p in story.patients:
        given = p.all("infusion")
        if not given:
            continue
        zero = given[0].day
        ends = [e.day for e in p.events if e.what in ("DLT", "late toxicity", "drop-out")]
        end = min(ends, default=NEVER)
        planned = [zero + day for day in story.schedule(p.level).infusion_days]
        wanted = [day for day in planned if day <= story.trial.duration_days and (day < end or day == zero)]
        withheld = [e.day for e in p.all("infusion withheld")]
        stop = next((day for day in wanted if day > zero and _is_withheld_later(story, p, day, withheld)), None)
        if withheld != ([] if stop is None else [stop]):
            yield f"patient {p.patient}: infusions are withheld on {withheld}, should be on {stop}"
        wanted = [day for day in wanted if stop is None or day < stop]
        if [e.day for e in given] != wanted:
            yield f"patient {p.patient} is infused on {[e.day for e in given]}, planned are {wanted}"
        told = p.row["infusion_day"], p.row["last_infusion_day"], p.row["infusions"]
        if told != (zero, given[-1].day, len(given)):
            yield f"patient {p.patient}: the table has infusions {told}"


@promise
def staggers_are_kept(story: Story) -> Iterator[str]:
    """Between the first infusions of a cohort; the first one infused is its sentinel."""
    safety = story.s.safety
    for cohort, people in story.by_cohort.items():
        infused = sorted((p for p in people if p.infused < NEVER), key=lambda p: p.infused)
        for number, p in enumerate(infused):
            if p.row["sentinel"] != ("no" if number else "yes"):
                yield f"patient {p.patient} is infused as number {number + 1} of cohort {cohort}"
        for number, (one, other) in enumerate(itertools.pairwise(infused)):
            is_sentinel = number == 0 and story.has_sentinel(cohort)
            stagger = safety.sentinel_stagger_days if is_sentinel else safety.stagger_days
            days = [story.events[p.infused].day for p in (one, other)]
            if days[1] - days[0] < stagger:
                yield f"patients {one.patient} and {other.patient} are infused on days {days}"


@promise
def nobody_starts_who_could_break_a_stagger(story: Story) -> Iterator[str]:
    """At each start of lymphodepletion, whoever of those before gets cells in the end, and becomes the sentinel."""
    for p in story.patients:
        until = story.stagger_until(p.cohort or 0, p.start)
        if p.planned_day < until:
            yield f"patient {p.patient} starts for day {p.planned_day}, and may be too early before day {until}"


@promise
def nobody_starts_lymphodepletion_in_a_stagger(story: Story) -> Iterator[str]:
    """Where it must not: it starts when the stagger is over, and the infusion comes as much later."""
    if story.s.safety.lymphodepletion_in_stagger:
        return
    for p in story.patients:
        until = story.stagger_until(p.cohort or 0, p.start)
        if story.events[p.start].day < until:
            yield f"patient {p.patient} starts on day {story.events[p.start].day}, and the stagger lasts to day {until}"


@promise
def nobody_starts_before_the_committee_has_looked(story: Story) -> Iterator[str]:
    """After the DLT of the sentinel nobody else of the cohort does, up to the meeting that looks at it."""
    for p in story.patients:
        day, until = story.events[p.start].day, story.gates.review_day(p.cohort or 0, p.start)
        if day < until:
            yield f"patient {p.patient} starts on day {day}, and the sentinel's DLT is looked at on day {until}"


@promise
def every_treatment_has_its_dose(story: Story) -> Iterator[str]:
    """There is one in store when it begins, of those at the start and of the batches released that did not fail."""
    if not story.gates.has_store:
        return
    for p in story.patients:
        day, used = story.events[p.start].day, len(story.gates.treated(p.start)) + 1
        if used > (there := story.gates.released(day, day)):
            yield f"patient {p.patient} starts on day {day}: {used} doses are used of {there}"


@promise
def no_week_has_too_many_infusions(story: Story) -> Iterator[str]:
    """Booked or given, Monday to Sunday; who gets none at all leaves them to others from then on."""
    capacity = story.s.capacity
    if capacity is None or capacity.infusions_per_week is None:
        return
    given = Counter(story.gates.week(event.day) for event in story.all("infusion"))
    if given and max(given.values()) > capacity.infusions_per_week:
        yield f"infusions in the weeks: {dict(given)}"
    for p in story.patients:
        booked = story.gates.weeks_of(story.gates.treated(p.start + 1))
        if max(booked[week] for week in story.gates.weeks_of([p])) > capacity.infusions_per_week:
            yield f"patient {p.patient} starts, and {dict(booked)} infusions are booked by week"


@promise
def every_patient_has_a_bed(story: Story) -> Iterator[str]:
    """From the start of lymphodepletion to discharge, or to the day on which it is known that there is no infusion."""
    capacity = story.s.capacity
    if capacity is None or capacity.patients_at_once is None:
        return
    for p in story.patients:
        day = story.events[p.start].day
        count = story.gates.in_beds(day, p.start) + 1
        if count > capacity.patients_at_once:
            yield f"patient {p.patient} starts on day {day} as one of {count}"


@promise
def no_treatment_falls_on_a_closed_day(story: Story) -> Iterator[str]:
    """No day of lymphodepletion or of any infusion, given or not: a closure is known before."""
    for p in story.patients:
        for what, day in story.calendar.visits(story.events[p.start].day, p.level):
            if story.calendar.resting(what, day):
                yield f"patient {p.patient} is to have {what} on day {day}, which is closed for it"
    for event in story.all("infusion"):
        if story.calendar.resting("infusion", event.day):
            yield f"{event}, which is closed for it"


@promise
def treatment_falls_on_its_weekdays(story: Story) -> Iterator[str]:
    """Lymphodepletion starts on one of its, first and later infusions come on theirs."""
    treatment, weekday = story.s.treatment, story.calendar.weekday
    for p in story.patients:
        start = story.events[p.start].day
        allowed = [(p.planned_day, treatment.weekdays)]
        schedule = story.schedule(p.level)
        allowed += [(start, treatment.lymphodepletion_weekdays)] if schedule.lead else []
        later = [p.planned_day + day for day in schedule.infusion_days[1:]]
        allowed += [(day, treatment.later_infusion_weekdays) for day in later]
        for day, weekdays in allowed:
            if weekday(day) not in weekdays:
                yield f"patient {p.patient} is to be treated on day {day}, a {weekday(day)}"


@promise
def nobody_starts_without_an_open_place(story: Story) -> Iterator[str]:
    """Places are given in the cohort that is open, up to its places, and not while a decision is outstanding."""
    for p in story.patients:
        now = story.before[p.start]
        if now.closed and not now.concluding:
            yield f"patient {p.patient} starts after enrolment has closed"
        elif p.holds(p.start):
            may = now.permitted is None or now.permitted >= p.level
            is_left = story.must_be_left(p.start) is not None or story.keeps_back(story.day_of(p.start), p.start)
            if now.last != p.cohort or not may or is_left:
                yield f"patient {p.patient} starts in cohort {p.cohort}, and its reserved place is none to be given"
        elif now.open != p.cohort or now.held:
            why = "a decision is outstanding" if now.deciding else "no place is given"
            yield f"patient {p.patient} starts in cohort {p.cohort} on day {story.events[p.start].day}: {why}"
        elif story.vacant(p.start) <= 0:
            yield f"patient {p.patient} starts, and all {now.places} places of cohort {p.cohort} are taken"
        if p.cohort is not None and p.level != story.cohorts[p.cohort]["level"]:
            yield f"patient {p.patient} has another level than the cohort"


@promise
def nobody_is_beyond_the_cap(story: Story) -> Iterator[str]:
    """Nobody starts without room under it; in the end it holds, but for DLTs of those who gave their place back."""
    for p in story.patients:
        permitted = story.before[p.start].permitted
        own = story.held(p.start) if p.holds(p.start) else 0
        if permitted is not None and story.room_now(p.start) + own <= 0:
            yield f"patient {p.patient} starts, and the cap of {story.cap} leaves no room"
    if story.counts_infused:
        counted, beyond = sum(p.infused < NEVER for p in story.patients), 0
    else:
        counted = sum(p.outcome in ("DLT", "no DLT", "pending") for p in story.patients)
        beyond = sum(p.placeless and p.outcome in ("DLT", "pending") for p in story.patients)
    if counted > story.cap + beyond:
        yield f"{counted} patients count for a cap of {story.cap}"


@promise
def nobody_is_infused_above_the_permitted_level(story: Story) -> Iterator[str]:
    """Who is on the way to a level that has been closed gets no cells, and nobody else is withheld for that."""
    unknown: list[tuple[bool, int]] = []
    for p in story.patients:
        number = min(p.infused, p.refused)
        if number == NEVER:
            continue
        permitted, is_withheld = story.before[number].permitted, p.row["not_infused_reason"] == CLOSED_LEVEL
        if permitted is None:
            unknown.append((is_withheld, p.level))
        elif is_withheld != (p.told_off < number):
            yield f"patient {p.patient}: {story.events[number]} at level {p.level}, permitted is {permitted}"
    withheld, given = ([level for was, level in unknown if was == which] for which in (True, False))
    if withheld and given and min(withheld) <= max(given):
        yield "while the last outcomes are awaited, somebody is infused at a level at which somebody else is withheld"


@promise
def who_is_withheld(story: Story) -> Iterator[str]:
    """Those between lymphodepletion and infusion, where the protocol says so: when a DLT in a window becomes known, or
    when a decision is due that must leave the level."""
    policy = story.s.safety.dlt_after_lymphodepletion
    dlts = [event.number for event in story.all("DLT")]
    for p in story.patients:
        number = min(p.infused, p.refused)
        reason = p.row["not_infused_reason"]
        if (p.all("not infused")[0].detail if p.refused < NEVER else None) != reason:
            yield f"patient {p.patient} is not infused for another reason than the table's"
        wanted = None
        if policy == "withhold" and any(p.start < dlt < number for dlt in dlts):
            wanted = AFTER_A_DLT
        elif policy == "withhold_if_closed" and number < NEVER and story.must_be_left(number) == p.level:
            wanted = LEVEL_IS_LEFT
        told = reason if reason in (AFTER_A_DLT, LEVEL_IS_LEFT) else None
        if number < NEVER and reason != CLOSED_LEVEL and told != wanted:
            yield f"patient {p.patient}, due on day {p.planned_day}: {reason}, should be {wanted}"


@promise
def what_is_fixed_happens(story: Story) -> Iterator[str]:
    """Fates that the scenario fixes are those of the patients."""
    fixed = {item.patient: item for item in story.s.what_if}
    for p in story.patients:
        item = fixed.get(p.patient)
        if item is None:
            continue
        withheld = p.row["not_infused_reason"] in (CLOSED_LEVEL, AFTER_A_DLT, LEVEL_IS_LEFT)
        is_known = min(p.infused, p.refused) < NEVER and not withheld
        if is_known and item.infused is not None and item.infused != (p.infused < NEVER):
            yield f"patient {p.patient} is fixed: infused = {item.infused}"
        if p.infused == NEVER:
            continue
        zero = story.events[p.infused].day
        dlts = [e.day - zero for e in p.events if e.what in ("DLT", "late toxicity")]
        left = [e.day - zero for e in p.all("drop-out")]
        until = min(story.s.follow_up.days, story.trial.duration_days - zero, *left)
        if (item.dlt is False and dlts) or (
            item.dlt_day is not None and item.dlt_day <= until and dlts != [item.dlt_day]
        ):
            yield f"patient {p.patient} has DLTs after {dlts} days, and is fixed otherwise"
        if item.drop_out is False and left:
            yield f"patient {p.patient} leaves, and is to stay"
        day = item.drop_out_day
        if (
            day is not None
            and day < story.s.follow_up.days
            and day + zero <= story.trial.duration_days
            and left != [day]
        ):
            yield f"patient {p.patient} leaves after {left} days, fixed is {day}"
        if item.full_dose is not None and item.full_dose == p.reduced:
            yield f"patient {p.patient} is fixed: full_dose = {item.full_dose}"


# Outcomes


@promise
def windows_end_on_their_last_day(story: Story) -> Iterator[str]:
    """A DLT counts up to that day, itself included; without one the window is completed on it; later ones are late."""
    for p in story.patients:
        if p.infused == NEVER:
            continue
        end = story.events[p.infused].day + story.schedule(p.level).window
        if p.row["window_end_day"] != end:
            yield f"patient {p.patient} has a window up to day {p.row['window_end_day']}, it ends on day {end}"
        dlts, late = [e.day for e in p.all("DLT")], [e.day for e in p.all("late toxicity")]
        completed, left = [e.day for e in p.all("window completed")], [e.day for e in p.all("drop-out")]
        if len(dlts) + len(late) > 1 or any(day > end for day in dlts) or any(day <= end for day in late):
            yield f"patient {p.patient} has DLTs on {dlts} and late ones on {late}; the window ends on day {end}"
        if p.row["dlt_day"] != next(iter(dlts + late), None):
            yield f"patient {p.patient} has a wrong dlt_day"
        is_observed = min([story.trial.duration_days, *left]) >= end
        if completed != ([end] if is_observed and not dlts else []):
            yield f"patient {p.patient} completes the window on {completed}, it ends on day {end}"


@promise
def follow_up_ends_on_its_last_day(story: Story) -> Iterator[str]:
    """Everybody infused is followed to that day or drops out before, and is seen no more afterwards."""
    for p in story.patients:
        if p.infused == NEVER:
            continue
        end = story.events[p.infused].day + story.s.follow_up.days
        done, left = [e.day for e in p.all("follow-up completed")], [e.day for e in p.all("drop-out")]
        if any(day >= end for day in left):
            yield f"patient {p.patient} drops out on {left}, follow-up ends on day {end}"
        if done != ([end] if not left and end <= story.trial.duration_days else []):
            yield f"patient {p.patient} completes follow-up on {done}, it ends on day {end}"


@promise
def outcomes_are_what_happened(story: Story) -> Iterator[str]:
    """Evaluable is who had a DLT in the window, or completed it with the full dose; nobody else is."""
    for p in story.patients:
        day = story.events[p.settled].day if p.settled < NEVER else None
        if (p.row["outcome"], p.row["outcome_day"]) != (p.outcome, day):
            yield f"patient {p.patient} is {p.row['outcome']} on {p.row['outcome_day']}, was {p.outcome} on day {day}"
        why = None
        if p.outcome == "non-evaluable":
            why = LEFT_EARLY if story.events[p.settled].what == "drop-out" else PART_OF_DOSE
        if p.row["non_evaluable_reason"] != why:
            yield f"patient {p.patient} is not evaluable because {p.row['non_evaluable_reason']}, was {why}"
        if p.odd_dose:
            yield f"patient {p.patient} gets {[e.detail for e in p.all('infusion')]}"


@promise
def places_are_given_back_as_promised(story: Story) -> Iterator[str]:
    """By who is not infused at once, by the non-evaluable where they are replaced, by nobody else."""
    for p in story.patients:
        free = None
        if p.refused < NEVER:
            free = story.events[p.refused].day
        elif p.placeless:
            free = story.events[p.infused].day
        elif p.outcome == "non-evaluable" and story.replaces:
            free = story.events[p.settled].day
        if p.row["place_free_day"] != free:
            yield f"patient {p.patient} gives the place back on day {p.row['place_free_day']}, should on {free}"
        told = (p.all("infusion") or [None])[0]
        if told and (told.detail or "").endswith(": the place is free") != p.placeless:
            yield f"patient {p.patient}: {told.detail}"


@promise
def amounts_are_what_was_given(story: Story) -> Iterator[str]:
    """Cells by share and level, lymphodepletion by body surface area."""
    every_agent = {agent.agent for level in range(1, story.s.levels + 1) for agent in story.schedule(level).agents}
    for p in story.patients:
        dose, schedule = story.s.dose_levels[p.level - 1], story.schedule(p.level)
        if p.row["dose"] != dose.label:
            yield f"patient {p.patient} has the dose {p.row['dose']}"
        part = story.s.attrition.partial_dose_share if p.reduced else 1.0
        cells = None if dose.cells is None else sum(schedule.shares[: len(p.all("infusion"))]) * part * dose.cells
        told = p.row["cells_given"]
        if (cells is None) != (told is None) or (cells is not None and abs(cells - told) > 1e-12 * dose.cells):
            yield f"patient {p.patient} got {told} cells, by the events {cells}"
        area = p.row["body_surface_area_m2"]
        per_m2 = dict.fromkeys(every_agent, 0.0) | {a.agent: a.mg_per_m2 * len(a.days) for a in schedule.agents}
        for agent, dose_per_m2 in per_m2.items():
            amount = None if area is None else round(dose_per_m2 * area, 1)
            if p.row[f"{agent}_mg"] != amount:
                yield f"patient {p.patient} got {p.row[f'{agent}_mg']} mg of {agent}, not {amount}"


# Data cuts and decisions


@promise
def data_cuts_have_a_reason(story: Story) -> Iterator[str]:
    """Complete: nobody is awaited, no place can be filled. Forced: early, and where that is allowed. Ready: somebody
    waits whom the rule alone can give a place. To consent: somebody could whom the rule alone can give one."""
    said = story.s.safety.early_decision
    early = said if said is not None else story.declares_itself
    for event in story.all(*CUTS, "expansion closed"):
        k, now = event.number, story.before[event.number]
        if event.cohort is None:
            continue
        if now.open != event.cohort:
            yield f"{event}: cohort {event.cohort} is not open"
            continue
        is_expansion = story.cohorts[event.cohort]["purpose"] == "expansion"
        if (event.what == "nothing outstanding") != story.gives_places_itself(event.cohort) and event.what in COMPLETE:
            yield f"{event}, of a cohort of the other kind"
        if event.what in COMPLETE and not story.is_complete(k):
            yield f"{event}: it is not complete"
        if event.what == "expansion closed" and not is_expansion:
            yield f"{event}: it is none"
        if event.what == "decision forced":
            if not early or is_expansion or now.concluding:
                yield f"{event}, where no decision comes early"
            if story.is_complete(k):
                yield f"{event}: the cohort is complete"
        if event.what == "candidate ready":
            yield from _not_ready(story, event)
        if event.what == "candidate to consent":
            yield from _not_to_consent(story, event)


def _not_ready(story: Story, event: Event) -> Iterator[str]:
    k, now = event.number, story.before[event.number]
    if not story.gives_places_itself(event.cohort or 0) or now.concluding:
        yield f"{event}: nobody gives places for candidates"
    elif story.first_is_kept_back(event.day, k):
        if story.gates.shut(event.day, event.cohort or 0, k, GATES):
            yield f"{event}: nobody would start today"
    elif not any(p.waits(k) and not p.holds(k) for p in story.people):
        yield f"{event}: nobody waits"
    elif story.gates.shut(event.day, event.cohort or 0, k, OF_UNIT):
        yield f"{event}: no place could be given today"
    elif story.room_now(k) <= 0:
        yield f"{event}: the cap leaves no room"
    elif not now.held and story.vacant(k) > 0:
        yield f"{event}: a place is free"
    elif now.held and not story.may_be_asked_again(event.day, k):
        yield f"{event}: accrual is suspended, and nothing has become known"


def _not_to_consent(story: Story, event: Event) -> Iterator[str]:
    k = event.number
    if not story.reserves or not story.gives_more_when_asked(event.day, k):
        yield f"{event}: the rule is not asked for a place, or one is free, or can't be given"
    elif not (could := _could_consent(story, event.day, k)):
        yield f"{event}: nobody could consent today"
    elif any(p.asks_without(k) for p in story.people):
        yield f"{event}: somebody asks who holds no place"
    elif min(_places_to_consent_for(story, event.day, k)) > 0:
        yield f"{event}: candidate {could[0].candidate} can consent anyhow"


@promise
def data_cuts_come_when_they_can(story: Story) -> Iterator[str]:
    """No day passes between the last outcome that was awaited and the data cut."""
    looked = sorted({day for event in story.events for day in (event.day, event.day + 1)})
    for day in looked:
        k = story.at(day, DATA_CUT)
        now = story.before[k]
        if now.open is None or day > story.s.trial.max_days or not story.is_complete(k):
            continue
        if story.held(k) and not story.news_since(story.at(day - 1, DATA_CUT) - 1, k):
            continue  # somebody has taken the last place since: nothing to ask the rule
        following = story.events[min(k, len(story.events) - 1)]
        if following.day != day or following.what not in (*COMPLETE, "expansion closed"):
            yield f"cohort {now.open} is complete on day {day}, and what follows is {following}"
            return


@promise
def data_cuts_count_who_is_known(story: Story) -> Iterator[str]:
    """Evaluable, DLTs and pending of the cut are a recount; with a rolling rule, of what is known at the meeting."""
    for event, row in zip(story.all("decision"), story.decisions, strict=False):
        cut = story.cut_of(event)
        if cut is None:
            yield f"{event}: there is no data cut"
            continue
        k = event.number if story.rolling else cut.number
        levels = range(1, story.s.levels + 1)
        found = {
            "cohort": cut.cohort,
            "level": story.cohorts[cut.cohort]["level"],
            "data_cut_day": cut.day,
            "committee_day": event.day,
            "forced": "yes" if cut.what == "decision forced" else "no",
            "evaluable": story.evaluable(row["level"], k),
            "dlts": story.dlts(row["level"], k),
            "pending": story.pending(row["level"], k),
            "lymphodepleted": story.on_the_way(row["level"], k),
            "places_reserved": story.held(k, row["level"]) if story.reserves else None,
            "all_levels": " ".join(f"{story.dlts(level, k)}/{story.evaluable(level, k)}" for level in levels),
        }
        wrong = {name: (row.get(name), value) for name, value in found.items() if row.get(name) != value}
        if wrong:
            yield f"{event}: {wrong}"
    for event in story.all(*CUTS, "expansion closed"):
        level, k = event.level or 0, event.number
        n, way = story.evaluable(level, k), story.on_the_way(level, k)
        told = f"{story.dlts(level, k)} DLT in {n} patient{'' if n == 1 else 's'} at this level"
        if event.cohort and story.gives_places_itself(event.cohort):
            told += f", {story.pending(level, k)} pending" + (f", {way} lymphodepleted" if way else "")
            held = story.held(k, level)
            told += f", {held} place{'' if held == 1 else 's'} reserved" if held else ""
        if event.detail != told:
            yield f"{event}: {event.detail!r}, by the events {told!r}"


@promise
def the_committee_meets_on_its_day(story: Story) -> Iterator[str]:
    """The first meeting from so many days after the cut on, an urgent one where it came early; a rolling rule's next
    places take none where the protocol says so. Each cut has its decision, unless time is up."""
    for event in story.all(*CUTS):
        if story.cohorts[event.cohort]["purpose"] == "expansion":
            continue
        decided = next(
            (e for e in story.events[event.number :] if e.what in ("decision", *CUTS) and e is not event), None
        )
        days = _decision_days(story, event, decided)
        if decided is None and max(days) > story.s.trial.max_days:
            continue
        if decided is None or decided.what != "decision" or decided.cohort != event.cohort or decided.day not in days:
            yield f"{event}: it is decided on day {days}, and what comes is {decided}"
        elif decided.day > story.s.trial.max_days:
            yield f"{event}, and then {decided}, which comes too late"
    if len(story.all("decision")) != len(story.decisions):
        yield "not every decision is an event"
    if [row["decision"] for row in story.decisions] != list(range(1, len(story.decisions) + 1)):
        yield "decisions are not numbered in order"


def _decision_days(story: Story, cut: Event, decided: Event | None) -> set[int]:
    """The days on which a data cut may be decided on.

    Where a rolling rule's next places take no meeting it is asked at the cut, and again when they are to be given; a
    meeting is called as soon as it moves. That it says something else than at the cut takes news, or time.
    """
    delay = story.s.safety.assignment_delay_days
    meeting = story.calendar.meeting(cut.day, is_urgent=cut.what == "decision forced")
    always_meets = cut.what == "decision forced" or story.before[cut.number].concluding
    if delay is None or always_meets or not story.gives_places_itself(cut.cohort or 0):
        return {meeting}
    given, later = cut.day + delay, story.calendar.meeting(cut.day + delay)
    if decided is None:
        return {given, meeting, later}
    row = story.decisions[story.before[decided.number].decisions]
    stays = row["action"] == "suspend" or row["next_level"] == row["level"]
    may_turn = story.s.rule.name in BY_FOLLOW_UP or story.news_since(cut.number, decided.number)
    return {given if stays else meeting} | ({meeting, later} if may_turn else set())


@promise
def what_is_decided_is_done(story: Story) -> Iterator[str]:
    """The next cohort has the level and the places that were decided, at once; a stop opens no other escalation."""
    for event, row in zip(story.all("decision"), story.decisions, strict=False):
        following = story.events[event.number + 1]
        opens = following.what == "cohort opened" and following.day == event.day
        goes_on = row["action"] in ("escalate", "stay", "de-escalate")
        level, following_level = row["level"], row["next_level"]
        if goes_on and not (story.rolling and level == following_level):
            new = story.cohorts.get(following.cohort) if opens else None
            told = new and (new["level"], story.before[following.number + 1].places, new["purpose"])
            if told != (following_level, row["next_patients"], "escalation"):
                yield f"{event}: {row['next_patients']} at level {following_level} are decided, what follows is {told}"
        elif row["action"] == "suspend" and (not story.rolling or _rises(story, row) or row["next_patients"]):
            yield f"{event}: accrual is suspended for {row['next_patients']} at level {following_level}"
        elif opens and (row["action"] != "stop" or story.cohorts[following.cohort]["purpose"] == "escalation"):
            yield f"{event}: a cohort is opened that nobody has asked for"
        direction = {"escalate": 1, "stay": 0, "de-escalate": -1}.get(row["action"])
        if direction is not None and direction != (following_level > level) - (following_level < level):
            yield f"{event}: {row['action']} from level {level} to {following_level}"
        if row["action"] == "stop":
            if (following_level, row["next_patients"]) != (None, None):
                yield f"{event}: stops, and {row['next_patients']} at level {following_level} are decided"
        elif row["recommended_level"] is not None:
            yield f"{event}: goes on, and level {row['recommended_level']} is recommended"
        if goes_on and not 1 <= row["next_patients"] <= story.s.safety.cohort_size:
            yield f"{event}: {row['next_patients']} places"
        if event.level != (following_level or row["recommended_level"]):
            yield f"{event}: level {event.level}"
        let_go = story.held(event.number) - story.held(event.number + 1)
        told = f"{row['action']}: {row['reason']}" + (f" ({row['detail']})" if row["detail"] else "")
        told += f"; {let_go} reserved place{'' if let_go == 1 else 's'} let go" if let_go else ""
        if event.detail != told:
            yield f"{event}: {event.detail!r}"
    first = story.cohorts[1]
    if (first["level"], first["opened_day"], first["purpose"]) != (story.s.safety.start_level, 0, "escalation"):
        yield f"the first cohort is {first}"
    opened = story.all("cohort opened")
    if [event.cohort for event in opened] != list(story.cohorts):
        yield "cohorts are not numbered as they are opened"
    for event in opened:
        row, places = story.cohorts[event.cohort], story.before[event.number + 1].places
        told = f"{row['purpose']}, {places} place{'' if places == 1 else 's'}"
        if (event.day, event.level, event.detail) != (row["opened_day"], row["level"], told):
            yield f"{event}: {event.detail}, the table has {row}"


def _rises(story: Story, row: dict[str, Any]) -> bool:
    """Whether a suspension permits a higher level; it may where that is full, and waits for its outcomes."""
    return row["next_level"] > row["level"] and story.s.limits.most_per_level is None


@promise
def a_cohort_fits_under_the_cap(story: Story) -> Iterator[str]:
    """It is started only if the cap leaves room for all of it; a stop for the cap comes where it does not."""
    may_be_partial = story.rolling or story.s.trial.last_cohort == "partial"
    for event, row in zip(story.all("decision"), story.decisions, strict=False):
        k = event.number
        if row["action"] in ("escalate", "stay", "de-escalate"):
            room = story.room(k, row["next_level"])
            if row["next_patients"] > room:
                yield f"{event}: {row['next_patients']} places, the cap leaves {room}"
        elif row["action"] == "stop" and row["reason"] in (CAP, CAP_INCONCLUSIVE) and not story.before[k].concluding:
            room = min(story.room(k, level) for level in range(1, story.s.levels + 1))
            if room >= (1 if may_be_partial else story.s.safety.cohort_size):
                yield f"{event}: the cap still leaves {room}"
            told = re.fullmatch(
                r"the rule asks for (\d+) more at level (\d+), the cap leaves (\d+)", row["detail"] or ""
            )
            if (told is None) == (row["reason"] == CAP_INCONCLUSIVE):
                yield f"{event}: {row['detail']!r}"
            elif told:
                asked, level, leaves = map(int, told.groups())
                if leaves != max(story.room(k, level), 0) or asked <= story.room(k, level):
                    yield f"{event}: {row['detail']!r}, the cap leaves {story.room(k, level)}"


@promise
def decisions_keep_the_limits(story: Story) -> Iterator[str]:
    """No level is skipped, or given once eliminated; none rises after too many DLTs, none gets too many patients."""
    limits = story.s.limits
    target = getattr(story.s.rule, "target", getattr(story.s.rule, "overdose_from", None))
    for number, (event, row) in enumerate(zip(story.all("decision"), story.decisions, strict=False)):
        cut = story.cut_of(event)
        if row["next_level"] is None or cut is None:
            continue
        k = event.number if story.rolling else cut.number
        level, following = row["level"], row["next_level"]
        given = [p.level for p in story.patients if p.infused < k or (story.rolling and p.on_the_way(k))]
        highest = level if limits.no_skipping == "last_given" else max([level, *given])
        if limits.no_skipping != "off" and given and following > highest + 1:
            yield f"{event}: from level {level} to {following}, {highest} is the highest"
        lowest = min(level, row.get("open_levels", level)) - 1
        if limits.no_skipping_down and following < lowest and row["action"] != "suspend":
            yield f"{event}: down from level {level} to {following}"
        if following > row.get("open_levels", following):
            yield f"{event}: level {following} is eliminated"
        treated = story.treated(following, k)
        if (
            limits.most_per_level
            and row["action"] != "suspend"
            and treated + row["next_patients"] > limits.most_per_level
        ):
            yield f"{event}: {treated} and {row['next_patients']} patients at level {following}"
        if following > level and (target is not None or limits.coherence == "after_dlt"):
            n, y = _last(story, event, number, k)
            at = story.dlts(level, k), story.evaluable(level, k)
            if (
                (limits.coherence == "after_dlt" and y > 0)
                or (limits.coherence == "last_cohort" and n > 0 and y >= n * target - 1e-9)
                or (limits.coherence == "last_level" and at[0] > at[1] * target + 1e-9)
            ):
                yield f"{event}: up after {y} DLTs in {n}, {at} at the level"


@promise
def a_forced_decision_leads_down(story: Story) -> Iterator[str]:
    """Whatever was outstanding at the data cut, and whatever came of it until the committee met."""
    for event, row in zip(story.all("decision"), story.decisions, strict=False):
        following = row["next_level"] or row["recommended_level"] or 0
        goes_on = row["action"] != "stop"
        if row["forced"] == "yes" and goes_on and following >= row["level"]:
            yield f"{event}: forced, and then {row['action']}"


def _last(story: Story, event: Event, number: int, k: int) -> tuple[int, int]:
    """Evaluable patients and DLTs of the last cohort; of a rolling rule, since its last decision but to suspend."""
    if not story.rolling:
        here = [p for p in story.by_cohort[event.cohort or 0] if p.evaluable(k)]
    else:
        earlier = zip(story.all("decision")[:number], story.decisions, strict=False)
        since = max((e.number for e, row in earlier if row["action"] != "suspend"), default=-1)
        here = [p for p in story.patients if since < p.settled and p.evaluable(k)]
    return len(here), sum(p.outcome == "DLT" for p in here)


@promise
def stopping_rules_stop(story: Story) -> Iterator[str]:
    """Whatever goes on keeps within them; whatever they are said to stop meets them."""
    stopping, toxicity = story.s.stopping, story.s.stopping.too_toxic_probability
    for event, row in zip(story.all("decision"), story.decisions, strict=False):
        cut = story.cut_of(event)
        if cut is None:
            continue
        k = event.number if story.rolling else cut.number
        levels = range(1, story.s.levels + 1)
        treated = [story.treated(at, k) for at in levels]
        here, reason, is_forced = treated[row["level"] - 1], row["reason"], row["forced"] == "yes"
        if not reason:
            yield f"{event}: without a reason"
        is_toxic = story.is_too_toxic(1, k, toxicity)
        if row["action"] != "stop":
            wanted = row["next_patients"]
            if stopping.most_patients and row["action"] != "suspend" and sum(treated) + wanted > stopping.most_patients:
                yield f"{event}: goes on with {wanted} after {sum(treated)} patients"
            stays = row["next_level"] == row["level"] and row["action"] != "suspend"
            counts = stopping.enough_at_level and (stays or stopping.enough_when == "any_move")
            if counts and here >= stopping.enough_at_level:
                yield f"{event}: goes on after {here} patients at the level"
            if is_toxic and not is_forced:
                yield f"{event}: goes on, and the lowest level is too toxic"
        elif not is_forced and not story.before[event.number].concluding:
            most, enough = stopping.most_patients, stopping.enough_at_level
            size = story.s.safety.cohort_size
            holds = {
                TOO_TOXIC: is_toxic is None or is_toxic,
                MOST: most is not None and sum(treated) + size > most,
                ENOUGH: enough is not None and here >= enough,
                PRECISE: _width(story, row["recommended_level"], k) <= (stopping.interval_width or 0),
                LEVEL_FULL: story.s.limits.most_per_level is not None and max(treated) >= story.s.limits.most_per_level,
                STUCK: not story.rolling or not (story.somebody_outstanding(k) or story.held(k)),
            }
            if not holds.get(reason, True):
                yield f"{event}: {reason}, with {treated} treated"
        if reason == TOO_TOXIC and row["recommended_level"] is not None:
            yield f"{event}: a dose is recommended although the lowest is too toxic"


def _width(story: Story, level: int | None, k: int) -> float:
    """The width of the 95% interval of P(DLT) at a level, with a uniform prior; 0 where a model says."""
    if story.s.rule.name in WITH_A_MODEL or level is None:
        return 0.0
    n, y = story.evaluable(level, k), story.dlts(level, k)
    return float(beta.ppf(0.975, 1 + y, 1 + n - y) - beta.ppf(0.025, 1 + y, 1 + n - y))


# The end


@promise
def what_is_recommended_rests_on_complete_data(story: Story) -> Iterator[str]:
    """Where the trial ends for another reason than the rule's, and where a rolling rule declares a dose, nothing that
    could change the recommendation is outstanding at the last data cut: who has had no infusion by the decision, and
    will have none, cannot."""
    event = story.final_decision
    if event is None:
        return
    row, cut = story.decisions[-1], story.cut_of(event)
    rests = row["reason"] in ON_THE_DATA and not story.declares_itself
    rests = rests and (story.s.rule.name != "python" or row["recommended_level"] is not None)
    declares = story.rolling and row["recommended_level"] is not None
    if cut is not None and (rests or declares):
        k = event.number if story.rolling else cut.number
        out = [p.patient for p in story.patients if p.on_the_way(k) or p.pending(k)]
        refused = [p.patient for p in story.patients if p.refused < event.number]
        if out := sorted({*out} - {*refused}):
            yield f"{event}: level {row['recommended_level']}, {row['reason']}, while {out} are outstanding"


@promise
def every_stop_has_its_reason(story: Story) -> Iterator[str]:
    """The trial's reason and dose are those of the last decision; only a trial whose time is up has none."""
    trial, event = story.trial, story.final_decision
    stops = [row for row in story.decisions if row["action"] == "stop"]
    if event is None:
        if not story.time_is_up or trial.duration_days != story.s.trial.max_days:
            yield f"no decision ends the trial, and it ends on day {trial.duration_days}"
        return
    row = story.decisions[-1]
    if (row["action"], row["reason"], row["recommended_level"]) != ("stop", trial.stop_reason, trial.recommended):
        yield f"the last decision is {row}, the trial's {trial.stop_reason}, {trial.recommended}"
    if len(stops) > 2 or (len(stops) == 2 and stops[1]["reason"] not in (stops[0]["reason"], TOO_TOXIC)):
        yield f"the trial stops because: {[row['reason'] for row in stops]}"
    if len(stops) == 2 and stops[0] is not story.decisions[-2]:
        yield "there is another decision between the stop and its conclusion"
    provisional = [e for e, r in zip(story.all("decision"), story.decisions, strict=True) if r["action"] == "stop"][:-1]
    for earlier in provisional:
        cut = story.cut_of(earlier)
        came = cut is not None and any(cut.number < p.settled < earlier.number for p in story.patients)
        if not came and not story.somebody_outstanding(earlier.number):
            yield f"{earlier} waits for outcomes, and none is outstanding"


@promise
def enrolment_closes_once_and_for_all(story: Story) -> Iterator[str]:
    """With the stop, or at the end of the expansion, or as soon as the cap is filled; whoever is in screening or waits
    is turned away then."""
    closed = story.all("enrolment closed")
    full = next((event for event in story.events if _cap_is_filled(story, event.number + 1)), None)
    if full is not None and (not closed or (closed[0].day, closed[0].phase) > (full.day, full.phase)):
        yield f"the cap is filled by {full}, and enrolment does not close"
    if len(closed) != 1:
        if closed or not story.time_is_up:
            yield f"enrolment closes {len(closed)} times"
        return
    event = closed[0]
    before = story.events[event.number - 1]
    if event.detail == CAP_IS_FILLED:
        fits = _cap_is_filled(story, event.number) and before.phase == event.phase and before.patient is not None
    elif before.what == "decision":
        row = story.decisions[story.before[event.number].decisions - 1]
        fits = row["action"] == "stop" and row["reason"] == event.detail
    else:
        fits = before.what in ("cohort complete", "expansion closed") and event.detail == story.trial.stop_reason
        fits = fits and (before.cohort is None or story.cohorts[before.cohort]["purpose"] == "expansion")
    if not fits or before.day != event.day:
        yield f"{event} because of {event.detail!r}, after {before}"
    here = [p for p in story.people if p.events[0].number < event.number <= min(p.start, p.gone)]
    for p in here:
        if [e.day for e in p.all("turned away")] != [event.day]:
            yield f"candidate {p.candidate} is still there when enrolment closes, and is not turned away"
    if len(story.all("turned away")) != len(here):
        yield "somebody is turned away who was not there"


def _cap_is_filled(story: Story, k: int) -> bool:
    """Whether so many count for good, just before an event, as the cap allows."""
    if story.counts_infused:
        return sum(p.infused < k for p in story.patients) >= story.cap
    return sum(p.evaluable(k) for p in story.patients) >= story.cap


@promise
def it_ends_when_everybody_has_left(story: Story) -> Iterator[str]:
    """On the day of the last event, and never after `max_days`; and only then may somebody still be there."""
    trial, last = story.trial, story.events[-1]
    if last.day != trial.duration_days or trial.duration_days > story.s.trial.max_days:
        yield f"the trial lasts {trial.duration_days} days, its last event is on day {last.day}"
    is_over = story.before[-1].closed and story.final_decision is not None
    is_over = is_over and story.before[-1].open is None and not any(_is_cut_off(p) for p in story.people)
    if story.time_is_up == is_over:
        yield f"the trial ends because: {last.detail}"
    if not story.time_is_up and last.day != story.events[-2].day:
        yield "days pass after the last event"


@promise
def an_expansion_is_for_the_recommended_dose(story: Story) -> Iterator[str]:
    """At the level, for the places that the cap leaves, directly after the last decision; nothing comes after it."""
    expansions = [row for row in story.cohorts.values() if row["purpose"] == "expansion"]
    expands = story.s.safety.when_rule_finished == "expand"
    event = story.final_decision
    if event is None or not expands:
        if expansions:
            yield "there is an expansion, which nobody has asked for"
        return
    level = story.decisions[-1]["recommended_level"]
    room = story.room(event.number + 1, level or 0)  # nobody holds a place of the escalation any more
    following = story.events[event.number + 1]
    is_toxic = story.is_too_toxic(level or 1, event.number, story.s.stopping.expansion_too_toxic_probability)
    if expansions:
        row = expansions[0]
        if len(expansions) > 1 or following.what != "cohort opened" or following.cohort != row["cohort"]:
            yield f"what follows the last decision is {following}"
        if (row["level"], row["places"]) != (level, room) or room <= 0:
            yield f"the expansion is {row['places']} at level {row['level']}, the cap leaves {room} at level {level}"
    else:
        closed = (following.what, following.cohort, following.level, following.day)
        is_closed = closed == ("expansion closed", None, level, event.day)
        wanted = level is not None and room > 0
        if is_closed != (wanted and (is_closed if is_toxic is None else is_toxic)) or (wanted and not is_closed):
            yield f"no expansion is opened, with {room} places at level {level}: {following}"


@promise
def an_expansion_is_closed_as_soon_as_it_is_too_toxic(story: Story) -> Iterator[str]:
    """It is not opened where its criterion holds already; and on the first day on which it does it is closed."""
    opened = next((e for e in story.all("cohort opened") if story.cohorts[e.cohort]["purpose"] == "expansion"), None)
    if opened is None or opened.level is None:
        return
    probability = story.s.stopping.expansion_too_toxic_probability
    if story.is_too_toxic(opened.level, opened.number, probability):
        yield f"{opened} at level {opened.level}, which is too toxic already"
        return
    for day in sorted({day for e in story.events[opened.number :] for day in (e.day, e.day + 1)}):
        k = story.at(day, DATA_CUT)
        if story.before[k].open != opened.cohort or k <= opened.number or day > story.s.trial.max_days:
            continue
        is_toxic, event = story.is_too_toxic(opened.level, k, probability), story.events[k]
        if is_toxic and (event.what != "expansion closed" or event.day != day):
            yield f"the expansion is too toxic on day {day}, and what follows is {event}"
            return
        if is_toxic is False and event.what == "expansion closed" and event.day == day:
            yield f"{event}, which is not too toxic"


# Totals


@promise
def cohorts_are_a_recount(story: Story) -> Iterator[str]:
    """Every number of the table of cohorts, from the events of its patients."""
    for number, row in story.cohorts.items():
        people = story.by_cohort[number]
        infused = sorted(story.events[p.infused].day for p in people if p.infused < NEVER)
        outcomes = Counter(p.outcome for p in people)
        cut, decided = last_cut(story, number)
        found = {
            "places": [now.places for now in story.before if now.open == number][-1],
            "first_infusion_day": infused[0] if infused else None,
            "last_infusion_day": infused[-1] if infused else None,
            "enrolled": len(people),
            "infused": len(infused),
            "not_infused": sum(p.refused < NEVER for p in people),
            "evaluable": outcomes["DLT"] + outcomes["no DLT"],
            "dlts": outcomes["DLT"],
            "non_evaluable": outcomes["non-evaluable"],
            "pending": outcomes["pending"],
            "replaced": replaced(story, number),
            "data_cut_day": cut,
            "decision_day": decided,
            "dose": story.s.dose_levels[row["level"] - 1].label,
        }
        wrong = {name: (row[name], value) for name, value in found.items() if value != row[name] and value != "?"}
        if wrong:
            yield f"cohort {number}: {wrong}"


@promise
def the_dose_path_is_the_patients(story: Story) -> Iterator[str]:
    """Cohort by cohort, a letter for each infused patient in order of enrolment."""
    path = dose_path(story)
    if story.trial.dose_path != path:
        yield f"{story.trial.dose_path!r}, by the patients {path!r}"
