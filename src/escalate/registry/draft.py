"""A draft scenario from a registry record: what is registered, and marked placeholders for the rest."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from ..words.asked import asks
from ..words.records import FIRST_START, MOST_PATIENTS
from .doses import Candidate, Dose, read_doses
from .lymphodepletion import Agent, read_lymphodepletion
from .prose import Passage, decimal_text, distinct
from .protocol import said_of_the_protocol
from .record import Record, read_record

ASSUMED = "assumption: draft default, replace me"
"""The source of every placeholder."""

_MARK = "  # ASSUMPTION: fill in"
_COHORT_SIZE = 3
_PATIENTS_PER_LEVEL = 6
_START = date(2025, 1, 1)
_START_BEFORE_COMPLETION_DAYS = 730
_LOWEST_DLT, _HIGHEST_DLT = 0.05, 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """A record, and what its prose says."""

    record: Record
    doses: tuple[Dose, ...]
    unused: tuple[Candidate, ...]
    agents: tuple[Agent, ...]
    said: dict[str, tuple[Passage, ...]]
    """Sentences of the record about what is a placeholder in the draft, by key."""

    @property
    def complete_agents(self) -> list[Agent]:
        return [agent for agent in self.agents if agent.mg_per_m2 is not None and agent.days]

    @property
    def start_date(self) -> date:
        """Registered; otherwise two years before the completion, otherwise a fixed day."""
        if self.record.start is not None:
            return self.record.start.value
        if self.record.completion is not None:
            return max(self.record.completion.value - timedelta(days=_START_BEFORE_COMPLETION_DAYS), FIRST_START)
        return _START

    @property
    def completion_is_usable(self) -> bool:
        return self.record.completion is not None and self.record.completion.value > self.start_date

    @property
    def planned_patients(self) -> int:
        if self.record.enrolment is not None:
            return min(self.record.enrolment.value, MOST_PATIENTS)
        return _PATIENTS_PER_LEVEL * max(1, len(self.doses))


@asks()
def draft_scenario(record: str | os.PathLike[str]) -> str:
    """Write a draft scenario from a registry record.

    What the record states has a ``registry: ...`` source in the draft. Everything else is a placeholder: its line is
    marked ASSUMPTION and its source says "replace me". Where no dose was found the draft says so, and `load` refuses
    it until a person has written the dose levels.

    Parameters
    ----------
    record : path
        One study as JSON in the layout of the ClinicalTrials.gov API v2, or a search answer with exactly one study.

    Returns
    -------
    str
        A commented scenario in TOML 1.0.

    Raises
    ------
    RecordError
        If the file cannot be read, is not JSON, or is not one study.
    """
    facts = _facts(read_record(Path(record)))
    parts = [
        _head(facts),
        ["schema_version = 1"],
        _trial(facts),
        _dose_levels(facts),
        _treatment(facts),
        _protocol(facts),
        _nature(facts),
        _sources(facts),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _facts(record: Record) -> _Facts:
    doses, unused = read_doses(record.passages, record.products)
    return _Facts(
        record=record,
        doses=doses,
        unused=unused,
        agents=read_lymphodepletion(record.passages),
        said=said_of_the_protocol(record.passages),
    )


def _head(facts: _Facts) -> list[str]:
    record = facts.record
    lines = [
        f"# Draft scenario from the registry record {_words(record.registry_id or 'without an id')}"
        f" ({_words(record.file)}).",
        '# What the record states has a "registry: ..." source in [sources] at the end.',
        "# A line marked ASSUMPTION is a placeholder and no fact of the trial: replace it, and its source.",
    ]
    lines += [f"# {warning}" for warning in _warnings(facts)]
    if not facts.doses:
        lines += ["#", "# NO DOSE WAS FOUND in the record: write the [[dose_levels]] below before the first run."]
    if len(record.arms) > 1:
        lines += [
            "#",
            f"# The record has {len(record.arms)} arms ({_words('; '.join(record.arms))}).",
            "# The doses below are gathered from all of them: keep those that belong to one escalation.",
        ]
    return lines


def _warnings(facts: _Facts) -> Iterator[str]:
    """Yield why the record may be of no dose escalation, or of more than one."""
    record, phases = facts.record, facts.record.phases
    early = [phase for phase in phases if phase in ("EARLY_PHASE1", "PHASE1")]
    if phases and not early:
        yield f"NO PHASE 1: the record is of {_phase_words(phases)}. It need not escalate; the rule is made up."
    elif len(phases) > len(early):
        yield f"The record covers {_phase_words(phases)}: its enrolment is that of all, not of the escalation alone."
    if record.kinds and not set(record.kinds) & _GIVEN:
        yield f"NO DRUG: the record is of {_words(', '.join(record.kinds).lower())}. The rule is made up."
    if any(_WITHIN_PATIENT.search(passage.text) for passage in record.passages):
        yield "The record speaks of escalation within a patient: doses may be given to one patient one after the other."


_GIVEN = {"DRUG", "BIOLOGICAL", "GENETIC", "COMBINATION_PRODUCT", "RADIATION", "DIETARY_SUPPLEMENT", "OTHER"}
"""Interventions that have a dose."""
_WITHIN_PATIENT = re.compile(r"\bintra-?\s?(?:patient|subject)(?:[- ]dose)?[- ](?:escalat|titrat)", re.IGNORECASE)


def _phase_words(phases: Sequence[str]) -> str:
    return " and ".join(phase.lower().replace("_", " ").replace("phase", "phase ") for phase in map(_words, phases))


MOST_OF_TITLE, MOST_OF_ID = 1000, 200
"""Letters that a scenario takes; what is longer is no title and no number of a registry."""


def _trial(facts: _Facts) -> list[str]:
    record = facts.record
    title = (record.title or record.registry_id)[:MOST_OF_TITLE]
    lines = ["[trial]", f"title = {_string(title or 'untitled trial')}" + ("" if title else _MARK)]
    if 0 < len(record.registry_id) <= MOST_OF_ID:
        lines.append(f"registry_id = {_string(record.registry_id)}")
    lines.append(f"start_date = {facts.start_date.isoformat()}" + ("" if record.start else _MARK))
    if record.completion is None:
        lines.append("# planned_completion_date = ...  # the record gives none that can be read")
    elif facts.completion_is_usable:
        lines.append(f"planned_completion_date = {record.completion.value.isoformat()}")
    else:
        lines.append(
            f"# The registered completion is not later than the start, and left out: {record.completion.words}."
        )
    lines.append(f"planned_patients = {facts.planned_patients}" + ("" if record.enrolment else _MARK))
    return lines


def _dose_levels(facts: _Facts) -> list[str]:
    lines = []
    if facts.unused:
        lines += [
            "# Seen in the record and not used as a dose level:",
            *(_candidate(said) for said in facts.unused),
        ]
    if not facts.doses:
        return [
            *lines,
            "# One block for each dose level, lowest first:",
            "# [[dose_levels]]",
            '# label = "..."  # the dose with its unit',
            "# cells = ...    # cells of the full dose; left out for a drug, and for a dose by weight",
        ]
    lines.append("# Lowest first; each with the words of the record. Check that all of them belong to the escalation.")
    for dose in facts.doses:
        note = f"; {dose.note}" if dose.note else ""
        lines += [
            "[[dose_levels]]",
            f"# {dose.where}: {_quoted(dose.quote)}{_words(note)}",
            f"label = {_string(dose.label)}",
        ]
        if dose.cells:
            lines.append(f"cells = {dose.cells}")
        lines.append("")
    return lines[:-1]


def _candidate(said: Candidate) -> str:
    """Return a line about an amount that is not stated as a dose: its words, its sentence, what speaks against it."""
    stands = f" in {said.where}" + (f": {_quoted(said.sentence)}" if said.sentence != said.quote else "")
    return f"# - {_quoted(said.quote)} ({said.against}){stands}"


def _treatment(facts: _Facts) -> list[str]:
    lines = ["[treatment]", f"infusion_days = [0]{_MARK}"]
    if not facts.agents:
        lines.append("# No lymphodepletion was found in the record.")
    for agent in facts.agents:
        complete = agent in facts.complete_agents
        lines += ["", *_missing(agent)]
        lines += [f"# {agent.where}: {_quoted(agent.quote)}"]
        lines += [f"# The record also says: {_quoted(said)}" for said in agent.others]
        if agent.mg_per_m2 is not None:
            table = [
                "[[treatment.lymphodepletion]]",
                f'agent = "{agent.name}"',
                f"mg_per_m2 = {decimal_text(agent.mg_per_m2)}",
                f"days = [{', '.join(map(str, agent.days)) or '...'}]",
            ]
            lines += table if complete else [f"# {line}" for line in table]
    return lines


def _missing(agent: Agent) -> Iterator[str]:
    if agent.mg_per_m2 is None:
        yield f"# The record names {agent.name}, and no dose in mg per m2 that could be read."
    elif not agent.days:
        yield f"# The days of {agent.name} could not be read: fill them in and remove the # signs."


def _protocol(facts: _Facts) -> list[str]:
    size = min(_COHORT_SIZE, facts.planned_patients)
    return [
        "[safety]",
        *_placeholder(facts, "dlt_window_days", "28"),
        *_placeholder(facts, "cohort_size", str(size)),
        *_placeholder(facts, "sentinel_stagger_days", "0"),
        *_placeholder(facts, "review_delay_days", "0"),
        "",
        "[rule]",
        *_placeholder(facts, "name", '"3+3"', about="rule"),
        "",
        "[follow_up]",
        *_placeholder(facts, "days", "180", about="follow_up"),
    ]


def _placeholder(facts: _Facts, key: str, value: str, about: str = "") -> list[str]:
    """Return the line of a placeholder, with what the record says about it above."""
    said = facts.said.get(about or key, ())
    return [*(f"# The record says, in {item.where}: {_quoted(item.text)}" for item in said), f"{key} = {value}{_MARK}"]


def _nature(facts: _Facts) -> list[str]:
    probabilities = ", ".join(f"{value:g}" for value in _dlt_probabilities(len(facts.doses) or 2))
    return [
        "[accrual]",
        f'kind = "poisson"{_MARK}',
        *_placeholder(facts, "consents_per_month", "1.0", about="accrual"),
        "",
        "[screening]",
        *_placeholder(facts, "days", "14", about="screening"),
        "",
        "[toxicity]",
        f"dlt_probability = [{probabilities}]{_MARK}, one for each dose level",
    ]


def _dlt_probabilities(levels: int) -> Iterator[float]:
    """Yield probabilities that rise evenly over the levels."""
    for level in range(levels):
        yield round(_LOWEST_DLT + (_HIGHEST_DLT - _LOWEST_DLT) * level / max(1, levels - 1), 4)


def _enrolment_source(record: Record) -> str:
    if record.enrolment is None:
        return ASSUMED
    cut = f"; a scenario has at most {MOST_PATIENTS}" if record.enrolment.value > MOST_PATIENTS else ""
    several = f"; of {_phase_words(record.phases)} together" if len(record.phases) > 1 else ""
    return f"registry: {record.enrolment.words}{several}{cut}"


def _sources(facts: _Facts) -> list[str]:
    record = facts.record
    found = {
        "trial.start_date": f"registry: {record.start.words}" if record.start else ASSUMED,
        "trial.planned_patients": _enrolment_source(record),
        "trial.max_days": ASSUMED,
    }
    if record.completion is not None and facts.completion_is_usable:
        found["trial.planned_completion_date"] = f"registry: {record.completion.words}"
    if facts.doses:
        found["dose_levels"] = f"registry: {_places(facts.doses)}"
    found["treatment.infusion_days"] = found["treatment.notice_days"] = ASSUMED
    if facts.complete_agents:
        found["treatment.lymphodepletion"] = f"registry: {_places(facts.complete_agents)}"
    sections = ("safety", "rule", "follow_up", "accrual", "screening", "toxicity", "attrition")
    found |= dict.fromkeys(sections, ASSUMED)
    return ["[sources]", *(f"{_string(key) if '.' in key else key} = {_string(said)}" for key, said in found.items())]


def _places(items: Sequence[Dose | Agent]) -> str:
    return ", ".join(distinct(item.where for item in items))


def _string(text: str) -> str:
    """Return a TOML basic string."""
    return '"' + "".join(_ESCAPES.get(sign) or _unicode(sign) for sign in text) + '"'


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _unicode(sign: str) -> str:
    if sign.isprintable():
        return sign
    return f"\\u{ord(sign):04x}" if ord(sign) <= 0xFFFF else f"\\U{ord(sign):08x}"


def _quoted(text: str) -> str:
    return f'"{_words(text)}"'


def _words(text: str) -> str:
    """Return a text that fits into a one-line comment."""
    text = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return text if len(text) <= 200 else text[:197] + "..."
