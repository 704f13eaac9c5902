"""How runs on a Ray of their own end: by signals, by errors on one rank, and with Ray itself."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.conftest import CONFIG

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

MODEL = '''
import time
from pathlib import Path
import torch
import torch.distributed as dist
from torch import nn
from raymon.models import EmbeddingCollection, FeatureGroup, Head, RankingModel


class Tiny(RankingModel):
    """One layer, which rank 1 cannot do in a step that is given."""

    def __init__(self, config, features, labels, sample_weights=(), *, at=0):
        super().__init__(config, features, labels, sample_weights)
        self.group = FeatureGroup("deep", config, features)
        specs = {f.name: f.embedding for f in self.group.features if f.is_sparse}
        self.embeddings = EmbeddingCollection(specs)
        inputs = self.group.dense_dim + sum(self.group.embedding_dims)
        self.head = Head(inputs, self.kinds, config.num_class)
        self.at, self.steps = at, 0

    def predict(self, batch):
        inputs = self.group.concat(batch, self.embeddings(batch))
        self.steps += self.training
        if self.steps == self.at and dist.get_rank() == 1:
            inputs = inputs[:, 1:]
            Path(__file__).with_name("failed_at").write_text(str(time.time()))
        return self.head(inputs)
'''
LINE = next(i for i, line in enumerate(MODEL.splitlines(), 1) if "return self.head" in line)


@dataclass
class Started:
    """A running command."""

    process: subprocess.Popen[str]
    run: Path
    lines: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append((time.monotonic(), line.rstrip()))

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 180
        while not condition():
            assert self.process.poll() is None, self.lines
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def trains(self) -> bool:
        return any(self.run.glob("model.ckpt-*/manifest.json"))

    def end(self) -> int:
        code = self.process.wait(timeout=120)
        self._reader.join()
        return code

    def said(self, part: str) -> float | None:
        """Returns when the command first printed a part of a line."""
        return next((at for at, line in self.lines if part in line), None)

    def summary(self) -> dict:
        return json.loads((self.run / "run.json").read_text())


def start(tmp_path: Path, click_log: Path, *more: str, at: int = 0, shell: tuple[str, ...] = ()):
    config = CONFIG.format(data=click_log, model_dir=tmp_path / "run")
    deepfm = config[config.index("  deepfm {") : config.index("  losses {")]
    custom = f'  custom {{ class_path: "my_models:Tiny" kwargs {{ key: "at" value: "{at}" }} }}\n'
    (tmp_path / "click.config").write_text(config.replace(deepfm, custom))
    (tmp_path / "my_models.py").write_text(MODEL)
    words = ["train", "click.config", "--allow-custom-classes", *more]
    words += ["--set", "train_config.num_epochs=2000"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    environment.pop("RAY_ADDRESS", None)
    return Started(
        subprocess.Popen(
            [*shell, sys.executable, "-m", "raymon.cli", *words],
            cwd=tmp_path, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        ),
        tmp_path / "run",
    )  # fmt: skip


def of_ray(started: Started) -> list[psutil.Process]:
    return psutil.Process(started.process.pid).children(recursive=True)


def assert_all_end(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=20)
    assert not [process.cmdline() for process in alive]


@pytest.mark.parametrize("to_group", [False, True], ids=["process", "group"])
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_a_signal_ends_a_run_on_ray_and_all_that_it_started(
    tmp_path: Path, click_log: Path, number: signal.Signals, code: int, to_group: bool
) -> None:
    background = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
    shell = () if number == signal.SIGINT else background
    started = start(tmp_path, click_log, shell=shell)
    started.wait_for(started.trains)
    processes = of_ray(started)
    os.killpg(started.process.pid, number) if to_group else started.process.send_signal(number)
    assert started.end() == code, started.lines
    assert started.lines[-1][1] == "raymon: interrupted"
    assert started.said("--resume goes on from step")
    assert not started.said("Traceback")
    assert (started.summary()["status"], started.summary()["error"]) == ("interrupted", None)
    assert_all_end(processes)


def test_a_driver_that_is_killed_takes_all_of_its_ray_along(
    tmp_path: Path, click_log: Path
) -> None:
    started = start(tmp_path, click_log)
    started.wait_for(started.trains)
    processes = of_ray(started)
    started.process.kill()
    assert_all_end(processes)
    assert started.summary()["status"] == "running"


@pytest.mark.parametrize("what", ["gcs_server", "raylet"])
def test_a_ray_that_dies_is_told_in_a_line(tmp_path: Path, click_log: Path, what: str) -> None:
    started = start(tmp_path, click_log)
    started.wait_for(started.trains)
    processes = of_ray(started)
    (vital,) = [p for p in processes if p.cmdline()[0].endswith(f"/{what}")]
    vital.kill()
    killed = time.monotonic()
    assert started.end() == 1
    assert time.monotonic() - killed < 30
    own = [line for _, line in started.lines if line.startswith("raymon: ")]
    assert len(own) == 1
    assert re.search(rf"Ray's (GCS|raylet), process {vital.pid} .* ended with exit code -9", own[0])
    assert started.said("--resume goes on from step")
    assert started.summary()["status"] == "failed"
    assert started.summary()["error"] in own[0]
    assert_all_end(processes)


@pytest.mark.parametrize("restarts", [0, 1])
def test_an_error_of_one_rank_is_told_once_and_ends_the_others(
    tmp_path: Path, click_log: Path, restarts: int
) -> None:
    started = start(
        tmp_path, click_log, "--set", f"ray_config.max_failures={restarts}", at=50
    )  # fmt: skip
    assert started.end() == 1, started.lines
    place = f"my_models.py:{LINE} in predict"
    told = [line for _, line in started.lines if place in line]
    # The last failure is what the run ends with.
    assert len(told) == restarts + 1
    assert all("WARNING Attempt 1 failed: rank 1 on " in line for line in told[:-1])
    # Nothing waits for windows that cannot come.
    failed = started.said("Failed; --resume goes on from step")
    assert failed is not None
    happened = float((tmp_path / "failed_at").read_text()) - time.time() + time.monotonic()
    print(f"\nfailed after {failed - happened:.1f} s")
    assert failed - happened < 10
    last = started.lines[-1][1]
    assert last.startswith("raymon: rank 1 on ")
    assert place in last
    kept = Path(last.rpartition("details are in ")[2])
    assert "in forward" in kept.read_text()
    assert started.summary()["error"] in last
