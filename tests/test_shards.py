"""Shards: in any order, twice, killed, at the same time, they give the bytes of one process; and what is refused."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pytest

from escalate import export
from escalate.cli import main
from escalate.files import place, write_whole
from escalate.studies import parts
from escalate.studies.parts import Shard, steady
from small import small

TOML = small(accrual={"kind": "poisson", "consents_per_month": 3.0}, toxicity__dlt_probability=[0.1, 0.3]).to_toml()
STUDY = """
scenario = "small.toml"
trials = 30
[grid]
"accrual.consents_per_month" = [2.0, 4.0]
"follow_up.days" = [28, 56]
"""
RUN = ["run", "small.toml", "--trials", "45"]
RULES = ["compare", "small.toml", "--trials", "45", "--target", "0.25", "--rule", "3+3 variant=A", "--rule", "BOIN"]
RULES += ["--truth", "0.1 0.3", "--truth", "0.3 0.5"]
SCENARIOS = ["compare", "small.toml", "--trials", "45", "--variant", "slow: accrual.consents_per_month=1.5"]
VERBS = {"run": RUN, "rules": RULES, "scenarios": SCENARIOS, "sweep": ["sweep", "study.toml"]}
PARTS = {"run": 5, "rules": 10, "scenarios": 5, "sweep": 12}

EACH, FIGURE = place._each, export.write_sweep_figure

every_verb = pytest.mark.parametrize("verb", VERBS)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a scenario and a study; parts are small, and nothing is drawn, which takes a second each."""
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(TOML)
    Path("study.toml").write_text(STUDY)
    monkeypatch.setattr("escalate.studies.parts.LEAST", 10)
    monkeypatch.setattr("escalate.studies.sweeps.LEAST", 10)
    monkeypatch.setattr("escalate.files.place._each", lambda *_: {})
    monkeypatch.setattr("escalate.export.write_sweep_figure", lambda *_, **__: None)
    return tmp_path


def contents(folder: str) -> dict[str, bytes]:
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()
    }
    assert found
    return found


def done(verb: str, *more: str) -> int:
    """Do a verb with its results in `out`, or where more words say."""
    return main([*VERBS[verb], *([] if "--out" in more else ["--out", "out"]), *more])


def kept(verb: str) -> Path:
    """Return where the parts of a verb are kept."""
    return Path("out" if verb == "sweep" else "out.parts", "chunks")


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line that was said on stderr."""
    (line,) = capsys.readouterr().err.splitlines()
    return line.removeprefix("escalate: ")


# The same bytes


@every_verb
def test_shards_in_any_order_and_twice_are_one_process(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("escalate.files.place._each", EACH)
    monkeypatch.setattr("escalate.export.write_sweep_figure", FIGURE)
    monkeypatch.setattr("escalate.export.figures.image", lambda axes, kind: str(axes.dataLim).encode())
    assert done(verb, "--out", "one") == 0
    printed = capsys.readouterr().out
    for number in (3, 1, 2, 1):
        assert done(verb, "--shard", f"{number}/3") == 0
    each = PARTS[verb] // 3 + (PARTS[verb] % 3 >= 1)
    said = " ".join(capsys.readouterr().out.split())
    assert (
        f"Shard 1/3: 0 of its {each} parts done, {each} were there. When all are done, --merge --shards 3 puts" in said
    )
    assert len(list(kept(verb).iterdir())) == PARTS[verb]
    with monkeypatch.context() as merging:
        merging.setattr("escalate.kernel.engine.Engine.run", None)  # nobody simulates
        assert done(verb, "--merge") == 0
    assert contents("out") == contents("one")
    assert any(name.endswith(".png") for name in contents("out"))
    assert capsys.readouterr().out.startswith(printed.replace("Written to one", "Written to out"))


def test_any_number_of_shards_does_every_part_once() -> None:
    for of in (1, 2, 3, 7):
        shards = [[*islice(range(20), *Shard(number, of).places)] for number in range(1, of + 1)]
        assert sorted(chain(*shards)) == list(range(20))
        assert {len(shard) for shard in shards} <= {20 // of, -(-20 // of)}
    assert list(steady(45)) == [(0, 10), (10, 10), (20, 10), (30, 10), (40, 5)]
    assert len(list(steady(3_000_000))) == 367
    assert sum(count for _, count in steady(99_999)) == 99_999


@pytest.mark.parametrize(("verb", "trials"), [("run", 15), ("rules", 60), ("scenarios", 30), ("sweep", 40)])
def test_a_shard_compiles_what_is_worth_it_for_its_own_trials(
    verb: str, trials: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = set[int]()
    monkeypatch.setattr("escalate.kernel.compiled.is_worth", lambda trials, _: asked.add(trials))
    assert done(verb, "--shard", "2/3") == 0
    assert asked == {trials}


KILLED = """
import os, signal, sys
from escalate.cli import main
from escalate.scenario import command_line, comparison_file, variants
from escalate.studies import comparison, parts, sweeps

parts.LEAST = sweeps.LEAST = 10
sync = os.fsync

def killed_at(number):
    left = iter(range(number))
    def fsync(file):
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        sync(file)
    return fsync

def begun(words, number=None):
    if (child := os.fork()) == 0:
        os.fsync = sync if number is None else killed_at(number)
        os._exit(main(words))
    return child

for verb in eval(sys.argv[1]).values():
    at_once = [begun([*verb, "--shard", "2/2"]) for _ in range(2)]
    assert [os.waitpid(child, 0)[1] for child in at_once] == [0, 0]
    assert os.waitpid(begun([*verb, "--shard", "1/2"], 1), 0)[1] == signal.SIGKILL
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_killed_while_they_write_and_run_again_they_are_one_process(here: Path) -> None:
    verbs = {verb: [*VERBS[verb], "--out", verb] for verb in ("run", "rules", "sweep")}
    subprocess.run([sys.executable, "-c", KILLED, repr(verbs)], check=True, stdout=subprocess.DEVNULL)
    for verb in verbs:
        chunks = Path(verb if verb == "sweep" else f"{verb}.parts", "chunks")
        assert list(chunks.glob(".*.new")), "something was cut off"
        assert done(verb, "--out", verb, "--shard", "1/2") == 0
        assert done(verb, "--out", verb, "--merge") == 0
        assert not list(chunks.glob(".*"))
        assert done(verb, "--out", "one") == 0
        assert contents(verb) == contents("one")
        Path("one").rename(f"{verb}-at-one-go")


def test_somebody_else_finishes_while_a_part_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who merges tidies up; whoever is late finds the same part in its place."""
    sync, others = os.fsync, [lambda: [done("run", "--shard", "1/1"), done("run", "--merge")]]
    codes: list[int] = []

    def fsync(file: int) -> None:
        sync(file)
        if others:
            codes.extend(others.pop()())

    monkeypatch.setattr("os.fsync", fsync)
    codes.append(done("run", "--shard", "2/3"))
    assert codes == [0, 0, 0]
    assert done("run", "--out", "one") == 0
    assert contents("out") == contents("one")


def test_a_shard_that_is_told_to_end_keeps_what_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As by a scheduler whose time is up."""
    left = iter(range(2))

    def ends(path: Path, data: bytes) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        write_whole(path, data)

    monkeypatch.setattr(parts, "write_whole", ends)
    assert done("run", "--shard", "1/1") == 1
    assert said(capsys) == "interrupted; what is done is kept, and the same command goes on from there"
    assert len(list(kept("run").iterdir())) == 2


# What is refused, in one line


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--shard", "4/3"], "there is no shard 4/3: of 3 shards the first is 1 and the last is 3"),
        (["--shard", "0/3"], "there is no shard 0/3"),
        (["--shard", "1/0"], "there is no shard 1/0"),
        (["--shard", "1/200000"], "there may be at most 100,000 shards, got 200,000"),
        (["--shard", "3"], "'3' is no shard: write its number and how many there are, as in 3/40"),
        (["--shard", "3/-4"], "'3/-4' is no shard"),
        (["--shard", "1/3", "--merge"], "not allowed with argument --shard"),
        (["--template", "pbs"], "there is no system pbs (there are slurm, lsf, sge)"),
        (["--shards", "3"], "--shards goes with --template or --merge"),
        (["--template", "sge", "--workers", "2"], "a shard of a script has one core"),
        (["--merge", "--workers", "2"], "a merge simulates nothing"),
        (["--template", "sge", "--shards", "0"], "0 is less than 1"),
        (["--template", "sge", "--shards", "100001"], "there may be at most 100,000 shards, got 100,001"),
    ],
)
def test_what_no_shard_is(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = done("sweep", *(word for word in words))
    except SystemExit as end:
        code = int(str(end.code))
    assert (code, says in said(capsys)) == (2, True)
    assert sorted(path.name for path in Path().iterdir()) == ["small.toml", "study.toml"]


@pytest.mark.parametrize("verb", ["run", "rules", "scenarios"])
def test_results_that_appear_whole_need_a_place(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["--out", "out", "--no-files"]):
        assert main([*VERBS[verb], *words, "--shard", "1/3"]) == 2
        assert "--shard, --merge and --template need --out DIR" in said(capsys)
    for out, says in ((".", "name one of its own"), ("out.csv", "name one without .csv")):
        assert done(verb, "--out", out, "--shard", "1/3") == 2
        assert says in said(capsys)
    assert sorted(path.name for path in Path().iterdir()) == ["small.toml", "study.toml"]


@every_verb
def test_a_merge_names_what_is_missing(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert done(verb, "--merge") == 2
    assert "is not there: no shard was begun" in said(capsys)
    for number in (1, 3):
        assert done(verb, "--shard", f"{number}/4") == 0
    part = sorted(kept(verb).iterdir())[0]
    part.write_bytes(part.read_bytes()[:-1])  # the first of shard 1
    capsys.readouterr()
    lacking = 1 + len(range(1, PARTS[verb], 2))
    assert done(verb, "--merge", "--shards", "4") == 2
    line = said(capsys)
    assert (
        f"{lacking} of {PARTS[verb]} parts are missing: --shard 1/4; --shard 2/4; --shard 4/4; run these again" in line
    )
    assert done(verb, "--merge") == 2
    line = said(capsys)
    assert "seed 1, trials 0 to 9; " in line
    assert ("and 2 more;" in line) == (lacking == 7)
    assert not Path("out").exists() or (verb == "sweep" and not Path("out/sweep.csv").exists())
    assert done(verb, "--shard", "1/1") == 0
    assert done(verb, "--merge") == 0


def test_parts_of_other_work_are_not_mixed_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert done("run", "--shard", "1/3") == 0
    before = contents("out.parts")
    capsys.readouterr()
    for words, says in (
        (["--trials", "46"], "trials"),
        (["--seed", "2"], "seed"),
        (["--set", "follow_up.days=29"], "scenario"),
    ):
        for what in (["--shard", "2/3"], ["--merge"]):
            assert done("run", *words, *what) == 2
            assert f"out.parts: holds the results of another study: {says} differ." in said(capsys)
    for verb, says in (("rules", "verb, rules, truths"), ("scenarios", "verb, scenario, scenarios")):
        assert done(verb, "--shard", "2/3") == 2
        assert f"another study: {says} differ." in said(capsys)
    with monkeypatch.context() as other:
        other.setattr("escalate.studies.workers.code_fingerprint", lambda: "0" * 64)
        assert done("run", "--shard", "2/3") == 2
        assert "another study: code of escalate differ." in said(capsys)
    assert contents("out.parts") == before
    assert not Path("out").exists()
    for words, says in (
        (["--rule", "i3+3"], "rules"),
        (["--truth", "0.2 0.4"], "truths"),
        (["--target", "0.3"], "rules, truths"),
    ):
        assert done("rules", "--out", "two", "--shard", "1/3") == 0
        capsys.readouterr()
        assert done("rules", "--out", "two", *words, "--shard", "2/3") == 2
        assert f"two.parts: holds the results of another study: {says} differ." in said(capsys)
    assert done("scenarios", "--out", "three", "--shard", "1/3") == 0
    capsys.readouterr()
    assert done("scenarios", "--out", "three", "--variant", "more: follow_up.days=90", "--shard", "2/3") == 2
    assert "another study: scenarios differ." in said(capsys)
    Path("mine.parts").mkdir()
    Path("mine.parts/chapter.txt").write_text("years of work")
    assert done("run", "--out", "mine", "--shard", "1/3") == 2
    assert "mine.parts: exists already and is not a folder of a run's parts (it holds no study.json)" in said(capsys)
    assert [path.name for path in Path("mine.parts").iterdir()] == ["chapter.txt"]


def test_a_part_of_another_place_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert done("run", "--shard", "1/1") == 0
    one, other, *_ = sorted(kept("run").iterdir())
    one.write_bytes(other.read_bytes())
    capsys.readouterr()
    assert done("run", "--merge") == 2
    assert "1 of 5 parts is missing: seed 1, trials 0 to 9;" in said(capsys)


def test_of_two_merges_at_once_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert done("run", "--shard", "1/1") == 0
    assert done("run", "--out", "one") == 0
    capsys.readouterr()
    codes, read = list[int](), parts.Folder.read

    def merged_by_two(folder: parts.Folder, part: Any) -> bytes | None:
        if not codes:
            codes.append(0)
            codes.append(done("run", "--merge"))
        return read(folder, part)

    monkeypatch.setattr("escalate.studies.parts.Folder.read", merged_by_two)
    assert done("run", "--merge") == 0
    assert codes == [0, 2]
    assert "out: exists already; " in (line := said(capsys)) and "a run is at work there, or was killed" in line
    assert contents("out") == contents("one")
    assert done("run", "--merge") == 2
    assert "out: exists already" in said(capsys)
    assert done("run", "--merge", "--overwrite") == 0
    assert contents("out") == contents("one")


def test_two_merges_of_a_sweep_at_once_write_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file appears whole: they need no lock, so that nobody finds that of a merge that was killed elsewhere."""
    assert done("sweep", "--out", "one") == 0
    assert done("sweep", "--shard", "1/1") == 0
    Path(".out.lock").write_text('{"pid": 1, "host": "elsewhere", "started": ""}')
    left, codes = [1], list[int]()

    def by_two(path: Path, data: bytes) -> None:
        if left:
            left.pop()
            codes.append(done("sweep", "--merge"))
        write_whole(path, data)

    monkeypatch.setattr("escalate.studies.sweeps.write_whole", by_two)
    codes.append(done("sweep", "--merge"))
    assert codes == [0, 0]
    assert contents("out") == contents("one")


def full_after(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk be full after so many files."""
    sync, left = os.fsync, iter(range(number))

    def fsync(file: int) -> None:
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(file)

    monkeypatch.setattr("os.fsync", fsync)


@every_verb
def test_a_full_disk_loses_nothing(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as disk:
        full_after(2, disk)
        assert done(verb, "--shard", "1/1") == 2
        assert "the disk is full; free some space" in said(capsys)
    before = contents("out" if verb == "sweep" else "out.parts")
    assert len(list(kept(verb).iterdir())) == 2
    assert done(verb, "--shard", "1/1") == 0
    assert f"{PARTS[verb] - 2} of its {PARTS[verb]} parts done, 2 were there" in capsys.readouterr().out
    assert before.items() <= contents("out" if verb == "sweep" else "out.parts").items()
    if verb == "run":
        with monkeypatch.context() as disk:
            disk.setattr("escalate.export.simulation.write_columns", full)
            assert done(verb, "--merge") == 2
            assert "out: the disk is full; free some space" in said(capsys)
            assert not Path("out").exists()
    assert done(verb, "--merge") == 0
    assert done(verb, "--out", "one") == 0
    assert contents("out") == contents("one")


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


# Scripts


PROGRAM = '#!/bin/sh\nfor word in "$@"; do echo "$word"; done > "$WORDS"\n'
SUBMIT = """#!/bin/sh
number=$(ls jobs | wc -l)
echo "$@" > "jobs/$number.options"
cat > "jobs/$number.job"
echo "{said}"
"""
SAYS = {
    "slurm": ("sbatch", "77;cluster", "SLURM_ARRAY_TASK_ID", "--dependency=afterany:77", "#SBATCH --array=1-3"),
    "lsf": ("bsub", "Job <77> is submitted to queue <normal>.", "LSB_JOBINDEX", "-w numended(77,*)", "[1-3]"),
    "sge": ("qsub", "77.1-3:1", "SGE_TASK_ID", "-hold_jid 77", "#$ -t 1-3"),
}


@pytest.fixture
def program(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, dict[str, str]], list[str]]]:
    """Return what runs a script in which escalate is a program that tells how it was called."""
    (here / "a program").write_text(PROGRAM)
    (here / "a program").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(here / "a program"))

    def run(script: str, more: dict[str, str]) -> list[str]:
        words = here / "words"
        words.write_text("")
        path = f"{here}{os.pathsep}{os.environ['PATH']}"
        env = {**os.environ, "PATH": path, "WORDS": str(words), **more}
        subprocess.run(["/bin/sh"], input=script, text=True, env=env, check=True, stdout=subprocess.DEVNULL)
        return words.read_text().splitlines()[2:]

    yield run


@pytest.mark.skipif(sys.platform == "win32", reason="the scripts are for a Unix shell")
@pytest.mark.parametrize(("system", "verb"), [("slurm", "rules"), ("lsf", "run"), ("sge", "sweep")])
def test_the_jobs_of_a_script_are_one_process(
    system: str, verb: str, program: Callable[..., list[str]], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, printed, task, waits, array = SAYS[system]
    (here / "jobs").mkdir()
    (here / name).write_text(SUBMIT.format(said=printed))
    (here / name).chmod(0o755)
    asked = ["--out", "my out", "--set", "trial.title=it's", "--template", system, "--shards", "3"]
    assert done(verb, *asked) == 0
    program(capsys.readouterr().out, {})
    shards, merge = [(here / "jobs" / f"{number}.job").read_text() for number in (0, 2)]
    assert array in shards
    assert waits in (here / "jobs" / "2.options").read_text()
    for number in (2, 3, 1):
        assert main(program(shards, {task: str(number)})) == 0
    assert main(program(merge, {})) == 0
    assert done(verb, "--out", "one", *asked[2:4]) == 0
    assert contents("my out") == contents("one")


def test_a_script_is_for_what_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert done("sweep", "--template", "slurm") == 0
    script = capsys.readouterr().out
    assert "#SBATCH --array=1-12\n" in script
    assert "There are 12 parts" in script
    assert '-m escalate sweep study.toml --out out --shard "$SLURM_ARRAY_TASK_ID/12"' in script
    assert "-m escalate sweep study.toml --out out --merge --shards 12" in script
    for asked in ("--cpus-per-task=1", "--mem=", "--time="):
        assert script.count(f"#SBATCH {asked}") == 2
    assert not Path("out").exists()
    Path("study.toml").write_text(STUDY.replace("[28, 56]", "[28, -1]"))
    assert done("sweep", "--template", "slurm") == 2
    assert capsys.readouterr().out == ""


def test_a_shard_is_one_of_some() -> None:
    assert str(Shard(3, 40)) == "3/40"
    with pytest.raises(ValueError, match="there is no shard 41/40"):
        Shard(41, 40)
