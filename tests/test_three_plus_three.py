"""3+3, corner by corner. Each test is a corner that implementers get wrong."""

from __future__ import annotations

import numpy as np
import pytest

from escalate import simulate_trial
from escalate.committee.committee import Committee
from escalate.rules import ThreePlusThreeRule
from escalate.rules import three_plus_three as texts
from escalate.words.data_cut import Counts, DataCut
from escalate.words.records import NO_LEVEL, Action, Decision
from small import lymphodepletion, small


def decide(variant: str, level: int, seen: str) -> Decision:
    """Decide on counts written as DLTs/evaluable at each level: ``decide("B", 1, "0/3 2/3")``; levels from 1."""
    pairs = [tuple(map(int, part.split("/"))) for part in seen.split()]
    cut = DataCut.of(level - 1, [n for _, n in pairs], [y for y, _ in pairs])
    return ThreePlusThreeRule(variant).decide(cut).one()


def answer(variant: str, level: int, seen: str) -> tuple[str, int | None, int]:
    """Return action, level from 1 (``None`` for no dose), and patients wanted."""
    decision = decide(variant, level, seen)
    return decision.action.words, None if decision.level == NO_LEVEL else decision.level + 1, decision.patients


@pytest.mark.parametrize("variant", "ABC")
def test_the_ordinary_way_up(variant: str) -> None:
    assert answer(variant, 1, "0/0 0/0 0/0") == ("stay", 1, 3)
    assert answer(variant, 1, "0/3 0/0 0/0") == ("escalate", 2, 3)
    assert answer(variant, 1, "1/3 0/0 0/0") == ("stay", 1, 3)
    assert answer(variant, 1, "1/6 0/0 0/0") == ("escalate", 2, 3)
    assert answer(variant, 2, "0/3 1/3 0/0") == ("stay", 2, 3)


def test_corner_1_none_of_three_at_the_highest_dose() -> None:
    assert answer("A", 2, "0/3 0/3") == ("stop", 2, 0)
    assert answer("B", 2, "0/3 0/3") == ("stop", 2, 0)
    assert answer("C", 2, "0/3 0/3") == ("stay", 2, 3)
    assert answer("C", 2, "0/3 0/6") == ("stop", 2, 0)
    assert answer("C", 2, "0/3 1/6") == ("stop", 2, 0)


@pytest.mark.parametrize("variant", "ABC")
@pytest.mark.parametrize("seen", ["2/3 0/0", "3/3 0/0", "2/6 0/0", "2/2 0/0"])
def test_corner_2_a_toxic_lowest_dose_leaves_no_dose(variant: str, seen: str) -> None:
    decision = decide(variant, 1, seen)
    assert (decision.action, decision.level, decision.reason) == (Action.STOP, NO_LEVEL, texts.TOO_TOXIC)


@pytest.mark.parametrize("variant", "BC")
@pytest.mark.parametrize("seen", ["0/6 2/3 0/0", "1/6 2/6 0/0"])
def test_corner_3_after_coming_down_never_up_again(variant: str, seen: str) -> None:
    assert answer(variant, 1, seen) == ("stop", 1, 0)


@pytest.mark.parametrize("variant", "BC")
def test_corner_4_six_patients_below_are_enough(variant: str) -> None:
    assert answer(variant, 2, "1/6 2/3") == ("stop", 1, 0)
    assert answer(variant, 2, "0/3 2/3") == ("de-escalate", 1, 3)


def test_variant_a_declares_the_next_lower_dose_with_three_patients() -> None:
    assert answer("A", 2, "0/3 2/3") == ("stop", 1, 0)
    assert answer("A", 3, "0/3 1/6 2/6") == ("stop", 2, 0)


def test_coming_down_step_by_step() -> None:
    assert answer("B", 2, "0/3 2/6 2/3") == ("de-escalate", 1, 3)
    assert answer("B", 1, "2/6 2/6 2/3") == ("stop", None, 0)


def test_corner_5_two_dlts_force_the_decision_and_one_does_not() -> None:
    """Nor is a decision upward ever forced: 1 of 5 after 1 of 3 waits for the sixth patient."""
    committee = Committee(small(rule__variant="C"))
    assert committee.is_forced(Counts(0, (2, 0), (2, 0), (1, 0)), outstanding=1)
    assert not committee.is_forced(Counts(0, (2, 0), (1, 0), (1, 0)), outstanding=1)
    assert committee.is_forced(Counts(0, (4, 0), (2, 0), (2, 0)), outstanding=2)
    assert not committee.is_forced(Counts(0, (5, 0), (1, 0), (1, 0)), outstanding=1)
    assert not committee.is_forced(Counts(1, (3, 5), (0, 0), (0, 1)), outstanding=1)
    assert not committee.is_forced(Counts(0, (0, 0), (0, 0), (0, 0)), outstanding=3)


def test_corner_6_non_evaluable_patients_are_replaced_before_the_rule_is_read() -> None:
    trial = simulate_trial(small(accrual__consent_days=[0] * 5, what_if=[{"patient": 2, "drop_out_day": 3}],
                                 trial__max_days=40))  # fmt: skip
    assert trial.dose_path == "1NXNN 2P"
    assert trial.decisions["evaluable"] == [3]


@pytest.mark.parametrize("variant", "BC")
def test_corner_7_none_of_six_after_coming_down_stops_there(variant: str) -> None:
    decision = decide(variant, 1, "0/6 2/3")
    assert (decision.action, decision.level, decision.reason) == (Action.STOP, 0, texts.MTD_BELOW)


@pytest.mark.parametrize("variant", "ABC")
def test_corner_8_four_and_five_patients(variant: str) -> None:
    """None of four or five is tolerated; one of four or five is filled up to six; two exceed whatever the number."""
    assert answer(variant, 1, "0/4 0/0 0/0") == ("escalate", 2, 3)
    assert answer(variant, 1, "0/5 0/0 0/0") == ("escalate", 2, 3)
    assert answer(variant, 1, "1/4 0/0 0/0") == ("stay", 1, 2)
    assert answer(variant, 1, "1/5 0/0 0/0") == ("stay", 1, 1)
    assert answer(variant, 1, "2/5 0/0 0/0") == ("stop", None, 0)
    assert answer(variant, 1, "0/2 0/0 0/0") == ("stay", 1, 1)
    assert answer(variant, 1, "1/1 0/0 0/0") == ("stay", 1, 2)


def test_corner_9_a_patient_past_lymphodepletion_when_the_level_is_closed() -> None:
    """The committee meets before the infusion: no cells. (After it: `test_hand_computed`.)"""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 8],
            treatment__lymphodepletion=lymphodepletion(3),
            what_if=[{"patient": 1, "dlt_day": 6}, {"patient": 2, "dlt_day": 6}],
        )
    )
    assert trial.dose_path == "1TT"
    assert trial.patients["state"][2] == "not infused"


@pytest.mark.parametrize("variant", "ABC")
def test_corner_10_two_of_six_exceed(variant: str) -> None:
    assert answer(variant, 2, "0/6 2/6") == ("stop", 1, 0)


def test_started_above_the_lowest_level_an_untried_dose_is_never_declared() -> None:
    for variant in "ABC":
        assert answer(variant, 2, "0/0 2/3") == ("de-escalate", 1, 3)
        assert answer(variant, 1, "2/3 2/3") == ("stop", None, 0)
    assert answer("A", 1, "0/3 2/3") == ("stop", 1, 0)
    assert answer("B", 1, "0/3 2/3") == ("stay", 1, 3)


def test_levels_that_exceed_are_passed_over_on_the_way_down() -> None:
    assert answer("B", 3, "0/6 2/6 2/3") == ("stop", 1, 0)


@pytest.mark.parametrize("variant", "ABC")
def test_a_batch_answers_as_one_by_one(variant: str) -> None:
    counts = [(n, y) for n in range(7) for y in range(n + 1)]
    grid = [(level, a, b) for a in counts for b in counts for level in (0, 1)]
    cut = DataCut.of([g[0] for g in grid], [(a[0], b[0]) for _, a, b in grid], [(a[1], b[1]) for _, a, b in grid])
    rule = ThreePlusThreeRule(variant)
    batch = rule.decide(cut)
    for index in range(0, len(grid), 17):
        level, a, b = grid[index]
        assert batch.one(index) == rule.decide(DataCut.of(level, [a[0], b[0]], [a[1], b[1]])).one()


def test_recommend_is_the_mtd_once_the_rule_has_finished() -> None:
    cut = DataCut.of([0, 1, 1], [[3, 0], [3, 3], [6, 3]], [[0, 0], [0, 0], [0, 2]])
    assert ThreePlusThreeRule("B").recommend(cut).tolist() == [NO_LEVEL, 1, 0]


def test_pending_patients_count_for_nothing() -> None:
    rule = ThreePlusThreeRule("C")
    assert rule.decide(DataCut.of(0, [3, 0], [0, 0], [3, 3])).one() == rule.decide(DataCut.of(0, [3, 0], [0, 0])).one()


@pytest.mark.parametrize(
    ("level", "evaluable", "dlts", "says"),
    [
        (2, [3, 0], [0, 0], "below 2"),
        (-1, [3, 0], [0, 0], "counts from 0"),
        (0, [3, 0], [4, 0], "0 <= dlts <= evaluable"),
        (0, [3, 0], [-1, 0], "0 <= dlts <= evaluable"),
        (0, [3, 0], [0, 0, 0], "one shape"),
        ([0, 0], [3, 0], [0, 0], "one shape"),
    ],
)
def test_a_data_cut_that_cannot_be(level: object, evaluable: list[int], dlts: list[int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        DataCut.of(level, evaluable, dlts)  # type: ignore[arg-type]


def test_the_committee_limits_cohorts_and_minds_the_cap() -> None:
    committee = Committee(small(safety__cohort_size=2))
    assert committee.first(room=9).patients == 2
    full = Committee(small(rule__variant="C"))
    after_six = Counts(1, (3, 3), (0, 0), (0, 0))
    assert full.decide(after_six, room=3).action is Action.STAY
    assert full.decide(after_six, room=2).reason == "cap reached, inconclusive"
    assert full.decide(after_six, room=2).level == NO_LEVEL
    done = Counts(1, (3, 6), (0, 0), (0, 0))
    assert full.decide(done, room=0).level == 1


def test_a_rule_with_an_answer_at_the_cap_gives_it() -> None:
    class Cautious(ThreePlusThreeRule):
        has_answer_at_cap = True

        def recommend(self, cut: DataCut) -> np.ndarray:
            return np.zeros_like(cut.level)

    committee = Committee(small(rule__variant="C"), Cautious("C"))
    decision = committee.decide(Counts(1, (3, 3), (0, 0), (0, 0)), room=0)
    assert (decision.action, decision.level, decision.reason) == (Action.STOP, 0, "cap reached")
