"""What the kernel leaves out of its questions can change no answer; and what it does not ask again has not changed."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st

from escalate import Scenario
from escalate.committee.committee import Committee
from escalate.committee.protocol import ProtocolRule
from escalate.kernel.answers import Answers
from escalate.kernel.codes import HEAD
from escalate.kernel.compiled import is_available
from escalate.kernel.questions import complete, simplify
from escalate.kernel.rooms import Lists
from escalate.rules import rule_for
from escalate.scenario.own_rules import Known, rule
from escalate.words.data_cut import Counts, DataCut
from escalate.words.records import Decisions
from small import lymphodepletion, small
from strategies import any_rule
from test_engines_agree import COMPILES, assert_same, by_kernel, by_simpy

MOST = 12
SKELETON = [0.08, 0.16, 0.27, 0.4]


def chosen(levels: int, rule: dict[str, Any], **changes: Any) -> Scenario:
    zero = [0.0] * levels
    labels = [{"label": str(level)} for level in range(levels)]
    return small(dose_levels=labels, toxicity__dlt_probability=zero, rule=rule, **changes)


def counts(draw: st.DrawFn, levels: int, pending: bool) -> tuple[list[int], list[int], list[int]]:
    n = draw(st.lists(st.integers(0, MOST - 4), min_size=levels, max_size=levels))
    y = [draw(st.integers(0, most)) for most in n]
    c = [draw(st.integers(0, 4)) if pending else 0 for _ in n]
    return n, y, c


def random_cuts(scenario: Scenario, number: int, generator: np.random.Generator) -> DataCut:
    shape = (number, scenario.levels)
    n, c = generator.integers(0, MOST - 4, shape), generator.integers(0, 3, shape) * generator.integers(0, 2, shape)
    y = generator.binomial(n, generator.choice([0.1, 0.3, 0.6], shape))
    level = generator.integers(0, scenario.levels, number)
    here = np.arange(number), level
    still_open = np.maximum(level + 1, generator.integers(1, scenario.levels + 1, number))
    last = {"last_evaluable": n[here], "last_dlts": y[here]}
    return DataCut.of(level, n, y, c, 0.5 * c, open_levels=still_open, **last)


def simplified(rule: ProtocolRule, cut: DataCut, alike: np.ndarray) -> DataCut:
    """The kernel's `simplify`, in arrays."""
    other = np.arange(cut.evaluable.shape[1]) != cut.level[:, np.newaxis]
    n = cut.evaluable + rule.rolling * other * cut.pending
    pending_alone = (cut.pending > 0) & (n == 0) & (not rule.rolling)
    found = alike[np.arange(n.shape[1]), n, cut.dlts]
    c = np.where(other, pending_alone, cut.pending)
    return replace(
        cut,
        evaluable=np.where(other, found[..., 0], n),
        dlts=np.where(other, found[..., 1], cut.dlts),
        pending=c,
        followup=np.where(c > 0, cut.followup, 0.0),
    )


def assert_same_decisions(one: Decisions, other: Decisions, leaves_level: np.ndarray) -> None:
    words, same = (np.array(each.reasons)[each.reason] for each in (one, other))
    assert np.array_equal(words, same)
    assert np.array_equal(one.action, other.action)
    assert np.array_equal(one.patients, other.patients)
    assert np.array_equal(one.open_levels, other.open_levels)
    assert np.array_equal(one.level[~leaves_level], other.level[~leaves_level])


READS_ALL = ("titration", "limits.most_per_level", "stopping.most_patients", "stopping.interval_width")


@seed(5)
@settings(max_examples=120, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(any_rule(), st.booleans())
def test_decisions_are_the_same_on_counts_that_are_alike(scenario: Scenario, plain: bool) -> None:
    if plain:
        scenario = scenario.replace(dict.fromkeys((*READS_ALL, "stopping.enough_at_level")))
    committee = Committee(scenario)
    alike = committee.rule.alike(MOST)
    assume(alike is not None and scenario.levels > 1)
    cut = random_cuts(scenario, 300, np.random.default_rng(1))
    other, room, outstanding = simplified(committee.rule, cut, alike), np.full(300, MOST), np.full(300, 3)
    one, same = (committee.decide_many(each, room) for each in (cut, other))
    assert_same_decisions(one, same, committee.leave_level(one))
    assert np.array_equal(committee.rule.closes_expansion(cut), committee.rule.closes_expansion(other))
    assert np.array_equal(committee.alone(cut, outstanding), committee.alone(other, outstanding))
    if scenario.early_decision:
        for ask in (committee.may_be_forced, committee.forced_many):
            assert np.array_equal(ask(cut, outstanding), ask(other, outstanding))


@pytest.mark.parametrize(
    ("rule", "number"),
    [({"name": "BOIN", "target": 0.25}, 3), ({"name": "3+3", "variant": "B"}, 12), ({"name": "rolling six"}, None),
     ({"name": "TITE-BOIN", "target": 0.25}, 3), ({"name": "CRM", "target": 0.25, "skeleton": SKELETON}, None)],
)  # fmt: skip
def test_how_many_kinds_of_levels_a_rule_tells_apart(rule: dict[str, Any], number: int | None) -> None:
    """BOIN: untried, tried, eliminated. 3+3: up to six patients, and whether at least two of two or more had a DLT."""
    alike = ProtocolRule(chosen(4, rule)).alike(MOST)
    assert (alike is None) == (number is None)
    if alike is not None:
        cells = [tuple(alike[1, n, y]) for n in range(MOST + 1) for y in range(n + 1)]
        assert len(set(cells)) == number
        assert alike.shape == (4, MOST + 1, MOST + 1, 2)


@pytest.mark.parametrize(
    "around",
    [{"titration": {}}, {"limits": {"most_per_level": 9}}, {"stopping": {"most_patients": 9}},
     {"stopping": {"interval_width": 0.4}}, {"stopping": {"enough_at_level": 9}, "safety__early_decision": True}],
)  # fmt: skip
def test_a_protocol_that_reads_counts_tells_all_apart(around: dict[str, Any]) -> None:
    assert ProtocolRule(chosen(2, {"name": "BOIN", "target": 0.25}, **around)).alike(MOST) is None


def test_toxicity_at_the_lowest_level_is_read_from_its_counts() -> None:
    alike = ProtocolRule(chosen(3, {"name": "BOIN", "target": 0.25}, stopping={"too_toxic_probability": 0.9})).alike(
        MOST
    )
    assert alike is not None
    cells = [(n, y) for n in range(MOST + 1) for y in range(n + 1)]
    assert all(tuple(alike[0, n, y]) == (n, y) for n, y in cells)
    assert tuple(alike[1, 5, 0]) == (1, 0)


FORCED_RULES: dict[str, dict[str, Any]] = {
    "3+3": {"name": "3+3", "variant": "B"},
    "BOIN": {"name": "BOIN", "target": 0.25},
    "CRM": {"name": "CRM", "target": 0.25, "skeleton": SKELETON},
    "BLRM": {"name": "BLRM", "doses": [1.0, 2.0, 4.0, 7.0], "sd_log_alpha": 1.0, "sd_log_beta": 0.7},
}


@pytest.mark.parametrize("name", FORCED_RULES)
@pytest.mark.parametrize("replaces", [True, False])
def test_forced_by_every_completion(name: str, replaces: bool) -> None:
    """By its definition: every number of further DLTs, and of outcomes if nobody is replaced, de-escalates alike."""
    scenario = chosen(4, FORCED_RULES[name], limits={"no_skipping_down": False}, safety__replace_non_evaluable=replaces)
    committee, rule = Committee(scenario), ProtocolRule(scenario)
    forced_by_all, left_differently = 0, 0
    for below, y_below, n, y, outstanding in itertools.product((3, 6), (0, 1, 2), (1, 2, 3), (0, 1, 2, 3), (1, 2, 3)):
        if y > n:
            continue
        known = Counts(2, (3, below, n, 0), (0, y_below, y, 0), (0, 0, 0, 0))
        sizes = [outstanding] if replaces else range(outstanding + 1)
        answers = [
            rule.decide(DataCut.of(2, (3, below, n + more, 0), (0, y_below, y + dlts, 0))).one()
            for more in sizes
            for dlts in range(more + 1)
        ]
        all_down = all(answer.level < 2 for answer in answers)
        the_same = len({(answer.action, answer.level) for answer in answers}) == 1
        assert committee.is_forced(known, outstanding) == (all_down and the_same), (known, outstanding)
        forced_by_all += all_down and the_same
        left_differently += all_down and not the_same
    assert forced_by_all
    assert left_differently or name in ("3+3", "BOIN")


@pytest.mark.parametrize("ends", ["expand", "stop"])
@pytest.mark.parametrize("name", ["3+3", "BOIN", "CRM"])
@pytest.mark.parametrize("compiles", COMPILES)
def test_a_forced_decision_while_somebody_is_on_the_way(name: str, ends: str, compiles: bool) -> None:
    """What the cap leaves then depends on what is decided: the committee is asked twice about one data cut."""
    scenario = small(
        rule=FORCED_RULES[name] | ({"skeleton": [0.2, 0.4]} if name == "CRM" else {}),
        stopping={"too_toxic_above": 0.3, "expansion_too_toxic_probability": 0.9} if ends == "expand" else {},
        treatment__lymphodepletion=lymphodepletion(12),
        safety__cohort_size=6,
        safety__stagger_days=3,
        safety__when_rule_finished=ends,
        toxicity={"dlt_probability": [0.3, 0.6], "onset": {"kind": "list", "days": [0, 1, 2, 5]}},
        accrual={"kind": "poisson", "consents_per_month": 60.0},
        trial__planned_patients=14,
    )
    assert_same(by_kernel(scenario, 300, compiles=compiles), by_simpy(scenario, 300))


@pytest.mark.parametrize("coherence", ["after_dlt", "last_level"])
def test_the_last_cohort_is_what_it_is_in_both_engines(coherence: str) -> None:
    """After one DLT in three, none in the next three: who reads the last cohort goes up, who reads all does not."""
    scenario = small(
        rule={"name": "3+3"} if coherence == "after_dlt" else FORCED_RULES["BOIN"],
        limits={"coherence": coherence},
        toxicity={"dlt_probability": [0.3, 0.3]},
        accrual={"kind": "poisson", "consents_per_month": 10.0},
    )
    assert_same(by_kernel(scenario, 200), by_simpy(scenario, 200))


class Told(NamedTuple):
    """Of `Protocol` and of `Tables`, what questions are written from."""

    levels: int
    rolling: int
    question: list[int]
    alike: list[Any]
    longest_window: int = 28


@pytest.mark.parametrize("rule", [{"name": "TITE-BOIN", "target": 0.25}, {"name": "BOIN", "target": 0.25}])
def test_the_kernel_writes_counts_that_are_alike_in_one_way(rule: dict[str, Any]) -> None:
    scenario = chosen(4, rule)
    protocol = ProtocolRule(scenario)
    alike = protocol.alike(MOST)
    assert alike is not None
    cut = random_cuts(scenario, 200, np.random.default_rng(2))
    truth = simplified(protocol, cut, alike)
    for row in range(200):
        parts = (part[row].tolist() for part in (cut.evaluable, cut.dlts, cut.pending))
        question = [0, 0, 0, int(cut.level[row]), 0, 0, 4, *itertools.chain(*parts)]
        told = Told(4, int(protocol.rolling), question, alike.tolist())
        simplify(told, told)  # type: ignore[arg-type]
        expected = (part[row].tolist() for part in (truth.evaluable, truth.dlts, truth.pending))
        assert told.question[HEAD:] == list(itertools.chain(*expected))


def test_the_kernel_completes_a_cohort_as_the_committee_does() -> None:
    """Pending at level 2 for 3 and 28 of 28 days and at level 1 for 7; one lost at level 2; two more to come there."""
    scenario = chosen(
        2,
        {"name": "TITE-CRM", "target": 0.25, "skeleton": SKELETON[:2]},
        safety__dlt_window_days=28,
        follow_up__days=28,
    )
    answers = Answers(scenario, Committee(scenario), Lists())
    answers.forget(8)
    lost, dlt = 2 * 29, 4 * 29
    people = [1 + 2 * 3, 0 + 2 * 7, 1 + 2 * 28, lost + 1 + 2 * 5, dlt + 2 * 2, -1, -1, -1]
    question = [0, 4, 0, 1, 0, 0, 2, 4, 2, 1, 0, 1, 2, *people]
    told = Told(2, 1, list(question), [])
    complete(told, told)  # type: ignore[arg-type]
    found = answers._cut(np.array([told.question]))
    truth = answers._cut(np.array([question])).completed(np.array([4]), np.array([0]))
    for name in ("level", "evaluable", "dlts", "pending", "followup"):
        assert np.array_equal(getattr(found, name), getattr(truth, name)), name
    assert found.evaluable.tolist() == [[4, 6]]
    assert found.partial is not None and truth.partial is not None
    for partial in (found.partial, truth.partial):
        people = zip(partial.level[0].tolist(), partial.share[0].tolist(), partial.lost[0].tolist(), strict=True)
        assert sorted(person for person in people if person[0] >= 0) == [(0, 0.25, False), (1, 5 / 28, True)]


@pytest.mark.parametrize("delay", [0, 12])
@pytest.mark.parametrize("name", ["CRM", "TITE-CRM"])
def test_bad_news_that_no_decision_has_seen(name: str, delay: int) -> None:
    """After a forced decision, and between data cut and meeting, a monotone rule is asked again all the same."""
    scenario = small(
        dose_levels=[{"label": str(level)} for level in range(4)],
        rule={"name": name, "target": 0.2, "skeleton": SKELETON},
        toxicity={"dlt_probability": [0.15, 0.3, 0.5, 0.7]},
        safety__cohort_size=4,
        safety__stagger_days=2,
        safety__review_delay_days=delay,
        attrition={"drop_out_per_year": 0.5},
        accrual={"kind": "poisson", "consents_per_month": 40.0},
        trial__planned_patients=24,
    )
    assert_same(by_kernel(scenario, 400, compiles=is_available()), by_simpy(scenario, 400))


TIMID: dict[str, Any] = {"target": 0.2, "skeleton": [0.2, 0.6], "prior_sd": 0.3}  # leaves level 2 on the prior alone


def lost(*patients: int) -> list[dict[str, Any]]:
    return [{"patient": patient, "drop_out_day": 1, "dlt": False} for patient in patients]


def fates(*days: int | None) -> list[dict[str, Any]]:
    fate = {"dlt": False}
    return [
        {"patient": k, "drop_out": False, **(fate if day is None else {"dlt_day": day})}
        for k, day in enumerate(days, 1)
    ]


@rule
def up_on_toxicity(known: Known) -> str:
    if known.level == 1:
        return "escalate" if known.y >= 1 else "stay"
    return "de-escalate" if known.n in (3, 6) else "stay"


NOT_CALM: dict[str, dict[str, Any]] = {
    "nobody's data, CRM": {
        "rule": {"name": "CRM", **TIMID},
        "safety__start_level": 2,
        "safety__replace_non_evaluable": False,
        "accrual": {"kind": "fixed", "consent_days": list(range(0, 800, 7))},
        "what_if": lost(1, 2, 3),
    },
    "nobody's data, TITE-CRM": {
        "rule": {"name": "TITE-CRM", **TIMID},
        "safety__start_level": 2,
        "safety__cohort_size": 2,
        "accrual": {"kind": "fixed", "consent_days": [0, 0, 28, 29, *range(128, 800, 9)]},
        "what_if": lost(1, 2),
    },
    "too toxic with the first outcome": {
        "rule": {"name": "TITE-CRM", **TIMID},
        "stopping": {"too_toxic_probability": 0.1},
        "accrual": {"kind": "fixed", "consent_days": list(range(0, 800, 4))},
    },
    "an earlier cohort of the level": {
        "rule": {"python": "up_on_toxicity"},
        "safety__start_level": 2,
        "toxicity__dlt_probability": [0.5, 0.5],
        "accrual": {"kind": "fixed", "consent_days": [0, 0, 1, 3, 3, 3, 6, 6, 6, *range(40, 400, 7)]},
        "what_if": fates(2, None, None, 2, 2, 2, None, None, None),
        "trial__planned_patients": 15,
        "trial__max_days": 400,
    },
}


@pytest.mark.parametrize("case", NOT_CALM)
def test_a_decision_may_be_forced_by_good_news(case: str) -> None:
    scenario = small(**{"trial__planned_patients": 12} | NOT_CALM[case])
    assert_same(by_kernel(scenario, 1), by_simpy(scenario, 1))


@st.composite
def better_news(draw: st.DrawFn) -> tuple[Scenario, Counts, Counts]:
    """A TITE-CRM trial with pending patients, and the same one later: outcomes without a DLT, and time."""
    days = 100
    options = {
        "weights": draw(st.sampled_from(["linear", "adaptive"])),
        "estimate": draw(st.sampled_from(["bayes", "maximum_likelihood"])),
        "model": draw(st.sampled_from(["empiric", "logistic"])),
    }
    scenario = chosen(
        3, {"name": "TITE-CRM", "target": draw(st.sampled_from([0.2, 0.3])), "skeleton": SKELETON[:3], **options},
        safety__dlt_window_days=days, follow_up__days=days,
    )  # fmt: skip
    n, y, c = counts(draw, 3, pending=True)
    level = draw(st.integers(0, 2))
    seen, later, done = [], [], list(n)
    for at in range(3):
        for _ in range(c[at]):
            first = draw(st.integers(0, days - 1))
            seen.append((at, first))
            if draw(st.booleans()):
                done[at] += 1
            else:
                later.append((at, draw(st.integers(first, days))))
    dlts = sorted(draw(st.lists(st.integers(0, days), min_size=sum(y), max_size=sum(y))))
    dlt_days, windows = tuple((0, day) for day in dlts), (days,) * 3
    left = [c[at] - (done[at] - n[at]) for at in range(3)]
    one, two = (
        Counts(level, tuple(n), tuple(y), tuple(c), seen=tuple(sorted(seen)), dlt_days=dlt_days, windows=windows),
        Counts(level, tuple(done), tuple(y), tuple(left), seen=tuple(sorted(later)), dlt_days=dlt_days,
               windows=windows),
    )  # fmt: skip
    return scenario, one, two


@seed(3)
@settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(better_news())
def test_a_monotone_rule_does_not_come_down_on_better_news(drawn: tuple[Scenario, Counts, Counts]) -> None:
    scenario, before, after = drawn
    asked = rule_for(scenario)
    assert asked.monotone
    one, two = (asked.decide(DataCut.gather([each])).one(0) for each in (before, after))
    assert two.level >= min(one.level, before.level)


def test_what_goes_where_the_rule_would_not_is_not_monotone() -> None:
    crm = {"name": "CRM", "target": 0.25, "skeleton": SKELETON}
    assert ProtocolRule(chosen(4, crm)).monotone
    assert not ProtocolRule(chosen(4, crm, titration={})).monotone
    assert not ProtocolRule(chosen(4, crm, limits={"no_skipping_down": True})).monotone
    assert not ProtocolRule(chosen(4, FORCED_RULES["BLRM"])).monotone
