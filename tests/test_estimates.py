"""Operating characteristics: values against scipy and by hand, and intervals that cover as they should."""

from __future__ import annotations

import json
import math
from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest
from scipy.stats import beta, binomtest

from escalate import Scenario, characteristics, simulate, simulate_trial, story, summary
from escalate.results.estimates import (
    binomial_interval,
    difference,
    mean,
    posterior_interval,
    probability,
    quantile,
    trials_needed,
)
from escalate.results.outcomes import COHORTS_TIMED, NOT_REACHED, PER_LEVEL, states_of
from escalate.results.tally import Tally, tally, total
from escalate.results.timeline import milestones, waits
from escalate.studies.simulation import traced_trials
from escalate.words.records import NO_LEVEL
from small import small


@pytest.mark.parametrize(("k", "n"), [(0, 6), (1, 9), (3, 9), (9, 9), (137, 2000), (2000, 2000)])
def test_probability_has_the_exact_binomial_interval(k: int, n: int) -> None:
    found = probability("g", "m", None, k, n)
    exact = binomtest(k, n).proportion_ci(confidence_level=0.95, method="exact")
    assert found.estimate == k / n
    se = math.sqrt(k / n * (1 - k / n) / n)
    assert found.mc_se == (pytest.approx(se, abs=1e-15) if 0 < k < n else None), "no certainty in trials that agree"
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_none_of_six_still_allows_46_percent() -> None:
    assert probability("g", "m", None, 0, 6).high == pytest.approx(0.459, abs=5e-4)


@pytest.mark.parametrize(("k", "n"), [(0, 3), (1, 6), (9, 9)])
def test_intervals_of_few_patients(k: int, n: int) -> None:
    exact = binomtest(k, n).proportion_ci(confidence_level=0.95, method="exact")
    assert binomial_interval(k, n) == pytest.approx((exact.low, exact.high), abs=1e-12)
    assert posterior_interval(k, n) == pytest.approx(beta.ppf([0.025, 0.975], 1 + k, 1 + n - k), abs=1e-12)


def test_story_says_what_the_trial_cannot_tell() -> None:
    """None of six patients with a DLT still allows 46%."""
    trial = simulate_trial(small(accrual__consent_days=[0] * 9, rule__variant="C"))
    line = next(line for line in story(trial).splitlines() if line.startswith("  level 2: high"))
    assert line.split() == ["level", "2:", "high", "0/6", "0.0%", "to", "45.9%", "0.4%", "to", "41.0%"]


def test_mean_by_hand() -> None:
    found = mean("g", "m", None, Counter([1, 2, 3, 6]), "days")
    se = math.sqrt(((1 - 3) ** 2 + 1 + 0 + 9) / 3 / 4)
    assert (found.estimate, found.mc_se) == pytest.approx((3.0, se))
    assert 3 - 3.182446 * se < 0, "what is never below 0 has no mean below it; Student's 97.5% point of 3 is 3.182446"
    assert (found.low, found.high) == pytest.approx((0, 3 + 3.182446 * se), abs=1e-5)
    found = difference("g", "m", None, Counter([1, 2, 3, 6]), "days")
    assert (found.low, found.high) == pytest.approx((3 - 3.182446 * se, 3 + 3.182446 * se), abs=1e-5)


def test_one_trial_has_no_standard_error() -> None:
    found = mean("g", "m", None, Counter([5]), "days")
    assert (found.estimate, found.mc_se, found.low, found.high) == (5.0, None, None, None)
    assert quantile("g", "m", Counter([5]), 0.5).mc_se is None


def test_quantiles_are_the_smallest_value_that_the_share_reaches() -> None:
    values = Counter(range(1, 101))
    assert [quantile("g", "m", values, q).estimate for q in (0.05, 0.1, 0.5, 0.9, 0.95)] == [5, 10, 50, 90, 95]


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_intervals_of_quantiles_cover(q: float) -> None:
    """Of 2,000 intervals of 200 values, 95% less 5 standard errors, 92.6%, hold the truth at least."""
    generator = np.random.default_rng(3)
    truth = -math.log(1 - q) * 1e6
    covered = 0
    for _ in range(2000):
        found = quantile("g", "m", Counter(generator.exponential(1e6, 200).astype(np.int64).tolist()), q)
        covered += found.low <= truth <= found.high
    assert covered / 2000 >= 0.95 - 5 * math.sqrt(0.95 * 0.05 / 2000)


def test_rows_are_what_the_records_say(base: Scenario) -> None:
    trials = simulate(base, trials=60, seed=2)
    for k, trial in enumerate(traced_trials(base, trials=60, seed=2)):
        recommended = NO_LEVEL if trial.recommended is None else trial.recommended - 1
        assert trials.recommended[k] == recommended
        assert trials.stop_reasons[k] == trial.stop_reason
        assert trials.duration_days[k] == trial.duration_days
        rows = list(trial.patients)
        for level in (1, 2):
            here = [row for row in rows if row["level"] == level]
            counted = {
                "infused": sum(row["infusion_day"] is not None for row in here),
                "evaluable": sum(row["outcome"] in ("DLT", "no DLT") for row in here),
                "dlts": sum(row["outcome"] == "DLT" for row in here),
                "non_evaluable": sum(row["outcome"] == "non-evaluable" for row in here),
                "not_infused": sum(row["not_infused_reason"] is not None for row in here),
                "replaced": sum(row["replaced"] for row in trial.cohorts if row["level"] == level),
            }
            assert {name: trials.patients[name][k, level - 1] for name in PER_LEVEL} == counted
        for row in trial.cohorts:
            if row["enrolled"] >= row["places"]:  # every place was taken, some of them more than once
                assert row["replaced"] == row["enrolled"] - row["places"]
        times = [row["decision_day"] - row["opened_day"] for row in trial.cohorts]
        assert trials.cohort_days[k].tolist() == times + [NOT_REACHED] * (COHORTS_TIMED - len(times))
        for state in states_of(trials.scenario):
            assert trials.candidates[state][k] == sum(row["state"] == state for row in rows)
        for name, day in milestones(trial).items():
            assert trials.milestone_days[name][k] == (NOT_REACHED if day is None else day)
        assert {name: days[k] for name, days in trials.waits.items()} == waits(trial)


def test_probabilities_add_up_and_name_no_dose(base: Scenario) -> None:
    found = characteristics(simulate(base.replace({"toxicity.dlt_probability": [0.2, 0.4]}), trials=200))
    recommended = [e for e in found.estimates if e.measure == "recommended"]
    assert [e.level for e in recommended] == [1, 2, "no dose"]
    assert sum(e.estimate for e in recommended) == pytest.approx(1)
    assert sum(e.estimate for e in found.estimates if e.group == "stopping") == pytest.approx(1)
    duration = found.get("duration").estimate
    assert sum(e.estimate for e in found.estimates if e.group == "waits") == pytest.approx(duration)
    everybody = found.get("consented").estimate
    assert sum(found.get(state).estimate for state in states_of(found.tally.scenario)) == pytest.approx(everybody)


def test_finished_by_the_planned_date_counts_that_date(base: Scenario) -> None:
    trials = simulate(base, trials=200)
    found = characteristics(trials).get("finished by planned completion date")
    assert trials.scenario.planned_days == 699
    assert found.estimate == np.mean(trials.duration_days <= 699)


@pytest.mark.parametrize(("planned", "chance"), [(29, 1.0), (28, 0.0)])
def test_a_trial_that_ends_on_the_planned_date_is_finished_by_it(planned: int, chance: float) -> None:
    """Three infusions on day 0, windows to day 28, the first level too toxic on day 1: the trial ends on day 29."""
    story_of = [{"patient": k, "dlt_day": 1} for k in (1, 2)]
    scenario = small(
        accrual__consent_days=[1, 1, 1],
        what_if=story_of,
        trial__planned_completion_date=date(2025, 1, 1) + timedelta(days=planned),
    )
    assert simulate_trial(scenario).duration_days == 29
    found = characteristics(simulate(scenario, trials=3)).get("finished by planned completion date")
    assert found.estimate == chance


def test_a_trial_cut_off_is_not_finished(base: Scenario) -> None:
    cut = base.replace({"trial.max_days": 400})
    trials = simulate(cut, trials=100)
    found = characteristics(trials)
    whole = simulate(base, trials=100).duration_days <= 400
    assert found.get("finished by planned completion date").estimate == whole.mean()
    assert found.get("trial ended: reached").estimate == whole.mean()
    assert f"{(~whole).sum()} trials were ended by trial.max_days" in summary(found)
    late = next(k for k in range(100) if not whole[k])
    told = " ".join(story(simulate_trial(cut, replicate=late)).split())
    assert "; not finished, since the trial's time was up" in told


def test_the_last_infusion_is_the_last_of_all() -> None:
    trial = simulate_trial(
        small(accrual__consent_days=[0, 0, 0], treatment__infusion_days=[0, 3, 6], trial__max_days=40)
    )
    assert milestones(trial)["first infusion"] == 0
    assert milestones(trial)["last infusion"] == 6


def test_a_whole_story() -> None:
    """Written down by hand: three patients, the first two with a DLT on day 1, no dose, two days before the plan."""
    trial = simulate_trial(
        small(
            accrual__consent_days=[0, 0, 0],
            what_if=[{"patient": 1, "dlt_day": 1}, {"patient": 2, "dlt_day": 1}],
            trial__planned_completion_date=date(2025, 1, 31),
        )
    )
    assert (
        story(trial)
        == """small
One simulated trial (seed 1, replicate 0), rule 3+3, variant A
3 consents on fixed days; nobody fails screening; P(DLT) assumed 0%, 0%
Dose levels: 1: low, 2: high

day    0  Wed 2025-01-01  Cohort 1 at level 1 (low) opens: escalation, 3 places.
                          Candidate 1 consents; screening begins.
                          Candidate 2 consents; screening begins.
                          Candidate 3 consents; screening begins.
                          Candidate 1 becomes patient 1, in cohort 1 at level 1
                          (low), and is infused: low. DLT window to
                          Wed 2025-01-29.
                          Candidate 2 becomes patient 2, in cohort 1 at level 1
                          (low), and is infused: low. DLT window to
                          Wed 2025-01-29.
                          Candidate 3 becomes patient 3, in cohort 1 at level 1
                          (low), and is infused: low. DLT window to
                          Wed 2025-01-29.
day    1  Thu 2025-01-02  Patient 1 has a DOSE-LIMITING TOXICITY.
                          Patient 2 has a DOSE-LIMITING TOXICITY.
                          Cohort 1 at level 1 (low) is closed early, since
                          nothing outstanding can change the decision; data cut:
                          2 DLT in 2 patients at this level.
                          THE COMMITTEE stops the escalation: lowest dose level
                          too toxic; no dose.
                          Enrolment closes: lowest dose level too toxic.
day   28  Wed 2025-01-29  Patient 1 completes follow-up.
                          Patient 2 completes follow-up.
                          Patient 3 completes the DLT window without a DLT.
                          Patient 3 completes follow-up.
                          The trial ends: last follow-up completed.

patient  cohort  level  infused     outcome        known       what became of them
      1       1      1  2025-01-01  DLT            2025-01-02  completed on 2025-01-29
      2       1      1  2025-01-01  DLT            2025-01-02  completed on 2025-01-29
      3       1      1  2025-01-01  no DLT         2025-01-29  completed on 2025-01-29

                                                  P(DLT), 95%:
What the trial says about P(DLT)  DLTs/evaluable           exact   uniform prior
  level 1: low                               2/3   9.4% to 99.2%  19.4% to 93.2%
  level 2: high                              0/0         nothing

Dose path    1TTN
Recommended  no dose
Because      lowest dose level too toxic
Duration     28 days, to Wed 2025-01-29; 2 days before the planned completion on
             Fri 2025-01-31
Waiting for  DLT windows 1 d, follow-up 27 d"""
    )


def test_get_names_what_there_is(base: Scenario) -> None:
    with pytest.raises(KeyError, match=r"no estimate of 'recomended'; did you mean 'recommended'"):
        characteristics(simulate(base, trials=2)).get("recomended", 1)


def test_every_estimate_has_its_error(base: Scenario) -> None:
    for estimate in characteristics(simulate(base, trials=50)).estimates:
        low, high = (estimate.estimate if end is None else end for end in (estimate.low, estimate.high))
        assert low <= estimate.estimate <= high
        assert estimate.mc_se is None or estimate.mc_se > 0
        if estimate.unit == "probability":
            assert None not in (estimate.low, estimate.high)
            assert (estimate.mc_se is None) == (estimate.estimate in (0, 1))


def test_summary_of_a_trial_that_never_begins(base: Scenario) -> None:
    nobody = base.replace({"accrual.consents_per_month": 0.0})
    text = summary(characteristics(simulate(nobody, trials=3)))
    assert "max_days reached" in text
    assert "3 trials were ended by trial.max_days" in text
    assert "first infusion" not in text
    assert "Nobody was enrolled." in story(simulate_trial(nobody))


def test_summary_of_one_trial_says_that_errors_are_unknown(base: Scenario) -> None:
    assert "± ?" in summary(characteristics(simulate(base, trials=1)))


def test_story_says_what_the_records_say() -> None:
    """Each event has its sentence; a stop without an answer names no dose."""
    story_of = [{"patient": 1, "dlt_day": 1}, {"patient": 7, "dlt_day": 1}]
    trial = simulate_trial(small(trial__planned_patients=9, accrual__consent_days=[0] * 12, what_if=story_of))
    text = " ".join(story(trial).split())
    assert "Patient 1 has a DOSE-LIMITING TOXICITY." in text
    assert "THE COMMITTEE decides on cohort 1: stay at level 1 (low); 1 DLT" in text
    assert "THE COMMITTEE stops the escalation: cap reached, inconclusive" in text
    assert "no dose." in text
    assert "recommended is" not in text
    assert "Dose path 1TNN 1NNN 2TNN" in text


def test_story_names_the_recommended_dose() -> None:
    trial = simulate_trial(small(accrual__consent_days=[0] * 6))
    assert "recommended is level 2 (high)." in " ".join(story(trial).split())


def test_every_event_word_has_a_sentence() -> None:
    from escalate.report.narrative import _SENTENCES
    from escalate.words.tables import EVENT_WORDS

    assert set(_SENTENCES) == set(EVENT_WORDS)


def test_tallies_of_parts_add_up_to_that_of_all(base: Scenario) -> None:
    """Whatever the parts; and what is written down is read back."""
    changed = base.replace({"toxicity.dlt_probability": [0.2, 0.4], "attrition.partial_dose_probability": 0.2})
    whole = tally(simulate(changed, trials=90))
    parts = [simulate(changed, trials=count, first=first) for first, count in ((0, 30), (30, 1), (31, 59))]
    one, two, three = (tally(part, paths_until=10_000) for part in parts)
    assert total([one, two, three]) == total([one, total([two, three])]) == total(iter([one, two, three])) == whole
    each = [tally(simulate(changed, trials=1, first=first), paths_until=10_000) for first in range(90)]
    assert total(each) == whole
    assert Tally.from_json(changed, json.loads(json.dumps(whole.to_json()))) == whole
    with pytest.raises(ValueError, match="one's trials follow"):
        total([one, three])
    with pytest.raises(ValueError, match="at least one"):
        total([])


def test_a_tally_counts_what_the_trials_say(base: Scenario) -> None:
    trials = simulate(base.replace({"toxicity.dlt_probability": [0.3, 0.5]}), trials=120)
    found = tally(trials)
    assert found.values["duration"] == Counter(trials.duration_days.tolist())
    assert found.values["milestone: first infusion"] == Counter(trials.milestone_days["first infusion"].tolist())
    assert found.reasons == Counter(trials.stop_reasons)
    assert found.paths == Counter(trials.dose_paths)
    chosen = [k for k, level in enumerate(trials.recommended.tolist()) if level >= 0]
    counts = Counter(
        (level := int(trials.recommended[k]), *(int(trials.patients[name][k, level]) for name in ("dlts", "evaluable")))
        for k in chosen
    )
    assert found.evidence() == {key: count / 120 for key, count in counts.items()}


def test_right_and_wrong_choices() -> None:
    """P(DLT) .1, .3, .6 and a target of .25: level 1 is right, levels 2 and 3 are too toxic, unless it is said."""
    scenario = small(
        dose_levels=[{"label": label} for label in ("low", "middle", "high")],
        toxicity__dlt_probability=[0.1, 0.3, 0.6],
        rule={"name": "BOIN", "target": 0.25},
        accrual={"kind": "poisson", "consents_per_month": 10.0},
    )
    trials = simulate(scenario, trials=200)
    found, level = characteristics(trials), trials.recommended
    assert found.get("right choice").estimate == (level == 0).mean()
    assert found.get("too toxic a dose").estimate == (level >= 1).mean()
    assert found.get("overdosed", "all").estimate == trials.patients["infused"][:, 1:].sum(axis=1).mean()
    said = simulate(scenario.replace({"toxicity.overdose_above": 0.4, "toxicity.mtd_level": 2}), trials=200)
    assert characteristics(said).get("right choice").estimate == (level == 1).mean()
    assert characteristics(said).get("too toxic a dose").estimate == (level == 2).mean()
    nothing = characteristics(simulate(scenario.replace({"toxicity.mtd_level": 0}), trials=200))
    assert nothing.get("right choice").estimate == (level == NO_LEVEL).mean()
    assert "right choice, no dose" in summary(nothing)


def test_so_many_trials_are_needed() -> None:
    """Of the exact interval, a little wider than 1.959964 standard errors; of nothing, 0.025^(1/n) >= 0.995."""
    assert 38415 == math.ceil(0.25 * (1.959964 / 0.005) ** 2) < trials_needed(0.5) < 38415 * 1.01
    assert trials_needed(0.0) == trials_needed(1.0) == math.ceil(math.log(0.025) / math.log(0.995)) == 736
    for p in (0.5, 0.02, 0.873):
        n = trials_needed(p)
        for trials, enough in ((n, True), (n - 1, False)):
            low, high = (
                beta.ppf(0.025, p * trials, trials - p * trials + 1),
                beta.ppf(0.975, p * trials + 1, trials - p * trials),
            )
            assert (max(p - low, high - p) <= 0.005) == enough
