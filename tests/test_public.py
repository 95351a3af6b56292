"""The front door: names, their documentation, and the records' columns."""

from __future__ import annotations

import inspect

import pytest

import escalate
from escalate import Scenario, simulate_trial
from escalate.words.tables import COHORTS, DECISIONS, EVENTS, Layout, patients_layout


def test_all_is_what_there_is() -> None:
    assert dir(escalate) == sorted(escalate.__all__)
    assert sorted(escalate._HOME) == sorted(escalate.__all__)
    assert len(escalate.__all__) <= 41


@pytest.mark.parametrize("name", escalate.__all__)
def test_every_name_is_documented(name: str) -> None:
    thing = getattr(escalate, name)
    assert inspect.getdoc(thing)
    if inspect.isfunction(thing):
        assert "return" in thing.__annotations__
        for parameter in inspect.signature(thing).parameters:
            assert parameter in (inspect.getdoc(thing) or ""), f"{name}: {parameter}"


def test_an_unknown_name_is_said() -> None:
    with pytest.raises(AttributeError, match=r"has no attribute 'simulat'; did you mean simulate"):
        _ = escalate.simulat


@pytest.mark.parametrize(
    "layout", [EVENTS, COHORTS, DECISIONS, patients_layout(("fludarabine",))], ids=lambda x: x.name
)
def test_every_column_is_documented_once_and_every_day_has_its_date(layout: Layout) -> None:
    assert len(set(layout.names)) == len(layout.names)
    assert all(column.meaning for column in layout.columns)
    days = [name for name in layout.names if name == "day" or name.endswith("_day")]
    assert all(name.replace("day", "date") in layout.names for name in days)


def test_records_as_tables(base: Scenario) -> None:
    trial = simulate_trial(base, seed=1, replicate=3)
    for table in (trial.events, trial.patients, trial.cohorts, trial.decisions):
        assert {len(row) for row in table.rows} == {len(table.columns)}
        assert table.to_csv().count("\n") >= len(table) + 1
        assert "<table>" in table._repr_html_()
        assert len(table.describe().splitlines()) == len(table.columns)
    with pytest.raises(KeyError, match="'patients' has no column 'dose_level'"):
        _ = trial.patients["dose_level"]


def test_amounts_follow_from_body_surface_area(base: Scenario) -> None:
    trial = simulate_trial(base, seed=1, replicate=3)
    for row in trial.patients:
        if row["patient"] is None:
            assert row["fludarabine_mg"] is None
        else:
            assert row["fludarabine_mg"] == pytest.approx(25 * row["body_surface_area_m2"], abs=0.06)
            assert row["cyclophosphamide_mg"] == pytest.approx(1000 * row["body_surface_area_m2"], abs=0.06)


def test_to_pandas(base: Scenario) -> None:
    pytest.importorskip("pandas", reason="needs the extra `notebooks`")
    frame = simulate_trial(base, seed=1).patients.to_pandas()
    assert list(frame.columns) == list(simulate_trial(base, seed=1).patients.names)


def test_negative_seeds_and_replicates_are_refused(base: Scenario) -> None:
    with pytest.raises(ValueError, match="seed and replicate must be at least 0, got -1 and 0"):
        simulate_trial(base, seed=-1)
    with pytest.raises(ValueError, match="trials must be at least 1, got 0"):
        escalate.simulate(base, trials=0)
    with pytest.raises(ValueError, match="seed and first must be at least 0"):
        escalate.simulate(base, first=-1)
