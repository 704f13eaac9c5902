"""The task of Ray Train that scores a checkpoint while training continues."""

from __future__ import annotations

from typing import Any, cast

import ray.train
from ray.train import ValidationConfig, ValidationTaskConfig

from raymon.protos.eval_pb2 import EvalConfig


def validation_config(config: EvalConfig, arguments: dict[str, Any]) -> ValidationConfig:
    """Returns the config of the task for Ray Train.

    Args:
        config: Evaluation config, with the resources that the task takes on its node.
        arguments: Arguments of `train_loop_per_worker`.
    """
    resources = dict(config.resources)
    return ValidationConfig(
        cast(Any, score_checkpoint),  # called with its arguments by name
        ValidationTaskConfig({"arguments": arguments}),
        {
            "num_cpus": resources.pop("CPU", 0),
            "num_gpus": resources.pop("GPU", 0),
            "resources": resources,
            # The task is retried if its node dies.
            "max_retries": -1,
        },
    )


def score_checkpoint(
    checkpoint: ray.train.Checkpoint, arguments: dict[str, Any], threads: int
) -> dict[str, float]:
    """Scores a checkpoint in the same way as the ranks that wrote it.

    A failure is reported and ends nothing.

    Args:
        checkpoint: A complete checkpoint.
        arguments: Arguments of `train_loop_per_worker`.
        threads: Number of threads of a rank; with another number, results round differently.

    Returns:
        The scores by name, in the form that Ray keeps; empty if there are none.
    """
    # Ray's controller imports this module too, so slow imports are here.
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
    # The driver has refused the config if custom classes are not allowed.
    allow_custom_classes()
    for name, cls in arguments["metrics"].items():
        register_metric(name, cls)
    torch.set_num_threads(threads)
    # Ray shows a task its own GPU alone.
    device = torch.device("cuda", 0) if ray.get_gpu_ids() else torch.device("cpu")
    config = WorkerTask(arguments["config"]).config
    scores = evaluate_checkpoint(
        config,
        storage_path(config.model_dir) / PurePath(checkpoint.path).name,
        RayReporter(reporter_of(arguments["reporter"])),
        arguments["datasets"],
        device,
    )
    return for_ray(scores)
