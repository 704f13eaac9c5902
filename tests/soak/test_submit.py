"""`raymon submit` against a real `ray start --head`, with token authentication on and off."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ray.job_submission import JobStatus

from raymon.training.checkpoint.manifest import list_checkpoints
from tests.conftest import CONFIG
from tests.soak.cut_proxy import cut_proxy
from tests.soak.heads import Head, started_head

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

LONG = ("--set", "train_config.num_epochs=2000", "--set", "train_config.save_checkpoints_steps=200")


@pytest.fixture(scope="module", params=[True, False], ids=["token", "no token"])
def head(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    with started_head(tmp_path_factory.mktemp("head"), with_token=request.param) as started:
        yield started


@pytest.fixture
def project(tmp_path: Path, click_log: Path) -> Path:
    """A directory with a config and a custom model, which the cluster does not have."""
    config = CONFIG.format(data=click_log, model_dir=tmp_path / "run")
    deepfm = config[config.index("  deepfm {") : config.index("  losses {")]
    (tmp_path / "project").mkdir()
    custom = '  custom { class_path: "my_models:Tiny" }\n'
    (tmp_path / "project" / "click.config").write_text(config.replace(deepfm, custom))
    (tmp_path / "project" / "my_models.py").write_text(MODEL)
    return tmp_path / "project"


MODEL = '''
import torch
from torch import nn
from raymon.models import EmbeddingCollection, FeatureGroup, Head, RankingModel


class Tiny(RankingModel):
    """One hidden layer over everything in the group "deep"."""

    def __init__(self, config, features, labels, sample_weights=(), *, width=16):
        super().__init__(config, features, labels, sample_weights)
        self.group = FeatureGroup("deep", config, features)
        specs = {f.name: f.embedding for f in self.group.features if f.is_sparse}
        self.embeddings = EmbeddingCollection(specs)
        inputs = self.group.dense_dim + sum(self.group.embedding_dims)
        self.hidden = nn.Linear(inputs, width)
        self.head = Head(width, self.kinds, config.num_class)

    def predict(self, batch):
        inputs = self.group.concat(batch, self.embeddings(batch))
        return self.head(torch.relu(self.hidden(inputs)))
'''


def submit(head: Head, project: Path, *more: str, **options: object) -> subprocess.Popen[str]:
    words = ["click.config", "--address", head.dashboard, "--allow-custom-classes"]
    return raymon(head, project, "submit", *words, *more, **options)


def raymon(head: Head, project: Path, *words: str, **options: object) -> subprocess.Popen[str]:
    # As a person's shell has it: with a token to be found, and no word on how.
    environment = {**head.environment}
    del environment["RAY_AUTH_MODE"]
    return subprocess.Popen(
        [sys.executable, "-m", "raymon.cli", *words],
        cwd=project, env=environment, text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )  # fmt: skip


def jobs(head: Head) -> list[dict]:
    return [job for job in json.loads(head.get("/api/jobs/")) if job["submission_id"]]


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_run_is_submitted_with_its_code_and_followed(head: Head, project: Path) -> None:
    output, errors = (process := submit(head, project)).communicate(timeout=300)
    assert process.returncode == 0, output + errors
    assert "Training Epoch 1: 40it" in output
    assert "done: " in output
    # On a machine that is busy it may be told that the job waits.
    assert [line for line in errors.splitlines() if " waits to begin: " not in line] == []
    run = project.parent / "run"
    assert [checkpoint.step for checkpoint in list_checkpoints(run)] == [20, 40]
    (job,) = [job for job in jobs(head) if job["submission_id"] in output]
    assert job["metadata"]["model_dir"] == str(run)
    assert job["metadata"]["run"] == "run"
    assert len(job["metadata"]["config_sha256"]) == 64
    assert job["metadata"]["raymon_board"] == f"raymon board {run}"
    assert f"See it: raymon board {run}" in output
    # Nothing of it is for others.
    if head.token:
        assert head.token not in json.dumps(job) + output
    runs = json.loads(head.get("/api/train/v2/runs/v1"))["train_runs"]
    (of_ray,) = [each for each in runs if each["name"] == "run" and each["status"] == "FINISHED"]
    workers = of_ray["attempts"][-1]["workers"]
    assert sorted(worker["world_rank"] for worker in workers) == [0, 1]


def test_the_exit_code_is_that_of_the_run(head: Head, project: Path, click_log: Path) -> None:
    process = submit(head, project, "--set", f"train_input_path={click_log}/nowhere")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "nowhere" in output


def test_a_client_that_dies_takes_no_run_along(head: Head, project: Path) -> None:
    run = project.parent / "run"
    more = ["train_config.num_epochs=100", "train_config.save_checkpoints_steps=500"]
    process = submit(head, project, *(word for each in more for word in ("--set", each)))
    wait_for(lambda: bool(list_checkpoints(run)))
    process.kill()
    process.communicate()
    wait_for(lambda: json.loads((run / "run.json").read_text())["status"] != "running")
    assert json.loads((run / "run.json").read_text())["status"] == "done"


@pytest.mark.parametrize("choice", ["stop", "leave"])
def test_ctrl_c_asks_whether_to_stop(head: Head, project: Path, choice: str) -> None:
    run = project.parent / "run"
    terminal, own = pty.openpty()
    process = submit(head, project, *LONG, stdin=own)
    wait_for(lambda: bool(list_checkpoints(run)))
    process.send_signal(signal.SIGINT)
    os.write(terminal, f"{choice}\n".encode())
    output, errors = process.communicate(timeout=120)
    (job,) = [job for job in jobs(head) if job["submission_id"] in output]
    if choice == "stop":
        assert process.returncode == 130
        assert job["status"] == JobStatus.STOPPED
        assert json.loads((run / "run.json").read_text())["status"] == "interrupted"
    else:
        assert process.returncode == 130
        assert job["status"] == JobStatus.RUNNING
        stop_at_once(head, errors)
        wait_for(lambda: jobs(head)[0]["status"] != JobStatus.RUNNING)


def stop_at_once(head: Head, lines: str) -> None:
    (line,) = [line for line in lines.splitlines() if line.startswith("  stop at once")]
    _, _, stop = line.partition("once ")
    subprocess.run(stop, shell=True, env=head.environment, check=True, timeout=60,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip


def test_a_detached_job_is_followed_later_by_others_and_saved_before_it_is_stopped(
    head: Head, project: Path
) -> None:
    run = project.parent / "run"
    output, errors = (first := submit(head, project, *LONG, "--detach")).communicate(timeout=120)
    assert (first.returncode, errors) == (0, "")
    job = output.partition(":")[0]
    words = ["--logs", job, "--address", head.dashboard]
    # The second looks on through a way that is cut again and again.
    with cut_proxy(head.dashboard) as proxy:
        there = ["--logs", job, "--address", proxy.address, "--json"]
        followers = [raymon(head, project, "submit", *each) for each in (words, there)]
        for step in (200, 600):
            wait_for(lambda step=step: any(each.step > step for each in list_checkpoints(run)))
            proxy.cut()
        stopped = raymon(head, project, "stop", str(run))
        output, errors = stopped.communicate(timeout=120)
        assert stopped.returncode == 0, output + errors
        (lines, _), (content, log) = (each.communicate(timeout=120) for each in followers)
    assert [each.returncode for each in followers] == [0, 0]
    assert proxy.cuts >= 2
    assert lines == log
    assert json.loads(content)["status"] == "done"
    again = raymon(head, project, "submit", *words)
    assert again.communicate(timeout=60)[0] == lines


def test_a_job_that_does_not_exist_or_cannot_begin_is_one_line(head: Head, project: Path) -> None:
    words = ["--logs", "nobody", "--address", head.dashboard]
    nobody = raymon(head, project, "submit", *words)
    output, errors = nobody.communicate(timeout=60)
    assert (nobody.returncode, output, len(errors.splitlines())) == (2, "", 1)
    assert "--logs nobody: no such job at" in errors
    (project / "env.yaml").write_text("pip: [no-such-package-of-anybody-at-all]\n")
    process = submit(head, project, "--runtime-env", "env.yaml")
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "no-such-package-of-anybody-at-all" in output
    assert errors.splitlines()[-1].startswith("raymon: raymon-run-")


def test_a_wrong_token_is_one_line(head: Head, project: Path, tmp_path: Path) -> None:
    if head.token is None:
        return
    (tmp_path / "other").write_text("f" * 32)
    head.environment["RAY_AUTH_TOKEN_PATH"], right = (
        str(tmp_path / "other"),
        head.environment["RAY_AUTH_TOKEN_PATH"],
    )
    try:
        output, errors = (process := submit(head, project)).communicate(timeout=60)
    finally:
        head.environment["RAY_AUTH_TOKEN_PATH"] = right
    assert process.returncode == 2
    assert len(errors.splitlines()) == 1, errors
    assert "the cluster does not know this token" in errors
    assert "f" * 32 not in output + errors


def test_the_same_config_runs_by_ray_job_submit(head: Head, project: Path) -> None:
    ray = Path(sys.executable).with_name("ray")
    environment = {**head.environment}
    command = [ray, "job", "submit", "--address", head.dashboard, "--working-dir", ".", "--"]
    finished = subprocess.run(
        [*command, "python", "-m", "raymon.cli", "train", "click.config", "--allow-custom-classes"],
        cwd=project, env=environment, text=True, capture_output=True, timeout=300,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout
    assert "Training Epoch 1: 40it" in finished.stdout


def test_the_same_config_runs_through_the_client_of_ray(head: Head, project: Path) -> None:
    words = ["train", "click.config", "--allow-custom-classes", "--address", head.client]
    finished = subprocess.run(
        [sys.executable, "-m", "raymon.cli", *words],
        cwd=project, text=True, capture_output=True, timeout=300,
        env=head.environment,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    assert "Training Epoch 1: 40it" in finished.stderr
