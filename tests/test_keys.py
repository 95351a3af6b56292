"""`escalate keys` tells every key of the model, and every example is one that a scenario may have."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import textwrap
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

import escalate
from conftest import ROOT
from escalate.cli import main
from escalate.report.keys import keys_page, keys_text
from escalate.rules import catalogue
from escalate.scenario.command_line import with_settings
from escalate.scenario.keys import MUST, Key, KeySection, find_keys, key_sections, toml_value
from escalate.scenario.model import Scenario
from escalate.scenario.places import value_of
from escalate.scenario.rules import RULES
from escalate.scenario.section import Section
from escalate.scenario.values import plain

BASE = ROOT / "tests" / "data" / "open-every-day.toml"
PYTHON = """import escalate


@escalate.rule(target=0.25)
def cautious(known):
    return "stay"
"""
"""The file that the example of a Python rule names; its fingerprint is the example of `rule.sha256`."""

TABLE = "evaluable,dlts,decision\n" + "".join(
    f"{n},{y},{letter}\n"
    for n, letters in {3: "E S D DU", 6: "E E S D DU DU DU", 9: "E E S S D DU DU DU DU DU"}.items()
    for y, letter in enumerate(letters.split())
)
EACH = [(section, key) for section in key_sections() for key in section.keys]
"""Every key with its section."""

INNER = {"lymphodepletion", "body_surface_area", "onset", "pauses", "rates", "closed"}
"""Fields of sections that are sections themselves."""

BESIDE = {
    "dose_levels.infusion_shares": {"infusion_days": "[0, 7, 14]"},
    "capacity.patients_at_once": {"discharge_days": "14"},
    "capacity.discharge_days": {"patients_at_once": "2"},
    **{
        f"product.{key}": {"batches_every_days": "42"}
        for key in ("doses_at_start", "doses_per_batch", "batch_failure_probability")
    },
    **{f"screening.{key}": {"while_closed": '"list"'} for key in ("candidates_per_place", "opens_days_ahead")},
    "accrual.patience_days": {"without_place": '"wait"'},
    "stopping.too_toxic_above": {"too_toxic_probability": "0.9"},
    "what_if.drop_out": {"drop_out_day": "90"},
}
"""What a key needs in its own section, where that is not what must be given."""

AROUND = {
    "safety.when_rule_finished": {"stopping": {"expansion_too_toxic_probability": 1.0, "too_toxic_above": 0.3}},
    "stopping.expansion_too_toxic_probability": {
        "safety": {"when_rule_finished": "expand"},
        "stopping": {"too_toxic_above": 0.3},
    },
    "stopping.too_toxic_probability": {"stopping": {"too_toxic_above": 0.3}},
    "stopping.interval_width": {"rule": {"name": "BOIN", "target": 0.25}},
    "safety.dlt_window_anchor": {"treatment": {"infusion_days": [0, 3, 6]}},
    "safety.urgent_review_days": {"safety": {"early_decision": True}},
    "safety.later_infusions_at_closed_level": {"treatment": {"infusion_days": [0, 3, 6]}},
    "treatment.place_reserved": {"screening": {"while_closed": "list"}},
    "treatment.later_infusion_weekdays": {"treatment": {"infusion_days": [0, 3, 6]}},
    "treatment.infusion_shares": {"treatment": {"infusion_days": [0, 3, 6]}},
}
BY_SITE = {"accrual": {"kind": "by_site"}, "sites": [{"name": "Wuhan", "consents_per_month": 1.0}]}
"""What a site needs, and what needs sites."""

"""What a key needs in other sections of the base case, or beside it."""


def fields(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)


def test_every_key_of_the_model_is_told() -> None:
    """Names, by section, are those of the model's classes: found there by another way than the schema."""
    told = {(section.path, section.kind): {key.name for key in section.keys} for section in key_sections()}
    for name, options in RULES.items():
        assert told["rule", name] == fields(options)
        must = {key.name for section, key in EACH if section.kind == name and key.default == MUST}
        assert must >= {option for option, field in options.model_fields.items() if field.is_required()}, name
    for path in ("trial", "treatment", "safety", "titration", "limits", "stopping", "follow_up", "screening",
                 "toxicity", "attrition", "what_if", "dose_levels", "sites"):  # fmt: skip
        annotation = Scenario.model_fields[path].annotation
        models = [annotation, *getattr(annotation, "__args__", ())]
        model = next(item for item in models if isinstance(item, type) and issubclass(item, BaseModel))
        assert told[path, ""] == fields(model) - INNER, path
    assert {section.path.partition(".")[0] for section in key_sections()} | {"schema_version", "sources", "ranges"} == {
        "",
        *fields(Scenario),
    }


def test_every_key_has_words_and_a_unit_where_its_name_says_so() -> None:
    for section, key in EACH:
        assert section.meaning or not section.path
        assert key.meaning.endswith("."), key
        assert "any value" not in key.allowed or key.name == "ranges", key
        assert key.unit or not key.name.endswith(("_days", "_m2", "_share", "_probability", "_per_month")), key
        assert key.default in (MUST, "none") or tomllib.loads(f"x = {key.default}"), key


def test_every_key_has_an_example() -> None:
    """A new key: add an example of it to src/escalate/scenario/examples.toml; a key that is gone: take it out there."""
    data = tomllib.loads((Path(escalate.__file__).parent / "scenario" / "examples.toml").read_text(encoding="utf-8"))
    written = set(walked(data, ""))
    assert written == {(section.path, section.kind, key.name) for section, key in EACH}


def walked(data: Mapping[str, Any], path: str, kind: str = "") -> Any:
    sections = {section.path for section in key_sections()}
    for name, value in data.items():
        inner = f"{path}.{name}" if path else name
        if inner in sections:
            kinds = {section.kind for section in key_sections() if section.path == inner}
            for item in value if isinstance(value, list) else [value]:
                own = str(item.get("name", item.get("kind"))) if len(kinds) > 1 else ""
                yield from walked(item, inner, own)
        else:
            yield path, kind, name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my_rules.py").write_text(PYTHON)
    (tmp_path / "my_table.csv").write_text(TABLE)
    return tmp_path


def loaded(folder: Path, data: dict[str, Any]) -> Scenario:
    """Load a scenario from a file, written key by key."""
    path = folder / "scenario.toml"
    path.write_text("\n".join(f"{name} = {toml_value(value)}" for name, value in data.items()), encoding="utf-8")
    return escalate.load(path, allow_python=True)


def put(data: dict[str, Any], section: KeySection, values: dict[str, Any]) -> None:
    """Put values into their section of plain data, which is made where it is not there or is of another kind."""
    node: Any = data
    *around, last = section.path.split(".") if section.path else [""]
    for part in around:
        node = node.setdefault(part, {})
        node = node[0] if isinstance(node, list) else node
    if not last:
        node.update(values)
        return
    found = node.get(last)
    old = found[0] if isinstance(found, list) and found else found if isinstance(found, dict) else {}
    must = {key.name: tomllib.loads(f"x = {key.example}")["x"] for key in section.keys if key.default == MUST}
    tag = next((name for name in ("name", "kind") if section.kind and name in must), "")
    if tag and old.get(tag) != must[tag]:
        old = {}
    new = {**must, **old, **values}
    node[last] = [new, *(found[1:] if isinstance(found, list) else [])] if section.repeated else new


@pytest.mark.parametrize(("section", "key"), EACH, ids=lambda part: getattr(part, "path", getattr(part, "name", "")))
def test_every_example_is_valid(section: KeySection, key: Key, folder: Path) -> None:
    """Each example, put into the base case, gives a scenario that loads."""
    data = tomllib.loads(BASE.read_text(encoding="utf-8"))
    data = {name: part for name, part in data.items() if name not in ("ranges", "sources")}  # of the base case's keys
    for name, values in AROUND.get(section.dotted(key), {}).items():
        data[name] = {**(data.get(name, {}) if name != "rule" else {}), **values}
    if section.path.startswith("sites") or section.kind == "by_site":
        data |= copy.deepcopy(BY_SITE)
        if key.name == "consent_days":
            del data["sites"][0]["consents_per_month"]
    value = tomllib.loads(f"x = {key.example}")["x"]
    beside = {name: tomllib.loads(f"x = {text}")["x"] for name, text in BESIDE.get(section.dotted(key), {}).items()}
    if section.kind == "off_the_shelf" and key.name == "kind":
        beside |= {"batches_every_days": 42}
    if section.kind in ("CRM", "TITE-CRM") and key.name != "prior_mtd_level":
        beside |= {"skeleton": [0.12, 0.25]}
    if section.kind == "table":
        beside |= {
            "target": 0.25,
            "decisions": {"3": "E S D DU", "6": "E E S D DU DU DU", "9": "E E S S D DU DU DU DU DU"},
        }
    if section.path.startswith("sites."):
        inside = {part.name: tomllib.loads(f"x = {part.example}")["x"] for part in section.keys}
        data["sites"][0][section.path.partition(".")[2]] = [{**inside, key.name: value}]
    else:
        put(data, section, {**beside, key.name: value})
    if section.path == "accrual.pauses":
        data["accrual"]["pauses"] = [{"first_day": data["accrual"]["pauses"][0]["first_day"], **{
            part.name: tomllib.loads(f"x = {part.example}")["x"] for part in section.keys}}]  # fmt: skip
    scenario = loaded(folder, data)
    resolved = scenario.model_dump(mode="python")
    for part in section.path.split(".") if section.path else ():
        resolved = resolved[part][0] if isinstance(resolved[part], list | tuple) else resolved[part]
    assert toml_value(resolved[key.name]) == toml_value(value) or float(resolved[key.name]) == value


def sections_below(model: type[BaseModel]) -> list[type[BaseModel]]:
    return [inner for each in model.__subclasses__() for inner in (each, *sections_below(each))]


def test_what_is_allowed_is_so() -> None:
    """An end of a range that is told as allowed is taken by the model, and what lies beyond it is refused."""
    models, asked = sections_below(Section), 0
    for section, key in [(section, key) for section, key in EACH if section.path]:
        names = {item.name for item in section.keys}
        of_kind = RULES.get(section.kind) if section.path == "rule" else None
        model = of_kind or next(item for item in models if names <= fields(item) and fields(item) - names <= INNER)
        field = model.model_fields[key.name]
        check = TypeAdapter(field.rebuild_annotation())
        words = key.allowed.rpartition("each: ")[2]
        found = re.findall(r"(above|at least|below|at most|from|to) (-?[\d.,]+\d|-?\d)", words)
        for word, text in found:
            number = json.loads(text.replace(",", ""))
            whole = "whole" in words
            step = 1 if whole else max(1e-9, 1e-9 * abs(number))
            beyond = number - step if word in ("above", "at least", "from") else number + step
            inside = number + step if word == "above" else number - step if word == "below" else number
            refused = number if word in ("above", "below") else beyond
            assert takes(check, inside, key), (section.path, key, inside)
            assert not takes(check, refused, key), (section.path, key, refused)
            asked += 1
    assert asked > 100


def takes(check: TypeAdapter[Any], number: float, key: Key) -> bool:
    """Return whether a field takes a number; in a list or a table, if that is what it holds."""
    held: Any = {"a": number} if key.allowed.startswith("table") else number
    held = [number] * 2 if key.allowed.startswith("list") else held
    try:
        check.validate_python(held, strict=True)
    except ValidationError:
        return False
    return True


def test_the_python_example_is_its_files_fingerprint() -> None:
    [(_, keys)] = find_keys("rule.sha256")
    assert keys[0].example == toml_value(hashlib.sha256(PYTHON.encode()).hexdigest())


@pytest.mark.parametrize(
    ("asked", "sections", "keys"),
    [
        ("safety", 1, None),
        ("[safety]", 1, None),
        ("[[what_if]]", 1, None),
        ("safety.cohort_size", 1, ["cohort_size"]),
        ("cohort_size", 1, ["cohort_size"]),
        ("dose_levels.0.cells", 1, ["cells"]),
        ("toxicity.dlt_probability[2]", 1, ["dlt_probability"]),
        ("accrual.pauses", 1, None),
        ("accrual.pauses[1].first_day", 1, ["first_day"]),
        ("pauses", 2, None),  # of the accrual, and of sites
        ("sites[2].opens", 1, ["opens"]),
        ("boin", 1, None),
        ("rule.TITE-CRM", 1, None),
        ("rule", len(RULES), None),
        ("accrual", 5, None),
        ("sources", 1, ["sources"]),
    ],
)
def test_a_name_finds_its_keys(asked: str, sections: int, keys: list[str] | None) -> None:
    found = find_keys(asked)
    assert len(found) == sections
    for section, told in found:
        assert [key.name for key in told] == (keys or [key.name for key in section.keys])


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("safety.cohort_siz", "Did you mean `safety.cohort_size`?"),
        ("cohort_siz", "Did you mean `cohort_size`?"),
        ("tite-bion", "Did you mean `TITE-BOIN`?"),
        ("zzzz", "Sections are: trial, dose_levels, dose_levels.lymphodepletion, treatment,"),
    ],
)
def test_an_unknown_key_is_refused_with_what_comes_close(
    asked: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", asked]) == 2
    said = capsys.readouterr().err
    assert f"there is no key or section {asked!r} in a scenario" in said
    assert says in said


def test_what_kinds_share_is_told_once() -> None:
    told = keys_text("target")
    assert told.count("target = ") == 2  # rules with a target; the table, whose target is for the recommendation
    assert '"BOIN", "TITE-BOIN", "mTPI"' in told


@pytest.mark.parametrize("section", [one for one in key_sections() if one.repeated], ids=lambda one: one.path)
def test_a_list_of_tables_is_set_as_its_keys_show(section: KeySection) -> None:
    """Every line that `escalate keys` shows of such a list works, on the command line and in a file."""
    path = section.path
    told = keys_text(path).partition("\n\n[[")[0]  # without what is inside it
    lines = re.findall(r"^ +--set '(.*)'$", told, re.MULTILINE)
    changed = [line.partition("=")[0].replace("[1]", "") for line in lines]
    assert changed == [path, f"{path}.{section.keys[0].name}"]
    base = escalate.load(BASE).replace(
        {"dose_levels": [{"label": "low"}], "toxicity": {"dlt_probability": [0.1]}, "what_if": []}
    )
    if path.startswith("sites"):
        base = base.replace(BY_SITE)
    whole = with_settings(base, lines[:1])
    assert with_settings(whole, lines[1:]).replace({"sources": {}}) == whole.replace({"sources": {}})
    written = textwrap.dedent(re.split(r"once for each.*:\n", told)[1].partition("\n\n")[0])
    given = [
        {name: value for name, value in one.items() if value not in (None, [])}
        for one in value_of(plain(whole), section.place)
    ]
    assert value_of(tomllib.loads(written), path) == given


def test_the_verb_prints_the_public_text(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, text in ((["keys"], keys_text()), (["keys", "limits"], keys_text("limits"))):
        assert main(arguments) == 0
        assert capsys.readouterr().out == text + "\n"
    assert main(["keys", "--markdown"]) == 0
    assert capsys.readouterr().out == keys_page() + "\n"
    assert main(["keys", "safety", "--markdown"]) == 2
    assert "--markdown writes every key" in capsys.readouterr().err


def test_lines_of_the_text_are_short_but_for_examples() -> None:
    assert [line for line in keys_text().splitlines() if len(line) > 110 and " = " not in line] == []


def test_rules_say_of_an_option_what_keys_say() -> None:
    """`escalate rules NAME` and `escalate keys NAME` describe an option in the same words."""
    for name in RULES:
        told = " ".join(catalogue.rules(name).split())
        [keys] = [section.keys for section in key_sections() if section.kind == name]
        for key in keys:
            assert key.name in ("name", "sha256") or f"{key.name} ({key.allowed}; " in told
            assert key.name in ("name", "sha256") or key.meaning in told
