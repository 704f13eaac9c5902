"""A run that nothing is wrong with raises no alert, however busy the machine is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from raymon.data.synthetic import generate
from tests.integration import kills

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1200)]

SECONDS = 600
SETTINGS = (
    "train_config.num_epochs=1000",
    "train_config.log_step_count_steps=50",
    "train_config.save_checkpoints_steps=5000",
    "train_config.keep_checkpoint_max=2",
    "data_config.batch_size=1024",
)

BURSTS = """
import time
while True:
    end = time.time() + 1
    while time.time() < end:
        pass
    time.sleep(1)
"""


@pytest.fixture
def busy_machine() -> Iterator[None]:
    """Keeps every core busy, half of the time, in bursts."""
    command = [sys.executable, "-c", BURSTS]
    others = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """Interrupts a run at the end of the context, as Ctrl-C does."""
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)


@pytest.mark.usefixtures("busy_machine")
def test_ten_minutes_of_a_clean_run_raise_no_alert(ray_address: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    generate(data, users=20_000, items=5_000, train_rows=2_000_000, eval_rows=50_000, seed=3)
    process = kills.start(tmp_path, data, ray_address, *SETTINGS)
    with ended(process):
        kills.wait_for(lambda: kills.reported_step(tmp_path / "run") > 0, process)
        over = time.monotonic() + SECONDS
        kills.wait_for(lambda: time.monotonic() > over, process)
    alerts = tmp_path / "run" / "monitor" / "alerts.jsonl"
    found = alerts.read_text().splitlines() if alerts.exists() else []
    assert [json.loads(line)["text"] for line in found] == []
    windows = kills.windows(tmp_path / "run")
    assert len(windows) > SECONDS / 10
    assert {line["ranks"] for line in windows} == {2}
