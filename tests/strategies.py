"""Random scenarios for property tests (Hypothesis): small trials, every switch of the protocol in every position.

Hypothesis likes the first of several choices best: lively trials stand first, trials in which little happens last.
"""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from escalate.errors import ScenarioError
from escalate.scenario import Scenario
from escalate.scenario.own_rules import Known, rule
from rolling_grids import ONE_BY_ONE, a_grid

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WORK = ("consent", "screening", "lymphodepletion", "infusion", "committee")
SHORT_TRIAL_DAYS = 400
"""Trials to which many candidates come, who may wait for ever, are at most this long: each trial stays cheap [days]."""


@st.composite
def scenarios(draw: st.DrawFn, everything: bool = False, reviews: bool = False, sites: bool = False) -> Scenario:
    """Draw a valid scenario: a cohort asked alone, or `everything`, with rolling rules and what is around a asked.

    With `reviews` also when the committee is called, what it looks at, and what waits for it, and with what candidates
    wait for before their places; with `sites`, mostly, sites of which some open late, and rates that change.
    """
    levels = draw(st.sampled_from([2, 2, 3, 3, 4, 1]))
    max_days = draw(st.sampled_from([800, 1500, 1500, 400, 400, 100, 60]))
    start_date = date(2024, 1, 1) + timedelta(days=draw(st.integers(0, 6)))
    infusion_days, agents = draw(_infusion_days()), draw(_lymphodepletion())
    own = draw(_own_schedules(levels))
    last_days = [each.get("infusion_days", infusion_days)[-1] for each in own]
    anchor = draw(st.sampled_from(["first_infusion", "last_infusion"]))
    window_days = draw(st.one_of(st.sampled_from([0, 1, 7, 14, 28]), st.integers(0, 28)))
    if any(last_days):  # the window must end after the last infusion
        window_days = max(window_days, 1 + (max(last_days) if anchor == "first_infusion" else 0))
    windows = [window_days + (last if anchor == "last_infusion" else 0) for last in last_days]
    follow_up_days = max(windows) + draw(st.sampled_from([0, 0, 1, 2, 10, 30, 90]))
    cohort_size = draw(st.one_of(st.sampled_from([3, 3, 3]), st.integers(1, 6)))
    asked = draw(_rule(everything))
    smallest_cap = min(cohort_size, 3) if asked["name"] == "3+3" else cohort_size
    more_patients = draw(st.sampled_from([9, 6, 12, 20, 30, 3, 1, 0]))
    data: dict[str, Any] = {
        "schema_version": 1,
        "trial": {
            "title": "random",
            "start_date": start_date,
            "planned_patients": smallest_cap + more_patients,
            "cap_counts": draw(st.sampled_from(["evaluable", "infused"])),
            "max_days": max_days,
        },
        "dose_levels": [{"label": f"dose {level}"} | each for level, each in enumerate(own, 1)],
        "treatment": {
            "infusion_days": infusion_days,
            "weekdays": draw(_weekdays()),
            "lymphodepletion": agents,
        },
        "calendar": {"closed": draw(_closures(start_date))},
        "safety": {
            "dlt_window_days": window_days,
            "dlt_window_anchor": anchor,
            "start_level": draw(st.one_of(st.just(1), st.integers(1, levels))),
            "cohort_size": cohort_size,
            "sentinel_stagger_days": draw(st.sampled_from([0, 0, 1, 7, 14, 28])),
            "sentinel": draw(st.sampled_from(["every_cohort", "new_level"])),
            "stagger_days": draw(st.sampled_from([0, 0, 1, 3, 14])),
            "review_delay_days": draw(st.one_of(st.just(0), st.integers(0, 10))),
            "meeting_weekdays": draw(_weekdays()),
            "early_decision": draw(st.booleans()),
            "replace_non_evaluable": draw(st.booleans()),
            "dlt_after_lymphodepletion": draw(st.sampled_from(["infuse", "withhold"])),
            "when_rule_finished": draw(st.sampled_from(["expand", "stop"])),
        },
        "rule": asked,
        "follow_up": {"days": follow_up_days},
        "accrual": draw(_accrual(start_date, max_days)),
        "screening": draw(_screening()),
        "toxicity": {
            "dlt_probability": draw(_dlt_probability(levels)),
            "onset": draw(_onset(min(windows))),
        },
        "attrition": {
            "not_infused_probability": draw(st.sampled_from([0.0, 0.0, 0.1, 0.2, 0.5])),
            "partial_dose_probability": draw(st.sampled_from([0.0, 0.0, 0.1, 0.2, 0.5])),
            "drop_out_per_year": draw(st.sampled_from([0.0, 0.0, 0.0, 0.3, 0.9, 0.9999])),
        },
        "what_if": draw(_what_if(draw(st.sampled_from(windows)), follow_up_days)),
    }
    if everything:
        _put_around_the_rule(draw, data, levels)
    if data["safety"]["when_rule_finished"] == "expand":
        closes = {"expansion_too_toxic_probability": draw(st.sampled_from([0.6, 0.9, 1.0]))}
        data["stopping"] = {"too_toxic_above": 0.3} | data.get("stopping", {}) | closes
    _put_on_weekdays(draw, data)
    if reviews:
        _put_reviews(draw, data)
        _put_resources(draw, data)
        _put_candidates(draw, data)
    if data["safety"]["replace_non_evaluable"]:
        data["safety"]["replace_partial_dose"] = draw(st.sampled_from(["after_window", "at_once"]))
    if sites:
        _put_sites(draw, data)
    try:
        return Scenario.model_validate(data)
    except ScenarioError as error:
        closed = data["calendar"]["closed"] or any(site["closed"] for site in data.get("sites", []))
        if closed or "that says R somewhere" in str(error):
            reject()  # nothing may be open on any day, and a table of chance may never stop
        raise


def _infusion_days() -> st.SearchStrategy[list[int]]:
    return st.sampled_from([[0], [0], [0], [0, 1], [0, 7], [0, 14], [0, 3, 6], [0, 7, 28]])


@st.composite
def _own_schedules(draw: st.DrawFn, levels: int) -> list[dict[str, Any]]:
    """Draw what each level has of its own: in most trials nothing, in others of some levels some of it."""
    if not draw(st.sampled_from([False, False, True])):
        return [{} for _ in range(levels)]
    keys = {"infusion_days": _infusion_days(), "lymphodepletion": _lymphodepletion()}
    return [{key: draw(values) for key, values in keys.items() if draw(st.booleans())} for _ in range(levels)]


def _treated(data: dict[str, Any], key: str) -> list[Any]:
    """Return what each level has of a key of the treatment."""
    return [level.get(key, data["treatment"][key]) for level in data["dose_levels"]]


def _weekdays() -> st.SearchStrategy[list[str]]:
    some = st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=5, unique=True)
    office_days = list(WEEKDAYS[:5])
    return st.one_of(st.just(list(WEEKDAYS)), st.just(office_days), some)


@st.composite
def _closures(draw: st.DrawFn, start_date: date) -> list[dict[str, Any]]:
    """Draw none, or some that overlap, come back, and rest what they like; something is open at last."""
    closures = []
    for number in range(draw(st.sampled_from([0, 0, 0, 1, 2, 3]))):
        first = start_date + timedelta(days=draw(st.integers(-20, 250)))
        closures.append(
            {
                "first_day": first,
                "last_day": first + timedelta(days=draw(st.sampled_from([0, 1, 3, 7, 20, 60]))),
                "what": draw(st.lists(st.sampled_from(WORK), min_size=1, unique=True)),
                "every_year": draw(st.booleans()),
                "reason": f"closure {number + 1}",
            }
        )
    return closures


def _put_on_weekdays(draw: st.DrawFn, data: dict[str, Any]) -> None:
    """Draw weekdays of the rest of a treatment, and meetings, such as some treatment and some meeting are possible."""
    treatment, safety = data["treatment"], data["safety"]
    first = draw(st.sampled_from(treatment["weekdays"]))  # a treatment whose first infusion is on it shall be possible
    leads = [len(agents[0]["days"]) for agents in _treated(data, "lymphodepletion") if agents]
    if leads:
        days = {*(WEEKDAYS[(WEEKDAYS.index(first) - lead) % 7] for lead in leads), *draw(_weekdays())}
        treatment["lymphodepletion_weekdays"] = sorted(days, key=WEEKDAYS.index)
    later_days = {day for days in _treated(data, "infusion_days") for day in days[1:]}
    if later_days:
        later = {WEEKDAYS[(WEEKDAYS.index(first) + day) % 7] for day in later_days}
        treatment["later_infusion_weekdays"] = sorted(later | set(draw(_weekdays())), key=WEEKDAYS.index)
    how = draw(st.sampled_from(["weekdays", "weekdays", "weekdays", "weeks", "dates"]))
    if how == "weeks":
        safety["meeting_weeks"] = draw(st.lists(st.sampled_from([1, 2, 3, 4, -1]), min_size=1, max_size=3, unique=True))
    elif how == "dates":
        safety["meeting_weekdays"] = list(WEEKDAYS)
        gap = draw(st.sampled_from([7, 14, 30, 61]))
        start = data["trial"]["start_date"] + timedelta(days=draw(st.integers(-5, 20)))
        safety["meeting_dates"] = [start + timedelta(days=gap * number) for number in range(60)]


def _put_resources(draw: st.DrawFn, data: dict[str, Any]) -> None:
    capacity: dict[str, Any] = {}
    if draw(st.booleans()):
        least = max(map(_most_in_a_week, _treated(data, "infusion_days")))
        capacity["infusions_per_week"] = draw(st.sampled_from([least, least, least + 1, 6]))
    if draw(st.booleans()):
        capacity |= {
            "patients_at_once": draw(st.sampled_from([1, 2, 3])),
            "discharge_days": draw(st.sampled_from([0, 1, 14, 30])),
        }
    if draw(st.booleans()):
        data["capacity"] = capacity
    if draw(st.booleans()):
        product: dict[str, Any] = {
            "kind": "off_the_shelf",
            "doses_at_start": draw(st.sampled_from([1, 2, 4, 30])),
            "doses_per_batch": draw(st.sampled_from([1, 2, 5])),
            "batch_failure_probability": draw(st.sampled_from([0.0, 0.3, 1.0])),
        }
        if draw(st.booleans()):
            product["batches_every_days"] = draw(st.sampled_from([5, 20, 42]))
        else:
            days = draw(st.lists(st.integers(-5, 300), min_size=1, max_size=6, unique=True))
            product["batch_dates"] = [data["trial"]["start_date"] + timedelta(days=day) for day in sorted(days)]
        data["product"] = product


def _put_candidates(draw: st.DrawFn, data: dict[str, Any]) -> None:
    """Put what candidates wait for before their places: those in screening, those of the product, notice."""
    screening = data["screening"]
    if draw(st.booleans()):
        screening |= {
            "while_closed": draw(st.sampled_from(["list", "list", "waits"])),
            "opens_days_ahead": draw(st.sampled_from([0, 0, 3, 14, 40])),
            "candidates_per_place": draw(st.sampled_from([None, None, 1, 2])),
        }
    reserves = screening.get("while_closed") is not None and draw(st.booleans())
    if reserves:
        data["treatment"]["place_reserved"], screening["candidates_per_place"] = "at_consent", None
    if draw(st.booleans()) and data["accrual"]["without_place"] == "wait":
        screening["valid_days"] = draw(st.sampled_from([0, 1, 10, 28]))
    accrual = data["accrual"]
    patience = 0 if accrual["without_place"] == "lost" else accrual.get("patience_days", 10**6)
    most = min(screening.get("valid_days", 10**6), max(patience - 1, 0))
    notices = [days for days in (0, 0, 1, 7, 20) if days <= most]
    data["treatment"]["notice_days"] = 0 if reserves else draw(st.sampled_from(notices))
    if draw(st.booleans()):
        fails = draw(st.sampled_from([0.0, 0.2, 0.6]))
        data["product"] = {
            "kind": "autologous",
            "manufacture_days": draw(st.sampled_from([0, 1, 14, 30])),
            "failure_probability": fails,
            "out_of_specification_probability": draw(st.sampled_from([0.0, 0.3])),
            "most_attempts": draw(st.sampled_from([1, 2, 3])),
        }


def _most_in_a_week(infusion_days: list[int]) -> int:
    """Return how many infusions of a patient fall into one week, from whatever weekday on."""
    return max(sum(first <= day < first + 7 for day in infusion_days) for first in infusion_days)


def _put_reviews(draw: st.DrawFn, data: dict[str, Any]) -> None:
    safety = data["safety"]
    safety["dlt_after_lymphodepletion"] = draw(st.sampled_from(["withhold_if_closed", "withhold", "infuse"]))
    safety["after_sentinel_dlt"] = draw(st.sampled_from(["review", "go_on"]))
    if safety["early_decision"] or safety["after_sentinel_dlt"] == "review":
        safety["urgent_review_days"] = draw(st.sampled_from([None, 0, 1, 3, 30]))
    if any(_treated(data, "lymphodepletion")):
        safety["lymphodepletion_in_stagger"] = draw(st.booleans())
    if any(len(days) > 1 for days in _treated(data, "infusion_days")):
        safety["later_infusions_at_closed_level"] = draw(st.sampled_from(["withhold", "give"]))
    safety["assignment_delay_days"] = draw(st.sampled_from([None, 0, 0, 1, 4]))


def _dlt_probability(levels: int) -> st.SearchStrategy[list[float]]:
    value = st.sampled_from([0.1, 0.1, 0.3, 0.3, 0.0, 0.6, 1.0])
    anything = st.lists(value, min_size=levels, max_size=levels)
    return st.one_of(anything, anything.map(sorted))


def _lymphodepletion() -> st.SearchStrategy[list[dict[str, Any]]]:
    def agents(lead: int) -> list[dict[str, Any]]:
        if lead == 0:
            return []
        days = list(range(-lead, 0))
        return [
            {"agent": "fludarabine", "mg_per_m2": 25.0, "days": days},
            {"agent": "cyclophosphamide", "mg_per_m2": 500.0, "days": days[-1:]},
        ]

    return st.one_of(st.integers(0, 5), st.integers(1, 5)).map(agents)


@st.composite
def _accrual(draw: st.DrawFn, start_date: date, max_days: int) -> dict[str, Any]:
    accrual: dict[str, Any] = {"without_place": draw(st.sampled_from(["wait", "wait", "wait", "wait", "lost"]))}
    if accrual["without_place"] == "wait":
        patience = draw(st.sampled_from([None, None, None, 0, 1, 5, 14, 30, 60, 200]))
        if patience is not None:
            accrual["patience_days"] = patience
    if draw(st.booleans()):
        gaps = draw(st.lists(st.sampled_from([5, 0, 0, 1, 2, 3, 8, 15, 30, 60]), min_size=1, max_size=8))
        count = draw(st.sampled_from([40, 40, 40, 10, 3, 0]))
        days = list(itertools.accumulate(itertools.islice(itertools.cycle(gaps), count)))
        return accrual | {"kind": "fixed", "consent_days": days}
    rates = [5.0, 5.0, 10.0, 10.0, 2.0, 1.0, 0.5, 0.0] + ([30.0] if max_days <= SHORT_TRIAL_DAYS else [])
    pauses = []
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        first = start_date + timedelta(days=draw(st.integers(-20, 200)))
        pauses.append({"first_day": first, "last_day": first + timedelta(days=draw(st.integers(0, 60)))})
    return accrual | {"kind": "poisson", "consents_per_month": draw(st.sampled_from(rates)), "pauses": pauses}


def _put_sites(draw: st.DrawFn, data: dict[str, Any]) -> None:
    """Put sites in the place of the accrual, or let its rate change, or leave it."""
    start, max_days = data["trial"]["start_date"], data["trial"]["max_days"]
    how = draw(st.sampled_from(["sites", "sites", "sites", "one place", "as drawn"]))
    if how == "one place" and data["accrual"]["kind"] == "poisson":
        data["accrual"] |= draw(_changing_rate(start))
    if how != "sites":
        return
    waiting = ("without_place", "patience_days", "most_waiting")
    data["accrual"] = {"kind": "by_site"} | {key: data["accrual"][key] for key in waiting if key in data["accrual"]}
    data["sites"] = []
    for number in range(draw(st.sampled_from([2, 2, 3, 4, 1]))):
        site = draw(_accrual(start, max_days))
        opens = draw(st.sampled_from([0, 0, 0, 5, 30, 30, 90, 300]))
        opens = opens if opens <= max_days else 0
        site = {key: value for key, value in site.items() if key not in (*waiting, "kind")}
        if "consent_days" in site:
            site["consent_days"] = [opens + day for day in site["consent_days"]]
        else:
            site["consents_per_month"] /= 2
            site |= draw(_changing_rate(start)) if draw(st.booleans()) else {}
        if opens or draw(st.booleans()):
            site["opens"] = start + timedelta(days=opens)
        if draw(st.booleans()):
            site["screening_days"] = draw(st.integers(0, 20))
        if draw(st.booleans()):
            site["failure_probability"] = draw(st.sampled_from([{"infection": 0.3}, {"travel": 0.2, "infection": 0.1}]))
        site["closed"] = [
            closure | {"what": what}
            for closure in draw(_closures(start))
            if (what := [work for work in closure["what"] if work in ("consent", "screening")])
        ]
        data["sites"].append({"name": f"site {number + 1}", **site})


@st.composite
def _changing_rate(draw: st.DrawFn, start_date: date) -> dict[str, Any]:
    """Draw when a rate changes, and to what, how it grows, and how little it is known; all of it sometimes."""
    days = sorted(draw(st.lists(st.integers(-30, 300), max_size=3, unique=True)))
    rates = [
        {"from_date": start_date + timedelta(days=day), "consents_per_month": draw(st.sampled_from([5.0, 1.0, 0.0]))}
        for day in days
    ]
    if rates and draw(st.booleans()):
        rates[-1]["consents_per_month"] = 2.0
    return {
        "rates": rates if any(rate["consents_per_month"] for rate in rates) else [],
        "ramp_up_days": draw(st.sampled_from([0, 0, 30, 200])),
        "rate_cv": draw(st.sampled_from([0.0, 0.0, 0.4, 1.2])),
    }


def _screening() -> st.SearchStrategy[dict[str, Any]]:
    failures = st.sampled_from([{}, {}, {}, {"organ function": 0.2, "infection": 0.1}, {"organ function": 0.7}])
    return st.fixed_dictionaries(
        {"days": st.one_of(st.just(0), st.integers(0, 20)), "failure_probability": failures.map(dict)}
    )


def _rule(everything: bool) -> st.SearchStrategy[dict[str, Any]]:
    target = st.sampled_from([0.2, 0.25, 0.3])
    three = st.fixed_dictionaries({"name": st.just("3+3"), "variant": st.sampled_from("ABC")})
    boin = st.fixed_dictionaries({"name": st.just("BOIN"), "target": target})
    if not everything:
        return st.one_of(three, three, three, boin)
    rolling_six = st.fixed_dictionaries(
        {
            "name": st.just("rolling six"),
            "table": st.sampled_from(["published", "package"]),
            "six_at_mtd": st.booleans(),
        }
    )
    iq = st.just({"name": "IQ rolling six"})
    table = st.tuples(st.integers(0, 10**6), st.integers(4, 6)).map(lambda drawn: _table(*drawn))
    tite_boin = st.fixed_dictionaries(
        {
            "name": st.just("TITE-BOIN"),
            "target": target,
            "method": st.sampled_from(["imputation", "effective_sample_size"]),
            "min_completed": st.sampled_from([0, 2]),
            "most_pending_share": st.sampled_from([0.5, 1.0]),
        }
    )
    return st.one_of(rolling_six, tite_boin, three, boin, iq, table, rolling_six, tite_boin, three)


def _table(seed: int, most: int) -> dict[str, Any]:
    """Return a table with patients pending, which ends by itself."""
    return {"name": "table", "decisions": a_grid(np.random.default_rng(seed), most, ends=True)}


def _put_around_the_rule(draw: st.DrawFn, data: dict[str, Any], levels: int) -> None:
    """Add, sometimes, titration, limits, stopping rules, a last cohort in part and a limit to who waits."""
    last_level = draw(st.sampled_from(["no titration"] * 4 + [None] + list(range(1, levels + 1))))
    if last_level != "no titration" and data["rule"]["name"] != "table":  # whose levels may be smaller than a cohort
        data["titration"] = {} if last_level is None else {"last_level": last_level}
    data["trial"]["last_cohort"] = draw(st.sampled_from(["whole", "partial"]))
    if data["rule"]["name"] in ONE_BY_ONE or "titration" in data or data["trial"]["last_cohort"] == "partial":
        data["trial"]["planned_patients"] -= draw(st.sampled_from([0, 0, 0, 1, 2]))
        data["trial"]["planned_patients"] = max(data["trial"]["planned_patients"], 1)
    has_target = data["rule"]["name"] in ("BOIN", "TITE-BOIN")
    data["limits"] = draw(_no_skipping())
    if data["rule"]["name"] == "table" and data["limits"]["no_skipping"] == "last_given":
        data["limits"]["no_skipping"] = "highest_given"  # else levels that were left are filled beyond their lines
    coherence = ["off", "off", "after_dlt"] + ["last_cohort", "last_level"] * has_target
    if data["rule"]["name"] in ("IQ rolling six", "table"):
        coherence = ["off"]  # their lines end, and a limit to escalation could lead beyond them
    data["limits"]["coherence"] = draw(st.sampled_from(coherence))
    most_per_level = draw(st.sampled_from([None, None, None, None, 9, 6, 3, 4, 2, 1]))
    if most_per_level is not None:
        data["limits"]["most_per_level"] = most_per_level
    data["stopping"] = draw(_stopping(data, has_target))
    most_waiting = draw(st.sampled_from([None, None, None, 1, 2, 5]))
    if most_waiting is not None and data["accrual"]["without_place"] == "wait":
        data["accrual"]["most_waiting"] = most_waiting


def _no_skipping() -> st.SearchStrategy[dict[str, Any]]:
    up = st.sampled_from(["last_given", "last_given", "highest_given", "off"])
    return st.fixed_dictionaries({"no_skipping": up, "no_skipping_down": st.booleans()})


@st.composite
def _stopping(draw: st.DrawFn, data: dict[str, Any], has_target: bool) -> dict[str, Any]:
    """Draw, sometimes, each of the stopping rules that a scenario may have."""
    stopping: dict[str, Any] = {}
    enough = draw(st.sampled_from([None, None, None, None, 9, 6, 3, 2, 1]))
    if enough is not None:
        stopping |= {"enough_at_level": enough, "enough_when": draw(st.sampled_from(["staying", "any_move"]))}
    most_patients = draw(st.sampled_from([None, None, None, None, 9, 6, 12, 4, 2]))
    if most_patients is not None:
        single = data["rule"]["name"] in ONE_BY_ONE or "titration" in data
        first = data["safety"]["cohort_size"]
        if data["rule"]["name"] == "3+3":
            first = min(first, 3)
        stopping["most_patients"] = max(most_patients, 1 if single else first)
    too_toxic = draw(st.sampled_from([None, None, None, 0.7, 0.9]))
    if too_toxic is not None:
        stopping["too_toxic_probability"] = too_toxic
        above = draw(st.sampled_from(([None] if has_target else []) + [0.3, 0.2]))
        if above is not None:
            stopping["too_toxic_above"] = above
    if has_target:  # the others have no dose to recommend before they have finished
        stopping["interval_width"] = draw(st.sampled_from([None, None, None, 0.7, 0.5, 0.9]))
    return stopping


def _onset(window_end: int) -> st.SearchStrategy[dict[str, Any]]:
    days = st.lists(st.one_of(st.integers(0, window_end), st.just(window_end)), min_size=1, max_size=4)
    return st.one_of(
        st.just({"kind": "uniform"}),
        st.sampled_from([0.1, 0.5, 0.9]).map(lambda share: {"kind": "weibull", "second_half_share": share}),
        days.map(lambda listed: {"kind": "list", "days": listed}),
    )


@st.composite
def _what_if(draw: st.DrawFn, window_end: int, follow_up_days: int) -> list[dict[str, Any]]:
    """Draw fates for some patients, with days at the edges of the window and of follow-up more often than others."""
    edges = {0, 1, window_end - 1, window_end, window_end + 1, follow_up_days - 1, follow_up_days}
    days = st.one_of(
        st.sampled_from(sorted(day for day in edges if 0 <= day <= follow_up_days)), st.integers(0, follow_up_days)
    )
    items = []
    for patient in draw(st.lists(st.integers(1, 9), max_size=4, unique=True)):
        item: dict[str, Any] = {"patient": patient}
        dlt = draw(st.sampled_from(["random", "none", "some day", "this day", "this day"]))
        if dlt == "this day":
            item["dlt_day"] = draw(days)
        elif dlt != "random":
            item["dlt"] = dlt == "some day"
        drop_out = draw(st.sampled_from(["random", "random", "none", "this day"]))
        if drop_out == "this day":
            item["drop_out_day"] = draw(days)
        elif drop_out == "none":
            item["drop_out"] = False
        for key in ("infused", "full_dose"):
            value = draw(st.sampled_from([None, None, True, False]))
            if value is not None:
                item[key] = value
        items.append(_possible(item))
    return items


def _possible(item: dict[str, Any]) -> dict[str, Any]:
    """Return a fate without what contradicts the rest of it: who is not infused has no more, who has left no DLT."""
    if item.get("infused") is False:
        return {
            key: value for key, value in item.items() if key == "patient" or (value is False and key != "full_dose")
        }
    if item.get("drop_out_day", item.get("dlt_day", 0)) < item.get("dlt_day", 0):
        del item["dlt_day"]
    return item


@rule(target=0.3)
def by_rate(known: Known) -> str | int:
    """Up below a fifth of the patients, down above two fifths, and two levels without a DLT or with all: one's own."""
    rate = known.y / max(known.n, 1)
    if known.n > 1 and known.y in (0, known.n):
        return min(known.level + 2, known.levels) if known.y == 0 else max(known.level - 2, 1)
    return "escalate" if rate < 0.2 else ("de-escalate" if rate > 0.4 else "stay")


@st.composite
def any_rule(draw: st.DrawFn, rolling: bool = True, reviews: bool = False) -> Scenario:
    """Draw a valid scenario of any rule with what is around it; of cohort rules alone where `rolling` is false."""
    scenario = draw(scenarios(everything=rolling, reviews=reviews))
    levels = scenario.levels
    skeleton = [0.08, 0.16, 0.27, 0.4][:levels]
    names = ["CRM", "python", "CRM", "mTPI", "mTPI-2", "Keyboard", "i3+3", "BLRM", "as drawn"]
    if rolling:
        names += ["TITE-CRM", "TITE-CRM", "as drawn"]
    name = draw(st.sampled_from(names))
    target = draw(st.sampled_from([0.2, 0.25, 0.3]))
    model: dict[str, Any] = {"target": target, "skeleton": skeleton}
    rules: dict[str, dict[str, Any]] = {
        "CRM": model
        | {
            "estimate": draw(st.sampled_from(["bayes", "maximum_likelihood"])),
            "too_toxic_probability": draw(st.sampled_from([0.95, 0.8, 1.0])),
        },
        "TITE-CRM": model
        | {
            "weights": draw(st.sampled_from(["linear", "adaptive"])),
            "drop_outs": draw(st.sampled_from(["keep_weight", "left_out"])),
            "min_followup_share": draw(st.sampled_from([0.0, 0.3, 0.5, 1.0])),
            "below_min_followup": draw(st.sampled_from(["suspend", "suspend", "stay"])),
        },
        "BLRM": {"doses": [1.0, 2.0, 4.0, 7.0][:levels], "sd_log_alpha": 1.0, "sd_log_beta": 0.7},
        "python": {"python": "by_rate"},
    }
    changes: dict[str, Any] = {}
    if name != "as drawn":
        changes["rule"] = {"name": name, **rules.get(name, {"target": target})}
        changes["trial.planned_patients"] = max(scenario.trial.planned_patients, scenario.safety.cohort_size)
        if name not in ("BLRM", "python"):
            changes["limits.coherence"] = draw(
                st.sampled_from(["off", "by_rule", "last_cohort", "last_level", "after_dlt"])
            )
        changes["stopping.too_toxic_probability"] = draw(st.sampled_from([None, None, 0.9]))
        changes["stopping.too_toxic_above"] = None
        if name != "BLRM":  # whose intervals take longest
            changes["stopping.interval_width"] = draw(st.sampled_from([None, None, None, 0.6, 0.4]))
        if scenario.stopping.most_patients is not None:
            changes["stopping.most_patients"] = max(scenario.stopping.most_patients, scenario.safety.cohort_size)
        changes |= {f"limits.{key}": value for key, value in draw(_no_skipping()).items()}
    return scenario.replace(changes)


@st.composite
def plain_scenarios(draw: st.DrawFn) -> Scenario:
    """Draw a valid scenario of any rule for which the plain edition of the compiled kernel will do."""
    scenario = draw(any_rule())
    changes: dict[str, Any] = {
        "safety.dlt_after_lymphodepletion": draw(st.sampled_from(["withhold_if_closed", "withhold", "infuse"])),
        "safety.assignment_delay_days": draw(st.sampled_from([None, 0, 0, 1, 4])),
    }
    if scenario.safety.early_decision:
        changes["safety.urgent_review_days"] = draw(st.sampled_from([None, 0, 1, 3, 30]))
    if any(schedule.lead_days for schedule in scenario.schedules):
        changes["safety.lymphodepletion_in_stagger"] = draw(st.booleans())
    return scenario.replace(changes)


@st.composite
def cohorts_awaited(draw: st.DrawFn) -> Scenario:
    """Draw a valid scenario whose cohorts are soon complete and then awaited, so that the kernel passes over days.

    DLTs come late, so that some are not the first outcome of their cohort.
    """
    scenario = draw(any_rule(rolling=draw(st.sampled_from([False, False, True])), reviews=draw(st.booleans())))
    early, kept = draw(st.booleans()), ("without_place", "patience_days", "most_waiting")
    waiting = {key: value for key in kept if (value := getattr(scenario.accrual, key)) is not None}
    changes: dict[str, Any] = {
        "accrual": waiting | {"kind": "poisson", "consents_per_month": draw(st.sampled_from([8.0, 15.0, 30.0]))},
        "safety.early_decision": early,
        "safety.sentinel_stagger_days": draw(st.sampled_from([0, 1, 3])),
        "safety.stagger_days": draw(st.sampled_from([0, 1, 3])),
        "attrition.drop_out_per_year": draw(st.sampled_from([0.0, 0.9, 0.9999])),
        "toxicity.dlt_probability": [draw(st.sampled_from([0.05, 0.2, 0.4])) for _ in range(scenario.levels)],
        "what_if": [],
    }
    if min(scenario.windows) > 1:
        changes["toxicity.onset"] = {"kind": "weibull", "second_half_share": 0.9}
    if not early and scenario.safety.after_sentinel_dlt != "review":
        changes["safety.urgent_review_days"] = None
    if any(len(schedule.infusion_days) > 1 for schedule in scenario.schedules):
        changes["safety.later_infusions_at_closed_level"] = draw(st.sampled_from(["give", "give", "withhold"]))
    return scenario.replace(changes)
