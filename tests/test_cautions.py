"""Cautions: each is given where it should be and nowhere else, and every output shows them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import escalate as esc
from conftest import ROOT, SCENARIOS
from escalate import Scenario
from escalate.cautions import Caution, caution_lines, cautions
from escalate.cautions.found import FINDERS
from escalate.cli import main
from escalate.errors import ScenarioError
from escalate.exactly.one_by_one import early
from escalate.scenario.own_rules import rule as register
from escalate.studies.study import make_study
from test_early_decision import RULES, three

RECORD = next((ROOT / "seeds").glob("*.json"))
TITE = {"name": "TITE-CRM", "target": 0.25, "prior_mtd_level": 2}
NEVER_STOPS = {"too_toxic_probability": 1}
"""An option of the CRM, which stops for toxicity by itself."""
WIDE = {"name": "BLRM", "doses": [9.0, 13.5], "mean_log_alpha": 0.0}
NARROW = {"name": "BLRM", "doses": [1.0, 8.0], "mean_log_alpha": -1.0, "sd_log_alpha": 1.0, "sd_log_beta": 0.5}


GIVEN = (["attrition"], [], [], ["attrition"])
"""The cautions of each shipped scenario."""

SIX_CRM: dict[str, Any] = {"rule": RULES["CRM"], "levels": 6, "trial__planned_patients": 36}


@register(target=0.3)
def deaf(known: Any) -> str:
    """Stay, whatever comes."""
    return "stay"


def found(**changes: Any) -> list[Caution]:
    return list(cautions(three(**{"trial__planned_patients": 12, **changes})))


def briefs(**changes: Any) -> str:
    return "; ".join(caution.brief for caution in found(**changes))


AT_RANDOM: dict[str, Any] = {"kind": "poisson", "consents_per_month": 2.0}
CLOSED: dict[str, Any] = {"first_day": date(2025, 5, 1), "last_day": date(2025, 5, 9), "reason": "holiday"}
STORE: dict[str, Any] = {"kind": "off_the_shelf", "batches_every_days": 30, "doses_per_batch": 3}
OWN = {"kind": "autologous", "manufacture_days": 14}
FOR_GOOD = [{"first_day": date(2020, 1, 1), "last_day": date(2060, 1, 1)}]


def sites(second: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what makes two sites of a scenario, with such keys of the second one."""
    names = [{"name": name, "consents_per_month": 1.0} for name in ("north", "south")]
    names[1] |= second or {}
    return {"accrual": {"kind": "by_site"}, "sites": names}


CASES: dict[str, tuple[str, list[dict[str, Any]], list[dict[str, Any]]]] = {
    "beyond the end": (
        "lies beyond trial.max_days",
        [
            {"follow_up__days": 500, "trial__max_days": 400},
            {"accrual": AT_RANDOM | {"rates": [{"from_date": date(2060, 1, 1), "consents_per_month": 1.0}]}},
            sites({"pauses": [{"first_day": date(2060, 1, 1), "last_day": date(2060, 1, 2)}]}),
            sites({"closed": [CLOSED | {"first_day": date(2060, 1, 1), "last_day": date(2060, 1, 2)}]}),
        ],
        [
            {"follow_up__days": 400, "trial__max_days": 400},
            {"accrual": AT_RANDOM | {"rates": [{"from_date": date(2026, 1, 1), "consents_per_month": 1.0}]}},
            sites({"closed": [CLOSED]}),
        ],
    ),
    "nobody comes": (
        "brings nobody",
        [
            sites({"consents_per_month": 0.0}),
            sites({"consents_per_month": None, "consent_days": []}),
            {"accrual": AT_RANDOM | {"pauses": FOR_GOOD, "ramp_up_days": 30}},
        ],
        [sites(), sites({"consents_per_month": None, "consent_days": [3650]}), {"accrual": AT_RANDOM}],
    ),
    "withheld too late": (
        "withheld only once the committee has closed the level",
        [{"safety__dlt_after_lymphodepletion": "withhold_if_closed", "safety__early_decision": False}],
        [
            {"safety__dlt_after_lymphodepletion": "withhold_if_closed", "safety__early_decision": True},
            {"safety__dlt_after_lymphodepletion": "withhold", "safety__early_decision": False},
        ],
    ),
    "meetings end": (
        "the list of meetings ends before the trial must have",
        [{"safety__meeting_dates": ["2025-02-03", "2025-03-03"]}],
        [{"safety__meeting_dates": ["2025-02-03", "2036-03-03"]}, {}],
    ),
    "places by a rule that is no rolling one": (
        "assignment_delay_days has no effect",
        [{"safety__assignment_delay_days": 0}],
        [{"safety__assignment_delay_days": 0, "rule": {"name": "rolling six"}}, {}],
    ),
    "doses that run out": (
        "fewer doses than planned patients",
        [
            {"product": STORE | {"batches_every_days": 1000}},
            {"product": {**STORE, "batches_every_days": None, "batch_dates": [date(2025, 5, 1)]}},
        ],
        [
            {"product": STORE},
            {"product": STORE | {"batches_every_days": 1000, "doses_at_start": 3}},
            {"product": OWN},
        ],
    ),
    "batches that do not serve a cohort": (
        "a batch does not serve a cohort",
        [{"product": STORE | {"doses_per_batch": 2}}],
        [{"product": STORE}, {"product": STORE | {"doses_per_batch": 2, "doses_at_start": 12}}, {"product": OWN}],
    ),
    "closed before the start": (
        "is over when the trial begins",
        [
            {"calendar__closed": [{"first_day": "2024-12-20", "last_day": "2024-12-31", "reason": "New Year"}]},
            sites({"closed": [CLOSED | {"first_day": date(2024, 5, 1), "last_day": date(2024, 5, 9)}]}),
        ],
        [
            {"calendar__closed": [{"first_day": "2024-12-20", "last_day": "2025-01-01", "reason": "New Year"}]},
            {
                "calendar__closed": [
                    {"first_day": "2024-12-20", "last_day": "2024-12-31", "reason": "x", "every_year": True}
                ]
            },
        ],
    ),
    "outside its range": (
        "follow_up.days lies outside its range",
        [{"sources": {"follow_up.days": "assumption: changed on the command line to 28; outside its range, 1 to 9"}}],
        [{"sources": {"follow_up.days": "assumption: changed on the command line to 28"}}],
    ),
    "no stop for toxicity": (
        "never stops for toxicity",
        [
            {"rule": RULES["CRM"] | NEVER_STOPS},
            {"rule": TITE | NEVER_STOPS},
            {"rule": RULES["CRM"] | NEVER_STOPS, "safety__start_level": 2},
            {"rule": RULES["CRM"] | NEVER_STOPS, "trial__planned_patients": 3},
            {"rule": RULES["BOIN"] | {"eliminate_from": 10}},
            {"rule": {"python": "deaf"}},
            {
                "rule": {
                    "name": "table",
                    "decisions": {"1": "S S", "0+1": "S", "2": "R R R", "1+1": "SUS SUS", "0+2": "S"},
                },
                "limits__most_per_level": 2,
            },
        ],
        [
            {"rule": RULES["CRM"]},
            {"rule": TITE},
            {"rule": RULES["CRM"] | NEVER_STOPS, "stopping__too_toxic_probability": 0.9},
            {"rule": {"name": "IQ rolling six"}},
            *(
                {"rule": RULES[name]}
                for name in ("3+3", "rolling six", "BOIN", "TITE-BOIN", "mTPI", "Keyboard", "i3+3")
            ),
            {"rule": RULES["BOIN"], "safety__start_level": 2},
            {"rule": RULES["BLRM"]},
            {"rule": RULES["3+3"], "trial__planned_patients": 3},
        ],
    ),
    "stops after 1 in 3": (
        "1 DLT in 3 at the lowest level stops the trial",
        [{"rule": WIDE}, {"rule": RULES["BOIN"], "stopping": {"too_toxic_probability": 0.7}}],
        [{"rule": NARROW}, {"rule": RULES["BOIN"]}, {"rule": RULES["3+3"]}, {"rule": RULES["CRM"]}],
    ),
    "prior": (
        "the prior calls the lowest level an overdose",
        [{"rule": WIDE}, {"rule": {"name": "BLRM", "doses": [9.0, 13.5]}}],
        [{"rule": NARROW}, {"rule": RULES["CRM"]}],
    ),
    "coherence": (
        "escalates right after cohorts at or above the target",
        [SIX_CRM | {"limits__coherence": "off"}],
        [SIX_CRM]
        + [SIX_CRM | {"limits__coherence": coherence} for coherence in ("last_cohort", "after_dlt")]
        + [{"rule": RULES["BOIN"], "levels": 6}, {"rule": RULES["3+3"], "levels": 6}, {"rule": RULES["CRM"]}],
    ),
    "follow-up": (
        "escalates however short the follow-up",
        [{"rule": TITE}],
        [{"rule": TITE | {"min_followup_share": 0.25}}, {"rule": RULES["CRM"]}, {"rule": RULES["TITE-BOIN"]}],
    ),
    "sources": (
        "a source is of another rule's option",
        [{"sources": {"rule.target": "assumption: as before"}}],
        [{"rule__variant": "C", "sources": {"rule.variant": "assumption: as before"}}, {"rule": RULES["BOIN"]}],
    ),
    "early decisions": (
        "early decisions leave places empty",
        [{"rule": RULES[name], "safety__early_decision": True} for name in ("BOIN", "TITE-BOIN", "CRM", "i3+3")],
        [
            {"rule": RULES["BOIN"]},
            {"rule": RULES["3+3"], "safety__early_decision": True},
            {"rule": RULES["rolling six"]},
        ],
    ),
    "room under the cap": (
        "early decisions make room under the cap",
        [{"trial__planned_patients": cap, "rule__variant": variant} for cap in (8, 10, 11) for variant in "BC"],
        [
            {"trial__planned_patients": 12, "rule__variant": "C"},
            {"trial__planned_patients": 9, "rule__variant": "C"},
            {"trial__planned_patients": 11, "rule__variant": "C", "safety__early_decision": False},
            {"trial__planned_patients": 11, "rule__variant": "A"},
        ],
    ),
    "levels": (
        "nobody can come to level",
        [
            {"trial__planned_patients": 5},
            {"rule": RULES["BOIN"], "trial__planned_patients": 3},
            {"rule": {"python": "deaf"}},
            {"stopping__most_patients": 3},
        ],
        [{"trial__planned_patients": 6}, {"rule": RULES["BOIN"]}, {"titration": {}, "trial__planned_patients": 4}],
    ),
    "cap": (
        "planned patients",
        [
            {"rule": RULES["BOIN"], "trial__planned_patients": 17},
            {"rule": RULES["CRM"], "trial__planned_patients": 13, "safety__cohort_size": 2},
            {"trial__planned_patients": 11, "safety__early_decision": False},
        ],
        [
            {"rule": RULES["BOIN"], "trial__planned_patients": 18},
            {"rule": RULES["BOIN"], "trial__planned_patients": 17, "trial__last_cohort": "partial"},
            {"rule": RULES["BOIN"], "trial__planned_patients": 17, "titration": {}},
            {"rule": RULES["BOIN"], "trial__planned_patients": 17, "limits": {"most_per_level": 7}},
            {"rule": RULES["BOIN"], "trial__planned_patients": 17, "safety__cohort_size": 1},
            {"rule": RULES["TITE-BOIN"], "trial__planned_patients": 17},
            {"trial__planned_patients": 9, "safety__early_decision": False},
        ],
    ),
    "falls": (
        "falls as the dose rises",
        [{"toxicity__dlt_probability": [0.3, 0.1]}],
        [{"toxicity__dlt_probability": [0.3, 0.3]}, {"toxicity__dlt_probability": [0.1, 0.3]}],
    ),
    "evaluable": (
        "evaluable",
        [{"attrition__partial_dose_probability": 0.1}, {"attrition__partial_dose_probability": 1.0}],
        [{}, {"attrition__partial_dose_probability": 0.03}, {"attrition__not_infused_probability": 0.5}],
    ),
}
CHANGES = [
    (name, bool(fires), changes) for name, case in CASES.items() for fires in (1, 0) for changes in case[2 - fires]
]


@pytest.mark.parametrize(("name", "fires", "changes"), CHANGES, ids=lambda x: x if isinstance(x, str) else str(x)[:60])
def test_where_it_is_given_and_where_not(name: str, fires: bool, changes: dict[str, Any]) -> None:
    assert (CASES[name][0] in briefs(**changes)) == fires


def test_every_finder_has_a_case() -> None:
    """One more: placeholders, which take a draft."""
    assert len(FINDERS) == len(CASES) + 1


@pytest.mark.parametrize(("path", "given"), list(zip(SCENARIOS, GIVEN, strict=True)), ids=str)
def test_shipped_scenarios(path: Path, given: list[str]) -> None:
    """Six levels: 56.1% among evaluable patients at the highest, where P(DLT) is 55%."""
    assert [caution.key for caution in cautions(esc.load(path))] == given


def test_what_is_said_is_what_the_committee_does() -> None:
    """A path that a caution names leads there in a simulated trial too."""
    rule = RULES["CRM"] | NEVER_STOPS
    caution = next(c for c in found(rule=rule) if c.key == "stopping.too_toxic_probability")
    assert "after 1TTT 1TTT, where everybody had a DLT, it treats more patients at level 1" in caution.matter
    certain = three(rule=rule, toxicity__dlt_probability=[1.0, 1.0], accrual__consent_days=[0] * 12)
    trial = esc.simulate_trial(certain.replace({"trial.planned_patients": 12}))
    assert trial.dose_path == "1TTT 1TTT 1TTT 1TTT" and trial.recommended == 1


def test_sizes_are_exact() -> None:
    eleven = three(rule__variant="C", trial__planned_patients=11)
    caution = next(iter(cautions(eleven)))
    whole = esc.exact(eleven)
    assert f"no dose: {whole.no_dose:.1%} with whole cohorts, {early(eleven).one_by_one[-1]:.1%} if" in caution.matter


def test_placeholders_of_a_draft(tmp_path: Path) -> None:
    draft = tmp_path / "draft.toml"
    draft.write_text(esc.draft_scenario(RECORD))
    scenario = esc.load(draft)
    first = cautions(scenario)[0]
    made_up = esc.assumptions(scenario).split("assumption: ")[1].split("\n")[0]
    assert first.matter.startswith(f"{made_up} of ") and "placeholders of `escalate init`" in first.matter
    fewer = cautions(scenario.replace({"follow_up.days": 90}))[0]
    assert fewer.matter.startswith(f"{int(made_up) - 1} of ")
    assert main(["run", str(draft), "--trials", "20", "--no-files"]) == 0


def test_a_function_of_ones_own_is_asked_anew() -> None:
    """The fingerprint of a scenario does not hold what its registered function does."""
    scenario = three(rule={"python": "deaf"})
    before = cautions(scenario)
    assert any("never stops" in caution.brief for caution in before)

    def hears(known: Any) -> str:
        return "stop" if known.y else "escalate" if known.level < known.levels else "stay"

    hears.__name__ = "deaf"
    register(target=0.3)(hears)
    try:
        assert not any("never stops" in caution.brief for caution in cautions(scenario))
    finally:
        register(target=0.3)(deaf)


def test_every_output_shows_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "boin.json"
    scenario = three(rule=RULES["BOIN"], safety__early_decision=True, trial__planned_patients=17)
    file.write_text(json.dumps(scenario.resolved()))
    wanted = "\n".join(caution_lines(cautions(scenario)))
    assert wanted.startswith("Cautions: 1")
    for verb in (
        ["check"],
        ["run", "--trials", "20", "--out", str(tmp_path / "run")],
        ["compare", "--trials", "20", "--no-files"],
        ["exact"],
        ["table", "--out", str(tmp_path / "table")],
        ["trial", "--out", str(tmp_path / "trial")],
    ):
        assert main([verb[0], str(file), *verb[1:]]) == 0
        printed = capsys.readouterr().out
        assert printed.count(wanted) == 1, verb
        assert printed.index(wanted) < 1500, verb
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["cautions"] == [caution.to_json() for caution in cautions(scenario)]
    assert wanted in (tmp_path / "run" / "summary.txt").read_text()
    for folder in ("table", "trial"):
        assert (tmp_path / folder / "cautions.txt").read_text() == wanted + "\n"


def test_nothing_is_shown_where_there_is_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = str(ROOT / "scenarios" / "nct06337474.toml")
    for verb in (
        ["check"],
        ["run", "--trials", "20", "--no-files"],
        ["exact"],
        ["table", "--out", str(tmp_path / "t")],
    ):
        assert main([verb[0], base, *verb[1:]]) == 0
        assert "Caution" not in capsys.readouterr().out
    assert not (tmp_path / "t" / "cautions.txt").exists()


def test_compared_ones_say_whose_they_are() -> None:
    scenario = three(safety__early_decision=True, trial__planned_patients=12)
    rules, truths = ["3+3", "BOIN", "CRM prior_mtd_level=2 too_toxic_probability=1"], [[0.1, 0.2], [0.3, 0.2]]
    compared = esc.compare(scenario, rules, truths, target=0.25, trials=5, enumerate_exactly=False)
    text = esc.summary(compared)
    words = " ".join(text.split())
    assert "! BOIN; CRM, prior mtd level 2, too toxic probability 1: Early decisions leave" in words
    assert "! CRM, prior mtd level 2, too toxic probability 1: Nothing stops this trial" in words
    assert "! truth 30% 20%: P(DLT) falls" in words
    assert max(map(len, text.splitlines())) <= 120


def test_figures_of_a_run_say_them() -> None:
    def small_print(scenario: Scenario) -> list[str]:
        found = esc.characteristics(esc.simulate(scenario, trials=20))
        plots = (esc.plot_selection, esc.plot_durations, esc.plot_where_time_goes)
        return [" ".join(" ".join(text.get_text() for text in plot(found).texts).split()) for plot in plots]

    one = three(rule=RULES["BOIN"], safety__early_decision=True, accrual__consent_days=[0] * 12)
    said = "Caution: early decisions leave places empty: the rule looks worse than with whole cohorts"
    assert [said in text for text in small_print(one)] == [True, False, False]
    draft = one.replace({"rule": RULES["3+3"]}).replace({"sources": {"rule": "assumption: draft default, replace me"}})
    assert all("Caution: a draft: " in text for text in small_print(draft))
    assert not any("Caution" in text for text in small_print(one.replace({"rule": RULES["3+3"]})))


STUDY = """
scenario = "unstopped.json"
trials = 5
[grid]
"trial.planned_patients" = [12, 17, 13]
"screening.days" = [0, 5]
"""


@pytest.fixture(scope="module")
def unstopped() -> Scenario:
    """A scenario with a caution, and a range of which one end has another one."""
    scenario = three(rule=RULES["CRM"] | NEVER_STOPS, limits={"coherence": "last_cohort"}, trial__planned_patients=12)
    return scenario.replace({"ranges": {"trial.planned_patients": [12, 17], "screening.days": [0, 5]}})


def first_lines(text: str) -> str:
    """Return what stands before any number that was found."""
    return text.split("Cautions: ")[0] + "Cautions: " + "\n\n".join(text.split("Cautions: ")[1].split("\n\n")[:1])


def test_studies_say_them_with_where(
    unstopped: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The caution of all stands as it does in `check`, those of some points or ends with these, before any number."""
    monkeypatch.chdir(tmp_path)
    Path("unstopped.json").write_text(json.dumps(unstopped.resolved()))
    Path("study.toml").write_text(STUDY)
    (of_all,) = cautions(unstopped)
    of_17, of_13 = (next(one for one in cautions(unstopped.replace({"trial.planned_patients": most})) if one != of_all)
                    for most in (17, 13))  # fmt: skip
    assert of_17.key == of_13.key == "trial.planned_patients" and of_17 != of_13
    where = {"sensitivity": "at trial.planned_patients = 17",
             "sweep": "at trial.planned_patients = 17, 13, in numbers of point 3"}  # fmt: skip
    for verb in (["sensitivity", "unstopped.json", "--trials", "5", "--no-files"], ["sweep", "study.toml"]):
        assert main(verb) == 0
        printed = capsys.readouterr().out
        wanted = "\n".join(caution_lines({of_all: "", of_17: where[verb[0]]}))
        assert printed.count("Cautions: ") == 1
        assert printed.count(f"\n\n{wanted}\n\n") == 1, printed
        assert first_lines(printed).endswith(wanted)


def test_studies_without_cautions_say_nothing() -> None:
    quiet = three(trial__planned_patients=12, ranges={"screening.days": [0, 5]})
    assert "Caution" not in esc.summary(esc.sensitivity(quiet, trials=3))
    assert "Caution" not in esc.summary(esc.sweep(make_study(quiet, {"screening.days": [0, 5]}, trials=3)))


def test_a_sweep_of_many_points_says_of_how_many_it_tells(unstopped: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("escalate.studies.sweeps.MOST_CAUTIONED", 2)
    monkeypatch.setattr("escalate.report.sweep.MOST_CAUTIONED", 2)
    found = esc.sweep(make_study(unstopped, {"screening.days": [0, 5, 9]}, trials=2))
    assert list(found.cautions.values()) == ["at points 1 to 2"]
    assert "Cautions are told of the first 2 points" in esc.summary(found)


def test_points_that_no_value_tells_apart_are_named_by_number(unstopped: Scenario) -> None:
    axes = {"trial.planned_patients": [12, 17], "trial.last_cohort": ["whole", "partial"]}
    found = esc.sweep(make_study(unstopped, axes, trials=2))
    assert [whose for one, whose in found.cautions.items() if one.key == "trial.planned_patients"] == ["at point 3"]


def small_print(ax: Any) -> str:
    return " ".join(" ".join(text.get_text() for text in ax.texts).split())


def test_figures_of_studies_say_them(unstopped: Scenario) -> None:
    study = make_study(unstopped, {"trial.planned_patients": [12, 17]}, trials=5)
    (of_all,) = cautions(unstopped)
    of_17 = next(one for one in cautions(unstopped.replace({"trial.planned_patients": 17})) if one != of_all)
    said = f"Caution: {of_all.brief}; at trial.planned_patients = 17: {of_17.brief}"
    moved, swept = esc.sensitivity(unstopped, trials=5), esc.sweep(study)
    assert said in small_print(esc.plot_tornado(moved, measure="recommended"))
    assert "Caution" not in small_print(esc.plot_tornado(moved, measure="duration"))
    assert said in small_print(esc.plot_sweep(swept, measure="recommended", level=1))
    assert "Caution" not in small_print(esc.plot_sweep(swept, measure="duration"))
    rules = {"model": RULES["CRM"] | NEVER_STOPS, "counts": RULES["BOIN"]}
    compared = esc.compare(unstopped, rules, target=0.25, trials=5, enumerate_exactly=False)
    assert f"Caution: model: {of_all.brief}" in small_print(esc.plot_comparison(compared))


# A what-if that contradicts itself is refused, with both lines


@pytest.mark.parametrize(
    ("story", "keys"),
    [
        ({"infused": False, "dlt_day": 3}, {"infused", "dlt_day"}),
        ({"infused": False, "dlt": True}, {"infused", "dlt"}),
        ({"infused": False, "full_dose": False}, {"infused", "full_dose"}),
        ({"infused": False, "drop_out_day": 3}, {"infused", "drop_out_day"}),
        ({"drop_out_day": 2, "dlt_day": 3}, {"drop_out_day", "dlt_day"}),
        ({"infused": False, "dlt": False, "drop_out": False}, set()),
        ({"infused": True, "dlt_day": 3, "drop_out_day": 3}, set()),
    ],
)
def test_what_if_contradicts(tmp_path: Path, story: dict[str, Any], keys: set[str]) -> None:
    text = (ROOT / "scenarios" / "nct06337474.toml").read_text()
    lines = ["[[what_if]]", "patient = 1", *(f"{key} = {json.dumps(value)}" for key, value in story.items())]
    file = tmp_path / "story.toml"
    file.write_text("\n".join([text, *lines]) + "\n")
    if not keys:
        assert len(esc.load(file).what_if) == 1
        return
    with pytest.raises(ScenarioError) as caught:
        esc.load(file)
    problems = caught.value.problems
    assert {problem.key for problem in problems} == {f"what_if[1].{key}" for key in keys}
    written = file.read_text().splitlines()
    for problem in problems:
        key = problem.key.rpartition(".")[2]
        assert written[problem.line - 1].startswith(f"{key} = ")
        assert all(other in problem.message for other in keys - {key}) and "leave one out" in problem.message
