"""Rolling six and TITE-BOIN against published tables and other software."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import Any

import numpy as np
import pytest

from escalate.protocol_tables.asked import Asked, Cells, Place
from escalate.protocol_tables.followup import PendingCell, cells_at
from escalate.rules import make_rule
from escalate.rules.rolling_six import CODES, cells
from escalate.rules.tite_boin import TiteBoinRule
from escalate.scenario.rules import IqRollingSix, RollingSix, TiteBoin
from escalate.words.data_cut import DataCut
from escalate.words.records import Action
from golden import cases, golden
from small import small

WORDS = {"Stay": "S", "Escalate": "E", "De-escalate": "D", "Suspend": "SUS"}


@pytest.mark.parametrize("case", cases("rolling_six_decisions"))
@pytest.mark.parametrize("table", ["published", "package"])
def test_rolling_six_cell(case: dict[str, Any], table: Any) -> None:
    n, y, pending = case["n_enrolled"], case["n_dlt"], case["n_pending"]
    key = "decision_published" if table == "published" else "decision_RollingSix_pkg"
    assert cells(table)[n, y, pending] == CODES[WORDS[case[key]]]


def test_rolling_six_tables_differ_where_they_are_known_to() -> None:
    """Four cells, enrolled, DLTs, pending: the package escalates sooner, and waits for the last of six."""
    n, y, pending = np.nonzero(cells("published") != cells("package"))
    differing = set(zip(n.tolist(), y.tolist(), pending.tolist(), strict=True))
    assert differing == {(4, 0, 1), (5, 0, 1), (5, 0, 2), (6, 0, 1)}


IQ_ROWS = {str(case["id"]): case for case in golden("iq_rolling_six_decisions")}
NOT_LISTED = {(6, 6, 0), (7, 0, 0), (7, 1, 1), (7, 2, 1), (7, 3, 1), (7, 6, 0), (7, 7, 0), (8, 0, 0), (8, 1, 0),
              (8, 1, 1), (8, 2, 1), (8, 3, 1), (8, 4, 1), (8, 5, 1), (8, 6, 0), (8, 7, 0), (8, 8, 0)}  # fmt: skip
"""Patients, evaluable ones and DLTs of IQ rolling six that no row of the paper has."""


def row_cells(case: dict[str, Any], most: int) -> list[tuple[int, int, int]]:
    """Return patients, evaluable ones and DLTs that a row of the published table is about, up to so many patients."""
    (first, last), (fewest, more) = case["total"], case["evaluable"]
    dlts = range(3, more + 1) if case["dlts"] == 3 else [case["dlts"]]
    return [(t, k, y) for t in range(max(first, 1), min(last, most) + 1) for k in range(fewest, min(more, t) + 1)
            for y in dlts if y <= k]  # fmt: skip


def next_dose(rule: Any, total: int, known: int, dlts: int, levels: int) -> tuple[Action, int]:
    """Return what a rule decides at the second level, with three patients without a DLT below."""
    beyond = [0] * (levels - 2)
    cut = DataCut.of(1, [3, known, *beyond], [0, dlts, *beyond], [0, total - known, *beyond])
    decided = make_rule(rule).decide(cut).one()
    return decided.action, decided.level


@pytest.mark.parametrize("row", IQ_ROWS)
def test_iq_rolling_six_row(row: str) -> None:
    """Each cell of each row of the published table, where the level above is open, and where there is none."""
    case, rule = IQ_ROWS[row], IqRollingSix(name="IQ rolling six")
    words = case["iq_rolling_six"]
    open_above = {
        "same": (Action.STAY, 1),
        "hold": (Action.SUSPEND, 1),
        "escalate": (Action.ESCALATE, 2),
        "escalate or MTD": (Action.ESCALATE, 2),
        "MTD": (Action.STOP, 1),
        "de-escalate": (Action.DE_ESCALATE, 0),
    }[words]
    assert row_cells(case, 8)
    for total, known, dlts in row_cells(case, 8):
        assert next_dose(rule, total, known, dlts, 3) == open_above, (total, known, dlts)
        if words in ("escalate or MTD", "MTD"):
            assert next_dose(rule, total, known, dlts, 2) == (Action.STOP, 1)
        elif words != "escalate":
            assert next_dose(rule, total, known, dlts, 2) == open_above


@pytest.mark.parametrize("row", IQ_ROWS)
def test_rolling_six_beside_it(row: str) -> None:
    """The column of the parent in the same table."""
    case, words = IQ_ROWS[row], {"same": "S", "hold": "SUS", "de-escalate": "D"}
    for total, known, dlts in row_cells(case, 6):
        if case["rolling_six"] != "not allowed":
            letter = words.get(case["rolling_six"], "E")
            assert cells("published")[total, dlts, total - known] == CODES[letter], (total, known, dlts)


def test_cells_that_the_paper_does_not_list_are_told() -> None:
    """They are those that no row has, and every other cell names its row."""
    listed = {cell for case in IQ_ROWS.values() for cell in row_cells(case, 8)}
    every = {(t, k, y) for t in range(1, 9) for k in range(t + 1) for y in range(k + 1)}
    assert every - listed == NOT_LISTED
    text = (files("escalate.scenario") / "iq_rolling_six.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    told = {(int(row["evaluable"]) + int(row["pending"]), int(row["evaluable"]), int(row["dlts"]))
            for row in rows if row["source"] == "beside"}  # fmt: skip
    assert told == NOT_LISTED
    for row in rows:
        if row["source"].startswith("row"):
            cell = (int(row["evaluable"]) + int(row["pending"]), int(row["evaluable"]), int(row["dlts"]))
            assert cell in row_cells(IQ_ROWS[row["source"]], 8)


def options_of(case: dict[str, Any]) -> TiteBoin:
    return TiteBoin(
        name="TITE-BOIN",
        target=case["target"],
        p_saf=case.get("p_saf"),
        p_tox=case.get("p_tox"),
        elimination_cutoff=case.get("cutoff_eli", 0.95),
        method="imputation" if case.get("method", "imputation") == "imputation" else "effective_sample_size",
        most_pending_share=case.get("max_pending_ratio", 0.5),
        min_completed=case.get("min_completed", 0),
    )


def tite_boin(case: dict[str, Any]) -> TiteBoinRule:
    rule = make_rule(options_of(case))
    assert isinstance(rule, TiteBoinRule)
    return rule


MIDDLE = Place(1)


def asked(rule: Any) -> Asked:
    """Return the committee of a trial of three levels with some rule."""
    doses = [{"label": str(k)} for k in range(3)]
    return Asked(small(dose_levels=doses, toxicity__dlt_probability=[0.1] * 3, rule=rule.model_dump()))


def in_the_middle(rule: Any, treated: range) -> tuple[PendingCell, ...]:
    """Return the cells of the table of a level with others above and below."""
    return cells_at(asked(rule), MIDDLE, treated)


def said(rule: TiteBoinRule, n: int, y: int, pending: int, followup: float) -> str:
    """Return a rule's letter at a level in the middle, DE where the level is eliminated."""
    cut = DataCut.of(1, [6, n - pending, 0], [0, y, 0], [0, pending, 0], [0, followup, 0])
    if int(rule.levels_left(cut)) <= 1:
        return "DE"
    letters = {Action.ESCALATE: "E", Action.STAY: "S", Action.DE_ESCALATE: "D", Action.SUSPEND: "SUS"}
    return letters[rule.decide(cut).one().action]


@pytest.mark.parametrize("case", cases("titeboin_decision_tables"))
def test_tite_boin_table(case: dict[str, Any]) -> None:
    """Every cell, and on both sides of every cut-off."""
    rule, bump = tite_boin(case), 1e-6
    for row in case["rows"]:
        n, y, c = row["n"], row["n_tox"], row["n_pending"]
        shift = 0 if case["method"] == "imputation" else n - c  # the statistic is the effective sample size
        rises, falls = (None if b is None else b - shift for b in (row["esc_bound"], row["deesc_bound"]))
        letters = row["decision"].split("/")
        around = [b + d for b in (rises, falls) if b is not None for d in (-bump, 0, bump)]
        for followup in {0.0, c / 2, float(c), *(point for point in around if 0 <= point <= c)}:
            expected = letters[0] if len(letters) == 1 else "S"
            if len(letters) > 1 and rises is not None and followup >= rises - 1e-12:
                expected = letters[0]
            elif len(letters) > 1 and falls is not None and followup <= falls + 1e-12:
                expected = "D"
            assert said(rule, n, y, c, followup) == expected, (row, followup)


@pytest.mark.parametrize("case", cases("titeboin_published_table"))
def test_tite_boin_published_table(case: dict[str, Any]) -> None:
    """Table 1 of Yuan and others (target 0.20), whose cut-offs have two decimals."""
    rule = tite_boin({"target": 0.20})
    n, y, c = case["n"], case["n_dlt"], case["n_pending"]
    rises, falls = case["escalate_if_stft_ge"], case["deescalate_if_stft_le"]
    if rises is None and falls is None:
        assert {said(rule, n, y, c, share * c) for share in (0, 0.5, 1)} == {case["decision"]}
    if rises is not None:
        assert (said(rule, n, y, c, rises + 0.005), said(rule, n, y, c, rises - 0.005)) == ("E", "S")
    if falls is not None:
        assert (said(rule, n, y, c, falls - 0.005), said(rule, n, y, c, falls + 0.005)) == ("D", "S")


def test_printed_cut_offs() -> None:
    """The table for the protocol finds the golden cut-offs by itself."""
    case = next(c for c in golden("titeboin_decision_tables") if c["target"] == 0.25 and c["method"] == "imputation")
    rows = {(row["n"], row["n_tox"], row["n_pending"]): row for row in case["rows"]}
    compared = 0
    for cell in in_the_middle(options_of(case), range(1, 13)):
        row = rows.get((cell.treated, cell.dlts, cell.pending))
        if row is not None and "/" in row["decision"]:
            compared += 1
            assert "/".join(cell.letters) == row["decision"]
            for found, expected in ((cell.escalate_from, row["esc_bound"]), (cell.de_escalate_to, row["deesc_bound"])):
                assert found == (None if expected is None else pytest.approx(expected, rel=0, abs=1e-6))
    assert compared >= 20


@pytest.mark.parametrize("options", [{}, {"min_completed": 2}, {"method": "effective_sample_size"}], ids=str)
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_cut_offs_say_what_the_rule_says(options: dict[str, Any], share: float) -> None:
    """At every follow-up the cut-offs give the rule's own letter, and a cell has several only with a cut-off."""
    rule = TiteBoin(name="TITE-BOIN", target=0.25, most_pending_share=share, **options)
    committee = asked(rule)
    for cell in in_the_middle(rule, range(1, 13)):
        assert (len(cell.letters) > 1) == bool(cell.cut_offs), cell
        shares = np.linspace(0, cell.pending, 61)
        n, y, c = (np.full(61, value) for value in (cell.treated - cell.pending, cell.dlts, cell.pending))
        letters = committee.letters(MIDDLE, Cells(n=n, y=y, pending=c, followup=shares))
        for share_seen, letter in zip(shares, letters, strict=True):
            if any(abs(share_seen - at) < 1e-9 for _, at in cell.cut_offs.values()):
                continue
            said = [
                word
                for word, (sign, at) in cell.cut_offs.items()
                if (share_seen >= at if sign == ">=" else share_seen <= at)
            ] or [word for word in cell.letters if word not in cell.cut_offs]
            assert said == [letter], (cell, share_seen)


def test_a_table_for_each_rolling_rule() -> None:
    cells = in_the_middle(RollingSix(name="rolling six"), range(1, 7))
    letters = {(cell.treated, cell.dlts, cell.pending): cell.letters for cell in cells}
    for case in golden("rolling_six_decisions"):
        word = WORDS[case["decision_published"]].replace("D", "DU")
        assert letters[case["n_enrolled"], case["n_dlt"], case["n_pending"]] == (word,)
