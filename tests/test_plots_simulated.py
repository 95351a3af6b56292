"""Figures of many simulated trials, read by their artists and held against the estimates.

The bugs with which they were seen to fail stand in `planted_bugs.py`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.dates import date2num, num2date
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

import escalate as esc
from conftest import ROOT
from escalate.plots import plot_accrual_fan, plot_durations, plot_selection, plot_where_time_goes, style
from escalate.plots.style import calendar_axis, day_number
from escalate.results.chance import in_percent, in_units
from escalate.results.estimates import Characteristics, finished_by, probability
from escalate.results.outcomes import NOT_REACHED
from escalate.results.timeline import waits_of
from escalate.studies.accruals import COUNTED, Accrual
from small import small
from test_plots_rules import all_texts, colour, legend_words, overlaps

LONG = "13.5e9 cells, split over days 0, 3 and 6, of the second manufacturing process"
BOIN = {"rule": {"name": "BOIN", "target": 0.25}, "safety.early_decision": False}
CHANGES: dict[str, dict[str, Any]] = {
    "base": {},
    "no date": {"trial.planned_completion_date": None, "dose_levels.1.label": LONG},
    "early date": {"trial.planned_completion_date": date(2024, 10, 1)},
    "date before most end": {"trial.planned_completion_date": date(2025, 12, 1)},
    "late date": {"trial.planned_completion_date": date(2030, 1, 1)},
    "some cut off": {"trial.max_days": 800},
    "most cut off": {"trial.max_days": 500},
    "one level": {"dose_levels": [{"label": "9e9 cells"}], "toxicity.dlt_probability": [0.2]},
    "with a target": {**BOIN, "toxicity.dlt_probability": [0.1, 0.35]},
}
NAMES = [*CHANGES, "three infusions", "six levels", "nobody comes", "one trial"]
COMPARED = ("base", "six levels", "a label of many words that says what was changed in this scenario, and why")


@cache
def scenario(name: str) -> esc.Scenario:
    """Return the scenario of one of the examples."""
    if name == "nobody comes":
        return small()
    file = {"six levels": "six-dose-oncology", "three infusions": "nct06337474-three-infusions"}.get(
        name, "nct06337474"
    )
    read = esc.load(ROOT / "scenarios" / f"{file}.toml")
    return read.replace({"ranges": {}, **CHANGES.get(name, {})})


@cache
def found(name: str) -> Characteristics:
    return esc.characteristics(esc.simulate(scenario(name), trials=1 if name == "one trial" else 300, seed=5))


@cache
def several() -> dict[str, Characteristics]:
    return dict(zip(COMPARED, (found("base"), found("six levels"), found("some cut off")), strict=True))


@cache
def accrual(name: str) -> Accrual:
    return esc.accrual(scenario(name), trials=1 if name == "one trial" else 40, seed=5)


def has_exact(name: str) -> bool:
    return name not in ("no date", "nobody comes")


PLOTS: dict[str, Callable[..., Axes]] = {
    "durations": lambda name, **given: plot_durations(found(name), **given),
    "where time goes": lambda name, **given: plot_where_time_goes(
        several() if name == "six levels" else found(name), **given
    ),
    "accrual fan": lambda name, **given: plot_accrual_fan(
        accrual(name), counted="evaluable" if name == "one level" else "infused", **given
    ),
    "selection": lambda name, **given: plot_selection(
        found(name), esc.exact(scenario(name)) if has_exact(name) else None, **given
    ),
}
EVERY = [(kind, name) for kind in PLOTS for name in NAMES]


def draw(kind: str, name: str, **given: Any) -> Axes:
    ax = PLOTS[kind](name, **given)
    ax.figure.draw_without_rendering()
    return ax


@cache
def drawn(kind: str, name: str) -> Axes:
    """Return a figure, drawn once for all tests that only look."""
    return draw(kind, name)


def patches(ax: Axes) -> dict[str, Rectangle]:
    return {str(p.get_gid()): p for p in ax.patches if isinstance(p, Rectangle) and p.get_gid()}


def lines(ax: Axes) -> dict[str, Line2D]:
    return {str(line.get_gid()): line for line in ax.lines if line.get_gid()}


def x_of(of: esc.Scenario, day: float) -> float:
    return float(date2num(of.trial.start_date)) + day


def words(ax: Axes) -> str:
    """Return what is written in and around a figure, line breaks aside."""
    return " ".join(" ".join([ax.get_title(loc="left"), *(text.get_text() for text in ax.texts)]).split())


# All figures


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_no_text_overlaps_another_one_or_is_cut_off(kind: str, name: str) -> None:
    ax = drawn(kind, name)
    low, high = ax.get_xlim()
    hidden = {label for x, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True) if not low <= x <= high}
    low, high = sorted(ax.get_ylim())
    hidden |= {label for y, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True) if not low <= y <= high}
    seen = [text for text in all_texts(ax) if text not in hidden]
    boxes = [(text.get_text(), text.get_window_extent()) for text in seen]
    assert not overlaps(boxes, 0.5)
    room = ax.figure.bbox
    for text, extent in boxes:
        assert room.x0 - 1 <= extent.x0, text
        assert room.y0 - 1 <= extent.y0 and extent.y1 <= room.y1 + 1, text
    legend, inside = ax.get_legend(), ax.get_window_extent()
    assert legend is None or legend.get_window_extent().y1 < inside.y0
    for note in ax.texts:
        extent = note.get_window_extent()
        if extent.y0 > inside.y0 and extent.y1 < inside.y1:
            assert inside.x0 - 1 <= extent.x0 and extent.x1 <= inside.x1 + 1, note.get_text()
    assert min(text.get_fontsize() for text in seen) >= 8


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_the_small_print_says_what_it_rests_on(kind: str, name: str) -> None:
    seen = words(drawn(kind, name))
    trials = accrual(name).trials if kind == "accrual fan" else found(name).tally.trials
    of_each = " of each" if (kind, name) == ("where time goes", "six levels") else ""
    assert f"{trials} simulated trial{'s' if trials > 1 else ''}{of_each}, seed 5" in seen
    assert scenario(name).trial.title in seen


@pytest.mark.parametrize("kind", PLOTS)
def test_a_given_axes_is_drawn_into_and_returned(kind: str) -> None:
    figure = Figure(figsize=(14, 7))
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    assert draw(kind, "base", ax=left) is left
    assert (left.patches or left.lines) and not right.patches and not right.texts and not right.lines
    assert figure.axes == [left, right] and tuple(figure.get_size_inches()) == (14, 7)


@pytest.mark.parametrize("kind", PLOTS)
def test_the_same_figure_gives_the_same_bytes_and_is_nobodys(kind: str, tmp_path: Path) -> None:
    plt.close("all")
    for file in ("one.svg", "two.svg"):
        style.save(draw(kind, "base"), tmp_path / file)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert not plt.get_fignums()


@pytest.mark.parametrize("kind", ["durations", "accrual fan"])
@pytest.mark.parametrize("name", NAMES)
def test_the_axis_has_the_dates_and_their_days(kind: str, name: str) -> None:
    ax, start = drawn(kind, name), scenario(name).trial.start_date
    low, high = ax.get_xlim()
    for x, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True):
        day = num2date(x).date()
        if not low <= x <= high:
            continue
        if day < start:
            assert label.get_text() == ""
            continue
        first, *_, last = label.get_text().split("\n")
        assert last == f"day {(day - start).days}"
        assert f"{day:%b}" in first or first == str(day.year)


@pytest.mark.parametrize("kind", ["durations", "accrual fan"])
@pytest.mark.parametrize("name", NAMES)
def test_the_planned_completion_is_a_line_at_its_date(kind: str, name: str) -> None:
    ax, about = drawn(kind, name), scenario(name).trial
    line = lines(ax).get("planned completion")
    if about.planned_completion_date is None:
        assert line is None
        return
    assert set(line.get_xdata()) == {date2num(about.planned_completion_date)}
    assert f"{about.planned_completion_date}, day {scenario(name).planned_days}" in words(ax)
    low, high = ax.get_xlim()
    assert low <= date2num(about.planned_completion_date) <= high


# Durations


def curve(name: str) -> Line2D:
    return next(line for line in drawn("durations", name).lines if line.get_label() == "trials that have finished")


def height(line: Line2D, x: float) -> float:
    """Return how high a curve of steps is at a place, the step there included."""
    xs, ys = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    return float(ys[np.searchsorted(xs, x, side="right") - 1])


@pytest.mark.parametrize("name", NAMES)
def test_the_curve_is_the_share_of_trials_that_have_finished(name: str) -> None:
    trials = esc.simulate(scenario(name), trials=found(name).tally.trials, seed=5)
    ended = trials.milestone_days["trial ended"]
    line = curve(name)
    assert line.get_drawstyle() == "steps-post"
    for day in [0, 1, *range(200, scenario(name).trial.max_days, 37), *np.unique(ended[ended > 0]).tolist()]:
        assert height(line, x_of(scenario(name), day)) == pytest.approx(
            np.mean((ended != NOT_REACHED) & (ended <= day))
        )


@pytest.mark.parametrize("name", NAMES)
def test_the_band_is_the_interval_of_each_estimate(name: str) -> None:
    estimates = finished_by(found(name).tally)
    band = drawn("durations", name).collections[0].get_paths()
    seen = {(round(x, 6), round(y, 6)) for path in band for x, y in path.vertices}
    for day, estimate in estimates:
        for end in (estimate.low, estimate.high):
            assert (round(x_of(scenario(name), day), 6), round(end, 6)) in seen


@pytest.mark.parametrize("name", NAMES)
def test_median_and_90_percent_are_marked_if_they_are_known(name: str) -> None:
    ax, of = drawn("durations", name), found(name)
    ended = sorted(day for day in of.tally.values["milestone: trial ended"].elements() if day != NOT_REACHED)
    for label, share in (("median", 0.5), ("90% of the trials", 0.9)):
        rank = int(np.ceil(share * of.tally.trials))
        if rank > len(ended):
            assert label not in lines(ax)
            assert label in next(text for text in words(ax).split("not known: ")[1:])
            continue
        mark = lines(ax)[label]
        assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (x_of(scenario(name), ended[rank - 1]), share)
        quantile = of.get(f"duration: {share:.0%} quantile")
        end = "± ?" if quantile.low is None or quantile.high is None else f"[{quantile.low:,.0f}, {quantile.high:,.0f}]"
        assert f"day {ended[rank - 1]} {end}" in words(ax)


def test_finished_by_the_planned_date_stands_in_the_figure_with_its_error() -> None:
    for name in ("base", "date before most end", "some cut off"):
        share = found(name).get("finished by planned completion date")
        text = in_percent(share)
        assert text.startswith(f"{share.estimate:.1%} ± ")
        assert f"finished: {text}" in words(drawn("durations", name))
        assert drawn("durations", name).get_title(loc="left").replace("\n", " ").endswith(text)
        assert height(curve(name), x_of(scenario(name), scenario(name).planned_days)) == pytest.approx(share.estimate)


@pytest.mark.parametrize("name", NAMES)
def test_trials_that_were_cut_off_are_said(name: str) -> None:
    cut = found(name).tally.values["milestone: trial ended"][NOT_REACHED]
    seen = words(drawn("durations", name))
    assert ("not finished: " in seen) == ("(trial.max_days)" in seen) == (cut > 0)
    if cut:
        assert f"{cut} trials were cut off on day {scenario(name).trial.max_days}" in seen
        trials = found(name).tally.trials
        assert f"not finished: {in_percent(probability('', '', None, cut, trials))}" in seen
        assert max(curve(name).get_ydata()) == pytest.approx(1 - cut / found(name).tally.trials)
        assert max(curve(name).get_xdata()) == x_of(scenario(name), scenario(name).trial.max_days)


# Where time goes


def shown(name: str) -> dict[str, Characteristics]:
    return several() if name == "six levels" else {"": found(name)}


@pytest.mark.parametrize("name", NAMES)
def test_bars_follow_each_other_and_add_up_to_the_mean_duration(name: str) -> None:
    ax = drawn("where time goes", name)
    bars = patches(ax)
    assert ax.yaxis_inverted()
    for label, of in shown(name).items():
        whole = bars[f"{label}|mean duration"]
        assert (whole.get_x(), whole.get_width()) == (0, pytest.approx(of.get("duration").estimate))
        end, y = 0.0, whole.get_y()
        for wait in waits_of(of.tally.scenario):
            if wait == "lymphodepletion" and not of.tally.scenario.lymphodepletes:
                assert f"{label}|{wait}" not in bars
                continue
            bar = bars[f"{label}|{wait}"]
            assert (bar.get_x(), bar.get_width()) == pytest.approx((end, of.get(wait).estimate))
            assert bar.get_y() > y
            end, y = end + bar.get_width(), bar.get_y()
        assert end == pytest.approx(whole.get_width())
    scenarios = [of.tally.scenario for of in shown(name).values()]
    assert len(bars) == sum(1 + len(waits_of(one)) - (not one.lymphodepletes) for one in scenarios)


@pytest.mark.parametrize("name", NAMES)
def test_every_bar_has_its_days_share_error_and_interval(name: str) -> None:
    ax = drawn("where time goes", name)
    for label, of in shown(name).items():
        for gid, bar in patches(ax).items():
            if not gid.startswith(f"{label}|"):
                continue
            wait = gid.removeprefix(f"{label}|")
            estimate = of.get("duration" if wait == "mean duration" else wait)
            y = bar.get_y() + bar.get_height() / 2
            text = next(t.get_text() for t in ax.texts if t.xy[1] == pytest.approx(y) and t.get_position() == (5, 0))
            share = "" if wait == "mean duration" else f" · {estimate.estimate / of.get('duration').estimate:.0%}"
            assert text == f"{in_units(estimate, 'days')}{share}"
            line = lines(ax).get(f"interval|{gid}")
            assert (line is None) == (not estimate.mc_se)
            if line is not None:
                ends = [bar.get_x() + estimate.low, bar.get_x() + estimate.high]
                assert list(line.get_xdata()) == pytest.approx(ends)
            labels = zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
            assert {round(place, 6): label.get_text() for place, label in labels}[round(y, 6)] == wait


@pytest.mark.parametrize("name", NAMES)
def test_what_is_waited_for_is_explained(name: str) -> None:
    seen = words(drawn("where time goes", name))
    meanings = {wait: meaning for of in shown(name).values() for wait, meaning in waits_of(of.tally.scenario).items()}
    assert all(f"{wait}: {meaning}" in seen for wait, meaning in meanings.items() if wait != "lymphodepletion")
    for label, of in shown(name).items():
        cut = of.tally.values["milestone: trial ended"][NOT_REACHED]
        assert not cut or f"{label and label + ': '}{cut} trials were cut off" in seen


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(esc.EscalateError, match=r"nothing to draw: give characteristics, or a label for each"):
        plot_where_time_goes({})


# Accrual fan


@pytest.mark.parametrize("name", NAMES)
def test_the_fan_has_the_quantiles_of_each_day(name: str) -> None:
    ax, of = drawn("accrual fan", name), accrual(name)
    counted = "evaluable" if name == "one level" else "infused"
    numbers = np.sort(of.numbers(counted, 3000), axis=0)
    median = next(line for line in ax.lines if line.get_label() == "median")
    assert median.get_drawstyle() == "steps-post"
    bands = {band.get_label(): {(x, y) for p in band.get_paths() for x, y in p.vertices} for band in ax.collections}
    for day in range(of.last_day(counted) + 1):
        low, lower, middle, upper, high = (
            numbers[max(int(np.ceil(q * len(numbers) - 1e-9)) - 1, 0), day] for q in (0.1, 0.25, 0.5, 0.75, 0.9)
        )
        x = x_of(scenario(name), day)
        assert height(median, x) == middle
        assert {(x, low), (x, high)} <= bands["80% of the trials"]
        assert {(x, lower), (x, upper)} <= bands["half of the trials"]


@pytest.mark.parametrize("name", NAMES)
def test_the_fan_says_how_many_by_the_planned_date(name: str) -> None:
    of, counted = accrual(name), "evaluable" if name == "one level" else "infused"
    ax, planned = drawn("accrual fan", name), scenario(name).planned_days
    about = scenario(name).trial
    assert lines(ax)["planned"].get_ydata()[0] == about.planned_patients
    assert f"planned: {about.planned_patients} {about.cap_counts} patients" in words(ax)
    assert ax.get_ylabel() in scenario(name).say(COUNTED[counted]) and ax.get_ylabel()
    if planned is not None:
        low, middle, high = of.quantiles((0.1, 0.5, 0.9), counted, planned)[:, planned]
        assert f"median {middle}, 80% of the trials {low} to {high}" in words(ax)


def test_candidates_are_not_held_against_the_planned_patients() -> None:
    ax = plot_accrual_fan(accrual("base"), counted="consented")
    assert ax.get_ylabel() == "candidates who have consented"
    assert "planned" not in lines(ax) and "planned: " not in words(ax)


def test_who_is_not_counted_is_said() -> None:
    with pytest.raises(esc.EscalateError, match="no 'treated'; there are: consented, enrolled, infused, evaluable"):
        plot_accrual_fan(accrual("base"), counted="treated")


# Selection


@pytest.mark.parametrize("name", NAMES)
def test_bars_and_intervals_are_the_estimates(name: str) -> None:
    ax, of = drawn("selection", name), found(name)
    for level in range(scenario(name).levels + 1):
        estimate = of.get("recommended", level or "no dose")
        bar = patches(ax)[f"recommended|{level}"]
        assert (bar.get_x(), bar.get_width()) == (0, pytest.approx(estimate.estimate))
        assert bar.get_y() + bar.get_height() / 2 == pytest.approx(level)
        line = lines(ax)[f"interval|{level}"]
        assert list(line.get_xdata()) == [estimate.low, estimate.high] and set(line.get_ydata()) == {level}
    assert f"recommended|{scenario(name).levels + 1}" not in patches(ax)


@pytest.mark.parametrize("name", NAMES)
def test_exact_marks_stand_at_the_exact_values(name: str) -> None:
    ax = drawn("selection", name)
    marks = {gid: line for gid, line in lines(ax).items() if gid.startswith("exact|")}
    if not has_exact(name):
        assert not marks and not any("exact" in label for label in legend_words(ax))
        return
    exact = esc.exact(scenario(name))
    values = [exact.no_dose, *exact.recommended]
    assert len(marks) == len(values)
    for level, value in enumerate(values):
        mark = marks[f"exact|{level}"]
        assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (value, level)
        assert f"exact {100 * value:.2f}%" in words(ax)
    whole = "exact, of the same trial with early_decision = false"
    assert (whole in legend_words(ax)) == scenario(name).early_decision == ("exact" not in legend_words(ax))


@pytest.mark.parametrize("name", NAMES)
def test_levels_have_their_dose_and_their_truth(name: str) -> None:
    labels = [" ".join(label.get_text().split()) for label in drawn("selection", name).get_yticklabels()]
    levels = zip(scenario(name).dose_levels, scenario(name).toxicity.dlt_probability, strict=True)
    assert labels == [
        "no dose",
        *(f"level {k}: {dose.label} assumed P(DLT) {100 * p:.4g}%" for k, (dose, p) in enumerate(levels, 1)),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_part_of_no_dose_that_is_inconclusive_is_hatched(name: str) -> None:
    ax, often = drawn("selection", name), found(name).tally.reasons["cap reached, inconclusive"]
    assert ("inconclusive" in patches(ax)) == (often > 0)
    assert ("of no dose: cap reached, inconclusive" in legend_words(ax)) == (often > 0)
    if often:
        assert patches(ax)["inconclusive"].get_width() == pytest.approx(often / found(name).tally.trials)


@pytest.mark.parametrize("name", NAMES)
def test_the_rest_of_no_dose_is_in_the_legend(name: str) -> None:
    """White, with all that it can mean; without a rest nothing is said of one."""
    rest = ("too toxic", "another limit reached, inconclusive", "time up")
    meant = [why for why in rest if found(name).get(f"no dose: {why}", "no dose").estimate]
    legend = drawn("selection", name).get_legend()
    assert legend is not None
    shown = zip(legend.legend_handles, legend_words(drawn("selection", name)), strict=True)
    patches_shown = {words.replace("\n", " "): handle for handle, words in shown if isinstance(handle, Rectangle)}
    white = [words for words, p in patches_shown.items() if colour(p) == style.PAPER.lower() and not p.get_hatch()]
    assert white == [f"of no dose: {' or '.join(meant)}"] * bool(meant)


@pytest.mark.parametrize("name", NAMES)
def test_the_mtd_of_the_truth_stands_on_the_dark_ground(name: str) -> None:
    ax, mtd = drawn("selection", name), scenario(name).mtd_level
    grounds = {gid: patch for gid, patch in patches(ax).items() if gid.startswith("ground|")}
    for level in range(scenario(name).levels + 1):
        assert (colour(grounds[f"ground|{level}"]) == to_hex(style.FAINT)) == (level == mtd)
    assert any("MTD of the truth" in label for label in legend_words(ax)) == (mtd is not None)
    assert ("not above 25%" in words(ax)) == (name == "with a target")


def test_the_rule_stands_there_with_its_target() -> None:
    assert "rule BOIN, target 0.25" in words(drawn("selection", "with a target"))
    assert "rule 3+3, variant C" in words(drawn("selection", "base"))


def test_exact_values_of_another_trial_are_refused() -> None:
    other = esc.exact(scenario("with a target"))
    with pytest.raises(esc.EscalateError, match=r"exact: .* differs in toxicity.dlt_probability, rule; give escalate"):
        plot_selection(found("base"), other)
    whole = esc.exact(scenario("base").replace({"safety.early_decision": False, "follow_up.days": 90}))
    assert "exact" in legend_words(plot_selection(found("base"), whole))


@pytest.mark.parametrize("width", [4.0, 8.5, 12.0])
def test_dates_of_any_stretch_have_ticks(width: float) -> None:
    """From days to decades, without a warning that there is no suitable step."""
    start = date(2024, 8, 30)
    for days in (*range(2, 200, 3), *range(200, 9000, 37)):
        ax = Figure(figsize=(width, 3.0)).add_subplot()
        ax.set_xlim(day_number(start), day_number(start + timedelta(days=days)))
        calendar_axis(ax, start)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert 2 <= len(ax.xaxis.get_majorticklocs()) <= 16, days
