"""What a worker uses, and what is left, is measured by a thread of its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil

from raymon.recorder import ResourceWatch
from raymon.recorder.memory import free_host_bytes
from raymon.results import LEVELS
from tests.sinks.sinks import wait_for


def test_the_levels_are_those_of_the_process_its_machine_and_the_disk(tmp_path: Path) -> None:
    watch = ResourceWatch(tmp_path)
    try:
        levels = wait_for(watch.levels)
    finally:
        watch.close()
    assert set(levels) <= set(LEVELS)
    assert levels["host_bytes"] > 1e7
    assert 0 < levels["host_free_bytes"] <= psutil.virtual_memory().total
    assert 0 < levels["open_files"] < 10_000
    disk = shutil.disk_usage(tmp_path)
    assert 0 < levels["model_dir_free_bytes"] <= disk.total


def test_what_cannot_be_measured_is_left_out() -> None:
    watch = ResourceWatch(Path("/no/such/directory"))
    try:
        assert "model_dir_free_bytes" not in wait_for(watch.levels)
    finally:
        watch.close()


def test_memory_of_a_container_is_what_its_limit_leaves_and_files_that_can_go(
    tmp_path: Path,
) -> None:
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("700000\n")
    (tmp_path / "memory.stat").write_text("anon 400000\ninactive_file 200000\n")
    assert free_host_bytes(tmp_path) == 500_000
    (tmp_path / "memory.max").write_text("max\n")
    assert free_host_bytes(tmp_path) > 1_000_000


def test_open_files_are_counted() -> None:
    before = len(os.listdir("/proc/self/fd"))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(20)]
    watch = ResourceWatch(None)
    try:
        assert wait_for(watch.levels)["open_files"] >= before + 20
    finally:
        watch.close()
        for file in files:
            os.close(file)
