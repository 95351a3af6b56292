"""CRM, TITE-CRM and BLRM against a second implementation, written from the papers' formulas alone.

`reference_model_rules` integrates adaptively, one data set at a time; here both are asked about every pair of counts
that trials of two levels and nine patients can reach, and about random data of more levels with patients pending.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import reference_model_rules as reference
from escalate.errors import RuleError
from escalate.rules.blrm import BlrmRule
from escalate.rules.blrm import _grid as remembered_grids
from escalate.rules.crm import STEPS_FOR_MEAN, STEPS_FOR_PROBABILITY, CrmRule, adaptive
from escalate.words.data_cut import DataCut, Partial
from escalate.words.records import NO_LEVEL, Action

SKELETONS = {2: (0.16, 0.25), 4: (0.08, 0.16, 0.25, 0.36)}
CLOSE = {"rel": 0, "abs": 1e-9}


def reachable(cohort: int) -> list[tuple[list[int], list[int]]]:
    """Return evaluable patients and DLTs at two levels, for every trial of at most nine patients in such cohorts."""
    patients = list(range(0, 10, cohort))
    counts = [(n, y) for n in patients for y in range(n + 1)]
    return [([a[0], b[0]], [a[1], b[1]]) for a, b in itertools.product(counts, counts) if 0 < a[0] + b[0] <= 9]


@pytest.mark.parametrize("model", ["empiric", "logistic"])
def test_crm(model: Any) -> None:
    """Estimates, choice, beliefs: every pair of counts in cohorts of three, and every pair of single patients."""
    rule = CrmRule(name="CRM", target=0.25, skeleton=SKELETONS[2], model=model, recommend_untried=True)
    data = reachable(3) + reachable(1)[::5]
    cut = DataCut.of([0] * len(data), [n for n, _ in data], [y for _, y in data])
    estimates, best = rule.estimates(cut), rule.best_level(cut)
    above = [rule.exceedance(cut, np.full(len(data), level), 0.3) for level in (0, 1)]
    low, high = rule.interval(cut, np.ones(len(data), dtype=np.int64))
    for k, (n, y) in enumerate(data):
        fit = reference.crm(n, y, SKELETONS[2], 0.25, model=model)
        assert estimates[k].tolist() == pytest.approx(fit.ptox, **CLOSE), (n, y)
        assert best[k] == fit.mtd, (n, y)
        assert [above[0][k], above[1][k]] == pytest.approx([fit.exceedance(0, 0.3), fit.exceedance(1, 0.3)], **CLOSE)
        if k % 7 == 0:
            assert [low[k], high[k]] == pytest.approx([fit.quantile(1, 0.025), fit.quantile(1, 0.975)], **CLOSE)


def test_crm_stops_for_toxicity() -> None:
    """Where the model chooses the lowest level and finds it too toxic with 95%; nowhere without."""
    plain = CrmRule(name="CRM", target=0.25, skeleton=SKELETONS[2])
    stops = CrmRule(name="CRM", target=0.25, skeleton=SKELETONS[2], too_toxic_probability=0.95)
    data = reachable(3) + reachable(1)[::5]
    cut = DataCut.of([0] * len(data), [n for n, _ in data], [y for _, y in data])
    decided, without, best = stops.decide(cut), plain.decide(cut), stops.recommend(cut)
    found = 0
    for k, (n, y) in enumerate(data):
        fit = reference.crm(n, y, SKELETONS[2], 0.25)
        too_toxic = fit.mtd == 0 and fit.exceedance(0, 0.25) > 0.95
        found += too_toxic
        assert (decided.one(k).action is Action.STOP) == too_toxic, (n, y)
        assert (best[k] == NO_LEVEL) == (too_toxic or (n[0] == 0 and fit.mtd == 0)), (n, y)
        assert too_toxic or decided.one(k) == without.one(k), (n, y)
        assert stops.decide(DataCut.of(0, n, y)).one() == decided.one(k)
    assert 10 < found < len(data) / 2


def test_crm_by_maximum_likelihood() -> None:
    rule = CrmRule(name="CRM", target=0.25, skeleton=SKELETONS[2], estimate="maximum_likelihood")
    data = reachable(3)
    cut = DataCut.of([0] * len(data), [n for n, _ in data], [y for _, y in data])
    found = rule.parameter(rule.table(cut)[0])[rule.table(cut)[1]]
    for k, (n, y) in enumerate(data):
        fit = reference.crm_mle(n, y, SKELETONS[2], 0.25)
        assert found[k] == pytest.approx(fit.estimate, rel=0, abs=1e-6), (n, y)
        assert rule.best_level(cut)[k] == fit.mtd, (n, y)


def test_crm_decisions_follow_the_estimate() -> None:
    """Up, same or down by where the estimate lies; nobody treated yet stays at the first level."""
    rule = CrmRule(name="CRM", target=0.25, skeleton=SKELETONS[2])
    for level, (n, y) in itertools.product((0, 1), reachable(3)):
        decision = rule.decide(DataCut.of(level, n, y)).one()
        best = reference.crm(n, y, SKELETONS[2], 0.25).mtd
        assert decision.level == best
        assert (
            decision.action == (Action.ESCALATE, Action.STAY, Action.DE_ESCALATE)[1 - (best > level) + (best < level)]
        )
    assert rule.decide(DataCut.of(1, [0, 0], [0, 0])).one().level == 1


def pending_data(generator: np.random.Generator) -> dict[str, Any]:
    """Draw data of four levels with some patients pending, some lost, and the days of DLTs, in a window of 28 days."""
    n = generator.integers(0, 5, 4)
    y = generator.binomial(n, [0.05, 0.15, 0.3, 0.5])
    people = [(int(generator.integers(0, 4)), int(generator.integers(0, 28)), bool(generator.random() < 0.3))
              for _ in range(generator.integers(0, 7))]  # fmt: skip
    days = sorted(int(day) for day in generator.integers(0, 29, int(y.sum())))
    return {"n": n.tolist(), "y": y.tolist(), "people": people, "days": days}


def cut_of(data: dict[str, Any]) -> DataCut:
    people = data["people"]
    partial = Partial(
        level=np.array([[level for level, _, _ in people]], dtype=np.int64),
        share=np.array([[day / 28 for _, day, _ in people]]),
        lost=np.array([[lost for _, _, lost in people]], dtype=np.bool_),
        dlt_share=np.array([[day / 28 for day in data["days"]]]),
    )
    pending = [sum(level == k and not lost for level, _, lost in people) for k in range(4)]
    return DataCut.of([0], [data["n"]], [data["y"]], [pending], partial=partial)


@pytest.mark.parametrize("scheme", ["linear", "adaptive"])
@pytest.mark.parametrize("count_lost", [True, False])
def test_tite_crm(scheme: Any, count_lost: bool) -> None:
    generator = np.random.default_rng(99)
    rule = CrmRule(name="TITE-CRM", target=0.25, skeleton=SKELETONS[4], rolling=True, weights=scheme,
                   count_lost=count_lost, recommend_untried=True)  # fmt: skip
    for _ in range(150):
        data = pending_data(generator)
        cut, days = cut_of(data), data["days"]
        people = [(level, day) for level, day, lost in data["people"] if count_lost or not lost]
        if scheme == "linear":
            weights = [day / 28 for _, day in people]
        else:
            seen = [float(day) for _, day in people] + [float(day) for day in days]
            weights = reference.adaptive_weights(seen, [0] * len(people) + [1] * len(days), 28.0)[: len(people)]
        partial = [(level, weight) for (level, _), weight in zip(people, weights, strict=True)]
        fit = reference.crm(data["n"], data["y"], SKELETONS[4], 0.25, partial=partial)
        assert rule.estimates(cut)[0].tolist() == pytest.approx(fit.ptox, **CLOSE), data
        assert rule.best_level(cut)[0] == fit.mtd, data


def test_adaptive_weights_by_hand() -> None:
    """One DLT after a quarter of the window: half the weight is earned by then, the other half after it."""
    found = adaptive(np.array([[0.125, 0.25, 0.625, 1.0]]), np.array([[0.25]]))
    assert found[0].tolist() == pytest.approx([0.25, 0.5, 0.75, 1.0])


@pytest.mark.parametrize(("correlation", "sd"), [(0.0, (2.0, 1.0)), (-0.5, (1.0, 0.7))])
def test_blrm(correlation: float, sd: tuple[float, float]) -> None:
    doses, mean = (9.0, 13.5), (math.log(0.5), 0.0)
    rule = BlrmRule(doses=doses, reference_dose=13.5, mean=mean, sd=sd, correlation=correlation)
    highest = BlrmRule(doses=doses, reference_dose=13.5, mean=mean, sd=sd, correlation=correlation,
                       choose="highest_allowed")  # fmt: skip
    data = reachable(3)[:: 2 if correlation == 0 else 5]
    cut = DataCut.of([0] * len(data), [n for n, _ in data], [y for _, y in data])
    found = rule.probabilities(cut)
    decided, by_height = rule.decide(cut), highest.decide(cut)
    for k, (n, y) in enumerate(data):
        fit = reference.blrm(n, y, doses, 13.5, mean, sd, correlation)
        expected = (fit.prob_under, fit.prob_target, fit.prob_over)
        for ours, theirs in zip(found, expected, strict=True):
            assert ours[k].tolist() == pytest.approx(theirs, rel=0, abs=2e-7), (n, y)
        for decision, choose in ((decided.one(k), "target"), (by_height.one(k), "highest")):
            best = reference.blrm_choice(fit, choose=choose)
            assert decision.level == (NO_LEVEL if best is None else best), (n, y)
            assert (decision.action is Action.STOP) == (best is None)


def test_blrm_with_more_levels() -> None:
    doses, mean = (1.0, 2.0, 4.0, 8.0), (-1.0, 0.2)
    rule = BlrmRule(doses=doses, reference_dose=4.0, mean=mean, sd=(1.5, 0.8), correlation=0.3)
    for n, y in (([3, 3, 6, 0], [0, 0, 2, 0]), ([6, 6, 6, 12], [0, 1, 1, 5]), ([3, 0, 0, 0], [3, 0, 0, 0])):
        fit = reference.blrm(n, y, doses, 4.0, mean, (1.5, 0.8), 0.3)
        under, target, over = rule.probabilities(DataCut.of(0, n, y))
        assert under.tolist() == pytest.approx(fit.prob_under, rel=0, abs=2e-7)
        assert target.tolist() == pytest.approx(fit.prob_target, rel=0, abs=2e-7)
        assert over.tolist() == pytest.approx(fit.prob_over, rel=0, abs=2e-7)
        assert rule.exceedance(DataCut.of(0, n, y), np.array(2), 0.33) == pytest.approx(
            fit.prob_over[2], rel=0, abs=2e-7
        )


LOG_HALF = math.log(0.5)
NARROW: dict[str, tuple[tuple[float, float], float, list[int], list[int]]] = {
    "correlation 0.99": ((2.0, 1.0), 0.99, [3, 0], [0, 0]),
    "correlation 0.999": ((2.0, 1.0), 0.999, [3, 3], [1, 1]),
    "correlation -0.999": ((2.0, 1.0), -0.999, [6, 3], [0, 2]),
    "correlation 0.9999": ((2.0, 1.0), 0.9999, [3, 3], [0, 1]),
    "correlation -0.95, narrow": ((1.0, 0.5), -0.95, [3, 3], [1, 1]),
    "narrow log alpha": ((0.1, 2.0), 0.0, [3, 0], [0, 0]),
}
"""Standard deviations, correlation, patients and DLTs with which the crossing of a curve moves fast from row to row of
the grid."""


@pytest.mark.parametrize("case", NARROW)
def test_blrm_whatever_the_prior(case: str) -> None:
    """Within 1e-7, which the nested integral promises for itself."""
    sd, correlation, n, y = NARROW[case]
    rule = BlrmRule(doses=(9.0, 13.5), reference_dose=13.5, mean=(LOG_HALF, 0.0), sd=sd, correlation=correlation)
    fit = reference.blrm(n, y, rule.doses, 13.5, rule.mean, sd, correlation)
    under, target, over = rule.probabilities(DataCut.of(0, n, y))
    for ours, theirs in ((under, fit.prob_under), (target, fit.prob_target), (over, fit.prob_over)):
        assert ours.tolist() == pytest.approx(theirs, rel=0, abs=1e-7)


@pytest.mark.parametrize(
    ("mean", "sd", "correlation"), [((-8.0, 0.0), (1.0, 1.0), 0.0), ((-3.0, 1.0), (1.0, 0.5), 0.9)]
)
def test_blrm_with_data_far_from_the_prior(
    mean: tuple[float, float], sd: tuple[float, float], correlation: float
) -> None:
    """Nothing but DLTs in 36 patients: the posterior leaves the usual grid, or is too narrow for it."""
    rule = BlrmRule(doses=(9.0, 13.5), reference_dose=13.5, mean=mean, sd=sd, correlation=correlation)
    fit = reference.blrm([36, 0], [36, 0], rule.doses, 13.5, mean, sd, correlation)
    under, _, over = rule.probabilities(DataCut.of(0, [36, 0], [36, 0]))
    assert under.tolist() == pytest.approx(fit.prob_under, rel=0, abs=1e-7)
    assert over.tolist() == pytest.approx(fit.prob_over, rel=0, abs=1e-7)


def test_blrm_sees_that_a_grid_is_too_coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begun on a third of the nodes, every posterior ends where it ends otherwise."""
    cut = DataCut.of([0] * 3, [[3, 0], [18, 18], [0, 60]], [[0, 0], [3, 9], [0, 5]])
    rules = [BlrmRule(doses=(9.0, 13.5), reference_dose=13.5, mean=(LOG_HALF, 0.0), sd=(2.0, 1.0), correlation=0.5)
             for _ in range(2)]  # fmt: skip
    usual = np.stack(rules[0].probabilities(cut))
    monkeypatch.setattr("escalate.rules.blrm.nodes_for", lambda patients, sd: 41)
    assert np.stack(rules[1].probabilities(cut)) == pytest.approx(usual, rel=0, abs=1e-8)


EXTREMES = [((2.0, 1.0), -0.9), ((1.0, 0.5), 0.99), ((10.0, 0.1), 0.0), ((0.1, 0.1), -0.9)]


@pytest.mark.parametrize(("sd", "correlation"), EXTREMES)
def test_blrm_checks_its_own_grid(sd: tuple[float, float], correlation: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """With stricter checks, and rows twice as near, nothing changes by more than 1e-8, however odd the data."""
    odd = [([3, 0, 0], [0, 0, 0]), ([18, 18, 0], [3, 9, 0]), ([0, 36, 0], [0, 36, 0]), ([0, 0, 60], [0, 0, 60])]

    def found() -> np.ndarray:
        rule = BlrmRule(doses=(1.0, 9.0, 13.5), reference_dose=13.5, mean=(-3.0, 1.0), sd=sd, correlation=correlation)
        return np.array([rule.probabilities(DataCut.of(0, n, y)) for n, y in odd])

    before = found()
    monkeypatch.setattr("escalate.rules.blrm.MOST_NODES", 2401)
    for name, value in (("ROUGH_ALONG", 1e-8), ("ROUGH_ACROSS", 1e-10), ("CUT_OFF", 1e-12), ("NODES_A_STEP", 2.5)):
        monkeypatch.setattr(f"escalate.rules.blrm.{name}", value)
    remembered_grids.cache_clear()
    assert found() == pytest.approx(before, rel=0, abs=1e-8)


def test_blrm_refuses_what_it_cannot_promise() -> None:
    """Sixty DLTs, forty standard deviations from what the prior expects; the message names prior and data."""
    rule = BlrmRule(doses=(1.0, 2.0), reference_dose=1.0, mean=(-40.0, 0.0), sd=(1.0, 1.0), correlation=0.0)
    with pytest.raises(RuleError, match=r"after 60/60, 0/0 DLTs .* cannot be computed to 1e-8: with sd_log_alpha = 1,"):
        rule.probabilities(DataCut.of(0, [60, 0], [60, 0]))


def test_blrm_interval_agrees_with_its_exceedance() -> None:
    rule = BlrmRule(doses=(9.0, 13.5), reference_dose=13.5, mean=(-0.7, 0.0), sd=(2.0, 1.0), correlation=0.0)
    cut, level = DataCut.of(0, [6, 3], [1, 1]), np.array(1)
    low, high = rule.interval(cut, level)
    assert rule.exceedance(cut, level, float(low)) == pytest.approx(0.975, abs=1e-4)
    assert rule.exceedance(cut, level, float(high)) == pytest.approx(0.025, abs=1e-4)


def test_a_finer_grid_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the nodes of the CRM."""
    cut = DataCut.of([0] * 3, [[3, 0], [6, 6], [18, 18]], [[1, 0], [0, 2], [2, 9]])
    before = CrmRule(name="CRM", target=0.25, skeleton=SKELETONS[2]).estimates(cut)
    monkeypatch.setattr("escalate.rules.crm.STEPS_FOR_MEAN", 2 * STEPS_FOR_MEAN)
    after = CrmRule(name="CRM", target=0.25, skeleton=SKELETONS[2]).estimates(cut)
    assert after == pytest.approx(before, rel=0, abs=1e-12)


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_a_finer_grid_changes_nothing_in_the_blrm(correlation: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """On 401 nodes in each direction every probability is the same to 1e-8, which the rule promises, after all DLTs
    that few patients can have, when the grid is coarsest."""
    patients = [[0, 0], [1, 0], [2, 0], [1, 1], [3, 0], [3, 3], [4, 2], [6, 0], [6, 6], [9, 3]]
    seen = [(n, [a, b]) for n in patients for a in range(n[0] + 1) for b in range(n[1] + 1)]
    cut = DataCut.of([0] * len(seen), [n for n, _ in seen], [dlts for _, dlts in seen])

    def found() -> np.ndarray:
        rule = BlrmRule((9.0, 13.5), 13.5, mean=(-0.7, 0.0), sd=(2.0, 1.0), correlation=correlation)
        return np.stack(rule.probabilities(cut))

    before = found()
    monkeypatch.setattr("escalate.rules.blrm.nodes_for", lambda patients, sd: 401)
    assert np.max(np.abs(found() - before)) < 1e-8


@pytest.mark.parametrize("sd", [0.3, math.sqrt(1.34), 3.0, 8.0])
@pytest.mark.parametrize(("model", "intercept"), [("empiric", 3.0), ("logistic", 3.0), ("logistic", -2.0)])
@pytest.mark.parametrize(
    "skeleton", [(0.05, 0.1, 0.2, 0.3, 0.5, 0.7), (0.01, 0.02, 0.95), (0.2, 0.25, 0.3, 0.9), (1e-7, 1e-6, 4e-6)]
)
def test_the_quadrature_suffices(
    skeleton: tuple[float, ...], model: Any, intercept: float, sd: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times the nodes change nothing, for one patient and for thousands, however much at odds with the prior."""
    generator = np.random.default_rng(1)
    n = np.stack(
        [generator.multinomial(most, [1 / len(skeleton)] * len(skeleton)) for most in [1, 9, 36, 200, 3000] * 4]
    )
    y = generator.binomial(n, generator.choice([0.0, 0.02, 0.25, 0.6, 1.0], n.shape))
    cut, level = DataCut.of([0] * len(n), n, y), np.arange(len(n)) % len(skeleton)
    if intercept < 0:  # the curve reaches 1 / (1 + exp(2)) at most
        skeleton = tuple(0.1 * p for p in skeleton)
    rule = CrmRule(name="CRM", target=0.25, skeleton=skeleton, model=model, intercept=intercept, prior_sd=sd)
    before = rule.estimates(cut), rule.exceedance(cut, level, 0.3)
    monkeypatch.setattr("escalate.rules.crm.STEPS_FOR_MEAN", 3 * STEPS_FOR_MEAN)
    monkeypatch.setattr("escalate.rules.crm.STEPS_FOR_PROBABILITY", 3 * STEPS_FOR_PROBABILITY)
    assert rule.estimates(cut) == pytest.approx(before[0], rel=0, abs=1e-12)
    assert rule.exceedance(cut, level, 0.3) == pytest.approx(before[1], rel=0, abs=1e-8)


def test_ties_and_ends() -> None:
    """With no data the estimate is the skeleton: ties go to the lower level, and ends are the end levels."""
    nothing = DataCut.of(0, [0, 0, 0], [0, 0, 0])
    for skeleton, expected in (
        ((0.15, 0.35, 0.5), 0),
        ((0.05, 0.2, 0.3), 1),
        ((0.01, 0.02, 0.03), 2),
        ((0.3, 0.4, 0.5), 0),
    ):
        rule = CrmRule(name="CRM", target=0.25, skeleton=skeleton, recommend_untried=True)
        assert rule.best_level(nothing) == expected, skeleton
