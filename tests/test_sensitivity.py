"""Which assumption matters most: paired differences against numpy, their order, and what ranges may be."""

# ruff: noqa: E501

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import ROOT
from escalate import (
    EscalateError,
    Scenario,
    ScenarioError,
    Trials,
    assumptions,
    load,
    plot_tornado,
    sensitivity,
    simulate,
    summary,
)
from escalate.cli import main
from escalate.plots.axis_words import key_words
from escalate.results.estimates import Estimate
from escalate.results.outcomes import NOT_REACHED
from escalate.studies.sensitivities import FINISHED, Sensitivity, Swing
from escalate.studies.workers import Processes
from small import small

BASE = (ROOT / "scenarios" / "nct06337474.toml").read_text(encoding="utf-8")
TRIALS = 60


@pytest.fixture(scope="module")
def found(base: Scenario) -> Sensitivity:
    """The base case's sensitivity, with few trials."""
    return sensitivity(base, trials=TRIALS)


def measured(trials: Trials, measure: str, level: int | str | None) -> np.ndarray:
    """Return a measure of each trial, from the rows of `simulate`."""
    if measure == "recommended":
        return (trials.recommended == int(level or 0) - 1).astype(float)
    if measure == "duration":
        return trials.duration_days.astype(float)
    ended = trials.milestone_days["trial ended"]
    return ((ended != NOT_REACHED) & (ended <= (trials.scenario.planned_days or 0))).astype(float)


def test_differences_are_those_of_the_same_trials(base: Scenario, found: Sensitivity) -> None:
    plain = simulate(base, trials=TRIALS)
    for key, ends in base.ranges.items():
        low, high = (simulate(base.replace({"ranges": {}, key: end}), trials=TRIALS) for end in ends)
        for measure, swings in zip(found.base, found.swings, strict=True):
            swing = next(swing for swing in swings if swing.key == key)
            base_rows, low_rows, high_rows = (
                measured(trials, measure.measure, measure.level) for trials in (plain, low, high)
            )
            for change, rows in (
                (swing.at_low, low_rows - base_rows),
                (swing.at_high, high_rows - base_rows),
                (swing.across, high_rows - low_rows),
            ):
                assert change.estimate == pytest.approx(rows.mean(), abs=1e-12)
                se = rows.std(ddof=1) / np.sqrt(TRIALS)
                assert change.mc_se == (pytest.approx(se, abs=1e-12) if se else None)
            assert measure.estimate == pytest.approx(base_rows.mean(), abs=1e-12)
            spread = base_rows.std(ddof=0 if measure.unit == "probability" else 1)
            assert measure.mc_se == pytest.approx(spread / np.sqrt(TRIALS), abs=1e-12)


def test_the_largest_effect_comes_first(found: Sensitivity) -> None:
    for swings in found.swings:
        assert [swing.effect for swing in swings] == sorted((swing.effect for swing in swings), reverse=True)
        for swing in swings:
            low, high = swing.at_low.estimate, swing.at_high.estimate
            assert swing.effect == max(low, high, 0) - min(low, high, 0) >= abs(swing.across.estimate) - 1e-12
    assert found.swings[0][0].key == "toxicity.dlt_probability"
    assert found.swings[1][0].key == "accrual.consents_per_month"


def test_the_level_that_is_recommended_most_is_asked_about(base: Scenario) -> None:
    toxic = base.replace({"ranges": {"screening.days": [7, 28]}, "toxicity.dlt_probability": [0.05, 0.9]})
    assert sensitivity(toxic, trials=40).base[0].level == 1
    assert sensitivity(base.replace({"ranges": {"screening.days": [7, 28]}}), trials=40).base[0].level == 2


def test_no_date_planned_no_chance_to_finish_by_it(base: Scenario) -> None:
    changes = {"trial.planned_completion_date": None, "ranges": {"screening.days": [7, 28]}}
    assert [base.measure for base in sensitivity(base.replace(changes), trials=5).base] == ["recommended", "duration"]


def test_the_planned_completion_date_itself_is_in_time() -> None:
    one = small(accrual__consent_days=[0, 40, 80], trial__planned_patients=3, ranges={"screening.days": [0, 5]})
    last = int(simulate(one, trials=1).duration_days[0])
    for days, chance in ((last, 1), (last - 1, 0)):
        planned = one.trial.start_date + timedelta(days=days)
        found = sensitivity(one.replace({"trial.planned_completion_date": planned}), trials=2)
        assert found.base[2].estimate == chance
        assert found.swings[2][0].at_high.estimate == -chance


def test_known_effects() -> None:
    """Screening that takes 5 days more puts every date off by 5 days: nobody waits for a place meanwhile."""
    one = small(accrual__consent_days=[0, 400, 800], trial__planned_patients=3)
    swing = sensitivity(one.replace({"ranges": {"screening.days": [0, 5]}}), trials=3).swings[1][0]
    assert (swing.at_low.estimate, swing.at_high.estimate, swing.across.estimate) == (0, 5, 5)
    assert (swing.low, swing.base, swing.high) == ("0", "0", "5")


def test_any_chunks_and_workers_give_the_same(base: Scenario, found: Sensitivity) -> None:
    assert sensitivity(base, trials=TRIALS, chunk=7).table.rows == found.table.rows
    with Processes(2) as executor:
        assert sensitivity(base, trials=TRIALS, chunk=25, executor=executor).table.rows == found.table.rows


def test_one_trial_has_no_standard_error(base: Scenario) -> None:
    one = sensitivity(base.replace({"ranges": {"screening.days": [7, 28]}}), trials=1)
    assert one.table["at_low_se"] == [None] * 3
    assert "±" in summary(one)


def test_the_table_and_the_summary(base: Scenario, found: Sensitivity) -> None:
    assert len(found.table) == 3 * len(base.ranges)
    assert found.table["measure"][0] == "recommended"
    assert "range" in found.table.describe()
    text = summary(found)
    assert "11 assumptions, one at a time" in text
    assert "Mean duration, base case" in text
    line = next(line for line in text.splitlines() if "screening.failure_probability" in line)
    assert "0.15 in all to 0.5 in all" in line


def test_the_tornado_shows_the_differences(found: Sensitivity) -> None:
    for position, base in enumerate(found.base):
        scale = 1 if base.unit == "days" else 100
        axes = plot_tornado(found, measure=base.measure)
        bars = {patch.get_gid(): patch for patch in axes.patches if patch.get_gid()}
        for row, swing in enumerate(found.swings[position]):
            for end, change in (("low", swing.at_low), ("high", swing.at_high)):
                bar = bars[f"{row} {end}"]
                assert bar.get_width() == pytest.approx(scale * change.estimate)  # type: ignore[attr-defined]
                assert abs(bar.get_y() + bar.get_height() / 2 - row) < 0.5  # type: ignore[attr-defined]
        assert [" ".join(label.get_text().split()) for label in axes.get_yticklabels()] == [
            key_words(s.key) for s in found.swings[position]
        ]
        bottom, top = axes.get_ylim()
        assert bottom > top, "the first is on top"
        left, right = axes.get_xlim()
        assert all(left < scale * s.at_low.estimate < right for s in found.swings[position])
    with pytest.raises(EscalateError, match="there is no measure 'cost' here; there are: recommended, duration"):
        plot_tornado(found, measure="cost")


def estimate(value: float, low: float | None, high: float | None) -> Estimate:
    return Estimate(
        group="time", measure="duration", level=None, estimate=value, mc_se=None if low is None else 1.0, low=low,
        high=high, unit="days", trials=50,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("low", "high", "across", "words"),
    [
        (
            (-20, -25, -15),
            (30, 20, 40),
            (50, 45, 55),
            "Follow-up [days] matters most for the mean duration: 80.0 days to 130.0 days",
        ),
        ((0, None, None), (32, None, None), (32, None, None), "Follow-up [days] matters most"),  # in every trial alike
        ((-3, -9, 3), (2, -5, 9), (5, -4, 14), "No assumption changes the mean duration by more than its Monte"),
        ((0, None, None), (0, None, None), (0, None, None), "No assumption changes the mean duration"),
    ],
)
def test_the_title_of_a_tornado_says_what_matters_most(
    found: Sensitivity, low: Any, high: Any, across: Any, words: str
) -> None:
    swing = Swing(key="follow_up.days", low="1", base="2", high="3", at_low=estimate(*low), at_high=estimate(*high),
                  across=estimate(*across))  # fmt: skip
    of = replace(found, base=(estimate(100, 98, 102),), swings=((swing,),))
    assert " ".join(plot_tornado(of).get_title(loc="left").split()).startswith(words)


def test_no_text_of_a_tornado_overlaps_another_one(found: Sensitivity) -> None:
    for base in found.base:
        axes = plot_tornado(found, measure=base.measure)
        axes.figure.draw_without_rendering()  # type: ignore[union-attr]
        legend = axes.get_legend()
        assert legend is not None
        boxes = [text.get_window_extent() for text in (*axes.texts, *axes.get_yticklabels(), *legend.get_texts())]
        boxes += [axes.title.get_window_extent(), axes.xaxis.label.get_window_extent()]
        for position, box in enumerate(boxes):
            assert not [other for other in boxes[:position] if box.shrunk(0.9, 0.7).overlaps(other.shrunk(0.9, 0.7))]


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    file = str(ROOT / "scenarios" / "nct06337474.toml")
    assert main(["sensitivity", file, "--trials", "10"]) == 0
    out = tmp_path / "results" / "nct06337474-sensitivity"
    assert capsys.readouterr().out.startswith((out / "summary.txt").read_text().rstrip("\n"))
    names = {"summary.txt", "sensitivity.csv", "resolved.json", "SHA256SUMS", "provenance.json"}
    figures = {f"tornado-{name}.{kind}" for name in ("recommended", "duration", "finished") for kind in ("png", "svg")}
    assert {path.name for path in out.iterdir()} == names | figures
    assert FINISHED in (out / "sensitivity.csv").read_text()
    assert main(["sensitivity", str(ROOT / "scenarios" / "six-dose-oncology.toml"), "--no-files"]) == 2
    assert "ranges: has none: write between which values an assumption lies" in capsys.readouterr().err


def test_bad_numbers(base: Scenario) -> None:
    for arguments in ({"trials": 0}, {"chunk": 0}, {"seed": -1}):
        with pytest.raises(ValueError, match="trials and chunk must be at least 1, and seed at least 0, got"):
            sensitivity(base, **arguments)  # type: ignore[arg-type]


# What is edited in the base case, and what must be said.
RANGES = {
    "a key that does not exist": ('"screening.days" = [5, 28]', '"screening.dayss" = [5, 28]', "there is no `dayss` here. Did you mean `days`?"),
    "one end": ('"screening.days" = [5, 28]', '"screening.days" = [5]', "needs at least 2 value"),
    "no list": ('"screening.days" = [5, 28]', '"screening.days" = 5', "must be a list in square brackets"),
    "words": ('"screening.days" = [5, 28]', '"screening.days" = ["few", "many"]', "a range has two ends, low then high, each a number or as many"),
    "ends of another shape": ("[[0.01, 0.02], [0.10, 0.20]]", "[[0.01, 0.02], [0.10]]", "a range has two ends, low then high"),
    "a number for a list": ("[[0.01, 0.02], [0.10, 0.20]]", "[0.01, 0.10]", "a range has two ends, low then high"),
    "the value lies outside": ('"screening.days" = [5, 28]', '"screening.days" = [15, 28]', "the value, 14, must lie between both ends, the low one first"),
    "one of the values lies outside": ("[[0.01, 0.02], [0.10, 0.20]]", "[[0.01, 0.07], [0.10, 0.20]]", "the value, [0.03, 0.06], must lie between both ends"),
    "high before low": ('"screening.days" = [5, 28]', '"screening.days" = [28, 5]', "must lie between both ends, the low one first"),
    "the ends are the same": ('"screening.days" = [5, 28]', '"screening.days" = [14, 14]', "both ends are the same; leave the range out"),
    "the low end is no valid scenario": ('"follow_up.days" = [90, 365]', '"follow_up.days" = [20, 365]', "the low end gives no valid scenario: follow_up.days = 20: follow-up must last at least until"),
    "the high end is no valid scenario": ("[[0.01, 0.02], [0.10, 0.20]]", "[[0.01, 0.02], [0.10, 1.20]]", "the high end gives no valid scenario: toxicity.dlt_probability[2] = 1.2: must be at most 1"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "says"), RANGES.values(), ids=RANGES)
def test_message(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert BASE.count(old) == 1, old
    text = BASE.replace(old, new)
    (tmp_path / "scenario.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "scenario.toml")
    (problem,) = (str(problem).removeprefix(str(tmp_path) + os.sep) for problem in caught.value.problems)
    assert says in problem
    line = text.splitlines()[int(problem.split(":")[1]) - 1]
    assert line.startswith(new if new.startswith('"') else '"toxicity.dlt_probability"'), line
    assert problem.split(": ")[1].startswith("ranges.")


def test_ranges_stand_in_the_ledger_and_go_with_a_change(base: Scenario) -> None:
    assert "safety.review_delay_days = 7   (range 0 to 14)" in assumptions(base)
    assert base.replace({"safety.review_delay_days": 14}).ranges == base.ranges
    assert base.ranges.keys() - base.replace({"safety.review_delay_days": 15}).ranges.keys() == {
        "safety.review_delay_days"
    }
    one = base.replace({"toxicity.dlt_probability.0": 0.9})
    assert "toxicity.dlt_probability" not in one.ranges
    assert "screening.days" in one.ranges


def test_a_change_that_makes_a_range_impossible_parts_with_it(base: Scenario) -> None:
    """Onset on day 28 leaves no window of 14 days; a range that is changed itself is refused instead."""
    changed = base.replace({"toxicity.onset": {"kind": "list", "days": [0, 28]}})
    assert "safety.dlt_window_days" in base.ranges
    assert base.ranges.keys() - changed.ranges.keys() == {"safety.dlt_window_days"}
    with pytest.raises(ScenarioError, match="the low end gives no valid scenario"):
        changed.replace({"ranges": {"safety.dlt_window_days": [14, 29]}})
