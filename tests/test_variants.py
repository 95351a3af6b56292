"""Scenarios compared on the same random numbers: differences, their errors, what is the same, faults, figure, files."""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Text

import escalate as esc
from conftest import ROOT
from escalate import Scenario, ScenarioError
from escalate.cli import main
from escalate.errors import CallError, EscalateError
from escalate.nature import sameness
from escalate.nature.batches import BatchDraws
from escalate.nature.candidates import CandidateDraws
from escalate.nature.patients import PatientDraws
from escalate.plots.finish import plot_finish
from escalate.report.html import html_of
from escalate.results.estimates import finished_by
from escalate.results.tally import tally
from escalate.scenario.differences import differences
from escalate.scenario.variants import variant_of_text
from escalate.studies import variants as module
from escalate.studies.medians import difference_of_medians
from escalate.studies.variants import Variants
from escalate.studies.workers import Processes
from small import small

BASE = str(ROOT / "scenarios" / "nct06337474.toml")
TRIALS = 400
CHANGES: dict[str, dict[str, Any]] = {
    "equal": {"follow_up.days": 180},
    "slow": {"accrual.consents_per_month": 0.5},
    "toxic": {"toxicity.dlt_probability": [0.2, 0.45]},
    "late plan": {"trial.planned_completion_date": "2027-01-31"},
}


@cache
def found() -> Variants:
    """Return scenarios compared, made once for all tests that only look."""
    return esc.compare(esc.load(BASE), variants=CHANGES, trials=TRIALS, seed=3)


# Numbers


def test_a_scenario_that_is_equal_differs_in_nothing() -> None:
    rows = [row for row in found().rows if row.rule == "equal"]
    assert {row.measure for row in rows} >= {"recommended", "infused", "dlts", "duration", "median duration"}
    for row in rows:
        assert (row.difference, row.difference_se, row.is_same) == (0, None, True), row.measure
    assert found().changes["equal"] == () and not any("equal" in whose for whose in found().not_the_same.values())


def test_each_has_the_trials_that_it_has_alone() -> None:
    for label, scenario in found().scenarios.items():
        alone = esc.simulate(scenario, trials=TRIALS, seed=3)
        assert found().tallies[label] == tally(alone)
        assert found().get("duration", scenario=label).estimate == pytest.approx(alone.duration_days.mean())
    assert [differences(esc.load(BASE), one) for one in found().scenarios.values()] == list(found().changes.values())


def test_paired_errors_are_those_of_the_stored_trials(tmp_path: Path) -> None:
    """Each is simulated alone and stored; numpy subtracts one file from the other, trial by trial."""
    columns = {}
    for label in ("base", "slow", "toxic"):
        esc.simulate(found().scenarios[label], trials=TRIALS, seed=3).save(tmp_path / f"{label}.npz")
        columns[label] = np.load(tmp_path / f"{label}.npz")
    for label in ("slow", "toxic"):
        for measure, level, name in (("duration", None, "duration_days"), ("infused", 2, "infused_at_level_2")):
            change = columns[label][name].astype(float) - columns["base"][name]
            row = found().get(measure, level, scenario=label)
            assert row.difference == pytest.approx(change.mean(), rel=1e-12)
            assert (row.difference_se or 0.0) == pytest.approx(change.std(ddof=1) / np.sqrt(TRIALS), rel=1e-9)
        medians = [int(np.sort(columns[one]["duration_days"])[TRIALS // 2 - 1]) for one in ("base", label)]
        assert found().get("median duration", scenario=label).difference == medians[1] - medians[0]


def test_a_truth_of_its_own() -> None:
    """Of a 3+3 nobody says what overdoses, of a rule with a target its target does: with its own P(DLT)."""
    changes = {"rule": {"name": "BOIN", "target": 0.25}}
    both = {"mild": changes, "toxic": {**changes, "toxicity.dlt_probability": [0.2, 0.45]}}
    compared = esc.compare(esc.load(BASE), variants=both, trials=50)
    with pytest.raises(KeyError, match="no estimate of 'overdosed' of 'base'"):
        compared.get("overdosed", "all", scenario="base")
    assert compared.get("overdosed", "all", scenario="mild").estimate == 0
    toxic = compared.get("overdosed", "all", scenario="toxic")
    assert toxic.estimate == compared.get("infused", 2, scenario="toxic").estimate > 0
    assert toxic.difference is None


def test_a_later_date_is_its_own_plan() -> None:
    counted = found().tallies["late plan"].values["milestone: trial ended"]
    days = (date(2027, 1, 31) - date(2024, 8, 30)).days
    share = sum(often for day, often in counted.items() if 0 <= day <= days) / TRIALS
    row = found().get("finished by planned completion date", scenario="late plan")
    assert row.estimate == share > found().get("finished by planned completion date", scenario="base").estimate
    assert row.difference is not None and found().get("duration", scenario="late plan").is_same


def test_the_error_of_a_difference_of_medians_is_how_it_varies() -> None:
    """400 studies of 500 pairs: the standard deviation of what they find is known to 1 / sqrt(2 x 399), 3.5%.

    Five times that, 18%, leaves room for what an error by rank is off.
    """
    random = np.random.default_rng(1)
    shared = random.gamma(8.0, 60.0, (400, 500))
    first = np.rint(shared + random.gamma(2.0, 20.0, shared.shape)).astype(np.int32)
    other = np.rint(1.2 * shared + random.gamma(2.0, 20.0, shared.shape)).astype(np.int32)
    found = [difference_of_medians(*pair) for pair in zip(first, other, strict=True)]
    varies = np.std([one.estimate for one in found], ddof=1)
    assert np.sqrt(np.mean([one.mc_se**2 for one in found if one.mc_se])) == pytest.approx(varies, rel=0.18)
    truth = np.median(other) - np.median(first)
    covered = np.mean([one.low <= truth <= one.high for one in found])  # type: ignore[operator]
    assert covered == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 400))


def test_a_constant_difference_of_medians_has_no_error() -> None:
    days = np.arange(100, dtype=np.int32)
    assert difference_of_medians(days, days + 7).mc_se is None
    assert difference_of_medians(days, days + 7).estimate == 7


def test_a_median_that_nobody_knows_is_not_told() -> None:
    """Most trials are cut off on day 500; then half of them never end."""
    compared = esc.compare(esc.load(BASE), variants={"cut": {"trial.max_days": 500}}, trials=50)
    with pytest.raises(KeyError, match="no estimate of 'median duration' of 'cut'"):
        compared.get("median duration", scenario="cut")
    assert compared.get("cut off", scenario="cut").estimate > 0.5
    assert "cut off, %" in esc.summary(compared)


def test_neither_chunks_nor_workers_change_a_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = found().table.to_csv()
    monkeypatch.setattr(module, "KERNEL_CHUNK", 150)
    assert esc.compare(esc.load(BASE), variants=CHANGES, trials=TRIALS, seed=3).table.to_csv() == whole
    with Processes(2) as executor:
        again = esc.compare(esc.load(BASE), variants=CHANGES, trials=TRIALS, seed=3, executor=executor)
    assert again.table.to_csv() == whole and again.tallies == found().tallies


def test_each_change_is_told_with_both_values() -> None:
    base = esc.load(BASE)
    other = base.replace(
        {"accrual.pauses": PAUSE, "rule": {"name": "BOIN", "target": 0.25}, "dose_levels.1.cells": 1e10}
    )
    told = [str(one) for one in differences(base, other)]
    assert told[:3] == [
        "dose_levels[2].cells 1.35e10 -> 1e10",
        'rule.name "3+3" -> "BOIN"',
        'rule.variant "C" -> none',
    ]
    assert {
        "rule.target none -> 0.25",
        "accrual.pauses[1] none -> {first_day = 2024-12-01, last_day = 2025-01-31}",
    } <= set(told)
    assert differences(other, base)[0].first == "1e10"
    assert differences(base, base) == () == differences(base, base.replace({"sources": {}}))


# What is the same


def drawn(scenario: Scenario) -> dict[str, Any]:
    """Return the draws of 200 trials, 16 candidates and 16 patients each, by what `sameness` calls them."""
    people, patients = CandidateDraws(scenario, 5, 0, 200), PatientDraws(scenario, 5, 0, 200)
    return {
        sameness.CONSENT: people.consent_days(0).copy(),
        sameness.SCREENING: people.criterion(0),
        sameness.SIZE: people.body(0),
        sameness.INFUSED: patients.infused(0),
        sameness.DOSE: patients.full_dose(0),
        sameness.DLT: np.stack([patients.tolerance(0) < p for p in scenario.toxicity.dlt_probability]),
        sameness.ONSET: np.stack([patients.onset_day(0, level) for level in range(scenario.levels)]),
        sameness.LEAVES: patients.drop_out_day(0),
        sameness.BATCHES: BatchDraws(scenario, 5, 0, 200).batch_fails,
        sameness.PRODUCTS: people.failed_attempts(0),
    }


PAUSE = [{"first_day": "2024-12-01", "last_day": "2025-01-31"}]
PRODUCT = {"kind": "off_the_shelf", "batches_every_days": 42, "doses_per_batch": 2, "batch_failure_probability": 0.1}
OWN = {"kind": "autologous", "manufacture_days": 14, "failure_probability": 0.3}
LOSING = {"attrition.drop_out_per_year": 0.3}
WEIBULL = {"toxicity.onset": {"kind": "weibull", "second_half_share": 0.6}}
DIFFER: list[tuple[dict[str, Any], dict[str, Any], set[str]]] = [
    ({}, {"accrual.consents_per_month": 0.5}, {sameness.CONSENT}),
    ({}, {"accrual.pauses": PAUSE}, {sameness.CONSENT}),
    ({}, {"calendar.closed": [{**PAUSE[0], "reason": "winter"}]}, {sameness.CONSENT}),
    ({}, {"calendar.closed": [{**PAUSE[0], "reason": "winter", "what": ["infusion"]}]}, set()),
    ({}, {"product": PRODUCT}, {sameness.BATCHES}),
    ({"product": PRODUCT}, {"product.batch_failure_probability": 0.5}, {sameness.BATCHES}),
    ({"product": PRODUCT}, {"product.doses_per_batch": 5}, set()),
    ({}, {"product": OWN}, {sameness.PRODUCTS}),
    ({"product": OWN}, {"product.most_attempts": 2}, {sameness.PRODUCTS}),
    ({"product": OWN}, {"product.manufacture_days": 5}, set()),
    ({"screening.valid_days": None}, {"screening.valid_days": 28}, {sameness.SCREENING}),
    ({"screening.valid_days": 14}, {"screening.valid_days": 28}, set()),
    ({}, {"trial.start_date": "2024-10-01"}, set()),
    ({"accrual.pauses": PAUSE}, {"trial.start_date": "2024-10-01"}, {sameness.CONSENT}),
    ({}, {"screening.failure_probability": {"one": 0.5}}, {sameness.SCREENING}),
    ({}, {"screening.days": 30, "safety.review_delay_days": 1, "safety.cohort_size": 2, "trial.max_days": 900}, set()),
    ({}, {"treatment.body_surface_area.mean_m2": 1.9}, {sameness.SIZE}),
    ({}, {"attrition.not_infused_probability": 0.3}, {sameness.INFUSED}),
    ({}, {"attrition.partial_dose_probability": 0.3}, {sameness.DOSE}),
    ({}, {"toxicity.dlt_probability": [0.1, 0.2]}, {sameness.DLT}),
    (WEIBULL, {"toxicity.dlt_probability": [0.1, 0.2]}, {sameness.DLT, sameness.ONSET}),
    ({}, WEIBULL, {sameness.ONSET}),
    ({}, {"safety.dlt_window_days": 56}, {sameness.ONSET}),
    ({}, {"dose_levels[2].infusion_days": [0, 7], "dose_levels[1].lymphodepletion": []}, set()),
    (
        {"safety.dlt_window_anchor": "last_infusion"},
        {"dose_levels[2].infusion_days": [0, 7]},
        {sameness.ONSET},
    ),
    ({}, LOSING, {sameness.LEAVES}),
    ({"attrition.drop_out_per_year": 0}, {"follow_up.days": 90}, set()),
    (LOSING, {"follow_up.days": 90}, {sameness.LEAVES}),
    ({}, {"what_if": [{"patient": 1, "dlt": True}]}, {sameness.DLT}),
    ({}, {"what_if": [{"patient": 1, "dlt_day": 3}]}, {sameness.DLT, sameness.ONSET}),
    ({}, {"what_if": [{"patient": 2, "infused": False}]}, {sameness.INFUSED}),
    (LOSING, {"what_if": [{"patient": 2, "drop_out": False}]}, {sameness.LEAVES}),
    ({}, {"rule": {"name": "BOIN", "target": 0.25}, "trial.planned_patients": 30}, set()),
]


@pytest.mark.parametrize(("both", "changes", "differ"), DIFFER)
def test_what_is_said_to_be_the_same_is_the_same(
    both: dict[str, Any], changes: dict[str, Any], differ: set[str]
) -> None:
    """What is said is held against the numbers themselves, drawn for both scenarios."""
    base = {
        "toxicity.onset": {"kind": "uniform"},
        "attrition.drop_out_per_year": 0,
        "attrition.not_infused_probability": 0,
    }
    first = esc.load(BASE).replace(base | both)
    other = first.replace(changes)
    draws = drawn(first), drawn(other)
    assert set(draws[0]) == set(sameness.DRAWN)
    assert {what for what in draws[0] if not np.array_equal(draws[0][what], draws[1][what], equal_nan=True)} == differ
    assert set(sameness.not_the_same(first, other)) == differ


# Labels and values on one line

LINES = {
    "slow: accrual.consents_per_month=0.5": ("slow", ["accrual.consents_per_month=0.5"]),
    "a b:  x.y=1   z=[1, 2]  w = 3": ("a b", ["x.y=1", "z=[1, 2]", "w = 3"]),
    "n=12: trial.planned_patients=12": ("n=12", ["trial.planned_patients=12"]),
    "12:30 start: x=1": ("12:30 start", ["x=1"]),
    "a: b: x=1": ("a: b", ["x=1"]),
    "x=1": ("x=1", ["x=1"]),
    'x="a: b=1 c=2" y=3': ('x="a: b=1 c=2" y=3', ['x="a: b=1 c=2"', "y=3"]),
    "p: accrual.pauses=[{first_day=2025-01-01, last_day=2025-02-01}] z=1": (
        "p", ["accrual.pauses=[{first_day=2025-01-01, last_day=2025-02-01}]", "z=1"],
    ),
    "w: trial.title=Bob's trial follow_up.days=90": ("w", ["trial.title=Bob's trial", "follow_up.days=90"]),
    "w: a.b[2]=0.1 what_if.0.patient=1": ("w", ["a.b[2]=0.1", "what_if.0.patient=1"]),
    ": a=1": ("", ["a=1"]),
    "label:": ("label:", ["label:"]),
    "": ("", [""]),
    "$$_^&<b> \\frac: a=1": ("$$_^&<b> \\frac", ["a=1"]),
    "剂量 🐢: a=慢": ("剂量 🐢", ["a=慢"]),
    'open: a="x b=1 c=2': ("open", ['a="x b=1 c=2']),
    'out\n: a="\\" b=1" c=2': ("out", ['a="\\" b=1"', "c=2"]),
}  # fmt: skip


@pytest.mark.parametrize("text", LINES)
def test_a_line_is_label_and_values(text: str) -> None:
    assert variant_of_text(text) == LINES[text]


def test_a_long_line_is_read_in_no_time() -> None:
    """A line of 100,000 letters that never comes to a key; a reader that tries again and again takes minutes."""
    assert variant_of_text("a: " * 30_000)[0] == ("a: " * 30_000).strip()
    assert len(variant_of_text("x: " + " ".join(f"k{n}=1" for n in range(20_000)))[1]) == 20_000


# Faults

OTHER_DOSES = 'dose_levels=[{label="a"},{label="b"},{label="c"}] toxicity.dlt_probability=[0.1,0.2,0.3]'
WRONG: dict[tuple[str, ...], list[str]] = {
    ("--variant", "x: follow_up.dais=3 screening.days=-1", "--variant", "x: safety.cohort_size=0", "--variant", ": a=1",
     "--variant", "foo"): [
        '--variant 1 ("x"): follow_up.dais: there is no `dais` here. Did you mean `days`?',
        '--variant 1 ("x"): screening.days = -1: must be at least 0',
        '--variant 2 ("x"): safety.cohort_size = 0: must be at least 1',
        "--variant 3: a: there is no `a` here",
        '--variant 4: "foo": write KEY=VALUE',
        'label = "x": 2 scenarios have this label; give each one of its own',
        '--variant: a scenario has no label: write "label: key=value"',
    ],
    ("nowhere.toml", "nct0633747"): ["nowhere.toml: there is no such file", "nct0633747: there is no such file"],
    (BASE,): ["label = "],
    ("--variant", f"three: {OTHER_DOSES}", "--variant", "x: follow_up.days=100"): [
        "three: dose_levels: has 3 levels (a, b, c), and nct06337474 has 2 levels (9e9 cells, 13.5e9 cells): ",
    ],
    ("--variant", "x: follow_up.days=100", "--rule", "BOIN", "--target", "0.2"): [
        "--rule and --target: rules and truths are compared within one scenario",
    ],
    ("--variant", "a\x1b[2J: follow_up.days=100"): ["label: holds the control character U+001B"],
    tuple(word for n in range(30) for word in ("--variant", f"v{n}: follow_up.days={100 + n}")): [
        "scenarios: at most 24 are compared at once, got 31",
    ],
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG, ids=lambda words: " ".join(words)[:40].encode("unicode_escape").decode())
def test_all_faults_are_told_at_once(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["compare", BASE, *words]) == 2
    printed = capsys.readouterr()
    said = printed.err.splitlines()
    assert not printed.out and not list(tmp_path.iterdir())
    assert len(said) == len(WRONG[words])
    for line, wanted in zip(said, WRONG[words], strict=True):
        assert line.startswith(f"escalate: {wanted}")


def test_python_says_what_it_takes() -> None:
    base = esc.load(BASE)
    calls: list[tuple[Any, str]] = [
        (lambda: esc.compare(base, ["BOIN"], variants={"x": {}}), "rules cannot be given where scenarios are compared"),
        (lambda: esc.compare([base, base], target=0.2), "target cannot be given where scenarios are compared"),
        (lambda: esc.compare(base, variants="slow: x=1"), "variants is a dict, as in"),
        (lambda: esc.compare("base.toml"), "compare takes a Scenario"),
    ]
    for call, said in calls:
        with pytest.raises(CallError, match=said):
            call()
    with pytest.raises(ScenarioError) as caught:
        esc.compare(base, variants={"a": {"follow_up.dais": 3}, "b": 7, "base": {}})
    assert [problem.key for problem in caught.value.problems] == ["variant a: follow_up.dais", "variant b", "label"]
    with pytest.raises(ScenarioError, match="give two at least"):
        esc.compare([base])


def test_more_trials_than_memory_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_DAYS", 21)
    assert esc.compare([small()] * 2, trials=10).trials == 10
    with pytest.raises(EscalateError, match="at most 10 of each of 2 scenarios, got 11"):
        esc.compare([small()] * 2, trials=11)


def test_labels_in_python() -> None:
    one, two = small(accrual__consent_days=[0]), small(accrual__consent_days=[0], trial__title="other")
    assert esc.compare([one, two], trials=2).labels == ("small", "other")
    assert esc.compare([one, one], trials=2).labels == ("scenario 1", "scenario 2")
    assert esc.compare({"x": one, "y": two}, trials=2).labels == ("x", "y")
    assert esc.compare(one, variants={" y ": two}, trials=2).labels == ("base", "y")


# What is printed, drawn and written


def test_a_summary_says_what_differs_and_fits() -> None:
    text = esc.summary(found())
    words = " ".join(text.split())
    assert "slow: accrual.consents_per_month 0.857 -> 0.5" in text and "equal: the same as base" in text
    assert "Not the same as in base: when candidates consent (slow); who has a DLT at which level (toxic)." in words
    panels = text[text.index("When the trial has ended") :]
    assert max(map(len, panels.splitlines())) <= 80
    assert panels.count("    difference") == 4 * 4
    median = found().get("median duration", scenario="slow")
    ends = date(2024, 8, 30) + timedelta(days=round(median.estimate))
    assert f"{median.estimate:,.0f} [{median.low:,.0f}, {median.high:,.0f}]  {ends}" in panels


def test_a_notebook_shows_it(tmp_path: Path) -> None:
    page = html_of(esc.compare(small(), variants={"<b>&": {"follow_up.days": 30}}, trials=2))
    assert "&lt;b&gt;&amp;" in page and "<b>" not in page
    assert len(repr(found())) < 300 and html_of(found()).count("<tr>") == 6
    pytest.importorskip("pandas")
    assert list(found().to_pandas(wide=True)["scenario"]) == list(found().labels)


def curve_of(ax: Axes, label: str) -> Any:
    return next(line for line in ax.lines if line.get_gid() == f"curve|{label}")


def test_curves_say_what_was_found() -> None:
    """On its own planned date each curve stands at P(finished by that date); all begin at 0 on the start date."""
    ax = esc.plot_comparison(found())
    texts = " ".join(text.get_text() for text in ax.findobj(Text) if isinstance(text, Text))
    for label, scenario in found().scenarios.items():
        x, y = curve_of(ax, label).get_data()
        planned = scenario.trial.planned_completion_date
        assert planned is not None and (x[0], y[0]) == ((date(2024, 8, 30) - date(1970, 1, 1)).days, 0)
        for day, share in finished_by(found().tallies[label]):
            assert (at := y[np.searchsorted(x, x[0] + day, side="right") - 1]) == share.estimate
            assert y[np.searchsorted(x, x[0] + day - 1, side="right") - 1] < at
        at = y[np.searchsorted(x, (planned - date(1970, 1, 1)).days, side="right") - 1]
        assert at == found().get("finished by planned completion date", scenario=label).estimate
        assert f"{label}: " in texts
    assert len([line for line in ax.lines if line.get_gid() == "planned completion"]) == 2
    looks = {(curve_of(ax, label).get_color(), curve_of(ax, label).get_linestyle()) for label in found().labels}
    assert len(looks) == len(found().labels)


def test_twenty_four_curves_with_hostile_labels_are_told_apart() -> None:
    labels = ["_x", "$$", "a\\frac{", "word " * 20, "<&>", *(f"v{n}" for n in range(18))]
    scenario = small(accrual__consent_days=list(range(0, 200, 10)))
    many = esc.compare(
        scenario, variants={label: {"follow_up.days": 28 + n} for n, label in enumerate(labels)}, trials=2
    )
    ax = plot_finish(many)
    lines = [curve_of(ax, label) for label in many.labels]
    assert len({(line.get_color(), str(line._unscaled_dash_pattern)) for line in lines}) == 24
    legend = ax.get_legend()
    assert legend is not None and len(legend.get_texts()) == 24


def test_the_command_writes_a_folder_that_runs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    line = ["compare", BASE, "--variant", "slow, n=12: accrual.consents_per_month=0.5 trial.planned_patients=12"]
    assert main([*line, "--trials", "20", "--set", "follow_up.days=100", "--out", "both"]) == 0
    printed = capsys.readouterr().out
    words = " ".join(printed.split())
    assert "slow, n=12: trial.planned_patients 9 -> 12; accrual.consents_per_month 0.857 -> 0.5" in words
    assert "Changed on the command line: follow_up.days from 180 to 100" in words
    assert Path("both/summary.txt").read_text(encoding="utf-8") in printed
    made = json.loads(Path("both/provenance.json").read_text())["scenarios"]
    assert [one["scenario"] for one in made] == ["nct06337474", "slow, n=12"]
    again = esc.load(f"both/{made[1]['file']}")
    assert again.fingerprint() == made[1]["scenario_sha256"]
    assert (again.trial.planned_patients, again.follow_up.days) == (12, 100)
    assert {"scenarios.csv", "finish.png", "finish.svg", "SHA256SUMS", "nct06337474.toml"} <= {
        p.name for p in Path("both").iterdir()
    }
    # A resolved scenario is called after its folder; several files are compared as variants are.
    assert main(["compare", BASE, "both/scenarios/2/resolved.json", "--trials", "20", "--no-files"]) == 0
    assert "2 scenarios, 20 simulated trials of each" in capsys.readouterr().out
