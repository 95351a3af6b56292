"""What is compared: rules and truths, from what a person writes to scenarios, or to every reason why it cannot be.

A rule to compare is a name, a line such as ``CRM prior_mtd_level=2 limits.coherence=last_cohort``, a dictionary of the
same, or a whole scenario. The name of the scenario's own rule, without options, is that rule as the scenario sets it.
A truth is P(DLT) at each level, as nature has it; rules do not know it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from ..errors import Problem, ScenarioError, near
from ..words.records import NO_DOSE
from .fault_words import KeyPath, short
from .model import Scenario
from .rules import RULES, rule_words
from .texts import text_faults, value_of_text
from .toml_lines import line_of

R = TypeVar("R")

AsRule = str | Mapping[str, Any] | Scenario
AsTruth = Sequence[float] | Mapping[str, Any]

STAND_IN = 0.25
"""Target with which a rule is looked through for more problems when it lacks one."""

OF_TRUTH, OVERDOSE, MTD = "dlt_probability", "overdose_above", "mtd_level"


@dataclass(frozen=True, slots=True)
class Truth:
    """What nature does at each dose level.

    Parameters
    ----------
    label : str
        What people call it.
    dlt_probability : tuple of float, length K
        P(DLT) at each level, lowest first.
    overdose_above : float or None
        P(DLT) above which a patient is overdosed, and a recommended dose too toxic; ``None`` if nothing says.
    mtd : int, str or None
        The level (from 1) that is right to recommend: the one that the truth names, otherwise the highest whose P(DLT)
        is not above `overdose_above`; ``"no dose"`` if there is none; ``None`` if nothing says.
    """

    label: str
    dlt_probability: tuple[float, ...]
    overdose_above: float | None
    mtd: int | str | None

    @property
    def too_toxic(self) -> list[int]:
        """Levels (from 1) whose P(DLT) is above `overdose_above`; none if nothing says."""
        limit = 1.0 if self.overdose_above is None else self.overdose_above
        return [level for level, p in enumerate(self.dlt_probability, 1) if p > limit]

    @property
    def toxicity(self) -> dict[str, Any]:
        """What a scenario's section `toxicity` says under this truth."""
        mtd = 0 if self.mtd == NO_DOSE else self.mtd
        return {OF_TRUTH: list(self.dlt_probability), OVERDOSE: self.overdose_above, MTD: mtd}

    @property
    def words(self) -> str:
        """P(DLT) at each level, in percent."""
        return truth_words(self.dlt_probability)


class Written(dict[str, Any]):
    """A rule or a truth of a file, which knows where it stands, so that what is wrong with it can be told there.

    Parameters
    ----------
    items : mapping
        The rule, or the truth.
    file : str
        Name of the file.
    lines : mapping of key path to int
        The line of every key in the file.
    place : key path
        Where it stands: ``("rules", 0)``.
    """

    def __init__(self, items: Mapping[str, Any], file: str, lines: Mapping[KeyPath, int], place: KeyPath) -> None:
        super().__init__(items)
        self._file, self._lines, self._place = file, lines, place

    def located(self, problem: Problem) -> Problem:
        """Return a problem with file and line."""
        key = problem.key.rpartition(": ")[2].partition("[")[0].split(".")
        keys = key[1:] if key[0] in ("rule", "toxicity") else key
        return replace(problem, file=self._file, line=line_of(self._lines, (*self._place, *keys)))


def truth_words(dlt_probability: Iterable[float]) -> str:
    """Return P(DLT) at each level as text: ``3% 6%``."""
    return " ".join(f"{100 * p:.4g}%" for p in dlt_probability)


def rule_of_text(text: str) -> dict[str, Any]:
    """Return a rule written on one line as a dictionary.

    Parameters
    ----------
    text : str
        Its name, then options as ``option=value``; an option with a dot is a change to another section of the
        scenario. Values are written as in TOML, words without quotes.

    Raises
    ------
    ScenarioError
        If an option is given twice, or as a value and as a table.
    """
    name, *parts = re.split(r"\s+(?=[\w.]+=)", f" {text.strip()}")
    rule: dict[str, Any] = {"name": name.strip()} if name.strip() else {}
    for part in parts:
        key, _, value = part.partition("=")
        *sections, option = key.split(".")
        node = rule
        for section in sections:
            node = node.setdefault(section, {}) if isinstance(node, dict) else node
        if not isinstance(node, dict) or option in node:
            said = "is given twice; leave one out"
            raise ScenarioError([Problem(key=f"rule {short(text.strip())}: {key}", message=said)])
        node[option] = value_of_text(value.strip())
    return rule


def compared(
    scenario: Scenario, rules: Iterable[AsRule] | Mapping[str, AsRule] | None,
    truths: Iterable[AsTruth] | Mapping[str, AsTruth] | None, target: float | None,
) -> tuple[dict[str, Scenario], list[Truth]]:  # fmt: skip
    """Return the scenario with each rule, by the rule's label, and the truths.

    Parameters
    ----------
    scenario, rules, truths, target
        As `escalate.compare` takes them.

    Raises
    ------
    ScenarioError
        If a rule lacks a number or does not go with the scenario, a truth has not one probability for each level, or
        two have the same label; all problems at once.
    """
    problems: list[Problem] = []
    if target is not None and not 0 < target < 1:
        problems.append(Problem(key="target", value=f"{target:g}", message="must be greater than 0 and less than 1"))
        target = STAND_IN
    found = _Found(scenario, target, problems)
    own = {key: getattr(scenario.toxicity, key) for key in (OF_TRUTH, MTD)}
    listed = _listed(rules, scenario), _listed(truths, own)
    made = [found.located(found.scenario, number, rule) for number, rule in enumerate(listed[0], 1)]
    true = [found.located(found.truth, number, truth) for number, truth in enumerate(listed[1], 1)]
    found.say_who_lacks_a_target()
    labels = [one[0] for one in made if one is not None], [one.label for one in true if one is not None]
    for what, given, names in zip(("rules", "truths"), listed, labels, strict=True):
        none = [] if given else [Problem(key=what, message="there are none: give at least one")]
        problems += [*none, *_repeated(what, names)]
    if problems:
        raise ScenarioError(problems)
    return dict(one for one in made if one is not None), [one for one in true if one is not None]


def _listed(given: Any, default: Any) -> list[Any]:
    """Return what was given as a list; from a mapping, with the labels put in."""
    if isinstance(given, Mapping):
        return [_Labelled(str(label), item) for label, item in given.items()]
    return [default] if given is None else list(given)


@dataclass(frozen=True, slots=True)
class _Labelled:
    """A rule or a truth with its label."""

    label: str
    item: Any


def _repeated(what: str, labels: Sequence[str]) -> Iterator[Problem]:
    for label in dict.fromkeys(label for label in labels if labels.count(label) > 1):
        hint = f'give each a label of its own, as {what}={{"label": ...}} (in a file: label = "...")'
        yield Problem(key=what, value=short(label), message=f"{labels.count(label)} have this label; {hint}")


class _Found:
    """Makes scenarios and truths, and notes what is wrong with them."""

    def __init__(self, scenario: Scenario, target: float | None, problems: list[Problem]) -> None:
        self.base, self.problems = scenario, problems
        self.target = getattr(scenario.rule, "target", None) if target is None else target
        self.overdose_above = scenario.toxicity.overdose_above or target or scenario.overdose_above
        self.without_target: list[str] = []

    def located(self, read: Callable[[int, Any], R], number: int, given: Any) -> R:
        """Return what a reader makes of a rule or a truth; the problems that it notes name its file, if any."""
        before = len(self.problems)
        made = read(number, given)
        for _, _, said in text_faults(made[0] if isinstance(made, tuple) else getattr(made, "label", "")):
            self._note(f"label {number}", "", said)
        if isinstance(given, Written):
            self.problems[before:] = map(given.located, self.problems[before:])
        return made

    def scenario(self, number: int, rule: Any) -> tuple[str, Scenario] | None:
        """Return label and scenario of a rule; ``None`` if there is a problem, which is noted."""
        label, rule = (rule.label, rule.item) if isinstance(rule, _Labelled) else ("", rule)
        rule = rule_of_text(rule) if isinstance(rule, str) else rule
        if isinstance(rule, Mapping):
            options = {key: value for key, value in rule.items() if key != "label"}
            label = label or str(rule.get("label", ""))
            where = f"rule {number} ({label or options.get('name', options.get('python', 'no name'))})"
            changes = dict(self._changes(options))
            made = self._changed(where, options, changes)
        elif isinstance(rule, Scenario):
            where, changes, made = f"rule {number} ({label or rule.rule.name})", {}, rule
        else:
            self._note(f"rule {number}", short(rule), "must be a name, a dictionary of options, or a scenario")
            return None
        if made is None or not self._has_the_same_doses(where, made):
            return None
        words = [rule_words(made.rule, {"target"} if getattr(made.rule, "target", None) == self.target else ())]
        words += [f"{key} {short(value).strip(chr(34))}" for key, value in changes.items()]
        return label or ", ".join(words), made

    def _changed(self, where: str, options: Mapping[str, Any], changes: Mapping[str, Any]) -> Scenario | None:
        """Return the scenario with the options of a rule, and changes to other sections."""
        if f"toxicity.{OF_TRUTH}" in changes:
            self._note(f"{where}: toxicity.{OF_TRUTH}", "", "what nature does is a truth, not a rule's option")
            return None
        own = {key: value for key, value in options.items() if not _is_of_another_section(key) or key == "rule"}
        if own == {"name": self.base.rule.name}:
            return self._replace(where, {**self._new_target(), **changes})
        return self._replace(where, {"rule": self._with_target(where, own), **changes})

    def _new_target(self) -> dict[str, Any]:
        """Return what changes of the scenario's own rule, which a name alone means: its target, if one was given."""
        return {"rule.target": self.target} if hasattr(self.base.rule, "target") else {}

    def _changes(self, options: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield changes to other sections as dotted keys; a section that the scenario does not have is given whole."""
        for name, section in options.items():
            if _is_of_another_section(name) and name != "rule":
                if isinstance(section, Mapping) and getattr(self.base, name, None) is not None:
                    yield from ((f"{name}.{key}", value) for key, value in section.items())
                else:
                    yield name, section

    def _has_the_same_doses(self, where: str, scenario: Scenario) -> bool:
        labels, wanted = ([level.label for level in one.dose_levels] for one in (scenario, self.base))
        if labels != wanted:
            self._note(f"{where}: dose_levels", short(labels), f"must be those of the scenario: {', '.join(wanted)}")
        return labels == wanted

    def _with_target(self, where: str, options: dict[str, Any]) -> dict[str, Any]:
        """Give a rule that needs a target and names none the one of the comparison."""
        kind = RULES.get(str(options.get("name")))
        needed = kind is not None and "target" in kind.model_fields and kind.model_fields["target"].is_required()
        if not needed or "target" in options:
            return options
        if self.target is None and not (kind and _mistyped("target", options, kind.model_fields)):
            self.without_target.append(where)
        return {**options, "target": STAND_IN if self.target is None else self.target}

    def say_who_lacks_a_target(self) -> None:
        """Note all rules that need a target and have none as one problem."""
        if self.without_target:
            who = ", ".join(self.without_target)
            said = f"is missing, and needed by {who}: give one for all that need it, as target=0.25 (--target 0.25)"
            self.problems.insert(0, Problem(key="target", message=said))

    def truth(self, number: int, truth: Any) -> Truth | None:
        """Return a truth; ``None`` if there is a problem, which is noted."""
        label, truth = (truth.label, truth.item) if isinstance(truth, _Labelled) else ("", truth)
        given: Mapping[str, Any] = truth if isinstance(truth, Mapping) else {OF_TRUTH: truth}
        label, p, mtd = label or str(given.get("label", "")), given.get(OF_TRUTH), given.get(MTD)
        listed: Any = p.tolist() if isinstance(p, np.ndarray) else p
        where = f"truth {number}" + (f" ({label})" if label else "")
        if not isinstance(listed, (list, tuple)):
            self._note(where, short(listed), "must be a list of P(DLT), one for each dose level")
            return None
        changes = {OF_TRUTH: list(listed), OVERDOSE: self.overdose_above, MTD: mtd}
        made = self._replace(where, {f"toxicity.{key}": value for key, value in changes.items()})
        if made is None:
            return None
        known = tuple(made.toxicity.dlt_probability)
        level = made.mtd_level if self.overdose_above is not None or mtd is not None else None
        return Truth(label or truth_words(known), known, self.overdose_above, NO_DOSE if level == 0 else level)

    def _replace(self, where: str, changes: dict[str, Any]) -> Scenario | None:
        try:
            return self.base.replace(changes)
        except ScenarioError as error:
            self.problems += [replace(problem, key=f"{where}: {problem.key}") for problem in error.problems]
            return None

    def _note(self, key: str, value: str, message: str) -> None:
        self.problems.append(Problem(key=key, value=value, message=message))


def _mistyped(name: str, options: Collection[str], known: Collection[str]) -> bool:
    """Return whether one of some options, which is none, was meant to have a name."""
    return any(near(key, known) == [name] for key in options if key not in known)


def _is_of_another_section(key: str) -> bool:
    """Return whether an option beside a rule's own changes another section: ``limits``, ``safety.cohort_size``."""
    return key.partition(".")[0] in Scenario.model_fields
