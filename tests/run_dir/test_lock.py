"""One run at a time writes to a directory."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import raymon
from raymon.errors import RunError
from raymon.run_dir import lock as run_lock
from raymon.run_dir.lease import LOCK, Lease, read_lease
from raymon.run_dir.lock import RunLock
from raymon.storage import StoragePath
from tests.installed import installed_python
from tests.storage.objects import Objects

HOLDER = """
import os, sys
from pathlib import Path
from raymon.run_dir.lock import RunLock
lock = RunLock(Path(sys.argv[1]))
if os.fork() == 0:
    sys.stdin.read()  # it lives longer than the one that has the lock
    os._exit(0)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_lock, "_SETTLE_S", 0.0)
    monkeypatch.setattr(run_lock, "_LOOK_S", 0.0)
    monkeypatch.setattr(run_lock, "_WATCH_S", 0.2)
    # Signs of life are given by hand.
    monkeypatch.setattr(run_lock, "_BEAT_S", 3600.0)


@contextmanager
def held(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Yields a process, with a child, that has a directory."""
    process = subprocess.Popen(
        [installed_python(), "-c", HOLDER, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def content(directory: Path) -> dict[str, tuple[int, str]]:
    # The one that holds the directory may give a sign of life meanwhile.
    files = (path for path in directory.rglob("*") if path.is_file() and path.name != LOCK)
    return {
        str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in files
    }


def write(directory: StoragePath, lease: Lease) -> None:
    (directory / LOCK).write_bytes(lease.to_bytes())


@pytest.mark.parametrize("workers", [0, 2])
def test_a_second_run_is_refused_and_changes_nothing(
    config_file: Path, tmp_path: Path, workers: int
) -> None:
    run = tmp_path / "run"
    chosen = {"model_dir": run, "ray_config.num_workers": workers, "train_config.num_steps": 10}
    with held(run) as holder:
        before = content(run)
        with pytest.raises(RunError) as caught:
            raymon.train(config_file, chosen)
        assert f"{run}: another run is writing to it (process {holder.pid} on " in str(caught.value)
        assert "\n" not in str(caught.value)
        with pytest.raises(RunError, match="another run is writing"):
            raymon.train(config_file, chosen, resume=True)
        with pytest.raises(RunError, match="another run is writing"):
            raymon.Monitor(model_dir=run)
        assert content(run) == before
        lease = read_lease(run)
        assert lease is not None
        assert lease.process == holder.pid
        if workers == 0:
            holder.send_signal(signal.SIGKILL)
            holder.wait()
            # Its child still exists; and nothing has to be cleared away by hand.
            assert raymon.train(config_file, chosen).status == "done"
            assert not (run / LOCK).exists()


def test_a_directory_is_free_again_when_it_is_released(tmp_path: Path) -> None:
    run = tmp_path / "new" / "run"
    first = RunLock(run)
    with pytest.raises(RunError, match=f"process {os.getpid()} on"):
        RunLock(run)
    first.release()
    first.release()
    # Of a run that wrote nothing there is nothing left.
    assert list(tmp_path.iterdir()) == []
    with RunLock(run):
        (run / "run.json").touch()
    assert [path.name for path in run.iterdir()] == ["run.json"]


def test_a_run_that_cannot_begin_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(RunError, match="cannot be written: No space left on device"):
            RunLock(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["here", "objects"])
def test_a_run_of_another_machine_goes_on_while_it_gives_signs_of_life(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "raymon")
    directory: StoragePath = tmp_path if where == "here" else Objects().path()
    other = Lease(host="far", kernel="another")
    write(directory, other)
    with monkeypatch.context() as patch:
        patch.setattr(run_lock.time, "sleep", lambda s: write(directory, other.next_beat()))
        with pytest.raises(RunError, match=r"another run is writing to it .*on far"):
            RunLock(directory)
    assert read_lease(directory) == other.next_beat()
    with RunLock(directory) as lock:
        assert "has not said that it is over" in caplog.text
        assert read_lease(directory) != other
        lock._beat()
        assert not lock._lost
    assert read_lease(directory) is None


def test_what_is_no_lease_is_none(tmp_path: Path) -> None:
    for text in ("", "{", "[1]", '{"host": 1, "what": 2}', "\0\0"):
        (tmp_path / LOCK).write_text(text)
        with RunLock(tmp_path):
            assert json.loads((tmp_path / LOCK).read_bytes())["process"] == os.getpid()


def test_of_two_that_begin_at_the_same_time_on_objects_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    directory, other = Objects().path(), Lease(host="far", kernel="another")
    monkeypatch.setattr(run_lock.time, "sleep", lambda s: write(directory, other))
    with pytest.raises(RunError, match="another run is writing to it"):
        RunLock(directory)
    assert read_lease(directory) == other


def test_a_process_of_this_machine_that_is_gone_is_not_waited_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "raymon")
    directory = Objects().path()
    # Its id is used again.
    write(directory, Lease(began=1))
    with RunLock(directory):
        assert caplog.text == ""


def test_a_directory_that_was_taken_away_is_locked_again(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with RunLock(run) as lock:
        shutil.rmtree(run)
        lock._beat()
        assert not run.exists()
        run.mkdir()
        lock._beat()
        with pytest.raises(RunError, match="another run is writing to it"):
            RunLock(run)


def test_a_run_whose_place_was_taken_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with RunLock(tmp_path) as lock:
        other = Lease(host="far")
        write(tmp_path, other)
        lock._beat()
        lock._beat()
    assert caplog.text.count("another run is writing to it") == 1
    assert read_lease(tmp_path) == other


def test_where_files_have_no_locks_signs_of_life_have_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    with RunLock(tmp_path) as first:
        with monkeypatch.context() as patch:
            patch.setattr(run_lock.time, "sleep", lambda s: first._beat())
            with pytest.raises(RunError, match="another run is writing to it"):
                RunLock(tmp_path)
        first._beat()
        assert not first._lost
    with RunLock(tmp_path):
        pass
