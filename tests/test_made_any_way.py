"""However a scenario is made, it passes the same checks, is said to be wrong in the same words, and never changes."""

# ruff: noqa: E501

from __future__ import annotations

import copy
import json
import pickle
import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, TypeAdapter, ValidationError

import escalate as esc
from conftest import ROOT, SCENARIOS
from escalate import Scenario, ScenarioError, load, shipped
from escalate.cli import main
from escalate.scenario import checks
from escalate.scenario.fault_words import models_at
from escalate.scenario.section import Section
from escalate.scenario.texts import CONTROL
from escalate.scenario.toml_text import toml_text
from escalate.scenario.values import FrozenTable, frozen, plain
from escalate.studies.study import read_study
from small import small
from strategies import any_rule, scenarios

Made = Scenario | list[tuple[str, str, str]]
"""A scenario, or key, value and message of everything that is wrong with it."""

WRONG = (-1, 0, 1.5, 2.0, 10**7, "text", "2024-13-01", True, [], [1], {}, {"x": 1}, [[0.1], [0.2]])
"""Values that most keys do not take."""


DATE = re.compile(r'^"(\d{4}-\d\d-\d\d)"$')
"""The value of an unknown key, where JSON, which has no dates, has text."""


def made(make: Callable[[], Scenario]) -> Made:
    try:
        return make()
    except ScenarioError as error:
        return sorted((problem.key, DATE.sub(r"\1", problem.value), problem.message) for problem in error.problems)


def without_none(value: Any) -> Any:
    """Return plain values as a TOML file has them: what has no value is left out."""
    if isinstance(value, dict):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    return [without_none(item) for item in value] if isinstance(value, list) else value


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of everything inside nested plain values."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))


def at(node: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        node = node[part]
    return node


@st.composite
def data_of_scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the plain values of a scenario: valid, or with one or two faults, which may cancel each other."""
    data: dict[str, Any] = without_none(plain(draw(st.one_of(scenarios(everything=True, sites=True), any_rule()))))
    data["sources"] = draw(
        st.sampled_from([{}, {"toxicity": "assumption: chosen", "follow_up.days": "registry: text"}])
    )
    data["ranges"] = draw(st.sampled_from([{}, {}, {"follow_up.days": [data["follow_up"]["days"], 400]}]))
    for _ in range(draw(st.sampled_from([1, 1, 2, 0]))):
        place = draw(st.sampled_from(sorted(paths(data), key=str)))
        around, key = at(data, place[:-1]), place[-1]
        match draw(st.sampled_from(["value", "value", "missing", "unknown", "twice", "source", "range", "together"])):
            case "value":
                around[key] = copy.deepcopy(draw(st.sampled_from(WRONG)))
            case "missing":
                del around[key]
            case "unknown" if isinstance(around, dict):
                around[f"{key}x"] = around[key]
            case "twice" if isinstance(around, list):
                around.append(copy.deepcopy(around[key]))
            case "source":
                data["sources"] = {"follow_up.dayss": "assumption: chosen", "safety": "somebody said so"}
            case "range":
                data["ranges"] = {".".join(map(str, place)): [draw(st.sampled_from(WRONG)), 1]}
            case _:
                data["follow_up"] = {"days": 0}
    return data


class AsPickled:
    """What another process sent: pickled as a scenario is, with other values."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def __reduce__(self) -> tuple[Any, ...]:
        make, (held,) = GOOD.__reduce__()
        assert held == plain(GOOD)
        return make, (self.data,)


GOOD = load(ROOT / "scenarios" / "nct06337474.toml")


def ways(data: dict[str, Any], folder: Path) -> dict[str, Callable[[], Scenario]]:
    """Return every way in which values become a scenario."""
    as_toml, as_json = folder / "scenario.toml", folder / "scenario.json"
    as_toml.write_text(toml_text(frozen(data)), encoding="utf-8")
    text = json.dumps(data, default=date.isoformat)
    as_json.write_text(text, encoding="utf-8")
    tuples = {key: frozen(value) for key, value in data.items()}
    return {
        "a file in TOML": lambda: load(as_toml),
        "a resolved file": lambda: load(as_json),
        "a mapping": lambda: load(data),
        "a mapping from JSON": lambda: load(json.loads(text)),
        "the constructor": lambda: Scenario(**data),
        "the constructor with tuples": lambda: Scenario(**tuples),
        "model_validate": lambda: Scenario.model_validate(data),
        "model_validate_json": lambda: Scenario.model_validate_json(text),
        "model_construct": lambda: Scenario.model_construct(**data),
        "unpickled": lambda: pickle.loads(pickle.dumps(AsPickled(data))),
    }


@given(data=data_of_scenarios())
@settings(max_examples=80, deadline=None)
def test_every_way_gives_the_same_scenario_or_the_same_words(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]
) -> None:
    found = {name: made(make) for name, make in ways(data, tmp_path_factory.mktemp("ways")).items()}
    first = found["a file in TOML"]
    assert all(other == first for other in found.values()), found
    if isinstance(first, Scenario):
        assert {hash(other) for other in found.values()} == {hash(first)}


@given(
    scenario=st.one_of(scenarios(everything=True, sites=True), any_rule()), wrong=st.sampled_from(WRONG), pick=st.data()
)
@settings(max_examples=100, deadline=None)
def test_a_change_is_checked_as_a_new_scenario(scenario: Scenario, wrong: Any, pick: st.DataObject) -> None:
    data = plain(scenario)
    name = pick.draw(st.sampled_from(["trial", "treatment", "safety", "rule", "follow_up", "accrual", "toxicity"]))
    place = pick.draw(st.sampled_from(sorted(paths(data[name]), key=str)))
    section = copy.deepcopy(data[name])
    at(section, place[:-1])[place[-1]] = wrong
    new = made(lambda: Scenario(**{**data, name: section}))
    changed = {
        "replace": made(lambda: scenario.replace({name: section})),
        "replace a key": made(lambda: scenario.replace({".".join(map(str, (name, *place))): wrong})),
        "model_copy": made(lambda: scenario.model_copy(update={name: section})),
        "copy": made(lambda: scenario.copy(update={name: section})),
    }
    if isinstance(new, Scenario):
        new = made(lambda: Scenario(**{**plain(new), "sources": {}}))
        told = {way: made(lambda one=one: Scenario(**{**plain(one), "sources": {}})) for way, one in changed.items()}
        assert all(isinstance(one, Scenario) for one in changed.values()), changed
        assert all(one == new for one in told.values())
    else:
        assert all(one == new for one in changed.values()), (changed, new)


@given(scenario=st.one_of(scenarios(everything=True, sites=True), any_rule()))
@settings(max_examples=60, deadline=None)
def test_there_and_back(tmp_path_factory: pytest.TempPathFactory, scenario: Scenario) -> None:
    file = tmp_path_factory.mktemp("back") / "scenario.toml"
    assert scenario.to_toml(file) == file.read_text(encoding="utf-8")
    again = {
        "TOML": load(file),
        "mapping": load(tomllib.loads(scenario.to_toml())),
        "JSON": Scenario.model_validate_json(scenario.model_dump_json()),
        "pickle": pickle.loads(pickle.dumps(scenario)),
        "copy": copy.copy(scenario),
        "deepcopy": copy.deepcopy(scenario),
        "sections": Scenario(**dict(scenario)),
        "pydantic": TypeAdapter(Scenario).validate_python(plain(scenario)),
    }
    assert load(scenario.resolved()).resolved() == scenario.resolved()
    for way, other in again.items():
        assert other == scenario and hash(other) == hash(scenario), way
        assert other.fingerprint() == scenario.fingerprint(), way


def inside(value: Any) -> Iterator[Any]:
    """Yield everything inside a scenario, and itself."""
    yield value
    items: Any = ()
    if isinstance(value, BaseModel):
        items = vars(value).values()
    elif isinstance(value, dict):
        items = (*value.keys(), *value.values())
    elif isinstance(value, (list, tuple, set)):
        items = value
    for item in items:
        yield from inside(item)


@given(scenario=st.one_of(scenarios(everything=True, sites=True), any_rule()))
@settings(max_examples=30, deadline=None)
def test_nothing_inside_can_be_changed(scenario: Scenario) -> None:
    for each in (scenario.levels, scenario.shares, scenario.lead_days, scenario.window_end_offset):
        assert each is not None  # what is remembered is inside, too
    kinds = {type(value) for value in inside(scenario)}
    sections = {kind for kind in kinds if issubclass(kind, Section)}
    assert kinds - sections <= {str, int, float, bool, date, type(None), tuple, FrozenTable}


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_nothing_inside_a_shipped_scenario_can_be_changed(file: Path) -> None:
    kinds = {type(value) for value in inside(load(file))}
    assert {kind for kind in kinds if not issubclass(kind, Section)} <= {
        str, int, float, bool, date, type(None), tuple, FrozenTable,
    }  # fmt: skip


CHANGES: dict[str, Callable[[Scenario], Any]] = {
    "an element": lambda s: s.toxicity.dlt_probability.__setitem__(0, 0.9),  # type: ignore[attr-defined]
    "a source": lambda s: s.sources.__setitem__("trial.title", "assumption: none"),
    "a source less": lambda s: s.sources.__delitem__("trial.start_date"),
    "all sources": lambda s: s.sources.clear(),
    "sources at once": lambda s: s.sources.update({"trial.title": "assumption: none"}),
    "a source in its place": lambda s: s.sources.__ior__({"trial.title": "assumption: none"}),
    "a default": lambda s: s.sources.setdefault("trial.title", "assumption: none"),
    "a popped source": lambda s: s.sources.pop("trial.start_date"),
    "the last source": lambda s: s.sources.popitem(),
    "an end of a range": lambda s: s.ranges["toxicity.dlt_probability"][0].__setitem__(0, 0.0),
    "a part of an end": lambda s: s.ranges["screening.failure_probability"][0].clear(),
    "a criterion": lambda s: s.screening.failure_probability.update(other=0.1),
    "a key": lambda s: setattr(s.safety, "cohort_size", 4),
    "a key that is none": lambda s: setattr(s.safety, "cohort_siz", 4),
    "a section": lambda s: setattr(s, "safety", None),
    "a key less": lambda s: delattr(s.safety, "cohort_size"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_in_place_is_refused(base: Scenario, change: Callable[[Scenario], Any]) -> None:
    before = base.fingerprint()
    with pytest.raises((TypeError, AttributeError, ValidationError)):
        change(base)
    assert base.fingerprint() == before


def test_a_dictionary_made_of_a_frozen_one_is_free(base: Scenario) -> None:
    more = base.sources | {"trial.max_days": "assumption: other"}
    more["trial.title"] = "assumption: none"
    assert "trial.title" not in base.sources
    assert base.sources == dict(base.sources) and copy.deepcopy(base.sources) is base.sources
    assert pickle.loads(pickle.dumps(base.sources)) == base.sources
    assert hash(FrozenTable(dict(reversed(base.sources.items())))) == hash(base.sources)
    assert base.sources.copy() == base.sources and type(base.sources.copy()) is dict


def test_scenarios_are_keys(base: Scenario) -> None:
    other = base.replace({"safety.cohort_size": 2})
    assert {base: "base", other: "other"}[load("nct06337474")] == "base"
    assert hash(other) != hash(base) and other != base


SAID = {
    "two P(DLT) for six levels": ({"toxicity": {"dlt_probability": [0.1, 0.2]}}, "toxicity.dlt_probability = [0.1, 0.2]: has 2 values, and there are 6 dose levels: one probability for each level is needed"),
    "no follow-up": ({"follow_up": {"days": 0}}, "follow_up.days = 0: follow-up must last at least until the DLT window ends, day 27"),
    "a cohort beyond the cap": ({"rule": {"name": "BOIN", "target": 0.25}, "safety": {"dlt_window_days": 27, "cohort_size": 50}}, "trial.planned_patients = 36: leaves no room for the first cohort of 50; at least 50 is needed"),
}  # fmt: skip


@pytest.mark.parametrize(("update", "says"), SAID.values(), ids=SAID)
def test_what_was_accepted_once(update: dict[str, Any], says: str) -> None:
    six = load("six-dose-oncology")
    says = says.replace("= 36", f"= {six.trial.planned_patients}")
    for make in (
        lambda: Scenario(**{**dict(six), **update}),
        lambda: six.model_copy(update=update),
        lambda: six.replace(update),
        lambda: Scenario.model_validate({**plain(six), **update}),
        lambda: Scenario.model_construct(**{**plain(six), **update}),
        lambda: pickle.loads(pickle.dumps(AsPickled({**plain(six), **update}))),
    ):
        with pytest.raises(ScenarioError) as caught:
            make()
        assert says in str(caught.value).splitlines()
    with pytest.raises(ValidationError, match=r"must last|one probability|leaves no room"):
        TypeAdapter(Scenario).validate_python({**plain(six), **update})


def test_a_section_by_itself_is_checked_in_the_same_words(base: Scenario) -> None:
    toxicity, says = type(base.toxicity), "dlt_probability[2] = 2.0: must be at most 1. It means: Probability of a DLT"
    for make in (
        lambda: toxicity(dlt_probability=(0.1, 2.0)),
        lambda: base.toxicity.model_copy(update={"dlt_probability": [0.1, 2.0]}),
        lambda: base.toxicity.copy(update={"dlt_probability": [0.1, 2.0]}),
    ):
        with pytest.raises(ScenarioError) as caught:
            make()
        assert str(caught.value).startswith(says)
    past = toxicity.model_construct(dlt_probability=[0.1, 2.0])
    with pytest.raises(ScenarioError) as caught:
        Scenario(**{**dict(base), "toxicity": past})
    assert str(caught.value).startswith(f"toxicity.{says}")
    assert base.toxicity.model_copy() is base.toxicity and copy.deepcopy(base.toxicity) is base.toxicity


@pytest.mark.parametrize("thing", [3, None, ["trial"], b"text"])
def test_what_is_no_scenario_at_all(thing: Any) -> None:
    with pytest.raises(ScenarioError, match="a scenario is read from a path, a name or a mapping, got"):
        load(thing)
    with pytest.raises(ScenarioError, match="a scenario is a table of sections"):
        Scenario.model_validate(thing)


def test_values_nested_deeply_are_refused(tmp_path: Path) -> None:
    deep: dict[str, Any] = {}
    for _ in range(3000):
        deep = {"a": deep}
    with pytest.raises(ScenarioError, match="nested deeply"):
        load(deep)


def test_dates_as_text_and_a_rule_by_its_name(base: Scenario) -> None:
    changed = base.replace({"trial.start_date": "2025-01-31", "rule": "rolling six"})
    assert changed.trial.start_date == date(2025, 1, 31)
    assert changed.rule.name == "rolling six" and changed.sources["rule"].startswith("assumption: changed")
    assert base.replace({"trial": {**plain(base.trial), "start_date": "2025-01-31"}}).trial == changed.trial
    with pytest.raises(
        ScenarioError, match=r'trial.start_date = "2025-02-30": 2025-02-30 is a date that does not exist'
    ):
        base.replace({"trial.start_date": "2025-02-30"})
    with pytest.raises(ScenarioError, match=r"^rule.target: is missing"):
        base.replace({"rule": "BOIN"})
    with pytest.raises(ScenarioError, match=r'rule.name = "4\+4": must be one of'):
        base.replace({"rule": "4+4"})


def test_a_copy_forgets_the_source_of_what_it_changed(base: Scenario) -> None:
    changed = base.model_copy(update={"follow_up": {"days": 200}})
    assert changed.sources["follow_up"] == "assumption: changed by a person, with no source given"
    assert "follow_up.days" not in changed.sources and changed.ranges == base.ranges
    assert "follow_up.days" not in base.model_copy(update={"follow_up": {"days": 366}}).ranges


def test_a_table_file_is_read_in_python_as_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    values = plain(load("six-dose-oncology")) | {"rule": {"name": "table", "target": 0.25, "file": "own.csv"}}
    values["limits"] = {"most_per_level": 3}
    for make in (lambda: Scenario(**values), lambda: load(values)):
        with pytest.raises(ScenarioError, match=r"^rule.file = own.csv: cannot be read: No such file or directory$"):
            make()
    Path("own.csv").write_text("evaluable,dlts,decision\n3,0,E\n3,1,S\n3,2,D\n3,3,D\n", encoding="utf-8")
    assert Scenario(**values) == load(values)
    assert load(values).rule.decisions == {"3": "E S D D"}


def test_what_is_wrong_comes_back_from_another_process(base: Scenario) -> None:
    for make in (lambda: base.replace({"follow_up.days": 0, "trial.planned_patients": 1}), lambda: load("none")):
        with pytest.raises(ScenarioError) as caught:
            make()
        again = pickle.loads(pickle.dumps(caught.value))
        assert type(again) is ScenarioError
        assert again.problems == caught.value.problems and str(again) == str(caught.value)


# The schema for editors


SCHEMA = Scenario.model_json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def sections_inside(model: type[BaseModel]) -> set[type[BaseModel]]:
    """Return a section and all that stand in it."""
    inner = {one for name in model.model_fields for one in models_at((name,), model)}
    return {model}.union(*map(sections_inside, inner))


def test_schema_and_model_name_the_same_keys() -> None:
    sections = sections_inside(Scenario)
    assert {section.__name__ for section in sections} == {Scenario.__name__, *SCHEMA["$defs"]}
    for section in sections:
        said = SCHEMA if section is Scenario else SCHEMA["$defs"][section.__name__]
        fields = section.model_fields
        assert said["additionalProperties"] is False
        assert list(said["properties"]) == list(fields)
        assert said.get("required", []) == [name for name, field in fields.items() if field.is_required()]
        for name, field in fields.items():
            words = said["properties"][name].get("description", field.description)  # a section's own stand in it
            assert field.description and words == field.description, name
            assert "description" in said["properties"][name] or "$ref" in said["properties"][name], name


@given(data=data_of_scenarios())
@settings(max_examples=80, deadline=None)
def test_what_the_schema_refuses_is_refused(data: dict[str, Any]) -> None:
    scenario = made(lambda: load(data))
    if isinstance(scenario, Scenario):
        assert not list(VALIDATOR.iter_errors(scenario.resolved()))
        written = json.loads(json.dumps(tomllib.loads(scenario.to_toml()), default=date.isoformat))
        assert not list(VALIDATOR.iter_errors(written))


# Names and files


def test_shipped_scenarios_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert set(shipped.shipped()) == {file.stem for file in SCENARIOS}
    for file in SCENARIOS:
        assert load(file.stem) == load(file)
    with pytest.raises(ScenarioError, match="nct0633747: there is no such file; with escalate come the scenarios iq"):
        load("nct0633747")
    with pytest.raises(ScenarioError, match="cannot be read: File name too long"):
        load("y" * 3000)
    Path("nct06337474").mkdir()  # a folder of results, say
    assert load("nct06337474") == load(ROOT / "scenarios" / "nct06337474.toml")
    Path("six-dose-oncology").write_text("title = 1\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match="six-dose-oncology"):
        load("six-dose-oncology")


def test_a_shipped_scenario_is_named_on_the_command_line_and_in_a_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check", "nct06337474"]) == 0
    assert capsys.readouterr().out.startswith("nct06337474: a valid scenario\n")
    assert main(["run", "nct06337474", "--trials", "10"]) == 0
    kept = Path("results", "nct06337474")
    assert load(kept / "nct06337474.toml") == load(kept / "resolved.json") == GOOD
    assert main(["check", "nct0633747"]) == 2
    Path("study.toml").write_text('scenario = "nct06337474"\n[grid]\n"follow_up.days" = [90, 180]\n', encoding="utf-8")
    assert read_study("study.toml").scenario == GOOD


def test_shipped_scenarios_stand_beside_the_installed_package() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    inside_wheel = Path(wheel["wheel"]["force-include"]["scenarios"])
    assert shipped._FOLDERS[0] == Path(esc.__file__).parent.parent / inside_wheel
    assert shipped._FOLDERS[1] == ROOT / "scenarios"


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: not CONTROL.search(text))


@given(title=texts, label=texts, criteria=st.dictionaries(texts, st.just(0.01), max_size=4), source=texts)
@settings(max_examples=100, deadline=None)
def test_any_text_comes_back_from_toml(title: str, label: str, criteria: dict[str, float], source: str) -> None:
    sources = {"trial.start_date": f"registry: x{source}"}
    changes = {"trial.title": title, "dose_levels.0.label": f"one {label}", "dose_levels.1.label": f"two {label}"}
    changed = GOOD.replace({**changes, "screening.failure_probability": criteria, "ranges": {}})
    scenario = changed.replace({"sources": sources})
    again = tomllib.loads(scenario.to_toml())
    assert again["trial"]["title"] == title and again["sources"] == sources
    assert again["screening"].get("failure_probability", {}) == criteria
    assert load(again) == scenario


@pytest.mark.parametrize("changes", [{}, {"titration": {}}, {"titration": {"last_level": 2}}])
def test_what_is_empty_comes_back_from_toml(changes: dict[str, Any]) -> None:
    scenario = small(**changes)
    assert scenario.accrual.consent_days == ()
    assert load(tomllib.loads(scenario.to_toml())) == scenario


def test_to_toml_reads_as_a_person_writes(base: Scenario, tmp_path: Path) -> None:
    lines = base.to_toml().splitlines()
    for line in ("start_date = 2024-08-30", "[[dose_levels]]", "[[treatment.lymphodepletion]]", "days = [-3]",
                 "dlt_probability = [0.03, 0.06]", '"safety.dlt_window_days" = [14, 29]', "early_decision = true"):  # fmt: skip
        assert line in lines
    assert "" not in (lines[0], lines[-1]) and not any("None" in line for line in lines)
    file = tmp_path / "scenario.toml"
    base.to_toml(file)
    with pytest.raises(esc.EscalateError, match="exists already"):
        base.to_toml(file)
    base.replace({"safety.cohort_size": 2}).to_toml(file, overwrite=True)
    assert load(file).safety.cohort_size == 2


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_every_scenario_is_checked_once_and_each_end_of_a_range_once(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    complaints = checks.complaints

    def counted(valid: dict[str, Any]) -> Any:
        calls.append(1)
        return complaints(valid)

    monkeypatch.setattr(checks, "complaints", counted)
    scenario = load(file)
    assert len(calls) == 1 + 2 * len(scenario.ranges)
