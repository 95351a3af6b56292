"""A dose path is what the trial prints: read back, put before the committee, answered, pointed to where it is wrong.

Answers are computed by hand from the published tables and formulas, or by the tests' own implementations of the rules.
"""

from __future__ import annotations

import csv
import io
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import escalate as esc
import reference_model_rules as reference
import reference_rolling_rules as rolling
from conftest import ROOT
from escalate import Scenario
from escalate.cli import main
from escalate.committee.committee import Committee
from escalate.committee.walk import Reached, walk
from escalate.errors import EscalateError, PathError
from escalate.plots import plot_decision_table
from escalate.protocol_tables import Answer, NextDoseTable
from escalate.report.narrative import story
from escalate.words.dose_path import LETTERS, PathCohort, PathPatient, read_path, write_path
from escalate.words.records import Action
from small import small
from strategies import any_rule

THREE: dict[str, Any] = {"name": "3+3", "variant": "B"}
BOIN: dict[str, Any] = {"name": "BOIN", "target": 0.25}
TITE_BOIN: dict[str, Any] = {"name": "TITE-BOIN", "target": 0.25}
SKELETON = [0.05, 0.12, 0.25, 0.40, 0.55]
WINDOW = 126
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example, HealthCheck.filter_too_much]


def waiting(**changes: Any) -> Scenario:
    """Return a small scenario of a rule that waits, with early decisions unless something else is asked."""
    return small(**{"safety__early_decision": True, "rule": THREE, **changes})


def levels_of(number: int, **changes: Any) -> Scenario:
    """Return a scenario of so many levels and 30 patients."""
    levels = [{"label": f"d{k}"} for k in range(1, number + 1)]
    plain = {"dose_levels": levels, "toxicity__dlt_probability": [0.0] * number, "trial__planned_patients": 30}
    return waiting(**{**plain, **changes})


def cheung(**changes: Any) -> Scenario:
    """Return the trial of Cheung 2011, page 124: TITE-CRM, 126 days, cohorts of four from level 3 on."""
    rule = {"name": "TITE-CRM", "target": 0.25, "skeleton": SKELETON}
    plain = {"safety__dlt_window_days": WINDOW, "follow_up__days": WINDOW, "safety__start_level": 3, "rule": rule}
    return levels_of(5, **{**plain, "safety__cohort_size": 4, "trial__last_cohort": "partial", **changes})


def table_after(scenario: Scenario, path: str, cohorts: int | None = None) -> NextDoseTable:
    table = esc.decision_table(scenario, after=path, cohorts=cohorts)
    assert isinstance(table, NextDoseTable)
    return table


def answer(scenario: Scenario, path: str) -> Answer:
    found = table_after(scenario, path).answer
    assert found is not None
    return found


def move(scenario: Scenario, path: str) -> tuple[str, int, int]:
    """Return action, level from 1 and patients of the decision that is due."""
    decision = answer(scenario, path).decision
    assert decision is not None
    return decision.action.words, decision.level + 1, decision.patients


def reached(scenario: Scenario, path: str) -> Reached:
    return walk(scenario, Committee(scenario), read_path(path, scenario.levels, scenario.windows))


# Reading and writing


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_what_is_written_is_read(data: st.DataObject) -> None:
    """In either case, with any blanks; and written again it is the same."""
    patient = st.one_of(
        st.sampled_from(sorted(LETTERS)).map(PathPatient), st.integers(0, 28).map(lambda days: PathPatient("P", days))
    )
    cohort = st.builds(PathCohort, st.integers(0, 11), st.lists(patient, min_size=1, max_size=6).map(tuple))
    cohorts = tuple(data.draw(st.lists(cohort, max_size=5)))
    path = write_path(cohorts)
    blank = data.draw(st.sampled_from([" ", "  ", "\t", "\n"]))
    typed = blank.join(data.draw(st.sampled_from([str.upper, str.lower, str.swapcase]))(path).split(" "))
    assert read_path(f"{blank}{typed}", 12, (28,) * 12) == cohorts
    assert write_path(read_path(path, 12, (28,) * 12)) == path


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(any_rule(), st.integers(0, 3))
def test_every_path_that_a_trial_prints_is_read_back_and_could_be_produced(scenario: Scenario, replicate: int) -> None:
    """By both engines; titration, expansions, non-evaluable patients and trials that are cut off included."""
    trial = esc.simulate_trial(scenario, seed=1, replicate=replicate)
    many = esc.simulate(scenario, trials=4, seed=1).dose_paths
    assert many[replicate] == trial.dose_path
    committee = Committee(scenario)
    for path in {*many}:
        cohorts = read_path(path, scenario.levels, scenario.windows)
        assert write_path(cohorts) == path
        assert walk(scenario, committee, cohorts).cautions == ()
    if trial.dose_path:
        found = table_after(scenario, trial.dose_path.lower(), 1).answer
        assert found is not None and found.path == trial.dose_path


def test_paths_of_exact_results_are_read_back(base: Scenario) -> None:
    for found in esc.dose_paths(base):
        after = reached(base, found.path)
        assert write_path(after.cohorts) == found.path
        assert after.cautions == () and not after.waits
        decision = answer(base, found.path).decision
        assert decision is not None and (decision.action, decision.reason) == (Action.STOP, found.reason)


@pytest.mark.parametrize(("path", "position", "says"), [
    ("NNN", 0, "a cohort begins with its dose level, from 1 to 2"),
    ("1NNN -2N", 5, "a cohort begins with its dose level"),
    ("1NNN 3NNN", 5, "3 is no dose level: they go from 1 to 2"),
    ("0NNN", 0, "0 is no dose level"),
    ("01N", 0, "01 is no dose level"),
    ("9" * 5000 + "N", 0, "is no dose level"),
    ("1NNN 2", 6, "nobody follows the level: write a letter for each patient, N "),
    ("1 NNN", 1, "nobody follows the level"),
    ("1NNQ", 3, "no outcome: allowed are N .*T .*X .*P .*and a blank before the next cohort"),
    ("1NNN,2NNN", 4, "no outcome: .*a blank"),
    ("1NNN\u00b2N", 4, "no outcome"),
    ("1NNN2NNN", 4, r"days follow P alone .*a new cohort begins after a blank"),
    ("1T12", 2, "days follow P alone"),
    ("1P29", 2, r"the DLT window has 28 days, so that nobody is pending after 29: write N .*, T .* or X"),
    ("1P" + "9" * 5000, 2, "the DLT window has 28 days"),
])  # fmt: skip
def test_what_cannot_be_read_is_pointed_to(path: str, position: int, says: str) -> None:
    with pytest.raises(PathError, match=says) as caught:
        esc.decision_table(small(), after=path)
    first, shown, caret = str(caught.value).splitlines()
    assert caught.value.position == position
    assert shown == f"  {path}" and caret == f"  {' ' * position}^"
    assert first.startswith(
        f"the dose path cannot be read at position {position + 1}, {path[position]!r}: "
        if position < len(path)
        else "the dose path cannot be read at its end: "
    )


def test_the_command_points_too(capsys: pytest.CaptureFixture[str], base: Scenario) -> None:
    """Every line begins in the same way, so that the caret stands below the letter."""
    scenario = str(ROOT / "scenarios" / "nct06337474.toml")
    assert main(["table", scenario, "--after", "1NNN 2NQT"]) == 2
    _, shown, caret = capsys.readouterr().err.splitlines()
    assert shown.index("Q") == caret.index("^")
    assert main(["table", scenario, "--after", "1nnt 1nnp12"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("After 1NNT 1NNP12: wait for 1 outcome at level 1 (1 pending)\n")
    assert "\n  no DLT (1/6): escalate: 3 at level 2\n  DLT (2/6): stop, no dose: " in printed


# Rules that wait


def test_three_plus_three_waits_for_one_outcome() -> None:
    """1/3 stays; 2/3 comes down to level 1; whatever is asked again after the outcome has that answer."""
    scenario = waiting()
    found = answer(scenario, "1NNN 2NTP20")
    assert found.headline == "wait for 1 outcome at level 2 (1 pending)"
    told = [(words, decision.action.words, decision.level + 1) for words, decision in found.completions]
    assert told == [("no DLT (1/3)", "stay", 2), ("DLT (2/3)", "de-escalate", 1)]
    assert (found.decision, found.days_left) == (None, 8)
    assert "the pending are known in 8 days at the latest" in "\n".join(found.lines(("low", "high")))
    assert move(scenario, "1NNN 2NTN")[:2] == ("stay", 2)
    assert move(scenario, "1NNN 2NTT")[:2] == ("de-escalate", 1)


@pytest.mark.parametrize("rule", [{"name": "3+3", "variant": "C"}, BOIN, {"name": "CRM", "target": 0.25,
    "skeleton": [0.1, 0.25]}, {"name": "BLRM", "doses": [1.0, 2.0]}, {"name": "i3+3", "target": 0.25}],
    ids=lambda rule: rule["name"])  # fmt: skip
@pytest.mark.parametrize("path", ["1NP", "1P", "1NNN 2PPP", "1NNT 1XP", "1NNN 2NX"])
def test_what_outcomes_lead_to_is_what_the_whole_path_leads_to(rule: dict[str, Any], path: str) -> None:
    """Every completion, also of places that nobody has taken, and its row in the table."""
    scenario = waiting(rule=rule, safety__early_decision=False)
    table = table_after(scenario, path)
    assert table.answer is not None and table.answer.decision is None
    missing = 3 - sum(letter in "NT" for letter in path.split()[-1])
    assert len(table.answer.completions) == len(table.rows) == missing + 1
    for (told, decision), row, dlts in zip(table.answer.completions, table.rows, range(missing + 1), strict=True):
        whole = answer(scenario, row.path)
        assert whole.decision == decision == row.decision
        assert sum(row.cut.dlts) == path.count("T") + dlts
        assert told.startswith("no DLT" if not dlts else "DLT" if missing == 1 else f"{dlts} DLT")
        assert told.endswith(f" ({row.cut.dlts[row.cut.level]}/{row.cut.evaluable[row.cut.level]})")


def test_a_forced_decision_is_due_where_the_protocol_takes_it() -> None:
    """Two DLTs close the level: with early decisions at once, otherwise when the cohort is complete."""
    early, late = (waiting(safety__early_decision=asked) for asked in (True, False))
    found = answer(early, "1NNN 2TTP")
    assert found.forced and found.decision is not None
    assert (found.decision.action, found.decision.level, found.decision.patients) == (Action.DE_ESCALATE, 0, 3)
    assert "forced: the outcomes that are missing cannot change it" in found.headline
    assert [row.path for row in table_after(early, "1NNN 2TT", 1).rows][1:] == [
        f"1NNN 2TT 1{letters}" for letters in ("NNN", "NNT", "NTT", "TTT")
    ]
    waits = answer(late, "1NNN 2TTP")
    assert waits.decision is None and not waits.forced
    assert "every outcome leads to the same; the protocol waits for them all the same" in "\n".join(
        waits.lines(("", ""))
    )
    assert not answer(early, "1NNN 2TP").forced


def test_places_that_nobody_has_taken_are_waited_for_as_far_as_the_cap_goes() -> None:
    assert answer(waiting(), "1N").headline == "wait for 2 outcomes at level 1 (2 places not taken yet)"
    found = answer(waiting(), "1NP").headline
    assert found == "wait for 2 outcomes at level 1 (1 pending, 1 place not taken yet)"
    # Six infused are all there may be: the place of X is not given again, and two outcomes are the cohort's.
    infused = waiting(trial__planned_patients=6, trial__cap_counts="infused", rule=BOIN)
    assert move(infused, "1NNN 2NXN") == ("stop", 2, 0)
    evaluable = waiting(trial__planned_patients=6, rule=BOIN)
    assert answer(evaluable, "1NNN 2NXN").free == 1


def test_x_counts_as_the_protocol_says() -> None:
    """Replaced, it leaves a place; not replaced, it has taken one. The path is one that a cut-off trial printed."""
    replaced, kept = waiting(), waiting(safety__replace_non_evaluable=False)
    assert (answer(replaced, "1NXN").free, answer(kept, "1NXN").free) == (1, 0)
    assert answer(kept, "1NXN").decision is not None
    told = [words for words, _ in answer(kept, "1NP").completions]
    assert told == ["no DLT (0/3)", "1 DLT (1/3)", "2 DLTs (2/3)", "no DLT, 1 non-evaluable (0/2)",
                    "DLT, 1 non-evaluable (1/2)", "no DLT, 2 non-evaluable (0/1)"]  # fmt: skip
    found = answer(replaced, "1XXNNN 2PP")
    assert found.headline == "wait for 3 outcomes at level 2 (2 pending, 1 place not taken yet)"
    assert found.cautions == ()
    assert any("is replaced" in line for line in found.assumed)
    assert any("not replaced" in line for line in answer(kept, "1NXN").assumed)


def test_titration_goes_along() -> None:
    """Single patients up to the first DLT; then the cohort is filled up, and the rule takes over."""
    scenario = levels_of(3, titration={})
    assert move(scenario, "1N") == ("escalate", 2, 1)
    assert move(scenario, "1N 2T") == ("stay", 2, 2)
    assert answer(scenario, "1N 2T 2P").pending == 1
    assert move(scenario, "1N 2T 2NN")[0] == "stay"
    assert answer(scenario, "1NN").cautions == ("cohort 1 (1NN) has 2 patients for 1 place",)


def test_limits_stopping_rules_and_the_cap_are_the_committees() -> None:
    coherent = levels_of(
        3, rule={"name": "CRM", "target": 0.25, "skeleton": [0.1, 0.2, 0.3]}, limits__coherence="after_dlt"
    )
    free = coherent.replace({"limits.coherence": "off"})
    assert (move(free, "1NNN 1NNNNNNT")[0], move(coherent, "1NNN 1NNNNNNT")[0]) == ("escalate", "stay")
    enough = levels_of(3, rule=BOIN, stopping__enough_at_level=3, stopping__enough_when="any_move")
    assert (move(enough, "1NNN"), move(levels_of(3, rule=BOIN), "1NNN")) == (("stop", 1, 0), ("escalate", 2, 3))
    decision = answer(levels_of(3, trial__planned_patients=6), "1NNN 2NNN").decision
    assert decision is not None and decision.reason == "cap reached, inconclusive"
    assert decision.detail == "the rule asks for 3 more at level 3, the cap leaves 0"
    assert decision.detail in answer(levels_of(3, trial__planned_patients=6), "1NNN 2NNN").headline


def test_an_expansion_leaves_the_recommendation() -> None:
    """Until it is too toxic: 3 DLTs in 9, with P(DLT) above 0.1 as too toxic, close it."""
    scenario = waiting(safety__when_rule_finished="expand", stopping__too_toxic_above=0.1,
                       stopping__expansion_too_toxic_probability=0.9)  # fmt: skip
    found = answer(scenario, "1NNN 2NNN 2NNNP")
    assert found.decision is not None and (found.decision.action, found.decision.level) == (Action.STOP, 1)
    assert (found.cautions, found.grounds) == ((), ())
    assert answer(scenario, "1NNN 2NNN 2TTTP").grounds == (
        "the expansion is closed, too toxic: nobody else is treated",
    )
    assert answer(scenario, "1NNN 2NNN 2N 1N").cautions == (
        "cohort 4 (1N) follows an expansion, after which nobody is treated",
    )


# Rolling rules


def test_rolling_six_is_asked_by_the_published_table() -> None:
    scenario = levels_of(3, rule={"name": "rolling six"})
    for path, cell in (
        ("1PP", "stay"), ("1NNN", "escalate"), ("1NNNP", "stay"), ("1NNNNNP", "escalate"), ("1NNNPPP", "suspend"),
        ("1NNNT", "stay"), ("1NNTT", "stop"), ("1NNN 2NTPPPP", "suspend"), ("1NNN 2NTT", "de-escalate"),
    ):  # fmt: skip
        assert move(scenario, path)[0] == cell, path
    # Six enrolled, three pending: the second of the three outcomes lets the next patient rise.
    rises = answer(scenario, "1NNNNNP").decision
    assert answer(scenario, "1NNNP20P10P5").changes == ((18, rises),)


def test_days_of_a_pending_patient_are_those_of_the_levels_window() -> None:
    scenario = levels_of(3, rule=TITE_BOIN).replace(
        {"safety.dlt_window_anchor": "last_infusion", "dose_levels[2].infusion_days": [0, 9], "follow_up.days": 60}
    )
    told = "\n".join(answer(scenario, "1NNNP28 2P30").lines(["low", "middle", "high"]))
    assert "pending at level 1: 28 of 28 days" in told
    assert "pending at level 2: 30 of 37 days" in told
    with pytest.raises(PathError, match="the DLT window has 28 days"):
        answer(scenario, "1NNNP30 2P30")


@pytest.mark.parametrize("method", ["imputation", "effective_sample_size"])
@pytest.mark.parametrize(
    "path", ["1NNT 1NNNP20P5", "1NNT 1P20P5P2", "1NNNN 2P10P3", "1NNNNNT 2NNTP27P2", "1NNNTP14P1P0"]
)
@pytest.mark.parametrize("later", [0, 9])
def test_tite_boin_changes_on_the_day_that_the_reference_says(method: str, path: str, later: int) -> None:
    """Day by day, without a DLT, by an implementation of its own; the windows of level 2 may be longer."""
    own = {"imputation": "imputation", "effective_sample_size": "ess"}
    scenario = levels_of(3, rule={**TITE_BOIN, "method": method}).replace(
        {
            "safety.dlt_window_anchor": "last_infusion",
            "dose_levels[2].infusion_days": [0, later] if later else [0],
            "follow_up.days": 60,
        }
    )
    windows = (28, 28 + later, 28)
    cohorts = read_path(path, 3, windows)
    days_left = max(
        windows[cohort.level] - patient.days
        for cohort in cohorts
        for patient in cohort.patients
        if patient.days is not None
    )
    said = []
    for day in range(days_left + 1):
        n, y, c, seen = [0] * 3, [0] * 3, [0] * 3, [0.0] * 3
        for cohort in cohorts:
            for letter, days in cohort.patients:
                window = windows[cohort.level]
                is_open = letter == "P" and (days or 0) + day < window
                n[cohort.level] += not is_open
                y[cohort.level] += letter == "T"
                c[cohort.level] += is_open
                seen[cohort.level] += ((days or 0) + day) / window * is_open
        said.append(rolling.tite_boin(cohorts[-1].level, n, y, c, seen, target=0.25, method=own[method]))
    found = answer(scenario, write_path(cohorts))
    assert found.decision is not None and (found.decision.action.words, found.decision.level) == said[0]
    expected = [(day, said[day]) for day in range(1, days_left + 1) if said[day] != said[day - 1]]
    assert [(day, (turn.action.words, turn.level)) for day, turn in found.changes] == expected
    assert found.days_left == days_left


def test_tite_boin_says_what_it_read() -> None:
    """Six patients, one DLT, three pending who saw 20, 5 and 3 of 28 days: p = 1.125 / 4, r = 9 / 23."""
    found = answer(levels_of(3, rule=TITE_BOIN), "1NNTP20P5P3")
    assert found.grounds == (
        "level 1: 3 of 6 patients pending, who have seen 1.000 windows together; 1.783 DLTs expected in 6 patients, a "
        "rate of 0.297 (escalate at or below 0.197, de-escalate at or above 0.298)",
    )
    assert pytest.approx(1.783, abs=5e-4) == 1 + 9 / 23 * (3 - 1)
    assert [round(patient.weight or 0, 3) for patient in found.followed] == [0.714, 0.179, 0.107]
    effective = answer(levels_of(3, rule={**TITE_BOIN, "method": "effective_sample_size"}), "1NNTP20P5P3")
    assert "1 DLTs in an effective sample size of 4.000, a rate of 0.250" in effective.grounds[0]


def test_cheung_page_124_in_one_line() -> None:
    """Four patients at level 3, observed 73, 66, 35 and 28 of 126 days: level 4, and by the reference as well."""
    days = (73, 66, 35, 28)
    found = answer(cheung(), "3P73P66P35P28")
    fit = reference.crm([0] * 5, [0] * 5, SKELETON, 0.25, partial=[(2, d / WINDOW) for d in days])
    assert fit.mtd == 3
    assert found.decision is not None and found.decision.estimates is not None
    assert (found.decision.action, found.decision.level) == (Action.ESCALATE, 3)
    assert [patient.weight for patient in found.followed] == pytest.approx([d / WINDOW for d in days], rel=1e-12)
    estimates = found.decision.estimates
    assert estimates.p_dlt == pytest.approx(fit.ptox, abs=1e-9)
    assert estimates.low == pytest.approx([fit.quantile(k, 0.025) for k in range(5)], abs=1e-7)
    assert estimates.high == pytest.approx([fit.quantile(k, 0.975) for k in range(5)], abs=1e-7)
    assert estimates.followup == pytest.approx((0, 0, sum(days) / WINDOW, 0, 0), rel=1e-12)
    text = table_after(cheung(), "3P73P66P35P28").to_text()
    assert text.startswith(
        "After 3P73P66P35P28: escalate: 4 at level 4; by the model, P(DLT) at the next level is closest"
    )
    assert "pending at level 3: 73 of 126 days (weight 0.579), 66 of 126 days (weight 0.524)," in text
    assert "level 4: d4  0.224   0.000 to 0.827" in text


def test_tite_crm_changes_on_the_day_that_the_reference_says() -> None:
    """One DLT and three patients pending: the estimate falls day by day, and with it the level rises."""
    days, path = (40, 20, 5), "3TP40P20P5"
    found = answer(cheung(), path)

    def best(day: int) -> int:
        done = [d + day >= WINDOW for d in days]
        n, y = [0, 0, 1 + sum(done), 0, 0], [0, 0, 1, 0, 0]
        partial = [(2, (d + day) / WINDOW) for d, whole in zip(days, done, strict=True) if not whole]
        return min(reference.crm(n, y, SKELETON, 0.25, partial=partial).mtd, 3)

    assert found.decision is not None and found.decision.level == best(0)
    assert len(found.changes) >= 1
    for day, decision in found.changes:
        assert (best(day - 1), best(day)) == (best(day) - 1, decision.level)
    assert best(WINDOW - 5) == found.changes[-1][1].level


def test_follow_up_that_is_not_known() -> None:
    """Half of it known: what turns is what the others have seen; where nothing turns, that is said."""
    table = table_after(cheung(), "3NTP126P")
    found = table.answer
    assert found is not None and found.turns and not found.changes and found.days_left is None
    share, decision = found.turns[0]
    for seen, level in ((math.floor(share * WINDOW), found.decision), (math.ceil(share * WINDOW), decision)):
        assert level is not None and answer(cheung(), f"3NTP126P{seen}").decision == level
    assert (
        found.headline.startswith("if just infused, ") and f"once {share:.0%} of each window is seen" in found.headline
    )
    same = answer(levels_of(3, rule=TITE_BOIN), "1NNN 2PPP")
    assert "the follow-up of P without days is not known; the decision is the same for any" in same.assumed


def test_who_completes_the_window_is_evaluable_from_that_day_on() -> None:
    """A change on the last day of a window is that to complete data, with the same counts as N."""
    scenario = levels_of(3, rule=TITE_BOIN)
    found = answer(scenario, "1NNNN 2P10P3")
    day, decision = found.changes[0]
    assert day == 28 - 10
    assert decision == answer(scenario, "1NNNN 2NP21").decision


def test_lost_patients_of_tite_crm_count_for_nothing_and_that_is_said() -> None:
    kept, left_out = (
        cheung(rule={"name": "TITE-CRM", "target": 0.25, "skeleton": SKELETON, "drop_outs": what})
        for what in ("keep_weight", "left_out")
    )
    with_x, without = answer(kept, "3NXTP9"), answer(kept, "3NTP9")
    assert with_x.decision is not None and without.decision is not None
    assert with_x.decision.estimates == without.decision.estimates
    assert any("the trial counts that share of the window" in line for line in with_x.assumed)
    assert not any("share of the window" in line for line in answer(left_out, "3NXTP9").assumed)


def test_a_stop_with_windows_open_is_provisional() -> None:
    scenario = levels_of(3, rule=TITE_BOIN, stopping__enough_at_level=6, stopping__enough_when="any_move")
    assert "what is recommended waits for the last outcomes" in "\n".join(answer(scenario, "1NNNNNP").lines(("",) * 3))
    assert not answer(scenario, "1NNNNNN").provisional


# What decisions rest on


@pytest.mark.parametrize("rule", [{"name": "CRM", "target": 0.25, "skeleton": [0.1, 0.25]}, {"name": "CRM",
    "target": 0.25, "skeleton": [0.1, 0.25], "model": "logistic"}, {"name": "BLRM", "doses": [1.0, 2.0],
    "sd_log_alpha": 1.0, "sd_log_beta": 0.7}], ids=["empiric", "logistic", "BLRM"])  # fmt: skip
def test_decisions_of_a_model_keep_what_they_rest_on(rule: dict[str, Any]) -> None:
    """In the record, in the CSV, in the story, and in the table after the same path; as the reference computes it."""
    scenario = waiting(rule=rule, accrual__consent_days=[0, 0, 0], what_if=[{"patient": 2, "dlt_day": 3}],
                       safety__early_decision=False)  # fmt: skip
    trial = esc.simulate_trial(scenario)
    assert trial.dose_path == "1NTN"
    record = next(iter(trial.decisions))
    found = answer(scenario, "1NTN").decision
    assert found is not None and found.estimates is not None
    n, y = [3, 0], [1, 0]
    if rule["name"] == "BLRM":
        prior = ([1.0, 2.0], 2.0, (math.log(0.5), 0.0), (1.0, 0.7), 0.0)
        assert found.estimates.p_dlt == pytest.approx(reference.blrm(n, y, *prior).mean_p, abs=1e-7)
        for k, ends in enumerate(zip(found.estimates.low, found.estimates.high, strict=True)):
            for end, tail in zip(ends, (0.025, 0.975), strict=True):
                below = reference.blrm(n, y, *prior, under=end, over=0.999999).prob_under[k]
                assert below == pytest.approx(tail, abs=1e-4)
    else:
        fit_crm = reference.crm(n, y, [0.1, 0.25], 0.25, model=rule.get("model", "empiric"))
        assert found.estimates.p_dlt == pytest.approx(fit_crm.ptox, abs=1e-9)
        assert found.estimates.low == pytest.approx([fit_crm.quantile(k, 0.025) for k in (0, 1)], abs=1e-7)
        assert found.estimates.high == pytest.approx([fit_crm.quantile(k, 0.975) for k in (0, 1)], abs=1e-7)
    estimates = found.estimates
    for name, values in (("p_dlt", estimates.p_dlt), ("p_dlt_low", estimates.low), ("p_dlt_high", estimates.high)):
        assert [record[f"{name}_{k}"] for k in (1, 2)] == pytest.approx(values, abs=1e-6)
    assert next(csv.DictReader(io.StringIO(trial.decisions.to_csv())))["p_dlt_2"] == str(record["p_dlt_2"])
    told = " ".join(story(trial).split())
    assert f"It rests on P(DLT) by the model, with its 95% interval: level 1 {estimates.p_dlt[0]:.1%} (" in told
    assert "followup_1" not in record


def test_follow_up_that_was_counted_is_in_the_record() -> None:
    """Cheung's trial on its calendar: the same numbers as by its path."""
    scenario = cheung(accrual__consent_days=[0, 7, 38, 45, 73], trial__planned_patients=5)
    trial = esc.simulate_trial(scenario)
    record, decision = next(iter(trial.decisions)), answer(scenario, "3P73P66P35P28").decision
    assert decision is not None and decision.estimates is not None
    estimates = decision.estimates
    for name, values in (("p_dlt", estimates.p_dlt), ("followup", estimates.followup), ("p_dlt_high", estimates.high)):
        assert [record[f"{name}_{k}"] for k in range(1, 6)] == pytest.approx(values, abs=1e-6)
    assert "Windows counted of patients without an outcome: 1.60 at level 3." in " ".join(story(trial).split())
    assert all(column.meaning for column in trial.decisions.columns)


@pytest.mark.parametrize(
    "rule", [{"name": "3+3"}, BOIN, TITE_BOIN, {"name": "rolling six"}], ids=lambda rule: rule["name"]
)
def test_records_of_a_rule_without_a_model_have_no_columns_of_one(rule: dict[str, Any]) -> None:
    """Those of a rule that eliminates say last how many levels are left."""
    trial = esc.simulate_trial(waiting(rule=rule, accrual__consent_days=[0, 0, 0]))
    assert trial.decisions.names[-1] == ("open_levels" if "target" in rule else "detail")
    decision = answer(waiting(rule=rule), "1NNN").decision
    assert decision is not None and decision.estimates is None


def test_the_beliefs_before_any_data_stand_in_the_first_row() -> None:
    for rule, name in (({"name": "BLRM", "doses": [1.0, 2.0]}, "P(over)"), ({"name": "CRM", "target": 0.25,
                       "skeleton": [0.1, 0.25]}, "P(DLT)")):  # fmt: skip
        table = esc.decision_table(waiting(rule=rule))
        assert isinstance(table, NextDoseTable) and table.answer is None
        assert (table.rows[0].ways.short, table.rows[0].counts) == ("no data", ((0, 0), (0, 0)))
        assert name in table.rows[0].beliefs
        assert table.to_csv().splitlines()[1].startswith("no data,1,")
    assert esc.decision_table(waiting(), cohorts=1).rows[0].ways.short == "1NNN"  # type: ignore[union-attr]


# Deviations


@pytest.mark.parametrize(("path", "says"), [
    ("2NNN", "cohort 1 (2NNN) is at level 2, and the trial begins at 1"),
    ("1NNN 3NNN", "cohort 2 (3NNN) is at level 3, where the committee says: escalate: 3 at level 2"),
    ("1NNN 2NTT 2NNN", "cohort 3 (2NNN) is at level 2, where the committee says: de-escalate: 3 at level 1"),
    ("1NTT 1N", "cohort 2 (1N) is at level 1, where the committee says: stop, no dose: lowest dose level too toxic"),
    ("1NNNN", "cohort 1 (1NNNN) has 4 patients for 3 places"),
    ("1NNP 2NNN", "cohort 2 (2NNN) follows while 1 of 3 outcomes of the cohort before it are not known"),
    ("1NNN 2NNN 3NNN 3NNNN", "cohort 4 (3NNNN) has 4 patients for 3 places"),
    ("1NNN 2NNNNNNN", "cohort 2 (2NNNNNNN) has 7 patients for 3 places"),
])  # fmt: skip
def test_a_path_that_the_protocol_could_not_have_produced_is_answered_with_a_caution(path: str, says: str) -> None:
    scenario = levels_of(3, rule={"name": "3+3", "variant": "C"})
    table = table_after(scenario, path)
    assert table.answer is not None and table.answer.cautions[0] == says
    assert table.to_text().startswith(f"Caution: {says}")
    for told in (table.to_markdown(), table.to_html()):
        assert f"Caution: {says.split(':')[0]}" in told
    assert f"Caution: {says}"[:60] in " ".join(text.get_text() for text in plot_decision_table(table).texts)


def test_more_patients_than_the_cap_or_a_limit_allow() -> None:
    capped = waiting(trial__planned_patients=6)
    assert "9 patients are evaluable or pending, and the cap is 6" in answer(capped, "1NNN 2NNN 2NNN").cautions
    infused = waiting(trial__planned_patients=6, trial__cap_counts="infused")
    assert answer(infused, "1NNN 2NNNX").cautions[-1] == "7 patients are infused, and the cap is 6"
    limited = levels_of(2, rule=BOIN, limits__most_per_level=3)
    assert "6 patients at level 1, and the most at one level is 3" in answer(limited, "1NNT 1NNT").cautions


def test_a_rolling_rule_that_skips_is_cautioned_and_one_that_may_have_known_less_is_not() -> None:
    scenario = levels_of(3, rule=TITE_BOIN)
    assert answer(scenario, "1NNN 3N").cautions == (
        "cohort 2 (3N) is at level 3, and no level above 2 may be given (no skipping)",
    )
    assert answer(scenario, "1NNNTT 2N").cautions == ()
    assert answer(scenario.replace({"limits.no_skipping": "off"}), "1NNN 3N").cautions == ()
    highest = scenario.replace({"limits.no_skipping": "highest_given"})
    assert answer(highest, "1NNN 2NNN 1N 3N").cautions == ()
    assert answer(scenario, "1NNN 2NNN 1N 3N").cautions != ()


def test_an_outcome_that_came_after_a_forced_decision_is_no_deviation() -> None:
    """Level 2 was left with two DLTs in two patients; that the third had none became known later."""
    scenario = levels_of(3, rule={"name": "BOIN", "target": 0.2})
    assert reached(scenario, "1NNN 2TTN 1NNN").cautions == ()
    assert reached(scenario, "1NNN 2TTX 1NNN").cautions == ()
    assert reached(scenario, "1NNN 2NX 1NNN").cautions != ()
    # With 3/3 known level 2 is closed, with 2/2 it was not: the third DLT can have come when level 2 was open again.
    again = levels_of(3, rule={"name": "BOIN", "target": 0.3})
    assert reached(again, "1NNN 2TTT 1NNN 2NNN").cautions == ()
    assert reached(again.replace({"safety.early_decision": False}), "1NNN 2TTT 1NNN 2NNN").cautions != ()
    assert reached(again, "1NNN 2NTT 2NNN").cautions != ()


def test_too_many_rows_are_refused() -> None:
    with pytest.raises(EscalateError, match="more than 2,000 rows"):
        esc.decision_table(levels_of(3, rule=BOIN, trial__planned_patients=200), after="1NNP", cohorts=12)
