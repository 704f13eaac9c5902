"""What a person finds of a run in Ray's dashboard, as a browser shows it.

The pictures are left in `demo/screens`, for people to look at.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from benchmarks.harness.browser import SCREENS, Browser
from tests.conftest import CONFIG
from tests.integration.kills import reported_step
from tests.soak.heads import started_head

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

LONG = ("train_config.num_epochs=20000", "train_config.save_checkpoints_steps=2000")


def test_a_run_is_found_and_seen_in_the_dashboard(click_log: Path, tmp_path: Path) -> None:
    # It is in the pictures, so it is one that reads well.
    run = Path(tempfile.mkdtemp(prefix="runs-")) / "click"
    config = tmp_path / "click.config"
    config.write_text(CONFIG.format(data=click_log, model_dir=run))
    with started_head(tmp_path, with_token=True) as head, Browser() as browser:
        assert head.token is not None
        words = [word for setting in LONG for word in ("--set", setting)]
        job = subprocess.Popen(
            [sys.executable, "-m", "raymon.cli", "submit", "click.config", *words,
             "--address", head.dashboard],
            cwd=tmp_path, env=head.environment, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 180
        while reported_step(run) < 3000:
            assert job.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.5)
        time.sleep(11)  # the log of the reporter has its second line
        cookies = {"ray-authentication-token": head.token}

        def look(page: str, name: str, wait_for: str) -> str:
            file = SCREENS / f"{name}.png"
            return browser.look(
                f"{head.dashboard}/#/{page}", file, cookies=cookies, wait_for=wait_for
            )

        (submitted,) = json.loads(head.get("/api/jobs/"))
        name = submitted["submission_id"]
        jobs = look("jobs", "jobs", r"raymon-click-\w+")
        assert "RUNNING" in jobs
        log = look(f"jobs/{submitted['job_id']}", "job", r"Training Epoch \d+: \d+it")
        assert str(run) in log, "the metadata of the job"
        assert f"raymon board {run}" in submitted["metadata"].values()
        assert f"See it: raymon board {run}, raymon watch {run}" in log
        for noise in ("repeated", "pid=", "(RayTrainWorker"):
            assert noise not in log
        # A page shows ten actors, and the reporter may be on the second.
        look("actors", "actors", r"RayTrainWorker|ReportingActor")
        (reporter,) = _reporters(head.get("/logical/actors"))
        assert reporter["reprName"] == f"ReportingActor({run})"
        status = look(f"actors/{reporter['actorId']}", "reporter", r"Training Epoch \d+: \d+it")
        assert "ranks:2/2" in status
        look("metrics", "metrics", r"Prometheus|Grafana|Metrics")
        ray = Path(sys.executable).with_name("ray")
        subprocess.run(
            [ray, "job", "stop", "--address", head.dashboard, name],
            env=head.environment, check=True, timeout=60, capture_output=True,
        )  # fmt: skip
        job.wait(60)
    shutil.rmtree(run.parent)
    print(f"\nlook at {SCREENS}")


def _reporters(answer: bytes) -> list[dict]:
    actors = json.loads(answer)["data"]["actors"].values()
    return [a for a in actors if a["actorClass"] == "ReportingActor" and a["state"] == "ALIVE"]
