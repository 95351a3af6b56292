"""The kernel and SimPy are two implementations of one calendar: the same trials, number by number and date by date.

Every column that is kept of a trial is compared: recommendation, reason, dose path, patients and candidates,
milestones, and what each day was waited for. The kernel runs as it is, and compiled where numba is installed.
"""

from __future__ import annotations

import itertools
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from escalate import Scenario, kernel, load
from escalate.committee import remembered
from escalate.committee.committee import Committee
from escalate.errors import RuleError, ScenarioError
from escalate.kernel import remembered as by_the_kernel
from escalate.kernel.answers import Answers
from escalate.kernel.bench import Protocol, Seats, Tables
from escalate.kernel.chunk import is_plain
from escalate.kernel.codes import HEAD, Answer
from escalate.kernel.compiled import is_available
from escalate.kernel.days import run_many
from escalate.kernel.engine import Engine
from escalate.kernel.rooms import Lists
from escalate.nature.draws import Nature
from escalate.results.outcomes import Trials, collect, consented, gather, row_of
from escalate.scenario.own_rules import Known, rule
from escalate.studies.simulation import simulate, traced_trials
from escalate.trial.conduct import Conduct
from escalate.words.data_cut import Counts, DataCut
from escalate.words.records import NO_LEVEL
from small import START, lymphodepletion, small
from strategies import any_rule, cohorts_awaited, plain_scenarios, scenarios

SKELETON = [0.05, 0.1, 0.2, 0.3, 0.5, 0.7]
RULES: dict[str, dict[str, Any]] = {
    "3+3": {"name": "3+3", "variant": "B"},
    "rolling six": {"name": "rolling six"},
    "IQ rolling six": {"name": "IQ rolling six"},
    "BOIN": {"name": "BOIN", "target": 0.25},
    "TITE-BOIN": {"name": "TITE-BOIN", "target": 0.25},
    "i3+3": {"name": "i3+3", "target": 0.25},
    "mTPI": {"name": "mTPI", "target": 0.25},
    "mTPI-2": {"name": "mTPI-2", "target": 0.25},
    "Keyboard": {"name": "Keyboard", "target": 0.25},
    "CRM": {"name": "CRM", "target": 0.25},
    "TITE-CRM": {"name": "TITE-CRM", "target": 0.25},
    "BLRM": {"name": "BLRM", "sd_log_alpha": 1.0, "sd_log_beta": 0.7},
}
SHIPPED = ("nct06337474", "nct06337474-three-infusions", "six-dose-oncology")
COMPILES = [
    pytest.param(False, id="as it is"),
    pytest.param(True, id="compiled", marks=pytest.mark.skipif(not is_available(), reason="numba is not installed")),
]


def by_kernel(scenario: Scenario, trials: int, first: int = 0, seed: int = 1, compiles: bool = False) -> Trials:
    engine = Engine(scenario, compiles)
    found = engine.run(Nature(scenario, seed, first, trials))
    return gather(scenario, seed, first, found.numbers, found.paths, engine.answers.reasons)


def by_simpy(scenario: Scenario, trials: int, first: int = 0, seed: int = 1) -> Trials:
    rows = [row_of(trial) for trial in traced_trials(scenario, trials=trials, seed=seed, first=first)]
    return collect(scenario, seed, first, rows)


def assert_same(found: Trials, truth: Trials) -> None:
    one, other = found.columns(), truth.columns()
    assert one.keys() == other.keys()
    differ = {
        name: (values[wrong][:3].tolist(), other[name][wrong][:3].tolist(), np.flatnonzero(wrong)[:3].tolist())
        for name, values in one.items()
        if (wrong := ~((values == other[name]) | ((values != values) & (other[name] != other[name])))).any()
    }
    assert not differ, differ


def shipped(name: str, rule_name: str) -> Scenario:
    scenario = load(f"scenarios/{name}.toml")
    options = RULES[rule_name]
    if "CRM" in rule_name:
        options = options | {"skeleton": SKELETON[: scenario.levels]}
    if rule_name == "BLRM":
        options = options | {"doses": [1.0, 1.5, 2.0, 3.0, 4.0, 6.0][: scenario.levels]}
    return scenario.replace({"rule": options})


@pytest.mark.parametrize("compiles", COMPILES)
@pytest.mark.parametrize("rule_name", RULES)
@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scenarios(name: str, rule_name: str, compiles: bool) -> None:
    scenario = shipped(name, rule_name)
    trials = 40 if name == "six-dose-oncology" else 120
    assert_same(by_kernel(scenario, trials, 7, 3, compiles), by_simpy(scenario, trials, 7, 3))


def compare(examples: int, number: int) -> None:
    drawn = (
        scenarios(everything=True, reviews=True),
        any_rule(reviews=True),
        scenarios(everything=True, reviews=True, sites=True),
        plain_scenarios(),
    )

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )
    @given(drawn[number % 4])
    def agrees(scenario: Scenario) -> None:
        assert is_plain(scenario) or number % 4 != 3
        truth = by_simpy(scenario, 3)
        assert_same(by_kernel(scenario, 3, compiles=number % 2 == 1 and is_available()), truth)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("escalate.kernel.chunk.MOST_CANDIDATES", 1)  # a page at a time
            patch.setattr("escalate.kernel.chunk.MOST_HERE", 1)  # a trial at a time, where many are there
            assert_same(by_kernel(scenario, 3), truth)

    agrees()


@pytest.mark.parametrize("number", range(4))
def test_random_scenarios(number: int) -> None:
    compare(80, number)


def compare_awaited(examples: int, number: int) -> None:
    """Eight trials of each scenario: a day that is passed over wrongly shows where a cohort waits, and rarely."""

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )
    @given(cohorts_awaited())
    def agrees(scenario: Scenario) -> None:
        assert_same(by_kernel(scenario, 8, compiles=number % 2 == 1 and is_available()), by_simpy(scenario, 8))

    agrees()


@pytest.mark.parametrize("number", range(2))
def test_cohorts_that_are_awaited(number: int) -> None:
    compare_awaited(120, number)


@pytest.mark.long
@pytest.mark.parametrize("number", range(10, 18))
def test_cohorts_that_are_awaited_long(number: int) -> None:
    compare_awaited(1000, number)


def test_what_a_committee_has_answered_is_shared_and_changes_no_trial() -> None:
    """By scenarios that assume something else about nature, and by no others."""

    @seed(43)
    @settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(scenarios(everything=True))
    def is_shared(scenario: Scenario) -> None:
        nature = {
            "toxicity.dlt_probability": [0.1, 0.3, 0.5, 0.7][: scenario.levels],
            "attrition.drop_out_per_year": 0.3,
            "accrual": {"kind": "poisson", "consents_per_month": 6.0},
            "screening.days": 5,
            "follow_up.days": scenario.follow_up.days + 9,
            "calendar.closed": [],
            "what_if": [],
        }
        other = scenario.replace(nature)
        by_the_kernel.SHELF.forget_all()
        fresh = by_kernel(other, 4)
        by_the_kernel.SHELF.forget_all()
        by_kernel(scenario, 4)
        (first,) = by_the_kernel.SHELF.kept.values()
        assert_same(by_kernel(other, 4), fresh)
        assert list(by_the_kernel.SHELF.kept.values()) == [first]
        by_kernel(other.replace({"trial.planned_patients": other.trial.planned_patients + 6}), 1)
        assert len(by_the_kernel.SHELF.kept) == 2

    is_shared()
    by_the_kernel.SHELF.forget_all()
    Engine(small(rule={"python": "by_rate"}), False)
    assert not by_the_kernel.SHELF.kept


@pytest.mark.parametrize("rule_name", RULES)
def test_a_committee_reads_nothing_of_what_its_answers_are_shared_over(
    rule_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever attribute of a scenario the committee asks for, and what lies behind those that follow from others."""
    scenario, read, plainly = shipped("six-dose-oncology", rule_name).replace({}), set(), Scenario.__getattribute__

    def noted(self: Scenario, name: str) -> Any:
        read.add(name)
        return plainly(self, name)

    monkeypatch.setattr(Scenario, "__getattribute__", noted)
    Answers(scenario, Committee(scenario), Lists())
    assert {"rule", "safety", "limits", "windows"} <= read
    assert not read & remembered.NOT_READ


def test_a_thread_remembers_few_protocols(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [Engine(small(trial__planned_patients=6 + number), False).answers for number in range(12)]
    assert sum(each in by_the_kernel.SHELF.kept.values() for each in kept) == remembered.MOST_PROTOCOLS
    by_kernel(small(trial__planned_patients=30, toxicity__dlt_probability=[0.3, 0.6], **FOREVER), 50)
    monkeypatch.setattr(by_the_kernel, "MOST_REMEMBERED", 1)
    last = Engine(small(trial__planned_patients=40), False).answers
    assert list(by_the_kernel.SHELF.kept.values()) == [last]


FOREVER: dict[str, Any] = {"accrual": {"kind": "poisson", "consents_per_month": 6.0}}

LEFT_OUT = {
    flag
    for file in Path(kernel.__path__[0]).glob("*.py")
    for flag in re.findall(r"FULL and p\.(\w+)", file.read_text(encoding="utf-8"))
}
"""What the plain edition of the compiled kernel takes for 0, as its steps say."""


ASKS_FOR: dict[str, dict[str, Any]] = {
    "one_by_one": {"screening.valid_days": 28},
    "notice_days": {"treatment.notice_days": 7},
    "reserves": {"screening.while_closed": "waits", "treatment.place_reserved": "at_consent"},
    "sites": {"accrual": {"kind": "by_site"}, "sites": [{"name": "one", "consents_per_month": 1.0}]},
    "has_resources": {"capacity": {"infusions_per_week": 1}},
    "has_product": {
        "product": {"kind": "off_the_shelf", "doses_at_start": 1, "doses_per_batch": 1, "batches_every_days": 7}
    },
    "most_attempts": {"product": {"kind": "autologous", "manufacture_days": 7}},
    "reviews_sentinel": {"safety.after_sentinel_dlt": "review", "safety.sentinel_stagger_days": 7},
    "withholds_later": {"treatment.infusion_days": [0, 7], "safety.later_infusions_at_closed_level": "withhold"},
}


@pytest.mark.parametrize("flag", ASKS_FOR)
def test_who_asks_for_what_the_plain_edition_lacks_gets_the_whole_kernel(flag: str) -> None:
    scenario = small(accrual={"kind": "poisson", "consents_per_month": 1.0})
    assert is_plain(scenario)
    scenario = scenario.replace(ASKS_FOR[flag])
    assert getattr(Engine(scenario, False)._protocol, flag)
    assert not is_plain(scenario)
    assert ASKS_FOR.keys() >= LEFT_OUT


@pytest.mark.long
@pytest.mark.parametrize("number", range(10, 18))
def test_random_scenarios_long(number: int) -> None:
    compare(1500, number)


@pytest.mark.long
@pytest.mark.parametrize("rule_name", RULES)
@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scenarios_long(name: str, rule_name: str) -> None:
    scenario, at_once = shipped(name, rule_name), 5_000
    for first in range(0, 100_000, at_once):
        assert_same(by_kernel(scenario, at_once, first, 1, is_available()), by_simpy(scenario, at_once, first))


PARTIAL_DOSES: dict[str, dict[str, Any]] = {
    "3+3": {"safety__early_decision": False},
    "early": {"safety__sentinel_stagger_days": 2},
    "BOIN, early": {"rule": RULES["BOIN"], "safety__early_decision": True, "safety__cohort_size": 4},
    "BOIN of two, early": {
        "rule": {"name": "BOIN", "target": 0.2},
        "safety__early_decision": True,
        "safety__cohort_size": 2,
    },
    "infused": {"trial__cap_counts": "infused", "rule": RULES["BOIN"], "safety__early_decision": True},
    "titration": {"titration": {}, "treatment__lymphodepletion": lymphodepletion(3)},
    "expands": {
        "rule": RULES["TITE-BOIN"],
        "safety__when_rule_finished": "expand",
        "stopping": {"expansion_too_toxic_probability": 0.95},
    },
}


@pytest.mark.parametrize("changes", PARTIAL_DOSES.values(), ids=PARTIAL_DOSES)
@pytest.mark.parametrize("compiles", COMPILES)
def test_places_that_partial_doses_free_at_once(changes: dict[str, Any], compiles: bool) -> None:
    """Every second dose is partial, and every second patient has a DLT, so that many a DLT is beyond the places."""
    scenario = small(
        safety__replace_partial_dose="at_once",
        attrition={"partial_dose_probability": 0.5, "drop_out_per_year": 0.8, "not_infused_probability": 0.1},
        accrual={"kind": "poisson", "consents_per_month": 12.0},
        toxicity__dlt_probability=[0.2, 0.45],
        trial__planned_patients=15,
        **changes,
    )
    truth = by_simpy(scenario, 40)
    assert_same(by_kernel(scenario, 40, compiles=compiles), truth)
    late = by_simpy(scenario.replace({"safety.replace_partial_dose": "after_window"}), 40)
    has_come_to_it = changes is not PARTIAL_DOSES["expands"]  # the rolling rule seldom leaves places to expand
    assert (truth.duration_days != late.duration_days).any() == has_come_to_it


@pytest.mark.parametrize("compiles", COMPILES)
@pytest.mark.parametrize("rule_name", ["3+3", "TITE-BOIN"])
def test_a_stagger_shorter_than_the_lead(rule_name: str, compiles: bool) -> None:
    """Who is the sentinel is known after others have been lymphodepleted; every third of them gets no cells."""
    scenario = small(
        rule=RULES[rule_name],
        treatment__lymphodepletion=lymphodepletion(5),
        safety__sentinel_stagger_days=3,
        safety__stagger_days=1,
        attrition={"not_infused_probability": 0.35},
        accrual={"kind": "poisson", "consents_per_month": 20.0},
        trial__planned_patients=12,
    )
    assert_same(by_kernel(scenario, 40, compiles=compiles), by_simpy(scenario, 40))


@pytest.mark.parametrize("compiles", COMPILES)
def test_levels_are_left_after_todays_later_infusions(compiles: bool) -> None:
    """Trial 201: a rolling rule leaves level 2 after the infusions of a day, and is asked again on it."""
    scenario = small(
        rule=OWN_SCHEDULES["TITE-BOIN"][0],
        treatment__infusion_days=[0, 1, 2, 3, 4, 5],
        safety__later_infusions_at_closed_level="withhold",
        accrual={"kind": "poisson", "consents_per_month": 30.0},
        toxicity__dlt_probability=[0.15, 0.5],
        trial__planned_patients=15,
    )
    assert_same(by_kernel(scenario, 1, 201, compiles=compiles), by_simpy(scenario, 1, 201))


TITE_CRM = {"name": "TITE-CRM", "target": 0.25, "skeleton": [0.1, 0.3]}
OWN_SCHEDULES: dict[str, tuple[dict[str, Any], bool]] = {
    "TITE-BOIN": (RULES["TITE-BOIN"] | {"min_completed": 0, "most_pending_share": 1.0}, True),
    "adaptive TITE-CRM": (TITE_CRM | {"weights": "adaptive", "min_followup_share": 0.0}, True),
    "suspending TITE-CRM": (TITE_CRM | {"min_followup_share": 0.5, "below_min_followup": "suspend"}, False),
    "rolling six": (RULES["rolling six"], False),
}
"""Rolling rules; and whether they go up while others are still on the way to the level below."""


@pytest.mark.parametrize("compiles", COMPILES)
@pytest.mark.parametrize(("rule", "goes_up_early"), OWN_SCHEDULES.values(), ids=OWN_SCHEDULES)
def test_levels_with_schedules_of_their_own(rule: dict[str, Any], goes_up_early: bool, compiles: bool) -> None:
    """A long lead and window at level 1, short ones at level 2, where some are infused before who was enrolled earlier.

    A rule that reads follow-up reads how much of their own windows patients have seen.
    """
    scenario = small(
        rule=rule,
        dose_levels=[{"label": "low", "infusion_days": [0, 7, 14]}, {"label": "high", "lymphodepletion": []}],
        treatment__lymphodepletion=lymphodepletion(25),
        treatment__infusion_days=[0, 3],
        safety__dlt_window_anchor="last_infusion",
        safety__dlt_window_days=14,
        safety__start_level=1 if goes_up_early else 2,
        safety__later_infusions_at_closed_level="withhold",
        capacity={"infusions_per_week": 9},
        attrition={"not_infused_probability": 0.2, "drop_out_per_year": 0.6},
        accrual={"kind": "poisson", "consents_per_month": 30.0},
        toxicity__dlt_probability=[0.15, 0.4],
        trial__planned_patients=15,
    )
    assert_same(by_kernel(scenario, 60, compiles=compiles), by_simpy(scenario, 60))
    for trial in itertools.islice(traced_trials(scenario, trials=60), 60 if goes_up_early else 0):
        enrolled = sorted((row["patient"], row["infusion_day"]) for row in trial.patients if row["infusion_day"])
        days = [day for _, day in enrolled]
        if days != sorted(days):
            return
    assert not goes_up_early, "nobody was infused before somebody who was enrolled earlier"


@pytest.mark.parametrize("rule_name", ["3+3", "TITE-BOIN"])
@pytest.mark.parametrize(("length", "weekdays"), [(4, ["Tue", "Fri", "Sun"]), (6, ["Tue", "Wed", "Fri", "Sun"])])
def test_places_open_between_closures_and_on_weekdays(rule_name: str, length: int, weekdays: list[str]) -> None:
    """Every other week is closed for some days; they end before a weekday of treatment, or on one."""
    weeks = [START + timedelta(days=14 * number) for number in range(60)]
    closed = [
        {"first_day": first, "last_day": first + timedelta(days=length - 1), "reason": "closed"} for first in weeks
    ]
    scenario = small(
        rule=RULES[rule_name],
        treatment__lymphodepletion=lymphodepletion(1),
        treatment__weekdays=weekdays,
        treatment__infusion_days=[0, 2],
        safety__sentinel_stagger_days=5,
        calendar__closed=[closure | {"what": ["lymphodepletion", "infusion"]} for closure in closed],
        attrition={"not_infused_probability": 0.2},
        accrual={"kind": "poisson", "consents_per_month": 12.0},
    )
    found = by_kernel(scenario, 40)
    assert_same(found, by_simpy(scenario, 40))


@pytest.mark.parametrize("compiles", COMPILES)
@pytest.mark.parametrize("rule_name", ["3+3", "BOIN", "TITE-BOIN", "rolling six"])
def test_later_infusions_at_a_closed_level(rule_name: str, compiles: bool) -> None:
    """Infusions of a week and two weeks; many DLTs, so that levels are closed while others are still to come."""
    scenario = small(
        rule=RULES[rule_name],
        treatment={"infusion_days": [0, 7, 14], "lymphodepletion": lymphodepletion(2)},
        safety__later_infusions_at_closed_level="withhold",
        safety__review_delay_days=4,
        safety__early_decision=True,
        accrual={"kind": "poisson", "consents_per_month": 20.0},
        toxicity__dlt_probability=[0.3, 0.6],
        trial__planned_patients=18,
        trial__max_days=300,
    )
    truth = by_simpy(scenario, 60)
    assert_same(by_kernel(scenario, 60, compiles=compiles), truth)
    given = by_simpy(scenario.replace({"safety.later_infusions_at_closed_level": "give"}), 60)
    assert (truth.patients["non_evaluable"] > given.patients["non_evaluable"]).any()


@pytest.mark.parametrize("compiles", COMPILES)
def test_rates_that_change(compiles: bool) -> None:
    """One place whose rate grows, is unknown, falls, and is nothing in the end."""
    dates = (date(2025, 4, 1), date(2025, 6, 1), date(2026, 1, 1))
    rates = [{"from_date": day, "consents_per_month": rate} for day, rate in zip(dates, (20.0, 3.0, 0.0), strict=True)]
    how = {"rates": rates, "ramp_up_days": 60, "rate_cv": 1.0}
    scenario = small(accrual={"kind": "poisson", "consents_per_month": 8.0, "patience_days": 10, **how})
    scenario = scenario.replace({"screening.failure_probability": {"travel": 0.3}, "trial.max_days": 700})
    truth = by_simpy(scenario, 60)
    assert_same(by_kernel(scenario, 60, compiles=compiles), truth)
    steady = by_simpy(scenario.replace({"accrual.rates": [], "accrual.ramp_up_days": 0, "accrual.rate_cv": 0.0}), 60)
    assert (truth.duration_days > steady.duration_days).any()


@pytest.mark.parametrize("compiles", COMPILES)
@pytest.mark.parametrize("while_closed", ["goes_on", "waits", "list"])
def test_sites_with_their_own_screening(while_closed: str, compiles: bool) -> None:
    """Three sites, with other days of screening, failures, closures and openings; patients are counted at theirs."""
    sites: list[dict[str, Any]] = [
        {"name": "north", "consents_per_month": 2.0, "screening_days": 21},
        {"name": "south", "consents_per_month": 3.0, "opens": date(2025, 3, 1), "failure_probability": {"travel": 0.5}},
        {"name": "west", "consent_days": [3, 40, 41, 90, 91, 91, 200]},
    ]
    closed = {"first_day": date(2025, 4, 1), "last_day": date(2025, 5, 20), "reason": "laboratory"}
    sites[0]["closed"] = [closed]
    scenario = small(accrual={"kind": "by_site", "patience_days": 40}, sites=sites)
    scenario = scenario.replace({"screening": {"days": 5, "while_closed": while_closed, "valid_days": 14}})
    truth = by_simpy(scenario, 60)
    assert all((counts > 0).any() for counts in truth.enrolled_from.values())
    assert_same(by_kernel(scenario, 60, compiles=compiles), truth)


def test_many_candidates_at_once_are_run_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """No chunk has more rows for them than there may be, and the trials are the same."""
    scenario = small(accrual={"kind": "poisson", "consents_per_month": 60.0}).replace({"screening.valid_days": 14})
    whole, rows = by_kernel(scenario, 12), []
    seats = Lists.seats
    monkeypatch.setattr("escalate.kernel.chunk.MOST_HERE", 200)
    monkeypatch.setattr(Lists, "seats", lambda room, *sizes: rows.append(sizes) or seats(room, *sizes))
    assert_same(by_kernel(scenario, 12), whole)
    assert len(rows) > 2
    assert all(number * here <= 200 or number == 1 for number, _, here, *_ in rows)


TIME_CAN_BE_UP = {
    "safety.early_decision": True,
    "safety.review_delay_days": 6,
    "attrition.drop_out_per_year": 0.6,
    "safety.dlt_window_days": 28,
}
"""Windows that are open when a decision comes early, outcomes that never come, days between a cut and its meeting."""


def compare_when_time_is_up(examples: int, number: int) -> int:
    """Compare trials whose time is up between a data cut and its meeting; return how many cuts were a cohort's second.

    The days on which that is so are those of the same trial with more time: each of its data cuts, and the day before
    the meeting.
    """
    seconds = 0

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(any_rule() if number % 2 else scenarios(everything=True))
    def agrees(scenario: Scenario) -> None:
        nonlocal seconds
        try:
            ends_soon = {"trial.planned_patients": 2 * max(scenario.safety.cohort_size, 3)}
            longer = {"follow_up.days": scenario.follow_up.days + 28}
            scenario = scenario.replace(TIME_CAN_BE_UP | ends_soon | longer)
        except ScenarioError:
            return
        trial = next(iter(traced_trials(scenario, trials=1)))
        meetings = [(row["data_cut_day"], row["committee_day"], row["cohort"]) for row in trial.decisions]
        shortest = max(scenario.follow_up.days, scenario.screening.days, 28 * 3) + 1
        for position, (cut, meeting, cohort) in enumerate(meetings):
            seconds += cohort in [earlier for _, _, earlier in meetings[:position]] and cut >= shortest
            for day in {cut, meeting - 1}:
                if shortest <= day < meeting:
                    cut_off = scenario.replace({"trial.max_days": day})
                    truth = by_simpy(cut_off, 2)
                    assert_same(by_kernel(cut_off, 2, compiles=is_available() and number % 4 == 1), truth)

    agrees()
    return seconds


def test_time_that_is_up_between_a_data_cut_and_its_meeting() -> None:
    assert compare_when_time_is_up(60, 37) >= 2


@pytest.mark.long
@pytest.mark.parametrize("number", range(22, 26))
def test_time_that_is_up_between_a_data_cut_and_its_meeting_long(number: int) -> None:
    assert compare_when_time_is_up(1000, number) >= 30


def test_the_first_data_cut_is_not_forgotten_where_the_second_has_no_meeting() -> None:
    """The last cohort's decision is forced on day 489 and made on 498; its second cut, on 499, never meets day 500.

    By the trial's own events: the committee is waited for from each cut to its decision, and from the last to the end.
    """
    scenario = load("scenarios/six-dose-oncology.toml").replace(
        {
            "rule": RULES["BOIN"],
            "safety.early_decision": True,
            "toxicity.dlt_probability": [0.1, 0.3, 0.5, 0.6, 0.7, 0.8],
            "attrition.drop_out_per_year": 0.6,
            "trial.max_days": 500,
        }
    )
    truth = by_simpy(scenario, 1, 92, 11)
    assert_same(by_kernel(scenario, 1, 92, 11), truth)
    events = next(iter(traced_trials(scenario, trials=1, seed=11, first=92))).events
    days = [
        [day for day, event in zip(events["day"], events["event"], strict=True) if event in asked]
        for asked in (("decision forced", "cohort complete"), ("decision",))
    ]
    assert (days[0][-2:], days[1][-1]) == ([489, 499], 498)
    assert truth.waits["committee"] == sum(days[1] + [500]) - sum(days[0])


def with_many_people() -> Scenario:
    """Many fail screening, many are not evaluable: pages of numbers are added while the trials run."""
    return small(
        accrual={"kind": "poisson", "consents_per_month": 20.0, "patience_days": 10},
        screening={"days": 5, "failure_probability": {"organ function": 0.8}},
        attrition={"not_infused_probability": 0.5, "partial_dose_probability": 0.5, "drop_out_per_year": 0.9},
        toxicity__dlt_probability=[0.2, 0.4],
        trial__planned_patients=18,
    )


@pytest.mark.parametrize("compiles", COMPILES)
def test_more_candidates_and_patients_than_a_page_of_random_numbers(compiles: bool) -> None:
    scenario = with_many_people()
    found, truth = by_kernel(scenario, 60, compiles=compiles), by_simpy(scenario, 60)
    assert truth.patients["infused"].sum(axis=1).max() > 16
    assert_same(found, truth)


MANY = {"kind": "poisson", "consents_per_month": 300.0}
CROWDS: dict[str, dict[str, Any]] = {
    "lost": {**MANY, "without_place": "lost"},
    "wait": MANY,
    "wait two weeks": {**MANY, "patience_days": 14},
    "a few wait": {**MANY, "patience_days": 30, "most_waiting": 5},
}


@pytest.mark.parametrize("compiles", COMPILES)
@pytest.mark.parametrize(
    ("rule_name", "accrual"),
    [
        ("3+3", CROWDS["lost"]),
        ("rolling six", CROWDS["wait"]),
        ("3+3", CROWDS["wait two weeks"]),
        ("rolling six", CROWDS["a few wait"]),
        ("3+3", {**MANY, "consents_per_month": 60.0}),
    ],
)
def test_a_page_at_a_time_changes_nothing(
    rule_name: str, accrual: dict[str, Any], compiles: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine of ten fail screening, so that whole pages do; enrolment closes while somebody is in screening."""
    scenario = small(
        rule=RULES[rule_name],
        accrual=accrual,
        screening={"days": 9, "failure_probability": {"organ function": 0.9}},
        toxicity__dlt_probability=[0.2, 0.4],
        trial__max_days=150,
    )
    truth = by_simpy(scenario, 4)
    assert_same(by_kernel(scenario, 4, compiles=compiles), truth)
    monkeypatch.setattr("escalate.kernel.chunk.MOST_CANDIDATES", 1)
    assert_same(by_kernel(scenario, 4, compiles=compiles), truth)


def numbers_kept(thing: Any, counted: set[int] | None = None) -> int:
    """Count the numbers in the arrays and lists that something holds, each once however often it is held."""
    counted = set() if counted is None else counted
    if isinstance(thing, np.ndarray):
        return thing.size
    if isinstance(thing, (list, tuple, dict)):
        return sum(numbers_kept(part, counted) for part in (thing.values() if isinstance(thing, dict) else thing))
    if not type(thing).__module__.startswith("escalate.nature"):
        return 1
    if id(thing) in counted:
        return 0
    counted.add(id(thing))
    return sum(numbers_kept(part, counted) for part in vars(thing).values())


@pytest.mark.parametrize("compiles", COMPILES)
def test_everybody_in_screening_at_the_end_is_counted(compiles: bool) -> None:
    """A month of screening: of those who consented before enrolment closed many come after the last one looked at."""
    accrual = {"kind": "poisson", "consents_per_month": 60.0, "without_place": "lost"}
    scenario = small(accrual=accrual, screening={"days": 30, "failure_probability": {"age": 0.2}})
    assert is_plain(scenario)
    assert_same(by_kernel(scenario, 20, compiles=compiles), by_simpy(scenario, 20))


@pytest.mark.parametrize("accrual", CROWDS.values(), ids=CROWDS)
def test_memory_does_not_grow_with_those_who_pass(accrual: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of eight trials the kernel holds four pages of candidates each, and SimPy the first two; 30 pages pass.

    What nature keeps itself is the last page: of a candidate two words, the day and the gap, of a patient four words.
    """
    scenario = small(accrual=accrual, safety__dlt_window_days=60, follow_up__days=60)
    monkeypatch.setattr("escalate.kernel.chunk.MOST_CANDIDATES", 8 * 4 * 16)
    monkeypatch.setattr("escalate.nature.candidates.MOST_TOGETHER", 2)
    held: list[int] = []

    def watched(p: Protocol, first: int, seats: Seats, t: Tables, candidates: list[list[int]], *rest: Any) -> None:
        run_many(p, first, seats, t, candidates, *rest)
        held.append(max(numbers_kept(candidates), numbers_kept(dict(seats.queues)) // 2))

    monkeypatch.setattr("escalate.kernel.rooms.Lists.run_many", staticmethod(watched))
    nature = Nature(scenario, 1, 0, 8)
    columns = Engine(scenario, compiles=False).run(nature)
    assert consented(scenario, columns.numbers).min() > 30 * 16
    assert max(held) <= 8 * 4 * 16
    assert numbers_kept(nature) < 8 * (2 + 2 + 4) * 16
    Conduct(scenario, Committee(scenario), nature, 5).run()
    assert numbers_kept(nature) < 8 * 10 * 16 * 3


@pytest.mark.parametrize("compiles", COMPILES)
@pytest.mark.parametrize("rule_name", ["3+3", "TITE-CRM"])
def test_one_engine_runs_many_chunks(rule_name: str, compiles: bool) -> None:
    """It draws as many pages at once as the chunks before needed, more or fewer."""
    scenario = with_many_people()
    if rule_name == "TITE-CRM":
        scenario = scenario.replace({"rule": {"name": rule_name, "target": 0.25, "skeleton": SKELETON[:2]}})
    engine, pages = Engine(scenario, compiles), []
    for first, count in ((0, 8), (8, 1), (9, 1), (10, 8), (18, 1)):
        found = engine.run(Nature(scenario, 1, first, count))
        pages.append(engine.candidate_pages)
        trials = gather(scenario, 1, first, found.numbers, found.paths, engine.answers.reasons)
        assert_same(trials, by_simpy(scenario, count, first))
    assert len(set(pages)) > 1


@pytest.mark.skipif(not is_available(), reason="numba is not installed")
def test_a_rule_may_simulate() -> None:
    """The engine that it is asked by keeps its trials, while it runs others in the same thread."""
    inner = Engine(shipped("nct06337474", "BOIN"), compiles=True)

    @rule
    def looks_ahead(known: Known) -> str:
        inner.run(Nature(inner.scenario, 5, 0, 300))
        return "escalate" if known.y == 0 and known.level < known.levels else "stop"

    scenario = shipped("six-dose-oncology", "3+3").replace({"rule": {"python": "looks_ahead"}})
    assert_same(by_kernel(scenario, 40, compiles=True), by_simpy(scenario, 40))


@pytest.mark.parametrize("drop_outs", ["keep_weight", "left_out"])
def test_adaptive_weights_read_the_days_of_dlts(drop_outs: str) -> None:
    """Which no other weights do: the questions of all others are written without them."""
    rule = {"name": "TITE-CRM", "target": 0.25, "skeleton": SKELETON, "weights": "adaptive", "drop_outs": drop_outs}
    scenario = load("scenarios/six-dose-oncology.toml").replace({"rule": rule, "attrition.drop_out_per_year": 0.7})
    assert_same(by_kernel(scenario, 60, seed=2), by_simpy(scenario, 60, seed=2))


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = shipped("nct06337474", "TITE-BOIN")
    whole = simulate(scenario, trials=50, seed=4)
    monkeypatch.setattr("escalate.studies.simulation.KERNEL_CHUNK", 7)
    assert_same(simulate(scenario, trials=50, seed=4), whole)


def test_a_failing_rule_is_told_as_simpy_tells_it() -> None:
    @rule
    def fails_at_two(known: Known) -> str:
        if known.y == 2:
            raise ZeroDivisionError("two")
        return "stay" if known.n < 6 else "stop"

    scenario = small(
        rule={"python": "fails_at_two"},
        toxicity__dlt_probability=[0.5, 0.5],
        accrual={"kind": "poisson", "consents_per_month": 5.0},
    )
    with pytest.raises(RuleError) as kernel:
        simulate(scenario, trials=300, seed=2)
    with pytest.raises(RuleError) as simpy:
        list(traced_trials(scenario, trials=300, seed=2))
    assert str(kernel.value) == str(simpy.value)
    assert str(kernel.value).startswith("trial ")


LONGER = {"safety.dlt_window_anchor": "last_infusion", "dose_levels[3].infusion_days": [0, 7], "follow_up.days": 90}
"""A longer window at level 3."""


def tite_boin_answers() -> tuple[Answers, Committee]:
    scenario = shipped("six-dose-oncology", "TITE-BOIN").replace(LONGER)
    committee = Committee(scenario)
    return Answers(scenario, committee, Lists()), committee


def question(level: int, n: int, y: int, c: int, room: int = 12) -> list[int]:
    """A decision about one level of six, with three clean patients at each level below."""
    below, above = [3] * level, [0] * (5 - level)
    zero = [0] * 5
    return [
        0,
        0,
        room,
        level,
        0,
        0,
        6,
        *below,
        n,
        *above,
        *zero[:level],
        y,
        *zero[level:],
        *zero[:level],
        c,
        *zero[level:],
    ]


@pytest.mark.parametrize("level", [0, 2, 5])
def test_answers_turn_on_the_day_on_which_the_committee_does(level: int) -> None:
    """Every sum of days, at every count of up to nine patients, four of them pending, against the committee itself."""
    answers, committee = tite_boin_answers()
    windows = shipped("six-dose-oncology", "TITE-BOIN").replace(LONGER).windows
    window = windows[level]
    counts = [(n - c, y, c) for n in (3, 6, 9) for c in range(min(n, 5)) for y in range(min(n - c, 3) + 1)]
    answers.ask(np.array([question(level, *each) for each in counts]))
    turned = 0
    for n, y, c in counts:
        row = answers.known.index[tuple(question(level, n, y, c))]
        for days in range(c * window + 1):
            while answers.known.answers[row][Answer.TURNS_AT] <= days:
                row, turned = answers.known.answers[row][Answer.TURNS_TO], turned + 1
            whole, rest = divmod(days, window)
            seen = [window] * whole + [rest] * (whole < c) + [0] * (c - whole - 1)
            asked = Counts(
                level=level,
                evaluable=tuple(question(level, n, y, c)[HEAD : HEAD + 6]),
                dlts=tuple(question(level, n, y, c)[HEAD + 6 : HEAD + 12]),
                pending=tuple(question(level, n, y, c)[HEAD + 12 : HEAD + 18]),
                seen=tuple(sorted((level, day) for day in seen)),
                windows=windows,
            )
            decided = committee.decide(asked, 12)
            assert answers.known.answers[row][:3] == [decided.action, decided.level, decided.patients], (n, y, c, days)
    assert turned


@pytest.mark.parametrize("later", [0, 7])
def test_single_patients_are_read_back_from_a_question(later: int) -> None:
    """Pending at level 1 for 3 and 28 of 28 days, at level 2 for 7; one lost at level 1 after 5; DLTs after 2 and 9.

    The DLT after 9 days was at level 2, whose last infusion, and window, may be later than that of level 1.
    """
    scenario = shipped("nct06337474", "TITE-CRM").replace(
        {"safety.dlt_window_anchor": "last_infusion", "dose_levels[2].infusion_days": [0, later] if later else [0]}
    )
    answers = Answers(scenario, Committee(scenario), Lists())
    answers.forget(8)
    lost, dlt = 2 * (29 + later), 4 * (29 + later)
    at = 1 if later else 0  # the lowest level with the same window
    codes = [0 + 2 * 3, 1 + 2 * 7, 0 + 2 * 28, lost + 0 + 2 * 5, dlt + 2 * 2, dlt + at + 2 * 9, -1, -1]
    asked = [0, 0, 5, 1, 0, 0, 1, 4, 2, 1, 1, 2, 1, *codes]
    found = answers._cut(np.array([asked]))
    counts = Counts(
        1, (4, 2), (1, 1), (2, 1), seen=((0, 3), (0, 28), (1, 7)), lost=((0, 5),), dlt_days=((0, 2), (1, 9)),
        windows=(28, 28 + later), open_levels=1,
    )  # fmt: skip
    truth = DataCut.gather([counts])
    assert found.open_levels.tolist() == truth.open_levels.tolist() == [1]
    assert found.followup.tolist() == truth.followup.tolist() == [[3 / 28 + 1, 7 / (28 + later)]]
    assert truth.partial is not None and found.partial is not None
    people = [
        sorted(zip(cut.level[0].tolist(), cut.share[0].tolist(), cut.lost[0].tolist(), strict=True))
        for cut in (found.partial, truth.partial)
    ]
    assert [person for person in people[0] if person[0] != NO_LEVEL] == people[1]
    dlts = [cut.dlt_share[0][~np.isnan(cut.dlt_share[0])].tolist() for cut in (found.partial, truth.partial)]
    assert dlts[0] == dlts[1] == [2 / 28, 9 / (28 + later)]


@pytest.mark.parametrize("compiles", COMPILES)
@pytest.mark.parametrize(("lead_days", "review_delay_days"), [(0, 0), (3, 2)])
def test_accrual_goes_on_when_the_follow_up_suffices(compiles: bool, lead_days: int, review_delay_days: int) -> None:
    """TITE-CRM that suspends until all pending patients have been observed for half their windows."""
    scenario = small(
        rule={"name": "TITE-CRM", "target": 0.25, "skeleton": [0.05, 0.25], "min_followup_share": 0.5},
        accrual={"kind": "poisson", "consents_per_month": 6.0},
        toxicity__dlt_probability=[0.1, 0.3],
        attrition={"drop_out_per_year": 0.5, "not_infused_probability": 0.1},
        safety__review_delay_days=review_delay_days,
        treatment__lymphodepletion=lymphodepletion(lead_days) if lead_days else [],
    )
    assert_same(by_kernel(scenario, 25, compiles=compiles), by_simpy(scenario, 25))


def widths_suffice(scenario: Scenario, trials: int) -> int:
    """Check that every number of every question fits into its bits; return the most patients at one level in any."""
    engine = Engine(scenario, compiles=False)
    engine.run(Nature(scenario, 1, 0, trials))
    asked = np.array(list(engine.answers.known.index)).reshape(-1, engine.answers.question_size) + 1
    assert (asked >= 0).all()
    assert (asked < 1 << np.array(engine.answers._bits())).all()
    return int(asked[:, HEAD : HEAD + scenario.levels].max(initial=0)) - 1


@pytest.mark.parametrize("rule_name", ["BOIN", "TITE-BOIN", "TITE-CRM"])
def test_questions_fit_into_their_bits(rule_name: str) -> None:
    """Cohorts of more patients than ever come, so that a completion has more of them than a trial."""
    crm = {"skeleton": [0.1, 0.3]} if "CRM" in rule_name else {}
    scenario = small(
        rule=RULES[rule_name] | crm,
        safety__cohort_size=40,
        safety__early_decision=True,
        trial__planned_patients=60,
        attrition={"drop_out_per_year": 0.9, "partial_dose_probability": 0.2},
        toxicity__dlt_probability=[0.1, 0.3],
        accrual={"kind": "fixed", "consent_days": [0] * 12},
        trial__max_days=200,
    )
    assert widths_suffice(scenario, 20) > 31
    assert_same(by_kernel(scenario, 20, compiles=is_available()), by_simpy(scenario, 20))


@seed(7)
@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(any_rule())
def test_questions_of_random_scenarios_fit_into_their_bits(scenario: Scenario) -> None:
    widths_suffice(scenario, 3)
