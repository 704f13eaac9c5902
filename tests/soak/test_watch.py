"""A run that goes on is watched on a terminal, and one on S3, which moto's server imitates."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from pyarrow import fs

from raymon.sinks import read_lines
from raymon.storage import storage_path
from tests.cli.test_watch import Terminal
from tests.integration.conftest import run_raymon, start_raymon

pytest.importorskip("moto")
pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

LONG = ("train_config.num_epochs=100000", "ray_config.num_workers=0")


def words(*settings: str) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


def frame(run: object) -> dict[str, Any]:
    result = run_raymon("watch", str(run), "--json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_a_run_is_watched_from_its_begin_to_its_death(config_file: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    training = start_raymon("train", config_file, *words(*LONG))
    while not (run / "run.json").exists():
        assert training.poll() is None
        time.sleep(0.05)
    terminal = Terminal(run, "--interval", 0.5, columns=120)
    try:
        terminal.until(b"running")
        terminal.until(b"samples/s")
        terminal.until(b"auc")
        terminal.types(b"3")
        terminal.until(b"doing")
        # What is seen now is what its lines say now.
        steps = {line["global_step"] for line in read_lines(run / "monitor" / "windows.jsonl")}
        shown = frame(run)
        assert shown["status"] == "running"
        assert set(shown["curves"][0]["train"]["step"]) >= steps - {min(steps)}
        training.kill()
        training.wait()
        terminal.until(b"killed")
        terminal.types(b"q")
        assert terminal.ends() == 0
    finally:
        training.kill()
        training.wait()
        terminal.close()


def test_a_run_on_s3_is_seen_while_it_goes_on_and_afterwards(
    config_file: Path, endpoint: str
) -> None:
    storage = fs.S3FileSystem(endpoint_override=endpoint, scheme="http", allow_bucket_creation=True)
    storage.create_dir("runs")
    run = "s3://runs/run"
    training = start_raymon("train", config_file, *words(*LONG, f"model_dir={run}"))
    try:
        deadline = time.monotonic() + 120
        while True:
            result = run_raymon("watch", run, "--json")
            if result.returncode == 0 and json.loads(result.stdout)["curves"]:
                break
            assert training.poll() is None
            assert time.monotonic() < deadline, result.stderr
        assert json.loads(result.stdout)["status"] == "running"
        training.send_signal(signal.SIGTERM)
        training.wait(60)
    finally:
        training.kill()
        training.wait()
    shown = frame(run)
    assert shown["status"] == "interrupted"
    lines = read_lines(storage_path(run) / "monitor" / "windows.jsonl")
    loss = next(curve for curve in shown["curves"] if curve["name"] == "total_loss")
    by_step = {line["global_step"]: line["losses"]["total_loss"] for line in lines}
    pairs = zip(loss["train"]["step"], loss["train"]["value"], strict=True)
    assert dict(pairs).items() <= by_step.items()
    assert run_raymon("watch", run, "--once").stdout.startswith("run  interrupted")
