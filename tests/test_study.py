"""Study files: which points there are, and one test per message."""

# ruff: noqa: E501

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from conftest import ROOT
from escalate import Scenario
from escalate.errors import ScenarioError, StudyError
from escalate.studies.study import MOST_POINTS, make_study, read_study

HEAD = f'scenario = "{(ROOT / "scenarios" / "nct06337474.toml").as_posix()}"\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "study.toml"
    file.write_text(HEAD + text, encoding="utf-8")
    return file


def problems_of(folder: Path, text: str) -> list[str]:
    with pytest.raises(StudyError) as caught:
        read_study(written(folder, text))
    return [str(problem).removeprefix(str(folder) + os.sep) for problem in caught.value.problems]


def test_points_are_all_combinations_and_the_last_axis_changes_fastest(tmp_path: Path) -> None:
    study = read_study(
        written(
            tmp_path,
            "trials = 50\nseed = 3\n[grid]\n"
            "accrual.consents_per_month = [0.4, 1.7]\n"
            '"safety.sentinel_stagger_days" = {from = 7, to = 28, steps = 4}\n'
            '[[zip]]\n"safety.dlt_window_days" = [28, 56]\n"follow_up.days" = [180, 210]\n',
        )
    )
    assert (study.trials, study.seed, len(study.points)) == (50, 3, 2 * 4 * 2)
    assert study.keys == (
        *("accrual.consents_per_month", "safety.sentinel_stagger_days", "safety.dlt_window_days", "follow_up.days"),
    )
    found = [tuple(point.values.values()) for point in study.points]
    assert found == [(a, s, w, f) for a in (0.4, 1.7) for s in (7, 14, 21, 28) for w, f in ((28, 180), (56, 210))]
    assert [point.number for point in study.points] == list(range(1, 17))
    last = study.points[-1].scenario
    assert (last.accrual.consents_per_month, last.safety.sentinel_stagger_days) == (1.7, 28)  # type: ignore[union-attr]
    assert (last.safety.dlt_window_days, last.follow_up.days) == (56, 210)


@pytest.mark.parametrize(
    ("low", "high", "steps", "values"),
    [
        (7, 28, 4, [7, 14, 21, 28]),
        (0.1, 0.7, 7, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]),
        (0, 1, 3, [0.0, 0.5, 1.0]),
        (-2, 2, 2, [-2, 2]),
    ],
)
def test_ranges(base: Scenario, low: float, high: float, steps: int, values: list[float]) -> None:
    from escalate.studies.study import _listed

    found = _listed({"from": low, "to": high, "steps": steps})
    assert found == values
    assert {type(value) for value in found} == {type(values[0])}


def test_python_makes_the_same_study(base: Scenario, tmp_path: Path) -> None:
    read = read_study(written(tmp_path, '[grid]\n"follow_up.days" = [90, 180]\n'))
    made = make_study(base, {"follow_up.days": np.array([90, 180])})
    assert made.fingerprint() == read.fingerprint()
    assert made.points == read.points


def test_every_part_of_a_study_makes_it_another_one(base: Scenario) -> None:
    grid = {"follow_up.days": [90, 180]}
    studies = [
        make_study(base, grid),
        make_study(base, {"follow_up.days": [180, 90]}),
        make_study(base, grid, trials=1999),
        make_study(base, grid, seed=2),
        make_study(base.replace({"safety.review_delay_days": 6}), grid),
    ]
    assert len({study.fingerprint() for study in studies}) == len(studies)


def test_tables_and_lists_are_values(base: Scenario) -> None:
    rules = [{"name": "3+3", "variant": "A"}, {"name": "BOIN", "target": 0.25}]
    study = make_study(base, {"rule": rules, "toxicity.dlt_probability": [[0.1, 0.2]]})
    assert [point.scenario.rule.name for point in study.points] == ["3+3", "BOIN"]
    assert str(study.points[1]) == (
        'point 2 (rule = {"name": "BOIN", "target": 0.25}, toxicity.dlt_probability = [0.1, 0.2])'
    )


def test_ranges_of_the_scenario_bind_no_point(base: Scenario) -> None:
    assert "follow_up.days" in base.ranges
    far = make_study(base, {"follow_up.days": [1000]}).points[0].scenario
    assert (far.follow_up.days, far.ranges) == (1000, {})


# What stands below the scenario's name in a study file, and what must be said.
BAD = {
    "no points": ("", "study.toml: has no points: give [grid] at least one key with its values"),
    "an empty grid": ("[grid]\n", "has no points"),
    "unknown key": ("sed = 1\n[grid]\n", "study.toml:2: sed: unknown key. Allowed here: scenario, trials, seed, grid, zip"),
    "no trials": ('trials = 0\n[grid]\n"follow_up.days" = [90]\n', "study.toml:2: trials: must be a whole number, at least 1, got 0"),
    "half a seed": ('seed = 0.5\n[grid]\n"follow_up.days" = [90]\n', "study.toml:2: seed: must be a whole number, at least 0, got 0.5"),
    "trials of true": ('trials = true\n[grid]\n"follow_up.days" = [90]\n', "must be a whole number, at least 1, got True"),
    "grid is no table": ("grid = 3\n", "study.toml:2: grid: must be a table: [grid], with keys and their values below"),
    "zip is no list": ("[zip]\n", "study.toml:2: zip: must be written [[zip]]"),
    "a key that does not exist": ('[grid]\n"follow_up.dayss" = [90]\n', "study.toml:3: follow_up.dayss: there is no `dayss` here. Did you mean `days`?"),
    "a section that does not exist": ("[grid]\nfolow_up.days = [90]\n", "folow_up.days: there is no `folow_up` here. Did you mean `follow_up`?"),
    "one value": ('[grid]\n"follow_up.days" = 90\n', "study.toml:3: follow_up.days: needs a list of values, as in [90, 180], or a range"),
    "no values": ('[grid]\n"follow_up.days" = []\n', "follow_up.days: needs a list of values"),
    "half a range": ('[grid]\n"follow_up.days" = {from = 90, to = 180}\n', "follow_up.days: a range has from, to and steps"),
    "a range of words": ('[grid]\n"follow_up.days" = {from = "a", to = 180, steps = 2}\n', "from and to of a range must be numbers, got 'a' and 180"),
    "a range down": ('[grid]\n"follow_up.days" = {from = 180, to = 90, steps = 2}\n', "from must be less than to, got 180 and 90"),
    "a range of one step": ('[grid]\n"follow_up.days" = {from = 90, to = 180, steps = 1}\n', "steps of a range must be a whole number, 2 to 10000, got 1"),
    "a value twice": ('[grid]\n"follow_up.days" = [90, 180, 90]\n', "study.toml:3: follow_up.days: 90 is written twice; leave one out"),
    "lists of other lengths": ('[[zip]]\n"follow_up.days" = [90, 180]\n"screening.days" = [1]\n', "study.toml:2: zip: lists that go together must be equally long: follow_up.days has 2, screening.days has 1"),
    "an empty group": ("[[zip]]\n", "study.toml:2: zip: has no keys"),
    "a key on two axes": ('[grid]\n"follow_up.days" = [90, 180]\n[[zip]]\n"follow_up.days" = [91, 181]\n', "follow_up.days: is changed by follow_up.days already"),
    "a key inside another": ('[grid]\nrule = [{name = "3+3"}]\n"rule.variant" = ["A"]\n', "rule.variant: is changed by rule already; leave one out"),
    "too many points": ('[grid]\n"follow_up.days" = {from = 28, to = 1027, steps = 1000}\n"screening.days" = {from = 1, to = 100, steps = 100}\n', "has 100,000 points; at most 10,000 are possible"),
    "a value that the scenario forbids": ('[grid]\n"follow_up.days" = [10, 90]\n', "point 1 (follow_up.days = 10): follow_up.days = 10: follow-up must last at least until the DLT window ends, day 28"),
    "a rule that is not there": ('[grid]\nrule = [{python = "nobody"}]\n', "point 1 (rule = {\"python\": \"nobody\"}): rule.python = nobody: no such rule is loaded"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "says"), BAD.values(), ids=BAD)
def test_message(tmp_path: Path, text: str, says: str) -> None:
    found = problems_of(tmp_path, text)
    assert any(says in problem for problem in found), found
    assert len(found) == 1, found


def test_all_problems_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = problems_of(tmp_path, '[grid]\n"follow_up.dayss" = [90]\n"screening.days" = 3\n"safety.cohort_siz" = [2]\n')
    assert [problem.split(": ")[0] for problem in found] == ["study.toml:3", "study.toml:4", "study.toml:5"]


def test_every_point_that_is_forbidden_is_listed(tmp_path: Path) -> None:
    found = problems_of(tmp_path, '[grid]\n"follow_up.days" = [10, 90]\n"accrual.consents_per_month" = [-1, 1]\n')
    said = [(file, int(line), point.split(" (")[0]) for file, line, point in (text.split(":", 2) for text in found)]
    assert sorted(point for *_, point in said) == [" point 1", " point 1", " point 2", " point 3"]
    assert {(file, line) for file, line, _ in said} == {("study.toml", 3), ("study.toml", 4)}
    assert MOST_POINTS >= 1000


def test_a_study_without_a_scenario(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text('[grid]\n"follow_up.days" = [90]\n')
    with pytest.raises(StudyError, match=r"scenario: is missing: name a scenario file, as in scenario ="):
        read_study(tmp_path / "study.toml")
    (tmp_path / "study.toml").write_text('scenario = "none.toml"\n[grid]\n"follow_up.days" = [90]\n')
    with pytest.raises(ScenarioError, match=r"none\.toml: there is no such file"):
        read_study(tmp_path / "study.toml")
    (tmp_path / "study.toml").write_text("scenario = \n")
    with pytest.raises(ScenarioError, match=r"study\.toml:1: is not TOML"):
        read_study(tmp_path / "study.toml")


def test_two_axes_to_look_along(base: Scenario) -> None:
    study = make_study(
        base, {"follow_up.days": [90, 180]}, [{"screening.days": [7, 14], "safety.review_delay_days": [0, 7]}]
    )
    assert study.pair() == ("follow_up.days", "screening.days")
    assert study.pair("safety.review_delay_days") == ("safety.review_delay_days", "follow_up.days")
    assert study.pair(hue="follow_up.days") == ("screening.days", "follow_up.days")
    assert make_study(base, {"follow_up.days": [90]}).pair() == ("follow_up.days", None)
    with pytest.raises(StudyError, match=r"has no axis 'x'; its axes are follow_up\.days, screening\.days"):
        study.pair("x")
    with pytest.raises(StudyError, match=r"screening\.days and safety\.review_delay_days are one axis"):
        study.pair("screening.days", "safety.review_delay_days")
