"""The decision table asks the rule itself; its letters are those of published tables."""

from __future__ import annotations

import csv
import html
import io
import json
from pathlib import Path
from typing import Any

import pytest
from matplotlib.patches import Rectangle

import escalate as esc
from conftest import ROOT
from escalate import Scenario, decision_table, exact, load
from escalate.cli import main
from escalate.errors import EscalateError, RuleError, ScenarioError
from escalate.plots import plot_decision_table
from escalate.protocol_tables import LETTERS, CountTable, NextDose, NextDoseTable, PendingTable
from escalate.protocol_tables.counts import count_table
from escalate.protocol_tables.next_dose import Ways
from escalate.rules import ThreePlusThreeRule, getprior, make_rule
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


@pytest.mark.parametrize(("kind", "name", "file"), [
    (Mtpi2, "mTPI-2", "mtpi2_decision_tables_FIND"),
    (I3Plus3, "i3+3", "i3plus3_decision_tables"),
])  # fmt: skip
def test_golden_letters(kind: Any, name: str, file: str) -> None:
    for case in json.loads((DATA / f"{file}.json").read_text())["cases"]:
        low, high = (round(abs(end - case["target"]), 12) for end in case["ei"])
        options = kind(name=name, target=case["target"], epsilon1=low, epsilon2=high, elimination_cutoff=case["cutoff"])
        table = count_table(make_rule(options), range(1, case["npts"] + 1))
        for row in case["table"]:
            assert [table.letters[row["n"], y] for y in range(row["n"] + 1)] == row["decision"], (case["id"], row["n"])


def test_three_plus_three() -> None:
    table = count_table(ThreePlusThreeRule("B"), range(1, 7))
    assert ["".join(f"{letter:>3}" for letter in letters) for _, letters in table.rows()][:3] == [
        "  S  S  E  E  E  E",
        "  S  S  S  S  S  E",
        "    DU DU DU DU DU",
    ]


def test_boin_of_the_paper() -> None:
    """Liu and Yuan's table for a target of 0.30, cohorts of three."""
    table = count_table(make_rule(Boin(name="BOIN", target=0.3)), range(1, 13))
    found = {n: "".join(f"{table.letters[n, y]:<3}" for y in range(n + 1)).split() for n in (3, 6, 9, 12)}
    assert found[3] == ["E", "S", "D", "DU"]
    assert found[6] == ["E", "E", "S", "D", "DU", "DU", "DU"]
    assert found[9][:6] == ["E", "E", "E", "S", "D", "DU"]
    assert found[12][:8] == ["E", "E", "E", "S", "S", "D", "D", "DU"]


def test_every_format_says_the_same() -> None:
    table = count_table(make_rule(Boin(name="BOIN", target=0.25)), range(1, 10), words="BOIN, target 0.25")
    rows = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert {(int(row["evaluable"]), int(row["dlts"])): row["decision"] for row in rows} == table.letters
    assert all(LETTERS[row["decision"]] == row["meaning"] for row in rows)
    cells = [line.strip("|").split("|") for line in table.to_markdown().splitlines()[2:]]
    for y, line in enumerate(cells):
        assert [cell.strip() for cell in line[1:]] == [table.letters.get((n, y), "") for n in table.patients]
    assert table.to_html().count("<tr>") == 11
    assert table.to_text().count("DU") >= sum(letter == "DU" for letter in table.letters.values())


def own(function: Any, **options: Any) -> Scenario:
    """Return a small scenario with a rule of one's own."""
    esc.rule(name="own", **options)(function)
    return small(rule={"python": "own"})


def said(scenario: Scenario, patients: int) -> list[str]:
    """Return the letters of a table, row by row."""
    return [" ".join(letter for letter in row if letter) for _, row in decision_table(scenario, patients).rows()]


def test_stops_say_what_is_recommended() -> None:
    """Four DLTs stop without a dose, three with the level below, two with this one, one with that above."""

    def stops(known: Known) -> Any:
        levels = {1: min(known.level + 1, known.levels), 2: known.level, 3: max(known.level - 1, 1)}
        return "escalate" if known.y == 0 else ("stop", levels[known.y]) if known.y in levels else "stop"

    table = decision_table(own(stops), 4)
    assert said(own(stops), 4) == ["E E E E", "RH RH RH RH", "R R R", "RL RL", "ND"]
    assert "   ND  stop: no dose is recommended" in table.to_text()
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

    assert said(own(copied), 9) == said(small(), 9)


def test_a_table_of_a_function_says_what_it_was_asked() -> None:
    """It may read the other levels, and be none that can answer about three."""
    asked = "asked about level 2 of 3: 6 patients without a DLT at level 1, nobody at level 3"
    reads_all = own(lambda known: "escalate" if sum(known.evaluable) == 6 + known.n else "stop")
    assert said(reads_all, 2) == ["E E", "E E", "E"]
    assert decision_table(reads_all, 2).rule == f"own ({asked})"
    around = reads_all.replace({"limits.most_per_level": 6})
    assert decision_table(around, 2).rule == f"own (by itself, without the scenario's limits; {asked})"
    with pytest.raises(RuleError, match=r"raised KeyError: 2; a table by the counts .* with --cohorts 1 \(in Python: "):
        decision_table(own(lambda known: {1: "stay"}[known.level]))


def test_a_table_rule_is_its_own_table() -> None:
    """Its lines need not be those of cohorts of three."""
    lines = {"2": "E S D", "4": "E S D DU DU"}
    options = {"name": "table", "target": 0.25, "decisions": lines}
    scenario = small(rule=options, safety__cohort_size=2, limits__most_per_level=4)
    table = decision_table(scenario)
    assert isinstance(table, CountTable)
    assert table.patients == (2, 4)
    assert {str(n): " ".join(table.letters[n, y] for y in range(n + 1)) for n in table.patients} == lines


def test_a_rolling_function_that_suspends_has_no_toxic_levels() -> None:
    """That it waits at the level below, too, while somebody is pending above, does not make the level too toxic."""

    def waits(known: Known) -> str:
        down = "de-escalate" if known.y >= 2 else "stay"
        return down if known.y else "suspend" if any(known.pending) else "escalate"

    table = decision_table(own(waits, rolling=True), 3)
    assert isinstance(table, PendingTable)
    letters = {(cell.dlts, cell.pending): cell.letters for cell in table.cells}
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


@pytest.mark.parametrize("rule", ["BOIN", "TITE-BOIN"])
def test_a_table_of_the_rule_by_itself_says_so(rule: str) -> None:
    """What goes around the rule is not in the cells, so that the title must say it; without any it says nothing."""
    plain = small(rule={"name": rule, "target": 0.25})
    assert "without" not in decision_table(plain).rule
    around = plain.replace({"titration": {}, "stopping": {"enough_at_level": 6}})
    assert decision_table(around).rule.endswith(" (by itself, without the scenario's titration, stopping)")
    assert decision_table(around).rule in decision_table(around).to_text()
    assert "without" not in decision_table(around, cohorts=2).rule


def test_figure_has_a_cell_for_each_decision() -> None:
    table = count_table(ThreePlusThreeRule("C"), range(1, 7))
    ax = plot_decision_table(table)
    cells = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert len(cells) == len(table.letters)
    drawn = {(round(text.get_position()[0]), round(text.get_position()[1])): text.get_text() for text in ax.texts}
    assert drawn == table.letters
    assert [text.get_text().split()[0] for text in ax.get_legend().get_texts()] == ["E", "S", "DU"]


def test_given_axes_are_used() -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert plot_decision_table(count_table(ThreePlusThreeRule("C"), range(1, 4)), ax=left) is left
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
    for rule in ({"name": "3+3"}, {"name": "BOIN", "target": 0.25}, {"name": "TITE-BOIN", "target": 0.25}):
        scenario = base.replace({"rule": rule})
        for asked, most in ((None, 12), (6, 6)):
            table = decision_table(scenario, asked)
            assert not isinstance(table, NextDoseTable)
            assert most == max(
                table.patients if isinstance(table, CountTable) else (cell.treated for cell in table.cells)
            )


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
    assert not decision_table(base.replace(alone), cohorts=1).remarks[2:]  # type: ignore[union-attr]


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
    text = Path(BASE).read_text().replace('name = "3+3"', 'name = "table"\ntarget = 0.25\nfile = "boin.csv"')
    text = text.replace('variant = "C"', "").replace('"rule.variant"', '"rule.file"')
    (tmp_path / "own.toml").write_text(text)
    own = load(tmp_path / "own.toml")
    assert decision_table(own).letters == decision_table(boin, 9).letters
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
        *{"table.txt", "table.csv", "table.md", "table.html", "table.png", "table.svg", "resolved.json"},
    }
    assert main(["table", BASE, "--out", str(out)]) == 2
    assert main(["table", BASE, "--patients", "3", "--out", str(out), "--overwrite"]) == 0
    capsys.readouterr()
    assert main(["table", BASE, "--patients", "6", "--cohorts", "1"]) == 2
    assert capsys.readouterr().err.startswith("escalate: --patients (in Python: patients) does not apply here: next")


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
    assert "there is no rule '4+4'; there are: 3+3, rolling six, BOIN" in capsys.readouterr().err
