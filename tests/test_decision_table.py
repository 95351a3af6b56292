"""The decision table asks the rule itself; its letters are those of published tables."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from escalate.decision_table import LETTERS, decision_table
from matplotlib.patches import Rectangle

from conftest import ROOT
from escalate.cli import main
from escalate.plots import plot_decision_table
from escalate.rules import ThreePlusThreeRule, make_rule
from escalate.scenario.rules import RULES, Boin, I3Plus3, Mtpi2

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
        table = decision_table(make_rule(options), case["npts"])
        for row in case["table"]:
            assert [table.letters[row["n"], y] for y in range(row["n"] + 1)] == row["decision"], (case["id"], row["n"])


def test_three_plus_three() -> None:
    table = decision_table(ThreePlusThreeRule("B"), 6)
    assert ["".join(f"{letter:>3}" for letter in letters) for _, letters in table.rows()][:3] == [
        "  S  S  E  E  E  E",
        "  S  S  S  S  S  E",
        "    DU DU DU DU DU",
    ]


def test_boin_of_the_paper() -> None:
    """Liu and Yuan's table for a target of 0.30, cohorts of three."""
    table = decision_table(make_rule(Boin(name="BOIN", target=0.3)), 12)
    found = {n: "".join(f"{table.letters[n, y]:<3}" for y in range(n + 1)).split() for n in (3, 6, 9, 12)}
    assert found[3] == ["E", "S", "D", "DU"]
    assert found[6] == ["E", "E", "S", "D", "DU", "DU", "DU"]
    assert found[9][:6] == ["E", "E", "E", "S", "D", "DU"]
    assert found[12][:8] == ["E", "E", "E", "S", "S", "D", "D", "DU"]


def test_every_format_says_the_same() -> None:
    table = decision_table(make_rule(Boin(name="BOIN", target=0.25)), 9, words="BOIN, target 0.25")
    rows = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert {(int(row["evaluable"]), int(row["dlts"])): row["decision"] for row in rows} == table.letters
    assert all(LETTERS[row["decision"]] == row["meaning"] for row in rows)
    cells = [line.strip("|").split("|") for line in table.to_markdown().splitlines()[2:]]
    for y, line in enumerate(cells):
        assert [cell.strip() for cell in line[1:]] == [table.letters.get((n, y), "") for n in table.patients]
    assert table.to_html().count("<tr>") == 11
    assert table.to_text().count("DU") >= sum(letter == "DU" for letter in table.letters.values())


def test_figure_has_a_cell_for_each_decision() -> None:
    table = decision_table(ThreePlusThreeRule("C"), 6)
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
    assert plot_decision_table(decision_table(ThreePlusThreeRule("C"), 3), ax=left) is left
    assert not right.patches


def test_patients_must_be_there() -> None:
    with pytest.raises(ValueError, match="patients must be at least 1, got 0"):
        decision_table(ThreePlusThreeRule("C"), 0)


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
        assert all(option in told for option in options.model_fields if option != "name")
        assert "doi:" in told
    assert main(["rules", "4+4"]) == 2
    assert "there is no rule '4+4'; there are: 3+3, BOIN" in capsys.readouterr().err
