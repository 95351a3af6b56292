"""What is said about chance: digits follow the error, exact intervals where few trials tell it, no false certainty."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import beta

import escalate as esc
from escalate.report.simulated import precision_words
from escalate.results.chance import (
    FEW,
    change_in_words,
    decimals_of,
    in_all_means,
    in_percent,
    in_units,
    quantile_in_words,
    tight,
)
from escalate.results.estimates import ESTIMATES, difference, mean, otherwise, probability, quantile
from escalate.studies.study import make_study
from small import small

NUMBER = r"([+-]?[\d,]*\.?\d+)"
SAID = re.compile(rf"{NUMBER}%?(?: ± {NUMBER}| \[{NUMBER}, {NUMBER}\])")

COUNTS = st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
NEAR_AN_END = st.integers(1, 10**7).flatmap(
    lambda n: st.tuples(st.integers(0, min(n, 40)).flatmap(lambda k: st.sampled_from([k, n - k])), st.just(n))
)


def clopper_pearson(k: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Independently, by quantiles of the beta distribution."""
    tail = (1 - confidence) / 2
    return (
        0.0 if k == 0 else float(beta.ppf(tail, k, n - k + 1)),
        1.0 if k == n else float(beta.isf(tail, k + 1, n - k)),
    )


def numbers(text: str) -> list[float | None]:
    """Return the estimate, its error, and the ends of its interval, as they are read."""
    found = SAID.fullmatch(text)
    assert found, text
    return [None if part is None else float(part.replace(",", "")) for part in found.groups()]


@given(COUNTS | NEAR_AN_END)
@example((20, 20))
@example((21, 100_000))
@example((100_000, 100_000))
@example((99_999, 100_000))
@example((1, 1))
def test_a_proportion_is_said_with_no_more_certainty_than_its_trials_give(counts: tuple[int, int]) -> None:
    k, n = counts
    text = in_percent(probability("g", "m", None, k, n))
    p, se, low, high = numbers(text)
    assert (p == 0) == (k == 0) and (p == 100) == (k == n), "0 and 100 are said of none and of all alone"
    if min(k, n - k) >= FEW:
        true = 100 * math.sqrt(k / n * (1 - k / n) / n)
        assert se is not None and se > 0 and abs(se - true) <= 0.15 * true
        assert abs(p - 100 * k / n) <= true / 2, "digits that follow the error lose less than half of it"
        return
    exact = clopper_pearson(k, n)
    assert low is not None and high is not None
    assert low <= p <= high
    assert low <= 100 * exact[0] * (1 + 1e-9) and 100 * exact[1] * (1 - 1e-9) <= high, "rounded outward"
    wide = 100 * (exact[1] - exact[0])
    assert 100 * exact[0] - low <= 0.3 * wide and high - 100 * exact[1] <= 0.3 * wide, "and not by much"
    assert (low == 0) == (k == 0) and (high == 100) == (k == n)


@given(st.floats(1e-9, 1e6))
def test_an_error_has_one_or_two_digits(error: float) -> None:
    decimals = decimals_of(error)
    shown = round(error * 10**decimals)
    assert shown >= 1 and (shown <= 36 or decimals == 0 or shown <= 95)
    assert decimals == 0 or 3 <= shown < 96
    assert abs(shown - error * 10**decimals) <= 0.15 * error * 10**decimals or decimals == 0


def test_by_hand() -> None:
    """1 - 0.025^(1/20) is 16.84%, 1 - 0.025^(1/100000) 0.003689%; 21 of 100,000 have an error of 0.00458%."""
    for k, n, text in (
        (0, 20, "0% [0, 17]"),
        (20, 20, "100% [83, 100]"),
        (0, 100_000, "0% [0, 0.0037]"),
        (100_000, 100_000, "100% [99.9963, 100]"),
        (21, 100_000, "0.021% ± 0.005"),
        (8730, 10_000, "87.30% ± 0.33"),
        (10, 20, "50% ± 11"),
        (1, 20, "5% [0.1, 25]"),
        (0, 1, "0% [0, 98]"),
    ):
        assert in_percent(probability("g", "m", None, k, n)) == text
    assert in_percent(otherwise(probability("g", "m", None, 20, 20))) == "0% [0, 17]"
    assert (
        tight("5% [0.1, 25]") == "5[0.1,25]"
        and tight("87.30% ± 0.33") == "87.30±0.33"
        and tight("6 in all") == "6 in all"
    )


@given(st.dictionaries(st.integers(0, 2000), st.integers(1, 500), min_size=1, max_size=6))
def test_a_mean_without_spread_has_no_error_and_no_interval(often: dict[int, int]) -> None:
    found = mean("g", "m", None, Counter(often), "days")
    text = in_units(found)
    if len(often) == 1:
        assert found.mc_se is found.low is found.high is None
        (value,), n = often, sum(often.values())
        assert text == f"{value:,} ± ?" if n == 1 else f"{value:,} in all"
        assert in_units(found, "days") == (f"{value:,} ± ? days" if n == 1 else f"{value:,} days in all")
        assert bool(in_all_means(f"x {in_units(found, 'days')} y", n)) == (n > 1)
    else:
        m, se, *_ = numbers(text)
        assert se and found.mc_se and abs(se - found.mc_se) <= max(0.15 * found.mc_se, 0.0)
        assert abs(m - found.estimate) <= found.mc_se / 2 + 0.5 * (found.mc_se > 10)


@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 10**5))
@example(0, 0, 20)
@example(20, 0, 0)
def test_paired_differences_of_few_trials_have_the_interval_of_both_probabilities(
    up: int, down: int, same: int
) -> None:
    n = up + down + same
    if n == 0:
        return
    found = difference("g", "m", None, Counter({1: up, -1: down, 0: same}), "probability")
    text = change_in_words(found, "none")
    if n - max(up, down, same) >= FEW:
        d, se, *_ = numbers(text)
        assert (
            se and found.mc_se and abs(d - 100 * (up - down) / n) <= 50 * found.mc_se + 0.5 * (100 * found.mc_se > 10)
        )
        return
    gain, loss = clopper_pearson(up, n, 0.975), clopper_pearson(down, n, 0.975)
    exact = gain[0] - loss[1], gain[1] - loss[0]
    assert (found.low, found.high) == pytest.approx(exact, abs=1e-9)
    if n > 1 and same == n:
        assert text == "none" and found.mc_se is None
        return
    _, se, low, high = numbers(text)
    assert se is None and low is not None and high is not None
    assert low <= 100 * exact[0] + 1e-6 and high >= 100 * exact[1] - 1e-6


def test_a_quantile_says_only_what_its_trials_hold() -> None:
    """Of 20 values the 5% quantile has no lower end: rank 20 * 0.05 - 1.96 * 0.97 is below the first."""
    twenty = quantile("g", "m", Counter(range(1, 21)), 0.05)
    assert (twenty.low, twenty.mc_se) == (None, None) and twenty.high is not None
    assert quantile_in_words(twenty) == "1 ± ?"
    assert quantile_in_words(quantile("g", "m", Counter({7: 3}), 0.5)) == "7 ± ?"
    assert quantile_in_words(quantile("g", "m", Counter({7: 300}), 0.5)) == "7 [7, 7]"
    assert quantile("g", "m", Counter({7: 300}), 0.5).mc_se is None


WITHIN = "within ± 0.5 points (95% interval)"


def test_precision_is_said_only_from_an_interval_that_supports_it() -> None:
    def shares(*counts: int) -> str:
        return precision_words([probability("g", "m", k, count, sum(counts)) for k, count in enumerate(counts)])

    for counts in ((20, 0, 0), (1, 0), (3, 17), (500, 0), (10, 10)):
        words = shares(*counts)
        assert (WITHIN not in words and "do not tell" in words) or counts == (10, 10)
    assert shares(1000, 0) == f"{WITHIN} with these 1,000 trials", "0 of 1,000 leave 0.37 points"
    # 86.63% is the end that takes most: 17,800 by 1.96 standard errors, and some 200 more by the exact interval.
    assert shares(8730, 1170, 100).startswith(f"{WITHIN} after 19,000 trials, 9,000 more")
    assert shares(50_000, 50_000) == f"{WITHIN} with these 100,000 trials"


@given(st.lists(st.integers(0, 50_000), min_size=2, max_size=5).filter(any))
def test_so_many_trials_are_enough_for_whatever_the_intervals_allow(counts: list[int]) -> None:
    n = sum(counts)
    text = precision_words([probability("g", "m", k, count, n) for k, count in enumerate(counts)])
    exact = [clopper_pearson(k, n) for k in counts]
    if "with these" in text:
        half = max(max(k / n - low, high - k / n) for k, (low, high) in zip(counts, exact, strict=True))
        assert half <= 0.005 + 1e-9
    elif WITHIN in text:
        after = int(re.search(r"after ([\d,]+) trials", text)[1].replace(",", ""))  # type: ignore[index]
        assert after > n and f"{after - n:,} more" in text
        for ends in exact:
            p = min(max(0.5, ends[0]), ends[1])
            assert 1.959963 * math.sqrt(p * (1 - p) / after) <= 0.005


FORBIDDEN = [r"[<>] ?\d", r"± 0(\.0+)?(?![\d.])", r"after 1 trials", r"±0(\.0+)?(?![\d.])"]


@pytest.mark.parametrize("trials", [1, 2, 20])
def test_no_output_says_what_its_trials_do_not_give(trials: int, tmp_path: Path) -> None:
    """Few DLTs, and trials that all agree, in every summary and every table."""
    sure = small(
        toxicity__dlt_probability=[0.001, 0.002],
        accrual={"kind": "poisson", "consents_per_month": 3.0},
        ranges={"safety.review_delay_days": [0, 14]},
    )
    study = make_study(sure, {"safety.review_delay_days": [0, 7]}, trials=trials)
    found = [
        esc.characteristics(esc.simulate(sure, trials=trials)),
        esc.compare(sure, ["3+3", "rolling six"], trials=trials),
        esc.sensitivity(sure, trials=trials),
        esc.sweep(study, tmp_path / "sweep"),
    ]
    for one in found:
        text = esc.summary(one)
        for pattern in FORBIDDEN:
            assert not re.search(pattern, text), (pattern, text)
        assert WITHIN not in text
        table = one.table
        for name in [name for name in table.names if name.endswith("_se")]:
            assert all(value is None or value > 0 for value in table[name]), name


def test_the_columns_say_when_they_are_left_out() -> None:
    for column in ESTIMATES.columns:
        if column.name == "mc_se":
            assert "no two trials differ" in column.empty
