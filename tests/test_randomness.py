"""The random numbers: each trial alone as in a batch, streams apart, features that shift no other draw."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest

from escalate import Scenario, simulate, simulate_trial
from escalate.kernel import philox
from escalate.kernel import words as kernel_words
from escalate.kernel.compiled import is_available
from escalate.kernel.words import block
from escalate.nature.at_site import with_pauses
from escalate.nature.draws import Nature
from escalate.nature.gaps import exponential
from escalate.nature.patients import onset_until
from escalate.nature.streams import GAP, NEVER, PAGE, WORDS, Stream, key, lower_halves, uniforms, upper_halves, words
from escalate.studies.simulation import traced_trials
from small import small

PINNED = json.loads(Path("tests/data/random_words.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("pinned", PINNED["blocks"], ids=lambda each: f"{each['stream']}, {each['counter']}")
def test_blocks_are_those_that_are_pinned(pinned: dict[str, Any]) -> None:
    """The scheme can't change without changing every result: by numpy's generator, and by the kernel's own block."""
    stream, (first, _, third, _) = Stream[pinned["stream"]], pinned["counter"]
    found = [int(each) for each in key(pinned["seed"], stream, pinned["site"])]
    assert [f"{each:016x}" for each in found] == pinned["key"]
    raw = np.random.Philox(counter=pinned["counter"], key=np.array(found, dtype=np.uint64)).random_raw(4)
    assert [f"{each:016x}" for each in raw] == pinned["words"]
    assert [f"{each:016x}" for each in block(*found, first + 1, third)] == pinned["words"]
    trial, person = divmod(4 * first // WORDS.get(stream, 1), PAGE)
    page = words(pinned["seed"], stream, third, trial, 1, pinned["site"])[0, person:].ravel()
    assert [f"{each:016x}" for each in page[:4]] == pinned["words"]


@pytest.mark.parametrize("pinned", PINNED["gaps"], ids=lambda each: each["word"])
def test_gaps_are_those_that_are_pinned(pinned: dict[str, str]) -> None:
    """To the last bit, and a logarithm of the library to 1e-14."""
    word = int(pinned["word"], 16)
    found = exponential(np.array([word], dtype=np.uint64))[0]
    assert found.hex() == kernel_words.exponential(word).hex() == pinned["gap"]
    assert found == pytest.approx(-math.log(((word >> 12) + 0.5) / 2**52), rel=1e-14, abs=1e-14)


@pytest.mark.skipif(not is_available(), reason="numba is not installed")
def test_the_compiled_kernel_draws_the_same_words_and_gaps() -> None:
    """Of every trial and person, where both ends of the counter's words are, too."""
    numba = pytest.importorskip("numba")
    computed, gap = philox.block(), numba.njit(kernel_words.exponential)

    @numba.njit
    def draw(key_0: int, key_1: int, first: int, third: int, onto: Any, gaps: Any) -> None:
        for number in range(len(onto)):
            onto[number] = computed(key_0, key_1, first + number + 1, third)
            for place in range(4):
                gaps[number, place] = gap(onto[number, place])

    for seed, first, third in ((1, 0, 0), (7, 2**40, 3), (2**64, 2**63 - 20_000, 2**62)):
        found = key(seed, Stream.PATIENT)
        counter = np.array([first, 0, third, 0], dtype=np.uint64)
        raw = np.random.Philox(counter=counter, key=found).random_raw(4 * 20_000).reshape(-1, 4)
        onto, gaps = np.zeros(raw.shape, dtype=np.int64), np.zeros(raw.shape)
        draw(*found.view(np.int64), first, third, onto, gaps)
        assert (onto.view(np.uint64) == raw).all()
        assert (gaps == exponential(raw)).all()


@pytest.mark.parametrize("stream", Stream)
def test_a_trial_has_the_same_numbers_in_any_chunk(stream: Stream) -> None:
    whole = words(3, stream, page=1, first=0, count=50)
    assert (whole[17:30] == words(3, stream, page=1, first=17, count=13)).all()


def test_pages_streams_and_seeds_do_not_overlap() -> None:
    drawn = [words(seed, stream, page, 0, 40) for seed in (1, 2) for stream in Stream for page in (0, 1)]
    pages = [uniforms(page[:, :, which]).ravel() for page in drawn for which in range(page.shape[2])]
    values = np.concatenate(pages)
    assert len(np.unique(values)) == len(values)
    for one, other in itertools.combinations(pages, 2):
        assert abs(np.corrcoef(one, other)[0, 1]) < 5 / math.sqrt(len(one))


@pytest.mark.parametrize("as_numbers", [uniforms, upper_halves, lower_halves])
def test_uniforms_are_uniform(as_numbers: Callable[[Any], Any]) -> None:
    """Each of a patient's words, of neighbours and trials together; and the last digits as the first."""
    drawn = words(5, Stream.PATIENT, 0, 0, 5000)
    for which in range(4):
        found = as_numbers(drawn[:, :, which]).ravel()
        assert kstest(found, "uniform").pvalue > 1e-6
        assert kstest(found * 2**20 % 1, "uniform").pvalue > 1e-6


def test_numbers_of_a_person_a_neighbour_and_the_next_trial_do_not_depend_on_each_other() -> None:
    """Pairs of numbers fill a square of 10 times 10 cells evenly: chi-squared with 99 degrees of freedom."""
    from scipy.stats import chi2

    drawn = uniforms(words(11, Stream.PATIENT, 0, 0, 4000))
    halves = np.stack([upper_halves(drawn_words := words(11, Stream.PATIENT, 0, 0, 4000)), lower_halves(drawn_words)])
    pairs = [(drawn[:, :, one], drawn[:, :, other]) for one, other in itertools.combinations(range(4), 2)]
    pairs += [(drawn[:, :-1, which], drawn[:, 1:, which]) for which in range(4)]
    pairs += [(drawn[:-1, :, which], drawn[1:, :, which]) for which in range(4)]
    pairs += [(halves[0, :, :, which], halves[1, :, :, which]) for which in range(4)]
    for one, other in pairs:
        cells = np.bincount((10 * (10 * one).astype(int) + (10 * other).astype(int)).ravel(), minlength=100)
        expected = one.size / 100
        assert chi2.sf(((cells - expected) ** 2 / expected).sum(), 99) > 1e-6


def test_gaps_are_exponential() -> None:
    assert kstest(exponential(words(5, Stream.CANDIDATE, 0, 0, 5000)[:, :, GAP]).ravel(), "expon").pvalue > 1e-6


@pytest.mark.parametrize("replicate", [0, 1, 255, 256, 300])
def test_a_trial_alone_is_the_trial_of_the_batch(base: Scenario, replicate: int) -> None:
    alone = simulate_trial(base, seed=4, replicate=replicate)
    batch = list(traced_trials(base, trials=301, seed=4))[replicate]
    for name in ("events", "patients", "cohorts", "decisions"):
        assert getattr(alone, name).rows == getattr(batch, name).rows
    assert (alone.dose_path, alone.duration_days) == (batch.dose_path, batch.duration_days)


def test_a_batch_can_begin_anywhere(base: Scenario) -> None:
    whole, part = simulate(base, trials=40), simulate(base, trials=10, first=25)
    assert part.dose_paths == whole.dose_paths[25:35]
    assert (part.duration_days == whole.duration_days[25:35]).all()


def test_same_seed_same_trial_other_seed_another(base: Scenario) -> None:
    assert simulate_trial(base, seed=1).events.rows == simulate_trial(base, seed=1).events.rows
    assert simulate_trial(base, seed=1).events.rows != simulate_trial(base, seed=2).events.rows


@pytest.mark.parametrize(
    "changes",
    [
        {"attrition.drop_out_per_year": 0.9},
        {"attrition.not_infused_probability": 0.3},
        {"screening.failure_probability": {"other": 0.9}},
        {"accrual.consents_per_month": 9.0},
    ],
)
def test_a_feature_shifts_no_other_draw(base: Scenario, changes: dict[str, object]) -> None:
    """Outcomes of patient k at a dose are the same, whatever else is switched on."""
    plain, other = Nature(base, 9, 0, 20), Nature(base.replace(changes), 9, 0, 20)
    for trial, number, level in itertools.product(range(20), range(20), range(2)):
        assert plain.fate(trial, number, level).dlt_day == other.fate(trial, number, level).dlt_day


def test_slower_accrual_leaves_every_dose_path(base: Scenario) -> None:
    """With whole cohorts observed; and no trial gets shorter."""
    plain = base.replace({"safety.early_decision": False, "accrual.patience_days": None})
    fast = simulate(plain.replace({"accrual.consents_per_month": 3.0}), trials=150)
    slow = simulate(plain.replace({"accrual.consents_per_month": 0.8}), trials=150)
    assert fast.dose_paths == slow.dose_paths
    assert (fast.duration_days <= slow.duration_days).all()


def test_a_higher_dose_has_every_dlt_of_a_lower_one() -> None:
    nature = Nature(small(toxicity__dlt_probability=[0.2, 0.5]), 1, 0, 200)
    low, high = nature.dlt_day(0, 0), nature.dlt_day(0, 1)
    assert ((low == NEVER) | (high != NEVER)).all()
    assert (low == NEVER).mean() == pytest.approx(0.8, abs=5 * math.sqrt(0.16 / low.size))
    assert (high == NEVER).mean() == pytest.approx(0.5, abs=5 * math.sqrt(0.25 / high.size))


def test_uniform_onset_has_every_day_of_the_window_alike() -> None:
    scenario = small(toxicity__dlt_probability=[1.0, 1.0])
    days = Nature(scenario, 1, 0, 3000).dlt_day(0, 0).ravel()
    counts = np.bincount(days, minlength=29)
    assert len(counts) == 29
    expected = len(days) / 29
    assert (np.abs(counts - expected) < 5 * math.sqrt(expected)).all()


@pytest.mark.parametrize(("p", "share"), [(0.06, 0.5), (0.3, 0.75), (1.0, 0.9)])
def test_weibull_onset_is_a_weibull_cut_at_the_window(p: float, share: float) -> None:
    """With the given share in the second half of the window: P(T <= t) = (1 - exp(-(t / scale)^shape)) / p."""
    window_days = 29
    onset = {"kind": "weibull", "second_half_share": share}
    scenario = small(safety__dlt_window_days=window_days, follow_up__days=29, toxicity__dlt_probability=[p, p])
    until = onset_until(scenario.replace({"toxicity.onset": onset}), 0)
    days, p = window_days + 1, min(p, 0.999)
    shape = math.log2(math.log(1 - p) / math.log(1 - p * (1 - share)))
    scale = days / (-math.log(1 - p)) ** (1 / shape)
    assert until == pytest.approx([(1 - math.exp(-((day / scale) ** shape))) / p for day in range(1, days)], rel=1e-9)
    assert until[days // 2 - 1] == pytest.approx(1 - share, rel=1e-9)


def test_drop_out_has_the_yearly_probability() -> None:
    scenario = small(attrition__drop_out_per_year=0.3, follow_up__days=2000)
    days = Nature(scenario, 1, 0, 4000).drop_out_day(0).ravel()
    for until, chance in ((365.25, 0.3), (2 * 365.25, 1 - 0.7**2)):
        found = (days < math.floor(until)).mean()
        assert found == pytest.approx(chance, abs=5 * math.sqrt(0.25 / len(days)) + 0.001)


def test_pages_can_be_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """In any order, with all trials or with one alone: the same candidates, to the last bit."""
    scenario = small(
        accrual={"kind": "poisson", "consents_per_month": 40.0},
        screening={"failure_probability": {"organ function": 0.3}},
    )
    nature = Nature(scenario, 3, 5, 4)
    pages = [nature.consent_days(page).copy() for page in range(6)]
    for page in (5, 0, 4, 4, 1, 3):
        assert (nature.consent_days(page) == pages[page]).all()
    people = [[nature.candidate(trial, number) for number in range(96)] for trial in range(5, 9)]
    monkeypatch.setattr("escalate.nature.candidates.MOST_TOGETHER", 2)
    alone = Nature(scenario, 3, 5, 4)
    for trial, number in itertools.product((8, 5, 6, 7), (95, 31, 32, 40, 90, 33, 0)):
        assert alone.candidate(trial, number) == people[trial - 5][number]


def test_consents_are_poisson() -> None:
    scenario = small(accrual={"kind": "poisson", "consents_per_month": 2.0})
    nature = Nature(scenario, 1, 0, 4000)
    days = np.hstack([nature.consent_days(page) for page in range(3)])
    counts = (days < 365).sum(axis=1)
    expected = 2.0 * 365 / (365.25 / 12)
    assert counts.mean() == pytest.approx(expected, abs=5 * math.sqrt(expected / 4000))
    assert counts.var() == pytest.approx(expected, rel=5 * math.sqrt(2 / 4000))


@pytest.mark.parametrize("per_month", [1e-300, 5e-324, 1e-6])
def test_rates_so_low_that_nobody_ever_comes(per_month: float) -> None:
    days = Nature(small(accrual={"kind": "poisson", "consents_per_month": per_month}), 1, 0, 50).consent_days(0)
    assert (days >= 3650).mean() > 0.9
    assert days.min() >= 0


def test_nobody_consents_in_a_pause() -> None:
    pauses = [
        {"first_day": "2025-01-11", "last_day": "2025-01-20"},
        {"first_day": "2025-01-16", "last_day": "2025-01-25"},
    ]
    from datetime import date

    dated = [{key: date.fromisoformat(value) for key, value in pause.items()} for pause in pauses]
    paused = small(accrual={"kind": "poisson", "consents_per_month": 60.0, "pauses": dated})
    plain = small(accrual={"kind": "poisson", "consents_per_month": 60.0})
    days, free = (Nature(scenario, 1, 0, 300).consent_days(0) for scenario in (paused, plain))
    assert not ((days >= 10) & (days <= 24)).any()
    assert (days == np.where(free >= 10, free + 15, free)).all()


def test_pauses_shift_what_comes_after_them() -> None:
    assert with_pauses(np.array([1.0, 9.99, 10.0, 14.0, 15.0]), [(10, 12), (16, 20)]).tolist() == [1, 9.99, 12, 20, 21]


def test_what_if_fixes_one_patient_and_no_other(base: Scenario) -> None:
    fixed = base.replace(
        {"what_if": [{"patient": 2, "dlt_day": 9, "infused": True, "full_dose": True, "drop_out": False}]}
    )
    plain, told = Nature(base, 2, 0, 5), Nature(fixed, 2, 0, 5)
    fate = told.fate(0, 1, 0)
    assert (fate.infused, fate.full_dose, fate.dlt_day, fate.drop_out_day) == (True, True, 9, NEVER)
    assert plain.fate(0, 2, 0) == told.fate(0, 2, 0)


def test_a_what_if_dlt_without_a_day_keeps_its_random_day() -> None:
    yes = small(what_if=[{"patient": 1, "dlt": True}])
    no = small(toxicity__dlt_probability=[1.0, 1.0], what_if=[{"patient": 1, "dlt": False}])
    days = {Nature(yes, seed, 0, 1).fate(0, 0, 0).dlt_day for seed in range(30)}
    assert len(days) > 5
    assert max(days) <= 28
    assert Nature(no, 1, 0, 1).fate(0, 0, 0).dlt_day == NEVER


def test_body_surface_area_is_a_truncated_normal() -> None:
    from scipy.stats import truncnorm

    area = {"mean_m2": 1.7, "sd_m2": 0.2, "min_m2": 1.5, "max_m2": 2.0}
    values = Nature(small(treatment__body_surface_area=area), 1, 0, 2000).body(0).ravel()
    assert kstest(values, truncnorm(-1.0, 1.5, loc=1.7, scale=0.2).cdf).pvalue > 1e-6
    same = Nature(small(treatment__body_surface_area={**area, "sd_m2": 0.0}), 1, 0, 2).body(0)
    assert (same == 1.7).all()
