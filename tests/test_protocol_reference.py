"""Titration, limits and stopping rules around a rule: exact results against every path of a second implementation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import fsum
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import reference_protocol
from escalate import Scenario, dose_paths, exact
from escalate.scenario.own_rules import Known
from escalate.scenario.own_rules import rule as register
from escalate.words.records import NO_DOSE
from reference_protocol import End, Protocol, leap
from small import small

CLOSE = {"rel": 0, "abs": 1e-12}
"""Some hundred paths, each a product of at most a dozen factors, are added up: rounding stays below 1e-13."""


@register(target=0.3)
def leaps(known: Known) -> int:
    """The bold rule of `reference_protocol`."""
    return min(max(known.level + leap(known.n, known.y), 1), known.levels)


@st.composite
def protocols(draw: st.DrawFn) -> Scenario:
    """Draw a small scenario of whole cohorts with titration, limits and stopping rules in every combination.

    Hypothesis likes the first of several choices best: trials with many paths stand first.
    """
    levels = draw(st.sampled_from([4, 3, 2, 1]))
    cohort_size = draw(st.sampled_from([3, 3, 2, 1, 4]))
    target = draw(st.sampled_from([0.25, 0.3]))
    counted = {"target": target, "eliminate_from": draw(st.sampled_from([3, 1, 2])),
               "elimination_cutoff": draw(st.sampled_from([0.95, 0.9, 0.8]))}  # fmt: skip
    rule = draw(st.sampled_from([{"python": "leaps"}, {"name": "BOIN", **counted}, {"name": "i3+3", **counted}]))
    titration = draw(st.sampled_from(["none", "none", "none", None, None, *range(1, levels + 1)]))
    limits = {
        "no_skipping": draw(st.sampled_from(["off", "highest_given", "last_given"])),
        "no_skipping_down": draw(st.booleans()),
        "coherence": draw(st.sampled_from(["off", "last_cohort", "last_level", "after_dlt"])),
        "most_per_level": draw(st.sampled_from([None, None, None, 6, 5, 4, 1])),
    }
    stopping = {
        "enough_at_level": draw(st.sampled_from([None, None, None, 6, 4, 3])),
        "enough_when": draw(st.sampled_from(["staying", "any_move"])),
        "interval_width": draw(st.sampled_from([None, None, None, 0.5, 0.62, 0.75])),
        "most_patients": draw(st.sampled_from([None, None, None, 7, 8, cohort_size])),
        "too_toxic_probability": draw(st.sampled_from([None, None, None, 0.9, 0.7])),
    }
    if stopping["too_toxic_probability"] is not None:
        stopping["too_toxic_above"] = draw(st.sampled_from([None, 0.2, 0.5]))
    most = {1: 7, 2: 10, 3: 13, 4: 14}[cohort_size]
    return small(
        dose_levels=[{"label": f"dose {level}"} for level in range(1, levels + 1)],
        toxicity__dlt_probability=draw(
            st.lists(st.sampled_from([0.3, 0.3, 0.2, 0.5, 0.5, 0.0, 1.0]), min_size=levels, max_size=levels)
        ),
        trial__planned_patients=max(most - draw(st.sampled_from([0, 0, 1, 2, 3, most])), cohort_size),
        trial__last_cohort=draw(st.sampled_from(["whole", "partial"])),
        safety__cohort_size=cohort_size,
        safety__start_level=draw(st.integers(1, levels)),
        rule=rule,
        titration=None if titration == "none" else {"last_level": titration},
        limits=limits,
        stopping=stopping,
    )


def assert_agrees(scenario: Scenario) -> list[End]:
    """Compare all that `exact` and `dose_paths` say of a scenario."""
    ends = list(Protocol(scenario).ends())
    found, listed = exact(scenario), dose_paths(scenario)
    label = {None: NO_DOSE} | {level: dose.label for level, dose in enumerate(scenario.dose_levels)}
    assert {(p.path, p.recommended, p.reason) for p in listed} == {
        (end.told, label[end.stop.level], end.stop.reason) for end in ends
    }
    assert {p.path: p.probability for p in listed} == pytest.approx({e.told: e.probability for e in ends}, **CLOSE)
    assert found.paths == len(listed) == len(ends)

    levels = range(scenario.levels)
    assert distribution(ends, (end.stop.level for end in ends)) == pytest.approx(
        {level: q for level, q in zip([*levels, None], [*found.recommended, found.no_dose], strict=True) if q}, **CLOSE
    )
    assert distribution(ends, (end.stop.reason for end in ends)) == pytest.approx(found.reasons, **CLOSE)
    assert distribution(ends, (sum(c.patients for c in end.cohorts) for end in ends)) == pytest.approx(
        found.total, **CLOSE
    )
    for level in levels:
        for name, at_level in (("patients", found.evaluable_at_level), ("dlts", found.dlts_at_level)):
            numbers = (sum(getattr(c, name) for c in end.cohorts if c.level == level) for end in ends)
            assert distribution(ends, numbers) == pytest.approx(at_level[level], **CLOSE)
    return ends


def distribution(ends: list[End], values: Iterable[Any]) -> dict[Any, float]:
    """Return the probability of each value, one given for each end."""
    parts = defaultdict(list)
    for end, value in zip(ends, values, strict=True):
        parts[value].append(end.probability)
    return {value: fsum(q) for value, q in parts.items()}


def test_exact_results_agree_with_every_path_of_the_reference() -> None:
    seen: set[str] = set()

    @settings(max_examples=250, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(protocols())
    def agrees(scenario: Scenario) -> None:
        seen.update(end.stop.reason for end in assert_agrees(scenario))

    agrees()
    reasons = {value for name, value in vars(reference_protocol).items() if name.isupper() and isinstance(value, str)}
    assert seen == reasons


TITRATIONS: dict[str, Any] = {"no titration": None, "titration": {}, "titration to level 2": {"last_level": 2}}
LIMITS: dict[str, dict[str, Any]] = {
    "last given": {},
    "highest given": {"no_skipping": "highest_given"},
    "free": {"no_skipping": "off"},
    "free upwards": {"no_skipping": "off", "no_skipping_down": True},
    "last cohort": {"no_skipping": "off", "coherence": "last_cohort"},
    "last level": {"no_skipping": "highest_given", "coherence": "last_level"},
    "after a DLT": {"coherence": "after_dlt", "no_skipping_down": True},
    "five per level": {"no_skipping": "off", "most_per_level": 5},
}
STOPPING: dict[str, dict[str, Any]] = {
    "no stopping rule": {},
    "too toxic": {"too_toxic_probability": 0.8},
    "enough, staying": {"enough_at_level": 6},
    "enough, any move": {"enough_at_level": 4, "enough_when": "any_move", "too_toxic_probability": 0.9},
    "precise": {"interval_width": 0.61, "enough_at_level": 3},
    "most": {"most_patients": 8, "enough_at_level": 3},
}


@pytest.mark.parametrize("titration", TITRATIONS.values(), ids=TITRATIONS)
@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
def test_a_bold_rule_within_limits_agrees(titration: dict[str, Any] | None, limits: dict[str, Any]) -> None:
    """With every stopping rule; the rule alone would go two levels up and three down."""
    for stopping in STOPPING.values():
        assert_agrees(
            small(
                dose_levels=[{"label": f"dose {level}"} for level in range(1, 5)],
                toxicity__dlt_probability=[0.2, 0.3, 0.4, 0.5],
                trial__planned_patients=11,
                trial__last_cohort="partial",
                rule={"python": "leaps"},
                titration=titration,
                limits=limits,
                stopping=stopping,
            )
        )
