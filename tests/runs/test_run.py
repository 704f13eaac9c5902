"""A run is read from its directory, while it goes on and afterwards, whatever is in it."""

from __future__ import annotations

import json
import math
import os
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from raymon import Run, RunError
from raymon.run_dir import Lease, RunLock
from raymon.runs.reading import sample
from raymon.runs.reading.piece import Piece
from raymon.runs.reading.rank_builder import RankBuilder
from raymon.runs.reading.rank_lines import rank_lines_of
from raymon.sinks import RankLines, WindowLines
from raymon.storage import to_json
from raymon.version import __version__
from tests.runs.written import (
    write_alert,
    write_checkpoint,
    write_evaluation,
    write_rank_lines,
    write_summary,
    write_windows,
)
from tests.sinks.snapshots import snapshot
from tests.storage.objects import Objects


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The directory of a run with some of everything."""
    run = tmp_path / "run"
    write_windows(run, 10, 20, 30)
    write_rank_lines(run, 10, 20, 30)
    write_alert(run, 20, "rank 1 is slow")
    write_alert(run, 30, "rank 1 is slow", is_over=True)
    write_checkpoint(run, 20, auc=0.7)
    write_checkpoint(run, 30, auc=0.8)
    write_evaluation(run, 20, metrics={"auc": 0.7}, metric_bounds={"auc": 1e-6})
    write_evaluation(run, 30, metrics={"auc": 0.8}, metric_bounds={"auc": 2e-6})
    attempts = [
        {"attempt": 1, "time": 1000.0, "world_size": 2, "step": 0, "end_step": 28,
         "failure": "rank 1 died"},
        {"attempt": 2, "time": 1025.0, "world_size": 2, "step": 20, "end_step": None},
    ]  # fmt: skip
    write_summary(run, best_checkpoint="/elsewhere/run/model.ckpt-30", attempts=attempts)
    return run


def test_a_number_is_in_the_column_of_its_path_in_the_line(path: Path) -> None:
    series = Run(path).series
    assert series.step.tolist() == [10, 20, 30]
    assert series.time.tolist() == [1010, 1020, 1030]
    assert series.column("losses.total_loss").tolist() == [0.52341] * 3
    assert series.column("learning_rates.0").tolist() == [0.001] * 3
    assert np.isnan(series.column("no.such")).all()
    assert "device_bytes" not in series.names


def test_only_a_change_makes_a_refresh_true_and_the_version_grow(path: Path) -> None:
    run = Run(path)
    assert len(run.series) == 3
    assert (run.refresh(), run.version) == (False, 1)
    before = run.series
    write_windows(path, 40)
    assert (run.refresh(), run.version) == (True, 2)
    assert (len(run.series), len(before)) == (4, 3)
    WindowLines(path).roll_back(20, 20)
    assert run.refresh()
    assert run.series.step.tolist() == [10, 20]
    write_summary(path, status="failed")
    assert run.refresh()
    assert run.status == "failed"
    assert (run.refresh(), run.version) == (False, 4)


def test_what_nobody_asked_for_is_not_read_but_its_change_is_seen(path: Path) -> None:
    run = Run(path)
    run.refresh()
    write_alert(path, 40, "again")
    assert run.refresh()
    assert not run._files.alerts.begun
    assert [alert.is_over for alert in run.alert_list] == [False, True, False]


def test_lines_of_ranks_and_alerts_that_are_taken_back_are_gone(path: Path) -> None:
    run = Run(path)
    assert [line.end_step for line in run.rank_lines] == [10, 20, 30]
    assert len(run.alert_list) == 2
    RankLines(path).roll_back(20, 20)
    alerts = path / "monitor" / "alerts.jsonl"
    alerts.write_bytes(alerts.read_bytes().splitlines(keepends=True)[0])
    assert run.refresh()
    assert [line.end_step for line in run.rank_lines] == [10, 20]
    assert len(run.alert_list) == 1
    write_rank_lines(path, 25)
    write_alert(path, 25, "later")
    assert run.refresh()
    assert [line.end_step for line in run.rank_lines] == [10, 20, 25]
    assert [alert.step for alert in run.alert_list] == [20, 25]


def test_columns_cannot_be_written_to(path: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        Run(path).series.step[0] = 1


def test_marks_say_what_happened_at_which_step_and_when(path: Path) -> None:
    marks = [(mark.step, mark.kind, mark.text) for mark in Run(path).marks]
    assert sorted(marks) == sorted(
        [
            (20, "roll_back", "attempt 2 began at step 20; steps 21 to 28 are rolled back, after: "
             "rank 1 died"),
            (20, "alert", "rank 1 is slow"),
            (30, "alert_over", "over: rank 1 is slow"),
            (20, "checkpoint", "checkpoint at step 20"),
            (30, "best", "best checkpoint at step 30"),
            (20, "evaluation", "evaluation: auc 0.70000"),
            (30, "evaluation", "evaluation: auc 0.80000"),
        ]
    )  # fmt: skip
    times = {mark.kind: mark.time for mark in Run(path).marks}
    assert (times["roll_back"], times["alert_over"]) == (1025.0, 1030.0)


def test_a_time_that_was_not_written_down_is_between_those_of_its_windows(tmp_path: Path) -> None:
    write_windows(tmp_path, 10, 20)
    scores = {"global_step": 15, "auc": 0.5}
    (tmp_path / "train_eval_result_v2.txt").write_text(json.dumps(scores) + "\n")
    (mark,) = Run(tmp_path).marks
    assert (mark.kind, mark.time) == ("evaluation", 1015.0)


def test_a_checkpoint_is_what_its_manifest_says(path: Path) -> None:
    (path / "model.ckpt-40").mkdir()
    run = Run(path)
    first, best, incomplete = run.checkpoints
    assert (first.step, first.metrics, first.size_bytes) == (20, {"auc": 0.7}, 12)
    assert [each.is_best for each in (first, best, incomplete)] == [False, True, False]
    assert [each.is_complete for each in (first, best, incomplete)] == [True, True, False]
    # The manifest is the commit, in a directory that was there before.
    (path / "model.ckpt-40" / "manifest.json").write_text('{"step": 40}')
    assert run.refresh()
    assert run.checkpoints[-1].is_complete
    shutil.rmtree(path / "model.ckpt-20")
    assert run.refresh()
    assert [each.step for each in run.checkpoints] == [30, 40]


def test_of_an_evaluation_the_last_line_of_its_step_counts(path: Path) -> None:
    scores = [{"global_step": step, "auc": auc} for step, auc in [(10, 0.5), (30, 0.1), (10, 0.6)]]
    lines = "".join(json.dumps(each) + "\n" for each in scores)
    (path / "train_eval_result_v2.txt").write_text(lines)
    write_evaluation(path, 20, metrics={"auc": 0.75})
    run = Run(path)
    assert [record["metrics"]["auc"] for record in run.evaluation_records] == [0.75, 0.8]
    series = run.evaluation_series
    assert series.step.tolist() == [10, 20, 30]
    assert series.column("metrics.auc").tolist() == [0.6, 0.75, 0.8]
    assert series.column("metric_bounds.auc")[2] == 2e-6


def test_tables_have_what_the_run_has(path: Path) -> None:
    run = Run(path)
    assert run.windows().column("global_step").to_pylist() == [10, 20, 30]
    assert run.evaluations().column("metrics.auc").to_pylist() == [0.7, 0.8]
    ranks = run.ranks().to_pydict()
    assert ranks["rank"] == [0, 1, 2] * 3
    assert ranks["global_step"] == [10] * 3 + [20] * 3 + [30] * 3
    assert ranks["forward"] == pytest.approx([0.0, 0.1, 0.2] * 3)
    assert run.alerts().column("is_over").to_pylist() == [False, True]
    assert run.checkpoint_table().column("metrics.auc").to_pylist() == [0.7, 0.8]
    assert run.windows().to_pandas()["losses.total_loss"].tolist() == [0.52341] * 3


def test_a_rank_without_a_number_has_null_in_the_table(tmp_path: Path) -> None:
    write_windows(tmp_path, 10)
    line = {"first_step": 0, "global_step": 10, "seconds": 1.0, "world_size": 2, "ranks": [0, 1],
            "rank_numbers": {"forward": [0.5, None]}}  # fmt: skip
    (tmp_path / "monitor" / "ranks.jsonl").write_text((json.dumps(line) + "\n") * 3)
    assert Run(tmp_path).ranks().column("forward").to_pylist() == [0.5, None] * 3


def test_tables_of_a_run_without_anything_are_empty(tmp_path: Path) -> None:
    write_summary(tmp_path)
    run = Run(tmp_path)
    tables = (run.windows(), run.evaluations(), run.alerts(), run.ranks(), run.checkpoint_table())
    assert [table.num_rows for table in tables] == [0] * 5
    assert (list(run.marks), list(run.attempts), run.config, run.config_text) == (
        [],
        [],
        None,
        None,
    )
    assert (run.log_files(), run.live, len(run.series)) == ([], None, 0)


@pytest.mark.parametrize("what", ["nothing", "a file", "other things", "an odd name"])
def test_what_is_no_run_is_refused_in_one_line(tmp_path: Path, what: str) -> None:
    directory = tmp_path / ("a\nb" if what == "an odd name" else "x")
    if what == "a file":
        directory.write_text("")
    elif what != "nothing":
        directory.mkdir()
        (directory / "notes.txt").write_text("")
    with pytest.raises(RunError, match=r"not the directory of a run|cannot be read"):
        Run(directory)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "\x00", '{"status": 3, "attempts": 7}', '{"attempts": [1, {}]}']
)
def test_a_summary_that_is_none_hides_nothing_else(path: Path, content: str) -> None:
    (path / "run.json").write_text(content)
    run = Run(path)
    assert len(run.series) == 3
    assert isinstance(run.status, str)
    assert run.attempts == []
    assert len(run.marks) == 6


def test_a_summary_that_is_being_written_is_the_one_before(path: Path) -> None:
    run = Run(path)
    assert run.status == "done"
    (path / "run.json").write_text('{"status": "fai')
    assert not run.refresh()
    assert run.status == "done"
    assert run.notes == ["run.json: it is half written, or no JSON object"]


def test_a_newer_version_is_shown_and_said(path: Path) -> None:
    write_summary(path, version="99.1.0rc1", colour="green")
    (path / "pipeline.config").write_text('model_dir: "x" colour: GREEN')
    run = Run(path)
    assert run.summary["colour"] == "green"
    assert run.notes == [
        f"the run is of raymon 99.1.0rc1, and this is {__version__}: a newer one shows more"
    ]
    assert run.config is None
    assert run.config_text == 'model_dir: "x" colour: GREEN'


@pytest.mark.parametrize("version", [__version__, "0.0.1", "", None, "main", []])
def test_a_version_that_is_not_newer_is_not_said(path: Path, version: object) -> None:
    write_summary(path, version=version)
    assert Run(path).notes == []


def test_a_run_that_is_deleted_is_gone_and_stays_as_it_was_read(path: Path) -> None:
    run = Run(path)
    assert len(run.series) == 3
    shutil.rmtree(path)
    assert run.refresh()
    assert run.is_gone
    assert not run.refresh()
    assert len(run.series) == 3
    assert run.notes[0] == "the directory is gone"
    assert run.rank_lines == ()
    write_windows(path, 10)
    assert run.refresh()
    assert (run.is_gone, len(run.series)) == (False, 1)


def test_a_file_that_cannot_be_read_is_noted(path: Path) -> None:
    # Permissions do not keep root from reading; a directory in place of a file does.
    for name in ("windows.jsonl", "alerts.jsonl"):
        (path / "monitor" / name).unlink()
        (path / "monitor" / name).mkdir()
    run = Run(path)
    assert (len(run.series), list(run.alert_list)) == (0, [])
    assert run.notes == [
        "monitor/windows.jsonl: Is a directory",
        "monitor/alerts.jsonl: Is a directory",
    ]
    assert len(run.rank_lines) == 3
    assert len(Run(path, quick=True).series) == 0
    assert run.is_whole


@pytest.mark.parametrize("name", ["a\nb", "\udcff", "<b>", "-x", "é 1", "a'\"$(x)"])
def test_a_directory_may_have_any_name(tmp_path: Path, name: str) -> None:
    run = tmp_path / name
    write_windows(run, 10)
    write_checkpoint(run, 10, auc=0.5)
    read = Run(run)
    assert (read.name, len(read.series)) == (name, 1)
    assert read.checkpoint_table().num_rows == 1


def test_a_run_whose_process_is_gone_was_killed(path: Path) -> None:
    write_summary(path, status="running")
    assert Run(path).status == "killed"
    with RunLock(path):
        run = Run(path)
        assert run.status == "running"
        (path / "monitor" / "live.json").write_text('{"step": 7}')
        assert run.refresh()
        assert run.live == {"step": 7}
    assert run.refresh()
    assert (run.status, run.live) == ("killed", None)


def other_lease(path: Path, **changes: object) -> Lease:
    """Writes the lease of a process that this one cannot see."""
    lease = Lease(kernel="elsewhere", **changes)
    (path / "run.lock").write_bytes(lease.to_bytes())
    return lease


def test_a_run_elsewhere_was_killed_when_it_has_given_no_sign_of_life(path: Path) -> None:
    write_summary(path, status="running")
    other_lease(path)
    run = Run(path)
    assert run.status == "running"
    os.utime(path / "run.lock", (1000, 1000))
    assert run.refresh()
    assert run.status == "killed"
    other_lease(path, beat=1)
    assert run.refresh()
    assert run.status == "running"


def test_a_process_that_is_here_lives_however_long_it_is_silent(path: Path) -> None:
    write_summary(path, status="running")
    (path / "run.lock").write_bytes(Lease().to_bytes())
    os.utime(path / "run.lock", (1000, 1000))
    assert Run(path).status == "running"


def test_a_run_on_ray_without_a_lease_lives_while_its_summary_does(path: Path) -> None:
    write_summary(path, status="running", updated=time.time())
    assert Run(path).status == "running"
    write_summary(path, status="running", updated=time.time() - 1000)
    assert Run(path).status == "killed"


def large(path: Path, count: int) -> None:
    """Writes windows that take 2 kB each."""
    with (path / "monitor" / "windows.jsonl").open("w") as file:
        for step in range(1, count + 1):
            record = {"global_step": step, "time": 1000.0 + step, "losses": {"a": 1 / step}}
            file.write(to_json({**record, "text": "x" * 2000}) + "\n")


def test_a_large_file_is_seen_at_once_and_then_read_as_a_whole(path: Path) -> None:
    large(path, 4000)
    run = Run(path, quick=True)
    first = run.series
    assert 900 < len(first) < 1100
    assert (first.step[0], first.step[-1]) == (1, 4000)
    assert (np.diff(first.step) >= 1).all()
    np.testing.assert_array_equal(first.column("losses.a"), 1 / first.step)
    refreshes = 0
    while not run.is_whole:
        run.refresh()
        refreshes += 1
        assert refreshes < 1000
    assert run.series.step.tolist() == list(range(1, 4001))
    assert run.version > 1


def test_a_long_line_in_a_large_file_is_passed_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large(path, 100)
    windows = path / "monitor" / "windows.jsonl"
    with windows.open("ab") as file:
        file.write(b"z" * 5_000_000 + b"\n" + to_json({"global_step": 101}).encode() + b"\n")
    read, pread = list[int](), os.pread

    def counted(file: int, size: int, place: int) -> bytes:
        data = pread(file, size, place)
        read.append(len(data))
        return data

    monkeypatch.setattr(os, "pread", counted)
    run = Run(path, quick=True)
    assert not run.is_whole or run.series.step[-1] == 101
    assert run.series.step[-1] == 101
    assert sum(read) < 4 * windows.stat().st_size


def test_of_names_without_end_the_first_are_columns(path: Path) -> None:
    with (path / "monitor" / "windows.jsonl").open("w") as file:
        for step in range(1, 10):
            losses = {f"{step}_{place}": 1.0 for place in range(1000)}
            file.write(to_json({"global_step": step, "losses": losses}) + "\n")
    series = Run(path).series
    assert len(series) == 9
    assert len(series.names) == 5000
    assert series.step.tolist() == list(range(1, 10))


@pytest.mark.parametrize("count", [1, 20])
def test_a_name_as_long_as_a_book_is_no_column(path: Path, count: int) -> None:
    line = to_json({"global_step": 1, "losses": {"n" * 1001: 1.0, "n" * 900: 2.0}}) + "\n"
    (path / "monitor" / "windows.jsonl").write_text(line * count)
    assert set(Run(path).series.names) == {"global_step", "losses." + "n" * 900}


def test_a_rank_that_no_table_holds_is_none(path: Path) -> None:
    ranks = path / "monitor" / "ranks.jsonl"
    before = len(Run(path).rank_lines)
    line = json.loads(ranks.read_text().splitlines()[0])
    with ranks.open("a") as file:
        for rank in (10**30, -(10**30)):
            file.write(to_json({**line, "ranks": [rank, *line["ranks"][1:]]}) + "\n")
        file.write(to_json({**line, "global_step": 10**30}) + "\n")
    run = Run(path)
    assert len(run.rank_lines) == before
    assert run.ranks().num_rows == 3 * before


def test_what_is_no_file_is_noted_and_not_waited_for(path: Path) -> None:
    for name in ("windows.jsonl", "ranks.jsonl", "alerts.jsonl", "evaluations.jsonl", "live.json"):
        (path / "monitor" / name).unlink(missing_ok=True)
        os.mkfifo(path / "monitor" / name)
    for name in ("pipeline.config", "devices.json"):
        (path / name).unlink(missing_ok=True)
        os.mkfifo(path / name)
    for checkpoint in path.glob("model.ckpt-*"):
        (checkpoint / "manifest.json").unlink()
        os.mkfifo(checkpoint / "manifest.json")
    run = Run(path)
    assert (len(run.series), len(run.rank_lines), len(run.alert_list)) == (0, 0, 0)
    assert (len(run.evaluation_records), len(run.checkpoints)) == (0, 0)
    assert run.config_text is None
    assert sum("it is no file" in note for note in run.notes) == 6
    with pytest.raises(RunError, match="it is no file"):
        run.verdict()


def test_the_newest_windows_are_known_without_the_others(path: Path) -> None:
    large(path, 300)
    run = Run(path)
    assert run.newest_windows(3).step.tolist() == [298, 299, 300]
    assert not run._files.windows.begun
    assert len(run.series) == 300
    assert run.newest_windows(3).step.tolist() == [298, 299, 300]


def test_a_run_on_object_storage_is_read_like_one_on_a_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = Objects()
    target = objects.path("run")
    for file in path.rglob("*"):
        if file.is_file():
            objects.objects[f"bucket/run/{file.relative_to(path)}"] = file.read_bytes()
    for name in ("windows", "ranks"):
        key = f"bucket/run/monitor/{name}.jsonl"
        objects.objects[f"{key}/part-0000000001-000000000"] = objects.objects.pop(key)
    run, local = Run(target), Run(path)
    assert run.series.names == local.series.names
    assert sorted(m.text for m in run.marks) == sorted(m.text for m in local.marks)
    assert [len(each.numbers.ranks) for each in run.rank_lines] == [3, 3, 3]
    assert not run.refresh()
    WindowLines(target).roll_back(20, 20)
    write = WindowLines(target)
    write.write(snapshot(25, time=1025.0))
    write.close()
    assert run.refresh()
    assert run.series.step.tolist() == [10, 20, 25]
    monkeypatch.setattr(sample, "_SMALL_BYTES", 100)
    quick = Run(target, quick=True)
    assert quick.series.step[-1] == 25
    objects.fails = lambda kind: (_ for _ in ()).throw(OSError("503 SlowDown"))
    assert not run.refresh()
    assert len(run.series) == 3
    assert not run.is_gone
    assert run.notes == ["mem://bucket/run: cannot be read: 503 SlowDown"]


def test_threads_that_read_while_another_refreshes_see_whole_columns(path: Path) -> None:
    run, over, wrong = Run(path), threading.Event(), []
    assert len(run.series) == 3

    def read() -> None:
        while not over.is_set():
            series = run.series
            lengths = {len(series), *(len(series.column(name)) for name in series.names)}
            if len(lengths) != 1 or (series.time != 1000 + series.step).any():
                wrong.append(lengths)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for step in range(40, 1040, 10):
        write_windows(path, step)
        if step % 200 == 0:
            WindowLines(path).roll_back(step // 2, 0)
        run.refresh()
    over.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_of_many_rank_lines_the_newest_are_whole_and_older_ones_thinned(tmp_path: Path) -> None:
    write_rank_lines(tmp_path, *range(10, 4010, 10))
    data = (tmp_path / "monitor" / "ranks.jsonl").read_bytes()
    a_line = 3 * 2 * 4
    builder = RankBuilder(most_bytes=100 * a_line)
    builder.take(Piece(0, data, data.count(b"\n")))
    steps = [line.end_step for line in builder.value()]
    assert 50 <= len(steps) <= 100
    assert steps[-40:] == list(range(4010 - 400, 4010, 10))
    assert steps == sorted(steps)
    gaps = np.diff(steps)
    assert (np.diff(gaps) <= 0).all()


def test_rank_lines_are_read_alike_one_by_one_and_together(tmp_path: Path) -> None:
    write_rank_lines(tmp_path, 10, 20, 30)
    good = (tmp_path / "monitor" / "ranks.jsonl").read_bytes()
    together = [line for _, line in rank_lines_of(good, 3)]
    apart = [line for _, line in rank_lines_of(good + b"{\n", 4)]
    for one, other in zip(together, apart, strict=True):
        assert one.numbers.names == other.numbers.names
        assert one.numbers.ranks == other.numbers.ranks
        np.testing.assert_array_equal(one.numbers.values, other.numbers.values)
        assert one.end_step == other.end_step
        assert math.isclose(one.time, other.time)


def test_nothing_is_written_and_nothing_stays_open(path: Path) -> None:
    def state() -> dict[str, tuple[int, int]]:
        found = {str(file): file.stat() for file in path.rglob("*")}
        return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in found.items()}

    before, files = state(), len(os.listdir("/proc/self/fd"))
    run = Run(path)
    for part in (run.series, run.rank_lines, run.alert_list, run.checkpoints, run.marks):
        assert len(part) > 0
    run.verdict()
    run.refresh()
    assert state() == before
    assert len(os.listdir("/proc/self/fd")) == files
