"""Nothing is lost: folders that others made, what was read, numbers whose figures cannot be drawn."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import escalate as esc
from escalate import plots
from escalate.cli import main
from escalate.errors import IncompleteError, OutputError
from escalate.files import MANIFEST, MARK, claimed, seal, write_file, write_folder, write_whole
from escalate.scenario.comparison_file import read_asked
from escalate.studies.study import make_study
from small import small

TOML = small(accrual__consent_days=[0, 0, 0, 40, 40, 40]).to_toml()
SIMULATE = "escalate.trial.conduct.simulate_trial"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(TOML)
    return tmp_path


@pytest.fixture(autouse=True)
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write no figures, since drawing takes a second each."""
    monkeypatch.setattr("escalate.export.figures.image", lambda axes, kind: kind.encode())


def during_the_work(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Let something happen, once, while a trial is simulated."""
    simulate, left = esc.simulate_trial, [do]

    def simulate_trial(*given: Any, **options: Any) -> esc.Trial:
        if left:
            left.pop()()
        return simulate(*given, **options)

    for place in (SIMULATE, "escalate.studies.representative.simulate_trial"):
        monkeypatch.setattr(place, simulate_trial)


def text(path: str) -> str:
    return Path(path).read_text()


# Places


def test_two_at_once_have_a_folder_each(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    during_the_work(monkeypatch, lambda: main(["trial", "small.toml", "--seed", "2"]))
    assert main(["trial", "small.toml", "--seed", "1"]) == 0
    printed = capsys.readouterr().out
    for number, seed in (("", 1), ("-2", 2)):
        assert f"Written to {Path('results', f'small-trial-0{number}')}:" in printed
        assert f'"seed": {seed}' in text(f"results/small-trial-0{number}/provenance.json")
    assert len(list(Path("results").iterdir())) == 2


def test_who_comes_second_is_refused_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    during_the_work(monkeypatch, lambda: codes.append(main(["trial", "small.toml", "--out", "here"])))
    assert main(["trial", "small.toml", "--out", "here"]) == 0
    assert codes == [2]


@pytest.mark.parametrize("earlier", [False, True])
def test_what_somebody_wrote_meanwhile_stays(
    earlier: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if earlier:
        assert main(["trial", "small.toml", "--out", "here"]) == 0
    during_the_work(monkeypatch, lambda: Path("here/notes.txt").write_text("years of work"))
    assert main(["trial", "small.toml", "--out", "here", "--seed", "7", "--overwrite"]) == 1
    said = capsys.readouterr().err
    assert said == "escalate: here: somebody else wrote there meanwhile; the results are in here-2\n"
    assert text("here/notes.txt") == "years of work"
    assert Path("here/story.txt").exists() == earlier
    assert '"seed": 7' in text("here-2/provenance.json")
    assert {path.name for path in Path().iterdir()} == {"small.toml", "here", "here-2"}


def test_overwrite_says_what_it_would_lose(capsys: pytest.CaptureFixture[str]) -> None:
    again = ["trial", "small.toml", "--out", "here", "--overwrite"]
    assert main(again) == 0
    assert main(again) == 0
    Path("here/notes").mkdir()
    Path("here/notes/one.txt").write_text("mine")
    Path("here/story.txt").write_text("another story")
    Path("here/.DS_Store").write_text("a desktop's")
    capsys.readouterr()
    assert main(again) == 2
    assert (
        "would lose what escalate did not write there: story.txt (changed), notes/one.txt;" in capsys.readouterr().err
    )
    assert text("here/notes/one.txt") == "mine"


def test_a_folder_with_checksums_of_its_own_is_not_ours() -> None:
    Path("archive").mkdir()
    Path("archive/image.iso").write_text("large")
    seal(Path("archive"))
    with pytest.raises(OutputError, match=f"is not a folder of results .it holds no {MANIFEST} with {MARK}"):
        esc.decision_table(small()).save("archive", overwrite=True)
    assert text("archive/image.iso") == "large"


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_not_followed() -> None:
    Path("victim").mkdir()
    Path("victim/file").write_text("precious")
    Path("victim", MARK).write_text("a result")
    seal(Path("victim"))
    Path("out").symlink_to("victim")
    Path("dangling").symlink_to("nowhere")
    for name in ("out", "dangling"):
        for overwrite in (False, True):
            with pytest.raises(OutputError):
                write_folder(Path(name), lambda folder: None, overwrite)
    Path(".file.csv.new").symlink_to("victim/file")
    write_whole(Path("file.csv"), b"new")
    with pytest.raises(OutputError, match="exists already"):
        write_file(Path("dangling"), b"new")
    assert text("victim/file") == "precious"
    assert not Path("nowhere").exists()
    assert esc.simulate_trial(small(), seed=1).save("real") is None
    Path("real/more").symlink_to("../victim/file")
    with pytest.raises(OutputError, match="did not write there: more;"):
        esc.simulate_trial(small(), seed=1).save("real", overwrite=True)


def test_a_file_that_somebody_wrote_meanwhile_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("escalate.files.one_file.check_file_free", lambda *_: None)  # it was free when it was looked at
    Path("paths.csv").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        write_file(Path("paths.csv"), b"new")
    assert text("paths.csv") == "mine"
    assert not list(Path().glob(".paths*"))


def test_a_place_is_given_back_where_the_work_fails() -> None:
    with pytest.raises(RuntimeError), claimed(Path("deep/down/here")) as place:
        assert place.path.is_dir()
        raise RuntimeError
    assert not Path("deep").exists()


def test_what_cannot_be_written_is_said_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    during_the_work(monkeypatch, lambda: pytest.fail("simulated"))
    for out in ("small.toml/here", "x" * 300):
        assert main(["trial", "small.toml", "--out", out]) == 2
    assert main(["exact", "small.toml", "--csv", "nowhere/paths.csv"]) == 2


# What was read


@pytest.mark.parametrize("name", ["summary.json", "Durations.PNG", "sha256sums", "resolved.json", "trials.npz"])
def test_a_scenario_of_any_name_takes_no_result_s_place(name: str, elsewhere: Path) -> None:
    (elsewhere / "in").mkdir()
    scenario = esc.load("small.toml")
    data = scenario.model_dump_json() if name.endswith("json") else TOML
    (elsewhere / "in" / name).write_text(data)
    assert main(["run", f"in/{name}", "--trials", "2", "--out", "named"]) == 0
    assert main(["run", "small.toml", "--trials", "2", "--out", "plain"]) == 0
    for path in Path("plain").iterdir():
        if path.is_file() and path.name not in ("small.toml", MANIFEST):
            assert Path("named", path.name).read_bytes() == path.read_bytes()
    assert [path.read_text() for path in Path("named").glob("*-input.*")] + [
        path.read_text() for path in Path("named").glob("*-input") if path.is_file()
    ] == [data]


def test_two_inputs_of_one_name_are_both_kept() -> None:
    rules = 'target = 0.25\n[[rules]]\nname = "BOIN"\n[[truths]]\ndlt_probability = [0.1, 0.2]\n'
    Path("rules").mkdir()
    Path("rules/small.toml").write_text(rules)
    asked = ["compare", "small.toml", "--rules", "rules/small.toml", "--trials", "2", "--no-exact", "--out", "here"]
    assert main(asked) == 0
    assert (text("here/small.toml"), text("here/small-input.toml")) == (TOML, rules)


def test_what_was_read_is_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    during_the_work(monkeypatch, lambda: Path("small.toml").write_text("changed meanwhile"))
    assert main(["run", "small.toml", "--trials", "2", "--out", "here"]) == 0
    assert text("here/small.toml") == TOML
    during_the_work(monkeypatch, lambda: Path("small.toml").unlink())
    Path("small.toml").write_text(TOML)
    assert main(["run", "small.toml", "--trials", "2", "--out", "there"]) == 0
    assert text("there/small.toml") == TOML


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no pipes by name")
def test_a_pipe_is_read_once_and_kept() -> None:
    for verb in (["check"], ["run", "--trials", "2", "--out", "here"], ["compare", "--rule", "BOIN target=0.25",
                 "--trials", "2", "--no-exact", "--out", "there"]):  # fmt: skip
        end, start = os.pipe()
        writer = threading.Thread(target=lambda start=start: (os.write(start, TOML.encode()), os.close(start)))
        writer.start()
        assert main([verb[0], f"/dev/fd/{end}", *verb[1:]]) == 0
        writer.join()
        os.close(end)
    assert (text("here/scenario.toml"), text("there/scenario.toml")) == (TOML, TOML)


OWN = "import escalate as esc\n\n@esc.rule(target=0.25)\ndef mine(known):\n    return {!r}\n"


def test_the_code_that_ran_is_the_code_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line for line in TOML.splitlines() if not line.startswith("variant")]
    Path("own.toml").write_text("\n".join(lines).replace('name = "3+3"', 'python = "rule.py:mine"'))
    Path("rule.py").write_text(OWN.format("stay"))
    during_the_work(monkeypatch, lambda: Path("rule.py").write_text(OWN.format("stop")))
    assert main(["run", "own.toml", "--trials", "2", "--out", "here", "--allow-python"]) == 0
    assert text("here/rule.py") == OWN.format("stay")
    assert main(["check", "here/resolved.json", "--allow-python"]) == 0


def test_two_rules_files_of_one_name_are_both_kept() -> None:
    for folder, answer in (("a", "stay"), ("b", "stop")):
        Path(folder).mkdir()
        Path(folder, "rule.py").write_text(OWN.format(answer))
    rules = [{"label": folder, **_rule_in(folder)} for folder in "ab"]
    esc.compare(small(), rules, trials=2, enumerate_exactly=False).save("here")
    kept = sorted(path.relative_to("here/scenarios").as_posix() for path in Path("here/scenarios").rglob("*.py"))
    assert kept == ["rule-2/rule.py", "rule.py"]
    assert text("here/scenarios/rule.py") == OWN.format("stay")
    assert text("here/scenarios/rule-2/rule.py") == OWN.format("stop")
    assert main(["check", "here/scenarios/rule-2/truth-1-rule-2.json", "--allow-python"]) == 0


def _rule_in(folder: str) -> dict[str, Any]:
    """Return a rule whose file is named from its own folder, as a file of rules there names it."""
    Path(folder, "rules.toml").write_text('[[rules]]\npython = "rule.py:mine"\n')
    return read_asked(file=Path(folder, "rules.toml"), allow_python=True).rules[0]


# Figures


def test_a_figure_that_cannot_be_drawn_loses_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("\nno such date\n")

    for name in ("simulation.plot_durations", "trial.plot_staircase"):
        monkeypatch.setattr(f"escalate.export.{name}", broken)
    assert main(["run", "small.toml", "--trials", "2", "--out", "here"]) == 1
    printed = capsys.readouterr()
    assert printed.out.startswith(text("here/summary.txt"))
    assert printed.err.splitlines() == [
        f"escalate: {name} could not be drawn (ValueError: no such date); everything else is in here"
        for name in ("durations", "median-trial/staircase")
    ]
    assert Path("here/selection.png").exists()
    assert Path("here/trials.npz").exists()
    assert not Path("here/durations.png").exists()
    assert main(["trial", "small.toml", "--out", "here", "--overwrite"]) == 1
    assert Path("here/timeline.svg").exists()
    with pytest.raises(IncompleteError, match="staircase could not be drawn"):
        esc.simulate_trial(small(), seed=1).save("there")


def test_a_reader_who_goes_away_loses_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise UnicodeEncodeError("ascii", "±", 0, 1, "ordinal not in range")

    monkeypatch.setattr(sys, "stdout", Gone())
    assert main(["run", "small.toml", "--trials", "2", "--out", "here"]) == 1
    assert Path("here/summary.txt").exists()


HOSTILE = r"$\frac{$ a_b^c & {x} \n $$ <b> % # ~ \u263a"


@pytest.mark.parametrize("given", [False, True], ids=["own", "given"])
def test_texts_are_no_formulas_in_any_figure(given: bool) -> None:
    labels = [{"label": f"$low_{HOSTILE}"}, {"label": f"$high^{HOSTILE}"}]
    scenario = small(trial__title=HOSTILE, dose_levels=labels, accrual__consent_days=[0, 0, 0, 40, 40, 40])
    scenario = scenario.replace({"ranges": {"toxicity.dlt_probability": [[0.0, 0.0], [0.1, 0.1]]}})
    found = esc.characteristics(esc.simulate(scenario, trials=3))
    trial, rules = esc.simulate_trial(scenario, seed=1), [{"name": "3+3", "label": name} for name in "$_"]
    what: dict[str, Any] = {
        "accrual_fan": esc.accrual(scenario, trials=3),
        "comparison": esc.compare(scenario, rules, [{"label": HOSTILE, "dlt_probability": [0.1, 0.2]}], trials=2),
        "decision_table": esc.decision_table(scenario),
        "dose_paths": esc.dose_paths(scenario),
        "durations": found,
        "selection": found,
        "staircase": trial,
        "sweep": esc.sweep(make_study(scenario, {"trial.title": [HOSTILE, "$"]}, trials=2)),
        "timeline": trial,
        "tornado": esc.sensitivity(scenario, trials=2),
        "where_time_goes": found,
    }
    assert {f"plot_{name}" for name in what} == set(plots.__all__)
    for name, drawn in what.items():
        ax = Figure(figsize=(9, 6)).subplots() if given else None
        options = {"doses": [level["label"] for level in labels]} if name == "dose_paths" else {}
        ax = getattr(plots, f"plot_{name}")(drawn, ax=ax, **options)
        ax.figure.draw_without_rendering()  # as a notebook does
        assert [part.get_text() for part in ax.findobj(Text) if part.get_parse_math()] == [], name


def test_letters_without_a_font_are_one_line() -> None:
    """In a process of its own nothing of the library's is printed, and each letter is told once."""
    Path("small.toml").write_text(TOML.replace('"low"', '"\N{DNA DOUBLE HELIX} low \N{CJK UNIFIED IDEOGRAPH-7EC6}"'))
    done = subprocess.run(
        [sys.executable, "-m", "escalate", "trial", "small.toml", "--out", "here"],
        capture_output=True, encoding="utf-8", env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) <= 1  # none, where the machine has such a font
    assert "Warning" not in done.stderr
    assert not done.stderr or done.stderr.startswith("escalate: caution: the figures' font lacks ")
