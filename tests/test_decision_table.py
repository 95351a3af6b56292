"""The decision table asks the rule itself; its letters are those of published tables."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from matplotlib.patches import Rectangle

from conftest import ROOT
from escalate import Scenario, decision_table, exact, load
from escalate.cli import main
from escalate.errors import EscalateError
from escalate.plots import plot_decision_table
from escalate.protocol_tables import LETTERS, CountTable, NextDoseTable, PendingTable
from escalate.protocol_tables.counts import count_table
from escalate.rules import ThreePlusThreeRule, make_rule
from escalate.scenario.rules import RULES, Boin, I3Plus3, Mtpi2
from small import small

DATA = Path(__file__).parent / "data"
BASE = str(ROOT / "scenarios" / "nct06337474.toml")


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
            table = decision_table(base.replace({"rule": rule}), 6)
            assert type(table) is kind
            told = (table.to_text(), table.to_csv(), table.to_markdown(), table.to_html())
            assert all(told) and len(told[1].splitlines()) >= 5
    assert type(decision_table(base, cohorts=1)) is NextDoseTable


def test_bad_arguments_are_said(base: Scenario) -> None:
    with pytest.raises(EscalateError, match="patients and cohorts must be at least 1, got 0 and None"):
        decision_table(base, 0)
    for path, part in (("1NNN 3NNN", "3NNN"), ("1NNX", "1NNX"), ("0NNN", "0NNN")):
        with pytest.raises(EscalateError, match=f"'{part}' is not a level from 1 to 2 followed by N"):
            decision_table(base, after=path)


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
