"""Figures, read by their artists and held against the records.

Seen to fail with these bugs planted in ``src/escalate/plots`` (test, without ``test_``: the bugs that it caught):

- dlt_windows_reach_from_the_infusion_to_the_end_of_their_last_day: the DLT window ends at the beginning of its last
  day; the window of somebody who left looks observed; non-evaluable windows look like the others; lanes in reverse
  order
- screening_waiting_lymphodepletion_and_follow_up_have_their_dates: waiting counts from the consent; follow-up loses
  its last day; lymphodepletion covers the infusion day; lymphodepletion of who was cut off loses its last day
- candidates_who_were_never_enrolled_stand_in_strips_below_the_lanes: marks at midnight, not at noon; the strips
  count enrolled patients too (cut off); a state of candidates without a strip
- what_happened_on_one_day_is_marked_at_its_noon: drop-out mark at those who completed; late toxicities drawn as
  DLTs
- decisions_stand_at_their_dates_across_their_cohorts: decision line at the data cut; decision line across the
  cohorts above; decision at the next cohort; wait begins before the data cut
- words_of_a_decision: a stop without a dose does not say so; pending patients left out of a decision's words; an
  early decision does not say so
- planned_completion_is_a_line_if_it_lies_in_or_near_the_range: planned completion shortly after the end not drawn;
  planned completion far away squeezes the trial; planned completion out of range not said
- no_text_overlaps_another_one_and_the_legend_covers_no_data: no room for the decision below the lanes; decisions
  always written to the right; legend over the data; legend over the dates; title over the small print; figure does
  not grow
- the_outcome_of_every_patient_stands_beside_the_lane: day of the DLT counted from lymphodepletion; outcomes one
  lane too low
- bars_differ_in_height_hatch_or_darkness: screening and follow-up of one height and darkness
- a_dlt_lies_on_top_of_everything_and_is_the_largest_mark: DLT below other marks; DLT small
- a_decision_on_the_day_of_the_data_cut_has_no_wait: the legend lists what does not occur
- the_same_trial_gives_the_same_bytes: no hash salt; layout moves with every saving
- svg_says_neither_when_nor_with_what_it_was_made: date in the SVG; version in the SVG; version in the PNG
- a_new_figure_is_nobodys_and_settings_stay_as_they_were: settings changed for good
- the_heading_says_recommendation_dose_path_reason_seed_and_dates: letters of the dose path not explained; wrong
  dose in the heading
- seed_and_replicate_are_the_trials_own: seed and replicate swapped
- dates_on_the_axis_say_the_year_where_it_begins: the first date without its year
- a_given_axes_is_drawn_on_and_returned_and_nothing_else_is: new figures by pyplot; a given Axes is ignored by the
  timeline; the figure of a given Axes is resized; a given Axes is ignored by the staircase
- pyplot_is_not_imported: pyplot imported
- every_patient_stands_at_the_level_with_the_mark_of_the_outcome: non-evaluable patients drawn as no DLT; levels
  from 0; late toxicities missing
- cohorts_are_separated_and_the_decision_stands_where_a_cohort_ends: decision before its cohort
- the_recommended_level_is_marked_or_the_reason_why_there_is_none: recommendation one level too low
- decisions_are_written_upright_where_cohorts_are_narrow: decisions overlap in narrow cohorts
- every_infusion_is_marked_at_the_noon_of_its_date: only the first infusion is marked
- every_cohort_has_a_band_with_its_number_level_and_dose: level of a cohort wrong; expansion cohort not named
- the_calendar_shows_every_day_of_the_trial_and_little_more: the calendar ends too early
- lines_break_between_words_and_inside_one_only_if_it_is_wider: lines break at hyphens
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.dates import date2num
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from escalate.errors import OutputError
from escalate.plots import plot_staircase, plot_timeline, staircase, style, texts, timeline
from escalate.trial.conduct import simulate_trial
from escalate.words.records import Trial
from small import START, lymphodepletion, small

Row = dict[str, Any]
ACTIONS = ("escalate", "stay", "de-escalate", "stop")
TREATED = {
    "treatment__lymphodepletion": lymphodepletion(3),
    "screening__days": 14,
    "safety__review_delay_days": 7,
    "follow_up__days": 90,
}


@cache
def trial(name: str) -> Trial:
    """Return one of the example trials."""
    changes, replicate = EXAMPLES[name]
    return simulate_trial(small(**{**TREATED, **changes}), seed=0, replicate=replicate)


def levels(count: int, label: str = "{} mg/kg") -> list[Row]:
    return [{"label": label.format(number)} for number in range(1, count + 1)]


SIX = {
    "dose_levels": levels(6, "{}e9 cells, split over days 0, 3 and 6"),
    "toxicity__dlt_probability": [0.0] * 6,
    "trial__planned_patients": 36,
    "accrual__consent_days": list(range(0, 1500, 5)),
    "accrual__patience_days": 30,
}
EXAMPLES: dict[str, tuple[dict[str, Any], int]] = {
    "plain": (
        {"accrual__consent_days": list(range(0, 400, 20)), "trial__planned_completion_date": date(2025, 6, 1)},
        0,
    ),
    "story": (
        {
            "accrual__consent_days": list(range(0, 700, 9)),
            "accrual__patience_days": 25,
            "screening__failure_probability": {"platelets": 0.3},
            "safety__sentinel_stagger_days": 14,
            "rule__variant": "C",
            "trial__planned_completion_date": date(2025, 10, 1),
            "what_if": [
                {"patient": 2, "dlt_day": 29},
                {"patient": 3, "infused": False},
                {"patient": 5, "drop_out_day": 11},
                {"patient": 6, "full_dose": False},
                {"patient": 7, "dlt_day": 28},
                {"patient": 8, "drop_out_day": 50},
            ],
        },
        1,
    ),
    "toxic": ({"accrual__consent_days": list(range(0, 100, 3)), "toxicity__dlt_probability": [1.0, 1.0]}, 0),
    "withheld": (
        {
            "accrual__consent_days": [0, 0, 12],
            "safety__dlt_after_lymphodepletion": "withhold",
            "what_if": [{"patient": 1, "dlt_day": 10}],
            "trial__max_days": 60,
        },
        0,
    ),
    "many": (
        {
            **SIX,
            "treatment__infusion_days": [0, 3, 6],
            "what_if": [{"patient": 6 * k + 1, "dlt_day": 8} for k in range(6)],
        },
        0,
    ),
    "ones": ({**SIX, "safety__cohort_size": 1, "accrual__consent_days": list(range(0, 2500, 20))}, 0),
    "expansion": (
        {
            "safety__when_rule_finished": "expand",
            "stopping__expansion_too_toxic_probability": 1.0,
            "accrual__consent_days": list(range(0, 400, 4)),
            "accrual__without_place": "lost",
        },
        0,
    ),
    "cut off": ({"accrual__consent_days": [0, 3, 6, 70, 110], "trial__max_days": 100}, 0),
    "cut off early": ({"accrual__consent_days": [0, 4], "trial__max_days": 36, "safety__dlt_window_days": 20}, 0),
    "cut off before infusion": ({"accrual__consent_days": [26], "trial__max_days": 41}, 0),
    "one patient": ({"accrual__consent_days": [10], "trial__max_days": 300}, 0),
    "nobody comes": ({"trial__max_days": 3650, "trial__planned_completion_date": date(2026, 1, 1)}, 0),
    "nobody is eligible": (
        {"accrual__consent_days": [5, 9], "screening__failure_probability": {"age": 1.0}, "trial__max_days": 400},
        0,
    ),
    "nobody is infused": (
        {"accrual__consent_days": [5, 9], "attrition__not_infused_probability": 1.0, "trial__max_days": 400},
        0,
    ),
    "no lymphodepletion": (
        {"accrual__consent_days": list(range(0, 400, 6)), "treatment__lymphodepletion": [], "screening__days": 0},
        0,
    ),
    "long words": (
        {
            "trial__title": "A phase I, open-label, single-arm, multicentre dose-escalation study of "
            + "very " * 30
            + "long titles",
            "dose_levels": levels(2, "{}e9 chimeric antigen receptor natural killer cells per kg, in two parts"),
            "accrual__consent_days": list(range(0, 400, 20)),
        },
        0,
    ),
}
NAMES = list(EXAMPLES)


@cache
def drawn(name: str, kind: str = "timeline") -> Axes:
    """Return the figure of an example, drawn once for all tests that only look."""
    ax = {"timeline": plot_timeline, "staircase": plot_staircase}[kind](trial(name))
    ax.figure.draw_without_rendering()
    return ax


def x_of(day: str | int, hours: float = 0) -> float:
    """Return where on the axis a date stands."""
    moment = date.fromisoformat(day) if isinstance(day, str) else START + timedelta(days=day)
    return float(date2num(moment)) + hours / 24


def enrolled(of: Trial) -> list[Row]:
    rows = [row for row in of.patients if row["patient"] is not None]
    return sorted(rows, key=lambda row: row["patient"])


def lanes(ax: Axes) -> dict[int, float]:
    """Return the middle of every patient's lane, by the labels of the y axis."""
    return {int(label.get_text()): y for y, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)}


def bars(ax: Axes, label: str) -> list[tuple[float, float, float]]:
    """Return lane, beginning and end of every bar with a label, in order."""
    return sorted(
        (round(bar.get_y() + bar.get_height() / 2, 6), bar.get_x(), bar.get_x() + bar.get_width())
        for container in ax.containers
        if container.get_label() == label
        for bar in container
    )


def points(ax: Axes, label: str) -> list[tuple[float, float]]:
    """Return the points of the marks with a label, in order."""
    return sorted((x, y) for line in ax.lines if line.get_label() == label for x, y in line.get_xydata())


def words(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def notes(ax: Axes) -> list[Annotation]:
    return [text for text in ax.texts if isinstance(text, Annotation)]


def band(ax: Axes, number: int) -> Bbox:
    found = [patch for patch in ax.patches if patch.get_gid() == f"cohort {number}"]
    assert len(found) == 1
    extent = found[0].get_extents().transformed(ax.transData.inverted())
    return Bbox.from_extents(extent.x0, min(extent.y0, extent.y1), extent.x1, max(extent.y0, extent.y1))


def legend_words(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


# Timeline: lanes and bars


@pytest.mark.parametrize("name", NAMES)
def test_every_enrolled_patient_has_one_lane_in_order_of_enrolment_inside_the_cohort(name: str) -> None:
    ax, rows = drawn(name), enrolled(trial(name))
    found = lanes(ax)
    assert list(found) == [row["patient"] for row in rows]
    places = [found[row["patient"]] for row in rows]
    assert places == sorted(places)
    assert all(after - before >= 1 for before, after in itertools.pairwise(places))
    for row in rows:
        inside = band(ax, row["cohort"])
        assert inside.y0 - 1e-9 <= found[row["patient"]] - 0.5 and found[row["patient"]] + 0.5 <= inside.y1 + 1e-9
    top_left = ax.get_ylim()
    assert top_left[0] > top_left[1] == 0, "lanes count from the top"


@pytest.mark.parametrize("name", NAMES)
def test_dlt_windows_reach_from_the_infusion_to_the_end_of_their_last_day(name: str) -> None:
    ax, found = drawn(name), lanes(drawn(name))
    whole, hatched, unseen = [], [], []
    for row in enrolled(trial(name)):
        if row["infusion_date"] is None:
            continue
        y = round(found[row["patient"]], 6)
        seen = min(row["window_end_date"], row["left_date"])
        (hatched if row["outcome"] == "non-evaluable" else whole).append(
            (y, x_of(row["infusion_date"]), x_of(seen, 24))
        )
        if row["left_date"] < row["window_end_date"]:
            unseen.append((y, x_of(seen, 24), x_of(row["window_end_date"], 24)))
    assert bars(ax, "DLT window") == whole
    assert bars(ax, "DLT window, non-evaluable") == hatched
    assert bars(ax, "DLT window, not observed") == unseen


@pytest.mark.parametrize("name", NAMES)
def test_screening_waiting_lymphodepletion_and_follow_up_have_their_dates(name: str) -> None:
    ax, found = drawn(name), lanes(drawn(name))
    expected: dict[str, list[tuple[float, float, float]]] = {key: [] for key in WAY}
    for row in enrolled(trial(name)):
        end = row["infusion_date"] or row["left_date"]
        still_here = 24 if row["infusion_date"] is None and row["state"] == "cut off" else 0
        steps = {
            "screening": (x_of(row["consent_date"]), x_of(row["screening_end_date"])),
            "waiting for a place": (x_of(row["screening_end_date"]), x_of(row["treatment_start_date"])),
            "lymphodepletion": (x_of(row["treatment_start_date"]), x_of(end, still_here)),
        }
        if row["infusion_date"] is not None:
            steps["follow-up"] = (x_of(row["window_end_date"], 24), x_of(row["left_date"], 24))
        for what, (first, after) in steps.items():
            if after > first:
                expected[what].append((round(found[row["patient"]], 6), first, after))
    assert {what: bars(ax, what) for what in WAY} == expected


WAY = ("screening", "waiting for a place", "lymphodepletion", "follow-up")


@pytest.mark.parametrize("name", NAMES)
def test_every_infusion_is_marked_at_the_noon_of_its_date(name: str) -> None:
    ax, found = drawn(name), lanes(drawn(name))
    expected = sorted(
        (x_of(row["date"], 12), round(found[row["patient"]], 6))
        for row in trial(name).events
        if row["event"] == "infusion"
    )
    segments = [part for lines in ax.collections if lines.get_label() == "infusion" for part in lines.get_segments()]
    assert sorted((part[0][0], round(part[:, 1].mean(), 6)) for part in segments) == expected
    assert all(part[0][0] == part[1][0] and abs(part[1][1] - part[0][1]) < 1 for part in segments)


def test_three_infusions_are_three_marks() -> None:
    assert sum(row["event"] == "infusion" for row in trial("many").events) == 3 * 36


# Timeline: marks


@pytest.mark.parametrize("name", NAMES)
def test_what_happened_on_one_day_is_marked_at_its_noon(name: str) -> None:
    ax, found, rows = drawn(name), lanes(drawn(name)), enrolled(trial(name))

    def at(column: str, chosen: list[Row]) -> list[tuple[float, float]]:
        return sorted((x_of(row[f"{column}_date"], 12), found[row["patient"]]) for row in chosen)

    toxic = [row for row in rows if row["dlt_date"] is not None]
    counted = [row for row in toxic if row["dlt_date"] <= row["window_end_date"]]
    assert points(ax, "DLT") == at("dlt", counted)
    assert points(ax, "late toxicity (not counted)") == at("dlt", [row for row in toxic if row not in counted])
    assert points(ax, "drop-out") == at("left", [row for row in rows if row["state"] == "dropped out"])
    assert points(ax, "not infused") == at("left", [row for row in rows if row["state"] == "not infused"])
    here = [row for row in rows if row["state"] == "cut off"]
    assert points(ax, "still in the trial when time was up") == at("left", here)


def test_the_examples_have_what_they_are_for() -> None:
    rows = enrolled(trial("story"))
    assert {row["outcome"] for row in rows} == {"DLT", "no DLT", "non-evaluable", None}
    late = [row for row in rows if row["dlt_day"] is not None and row["outcome"] != "DLT"]
    assert [row["dlt_day"] - row["window_end_day"] for row in late] == [1], "a day after the window"
    on_the_last_day = [row for row in rows if row["outcome"] == "DLT"]
    assert [row["dlt_day"] - row["window_end_day"] for row in on_the_last_day] == [0]
    states = Counter(row["state"] for row in trial("story").patients)
    assert {"screen failure", "withdrew waiting", "turned away"} <= set(states)
    assert "no place" in trial("expansion").patients["state"]
    assert len(trial("many").cohorts) == 12 and len(enrolled(trial("many"))) == 36
    assert "expansion" in trial("expansion").cohorts["purpose"]
    assert trial("cut off").dose_path.endswith("P")
    assert [row["state"] for row in enrolled(trial("cut off before infusion"))] == ["cut off"]
    assert "withheld" in "".join(filter(None, trial("withheld").patients["not_infused_reason"]))
    assert "yes" in trial("toxic").decisions["forced"]
    assert any(trial("toxic").decisions["pending"])
    for name in ("nobody comes", "nobody is eligible"):
        assert not enrolled(trial(name)) and len(trial(name).cohorts) == 1 and not len(trial(name).decisions)


@pytest.mark.parametrize("name", ["story", "many", "toxic"])
def test_a_dlt_lies_on_top_of_everything_and_is_the_largest_mark(name: str) -> None:
    ax = drawn(name)
    [dlt] = [line for line in ax.lines if line.get_label() == "DLT"]
    others = [artist for artist in [*ax.lines, *ax.patches, *ax.collections, *ax.texts] if artist is not dlt]
    assert all(dlt.get_zorder() > other.get_zorder() for other in others)
    marks = [line for line in ax.lines if line is not dlt and line.get_linestyle() == "None"]
    assert all(dlt.get_markersize() > 1.5 * line.get_markersize() for line in marks)


@pytest.mark.parametrize("name", NAMES)
def test_the_outcome_of_every_patient_stands_beside_the_lane(name: str) -> None:
    ax, found = drawn(name), lanes(drawn(name))
    beside = {
        round(text.xy[1], 6): text.get_text() for text in notes(ax) if text.get_ha() == "left" and text.xy[0] == 1
    }
    for row in enrolled(trial(name)):
        text = beside[round(found[row["patient"]], 6)]
        if row["state"] == "not infused":
            assert text.startswith("not infused")
        elif row["infusion_day"] is None:
            assert text == "not yet infused"
        elif row["outcome"] == "DLT":
            assert text == f"DLT, day {row['dlt_day'] - row['infusion_day']}"
        else:
            assert text.startswith(row["outcome"]) and ("late toxicity" in text) == (row["dlt_day"] is not None)


def test_who_was_withheld_can_be_told_from_who_could_not_be_infused() -> None:
    assert "not infused: withheld" in words(drawn("withheld"))
    assert "not infused" in words(drawn("nobody is infused"))


# Timeline: cohorts and decisions


@pytest.mark.parametrize("name", NAMES)
def test_every_cohort_has_a_band_with_its_number_level_and_dose(name: str) -> None:
    ax, of = drawn(name), trial(name)
    edges = [(band(ax, row["cohort"]).y0, band(ax, row["cohort"]).y1) for row in of.cohorts]
    assert all(below == pytest.approx(above) for (_, below), (above, _) in itertools.pairwise(edges)), "bands touch"
    flat = [" ".join(text.split()) for text in words(ax)]
    for row in of.cohorts:
        name_of_cohort = f"Cohort {row['cohort']}" + (", expansion" if row["purpose"] == "expansion" else "")
        assert flat.count(name_of_cohort) == 1
    doses = Counter(f"level {row['level']} · {row['dose']}" for row in of.cohorts)
    assert all(flat.count(dose) == count for dose, count in doses.items())


@pytest.mark.parametrize("name", NAMES)
def test_decisions_stand_at_their_dates_across_their_cohorts(name: str) -> None:
    ax, decisions = drawn(name), list(trial(name).decisions)
    lines = [line for line in ax.lines if line.get_label() == "committee's decision"]
    assert len(lines) == len(decisions)
    waits = [patch for patch in ax.patches if patch.get_label() == "data cut to decision"]
    assert len(waits) == len(decisions)
    for row, line, wait in zip(decisions, lines, waits, strict=True):
        across, day = band(ax, row["cohort"]), x_of(row["committee_date"], 12)
        assert line.get_xdata().tolist() == [day, day]
        assert line.get_ydata().tolist() == pytest.approx([across.y0, across.y1])
        assert wait.get_x() == x_of(row["data_cut_date"], 12) and wait.get_x() + wait.get_width() == day
        assert (wait.get_y(), wait.get_height()) == pytest.approx((across.y0, across.height))


@pytest.mark.parametrize("name", NAMES)
def test_the_words_of_a_decision_stand_beside_its_line_inside_the_figure(name: str) -> None:
    ax = drawn(name)
    for row in trial(name).decisions:
        [text] = [text for text in ax.texts if text.get_text() == timeline.decision_words(row)]
        across, box = band(ax, row["cohort"]), text.get_window_extent()
        extent = box.transformed(ax.transData.inverted())
        assert across.y0 < text.xy[1] < across.y1
        assert text.xy[1] > max(y for patient, y in lanes(ax).items() if y < across.y1) + 0.5, "below the last lane"
        day, cut = x_of(row["committee_date"], 12), x_of(row["data_cut_date"], 12)
        assert extent.x0 > day if text.get_ha() == "left" else extent.x1 < cut
        room = ax.get_window_extent()
        assert room.x0 <= box.x0 and box.x1 <= ax.figure.bbox.x1, "not cut off, and not among the patients' numbers"
        fits_right = ax.transData.transform((day, 0))[0] + box.width + 8 < room.x1
        assert text.get_ha() == "left" or not fits_right


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"action": "escalate"}, "escalate · DLT in 0 of 3 at this dose · 2025-03-01"),
        ({"action": "stay", "dlts": 1}, "stay · DLT in 1 of 3 at this dose · 2025-03-01"),
        (
            {"action": "de-escalate", "dlts": 2, "forced": "yes", "pending": 1, "lymphodepleted": 2},
            "de-escalate (early) · DLT in 2 of 3 at this dose, 1 pending, 2 lymphodepleted · 2025-03-01",
        ),
        (
            {"action": "stop", "recommended_level": 2},
            "stop: level 2 recommended · DLT in 0 of 3 at this dose · 2025-03-01",
        ),
        ({"action": "stop"}, "stop: no dose · DLT in 0 of 3 at this dose · 2025-03-01"),
    ],
)
def test_words_of_a_decision(row: Row, expected: str) -> None:
    plain = {"forced": "no", "dlts": 0, "evaluable": 3, "pending": 0, "lymphodepleted": 0, "recommended_level": None}
    assert timeline.decision_words({**plain, "committee_date": "2025-03-01", **row}) == expected


@pytest.mark.parametrize("name", ["nobody comes", "nobody is eligible"])
def test_a_cohort_in_which_nobody_was_enrolled_says_so(name: str) -> None:
    assert "open from 2025-01-01: nobody was enrolled" in words(drawn(name))
    assert not lanes(drawn(name)) and not drawn(name).containers


# Timeline: the rest


@pytest.mark.parametrize("name", NAMES)
def test_candidates_who_were_never_enrolled_stand_in_strips_below_the_lanes(name: str) -> None:
    ax = drawn(name)
    others = [row for row in trial(name).patients if row["patient"] is None]
    found = points(ax, "_never enrolled")
    assert sorted(x for x, _ in found) == sorted(x_of(row["left_date"], 12) for row in others)
    lowest = max((band(ax, row["cohort"]).y1 for row in trial(name).cohorts), default=0)
    assert all(y > lowest for _, y in found)
    per_strip = Counter(y for _, y in found)
    for state, count in Counter(row["state"] for row in others).items():
        [text] = [text for text in ax.texts if text.get_text() == f"{timeline.STRIPS[state]} ({count})"]
        assert per_strip.pop(text.xy[1]) == count
    assert not per_strip


@pytest.mark.parametrize("name", NAMES)
def test_the_calendar_shows_every_day_of_the_trial_and_little_more(name: str) -> None:
    ax, of = drawn(name), trial(name)
    low, high = ax.get_xlim()
    last = max([of.duration_days, *(row["window_end_day"] or 0 for row in enrolled(of))])
    assert low <= x_of(0) and x_of(last, 24) <= high
    assert low >= x_of(0) - 0.02 * (high - low) and high <= x_of(0) + 1.2 * max(last + 1, 14)


def planned_line(ax: Axes) -> list[float]:
    return [x for x, _ in points(ax, "_planned completion")]


@pytest.mark.parametrize(("days", "drawn_at"), [(-50, True), (0, True), (20, True), (200, False)])
def test_planned_completion_is_a_line_if_it_lies_in_or_near_the_range(days: int, drawn_at: bool) -> None:
    of = trial("plain")
    planned = of.date_of(of.duration_days + days)
    ax = plot_timeline(replace(of, planned_completion_date=planned))
    expected = [x_of(planned.isoformat(), 12)] * 2 if drawn_at else []
    assert planned_line(ax) == expected
    assert (f"planned completion {planned}" in words(ax)) == drawn_at
    small_print = next(text for text in words(ax) if "seed" in text)
    assert (f"planned completion {planned}, later than the dates shown" in small_print) != drawn_at
    if drawn_at:
        assert ax.get_xlim()[0] < expected[0] < ax.get_xlim()[1]


def test_without_a_planned_completion_there_is_no_line() -> None:
    ax = drawn("toxic")
    assert trial("toxic").planned_completion_date is None
    assert not planned_line(ax) and "planned completion" not in " ".join(words(ax))


def test_a_trial_without_cohorts_says_that_nobody_was_enrolled() -> None:
    of = trial("nobody comes")
    empty = replace(of, **{name: replace(getattr(of, name), cells=()) for name in ("events", "patients", "cohorts")})
    for plot in (plot_timeline, plot_staircase):
        ax = plot(replace(empty, duration_days=0))
        ax.figure.draw_without_rendering()
        assert "nobody was enrolled" in words(ax)


@pytest.mark.parametrize(
    ("first", "step", "count", "expected"),
    [
        (date(2024, 9, 1), 61, 4, ["Sep\n2024", "Nov\n ", "Jan\n2025", "Mar\n "]),
        (date(2024, 12, 1), 14, 4, ["1 Dec\n2024", "15 Dec\n ", "29 Dec\n ", "12 Jan\n2025"]),
        (date(2025, 1, 1), 366, 3, ["2025", "2026", "2027"]),
        (date(2025, 2, 1), 1, 1, ["1 Feb\n2025"]),
    ],
)
def test_dates_on_the_axis_say_the_year_where_it_begins(
    first: date, step: int, count: int, expected: list[str]
) -> None:
    values = [float(date2num(first)) + step * place for place in range(count)]
    assert style.Dates().format_ticks(values) == expected


@pytest.mark.parametrize("name", NAMES)
def test_tick_labels_are_the_dates_of_their_ticks(name: str) -> None:
    ax = drawn(name)
    low, high = ax.get_xlim()
    ticks = [(x, text.get_text()) for x, text in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)]
    shown = [(x, text) for x, text in ticks if low <= x <= high]
    assert 3 <= len(shown) <= 13
    for x, text in shown:
        day = date(1970, 1, 1) + timedelta(days=x)
        assert f"{day:%b}" in text or text == str(day.year)
    assert any(character.isdigit() for character in shown[0][1].split("\n")[-1]), "the first one says the year"


# Heading and legend, of both figures


def test_lines_break_between_words_and_inside_one_only_if_it_is_wider() -> None:
    label = "13.5e9 CAR-NK cells (X = non-evaluable)"
    assert texts.wrapped(label, 73, 9) == ["13.5e9", "CAR-NK cells", "(X =", "non-evaluable)"]
    assert texts.wrapped("one\ntwo\r\n three", 400, 9) == ["one two three"], "line ends are spaces"
    for long in ("W" * 60, "\N{CJK UNIFIED IDEOGRAPH-7EC6}" * 60):
        with texts.plain_texts():
            lines = texts.wrapped(long, 72, 9)
            assert "".join(lines) == long and len(lines) > 5
            assert all(texts.measure(line, 9) <= 72 for line in lines)


def heading_words(ax: Axes) -> str:
    small = next(text for text in words(ax) if "seed" in text)
    return " ".join(f"{ax.get_title(loc='left')} {small}".replace("\N{NO-BREAK SPACE}", " ").split())


@pytest.mark.parametrize("kind", ["timeline", "staircase"])
@pytest.mark.parametrize("name", NAMES)
def test_the_heading_says_recommendation_dose_path_reason_seed_and_dates(name: str, kind: str) -> None:
    of, text = trial(name), heading_words(drawn(name, kind))
    assert (f"Dose path {of.dose_path} (" if of.dose_path else "Nobody was infused") in text
    if of.recommended is None:
        assert text.startswith(f"No dose recommended: {of.stop_reason}")
    else:
        assert text.startswith(f"Recommended: {of.recommended_dose} (level {of.recommended})")
    meanings = {"N": "no DLT", "T": "DLT", "X": "non-evaluable", "P": "pending"}
    assert all((f" {letter} = {meaning}" in text) == (letter in of.dose_path) for letter, meaning in meanings.items())
    rest = (
        of.stop_reason,
        f"seed {of.seed}, replicate {of.replicate}",
        of.title,
        f"{of.start_date} to {of.date_of(of.duration_days)}",
    )
    assert all(part in text for part in rest)


def test_seed_and_replicate_are_the_trials_own() -> None:
    for kind in (plot_timeline, plot_staircase):
        assert "seed 0, replicate 1" in heading_words(kind(trial("story")))


def expected_legend(of: Trial) -> set[str]:
    """Return what the legend of the timeline must list, from the records alone."""
    rows = enrolled(of)
    infused = [row for row in rows if row["infusion_day"] is not None]
    entries = {
        "screening": any(row["screening_end_day"] > row["consent_day"] for row in rows),
        "waiting for a place": any(row["waiting_days"] > 0 for row in rows),
        "lymphodepletion": any(row["treatment_start_day"] != row["infusion_day"] for row in rows),
        "infusion": bool(infused),
        "not infused": any(row["state"] == "not infused" for row in rows),
        "DLT window": any(row["outcome"] != "non-evaluable" for row in infused),
        "DLT window, non-evaluable": any(row["outcome"] == "non-evaluable" for row in infused),
        "DLT window, not observed": any(row["left_day"] < row["window_end_day"] for row in infused),
        "follow-up": any(row["left_day"] > row["window_end_day"] for row in infused),
        "DLT": "T" in of.dose_path,
        "late toxicity (not counted)": any(row["dlt_day"] is not None and row["outcome"] != "DLT" for row in infused),
        "drop-out": any(row["state"] == "dropped out" for row in rows),
        "still in the trial when time was up": any(row["state"] == "cut off" for row in rows),
        "data cut to decision": len(of.decisions) > 0,
        "committee's decision": len(of.decisions) > 0,
    }
    return {label for label, occurs in entries.items() if occurs}


@pytest.mark.parametrize("name", NAMES)
def test_the_legend_of_the_timeline_lists_what_occurs_and_nothing_else(name: str) -> None:
    found = legend_words(drawn(name))
    assert len(found) == len(set(found))
    assert set(found) == expected_legend(trial(name))


def test_a_decision_on_the_day_of_the_data_cut_has_no_wait() -> None:
    ax = plot_timeline(simulate_trial(small(accrual__consent_days=[0, 0, 0], trial__max_days=60)))
    assert "committee's decision" in legend_words(ax) and "data cut to decision" not in legend_words(ax)


@pytest.mark.parametrize("name", NAMES)
def test_the_legend_of_the_staircase_lists_what_occurs_and_nothing_else(name: str) -> None:
    rows = enrolled(trial(name))
    translated = {
        "no DLT": "no DLT",
        "DLT": "DLT",
        "non-evaluable": "non-evaluable",
        "pending": staircase.PENDING.label,
    }
    expected = {translated.get(row["outcome"], "enrolled, not infused") for row in rows}
    if any(row["dlt_day"] is not None and row["outcome"] != "DLT" for row in rows):
        expected.add("late toxicity (not counted)")
    assert set(legend_words(drawn(name, "staircase"))) == expected


def all_texts(ax: Axes) -> list[Text]:
    """Return every text that is seen: words, labels of the axes, title, legend."""
    legend = ax.get_legend()
    found = [*ax.texts, ax.xaxis.label, *(() if legend is None else legend.get_texts())]
    low, high = sorted(ax.get_xlim())
    found += [text for x, text in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True) if low <= x <= high]
    found += ax.get_yticklabels()
    found += [title for title in (ax._left_title,) if title.get_text()]  # type: ignore[attr-defined]
    return [text for text in found if text.get_text().strip()]


@pytest.mark.parametrize("kind", ["timeline", "staircase"])
@pytest.mark.parametrize("name", NAMES)
def test_no_text_overlaps_another_one_and_the_legend_covers_no_data(name: str, kind: str) -> None:
    ax = drawn(name, kind)
    ax.figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent().padded(-0.5)) for text in all_texts(ax)]
    for (one, box), (other, second) in itertools.combinations(boxes, 2):
        assert not box.overlaps(second), f"{one!r} overlaps {other!r}"
    legend = ax.get_legend()
    if legend is not None:
        assert legend.get_window_extent().y1 < ax.get_window_extent().y0


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_written_below_eight_points(name: str) -> None:
    for kind in ("timeline", "staircase"):
        assert min(text.get_fontsize() for text in all_texts(drawn(name, kind))) >= 8


@pytest.mark.parametrize("name", ["plain", "many"])
def test_the_figure_grows_with_the_lanes(name: str) -> None:
    ax = drawn(name)
    a_lane = style.points_tall(ax) / abs(ax.get_ylim()[0])
    assert 13 < a_lane < 26, "points: room for letters of 9 points, and no more than it takes"


# Black and white


def luminance(colour: str) -> float:
    red, green, blue = to_rgb(colour)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_bars_differ_in_height_hatch_or_darkness() -> None:
    for one, other in itertools.combinations(timeline.BARS, 2):
        same_shape = (one.height, one.hatch, one.dashed) == (other.height, other.hatch, other.dashed)
        assert not same_shape or abs(luminance(one.face) - luminance(other.face)) > 0.15, (one.label, other.label)


def test_marks_differ_in_shape() -> None:
    for marks in (
        (style.DLT, style.LATE, style.NOT_INFUSED, timeline.DROP_OUT, timeline.STILL_HERE, timeline.NEVER_ENROLLED),
        (
            staircase.NO_DLT,
            style.DLT,
            staircase.LATE_INSIDE,
            staircase.NON_EVALUABLE,
            staircase.PENDING,
            staircase.DASH,
        ),
    ):
        assert len({(mark.marker, mark.fill) for mark in marks}) == len(marks)


# Staircase


@pytest.mark.parametrize("name", NAMES)
def test_every_patient_stands_at_the_level_with_the_mark_of_the_outcome(name: str) -> None:
    ax, rows = drawn(name, "staircase"), enrolled(trial(name))
    for outcome, mark in staircase.MARKS.items():
        expected = sorted((row["patient"], row["level"]) for row in rows if row["outcome"] == outcome)
        assert points(ax, mark.label) == expected
    late = [row for row in rows if row["dlt_day"] is not None and row["outcome"] != "DLT"]
    assert points(ax, "late toxicity (not counted)") == [(row["patient"], row["level"]) for row in late]
    assert points(ax, "_staircase") == [(row["patient"], row["level"]) for row in rows]


@pytest.mark.parametrize("name", NAMES)
def test_the_staircase_counts_patients_in_whole_numbers_and_names_every_level(name: str) -> None:
    ax, of = drawn(name, "staircase"), trial(name)
    assert list(ax.get_xticks()) == [row["patient"] for row in enrolled(of)]
    assert list(ax.get_yticks()) == list(range(1, len(of.doses) + 1))
    labels = [" ".join(text.get_text().split()) for text in ax.get_yticklabels()]
    assert labels == [f"level {level} · {dose}" for level, dose in enumerate(of.doses, 1)]
    assert ax.get_ylim()[0] < 1 and ax.get_ylim()[1] > len(of.doses), "the highest level is at the top"


@pytest.mark.parametrize("name", NAMES)
def test_cohorts_are_separated_and_the_decision_stands_where_a_cohort_ends(name: str) -> None:
    ax, of = drawn(name, "staircase"), trial(name)
    numbers: dict[int, list[int]] = {}
    for row in enrolled(of):
        numbers.setdefault(row["cohort"], []).append(row["patient"])
    for cohort, members in numbers.items():
        edges = (band(ax, cohort).x0, band(ax, cohort).x1)
        assert edges == pytest.approx((min(members) - 0.5, max(members) + 0.5))
    found = {text.xy[0]: text.get_text() for text in ax.texts if text.get_text() in ACTIONS}
    assert found == {max(numbers[row["cohort"]]) + 0.5: row["action"] for row in of.decisions}


def test_decisions_are_written_upright_where_cohorts_are_narrow() -> None:
    turned = {
        name: {text.get_rotation() for text in drawn(name, "staircase").texts if text.get_text() in ACTIONS}
        for name in ("plain", "ones")
    }
    assert turned == {"plain": {0.0}, "ones": {90.0}}


@pytest.mark.parametrize("name", NAMES)
def test_the_recommended_level_is_marked_or_the_reason_why_there_is_none(name: str) -> None:
    ax, of = drawn(name, "staircase"), trial(name)
    marked = [patch for patch in ax.patches if patch.get_gid() == "recommended"]
    flat = [" ".join(text.split()) for text in words(ax)]
    if of.recommended is None:
        assert not marked and f"no dose recommended: {of.stop_reason}" in flat
    else:
        extent = marked[0].get_extents().transformed(ax.transData.inverted())
        assert (extent.y0 + extent.y1) / 2 == pytest.approx(of.recommended)
        [text] = [text for text in ax.texts if "recommended" in text.get_text() and "seed" not in text.get_text()]
        assert text.xy == (1, of.recommended)


# Conventions


@pytest.mark.parametrize("plot", [plot_timeline, plot_staircase])
def test_a_given_axes_is_drawn_on_and_returned_and_nothing_else_is(plot: Any) -> None:
    figure, (ax, other) = plt.subplots(2, 1, figsize=(12, 17))
    before, size, open_figures = len(other.get_children()), figure.get_size_inches().tolist(), plt.get_fignums()
    assert plot(trial("story"), ax=ax) is ax
    assert plt.get_fignums() == open_figures and figure.axes == [ax, other]
    assert len(other.get_children()) == before and not other.lines and not other.get_title(loc="left")
    assert figure.get_size_inches().tolist() == size
    figure.draw_without_rendering()
    plt.close(figure)


@pytest.mark.parametrize("plot", [plot_timeline, plot_staircase])
def test_a_new_figure_is_nobodys_and_settings_stay_as_they_were(plot: Any, tmp_path: Path) -> None:
    before, open_figures = dict(matplotlib.rcParams), plt.get_fignums()
    ax = plot(trial("story"))
    style.save(ax, tmp_path / "figure.svg")
    assert dict(matplotlib.rcParams) == before and plt.get_fignums() == open_figures
    assert ax.figure.axes == [ax]
    assert list(tmp_path.iterdir()) == [tmp_path / "figure.svg"]


def test_pyplot_is_not_imported() -> None:
    code = "import sys, escalate.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "error", "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("plot", [plot_timeline, plot_staircase])
@pytest.mark.parametrize("kind", ["svg", "png"])
def test_the_same_trial_gives_the_same_bytes(plot: Any, kind: str, tmp_path: Path) -> None:
    of, path = trial("story"), tmp_path / f"figure.{kind}"
    ax = plot(of)
    style.save(ax, path)
    first = path.read_bytes()
    style.save(ax.figure, path)
    assert path.read_bytes() == first, "the same figure twice, by its Axes and by itself"
    assert style.image(plot(of), kind) == first, "a figure drawn anew"
    assert style.image(plot(trial("plain")), kind) != first


def test_svg_says_neither_when_nor_with_what_it_was_made() -> None:
    svg = style.image(drawn("one patient"), "svg")
    assert b"<metadata>" in svg and b"dc:date" not in svg and b"dc:creator" not in svg
    assert matplotlib.__version__.encode() not in svg
    assert b"Software" not in style.image(drawn("one patient"), "png")


@pytest.mark.parametrize("name", ["figure.eps", "figure", "svg"])
def test_other_formats_are_refused_before_anything_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="svg, png or pdf"):
        style.save(plot_staircase(trial("one patient")), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_endings_may_be_capitals(tmp_path: Path) -> None:
    style.save(plot_staircase(trial("one patient")), str(tmp_path / "FIGURE.PNG"))
    assert (tmp_path / "FIGURE.PNG").read_bytes().startswith(b"\x89PNG")
