"""The monitor of a process group: its numbers are those of all ranks."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from sklearn.metrics import roc_auc_score

import raymon
from raymon.metrics import DecayAUC, TrainMetricWrapper
from raymon.monitor.launch import Launch
from raymon.monitor.meeting import Meeting
from raymon.protos.report_pb2 import Invitation
from tests.monitor.test_monitor import lines
from tests.reporter.over_tcp.ranks import until

STEPS = 20


def scores_of(rank: int, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1000 * rank + step)
    scores = torch.rand(64, generator=generator)
    return scores, (torch.rand(64, generator=generator) < scores).float()


OTHER_RANK = f"""
import sys, time, torch, raymon
import torch.distributed as dist
from raymon.metrics import DecayAUC, TrainMetricWrapper

monitor = raymon.Monitor(
    {{"auc": TrainMetricWrapper(DecayAUC(), 0.9, {STEPS})}}, log_step_count_steps=10
)
dist.init_process_group("gloo")
for step in range({STEPS}):
    generator = torch.Generator().manual_seed(1000 + step)
    scores = torch.rand(64, generator=generator)
    labels = (torch.rand(64, generator=generator) < scores).float()
    monitor.step({{"bce": torch.tensor(1.0)}}, scores, labels)
print("made", flush=True)
sys.stdin.readline()
print(monitor.close(), monitor.failures, flush=True)
monitor = raymon.Monitor(name="second", log_step_count_steps=10)
while True:
    monitor.step({{"bce": 1.0}}, samples=1)
    time.sleep(0.01)
"""


@pytest.fixture
def _group_of_two(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for name, value in {
        "RANK": "0",
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }.items():
        monkeypatch.setenv(name, value)
    yield
    if dist.is_initialized():
        dist.destroy_process_group()


@pytest.mark.usefixtures("_group_of_two")
def test_the_numbers_are_those_of_both_ranks_and_one_that_is_killed_is_named(
    tmp_path: Path,
) -> None:
    # The other rank makes its monitor before the group, this one after it.
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER_RANK],
        env={**os.environ, "RANK": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert other.stdin is not None
        assert other.stdout is not None
        dist.init_process_group("gloo")
        whole = {"auc": TrainMetricWrapper(DecayAUC(), 0.9, STEPS)}
        monitor = raymon.Monitor(whole, model_dir=tmp_path / "run", log_step_count_steps=10)
        for step in range(STEPS):
            monitor.step({"bce": torch.tensor(0.0)}, *scores_of(0, step))
        assert other.stdout.readline() == "made\n"
        other.stdin.write("\n")
        other.stdin.flush()
        assert monitor.close()
        assert other.stdout.readline() == "True 0\n"
        parts = [scores_of(rank, step) for rank in (0, 1) for step in range(STEPS)]
        scores, labels = (torch.cat(part).numpy() for part in zip(*parts, strict=True))
        last = lines(tmp_path / "run")[-1]
        assert abs(last["metrics"]["auc"] - roc_auc_score(labels, scores)) < 1e-4
        assert last["losses"]["bce"] == 0.5
        assert last["samples"] == 2 * 64 * 10
        assert last["ranks"] == last["world_size"] == 2

        second = raymon.Monitor(
            model_dir=tmp_path, name="second", log_step_count_steps=10, use_tensorboard=False
        )
        for _ in range(10):
            second.step({"bce": 0.0}, samples=1)
        until(lambda: second.snapshot() is not None)
        other.send_signal(signal.SIGKILL)
        alerts = tmp_path / "second" / "monitor" / "alerts.jsonl"
        until(lambda: alerts.exists() and alerts.read_text())
        alert = json.loads(alerts.read_text())
        assert (alert["kind"], alert["rank"], alert["attempt"]) == ("rank_gone", 1, 1)
        assert f"pid {other.pid}) is gone" in alert["text"]
        # What it took along keeps nobody waiting.
        assert second.close(20)
    finally:
        other.kill()
        other.wait()


def test_a_group_of_one_leaves_an_invitation_in_its_store(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TORCHELASTIC_USE_AGENT_STORE", raising=False)
    meeting, same = Meeting("here"), Meeting("here")
    same._key = meeting._key
    assert same.find() is None
    meeting.publish(Invitation(address="127.0.0.1", port=7, token=b"secret"))
    # It is made before there is a group.
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        until(lambda: same.find() is not None)
        assert same.find().port == 7
        # The next monitor of the name has an invitation of its own.
        assert Meeting("here").find() is None
    finally:
        dist.destroy_process_group()


def test_a_restart_by_the_agent_is_known_and_a_new_launch_is_none(tmp_path: Path) -> None:
    run = {"TORCHELASTIC_RUN_ID": "job", "TORCHELASTIC_RESTART_COUNT": "0"}
    first = Launch.of(run)
    assert first is not None
    assert not first.was_in(tmp_path)
    (tmp_path / "monitor").mkdir()
    first.write(tmp_path)
    # The same agent, with other nodes; another agent, after a failure; and another launch.
    assert first.was_in(tmp_path)
    assert Launch("job", "another agent", 1).was_in(tmp_path)
    assert not Launch("job", "another agent", 0).was_in(tmp_path)
    assert not Launch("other", first.agent, 1).was_in(tmp_path)
    assert Launch.of({}) is None
