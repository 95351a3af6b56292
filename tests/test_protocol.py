"""What goes with any rule: titration, limits, stopping rules; each by hand, and each with its own reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from escalate import dose_paths, exact, simulate_trial
from escalate.committee.committee import Committee
from escalate.errors import RuleError, ScenarioError
from escalate.nature.draws import Nature
from escalate.results.timeline import milestones
from escalate.rules.base import too_toxic_probability
from escalate.rules.counts import DOWN as RULE_DOWN
from escalate.rules.counts import NOBODY
from escalate.rules.counts import UP as RULE_UP
from escalate.rules.crm import TOO_TOXIC as CRM_TOO_TOXIC
from escalate.rules.crm import UNOBSERVED
from escalate.trial.conduct import Conduct
from escalate.words.data_cut import Counts
from escalate.words.records import NO_LEVEL, Action, Decision
from small import lymphodepletion, small

BOIN = {"name": "BOIN", "target": 0.25}
CRM = {"name": "CRM", "target": 0.25, "skeleton": [0.02, 0.04, 0.06, 0.25]}
"""A steep guess: without limits the dose rises from the first level to the last."""
MANY = 10**6
CLOSE = {"rel": 0, "abs": 1e-12}


def four(**more: Any) -> Committee:
    levels = [{"label": str(k)} for k in range(4)]
    start: dict[str, Any] = {"dose_levels": levels, "toxicity__dlt_probability": [0.1] * 4, "rule": CRM}
    return Committee(small(**(start | more)))


def decide(committee: Committee, level: int, *counts: str, last: tuple[int, int] = (0, 0)) -> Decision:
    """Decide on counts written as "DLTs/evaluable", the lowest level first; levels above are empty."""
    pairs = [tuple(map(int, text.split("/"))) for text in counts]
    y, n = (tuple(pair[k] for pair in pairs) + (0,) * (committee.levels - len(pairs)) for k in (0, 1))
    return committee.decide(Counts(level, n, y, (0,) * committee.levels, last=last), MANY)


def test_no_skipping_above_the_last_level_given() -> None:
    off, last, highest = (four(limits={"no_skipping": name}) for name in ("off", "last_given", "highest_given"))
    assert decide(off, 0, "0/3").level == 3
    assert decide(last, 0, "0/3").level == 1
    assert decide(last, 0, "0/3").reason == "limit: no level is skipped"
    assert (decide(off, 1, "0/3", "0/3").level, decide(last, 1, "0/3", "0/3").level) == (3, 2)
    assert decide(highest, 0, "0/3").level == 1
    assert decide(last, 0, "0/9", "0/3", "0/3").level == 1
    assert decide(highest, 0, "0/9", "0/3", "0/3").level == 3


def test_no_skipping_downwards() -> None:
    free, bound = four(), four(limits={"no_skipping_down": True})
    counts = ("0/3", "1/3", "2/3", "3/3")
    assert decide(free, 3, *counts).level < 2
    assert decide(bound, 3, *counts).level == 2
    assert decide(bound, 3, *counts).action is Action.DE_ESCALATE


def test_coherence_in_its_three_readings() -> None:
    """With 0 of 9 and then 1 of 3 at the level the model would rise: who forbids it?"""
    for reading, last, expected in (
        ("off", (3, 1), 1),
        ("last_cohort", (3, 1), 0),
        ("last_cohort", (3, 0), 1),
        ("last_level", (3, 1), 1),
        ("after_dlt", (3, 1), 0),
        ("after_dlt", (3, 0), 1),
    ):
        committee = four(limits={"coherence": reading}, rule={**CRM, "skeleton": [0.01, 0.1, 0.5, 0.7]})
        decision = decide(committee, 0, "1/12", last=last)
        assert decision.level == expected, (reading, last)
        if expected == 0:
            assert (decision.action, decision.reason) == (Action.STAY, "limit: no escalation after so many DLTs")
    committee = four(limits={"coherence": "last_cohort"}, rule={**CRM, "skeleton": [0.001, 0.01, 0.02, 0.03]})
    assert decide(committee, 0, "1/12", last=(4, 1)).level == 0  # a quarter is at the target
    assert decide(committee, 0, "1/12", last=(5, 1)).level == 1
    committee = four(limits={"coherence": "last_level"}, rule={**CRM, "skeleton": [0.001, 0.01, 0.02, 0.03]})
    assert decide(committee, 0, "1/3").level == 0  # a third is above the target
    assert decide(committee, 0, "1/4").level == 1  # a quarter is not


def test_most_per_level() -> None:
    committee = Committee(small(rule=BOIN, limits={"most_per_level": 5}))
    assert decide(committee, 0, "1/4").patients == 1
    full = decide(committee, 0, "1/5")
    assert (full.action, full.level) == (Action.STOP, 0)
    assert full.reason == "a level has the most patients allowed"
    assert decide(committee, 0, "0/5").action is Action.ESCALATE


def test_enough_at_one_level_in_both_readings() -> None:
    staying = Committee(small(rule=BOIN, stopping={"enough_at_level": 6}))
    any_move = Committee(small(rule=BOIN, stopping={"enough_at_level": 6, "enough_when": "any_move"}))
    assert decide(staying, 0, "0/6").action is Action.ESCALATE
    assert decide(any_move, 0, "0/6").reason == "stopping rule: enough patients at one level"
    for committee in (staying, any_move):
        assert decide(committee, 1, "0/3", "0/6").action is Action.STOP  # at the highest level the rule stays
        assert decide(committee, 1, "0/3", "0/6").level == 1
        assert decide(committee, 1, "0/3", "0/5").action is Action.STAY


def test_most_patients_leaves_the_rest_for_an_expansion() -> None:
    scenario = small(
        rule=BOIN,
        stopping={"most_patients": 6, "expansion_too_toxic_probability": 1.0},
        safety__when_rule_finished="expand",
        accrual__consent_days=[0] * 20,
    )
    trial = simulate_trial(scenario)
    assert trial.stop_reason == "stopping rule: most patients treated"
    assert trial.dose_path == "1NNN 2NNN 2NNNNNN"


def test_too_toxic_by_the_counts_and_by_the_model() -> None:
    """The counts alone for rules without a model; the model's own posterior for one that has it."""
    said = {"too_toxic_probability": 0.8, "too_toxic_above": 0.35}
    never = CRM | {"too_toxic_probability": 1.0}  # leaves it to the stopping rule
    counts, model = Committee(small(rule=BOIN, stopping=said)), four(rule=never, stopping=said)
    for n in (3, 6, 9):
        for y in range(n + 1):
            stops = float(too_toxic_probability(np.array(n), np.array(y), 0.35)) > 0.8
            decision = decide(counts, 0, f"{y}/{n}")
            if decision.reason != "lowest dose level too toxic":  # the rule's own elimination comes first
                assert (decision.reason == "stopping rule: lowest dose level too toxic") == stops, (y, n)
                assert (decision.action is Action.STOP, decision.level == NO_LEVEL) == (stops, stops)
    assert decide(counts, 1, "0/3", "2/3").action is Action.DE_ESCALATE  # toxicity above the lowest level
    assert decide(model, 0, "2/3").reason != "stopping rule: lowest dose level too toxic"
    assert decide(model, 0, "3/3").reason == "stopping rule: lowest dose level too toxic"
    # The prior alone, above .35 with probability .65, says nothing against a level where nobody is evaluable.
    unseen = Committee(small(rule=BOIN, stopping=said | {"too_toxic_probability": 0.6}, safety__start_level=2))
    assert decide(unseen, 1, "0/0", "0/3").action is Action.STAY
    full = four(rule=never, stopping=said, limits={"most_per_level": 6})
    assert decide(full, 0, "6/6").reason == "stopping rule: lowest dose level too toxic"


def test_precision() -> None:
    """The 95% interval of Beta(1 + y, 1 + n - y): with 0 of 9 its width is 0.308 - 0.003."""
    wide, narrow = (Committee(small(rule=BOIN, stopping={"interval_width": width})) for width in (0.31, 0.30))
    assert decide(wide, 1, "0/3", "0/9").reason == "stopping rule: P(DLT) is known precisely enough"
    assert decide(wide, 1, "0/3", "0/9").level == 1
    assert decide(narrow, 1, "0/3", "0/9").action is Action.STAY


@pytest.mark.parametrize(
    ("stopping", "counts", "reason"),
    [
        ({"most_patients": 7}, "0/6", "most patients treated"),
        ({"most_patients": 7, "enough_at_level": 6}, "0/6", "most patients treated"),  # the dose would rise
        ({"most_patients": 7, "enough_at_level": 6}, "2/6", "enough patients at one level"),
        ({"enough_at_level": 6, "interval_width": 0.62}, "2/6", "P(DLT) is known precisely enough"),
        ({"interval_width": 0.62, "too_toxic_probability": 0.7}, "2/6", "lowest dose level too toxic"),
    ],
    ids=["most", "most, not enough", "enough", "precise", "too toxic"],
)
def test_which_reason_to_stop_is_told(stopping: dict[str, Any], counts: str, reason: str) -> None:
    """Each reads what the rule asks for, and not what another reason made of it: too toxic, precise, enough, most."""
    assert decide(Committee(small(rule=BOIN, stopping=stopping)), 0, counts).reason == f"stopping rule: {reason}"


ELIMINATES_AT_ONCE = BOIN | {"eliminate_from": 1, "elimination_cutoff": 0.9}
"""With 1 of 1 at the lowest level, Pr(P(DLT) > 0.25) is 0.9375: the rule by itself finds no dose tolerated."""


def test_toxicity_stops_a_titration() -> None:
    """The stopping rule for toxicity goes before titration, whatever the rule would say if it were asked."""
    titrates = small(rule=ELIMINATES_AT_ONCE, titration={})
    assert decide(Committee(titrates), 0, "1/1").reason == "titration is over: the cohort is filled up"
    for rule in (BOIN, ELIMINATES_AT_ONCE):
        stops = titrates.replace({"rule": rule, "stopping": {"too_toxic_probability": 0.9}})
        assert decide(Committee(stops), 0, "1/1").reason == "stopping rule: lowest dose level too toxic"
    alone = titrates.replace({"titration": None, "stopping": {"too_toxic_probability": 0.9}})
    assert decide(Committee(alone), 0, "1/1").reason == "lowest dose level too toxic"


# Stops with outcomes outstanding: what is recommended rests on complete data


def dlts(**days: int) -> list[dict[str, int]]:
    """Return a story: ``dlts(p7=1)`` gives patient 7 a DLT on the first day after infusion, and nobody else one."""
    return [{"patient": int(name[1:]), "dlt_day": day} for name, day in days.items()]


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize(("third", "path"), [({}, "1NNN 2TTN"), ({"p6": 20}, "1NNN 2TTT")])
def test_a_forced_decision_at_the_cap_waits_for_the_last_outcome(early: bool, third: dict[str, int], path: str) -> None:
    """Two DLTs of three at level 2 force the way down, and the cap ends the trial; the third outcome counts, too."""
    story = dlts(p4=1, p5=2, **third)
    trial = simulate_trial(
        small(
            rule=BOIN,
            safety__early_decision=early,
            trial__planned_patients=6,
            accrual__consent_days=[0] * 9,
            what_if=story,
        )
    )
    assert (trial.dose_path, trial.stop_reason, trial.recommended) == (path, "cap reached", 1)
    assert (trial.decisions["dlts"][-1], trial.decisions["evaluable"][-1]) == (len(story), 3)


def test_a_forced_stop_does_not_recommend_on_places_that_nobody_took() -> None:
    """A place that was left empty at the stop is not a patient without a DLT."""
    committee = Committee(small(rule=BOIN, trial__planned_patients=6))
    known = Counts(1, (3, 4), (0, 2), (0, 0))
    decision = committee.decide(known, 1, outstanding=1)
    assert (decision.reason, decision.level) == ("cap reached", 0)  # 2/5 would be closer to the target than 0/3
    assert committee.decide(known.completed(1, 0), 1).level == 1


def test_toxicity_after_a_stop_leaves_no_dose() -> None:
    """Enough patients stop a rolling trial with three pending; the three DLTs that follow go first."""
    rule = {"name": "TITE-CRM", "target": 0.25, "skeleton": [0.1, 0.25]}
    scenario = small(
        rule=rule,
        stopping={"enough_at_level": 3, "enough_when": "any_move", "too_toxic_probability": 0.8},
        accrual__consent_days=[0, 0, 0, 0, 0],
    )
    calm, toxic = simulate_trial(scenario), simulate_trial(scenario.replace({"what_if": dlts(p1=20, p2=20, p3=20)}))
    assert (calm.stop_reason, calm.recommended is None) == ("stopping rule: enough patients at one level", False)
    assert (toxic.stop_reason, toxic.recommended) == ("stopping rule: lowest dose level too toxic", None)


def test_a_stop_with_everybody_pending_recommends_in_the_end() -> None:
    rule = {"name": "TITE-BOIN", "target": 0.25, "most_pending_share": 1.0}
    scenario = small(rule=rule, stopping={"most_patients": 3}, accrual__consent_days=[0] * 5)
    trial = simulate_trial(scenario)
    assert (trial.dose_path, trial.recommended) == ("1NNN", 1)


@pytest.mark.parametrize(("max_days", "ended"), [(40, 40), (39, None)])
def test_a_trial_whose_last_decision_comes_too_late_is_not_finished(max_days: int, ended: int | None) -> None:
    """Enough patients stop the trial on day 13; the last window ends on day 30, and the committee meets on day 40.

    A day too early the same dose is recommended, from the same data, for another reason.
    """
    scenario = small(
        rule={"name": "TITE-BOIN", "target": 0.25},
        safety__cohort_size=1,
        safety__review_delay_days=10,
        stopping={"enough_at_level": 1, "enough_when": "any_move"},
        accrual__consent_days=[2, 3],
        trial__max_days=max_days,
    )
    trial = simulate_trial(scenario)
    assert trial.decisions["committee_day"][0] == 13
    assert (trial.recommended, trial.duration_days) == (1, max_days)
    assert (milestones(trial)["trial ended"], trial.is_complete) == (ended, ended is not None)
    assert trial.stop_reason == ("max_days reached" if ended is None else "stopping rule: enough patients at one level")


def test_rolling_rules_decide_on_what_is_known_when_the_committee_meets() -> None:
    """A fourth patient is ready on day 20 and the committee meets on day 27: the DLTs of day 22 count."""
    scenario = small(
        rule={"name": "rolling six"},
        safety__review_delay_days=7,
        accrual__consent_days=[0, 0, 0, 20],
        what_if=dlts(p1=22, p2=15),
    )
    trial = simulate_trial(scenario)
    assert (trial.dose_path, trial.recommended) == ("1TTN", None)
    assert (trial.decisions["data_cut_day"][-1], trial.decisions["committee_day"][-1]) == (20, 27)
    assert trial.decisions["dlts"][-1] == 2
    assert simulate_trial(scenario.replace({"what_if": []})).dose_path == "1NNNN"


@pytest.mark.parametrize("who", range(1, 7))
def test_coherence_of_a_rolling_rule_reads_all_that_came_since_its_last_decision(who: int) -> None:
    """Six outcomes of one day, a DLT among them: whichever is written last, no escalation follows."""
    scenario = small(
        rule={"name": "TITE-BOIN", "target": 0.25},
        safety__cohort_size=6,
        accrual__consent_days=[0] * 6 + [60],
        what_if=dlts(**{f"p{who}": 27}),
    )
    assert simulate_trial(scenario).dose_path.split()[1].startswith("2")
    assert len(simulate_trial(scenario.replace({"limits": {"coherence": "after_dlt"}})).dose_path.split()) == 1


def test_coherence_of_a_rolling_rule_forgets_what_was_decided_on() -> None:
    scenario = small(
        rule={"name": "TITE-BOIN", "target": 0.25},
        limits={"coherence": "after_dlt"},
        accrual__consent_days=[0] * 3 + [40] * 3 + [100],
        what_if=dlts(p1=5),
    )
    assert simulate_trial(scenario).dose_path == "1TNNNNN 2N"


def test_who_leaves_after_the_window_is_not_lost() -> None:
    """A patient with less than the full dose counts for nothing, whether followed up or not."""
    scenario = small(
        rule={"name": "TITE-CRM", "target": 0.25, "skeleton": [0.1, 0.25]},
        follow_up__days=90,
        accrual__consent_days=[0] * 6 + [60] * 4,
    )
    stays = [{"patient": 1, "full_dose": False, "drop_out": False}]
    leaves = [{"patient": 1, "full_dose": False, "drop_out_day": 50}]
    told = []
    for story in (stays, leaves):
        said = scenario.replace({"what_if": story})
        conduct = Conduct(said, Committee(said), Nature(said, 1, 0, 1), replicate=0)
        conduct.run()
        told.append([cohort.cut for cohort in conduct.log.cohorts])
    assert told[0] == told[1]


@pytest.mark.parametrize("rule", [BOIN, {"name": "3+3"}, CRM | {"skeleton": [0.1, 0.25]}], ids=lambda r: r["name"])
def test_titration(rule: dict[str, Any]) -> None:
    """One patient a level up to the first DLT; then the cohort is filled, and the rule takes over."""
    committee = Committee(small(rule=rule, titration={}))
    first = committee.first(MANY)
    assert (first.level, first.patients, first.reason) == (0, 1, "titration: one patient at this level")
    up = decide(committee, 0, "0/1")
    assert (up.action, up.level, up.patients) == (Action.ESCALATE, 1, 1)
    filled = decide(committee, 0, "1/1")
    assert (filled.action, filled.level, filled.patients) == (Action.STAY, 0, 2)
    assert filled.reason == "titration is over: the cohort is filled up"
    assert decide(committee, 1, "0/1", "0/1").patients == 2
    assert decide(committee, 1, "0/1", "1/1").patients == 2
    plain = Committee(small(rule=rule))
    for counts in (("0/1", "1/3"), ("0/1", "2/3"), ("0/1", "0/3")):
        assert decide(committee, 1, *counts) == decide(plain, 1, *counts)


FIRST = "titration: one patient at this level"
UP = "titration: no DLT so far, one patient at the next level"
OVER = "titration is over: the cohort is filled up"
WAITS = "titration: wait for the patient's outcome"
TITE_BOIN = {"name": "TITE-BOIN", "target": 0.25}
ALONE: dict[str, Any] = {"safety__cohort_size": 1}
TO_LEVEL_2 = {"titration": {"last_level": 2}}

TRANSITIONS: dict[str, tuple[dict[str, Any], int, str, str, tuple[str, int, int, str]]] = {
    "the first patient": ({}, 1, "", "", ("stay", 1, 1, FIRST)),
    "the first patient, above the lowest level": ({}, 2, "", "", ("stay", 2, 1, FIRST)),
    "up": ({}, 1, "0/1", "", ("escalate", 2, 1, UP)),
    "up again": ({}, 2, "0/1 0/1", "", ("escalate", 3, 1, UP)),
    "up from above the lowest level": ({}, 2, "0/0 0/1", "", ("escalate", 3, 1, UP)),
    "who was there is not evaluable": ({}, 2, "0/1", "", ("stay", 2, 1, FIRST)),
    "a DLT at once": ({}, 1, "1/1", "", ("stay", 1, 2, OVER)),
    "a DLT on the way": ({}, 2, "0/1 1/1", "", ("stay", 2, 2, OVER)),
    "the highest level": ({}, 3, "0/1 0/1 0/1", "", ("stay", 3, 2, OVER)),
    "the highest level, with a DLT": ({}, 3, "0/1 0/1 1/1", "", ("stay", 3, 2, OVER)),
    "before the last level": (TO_LEVEL_2, 1, "0/1", "", ("escalate", 2, 1, UP)),
    "the last level": (TO_LEVEL_2, 2, "0/1 0/1", "", ("stay", 2, 2, OVER)),
    "one level only": ({"titration": {"last_level": 1}}, 1, "0/1", "", ("stay", 1, 2, OVER)),
    "cohorts of two": ({"safety__cohort_size": 2}, 2, "0/1 1/1", "", ("stay", 2, 1, OVER)),
    "cohorts of one, up": (ALONE, 1, "0/1", "", ("escalate", 2, 1, UP)),
    "cohorts of one, a DLT": (ALONE, 2, "0/1 1/1", "", ("de-escalate", 1, 1, RULE_DOWN)),
    "cohorts of one, the last level": (ALONE | TO_LEVEL_2, 2, "0/1 0/1", "", ("escalate", 3, 1, RULE_UP)),
    "cohorts of one, after the DLT": (ALONE, 1, "0/1 1/1", "", ("escalate", 2, 1, RULE_UP)),
    "filled up, up": ({}, 2, "0/1 0/3", "", ("escalate", 3, 3, RULE_UP)),
    "filled up, down": ({}, 2, "0/1 2/3", "", ("de-escalate", 1, 3, RULE_DOWN)),
    "filled up in part": ({}, 2, "0/1 0/2", "", ("escalate", 3, 3, RULE_UP)),
    "over, and nobody evaluable at the next level": ({}, 3, "0/1 0/3", "", ("stay", 3, 3, NOBODY)),
    "over, and one evaluable at the next level": ({}, 3, "0/1 0/3 1/1", "", ("de-escalate", 2, 3, RULE_DOWN)),
    "later": ({}, 1, "0/4 2/3", "", ("escalate", 2, 3, RULE_UP)),
    "rolling, the first patient": ({"rule": TITE_BOIN}, 1, "", "", ("stay", 1, 1, FIRST)),
    "rolling, the patient is pending": ({"rule": TITE_BOIN}, 1, "", "1", ("suspend", 1, 0, WAITS)),
    "rolling, pending at the next level": ({"rule": TITE_BOIN}, 2, "0/1", "0 1", ("suspend", 2, 0, WAITS)),
    "rolling, up": ({"rule": TITE_BOIN}, 1, "0/1", "", ("escalate", 2, 1, UP)),
    "rolling, a DLT": ({"rule": TITE_BOIN}, 2, "0/1 1/1", "", ("stay", 2, 2, OVER)),
    "rolling, filled up and pending": (
        {"rule": TITE_BOIN | {"most_pending_share": 1.0}}, 2, "0/1 1/1", "0 2", ("de-escalate", 1, 3, RULE_DOWN),
    ),
    "rolling six, the last level pending": (
        {"rule": {"name": "rolling six"}} | TO_LEVEL_2, 2, "0/1", "0 1", ("suspend", 2, 0, WAITS),
    ),
}  # fmt: skip
"""Around BOIN at three levels: what is changed, level, DLTs/evaluable and pending by level, and what follows."""


@pytest.mark.parametrize(
    ("changes", "level", "evaluable", "pending", "expected"), TRANSITIONS.values(), ids=TRANSITIONS
)
def test_every_transition_of_a_titration(
    changes: dict[str, Any], level: int, evaluable: str, pending: str, expected: tuple[str, int, int, str]
) -> None:
    three: dict[str, Any] = {"dose_levels": [{"label": str(k)} for k in range(3)], "rule": BOIN, "titration": {}}
    committee = Committee(small(toxicity__dlt_probability=[0.1] * 3, **(three | changes)))
    pairs = [tuple(map(int, text.split("/"))) for text in evaluable.split()] + [(0, 0)] * 3
    windows = [*map(int, pending.split()), 0, 0, 0][:3]
    known = Counts(level - 1, *(tuple(pair[k] for pair in pairs[:3]) for k in (1, 0)), tuple(windows))
    said = committee.decide(known, MANY)
    assert (said.action.words, said.level + 1, said.patients, said.reason) == expected


def test_titration_by_hand() -> None:
    """Every path to a cap of four: one at level 1, and after a DLT two more; else one and two more at level 2.

    Then a whole cohort does not fit. With 3 of 3 a level is eliminated, with 2 of 3 it is not (0.949 < 0.95). The
    smoothed rates of 0/1 and 0/3 are equal, so that the higher level is recommended; 1.05/3.1 is closer to 0.25 than
    0.05/1.1 is, and 2.05/3.1 is not.
    """
    p, q = 0.2, 0.3
    scenario = small(rule=BOIN, titration={}, trial__planned_patients=4, toxicity__dlt_probability=[p, q])
    capped = "cap reached"
    assert {path.path: (path.probability, path.recommended, path.reason) for path in dose_paths(scenario)} == {
        "1T 1NN": (pytest.approx(p * (1 - p) ** 2, **CLOSE), "low", capped),
        "1T 1NT": (pytest.approx(p * 2 * p * (1 - p), **CLOSE), "low", capped),
        "1T 1TT": (pytest.approx(p**3, **CLOSE), "no dose", "lowest dose level too toxic"),
        "1N 2N 2NN": (pytest.approx((1 - p) * (1 - q) ** 3, **CLOSE), "high", capped),
        "1N 2N 2NT": (pytest.approx((1 - p) * (1 - q) * 2 * q * (1 - q), **CLOSE), "high", capped),
        "1N 2N 2TT": (pytest.approx((1 - p) * (1 - q) * q**2, **CLOSE), "low", capped),
        "1N 2T 2NN": (pytest.approx((1 - p) * q * (1 - q) ** 2, **CLOSE), "high", capped),
        "1N 2T 2NT": (pytest.approx((1 - p) * q * 2 * q * (1 - q), **CLOSE), "low", capped),
        "1N 2T 2TT": (pytest.approx((1 - p) * q**3, **CLOSE), "low", capped),
    }
    found = exact(scenario)
    assert found.total == pytest.approx({3: p, 4: 1 - p}, **CLOSE)
    assert found.evaluable_at_level[0] == pytest.approx({1: 1 - p, 3: p}, **CLOSE)
    assert found.evaluable_at_level[1] == pytest.approx({0: p, 3: 1 - p}, **CLOSE)


def test_titration_of_a_rolling_rule_by_hand() -> None:
    """Candidates are ready every day; windows of 28 days; patient 2 has a DLT five days after the infusion.

    Patient 1 is infused on day 0, and on day 1 the next one has to wait until the window is over, on day 28. Patient 2
    at level 2 is waited for, too, until the DLT of day 33; two more fill up the cohort that day. From then on the rule
    decides, on the same day for the last candidate: 1 DLT in 3 is too many, whatever becomes of the two pending.
    """
    scenario = small(
        rule=TITE_BOIN, titration={}, accrual__consent_days=list(range(5)), what_if=[{"patient": 2, "dlt_day": 5}]
    )
    trial = simulate_trial(scenario)
    names = ("committee_day", "level", "action", "next_level", "next_patients", "reason")
    assert [tuple(row[name] for name in names) for row in trial.decisions] == [
        (1, 1, "suspend", 1, 0, WAITS),
        (28, 1, "escalate", 2, 1, UP),
        (28, 2, "suspend", 2, 0, WAITS),
        (33, 2, "stay", 2, 2, OVER),
        (33, 2, "de-escalate", 1, 3, RULE_DOWN),
    ]
    assert trial.patients["infusion_day"] == [0, 28, 33, 33, 33]
    assert trial.dose_path == "1N 2TNN 1N"


def test_what_needs_a_target_says_so() -> None:
    with pytest.raises(ScenarioError, match='3\\+3 has none: take "after_dlt"'):
        small(limits__coherence="last_cohort")
    with pytest.raises(ScenarioError, match="too_toxic_above: is missing: 3\\+3 has no target"):
        small(stopping__too_toxic_probability=0.9)
    with pytest.raises(ScenarioError, match="expansion_too_toxic_probability: is missing: with when_rule_finished"):
        small(safety__when_rule_finished="expand")
    with pytest.raises(ScenarioError, match="has no effect without safety"):
        small(stopping__expansion_too_toxic_probability=1.0)
    with pytest.raises(ScenarioError, match="too_toxic_above has no effect"):
        small(stopping__too_toxic_above=0.3)
    import escalate

    @escalate.rule
    def without_target(known: Any) -> str:
        return "stay"

    with pytest.raises(
        RuleError, match=r"limits.coherence compares with a target, and the rule without_target has none"
    ):
        Committee(small(rule={"python": "without_target"}, limits={"coherence": "last_cohort"}))


# TITE-CRM waits for follow-up

FOLLOWED_UP = {"name": "TITE-CRM", "target": 0.25, "skeleton": [0.05, 0.25], "min_followup_share": 0.5}


def waiting(**more: Any) -> Any:
    """Three patients on day 0, and candidates who would be treated at level 2; half a window is 14 days."""
    start: dict[str, Any] = {"rule": FOLLOWED_UP, "accrual__consent_days": [0, 0, 0, 5, 20, 21]}
    return small(**(start | more))


@pytest.mark.parametrize(
    ("share", "second"), [(0.0, 5), (0.1, 5), (0.25, 7), (0.5, 14), (0.51, 15), (0.75, 21), (1.0, 28)]
)
def test_a_candidate_gets_his_place_on_the_first_day_that_the_rule_lets_him(share: float, second: int) -> None:
    """Between outcomes: on the day on which the last of those pending has been observed for the share."""
    trial = simulate_trial(waiting(rule=FOLLOWED_UP | {"min_followup_share": share}))
    assert trial.patients["level"][3] == 2
    assert trial.patients["infusion_day"][3] == second


def test_below_the_share_the_next_is_treated_at_the_level_if_the_protocol_says_so() -> None:
    trial = simulate_trial(waiting(rule=FOLLOWED_UP | {"below_min_followup": "stay"}))
    assert (trial.patients["level"][3], trial.patients["infusion_day"][3]) == (1, 5)
    assert trial.decisions["reason"][0] == UNOBSERVED


def test_news_end_the_wait_for_follow_up_and_begin_another() -> None:
    """A DLT on day 8: the rule is asked at once, wants no escalation, and the candidate is treated at the level."""
    trial = simulate_trial(waiting(what_if=dlts(p1=8)))
    assert (trial.patients["level"][3], trial.patients["infusion_day"][3]) == (1, 8)
    # Patient 2 leaves on day 9: asked again, and still suspended until the third has been observed for 14 days.
    leaves = [{"patient": 2, "drop_out_day": 9}, {"patient": 1, "dlt": False}, {"patient": 3, "dlt": False}]
    trial = simulate_trial(waiting(what_if=leaves))
    assert list(trial.decisions["action"][:3]) == ["suspend", "suspend", "escalate"]
    assert list(trial.decisions["committee_day"][:3]) == [5, 9, 14]


def test_who_is_on_the_way_has_not_been_observed() -> None:
    """With a lead of three days the last of three starts on day 0 and is infused on day 3: half a window ends on 17."""
    trial = simulate_trial(waiting(treatment__lymphodepletion=lymphodepletion(3)))
    assert trial.patients["treatment_start_day"][3] == 17


def test_crm_is_coherent_and_stops_unless_told_otherwise() -> None:
    """After 0/3 and 1/3 at the next level the model wants the third: not right after a cohort above the target."""
    steep = {**CRM, "skeleton": [0.001, 0.01, 0.02, 0.03]}
    by_default, off = four(rule=steep), four(rule=steep, limits={"coherence": "off"})
    assert decide(by_default, 1, "0/3", "1/3", last=(3, 1)).action is Action.STAY
    assert decide(by_default, 1, "0/3", "1/3", last=(3, 1)).reason == "limit: no escalation after so many DLTs"
    assert decide(off, 1, "0/3", "1/3", last=(3, 1)).level == 2
    usual = {"name": "CRM", "target": 0.25, "prior_mtd_level": 2}
    for counts, stops in (("2/3", False), ("3/3", True), ("3/6", False), ("4/6", True), ("4/9", False), ("5/9", True)):
        assert (decide(four(rule=usual), 0, counts).action is Action.STOP) == stops, counts
        never = four(rule=usual | {"too_toxic_probability": 1.0})
        assert decide(never, 0, counts).level == 0, counts
    assert decide(four(rule=usual), 0, "3/3").reason == CRM_TOO_TOXIC
