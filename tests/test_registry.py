"""A draft scenario from a registry record: what is registered, what is not, and records that lack almost everything."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from escalate import Scenario, ScenarioError, draft_scenario, load
from escalate.errors import RecordError
from escalate.scenario import ledger

SEEDS = Path(__file__).parent.parent / "seeds"
SEED = SEEDS / "NCT06337474.json"
DOSE = "Doses of 1×10^8 cells and 3×10^8 cells"


def protocol(text: str | None = DOSE, **modules: Any) -> dict[str, Any]:
    """A small complete study; `text` describes its one intervention, keywords replace whole modules."""
    section = {
        "identificationModule": {"nctId": "NCT00000001", "briefTitle": "A trial"},
        "statusModule": {"startDateStruct": {"date": "2024-01-15"}, "completionDateStruct": {"date": "2026-01-15"}},
        "designModule": {"enrollmentInfo": {"count": 12}},
        "armsInterventionsModule": {"interventions": [{"name": "X", "description": text}]},
    }
    return {"protocolSection": section | modules}


def draft(folder: Path, data: Any) -> str:
    path = folder / "record.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return draft_scenario(path)


def load_text(folder: Path, text: str) -> Scenario:
    path = folder / "draft.toml"
    path.write_bytes(text.encode())
    return load(path)


def scenario(folder: Path, text: str | None = DOSE, **modules: Any) -> Scenario:
    return load_text(folder, draft(folder, protocol(text, **modules)))


def status(start: Any = "2024-01-15", completion: Any = "2026-01-15") -> dict[str, Any]:
    return {"startDateStruct": {"date": start}, "completionDateStruct": {"date": completion}}


# The seed


def test_seed_draft_holds_the_registered_facts(tmp_path: Path) -> None:
    got = load_text(tmp_path, draft_scenario(SEED))
    assert got.trial.registry_id == "NCT06337474"
    assert got.trial.start_date == date(2024, 8, 30)
    assert got.trial.planned_completion_date == date(2026, 7, 30)
    assert got.trial.planned_patients == 9
    assert [level.cells for level in got.dose_levels] == [9e9, 13.5e9]
    assert [level.label for level in got.dose_levels] == ["9×10^9 cells", "13.5×10^9 cells"]
    agents = [(item.agent, item.mg_per_m2, item.days) for item in got.treatment.lymphodepletion]
    assert agents == [("fludarabine", 25.0, (-3,)), ("cyclophosphamide", 1000.0, (-3,))]


def test_seed_draft_says_where_everything_comes_from(tmp_path: Path) -> None:
    got = load_text(tmp_path, draft_scenario(SEED))
    kinds = {entry.key: entry.kind for entry in ledger(got)}
    assert {key for key, kind in kinds.items() if kind == "registry"} == {
        "trial.start_date",
        "trial.planned_completion_date",
        "trial.planned_patients",
        "dose_levels.label",
        "dose_levels.cells",
        "treatment.lymphodepletion.agent",
        "treatment.lymphodepletion.mg_per_m2",
        "treatment.lymphodepletion.days",
    }
    assert set(kinds.values()) == {"registry", "assumption"}
    assert got.sources["trial.start_date"] == "registry: startDateStruct 2024-08-30"
    assert got.sources["dose_levels"] == "registry: interventions[0].description"


def test_seed_draft_marks_the_placeholders_and_no_fact() -> None:
    lines = draft_scenario(SEED).splitlines()
    marked = {line.split(" = ")[0] for line in lines if "# ASSUMPTION: fill in" in line}
    assert marked == {
        "infusion_days", "dlt_window_days", "cohort_size", "sentinel_stagger_days", "review_delay_days", "name", "days",
        "kind", "consents_per_month", "dlt_probability",
    }  # fmt: skip
    assert "NO DOSE" not in "\n".join(lines) and "arms (" not in "\n".join(lines)


def test_drafted_defaults(tmp_path: Path) -> None:
    got = load_text(tmp_path, draft_scenario(SEED))
    assert got.safety.dlt_window_days == 28 and got.safety.cohort_size == 3
    assert got.rule.name == "3+3" and got.follow_up.days == 180 and got.screening.days == 14
    assert got.accrual.model_dump()["consents_per_month"] == 1.0
    assert got.toxicity.dlt_probability == (0.05, 0.3)


def test_seeds_name_nobody() -> None:
    for path in SEEDS.iterdir():
        text = path.read_text(encoding="utf-8")
        assert "@" not in text, path.name
        bare = re.sub(r"NCT\d{8}|\d{4}-\d{2}-\d{2}", "", text)
        assert re.search(r"\d[\d\s().+-]{5,}\d", bare) is None, path.name
        for key in ("centralContacts", "overallOfficials", "investigatorFullName", "phone", "email", "contacts"):
            assert f'"{key}"' not in text, (path.name, key)


# Dates, size, arms


@pytest.mark.parametrize(
    ("start", "completion", "first", "last", "said"),
    [
        ("2024-02", "2026-02", date(2024, 2, 1), date(2026, 2, 28), "last day of the month taken"),
        ("2024-02-03", "2028-02", date(2024, 2, 3), date(2028, 2, 29), "last day of the month taken"),
        ("2024-02", None, date(2024, 2, 1), None, "first day of the month taken"),
        ("2024-02-03", "2024-02-03", date(2024, 2, 3), None, "is not later than the start"),
        ("2024-02-03", "2023-12", date(2024, 2, 3), None, "is not later than the start"),
        ("2024-02-30", "2024-13", date(2025, 1, 1), None, "the record gives none that can be read"),
        ("２０２４-02", "soon", date(2025, 1, 1), None, "the record gives none that can be read"),
        (None, "2026-01-15", date(2024, 1, 16), date(2026, 1, 15), "completionDateStruct 2026-01-15"),
        (None, "0001-06", date(2025, 1, 1), None, "the record gives none that can be read"),
        (None, "1950-01-01", date(1950, 1, 1), None, "is not later than the start"),
        ("0024-02-03", "9999-02", date(2025, 1, 1), None, "the record gives none that can be read"),
        (20240203, ["2026-01-15"], date(2025, 1, 1), None, "the record gives none that can be read"),
    ],
)
def test_dates(tmp_path: Path, start: Any, completion: Any, first: date, last: date | None, said: str) -> None:
    text = draft(tmp_path, protocol(statusModule=status(start, completion)))
    got = load_text(tmp_path, text)
    assert (got.trial.start_date, got.trial.planned_completion_date) == (first, last)
    assert said in text
    registered = isinstance(start, str) and first != date(2025, 1, 1)
    assert got.sources["trial.start_date"].startswith("registry: " if registered else "assumption: ")
    assert f"start_date = {first.isoformat()}" + ("" if registered else "  # ASSUMPTION: fill in") in text.splitlines()


def test_date_and_enrolment_types_are_said(tmp_path: Path) -> None:
    modules = {
        "statusModule": {"startDateStruct": {"date": "2024-01", "type": "ACTUAL"}},
        "designModule": {"enrollmentInfo": {"count": 24, "type": "ESTIMATED"}},
    }
    sources = scenario(tmp_path, **modules).sources
    assert sources["trial.start_date"] == "registry: startDateStruct 2024-01 (ACTUAL), first day of the month taken"
    assert sources["trial.planned_patients"] == "registry: enrollmentInfo.count 24 (ESTIMATED)"


@pytest.mark.parametrize("count", [None, 0, -3, 99999999, 10**30, "9", 9.0, True, [9], {}])
def test_enrolment_that_says_nothing_is_assumed(tmp_path: Path, count: Any) -> None:
    got = scenario(tmp_path, designModule={"enrollmentInfo": {"count": count}})
    assert got.trial.planned_patients == 12  # 6 for each of two levels
    assert got.sources["trial.planned_patients"].startswith("assumption: ")


@pytest.mark.parametrize(("count", "cohort"), [(1, 1), (2, 2), (3, 3), (10000, 3)])
def test_enrolment_is_kept_and_the_cohort_fits(tmp_path: Path, count: int, cohort: int) -> None:
    got = scenario(tmp_path, designModule={"enrollmentInfo": {"count": count}})
    assert (got.trial.planned_patients, got.safety.cohort_size) == (count, cohort)


@pytest.mark.parametrize("count", [10001, 99999998])
def test_enrolment_beyond_a_scenario_is_cut_and_says_so(tmp_path: Path, count: int) -> None:
    got = scenario(tmp_path, designModule={"enrollmentInfo": {"count": count}})
    assert got.trial.planned_patients == 10000
    stated = f"registry: enrollmentInfo.count {count}; a scenario has at most 10000"
    assert got.sources["trial.planned_patients"] == stated


def test_several_arms_are_said_and_their_doses_gathered_once_each(tmp_path: Path) -> None:
    arms = {
        "armGroups": [
            {"label": "Low", "description": "3×10^8 cells"},
            {"label": "High\n# [evil]", "description": "1×10^9 cells"},
            {"label": None, "description": "1.0 x 10^9 CAR-T cells"},
        ],
        "interventions": [{"name": "X", "description": "1E8 cells"}],
    }
    text = draft(tmp_path, protocol(armsInterventionsModule=arms))
    got = load_text(tmp_path, text)
    assert [level.cells for level in got.dose_levels] == [1e8, 3e8, 1e9]
    assert "# The record has 3 arms (Low; High # [evil]; arm 3)." in text.splitlines()
    assert got.sources["dose_levels"] == (
        "registry: interventions[0].description, armGroups[0].description, armGroups[1].description"
    )


@pytest.mark.parametrize("levels", [1, 2, 3, 7])
def test_dlt_probabilities_rise_over_the_levels(tmp_path: Path, levels: int) -> None:
    got = scenario(tmp_path, ", ".join(f"{level}×10^6 cells" for level in range(1, levels + 1)))
    drafted = got.toxicity.dlt_probability
    assert len(drafted) == levels and drafted[0] == 0.05 and list(drafted) == sorted(set(drafted))
    assert levels == 1 or drafted[-1] == 0.3


# Doses


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        (r"9×10\^9 cells", [9e9]),
        (r"9×10\^9 cells, 13.5×10\^9 anti-CD19 CAR NK cells", [9e9, 13.5e9]),
        (r"13.5×10\^9 cells, 9×10\^9 cells", [9e9, 13.5e9]),
        ("1.5 × 10⁹ cells", [1.5e9]),
        ("2 × 10⁴ cells", [2e4]),
        ("1.50 x 10^9 cells and 1.5*10**9 cells", [1.5e9]),
        ("１×１０⁹ cells", [1e9]),
        ("1 x 10e6 cells", [1e6]),
        ("5E8 CAR-T cells", [5e8]),
        ("1E6, 3E6 and 1E7 cells", [1e6, 3e6, 1e7]),
        ("1×10^6; 3×10^6; 1×10^7 cells", [1e6, 3e6, 1e7]),
        ("DL1: 1×10^6; DL2: 3×10^6; DL3: 1×10^7 CAR-NK cells", [1e6, 3e6, 1e7]),
        ("2 × 105 or 2 × 106 CAR T cells", [2e5, 2e6]),
        ("10^6 cells, 10^7 cells", [1e6, 1e7]),
        ("100, 300 and 900 million CAR NK cells", [1e8, 3e8, 9e8]),
        ("1 billion cells per dose", [1e9]),
        ("500,000,000 cells", [5e8]),
        ("9,13.5×10^9 cells", [9e9, 13.5e9]),
        ("Cohort 1, 2×10^6 cells", [2e6]),
        ("Dose level 1 - 5×10^7 cells; dose level 2 - 1×10^8 cells", [5e7, 1e8]),
        ("on day -3 and 9×10^9 cells on day 0", [9e9]),
        ("days -5, -3, 9×10^9 cells", [9e9]),
        ("2024-08-30, 9×10^9 cells", [9e9]),
        ("9×10^9 cells. Mice were given 1×10^12", [9e9]),
        ("platelets < 30×10^9/L; 9×10^9 cells", [9e9]),
        ("platelet count < 30×10^9 and 9×10^9 cells", [9e9]),
        ("Fludarabine 25 mg/m2, then 9×10^9 cells; dexamethasone 10 mg, 20 mg", [9e9]),
        ("0×10^9 cells and 9×10^9 cells", [9e9]),
    ],
)
def test_flat_cell_doses(tmp_path: Path, text: str, cells: list[float]) -> None:
    got = scenario(tmp_path, text)
    assert [level.cells for level in got.dose_levels] == cells
    assert all(level.label.endswith(" cells") for level in got.dose_levels)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("1x10^6 cells/kg", ["1×10^6 cells per kg"]),
        ("1x10^6/kg and 3 x 10^6 CAR-T cells / kg", ["1×10^6 cells per kg", "3×10^6 cells per kg"]),
        ("1×10^6, 3×10^6 and 1×10^7 cells/kg", ["1×10^6 cells per kg", "3×10^6 cells per kg", "1×10^7 cells per kg"]),
        ("1×10^6 CD19/BCMA CAR-T cells/Kg", ["1×10^6 cells per kg"]),
        ("2×10^7 cells/m2", ["2×10^7 cells per m2"]),
        ("1×10^12 vg/kg, 1×10^13 vg/kg", ["1×10^12 vg per kg", "1×10^13 vg per kg"]),
        ("10 mg, 20 mg and 40 mg", ["10 mg", "20 mg", "40 mg"]),
        ("40, 10 mg", ["10 mg"]),
        ("10, 20 and 40 mg daily", ["10 mg", "20 mg", "40 mg"]),
        ("10/20/40mg", ["10 mg", "20 mg", "40 mg"]),
        ("0.3 mg/kg; 1.0 mg/kg", ["0.3 mg/kg", "1 mg/kg"]),
        ("1,000 mg and 1,500 mg", ["1000 mg", "1500 mg"]),
        ("50 µg, 100 mcg", ["50 μg", "100 μg"]),
        ("10 mg tablets; 1 mg/kg, 2 mg/kg, 4 mg/kg", ["1 mg/kg", "2 mg/kg", "4 mg/kg"]),
        ("10 mg in 5 mg/mL", ["10 mg"]),
    ],
)
def test_doses_that_are_no_flat_number_of_cells(tmp_path: Path, text: str, labels: list[str]) -> None:
    got = scenario(tmp_path, text)
    assert [(level.label, level.cells) for level in got.dose_levels] == [(label, None) for label in labels]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "no dose here",
        "Fludarabine 25 mg/m2 on day -3",
        "25 mg/m2 fludarabine and 1000 mg/m2 cyclophosphamide",
        "CAR-T cells; dexamethasone 10 mg before",
        "platelets 100×10^9/L, neutrophils 1.5×10⁹ per litre",
        "platelets above 100×10^9",
        "5×10^6 cells/mL",
        "9×10^9",
        "1,5×10^9 cells",
        "12345678×10^9 cells",
    ],
)
def test_no_dose_is_said_and_nothing_invented(tmp_path: Path, text: str | None) -> None:
    drafted = draft(tmp_path, protocol(text))
    assert "NO DOSE WAS FOUND" in drafted.split("schema_version")[0]
    assert "# [[dose_levels]]" in drafted and "dose_levels" not in tomllib.loads(drafted)
    with pytest.raises(ScenarioError) as caught:
        load_text(tmp_path, drafted)
    assert [problem.key for problem in caught.value.problems] == ["dose_levels"]


def test_amounts_not_used_are_quoted(tmp_path: Path) -> None:
    alone = draft(tmp_path, protocol("KN5501 at 9×10^9")).splitlines()
    assert '# - "9×10^9" (no unit is stated) in interventions[0].description: "KN5501 at 9×10^9"' in alone
    mixed = draft(tmp_path, protocol("1×10^8 cells, 2×10^8 cells; at most 1×10^6 cells/kg"))
    assert '# - "1×10^6 cells/kg" (a cap or a limit, not a dose)' in mixed
    assert [level["label"] for level in tomllib.loads(mixed)["dose_levels"]] == ["1×10^8 cells", "2×10^8 cells"]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        # A list behind what it is called: every number of it counts.
        ("up to 9 dose cohorts (1, 2, 5, 10 and 90 mg) of 8 subjects", ["1 mg", "2 mg", "5 mg", "10 mg", "90 mg"]),
        ("Sequential cohorts (1, 5 and 15 mg/kg)", ["1 mg/kg", "5 mg/kg", "15 mg/kg"]),
        ("dose levels: 10, 20, 40 mg", ["10 mg", "20 mg", "40 mg"]),
        ("doses 1, 3 and 10 mg/kg", ["1 mg/kg", "3 mg/kg", "10 mg/kg"]),
        # Commas in thousands, and decimal ones where the text shows that it writes them.
        ("three dose groups (360, 1,080, and 1,440 mg)", ["360 mg", "1080 mg", "1440 mg"]),
        ("Level 1: 1,0x10^8 cells; level 2: 2,5x10^8 cells", ["1×10^8 cells", "2.5×10^8 cells"]),
        # Exponents of two digits whose sign is lost, tolerances, billions.
        ("from a low dose (2.4x1012 vg) to a high dose (2.4x1013 vg)", ["2.4×10^12 vg", "2.4×10^13 vg"]),
        ("dose levels of 3 × 10^9 ± 30% cells and 1 × 10^10 ± 30% cells", ["3×10^9 cells", "1×10^10 cells"]),
        ("the following cell doses: 10 billion, 20 billion, and 30 billion", [f"{n}×10^9 cells" for n in (10, 20, 30)]),
        ("10, 20 and 35 million CSCs", ["10×10^6 cells", "20×10^6 cells", "35×10^6 cells"]),
        # A cap in another unit, a step of the manufacture, a partner beside a list that is called doses.
        ("0.2 million cells/kg (maximum of 20 million cells)", ["0.2×10^6 cells per kg"]),
        ("PBMC (approximately 5 x 10^9 cells) are cultured. Then 1×10^8 cells", ["1×10^8 cells"]),
        ("Dose levels of 18 mg, 54 mg and 108 mg. Subjects receive ciprofloxacin 500 mg", ["18 mg", "54 mg", "108 mg"]),
        ("planned doses: 200 mg, 400 mg, in combination with 250 mg of gefitinib daily", ["200 mg", "400 mg"]),
        ("IL-2 720,000 IU/kg, then 1×10^9 CAR-T cells", ["1×10^9 cells"]),
    ],
)
def test_lists_of_doses(tmp_path: Path, text: str, labels: list[str]) -> None:
    assert [level.label for level in scenario(tmp_path, text).dose_levels] == labels


@pytest.mark.parametrize(
    ("text", "against"),
    [
        ("1–3×10^6 cells", "a range"),
        ("(1-3)×10^6 CAR+ T cells per kilogram", "a range"),
        ("1×10^6 to 1×10^7 cells", "a range"),
        ("10 mg - 20 mg", "a range"),
        ("between 1x10^9 and 2x10^11 young TIL", "a range"),
        ("1 to 3e8/m2 CAR T cells", "a range"),
        ("1×10^6 cells, 3×10^6 cells, up to 1×10^7 cells", "the list may not be whole"),
        ("1,5×10^9 cells; 2×10^9 cells", "the list may not be whole"),
        ("Leukapheresis of 5 x 10^9 cells", "a step of the manufacture"),
        ("cisplatin 25 mg/m2, vinblastine 1.2 mg/m2 and temozolomide [TMZ] 150 mg/m2", "of temozolomide"),
        ("ascending doses in combination with avelumab 10 mg/kg", "of avelumab"),
        ("Atezolizumab 1200 mg and cobimetinib 60 mg", "of cobimetinib"),
        ("Vaccine with 0.3 mg peptide + 0.5 mg adjuvant", "several products that are given together"),
        ("9×10^18 cells", "a power of ten may be misprinted"),
        ("9×10^18 cells, 13.5×10^9 cells", "the list may not be whole"),
        ("0.3×10^0 cells per kg", "a power of ten may be misprinted"),
        ("a viral load over 10,000 viral copies", ""),
    ],
)
def test_what_is_not_certain_is_quoted_with_what_speaks_against_it(tmp_path: Path, text: str, against: str) -> None:
    drafted = draft(tmp_path, protocol(text))
    assert "dose_levels" not in tomllib.loads(drafted)
    assert not against or any(line.startswith("# - ") and against in line for line in drafted.splitlines())


def test_two_products_with_amounts_are_two_products(tmp_path: Path) -> None:
    both = [
        {"name": "Abcumab", "description": "Abcumab 10 mg, 20 mg"},
        {"name": "Xyz", "description": "75 mg by mouth"},
    ]
    drafted = draft(tmp_path, protocol(armsInterventionsModule={"interventions": both}))
    assert "dose_levels" not in tomllib.loads(drafted)
    both[0]["description"] = "Abcumab in dose levels of 10 mg, 20 mg"
    drafted = draft(tmp_path, protocol(armsInterventionsModule={"interventions": both}))
    assert [level["label"] for level in tomllib.loads(drafted)["dose_levels"]] == ["10 mg", "20 mg"]
    assert '# - "75 mg" (of xyz)' in drafted


@pytest.mark.parametrize(
    ("phases", "kind", "said"),
    [
        (["PHASE1", "PHASE2"], "DRUG", "The record covers phase 1 and phase 2: its enrolment is that of all"),
        (["PHASE3"], "DRUG", "NO PHASE 1: the record is of phase 3."),
        (["PHASE1"], "DEVICE", "NO DRUG: the record is of device."),
    ],
)
def test_records_that_are_not_one_dose_escalation_say_so(
    tmp_path: Path, phases: list[str], kind: str, said: str
) -> None:
    arms = {"interventions": [{"name": "X", "type": kind, "description": DOSE}]}
    design = {"phases": phases, "enrollmentInfo": {"count": 12}}
    drafted = draft(tmp_path, protocol(designModule=design, armsInterventionsModule=arms))
    assert said in drafted.split("schema_version")[0]
    got = load_text(tmp_path, drafted)
    together = "; of phase 1 and phase 2 together" if len(phases) > 1 else ""
    assert got.sources["trial.planned_patients"] == f"registry: enrollmentInfo.count 12{together}"


def test_what_the_record_says_of_its_conduct_is_quoted_beside_the_placeholder(tmp_path: Path) -> None:
    text = "A 3+3 design is used. DLTs are observed for 21 days. Cohorts of 3 patients. A sentinel is dosed first."
    lines = draft(tmp_path, protocol(f"{DOSE}. {text}")).splitlines()
    for sentence, key in (
        ("A 3+3 design is used.", 'name = "3+3"'),
        ("DLTs are observed for 21 days.", "dlt_window_days"),
        ("Cohorts of 3 patients.", "cohort_size"),
        ("A sentinel is dosed first.", "sentinel_stagger_days"),
    ):
        said = lines.index(f'# The record says, in interventions[0].description: "{sentence}"')
        assert lines[said + 1].startswith(key) and lines[said + 1].endswith("# ASSUMPTION: fill in")


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("10e6 cells", 'some write "10e6" for 10^6'),
        ("1 x 10e6 cells", "the power of ten is not written as such"),
        ("2 x 106 cells", "the power of ten is not written as such"),
        ("9×10^9 cells, 13×10^9", "unit taken from the list it stands in"),
    ],
)
def test_a_reading_that_needs_a_look_is_noted(tmp_path: Path, text: str, note: str) -> None:
    assert note in draft(tmp_path, protocol(text))


@pytest.mark.parametrize("field", ["label", "description"])
def test_doses_in_arms(tmp_path: Path, field: str) -> None:
    got = scenario(tmp_path, armsInterventionsModule={"armGroups": [{field: "2×10^6 cells"}]})
    assert [level.cells for level in got.dose_levels] == [2e6]


@pytest.mark.parametrize(
    ("module", "field"),
    [
        ("descriptionModule", "briefSummary"),
        ("descriptionModule", "detailedDescription"),
        ("identificationModule", "briefTitle"),
        ("identificationModule", "officialTitle"),
    ],
)
def test_doses_in_prose_and_titles(tmp_path: Path, module: str, field: str) -> None:
    got = scenario(tmp_path, None, **{module: {field: "2×10^6 cells"}})
    assert [level.cells for level in got.dose_levels] == [2e6]
    assert got.sources["dose_levels"] == f"registry: {field}"


def test_eligibility_is_no_place_for_doses(tmp_path: Path) -> None:
    drafted = draft(tmp_path, protocol(None, eligibilityModule={"eligibilityCriteria": "5×10^6 cells, Cy 5 mg/m2"}))
    assert "NO DOSE" in drafted and "10^6" not in drafted


# Lymphodepletion


@pytest.mark.parametrize(
    ("text", "agents"),
    [
        ("Fludarabine (25 mg/m2 per day) and Cyclophosphamide (1000mg/m2 per day) on day -3",
         {"fludarabine": (25, [-3]), "cyclophosphamide": (1000, [-3])}),
        ("25 mg/m² fludarabine and 1,000 mg/m² cyclophosphamide on days -5, -4 and -3",
         {"fludarabine": (25, [-5, -4, -3]), "cyclophosphamide": (1000, [-5, -4, -3])}),
        ("Fludarabine and cyclophosphamide (Flu/Cy): 30 and 500 mg/m2, respectively, days −5 to −3",
         {"fludarabine": (30, [-5, -4, -3]), "cyclophosphamide": (500, [-5, -4, -3])}),
        ("Flu 30 mg/m2/d (D-5 ~ D-3) and Cy 300 mg/m2/d (day -5, day -4)",
         {"fludarabine": (30, [-5, -4, -3]), "cyclophosphamide": (300, [-5, -4])}),
        ("Day -5: cyclophosphamide 300 mg/m2; day -4: fludarabine 30 mg/m2",
         {"cyclophosphamide": (300, [-5]), "fludarabine": (30, [-4])}),
        ("fludarabine on days -5 to -3 at 30 mg/m2 and cyclophosphamide on day -5 at 500 mg/m2",
         {"fludarabine": (30, [-5, -4, -3]), "cyclophosphamide": (500, [-5])}),
        ("Bendamustine 70.5 mg/m2 from day minus 3 to day minus 2", {"bendamustine": (70.5, [-3, -2])}),
        ("melphalan 100 mg/m2 and fludarabine 30 mg/m2 on day -4", {"fludarabine": (30, [-4])}),
        ("days -3 to -5 fludarabine 30 mg/m2", {"fludarabine": (30, [-5, -4, -3])}),
    ],
)  # fmt: skip
def test_lymphodepletion(tmp_path: Path, text: str, agents: dict[str, tuple[float, list[int]]]) -> None:
    got = scenario(tmp_path, f"{text}. Then 1×10^8 cells.")
    assert {item.agent: (item.mg_per_m2, list(item.days)) for item in got.treatment.lymphodepletion} == agents
    assert got.sources["treatment.lymphodepletion"] == "registry: interventions[0].description"
    assert [level.cells for level in got.dose_levels] == [1e8]


@pytest.mark.parametrize(
    "text",
    [
        "Fludarabine 30 mg/m2",
        "Fludarabine 30 mg/m2 for 3 days",
        "Fludarabine 30 mg/m2 ×3, starting on day -5",
        "Fludarabine 30 mg/m2 on days -5 to 0",
        "Fludarabine 30 mg/m2 on days -999 to -1",
        "Fludarabine 30 mg/m2 daily. Biopsy on day -14",
        "D-30 mg/m2 fludarabine",
        "Fludarabine 30 mg/m2 and melphalan 140 mg/m2 on day -2",
    ],
)
def test_amount_without_days_is_a_comment(tmp_path: Path, text: str) -> None:
    drafted = draft(tmp_path, protocol(f"{text}. Then 1×10^8 cells."))
    got = load_text(tmp_path, drafted)
    assert got.treatment.lymphodepletion == ()
    block = ["# [[treatment.lymphodepletion]]", '# agent = "fludarabine"', "# mg_per_m2 = 30", "# days = [...]"]
    assert "\n".join(block) in drafted
    assert "treatment.lymphodepletion" not in got.sources


@pytest.mark.parametrize(
    "text",
    [
        "Fludarabine on day -3",
        "Fludarabine 25-30 mg/m2 on day -3",
        "Fludarabine 0 mg/m2 on day -3",
        "Fludarabine and melphalan 140 mg/m2 on day -2",
        "Fludarabine 60 mg/kg on day -7",
    ],
)
def test_agent_without_amount_is_named(tmp_path: Path, text: str) -> None:
    drafted = draft(tmp_path, protocol(f"{text}. Then 1×10^8 cells."))
    assert "# The record names fludarabine, and no dose in mg per m2 that could be read." in drafted
    assert "lymphodepletion" not in tomllib.loads(drafted)["treatment"]


@pytest.mark.parametrize(
    "text",
    [
        "On day -7 cyclophosphamide (60 mg/kg/day) on days -7 and -6 and fludarabine (25 mg/m2/day) on days -5 to -3",
        "2 days of Busulfan 2mg/kg at days -7,-6, followed by Fludarabine 25mg/m2 at days -5,-4,-3",
    ],
)
def test_days_of_another_agent_are_not_this_ones(tmp_path: Path, text: str) -> None:
    got = scenario(tmp_path, f"{text}. Then 1×10^8 cells.")
    agents = [(item.agent, item.mg_per_m2, list(item.days)) for item in got.treatment.lymphodepletion]
    assert agents == [("fludarabine", 25, [-5, -4, -3])]


def test_the_complete_statement_is_taken_and_the_other_quoted(tmp_path: Path) -> None:
    summary = "Fludarabine 30 mg/m2 is given. Fludarabine 25 mg/m2 on days -4 to -3"
    drafted = draft(tmp_path, protocol("1×10^8 cells", descriptionModule={"briefSummary": summary}))
    (item,) = load_text(tmp_path, drafted).treatment.lymphodepletion
    assert (item.mg_per_m2, item.days) == (25, (-4, -3))
    assert '# The record also says: "Fludarabine 30 mg/m2 is given."' in drafted


def test_influenza_is_no_fludarabine(tmp_path: Path) -> None:
    drafted = draft(tmp_path, protocol("1×10^8 cells; flu vaccine and flu-like symptoms"))
    assert "# No lymphodepletion was found in the record." in drafted


# Text


@pytest.mark.parametrize(
    "title",
    [
        'He said "9" \\ and \\"',
        "two\nlines\r\nand\ttab",
        '"""',
        "bell \a, delete \x7f, null \0, next line \x85, separator \u2028, bom \ufeff, far \U000e0001",
        "# [sources] = 'x'",
        "中文 🙂 ×",
    ],
)
def test_titles_survive(tmp_path: Path, title: str) -> None:
    identification = {"nctId": title, "briefTitle": title}
    got = scenario(tmp_path, identificationModule=identification)
    harmless = "".join(" " if sign in "\a\x7f\0\x85\u2028" else sign for sign in title)
    assert (got.trial.title, got.trial.registry_id) == (harmless, harmless)


def test_a_title_longer_than_any_is_cut(tmp_path: Path) -> None:
    got = scenario(tmp_path, identificationModule={"nctId": "N" * 201, "briefTitle": "t" * 1001})
    assert (got.trial.title, got.trial.registry_id) == ("t" * 1000, "")


def test_text_that_is_no_unicode_is_replaced(tmp_path: Path) -> None:
    assert scenario(tmp_path, identificationModule={"briefTitle": "a\ud800b"}).trial.title == "a\ufffdb"


@pytest.mark.parametrize(
    ("identification", "title", "line"),
    [
        ({"briefTitle": " ", "officialTitle": "Official"}, "Official", 'title = "Official"'),
        ({"nctId": "NCT1"}, "NCT1", 'title = "NCT1"'),
        ({}, "untitled trial", 'title = "untitled trial"  # ASSUMPTION: fill in'),
        (None, "untitled trial", 'title = "untitled trial"  # ASSUMPTION: fill in'),
    ],
)
def test_title_falls_back(tmp_path: Path, identification: Any, title: str, line: str) -> None:
    drafted = draft(tmp_path, protocol(identificationModule=identification))
    assert load_text(tmp_path, drafted).trial.title == title
    assert line in drafted.splitlines()


# Layout and errors


def test_search_answer_with_one_study(tmp_path: Path) -> None:
    data = protocol()
    assert draft(tmp_path, {"studies": [data], "totalCount": 1}) == draft(tmp_path, data)


def test_byte_order_marks_and_utf_16(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    drafts = set()
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path.write_text(json.dumps(protocol(), ensure_ascii=False), encoding=encoding)
        drafts.add(draft_scenario(str(path)))
    assert len(drafts) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "record.json:1: is not JSON"),
        (b"{\n'a': 1}", "record.json:2: is not JSON"),
        (b"\xff\xfe\xff", "is not JSON"),
        (b"1" * 5000, "is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"null", "another layout, without `protocolSection`"),
        (b"[]", "another layout"),
        (b"3.5", "another layout"),
        (b'{"protocolSection": null}', "another layout"),
        (b'{"FullStudiesResponse": {}}', "the classic layout of ClinicalTrials.gov, which the registry has given up"),
        (b'{"Study": {"ProtocolSection": {}}}', "the classic layout of ClinicalTrials.gov"),
        (
            b'{"isrctn": "12345678"}',
            "a record of ISRCTN: it is not read. If the trial is at ClinicalTrials.gov too, save",
        ),
        (b'{"a2_eudract_number": "2013-000615-24"}', "a record of EUCTR"),
        (b'{"ctNumber": "2022-500014-26-00"}', "a record of CTIS"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><clinical_study/>', "is XML or a web page, not JSON"),
        (b'{"studies": []}', "a search answer with 0 studies"),
        (b'{"studies": [{"protocolSection": {}}, {"protocolSection": {}}]}', "a search answer with 2 studies"),
        (b'{"studies": [7]}', "another layout"),
    ],
)
def test_no_record(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(content)
    with pytest.raises(RecordError) as caught:
        draft_scenario(path)
    message = str(caught.value)
    assert said in message and str(path) in message and "ClinicalTrials.gov API v2" in message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_no_file_no_folder_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecordError, match=r"gone\.json: there is no such file; save one study"):
        draft_scenario(tmp_path / "gone.json")
    with pytest.raises(RecordError, match="is a folder; name a registry record"):
        draft_scenario(tmp_path)
    with pytest.raises(RecordError):
        draft_scenario("nul\0.json")

    def refuse(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(RecordError, match="cannot be read: Permission denied; check"):
        draft_scenario(SEED)


def test_the_draft_names_the_file_and_not_its_folder(tmp_path: Path) -> None:
    drafted = draft(tmp_path, protocol())
    assert "(record.json)" in drafted and str(tmp_path) not in drafted


def test_importing_needs_neither_pydantic_nor_simpy() -> None:
    code = "import sys, escalate.registry; sys.exit(any(name in sys.modules for name in ('pydantic', 'simpy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Anything whatsoever

MODULES = {
    "identificationModule": ("nctId", "briefTitle", "officialTitle"),
    "statusModule": ("startDateStruct", "completionDateStruct"),
    "designModule": ("enrollmentInfo",),
    "armsInterventionsModule": ("armGroups", "interventions"),
    "descriptionModule": ("briefSummary", "detailedDescription"),
}
FRAGMENTS = [
    "9×10\\^9", "1x10^6", "1 x 10e6", "5E8", "1.5 × 10⁹", "10^7", "2 × 106", "3 million", "1,000,000", "1,5×10^9", "0",
    "1", "3", "10 mg", "0.3 mg/kg", "25 mg/m2", "1000mg/m2", " cells", " CAR-T cells", " cells/kg", "/kg", "/L", " vg",
    "fludarabine", "Cyclophosphamide", "Flu", "bendamustine", "day -3", "days -5 to -3", "-4", "D-", "minus ", " to ",
    " - ", ", ", " and ", ". ", "; ", "(", ")", " ", "\n", "cohort 1", "×", "^", "\\", '"', "#", "²", "respectively",
]  # fmt: skip
prose = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)
texts = st.one_of(st.text(st.characters(), max_size=20), prose)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.sampled_from(["date", "type", "count", "label", "name", "description"]), texts),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)


def fields(names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    return st.one_of(values, st.dictionaries(st.sampled_from(names), values))


sections = st.fixed_dictionaries({}, optional={name: fields(names) for name, names in MODULES.items()})
records = st.one_of(values, sections.map(lambda section: {"protocolSection": section}))


def checked_draft(folder: Path, data: Any) -> str:
    """Draft; whatever comes is TOML, and a scenario exactly where doses were found."""
    drafted = draft(folder, data)
    if "dose_levels" in tomllib.loads(drafted):
        assert all(entry.kind != "unsourced" for entry in ledger(load_text(folder, drafted)))
    else:
        with pytest.raises(ScenarioError) as caught:
            load_text(folder, drafted)
        assert [problem.key for problem in caught.value.problems] == ["dose_levels"]
    return drafted


@settings(deadline=None, max_examples=150)
@given(data=records)
@example(data={"protocolSection": {"statusModule": {"startDateStruct": []}, "designModule": 3}})
@example(data={"protocolSection": {"armsInterventionsModule": {"armGroups": [None, 1, "x"], "interventions": {}}}})
def test_any_json_gives_a_draft_or_a_record_error(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    with contextlib.suppress(RecordError):
        checked_draft(tmp_path_factory.mktemp("any"), data)


@settings(deadline=None, max_examples=250)
@given(text=prose, summary=prose)
def test_any_prose_gives_a_draft(tmp_path_factory: pytest.TempPathFactory, text: str, summary: str) -> None:
    data = protocol(text, descriptionModule={"briefSummary": summary})
    drafted = checked_draft(tmp_path_factory.mktemp("prose"), data)
    assert all(line.isprintable() for line in drafted.split("\n"))
