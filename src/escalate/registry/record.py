"""The fields of a registry record that a scenario can use, whatever the record lacks.

Real records lack modules, carry nulls, and give dates as months. A field of the wrong type counts as missing.
"""

from __future__ import annotations

import calendar
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Generic, TypeVar

from ..errors import RecordError
from ..files import MOST_OF_RECORD, read_bytes
from ..words.records import FIRST_START, LAST_START
from .prose import Passage, plain

UNKNOWN_COUNT = 99_999_999
"""What registries write for an enrolment that nobody knows."""

_WANTED = (
    "save one study as JSON in the layout of the ClinicalTrials.gov API v2 (on the study's page there: Download, JSON)"
)
LONGEST_TEXT = 40_000
"""Letters of one text that are read; registries take 32,000."""

_TYPES = {"ACTUAL", "ESTIMATED"}


Value = TypeVar("Value", date, int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated(Generic[Value]):
    """A value with the words of the record.

    Parameters
    ----------
    value : date or int
        The value.
    words : str
        Field and text, for the scenario's source.
    """

    value: Value
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What one registry record states.

    Parameters
    ----------
    file : str
        Name of the file, without its folder.
    registry_id, title : str
        As registered; empty where the record has none.
    start, completion : Stated or None
        Dates; ``None`` where the record has none that can be read.
    enrolment : Stated or None
        Number of patients; ``None`` where it is missing or unknown.
    phases : tuple of str
        As the registry codes them: ``EARLY_PHASE1``, ``PHASE1``, ``PHASE2`` ...
    kinds : tuple of str
        Types of the interventions: ``DRUG``, ``BIOLOGICAL``, ``DEVICE`` ...
    arms : tuple of str
        Labels of the arms.
    products : tuple of str
        Names of the interventions.
    passages : tuple of Passage
        The texts in which doses may stand: arms, interventions, summary, description, titles. Never eligibility.
    """

    file: str
    registry_id: str
    title: str
    start: Stated[date] | None
    completion: Stated[date] | None
    enrolment: Stated[int] | None
    phases: tuple[str, ...]
    kinds: tuple[str, ...]
    arms: tuple[str, ...]
    products: tuple[str, ...]
    passages: tuple[Passage, ...]


def read_record(path: Path) -> Record:
    """Read a registry record.

    Parameters
    ----------
    path : Path
        A study, or a search answer with exactly one study, as JSON.

    Returns
    -------
    Record
        Its fields; those that are missing or of a wrong type are empty.

    Raises
    ------
    RecordError
        If the file cannot be read, is not JSON, or is not one study.
    """
    protocol = _protocol(_read_json(path), path)
    interventions = _list(protocol, "armsInterventionsModule", "interventions")
    return Record(
        file=path.name,
        registry_id=_text(_at(protocol, "identificationModule", "nctId")),
        title=_text(_at(protocol, "identificationModule", "briefTitle"))
        or _text(_at(protocol, "identificationModule", "officialTitle")),
        start=_date(protocol, "startDateStruct", last_day=False),
        completion=_date(protocol, "completionDateStruct", last_day=True),
        enrolment=_enrolment(protocol),
        phases=tuple(filter(None, map(_text, _list(protocol, "designModule", "phases")))),
        kinds=tuple(
            filter(
                None, (_text(_at(item, "type")) for item in _list(protocol, "armsInterventionsModule", "interventions"))
            )
        ),
        arms=tuple(
            _text(_at(arm, "label")) or f"arm {number}"
            for number, arm in enumerate(_list(protocol, "armsInterventionsModule", "armGroups"), 1)
        ),
        products=tuple(
            plain(_text(_at(item, "name"))) or f"intervention {number}" for number, item in enumerate(interventions, 1)
        ),
        passages=tuple(_passages(protocol)),
    )


_GO_ON = "`escalate check {0}` checks a scenario, `escalate run {0}` simulates it"


def _read_json(path: Path) -> Any:
    try:
        raw = read_bytes(path, MOST_OF_RECORD)
    except FileNotFoundError:
        raise RecordError(f"{path}: there is no such file; {_WANTED}, and name that file") from None
    except IsADirectoryError:
        raise RecordError(f"{path}: is a folder; name a registry record (.json) in it") from None
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}; check the file and its permissions") from None
    except ValueError as error:
        raise RecordError(f"{path}: names no file: {error}; {_WANTED}") from None
    if path.suffix.lower() == ".toml":
        raise RecordError(f"{path}: is a scenario or a study, and no registry record: {_GO_ON.format(path)}")
    if raw.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise RecordError(f"{path}: is XML or a web page, not JSON; {_WANTED}")
    try:
        return _clean(json.loads(raw))
    except json.JSONDecodeError as error:
        raise RecordError(f"{path}:{error.lineno}: is not JSON: {error.msg.lower()}; {_WANTED}") from None
    except RecursionError:
        raise RecordError(f"{path}: is nested too deeply to be a registry record; {_WANTED}") from None
    except ValueError as error:
        raise RecordError(f"{path}: is not JSON: {error}; {_WANTED}") from None


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def _clean(value: Any) -> Any:
    """Return what a record says with a blank for each control character: a draft is printed, and read again."""
    if isinstance(value, str):
        return _CONTROL.sub(" ", value)
    if isinstance(value, dict):
        return {_CONTROL.sub(" ", key): _clean(inner) for key, inner in value.items()}
    return [_clean(inner) for inner in value] if isinstance(value, list) else value


_OTHER_LAYOUTS = {
    "FullStudiesResponse": "is in the classic layout of ClinicalTrials.gov, which the registry has given up",
    "StudyFieldsResponse": "is in the classic layout of ClinicalTrials.gov, which the registry has given up",
    "ProtocolSection": "is in the classic layout of ClinicalTrials.gov, which the registry has given up",
    "isrctn": "is a record of ISRCTN",
    "a2_eudract_number": "is a record of EUCTR, the older European register",
    "ctNumber": "is a record of CTIS, the European register",
    "ctrname": "is a record of CTIS, the European register",
    "authorizedApplication": "is a record of CTIS, the European register",
}
"""A key by which another layout is known, and what it is."""


def _protocol(data: Any, path: Path) -> dict[str, Any]:
    studies = _at(data, "studies")
    if isinstance(studies, list):
        if len(studies) != 1:
            raise RecordError(f"{path}: is a search answer with {_several(studies)}; {_WANTED}")
        data = studies[0]
    protocol = _at(data, "protocolSection")
    if isinstance(protocol, dict):
        return protocol
    if _at(data, "schema_version") is not None:
        raise RecordError(f"{path}: is a scenario, and no registry record: {_GO_ON.format(path)}")
    for key, words in _OTHER_LAYOUTS.items():
        if _at(data, key) is not None or _at(data, "Study", key) is not None:
            raise RecordError(f"{path}: {words}: it is not read. If the trial is at ClinicalTrials.gov too, {_WANTED}")
    raise RecordError(f"{path}: is JSON of another layout, without `protocolSection`; {_WANTED}")


def _several(studies: list[Any]) -> str:
    """Say how many studies there are, and which."""
    names = [_text(_at(study, "protocolSection", "identificationModule", "nctId")) for study in studies[:5]]
    listed = ", ".join(name for name in names if re.fullmatch(r"NCT\d{8}", name))
    more = " and more" if len(studies) > len(names) else ""
    return f"{len(studies)} studies" + (f" ({listed}{more})" if listed else "")


def _at(node: Any, *keys: str) -> Any:
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _list(node: Any, *keys: str) -> list[Any]:
    found = _at(node, *keys)
    return found if isinstance(found, list) else []


def _text(value: Any) -> str:
    """Return a text that can be written as UTF-8, or an empty one."""
    return re.sub("[\ud800-\udfff]", "\ufffd", value).strip() if isinstance(value, str) else ""


def _date(protocol: dict[str, Any], field: str, *, last_day: bool) -> Stated[date] | None:
    """Return a date of the status module; of a month its first or its last day."""
    struct = _at(protocol, "statusModule", field)
    written = _text(_at(struct, "date"))
    found = re.fullmatch(r"(\d{4})-(\d\d)(?:-(\d\d))?", written, re.ASCII)
    if found is None:
        return None
    year, month = int(found[1]), int(found[2])
    words = f"{field} {written}" + _type_words(struct)
    try:
        if found[3]:
            value = date(year, month, int(found[3]))
        else:
            value = date(year, month, calendar.monthrange(year, month)[1] if last_day else 1)
            words += f", {'last' if last_day else 'first'} day of the month taken"
    except ValueError:
        return None
    return Stated(value=value, words=words) if FIRST_START <= value <= LAST_START else None


def _enrolment(protocol: dict[str, Any]) -> Stated[int] | None:
    struct = _at(protocol, "designModule", "enrollmentInfo")
    count = _at(struct, "count")
    if isinstance(count, bool) or not isinstance(count, int) or not 0 < count < UNKNOWN_COUNT:
        return None
    return Stated(value=count, words=f"enrollmentInfo.count {count}{_type_words(struct)}")


def _type_words(struct: Any) -> str:
    kind = _at(struct, "type")
    return f" ({kind})" if isinstance(kind, str) and kind in _TYPES else ""


def _passages(protocol: dict[str, Any]) -> Iterator[Passage]:
    for group, name in (("armGroups", "label"), ("interventions", "name")):
        for number, item in enumerate(_list(protocol, "armsInterventionsModule", group)):
            for field in (name, "description"):
                yield from _passage(f"{group}[{number}].{field}", _at(item, field))
    for field in ("briefSummary", "detailedDescription"):
        yield from _passage(field, _at(protocol, "descriptionModule", field))
    for field in ("briefTitle", "officialTitle"):
        yield from _passage(field, _at(protocol, "identificationModule", field))


def _passage(where: str, value: Any) -> Iterator[Passage]:
    text = plain(_text(value)[:LONGEST_TEXT])
    if text:
        yield Passage(where=where, text=text)
