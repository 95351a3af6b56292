"""The decision table asks the rule itself; its letters are those of published tables."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from matplotlib.patches import Rectangle

import escalate as esc
from conftest import ROOT
from escalate import Scenario, decision_table, exact, load
from escalate.cli import main
from escalate.errors import EscalateError, RuleError, ScenarioError
from escalate.export import write_table
from escalate.plots import plot_decision_table
from escalate.protocol_tables import LETTERS, CountTable, NextDose, NextDoseTable, PendingTable
from escalate.protocol_tables.next_dose import Ways
from escalate.rules import getprior
from escalate.scenario.own_rules import REGISTERED, Known
from escalate.scenario.rules import RULES, Boin, I3Plus3, Mtpi2
from escalate.words.data_cut import Counts
from escalate.words.records import Action, Decision
from small import small

DATA = Path(__file__).parent / "data"
BASE = str(ROOT / "scenarios" / "nct06337474.toml")


@pytest.fixture(autouse=True)
def forget() -> Any:
    """Let no test see the rules of another."""
    before = dict(REGISTERED)
    yield
    REGISTERED.clear()
    REGISTERED.update(before)


def three(rule: Any, **changes: Any) -> Scenario:
    """Return a small scenario of three levels with a rule, so that one has others above and below."""
    options = rule if isinstance(rule, dict) else rule.model_dump()
    doses = [{"label": str(k)} for k in range(3)]
    plain = {"dose_levels": doses, "toxicity__dlt_probability": [0.1] * 3, "trial__planned_patients": 36}
    return small(**{**plain, "rule": options, **changes})


def middle(rule: Any, patients: Any, **changes: Any) -> dict[tuple[int, int], str]:
    """Return the letters of a level with others above and below."""
    table = decision_table(three(rule, **changes), patients)
    assert isinstance(table, CountTable)
    return table.part(2).letters


@pytest.mark.parametrize(("kind", "name", "file"), [
    (Mtpi2, "mTPI-2", "mtpi2_decision_tables_FIND"),
    (I3Plus3, "i3+3", "i3plus3_decision_tables"),
])  # fmt: skip
def test_golden_letters(kind: Any, name: str, file: str) -> None:
    for case in json.loads((DATA / f"{file}.json").read_text())["cases"]:
        low, high = (round(abs(end - case["target"]), 12) for end in case["ei"])
        options = kind(name=name, target=case["target"], epsilon1=low, epsilon2=high, elimination_cutoff=case["cutoff"])
        letters = middle(options, case["npts"])
        for row in case["table"]:
            assert [letters[row["n"], y] for y in range(row["n"] + 1)] == row["decision"], (case["id"], row["n"])


def test_three_plus_three() -> None:
    letters = middle({"name": "3+3", "variant": "B"}, range(1, 7))
    assert ["".join(f"{letters[n, y]:>3}" for n in range(max(y, 1), 7)) for y in range(3)] == [
        "  S  S  E  E  E  E",
        "  S  S  S  S  S  E",
        " DU DU DU DU DU",
    ]


def test_boin_of_the_paper() -> None:
    """Liu and Yuan's table for a target of 0.30, cohorts of three."""
    letters = middle(Boin(name="BOIN", target=0.3), 12)
    found = {n: "".join(f"{letters[n, y]:<3}" for y in range(n + 1)).split() for n in (3, 6, 9, 12)}
    assert found[3] == ["E", "S", "D", "DU"]
    assert found[6] == ["E", "E", "S", "D", "DU", "DU", "DU"]
    assert found[9][:6] == ["E", "E", "E", "S", "D", "DU"]
    assert found[12][:8] == ["E", "E", "E", "S", "S", "D", "D", "DU"]


def test_the_variants_of_three_plus_three_differ_where_the_rules_do() -> None:
    """After none in three at the highest level A and B stop and recommend it, C asks for three more; six is the end."""
    highest = {"A": "R", "B": "R", "C": "S"}
    below_exceeded = {"A": "R", "B": "S", "C": "S"}
    for variant in "ABC":
        table = decision_table(three({"name": "3+3", "variant": variant}))
        assert isinstance(table, CountTable)
        assert table.patients == (3, 6)
        assert [table.part(k).letters[3, 0] for k in (1, 2, 3)] == ["E", "E", highest[variant]]
        assert [table.part(k, exceeded_above=True).letters[3, 0] for k in (1, 2)] == [below_exceeded[variant]] * 2
        assert [table.part(k).letters[3, 2] for k in (1, 2, 3)] == ["ND", "DU", "DU"]


@pytest.mark.parametrize("rule", ["BOIN", "TITE-BOIN"])
def test_the_stop_of_extrasafe_is_in_the_table(rule: str) -> None:
    """Target 0.25, offset 0.05: at the lowest level 2 of 3, 3 of 6, 4 of 9, 5 of 12, as the R package BOIN has it."""
    wanted = {3: 2, 6: 3, 9: 4, 12: 5}
    without = {3: 3, 6: 4, 9: 5, 12: 6}
    for extrasafe, stops in ((True, wanted), (False, without)):
        table = decision_table(three({"name": rule, "target": 0.25, "extrasafe": extrasafe}), [3, 6, 9, 12])
        part = table.part(1)  # type: ignore[union-attr]
        if isinstance(table, CountTable):
            assert {n: table.part(1).boundaries.from_[n, "ND"] for n in stops} == stops
            letters = table.part(1).letters
        else:
            letters = {(c.treated, c.dlts): c.letters[0] for c in part.cells if c.pending == 0}
        assert {n: min(y for y in range(n + 1) if letters[n, y] == "ND") for n in stops} == stops
        assert "ND" not in {letters[n, y] for n in stops for y in range(stops[n])}


def test_the_base_scenario_has_a_table_that_fits_its_two_levels(base: Scenario) -> None:
    table = decision_table(base)
    assert isinstance(table, CountTable)
    assert [part.name for part in table.parts] == ["level 1", "level 2", "level 1 below a level that exceeded the MTD"]
    assert table.patients == (3, 6)


def test_constants_are_those_of_the_paper() -> None:
    """Liu and Yuan's table 1: target 0.25 has the boundaries 0.197 and 0.298."""
    text = decision_table(three({"name": "BOIN", "target": 0.25})).to_text()
    assert "lambda_e: escalate at or below this DLT rate: 0.1968" in text
    assert "lambda_d: de-escalate at or above this DLT rate: 0.2984" in text
    assert "target interval from: 0.2\n" in decision_table(three({"name": "mTPI", "target": 0.25})).to_text()


def test_what_depends_on_totals_is_said_below(base: Scenario) -> None:
    """The cap, and every limit and stopping rule that the scenario has; none that it has not."""
    plain = base.replace({"rule": {"name": "BOIN", "target": 0.25}, "safety.early_decision": False})
    changes: dict[str, Any] = {
        "titration": {"last_level": 1}, "limits.most_per_level": 6, "limits.coherence": "last_cohort",
        "limits.no_skipping_down": True, "limits.no_skipping": "highest_given", "stopping.enough_at_level": 6,
        "stopping.too_toxic_probability": 0.9, "stopping.interval_width": 0.3, "stopping.most_patients": 8,
    }  # fmt: skip
    assert "Cap: 9 evaluable patients in all" in decision_table(plain).to_text()
    for key, value in changes.items():
        for scenario, there in ((plain, False), (plain.replace({key: value}), True)):
            table = decision_table(scenario)
            for told in (table.to_text(), table.to_markdown(), table.to_html(), table.to_csv()):
                assert (f"{key}:" in told) == there


def test_when_an_expansion_is_closed_is_said_by_numbers(base: Scenario) -> None:
    """Pr(p > 0.25 | uniform prior) above 0.9: 2 of 2 or 3, 3 of 4 to 6, 4 of 7 to 9."""
    changes = {"safety.when_rule_finished": "expand", "stopping.expansion_too_toxic_probability": 0.9}
    text = decision_table(base.replace({"rule": {"name": "BOIN", "target": 0.25}, **changes})).to_text()
    assert "safety.when_rule_finished: where a cell stops with a dose" in " ".join(text.split())
    assert "2 or more of 2 to 3, 3 or more of 4 to 6, 4 or more of 7 to 9." in " ".join(text.split())


def test_forty_one_levels_stay_readable() -> None:
    levels = {"dose_levels": [{"label": f"{k} mg"} for k in range(41)], "toxicity__dlt_probability": [0.1] * 41}
    table = decision_table(three({"name": "BOIN", "target": 0.25}, **levels), [3, 6])
    assert isinstance(table, CountTable)
    assert [part.name for part in table.parts] == [
        "level 1",
        "levels 2 to 40",
        "level 41; levels 2 to 40 below a level that was eliminated",
        "level 1 below a level that was eliminated",
    ]
    wide = decision_table(three({"name": "i3+3", "target": 0.25}), 36)
    for told in (table.to_text(), wide.to_text()):
        assert max(map(len, told.splitlines())) <= 110


def test_decisions_that_boundaries_cannot_say_are_not_approximated() -> None:
    """A function of one's own that stays after one DLT, and goes up after two."""
    table = decision_table(own(lambda known: "escalate" if known.y in (0, 2) else "stay"), [3, 6])
    assert isinstance(table, CountTable)
    assert table.part(1).boundaries.not_of_this_form == (3, 6)
    assert table.part(1).boundaries.letter(3, 1) is None
    assert "see grid" in table.to_text()


def test_moves_over_a_level_are_told() -> None:
    doses = {"dose_levels": [{"label": str(k)} for k in range(4)], "toxicity__dlt_probability": [0.1] * 4}
    esc.rule(name="own", target=0.25)(lambda known: known.levels if known.y == 0 else 1)
    for skipping, told in (("off", True), ("last_given", False)):
        text = decision_table(small(rule={"python": "own"}, limits__no_skipping=skipping, **doses), [3]).to_text()
        text = " ".join(text.split())
        assert ("0 of 3 at level 1: to level 4" in text) == told
        assert "3 of 3 at level 4: to level 1" in text


def test_cells_of_a_csv_are_no_dates_and_no_formulas(base: Scenario) -> None:
    for rule in ({"name": "3+3"}, {"name": "BOIN", "target": 0.25}, {"name": "TITE-BOIN", "target": 0.25}):
        table = decision_table(base.replace({"rule": rule}))
        texts = [table.to_csv(), *([table.boundaries_csv()] if isinstance(table, CountTable) else [])]
        for row in (row for text in texts for row in csv.reader(io.StringIO(text)) if not row[0].startswith("#")):
            assert not [cell for cell in row if re.fullmatch(r"\d+[/.-]\d+|[=+@].*|-.+", cell) and not _number(cell)]


def _number(cell: str) -> bool:
    return re.fullmatch(r"\d+\.\d{6}", cell) is not None


def test_every_format_says_the_same() -> None:
    table = decision_table(three({"name": "BOIN", "target": 0.25}), 9)
    assert isinstance(table, CountTable)
    rows = [row for row in read_csv(table.to_csv()) if row["levels"] == "level 2"]
    letters = table.part(2).letters
    assert {(int(row["evaluable"]), int(row["dlts"])): row["decision"] for row in rows} == letters
    assert all(LETTERS[row["decision"]] == row["meaning"] for row in rows)
    for told in (table.to_text(), table.to_markdown(), html.unescape(table.to_html()), table.to_csv()):
        for words in ("BOIN, target 0.25", "Trial: small", "evaluable patients at the current level",
                      "DU: de-escalate or stop, and never this level again", "lambda_e", "Cap: 36"):  # fmt: skip
            assert words in " ".join(told.split())


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(line for line in io.StringIO(text) if not line.startswith("#")))


def own(function: Any, **options: Any) -> Scenario:
    """Return a small scenario of three levels with a rule of one's own."""
    esc.rule(name="own", **options)(function)
    return three({"python": "own"})


def said(scenario: Scenario, patients: int) -> list[str]:
    """Return the letters of the middle level, row by row."""
    return said_at(scenario, patients, 2)


def said_at(scenario: Scenario, patients: int, level: int) -> list[str]:
    """Return the letters of a level, row by row."""
    table = decision_table(scenario, patients)
    assert isinstance(table, CountTable)
    return [" ".join(letter for letter in row if letter) for _, row in table.part(level).rows()]


def test_stops_say_what_is_recommended() -> None:
    """Four DLTs stop without a dose, three with the level below, two with this one, one with that above."""

    def stops(known: Known) -> Any:
        levels = {1: min(known.level + 1, known.levels), 2: known.level, 3: max(known.level - 1, 1)}
        return "escalate" if known.y == 0 else ("stop", levels[known.y]) if known.y in levels else "stop"

    table = decision_table(own(stops), 4)
    assert said(own(stops), 4) == ["E E E E", "RH RH RH RH", "R R R", "RL RL", "ND"]
    assert "  ND: stop: no dose is recommended" in table.to_text()
    assert "3,2,R,stop: this level is recommended" in table.to_csv()


@pytest.mark.parametrize("clean", [1, 4, 12])
def test_never_again_only_if_no_number_of_patients_below_leads_back(clean: int) -> None:
    """Up after just so many patients without a DLT, and never to a level with three DLTs: D for two, DU for three."""

    def answer(known: Known) -> str:
        above = known.dlts[min(known.level, known.levels - 1)]
        up = known.y == 0 and known.n == clean and above < 3
        return "escalate" if up else "de-escalate" if known.y >= 2 else "stay"

    assert said(own(answer), 4)[2:] == ["D D D", "DU DU", "DU"]


def test_a_level_that_a_stop_below_recommends_is_not_too_toxic() -> None:
    """Down after a DLT; without one, stop and recommend the level above."""
    down = own(lambda known: "de-escalate" if known.y else ("stop", min(known.level + 1, known.levels)))
    assert said(down, 2) == ["RH RH", "D D", "D"]


def test_three_plus_three_in_python_has_the_letters_of_three_plus_three() -> None:
    """Its stop below a level with two DLTs is no stop with a letter of its own: the level is not given again."""

    def copied(known: Known) -> Any:
        if known.y >= 2:
            below = known.level - 1
            if below == 0:
                return "stop"
            return ("stop", below) if known.evaluable[below - 1] >= 6 else "de-escalate"
        if known.n < 3 or (known.y == 1 and known.n < 6):
            return "stay"
        above = known.dlts[min(known.level, known.levels - 1)] if known.level < known.levels else 2
        return "escalate" if above < 2 else "stay" if known.n < 6 else ("stop", known.level)

    assert said(own(copied), 6) == said(three({"name": "3+3", "variant": "A"}), 6)


def test_a_table_of_a_function_says_what_it_was_asked() -> None:
    """It may read the other levels, and be none that can answer about every level."""
    asked = "3 evaluable patients without a DLT at each level below, nobody above"
    reads_all = own(lambda known: "escalate" if sum(known.evaluable) == 3 * (known.level - 1) + known.n else "stop")
    assert said(reads_all, 2) == ["E E", "E E", "E"]
    assert asked in decision_table(reads_all, 2).to_text()
    where = r"\(.*test_decision_table.py, line \d+\)"
    with pytest.raises(
        RuleError, match=rf"raised KeyError: [23] {where}; a table by the counts .* with --cohorts 1 \(in Python: "
    ):
        decision_table(own(lambda known: {1: "stay"}[known.level]))


def test_a_table_rule_is_its_own_table() -> None:
    """Its lines need not be those of cohorts of three."""
    lines = {"2": "E S D", "4": "E S D DU DU"}
    options = {"name": "table", "target": 0.25, "decisions": lines}
    scenario = three(options, safety__cohort_size=2, limits__most_per_level=4)
    table = decision_table(scenario)
    assert isinstance(table, CountTable)
    assert table.patients == (2, 4)
    assert table.by_itself is not None
    assert {str(n): " ".join(table.by_itself[n, y] for y in range(n + 1)) for n in table.patients} == lines
    assert [table.part(2).letters[2, y] for y in range(3)] == lines["2"].split()
    assert [table.part(2).letters[4, y] for y in range(5)] == ["E", "ST", "D", "DU", "DU"], "four are the most"


def test_a_rolling_function_that_suspends_has_no_toxic_levels() -> None:
    """That it waits at the level below, too, while somebody is pending above, does not make the level too toxic."""

    def waits(known: Known) -> str:
        down = "de-escalate" if known.y >= 2 else "stay"
        return down if known.y else "suspend" if any(known.pending) else "escalate"

    table = decision_table(own(waits, rolling=True), 3)
    assert isinstance(table, PendingTable)
    letters = {(cell.dlts, cell.pending): cell.letters for cell in table.part(2).cells if cell.treated == 3}
    assert letters[2, 0] == letters[2, 1] == ("D",)
    assert letters[0, 3] == ("SUS",)


@pytest.mark.parametrize("answers", [("stay", ("stop", 2)), ("stay", "escalate", "stay"), ("suspend", "stay")], ids=str)
def test_answers_that_no_cut_off_can_say_are_refused(answers: tuple[Any, ...]) -> None:
    """With more follow-up a rule of one's own may say whatever it likes; the table does not guess."""

    def answer(known: Known) -> Any:
        pending, seen = sum(known.pending), sum(known.followup)
        return answers[min(int(len(answers) * seen / pending), len(answers) - 1)] if pending else "stay"

    with pytest.raises(RuleError, match=r"the rule own says .* with 3 treated, 0 with a DLT, 1 pending .*--cohorts 1"):
        decision_table(own(answer, rolling=True), 3)


def test_figure_has_a_cell_for_each_decision() -> None:
    table = decision_table(three({"name": "3+3", "variant": "C"}), 6)
    assert isinstance(table, CountTable)
    ax = plot_decision_table(table)
    cells = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    rows = [letter for part in table.parts for row in part.grid_rows() for letter in row[1:] if letter]
    cells = [cell for cell in cells if cell.get_gid() != "frame"]
    assert len(cells) == len(rows)
    drawn = [text.get_text() for text in ax.texts if text.get_text() in LETTERS]
    assert Counter(drawn) == Counter(rows)
    names = [part.name for part in table.parts]
    assert all(any(text.get_text().lower() in name for text in ax.texts) for name in names)
    assert [text.get_text().split()[0] for text in ax.get_legend().get_texts()] == ["E", "S", "DU", "R", "ND"]


def test_given_axes_are_used() -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(20, 6))
    left, right = figure.subplots(1, 2)
    assert plot_decision_table(decision_table(small(), 3), ax=left) is left
    assert not right.patches


CRM = {"name": "CRM", "target": 0.25, "prior_mtd_level": 2}


def test_each_rule_has_its_kind_of_table(base: Scenario) -> None:
    kinds = {
        CountTable: [{"name": "3+3"}, {"name": "BOIN", "target": 0.25}],
        PendingTable: [{"name": "rolling six"}, {"name": "TITE-BOIN", "target": 0.25}],
        NextDoseTable: [CRM, {**CRM, "name": "TITE-CRM"}, {"name": "BLRM"}],
    }
    for kind, rules in kinds.items():
        for rule in rules:
            table = decision_table(base.replace({"rule": rule}))
            assert type(table) is kind
            told = (table.to_text(), table.to_csv(), table.to_markdown(), table.to_html())
            assert all(told) and len(told[1].splitlines()) >= 5
    assert type(decision_table(base, cohorts=1)) is NextDoseTable


def test_bad_arguments_are_said(base: Scenario) -> None:
    for options, says in (({"patients": 0}, "patients must be"), ({"cohorts": 0}, "cohorts must be")):
        with pytest.raises(EscalateError, match=f"{says} at least 1, got 0"):
            decision_table(base, **options)
    for path, part in (("1NNN 3NNN", "3 is no dose level"), ("1NNQ", "no outcome"), ("0NNN", "0 is no dose level")):
        with pytest.raises(EscalateError, match=part):
            decision_table(base, after=path)


LINES = {"3": "E S D DU", "6": "E E S D DU DU DU", "9": "E E S S D DU DU DU DU DU"}


@pytest.mark.parametrize(("rule", "more", "why"), [
    (CRM, {}, "next doses go as many cohorts ahead as --cohorts (in Python: cohorts) says"),
    ({"name": "BLRM"}, {}, "next doses go as"),
    ({"name": "3+3"}, {"cohorts": 1}, "next doses go as"),
    ({"name": "3+3"}, {"after": "1NNN"}, "next doses go as"),
    ({"name": "rolling six"}, {}, "the table of rolling six has 1 to 6 patients"),
    ({"name": "table", "target": 0.25, "decisions": LINES}, {}, "a table rule has the lines of its own table, for 3,"),
])  # fmt: skip
def test_a_number_of_patients_is_refused_where_it_would_do_nothing(
    base: Scenario, rule: dict[str, Any], more: dict[str, Any], why: str
) -> None:
    scenario = base.replace({"rule": rule})
    with pytest.raises(EscalateError) as caught:
        decision_table(scenario, 6, **more)
    assert str(caught.value).startswith(f"--patients (in Python: patients) does not apply here: {why}")
    assert decision_table(scenario, **more).to_text()


def test_a_number_of_patients_is_obeyed_elsewhere(base: Scenario) -> None:
    """Without one, the numbers that can occur: by the rule, its limits, and the cap of nine."""
    later = {"safety.early_decision": False}
    for rule, all_of_them, up_to_5, chosen in (
        ({"name": "3+3"}, {3, 6}, {1, 2, 3, 4, 5}, {3, 5}),
        ({"name": "BOIN", "target": 0.25}, {3, 6, 9}, {1, 2, 3, 4, 5}, {3, 5}),
        ({"name": "TITE-BOIN", "target": 0.25}, {3, 6, 9}, {3}, {3, 5}),
    ):
        scenario = base.replace({"rule": rule, **later})
        for asked, expected in ((None, all_of_them), (5, up_to_5), ([5, 3, 5], chosen)):
            table = decision_table(scenario, asked)
            assert not isinstance(table, NextDoseTable)
            assert columns(table) == expected
    boin = base.replace({"rule": {"name": "BOIN", "target": 0.25}, **later})
    for changes, expected in (
        ({"limits.most_per_level": 5}, {3, 5}),
        ({"safety.cohort_size": 2}, {2, 4, 6, 8}),
        ({"safety.replace_non_evaluable": False}, set(range(1, 10))),
        ({"titration": {}}, {1, 3, 4, 6, 7, 9}),
        ({"safety.early_decision": True}, set(range(3, 10))),  # left after a DLT in one, or two in two, and given again
    ):
        assert columns(decision_table(boin.replace(changes))) == expected, changes
    with pytest.raises(EscalateError, match=r"a level never has 12 patients in this scenario; .* it has 9 at most"):
        decision_table(boin, [3, 12])
    assert columns(decision_table(boin, 100)) == set(range(1, 10))


def test_a_level_that_is_come_down_to_has_more_patients() -> None:
    """A rule that never stays treats a second cohort only where it comes down from the level above."""

    def comes_down(known: Known) -> Any:
        if known.y:
            return "de-escalate" if known.level > 1 else "stop"
        top = known.level == known.levels
        return ("stop", known.level) if top or known.dlts[known.level] else "escalate"

    assert {3, 6} <= columns(decision_table(own(comes_down)))


def columns(table: Any) -> set[int]:
    """Return the numbers of patients of a table."""
    if isinstance(table, CountTable):
        return set(table.patients)
    return {cell.treated for part in table.parts for cell in part.cells}


def test_next_dose_after_a_path(base: Scenario) -> None:
    """What is printed for a CRM is what its committee decides, with the limits, at every data cut ahead."""
    scenario = base.replace({"rule": CRM, "limits.coherence": "last_cohort"})
    table = decision_table(scenario, after="1NNN", cohorts=1)
    assert [row.path for row in table.rows] == ["1NNN", *(f"1NNN 2{'N' * (3 - k)}{'T' * k}" for k in range(4))]
    first, *rest = table.rows
    assert first.words == "escalate: 3 at level 2"
    assert [row.counts for row in rest] == [((0, 3), (k, 3)) for k in range(4)]
    assert [row.decision.level for row in rest] == [1, 1, 0, 0]
    text = table.to_text()
    assert "1NNN 2NTT" in text
    assert "de-escalate: 3 at level 1" in text


AHEAD: dict[str, dict[str, Any]] = {
    "CRM": {"rule": CRM, "limits.coherence": "off"},
    "CRM, coherent": {"rule": CRM, "limits.coherence": "last_cohort"},
    "TITE-CRM": {"rule": {**CRM, "name": "TITE-CRM"}, "limits.coherence": "off"},
    "cohorts of several sizes": {"rule": {"name": "BOIN", "target": 0.25}, "titration": {}},
    "3+3": {"rule": {"name": "3+3"}},
}


@pytest.mark.parametrize("changes", AHEAD.values(), ids=AHEAD)
def test_dose_paths_share_a_row_where_the_data_are_the_same(base: Scenario, changes: dict[str, Any]) -> None:
    """Every path by itself has the data and the decision of its row, and its next cohorts are all in the table."""
    scenario = base.replace(changes)
    table = decision_table(scenario, cohorts=3)
    assert isinstance(table, NextDoseTable)
    row_of = {path: row for row in table.rows for path in row.ways.listed}
    assert len(row_of) == sum(len(row.ways.listed) for row in table.rows) > len(table.rows)
    assert len({row.cut for row in table.rows}) == len(table.rows)
    assert any(row.cut.last != (0, 0) for row in table.rows) == (changes.get("limits.coherence") == "last_cohort")
    for path, row in row_of.items():
        assert row.ways.more == 0
        if "P" not in path:
            alone, *following = decision_table(scenario, after=path, cohorts=1).rows
            assert (alone.cut, alone.beliefs, alone.decision) == (row.cut, row.beliefs, row.decision)
            if len(path.split()) < 3:
                assert all(row_of[after.path].cut == after.cut for after in following)


def test_few_dose_paths_are_told_and_many_are_counted(base: Scenario) -> None:
    alone = {"rule": {**CRM, "too_toxic_probability": 1.0}, "limits.coherence": "off"}
    table = decision_table(base.replace(alone))
    assert isinstance(table, NextDoseTable)
    told = {row.counts: row.ways.short for row in table.rows if len(row.path.split()) == 2}
    assert told[(0, 3), (0, 3)] == "1NNN 2NNN"
    assert told[(2, 6), (0, 0)] == "1NNT 1NNT or 1NTT 1NNN"
    assert told[(4, 6), (0, 0)] == "1NNT 1TTT or 2 others"
    assert "\n1NNT 1TTT or 1NTT 1NTT or 1TTT 1NNT,1,,,6,0,4,0," in table.to_csv()
    assert "share a row: yours is found by DLTs/evaluable of every level and the level of the last cohort" in str(
        table.remarks
    )
    remarks = decision_table(base.replace(alone), cohorts=1).remarks  # type: ignore[union-attr]
    assert not any("share a row" in remark for remark in remarks)


def test_ways_beyond_the_most_are_counted() -> None:
    one, other = (Ways(tuple(f"{k}NNN" for k in range(start, start + 60)), 5) for start in (1, 61))
    both = one.plus(other).then("1N")
    assert both.listed == tuple(f"{k}NNN 1N" for k in range(1, 101))
    assert (both.more, both.short) == (30, "1NNN 1N or 129 others")
    assert both.long.endswith("99NNN 1N or 100NNN 1N or 30 others")


def test_the_csv_of_next_doses_has_a_line_for_each_decision(base: Scenario) -> None:
    """One number in each column, so that a trial's row is found by filtering."""
    rule = {**CRM, "name": "TITE-CRM", "too_toxic_probability": 1.0}
    table = decision_table(base.replace({"rule": rule, "limits.coherence": "last_cohort"}))
    assert isinstance(table, NextDoseTable)
    lines = list(csv.DictReader(io.StringIO(table.to_csv())))
    decisions = [(row, *turn) for row in table.rows for turn in ((0.0, row.decision), *row.turns)]
    assert len(lines) == len(decisions) > len(table.rows)
    for line, (row, share, decision) in zip(lines, decisions, strict=True):
        cut = row.cut
        assert (line["after"], int(line["level"])) == (row.ways.long, cut.level + 1)
        assert (int(line["last_evaluable"] or 0), int(line["last_dlts"] or 0)) == cut.last
        for name, numbers in (("evaluable", cut.evaluable), ("dlts", cut.dlts), ("pending", cut.pending)):
            assert tuple(int(line[f"{name}_{k}"]) for k in (1, 2)) == numbers
        assert [float(line[f"P(DLT)_{k}"]) for k in (1, 2)] == pytest.approx(row.beliefs["P(DLT)"], abs=1e-6)
        assert float(line["window_share_from"]) == pytest.approx(share, abs=1e-4)
        assert (line["action"], line["reason"]) == (decision.action.words, decision.reason)
        assert (line["next_level"], line["patients"]) == (str(decision.level + 1), str(decision.patients))
        assert line["recommended_level"] == ""
    stops = decision_table(base.replace({"rule": {"name": "3+3"}}), cohorts=3)
    ends = [line for line in csv.DictReader(io.StringIO(stops.to_csv())) if line["action"] == "stop"]
    assert {(line["next_level"], line["patients"]) for line in ends} == {("", "")}
    assert {line["recommended_level"] for line in ends} == {"", "1", "2"}
    assert {(line["last_evaluable"], line["last_dlts"]) for line in ends} == {("", "")}


@pytest.mark.parametrize(("rule", "wanted"), [
    (CRM, ["skeleton: 0.156741 at level 1, 0.25 at level 2",
           "P(DLT) is skeleton ** exp(a); a is normal with mean 0 and standard deviation 1.15758",
           "P(DLT) there exceeds 0.25 with a probability of more than 0.95"]),
    ({"name": "TITE-CRM", "target": 0.3, "skeleton": [0.1, 0.3], "model": "logistic", "prior_cut": 10.0},
     ["skeleton: 0.1 at level 1, 0.3 at level 2", "logit P(DLT) is 3 + exp(a) (logit skeleton - 3); a is normal with "
      "mean 0 and standard deviation 1.15758, cut at -10 and 10"]),
    ({**CRM, "estimate": "maximum_likelihood"}, ["a is the most likely one from -10 to 10"]),
    ({**CRM, "name": "TITE-CRM", "weights": "adaptive"}, ["pending patients are weighed linearly here"]),
    ({"name": "BLRM", "feasibility": 0.3},
     ["doses: 9e+09 at level 1, 1.35e+10 at level 2; logit P(DLT) is log alpha + beta log(dose / 1.35e+10)",
      "prior: log alpha normal with mean -0.693147 and standard deviation 2, log beta with mean 0 and standard "
      "deviation 1, correlation 0", "P(target): P(DLT) from 0.16 to 0.33; P(over): above; of the doses with P(over) at "
      "most 0.3, the one with the largest P(target) is the best", "before any data P(target) and P(over) are 0.178 and "
      "0.387 at level 1, 0.182 and 0.503 at level 2: the prior alone allows no level"]),
    ({"name": "BLRM", "choose": "highest_allowed"}, ["the highest is the best"]),
])  # fmt: skip
def test_what_a_model_assumes_is_said_in_every_format(base: Scenario, rule: dict[str, Any], wanted: list[str]) -> None:
    """Also where no option of the rule says it: a computed skeleton, a default prior, the cells as doses."""
    table = decision_table(base.replace({"rule": rule}))
    for told in (table.to_text(), table.to_markdown(), html.unescape(table.to_html())):
        for words in wanted:
            assert words in told
    skeleton = getprior(0.05, 0.25, 2, 2)
    if wanted[0].startswith("skeleton: 0.15"):
        assert [f"{p:.6g}" for p in skeleton] == ["0.156741", "0.25"]


def test_nothing_is_less_than_nothing() -> None:
    """A probability that rounding has made negative is 0.000 in every format, never -0.000."""
    stay = Decision(action=Action.STAY, level=0, patients=3, reason="so", open_levels=1)
    cut = Counts(0, (3,), (0,), (0,))
    row = NextDose(ways=Ways(("1NNN",)), cut=cut, beliefs={"P(target)": (-1e-17,)}, decision=stay)
    table = NextDoseTable(rule="own", doses=("low",), rows=(row,))
    for told in (table.to_text(), table.to_csv(), table.to_markdown(), table.to_html()):
        assert "0.000" in told and "-0.0" not in told
    assert "0.00" in [text.get_text() for text in plot_decision_table(table).texts]


def test_turns_of_a_decision_with_patients_pending(base: Scenario) -> None:
    """At the share of the windows at which TITE-CRM turns, its answer is another one, and just before it is not."""
    scenario = base.replace({"rule": {**CRM, "name": "TITE-CRM"}})
    rows = [row for row in decision_table(scenario).rows if row.turns]
    assert rows
    for row in rows:
        share, decision = row.turns[0]
        assert 0 < share <= 1
        assert decision.level != row.decision.level
        assert f"once {share:.0%} of each window is seen" in row.words


def test_a_decision_that_turns_and_turns_back_is_seen() -> None:
    """A function of one's own may say the same with no and with all follow-up, and something else between."""

    def answer(known: Known) -> str:
        return "escalate" if 0.3 < sum(known.followup) / max(sum(known.pending), 1) <= 0.6 else "stay"

    rows = decision_table(own(answer, rolling=True), cohorts=1).rows  # type: ignore[union-attr]
    for row in rows:
        assert row.decision.action is Action.STAY
        turns = [(round(share, 3), decision.action) for share, decision in row.turns]
        assert turns == ([(0.3, Action.ESCALATE), (0.6, Action.STAY)] if "P" in row.path else [])


def test_a_table_of_ones_own_reads_back(base: Scenario, tmp_path: Path) -> None:
    """The CSV that is written for a rule is a rule again, with the same table."""
    boin = base.replace({"rule": {"name": "BOIN", "target": 0.25}})
    (tmp_path / "boin.csv").write_text("# made by BOIN\n" + decision_table(boin, 9).to_csv())
    assert "level 1,3,3,ND," in (tmp_path / "boin.csv").read_text(), "what the committee does is no table of letters"
    text = Path(BASE).read_text().replace('name = "3+3"', 'name = "table"\ntarget = 0.25\nfile = "boin.csv"')
    text = text.replace('variant = "C"', "").replace('"rule.variant"', '"rule.file"')
    (tmp_path / "own.toml").write_text(text)
    own = load(tmp_path / "own.toml")
    assert decision_table(own).parts == decision_table(boin, 9).parts  # type: ignore[union-attr]
    changes = {"toxicity.dlt_probability": [0.15, 0.3]}
    ours, theirs = exact(own.replace(changes)), exact(boin.replace(changes))
    assert (ours.recommended, ours.reasons) == (theirs.recommended, theirs.reasons)


def test_stops_do_not_read_back(tmp_path: Path) -> None:
    """A table as a rule has no stops: that is what stopping rules are for."""
    scenario = own(lambda known: ("stop", known.level) if known.n >= 6 else "stay")
    (tmp_path / "own.csv").write_text(decision_table(scenario, 9).to_csv())
    text = Path(BASE).read_text().replace('name = "3+3"', 'name = "table"\ntarget = 0.25\nfile = "own.csv"')
    (tmp_path / "own.toml").write_text(text.replace('variant = "C"', "").replace('"rule.variant"', '"rule.file"'))
    with pytest.raises(ScenarioError, match=r"letters are E, S, D, DU; a table does not stop or suspend"):
        load(tmp_path / "own.toml")


def test_table_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "table"
    assert main(["table", BASE, "--patients", "6", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed == (out / "table.txt").read_text()
    assert {path.name for path in out.iterdir()} == {
        "SHA256SUMS",
        *{"table.txt", "table.csv", "table.md", "table.html", "table.png", "table.svg", "resolved.json"},
        "boundaries.csv",
    }
    assert (out / "table.html").read_text().startswith("<!DOCTYPE html>")
    assert main(["table", BASE, "--out", str(out)]) == 2
    assert main(["table", BASE, "--patients", "3,5", "--out", str(out), "--overwrite"]) == 0
    assert re.search(r"DLTs +3 +5\n", (out / "table.txt").read_text())
    with pytest.raises(SystemExit, match="2"):
        main(["table", BASE, "--patients", "3,x"])
    capsys.readouterr()
    assert main(["table", BASE, "--patients", "6", "--cohorts", "1"]) == 2
    assert capsys.readouterr().err.startswith("escalate: --patients (in Python: patients) does not apply here: next")


def test_files_of_a_table_stand_alone(base: Scenario, tmp_path: Path) -> None:
    """Whole documents, of every kind of table; and a spreadsheet knows UTF-8 by its mark, where there is need."""
    for name, changes in (("counts", {}), ("next", {"rule": CRM}), ("pending", {"rule": {"name": "rolling six"}})):
        for title, marked in (("plain", False), ("Größe 9×10⁹", True)):
            scenario = base.replace({**changes, "trial.title": title})
            folder = tmp_path / f"{name} {title}"
            write_table(decision_table(scenario), scenario, folder)
            page = (folder / "table.html").read_text(encoding="utf-8")
            assert page.startswith("<!DOCTYPE html>") and page.count("</html>") == 1 and 'charset="utf-8"' in page
            told = (folder / "table.csv").read_bytes()
            assert told.startswith("\ufeff".encode()) == (marked and name != "next")


def test_rules_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules"]) == 0
    printed = capsys.readouterr().out
    for rule, options in RULES.items():
        assert rule in printed
        assert main(["rules", rule]) == 0
        told = capsys.readouterr().out
        assert all(option in told for option in options.model_fields if option not in ("name", "sha256"))
        assert "doi:" in told or rule in ("table", "python")
    assert main(["rules", "4+4"]) == 2
    assert "there is no rule '4+4'. There are: 3+3, rolling six, IQ rolling six, BOIN" in capsys.readouterr().err
