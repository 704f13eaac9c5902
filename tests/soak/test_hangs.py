"""Runs on a Ray of their own with a rank that hangs: it is named, its stacks are written."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.conftest import CONFIG

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

AT = 60
"""Step in which a fault begins."""

HANG_AFTER_S = 5.0

MODEL = '''
import time
import pyarrow.parquet as pq
import torch
import torch.distributed as dist
from pathlib import Path
from torch import nn
from raymon.models import EmbeddingCollection, FeatureGroup, Head, RankingModel

HERE = Path(__file__).parent


def wait_for_ever():
    if not (HERE / "again").exists():
        (HERE / "again").touch()
        (HERE / "hangs_since").write_text(str(time.time()))
        while True:
            time.sleep(1)


class Tiny(RankingModel):
    """One layer, with a fault in a step of one rank."""

    def __init__(self, config, features, labels, sample_weights=(), *, at=0, fault=""):
        super().__init__(config, features, labels, sample_weights)
        self.group = FeatureGroup("deep", config, features)
        specs = {f.name: f.embedding for f in self.group.features if f.is_sparse}
        self.embeddings = EmbeddingCollection(specs)
        inputs = self.group.dense_dim + sum(self.group.embedding_dims)
        self.head = Head(inputs, self.kinds, config.num_class)
        self.at, self.fault, self.steps = at, fault, 0
        self.apart = dist.new_group(backend="gloo") if dist.is_initialized() else None

    def predict(self, batch):
        self.steps += self.training
        if self.fault and self.training and self.steps == self.at:
            self.fail(dist.get_rank())
        elif not self.training and self.steps >= self.at and self.fault == "evaluation":
            if dist.get_rank() == 1:
                wait_for_ever()
        return self.head(self.group.concat(batch, self.embeddings(batch)))

    def fail(self, rank):
        if self.fault == "forward" and rank == 1:
            wait_for_ever()
        if self.fault == "collective" and rank == 0:
            (HERE / "hangs_since").write_text(str(time.time()))
            dist.barrier(group=self.apart)
        if self.fault == "storage" and rank == 1:
            from torch.distributed.checkpoint.filesystem import FileSystemWriter

            FileSystemWriter.write_data = lambda *_: wait_for_ever()


def rows(rank, world_size):
    table = pq.read_table(HERE / "train.parquet")
    for piece in range(200):
        if piece == 100 and rank == 1:
            wait_for_ever()
        yield table.slice((piece * 10 + rank * 500) % 1000, 256)
'''

DRIVER = """
import sys
import raymon
from my_models import rows
raymon.train("click.config", sys.argv[1:], datasets={"train": rows})
"""


def line_of(text: str) -> int:
    return next(i for i, line in enumerate(MODEL.splitlines(), 1) if text in line)


@dataclass
class Started:
    """A running command, and what it printed."""

    process: subprocess.Popen[str]
    directory: Path
    lines: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append((time.time(), line.rstrip()))

    @property
    def run(self) -> Path:
        return self.directory / "run"

    @property
    def hangs_since(self) -> float:
        return float((self.directory / "hangs_since").read_text())

    def said(self, pattern: str) -> tuple[float, str] | None:
        """Returns the first line that matches, and when it came."""
        return next(((at, line) for at, line in self.lines if re.search(pattern, line)), None)

    def wait_for(self, pattern: str, seconds: float = 240) -> tuple[float, str]:
        deadline = time.time() + seconds
        while (found := self.said(pattern)) is None:
            assert self.process.poll() is None, self.text()
            assert time.time() < deadline, self.text()
            time.sleep(0.05)
        return found

    def text(self) -> str:
        return "\n".join(f"{at - self.lines[0][0]:6.1f} {line}" for at, line in self.lines)

    def end(self) -> int:
        code = self.process.wait(timeout=180)
        self._reader.join()
        return code

    def pid_of(self, rank: int) -> int:
        """Returns the process of a rank, or of another one: which has which is not known."""
        workers = [
            process
            for process in psutil.Process(self.process.pid).children(recursive=True)
            if process.cmdline()[:1] and process.cmdline()[0].startswith("ray::RayTrainWorker")
        ]
        return sorted(process.pid for process in workers)[rank]

    def alerts(self) -> list[dict]:
        path = self.run / "monitor" / "alerts.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def start(tmp_path: Path, click_log: Path) -> Iterator[Callable[..., Started]]:
    """Starts a run with a fault; ends what is left of it."""
    begun: list[Started] = []

    def begin(fault: str, *settings: str, program: str = "", model: str = MODEL) -> Started:
        config = CONFIG.format(data=click_log, model_dir=tmp_path / "run")
        deepfm = config[config.index("  deepfm {") : config.index("  losses {")]
        given = {"at": AT, "fault": json.dumps(fault)}
        words = " ".join(f"kwargs {{ key: '{k}' value: '{v}' }}" for k, v in given.items())
        custom = f'  custom {{ class_path: "my_models:Tiny" {words} }}\n'
        (tmp_path / "click.config").write_text(config.replace(deepfm, custom))
        (tmp_path / "my_models.py").write_text(model)
        (tmp_path / "train.parquet").symlink_to(next((click_log / "train").glob("*.parquet")))
        (tmp_path / "driver.py").write_text(DRIVER)
        all_settings = (
            "train_config.num_epochs=2000",
            f"monitor_config.hang_after_s={HANG_AFTER_S}",
            "monitor_config.late_after_s=5",
            *settings,
        )
        flags = [word for setting in all_settings for word in ("--set", setting)]
        command = ["-m", "raymon.cli", "train", "click.config", "--allow-custom-classes", *flags]
        if program:
            command = [program, *all_settings]
        environment = {
            **os.environ,
            "PYTHONPATH": str(tmp_path),
            "RAYMON_ALLOW_CUSTOM_CLASSES": "1",
            "OMP_NUM_THREADS": "1",
        }
        environment.pop("RAY_ADDRESS", None)
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=tmp_path,
            env=environment,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        begun.append(Started(process, tmp_path))
        return begun[-1]

    yield begin
    for started in begun:
        if started.process.poll() is None:
            children = psutil.Process(started.process.pid).children(recursive=True)
            for process in [*children, psutil.Process(started.process.pid)]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        started.process.wait()


def assert_named(started: Started, alert: tuple[float, str], since: float, *promise: float) -> None:
    """Asserts that an alert came within 10 s of the promise, or of the longer one of two."""
    at, line = alert
    print(f"\n{at - since:.1f} s after: {line}")
    assert promise[0] - 1 <= at - since <= promise[-1] + 10, started.text()


def assert_stacks(started: Started, rank: int, where: str = "") -> None:
    """Asserts that stacks are in a file that the log names, and in the log where they are."""
    at, line = started.wait_for(f"Stacks of rank {rank}: ")
    print(f"{at - started.lines[0][0]:.1f} s: {line}")
    assert where in line
    file = Path(line.rpartition("all of them: ")[2])
    assert file.parent == started.run / "monitor" / "stacks"
    assert "run_worker" in file.read_text()


def test_a_rank_that_hangs_in_forward_is_named_with_its_stack_and_who_waits(
    start: Callable[..., Started],
) -> None:
    started = start("forward")
    alert = started.wait_for("Alert: rank 1 ")
    assert_named(started, alert, started.hangs_since, HANG_AFTER_S)
    assert re.search(
        rf"rank 1 \(\S+, pid \d+\) has been in forward for \d+ s, at step {AT - 1}; "
        rf"rank 0 waits at step {AT - 1}",
        alert[1],
    )
    place = f"wait_for_ever ({started.directory}/my_models.py:{line_of('time.sleep(1)')})"
    assert_stacks(started, 1, place)
    assert_stacks(started, 0)
    (told,) = [a for a in started.alerts() if a["kind"] == "hang"]
    assert (told["rank"], told["phase"], told["is_over"]) == (1, "forward", False)


def test_a_rank_that_is_stopped_is_named_until_it_goes_on(start: Callable[..., Started]) -> None:
    started = start("")
    started.wait_for("Evaluation at step 120")
    pid = started.pid_of(1)
    os.kill(pid, signal.SIGSTOP)
    since = time.time()
    alert = started.wait_for("Alert: ")
    # It depends on the phase in which it was stopped.
    assert_named(started, alert, since, HANG_AFTER_S, 3 * HANG_AFTER_S)
    rank = int(re.search(rf"rank (\d) \(\S+, pid {pid}\) has been silent for", alert[1])[1])
    assert f"rank {1 - rank} waits at step" in alert[1]
    assert_stacks(started, rank)
    time.sleep(max(0.0, since + 40 - time.time()))
    os.kill(pid, signal.SIGCONT)
    at, line = started.wait_for(f"Over: rank {rank} ")
    print(f"over {at - since:.1f} s after it was stopped: {line}")
    assert at - since < 46
    assert len([a for a in started.alerts() if a["kind"] == "hang"]) == 2
    shown = [line for at, line in started.lines if since + 12 < at < since + 38 and "it/s" in line]
    assert shown == []


def test_a_rank_that_hangs_in_its_reader_is_named(start: Callable[..., Started]) -> None:
    started = start("", program="driver.py")
    alert = started.wait_for("Alert: ")
    assert_named(started, alert, started.hangs_since, 3 * HANG_AFTER_S)
    assert re.search(r"rank 1 \(.*\) has been waiting for data for \d+ s, at step", alert[1])
    assert_stacks(started, 1, "wait_for_ever")


def test_a_rank_that_hangs_in_an_evaluation_is_named(start: Callable[..., Started]) -> None:
    started = start("evaluation", "monitor_config.hang_after_s=1")
    alert = started.wait_for("Alert: ")
    assert_named(started, alert, started.hangs_since, 15)
    assert re.search(r"rank 1 \(.*\) has been in an evaluation for \d+ s, at step", alert[1])
    assert_stacks(started, 1, "wait_for_ever")


def test_a_rank_whose_storage_hangs_in_a_save_is_named(start: Callable[..., Started]) -> None:
    started = start("storage", "monitor_config.hang_after_s=2")
    alert = started.wait_for("Alert: ", 300)
    assert re.search(r"rank 1 \(.*\) has been in a checkpoint for \d+ s, at step", alert[1])
    assert_named(started, alert, started.hangs_since, 60)
    assert_stacks(started, 1, "wait_for_ever")


def test_a_collective_that_one_rank_skips_is_shown_at_the_one_that_waits_in_it(
    start: Callable[..., Started],
) -> None:
    started = start("collective")
    alert = started.wait_for("Alert: ")
    assert_named(started, alert, started.hangs_since, HANG_AFTER_S)
    assert re.search(r"rank 0 \(.*\) has been in forward for \d+ s", alert[1])
    assert f"; rank 1 waits at step {AT - 1}" in alert[1]
    assert_stacks(started, 0, f"my_models.py:{line_of('dist.barrier')}")


def test_with_on_hang_fail_the_workers_are_started_again(start: Callable[..., Started]) -> None:
    started = start(
        "forward",
        "monitor_config.on_hang=FAIL",
        "monitor_config.hang_fail_after_s=1",
        "ray_config.max_failures=1",
        "train_config.num_epochs=4",
    )
    assert started.end() == 0, started.text()
    alert = started.said("Alert: rank 1 ")
    ended = started.said("on_hang is FAIL: rank 1 .* is ended")
    again = started.said("Attempt 2: 2 ranks train from step")
    assert alert
    assert ended
    assert again
    print(f"\nagain {again[0] - alert[0]:.1f} s after the alert")
    assert json.loads((started.run / "run.json").read_text())["restarts"] == 1


def test_with_on_hang_fail_a_stopped_rank_fails_the_run_with_its_name(
    start: Callable[..., Started],
) -> None:
    started = start("", "monitor_config.on_hang=FAIL", "monitor_config.hang_fail_after_s=0")
    started.wait_for("Evaluation at step 120")
    os.kill(started.pid_of(1), signal.SIGSTOP)
    assert started.end() == 1, started.text()
    last = started.lines[-1][1]
    assert re.search(r"^raymon: rank \d \(.*\) has been silent for \d+ s", last), started.text()
    summary = json.loads((started.run / "run.json").read_text())
    assert summary["status"] == "failed"
    assert summary["error"] in last


def test_a_run_that_hangs_in_its_own_process_is_told_and_ended(
    start: Callable[..., Started],
) -> None:
    started = start(
        "",
        "ray_config.num_workers=0",
        "monitor_config.on_hang=FAIL",
        "monitor_config.hang_fail_after_s=0",
        program="driver.py",
        model=MODEL.replace("rank == 1", "True"),
    )
    assert started.end() == 1, started.text()
    assert started.said("Alert: rank 0 .* has been waiting for data for")
    assert started.said("Stacks of rank 0: .*wait_for_ever")
    assert any("has been waiting for data for" in line for _, line in started.lines[-1:])
