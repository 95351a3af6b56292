"""What happens to a patient: made of the words that nature has drawn, where it is needed and no sooner."""

from __future__ import annotations

from ..nature.streams import ATTRITION, LEAVING, NEVER, ONSET, PAGE, TOLERANCE
from .bench import Bench, Person, Row, Tables
from .codes import AS_DRAWN, Fate, Fixed
from .words import block, first_above, lower_half, uniform, upper_half


def words_of(w: Bench, t: Tables, patient: int) -> Row[int]:
    """Return the words of a patient, by enrolment number from 0: see `escalate.nature.streams`."""
    return t.words[patient]


def computed_words_of(w: Bench, t: Tables, patient: int) -> Row[int]:
    """Do what `words_of` does, compiled."""
    return block(t.patient_key[0], t.patient_key[1], PAGE * w.replicate + patient % PAGE + 1, patient // PAGE)


def meets_fate(t: Tables, person: Person, patient: int, drawn: Row[int]) -> None:
    """Write down what happens to a patient who is to be infused, by the patient's words: cells, dose, DLT, leaving."""
    nothing = len(t.what_if) - 1
    fixed = t.what_if[patient if patient < nothing else nothing]
    person.gets = Fate.NOTHING
    if not comes_true(t, fixed, Fixed.NOT_INFUSED, upper_half(drawn[ATTRITION])):
        less = comes_true(t, fixed, Fixed.LESS, lower_half(drawn[ATTRITION]))
        person.gets = Fate.LESS if less else Fate.FULL_DOSE
    person.dlt_day = day_of_dlt(t, fixed, person.level, drawn)
    person.drop_out_day = last_day(t, fixed, uniform(drawn[LEAVING]))


def comes_true(t: Tables, fixed: Row[int], what: int, u: float) -> bool:
    """Return whether something is so that has a probability, for a uniform, where it is not fixed."""
    return u < t.probability[what] if fixed[what] == AS_DRAWN else fixed[what] == 1


def day_of_dlt(t: Tables, fixed: Row[int], level: int, drawn: Row[int]) -> int:
    """Return the day of a patient's DLT at a level after the first infusion, `NEVER` if there is none."""
    told, day = fixed[Fixed.DLT], fixed[Fixed.DLT_DAY]
    if told == 0 or (told == AS_DRAWN and uniform(drawn[TOLERANCE]) >= t.dlt_probability[level]):
        return NEVER
    return day if day != AS_DRAWN else first_above(t.onset_until[level], uniform(drawn[ONSET]))


def last_day(t: Tables, fixed: Row[int], u: float) -> int:
    """Return the last day observed before a patient leaves, `NEVER` if that is not before the end of follow-up."""
    told, days = fixed[Fixed.LAST_DAY], len(t.drop_out_until)
    if told != AS_DRAWN:
        return told
    return first_above(t.drop_out_until, u) if days and u < t.drop_out_until[days - 1] else NEVER
