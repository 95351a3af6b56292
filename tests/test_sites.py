"""Sites, and rates of consents that change, grow and are not known: closed forms, one order, and what is told."""

from __future__ import annotations

import itertools
import math
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

import escalate as esc
from escalate import Scenario, ScenarioError, simulate_trial
from escalate.cli import main
from escalate.nature.at_site import SiteDraws
from escalate.nature.draws import Nature
from escalate.nature.gaps import exponential
from escalate.nature.sameness import CONSENT, SCREENING, not_the_same
from escalate.nature.streams import GAP, NEVER, PAGE, Stream, uniforms, words
from escalate.plots.texts import measure
from escalate.plots.timeline import SITE
from escalate.report.accrual import accrual_summary
from escalate.report.narrative import story
from escalate.scenario.command_line import with_settings
from escalate.scenario.drivers import consents_words, drivers
from escalate.scenario.intensity import Intensity
from escalate.scenario.nature import DAYS_PER_MONTH
from escalate.words.csv_text import csv_text
from small import START, small
from test_hand_computed import expected

TRIALS = 4000
Rates = list[dict[str, Any]]


def on(day: int) -> date:
    return START + timedelta(days=day)


def at_random(per_month: float = 6.0, **how: Any) -> Scenario:
    """Return a scenario of one place with such an accrual, in days counted from the start date."""
    if "rates" in how:
        how["rates"] = [{"from_date": on(day), "consents_per_month": rate} for day, rate in how["rates"]]
    return small(accrual={"kind": "poisson", "consents_per_month": per_month, **how})


def by_site(*sites: dict[str, Any], **changes: Any) -> Scenario:
    """Return a scenario with sites, each with a name of its own unless it has one."""
    named = [{"name": f"site {number}"} | site for number, site in enumerate(sites, 1)]
    return small(accrual={"kind": "by_site"}, sites=named, **changes)


def days_of(scenario: Scenario, pages: int, count: int = TRIALS, seed: int = 1) -> Any:
    nature = Nature(scenario, seed, 0, count)
    return np.hstack([nature.consent_days(page) for page in range(pages)])


# The rate: closed forms


def growing(day: float, per_day: float, ramp: float) -> float:
    """Candidates expected before a day: a triangle, then a rectangle."""
    return per_day * day * day / (2 * ramp) if day < ramp else per_day * (day - ramp / 2)


A_DAY = 6.0 / DAYS_PER_MONTH
EXPECTED = {
    "a ramp, while it grows": ({"ramp_up_days": 100}, 60, growing(60, A_DAY, 100)),
    "a ramp, on the day on which it ends": ({"ramp_up_days": 100}, 100, growing(100, A_DAY, 100)),
    "a ramp, after it": ({"ramp_up_days": 100}, 150, growing(150, A_DAY, 100)),
    "a rate that changes twice": ({"rates": [(30, 12.0), (60, 3.0)]}, 90, A_DAY * (30 + 2 * 30 + 0.5 * 30)),
    "a rate from before the start": ({"rates": [(-50, 12.0), (60, 0.0)]}, 90, 2 * A_DAY * 60),
    "a change on the ramp": (
        {"ramp_up_days": 100, "rates": [(50, 12.0)]},
        80,
        growing(50, A_DAY, 100) + growing(80, 2 * A_DAY, 100) - growing(50, 2 * A_DAY, 100),
    ),
    "a pause on the ramp": (
        {"ramp_up_days": 100, "pauses": [{"first_day": on(20), "last_day": on(39)}]},
        80,
        growing(80, A_DAY, 100) - growing(40, A_DAY, 100) + growing(20, A_DAY, 100),
    ),
}


@pytest.mark.parametrize(("how", "day", "mean"), EXPECTED.values(), ids=EXPECTED)
def test_as_many_come_as_the_area_below_the_rate(how: dict[str, Any], day: int, mean: float) -> None:
    """Exactly as the scenario says; and of those drawn mean, variance and P(nobody), which are Poisson's."""
    scenario = at_random(**how)
    assert scenario.recruiting_sites[0].expected(day) == pytest.approx(mean, rel=1e-12)
    counts = (days_of(scenario, 5) < day).sum(axis=1)
    assert_counts(counts, poisson(mean))
    with_cv = at_random(**how, rate_cv=0.8)
    assert_counts((days_of(with_cv, 12) < day).sum(axis=1), poisson_gamma(mean, 0.8))


def poisson_gamma(mean: float, cv: float) -> Any:
    """Anisimov and Fedorov 2007: a Poisson number whose mean is Gamma is negative binomial; variance m + (cv m)^2."""
    found = nbinom(cv**-2, 1 / (1 + cv**2 * mean))
    assert found.mean() == pytest.approx(mean)
    assert found.var() == pytest.approx(mean + (cv * mean) ** 2)
    return found


def assert_counts(counts: Any, law: Any) -> None:
    """Mean, variance and P(0) lie within five standard errors, those of the law itself."""
    mean, variance, _, kurtosis = (float(value) for value in law.stats("mvsk"))
    of_variance = variance * math.sqrt((kurtosis + 2) / len(counts))  # sqrt((m4 - v^2) / n)
    nobody = float(law.pmf(0))
    assert counts.mean() == pytest.approx(mean, abs=5 * math.sqrt(variance / len(counts)))
    assert counts.var() == pytest.approx(variance, abs=5 * of_variance)
    assert (counts == 0).mean() == pytest.approx(nobody, abs=5 * math.sqrt(nobody * (1 - nobody) / len(counts)) + 1e-12)


def test_the_multiplier_of_a_trial_is_gamma_from_its_stream() -> None:
    """A trial in which the rate is twice as large has every candidate in half of the time."""
    from scipy.special import gammaincinv

    known, unknown = (Nature(at_random(rate_cv=cv, ramp_up_days=ramp), 7, 3, 50) for cv, ramp in ((0.0, 1), (0.5, 0)))
    first = uniforms(words(7, Stream.RATE, 0, 3, 50))[:, 0, 0]
    multiplier = gammaincinv(4.0, first) / 4.0
    gaps = exponential(words(7, Stream.CANDIDATE, 0, 3, 50)[:, :, GAP])
    days = np.floor(np.cumsum(gaps, axis=1) / multiplier[:, None] / A_DAY)
    assert (unknown.consent_days(0) == days).all()
    assert Stream.RATE == 5
    assert (known.consent_days(0) != days).any()


def test_a_rate_that_never_changes_is_the_one_that_is_told_so() -> None:
    """The steps that invert the area, and those of a constant rate, bring everybody on the same days."""
    pauses = [{"first_day": on(11), "last_day": on(20)}, {"first_day": on(16), "last_day": on(25)}]
    for how in ({}, {"pauses": pauses}):
        steady, told = at_random(**how), at_random(**how, rates=[(-9, 6.0), (40, 6.0)])
        assert (days_of(steady, 4, 500) == days_of(told, 4, 500)).all()


def test_times_are_the_inverse_of_what_is_expected() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        first = int(rng.integers(0, 60))
        changes = [(int(day), float(rng.choice([0.0, 1.0, 50.0]))) for day in sorted(rng.integers(-20, 300, 3))]
        rests = [(0, first)] * (first > 0) + [(first + 20, first + 25), (150, 151)]
        rate = Intensity(float(rng.choice([0.0, 2.0])), changes, first, int(rng.choice([0, 1, 30, 200])), rests)
        whole = rate.expected(400)
        asked = np.sort(rng.uniform(0, whole, 50)) if whole else np.zeros(0)
        times = rate.times(asked)
        assert [rate.expected(time) for time in times] == pytest.approx(asked, rel=1e-9, abs=1e-9)
        assert not any(begins <= time < after for time in times for begins, after in rests)
        assert (times >= first).all() and (np.diff(times) >= 0).all()


def test_nobody_comes_on_a_day_on_which_nobody_can() -> None:
    """Where a piece of the rate ends the time is not rounded into the rest after it."""
    rate = Intensity(3.3, [(40, 0.7)], 0, 30, [(20, 27), (33, 34)])
    for day, after in ((20, 27), (33, 34)):
        least = rate.expected(day)
        found = rate.times(np.array([np.nextafter(least, 0), least]))
        assert (found[0] < day, found[1]) == (True, after)


def test_when_the_rate_has_fallen_to_nothing_nobody_comes_any_more() -> None:
    days = days_of(at_random(30.0, rates=[(50, 0.0)]), 8, 300)
    assert days[days < NEVER].max() < 50
    assert (days[:, -1] == NEVER).all()
    assert simulate_trial(at_random(30.0, rates=[(2, 0.0)])).patients["consent_day"][-1] < 2


# Sites in one order

CLOSED = {"first_day": on(10), "last_day": on(40), "what": ["consent"], "reason": "no staff"}
MANY = (
    {"consents_per_month": 25.0, "failure_probability": {"organ function": 0.4, "travel": 0.1}},
    {"opens": on(30), "consents_per_month": 40.0, "ramp_up_days": 60, "rate_cv": 1.5, "closed": [CLOSED]},
    {"consent_days": [0, 0, 3, 3, 3, 9, 90], "closed": [CLOSED], "failure_probability": {"travel": 0.5}},
    {"consents_per_month": 60.0, "rates": [{"from_date": on(45), "consents_per_month": 0.0}]},
    {"consents_per_month": 0.0},
)
FAILS = {"organ function": 0.3}
AREA = {"mean_m2": 1.7, "sd_m2": 0.2, "min_m2": 1.3, "max_m2": 2.1}


def many() -> Scenario:
    return by_site(*MANY, screening={"failure_probability": FAILS}, treatment={"body_surface_area": AREA})


def naively(scenario: Scenario, seed: int, trial: int, until: int) -> list[tuple[Any, ...]]:
    """Return a trial's candidates before a day: all of every site, sorted by day, site and number there."""
    everybody = []
    for site, told in enumerate(scenario.recruiting_sites):
        names = (*told.failure_probability,)
        draws = SiteDraws(scenario, seed, trial, 1, site, names)
        for page in itertools.count():
            days, fails, areas = draws.consent_days(page)[0], draws.criterion(page)[0], draws.body(page)[0]
            for place, day in enumerate(days.tolist()):
                failed = names[fails[place]] if fails[place] >= 0 else None
                everybody.append((day, site, PAGE * page + place, failed, float(areas[place])))
            if days[-1] >= until:
                break
    return [(day, failed, area, site) for day, site, _, failed, area in sorted(everybody, key=lambda c: c[:3])
            if day < until]  # fmt: skip


def test_candidates_of_all_sites_come_in_one_order() -> None:
    """As if all of each site were sorted; in any chunk, in any order of asking, and again from the beginning."""
    scenario, seed = many(), 5
    nature = Nature(scenario, seed, 40, 6)
    wanted = {trial: naively(scenario, seed, trial, 400) for trial in range(40, 46)}
    for trial, people in wanted.items():
        assert [tuple(nature.candidate(trial, number) or ())[:4] for number in range(len(people))] == people
        assert len({day for day, *_ in people}) < len(people)
        assert {site for *_, site in people} == {0, 1, 2, 3}
    pages = min(len(people) for people in wanted.values()) // PAGE
    fresh = Nature(scenario, seed, 40, 6)
    for page in (3, 0, pages - 1, 2, 2, 1):
        fails, failed = fresh.fails_screening(page), fresh.criterion(page)
        site, days, areas = fresh.site(page), fresh.consent_days(page), fresh.body(page)
        for row, people in enumerate(wanted.values()):
            here = people[PAGE * page : PAGE * (page + 1)]
            assert days[row].tolist() == [day for day, *_ in here]
            assert site[row].tolist() == [where for *_, where in here]
            assert areas[row].tolist() == [area for _, _, area, _ in here]
            assert fails[row].tolist() == [criterion is not None for _, criterion, _, _ in here]
            told = [fresh.criteria[number] if number >= 0 else None for number in failed[row]]
            assert told == [criterion for _, criterion, _, _ in here]
    alone = Nature(scenario, seed, 43, 1)
    assert [tuple(alone.candidate(43, number) or ())[:4] for number in range(200)] == wanted[43][:200]


def test_sites_of_which_none_goes_on() -> None:
    """Ties go by the order of sites; after the last candidate of all there is none."""
    scenario = by_site({"consent_days": [2, 2, 5]}, {"consent_days": [1, 2, 5, 5]}, {"consent_days": []})
    nature = Nature(scenario, 1, 0, 2)
    people = [nature.candidate(1, number) for number in range(40)]
    assert [(one.consent_day, one.site) for one in people if one] == [
        (1, 1), (2, 0), (2, 0), (2, 1), (5, 0), (5, 1), (5, 1),
    ]  # fmt: skip
    assert people[7:] == [None] * 33
    assert (nature.consent_days(0)[:, 7:] == NEVER).all()
    assert (nature.consent_days(1) == NEVER).all()


def test_a_site_that_is_added_moves_nobody_of_the_others() -> None:
    fewer, more = by_site(*MANY[:2]), by_site(*MANY[:2], {"consents_per_month": 90.0, "screening_days": 3})
    for trial in range(20):
        told = []
        for scenario in (fewer, more):
            nature = Nature(scenario, 3, trial, 1)
            people = (nature.candidate(trial, number) for number in itertools.count())
            until = itertools.takewhile(lambda one: one is not None and one.consent_day < 200, people)
            told.append([one for one in until if one is not None])
        assert [one for one in told[1] if one.site < 2] == told[0]
        assert any(one.site == 2 for one in told[1])


def test_streams_of_sites_are_apart() -> None:
    """The first site has the streams of a scenario without sites; the others have their own."""
    assert (words(1, Stream.CANDIDATE, 0, 0, 3, site=0) == words(1, Stream.CANDIDATE, 0, 0, 3)).all()
    key = np.random.SeedSequence(1, spawn_key=(int(Stream.CANDIDATE), 2)).generate_state(2, np.uint64)
    raw = np.random.Philox(counter=[0, 0, 5, 0], key=key).random_raw(2 * PAGE)
    assert (words(1, Stream.CANDIDATE, 5, 0, 1, site=2).ravel() == raw).all()
    pages = [words(1, stream, 0, 0, 50, site).ravel() for stream in Stream for site in range(4)]
    assert len(np.unique(np.concatenate(pages))) == sum(map(len, pages))
    for number in range(len(MANY)):
        drawn = SiteDraws(many(), 1, 4, 3, number, ("organ function", "travel")).words(Stream.CANDIDATE, 2)
        assert (drawn == words(1, Stream.CANDIDATE, 2, 4, 3, site=number)).all()


def test_nobody_comes_before_a_site_opens() -> None:
    """And somebody soon after it, at a rate that is constant, grows, is not known, or changes at once."""
    changes = {"rates": [{"from_date": on(0), "consents_per_month": 60.0}]}
    for how in ({}, {"ramp_up_days": 10}, {"rate_cv": 0.3}, changes):
        days = days_of(by_site({"opens": on(40), "consents_per_month": 60.0, **how}), 1, 200)
        assert 40 <= days.min() < 42
        assert days[:, 0].max() < 60


def test_each_site_fails_whom_it_says() -> None:
    """Everybody, nobody, or whom all fail where it says nothing."""
    few = [{"consents_per_month": 20.0, "failure_probability": fails} for fails in ({"travel": 1.0}, {})]
    scenario = by_site(*few, {"consents_per_month": 20.0}, screening={"failure_probability": {"organ function": 1.0}})
    nature = Nature(scenario, 1, 0, 1)
    failed = {(one.site, one.failed_criterion) for number in range(100) if (one := nature.candidate(0, number))}
    assert failed == {(0, "travel"), (1, None), (2, "organ function")}


@pytest.mark.parametrize("replicate", range(5))
def test_one_site_is_no_site(base: Scenario, replicate: int) -> None:
    """Event for event: with the same accrual at one site, and what it leaves out taken from the whole trial."""
    accrual = {"patience_days": 60, "without_place": "wait"}
    pauses = [{"first_day": "2024-12-20", "last_day": "2025-01-06"}]
    closed = [{"first_day": "2025-05-01", "last_day": "2025-06-05", "what": ["consent", "screening"], "reason": "x"}]
    how = {"consents_per_month": 1.3, "pauses": pauses}
    none = base.replace({"accrual": {"kind": "poisson", **accrual, **how}, "calendar": {"closed": closed}})
    shared = {"accrual": {"kind": "by_site", **accrual}}
    one = base.replace(shared | {"calendar": {"closed": closed}, "sites": [{"name": "Nanjing", **how}]})
    own = base.replace(
        shared
        | {
            "sites": [
                {
                    "name": "Nanjing",
                    "opens": base.trial.start_date,
                    "closed": closed,
                    "screening_days": base.screening.days,
                    "failure_probability": dict(base.screening.failure_probability),
                    **how,
                }
            ],
            "screening": {"valid_days": base.screening.valid_days},
            "calendar": {},
        }
    )
    told = simulate_trial(none, replicate=replicate)
    assert not_the_same(none, one) == not_the_same(one, own) == []
    for other in (one, own):
        found = simulate_trial(other, replicate=replicate)
        events = [row for row in found.events if row["event"] != "site opened"]
        assert [without_site(row) for row in events] == list(told.events)
        assert [without_site(row) for row in found.patients] == list(told.patients)
        assert (found.dose_path, found.duration_days) == (told.dose_path, told.duration_days)


def without_site(row: dict[str, Any]) -> dict[str, Any]:
    assert row["site"] in ("Nanjing", None)
    return {name: cell for name, cell in row.items() if name != "site"}


def test_what_is_the_same_in_two_scenarios() -> None:
    """Who fails screening is not, where sites differ in whom they send first."""
    plain = many()
    later = plain.replace({"sites[2].opens": on(60)})
    assert not_the_same(plain, plain.replace({"sites[2].name": "another", "sites[1].screening_days": 3})) == []
    assert not_the_same(plain, later) == [CONSENT, SCREENING, "how large they are"]
    assert not_the_same(plain, plain.replace({"sites[2].rate_cv": 1.0}))[0] == CONSENT
    assert not_the_same(plain, plain.replace({"sites[1].failure_probability": {"travel": 0.5}})) == [SCREENING]


# A trial


def three_sites() -> Scenario:
    return by_site(
        {"name": "north", "consent_days": [0, 2], "screening_days": 3},
        {
            "name": "south",
            "opens": on(4),
            "consent_days": [4, 5],
            "closed": [{"first_day": on(5), "last_day": on(6), "what": ["screening"], "reason": "laboratory"}],
        },
        {"name": "west", "opens": on(60), "consents_per_month": 90.0},
        screening={"days": 1},
        follow_up={"days": 90},
        trial__planned_patients=3,
    )


def test_three_sites_by_hand() -> None:
    """South gives no result on days 5 and 6, so both of its come on day 7; west opens after enrolment has closed."""
    trial = simulate_trial(three_sites())
    lines = []
    for row in trial.events:
        who = f"p{row['patient']}" if row["patient"] else f"c{row['candidate']}" if row["candidate"] else ""
        lines.append(" ".join(f"{row['day']} {row['event']} {who} {row['site'] or ''}".split()))
    assert lines == expected("""
        0 cohort opened
        0 site opened north
        0 consent c1 north
        2 consent c2 north
        3 eligible c1 north
        3 infusion p1 north
        4 site opened south
        4 consent c3 south
        5 eligible c2 north
        5 consent c4 south
        5 infusion p2 north
        7 eligible c3 south
        7 eligible c4 south
        7 infusion p3 south
        7 waits c4 south
        31 window completed p1 north
        33 window completed p2 north
        35 window completed p3 south
        35 enrolment closed
        35 turned away c4 south
        35 cohort complete
        35 decision
        93 follow-up completed p1 north
        95 follow-up completed p2 north
        97 follow-up completed p3 south
        97 trial ended
    """)
    assert trial.patients["site"] == ["north", "north", "south", "south"]
    assert trial.events["detail"][1] == "north"


# What is told


def test_where_somebody_is_from_is_told_everywhere(tmp_path: Path) -> None:
    scenario = three_sites()
    trial = simulate_trial(scenario)
    told = " ".join(story(trial).split())
    for line in (
        "north opens: candidates may consent there from now on.",
        "Candidate 3 from south consents; screening begins.",
        "Candidate 1 from north becomes patient 1, in cohort 1",
        "completed on 2025-04-04; from north",
        "south is closed Mon 2025-01-06 to Tue 2025-01-07 (laboratory: no screening)",
        "3 sites: north (from Wed 2025-01-01: 2 consents on fixed days), south (from Sun 2025-01-05: 2 consents on "
        "fixed days)",
        "west (from Sun 2025-03-02: 90 consents a month)",
    ):
        assert line in told
    assert "west opens" not in told
    ax = esc.plot_timeline(trial)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["north 1", "north 2", "south 3"]
    trial.save(tmp_path / "trial")
    for name in ("events", "patients"):
        header = (tmp_path / "trial" / f"{name}.csv").read_text().splitlines()[0]
        assert "candidate,site,patient" in header
    fan = esc.accrual(scenario, trials=3)
    drawn = " ".join(text.get_text() for text in esc.plot_accrual_fan(fan).figure.findobj(match=is_text))
    assert "south (from Sun 2025-01-05" in " ".join(drawn.split())
    assert "south (from Sun 2025-01-05" in " ".join(accrual_summary(fan).split())


def is_text(artist: Any) -> bool:
    return hasattr(artist, "get_text")


def test_without_sites_no_table_names_one() -> None:
    trial = simulate_trial(small(accrual__consent_days=[0, 0, 0]))
    assert "site" not in (*trial.events.names, *trial.patients.names)
    assert "site" not in csv_text(trial.events.names, trial.events.rows)
    assert " from " not in story(trial).partition("patient  cohort")[0].partition("day    0")[2]


def test_a_long_name_is_cut_off_beside_its_lane() -> None:
    scenario = three_sites().replace({"sites[1].name": "The Drum Tower Hospital of the Medical School " * 10})
    ax = esc.plot_timeline(simulate_trial(scenario))
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert labels[0].startswith("The Drum") and labels[0].endswith("... 1")
    assert max(measure(label.rpartition(" ")[0], 9) for label in labels) <= SITE


def test_how_candidates_come_in_words() -> None:
    words = consents_words(at_random(1.0, rates=[(31, 2.5)], ramp_up_days=60, rate_cv=0.5))
    assert words == "1 consent a month, 2.5 from 2025-02-01, growing over 60 days, CV of the rate 50%"
    nine = [{"consents_per_month": 1.0, "opens": on(number)} for number in range(9)]
    assert consents_words(by_site(*nine)) == "9 sites, which open Wed 2025-01-01 to Thu 2025-01-09"
    assert "20% to 50% fail screening, by site" in drivers(
        by_site(
            {"consent_days": [], "failure_probability": {"a": 0.5}},
            {"consent_days": []},
            screening={"failure_probability": {"b": 0.2}},
        )
    )


# What is refused, and what a change may name

SITE_NOW = {"name": "north", "consents_per_month": 1.0}
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "sites of an accrual of one place": (
        {"accrual": {"kind": "poisson", "consents_per_month": 1.0}},
        'accrual.kind = "poisson": says who comes to one place, and there are [[sites]]: write kind = "by_site"',
    ),
    "no sites": ({"sites": []}, 'accrual.kind = "by_site": needs [[sites]], each with a name and consents_per_month'),
    "a rate of all sites": (
        {"accrual": {"kind": "by_site", "consents_per_month": 1.0}},
        "accrual.consents_per_month = 1.0: does not belong to the kind that is chosen here",
    ),
    "a name twice": ({"sites": [SITE_NOW, SITE_NOW]}, 'sites[2].name = "north": another site has this name'),
    "before the start": (
        {"sites[1].opens": on(-1)},
        "sites[1].opens = 2024-12-31: is before trial.start_date, 2025-01-01: nobody consents before that",
    ),
    "after the end": ({"sites[1].opens": on(3651)}, "is after the last of the 3,650 days of trial.max_days"),
    "a consent before the opening": (
        {"sites": [{"name": "north", "opens": on(5), "consent_days": [4, 6]}]},
        "sites[1].consent_days[1] = 4: the site opens on day 5: nobody consents there before",
    ),
    "consents out of order": ({"sites": [{"name": "n", "consent_days": [4, 2]}]}, "consent_days must be in order"),
    "nobody is told": ({"sites": [{"name": "n"}]}, "says nothing of who comes: give consents_per_month, or"),
    "two ways": ({"sites[1].consent_days": [4]}, "consents_per_month has no effect beside consent_days"),
    "a ramp of fixed days": (
        {"sites": [{"name": "n", "consent_days": [4], "ramp_up_days": 5}]},
        "ramp_up_days has no effect beside consent_days; leave one of the two out",
    ),
    "treatment rests at a site": (
        {"sites[1].closed": [{**CLOSED, "what": ["infusion"]}]},
        "sites[1].closed[1].what[1] = \"infusion\": must be 'consent' or 'screening'",
    ),
    "a site that never works": (
        {"sites[1].closed": [{**CLOSED, "first_day": on(-5), "last_day": on(5000)}]},
        'sites[1].closed = ["no staff"]: consent is closed at this site on all days from its opening on',
    ),
    "screening without an end": (
        {"sites[1].screening_days": 3650},
        "sites[1].screening_days = 3650: must be less than",
    ),
    "rates out of order": (
        {"sites[1].rates": [{"from_date": on(day), "consents_per_month": 1.0} for day in (5, 5)]},
        "rates are written in the order of from_date, each date once",
    ),
    "nothing but nothing": (
        {"sites[1].consents_per_month": 0.0, "sites[1].rates": [{"from_date": on(5), "consents_per_month": 0.0}]},
        "sites[1].rates = [0.0]: nobody would ever come: every rate is 0",
    ),
    "a CV of nothing": ({"sites[1].rate_cv": 1e-300}, "rate_cv is 0, where the rate is known, or from 0.01 to 3"),
    "too many in all": (
        {"sites": [{"name": name, "consents_per_month": 6000.0} for name in "ab"]},
        "sites = [6000.0, 6000.0]: brings 1,439,014 candidates in the 3,650 days of trial.max_days",
    ),
}


@pytest.mark.parametrize(("changes", "says"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        by_site(SITE_NOW).replace(changes)
    assert says in str(caught.value)


def test_too_many_by_a_change_of_the_rate_are_refused() -> None:
    at_random(8000.0)
    with pytest.raises(ScenarioError, match=r"accrual.consents_per_month = 8000.0: brings 1,\d+,\d+ candidates"):
        at_random(8000.0, rates=[(1825, 10_000.0)])
    at_random(10_000.0, rates=[(1825, 0.0)])


def test_one_site_is_changed_by_its_place() -> None:
    scenario = by_site(*MANY)
    changed = with_settings(scenario, ["sites[2].opens=2025-03-01", "sites[1].consents_per_month=1"])
    assert (changed.sites[1].opens, changed.sites[0].consents_per_month) == (date(2025, 3, 1), 1.0)
    assert changed.replace({"sites.0.name": "x"}).sites[0].name == "x"
    ranged = scenario.replace({"ranges": {"sites[1].consents_per_month": [5, 50], "sites[2].ramp_up_days": [0, 200]}})
    assert ranged.replace({"sites[1].consents_per_month": 60.0}).ranges.keys() == {"sites[2].ramp_up_days"}
    with pytest.raises(ScenarioError, match=r"there is no `\[6\]` here: `sites` has 5, counted from \[1\]"):
        scenario.replace({"sites[6].opens": "2025-03-01"})


def test_a_written_scenario_with_sites_is_the_same(tmp_path: Path) -> None:
    scenario = many()
    scenario.to_toml(tmp_path / "sites.toml")
    assert esc.load(tmp_path / "sites.toml") == scenario
    assert Scenario.model_validate_json(scenario.model_dump_json()) == scenario
    assert main(["check", str(tmp_path / "sites.toml")]) == 0


def test_exact_asks_nothing_of_sites() -> None:
    changes: dict[str, Any] = {"toxicity": {"dlt_probability": [0.1, 0.3]}}
    assert esc.exact(by_site(*MANY, **changes)).recommended == esc.exact(small(**changes)).recommended
