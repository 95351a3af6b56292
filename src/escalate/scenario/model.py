"""What a scenario says: the protocol, and what is assumed about nature."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from ..errors import CallError, ScenarioError
from ..files import write_text
from ..words.asked import asks, described
from ..words.frames import pandas
from ..words.shown import Shows
from .calendar import Calendar, Closure
from .changes import changed
from .fault_words import Fault
from .nature import Attrition, FixedAccrual, PoissonAccrual, Screening, Site, SiteAccrual, Toxicity, WhatIf
from .open_days import OpenDays
from .places import leaves, source_of, with_dates
from .policies import Limits, Stopping, Titration
from .protocol import DoseLevel, FollowUp, Safety, Treatment, TrialSection, schedule_of
from .resources import Autologous, Capacity, Product, Store
from .rule_files import read_rule_files, unknown_function
from .rules import RuleOptions, decides_early
from .schedule import Schedule
from .sites import RecruitingSite, recruiting_sites
from .toml_text import toml_text
from .values import AS_TUPLE, FROZEN, FrozenTable, plain
from .whole import Whole


class Scenario(Shows, Whole):
    """A whole scenario: the protocol, and what is assumed about nature.

    Read one with `escalate.load`, change one with `replace`. A scenario is a frozen value: it is valid, and stays so.
    """

    schema_version: Literal[1]
    """Version of this layout: 1."""
    trial: TrialSection
    """What the trial is: title, dates, size."""
    dose_levels: Annotated[tuple[DoseLevel, ...], Field(min_length=1, max_length=99), AS_TUPLE]
    """The dose levels, lowest first, at most 99: `[[dose_levels]]`."""
    treatment: Treatment = Treatment()
    """How a patient is treated."""
    safety: Safety
    """How patients are protected: window, cohorts, stagger, committee."""
    rule: RuleOptions
    """Which dose next: name and options of the escalation rule."""
    titration: Titration | None = None
    """Accelerated titration in front of the rule; none where the section is left out."""
    limits: Limits = Limits()
    """Limits to the rule's moves."""
    stopping: Stopping = Stopping()
    """Reasons to stop that go before the rule's."""
    follow_up: FollowUp
    """How long patients are followed."""
    accrual: Annotated[PoissonAccrual | FixedAccrual | SiteAccrual, Field(discriminator="kind")]
    """How candidates come."""
    sites: Annotated[tuple[Site, ...], Field(max_length=99), AS_TUPLE] = ()
    """The sites that candidates come from, at most 99: `[[sites]]`; they go with accrual.kind = "by_site"."""
    screening: Screening = Screening()
    """Screening of candidates."""
    calendar: Calendar = Calendar()
    """On which days the trial works."""
    capacity: Capacity | None = None
    """How many patients the unit can treat at a time; any number where the section is left out."""
    product: Product | None = None
    """Where doses come from; there is always one where the section is left out."""
    toxicity: Toxicity
    """What nature does at each dose."""
    attrition: Attrition = Attrition()
    """How patients are lost after they have a place."""
    what_if: Annotated[tuple[WhatIf, ...], AS_TUPLE] = ()
    """Patients whose fate is fixed: `[[what_if]]`."""
    sources: FrozenTable[str, Annotated[str, Field(pattern=r"^(registry|literature|assumption): \S")]] = FrozenTable()
    """Where each number comes from: dotted key = "registry: ...", "literature: ..." or "assumption: ..."."""

    ranges: FrozenTable[str, Annotated[tuple[Any, ...], Field(min_length=2, max_length=2), AS_TUPLE, FROZEN]] = (
        FrozenTable()
    )
    """Between which values an assumption lies: dotted key = [low, high]; `escalate sensitivity` goes through them."""

    @cached_property
    def levels(self) -> int:
        """Number of dose levels."""
        return len(self.dose_levels)

    @cached_property
    def schedules(self) -> tuple[Schedule, ...]:
        """How patients are treated at each level: a dose level is a dose with its schedule."""
        return tuple(schedule_of(level, self.treatment, self.safety) for level in self.dose_levels)

    @cached_property
    def windows(self) -> tuple[int, ...]:
        """For each level, from the first infusion to the last day of the DLT window, itself included [days]."""
        return tuple(schedule.window_end for schedule in self.schedules)

    @cached_property
    def lymphodepletes(self) -> bool:
        """Whether patients are lymphodepleted, at any level."""
        return any(schedule.lead_days for schedule in self.schedules)

    @cached_property
    def open_days(self) -> OpenDays:
        """Which days the trial works on, as weekdays, meetings and closures leave them."""
        return OpenDays(self.trial, self.treatment, self.safety, self.calendar, self.schedules)

    @cached_property
    def recruiting_sites(self) -> tuple[RecruitingSite, ...]:
        """Where candidates come from, in order; one without a name where the scenario has no `[[sites]]`."""

        def open_days(of_site: tuple[Closure, ...]) -> OpenDays:
            if not of_site:
                return self.open_days
            return OpenDays(self.trial, self.treatment, self.safety, self.calendar, self.schedules, of_site)

        start = self.trial.start_date
        return tuple(recruiting_sites(start, self.accrual, self.sites, self.screening, open_days))

    @cached_property
    def release_days(self) -> tuple[int, ...]:
        """Days on which batches of the product are released, or fail, in time for anybody."""
        trial = self.trial
        return () if self.store is None else tuple(self.store.release_days(trial.start_date, trial.max_days))

    @property
    def store(self) -> Store | None:
        """The off-the-shelf product, if it is one."""
        return self.product if isinstance(self.product, Store) else None

    @property
    def autologous(self) -> Autologous | None:
        """The product of patients' own cells, if it is one."""
        return self.product if isinstance(self.product, Autologous) else None

    @property
    def early_decision(self) -> bool:
        """Whether a decision comes early when nothing pending can change it; by default, as suits the rule."""
        said = self.safety.early_decision
        return decides_early(self.rule) if said is None else said

    @cached_property
    def planned_days(self) -> int | None:
        """Days from the start date to the planned completion date; ``None`` if none is planned."""
        planned = self.trial.planned_completion_date
        return None if planned is None else (planned - self.trial.start_date).days

    @cached_property
    def overdose_above(self) -> float | None:
        """P(DLT) above which a patient is overdosed; ``None`` if neither the scenario nor its rule says."""
        of_rule = getattr(self.rule, "target", getattr(self.rule, "overdose_from", None))
        return self.toxicity.overdose_above or of_rule

    @cached_property
    def mtd_level(self) -> int | None:
        """Level that is the right one to recommend, from 1, and 0 for no dose; ``None`` if nothing says."""
        if self.toxicity.mtd_level is not None or self.overdose_above is None:
            return self.toxicity.mtd_level
        allowed = [level for level, p in enumerate(self.toxicity.dlt_probability, 1) if p <= self.overdose_above]
        return max(allowed, default=0)

    def say(self, own: str) -> str:
        """Return words of the program, with nothing of a user's in them, as `treatment.words` has them."""
        return self.treatment.say(own)

    def resolved(self) -> dict[str, Any]:
        """Return the complete scenario, defaults filled in, as plain JSON values."""
        return self._filled(self.model_dump(mode="json"))

    def filled(self) -> dict[str, Any]:
        """Return every value by section as a scenario file would give it, those filled in that depend on the rule."""
        return self._filled(plain(self))

    def _filled(self, values: dict[str, Any]) -> dict[str, Any]:
        values["safety"]["early_decision"] = self.early_decision
        return values

    def fingerprint(self) -> str:
        """Return the SHA-256 of the resolved scenario: equal scenarios, equal fingerprints."""
        text = json.dumps(self.resolved(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], *, allow_python: bool = False) -> Self:
        """Return a scenario from the sections of a scenario file, as `escalate.load` does with a mapping.

        Parameters
        ----------
        values : mapping
            Sections by their names. Dates may be ISO text; files are named relative to the folder of the session.
        allow_python : bool
            Whether the code of a rule's Python file may run; it can do anything that you can.

        Raises
        ------
        ScenarioError
            If it is not a valid scenario; all problems at once.
        """
        data = with_dates(plain(values), cls)
        return cls.checked(data, [*read_rule_files(data, Path(), allow_python), *unknown_function(data)])

    def to_pandas(self) -> Any:
        """Return one row for each key that has a value, with its source, as a pandas ``DataFrame``.

        It needs pandas, which the extra ``notebooks`` installs.
        """
        pd = pandas()

        told = {key: each for key, each in leaves(self.filled()).items() if any(value is not None for value in each)}
        values = {key: each[0] if len(each) == 1 else list(each) for key, each in told.items()}
        rows = [(key, value, source_of(key, self.sources)) for key, value in values.items()]
        return pd.DataFrame(rows, columns=["key", "value", "source"])

    def __repr__(self) -> str:
        title = self.trial.title if len(self.trial.title) <= 80 else f"{self.trial.title[:77]}..."
        doses = "1 dose level" if self.levels == 1 else f"{self.levels} dose levels"
        return f"<Scenario {title!r}: rule {self.rule.name}, {doses}, start {self.trial.start_date}>"

    __str__ = __repr__

    def to_toml(self, path: str | os.PathLike[str] | None = None, *, overwrite: bool = False) -> str:
        """Return the scenario as the text of a scenario file: complete, and read back it is equal to this one.

        The file that a rule names must stand beside it, but for that of a decision table, whose decisions are written.

        Parameters
        ----------
        path : path, optional
            File to write, too.
        overwrite : bool
            Whether an earlier file may be replaced.

        Raises
        ------
        OutputError
            If the file exists, or cannot be written.
        """
        text = toml_text(self)
        if path is not None:
            write_text(Path(path), text, overwrite)
        return text

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return the scenario with some sections changed, as `replace` does; itself where nothing is changed."""
        return self.replace(update) if update else self

    @asks(like='scenario.replace({"safety.dlt_window_days": 42})')
    def replace(self, changes: Mapping[str, Any], *, allow_python: bool = False) -> Self:
        """Return a scenario with some values changed, checked like a scenario file.

        Parameters
        ----------
        changes : mapping of str to value
            Dotted keys and their new values, as in
            ``scenario.replace({"toxicity.dlt_probability": [0.1, 0.25], "accrual.consents_per_month": 2.0})``.
            A section can be replaced whole by a dictionary, a rule without options by its name; the name of the
            scenario's own rule leaves its options as they are. An item of a list is named by its position, from 1 as in
            ``dose_levels[1].cells`` or from 0 as in ``dose_levels.0.cells``. Dates may be ISO text. Files are named
            relative to the folder of the session. A table's new file brings its own decisions, and new decisions have
            no file. A range stays with its value as long as the value lies inside.
        allow_python : bool
            Whether the code of a rule's file may run, as in ``{"rule.python": "my_rules.py:cautious"}``.

        Raises
        ------
        ScenarioError
            If a key does not exist or a value is not allowed; all problems at once.
        """
        if not isinstance(changes, Mapping):
            said = 'changes are keys with values, as in scenario.replace({"safety.dlt_window_days": 42})'
            raise CallError(f"{said}; got {described(changes)}")
        data, unread, misplaced = changed(plain(self), changes, type(self), allow_python)
        keeps_ranges = not any(str(key).split(".")[0] == "ranges" for key in changes)
        try:
            if keeps_ranges and data["ranges"]:
                data["ranges"] = self._ranges_that_hold(data, unread)
            made = self.checked(data, unread)
        except ScenarioError as error:
            raise ScenarioError([*misplaced, *error.problems]) from None
        if misplaced:
            raise ScenarioError(misplaced)
        return made

    @classmethod
    def _ranges_that_hold(cls, data: dict[str, Any], unread: Sequence[Fault]) -> dict[str, Any]:
        """Return those ranges that plain values can have: the value lies inside, and both ends are possible."""
        without = plain(cls.checked(data | {"ranges": {}}, unread))
        return {key: ends for key, ends in data["ranges"].items() if not any(cls.range_faults(without, {key: ends}))}
