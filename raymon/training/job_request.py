"""The job that is submitted to a cluster for a run."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from raymon.config import custom_classes_allowed
from raymon.errors import ConfigError
from raymon.log import chosen_options
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.storage import check_no_credentials
from raymon.training.looking import looking_commands
from raymon.training.on_ray.submit import JobRequest
from raymon.training.on_ray.user_code import code_environment
from raymon.training.train import load_checked


def job_request(
    config_path: Path,
    overrides: Sequence[str] = (),
    *,
    working_dir: Path,
    runtime_env: Mapping[str, Any] | None = None,
    resume: bool = False,
    resume_if_any: bool = False,
    python: str = "python",
    board_port: int | None = None,
) -> JobRequest:
    """Returns the job that trains as a config says.

    Everything in the config that needs no data is checked.

    Args:
        config_path: Path of the config, in `working_dir`.
        overrides: Overrides `field=value`.
        working_dir: Directory with the user's code, sent to the cluster without what git ignores.
        runtime_env: Additions to Ray's runtime environment, such as `{"pip": [...]}`.
        resume: Whether to continue from the newest checkpoint.
        resume_if_any: Whether to do so if there is one, and else to begin.
        python: Python on the cluster that has raymon.
        board_port: Port of a page beside the run, on the machine that it begins on; None for none.

    Raises:
        ConfigError: Something in the config is wrong, or cannot be found from the cluster.
    """
    config = load_checked(config_path, overrides)
    for path in (config.model_dir, config.train_input_path, config.eval_input_path):
        check_no_credentials(path)
    if not os.path.isabs(config.model_dir) and "://" not in config.model_dir:
        raise ConfigError(
            f"model_dir: {config.model_dir}: a job has a working directory of its own; give an "
            "absolute path on shared storage, or a URI: --set model_dir=..."
        )
    try:
        inner = config_path.resolve().relative_to(working_dir.resolve())
    except ValueError:
        raise ConfigError(
            f"{config_path}: is not in {working_dir.resolve()}, which is sent to the cluster; pass "
            "--working-dir"
        ) from None
    words = [python, "-m", "raymon.cli", "train", str(inner)]
    words += [word for override in overrides for word in ("--set", override)]
    words += ["--allow-custom-classes"] if custom_classes_allowed() else []
    words += ["--resume"] if resume else []
    words += ["--resume-if-any"] if resume_if_any else []
    words += ["--board", str(board_port)] if board_port else []
    words += chosen_options()
    return JobRequest(
        shlex.join(words),
        f"raymon-{_slug(config.model_dir)}-{uuid.uuid4().hex[:8]}",
        {**code_environment(working_dir), **(runtime_env or {})},
        _metadata(config),
    )


def _metadata(config: PipelineConfig) -> dict[str, str]:
    content = config.SerializeToString(deterministic=True)
    return {
        "run": _slug(config.model_dir),
        "model_dir": config.model_dir,
        "config_sha256": hashlib.sha256(content).hexdigest(),
        **looking_commands(config.model_dir),
    }


def _slug(model_dir: str) -> str:
    name = model_dir.partition("?")[0].rstrip("/").rpartition("/")[2]
    return re.sub(r"[^A-Za-z0-9_.-]", "-", name) or "run"
