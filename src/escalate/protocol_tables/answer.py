"""What holds after a dose path: the answer that stands above the table of the next doses.

With every outcome known, or a rolling rule, it is the decision, with what that rests on. With outcomes missing that a
decision waits for, it says how many, and what each of them leads to. A rolling rule's decision changes as the pending
patients are observed: the answer says on which day from now on, if nobody has a DLT.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from ..committee.walk import Reached, said
from ..words.data_cut import Counts
from ..words.dose_path import write_path
from ..words.records import Decision
from .asking import Asked, keeps_weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A pending patient whose follow-up is known, and what the rule counts of it.

    Parameters
    ----------
    level : int
        Dose level, from 0.
    days : int
        Days of the DLT window observed without a DLT.
    window_days : int
        Length of the level's DLT window [days].
    weight : float or None
        What a rule that reads follow-up counts, between 0 and 1; ``None`` for any other.
    """

    level: int
    days: int
    window_days: int
    weight: float | None

    @property
    def words(self) -> str:
        """What is known of the patient in words."""
        weight = "" if self.weight is None else f" (weight {self.weight:.3f})"
        return f"{self.days} of {self.window_days} days{weight}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What holds after a dose path.

    Parameters
    ----------
    path : str
        The dose path, as a trial prints it.
    counts : Counts
        What is known.
    decision : Decision or None
        The committee's, with its estimates where the rule has a model; of pending patients whose follow-up is not
        known, as if they had just been infused. ``None`` while the committee waits for outcomes.
    forced : bool
        The decision is due although outcomes are missing: they cannot change it.
    pending, free : int
        Outcomes that the committee waits for: of pending patients, and of places that nobody has taken yet.
    completions : tuple of (str, Decision)
        While it waits, for each outcome what it leads to: in words, and the decision.
    followed : tuple of Followed
        The pending patients whose follow-up is known.
    turns : tuple of (float, Decision)
        Where follow-up is not known: from which share of the window on, seen of each of these, the decision is another.
    changes : tuple of (int, Decision)
        Where all follow-up is known, and a rolling rule decides: the days from now on which the decision becomes
        another one, if nobody has a DLT, with what it becomes.
    days_left : int or None
        Days from now to the end of the last open window; ``None`` where that is not known.
    provisional : bool
        The escalation stops, and what is recommended waits for the last outcomes.
    grounds : tuple of str
        What the rule compares with what, and whether an expansion follows or is closed, line by line.
    cautions : tuple of str
        Where the path is none that the protocol could have produced.
    assumed : tuple of str
        What the path does not tell, and is assumed, line by line.
    just : str
        What the decision holds for, where it turns into others.
    """

    path: str
    counts: Counts
    decision: Decision | None
    forced: bool = False
    pending: int = 0
    free: int = 0
    completions: tuple[tuple[str, Decision], ...] = ()
    followed: tuple[Followed, ...] = ()
    turns: tuple[tuple[float, Decision], ...] = ()
    changes: tuple[tuple[int, Decision], ...] = ()
    days_left: int | None = None
    provisional: bool = False
    grounds: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    just: str = "if just infused"

    @property
    def headline(self) -> str:
        """The answer in one line."""
        if self.decision is None:
            return self._waiting
        words = with_reason(self.decision)
        words += "; forced: the outcomes that are missing cannot change it" if self.forced else ""
        later = (f"; {said(turn)} once {share:.0%} of each window is seen" for share, turn in self.turns)
        just = f"{self.just}, " if self.turns else ""
        return just + words + "".join(later)

    @property
    def told(self) -> str:
        """The path, and the answer, in one line."""
        return f"After {self.path}: {self.headline}"

    @property
    def _waiting(self) -> str:
        """What the committee waits for."""
        missing = [f"{self.pending} pending"] if self.pending else []
        missing += [f"{_count(self.free, 'place')} not taken yet"] if self.free else []
        level = self.counts.level + 1
        return f"wait for {_count(self.pending + self.free, 'outcome')} at level {level} ({', '.join(missing)})"

    def lines(self, doses: Sequence[str]) -> list[str]:
        """Return everything, line by line.

        Parameters
        ----------
        doses : sequence of str
            Labels of the dose levels.
        """
        return [
            *(f"Caution: {words}" for words in self.cautions),
            self.told,
            *(f"  {told}: {said(decision)}" for told, decision in self.completions),
            *(f"  {line}" for line in self._rests_on(doses)),
            *(f"  {line}" for line in self._what_comes()),
            *(f"  {line}" for line in self.assumed),
        ]

    def _rests_on(self, doses: Sequence[str]) -> Iterator[str]:
        """Yield what the answer rests on."""
        counts = self.counts
        told = (
            f"level {k} {y}/{n}{f' and {c} pending' if c else ''}"
            for k, (y, n, c) in enumerate(zip(counts.dlts, counts.evaluable, counts.pending, strict=True), 1)
            if n or c
        )
        yield f"DLTs/evaluable: {', '.join(told)}"
        for level, patients in groupby(self.followed, key=lambda patient: patient.level):
            yield f"pending at level {level + 1}: {', '.join(patient.words for patient in patients)}"
        yield from self.grounds
        estimates = None if self.decision is None else self.decision.estimates
        if estimates is None:
            return
        yield "P(DLT) by the model, with its 95% interval:"
        width = max(len(dose) for dose in doses)
        for k, (dose, *numbers) in enumerate(
            zip(doses, estimates.p_dlt, estimates.low, estimates.high, estimates.followup, strict=True), 1
        ):
            p, low, high, windows = numbers
            counted = f"   {windows:.3f} windows counted of the pending" if windows else ""
            yield f"  level {k}: {dose:<{width}}  {p:.3f}   {low:.3f} to {high:.3f}{counted}"

    def _what_comes(self) -> Iterator[str]:
        """Yield when the answer can change."""
        if self.provisional:
            yield "what is recommended waits for the last outcomes, and can still change"
        if self.changes:
            told = (f"in {_count(days, 'day')}: {said(decision)}" for days, decision in self.changes)
            yield f"if nobody has a DLT, the next change comes {'; then '.join(told)}"
        elif self.decision is not None and not self.forced and self.days_left:
            yield f"if nobody has a DLT, nothing changes; the last window ends in {_count(self.days_left, 'day')}"
        elif self.decision is None:
            yield from self._while_waiting()

    def _while_waiting(self) -> Iterator[str]:
        """Yield what can be said before the outcomes are known."""
        if len({(decision.action, decision.level) for _, decision in self.completions}) == 1:
            yield "every outcome leads to the same; the protocol waits for them all the same"
        if self.days_left:
            free = "; the places that are not taken yet come later" if self.free else ""
            yield f"the pending are known in {_count(self.days_left, 'day')} at the latest{free}"


def with_reason(decision: Decision) -> str:
    """Return a decision in a few words, with its reason."""
    words = said(decision)
    why = decision.reason + (f" ({decision.detail})" if decision.detail else "")
    if decision.reason in words:
        return words.replace(decision.reason, why)
    return f"{words}; {why}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"


def answer_after(asked: Asked, reached: Reached) -> Answer:
    """Return what holds after a dose path.

    Parameters
    ----------
    asked : Asked
        The committee.
    reached : Reached
        Where the trial stands.
    """
    counts, decision, pending = reached.counts, asked.due(reached), sum(reached.counts.pending)
    all_known = 0 < pending == len(counts.seen)
    moves = asked.rule.rolling and reached.ended is None
    turns = tuple(asked.turns(counts)) if moves else ()
    if decision is not None:
        decision = replace(decision, estimates=asked.estimates(counts))
    missing = asked.completions(reached) if reached.waits else ()
    return Answer(
        path=write_path(reached.cohorts),
        counts=counts,
        decision=decision,
        forced=reached.outstanding > 0,
        pending=reached.pending,
        free=reached.free,
        completions=tuple((told, asked.decide(cut, 0)) for told, _, cut in missing),
        followed=tuple(
            Followed(level=k, days=d, window_days=asked.windows[k], weight=w) for k, d, w in asked.followed(reached)
        ),
        turns=turns,
        changes=tuple(asked.changes(counts)) if moves and all_known else (),
        days_left=asked.days_left(counts) if all_known else None,
        provisional=decision is not None and pending > 0 and not reached.ended and asked.rests_on_data(decision),
        grounds=(*asked.grounds(reached), *asked.expansion(reached, decision)),
        cautions=reached.cautions,
        assumed=tuple(_assumed(asked, reached)),
        just=asked.scenario.say("if just infused"),
    )


def _assumed(asked: Asked, reached: Reached) -> Iterator[str]:
    """Yield what a dose path does not tell, and is assumed."""
    safety, rule, counts = asked.scenario.safety, asked.rule, reached.counts
    if reached.ended is not None:
        yield "the last cohort is read as the expansion: the recommendation stands"
    if counts.lost:
        replaced = "" if rule.rolling else ", and is replaced" if safety.replace_non_evaluable else ", not replaced"
        yield f"X (non-evaluable) counts for nothing{replaced}"
        if keeps_weight(asked.scenario):
            yield "for how long an X was observed the path does not tell; the trial counts that share of the window"
    if rule.reads_followup and len(counts.seen) < sum(counts.pending):
        holds = "; the decision is the same for any" if not any(True for _ in asked.turns(counts)) else ""
        yield f"the follow-up of P without days is not known{holds}"
    taken = len(reached.cohorts[-1].patients)
    if rule.rolling and reached.ended is None and taken % max(reached.places, 1):
        yield (
            f"places taken of the last {reached.places}: {taken % reached.places}; the protocol asks again when all "
            "are taken, and this is what it says now"
        )
    if rule.rolling and asked.committee.rule.reads_last:
        yield "coherence: the outcomes of the last cohort are read as known since the last decision"
