"""Ray's `TorchTrainer`, as a run of raymon uses it."""

from __future__ import annotations

import logging
from pathlib import Path

from ray.train import CheckpointConfig, FailureConfig, RunConfig, ScalingConfig
from ray.train import TrainingFailedError as RayTrainingFailedError
from ray.train.torch import TorchTrainer

from raymon.errors import RaymonError, TrainingError
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.reporter.actor import RayReporter
from raymon.training.job import Job
from raymon.training.ray_cluster import worker_resources
from raymon.training.ray_worker import train_loop_per_worker


def fit(job: Job, reporter: RayReporter) -> None:
    """Runs a job on the workers of the cluster that this process is connected to.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed.
        UserError: A worker found that what the user gave is wrong.
        TrainingError: The run failed.
    """
    config = job.config
    model_dir = Path(config.model_dir)
    trainer = TorchTrainer(
        train_loop_per_worker,
        train_loop_config={
            "config": job.serialized_config,
            "checkpoint": job.checkpoint,
            "reporter": reporter.actor,
        },
        scaling_config=ScalingConfig(
            num_workers=config.ray_config.num_workers,
            use_gpu=config.ray_config.use_gpu,
            resources_per_worker=worker_resources(config.ray_config),
            placement_strategy=config.ray_config.placement_strategy,
        ),
        run_config=RunConfig(
            name=model_dir.name,
            storage_path=str(model_dir.parent),
            checkpoint_config=_checkpoint_config(config),
            failure_config=FailureConfig(max_failures=config.ray_config.max_failures),
        ),
    )
    logging.getLogger("ray.train").setLevel(logging.ERROR)
    try:
        trainer.fit()
    except SystemExit:
        # How Ray ends after Ctrl-C, once its workers are down.
        raise KeyboardInterrupt from None
    except RayTrainingFailedError as error:
        raise _own_error(error) from error


def _checkpoint_config(config: PipelineConfig) -> CheckpointConfig:
    export, keep = config.export_config, config.train_config.keep_checkpoint_max or None
    if export.exporter_type != "best":
        return CheckpointConfig(num_to_keep=keep)
    return CheckpointConfig(
        num_to_keep=keep,
        checkpoint_score_attribute=export.best_exporter_metric,
        checkpoint_score_order="max" if export.metric_larger_is_better else "min",
    )


def _own_error(error: RayTrainingFailedError) -> RaymonError:
    failures = getattr(error, "worker_failures", {})
    for _, failure in sorted(failures.items()):
        cause: BaseException | None = failure
        while cause is not None:
            if isinstance(cause, RaymonError):
                return type(cause)(str(cause))
            cause = getattr(cause, "_base_exc", None) or cause.__cause__
    return TrainingError(str(error))
