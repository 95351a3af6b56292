"""What is mistyped on the command line gets one line with a suggestion, and whoever is lost gets help."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import escalate
from conftest import ROOT, SCENARIOS
from escalate import Scenario
from escalate.cli import VERBS, main
from escalate.errors import CallError, EscalateError, OutputError, near
from escalate.studies.crew import workers
from escalate.studies.study import make_study

BASE = str(ROOT / "scenarios" / "nct06337474.toml")
RECORD = str(ROOT / "seeds" / "NCT06337474.json")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def ended(*arguments: str) -> object:
    """Return with what the command line ends, whoever ends it."""
    try:
        return main(arguments)
    except SystemExit as end:
        return end.code


# What a person mistypes, and what the one line says.
SAYS = {
    ("rnu", BASE): "there is no verb rnu (did you mean run?). `escalate help` tells more",
    ("help", "sweeep"): "there is no verb sweeep (did you mean sweep?). `escalate help` tells more",
    ("zzz",): "there is no verb zzz (there are run, sweep, ",
    ("run", BASE, "--trails", "5"): "escalate run: there is no --trails (did you mean --trials?). `escalate help run`",
    ("run", BASE, "--trails=5"): "there is no --trails (did you mean --trials?)",
    ("run", BASE, "more"): "escalate run: not expected: more. `escalate help run` tells more",
    ("--debgu", "run", BASE): "there is no --debgu (did you mean --debug?)",
    ("run",): "escalate run: the following arguments are required: scenario. `escalate help run` tells more",
    ("rules", "BION"): "there is no rule 'BION'. Did you mean `BOIN`?",
    ("compare", BASE, "--rule", "boin"): "Did you mean `BOIN`?",
    ("keys", "dlt_windw_days"): "Did you mean `dlt_window_days`?",
    ("run", "nct0633747"): "nct0633747: there is no such file; with escalate come the scenarios ",
    ("check", "six-dose-oncolgy"): "Did you mean `six-dose-oncology`?",
    ("run", RECORD): "is a registry record, and no scenario: `escalate init ",
    ("check", RECORD): "is a registry record, and no scenario: `escalate init ",
    ("init", BASE): "is a scenario or a study, and no registry record: `escalate check ",
}  # fmt: skip


@pytest.mark.parametrize("arguments", SAYS, ids=lambda words: " ".join(Path(word).name for word in words))
def test_one_line_says_what_was_meant(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(*arguments) == 2
    printed = capsys.readouterr()
    assert not printed.out and printed.err.count("\n") == 1
    assert printed.err.startswith("escalate") and SAYS[arguments] in printed.err
    assert not Path("results").exists()


def test_a_resolved_scenario_is_no_record(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("trial", BASE, "--out", "one") == 0
    capsys.readouterr()
    assert ended("init", "one/resolved.json") == 2
    assert "is a scenario, and no registry record: `escalate check " in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [(), ("help",), ("--help",)])
def test_help_lists_verbs_and_scenarios(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(*arguments) == 0
    words = capsys.readouterr().out.split()
    assert {verb.__name__.rpartition(".")[2] for verb in VERBS} <= set(words)
    assert {path.stem for path in SCENARIOS} <= {word.strip(",.") for word in words}


@pytest.mark.parametrize("verb", [verb.__name__.rpartition(".")[2] for verb in VERBS])
def test_help_of_a_verb(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("help", verb) == 0
    asked = capsys.readouterr().out
    assert ended(verb, "--help") == 0
    assert capsys.readouterr().out == asked and asked.startswith(f"usage: escalate {verb}")


def test_the_nearest_name_in_any_case() -> None:
    assert near("tite-boin", ["BOIN", "TITE-BOIN", "CRM"]) == ["TITE-BOIN"]
    assert near("xyz", ["BOIN", "CRM"]) == []


def test_rules_in_any_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("rules", "tite-boin") == 0
    said = capsys.readouterr().out
    assert ended("rules", "TITE-BOIN") == 0
    assert capsys.readouterr().out == said and said.startswith("TITE-BOIN: ")


def completed(line: str, script: Path) -> list[str]:
    """Return what bash offers at the end of a line."""
    words = line.split(" ")
    ask = f'COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _shtab_escalate; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", f"source {script}; {ask}"], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_a_shell_completes(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab", reason="the extra `cli` is not installed")
    assert ended("--print-completion", "bash") == 0
    script = Path("escalate.bash")
    script.write_text(capsys.readouterr().out)
    Path("nct-mine.toml").touch()
    assert completed("escalate sens", script) == ["sensitivity"]
    assert completed("escalate trial x --repl", script) == ["--replicate"]
    assert set(completed("escalate run nct", script)) == {
        *(path.stem for path in SCENARIOS if path.stem.startswith("nct")), "nct-mine.toml",
    }  # fmt: skip
    for shell in ("zsh", "tcsh"):
        assert ended("--print-completion", shell) == 0
        assert "sensitivity" in capsys.readouterr().out


def test_completion_without_its_library_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert ended("--print-completion", "bash") == 2
    assert "python3 -m pip --python .venv install '.[cli]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda base: escalate.decision_table(base, "6"), "patients is a whole number, got the text '6'"),
        (lambda base: escalate.decision_table(base, [3, "6"]), "patients is a whole number, got the text '6'"),
        (lambda base: escalate.compare(base, ["BOIN"], target="0.25"), "target is a number, got the text '0.25'"),
        (lambda base: escalate.rule(target="0.25"), "target is a number, got the text '0.25'"),
        (lambda base: escalate.rule("cautious"), "rule registers a function, got the text 'cautious'"),
    ],
)
def test_numbers_as_text_and_names_as_functions_are_told(call: Any, said: str, base: Scenario) -> None:
    with pytest.raises(CallError, match=re.escape(said)):
        call(base)


PLOTS = [name for name in escalate.__all__ if name.startswith("plot_")]


@pytest.mark.parametrize("name", PLOTS)
def test_a_figure_of_something_else_is_told(name: str, base: Scenario) -> None:
    """Of the wrong kind of result, of none, and on what is no Axes."""
    plot, trials = getattr(escalate, name), escalate.simulate(base, trials=2)
    for wrong in (trials, base, "x", {"a": trials}):
        with pytest.raises(CallError, match=f"^{name} takes .*got "):
            plot(wrong)
    with pytest.raises(CallError, match=f"^{name} has no argument 'axx'; did you mean ax\\?"):
        plot(trials, axx=1)


def test_what_is_no_axes_and_no_exact_result_is_told(base: Scenario) -> None:
    found = escalate.characteristics(escalate.simulate(base, trials=2))
    with pytest.raises(CallError, match=r"ax is one Axes of Matplotlib, as plt.subplots\(\) makes it, got \[1, 2\]"):
        escalate.plot_durations(found, ax=[1, 2])  # type: ignore[arg-type]
    with pytest.raises(CallError, match=r"exact is what escalate.exact\(scenario\) returns, got "):
        escalate.plot_selection(found, found)  # type: ignore[arg-type]


FUNCTIONS = [
    name for name in escalate.__all__ if not name.startswith("plot_") and not isinstance(getattr(escalate, name), type)
]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_tells_a_mistyped_argument(name: str) -> None:
    with pytest.raises(CallError, match=f"^{name} has no argument 'zzz'; "):
        getattr(escalate, name)(zzz=1)


def test_a_scenario_that_is_changed_wrongly_is_told_how(base: Scenario) -> None:
    like = re.escape('as in scenario.replace({"safety.dlt_window_days": 42})')
    changes: Any = base.replace
    for call in (lambda: changes(safety=2), lambda: changes(), lambda: changes("x"), lambda: changes([1])):
        with pytest.raises(CallError, match=like):
            call()
    with pytest.raises(CallError, match=r"load has no argument 'allowpython'; did you mean allow_python\?"):
        escalate.load(BASE, allowpython=True)  # type: ignore[call-arg]


def test_a_scenario_that_is_assigned_to_says_how_another_is_made(base: Scenario) -> None:
    before = base.fingerprint()
    for section, name in ((base, "safety"), (base.safety, "cohort_size"), (base.safety, "none_of_its_keys")):
        with pytest.raises(CallError, match=rf"^{name}: a scenario does not change; make another one: .*keys {name}`"):
            setattr(section, name, 3)
        with pytest.raises(CallError, match=f"^{name}: a scenario does not change"):
            delattr(section, name)
    assert base.fingerprint() == before


def test_cautions_show_themselves(base: Scenario) -> None:
    found = escalate.cautions(base.replace({"rule": {"name": "BOIN", "target": 0.25}}))
    assert repr(found).startswith("Cautions: 1\n  ! Early decisions leave places") and len(found) == 1
    assert "<li>Early decisions leave places" in found._repr_html_()
    assert (
        repr(escalate.cautions(base)) == "Cautions: none" and "Cautions: none" in escalate.cautions(base)._repr_html_()
    )


@pytest.mark.parametrize("name", ["x.png", "x.CSV", "x.pdf"])
def test_a_folder_that_is_named_as_a_file_is_refused(name: str, base: Scenario, tmp_path: Path) -> None:
    said = (
        rf"{re.escape(name)}: these results are a folder of several files; name one without {Path(name).suffix.lower()}"
    )
    for found in (escalate.characteristics(escalate.simulate(base, trials=2)), escalate.accrual(base, trials=2)):
        with pytest.raises(OutputError, match=said):
            found.save(tmp_path / name)
    assert ended("run", BASE, "--trials", "2", "--out", str(tmp_path / name)) == 2
    Path("s.toml").write_text(f'scenario = "{BASE}"\ntrials = 2\n[grid]\n"follow_up.days" = [90]\n', encoding="utf-8")
    assert ended("sweep", "s.toml", "--out", str(tmp_path / name)) == 2
    assert list(tmp_path.glob("*x.*")) == []
    escalate.accrual(base, trials=2).save(tmp_path / "version 1.2")


def test_who_lacks_a_library_is_told_the_same_everywhere(monkeypatch: pytest.MonkeyPatch, base: Scenario) -> None:
    """One place says how an extra is installed, and every one that is named exists."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for name in ("pandas", "openpyxl", "distributed"):
        monkeypatch.setitem(sys.modules, name, None)
    lacks = {
        "notebooks": [base.to_pandas, escalate.exact(base).to_pandas, escalate.simulate(base, trials=2).to_pandas,
                      escalate.decision_table(base, 3).to_pandas, escalate.accrual(base, trials=2).to_pandas,
                      escalate.simulate_trial(base).patients.to_pandas],
        "excel": [lambda: escalate.exact(base).save("x.xlsx")],
        "dask": [lambda: workers(None, "tcp://10.0.0.5:8786").__enter__()],
    }  # fmt: skip
    for extra, calls in lacks.items():
        assert extra in extras
        for call in calls:
            with pytest.raises(EscalateError, match=rf"extra `{extra}` installs: .* '\.\[{extra}\]' in escal"):
                call()


@pytest.mark.parametrize("verb", ["run", "compare", "trial", "accrual", "sensitivity", "sweep"])
def test_help_says_how_many_trials_there_are_where_nobody_says(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    function = {"run": escalate.run, "trial": escalate.run, "sweep": make_study}.get(verb) or getattr(escalate, verb)
    many = f"{inspect.signature(function).parameters['trials'].default:,}"
    assert ended("help", verb) == 0
    assert re.search(rf"\(default {many}\b", " ".join(capsys.readouterr().out.split()))
    assert ended("help") == 0
    assert re.search(rf"{many} \([^)]*\b{verb}\b", " ".join(capsys.readouterr().out.split()))
