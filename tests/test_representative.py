"""The trial that is shown stands for many: chosen by its duration, by second means, and said to be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import escalate
from conftest import ROOT
from escalate import EscalateError, Scenario
from escalate.cli import main
from escalate.results.outcomes import Trials
from escalate.studies.representative import WHICH, Which, representative, representative_trial

BASE = str(ROOT / "scenarios" / "nct06337474.toml")
TRIALS, FIRST = 400, 7


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def base() -> Scenario:
    return escalate.load(BASE)


@pytest.fixture(scope="module")
def trials(base: Scenario) -> Trials:
    return escalate.simulate(base, trials=TRIALS, seed=3, first=FIRST)


def by_hand(trials: Trials, which: str, path: str | None) -> int:
    """Return the replicate, from lists: sorted by duration, then by how rare the path is, then by number."""
    often = Counter(trials.dose_paths)
    rows = [
        (days, -often[at], FIRST + row)
        for row, (days, at) in enumerate(zip(trials.duration_days.tolist(), trials.dose_paths, strict=True))
        if path in (None, at)
    ]
    days = sorted(rows)[{"fastest": 0, "median": (len(rows) - 1) // 2, "slowest": len(rows) - 1}[which]][0]
    return min(row for row in rows if row[0] == days)[2]


@pytest.mark.parametrize("path", [None, "1NNN 2NNN 2NNN", "1NNN 2NNN 2TNN"])
@pytest.mark.parametrize("which", WHICH)
def test_the_chosen_trial_against_lists(trials: Trials, which: Which, path: str | None) -> None:
    told = representative(trials, which, path)
    assert told.replicate == by_hand(trials, which, path)
    row = told.replicate - FIRST
    assert (told.duration_days, told.dose_path) == (trials.duration_days[row], trials.dose_paths[row])
    many = trials.dose_paths.count(path) if path else 0
    of = f"of {many} with the dose path {path} among 400 trials" if path else "of 400 trials"
    assert told.chosen == f"{of} {'the one of median duration' if which == 'median' else f'the {which}'}"


def test_of_an_even_number_the_lower_middle(base: Scenario) -> None:
    two = escalate.simulate(base, trials=2, seed=3)
    assert len(set(two.duration_days.tolist())) == 2
    assert representative(two).duration_days == min(two.duration_days)


def test_a_path_that_nobody_had_names_the_nearest(trials: Trials) -> None:
    with pytest.raises(EscalateError) as caught:
        representative(trials, path="1NNN 2NNN 2NNNN")
    assert str(caught.value).startswith("none of 400 trials has the dose path '1NNN 2NNN 2NNNN'; nearest: 1NNN 2NNN")
    had = trials.dose_paths.count("1NNN 2NNN 2NNN")
    assert f"1NNN 2NNN 2NNN ({had})" in str(caught.value)


def test_run_tells_the_median_trial_and_trial_finds_it_again(
    base: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", BASE, "--trials", "60", "--out", "run"]) == 0
    assert main(["trial", BASE, "--replicate", "median", "--trials", "60", "--out", "one"]) == 0
    told = representative_trial(base, trials=60)
    head = f"One simulated trial (seed 1, replicate {told.replicate}; of 60 trials the one of median"
    for name in ("story.txt", "events.csv", "timeline.svg"):
        assert Path("run/median-trial", name).read_bytes() == Path("one", name).read_bytes()
    assert head in Path("one/story.txt").read_text(encoding="utf-8")
    capsys.readouterr()
    assert main(["trial", BASE, "--path", told.dose_path, "--trials", "60"]) == 0
    assert f"results/nct06337474-trial-median-{told.dose_path.replace(' ', '-')}" in capsys.readouterr().out


def test_the_figure_says_which_of_how_many(trials: Trials) -> None:
    told = representative(trials, "slowest")
    texts = [
        text.get_text()
        for text in escalate.plot_timeline(told).figure.findobj(match=lambda one: hasattr(one, "get_text"))
    ]
    assert any("of 400 trials the slowest" in " ".join(text.split()) for text in texts)


# What a person mistypes, and what is said.
WRONG = {
    ("--path", "1NNN 2NTT 3"): "the dose path cannot be read at position 11",
    (
        "--path",
        "1NNN",
        "--replicate",
        "4",
    ): "--replicate 4 names a trial, and --path chooses one: leave one of them out",
    ("--path", "1NNN 2NNN 2NNNNN", "--trials", "9"): "none of 9 trials has the dose path",
    ("--replicate", "meidan"): "'meidan' is neither a number nor median, slowest or fastest",
    ("--replicate", "median", "--trials", "0"): "0 is less than 1",
}


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_mistakes(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status: object = main(["trial", BASE, *words])
    except SystemExit as end:
        status = end.code
    assert status == 2 and WRONG[words] in capsys.readouterr().err
    assert not list(Path().iterdir())
