"""Ray's `TorchTrainer`, as a run of raymon uses it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import ray
from ray import cloudpickle
from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train import TrainingFailedError as RayTrainingFailedError
from ray.train.torch import TorchTrainer

from raymon.config import evaluates_asynchronously
from raymon.errors import ClusterLostError, DataError, RaymonError, UserError, reason
from raymon.metrics import registered_metrics
from raymon.protos.ray_pb2 import RayConfig
from raymon.reporter.on_ray import RayReporter
from raymon.storage import storage_path
from raymon.training.input.datasets import EVAL, Datasets, is_ray_dataset, title
from raymon.training.on_ray.cluster import worker_resources
from raymon.training.on_ray.cluster_watch import ClusterWatch
from raymon.training.on_ray.row_split import EveryRow
from raymon.training.on_ray.storage import in_ray, repair_snapshot
from raymon.training.on_ray.validation import validation_config
from raymon.training.on_ray.worker import train_loop_per_worker
from raymon.training.rank.failure import RankFailedError, first_cause
from raymon.training.rank.worker_task import WorkerTask

_log = logging.getLogger("raymon")

_ABORT_S = 3.0
"""Seconds that the workers have to end, where the run is interrupted."""


def fit(
    task: WorkerTask,
    reporter: RayReporter,
    datasets: Datasets,
    interrupted: Callable[[], None] = lambda: None,
) -> None:
    """Runs a task on the workers of the cluster that this process is connected to.

    Args:
        task: What to do.
        reporter: Takes what is measured.
        datasets: In place of files.
        interrupted: Called where a signal asks for the end, before anything is waited for.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed.
        UserError: A worker found that what the user gave is wrong.
        ClusterLostError: Ray is gone.
        TrainingError: The run failed.
    """
    config = task.config
    run_dir = storage_path(config.model_dir)
    if task.checkpoint is not None:
        # An evaluation has nothing to do with the checkpoints that Ray keeps for the run.
        run_dir = run_dir / "monitor" / "evaluate"
    of_ray = {name: data for name, data in datasets.items() if is_ray_dataset(data)}
    others = {name: data for name, data in datasets.items() if name not in of_ray}
    _check_that_they_travel(others)
    repair_snapshot(run_dir)
    above, name = run_dir.parent, run_dir.name
    if not name.isascii():
        # Ray's own metrics have the name as a tag, which takes ASCII alone.
        above, name = run_dir, "."
    parent, filesystem = in_ray(above)
    evaluated = bool(config.eval_input_path) or EVAL in datasets
    validates = task.checkpoint is None and evaluated and evaluates_asynchronously(config)
    arguments = {
        "config": task.serialized_config,
        "checkpoint": task.checkpoint,
        "metrics": registered_metrics(),
        "reporter": reporter.run,
        "datasets": others,
        "ray_datasets": list(of_ray),
        "validates": validates,
    }
    beside: dict[str, Any] = {}
    if validates:
        beside["validation_config"] = validation_config(config.eval_config, arguments)
    trainer = _Trainer(
        train_loop_per_worker,
        train_loop_config=arguments,
        **beside,
        datasets=of_ray,
        dataset_config=EveryRow(),
        scaling_config=_scaling_config(config.ray_config),
        run_config=RunConfig(
            name=name,
            storage_path=parent,
            storage_filesystem=filesystem,
            failure_config=FailureConfig(max_failures=config.ray_config.max_failures),
        ),
    )
    logging.getLogger("ray.train").setLevel(logging.ERROR)
    with ClusterWatch() as watch:
        try:
            trainer.fit()
        except BaseException as error:
            asked = isinstance(error, KeyboardInterrupt) and not watch.woke
            if asked:
                interrupted()
            lost = watch.lost_with_this() if asked else watch.lost()
            if lost is not None:
                raise ClusterLostError(lost, interrupted=asked) from error
            if isinstance(error, RayTrainingFailedError):
                raise _own_error(error) from error
            trainer.abort()
            raise


class _Trainer(TorchTrainer):
    """A trainer that leaves signals to whoever takes them, and can be ended."""

    _controller: Any = None

    def abort(self) -> None:
        """Ends the workers, where they are there to be ended."""
        if self._controller is not None:
            # It ends with them, so that this has no answer.
            with suppress(ray.exceptions.RayError):
                ray.get(self._controller.abort.remote(), timeout=_ABORT_S)

    def _register_sigint_handler(self, controller: Any) -> None:
        # Ray asks here for its controller to be aborted at Ctrl-C, by a handler that exits.
        self._controller = controller


def _check_that_they_travel(datasets: Datasets) -> None:
    for name, data in datasets.items():
        try:
            cloudpickle.dumps(data)
        except Exception as error:
            raise DataError(
                f"{title(name)}: cannot be sent to workers: {error}; give the function that makes "
                "it"
            ) from None


def _scaling_config(config: RayConfig) -> ScalingConfig:
    arguments: dict[str, Any] = {"num_workers": config.num_workers}
    if config.min_workers:
        arguments = {
            "num_workers": (config.min_workers, config.num_workers),
            "elastic_resize_monitor_interval_s": config.elastic_resize_monitor_interval_s,
        }
    return ScalingConfig(
        use_gpu=config.use_gpu,
        resources_per_worker=worker_resources(config),
        placement_strategy=config.placement_strategy,
        **arguments,
    )


def _own_error(error: RayTrainingFailedError) -> RaymonError:
    # Several ranks may fail of one cause; the one that knows it says most.
    failures = getattr(error, "worker_failures", {})
    own = [_of_worker(rank, failure) for rank, failure in sorted(failures.items())]
    first = first_cause(own)
    if first is None:
        return RankFailedError(reason(error), str(error))
    if isinstance(first, UserError):
        return type(first)(str(first))
    # One that was ended says nothing of its own.
    tracebacks = "\n".join(getattr(each, "traceback_text", "") or str(each) for each in own)
    return RankFailedError(str(first), tracebacks)


def _of_worker(rank: int, failure: BaseException) -> RaymonError:
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, RaymonError):
            return cause
        cause = getattr(cause, "_base_exc", None) or cause.__cause__
    return RankFailedError(f"rank {rank}: {reason(failure)}", f"rank {rank}: {failure}")
