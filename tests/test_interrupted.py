"""Interrupted, together with others, on a bad disk: everything is cleaned up, and results are the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import escalate
from conftest import ROOT
from escalate import cli
from escalate.errors import OutputError
from escalate.kernel.kept import Kept
from escalate.studies.lock import Lock

BASE = ROOT / "scenarios" / "nct06337474.toml"

ONE_STEP = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # who starts tests in the background may have it ignored
from escalate import cli
from escalate.files import write_folder
from pathlib import Path

def work(arguments):
    def write(folder):
        try:
            print("begun", flush=True)
            time.sleep(60)
        finally:
            print("cleaning", flush=True)
            time.sleep(0.5)
            print("cleaned", flush=True)
    write_folder(Path("out"), write)

cli.schema.run = work
sys.exit(cli.main(["schema"]))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process otherwise")
@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGINT], [signal.SIGTERM, signal.SIGINT]])
def test_a_signal_cleans_up_and_a_second_one_changes_nothing(signals: list[int], tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ONE_STEP], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        for number, word in zip(signals, ("begun", "cleaning"), strict=False):
            assert process.stdout.readline() == f"{word}\n"
            process.send_signal(number)
        rest = process.stderr.read()
        assert process.stdout.read().endswith("cleaned\n")
        assert process.wait(60) == 1
    assert rest == "escalate: interrupted; nothing was written\n"
    assert not list(tmp_path.iterdir())


KILLED = """
import os, signal, sys
from escalate import cli, studies
import escalate.trial.conduct as conduct
conduct.simulate_trial = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
for _ in range(2):
    if os.fork() == 0:
        cli.main(["trial", "nct06337474", *sys.argv[1:]])
    os.wait()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process otherwise")
def test_the_folder_of_a_run_that_was_killed_bars_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["--out", "here"], []):
        subprocess.run([sys.executable, "-c", KILLED, *words], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    claimed = [Path("here"), Path("results/nct06337474-trial-0"), Path("results/nct06337474-trial-0-2")]
    assert all(folder.is_dir() and not list(folder.iterdir()) for folder in claimed)
    monkeypatch.setattr("escalate.files.place._each", lambda *_: {})  # figures take seconds
    trial = ["trial", str(BASE)]
    assert cli.main([*trial, "--out", "here"]) == 2
    assert "It is empty: a run is at work there, or was killed, and then --overwrite" in capsys.readouterr().err
    assert cli.main([*trial, "--out", "here", "--overwrite"]) == 0
    assert cli.main(trial) == 0
    assert Path("here/story.txt").read_text() == Path("results/nct06337474-trial-0-3/story.txt").read_text()
    assert cli.main([*trial, "--out", "here"]) == 2
    assert "It is empty" not in capsys.readouterr().err


STUDY = '[grid]\n"follow_up.days" = [90, 180]\n'


def study_of(tmp_path: Path) -> Path:
    file = tmp_path / "study.toml"
    file.write_text(f"scenario = {json.dumps(str(BASE))}\ntrials = 2\n{STUDY}", encoding="utf-8")
    return file


def test_a_second_sweep_in_a_folder_says_so(tmp_path: Path) -> None:
    out, study = tmp_path / "out", study_of(tmp_path)
    with pytest.raises(OutputError, match=rf"another sweep is at work there \(process {os.getpid()} on this machine\)"):
        lock = Lock(out)
        try:
            escalate.sweep(study, out)
        finally:
            assert not out.exists()
            lock.close()
    escalate.sweep(study, out)
    assert {file.name for file in tmp_path.iterdir()} == {"out", "study.toml"}


def test_a_sweep_that_fails_lets_go(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="not a folder of a sweep"):
        escalate.sweep(study_of(tmp_path), tmp_path / "out")
    assert {file.name for file in tmp_path.iterdir()} == {"out", "study.toml"}


def test_the_lock_of_a_process_that_died_is_recognised(tmp_path: Path) -> None:
    lock, file = Lock(tmp_path / "out"), tmp_path / ".out.lock"
    mine = json.loads(file.read_text(encoding="utf-8"))
    lock.close()
    assert not file.exists()
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    dead = {**mine, "pid": int(done.stdout)}
    same_number = {**mine, "started": "1"}
    for stale in (dead, same_number):
        file.write_text(json.dumps(stale), encoding="utf-8")
        Lock(tmp_path / "out").close()
        assert not list(tmp_path.iterdir())
    for alive in ({**mine, "host": "elsewhere"}, {}, 3):
        file.write_text(json.dumps(alive), encoding="utf-8")
        with pytest.raises(OutputError, match=r"delete .*out\.lock"):
            Lock(tmp_path / "out")
        file.unlink()


class Numba:
    """What a cache of numba does, of one file."""

    def __init__(self, folder: Path) -> None:
        self.cache_path, self.fails = str(folder), False

    def load_overload(self, sig: str, _: object) -> object:
        file = Path(self.cache_path) / "days.step-1.nbi"
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None

    def save_overload(self, sig: str, data: object) -> None:
        if self.fails:
            raise OSError(28, "No space left on device")
        (Path(self.cache_path) / "days.step-1.nbi").write_text(json.dumps(data), encoding="utf-8")


@pytest.mark.parametrize("damage", [b"", b"[1", b"[1, 3]", b"\xff"])
def test_what_is_damaged_is_compiled_again(damage: bytes, tmp_path: Path) -> None:
    kept = Kept(Numba(tmp_path), "step")
    assert kept.load_overload("", None) is None
    kept.save_overload("", [1, 2])
    assert kept.load_overload("", None) == [1, 2]
    (tmp_path / "days.step-1.nbi").write_bytes(damage)
    with pytest.warns(RuntimeWarning, match="was damaged, and is compiled again: results are the same"):
        assert kept.load_overload("", None) is None
    assert not list(tmp_path.iterdir())
    kept.save_overload("", [1, 2])
    assert kept.load_overload("", None) == [1, 2]


def test_a_full_disk_is_a_caution(tmp_path: Path) -> None:
    numba = Numba(tmp_path)
    numba.fails = True
    with pytest.warns(RuntimeWarning, match=r"cannot be kept in .*No space left"):
        Kept(numba, "step").save_overload("", [1, 2])
    assert not list(tmp_path.iterdir())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        numba.fails = False
        Kept(numba, "step").save_overload("", [1, 2])


def test_numba_itself_is_given_such_a_cache() -> None:
    pytest.importorskip("numba")
    from escalate.kernel import compiled

    for step in vars(compiled.steps(is_plain=False)).values():
        assert isinstance(step._cache, Kept)


REAL_CACHE = """
import shutil, sys
from pathlib import Path
from escalate.cli import main
from escalate.kernel import compiled

folder = Path(compiled.steps(is_plain=False).store.stats.cache_path)
if sys.argv[1]:
    shutil.copytree(sys.argv[1], folder, dirs_exist_ok=True)
if sys.argv[2:]:
    (file,) = folder.glob("questions.store-*." + sys.argv[2])
    file.write_bytes(file.read_bytes()[:-100])
status = main(["run", "nct06337474", "--trials", "5000", "--no-files"])
if not sys.argv[2:]:  # nothing was compiled, and so nothing was read that compiling needs
    assert "numba.core" in sys.modules and "numba.np.arraymath" not in sys.modules
sys.exit(status)
"""


@pytest.mark.parametrize("ending", ["1.nbc", pytest.param("nbi", marks=pytest.mark.long)])
def test_a_real_cache_that_is_damaged_heals(ending: str, base: escalate.Scenario, tmp_path: Path) -> None:
    """Of a copy of what numba keeps, one file is cut off."""
    pytest.importorskip("numba")
    from escalate.kernel import compiled
    from escalate.kernel.engine import Engine
    from escalate.nature.draws import Nature

    if not compiled.is_compiled(is_plain=False):
        Engine(base, True).run(Nature(base, 1, 0, 10))
    kept = str(compiled.steps(is_plain=False).store.stats.cache_path)
    done = []
    for name, *how in (("whole", kept), ("damaged", kept, ending), ("damaged", "")):
        command, folder = [sys.executable, "-c", REAL_CACHE, *how], {"NUMBA_CACHE_DIR": str(tmp_path / name)}
        done.append(subprocess.run(command, capture_output=True, text=True, env={**os.environ, **folder}))
    assert [one.returncode for one in done] == [0, 0, 0]
    assert done[0].stdout == done[1].stdout == done[2].stdout
    assert [len(one.stderr.splitlines()) for one in done] == [0, 1, 0]
    assert done[1].stderr.startswith("escalate: caution: what was compiled and kept in ")
