"""The figure of a comparison, read by its artists and held against the comparison.

The bugs with which it was seen to fail stand in `planted_bugs.py`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

import escalate as esc
from conftest import ROOT
from escalate.plots import comparison as figure_of
from escalate.plots import plot_comparison, style
from escalate.plots.texts import wrapped
from escalate.results.chance import value_alone
from escalate.studies.comparison import Compared, Comparison, compare
from small import small
from test_plots_rules import all_texts, colour, drawn_beside_another, legend_words, overlaps

RULES = ["3+3 variant=A", "3+3 variant=B", "rolling six", "BOIN", "CRM prior_mtd_level=2"]
TRUTHS = {"mild": [0.1, 0.25], "toxic": [0.4, 0.6]}
BASE = ROOT / "scenarios" / "nct06337474.toml"
LATER = [("dlts", "all"), ("overdosed", "all"), ("infused", "all"), ("duration", None)]


@cache
def found(name: str) -> Comparison:
    """Return one of the examples."""
    base = esc.load(BASE)
    match name:
        case "two levels":
            return compare(base, RULES, TRUTHS, target=0.25, trials=150)
        case "whole cohorts":
            whole = base.replace({"safety.early_decision": False})
            return compare(whole, RULES[3:], [[0.3, 0.4]], target=0.25, trials=40)
        case "one rule, no target":
            return compare(base, trials=20)
        case "8 x 5":
            six = [{"label": f"{10 * k} mg"} for k in range(1, 7)]
            scenario = small(dose_levels=six, toxicity__dlt_probability=[0.0] * 6, accrual__consent_days=[0] * 12)
            rules = ["BOIN", "mTPI", "mTPI-2", "i3+3", "Keyboard", "rolling six", *RULES[:2]]
            truths = {f"truth {k}": [k / 20 + 0.02 * level for level in range(6)] for k in range(1, 6)}
            return compare(scenario, rules, truths, target=0.25, trials=12, enumerate_exactly=False)
        case "long labels":
            long = "continual reassessment with a skeleton that somebody guessed"
            return compare(
                base, {long: RULES[4], "b": "3+3"}, {"a truth of many words": [0.2, 0.3]}, target=0.2, trials=9
            )
        case "the same rule twice":
            return compare(base, {"a": RULES[0], "b": RULES[0]}, trials=9, enumerate_exactly=False)
    raise KeyError(name)


NAMES = ["two levels", "whole cohorts", "one rule, no target", "8 x 5", "long labels"]


def draw(name: str, ax: Axes | None = None) -> Axes:
    ax = plot_comparison(found(name), ax=ax)
    ax.figure.draw_without_rendering()
    return ax


@cache
def drawn(name: str) -> Axes:
    """Return a figure, drawn once for all tests that only look."""
    return draw(name)


def shown(name: str) -> list[Compared]:
    """Return the rows of the comparison that have a bar."""
    return [row for row in found(name).rows if row.measure == "recommended" or (row.measure, row.level) in LATER]


def key(row: Compared) -> str:
    return f"{row.truth}|{row.rule}|{row.measure}|{row.level}"


def bars(name: str) -> dict[str, Rectangle]:
    return {
        patch.get_gid(): patch
        for patch in drawn(name).patches
        if isinstance(patch, Rectangle) and not str(patch.get_gid()).startswith(("ground|", "inconclusive|"))
    }


def lines(name: str, kind: str) -> dict[str, Line2D]:
    start = f"{kind}|"
    found = [line for line in drawn(name).lines if str(line.get_gid()).startswith(start)]
    return {str(line.get_gid()).removeprefix(start): line for line in found}


def unit(name: str, measure: str, level: Any) -> tuple[float, float]:
    """Return where the bars of a column begin, and how many points one of its unit is."""
    there = [row for row in shown(name) if (row.measure, row.level) == (measure, level)]
    most = max(there, key=lambda row: row.estimate)
    bar = bars(name)[key(most)]
    return bar.get_x(), bar.get_width() / most.estimate if most.estimate else 0.0


@pytest.mark.parametrize("name", NAMES)
def test_every_bar_is_as_long_as_its_estimate(name: str) -> None:
    drawn_bars = bars(name)
    assert set(drawn_bars) == {key(row) for row in shown(name)}
    wide = {row.estimate: drawn_bars[key(row)].get_width() for row in shown(name) if row.measure == "recommended"}
    per_one = max(wide.values()) / max(wide)
    for row in shown(name):
        start, scale = unit(name, row.measure, row.level)
        bar = drawn_bars[key(row)]
        assert (bar.get_x(), bar.get_width()) == pytest.approx((start, scale * row.estimate), abs=1e-6)
        if row.measure == "recommended" and row.estimate:
            assert scale == pytest.approx(per_one)


@pytest.mark.parametrize("name", NAMES)
def test_the_part_of_no_dose_that_is_inconclusive_is_hatched(name: str) -> None:
    hatched = {str(p.get_gid()): p for p in drawn(name).patches if str(p.get_gid()).startswith("inconclusive|")}
    rows = [row for row in found(name).rows if row.measure == "no dose: cap reached, inconclusive" and row.estimate > 0]
    assert set(hatched) == {f"inconclusive|{row.truth}|{row.rule}" for row in rows}
    for row in rows:
        part, bar = (
            hatched[f"inconclusive|{row.truth}|{row.rule}"],
            bars(name)[f"{row.truth}|{row.rule}|recommended|no dose"],
        )
        whole = found(name).get("recommended", "no dose", rule=row.rule, truth=row.truth)
        assert part.get_hatch() and (part.get_x(), part.get_y()) == (bar.get_x(), bar.get_y())
        assert part.get_width() == pytest.approx(bar.get_width() * row.estimate / whole.estimate)
    assert ("of no dose: cap reached, inconclusive" in legend_words(drawn(name))) == bool(rows)
    rest = ("too toxic", "another limit reached, inconclusive", "time up")
    meant = [why for why in rest if any(row.estimate for row in found(name).rows if row.measure == f"no dose: {why}")]
    said = [words for words in legend_words(drawn(name)) if words.startswith("of no dose") and "cap" not in words]
    assert said == [f"of no dose: {' or '.join(meant)}"] * bool(meant)


@pytest.mark.parametrize("name", NAMES)
def test_rows_stand_in_the_order_of_rules_and_truths(name: str) -> None:
    ax, comparison = drawn(name), found(name)
    assert ax.yaxis_inverted()
    places = {k: bar.get_y() + bar.get_height() / 2 for k, bar in bars(name).items()}
    order = [places[f"{truth.label}|{rule}|recommended|1"] for truth in comparison.truths for rule in comparison.rules]
    assert order == sorted(order) and len(set(order)) == len(order)
    for number, rule in enumerate(comparison.rules):
        lines = wrapped(rule, 230, 9)
        labels = [text for text in ax.texts if text.get_text() in lines and text.get_position()[0] == 0]
        assert len(labels) == len(comparison.truths) * len(lines)
        heights = sorted(text.get_position()[1] for text in labels)
        for place in range(len(comparison.truths)):
            middle = sum(heights[place * len(lines) : (place + 1) * len(lines)]) / len(lines)
            assert abs(middle - order[place * len(comparison.rules) + number]) < 4
    heads = [text.get_text() for text in ax.texts if text.get_fontweight() == "bold"]
    if len(comparison.truths) > 1:
        assert [word for word in heads if word in {t.label for t in comparison.truths}] == [
            truth.label for truth in comparison.truths
        ]


@pytest.mark.parametrize("name", NAMES)
def test_numbers_stand_beside_their_bars(name: str) -> None:
    ax = drawn(name)
    for row in shown(name):
        bar = bars(name)[key(row)]
        y = bar.get_y() + bar.get_height() / 2
        right = [
            text
            for text in ax.texts
            if text.get_ha() == "right" and abs(text.get_position()[1] - y) < 4 and text.get_position()[0] > bar.get_x()
        ]
        number = min(right, key=lambda text: text.get_position()[0]).get_text()
        sign = ""
        if row.difference_se is None and row.difference == 0:
            sign = "= " if row.mc_se else ""
        elif row.difference_low is not None and row.difference_low <= 0 <= row.difference_high:
            sign = "≈ "
        assert number == sign + value_alone(row), key(row)
        scale = 100 if row.unit == "probability" else 1
        shown_as = float(number.removeprefix(sign).rstrip("%").replace(",", ""))
        assert abs(shown_as - scale * row.estimate) <= scale * (row.mc_se or 0) / 2, "digits follow the error"


@pytest.mark.parametrize("name", [*NAMES, "the same rule twice"])
def test_a_sign_is_explained_where_it_is_drawn(name: str) -> None:
    words = [text.get_text() for text in drawn(name).texts]
    for sign, explained in (("≈ ", "≈ the difference to"), ("= ", "= in every trial the same as")):
        is_drawn = any(re.fullmatch(rf"{sign}[\d.,]+%?", word) for word in words)
        assert any(word.startswith(explained) for word in words) == is_drawn


def test_some_numbers_are_alike_and_some_the_same() -> None:
    words = [text.get_text() for text in drawn("two levels").texts]
    assert any(word.startswith("≈ ") for word in words) and any(word.startswith("= ") for word in words)


@pytest.mark.parametrize("name", NAMES)
def test_intervals_and_exact_values_have_their_places(name: str) -> None:
    intervals, exact = lines(name, "interval"), lines(name, "exact")
    assert set(exact) == {key(row) for row in shown(name) if row.exact is not None}
    assert set(intervals) == {key(row) for row in shown(name) if row.low is not None}
    for row in shown(name):
        start, scale = unit(name, row.measure, row.level)
        if not scale:
            continue
        bar = bars(name)[key(row)]
        middle = bar.get_y() + bar.get_height() / 2
        if row.low is not None:
            assert list(intervals[key(row)].get_xdata()) == pytest.approx(
                [start + scale * row.low, start + scale * row.high]
            )
            assert list(intervals[key(row)].get_ydata()) == pytest.approx([middle, middle])
        if row.exact is not None:
            assert list(exact[key(row)].get_xdata()) == pytest.approx([start + scale * row.exact])
            assert list(exact[key(row)].get_ydata()) == pytest.approx([middle])


def test_exact_marks_tell_whole_cohorts_from_the_same_trial() -> None:
    faces = {name: {line.get_markerfacecolor() for line in lines(name, "exact").values()} for name in NAMES[:2]}
    assert faces == {"two levels": {style.PAPER}, "whole cohorts": {style.INK}}
    assert "exact, of the same trial with early_decision = false" in legend_words(drawn("two levels"))
    assert "exact" in legend_words(drawn("whole cohorts"))
    assert not any("exact" in word for word in legend_words(drawn("8 x 5")))


@pytest.mark.parametrize("name", NAMES)
def test_the_first_rule_is_a_line_through_its_block(name: str) -> None:
    comparison, first = found(name), lines(name, "first")
    if len(comparison.rules) == 1:
        assert first == {} and not any("first rule" in word for word in legend_words(drawn(name)))
        return
    for row in shown(name):
        line, bar = first[f"{row.truth}|{row.measure}|{row.level}"], bars(name)[key(row)]
        low, high = sorted(line.get_ydata())
        assert low < bar.get_y() + bar.get_height() / 2 < high
        if row.rule == comparison.rules[0]:
            assert list(line.get_xdata()) == pytest.approx([bar.get_x() + bar.get_width()] * 2)
    assert f"the first rule: {comparison.rules[0]}" in legend_words(drawn(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_mtd_stands_on_the_dark_ground(name: str) -> None:
    grounds = {str(p.get_gid()): p for p in drawn(name).patches if str(p.get_gid()).startswith("ground|")}
    for truth in found(name).truths:
        for level in [*range(1, len(truth.dlt_probability) + 1), "no dose"]:
            dark = colour(grounds[f"ground|{truth.label}|{level}"]) == to_hex(style.FAINT)
            assert dark == (level == truth.mtd)
    assert any("MTD of the truth" in word for word in legend_words(drawn(name))) == (
        found(name).overdose_above is not None
    )


@pytest.mark.parametrize("name", NAMES)
def test_no_text_overlaps_another_one_or_is_cut_off(name: str) -> None:
    ax = drawn(name)
    boxes = [(text.get_text(), text.get_window_extent()) for text in all_texts(ax)]
    assert not overlaps(boxes, 0.5)
    room = ax.figure.bbox
    for text, extent in boxes:
        assert room.x0 <= extent.x0 and extent.x1 <= room.x1, text
        assert room.y0 <= extent.y0 and extent.y1 <= room.y1, text
    assert min(text.get_fontsize() for text in all_texts(ax)) >= 8
    width, height = ax.figure.get_size_inches()
    assert 5 < width < 20 and 2 < height < 19


@pytest.mark.parametrize("name", NAMES)
def test_a_given_axes_is_drawn_into_and_returned(name: str) -> None:
    left, right = drawn_beside_another(lambda ax: draw(name, ax), (14, 7))
    assert left.patches and not right.patches and not right.texts and not right.lines
    assert left.figure.axes == [left, right]
    inside = left.get_window_extent().padded(1)
    for text in left.texts:
        extent = text.get_window_extent()
        assert inside.x0 <= extent.x0 and extent.x1 <= inside.x1, text
        assert inside.y0 <= extent.y0 and extent.y1 <= inside.y1, text


def test_the_same_figure_gives_the_same_bytes(tmp_path: Path) -> None:
    for ax, file in ((drawn("two levels"), "one.svg"), (draw("two levels"), "two.svg")):
        style.save(ax, tmp_path / file)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_figures_are_nobodys() -> None:
    plt.close("all")
    draw("one rule, no target")
    assert not plt.get_fignums()


def test_the_notes_say_what_it_rests_on() -> None:
    words = [text.get_text() for text in drawn("two levels").texts]
    assert "150 simulated trials of each, seed 1: the same candidates and patients meet every rule" in words
    assert "MTD of a truth: the highest level whose P(DLT) is not above 25%, unless the truth names one" in words
    title = drawn("two levels").get_title(loc="left")
    assert " ".join(title.split()).endswith("5 rules under 2 truths")


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ([0.30, 0.61, 0.60], "The MTD is recommended most often by B or C, in 61% and 60% of the trials: 3 rules"),
        ([0.30, 0.80, 0.60], "The MTD is recommended most often by B, in 80% of the trials: 3 rules"),
        ([0.60, 0.61, 0.62], "The MTD is recommended in 60% to 62% of the trials, whatever the rule: 3 rules"),
    ],
)
def test_the_title_says_which_rules_find_the_mtd(shares: list[float], words: str) -> None:
    """Rules whose difference may be Monte Carlo error are named together: 2 points are 5.5 of a difference."""
    truth = SimpleNamespace(mtd=1, label="truth")
    rows = dict(zip("ABC", shares, strict=True))
    of: Any = SimpleNamespace(
        rules=list(rows), truths=[truth],
        get=lambda measure, level, rule, truth: SimpleNamespace(estimate=rows[rule], mc_se=0.02),
    )  # fmt: skip
    assert figure_of._title(of).startswith(words)
