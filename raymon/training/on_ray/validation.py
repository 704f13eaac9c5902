"""The task of Ray Train that scores a checkpoint while training goes on."""

from __future__ import annotations

from typing import Any, cast

import ray.train
from ray.train import ValidationConfig, ValidationTaskConfig

from raymon.protos.eval_pb2 import EvalConfig


def validation_config(config: EvalConfig, arguments: dict[str, Any]) -> ValidationConfig:
    """What Ray Train is told of the task.

    Args:
        config: Says what the task takes of its node.
        arguments: Those of `train_loop_per_worker`.
    """
    resources = dict(config.resources)
    return ValidationConfig(
        cast(Any, score_checkpoint),  # called with arguments of its own by name
        ValidationTaskConfig({"arguments": arguments}),
        {
            "num_cpus": resources.pop("CPU", 0),
            "num_gpus": resources.pop("GPU", 0),
            "resources": resources,
            # A node that dies with it is no fault of its own.
            "max_retries": -1,
        },
    )


def score_checkpoint(
    checkpoint: ray.train.Checkpoint, arguments: dict[str, Any], threads: int
) -> dict[str, float]:
    """Scores a checkpoint as the ranks would that wrote it; what is wrong is told and ends nothing.

    Args:
        checkpoint: Complete.
        arguments: Those of `train_loop_per_worker`.
        threads: Of a rank: another number of them rounds otherwise.

    Returns:
        The scores by name, as Ray keeps them; empty where there are none.
    """
    # Ray's controller imports this module too, so what takes seconds is imported here.
    import logging
    from pathlib import PurePath

    import torch

    from raymon.config import allow_custom_classes
    from raymon.metrics import register_metric
    from raymon.reporter.on_ray import RayReporter, reporter_of
    from raymon.storage import storage_path
    from raymon.training.loop.async_evaluation import evaluate_checkpoint
    from raymon.training.on_ray.ray_train_thread import for_ray
    from raymon.training.rank.worker_task import WorkerTask

    logging.getLogger("raymon").setLevel(logging.WARNING)
    # The driver would have refused what nobody has allowed.
    allow_custom_classes()
    for name, cls in arguments["metrics"].items():
        register_metric(name, cls)
    torch.set_num_threads(threads)
    device = torch.device("cuda" if ray.get_gpu_ids() else "cpu")
    config = WorkerTask(arguments["config"]).config
    scores = evaluate_checkpoint(
        config,
        storage_path(config.model_dir) / PurePath(checkpoint.path).name,
        RayReporter(reporter_of(arguments["reporter"])),
        arguments["datasets"],
        device,
    )
    return for_ray(scores)
