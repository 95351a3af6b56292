"""Sweeps: the same bytes from anybody, however often they are interrupted; and what is refused."""

from __future__ import annotations

import errno
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from escalate import EscalateError, Scenario, plot_sweep, rule, simulate, summary, sweep
from escalate.cli import main
from escalate.errors import OutputError, RuleError, WorkersError
from escalate.files import write_whole
from escalate.results.estimates import ESTIMATES, estimated
from escalate.results.tally import tally
from escalate.studies import parts, sweeps
from escalate.studies.crew import workers
from escalate.studies.study import Study, make_study
from escalate.studies.workers import Processes

SCENARIO = ROOT / "scenarios" / "nct06337474.toml"
TEXT = f"""
scenario = "{SCENARIO.as_posix()}"
trials = 24
[grid]
"accrual.consents_per_month" = [0.5, 2.0]
[[zip]]
"follow_up.days" = [90, 180]
"screening.days" = [7, 14]
"""
FINAL = ("sweep.csv", "provenance.json", "study.json", "resolved.json")
HAS_DASK = find_spec("distributed") is not None


@pytest.fixture(scope="module")
def study(base: Scenario) -> Study:
    """A study of four points."""
    return make_study(
        base,
        {"accrual.consents_per_month": [0.5, 2.0]},
        [{"follow_up.days": [90, 180], "screening.days": [7, 14]}],
        trials=24,
    )


@pytest.fixture(scope="module")
def whole(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of that study, done at one go."""
    out = tmp_path_factory.mktemp("sweep") / "whole"
    sweep(study, out, chunk=10)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def final(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in contents(folder).items() if "/" not in name}


def write_by(write: Callable[[Path, bytes], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let something else write the files of a sweep."""
    for module in (parts, sweeps):
        monkeypatch.setattr(module, "write_whole", write)


def test_every_point_has_the_characteristics_of_its_scenario(study: Study) -> None:
    found = sweep(study, chunk=7)
    for point, estimates in zip(study.points, found.estimates, strict=True):
        assert estimates == estimated(tally(simulate(point.scenario, trials=24))).estimates
    assert found.get(4, "recommended", 2) == found.estimates[3][1]
    with pytest.raises(KeyError, match=r"no estimate of 'duratio'; did you mean 'duration'"):
        found.get(1, "duratio")


def test_the_table_is_tidy(study: Study, whole: Path) -> None:
    table = sweep(study).table
    keys = ("accrual.consents_per_month", "follow_up.days", "screening.days")
    assert table.names == ("point", *keys, *ESTIMATES.names)
    assert (whole / "sweep.csv").read_text() == table.to_csv()
    row = next(row for row in table if row["point"] == 2 and row["measure"] == "duration")
    assert [row[key] for key in keys] == [0.5, 180, 14]
    assert (row["trials"], row["unit"]) == (24, "days")
    assert row["mc_se"] > 0
    assert "4 points, 24 simulated trials at each" in summary(sweep(study))


def test_what_is_beside_the_results(study: Study, whole: Path) -> None:
    assert set(FINAL) <= set(final(whole))
    made = json.loads((whole / "provenance.json").read_text())
    assert (made["points"], made["trials"], made["seed"], made["first_replicate"]) == (4, 24, 1, 0)
    assert made["study_sha256"] == study.fingerprint()
    assert made["scenario_sha256"] == study.scenario.fingerprint()
    assert {"escalate", "python", "numpy", "simpy", "code_sha256"} <= set(made)
    assert not list(whole.rglob(".*"))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_any_number_of_workers_gives_the_same_bytes(study: Study, whole: Path, tmp_path: Path, count: int) -> None:
    with workers(count) as executor:
        sweep(study, tmp_path / "out", executor=executor, chunk=10)
    assert contents(tmp_path / "out") == contents(whole)


@pytest.mark.parametrize("size", [1, 24, 1000])
def test_any_size_of_chunks_gives_the_same_results(study: Study, whole: Path, tmp_path: Path, size: int) -> None:
    sweep(study, tmp_path / "out", chunk=size)
    assert final(tmp_path / "out") == final(whole)


def test_interrupted_at_any_file_it_goes_on(
    study: Study, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, done = write_whole, len([name for name in contents(whole) if name not in FINAL]) + 2
    for allowed in range(done):
        written = iter(range(allowed))

        def interrupted(path: Path, data: bytes, written: Iterator[int] = written) -> None:
            if next(written, None) is None:
                raise KeyboardInterrupt
            write(path, data)

        out = tmp_path / str(allowed)
        write_by(interrupted, monkeypatch)
        with pytest.raises(KeyboardInterrupt):
            sweep(study, out, chunk=10)
        write_by(write, monkeypatch)
        before = {name: (out / name).stat().st_mtime_ns for name in contents(out)}
        sweep(study, out, chunk=10)
        assert contents(out) == contents(whole), allowed
        kept = {name: time for name, time in before.items() if name.startswith("chunks/")}
        assert len(kept) == min(allowed, 12)
        assert {name: (out / name).stat().st_mtime_ns for name in kept} == kept


def test_a_file_is_the_old_one_until_the_new_one_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_whole(tmp_path / "file", b"old")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="the disk is full; free some space or choose another --out"):
        write_whole(tmp_path / "file", b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"old"}


@pytest.mark.parametrize("damage", ["cut", "changed", "emptied", "another one", "lost", "of another study"])
def test_a_chunk_that_is_not_as_it_was_written_is_computed_again(
    study: Study, whole: Path, tmp_path: Path, damage: str
) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    one, other, *_ = sorted((out / "chunks").iterdir())
    data = one.read_bytes()
    if damage == "cut":
        one.write_bytes(data[:-20])
    elif damage == "changed":
        one.write_bytes(data.replace(b'"trials":10', b'"trials":11'))
        assert one.read_bytes() != data
    elif damage == "emptied":
        one.write_bytes(b"")
    elif damage == "another one":
        one.write_bytes(other.read_bytes())
    elif damage == "lost":
        one.unlink()
    else:
        seeded = Study(study.scenario, study.axes, study.points, study.trials, 2)
        sweep(seeded, tmp_path / "seeded", chunk=10)
        one.write_bytes((tmp_path / "seeded" / "chunks" / one.name).read_bytes())
        assert one.read_bytes() != data
    sweep(study, out, chunk=10)
    assert contents(out) == contents(whole)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"trials": 23}, "trials differ"),
        ({"seed": 2}, "seed differ"),
        ({"grid": {"follow_up.days": [90]}}, "grid, points differ"),
        ({"scenario": {"safety.review_delay_days": 6}}, "scenario, points differ"),
    ],
)
def test_another_study_is_refused(study: Study, whole: Path, change: dict[str, Any], says: str) -> None:
    grid = {"accrual.consents_per_month": [0.5, 2.0]}
    zipped = [{"follow_up.days": [90, 180], "screening.days": [7, 14]}] if "grid" not in change else []
    other = make_study(
        study.scenario.replace(change.get("scenario", {"ranges": study.scenario.ranges})),
        change.get("grid", grid),
        zipped,
        trials=change.get("trials", 24),
        seed=change.get("seed", 1),
    )
    before = contents(whole)
    with pytest.raises(OutputError, match=f"holds the results of another study: {says}. Results are not mixed"):
        sweep(other, whole)
    assert contents(whole) == before


def test_another_version_is_refused(study: Study, whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("escalate.studies.workers.code_fingerprint", lambda: "0" * 64)
    with pytest.raises(OutputError, match="another study: code of escalate differ"):
        sweep(study, whole)


def test_a_folder_of_something_else_is_refused(study: Study, tmp_path: Path) -> None:
    (tmp_path / "chapter.txt").write_text("years of work")
    with pytest.raises(OutputError, match=r"is not a folder of a sweep \(it holds no study.json\)"):
        sweep(study, tmp_path)
    with pytest.raises(OutputError, match=r"these results are a folder of several files; name one without \.txt"):
        sweep(study, tmp_path / "chapter.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["chapter.txt"]
    (tmp_path / "chapter").write_text("years of work")
    with pytest.raises(OutputError, match="is not a folder of a sweep"):
        sweep(study, tmp_path / "chapter")
    (tmp_path / "empty").mkdir()
    sweep(study, tmp_path / "empty")
    assert (tmp_path / "empty" / "sweep.csv").exists()


def test_a_part_that_fails_says_which(base: Scenario) -> None:
    @rule(target=0.25)
    def fails_after_a_dlt(known: Any) -> str:
        if known.y:
            raise ZeroDivisionError("of nothing")
        return "escalate"

    own = base.replace({"rule": {"python": "fails_after_a_dlt"}, "safety.early_decision": False})
    study = make_study(own, {"toxicity.dlt_probability": [[0.0, 0.0], [0.9, 0.9]]}, trials=20)
    says = r"point 2 \(toxicity.dlt_probability = \[0.9, 0.9\]\), seed 1, trials 10 to 19: .*: raised ZeroDivisionError"
    found = sweeps.sweep(make_study(own, {"toxicity.dlt_probability": [[0.0, 0.0]]}, trials=5))
    assert found.get(1, "recommended", 2).estimate == 1
    with pytest.raises(RuleError, match=says.replace("10 to 19", "0 to 9")):
        sweep(study, chunk=10)
    with Processes(1) as executor, pytest.raises(WorkersError, match="in this process alone"):
        sweep(study, executor=executor)


def test_a_rule_that_is_written_anew_is_asked_anew(base: Scenario) -> None:
    study = make_study(base, {"follow_up.days": [90]}, trials=20)
    found = []
    for answer in ("escalate", "stop"):

        @rule(target=0.25)
        def changes(known: Any, answer: str = answer) -> str:
            return answer

        own = make_study(base.replace({"rule": {"python": "changes"}}), {"follow_up.days": [90]}, trials=20)
        found.append(sweep(own).get(1, "infused", 2).estimate)
    assert found[0] > 0
    assert found[1] == 0
    assert study.points[0].number == 1


def test_chunks_have_at_least_one_trial(study: Study) -> None:
    with pytest.raises(ValueError, match="chunk must be at least 1, got 0"):
        sweep(study, chunk=0)


def test_parquet_holds_what_the_csv_holds(study: Study) -> None:
    pytest.importorskip("pyarrow", reason="needs the extra `parquet`")
    import io

    import pyarrow.parquet

    table = sweep(study).table
    read = pyarrow.parquet.read_table(io.BytesIO(sweeps.to_parquet(table)))
    assert tuple(read.column_names) == table.names
    assert read["estimate"].to_pylist() == table["estimate"]
    assert read["level"].to_pylist() == [None if level is None else str(level) for level in table["level"]]
    assert sweeps.to_parquet(table) == sweeps.to_parquet(table)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(TEXT)
    assert main(["sweep", "small.toml"]) == 0
    out = tmp_path / "results" / "small"
    assert "4 points, 24 simulated trials at each" in capsys.readouterr().out
    assert (out / "sweep.png").read_bytes().startswith(b"\x89PNG")
    before = contents(out)
    assert main(["sweep", "small.toml"]) == 0
    assert contents(out) == before
    assert main(["sweep", "small.toml", "--x", "follow_up.days", "--measure", "recommended", "--level", "2"]) == 0
    beside = "sweep-recommended-level-2-x-follow_up.days"
    after = contents(out)
    assert after.keys() - before.keys() == {f"{beside}.png", f"{beside}.svg"}
    assert {name: after[name] for name in before} == before
    assert after[f"{beside}.png"] != before["sweep.png"]
    capsys.readouterr()
    assert main(["sweep", "small.toml", "--x", "follow_up.day"]) == 2
    assert "has no axis 'follow_up.day'; its axes are" in capsys.readouterr().err
    assert main(["sweep", "small.toml", "--measure", "duratio"]) == 2
    assert "there is no measure 'duratio'" in capsys.readouterr().err
    Path("small.toml").write_text(TEXT.replace("trials = 24", "trials = 25"))
    assert main(["sweep", "small.toml"]) == 2
    assert "holds the results of another study: trials differ" in capsys.readouterr().err


def test_ctrl_c_says_that_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "small.toml").write_text(TEXT)
    write_by(interrupted, monkeypatch)
    assert main(["sweep", str(tmp_path / "small.toml"), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err == (
        "escalate: interrupted; what is done is kept, and the same command goes on from there\n"
    )


def test_the_figure_shows_the_estimates(study: Study) -> None:
    found = sweep(study)
    axes = plot_sweep(found, measure="duration")
    lines = [container.lines[0] for container in axes.containers]
    assert [line.get_xdata().tolist() for line in lines] == [[0.5, 2.0], [0.5, 2.0]]
    assert [line.get_ydata().tolist() for line in lines] == [
        [found.get(number, "duration").estimate for number in numbers] for numbers in ((1, 3), (2, 4))
    ]
    legend = axes.get_legend()
    assert legend is not None
    assert legend.get_title().get_text() == "follow-up [days]"
    assert [text.get_text() for text in legend.get_texts()] == ["90", "180"]
    low, high = axes.get_ylim()
    ends = [end for e in found.estimates for e in e if e.measure == "duration" for end in (e.low, e.high)]
    assert all(end is not None and low <= end <= high for end in ends)
    held = plot_sweep(found, x="screening.days", hue="accrual.consents_per_month")
    assert held.get_xlabel() == "screening [days]"
    assert held.get_ylim()[0] == 0
    with pytest.raises(EscalateError, match="there is no measure 'duration' at level 1"):
        plot_sweep(found, measure="duration", level=1)


def test_axes_that_are_not_drawn_are_held(base: Scenario) -> None:
    grid = {"accrual.consents_per_month": [0.5, 2.0], "screening.days": [7, 14], "follow_up.days": [90, 180]}
    found = sweep(make_study(base, grid, trials=5))
    first = plot_sweep(found, measure="duration")
    assert first.containers[0].lines[0].get_ydata().tolist() == [found.get(n, "duration").estimate for n in (1, 5)]
    second = plot_sweep(found, measure="duration", at={"follow_up.days": 180})
    assert second.containers[0].lines[0].get_ydata().tolist() == [found.get(n, "duration").estimate for n in (2, 6)]
    assert any("follow-up 180 days" in text.get_text() for text in second.texts)
    with pytest.raises(EscalateError, match=r"the sweep has no points at follow_up\.days = 91; it has:"):
        plot_sweep(found, at={"follow_up.days": 91})


DRIVER = f"""
import sys
from escalate.kernel import compiled
from escalate import load, sweep
from escalate.files import write_whole
from escalate.studies.study import make_study
from escalate.studies.crew import workers
compiled.is_worth = lambda *_: False
if __name__ == "__main__":
    points, trials, chunk, count = map(int, sys.argv[2:6])
    scenario = load({str(SCENARIO)!r})
    grid = {{"accrual.consents_per_month": [0.5 + k / 10 for k in range(points)]}}
    with workers(count or None, sys.argv[6] if len(sys.argv) > 6 else None) as executor:
        sweep(make_study(scenario, grid, trials=trials), sys.argv[1], executor=executor, chunk=chunk)
"""


def begin(folder: Path, out: str, *numbers: object) -> subprocess.Popen[bytes]:
    """Begin a sweep in a process of its own: points, trials, chunk, workers, address."""
    (folder / "driver.py").write_text(DRIVER)
    with (folder / "driver.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "driver.py", out, *map(str, numbers)], cwd=folder, stderr=log)


def done_at_one_go(folder: Path, *numbers: object) -> dict[str, bytes]:
    assert begin(folder, "whole", *numbers).wait() == 0
    return contents(folder / "whole")


def chunks_in(folder: Path) -> int:
    return len(list((folder / "chunks").glob("*.json"))) if (folder / "chunks").exists() else 0


def kill_while_it_runs(folder: Path, kills: int, seed: int, chunks: int, *numbers: object) -> list[int]:
    """Kill a sweep so often, at random moments of all of its work; return the chunks that were there after each."""
    chance, progress = random.Random(seed), []
    for reached in sorted(chance.randrange(chunks * 9 // 10) for _ in range(kills)):
        process = begin(folder, "killed", *numbers)
        if chunks_in(folder / "killed") > reached:  # while it begins, then
            time.sleep(chance.uniform(0, 1))
        while process.poll() is None and chunks_in(folder / "killed") <= reached:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.01))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it was done before it was killed"
        progress.append(chunks_in(folder / "killed"))
    assert begin(folder, "killed", *numbers).wait() == 0
    return progress


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_killed_and_gone_on_with(tmp_path: Path) -> None:
    numbers = (4, 200, 2, 0)
    whole = done_at_one_go(tmp_path, *numbers)
    kill_while_it_runs(tmp_path, 2, 5, len(whole) - len(FINAL), *numbers)
    assert contents(tmp_path / "killed") == whole


@pytest.mark.long
def test_killed_20_times_and_gone_on_with(tmp_path: Path) -> None:
    numbers = (10, 600, 10, 2)
    whole = done_at_one_go(tmp_path, *numbers)
    progress = kill_while_it_runs(tmp_path, 20, 1, len(whole) - len(FINAL), *numbers)
    print(f"\nchunks of {len(whole) - len(FINAL)} after each kill: {progress}")
    assert contents(tmp_path / "killed") == whole


@pytest.mark.long
@pytest.mark.skipif(not HAS_DASK, reason="needs the extra `dask`")
def test_a_dask_cluster_gives_the_same_bytes_also_if_a_worker_is_killed(tmp_path: Path) -> None:
    from dask_cluster import cluster, worker

    numbers = (4, 1000, 10)
    whole = done_at_one_go(tmp_path, *numbers, 0)
    with cluster(tmp_path / "cluster") as (address, others):
        assert begin(tmp_path, "dask", *numbers, 0, address).wait() == 0
        assert contents(tmp_path / "dask") == whole
        process = begin(tmp_path, "killed", *numbers, 0, address)
        while chunks_in(tmp_path / "killed") < 150:
            assert process.poll() is None
            time.sleep(0.005)
        others[0].kill()
        print(f"\na worker killed after {chunks_in(tmp_path / 'killed')} of 400 chunks")
        assert process.wait() == 0
        assert contents(tmp_path / "killed") == whole
        process = begin(tmp_path, "all", *numbers, 0, address)
        while chunks_in(tmp_path / "all") < 100:
            assert process.poll() is None
            time.sleep(0.005)
        others[1].kill()  # the last one
        others.append(worker(tmp_path / "cluster"))
        assert process.wait() == 0
        assert contents(tmp_path / "all") == whole


@pytest.mark.long
@pytest.mark.skipif(not HAS_DASK, reason="needs the extra `dask`")
def test_dask_clusters_that_cannot_do_the_work(tmp_path: Path) -> None:
    import socket

    from dask_cluster import end, scheduler
    from dask_cluster import worker as start_worker

    def refused(address: str, says: str) -> None:
        began = time.monotonic()
        with pytest.raises(WorkersError, match=says), workers(address=address):
            pass
        assert time.monotonic() - began < 30

    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        refused(f"tcp://127.0.0.1:{port}", "no Dask scheduler answers at")
    refused(f"tcp://127.0.0.1:{port}", "no Dask scheduler answers at .*start one with `dask scheduler`")
    refused("nonsense", r"no Dask scheduler answers at 'nonsense' \(missing port number")
    (tmp_path / "none" / "escalate").mkdir(parents=True)
    (tmp_path / "none" / "escalate" / "__init__.py").write_text("raise ImportError('no escalate here')")
    shutil.copytree(Path(sweeps.__file__).parents[1], tmp_path / "other" / "escalate")
    with (tmp_path / "other" / "escalate" / "errors.py").open("a") as file:
        file.write("# another version\n")
    first, address = scheduler(tmp_path)
    processes = [first]
    try:
        refused(address, f"the Dask scheduler at {address} has no workers; start some with `dask worker {address}`")
        for path in ("none", "other"):
            processes.append(start_worker(tmp_path, PYTHONPATH=str(tmp_path / path)))
        from distributed import Client

        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=30)
            own = next(iter(client.scheduler_info()["workers"]))
        refused(own, r"no Dask scheduler answers at .*it is the address of a worker")
        refused(address, r"could not do the work; install the same escalate")
        refused(address, r"cannot import escalate \(no escalate here\)")
        refused(address, r"has another escalate")
    finally:
        end(processes)
