"""Two folders of results: in what their scenarios, versions and numbers differ, and with which errors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import escalate as esc
from conftest import ROOT
from escalate.cli import main
from escalate.files import MANIFEST, seal
from escalate.results.estimates import mean, probability
from escalate.results.stored import read_trials
from escalate.studies.stored import FolderDifference, Stored, diff, independent_difference
from small import small

BASE = str(ROOT / "scenarios" / "nct06337474.toml")
TRIALS = 300


@pytest.fixture(scope="module", autouse=True)
def no_figures() -> Iterator[None]:
    """Draw nothing: figures take most of the time, and no number rests on them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("escalate.export.simulation._figures_of", lambda *_: {})
        patch.setattr("escalate.export.trial.figures_of_trial", lambda *_: {})
        yield


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with results: `base`, `slow` of other accrual, `more` of more trials, `seed` of another seed."""
    place = tmp_path_factory.mktemp("results")
    base = esc.load(BASE)
    slow = base.replace({"accrual.consents_per_month": 0.5, "sources": {}})
    for name, scenario, trials, seed in (("base", base, TRIALS, 1), ("slow", slow, TRIALS, 1),
                                         ("more", base, TRIALS + 100, 1), ("seed", slow, TRIALS, 2)):  # fmt: skip
        esc.run(scenario, place / name, trials=trials, seed=seed)
    return place


def test_nothing_is_the_same_where_nobody_looked_at_the_trials(tmp_path: Path) -> None:
    """In both nothing ever varies; of other seeds that does not say that trials are the same."""
    for seed in (1, 2):
        esc.run(small(accrual__consent_days=list(range(0, 400, 20))), tmp_path / f"{seed}", trials=10, seed=seed)
    text = esc.summary(diff(tmp_path / "1", tmp_path / "2"))
    panels = text[text.index("When the trial has ended") :]
    assert "same" not in panels and panels.count("+0") >= 4


def test_trials_are_read_back_as_they_were(folders: Path) -> None:
    alone = esc.simulate(esc.load(BASE), trials=TRIALS)
    again = read_trials(folders / "base" / "trials.npz", alone.scenario, 1)
    for field in fields(alone):
        before, after = getattr(alone, field.name), getattr(again, field.name)
        pairs = (
            {name: (before[name], after[name]) for name in before}
            if isinstance(before, dict)
            else {"": (before, after)}
        )
        for one, two in pairs.values():
            assert np.array_equal(one, two) if isinstance(one, np.ndarray) else one == two, field.name


def test_a_folder_and_itself_differ_in_nothing(folders: Path, tmp_path: Path) -> None:
    shutil.copytree(folders / "base", tmp_path / "base")
    (tmp_path / "base" / "notes.txt").write_text("mine")  # what was added changes no number
    found = diff(folders / "base", tmp_path / "base")
    assert found.changes == () == found.sources and found.pairs == TRIALS
    changes = [row for row in found.rows if row.rule == found.labels[1]]
    assert changes and all(row.is_same for row in changes)
    assert "The scenarios say the same." in esc.summary(found)


def test_the_same_seed_is_paired_trial_by_trial(folders: Path) -> None:
    """Against both files, subtracted by numpy; independent errors would be five times as large."""
    found = diff(folders / "base", folders / "slow")
    one, two = (np.load(folders / name / "trials.npz")["duration_days"].astype(float) for name in ("base", "slow"))
    row = found.find("slow", "duration", None)
    assert row is not None and found.pairs == TRIALS
    assert row.difference == pytest.approx((two - one).mean(), rel=1e-12)
    assert row.difference_se == pytest.approx((two - one).std(ddof=1) / np.sqrt(TRIALS), rel=1e-9)
    assert row.difference_se < 0.5 * np.hypot(one.std(ddof=1), two.std(ddof=1)) / np.sqrt(TRIALS)
    assert [str(one) for one in found.changes] == ["accrual.consents_per_month 0.857 -> 0.5"]
    assert "accrual.consents_per_month" in found.sources
    text = " ".join(esc.summary(found).split())
    assert "differ in 1 key (base -> slow): accrual.consents_per_month 0.857 -> 0.5" in text
    assert f"paired, trial by trial: the {TRIALS} trials of seed 1 that both hold" in text


def test_of_more_trials_those_that_both_hold_are_paired(folders: Path) -> None:
    found = diff(folders / "slow", folders / "more")
    assert found.pairs == TRIALS
    first = np.load(folders / "more" / "trials.npz")["duration_days"][:TRIALS]
    row = found.find("more", "duration", None)
    assert row is not None and row.estimate == pytest.approx(first.mean()) and row.trials == TRIALS


def test_other_seeds_have_independent_errors(folders: Path) -> None:
    found = diff(folders / "base", folders / "seed")
    one, two = (np.load(folders / name / "trials.npz")["duration_days"].astype(float) for name in ("base", "seed"))
    row = found.find("seed", "duration", None)
    assert row is not None and found.pairs == 0
    assert row.difference == pytest.approx(two.mean() - one.mean(), rel=1e-12)
    assert row.difference_se == pytest.approx(np.hypot(one.std(ddof=1), two.std(ddof=1)) / np.sqrt(TRIALS), rel=1e-9)
    assert "independent standard errors: the seeds differ, 1 and 2" in " ".join(esc.summary(found).split())
    assert found.find("seed", "median duration", None) is not None


def test_without_trials_it_says_so(folders: Path, tmp_path: Path) -> None:
    esc.characteristics(esc.simulate(esc.load(BASE), trials=TRIALS)).save(tmp_path / "saved")
    found = diff(folders / "base", tmp_path / "saved")
    text = " ".join(esc.summary(found).split())
    assert found.pairs == 0 and "the trials are not stored in both (trials.npz); trials of one seed go together" in text


@pytest.mark.parametrize("contents", [b"", b"no zip", b"PK\x03\x04"])
def test_trials_that_cannot_be_read_are_not_paired(folders: Path, tmp_path: Path, contents: bytes) -> None:
    shutil.copytree(folders / "slow", tmp_path / "odd")
    (tmp_path / "odd" / "trials.npz").write_bytes(contents)
    (tmp_path / "odd" / MANIFEST).unlink()
    seal(tmp_path / "odd")
    found = diff(folders / "base", tmp_path / "odd")
    assert found.pairs == 0 and "trials.npz of odd cannot be read" in found.how


def test_versions_are_told(folders: Path, tmp_path: Path) -> None:
    shutil.copytree(folders / "base", tmp_path / "old")
    said = json.loads((tmp_path / "old" / "summary.json").read_text(encoding="utf-8"))
    said["provenance"]["numpy"] = "1.0"
    (tmp_path / "old" / "summary.json").write_text(json.dumps(said), encoding="utf-8")
    (tmp_path / "old" / MANIFEST).unlink()
    seal(tmp_path / "old")
    text = esc.summary(diff(folders / "base", tmp_path / "old"))
    assert f"differs: numpy {np.__version__} and 1.0" in " ".join(text.split())


def test_other_doses_are_not_compared_level_by_level(folders: Path, tmp_path: Path) -> None:
    changes = {
        "dose_levels": [{"label": "a"}, {"label": "b"}, {"label": "c"}],
        "toxicity.dlt_probability": [0.1, 0.2, 0.3],
    }
    three = esc.load(BASE).replace({**changes, "sources": {}, "ranges": {}})
    esc.run(three, tmp_path / "three", trials=20)
    found = diff(folders / "base", tmp_path / "three")
    assert {row.level for row in found.rows} == {None, "all", "no dose"}
    text = esc.summary(found)
    assert "what is told level by level is left out" in text and "level 1 " not in text[text.index("When the trial") :]


# Differences of estimates that rest on trials of their own


@pytest.mark.parametrize(("k", "m"), [(400, 500), (0, 0), (0, 3), (1000, 1000), (5, 400)])
def test_an_independent_difference_of_probabilities_covers(k: int, m: int) -> None:
    one, two = (probability("", "right choice", None, x, 1000) for x in (k, m))
    found = independent_difference(one, two)
    assert found.estimate == pytest.approx((m - k) / 1000)
    assert found.low is not None and found.high is not None and found.mc_se is not None
    assert found.low < found.estimate < found.high
    if (k, m) == (400, 500):
        assert found.mc_se == pytest.approx(np.sqrt((0.24 + 0.25) / 1000))
    if k in (0, 1000) and k == m:
        assert found.high == -found.low == pytest.approx(1 - (0.0125) ** (1 / 1000))  # Clopper-Pearson's of none


def test_an_independent_difference_of_constants_has_no_error() -> None:
    one, two = (mean("", "infused", "all", {days: 100}, "patients") for days in (6, 7))
    assert (independent_difference(one, two).estimate, independent_difference(one, two).mc_se) == (1, None)


# The command


def test_the_command_prints_within_eighty_letters(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "difference.csv"
    assert main(["diff", str(folders / "base"), str(folders / "slow"), "--csv", str(table)]) == 0
    printed = capsys.readouterr().out
    assert printed == esc.summary(diff(folders / "base", folders / "slow")) + "\n"
    lines = [line for line in printed.splitlines() if not line.startswith(("±", "Clopper"))]
    assert max(map(len, lines)) <= 80
    starts = {len(line) for line in printed[printed.index("Patients, mean") :].split("\n\n")[0].splitlines()[1:]}
    assert len(starts) == 1  # heads, values and differences end below each other
    assert table.read_bytes().decode("utf-8-sig").startswith("scenario,measure,level,estimate")


def test_a_notebook_shows_it(folders: Path) -> None:
    found: FolderDifference = diff(folders / "base", folders / "slow")
    page = found._repr_html_()
    assert "accrual.consents_per_month" in page and page.count("<table>") == 2 and len(repr(found)) < 300


def wrong(folders: Path, place: Path) -> dict[str, str]:
    """Return folders that cannot be compared, by name, with what is said of each; the folders are made."""
    for name in ("changed", "missing", "unlisted"):
        shutil.copytree(folders / "base", place / name)
    with (place / "changed" / "trials.npz").open("ab") as file:
        file.write(b"x")
    (place / "missing" / "summary.json").unlink()
    (place / "unlisted" / MANIFEST).unlink()
    (place / "file").write_text("x")
    (place / "empty").mkdir()
    esc.compare(esc.load(BASE), ["3+3"], trials=2).save(place / "compared")
    esc.compare([esc.load(BASE)] * 2, trials=2).save(place / "variants")
    esc.exact(esc.load(BASE)).save(place / "exact")
    esc.simulate_trial(esc.load(BASE)).save(place / "trial")
    return {
        "changed": "is not as it was written: trials.npz (changed)",
        "missing": "is not as it was written: summary.json (missing)",
        "unlisted": "is not a folder of results (it holds no SHA256SUMS with resolved.json)",
        "file": "is no folder of results",
        "empty": "is not a folder of results (it holds no SHA256SUMS",
        "nowhere": "there is no such folder",
        "compared": "was written by compare; the difference is told of two folders of `escalate run`",
        "variants": "was written by compare;",
        "exact": "was written by exact;",
        "trial": "was written by trial;",
    }


def test_what_cannot_be_compared_is_one_line(folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, said in wrong(folders, tmp_path).items():
        out = tmp_path / "out.csv"
        assert main(["diff", str(folders / "base"), str(tmp_path / name), "--csv", str(out)]) == 2
        printed = capsys.readouterr()
        assert not printed.out and printed.err.count("\n") == 1 and not out.exists()
        assert printed.err.startswith(f"escalate: {tmp_path / name}: {said}"), printed.err
    assert main(["diff", str(tmp_path / "file"), str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.count("\n") == 2  # both at once
    assert main(["diff", str(folders / "base"), str(folders / "base"), "--csv", str(tmp_path / "file")]) == 2


def test_labels_are_told_apart(folders: Path, tmp_path: Path) -> None:
    shutil.copytree(folders / "slow", tmp_path / "base")
    assert diff(folders / "base", folders / "slow").labels == ("base", "slow")
    assert diff(folders / "base", tmp_path / "base").labels == (str(folders / "base"), str(tmp_path / "base"))
    both: Any = diff(folders / "base", folders / "base")
    assert len(both.labels) == 2 and isinstance(both.both[1], Stored)
