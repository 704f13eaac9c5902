"""The batch scripts of `cluster/slurm`, on a real Slurm of two nodes on this machine.

Needs root and Debian's packages `slurm-wlm` and `munge`
(`apt-get install --no-install-recommends slurm-wlm munge`).
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.cluster.files import CLUSTER
from tests.conftest import CONFIG
from tests.soak.slurm import Slurm, started_slurm

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

SCRIPTS = CLUSTER / "slurm"
VENV = Path(sys.executable).parents[1]

LOOP = """
import sys
import torch
from torch import distributed, nn
import raymon

distributed.init_process_group("gloo")
torch.manual_seed(distributed.get_rank())
model = nn.parallel.DistributedDataParallel(nn.Linear(8, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
monitor = raymon.Monitor(train_metrics=["auc"], model_dir=sys.argv[1], optimizer=optimizer)
for _ in range(200):
    x = torch.randn(64, 8)
    y = torch.bernoulli(torch.sigmoid(x.mean(1)))
    logits = model(x).squeeze(1)
    loss = nn.functional.binary_cross_entropy_with_logits(logits, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    monitor.step(losses={"bce": loss}, predictions=logits.sigmoid(), targets=y)
monitor.close()
distributed.destroy_process_group()
"""


@pytest.fixture
def slurm() -> Iterator[Slurm]:
    # Short, as sockets are in it.
    directory = Path(tempfile.mkdtemp(prefix="slurm-"))
    try:
        with started_slurm(directory) as started:
            yield started
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def run(tmp_path: Path, click_log: Path) -> Path:
    """The directory of a run, beside its config."""
    config = CONFIG.format(data=click_log, model_dir=tmp_path / "other")
    (tmp_path / "click.config").write_text(config)
    return tmp_path / "run"


def submit(slurm: Slurm, run: Path, *more: str) -> int:
    options = [word for each in ("ray_config.num_workers=2", *more) for word in ("--set", each)]
    return slurm.submit(
        SCRIPTS / "raymon.sbatch", *options,
        RAYMON_CONFIG=run.with_name("click.config"), RAYMON_MODEL_DIR=run, RAYMON_PYTHON=VENV,
    )  # fmt: skip


def wait_for(condition: Callable[[], bool], log: Path, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, log.read_text() if log.exists() else "no log"
        time.sleep(0.5)


def status(run: Path) -> str:
    path = run / "run.json"
    return json.loads(path.read_text())["status"] if path.exists() else ""


def left(job: int) -> list[psutil.Process]:
    """Processes of Ray that a job has left."""
    mark = f"/tmp/ray-{job}/"
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(mark in word for word in process.info["cmdline"] or ())
    ]


@pytest.mark.parametrize("taken", ["at its time limit", "without a word"])
def test_a_run_that_loses_its_nodes_goes_on_from_the_queue_until_it_is_done(
    slurm: Slurm, run: Path, taken: str
) -> None:
    job = submit(
        slurm, run, "train_config.num_epochs=150", "train_config.save_checkpoints_steps=500"
    )
    log = slurm.directory / f"raymon-{job}.log"
    try:
        wait_for(lambda: slurm.ended(job) or (run / "model.ckpt-500").exists(), log)
        token = slurm.directory / f".raymon-token-{job}"
        assert token.stat().st_mode & 0o077 == 0
        first = token.read_text()
        if taken == "at its time limit":
            slurm.call("scancel", "--batch", "--signal=USR1", job)
        else:
            slurm.call("scontrol", "requeue", job)
        wait_for(lambda: slurm.job(job)["Restarts"] == "1", log)
        if taken == "at its time limit":
            assert status(run) == "stopped"
        wait_for(lambda: slurm.ended(job), log, 400)
        said = log.read_text()
        assert slurm.job(job)["JobState"] == "COMPLETED", said
        assert status(run) == "done"
        assert json.loads((run / "run.json").read_text())["steps"] == 150 * 20
        assert not token.exists()
        assert first not in said
        wait_for(lambda: not left(job), log, 60)
    finally:
        for process in left(job):
            process.kill()
        shutil.rmtree(f"/tmp/ray-{job}", ignore_errors=True)


def test_a_loop_under_torchrun_is_watched_on_two_nodes(slurm: Slurm, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(LOOP)
    script = SCRIPTS / "torchrun.sbatch"
    words = [tmp_path / "train.py", tmp_path / "run"]
    job = slurm.submit(script, *words, RAYMON_PYTHON=VENV)
    log = slurm.directory / f"watched-{job}.log"
    wait_for(lambda: slurm.ended(job), log, 200)
    assert slurm.job(job)["JobState"] == "COMPLETED", log.read_text()
    assert status(tmp_path / "run") == "done"
