"""A whole scenario is checked however it is made.

From a file, in Python, by a change, as a copy or in another process: its sections are checked each by itself, then
together, and what is wrong is said in the same words, all of it at once.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Self

from pydantic import BaseModel, TypeAdapter, ValidationError, model_validator

from ..errors import Problem, ScenarioError
from . import checks
from .fault_words import Fault, KeyPath, findings, key_text, problem, short, suggestion
from .places import dotted, key_exists, leaves, put, value_of, with_dates
from .ranges import range_fault
from .rule_files import read_missing_table
from .rules import of_another_rule
from .section import Section
from .texts import parse_json, text_faults
from .values import plain

_ABOUT_VALUES = {"sources", "ranges", "schema_version"}
"""What says something about values of the other sections, or about the file."""


class NotTogetherError(ValueError):
    """Sections that are valid each by itself do not go together.

    Parameters
    ----------
    faults : list of Fault
        What is wrong.
    """

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("; ".join(str(problem(fault)) for fault in faults))


class Whole(Section):
    """A whole scenario, which cannot be made without its checks; equal ones have equal hashes.

    Parameters
    ----------
    **values
        Its sections, each as a section or a dictionary, with the keys of a scenario file. Dates may be ISO text. The
        file that a decision table names is read, relative to the folder of the session.

    Raises
    ------
    ScenarioError
        If a value is not allowed, or two sections do not go together; all problems at once.
    """

    def __init__(self, /, **values: Any) -> None:
        data = with_dates(plain(values), type(self))
        self._fill(data, read_missing_table(data))

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # pydantic goes past it, to _goes_together

    @classmethod
    def checked(
        cls,
        data: dict[str, Any],
        unread: Iterable[Fault] = (),
        file: str = "",
        lines: Mapping[KeyPath, int] | None = None,
    ) -> Self:
        """Return the scenario of plain values, or raise with everything that is wrong with it and with its files.

        Parameters
        ----------
        data : dict
            All values, as a scenario file gives them.
        unread : iterable of Fault
            What is wrong with the files that the rule names.
        file : str
            Where the values were read; empty where in no file.
        lines : mapping of key path to int
            The line of every key in the file.

        Raises
        ------
        ScenarioError
            With all problems, in the order of the file.
        """
        made = cls.__new__(cls)
        made._fill(data, unread, file, lines)
        return made

    @classmethod
    def range_faults(cls, data: dict[str, Any], ranges: Mapping[str, Any]) -> Iterator[Fault]:
        """Yield what is wrong with ranges: the value lies inside, and either end in its place is a valid scenario."""
        values = {name: value for name, value in data.items() if name not in ("ranges", "sources")}
        for key, (low, high) in ranges.items():
            where, said = ("ranges", key), short([low, high])
            ends = {name: _copy_for(values, key) for name in ("low", "high")}
            misplaced = [put(ends[name], key, end, cls) for name, end in (("low", low), ("high", high))]
            fault = misplaced[0].message if misplaced[0] else _range_fault(values, key, low, high)
            if fault:
                yield where, said, fault
                continue
            for name, changed_values in ends.items():
                for path, value, message in cls.__new__(cls)._take(changed_values):
                    at = key_text(path) + (f" = {value}" if value else "")
                    yield where, said, f"the {name} end gives no valid scenario: {at}: {message}"

    def _fill(
        self,
        data: dict[str, Any],
        unread: Iterable[Fault],
        file: str = "",
        lines: Mapping[KeyPath, int] | None = None,
    ) -> None:
        """Fill in the sections, or raise; what else is wrong with a rule whose file is not read follows from that."""
        unread = list(unread)
        faults = [*unread, *(fault for fault in self._take(data) if not (unread and fault[0][:1] == ("rule",)))]
        faults += text_faults(data)
        if faults:
            problems = [problem(fault, file, lines) for fault in faults]
            raise ScenarioError(sorted(problems, key=lambda problem: problem.line))

    def _take(self, data: dict[str, Any]) -> list[Fault]:
        """Fill in the sections from plain values, and return everything that is wrong with them."""
        try:
            BaseModel.__init__(self, **data)
        except ValidationError as error:
            cause = error.errors()[0].get("ctx", {}).get("error")
            if isinstance(cause, NotTogetherError):
                return cause.faults
            return [*findings(error, type(self)), *_between(_valid_sections(data, type(self)))]
        return []

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        """Check what needs several sections."""
        faults = list(_between({name: getattr(self, name) for name in type(self).model_fields}))
        said = {name: getattr(self, name) for name in ("sources", "ranges")}
        if any(said.values()):
            data = plain(self)
            faults += _source_faults(data)
            faults = faults or list(self.range_faults(data, data["ranges"]))
        if faults:
            raise NotTogetherError(faults)
        return self

    @classmethod
    def model_validate(cls, obj: Any, **_: Any) -> Self:
        """Return the scenario of a mapping, or of a scenario; checked as every other."""
        if not isinstance(obj, (Mapping, BaseModel)):
            raise ScenarioError([Problem(key="", message=f"a scenario is a table of sections, got {short(obj)}")])
        return cls(**plain(obj))

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Self:
        """Return the scenario of a JSON text, as `model_dump_json` and ``resolved.json`` have it; checked."""
        return cls(**parse_json(json_data if isinstance(json_data, str) else json_data.decode(), ""))

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:  # type: ignore[override]
        """Return the scenario of its sections; pydantic's name for a way past the checks, which there is none."""
        return cls(**values)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).model_validate, (plain(self),)


def _range_fault(values: dict[str, Any], key: str, low: Any, high: Any) -> str:
    try:
        return range_fault(value_of(values, key), low, high)
    except LookupError:
        return "there is no such value: it does not belong to the kind that is chosen here"


def _copy_for(values: dict[str, Any], key: str) -> dict[str, Any]:
    """Return plain values in which a dotted key can be changed without changing it in these."""
    section = dotted(key).split(".")[0]
    return {**values, section: copy.deepcopy(values.get(section))} if section in values else dict(values)


def _between(valid: dict[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong between sections that are valid by themselves."""
    for path, value, message in checks.complaints(valid):
        yield path, short(value), message


def _source_faults(data: dict[str, Any]) -> Iterator[Fault]:
    """Yield which sources are of no value that there is."""
    known = leaves({name: value for name, value in data.items() if name not in _ABOUT_VALUES})
    for key, source in data["sources"].items():
        if not key_exists(key, known) and not of_another_rule(key):
            yield ("sources", key), short(source), f"there is no such key{suggestion(key, set(known))}"


def _valid_sections(data: dict[str, Any], root: type[BaseModel]) -> dict[str, Any]:
    """Return those sections that are valid by themselves."""
    valid = {}
    for name, field in root.model_fields.items():
        if name not in data and field.is_required():
            continue
        try:
            given = name in data
            valid[name] = _section(root, name).validate_python(data[name], strict=True) if given else field.default
        except ValidationError:
            continue
    return valid


@cache
def _section(root: type[BaseModel], name: str) -> TypeAdapter[Any]:
    """Return what checks a section by itself."""
    return TypeAdapter(root.model_fields[name].rebuild_annotation())
