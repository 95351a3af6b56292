"""Rules, limits and stopping rules that cannot be: each message names rule, parameter and what is allowed."""

# ruff: noqa: E501

from __future__ import annotations

from typing import Any

import pytest

from escalate import ScenarioError
from small import small

CRM = {"name": "CRM", "target": 0.25, "skeleton": [0.1, 0.25]}
BLRM = {"name": "BLRM", "doses": [1.0, 2.0]}
BOIN = {"name": "BOIN", "target": 0.25}
TABLE = {"name": "table", "target": 0.25}

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "skeleton not increasing": (CRM | {"skeleton": [0.25, 0.1]}, "rule.skeleton = [0.25, 0.1]: skeleton must increase from level to level"),
    "skeleton with a tie": (CRM | {"skeleton": [0.1, 0.1]}, "skeleton must increase from level to level"),
    "skeleton of another length": (CRM | {"skeleton": [0.1, 0.2, 0.3]}, "rule.skeleton = [0.1, 0.2, 0.3]: has 3 values, and there are 2 dose levels"),
    "skeleton outside (0, 1)": (CRM | {"skeleton": [0.0, 0.2]}, "rule.skeleton[1] = 0.0: must be greater than 0"),
    "no skeleton": ({"name": "CRM", "target": 0.25}, "skeleton is needed, or prior_mtd_level to compute one, and not both"),
    "two skeletons": (CRM | {"prior_mtd_level": 1}, "skeleton is needed, or prior_mtd_level to compute one, and not both"),
    "guess of a level that does not exist": ({"name": "CRM", "target": 0.25, "prior_mtd_level": 3}, "rule.prior_mtd_level = 3: there are 2 dose levels: allowed are 1 to 2"),
    "indifference beyond 0": ({"name": "CRM", "target": 0.05, "prior_mtd_level": 1, "halfwidth": 0.1}, "rule.halfwidth = 0.1: halfwidth must leave the interval around the target inside (0, 1), got -0.05 to 0.15"),
    "skeleton that runs to 0": ({"name": "CRM", "target": 0.5, "prior_mtd_level": 2, "halfwidth": 0.4999999}, "rule.halfwidth = 0.4999999: the skeleton computed for 2 levels runs to 0 or 1"),
    "target of 1": (CRM | {"target": 1.0}, "rule.target = 1.0: must be at most 0.9. It means: Target DLT probability"),
    "target of 0": (BOIN | {"target": 0.0}, "rule.target = 0.0: must be at least 0.01"),
    "prior without spread": (CRM | {"prior_sd": 0.0}, "rule.prior_sd = 0.0: must be at least 0.01"),
    "logistic curve that cannot reach the skeleton": (CRM | {"model": "logistic", "intercept": -2.0}, "lets the logistic curve reach 0.119203 at most"),
    "estimate unknown": (CRM | {"estimate": "median"}, "rule.estimate = \"median\": must be 'bayes' or 'maximum_likelihood'"),
    "p_saf at the target": (BOIN | {"p_saf": 0.25}, "p_saf < target < p_tox < 1 is needed"),
    "p_tox below the target": (BOIN | {"p_tox": 0.2}, "p_saf < target < p_tox < 1 is needed"),
    "share of pending above 1": ({"name": "TITE-BOIN", "target": 0.25, "most_pending_share": 1.5}, "rule.most_pending_share = 1.5: must be at most 1"),
    "correlation of 1": (BLRM | {"correlation": 1.0}, "rule.correlation = 1.0: must be at most 0.9999. It means: Prior correlation of log alpha and log beta, from -0.9999 to 0.9999"),
    "negative standard deviation": (BLRM | {"sd_log_alpha": -1.0}, "rule.sd_log_alpha = -1.0: must be at least 0.001"),
    "intervals turned around": (BLRM | {"target_from": 0.4}, "target_from must be smaller than overdose_from"),
    "doses not increasing": (BLRM | {"doses": [2.0, 1.0]}, "doses must increase from level to level"),
    "doses missing": ({"name": "BLRM"}, "rule.doses: is missing, and the dose levels have no `cells` to take instead"),
    "rolling table unknown": ({"name": "rolling six", "table": "mine"}, "rule.table = \"mine\": must be 'published' or 'package'"),
    "option of another rule": ({"name": "rolling six", "target": 0.25}, "rule.target = 0.25: does not belong to the kind that is chosen here"),
    "empty table": (TABLE, "decisions: there are none; name a file, or write them as 3 = \"E S D DU\""),
    "short line": (TABLE | {"decisions": {"3": "E S D"}}, "has 3 decisions; 4 are needed, for 0 to 3 DLTs"),
    "line of nobody": (TABLE | {"decisions": {"0": "E"}}, "`0` is not a number of evaluable patients, from 1"),
    "letters unknown": (TABLE | {"decisions": {"3": "E S D X"}}, "letters are E, S, D, DU"),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "says"), BAD.values(), ids=BAD)
def test_rule(rule: dict[str, Any], says: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        small(rule=rule)
    problems = [str(problem) for problem in caught.value.problems]
    assert any(says in problem for problem in problems), problems
    assert all(problem.startswith("rule") for problem in problems)


AROUND: dict[str, tuple[dict[str, Any], str]] = {
    "stops before the first cohort": ({"rule": BOIN, "stopping": {"most_patients": 2}}, "stopping.most_patients = 2: stops the trial before the first cohort of 3; at least 3 is needed"),
    "a rule with nothing to be precise about": ({"stopping": {"interval_width": 0.3}}, "stopping.interval_width = 0.3: has no effect: 3+3 has no dose to recommend before it has finished"),
    "titration beyond the last level": ({"titration": {"last_level": 3}}, "titration.last_level = 3: there are 2 dose levels: allowed are 1 to 2"),
    "no skipping unknown": ({"limits__no_skipping": "always"}, "limits.no_skipping = \"always\": must be 'last_given', 'highest_given' or 'off'"),
    "coherence unknown": ({"limits__coherence": "yes"}, "limits.coherence = \"yes\": must be 'by_rule', 'off', 'last_cohort', 'last_level' or 'after_dlt'"),
    "a level for nobody": ({"limits__most_per_level": 0}, "limits.most_per_level = 0: must be at least 1"),
    "certain toxicity": ({"stopping__too_toxic_probability": 1.0}, "stopping.too_toxic_probability = 1.0: must be less than 1"),
    "unknown key": ({"stopping": {"enough_at_a_level": 6}}, "stopping.enough_at_a_level = 6: unknown key. Did you mean `enough_at_level`?"),
    "last cohort unknown": ({"trial__last_cohort": "half"}, "trial.last_cohort = \"half\": must be 'whole' or 'partial'"),
    "nobody may wait": ({"accrual__most_waiting": 0}, "accrual.most_waiting = 0: must be at least 1"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "says"), AROUND.values(), ids=AROUND)
def test_what_goes_around_a_rule(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        small(**changes)
    assert any(says in str(problem) for problem in caught.value.problems), [str(p) for p in caught.value.problems]


def test_every_problem_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        small(rule=CRM | {"target": 2.0, "prior_sd": -1.0, "skeletn": 3}, limits__coherence="yes")
    told = "\n".join(str(problem) for problem in caught.value.problems)
    for key in ("rule.target", "rule.prior_sd", "rule.skeletn", "limits.coherence"):
        assert key in told
