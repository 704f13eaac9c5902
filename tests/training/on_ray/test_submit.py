"""What is sent to a cluster; no cluster is needed."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from raymon.errors import ConfigError, RunError
from raymon.training.job_request import job_request
from raymon.training.on_ray.submit import submit
from tests.installed import installed_python


def test_a_job_is_the_command_that_one_would_type(config_file: Path, tmp_path: Path) -> None:
    overrides = ["train_config.num_steps=5", 'model_config.metrics[0]={auc {} label_name: "click"}']
    request = job_request(
        config_file, overrides, working_dir=tmp_path, resume=True, runtime_env={"pip": ["x"]}
    )
    assert shlex.split(request.entrypoint) == [
        "python", "-m", "raymon.cli", "train", "click.config",
        "--set", overrides[0], "--set", overrides[1], "--allow-custom-classes", "--resume",
    ]  # fmt: skip
    assert request.runtime_env["working_dir"] == str(tmp_path)
    assert request.runtime_env["pip"] == ["x"]
    assert request.metadata["run"] == "run"
    assert request.metadata["model_dir"] == str(tmp_path / "run")
    assert request.metadata["raymon_board"] == f"raymon board {tmp_path / 'run'}"
    assert request.metadata["raymon_watch"] == f"raymon watch {tmp_path / 'run'}"
    assert request.submission_id.startswith("raymon-run-")
    again = job_request(config_file, overrides, working_dir=tmp_path)
    assert again.submission_id != request.submission_id
    assert again.metadata == request.metadata
    other = job_request(config_file, working_dir=tmp_path)
    assert other.metadata["config_sha256"] != request.metadata["config_sha256"]


def test_a_job_has_a_page_beside_it_if_that_is_asked_for(config_file: Path, tmp_path: Path) -> None:
    request = job_request(config_file, working_dir=tmp_path, board_port=6321)
    assert "--board 6321" in request.entrypoint


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model_dir=runs/first"], "model_dir: runs/first: a job has a working directory of its"),
        (["train_config.num_step=5"], "num_step"),
    ],
)
def test_what_would_fail_there_is_refused_here(
    config_file: Path, tmp_path: Path, overrides: list[str], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        job_request(config_file, overrides, working_dir=tmp_path)
    assert message in str(caught.value)


def test_a_config_that_is_not_sent_along_is_refused(config_file: Path, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    with pytest.raises(ConfigError, match="--working-dir"):
        job_request(config_file, working_dir=tmp_path / "code")


def test_a_cluster_that_is_not_there_is_one_line(config_file: Path, tmp_path: Path) -> None:
    request = job_request(config_file, working_dir=tmp_path)
    with pytest.raises(RunError, match=r"--address http://127.0.0.1:9: no Ray dashboard there: "):
        submit(request, "http://127.0.0.1:9")


def test_ray_is_not_imported_before_it_is_said_whether_there_is_a_token() -> None:
    """Ray reads at its import how it authenticates."""
    code = (
        "import sys, raymon.cli.submit, raymon.training.on_ray.submit; print('ray' in sys.modules)"
    )
    done = subprocess.run(
        [installed_python(), "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "False\n"
