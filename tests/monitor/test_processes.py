"""The monitor of a custom loop, where there are several processes."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import raymon
from raymon.monitor.launchers import process_count, process_rank
from tests.monitor.test_monitor import batches, lines, watch

LAUNCHERS = {
    "torchrun": ("RANK", "WORLD_SIZE"),
    "Open MPI": ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    "MPICH": ("PMI_RANK", "PMI_SIZE"),
    "Slurm": ("SLURM_PROCID", "SLURM_NTASKS"),
}


@pytest.fixture(autouse=True)
def _no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for names in LAUNCHERS.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_before_there_is_a_process_group_its_launcher_tells_the_rank(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, launcher: str
) -> None:
    rank, size = LAUNCHERS[launcher]
    for number in range(2):
        monkeypatch.setenv(rank, str(number))
        monkeypatch.setenv(size, "2")
        assert (process_rank(), process_count()) == (number, 2)
        monitor = watch(batches(10), model_dir=tmp_path / str(number))
        assert monitor.close()
        # Every rank measures, and one has the files.
        assert (tmp_path / str(number)).exists() == (number == 0)
    assert len(lines(tmp_path / "0")) == 1


@pytest.mark.parametrize("given", [("", "2"), ("1", ""), ("2", "2"), ("one", "2"), ("-1", "2")])
def test_what_is_no_rank_is_none(monkeypatch: pytest.MonkeyPatch, given: tuple[str, str]) -> None:
    monkeypatch.setenv("RANK", given[0])
    monkeypatch.setenv("WORLD_SIZE", given[1])
    assert (process_rank(), process_count()) == (0, 1)


def by_fork(action: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            action()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def by_multiprocessing(action: Callable[[], None]) -> int:
    child = multiprocessing.get_context("fork").Process(target=action)
    child.start()
    child.join()
    return child.exitcode


@pytest.mark.parametrize("forked", [by_fork, by_multiprocessing])
def test_a_process_that_is_forked_off_leaves_the_monitor_to_its_parent(
    tmp_path: Path, forked: Callable[[Callable[[], None]], int]
) -> None:
    monitor = watch(batches(10), model_dir=tmp_path / "run")

    def in_child() -> None:
        monitor.step({"bce": torch.tensor(9.0)}, *batches(1)[0])
        monitor.checkpoint()
        with monitor:
            pass
        if monitor.close() or monitor.failures:
            os._exit(1)

    assert forked(in_child) == 0
    for step, (scores, labels) in enumerate(batches(10), 10):
        monitor.step({"bce": torch.tensor(float(step))}, scores, labels)
    assert monitor.close()
    assert [line["global_step"] for line in lines(tmp_path / "run")] == [10, 20]


def test_workers_of_a_loader_that_fork_change_nothing(tmp_path: Path) -> None:
    monitor = raymon.Monitor(model_dir=tmp_path / "run", log_step_count_steps=4)
    data = torch.utils.data.DataLoader(
        torch.arange(8.0), batch_size=1, num_workers=2, multiprocessing_context="fork"
    )
    for value in data:
        monitor.step({"loss": value.mean()}, samples=1)
    assert monitor.close()
    assert [line["samples"] for line in lines(tmp_path / "run")] == [4, 4]
