"""BOIN, mTPI, mTPI-2, Keyboard and i3+3 against tables and exact values made with other software.

The files in ``data/`` say with which: R packages BOIN, Keyboard and escalation, and the program FIND. A cell is
"E", "S", "D", or "DU" (too toxic: eliminated).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dose_paths import final_distribution, summarise
from escalate.rules import make_rule
from escalate.rules.boin import boundaries
from escalate.rules.counts import CountRule, smoothed_rates
from escalate.scenario.rules import Boin, I3Plus3, Keyboard, Mtpi, Mtpi2
from escalate.words.data_cut import DataCut

DATA = Path(__file__).parent / "data"


def cases(name: str) -> list[Any]:
    found = json.loads((DATA / f"{name}.json").read_text())["cases"]
    assert found
    return [pytest.param(case, id=case["id"]) for case in found]


def letters(rule: CountRule, n: int) -> list[str]:
    """Return the decision for 0 to n DLTs among n, as the tables write it."""
    moves, toxic, _ = rule.tables(n)
    names = {1: "E", 0: "S", -1: "D"}
    return ["DU" if toxic[n, y] else names[int(moves[n, y])] for y in range(n + 1)]


def boin_of(case: dict[str, Any], **more: Any) -> CountRule:
    options = {name: case[name] for name in ("target", "p_saf", "p_tox", "extrasafe", "offset") if name in case}
    cutoff = case.get("cutoff_eli", 0.95)
    rule = make_rule(Boin(name="BOIN", elimination_cutoff=cutoff, strict_upper_boundary=True, **options, **more))
    assert isinstance(rule, CountRule)
    return rule


@pytest.mark.parametrize("case", cases("boin_boundaries"))
def test_boin_boundaries(case: dict[str, Any]) -> None:
    rise, fall = boundaries(case["target"], case["p_saf"], case["p_tox"])
    assert (rise, fall) == pytest.approx((case["lambda_e"], case["lambda_d"]), abs=1e-12)
    moves, toxic, lowest = boin_of(case).tables(30)
    for k, n in enumerate(case["n"]):
        ups = [y for y in range(n + 1) if moves[n, y] > 0]
        downs = [y for y in range(n + 1) if moves[n, y] < 0 or toxic[n, y]]
        gone = [y for y in range(n + 1) if toxic[n, y]]
        assert max(ups, default=-1) == case["escalate_if_dlt_le"][k]
        expected = case["deescalate_if_dlt_ge"][k]
        assert min(downs, default=n + 1) == (n + 1 if expected is None else expected)
        assert (min(gone) if gone else None) == case["eliminate_if_dlt_ge"][k]
        stops = case["lowest_dose_stop_if_dlt_ge"]
        if stops is not None:
            first = [y for y in range(n + 1) if lowest[n, y]]
            assert (min(first) if first else None) == stops[k]


@pytest.mark.parametrize("case", cases("boin_select_mtd"))
def test_boin_select_mtd(case: dict[str, Any]) -> None:
    rule = boin_of(case, bound_mtd=case["boundMTD"])
    cut = DataCut.of(0, case["n"], case["y"])
    assert int(rule.recommend(cut)) + 1 == (0 if case["mtd"] == 99 else case["mtd"])
    n, y = np.array(case["n"]), np.array(case["y"])
    found = smoothed_rates(n, y, n > 0, 0.05)
    expected = [np.nan if value is None else value for value in case["isotonic_estimate_treated_doses"]]
    assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("case", cases("mtpi_decision_tables_escalation"))
def test_mtpi_table(case: dict[str, Any]) -> None:
    check_escalation_table(case, make_rule(options(Mtpi, "mTPI", case)))


@pytest.mark.parametrize("case", cases("mtpi2_decision_tables_escalation"))
def test_mtpi2_table(case: dict[str, Any]) -> None:
    check_escalation_table(case, make_rule(options(Mtpi2, "mTPI-2", case)))


def options(kind: Any, name: str, case: dict[str, Any]) -> Any:
    return kind(
        name=name,
        target=case["target"],
        epsilon1=case["epsilon1"],
        epsilon2=case["epsilon2"],
        elimination_cutoff=case["exclusion_certainty"],
        eliminate_from=1,
    )


def check_escalation_table(case: dict[str, Any], rule: Any) -> None:
    """In these tables too toxic is no letter of its own: the move stands there, and the probability beside it."""
    moves, toxic, _ = rule.tables(case["max_n"])
    names = {1: "E", 0: "S", -1: "D"}
    for row in case["table"]:
        n = row["n"]
        assert [names[int(moves[n, y])] for y in range(n + 1)] == row["decision"], n
        unsafe = [p > case["exclusion_certainty"] for p in row["prob_unsafe"]]
        assert toxic[n, : n + 1].tolist() == unsafe


def interval(kind: Any, name: str, case: dict[str, Any], **more: Any) -> CountRule:
    low, high = case["ei"]
    target = case["target"]
    rule = make_rule(
        kind(name=name, target=target, epsilon1=round(target - low, 12), epsilon2=round(high - target, 12),
             elimination_cutoff=case["cutoff"], **more)
    )  # fmt: skip
    assert isinstance(rule, CountRule)
    return rule


@pytest.mark.parametrize("case", cases("mtpi2_decision_tables_FIND"))
def test_mtpi2_table_of_find(case: dict[str, Any]) -> None:
    rule = interval(Mtpi2, "mTPI-2", case)
    assert [letters(rule, row["n"]) for row in case["table"]] == [row["decision"] for row in case["table"]]


@pytest.mark.parametrize("case", cases("i3plus3_decision_tables"))
def test_i3plus3_table(case: dict[str, Any]) -> None:
    rule = interval(I3Plus3, "i3+3", case)
    assert [letters(rule, row["n"]) for row in case["table"]] == [row["decision"] for row in case["table"]]


@pytest.mark.parametrize("case", cases("keyboard_boundaries"))
def test_keyboard_boundaries(case: dict[str, Any]) -> None:
    rule = make_rule(
        Keyboard(
            name="Keyboard",
            target=case["target"],
            epsilon1=case["marginL"],
            epsilon2=case["marginR"],
            elimination_cutoff=case["cutoff_eli"],
            eliminate_from=1,
            partial_keys="rescale",
        )
    )
    assert isinstance(rule, CountRule)
    moves, toxic, _ = rule.tables(30)
    for k, n in enumerate(case["n"]):
        ups = [y for y in range(n + 1) if moves[n, y] > 0]
        downs = [y for y in range(n + 1) if moves[n, y] < 0 or toxic[n, y]]
        gone = [y for y in range(n + 1) if toxic[n, y]]
        assert max(ups, default=-1) == case["escalate_if_dlt_le"][k], n
        expected = case["deescalate_if_dlt_ge"][k]
        assert min(downs, default=None) == expected, n
        assert min(gone, default=None) == case["eliminate_if_dlt_ge"][k], n


@pytest.mark.parametrize("case", cases("boin_oc_exact"))
def test_boin_exact_characteristics(case: dict[str, Any]) -> None:
    rule = boin_of(case, bound_mtd=case["boundMTD"])
    planned = case["ncohort"] * case["cohortsize"]

    @cache
    def decide(level: int, n: tuple[int, ...], y: tuple[int, ...]) -> tuple[str, int, int]:
        cut = DataCut.of(level, n, y)
        decision = rule.decide(cut).one()
        enough = decision.action.words == "stay" and n[level] >= case["n_earlystop"]
        if decision.action.words != "stop" and (enough or sum(n) + case["cohortsize"] > planned):
            return "stop", int(rule.recommend(cut)), 0
        return decision.action.words, decision.level, decision.patients

    found = summarise(final_distribution(decide, case["p_true"], case["cohortsize"], case["startdose"] - 1))
    close = {"rel": 0, "abs": 1e-12}
    assert [*found.recommended.values()] == pytest.approx([case["prob_no_selection"], *case["selection_prob"]], **close)
    assert [mean for mean, _ in found.evaluable] == pytest.approx(case["mean_n"], **close)
    assert [mean for mean, _ in found.dlts] == pytest.approx(case["mean_dlt"], **close)
    totals = {total: q for total, q in zip(case["total_n_support"], case["total_n_prob"], strict=True) if q}
    assert {total: q for total, q in found.total.items() if q} == pytest.approx(totals, **close)


def test_published_boundaries() -> None:
    """Table 1 of the BOIN papers, for the default boundaries."""
    for target, rise, fall in ((0.20, 0.157, 0.238), (0.25, 0.197, 0.298), (0.30, 0.236, 0.358)):
        assert boundaries(target, 0.6 * target, 1.4 * target) == pytest.approx((rise, fall), abs=6e-4)
